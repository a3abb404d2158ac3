//! What a thread rendered lately, by what it was rendered from.

use std::hash::BuildHasher as _;

use foldhash::fast::FixedState;

use crate::diagnose::KeyOutcome;

/// So many texts are remembered.
const PLACES: usize = 4096;

/// The advisories that a thread rendered lately. Most keys share theirs with many others.
#[derive(Debug, Default)]
pub struct Memo(Vec<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    /// By what the advisories were found, if anything is remembered here.
    of: Option<(u32, u32)>,
    text: Vec<u8>,
}

impl Memo {
    /// The text for the key's advisories; `render` appends it if it is not remembered.
    pub fn get(&mut self, key: &KeyOutcome<'_>, render: impl FnOnce(&mut Vec<u8>)) -> &[u8] {
        if self.0.is_empty() {
            self.0.resize_with(PLACES, Remembered::default);
        }
        let wanted = key.advised();
        let known = &mut self.0[FixedState::default().hash_one(wanted) as usize % PLACES];
        if known.of != Some(wanted) {
            known.text.clear();
            render(&mut known.text);
            known.of = Some(wanted);
        }
        &known.text
    }
}
