//! Key exchange requests as facts: which class goes first, what is said where something is not known, and whether the
//! ways out lead out. The class of a request of which everything is known is written here once more, from the table and
//! from the rules.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use cmkdiag::diagnose::{Settings, ShapeOutcome, Strictness, shape};
use cmkdiag::domains::exchange::EXCHANGE as DOMAIN;
use cmkdiag::domains::exchange::facts::{self, FACTS};
use cmkdiag::engine::decide::Decider;
use cmkdiag::engine::facts::{Bits, FactId, Facts, Grade, members};
use cmkdiag::rulebook::Rulebook;

use crate::exchange_rules::EXCHANGE;
use crate::tables::Dice;

static BOOK: LazyLock<Rulebook> = LazyLock::new(|| Rulebook::load(&DOMAIN, None, None).unwrap());

/// The facts that decide and follow from no others.
const ASKED: [FactId; 15] = [
    facts::FREQUENCY,
    facts::REKEY,
    facts::AUTO_SOURCE,
    facts::INITIATED_FROM,
    facts::PEER_SYS_ID,
    facts::PEER_HOST,
    facts::SPECIFICATIONS,
    facts::SOURCE_KEYS,
    facts::TARGET_KEYS,
    facts::ACTIVE_KEYS,
    facts::SOURCE_ROLE,
    facts::TARGET_ROLE,
    facts::SOURCE_HEALTH,
    facts::TARGET_HEALTH,
    facts::EXTERNAL_WRAPPING,
];

/// What stands in nobody's way.
const GOOD: [&str; 15] = [
    "adhoc", "no", "false", "target", "given", "given", "listed", "key", "key", "active", "held", "held", "green",
    "green", "no",
];

/// The values of these facts; no bit is unknown.
type Request = [Bits; 15];

fn place(fact: FactId) -> usize {
    ASKED.iter().position(|asked| *asked == fact).unwrap()
}

fn bit(fact: FactId, value: &str) -> Bits {
    FACTS[fact.index()].value(value).unwrap_or_else(|| panic!("{value}"))
}

fn good() -> Request {
    std::array::from_fn(|at| bit(ASKED[at], GOOD[at]))
}

/// All values of a fact; of one that several specifications share, all that they show together.
fn values(fact: FactId) -> Vec<Bits> {
    let spec = &FACTS[fact.index()];
    (1..=spec.all()).filter(|bits| spec.can_hold(*bits)).collect()
}

fn facts_of(request: &Request) -> Facts {
    let mut all = Facts::unknown();
    ASKED.iter().zip(request).for_each(|(fact, bits)| all.set(*fact, *bits, Grade::Stated));
    all
}

/// The class of a request of which everything is known.
fn class_of(request: &Request) -> &'static str {
    let is = |fact: FactId, value: &str| request[place(fact)] & bit(fact, value) != 0;
    let show = |fact: FactId| FACTS[fact.index()].show(request[place(fact)]);
    let (frequency, rekey, property) = (show(facts::FREQUENCY), show(facts::REKEY), show(facts::AUTO_SOURCE));
    let line = EXCHANGE
        .iter()
        .find(|line| [&line["frequency"], &line["rekey"], &line["property"]] == [&frequency, &rekey, &property]);
    let verdict = line.unwrap()["verdict"].as_str();
    let adhoc = frequency == "adhoc";
    let peers = is(facts::PEER_SYS_ID, "given") && is(facts::PEER_HOST, "given");
    if verdict == "invalid" || !peers || adhoc && is(facts::INITIATED_FROM, "source") {
        return "invalid";
    }
    let lacks = |fact: FactId| is(fact, "no-key") || is(fact, "no-module");
    let found = ["key", "no-key", "no-module", "not-enrolled"].iter().any(|value| is(facts::SOURCE_KEYS, value));
    let keys = lacks(facts::SOURCE_KEYS) || lacks(facts::TARGET_KEYS) || is(facts::SOURCE_KEYS, "not-enrolled");
    let inactive = rekey == "yes" && is(facts::ACTIVE_KEYS, "not-active");
    let roles = is(facts::TARGET_ROLE, "missing") || adhoc && is(facts::SOURCE_ROLE, "missing");
    if verdict == "change-first" || keys || !found || inactive || roles {
        return "change-first";
    }
    if is(facts::EXTERNAL_WRAPPING, "yes") || is(facts::SPECIFICATIONS, "none") {
        return "undetermined";
    }
    let red = is(facts::SOURCE_HEALTH, "red") || is(facts::TARGET_HEALTH, "red");
    let note = red || is(facts::SOURCE_KEYS, "not-found") || is(facts::INITIATED_FROM, "source");
    if note { "valid-with-note" } else { verdict }
}

