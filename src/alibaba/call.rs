//! One call of an API in RPC style: signed, sent once, and its answer taken apart with suspicion.
//!
//! Source: OpenAPI documentation, "V3 request structure and signature", and the error bodies of each API.

use std::hash::{BuildHasher as _, Hasher as _};

use jiff::Timestamp;
use reqwest::Client;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use super::credentials::Credentials;
use super::sign::{self, Unsigned};
use crate::http::address::is_this_machine;
use crate::http::{Address, Limits, NoAnswer, Secrets, call};

/// Where an API is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    address: Address,
    host: String,
}

impl Endpoint {
    /// A host such as `workorder.aliyuncs.com`; `http` does for this machine only.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Endpoint, String> {
        let address = Address::parse(text)?;
        if address.url().path() != "/" {
            return Err("it has a path".to_owned());
        }
        let host = address.url().host_str().unwrap_or_default();
        let host = address.url().port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        Ok(Endpoint { address, host })
    }

    /// The endpoint that a setting names: one of Alibaba Cloud, or on this machine. Whoever calls another one hands it
    /// requests that are signed and, with temporary keys, the token.
    ///
    /// # Errors
    /// What is wrong with it, without the text.
    pub fn given(text: &str) -> Result<Endpoint, String> {
        let endpoint = Endpoint::parse(text)?;
        let host = endpoint.address.url().host_str().unwrap_or_default();
        if is_of_service(host) || is_this_machine(host) {
            return Ok(endpoint);
        }
        Err("it is neither a host of a service, such as workorder.cn-hangzhou.aliyuncs.com, nor on this machine"
            .to_owned())
    }

    /// Whether it is on this machine.
    pub fn is_here(&self) -> bool {
        self.address.url().host_str().is_some_and(is_this_machine)
    }

    /// Scheme, host and port.
    pub fn name(&self) -> &str {
        self.address.name()
    }
}

/// One API, called in one name.
#[derive(Debug)]
pub struct Api {
    client: Client,
    endpoint: Endpoint,
    version: &'static str,
    credentials: Credentials,
    limits: Limits,
}

/// What is asked of an API; parameters stand where its documentation wants them.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// The operation, such as `ListKeys`.
    pub action: &'static str,
    /// Parameters of the query.
    pub query: Vec<(String, String)>,
    /// Parameters of the form; without any there is no body.
    pub form: Vec<(String, String)>,
}

/// Why a call gave no result. No variant holds a secret, or a text that was not cleaned.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Nothing can be called from here.
    #[error("no call can be prepared: {reason}; check the certificates and the limits of this machine")]
    Start {
        /// What failed.
        reason: String,
    },
    /// There was no connection: nothing was sent.
    #[error("{place}: {reason}")]
    NotSent {
        /// Endpoint and operation.
        place: String,
        /// What happened, and what to do.
        reason: String,
    },
    /// No whole answer came: the call may have happened.
    #[error("{place}: {reason}; whether the call happened is not known")]
    Lost {
        /// Endpoint and operation.
        place: String,
        /// What happened.
        reason: String,
    },
    /// The API refused, or failed.
    #[error("{place}: {}{} ({status}{}); {}", or_unsaid(code), colon(message), request(request_id), cause.hint())]
    Refused {
        /// Endpoint and operation.
        place: String,
        /// The status of HTTP.
        status: u16,
        /// The code of the API; empty if it gave none.
        code: String,
        /// Its words; empty if it gave none.
        message: String,
        /// The id by which technical support finds the call; empty if there is none.
        request_id: String,
        /// The seconds after which it may be called again, if it said so.
        retry_after: Option<u64>,
        /// What it is about.
        cause: Cause,
    },
    /// What came is no answer of this API.
    #[error("{place}: expected JSON with `Success`, but {got} ({status}); check the endpoint")]
    NoAnswer {
        /// Endpoint and operation.
        place: String,
        /// The status of HTTP.
        status: u16,
        /// What came.
        got: &'static str,
    },
}

fn or_unsaid(code: &str) -> &str {
    if code.is_empty() { "refused without a code" } else { code }
}

fn colon(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {message}") }
}

fn request(id: &str) -> String {
    if id.is_empty() { String::new() } else { format!(", request {id}") }
}

