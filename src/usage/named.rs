//! What events name, in one spelling: who made a call, accounts and regions.

use std::borrow::Cow;

use super::event::Event;
use super::scan::Raw;
use crate::inventory::tidy;

/// `userIdentity.type`, with the word for outputs.
pub(super) const KINDS: [(&[u8], &str); 4] =
    [(b"assumed-role", "role"), (b"ram-user", "user"), (b"root-account", "root"), (b"", "principal")];

/// An account as inventories have it; empty if nobody knows which it is.
pub(super) fn account(text: &str) -> Cow<'_, str> {
    known(tidy::account_id(text))
}

/// A region as inventories have it; empty if nobody knows which it is.
pub(super) fn region(text: &str) -> Cow<'_, str> {
    known(tidy::region(text))
}

fn known(scope: tidy::Scope<'_>) -> Cow<'_, str> {
    match scope {
        tidy::Scope::Is(text) => text,
        tidy::Scope::Unclear(_) => "".into(),
    }
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
