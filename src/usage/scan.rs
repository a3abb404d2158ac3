//! JSON that is skimmed: strings and nested values are stepped over 16 bytes at a time, and nothing is built.

use wide::u8x16;

/// A string as it stands between its quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Raw<'a> {
    /// The bytes, with their escapes.
    pub bytes: &'a [u8],
    /// Whether there are escapes.
    pub is_escaped: bool,
}

impl<'a> Raw<'a> {
    /// A text without escapes.
    pub fn plain(text: &'a str) -> Raw<'a> {
        Raw { bytes: text.as_bytes(), is_escaped: false }
    }

    /// Whether nothing stands there.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The text without its escapes; what is no text stands as U+FFFD.
    pub fn text(&self) -> std::borrow::Cow<'a, str> {
        if self.is_escaped {
            let quoted = [b"\"", self.bytes, b"\""].concat();
            if let Ok(text) = serde_json::from_slice::<String>(&quoted) {
                return text.into();
            }
        }
        String::from_utf8_lossy(self.bytes)
    }
}

/// What stands behind the name of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// A string.
    Text(Raw<'a>),
    /// An object or a list, with its brackets.
    Nested(&'a [u8]),
    /// A number, `true`, `false` or `null`.
    Scalar(&'a [u8]),
}

impl<'a> Value<'a> {
    /// The string; nothing if it is none.
    pub fn text(self) -> Raw<'a> {
        match self {
            Value::Text(raw) => raw,
            _ => Raw::default(),
        }
    }

    /// The string or the number, as programs write ids.
    pub fn word(self) -> Raw<'a> {
        match self {
            Value::Text(raw) => raw,
            Value::Scalar(bytes) if bytes != b"null" => Raw { bytes, is_escaped: false },
            _ => Raw::default(),
        }
    }
}

/// Which of some bytes are these.
#[inline]
fn of_32(bytes: &[u8; 32], is: impl Fn(u8x16) -> u8x16) -> u32 {
    let (halves, _) = bytes.as_chunks::<16>();
    halves.iter().rev().fold(0, |bits, half| bits << 16 | is(u8x16::new(*half)).to_bitmask())
}

/// Which of 64 bytes are these.
#[inline]
fn of_64(bytes: &[u8; 64], is: impl Fn(u8x16) -> u8x16) -> u64 {
    let (quarters, _) = bytes.as_chunks::<16>();
    quarters.iter().rev().fold(0, |bits, quarter| bits << 16 | u64::from(is(u8x16::new(*quarter)).to_bitmask()))
}

#[inline]
fn is_byte(bytes: u8x16, byte: u8) -> u8x16 {
    bytes.simd_eq(u8x16::splat(byte))
}

/// Where the string ends whose first byte stands at `at`, and whether it has escapes.
#[inline]
pub fn string_end(bytes: &[u8], mut at: usize) -> Option<(usize, bool)> {
    let mut is_escaped = false;
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<32>) {
        let quotes = of_32(chunk, |bytes| is_byte(bytes, b'"'));
        let slashes = of_32(chunk, |bytes| is_byte(bytes, b'\\'));
        if slashes & quotes.wrapping_sub(1) & !quotes == 0 {
            // No backslash stands before the quote.
            if quotes != 0 {
                return Some((at + quotes.trailing_zeros() as usize, is_escaped));
            }
            at += 32;
            continue;
        }
        is_escaped = true;
        let (escaped, goes_on) = escaped(u64::from(slashes) << 32);
        let quotes = quotes & !((escaped >> 32) as u32);
        if quotes != 0 {
            return Some((at + quotes.trailing_zeros() as usize, true));
        }
        at += 32 + usize::from(goes_on);
    }
    loop {
        match bytes.get(at)? {
            b'"' => return Some((at, is_escaped)),
            b'\\' => {
                is_escaped = true;
                at += 2;
            }
            _ => at += 1,
        }
    }
}

/// Which of 64 bytes stand behind a backslash that is not behind one itself, and whether the byte behind them does. The
/// arithmetic is that of simdjson: a borrow runs along each run of backslashes, and shows by where it comes out whether
/// their number is odd.
#[inline]
fn escaped(slashes: u64) -> (u64, bool) {
    const ODD: u64 = 0xaaaa_aaaa_aaaa_aaaa;
    let runs = ((slashes << 1) | ODD).wrapping_sub(slashes) ^ ODD;
    (runs ^ slashes, runs & slashes & 1 << 63 != 0)
}

