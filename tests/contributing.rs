//! The newcomer's path under test: a new card is started, found unfinished, filled in, compiled and
//! listed; a page that nobody listed is found out.
//!
//! It works on a copy of the tree and compiles that with `cargo build --offline`, as a newcomer would.
//! The folder for what is compiled is kept from run to run, so only the first one compiles everything.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails says where")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const ID: &str = "frozen-by-change-calendar";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn program(path: &Path, arguments: &[&str]) -> Output {
    Command::new(path).args(arguments).env("NO_COLOR", "1").output().expect("the program runs")
}

fn built() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_cmkdiag"))
}

fn said(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!("{}{}", String::from_utf8_lossy(out), String::from_utf8_lossy(err))
}

/// Copies a file or folder, keeping the times of files, so that what did not change is not compiled again.
fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        std::fs::copy(from, to).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
        let times = std::fs::FileTimes::new().set_modified(from.metadata().unwrap().modified().unwrap());
        let file = std::fs::File::options().write(true).open(to).unwrap();
        file.set_times(times).unwrap();
    }
}

/// A copy of what is needed to compile the program, in a place that is the same in every run.
fn copy_of_the_tree(name: &str) -> PathBuf {
    let tree = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if tree.exists() {
        std::fs::remove_dir_all(&tree).unwrap();
    }
    std::fs::create_dir_all(&tree).unwrap();
    for part in ["Cargo.toml", "Cargo.lock", "src", "README.md"] {
        if root().join(part).exists() {
            copy(&root().join(part), &tree.join(part));
        }
    }
    compile_fast_rather_than_to_be_fast(&tree.join("Cargo.toml"));
    tree
}

/// Takes the profiles out of a manifest: checking text needs no optimised program.
fn compile_fast_rather_than_to_be_fast(manifest: &Path) {
    let text = read(manifest);
    let (packages, _) = text.split_once("[profile.").expect("profiles at the end");
    let times =
        std::fs::FileTimes::new().set_modified(root().join("Cargo.toml").metadata().unwrap().modified().unwrap());
    std::fs::write(manifest, format!("{packages}[profile.dev]\nopt-level = 0\ndebug = false\n")).unwrap();
    std::fs::File::options().write(true).open(manifest).unwrap().set_times(times).unwrap();
}

/// Compiles the copy and gives the program.
fn compile(tree: &Path) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("contributing-target");
    let mut cargo = Command::new(env!("CARGO"));
    // Cargo tells the test about the tree that it was started in; the copy must not hear of it.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST") || name == "CARGO_PRIMARY_PACKAGE" {
            cargo.env_remove(name);
        }
    }
    let output = cargo
        .args(["build", "--offline", "--locked", "--bin", "cmkdiag"])
        .env("CARGO_TARGET_DIR", &target)
        .env_remove("RUSTFLAGS")
        .current_dir(tree)
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", said(&output));
    target.join("debug/cmkdiag")
}

fn page_of(tree: &Path, id: &str) -> PathBuf {
    tree.join(format!("src/domains/cmk/rules/{id}.md"))
}

