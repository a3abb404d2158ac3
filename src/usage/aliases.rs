//! Aliases that were given to keys, or taken from them, while a log was written.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::collect::{Entry, text};
use super::evidence::{Evidence, agree, name_of};
use super::tally::Side;

/// The ids of keys that were called by each alias, with their accounts and regions by number.
type CalledAs<'e> = HashMap<&'e str, Vec<Called<'e>>, FixedState>;

/// The account and region by number, and the id of a key.
type Called<'e> = ((u32, u32), &'e str);

impl Evidence {
    /// Whether an alias may have been that of another key while the log was written. Who gets an alias for the first time has
    /// it from then on: if the key that has it in the inventory was given one, it is the same all the time.
    pub(super) fn is_moved(&self, alias: &Entry, is_given: bool) -> bool {
        let scope = self.counted.scope(alias);
        // Calls of which nobody knows the account or region may be calls with this alias.
        let numbers = self.by_name.get(&*alias.key).map_or(&[][..], Vec::as_slice).iter();
        let same = numbers.map(|number| &self.counted.keys[*number as usize]);
        let same: Vec<&Entry> = same.filter(|entry| agree(self.counted.scope(entry), scope)).collect();
        let succeeded = |names: &[&str]| same.iter().map(|entry| self.succeeded(entry, names)).sum::<u64>();
        let created = succeeded(&["CreateAlias"]);
        // What worked before was the alias of another key.
        let calls = alias.tally.calls;
        let given_first = self.counted.changes(alias).and_then(|changes| changes.given_first);
        let worked_before = created < calls.calls.saturating_sub(calls.failed)
            && given_first.is_some_and(|given| alias.tally.span.first < given);
        succeeded(&["UpdateAlias", "DeleteAlias"]) > 0
            || created > 1
            || created == 1 && (!is_given || worked_before)
            || self.moves_some_alias(scope)
    }

    /// The ids of keys that were called by each alias, with their accounts and regions, as far as events name both.
    pub(super) fn called_as(&self) -> CalledAs<'_> {
        let mut all = CalledAs::default();
        for (scope, changes) in &self.counted.rest.changes {
            for (key, changes) in changes {
                changes.called_as.iter().for_each(|alias| all.entry(alias).or_default().push((*scope, key)));
            }
        }
        all
    }

    /// Whether calls with an alias were answered with another key than that of an id.
    pub(super) fn is_of_other(&self, alias: &Entry, called: &[Called<'_>], key_id: &str) -> bool {
        let (scope, own) = (self.counted.scope(alias), name_of(key_id));
        let fits = |of: (u32, u32)| agree(self.counted.scope_of(of.0, of.1), scope);
        called.iter().any(|(of, key)| fits(*of) && name_of(key) != own)
    }

    /// Whether the key of an id, or nobody that the log shows, was given an alias by each CreateAlias of it. Results of before
    /// this was counted do not say to which key.
    pub(super) fn is_given_to(&self, alias: &Entry, key_id: &str) -> bool {
        let created = self.succeeded(alias, &["CreateAlias"]);
        let own = name_of(key_id);
        let to_own = self.counted.changes(alias).map_or(0, |changes| {
            let to_own = changes.given_to.iter().filter(|(key, _)| name_of(key) == own);
            to_own.map(|(_, count)| *count).sum()
        });
        created > 0 && to_own >= created
    }

    /// Whether an alias of an account and region was moved of which the log does not say which it is.
    fn moves_some_alias(&self, scope: (&str, &str)) -> bool {
        self.counted.rest.unattributed.iter().any(|(from, calls)| {
            from.side == Side::Alias
                && calls.calls.failed < calls.calls.calls
                && agree(self.counted.scope_of(from.account, from.region), scope)
        })
    }

    /// How many calls of these operations with a key, or under an alias, succeeded.
    pub(super) fn succeeded(&self, entry: &Entry, operations: &[&str]) -> u64 {
        let names = &self.counted.names.operations;
        let calls = entry.tally.operations.iter().filter(|of| operations.contains(&text(names, of.operation)));
        calls.map(|of| of.calls - u64::from(of.failed).min(of.calls)).sum()
    }
}
