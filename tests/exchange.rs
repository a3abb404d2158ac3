//! `exchange` as a user runs it: text in, text out, exit codes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails says where")]

mod program;

use insta::assert_snapshot;
use program::{FORMATS, account, acts, command, document, end, expect, folder, put, run, table, without_digest};
use serde_json::{Value, json};
use tempfile::TempDir;

const SYS_ID: &str = "0123456789abcdef0123456789abcdef";

/// A request in whose way nothing stands, and about which everything is known.
fn good() -> Value {
    json!({
        "request": "R1", "frequency": "adhoc", "rekey": "no", "initiated_from": "target", "external_wrapping": "no",
        "auto_key_exchange_source": false, "auto_key_exchange_target": false,
        "peer_sys_id": SYS_ID, "peer_host": "a.service-now.com",
        "crypto_specifications": [{
            "name": "Spec A", "source_specification": "found", "enrolled": "yes", "source_module": "yes",
            "source_key": "yes", "target_module": "yes", "target_key": "yes", "target_active_key": "yes",
        }],
        "source": { "name": "a.service-now.com", "roles": ["sn_kmf.cryptographic_manager"], "health": "green" },
        "target": { "name": "b.service-now.com", "roles": ["sn_kmf.cryptographic_manager"], "health": "green" },
    })
}

/// The same before a clone, with rekeying: the form then asks for the target, and an active key is wanted.
fn rekeying() -> Value {
    let mut request = good();
    request["frequency"] = json!("one-time-clone");
    request["rekey"] = json!("yes");
    request["peer_host"] = json!("b.service-now.com");
    request
}

/// The request with one member, given as a pointer, replaced.
fn with(pointer: &str, value: impl Into<Value>) -> Value {
    let mut request = good();
    let (parent, member) = pointer.rsplit_once('/').unwrap();
    request.pointer_mut(parent).unwrap()[member] = value.into();
    request
}

fn requests(folder: &TempDir, name: &str, requests: &[Value]) -> String {
    put(folder, name, serde_json::to_vec(requests).unwrap())
}

/// All requests of inputs as JSON.
fn judged(arguments: &[&str]) -> Vec<Value> {
    let mut all = vec!["exchange", "--format", "jsonl", "--quiet"];
    all.extend(arguments);
    run(&all).out.lines().map(document).collect()
}

/// The only request, from its record.
fn only(request: &Value) -> Value {
    let folder = folder();
    let mut judged = judged(&[&requests(&folder, "requests.json", std::slice::from_ref(request))]);
    assert_eq!(judged.len(), 1);
    judged.remove(0)
}

fn class(request: &Value) -> String {
    only(request)["class"].as_str().unwrap().to_owned()
}

/// The class of the only subject of several records.
fn class_of(records: &[Value]) -> String {
    let folder = folder();
    let judged = judged(&[&requests(&folder, "requests.json", records)]);
    assert_eq!(judged.len(), 1, "{judged:?}");
    judged[0]["class"].as_str().unwrap().to_owned()
}

// ---------------------------------------------------------------------------------------------------
// Verdicts.

