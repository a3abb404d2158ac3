//! A message as a file: RFC 5322 with MIME. Message-ID and Date come from the plan, so that the same plan gives the same
//! file; headers that are not ASCII are encoded words (RFC 2047), and the body is UTF-8 in base64, whose lines are short
//! whatever stands in it.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use jiff::fmt::rfc2822;

use super::limits::Measure;
use super::options::Options;
use super::payload::Body;
use super::split::Draft;
use super::text::{Ticket, plain_ticket};

/// Lines of headers should have no more characters, without their end.
const LINE: usize = 78;

/// Names of people are no longer, so that a header is no longer than a line may be.
const NAME: usize = 80;

/// Subjects have no limit of their own; people do.
const SUBJECT: usize = 998;

/// An address, with a name or without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    name: String,
    /// `ops@example.com`.
    at: String,
}

impl Address {
    /// Reads `ops@example.com` or `Operations <ops@example.com>`.
    ///
    /// # Errors
    /// It is neither.
    pub(super) fn read(text: &str) -> Result<Address, String> {
        let expected = "an address is ASCII, such as ops@example.com or Operations <ops@example.com>";
        let (name, at) = match text.trim().strip_suffix('>').and_then(|text| text.split_once('<')) {
            Some((name, at)) => (name.trim().trim_matches('"'), at),
            None => ("", text.trim()),
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || ".!#$%&'*+-/=?^_`{|}~".contains(c);
        let (local, domain) = at.split_once('@').ok_or(expected)?;
        let is_domain = domain
            .split('.')
            .all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'));
        let is_name = !name.contains(|c: char| c.is_control() || matches!(c, '"' | '\\' | '<' | '>'));
        let is_name = is_name && name.chars().count() <= NAME;
        let is_local = !local.is_empty() && local.chars().all(plain) && at.len() <= 254;
        match is_domain && is_name && is_local {
            true => Ok(Address { name: name.to_owned(), at: at.to_owned() }),
            false => Err(expected.to_owned()),
        }
    }

    /// As it stands in a header.
    fn header(&self) -> String {
        let Address { name, at } = self;
        match name.is_ascii() {
            _ if name.is_empty() => at.clone(),
            true if !name.contains("=?") => format!("\"{name}\" <{at}>"),
            _ => format!("{} <{at}>", encoded(name)),
        }
    }

    pub(super) fn domain(&self) -> &str {
        self.at.split_once('@').map_or("", |(_, domain)| domain)
    }
}

/// A text as encoded words, each on a line of its own. The first stands behind a name of a header; all are as short.
fn encoded(text: &str) -> String {
    /// Bytes that give 52 characters, so that `Subject: ` and the signs around them fit before 76.
    const BYTES: usize = 39;
    let mut words = vec![String::new()];
    for c in text.chars() {
        if words.last().is_some_and(|word| word.len() + c.len_utf8() > BYTES) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.push(c);
        }
    }
    let words = words.iter().map(|word| format!("=?UTF-8?B?{}?=", BASE64_STANDARD.encode(word)));
    words.collect::<Vec<_>>().join("\r\n ")
}

/// A header whose value is ASCII, folded at blanks.
fn folded(name: &str, value: &str) -> String {
    let mut out = format!("{name}:");
    let mut width = out.len();
    for word in value.split(' ') {
        if width + 1 + word.len() > LINE && width > name.len() + 1 {
            out.push_str("\r\n");
            width = 0;
        }
        out.push(' ');
        out.push_str(word);
        width += 1 + word.len();
    }
    out
}

fn subject(title: &str) -> String {
    // One word that does not fit on a line cannot be folded.
    let fits = title.split(' ').all(|word| !word.is_empty() && word.len() < 60);
    match title.is_ascii() && fits && !title.contains("=?") {
        true => folded("Subject", title),
        false => format!("Subject: {}", encoded(title)),
    }
}

