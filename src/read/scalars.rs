//! Elements of lists of JSON that are no objects: null, numbers, texts.

/// A byte order mark.
pub(super) const MARK: &[u8] = "\u{feff}".as_bytes();

/// Longer elements of a list that are no objects are no JSON.
const LONGEST_SCALAR: usize = 1 << 16;

/// The element with which the bytes begin; `Some(None)` if it may go on behind them, nothing if it is no JSON.
pub(super) fn scalar_at(bytes: &[u8]) -> Option<Option<String>> {
    let ends = |byte: &u8| matches!(byte, b',' | b']' | b'}') || byte.is_ascii_whitespace();
    let length = match bytes.first() {
        Some(b'"') => string_length(bytes)?,
        _ => bytes.iter().position(ends).unwrap_or(bytes.len()),
    };
    if length == bytes.len() {
        return (length <= LONGEST_SCALAR).then_some(None);
    }
    // Cut inside a character, a text would be longer than its bytes.
    let text = std::str::from_utf8(&bytes[..length]).ok()?;
    serde_json::from_str::<serde_json::Value>(text).ok()?;
    Some(Some(text.to_owned()))
}

/// The length of the string with which a text begins, quotes and all; that of the text if it is not closed.
fn string_length(text: &[u8]) -> Option<usize> {
    let mut at = 1;
    while let Some(offset) = memchr::memchr3(b'"', b'\\', b'\n', text.get(at..).unwrap_or_default()) {
        match text[at + offset] {
            b'"' => return Some(at + offset + 1),
            b'\\' => at += offset + 2,
            _ => return None,
        }
    }
    Some(text.len())
}
