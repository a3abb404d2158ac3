//! Key exchange requests as records: the table of frequencies, rekeying and the property, and the rules that every
//! request has to obey, each with a request on which its card fires and one on which it is silent.

use std::sync::LazyLock;

use cmkdiag::domains::exchange::fields::REQUESTS;

use crate::tables::{Line, Said, judge_lines, table};

pub(crate) static EXCHANGE: LazyLock<Vec<Line>> = LazyLock::new(|| table(include_str!("exchange.csv")));

/// A request in which nothing is wrong or unknown, by column.
const GOOD: [(&str, &str); 19] = [
    ("request", "REQ"),
    ("frequency", "adhoc"),
    ("rekey", "no"),
    ("auto_key_exchange_source", "false"),
    ("auto_key_exchange_target", "false"),
    ("initiated_from", "target"),
    ("peer_sys_id", "0123456789abcdef0123456789abcdef"),
    ("peer_host", "instanceA.service-now.com"),
    ("crypto_specifications", "global.one"),
    ("source_module", "yes"),
    ("source_key", "yes"),
    ("source_specification", "found"),
    ("target_key", "yes"),
    ("target_active_key", "yes"),
    ("source_roles", "sn_kmf.cryptographic_manager"),
    ("target_roles", "sn_kmf.cryptographic_manager"),
    ("source_health", "green"),
    ("target_health", "green"),
    ("external_wrapping", "no"),
];

/// Judges the good request with some cells changed.
fn judge(cells: &[(&str, &str)]) -> Said {
    let changed = |column: &str| cells.iter().find(|(name, _)| *name == column).map(|(_, value)| *value);
    let mut columns: Vec<(&str, &str)> =
        GOOD.iter().map(|(name, value)| (*name, changed(name).unwrap_or(value))).collect();
    columns.extend(cells.iter().filter(|(name, _)| GOOD.iter().all(|(known, _)| known != name)));
    let (names, values): (Vec<&str>, Vec<&str>) = columns.into_iter().unzip();
    judge_lines(&REQUESTS, &format!("{}\n{}\n", names.join(","), values.join(","))).remove(0)
}

/// Whether the program says of a request what a line of the table says.
fn agrees(line: &Line, said: &Said) -> bool {
    let cards: Vec<&str> = line["cards"].split_whitespace().collect();
    let mut deciding = said.deciding();
    deciding.sort_unstable();
    let (gaps, conditions): (&[&str], &[&str]) = match (line["verdict"].as_str(), line["property"].as_str()) {
        ("undetermined", _) => (&["auto_key_exchange_source"], &[]),
        // Automatic exchange at a one-time clone makes the request redundant, which is told as a condition.
        ("valid", "unknown") if line["frequency"] == "one-time-clone" => (&[], &["automatic_exchange"]),
        _ => (&[], &[]),
    };
    said.class == line["verdict"] && deciding == cards && said.gaps == gaps && said.conditions == conditions
}

#[test]
fn every_line_of_the_table_has_its_verdict_and_its_cards() {
    assert_eq!(EXCHANGE.len(), 18);
    for line in EXCHANGE.iter() {
        let cells = [
            ("frequency", line["frequency"].as_str()),
            ("rekey", &line["rekey"]),
            ("auto_key_exchange_source", &line["property"]),
            ("auto_key_exchange_target", &line["property"]),
        ];
        let said = judge(&cells);
        assert!(agrees(line, &said), "{}: {said:?}", line["id"]);
        for other in EXCHANGE.iter().filter(|other| other["verdict"] != line["verdict"]) {
            assert!(!agrees(other, &said), "{} passes for {}", other["id"], line["id"]);
        }
    }
}

type Cells = &'static [(&'static str, &'static str)];

/// No specification, so nothing is said of any. Nothing is decided, but the keys of specifications stay unknown, too.
const NONE_LISTED: Cells = &[
    ("crypto_specifications", "none"),
    ("source_specification", ""),
    ("source_module", ""),
    ("source_key", ""),
    ("target_key", ""),
    ("target_active_key", ""),
];

