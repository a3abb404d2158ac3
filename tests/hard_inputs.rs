//! Every way in which inputs can be broken: the program ends by itself, within bounds of memory and time, says what is
//! wrong, and accounts for every record.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails says where")]

use std::collections::BTreeSet;
use std::io::{Read, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

// ---------------------------------------------------------------------------------------------------
// Running the program within bounds.

/// Address space that the program may have, in KiB: enough for its threads and for 300 MB.
const MEMORY: u64 = 700_000;

/// Seconds of processor time that it may take.
const SECONDS: u64 = 60;

/// Records read, diagnosed, rejected and found twice.
type Account = (u64, u64, u64, u64);

/// How a run ended and what it said.
#[derive(Debug)]
struct Ran {
    code: i32,
    /// The document, if one was written.
    document: Option<Value>,
    err: String,
}

impl Ran {
    /// What became of the records, of the document or else of what was said.
    fn account(&self) -> Account {
        let line = self.err.lines().find(|line| line.contains(" records read = "));
        let said: Option<Vec<u64>> = line
            .map(|line| line.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect());
        let said = said.map(|said| (said[0], said[1], said[3], said[4]));
        let Some(document) = &self.document else { return said.unwrap_or_default() };
        let number = |name: &str| document["summary"]["records"][name].as_u64().unwrap();
        let written = (number("read"), number("diagnosed"), number("rejected"), number("exact_duplicates"));
        assert_eq!(said, Some(written));
        written
    }

    /// The ids of the keys.
    fn keys(&self) -> Vec<&str> {
        let keys = self.document.as_ref().and_then(|document| document["keys"].as_array());
        keys.into_iter().flatten().map(|key| key["key_id"].as_str().unwrap()).collect()
    }

    fn class(&self, key: &str) -> &str {
        let keys = self.document.as_ref().unwrap()["keys"].as_array().unwrap();
        keys.iter().find(|known| known["key_id"] == key).unwrap()["class"].as_str().unwrap()
    }
}

/// Diagnoses inputs within bounds. What a shell cannot bound on a system stays unbounded there.
fn run_in(folder: &Path, arguments: &[&str], mut input: impl Read) -> Ran {
    let bounds = format!("ulimit -v {MEMORY} 2> /dev/null; ulimit -t {SECONDS} 2> /dev/null; exec \"$@\"");
    let mut child = Command::new("sh")
        .args(["-c", &bounds, "sh", env!("CARGO_BIN_EXE_cmkdiag"), "diagnose", "--format", "json"])
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("NO_COLOR", "1")
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut stdin = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        let waiting = scope.spawn(move || child.wait_with_output().unwrap());
        // The program may have enough before the input ends.
        let _ = std::io::copy(&mut input, &mut stdin);
        drop(stdin);
        waiting.join().unwrap()
    });
    let err = String::from_utf8(output.stderr).expect("it writes UTF-8");
    let code = output.status.code().unwrap_or_else(|| panic!("{arguments:?} ended by a signal: {err}"));
    let document = serde_json::from_slice(&output.stdout).ok();
    assert_eq!(document.is_some(), !output.stdout.is_empty(), "{arguments:?} wrote something else than JSON");
    assert!(!err.contains('\u{1b}'), "{err:?}");
    let ran = Ran { code, document, err };
    let (read, diagnosed, rejected, duplicates) = ran.account();
    assert_eq!(read, diagnosed + rejected + duplicates, "{arguments:?}");
    ran
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn put(folder: &TempDir, name: &str, content: impl AsRef<[u8]>) {
    std::fs::write(folder.path().join(name), content).unwrap();
}

/// Diagnoses one file of this content and demands exit code, account and message.
fn expect(name: &str, content: impl AsRef<[u8]>, code: i32, account: Account, says: &str) -> Ran {
    expect_with(&[], name, content, code, account, says)
}

fn expect_with(more: &[&str], name: &str, content: impl AsRef<[u8]>, code: i32, account: Account, says: &str) -> Ran {
    let folder = folder();
    put(&folder, name, &content);
    let mut arguments = vec![name];
    arguments.extend(more);
    let ran = run_in(folder.path(), &arguments, std::io::empty());
    let start: String = String::from_utf8_lossy(content.as_ref()).chars().take(200).collect();
    assert_eq!((ran.code, ran.account()), (code, account), "{name} {start:?}\n{}", ran.err);
    assert!(ran.err.contains(says), "{name} {start:?} does not say {says:?}:\n{}", ran.err);
    let through = run_in(folder.path(), &[&["-"], more].concat(), content.as_ref());
    assert_eq!((through.code, through.account()), (code, account), "through a pipe: {name} {start:?}\n{}", through.err);
    ran
}

const HEADER: &str = "key_id,aliases,instance,origin,rotation,versions,usage,operations,languages,network\n";

