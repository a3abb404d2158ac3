//! The matrix and the gates together: all combinations of what a pair can be.

use std::collections::HashMap;
use std::sync::LazyLock;
use std::thread;

use cmkdiag::diagnose::{Settings, shape};
use cmkdiag::domains::ekms::{EKMS, facts};
use cmkdiag::engine::decide::Decider;
use cmkdiag::engine::facts::{FactId, Facts, Grade};
use cmkdiag::rulebook::Rulebook;

use crate::ekms_gates::{ARCHITECTURES, KEYS, PROPERTY, rank};
use crate::ekms_matrix::{MATRIX, has_configuration};
use crate::tables::Line;

pub(crate) static BOOK: LazyLock<Rulebook> = LazyLock::new(|| Rulebook::load(&EKMS, None, None).unwrap());

/// How many facts the tables speak of; they are the first of the domain.
pub(crate) const ASKED: usize = 12;

/// What is said of each of these facts: the position of a value, or nothing.
pub(crate) type Told = [Option<usize>; ASKED];

/// The tables, by positions of values; the position after the last one means unknown, or that there is nothing to know.
#[derive(Debug)]
pub(crate) struct Tables {
    matrix: HashMap<[Option<usize>; 4], usize>,
    keys: [HashMap<Option<usize>, usize>; 2],
    architectures: HashMap<([Option<usize>; 2], &'static str), usize>,
}

/// The position of a value that a table names; nothing for `unknown` and `na`.
fn position(fact: FactId, name: &str) -> Option<usize> {
    let name = match name {
        "unknown" | "na" => return None,
        "int_to_ext" => "internal-to-external",
        "other_difference" => "other-difference",
        name => name,
    };
    let found = facts::FACTS[fact.index()].values.iter().position(|value| *value == name);
    Some(found.unwrap_or_else(|| panic!("{name}")))
}

impl Tables {
    pub(crate) fn new(matrix: &[Line], keys: &[Line], architectures: &'static [Line]) -> Tables {
        let of_side = |side: &str| {
            let lines = keys.iter().filter(|line| line["side"] == side);
            lines.map(|line| (position(facts::SOURCE_KEY_STATUS, &line["key_status"]), rank(&line["gate"]))).collect()
        };
        let pair = |line: &Line| {
            let side = |side: &str| position(facts::SOURCE_ARCHITECTURE, &line[side]);
            [side("source"), side("target")]
        };
        Tables {
            matrix: matrix.iter().map(|cell| (place(cell), rank(&cell["verdict"]))).collect(),
            keys: [of_side("source"), of_side("target")],
            architectures: architectures
                .iter()
                .map(|line| ((pair(line), line["property"].as_str()), rank(&line["gate"])))
                .collect(),
        }
    }

    pub(crate) fn matrix(&self, told: &Told) -> usize {
        let of = |fact: FactId| told[fact.index()];
        let both = configured(told, 0) && configured(told, 1);
        let relations = if both { [of(facts::CONFIG_RELATION), of(facts::WRAPPING_RELATION)] } else { [None; 2] };
        self.matrix[&[of(facts::SOURCE_POSTURE), of(facts::TARGET_POSTURE), relations[0], relations[1]]]
    }

    /// The key gate of a side; not applied without a configuration.
    pub(crate) fn key(&self, told: &Told, side: usize) -> usize {
        let status = told[facts::SOURCE_KEY_STATUS.index() + side];
        if configured(told, side) { self.keys[side][&status] } else { 0 }
    }

    /// The architecture gate; not applied without any configuration.
    pub(crate) fn architecture(&self, told: &Told) -> usize {
        let of = |fact: FactId| told[fact.index()];
        let property = match (of(facts::SOURCE_LEGACY_SUPPORT), of(facts::TARGET_LEGACY_SUPPORT)) {
            (Some(0), Some(0)) => "false_both",
            (Some(1), Some(1)) => "true_both",
            (Some(_), Some(_)) => "differs",
            _ => "unknown",
        };
        let pair = [of(facts::SOURCE_ARCHITECTURE), of(facts::TARGET_ARCHITECTURE)];
        let applied = configured(told, 0) || configured(told, 1);
        if applied { self.architectures[&(pair, property)] } else { 0 }
    }