impl Api {
    /// An API of a version such as `2021-06-10`.
    ///
    /// # Errors
    /// The certificates or the limits of this machine do not allow any call.
    pub fn new(
        endpoint: Endpoint,
        version: &'static str,
        credentials: Credentials,
        limits: Limits,
    ) -> Result<Api, CallError> {
        let client = call::client(endpoint.address.url(), limits).map_err(|reason| CallError::Start { reason })?;
        Ok(Api { client, endpoint, version, credentials, limits })
    }

    /// Calls once, and gives the answer, whose `Success` is not false.
    ///
    /// # Errors
    /// See [`CallError`]; which of them leave open whether the call happened says [`CallError::may_have_happened`].
    pub async fn call(&self, question: &Question) -> Result<Value, CallError> {
        let place = format!("{}, {}", self.endpoint.host, question.action);
        let body = sign::form(&question.form);
        let mut url = self.endpoint.address.url().clone();
        if !question.query.is_empty() {
            url.set_query(Some(&sign::canonical_query(&question.query)));
        }
        let Some(headers) = self.headers(question, &body) else {
            return Err(CallError::NotSent { place, reason: "a parameter cannot be sent".to_owned() });
        };
        let request = self.client.post(url).headers(headers).body(body);
        match call::send(request, self.limits).await {
            Ok(answer) => judged(place, &answer, &self.credentials.secrets()),
            Err(NoAnswer::NotSent(reason)) => Err(CallError::NotSent { place, reason }),
            Err(NoAnswer::Lost(reason)) => Err(CallError::Lost { place, reason }),
        }
    }

