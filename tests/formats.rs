//! Every format says the same, loses nothing, and lets nothing that came from outside act.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails says where")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

const FORMATS: [&str; 5] = ["csv", "json", "jsonl", "markdown", "table"];

/// Key id to class.
type Classes = BTreeMap<String, String>;

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cmkdiag"));
    command.env_clear().env("NO_COLOR", "1").current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

fn run(arguments: &[&str]) -> Output {
    program().args(arguments).output().expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("it writes UTF-8")
}

fn diagnose(file: &str, format: &str, more: &[&str]) -> Output {
    let mut arguments = vec!["diagnose", file, "--format", format];
    arguments.extend(more);
    run(&arguments)
}

fn put(folder: &TempDir, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

// ---------------------------------------------------------------------------------------------------
// Reading the formats back.

fn json_keys(out: &str, format: &str) -> Vec<Value> {
    match format {
        "json" => {
            let document: Value = serde_json::from_str(out).expect("it is JSON");
            document["keys"].as_array().unwrap().clone()
        }
        _ => out.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect(),
    }
}

fn csv_rows(out: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(out.as_bytes());
    reader.deserialize().collect::<Result<_, _>>().expect("it is CSV")
}

/// The cells of a row of Markdown, what is escaped taken back.
fn markdown_cells(row: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut chars = row.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => cells.last_mut().unwrap().extend(chars.next()),
            '|' => cells.push(String::new()),
            c => cells.last_mut().unwrap().push(c),
        }
    }
    let inner = &cells[1..cells.len() - 1];
    inner.iter().map(|cell| cell.trim().to_owned()).collect()
}

fn markdown_rows(out: &str) -> Vec<Vec<String>> {
    let (_, keys) = out.split_once("\n## Keys\n").expect("a part with the keys");
    let rows = keys.lines().filter(|line| line.starts_with('|')).skip(2);
    rows.map(markdown_cells).collect()
}

/// The rows of the table: class and key.
fn table_rows(out: &str) -> Vec<(String, String)> {
    let (rows, _) = out.split_once("\nSummary").expect("a summary");
    rows.lines()
        .skip(1)
        .filter(|line| !line.starts_with([' ', '?']) && !line.is_empty())
        .map(|line| {
            let mut cells = line.split("  ").filter(|cell| !cell.is_empty());
            let class = cells.next().unwrap().trim_end_matches(" ?").trim();
            (class.to_owned(), cells.next().unwrap().trim().to_owned())
        })
        .collect()
}

/// The classes that an output gives, by key.
fn classes(out: &str, format: &str) -> Classes {
    let string = |value: &Value| value.as_str().unwrap().to_owned();
    let pairs: Vec<(String, String)> = match format {
        "csv" => csv_rows(out).into_iter().map(|row| (row["key_id"].clone(), row["class"].clone())).collect(),
        "json" | "jsonl" => {
            json_keys(out, format).iter().map(|key| (string(&key["key_id"]), string(&key["class"]))).collect()
        }
        "markdown" => markdown_rows(out)
            .into_iter()
            .map(|row| (row[0].clone(), row[4].split(" (").next().unwrap().to_owned()))
            .collect(),
        _ => table_rows(out).into_iter().map(|(class, key)| (key, class)).collect(),
    };
    let count = pairs.len();
    let classes: Classes = pairs.into_iter().collect();
    assert_eq!(classes.len(), count, "{format} names a key twice");
    classes
}

/// What became of the records.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
struct Account {
    read: u64,
    diagnosed: u64,
    keys: u64,
    rejected: u64,
    duplicates: u64,
}

impl Account {
    fn of_line(text: &str) -> Account {
        let line =
            text.lines().find(|line| line.contains("records read =")).unwrap_or_else(|| panic!("no account in {text}"));
        let digits = line.split(|c: char| !c.is_ascii_digit());
        let numbers: Vec<u64> = digits.filter_map(|part| part.parse().ok()).collect();
        let [read, diagnosed, keys, rejected, duplicates] = numbers[..] else {
            panic!("{line}");
        };
        Account { read, diagnosed, keys, rejected, duplicates }
    }

