//! Shapes of events. The events of a log are written alike: the same names stand between values in the same order. What
//! stands between two values of an event that was read member by member is remembered, with the member behind it; in further
//! events it is compared as a whole, and only the values are looked through.
//!
//! An event that goes on otherwise than any before is read member by member again, so that both give the same.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::event::{Ends, Event, Part, Seen, Whole, end_of_other, is_around};
use super::field::{ENOUGH, FIELDS, Field, KEYS, Kind, Within, event, is_enough};
use super::scan::{Raw, behind_blanks, name, nested_end, string_end, value};

/// So many members are remembered, and so many ways from one to another.
const MEMBERS: usize = 512;

/// So many ways lead on from one member.
const WAYS: usize = 8;

/// What is longer than so many bytes is not remembered.
const LONGEST: usize = 1024;

/// After so many events that are unlike those before, nothing more is learned.
const LESSONS: u32 = 4096;

/// So many events tell which values are usual.
const FIRST: u32 = 32;

/// Longer values are not usual, in bytes.
const USUAL: usize = 64;

/// No way.
const NONE: u32 = u32::MAX;

/// A way from the end of a value to the beginning of the next.
#[derive(Debug, Clone, Copy)]
struct Way {
    /// The first 32 bytes that stand there.
    start: [u128; 2],
    /// Which of them count.
    masks: [u128; 2],
    /// Where the further ones begin.
    more: u32,
    length: u16,
    /// The fields that are given on the way, or by the value behind it.
    given: u32,
    /// The member whose value comes next.
    to: u32,
    /// The way to try if it is not this one.
    else_way: u32,
    kind: Kind,
    field: Field,
}

/// A member, as events have it.
#[derive(Debug)]
struct Member {
    /// The way to try first from the end of its value.
    first: u32,
    /// A value that it often has.
    usual: Vec<u8>,
    /// How many events more had it than had another.
    lead: u32,
}

/// What a thread has learned of the shapes of events.
#[derive(Debug)]
pub struct Shapes {
    numbers: HashMap<(Within, Box<[u8]>), u32, FixedState>,
    members: Vec<Member>,
    ways: Vec<Way>,
    /// What stands on the ways, behind their first bytes.
    texts: Vec<u8>,
    lessons: u32,
    /// How many events were read along known ways.
    pub known: u64,
}

impl Default for Shapes {
    fn default() -> Shapes {
        // An event begins behind a member that has no name.
        let start = Member { first: NONE, usual: Vec::new(), lead: 0 };
        let (numbers, ways, texts) = (HashMap::default(), Vec::new(), Vec::new());
        Shapes { numbers, members: vec![start], ways, texts, lessons: 0, known: 0 }
    }
}

