//! The gates of EKMS: key status and architecture, each line with the card that tells of it, also where another gate or
//! the matrix blocks already.

use std::sync::LazyLock;

use crate::ekms_matrix::{MATRIX, has_configuration, judge_pairs, pair};
use crate::tables::{Line, Said, table};

pub(crate) static KEYS: LazyLock<Vec<Line>> = LazyLock::new(|| table(include_str!("ekms_key_gate.csv")));
pub(crate) static ARCHITECTURES: LazyLock<Vec<Line>> =
    LazyLock::new(|| table(include_str!("ekms_architecture_gate.csv")));

/// What the two instances say of the property, by the word of the table.
pub(crate) const PROPERTY: [(&str, &str, &str); 9] = [
    ("true_both", "true", "true"),
    ("false_both", "false", "false"),
    ("differs", "true", "false"),
    ("differs", "false", "true"),
    ("unknown", "unknown", "unknown"),
    ("unknown", "true", "unknown"),
    ("unknown", "unknown", "true"),
    ("unknown", "false", "unknown"),
    ("unknown", "unknown", "false"),
];

/// Verdicts and outcomes of gates, weakest first; a pair has the strongest.
pub(crate) fn rank(outcome: &str) -> usize {
    match outcome {
        "supported" | "pass" | "na" => 0,
        "undetermined" => 1,
        "blocked" => 2,
        other => panic!("{other}"),
    }
}

fn strongest<'o>(outcomes: impl IntoIterator<Item = &'o str>) -> &'static str {
    let rank = outcomes.into_iter().map(rank).max().unwrap();
    ["supported", "undetermined", "blocked"][rank]
}

fn with(mut pair: Line, cells: &[(&str, &str)]) -> Line {
    for (column, value) in cells {
        pair.insert((*column).to_owned(), (*value).to_owned());
    }
    pair
}

/// Two architectures that differ while the property is false: the other gate blocks.
const OTHER_ARCHITECTURE: [(&str, &str); 3] = [
    ("target_architecture", "legacy"),
    ("source_non_bagheera_support", "false"),
    ("target_non_bagheera_support", "unset"),
];

/// Whether what is said of a side's key is what a line of the gate expects.
fn key_is_told(gate: &Line, said: &Said) -> bool {
    let side = &gate["side"];
    let told = said.fires.iter().filter(|(id, _, _)| id.starts_with(&format!("{side}-key-")));
    let told: Vec<&str> = told.map(|(id, _, _)| id.as_str()).collect();
    let card: Vec<&str> = gate["card"].split_whitespace().collect();
    let row = said.fires("row-08-source-key-not-active") == (side == "source" && gate["gate"] == "blocked");
    let repair = match gate["gate"].as_str() {
        "pass" => None,
        "undetermined" => Some(false),
        _ => Some(true),
    };
    let gap = gate["gate"] != "undetermined"
        || said.class == "blocked"
        || said.gaps.contains(&format!("{side}_key_status"))
        || !said.deciding().is_empty();
    told == card
        && row
        && gap
        && said.step("repair-key") == repair
        && said.step(&format!("check-{side}-key-status")) == Some(true)
}

#[test]
fn every_key_status_has_its_outcome_and_its_card_on_either_side() {
    assert_eq!(KEYS.len(), 14);
    for gate in KEYS.iter() {
        let cells: Vec<&Line> = MATRIX.iter().filter(|cell| has_configuration(&cell[&gate["side"]])).collect();
        let status = format!("{}_key_status", gate["side"]);
        let alone = cells.iter().map(|cell| with(pair(cell), &[(&status, &gate["key_status"])]));
        let beside = alone.clone().map(|pair| with(pair, &OTHER_ARCHITECTURE));
        let pairs: Vec<Line> = alone.chain(beside).collect();
        for (at, said) in judge_pairs(&pairs).iter().enumerate() {
            let other = if at < cells.len() { "pass" } else { "blocked" };
            let cell = cells[at % cells.len()];
            let expected = strongest([cell["verdict"].as_str(), &gate["gate"], other]);
            let place = format!("{} in {}, other gate {other}", gate["id"], cell["id"]);
            assert_eq!(said.class, expected, "{place}: {said:?}");
            assert!(key_is_told(gate, said), "{place}: {said:?}");
            assert_eq!(said.fires("architectures-differ-without-property"), other == "blocked", "{place}");
        }
    }
}

