//! Where the bytes stand that divide delimited text, found 64 bytes at a time.
//!
//! Cells are short, so that a search from each to the next costs more than the bytes that it passes; a mask
//! of one bit for each byte costs the same however many marks it holds.

use wide::u8x16;

/// Goes from mark to mark: delimiters, quotes and the two line ends.
#[derive(Debug)]
pub(super) struct Marks<'b> {
    bytes: &'b [u8],
    dividers: [u8x16; 4],
    /// Where the 64 bytes begin whose marks are known.
    base: usize,
    /// A bit for each mark that is still ahead in them.
    mask: u64,
}

impl<'b> Marks<'b> {
    pub(super) fn new(bytes: &'b [u8], delimiter: u8) -> Marks<'b> {
        let mut marks = Marks { bytes, dividers: [delimiter, b'\n', b'\r', b'"'].map(u8x16::splat), base: 0, mask: 0 };
        marks.mask = marks.mask_of(0);
        marks
    }

    /// The position of the next mark, or the end.
    #[inline]
    pub(super) fn next(&mut self) -> usize {
        while self.mask == 0 {
            if self.base + 64 >= self.bytes.len() {
                return self.bytes.len();
            }
            self.base += 64;
            self.mask = self.mask_of(self.base);
        }
        let position = self.base + self.mask.trailing_zeros() as usize;
        self.mask &= self.mask - 1;
        position
    }

    /// Goes on at a position.
    pub(super) fn seek(&mut self, at: usize) {
        self.base = at / 64 * 64;
        self.mask = self.mask_of(self.base) & (!0 << (at % 64));
    }

    #[inline]
    fn mask_of(&self, base: usize) -> u64 {
        if let Some(chunk) = self.bytes.get(base..).and_then(|rest| rest.first_chunk::<64>()) {
            return self.mask_of_chunk(chunk);
        }
        let rest = self.bytes.get(base..).unwrap_or_default();
        let mut last = [0; 64];
        last[..rest.len()].copy_from_slice(rest);
        // What fills the last chunk may look like the delimiter.
        self.mask_of_chunk(&last) & !(!0 << rest.len())
    }

    #[inline]
    fn mask_of_chunk(&self, chunk: &[u8; 64]) -> u64 {
        let (quarters, _) = chunk.as_chunks::<16>();
        quarters.iter().enumerate().fold(0, |mask, (quarter, bytes)| {
            let bytes = u8x16::new(*bytes);
            let [delimiter, line_feed, carriage_return, quote] = self.dividers.map(|divider| bytes.simd_eq(divider));
            let any = delimiter | line_feed | carriage_return | quote;
            mask | u64::from(any.to_bitmask()) << (16 * quarter)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(bytes: &[u8], delimiter: u8, from: usize) -> Vec<usize> {
        let mut marks = Marks::new(bytes, delimiter);
        marks.seek(from);
        let mut found = Vec::new();
        loop {
            match marks.next() {
                end if end == bytes.len() => return found,
                mark => found.push(mark),
            }
        }
    }

    #[test]
    fn every_mark_is_found_wherever_it_stands() {
        for length in 0..200 {
            assert!(found(&vec![b'a'; length], 0, length).is_empty());
            for at in 0..length {
                for mark in [b';', b'\n', b'\r', b'"'] {
                    let mut bytes = vec![b'a'; length];
                    bytes[at] = mark;
                    assert_eq!(found(&bytes, b';', 0), [at]);
                    assert_eq!(found(&bytes, b';', at), [at]);
                    assert!(found(&bytes, b';', at + 1).is_empty());
                }
            }
        }
        assert_eq!(found("€,;,ü;\u{3b}\u{13b}".as_bytes(), b';', 0), [4, 8, 9]);
        assert_eq!(found(b"a\0b", 0, 0), [1]);
    }
}