    /// The verdict on a pair whose postures are known: the strongest of the matrix and the gates.
    pub(crate) fn verdict(&self, told: &Told) -> usize {
        self.matrix(told).max(self.key(told, 0)).max(self.key(told, 1)).max(self.architecture(told))
    }
}

fn place(cell: &Line) -> [Option<usize>; 4] {
    [
        position(facts::SOURCE_POSTURE, &cell["source"]),
        position(facts::TARGET_POSTURE, &cell["target"]),
        position(facts::CONFIG_RELATION, &cell["config_relation"]),
        position(facts::WRAPPING_RELATION, &cell["wrapping_relation"]),
    ]
}

pub(crate) fn configured(told: &Told, side: usize) -> bool {
    told[side].is_some_and(|posture| has_configuration(facts::POSTURES[posture]))
}

pub(crate) fn facts_of(told: &Told) -> Facts {
    let mut all = Facts::unknown();
    for (fact, value) in told.iter().enumerate() {
        let bits = value.map_or(0, |value| 1 << value);
        all.set(FactId(fact as u8), bits, Grade::Stated);
    }
    all
}

/// The program's verdict, as a rank, and whether it is without conditions.
pub(crate) fn judged(decider: &mut Decider<'_>, told: &Told) -> (usize, bool) {
    let outcome = shape::judge(&BOOK, &Settings::default(), decider, &facts_of(told));
    (rank(BOOK.verdict_name(outcome.class)), outcome.confirmed)
}

/// All pairs in a cell of the matrix, and whether one is the first of its state of the property.
fn pairs_in(cell: &Line) -> impl Iterator<Item = (Told, bool)> {
    let mut told = [None; ASKED];
    [told[0], told[1], told[facts::CONFIG_RELATION.index()], told[facts::WRAPPING_RELATION.index()]] = place(cell);
    let statuses = |side: usize| if configured(&told, side) { facts::STATUSES.len() + 1 } else { 1 };
    let (of_source, of_target) = (statuses(0), statuses(1));
    (0..of_source * of_target * 9 * PROPERTY.len()).map(move |number| {
        let mut told = told;
        let known = |digit: usize, values: usize| (digit > 0).then(|| digit - 1).filter(|value| *value < values);
        let (status, rest) = (number % (of_source * of_target), number / (of_source * of_target));
        told[facts::SOURCE_KEY_STATUS.index()] = known(status % of_source, 6);
        told[facts::TARGET_KEY_STATUS.index()] = known(status / of_source, 6);
        told[facts::SOURCE_ARCHITECTURE.index()] = known(rest % 3, 2);
        told[facts::TARGET_ARCHITECTURE.index()] = known(rest / 3 % 3, 2);
        let (word, source, target) = PROPERTY[rest / 9];
        told[facts::SOURCE_LEGACY_SUPPORT.index()] = position(facts::SOURCE_LEGACY_SUPPORT, source);
        told[facts::TARGET_LEGACY_SUPPORT.index()] = position(facts::TARGET_LEGACY_SUPPORT, target);
        (told, PROPERTY.iter().position(|(first, _, _)| *first == word) == Some(rest / 9))
    })
}

/// How many combinations have each verdict, and those on which program and tables differ. Of ways in which the two
/// sides say the same of the property together, one is counted.
fn compare(tables: &Tables, cells: &[Line]) -> ([usize; 3], Vec<String>) {
    let (mut counts, mut differences) = ([0; 3], Vec::new());
    let mut decider = Decider::new(&BOOK.program);
    for cell in cells {
        for (told, counted) in pairs_in(cell) {
            let (verdict, expected) = (judged(&mut decider, &told).0, tables.verdict(&told));
            counts[verdict] += usize::from(counted);
            if verdict != expected {
                differences.push(format!("{}: {told:?} is {verdict}, not {expected}", cell["id"]));
            }
        }
    }
    (counts, differences)
}

#[test]
fn every_combination_has_the_strongest_of_its_verdicts() {
    let tables = Tables::new(&MATRIX, &KEYS, &ARCHITECTURES);
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let results: Vec<_> = thread::scope(|scope| {
        let parts = MATRIX.chunks(MATRIX.len().div_ceil(threads));
        let running: Vec<_> = parts.map(|cells| scope.spawn(|| compare(&tables, cells))).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let differences: Vec<&String> = results.iter().flat_map(|(_, differences)| differences).collect();
    assert!(
        differences.is_empty(),
        "{} differ, such as {:#?}",
        differences.len(),
        &differences[..differences.len().min(9)]
    );
    let total = |verdict: usize| results.iter().map(|(counts, _)| counts[verdict]).sum::<usize>();
    assert_eq!([total(2), total(1), total(0)], [141_288, 2_844, 336]);
    assert_eq!(total(0) + total(1) + total(2), 144_468);
}

#[test]
fn a_wrong_line_of_any_table_is_told() {
    let flip = |table: &'static [Line], id: &str, column: &str, wrong: &str| -> &'static [Line] {
        let mut lines = table.to_vec();
        lines.iter_mut().find(|line| line["id"] == id).unwrap().insert(column.to_owned(), wrong.to_owned());
        lines.leak()
    };
    let m019: Vec<Line> = MATRIX.iter().filter(|cell| cell["id"] == "M019").cloned().collect();
    for tables in [
        Tables::new(flip(&MATRIX, "M019", "verdict", "undetermined"), &KEYS, &ARCHITECTURES),
        Tables::new(&MATRIX, flip(&KEYS, "K09", "gate", "pass"), &ARCHITECTURES),
        Tables::new(&MATRIX, &KEYS, flip(&ARCHITECTURES, "A18", "gate", "blocked")),
    ] {
        assert!(!compare(&tables, &m019).1.is_empty(), "{tables:?}");
    }
}