const ARCHITECTURE_CARDS: [&str; 3] =
    ["architectures-differ-without-property", "both-legacy-without-property", "property-side-not-stated"];

/// Whether what is said of the architectures is what a line of the gate expects.
fn architecture_is_told(gate: &Line, property: &str, said: &Said) -> bool {
    let told: Vec<&str> = ARCHITECTURE_CARDS.into_iter().filter(|card| said.fires(card)).collect();
    let card: Vec<&str> = gate["card"].split_whitespace().collect();
    let step = said.step("set-the-property");
    match gate["gate"].as_str() {
        "pass" => told.is_empty() && step.is_none(),
        // Where all completions are undetermined by different cards, none of them is certain, and the step tells.
        "undetermined" if card.is_empty() => {
            let about = |gap: &String| gap.ends_with("_architecture") || gap.ends_with("_legacy_support");
            let gaps = said.gaps.iter().any(about);
            step == Some(true) || step.is_some() && (said.class == "blocked" || gaps)
        }
        _ => told == card && step == Some(true) && property != "unknown",
    }
}

#[test]
fn every_pair_of_architectures_has_its_outcome_and_its_card() {
    assert_eq!(ARCHITECTURES.len(), 36);
    let cell = |id: &str| MATRIX.iter().find(|cell| cell["id"] == id).unwrap();
    // A configuration on the source, on the target where the matrix blocks, on both; and where a key blocks.
    let pairs = [
        ("M016", "ACTIVE", "supported"),
        ("M004", "", "blocked"),
        ("M019", "ACTIVE", "supported"),
        ("M019", "deleted", "blocked"),
    ];
    for gate in ARCHITECTURES.iter() {
        for (word, source, target) in PROPERTY.into_iter().filter(|(word, _, _)| *word == gate["property"]) {
            let columns = [
                ("source_architecture", gate["source"].as_str()),
                ("target_architecture", &gate["target"]),
                ("source_non_bagheera_support", source),
                ("target_non_bagheera_support", target),
            ];
            let of = |(id, status, _): &(&str, &str, &str)| {
                with(with(pair(cell(id)), &[("source_key_status", status)]), &columns)
            };
            let said = judge_pairs(&pairs.iter().map(of).collect::<Vec<_>>());
            for ((id, status, verdict), said) in pairs.iter().zip(&said) {
                let place = format!("{} ({source}, {target}) in {id}, key {status}", gate["id"]);
                assert_eq!(said.class, strongest([gate["gate"].as_str(), verdict]), "{place}: {said:?}");
                assert!(architecture_is_told(gate, word, said), "{place}: {said:?}");
                assert_eq!(said.fires("source-key-deleted"), *status == "deleted", "{place}");
            }
        }
    }
}

#[test]
fn without_a_configuration_no_gate_is_applied() {
    let without = |cell: &&Line| !has_configuration(&cell["source"]) && !has_configuration(&cell["target"]);
    let cells: Vec<&Line> = MATRIX.iter().filter(without).collect();
    for (_, source, target) in PROPERTY {
        let columns = [
            ("target_architecture", "legacy"),
            ("source_non_bagheera_support", source),
            ("target_non_bagheera_support", target),
        ];
        let pairs: Vec<Line> = cells.iter().map(|cell| with(pair(cell), &columns)).collect();
        for (cell, said) in cells.iter().zip(judge_pairs(&pairs)) {
            let silent = ARCHITECTURE_CARDS.iter().all(|card| !said.fires(card));
            let steps = ["set-the-property", "repair-key"].iter().all(|step| said.step(step).is_none());
            assert!(said.class == cell["verdict"] && silent && steps, "{}: {said:?}", cell["id"]);
        }
    }
}

#[test]
fn a_gate_that_is_not_told_is_noticed() {
    let said = judge_pairs(&[pair(&MATRIX[18])]).remove(0);
    for gate in KEYS.iter().filter(|gate| gate["side"] == "source") {
        assert_eq!(key_is_told(gate, &said), gate["gate"] == "pass", "{}", gate["id"]);
    }
    for gate in ARCHITECTURES.iter() {
        assert_eq!(architecture_is_told(gate, &gate["property"], &said), gate["gate"] == "pass", "{}", gate["id"]);
    }
}
