//! Files that are read as a whole: plans, calendars, instances, options.

use std::io::Read as _;
use std::path::Path;

use serde::Deserialize;

use super::run::Failure;
use crate::plan::model::{FORMAT, Plan};
use crate::write::safe::visible;

/// Files that people write have no more bytes.
pub(super) const SHORT: u64 = 64 << 20;

/// The name of a file, for people.
pub(super) fn shown(path: &Path) -> String {
    visible(&path.display().to_string()).into_owned()
}

/// Everything that stands in a file, or on standard input; no more than so many bytes.
pub(super) fn text_of(path: &Path, most: u64) -> Result<String, Failure> {
    let failed = |why: &dyn std::fmt::Display| Failure::Failed(format!("cannot read {}: {why}", shown(path)));
    let mut text = Vec::new();
    let read = match path.as_os_str() == "-" {
        true => std::io::stdin().lock().take(most + 1).read_to_end(&mut text),
        false => std::fs::File::open(path).and_then(|file| file.take(most + 1).read_to_end(&mut text)),
    };
    let length = read.map_err(|error| failed(&error))?;
    if length as u64 > most {
        return Err(failed(&format!("it has more than {most} bytes")));
    }
    let text = String::from_utf8(text).map_err(|error| failed(&error))?;
    // Some editors put a mark before the text.
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// A plan that was written before.
pub(super) fn plan(path: &Path, most: u64) -> Result<Plan, Failure> {
    /// What every version of the format says.
    #[derive(Deserialize)]
    struct Any {
        format: Option<String>,
    }
    let text = text_of(path, most)?;
    let failed = |error: serde_json::Error| {
        let (line, column) = (error.line(), error.column());
        let why = error.to_string();
        let why = why.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&why);
        let place = format!("{}, line {line}, column {column}", shown(path));
        Failure::Failed(format!("{place}: {}; a plan is expected, as `cmkdiag plan -o DIR` writes it", visible(why)))
    };
    match serde_json::from_str::<Any>(&text).map_err(failed)?.format.as_deref() {
        Some(FORMAT) => serde_json::from_str(&text).map_err(failed),
        Some(other) => {
            let other = visible(other);
            Err(Failure::Failed(format!("{} has the format {other}; expected {FORMAT}", shown(path))))
        }
        None => {
            Err(Failure::Failed(format!("{} is no plan; `cmkdiag plan -o DIR` writes one as plan.json", shown(path))))
        }
    }
}
