//! Every console block of the README and of the pages beside it was printed by the program: `$ cmkdiag …` is run again, and
//! what stands below it must stand in what it prints, in order; a line `…` stands for any lines.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails says where")]

use assert_cmd::Command;

const README: &str = include_str!("../README.md");

/// The other pages that show commands.
const PAGES: [&str; 10] = [
    include_str!("../docs/inventory.md"),
    include_str!("../docs/output.md"),
    include_str!("../docs/plan.md"),
    include_str!("../docs/servicenow.md"),
    include_str!("../docs/submit.md"),
    include_str!("../docs/tickets.md"),
    include_str!("../docs/usage.md"),
    include_str!("../docs/verdicts.md"),
    include_str!("../samples/README.md"),
    include_str!("../samples/servicenow/README.md"),
];

/// The blocks of a page: arguments, and the expected lines.
fn blocks(page: &'static str) -> Vec<(Vec<&'static str>, Vec<&'static str>)> {
    let blocks = page.split("```console\n$ ").skip(1).filter_map(|rest| rest.split_once("\n```"));
    let parsed = blocks.map(|(block, _)| {
        let mut lines = block.lines();
        (lines.next().unwrap_or_default().split(' ').collect(), lines.collect())
    });
    parsed.collect()
}

fn printed(arguments: &[&str]) -> String {
    let mut command = Command::cargo_bin("cmkdiag").unwrap();
    command.env_clear().env("COLUMNS", "120").args(arguments);
    let output = command.output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// The first expected line that is not where it should be, if any.
fn missing<'e>(expected: &[&'e str], printed: &str) -> Option<&'e str> {
    let lines: Vec<&str> = printed.lines().map(str::trim_end).collect();
    let (mut at, mut anywhere) = (0, false);
    for line in expected {
        if *line == "…" {
            anywhere = true;
            continue;
        }
        let found = lines[at..].iter().position(|have| have == line)?;
        if found > 0 && !anywhere {
            return Some(line);
        }
        at += found + 1;
        anywhere = false;
    }
    None
}

fn first_missing<'e>(expected: &[&'e str], printed: &str) -> Option<&'e str> {
    let all_there = expected.iter().all(|line| *line == "…" || printed.lines().any(|have| have.trim_end() == *line));
    match all_there {
        true => missing(expected, printed),
        false => {
            expected.iter().copied().find(|line| *line != "…" && !printed.lines().any(|have| have.trim_end() == *line))
        }
    }
}

#[test]
fn what_the_readme_shows_is_what_the_program_prints() {
    let mut shown = 0;
    let pages = [README].into_iter().chain(PAGES).flat_map(blocks);
    for (command, expected) in pages.filter(|(command, _)| command[0] == "cmkdiag") {
        let printed = printed(&command[1..]);
        assert_eq!(first_missing(&expected, &printed), None, "`{}` printed:\n{printed}", command.join(" "));
        assert!(!printed.is_empty(), "`{}` printed nothing", command.join(" "));
        shown += expected.len();
    }
    assert!(shown > 80, "the pages show only {shown} lines of output");
}

#[test]
fn every_question_stands_in_the_readme_with_its_answer() {
    let blocks = blocks(README);
    for command in ["diagnose", "preflight", "exchange", "explain"] {
        let shows = |(words, lines): &(Vec<&str>, Vec<&str>)| words[..2] == ["cmkdiag", command] && lines.len() > 5;
        assert!(blocks.iter().any(shows), "the README does not show what `cmkdiag {command}` prints");
    }
    let first = blocks.iter().find(|(words, _)| words[0] == "cmkdiag").map(|(words, _)| words[1]);
    assert_eq!(first, Some("diagnose"));
}

#[test]
fn the_pages_to_which_the_readme_leads_are_there() {
    let targets = README.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
    for target in targets.filter(|target| !target.contains("://") && !target.starts_with('#')) {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(target);
        assert!(path.exists(), "the README leads to {target}, which does not exist");
    }
}

#[test]
fn a_line_that_was_not_printed_is_found() {
    assert_eq!(first_missing(&["a", "…", "d"], "a\nb\nc\nd\n"), None);
    assert_eq!(first_missing(&["a", "c"], "a\nb\nc\n"), Some("c"));
    assert_eq!(first_missing(&["x"], "a\n"), Some("x"));
}

#[test]
fn the_two_commands_of_a_newcomer_stand_in_the_readme() {
    let commands: Vec<String> = blocks(README).into_iter().map(|(command, _)| command.join(" ")).collect();
    assert!(commands.iter().any(|command| command == "cargo run --release -- diagnose samples/inventory.csv"));
    assert!(commands.iter().any(|command| command == "cargo test"));
}

#[test]
fn exit_codes_in_the_readme_are_those_of_the_program() {
    for line in cmkdiag::cli::exit::TABLE.lines().skip(1) {
        let code = line.trim().split(' ').next().unwrap_or_default();
        assert!(README.contains(&format!("| {code} | ")), "the README does not explain exit code {code}");
    }
}
