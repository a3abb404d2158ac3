//! What follows about a pair: from ARNs, ages and replies of AWS ([`conclude()`]), and from its own facts ([`derive()`]).

use jiff::{SignedDuration, Timestamp};

use super::facts::{self, FACTS};
use crate::domains::form::{Answer, Context, DescribedKey, Draft, OPEN, SaidFact, Side, Word};
use crate::domains::spelling::plain;
use crate::engine::facts::{Bits, FactId, Facts, Grade};

/// The base value of `com.glide.encryption.ekms.scheduler.health_check_interval`: a key status that was seen longer ago
/// may have changed since (ServiceNow, "Change the EKMS synchronization frequency").
pub const HEALTH_CHECK_INTERVAL: SignedDuration = SignedDuration::from_mins(30);

/// Key states of AWS KMS and the errors of `DescribeKey`, and what they tell. What is not listed is a state other than
/// Enabled (AWS KMS API model, `KeyState`; AWS KMS developer guide, "Key states of AWS KMS keys").
pub const AWS_STATES: &[Word] = &[
    ("notfoundexception", "not-found"),
    ("notfound", "not-found"),
    ("accessdeniedexception", "unreachable"),
    ("accessdenied", "unreachable"),
    ("unrecognizedclientexception", "unreachable"),
    ("invalidclienttokenid", "unreachable"),
    ("invalidsignatureexception", "unreachable"),
    ("signaturedoesnotmatch", "unreachable"),
    ("expiredtokenexception", "unreachable"),
    ("expiredtoken", "unreachable"),
    ("dependencytimeoutexception", "unreachable"),
    ("kmsinternalexception", "unreachable"),
    ("endpointconnectionerror", "unreachable"),
    ("connecttimeouterror", "unreachable"),
];

/// Release families in their order; EKMS is new in Australia (release notes), and whether an earlier one has it is to be
/// asked.
const AUSTRALIA_AND_LATER: &[&str] = &["australia", "brazil"];

fn fact(side: Side, source: FactId, target: FactId) -> FactId {
    match side {
        Side::Source => source,
        Side::Target => target,
    }
}

fn bit(fact: FactId, value: &str) -> Bits {
    FACTS[fact.index()].value(value).unwrap_or(0)
}

/// Sets the facts that follow from texts and evidence.
pub fn conclude(draft: &mut Draft, context: &Context) {
    for side in Side::BOTH {
        release(draft, side);
        plugin(draft, side);
        key_of_none(draft, side);
        external_module(draft, side);
        status_age(draft, side, context.now);
        described(draft, side, &context.described_keys);
        flaws(draft, side);
    }
    config_relation(draft);
    modules_relation(draft);
    for side in Side::BOTH {
        let field = format!("{}_key_region", side.name());
        let of_arn = draft.side_text(side, "key_arn").and_then(region_of).map(str::to_owned);
        if let (None, Some(region)) = (draft.texts.get(&field), of_arn) {
            draft.add_text(&field, &region, "");
        }
    }
}

/// What is said of the release, if EKMS is known to be part of it.
fn release_that_supports(draft: &Draft, side: Side) -> Option<String> {
    let releases = draft.texts.get(&format!("{}_release", side.name()));
    let supports = |release: &String| AUSTRALIA_AND_LATER.iter().any(|family| release.contains(family));
    releases.into_iter().flatten().map(|said| said.text.to_lowercase()).find(supports)
}

/// An instance on Australia or later is not on an older release.
fn release(draft: &mut Draft, side: Side) {
    let posture = fact(side, facts::SOURCE_POSTURE, facts::TARGET_POSTURE);
    let Some(release) = release_that_supports(draft, side) else { return };
    if draft.facts.get(posture) == bit(posture, "older") {
        draft.facts.conflict(posture);
        let at = draft.texts.get(&format!("{}_release", side.name())).map_or("", |said| said[0].at.as_str()).to_owned();
        let bits = FACTS[posture.index()].all() & !bit(posture, "older");
        draft.said.push(SaidFact { fact: posture, bits, at });
        let note = format!("the {} is said to be on an older release, but {release} supports EKMS", side.name());
        draft.notes.push(note);
    }
}