/// A key in whose way nothing is.
fn good(key: &str) -> String {
    format!("{key},alias/{key},default,Aliyun_KMS,Disabled,1,self-managed,Encrypt,Java,vpc\n")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// So many bytes of one piece again and again, behind a first one.
fn bomb(first: &[u8], piece: &[u8], length: u64) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(first).unwrap();
    let chunk = piece.repeat((1 << 20) / piece.len());
    for _ in 0..length / chunk.len() as u64 {
        encoder.write_all(&chunk).unwrap();
    }
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

fn encode(label: &str, text: &str) -> Vec<u8> {
    let encoding = encoding_rs::Encoding::for_label(label.as_bytes()).unwrap();
    encoding.encode(text).0.into_owned()
}

fn utf_16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

// ---------------------------------------------------------------------------------------------------
// Encodings.

const CHINESE: &str =
    "密钥ID,别名,密钥材料来源,负责人\nk1,alias/订单,EXTERNAL,支付团队\nk2,alias/仓库,Aliyun_KMS,数据库小组\n";

#[test]
fn text_is_read_in_every_encoding_and_told_unless_it_is_utf_8() {
    let json =
        r#"[{"key_id": "k1", "origin": "EXTERNAL", "owner": "支付团队"}, {"key_id": "k2", "owner": "数据库小组"}]"#;
    for (name, text) in [("keys.csv", CHINESE), ("keys.json", json)] {
        let plain = expect(name, text, 0, (2, 2, 0, 0), "");
        assert!(!plain.err.contains("read as"), "{}", plain.err);
        for (says, bytes) in [
            ("", format!("\u{feff}{text}").into_bytes()),
            ("note: FILE: read as GBK, found by its bytes", encode("gb18030", text)),
            ("note: FILE: read as UTF-16LE, found by its bytes", utf_16(text)),
            ("note: FILE: read as UTF-16LE, by its byte order mark", utf_16(&format!("\u{feff}{text}"))),
        ] {
            let says = says.replace("FILE", name);
            for bytes in [bytes.clone(), gzip(&bytes), zstd(&bytes)] {
                let ran = expect(name, &bytes, 0, (2, 2, 0, 0), &says);
                let notes = ran.document.as_ref().unwrap()["summary"]["notes"].as_array().map_or(0, Vec::len);
                assert_eq!(notes, usize::from(!says.is_empty()));
                let keys = |ran: &Ran| ran.document.as_ref().unwrap()["keys"].clone();
                assert_eq!(keys(&ran), keys(&plain), "{says}");
            }
        }
    }
}

#[test]
fn the_encoding_may_show_late() {
    let ascii: String = (0..4000).map(|number| format!("a{number},alias/a{number},Aliyun_KMS,team\n")).collect();
    assert!(ascii.len() > 100_000);
    let late = format!("key_id,alias,origin,owner\n{ascii}{}", CHINESE.split_once('\n').unwrap().1);
    let ran = expect("keys.csv", encode("gbk", &late), 0, (4002, 4002, 0, 0), "read as GBK");
    assert_eq!(ran.class("k1"), "blocked");
    assert!(ran.document.unwrap()["keys"].to_string().contains("alias/订单"));
}

#[test]
fn what_cannot_be_decoded_refuses_its_record_and_taints_its_key() {
    let rows = format!("{HEADER}{}{}", good("k1"), good("k2"));
    let broken = good("k1").replace("alias/k1", "alias/K");
    // In UTF-8.
    let bytes =
        [format!("{rows}k3,\"钥匙的名字\",,,,,,,,\n").as_bytes(), &broken.replace('K', "\u{1}").into_bytes()].concat();
    let bytes: Vec<u8> = bytes.into_iter().map(|byte| if byte == 1 { 0xff } else { byte }).collect();
    let ran =
        expect("keys.csv", &bytes, 3, (4, 3, 1, 0), "keys.csv:5, column aliases: `alias/\u{fffd}` not valid UTF-8");
    assert_eq!((ran.class("k1"), ran.class("k2")), ("undetermined", "migratable"));
    // In GBK, where a quote cuts a character.
    let chinese = format!("{rows}k3,\"钥匙的名字是什么\",,,,,,,,\n{broken}");
    let bytes = encode("gbk", &chinese);
    let at = bytes.len() - broken.len() + "k1,alias/K".len();
    let bytes = [&bytes[..at], b"\xb0", &bytes[at..]].concat();
    let ran = expect(
        "keys.csv",
        &bytes,
        3,
        (4, 3, 1, 0),
        "column aliases: `alias/K\u{fffd}` holds bytes that are no text in GBK",
    );
    assert_eq!((ran.class("k1"), ran.class("k2")), ("undetermined", "migratable"));
    let json = encode("gbk", r#"[{"key_id":"k1","owner":"支付团队的负责人X"},{"key_id":"k2","owner":"数据库小组"}]"#);
    let at = json.iter().position(|byte| *byte == b'X').unwrap();
    let json = [&json[..at], b"\xb0", &json[at + 1..]].concat();
    expect("keys.json", &json, 3, (2, 1, 1, 0), "keys.json:1, column owner");
}

#[test]
fn an_encoding_can_be_named() {
    // Two characters of GBK that are characters of UTF-8, too.
    let bytes = encode("gbk", "key_id,origin,owner\nk,EXTERNAL,未知\n");
    let ran = expect_with(&["--input-encoding", "gb2312"], "keys.csv", &bytes, 0, (1, 1, 0, 0), "read as GBK, as");
    assert!(!ran.document.unwrap()["keys"].to_string().contains('δ'));
    let says = "there is no such encoding; did you mean `utf-8`?";
    expect_with(&["--input-encoding", "utf-9"], "keys.csv", &bytes, 2, (0, 0, 0, 0), says);
}

// ---------------------------------------------------------------------------------------------------
// Tables.

#[test]
fn tables_are_read_below_titles_and_within_borders() {
    for (name, text, line) in [
        ("sep.csv", "sep=;\nkey_id;origin;owner\nk1;EXTERNAL;a,b,c\nk2;;d,e,f\n", 3),
        ("title.csv", "Keys, of all teams\n\n\nkey_id;origin\nk1;EXTERNAL\nk2;\n", 5),
        ("page.md", "# Keys\n\n| Key ID | Origin |\n|--------|:------:|\n| k1 | EXTERNAL |\n| k2 | |\n", 5),
        ("columns.txt", "KeyId | Origin\n----- | ------\nk1    | EXTERNAL\nk2    | \n", 3),
        (
            "box.txt",
            "+----+--------+\n| id | origin |\n+----+--------+\n| k1 | EXTERNAL |\n| k2 | |\n+----+--------+\n",
            4,
        ),
    ] {
        let ran = expect(name, text, 0, (2, 2, 0, 0), "");
        assert_eq!(ran.keys(), ["k1", "k2"], "{name}");
        let origins = &ran.document.as_ref().unwrap()["keys"][0]["origins"];
        assert_eq!(origins[0]["line"], line, "{name}");
    }
    let says = "title.csv: 2 rows above the header line (line 3) left out; the first says `Keys, of all teams`";
    expect("title.csv", "Keys, of all teams\nas of May\nkey_id;origin\nk1;EXTERNAL\n", 0, (1, 1, 0, 0), says);
}

#[test]
fn a_table_without_key_ids_is_refused_once() {
    let rows = "0f5a1c1e,EXTERNAL\n".repeat(1000);
    let says =
        "line 1: no column is called key_id or arn, so no record could be used; the first row says `0f5a1c1e,EXTERNAL`";
    expect("keys.csv", &rows, 4, (0, 0, 0, 0), says);
    let folder = folder();
    put(&folder, "bare.csv", rows);
    put(&folder, "good.csv", format!("{HEADER}{}", good("k")));
    let ran = run_in(folder.path(), &["bare.csv", "good.csv"], std::io::empty());
    assert_eq!((ran.code, ran.account()), (3, (2, 1, 1, 0)), "{}", ran.err);
}

#[test]
fn columns_of_one_name() {
    let twice = "line 1: columns 2 and 3 are both named `origin`; rename or remove one";
    expect("keys.csv", "key_id,origin,origin\nk,EXTERNAL,EXTERNAL\n", 4, (0, 0, 0, 0), twice);
    let says = "columns not understood and left out: Notes, Notes (2)";
    expect("keys.csv", "key_id,Notes,Notes,,\nk,a,b,,\n", 0, (1, 1, 0, 0), says);
}

#[test]
fn ragged_rows_quotes_and_nul_bytes() {
    let ragged = "key_id,aliases,origin\nk1,a\nk2,a,EXTERNAL,more\nk3,a,EXTERNAL\n\n,,\n";
    expect("keys.csv", ragged, 3, (3, 1, 2, 0), "keys.csv:2: the record has 2 cells, but the header names 3 columns");
    let open = "key_id,aliases\nk1,a\n\"k2,b\nk3,c\n";
    let says = "keys.csv:3: a quote is opened and never closed, so this record and the 2 lines after it";
    expect("keys.csv", open, 3, (2, 1, 1, 0), says);
    expect("keys.csv", "\"key_id,aliases\nk1,a\n", 4, (0, 0, 0, 0), "a quote in the header line is never closed");
    let zeros = format!("{HEADER}{}{}{}", good("k1"), good("k2"), good("k1").replace("Aliyun_KMS", "Aliyun_KMS\0"));
    let says = "keys.csv:4, column origin: `Aliyun_KMS\u{fffd}` holds a NUL byte";
    let ran = expect("keys.csv", zeros, 3, (3, 2, 1, 0), says);
    assert_eq!((ran.class("k1"), ran.class("k2")), ("undetermined", "migratable"));
    expect("keys.csv", [0; 4096], 4, (0, 0, 0, 0), "not text (it holds many NUL bytes)");
}

#[test]
fn values_that_cannot_be() {
    for versions in ["-1", "0", "1.5", "1e9", "99999999999999999999999", "１．５"] {
        let says = format!("column versions: `{versions}` not understood as versions");
        expect("keys.csv", format!("key_id,versions\nk,{versions}\n"), 4, (1, 0, 1, 0), &says);
    }
    for versions in ["-1", "0", "1.5", "1e400", "99999999999999999999999", "-99999999999999999999999"] {
        expect("keys.json", format!("{{\"key_id\":\"k\",\"versions\":{versions}}}"), 4, (1, 0, 1, 0), "rejected: ");
    }
    expect("keys.csv", "key_id,versions\nk,１\n", 0, (1, 1, 0, 0), "");
    let masked = "key_id,origin\n****,EXTERNAL\nkey-hzz****01,EXTERNAL\n-,EXTERNAL\nk,EXTERNAL\n";
    expect("keys.csv", masked, 3, (4, 2, 2, 0), "column key_id: `****` not a key id");
    // A masked id may be that of two keys, which must not complete each other.
    let row = good("0f5a****");
    let shared = format!("{HEADER}{row}{}", row.replace("Aliyun_KMS", ""));
    let ran = expect("keys.csv", shared, 0, (2, 2, 0, 0), "a masked id that several records share");
    assert_eq!(ran.class("0f5a****"), "undetermined");
    let ran = expect("keys.csv", format!("{HEADER}{row}"), 0, (1, 1, 0, 0), "");
    assert_eq!(ran.class("0f5a****"), "migratable");
    let account = "key_id,account_id\nk,1.54036E+15\nl,1540361234567890\n";
    let says = "1 account id(s) in the column account_id have lost digits in a spreadsheet";
    expect("keys.csv", account, 0, (2, 2, 0, 0), says);
}

#[test]
fn what_says_nothing() {
    for blank in ["", "\n", " \r\n\t\n", "\u{feff}", "\u{feff}\n\n"] {
        expect("keys.csv", blank, 4, (0, 0, 0, 0), "the input is empty; expected a header line or JSON");
    }
    expect("keys.csv", ",,\n;;\n", 4, (0, 0, 0, 0), "no column is called key_id or arn");
    expect("keys.csv", "\",\"\n,\n", 4, (0, 0, 0, 0), "");
    expect("keys.csv", HEADER, 4, (0, 0, 0, 0), "no usable record");
    for nothing in ["[]", "{\"Keys\": []}", "[[], []]"] {
        expect("keys.json", nothing, 4, (0, 0, 0, 0), "no usable record");
    }
}

// ---------------------------------------------------------------------------------------------------
// Far too much of something.

#[test]
fn what_never_ends_is_cut_short() {
    let (brackets, braces) = ("[".repeat(10_000_000), "{\"a\":".repeat(4_000_000));
    expect("keys.json", &brackets, 4, (1, 0, 1, 0), "keys.json:1: arrays inside each other deeper than 128");
    expect("keys.json", &braces, 4, (1, 0, 1, 0), "keys.json:1: the input ends inside an object or array");
    let too_long = "keys.json, line 1: an object longer than 64 MiB";
    expect("keys.json", "{\"a\":".repeat(14_000_000), 4, (0, 0, 0, 0), too_long);
    let first = "{\"key_id\":\"j\"},{\"key_id\":\"k\",\"tags\":";
    expect("keys.json", format!("[{first}{brackets}"), 3, (2, 1, 1, 0), "keys.json:1: the input ends inside");
    let (open, close) = ("[".repeat(1_000_000), "]".repeat(1_000_000));
    let deep = format!("[{first}{open}{close}}},{{\"key_id\":\"l\"}}]");
    let ran =
        expect("keys.json", deep, 3, (3, 2, 1, 0), "keys.json:1: not an object of JSON: recursion limit exceeded");
    assert_eq!(ran.keys(), ["j", "l"]);
    expect("keys.csv", &brackets, 4, (1, 0, 1, 0), "");
    let as_csv = ["--input-format", "csv"];
    expect_with(&as_csv, "keys.csv", &brackets, 4, (0, 0, 0, 0), "this looks like JSON");
    expect("keys.csv", "x".repeat(10_000_000), 4, (0, 0, 0, 0), "the header line is longer than 1 MiB");
}

#[test]
fn long_cells_rows_and_header_lines() {
    let long = |piece: &str, length: usize| piece.repeat(length / piece.len());
    let says = "keys.csv:3: a record longer than 4 MiB; is a quote never closed? Nothing from here to the end";
    for piece in ["a", ",", "\"\"", "a\"b\",", "钥"] {
        let row = format!("key_id,description\nj,\nk,{}", long(piece, 12 << 20));
        expect("keys.csv", row, 3, (2, 1, 1, 0), says);
    }
    let quoted = format!("key_id,description\nj,\nk,\"{}", long("a\n", 12 << 20));
    expect("keys.csv", quoted, 3, (2, 1, 1, 0), says);
    let header = "line 1: the header line is longer than 1 MiB";
    for piece in ["a", ",", "\"", "\"\n\","] {
        expect("keys.csv", long(piece, 12 << 20), 4, (0, 0, 0, 0), header);
    }
    let wide = format!("key_id{}\nk\n", ",a".repeat(5000));
    expect("keys.csv", wide, 4, (0, 0, 0, 0), "5001 columns; at most 4096 are read");
    let text = format!("key_id,description\nk,{}\nl,\n", long("a", 3 << 20));
    expect("keys.csv", text, 0, (2, 2, 0, 0), "");
    // As many cells and elements as fit.
    let cells = format!("key_id\n\"k\"x{}\nl\n", long(",", 4_000_000));
    expect("keys.csv", cells, 0, (2, 2, 0, 0), "");
    let list = |length| format!("[{{\"key_id\":\"k\",\"tags\":[[0{}]]}}]", long(",0", length));
    expect("keys.json", list(2_000_000), 0, (1, 1, 0, 0), "");
    expect("keys.json", list(60_000_000), 4, (1, 0, 1, 0), "keys.json:1: an object longer than 2 MiB");
    let aliases = format!("key_id,aliases\nk,{}\nl,\n", long("a", 100_000));
    expect("keys.csv", aliases, 3, (2, 1, 1, 0), "more than 65,535 bytes of aliases");
}

#[test]
fn what_is_compressed_is_bounded() {
    let limit = 24 << 20;
    let allowed = ["--max-input", "8MiB"];
    let too_much = "it has more than 8388608 bytes after inflating; --max-input SIZE allows more";
    for (first, piece, code, account, says) in [
        ("", "\0", 4, (0, 0, 0, 0), "not text (it holds many NUL bytes)"),
        ("", "\n", 4, (0, 0, 0, 0), "the input is empty"),
        ("key_id\nk\n", "\n", 3, (2, 1, 1, 0), too_much),
        ("key_id\nk\n", ",\n", 3, (2, 1, 1, 0), too_much),
        ("", "{", 4, (0, 0, 0, 0), too_much),
        ("", "[", 4, (1, 0, 1, 0), "arrays inside each other deeper than 128"),
        ("", "\"", 4, (0, 0, 0, 0), "the header line is longer than 1 MiB"),
        ("[{\"key_id\":\"k\"},", "\n", 3, (2, 1, 1, 0), too_much),
        ("[{\"key_id\":\"k\"},", "[],", 3, (2, 1, 1, 0), too_much),
        ("{\"key_id\":\"k\"}\n", "\n", 3, (2, 1, 1, 0), too_much),
    ] {
        expect_with(&allowed, "keys.gz", bomb(first.as_bytes(), piece.as_bytes(), limit), code, account, says);
    }
    // One record again and again: what was read counts.
    let row = good("k");
    let bomb = bomb(HEADER.as_bytes(), row.as_bytes(), 44_000_000);
    let whole = ((8 << 20) - HEADER.len() as u64) / row.len() as u64;
    expect_with(&allowed, "keys.gz", bomb, 3, (whole + 1, 1, 1, whole - 1), too_much);
    let says = "it has more than 100 bytes; --max-input SIZE allows more";
    expect_with(&["--max-input", "100"], "keys.csv", format!("{HEADER}{row}"), 4, (0, 0, 0, 0), says);
    let exact = format!("{HEADER}{row}");
    expect_with(&["--max-input", &exact.len().to_string()], "keys.csv", &exact, 0, (1, 1, 0, 0), "");
    for wrong in ["0", "-1", "many", "1.5GB", "5 parsecs", "99999999999TB", ""] {
        expect_with(&[&format!("--max-input={wrong}")], "keys.csv", &exact, 2, (0, 0, 0, 0), "");
    }
}

#[test]
fn what_is_cut_off_counts_as_far_as_it_was_read() {
    // Text that does not compress well, so that half of the bytes are half of the text.
    let mut seed = 1_u64;
    let mut random = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        format!("{:016x}", seed)
    };
    let ids: Vec<String> = (0..40_000).map(|_| format!("k{}{}", random(), random())).collect();
    let csv = format!("key_id,aliases\n{}", ids.iter().map(|id| format!("{id},\n")).collect::<String>());
    let lines: String = ids.iter().map(|id| format!("{{\"key_id\":\"{id}\"}}\n")).collect();
    let array = format!("[{}]", lines.trim_end().replace('\n', ","));
    for (name, text) in [("keys.csv", &csv), ("keys.jsonl", &lines), ("keys.json", &array)] {
        for (kind, whole) in [("gzip", gzip(text.as_bytes())), ("zstd", zstd(text.as_bytes()))] {
            let folder = folder();
            put(&folder, name, &whole[..whole.len() / 2]);
            let ran = run_in(folder.path(), &[name], std::io::empty());
            let (_, diagnosed, rejected, _) = ran.account();
            assert_eq!((ran.code, rejected), (3, 1), "{name} {kind}: {}", ran.err);
            assert!(diagnosed > 5_000 && diagnosed < 40_000, "{name} {kind}: {diagnosed}");
            assert!(ran.err.contains(&format!("the {kind} data is cut off after")), "{}", ran.err);
            assert_eq!(ran.keys(), ids[..diagnosed as usize], "{name} {kind}: no part of a record is a record");
        }
    }
    // Among other files, also if nothing came out of it.
    let folder = folder();
    put(&folder, "none.csv.gz", &gzip(csv.as_bytes())[..15]);
    put(&folder, "good.csv", format!("{HEADER}{}", good("k")));
    let ran = run_in(folder.path(), &["."], std::io::empty());
    assert_eq!((ran.code, ran.account()), (3, (2, 1, 1, 0)), "{}", ran.err);
}

#[test]
fn nothing_of_damaged_data_is_trusted() {
    let csv: String = (0..100_000).map(|number| format!("key-{number},EXTERNAL\n")).collect();
    for (kind, mut bytes) in [("gzip", gzip(csv.as_bytes())), ("zstd", zstd(csv.as_bytes()))] {
        let at = if kind == "gzip" { bytes.len() - 6 } else { bytes.len() - 2 };
        bytes[at] ^= 1;
        let with_header =
            [if kind == "gzip" { gzip(b"key_id,origin\n") } else { zstd(b"key_id,origin\n") }, bytes].concat();
        let says = format!("the {kind} data is damaged");
        expect("keys.csv", with_header, 4, (0, 0, 0, 0), &says);
    }
}

// ---------------------------------------------------------------------------------------------------
// Files that are none, and names that are strange.

fn make_pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn a_pipe_is_read_where_it_is_named_and_skipped_in_a_folder() {
    let folder = folder();
    put(&folder, "keys.csv", format!("{HEADER}{}", good("k1")));
    let pipe = folder.path().join("pipe.csv");
    make_pipe(&pipe);
    let ran = run_in(folder.path(), &["."], std::io::empty());
    assert_eq!((ran.code, ran.account()), (0, (1, 1, 0, 0)), "{}", ran.err);
    assert!(ran.err.contains("1 file left out because of its name: pipe.csv (no regular file)"), "{}", ran.err);
    let writer = std::thread::spawn(move || std::fs::write(pipe, format!("{HEADER}{}", good("k2"))).unwrap());
    let ran = run_in(folder.path(), &["pipe.csv", "keys.csv"], std::io::empty());
    writer.join().unwrap();
    assert_eq!((ran.code, ran.keys()), (0, vec!["k2", "k1"]), "{}", ran.err);
}

#[test]
fn links_in_a_circle_come_to_an_end() {
    let folder = folder();
    let link = |target: &str, name: &str| std::os::unix::fs::symlink(target, folder.path().join(name)).unwrap();
    put(&folder, "keys.csv", format!("{HEADER}{}", good("k")));
    std::fs::create_dir(folder.path().join("inner")).unwrap();
    link("..", "inner/up");
    link(".", "here");
    let ran = run_in(folder.path(), &["."], std::io::empty());
    assert_eq!((ran.code, ran.account()), (0, (1, 1, 0, 0)), "{}", ran.err);
    // Links to themselves and to nothing are files that cannot be read, each is one reject.
    link("self.csv", "self.csv");
    link("nowhere", "gone.csv");
    let ran = run_in(folder.path(), &["."], std::io::empty());
    assert_eq!((ran.code, ran.account()), (3, (3, 1, 2, 0)), "{}", ran.err);
    assert!(
        ran.err.contains("self.csv: cannot be read") && ran.err.contains("gone.csv: cannot be read"),
        "{}",
        ran.err
    );
    let ran = run_in(folder.path(), &["self.csv"], std::io::empty());
    assert_eq!(ran.code, 4, "{}", ran.err);
}

#[test]
fn one_bad_file_among_many_is_one_reject() {
    let folder = folder();
    put(&folder, "a.csv", format!("{HEADER}{}", good("k1")));
    put(&folder, "b.csv", "");
    put(&folder, "c.csv", [0; 100]);
    put(&folder, "d.csv", "no header\n");
    put(&folder, "e.csv", b"\x1f\x8b\x08");
    put(&folder, "f.json", "{");
    put(&folder, "g.xlsx", "PK\x03\x04");
    put(&folder, "h.csv", HEADER);
    put(&folder, "z.csv", format!("{HEADER}{}", good("k2")));
    let ran = run_in(folder.path(), &["."], std::io::empty());
    assert_eq!((ran.code, ran.account()), (3, (8, 2, 6, 0)), "{}", ran.err);
    assert_eq!((ran.class("k1"), ran.class("k2")), ("migratable", "migratable"));
    for name in ["b.csv", "c.csv", "d.csv:1", "e.csv", "f.json:1", "g.xlsx"] {
        assert!(ran.err.contains(&format!("{name}: ")), "{name}: {}", ran.err);
    }
}

#[test]
fn a_file_that_may_not_be_read_is_one_reject() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = folder();
    put(&folder, "keys.csv", format!("{HEADER}{}", good("k")));
    put(&folder, "secret.csv", format!("{HEADER}{}", good("l")));
    let secret = folder.path().join("secret.csv");
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o000)).unwrap();
    if std::fs::File::open(&secret).is_ok() {
        // Some users may read everything.
        return;
    }
    let ran = run_in(folder.path(), &["."], std::io::empty());
    assert_eq!((ran.code, ran.account()), (3, (2, 1, 1, 0)), "{}", ran.err);
    assert!(ran.err.contains("secret.csv: cannot be read: Permission denied"), "{}", ran.err);
}