    fn of_json(out: &str) -> Account {
        let document: Value = serde_json::from_str(out).unwrap();
        let summary = &document["summary"];
        let number = |name: &str| summary["records"][name].as_u64().unwrap();
        Account {
            read: number("read"),
            diagnosed: number("diagnosed"),
            keys: summary["keys"].as_u64().unwrap(),
            rejected: number("rejected"),
            duplicates: number("exact_duplicates"),
        }
    }

    fn adds_up(&self) -> bool {
        self.read == self.diagnosed + self.rejected + self.duplicates
    }
}

// ---------------------------------------------------------------------------------------------------
// Conservation.

/// What must come out of an input.
struct Expected {
    file: String,
    keys: BTreeSet<String>,
    account: Account,
}

const HEADER: &str = "key_id,aliases,instance,origin,rotation,versions,usage,operations,languages,network\n";

/// A table with good, wrong, repeated, completing and contradicting records, and a quote that is never
/// closed. Longer than one block, so that threads and borders of blocks have their part in it.
fn made_up(folder: &TempDir) -> Expected {
    let mut rows = HEADER.to_owned();
    let mut keys = BTreeSet::new();
    let mut account = Account { read: 0, diagnosed: 0, keys: 0, rejected: 0, duplicates: 0 };
    for number in 0..12_000 {
        let id = format!("key-{:05}", number / 4);
        let row = |versions: &str, network: &str| {
            format!("{id},alias/{id},default,Aliyun_KMS,Disabled,{versions},self-managed,Encrypt,Java,{network}\n")
        };
        account.read += 1;
        match number % 4 {
            0 => rows.push_str(&row("1", "vpc")),
            1 if number % 3 == 0 => rows.push_str(&row("1", "")),
            1 => rows.push_str(&row("3", "vpc")),
            2 => {
                account.duplicates += 1;
                rows.push_str(&row("1", "vpc"));
            }
            _ => {
                account.rejected += 1;
                rows.push_str(&row(["0", "many versions"][number % 2], "vpc"));
            }
        }
        keys.insert(id);
    }
    rows.push_str("last,\"alias/never closed\n and so on\n");
    account.read += 1;
    account.rejected += 1;
    account.keys = keys.len() as u64;
    account.diagnosed = account.read - account.rejected - account.duplicates;
    Expected { file: put(folder, "made-up.csv", rows), keys, account }
}

fn sample(name: &str, read: u64, duplicates: u64, rejected: &[&str]) -> Expected {
    let rows = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name)).unwrap();
    let ids: Vec<String> = if name.ends_with(".json") {
        let records: Vec<Value> = serde_json::from_str(&rows).unwrap();
        records.iter().map(|record| record["key_id"].as_str().unwrap().to_owned()).collect()
    } else {
        csv_rows(&rows).iter().map(|row| row["key_id"].clone()).collect()
    };
    assert_eq!(ids.len() as u64, read);
    let bare = ids.iter().map(|id| id.rsplit('/').next().unwrap().to_owned());
    let keys: BTreeSet<String> = bare.filter(|id| !rejected.iter().any(|end| id.ends_with(end))).collect();
    let account = Account {
        read,
        diagnosed: read - duplicates - rejected.len() as u64,
        keys: keys.len() as u64,
        rejected: rejected.len() as u64,
        duplicates,
    };
    Expected { file: format!("samples/{name}"), keys, account }
}

fn inputs(folder: &TempDir) -> Vec<Expected> {
    vec![
        sample("inventory.csv", 74, 1, &["0065", "0066"]),
        sample("inventory.json", 74, 1, &["0065", "0066"]),
        sample("card.csv", 13, 0, &[]),
        made_up(folder),
    ]
}

#[test]
fn every_record_is_accounted_for_and_every_key_is_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    for Expected { file, keys, account } in inputs(&folder) {
        assert!(account.adds_up(), "the test itself is wrong");
        for format in FORMATS {
            let output = diagnose(&file, format, &[]);
            let code = if account.rejected > 0 { 3 } else { 0 };
            assert_eq!(output.status.code(), Some(code), "{file} {format}");
            let out = text(&output.stdout);
            let found = match format {
                "json" => Account::of_json(&out),
                "table" | "markdown" => Account::of_line(&out),
                _ => Account::of_line(&text(&output.stderr)),
            };
            assert_eq!(found, account, "{file} {format}");
            let ids: BTreeSet<String> = classes(&out, format).into_keys().collect();
            assert!(ids == keys, "{file} {format}: {:?}", ids.symmetric_difference(&keys).take(5).collect::<Vec<_>>());
        }
    }
}

