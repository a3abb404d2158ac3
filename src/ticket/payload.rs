//! What every tracker gets: a title, a body in its own form, and a mark by which the ticket is found again.

use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// Where tickets go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tracker {
    /// Alibaba Cloud, Workorder 2021-06-10, `CreateTicket`.
    Alibaba,
    /// ServiceNow, table `change_request`.
    ServicenowChange,
    /// ServiceNow, table `incident`.
    ServicenowIncident,
    /// Jira Cloud, REST API v3, with a description in the Atlassian Document Format.
    JiraCloud,
    /// Jira Data Center, REST API v2, with a description in wiki markup.
    JiraDc,
    /// Zendesk, `tickets.json`.
    Zendesk,
    /// Issues of a GitHub repository.
    Github,
    /// Issues of a GitLab project.
    Gitlab,
    /// Request Tracker 5, REST2.
    Rt,
    /// Roundup, REST.
    Roundup,
    /// A message as a file (RFC 5322).
    Email,
    /// Text for people.
    Markdown,
}

impl Tracker {
    /// All of them.
    pub const ALL: [Tracker; 12] = [
        Tracker::Alibaba,
        Tracker::ServicenowChange,
        Tracker::ServicenowIncident,
        Tracker::JiraCloud,
        Tracker::JiraDc,
        Tracker::Zendesk,
        Tracker::Github,
        Tracker::Gitlab,
        Tracker::Rt,
        Tracker::Roundup,
        Tracker::Email,
        Tracker::Markdown,
    ];

    /// The word for arguments and outputs.
    pub fn name(self) -> &'static str {
        match self {
            Tracker::Alibaba => "alibaba",
            Tracker::ServicenowChange => "servicenow-change",
            Tracker::ServicenowIncident => "servicenow-incident",
            Tracker::JiraCloud => "jira-cloud",
            Tracker::JiraDc => "jira-dc",
            Tracker::Zendesk => "zendesk",
            Tracker::Github => "github",
            Tracker::Gitlab => "gitlab",
            Tracker::Rt => "rt",
            Tracker::Roundup => "roundup",
            Tracker::Email => "email",
            Tracker::Markdown => "markdown",
        }
    }
}

/// By what a ticket is found again: what it is about, and which part of it where a tracker's limits ask for several.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark {
    /// The digest of the batch or consultation, `sha256:…`.
    pub digest: String,
    /// Which part, from 1.
    pub part: u32,
    /// How many parts there are.
    pub parts: u32,
}

impl Mark {
    /// The line that stands in the text of every ticket: `cmk-plan: sha256:…`, and the part if there are several.
    pub fn line(&self) -> String {
        match self.parts {
            0 | 1 => format!("cmk-plan: {}", self.digest),
            parts => format!("cmk-plan: {} part {} of {parts}", self.digest, self.part),
        }
    }

    /// The mark of all parts together.
    pub fn whole(&self) -> Mark {
        Mark { digest: self.digest.clone(), part: 1, parts: 1 }
    }

    /// A word for labels and fields: `cmk-` and 20 hexadecimal digits, and behind them `-2-of-3` if there are several parts.
    /// The labels of all parts begin with that of the whole, so that a search for it finds them, however many there are.
    pub fn label(&self) -> String {
        let digest = Sha256::digest(format!("cmk-plan: {}", self.digest).as_bytes());
        let hex: String = digest.iter().take(10).map(|byte| format!("{byte:02x}")).collect();
        match self.parts {
            0 | 1 => format!("cmk-{hex}"),
            parts => format!("cmk-{hex}-{}-of-{parts}", self.part),
        }
    }

    /// The labels for trackers that search for whole ones only: that of the whole, and that of the part if it is another.
    pub fn labels(&self) -> Vec<String> {
        let mut labels = vec![self.whole().label(), self.label()];
        labels.dedup();
        labels
    }
}

/// The body of a ticket, in the form of its tracker.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// The body of a request as JSON.
    Json(Value),
    /// The parameters of a request, for a form.
    Form(Vec<(String, String)>),
    /// A whole file: a message, or text.
    Text(String),
}

/// One ticket.
#[derive(Debug, Clone, PartialEq)]
pub struct Payload {
    /// Where it goes.
    pub tracker: Tracker,
    /// Its name, unique among the tickets of a plan, fit for a file: letters, digits, `-` and `.`.
    pub name: String,
    /// By what it is found again.
    pub mark: Mark,
    /// Its title.
    pub title: String,
    /// Its body.
    pub body: Body,
    /// What it is about: two tickets about the same that name the same key ask for the same twice.
    pub matter: Matter,
}

/// What a ticket is about; the same stands in its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matter {
    /// What is asked for: [`MIGRATION`], or the rule of the consultation.
    pub about: String,
    /// The ids of the keys that it names.
    pub keys: Vec<String>,
    /// The account of Alibaba Cloud to which the keys belong, if that is known.
    pub account: Option<String>,
    /// When the window begins, if it has one.
    pub begins: Option<Timestamp>,
}

/// What the tickets of batches ask for.
pub const MIGRATION: &str = "migration";
