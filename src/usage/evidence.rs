//! What audit logs tell of the keys of an inventory: facts with their grades, and what the logs leave open.
//!
//! A call that was seen is known. That there are no others is known only as far as the log reaches: from when to when, in
//! which hours, and of which calls it names the key. What is not known is a [`Doubt`], which makes facts inferred, so that
//! verdicts that rest on them have conditions; it never makes a fact false.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use foldhash::fast::FixedState;

use super::collect::{Counted, Entry, text};
use super::coverage::Coverage;
use super::doubt::{Demands, Doubt, OpenCall};
use super::open::Open;
use super::overlay::Told;
use super::tally::{Purpose, Span};
use super::time::{HOUR, show};
use super::told::{Meanings, Seen};
use super::whole::{has_masked_block, whole_ids};
use crate::domains::cmk::facts::{FACTS, ID_MASKED, KEY_ID_FORM, STATE};
use crate::domains::cmk::fields::Field;
use crate::engine::facts::Lang;
use crate::inventory::clock::{Order, time_in};
use crate::inventory::record::Extra;
use crate::inventory::row::{Note, NoteKind, Place};
use crate::inventory::survey::{Key, Survey};
use crate::inventory::tidy;

const DAY: i64 = 24 * HOUR;

/// So many keys and aliases that are not in the inventory are named.
const NAMED: usize = 10;

/// Account, region, and the id or alias of a key.
pub type Named = (String, String, String);

/// What logs tell of the keys of an inventory.
#[derive(Debug)]
pub struct Evidence {
    /// What was counted.
    pub counted: Counted,
    /// From when on a log tells enough.
    pub demands: Demands,
    /// What is known of the operations of the log.
    meanings: Meanings,
    /// Entries by the id of their key, or by the alias with which it was called.
    pub(super) by_name: HashMap<String, Vec<u32>, FixedState>,
    /// How many keys of the inventory each entry may be about, by number; 0 for aliases that were moved.
    held: Vec<u32>,
    /// What the logs tell of each account and region that the inventory names.
    reaches: BTreeMap<String, BTreeMap<String, Reach>>,
    /// The ids of keys that were called and are not in the inventory, with account and region.
    pub strangers: BTreeSet<Named>,
    /// The aliases with which keys were called and of which nobody knows whose they are, with account and region.
    pub strange_aliases: BTreeSet<Named>,
    /// Those of them that the inventory has: of several keys, or moved while the log was written.
    doubtful_aliases: BTreeSet<Named>,
}

/// What logs tell of all keys of an account and region.
#[derive(Debug, Clone, Default)]
pub struct Reach {
    /// From when to when, and in which hours; nothing if there is no event.
    pub coverage: Option<Coverage>,
    /// What is not known of any key there, by what the logs cover.
    pub doubts: Vec<Doubt>,
    pub(super) open: Open,
}