#[test]
fn folders_of_nothing_and_files_that_are_not_there() {
    let folder = folder();
    std::fs::create_dir_all(folder.path().join("empty/inner")).unwrap();
    std::fs::write(folder.path().join("empty/photo.jpg"), "x").unwrap();
    let ran = run_in(folder.path(), &["empty"], std::io::empty());
    assert!(ran.code == 4 && ran.err.contains("empty holds no .csv"), "{}", ran.err);
    let ran = run_in(folder.path(), &["none.csv"], std::io::empty());
    assert!(ran.code == 4 && ran.err.contains("cannot read none.csv"), "{}", ran.err);
}

/// The notes of a run: where, and what.
fn notes(ran: &Ran) -> Vec<String> {
    let notes = ran.document.as_ref().unwrap()["summary"]["notes"].as_array().unwrap();
    notes.iter().map(|note| format!("{}: {}", note["file"].as_str().unwrap(), note["text"].as_str().unwrap())).collect()
}

#[test]
fn files_of_a_folder_that_are_not_read_are_told() {
    let folder = folder();
    std::fs::create_dir_all(folder.path().join("in/sub")).unwrap();
    std::fs::create_dir_all(folder.path().join("in/.git")).unwrap();
    let table = |key: &str| format!("{HEADER}{}", good(key));
    for (name, key) in [("a.csv", "k1"), ("sub/b.csv", "k2"), ("inventory", "k3"), ("keys.dat", "k4")] {
        std::fs::write(folder.path().join("in").join(name), table(key)).unwrap();
    }
    for name in ["keys.log", "keys.prn", "keys.csv.bz2", "sub/keys.zip", "\u{202e}\nx.numbers"] {
        std::fs::write(folder.path().join("in").join(name), "x").unwrap();
    }
    // What systems and programs keep for themselves is passed over in silence.
    for name in [".DS_Store", ".hidden.csv", "~$a.xlsx", ".git/config.csv"] {
        std::fs::write(folder.path().join("in").join(name), table("k9")).unwrap();
    }
    let ran = run_in(folder.path(), &["in"], std::io::empty());
    assert_eq!((ran.code, ran.account()), (0, (2, 2, 0, 0)), "{}", ran.err);
    let told = "in: 7 files left out because of their names: inventory, keys.csv.bz2, keys.dat, keys.log, keys.prn and 2 more. To have a file read, name it on the command line; unpack archives first";
    assert_eq!(notes(&ran), [told]);
    assert!(ran.err.contains(told), "{}", ran.err);
    // By its name a file is read whatever that is.
    let ran = run_in(folder.path(), &["in", "in/inventory", "in/keys.dat"], std::io::empty());
    assert_eq!((ran.code, ran.keys()), (0, vec!["k1", "k2", "k3", "k4"]), "{}", ran.err);
    // Nothing is lost of a folder of which nothing can be read.
    std::fs::remove_file(folder.path().join("in/a.csv")).unwrap();
    std::fs::remove_file(folder.path().join("in/sub/b.csv")).unwrap();
    let ran = run_in(folder.path(), &["in"], std::io::empty());
    assert!(
        ran.code == 4 && ran.err.contains("in holds no .csv") && ran.err.contains("7 files left out"),
        "{}",
        ran.err
    );
    assert!(!ran.err.contains('\u{202e}'), "{}", ran.err);
}