#[test]
fn a_request_of_which_everything_is_known_is_valid_and_brings_its_checklist() {
    let folder = folder();
    let file = requests(&folder, "requests.json", &[good()]);
    let ran = expect(0, &["exchange", &file]);
    assert_snapshot!(without_digest(&ran.out), @r"
    class  request                                    why
    valid  R1: a.service-now.com → b.service-now.com  Nothing stands in the way of the request

    Summary  1 records read = 1 judged (1 request) + 0 rejected + 0 exact duplicates
    class                     confirmed  conditional
    invalid                           0            0  The request cannot work as it is drawn; draw another
    change-first                      0            0  Something on an instance must be changed before the request is filed
    valid-with-note                   0            0  The request can be filed; read the note first
    valid                             1            0  The request can be filed as it is drawn
    undetermined                      0            -  The documents do not say, or facts are missing or disagree
    Rulebook exchange/exchange-australia@DIGEST

    Next steps
     1. 1 request(s) are ready: File the request under All > Key Management > Resource Exchange Requests > New, and follow
        the checklist
     2. Advisory for 1 request(s): On older releases judge an adhoc exchange by its key counts (rule judge-by-counts)

    Checklist  R1: a.service-now.com → b.service-now.com
     1. [both] Hold sn_kmf.cryptographic_manager on both instances
        On b.service-now.com, and for Adhoc on a.service-now.com: elevate to security_admin; System Security > Key
        Management Administration, make the person KMF admin; log in again; User Administration > Users, related list Roles,
        add sn_kmf.cryptographic_manager; log in again
     2. [both] Check KMF Health on both instances
        On a.service-now.com and b.service-now.com: All > Key Management > Diagnostics; go on only if nothing is red
     3. [both] Check that both instances have module and key for each specification
        On a.service-now.com and b.service-now.com: All > Key Management > Cryptographic Modules; for each specification
        (Spec A), check that the module has a key
     4. [source] Check that each specification is enrolled for resource exchange
        On a.service-now.com: for each specification (Spec A), check that enroll_module_for_resource_exchange is true
     5. [target] Open a new request
        On b.service-now.com: All > Key Management > Resource Exchange Requests > New
     6. [form] Fill in the form
        Exchange Frequency = Adhoc; Source Instance sys_id = 0123456789abcdef0123456789abcdef; Source Instance Host =
        a.service-now.com; Crypto Specifications = Spec A; Enable Rekeying after Key Imported: no
     7. [form] Submit, and see the request on both instances
        Select Submit; then check under All > Key Management > Resource Exchange Requests of a.service-now.com and of
        b.service-now.com that a row is Request Pending
     8. [source] Approve each pending request with Update Request
        On a.service-now.com: All > Key Management > Resource Exchange Requests; open each Request Pending row, set Status
        to Request Approved, and select Update Request, not Update; skip specifications that a.service-now.com does not have
     9. [target] Compare the key counts
        On b.service-now.com: open the record of the request; Status must be Request Approved, and Imported Key Count equal
        to Total Key Count
    10. [target] Read the result of the encryption
        On b.service-now.com: All > System Properties > All Properties, read protected.script.values.kmf.rekeyed. Absent: no
        attempt yet, or hidden from you. True: done. False for less than a day: wait for the next daily run. False for
        longer: ask ServiceNow Support, with KMF Health and the request rows
    ");
}

#[test]
fn a_table_says_the_same_as_a_document() {
    let folder = folder();
    let csv = put(
        &folder,
        "requests.csv",
        format!(
            "Number,Exchange Frequency,Enable Rekeying after Key Imported,initiated_from,EKMS,auto_key_exchange_source,\
             auto_key_exchange_target,Instance sys_id,Instance Host,Crypto Specifications,source_specification,enrolled,\
             source_module,source_key,target_module,target_key,active_key,source,target,source_roles,target_roles,\
             source_health,target_health\n\
             R1,Ad hoc,no,target,no,off,off,{SYS_ID},a.service-now.com,Spec A,found,true,yes,yes,yes,yes,yes,\
             a.service-now.com,b.service-now.com,sn_kmf.cryptographic_manager,sn_kmf.cryptographic_manager,Operational,green\n"
        ),
    );
    let ran = expect(0, &["exchange", &csv, "--format", "jsonl"]);
    let (table, object) = (document(&ran.out), only(&good()));
    for member in ["title", "class", "confirmed", "facts"] {
        assert_eq!(table[member], object[member], "{member}");
    }
}

#[test]
fn one_statement_that_says_otherwise_is_enough() {
    let spec = |member: &str, value: &str| with(&format!("/crypto_specifications/0/{member}"), value);
    for (request, expected) in [
        (with("/rekey", "yes"), "invalid"),
        (with("/frequency", "recurring-clone"), "invalid"),
        (with("/initiated_from", "source"), "invalid"),
        (with("/peer_sys_id", "none"), "invalid"),
        (with("/peer_sys_id", "123"), "invalid"),
        (with("/peer_host", "https://a.service-now.com/"), "invalid"),
        (with("/peer_host", "b.service-now.com"), "invalid"),
        (with("/peer_host", "c.service-now.com"), "undetermined"),
        (with("/source/sys_id", "ffffffffffffffffffffffffffffffff"), "undetermined"),
        (with("/crypto_specifications", "none"), "undetermined"),
        (with("/source/roles", "none"), "change-first"),
        (with("/target/roles", "admin"), "change-first"),
        (with("/source/health", "red"), "valid-with-note"),
        (spec("source_specification", "not found"), "change-first"),
        (spec("enrolled", "no"), "change-first"),
        (spec("source_key", "none"), "change-first"),
        (spec("source_key", "not found"), "change-first"),
        (spec("target_module", "No module"), "change-first"),
        (spec("source_key", "unknown"), "undetermined"),
        (spec("key_on_source", "yes"), "valid"),
    ] {
        let judged = only(&request);
        assert_eq!(judged["class"], expected, "{request}\n{judged}");
    }
    assert_eq!(class(&rekeying()), "valid");
    for (word, expected) in [
        ("Inactive", "change-first"),
        ("not active", "change-first"),
        ("Deactivated", "change-first"),
        ("", "undetermined"),
        ("K-17", "valid"),
    ] {
        let mut request = rekeying();
        request["crypto_specifications"][0]["target_active_key"] = json!(word);
        assert_eq!(class(&request), expected, "{word}");
    }
    let mut request = rekeying();
    request["auto_key_exchange_source"] = json!(true);
    assert_eq!(class(&request), "change-first");
}

#[test]
fn what_is_not_known_of_one_specification_stays_open_whatever_is_known_of_others() {
    let mut request = good();
    let part = |name: &str, more: Value| {
        let mut part = json!({"name": name, "target_key": true, "target_module": true, "source_module": true});
        part.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        part
    };
    let found = part("a", json!({"source_key": true}));
    let lost = json!({"name": "b", "source_specification": "not-found", "target_key": true});
    request["crypto_specifications"] = json!([found, lost]);
    assert_eq!(class(&request), "valid-with-note");
    request["crypto_specifications"] = json!([found, lost, part("c", json!({}))]);
    assert_eq!(class(&request), "undetermined", "nobody says whether the source has the third key");
    request["crypto_specifications"] = json!([lost, part("c", json!({}))]);
    assert_eq!(class(&request), "undetermined");
}

#[test]
fn states_of_keys_are_no_names() {
    for (word, expected) in [("Generated", "change-first"), ("Suspended", "change-first"), ("Active", "valid")] {
        let mut request = rekeying();
        request["crypto_specifications"][0]["target_active_key"] = json!(word);
        assert_eq!(class(&request), expected, "{word}");
    }
    for (member, word) in [
        ("target_active_key", "Key 1 (deactivated)"),
        ("source_key", "key destroyed"),
        ("target_active_key", "Retired"),
    ] {
        let mut request = rekeying();
        request["crypto_specifications"][0][member] = json!(word);
        let folder = folder();
        let file = requests(&folder, "requests.json", &[request]);
        let ran = expect(4, &["exchange", &file]);
        assert!(ran.err.contains("expected yes or no, or a name"), "{word}: {}", ran.err);
    }
}

#[test]
fn what_a_fleet_says_of_ekms_counts_for_its_requests() {
    let folder = folder();
    let file = requests(&folder, "requests.json", &[with("/external_wrapping", "unknown")]);
    let fleet = put(&folder, "fleet.csv", "name,posture\na,in_use\n");
    let classes = |arguments: &[&str]| judged(arguments)[0]["class"].clone();
    assert_eq!(classes(&[&file]), "valid");
    assert_eq!(classes(&[&file, &fleet]), "undetermined", "no page tells of externally wrapped modules");
    let denied = requests(&folder, "denied.json", &[good()]);
    assert_eq!(classes(&[&denied, &fleet]), "undetermined", "the request says that EKMS is not in use");
}

#[test]
fn the_peer_is_recognised_in_another_spelling() {
    let mut short = with("/target/name", "b");
    assert_eq!(class(&short), "valid");
    short["peer_host"] = json!("b.service-now.com");
    assert_eq!(class(&short), "invalid", "the form names the target where it asks for the source");
    let mut other = with("/source/name", "a");
    other["peer_host"] = json!("A.service-now.com");
    assert_eq!(class(&other), "valid");
}

#[test]
fn each_specification_counts_also_one_of_which_another_record_tells() {
    let second = |spec: Value| json!({ "request": "R1", "crypto_specifications": spec });
    assert_eq!(class_of(&[good(), second(json!("Spec B"))]), "undetermined", "nobody says anything of it");
    assert_eq!(class_of(&[good(), second(json!([{ "name": "Spec B", "source_key": "no" }]))]), "change-first");
    assert_eq!(
        class_of(&[good(), second(json!([{ "name": "Spec A", "source_key": "no" }]))]),
        "undetermined",
        "conflict"
    );
    assert_eq!(class_of(&[good(), json!({ "request": "R1", "target_key": "no" })]), "change-first");
    assert_eq!(class_of(&[good(), second(json!("Spec A"))]), "valid", "the same again");
}

#[test]
fn two_columns_that_mean_the_same_must_say_the_same() {
    let folder = folder();
    for request in [
        with("/crypto_specifications/0/key_on_source", "no"),
        with("/source_key", "no"),
        with("/active_key_on_target", "no"),
    ] {
        let file = requests(&folder, "requests.json", &[request]);
        let ran = expect(4, &["exchange", &file]);
        assert!(ran.err.contains("`no` expected what "), "{}", ran.err);
    }
}

#[test]
fn records_that_name_other_instances_for_one_request_are_in_conflict() {
    let other = json!({ "request": "R1", "source_name": "elsewhere" });
    assert_eq!(class_of(&[good(), other]), "undetermined");
    let folder = folder();
    let file = requests(&folder, "requests.json", &[with("/target/name", "a.service-now.com")]);
    assert_ne!(judged(&[&file])[0]["class"], "valid", "nothing is exchanged with itself");
}

#[test]
fn what_a_list_says_of_an_instance_is_said_of_both_its_sides() {
    let folder = folder();
    let mut request = good();
    for side in ["source", "target"] {
        request[side].as_object_mut().unwrap().remove("health");
    }
    let file = requests(&folder, "requests.json", &[request]);
    for (list, class) in [
        ("name,health\na,red\n", "valid-with-note"),
        ("host,health\nA.service-now.com,red\n", "valid-with-note"),
        ("name,health\nb,red\nc,green\n", "valid-with-note"),
        ("name,health\na,purple\n", "undetermined"),
    ] {
        let list = put(&folder, "instances.csv", list);
        assert_eq!(judged(&[&file, &list])[0]["class"], class);
    }
    let alone = put(&folder, "instances.csv", "name,health\na,red\n");
    let ran = expect(2, &["exchange", &alone]);
    assert_snapshot!(ran.err, @"error: 1 instance(s) are listed, and no request is; give records with frequency, rekey and crypto_specifications");
}

#[test]
fn the_property_after_the_exchange_is_young_for_a_day() {
    let folder = folder();
    let mut request = good();
    request["rekeyed"] = json!("false");
    request["rekeyed_updated_on"] = json!("2026-11-20 08:30:00");
    let file = requests(&folder, "requests.json", &[request]);
    let fact = |as_of: &str| judged(&[&file, "--as-of", as_of])[0]["facts"]["rekeyed"]["value"].clone();
    assert_eq!(fact("2026-11-21T08:29:59Z"), "false-young");
    assert_eq!(fact("2026-11-21T08:30:00Z"), "false-old");
    let contrary = requests(&folder, "more.json", &[json!({ "request": "R1", "rekeyed": "true" })]);
    assert_eq!(judged(&[&file, &contrary])[0]["class"], "undetermined");
}

#[test]
fn words_that_are_not_known_are_rejected_with_those_that_are() {
    let folder = folder();
    for (column, cell, expected) in [
        ("frequency", "daily", "one of adhoc, one-time-clone, recurring-clone"),
        ("rekey", "maybe", "one of no, yes"),
        ("source_health", "purple", "one of green, gray, yellow, red"),
        ("initiated_from", "form", "one of source, target"),
        ("rekeyed_updated_on", "today", "a date and time, such as 2026-11-21T08:30:00Z"),
        ("health", "red", "the side of which it is said, as in source_health or target_health"),
    ] {
        let file = put(&folder, "requests.csv", format!("request,{column}\nR1,{cell}\nR2,\n"));
        let ran = expect(3, &["exchange", &file]);
        let says = format!("line 2, column {column}: `{cell}` expected {expected}");
        assert!(ran.err.contains(&says), "{says}\n{}", ran.err);
    }
    let file = put(&folder, "requests.json", r#"[{"request":"R1","frequency":[{"name":"adhoc"}]},{"request":"R2"}]"#);
    let ran = expect(3, &["exchange", &file]);
    assert!(ran.err.contains("expected a text, not a list of objects"), "{}", ran.err);
}

// ---------------------------------------------------------------------------------------------------
// Nothing is lost.

#[test]
fn every_record_is_accounted_for_in_every_format() {
    let folder = folder();
    let damaged = json!({ "request": "R1", "rekey": "maybe" });
    let file = requests(&folder, "requests.json", &[good(), good(), damaged, json!({ "unrelated": 1 })]);
    let list = put(&folder, "instances.csv", "name,health\na,green\nnobody,red\n,red\n");
    for format in FORMATS {
        let ran = expect(3, &["exchange", &file, &list, "--format", format]);
        let text = if format == "table" { &ran.out } else { &ran.err };
        // Read, judged, requests, rejected, duplicates, unused.
        assert_eq!(account(text), [7, 2, 1, 3, 1, 1], "{format}: {text}");
        assert!(ran.out.contains("undetermined"), "the damaged record taints its request: {}", ran.out);
    }
    let rejects = folder.path().join("rejects.csv");
    expect(3, &["exchange", &file, &list, "--rejects", rejects.to_str().unwrap()]);
    assert_eq!(table(&std::fs::read_to_string(&rejects).unwrap()).len(), 3);
}

// ---------------------------------------------------------------------------------------------------
// Options.

#[test]
fn presumptions_make_a_verdict_conditional_until_they_are_assumed() {
    let folder = folder();
    let mut request = good();
    request.as_object_mut().unwrap().remove("external_wrapping");
    let file = requests(&folder, "requests.json", &[request]);
    let of = |arguments: &[&str]| {
        let mut all = vec![file.as_str()];
        all.extend(arguments);
        let judged = judged(&all).remove(0);
        (judged["class"].as_str().unwrap().to_owned(), judged["confirmed"].as_bool().unwrap())
    };
    assert_eq!(of(&[]), ("valid".to_owned(), false));
    assert_eq!(of(&["--strict"]).0, "undetermined");
    assert_eq!(of(&["--assume", "external_wrapping=no"]), ("valid".to_owned(), true));
    assert_ne!(of(&["--assume", "external_wrapping=yes"]).0, "valid");
    expect(1, &["exchange", &file, "--fail-on", "conditional"]);
    expect(0, &["exchange", &file, "--fail-on", "invalid,change-first,undetermined"]);
    expect(2, &["exchange", &file, "--fail-on", "blocked"]);
    expect(2, &["exchange", &file, "--assume", "external_wrapping=perhaps"]);
    let csv = expect(0, &["exchange", &file, "--format", "csv", "--only", "invalid"]).out;
    assert_eq!(csv.lines().count(), 1, "{csv}");
}

#[test]
fn chinese_is_spoken_in_every_format() {
    let folder = folder();
    let file = requests(&folder, "requests.json", &[good(), json!({ "request": "R2" })]);
    for format in FORMATS {
        let ran = expect(0, &["exchange", &file, "--lang", "zh", "--format", format]);
        assert!(ran.out.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)), "{format}");
        for english in ["Checklist", "Next steps", "Not settled", "Fill in the form"] {
            assert!(!ran.out.contains(english), "{format}: {english}\n{}", ran.out);
        }
    }
}