#[test]
fn every_format_gives_the_same_classes() {
    let folder = tempfile::tempdir().unwrap();
    for Expected { file, .. } in inputs(&folder) {
        let of = |format: &str| classes(&text(&diagnose(&file, format, &[]).stdout), format);
        let csv = of("csv");
        for format in FORMATS {
            assert!(of(format) == csv, "{file} {format}");
        }
    }
}

/// The numbers of each class in the summaries.
#[test]
fn the_summaries_count_what_is_listed() {
    let folder = tempfile::tempdir().unwrap();
    for Expected { file, .. } in inputs(&folder) {
        let rows = csv_rows(&text(&diagnose(&file, "csv", &[]).stdout));
        let mut counts: BTreeMap<(String, bool), u64> = BTreeMap::new();
        for row in &rows {
            *counts.entry((row["class"].clone(), row["confirmed"] == "yes")).or_default() += 1;
        }
        let count = |class: &str, confirmed: bool| counts.get(&(class.to_owned(), confirmed)).copied().unwrap_or(0);
        let document: Value = serde_json::from_str(&text(&diagnose(&file, "json", &[]).stdout)).unwrap();
        let markdown = text(&diagnose(&file, "markdown", &[]).stdout);
        for (class, numbers) in document["summary"]["classes"].as_object().unwrap() {
            let (confirmed, conditional) = (count(class, true), count(class, false));
            assert_eq!(numbers["keys"].as_u64(), Some(confirmed + conditional), "{file} {class}");
            if class != "undetermined" {
                assert_eq!(numbers["confirmed"].as_u64(), Some(confirmed), "{file} {class}");
                assert_eq!(numbers["conditional"].as_u64(), Some(conditional), "{file} {class}");
                let row = format!("| {class} | {confirmed} | {conditional} |");
                assert!(markdown.contains(&row), "{file}: {row}");
            }
        }
    }
}

// ---------------------------------------------------------------------------------------------------
// What each record holds.

#[test]
fn json_has_a_head_and_every_member_of_every_key() {
    let output = diagnose("samples/inventory.csv", "json", &["--assume", "instance=default"]);
    let document: Value = serde_json::from_str(&text(&output.stdout)).unwrap();
    assert_eq!(document["format"], "cmkdiag.diagnosis/1");
    assert_eq!(document["rulebook"]["domain"], "cmk");
    assert_eq!(document["rulebook"]["edition"], "alibaba-2023");
    let digest = document["rulebook"]["digest"].as_str().unwrap();
    assert_eq!(digest.strip_prefix("sha256:").unwrap().len(), 64);
    let keys = json_keys(&text(&output.stdout), "json");
    assert_eq!(keys.len(), 68);
    let (mut findings, mut conditions, mut gaps, mut unlocks, mut advisories, mut assumed) = (0, 0, 0, 0, 0, 0);
    for key in &keys {
        for member in [
            "key_id",
            "account_id",
            "region",
            "aliases",
            "class",
            "confirmed",
            "scenario",
            "findings",
            "conditions",
            "gaps",
            "possible",
            "unlocks",
            "advisories",
            "rotation_deadline",
            "assumed",
            "conflicts",
            "origins",
            "rulebook",
        ] {
            assert!(key.get(member).is_some(), "{member} in {key}");
        }
        let list = |member: &str| key[member].as_array().unwrap_or_else(|| panic!("{member} in {key}"));
        for finding in list("findings") {
            for member in ["rule", "class", "because", "source", "remedy"] {
                assert!(!finding[member].is_null(), "{member} in {finding}");
            }
            assert!(finding["source"][0]["document"].is_string() && finding["source"][0]["section"].is_string());
            assert!(finding["remedy"]["text"].is_string());
        }
        for open in list("conditions") {
            assert!(open["fact"].is_string() && open["confirm"].is_string(), "{open}");
        }
        for gap in list("gaps") {
            assert!(gap["fact"].is_string() && gap["settle"].is_string(), "{gap}");
        }
        for origin in list("origins") {
            assert_eq!(origin["file"], "samples/inventory.csv");
            assert!(origin["line"].as_u64().unwrap() > 1);
        }
        let undetermined = key["class"] == "undetermined";
        assert_eq!(undetermined, !list("gaps").is_empty(), "gaps where there is no class, and only there: {key}");
        assert_eq!(
            list("possible").len() > 1,
            undetermined || list("possible").len() > 1 && key["confirmed"] == false,
            "{key}"
        );
        assert_eq!(key["confirmed"] == false, undetermined || !list("conditions").is_empty(), "{key}");
        findings += list("findings").len();
        conditions += list("conditions").len();
        gaps += list("gaps").len();
        unlocks += list("unlocks").len();
        advisories += list("advisories").len();
        assumed += key["assumed"].as_object().unwrap().len();
    }
    for count in [findings, conditions, gaps, unlocks, advisories, assumed] {
        assert!(count > 0, "the sample shows every member with something in it");
    }
    let lines = text(&diagnose("samples/inventory.csv", "jsonl", &["--assume", "instance=default"]).stdout);
    assert_eq!(json_keys(&lines, "jsonl"), keys, "JSON Lines holds the same objects");
}

