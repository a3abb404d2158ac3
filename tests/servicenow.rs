//! The samples and the documentation of the commands about ServiceNow, against the program: classes, fields, columns and
//! the matrix at a glance.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails says where")]

use std::collections::{BTreeMap, BTreeSet};

use assert_cmd::Command;
use cmkdiag::domains::form::{FieldSpec, Form, Of, Reads, Side};
use cmkdiag::domains::{ekms, exchange};
use serde_json::{Value, json};

const SAMPLES: &str = include_str!("../samples/servicenow/README.md");
const PAGE: &str = include_str!("../docs/servicenow.md");
const OUTPUT: &str = include_str!("../docs/output.md");

const FLEET: &str = "samples/servicenow/fleet.csv";
const REQUESTS: [&str; 2] = ["samples/servicenow/requests.json", "samples/servicenow/requests.csv"];

/// Class and confirmed, by the name of the subject.
type Verdicts = BTreeMap<String, (String, String)>;

fn run(arguments: &[&str], input: &str) -> String {
    let mut command = Command::cargo_bin("cmkdiag").unwrap();
    let output = command.env_clear().args(arguments).write_stdin(input).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

fn document(arguments: &[&str], input: &str) -> Value {
    let printed = run(&[arguments, &["--format", "json", "--quiet"]].concat(), input);
    serde_json::from_str(&printed).unwrap()
}

fn verdicts(document: &Value, subjects: &str, name: &str) -> Verdicts {
    let text = |subject: &Value, member: &str| subject[member].as_str().unwrap_or_default().to_owned();
    let confirmed = |subject: &Value| if subject["confirmed"] == true { "yes" } else { "no" }.to_owned();
    let each = document[subjects].as_array().unwrap().iter();
    each.map(|subject| (text(subject, name), (text(subject, "class"), confirmed(subject)))).collect()
}

/// The tables of a page whose head begins with `head`, one behind the other: the cells of their rows.
fn tables<'p>(page: &'p str, head: &str) -> Vec<Vec<Vec<&'p str>>> {
    let cells = |line: &'p str| -> Vec<&'p str> {
        line.trim_matches('|').split(" | ").map(|cell| cell.trim_matches([' ', '|'])).collect()
    };
    let mut lines = page.lines();
    let mut found = Vec::new();
    while let Some(line) = lines.next() {
        if line.starts_with(&format!("| {head} |")) {
            let rows = lines.by_ref().skip(1).take_while(|line| line.starts_with('|'));
            found.push(rows.map(cells).collect());
        }
    }
    found
}

/// What a table of the samples' README promises.
fn promised(head: &str, nth: usize) -> Verdicts {
    let rows = tables(SAMPLES, head).swap_remove(nth);
    let verdict = |row: Vec<&str>| match row[..] {
        [name, class, confirmed, _] => (name.trim_matches('`').to_owned(), (class.to_owned(), confirmed.to_owned())),
        _ => panic!("{row:?}"),
    };
    rows.into_iter().map(verdict).collect()
}

#[test]
fn the_fleet_gets_the_classes_that_the_readme_promises() {
    let asked = ["preflight", FLEET, "--operation", "clone", "--from", "examplia"];
    let before = verdicts(&document(&asked, ""), "pairs", "title");
    assert_eq!(before, promised("pair", 0));
    let replies = ["--describe-key", "samples/servicenow/describe-key"];
    let after = verdicts(&document(&[&asked[..], &replies].concat(), ""), "pairs", "title");
    let mut expected = before;
    expected.extend(promised("with replies", 0));
    assert_eq!(after, expected);
}

#[test]
fn the_pairs_get_the_classes_that_the_readme_promises() {
    let pairs = document(&["preflight", "samples/servicenow/pairs.json"], "");
    assert_eq!(verdicts(&pairs, "pairs", "title"), promised("pair", 1));
}

#[test]
fn the_requests_get_the_classes_that_the_readme_promises_as_json_and_as_table() {
    for file in REQUESTS {
        let found = verdicts(&document(&["exchange", file], ""), "requests", "request");
        assert_eq!(found, promised("request", 0), "{file}");
        let classes: BTreeSet<&str> = found.values().map(|(class, _)| class.as_str()).collect();
        assert_eq!(classes.len(), exchange::EXCHANGE.classes.len(), "{file} does not show every class");
    }
}