/// The class that all completions have; undetermined if they differ.
fn agreed(request: &Request) -> &'static str {
    let Some(open) = request.iter().position(|bits| *bits == 0) else { return class_of(request) };
    let mut classes = values(ASKED[open]).into_iter().map(|bits| {
        let mut completed = *request;
        completed[open] = bits;
        agreed(&completed)
    });
    let first = classes.next().unwrap();
    if classes.all(|class| class == first) { first } else { "undetermined" }
}

fn judge(decider: &mut Decider<'_>, request: &Request, strictness: Strictness) -> ShapeOutcome {
    shape::judge(&BOOK, &Settings { strictness, ..Settings::default() }, decider, &facts_of(request))
}

fn check(decider: &mut Decider<'_>, request: &Request) {
    let expected = agreed(request);
    let strict = judge(decider, request, Strictness::Strict);
    assert_eq!(BOOK.verdict_name(strict.class), expected, "{request:?}");
    let lenient = judge(decider, request, Strictness::Conditional);
    if lenient.confirmed {
        assert_eq!(BOOK.verdict_name(lenient.class), expected, "{request:?}");
    } else if lenient.class.is_some() {
        // The class of what is presumed where a condition is open, whatever the rest of what is unknown is.
        let mut presumed = *request;
        for fact in members(lenient.judgement.conditions) {
            match ASKED.iter().position(|asked| *asked == fact) {
                Some(at) => presumed[at] = FACTS[fact.index()].presumed(),
                None => presumed[place(facts::AUTO_SOURCE)] = bit(facts::AUTO_SOURCE, "false"),
            }
        }
        assert_eq!(BOOK.verdict_name(lenient.class), agreed(&presumed), "{request:?}");
    }
}

/// All that can be said, or not, of frequency, rekeying, property, where the request is initiated, active keys and the
/// role on the source.
#[test]
fn unknown_settings_are_judged_by_all_that_they_may_be() {
    let of = [0, 1, 2, 3, place(facts::ACTIVE_KEYS), place(facts::SOURCE_ROLE)];
    let mut decider = Decider::new(&BOOK.program);
    let mut requests = vec![good()];
    for at in of {
        let ways = |request: &Request| {
            let each = std::iter::once(0).chain(values(ASKED[at]));
            let request = *request;
            each.map(move |bits| {
                let mut told = request;
                told[at] = bits;
                told
            })
        };
        requests = requests.iter().flat_map(ways).collect();
    }
    assert_eq!(requests.len(), 4 * 3 * 3 * 3 * 4 * 3);
    requests.iter().for_each(|request| check(&mut decider, request));
}

/// A random request: mostly good, some facts unknown.
fn throw(dice: &mut Dice, unknown: usize) -> Request {
    let mut request = good();
    for (at, bits) in request.iter_mut().enumerate() {
        if at < 3 || dice.below(4) == 0 {
            let values = values(ASKED[at]);
            *bits = values[dice.below(values.len())];
        }
    }
    (0..unknown).for_each(|_| request[dice.below(15)] = 0);
    request
}

#[test]
fn whatever_is_unknown_is_judged_by_all_that_it_may_be() {
    let (mut dice, mut decider) = (Dice(526), Decider::new(&BOOK.program));
    for number in 0..20_000 {
        check(&mut decider, &throw(&mut dice, number % 5));
    }
}

/// The class of a card, the card, and what makes it fire.
type Trigger = (&'static str, &'static str, &'static [(FactId, &'static str)]);

