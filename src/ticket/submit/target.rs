//! Where tickets are sent, in whose name: from settings of the environment or a file, never from arguments.
//!
//! | tracker | settings |
//! | --- | --- |
//! | alibaba | the credentials of [`crate::alibaba::credentials`]; `CMKDIAG_ALIBABA_REGION`, `CMKDIAG_ALIBABA_ENDPOINT` |
//! | servicenow-… | `CMKDIAG_SERVICENOW_URL`; the credentials of [`crate::servicenow::credentials`] |
//! | jira-cloud | `CMKDIAG_JIRA_URL`, `_USER`, `_TOKEN` |
//! | jira-dc | `CMKDIAG_JIRA_URL`, `_TOKEN` (personal access token) |
//! | zendesk | `CMKDIAG_ZENDESK_URL`, `_TOKEN` (OAuth), or `_USER` and `_TOKEN` (API token) |
//! | github | `CMKDIAG_GITHUB_REPOSITORY` (`owner/name`), `_TOKEN`; `CMKDIAG_GITHUB_URL` of an own server |
//! | gitlab | `CMKDIAG_GITLAB_PROJECT` (number or path), `_TOKEN`; `CMKDIAG_GITLAB_URL` of an own server |
//! | rt | `CMKDIAG_RT_URL`, `_TOKEN`, or `_USER` and `_PASSWORD` |
//! | roundup | `CMKDIAG_ROUNDUP_URL` (with the tracker), `_USER`, `_PASSWORD` |

use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};

use super::error::SubmitError;
use super::rest::{Patience, Site};
use super::settings::Settings;
use crate::alibaba::credentials::{Credentials, home};
use crate::alibaba::sts::{self, Sts};
use crate::alibaba::workorder::{self, Workorder};
use crate::alibaba::{CallError, Endpoint};
use crate::http::{Address, Secret, Secrets};
use crate::servicenow;
use crate::ticket::payload::Tracker;

/// One tracker at one place.
#[derive(Debug)]
pub struct Target {
    pub(super) tracker: Tracker,
    pub(super) place: String,
    pub(super) desk: Desk,
    pub(super) patience: Patience,
}

/// What takes tickets there.
#[derive(Debug)]
pub(super) enum Desk {
    /// Technical support of Alibaba Cloud, and who tells in whose name it is asked.
    Alibaba(Workorder, Box<Sts>),
    /// A tracker that speaks JSON, and what is needed besides its address.
    Rest(Site, Scope),
}

/// What is needed besides the address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scope {
    /// Nothing.
    None,
    /// The project or repository.
    Within(String),
    /// The name of the user, who becomes the author.
    User(String),
}

impl Target {
    /// The target for a tracker, as the settings say.
    ///
    /// # Errors
    /// A setting is missing or cannot be used, or the tracker takes no tickets from programs.
    pub fn from_settings(tracker: Tracker, settings: &Settings<'_>) -> Result<Target, SubmitError> {
        Target::with(tracker, settings, Patience::default())
    }

    pub(super) fn with(tracker: Tracker, settings: &Settings<'_>, patience: Patience) -> Result<Target, SubmitError> {
        let (place, desk) = match tracker {
            Tracker::Email | Tracker::Markdown => return Err(SubmitError::NotSendable { tracker: tracker.name() }),
            Tracker::Alibaba => alibaba(settings, &patience)?,
            _ => rest(tracker, settings, &patience)?,
        };
        Ok(Target { tracker, place, desk, patience })
    }

    /// Where tickets of an account are, for people and for the ledger; it holds no secret. An account of Alibaba Cloud sees
    /// its own tickets only; elsewhere all are in one place.
    pub fn place(&self, account: Option<&str>) -> String {
        match (&self.desk, account) {
            (Desk::Alibaba(..), Some(account)) => format!("{}/{account}", self.place),
            _ => self.place.clone(),
        }
    }
}

