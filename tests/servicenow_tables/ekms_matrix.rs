//! Every cell of the matrix of EKMS postures, configurations and key wrapping, with both gates passed.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::LazyLock;

use cmkdiag::domains::ekms::fields::PAIRS;

use crate::tables::{Line, Said, judge_lines, table};

pub(crate) static MATRIX: LazyLock<Vec<Line>> = LazyLock::new(|| table(include_str!("ekms_matrix.csv")));

/// Rows that a cell of the matrix lacks though its neighbours and our definitions give them: incompatible configurations
/// are different ones, and row 11 blocks those.
const ERRATA: [(&str, &str); 1] = [("M097", "11")];

pub(crate) fn has_configuration(posture: &str) -> bool {
    matches!(posture, "configured" | "in_use")
}

/// Judges pairs whose gates are passed, but for what the given columns say. Cells that a column does not fill are
/// unknown.
pub(crate) fn judge_pairs(pairs: &[Line]) -> Vec<Said> {
    const COLUMNS: [&str; 10] = [
        "source_posture",
        "target_posture",
        "config_relation",
        "wrapping_relation",
        "source_key_status",
        "target_key_status",
        "source_architecture",
        "target_architecture",
        "source_non_bagheera_support",
        "target_non_bagheera_support",
    ];
    let mut text = format!("source_name,target_name,{}\n", COLUMNS.join(","));
    for (at, pair) in pairs.iter().enumerate() {
        let cells: Vec<&str> = COLUMNS.iter().map(|column| pair.get(*column).map_or("", String::as_str)).collect();
        writeln!(text, "from-{at},onto-{at},{}", cells.join(",")).unwrap();
    }
    judge_lines(&PAIRS, &text)
}

/// A pair in a cell of the matrix, with both keys ACTIVE and the architectures current.
pub(crate) fn pair(cell: &Line) -> Line {
    let mut pair = Line::new();
    let mut fill = |column: &str, value: &str| pair.insert(column.to_owned(), value.to_owned());
    for side in ["source", "target"] {
        fill(&format!("{side}_posture"), &cell[side]);
        fill(&format!("{side}_architecture"), "current");
        if has_configuration(&cell[side]) {
            fill(&format!("{side}_key_status"), "ACTIVE");
        }
    }
    fill("config_relation", &cell["config_relation"]);
    fill("wrapping_relation", &cell["wrapping_relation"]);
    pair
}

/// The numbers of the document's rows among the cards of a class that fire, and the cards that are no rows.
fn rows(said: &Said, class: &str) -> BTreeSet<String> {
    let of_class = said.fires.iter().filter(|(_, of, _)| of == class);
    let number = |id: &String| match id.strip_prefix("row-").and_then(|rest| rest.get(..2)) {
        Some(number) => number.trim_start_matches('0').to_owned(),
        None => id.clone(),
    };
    of_class.map(|(id, _, _)| number(id)).collect()
}

/// Where the program and the matrix differ, one text a cell.
fn differences(matrix: &[Line], said: &[Said]) -> Vec<String> {
    let mut differences = Vec::new();
    for (cell, said) in matrix.iter().zip(said) {
        let listed =
            |column: &str| -> BTreeSet<String> { cell[column].split_whitespace().map(str::to_owned).collect() };
        let mut expected = listed("rows");
        let errata = ERRATA.iter().filter(|(id, _)| *id == cell["id"]);
        errata.for_each(|(_, row)| assert!(expected.insert((*row).to_owned()), "{}: no erratum", cell["id"]));
        let (verdict, basis) = (cell["verdict"].as_str(), cell["basis"].as_str());
        let good = match basis {
            "no_row" => said.deciding().iter().all(|id| id.starts_with("no-row-")) && !said.deciding().is_empty(),
            "input_unknown" => {
                !said.gaps.is_empty() && said.gaps.iter().all(|gap| cell.get(gap).is_some_and(|of| of == "unknown"))
            }
            "input_contradiction" => said.deciding() == ["wrapping-contradicts-posture"],
            _ => {
                let overruled = if verdict == "blocked" { rows(said, "supported") } else { rows(said, "blocked") };
                rows(said, verdict) == expected && overruled == listed("overruled")
            }
        };
        // A target of which some modules are wrapped externally differs in both ways, so either may be said.
        let plain = cell["wrapping_relation"] != "other_difference"
            || cell["source"] == "configured" && cell["target"] == "configured";
        let contradicts = said.fires("wrapping-contradicts-posture") == (cell["contradicts"] == "yes" && plain);
        // What rests on our reading of "configured" alone is to be confirmed.
        let confirmed = verdict != "supported" || said.confirmed == (basis != "derived");
        if said.class != verdict || !good || !contradicts || !confirmed {
            differences.push(format!("{}: {said:?}", cell["id"]));
        }
    }
    differences
}

#[test]
fn every_cell_of_the_matrix_has_its_verdict_and_its_rows() {
    assert_eq!(MATRIX.len(), 101);
    let pairs: Vec<Line> = MATRIX.iter().map(pair).collect();
    let differences = differences(&MATRIX, &judge_pairs(&pairs));
    assert!(differences.is_empty(), "{differences:#?}");
}

#[test]
fn a_wrong_cell_is_told() {
    let pairs: Vec<Line> = MATRIX.iter().map(pair).collect();
    let said = judge_pairs(&pairs);
    for (id, column, wrong) in [
        ("M019", "verdict", "blocked"),
        ("M008", "verdict", "supported"),
        ("M039", "basis", "input_unknown"),
        ("M038", "basis", "input_contradiction"),
        ("M040", "rows", "10"),
        ("M040", "overruled", ""),
        ("M022", "basis", "literal"),
        ("M029", "contradicts", "no"),
    ] {
        let mut matrix = MATRIX.clone();
        let cell = matrix.iter_mut().find(|cell| cell["id"] == id).unwrap();
        cell.insert(column.to_owned(), wrong.to_owned());
        let differences = differences(&matrix, &said);
        assert!(differences.len() == 1 && differences[0].starts_with(id), "{id} {column}: {differences:?}");
    }
}
