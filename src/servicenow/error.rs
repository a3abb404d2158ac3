//! Why an instance cannot be read, and what to do about it.

use std::fmt;

/// Why an instance cannot be read. No variant holds a secret, or a text that was not cleaned.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// The address cannot be used.
    #[error(
        "the address of the instance cannot be used: {problem}; expected a name or a host, such as prod, \
         prod.service-now.com or https://prod.service-now.com"
    )]
    Address {
        /// What is wrong with it, without the address.
        problem: String,
    },
    /// The environment says nothing.
    #[error(
        "there are no credentials for {instance}: set SERVICENOW_TOKEN_{label}, SERVICENOW_API_KEY_{label}, or \
         SERVICENOW_USERNAME_{label} and SERVICENOW_PASSWORD_{label}; without _{label} they are for every instance: \
         SERVICENOW_TOKEN, SERVICENOW_API_KEY, or SERVICENOW_USERNAME and SERVICENOW_PASSWORD"
    )]
    NoCredentials {
        /// The instance.
        instance: String,
        /// How it is called in the names of variables.
        label: String,
    },
    /// The environment says too much.
    #[error("{variables}: these are several kinds of credentials; expected one, so unset the others")]
    SeveralKinds {
        /// The variables that are set.
        variables: String,
    },
    /// Only half of a pair is there.
    #[error("{set} is set, but {missing} is not; set both, or neither")]
    HalfAPair {
        /// The variable that is set.
        set: String,
        /// The variable that is missing.
        missing: String,
    },
    /// A value does not fit into a header.
    #[error("{variable} holds what cannot be sent: {why}; set it again without that")]
    Unsendable {
        /// The variables.
        variable: String,
        /// What in their values is in the way.
        why: &'static str,
    },
    /// Nothing can be called from here.
    #[error("no call can be prepared: {reason}; check the certificates and the limits of this machine")]
    Start {
        /// What failed.
        reason: String,
    },
    /// No whole answer came.
    #[error("{place}: {reason}; {hint}")]
    Unreachable {
        /// Instance and table.
        place: String,
        /// What happened.
        reason: String,
        /// What to do.
        hint: &'static str,
    },
    /// The instance points elsewhere; its pointer is not followed, as the credentials would go with it.
    #[error(
        "{place}: expected an answer, but the instance points to {to} ({status}), which is not followed; give the \
         address of the instance itself, and credentials that need no login page"
    )]
    Redirected {
        /// Instance and table.
        place: String,
        /// The status of the answer.
        status: u16,
        /// The host to which it points.
        to: String,
    },
    /// 401: the credentials do not do.
    #[error("{place}: the instance does not accept {variables} (401){said}; {hint}")]
    Unauthorized {
        /// Instance and table.
        place: String,
        /// Where the credentials come from.
        variables: String,
        /// The instance's words.
        said: Said,
        /// What to do.
        hint: &'static str,
    },
    /// 403: the user may not read the table.
    #[error("{place}: the user of {variables} may not read it (403){said}; have a role granted that reads this table")]
    Forbidden {
        /// Instance and table.
        place: String,
        /// Where the credentials come from.
        variables: String,
        /// The instance's words.
        said: Said,
    },
    /// 404: there is no such table, or it is hidden.
    #[error(
        "{place}: not there, or hidden from the user of {variables} (404){said}; check that the address is an \
         instance, and that the user may use its Table API"
    )]
    NotFound {
        /// Instance and table.
        place: String,
        /// Where the credentials come from.
        variables: String,
        /// The instance's words.
        said: Said,
    },
    /// 429: the instance limits how often it is asked.
    #[error("{place}: asked {tries} time(s), and the instance wants to be left alone (429); try again {when}")]
    TooManyRequests {
        /// Instance and table.
        place: String,
        /// How often it was asked.
        tries: u32,
        /// When it may be asked again.
        when: When,
    },
    /// 5xx: the instance cannot answer now.
    #[error("{place}: the instance cannot answer now ({status}){said}; try again later")]
    Unavailable {
        /// Instance and table.
        place: String,
        /// The status of the answer.
        status: u16,
        /// The instance's words.
        said: Said,
    },
    /// Any other status than 200.
    #[error("{place}: expected 200, but the instance answered {status}{said}; check that the address is an instance")]
    Status {
        /// Instance and table.
        place: String,
        /// The status of the answer.
        status: u16,
        /// The instance's words.
        said: Said,
    },
    /// The answer is an error, whatever its status says.
    #[error("{place}: the instance answered with an error{said}; {hint}")]
    Failure {
        /// Instance and table.
        place: String,
        /// The instance's words.
        said: Said,
        /// What to do.
        hint: &'static str,
    },
    /// The answer is no list of rows.
    #[error("{place}: expected a JSON object with a list `result`, but got {got}")]
    NotRows {
        /// Instance and table.
        place: String,
        /// What came instead, and what to do.
        got: &'static str,
    },
    /// The answer is longer than any that was asked for.
    #[error("{place}: the answer is longer than {most} bytes and was not read; check that the address is an instance")]
    TooLong {
        /// Instance and table.
        place: String,
        /// How many bytes are read at most.
        most: usize,
    },
}

/// What a server gave as its reason, cleaned; nothing if it gave none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said(pub Option<String>);

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(text) => write!(f, ", saying \"{text}\""),
            None => Ok(()),
        }
    }
}

/// When a server may be asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// After so many seconds.
    Seconds(u64),
    /// It did not say.
    Unsaid,
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            When::Seconds(seconds) => write!(f, "in {seconds} s"),
            When::Unsaid => f.write_str("later; it did not say when, and its limits count by the hour"),
        }
    }
}