impl Shapes {
    /// The event whose `{` stands at `at`, and where it ends; nothing if it is unlike those before, or no event.
    #[inline]
    pub fn read<'a>(&mut self, bytes: &'a [u8], at: usize, ends: Ends) -> Option<(Seen<'a>, usize)> {
        let start = at;
        let mut at = at;
        let mut values = [Raw::default(); FIELDS];
        let (mut given, mut again) = (0, 0);
        let mut member = 0;
        if self.lessons < FIRST {
            return None;
        }
        loop {
            let way = self.way(member, bytes, at)?;
            at += usize::from(way.length);
            again |= given & way.given;
            given |= way.given;
            let end = match way.kind {
                Kind::Text => {
                    let (end, is_escaped) = string_end(bytes, at)?;
                    values[way.field as usize] = Raw { bytes: &bytes[at..end], is_escaped };
                    end
                }
                Kind::Number => {
                    let (_, end) = value(bytes, at).ok()?;
                    values[way.field as usize] = Raw { bytes: &bytes[at..end], is_escaped: false };
                    end
                }
                Kind::Nested => nested_end(bytes, at + 1, *bytes.get(at)?).ok()?,
                Kind::End => break,
            };
            at = end;
            if way.given & ENOUGH != 0 && given & ENOUGH == ENOUGH && is_enough(&values) {
                let behind = at + usize::from(way.kind == Kind::Text);
                let end = end_of_other(bytes, behind, ends)?;
                self.known += u64::from(again == 0);
                return (again == 0).then(|| (Seen::Other(event(&values)), end));
            }
            member = way.to;
        }
        // What is given twice, or of another service and yet not left, is rare.
        let is_kms = again == 0 && values[Field::Service as usize].bytes == b"Kms";
        self.known += u64::from(is_kms);
        is_kms.then(|| (Seen::Kms(Event { whole: Whole(&bytes[start..at]), ..event(&values) }), at))
    }

    /// The way on from a member whose value ends at `at`.
    #[inline]
    fn way(&self, member: u32, bytes: &[u8], at: usize) -> Option<&Way> {
        let mut way = self.ways.get(self.members.get(member as usize)?.first as usize)?;
        while !(way.is_here(&self.texts, bytes, at) && way.kind.begins(bytes, at + usize::from(way.length))) {
            way = self.ways.get(way.else_way as usize)?;
        }
        Some(way)
    }

    /// Learns from an event that was read member by member.
    pub fn learn(&mut self, bytes: &[u8], at: usize, is_other: bool) {
        if self.lessons < LESSONS {
            self.lessons += 1;
            let _ = self.follow(bytes, at, is_other);
            if self.lessons == FIRST {
                // It is known now which values are usual: they are compared with the names around them.
                self.ways.clear();
                self.texts.clear();
                self.members.iter_mut().for_each(|member| member.first = NONE);
            }
        }
    }

    /// Goes through an event, as far as it is written as JSON is.
    fn follow(&mut self, bytes: &[u8], start: usize, is_other: bool) -> Option<()> {
        let (mut within, mut member, mut given, mut all) = (Within::Event, 0, 0, 0);
        // Where the last value has ended, and where to read on.
        let (mut from, mut at) = (start, behind_blanks(bytes, start + 1));
        loop {
            let (name, begin) = match within {
                Within::Keys => (&b""[..], at),
                _ => name(bytes, at).ok()?,
            };
            // Such a name may be that of any member.
            if name.contains(&b'\\') {
                return None;
            }
            if within == Within::Event && is_around(name) {
                return None;
            }
            let field = Field::of(within, name);
            let byte = *bytes.get(begin)?;
            let part = if within == Within::Event { Part::named(name) } else { None };
            let inner = match (byte, part, within) {
                (b'{', Some(part), _) => Some(Within::Part(part)),
                (b'[', _, Within::Part(Part::Resources)) if name == KEYS => Some(Within::Keys),
                // Older events have a list of resources; let it be read as it always was.
                (b'[', Some(Part::Resources), _) => return None,
                // What CreateKey answers has members of its own.
                (b'{', _, Within::Part(Part::Response)) if field == Field::AnsweredMetadata => return None,
                // Nobody writes so either.
                (b'{', _, Within::Part(Part::Resources)) if name == KEYS => return None,
                _ => None,
            };
            if let Some(inner) = inner {
                within = inner;
                at = behind_blanks(bytes, begin + 1);
                if !matches!(bytes.get(at)?, b'}' | b']') {
                    continue;
                }
            } else {
                given |= field.bit();
                let (kind, end) = match byte {
                    b'"' => (Some(Kind::Text), string_end(bytes, begin + 1)?.0),
                    b'{' | b'[' => (Some(Kind::Nested), nested_end(bytes, begin + 1, byte).ok()?),
                    _ => {
                        let (_, end) = value(bytes, begin).ok()?;
                        let is_number = byte == b'-' || byte.is_ascii_digit();
                        let is_empty = &bytes[begin..end] == b"null" || !field.is_word();
                        match (is_number, &bytes[begin..end]) {
                            (true, _) => (Some(Kind::Number), end),
                            // These stand between values, as names do.
                            (false, b"null" | b"true" | b"false") if is_empty => (None, end),
                            _ => return None,
                        }
                    }
                };
                let is_text = kind == Some(Kind::Text);
                let is_usual = field == Field::Other && self.is_usual(within, name, &bytes[begin..end])?;
                if is_usual {
                    at = end + usize::from(is_text);
                } else if let Some(kind) = kind {
                    let is_wanted = kind == Kind::Text || kind == Kind::Number && field.is_word();
                    let field = if is_wanted { field } else { Field::Other };
                    let to = self.member(within, name)?;
                    self.add(member, &bytes[from..begin + usize::from(is_text)], kind, field, given, to)?;
                    (member, from, all) = (to, end, all | given);
                    given = 0;
                    if is_other && all & ENOUGH == ENOUGH {
                        return Some(());
                    }
                    at = end + usize::from(is_text);
                } else {
                    at = end;
                }
            }
            loop {
                at = behind_blanks(bytes, at);
                match (bytes.get(at)?, within) {
                    (b',', _) => break,
                    (b'}', Within::Event) => {
                        return self.add(member, &bytes[from..=at], Kind::End, Field::Other, given, 0);
                    }
                    (b'}', Within::Part(_)) => within = Within::Event,
                    (b']', Within::Keys) => within = Within::Part(Part::Resources),
                    _ => return None,
                }
                at += 1;
            }
            at = behind_blanks(bytes, at + 1);
        }
    }

    /// The number of a member.
    fn member(&mut self, within: Within, name: &[u8]) -> Option<u32> {
        let key = (within, Box::from(name));
        if let Some(known) = self.numbers.get(&key) {
            return Some(*known);
        }
        let number = self.members.len();
        (number < MEMBERS).then(|| {
            self.members.push(Member { first: NONE, usual: Vec::new(), lead: 0 });
            self.numbers.insert(key, number as u32);
            number as u32
        })
    }

    /// Whether a member has the value that it mostly has; the first events tell which that is.
    fn is_usual(&mut self, within: Within, name: &[u8], value: &[u8]) -> Option<bool> {
        let number = self.member(within, name)?;
        let member = self.members.get_mut(number as usize)?;
        if self.lessons > FIRST {
            return Some(member.lead >= FIRST / 2 && member.usual == value);
        }
        match member.usual == value {
            true => member.lead += 1,
            false if member.lead > 0 => member.lead -= 1,
            false if value.len() <= USUAL => (member.usual, member.lead) = (value.to_vec(), 1),
            false => {}
        }
        Some(false)
    }

    /// Adds a way, unless it is known.
    fn add(&mut self, from: u32, text: &[u8], kind: Kind, field: Field, given: u32, to: u32) -> Option<()> {
        // Longer ways come first, as a shorter one may be the beginning of a longer.
        let (mut before, mut count) = (NONE, 0);
        let mut next = self.members.get(from as usize)?.first;
        while let Some(way) = self.ways.get(next as usize) {
            let length = usize::from(way.length);
            if way.kind == kind && length == text.len() && way.is_here(&self.texts, text, 0) {
                return Some(());
            }
            if length > text.len() {
                before = next;
            }
            next = way.else_way;
            count += 1;
        }
        if count == WAYS || text.len() > LONGEST || self.ways.len() >= MEMBERS * WAYS {
            return None;
        }
        let (mut start, mut masks) = ([0; 32], [0; 32]);
        let length = text.len().min(32);
        start[..length].copy_from_slice(&text[..length]);
        masks[..length].fill(0xff);
        let way = Way {
            start: halves(&start),
            masks: halves(&masks),
            more: self.texts.len() as u32,
            length: text.len() as u16,
            given,
            to,
            else_way: NONE,
            kind,
            field,
        };
        self.texts.extend_from_slice(&text[length..]);
        let number = self.ways.len() as u32;
        self.ways.push(way);
        let place = match self.ways.get_mut(before as usize) {
            Some(before) => &mut before.else_way,
            None => &mut self.members.get_mut(from as usize)?.first,
        };
        let behind = std::mem::replace(place, number);
        self.ways.last_mut()?.else_way = behind;
        Some(())
    }
}