#[test]
fn one_file_of_a_folder_that_fails_fails_as_if_it_was_named() {
    let folder = folder();
    put(&folder, "keys.csv", "no header\n");
    put(&folder, "other.dat", "x");
    let ran = run_in(folder.path(), &["."], std::io::empty());
    assert!(ran.code == 4 && ran.err.contains("no column is called key_id"), "{}", ran.err);
}

#[test]
fn a_folder_that_may_not_be_listed_is_one_reject() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = folder();
    put(&folder, "keys.csv", format!("{HEADER}{}", good("k")));
    let secret = folder.path().join("secret");
    std::fs::create_dir(&secret).unwrap();
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o000)).unwrap();
    if std::fs::read_dir(&secret).is_ok() {
        // Some users may read everything.
        return;
    }
    for arguments in [&["."][..], &["keys.csv", "secret"]] {
        let ran = run_in(folder.path(), arguments, std::io::empty());
        assert_eq!((ran.code, ran.account()), (3, (2, 1, 1, 0)), "{}", ran.err);
        assert!(ran.err.contains("secret: cannot be read: Permission denied"), "{}", ran.err);
    }
}

#[test]
fn what_is_packed_in_other_ways_names_the_way_to_unpack_it() {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    archive.start_file("keys.csv", zip::write::SimpleFileOptions::default()).unwrap();
    archive.write_all(HEADER.as_bytes()).unwrap();
    let zip = archive.finish().unwrap().into_inner();
    let mut tar = vec![0; 1024];
    tar[..8].copy_from_slice(b"keys.csv");
    tar[257..262].copy_from_slice(b"ustar");
    for (name, content, says) in [
        ("keys.csv.bz2", b"BZh91AY&SY\x01\x02\x03".to_vec(), "bunzip2"),
        ("keys.csv.xz", b"\xfd7zXZ\0\0\x04\xe6".to_vec(), "unxz"),
        ("keys.7z", b"7z\xbc\xaf\x27\x1c\0\x04".to_vec(), "7z x"),
        ("keys.zip", zip, "unzip"),
        ("keys.tar", tar.clone(), "tar -xf"),
        ("keys.tgz", gzip(&tar), "tar -xf"),
    ] {
        expect(name, content, 4, (0, 0, 0, 0), says);
    }
}

