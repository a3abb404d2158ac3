//! `preflight` as a user runs it: text in, text out, exit codes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails says where")]

mod program;

use insta::assert_snapshot;
use program::{FORMATS, account, acts, command, document, end, expect, folder, put, run, table, without_digest};
use tempfile::TempDir;

const KEY: &str = "arn:aws:kms:us-east-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const OTHER_KEY: &str = "arn:aws:kms:us-east-2:123456789012:key/0000abcd-12ab-34cd-56ef-1234567890ab";
const HEADER: &str = "source_name,target_name,operation,source_posture,target_posture,source_wrapping,target_wrapping,\
    source_key_arn,target_key_arn,source_key_status,target_key_status,source_architecture,target_architecture,\
    config_relation";

/// A pair that the document supports without any condition, as one row under [`HEADER`].
fn good(source: &str, target: &str) -> String {
    format!(
        "{source},{target},clone,in_use,in_use,external,external,{KEY},{KEY},Active,Active,current,current,matching"
    )
}

fn pairs(folder: &TempDir, name: &str, rows: &[String]) -> String {
    put(folder, name, format!("{HEADER}\n{}\n", rows.join("\n")))
}

/// A good pair with one more column.
fn with(folder: &TempDir, column: &str, cell: &str) -> String {
    put(folder, "pairs.csv", format!("{HEADER},{column}\n{},{cell}\n", good("prod", "test")))
}

const FLEET: &str = "\
name,release,posture,wrapping,key_arn,key_status,architecture,non_bagheera_support
prod,Australia,in_use,external,arn:aws:kms:us-east-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab,Active,current,false
test,Australia,in_use,external,arn:aws:kms:us-east-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab,Enabled,current,false
old,Zurich,older,,,,legacy,false
";

/// Titles and classes.
fn classes(arguments: &[&str]) -> Vec<(String, String)> {
    let mut all = vec!["preflight", "--format", "json", "--as-of", "2026-11-21T08:30:00Z"];
    all.extend(arguments);
    let ran = run(&all);
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let document = document(&ran.out);
    document["pairs"].as_array().unwrap().iter().map(|pair| (text(&pair["title"]), text(&pair["class"]))).collect()
}

/// The class of the only pair.
fn class(arguments: &[&str]) -> String {
    let classes = classes(arguments);
    assert_eq!(classes.len(), 1, "{classes:?}");
    classes[0].1.clone()
}

/// The only pair as JSON.
fn only_pair(arguments: &[&str]) -> serde_json::Value {
    let mut all = vec!["preflight", "--format", "jsonl", "--quiet"];
    all.extend(arguments);
    document(&run(&all).out)
}

// ---------------------------------------------------------------------------------------------------
// Inputs.

#[test]
fn a_pair_in_columns_and_the_same_as_nested_objects_are_judged_alike() {
    let folder = folder();
    let csv = pairs(&folder, "pairs.csv", &[good("prod", "test")]);
    let side = |name: &str| {
        format!(
            r#"{{"name":"{name}","posture":"in_use","wrapping":"external","key_arn":"{KEY}","key_status":"Active","architecture":"current"}}"#
        )
    };
    let json = put(
        &folder,
        "pairs.json",
        format!(
            r#"[{{"operation":"clone","config_relation":"matching","source":{},"target":{}}}]"#,
            side("prod"),
            side("test")
        ),
    );
    let (csv, json) = (only_pair(&[&csv]), only_pair(&[&json]));
    for member in ["title", "class", "confirmed", "facts", "texts", "findings"] {
        assert_eq!(csv[member], json[member], "{member}");
    }
    assert_eq!((csv["class"].as_str(), csv["confirmed"].as_bool()), (Some("supported"), Some(true)));
}

#[test]
fn a_list_of_instances_makes_the_pairs_that_are_asked_for() {
    let folder = folder();
    let fleet = put(&folder, "fleet.csv", FLEET);
    let titles = |arguments: &[&str]| -> Vec<String> {
        let mut all = vec![fleet.as_str(), "--operation", "clone"];
        all.extend(arguments);
        classes(&all).into_iter().map(|(title, _)| title).collect()
    };
    assert_eq!(titles(&["--all-pairs"]).len(), 6);
    assert_eq!(titles(&["--from", "prod", "--to", "test,old"]), ["prod → test (clone)", "prod → old (clone)"]);
    assert_eq!(titles(&["--to", "PROD.service-now.com"]), ["test → prod (clone)", "old → prod (clone)"]);
    let ran = expect(2, &["preflight", &fleet]);
    assert_snapshot!(ran.err, @"error: 3 instance(s) are listed, and nothing says which pairs to judge; name them with --from and --to, or give --all-pairs");
    let ran = expect(2, &["preflight", &fleet, "--from", "prd"]);
    assert_snapshot!(ran.err, @"error: --from prd: no such instance is listed; did you mean `prod`?");
    expect(2, &["preflight", &fleet, "--from", "prod", "--to", "prod"]);
}

