//! What proves to an instance who asks: taken from the environment, sent in one header, shown nowhere.

use std::fmt;

use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};

use super::error::LiveError;
use super::instance::Instance;
use crate::http::{Secret, Secrets};

/// A user name with its password, an OAuth token, or an API key.
///
/// Neither [`fmt::Debug`] nor any error shows a secret; both name the variables instead.
#[derive(Clone)]
pub struct Credentials {
    variables: String,
    header: HeaderName,
    value: HeaderValue,
    /// What no text that comes back may contain.
    secrets: Secrets,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({}, redacted)", self.variables)
    }
}

impl Credentials {
    /// What the environment holds for an instance.
    ///
    /// `SERVICENOW_TOKEN` is an OAuth token, `SERVICENOW_API_KEY` an API key, `SERVICENOW_USERNAME` and
    /// `SERVICENOW_PASSWORD` belong together. Variables whose name ends in `_` and [`Instance::label`] come first; if
    /// there is one, those without it are not looked at, so that no pair is mixed. An empty variable counts as none.
    ///
    /// # Errors
    /// No variable is set, several kinds are set at once, half of a pair is missing, or a value cannot be sent.
    pub fn from_environment(
        lookup: &dyn Fn(&str) -> Option<String>,
        instance: &Instance,
    ) -> Result<Credentials, LiveError> {
        let label = instance.label();
        for suffix in [format!("_{label}"), String::new()] {
            if let Some(credentials) = with_suffix(lookup, &suffix)? {
                return Ok(credentials);
            }
        }
        Err(LiveError::NoCredentials { instance: instance.name().to_owned(), label })
    }

    /// The variables from which they come, as in "A and B".
    pub fn variables(&self) -> &str {
        &self.variables
    }

    /// The header that is sent.
    pub(crate) fn header(&self) -> (HeaderName, HeaderValue) {
        (self.header.clone(), self.value.clone())
    }

    /// A text of a server as it may be shown: see [`Secrets::shown`].
    pub(super) fn shown(&self, text: &str) -> String {
        self.secrets.shown(text)
    }

    /// What no text that comes back may contain.
    pub(crate) fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    fn new(
        variables: String,
        header: HeaderName,
        value: Option<HeaderValue>,
        secrets: impl IntoIterator<Item = Secret>,
    ) -> Result<Credentials, LiveError> {
        let Some(value) = value else {
            let why = "a line break, or a character beyond ASCII";
            return Err(LiveError::Unsendable { variable: variables, why });
        };
        Ok(Credentials { variables, header, value, secrets: Secrets::new(secrets) })
    }

    fn token(variable: Variable) -> Result<Credentials, LiveError> {
        Credentials::new(variable.name, AUTHORIZATION, variable.value.header("Bearer "), [variable.value])
    }

    fn api_key(variable: Variable) -> Result<Credentials, LiveError> {
        let header = HeaderName::from_static("x-sn-apikey");
        Credentials::new(variable.name, header, variable.value.header(""), [variable.value])
    }

    fn pair(user: Variable, password: Variable) -> Result<Credentials, LiveError> {
        if user.value.expose().contains(':') {
            return Err(LiveError::Unsendable { variable: user.name, why: "a colon" });
        }
        let both = Secret::basic(user.value.expose(), &password.value);
        let variables = format!("{} and {}", user.name, password.name);
        Credentials::new(variables, AUTHORIZATION, both.header("Basic "), [password.value, both])
    }
}

/// A variable that is set.
struct Variable {
    name: String,
    value: Secret,
}

