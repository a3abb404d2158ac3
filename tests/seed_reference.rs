//! The classification once more, in a second and plainer way, against the program.
//!
//! What follows is written from the vendor's text ("Migrate CMKs in default KMS instances to your KMS
//! instances") and from DESIGN.md, section 2. It knows nothing of the cards, so that a misreading in
//! either shows as a difference: for every combination of values, known and unknown, and for the samples.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails says where")]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use assert_cmd::cargo::cargo_bin_cmd;

// ---------------------------------------------------------------------------------------------------
// The reference: nine questions about a key, the class by their answers, and what blanks mean.

/// What has to be known about a key. To most of these the better answer is no.
#[derive(Debug, Clone, Copy)]
enum Question {
    InDedicatedInstance,
    ManagedByService,
    ExternalMaterial,
    RotationOn,
    SeveralVersions,
    UsedByApplication,
    ForbiddenOperation,
    OtherLanguage,
    OutsideVpc,
}

use Question::*;

const QUESTIONS: usize = 9;

/// Where nobody answered these, "no" is presumed and has to be confirmed (DESIGN.md, section 2:
/// instance, usage, operations, languages, network).
const PRESUMED_NO: [Question; 5] =
    [InDedicatedInstance, UsedByApplication, ForbiddenOperation, OtherLanguage, OutsideVpc];

/// The answers, by question; `None` is unknown.
type Answers = [Option<bool>; QUESTIONS];

/// A class, and whether it holds without anything left to confirm.
type Verdict = (&'static str, bool);

/// The class of a key about which everything is known.
fn class_of(key: &[bool; QUESTIONS]) -> &'static str {
    let is = |question: Question| key[question as usize];
    // "You do not need to migrate service keys in default KMS instances or CMKs in dedicated KMS instances."
    if is(InDedicatedInstance) {
        return "not-required";
    }
    if is(ManagedByService) {
        return "service-key";
    }
    // "You cannot migrate the following CMKs": external material, several versions. Scenario 2: no
    // forbidden operations; Java, Go and Python only; in a VPC.
    let application_blocks = is(UsedByApplication) && (is(OtherLanguage) || is(OutsideVpc));
    if is(ExternalMaterial) || is(SeveralVersions) || is(ForbiddenOperation) || application_blocks {
        return "blocked";
    }
    // "If automatic rotation is enabled for a CMK with only one version, you can migrate the CMK after
    // you disable automatic rotation."
    if is(RotationOn) { "needs-rotation-disabled" } else { "migratable" }
}

/// Every way in which the unknown answers can turn out.
fn completions(answers: &Answers) -> Vec<[bool; QUESTIONS]> {
    let mut all = vec![[false; QUESTIONS]];
    for (index, answer) in answers.iter().enumerate() {
        let may_be_yes = *answer != Some(false);
        let may_be_no = *answer != Some(true);
        let mut longer = Vec::new();
        for key in all {
            if may_be_no {
                longer.push(key);
            }
            if may_be_yes {
                let mut yes = key;
                yes[index] = true;
                longer.push(yes);
            }
        }
        all = longer;
    }
    all
}

/// Whether the class of some completion changes with the answer to this question alone.
fn matters(answers: &Answers, question: usize) -> bool {
    let mut without = *answers;
    without[question] = Some(false);
    completions(&without).iter().any(|no| {
        let mut yes = *no;
        yes[question] = true;
        class_of(no) != class_of(&yes)
    })
}

/// The verdict on what is known. `use_is_inferred`: that no application uses the key is only concluded.
fn verdict_on(answers: &Answers, use_is_inferred: bool) -> Verdict {
    let is_open = |index: &usize| answers[*index].is_none() && matters(answers, *index);
    let open: Vec<usize> = (0..QUESTIONS).filter(is_open).collect();
    if open.iter().any(|index| PRESUMED_NO.iter().all(|presumed| *presumed as usize != *index)) {
        return ("undetermined", false);
    }
    let as_presumed = answers.map(|answer| answer.unwrap_or(false));
    let mut doubted = *answers;
    doubted[UsedByApplication as usize] = None;
    let in_doubt = use_is_inferred && matters(&doubted, UsedByApplication as usize);
    (class_of(&as_presumed), open.is_empty() && !in_doubt)
}