#[test]
fn standard_input_among_files() {
    let folder = folder();
    put(&folder, "keys.csv", format!("{HEADER}{}", good("k1")));
    let input = format!("{HEADER}{}", good("k2"));
    let ran = run_in(folder.path(), &["keys.csv", "-"], input.as_bytes());
    assert_eq!((ran.code, ran.keys()), (0, vec!["k1", "k2"]), "{}", ran.err);
    let ran = run_in(folder.path(), &["-", "keys.csv"], &b""[..]);
    assert_eq!((ran.code, ran.account()), (3, (2, 1, 1, 0)), "{}", ran.err);
    assert!(ran.err.contains("(standard input): the input is empty"), "{}", ran.err);
}

#[test]
fn names_with_strange_characters() {
    use std::os::unix::ffi::OsStrExt as _;
    let folder = folder();
    let names: [&[u8]; 8] = [
        b"with blank.csv",
        b"new\nline.csv",
        b"\x1b[31mred.csv",
        b"-o.csv",
        "\u{202e}vsc.csv".as_bytes(),
        b"quote\"'`$(x).csv",
        b"not-\xff-text.csv",
        b"a,b;c.csv",
    ];
    for (number, name) in names.iter().enumerate() {
        let path = folder.path().join(std::ffi::OsStr::from_bytes(name));
        std::fs::write(path, format!("{HEADER}{}bad\n", good(&format!("k{number}")))).unwrap();
    }
    let ran = run_in(folder.path(), &["."], std::io::empty());
    assert_eq!((ran.code, ran.account()), (3, (16, 8, 8, 0)), "{}", ran.err);
    assert!(!ran.err.contains('\u{202e}') && ran.err.lines().all(|line| !line.starts_with("line.csv")), "{}", ran.err);
}

#[test]
fn nothing_is_written_but_what_is_named() {
    let folder = folder();
    let inner = folder.path().join("inner");
    std::fs::create_dir(&inner).unwrap();
    put(&folder, "keys.csv", format!("{HEADER}{}../../evil,,,,,,,,,\n/abs/evil,,,,,,,,,\nbad\n", good("k")));
    let listed = || -> BTreeSet<String> {
        let entries =
            |path: &Path| std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
        let all = [entries(folder.path()), entries(&inner)].concat();
        all.into_iter().map(|name| name.into_string().unwrap()).collect()
    };
    let before = listed();
    let ran = run_in(&inner, &["../keys.csv", "-o", "out.json", "--rejects", "rejects.csv"], std::io::empty());
    assert_eq!(ran.code, 3, "{}", ran.err);
    let written: Vec<String> = listed().difference(&before).cloned().collect();
    assert_eq!(written, ["out.json", "rejects.csv"]);
    // A run that fails leaves nothing.
    let before = listed();
    assert_eq!(run_in(&inner, &["../none.csv", "-o", "other.json"], std::io::empty()).code, 4);
    assert_eq!(run_in(&inner, &["../keys.csv", "-o", "none/other.json"], std::io::empty()).code, 4);
    assert_eq!(listed(), before);
}

// ---------------------------------------------------------------------------------------------------
// Very many of something.

