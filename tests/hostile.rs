//! Whatever stands in an input, it acts in no output: neither on a terminal, nor in a spreadsheet, in Markdown, in a
//! page, in a shell. Reports are parsed, and have the same parts as those of the same input with harmless texts.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails says where")]

mod program;

use std::collections::BTreeSet;
use std::path::Path;

use cmkdiag::write::safe;
use html5gum::{Token, Tokenizer};
use program::{FORMATS, Ran, document, expect, folder, put, run};
use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Texts that act on a terminal, a spreadsheet, a shell, Markdown, HTML or a file system. None has white space around it,
/// which readers take away.
const HOSTILE: &[&str] = &[
    // Formulas.
    "=HYPERLINK(\"http://evil.example\",\"click\")",
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(1+1)*cmd",
    "a;=1+1;b",
    "\u{ff1d}1",
    "\u{ff0b}1",
    "\u{ff0d}1",
    "\u{ff20}x",
    "\u{feff}=1+1",
    "\u{200b}=1+1",
    "x\t=1",
    "x\r=1",
    // Terminals.
    "esc\u{1b}[31mred\u{1b}[0m",
    "osc\u{1b}]0;owned\u{7}",
    "osc\u{1b}]8;;http://evil.example\u{1b}\\link\u{1b}]8;;\u{1b}\\",
    "c1\u{9b}31m and \u{9d}0;x\u{9c}",
    "back\u{8}space del\u{7f}",
    // Directions, and what cannot be seen.
    "bidi\u{202e}desrever\u{202c}",
    "isolate\u{2066}x\u{2069} mark\u{200f}\u{61c}",
    "zero\u{200b}width\u{200d}join\u{2060}er",
    "soft\u{ad}hyphen grapheme\u{34f}joiner",
    "hangul\u{3164}filler\u{ffa0}mongol\u{180e}",
    "tag\u{e0041}\u{e007f} selector\u{fe0f}\u{e0100}",
    "sep\u{2028}x\u{2029}y\u{85}z",
    // HTML.
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "</title></style></textarea><svg/onload=alert(1)>",
    "<!-- comment -->",
    "]]><![CDATA[x",
    "a&b &lt;i&gt; &#60;b&#62; &amp;",
    // Markdown.
    "a|b\\|c||d",
    "`code` ``two`` ```three",
    "[x](javascript:alert(1))",
    "![x](http://evil.example/p.png)",
    "[x]: http://evil.example",
    "<http://evil.example> <a@evil.example>",
    "https://evil.example and www.evil.example",
    "**b** __b__ *i* _i_ ~~s~~ $x^2$ $$y$$ ==m==",
    "# heading",
    "1. one",
    "7) seven",
    "- item",
    "* item",
    "> quote",
    "--- | ---",
    "=== under",
    ": definition",
    "[^1] [[wiki]] [ ] @someone #12",
    "back\\slash\\",
    "{#id .class} {{x}} {key_id} {region} {source_name}",
    "two\n\n# lines",
    "row\n| a | b |",
    "line\r\nerror: every key is lost",
    // Shells.
    "$(: > pwned) `: > pwned` ; : > pwned",
    "x' ; : > pwned ; '",
    "\" && : > pwned #",
    "\\'; : > pwned",
    "~ * ? [a] !x %s $HOME",
    // Files.
    "../../etc/passwd",
    "C:\\con\\nul",
];

/// A text that is as harmless as can be, and as different from the others.
fn harmless(number: usize) -> String {
    format!("harmless{number}")
}

/// Whether a character moves the cursor, changes direction or cannot be seen; told otherwise than the program does.
fn acts(c: char) -> bool {
    let invisible = [
        0xad..=0xad,
        0x34f..=0x34f,
        0x61c..=0x61c,
        0x115f..=0x1160,
        0x17b4..=0x17b5,
        0x180b..=0x180f,
        0x200b..=0x200f,
        0x2028..=0x202e,
        0x2060..=0x206f,
        0x3164..=0x3164,
        0xfe00..=0xfe0f,
        0xfeff..=0xfeff,
        0xffa0..=0xffa0,
        0xfff9..=0xfffb,
        0xe0000..=0xe0fff,
    ];
    matches!(c as u32, 0..=9 | 11..=31 | 0x7f..=0x9f) || invisible.iter().any(|range| range.contains(&(c as u32)))
}

/// What a reader sees of a text: acting characters, line breaks among them, are replaced.
fn seen(text: &str) -> String {
    text.chars().map(|c| if acts(c) || c == '\n' { '\u{fffd}' } else { c }).collect()
}

fn assert_quiet(what: &str, text: &str) {
    if let Some(at) = text.find(acts) {
        let from = text[..at].char_indices().rev().nth(60).map_or(0, |(at, _)| at);
        panic!("{what} acts: {:?}", text[from..].chars().take(120).collect::<String>());
    }
}

/// Nothing acts on a terminal, and no text makes a line of its own.
fn assert_quiet_run(what: &str, ran: &Ran) {
    assert_quiet(what, &ran.out);
    assert_quiet(what, &ran.err);
    for line in ran.out.lines().chain(ran.err.lines()) {
        assert!(!line.starts_with("error: every key") && !line.starts_with("| a | b |"), "{what}: {line}");
    }
}