// ---------------------------------------------------------------------------------------------------
// Records: the JSON text of each column, and what it answers.

const COLUMNS: [&str; 10] = [
    "instance",
    "aliases",
    "manager_type",
    "origin",
    "rotation",
    "versions",
    "usage",
    "operations",
    "languages",
    "network",
];

/// The JSON text of each column.
type Row = [&'static str; COLUMNS.len()];

/// The values that each column takes.
type Values = [&'static [&'static str]; COLUMNS.len()];

const BLANK: &str = "null";

/// Whether the cell, if it is known, is this text.
fn is(cell: &str, text: &str) -> Option<bool> {
    (cell != BLANK).then(|| cell == text)
}

/// Whether the cell, if it is known, names any of these, as text or in a list.
fn names_any(cell: &str, texts: &[&str]) -> Option<bool> {
    (cell != BLANK).then(|| texts.iter().any(|text| cell.contains(&format!("\"{text}\""))))
}

/// Who manages the key is asked of two columns, which must not contradict each other.
fn managed_by_service(aliases: &str, manager_type: &str) -> Option<bool> {
    let by_alias = names_any(aliases, &["alias/acs/oss"]);
    let by_type = is(manager_type, "\"service\"");
    match (by_alias, by_type) {
        (Some(alias), Some(kind)) if alias != kind => None,
        (Some(alias), _) => Some(alias),
        (None, kind) => kind,
    }
}

/// Whether applications use the key, and whether a "no" is only concluded.
fn used_by_application(usage: &str, operations: &str, languages: &str, network: &str) -> (Option<bool>, bool) {
    let lists_any = |cell: &str| (cell != BLANK).then_some(cell != "[]");
    let (operations, languages) = (lists_any(operations), lists_any(languages));
    match names_any(usage, &["self-managed", "both"]) {
        Some(true) => (Some(true), false),
        Some(false) => {
            let outside = names_any(network, &["idc", "internet"]) == Some(true);
            let idle_but_called = usage == "[]" && operations == Some(true);
            (Some(false), languages == Some(true) || outside || idle_but_called)
        }
        None if operations == Some(true) || languages == Some(true) => (Some(true), false),
        None if operations == Some(false) && languages == Some(false) => (Some(false), false),
        None => (None, false),
    }
}

/// What a record says, and whether "no application uses the key" is only concluded.
fn answers_of(row: &Row) -> (Answers, bool) {
    let [instance, aliases, manager_type, origin, rotation, versions, usage, operations, languages, network] = *row;
    let (used, inferred) = used_by_application(usage, operations, languages, network);
    let mut answers = [None; QUESTIONS];
    let mut answer = |question: Question, answer: Option<bool>| answers[question as usize] = answer;
    answer(InDedicatedInstance, names_any(instance, &["kst-hzzsample0001"]));
    answer(ManagedByService, managed_by_service(aliases, manager_type));
    answer(ExternalMaterial, is(origin, "\"EXTERNAL\""));
    answer(RotationOn, names_any(rotation, &["Enabled", "Suspended"]));
    answer(SeveralVersions, is(versions, "3"));
    answer(UsedByApplication, used);
    answer(ForbiddenOperation, names_any(operations, &["ReEncrypt", "ExportDataKey", "GenerateAndExportDataKey"]));
    answer(OtherLanguage, names_any(languages, &["php"]));
    answer(OutsideVpc, names_any(network, &["idc", "internet"]));
    (answers, inferred)
}

/// Remembers verdicts, for few answers differ.
#[derive(Default)]
struct Reference(HashMap<(Answers, bool), Verdict>);

impl Reference {
    fn verdict(&mut self, row: &Row) -> Verdict {
        let (answers, inferred) = answers_of(row);
        *self.0.entry((answers, inferred)).or_insert_with(|| verdict_on(&answers, inferred))
    }
}

// ---------------------------------------------------------------------------------------------------
// Combinations, and the program's verdict on each.