/// A text so many times, without ever standing in memory.
fn times(text: String, times: u64) -> impl Read {
    let (mut left, mut at) = (times, 0);
    struct Reading<F>(F);
    impl<F: FnMut(&mut [u8]) -> usize> Read for Reading<F> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            Ok(self.0(buffer))
        }
    }
    Reading(move |buffer: &mut [u8]| {
        if left == 0 {
            return 0;
        }
        let count = buffer.len().min(text.len() - at);
        buffer[..count].copy_from_slice(&text.as_bytes()[at..at + count]);
        at += count;
        if at == text.len() {
            (left, at) = (left - 1, 0);
        }
        count
    })
}

#[test]
fn millions_of_rejects() {
    let folder = folder();
    let start = format!("{HEADER}{}{}", good("k1"), good("k2"));
    // Every other one has another reason, and the last is about a key.
    let input = start.as_bytes().chain(times("x\nx,y\n".repeat(1000), 1000)).chain(&b"k2,z,\n"[..]);
    let ran = run_in(folder.path(), &["-", "--rejects", "rejects.csv"], input);
    assert_eq!((ran.code, ran.account()), (3, (2_000_003, 2, 2_000_001, 0)), "{}", ran.err);
    assert_eq!((ran.class("k1"), ran.class("k2")), ("migratable", "undetermined"));
    assert!(ran.err.contains("… and 1999991 more rejected records; --rejects FILE lists all"), "{}", ran.err);
    let rejects = std::fs::read_to_string(folder.path().join("rejects.csv")).unwrap();
    let mut count = 0;
    for (at, line) in rejects.lines().skip(1).enumerate() {
        let cells = [1, 2].get(at % 2).filter(|_| at < 2_000_000).unwrap_or(&3);
        let expected = format!(",{},,,\"the record has {cells} cells, but", at + 4);
        assert!(line.contains(&expected), "{line} instead of {expected}");
        count += 1;
    }
    assert_eq!(count, 2_000_001);
}