/// The keys of an account may change, so they are not part of the place.
fn alibaba(settings: &Settings<'_>, patience: &Patience) -> Result<(String, Desk), SubmitError> {
    let name = "CMKDIAG_ALIBABA_ENDPOINT";
    let region = settings.get("CMKDIAG_ALIBABA_REGION").unwrap_or_default();
    let unusable = |problem| SubmitError::Setting { name: name.to_owned(), problem };
    let host = settings.get(name).unwrap_or_else(|| workorder::host(&region).to_owned());
    let endpoint = Endpoint::given(&host).map_err(unusable)?;
    // What stands on this machine hands on calls of both.
    let names =
        if endpoint.is_here() { endpoint.clone() } else { Endpoint::given(sts::host(&region)).map_err(unusable)? };
    let lookup = |name: &str| settings.get(name);
    let credentials = Credentials::find(&lookup, home(&lookup).as_deref())?;
    let place = endpoint.name().to_owned();
    let sts = Sts::new(names, credentials.clone(), patience.limits).map_err(start)?;
    let api = Workorder::new(endpoint, credentials, patience.limits).map_err(start)?;
    Ok((place, Desk::Alibaba(api, Box::new(sts))))
}

fn start(error: CallError) -> SubmitError {
    SubmitError::Start { reason: error.to_string() }
}

/// A header with the secrets that no answer may repeat.
type Proof = (Vec<(HeaderName, HeaderValue)>, Secrets);

fn rest(tracker: Tracker, settings: &Settings<'_>, patience: &Patience) -> Result<(String, Desk), SubmitError> {
    let (address, (headers, secrets), scope) = parts(tracker, settings)?;
    let place = match &scope {
        Scope::Within(within) => format!("{}/{within}", address.name()),
        Scope::None | Scope::User(_) => address.name().to_owned(),
    };
    let site = Site::new(address, headers, secrets, patience.limits)?;
    Ok((place, Desk::Rest(site, scope)))
}

fn parts(tracker: Tracker, settings: &Settings<'_>) -> Result<(Address, Proof, Scope), SubmitError> {
    Ok(match tracker {
        Tracker::JiraCloud => {
            let proof = pair(settings, "CMKDIAG_JIRA_USER", "CMKDIAG_JIRA_TOKEN")?;
            (settings.address("CMKDIAG_JIRA_URL", None)?, proof, Scope::None)
        }
        Tracker::JiraDc => {
            let proof = token(settings, "CMKDIAG_JIRA_TOKEN", AUTHORIZATION, "Bearer ")?;
            (settings.address("CMKDIAG_JIRA_URL", None)?, proof, Scope::None)
        }
        Tracker::Zendesk => (settings.address("CMKDIAG_ZENDESK_URL", None)?, zendesk(settings)?, Scope::None),
        Tracker::Github => {
            let proof = token(settings, "CMKDIAG_GITHUB_TOKEN", AUTHORIZATION, "Bearer ")?;
            let repository = within(settings, "CMKDIAG_GITHUB_REPOSITORY", "it is the repository, as owner/name")?;
            if repository.split('/').filter(|part| !part.is_empty()).count() != 2 {
                let (name, problem) = ("CMKDIAG_GITHUB_REPOSITORY".to_owned(), "it is not owner/name".to_owned());
                return Err(SubmitError::Setting { name, problem });
            }
            let address = settings.address("CMKDIAG_GITHUB_URL", Some("https://api.github.com"))?;
            (address, proof, Scope::Within(repository))
        }
        Tracker::Gitlab => {
            let proof = token(settings, "CMKDIAG_GITLAB_TOKEN", HeaderName::from_static("private-token"), "")?;
            let project = within(settings, "CMKDIAG_GITLAB_PROJECT", "it is the project, by its number or path")?;
            (settings.address("CMKDIAG_GITLAB_URL", Some("https://gitlab.com"))?, proof, Scope::Within(project))
        }
        Tracker::Rt => {
            let proof = match settings.get("CMKDIAG_RT_TOKEN") {
                Some(_) => token(settings, "CMKDIAG_RT_TOKEN", AUTHORIZATION, "token ")?,
                None => pair(settings, "CMKDIAG_RT_USER", "CMKDIAG_RT_PASSWORD")?,
            };
            (settings.address("CMKDIAG_RT_URL", None)?, proof, Scope::None)
        }
        Tracker::Roundup => roundup(settings)?,
        Tracker::ServicenowChange | Tracker::ServicenowIncident => servicenow(settings)?,
        Tracker::Alibaba | Tracker::Email | Tracker::Markdown => {
            return Err(SubmitError::NotSendable { tracker: tracker.name() });
        }
    })
}