#[test]
fn rules_sources_and_explain_know_the_domain() {
    let folder = folder();
    let list = expect(0, &["rules", "list", "--domain", "exchange"]).out;
    assert!(list.starts_with("exchange/exchange-australia@") && list.contains("peer-wrong-side"), "{list}");
    assert!(expect(0, &["rules", "show", "peer-wrong-side", "--domain", "exchange"]).out.contains("peer-wrong-side"));
    expect(0, &["rules", "check", "--domain", "exchange"]);
    assert!(expect(0, &["sources", "--domain", "exchange"]).out.contains("servicenow-configure-key-exchange"));
    let ran = expect(2, &["rules", "list", "--domain", "exchang"]);
    assert_snapshot!(ran.err, @"error: there is no domain `exchang`; did you mean `exchange`?");
    requests(&folder, "requests.json", &[with("/peer_host", "b.service-now.com")]);
    let explain = |more: &[&str]| {
        let fixed = ["explain", "R1", "--domain", "exchange", "--in", "requests.json"];
        end(command().current_dir(folder.path()).args(fixed).args(more))
    };
    let text = explain(&[]).out;
    let (head, _) = text.split_once("\n\nChecklist").unwrap_or((&text, ""));
    let head: Vec<&str> = head.lines().take(12).collect();
    assert_snapshot!(without_digest(&head.join("\n")), @r"
    R1: a.service-now.com → b.service-now.com
    invalid. The request cannot work as it is drawn; draw another
    rulebook: exchange/exchange-australia@DIGEST

    Facts
      frequency                adhoc                  stated    requests.json, line 1
      rekey                    no                     stated    requests.json, line 1
      auto_key_exchange_source false                  stated    requests.json, line 1
      auto_key_exchange_target false                  stated    requests.json, line 1
      automatic_exchange       no                     stated    follows from other statements
      initiated_from           target                 stated    requests.json, line 1
      peer_sys_id              given                  stated    follows from other statements
    ");
    assert!(text.contains("peer-wrong-side") && text.contains("crypto_specifications"), "{text}");
    let json = document(&explain(&["--format", "json"]).out);
    assert_eq!(
        (json["class"].as_str(), json["crypto_specifications"][0]["name"].as_str()),
        (Some("invalid"), Some("Spec A"))
    );
}

// ---------------------------------------------------------------------------------------------------
// What comes from outside must not act.

#[test]
fn hostile_names_are_inert_in_every_format() {
    let folder = folder();
    let hostile = [
        "=1+1",
        "\u{1b}[2Jgone\u{202e}",
        "<script>alert(1)</script>",
        "](http://example.invalid) **bold** | cell `code",
        "{peer_host}",
    ];
    let each = hostile.map(|name| {
        let mut request = good();
        request["request"] = json!(name);
        request["crypto_specifications"][0]["name"] = json!(name);
        request["source"]["name"] = json!(name);
        request["peer_host"] = json!(name);
        request
    });
    let file = requests(&folder, "requests.json", &each);
    for format in FORMATS {
        let ran = expect(0, &["exchange", &file, "--format", format]);
        assert!(!ran.out.chars().any(acts), "{format}");
        if format == "html" || format == "markdown" {
            let raw = ["<script", "](http", "**bold**"];
            let text = ran.out.replace("\\]", "").replace("\\*", "");
            let found: Vec<_> = raw
                .iter()
                .filter(|raw| format != "html" || raw.starts_with('<'))
                .filter(|raw| text.contains(**raw))
                .collect();
            assert!(found.is_empty(), "{format}: {found:?}\n{}", ran.out);
        }
        if format == "csv" {
            let rows = table(&ran.out);
            assert_eq!(rows.len(), hostile.len());
            assert!(rows.iter().flat_map(|row| row.values()).all(|cell| !cell.starts_with(['=', '+', '-', '@'])));
        }
    }
    let judged = judged(&[&file]);
    assert_eq!(judged[4]["request"], "{peer_host}", "what is filled in is not filled again");
    assert_eq!(judged[4]["texts"]["peer_host"], "{peer_host}");
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let folder = folder();
    let file = requests(&folder, "requests.json", &[good(), json!({ "request": "R2", "rekeyed": "false" })]);
    for format in FORMATS {
        let once = || expect(0, &["exchange", &file, "--as-of", "2026-11-21T08:30:00Z", "--format", format]).out;
        assert_eq!(once(), once(), "{format}");
    }
}

#[test]
fn help_of_exchange() {
    assert_snapshot!(expect(0, &["exchange", "--help"]).out, @r"
    Are these ServiceNow key exchange requests valid, and what must be done to complete them?

    Usage: cmkdiag exchange [OPTIONS] [INPUT]...

    Arguments:
      [INPUT]...
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

    Evidence:
          --instance <HOST>
              Read release, plugin and properties of a ServiceNow instance, read-only; credentials come
              from SERVICENOW_USERNAME and SERVICENOW_PASSWORD, SERVICENOW_TOKEN or SERVICENOW_API_KEY

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

    Output:
          --format <FORMAT>
              Output format

              Possible values:
              - table:    For a person: matrix, verdicts, next steps, checklists
              - csv:      One row a subject
              - json:     One document
              - jsonl:    One object a line
              - markdown: A report with checklists
              - html:     The same as a page
              
              [default: table]

      -o, --output <FILE>
              Write to a file, which appears only once it is complete

          --only <CLASS>
              Write only subjects of these classes

          --fail-on <CLASS>
              Exit with 1 if a subject has one of these classes (or `conditional`: a verdict with open
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
      cmkdiag exchange requests.json
      cmkdiag exchange requests.csv --format markdown -o checklists.md
      cmkdiag exchange requests.csv --fail-on invalid,change-first,undetermined

    Exit codes:
      0  done
      1  done, and a --fail-on gate matched, or a plan has errors
      2  wrong usage
      3  done, but some records were rejected (the results of the others are written; --allow-rejects
      makes it 0)
      4  could not do it (reading, writing, or no usable record)
    ");
}