// ---------------------------------------------------------------------------------------------------
// Reports, parsed.

fn starts_formula(text: &str) -> bool {
    text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
}

/// The rows of a CSV, after a look at every cell; also as a spreadsheet sees it that separates at semicolons.
fn csv_rows(what: &str, text: &str) -> Vec<Vec<String>> {
    assert_quiet(what, text);
    for separator in [b',', b';', b'\t'] {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(separator)
            .from_reader(text.as_bytes());
        for cell in
            reader.records().map(Result::unwrap).flat_map(|row| row.iter().map(str::to_owned).collect::<Vec<_>>())
        {
            assert!(!starts_formula(&cell), "{what}: {cell:?}");
        }
    }
    // Spreadsheets that do not see quotes, since they look for another separator, cut here.
    for part in text.lines().flat_map(|line| line.split(';')) {
        assert!(!starts_formula(part), "{what}: {part:?}");
    }
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

/// The parts of a Markdown report, without its texts; and the texts of its cells, headings and items.
fn markdown_parts(what: &str, text: &str) -> (Vec<String>, Vec<String>) {
    assert_quiet(what, text);
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_HEADING_ATTRIBUTES
        | Options::ENABLE_MATH
        | Options::ENABLE_GFM
        | Options::ENABLE_DEFINITION_LIST
        | Options::ENABLE_WIKILINKS;
    let (mut parts, mut texts) = (Vec::new(), vec![String::new()]);
    for event in Parser::new_ext(text, options) {
        match event {
            Event::Text(piece) => texts.last_mut().unwrap().push_str(&piece),
            Event::Code(piece) => {
                texts.push(piece.to_string());
                parts.push("code".to_owned());
            }
            Event::Start(tag) => {
                let forbidden =
                    matches!(tag, Tag::Link { .. } | Tag::Image { .. } | Tag::HtmlBlock | Tag::FootnoteDefinition(_));
                assert!(!forbidden, "{what}: {tag:?}");
                parts.push(format!("{tag:?}"));
                texts.push(String::new());
            }
            Event::End(tag) => {
                parts.push(format!("{tag:?}"));
                texts.push(String::new());
            }
            Event::SoftBreak | Event::HardBreak | Event::Rule | Event::TaskListMarker(_) => {
                parts.push(format!("{event:?}"));
                texts.push(String::new());
            }
            other => panic!("{what}: {other:?}"),
        }
    }
    (parts, texts)
}

/// The tags of a page with their attributes, and its texts.
fn html_parts(what: &str, text: &str) -> (Vec<String>, Vec<String>) {
    assert_quiet(what, text);
    let (mut parts, mut texts) = (Vec::new(), vec![String::new()]);
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut style = false;
    for token in Tokenizer::new(text) {
        let Ok(token) = token;
        match token {
            Token::StartTag(tag) => {
                let attributes: Vec<String> =
                    tag.attributes.iter().map(|(name, value)| format!(" {}={}", lossy(name), lossy(value))).collect();
                let name = lossy(&tag.name);
                style = name == "style";
                parts.push(format!("<{name}{}>", attributes.concat()));
                texts.push(String::new());
            }
            Token::EndTag(tag) => {
                parts.push(format!("</{}>", lossy(&tag.name)));
                texts.push(String::new());
            }
            Token::String(piece) if !style => texts.last_mut().unwrap().push_str(&lossy(&piece)),
            Token::String(_) => {}
            Token::Doctype(_) => parts.push("doctype".to_owned()),
            // Within what stands in no tag, a page has neither comments nor anything that is not understood.
            other => panic!("{what}: {other:?}"),
        }
    }
    (parts, texts)
}

fn assert_same_parts(what: &str, hostile: &[String], harmless: &[String]) {
    let at = hostile.iter().zip(harmless).position(|(one, other)| one != other);
    if let Some(at) = at {
        let near = |parts: &[String]| parts[at.saturating_sub(6)..(at + 6).min(parts.len())].to_vec();
        panic!("{what} at {at}: {:?} instead of {:?}", near(hostile), near(harmless));
    }
    assert_eq!(hostile.len(), harmless.len(), "{what}");
}

/// Every text stands somewhere as a reader should see it.
fn assert_told<'t>(what: &str, texts: &[String], told: impl Iterator<Item = &'t str>) {
    let whole: BTreeSet<String> = texts.iter().map(|text| text.trim().to_owned()).collect();
    for text in told {
        let wanted = seen(text);
        let there = whole.contains(&wanted) || whole.iter().any(|text| text.contains(&wanted));
        assert!(there, "{what} does not say {wanted:?}");
    }
}

/// Runs every command of a value as a shell would, with everything replaced that it could start.
fn run_commands(folder: &TempDir, value: &Value) -> usize {
    let mut commands = BTreeSet::new();
    collect_commands(value, &mut commands);
    let inside = folder.path().join("inside");
    std::fs::create_dir_all(&inside).unwrap();
    for command in &commands {
        assert_quiet("a command", command);
        let script = format!(
            "aliyun() {{ return 0; }}\naws() {{ return 0; }}\ncurl() {{ return 0; }}\njq() {{ return 0; }}\n{command}\n"
        );
        let shell = |flag: &str| {
            let mut shell = std::process::Command::new("/bin/sh");
            shell.args([flag, &script]).env_clear().env("PATH", "").current_dir(&inside).output().unwrap()
        };
        let parsed = shell("-nc");
        assert!(parsed.status.success(), "{command}: {}", String::from_utf8_lossy(&parsed.stderr));
        let ran = shell("-c");
        assert!(ran.stderr.is_empty(), "{command}: {}", String::from_utf8_lossy(&ran.stderr));
        assert_eq!(std::fs::read_dir(&inside).unwrap().count(), 0, "{command} ran what it names");
    }
    commands.len()
}