#[test]
fn the_matrix_of_the_page_is_that_of_the_program() {
    let table = tables(PAGE, "source ↓ target →").swap_remove(0);
    let postures = ekms::facts::POSTURES;
    assert_eq!(table.len(), postures.len());
    let side = |name: &str, posture: &str| {
        let has_configuration = matches!(posture, "configured" | "in_use");
        let status = has_configuration.then_some("ACTIVE");
        let wrapping = (posture == "in_use").then_some("external");
        json!({ "name": format!("{name} {posture}"), "posture": posture, "architecture": "current",
                "key_status": status, "wrapping": wrapping })
    };
    for (row, source) in table.iter().zip(postures) {
        assert_eq!(row[0], format!("**{source}**"));
        for (cell, target) in row[1..].iter().zip(postures) {
            let both = |posture: &&str| matches!(*posture, "configured" | "in_use");
            let matching = (both(source) && both(target)).then_some("matching");
            let pair = json!({ "source": side("s", source), "target": side("t", target), "config_relation": matching });
            let found = document(&["preflight", "-"], &format!("[{pair}]"));
            let (class, rules) = (found["pairs"][0]["class"].as_str().unwrap(), decisive_rows(&found["pairs"][0]));
            let (says, rows) = cell.split_once(' ').unwrap_or((cell, ""));
            // Where the relation of the configurations counts, the pair was given matching ones.
            let says = if says == "by" { "supported" } else { says };
            assert_eq!(says, class, "{source} onto {target}");
            if says == "supported" && rows == "relation" {
                continue;
            }
            let shown: Vec<u32> =
                rows.split(", ").filter_map(|row| row.strip_prefix('r')).map(|row| row.parse().unwrap()).collect();
            assert_eq!(shown, rules, "rows for {source} onto {target}");
        }
    }
}

/// The numbers of the rows that decide.
fn decisive_rows(pair: &Value) -> Vec<u32> {
    let findings = pair["findings"].as_array().unwrap().iter().filter(|finding| finding["decides"] == true);
    let number = |finding: &Value| {
        let rest = finding["rule"].as_str()?.strip_prefix("row-")?;
        rest.split('-').next()?.parse().ok()
    };
    findings.filter_map(number).collect()
}

/// The fields of a form as the page has to show them: name, other names, values.
fn fields_of(form: &Form) -> BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)> {
    let of = |field: &FieldSpec| {
        let also = field.also.iter().filter(|also| !also.is_empty()).map(|also| (*also).to_owned());
        (field.name.to_owned(), (also.collect(), values(form, field)))
    };
    form.fields.iter().map(of).collect()
}

/// The values by their own names; nothing for texts and times.
fn values(form: &Form, field: &FieldSpec) -> BTreeSet<String> {
    let (Reads::Choice(words) | Reads::Label(words, _)) = field.reads else { return BTreeSet::new() };
    let fact = match field.of {
        Of::Subject(fact) => fact,
        of => of.fact(Some(Side::Source)),
    };
    let of_fact = fact.map(|fact| form.domain.facts[fact.index()].values.to_vec()).unwrap_or_default();
    let all = of_fact.into_iter().chain(words.iter().map(|(_, value)| *value));
    all.map(str::to_owned).collect()
}

#[test]
fn the_fields_of_the_page_are_those_of_the_program() {
    let quoted = |cell: &str| -> BTreeSet<String> { cell.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    for (head, form) in
        [("field of pairs and instances", &ekms::fields::PAIRS), ("field of requests", &exchange::fields::REQUESTS)]
    {
        let mut shown = BTreeMap::new();
        for row in tables(PAGE, head).concat() {
            let [name, also, values] = row[..] else { panic!("{row:?}") };
            shown.insert(name.trim_matches('`').to_owned(), (quoted(also), quoted(values)));
        }
        let expected = fields_of(form);
        assert_eq!(shown.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{head}");
        for (name, (also, values)) in expected {
            assert_eq!(shown[&name].0, also, "{head}: other spellings of {name}");
            let is_text = values.is_empty();
            assert!(is_text || shown[&name].1 == values, "{head}: values of {name}: {values:?}");
        }
    }
}

#[test]
fn the_classes_of_the_page_are_those_of_the_program() {
    let named = |nth: usize| -> Vec<String> {
        let rows = tables(PAGE, "class").swap_remove(nth);
        rows.iter().map(|row| row[0].trim_matches('`').to_owned()).collect()
    };
    for (nth, domain) in [&ekms::EKMS, &exchange::EXCHANGE].into_iter().enumerate() {
        assert_eq!(named(nth), domain.classes.iter().map(|class| class.name.to_owned()).collect::<Vec<_>>());
    }
}

#[test]
fn columns_and_members_of_both_commands_are_documented() {
    for (arguments, form) in [
        (["preflight", "samples/servicenow/pairs.json"], &ekms::fields::PAIRS),
        (["exchange", REQUESTS[0]], &exchange::fields::REQUESTS),
    ] {
        let found = document(&arguments, "");
        assert!(OUTPUT.contains(found["format"].as_str().unwrap()), "{}", found["format"]);
        let table = run(&[&arguments[..], &["--format", "csv", "--quiet"]].concat(), "");
        let subject = found[form.plural][0].as_object().unwrap();
        let members = subject.keys().map(String::as_str);
        for name in table.lines().next().unwrap().split(',').chain(members) {
            assert!(OUTPUT.contains(&format!("`{name}`")), "docs/output.md does not explain `{name}`");
        }
    }
}