#[test]
fn csv_has_confirmed_right_behind_the_class_and_agrees_with_json() {
    let out = text(&diagnose("samples/inventory.csv", "csv", &[]).stdout);
    let header: Vec<&str> = out.lines().next().unwrap().split(',').collect();
    let class = header.iter().position(|name| *name == "class").unwrap();
    assert_eq!(header[class + 1], "confirmed");
    let keys = json_keys(&text(&diagnose("samples/inventory.csv", "json", &[]).stdout), "json");
    let rows = csv_rows(&out);
    assert_eq!(rows.len(), keys.len());
    for (row, key) in rows.iter().zip(&keys) {
        assert_eq!(key["key_id"], row["key_id"].as_str());
        assert_eq!(key["account_id"].as_str().unwrap_or(""), row["account_id"]);
        assert_eq!(key["region"].as_str().unwrap_or(""), row["region"]);
        assert_eq!(key["class"], row["class"].as_str());
        assert_eq!(key["confirmed"], row["confirmed"] == "yes");
        assert_eq!(key["scenario"].as_str().unwrap_or(""), row["scenario"]);
        assert_eq!(key["rotation_deadline"].as_str().unwrap_or(""), row["rotation_deadline"]);
        assert_eq!(key["rulebook"], row["rulebook"].as_str());
        let names = |member: &str, name: &str, join: &str| {
            let all = key[member].as_array().unwrap().iter();
            all.map(|one| one[name].as_str().unwrap().to_owned()).collect::<Vec<_>>().join(join)
        };
        assert_eq!(names("advisories", "rule", "; "), row["advisories"]);
        let facts = |cell: &str| cell.matches(": ").count();
        assert!(facts(&row["gaps"]) >= key["gaps"].as_array().unwrap().len(), "{row:?}");
        assert!(facts(&row["conditions"]) >= key["conditions"].as_array().unwrap().len(), "{row:?}");
        let possible: Vec<&str> =
            key["possible"].as_array().unwrap().iter().map(|class| class.as_str().unwrap()).collect();
        assert_eq!(possible.join(" | "), row["possible"]);
        let unlocks: Vec<String> = key["unlocks"]
            .as_array()
            .unwrap()
            .iter()
            .map(|set| {
                set.as_array().unwrap().iter().map(|rule| rule.as_str().unwrap()).collect::<Vec<_>>().join(" + ")
            })
            .collect();
        assert_eq!(unlocks.join(" | "), row["unlocks"]);
        let origin = &key["origins"][0];
        assert!(row["origins"].starts_with(&format!("{}:{}", origin["file"].as_str().unwrap(), origin["line"])));
    }
}

