//! The arguments with which `ticket` sends what it writes, and what they do.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::ticket::payload::{Payload, Tracker};
use crate::ticket::submit::{self, Intent, Settings, SubmitError, Target};

use super::exit::Exit;
use super::output::say;
use super::run::Failure;
use super::whole::shown;

/// What stands below the help of `ticket`.
pub const SUBMIT_HELP: &str = "\
Submission:
  --submit says what would be sent where; with --yes it is sent, each ticket exactly once.
  Addresses and credentials come from the environment, or from a file of the same names (NAME = \"value\") that only
  its owner can read: the one that CMKDIAG_TRACKERS names, or ~/.config/cmkdiag/trackers.toml.
    alibaba       as for the aliyun command line; CMKDIAG_ALIBABA_REGION, CMKDIAG_ALIBABA_ENDPOINT
    servicenow-*  CMKDIAG_SERVICENOW_URL; SERVICENOW_TOKEN, SERVICENOW_API_KEY, or SERVICENOW_USERNAME and _PASSWORD
    jira-cloud    CMKDIAG_JIRA_URL, CMKDIAG_JIRA_USER, CMKDIAG_JIRA_TOKEN
    jira-dc       CMKDIAG_JIRA_URL, CMKDIAG_JIRA_TOKEN
    zendesk       CMKDIAG_ZENDESK_URL, CMKDIAG_ZENDESK_TOKEN; CMKDIAG_ZENDESK_USER if it is an API token
    github        CMKDIAG_GITHUB_REPOSITORY (owner/name), CMKDIAG_GITHUB_TOKEN; CMKDIAG_GITHUB_URL
    gitlab        CMKDIAG_GITLAB_PROJECT, CMKDIAG_GITLAB_TOKEN; CMKDIAG_GITLAB_URL
    rt            CMKDIAG_RT_URL; CMKDIAG_RT_TOKEN, or CMKDIAG_RT_USER and CMKDIAG_RT_PASSWORD
    roundup       CMKDIAG_ROUNDUP_URL, CMKDIAG_ROUNDUP_USER, CMKDIAG_ROUNDUP_PASSWORD";

/// Whether and how tickets are sent.
#[derive(Debug, Args, Default)]
#[command(next_help_heading = "Submission")]
pub struct Submit {
    /// Say what would be sent where; nothing is sent without --yes
    #[arg(long)]
    pub submit: bool,
    /// Send it
    #[arg(long, requires = "submit")]
    pub yes: bool,
    /// Send also what names keys that the ledger knows from tickets of earlier plans: it takes the place of those
    #[arg(long, requires = "submit")]
    pub supersede: bool,
    /// What was sent, as JSON Lines; keep it, and give the same every time [default: the plan's name with .ledger.jsonl]
    #[arg(long, value_name = "FILE", requires = "submit")]
    pub ledger: Option<PathBuf>,
}

impl Submit {
    /// Sends the tickets of a plan, or says what would be sent.
    ///
    /// # Errors
    /// Nothing can be sent. What became of each ticket is said, and the exit code tells whether all is done.
    pub fn run(&self, plan: &Path, tracker: Tracker, payloads: &[Payload]) -> Result<Exit, Failure> {
        let ledger = match &self.ledger {
            Some(path) => path.clone(),
            None if plan.as_os_str() == "-" => {
                let message = "a plan from standard input has no place for its ledger; name one with --ledger FILE";
                return Err(Failure::Usage(message.to_owned()));
            }
            None => plan.with_extension("ledger.jsonl"),
        };
        let environment = |name: &str| std::env::var(name).ok();
        let settings = Settings::load(&environment).map_err(failure)?;
        let target = Target::from_settings(tracker, &settings).map_err(failure)?;
        if self.ledger.is_none() && !ledger.exists() {
            say(&format!(
                "note: {} is new; if keys of this plan were sent for an earlier one, give its ledger with --ledger",
                shown(&ledger)
            ));
        }
        let intent = Intent { yes: self.yes, supersede: self.supersede };
        let outcome = submit::run(payloads, &target, &ledger, intent, &mut |line| say(line)).map_err(failure)?;
        say(&outcome.summary());
        if !self.yes {
            say(match outcome.would_send() {
                true => "nothing was sent; --yes sends it",
                false => "nothing was sent, and --yes would send nothing",
            });
        }
        Ok(if outcome.is_done() { Exit::Done } else { Exit::Failed })
    }
}

fn failure(error: SubmitError) -> Failure {
    match error {
        SubmitError::NotSendable { .. } | SubmitError::NotSet { .. } | SubmitError::Setting { .. } => {
            Failure::Usage(error.to_string())
        }
        _ => Failure::Failed(error.to_string()),
    }
}