/// Each bit tells whether the number of bits up to it is odd.
#[inline]
fn odd_so_far(bits: u64) -> u64 {
    [1, 2, 4, 8, 16, 32].iter().fold(bits, |bits, by| bits ^ bits << by)
}

/// Brackets that are open, as bits behind a first that is always there: whether each is one of an object.
type Open = u64;

/// No bracket is open.
const CLOSED: Open = 1;

/// Opens or closes the bracket at `at`.
///
/// # Errors
/// It closes one of the other kind, stands where no value can, or is deeper than any event.
#[inline]
fn bracket(open: Open, bytes: &[u8], at: usize, byte: u8) -> Result<Open, Broken> {
    // Those of objects differ from those of lists in one bit, and closing ones from opening ones in two.
    let is_object = Open::from(byte >> 5 & 1);
    if byte & 0b110 == 0b010 {
        // In an object, a value stands behind a colon: elsewhere, an object before it was not closed.
        let is_value = open & 1 == 0 || open == CLOSED || is_behind_colon(bytes, at);
        if is_value && open.leading_zeros() > 0 { Ok(open << 1 | is_object) } else { Err(Broken::At(at)) }
    } else if open & 1 == is_object {
        Ok(open >> 1)
    } else {
        Err(Broken::At(at))
    }
}

#[inline]
fn is_behind_colon(bytes: &[u8], at: usize) -> bool {
    let before = bytes[..at].iter().rev().find(|byte| !is_blank(**byte));
    before == Some(&b':')
}

