//! Events one behind the other, in lists and objects or not: where each begins, what stands between them that should not,
//! and where reading goes on behind what cannot be read.

use super::event::{Ends, Seen, is_around, read};
use super::scan::{Broken, Raw, behind_blanks, name, nested_end, string_end, value};

/// What stands next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next<'a> {
    /// An object, whose `{` stands where the walk is.
    Object,
    /// A text, which may be JSON, and where it ends.
    Text(Raw<'a>, usize),
    /// What cannot stand there.
    Stray(&'static str),
    /// What does not end.
    CutOff,
    /// Nothing.
    End,
}

/// A way through the values of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Walk {
    /// Where it is.
    pub at: usize,
    /// Brackets that are open around values, as bits behind a first that is always there: whether each is one of an object.
    open: u64,
    /// Whether something could not be read, so that nobody knows any more which brackets are open.
    is_lost: bool,
}

impl Default for Walk {
    fn default() -> Walk {
        Walk { at: 0, open: 1, is_lost: false }
    }
}

const LIST: u64 = 0;
const OBJECT: u64 = 1;

impl Walk {
    /// Behind the `{` of the object that begins there.
    pub fn in_object() -> Walk {
        Walk { at: 1, open: 1 << 1 | OBJECT, is_lost: false }
    }

    /// In a list that an object has as a member.
    pub fn in_list_of_object() -> Walk {
        Walk { at: 0, open: (1 << 1 | OBJECT) << 1 | LIST, is_lost: false }
    }

    /// The same elsewhere.
    pub fn at(self, at: usize) -> Walk {
        Walk { at, ..self }
    }

    /// Whether a bracket was opened and never closed.
    pub fn is_open(&self) -> bool {
        self.open != 1 && !self.is_lost
    }

    fn is_in(&self, kind: u64) -> bool {
        self.open != 1 && self.open & 1 == kind
    }

    /// Goes on to the next object or text.
    pub fn next<'a>(&mut self, bytes: &'a [u8]) -> Next<'a> {
        loop {
            self.at = behind_blanks(bytes, self.at);
            let Some(byte) = bytes.get(self.at) else { return Next::End };
            match byte {
                b',' => self.at += 1,
                b'{' if !self.is_in(OBJECT) => return Next::Object,
                b'[' if !self.is_in(OBJECT) && self.open.leading_zeros() > 0 => {
                    self.open = self.open << 1 | LIST;
                    self.at += 1;
                }
                b']' | b'}' if self.is_in(u64::from(*byte == b'}')) => {
                    self.open >>= 1;
                    self.at += 1;
                }
                b']' | b'}' if self.is_lost => self.at += 1,
                b']' | b'}' => return Next::Stray("a bracket is closed that was not opened"),
                b'"' if self.is_in(OBJECT) => {
                    if let Some(next) = self.member(bytes) {
                        return next;
                    }
                }
                b'"' => return self.text(bytes),
                // Files that were put together have a byte order mark of each.
                0xef if bytes[self.at..].starts_with(b"\xef\xbb\xbf") => self.at += 3,
                _ => return Next::Stray("not JSON; expected an event"),
            }
        }
    }

    /// Goes into a member that may have events, or over another.
    fn member<'a>(&mut self, bytes: &'a [u8]) -> Option<Next<'a>> {
        let wrong = |error| match error {
            Broken::CutOff => Some(Next::CutOff),
            Broken::At(_) => Some(Next::Stray("no JSON around the events")),
        };
        let (name, begin) = match name(bytes, self.at) {
            Ok(found) => found,
            Err(error) => return wrong(error),
        };
        match bytes.get(begin) {
            Some(b'[') if is_around(name) && self.open.leading_zeros() > 0 => {
                self.open = self.open << 1 | LIST;
                self.at = begin + 1;
                return None;
            }
            Some(b'{') if is_around(name) => {
                self.at = begin;
                return Some(Next::Object);
            }
            Some(b'"') if name == b"event" => {
                self.at = begin;
                return Some(self.text(bytes));
            }
            _ => {}
        }
        match value(bytes, begin) {
            // A number may go on.
            Ok((_, end)) if end < bytes.len() => {
                self.at = end;
                None
            }
            Ok(_) => Some(Next::CutOff),
            Err(error) => wrong(error),
        }
    }

    fn text<'a>(&self, bytes: &'a [u8]) -> Next<'a> {
        match string_end(bytes, self.at + 1) {
            Some((end, _)) if bytes.get(behind_blanks(bytes, end + 1)) == Some(&b':') => {
                Next::Stray("members of an event without the `{` before them")
            }
            Some((end, is_escaped)) => Next::Text(Raw { bytes: &bytes[self.at + 1..end], is_escaped }, end + 1),
            None => Next::CutOff,
        }
    }

    /// Goes on behind what could not be read, to the next event, and tells whether there is one. Behind an object whose
    /// brackets are closed everything may be read again.
    pub fn resume(&mut self, bytes: &[u8]) -> bool {
        let end = if bytes.get(self.at) == Some(&b'{') { nested_end(bytes, self.at + 1, b'{').ok() } else { None };
        let found = next_event(bytes, self.at + 1, end.unwrap_or(bytes.len()));
        self.is_lost |= found.is_some() || end.is_none();
        self.at = found.or(end).unwrap_or(bytes.len());
        found.or(end).is_some()
    }
}