fn collect_commands(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member.as_str() {
                    Some(command) if name == "command" => drop(found.insert(command.to_owned())),
                    _ => collect_commands(member, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_commands(item, found)),
        _ => {}
    }
}

#[test]
fn these_tests_would_see_what_acts() {
    assert!(std::panic::catch_unwind(|| assert_quiet("x", "a\u{9b}b")).is_err());
    assert!(std::panic::catch_unwind(|| csv_rows("x", "a,b\nc,=d\n")).is_err());
    assert!(std::panic::catch_unwind(|| csv_rows("x", "a,\"b;=c\"\n")).is_err());
    for text in ["[a](b)", "![a](b)", "<b>", "<!-- a -->", "http://a [b]\n\n[b]: c", "$a$", "[[a]]"] {
        assert!(std::panic::catch_unwind(|| markdown_parts("x", text)).is_err(), "{text}");
    }
    assert_ne!(markdown_parts("x", "- a").0, markdown_parts("x", "a").0);
    for text in ["<p id=\"\"onload=\"a\">", "<!-- a -->", "<p a=<>"] {
        assert!(std::panic::catch_unwind(|| html_parts("x", text)).is_err(), "{text}");
    }
    assert_ne!(html_parts("x", "<p id='' onload='a'>").0, html_parts("x", "<p id=''>").0);
    let folder = folder();
    let bad = json!({ "command": "aliyun kms Describe --KeyId $(: > pwned)" });
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run_commands(&folder, &bad))).is_err());
}

// ---------------------------------------------------------------------------------------------------
// Keys.

/// The id of a key; ids with other characters are refused.
fn id(number: usize) -> String {
    format!("key-{number}")
}

/// Every text in turn as every text of a key, and some facts; `text` gives the text of a number.
fn key(number: usize, text: &str, column: &str) -> Value {
    let origin = ["EXTERNAL", "Aliyun_KMS", "unknown"][number % 3];
    let rotation = ["Enabled", "Disabled", "unknown"][number / 3 % 3];
    json!({
        "key_id": id(number), "aliases": [format!("alias/{text}")], "owner": text,
        "services": text, "applications": [text, text], "instance": "default", "origin": origin, "rotation": rotation,
        "versions": 1 + number / 9 % 2, "state": "PendingDeletion", "rotation_interval": "365d",
        "created": "2026-01-01T00:00:00Z", column: text,
    })
}

/// Two records of each key that disagree, one with a value that is not understood, and one key at a time.
fn keys(texts: &[String], column: &str) -> Vec<Value> {
    let mut keys: Vec<Value> = texts.iter().enumerate().map(|(number, text)| key(number, text, column)).collect();
    for number in (0..texts.len()).step_by(3) {
        keys.push(json!({ "key_id": id(number), "rotation": "Suspended", "origin": "Aliyun_KMS" }));
    }
    keys
}

fn hostile_texts() -> Vec<String> {
    HOSTILE.iter().map(|text| (*text).to_owned()).collect()
}

/// An alias of which a part is masked or cut may be that of a service, so these have one where the others do.
fn harmless_texts() -> Vec<String> {
    let hides = |text: &str| cmkdiag::domains::cmk::aliases::is_hidden(&format!("alias/{text}"));
    (0..HOSTILE.len())
        .map(|number| if hides(HOSTILE[number]) { ".." } else { "" }.to_owned() + &harmless(number))
        .collect()
}

/// The name of a file that acts wherever it can.
const FILE: &str = "=evil\u{1b}[31m\u{202e}\u{9b}1m`|<img src=x onerror=y>[x](y)&;$(: > pwned)\nerror: every key.json";

/// The name of a column that does.
const COLUMN: &str = "=c\u{1b}[31m\u{202e}|<b>`x`[y](z)\nerror: every key\u{9b}";

/// The same keys with hostile and with harmless texts.
fn inventories(folder: &TempDir) -> (String, String) {
    let hostile = put(folder, &format!("hostile/{FILE}"), Value::Array(keys(&hostile_texts(), COLUMN)).to_string());
    let harmless = put(folder, "harmless/keys.json", Value::Array(keys(&harmless_texts(), "column")).to_string());
    (hostile, harmless)
}

