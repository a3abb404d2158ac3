//! What follows about a request: from the fields that name the other instance, from its crypto specifications, from the
//! property after the exchange ([`conclude()`]), and from its own facts ([`derive()`]).

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};

use super::facts::{self, FACTS};
use crate::domains::form::{Context, Draft, PART_NAME, Side, same_instance};
use crate::domains::spelling::{is_none, plain};
use crate::engine::facts::{Bits, FactId, Facts, Grade};

/// The role that Key Exchange asks for (ServiceNow, "Configure Key Exchange", role required).
pub const ROLE: &str = "sn_kmf.cryptographic_manager";

/// The instance tries to encrypt again the next day (ServiceNow, "Configure Key Exchange", result).
pub const RETRY: SignedDuration = SignedDuration::from_hours(24);

fn bit(fact: FactId, value: &str) -> Bits {
    FACTS[fact.index()].value(value).unwrap_or(0)
}

fn shown(facts: &Facts, fact: FactId) -> String {
    FACTS[fact.index()].show(facts.get(fact))
}

/// Sets the facts that follow from texts and parts.
pub fn conclude(draft: &mut Draft, context: &Context) {
    form_words(draft);
    peers(draft);
    specifications(draft);
    for (side, fact) in [(Side::Source, facts::SOURCE_ROLE), (Side::Target, facts::TARGET_ROLE)] {
        role(draft, side, fact);
    }
    external_wrapping(draft);
    rekeyed(draft, context.now);
}

/// What a list of instances says of EKMS on either side: in use means that modules are wrapped externally.
fn external_wrapping(draft: &mut Draft) {
    let fact = facts::EXTERNAL_WRAPPING;
    let in_use = |side: Side| {
        let posture =
            draft.side_text(side, "posture").is_some_and(|posture| matches!(plain(posture).as_str(), "inuse" | "used"));
        let wrapping = draft.side_text(side, "wrapping").map(str::to_lowercase);
        posture
            || wrapping.is_some_and(|wrapping| {
                ["external", "mixed", "ekms", "awskms"].iter().any(|word| wrapping.contains(word))
            })
    };
    let Some(side) = Side::BOTH.into_iter().find(|side| in_use(*side)) else { return };
    if draft.facts.get(fact) == bit(fact, "no") {
        draft.facts.conflict(fact);
        draft.notes.push(format!("EKMS is said not to be in use, but it is on the {}", side.name()));
    } else if draft.facts.grade(fact) == Grade::Unknown {
        draft.follow(fact, bit(fact, "yes"), Grade::Stated);
    }
}

/// The labels of the form, for the checklist.
fn form_words(draft: &mut Draft) {
    let frequency = shown(&draft.facts, facts::FREQUENCY);
    let label = match frequency.as_str() {
        "adhoc" => "Adhoc",
        "one-time-clone" => "One Time Clone",
        "recurring-clone" => "Recurring Clone",
        _ => return,
    };
    draft.add_text("exchange_frequency", label, "");
    draft.add_text("peer_side", if frequency == "adhoc" { "Source" } else { "Target" }, "");
}

/// The instance that the form asks for: the source for Adhoc, the target for clones.
fn peer_side(facts: &Facts) -> Option<Side> {
    match shown(facts, facts::FREQUENCY).as_str() {
        "adhoc" => Some(Side::Source),
        "one-time-clone" | "recurring-clone" => Some(Side::Target),
        _ => None,
    }
}

