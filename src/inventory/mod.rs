//! Rows to subjects: which key a record is about, what it says, and what several records say together.
//!
//! [`row`] is what readers hand over, [`files`] what the parts of the input are called; [`intake`] turns rows into
//! compact records, one worker at a time, without allocation per row ([`mod@column`], [`dates`], [`footer`],
//! [`mentions`], [`recent`], [`refused`], [`remarks`], [`said`], [`record`], [`shared`], [`tidy`] are its parts);
//! [`store`] with [`same`] and [`scopes`] finds records of the same key ([`rounded`] is about accounts that look alike); [`joining`] joins what they say, [`doubts`]
//! and [`masked`] find keys of which nobody knows all; [`survey`] is the result: every key with its joined facts, and an
//! account of every record that went in, over which [`overlay`] lays what another source tells; [`rejects`] keeps those
//! that could not be used, [`notes`] what else is to be known.

pub mod batches;
pub mod clock;
pub mod column;
pub mod dates;
pub mod doubts;
pub mod files;
pub mod footer;
pub mod identity;
pub mod intake;
pub mod joining;
pub mod listings;
pub mod masked;
pub mod mentions;
pub mod notes;
pub mod overlay;
pub mod recent;
pub mod record;
pub mod refused;
pub mod rejects;
pub mod remarks;
pub mod rounded;
pub mod row;
pub mod said;
pub mod same;
pub mod scopes;
pub mod shared;
pub mod store;
pub mod survey;
pub mod tidy;
