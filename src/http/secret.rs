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
        // Servers repeat what they were sent in escapes of JSON, of addresses and of pages.
        let bare = unescaped(text);
        let plain = ENTITIES.iter().fold(bare.clone(), |text, (entity, sign)| text.replace(entity, sign));
        let repeats =
            |Secret(secret): &Secret| [text, &clean, &bare, &plain].iter().any(|text| text.contains(secret.as_str()));
        if self.0.iter().any(repeats) {
            return "(withheld, as it repeats a credential)".to_owned();
        }
        match clean.char_indices().nth(LONGEST_TEXT) {
            Some((end, _)) => format!("{}…", clean[..end].trim()),
            None => clean.trim().to_owned(),
        }
    }
}

/// How pages write signs that mean something to them; the last one last, as it begins the others.
const ENTITIES: [(&str, &str); 7] =
    [("&quot;", "\""), ("&#34;", "\""), ("&#39;", "'"), ("&apos;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")];

/// A text without escapes of JSON (`\"`, `\/`, `\u0041`) and of addresses (`%41`).
fn unescaped(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text);
    let hex = |digits: Option<&str>| digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
    while let Some(c) = rest.chars().next() {
        let (found, length) = match c {
            '\\' if rest.get(1..2) == Some("u") => (hex(rest.get(2..6)).and_then(char::from_u32), 6),
            '\\' => (rest.chars().nth(1), 1 + rest.chars().nth(1).map_or(0, char::len_utf8)),
            '%' => match hex(rest.get(1..3)) {
                Some(byte) => {
                    bytes.push(byte as u8);
                    rest = &rest[3..];
                    continue;
                }
                None => (Some(c), 1),
            },
            _ => (Some(c), c.len_utf8()),
        };
        let (found, length) = found.map_or((c, c.len_utf8()), |found| (found, length));
        bytes.extend_from_slice(found.encode_utf8(&mut [0; 4]).as_bytes());
        rest = rest.get(length..).unwrap_or_default();
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_hide_no_secret() {
        let secrets = Secrets::new([Secret::new("s3/cr\"et")]);
        for echo in [
            r#"{"err": "s3/cr\"et"}"#,
            r#"s3\/cr\"et"#,
            "s3%2Fcr%22et",
            r#"s3\u002fcr\u0022et"#,
            "s3/cr\"et",
            "s3/cr&quot;et",
        ] {
            assert!(secrets.shown(echo).starts_with("(withheld"), "{echo}");
        }
        assert_eq!(unescaped("a%zz\\uzzzz 100% \\"), "a%zz\\uzzzz 100% \\");
        assert_eq!(secrets.shown("密钥 %E5 \\"), "密钥 %E5 \\");
    }

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
