//! What a domain hands over: plain data, so that one engine serves all of them.

use crate::engine::facts::{AtomSpec, FactId, FactSpec, Facts, Text};

/// How a class should look to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Nothing to do.
    Calm,
    /// The class that everybody wants.
    Good,
    /// Something must be done first.
    Warn,
    /// It does not work.
    Alarm,
    /// Nobody can tell.
    Open,
}

/// What becomes of cards of the last class that fire where another class decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overruled {
    /// They say only that nothing is in the way, which is worth saying only where it decides.
    Silent,
    /// They are statements of their own, and the reader is told which were overruled.
    Told,
}

/// A class, at its place in the order of precedence.
#[derive(Debug, Clone)]
pub struct ClassSpec {
    /// Its name in outputs and options.
    pub name: &'static str,
    /// How it should look.
    pub tone: Tone,
    /// What it means, in one line.
    pub meaning: Text,
    /// Whether its subjects have a checklist.
    pub checklist: Checklist,
}

/// Whether the subjects of a class have a checklist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checklist {
    /// They have.
    Given,
    /// They have none: its steps would carry out what cannot work.
    Withheld,
}

/// An edition of a rulebook.
#[derive(Debug, Clone)]
pub struct EditionSpec {
    /// Its name.
    pub name: &'static str,
    /// What it stands for.
    pub about: Text,
}

/// A document that cards cite.
#[derive(Debug, Clone)]
pub struct DocumentSpec {
    /// Its name in cards.
    pub id: &'static str,
    /// Its title.
    pub title: &'static str,
    /// Who published it.
    pub publisher: &'static str,
    /// Its own date, `YYYY-MM-DD`, or the day it is known to have been current.
    pub dated: &'static str,
    /// Where it was published.
    pub url: &'static str,
}

/// An embedded page: its file stem and its text.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// The file's name without `.md`; the card's id.
    pub stem: &'static str,
    /// The whole text.
    pub text: &'static str,
}

/// A question that the program answers: what can be known, and which cards follow from it.
#[derive(Debug)]
pub struct Domain {
    /// Its name.
    pub name: &'static str,
    /// What it answers.
    pub question: Text,
    /// What one subject is called, in the singular.
    pub noun: Text,
    /// What can be known.
    pub facts: &'static [FactSpec],
    /// The fact that says what kind of thing a record is about, which is never worth naming as a reason.
    pub kind: Option<FactId>,
    /// What can be said about it.
    pub atoms: &'static [AtomSpec],
    /// The classes, in order of precedence.
    pub classes: &'static [ClassSpec],
    /// The first class, in the order of precedence, that is good enough: actions aim at it and those behind it.
    pub good: &'static str,
    /// What sets of actions lead to, as a heading.
    pub ways: Text,
    /// What becomes of cards of the last class where another decides.
    pub overruled: Overruled,
    /// The editions, oldest first.
    pub editions: &'static [EditionSpec],
    /// The edition used if none is asked for.
    pub default_edition: &'static str,
    /// The documents that cards cite.
    pub documents: &'static [DocumentSpec],
    /// The cards.
    pub pages: &'static [Page],
    /// The texts of a subject that remedies may name in braces.
    pub holes: &'static [&'static str],
    /// Sets the facts that follow from other facts.
    pub derive: fn(&mut Facts),
    /// The fact about the records themselves: if it is in conflict, no verdict is given.
    pub integrity: FactId,
    /// The facts that `derive` reads.
    pub derived_from: &'static [FactId],
    /// Those of them that serve inference alone, each with the fact that is inferred.
    pub infers_from: &'static [(FactId, FactId)],
    /// The facts that no card asks, but people and notes.
    pub told: &'static [FactId],
}

/// Embeds pages by name: a listed page that is missing does not compile.
#[macro_export]
macro_rules! rules {
    ($($stem:literal),* $(,)?) => {
        /// The pages of the domain, in alphabetical order.
        pub static PAGES: &[$crate::rulebook::domain::Page] = &[
            $($crate::rulebook::domain::Page {
                stem: $stem,
                text: include_str!(concat!("rules/", $stem, ".md")),
            }),*
        ];
    };
}
