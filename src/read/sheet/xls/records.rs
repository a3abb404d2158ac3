//! The records of a workbook of the older kind, and what stands in them. A record that is too long for its length goes
//! on in those behind it; whoever reads it does not see where.

use super::super::bytes::{u16_at, u32_at};

/// A record that continues the one before.
const CONTINUE: u16 = 0x3c;

/// The records of a stream, from some place on.
#[derive(Clone, Copy)]
pub(super) struct Records<'s> {
    stream: &'s [u8],
    at: usize,
}

/// One record.
#[derive(Clone, Copy)]
pub(super) struct Record<'s> {
    pub(super) kind: u16,
    /// Where its content stands in the stream.
    pub(super) at: usize,
    /// Without what continues it.
    pub(super) content: &'s [u8],
}

impl<'s> Records<'s> {
    pub(super) fn new(stream: &'s [u8], at: usize) -> Records<'s> {
        Records { stream, at }
    }
}

impl<'s> Iterator for Records<'s> {
    type Item = Record<'s>;

    fn next(&mut self) -> Option<Record<'s>> {
        let (kind, length) = (u16_at(self.stream, self.at)?, u16_at(self.stream, self.at + 2)?);
        let at = self.at + 4;
        let content = self.stream.get(at..at + usize::from(length))?;
        self.at = at + content.len();
        Some(Record { kind, at, content })
    }
}

/// Reads the content of a record, and of those that continue it.
pub(super) struct Content<'s> {
    stream: &'s [u8],
    at: usize,
    /// Where the record ends in which `at` is.
    end: usize,
}

impl<'s> Content<'s> {
    /// The content of a record from some place on.
    pub(super) fn new(stream: &'s [u8], at: usize, end: usize) -> Content<'s> {
        Content { stream, at, end: end.min(stream.len()) }
    }

    /// Whether there is more, perhaps in the next record.
    fn has_more(&mut self) -> bool {
        while self.at >= self.end {
            let mut records = Records::new(self.stream, self.end);
            match records.next() {
                Some(record) if record.kind == CONTINUE => (self.at, self.end) = (record.at, records.at),
                _ => return false,
            }
        }
        true
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        if !self.has_more() {
            return None;
        }
        self.at += 1;
        self.stream.get(self.at - 1).copied()
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes([self.u8()?, self.u8()?]))
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        Some(u32::from(self.u16()?) | u32::from(self.u16()?) << 16)
    }

    /// Passes over so many bytes.
    fn skip(&mut self, mut count: usize) -> Option<()> {
        while count > 0 {
            if !self.has_more() {
                return None;
            }
            let step = count.min(self.end - self.at);
            self.at += step;
            count -= step;
        }
        Some(())
    }

    /// Appends a text of so many characters, with the flags before it and the formats behind.
    pub(super) fn text(&mut self, count: u16, into: &mut String) -> Option<()> {
        const WIDE: u8 = 1;
        const ASIAN: u8 = 4;
        const RICH: u8 = 8;
        let mut flags = self.u8()?;
        let runs = if flags & RICH != 0 { self.u16()? } else { 0 };
        let asian = if flags & ASIAN != 0 { self.u32()? } else { 0 };
        let mut units = Vec::new();
        for _ in 0..count {
            if self.at >= self.end {
                if !self.has_more() {
                    return None;
                }
                // Where a text goes on in another record, the flags do again, and may be others.
                flags = flags & !WIDE | self.u8()? & WIDE;
            }
            units.push(if flags & WIDE != 0 { self.u16()? } else { u16::from(self.u8()?) });
        }
        into.extend(char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)));
        self.skip(usize::from(runs) * 4)?;
        self.skip(usize::try_from(asian).ok()?)
    }
}

/// A number in 30 bits, and in the other two how it is packed.
pub(super) fn packed_number(packed: u32) -> f64 {
    let number =
        if packed & 2 != 0 { f64::from(packed as i32 >> 2) } else { f64::from_bits(u64::from(packed & !3) << 32) };
    if packed & 1 != 0 { number / 100.0 } else { number }
}

/// A number as it stands.
pub(super) fn number_at(bytes: &[u8], at: usize) -> Option<f64> {
    Some(f64::from_bits(u64::from(u32_at(bytes, at)?) | u64::from(u32_at(bytes, at + 4)?) << 32))
}

/// How an error is shown.
pub(super) fn error_text(code: u8) -> &'static str {
    match code {
        0x00 => "#NULL!",
        0x07 => "#DIV/0!",
        0x0f => "#VALUE!",
        0x17 => "#REF!",
        0x1d => "#NAME?",
        0x24 => "#NUM!",
        _ => "#N/A",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u16, content: &[u8]) -> Vec<u8> {
        [&kind.to_le_bytes()[..], &(content.len() as u16).to_le_bytes(), content].concat()
    }

    fn text(pieces: &[&[u8]], count: u16) -> Option<String> {
        let stream: Vec<u8> = pieces
            .iter()
            .enumerate()
            .flat_map(|(at, piece)| record(if at == 0 { 0xfc } else { CONTINUE }, piece))
            .chain(record(0x0a, b"after"))
            .collect();
        let mut into = String::new();
        Content::new(&stream, 4, 4 + pieces[0].len()).text(count, &mut into).map(|()| into)
    }

    #[test]
    fn texts_go_on_in_other_records_and_may_change_their_width() {
        assert_eq!(text(&[b"\x00abc"], 3).as_deref(), Some("abc"));
        assert_eq!(text(&[b"\x00a\xe9"], 2).as_deref(), Some("aé"), "narrow characters are those of Latin 1");
        assert_eq!(text(&[b"\x01\xa5\x94a\0"], 2).as_deref(), Some("钥a"));
        assert_eq!(text(&[b"\x00ab", b"\x01\xa5\x94", b"\x00c"], 4).as_deref(), Some("ab钥c"));
        assert_eq!(text(&[b"\x01\x3d\xd8", b"\x01\x00\xdea\0"], 3).as_deref(), Some("😀a"));
        assert_eq!(text(&[b"\x01\x3d\xd8a\0"], 2).as_deref(), Some("\u{fffd}a"));
        assert_eq!(
            text(&[b"\x0c\x01\0\x02\0\0\0ab", b"1234", b"56"], 2).as_deref(),
            Some("ab"),
            "formats have no flags"
        );
        assert_eq!(text(&[b"\x0c\x01\0\x02\0\0\0ab12", b"3456"], 2).as_deref(), Some("ab"));
        for broken in [&b""[..], b"\x00a", b"\x01a\0b", b"\x08ab", b"\x08\x01\0ab12"] {
            assert_eq!(text(&[broken], 2), None);
        }
    }

    #[test]
    fn packed_numbers_are_unpacked() {
        for (packed, number) in [
            (0x3ff0_0000, 1.0),
            (0x3ff0_0001, 0.01),
            (0x0000_0006, 1.0),
            (0xffff_fffe, -1.0),
            (0x0000_30e7, 31.29),
            (0x40c8_1c80, 12345.0),
        ] {
            assert_eq!(packed_number(packed), number, "{packed:x}");
        }
    }

    #[test]
    fn records_end_where_the_stream_does() {
        let stream = [record(1, b"ab"), record(2, b""), vec![3, 0, 9, 0, 1]].concat();
        let kinds: Vec<u16> = Records::new(&stream, 0).map(|record| record.kind).collect();
        assert_eq!(kinds, [1, 2]);
        assert!(Records::new(&stream, usize::MAX - 8).next().is_none());
    }
}
