//! The program as a user runs it: text in, text out, exit codes; in a clean environment.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails says where")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use insta::assert_snapshot;
use tempfile::TempDir;

// ---------------------------------------------------------------------------------------------------
// Running it.

/// How a run ended and what it said.
#[derive(Debug)]
struct Ran {
    code: i32,
    out: String,
    err: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The program with a clean environment, in the root of the tree.
fn command() -> assert_cmd::Command {
    let mut command = assert_cmd::cargo::cargo_bin_cmd!("cmkdiag");
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("NO_COLOR", "1")
        .current_dir(root());
    command
}

fn run_with(arguments: &[&str], input: &[u8]) -> Ran {
    let output = command().args(arguments).write_stdin(input).output().expect("the program runs");
    Ran {
        code: output.status.code().expect("it ends by itself"),
        out: String::from_utf8(output.stdout).expect("it writes UTF-8"),
        err: String::from_utf8(output.stderr).expect("it writes UTF-8"),
    }
}

fn run(arguments: &[&str]) -> Ran {
    run_with(arguments, b"")
}

/// Runs and demands an exit code.
fn expect(code: i32, arguments: &[&str]) -> Ran {
    let ran = run(arguments);
    assert_eq!(ran.code, code, "{arguments:?}\n{}\n{}", ran.out, ran.err);
    ran
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// Writes a file into a folder and gives its path as text.
fn put(folder: &TempDir, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = folder.path().join(name);
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).unwrap();
    }
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

/// The rows of a CSV by column name.
fn table(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows = reader.deserialize();
    rows.collect::<Result<_, _>>().expect("it is CSV")
}

/// The rows of `diagnose --format csv` on a file.
fn rows(arguments: &[&str]) -> Vec<BTreeMap<String, String>> {
    let mut all = vec!["diagnose", "--quiet", "--format", "csv"];
    all.extend(arguments);
    table(&run(&all).out)
}

/// Key id to class.
fn classes(arguments: &[&str]) -> BTreeMap<String, String> {
    rows(arguments).into_iter().map(|row| (row["key_id"].clone(), row["class"].clone())).collect()
}

/// The text with the digest of the rulebook taken out, which every edit of a card changes.
fn without_digest(text: &str) -> String {
    let mut parts = text.split("alibaba-2023@");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.chars().take_while(char::is_ascii_hexdigit).count();
        assert_eq!(digits, 12, "a digest has twelve digits: {part}");
        out.push_str("alibaba-2023@DIGEST");
        out.push_str(&part[digits..]);
    }
    out
}

const INVENTORY: &str = "samples/inventory.csv";

/// A key about which everything is known and nothing is in the way.
const HEADER: &str = "key_id,aliases,instance,origin,rotation,versions,usage,operations,languages,network\n";
const GOOD: &str = "good,alias/good,default,Aliyun_KMS,Disabled,1,self-managed,Encrypt,Java,vpc\n";
const CONDITIONAL: &str = "maybe,alias/maybe,,Aliyun_KMS,Disabled,1,self-managed,Encrypt,Java,vpc\n";
const BLOCKED: &str = "stuck,alias/stuck,default,EXTERNAL,Disabled,1,self-managed,Encrypt,Java,vpc\n";
const OPEN: &str = "open,alias/open,default,,Disabled,1,self-managed,Encrypt,Java,vpc\n";
const WRONG: &str = "wrong,alias/wrong,default,Aliyun_KMS,Disabled,0,self-managed,Encrypt,Java,vpc\n";

fn inventory(folder: &TempDir, name: &str, rows: &[&str]) -> String {
    put(folder, name, format!("{HEADER}{}", rows.concat()))
}

// ---------------------------------------------------------------------------------------------------
// What it says by itself.