impl Evidence {
    /// What the logs tell of the keys of a survey.
    pub fn new(counted: Counted, demands: Demands, survey: &Survey) -> Evidence {
        let mut by_name: HashMap<String, Vec<u32>, FixedState> = HashMap::default();
        for (number, entry) in counted.keys.iter().enumerate() {
            by_name.entry(name_of(&entry.key)).or_default().push(number as u32);
        }
        let (reaches, strangers, strange_aliases, doubtful_aliases) = Default::default();
        let (held, meanings) = (vec![1; counted.keys.len()], Meanings::new(&counted));
        let mut evidence = Evidence {
            counted,
            demands,
            meanings,
            by_name,
            held,
            reaches,
            strangers,
            strange_aliases,
            doubtful_aliases,
        };
        let mut held = vec![0_u32; evidence.held.len()];
        // Aliases that the log gives to the key that has them in the inventory.
        let mut given = vec![false; evidence.held.len()];
        // And those that were answered with another.
        let mut of_other = vec![false; evidence.held.len()];
        let called_as = evidence.called_as();
        let mut scopes: BTreeSet<(&str, &str)> = BTreeSet::new();
        for key in survey.keys() {
            let numbers: Vec<u32> = evidence.numbers(&key).collect();
            for number in &numbers {
                let entry = &evidence.counted.keys[*number as usize];
                held[*number as usize] += 1;
                given[*number as usize] |= is_alias(&entry.key) && evidence.is_given_to(entry, key.key_id());
                if let Some(called) = called_as.get(&*entry.key) {
                    of_other[*number as usize] |= evidence.is_of_other(entry, called, key.key_id());
                }
            }
            scopes.insert((key.account_id(), key.region()));
        }
        let mut doubtful = BTreeSet::new();
        for (((entry, held), given), of_other) in evidence.counted.keys.iter().zip(&mut held).zip(given).zip(of_other) {
            if !is_alias(&entry.key) {
                continue;
            }
            let is_moved = of_other || evidence.is_moved(entry, given);
            if *held > 1 || *held == 1 && is_moved {
                doubtful.insert(evidence.named(entry));
            }
            if is_moved {
                *held = 0;
            }
        }
        let is_strange = |(entry, held): &(&Entry, &u32)| **held == 0 || is_alias(&entry.key) && **held > 1;
        let strange = evidence.counted.keys.iter().zip(&held).filter(is_strange);
        let strange: Vec<&Entry> = strange.map(|(entry, _)| entry).collect();
        let whole = whole_ids(strange.iter().map(|entry| name_of(&entry.key)), survey);
        let is_id = |entry: &Entry| whole.contains(&name_of(&entry.key));
        let (others, unclear): (Vec<&Entry>, Vec<&Entry>) = strange.iter().copied().partition(|entry| is_id(entry));
        let mut reaches: BTreeMap<String, BTreeMap<String, Reach>> = BTreeMap::new();
        for (account, region) in scopes {
            let reach = evidence.reach_of(account, region, &others, &unclear);
            reaches.entry(account.to_owned()).or_default().insert(region.to_owned(), reach);
        }
        let (mut strangers, mut strange_aliases) = (BTreeSet::new(), BTreeSet::new());
        // Calls that all failed may have named what is no key.
        for entry in strange.iter().filter(|entry| entry.tally.calls.failed < entry.tally.calls.calls) {
            let named = evidence.named(entry);
            if is_id(entry) {
                strangers.insert(named)
            } else {
                strange_aliases.insert(named)
            };
        }
        (evidence.held, evidence.doubtful_aliases) = (held, doubtful);
        Evidence { reaches, strangers, strange_aliases, ..evidence }
    }

    /// An entry for people.
    fn named(&self, entry: &Entry) -> Named {
        let (account, region) = self.counted.scope(entry);
        (account.to_owned(), region.to_owned(), entry.key.to_string())
    }