impl Way {
    /// Whether it leads on from `at`.
    #[inline]
    fn is_here(&self, texts: &[u8], bytes: &[u8], at: usize) -> bool {
        let Some(here) = bytes.get(at..).and_then(<[u8]>::first_chunk::<32>) else {
            return self.is_at_end(texts, bytes, at);
        };
        let [first, second] = halves(here);
        if (first ^ self.start[0]) & self.masks[0] | (second ^ self.start[1]) & self.masks[1] != 0 {
            return false;
        }
        let length = usize::from(self.length);
        length <= 32 || bytes.get(at + 32..at + length).is_some_and(|here| Some(here) == self.more(texts))
    }

    /// The same where less than 32 bytes follow.
    #[cold]
    fn is_at_end(&self, texts: &[u8], bytes: &[u8], at: usize) -> bool {
        let here = bytes.get(at..).and_then(|here| here.get(..usize::from(self.length)));
        here.is_some_and(|here| {
            let mut filled = [0; 32];
            filled[..here.len()].copy_from_slice(here);
            halves(&filled) == self.start
        }) && self.more(texts) == Some(&[])
    }

    /// What follows the first 32 bytes.
    fn more<'t>(&self, texts: &'t [u8]) -> Option<&'t [u8]> {
        let start = self.more as usize;
        texts.get(start..start + usize::from(self.length).saturating_sub(32))
    }
}

