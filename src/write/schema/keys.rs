//! What `diagnose` writes of keys.

use schemars::JsonSchema;

use super::pieces::{Advisory, InputNote, Outcome, RulebookUsed};
use super::subjects::ClassesOf;
use crate::write::evidence::{UsageEvidence, UsageSummary};

use super::words::{FactNameOf, FactsOf, FormatOf, GradesOf, Keys, Texts};

/// The document that `diagnose --format json` writes.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "Diagnosis")]
pub struct Diagnosis {
    /// Name and version of the format.
    pub format: FormatOf<Keys>,
    /// The rulebook that was applied.
    pub rulebook: RulebookUsed<Keys>,
    /// The numbers of the diagnosis; always about all keys, also with --only.
    pub summary: KeySummary,
    /// The keys, in the order of the input.
    pub keys: Vec<Key>,
}

/// The numbers of a diagnosis.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "Summary")]
pub struct KeySummary {
    /// What became of the records.
    pub records: KeyRecords,
    /// How many keys there are.
    pub keys: u64,
    /// How many keys there are of each class.
    pub classes: ClassesOf<Keys>,
    /// How many keys know each fact that verdicts depend on by which grade.
    pub grades: GradesOf<Keys>,
    /// What to know about the inputs beside their records.
    pub notes: Vec<InputNote>,
    /// What audit logs tell; only with --usage or --events.
    #[schemars(skip_serializing_if = "UsageSummary::is_none")]
    pub usage_evidence: UsageSummary,
}

/// What became of the records: read = diagnosed + rejected + exact_duplicates.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "Records")]
pub struct KeyRecords {
    /// Records read.
    pub read: u64,
    /// Records that say something of a key.
    pub diagnosed: u64,
    /// Records that could not be used.
    pub rejected: u64,
    /// Records that are the same as one before.
    pub exact_duplicates: u64,
}

/// One key.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "Key")]
pub struct Key {
    /// The key id; null if it is not known.
    pub key_id: Option<String>,
    /// The account; null if it is not known.
    pub account_id: Option<String>,
    /// The region; null if it is not known.
    pub region: Option<String>,
    /// The aliases.
    pub aliases: Vec<String>,
    /// What is said of the key.
    #[schemars(flatten)]
    pub outcome: Outcome<Keys>,
    /// The scenario of the document: 1, 1+2 if both hold, (1|2) if either may; null if none applies.
    pub scenario: Option<String>,
    /// Remarks that decide nothing.
    pub advisories: Vec<Advisory>,
    /// The facts.
    pub facts: FactsOf<Keys>,
    /// When the key gets a second version; null if it does not, or nobody knows.
    #[schemars(extend("format" = "date-time"))]
    pub rotation_deadline: Option<String>,
    /// From what the deadline is known; null if there is none.
    pub rotation_deadline_basis: Option<DeadlineBasis>,
    /// The cloud services that use the key; only if the inventory has them.
    #[schemars(skip_serializing_if = "String::is_empty")]
    pub services: String,
    /// The applications that use the key; only if the inventory has them.
    #[schemars(skip_serializing_if = "String::is_empty")]
    pub applications: String,
    /// Who owns the key; only if the inventory has it.
    #[schemars(skip_serializing_if = "String::is_empty")]
    pub owner: String,
    /// When the key may be migrated, as it was written; only if the inventory has it.
    #[schemars(skip_serializing_if = "String::is_empty")]
    pub migration_window: String,
    /// How often the key rotates, as it was written; only if the inventory has it.
    #[schemars(skip_serializing_if = "String::is_empty")]
    pub rotation_interval: String,
    /// The address of the key in Terraform; only if a state or plan of it was read.
    #[schemars(skip_serializing_if = "String::is_empty")]
    pub terraform_address: String,
    /// About what records disagree.
    pub conflicts: Vec<KeyConflict>,
    /// Where the records of the key stand.
    pub origins: Vec<Origin>,
    /// What audit logs tell of the key; only with --usage or --events.
    #[schemars(skip_serializing_if = "UsageEvidence::is_none")]
    pub usage_evidence: UsageEvidence,
    /// Columns that no field takes; only with --keep-columns.
    #[schemars(skip_serializing_if = "Texts::is_none")]
    pub columns: Texts,
}

/// From what the deadline is known.
#[derive(Debug, JsonSchema)]
pub enum DeadlineBasis {
    /// The inventory says it.
    #[schemars(rename = "next_rotation")]
    Stated,
    /// It was computed.
    #[schemars(rename = "created + rotation_interval")]
    Computed,
}

/// About what records of a key disagree.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "Conflict")]
pub struct KeyConflict {
    /// The fact.
    pub fact: FactNameOf<Keys>,
    /// What each record says.
    pub said: Vec<Said>,
}

/// What one record says.
#[derive(Debug, JsonSchema)]
pub struct Said {
    /// The value.
    pub value: String,
    /// Where it stands.
    pub at: String,
}

/// Where a record stands.
#[derive(Debug, JsonSchema)]
pub struct Origin {
    /// The file.
    pub file: String,
    /// The line on which the record begins.
    #[schemars(range(min = 1))]
    pub line: u64,
}