#[test]
fn texts_of_keys_come_through_json_as_they_are() {
    let folder = folder();
    let (hostile, _) = inventories(&folder);
    let ran = expect(0, &["diagnose", &hostile, "--format", "json", "--keep-columns"]);
    assert_quiet_run("json", &ran);
    let whole = document(&ran.out);
    let keys = whole["keys"].as_array().unwrap();
    assert_eq!(keys.len(), HOSTILE.len());
    for (key, text) in keys.iter().zip(HOSTILE) {
        for member in ["owner", "services"] {
            assert_eq!(key[member], *text, "{member}");
        }
        assert_eq!(key["applications"], format!("{text}; {text}"));
        assert_eq!(key["aliases"], json!([format!("alias/{text}")]));
        assert_eq!(key["columns"][COLUMN], *text);
        assert_eq!(key["origins"][0]["file"], hostile.as_str());
    }
    let lines = expect(0, &["diagnose", &hostile, "--format", "jsonl", "--keep-columns"]);
    assert_quiet_run("jsonl", &lines);
    let lines: Vec<Value> = lines.out.lines().map(document).collect();
    assert_eq!(keys, &lines);
    assert!(run_commands(&folder, &whole) > HOSTILE.len());
}

#[test]
fn texts_of_keys_are_no_formulas() {
    let folder = folder();
    let (hostile, _) = inventories(&folder);
    for more in [&[][..], &["--lang", "zh"], &["--columns", "class,aliases,origins"]] {
        let arguments = [&["diagnose", &hostile, "--format", "csv", "--keep-columns"], more].concat();
        let ran = expect(0, &arguments);
        assert_quiet_run("csv", &ran);
        let rows = csv_rows("csv", &ran.out);
        assert_eq!(rows.len(), 1 + HOSTILE.len());
        let at = rows[0].iter().position(|name| name == "aliases").unwrap();
        for (row, text) in rows[1..].iter().zip(HOSTILE) {
            // An apostrophe may stand in front.
            assert_eq!(row[at].replace('\'', ""), seen(&format!("alias/{text}")).replace('\'', ""));
            assert_eq!(row.last().unwrap().replace('\'', ""), seen(text).replace('\'', ""));
        }
    }
}

#[test]
fn texts_of_keys_are_texts_in_markdown() {
    let folder = folder();
    let (hostile, harmless) = inventories(&folder);
    for lang in ["en", "zh"] {
        let report = |file: &str| {
            let ran = expect(0, &["diagnose", file, "--format", "markdown", "--keep-columns", "--lang", lang]);
            assert_quiet_run("markdown", &ran);
            markdown_parts("markdown", &ran.out)
        };
        let ((parts, texts), (wanted, _)) = (report(&hostile), report(&harmless));
        assert_same_parts("markdown", &parts, &wanted);
        assert_told("markdown", &texts, HOSTILE.iter().copied().chain([COLUMN]));
        let cells: BTreeSet<&str> = texts.iter().map(String::as_str).collect();
        for text in HOSTILE {
            assert!(cells.contains(seen(text).as_str()), "{:?} is no cell of its own", seen(text));
        }
    }
}

#[test]
fn texts_of_keys_are_quiet_at_a_terminal() {
    let folder = folder();
    let (hostile, _) = inventories(&folder);
    let aliases: Vec<String> = HOSTILE.iter().map(|text| format!("alias/{text}")).collect();
    for lang in ["en", "zh"] {
        for more in [&["diagnose", &hostile][..], &["diagnose", &hostile, "--only", "blocked"]] {
            let ran = expect(0, &[more, &["--lang", lang, "--color", "never"]].concat());
            assert_quiet_run("table", &ran);
        }
        for format in ["text", "json"] {
            let mut arguments =
                vec!["explain", "--in", &hostile, "--lang", lang, "--format", format, "--color", "never", "--"];
            arguments.extend(aliases.iter().map(String::as_str));
            let ran = expect(0, &arguments);
            assert_quiet_run("explain", &ran);
            for text in HOSTILE.iter().filter(|_| format == "text") {
                assert!(ran.out.contains(&seen(text)), "explain does not say {text:?}");
            }
        }
    }
    // Colours are ours alone: with them, nothing else acts.
    let coloured = expect(0, &["diagnose", &hostile, "--color", "always"]).out;
    let parts = coloured.split('\u{1b}');
    let without: String =
        parts.enumerate().map(|(at, part)| if at == 0 { part } else { part.split_once('m').unwrap().1 }).collect();
    assert_quiet("coloured table", &without);
}

/// The same in CSV, where lists are cut and lines can be broken, and with values that are not understood.
#[test]
fn hostile_tables_and_their_rejects_are_safe() {
    let folder = folder();
    let long = [
        "x".repeat(10_000),
        "密".repeat(10_000),
        "|`".repeat(5_000),
        "[".repeat(10_000),
        "=".repeat(10_000),
        "\u{202e}".repeat(10_000),
    ];
    let texts = HOSTILE.iter().copied().chain(long.iter().map(String::as_str));
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer
        .write_record([
            "key_id",
            "alias",
            "account",
            "region",
            "owner",
            "services",
            "rotation",
            "versions",
            "origin",
            COLUMN,
            "note\u{7}",
        ])
        .unwrap();
    for text in texts {
        writer.write_record([text, text, text, text, text, text, "on", "1", "kms", text, text]).unwrap();
        writer.write_record([text, "", "", "", "", "", text, "", "", "", ""]).unwrap();
        writer.write_record([text, "", "", "", "", "", "off", text, "", "", ""]).unwrap();
        writer.write_record(["good", "", "", "", text, text, "off", "1", "", text, text]).unwrap();
        writer.write_record(["better", text, text, text, text, text, "off", "1", "", text, text]).unwrap();
    }
    let table = writer.into_inner().unwrap();
    let file = put(&folder, "=a\u{1b}[31m\u{202e}|<b>;=1+1.csv", table);
    let rejects = folder.path().join("rejects.csv");
    for format in ["table", "csv", "json", "jsonl", "markdown"] {
        for more in [&["--keep-columns"][..], &[]] {
            let arguments =
                [&["diagnose", &file, "--format", format, "--rejects", rejects.to_str().unwrap()], more].concat();
            let ran = expect(3, &arguments);
            assert_quiet_run(format, &ran);
            match format {
                "csv" => drop(csv_rows(format, &ran.out)),
                "markdown" => drop(markdown_parts(format, &ran.out)),
                "json" => assert!(run_commands(&folder, &document(&ran.out)) > 1),
                _ => {}
            }
            let rows = csv_rows("rejects", &std::fs::read_to_string(&rejects).unwrap());
            assert!(rows.len() > HOSTILE.len() && rows.iter().all(|row| row.len() == 5));
        }
    }
}