    /// All headers, the signature among them; nothing if one of them cannot be sent.
    fn headers(&self, question: &Question, body: &str) -> Option<HeaderMap> {
        let mut signed = vec![
            ("host".to_owned(), self.endpoint.host.clone()),
            ("x-acs-action".to_owned(), question.action.to_owned()),
            ("x-acs-version".to_owned(), self.version.to_owned()),
            ("x-acs-date".to_owned(), Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
            ("x-acs-signature-nonce".to_owned(), nonce()),
            ("x-acs-content-sha256".to_owned(), sign::hash(body.as_bytes())),
        ];
        if !body.is_empty() {
            signed.push(("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()));
        }
        if let Some(token) = &self.credentials.token {
            signed.push(("x-acs-accesskey-id".to_owned(), self.credentials.key_id.clone()));
            signed.push(("x-acs-security-token".to_owned(), token.expose().to_owned()));
        }
        let unsigned = Unsigned { query: &question.query, headers: &signed, body: body.as_bytes() };
        let authorization = unsigned.authorization(&self.credentials.key_id, &self.credentials.secret);
        let mut headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
        for (name, value) in &signed {
            let mut value = HeaderValue::from_str(value).ok()?;
            value.set_sensitive(name == "x-acs-security-token");
            headers.insert(HeaderName::from_bytes(name.as_bytes()).ok()?, value);
        }
        headers.insert(AUTHORIZATION, HeaderValue::from_str(&authorization).ok()?);
        Some(headers)
    }
}

/// A number of 32 hexadecimal digits that no other call has: the seeds of both halves come from the system, and each is
/// mixed with the time.
fn nonce() -> String {
    let half = || {
        let mut hasher = std::hash::RandomState::new().build_hasher();
        hasher.write_i128(Timestamp::now().as_nanosecond());
        hasher.write_u32(std::process::id());
        hasher.finish()
    };
    format!("{:016x}{:016x}", half(), half())
}

fn judged(place: String, answer: &call::Answer, secrets: &Secrets) -> Result<Value, CallError> {
    let status = answer.status;
    let value = serde_json::from_slice::<Value>(&answer.body).unwrap_or_default();
    let is_good = (200..300).contains(&status);
    if !value.is_object() {
        return match (is_good, status) {
            (true, _) | (_, 300..=399) => Err(CallError::NoAnswer { place, status, got: looks_like(&answer.body) }),
            _ => Err(refusal(place, answer, &value, secrets)),
        };
    }
    if is_good && value.get("Success") != Some(&Value::Bool(false)) {
        return Ok(value);
    }
    Err(refusal(place, answer, &value, secrets))
}

fn looks_like(body: &[u8]) -> &'static str {
    match body.trim_ascii().first() {
        None => "nothing came",
        Some(b'<') => "a web page came",
        Some(_) => "something else came",
    }
}

/// Members are spelled in two ways, see `client.py` of alibabacloud-tea-openapi.
fn refusal(place: String, answer: &call::Answer, value: &Value, secrets: &Secrets) -> CallError {
    let member = |names: [&str; 2]| {
        let found = names.iter().find_map(|name| value.get(name));
        let text = match found {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        };
        secrets.shown(&text)
    };
    let header = answer.headers.get("x-acs-retry-after").and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let (code, status) = (member(["Code", "code"]), answer.status);
    CallError::Refused {
        place,
        status,
        cause: Cause::of(status, &code),
        message: member(["Message", "message"]),
        request_id: member(["RequestId", "requestId"]),
        retry_after: header.or_else(|| call::retry_after(&answer.headers)),
        code,
    }
}

/// Whether a host is of a service of Alibaba Cloud: `workorder.aliyuncs.com`, `workorder.cn-hangzhou.aliyuncs.com`. Below other
/// names, such as those of storage, customers have hosts of their own.
fn is_of_service(host: &str) -> bool {
    let Some(names) = host.strip_suffix(".aliyuncs.com") else { return false };
    let is_region = |name: &str| name.as_bytes().get(2) == Some(&b'-');
    match names.split_once('.') {
        None => !names.is_empty(),
        Some((service, region)) => !service.is_empty() && !region.contains('.') && is_region(region),
    }
}

/// What a refusal is about, by its status and code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The access key or its token.
    Key,
    /// The signature.
    Signature,
    /// The clock of this machine.
    Clock,
    /// Too many calls.
    Rate,
    /// What the user may do.
    Permission,
    /// A failure of the service.
    Failure,
    /// What was asked for.
    Parameters,
}

/// Parts of codes by which services tell that they failed, perhaps half-way.
const FAILURES: [&str; 6] = ["500", "internal", "unavailable", "timeout", "unknown", "system"];

/// Parts of codes by which services refuse a call whose status says nothing.
const REFUSALS: [&str; 10] =
    ["invalid", "missing", "illegal", "notfound", "notexist", "exist", "limit", "param", "deny", "unsupported"];

/// Whether a code, in lower case, refuses: `400`, or a name.
fn is_refusal(code: &str) -> bool {
    code.parse::<u16>().is_ok_and(|number| (400..500).contains(&number))
        || REFUSALS.iter().any(|part| code.contains(part))
}

impl Cause {
    fn of(status: u16, code: &str) -> Cause {
        let code = code.to_ascii_lowercase();
        let has = |part: &str| code.contains(part);
        if has("invalidaccesskeyid") || has("securitytoken") {
            Cause::Key
        } else if has("signature") {
            Cause::Signature
        } else if has("timestamp") {
            Cause::Clock
        } else if has("throttl") || status == 429 {
            Cause::Rate
        } else if has("nopermission") || has("forbidden") || has("illegal.auth") || matches!(status, 401 | 403) {
            Cause::Permission
        } else if matches!(status, 408 | 500..) || FAILURES.iter().any(|part| has(part)) {
            Cause::Failure
        } else if (200..300).contains(&status) && !is_refusal(&code) {
            // It took the call, and says no more than that something failed.
            Cause::Failure
        } else {
            Cause::Parameters
        }
    }

    /// What to do.
    pub fn hint(self) -> &'static str {
        match self {
            Cause::Key => "check that the access key is enabled, and that a temporary one has not expired",
            Cause::Signature => "check the secret of the access key",
            Cause::Clock => "set the clock of this machine",
            Cause::Rate => "too many calls at once; try again later",
            Cause::Permission => {
                "have the RAM user granted what the operation needs, such as AliyunSupportFullAccess for tickets"
            }
            Cause::Failure => "the service failed; try again later",
            Cause::Parameters => "check the parameters, and show the id of the request to technical support",
        }
    }
}

impl CallError {
    /// Whether the call may have had its effect although no result came.
    pub fn may_have_happened(&self) -> bool {
        match self {
            CallError::Start { .. } | CallError::NotSent { .. } => false,
            // Some point elsewhere when they have done what they were asked to.
            CallError::Lost { .. } | CallError::NoAnswer { .. } => true,
            CallError::Refused { status, cause, .. } => *cause == Cause::Failure || *status >= 500,
        }
    }

    /// Whether every other call in this name would fail, too.
    pub fn concerns_all(&self) -> bool {
        !matches!(self, CallError::Refused { cause: Cause::Parameters, .. })
    }
}
