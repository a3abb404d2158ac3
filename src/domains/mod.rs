//! What each question knows: its facts, atoms, classes, documents and pages.
//!
//! A domain is plain data plus `observe`, which turns what was read into facts. A new cloud is a new
//! folder here.

pub mod cell;
pub mod cmk;

/// Every domain.
pub static ALL: [&crate::rulebook::Domain; 1] = [&cmk::CMK];
