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
use super::tally::{Calls, OperationCalls, Purpose, Side, Span, Unattributed};
use super::time::{HOUR, show};
use super::told::{Applications, Seen, forbidden};
use crate::domains::cmk::facts::{FACTS, ID_MASKED, KEY_ID_FORM, LANGUAGES, NETWORK, OPERATIONS, USAGE};
use crate::engine::facts::{Bits, FactId, FactSet, Facts, Grade, Lang};
use crate::engine::judge::Program;
use crate::inventory::overlay::Overlay;
use crate::inventory::row::{Note, NoteKind, Place};
use crate::inventory::survey::{Key, Survey};
use crate::inventory::tidy;

const DAY: i64 = 24 * HOUR;

/// The facts that logs tell of.
pub const OF_USE: [FactId; 4] = [USAGE, OPERATIONS, LANGUAGES, NETWORK];

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
    by_name: HashMap<String, Vec<u32>, FixedState>,
    /// What the logs tell of each account and region that the inventory names.
    reaches: BTreeMap<String, BTreeMap<String, Reach>>,
    /// The ids of keys that were called and are not in the inventory, with account and region.
    pub strangers: BTreeSet<Named>,
    /// The aliases with which keys were called and which no key of the inventory has, with account and region.
    pub strange_aliases: BTreeSet<Named>,
}

/// What logs tell of all keys of an account and region.
#[derive(Debug, Clone, Default)]
pub struct Reach {
    /// From when to when, and in which hours; nothing if there is no event.
    pub coverage: Option<Coverage>,
    /// What is not known of any key there, by what the logs cover.
    pub doubts: Vec<Doubt>,
    open: Open,
}

/// Calls of which the key is not known.
#[derive(Debug, Clone, Default)]
struct Open {
    forbidden: Vec<OpenCall>,
    /// Operations that block, called with keys that are not in the inventory.
    elsewhere: Vec<OpenCall>,
    applications: Applications,
}

/// What logs tell of a key.
#[derive(Debug)]
pub struct Told<'e> {
    /// Its calls.
    pub entries: Vec<&'e Entry>,
    /// What they tell.
    pub seen: Seen,
    /// What the logs tell of its account and region.
    pub reach: &'e Reach,
    /// Whether its id is masked, so that nobody knows which calls are its own.
    pub is_masked: bool,
}

impl Evidence {
    /// What the logs tell of the keys of a survey.
    pub fn new(counted: Counted, demands: Demands, survey: &Survey) -> Evidence {
        let mut by_name: HashMap<String, Vec<u32>, FixedState> = HashMap::default();
        for (number, entry) in counted.keys.iter().enumerate() {
            by_name.entry(name_of(&entry.key)).or_default().push(number as u32);
        }
        let (reaches, strangers, strange_aliases) = Default::default();
        let evidence = Evidence { counted, demands, by_name, reaches, strangers, strange_aliases };
        let mut is_known = vec![false; evidence.counted.keys.len()];
        let mut scopes: BTreeSet<(&str, &str)> = BTreeSet::new();
        for key in survey.keys() {
            evidence.numbers(&key).for_each(|number| is_known[number as usize] = true);
            scopes.insert((key.account_id(), key.region()));
        }
        let strange: Vec<&Entry> =
            evidence.counted.keys.iter().zip(&is_known).filter(|(_, known)| !**known).map(|(entry, _)| entry).collect();
        let mut reaches: BTreeMap<String, BTreeMap<String, Reach>> = BTreeMap::new();
        for (account, region) in scopes {
            let reach = evidence.reach_of(account, region, &strange);
            reaches.entry(account.to_owned()).or_default().insert(region.to_owned(), reach);
        }
        let (mut strangers, mut strange_aliases) = (BTreeSet::new(), BTreeSet::new());
        // Calls that all failed may have named what is no key.
        for entry in strange.into_iter().filter(|entry| entry.tally.calls.failed < entry.tally.calls.calls) {
            let (account, region) = evidence.counted.scope(entry);
            let named = (account.to_owned(), region.to_owned(), entry.key.to_string());
            if is_alias(&entry.key) {
                strange_aliases.insert(named)
            } else {
                strangers.insert(named)
            };
        }
        Evidence { reaches, strangers, strange_aliases, ..evidence }
    }

