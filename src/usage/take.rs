//! Blocks of logs to events, one by one.

use super::event::{Ends, Seen, read};
use super::input::Piece;
use super::scan::{Broken, Raw, Value, behind_blanks, elements, nested_end, string_end};
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
        match text.first() {
            None => {}
            Some(b'{') if is_known_line(text, line, shapes, take) => {}
            Some(b'{') => match object(shapes, text, 0, Ends::WithBytes) {
                Ok((seen, end)) if behind_blanks(text, end) == text.len() => hand_over(&seen, line, 0, take),
                Ok((_, end)) => take.broken(line, format!("something stands behind the event, at byte {end}")),
                Err(error) => take.broken(line, why(error)),
            },
            Some(b'[') => hand_over(&Seen::Around(text), line, 0, take),
            Some(_) => take.broken(line, "not JSON; expected one event on each line".to_owned()),
        }
        (at, line) = (end + 1, line + 1);
    }
    line
}

/// Hands over the event of a line that is written as events before were.
fn is_known_line(text: &[u8], line: u64, shapes: &mut Shapes, take: &mut dyn Take) -> bool {
    match shapes.read(text, 0, Ends::WithBytes) {
        Some((seen, end)) if behind_blanks(text, end) == text.len() => {
            take.seen(&seen, line);
            true
        }
        _ => false,
    }
}

/// Hands over the event at `at` if it is written as events before were, and goes behind it.
fn is_known_value(bytes: &[u8], at: &mut usize, shapes: &mut Shapes, take: &mut dyn Take) -> bool {
    let Some((seen, end)) = shapes.read(bytes, *at, Ends::WithBracket) else { return false };
    take.seen(&seen, 0);
    *at = end;
    true
}

/// Hands over the events of values that stand one behind the other; their lines do not matter.
pub fn values(piece: &Piece, shapes: &mut Shapes, take: &mut dyn Take) -> u64 {
    let bytes = &piece.bytes;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'{' if is_known_value(bytes, &mut at, shapes, take) => {}
            b'{' => match object(shapes, bytes, at, Ends::WithBracket) {
                Ok((seen, end)) => {
                    hand_over(&seen, 0, 0, take);
                    at = end;
                }
                Err(error) => {
                    take.broken(0, why(error));
                    match nested_end(bytes, at + 1, 1) {
                        Some(end) => at = end,
                        None => return 0,
                    }
                }
            },
            b'"' => match string_end(bytes, at + 1) {
                Some((end, _)) => at = end + 1,
                None => {
                    take.broken(0, why(Broken::CutOff));
                    return 0;
                }
            },
            _ => at += 1,
        }
    }
    0
}

/// Objects stand around events no deeper than this.
const DEEPEST: u32 = 4;

fn hand_over(seen: &Seen<'_>, line: u64, depth: u32, take: &mut dyn Take) {
    let mut inner = |bytes: &[u8]| match read(bytes, 0, Ends::WithBytes) {
        Ok((seen, _)) => hand_over(&seen, line, depth + 1, take),
        Err(error) => take.broken(line, why(error)),
    };
    match seen {
        _ if depth > DEEPEST => take.broken(line, "events stand too deep inside other objects".to_owned()),
        Seen::Around(list) if list.first() == Some(&b'[') => {
            let read = elements(list, |element| match element {
                Value::Nested(nested) if nested.first() == Some(&b'{') => inner(nested),
                Value::Text(text) => in_text(text, &mut inner),
                _ => {}
            });
            if let Err(error) = read {
                take.broken(line, why(error));
            }
        }
        Seen::Around(object) => inner(object),
        Seen::InText(text) => in_text(*text, &mut inner),
        seen => take.seen(seen, line),
    }
}

fn in_text(text: Raw<'_>, read: &mut dyn FnMut(&[u8])) {
    read(text.text().trim().as_bytes());
}

fn why(error: Broken) -> String {
    match error {
        Broken::CutOff => "cut off: a bracket or quote is never closed".to_owned(),
        Broken::At(at) => format!("no JSON, at byte {at} of the event"),
    }
}
