//! What events name, in one spelling: who made a call, accounts and regions.

use std::borrow::Cow;

use super::event::Event;
use super::scan::Raw;
use crate::inventory::tidy;

/// `userIdentity.type`, with the word for outputs.
pub(super) const KINDS: [(&[u8], &str); 4] =
    [(b"assumed-role", "role"), (b"ram-user", "user"), (b"root-account", "root"), (b"", "principal")];

/// An account as inventories have it; empty if nobody knows which it is: what is masked, or stands for nothing, is no other
/// account. ARNs and login names have the account in them.
pub(super) fn account(text: &str) -> Cow<'_, str> {
    let is_known = |id: &Cow<'_, str>| is_account(id.as_bytes());
    if let Some(id) = known(tidy::account_id(text)).filter(is_known) {
        return id;
    }
    let mut parts = text.split([':', '@', '.']).map(str::trim);
    parts.find(|part| part.len() == USUAL_ACCOUNT && is_account(part.as_bytes())).unwrap_or_default().into()
}

/// A region as inventories have it; empty if nobody knows which it is.
pub(super) fn region(text: &str) -> Cow<'_, str> {
    known(tidy::region(text)).filter(|id| is_region(id.as_bytes())).unwrap_or_default()
}

fn known(scope: tidy::Scope<'_>) -> Option<Cow<'_, str>> {
    match scope {
        tidy::Scope::Is(text) => Some(text),
        tidy::Scope::Unclear(_) => None,
    }
}

/// Ids of accounts have so many digits.
const USUAL_ACCOUNT: usize = 16;

/// Whether a text is the id of an account: 16 digits as a rule, and not one digit many times over, as masks leave.
#[inline]
pub(super) fn is_account(id: &[u8]) -> bool {
    (5..=20).contains(&id.len()) && id.iter().all(u8::is_ascii_digit) && id.iter().any(|digit| *digit != id[0])
}

/// Whether a text is the id of a region, such as `cn-hangzhou` or `rus-west-1`: not `n-a`, `cn-xxxx` or dashes.
#[inline]
pub(super) fn is_region(id: &[u8]) -> bool {
    let is_word = |word: &[u8]| {
        let is_mask = word.len() > 2 && word.iter().all(|byte| *byte == word[0]);
        !word.is_empty() && !is_mask && word.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    let mut words = id.split(|byte| *byte == b'-');
    let is_country =
        |word: &[u8]| (2..=3).contains(&word.len()) && word.iter().all(u8::is_ascii_lowercase) && word != b"not";
    words.next().is_some_and(is_country) && id.len() > 4 && id.contains(&b'-') && words.all(is_word)
}

/// What stands behind the beginning of a service-linked role's name, in whatever letters: its service.
pub(super) fn of_service(role: &[u8]) -> Option<&[u8]> {
    const BEGIN: &[u8] = b"aliyunservicerolefor";
    let (begin, service) = role.split_at_checked(BEGIN.len())?;
    begin.eq_ignore_ascii_case(BEGIN).then_some(service)
}

/// Who made a call, as the event has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Who<'e> {
    /// The place in [`KINDS`], or behind its end.
    pub(super) kind: usize,
    /// The name, without the session.
    pub(super) name: Raw<'e>,
}

impl<'e> Who<'e> {
    pub(super) fn of(event: &Event<'e>) -> Who<'e> {
        let user = if event.user.is_empty() { event.principal } else { event.user };
        let kind = KINDS.iter().position(|(kind, _)| *kind == event.identity.bytes).unwrap_or(KINDS.len());
        // No user has a colon in the name.
        let session = memchr::memchr(b':', user.bytes);
        let name = Raw { bytes: &user.bytes[..session.unwrap_or(user.bytes.len())], ..user };
        Who { kind, name }
    }

    /// Whether it is a cloud service.
    pub(super) fn is_service(&self) -> bool {
        let is_role = self.kind == 0;
        is_role
            && match self.name.is_escaped {
                true => of_service(self.name.text().as_bytes()).is_some(),
                false => of_service(self.name.bytes).is_some(),
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_and_regions_that_say_nothing_are_not_known() {
        for text in [
            "1234567890123456",
            "1,234,567,890,123,456",
            "1234567890123456@alias",
            "acs:ram::1234567890123456:root",
            "alice@1234567890123456.onaliyun.com",
        ] {
            assert_eq!(account(text), "1234567890123456", "{text}");
        }
        for text in [
            "",
            "-",
            "null",
            "N/A",
            "MASKED",
            "<redacted>",
            "1.23456789012346E+15",
            "0000000000000000",
            "3456",
            "10.0.3.17",
        ] {
            assert_eq!(account(text), "", "{text}");
        }
        for text in ["cn-hangzhou", "CN-HANGZHOU", "rus-west-1", "cn-hangzhou-finance-1", "ap-southeast-1"] {
            assert_eq!(region(text), text.to_lowercase(), "{text}");
        }
        for text in ["", "-", "--", "null", "N/A", "n-a", "cn-xxxx", "not-available", "masked-region", "cn-", "***"] {
            assert_eq!(region(text), "", "{text}");
        }
    }
}
