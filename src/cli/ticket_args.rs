//! The arguments of `ticket`.

use std::path::PathBuf;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

use super::args::{Language, Talk, size};
use super::submit_args::Submit;
use crate::ticket::payload::Tracker;

pub(super) const TICKET_EXAMPLES: &str = "\
Examples:
  cmkdiag ticket plan.json --tracker alibaba --config tickets.toml -o tickets/
  cmkdiag ticket plan.json --tracker jira-cloud --config tickets.toml
  cmkdiag ticket plan.json --tracker email --lang zh --config tickets.toml -o mail/
  cmkdiag ticket plan.json --tracker markdown";

/// `ticket`.
#[derive(Debug, Args)]
pub struct Ticket {
    /// The plan, as JSON; `-` is standard input
    #[arg(value_name = "PLAN")]
    pub plan: PathBuf,
    /// Where tickets go
    #[arg(long, value_enum)]
    pub tracker: Tracker,
    /// Language of the tickets
    #[arg(long, value_enum, default_value_t = Language::En)]
    pub lang: Language,
    /// The tracker's own words, such as project, queue or category: TOML, a section for each tracker
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Read at most so much of the plan, such as 500MB or 2GiB
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "1GiB")]
    pub max_input: u64,
    /// Write each ticket to a file of this folder, which is made if need be [default: standard output]
    #[arg(long, short, value_name = "DIR", help_heading = "Output")]
    pub output: Option<PathBuf>,
    /// Whether and how they are sent
    #[command(flatten)]
    pub submit: Submit,
    /// What is said on the way
    #[command(flatten)]
    pub talk: Talk,
}

impl ValueEnum for Tracker {
    fn value_variants<'a>() -> &'a [Tracker] {
        &Tracker::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let about = match self {
            Tracker::Alibaba => "Alibaba Cloud, CreateTicket of Workorder 2021-06-10",
            Tracker::ServicenowChange => "ServiceNow, table change_request",
            Tracker::ServicenowIncident => "ServiceNow, table incident",
            Tracker::JiraCloud => "Jira Cloud, REST API v3",
            Tracker::JiraDc => "Jira Data Center, REST API v2",
            Tracker::Zendesk => "Zendesk, tickets.json",
            Tracker::Github => "Issues of GitHub",
            Tracker::Gitlab => "Issues of GitLab",
            Tracker::Rt => "Request Tracker 5, REST2",
            Tracker::Roundup => "Roundup, REST",
            Tracker::Email => "Messages as files (.eml)",
            Tracker::Markdown => "Text for people",
        };
        Some(PossibleValue::new(self.name()).help(about))
    }
}