/// An external key is part of a configuration, so an instance that names one has more than the plugin.
fn key_of_none(draft: &mut Draft, side: Side) {
    let posture = fact(side, facts::SOURCE_POSTURE, facts::TARGET_POSTURE);
    let below = ["older", "absent", "unconfigured"].iter().fold(0, |bits, value| bits | bit(posture, value));
    let (name, held) = (side.name(), draft.facts.get(posture));
    if held & below != 0 && draft.texts.contains_key(&format!("{name}_key_arn")) {
        draft.facts.conflict(posture);
        draft.notes.push(format!("the {name} names an external key, and is said to have no EKMS configuration"));
    }
}

/// An active plugin leaves open how far the instance has come beyond it, and an instance without it has none active.
fn plugin(draft: &mut Draft, side: Side) {
    let posture = fact(side, facts::SOURCE_POSTURE, facts::TARGET_POSTURE);
    let held = draft.facts.get(posture);
    let without = bit(posture, "older") | bit(posture, "absent");
    let with = bit(posture, "unconfigured") | bit(posture, "configured") | bit(posture, "in_use");
    let (active, name) = (draft.side_text(side, "plugin") == Some("active"), side.name());
    let inactive = draft.side_text(side, "plugin") == Some("inactive");
    if inactive
        && held == 0
        && draft.facts.grade(posture) == Grade::Unknown
        && release_that_supports(draft, side).is_some()
    {
        // A release that supports EKMS, without the plugin.
        draft.follow(posture, bit(posture, "absent"), Grade::Stated);
    }
    if active && held & without != 0 {
        draft.facts.conflict(posture);
        draft.notes.push(format!("the EKMS plugin is active on the {name}, which is said to have none"));
    } else if inactive && held & with != 0 {
        draft.facts.conflict(posture);
        draft.notes.push(format!("the EKMS plugin is inactive on the {name}, which is said to have it"));
    } else if active && held == 0 {
        let note = "so its posture is unconfigured, configured or in_use: look under EKMS Configurations";
        draft.notes.push(format!("the EKMS plugin is active on the {name}, {note}"));
    }
}

fn status_age(draft: &mut Draft, side: Side, now: Timestamp) {
    let seen = draft.side_text(side, "key_status_seen").and_then(|text| text.parse::<Timestamp>().ok());
    let age = fact(side, facts::SOURCE_STATUS_AGE, facts::TARGET_STATUS_AGE);
    if let Some(seen) = seen {
        let value = if now.duration_since(seen) > HEALTH_CHECK_INTERVAL { "stale" } else { "recent" };
        draft.follow(age, bit(age, value), Grade::Stated);
    }
}

/// What `aws kms describe-key` says of the side's key.
fn described(draft: &mut Draft, side: Side, keys: &[DescribedKey]) {
    let Some(arn) = draft.side_text(side, "key_arn").map(str::to_owned) else { return };
    let aws = fact(side, facts::SOURCE_AWS_KEY, facts::TARGET_AWS_KEY);
    for key in keys.iter().filter(|key| key.key == arn) {
        let bits = bit(aws, aws_value(&key.answer));
        let fresh = Facts::unknown().with(aws, bits, Grade::Measured);
        draft.facts.join(&FACTS, &fresh);
        draft.said.push(SaidFact { fact: aws, bits, at: key.at.clone() });
        let deletion = key.deletion_date.as_ref().map(|date| format!(", to be deleted on {date}")).unwrap_or_default();
        let name = key.answer.name();
        draft.notes.push(match &key.answer {
            Answer::State(_) => format!("{}: AWS shows the {}'s key as {name}{deletion}", key.at, side.name()),
            Answer::Error(_) => format!("{}: AWS answered {name} for the {}'s key", key.at, side.name()),
        });
        let field = |name: &str| format!("{}_{name}", side.name());
        if let Some(multi_region) = key.multi_region {
            draft.add_text(&field("multi_region"), if multi_region { "true" } else { "false" }, &key.at);
        }
        if let Some(spec) = &key.key_spec {
            draft.add_text(&field("key_spec"), spec, &key.at);
        }
    }
}

/// The value of the facts `*_aws_key` for a state or an error. An error that tells nothing of the key, such as
/// throttling, is no answer.
pub fn aws_value(answer: &Answer) -> &'static str {
    let plain = plain(answer.name());
    let word = || AWS_STATES.iter().find(|(word, _)| *word == plain).map(|(_, value)| *value);
    let named = || STATES.into_iter().find(|value| *value == answer.name());
    match answer {
        Answer::State(_) => named().unwrap_or("other"),
        Answer::Error(_) => word().unwrap_or("no-answer"),
    }
}