fn addresses(name: &str, addresses: &[Address]) -> Option<String> {
    let all: Vec<String> = addresses.iter().map(Address::header).collect();
    (!all.is_empty()).then(|| format!("{name}: {}", all.join(",\r\n ")))
}

/// The message. Addresses that make no sense were refused when the options were read.
pub(super) fn draft(ticket: &Ticket, options: &Options, as_of: Timestamp) -> Draft {
    let options = &options.email;
    let read =
        |texts: &[String]| -> Vec<Address> { texts.iter().filter_map(|text| Address::read(text).ok()).collect() };
    let from = read(options.from.as_slice());
    let domain =
        options.message_id_domain.as_deref().or(from.first().map(Address::domain)).unwrap_or("cmkdiag.invalid");
    let date = rfc2822::to_string(&as_of.to_zoned(jiff::tz::TimeZone::UTC)).ok();
    let headers = [
        addresses("From", &from),
        addresses("To", &read(&options.to)),
        addresses("Cc", &read(&options.cc)),
        Some(subject(&ticket.title)),
        date.map(|date| format!("Date: {date}")),
        // The same whenever it is written.
        Some(format!("Message-ID: <{}@{domain}>", ticket.mark.label())),
        Some(format!("X-CMK-Plan: {}", ticket.mark.label())),
        Some("MIME-Version: 1.0".to_owned()),
        Some("Content-Type: text/plain; charset=utf-8".to_owned()),
        Some("Content-Transfer-Encoding: base64".to_owned()),
    ];
    let headers: Vec<String> = headers.into_iter().flatten().collect();
    let body = BASE64_STANDARD.encode(plain_ticket(ticket).replace('\n', "\r\n"));
    let lines: Vec<&str> = (0..body.len()).step_by(76).map(|at| &body[at..body.len().min(at + 76)]).collect();
    let text = format!("{}\r\n\r\n{}\r\n", headers.join("\r\n"), lines.join("\r\n"));
    let measures = vec![Measure::bytes("Subject", &ticket.title, SUBJECT)];
    Draft { title: ticket.title.clone(), body: Body::Text(text), measures }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_cannot_bring_a_header_along() {
        let header = |text: &str| Address::read(text).map(|address| address.header());
        assert_eq!(header("ops@example.com").unwrap(), "ops@example.com");
        assert_eq!(header("Ops, EU <ops@example.com>").unwrap(), "\"Ops, EU\" <ops@example.com>");
        assert_eq!(header("运维 <ops@example.com>").unwrap(), "=?UTF-8?B?6L+Q57u0?= <ops@example.com>");
        for wrong in [
            "",
            "ops",
            "a b@c.d",
            "ops@",
            "@c",
            "ops@a..b",
            "x\r\nBcc: <a@b.c>",
            "<a@b.c",
            "a@b.c, d@e.f",
            "a@b.c\r\nBcc: d@e.f",
        ] {
            assert!(header(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn subjects_are_folded_or_encoded() {
        assert_eq!(subject("KMS CMK migration"), "Subject: KMS CMK migration");
        let long = subject("word ".repeat(40).trim_end());
        assert!(long.split("\r\n").all(|line| line.len() <= LINE) && long.split("\r\n").count() > 2);
        for title in
            ["KMS 密钥迁移：cn-hangzhou，50 个密钥迁移至 kst-hzz62ee817bvyyr5x0001", "=?UTF-8?B?eA==?=", "a  b"]
        {
            let subject = subject(title);
            assert!(subject.split("\r\n").all(|line| line.len() <= 76), "{subject}");
            let words = subject.trim_start_matches("Subject: ").split("\r\n ");
            let words = words.map(|word| word.strip_prefix("=?UTF-8?B?").unwrap().strip_suffix("?=").unwrap());
            let decoded: Vec<u8> = words.flat_map(|word| BASE64_STANDARD.decode(word).unwrap()).collect();
            assert_eq!(String::from_utf8(decoded).unwrap(), title);
        }
    }
}