    /// What is told of a key.
    pub fn of(&self, key: &Key<'_>) -> Told<'_> {
        let entries: Vec<&Entry> = self.numbers(key).map(|number| &self.counted.keys[number as usize]).collect();
        let mut seen = Seen::default();
        entries.iter().for_each(|entry| seen.add(entry, &self.counted, &self.meanings));
        static NOTHING: std::sync::LazyLock<Reach> = std::sync::LazyLock::new(Reach::default);
        let reach = self.reaches.get(key.account_id()).and_then(|regions| regions.get(key.region()));
        let reach = reach.unwrap_or(&NOTHING);
        let mut own_doubts = Vec::new();
        if key.aside().get(KEY_ID_FORM) == ID_MASKED || has_masked_block(&name_of(key.key_id())) {
            own_doubts.push(Doubt::Masked);
        }
        own_doubts.extend(self.doubt_youth(key, &entries, reach));
        if !seen.is_used && (seen.changes.is_disabled() || says_unusable(key)) {
            own_doubts.push(Doubt::Disabled);
        }
        let has_rotated = seen.changes.may_have_rotated(self.demands.now);
        Told { entries, seen, reach, own_doubts, has_rotated }
    }

    /// Whether the key may not have been used yet, as one that was created lately: by its inventory, or in the log.
    fn doubt_youth(&self, key: &Key<'_>, entries: &[&Entry], reach: &Reach) -> Option<Doubt> {
        let last = reach.coverage.as_ref()?.span?.last;
        let from = last - i64::from(self.demands.days) * DAY;
        let enabled = entries.iter().filter_map(|entry| self.counted.changes(entry)?.enabled).max();
        if let Some(last) = enabled.filter(|last| *last > from && !is_used_around(entries, *last)) {
            return Some(Doubt::Enabled { last });
        }
        // Nothing can be called before.
        let made = entries.iter().filter(|entry| self.succeeded(entry, &["CreateKey"]) > 0);
        let made = made.map(|entry| entry.tally.span.first).filter(|made| *made > from).max();
        if let Some(made) = made {
            return Some(Doubt::Young { created: show(made) });
        }
        // Day and month may stand in either order.
        let times = |created: &str| Order::BOTH.map(|order| time_in(created, order)).into_iter().flatten();
        let all = key.texts(Extra::Field(Field::Created));
        let young = all.iter().find(|created| times(created).any(|created| created.as_second() > from));
        let young = young.map(|created| Doubt::Young { created: (*created).to_owned() });
        young.or_else(|| {
            let unclear = all.iter().find(|created| times(created).next().is_none())?;
            Some(Doubt::AgeUnknown { created: (*unclear).to_owned() })
        })
    }

    /// What is to be known of the logs: from when to when they reach, what they leave open, and who is not in the inventory.
    pub fn notes(&self) -> Vec<Note> {
        let note = |kind, text| Note { place: Place::INPUTS, kind, text };
        let mut notes = Vec::new();
        let mut told: BTreeSet<String> = BTreeSet::new();
        for (account, region, reach) in self.reaches() {
            let whose = format!("audit log of {}", whose((account, region)));
            if let Some(window) = reach.coverage.as_ref().and_then(|coverage| window_words(coverage, Lang::En)) {
                notes.push(note(NoteKind::Reading, format!("{whose}: {window}")));
            }
            let doubts: Vec<String> = reach.doubts.iter().map(|doubt| doubt.words(self.demands, Lang::En)).collect();
            if !doubts.is_empty() {
                let text = format!("{whose}: what it does not show is not proved, for {}", doubts.join("; "));
                notes.push(note(NoteKind::Incomplete, text));
            }
            told.extend(reach.open.calls.iter().map(|call| format!("{whose}: {}", call.words(Lang::En))));
        }
        for (from, calls) in &self.counted.rest.unattributed {
            let scope = self.counted.scope_of(from.account, from.region);
            let is_told = self.reaches().any(|(account, region, _)| agree(scope, (account, region)));
            let call = OpenCall::of(from, calls, &self.counted, self.meanings.of(from.operation)).filter(|_| !is_told);
            let whose = whose(scope);
            told.extend(call.map(|call| {
                format!("audit log of {whose}, of which the inventory has no key: {}", call.words(Lang::En))
            }));
        }
        notes.extend(told.into_iter().map(|text| note(NoteKind::Incomplete, text)));
        let some = |strangers: &BTreeSet<Named>| {
            let named = strangers.iter().take(NAMED).map(|(_, _, name)| name.as_str()).collect::<Vec<_>>().join(", ");
            if strangers.len() > NAMED { format!("{named}, …") } else { named }
        };
        if !self.strangers.is_empty() {
            let count = self.strangers.len();
            let some = some(&self.strangers);
            let text = format!("{count} key(s) are called in the audit log and stand in no inventory: {some}");
            notes.push(note(NoteKind::Incomplete, text));
        }
        let named = |aliases: BTreeSet<Named>, why: &str| {
            let some = some(&aliases);
            let count = aliases.len();
            let text = format!(
                "{count} alias(es) or other names are called in the audit log of which nobody knows which key of the inventory they are: {some}; {why}"
            );
            (count > 0).then(|| note(NoteKind::Incomplete, text))
        };
        let (doubtful, unknown): (BTreeSet<Named>, BTreeSet<Named>) =
            self.strange_aliases.iter().cloned().partition(|alias| self.doubtful_aliases.contains(alias));
        notes.extend(named(unknown, "add ListAliases"));
        let moved = "the inventory has them, but of several keys, or they were moved while the log was written; fill in account_id and region, or take a log of the time since";
        notes.extend(named(doubtful, moved));
        notes
    }

    /// What the logs tell of each account and region that the inventory names.
    pub fn reaches(&self) -> impl Iterator<Item = (&str, &str, &Reach)> {
        let all = self.reaches.iter();
        all.flat_map(|(account, regions)| regions.iter().map(move |(region, reach)| (&**account, &**region, reach)))
    }

    /// The entries of a key, each once: all of its id, unless several keys of the inventory have it; and those of aliases
    /// that no other key has.
    fn numbers<'e>(&'e self, key: &Key<'e>) -> impl Iterator<Item = u32> + use<'e> {
        let entry = |number: u32| &self.counted.keys[number as usize];
        let scope = (key.account_id(), key.region());
        let of = |name: &str| self.by_name.get(name).map_or(&[][..], Vec::as_slice);
        let fits = move |number: &u32| agree(self.counted.scope(entry(*number)), scope);
        let by_id = of(&name_of(key.key_id()));
        let any_fits = by_id.iter().any(fits);
        let by_id = by_id.iter().copied().filter(move |number| {
            let is_only = self.held[*number as usize] <= 1;
            !any_fits || is_only || fits(number)
        });
        let mut aliases: Vec<u32> = Vec::new();
        for alias in key.all_aliases() {
            let full = if is_alias(alias) { alias.to_owned() } else { format!("alias/{alias}") };
            let is_only = |number: &u32| self.held[*number as usize] == 1;
            let more = of(&full).iter().copied().filter(fits).filter(is_only);
            let more: Vec<u32> = more.filter(|new| !aliases.contains(new)).collect();
            aliases.extend(more);
        }
        by_id.chain(aliases)
    }

    fn reach_of(&self, account: &str, region: &str, others: &[&Entry], unclear: &[&Entry]) -> Reach {
        let mut reach = Reach::default();
        let (rest, names) = (&self.counted.rest, &self.counted.names);
        let name = |(account, region): &(u32, u32)| (text(&names.accounts, *account), text(&names.regions, *region));
        let fitting = || rest.coverage.iter().filter(|(scope, _)| agree(name(scope), (account, region)));
        reach.coverage =
            fitting().find(|(scope, _)| name(scope) == (account, region)).map(|(_, coverage)| coverage.clone());
        let is_known = !account.is_empty() && !region.is_empty();
        match &reach.coverage {
            Some(coverage) if is_known => self.doubt_coverage(coverage, &mut reach.doubts),
            _ if fitting().next().is_some() => reach.doubts.push(Doubt::ScopeUnknown),
            _ => reach.doubts.push(Doubt::NotCovered),
        }
        if reach.coverage.is_some() && is_known && !self.has_cryptographic(account, region) {
            reach.doubts.push(Doubt::NothingCryptographic);
        }
        let (events, files) = (rest.account.broken, rest.account.unread_files);
        if events + files > 0 {
            reach.doubts.push(Doubt::Unread { events, files });
        }
        for (from, calls) in &rest.unattributed {
            if agree(name(&(from.account, from.region)), (account, region)) {
                reach.open.add(from, calls, &self.counted, &self.meanings);
            }
        }
        let fits = |entry: &&&Entry| agree(self.counted.scope(entry), (account, region));
        for entry in others.iter().filter(fits) {
            reach.open.add_stranger(entry, true, &self.counted, &self.meanings);
        }
        for entry in unclear.iter().filter(fits) {
            reach.open.add_stranger(entry, false, &self.counted, &self.meanings);
        }
        // Numbers are given in the order in which threads meet what they stand for; words are the same in every run.
        for calls in [&mut reach.open.calls, &mut reach.open.elsewhere] {
            calls.sort_by_cached_key(|call| call.words(Lang::En));
        }
        reach
    }

    /// Whether there is a cryptographic call of an account and region, with whatever key.
    fn has_cryptographic(&self, account: &str, region: &str) -> bool {
        let names = &self.counted.names;
        let is_cryptographic = |operation: u32| self.meanings.of(operation).purpose == Purpose::Cryptographic;
        let is_there = |of: (u32, u32)| (text(&names.accounts, of.0), text(&names.regions, of.1)) == (account, region);
        let mut open = self.counted.rest.unattributed.keys();
        let of_keys = |entry: &Entry| entry.tally.operations.iter().any(|of| is_cryptographic(of.operation));
        open.any(|from| is_there((from.account, from.region)) && is_cryptographic(from.operation))
            || self.counted.keys.iter().any(|entry| is_there((entry.account, entry.region)) && of_keys(entry))
    }

    fn doubt_coverage(&self, coverage: &Coverage, doubts: &mut Vec<Doubt>) {
        let Some(Span { last, .. }) = coverage.span else { return };
        let demanded = i64::from(self.demands.days) * DAY;
        let reaches = coverage.all_hours() * HOUR;
        if reaches < demanded {
            doubts.push(Doubt::Short { days: reaches / DAY });
        }
        if demanded > 0 && self.demands.now - last > demanded {
            doubts.push(Doubt::Old { last });
        }
        let hours = coverage.longest_silence();
        if hours > i64::from(self.demands.silent_hours) {
            doubts.push(Doubt::Silent { hours });
        }
        // Quiet accounts read seldom.
        let reads = coverage.reads().map_or(0, |Span { first, last }| last - first + 2 * DAY);
        let is_short = reads < demanded.min(reaches).max(1);
        if coverage.writes().is_some() && (is_short || coverage.lacks_reads()) {
            doubts.push(Doubt::WritesOnly);
        }
    }
}

/// From when to when a log reaches, and in which hours.
pub fn window_words(coverage: &Coverage, lang: Lang) -> Option<String> {
    let Span { first, last } = coverage.span?;
    let (days, silent, longest) = (coverage.all_hours() / 24, coverage.silent_hours(), coverage.longest_silence());
    let (first, last) = (show(first), show(last));
    Some(match (lang, silent) {
        (Lang::En, 0) => format!("{first} to {last}, {days} day(s), an event in every hour"),
        (Lang::En, _) => {
            format!("{first} to {last}, {days} day(s), no event in {silent} of the hours, in up to {longest} on end")
        }
        (Lang::Zh, 0) => format!("{first} 至 {last}，共 {days} 天，每小时均有事件"),
        (Lang::Zh, _) => format!("{first} 至 {last}，共 {days} 天，{silent} 个小时无事件，最长连续 {longest} 小时"),
    })
}

/// An account and region for people.
pub fn whose((account, region): (&str, &str)) -> String {
    let or_unknown = |text: &str| if text.is_empty() { "(unknown)".to_owned() } else { text.to_owned() };
    format!("account {}, {}", or_unknown(account), or_unknown(region))
}

/// Whether calls used a key before and after it was enabled, so that it was never unusable. Only the first and the last call
/// have a time: they are known to be cryptographic where the enabling is the only call that is not.
fn is_used_around(entries: &[&Entry], enabled: i64) -> bool {
    let calls = |entry: &&Entry| {
        let of = entry.tally.applications.iter().filter(|of| of.application.purpose() == Purpose::Cryptographic);
        of.map(|of| of.calls).sum::<u64>()
    };
    let (used, all) =
        entries.iter().fold((0, 0), |(used, all), entry| (used + calls(entry), all + entry.tally.calls.calls));
    let has = |is: &dyn Fn(&Span) -> bool| entries.iter().any(|entry| is(&entry.tally.span));
    used + 1 == all && has(&|span| span.first < enabled) && has(&|span| span.last > enabled)
}

/// Whether the inventory says that a key cannot be used.
fn says_unusable(key: &Key<'_>) -> bool {
    let value = |name| FACTS[STATE.index()].value(name).unwrap_or_default();
    let unusable = value("Disabled") | value("PendingDeletion");
    key.said(STATE).any(|(_, bits)| bits & unusable != 0)
}

fn is_alias(name: &str) -> bool {
    name.starts_with("alias/")
}

/// An id in the one spelling of ids; an alias as it stands.
pub(super) fn name_of(key: &str) -> String {
    match tidy::key_id(key) {
        Ok(key_id) if !is_alias(key) => key_id.into_owned(),
        _ => key.to_owned(),
    }
}

/// Whether two accounts and regions may be the same.
pub(super) fn agree(one: (&str, &str), other: (&str, &str)) -> bool {
    let may_be = |one: &str, other: &str| one.is_empty() || other.is_empty() || one == other;
    (may_be(one.0, other.0) || is_masked_like(one.0, other.0)) && may_be(one.1, other.1)
}

/// Whether two accounts differ only where one of them has the same digit many times over, as masks leave.
fn is_masked_like(one: &str, other: &str) -> bool {
    let is_in_run = |account: &[u8], at: usize| {
        let is_same = |digit: &&u8| **digit == account[at];
        let before = account[..at].iter().rev().take_while(is_same).count();
        before + account[at..].iter().take_while(is_same).count() >= RUN_IN_ACCOUNT
    };
    let (one, other) = (one.as_bytes(), other.as_bytes());
    one.len() == other.len()
        && (0..one.len()).all(|at| one[at] == other[at] || is_in_run(one, at) || is_in_run(other, at))
}

/// So many times the same digit may stand for others.
const RUN_IN_ACCOUNT: usize = 6;
