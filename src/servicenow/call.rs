//! One read of one table: asks, waits when it is told to, and takes the answer apart with suspicion.
//!
//! GET is the only method here. Redirects are not followed, cookies are not kept, and an answer has a longest length.

use std::time::Duration;

use reqwest::header::{ACCEPT, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Client, Response, StatusCode, Url};

use super::credentials::Credentials;
use super::error::{LiveError, Said, When};
use super::instance::Instance;
use super::table::{self, NoRows, Row};
use crate::http::Limits;
use crate::http::call::{self, NoBody, innermost};

/// How long to wait for what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// For a connection.
    pub(super) connect: Duration,
    /// For a whole answer. Instances cancel calls of tables after 60 s, and their own words are better than a timeout.
    pub(super) answer: Duration,
    /// Before asking again, if the instance wants it; if it wants more, it is not asked again.
    pub(super) pause: Duration,
    /// How often to ask in all.
    pub(super) tries: u32,
    /// How many bytes an answer may have.
    pub(super) bytes: usize,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            connect: Duration::from_secs(10),
            answer: Duration::from_secs(70),
            pause: Duration::from_secs(30),
            tries: 3,
            bytes: 4 << 20,
        }
    }
}

/// What is asked of a table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<'q> {
    /// The table.
    pub(super) table: &'static str,
    /// An encoded query of the platform.
    pub(super) query: &'q str,
    /// The fields, with commas between them.
    pub(super) fields: &'static str,
    /// How many rows are sent at most. The instance counts them before it hides any.
    pub(super) limit: u32,
}

/// Asks one instance in one name.
pub(super) struct Caller<'c> {
    client: Client,
    instance: &'c Instance,
    credentials: &'c Credentials,
    patience: Patience,
}

impl<'c> Caller<'c> {
    /// # Errors
    /// The certificates or the limits of this machine do not allow any call.
    pub(super) fn new(
        instance: &'c Instance,
        credentials: &'c Credentials,
        patience: Patience,
    ) -> Result<Caller<'c>, LiveError> {
        let limits = Limits { connect: patience.connect, answer: patience.answer, bytes: patience.bytes };
        let client = call::client(instance.base(), limits).map_err(|reason| LiveError::Start { reason })?;
        Ok(Caller { client, instance, credentials, patience })
    }

    /// The rows with which a table answers; whether they are those that were asked for is for the caller to see.
    ///
    /// # Errors
    /// No answer came, or one that is not a list of rows.
    pub(super) async fn rows(&self, question: Question<'_>) -> Result<Vec<Row>, LiveError> {
        let mut response = self.ask_patiently(question).await?;
        let body = self.body(&mut response, question).await;
        if response.status() != StatusCode::OK {
            let said = self.said(table::error_in(&body.unwrap_or_default()));
            return Err(self.refusal(&response, question, said));
        }
        table::rows(&body?).map_err(|why| self.no_rows(why, question))
    }

    /// Asks until the answer is another one than "not now", but not often and not for long.
    async fn ask_patiently(&self, question: Question<'_>) -> Result<Response, LiveError> {
        let mut tries = 1;
        loop {
            let response = self.ask(question).await?;
            if response.status() != StatusCode::TOO_MANY_REQUESTS {
                return Ok(response);
            }
            let when = call::retry_after(response.headers()).map_or(When::Unsaid, When::Seconds);
            match when {
                When::Seconds(seconds) if tries < self.patience.tries && seconds <= self.patience.pause.as_secs() => {
                    tokio::time::sleep(Duration::from_secs(seconds)).await;
                }
                _ => return Err(LiveError::TooManyRequests { place: self.place(question), tries, when }),
            }
            tries += 1;
        }
    }

    async fn ask(&self, question: Question<'_>) -> Result<Response, LiveError> {
        let (header, value) = self.credentials.header();
        let request = self
            .client
            .get(address(self.instance.base(), question))
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .header(header, value);
        request.send().await.map_err(|error| self.unreachable(&error, question))
    }

    /// The whole body, unless it is too long.
    async fn body(&self, response: &mut Response, question: Question<'_>) -> Result<Vec<u8>, LiveError> {
        let most = self.patience.bytes;
        call::body(response, most).await.map_err(|error| match error {
            NoBody::TooLong => LiveError::TooLong { place: self.place(question), most },
            NoBody::Broken(error) => self.unreachable(&error, question),
        })
    }

    fn place(&self, question: Question<'_>) -> String {
        format!("{}, table {}", self.instance.name(), question.table)
    }

    /// The server's words, fit to be shown.
    fn said(&self, words: Option<String>) -> Said {
        Said(words.map(|words| self.credentials.shown(&words)).filter(|words| !words.is_empty()))
    }

    /// The error for an answer that is not 200.
    fn refusal(&self, response: &Response, question: Question<'_>, said: Said) -> LiveError {
        let place = self.place(question);
        let variables = self.credentials.variables().to_owned();
        let status = response.status().as_u16();
        match status {
            300..=399 => LiveError::Redirected { place, status, to: self.target(response) },
            401 => LiveError::Unauthorized { place, variables, said, hint: unauthorized_hint(response.headers()) },
            403 => LiveError::Forbidden { place, variables, said },
            404 => LiveError::NotFound { place, variables, said },
            500..=599 => LiveError::Unavailable { place, status, said },
            _ => LiveError::Status { place, status, said },
        }
    }

    /// The host to which an answer points; the rest of its address may hold a ticket.
    fn target(&self, response: &Response) -> String {
        let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        let target = location.and_then(|location| self.instance.base().join(location).ok());
        match target.as_ref().and_then(Url::host_str) {
            Some(host) => self.credentials.shown(host),
            None => "an address that cannot be read".to_owned(),
        }
    }

    fn no_rows(&self, why: NoRows, question: Question<'_>) -> LiveError {
        let place = self.place(question);
        match why {
            NoRows::Else(got) => LiveError::NotRows { place, got },
            NoRows::Error(words) => {
                let hint = failure_hint(&words);
                LiveError::Failure { place, said: self.said(Some(words)), hint }
            }
        }
    }

    fn unreachable(&self, error: &reqwest::Error, question: Question<'_>) -> LiveError {
        let (patience, place) = (self.patience, self.place(question));
        if error.is_timeout() && error.is_connect() {
            let reason = format!("no connection within {} s", patience.connect.as_secs_f32());
            return LiveError::Unreachable { place, reason, hint: CONNECT_HINT };
        }
        if error.is_timeout() {
            let reason = format!("no whole answer within {} s", patience.answer.as_secs_f32());
            return LiveError::Unreachable { place, reason, hint: "try again when the instance is less busy" };
        }
        let reason = self.credentials.shown(&innermost(error));
        let hint = if reason.contains("certificate") {
            CERTIFICATE_HINT
        } else if error.is_connect() {
            CONNECT_HINT
        } else {
            "the connection broke, or what answers does not speak HTTP; try again"
        };
        LiveError::Unreachable { place, reason, hint }
    }
}