fn list_of(tree: &Path) -> PathBuf {
    tree.join("src/domains/cmk/rules.rs")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What a newcomer writes into the page.
const FILLED: &str = r#"```toml
id = "frozen-by-change-calendar"
kind = "advisory"
basis = "ours"
since = "alibaba-2023"
interpretation = "The document leaves the time of the migration to the owner; we ask for a look at the calendar."
when = [{ all = ["is-key", "hsm-protected"] }]

[title]
en = "The key may be frozen by the change calendar"
zh = "该密钥可能处于变更冻结期"

[[source]]
document = "alibaba-migrate-cmks"
section = "Procedure"
retrieved = "2026-11-21"
says = "The owner proposes a time window for the migration in the ticket."

[remedy]
kind = "none"
en = "Look into the change calendar before you name a window"
zh = "请先查看变更日历，再确定时间窗口"
```

# The key may be frozen by the change calendar

Keys in hardware are often subject to a calendar of changes. Look into it before you name a time window.

## 中文

硬件保护的密钥往往受变更日历约束。请先查看变更日历，再在工单中填写迁移时间窗口。

```csv
key_id,protection_level,expect
k-hsm,HSM,fires
k-software,SOFTWARE,silent
k-unknown,,undetermined
```
"#;

#[test]
fn a_new_card_is_started_found_unfinished_filled_in_and_listed() {
    let tree = copy_of_the_tree("contributing-tree");
    let before = read(&list_of(&tree));

    let arguments = ["rules", "new", "cmk", ID, "--root", tree.to_str().unwrap()];
    let started = program(built(), &arguments);
    assert!(started.status.success(), "{}", said(&started));
    assert!(said(&started).contains("cargo test"), "it says what to do next");
    let page = read(&page_of(&tree, ID));
    assert!(page.contains(&format!("id = \"{ID}\"")));
    assert!(page.contains("TODO"));

    let after = read(&list_of(&tree));
    let line = format!("    \"{ID}\",");
    let added: Vec<&str> = after.lines().filter(|line| !before.contains(line)).collect();
    assert_eq!(added, [line.as_str()], "one line was added");
    let listed: Vec<&str> = after.lines().filter(|line| line.starts_with("    \"")).collect();
    assert!(listed.is_sorted(), "the list is in alphabetical order");
    let again = program(built(), &arguments);
    assert_eq!(again.status.code(), Some(4));
    assert!(said(&again).contains("exists already"), "{}", said(&again));

    let unfinished = compile(&tree);
    let check = program(&unfinished, &["rules", "check"]);
    assert_eq!(check.status.code(), Some(4), "{}", said(&check));
    assert!(said(&check).contains(&format!("{ID}: something is still marked TODO")), "{}", said(&check));

    std::fs::write(page_of(&tree, ID), FILLED).unwrap();
    let finished = compile(&tree);
    let check = program(&finished, &["rules", "check"]);
    assert_eq!(check.status.code(), Some(0), "{}", said(&check));
    let list = program(&finished, &["rules", "list"]);
    let title = "The key may be frozen by the change calendar";
    let shown = said(&list);
    let row = shown.lines().find(|row| row.starts_with(ID)).expect("the card is listed");
    assert!(row.contains("advisory") && row.ends_with(title), "{row}");
    let cards = |output: &str| output.lines().next().unwrap().split(['(', ' ']).nth(2).map(str::to_owned);
    let old = said(&program(built(), &["rules", "list"]));
    assert_ne!(cards(&shown), cards(&old), "there is one card more");

    let keys = tree.join("keys.csv");
    std::fs::write(&keys, "key_id,protection_level\nk,HSM\n").unwrap();
    let diagnosis = program(&finished, &["diagnose", keys.to_str().unwrap(), "--format", "csv", "-q"]);
    assert!(said(&diagnosis).contains(ID), "the card speaks in a diagnosis");
}

#[test]
fn the_page_that_a_new_card_starts_from_can_be_read_and_is_found_unfinished_in_every_part() {
    let folder = tempfile::tempdir().unwrap();
    let page = read(&root().join("src/rulebook/template.md")).replace("{id}", ID).replace("{edition}", "alibaba-2023");
    std::fs::write(folder.path().join(format!("{ID}.md")), page).unwrap();
    let check = program(built(), &["rules", "check", "--rules", folder.path().to_str().unwrap()]);
    assert_eq!(check.status.code(), Some(4));
    assert!(said(&check).contains("something is still marked TODO"), "{}", said(&check));
}

// ---------------------------------------------------------------------------------------------------
// Every page is listed.

/// The pages of a tree that its lists do not name.
fn unlisted(tree: &Path) -> Vec<String> {
    let mut missing = Vec::new();
    for domain in std::fs::read_dir(tree.join("src/domains")).unwrap() {
        let domain = domain.unwrap().path();
        if !domain.join("rules").is_dir() {
            continue;
        }
        let list = read(&domain.join("rules.rs"));
        for page in std::fs::read_dir(domain.join("rules")).unwrap() {
            let page = page.unwrap().path();
            let stem = page.file_stem().unwrap().to_str().unwrap();
            let is_page = page.extension().is_some_and(|extension| extension == "md");
            if !is_page || !list.contains(&format!("    \"{stem}\",\n")) {
                missing.push(page.file_name().unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    missing.sort();
    missing
}

#[test]
fn every_page_is_listed() {
    assert_eq!(unlisted(root()), [""; 0]);
}

#[test]
fn a_page_that_is_not_listed_is_found_out() {
    let folder = tempfile::tempdir().unwrap();
    let cmk = "src/domains/cmk";
    copy(&root().join(cmk), &folder.path().join(cmk));
    assert_eq!(unlisted(folder.path()), [""; 0]);
    std::fs::write(page_of(folder.path(), ID), FILLED).unwrap();
    assert_eq!(unlisted(folder.path()), [format!("{ID}.md")]);
}

// ---------------------------------------------------------------------------------------------------
// The guide names every field.

/// The fields of the structs of `card.rs`, by struct.
fn fields_of(structure: &str, source: &str) -> Vec<String> {
    let opening = format!("pub struct {structure} {{\n");
    let (_, rest) = source.split_once(&opening).expect("the struct is there");
    let (body, _) = rest.split_once("\n}").unwrap();
    let names = body.lines().filter_map(|line| line.trim().strip_prefix("pub "));
    names.map(|line| line.split(':').next().unwrap().trim_start_matches("r#").to_owned()).collect()
}

/// The fields of a card that a guide does not name.
fn unexplained(guide: &str, source: &str) -> Vec<String> {
    let mut missing = Vec::new();
    for structure in ["Card", "Alternative", "CardEffect", "Limit", "Bilingual", "Source", "Remedy"] {
        let fields = fields_of(structure, source);
        assert!(fields.len() >= 2, "{structure} was not understood");
        for field in fields {
            let named = [
                format!("`{field}`"),
                format!("`[{field}]`"),
                format!("`[[{field}]]`"),
                format!("`{field} ="),
                format!(" {field} ="),
                format!("{{ {field} ="),
            ];
            if !named.iter().any(|name| guide.contains(name.as_str())) {
                missing.push(format!("{structure}.{field}"));
            }
        }
    }
    missing
}

#[test]
fn the_guide_names_every_field_of_a_card() {
    let guide = read(&root().join("src/rulebook/README.md"));
    let source = read(&root().join("src/rulebook/card.rs"));
    assert_eq!(unexplained(&guide, &source), [""; 0]);
    let without = guide.replace("`basis`", "");
    assert_eq!(unexplained(&without, &source), ["Card.basis"]);
}

#[test]
fn the_guide_names_every_kind_basis_and_remedy() {
    let guide = read(&root().join("src/rulebook/README.md"));
    let source = read(&root().join("src/rulebook/card.rs"));
    let arrows = source.lines().filter_map(|line| line.trim().split_once(" => \""));
    let mut words = 0;
    for (_, word) in arrows {
        let word = word.trim_end_matches("\",");
        assert!(guide.contains(&format!("`{word}`")), "the guide does not name `{word}`");
        words += 1;
    }
    assert!(words >= 15, "only {words} words were found");
}