/// Where the next event begins that can be read. As brackets are not deeper than some, no byte is read more often than that.
fn next_event(bytes: &[u8], from: usize, to: usize) -> Option<usize> {
    let places = memchr::memchr_iter(b'{', bytes.get(from..to)?).map(|place| from + place);
    let is_event = |at: &usize| {
        let is_member = bytes[..*at].trim_ascii_end().last() == Some(&b':');
        !is_member
            && matches!(read(bytes, *at, Ends::WithBracket), Ok((Seen::Kms(_) | Seen::Other(_) | Seen::Around(_), _)))
    };
    places.into_iter().find(is_event)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a walk meets, and where.
    fn met(text: &str, mut walk: Walk) -> Vec<String> {
        let bytes = text.as_bytes();
        let mut met = Vec::new();
        loop {
            match walk.next(bytes) {
                Next::Object => {
                    let end = nested_end(bytes, walk.at + 1, b'{').unwrap();
                    met.push(text[walk.at..end].to_owned());
                    walk.at = end;
                }
                Next::Text(raw, end) => {
                    met.push(raw.text().into_owned());
                    walk.at = end;
                }
                Next::End => break,
                wrong => {
                    met.push(format!("{wrong:?}"));
                    break;
                }
            }
        }
        met.push(if walk.is_open() { "open" } else { "closed" }.to_owned());
        met
    }

    #[test]
    fn values_are_met_wherever_they_stand() {
        let of = |text| met(text, Walk::default());
        assert_eq!(of(r#"[{"a":1}, {"b":"]"},["c",[{}]]]"#), [r#"{"a":1}"#, r#"{"b":"]"}"#, "c", "{}", "closed"]);
        assert_eq!(of("{} {}\n\u{feff}{},"), ["{}", "{}", "{}", "closed"]);
        assert_eq!(of("[{},"), ["{}", "open"]);
        let around = r#"{"Count":12,"Records":[{}],"x":{"Records":[1]},"Events":["e"],"event":"f"}"#;
        assert_eq!(met(around, Walk::in_object()), ["{}", "e", "f", "closed"]);
        assert_eq!(met(r#"{}],"NextToken":"y","Events":[{}]}"#, Walk::in_list_of_object()), ["{}", "{}", "closed"]);
    }

    #[test]
    fn what_cannot_stand_there_is_met() {
        for (text, wrong) in [
            ("[1]", "not JSON"),
            ("[{}}]", "not opened"),
            ("{}]", "not opened"),
            (r#"["a":1,{}]"#, "without the `{`"),
            (r#"["a"#, "CutOff"),
        ] {
            let met = met(text, Walk::default());
            assert!(met[met.len() - 2].contains(wrong), "{text}: {met:?}");
        }
    }

    #[test]
    fn reading_goes_on_at_the_next_event() {
        let event = r#"{"serviceName":"Kms","eventName":"Decrypt"}"#;
        for broken in [r#"{"a":"b,"c":"d"}"#, r#"{"a":[{"b":1}"#, "!", r#""a":1}"#, r#"{"a":{"b":1},"c":}"#] {
            let text = format!("{broken},{event}]");
            let mut walk = Walk::default();
            assert!(walk.resume(text.as_bytes()), "{text}");
            assert_eq!(walk.next(text.as_bytes()), Next::Object);
            assert_eq!(walk.at, broken.len() + 1, "{text}");
        }
        assert!(!Walk::default().resume(br#"{"a":[1,{"b":2},"#));
    }
}