fn peers(draft: &mut Draft) {
    let wanted = peer_side(&draft.facts);
    // A name with a dot is a host, and what the records say of the instances fills the form.
    for side in Side::BOTH {
        let name = draft.side_text(side, "name").filter(|name| name.contains('.')).map(str::to_owned);
        if let (None, Some(name)) = (draft.side_text(side, "host"), name) {
            draft.add_text(&format!("{}_host", side.name()), &name, "");
        }
    }
    if let Some(side) = wanted {
        for (field, of_side) in [("peer_sys_id", "sys_id"), ("peer_host", "host")] {
            let known = draft.side_text(side, of_side).map(str::to_owned);
            if let (None, Some(text)) = (draft.texts.get(field), known) {
                draft.add_text(field, &text, "");
            }
        }
    }
    let other = wanted.map(|side| if side == Side::Source { Side::Target } else { Side::Source });
    let of_other = |draft: &Draft, field: &str, text: &str| {
        let other = other.and_then(|side| draft.side_text(side, field));
        let same_for_both = wanted.and_then(|side| draft.side_text(side, field)) == other;
        !same_for_both && other.is_some_and(|other| other.eq_ignore_ascii_case(text))
    };
    // The same side by another spelling, and an instance that is neither.
    let is_called = |draft: &Draft, side: Option<Side>, text: &str| {
        let names = ["host", "name"].map(|field| side.and_then(|side| draft.side_text(side, field)));
        names.into_iter().flatten().any(|name| same_instance(name, text))
    };
    let is_third = |draft: &Draft, field: &str, text: &str| {
        let own = wanted.and_then(|side| draft.side_text(side, field));
        own.is_some_and(|own| !own.eq_ignore_ascii_case(text)) && !(field == "host" && is_called(draft, wanted, text))
    };
    let is_sys_id = |text: &str| text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    for (field, of_side, fact) in
        [("peer_sys_id", "sys_id", facts::PEER_SYS_ID), ("peer_host", "host", facts::PEER_HOST)]
    {
        let Some(text) = draft.text(field).map(str::to_owned) else { continue };
        let well_formed = if fact == facts::PEER_HOST { is_host(&text) } else { is_sys_id(&text) };
        let value = match () {
            () if is_none(&text) => "missing",
            () if !well_formed => "malformed",
            () if of_other(draft, of_side, &text) => "wrong-side",
            () if of_side == "host" && is_called(draft, other, &text) && !is_called(draft, wanted, &text) => {
                "wrong-side"
            }
            () if is_third(draft, of_side, &text) => {
                draft.facts.conflict(fact);
                draft.notes.push(format!("{field} {text} is not what the records say of the instance that is meant"));
                continue;
            }
            () => "given",
        };
        // A host that is not spelled like the instance that is meant may still be that instance's.
        let named = wanted.is_some_and(|side| draft.side_text(side, "name").is_some());
        let unlike = of_side == "host" && value == "given" && named && !is_called(draft, wanted, &text);
        draft.follow(fact, bit(fact, value), if unlike { Grade::Inferred } else { Grade::Stated });
    }
}

/// A bare host, such as `instanceA.service-now.com`.
fn is_host(text: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

fn specifications(draft: &mut Draft) {
    let names = draft.texts.get("crypto_specifications").cloned();
    let names = names.as_ref();
    let none = names.is_some_and(|names| names.iter().all(|said| is_none(&said.text)));
    let listed = !draft.parts.is_empty() || names.is_some_and(|names| !names.is_empty() && !none);
    if none && draft.parts.is_empty() {
        draft.follow(facts::SPECIFICATIONS, bit(facts::SPECIFICATIONS, "none"), Grade::Stated);
        // Of no specification it can be said that it lacks a key, so that nobody is asked for keys of none.
        let of_none = [(facts::SOURCE_KEYS, "key"), (facts::TARGET_KEYS, "key"), (facts::ACTIVE_KEYS, "active")];
        for (fact, value) in of_none {
            draft.follow(fact, bit(fact, value), Grade::Stated);
        }
    }
    if none && !draft.parts.is_empty() {
        draft.facts.conflict(facts::SPECIFICATIONS);
        draft.notes.push("crypto_specifications says none, and something is said of one".to_owned());
    }
    if !listed || none {
        return;
    }
    let of_parts: HashSet<&String> = draft.parts.iter().filter_map(|part| part.get(PART_NAME)).collect();
    let is_silent = names.is_some_and(|names| names.iter().any(|said| !of_parts.contains(&said.text)));
    draft.follow(facts::SPECIFICATIONS, bit(facts::SPECIFICATIONS, "listed"), Grade::Stated);
    if let Some((a, b)) = draft.parts.iter().find_map(contradiction) {
        // The worse of the two counts already; which of them is wrong is for the reader to find out.
        draft.notes.push(format!("of one specification {a} and {b} say what cannot be true together"));
    }
    for (fact, of_part) in [
        (facts::SOURCE_KEYS, keys_on_source as fn(&Part) -> Vec<&'static str>),
        (facts::TARGET_KEYS, keys_on_target),
        (facts::ACTIVE_KEYS, active_keys),
    ] {
        together(draft, fact, of_part, is_silent);
    }
}

type Part = std::collections::BTreeMap<&'static str, String>;

/// What is said of one specification and cannot be true together.
fn contradiction(part: &Part) -> Option<(&'static str, &'static str)> {
    let says = |field: &str, text: &str| part.get(field).is_some_and(|said| said == text);
    let pairs = [
        (("source_specification", "not-found"), ("source_module", "yes")),
        (("source_specification", "not-found"), ("source_key", "yes")),
        (("source_module", "no"), ("source_key", "yes")),
        (("source_key", "no"), ("source_active_key", "yes")),
        (("target_module", "no"), ("target_key", "yes")),
        (("target_module", "no"), ("target_active_key", "yes")),
        (("target_key", "no"), ("target_active_key", "yes")),
    ];
    let found = pairs.into_iter().find(|(a, b)| says(a.0, a.1) && says(b.0, b.1));
    found.map(|(a, b)| (a.0, b.0))
}

/// What all specifications show together. As long as something is missing, it is known only if what is there decides
/// already: that one is not found on the source does not.
fn together(draft: &mut Draft, fact: FactId, of_part: fn(&Part) -> Vec<&'static str>, is_silent: bool) {
    let mut bits = 0;
    let mut missing = draft.parts.is_empty() || is_silent;
    for part in &draft.parts {
        let found = of_part(part);
        missing |= found.is_empty();
        bits = found.iter().fold(bits, |bits, value| bits | bit(fact, value));
    }
    let good = bit(fact, "key") | bit(fact, "active") | bit(fact, "not-found");
    let decides = bits & !good != 0;
    if decides || !missing {
        draft.follow(fact, bits, Grade::Stated);
    }
}

fn keys_on_source(part: &Part) -> Vec<&'static str> {
    let of = |field: &str| part.get(field).map(String::as_str);
    if of("source_specification") == Some("not-found") {
        return vec!["not-found"];
    }
    let key = of("source_key").or(of("source_active_key").filter(|active| *active == "yes"));
    let mut found = keys(of("source_module"), key);
    if of("enrolled") == Some("no") {
        found.push("not-enrolled");
    }
    found
}

fn keys_on_target(part: &Part) -> Vec<&'static str> {
    let of = |field: &str| part.get(field).map(String::as_str);
    // An active key is a key.
    let key = of("target_key").or(of("target_active_key").filter(|active| *active == "yes"));
    keys(of("target_module"), key)
}

