//! `cmkdiag` tells which cloud encryption keys can be migrated, which cannot, why, and what is missing
//! to know it.
//!
//! ```text
//! read ──► inventory ──► facts ──► judge × cards ──► outcome ──► write
//! files,   records by    known or  │                 class, findings,
//! blocks,  key, joined;  unknown,  │                 conditions, gaps,
//! rows     places kept   graded    cards = one page  unlocks
//!                                  a statement                         └► plan ──► ticket
//! ```
//!
//! The rooms, from the top; each uses only rooms below it:
//!
//! | room | what it does |
//! | --- | --- |
//! | [`cli`] | arguments in, exit code out |
//! | [`ticket`] | a plan to tickets, in the form of each tracker, each sent exactly once |
//! | [`plan`] | keys that may go to batches, with destinations, windows and lists of work |
//! | [`write`] | outcomes to one format each |
//! | [`cases`] | few subjects, each told at length: pairs of instances, requests |
//! | [`diagnose`] | every key of a survey with its outcome |
//! | [`usage`] | audit logs to usage evidence: who called which operation with which key, and what is not known |
//! | [`read`] | files to rows; one file a format |
//! | [`alibaba`] | calls of Alibaba Cloud: credentials, signatures, APIs |
//! | [`servicenow`] | read-only Table API calls: properties and plugin rows of an instance |
//! | [`http`] | what every call shares: safe addresses, secrets that are shown nowhere, answers of limited length |
//! | [`inventory`] | rows to keys: merging, conflicts, duplicates, the account of every record |
//! | [`domains`] | what each question can know: facts, atoms, classes, pages |
//! | [`rulebook`] | pages to a compiled program, and its words |
//! | [`engine`] | facts and cards to a verdict that holds however the unknown turns out |
//! | [`bytes`] | a question to all bytes of a text |
//! | [`ordered`] | work on several threads, results in order |
//! | [`spare`] | buffers that are used again |
//!
//! [`write`]: mod@write

pub mod alibaba;
pub mod bytes;
pub mod cases;
pub mod cli;
pub mod diagnose;
pub mod domains;
pub mod engine;
pub mod http;
pub mod inventory;
pub mod ordered;
pub mod plan;
pub mod read;
pub mod rulebook;
pub mod servicenow;
pub mod spare;
pub mod ticket;
pub mod usage;
pub mod write;