/// States that mean something of their own here.
const STATES: [&str; 3] = ["Enabled", "Disabled", "PendingDeletion"];

/// EKMS takes symmetric keys of one Region only (ServiceNow, "External Key Management Service", key limitations).
fn flaws(draft: &mut Draft, side: Side) {
    let fact = fact(side, facts::SOURCE_KEY_FLAWS, facts::TARGET_KEY_FLAWS);
    let arn = draft.side_text(side, "key_arn");
    let id = arn.and_then(|arn| arn.split_once(":key/")).map_or("", |(_, id)| id);
    let multi_region = id.starts_with("mrk-") || draft.side_text(side, "multi_region") == Some("true");
    let asymmetric = draft.side_text(side, "key_spec").is_some_and(|spec| spec != "SYMMETRIC_DEFAULT");
    let stated = draft.side_text(side, "key_region");
    let moved = stated.is_some_and(|region| arn.and_then(region_of).is_some_and(|of_arn| of_arn != region));
    let found = [("multi-region", multi_region), ("not-symmetric", asymmetric), ("region-differs", moved)];
    let bits = found.iter().filter(|(_, holds)| *holds).fold(0, |bits, (name, _)| bits | bit(fact, name));
    let known = arn.is_some() || bits != 0;
    let bits = if bits == 0 && known { bit(fact, "none") } else { bits };
    draft.follow(fact, bits, Grade::Stated);
}

fn region_of(arn: &str) -> Option<&str> {
    arn.split(':').nth(3)
}

/// Two configurations are computed to match if they name the same key ARN and Region, and to be different if the key
/// ARNs differ; compatible is never computed. A statement stands unless the computation contradicts it.
fn config_relation(draft: &mut Draft) {
    let computed = computed_relation(draft);
    let fact = facts::CONFIG_RELATION;
    let stated = FACTS[fact.index()].show(draft.facts.get(fact));
    let (Some(computed), false) = (computed, draft.facts.grade(fact) == Grade::Conflict) else { return };
    // Equal keys do not show that nothing else differs, so that a stated difference stands.
    let agrees = computed == "matching" || matches!(stated.as_str(), "different" | "incompatible");
    if stated.is_empty() {
        // That keys differ is plain to see; that nothing else differs is an inference.
        let grade = if computed == "matching" { Grade::Inferred } else { Grade::Stated };
        draft.follow(fact, bit(fact, computed), grade);
    } else if !agrees {
        draft.facts.conflict(fact);
        draft.notes.push(format!(
            "the configurations are said to be {stated}, but their key ARNs and Regions show them {computed}"
        ));
    }
}

fn computed_relation(draft: &Draft) -> Option<&'static str> {
    let arn = |side| draft.side_text(side, "key_arn");
    let (source, target) = (arn(Side::Source)?, arn(Side::Target)?);
    let region = |side| draft.side_text(side, "key_region").or_else(|| arn(side).and_then(region_of));
    let is_key = |arn: &str| arn.contains(":key/");
    // An alias may stand for any key, now or later, so only the ARNs of keys can be compared.
    if !is_key(source) || !is_key(target) {
        return None;
    }
    match source.eq_ignore_ascii_case(target) {
        true => (region(Side::Source) == region(Side::Target)).then_some("matching"),
        false => Some("different"),
    }
}