/// A key stands in a module, so a key that is there tells of both.
fn keys(module: Option<&str>, key: Option<&str>) -> Vec<&'static str> {
    match (module, key) {
        (Some("no"), _) => vec!["no-module"],
        (_, Some("no")) => vec!["no-key"],
        (_, Some(_)) => vec!["key"],
        _ => Vec::new(),
    }
}

fn active_keys(part: &Part) -> Vec<&'static str> {
    let of = |field: &str| part.get(field).map(String::as_str);
    match of("target_active_key") {
        Some("no") => vec!["not-active"],
        Some(_) => vec!["active"],
        None if of("target_key") == Some("no") || of("target_module") == Some("no") => vec!["not-active"],
        None => Vec::new(),
    }
}

fn role(draft: &mut Draft, side: Side, fact: FactId) {
    let Some(roles) = draft.texts.get(&format!("{}_roles", side.name())) else { return };
    let held = roles.iter().any(|said| plain(&said.text) == plain(ROLE));
    draft.follow(fact, bit(fact, if held { "held" } else { "missing" }), Grade::Stated);
}

fn rekeyed(draft: &mut Draft, now: Timestamp) {
    // The property counts on the instance that got the keys.
    let text = |field: &str| draft.text(field).or_else(|| draft.side_text(Side::Target, field));
    let updated = text("rekeyed_updated_on").and_then(|text| text.parse::<Timestamp>().ok());
    let value = match (text("rekeyed"), updated) {
        (Some("absent"), _) => "absent",
        (Some("true"), _) => "true",
        (Some("false"), Some(updated)) if now.duration_since(updated) < RETRY => "false-young",
        (Some("false"), Some(_)) => "false-old",
        _ => return,
    };
    draft.follow(facts::REKEYED, bit(facts::REKEYED, value), Grade::Stated);
}

/// Sets the fact that follows from others: whether automatic exchange already sends all keys at a one-time clone.
pub fn derive(facts: &mut Facts) {
    let fact = facts::AUTOMATIC_TOO;
    if facts.grade(fact) != Grade::Unknown {
        return;
    }
    let grade = facts.grade(facts::AUTO_SOURCE).max(facts.grade(facts::FREQUENCY)).max(facts.grade(facts::REKEY));
    let shown = |fact| shown(facts, fact);
    let (frequency, rekey, automatic) = (shown(facts::FREQUENCY), shown(facts::REKEY), shown(facts::AUTO_SOURCE));
    let value = match (frequency.as_str(), rekey.as_str(), automatic.as_str()) {
        ("one-time-clone", "no", "true") => "yes",
        ("adhoc" | "recurring-clone", _, _) | (_, "yes", _) | (_, _, "false") => "no",
        _ => return,
    };
    facts.set(fact, bit(fact, value), grade);
}
