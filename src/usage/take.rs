//! Blocks of logs to events, one by one.

use super::event::{Ends, Seen, read};
use super::input::Piece;
use super::scan::{Broken, Raw, behind_blanks};
use super::sequence::{Next, Walk};
use super::shape::Shapes;

/// Takes events one by one, with the line on which they stand, counted in their piece from 0; 0 where lines do not matter.
pub trait Take {
    /// An event, or another object of a log.
    fn seen(&mut self, seen: &Seen<'_>, line: u64);
    /// Something that could not be read.
    fn broken(&mut self, line: u64, why: String);
}

/// The object whose `{` stands at `at`, member by member, and where it ends; events like it are read faster.
fn object<'a>(shapes: &mut Shapes, bytes: &'a [u8], at: usize, ends: Ends) -> Result<(Seen<'a>, usize), Broken> {
    let read = read(bytes, at, ends)?;
    if let Seen::Kms(_) | Seen::Other(_) = read.0 {
        shapes.learn(bytes, at, matches!(read.0, Seen::Other(_)));
    }
    Ok(read)
}

/// Hands over the events of lines, and tells how many lines end there.
pub fn lines(piece: &Piece, shapes: &mut Shapes, take: &mut dyn Take) -> u64 {
    let (mut at, mut line) = (0, 0);
    while at < piece.bytes.len() {
        let end = memchr::memchr(b'\n', &piece.bytes[at..]).map_or(piece.bytes.len(), |end| at + end);
        let text = piece.bytes[at..end].trim_ascii();
        // The lines of a list.
        let text = text.strip_suffix(b",").unwrap_or(text);
        match text {
            [] | b"[" | b"]" => {}
            [b'{', ..] if is_alone(text, line, shapes, take) => {}
            _ => sequence(text, Walk::default(), true, &mut Taking { line, depth: 0, shapes, take }),
        }
        (at, line) = (end + 1, line + 1);
    }
    line
}

/// Hands over the event of a line on which nothing else stands.
fn is_alone(text: &[u8], line: u64, shapes: &mut Shapes, take: &mut dyn Take) -> bool {
    // Events are large, and stay where they were read.
    let known = shapes.read(text, 0, Ends::WithBytes);
    let mut hand_over = |(seen, end): &(Seen<'_>, usize), shapes| {
        let is_alone = behind_blanks(text, *end) == text.len();
        if is_alone {
            hand_over(seen, &mut Taking { line, depth: 0, shapes, take });
        }
        is_alone
    };
    match &known {
        Some(known) => hand_over(known, shapes),
        None => object(shapes, text, 0, Ends::WithBytes).is_ok_and(|read| hand_over(&read, shapes)),
    }
}

/// Hands over the events of values that stand one behind the other; their lines do not matter.
pub fn values(piece: &Piece, shapes: &mut Shapes, take: &mut dyn Take) -> u64 {
    sequence(&piece.bytes, piece.from, piece.is_last, &mut Taking { line: 0, depth: 0, shapes, take });
    0
}

/// Objects stand around events no deeper than this.
const DEEPEST: u32 = 4;

/// What events are read with, and handed over to.
struct Taking<'t> {
    line: u64,
    /// In how many objects around events they stand.
    depth: u32,
    shapes: &'t mut Shapes,
    take: &'t mut dyn Take,
}

/// Hands over the events of values one behind the other, of which there are no more if these are the last.
fn sequence(bytes: &[u8], mut walk: Walk, is_last: bool, taking: &mut Taking<'_>) {
    loop {
        let broken = match walk.next(bytes) {
            Next::Object => {
                let seen = match taking.shapes.read(bytes, walk.at, Ends::WithBracket) {
                    Some(known) => Ok(known),
                    None => object(taking.shapes, bytes, walk.at, Ends::WithBracket),
                };
                match seen {
                    Ok((seen, end)) => {
                        hand_over(&seen, taking);
                        walk.at = end;
                        continue;
                    }
                    Err(Broken::At(at)) => why(Broken::At(at - walk.at.min(at))),
                    Err(error) => why(error),
                }
            }
            Next::Text(text, end) => {
                in_text(text, taking);
                walk.at = end;
                continue;
            }
            Next::Stray(what) => what.to_owned(),
            Next::CutOff => why(Broken::CutOff),
            Next::End => {
                if is_last && walk.is_open() {
                    taking.broken("cut off: the list of events is never closed".to_owned());
                }
                return;
            }
        };
        let from = walk.at;
        let rest =
            if walk.resume(bytes) || bytes.len() < from + SHORT { "" } else { "; no event behind it could be read" };
        taking.broken(format!("{broken}{rest}"));
    }
}

/// Fewer bytes hold no event.
const SHORT: usize = 64;

impl Taking<'_> {
    fn broken(&mut self, why: String) {
        self.take.broken(self.line, why);
    }

    /// The same inside an object around events; nothing if that stands inside too many others.
    fn inside(&mut self) -> Option<Taking<'_>> {
        if self.depth == DEEPEST {
            self.broken("events stand too deep inside other objects".to_owned());
            return None;
        }
        Some(Taking { line: self.line, depth: self.depth + 1, shapes: self.shapes, take: self.take })
    }
}

fn hand_over(seen: &Seen<'_>, taking: &mut Taking<'_>) {
    match seen {
        Seen::Around(object) => {
            if let Some(mut inside) = taking.inside() {
                sequence(object, Walk::in_object(), true, &mut inside);
            }
        }
        seen => taking.take.seen(seen, taking.line),
    }
}

fn in_text(text: Raw<'_>, taking: &mut Taking<'_>) {
    let text = text.text();
    let text = text.trim();
    if text.is_empty() {
        taking.broken("an empty text where an event was expected".to_owned());
    } else if let Some(mut inside) = taking.inside() {
        sequence(text.as_bytes(), Walk::default(), true, &mut inside);
    }
}

fn why(error: Broken) -> String {
    match error {
        Broken::CutOff => "cut off: a bracket or quote is never closed".to_owned(),
        Broken::At(at) => format!("no JSON, at byte {at} of the event"),
    }
}
