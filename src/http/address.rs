//! Addresses to which credentials may be sent: encrypted, or on this machine.

use std::net::IpAddr;

use reqwest::Url;

/// The address of a service, to which paths are added. Its path ends in `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address(Url);

impl Address {
    /// The address `https://host/path`; `http` does for this machine only.
    ///
    /// # Errors
    /// What is wrong with it, without the address, which may hold a password.
    pub fn parse(text: &str) -> Result<Address, String> {
        let text = text.trim();
        if text.contains('@') {
            return Err("it holds a user name or a password, which have settings of their own".to_owned());
        }
        if text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\') {
            return Err("it holds white space or a backslash".to_owned());
        }
        let full = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
        let mut url = Url::parse(&full).map_err(|error| error.to_string())?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err("it has a query or a fragment".to_owned());
        }
        check_scheme(&url)?;
        let path = format!("{}/", url.path().trim_end_matches('/'));
        url.set_path(&path);
        Ok(Address(url))
    }

    /// Scheme, host, port and path, for people and ledgers; it holds no secret.
    pub fn name(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }

    /// The address itself.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// The address of something below it; each segment is encoded.
    pub fn below(&self, segments: &[&str]) -> Url {
        let mut url = self.0.clone();
        // An address with a host takes segments, and every one here has a host.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }
}

/// Whether credentials may be sent there.
///
/// # Errors
/// There is no host, or the way there is not encrypted and not within this machine.
pub fn check_scheme(url: &Url) -> Result<(), String> {
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or("it has no host")?;
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_this_machine(host) => Ok(()),
        "http" => Err("http would send the credentials in the clear".to_owned()),
        _ => Err("its scheme is not https".to_owned()),
    }
}

/// Whether a host is this machine, so that nothing lies between.
pub fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_have_a_path() {
        for (text, name) in [
            ("jira.example.com", "https://jira.example.com"),
            ("https://example.com/jira/", "https://example.com/jira"),
            (" https://example.com:8443/a/b ", "https://example.com:8443/a/b"),
            ("http://[::1]/demo", "http://[::1]/demo"),
        ] {
            assert_eq!(Address::parse(text).unwrap().name(), name);
        }
        let address = Address::parse("https://example.com/jira").unwrap();
        assert_eq!(address.below(&["rest", "a/b c"]).as_str(), "https://example.com/jira/rest/a%2Fb%20c");
        assert_eq!(Address::parse("example.com").unwrap().below(&["x"]).as_str(), "https://example.com/x");
    }

    #[test]
    fn what_is_not_safe_is_refused_and_not_repeated() {
        for text in [
            "http://jira.example.com",
            "http://localhost.example.com/hunter2",
            "https://joe:hunter2@example.com",
            "https://example.com/?token=hunter2",
            "https://example.com/#hunter2",
            "ftp://example.com/hunter2",
            "https://example.com/hunter2 x",
            "",
        ] {
            let problem = Address::parse(text).unwrap_err();
            assert!(!problem.is_empty() && !problem.contains("hunter2"), "{text}: {problem}");
        }
    }
}
