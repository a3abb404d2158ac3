//! The address of an instance: which host, and whether the way there is encrypted. Nothing is called here.

use reqwest::Url;

use super::error::LiveError;
use crate::http::address::check_scheme;

/// Where the instances live; a bare name means one of them.
const DOMAIN: &str = ".service-now.com";

/// One instance, by its address.
///
/// The way there is encrypted, unless the instance stands on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    base: Url,
    name: String,
}

impl Instance {
    /// The instance at `prod`, `prod.service-now.com` or `https://prod.service-now.com`; a port may follow a host.
    ///
    /// # Errors
    /// It is no address, has more than scheme, host and port, or would send credentials over a network in the clear.
    pub fn parse(text: &str) -> Result<Instance, LiveError> {
        let base = absolute(text.trim())?;
        if base.path() != "/" || base.query().is_some() || base.fragment().is_some() {
            return Err(problem("it has a path, a query or a fragment"));
        }
        check_scheme(&base).map_err(problem)?;
        let host = base.host_str().unwrap_or_default();
        let name = base.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        Ok(Instance { base, name })
    }

    /// Host and, if it is not the usual one, port; in lower case.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How the instance is called in the names of variables: the first label of its host in upper case, with `_` for
    /// everything that is neither letter nor digit.
    pub fn label(&self) -> String {
        let first = self.base.host_str().and_then(|host| host.split('.').next()).unwrap_or_default();
        first.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
    }

    /// The address to which paths are added.
    pub(crate) fn base(&self) -> &Url {
        &self.base
    }
}

fn problem(problem: impl Into<String>) -> LiveError {
    LiveError::Address { problem: problem.into() }
}

/// The address with its scheme. What was typed is never repeated in an error: it may hold a password.
fn absolute(text: &str) -> Result<Url, LiveError> {
    if text.contains('@') {
        return Err(problem("it holds a user name or a password, which belong into the environment"));
    }
    if text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\') {
        return Err(problem("it holds white space or a backslash"));
    }
    let is_label = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let full = match text {
        label if is_label => format!("https://{label}{DOMAIN}"),
        complete if complete.contains("://") => complete.to_owned(),
        host => format!("https://{host}"),
    };
    Url::parse(&full).map_err(|error| problem(error.to_string()))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn read(text: &str) -> (String, String) {
        let instance = Instance::parse(text).unwrap();
        (instance.base().to_string(), instance.name().to_owned())
    }

    #[test]
    fn an_address_may_be_short() {
        for text in ["prod", " PROD ", "prod.service-now.com", "https://prod.service-now.com/"] {
            let expected = ("https://prod.service-now.com/".to_owned(), "prod.service-now.com".to_owned());
            assert_eq!(read(text), expected, "{text}");
        }
        assert_eq!(read("itsm.example.com:8443").1, "itsm.example.com:8443");
    }

    #[test]
    fn the_clear_way_is_for_this_machine_only() {
        for host in [Ipv4Addr::LOCALHOST.to_string(), "localhost".to_owned(), "[::1]".to_owned()] {
            assert!(Instance::parse(&format!("http://{host}:{}", 8080)).is_ok(), "{host}");
        }
        for text in ["http://prod.service-now.com", "http://localhost.example.com", "http://10.0.0.1"] {
            assert!(Instance::parse(text).unwrap_err().to_string().contains("in the clear"), "{text}");
        }
    }

    #[test]
    fn more_than_an_address_is_refused_and_not_repeated() {
        for text in [
            "",
            "https://",
            "https://joe:hunter2@prod.service-now.com",
            "hunter2@prod",
            "prod.service-now.com/hunter2",
            "https://prod.service-now.com/?token=hunter2",
            "https://prod.service-now.com/#hunter2",
            "https://prod.service-now.com\\hunter2",
            "ftp://prod.service-now.com",
            "file:///hunter2",
            "prod service",
            "prod:hunter2",
        ] {
            let error = Instance::parse(text).unwrap_err();
            assert!(error.to_string().contains("prod.service-now.com"), "{text}: {error}");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{text}: {error}");
        }
    }

    #[test]
    fn the_label_is_fit_for_a_variable() {
        for (text, label) in [("prod", "PROD"), ("dev-12.service-now.com", "DEV_12"), ("itsm.example.com", "ITSM")] {
            assert_eq!(Instance::parse(text).unwrap().label(), label);
        }
    }
}