/// Where both sides say of modules who wraps their keys, modules of one name tell whether the sides differ; that they do
/// not differ is told only by whole lists of the same modules.
fn modules_relation(draft: &mut Draft) {
    let fact = facts::WRAPPING_RELATION;
    let modules = |side: Side| draft.modules.get(&side);
    let (Some(source), Some(target)) = (modules(Side::Source), modules(Side::Target)) else { return };
    let known = |text: &String| text != OPEN;
    let differ = |(module, said): (&String, &String)| {
        target.get(module).is_some_and(|other| known(said) && known(other) && said != other)
    };
    let differs = source.iter().any(differ);
    let same = source == target && source.values().all(known);
    let stated = draft.facts.get(fact);
    if differs && stated == bit(fact, "same") {
        draft.facts.conflict(fact);
        let note = "the wrapping is said to be the same, but modules of one name are wrapped differently";
        draft.notes.push(note.to_owned());
    } else if stated == 0 && draft.facts.grade(fact) == Grade::Unknown {
        // Sides that are wrapped as a whole are compared as a whole.
        let whole = |side| draft.facts.knows(side);
        let (source_whole, target_whole) = (whole(facts::SOURCE_WRAPPING), whole(facts::TARGET_WRAPPING));
        let mixed = draft.facts.get(facts::SOURCE_WRAPPING) == bit(facts::SOURCE_WRAPPING, "mixed")
            && draft.facts.get(facts::TARGET_WRAPPING) == bit(facts::TARGET_WRAPPING, "mixed");
        if differs && (mixed || !source_whole || !target_whole) {
            draft.follow(fact, bit(fact, "other-difference"), Grade::Stated);
        } else if same && mixed {
            draft.follow(fact, bit(fact, "same"), Grade::Stated);
        }
    }
}

/// One module that is wrapped externally is enough to be in use, whatever is not known of the others.
fn external_module(draft: &mut Draft, side: Side) {
    let posture = fact(side, facts::SOURCE_POSTURE, facts::TARGET_POSTURE);
    let wrapping = fact(side, facts::SOURCE_WRAPPING, facts::TARGET_WRAPPING);
    let external = draft.modules.get(&side).is_some_and(|modules| modules.values().any(|word| word == "external"));
    let held = draft.facts.get(posture);
    if external && !draft.facts.knows(wrapping) && held != 0 && held != bit(posture, "in_use") {
        draft.facts.conflict(posture);
        draft.notes.push(format!("a module of the {} is wrapped externally, so EKMS is in use there", side.name()));
    }
}

/// Sets the facts that follow from others: key status from AWS, wrapping from posture, relations from both sides, and
/// whether statements contradict each other.
pub fn derive(facts: &mut Facts) {
    let by_reading = Side::BOTH.into_iter().all(|side| rank(facts, side) == Some(CONFIGURED))
        && !(facts.knows(facts::SOURCE_WRAPPING) && facts.knows(facts::TARGET_WRAPPING));
    for side in Side::BOTH {
        key_status(facts, side);
        wrapping(facts, side);
    }
    let stated = Some(facts.get(facts::WRAPPING_RELATION))
        .filter(|held| *held != 0 && facts.grade(facts::WRAPPING_RELATION) != Grade::Inferred);
    let relation = wrapping_relation(facts, by_reading);
    if !facts.knows(facts::WRAPPING_RELATION)
        && facts.grade(facts::WRAPPING_RELATION) != Grade::Conflict
        && let Some((value, grade)) = relation
    {
        facts.set(facts::WRAPPING_RELATION, bit(facts::WRAPPING_RELATION, value), grade);
    }
    // Of two differences either may be meant, for a mixed side is both.
    let same = bit(facts::WRAPPING_RELATION, "same");
    let against = stated.zip(relation).is_some_and(|(held, (value, _))| (held == same) != (value == "same"));
    let inward = stated == Some(bit(facts::WRAPPING_RELATION, "internal-to-external")) && cannot_go_inside_out(facts);
    contradictions(facts, against || inward);
}

/// Where nobody says the External Key Status, AWS tells: a key that is not enabled there is not ACTIVE; of one that is,
/// ACTIVE is inferred, and of one for which AWS refuses to answer that the instance cannot reach it either. That no key
/// is found proves nothing.
fn key_status(facts: &mut Facts, side: Side) {
    let status = fact(side, facts::SOURCE_KEY_STATUS, facts::TARGET_KEY_STATUS);
    let aws = fact(side, facts::SOURCE_AWS_KEY, facts::TARGET_AWS_KEY);
    if facts.grade(aws) == Grade::Unknown {
        facts.set(aws, bit(aws, "not-asked"), Grade::Stated);
    }
    if facts.grade(status) != Grade::Unknown {
        return;
    }
    let (value, grade) = match FACTS[aws.index()].show(facts.get(aws)).as_str() {
        "Enabled" => ("ACTIVE", Grade::Inferred),
        "Disabled" => ("disabled", facts.grade(aws)),
        "PendingDeletion" => ("pending_deletion", facts.grade(aws)),
        "unreachable" => ("unavailable", Grade::Inferred),
        "other" => ("other_not_active", facts.grade(aws)),
        _ => return,
    };
    facts.set(status, bit(status, value), grade);
}

