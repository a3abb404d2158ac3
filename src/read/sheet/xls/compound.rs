//! The streams of a compound file that is in memory (OLE2; [MS-CFB]), as far as workbooks need it.
//!
//! What the file states about itself is not believed: chains of sectors are as long as the file at most.

use std::collections::HashSet;

use super::super::bytes::{u16_at, u32_at, u64_at};

/// From here on, numbers of sectors mean that there is none.
const NO_SECTOR: u32 = 0xffff_fffa;

/// The number of an entry of the directory that is not there.
const NO_ENTRY: u32 = u32::MAX;

/// Shorter streams stand in the stream of small sectors.
const SMALL: u64 = 4096;

/// A small sector has so many bytes; by its exponent.
const SMALL_SHIFT: u32 = 6;

const ENTRY: usize = 128;

/// A compound file.
pub(super) struct Compound<'b> {
    bytes: &'b [u8],
    /// How long sectors are; by the exponent.
    shift: u32,
    /// The sector that follows each.
    next: Vec<u32>,
    directory: Vec<u8>,
}

impl<'b> Compound<'b> {
    /// Reads the directory; nothing if that is not possible.
    pub(super) fn open(bytes: &'b [u8]) -> Option<Compound<'b>> {
        let shift = u32::from(u16_at(bytes, 30)?);
        if shift != 9 && shift != 12 {
            return None;
        }
        let mut file = Compound { bytes, shift, next: Vec::new(), directory: Vec::new() };
        file.next = file.sectors_of_table()?.iter().flat_map(|sector| numbers(file.sector(*sector))).collect();
        file.directory = file.chain(u32_at(bytes, 48)?)?;
        Some(file)
    }

    /// The stream of this name in the main folder; nothing if there is none.
    ///
    /// # Errors
    /// Its sectors cannot be found.
    pub(super) fn stream(&self, name: &str) -> Option<Result<Vec<u8>, ()>> {
        let entry = self.entries().into_iter().find(|entry| self.is_named(*entry, name))?;
        Some(self.content(entry).ok_or(()))
    }

    /// Where the entries of the main folder stand. They are a tree.
    fn entries(&self) -> Vec<usize> {
        let (mut entries, mut seen) = (Vec::new(), HashSet::new());
        let mut waiting: Vec<u32> = u32_at(&self.directory, 76).into_iter().collect();
        while let Some(number) = waiting.pop() {
            let at = (number as usize).saturating_mul(ENTRY);
            if number == NO_ENTRY || at + ENTRY > self.directory.len() || !seen.insert(number) {
                continue;
            }
            entries.push(at);
            waiting.extend(u32_at(&self.directory, at + 68));
            waiting.extend(u32_at(&self.directory, at + 72));
        }
        entries
    }

    fn is_named(&self, entry: usize, name: &str) -> bool {
        const STREAM: u8 = 2;
        let length = u16_at(&self.directory, entry + 64).map(usize::from).unwrap_or_default();
        let written = length.checked_sub(2).and_then(|length| self.directory.get(entry..entry + length.min(64)));
        let is_same = |written: &[u8]| {
            let units: Vec<u16> = written.chunks_exact(2).filter_map(|unit| u16_at(unit, 0)).collect();
            String::from_utf16_lossy(&units).eq_ignore_ascii_case(name)
        };
        self.directory.get(entry + 66) == Some(&STREAM) && written.is_some_and(is_same)
    }

    fn content(&self, entry: usize) -> Option<Vec<u8>> {
        let start = u32_at(&self.directory, entry + 116)?;
        let mut length = u64_at(&self.directory, entry + 120)?;
        if self.shift == 9 {
            // Old writers left noise in the upper half.
            length &= u64::from(u32::MAX);
        }
        let length = usize::try_from(length).ok()?;
        let mut bytes = if (length as u64) < SMALL { self.small(start, length)? } else { self.chain(start)? };
        // The last sector of a file may be cut off.
        if bytes.len() + (1 << self.shift) < length {
            return None;
        }
        bytes.truncate(length);
        Some(bytes)
    }

    /// A stream that is kept in small sectors.
    fn small(&self, start: u32, length: usize) -> Option<Vec<u8>> {
        let all = self.chain(u32_at(&self.directory, 116)?)?;
        let next: Vec<u32> = numbers(&self.chain(u32_at(self.bytes, 60)?)?).collect();
        let (mut bytes, mut at) = (Vec::new(), start);
        while bytes.len() < length {
            let from = (at as usize).checked_shl(SMALL_SHIFT).filter(|from| *from < all.len())?;
            bytes.extend_from_slice(&all[from..all.len().min(from + (1 << SMALL_SHIFT))]);
            at = *next.get(at as usize)?;
        }
        Some(bytes)
    }

    /// The bytes of a chain of sectors.
    fn chain(&self, start: u32) -> Option<Vec<u8>> {
        let (mut bytes, mut at, mut count) = (Vec::new(), start, 0);
        while at < NO_SECTOR {
            count += 1;
            if count > self.sectors() {
                return None;
            }
            bytes.extend_from_slice(self.sector(at));
            at = *self.next.get(at as usize)?;
        }
        Some(bytes)
    }

    /// How many sectors the file has at most.
    fn sectors(&self) -> usize {
        (self.bytes.len() >> self.shift) + 1
    }

    /// A sector; as much of it as is there.
    fn sector(&self, number: u32) -> &'b [u8] {
        let size = 1_usize << self.shift;
        let from = (number as usize).saturating_add(1).saturating_mul(size).min(self.bytes.len());
        &self.bytes[from..self.bytes.len().min(from.saturating_add(size))]
    }

