//! The data block of a page, read strictly: an unknown field is an error with its place.

use schemars::JsonSchema;
use serde::Deserialize;

/// One documented statement.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// Its name, equal to the page's file stem; for ever.
    pub id: String,
    /// What it is for.
    pub kind: Kind,
    /// The class that holds when the card fires; kind `class` only.
    pub class: Option<String>,
    /// The scenario's number in the document; kind `scenario` only.
    pub scenario: Option<String>,
    /// How firmly the card stands on its sources.
    pub basis: Basis,
    /// The first edition that has the card.
    pub since: String,
    /// The first edition that no longer has it.
    pub until: Option<String>,
    /// What was read into the document, for cards that are not `documented`.
    pub interpretation: Option<String>,
    /// Alternatives, of which any makes the card fire.
    #[serde(default)]
    pub when: Vec<Alternative>,
    /// What an action changes.
    #[serde(default)]
    pub effect: Vec<CardEffect>,
    /// The number that a card of kind `limit` states.
    pub limit: Option<Limit>,
    /// Where a card of kind `step` stands in the checklist.
    pub step: Option<Step>,
    /// The state found, or the deed, in a few words.
    pub title: Bilingual,
    /// Where it is written.
    pub source: Vec<Source>,
    /// What to do about it.
    pub remedy: Option<Remedy>,
}

/// What a card is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Decides the class.
    Class,
    /// Changes facts, so that another class may be reached.
    Action,
    /// Remarks on the subject.
    Advisory,
    /// Names the document's scenario.
    Scenario,
    /// Says when the rotation clock matters.
    Deadline,
    /// Is one step of the checklist for the subject.
    Step,
    /// States a number.
    Limit,
    /// Is recorded, and decides nothing.
    Statement,
}

impl Kind {
    /// The word for outputs.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Class => "class",
            Kind::Action => "action",
            Kind::Advisory => "advisory",
            Kind::Scenario => "scenario",
            Kind::Deadline => "deadline",
            Kind::Step => "step",
            Kind::Limit => "limit",
            Kind::Statement => "statement",
        }
    }

    /// Whether cards of this kind have a condition.
    pub fn has_condition(self) -> bool {
        !matches!(self, Kind::Limit | Kind::Statement)
    }
}

/// How firmly a card stands on its sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// The document says it.
    Documented,
    /// It follows from the document and stated facts.
    Derived,
    /// It is our reading where the document is silent.
    Ours,
}

impl Basis {
    /// The word for outputs.
    pub fn name(self) -> &'static str {
        match self {
            Basis::Documented => "documented",
            Basis::Derived => "derived",
            Basis::Ours => "ours",
        }
    }
}

/// One alternative of a condition, by names of atoms.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alternative {
    /// Atoms that must all be true.
    #[serde(default)]
    pub all: Vec<String>,
    /// Atoms that must all be false.
    #[serde(default)]
    pub none: Vec<String>,
}

/// What an action does to one fact.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardEffect {
    /// The atom whose values leave its fact.
    pub removes: String,
    /// The value that the fact gets if none is left.
    pub leaves: String,
}

/// The place of a step in a checklist.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Steps are taken in this order.
    pub order: u16,
    /// On which side.
    pub side: StepSide,
}

/// Where a step is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StepSide {
    /// On the source.
    Source,
    /// On the target.
    Target,
    /// On each of the two.
    Both,
    /// On the form of the request.
    Form,
    /// In the cloud that holds the key.
    Aws,
    /// By the person who plans.
    You,
}

impl StepSide {
    /// The word for outputs.
    pub fn name(self) -> &'static str {
        match self {
            StepSide::Source => "source",
            StepSide::Target => "target",
            StepSide::Both => "both",
            StepSide::Form => "form",
            StepSide::Aws => "aws",
            StepSide::You => "you",
        }
    }
}

/// A number stated by a document.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Its name, in snake_case.
    pub name: String,
    /// The number.
    pub value: u64,
    /// What is counted.
    pub unit: String,
}

/// A text in both languages.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bilingual {
    /// English.
    pub en: String,
    /// Chinese.
    pub zh: String,
}

impl Bilingual {
    /// The text in the asked language.
    pub fn get(&self, lang: crate::engine::facts::Lang) -> &str {
        lang.pick(&self.en, &self.zh)
    }
}

/// Where a statement is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The document, by its id.
    pub document: String,
    /// The heading under which it stands.
    pub section: String,
    /// The day it was read, `YYYY-MM-DD`.
    pub retrieved: String,
    /// The statement, in our own words.
    pub says: String,
}

/// What to do.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remedy {
    /// By which means.
    pub kind: RemedyKind,
    /// English.
    pub en: String,
    /// Chinese.
    pub zh: String,
    /// The command as a user would type it, with the holes `{key_id}` and `{region}`.
    pub command: Option<String>,
}

impl Remedy {
    /// The text in the asked language.
    pub fn get(&self, lang: crate::engine::facts::Lang) -> &str {
        lang.pick(&self.en, &self.zh)
    }
}

/// The means of a remedy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RemedyKind {
    /// A command.
    Command,
    /// Steps in the console.
    Console,
    /// A support ticket.
    Ticket,
    /// A change of an application.
    Code,
    /// There is none.
    None,
}

impl RemedyKind {
    /// The word for outputs.
    pub fn name(self) -> &'static str {
        match self {
            RemedyKind::Command => "command",
            RemedyKind::Console => "console",
            RemedyKind::Ticket => "ticket",
            RemedyKind::Code => "code",
            RemedyKind::None => "none",
        }
    }
}
