//! Properties of random inputs: how an inventory is written down does not change what is said about its
//! keys, and no bytes whatever make the program panic.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails says where")]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use proptest::prelude::*;
use proptest::sample::select;
use tempfile::TempDir;

/// So many cases of each property; each case runs the program several times, for about 10 ms.
fn cases(count: u32) -> ProptestConfig {
    ProptestConfig { failure_persistence: None, max_shrink_iters: 300, ..ProptestConfig::with_cases(count) }
}

fn run(folder: &Path, arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_cmkdiag"))
        .args(arguments)
        .env_clear()
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // A program that ends before it has read everything is no failure of the writer.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

// ---------------------------------------------------------------------------------------------------
// Random inventories.

/// A table of texts.
#[derive(Debug, Clone)]
struct Table {
    header: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

/// The columns, with words that may stand in them. Some are not understood, on purpose.
const WORDS: [(&str, &[&str]); 15] = [
    ("key_id", &["k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7", "k8", "k9", "acs:kms:r:1:key/k0"]),
    ("account_id", &["", "", "", "1", "2"]),
    ("aliases", &["", "unknown", "none", "alias/a", "alias/acs/oss", "alias/a;alias/b", "alias/ACS/x", "a, \"b\"\nc"]),
    ("instance", &["", "default", "default", "kst-hzz1", "N/A"]),
    ("manager_type", &["", "", "service", "customer"]),
    ("origin", &["", "Aliyun_KMS", "Aliyun_KMS", "EXTERNAL", "未知"]),
    ("rotation", &["", "Enabled", "Disabled", "Disabled", "Suspended", "perhaps"]),
    ("versions", &["", "1", "1", "1", "3", "0"]),
    ("usage", &["", "self-managed", "server-side", "both", "none"]),
    ("operations", &["", "none", "Encrypt;Decrypt", "ReEncrypt", "Encrypt,Decrypt", "Frobnicate"]),
    ("languages", &["", "none", "Java", "PHP", "Java;Go", "Java 17|Node.js"]),
    ("network", &["", "none", "vpc", "vpc-abc;vpc", "idc"]),
    ("next_rotation", &["", "", "2027-01-01T00:00:00Z", "2027-02-28"]),
    ("owner", &["", "team, \"A\"", "团队"]),
    ("remark", &["", "plain", "a, b", "a; b", "a|b", "a\tb", "say \"hi\"", "two\nlines", "three\n\n\"lines\"\n"]),
];

fn row() -> impl Strategy<Value = Vec<String>> {
    let cells: Vec<_> = WORDS.iter().map(|(_, words)| select(*words).prop_map(str::to_owned)).collect();
    cells
}

fn inventory() -> impl Strategy<Value = Table> {
    prop::collection::vec(row(), 1..24).prop_map(|mut rows| {
        // Now and then a record stands there twice.
        for index in 0..rows.len() / 5 {
            rows.push(rows[index * 3 % rows.len()].clone());
        }
        Table { header: WORDS.iter().map(|(name, _)| *name).collect(), rows }
    })
}

/// How a table is written down.
#[derive(Clone, Copy)]
struct Style {
    delimiter: u8,
    crlf: bool,
    quote_all: bool,
}

const PLAIN: Style = Style { delimiter: b',', crlf: false, quote_all: false };

impl Table {
    fn csv(&self, style: Style) -> Vec<u8> {
        let mut writer = csv::WriterBuilder::new()
            .delimiter(style.delimiter)
            .terminator(if style.crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') })
            .quote_style(if style.quote_all { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary })
            .from_writer(Vec::new());
        writer.write_record(&self.header).unwrap();
        for row in &self.rows {
            writer.write_record(row).unwrap();
        }
        writer.into_inner().unwrap()
    }

    /// The columns in the order that the keys give.
    fn with_columns_by(&self, keys: &[u32]) -> Table {
        let mut order: Vec<usize> = (0..self.header.len()).collect();
        order.sort_by_key(|index| keys[*index]);
        Table {
            header: order.iter().map(|index| self.header[*index]).collect(),
            rows: self.rows.iter().map(|row| order.iter().map(|index| row[*index].clone()).collect()).collect(),
        }
    }

    fn with_rows_by(&self, keys: &[u32]) -> Table {
        let mut order: Vec<usize> = (0..self.rows.len()).collect();
        order.sort_by_key(|index| keys[*index % keys.len()].wrapping_mul(*index as u32 + 1));
        let rows = order.iter().map(|index| self.rows[*index].clone()).collect();
        Table { header: self.header.clone(), rows }
    }

    /// The records as objects: in JSON `null` is unknown and `[]` none, but a blank cell of aliases says
    /// that there is none.
    fn objects(&self) -> Vec<serde_json::Value> {
        let lists = ["aliases", "operations", "languages", "network"];
        let value = |name: &str, cell: &str| match (name, cell) {
            ("aliases", "") => serde_json::json!([]),
            (_, "") => serde_json::Value::Null,
            ("versions", number) => serde_json::json!(number.parse::<u64>().unwrap()),
            (name, "none") if lists.contains(&name) => serde_json::json!([]),
            (name, "unknown" | "N/A" | "未知") if lists.contains(&name) => serde_json::Value::Null,
            (name, cell) if lists.contains(&name) => {
                serde_json::json!(cell.split([';', ',', '|', '\n']).map(str::trim).collect::<Vec<_>>())
            }
            (_, cell) => serde_json::json!(cell),
        };
        let object = |row: &Vec<String>| {
            let members = self.header.iter().zip(row);
            members
                .map(|(name, cell)| ((*name).to_owned(), value(name, cell)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        };
        self.rows.iter().map(object).collect()
    }
}

/// What is said of each key, by id, account and region.
type Verdicts = BTreeMap<[String; 3], Vec<String>>;

/// What a run said: the verdicts, and how many records were rejected and read.
#[derive(Debug, PartialEq, Clone)]
struct Said {
    verdicts: Verdicts,
    rejected: u64,
    read: u64,
}

/// The columns that name the key, and those that name files and lines. The others depend on the facts alone.
const NOT_COMPARED: [&str; 6] = ["key_id", "account_id", "region", "aliases", "conflicts", "origins"];

fn said(output: &Output) -> Said {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(matches!(output.status.code(), Some(0 | 3 | 4)), "{err}");
    let mut verdicts = Verdicts::new();
    let mut reader = csv::Reader::from_reader(out.as_bytes());
    for row in reader.deserialize() {
        let row: BTreeMap<String, String> = row.unwrap();
        let key = ["key_id", "account_id", "region"].map(|name| row[name].clone());
        let compared = row.iter().filter(|(name, _)| !NOT_COMPARED.contains(&name.as_str()));
        let mut cells: Vec<String> = compared.map(|(_, cell)| cell.clone()).collect();
        let mut aliases: Vec<&str> = row["aliases"].split("; ").collect();
        aliases.sort_unstable();
        cells.push(aliases.join("; "));
        assert!(verdicts.insert(key, cells).is_none(), "a key twice: {row:?}");
    }
    let line = err.lines().find(|line| line.contains("records read =")).unwrap_or_else(|| panic!("{err}"));
    let numbers: Vec<u64> = line.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect();
    assert_eq!(numbers[0], numbers[1] + numbers[3] + numbers[4], "{line}");
    assert_eq!(numbers[2], verdicts.len() as u64, "{line}");
    Said { verdicts, rejected: numbers[3], read: numbers[0] }
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Diagnoses some files, by name and content.
fn diagnose(files: &[(&str, &[u8])], more: &[&str]) -> Said {
    let folder = folder();
    let mut arguments = vec!["diagnose", "--format", "csv"];
    arguments.extend(more);
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content).unwrap();
        arguments.push(name);
    }
    said(&run(folder.path(), &arguments, b""))
}

proptest! {
    #![proptest_config(cases(40))]

    #[test]
    fn how_a_table_is_written_down_does_not_matter(
        table in inventory(),
        columns in prop::collection::vec(any::<u32>(), WORDS.len()),
        rows in prop::collection::vec(any::<u32>(), 32),
    ) {
        let plain = table.csv(PLAIN);
        let expected = diagnose(&[("plain.csv", &plain)], &[]);
        prop_assert_eq!(expected.read, table.rows.len() as u64);

        let moved = table.with_columns_by(&columns).csv(PLAIN);
        prop_assert_eq!(&diagnose(&[("columns.csv", &moved)], &[]), &expected, "order of columns");
        let moved = table.with_rows_by(&rows).csv(PLAIN);
        prop_assert_eq!(&diagnose(&[("rows.csv", &moved)], &[]), &expected, "order of rows");
        let marked = [b"\xef\xbb\xbf".as_slice(), &plain].concat();
        prop_assert_eq!(&diagnose(&[("bom.csv", &marked)], &[]), &expected, "byte order mark");
        for delimiter in [b',', b';', b'\t', b'|'] {
            for (crlf, quote_all) in [(false, true), (true, false), (true, true)] {
                let style = Style { delimiter, crlf, quote_all };
                let text = table.csv(style);
                let name = format!("{:?} crlf {crlf} quoted {quote_all}", char::from(delimiter));
                prop_assert_eq!(&diagnose(&[("style.csv", &text)], &[]), &expected, "{}", name);
            }
        }
        let open_end = plain.strip_suffix(b"\n").unwrap();
        prop_assert_eq!(&diagnose(&[("end.csv", open_end)], &[]), &expected, "no line end at the end");
        let tsv = table.csv(Style { delimiter: b'\t', ..PLAIN });
        prop_assert_eq!(&diagnose(&[("keys.txt", &tsv)], &["--input-format", "tsv"]), &expected, "as TSV");
    }

    #[test]
    fn how_many_files_and_threads_there_are_does_not_matter(table in inventory(), at in any::<prop::sample::Index>()) {
        let whole = table.csv(PLAIN);
        let expected = diagnose(&[("whole.csv", &whole)], &["--jobs", "1"]);
        prop_assert_eq!(&diagnose(&[("whole.csv", &whole)], &["--jobs", "3"]), &expected, "threads");
        let (first, second) = table.rows.split_at(at.index(table.rows.len()));
        let part = |rows: &[Vec<String>]| Table { header: table.header.clone(), rows: rows.to_vec() };
        let (first, second) = (part(first), part(second));
        let parts = [first.csv(PLAIN), second.csv(PLAIN)];
        let both: [(&str, &[u8]); 2] = [("1.csv", &parts[0]), ("2.csv", &parts[1])];
        prop_assert_eq!(&diagnose(&both, &["--jobs", "2"]), &expected, "two files");
        // Written differently, a record is no longer an exact duplicate, but says the same.
        let styled = second.csv(Style { delimiter: b';', crlf: true, quote_all: true });
        let both: [(&str, &[u8]); 2] = [("1.csv", &parts[0]), ("2.csv", &styled)];
        let said = diagnose(&both, &["--jobs", "2"]);
        prop_assert_eq!((&said.verdicts, said.read), (&expected.verdicts, expected.read), "two styles");
    }

    #[test]
    fn table_json_and_json_lines_agree(table in inventory()) {
        let objects = table.objects();
        let json = serde_json::to_vec_pretty(&objects).unwrap();
        let lines: String = objects.iter().map(|object| format!("{object}\n")).collect();
        let of_json = diagnose(&[("keys.json", &json)], &[]);
        let of_csv = diagnose(&[("keys.csv", &table.csv(PLAIN))], &[]);
        prop_assert_eq!(&of_json.verdicts, &of_csv.verdicts);
        prop_assert_eq!(of_json.rejected, of_csv.rejected);
        prop_assert_eq!(&diagnose(&[("keys.jsonl", lines.as_bytes())], &[]), &of_json, "lines");
        prop_assert_eq!(&diagnose(&[("keys", lines.as_bytes())], &["--input-format", "jsonl"]), &of_json, "lines by name");
    }
}

proptest! {
    #![proptest_config(cases(20))]

    #[test]
    fn an_object_that_wraps_the_records_is_no_record(table in inventory()) {
        let objects = table.objects();
        let expected = diagnose(&[("keys.json", &serde_json::to_vec(&objects).unwrap())], &[]);
        for wrapped in [
            serde_json::json!({ "Keys": objects }),
            serde_json::json!({ "RequestId": "x", "Keys": objects }),
            serde_json::json!({ "Keys": objects, "RequestId": "x" }),
        ] {
            for text in [serde_json::to_vec(&wrapped).unwrap(), serde_json::to_vec_pretty(&wrapped).unwrap()] {
                prop_assert_eq!(&diagnose(&[("keys.json", &text)], &[]), &expected);
            }
        }
    }
}

// ---------------------------------------------------------------------------------------------------
// The same facts in the forms of other tools.

/// What is known of a key, in the words of the API; the number is its position.
#[derive(Debug, Clone)]
struct Key {
    number: usize,
    region: &'static str,
    aliases: Vec<&'static str>,
    instance: &'static str,
    origin: &'static str,
    rotation: &'static str,
    versions: usize,
    spec: &'static str,
    state: &'static str,
}

fn key() -> impl Strategy<Value = Key> {
    (
        select(vec!["cn-hangzhou", "cn-shanghai"]),
        select(vec![
            vec![],
            vec!["alias/a"],
            vec!["alias/acs/oss"],
            vec!["alias/ACS/oss"],
            vec!["alias/b", "alias/c"],
            vec!["alias/acs/ecs", "alias/d"],
        ]),
        select(vec!["", "", "kst-hzz1"]),
        select(vec!["Aliyun_KMS", "Aliyun_KMS", "EXTERNAL"]),
        select(vec!["Disabled", "Disabled", "Enabled", "Suspended"]),
        select(vec![1, 1, 1, 2, 12]),
        select(vec!["Aliyun_AES_256", "Aliyun_SM4", "RSA_2048"]),
        select(vec!["Enabled", "Disabled", "PendingDeletion"]),
    )
        .prop_map(|(region, aliases, instance, origin, rotation, versions, spec, state)| Key {
            number: 0,
            region,
            aliases,
            instance,
            origin,
            rotation,
            versions,
            spec,
            state,
        })
}

fn some_keys() -> impl Strategy<Value = Vec<Key>> {
    prop::collection::vec(key(), 1..12).prop_map(|mut keys| {
        keys.iter_mut().enumerate().for_each(|(number, key)| key.number = number);
        keys
    })
}

const REGIONS: [&str; 2] = ["cn-hangzhou", "cn-shanghai"];

impl Key {
    fn id(&self) -> String {
        format!("00000000-0000-4000-8000-{:012}", self.number)
    }

    /// The name of an alias belongs to one key, unless it is that of a service.
    fn alias_names(&self) -> Vec<String> {
        self.aliases.iter().map(|alias| format!("{alias}{}", self.number)).collect()
    }

    fn arn(&self) -> String {
        format!("acs:kms:{}:1234567890123456:key/{}", self.region, self.id())
    }

    /// The record in the words of inventories, by column.
    fn record(&self) -> [(&'static str, String); 10] {
        let instance = if self.instance.is_empty() { "default" } else { self.instance };
        [
            ("key_id", self.id()),
            ("account_id", "1234567890123456".to_owned()),
            ("region", self.region.to_owned()),
            ("aliases", self.aliases.join(";")),
            ("instance", instance.to_owned()),
            ("origin", self.origin.to_owned()),
            ("rotation", self.rotation.to_owned()),
            ("versions", self.versions.to_string()),
            ("key_spec", self.spec.to_owned()),
            ("state", self.state.to_owned()),
        ]
    }

    fn metadata(&self) -> serde_json::Value {
        serde_json::json!({
            "KeyId": self.id(), "Arn": self.arn(), "CreationDate": "2021-05-20T06:34:21Z", "KeyState": self.state,
            "KeySpec": self.spec, "Origin": self.origin, "AutomaticRotation": self.rotation,
            "DKMSInstanceId": self.instance,
        })
    }

    fn list_versions(&self) -> serde_json::Value {
        let version = |at: usize| serde_json::json!({"KeyId": self.id(), "KeyVersionId": format!("v{at}")});
        // Only the first page; the number stands beside it.
        let page: Vec<_> = (0..self.versions.min(10)).map(version).collect();
        serde_json::json!({"KeyVersions": {"KeyVersion": page}, "TotalCount": self.versions, "RequestId": "x"})
    }
}

/// The replies of the API about the keys: those of one region, then the other.
fn replies(keys: &[Key]) -> Vec<serde_json::Value> {
    let mut all = Vec::new();
    for region in REGIONS {
        let of_region = || keys.iter().filter(|key| key.region == region);
        let list: Vec<_> = of_region().map(|key| serde_json::json!({"KeyId": key.id(), "KeyArn": key.arn()})).collect();
        all.push(serde_json::json!({"Keys": {"Key": list}, "TotalCount": list.len(), "RequestId": "x"}));
        let alias = |key: &Key, at: usize| {
            // The name of an alias belongs to one key, unless it is that of a service.
            let name = format!("{}{}", key.aliases[at], key.number);
            let arn = format!("acs:kms:{region}:1234567890123456:{name}");
            serde_json::json!({"KeyId": key.id(), "AliasName": name, "AliasArn": arn})
        };
        let aliases: Vec<_> =
            of_region().flat_map(|key| (0..key.aliases.len()).map(move |at| alias(key, at))).collect();
        // A list whose aliases are all of one key may be that of the key; and one without any does not tell its region.
        let other = |name: &str| {
            serde_json::json!({"KeyId": name, "AliasName": format!("alias/{name}"),
                "AliasArn": format!("acs:kms:{region}:1234567890123456:alias/{name}")})
        };
        let aliases = [aliases, vec![other("other-1"), other("other-2")]].concat();
        all.push(serde_json::json!({"Aliases": {"Alias": aliases}, "TotalCount": aliases.len(), "RequestId": "x"}));
        all.extend(of_region().map(|key| serde_json::json!({"KeyMetadata": key.metadata(), "RequestId": "x"})));
        all.extend(of_region().map(Key::list_versions));
    }
    all
}

/// The keys as a state of Terraform, which does not tell the number of versions.
fn terraform(keys: &[Key]) -> serde_json::Value {
    let mut resources = Vec::new();
    for key in keys {
        let resource = |kind: &str, name: String, attributes: serde_json::Value| {
            serde_json::json!({"mode": "managed", "type": kind, "name": name,
                "instances": [{"schema_version": 0, "attributes": attributes}]})
        };
        resources.push(resource(
            "alicloud_kms_key",
            format!("k{}", key.number),
            serde_json::json!({"id": key.id(), "arn": key.arn(), "origin": key.origin, "key_spec": key.spec,
                "automatic_rotation": key.rotation, "dkms_instance_id": key.instance, "status": key.state}),
        ));
        for (at, alias) in key.aliases.iter().enumerate() {
            let name = format!("{alias}{}", key.number);
            let attributes = serde_json::json!({"id": name, "alias_name": name, "key_id": key.id()});
            resources.push(resource("alicloud_kms_alias", format!("a{}_{at}", key.number), attributes));
        }
    }
    serde_json::json!({"version": 4, "terraform_version": "1.13.1", "serial": 1, "lineage": "x", "resources": resources})
}

/// The keys as a table, without what stands in some columns. A source that tells aliases may not tell that there is none.
fn table(keys: &[Key], left_out: &[&str], style: Style) -> Table {
    let mut table = Table { header: keys[0].record().map(|(name, _)| name).to_vec(), rows: Vec::new() };
    for key in keys {
        let names = key.alias_names();
        let cell = |(name, text): (&str, String)| match name {
            "aliases" if left_out.contains(&"aliases") || left_out.contains(&"no aliases") && names.is_empty() => {
                "unknown".to_owned()
            }
            "aliases" => names.join(if style.delimiter == b';' { "|" } else { ";" }),
            name if left_out.contains(&name) => String::new(),
            _ => text,
        };
        table.rows.push(key.record().into_iter().map(cell).collect());
    }
    table
}

/// What is said of each key that does not depend on the words of the form: class, conditions, gaps, findings.
fn verdicts(files: &[(&str, &[u8])]) -> BTreeMap<String, String> {
    let folder = folder();
    let mut arguments = vec!["diagnose", "--format", "json"];
    for (name, content) in files {
        // Files of a folder are named by the folder.
        let named = name.split_once('/').map_or(*name, |(folder, _)| folder);
        if named != *name {
            std::fs::create_dir_all(folder.path().join(named)).unwrap();
        }
        std::fs::write(folder.path().join(name), content).unwrap();
        if !arguments.contains(&named) {
            arguments.push(named);
        }
    }
    let output = run(folder.path(), &arguments, b"");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let names = |list: &serde_json::Value, name: &str| -> Vec<String> {
        list.as_array().unwrap().iter().map(|each| each[name].to_string()).collect()
    };
    let keys =
        said["keys"].as_array().unwrap().iter().filter(|key| !key["key_id"].as_str().unwrap().starts_with("other"));
    keys.map(|key| {
        let parts = [names(&key["conditions"], "fact"), names(&key["gaps"], "fact"), names(&key["findings"], "rule")];
        let scope = [&key["account_id"], &key["region"], &key["class"], &key["confirmed"], &key["possible"]];
        (key["key_id"].to_string(), format!("{scope:?} {parts:?}"))
    })
    .collect()
}

proptest! {
    #![proptest_config(cases(40))]

    #[test]
    fn the_same_facts_give_the_same_verdicts_in_every_form(
        keys in some_keys(),
        columns in prop::collection::vec(any::<u32>(), 10),
        order in any::<u32>(),
    ) {
        let csv = |keys: &[Key], left_out: &[&str], style: Style| table(keys, left_out, style).with_columns_by(&columns).csv(style);
        let expected = verdicts(&[("keys.csv", &csv(&keys, &[], PLAIN))]);
        prop_assert_eq!(expected.len(), keys.len());
        for delimiter in [b',', b';', b'\t', b'|'] {
            let style = Style { delimiter, crlf: delimiter == b'|', quote_all: delimiter != b',' };
            prop_assert_eq!(&verdicts(&[("keys.csv", &csv(&keys, &[], style))]), &expected, "{}", char::from(delimiter));
        }
        let objects: Vec<serde_json::Value> = keys.iter().map(|key| {
            let members = key.record().into_iter().map(|(name, text)| match name {
                "aliases" => {
                    let names = key.aliases.iter().map(|alias| format!("{alias}{}", key.number));
                    (name.to_owned(), names.collect::<Vec<_>>().into())
                }
                "versions" => (name.to_owned(), key.versions.into()),
                name => (name.to_owned(), text.into()),
            });
            members.collect::<serde_json::Map<_, _>>().into()
        }).collect();
        prop_assert_eq!(&verdicts(&[("keys.json", &serde_json::to_vec(&objects).unwrap())]), &expected, "JSON");
        let one_a_line = |values: &[serde_json::Value]| values.iter().map(|value| format!("{value}\n")).collect::<String>();
        prop_assert_eq!(&verdicts(&[("keys.jsonl", one_a_line(&objects).as_bytes())]), &expected, "JSON Lines");

        let mut all = replies(&keys);
        prop_assert_eq!(&verdicts(&[("api.jsonl", one_a_line(&all).as_bytes())]), &expected, "replies, one a line");
        let at = order as usize % all.len();
        all.rotate_left(at);
        prop_assert_eq!(&verdicts(&[("api.json", &serde_json::to_vec_pretty(&all).unwrap())]), &expected, "replies");
        let (first, second) = all.split_at(at);
        let files = [("1.jsonl", one_a_line(second)), ("2.jsonl", one_a_line(first))];
        let files: Vec<(&str, &[u8])> = files.iter().map(|(name, text)| (*name, text.as_bytes())).filter(|(_, text)| !text.is_empty()).collect();
        prop_assert_eq!(&verdicts(&files), &expected, "replies in two files");

        // Neither the number of versions, nor that there is no alias. Imported material and service keys have one version.
        let part = verdicts(&[("keys.csv", &csv(&keys, &["versions", "no aliases"], PLAIN))]);
        let state = terraform(&keys).to_string();
        prop_assert_eq!(&verdicts(&[("terraform.tfstate", state.as_bytes())]), &part, "Terraform");
    }
}

// ---------------------------------------------------------------------------------------------------
// The same facts in other encodings and from other sources.

/// A table as a Chinese list of keys calls its columns and values.
fn in_chinese(table: &Table) -> Table {
    let column = |name: &&'static str| match *name {
        "key_id" => "密钥ID",
        "account_id" => "账号ID",
        "region" => "地域",
        "aliases" => "别名",
        "instance" => "KMS实例",
        "origin" => "密钥材料来源",
        "rotation" => "轮转状态",
        "versions" => "密钥版本数",
        "key_spec" => "密钥规格",
        "state" => "密钥状态",
        other => other,
    };
    let value = |column: &str, cell: &String| match (column, cell.as_str()) {
        ("instance", "default") => "默认实例".to_owned(),
        ("origin", "EXTERNAL") => "外部".to_owned(),
        ("origin", "Aliyun_KMS") => "阿里云KMS".to_owned(),
        ("rotation", "Enabled") => "已开启".to_owned(),
        ("rotation", "Disabled") => "未开启".to_owned(),
        ("state", "Disabled") => "已禁用".to_owned(),
        ("state", "PendingDeletion") => "待删除".to_owned(),
        (_, cell) => cell.to_owned(),
    };
    Table {
        header: table.header.iter().map(column).collect(),
        rows: table
            .rows
            .iter()
            .map(|row| table.header.iter().zip(row).map(|(name, cell)| value(name, cell)).collect())
            .collect(),
    }
}

/// A text in every encoding and wrapping.
fn encodings(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let marked = format!("\u{feff}{text}");
    let utf_16 = |text: &str, bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    vec![
        ("UTF-8", text.as_bytes().to_vec()),
        ("UTF-8 with a mark", marked.as_bytes().to_vec()),
        ("UTF-16LE", utf_16(text, u16::to_le_bytes)),
        ("UTF-16LE with a mark", utf_16(&marked, u16::to_le_bytes)),
        ("UTF-16BE", utf_16(text, u16::to_be_bytes)),
        ("UTF-16BE with a mark", utf_16(&marked, u16::to_be_bytes)),
        ("GB18030", encoding_rs::GB18030.encode(text).0.into_owned()),
        ("gzip", gzip.finish().unwrap()),
        ("zstd", ruzstd::encoding::compress_to_vec(text.as_bytes(), ruzstd::encoding::CompressionLevel::Fastest)),
    ]
}

fn renamed(value: &serde_json::Value, rename: fn(&str) -> String) -> serde_json::Value {
    match value {
        serde_json::Value::Object(members) => {
            let members = members.iter().map(|(name, value)| (rename(name), renamed(value, rename)));
            members.collect::<serde_json::Map<_, _>>().into()
        }
        serde_json::Value::Array(values) => values.iter().map(|value| renamed(value, rename)).collect(),
        other => other.clone(),
    }
}

fn camel(name: &str) -> String {
    name.chars().take(1).flat_map(char::to_lowercase).chain(name.chars().skip(1)).collect()
}

fn snake(name: &str) -> String {
    let mut out = String::new();
    for c in name.replace("DKMS", "Dkms").chars() {
        if c.is_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

/// Lists of keys and aliases are of a region each; the other replies are about a key each.
fn is_about_one_key(reply: &serde_json::Value) -> bool {
    reply.get("KeyMetadata").is_some()
}

proptest! {
    #![proptest_config(cases(12))]

    #[test]
    fn neither_encodings_nor_languages_matter(keys in some_keys(), columns in prop::collection::vec(any::<u32>(), 10)) {
        let table = table(&keys, &[], PLAIN).with_columns_by(&columns);
        let expected = verdicts(&[("keys.csv", &table.csv(PLAIN))]);
        for (language, table) in [("English", table.clone()), ("Chinese", in_chinese(&table))] {
            let text = String::from_utf8(table.csv(PLAIN)).unwrap();
            for (name, bytes) in encodings(&text) {
                prop_assert_eq!(&verdicts(&[("keys.csv", &bytes)]), &expected, "{} in {}", language, name);
            }
        }
    }

    #[test]
    fn how_replies_are_put_together_does_not_matter(keys in some_keys(), order in prop::collection::vec(any::<u32>(), 64)) {
        let expected = verdicts(&[("keys.csv", &table(&keys, &[], PLAIN).csv(PLAIN))]);
        let mut all = replies(&keys);
        let mut by: Vec<(u32, serde_json::Value)> = order.iter().copied().chain(0..).zip(all).collect();
        by.sort_by_key(|(number, _)| *number);
        all = by.into_iter().map(|(_, reply)| reply).collect();
        let lines = |all: &[serde_json::Value]| all.iter().map(|reply| format!("{reply}\n")).collect::<String>();
        let rename = |rename: fn(&str) -> String| all.iter().map(|reply| renamed(reply, rename)).collect::<Vec<_>>();
        let (about_one, lists): (Vec<_>, Vec<_>) = all.iter().cloned().partition(is_about_one_key);
        let by_key: serde_json::Map<String, serde_json::Value> = about_one
            .into_iter()
            .map(|reply| (reply["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned(), reply))
            .collect();
        let shapes = [
            ("one a line", lines(&all)),
            ("camel case", lines(&rename(camel))),
            ("snake case", lines(&rename(snake))),
            ("concatenated", all.iter().map(|reply| format!("{reply:#}")).collect()),
            ("an array", serde_json::Value::Array(all.clone()).to_string()),
            ("under the ids of keys", format!("{}\n{}", lines(&lists), serde_json::Value::Object(by_key))),
        ];
        for (name, text) in &shapes {
            prop_assert_eq!(&verdicts(&[("api.json", text.as_bytes())]), &expected, "{}", name);
        }
        let names: Vec<String> = (0..all.len()).map(|number| format!("api/{number}.json")).collect();
        let contents: Vec<String> = all.iter().map(|reply| format!("{reply:#}")).collect();
        let files: Vec<(&str, &[u8])> =
            names.iter().zip(&contents).map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
        prop_assert_eq!(&verdicts(&files), &expected, "a folder with a file each");
    }

    /// What a source does not carry is unknown, and nothing else is said of it.
    #[test]
    fn the_same_facts_give_the_same_verdicts_from_every_source(keys in some_keys(), at in any::<prop::sample::Index>()) {
        let without = |left_out: &[&str]| verdicts(&[("keys.csv", &table(&keys, left_out, PLAIN).csv(PLAIN))]);
        let json = |value: &serde_json::Value| verdicts(&[("source.json", value.to_string().as_bytes())]);

        let expected = without(&["instance", "versions"]);
        let rows: Vec<serde_json::Value> = keys.iter().map(|key| {
            let alias = |name: String| serde_json::json!({"AliasName": name, "KeyId": key.id()});
            serde_json::json!({
                "key_id": key.id(), "arn": key.arn(), "key_state": key.state, "creation_date": "2021-05-20T06:34:21Z",
                "key_spec": key.spec, "last_rotation_date": null, "automatic_rotation": key.rotation,
                "origin": key.origin, "akas": [key.arn()], "region": key.region, "account_id": "1234567890123456",
                "key_aliases": key.alias_names().into_iter().map(alias).collect::<Vec<_>>(),
            })
        }).collect();
        prop_assert_eq!(&json(&serde_json::json!(rows)), &expected, "Steampipe, an array");
        let described = serde_json::json!({"columns": [{"name": "key_id", "data_type": "text"}], "rows": rows});
        prop_assert_eq!(&json(&described), &expected, "Steampipe, rows");
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(rows[0].as_object().unwrap().keys()).unwrap();
        for row in &rows {
            let cell = |value: &serde_json::Value| match value {
                serde_json::Value::String(text) => text.clone(),
                serde_json::Value::Null => String::new(),
                other => other.to_string(),
            };
            writer.write_record(row.as_object().unwrap().values().map(cell)).unwrap();
        }
        prop_assert_eq!(&verdicts(&[("keys.csv", &writer.into_inner().unwrap())]), &expected, "Steampipe, CSV");

        let expected = without(&["aliases", "versions"]);
        let details: String = keys.iter().map(|key| {
            let detail = serde_json::json!({
                "AccountId": 1234567890123456_u64, "Region": key.region, "ResourceId": key.id(), "ResourceDeleted": 1,
                "ResourceType": "ACS::KMS::Key", "Configuration": key.metadata().to_string(),
            });
            format!("{}\n", serde_json::json!({"RequestId": "x", "DiscoveredResourceDetail": detail}))
        }).collect();
        prop_assert_eq!(&verdicts(&[("config.jsonl", details.as_bytes())]), &expected, "Cloud Config");

        let expected = without(&["aliases", "instance", "rotation", "versions", "key_spec"]);
        let regions: serde_json::Map<String, serde_json::Value> = REGIONS.iter().map(|region| {
            let of_region = keys.iter().filter(|key| key.region == *region).map(|key| {
                let found = serde_json::json!({"id": key.id(), "arn": key.arn(), "origin": key.origin, "state": key.state});
                (key.id(), found)
            });
            let found: serde_json::Map<String, serde_json::Value> = of_region.collect();
            ((*region).to_owned(), serde_json::json!({"region": region, "keys": found}))
        }).collect();
        let report = serde_json::json!({"account_id": "1234567890123456", "provider_code": "aliyun",
            "services": {"kms": {"regions": regions}}});
        prop_assert_eq!(&json(&report), &expected, "ScoutSuite");
        let script = format!("scoutsuite_results =\n{report}");
        prop_assert_eq!(&verdicts(&[("scoutsuite_results.js", script.as_bytes())]), &expected, "ScoutSuite, script");

        let expected = without(&["aliases", "instance", "origin", "rotation", "versions", "key_spec", "state"]);
        let resources: Vec<serde_json::Value> = keys.iter().map(|key| serde_json::json!({
            "AccountId": "1234567890123456", "RegionId": key.region, "ResourceId": key.id(),
            "ResourceType": "ACS::KMS::Key", "Tags": [],
        })).collect();
        let found = serde_json::json!({"NextToken": "", "RequestId": "x", "Resources": resources});
        prop_assert_eq!(&json(&found), &expected, "Resource Center");

        // Two states say the same together, one behind the other or in an array.
        let expected = json(&terraform(&keys));
        let (first, second) = keys.split_at(at.index(keys.len()));
        let states: Vec<serde_json::Value> = [first, second].map(terraform).to_vec();
        prop_assert_eq!(&json(&serde_json::json!(states)), &expected, "states in an array");
        let behind = format!("{:#}\n{}", states[0], states[1]);
        prop_assert_eq!(&verdicts(&[("states.json", behind.as_bytes())]), &expected, "states one behind the other");
    }
}

// ---------------------------------------------------------------------------------------------------
// Any bytes.

/// Bytes of any kind, and bytes that look like an inventory for a while.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let pieces = [
        "key_id",
        "arn",
        "aliases",
        "rotation",
        "versions",
        "created",
        "rotation_interval",
        "next_rotation",
        "k",
        "1",
        "0",
        "-1",
        "1e999",
        "Enabled",
        "alias/acs/oss",
        "alias/acs/",
        "acs:kms:r:1:key/k",
        "365d",
        "9223372036854775807d",
        "2027-01-01",
        "-009999-01-01T00:00:00Z",
        ",",
        ",",
        ";",
        "\t",
        "|",
        "\n",
        "\n",
        "\r\n",
        "\r",
        "\"",
        "\"\"",
        "\"",
        "{",
        "}",
        "[",
        "]",
        ":",
        "\\",
        "\\u",
        "\\ud800",
        "null",
        "true",
        "[]",
        "{}",
        " ",
        "\u{feff}",
        "\u{1f}",
        "\u{0}",
        "é",
        "密钥",
        "\u{2028}",
        "{key_id}",
        "{region}",
        "{\"key_id\":\"k\"}",
        "key_id,versions\n",
        "{\"Keys\":{\"Key\":[",
        "k,1\n",
        "k,\"1\n",
        "\"key_id\"",
    ];
    let piece = prop_oneof![
        20 => select(pieces.to_vec()).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 1..4),
    ];
    let like_an_inventory = prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat());
    let headed = (
        select(vec![
            "key_id,versions,rotation,x\n",
            "[{\"key_id\":\"a\"},",
            "{\"key_id\":\"a\"}\n",
            "\u{1f}\u{8b}",
            "",
        ]),
        like_an_inventory,
    )
        .prop_map(|(head, rest)| [head.as_bytes(), &rest].concat());
    prop_oneof![
        1 => prop::collection::vec(any::<u8>(), 0..300),
        1 => prop::collection::vec(any::<u8>(), 0..60).prop_map(|rest| [b"\x1f\x8b\x08\0".as_slice(), &rest].concat()),
        1 => prop::collection::vec(any::<u8>(), 0..60).prop_map(|rest| [b"\x28\xb5\x2f\xfd".as_slice(), &rest].concat()),
        8 => headed,
    ]
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn no_bytes_make_it_panic(
        bytes in bytes(),
        input in select(vec!["", "", "csv", "tsv", "json", "jsonl", "xlsx"]),
        output in select(vec!["table", "csv", "json", "jsonl", "markdown"]),
        keep in any::<bool>(),
    ) {
        let folder = folder();
        let mut arguments = vec!["diagnose", "-", "--format", output];
        if !input.is_empty() {
            arguments.extend(["--input-format", input]);
        }
        if keep {
            arguments.push("--keep-columns");
        }
        let output = run(folder.path(), &arguments, &bytes);
        let err = String::from_utf8_lossy(&output.stderr);
        prop_assert!(matches!(output.status.code(), Some(0..=4)), "{:?}: {}", output.status, err);
        prop_assert!(!err.contains("panicked"), "{}", err);
        prop_assert!(output.status.success() || !err.is_empty(), "a failure says why");
    }
}

// ---------------------------------------------------------------------------------------------------
// Quotes.

proptest! {
    #![proptest_config(cases(40))]

    /// A quote inside a cell that does not begin with one is a character like any other.
    #[test]
    fn a_stray_quote_loses_no_record(
        remarks in prop::collection::vec(select(vec!["5\" disk", "a\"b\"c", "x\"", "say \"\"hi\"", " \"y", "-\""]), 1..40),
        crlf in any::<bool>(),
    ) {
        let end = if crlf { "\r\n" } else { "\n" };
        let mut text = format!("key_id,remark,aliases{end}");
        for (number, remark) in remarks.iter().enumerate() {
            text.push_str(&format!("k{number},{remark},a{end}"));
        }
        let said = diagnose(&[("keys.csv", text.as_bytes())], &[]);
        prop_assert_eq!(said.verdicts.len(), remarks.len());
        prop_assert_eq!(said.rejected, 0);
    }

    #[test]
    fn a_quote_that_is_never_closed_is_one_reject_that_says_so(before in 0..30_usize, after in 0..30_usize) {
        let mut text = "key_id,aliases,remark\n".to_owned();
        for number in 0..before {
            text.push_str(&format!("k{number},a,\"fine, \"\"too\"\"\"\n"));
        }
        text.push_str("open,\"never closed,x\n");
        for number in 0..after {
            text.push_str(&format!("z{number},a,plain\n"));
        }
        let folder = folder();
        std::fs::write(folder.path().join("keys.csv"), &text).unwrap();
        let arguments = ["diagnose", "keys.csv", "--format", "csv", "--rejects", "rejects.csv"];
        let output = run(folder.path(), &arguments, b"");
        let said = said(&output);
        prop_assert_eq!(said.verdicts.len(), before);
        prop_assert_eq!(said.rejected, 1);
        let rejects = std::fs::read_to_string(folder.path().join("rejects.csv")).unwrap();
        let row = rejects.lines().nth(1).unwrap();
        prop_assert!(row.starts_with(&format!("keys.csv,{},", before + 2)), "{}", row);
        prop_assert!(row.contains("never closed"), "{}", row);
        prop_assert!(row.contains(&format!(" {} lines", after + 1)) || row.contains("lines after it"), "{}", row);
    }
}

/// Records longer than a block of input (256 KiB), with quotes, delimiters and line ends inside.
#[test]
fn long_records_of_many_lines_survive_the_borders_of_blocks() {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["key_id", "remark", "aliases"]).unwrap();
    let mut expected = Vec::new();
    let mut line = 2;
    for number in 0..12_usize {
        let part = ["a \"quoted\" word, and more\n", "\"\"\n", "plain\r\n", ",\",\n,"][number % 4];
        let times = [10, 1 << 17, 3, (1 << 20) + number][number % 4] / part.len() * 3 + 1;
        let remark = format!("[{}]", part.repeat(times));
        let id = format!("k{number}");
        writer.write_record([id.as_str(), &remark, "a"]).unwrap();
        expected.push((id, remark.clone(), line));
        line += 1 + remark.matches('\n').count() as u64;
    }
    let text = writer.into_inner().unwrap();
    assert!(text.len() > 8 << 20, "several blocks: {}", text.len());
    let folder = folder();
    std::fs::write(folder.path().join("long.csv"), &text).unwrap();
    for jobs in ["1", "3"] {
        let arguments = ["diagnose", "long.csv", "--format", "jsonl", "--keep-columns", "--jobs", jobs];
        let output = run(folder.path(), &arguments, b"");
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let out = String::from_utf8(output.stdout).unwrap();
        let found: Vec<(String, String, u64)> = out
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
            .map(|key| {
                let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
                (text(&key["key_id"]), text(&key["columns"]["remark"]), key["origins"][0]["line"].as_u64().unwrap())
            })
            .collect();
        let brief = |all: &[(String, String, u64)]| -> Vec<_> {
            all.iter().map(|(id, remark, line)| (id.clone(), remark.len(), *line)).collect()
        };
        assert_eq!(brief(&found), brief(&expected));
        assert!(found == expected, "a remark came out changed");
    }
}

/// Small records in great number: every border of blocks falls somewhere into them.
#[test]
fn many_records_of_several_lines_survive_the_borders_of_blocks() {
    let mut text = String::from("key_id,remark,aliases\r\n");
    for number in 0..40_000 {
        text.push_str(&format!(
            "k{number},\"{}\r\n\"\"{number}\"\", and\n{}\",a\r\n",
            "x".repeat(number % 53),
            "y\r".repeat(number % 7)
        ));
    }
    assert!(text.len() > 2 << 20, "several blocks: {}", text.len());
    for jobs in ["1", "2"] {
        let said = diagnose(&[("many.csv", text.as_bytes())], &["--jobs", jobs]);
        assert_eq!((said.verdicts.len(), said.rejected), (40_000, 0));
    }
}