/// Every column known, in every way.
const KNOWN: Values = [
    &[r#""default""#, r#""kst-hzzsample0001""#],
    &["[]", r#"["alias/acs/oss"]"#, r#"["alias/orders"]"#, r#"["alias/orders","alias/acs/oss"]"#],
    &[r#""service""#, r#""customer""#],
    &[r#""Aliyun_KMS""#, r#""EXTERNAL""#],
    &[r#""Enabled""#, r#""Suspended""#, r#""Disabled""#],
    &["1", "3"],
    &[r#""server-side""#, r#""self-managed""#, r#""both""#, "[]"],
    &["[]", r#"["Encrypt"]"#, r#"["ReEncrypt"]"#, r#"["Encrypt","ExportDataKey"]"#],
    &["[]", r#"["java"]"#, r#"["php"]"#, r#"["go","php"]"#],
    &[r#"["vpc"]"#, r#"["idc"]"#, r#"["internet"]"#, r#"["vpc","idc"]"#],
];

/// Every column known or not, the known ones in few ways.
const BLANKS: Values = [
    &[r#""default""#, r#""kst-hzzsample0001""#, BLANK],
    &[r#"["alias/acs/oss"]"#, r#"["alias/orders"]"#, BLANK],
    &[r#""service""#, r#""customer""#, BLANK],
    &[r#""Aliyun_KMS""#, r#""EXTERNAL""#, BLANK],
    &[r#""Enabled""#, r#""Disabled""#, BLANK],
    &["1", "3", BLANK],
    &[r#""server-side""#, r#""self-managed""#, r#""both""#, "[]", BLANK],
    &["[]", r#"["Encrypt"]"#, r#"["ReEncrypt"]"#, BLANK],
    &["[]", r#"["java"]"#, r#"["php"]"#, BLANK],
    &[r#"["vpc"]"#, r#"["idc"]"#, BLANK],
];

/// All values of the columns that speak of applications, with a key about which little else is open.
const APPLICATIONS: Values = [
    &[r#""default""#, BLANK],
    &["[]", r#"["alias/orders"]"#],
    &[BLANK],
    &[r#""Aliyun_KMS""#, BLANK],
    &[r#""Suspended""#, r#""Disabled""#],
    &["1", BLANK],
    &[r#""server-side""#, r#""self-managed""#, r#""both""#, "[]", BLANK],
    &["[]", r#"["Encrypt"]"#, r#"["ReEncrypt"]"#, r#"["Encrypt","ExportDataKey"]"#, BLANK],
    &["[]", r#"["java"]"#, r#"["php"]"#, r#"["go","php"]"#, BLANK],
    &[r#"["vpc"]"#, r#"["idc"]"#, r#"["internet"]"#, r#"["vpc","idc"]"#, BLANK],
];

fn count(values: &Values) -> usize {
    values.iter().map(|column| column.len()).product()
}

/// The combination of this number.
fn combination(values: &Values, mut number: usize) -> Row {
    values.map(|column| {
        let value = column[number % column.len()];
        number /= column.len();
        value
    })
}

/// A record as it stands in the file. What is unknown is null in every other record, else left out.
fn json_line(key: usize, row: &Row) -> String {
    let mut line = format!("{{\"key_id\":\"k{key}\"");
    for (column, value) in COLUMNS.iter().zip(row) {
        if *value != BLANK || key.is_multiple_of(2) {
            write!(line, ",\"{column}\":{value}").expect("a string takes any text");
        }
    }
    line.push('}');
    line
}

fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("seed_reference");
    std::fs::create_dir_all(&folder).expect("the target folder can be written");
    folder.join(name)
}

/// Runs `cmkdiag diagnose`, and gives class and confirmed of each key.
fn diagnose(input: &Path, output: &Path, further: &[&str], exit_code: i32) -> BTreeMap<String, (String, String)> {
    let mut command = cargo_bin_cmd!("cmkdiag");
    command.env_clear().arg("diagnose").arg(input).args(["--format", "csv", "-o"]).arg(output).args(further);
    command.assert().code(exit_code);
    let mut table = csv::Reader::from_path(output).expect("the output is there");
    let header = table.headers().expect("the output has a header").clone();
    let first: Vec<&str> = header.iter().take(6).collect();
    assert_eq!(first, ["key_id", "account_id", "region", "aliases", "class", "confirmed"]);
    let mut verdicts = BTreeMap::new();
    for record in table.records() {
        let record = record.expect("the output is a table");
        let twice = verdicts.insert(record[0].to_owned(), (record[4].to_owned(), record[5].to_owned()));
        assert_eq!(twice, None, "{} is in the output twice", &record[0]);
    }
    verdicts
}

fn shown((class, confirmed): Verdict) -> (String, String) {
    (class.to_owned(), if confirmed { "yes" } else { "no" }.to_owned())
}

/// Compares the program with the reference on every combination; gives the verdicts that occur.
fn compare(name: &str, values: &Values) -> BTreeSet<Verdict> {
    let (input, output) = (scratch(&format!("{name}.jsonl")), scratch(&format!("{name}.csv")));
    let mut file = BufWriter::new(File::create(&input).expect("the input can be written"));
    for key in 0..count(values) {
        writeln!(file, "{}", json_line(key, &combination(values, key))).expect("the input can be written");
    }
    file.into_inner().expect("the input can be written");
    let verdicts = diagnose(&input, &output, &[], 0);
    assert_eq!(verdicts.len(), count(values), "every record is another key");
    let mut reference = Reference::default();
    let (mut occurring, mut differences, mut first) = (BTreeSet::new(), 0, String::new());
    for key in 0..count(values) {
        let row = combination(values, key);
        let expected = reference.verdict(&row);
        occurring.insert(expected);
        let found = verdicts.get(&format!("k{key}"));
        if found != Some(&shown(expected)) {
            differences += 1;
            if differences <= 12 {
                let (inputs, expected) = (json_line(key, &row), shown(expected));
                write!(first, "\n{inputs}\n    reference {expected:?}, program {found:?}")
                    .expect("a string takes any text");
            }
        }
    }
    assert_eq!(differences, 0, "of {} rows in {} so many differ, first of all:{first}", count(values), input.display());
    occurring
}

#[test]
fn all_combinations_of_known_values() {
    let occurring = compare("known", &KNOWN);
    let expected = [
        ("blocked", true),
        ("migratable", false),
        ("migratable", true),
        ("needs-rotation-disabled", false),
        ("needs-rotation-disabled", true),
        ("not-required", true),
        ("service-key", true),
        ("undetermined", false),
    ];
    assert_eq!(occurring, BTreeSet::from(expected), "without blanks only a doubtful use leaves anything to confirm");
}

#[test]
fn all_combinations_with_blanks() {
    let occurring = compare("blanks", &BLANKS);
    let expected = [
        ("blocked", false),
        ("blocked", true),
        ("migratable", false),
        ("migratable", true),
        ("needs-rotation-disabled", false),
        ("needs-rotation-disabled", true),
        ("not-required", true),
        ("service-key", false),
        ("service-key", true),
        ("undetermined", false),
    ];
    assert_eq!(occurring, BTreeSet::from(expected));
}

#[test]
fn all_combinations_of_application_columns() {
    compare("applications", &APPLICATIONS);
}

// ---------------------------------------------------------------------------------------------------
// The reference itself, sentence by sentence.

/// A CMK of scenario 2 with nothing in the way, but for these columns.
fn row(changes: &[(&str, &'static str)]) -> Row {
    let mut row: Row = [
        r#""default""#,
        r#"["alias/orders"]"#,
        BLANK,
        r#""Aliyun_KMS""#,
        r#""Disabled""#,
        "1",
        r#""self-managed""#,
        r#"["Encrypt"]"#,
        r#"["java"]"#,
        r#"["vpc"]"#,
    ];
    for (column, value) in changes {
        let index = COLUMNS.iter().position(|name| name == column).expect("a column of the table");
        row[index] = value;
    }
    row
}

#[test]
fn the_reference_says_what_the_document_says() {
    let dedicated = ("instance", r#""kst-hzzsample0001""#);
    let external = ("origin", r#""EXTERNAL""#);
    let rotating = ("rotation", r#""Enabled""#);
    let several = ("versions", "3");
    let server_side = ("usage", r#""server-side""#);
    let outside = ("network", r#"["idc"]"#);
    let php = ("languages", r#"["php"]"#);
    let no_application = [("operations", "[]"), ("languages", "[]"), ("network", BLANK), server_side];
    let blank = |column| (column, BLANK);
    let cases: [(&[(&str, &'static str)], Verdict); 24] = [
        (&[], ("migratable", true)),
        (&no_application, ("migratable", true)),
        (&[dedicated, several, external], ("not-required", true)),
        (&[("aliases", r#"["alias/acs/oss"]"#)], ("service-key", true)),
        (&[external, server_side], ("blocked", true)),
        (&[external], ("blocked", true)),
        (&[rotating], ("needs-rotation-disabled", true)),
        (&[rotating, several], ("blocked", true)),
        (&[several], ("blocked", true)),
        (&[("operations", r#"["ReEncrypt"]"#)], ("blocked", true)),
        (&[("operations", r#"["Encrypt","ExportDataKey"]"#), server_side], ("blocked", true)),
        (&[php], ("blocked", true)),
        (&[outside], ("blocked", true)),
        (&[outside, server_side, ("languages", "[]")], ("migratable", false)),
        (&[php, server_side], ("migratable", false)),
        (&[blank("instance")], ("migratable", false)),
        (&[blank("network"), rotating], ("needs-rotation-disabled", false)),
        (&[blank("usage"), php], ("blocked", true)),
        (&[blank("languages"), blank("network"), blank("usage"), blank("operations")], ("migratable", false)),
        (&[blank("origin")], ("undetermined", false)),
        (&[blank("versions"), rotating], ("undetermined", false)),
        (&[blank("versions"), blank("rotation"), external], ("blocked", true)),
        (&[blank("aliases"), external], ("undetermined", false)),
        (&[("manager_type", r#""service""#)], ("undetermined", false)),
    ];
    let mut reference = Reference::default();
    for (changes, expected) in cases {
        assert_eq!(reference.verdict(&row(changes)), expected, "{changes:?}");
    }
}

// ---------------------------------------------------------------------------------------------------
// The samples.

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name)
}

/// Two records of the inventory are wrong on purpose.
const DONE_WITH_REJECTS: i32 = 3;

#[test]
fn the_inventory_gives_the_same_classes_as_table_and_as_json() {
    let table = diagnose(&sample("inventory.csv"), &scratch("of-csv.csv"), &[], DONE_WITH_REJECTS);
    let json = diagnose(&sample("inventory.json"), &scratch("of-json.csv"), &[], DONE_WITH_REJECTS);
    assert_eq!(table, json);
}

/// The tables of samples/README.md: class and confirmed of each key.
fn promised() -> BTreeMap<String, (String, String)> {
    let page = std::fs::read_to_string(sample("README.md")).expect("the samples have a README");
    let mut promised = BTreeMap::new();
    for line in page.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let ["", key, class, confirmed, _why, ""] = cells[..] else {
            continue;
        };
        if let Some(key) = key.strip_prefix('`').and_then(|key| key.strip_suffix('`')) {
            let twice = promised.insert(key.to_owned(), (class.to_owned(), confirmed.to_owned()));
            assert_eq!(twice, None, "{key} is in the tables twice");
        }
    }
    promised
}

#[test]
fn the_samples_get_the_classes_that_their_readme_promises() {
    let mut found = diagnose(&sample("inventory.csv"), &scratch("promised-inventory.csv"), &[], DONE_WITH_REJECTS);
    found.extend(diagnose(&sample("card.csv"), &scratch("promised-card.csv"), &[], 0));
    let mut promised = promised();
    promised.retain(|key, (class, _)| {
        let rejected = class == "rejected";
        assert!(!(rejected && found.contains_key(key)), "{key} should have been rejected");
        !rejected
    });
    assert!(promised.len() > 70, "the tables were not understood");
    assert_eq!(found, promised);
}

#[test]
fn the_card_alone_tells_the_four_classes_apart_and_confirming_the_rest_changes_none() {
    let plain = diagnose(&sample("card.csv"), &scratch("card.csv"), &[], 0);
    let classes: BTreeSet<&str> = plain.values().map(|(class, _)| class.as_str()).collect();
    for class in ["service-key", "migratable", "needs-rotation-disabled", "blocked"] {
        assert!(classes.contains(class), "no key of the card is {class}");
    }
    let assume = ["--assume", "instance=default", "--assume", "network=vpc"];
    let assumed = diagnose(&sample("card.csv"), &scratch("card-assumed.csv"), &assume, 0);
    let by_class = |verdicts: &BTreeMap<String, (String, String)>| -> BTreeMap<String, String> {
        verdicts.iter().map(|(key, (class, _))| (key.clone(), class.clone())).collect()
    };
    assert_eq!(by_class(&plain), by_class(&assumed), "these values are the ones that are presumed anyway");
}
