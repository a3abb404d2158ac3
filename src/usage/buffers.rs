//! Buffers of blocks, which are used again: memory that is touched for the first time is slow, and so is to write zeros into it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::input::{BLOCK, WHOLE};

/// Buffers that nobody needs just now.
#[derive(Debug, Clone)]
pub struct Buffers {
    kept: Arc<Mutex<Vec<Vec<u8>>>>,
    /// Larger ones are not kept.
    largest: usize,
}

impl Default for Buffers {
    fn default() -> Buffers {
        Buffers { kept: Arc::default(), largest: 2 * BLOCK }
    }
}

impl Buffers {
    /// For a thread that reads files alone, one behind the other.
    pub fn of_files() -> Buffers {
        Buffers { largest: 2 * WHOLE, ..Buffers::default() }
    }

    /// A buffer of at least this length, with whatever stands in it.
    pub(super) fn take(&self, length: usize) -> Vec<u8> {
        let mut buffer = self.kept().pop().unwrap_or_default();
        buffer.resize(length.max(buffer.len()), 0);
        buffer
    }

    pub(super) fn give(&self, buffer: Vec<u8>) {
        if (1..=self.largest).contains(&buffer.capacity()) {
            self.kept().push(buffer);
        }
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