/// A rule, the card that tells of it, the class that the card brings (none for remarks and steps), cells on which it
/// fires and cells on which it does not.
const RULES: [(&str, &str, &str, Cells, Cells); 23] = [
    ("R1", "module-or-key-missing-on-source", "change-first", &[("source_key", "no")], &[]),
    ("R1", "module-or-key-missing-on-source", "change-first", &[("source_module", "no")], &[("source_key", "k1")]),
    ("R1", "module-or-key-missing-on-target", "change-first", &[("target_key", "no")], &[]),
    (
        "R1",
        "module-or-key-missing-on-target",
        "change-first",
        &[("target_module", "no")],
        &[("target_module", "global.m")],
    ),
    (
        "R2",
        "no-active-key-on-target",
        "change-first",
        &[("frequency", "one-time-clone"), ("rekey", "yes"), ("target_active_key", "no")],
        &[("frequency", "one-time-clone"), ("rekey", "no"), ("target_active_key", "no")],
    ),
    ("R3", "specification-not-on-source", "", &[("source_specification", "not-found")], &[]),
    ("R3", "nothing-to-exchange", "change-first", &[("source_specification", "not-found")], &[]),
    ("R4", "peer-sys-id-missing", "invalid", &[("peer_sys_id", "none")], &[]),
    ("R4", "peer-sys-id-malformed", "invalid", &[("peer_sys_id", "0123")], &[]),
    ("R4", "peer-host-missing", "invalid", &[("peer_host", "none")], &[("peer_host", "instanceA")]),
    ("R4", "peer-host-malformed", "invalid", &[("peer_host", "https://instanceA.service-now.com/")], &[]),
    (
        "R4",
        "peer-wrong-side",
        "invalid",
        &[
            ("peer_host", "test.service-now.com"),
            ("source_host", "prod.service-now.com"),
            ("target_host", "test.service-now.com"),
        ],
        &[
            ("peer_host", "prod.service-now.com"),
            ("source_host", "prod.service-now.com"),
            ("target_host", "test.service-now.com"),
        ],
    ),
    (
        "R4",
        "peer-wrong-side",
        "invalid",
        &[("frequency", "recurring"), ("source_sys_id", "0123456789abcdef0123456789abcdef")],
        &[("frequency", "adhoc"), ("source_sys_id", "0123456789abcdef0123456789abcdef")],
    ),
    ("R5", "role-missing-on-target", "change-first", &[("target_roles", "admin")], &[]),
    (
        "R5",
        "role-missing-on-source",
        "change-first",
        &[("source_roles", "admin")],
        &[("frequency", "one-time-clone"), ("source_roles", "admin")],
    ),
    ("R6", "policy-is-automatic", "", &[("frequency", "recurring")], &[]),
    ("R7", "pending-before-clone", "", &[("frequency", "one-time-clone")], &[]),
    ("R8", "approve-by-hand", "", &[], &[("frequency", "one-time-clone")]),
    ("R9", "no-specification-listed", "", NONE_LISTED, &[]),
    ("R10", "health-red", "valid-with-note", &[("target_health", "red")], &[("target_health", "yellow")]),
    ("R10", "health-red", "valid-with-note", &[("source_health", "malfunction")], &[("source_health", "gray")]),
    ("R11", "externally-wrapped-modules", "undetermined", &[("external_wrapping", "yes")], &[]),
    (
        "S1",
        "adhoc-initiated-from-source",
        "invalid",
        &[("initiated_from", "source")],
        &[("frequency", "one-time-clone"), ("initiated_from", "source")],
    ),
];

#[test]
fn every_rule_fires_where_it_should_and_is_silent_elsewhere() {
    for (rule, card, class, firing, silent) in RULES {
        let told = |said: &Said| {
            said.fires(card) || said.advisories.iter().any(|id| id == card) || said.step(card) == Some(true)
        };
        let (said, quiet) = (judge(firing), judge(silent));
        assert!(told(&said), "{rule} {card} does not fire: {said:?}");
        assert!(!told(&quiet), "{rule} {card} fires: {quiet:?}");
        assert!(class.is_empty() || said.class == class && said.deciding() == [card], "{rule} {card}: {said:?}");
        assert!(firing != NONE_LISTED || said.class == "undetermined", "{said:?}");
        assert!(quiet.class == "valid" || quiet.class == "valid-with-note", "{rule} {card}: {quiet:?}");
    }
}
