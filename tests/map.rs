//! The map of the house: every room is on it, arrows point downwards, files stay readable, every
//! dependency has its reason, and nothing names the machine on which it was written.
//!
//! Each guard is a function of texts, and is shown a wrong text to see it bark.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails says where")]

use std::path::{Path, PathBuf};

/// The rooms, from the top; each may use those behind it and itself.
const ROOMS: [&str; 15] = [
    "cli",
    "ticket",
    "plan",
    "write",
    "cases",
    "diagnose",
    "usage",
    "read",
    "alibaba",
    "servicenow",
    "http",
    "inventory",
    "domains",
    "rulebook",
    "engine",
];

/// Rooms that any other may use, and that use none.
const FOR_ALL: [&str; 3] = ["bytes", "ordered", "spare"];

/// Macros stand at the root of the crate, whichever room they are written in.
const MACROS: [(&str, &str); 2] = [("facts", "domains"), ("rules", "rulebook")];

/// No source file may be longer, tests at its end not counted.
const LONGEST: usize = 450;

/// Files that are longer, with what they may have at most. Entries may only shrink or go.
const LONGER: [(&str, usize); 0] = [];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file under a folder, as a path from the root, in order.
fn files_under(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut waiting = vec![root().join(folder)];
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if name != "target" && name != ".git" {
                    waiting.push(path);
                }
            } else {
                let short = path.strip_prefix(root()).unwrap();
                found.push(short.to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

fn sources() -> Vec<String> {
    let mut files = files_under("src");
    files.retain(|path| path.ends_with(".rs"));
    assert!(files.len() > 30, "the sources were not found");
    files
}

fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

// ---------------------------------------------------------------------------------------------------
// Every room is on the map.

/// The folders and files directly under `src`, without the entrance and the map itself.
fn rooms_built() -> Vec<String> {
    let mut rooms: Vec<String> = files_under("src")
        .iter()
        .map(|path| path["src/".len()..].split('/').next().unwrap().to_owned())
        .map(|name| name.trim_end_matches(".rs").to_owned())
        .filter(|name| name != "main" && name != "lib")
        .collect();
    rooms.dedup();
    rooms
}

/// Rooms that the map of `lib.rs` does not explain, and rooms on the map that are not there.
fn map_problems(lib: &str, built: &[String]) -> Vec<String> {
    let rows = lib.lines().filter_map(|line| line.strip_prefix("//! | [`"));
    let drawn: Vec<&str> = rows
        .filter_map(|row| {
            let (room, rest) = row.split_once("`] | ")?;
            (rest.trim_end_matches('|').trim().len() > 10).then_some(room)
        })
        .collect();
    let missing = built
        .iter()
        .filter(|room| !drawn.contains(&room.as_str()))
        .map(|room| format!("{room} is not on the map in lib.rs"));
    let gone = drawn
        .iter()
        .filter(|room| !built.iter().any(|built| built == *room))
        .map(|room| format!("{room} is on the map, but there is no such room"));
    let undeclared = built
        .iter()
        .filter(|room| !lib.contains(&format!("pub mod {room};")))
        .map(|room| format!("{room} is not declared in lib.rs"));
    missing.chain(gone).chain(undeclared).collect()
}

#[test]
fn every_room_is_on_the_map() {
    assert_eq!(map_problems(&text("src/lib.rs"), &rooms_built()), [""; 0]);
}

#[test]
fn a_room_that_is_not_drawn_or_not_built_is_found_out() {
    let mut built = rooms_built();
    built.push("cellar".to_owned());
    let problems = map_problems(&text("src/lib.rs"), &built);
    assert_eq!(problems[0], "cellar is not on the map in lib.rs");
    built.retain(|room| room != "cellar" && room != "engine");
    let problems = map_problems(&text("src/lib.rs"), &built);
    assert_eq!(problems, ["engine is on the map, but there is no such room"]);
}

#[test]
fn the_rooms_of_this_test_are_those_that_are_built() {
    let mut known: Vec<&str> = ROOMS.iter().chain(&FOR_ALL).copied().collect();
    known.sort_unstable();
    assert_eq!(rooms_built(), known);
}

// ---------------------------------------------------------------------------------------------------
// Arrows point downwards.

/// The names that stand behind `crate::`, also in a group, comments left out; macros by their room.
fn named_rooms(source: &str) -> Vec<(usize, String)> {
    let mut named = Vec::new();
    let code: Vec<&str> =
        source.lines().map(|line| if line.trim_start().starts_with("//") { "" } else { line }).collect();
    for (index, line) in code.iter().enumerate() {
        for (at, _) in line.match_indices("crate::") {
            let rest = &line[at + "crate::".len()..];
            let firsts: Vec<String> = if rest.starts_with('{') {
                let whole = code[index..].join("\n");
                let whole = &whole[whole.find("crate::{").unwrap() + "crate::{".len()..];
                first_of_each(whole)
            } else {
                vec![identifier(rest)]
            };
            for first in firsts {
                let room = MACROS.iter().find(|(name, _)| *name == first).map_or(first.as_str(), |(_, room)| room);
                named.push((index + 1, room.to_owned()));
            }
        }
    }
    named
}

fn identifier(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The first name of each member of a group of imports, whose brace is already open.
fn first_of_each(group: &str) -> Vec<String> {
    let mut depth = 0;
    let mut members = vec![String::new()];
    for c in group.chars() {
        match c {
            '}' if depth == 0 => break,
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => members.push(String::new()),
            _ if depth == 0 => members.last_mut().unwrap().push(c),
            _ => {}
        }
    }
    let firsts = members.iter().map(|member| identifier(member.trim()));
    firsts.filter(|first| !first.is_empty()).collect()
}

/// The rooms that are reached over the roof: `super::super::room`.
fn over_the_roof(source: &str) -> Vec<(usize, String)> {
    let mut named = Vec::new();
    for (index, line) in source.lines().enumerate() {
        if line.trim_start().starts_with("//") {
            continue;
        }
        for (at, found) in line.match_indices("super::super::") {
            let first = identifier(line[at + found.len()..].trim_start_matches("super::"));
            if ROOMS.contains(&first.as_str()) {
                named.push((index + 1, first));
            }
        }
    }
    named
}

/// The arrows of a file that point upwards, or to no room.
fn wrong_arrows(path: &str, source: &str) -> Vec<String> {
    let here = path["src/".len()..].split('/').next().unwrap();
    let here = here.trim_end_matches(".rs");
    let floor = |room: &str| ROOMS.iter().position(|known| *known == room);
    let mut wrong = Vec::new();
    for (line, room) in named_rooms(source).into_iter().chain(over_the_roof(source)) {
        let allowed = match (floor(here), floor(&room)) {
            _ if room == here => true,
            (Some(_), None) => FOR_ALL.contains(&room.as_str()),
            (Some(from), Some(to)) => from < to,
            (None, _) => false,
        };
        if !allowed {
            wrong.push(format!("{path}:{line}: {here} uses {room}"));
        }
    }
    wrong
}

#[test]
fn arrows_point_downwards_only() {
    let mut wrong = Vec::new();
    let mut arrows = 0;
    for path in sources() {
        if path != "src/lib.rs" && path != "src/main.rs" {
            let source = text(&path);
            arrows += named_rooms(&source).len();
            wrong.extend(wrong_arrows(&path, &source));
        }
    }
    assert!(arrows > 80, "only {arrows} arrows were found");
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn an_arrow_that_points_upwards_is_found_out() {
    for (path, source) in [
        ("src/engine/facts.rs", "use crate::rulebook::card::Card;"),
        ("src/read/csv.rs", "let x = crate::write::safe::visible(t);"),
        ("src/domains/cmk/observe.rs", "use crate::{\n    engine::facts::{A, B},\n    inventory::row,\n};"),
        ("src/rulebook/card.rs", "use super::super::domains::cmk;"),
        ("src/ordered.rs", "use crate::engine::facts::Bits;"),
        ("src/engine/mod.rs", "use crate::nowhere::X;"),
    ] {
        assert_eq!(wrong_arrows(path, source).len(), 1, "{path}: {source}");
    }
    for (path, source) in [
        ("src/cli/run.rs", "use crate::engine::facts::Bits;"),
        ("src/read/csv.rs", "use crate::inventory::row::Row;\nuse crate::domains::cell::Cell;"),
        ("src/domains/cmk/rules.rs", "crate::rules! {"),
        ("src/write/mod.rs", "use crate::ordered::ordered;"),
        ("src/engine/mod.rs", "//! Not to be confused with [`crate::rulebook`]."),
    ] {
        assert_eq!(wrong_arrows(path, source), [""; 0], "{path}");
    }
}

// ---------------------------------------------------------------------------------------------------
// Files stay readable.

/// The lines of a file before the tests at its end.
fn length(source: &str) -> usize {
    source.lines().take_while(|line| *line != "#[cfg(test)]").count()
}

/// What is wrong with the length of a file.
fn too_long(path: &str, length: usize) -> Option<String> {
    let excused = LONGER.iter().find(|(longer, _)| *longer == path);
    match excused {
        None if length > LONGEST => Some(format!("{path} has {length} lines; {LONGEST} are enough")),
        Some((_, most)) if length > *most => Some(format!("{path} has grown to {length} lines; it had at most {most}")),
        Some(_) if length <= LONGEST => Some(format!("{path} has only {length} lines now: strike it from LONGER")),
        _ => None,
    }
}

#[test]
fn no_file_is_too_long_to_read() {
    let all = sources();
    let long: Vec<String> = all.iter().filter_map(|path| too_long(path, length(&text(path)))).collect();
    assert_eq!(long, [""; 0]);
    for (path, _) in LONGER {
        assert!(all.iter().any(|known| known == path), "{path} is gone");
    }
}

#[test]
fn a_file_that_is_too_long_is_found_out() {
    assert!(too_long("src/new.rs", LONGEST + 1).is_some());
    assert!(too_long("src/new.rs", LONGEST).is_none());
    assert_eq!(length("a\nb\n#[cfg(test)]\nmod tests {}\n"), 2);
}

// ---------------------------------------------------------------------------------------------------
// Every dependency has its reason.

/// The direct dependencies without a comment in the line above. One that continues the name of the one
/// above it (`csv`, `csv-core`) shares its reason.
fn without_reason(manifest: &str) -> Vec<String> {
    let (mut inside, mut above, mut seen) = (false, "", 0);
    let mut without = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line.trim_end_matches(']').ends_with("dependencies");
        } else if let Some((name, _)) = line.split_once('=').filter(|_| inside) {
            let name = name.trim();
            let family = above.get(..3).is_some_and(|start| name.starts_with(start));
            let explained = above.strip_prefix('#').is_some_and(|reason| reason.trim().len() > 8);
            seen += 1;
            if !explained && !family {
                without.push(name.to_owned());
            }
        }
        above = line;
    }
    assert!(seen > 0, "no dependency was found");
    without
}

#[test]
fn every_dependency_has_its_reason() {
    assert_eq!(without_reason(&text("Cargo.toml")), [""; 0]);
}

#[test]
fn a_dependency_without_a_reason_is_found_out() {
    let wrong = "[dependencies]\n# Fast hashing of facts.\nfoldhash = \"1\"\nrand = \"1\"\n\n[dev-dependencies]\n#\ninsta = \"1\"\n";
    assert_eq!(without_reason(wrong), ["rand", "insta"]);
}

// ---------------------------------------------------------------------------------------------------
// Nothing names the machine on which it was written.

/// What may stand in no file. Written in pieces, so that this file does not contain them.
fn machine_words() -> Vec<String> {
    let pieces = [
        ["/wo", "rk/"],
        ["/tmp/pe", "rf"],
        ["/ro", "ot/"],
        ["/ho", "me/"],
        ["index.cra", "tes.io"],
        ["static.cra", "tes.io"],
        ["sparse+", "http"],
        ["replace-", "with"],
        ["local", "host:"],
        ["127.0.", "0.1"],
        ["CARGO_REGIS", "TRIES"],
    ];
    pieces.iter().map(|pair| pair.concat()).collect()
}

/// Where a text names the machine.
fn machine_traces(path: &str, text: &str) -> Vec<String> {
    let words = machine_words();
    let named = |line: &str| words.iter().find(|word| line.contains(word.as_str())).cloned();
    let mut traces: Vec<String> = text
        .lines()
        .enumerate()
        .filter_map(|(index, line)| named(line).map(|word| format!("{path}:{} names {word}", index + 1)))
        .collect();
    let official = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
    if path.ends_with("Cargo.lock") {
        let other = text.lines().filter(|line| line.starts_with("source = ") && *line != official);
        traces.extend(other.map(|line| format!("{path}: {line}")));
    }
    traces
}

#[test]
fn no_file_names_the_machine_on_which_it_was_written() {
    let mut traces = Vec::new();
    let mut looked_at = 0;
    for path in files_under(".") {
        if let Ok(text) = std::fs::read_to_string(root().join(&path)) {
            looked_at += 1;
            traces.extend(machine_traces(&path, &text));
        }
    }
    assert!(looked_at > 100, "only {looked_at} files were looked at");
    assert_eq!(traces, [""; 0]);
}

#[test]
fn a_trace_of_the_machine_is_found_out() {
    let path = format!("see {}shared/notes.md", machine_words()[0]);
    assert_eq!(machine_traces("README.md", &path).len(), 1);
    let lock = "source = \"registry+https://mirror.example/index\"\n";
    assert_eq!(machine_traces("Cargo.lock", lock).len(), 1);
    assert_eq!(machine_traces("README.md", lock).len(), 0);
}
