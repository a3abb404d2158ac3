//! A rulebook: the cards of one edition, compiled, with a digest that names exactly them.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use crate::engine::facts::{AtomSpec, FactId, FactSet, FactSpec};
use crate::engine::judge::Program;
use crate::engine::packing::Packing;

use super::card::{Card, Kind};
use super::compile::{CompileError, Names, compile, nearest};
use super::domain::{Domain, Overruled};
use super::page::{PageError, ParsedPage, parse};
use super::user::UserRules;

/// Why a rulebook cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RulebookError {
    /// A page is not a page.
    #[error(transparent)]
    Page(#[from] PageError),
    /// A name in a card means nothing.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// The edition does not exist.
    #[error("there is no edition `{name}` of the `{domain}` rulebook; {hint}")]
    Edition {
        /// The domain.
        domain: &'static str,
        /// What was asked for.
        name: String,
        /// What there is.
        hint: String,
    },
    /// Two cards have one name.
    #[error("two cards are named `{0}`; ids are unique, also among your own and the built-in cards")]
    Twice(String),
    /// Two atoms have one name.
    #[error("two atoms are named `{0}`; names are unique, also among your own and the built-in atoms")]
    AtomTwice(String),
    /// The facts do not fit into one word.
    #[error("the facts have {0} values in all, but at most 127 are possible; declare fewer atoms of your own")]
    TooManyValues(u32),
    /// A user's folder cannot be read.
    #[error(transparent)]
    User(#[from] super::user::UserRulesError),
}

/// The cards of one edition of one domain, and the user's own.
#[derive(Debug, Clone)]
pub struct Rulebook {
    /// The domain.
    pub domain: &'static Domain,
    /// The edition's name.
    pub edition: String,
    /// SHA-256 over the pages and atoms, in lower-case hexadecimal.
    pub digest: String,
    /// The pages, by id.
    pub pages: Vec<ParsedPage>,
    /// The facts: the domain's, then the user's.
    pub facts: Vec<FactSpec>,
    /// The atoms: the domain's, then the user's.
    pub atoms: Vec<AtomSpec>,
    /// The facts that a user's atoms read from columns.
    pub user: Option<UserRules>,
    /// How the facts that a record states are packed into one word.
    pub packing: Packing,
    /// The compiled cards; a rule's card is an index into `pages`.
    pub program: Program,
}

impl Rulebook {
    /// The rulebook of an edition.
    ///
    /// # Errors
    /// The edition does not exist, or a page of the user's is not usable.
    pub fn load(
        domain: &'static Domain,
        edition: Option<&str>,
        user: Option<UserRules>,
    ) -> Result<Rulebook, RulebookError> {
        let edition = edition.unwrap_or(domain.default_edition);
        let at = position(domain, edition)?;
        let mut pages = Vec::new();
        for page in domain.pages {
            pages.push(parse(page.stem, page.text)?);
        }
        let mut texts: Vec<(String, Cow<'_, str>)> =
            domain.pages.iter().map(|page| (page.stem.to_owned(), Cow::Borrowed(page.text))).collect();
        if let Some(user) = &user {
            pages.extend(user.pages.iter().cloned());
            texts.extend(user.texts.iter().map(|(stem, text)| (stem.clone(), Cow::Owned(text.clone()))));
        }
        let in_edition = |page: &ParsedPage| holds(domain, &page.card, at);
        let mut kept = Vec::new();
        for page in pages {
            if in_edition(&page)? {
                kept.push(page);
            }
        }
        kept.sort_by(|a, b| a.card.id.cmp(&b.card.id));
        if let Some(twice) = kept.windows(2).find(|pair| pair[0].card.id == pair[1].card.id) {
            return Err(RulebookError::Twice(twice[0].card.id.clone()));
        }
        texts.retain(|(stem, _)| kept.iter().any(|page| page.card.id == *stem));
        texts.sort();
        let facts = joined(domain.facts, user.as_ref().map(|user| user.facts.as_slice()));
        let atoms = joined(domain.atoms, user.as_ref().map(|user| user.atoms.as_slice()));
        let mut names: Vec<&str> = atoms.iter().map(|atom| atom.name.as_ref()).collect();
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(RulebookError::AtomTwice(twice[0].to_owned()));
        }
        let names = Names { facts: &facts, atoms: &atoms, classes: domain.classes };
        let cards: Vec<&Card> = kept.iter().map(|page| &page.card).collect();
        let mut program = compile(&names, &cards, domain.good)?;
        program.integrity = domain.integrity.bit();
        program.hushed = match domain.overruled {
            Overruled::Silent => Some(domain.classes.len() as u8 - 1),
            Overruled::Told => None,
        };
        let digest = digest(&texts, &atoms);
        let packing = Packing::new(&facts).map_err(RulebookError::TooManyValues)?;
        Ok(Rulebook { domain, edition: edition.to_owned(), digest, pages: kept, facts, atoms, user, packing, program })
    }

    /// `domain/edition@digest`, short enough for every row.
    pub fn name(&self) -> String {
        format!("{}/{}@{}", self.domain.name, self.edition, &self.digest[..12])
    }

    /// The card at a position.
    pub fn card(&self, index: u16) -> &Card {
        &self.pages[usize::from(index)].card
    }

    /// The page of a card, by id.
    pub fn page(&self, id: &str) -> Option<&ParsedPage> {
        self.pages.iter().find(|page| page.card.id == id)
    }

    /// The facts that only advisories ask, or nobody, so that they need not be judged with the others.
    pub fn asides(&self) -> FactSet {
        let read = self.domain.derived_from.iter().fold(0, |facts, fact| facts | fact.bit());
        let told = self.domain.told.iter().fold(0, |facts, fact| facts | fact.bit());
        (self.program.advising | told) & !read
    }

    /// The position of a fact, by name.
    pub fn fact(&self, name: &str) -> Option<FactId> {
        self.facts.iter().position(|spec| spec.name == name).map(|index| FactId(index as u8))
    }

    /// The name of the class at a place in the order of precedence.
    pub fn class_name(&self, class: u8) -> &'static str {
        self.domain.classes.get(usize::from(class)).map_or("not-covered", |class| class.name)
    }

    /// The name of a verdict's class, or `undetermined`.
    pub fn verdict_name(&self, class: Option<u8>) -> &'static str {
        class.map_or("undetermined", |class| self.class_name(class))
    }

    /// The number that a card of kind `limit` states.
    pub fn limit(&self, name: &str) -> Option<u64> {
        let limits = self.pages.iter().filter(|page| page.card.kind == Kind::Limit);
        limits.filter_map(|page| page.card.limit.as_ref()).find(|limit| limit.name == name).map(|limit| limit.value)
    }
}