/// What JSON can write and no text can be: half a character, and NUL.
#[test]
fn texts_that_are_none_are_rejected_or_replaced() {
    let folder = folder();
    let text = r#"[{"key_id": "a\ud800b"}, {"key_id": "k2", "owner": "\udc00"}, {"key_id": "k3", "\ud83d": 1},
        {"key_id": "nul\u0000id"}, {"key_id": "k4", "owner": "\u0000", "aliases": ["alias/\u0000"]}, {"key_id": "k5", "rotation": "\u0000"}, {"key_id": "k6"}]"#;
    let file = put(&folder, "half.json", text);
    for format in ["table", "csv", "json", "markdown"] {
        let ran = expect(3, &["diagnose", &file, "--format", format]);
        assert_quiet_run(format, &ran);
        assert!(ran.err.contains("half.json:1"), "{}", ran.err);
    }
    let keys = document(&run(&["diagnose", &file, "--format", "json"]).out);
    assert_eq!(keys["summary"]["records"]["read"], 7);
    assert_eq!(keys["keys"][0]["aliases"][0], "alias/\0");
    let nul = put(&folder, "nul.csv", "key_id,owner\nk\0 1,a\0\n");
    for format in ["table", "csv", "json", "markdown"] {
        assert_quiet_run(format, &run(&["diagnose", &nul, "--format", format]));
    }
}

/// Files that cannot be read have names, too.
#[test]
fn names_of_files_are_quiet_in_errors() {
    let folder = folder();
    let name = "evil\u{1b}[31m\u{202e}\nerror: every key";
    for (ending, content) in
        [("csv", ""), ("json", "[{"), ("xlsx", "PK\u{3}\u{4}"), ("csv.gz", "no gzip"), ("csv.zst", "no zstd")]
    {
        let file = put(&folder, &format!("{ending}/{name}.{ending}"), content);
        for arguments in
            [&["diagnose", &file][..], &["preflight", &file], &["exchange", &file], &["explain", "k", "--in", &file]]
        {
            let ran = run(arguments);
            assert!([2, 4].contains(&ran.code), "{arguments:?}");
            assert_quiet_run(ending, &ran);
        }
    }
    let missing = folder.path().join(name);
    assert_quiet_run("missing", &expect(4, &["diagnose", missing.to_str().unwrap()]));
    let good = put(&folder, "keys.csv", "key_id\nk\n");
    let nowhere = folder.path().join(format!("{name}/out.csv"));
    assert_quiet_run("nowhere", &expect(4, &["diagnose", &good, "-o", nowhere.to_str().unwrap()]));
}

// ---------------------------------------------------------------------------------------------------
// Pairs and requests.

fn pairs(texts: &[String], column: &str) -> Value {
    let instance = |text: &str, posture: &str| json!({ "name": text, "host": text, "posture": posture, "key_spec": text, "key_status": text, column: text });
    let each = texts.iter().enumerate().map(|(number, text)| {
        let next = &texts[(number + 1) % texts.len()];
        let posture = ["in_use", "configured", "unconfigured", "older"][number % 4];
        json!({ "source": instance(text, "in_use"), "target": instance(next, posture), "operation": "clone", column: text })
    });
    each.collect()
}

fn requests(texts: &[String], column: &str) -> Value {
    let instance = |text: &str| json!({ "name": text, "host": text, "sys_id": text, "roles": [text, "admin"], "health": "green", column: text });
    let each = texts.iter().enumerate().map(|(number, text)| {
        let next = &texts[(number + 1) % texts.len()];
        json!({
            "request": text, "source": instance(text), "target": instance(next), "peer_sys_id": text, "peer_host": next,
            "frequency": (["adhoc", "one-time-clone", "recurring-clone"][number % 3]), "rekey": number % 2 == 0,
            "crypto_specifications": [{ "name": text, "source_module": true, "target_key": false, column: text }, { "name": next }],
            column: text,
        })
    });
    each.collect()
}

/// Instances whose names differ from each other whatever a host's name adds.
fn names(texts: &[String]) -> Vec<String> {
    texts.iter().enumerate().map(|(number, text)| format!("{text} n{number}")).collect()
}

