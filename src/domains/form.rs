//! How records about few subjects are read: pairs of instances, requests.
//!
//! A [`Form`] lists the fields of a domain as plain data, and how their words become facts and texts. What follows
//! from texts (comparing ARNs, ages, parts of a subject) is the domain's own `conclude`. Inventories of keys, of which
//! there are millions, have a reader of their own.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::LazyLock;

use jiff::Timestamp;

use crate::engine::facts::{Bits, FactId, Facts, Grade};
use crate::rulebook::Domain;

/// A word as people write it, [`plain`](super::spelling::plain), and the value that it stands for.
pub type Word = (&'static str, &'static str);

/// The records of a domain.
#[derive(Debug)]
pub struct Form {
    /// The domain.
    pub domain: &'static Domain,
    /// What the subjects are called in outputs, in the plural: the member of the JSON document.
    pub plural: &'static str,
    /// The name of the output format, without its version.
    pub format: &'static str,
    /// The fields.
    pub fields: &'static [FieldSpec],
    /// The positions of the fields of each name, as [`spellings`] gives them: tables may have thousands of columns.
    pub spellings: LazyLock<HashMap<String, Vec<usize>>>,
    /// The texts that together name a subject; records with the same ones are about the same subject.
    pub identity: &'static [&'static str],
    /// The texts that stand in tables before everything else.
    pub columns: &'static [&'static str],
    /// What is lacking where instances are listed and nothing else, and what to do.
    pub lone_instances: &'static str,
    /// The heading of a report.
    pub heading: crate::engine::facts::Text,
    /// The field whose texts or objects are the subject's parts; empty if it has none.
    pub parts: &'static str,
    /// The title of a subject: texts with what stands between them.
    pub title: fn(&Draft) -> String,
    /// Sets the facts that follow from texts, parts and evidence.
    pub conclude: fn(&mut Draft, &Context),
}

/// One field of a form.
#[derive(Debug)]
pub struct FieldSpec {
    /// Its canonical name; of a field of both sides without `source_` or `target_`.
    pub name: &'static str,
    /// Other names.
    pub also: &'static [&'static str],
    /// Whose it is. A field named `""` among the other names is meant by `source` and `target` alone.
    pub of: Of,
    /// How its cells are read.
    pub reads: Reads,
}

/// Whose a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// The subject's as a whole.
    Subject(Option<FactId>),
    /// An instance's: the source's and the target's, and of a record that is about one instance.
    Side {
        /// The fact of the source.
        source: Option<FactId>,
        /// The fact of the target.
        target: Option<FactId>,
    },
    /// A part's, of which a subject has several.
    Part,
}

/// How the cells of a field are read.
#[derive(Debug, Clone, Copy)]
pub enum Reads {
    /// One of the words, or of the names of the fact's values.
    Choice(&'static [Word]),
    /// The same, but a word that is not known stands for the given value and is kept as it is written.
    Label(&'static [Word], &'static str),
    /// One of the words for the instance as a whole, or one for each of its modules (`module=word`, or an object): words
    /// that differ are together the given value. What is said of each is kept in [`Draft::modules`].
    OfModules(&'static [Word], &'static str),
    /// One of the words for yes and no, or a name such as `global.orders`, which is a yes; `none` is a no.
    Presence(&'static [Word]),
    /// A text, after a check that may also give it its usual spelling; the error says what was expected.
    Text(fn(&str) -> Result<String, &'static str>),
    /// Any number of texts.
    Texts,
    /// A moment: RFC 3339, or a date and time that is taken as UTC.
    Time,
}

/// One of two instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The one that is copied, or whose keys are wanted.
    Source,
    /// The one that is overwritten, or that gets the keys.
    Target,
}

impl Side {
    /// Both.
    pub const BOTH: [Side; 2] = [Side::Source, Side::Target];

    /// Its word.
    pub fn name(self) -> &'static str {
        match self {
            Side::Source => "source",
            Side::Target => "target",
        }
    }
}

impl Of {
    /// The fact, if the field has one.
    pub fn fact(self, side: Option<Side>) -> Option<FactId> {
        match (self, side) {
            (Of::Subject(fact), _) => fact,
            (Of::Side { source, .. }, Some(Side::Source)) => source,
            (Of::Side { target, .. }, Some(Side::Target)) => target,
            _ => None,
        }
    }
}

/// A text and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// What is said.
    pub text: String,
    /// Where, for people: `pairs.csv, line 3`.
    pub at: String,
}

/// What one place says about a fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaidFact {
    /// The fact.
    pub fact: FactId,
    /// The values.
    pub bits: Bits,
    /// Where.
    pub at: String,
}

/// A subject while its facts are gathered.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// The texts, by field; those of sides with `source_` or `target_` before them.
    pub texts: BTreeMap<String, Vec<Said>>,
    /// The facts.
    pub facts: Facts,
    /// What each place says about each fact.
    pub said: Vec<SaidFact>,
    /// What is said of each module of a side; [`OPEN`] if nobody knows.
    pub modules: BTreeMap<Side, BTreeMap<String, String>>,
    /// The parts: texts by field.
    pub parts: Vec<BTreeMap<&'static str, String>>,
    /// Remarks about how something was read.
    pub notes: Vec<String>,
    /// Columns that the form does not know, by name.
    pub others: BTreeSet<(String, String)>,
    /// Where its records stand.
    pub origins: Vec<String>,
    /// The texts of fields that have many.
    many: HashMap<String, HashSet<String>>,
    /// The positions of the parts that have names.
    named: HashMap<String, usize>,
}