fn joined<T: Clone>(ours: &[T], theirs: Option<&[T]>) -> Vec<T> {
    ours.iter().chain(theirs.unwrap_or_default()).cloned().collect()
}

fn position(domain: &'static Domain, name: &str) -> Result<usize, RulebookError> {
    let names: Vec<&str> = domain.editions.iter().map(|edition| edition.name).collect();
    names.iter().position(|known| *known == name).ok_or_else(|| RulebookError::Edition {
        domain: domain.name,
        name: name.to_owned(),
        hint: nearest(name, &names),
    })
}

/// Whether the edition at a position has the card.
fn holds(domain: &'static Domain, card: &Card, at: usize) -> Result<bool, RulebookError> {
    let since = position(domain, &card.since)?;
    let until = card.until.as_deref().map(|name| position(domain, name)).transpose()?;
    Ok(since <= at && until.is_none_or(|until| at < until))
}

fn digest(texts: &[(String, Cow<'_, str>)], atoms: &[AtomSpec]) -> String {
    let mut hash = Sha256::new();
    for (stem, text) in texts {
        hash.update(format!("page {stem} {}\n", text.len()));
        hash.update(text.as_bytes());
    }
    for atom in atoms {
        hash.update(format!("atom {} {} {}\n", atom.name, atom.fact, atom.any_of.join(" ")));
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
