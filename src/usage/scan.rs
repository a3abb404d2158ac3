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

impl Raw<'_> {
    /// Whether nothing stands there.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The text without its escapes; what is no text stands as U+FFFD.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
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

/// Where the string ends whose first byte stands at `at`, and whether it has escapes.
#[inline]
pub fn string_end(bytes: &[u8], mut at: usize) -> Option<(usize, bool)> {
    let (quote, backslash) = (u8x16::splat(b'"'), u8x16::splat(b'\\'));
    let mut is_escaped = false;
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<16>) {
        let chunk = u8x16::new(*chunk);
        let found = (chunk.simd_eq(quote) | chunk.simd_eq(backslash)).to_bitmask();
        let mut left = found;
        let mut next = at + 16;
        while left != 0 {
            let offset = left.trailing_zeros() as usize;
            if bytes[at + offset] == b'"' {
                return Some((at + offset, is_escaped));
            }
            is_escaped = true;
            // What stands behind a backslash has no meaning of its own.
            if offset == 15 {
                next += 1;
            }
            left &= !(0b11 << offset);
        }
        at = next;
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

/// Where the object or list ends whose bracket stands before `at`, with so many open around it; behind its last bracket.
#[inline]
pub fn nested_end(bytes: &[u8], mut at: usize, mut depth: u32) -> Option<usize> {
    let (quote, open, close) = (u8x16::splat(b'"'), u8x16::splat(b'{'), u8x16::splat(b'}'));
    let letter = u8x16::splat(0x20);
    'chunks: while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<16>) {
        let whole = u8x16::new(*chunk);
        // `[` and `]` differ from `{` and `}` in one bit.
        let small = whole | letter;
        let mut found = (whole.simd_eq(quote) | small.simd_eq(open) | small.simd_eq(close)).to_bitmask();
        while found != 0 {
            let offset = found.trailing_zeros() as usize;
            match chunk[offset] {
                b'"' => {
                    at = string_end(bytes, at + offset + 1)?.0 + 1;
                    continue 'chunks;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth -= 1;
                    if depth == 0 {
                        return Some(at + offset + 1);
                    }
                }
                _ => {}
            }
            found &= found - 1;
        }
        at += 16;
    }
    loop {
        match bytes.get(at)? {
            b'"' => at = string_end(bytes, at + 1)?.0,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
}

/// The first byte from `at` on that is no white space.
#[inline]
pub fn behind_blanks(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t')) {
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
        Some(b'{' | b'[') => {
            let end = nested_end(bytes, at + 1, 1).ok_or(Broken::CutOff)?;
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

    proptest! {
        #[test]
        fn what_serde_reads_is_skimmed(value in json(4), behind in "[ ,}\\]]{0,40}") {
            let text = format!("{}{behind}", serde_json::json!({"k": value}));
            let length = text.len() - behind.len();
            let mut seen = Vec::new();
            let end = members(text.as_bytes(), 0, |name, value| {
                seen.push((name.to_vec(), value));
            });
            prop_assert_eq!(end, Ok(length));
            prop_assert_eq!(nested_end(text.as_bytes(), 1, 1), Some(length));
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