// ---------------------------------------------------------------------------------------------------
// Nothing from outside acts.

/// Texts that would act on a terminal, a spreadsheet, a shell, Markdown, HTML or JSON.
const HOSTILE: [&str; 25] = [
    "esc\u{1b}[31mred\u{1b}[0m",
    "title\u{1b}]0;owned\u{7}",
    "c1\u{9b}31m",
    "bidi\u{202e}desrever",
    "isolate\u{2066}x\u{2069}",
    "zero\u{200b}width\u{feff}",
    "tag\u{e0041}",
    "sep\u{2028}x\u{2029}y",
    "bell\u{7}back\u{8}del\u{7f}",
    "unit\u{1f}separator",
    "=HYPERLINK(\"http://x\",\"y\")",
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\u{ff1d}1",
    "'quoted'",
    "say \"hi\"",
    "two\nlines",
    "carriage\rreturn",
    "tab\tcell",
    "pipe|cell",
    "<script>alert(1)</script>",
    "`code` [link](http://x) ![i](x) **b**",
    "back\\slash, comma; semicolon",
    "$(touch pwned); touch pwned & `touch pwned` #",
];

/// The id of a key; ids with other characters are refused.
fn id(number: usize) -> String {
    format!("key-{number}")
}

/// Whether a character moves the cursor, changes direction or cannot be seen.
fn acts(c: char) -> bool {
    c.is_control() && c != '\n'
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

fn assert_harmless(what: &str, text: &str) {
    if let Some(at) = text.find(acts) {
        let from = text[..at].char_indices().rev().nth(30).map_or(0, |(at, _)| at);
        panic!("{what}: {:?}", &text[from..].chars().take(60).collect::<String>());
    }
}

/// An inventory whose every text is hostile; and one record for each that is rejected.
fn hostile_inventory(folder: &TempDir) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let kept = "\u{1b}[2J\u{202e}=cmd|<b>`x`";
    writer
        .write_record([
            "key_id",
            "account_id",
            "region",
            "aliases",
            "owner",
            "applications",
            "services",
            "instance",
            "origin",
            "rotation",
            "versions",
            kept,
        ])
        .unwrap();
    for (number, text) in HOSTILE.iter().enumerate() {
        let origin = ["EXTERNAL", "Aliyun_KMS", ""][number % 3];
        let rotation = ["Enabled", "Disabled", ""][number % 3];
        writer
            .write_record([
                id(number).as_str(),
                text,
                text,
                text,
                text,
                text,
                text,
                "default",
                origin,
                rotation,
                "1",
                text,
            ])
            .unwrap();
        writer.write_record([id(number).as_str(), "", "", "", "", "", "", "default", origin, "", text, ""]).unwrap();
        // No key has such an id.
        writer.write_record([text, "", "", "", "", "", "", "default", origin, "", "", ""]).unwrap();
    }
    // Two records that disagree, so that places are printed, too.
    for rotation in ["on", "off"] {
        writer.write_record(["conflict", "", "", "a", "", "", "", "", "", rotation, "", ""]).unwrap();
    }
    put(folder, "hostile.csv", writer.into_inner().unwrap())
}

#[test]
fn this_test_would_see_what_acts() {
    for text in ["a\u{1b}b", "a\u{9b}b", "a\u{202e}b", "a\rb", "a\u{7f}b", "a\tb"] {
        assert!(text.contains(acts), "{text:?}");
    }
    assert!(!"plain, 密钥 é\n".contains(acts));
}

#[test]
fn hostile_texts_act_in_no_format() {
    let folder = tempfile::tempdir().unwrap();
    let file = hostile_inventory(&folder);
    for format in FORMATS {
        for more in [&["--keep-columns"][..], &[][..], &["--lang", "zh"][..]] {
            let output = diagnose(&file, format, more);
            assert_eq!(output.status.code(), Some(3));
            assert_harmless(format, &text(&output.stdout));
            assert_harmless("standard error", &text(&output.stderr));
        }
        let account = diagnose(&file, format, &["--keep-columns"]);
        // Some of the texts are ids, once what acts is gone.
        let keys = json_keys(&text(&diagnose(&file, "json", &[]).stdout), "json").len();
        assert!(keys > HOSTILE.len());
        let out = text(&account.stdout);
        let count = match format {
            "csv" => csv_rows(&out).len(),
            "json" | "jsonl" => json_keys(&out, format).len(),
            "markdown" => markdown_rows(&out).len(),
            _ => continue,
        };
        assert_eq!(count, keys, "{format}");
    }
}