/// What tells projects of one address apart. It is shown, so that an address, which may hold a password, must not be it.
fn within(settings: &Settings<'_>, name: &str, what: &'static str) -> Result<String, SubmitError> {
    let text = settings.need(name, what)?;
    if text.contains(['@', ':', '?', '#', '&', '=']) || text.contains(char::is_whitespace) {
        let problem = format!("{what}, and not an address: leave out what stands before and behind the path");
        return Err(SubmitError::Setting { name: name.to_owned(), problem });
    }
    // Both trackers take these for the same; one project has one spelling in the ledger.
    let parts: Vec<&str> = text.split('/').filter(|part| !part.is_empty()).collect();
    Ok(parts.join("/").to_lowercase())
}

/// Roundup takes no call of its REST interface that does not say from where it comes.
fn roundup(settings: &Settings<'_>) -> Result<(Address, Proof, Scope), SubmitError> {
    let address = settings.address("CMKDIAG_ROUNDUP_URL", None)?;
    let (mut headers, secrets) = pair(settings, "CMKDIAG_ROUNDUP_USER", "CMKDIAG_ROUNDUP_PASSWORD")?;
    let header = |text: &str| {
        let (name, problem) = ("CMKDIAG_ROUNDUP_URL".to_owned(), "it cannot be sent".to_owned());
        HeaderValue::from_str(text).map_err(|_| SubmitError::Setting { name, problem })
    };
    headers.push((HeaderName::from_static("x-requested-with"), HeaderValue::from_static("rest")));
    headers.push((HeaderName::from_static("origin"), header(&address.url().origin().ascii_serialization())?));
    headers.push((HeaderName::from_static("referer"), header(address.url().as_str())?));
    let user = settings.need("CMKDIAG_ROUNDUP_USER", "it is the user")?;
    Ok((address, (headers, secrets), Scope::User(user)))
}

/// The same credentials as for reading an instance.
fn servicenow(settings: &Settings<'_>) -> Result<(Address, Proof, Scope), SubmitError> {
    let name = "CMKDIAG_SERVICENOW_URL";
    let text = settings.need(name, "it is the address of the instance")?;
    let instance = servicenow::Instance::parse(&text)?;
    let credentials = servicenow::Credentials::from_environment(&|name| settings.get(name), &instance)?;
    let address = Address::parse(instance.base().as_str())
        .map_err(|problem| SubmitError::Setting { name: name.to_owned(), problem })?;
    Ok((address, (vec![credentials.header()], credentials.secrets().clone()), Scope::None))
}

/// API tokens belong to a user, OAuth tokens stand alone.
fn zendesk(settings: &Settings<'_>) -> Result<Proof, SubmitError> {
    let name = "CMKDIAG_ZENDESK_TOKEN";
    match settings.get("CMKDIAG_ZENDESK_USER") {
        None => token(settings, name, AUTHORIZATION, "Bearer "),
        Some(user) => {
            let token = Secret::new(settings.need(name, "it is the API token of the user")?);
            basic(&format!("{user}/token"), token, name)
        }
    }
}

fn token(settings: &Settings<'_>, name: &str, header: HeaderName, word: &str) -> Result<Proof, SubmitError> {
    let secret = Secret::new(settings.need(name, "it is the token with which the tracker is called")?);
    let value = secret.header(word).ok_or_else(|| unsendable(name))?;
    Ok((vec![(header, value)], Secrets::new([secret])))
}

fn pair(settings: &Settings<'_>, user: &str, password: &str) -> Result<Proof, SubmitError> {
    let name = settings.need(user, "it is the user in whose name the tracker is called")?;
    if name.contains(':') {
        return Err(SubmitError::Setting { name: user.to_owned(), problem: "it holds a colon".to_owned() });
    }
    basic(&name, Secret::new(settings.need(password, "it proves who the user is")?), password)
}

fn basic(user: &str, password: Secret, variable: &str) -> Result<Proof, SubmitError> {
    let both = Secret::basic(user, &password);
    let value = both.header("Basic ").ok_or_else(|| unsendable(variable))?;
    Ok((vec![(AUTHORIZATION, value)], Secrets::new([password, both])))
}

fn unsendable(name: &str) -> SubmitError {
    let problem = "it holds a line break, or a character beyond ASCII".to_owned();
    SubmitError::Setting { name: name.to_owned(), problem }
}
