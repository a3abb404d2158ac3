//! What is to be done beside the tickets of a plan, and what is wrong with it, as `plan.json` has it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::model::Words;

/// What to ask technical support.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Consultation {
    /// The card of the action: `ask-support-about-language` or `ask-support-about-location`.
    pub rule: String,
    /// `sha256:` and the digest of what a ticket says of it.
    pub digest: String,
    /// What it is about.
    pub title: Words,
    /// The request.
    pub request: Words,
    /// Where the request comes from.
    pub source: Vec<SourceName>,
    /// The account; null if the inventory does not say.
    pub account_id: Option<String>,
    /// The keys, by region and id.
    pub keys: Vec<ConsultedKey>,
}

/// A key about which technical support is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConsultedKey {
    /// The id.
    pub key_id: String,
    /// The region; empty if the inventory does not say.
    pub region: String,
    /// What is in the way, in the words of the inventory or the logs: the languages, the networks.
    pub found: String,
    /// The applications that use it.
    pub applications: Vec<String>,
    /// Whether this is all that is in the way.
    pub only_obstacle: bool,
}

/// The names of the lists of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ListName {
    /// Automatic rotation to disable before, and to restore after the migration.
    DisableRotation,
    /// Operations that applications must no longer call.
    StopOperations,
    /// Applications to port, or about whose language support is to be asked.
    Languages,
    /// Applications to move into a VPC, or about whose location support is to be asked.
    Locations,
    /// Keys for which there is no path.
    NoPath,
    /// Applications to change within the time that begins with the migration of their keys.
    ChangeApplications,
    /// Resources of Terraform that must be kept from undoing the migration.
    Terraform,
    /// Evidence that is missing, with the command that brings it.
    Evidence,
    /// Keys that could be migrated and stand in no batch.
    LeftOut,
}

impl ListName {
    /// All of them, in order.
    pub const ALL: [ListName; 9] = [
        ListName::DisableRotation,
        ListName::StopOperations,
        ListName::Languages,
        ListName::Locations,
        ListName::NoPath,
        ListName::ChangeApplications,
        ListName::Terraform,
        ListName::Evidence,
        ListName::LeftOut,
    ];
}

/// A list of work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Worklist {
    /// Its name.
    pub name: ListName,
    /// What is to be done, each with its rows.
    pub items: Vec<WorkItem>,
}

/// What is to be done with keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WorkItem {
    /// The card that asks for it, or the fact that is missing.
    pub rule: String,
    /// What it is about.
    pub title: Words,
    /// What to do.
    pub what: Words,
    /// Where that comes from.
    pub source: Vec<SourceName>,
    /// The keys, or applications or resources, in order of due date, account, region and id.
    pub rows: Vec<WorkRow>,
}

/// A document and its section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SourceName {
    /// The document.
    pub document: String,
    /// The section.
    pub section: String,
    /// Where it is; null if it has no address.
    pub url: Option<String>,
}

/// A row of a list of work.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct WorkRow {
    /// The key; empty if the row is about no single key.
    pub key_id: String,
    /// The account; empty if the inventory does not say.
    pub account_id: String,
    /// The region; empty if the inventory does not say.
    pub region: String,
    /// The owner; empty if the inventory does not say.
    pub owner: String,
    /// The applications, or the one that the row is about.
    pub applications: Vec<String>,
    /// The batch; empty if there is none.
    pub batch: String,
    /// The date or moment until when; empty if there is none.
    pub due: String,
    /// The command to run; empty if there is none.
    pub command: String,
    /// The command to run afterwards, such as to restore the rotation; empty if there is none.
    pub command_after: String,
    /// What was found, in the words of inventory and logs; empty if there is nothing to add.
    pub found: String,
}

/// Actions that free keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unlock {
    /// The cards of the actions, all of which are needed.
    pub actions: Vec<String>,
    /// What they are.
    pub title: Words,
    /// How many keys become migratable if all of them are done, and nothing else.
    pub keys: u64,
}

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// No ticket is written for the batch.
    Error,
    /// Somebody should look at it.
    Warning,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// How bad.
    pub severity: Severity,
    /// The batch; null if it is about no single batch.
    pub batch: Option<String>,
    /// What, and what to do.
    pub text: Words,
    /// The keys, by id.
    pub keys: Vec<String>,
}