#[test]
fn millions_of_exact_duplicates() {
    // The third disagrees with the first.
    let rows = [good("k1"), good("k2"), good("k1").replace("Aliyun_KMS", "EXTERNAL"), good("k3")].concat();
    let input = HEADER.as_bytes();
    let folder = folder();
    let ran = run_in(folder.path(), &["-"], input.chain(times(rows.repeat(1000), 600)));
    assert_eq!((ran.code, ran.account()), (0, (2_400_000, 4, 0, 2_399_996)), "{}", ran.err);
    assert_eq!((ran.class("k1"), ran.class("k2"), ran.class("k3")), ("undetermined", "migratable", "migratable"));
    let keys = ran.document.as_ref().unwrap()["keys"].as_array().unwrap();
    let lines = |key: usize| {
        let origins = keys[key]["origins"].as_array().unwrap().iter();
        origins.map(|origin| origin["line"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!((ran.keys(), lines(0), lines(1), lines(2)), (vec!["k1", "k2", "k3"], vec![2, 4], vec![3], vec![5]));
}

#[test]
fn one_key_id_in_very_many_accounts() {
    let mut rows = "key_id,account_id,region,origin,rotation,versions\n".to_owned();
    for account in 1_000_000..1_040_000 {
        rows.push_str(&format!("k-1234567890,{account},,Aliyun_KMS,Disabled,1\n"));
    }
    rows.push_str("k-1234567890,1000007,cn-beijing,Aliyun_KMS,Disabled,1\nk-1234567890,,cn-hangzhou,,,\n");
    let says = "keys.csv:40003, column key_id: `k-1234567890` the key id occurs in 1000000 cn-hangzhou and 1000001";
    let ran = expect("keys.csv", rows, 3, (40_002, 40_000, 2, 0), says);
    assert_eq!(ran.keys().len(), 39_999 + 1);
}

#[test]
fn thousands_of_notes() {
    let rows = format!("{HEADER}{}{}", good("k1"), HEADER.repeat(3000));
    let ran = expect("keys.csv", rows, 0, (1, 1, 0, 0), "note: keys.csv:3: the header line again, left out");
    let notes = ran.document.as_ref().unwrap()["summary"]["notes"].as_array().unwrap();
    assert_eq!(notes.len(), 1001);
    assert_eq!(notes[1000]["text"], "2000 more notes of this kind about this file, the last about line 3002");
}

/// Files that were put together, each of which begins with a byte order mark, as spreadsheets write them.
#[test]
fn a_second_header_line_behind_a_byte_order_mark_is_left_out() {
    let header = "\u{feff}key_id,origin\n";
    let both = format!("{header}k1,EXTERNAL\n{header}k2,EXTERNAL\nk3,EXTERNAL\n");
    expect("both.csv", both, 0, (3, 3, 0, 0), "the header line again, left out");
}

/// Runs any command on one file within bounds of memory, in KiB of address space.
fn run_bounded(memory: u64, name: &str, content: impl AsRef<[u8]>, arguments: &[&str]) -> (i32, String, String) {
    let folder = folder();
    put(&folder, name, content);
    let bounds = format!("ulimit -v {memory} 2> /dev/null; ulimit -t {SECONDS} 2> /dev/null; exec \"$@\"");
    let output = Command::new("sh")
        .args(["-c", &bounds, "sh", env!("CARGO_BIN_EXE_cmkdiag")])
        .args(arguments)
        .env("NO_COLOR", "1")
        .current_dir(folder.path())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().expect("it ends by itself"), text(output.stdout), text(output.stderr))
}

/// What is told of each reject takes no room of its own.
#[test]
fn a_million_requests_that_say_nothing() {
    for command in ["exchange", "preflight"] {
        let (code, _, err) =
            run_bounded(200_000, "x.json", "{}".repeat(1_000_000), &[command, "--format", "csv", "x.json"]);
        assert_eq!(code, 4, "{err}");
        assert!(err.contains("1000000 records read = 0 judged") && err.contains("+ 1000000 rejected"), "{err}");
    }
}

/// A record that was refused is looked for among the subjects, not the subjects among all of these.
#[test]
fn very_many_pairs_of_which_half_are_refused() {
    let mut table = String::from("source,target,operation,source_release\n");
    for number in 0..20_000 {
        table.push_str(&format!("a{number},b{number},clone,\na{number},b{number},no operation,\n"));
    }
    let (code, out, err) = run_bounded(MEMORY, "x.csv", table, &["preflight", "--format", "csv", "x.csv"]);
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("40000 records read = 20000 judged (20000 pairs) + 20000 rejected"), "{err}");
    assert!(err.contains("undetermined 20000") && out.lines().count() == 20_001, "{err}");
}

/// Specifications of one request are looked up by name, not one by one.
#[test]
fn one_request_with_very_many_specifications() {
    let names: Vec<String> = (0..150_000).map(|number| format!("global.s{number}")).collect();
    for half in [&names[..], &names[75_000..]] {
        let table = format!(
            "request,crypto_specifications,source_key\nr,{},yes\nr,{},yes\n",
            names[..75_000].join(";"),
            half.join(";")
        );
        let (code, _, err) = run_bounded(MEMORY, "x.csv", table, &["exchange", "--format", "csv", "x.csv"]);
        assert!(code == 0 && err.contains("2 judged (1 request)"), "{err}");
    }
}

/// Keys are explained one by one, and not without end.
#[test]
fn very_many_keys_of_one_name_are_not_all_explained() {
    let mut table = String::from("key_id,alias\n");
    (0..100_000).for_each(|number| table.push_str(&format!("k{number},alias/x\n")));
    for format in ["text", "json"] {
        let arguments = ["explain", "alias/x", "k7", "--format", format, "--in", "x.csv"];
        let (code, out, err) = run_bounded(MEMORY, "x.csv", &table, &arguments);
        assert!(code == 0 && out.len() < 2 << 20, "{err}");
        let told = if format == "json" { out.lines().count() } else { out.matches("\nrulebook: ").count() };
        assert_eq!(told, 101);
        assert!(err.contains("… and 99900 more keys that `alias/x` means are not explained; give the ARN"), "{err}");
    }
}

/// Of the columns of all records together, no more are kept than a table may have; the same ones, whatever the number
/// of threads.
#[test]
fn a_column_of_its_own_in_every_record() {
    let mut lines = String::new();
    let number = |at: u32| at.wrapping_mul(2_654_435_761);
    (0..20_000).for_each(|at| lines.push_str(&format!("{{\"key_id\":\"k{at}\",\"c{:010}\":1}}\n", number(at))));
    let mut all: Vec<String> = (0..20_000).map(|at| format!("c{:010}", number(at))).collect();
    all.sort();
    for jobs in ["1", "3"] {
        let arguments = ["diagnose", "--jobs", jobs, "--format", "csv", "--keep-columns", "x.jsonl"];
        let (code, out, err) = run_bounded(MEMORY, "x.jsonl", &lines, &arguments);
        assert_eq!(code, 0, "{err}");
        assert!(err.contains("4096 are kept, and 15904 more are left out"), "{err}");
        let kept: Vec<&str> =
            out.lines().next().unwrap().split(',').filter(|name| name.len() == 11 && name.starts_with('c')).collect();
        assert!(kept.len() == 4096 && kept == all[..4096], "{}", kept.len());
    }
    let (_, _, err) = run_bounded(MEMORY, "x.jsonl", &lines, &["diagnose", "--format", "csv", "x.jsonl"]);
    assert!(err.contains(" and 19950 more (--keep-columns"), "{err}");
}

/// The user's columns are looked up once for each key, not once for each of them.
#[test]
fn thousands_of_columns_are_kept_in_time() {
    let names: Vec<String> = (0..3_000).map(|number| format!("c{number}")).collect();
    let values = "v,".repeat(names.len());
    let mut table = format!("key_id,{},end\n", names.join(","));
    (0..200).for_each(|row| table.push_str(&format!("k{row},{values}e\n")));
    expect_with(&["--keep-columns"], "wide.csv", table, 0, (200, 200, 0, 0), "");
}

// ---------------------------------------------------------------------------------------------------
// What stands beside a list, above a header line, inside a member.

const K: &str = "0f5a1111-2222-4333-8444-555566667b01";
const K2: &str = "0f5a1111-2222-4333-8444-555566667b02";

/// A key in whose way nothing is, as an object.
fn good_object(key: &str) -> Value {
    serde_json::json!({
        "key_id": key, "aliases": [format!("alias/{key}")], "instance": "default", "origin": "Aliyun_KMS",
        "rotation": "Disabled", "versions": 1, "usage": "self-managed", "operations": ["Encrypt"],
        "languages": ["Java"], "network": "vpc",
    })
}

/// Both orders of a member beside a list of the good key.
fn beside(name: &str, value: &str) -> [String; 3] {
    let good = good_object(K);
    [
        format!("{{\"keys\": [{good}],\n \"{name}\": {value}}}"),
        format!("{{\"{name}\": {value},\n \"keys\": [{good}]}}"),
        format!("{{\"{name}\": {value}, \"data\": [{good}],\n\"keys\": []}}"),
    ]
}

#[test]
fn records_beside_a_list_are_read_whatever_the_list_is_called() {
    for name in [
        "usage",
        "versions",
        "key_versions",
        "aliases",
        "operations",
        "applications",
        "services",
        "tags",
        "state",
        "rotation",
        "owner",
        "region",
        "languages",
        "other",
    ] {
        for text in beside(name, &format!("[{{\"key_id\": \"{K}\", \"operations\": [\"ReEncrypt\"]}}]")) {
            let ran = expect("keys.json", &text, 0, (2, 2, 0, 0), "");
            assert_eq!(ran.class(K), "blocked", "{text}");
        }
        for text in beside(name, &format!("[{}]", good_object(K2))) {
            let ran = expect("keys.json", &text, 0, (2, 2, 0, 0), "");
            assert_eq!((ran.class(K), ran.class(K2)), ("migratable", "migratable"), "{text}");
        }
    }
    let [behind, before, _] = beside("versions", &format!("[\n{{\"key_id\": \"{K2}\", \"rotation\": \"perhaps\"}}]"));
    expect("keys.json", behind, 3, (2, 1, 1, 0), "keys.json:3, ");
    expect("keys.json", before, 3, (2, 1, 1, 0), "keys.json:2, ");
}

#[test]
fn what_is_said_beside_a_list_is_never_lost() {
    // Of the key of the list.
    for (name, value) in [
        ("usage_by_key", format!("{{\"{K}\": {{\"operations\": [\"ReEncrypt\"]}}}}")),
        ("usage", format!("{{\"{K}\": [\"ReEncrypt\"]}}")),
        ("note", format!("\"Key {K} also uses ReEncrypt\"")),
        ("stale", format!("[\"{K}\"]")),
        ("other", format!("{{\"key_id\": \"{K}\"}}")),
        ("metadata", format!("{{\"last\": {{\"key_id\": \"{K}\"}}}}")),
        // Of all.
        ("operations", "[\"ReEncrypt\"]".to_owned()),
        ("operations", "[{\"name\": \"ReEncrypt\"}]".to_owned()),
        ("languages", "\"PHP\"".to_owned()),
        ("rotation", "\"Enabled\"".to_owned()),
        ("instance", "\"kst-1\"".to_owned()),
        ("resource", "\"secret\"".to_owned()),
        ("applications", "[{\"name\": \"x\", \"language\": \"PHP\"}]".to_owned()),
    ] {
        for text in beside(name, &value) {
            let says = format!("members beside the list of records are not used: {name}; write");
            let ran = expect("keys.json", &text, 3, (2, 1, 1, 0), &says);
            assert_eq!(ran.class(K), "undetermined", "{text}");
        }
    }
    // Of another.
    for (name, value) in [
        ("other", format!("{{\"key_id\": \"{K2}\"}}")),
        ("not_described", format!("[\"{K2}\"]")),
        ("not_described", "[\"key-hzz65f3a1b2\"]".to_owned()),
    ] {
        for text in beside(name, &value) {
            let ran = expect("keys.json", &text, 3, (2, 1, 1, 0), "members beside the list of records are not used");
            assert_eq!(ran.class(K), "migratable", "{text}");
        }
    }
    for text in beside("region", "\"cn-hangzhou\"") {
        let ran =
            expect("keys.json", &text, 0, (1, 1, 0, 0), "members beside the list of records are left out: region");
        assert_eq!(ran.class(K), "migratable", "{text}");
    }
}

#[test]
fn what_describes_a_list_is_no_news() {
    for (name, value) in [
        ("generated_at", "\"2026-11-01T00:00:00Z\"".to_owned()),
        ("RequestId", format!("\"{K2}\"")),
        ("run", format!("{{\"request_id\": \"{K2}\", \"n\": [1, {{}}]}}")),
        ("count", "1".to_owned()),
        ("metadata", format!("{{\"of\": \"{K2}\", \"id\": \"x\"}}")),
        ("columns", "[{\"name\": \"key_id\", \"data_type\": \"text\"}]".to_owned()),
        ("filters", format!("[{{\"Key\": \"ResourceId\", \"Value\": [\"{K2}\"]}}]")),
        ("operations", "null".to_owned()),
        ("languages", "[]".to_owned()),
        ("rotation", "\"unknown\"".to_owned()),
    ] {
        for text in beside(name, &value) {
            let ran = expect("keys.json", &text, 0, (1, 1, 0, 0), "");
            assert!(!ran.err.contains("beside"), "{text}: {}", ran.err);
            assert_eq!(ran.class(K), "migratable", "{text}");
        }
    }
}

#[test]
fn what_is_said_of_all_keys_counts_however_long_the_list_is_and_wherever_it_breaks() {
    let key = |number: usize| format!("0f5a1111-2222-4333-8444-{number:012}");
    let many: Vec<String> = (0..3000).map(|number| good_object(&key(number)).to_string()).collect();
    let list = many.join(",\n");
    assert!(list.len() > 3 << 18);
    let text = format!("{{\"operations\": [\"ReEncrypt\"], \"keys\": [{list}]}}");
    let folder = folder();
    for text in [text, format!("{{\"keys\": [{list}], \"operations\": [\"ReEncrypt\"]}}")] {
        put(&folder, "keys.json", &text);
        let ran = run_in(folder.path(), &["keys.json"], std::io::empty());
        assert!(ran.code == 4 && ran.err.contains("operations; write them into each record"), "{}", ran.err);
    }
    let good = good_object(K);
    for text in [
        format!("{{\"operations\": [\"ReEncrypt\"], \"keys\": [{good}, {{\"key_id\": "),
        format!("{{\"operations\": [\"ReEncrypt\"], \"keys\": [{good}]]"),
        format!("{{\"keys\": [{good}], \"operations\": [\"ReEncr"),
        format!("{{\"keys\": [{good}], \"operations\": ReEncrypt}}"),
    ] {
        put(&folder, "keys.json", &text);
        let ran = run_in(folder.path(), &["keys.json"], std::io::empty());
        assert_eq!((ran.code, ran.class(K)), (3, "undetermined"), "{text}: {}", ran.err);
    }
    put(&folder, "keys.json", format!("{{\"count\": 1, \"keys\": [{good}"));
    let ran = run_in(folder.path(), &["keys.json"], std::io::empty());
    assert_eq!((ran.code, ran.class(K)), (3, "migratable"), "{}", ran.err);
}

#[test]
fn an_object_in_a_member_of_texts_is_rejected() {
    for (name, value) in [
        ("applications", "[{\"name\": \"x\", \"operations\": [\"ReEncrypt\"]}]"),
        ("applications", "[\"x\", [\"y\"]]"),
        ("services", "{\"name\": \"oss\"}"),
        ("owner", "{\"name\": \"x\", \"language\": \"PHP\"}"),
        ("languages", "[\"Java\", \"\"]"),
        ("languages", "[\"Java\", \" \"]"),
        ("languages", "[\"Java\", null]"),
        ("operations", "[\"\", \"Encrypt\"]"),
    ] {
        let mut object = good_object(K);
        object[name] = serde_json::from_str(value).unwrap();
        let both = format!("[{},{object}]", good_object(K));
        let ran = expect("keys.json", both, 3, (2, 1, 1, 0), name);
        assert_eq!(ran.class(K), "undetermined", "{name} {value}");
    }
    let cell = "\"[{\"\"name\"\": \"\"x\"\"}]\"";
    let table = format!("{},applications\n{},{cell}\n", HEADER.trim_end(), good(K).trim_end());
    expect("keys.csv", table, 4, (1, 0, 1, 0), "what stands inside an object is not used");
}

#[test]
fn a_row_above_the_header_line_that_names_a_key_is_no_title() {
    let table = format!("{HEADER}{}", good(K));
    for (above, count) in [
        (format!("Note: {K} also uses ReEncrypt\n"), 1),
        (format!("Keys\n\nNote, {},x\n{K2}\n", K.to_uppercase()), 2),
        (format!("key_id,versions\n{K},2\n\n"), 1),
    ] {
        let ran = expect("keys.csv", format!("{above}{table}"), 3, (1 + count, 1, count, 0), "names a key: `");
        assert_eq!(ran.class(K), "undetermined", "{above}: {}", ran.err);
        let line = 1 + above.lines().position(|line| line.to_lowercase().contains(K)).unwrap();
        assert!(ran.err.contains(&format!("keys.csv:{line}: stands above the header line (line ")), "{}", ran.err);
    }
    let ran =
        expect("keys.csv", format!("Keys of 2026\n{K2}\n{table}"), 3, (2, 1, 1, 0), "1 row above the header line");
    assert_eq!(ran.class(K), "migratable");
    expect("keys.csv", format!("{K2}\n{HEADER}"), 4, (1, 0, 1, 0), "names a key");
}

#[test]
fn lines_may_be_objects_around_lists() {
    let (good, other) = (good_object(K), good_object(K2));
    let lines = format!("{{\"keys\": [{good}]}}\n{{\"page\": 2, \"keys\": [{other}], \"languages\": \"PHP\"}}\n");
    for name in ["keys.jsonl", "keys.ndjson"] {
        let ran = expect_one(name, &lines, 3, (3, 2, 1, 0), "keys.NAME:2: ".replace("NAME", &name[5..]).as_str());
        assert_eq!((ran.class(K), ran.class(K2)), ("migratable", "undetermined"), "{}", ran.err);
    }
    let finding = serde_json::json!({ "key_id": K, "resources": [{ "key_id": K2 }] });
    let ran = expect_one("keys.jsonl", format!("{finding}\n{good}\n"), 0, (2, 2, 0, 0), "");
    assert_eq!(ran.keys(), [K], "what stands in a record is none");
}

/// The same without a pipe, through which nothing has a name.
fn expect_one(name: &str, content: impl AsRef<[u8]>, code: i32, account: Account, says: &str) -> Ran {
    let folder = folder();
    put(&folder, name, &content);
    let ran = run_in(folder.path(), &[name], std::io::empty());
    assert_eq!((ran.code, ran.account()), (code, account), "{name}: {}", ran.err);
    assert!(ran.err.contains(says), "{name}: {}", ran.err);
    ran
}

/// What a filter leaves where a reply was none.
#[test]
fn elements_that_are_no_objects_are_rejected_one_by_one() {
    let key = |id: &str| format!("{{\"KeyId\": \"{id}\", \"Origin\": \"EXTERNAL\"}}");
    let (one, two) = (key("k1"), key("k2"));
    for scalar in ["null", "12", "true", "\"none, \\\"or\\\" ]\"", "-1.5e3"] {
        let says = "keys.json:2, column element";
        expect("keys.json", format!("[{one},\n{scalar},\n{two}]"), 3, (3, 2, 1, 0), says);
        expect("keys.json", format!("{{\"keys\": [{one},\n{scalar}, {two}]}}"), 3, (3, 2, 1, 0), says);
    }
    expect("keys.json", format!("[{one},\nnone, {two}]"), 3, (2, 1, 1, 0), "nothing from here to the end");
    let bytes = format!("\u{feff}{one}\n\u{feff}{two}\n");
    expect("keys.json", &bytes, 0, (2, 2, 0, 0), "");
    expect("keys.jsonl", &bytes, 0, (2, 2, 0, 0), "");
    expect("keys.json", format!("\u{feff}[{one}]\n\u{feff}[{two}]\n"), 0, (2, 2, 0, 0), "");
}

/// The id of a key may stand partly in what was read when the input turned out to be broken, and partly behind it.
#[test]
fn keys_are_tainted_wherever_the_rest_of_a_broken_input_was_cut() {
    for before in (0..60).map(|at| 65_480 + at) {
        let broken = format!("[oops{}\"{K}\"]", " ".repeat(before));
        let folder = folder();
        put(&folder, "good.json", good_object(K).to_string());
        put(&folder, "broken.json", broken);
        let ran = run_in(folder.path(), &["good.json", "broken.json"], std::io::empty());
        assert_eq!(ran.class(K), "undetermined", "{before}");
    }
}

/// Old spreadsheets end lines by a carriage return alone.
#[test]
fn lines_that_end_in_a_carriage_return_have_numbers() {
    let table = "key_id,versions\rk1,1\rk2,x\rk3,y\r";
    let ran = expect("old.csv", table, 3, (3, 1, 2, 0), "old.csv:3, column versions");
    assert!(ran.err.contains("old.csv:4, column versions"), "{}", ran.err);
}
