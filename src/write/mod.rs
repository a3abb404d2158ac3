//! Outcomes to one format each.
//!
//! A [`Format`] renders one key at a time into a buffer; [`write()`] drives it over all keys on several
//! threads and pushes the buffers, in input order, into any writer. Formats see outcomes only.

pub mod cases;
pub mod csv;
pub mod evidence;
pub mod explain;
pub mod flat;
pub mod json;
pub mod markdown;
mod pieces;
pub mod safe;
pub mod schema;
pub mod summary;
pub mod table;
pub mod usage;
pub mod words;

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::diagnose::{Diagnosis, KeyOutcome};
use crate::ordered::ordered;
use crate::spare::Spare;

/// Renders outcomes.
pub trait Format: Sync {
    /// What stands before the first key.
    fn head(&self, out: &mut Vec<u8>);
    /// One key.
    fn key(&self, key: &KeyOutcome<'_>, out: &mut Vec<u8>);
    /// What stands between two keys.
    fn between(&self) -> &'static [u8] {
        b""
    }
    /// What stands behind the last key.
    fn tail(&self, out: &mut Vec<u8>);
}

/// Which keys are written: those of the named classes, or all.
#[derive(Debug, Clone, Default)]
pub struct Only(pub Option<Vec<&'static str>>);

impl Only {
    /// Whether keys of this class are written.
    pub fn takes(&self, class: &str) -> bool {
        self.0.as_ref().is_none_or(|classes| classes.contains(&class))
    }
}

/// Keys that one thread renders before it asks for more.
const CHUNK: usize = 512;

/// Writes every key that is wanted.
///
/// # Errors
/// The writer fails.
pub fn write(
    diagnosis: &Diagnosis,
    format: &dyn Format,
    only: &Only,
    jobs: usize,
    out: &mut (dyn Write + Send),
) -> io::Result<()> {
    let mut buffer = Vec::new();
    format.head(&mut buffer);
    out.write_all(&buffer)?;
    let mut starts = (0..diagnosis.survey.len()).step_by(CHUNK);
    let between = format.between();
    let mut first = true;
    let spare = Spare::default();
    ordered(
        jobs,
        || Ok(starts.next()),
        || (),
        |(), start| {
            let mut out = spare.take();
            render(diagnosis, format, only, start, &mut out);
            out
        },
        |rendered: Vec<u8>| {
            // Every key is preceded by a separator, which the very first one does not need.
            let skip = if first && !rendered.is_empty() { between.len() } else { 0 };
            first &= rendered.is_empty();
            out.write_all(&rendered[skip..])?;
            spare.give(rendered);
            Ok::<(), io::Error>(())
        },
    )?;
    buffer.clear();
    format.tail(&mut buffer);
    out.write_all(&buffer)
}

fn render(diagnosis: &Diagnosis, format: &dyn Format, only: &Only, start: usize, out: &mut Vec<u8>) {
    let end = (start + CHUNK).min(diagnosis.survey.len());
    let keys = (start..end).filter_map(|index| diagnosis.outcome(index));
    let wanted = |key: &KeyOutcome<'_>| only.0.is_none() || only.takes(diagnosis.class_name(key.outcome.class));
    for key in keys.filter(wanted) {
        out.extend_from_slice(format.between());
        format.key(&key, out);
    }
}

/// What is the same for all keys of one combination of facts, rendered once. Many combinations have the same
/// text, which then is kept once, so that it stays in the processor's cache.
pub(crate) struct PerShape {
    of: Vec<OnceLock<Arc<Template>>>,
    all: Mutex<HashMap<String, Arc<Template>>>,
}

impl PerShape {
    pub(crate) fn new(diagnosis: &Diagnosis) -> PerShape {
        PerShape { of: (0..diagnosis.shapes()).map(|_| OnceLock::new()).collect(), all: Mutex::default() }
    }

    fn template(&self, shape: u32, render: impl FnOnce() -> String, cut: impl FnOnce(&str) -> Template) -> &Template {
        self.of[shape as usize].get_or_init(|| {
            let text = render();
            let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(known) = all.get(&text) {
                return Arc::clone(known);
            }
            let template = Arc::new(cut(&text));
            all.insert(text, Arc::clone(&template));
            template
        })
    }

    /// Writes the text of the key's combination, with the key's own words in its holes.
    pub(crate) fn write(
        &self,
        key: &KeyOutcome<'_>,
        out: &mut Vec<u8>,
        render: impl FnOnce() -> String,
        escape: fn(&str, &mut Vec<u8>),
    ) {
        self.template(key.key.shape, render, Template::new).write(key, out, escape);
    }

    /// Writes the text of the key's combination as it stands.
    pub(crate) fn write_plain(&self, key: &KeyOutcome<'_>, out: &mut Vec<u8>, render: impl FnOnce() -> String) {
        let whole = |text: &str| Template(vec![Piece::Text(text.into())]);
        self.template(key.key.shape, render, whole).write(key, out, |_, _| {});
    }
}

/// A text with the holes `{key_id}` and `{region}`.
struct Template(Vec<Piece>);

enum Piece {
    Text(Box<str>),
    KeyId,
    Region,
}

impl Template {
    fn new(text: &str) -> Template {
        let mut pieces = Vec::new();
        let mut rest = text;
        loop {
            let holes = [("{key_id}", true), ("{region}", false)];
            let found = holes.iter().filter_map(|(hole, is_id)| rest.find(hole).map(|at| (at, hole.len(), *is_id)));
            let Some((at, length, is_id)) = found.min() else {
                break;
            };
            pieces.push(Piece::Text(rest[..at].into()));
            pieces.push(if is_id { Piece::KeyId } else { Piece::Region });
            rest = &rest[at + length..];
        }
        pieces.push(Piece::Text(rest.into()));
        Template(pieces)
    }

    fn write(&self, key: &KeyOutcome<'_>, out: &mut Vec<u8>, escape: fn(&str, &mut Vec<u8>)) {
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text.as_bytes()),
                Piece::KeyId => escape(&safe::shell(key.key.key_id()), out),
                Piece::Region => escape(&region(key), out),
            }
        }
    }
}

/// Fills the holes of a command for a person.
pub(crate) fn fill(text: &str, key: &KeyOutcome<'_>) -> String {
    let mut out = Vec::new();
    Template::new(text).write(key, &mut out, |word, out| out.extend_from_slice(word.as_bytes()));
    String::from_utf8_lossy(&out).into_owned()
}

/// The region as a word of a command; a placeholder if nobody knows it.
fn region(key: &KeyOutcome<'_>) -> String {
    match key.key.region() {
        "" => "REGION".to_owned(),
        region => safe::shell(region),
    }
}
