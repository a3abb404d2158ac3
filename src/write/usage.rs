//! What was counted in logs, as JSON Lines that can be merged, and as a table.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::safe::{csv_cell, json_lines};
use crate::usage::agent::Caller;
use crate::usage::result::{KeyLine, Written};

/// All lines.
///
/// # Errors
/// The writer fails.
pub fn jsonl(counted: &Written<'_>, out: &mut (dyn Write + Send)) -> io::Result<()> {
    for line in counted.lines() {
        let json = serde_json::to_string(&line).map_err(io::Error::other)?;
        out.write_all(json_lines(&json).as_bytes())?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// One row for each key: how many calls, and how many by operation, language and hour; all accounts and regions of a
/// key together.
///
/// # Errors
/// The writer fails.
pub fn csv(counted: &Written<'_>, out: &mut (dyn Write + Send)) -> io::Result<()> {
    writeln!(out, "key_id,events,errors,first,last,operations,languages,vpcs,hours")?;
    let mut keys = counted.keys().peekable();
    while let Some(mut key) = keys.next() {
        while let Some(more) = keys.next_if(|next| next.key_id == key.key_id) {
            key.merge(more);
        }
        row(&key, out)?;
    }
    Ok(())
}

/// The language of a caller, in the words of the table.
fn language(caller: &str) -> &'static str {
    match Caller::named(caller) {
        Some(Caller::Java) => "java",
        Some(Caller::Python) => "python",
        Some(Caller::Go) => "go",
        Some(Caller::NodeJs) => "nodejs",
        Some(Caller::Php) => "php",
        Some(Caller::DotNet) => "dotnet",
        Some(Caller::Browser | Caller::Console) => "console",
        _ => "other",
    }
}

fn row(key: &KeyLine, out: &mut (dyn Write + Send)) -> io::Result<()> {
    let mut languages: BTreeMap<&str, u64> = BTreeMap::new();
    for application in &key.applications {
        *languages.entry(language(&application.caller)).or_default() += application.calls;
    }
    let join = |parts: Vec<String>| parts.join(";");
    let pairs = |pairs: &mut dyn Iterator<Item = (String, u64)>| {
        join(pairs.map(|(name, count)| format!("{name}:{count}")).collect())
    };
    let cells = [
        key.key_id.clone(),
        key.calls.to_string(),
        key.failed.to_string(),
        key.first.clone(),
        key.last.clone(),
        pairs(&mut key.operations.iter().map(|(name, counts)| (name.clone(), counts.calls))),
        pairs(&mut languages.into_iter().map(|(name, calls)| (name.to_owned(), calls))),
        join(key.vpcs.clone()),
        pairs(&mut key.hours.iter().map(|hour| (hour.hour.to_string(), hour.calls))),
    ];
    let mut row = Vec::new();
    for (at, cell) in cells.iter().enumerate() {
        if at > 0 {
            row.push(b',');
        }
        // Lists need no quotes for the semicolons between their parts.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_:;./".contains(&byte);
        match cell.bytes().all(is_plain) && !cell.starts_with('-') {
            true => row.extend_from_slice(cell.as_bytes()),
            false => csv_cell(cell, &mut row),
        }
    }
    row.push(b'\n');
    out.write_all(&row)
}
