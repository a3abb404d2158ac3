//! Files that are read as a whole: plans, calendars, instances, options.

use std::io::Read as _;
use std::path::Path;

use encoding_rs::Encoding;
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

/// The text of a file, or of standard input, in the encoding that is named or found; no more than so many bytes.
pub(super) fn text_of(path: &Path, most: u64, named: Option<&'static Encoding>) -> Result<String, Failure> {
    let text = crate::read::text::whole(bytes_of(path, most)?, named);
    text.map_err(|why| Failure::Failed(format!("cannot read {}: {why}; save it as UTF-8", shown(path))))
}

fn bytes_of(path: &Path, most: u64) -> Result<Vec<u8>, Failure> {
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
    Ok(text)
}

/// A plan that was written before.
pub(super) fn plan(path: &Path, most: u64) -> Result<Plan, Failure> {
    /// What every version of the format says.
    #[derive(Deserialize)]
    struct Any {
        format: Option<String>,
    }
    let text = text_of(path, most, None)?;
    let failed = |error: serde_json::Error| {
        let (line, column) = (error.line(), error.column());
        let why = error.to_string();
        let why = why.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&why);
        let place = format!("{}, line {line}, column {column}", shown(path));
        Failure::Failed(format!("{place}: {}; a plan is expected, as `cmkdiag plan -o DIR` writes it", visible(why)))
    };
    match serde_json::from_str::<Any>(&text).map_err(failed)?.format.as_deref() {
        Some(FORMAT) => {
            let mut unknown = None;
            let mut json = serde_json::Deserializer::from_str(&text);
            let plan = serde_ignored::deserialize(&mut json, |at| {
                unknown.get_or_insert_with(|| at.to_string());
            });
            let plan = plan.and_then(|plan| json.end().map(|()| plan)).map_err(failed)?;
            match unknown {
                None => Ok(plan),
                Some(member) => Err(Failure::Failed(format!(
                    "{} has the member {}, which this version does not know: use the version that wrote the plan, or plan again",
                    shown(path),
                    visible(&member)
                ))),
            }
        }
        Some(other) => {
            let other = visible(other);
            Err(Failure::Failed(format!("{} has the format {other}; expected {FORMAT}", shown(path))))
        }
        None => {
            Err(Failure::Failed(format!("{} is no plan; `cmkdiag plan -o DIR` writes one as plan.json", shown(path))))
        }
    }
}