#[test]
fn the_matrix_stands_in_the_order_of_the_list_in_every_format_for_people() {
    let folder = folder();
    let fleet = put(&folder, "fleet.csv", FLEET);
    let of =
        |format: &str| expect(0, &["preflight", &fleet, "--operation", "clone", "--all-pairs", "--format", format]).out;
    let until = |text: &str, from: &str, to: &str| {
        let (_, rest) = text.split_once(from).unwrap();
        rest.split_once(to).unwrap().0.trim_matches('\n').to_owned()
    };
    let table = of("table");
    assert_snapshot!(table.split_once("\n\nrows").unwrap().0, @r"
            prod  test  old
    prod    ·     yes?  NO
    test    yes?  ·     NO
    old     NO    NO    ·
    ");
    assert_snapshot!(until(&of("markdown"), "## Matrix\n", "\nrows"), @r"
    | source ↓ target → | prod | test | old |
    | --- | --- | --- | --- |
    | prod | · | yes? | NO |
    | test | yes? | · | NO |
    | old | NO | NO | · |
    ");
    assert_snapshot!(until(&of("html"), "<h2>Matrix</h2>", "<p class"), @r##"
    <table>
    <tr><th>source ↓ target →</th><th>prod</th><th>test</th><th>old</th></tr>
    <tr><th>prod</th><td></td><td class="good"><a href="#c0">yes?</a></td><td class="alarm"><a href="#c1">NO</a></td></tr>
    <tr><th>test</th><td class="good"><a href="#c2">yes?</a></td><td></td><td class="alarm"><a href="#c3">NO</a></td></tr>
    <tr><th>old</th><td class="alarm"><a href="#c4">NO</a></td><td class="alarm"><a href="#c5">NO</a></td><td></td></tr>
    </table>
    "##);
}

#[test]
fn of_several_pairs_of_the_same_instances_the_matrix_shows_the_worst_and_leads_to_it() {
    let folder = folder();
    let moved = good("prod", "test").replace("clone", "move").replace("Active,Active", "Disabled,Active");
    let file = pairs(&folder, "pairs.csv", &[good("prod", "test"), moved]);
    let html = expect(0, &["preflight", &file, "--matrix", "--format", "html"]).out;
    assert!(html.contains(r##"<a href="#c1">NO</a>"##) && html.contains(r#"<section id="c1">"#), "{html}");
    let html = expect(0, &["preflight", &file, "--matrix", "--format", "html", "--only", "supported"]).out;
    assert!(html.contains("<td class=\"alarm\">NO</td>"), "no link leads to a pair that is not told: {html}");
}

#[test]
fn the_table_of_a_fleet_tells_what_to_do_next() {
    let folder = folder();
    let fleet = put(&folder, "fleet.csv", FLEET);
    let ran = expect(0, &["preflight", &fleet, "--operation", "clone", "--from", "prod", "--to", "test,old"]);
    let (_, rest) = ran.out.split_once("\n\nclass").unwrap();
    assert_snapshot!(without_digest(&format!("class{rest}")), @r"
    class        pair                 why
    supported ?  prod → test (clone)  EKMS in use onto a release that supports EKMS; Matching configurations and the same
                                      key wrapping; Compatible configurations; to confirm: config_relation
    blocked      prod → old (clone)   The key management architectures differ and the property is not set
    ? = holds on conditions that are not confirmed yet

    Summary  3 records read = 3 judged (2 pairs) + 0 rejected + 0 exact duplicates
    class                     confirmed  conditional
    blocked                           1            0  The table or a gate stops the operation; every reason is listed
    supported                         0            1  The table supports it; the preflight check has the last word
    undetermined                      0            -  No row covers the pair, or facts are missing or disagree
    Rulebook ekms/ekms-australia@DIGEST

    Next steps
     1. Set the property for legacy key management on both sides: frees 1 pair(s)
     2. Confirm for 1 pair(s): relation of the two EKMS configurations (inferred; columns: config_relation, source_key_arn,
        target_key_arn)
     3. Advisory for 1 pair(s): The target will need access to the same external key (rule target-needs-the-same-key)

    Checklist  prod → test (clone)
     1. [source] Check the source's key status
        On prod: All > System Security > Field Encryption > EKMS Configurations, open the record and read External Key
        Status and the time of the last synchronization
     2. [target] Check the target's key status
        On test: All > System Security > Field Encryption > EKMS Configurations, open the record and read External Key
        Status and the time of the last synchronization
     3. [you] Run the preflight check
        Run the preflight check of the operation (clone) from prod onto test, and go on only if it passes
     4. [target] Check the target's access to the key afterwards
        On test: All > System Security > Field Encryption > EKMS Configurations, check that the record names
        arn:aws:kms:us-east-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab, use Test EKMS Config, then open records
        with encrypted fields

    Checklist  prod → old (clone)
     1. [source] Check the source's key status
        On prod: All > System Security > Field Encryption > EKMS Configurations, open the record and read External Key
        Status and the time of the last synchronization
     2. [both] Set the property for legacy key management
        On prod and old, as admin: System Properties > All Properties, search for glide.ekms.ia.non_bagheera_support, set
        the value to True, select Save
     3. [both] Wait for the EKMS Health Check
        Open the record under All > System Security > Field Encryption > EKMS Configurations until External Key Status is
        ACTIVE and the last synchronization is later than the last change
     4. [you] Run the preflight check
        Run the preflight check of the operation (clone) from prod onto old, and go on only if it passes
     5. [target] Check the target's access to the key afterwards
        On old: All > System Security > Field Encryption > EKMS Configurations, check that the record names
        arn:aws:kms:us-east-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab, use Test EKMS Config, then open records
        with encrypted fields
    ");
}

#[test]
fn pairs_that_name_instances_of_a_fleet_know_what_the_fleet_says_of_them() {
    let folder = folder();
    let fleet = put(&folder, "fleet.csv", FLEET);
    let listed = put(
        &folder,
        "pairs.csv",
        "source,target,operation,config_relation\nprod.service-now.com,TEST,clone,matching\n",
    );
    let ran = expect(0, &["preflight", &listed, &fleet, "--format", "json"]);
    let document = document(&ran.out);
    assert_eq!(document["pairs"][0]["class"], "supported");
    assert_eq!(document["pairs"][0]["facts"]["source_posture"]["value"], "in_use", "{}", document["pairs"][0]["facts"]);
    assert_eq!(document["summary"]["records"]["unused_instances"], 1, "nobody asks about `old`");
    assert_eq!(document["pairs"][0]["origins"].as_array().unwrap().len(), 3);
}

#[test]
fn a_host_beside_the_name_still_finds_the_instance_in_the_fleet() {
    let folder = folder();
    let listed =
        put(&folder, "pairs.csv", format!("{HEADER},source_host\n{},prod.service-now.com\n", good("prod", "test")));
    let fleet = put(&folder, "fleet.csv", "name,posture\nprod,older\n");
    assert_eq!(class(&[&listed]), "supported");
    assert_eq!(classes(&[&listed, &fleet]), [("prod → test (clone)".to_owned(), "undetermined".to_owned())]);
}

#[test]
fn names_in_several_spellings_are_one_pair() {
    let folder = folder();
    let mut other = good("PROD.service-now.com", "Test");
    other = other.replacen("in_use", "older", 1);
    let file = pairs(&folder, "pairs.csv", &[good("prod", "test"), other]);
    assert_eq!(class(&[&file]), "undetermined", "the two records disagree");
}

#[test]
fn one_instance_cannot_be_both_sides() {
    let folder = folder();
    let file = pairs(&folder, "pairs.csv", &[good("prod", "prod.service-now.com")]);
    let pair = only_pair(&[&file]);
    assert_eq!(pair["class"], "undetermined");
    assert_eq!(pair["notes"][0], "source and target are the same instance: prod, prod.service-now.com");
}

#[test]
fn what_a_cell_leaves_blank_is_unknown_and_none_is_no_label() {
    let folder = folder();
    for word in ["", "n/a", "unknown", "?", "none"] {
        let row = good("prod", "test").replacen("Active,Active", &format!("{word},Active"), 1);
        let file = pairs(&folder, "pairs.csv", &[row]);
        let pair = only_pair(&[&file]);
        assert_eq!(pair["class"], "undetermined", "{word}: {pair}");
        assert!(pair["facts"]["source_key_status"]["value"].is_null(), "{word}: {}", pair["facts"]);
    }
    let row = good("prod", "test").replacen("Active,Active", "Suspended,Active", 1);
    assert_eq!(class(&[&pairs(&folder, "pairs.csv", &[row])]), "blocked", "another label is not ACTIVE");
}

#[test]
fn words_that_are_not_known_are_rejected_with_those_that_are() {
    let folder = folder();
    for (column, cell, expected) in [
        ("source_posture", "activated", "one of older, absent, unconfigured, configured, in_use"),
        ("target_wrapping", "both", "one of internal, external, mixed"),
        ("operation", "clon", "one of clone, backup-restore, copy, move, toggle"),
        ("source_key_arn", "1234abcd", "the ARN of a key in AWS KMS, such as arn:aws:kms:"),
        ("source_key_status_seen", "yesterday", "a date and time, such as 2026-11-21T08:30:00Z"),
        ("config_relation", "equal", "one of matching, compatible, different, incompatible"),
        ("source_non_bagheera_support", "maybe", "one of false, true"),
    ] {
        let file = put(&folder, "pairs.csv", format!("source_name,target_name,{column}\nprod,test,{cell}\na,b,\n"));
        let ran = expect(3, &["preflight", &file]);
        let says = format!("line 2, column {column}: `{cell}` expected {expected}");
        assert!(ran.err.contains(&says), "{says}\n{}", ran.err);
    }
}

#[test]
fn what_is_said_of_one_instance_beside_a_pair_is_not_passed_over() {
    let folder = folder();
    let file = put(&folder, "pairs.csv", "source_name,target_name,posture\nprod,test,older\n");
    let ran = expect(4, &["preflight", &file]);
    assert!(
        ran.err.contains("`older` expected the side of which it is said, as in source_posture or target_posture"),
        "{}",
        ran.err
    );
    let fleet = put(&folder, "fleet.csv", "name,operation,posture\nprod,clone,in_use\ntest,clone,older\n");
    let ran = expect(2, &["preflight", &fleet, "--all-pairs"]);
    assert!(ran.err.contains("expected the side of which it is said"), "{}", ran.err);
    assert!(ran.err.contains("no usable record is about an instance"), "{}", ran.err);
}

// ---------------------------------------------------------------------------------------------------
// Evidence of AWS.

fn reply(arn: &str, state: &str) -> String {
    format!(
        r#"{{"KeyMetadata":{{"Arn":"{arn}","KeyState":"{state}","MultiRegion":false,"KeySpec":"SYMMETRIC_DEFAULT"}}}}"#
    )
}

/// A pair of which nobody says the source's External Key Status, with evidence of its key.
fn described(evidence: &str) -> serde_json::Value {
    let folder = folder();
    let row = good("prod", "test").replacen("Active,Active", ",Active", 1);
    let file = pairs(&folder, "pairs.csv", &[row]);
    let evidence = put(&folder, "reply.json", evidence);
    only_pair(&[&file, "--describe-key", &evidence])
}

#[test]
fn the_state_of_the_key_in_aws_fills_in_for_a_status_that_nobody_knows() {
    for (evidence, class, status) in [
        (reply(KEY, "Enabled"), "supported", "ACTIVE"),
        (reply(KEY, "Disabled"), "blocked", "disabled"),
        (reply(KEY, "PendingDeletion"), "blocked", "pending_deletion"),
        (reply(KEY, "PendingImport"), "blocked", "other_not_active"),
    ] {
        let pair = described(&evidence);
        assert_eq!(pair["class"], class, "{evidence}: {pair}");
        assert_eq!(pair["facts"]["source_key_status"]["value"], status, "{evidence}: {}", pair["facts"]);
    }
    let pair = described(&reply(KEY, "Enabled"));
    assert_eq!(pair["confirmed"], false, "what AWS shows lets infer no more than the status");
    assert_eq!(pair["facts"]["source_aws_key"]["grade"], "measured");
}

#[test]
fn an_error_of_aws_is_no_proof_of_anything() {
    for (code, value) in
        [("NotFoundException", "not-found"), ("ThrottlingException", "no-answer"), ("SomeNewException", "no-answer")]
    {
        for evidence in [
            format!(r#"{{"__type":"{code}","message":"about {KEY}"}}"#),
            format!("\nAn error occurred ({code}) when calling the DescribeKey operation: about {KEY}\n"),
        ] {
            let pair = described(&evidence);
            assert_eq!(pair["class"], "undetermined", "{evidence}: {pair}");
            assert_eq!(pair["facts"]["source_aws_key"]["value"], value, "{evidence}");
            assert!(pair["facts"]["source_key_status"]["value"].is_null(), "{evidence}");
        }
    }
    let denied = described(&format!(r#"{{"__type":"AccessDeniedException","message":"about {KEY}"}}"#));
    assert_eq!((denied["class"].as_str(), denied["confirmed"].as_bool()), (Some("blocked"), Some(false)), "{denied}");
    assert_eq!(denied["facts"]["source_key_status"]["value"], "unavailable");
    assert_eq!(denied["conditions"][0]["fact"], "source_key_status", "whoever asked is not the instance");
    let folder = folder();
    let file = pairs(&folder, "pairs.csv", &[good("prod", "test")]);
    let denied = put(&folder, "denied.json", format!(r#"{{"__type":"AccessDeniedException","message":"{KEY}"}}"#));
    assert_eq!(class(&[&file, "--describe-key", &denied]), "supported", "the instance's own status goes before");
}

#[test]
fn a_key_that_aws_shows_disabled_blocks_although_the_instance_still_says_active() {
    let folder = folder();
    let file = pairs(&folder, "pairs.csv", &[good("prod", "test")]);
    let evidence = put(&folder, "reply.json", reply(KEY, "Disabled"));
    let pair = only_pair(&[&file, "--describe-key", &evidence]);
    assert_eq!(pair["class"], "blocked");
    for card in ["source-aws-key-not-enabled", "target-aws-key-not-enabled", "row-06-matching-and-same-wrapping"] {
        assert!(pair["findings"].to_string().contains(card), "{card}: {pair}");
    }
}

#[test]
fn replies_are_read_from_folders_and_a_reply_that_nobody_needs_is_named() {
    let folder = folder();
    let file = pairs(&folder, "pairs.csv", &[good("prod", "test")]);
    put(&folder, "replies/a.json", reply(KEY, "Enabled"));
    put(&folder, "replies/b.json", reply(OTHER_KEY, "Disabled"));
    let replies = folder.path().join("replies").to_str().unwrap().to_owned();
    let ran = expect(0, &["preflight", &file, "--describe-key", &replies]);
    let note = format!("b.json: no pair has the key {OTHER_KEY}; the reply is not used");
    assert!(ran.err.contains(&note), "{}", ran.err);
    assert!(!ran.err.contains("a.json"), "{}", ran.err);
    let nonsense = put(&folder, "nonsense.json", "{}");
    let ran = expect(4, &["preflight", &file, "--describe-key", &nonsense]);
    assert!(ran.err.contains("nonsense.json: expected KeyMetadata with Arn and KeyState"), "{}", ran.err);
    let ran = expect(2, &["preflight", &file, "--describe-key", &nonsense, "-o", &nonsense]);
    assert!(ran.err.contains("the same place"), "{}", ran.err);
    assert_eq!(std::fs::read_to_string(&nonsense).unwrap(), "{}");
}

#[test]
fn what_aws_and_the_records_say_of_a_key_must_agree() {
    let folder = folder();
    let evidence = put(&folder, "reply.json", reply(KEY, "Enabled"));
    for (column, cell) in
        [("source_multi_region", "true"), ("source_key_spec", "RSA_2048"), ("source_aws_key_state", "Disabled")]
    {
        let file = with(&folder, column, cell);
        let pair = only_pair(&[&file, "--describe-key", &evidence]);
        assert_eq!(pair["class"], "undetermined", "{column}: {pair}");
    }
}

// ---------------------------------------------------------------------------------------------------
// Statements against each other.

#[test]
fn a_stated_relation_stands_unless_the_keys_contradict_it() {
    let folder = folder();
    let pair = |stated: &str, keys: [&str; 2]| {
        let row = good("prod", "test").replace("matching", stated).replace(&format!("{KEY},{KEY}"), &keys.join(","));
        only_pair(&[&pairs(&folder, "pairs.csv", &[row])])
    };
    let class = |stated: &str, keys| pair(stated, keys)["class"].as_str().unwrap().to_owned();
    assert_eq!(class("matching", [KEY, KEY]), "supported");
    assert_eq!(class("compatible", [KEY, KEY]), "supported");
    assert_eq!(class("different", [KEY, OTHER_KEY]), "blocked");
    assert_eq!(class("", [KEY, OTHER_KEY]), "blocked");
    let inferred = pair("", [KEY, KEY]);
    assert_eq!((inferred["class"].as_str(), inferred["confirmed"].as_bool()), (Some("supported"), Some(false)));
    for stated in ["different", "incompatible"] {
        assert_eq!(class(stated, [KEY, KEY]), "blocked", "equal keys do not show that nothing else differs");
    }
    for stated in ["matching", "compatible"] {
        let pair = pair(stated, [KEY, OTHER_KEY]);
        assert_eq!(pair["class"], "undetermined");
        let note =
            format!("the configurations are said to be {stated}, but their key ARNs and Regions show them different");
        assert_eq!(pair["notes"][0], note.as_str());
    }
}

#[test]
fn a_module_of_which_nobody_knows_hides_no_other() {
    let folder = folder();
    let of = |postures: &str, source: &str, target: &str, relation: &str| {
        let header = "source,target,operation,source_posture,target_posture,source_wrapping,target_wrapping,config_relation,wrapping_relation,source_key_status,target_key_status,source_architecture,target_architecture";
        let has = |posture: &str| if matches!(posture, "in_use" | "configured") { "ACTIVE" } else { "" };
        let (a, b) = postures.split_once(',').unwrap();
        let matching = if has(a).is_empty() || has(b).is_empty() { "" } else { "matching" };
        let row =
            format!("a,b,clone,{a},{b},{source},{target},{matching},{relation},{},{},current,current", has(a), has(b));
        class(&[&put(&folder, "pairs.csv", format!("{header}\n{row}\n"))])
    };
    let (open, other) = ("m1=external; m2=TBD", "m1=internal; m2=external");
    assert_eq!(of("in_use,in_use", open, other, "same"), "undetermined", "m1 differs");
    assert_eq!(of("in_use,in_use", open, other, ""), "blocked");
    assert_eq!(of("unconfigured,older", open, "", ""), "undetermined", "EKMS is in use where a module is external");
    assert_eq!(of("configured,older", open, "", ""), "undetermined");
    assert_eq!(of("in_use,in_use", other, other, ""), "supported");
    assert_eq!(of("in_use,in_use", open, open, ""), "undetermined");
    let fleet = put(&folder, "fleet.csv", "name,wrapping\na,m1=external; m2=TBD\na,m3=internal; m1=TBD; m2=TBD\n");
    let pair = "source,target,operation,source_posture,target_posture\na,b,clone,unconfigured,older\n";
    let joined = class(&[&put(&folder, "pair.csv", pair), &fleet]);
    assert_eq!(joined, "undetermined", "records complete each other about modules");
    let twice = put(&folder, "twice.csv", "source,target,source_wrapping\na,b,m1=external; m1=internal\n");
    assert!(expect(4, &["preflight", &twice]).err.contains("what is said before of the module m1: external"));
}

#[test]
fn an_assumption_gives_way_to_what_follows_from_statements() {
    let folder = folder();
    let row = |postures: &str| format!("a,b,clone,{postures},ACTIVE,current,current");
    let header = "source,target,operation,source_posture,target_posture,source_key_status,source_architecture,target_architecture";
    let file = put(&folder, "pairs.csv", format!("{header}\n{}\n", row("in_use,older")));
    for relation in ["same", "internal-to-external", "other-difference"] {
        let assumed = format!("wrapping_relation={relation}");
        assert_eq!(class(&[&file, "--assume", &assumed]), "supported", "{relation}");
    }
    let blank = put(&folder, "blank.csv", format!("{header}\n{}\n", row(",older")));
    assert_eq!(class(&[&blank]), "supported", "whatever the source's posture is");
    let evidence = put(&folder, "denied.json", format!(r#"{{"__type":"AccessDeniedException","message":"{KEY}"}}"#));
    let keys = put(
        &folder,
        "keys.csv",
        format!(
            "source,target,operation,source_posture,target_posture,source_key_arn,source_architecture,target_architecture\na,b,clone,in_use,older,{KEY},current,current\n"
        ),
    );
    let assumed = class(&[&keys, "--describe-key", &evidence, "--assume", "source_key_status=ACTIVE"]);
    assert_eq!(assumed, "blocked", "what AWS says goes before an assumption");
}

#[test]
fn a_plugin_or_a_release_that_does_not_fit_the_posture_leaves_it_open() {
    let folder = folder();
    for (column, cell) in [("source_plugin", "inactive"), ("target_plugin", "inactive")] {
        assert_eq!(class(&[&with(&folder, column, cell)]), "undetermined", "{column} {cell}");
    }
    for (column, cell) in [("plugin", "active"), ("release", "glide-australia-01-01-2026__patch0")] {
        let file = put(
            &folder,
            "pairs.csv",
            format!("source_name,target_name,source_posture,target_posture,source_{column}\na,b,older,older,{cell}\n"),
        );
        assert_eq!(class(&[&file]), "undetermined", "{column} {cell}");
    }
}

#[test]
fn records_of_one_pair_complete_each_other_and_a_conflict_names_both_places() {
    let folder = folder();
    let half = put(&folder, "a.csv", "source_name,target_name,operation,source_posture\nprod,test,clone,in_use\n");
    let rest = put(&folder, "b.csv", "source_name,target_name,operation,target_posture\nprod,test,clone,older\n");
    let contrary = put(&folder, "c.csv", "source_name,target_name,operation,source_posture\nprod,test,clone,older\n");
    let pair = only_pair(&[&half, &rest]);
    assert_eq!(pair["facts"]["target_posture"]["value"], "older");
    for format in FORMATS {
        let ran = expect(0, &["preflight", &half, &rest, &contrary, "--format", format]);
        let text = ran.out.split_whitespace().collect::<Vec<_>>().join(" ").replace('\\', "");
        for part in ["in_use (", "older (", "a.csv, line 2", "c.csv, line 2"] {
            assert!(text.contains(part), "{format}: {part}: {text}");
        }
    }
}

#[test]
fn a_status_is_stale_after_the_interval_of_the_health_check() {
    let folder = folder();
    let file = with(&folder, "source_key_status_seen", "2026-11-21 08:00:00");
    let advisories = |as_of: &str| only_pair(&[&file, "--as-of", as_of])["advisories"].to_string();
    assert!(!advisories("2026-11-21T08:30:00Z").contains("status-is-stale"));
    assert!(advisories("2026-11-21T08:30:01Z").contains("status-is-stale"));
    let ran = expect(2, &["preflight", &file, "--as-of", "soon"]);
    assert_snapshot!(ran.err, @"error: --as-of soon: expected a date and time, such as 2026-11-21T08:30:00Z");
}

// ---------------------------------------------------------------------------------------------------
// Nothing is lost.

#[test]
fn a_damaged_record_taints_its_pair() {
    let folder = folder();
    let of = |bad: &str| {
        let file =
            put(&folder, "pairs.csv", format!("{HEADER}\n{}\n{bad}\n{}\n", good("prod", "test"), good("x", "y")));
        classes(&[&file]).into_iter().map(|(_, class)| class).collect::<Vec<_>>()
    };
    assert_eq!(of(&good("prod", "test").replace("current,current", "current,classic")), ["undetermined", "supported"]);
    assert_eq!(of("PROD,test,clon,,,,,,,,,,,"), ["undetermined", "supported"], "whichever operation was meant");
    let listed = pairs(&folder, "pairs.csv", &[good("prod", "test")]);
    let fleet = put(&folder, "fleet.csv", "name,posture\nprod.service-now.com,broken\n");
    assert_eq!(class(&[&listed, &fleet]), "undetermined");
    let ran = expect(2, &["preflight", &listed, &fleet, "--assume", "records=complete"]);
    assert!(ran.err.contains("follows from other facts"), "no assumption mends it: {}", ran.err);
}

/// What the reader refuses never becomes a record, so that nobody knows which pair it was about.
#[test]
fn a_row_that_cannot_be_read_taints_its_pair() {
    let folder = folder();
    let file = pairs(&folder, "pairs.csv", &[good("prod", "test"), "prod,test,clone,older".to_owned()]);
    assert_eq!(class(&[&file]), "undetermined");
}

#[test]
fn what_is_said_of_a_pair_whatever_the_operation_holds_for_each() {
    let folder = folder();
    let file = pairs(&folder, "pairs.csv", &[good("prod", "test"), "prod,test,,older,,,,,,,,,,".to_owned()]);
    assert_eq!(class(&[&file]), "undetermined");
    let (listed, open) = (good("prod", "test"), good("prod", "test").replace("clone", ""));
    assert_eq!(classes(&[&pairs(&folder, "open.csv", &[open.clone(), open.replace("prod", "dev")])]).len(), 2);
    let moved = listed.replace("clone", "move");
    let file = pairs(&folder, "both.csv", &[open, listed, moved]);
    let titles: Vec<String> = classes(&[&file]).into_iter().map(|(title, _)| title).collect();
    assert_eq!(titles, ["prod → test (clone)", "prod → test (move)"]);
}

/// A key ARN is part of a configuration, which an instance on an older release does not have.
#[test]
fn a_key_on_an_instance_without_ekms_contradicts_its_posture() {
    let folder = folder();
    let row =
        format!("source,target,operation,source_posture,target_posture,source_key_arn\na,b,clone,older,older,{KEY}\n");
    assert_eq!(class(&[&put(&folder, "pairs.csv", row)]), "undetermined");
}

/// Columns that the form does not know are kept, of pairs and of the instances of a list.
#[test]
fn columns_of_a_fleet_are_kept() {
    let folder = folder();
    let fleet = put(&folder, "fleet.csv", "name,posture,Owner\nprod,in_use,team one\ntest,older,team two\n");
    let ran = expect(0, &["preflight", &fleet, "--from", "prod", "--keep-columns", "--format", "csv"]);
    assert!(ran.out.contains("team one") && ran.out.contains("team two"), "{}", ran.out);
}

#[test]
fn rejected_records_are_listed_and_change_the_exit_code() {
    let folder = folder();
    let file = pairs(&folder, "pairs.csv", &[good("a", "b"), good("c", "d").replace("clone", "=cmd")]);
    let rejects = folder.path().join("rejects.csv");
    let path = rejects.to_str().unwrap();
    let ran = expect(3, &["preflight", &file, "--rejects", path]);
    assert!(ran.err.contains("rejected: "), "{}", ran.err);
    let rows = table(&std::fs::read_to_string(&rejects).unwrap());
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0]["line"].as_str(), rows[0]["column"].as_str()), ("3", "operation"));
    assert_eq!(rows[0]["value"], "'=cmd");
    expect(0, &["preflight", &file, "--allow-rejects"]);
}

#[test]
fn every_record_is_accounted_for_in_every_format() {
    let folder = folder();
    let file = pairs(
        &folder,
        "pairs.csv",
        &[good("a", "b"), good("a", "b"), good("a", "b").replace("matching", ""), good("c", "d").replace("clone", "x")],
    );
    let fleet = put(&folder, "fleet.csv", "name,posture\na,in_use\nnobody,older\n,older\n");
    let broken = put(&folder, "broken.jsonl", "{\"source_name\":\"p\",\"target_name\":\"q\"}\n{\"source_name\":\n[]\n");
    for format in FORMATS {
        let ran = expect(3, &["preflight", &file, &fleet, &broken, "--format", format]);
        let text = if format == "table" { &ran.out } else { &ran.err };
        let numbers = account(text);
        let [read, judged, subjects, rejected, duplicates, unused] = numbers[..] else { panic!("{numbers:?}") };
        assert_eq!((read, judged, subjects, rejected, duplicates, unused), (10, 4, 2, 4, 1, 1), "{format}: {text}");
        assert_eq!(read, judged + rejected + duplicates + unused);
    }
    let document = document(&run(&["preflight", &file, &fleet, &broken, "--format", "json"]).out);
    let records = &document["summary"]["records"];
    let sum: u64 = ["judged", "rejected", "exact_duplicates", "unused_instances"]
        .map(|name| records[name].as_u64().unwrap())
        .iter()
        .sum();
    assert_eq!(records["read"].as_u64(), Some(sum));
}

// ---------------------------------------------------------------------------------------------------
// Options.

#[test]
fn an_assumption_fills_in_what_nobody_knows_and_nothing_else() {
    let folder = folder();
    let row = good("prod", "test").replacen("Active,Active", ",Active", 1);
    let file = pairs(&folder, "pairs.csv", &[row]);
    let pair = only_pair(&[&file, "--assume", "source_key_status=ACTIVE"]);
    assert_eq!(pair["class"], "supported");
    assert_eq!(pair["facts"]["source_key_status"]["grade"], "assumed");
    assert_eq!(
        class(&[&file, "--assume", "target_key_status=deleted", "--assume", "source_key_status=ACTIVE"]),
        "supported"
    );
    let table = expect(0, &["preflight", &file, "--assume", "source_key_status=ACTIVE"]).out;
    assert!(table.contains("source_key_status=ACTIVE"), "{table}");
    for wrong in ["source_key_status=fine", "source_key_stats=ACTIVE", "source_key_status"] {
        expect(2, &["preflight", &file, "--assume", wrong]);
    }
}

#[test]
fn strict_only_and_gates() {
    let folder = folder();
    let inferred = good("a", "b").replace("matching", "");
    let blocked = good("c", "d").replace("Active,Active", "Disabled,Active");
    let file = pairs(&folder, "pairs.csv", &[inferred, blocked, good("e", "f")]);
    let names = |arguments: &[&str]| -> Vec<String> {
        let mut all = vec![file.as_str()];
        all.extend(arguments);
        classes(&all).into_iter().map(|(_, class)| class).collect()
    };
    assert_eq!(names(&[]), ["supported", "blocked", "supported"]);
    assert_eq!(names(&["--strict"]), ["undetermined", "blocked", "supported"]);
    assert_eq!(names(&["--only", "blocked"]), ["blocked"]);
    for (gate, code) in [("blocked", 1), ("conditional", 1), ("undetermined", 0), ("supported,blocked", 1)] {
        expect(code, &["preflight", &file, "--fail-on", gate]);
    }
    expect(0, &["preflight", &file, "--strict", "--fail-on", "conditional"]);
    expect(1, &["preflight", &file, "--strict", "--fail-on", "undetermined"]);
    let ran = expect(2, &["preflight", &file, "--fail-on", "blokked"]);
    assert!(ran.err.contains("blocked"), "{}", ran.err);
}

#[test]
fn columns_are_chosen_kept_and_missed() {
    let folder = folder();
    let file = with(&folder, "Owner", "team; one");
    let head = |arguments: &[&str]| {
        let mut all = vec!["preflight", &file, "--format", "csv"];
        all.extend(arguments);
        expect(0, &all).out.lines().next().unwrap().to_owned()
    };
    assert_snapshot!(head(&["--columns", "target_name,class"]), @"target_name,class,confirmed");
    assert_snapshot!(head(&["--columns", "class", "--keep-columns"]), @"class,confirmed,Owner");
    assert_snapshot!(head(&[]), @"source_name,target_name,operation,class,confirmed,rules,because,source,remedy,conditions,gaps,possible,unlocks,assumed,rulebook,overruled,advisories,checklist,notes,conflicts,origins");
    let ran = expect(0, &["preflight", &file]);
    assert!(ran.err.contains("left out: Owner (--keep-columns passes them through)"), "{}", ran.err);
    assert_eq!(only_pair(&[&file, "--keep-columns"])["columns"]["Owner"], "team; one");
    expect(2, &["preflight", &file, "--format", "csv", "--columns", "clas"]);
}

#[test]
fn chinese_is_spoken_in_every_format() {
    let folder = folder();
    let fleet = put(&folder, "fleet.csv", FLEET);
    for format in FORMATS {
        let ran = expect(0, &["preflight", &fleet, "--all-pairs", "--lang", "zh", "--format", format]);
        assert!(ran.out.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)), "{format}");
        let english = ["Checklist", "Next steps", "Not settled", "Advisory", "Run the preflight check"];
        let left: Vec<_> = english.iter().filter(|word| ran.out.contains(**word)).collect();
        assert!(left.is_empty(), "{format}: {left:?}");
    }
}

const ATOMS: &str = r#"[[atom]]
name = "change-freeze"
doc = "The change calendar forbids operations on the pair."
column = "freeze"
equals = ["yes"]
"#;

#[test]
fn a_card_of_the_user_s_own_blocks_the_pairs_that_its_column_marks() {
    let folder = folder();
    put(&folder, "rules/atoms.toml", ATOMS);
    put(&folder, "rules/frozen-pair.md", FROZEN);
    let rules = folder.path().join("rules").to_str().unwrap().to_owned();
    let ran = expect(0, &["rules", "check", "--domain", "ekms", "--rules", &rules]);
    assert!(ran.out.contains("nothing to complain about"), "{}", ran.out);
    let of = |cell: &str| {
        let file = with(&folder, "Freeze", cell);
        only_pair(&[&file, "--rules", &rules])["class"].as_str().unwrap().to_owned()
    };
    assert_eq!([of("yes"), of("no"), of("")], ["blocked", "supported", "undetermined"]);
    let ran = expect(0, &["rules", "show", "frozen-pair", "--domain", "ekms", "--rules", &rules]);
    assert!(ran.out.contains("change-freeze"), "{}", ran.out);
}

const FROZEN: &str = r#"```toml
id = "frozen-pair"
kind = "class"
class = "blocked"
basis = "ours"
since = "ekms-australia"
interpretation = "Our own calendar decides."
when = [{ all = ["change-freeze"] }]

[title]
en = "The change calendar forbids it"
zh = "变更日历不允许"

[[source]]
document = "servicenow-ekms-instance-automation"
section = "Instance automation"
retrieved = "2026-11-21"
says = "The administrator decides when an operation runs."

[remedy]
kind = "console"
en = "Wait until the freeze is over"
zh = "请等待冻结期结束"
```

# The change calendar forbids it

The calendar of changes forbids instance automation operations on this pair. Nothing is wrong with the pair itself: wait
until the freeze is over, and run the preflight again.

## 中文

变更日历不允许对该实例对执行实例自动化操作。实例对本身没有问题：请等待变更冻结期结束，然后再次运行预检。
如有紧急需要，请联系变更管理员申请例外，并在获得批准后更新记录中的相应列。

```csv
source_name,target_name,freeze,expect
a-frozen,b-frozen,yes,fires
a-free,b-free,no,silent
a-unknown,b-unknown,,undetermined
```
"#;

#[test]
fn rules_and_sources_of_the_domain() {
    let list = expect(0, &["rules", "list", "--domain", "ekms"]).out;
    let head = without_digest(list.lines().next().unwrap());
    assert!(head.starts_with("ekms/ekms-australia@DIGEST ("), "{head}");
    assert!(list.contains("row-13-older-onto-configured"), "{list}");
    let show = expect(0, &["rules", "show", "row-13-older-onto-configured", "--domain", "ekms"]).out;
    assert!(show.contains("source-older") && show.contains("target-has-configuration"), "{show}");
    expect(0, &["rules", "check", "--domain", "ekms"]);
    expect(2, &["rules", "show", "row-13-older-onto-configured"]);
    let sources = expect(0, &["sources", "--domain", "ekms"]).out;
    assert!(sources.contains("servicenow-ekms-instance-automation"), "{sources}");
}

#[test]
fn explain_tells_of_each_fact_what_is_known_and_from_where() {
    let folder = folder();
    let row = good("prod", "test").replacen("Active,Active", "Disabled,Active", 1);
    put(&folder, "pairs.csv", format!("{HEADER}\n{row}\n"));
    let ran = end(command().current_dir(folder.path()).args([
        "explain",
        "prod:test",
        "--domain",
        "ekms",
        "--in",
        "pairs.csv",
    ]));
    assert_eq!(ran.code, 0, "{}", ran.err);
    let (facts, _) = ran.out.split_once("  wrapping_relation").unwrap();
    assert_snapshot!(without_digest(facts), @r"
    prod → test (clone)
    blocked. The table or a gate stops the operation; every reason is listed
    rulebook: ekms/ekms-australia@DIGEST

    Facts
      source_posture        in_use                 stated    pairs.csv, line 2
      target_posture        in_use                 stated    pairs.csv, line 2
      source_wrapping       external               stated    pairs.csv, line 2
      target_wrapping       external               stated    pairs.csv, line 2
      source_key_status     disabled               stated    pairs.csv, line 2
      target_key_status     ACTIVE                 stated    pairs.csv, line 2
      source_architecture   current                stated    pairs.csv, line 2
      target_architecture   current                stated    pairs.csv, line 2
      source_legacy_support -                      unknown   
      target_legacy_support -                      unknown   
      config_relation       matching               stated    pairs.csv, line 2
    ");
    for part in ["row-08-source-key-not-active", "aws kms enable-key", "Checklist", "Source"] {
        assert!(ran.out.contains(part), "{part}: {}", ran.out);
    }
    let file = folder.path().join("pairs.csv").to_str().unwrap().to_owned();
    for name in ["prod → test (clone)", "prod → test"] {
        let json = expect(0, &["explain", name, "--domain", "ekms", "--in", &file, "--format", "json"]).out;
        assert_eq!(document(&json)["class"], "blocked");
    }
    let ran = expect(4, &["explain", "prd:test", "--domain", "ekms", "--in", &file]);
    assert!(ran.err.contains("no pair `prd:test` in the input"), "{}", ran.err);
}

// ---------------------------------------------------------------------------------------------------
// What comes from outside must not act.

const HOSTILE: [&str; 8] = [
    "=HYPERLINK(\"http://example.invalid\")",
    "\u{1b}[31mred\u{1b}]0;title\u{7}",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "](http://example.invalid) **bold** `code` | cell",
    "\u{202e}txet\u{2066}",
    "$(touch broken)`touch broken`'; touch broken #",
    "{source_key_arn}{target_name}",
    "a\nb\r\n## heading",
];

fn hostile(folder: &TempDir) -> String {
    let pairs: Vec<_> = HOSTILE
        .iter()
        .map(|name| {
            serde_json::json!({
                "operation": "clone", "source_posture": "in_use", "target_posture": "in_use", "owner": name,
                "source": { "name": name, "key_arn": KEY, "key_status": name, "release": name },
                "target": { "name": format!("{name}2"), "key_arn": OTHER_KEY, "key_spec": name },
            })
        })
        .collect();
    put(folder, "pairs.json", serde_json::to_vec(&pairs).unwrap())
}

#[test]
fn hostile_names_are_inert_in_every_format() {
    let folder = folder();
    let file = hostile(&folder);
    for format in FORMATS {
        let ran = expect(0, &["preflight", &file, "--matrix", "--format", format, "--keep-columns"]);
        let bad: Vec<char> = ran.out.chars().chain(ran.err.chars()).filter(|c| acts(*c)).collect();
        assert!(bad.is_empty(), "{format}: {bad:?}");
        match format {
            "html" => assert!(!ran.out.contains("<script") && !ran.out.contains("<img"), "{}", ran.out),
            "markdown" => {
                let raw = ["<script", "<img", "](http", "**bold**", "\n## heading"];
                let text = ran.out.replace("\\]", "").replace("\\*", "");
                assert!(raw.iter().all(|raw| !text.contains(raw)), "{}", ran.out);
            }
            "csv" => {
                let rows = table(&ran.out);
                assert_eq!(rows.len(), HOSTILE.len());
                let formula = |cell: &&String| cell.starts_with(['=', '+', '-', '@']);
                assert_eq!(rows.iter().flat_map(|row| row.values()).find(formula), None);
            }
            _ => {}
        }
    }
    let titles: Vec<String> = classes(&[&file]).into_iter().map(|(title, _)| title).collect();
    assert_eq!(titles[6], "{source_key_arn}{target_name} → {source_key_arn}{target_name}2 (clone)");
    assert_eq!(titles[0], format!("{0} → {0}2 (clone)", HOSTILE[0]), "JSON keeps the text");
}

#[test]
fn holes_in_commands_are_quoted_for_a_shell() {
    let folder = folder();
    let alias = "arn:aws:kms:us-east-2:123456789012:alias/plain";
    let row = good("prod", "test").replacen(KEY, alias, 1).replacen("Active,Active", "Disabled,Active", 1);
    let text = expect(0, &["preflight", &pairs(&folder, "pairs.csv", &[row]), "--format", "markdown"]).out;
    assert!(text.contains(&format!("aws kms enable-key --region us-east-2 --key-id {alias}")), "{text}");
    for bad in ["alias/$(reboot)", "alias/a b", "alias/a'b", "alias/", "alias/`x`"] {
        let row = good("prod", "test").replacen(KEY, &format!("arn:aws:kms:us-east-2:123456789012:{bad}"), 1);
        let ran = expect(4, &["preflight", &pairs(&folder, "pairs.csv", &[row])]);
        assert!(ran.err.contains("column source_key_arn"), "{bad}: {}", ran.err);
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let folder = folder();
    let fleet = put(&folder, "fleet.csv", FLEET);
    let listed = with(&folder, "source_key_status_seen", "2026-11-21T08:00:00Z");
    for format in FORMATS {
        let arguments =
            ["preflight", &fleet, &listed, "--all-pairs", "--as-of", "2026-11-21T08:30:00Z", "--format", format];
        assert_eq!(expect(0, &arguments).out, expect(0, &arguments).out, "{format}");
        let path = folder.path().join(format!("out.{format}"));
        let mut to_file = arguments.to_vec();
        to_file.extend(["-o", path.to_str().unwrap()]);
        expect(0, &to_file);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), expect(0, &arguments).out, "{format}");
    }
}

#[test]
fn help_of_preflight() {
    assert_snapshot!(expect(0, &["preflight", "--help"]).out, @r"
    May this ServiceNow instance be cloned, restored, copied or moved onto that one while EKMS is
    enabled?

    Usage: cmkdiag preflight [OPTIONS] [INPUT]...

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

          --matrix
              Show sources against targets, also for pairs that are listed one by one

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

    Pairs of listed instances:
          --from <NAME>
              Instances to be sources; without it, each is

          --to <NAME>
              Instances to be targets; without it, each is

          --all-pairs
              Every ordered pair of listed instances

    Examples:
      cmkdiag preflight pairs.csv
      cmkdiag preflight fleet.csv --operation clone --from prod --to test,dev
      cmkdiag preflight fleet.csv --operation clone --all-pairs --format html -o clones.html
      cmkdiag preflight fleet.csv --from prod --to test --describe-key aws-replies/
      cmkdiag preflight --instance prod --instance test --from prod --to test

    Exit codes:
      0  done
      1  done, and a --fail-on gate matched, or a plan has errors
      2  wrong usage
      3  done, but some records were rejected (the results of the others are written; --allow-rejects
      makes it 0)
      4  could not do it (reading, writing, or no usable record)
    ");
}
