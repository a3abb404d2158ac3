//! Calls of an account and region of which nobody knows the key: what they may change of any key there.

use super::changes::Changes;
use super::collect::{Counted, Entry, From, text};
use super::doubt::{OpenCall, Which};
use super::tally::{Calls, OperationCalls, Purpose, Unattributed};
use super::told::{Applications, Meanings, Seen};
use crate::domains::cmk::facts::ROTATION;

/// Calls of which the key is not known.
#[derive(Debug, Clone, Default)]
pub(super) struct Open {
    /// Operations that block, or that change what blocks.
    pub(super) calls: Vec<OpenCall>,
    /// The same with keys that are not in the inventory.
    pub(super) elsewhere: Vec<OpenCall>,
    /// Cryptographic calls of applications.
    pub(super) applications: Applications,
    /// Cryptographic calls of cloud services and tools.
    pub(super) others: u64,
    /// Whether keys that are not in the inventory are used.
    pub(super) is_used_elsewhere: bool,
}

impl Open {
    /// Adds calls that name no key.
    pub(super) fn add(&mut self, from: &From, calls: &Unattributed, counted: &Counted, meanings: &Meanings) {
        self.calls.extend(OpenCall::of(from, calls, counted, meanings.of(from.operation)));
        let succeeded = calls.calls.calls - calls.calls.failed.min(calls.calls.calls);
        match meanings.of(from.operation).purpose {
            Purpose::Failed | Purpose::Management => {}
            _ if succeeded == 0 => {}
            Purpose::Cryptographic | Purpose::Supposed if from.caller.is_application() => {
                self.applications.add_language(from.caller, succeeded);
                self.applications.add_places(&calls.places, counted);
            }
            Purpose::Cryptographic | Purpose::Supposed => self.others += succeeded,
        }
    }

    /// Adds the calls of a key that is not in the inventory, or with a name of which nobody knows which key it is.
    pub(super) fn add_stranger(&mut self, entry: &Entry, is_id: bool, counted: &Counted, meanings: &Meanings) {
        // What all failed with an id may have named no key; with another name, one of the inventory.
        let all_failed = entry.tally.calls.failed >= entry.tally.calls.calls;
        if is_id && all_failed {
            return;
        }
        for OperationCalls { operation, calls, failed } in &entry.tally.operations {
            let calls = Calls { calls: *calls, failed: u64::from(*failed) };
            let Some(fact) = meanings.of(*operation).concerns(calls) else { continue };
            let may_rotate = |changes: &Changes| changes.is_made_to_rotate() || changes.may_have_rotated(i64::MAX);
            let is_known = meanings.of(*operation).changes_surely;
            if fact == ROTATION && is_known && !counted.changes(entry).is_some_and(may_rotate) {
                continue;
            }
            let (name, operation) = (entry.key.to_string(), text(&counted.names.operations, *operation).to_owned());
            let which = if is_id { Which::OtherKey(name) } else { Which::Alias(name) };
            let call =
                OpenCall { fact, operation, principal: String::new(), calls, last: entry.tally.span.last, which };
            if is_id { self.elsewhere.push(call) } else { self.calls.push(call) }
        }
        if all_failed {
            return;
        }
        let mut seen = Seen::default();
        seen.add(entry, counted, meanings);
        if is_id {
            self.is_used_elsewhere |= seen.is_used;
            return;
        }
        self.applications.add(&seen.applications);
        self.applications.add(&seen.supposed);
        // Where operations that nobody knows are called from is not counted.
        if seen.supposed.calls > 0 {
            self.applications.add_unclear("unknown", seen.supposed.calls);
        }
        self.others += u64::from(seen.is_used && seen.applications.calls + seen.supposed.calls == 0);
    }
}