const CONNECT_HINT: &str = "check the name of the instance, the network, and the proxy (HTTPS_PROXY, NO_PROXY)";

const CERTIFICATE_HINT: &str = "if your company inspects traffic, its root certificate must be among those that this \
     machine trusts, or in the file that SSL_CERT_FILE names";

/// Why a 401: with a second factor, even the right password is refused.
fn unauthorized_hint(headers: &HeaderMap) -> &'static str {
    let factor = headers.get("x-mfa_token").and_then(|value| value.to_str().ok());
    if factor.is_some_and(|value| value.trim().eq_ignore_ascii_case("invalid")) {
        return "the instance asks this user for a second factor (MFA), which no password replaces; use an OAuth token, \
                or a user for integrations";
    }
    "check that they are set to what is valid now, and that the user may log in"
}

fn failure_hint(words: &str) -> &'static str {
    if words.to_lowercase().contains("maximum execution time") {
        return "instances cancel what takes more than 60 s; try again when this one is less busy";
    }
    "try again, or show this to the administrator of the instance"
}

/// The address of a question, with everything encoded that has a meaning of its own there.
fn address(base: &Url, question: Question<'_>) -> Url {
    let mut address = base.clone();
    address.set_path(&format!("/api/now/v2/table/{}", question.table));
    address
        .query_pairs_mut()
        .append_pair("sysparm_query", question.query)
        .append_pair("sysparm_fields", question.fields)
        .append_pair("sysparm_limit", &question.limit.to_string())
        .append_pair("sysparm_exclude_reference_link", "true");
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_encoded() {
        let question = Question { table: "t", query: "name=a^ORname=b&c", fields: "name,value", limit: 7 };
        let base = Url::parse("https://prod.service-now.com/").unwrap();
        assert_eq!(
            address(&base, question).as_str(),
            "https://prod.service-now.com/api/now/v2/table/t?sysparm_query=name%3Da%5EORname%3Db%26c\
             &sysparm_fields=name%2Cvalue&sysparm_limit=7&sysparm_exclude_reference_link=true"
        );
    }

    #[test]
    fn nothing_but_get_can_be_sent() {
        let code = [include_str!("call.rs"), include_str!("mod.rs")].map(|file| file.split("#[cfg(test)]").next());
        let code: String = code.into_iter().flatten().collect();
        assert_eq!(code.matches(".get(address(").count(), 1);
        for other in [".post(", ".put(", ".patch(", ".delete(", ".head(", ".request(", ".body(&[", "Method"] {
            assert!(!code.contains(other), "{other}");
        }
    }
}
