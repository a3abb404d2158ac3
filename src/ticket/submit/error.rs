//! Why nothing can be submitted, and what goes wrong with one ticket. No variant holds a secret.

use crate::alibaba::CredentialsError;
use crate::servicenow::LiveError;

/// Why nothing can be submitted at all.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// Files are for people to send.
    #[error("{tracker} tickets are files for people to send; leave --submit out, and send what was written")]
    NotSendable {
        /// The tracker.
        tracker: &'static str,
    },
    /// A setting is missing.
    #[error("{names} is not set: set it in the environment, or in the file that CMKDIAG_TRACKERS names; {what}")]
    NotSet {
        /// The variable, or variables.
        names: String,
        /// What it is.
        what: &'static str,
    },
    /// A setting cannot be used. Its value is not repeated.
    #[error("{name} cannot be used: {problem}")]
    Setting {
        /// The variable.
        name: String,
        /// What is wrong.
        problem: String,
    },
    /// The file of settings cannot be used.
    #[error("{path}: {problem}")]
    File {
        /// The file.
        path: String,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// There are no credentials for Alibaba Cloud.
    #[error(transparent)]
    Alibaba(#[from] CredentialsError),
    /// There are no credentials for ServiceNow, or its address is wrong.
    #[error(transparent)]
    Servicenow(#[from] LiveError),
    /// Nothing can be called from here.
    #[error("no call can be prepared: {reason}; check the certificates and the limits of this machine")]
    Start {
        /// What failed.
        reason: String,
    },
    /// Somebody else submits with the same ledger.
    #[error("{path}: another run is submitting with this ledger; wait until it has ended")]
    Busy {
        /// The ledger.
        path: String,
    },
    /// The ledger cannot be read or written.
    #[error("the ledger {path}: {problem}")]
    Ledger {
        /// The ledger.
        path: String,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// A ticket is for another tracker.
    #[error("the ticket {name} is made for {made}, not for {tracker}; make the tickets again with --tracker {tracker}")]
    OtherTracker {
        /// The ticket.
        name: String,
        /// What it is made for.
        made: &'static str,
        /// Where it should go.
        tracker: &'static str,
    },
}

/// What went wrong with a call about one ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Nothing was sent: there was no connection.
    NotSent(String),
    /// It was turned away because there were too many calls; the seconds to wait, if they were said.
    Later(Option<u64>, String),
    /// It was refused: this ticket only.
    Refused(String),
    /// It was refused, and every other ticket would be.
    RefusedAll(String),
    /// Nobody knows whether it was done.
    Lost(String),
}

impl Trouble {
    /// What happened, in words.
    pub(super) fn words(&self) -> &str {
        match self {
            Trouble::NotSent(why)
            | Trouble::Later(_, why)
            | Trouble::Refused(why)
            | Trouble::RefusedAll(why)
            | Trouble::Lost(why) => why,
        }
    }
}
