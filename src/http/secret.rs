//! Secrets, and texts of servers that must not repeat them.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::HeaderValue;

/// Longer texts of a server are cut; a reason needs no more characters.
pub(crate) const LONGEST_TEXT: usize = 300;

/// A text that no log, error or file shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

impl Secret {
    /// Keeps a text.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text, for a signature or a header; nothing else may take it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// User name and password as HTTP wants them, without the word `Basic`.
    pub fn basic(user: &str, password: &Secret) -> Secret {
        Secret(STANDARD.encode(format!("{user}:{}", password.0)))
    }

    /// The value of a header: the text behind a word such as `Bearer `. Nothing if it does not fit into a header.
    pub fn header(&self, word: &str) -> Option<HeaderValue> {
        let mut value = HeaderValue::from_str(&format!("{word}{}", self.0)).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

/// What no text that comes back may contain.
#[derive(Debug, Clone, Default)]
pub struct Secrets(Vec<Secret>);

impl Secrets {
    /// Those that are not empty: every text contains an empty one.
    pub fn new(secrets: impl IntoIterator<Item = Secret>) -> Secrets {
        Secrets(secrets.into_iter().filter(|secret| !secret.0.is_empty()).collect())
    }

    /// A text of a server as it may be shown: on one line, not too long, and not at all if it repeats a secret.
    pub fn shown(&self, text: &str) -> String {
        let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        if self.0.iter().any(|Secret(secret)| text.contains(secret.as_str()) || clean.contains(secret.as_str())) {
            return "(withheld, as it repeats a credential)".to_owned();
        }
        match clean.char_indices().nth(LONGEST_TEXT) {
            Some((end, _)) => format!("{}…", clean[..end].trim()),
            None => clean.trim().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_shows_a_secret() {
        let secret = Secret::new("open sesame");
        let secrets = Secrets::new([secret.clone(), Secret::new("")]);
        assert!(!format!("{secret:?} {secrets:?}").contains("sesame"));
        assert_eq!(secrets.shown("no\r\n\u{1b}entry "), "no   entry");
        assert!(secrets.shown("the password open\nsesame").starts_with("(withheld"));
        assert_eq!(Secret::basic("Aladdin", &secret).expose(), "QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        let header = secret.header("Bearer ").unwrap();
        assert!(header.is_sensitive() && !format!("{header:?}").contains("sesame"));
        assert_eq!(Secret::new("a\nb").header(""), None);
    }
}