/// Among more texts than this, one is not looked for one by one.
const FEW_TEXTS: usize = 16;

impl Draft {
    /// The text of a field; nothing if none was given or several differ.
    pub fn text(&self, field: &str) -> Option<&str> {
        let texts = self.texts.get(field)?;
        let first = texts.first()?;
        texts.iter().all(|said| said.text == first.text).then_some(first.text.as_str())
    }

    /// The same, of one side.
    pub fn side_text(&self, side: Side, field: &str) -> Option<&str> {
        self.text(&format!("{}_{field}", side.name()))
    }

    /// Adds a text that is not there yet.
    pub fn add_text(&mut self, field: &str, text: &str, at: &str) {
        let texts = self.texts.entry(field.to_owned()).or_default();
        let is_new = if texts.len() <= FEW_TEXTS {
            !texts.iter().any(|said| said.text == text)
        } else {
            let known = self.many.entry(field.to_owned()).or_default();
            if known.is_empty() {
                known.extend(texts.iter().map(|said| said.text.clone()));
            }
            known.insert(text.to_owned())
        };
        if is_new {
            texts.push(Said { text: text.to_owned(), at: at.to_owned() });
        }
    }

    /// The part of the same name, if there is one; if not, the part is added.
    pub fn known_part(&mut self, part: &BTreeMap<&'static str, String>) -> Option<&mut BTreeMap<&'static str, String>> {
        let at = self.parts.len();
        let known = part.get(PART_NAME).map_or(at, |name| *self.named.entry(name.clone()).or_insert(at));
        if known == at {
            self.parts.push(part.clone());
            return None;
        }
        self.parts.get_mut(known)
    }

    /// Sets a fact that follows from others.
    pub fn follow(&mut self, fact: FactId, bits: Bits, grade: Grade) {
        self.facts.set(fact, bits, grade);
    }
}

/// What stands beside the records.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// The moment to which ages refer.
    pub now: Timestamp,
    /// What `aws kms describe-key` said of keys.
    pub described_keys: Vec<DescribedKey>,
    /// The operation of pairs that name none.
    pub operation: Option<String>,
}

/// What AWS KMS answers when asked for a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Its `KeyState`.
    State(String),
    /// The name of an error.
    Error(String),
}

impl Answer {
    /// The state or the error, as AWS names it.
    pub fn name(&self) -> &str {
        match self {
            Answer::State(name) | Answer::Error(name) => name,
        }
    }
}

/// One reply of `aws kms describe-key`, or why there was none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedKey {
    /// The key's ARN or id, as the reply names it.
    pub key: String,
    /// What was answered.
    pub answer: Answer,
    /// `DeletionDate`, if the key has one.
    pub deletion_date: Option<String>,
    /// `MultiRegion`.
    pub multi_region: Option<bool>,
    /// `KeySpec`.
    pub key_spec: Option<String>,
    /// Where it was read.
    pub at: String,
}

impl Form {
    /// The field of a column, and its side if the name says one.
    pub fn field(&self, column: &str) -> Option<(&'static FieldSpec, Option<Side>)> {
        let wanted = header(column);
        if wanted.is_empty() {
            return None;
        }
        let named = |wanted: &str| {
            let positions = self.spellings.get(wanted).map(Vec::as_slice).unwrap_or_default();
            positions.iter().filter_map(|position| self.fields.get(*position))
        };
        if let Some(field) = named(&wanted).next() {
            return Some((field, None));
        }
        Side::BOTH.into_iter().find_map(|side| {
            let bare = wanted.strip_prefix(side.name()).or_else(|| wanted.strip_suffix(side.name()))?;
            let mut of_side = named(bare).filter(|field| matches!(field.of, Of::Side { .. }));
            of_side.next().map(|field| (field, Some(side)))
        })
    }
}

/// The positions of fields by their names, the first of them first.
pub fn spellings(fields: &'static [FieldSpec]) -> HashMap<String, Vec<usize>> {
    let mut positions: HashMap<String, Vec<usize>> = HashMap::new();
    for (position, field) in fields.iter().enumerate() {
        for name in std::iter::once(&field.name).chain(field.also) {
            positions.entry(header(name)).or_default().push(position);
        }
    }
    positions
}

/// What stands for a module of which nobody knows.
pub const OPEN: &str = "?";

/// The text of a part that names it.
pub const PART_NAME: &str = "name";

/// `prod` and `prod.service-now.com` are the same instance.
pub fn same_instance(a: &str, b: &str) -> bool {
    bare(a) == bare(b)
}

/// The name of an instance without what does not matter.
pub fn bare(name: &str) -> String {
    let name = name.trim().to_lowercase();
    let name = name.strip_prefix("https://").unwrap_or(&name).trim_end_matches(['/', '.']);
    name.strip_suffix(".service-now.com").unwrap_or(name).to_owned()
}

/// A column's name without what does not matter: case, blanks, `_`, `-` and `.`.
pub fn header(name: &str) -> String {
    let kept = name.chars().filter(|c| c.is_alphanumeric());
    kept.flat_map(char::to_lowercase).collect()
}