const TRIGGERS: [Trigger; 26] = [
    ("invalid", "adhoc-with-rekey", &[(facts::FREQUENCY, "adhoc"), (facts::REKEY, "yes")]),
    ("invalid", "adhoc-initiated-from-source", &[(facts::FREQUENCY, "adhoc"), (facts::INITIATED_FROM, "source")]),
    ("invalid", "peer-sys-id-missing", &[(facts::PEER_SYS_ID, "missing")]),
    ("invalid", "peer-sys-id-malformed", &[(facts::PEER_SYS_ID, "malformed")]),
    ("invalid", "peer-wrong-side", &[(facts::PEER_SYS_ID, "wrong-side")]),
    ("invalid", "peer-host-missing", &[(facts::PEER_HOST, "missing")]),
    ("invalid", "peer-host-malformed", &[(facts::PEER_HOST, "malformed")]),
    ("invalid", "peer-wrong-side", &[(facts::PEER_HOST, "wrong-side")]),
    (
        "change-first",
        "rekey-needs-automatic-off",
        &[(facts::FREQUENCY, "one-time-clone"), (facts::REKEY, "yes"), (facts::AUTO_SOURCE, "true")],
    ),
    (
        "change-first",
        "recurring-needs-automatic-off",
        &[(facts::FREQUENCY, "recurring-clone"), (facts::AUTO_SOURCE, "true")],
    ),
    ("change-first", "module-or-key-missing-on-source", &[(facts::SOURCE_KEYS, "no-key")]),
    ("change-first", "module-or-key-missing-on-source", &[(facts::SOURCE_KEYS, "no-module")]),
    ("change-first", "specification-not-enrolled", &[(facts::SOURCE_KEYS, "not-enrolled")]),
    ("change-first", "nothing-to-exchange", &[(facts::SOURCE_KEYS, "not-found")]),
    ("change-first", "module-or-key-missing-on-target", &[(facts::TARGET_KEYS, "no-key")]),
    ("change-first", "module-or-key-missing-on-target", &[(facts::TARGET_KEYS, "no-module")]),
    (
        "change-first",
        "no-active-key-on-target",
        &[(facts::FREQUENCY, "one-time-clone"), (facts::REKEY, "yes"), (facts::ACTIVE_KEYS, "not-active")],
    ),
    ("change-first", "role-missing-on-target", &[(facts::TARGET_ROLE, "missing")]),
    ("change-first", "role-missing-on-source", &[(facts::FREQUENCY, "adhoc"), (facts::SOURCE_ROLE, "missing")]),
    ("undetermined", "externally-wrapped-modules", &[(facts::EXTERNAL_WRAPPING, "yes")]),
    ("undetermined", "no-specification-listed", &[(facts::SPECIFICATIONS, "none")]),
    (
        "valid-with-note",
        "automatic-exchange-too",
        &[(facts::FREQUENCY, "one-time-clone"), (facts::REKEY, "no"), (facts::AUTO_SOURCE, "true")],
    ),
    (
        "valid-with-note",
        "clone-initiated-from-source",
        &[(facts::FREQUENCY, "one-time-clone"), (facts::INITIATED_FROM, "source")],
    ),
    ("valid-with-note", "health-red", &[(facts::SOURCE_HEALTH, "red")]),
    ("valid-with-note", "health-red", &[(facts::TARGET_HEALTH, "red")]),
    ("valid", "ready-to-file", &[]),
];

/// The good request with all of these; nothing if two of them demand different values.
fn together(triggers: &[usize]) -> Option<Request> {
    let mut request = good();
    let mut demanded = [false; 15];
    for (fact, value) in triggers.iter().flat_map(|at| TRIGGERS[*at].2) {
        let (at, bits) = (place(*fact), bit(*fact, value));
        if demanded[at] && request[at] != bits {
            return None;
        }
        (request[at], demanded[at]) = (bits, true);
    }
    Some(request)
}

#[test]
fn the_first_class_of_which_a_card_fires_decides() {
    let names: Vec<&str> = DOMAIN.classes.iter().map(|class| class.name).collect();
    let mut decider = Decider::new(&BOOK.program);
    let mut sets: Vec<Vec<usize>> = vec![Vec::new()];
    for class in &names {
        let of_class = |at: &usize| TRIGGERS[*at].0 == *class;
        let with = |set: &Vec<usize>| -> Vec<Vec<usize>> {
            let one = (0..TRIGGERS.len()).filter(of_class).map(|at| [set.as_slice(), &[at]].concat());
            one.chain([set.clone()]).collect()
        };
        sets = sets.iter().flat_map(with).collect();
    }
    let mut judged = 0;
    for (set, request) in sets.iter().filter_map(|set| together(set).map(|request| (set, request))) {
        let outcome = judge(&mut decider, &request, Strictness::Conditional);
        let class =
            set.iter().map(|at| TRIGGERS[*at].0).min_by_key(|class| names.iter().position(|name| name == class));
        assert_eq!(BOOK.verdict_name(outcome.class), class.unwrap_or("valid"), "{set:?}");
        for (of, card, _) in set.iter().map(|at| TRIGGERS[*at]).filter(|(of, _, _)| *of != "valid") {
            let told = outcome.findings().find(|fired| BOOK.card(fired.card).id == card);
            assert_eq!(told.map(|fired| fired.decides), Some(Some(of) == class), "{set:?}: {card}");
        }
        judged += 1;
    }
    assert!(judged > 1_000, "{judged}");
}