#[test]
fn the_summary_of_the_sample() {
    let ran = expect(3, &["diagnose", INVENTORY]);
    let (_, summary) = ran.out.split_once("\nSummary").expect("a summary");
    assert_snapshot!(without_digest(&format!("Summary{summary}")), @r"
    Summary  74 records read = 71 diagnosed (68 keys) + 2 rejected + 1 exact duplicates
    class                     confirmed  conditional
    not-required                      4            0  Nothing to migrate: the key is in a dedicated KMS instance
    service-key                       4            1  Nothing to migrate: a cloud service manages the key
    blocked                          19            1  Cannot be migrated as it stands; every reason is listed
    needs-rotation-disabled           5            2  Can be migrated once automatic rotation is disabled
    migratable                       16            7  Nothing is in the way of the migration
    undetermined                      9            -  Facts are missing or records disagree
    Rulebook cmk/alibaba-2023@DIGEST
    Inferred, and not stated by any record (keys): versions 1, application_use 2

    Next steps
     1. Rotation clock: 9 key(s) get a second version, and are then blocked for good, at their next rotation. First:
        00000000-0000-4000-8000-000000000026 on 2026-11-28T02:00:00Z
     2. Records disagree about 2 key(s), or one was rejected: correct the inventory (explain tells more)
     3. Missing for 3 undetermined key(s): who manages the key (columns: aliases, manager_type)
        aliyun kms ListAliasesByKeyId --region REGION --KeyId KEY_ID
     4. Missing for 2 undetermined key(s): key versions (columns: versions)
        aliyun kms ListKeyVersions --region REGION --KeyId KEY_ID
     5. Missing for 1 undetermined key(s): key material origin (columns: origin)
        aliyun kms DescribeKey --region REGION --KeyId KEY_ID
     6. Missing for 1 undetermined key(s): automatic rotation (columns: rotation)
        aliyun kms DescribeKey --region REGION --KeyId KEY_ID
     7. Disable automatic rotation: frees 7 key(s)
        aliyun kms UpdateRotationPolicy --region REGION --KeyId KEY_ID --EnableAutomaticRotation false
     8. Stop using ReEncrypt, ExportDataKey and GenerateAndExportDataKey: frees 4 key(s)
     9. Ask technical support about the application's language: frees 3 key(s)
    10. Ask technical support about the application's network location: frees 3 key(s)
    11. No way out for 10 blocked key(s); explain tells what remains
    12. Confirm that the key is in the default KMS instance, not in a dedicated one: 4 key(s); state it once with --assume
        instance=default
    13. Confirm that no application uses ReEncrypt, ExportDataKey or GenerateAndExportDataKey with the key: 3 key(s); state
        it once with --assume operations=ordinary
    14. Confirm that every application that uses the key is written in Java, Go or Python: 3 key(s); state it once with
        --assume languages=Java
    15. Confirm that every application that uses the key runs in an Alibaba Cloud VPC: 3 key(s); state it once with --assume
        network=vpc
    16. Confirm who uses the key: no application of your own may be in the way: 2 key(s); state it once with --assume
        application_use=no
    17. 16 key(s) are ready: Open a ticket with key ID, time window and destination KMS instance
    18. Look at these keys once more (explain tells which and why): The key is asymmetric: check the instance type (3); The
        protection level is HSM: mind the destination's type (4); The key is disabled (2); An alias looks like that of a
        service key but is not (1); The key is scheduled for deletion (1); The key waits for its material to be imported
        (1); Automatic rotation is suspended, not disabled (1); Cloud services and your own applications share the key (3);
        Only a hardware key management instance offers the key's spec (2); No current instance type lists the key's spec
        (1); Nobody uses the key (3); Used by cloud services only, yet an application language is listed (1)
    ");
}

/// Every command, as it is typed.
const COMMANDS: [&str; 16] = [
    "",
    "diagnose",
    "exchange",
    "explain",
    "plan",
    "preflight",
    "rules",
    "rules check",
    "rules list",
    "rules new",
    "rules show",
    "schema",
    "sources",
    "ticket",
    "usage",
    "usage merge",
];

fn help(command: &str) -> String {
    let mut arguments: Vec<&str> = command.split_whitespace().collect();
    arguments.push("--help");
    expect(0, &arguments).out
}

/// The commands that a help text lists.
fn listed(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  "))
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_command_has_its_help_below() {
    let mut found = BTreeSet::new();
    let mut waiting = vec![String::new()];
    while let Some(command) = waiting.pop() {
        let below = listed(&help(&command));
        waiting.extend(below.iter().map(|name| format!("{command} {name}").trim().to_owned()));
        found.insert(command);
    }
    let known: BTreeSet<String> = COMMANDS.iter().map(|command| (*command).to_owned()).collect();
    assert_eq!(found, known);
}

#[test]
fn help_of_the_program() {
    assert_snapshot!(help(""), @r"
    Which cloud encryption keys can be migrated, which cannot, why, and what is missing to know it

    Usage: cmkdiag <COMMAND>

    Commands:
      diagnose   Classify every key of an inventory
      plan       The keys that can be migrated to batches, with instances, windows and lists of work
      explain    Tell why a key, pair or request has its class: facts, sources, gaps, ways out
      preflight  May this ServiceNow instance be cloned, restored, copied or moved onto that one while
                 EKMS is enabled?
      exchange   Are these ServiceNow key exchange requests valid, and what must be done to complete
                 them?
      usage      Audit logs of ActionTrail to usage evidence: which operations, languages and networks
                 use each key
      ticket     A migration plan to tickets that are ready to send, in the form of a tracker
      rules      The rulebook: list, show, check or start a card
      sources    The documents that the rulebook rests on, and their age
      schema     JSON Schemas of what is read and written as JSON; without a name, which there are
      help       Print this message or the help of the given subcommand(s)

    Options:
      -h, --help     Print help
      -V, --version  Print version

    Exit codes:
      0  done
      1  done, and a --fail-on gate matched, or a plan has errors
      2  wrong usage
      3  done, but some records were rejected (the results of the others are written; --allow-rejects
      makes it 0)
      4  could not do it (reading, writing, or no usable record)
    ");
}

#[test]
fn help_of_diagnose() {
    assert_snapshot!(help("diagnose"), @r"
    Classify every key of an inventory

    Usage: cmkdiag diagnose [OPTIONS] <INPUT>...

    Arguments:
      <INPUT>...
              Files or folders: CSV, TSV, JSON, JSON Lines, spreadsheets (.xlsx, .ods, .xls); plain,
              gzip or zstd; `-` is standard input

    Options:
      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    Input:
          --input-format <FORMAT>
              The format of all inputs, instead of finding it by content

              Possible values:
              - csv:             Delimited text with a header line
              - tsv:             Tab-separated text with a header line
              - json:            JSON
              - jsonl:           One JSON object a line
              - xlsx:            A workbook: .xlsx, .ods or .xls
              - terraform:       A state or plan of Terraform
              - scoutsuite:      A report of ScoutSuite
              - alibaba-cli:     Replies of the KMS API, as the command line and the SDKs write them
              - cloud-config:    Resources of Cloud Config
              - resource-center: Resources of Resource Center
              - prowler:         Findings of Prowler as CSV
              - prowler-ocsf:    Findings of Prowler as OCSF JSON
              - steampipe:       Rows of Steampipe's table alicloud_kms_key, as CSV or JSON

          --input-encoding <NAME>
              The encoding of all text, such as GB18030, instead of finding it

          --max-input <SIZE>
              Read at most so much of each input, after inflating it, such as 500MB or 2GiB [default:
              16GiB, of audit logs 1TiB]

          --rejects <FILE>
              Write rejected records to a CSV file: file, line, column, value, reason

          --allow-rejects
              Rejected records do not change the exit code

          --jobs <N>
              Threads to use [default: as many as there are cores]

    Rules:
          --edition <NAME>
              The edition of the rulebook

          --rules <DIR>
              A folder with cards of your own, added to the rulebook

          --assume <FACT=VALUE>
              Fill in a fact where nobody knows it, such as instance=default; recorded in every output

          --strict
              Conditional verdicts count as undetermined

          --no-inference
              Infer nothing that no record says, such as one version from the dates of creation and last
              rotation

          --as-of <TIME>
              The moment to which dates and ages refer [default: now]

          --lang <LANG>
              Language of titles, reasons and remedies

              Possible values:
              - en: English
              - zh: Chinese
              
              [default: en]

    Usage evidence:
          --usage <FILE>
              Results of `cmkdiag usage`: who calls which operations of each key, in which language,
              from where; may be given several times

          --events <EVENTS>
              The audit logs themselves, files or folders; may be given several times

          --networks <FILE>
              Your own networks: lines of RANGE,NAME; names such as vpc, data-centre or internet tell
              where applications run

          --min-window <DAYS>
              A log proves what it does not show only if it reaches over so many days, and ended no more
              than so many days ago
              
              [default: 30]

          --max-gap <HOURS>
              A log proves what it does not show only if it has no longer run of hours without any event
              
              [default: 0]

    Output:
          --format <FORMAT>
              Output format

              Possible values:
              - table:    A table for a person, with summary and next steps
              - csv:      One row a key
              - json:     One document
              - jsonl:    One object a line
              - markdown: A report
              
              [default: table]

      -o, --output <FILE>
              Write to a file, which appears only once it is complete

          --only <CLASS>
              Write only keys of these classes

          --fail-on <CLASS>
              Exit with 1 if a key has one of these classes (or `conditional`: a verdict with open
              conditions)

          --columns <COLUMN>
              Write only these columns of the CSV, in this order; `class` brings `confirmed` along

          --keep-columns
              Pass columns that are not understood through to the output

    Messages:
      -q, --quiet
              Say nothing but errors

          --no-progress
              Show no progress

          --color <COLOR>
              Colour

              Possible values:
              - auto:   On a terminal, unless NO_COLOR is set
              - always: Always
              - never:  Never
              
              [default: auto]

    Examples:
      cmkdiag diagnose keys.csv
      cmkdiag diagnose exports/ more.jsonl.gz --format csv -o verdicts.csv
      cmkdiag diagnose keys.csv --format csv --columns key_id,region,class,rules
      cmkdiag diagnose keys.csv --events trail/
      cmkdiag diagnose keys.csv --assume instance=default --fail-on blocked,undetermined

    Exit codes:
      0  done
      1  done, and a --fail-on gate matched, or a plan has errors
      2  wrong usage
      3  done, but some records were rejected (the results of the others are written; --allow-rejects
      makes it 0)
      4  could not do it (reading, writing, or no usable record)
    ");
}

#[test]
fn help_of_plan() {
    assert_snapshot!(help("plan"), @r"
    The keys that can be migrated to batches, with instances, windows and lists of work

    Usage: cmkdiag plan [OPTIONS] <INPUT>...

    Arguments:
      <INPUT>...
              The inventory: files or folders, as `diagnose` reads them; `-` is standard input

    Options:
      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    Plan:
          --destinations <FILE>
              The KMS instances to which keys can go: CSV, JSON, or replies of GetKmsInstance and
              GetKmsInstanceQuotaInfos; may be given several times

          --calendar <FILE>
              When keys may be migrated, as TOML: time_zone, earliest, latest, and tables `allowed` and
              `freeze` [default: at any time, from tomorrow]

          --window-length <TIME>
              The length of each window, such as 2h, 90m or 1h30m
              
              [default: 2h]

          --keys-per-batch <N>
              A batch has no more keys [default: what the rulebook says, 50]

          --keep <PLAN>
              An earlier plan, whose windows stay as they are where they are still good

          --check <PLAN>
              Check an approved plan against the inventory instead: what of it no longer holds

    Input:
          --input-format <FORMAT>
              The format of all inputs, instead of finding it by content

              Possible values:
              - csv:             Delimited text with a header line
              - tsv:             Tab-separated text with a header line
              - json:            JSON
              - jsonl:           One JSON object a line
              - xlsx:            A workbook: .xlsx, .ods or .xls
              - terraform:       A state or plan of Terraform
              - scoutsuite:      A report of ScoutSuite
              - alibaba-cli:     Replies of the KMS API, as the command line and the SDKs write them
              - cloud-config:    Resources of Cloud Config
              - resource-center: Resources of Resource Center
              - prowler:         Findings of Prowler as CSV
              - prowler-ocsf:    Findings of Prowler as OCSF JSON
              - steampipe:       Rows of Steampipe's table alicloud_kms_key, as CSV or JSON

          --input-encoding <NAME>
              The encoding of all text, such as GB18030, instead of finding it

          --max-input <SIZE>
              Read at most so much of each input, after inflating it, such as 500MB or 2GiB [default:
              16GiB, of audit logs 1TiB]

          --rejects <FILE>
              Write rejected records to a CSV file: file, line, column, value, reason

          --allow-rejects
              Rejected records do not change the exit code

          --jobs <N>
              Threads to use [default: as many as there are cores]

    Rules:
          --edition <NAME>
              The edition of the rulebook

          --rules <DIR>
              A folder with cards of your own, added to the rulebook

          --assume <FACT=VALUE>
              Fill in a fact where nobody knows it, such as instance=default; recorded in every output

          --strict
              Conditional verdicts count as undetermined

          --no-inference
              Infer nothing that no record says, such as one version from the dates of creation and last
              rotation

          --as-of <TIME>
              The moment to which dates and ages refer [default: now]

          --lang <LANG>
              Language of titles, reasons and remedies

              Possible values:
              - en: English
              - zh: Chinese
              
              [default: en]

    Usage evidence:
          --usage <FILE>
              Results of `cmkdiag usage`: who calls which operations of each key, in which language,
              from where; may be given several times

          --events <EVENTS>
              The audit logs themselves, files or folders; may be given several times

          --networks <FILE>
              Your own networks: lines of RANGE,NAME; names such as vpc, data-centre or internet tell
              where applications run

          --min-window <DAYS>
              A log proves what it does not show only if it reaches over so many days, and ended no more
              than so many days ago
              
              [default: 30]

          --max-gap <HOURS>
              A log proves what it does not show only if it has no longer run of hours without any event
              
              [default: 0]

    Output:
          --format <FORMAT>
              What goes to standard output

              Possible values:
              - text:     A summary for a person
              - json:     The plan itself, as `ticket` and --check read it
              - markdown: A runbook
              - ics:      The windows and deadlines, for calendars
              
              [default: text]

      -o, --output <DIR>
              Write everything into a folder: plan.json, runbook.md, windows.ics, batches.csv, and a
              table for each list of work

    Messages:
      -q, --quiet
              Say nothing but errors

          --no-progress
              Show no progress

          --color <COLOR>
              Colour

              Possible values:
              - auto:   On a terminal, unless NO_COLOR is set
              - always: Always
              - never:  Never
              
              [default: auto]

    Examples:
      cmkdiag plan keys.csv --destinations instances.csv --calendar calendar.toml -o plan/
      cmkdiag plan keys.csv --events trail/ --destinations instances.json --format markdown
      cmkdiag plan keys.csv --destinations instances.csv --check plan/plan.json

    Exit codes:
      0  done
      1  done, and a --fail-on gate matched, or a plan has errors
      2  wrong usage
      3  done, but some records were rejected (the results of the others are written; --allow-rejects
      makes it 0)
      4  could not do it (reading, writing, or no usable record)
    ");
}

#[test]
fn help_of_explain() {
    assert_snapshot!(help("explain"), @r"
    Tell why a key, pair or request has its class: facts, sources, gaps, ways out

    Usage: cmkdiag explain [OPTIONS] --in <INPUT> <KEY>...

    Arguments:
      <KEY>...
              Key ids, ARNs or aliases; in other domains `SOURCE:TARGET` or the id of a request

    Options:
          --domain <NAME>
              The domain: cmk (keys), ekms (instance automation) or exchange (key exchange)
              
              [default: cmk]

      -i, --in <INPUT>
              The inventory, pairs or requests; may be given several times

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    Input:
          --input-format <FORMAT>
              The format of all inputs, instead of finding it by content

              Possible values:
              - csv:             Delimited text with a header line
              - tsv:             Tab-separated text with a header line
              - json:            JSON
              - jsonl:           One JSON object a line
              - xlsx:            A workbook: .xlsx, .ods or .xls
              - terraform:       A state or plan of Terraform
              - scoutsuite:      A report of ScoutSuite
              - alibaba-cli:     Replies of the KMS API, as the command line and the SDKs write them
              - cloud-config:    Resources of Cloud Config
              - resource-center: Resources of Resource Center
              - prowler:         Findings of Prowler as CSV
              - prowler-ocsf:    Findings of Prowler as OCSF JSON
              - steampipe:       Rows of Steampipe's table alicloud_kms_key, as CSV or JSON

          --input-encoding <NAME>
              The encoding of all text, such as GB18030, instead of finding it

          --max-input <SIZE>
              Read at most so much of each input, after inflating it, such as 500MB or 2GiB [default:
              16GiB, of audit logs 1TiB]

          --rejects <FILE>
              Write rejected records to a CSV file: file, line, column, value, reason

          --allow-rejects
              Rejected records do not change the exit code

          --jobs <N>
              Threads to use [default: as many as there are cores]

    Rules:
          --edition <NAME>
              The edition of the rulebook

          --rules <DIR>
              A folder with cards of your own, added to the rulebook

          --assume <FACT=VALUE>
              Fill in a fact where nobody knows it, such as instance=default; recorded in every output

          --strict
              Conditional verdicts count as undetermined

          --no-inference
              Infer nothing that no record says, such as one version from the dates of creation and last
              rotation

          --as-of <TIME>
              The moment to which dates and ages refer [default: now]

          --lang <LANG>
              Language of titles, reasons and remedies

              Possible values:
              - en: English
              - zh: Chinese
              
              [default: en]

    Usage evidence:
          --usage <FILE>
              Results of `cmkdiag usage`: who calls which operations of each key, in which language,
              from where; may be given several times

          --events <EVENTS>
              The audit logs themselves, files or folders; may be given several times

          --networks <FILE>
              Your own networks: lines of RANGE,NAME; names such as vpc, data-centre or internet tell
              where applications run

          --min-window <DAYS>
              A log proves what it does not show only if it reaches over so many days, and ended no more
              than so many days ago
              
              [default: 30]

          --max-gap <HOURS>
              A log proves what it does not show only if it has no longer run of hours without any event
              
              [default: 0]

    Evidence:
          --instance <HOST>
              Read release, plugin and properties of a ServiceNow instance, read-only; credentials come
              from SERVICENOW_USERNAME and SERVICENOW_PASSWORD, SERVICENOW_TOKEN or SERVICENOW_API_KEY

          --describe-key <PATH>
              Files or folders with what `aws kms describe-key` printed, replies or errors: the state of
              keys

          --operation <OPERATION>
              The instance automation operation of pairs that name none

              Possible values:
              - clone:          Clone
              - backup-restore: Backup and restore
              - copy:           Copy
              - move:           Move
              - toggle:         Toggle

          --format <FORMAT>
              Output format

              Possible values:
              - text: For people
              - json: For machines
              
              [default: text]

    Messages:
      -q, --quiet
              Say nothing but errors

          --no-progress
              Show no progress

          --color <COLOR>
              Colour

              Possible values:
              - auto:   On a terminal, unless NO_COLOR is set
              - always: Always
              - never:  Never
              
              [default: auto]

    Examples:
      cmkdiag explain alias/orders --in keys.csv
      cmkdiag explain 0f5a1c1e-8a51-4b0e-9a5e-3d0c6a7b1f01 --in exports/
      cmkdiag explain prod:test --domain ekms --in pairs.csv
    ");
}

#[test]
fn help_of_rules() {
    assert_snapshot!(help("rules"), @r"
    The rulebook: list, show, check or start a card

    Usage: cmkdiag rules <COMMAND>

    Commands:
      list   Every card: id, kind, class, basis, title
      show   One card: explanation, condition, remedy, sources
      check  Check every card and run its examples
      new    Start a new card in a source tree
      help   Print this message or the help of the given subcommand(s)

    Options:
      -h, --help     Print help
      -V, --version  Print version
    ");
}

#[test]
fn help_of_rules_check() {
    assert_snapshot!(help("rules check"), @r"
    Check every card and run its examples

    Usage: cmkdiag rules check [OPTIONS]

    Options:
          --domain <NAME>
              The domain: cmk (keys), ekms (instance automation) or exchange (key exchange)
              
              [default: cmk]

          --edition <NAME>
              The edition of the rulebook

          --rules <DIR>
              A folder with cards of your own, added to the rulebook

          --lang <LANG>
              Language of titles and explanations

              Possible values:
              - en: English
              - zh: Chinese
              
              [default: en]

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version
    ");
}

#[test]
fn help_of_rules_list() {
    assert_snapshot!(help("rules list"), @r"
    Every card: id, kind, class, basis, title

    Usage: cmkdiag rules list [OPTIONS]

    Options:
          --domain <NAME>
              The domain: cmk (keys), ekms (instance automation) or exchange (key exchange)
              
              [default: cmk]

          --edition <NAME>
              The edition of the rulebook

          --rules <DIR>
              A folder with cards of your own, added to the rulebook

          --lang <LANG>
              Language of titles and explanations

              Possible values:
              - en: English
              - zh: Chinese
              
              [default: en]

          --format <FORMAT>
              Output format

              Possible values:
              - text: For people
              - json: For machines
              
              [default: text]

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version
    ");
}

#[test]
fn help_of_rules_new() {
    assert_snapshot!(help("rules new"), @r"
    Start a new card in a source tree

    Usage: cmkdiag rules new [OPTIONS] <DOMAIN> <ID>

    Arguments:
      <DOMAIN>  The domain
      <ID>      The id: kebab-case, naming the state found

    Options:
          --root <DIR>  The root of the source tree [default: .]
      -h, --help        Print help
      -V, --version     Print version
    ");
}

#[test]
fn help_of_rules_show() {
    assert_snapshot!(help("rules show"), @r"
    One card: explanation, condition, remedy, sources

    Usage: cmkdiag rules show [OPTIONS] <ID>...

    Arguments:
      <ID>...
              Ids of cards

    Options:
          --domain <NAME>
              The domain: cmk (keys), ekms (instance automation) or exchange (key exchange)
              
              [default: cmk]

          --edition <NAME>
              The edition of the rulebook

          --rules <DIR>
              A folder with cards of your own, added to the rulebook

          --lang <LANG>
              Language of titles and explanations

              Possible values:
              - en: English
              - zh: Chinese
              
              [default: en]

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version
    ");
}

#[test]
fn help_of_ticket() {
    assert_snapshot!(help("ticket"), @r#"
    A migration plan to tickets that are ready to send, in the form of a tracker

    Usage: cmkdiag ticket [OPTIONS] --tracker <TRACKER> <PLAN>

    Arguments:
      <PLAN>
              The plan, as JSON; `-` is standard input

    Options:
          --tracker <TRACKER>
              Where tickets go

              Possible values:
              - alibaba:             Alibaba Cloud, CreateTicket of Workorder 2021-06-10
              - servicenow-change:   ServiceNow, table change_request
              - servicenow-incident: ServiceNow, table incident
              - jira-cloud:          Jira Cloud, REST API v3
              - jira-dc:             Jira Data Center, REST API v2
              - zendesk:             Zendesk, tickets.json
              - github:              Issues of GitHub
              - gitlab:              Issues of GitLab
              - rt:                  Request Tracker 5, REST2
              - roundup:             Roundup, REST
              - email:               Messages as files (.eml)
              - markdown:            Text for people

          --lang <LANG>
              Language of the tickets

              Possible values:
              - en: English
              - zh: Chinese
              
              [default: en]

          --config <FILE>
              The tracker's own words, such as project, queue or category: TOML, a section for each
              tracker

          --max-input <SIZE>
              Read at most so much of the plan, such as 500MB or 2GiB
              
              [default: 1GiB]

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    Output:
      -o, --output <DIR>
              Write each ticket to a file of this folder, which is made if need be [default: standard
              output]

    Submission:
          --submit
              Say what would be sent where; nothing is sent without --yes

          --yes
              Send it

          --supersede
              Send also what names keys that the ledger knows from tickets of earlier plans: it takes
              the place of those

          --ledger <FILE>
              What was sent, as JSON Lines; keep it, and give the same every time [default: the plan's
              name with .ledger.jsonl]

    Messages:
      -q, --quiet
              Say nothing but errors

          --no-progress
              Show no progress

          --color <COLOR>
              Colour

              Possible values:
              - auto:   On a terminal, unless NO_COLOR is set
              - always: Always
              - never:  Never
              
              [default: auto]

    Examples:
      cmkdiag ticket plan.json --tracker alibaba --config tickets.toml -o tickets/
      cmkdiag ticket plan.json --tracker jira-cloud --config tickets.toml
      cmkdiag ticket plan.json --tracker email --lang zh --config tickets.toml -o mail/
      cmkdiag ticket plan.json --tracker markdown

    Submission:
      --submit says what would be sent where; with --yes it is sent, each ticket exactly once.
      Addresses and credentials come from the environment, or from a file of the same names (NAME =
      "value") that only
      its owner can read: the one that CMKDIAG_TRACKERS names, or ~/.config/cmkdiag/trackers.toml.
        alibaba       as for the aliyun command line; CMKDIAG_ALIBABA_REGION, CMKDIAG_ALIBABA_ENDPOINT
        servicenow-*  CMKDIAG_SERVICENOW_URL; SERVICENOW_TOKEN, SERVICENOW_API_KEY, or
        SERVICENOW_USERNAME and _PASSWORD
        jira-cloud    CMKDIAG_JIRA_URL, CMKDIAG_JIRA_USER, CMKDIAG_JIRA_TOKEN
        jira-dc       CMKDIAG_JIRA_URL, CMKDIAG_JIRA_TOKEN
        zendesk       CMKDIAG_ZENDESK_URL, CMKDIAG_ZENDESK_TOKEN; CMKDIAG_ZENDESK_USER if it is an API
        token
        github        CMKDIAG_GITHUB_REPOSITORY (owner/name), CMKDIAG_GITHUB_TOKEN; CMKDIAG_GITHUB_URL
        gitlab        CMKDIAG_GITLAB_PROJECT, CMKDIAG_GITLAB_TOKEN; CMKDIAG_GITLAB_URL
        rt            CMKDIAG_RT_URL; CMKDIAG_RT_TOKEN, or CMKDIAG_RT_USER and CMKDIAG_RT_PASSWORD
        roundup       CMKDIAG_ROUNDUP_URL, CMKDIAG_ROUNDUP_USER, CMKDIAG_ROUNDUP_PASSWORD

    Exit codes:
      0  done
      1  done, and a --fail-on gate matched, or a plan has errors
      2  wrong usage
      3  done, but some records were rejected (the results of the others are written; --allow-rejects
      makes it 0)
      4  could not do it (reading, writing, or no usable record)
    "#);
}

#[test]
fn help_of_usage() {
    assert_snapshot!(help("usage"), @r"
    Audit logs of ActionTrail to usage evidence: which operations, languages and networks use each key

    Usage: cmkdiag usage [OPTIONS] <EVENTS>...
           cmkdiag usage <COMMAND>

    Commands:
      merge  Put results of `usage` together, as if their logs had been read at once
      help   Print this message or the help of the given subcommand(s)

    Arguments:
      <EVENTS>...
              Files or folders with events of ActionTrail: JSON arrays, JSON Lines, replies, exports of
              a log store; plain, gzip or zstd; `-` is standard input

    Options:
          --networks <FILE>
              Your own networks: lines of RANGE,NAME, such as 203.0.113.0/24,office

          --max-input <SIZE>
              Read at most so much of each input, after inflating it, such as 500MB or 2GiB
              
              [default: 1TiB]

          --allow-rejects
              Events that cannot be read do not change the exit code

          --jobs <N>
              Threads to use [default: as many as there are cores]

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    Output:
          --format <FORMAT>
              Output format: everything, mergeable, or one row for each key

              Possible values:
              - jsonl: JSON Lines, as `usage merge` and `diagnose` read them
              - csv:   A table
              
              [default: jsonl]

      -o, --output <FILE>
              Write to a file, which appears only once it is complete

    Messages:
      -q, --quiet
              Say nothing but errors

          --no-progress
              Show no progress

          --color <COLOR>
              Colour

              Possible values:
              - auto:   On a terminal, unless NO_COLOR is set
              - always: Always
              - never:  Never
              
              [default: auto]

    Examples:
      cmkdiag usage trail/ -o usage.jsonl
      zcat trail/*.gz | cmkdiag usage -
      cmkdiag usage trail/ --networks networks.csv --format csv
      cmkdiag usage merge hangzhou.jsonl shanghai.jsonl -o usage.jsonl

    Exit codes:
      0  done
      1  done, and a --fail-on gate matched, or a plan has errors
      2  wrong usage
      3  done, but some records were rejected (the results of the others are written; --allow-rejects
      makes it 0)
      4  could not do it (reading, writing, or no usable record)
    ");
}

#[test]
fn help_of_usage_merge() {
    assert_snapshot!(help("usage merge"), @r"
    Put results of `usage` together, as if their logs had been read at once

    Usage: cmkdiag usage merge [OPTIONS] <RESULT>...

    Arguments:
      <RESULT>...
              Results of `usage`, or folders with such; plain, gzip or zstd; `-` is standard input

    Options:
          --allow-rejects
              Events and files that could not be read when the logs were counted do not change the exit
              code

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    Output:
          --format <FORMAT>
              Output format: everything, mergeable, or one row for each key

              Possible values:
              - jsonl: JSON Lines, as `usage merge` and `diagnose` read them
              - csv:   A table
              
              [default: jsonl]

      -o, --output <FILE>
              Write to a file, which appears only once it is complete

    Messages:
      -q, --quiet
              Say nothing but errors

          --no-progress
              Show no progress

          --color <COLOR>
              Colour

              Possible values:
              - auto:   On a terminal, unless NO_COLOR is set
              - always: Always
              - never:  Never
              
              [default: auto]
    ");
}

#[test]
fn help_of_sources() {
    assert_snapshot!(help("sources"), @r"
    The documents that the rulebook rests on, and their age

    Usage: cmkdiag sources [OPTIONS]

    Options:
          --domain <NAME>
              The domain: cmk (keys), ekms (instance automation) or exchange (key exchange)
              
              [default: cmk]

          --edition <NAME>
              The edition of the rulebook

          --rules <DIR>
              A folder with cards of your own, added to the rulebook

          --lang <LANG>
              Language of titles and explanations

              Possible values:
              - en: English
              - zh: Chinese
              
              [default: en]

          --format <FORMAT>
              Output format

              Possible values:
              - text: For people
              - json: For machines
              
              [default: text]

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version
    ");
}

#[test]
fn the_version_is_that_of_the_package() {
    let ran = expect(0, &["--version"]);
    assert_eq!(ran.out, format!("cmkdiag {}\n", env!("CARGO_PKG_VERSION")));
}

// ---------------------------------------------------------------------------------------------------
// Exit codes.

#[test]
fn exit_0_done() {
    let folder = folder();
    let file = inventory(&folder, "keys.csv", &[GOOD, BLOCKED, OPEN]);
    let ran = expect(0, &["diagnose", &file]);
    assert_eq!(ran.err, "", "nothing to remark");
    expect(0, &["diagnose", &file, "--fail-on", "service-key"]);
}

#[test]
fn exit_1_a_gate_matched() {
    let folder = folder();
    let file = inventory(&folder, "keys.csv", &[GOOD, BLOCKED, OPEN, WRONG]);
    let conditional = inventory(&folder, "conditional.csv", &[CONDITIONAL]);
    let confirmed = inventory(&folder, "confirmed.csv", &[GOOD]);
    for classes in ["blocked", "undetermined", "service-key,blocked", "migratable"] {
        let ran = expect(1, &["diagnose", &file, "--fail-on", classes, "--format", "csv"]);
        assert_eq!(table(&ran.out).len(), 3, "the results are written all the same");
    }
    expect(1, &["diagnose", &conditional, "--fail-on", "conditional"]);
    expect(0, &["diagnose", &confirmed, "--fail-on", "conditional"]);
    expect(1, &["diagnose", &conditional, "--fail-on", "undetermined", "--strict"]);
}

#[test]
fn exit_2_wrong_usage() {
    let folder = folder();
    let file = inventory(&folder, "keys.csv", &[GOOD]);
    for (arguments, says) in [
        (vec![], "Usage"),
        (vec!["diagnose"], "INPUT"),
        (vec!["diagnose", &file, "--format", "jsonn"], "tip: a similar value exists: 'json'"),
        (vec!["diagnose", &file, "--jobs", "0"], "--jobs"),
        (vec!["diagnos", &file], "tip: a similar subcommand exists: 'diagnose'"),
        (vec!["diagnose", &file, "--fail-on", "bloked"], "did you mean `blocked`?"),
        (vec!["diagnose", &file, "--fail-on", "conditionl"], "did you mean `conditional`?"),
        (vec!["diagnose", &file, "--only", "migratible"], "did you mean `migratable`?"),
        (vec!["diagnose", &file, "--edition", "alibaba-2032"], "did you mean `alibaba-2023`?"),
        (vec!["diagnose", &file, "--assume", "instanze=default"], "did you mean `instance`?"),
        (vec!["diagnose", &file, "--assume", "instance"], "expected FACT=VALUE"),
        (vec!["diagnose", &file, "--assume", "versions=0"], "the number of key versions, 1 or more"),
        (vec!["diagnose", &file, "--assume", "languages="], "expected one of none, Java"),
        (vec!["rules", "show", "rotaton-on"], "did you mean `rotation-on`?"),
        (vec!["rules", "new", "cmkk", "some-id"], "did you mean `cmk`?"),
    ] {
        let ran = expect(2, &arguments);
        assert!(ran.err.contains(says), "{arguments:?}: {}", ran.err);
        assert_eq!(ran.out, "", "{arguments:?}");
    }
}

#[test]
fn exit_3_some_records_were_rejected() {
    let folder = folder();
    let file = inventory(&folder, "keys.csv", &[GOOD, WRONG]);
    let ran = expect(3, &["diagnose", &file, "--format", "csv"]);
    assert_eq!(table(&ran.out).len(), 1, "the good record is written");
    expect(0, &["diagnose", &file, "--allow-rejects"]);
    expect(1, &["diagnose", &file, "--allow-rejects", "--fail-on", "migratable"]);
    assert_snapshot!(ran.err.replace(&file, "keys.csv"), @r"
    rejected: keys.csv:3, column versions: `0` not understood as versions; expected the number of key versions, 1 or more
    2 records read = 1 diagnosed (1 keys) + 1 rejected + 0 exact duplicates
    migratable 1
    ");
}

#[test]
fn exit_4_it_could_not_be_done() {
    let folder = folder();
    let nothing = put(&folder, "nothing.csv", "");
    let header = put(&folder, "header.csv", HEADER);
    let wrong = inventory(&folder, "wrong.csv", &[WRONG]);
    let wide = put(&folder, "utf32.csv", b"\xff\xfe\0\0k\0\0\0");
    let bare = put(&folder, "bare.csv", "k1;alias/a\nk2;alias/b\n");
    let sheet = put(&folder, "sheet.xlsx", b"PK\x03\x04rest");
    let twins = put(&folder, "twins.csv", "key_id,versions,versions\nk,1,2\n");
    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let empty = empty.to_str().unwrap();
    let good = inventory(&folder, "good.csv", &[GOOD]);
    let no_folder = folder.path().join("none/out.csv");
    let no_folder = no_folder.to_str().unwrap();
    for (arguments, says) in [
        (vec!["diagnose", "samples/none.csv"], "cannot read samples/none.csv"),
        (vec!["diagnose", &nothing], "the input is empty"),
        (vec!["diagnose", &header], "no usable record"),
        (vec!["diagnose", &wrong, "--allow-rejects"], "no usable record"),
        (vec!["diagnose", &wide], "save it as UTF-8"),
        (
            vec!["diagnose", &bare],
            "no column is called key_id or arn, so no record could be used; the first row says `k1;alias/a`",
        ),
        (vec!["diagnose", &sheet], "a damaged workbook or archive"),
        (vec!["diagnose", &twins], "columns 2 and 3 are both named `versions`"),
        (vec!["diagnose", empty], "holds no .csv"),
        (vec!["diagnose", &good, "-o", no_folder], "cannot write"),
        (vec!["diagnose", &good, "--rules", empty, "-o", "/dev/full"], "cannot write"),
        (vec!["diagnose", "-", "-"], "`-` can be read only once"),
        (vec!["explain", "nobody", "--in", &good], "no key, ARN or alias `nobody`"),
        (vec!["rules", "new", "cmk", "Bad_Id"], "use kebab-case"),
        (vec!["rules", "new", "cmk", "good-id", "--root", empty], "root of the source tree"),
        (vec!["rules", "new", "cmk", "rotation-on"], "ids are for ever"),
    ] {
        let ran = expect(4, &arguments);
        assert!(ran.err.contains(says), "{arguments:?}: {}", ran.err);
    }
}

// ---------------------------------------------------------------------------------------------------
// What it reads.

#[test]
fn standard_input_is_read() {
    let text = format!("{HEADER}{GOOD}{BLOCKED}");
    let ran = run_with(&["diagnose", "-", "--format", "csv", "-q"], text.as_bytes());
    assert_eq!(ran.code, 0);
    let rows = table(&ran.out);
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0]["origins"], "(standard input):2");
    let json = br#"{"key_id": "k", "origin": "EXTERNAL", "instance": "default", "aliases": []}"#;
    let ran = run_with(&["diagnose", "-", "--format", "csv", "-q"], json);
    assert_eq!(table(&ran.out)[0]["class"], "blocked");
}

#[test]
fn several_files_complete_each_other() {
    let folder = folder();
    let kms = put(
        &folder,
        "kms.csv",
        "key_id,aliases,instance,origin,rotation,versions\nk,alias/k,default,Aliyun_KMS,Disabled,1\n",
    );
    let team = put(
        &folder,
        "team.json",
        r#"[{"key_id": "k", "usage": "self-managed", "operations": ["Encrypt"], "languages": ["PHP"], "network": ["vpc"]}]"#,
    );
    let rows = rows(&[&kms, &team]);
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["class"], "blocked");
    assert_eq!(rows[0]["rules"], "unsupported-language");
    assert_eq!(rows[0]["origins"], format!("{kms}:2; {team}:1"));
}

#[test]
fn a_folder_is_read_in_alphabetical_order_and_what_is_not_an_inventory_is_left_out() {
    let folder = folder();
    inventory(&folder, "b.csv", &[BLOCKED]);
    inventory(&folder, "a/deep/keys.tsv.txt", &[GOOD]);
    put(&folder, "a/notes.md", "no inventory");
    put(&folder, "c.jsonl", "{\"key_id\": \"c\"}\n");
    inventory(&folder, ".hidden.csv", &[OPEN]);
    let rows = rows(&[folder.path().to_str().unwrap()]);
    let ids: Vec<&str> = rows.iter().map(|row| row["key_id"].as_str()).collect();
    assert_eq!(ids, ["good", "stuck", "c"]);
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

#[test]
fn compressed_inputs_are_read_whatever_their_name() {
    let folder = folder();
    let plain = std::fs::read(root().join(INVENTORY)).unwrap();
    let expected = classes(&[INVENTORY]);
    assert_eq!(expected.len(), 68);
    let half = plain.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let members = [gzip(&plain[..half]), gzip(&plain[half..])].concat();
    let frames = [zstd(&plain[..half]), zstd(&plain[half..])].concat();
    for (name, bytes) in [
        ("keys.csv.gz", gzip(&plain)),
        ("two-members.csv.gz", members),
        ("keys.csv.zst", zstd(&plain)),
        ("two-frames.csv.zst", frames),
        ("keys.csv", gzip(&plain)),
        ("keys", zstd(&plain)),
    ] {
        let file = put(&folder, name, &bytes);
        assert_eq!(classes(&[&file]), expected, "{name}");
        let ran = run_with(&["diagnose", "-", "-q", "--format", "csv"], &bytes);
        assert_eq!(table(&ran.out).len(), expected.len(), "{name} through a pipe");
    }
    let whole = gzip(&plain);
    let cut = put(&folder, "cut.csv.gz", &whole[..whole.len() / 2]);
    assert!(expect(3, &["diagnose", &cut]).err.contains("the gzip data is cut off"));
    let whole = zstd(&plain);
    let cut = put(&folder, "cut.csv.zst", &whole[..whole.len() / 2]);
    assert!(expect(4, &["diagnose", &cut]).err.contains("the zstd data is cut off"), "nothing came out");
}

#[test]
fn an_arn_as_key_id_gives_account_region_and_id() {
    let folder = folder();
    let file = put(&folder, "arn.csv", "key_id,aliases\nacs:kms:ap-southeast-1:2234567890123456:key/k-1,a\n");
    let rows = rows(&[&file]);
    assert_eq!(rows[0]["key_id"], "k-1");
    assert_eq!(rows[0]["account_id"], "2234567890123456");
    assert_eq!(rows[0]["region"], "ap-southeast-1");
    let wrong = put(
        &folder,
        "wrong.csv",
        "key_id,region\nacs:kms:ap-southeast-1:2:key/k-1,cn-hangzhou\nacs:kms:r:1:alias/x,\nk,\n",
    );
    let ran = expect(3, &["diagnose", &wrong, "--format", "csv"]);
    assert!(ran.err.contains("the ARN says `ap-southeast-1`, but region is `cn-hangzhou`"), "{}", ran.err);
    assert!(ran.err.contains("not the ARN of a key"), "{}", ran.err);
}

#[test]
fn a_row_with_too_few_or_too_many_cells_taints_the_key_that_it_names() {
    let folder = folder();
    let good = |key: &str| format!("{key},default,alias/a,Aliyun_KMS,Disabled,1,server-side");
    for row in ["k1,default", "k1,default,alias/a,Aliyun_KMS,Enabled,1,server-side,more,and more"] {
        let text =
            format!("key_id,instance,alias,origin,rotation,versions,usage\n{}\n{row}\n{}\n", good("k1"), good("k2"));
        let classes = classes(&[&put(&folder, "keys.csv", text), "--allow-rejects"]);
        assert_eq!((classes["k1"].as_str(), classes["k2"].as_str()), ("undetermined", "migratable"), "{row}");
    }
}

#[test]
fn a_record_that_may_be_about_either_of_two_keys_is_joined_to_neither() {
    let folder = folder();
    let file = put(
        &folder,
        "scope.csv",
        "key_id,account_id,region,origin,aliases\nk,,cn-hangzhou,EXTERNAL,a\nk,1,,,unknown\nk,2,,,unknown\n",
    );
    let ran = expect(3, &["diagnose", &file, "--format", "csv"]);
    assert!(ran.err.contains(":2"), "{}", ran.err);
    assert!(table(&ran.out).iter().all(|row| row["class"] == "undetermined"));
}

#[test]
fn the_replies_of_the_api_are_read_as_they_are() {
    for (reply, keys) in [
        (r#"{"TotalCount": 2, "Keys": {"Key": [{"KeyId": "a"}, {"KeyId": "b"}]}, "PageNumber": 1}"#, 2),
        (r#"{"RequestId": "x", "KeyMetadata": {"KeyId": "a", "Origin": "EXTERNAL"}}"#, 1),
    ] {
        let ran = run_with(&["diagnose", "-", "--format", "csv"], reply.as_bytes());
        assert_eq!((ran.code, table(&ran.out).len()), (0, keys), "{}", ran.err);
    }
}

#[test]
fn a_key_id_that_is_no_text_is_rejected() {
    let json = br#"[{"key_id": ["a", "b"]}, {"key_id": {"x": 1}}, {"key_id": true}, {"key_id": "k", "region": ["r", "s"]}, {"key_id": "good"}]"#;
    let ran = run_with(&["diagnose", "-", "--format", "csv"], json);
    assert_eq!(ran.code, 3, "{}", ran.out);
    assert_eq!(table(&ran.out).len(), 1);
}

// ---------------------------------------------------------------------------------------------------
// What it writes.

#[test]
fn the_file_of_rejects_names_file_line_column_value_and_reason() {
    let folder = folder();
    let list = folder.path().join("rejects.csv");
    let list = list.to_str().unwrap();
    expect(3, &["diagnose", INVENTORY, "--rejects", list, "-q", "-o", "/dev/null"]);
    let text = std::fs::read_to_string(list).unwrap();
    assert_snapshot!(text, @r#"
    file,line,column,value,reason
    samples/inventory.csv,74,versions,0,"not understood as versions; expected the number of key versions, 1 or more"
    samples/inventory.csv,75,languages,Jvaa,"not understood as languages; expected one of none, Java, Go, Python, Node.js, TypeScript, PHP, .NET, C, C++, Rust, Ruby, Kotlin, Scala, Swift, Objective-C, Perl, Lua, Erlang, Dart, R, shell, other, support-agreed; `none` if there is none, blank if nobody knows"
    "#);
    expect(0, &["diagnose", "samples/card.csv", "--rejects", list, "-q", "-o", "/dev/null"]);
    let text = std::fs::read_to_string(list).unwrap();
    assert_eq!(text, "file,line,column,value,reason\n", "no rejects, an empty list");
}

#[cfg(unix)]
fn mode(path: &str) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Runs under the usual mask for new files.
#[cfg(unix)]
fn run_under_umask(arguments: &[&str]) -> i32 {
    let status = Command::new("sh")
        .arg("-c")
        .arg("umask 022; exec \"$0\" \"$@\"")
        .arg(env!("CARGO_BIN_EXE_cmkdiag"))
        .args(arguments)
        .current_dir(root())
        .stderr(Stdio::null())
        .status();
    status.unwrap().code().unwrap()
}

#[test]
#[cfg(unix)]
fn a_file_appears_complete_with_the_usual_permissions_and_nothing_is_left_behind() {
    let folder = folder();
    let file = folder.path().join("out.csv");
    let file = file.to_str().unwrap();
    let rejects = folder.path().join("rejects.csv");
    let rejects = rejects.to_str().unwrap();
    let arguments = ["diagnose", INVENTORY, "--format", "csv", "-o", file, "--rejects", rejects];
    assert_eq!(run_under_umask(&arguments), 3);
    let printed = run(&["diagnose", INVENTORY, "--format", "csv"]).out;
    assert_eq!(std::fs::read_to_string(file).unwrap(), printed);
    assert_eq!(mode(file), 0o644);
    assert_eq!(mode(rejects), 0o644);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
#[cfg(unix)]
fn a_file_that_is_replaced_keeps_its_permissions() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = folder();
    let file = put(&folder, "private.csv", "old");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(run_under_umask(&["diagnose", INVENTORY, "--format", "csv", "-o", &file]), 3);
    assert_eq!(mode(&file), 0o600);
}

#[test]
#[cfg(unix)]
fn a_link_stays_a_link_and_a_device_a_device() {
    use std::os::unix::fs::FileTypeExt as _;
    let folder = folder();
    let file = put(&folder, "real.csv", "old");
    let link = folder.path().join("link.csv");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    expect(3, &["diagnose", INVENTORY, "--format", "csv", "-q", "-o", link.to_str().unwrap()]);
    assert!(link.symlink_metadata().unwrap().is_symlink());
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("key_id,"));
    expect(3, &["diagnose", INVENTORY, "-q", "-o", "/dev/null"]);
    assert!(std::fs::metadata("/dev/null").unwrap().file_type().is_char_device());
}

#[test]
fn an_existing_file_is_unchanged_if_the_run_fails() {
    let folder = folder();
    let file = put(&folder, "out.csv", "old");
    let cut = put(&folder, "cut.csv.gz", &gzip(b"key_id\n")[..9]);
    for (code, arguments) in [
        (4, vec!["diagnose", "samples/none.csv", "-o", &file]),
        (4, vec!["diagnose", &cut, "-o", &file]),
        (2, vec!["diagnose", INVENTORY, "-o", &file, "--only", "green"]),
        (4, vec!["diagnose", INVENTORY, "-o", &file, "--rules", "samples/none"]),
    ] {
        expect(code, &arguments);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "old", "{arguments:?}");
    }
}

#[test]
fn an_existing_file_is_unchanged_if_no_record_is_usable() {
    let folder = folder();
    let file = put(&folder, "out.csv", "old");
    let wrong = inventory(&folder, "wrong.csv", &[WRONG]);
    expect(4, &["diagnose", &wrong, "--format", "csv", "-o", &file]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "old");
}

#[test]
fn one_file_cannot_hold_both_result_and_rejects() {
    let folder = folder();
    let file = folder.path().join("both.csv");
    let file = file.to_str().unwrap();
    expect(2, &["diagnose", INVENTORY, "-o", file, "--rejects", file]);
}

#[test]
fn a_closed_pipe_is_success() {
    let folder = folder();
    let mut text = HEADER.to_owned();
    for number in 0..20_000 {
        text.push_str(&GOOD.replacen("good", &format!("key-{number}"), 1));
    }
    let file = put(&folder, "many.csv", text);
    for format in ["csv", "json", "jsonl", "table", "markdown"] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_cmkdiag"))
            .args(["diagnose", &file, "--format", format])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = child.stdout.take().unwrap();
        out.read_exact(&mut [0; 10]).unwrap();
        drop(out);
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0), "{format}: {said}");
        assert_eq!(said, "", "{format}");
    }
}

#[test]
fn quiet_says_nothing_but_errors() {
    let ran = expect(3, &["diagnose", INVENTORY, "--format", "csv", "--quiet"]);
    assert_eq!(ran.err, "");
    let ran = expect(4, &["diagnose", "samples/none.csv", "--quiet"]);
    assert!(ran.err.starts_with("error: "), "{}", ran.err);
}

#[test]
fn colour_is_written_only_if_it_is_asked_for() {
    let folder = folder();
    let file = folder.path().join("out.txt");
    let plain = run(&["diagnose", INVENTORY]);
    assert!(!plain.out.contains('\u{1b}'));
    let coloured = run(&["diagnose", INVENTORY, "--color", "always"]);
    assert!(coloured.out.contains("\u{1b}["));
    run(&["diagnose", INVENTORY, "--color", "always", "-o", file.to_str().unwrap()]);
    assert!(!std::fs::read_to_string(file).unwrap().contains('\u{1b}'), "a file gets no colour");
}

#[test]
fn only_writes_the_keys_of_the_named_classes_but_counts_all() {
    let all = classes(&[INVENTORY]);
    let some = classes(&[INVENTORY, "--only", "blocked,undetermined"]);
    let expected: BTreeMap<_, _> =
        all.into_iter().filter(|(_, class)| class == "blocked" || class == "undetermined").collect();
    assert_eq!(some, expected);
    let ran = expect(3, &["diagnose", INVENTORY, "--only", "service-key", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(json["keys"].as_array().unwrap().len(), 5);
    assert_eq!(json["summary"]["keys"], 68);
    let ran = expect(1, &["diagnose", INVENTORY, "--only", "service-key", "--fail-on", "blocked", "--format", "csv"]);
    assert_eq!(table(&ran.out).len(), 5, "the gate looks at all keys, not only at those that are written");
}

#[test]
fn columns_that_are_not_understood_are_named_once_or_passed_through() {
    let folder = folder();
    let text = "key_id,cost centre,aliases,colour\nk,\"7, west\",a,red\n";
    let one = put(&folder, "one.csv", text);
    let two = put(&folder, "two.csv", "key_id,colour,aliases\nk,blue,a\nl,,b\n");
    let ran = expect(0, &["diagnose", &one, &two, "--format", "csv"]);
    let notes: Vec<&str> = ran.err.lines().filter(|line| line.contains("colour")).collect();
    assert_eq!(
        notes,
        ["note: columns not understood and left out: colour, cost centre (--keep-columns passes them through)"]
    );
    assert!(!ran.out.contains("west"));
    let ran = expect(0, &["diagnose", &one, &two, "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let text = notes[0].strip_prefix("note: ").unwrap();
    let note = serde_json::json!({ "kind": "left-out", "file": null, "line": null, "text": text });
    assert_eq!(json["summary"]["notes"], serde_json::json!([note]));
    let ran = expect(0, &["diagnose", &one, &two, "--format", "markdown"]);
    assert!(ran.out.contains("- (left-out) columns not understood and left out: colour, cost centre"), "{}", ran.out);
    let ran = expect(0, &["diagnose", &one, &two, "--format", "json", "--keep-columns"]);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(json["summary"]["notes"], serde_json::json!([]));
    let ran = expect(0, &["diagnose", &one, &two, "--format", "csv", "--keep-columns"]);
    assert!(!ran.err.contains("note:"), "{}", ran.err);
    let rows = table(&ran.out);
    assert_eq!(rows[0]["cost centre"], "7, west");
    assert_eq!(rows[0]["colour"], "red; blue");
    assert_eq!(rows[1]["colour"], "");
    for format in ["json", "jsonl"] {
        let ran = expect(0, &["diagnose", &one, "--format", format, "--keep-columns"]);
        assert!(ran.out.contains(r#""columns":{"colour":"red","cost centre":"7, west"}"#), "{}", ran.out);
    }
}

#[test]
fn chosen_columns_are_those_of_the_whole_table_in_the_order_asked_for() {
    let whole = table(&expect(3, &["diagnose", INVENTORY, "--format", "csv"]).out);
    let header = |text: &str| text.lines().next().unwrap().to_owned();
    let mut names: Vec<&String> = whole[0].keys().collect();
    names.sort();
    for chosen in [
        // Neighbours in the table and others, blank cells first and last, in an order of their own.
        "key_id,region,account_id,class,confirmed,rules",
        "gaps,assumed,key_id,conditions",
        "confirmed,class",
        "origins,unlocks,advisories,possible,scenario,aliases",
        &names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(","),
    ] {
        let ran = expect(3, &["diagnose", INVENTORY, "--format", "csv", "--columns", chosen]);
        assert_eq!(header(&ran.out), chosen);
        let rows = table(&ran.out);
        assert_eq!(rows.len(), whole.len());
        for (row, all) in rows.iter().zip(&whole) {
            assert!(row.iter().all(|(name, cell)| *cell == all[name]), "{row:?} {all:?}");
        }
    }
    let ran = expect(3, &["diagnose", INVENTORY, "--format", "csv", "--columns", "class,key_id"]);
    assert_eq!(header(&ran.out), "class,confirmed,key_id", "no verdict passes for one without conditions");
    for (columns, format, reason) in [
        ("key_idd", "csv", "--columns key_idd: there is no such column; did you mean `key_id`?"),
        ("rules,rules", "csv", "--columns rules: it is named twice"),
        ("rules", "json", "--columns chooses among the columns of --format csv; give both"),
    ] {
        let ran = expect(2, &["diagnose", INVENTORY, "--format", format, "--columns", columns]);
        assert!(ran.err.contains(reason), "{}", ran.err);
    }
}

#[test]
fn a_row_of_one_blank_cell_is_a_row() {
    let folder = folder();
    let file = put(&folder, "keys.csv", "key_id,account_id\nk,\nl,5\n");
    let ran = expect(0, &["diagnose", &file, "--format", "csv", "--columns", "account_id"]);
    assert_eq!(ran.out, "account_id\n\"\"\n5\n");
}

#[test]
fn beside_a_key_id_an_id_is_something_else_in_that_object_only() {
    let folder = folder();
    let object = |number: usize| {
        let name = if number % 1000 == 7 { r#""id":"other","key_id""# } else { r#""id""# };
        let blanks = " ".repeat(number * 7 % 61);
        format!(r#"{{{name}:"k{number}","origin":"Aliyun_KMS","rotation":"Disabled"{blanks}}}"#)
    };
    let many: Vec<String> = (0..20_000).map(object).collect();
    let file = put(&folder, "keys.jsonl", many.join("\n"));
    let mut outputs = std::collections::BTreeSet::new();
    for jobs in ["1", "2", "5"] {
        let ran = expect(0, &["diagnose", &file, "--format", "csv", "--keep-columns", "--jobs", jobs]);
        let rows = table(&ran.out);
        assert_eq!(rows.len(), 20_000, "{}", ran.err);
        assert_eq!((rows[7]["key_id"].as_str(), rows[7]["id"].as_str()), ("k7", "other"));
        assert_eq!((rows[8]["key_id"].as_str(), rows[8]["id"].as_str()), ("k8", ""));
        outputs.insert(ran.out);
    }
    assert_eq!(outputs.len(), 1, "one thread sees other objects than another");
    // A record that is rejected taints its key, by whichever name it calls it.
    let good = r#"{"key_id":"k","id":"x","aliases":[],"instance":"default","origin":"Aliyun_KMS","rotation":"Disabled","versions":1}"#;
    let bad = r#"{"id":"k","versions":0}"#;
    let file = put(&folder, "few.jsonl", format!("{good}\n{bad}\n{}", good.replace(r#":"k""#, r#":"l""#)));
    let ran = run(&["diagnose", &file, "--format", "csv", "--quiet"]);
    let rows = table(&ran.out);
    assert_eq!((rows[0]["key_id"].as_str(), rows[0]["class"].as_str()), ("k", "undetermined"));
    assert_eq!((rows[1]["key_id"].as_str(), rows[1]["class"].as_str()), ("l", "migratable"));
    // The member that comes first is the one that is named.
    let twice = r#"{"key_id":"k","origin":1,"versions":1,"versions":2,"origin":2}"#;
    let file = put(&folder, "twice.jsonl", format!("{good}\n{twice}\n"));
    let ran = expect(3, &["diagnose", &file]);
    assert!(ran.err.contains("column versions: the member stands twice"), "{}", ran.err);
}

#[test]
fn a_rejected_record_taints_its_key_by_whichever_arn_names_it() {
    let folder = folder();
    let arn = "acs:kms:cn-hangzhou:1234567890123456:key/k";
    let text = format!(
        "key_id,arn,key_arn,aliases,instance,origin,rotation,versions\n\
         k,,,,default,Aliyun_KMS,Disabled,1\nl,,,,default,Aliyun_KMS,Disabled,1\n\
         ,,{arn},,default,Aliyun_KMS,Disabled,0\n"
    );
    let ran = expect(3, &["diagnose", &put(&folder, "keys.csv", &text), "--format", "csv"]);
    let classes: Vec<(String, String)> =
        table(&ran.out).into_iter().map(|row| (row["key_id"].clone(), row["class"].clone())).collect();
    assert_eq!(classes, [("k".into(), "undetermined".into()), ("l".into(), "migratable".into())]);
}

#[test]
fn no_way_out_is_named_for_a_key_that_has_none() {
    let folder = folder();
    let text = "key_id,instance,aliases,origin,rotation,versions,usage,operations,languages,network\n\
                both,default,none,Aliyun_KMS,Disabled,3,self-managed,Encrypt,PHP,vpc\n\
                porting,default,none,Aliyun_KMS,Disabled,1,self-managed,Encrypt,PHP,vpc\n\
                neither,default,none,EXTERNAL,Disabled,3,self-managed,Encrypt,Java,vpc\n";
    let rows = table(&expect(0, &["diagnose", &put(&folder, "keys.csv", text), "--format", "csv"]).out);
    let none =
        "No way to migrate it: keep it in the old console, or re-encrypt its data under a new key in the instance";
    assert_eq!(rows[0]["remedy"], none, "porting the application would be in vain");
    assert_eq!(rows[0]["rules"], "several-versions; unsupported-language", "but every reason is named");
    assert_eq!(rows[0]["source"], "alibaba-migrate-cmks § Usage notes, § Scenario 2");
    assert_eq!(rows[1]["remedy"], "Ask technical support by ticket, or port the application to Java, Go or Python");
    assert_eq!((rows[2]["remedy"].as_str(), rows[2]["source"].as_str()), (none, "alibaba-migrate-cmks § Usage notes"));
}

#[test]
fn a_list_that_is_passed_through_is_readable_in_every_format() {
    let json = br#"[{"key_id": "k", "cost": ["a", "b"]}]"#;
    for format in ["csv", "json", "jsonl", "markdown"] {
        let ran = run_with(&["diagnose", "-", "--keep-columns", "--format", format], json);
        assert!(ran.out.contains("a; b"), "{format}: {}", ran.out);
    }
}

#[test]
fn chinese_is_spoken_in_every_format() {
    for format in ["table", "csv", "json", "jsonl", "markdown"] {
        let ran = expect(3, &["diagnose", INVENTORY, "--lang", "zh", "--format", format]);
        assert!(ran.out.contains("密钥材料") || ran.out.contains("该密钥无法迁移"), "{format}");
        for english in ["The key material was imported", "Open a ticket", "Disable automatic"] {
            assert!(!ran.out.contains(english), "{format}: {english}");
        }
    }
    let ran = expect(3, &["diagnose", INVENTORY, "--lang", "zh"]);
    assert!(ran.out.contains("读取 74 条记录 = 已诊断 71 条（68 个密钥）+ 拒绝 2 条 + 完全重复 1 条"));
    let english = classes(&[INVENTORY]);
    assert_eq!(classes(&[INVENTORY, "--lang", "zh"]), english, "classes are the same words");
    let keys = ["alias/orders-rewrap", "alias/quotes", "00000000-0000-4000-8000-000000000064"];
    let ran = expect(0, &["explain", keys[0], keys[1], keys[2], "--in", INVENTORY, "--lang", "zh"]);
    let shown = expect(0, &["rules", "show", "several-versions", "one-month-deadline", "--lang", "zh"]);
    for text in [ran.out, shown.out] {
        for english in
            ["Facts", "Findings", "Ways to", "Not settled", "remedy:", "Remedy", "source:", "Source:", "Fires"]
        {
            assert!(!text.contains(english), "{english}: {text}");
        }
    }
}

#[test]
fn the_same_input_gives_the_same_bytes_however_many_threads_work() {
    let folder = folder();
    let mut text = HEADER.replace("\n", ",note\n");
    for number in 0..12_000 {
        let row = [GOOD, CONDITIONAL, BLOCKED, OPEN, WRONG][number % 5];
        let (_, rest) = row.split_once(',').unwrap();
        let rest = rest.trim_end().replace("Java", ["Java", "Go", "PHP", "Java;Go"][number / 7 % 4]);
        text.push_str(&format!("key-{},{rest},note {number} {}\n", number % 9_001, "x".repeat(200)));
    }
    assert!(text.len() > 2 << 20, "more than one block of input");
    let file = put(&folder, "many.csv", text);
    for format in ["csv", "json", "jsonl", "table", "markdown"] {
        let with = |jobs: &str| {
            let arguments = ["diagnose", &file, INVENTORY, "--keep-columns", "--format", format, "--jobs", jobs];
            let ran = expect(3, &arguments);
            (ran.out, ran.err)
        };
        let first = with("1");
        for jobs in ["1", "2", "5"] {
            assert!(with(jobs) == first, "{format} with --jobs {jobs} differs");
        }
    }
}

// ---------------------------------------------------------------------------------------------------
// How it judges.

#[test]
fn strict_makes_conditional_verdicts_undetermined() {
    let folder = folder();
    let file = inventory(&folder, "keys.csv", &[GOOD, CONDITIONAL]);
    let usual = rows(&[&file]);
    assert_eq!((usual[1]["class"].as_str(), usual[1]["confirmed"].as_str()), ("migratable", "no"));
    assert!(usual[1]["conditions"].starts_with("instance: "));
    let strict = rows(&[&file, "--strict"]);
    assert_eq!(strict[0], usual[0], "a confirmed verdict stays as it is");
    assert_eq!(strict[1]["class"], "undetermined");
    assert_eq!(strict[1]["conditions"], "");
    assert!(strict[1]["gaps"].starts_with("instance: "), "{}", strict[1]["gaps"]);
    let on_sample = rows(&[INVENTORY, "--strict"]);
    for row in &on_sample {
        assert_eq!(row["confirmed"] == "yes", row["class"] != "undetermined", "{row:?}");
    }
}

#[test]
fn an_undetermined_key_is_not_told_to_open_a_ticket() {
    let folder = folder();
    let file = inventory(&folder, "keys.csv", &[CONDITIONAL]);
    let strict = rows(&[&file, "--strict"]);
    assert_eq!(strict[0]["class"], "undetermined");
    assert!(!strict[0]["remedy"].contains("Open a ticket"), "{}", strict[0]["remedy"]);
    let ran = expect(0, &["diagnose", &file, "--strict"]);
    assert!(!ran.out.contains("Nothing stands in the way of the migration; not settled"), "{}", ran.out);
}

#[test]
fn what_is_assumed_is_recorded_and_never_overrides_what_is_known() {
    let folder = folder();
    let file = inventory(&folder, "keys.csv", &[GOOD, CONDITIONAL]);
    let rows_of = |assume: &str| rows(&[&file, "--assume", assume]);
    let default = rows_of("instance=default");
    assert_eq!(default[0]["assumed"], "", "known, so nothing was assumed");
    assert_eq!(default[1]["assumed"], "instance=default");
    assert_eq!((default[1]["class"].as_str(), default[1]["confirmed"].as_str()), ("migratable", "yes"));
    let dedicated = rows_of("instance=kst-hzz1");
    assert_eq!(dedicated[0]["class"], "migratable", "the inventory says default");
    assert_eq!(dedicated[1]["class"], "not-required");
    assert_eq!(dedicated[1]["assumed"], "instance=dedicated");
    let by_spelling = rows_of("KMS Instance=默认");
    assert_eq!(by_spelling, default, "a spelling of an inventory will do");
    for (format, said) in [
        ("json", r#""assumed":{"instance":"default"}"#),
        ("jsonl", r#""assumed":{"instance":"default"}"#),
        ("csv", "instance=default"),
    ] {
        let ran = expect(0, &["diagnose", &file, "--assume", "instance=default", "--format", format]);
        assert_eq!(ran.out.matches(said).count(), 1, "{format}: {}", ran.out);
    }
    let ran = expect(0, &["explain", "maybe", "--in", &file, "--assume", "instance=default"]);
    assert!(ran.out.contains("assumed   --assume"), "{}", ran.out);
}

#[test]
fn what_is_assumed_is_recorded_in_the_formats_for_people_too() {
    let folder = folder();
    let file = inventory(&folder, "keys.csv", &[GOOD, CONDITIONAL]);
    for format in ["table", "markdown"] {
        let ran = expect(0, &["diagnose", &file, "--assume", "instance=default", "--format", format]);
        assert!(ran.out.contains("instance=default"), "{format}: {}", ran.out);
    }
}

#[test]
fn two_assumptions_about_one_fact_are_refused() {
    let folder = folder();
    let file = inventory(&folder, "keys.csv", &[CONDITIONAL]);
    expect(2, &["diagnose", &file, "--assume", "instance=default", "--assume", "instance=kst-1"]);
}

#[test]
fn an_assumption_does_not_settle_a_conflict() {
    let folder = folder();
    let file = put(&folder, "keys.csv", "key_id,rotation\nk,on\nk,off\n");
    let rows = rows(&[&file, "--assume", "rotation=off"]);
    assert_eq!(rows[0]["class"], "undetermined");
    assert_eq!(rows[0]["assumed"], "");
}

#[test]
fn alias_and_manager_type_that_disagree_leave_the_key_undetermined() {
    let folder = folder();
    let header = HEADER.replace("instance", "instance,manager_type");
    let key = |id: &str, alias: &str, kind: &str| {
        format!("{id},{alias},default,{kind},Aliyun_KMS,Disabled,1,server-side,none,none,none\n")
    };
    let text = [
        header,
        key("a", "alias/acs/oss", "customer"),
        key("b", "alias/mine", "service"),
        key("c", "alias/acs/oss", "service"),
        key("d", "alias/mine", "customer"),
    ]
    .concat();
    let file = put(&folder, "keys.csv", text);
    let rows = rows(&[&file]);
    let classes: Vec<&str> = rows.iter().map(|row| row["class"].as_str()).collect();
    assert_eq!(classes, ["undetermined", "undetermined", "service-key", "migratable"]);
    assert_eq!(rows[0]["possible"], "service-key | migratable");
    assert!(rows[0]["gaps"].starts_with("key_manager: "), "{}", rows[0]["gaps"]);
}

#[test]
fn a_conflict_names_both_places_in_every_format() {
    let folder = folder();
    let one = inventory(&folder, "one.csv", &[GOOD]);
    let two = inventory(&folder, "two.csv", &[&GOOD.replace("Disabled", "Enabled")]);
    let places = [format!("{one}:2"), format!("{two}:2")];
    for format in ["csv", "json", "jsonl"] {
        let ran = expect(0, &["diagnose", &one, &two, "--format", format]);
        assert!(ran.out.contains("undetermined"));
        for place in &places {
            assert!(ran.out.contains(place.as_str()), "{format}: {place} in {}", ran.out);
        }
    }
    let row = &rows(&[&one, &two])[0];
    assert_eq!(row["conflicts"], format!("rotation: Disabled ({}), Enabled ({})", places[0], places[1]));
    // A narrow table breaks long words, so look at it without blanks.
    let ran = expect(0, &["diagnose", &one, &two]);
    let table: String = ran.out.split_whitespace().collect();
    let explained = expect(0, &["explain", "good", "--in", &one, "--in", &two]).out;
    for place in &places {
        assert!(table.contains(place.as_str()), "table: {place} in {}", ran.out);
        assert!(explained.contains(place.as_str()), "explain: {place} in {explained}");
    }
}

// ---------------------------------------------------------------------------------------------------
// Rules of the user's own.

const FREEZE_ATOMS: &str = r#"
[[atom]]
name = "marked-as-frozen"
doc = "The change calendar froze the key."
column = "freeze"
equals = ["yes", "frozen"]
"#;

const FREEZE_CARD: &str = r#"```toml
id = "frozen-by-calendar"
kind = "class"
class = "blocked"
basis = "ours"
since = "alibaba-2023"
interpretation = "Our own rule: nothing moves while the change calendar says so."
when = [{ all = ["is-key", "in-default-instance", "marked-as-frozen"] }]

[title]
en = "The change calendar freezes the key"
zh = "该密钥处于变更冻结期"

[[source]]
document = "alibaba-migrate-cmks"
section = "Usage notes"
retrieved = "2026-11-21"
says = "The owner decides on the migration time window."

[remedy]
kind = "none"
en = "Wait until the freeze is over"
zh = "请等待冻结期结束"
```

# The change calendar freezes the key

Nothing of this key may be changed while the calendar of changes is frozen. Wait until it is over.

## 中文

在变更冻结期内，不得对该密钥做任何变更。请等待冻结期结束后再迁移。

```csv
key_id,instance,freeze,expect
k-frozen,default,yes,fires
k-free,default,no,silent
k-unknown,default,,undetermined
```
"#;

fn own_rules(folder: &TempDir) -> String {
    put(folder, "rules/atoms.toml", FREEZE_ATOMS);
    put(folder, "rules/README.md", "Not a card.");
    put(folder, "rules/frozen-by-calendar.md", FREEZE_CARD);
    folder.path().join("rules").to_str().unwrap().to_owned()
}

#[test]
fn a_card_of_the_user_s_own_blocks_the_keys_that_its_column_marks() {
    let folder = folder();
    let rules = own_rules(&folder);
    let text = format!(
        "{}{}",
        HEADER.replace("\n", ",Freeze\n"),
        [("a", "yes"), ("b", "no"), ("c", ""), ("d", "FROZEN"), ("e", "unknown")]
            .map(|(id, freeze)| GOOD.replacen("good", id, 1).replace("\n", &format!(",{freeze}\n")))
            .concat()
    );
    let file = put(&folder, "keys.csv", text);
    let rows = rows(&[&file, "--rules", &rules]);
    let said: Vec<&str> = rows.iter().map(|row| row["class"].as_str()).collect();
    assert_eq!(said, ["blocked", "migratable", "undetermined", "blocked", "undetermined"]);
    assert_eq!(rows[0]["rules"], "frozen-by-calendar");
    assert_eq!(rows[3]["rules"], "frozen-by-calendar");
    assert_eq!(rows[2]["possible"], "blocked | migratable");
    assert_eq!(rows[2]["gaps"], "column:marked-as-frozen: fill in the column freeze");
    let ran = expect(0, &["diagnose", &file, "--rules", &rules]);
    assert!(!ran.err.contains("not understood"), "the column is used: {}", ran.err);
    let without = expect(0, &["diagnose", &file]);
    assert!(without.err.contains("left out: Freeze"), "{}", without.err);
    let digest = |ran: &Ran| ran.out.lines().find(|line| line.starts_with("Rulebook")).unwrap().to_owned();
    assert_ne!(digest(&ran), digest(&without), "another rulebook, another digest");
}

#[test]
fn the_user_s_own_cards_are_listed_shown_and_checked() {
    let folder = folder();
    let rules = own_rules(&folder);
    let ran = expect(0, &["rules", "check", "--rules", &rules]);
    assert!(ran.out.contains("67 cards") || ran.out.contains("nothing to complain about"), "{}", ran.out);
    let ran = expect(0, &["rules", "list", "--rules", &rules]);
    assert!(ran.out.contains("frozen-by-calendar"));
    let ran = expect(0, &["rules", "show", "frozen-by-calendar", "--rules", &rules]);
    assert!(ran.out.contains("marked-as-frozen: The change calendar froze the key"), "{}", ran.out);
}

#[test]
fn mistakes_in_the_user_s_own_cards_are_named() {
    for (from, to, code, says) in [
        ("marked-as-frozen\"] }", "marked-as-frozn\"] }", 4, "did you mean `marked-as-frozen`?"),
        ("class = \"blocked\"", "class = \"bloked\"", 4, "did you mean `blocked`?"),
        ("basis = \"ours\"", "basiss = \"ours\"", 4, "unknown field `basiss`"),
        ("id = \"frozen-by-calendar\"", "id = \"frozen\"", 4, "they must agree"),
        ("k-free,default,no,silent", "k-free,default,no,fires", 4, "is expected to be fires, but is silent"),
        ("k-free,default,no,silent\n", "", 4, "no example is silent"),
        ("Wait until the freeze is over\"", "TODO\"", 4, "marked TODO"),
        ("since = \"alibaba-2023\"", "since = \"alibaba-1999\"", 2, "alibaba-2023"),
    ] {
        let folder = folder();
        let rules = own_rules(&folder);
        assert!(FREEZE_CARD.contains(from), "{from}");
        put(&folder, "rules/frozen-by-calendar.md", FREEZE_CARD.replacen(from, to, 1));
        let ran = expect(code, &["rules", "check", "--rules", &rules]);
        let said = format!("{}{}", ran.out, ran.err);
        assert!(said.contains(says), "{to}: {said}");
    }
}

#[test]
fn a_card_of_the_user_s_own_cannot_take_a_name_that_is_taken() {
    let folder = folder();
    let rules = own_rules(&folder);
    put(&folder, "rules/rotation-on.md", FREEZE_CARD.replace("frozen-by-calendar", "rotation-on"));
    let ran = expect(4, &["diagnose", INVENTORY, "--rules", &rules]);
    assert!(ran.err.contains("two cards are named `rotation-on`"), "{}", ran.err);
}

#[test]
fn an_atom_of_the_user_s_own_cannot_take_a_name_that_is_taken() {
    for name in ["rotation-on", "marked-as-frozen"] {
        let folder = folder();
        let rules = own_rules(&folder);
        let second = FREEZE_ATOMS.replace("marked-as-frozen", name).replace("freeze", "other");
        put(&folder, "rules/atoms.toml", format!("{FREEZE_ATOMS}{second}"));
        let ran = expect(4, &["rules", "check", "--rules", &rules]);
        assert!(ran.err.contains(name), "{}", ran.err);
    }
}

#[test]
fn only_commands_have_holes_so_a_key_id_cannot_break_the_csv() {
    let folder = folder();
    let rules = own_rules(&folder);
    let card = FREEZE_CARD.replace("Wait until the freeze is over", "Look at {key_id} now");
    put(&folder, "rules/frozen-by-calendar.md", card);
    let file = put(&folder, "keys.csv", "key_id,instance,aliases,origin,freeze\na-b,default,x,EXTERNAL,yes\n");
    let row = &rows(&[&file, "--rules", &rules])[0];
    assert!(row["remedy"].contains("Look at {key_id} now"), "{row:?}");
    assert_eq!(row["origins"], format!("{file}:2"));
}

// ---------------------------------------------------------------------------------------------------
// Explaining.

const ORDERS: &str = "00000000-0000-4000-8000-000000000027";

#[test]
fn explain_tells_everything_about_a_key() {
    let ran = expect(0, &["explain", ORDERS, "--in", INVENTORY]);
    assert_snapshot!(without_digest(&ran.out), @r"
    00000000-0000-4000-8000-000000000027  alias/orders  1234567890123456 cn-hangzhou
    needs-rotation-disabled. Can be migrated once automatic rotation is disabled
    scenario: 2
    rotation deadline: 2026-12-20T06:34:21Z
    owner: team-orders
    applications: order-service
    rulebook: cmk/alibaba-2023@DIGEST

    Facts
      resource          key                      stated    samples/inventory.csv:32
      instance          default                  stated    samples/inventory.csv:32
      aliases           user                     stated    samples/inventory.csv:32
      manager_type      customer                 stated    samples/inventory.csv:32
      key_manager       customer                 stated    follows from other facts
      origin            Aliyun_KMS               stated    samples/inventory.csv:32
      rotation          Enabled                  stated    samples/inventory.csv:32
      versions          one                      stated    samples/inventory.csv:32
      usage             self-managed             stated    samples/inventory.csv:32
      operations        ordinary                 stated    samples/inventory.csv:32
      languages         Java                     stated    samples/inventory.csv:32
      network           vpc                      stated    samples/inventory.csv:32
      application_use   yes                      stated    follows from other facts
      state             Enabled                  stated    samples/inventory.csv:32
      key_spec          Aliyun_AES_256           stated    samples/inventory.csv:32
      key_usage         ENCRYPT/DECRYPT          stated    samples/inventory.csv:32
      protection_level  SOFTWARE                 stated    samples/inventory.csv:32
      key_id_form       uuid                     stated    samples/inventory.csv:32

    Findings
      rotation-on → needs-rotation-disabled (decides, documented)
        Automatic rotation is on and the key still has one version (instance: default; key_manager: customer; origin: Aliyun_KMS; rotation: Enabled; versions: one)
        source: Alibaba Cloud, “Migrate CMKs in default KMS instances to your KMS instances”, section “Usage notes”, read 2026-11-21
                A CMK with automatic rotation cannot be migrated as it stands; if it has only one version, it can be once rotation is disabled.
        remedy: Disable automatic rotation before the next rotation date, then diagnose again
                aliyun kms UpdateRotationPolicy --region cn-hangzhou --KeyId 00000000-0000-4000-8000-000000000027 --EnableAutomaticRotation false

    Ways to a migratable key (each a minimal set of actions)
      Disable automatic rotation
        aliyun kms UpdateRotationPolicy --region cn-hangzhou --KeyId 00000000-0000-4000-8000-000000000027 --EnableAutomaticRotation false
    ");
}

#[test]
fn explain_finds_a_key_by_id_arn_or_alias() {
    let by_id = expect(0, &["explain", ORDERS, "--in", INVENTORY]).out;
    let arn = format!("acs:kms:cn-hangzhou:1234567890123456:key/{ORDERS}");
    assert_eq!(expect(0, &["explain", &arn, "-i", INVENTORY]).out, by_id);
    assert_eq!(expect(0, &["explain", "alias/orders", "-i", INVENTORY]).out, by_id);
    let elsewhere = arn.replace("cn-hangzhou", "cn-shanghai");
    expect(4, &["explain", &elsewhere, "-i", INVENTORY]);
    let both = expect(0, &["explain", ORDERS, "alias/quotes", "-i", INVENTORY]).out;
    assert!(both.starts_with(&by_id));
    assert!(both.contains("alias/quotes"));
    let json = expect(0, &["explain", "alias/orders", "-i", INVENTORY, "--format", "json"]).out;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["key_id"], ORDERS);
}

#[test]
fn explain_gives_the_command_for_each_gap_with_the_key_filled_in() {
    let key = "00000000-0000-4000-8000-000000000058";
    let ran = expect(0, &["explain", key, "--in", INVENTORY]);
    assert!(ran.out.contains("possible: blocked, needs-rotation-disabled"), "{}", ran.out);
    assert!(ran.out.contains(&format!("aliyun kms ListKeyVersions --region cn-hangzhou --KeyId {key}")), "{}", ran.out);
    let conditional = "00000000-0000-4000-8000-000000000048";
    let ran = expect(0, &["explain", conditional, "--in", INVENTORY]);
    assert!(ran.out.contains("To confirm before anything irreversible"), "{}", ran.out);
}

#[test]
fn explain_of_an_unknown_key_suggests_what_may_have_been_meant() {
    let ran = expect(4, &["explain", "alias/ordres", "alias/quotes", "--in", INVENTORY]);
    assert!(
        ran.err.contains("no key, ARN or alias `alias/ordres` in the inventory; did you mean `alias/orders`?"),
        "{}",
        ran.err
    );
    assert!(ran.out.contains("alias/quotes"), "the other key is explained");
    let ran = expect(4, &["explain", "zzz", "--in", INVENTORY]);
    assert!(ran.err.contains("`diagnose` lists all keys"), "{}", ran.err);
}

#[test]
fn a_key_id_that_no_key_has_is_refused_with_what_to_do() {
    let folder = folder();
    for id in ["{region}", "alias/orders", "the orders key", "密钥一"] {
        let file = put(&folder, "keys.csv", format!("{HEADER}{}{GOOD}", GOOD.replacen("good", id, 1)));
        let ran = expect(3, &["diagnose", &file]);
        assert!(ran.err.contains("keys.csv:2, column key_id: `"), "{}", ran.err);
        assert!(ran.err.contains("key id"), "{}", ran.err);
    }
}

/// Each of the two rows says half of what makes the key green; as two keys, one of them would be green.
#[test]
fn one_key_in_two_spellings_is_one_key() {
    let folder = folder();
    const ID: &str = "0f5a1c1e-8a51-4b0e-9a5e-3d0c6a7b1f01";
    for other in [
        ID.to_uppercase(),
        format!("\u{feff}{ID}"),
        format!("{ID}\u{200b}"),
        format!("'{ID}"),
        format!("\"=\"\"{ID}\"\"\""),
        format!("key/{ID}"),
        format!("{ID}."),
        format!("acs:kms:CN-HANGZHOU:1234567890123456:key/{ID}"),
    ] {
        let row = GOOD.replacen("good", ID, 1);
        let file = put(
            &folder,
            "keys.csv",
            format!("{HEADER}{row}{}", row.replacen(ID, &other, 1).replace("Disabled", "Enabled")),
        );
        let rows = rows(&[&file]);
        assert_eq!((rows.len(), rows[0]["key_id"].as_str()), (1, ID), "{other}");
        assert_eq!(rows[0]["class"], "undetermined", "{other}");
    }
}

#[test]
fn one_region_and_one_account_in_two_spellings_are_one() {
    let folder = folder();
    for (account, region) in [
        ("1234567890123456", "华东1（杭州）"),
        ("'1234567890123456", "CN-HANGZHOU"),
        ("1234567890123456.0", "China (Hangzhou)"),
        ("1234 5678 9012 3456", "cn-hangzhou\u{200b}"),
        ("1234****3456", "somewhere"),
    ] {
        let table = format!(
            "key_id,account_id,region,rotation\nk1,1234567890123456,cn-hangzhou,Disabled\nk1,{account},{region},Enabled\n"
        );
        let file = put(&folder, "keys.csv", table);
        let rows = rows(&[&file]);
        assert_eq!(rows.len(), 1, "{account} {region}");
        assert_eq!((rows[0]["account_id"].as_str(), rows[0]["region"].as_str()), ("1234567890123456", "cn-hangzhou"));
    }
    let file = put(&folder, "masked.csv", "key_id,account_id,region\nk1,1234****3456,here\nk2,1235****3456,here\n");
    let ran = expect(0, &["diagnose", &file]);
    assert!(ran.err.contains("2 values of account_id are left out, first `1234****3456`: masked"), "{}", ran.err);
    assert!(ran.err.contains("the region `here` is left out: no region that is known"), "{}", ran.err);
}

// ---------------------------------------------------------------------------------------------------
// The rulebook.

#[test]
fn rules_list_names_every_page() {
    let pages = std::fs::read_dir(root().join("src/domains/cmk/rules")).unwrap();
    let mut stems: Vec<String> =
        pages.map(|page| page.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    stems.sort();
    let json = expect(0, &["rules", "list", "--format", "json"]).out;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let cards = json["cards"].as_array().unwrap();
    let mut ids: Vec<&str> = cards.iter().map(|card| card["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, stems);
    let text = expect(0, &["rules", "list"]).out;
    let first = text.lines().next().unwrap();
    assert_eq!(without_digest(first), format!("cmk/alibaba-2023@DIGEST ({} cards)", stems.len()));
    let listed: BTreeSet<&str> = text.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(listed, ids.into_iter().collect());
    let chinese = expect(0, &["rules", "list", "--lang", "zh"]).out;
    assert!(chinese.contains("密钥材料"));
}

#[test]
fn rules_show_gives_explanation_condition_remedy_and_sources() {
    let ran = expect(0, &["rules", "show", "external-material"]);
    for part in [
        "external-material  (class → blocked, documented)",
        "Fires when all of this holds:",
        "    external-material: ",
        "Remedy (",
        "Source: Alibaba Cloud, “Migrate CMKs in default KMS instances to your KMS instances”",
    ] {
        assert!(ran.out.contains(part), "{part} in {}", ran.out);
    }
    let chinese = expect(0, &["rules", "show", "external-material", "--lang", "zh"]).out;
    assert!(chinese.contains("密钥材料由外部导入") && !chinese.contains("You imported the material"), "{chinese}");
    let two = expect(0, &["rules", "show", "rotation-on", "several-versions"]).out;
    assert!(two.contains("rotation-on  (") && two.contains("several-versions  ("));
}

#[test]
fn rules_check_has_nothing_to_complain_about() {
    let ran = expect(0, &["rules", "check"]);
    assert!(ran.out.ends_with("nothing to complain about\n"), "{}", ran.out);
}

#[test]
fn sources_names_each_document_with_date_and_age() {
    let ran = expect(0, &["sources"]);
    for part in [
        "alibaba-migrate-cmks — Migrate CMKs in default KMS instances to your KMS instances",
        "https://www.alibabacloud.com/help/en/kms/",
        "dated 2023-09-12, read 2026-",
        " days ago; cited by ",
    ] {
        assert!(ran.out.contains(part), "{part} in {}", ran.out);
    }
    let json: serde_json::Value = serde_json::from_str(&expect(0, &["sources", "--format", "json"]).out).unwrap();
    let documents = json["documents"].as_array().unwrap();
    assert!(documents.len() >= 2);
    for document in documents {
        assert!(document["age_days"].is_i64(), "{document}");
        assert!(!document["cards"].as_array().unwrap().is_empty(), "{document} is cited by no card");
    }
}

// ---------------------------------------------------------------------------------------------------
// What contradicts itself.

const DESCRIBED: &str = r#"{"KeyMetadata": {"KeyId": "0f5a1c1e-8a51-4b0e-9a5e-3d0c6a7b1f01", "Arn": "acs:kms:cn-hangzhou:1234567890123456:key/0f5a1c1e-8a51-4b0e-9a5e-3d0c6a7b1f01", "KeyState": "Enabled", "KeySpec": "Aliyun_AES_256", "Origin": "Aliyun_KMS", "CreationDate": "2021-05-20T06:34:21Z", "LastRotationDate": "2021-05-20T06:34:21Z", "PrimaryKeyVersion": "a", "AutomaticRotation": "Disabled", "DKMSInstanceId": ""}}
"#;
const LISTED: &str = r#"{"KeyVersions": {"KeyVersion": [{"KeyId": "0f5a1c1e-8a51-4b0e-9a5e-3d0c6a7b1f01", "KeyVersionId": "a"}]}, "TotalCount": 1}
"#;
const ALIAS: &str = r#"{"Aliases": {"Alias": [{"KeyId": "KEY", "AliasName": "alias/NAME", "AliasArn": "acs:kms:cn-hangzhou:1234567890123456:alias/NAME"}]}, "TotalCount": 1}
"#;

fn class_of_replies(replies: &str) -> String {
    let ran = run_with(&["diagnose", "-", "--format", "csv"], replies.as_bytes());
    let rows = table(&ran.out);
    let described = rows.iter().find(|row| row["key_id"].starts_with("0f5a1c1e")).expect("the key is there");
    described["class"].clone()
}

#[test]
fn two_names_of_versions_are_two_versions_wherever_they_stand() {
    let alias = ALIAS.replace("KEY", "0f5a1c1e-8a51-4b0e-9a5e-3d0c6a7b1f01").replace("NAME", "orders");
    let replies = format!("{DESCRIBED}{LISTED}{alias}");
    assert_eq!(class_of_replies(&replies), "migratable");
    let other = LISTED.replace("\"a\"", "\"b\"");
    assert_eq!(class_of_replies(&format!("{replies}{other}")), "undetermined");
    assert_eq!(class_of_replies(&format!("{DESCRIBED}{other}{alias}")), "undetermined");
}

#[test]
fn a_list_of_aliases_that_was_put_together_proves_nothing() {
    let two = |total: &str| {
        let alias = |name: &str| {
            format!(
                r#"{{"KeyId": "{name}", "AliasName": "alias/{name}", "AliasArn": "acs:kms:cn-hangzhou:1234567890123456:alias/{name}"}}"#
            )
        };
        format!(r#"{{"Aliases": {{"Alias": [{}, {}]}}, "TotalCount": {total}}}"#, alias("j"), alias("k"))
    };
    let replies = |total: &str| format!("{DESCRIBED}{LISTED}{}", two(total));
    assert_eq!(class_of_replies(&replies("2")), "migratable", "the complete list does not name the key");
    assert_eq!(class_of_replies(&replies("1")), "undetermined", "more than there are");
    assert_eq!(class_of_replies(&replies("3")), "undetermined", "less than there are");
}

#[test]
fn a_later_rotation_contradicts_one_version_whatever_the_spec() {
    let folder = folder();
    let header = HEADER.replace("key_id", "key_id,created,last_rotation");
    let row = |dates: &str| GOOD.replacen("good", &format!("good,{dates}"), 1);
    for (dates, class) in [("2021-01-01,2021-01-01", "migratable"), ("2021-01-01,2024-01-01", "undetermined")] {
        let file = put(&folder, "keys.csv", format!("{header}{}", row(dates)));
        assert_eq!(table(&expect(0, &["diagnose", &file, "--format", "csv"]).out)[0]["class"], class, "{dates}");
    }
}

#[test]
fn what_stands_below_a_second_header_line_is_not_read_by_the_first() {
    let folder = folder();
    let again = put(&folder, "again.csv", format!("{HEADER}{GOOD}{HEADER}{}", GOOD.replacen("good", "other", 1)));
    let ran = expect(0, &["diagnose", &again, "--format", "csv"]);
    assert_eq!(table(&ran.out).len(), 2);
    let other = put(
        &folder,
        "other.csv",
        "key_id,aliases,owner\nk-0001,alias/x,team\nkey_id,owner,aliases\nk-0002,team,alias/acs/oss\n",
    );
    let ran = expect(3, &["diagnose", &other, "--format", "csv"]);
    assert_eq!(table(&ran.out).len(), 1, "{}", ran.err);
}

#[test]
fn objects_with_ever_new_names_take_no_time() {
    let lines: String = (0..30_000).map(|n| format!("{{\"key_id\":\"k{n}\",\"x{n}\":1}}\n")).collect();
    let ran = run_with(&["diagnose", "-", "--format", "csv", "-q"], lines.as_bytes());
    assert_eq!((ran.code, table(&ran.out).len()), (0, 30_000));
}

#[test]
fn a_second_header_line_is_remembered_for_the_rest_of_a_long_file() {
    let folder = folder();
    let rows = |columns: &str| (0..20_000).map(|n| format!("0f5a{n:08}-{columns}\n")).collect::<String>();
    let text =
        format!("key_id,aliases,owner\n{}key_id,owner,aliases\n{}", rows("a,alias/x,team"), rows("b,team,alias/y"));
    let long = put(&folder, "long.csv", text);
    let next = put(&folder, "next.csv", "key_id,aliases,owner\n0f5a1c1e-0001,alias/z,team\n");
    let ran = expect(3, &["diagnose", &long, &next, "--format", "csv"]);
    let rows = table(&ran.out);
    assert_eq!(rows.len(), 20_001);
    assert!(rows.iter().all(|row| row["aliases"] != "team"));
    assert!(ran.err.contains("40001 diagnosed") || ran.err.contains("20001 diagnosed"), "{}", ran.err);
}

#[test]
fn a_rejected_key_is_no_total_whatever_its_owner_is_called() {
    let folder = folder();
    let file = put(&folder, "keys.csv", "owner,key_id,origin\nTotal,0f5a1c1e-0001,perhaps\nTotal,2,\n");
    let ran = expect(4, &["diagnose", &file, "--format", "csv"]);
    assert!(ran.err.contains("rejected: ") && ran.err.contains("row of totals"), "{}", ran.err);
    assert!(ran.err.contains("1 records read = 0 diagnosed (0 keys) + 1 rejected"), "{}", ran.err);
}

#[test]
fn a_masked_id_is_told() {
    let folder = folder();
    let file = put(&folder, "keys.csv", format!("{HEADER}{}", GOOD.replacen("good", "0f5a****7b01", 1)));
    let ran = expect(0, &["diagnose", &file, "--format", "csv"]);
    assert!(ran.err.contains("1 key(s) have a masked id, first 0f5a****7b01"), "{}", ran.err);
}

#[test]
fn what_is_rejected_or_missing_is_known_in_every_encoding() {
    let alias = ALIAS.replace("KEY", "0f5a1c1e-8a51-4b0e-9a5e-3d0c6a7b1f01").replace("NAME", "orders");
    let broken = r#"{"KeyMetadata": {"KeyId": "0f5a1c1e-8a51-4b0e-9a5e-3d0c6a7b1f01"}, "origin": "EXTERNAL"}"#;
    let listed = r#"{"Keys": {"Key": [{"KeyId": "0f5a1c1e-8a51-4b0e-9a5e-3d0c6a7b1f01"}]}, "TotalCount": 2}"#;
    let replies = format!("{DESCRIBED}{LISTED}{alias}{broken}\n{listed}\n");
    let utf_16: Vec<u8> = "\u{feff}".encode_utf16().chain(replies.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    for bytes in [replies.into_bytes(), utf_16] {
        let ran = run_with(&["diagnose", "-", "--format", "csv"], &bytes);
        assert_eq!((ran.code, table(&ran.out)[0]["class"].as_str()), (3, "undetermined"), "{}", ran.err);
        assert!(ran.err.contains("has 2 keys, of which 1 are here"), "{}", ran.err);
    }
}
