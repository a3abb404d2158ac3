//! A question to all bytes of a text, put to 16 of them at a time.

use wide::u8x16;

/// 16 bytes of a text.
pub type Sixteen = u8x16;

/// Whether all bytes have a property, as `has` tells of 16. Letters have any property that is worth asking for.
#[inline]
pub fn all(text: &str, has: impl Fn(Sixteen) -> Sixteen) -> bool {
    let bytes = text.as_bytes();
    if let Some(last) = bytes.last_chunk::<16>() {
        // The last 16 bytes may overlap those before.
        let (whole, _) = bytes.as_chunks::<16>();
        return whole.iter().fold(has(u8x16::new(*last)), |all, bytes| all & has(u8x16::new(*bytes))).all();
    }
    let mut filled = [b'a'; 16];
    filled[..bytes.len()].copy_from_slice(bytes);
    has(u8x16::new(filled)).all()
}

/// Whether three bytes in a row have a property, as `has` tells of 16 such rows: their first bytes, their second, and
/// their third. Three blanks have no property that is worth asking for.
#[inline]
pub fn any_three(text: &str, has: impl Fn(Sixteen, Sixteen, Sixteen) -> Sixteen) -> bool {
    const LENGTH: usize = 18;
    let bytes = text.as_bytes();
    let at = |chunk: &[u8; LENGTH]| {
        let part = |from: usize| chunk[from..].first_chunk::<16>().map_or(u8x16::splat(b' '), |part| u8x16::new(*part));
        has(part(0), part(1), part(2)).any()
    };
    let Some(last) = bytes.last_chunk::<LENGTH>() else {
        let mut filled = [b' '; LENGTH];
        filled[..bytes.len()].copy_from_slice(bytes);
        return at(&filled);
    };
    let starts = (0..bytes.len() - LENGTH).step_by(16);
    starts.into_iter().any(|start| bytes[start..].first_chunk().is_some_and(at)) || at(last)
}

/// Which bytes are letters of ASCII.
#[inline]
pub fn letters(bytes: Sixteen) -> Sixteen {
    within(bytes | u8x16::splat(0x20), b'a', b'z')
}

/// Which bytes are letters of a hexadecimal number.
#[inline]
pub fn hex_letters(bytes: Sixteen) -> Sixteen {
    within(bytes | u8x16::splat(0x20), b'a', b'f')
}

/// Which bytes are from `first` to `last`.
#[inline]
pub fn within(bytes: Sixteen, first: u8, last: u8) -> Sixteen {
    let offset = bytes - u8x16::splat(first);
    offset.min(u8x16::splat(last - first)).simd_eq(offset)
}

/// Which bytes are this one.
#[inline]
pub fn equal(bytes: Sixteen, byte: u8) -> Sixteen {
    bytes.simd_eq(u8x16::splat(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_byte_is_enough_wherever_it_stands() {
        for length in 0..70 {
            let text = "a".repeat(length);
            assert!(all(&text, letters));
            for at in 0..length {
                let mut other = text.clone();
                other.replace_range(at..=at, "-");
                assert!(!all(&other, letters), "{other}");
                assert!(all(&other, |bytes| letters(bytes) | equal(bytes, b'-')), "{other}");
            }
        }
    }

    #[test]
    fn three_bytes_in_a_row_are_found_wherever_they_stand() {
        let has = |a, b, c| equal(a, b'x') & equal(b, b'y') & equal(c, b'z');
        for length in 0..70 {
            let text = "a".repeat(length);
            assert!(!any_three(&text, has) && !any_three(&format!("{text}xy"), has));
            for behind in 0..40 {
                assert!(any_three(&format!("{text}xyz{}", "b".repeat(behind)), has), "{length} {behind}");
            }
        }
    }

    #[test]
    fn properties_are_those_of_the_standard_library() {
        for byte in 0..=u8::MAX {
            let sixteen = u8x16::splat(byte);
            assert_eq!(letters(sixteen).all(), byte.is_ascii_alphabetic());
            assert_eq!(within(sixteen, b'0', b'9').all(), byte.is_ascii_digit());
            assert_eq!(equal(sixteen, b'_').all(), byte == b'_');
        }
    }
}
