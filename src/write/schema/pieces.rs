//! What the outcomes of every kind of subject have in common, as [`crate::write::json`] and
//! [`mod@crate::write::cases`] write it.

use schemars::JsonSchema;

use super::words::{
    About, AssumedOf, CardClassOf, ClassOf, DomainName, EditionOf, FactNameOf, PossibleClassOf, RulebookName,
};
use crate::engine::facts::Grade;
use crate::inventory::row::NoteKind;
use crate::rulebook::card::{Basis, RemedyKind, StepSide};

/// The rulebook that was applied.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "Rulebook", bound = "A: About")]
pub struct RulebookUsed<A: About> {
    /// The domain.
    pub domain: DomainName<A>,
    /// The edition.
    pub edition: EditionOf<A>,
    /// SHA-256 over the cards and atoms.
    #[schemars(regex(pattern = "^sha256:[0-9a-f]{64}$"))]
    pub digest: String,
}

/// What to know about an input beside its records.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "Note")]
pub struct InputNote {
    /// What it is about.
    pub kind: NoteKind,
    /// The file; null if it is about none.
    pub file: Option<String>,
    /// The line; null if the file as a whole is meant.
    #[schemars(range(min = 1))]
    pub line: Option<u64>,
    /// What to know, and what to do about it.
    pub text: String,
}

/// What is said of a subject, from its class to the rulebook that was applied.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "Outcome", bound = "A: About")]
pub struct Outcome<A: About> {
    /// The class.
    pub class: ClassOf<A>,
    /// Whether the class holds without open conditions.
    pub confirmed: bool,
    /// The cards of classes that fire, those that decide first.
    pub findings: Vec<Finding<A>>,
    /// What was presumed or inferred, and must be confirmed before anything irreversible.
    pub conditions: Vec<Condition<A>>,
    /// The facts that would settle a subject that is undetermined.
    pub gaps: Vec<Gap<A>>,
    /// The classes that can still come out.
    pub possible: Vec<PossibleClassOf<A>>,
    /// The minimal sets of actions, by the ids of their cards, after which the subject reaches the good class.
    pub unlocks: Vec<Vec<String>>,
    /// What was assumed where nobody knew.
    pub assumed: AssumedOf<A>,
    /// The rulebook that was applied.
    pub rulebook: RulebookName<A>,
}

/// A card that fires.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "Finding", bound = "A: About")]
pub struct Finding<A: About> {
    /// The id of the card.
    pub rule: String,
    /// The class that it names.
    pub class: CardClassOf<A>,
    /// Whether its class is that of the subject.
    pub decides: bool,
    /// How firmly the card stands on its sources.
    pub basis: Basis,
    /// The state found, and by which facts.
    pub because: String,
    /// Where it is written.
    pub source: Vec<Source>,
    /// What to do about it; null if there is nothing to say.
    pub remedy: Option<Remedy>,
}

/// Where a statement is written.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "Source")]
pub struct Source {
    /// The document, by its id.
    pub document: String,
    /// The heading under which it stands.
    pub section: String,
    /// The day on which it was read.
    #[schemars(extend("format" = "date"))]
    pub retrieved: String,
    /// Where the document was published; null if the rulebook does not know the document.
    pub url: Option<String>,
}

/// What to do.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "Remedy")]
pub struct Remedy {
    /// By which means.
    pub kind: RemedyKind,
    /// What to do, in words.
    pub text: String,
    /// A command, its words as a shell takes them; null if there is none.
    pub command: Option<String>,
}

/// Why a condition is open.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub enum ConditionKind {
    /// The usual case was presumed.
    Presumed,
    /// It follows from other facts without being said.
    Inferred,
}

/// What a conditional class rests on.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "Condition", bound = "A: About")]
pub struct Condition<A: About> {
    /// The fact.
    pub fact: FactNameOf<A>,
    /// Why it is open.
    pub kind: ConditionKind,
    /// The value that was presumed or inferred; null if any value would do.
    pub value: Option<String>,
    /// What must be confirmed, in words.
    pub confirm: String,
    /// The columns of an input that carry the fact.
    pub columns: String,
    /// A read-only command that shows it; null if there is none.
    pub command: Option<String>,
}

/// A fact that would settle a subject.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "Gap", bound = "A: About")]
pub struct Gap<A: About> {
    /// The fact.
    pub fact: FactNameOf<A>,
    /// How it is known, or why it is not.
    pub kind: Grade,
    /// What would settle it, in words.
    pub settle: String,
    /// The columns of an input that carry the fact.
    pub columns: String,
    /// A read-only command that shows it; null if there is none.
    pub command: Option<String>,
}

/// A remark that decides nothing.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "Advisory")]
pub struct Advisory {
    /// The id of the card.
    pub rule: String,
    /// What it says.
    pub says: String,
    /// What to do about it; null if there is nothing to say.
    pub remedy: Option<Remedy>,
}

/// Whether a step is to be taken.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub enum Applies {
    /// It is.
    Yes,
    /// It depends on facts that are not known.
    Depends,
}

/// One step of a checklist.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "Step")]
pub struct Step {
    /// The id of the card.
    pub step: String,
    /// Where it is taken; null if the card does not say.
    pub side: Option<StepSide>,
    /// Whether it is to be taken.
    pub applies: Applies,
    /// The deed.
    pub title: String,
    /// What exactly to do; null if the title says it all.
    #[schemars(rename = "do")]
    pub deed: Option<Remedy>,
    /// Where it is written.
    pub source: Vec<Source>,
}