    /// The sectors of the table that says which sector follows which: some are listed in the first bytes of the file,
    /// the others in a chain of sectors whose last number is the next of the chain.
    fn sectors_of_table(&self) -> Option<Vec<u32>> {
        let most = self.sectors();
        let mut sectors: Vec<u32> =
            numbers(self.bytes.get(76..512)?).take_while(|sector| *sector < NO_SECTOR).collect();
        let mut at = u32_at(self.bytes, 68)?;
        let mut count = 0;
        while at < NO_SECTOR {
            count += 1;
            let listed: Vec<u32> = numbers(self.sector(at)).collect();
            let (next, listed) = listed.split_last()?;
            sectors.extend(listed.iter().filter(|sector| **sector < NO_SECTOR));
            if count > most || sectors.len() > most {
                return None;
            }
            at = *next;
        }
        (sectors.len() <= most).then_some(sectors)
    }
}

fn numbers(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.chunks_exact(4).filter_map(|number| u32_at(number, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const END: u32 = 0xffff_fffe;

    /// Sectors of 512 bytes: the table, the directory, the small sectors and their table, and the rest.
    fn file(next: &[u32], length: u32, start: u32) -> Vec<u8> {
        let mut file = vec![0_u8; 512 * 5];
        let mut put = |at: usize, numbers: &[u32]| {
            for (at, number) in (at..).step_by(4).zip(numbers) {
                file[at..at + 4].copy_from_slice(&number.to_le_bytes());
            }
        };
        put(28, &[9 << 16]);
        put(48, &[1]);
        put(60, &[3]);
        put(68, &[END, 0, 0, END]);
        put(512, next);
        // The main folder with its stream of small sectors, and one stream.
        let (folder, stream) = (1024, 1024 + ENTRY);
        put(folder + 76, &[1]);
        put(folder + 116, &[2, 512]);
        put(stream + 64, &[4 | 2 << 16, 0, NO_ENTRY]);
        put(stream, &[u32::from(b'a')]);
        put(stream + 116, &[start, length]);
        put(2048, &[3, END, END, 1]);
        file[1536..2048].iter_mut().enumerate().for_each(|(at, byte)| *byte = (at / 64) as u8);
        file.extend((0..9).flat_map(|at| [at + b'a'; 512]));
        file
    }

    const NEXT: [u32; 13] = [0xffff_fffd, END, END, END, 5, 6, 7, 8, 9, 10, 11, 12, END];

    fn stream(bytes: &[u8]) -> Option<Result<Vec<u8>, ()>> {
        Compound::open(bytes).and_then(|file| file.stream("A"))
    }

    #[test]
    fn streams_are_chains_of_sectors() {
        let small = stream(&file(&NEXT, 130, 0)).unwrap().unwrap();
        assert_eq!((small.len(), small[0], small[64], small[128]), (130, 0, 3, 1));
        let large = stream(&file(&NEXT, 4500, 4)).unwrap().unwrap();
        assert_eq!((large.len(), large[0], large[4499]), (4500, b'a', b'i'));
        let whole = file(&NEXT, 4600, 4);
        assert_eq!(stream(&whole[..whole.len() - 100]).unwrap().unwrap().len(), 4508, "the last sector may be cut off");
        assert!(Compound::open(&whole).unwrap().stream("b").is_none());
    }

    #[test]
    fn chains_that_do_not_end_are_damage() {
        let mut circle = NEXT;
        circle[8] = 4;
        assert_eq!(stream(&file(&circle, 4500, 4)), Some(Err(())));
        assert_eq!(stream(&file(&NEXT, 130, 2)), Some(Err(())), "too few small sectors");
        assert_eq!(stream(&file(&NEXT, 9999, 4)), Some(Err(())), "too few sectors");
        assert_eq!(stream(&file(&NEXT, 4500, 99)), Some(Err(())));
        let mut directory = NEXT;
        directory[1] = 1;
        assert!(stream(&file(&directory, 130, 0)).is_none());
        let mut table = file(&NEXT, 130, 0);
        table[68..72].copy_from_slice(&2_u32.to_le_bytes());
        assert!(stream(&table).is_none());
    }

    #[test]
    fn no_length_makes_it_panic() {
        let whole = file(&NEXT, 4500, 4);
        for end in 0..whole.len() {
            stream(&whole[..end]);
        }
    }
}
