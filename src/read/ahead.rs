//! Reading on a thread of its own, ahead of whoever takes what was read: inflating is about as much work as what is done with
//! what comes out.

use std::io::{Error, ErrorKind, Read};
use std::sync::mpsc::{Receiver, Sender, channel};

/// So many bytes are handed over at once. With less, the threads spend their time waking each other: with pieces of 1 MiB, all
/// takes 1.4 times as long.
const PIECE: usize = 4 << 20;

/// One piece is filled, one waits, and one is read; there are never more, so this bounds the memory, whatever is read.
const PIECES: usize = 3;

/// What was read, up to a failure if there was one.
struct Piece {
    bytes: Vec<u8>,
    /// How many of them were read; if that is not all, nothing follows.
    filled: usize,
    failure: Option<(ErrorKind, String)>,
}

/// Gives what another thread reads. A failure comes again as often as somebody asks for more.
pub(super) struct Ahead {
    full: Receiver<Piece>,
    /// Where pieces go to be filled.
    empty: Sender<Vec<u8>>,
    piece: Piece,
    /// How much of the piece was given.
    given: usize,
    /// Whether no piece follows.
    is_last: bool,
}

impl Ahead {
    /// Reads all of it, or until nobody takes it any more.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub(super) fn new(reader: impl Read + Send + 'static) -> std::io::Result<Ahead> {
        let (empty, to_fill) = channel();
        let (filled, full) = channel();
        std::thread::Builder::new().name("inflate".to_owned()).spawn(move || read_all(reader, to_fill, &filled))?;
        for _ in 0..PIECES {
            // Nobody is there any more only if reading has ended, and then what was read is still there.
            let _ = empty.send(Vec::new());
        }
        let nothing = Piece { bytes: Vec::new(), filled: 0, failure: None };
        Ok(Ahead { full, empty, piece: nothing, given: 0, is_last: false })
    }

    /// Takes the next piece, and gives back the one that was read.
    fn next(&mut self) {
        // A thread that ends without a word has read something that nobody knows.
        let ended = (ErrorKind::Other, "the thread that reads it has ended".to_owned());
        let next = self.full.recv().unwrap_or(Piece { bytes: Vec::new(), filled: 0, failure: Some(ended) });
        let read = std::mem::replace(&mut self.piece, next).bytes;
        if !read.is_empty() {
            let _ = self.empty.send(read);
        }
        self.given = 0;
        self.is_last = self.piece.filled < PIECE;
    }
}

impl Read for Ahead {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.given == self.piece.filled && !self.is_last && !buffer.is_empty() {
            self.next();
        }
        let rest = &self.piece.bytes[self.given..self.piece.filled];
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        self.given += length;
        match &self.piece.failure {
            Some((kind, message)) if length == 0 && !buffer.is_empty() => Err(Error::new(*kind, message.clone())),
            _ => Ok(length),
        }
    }
}

/// Fills pieces until nothing more can be read, or nobody takes them.
fn read_all(mut reader: impl Read, empty: Receiver<Vec<u8>>, full: &Sender<Piece>) {
    for mut bytes in empty {
        if bytes.is_empty() {
            bytes = vec![0; PIECE];
        }
        let (filled, failure) = fill(&mut reader, &mut bytes);
        let is_last = filled < PIECE;
        if full.send(Piece { bytes, filled, failure }).is_err() || is_last {
            return;
        }
    }
}

fn fill(reader: &mut impl Read, bytes: &mut [u8]) -> (usize, Option<(ErrorKind, String)>) {
    let mut filled = 0;
    while filled < bytes.len() {
        match reader.read(&mut bytes[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return (filled, Some((error.kind(), error.to_string()))),
        }
    }
    (filled, None)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails says where")]

    use std::sync::Arc;

    use super::*;

    /// So many bytes, and then a failure or the end.
    struct Bytes {
        left: usize,
        failure: Option<ErrorKind>,
        /// Gone when the reader is.
        _here: Arc<()>,
    }

    impl Read for Bytes {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let length = self.left.min(buffer.len()).min(1 << 20);
            for (at, byte) in buffer[..length].iter_mut().enumerate() {
                *byte = (self.left - at) as u8;
            }
            self.left -= length;
            match self.failure {
                Some(kind) if length == 0 => Err(Error::new(kind, "broken")),
                _ => Ok(length),
            }
        }
    }

    #[test]
    fn all_comes_in_order_and_so_does_the_failure() {
        for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, 5 * PIECE, 5 * PIECE + 7] {
            for failure in [None, Some(ErrorKind::InvalidData)] {
                let bytes = Bytes { left: length, failure, _here: Arc::default() };
                let mut ahead = Ahead::new(bytes).unwrap();
                let mut all = Vec::new();
                let ended = ahead.read_to_end(&mut all);
                assert_eq!(ended.as_ref().err().map(Error::kind), failure);
                assert_eq!(all.len(), length);
                assert!(all.iter().enumerate().all(|(at, byte)| *byte == (length - at) as u8));
                for _ in 0..3 {
                    let again = ahead.read(&mut [0; 9]);
                    assert_eq!(again.as_ref().err().map(Error::kind), failure);
                    assert!(again.map_or_else(|error| error.to_string() == "broken", |read| read == 0));
                }
            }
        }
    }

    #[test]
    fn the_thread_ends_when_nobody_reads_any_more() {
        for taken in [0, 1, PIECE + 1] {
            let here = Arc::new(());
            let bytes = Bytes { left: usize::MAX, failure: None, _here: Arc::clone(&here) };
            let mut ahead = Ahead::new(bytes).unwrap();
            ahead.read_exact(&mut vec![0; taken]).unwrap();
            drop(ahead);
            while Arc::strong_count(&here) > 1 {
                std::thread::yield_now();
            }
        }
    }
}