    /// What is told of a key.
    pub fn of(&self, key: &Key<'_>) -> Told<'_> {
        let entries: Vec<&Entry> = self.numbers(key).map(|number| &self.counted.keys[number as usize]).collect();
        let mut seen = Seen::default();
        entries.iter().for_each(|entry| seen.add(&entry.tally, &self.counted));
        static NOTHING: std::sync::LazyLock<Reach> = std::sync::LazyLock::new(Reach::default);
        let reach = self.reaches.get(key.account_id()).and_then(|regions| regions.get(key.region()));
        let is_masked = key.aside().get(KEY_ID_FORM) == ID_MASKED;
        Told { entries, seen, reach: reach.unwrap_or(&NOTHING), is_masked }
    }

    /// What is to be known of the logs: from when to when they reach, what they leave open, and who is not in the inventory.
    pub fn notes(&self) -> Vec<Note> {
        let note = |kind, text| Note { place: Place::INPUTS, kind, text };
        let mut notes = Vec::new();
        let mut told: BTreeSet<String> = BTreeSet::new();
        for (account, region, reach) in self.reaches() {
            let whose = format!("audit log of account {}, {}", or_unknown(account), or_unknown(region));
            if let Some(window) = reach.coverage.as_ref().and_then(|coverage| window_words(coverage, Lang::En)) {
                notes.push(note(NoteKind::Reading, format!("{whose}: {window}")));
            }
            let doubts: Vec<String> = reach.doubts.iter().map(|doubt| doubt.words(self.demands, Lang::En)).collect();
            if !doubts.is_empty() {
                let text = format!("{whose}: what it does not show is not proved, for {}", doubts.join("; "));
                notes.push(note(NoteKind::Incomplete, text));
            }
            told.extend(reach.open.forbidden.iter().map(|call| format!("{whose}: {}", call.words(Lang::En))));
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
        if !self.strange_aliases.is_empty() {
            let (count, some) = (self.strange_aliases.len(), some(&self.strange_aliases));
            let text = format!(
                "{count} alias(es) are called in the audit log, and no key of the inventory has them: {some}; add ListAliases"
            );
            notes.push(note(NoteKind::Incomplete, text));
        }
        notes
    }

    /// What the logs tell of each account and region that the inventory names.
    pub fn reaches(&self) -> impl Iterator<Item = (&str, &str, &Reach)> {
        let all = self.reaches.iter();
        all.flat_map(|(account, regions)| regions.iter().map(move |(region, reach)| (&**account, &**region, reach)))
    }

    /// The entries of a key, each once: those of its account and region, or all of its id if none is.
    fn numbers<'e>(&'e self, key: &Key<'e>) -> impl Iterator<Item = u32> + use<'e> {
        let entry = |number: u32| &self.counted.keys[number as usize];
        let scope = (key.account_id(), key.region());
        let of = |name: &str| self.by_name.get(name).map_or(&[][..], Vec::as_slice);
        let fits = move |number: &u32| agree(self.counted.scope(entry(*number)), scope);
        let by_id = of(&name_of(key.key_id()));
        let any_fits = by_id.iter().any(fits);
        let by_id = by_id.iter().copied().filter(move |number| !any_fits || fits(number));
        let mut aliases: Vec<u32> = Vec::new();
        for alias in key.all_aliases() {
            let full = if is_alias(alias) { alias.to_owned() } else { format!("alias/{alias}") };
            let more: Vec<u32> = of(&full).iter().copied().filter(fits).filter(|new| !aliases.contains(new)).collect();
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
        reach
    }

    fn doubt_coverage(&self, coverage: &Coverage, doubts: &mut Vec<Doubt>) {
        let Some(Span { first, last }) = coverage.span else { return };
        let demanded = i64::from(self.demands.days) * DAY;
        if last - first < demanded {
            doubts.push(Doubt::Short { days: (last - first) / DAY });
        }
        if self.demands.now - last > demanded {
            doubts.push(Doubt::Old { last });
        }
        let hours = coverage.longest_silence();
        if hours > i64::from(self.demands.silent_hours) {
            doubts.push(Doubt::Silent { hours });
        }
        if coverage.event_rw().eq(["Write"]) {
            doubts.push(Doubt::WritesOnly);
        }
    }
}

impl Open {
    fn add(&mut self, from: &From, calls: &Unattributed, counted: &Counted) {
        let operation = text(&counted.names.operations, from.operation);
        if forbidden(operation) != 0 {
            let which = if from.side == Side::Source { Which::OnlyDestination } else { Which::None };
            let principal = text(&counted.names.principals, from.principal).to_owned();
            let (operation, last) = (operation.to_owned(), calls.span.last);
            self.forbidden.push(OpenCall { operation, principal, calls: calls.calls, last, which });
        }
        if from.caller.is_application() && Purpose::of(operation) == Purpose::Cryptographic {
            self.applications.add_language(from.caller, calls.calls.calls);
            self.applications.add_places(&calls.places, counted);
        }
    }

    /// Adds the calls of a key, or with an alias, that is not in the inventory.
    fn add_stranger(&mut self, entry: &Entry, counted: &Counted) {
        let is_alias = is_alias(&entry.key);
        for OperationCalls { operation, calls, failed } in &entry.tally.operations {
            let operation = text(&counted.names.operations, *operation);
            if forbidden(operation) == 0 {
                continue;
            }
            let name = entry.key.to_string();
            let which = if is_alias { Which::Alias(name) } else { Which::OtherKey(name) };
            let calls = Calls { calls: *calls, failed: u64::from(*failed) };
            let (operation, last) = (operation.to_owned(), entry.tally.span.last);
            let call = OpenCall { operation, principal: String::new(), calls, last, which };
            if is_alias { self.forbidden.push(call) } else { self.elsewhere.push(call) }
        }
        if is_alias {
            let mut seen = Seen::default();
            seen.add(&entry.tally, counted);
            self.applications.add(&seen.applications);
        }
    }
}

impl Told<'_> {
    /// What is not known of the key although there are logs.
    pub fn doubts(&self) -> Vec<Doubt> {
        let mut doubts = self.reach.doubts.clone();
        doubts.extend(self.open_calls().cloned().map(Doubt::Forbidden));
        let failed = self.seen.only_failed.iter();
        doubts.extend(
            failed.map(|(operation, calls)| Doubt::OnlyFailed { operation: operation.clone(), calls: calls.calls }),
        );
        let open = &self.reach.open.applications;
        if open.calls > 0 {
            doubts.push(Doubt::OpenApplications { calls: open.calls, callers: open.callers() });
        }
        let own = &self.seen.applications;
        if own.unknown > 0 {
            doubts.push(Doubt::LanguageUnknown { calls: own.unknown });
        }
        if own.unclear > 0 {
            doubts.push(Doubt::PlaceUnclear { calls: own.unclear, places: own.places.clone() });
        }
        doubts
    }

    /// Calls of operations that block, which may be calls with this key.
    fn open_calls(&self) -> impl Iterator<Item = &OpenCall> {
        let elsewhere = if self.is_masked { &self.reach.open.elsewhere[..] } else { &[] };
        self.reach.open.forbidden.iter().chain(elsewhere)
    }

    /// The facts of which the calls of the key say something.
    pub fn facts(&self) -> FactSet {
        let seen = &self.seen;
        let is_used = seen.by_service || seen.applications.calls > 0;
        let said = [is_used, seen.operations != 0, seen.applications.languages != 0, seen.applications.network != 0];
        OF_USE.iter().zip(said).filter(|(_, said)| *said).fold(0, |facts, (fact, _)| facts | fact.bit())
    }

    /// The facts that follow, beside those that records tell.
    pub fn overlay(&self, program: &Program, records: &Facts) -> Overlay {
        let (seen, own, open) = (&self.seen, &self.seen.applications, &self.reach.open.applications);
        let kind = |fact: FactId, bits: Bits| program.representative(fact, bits);
        let obstructs =
            |fact: FactId, bits: Bits| bits != 0 && kind(fact, bits) != kind(fact, FACTS[fact.index()].presumed());
        let is_complete = self.reach.doubts.is_empty() && !self.is_masked;
        let graded = |fact: FactId, bits: Bits, is_all: bool| {
            // More calls add values and take none away, so that what is in the way already stays there.
            if is_complete && is_all || obstructs(fact, bits) { Grade::Measured } else { Grade::Inferred }
        };
        let is_open = self.open_calls().next().is_some() || !seen.only_failed.is_empty();
        let changes = |fact: FactId, bits: Bits, more: Bits| kind(fact, bits | more) != kind(fact, bits);
        let mut overlay = Overlay::default();
        let all = !is_open;
        overlay.seen.set(OPERATIONS, seen.operations, graded(OPERATIONS, seen.operations, all));
        let all = own.unknown + open.unknown == 0 && !changes(LANGUAGES, own.languages, open.languages);
        overlay.seen.set(LANGUAGES, own.languages, graded(LANGUAGES, own.languages, all));
        let all = own.unclear + open.unclear == 0 && !changes(NETWORK, own.network, open.network);
        overlay.seen.set(NETWORK, own.network, graded(NETWORK, own.network, all));
        let value = |name: &str| FACTS[USAGE.index()].value(name).unwrap_or_default();
        let by_applications = own.calls > 0;
        let usage = if by_applications { value("self-managed") } else { 0 };
        let usage = usage | if seen.by_service { value("server-side") } else { 0 };
        // That applications use it is certain; that none does, only if no call may be theirs.
        let is_sure = by_applications || is_complete && open.calls == 0;
        overlay.seen.set(USAGE, usage, if is_sure { Grade::Measured } else { Grade::Inferred });
        if is_complete
            && !seen.is_used
            && open.calls == 0
            && !is_open
            && OF_USE.iter().all(|fact| !says_use(records, *fact))
        {
            for fact in OF_USE {
                overlay.unsaid.set(fact, FACTS[fact.index()].none_bit(), Grade::Measured);
            }
        }
        if is_open
            && !obstructs(
                OPERATIONS,
                (records.get(OPERATIONS) | seen.operations) & !FACTS[OPERATIONS.index()].none_bit(),
            )
        {
            overlay.doubtful |= OPERATIONS.bit();
        }
        overlay
    }
}

/// From when to when a log reaches, and in which hours.
pub fn window_words(coverage: &Coverage, lang: Lang) -> Option<String> {
    let Span { first, last } = coverage.span?;
    let (days, silent, longest) = ((last - first) / DAY, coverage.silent_hours(), coverage.longest_silence());
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

fn or_unknown(text: &str) -> &str {
    if text.is_empty() { "(unknown)" } else { text }
}

/// Whether records say that the key is used, or contradict each other.
fn says_use(records: &Facts, fact: FactId) -> bool {
    records.grade(fact) != Grade::Unknown && records.get(fact) != FACTS[fact.index()].none_bit()
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
fn agree(one: (&str, &str), other: (&str, &str)) -> bool {
    let may_be = |one: &str, other: &str| one.is_empty() || other.is_empty() || one == other;
    may_be(one.0, other.0) && may_be(one.1, other.1)
}