#[test]
fn hostile_texts_come_through_json_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let file = hostile_inventory(&folder);
    for format in ["json", "jsonl"] {
        let keys = json_keys(&text(&diagnose(&file, format, &["--keep-columns"]).stdout), format);
        let of_number = |number: usize| keys.iter().find(|key| key["key_id"] == id(number)).unwrap();
        for (number, text) in HOSTILE.into_iter().enumerate() {
            let key = of_number(number);
            if !text.contains('\u{1f}') {
                assert_eq!(key["owner"], text);
            }
        }
    }
}

#[test]
fn no_cell_of_csv_starts_a_formula() {
    let folder = tempfile::tempdir().unwrap();
    let file = hostile_inventory(&folder);
    let rejects = folder.path().join("rejects.csv");
    let rejects = rejects.to_str().unwrap();
    let output = diagnose(&file, "csv", &["--keep-columns", "--rejects", rejects]);
    let rejected = std::fs::read_to_string(rejects).unwrap();
    assert_harmless("rejects", &rejected);
    for (what, text) in [("result", text(&output.stdout)), ("rejects", rejected)] {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
        let mut cells = 0;
        for record in reader.records() {
            let record = record.unwrap_or_else(|error| panic!("{what}: {error}"));
            for cell in &record {
                cells += 1;
                let start = cell.trim_start();
                assert!(!start.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']), "{what}: {cell:?}");
            }
        }
        assert!(cells > 100);
    }
}

#[test]
fn hostile_texts_stay_in_their_cell_of_markdown() {
    let folder = tempfile::tempdir().unwrap();
    let file = hostile_inventory(&folder);
    let out = text(&diagnose(&file, "markdown", &["--keep-columns"]).stdout);
    let (_, keys) = out.split_once("\n## Keys\n").unwrap();
    let mut rows = keys.lines().filter(|line| line.starts_with('|'));
    let columns = markdown_cells(rows.next().unwrap()).len();
    assert_eq!(columns, 9);
    for row in rows.skip(1) {
        assert_eq!(markdown_cells(row).len(), columns, "{row}");
        let bare: String = row.replace("\\\\", "").chars().collect();
        for mark in ['<', '>', '`', '*', '_', '[', ']', '!', '#'] {
            let escaped = bare.matches(&format!("\\{mark}")).count();
            assert_eq!(bare.matches(mark).count(), escaped, "{mark} in {row}");
        }
    }
}

#[test]
fn hostile_texts_do_not_act_in_explain_and_its_commands_can_be_pasted() {
    let folder = tempfile::tempdir().unwrap();
    let file = hostile_inventory(&folder);
    let mut arguments = vec!["explain", "--in", &file, "--"];
    let ids: Vec<String> = (0..HOSTILE.len()).map(id).collect();
    arguments.extend(ids.iter().map(String::as_str));
    for format in ["text", "json"] {
        let mut all = vec!["explain", "--format", format];
        all.extend(&arguments[1..]);
        let output = run(&all);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        assert_harmless(format, &text(&output.stdout));
    }
    let explained = text(&run(&arguments).stdout);
    let commands: Vec<&str> = explained.lines().map(str::trim).filter(|line| line.starts_with("aliyun ")).collect();
    assert!(commands.len() >= HOSTILE.len(), "{explained}");
    for command in commands {
        let script = format!("aliyun() {{ echo \"$#\"; }}\n{command}");
        let output = Command::new("sh").args(["-c", &script]).current_dir(folder.path()).output().unwrap();
        assert!(output.status.success(), "{command}: {}", text(&output.stderr));
        let words: usize = text(&output.stdout).trim().parse().unwrap_or_else(|_| panic!("{command}"));
        assert_eq!(words % 2, 0, "service, action, and options with one value each: {command}");
    }
    assert!(!folder.path().join("pwned").exists(), "a key id ran as a command");
}

#[test]
fn a_key_that_is_not_there_is_named_harmlessly() {
    let output = run(&["explain", "--in", "samples/card.csv", "--", "no\u{1b}[31m\u{202e}key"]);
    assert_eq!(output.status.code(), Some(4));
    assert_harmless("standard error", &text(&output.stderr));
}

#[test]
fn the_name_of_a_file_acts_in_no_format() {
    let folder = tempfile::tempdir().unwrap();
    let file = put(&folder, "evil\u{202e}\u{9b}31m`|<b>.csv", "key_id,rotation\nk,on\nk,off\nw,maybe\n");
    for format in FORMATS {
        let output = diagnose(&file, format, &[]);
        assert_harmless(format, &text(&output.stdout));
        assert_harmless("standard error", &text(&output.stderr));
    }
    assert_harmless("explain", &text(&run(&["explain", "k", "--in", &file]).stdout));
}

#[test]
fn errors_about_an_input_do_not_act() {
    let folder = tempfile::tempdir().unwrap();
    let bare = put(&folder, "bare.csv", "\u{1b}[31m\u{202e}x,\u{9b}31m\nk,1\n");
    let twins = put(&folder, "twins.csv", "key_id,\u{1b}\u{202e}origin,\u{1b}\u{202e}origin\nk,1,2\n");
    for file in [bare, twins] {
        let output = diagnose(&file, "csv", &[]);
        assert_eq!(output.status.code(), Some(4));
        assert_harmless("an error about a header line", &text(&output.stderr));
    }
    let name = put(&folder, "evil\u{1b}[31m.csv", "");
    assert_harmless("an empty file", &text(&diagnose(&name, "csv", &[]).stderr));
}

#[test]
fn the_table_holds_texts_of_any_width() {
    let folder = tempfile::tempdir().unwrap();
    let smile = "☺\u{fe0f}".repeat(40);
    let wide = "密钥".repeat(40);
    let family = "👩\u{200d}👩\u{200d}👧".repeat(20);
    let combining = "e\u{301}".repeat(60);
    for text in [&smile, &wide, &family, &combining] {
        let file = put(&folder, "wide.csv", format!("key_id,aliases,account_id\nk,{text},{text}\nl,a,\n"));
        let output = diagnose(&file, "table", &[]);
        assert_eq!(output.status.code(), Some(0), "{text}");
    }
}

// ---------------------------------------------------------------------------------------------------
// Formats that are named.

/// Every name of an input format.
const INPUT_FORMATS: [&str; 13] = [
    "csv",
    "tsv",
    "json",
    "jsonl",
    "xlsx",
    "terraform",
    "scoutsuite",
    "alibaba-cli",
    "cloud-config",
    "resource-center",
    "prowler",
    "prowler-ocsf",
    "steampipe",
];

/// The formats that a sample may be called; the first of them names it best.
fn formats_of(sample: &str) -> &'static [&'static str] {
    match sample {
        "api/list-key-versions.jsonl" => &["alibaba-cli", "json", "jsonl"],
        sample if sample.starts_with("api/") => &["alibaba-cli", "json"],
        "sdk-python.json" => &["alibaba-cli", "json"],
        "steampipe.csv" => &["steampipe", "csv"],
        "steampipe.json" | "steampipe-old.json" => &["steampipe", "json"],
        "terraform-output.json" => &["json"],
        sample if sample.starts_with("terraform") => &["terraform"],
        sample if sample.starts_with("scoutsuite") => &["scoutsuite"],
        "prowler.csv" => &["prowler", "csv"],
        "prowler.ocsf.json" => &["prowler-ocsf", "json"],
        "cloud-config.json" => &["cloud-config", "json"],
        "resource-center.json" => &["resource-center", "json"],
        "excel-unicode.txt" => &["tsv", "csv"],
        "keys.xlsx" | "keys.xls" | "keys.ods" => &["xlsx"],
        _ => &["csv"],
    }
}