/// How far an instance is along the chain of postures; nothing if nobody knows.
fn rank(facts: &Facts, side: Side) -> Option<u32> {
    let held = facts.get(fact(side, facts::SOURCE_POSTURE, facts::TARGET_POSTURE));
    (held != 0).then(|| held.trailing_zeros())
}

const CONFIGURED: u32 = 3;
const IN_USE: u32 = 4;

/// Without a configuration, and with one that no crypto module uses, all wrapping is internal.
fn wrapping(facts: &mut Facts, side: Side) {
    let wrapping = fact(side, facts::SOURCE_WRAPPING, facts::TARGET_WRAPPING);
    let posture = fact(side, facts::SOURCE_POSTURE, facts::TARGET_POSTURE);
    if facts.grade(wrapping) == Grade::Unknown && rank(facts, side).is_some_and(|rank| rank < IN_USE) {
        facts.set(wrapping, bit(wrapping, "internal"), facts.grade(posture));
    }
}

/// How the wrapping of the two sides relates. That both sides of two configurations which no module uses wrap alike
/// rests on our reading of "configured" alone, and so is no more than inferred; a difference is not softened by that.
fn wrapping_relation(facts: &Facts, by_reading: bool) -> Option<(&'static str, Grade)> {
    let shown = |fact: FactId| FACTS[fact.index()].show(facts.get(fact));
    let in_use = |side| rank(facts, side) == Some(IN_USE);
    let (source, target) = (shown(facts::SOURCE_WRAPPING), shown(facts::TARGET_WRAPPING));
    let grade = facts.grade(facts::SOURCE_WRAPPING).max(facts.grade(facts::TARGET_WRAPPING));
    Some(match (source.as_str(), target.as_str()) {
        ("internal", "internal") if by_reading => ("same", Grade::Inferred),
        ("internal", "internal") | ("external", "external") => ("same", grade),
        ("internal", "external") => ("internal-to-external", grade),
        ("mixed", "mixed") => return None,
        ("internal", "") if in_use(Side::Target) => ("internal-to-external", grade),
        ("", "internal") if in_use(Side::Source) => ("other-difference", grade),
        ("", _) | (_, "") => return None,
        _ => ("other-difference", grade),
    })
}

/// Whether the source is known to wrap not all internally, or the target all.
fn cannot_go_inside_out(facts: &Facts) -> bool {
    let (source, target) = (facts.get(facts::SOURCE_WRAPPING), facts.get(facts::TARGET_WRAPPING));
    let internal = bit(facts::SOURCE_WRAPPING, "internal");
    source != 0 && source != internal || rank(facts, Side::Source) == Some(IN_USE) || target == internal
}

fn contradictions(facts: &mut Facts, relation_against_wrapping: bool) {
    let wraps_otherwise = |side| {
        let wrapping = fact(side, facts::SOURCE_WRAPPING, facts::TARGET_WRAPPING);
        let held = facts.get(wrapping);
        let internal = held == bit(wrapping, "internal");
        held != 0 && rank(facts, side).is_some_and(|rank| internal == (rank == IN_USE))
    };
    let unconfigured = |side| rank(facts, side).is_some_and(|rank| rank < CONFIGURED);
    // What is assumed of all pairs is no statement about this one.
    let said = |fact| facts.knows(fact) && facts.grade(fact) != Grade::Assumed;
    let has_status = |side| said(fact(side, facts::SOURCE_KEY_STATUS, facts::TARGET_KEY_STATUS));
    let found = [
        ("wrapping-against-posture", Side::BOTH.into_iter().any(wraps_otherwise)),
        ("relation-against-wrapping", relation_against_wrapping),
        ("status-without-configuration", Side::BOTH.into_iter().any(|side| unconfigured(side) && has_status(side))),
        ("relation-without-configuration", said(facts::CONFIG_RELATION) && Side::BOTH.into_iter().any(unconfigured)),
    ];
    let fact = facts::CONTRADICTION;
    let bits = found.iter().filter(|(_, holds)| *holds).fold(0, |bits, (name, _)| bits | bit(fact, name));
    facts.set(fact, if bits == 0 { bit(fact, "none") } else { bits }, Grade::Stated);
}
