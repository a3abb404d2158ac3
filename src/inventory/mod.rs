//! Rows to subjects: which key a record is about, what it says, and what several records say together.
//!
//! [`row`] is what readers hand over; [`intake`] turns rows into compact records, one worker at a time,
//! without allocation per row; [`store`] finds records of the same key; [`survey`] is the result: every
//! key with its joined facts, and an account of every record that went in.

pub mod identity;
pub mod intake;
pub mod row;
pub mod store;
pub mod survey;
