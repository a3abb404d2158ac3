//! What was counted in logs, as JSON Lines that can be merged, and as a table.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::safe::{csv_cell, json_lines};
use crate::ordered::ordered;
use crate::usage::agent::Caller;
use crate::usage::collect::{Entry, Names, text};
use crate::usage::result::{Line, Written};
use crate::usage::tally::Calls;
use crate::usage::time::{WEEK, show};

/// So many keys are written at once by a thread.
const KEYS: usize = 64;

/// All lines, by so many threads.
///
/// # Errors
/// The writer fails.
pub fn jsonl(counted: &Written<'_>, jobs: usize, out: &mut (dyn Write + Send)) -> io::Result<()> {
    let mut text = Vec::new();
    for line in counted.beside_keys() {
        text.clear();
        add_line(&line, &mut text)?;
        out.write_all(&text)?;
    }
    let entries = counted.entries();
    let mut pieces = entries.chunks(KEYS);
    ordered(
        jobs,
        || Ok(pieces.next()),
        || (),
        |(), piece| {
            let mut text = Vec::new();
            let lines = piece.iter().map(|entry| Line::Key(counted.key(entry)));
            lines.into_iter().try_for_each(|line| add_line(&line, &mut text)).map(|()| text)
        },
        |text: io::Result<Vec<u8>>| out.write_all(&text?),
    )
}

fn add_line(line: &Line, text: &mut Vec<u8>) -> io::Result<()> {
    let json = serde_json::to_string(line).map_err(io::Error::other)?;
    text.extend_from_slice(json_lines(&json).as_bytes());
    text.push(b'\n');
    Ok(())
}

/// One row for each key, by so many threads: how many calls, and how many by operation, language and hour. Ids are unique, and
/// all accounts and regions of one stand together; an alias is another key in each.
///
/// # Errors
/// The writer fails.
pub fn csv(counted: &Written<'_>, jobs: usize, out: &mut (dyn Write + Send)) -> io::Result<()> {
    writeln!(out, "key_id,events,errors,first,last,operations,languages,vpcs,hours")?;
    let entries = counted.entries();
    let is_same = |one: &&Entry, next: &&Entry| one.key == next.key;
    // Of an alias, how many accounts and regions there are says how it is named.
    let mut keys = entries.chunk_by(is_same).flat_map(|key| match key.first() {
        Some(first) if key.len() > 1 && first.key.starts_with("alias/") => {
            key.chunks(1).map(|one| (one, true)).collect()
        }
        _ => vec![(key, false)],
    });
    ordered(
        jobs,
        || {
            let piece: Vec<(&[&Entry], bool)> = keys.by_ref().take(KEYS).collect();
            Ok((!piece.is_empty()).then_some(piece))
        },
        String::new,
        |cell, piece| {
            let mut rows = Vec::new();
            for (entries, by_arn) in piece {
                write_row(entries, by_arn, counted.names(), &mut rows, cell);
            }
            rows
        },
        |rows: Vec<u8>| out.write_all(&rows),
    )
}

/// The language of a caller, in the words of the table.
fn language(caller: Caller) -> &'static str {
    match caller {
        Caller::Java => "java",
        Caller::Python => "python",
        Caller::Go => "go",
        Caller::NodeJs => "nodejs",
        Caller::Php => "php",
        Caller::DotNet => "dotnet",
        Caller::Browser | Caller::Console => "console",
        _ => "other",
    }
}

/// The row of a key, of which each account and region has an entry, by its name or by its ARN. `cell` is room for one.
fn write_row(entries: &[&Entry], by_arn: bool, names: &Names, row: &mut Vec<u8>, cell: &mut String) {
    let Some(first) = entries.first() else { return };
    let (mut calls, mut span) = (Calls::default(), first.tally.span);
    let mut operations: BTreeMap<&str, u64> = BTreeMap::new();
    let mut callers = [0; Caller::ALL.len()];
    let mut vpcs: Vec<&str> = Vec::new();
    let mut hours = [0; WEEK];
    for Entry { tally, .. } in entries {
        calls.add(tally.calls);
        span.add(tally.span);
        for of in &tally.operations {
            *operations.entry(text(&names.operations, of.operation)).or_default() += of.calls;
        }
        tally.applications.iter().for_each(|of| callers[of.application.caller() as usize] += of.calls);
        vpcs.extend(tally.vpcs.iter().map(|vpc| text(&names.vpcs, *vpc)));
        tally.hours.iter().for_each(|(hour, calls)| hours[usize::from(hour)] += calls);
    }
    let mut languages: BTreeMap<&str, u64> = BTreeMap::new();
    for (caller, calls) in Caller::ALL.into_iter().zip(callers).filter(|(_, calls)| *calls > 0) {
        *languages.entry(language(caller)).or_default() += calls;
    }
    vpcs.sort_unstable();
    vpcs.dedup();
    let mut number = itoa::Buffer::new();
    if by_arn {
        let (region, account) = (text(&names.regions, first.region), text(&names.accounts, first.account));
        add_cell(&format!("acs:kms:{region}:{account}:{}", first.key), row);
    } else {
        add_cell(&first.key, row);
    }
    row.push(b',');
    add_cell(number.format(calls.calls), row);
    row.push(b',');
    add_cell(number.format(calls.failed), row);
    row.push(b',');
    add_cell(&show(span.first), row);
    row.push(b',');
    add_cell(&show(span.last), row);
    row.push(b',');
    add_pairs(operations, row, cell);
    row.push(b',');
    add_pairs(languages, row, cell);
    row.push(b',');
    cell.clear();
    for (at, vpc) in vpcs.into_iter().enumerate() {
        cell.push_str(if at > 0 { ";" } else { "" });
        cell.push_str(vpc);
    }
    add_cell(cell, row);
    row.push(b',');
    let mut hour = itoa::Buffer::new();
    cell.clear();
    for (at, calls) in hours.into_iter().enumerate().filter(|(_, calls)| *calls > 0) {
        add_pair(hour.format(at), number.format(calls), cell);
    }
    add_cell(cell, row);
    row.push(b'\n');
}

/// A cell of names with their calls.
fn add_pairs(pairs: BTreeMap<&str, u64>, row: &mut Vec<u8>, cell: &mut String) {
    let mut number = itoa::Buffer::new();
    cell.clear();
    pairs.into_iter().for_each(|(name, calls)| add_pair(name, number.format(calls), cell));
    add_cell(cell, row);
}

fn add_pair(name: &str, calls: &str, cell: &mut String) {
    if !cell.is_empty() {
        cell.push(';');
    }
    cell.push_str(name);
    cell.push(':');
    cell.push_str(calls);
}

fn add_cell(cell: &str, row: &mut Vec<u8>) {
    // Lists need no quotes for the semicolons between their parts.
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_:;./".contains(&byte);
    match cell.bytes().all(is_plain) && !cell.starts_with('-') {
        true => row.extend_from_slice(cell.as_bytes()),
        false => csv_cell(cell, row),
    }
}