/// Where the object or list ends whose bracket, `{` or `[`, stands before `at`; behind its last bracket.
///
/// # Errors
/// It is never closed, or by a bracket of the other kind.
#[inline]
pub fn nested_end(bytes: &[u8], mut at: usize, kind: u8) -> Result<usize, Broken> {
    let mut open = CLOSED << 1 | Open::from(kind == b'{');
    let mut is_in_string = false;
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<64>) {
        let slashes = of_64(chunk, |bytes| is_byte(bytes, b'\\'));
        let mut quotes = of_64(chunk, |bytes| is_byte(bytes, b'"'));
        let mut skip = 0;
        if slashes != 0 {
            let (escaped, goes_on) = escaped(slashes);
            quotes &= !escaped;
            skip = usize::from(goes_on);
        }
        let inside = odd_so_far(quotes) ^ if is_in_string { !0 } else { 0 };
        if slashes & !inside != 0 {
            // That is no JSON; outside of strings a backslash says nothing of the byte behind it.
            break;
        }
        // `[` and `]` differ from `{` and `}` in one bit.
        let small = |bytes: u8x16| bytes | u8x16::splat(0x20);
        let is_bracket = |bytes: u8x16| is_byte(small(bytes), b'{') | is_byte(small(bytes), b'}');
        let mut brackets = of_64(chunk, is_bracket) & !inside;
        while brackets != 0 {
            let place = brackets.trailing_zeros() as usize;
            open = bracket(open, bytes, at + place, chunk[place])?;
            if open == CLOSED {
                return Ok(at + place + 1);
            }
            brackets &= brackets - 1;
        }
        is_in_string = inside >> 63 == 1;
        at += 64 + skip;
    }
    if is_in_string {
        at = string_end(bytes, at).ok_or(Broken::CutOff)?.0 + 1;
    }
    loop {
        match bytes.get(at).ok_or(Broken::CutOff)? {
            b'"' => at = string_end(bytes, at + 1).ok_or(Broken::CutOff)?.0,
            byte @ (b'{' | b'[' | b'}' | b']') => {
                open = bracket(open, bytes, at, *byte)?;
                if open == CLOSED {
                    return Ok(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
}

#[inline]
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

/// The first byte from `at` on that is no white space.
#[inline]
pub fn behind_blanks(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(|byte| is_blank(*byte)) {
        at += 1;
    }
    at
}

/// What is wrong with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// It ends too early.
    CutOff,
    /// Something else was expected, there.
    At(usize),
}

/// Goes through the members of the object whose `{` stands at `at`, and gives where it ends.
///
/// # Errors
/// It is no JSON, as far as it was looked at.
#[inline]
pub fn members<'a>(bytes: &'a [u8], at: usize, mut take: impl FnMut(&'a [u8], Value<'a>)) -> Result<usize, Broken> {
    let mut at = behind_blanks(bytes, at + 1);
    if bytes.get(at) == Some(&b'}') {
        return Ok(at + 1);
    }
    loop {
        let (name, start) = name(bytes, at)?;
        let (value, end) = value(bytes, start)?;
        take(name, value);
        at = behind_blanks(bytes, end);
        match bytes.get(at) {
            Some(b',') => at = behind_blanks(bytes, at + 1),
            Some(b'}') => return Ok(at + 1),
            _ => return Err(broken(bytes, at)),
        }
    }
}

/// The name of the member that begins at `at`, and where its value does.
///
/// # Errors
/// There is none.
#[inline]
pub fn name(bytes: &[u8], at: usize) -> Result<(&[u8], usize), Broken> {
    if bytes.get(at) != Some(&b'"') {
        return Err(broken(bytes, at));
    }
    let (end, _) = string_end(bytes, at + 1).ok_or(Broken::CutOff)?;
    let colon = behind_blanks(bytes, end + 1);
    match bytes.get(colon) {
        Some(b':') => Ok((&bytes[at + 1..end], behind_blanks(bytes, colon + 1))),
        _ => Err(broken(bytes, colon)),
    }
}

/// What is wrong where something else was expected.
#[inline]
pub fn broken(bytes: &[u8], at: usize) -> Broken {
    if at >= bytes.len() { Broken::CutOff } else { Broken::At(at) }
}

/// The value that begins at `at`, and where it ends.
///
/// # Errors
/// There is none.
#[inline]
pub fn value(bytes: &[u8], at: usize) -> Result<(Value<'_>, usize), Broken> {
    match bytes.get(at) {
        Some(b'"') => {
            let (end, is_escaped) = string_end(bytes, at + 1).ok_or(Broken::CutOff)?;
            Ok((Value::Text(Raw { bytes: &bytes[at + 1..end], is_escaped }), end + 1))
        }
        Some(kind @ (b'{' | b'[')) => {
            let end = nested_end(bytes, at + 1, *kind)?;
            Ok((Value::Nested(&bytes[at..end]), end))
        }
        Some(byte) if byte.is_ascii_alphanumeric() || *byte == b'-' => {
            let is_of_scalar = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.');
            let length = bytes[at..].iter().position(|byte| !is_of_scalar(byte)).unwrap_or(bytes.len() - at);
            Ok((Value::Scalar(&bytes[at..at + length]), at + length))
        }
        _ => Err(broken(bytes, at)),
    }
}

/// Goes through the elements of the list whose `[` stands first.
///
/// # Errors
/// It is no list from there on; the elements before were taken.
pub fn elements<'a>(list: &'a [u8], mut take: impl FnMut(Value<'a>)) -> Result<(), Broken> {
    let mut at = behind_blanks(list, 1);
    while list.get(at) != Some(&b']') {
        let (value, end) = value(list, at)?;
        take(value);
        at = behind_blanks(list, end);
        match list.get(at) {
            Some(b',') => at = behind_blanks(list, at + 1),
            Some(b']') => {}
            _ => return Err(broken(list, at)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(text: &str) -> Result<Vec<String>, Broken> {
        let mut names = Vec::new();
        members(text.as_bytes(), 0, |name, _| {
            names.push(String::from_utf8_lossy(name).into_owned());
        })?;
        Ok(names)
    }

    #[test]
    fn members_are_those_of_the_object_itself() {
        let text = r#"{"a":"x\"}","b":{"c":[1,{"d":"]"}]},"e": null , "f":-1.5e3,"g":[]}"#;
        assert_eq!(names(text).unwrap(), ["a", "b", "e", "f", "g"]);
        assert_eq!(names("{}").unwrap(), Vec::<String>::new());
        assert_eq!(names(r#"{"a":1"#), Err(Broken::CutOff));
        assert_eq!(names(r#"{"a" 1}"#), Err(Broken::At(5)));
        assert_eq!(names(r#"{"a":}"#), Err(Broken::At(5)));
    }

    #[test]
    fn escapes_are_undone() {
        let raw = Raw { bytes: br#"alias\/orders \u5bc6"#, is_escaped: true };
        assert_eq!(raw.text(), "alias/orders 密");
    }

    /// Where a string ends, byte by byte.
    fn plain_string_end(bytes: &[u8], mut at: usize) -> Option<(usize, bool)> {
        let mut is_escaped = false;
        loop {
            match bytes.get(at)? {
                b'"' => return Some((at, is_escaped)),
                b'\\' => (is_escaped, at) = (true, at + 2),
                _ => at += 1,
            }
        }
    }

    /// Where brackets are closed, byte by byte.
    fn plain_nested_end(bytes: &[u8], mut at: usize, kind: u8) -> Result<usize, Broken> {
        let mut open = vec![kind];
        while let Some(inner) = open.last().copied() {
            let byte = *bytes.get(at).ok_or(Broken::CutOff)?;
            match byte {
                b'"' => at = plain_string_end(bytes, at + 1).ok_or(Broken::CutOff)?.0,
                b'{' | b'[' => {
                    let before = String::from_utf8_lossy(&bytes[..at]).trim_end().to_owned();
                    if inner == b'{' && !before.ends_with(':') || open.len() == 63 {
                        return Err(Broken::At(at));
                    }
                    open.push(byte);
                }
                b'}' | b']' if byte.wrapping_sub(inner) == 2 => {
                    open.pop();
                }
                b'}' | b']' => return Err(Broken::At(at)),
                _ => {}
            }
            at += 1;
        }
        Ok(at)
    }

    #[test]
    fn brackets_close_those_of_their_kind() {
        let end = |text: &str| nested_end(text.as_bytes(), 1, text.as_bytes()[0]);
        for behind in ["", &" ".repeat(100)] {
            assert_eq!(end(&format!(r#"{{"a":[{{}},[]]}}{behind}"#)), Ok(13));
            assert_eq!(end(&format!(r#"{{"a":1]}}{behind}"#)), Err(Broken::At(6)));
            assert_eq!(end(&format!(r#"[{{"a":1],{{}}]{behind}"#)), Err(Broken::At(7)));
            assert_eq!(end(&format!(r#"{{"a":{{"b":1}},{{"c":2}}{behind}"#)), Err(Broken::At(13)));
            assert_eq!(end(&format!("[{}{behind}", "[".repeat(63))), Err(Broken::At(63)));
            assert_eq!(end(&format!(r#"{{"a":1{behind}"#)), Err(Broken::CutOff));
        }
    }

    proptest! {
        #[test]
        fn many_bytes_at_once_say_what_each_says(
            parts in proptest::collection::vec((proptest::sample::select(b"{}[]\",: a1".to_vec()), 1..20_usize), 0..60),
            slashes in proptest::collection::vec((0..400_usize, 1..6_usize), 0..6),
            at in 0..70_usize,
        ) {
            let mut bytes: Vec<u8> = parts.into_iter().flat_map(|(byte, count)| {
                // Quotes and brackets alone, letters in rows.
                std::iter::repeat_n(byte, if byte.is_ascii_alphanumeric() { count } else { 1 })
            }).collect();
            for (place, count) in slashes {
                let place = place.min(bytes.len());
                bytes.splice(place..place, std::iter::repeat_n(b'\\', count));
            }
            prop_assert_eq!(string_end(&bytes, at), plain_string_end(&bytes, at));
            prop_assert_eq!(nested_end(&bytes, at, b'{'), plain_nested_end(&bytes, at, b'{'));
            prop_assert_eq!(nested_end(&bytes, at, b'['), plain_nested_end(&bytes, at, b'['));
        }

        #[test]
        fn what_serde_reads_is_skimmed(value in json(4), behind in "[ ,}\\]]{0,40}") {
            let text = format!("{}{behind}", serde_json::json!({"k": value}));
            let length = text.len() - behind.len();
            let mut seen = Vec::new();
            let end = members(text.as_bytes(), 0, |name, value| {
                seen.push((name.to_vec(), value));
            });
            prop_assert_eq!(end, Ok(length));
            prop_assert_eq!(nested_end(text.as_bytes(), 1, b'{'), Ok(length));
            prop_assert_eq!(seen.len(), 1);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::sample::select(b"{}[]\",:\\ a1".to_vec()), 0..60)) {
            let _ = members(&bytes, 0, |_, _| {});
            let _ = elements(&bytes, |_| {});
        }
    }

    fn json(depth: u32) -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(serde_json::Value::from),
            any::<i32>().prop_map(serde_json::Value::from),
            "[a-z\"\\\\{}\\[\\]钥\n]{0,40}".prop_map(serde_json::Value::from),
        ];
        leaf.prop_recursive(depth, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
                proptest::collection::btree_map("[a-z\"]{0,20}", inner, 0..4)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }
}
