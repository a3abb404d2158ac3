//! Audit logs to usage evidence: which operations were called with which key, by whom, in which language, from where and
//! when; and what no key is known of.
//!
//! ```text
//! input ──► event ──► collect ──► result
//! blocks    fields    tallies     JSON Lines, mergeable
//! ```
//!
//! [`input`] cuts logs into blocks of whole events, in [`buffers`] that are used again, and [`take`] takes them out, both
//! along [`sequence`]; [`event`] reads the needed fields of one, over [`scan`], which steps over the rest, or [`shape`]
//! finds them where they stood in events before. [`collect`] counts on any number of threads, many events at once, into
//! tables that all share, of [`tally`], [`hours`] and [`coverage`], with the `side` that is not known; [`agent`] and [`network`] tell what made a call and
//! from which [`place`], `named` who, [`mod@time`] when. [`result`] says what was counted, in order, with the sum of the hashes of all
//! events (`stable`), and [`merge`] reads it again and puts it together. Of the few events that change a key or alias, [`changes`] says what.
//! [`evidence`] joins all with an inventory, where `aliases` may have moved: what calls tell ([`told`]), as facts ([`overlay`]), what
//! those may that name no key (`open`), which names are ids (`whole`), and what they leave open ([`doubt`]).

pub mod agent;
mod aliases;
mod attribution;
mod batch;
pub mod buffers;
mod cells;
pub mod changes;
pub mod collect;
pub mod coverage;
pub mod doubt;
pub mod event;
pub mod evidence;
mod field;
pub mod hours;
pub mod input;
mod known;
pub mod merge;
mod named;
pub mod network;
mod open;
pub mod overlay;
pub mod place;
pub mod result;
pub mod scan;
mod seen;
pub mod sequence;
pub mod shape;
mod side;
mod stable;
mod table;
pub mod take;
pub mod tally;
pub mod time;
pub mod told;
mod whole;
