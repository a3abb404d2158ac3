//! One call: a client that follows no redirect and keeps no cookie, and an answer, or why there is none. The difference
//! that matters to whoever writes is whether anything may have reached the other side.

use std::error::Error as _;
use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, Response, Url, redirect};

use super::address::is_this_machine;

/// How long to wait for an answer, and how much of it to read.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For a connection.
    pub connect: Duration,
    /// For a whole answer.
    pub answer: Duration,
    /// How many bytes an answer may have.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { connect: Duration::from_secs(10), answer: Duration::from_secs(60), bytes: 4 << 20 }
    }
}

/// A client for calls of one address.
///
/// # Errors
/// The certificates or the limits of this machine do not allow any call.
pub fn client(address: &Url, limits: Limits) -> Result<Client, String> {
    let mut builder = Client::builder()
        .user_agent(concat!("cmkdiag/", env!("CARGO_PKG_VERSION")))
        // The headers with the credentials would go along.
        .redirect(redirect::Policy::none())
        // A connection that was kept may be closed by the other side just when a request is written.
        .pool_max_idle_per_host(0)
        .https_only(address.scheme() == "https")
        .connect_timeout(limits.connect)
        .timeout(limits.answer);
    if address.host_str().is_some_and(is_this_machine) {
        // A proxy would look for it on its own machine, and may see the credentials in the clear.
        builder = builder.no_proxy();
    }
    builder.build().map_err(|error| innermost(&error))
}

/// An answer, whatever its status is.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Vec<u8>,
}

/// Why no whole answer came. The reasons hold no secret of ours: they are words of libraries and of the system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoAnswer {
    /// There was no connection, so that nothing was sent.
    NotSent(String),
    /// What was sent may have arrived, and may have been acted on.
    Lost(String),
}

/// Sends a request and reads the whole answer.
///
/// # Errors
/// No whole answer came, or one that is longer than the limits allow.
pub async fn send(request: RequestBuilder, limits: Limits) -> Result<Answer, NoAnswer> {
    let mut response = request.send().await.map_err(|error| no_answer(&error, limits))?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = body(&mut response, limits.bytes).await.map_err(|error| match error {
        NoBody::Broken(error) => match no_answer(&error, limits) {
            NoAnswer::NotSent(reason) | NoAnswer::Lost(reason) => NoAnswer::Lost(reason),
        },
        NoBody::TooLong => NoAnswer::Lost(format!("the answer is longer than {} bytes and was not read", limits.bytes)),
    })?;
    Ok(Answer { status, headers, body })
}

fn no_answer(error: &reqwest::Error, limits: Limits) -> NoAnswer {
    let hint = hint(error);
    if error.is_timeout() && error.is_connect() {
        return NoAnswer::NotSent(format!("no connection within {} s{hint}", limits.connect.as_secs_f32()));
    }
    if error.is_timeout() {
        return NoAnswer::Lost(format!("no whole answer within {} s", limits.answer.as_secs_f32()));
    }
    let reason = format!("{}{hint}", innermost(error));
    // A request that could not even be built was not sent either.
    if error.is_connect() || error.is_builder() { NoAnswer::NotSent(reason) } else { NoAnswer::Lost(reason) }
}

fn hint(error: &reqwest::Error) -> &'static str {
    if innermost(error).contains("certificate") {
        CERTIFICATE_HINT
    } else if error.is_connect() {
        CONNECT_HINT
    } else {
        ""
    }
}

const CONNECT_HINT: &str = "; check the address, the network, and the proxy (HTTPS_PROXY, NO_PROXY)";

const CERTIFICATE_HINT: &str = "; if your company inspects traffic, its root certificate must be among those that this \
     machine trusts, or in the file that SSL_CERT_FILE names";

/// Why a body could not be read.
#[derive(Debug)]
pub enum NoBody {
    /// It is longer than it may be.
    TooLong,
    /// The connection broke.
    Broken(reqwest::Error),
}

/// The whole body of an answer, unless it has more bytes than `most`.
///
/// # Errors
/// It is too long, or does not come.
pub async fn body(response: &mut Response, most: usize) -> Result<Vec<u8>, NoBody> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(NoBody::Broken)? {
        if body.len() + chunk.len() > most {
            return Err(NoBody::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The seconds that a server wants to be left alone, if it says them as a number.
pub fn retry_after(headers: &HeaderMap) -> Option<u64> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()
}

/// The innermost reason of an error; the outer ones repeat the address.
pub fn innermost(error: &reqwest::Error) -> String {
    let mut reason = error.source();
    while let Some(inner) = reason.and_then(std::error::Error::source) {
        reason = Some(inner);
    }
    reason.map_or_else(|| "it failed without a reason".to_owned(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use reqwest::header::HeaderValue;

    use super::super::server::{Answer as Scripted, Server};
    use super::*;

    fn get(address: &str, limits: Limits) -> Result<Answer, NoAnswer> {
        let url = Url::parse(address).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(send(client(&url, limits).unwrap().get(url), limits))
    }

    #[test]
    fn whether_anything_was_sent_is_told() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let gone = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        assert!(matches!(get(&gone, Limits::default()), Err(NoAnswer::NotSent(why)) if why.contains("refused")));

        let server = Server::start(vec![
            Scripted::hang_up(),
            Scripted::new(200, "slow").after(Duration::from_millis(400)),
            Scripted::new(200, vec![b' '; 1001]),
            Scripted::new(201, "made"),
        ]);
        let short = Limits { answer: Duration::from_millis(100), bytes: 1000, ..Limits::default() };
        assert!(matches!(get(&server.base(), Limits::default()), Err(NoAnswer::Lost(_))));
        assert!(matches!(get(&server.base(), short), Err(NoAnswer::Lost(why)) if why.contains("within 0.1 s")));
        std::thread::sleep(Duration::from_millis(400));
        let long = Limits { bytes: 1000, ..Limits::default() };
        assert!(matches!(get(&server.base(), long), Err(NoAnswer::Lost(why)) if why.contains("longer than 1000")));
        let answer = get(&server.base(), long).unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (201, b"made".as_slice()));
    }

    #[test]
    fn only_whole_seconds_are_waited_for() {
        for (text, seconds) in [
            ("0", Some(0)),
            (" 12 ", Some(12)),
            ("-1", None),
            ("1.5", None),
            ("Fri, 31 Dec 1999 23:59:59 GMT", None),
            ("99999999999999999999999", None),
        ] {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_str(text).unwrap())]);
            assert_eq!(retry_after(&headers), seconds, "{text}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }
}
