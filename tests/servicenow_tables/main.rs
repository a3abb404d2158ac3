//! The domains of ServiceNow against decision tables: every line of a table, combinations of several, and what is not
//! known.
//!
//! The tables beside this file are the expectation. What the program says is compared with them line by line; verdicts
//! that combine several tables, or hold for all completions of what is unknown, are computed here from the tables alone.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails says where")]

mod ekms_gates;
mod ekms_matrix;
mod ekms_product;
mod ekms_unknown;
mod exchange_rules;
mod exchange_unknown;
mod tables;