/// What a deed does to a request: values that go, and what is there if nothing else is left.
fn after(card: &str, request: &Request) -> Request {
    let mut request = *request;
    let mut replace = |fact: FactId, gone: &[&str], left: &str| {
        let held = &mut request[place(fact)];
        let kept = gone.iter().fold(*held, |kept, value| kept & !bit(fact, value));
        *held = if kept == 0 { bit(fact, left) } else { kept };
    };
    match card {
        "activate-key-on-target" => replace(facts::ACTIVE_KEYS, &["not-active"], "active"),
        "choose-other-specifications" => replace(facts::SOURCE_KEYS, &["not-found"], "key"),
        "create-key-on-source" => replace(facts::SOURCE_KEYS, &["no-key", "no-module"], "key"),
        "create-key-on-target" => replace(facts::TARGET_KEYS, &["no-key", "no-module"], "key"),
        "enroll-specification" => replace(facts::SOURCE_KEYS, &["not-enrolled"], "key"),
        "exchange-without-rekey" => replace(facts::REKEY, &["yes"], "no"),
        "grant-role-on-source" => replace(facts::SOURCE_ROLE, &["missing"], "held"),
        "grant-role-on-target" => replace(facts::TARGET_ROLE, &["missing"], "held"),
        "initiate-from-target" => replace(facts::INITIATED_FROM, &["source"], "target"),
        "list-specifications" => replace(facts::SPECIFICATIONS, &["none"], "listed"),
        "name-the-peer" => {
            for fact in [facts::PEER_SYS_ID, facts::PEER_HOST] {
                replace(fact, &["missing", "malformed", "wrong-side"], "given");
            }
        }
        "turn-off-automatic-exchange" => replace(facts::AUTO_SOURCE, &["true"], "false"),
        other => panic!("what does {other} do?"),
    }
    request
}

#[test]
fn every_way_out_leads_out() {
    let (mut dice, mut decider) = (Dice(1963), Decider::new(&BOOK.program));
    let (mut ways, mut seen) = (0, BTreeSet::new());
    for _ in 0..20_000 {
        let request = throw(&mut dice, 0);
        let outcome = judge(&mut decider, &request, Strictness::Conditional);
        let locked = !class_of(&request).starts_with("valid");
        let wrapped = request[place(facts::EXTERNAL_WRAPPING)] == bit(facts::EXTERNAL_WRAPPING, "yes");
        assert_eq!(outcome.judgement.unlocks.is_empty(), !locked || wrapped, "{request:?}");
        for unlock in &outcome.judgement.unlocks {
            let cards: Vec<&str> = unlock.iter().map(|card| BOOK.card(*card).id.as_str()).collect();
            let reached = cards.iter().fold(request, |request, card| after(card, &request));
            assert!(class_of(&reached).starts_with("valid"), "{request:?}: {cards:?} lead to {reached:?}");
            ways += 1;
            seen.extend(cards.into_iter().map(str::to_owned));
        }
    }
    assert!(ways > 10_000 && seen.len() == 12, "{ways} {seen:?}");
}

#[test]
fn a_wrong_class_is_told() {
    let mut decider = Decider::new(&BOOK.program);
    for (class, _, changes) in TRIGGERS.iter().filter(|(class, _, _)| *class != "valid") {
        let mut request = good();
        changes.iter().for_each(|(fact, value)| request[place(*fact)] = bit(*fact, value));
        let said = BOOK.verdict_name(judge(&mut decider, &request, Strictness::Strict).class);
        assert_eq!((said, class_of(&request)), (*class, *class));
        assert_ne!(said, class_of(&good()), "the classes of all requests are one");
    }
}