/// Runs a command over pairs or requests with hostile and with harmless texts, in every format.
fn subjects_are_safe(command: &str, records: fn(&[String], &str) -> Value, domain: &str) {
    let folder = folder();
    let (bad, good) = (names(&hostile_texts()), names(&harmless_texts()));
    let hostile = put(&folder, &format!("hostile/{FILE}"), records(&bad, COLUMN).to_string());
    let harmless = put(&folder, "harmless/records.json", records(&good, "column").to_string());
    let matrix: &[&str] = if command == "preflight" { &["--matrix"] } else { &[] };
    let ran = |file: &str, format: &str, lang: &str| {
        let more = ["--format", format, "--keep-columns", "--lang", lang, "--as-of", "2026-11-21T09:00:00Z"];
        let ran = expect(0, &[&[command, file], &more[..], matrix].concat());
        assert_quiet_run(format, &ran);
        ran.out
    };
    for lang in ["en", "zh"] {
        for format in FORMATS {
            let (hostile, harmless) = (ran(&hostile, format, lang), ran(&harmless, format, lang));
            match format {
                "csv" => {
                    let (rows, wanted) = (csv_rows(format, &hostile), csv_rows(format, &harmless));
                    assert_eq!(rows.len(), wanted.len());
                    let at = rows[0].iter().position(|name| name == "source_name").unwrap();
                    for (row, text) in rows[1..].iter().zip(&bad) {
                        assert_eq!(row[at].replace('\'', ""), seen(text).replace('\'', ""));
                    }
                }
                "json" => {
                    let value = document(&hostile);
                    let whole = value["pairs"].as_array().or(value["requests"].as_array()).unwrap();
                    assert_eq!(whole.len(), bad.len());
                    for (subject, text) in whole.iter().zip(&bad) {
                        assert_eq!(subject["source_name"], *text);
                        assert_eq!(subject["texts"]["source_host"], *text);
                        assert!(subject["columns"][COLUMN].as_str().unwrap().contains(text), "{subject}");
                    }
                    run_commands(&folder, &value);
                }
                "jsonl" => assert_eq!(hostile.lines().map(document).count(), bad.len()),
                "markdown" => {
                    let ((parts, texts), (wanted, _)) =
                        (markdown_parts(format, &hostile), markdown_parts(format, &harmless));
                    assert_same_parts(format, &parts, &wanted);
                    assert_told(format, &texts, bad.iter().map(String::as_str));
                }
                "html" => {
                    let ((parts, texts), (wanted, _)) = (html_parts(format, &hostile), html_parts(format, &harmless));
                    assert_same_parts(format, &parts, &wanted);
                    assert_told(format, &texts, bad.iter().map(String::as_str));
                }
                _ => {}
            }
        }
        for format in ["text", "json"] {
            for name in &bad {
                let wanted = if command == "exchange" {
                    name.clone()
                } else {
                    format!("{name} → {}", bad[(bad.iter().position(|known| known == name).unwrap() + 1) % bad.len()])
                };
                let title = if command == "exchange" { wanted } else { format!("{wanted} (clone)") };
                // One process each; a few are enough.
                if name.len() % 4 == usize::from(format == "json") {
                    let explained = run(&[
                        "explain", "--domain", domain, "--in", &hostile, "--format", format, "--lang", lang, "--",
                        &title,
                    ]);
                    assert_eq!(explained.code, 0, "{title:?}: {}", explained.err);
                    assert_quiet_run("explain", &explained);
                    if format == "text" {
                        assert!(explained.out.contains(&seen(name)), "{title:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn texts_of_pairs_act_in_no_format() {
    subjects_are_safe("preflight", pairs, "ekms");
}

#[test]
fn texts_of_requests_act_in_no_format() {
    subjects_are_safe("exchange", requests, "exchange");
}

/// One pair or request, so that next steps and checklists name it.
#[test]
fn a_single_subject_is_named_safely_in_next_steps_and_checklists() {
    let folder = folder();
    for (number, text) in HOSTILE.iter().enumerate() {
        let texts = names(&[(*text).to_owned(), harmless(number)]);
        let plain = names(&[harmless(1000), harmless(number)]);
        for (command, records) in [("preflight", pairs as fn(&[String], &str) -> Value), ("exchange", requests)] {
            let file = |texts: &[String], name: &str| {
                let one = records(texts, "column").as_array().unwrap()[0].clone();
                put(&folder, name, json!([one]).to_string())
            };
            let (hostile, harmless) = (file(&texts, "one.json"), file(&plain, "plain.json"));
            let format = ["table", "markdown", "html"][number % 3];
            let report = |file: &str| {
                let ran = expect(0, &[command, file, "--format", format, "--as-of", "2026-11-21T09:00:00Z"]);
                assert_quiet_run(command, &ran);
                match format {
                    "markdown" => markdown_parts(format, &ran.out).0,
                    "html" => html_parts(format, &ran.out).0,
                    _ => Vec::new(),
                }
            };
            assert_same_parts(&format!("{command} of {text:?}"), &report(&hostile), &report(&harmless));
        }
    }
}

#[test]
fn rejected_pairs_and_requests_are_told_safely() {
    let folder = folder();
    let each = HOSTILE.iter().flat_map(|text| {
        [
            json!({ "source_name": text, "target_name": "b", "operation": text, "request": text, "frequency": text }),
            json!({ "source_name": text, "target_name": "b", "source_key_region": text, "source_posture": text, "request": text, "rekey": text }),
            json!({ "source_name": text, "target_name": "b", "source_wrapping": format!("{text}=external"), "request": text, "source_health": text }),
        ]
    });
    let file = put(&folder, FILE.replace('\n', "").as_str(), Value::Array(each.collect()).to_string());
    let rejects = folder.path().join("rejects.csv");
    for command in ["preflight", "exchange"] {
        for format in FORMATS {
            let ran =
                run(&[command, &file, "--format", format, "--rejects", rejects.to_str().unwrap(), "--keep-columns"]);
            assert!([3, 4].contains(&ran.code), "{}", ran.err);
            assert_quiet_run(format, &ran);
            let rows = csv_rows("rejects", &std::fs::read_to_string(&rejects).unwrap());
            assert!(rows.len() > HOSTILE.len(), "{command}");
            match format {
                "csv" => drop(csv_rows(format, &ran.out)),
                "markdown" => drop(markdown_parts(format, &ran.out)),
                "html" => drop(html_parts(format, &ran.out)),
                _ => {}
            }
        }
    }
}

// ---------------------------------------------------------------------------------------------------
// Rulebooks and arguments.

#[test]
fn cards_of_one_s_own_are_told_safely() {
    let folder = folder();
    let text = "x\\u001B[31m\\u009B\\u202Ey|<b>[l](m) =1";
    let card = std::fs::read_to_string("src/domains/cmk/rules/external-material.md").unwrap();
    let (head, _) = card.split_once("```csv").unwrap();
    let hostile = head
        .replacen("id = \"external-material\"", "id = \"own-card\"", 1)
        .replace("en = \"", &format!("en = \"{text}"))
        .replace("says = \"", &format!("says = \"{text}"))
        .replace("section = \"", &format!("section = \"{text}"))
        .replace("[\"is-key\"", &format!("[\"odd{text}\", \"is-key\""));
    put(&folder, "mine/own-card.md", hostile);
    let atoms =
        format!("[[atom]]\nname = \"odd{text}\"\ndoc = \"{text}\"\ncolumn = \"{text}\"\nequals = [\"{text}\"]\n");
    put(&folder, "mine/atoms.toml", atoms);
    let rules = folder.path().join("mine");
    let rules = rules.to_str().unwrap();
    for format in ["text", "json"] {
        for command in [&["rules", "list"][..], &["sources"]] {
            let ran = expect(0, &[command, &["--rules", rules, "--format", format]].concat());
            assert_quiet_run("rules", &ran);
            assert!(format == "text" || document(&ran.out).is_object());
        }
    }
    assert!(expect(0, &["rules", "list", "--rules", rules]).out.contains("x\u{fffd}[31m"), "the card was not read");
    for command in [&["show", "own-card"][..], &["check"]] {
        assert_quiet_run("rules", &run(&[&["rules"], command, &["--rules", rules]].concat()));
    }
    let keys = put(
        &folder,
        "keys.csv",
        "key_id,origin,x\u{1b}[31m\u{9b}\u{202e}y|<b>[l](m) =1\nk1,EXTERNAL,\nk2,EXTERNAL,z\n",
    );
    for format in ["text", "json"] {
        let ran = expect(0, &["explain", "k1", "k2", "--in", &keys, "--rules", rules, "--format", format]);
        assert_quiet_run("explain", &ran);
        assert!(ran.out.contains("column:odd"), "{}", ran.out);
    }
    for format in ["table", "csv", "json", "markdown"] {
        let ran = expect(0, &["diagnose", &keys, "--rules", rules, "--format", format]);
        assert_quiet_run(format, &ran);
        match format {
            "csv" => drop(csv_rows(format, &ran.out)),
            "markdown" => drop(markdown_parts(format, &ran.out)),
            _ => {}
        }
    }
}

#[test]
fn arguments_that_are_not_understood_are_told_safely() {
    for text in HOSTILE.iter().filter(|text| !text.starts_with('-')) {
        for arguments in [
            &["schema", text][..],
            &["rules", "show", text],
            &["rules", "list", "--domain", text],
            &["sources", "--edition", text],
            &["explain", text, "--in", "samples/card.csv"],
            &["diagnose", "samples/card.csv", "--assume", text],
            &["diagnose", "samples/card.csv", "--only", text],
            &["preflight", "samples/servicenow/fleet.csv", "--from", text],
            &["exchange", "samples/servicenow/requests.csv", "--as-of", text],
            &["diagnose", "samples/card.csv", "--format", text],
            &["diagnose", "samples/card.csv", text, "--jobs", text],
            &[text],
        ] {
            let ran = run(arguments);
            assert!([2, 4].contains(&ran.code), "{arguments:?}: {}", ran.err);
            assert_quiet(&format!("{arguments:?}"), &ran.err);
            assert_quiet(&format!("{arguments:?}"), &ran.out);
        }
    }
}

#[test]
fn schemas_are_quiet() {
    for line in expect(0, &["schema"]).out.lines() {
        assert_quiet_run("schema", &expect(0, &["schema", line.split(' ').next().unwrap()]));
    }
}

// ---------------------------------------------------------------------------------------------------
// Any text.

/// Texts of pieces that mean something somewhere.
fn any_text() -> impl Strategy<Value = String> {
    let pieces: Vec<String> = HOSTILE.iter().map(|text| (*text).to_owned()).collect();
    let piece = prop_oneof![
        3 => "[ -~]{1,6}",
        2 => proptest::sample::select(pieces),
        1 => "\\PC{1,4}",
        1 => any::<char>().prop_map(String::from),
        2 => proptest::sample::select(vec!["=", "-", ".", "..", "/", "\\", "~", ";", "|", "`", "\\|", "  ", "&", "con", "A", "é", "e\u{301}"]).prop_map(str::to_owned),
    ];
    proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

fn markdown(text: &str) -> String {
    let mut out = Vec::new();
    safe::markdown_text(text, &mut out);
    String::from_utf8(out).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(600) })]

    #[test]
    fn any_text_is_one_cell_of_csv(text in any_text()) {
        let mut out = Vec::new();
        safe::csv_cell(&text, &mut out);
        let rows = csv_rows("any", &format!("x,{},y\n", String::from_utf8(out).unwrap()));
        prop_assert_eq!(rows[0].len(), 3);
        prop_assert_eq!(rows[0][1].replace('\'', ""), seen(&text).replace('\'', ""));
    }

    #[test]
    fn any_text_is_a_text_in_markdown(text in any_text()) {
        let text = text.trim();
        let (parts, texts) = markdown_parts("table", &format!("| a | b |\n| --- | --- |\n| {} | x |\n", markdown(text)));
        let (wanted, _) = markdown_parts("table", "| a | b |\n| --- | --- |\n| y | x |\n");
        prop_assert_eq!(parts, wanted);
        prop_assert!(texts.iter().any(|cell| cell.trim() == seen(text).trim()), "{texts:?}");
        for frame in ["- label: {}\n", "## {}: blocked\n", "1. {}\n", "- **{}**\n"] {
            // Emphasis needs something to stress.
            let text = if text.is_empty() { "y" } else { text };
            let bold = frame.contains("**");
            let solid = seen(text).chars().all(char::is_alphanumeric);
            if !bold || solid {
                let (parts, _) = markdown_parts(frame, &frame.replace("{}", &markdown(text)));
                prop_assert_eq!(parts, markdown_parts(frame, &frame.replace("{}", "y")).0);
            }
        }
    }

    #[test]
    fn any_command_is_code_in_markdown(text in any_text()) {
        let text = format!("aliyun {text}");
        let (parts, texts) = markdown_parts("code", &format!("1. a\n   {}\n", safe::markdown_code(&text)));
        prop_assert_eq!(parts, markdown_parts("code", "1. a\n   `b`\n").0);
        prop_assert!(texts.iter().any(|piece| *piece == seen(&text)), "{texts:?}");
    }

    #[test]
    fn any_text_is_itself_in_json(text in any_text()) {
        let mut out = Vec::new();
        safe::json_string(&text, &mut out);
        let json = String::from_utf8(out).unwrap();
        assert_quiet("json", &json);
        prop_assert_eq!(document(&json), json!(text));
        let written = format!("{:#}\n", json!({ "a": [text] }));
        let lines = safe::json_lines(&written);
        assert_quiet("json", &lines);
        prop_assert_eq!(document(&lines), json!({ "a": [text] }));
    }

    #[test]
    fn any_text_is_one_word_of_a_shell(text in any_text()) {
        let script = format!("printf '%s' {}", safe::shell(&text));
        let output = std::process::Command::new("/bin/sh").args(["-c", &script]).env_clear().env("PATH", "").output().unwrap();
        prop_assert_eq!(String::from_utf8(output.stdout).unwrap(), seen(&text));
    }

    #[test]
    fn any_id_is_a_name_that_stays_in_its_folder(id in any_text()) {
        let name = safe::file_name(&id);
        prop_assert!(!name.is_empty() && name.len() <= 100, "{name}");
        prop_assert!(!name.contains(['/', '\\', ':', '*', '?', '"', '<', '>', '|', '\0']), "{name}");
        prop_assert!(!name.contains("..") && !name.starts_with(['.', '-', ' ']) && !name.ends_with(['.', ' ']), "{name}");
        assert_quiet("a name of a file", &name);
        let stem = name.split('.').next().unwrap().to_lowercase();
        prop_assert!(!["con", "prn", "aux", "nul", "com1", "lpt9", "com¹"].contains(&stem.as_str()), "{name}");
        prop_assert_eq!(Path::new("folder").join(&name).components().count(), 2);
        // A name that is kept is the id; any other is told from those that are kept.
        prop_assert!(name == id || name.contains('~'), "{name}");
    }

    #[test]
    fn two_ids_never_have_the_same_name(one in any_text(), other in any_text(), changes in 0_usize..5) {
        let other = match changes {
            0 => other,
            1 => one.to_uppercase(),
            2 => format!("{one}."),
            3 => one.replace(['/', '.', ' '], "_"),
            // Who knows how names are made cannot make one that is taken.
            _ => safe::file_name(&one),
        };
        if one != other && !(changes == 4 && safe::file_name(&one) == one) {
            prop_assert_ne!(safe::file_name(&one).to_lowercase(), safe::file_name(&other).to_lowercase());
        }
    }

    #[test]
    fn names_can_be_made_in_a_folder(id in any_text()) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(safe::file_name(&id));
        std::fs::write(&path, &id).unwrap();
        let found: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
        prop_assert_eq!(found.len(), 1);
    }
}
