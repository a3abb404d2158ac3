//! What audit logs tell of the keys of an inventory: facts with their grades, and what the logs leave open.
//!
//! A call that was seen is known. That there are no others is known only as far as the log reaches: from when to when, in
//! which hours, and of which calls it names the key. What is not known is a [`Doubt`], which makes facts inferred, so that
//! verdicts that rest on them have conditions; it never makes a fact false.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use foldhash::fast::FixedState;

use super::collect::{Counted, Entry, From, text};
use super::coverage::Coverage;
use super::doubt::{Demands, Doubt, OpenCall, Which};
use super::overlay::Told;
use super::tally::{Calls, OperationCalls, Purpose, Span, Unattributed};
use super::time::{HOUR, show};
use super::told::{Applications, Seen, concerned};
use crate::domains::cmk::facts::{ID_MASKED, KEY_ID_FORM};
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

impl Evidence {
    /// What the logs tell of the keys of a survey.
    pub fn new(counted: Counted, demands: Demands, survey: &Survey) -> Evidence {
        let mut by_name: HashMap<String, Vec<u32>, FixedState> = HashMap::default();
        for (number, entry) in counted.keys.iter().enumerate() {
            by_name.entry(name_of(&entry.key)).or_default().push(number as u32);
        }
        let (reaches, strangers, strange_aliases, doubtful_aliases) = Default::default();
        let held = vec![1; counted.keys.len()];
        let mut evidence =
            Evidence { counted, demands, by_name, held, reaches, strangers, strange_aliases, doubtful_aliases };
        let mut held = vec![0_u32; evidence.held.len()];
        // Aliases of keys that got one in the log.
        let mut given = vec![false; evidence.held.len()];
        let mut scopes: BTreeSet<(&str, &str)> = BTreeSet::new();
        for key in survey.keys() {
            let numbers: Vec<u32> = evidence.numbers(&key).collect();
            let entry = |number: &u32| &evidence.counted.keys[*number as usize];
            // As often as the key got an alias, so often its aliases were given to a key.
            let created = |of_alias: bool| -> u64 {
                let entries = numbers.iter().map(entry).filter(|entry| is_alias(&entry.key) == of_alias);
                entries.map(|entry| evidence.succeeded(entry, &["CreateAlias"])).sum()
            };
            let gets_them = created(false) >= created(true);
            for number in &numbers {
                held[*number as usize] += 1;
                given[*number as usize] |= gets_them;
            }
            scopes.insert((key.account_id(), key.region()));
        }
        let mut doubtful = BTreeSet::new();
        for ((entry, held), given) in evidence.counted.keys.iter().zip(&mut held).zip(given) {
            if !is_alias(&entry.key) {
                continue;
            }
            let is_moved = evidence.is_moved(entry, given);
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
        let mut reaches: BTreeMap<String, BTreeMap<String, Reach>> = BTreeMap::new();
        for (account, region) in scopes {
            let reach = evidence.reach_of(account, region, &strange);
            reaches.entry(account.to_owned()).or_default().insert(region.to_owned(), reach);
        }
        let (mut strangers, mut strange_aliases) = (BTreeSet::new(), BTreeSet::new());
        // Calls that all failed may have named what is no key.
        for entry in strange.iter().filter(|entry| entry.tally.calls.failed < entry.tally.calls.calls) {
            let named = evidence.named(entry);
            if is_id(&entry.key) {
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
        entries.iter().for_each(|entry| seen.add(&entry.tally, &self.counted));
        static NOTHING: std::sync::LazyLock<Reach> = std::sync::LazyLock::new(Reach::default);
        let reach = self.reaches.get(key.account_id()).and_then(|regions| regions.get(key.region()));
        let reach = reach.unwrap_or(&NOTHING);
        let mut own_doubts = Vec::new();
        if key.aside().get(KEY_ID_FORM) == ID_MASKED {
            own_doubts.push(Doubt::Masked);
        }
        own_doubts.extend(self.doubt_youth(key, &entries, reach));
        Told { entries, seen, reach, own_doubts }
    }

    /// Whether the key may not have been used yet, as one that was created lately: by its inventory, or in the log.
    fn doubt_youth(&self, key: &Key<'_>, entries: &[&Entry], reach: &Reach) -> Option<Doubt> {
        let last = reach.coverage.as_ref()?.span?.last;
        let from = last - i64::from(self.demands.days) * DAY;
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
            let call = OpenCall::of(from, calls, &self.counted).filter(|_| !is_told);
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

    fn reach_of(&self, account: &str, region: &str, strange: &[&Entry]) -> Reach {
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
                reach.open.add(from, calls, &self.counted);
            }
        }
        for entry in strange.iter().filter(|entry| agree(self.counted.scope(entry), (account, region))) {
            reach.open.add_stranger(entry, &self.counted);
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
        let is_cryptographic =
            |operation: u32| Purpose::of(text(&names.operations, operation)) == Purpose::Cryptographic;
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
        if coverage.writes().is_some() && reads < demanded.min(reaches).max(1) {
            doubts.push(Doubt::WritesOnly);
        }
    }
}

impl Open {
    fn add(&mut self, from: &From, calls: &Unattributed, counted: &Counted) {
        let operation = text(&counted.names.operations, from.operation);
        self.calls.extend(OpenCall::of(from, calls, counted));
        let succeeded = calls.calls.calls - calls.calls.failed.min(calls.calls.calls);
        match Purpose::of(operation) {
            Purpose::Cryptographic if succeeded == 0 => {}
            Purpose::Cryptographic if from.caller.is_application() => {
                self.applications.add_language(from.caller, succeeded);
                self.applications.add_places(&calls.places, counted);
            }
            Purpose::Cryptographic => self.others += succeeded,
            Purpose::Failed | Purpose::Management => {}
        }
    }

    /// Adds the calls of a key that is not in the inventory, or with a name of which nobody knows which key it is.
    fn add_stranger(&mut self, entry: &Entry, counted: &Counted) {
        if entry.tally.calls.failed >= entry.tally.calls.calls {
            return;
        }
        let is_alias = !is_id(&entry.key);
        for OperationCalls { operation, calls, failed } in &entry.tally.operations {
            let operation = text(&counted.names.operations, *operation);
            let calls = Calls { calls: *calls, failed: u64::from(*failed) };
            let Some(fact) = concerned(operation, calls) else { continue };
            let name = entry.key.to_string();
            let which = if is_alias { Which::Alias(name) } else { Which::OtherKey(name) };
            let (operation, last) = (operation.to_owned(), entry.tally.span.last);
            let call = OpenCall { fact, operation, principal: String::new(), calls, last, which };
            if is_alias { self.calls.push(call) } else { self.elsewhere.push(call) }
        }
        let mut seen = Seen::default();
        seen.add(&entry.tally, counted);
        if is_alias {
            self.applications.add(&seen.applications);
            self.others += u64::from(seen.is_used && seen.applications.calls == 0);
        } else {
            self.is_used_elsewhere |= seen.is_used;
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

/// Whether a name is the whole id of a key: a UUID, or `key-…`.
fn is_id(name: &str) -> bool {
    let name = name_of(name);
    tidy::is_uuid(&name) || name.starts_with("key-") && !tidy::is_masked(&name)
}

fn is_alias(name: &str) -> bool {
    name.starts_with("alias/")
}

/// An id in the one spelling of ids; an alias as it stands.
fn name_of(key: &str) -> String {
    match tidy::key_id(key) {
        Ok(key_id) if !is_alias(key) => key_id.into_owned(),
        _ => key.to_owned(),
    }
}

/// Whether two accounts and regions may be the same.
pub(super) fn agree(one: (&str, &str), other: (&str, &str)) -> bool {
    let may_be = |one: &str, other: &str| one.is_empty() || other.is_empty() || one == other;
    may_be(one.0, other.0) && may_be(one.1, other.1)
}