/// What the variables with one ending say.
fn with_suffix(lookup: &dyn Fn(&str) -> Option<String>, suffix: &str) -> Result<Option<Credentials>, LiveError> {
    let name = |stem: &str| format!("SERVICENOW_{stem}{suffix}");
    let get = |stem: &str| {
        let value = lookup(&name(stem)).filter(|value| !value.is_empty())?;
        Some(Variable { name: name(stem), value: Secret::new(value) })
    };
    match (get("TOKEN"), get("API_KEY"), get("USERNAME"), get("PASSWORD")) {
        (None, None, None, None) => Ok(None),
        (Some(token), None, None, None) => Credentials::token(token).map(Some),
        (None, Some(key), None, None) => Credentials::api_key(key).map(Some),
        (None, None, Some(user), Some(password)) => Credentials::pair(user, password).map(Some),
        (None, None, Some(user), None) => Err(LiveError::HalfAPair { set: user.name, missing: name("PASSWORD") }),
        (None, None, None, Some(password)) => {
            Err(LiveError::HalfAPair { set: password.name, missing: name("USERNAME") })
        }
        (token, key, user, password) => {
            let names: Vec<String> = [token, key, user, password].into_iter().flatten().map(|set| set.name).collect();
            Err(LiveError::SeveralKinds { variables: names.join(", ") })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::secret::LONGEST_TEXT;

    /// The credentials for `dev-1` where some variables are set; every value is secret.
    fn from(variables: &[(&str, &str)]) -> Result<Credentials, LiveError> {
        let lookup = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let result = Credentials::from_environment(&lookup, &Instance::parse("dev-1").unwrap());
        let shown = match &result {
            Ok(credentials) => format!("{credentials:?}"),
            Err(error) => format!("{error} {error:?}"),
        };
        for (_, value) in variables.iter().filter(|(_, value)| !value.is_empty()) {
            assert!(!shown.contains(value), "{shown}");
        }
        result
    }

    fn header(variables: &[(&str, &str)]) -> String {
        let (name, value) = from(variables).unwrap().header();
        assert!(value.is_sensitive());
        format!("{name}: {}", value.to_str().unwrap())
    }

    #[test]
    fn each_kind_has_its_header() {
        assert_eq!(header(&[("SERVICENOW_TOKEN", "s3cret")]), "authorization: Bearer s3cret");
        assert_eq!(header(&[("SERVICENOW_API_KEY", "s3cret")]), "x-sn-apikey: s3cret");
        let pair = [("SERVICENOW_USERNAME", "Aladdin"), ("SERVICENOW_PASSWORD", "open sesame")];
        assert_eq!(header(&pair), "authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(from(&pair).unwrap().variables(), "SERVICENOW_USERNAME and SERVICENOW_PASSWORD");
    }

    #[test]
    fn what_is_meant_for_the_instance_comes_first() {
        let both = [("SERVICENOW_TOKEN", "gen3ral"), ("SERVICENOW_API_KEY_DEV_1", "0wn")];
        assert_eq!(header(&both), "x-sn-apikey: 0wn");
        let empty = [("SERVICENOW_TOKEN", "gen3ral"), ("SERVICENOW_API_KEY_DEV_1", "")];
        assert_eq!(header(&empty), "authorization: Bearer gen3ral");
        let mixed = [("SERVICENOW_USERNAME_DEV_1", "j0e"), ("SERVICENOW_PASSWORD", "s3cret")];
        let error = from(&mixed).unwrap_err().to_string();
        assert!(error.contains("SERVICENOW_PASSWORD_DEV_1"), "{error}");
    }

    #[test]
    fn what_cannot_be_used_is_named_by_its_variable() {
        type Case<'c> = (&'c [(&'c str, &'c str)], &'c [&'c str]);
        let cases: [Case<'_>; 7] = [
            (&[], &["SERVICENOW_TOKEN_DEV_1", "SERVICENOW_API_KEY", "SERVICENOW_PASSWORD"]),
            (
                &[("SERVICENOW_TOKEN", "s1cret"), ("SERVICENOW_API_KEY", "s2cret")],
                &["SERVICENOW_TOKEN, SERVICENOW_API_KEY"],
            ),
            (
                &[("SERVICENOW_TOKEN", "s1cret"), ("SERVICENOW_PASSWORD", "s2cret")],
                &["SERVICENOW_TOKEN, SERVICENOW_PASSWORD"],
            ),
            (&[("SERVICENOW_USERNAME", "j0e")], &["SERVICENOW_USERNAME", "SERVICENOW_PASSWORD"]),
            (&[("SERVICENOW_PASSWORD", "s3cret")], &["SERVICENOW_USERNAME", "SERVICENOW_PASSWORD"]),
            (&[("SERVICENOW_TOKEN", "s3cret\n")], &["SERVICENOW_TOKEN", "line break"]),
            (&[("SERVICENOW_USERNAME", "j0e:x"), ("SERVICENOW_PASSWORD", "s3cret")], &["SERVICENOW_USERNAME", "colon"]),
        ];
        for (variables, expected) in cases {
            let error = from(variables).unwrap_err().to_string();
            assert!(expected.iter().all(|word| error.contains(word)), "{error}");
        }
    }

    #[test]
    fn a_text_that_repeats_a_secret_is_withheld() {
        let pair = from(&[("SERVICENOW_USERNAME", "Aladdin"), ("SERVICENOW_PASSWORD", "open sesame")]).unwrap();
        for text in ["bad password: open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "open\nsesame"] {
            assert_eq!(pair.shown(text), "(withheld, as it repeats a credential)");
        }
        assert_eq!(pair.shown("no\r\n\u{1b}entry "), "no   entry");
        assert_eq!(pair.shown(&"é".repeat(LONGEST_TEXT + 1)).chars().count(), LONGEST_TEXT + 1);
    }
}