fn halves(bytes: &[u8; 32]) -> [u128; 2] {
    let (halves, _) = bytes.as_chunks::<16>();
    [0, 1].map(|at| halves.get(at).map_or(0, |half| u128::from_le_bytes(*half)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::{select, subsequence};

    use super::super::event::read;
    use super::super::scan::Broken;
    use super::*;

    const NAMES: [&str; 22] = [
        "eventSource",
        "eventRW",
        "eventId",
        "eventName",
        "eventTime",
        "serviceName",
        "acsRegion",
        "recipientAccountId",
        "userAgent",
        "vpcId",
        "errorCode",
        "errorMessage",
        "resourceType",
        "resourceName",
        "requestParameters",
        "responseElements",
        "userIdentity",
        "referencedResources",
        "requestParameterJson",
        "eventVersion",
        "Records",
        "event",
    ];

    const VALUES: [&str; 27] = [
        r#""""#,
        r#""Kms""#,
        r#""Kms""#,
        r#""Ecs""#,
        r#""plain""#,
        r#""plain""#,
        r#""a text of more than sixteen and even of more than thirty-two bytes""#,
        r#""escaped \" and \\""#,
        r#""{\"KeyId\":\"no\"}""#,
        r#""ACS::KMS::Key""#,
        r#""Success""#,
        r#"{"ACS::KMS::Key":"k"}"#,
        "0",
        "12",
        "-1.5e3",
        "null",
        "true",
        "{}",
        "[]",
        r#"{"KeyId":"k-1","RegionId":"r"}"#,
        r#"{"KeyId":null,"SourceKeyId":"s","DestinationKeyId":"d","N":{"KeyId":"n"}}"#,
        r#"{"type":"ram-user","userName":"a:b","principalId":1,"accountId":"5"}"#,
        r#"{"type":"x","userName":"y","accountId":true}"#,
        r#"{"ACS::KMS::Key":["k"]}"#,
        r#"{"ACS::KMS::Key":["k","l"],"x":[]}"#,
        r#"{"ACS::KMS::Key":{"a":"b"}}"#,
        r#"[{"eventName":"x"},"]"]"#,
    ];

    /// Events of a few shapes, with any values: names in order, then for each event its shape, values, and whether it is cut
    /// off.
    fn log() -> impl Strategy<Value = Vec<String>> {
        let names = subsequence(NAMES.to_vec(), 0..=NAMES.len()).prop_shuffle();
        let twice = prop::option::of(select(NAMES.to_vec()));
        let gaps = select(vec![[",", ":"], [" ,\n\t", " : "]]);
        let shape = (names, twice, gaps);
        let event = (0..4_usize, prop::collection::vec(0..VALUES.len(), 23), prop::bool::weighted(0.02));
        (prop::collection::vec(shape, 4), prop::collection::vec(event, 1..12)).prop_map(|(shapes, events)| {
            let text = |(shape, values, is_cut): (usize, Vec<usize>, bool)| {
                let (names, twice, [comma, colon]) = &shapes[shape];
                let names = names.iter().chain(twice);
                let members = names.zip(&values).map(|(name, value)| format!("\"{name}\"{colon}{}", VALUES[*value]));
                let mut text = format!("{{{}}}", members.collect::<Vec<_>>().join(comma));
                if is_cut {
                    text.truncate(text.len() / 2);
                }
                text
            };
            events.into_iter().map(text).collect()
        })
    }

    fn shown(read: &Result<(Seen<'_>, usize), Broken>) -> String {
        format!("{read:?}")
    }

    fn check(shapes: &mut Shapes, text: &str, ends: Ends) -> Result<(), TestCaseError> {
        let plain = read(text.as_bytes(), 0, ends);
        match shapes.read(text.as_bytes(), 0, ends) {
            Some(known) => prop_assert_eq!(shown(&Ok(known)), shown(&plain), "{}", text),
            None => {
                if let Ok((Seen::Kms(_) | Seen::Other(_), _)) = plain {
                    shapes.learn(text.as_bytes(), 0, matches!(plain, Ok((Seen::Other(_), _))));
                }
            }
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn known_shapes_say_what_the_members_say(log in log(), behind in select(vec!["", ",{", "]} "])) {
            for ends in [Ends::WithBracket, Ends::WithBytes] {
                let mut shapes = Shapes::default();
                for text in log.iter().cycle().take(FIRST as usize + 4 * log.len()) {
                    let behind = if ends == Ends::WithBracket { behind } else { "" };
                    check(&mut shapes, &format!("{text}{behind}"), ends)?;
                }
            }
        }
    }

    #[test]
    fn a_log_of_one_shape_is_read_along_it() {
        let mut shapes = Shapes::default();
        let event = |number: u32| {
            let vpc = if number.is_multiple_of(3) { "\"vpcId\":\"vpc-1\"," } else { "" };
            format!(
                r#"{{"eventId":"{number}","eventVersion":1,"eventName":"Decrypt","eventTime":"t","isGlobal":false,{vpc}
                "serviceName":"Kms","requestParameters":{{"KeyId":"{number}"}},"requestParameterJson":"{{\"KeyId\":1}}"}}"#
            )
        };
        for number in 0..1000 {
            check(&mut shapes, &event(number), Ends::WithBytes).unwrap();
        }
        assert!(shapes.known > 900, "{}", shapes.known);
        // Once a member has another value than usual, it is known to have others.
        let unusual = |number| event(number).replace("Version\":1", &format!("Version\":{number}"));
        for number in 2..102 {
            check(&mut shapes, &unusual(number), Ends::WithBytes).unwrap();
        }
        assert!(shapes.known > 1000, "{}", shapes.known);
    }

    #[test]
    fn what_is_learned_is_bounded() {
        let mut shapes = Shapes::default();
        for number in 0..3 * LESSONS {
            let text = format!(
                r#"{{"name-{number}":"a","serviceName":"Kms","other-{number}":{{}},"eventName":"{number}","{}":1}}"#,
                "long".repeat(number as usize % 400)
            );
            check(&mut shapes, &text, Ends::WithBytes).unwrap();
        }
        assert!(shapes.members.len() <= MEMBERS && shapes.ways.len() <= MEMBERS * WAYS);
        assert!(shapes.texts.len() <= MEMBERS * WAYS * LONGEST && shapes.lessons <= LESSONS);
    }
}
