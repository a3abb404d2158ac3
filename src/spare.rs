//! Buffers that are used again, because memory that is touched for the first time is slow.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Larger buffers are not kept; in bytes.
const LARGEST: usize = 4 << 20;

/// Empty buffers of the past, for any thread.
#[derive(Debug, Clone, Default)]
pub struct Spare(Arc<Mutex<Vec<Vec<u8>>>>);

impl Spare {
    /// An empty buffer, with room if one was given back.
    pub fn take(&self) -> Vec<u8> {
        self.kept().pop().unwrap_or_default()
    }

    /// Gives a buffer back.
    pub fn give(&self, mut buffer: Vec<u8>) {
        if buffer.capacity() <= LARGEST {
            buffer.clear();
            self.kept().push(buffer);
        }
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