fn samples_of_formats() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/formats");
    let names = |folder: &Path, before: &str| -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
        let files = entries.filter(|entry| entry.path().is_file());
        files.map(|entry| format!("{before}{}", entry.file_name().to_str().unwrap())).collect()
    };
    let mut samples = [names(&folder, ""), names(&folder.join("api"), "api/")].concat();
    samples.retain(|name| name != "README.md");
    samples.sort();
    assert!(samples.len() > 25, "the samples were not found");
    samples
}

#[test]
fn a_format_that_is_named_reads_its_own_and_refuses_all_others() {
    let command = run(&["diagnose", "--help"]);
    let help = text(&command.stdout);
    let mut problems = Vec::new();
    for sample in samples_of_formats() {
        let file = format!("samples/formats/{sample}");
        let found = diagnose(&file, "json", &[]);
        for format in INPUT_FORMATS {
            assert!(help.contains(format), "{format} is not in the help");
            let said = diagnose(&file, "json", &["--input-format", format]);
            let err = text(&said.stderr);
            assert!(!err.contains("panicked"), "{sample} as {format}: {err}");
            let fits = formats_of(&sample);
            if fits.contains(&format) {
                if (&said.stdout, said.status.code()) != (&found.stdout, found.status.code()) {
                    problems.push(format!("{sample} as {format} is not what is found: {err}"));
                }
                continue;
            }
            let named = format!("as --input-format {format} says, but this looks like ");
            let leads_on = fits.iter().any(|fit| err.contains(&format!("or name it: --input-format {fit}")))
                // Plain records of JSON are refused one by one.
                || fits == ["json"] && ["a plain record of a key", "a record with `id`"].iter().any(|words| err.contains(words));
            let is_told = err.contains("expected ") && err.contains(&named) && leads_on;
            if said.status.code() != Some(4) || !said.stdout.is_empty() || !is_told {
                problems.push(format!("{sample} as {format}: {err}"));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn what_is_of_another_format_among_the_records_of_a_file_is_refused_alone() {
    let folder = tempfile::tempdir().unwrap();
    let id = |number: u32| format!("00000000-0000-4000-8000-00000000000{number}");
    let reply = format!(
        r#"{{"KeyMetadata": {{"KeyId": "{}", "Origin": "Aliyun_KMS", "CreationDate": "2021-05-20T06:34:21Z", "owner": "a"}}}}"#,
        id(1)
    );
    let resource = format!(r#"{{"ResourceType": "ACS::KMS::Key", "ResourceId": "{}", "ResourceDeleted": 1}}"#, id(2));
    let record = format!(r#"{{"key_id": "{}", "origin": "Aliyun_KMS", "versions": 1}}"#, id(3));
    let file = put(&folder, "mix.json", format!("[{reply}, {resource}, {record}]"));
    for (format, key, refused) in [
        ("alibaba-cli", 1, ["a record of CloudConfig", "a plain record of a key"]),
        ("cloud-config", 2, ["a plain record of a key"; 2]),
    ] {
        let said = diagnose(&file, "json", &["--input-format", format]);
        if format == "cloud-config" {
            // The first record tells what the whole is.
            assert_eq!(said.status.code(), Some(4));
            let file = put(&folder, "mix2.json", format!("[{resource}, {reply}, {record}]"));
            let said = diagnose(&file, "json", &["--input-format", format]);
            let keys = json_keys(&text(&said.stdout), "json");
            assert_eq!((keys.len(), keys[0]["key_id"].as_str()), (1, Some(id(key).as_str())));
            continue;
        }
        let (out, err) = (text(&said.stdout), text(&said.stderr));
        assert_eq!(said.status.code(), Some(3), "{err}");
        let keys = json_keys(&out, "json");
        assert_eq!((keys.len(), keys[0]["key_id"].as_str()), (1, Some(id(key).as_str())), "{err}");
        assert!(refused.iter().all(|words| err.contains(words)), "{err}");
    }
    // A column of one's own makes a table another than that of the tool.
    let table = put(&folder, "own.csv", "key_id,key_aliases,owner\nk1,,a\n");
    let said = diagnose(&table, "json", &["--input-format", "steampipe"]);
    assert!(said.status.code() == Some(4) && text(&said.stderr).contains("a column `owner`"), "{}", text(&said.stderr));
}
