//! One call of a tracker that speaks JSON over HTTP, and what its answer means for whoever writes.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, RequestBuilder, Url};
use serde_json::Value;

use super::error::{SubmitError, Trouble};
use super::look::Ticket;
use crate::http::{Address, Answer, Limits, NoAnswer, Secrets, call};

/// A tracker, called in one name.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) address: Address,
    client: Client,
    headers: HeaderMap,
    secrets: Secrets,
    limits: Limits,
}

impl Site {
    /// # Errors
    /// The certificates or the limits of this machine do not allow any call.
    pub(super) fn new(
        address: Address,
        own: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
        secrets: Secrets,
        limits: Limits,
    ) -> Result<Site, SubmitError> {
        let client = call::client(address.url(), limits).map_err(|reason| SubmitError::Start { reason })?;
        let mut headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
        headers.extend(own);
        Ok(Site { address, client, headers, secrets, limits })
    }

    /// The address of something, with a query.
    pub(super) fn below(&self, segments: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.address.below(segments);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// What stands at an address.
    ///
    /// # Errors
    /// It cannot be read; nothing was changed.
    pub(super) async fn get(&self, url: Url) -> Result<Value, Trouble> {
        self.json(self.client.get(url)).await
    }

    /// Sends something, once.
    ///
    /// # Errors
    /// See [`Trouble`]: it may have arrived.
    pub(super) async fn post(&self, url: Url, body: &Value, more: HeaderMap) -> Result<Value, Trouble> {
        let request = self.client.post(url).header(CONTENT_TYPE, "application/json").headers(more);
        self.json(request.body(body.to_string())).await
    }

    /// Takes something away.
    ///
    /// # Errors
    /// See [`Trouble`]: it may be gone.
    pub(super) async fn delete(&self, url: Url, more: HeaderMap) -> Result<Value, Trouble> {
        self.json(self.client.delete(url).headers(more)).await
    }

    async fn json(&self, request: RequestBuilder) -> Result<Value, Trouble> {
        match call::send(request.headers(self.headers.clone()), self.limits).await {
            Ok(answer) => self.judged(&answer),
            Err(NoAnswer::NotSent(why)) => Err(Trouble::NotSent(self.secrets.shown(&why))),
            Err(NoAnswer::Lost(why)) => Err(Trouble::Lost(self.secrets.shown(&why))),
        }
    }

    fn judged(&self, answer: &Answer) -> Result<Value, Trouble> {
        let told = self.told(answer);
        let wait = call::retry_after(&answer.headers).or_else(|| limit_resets(&answer.headers));
        match answer.status {
            200..=299 => {
                serde_json::from_slice(&answer.body).map_err(|_| Trouble::Lost(format!("no JSON came: {told}")))
            }
            429 => Err(Trouble::Later(wait, told)),
            // GitHub limits the creation of content so.
            403 if wait.is_some() => Err(Trouble::Later(wait, told)),
            // Some answer so when they have done what they were asked to.
            300..=399 => Err(Trouble::Lost(format!(
                "{told}: it points elsewhere, which is not followed; give the address of the tracker itself, and \
                 credentials that need no login page"
            ))),
            401 => Err(Trouble::RefusedAll(format!("{told}: it does not accept the credentials"))),
            403 => Err(Trouble::RefusedAll(format!("{told}: the user may not do this"))),
            404 | 410 => Err(Trouble::RefusedAll(format!("{told}: not there, or hidden; check address and project"))),
            400 | 402 | 405 | 406 | 411..=415 | 422 => Err(Trouble::Refused(told)),
            // Some of these come of what stands between, when the tracker may have done it.
            _ => Err(Trouble::Lost(told)),
        }
    }

    /// A ticket whose id and address, which a tracker may fill with what it was sent, show no secret.
    pub(super) fn cleaned(&self, mut ticket: Ticket) -> Ticket {
        ticket.id = self.secrets.shown(&ticket.id);
        ticket.url = ticket.url.filter(|url| self.secrets.shown(url) == *url);
        ticket
    }

    /// The status and the words of an answer.
    fn told(&self, answer: &Answer) -> String {
        let text = String::from_utf8_lossy(&answer.body);
        match text.trim() {
            "" => format!("it answered {}", answer.status),
            page if page.starts_with('<') => format!("it answered {} with a web page", answer.status),
            words => format!("it answered {}: {}", answer.status, self.secrets.shown(words)),
        }
    }
}

/// In how many seconds a limit of GitHub that is used up begins again; it does not always say `Retry-After`.
fn limit_resets(headers: &HeaderMap) -> Option<u64> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<i64>().ok();
    number("x-ratelimit-remaining").filter(|left| *left == 0)?;
    let seconds = number("x-ratelimit-reset")?.saturating_sub(Timestamp::now().as_second());
    // Its clock and ours may differ.
    Some(u64::try_from(seconds).unwrap_or(0) + 1)
}

/// How long to wait for what.
#[derive(Debug, Clone)]
pub(super) struct Patience {
    /// Limits of one call.
    pub(super) limits: Limits,
    /// How often the same is tried in all, where that is safe.
    pub(super) tries: u32,
    /// Before it is tried again if nobody says how long; doubled each time.
    pub(super) pause: Duration,
    /// The longest that a tracker may ask to be left alone; if it wants more, it is not asked again.
    pub(super) longest_pause: Duration,
    /// When to look for a ticket after no answer came, each counted from the one before. A tracker may still be busy with
    /// it, and its search may lag behind.
    pub(super) looks: Vec<Duration>,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            limits: Limits::default(),
            tries: 4,
            pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(90),
            looks: [2, 4, 8, 16, 30].map(Duration::from_secs).to_vec(),
        }
    }
}

impl Patience {
    /// So long after a call has ended, a tracker that does not have a ticket will not have it any more.
    pub(super) fn settled(&self) -> Duration {
        self.looks.iter().sum()
    }

    /// The same after a call has begun.
    pub(super) fn settled_since_begin(&self) -> Duration {
        self.limits.answer + self.settled()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_is_used_up_says_when_it_begins_again() {
        let headers = |left: &str, seconds: i64| {
            let reset = (Timestamp::now().as_second() + seconds).to_string();
            HeaderMap::from_iter(
                [("x-ratelimit-remaining", left.to_owned()), ("x-ratelimit-reset", reset)]
                    .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(&value).unwrap())),
            )
        };
        assert!(matches!(limit_resets(&headers("0", 40)), Some(40 | 41)));
        assert_eq!(limit_resets(&headers("0", -40)), Some(1));
        assert_eq!((limit_resets(&headers("1", 40)), limit_resets(&HeaderMap::new())), (None, None));
    }
}
