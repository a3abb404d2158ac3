//! The migration plan: which keys go where and when, in which batches, and what is to be done before and after.
//!
//! ```text
//! diagnosis ──► candidates ──► batches ──► destinations ──► windows ──► plan.json ──► everything else
//!               keys that may   stable,     capacity, type   the quietest  sealed       (tickets, runbook, calendar)  
//!               go, with load   ≤ N keys    and networks     free slots
//! ```

mod assign;
mod batch;
pub mod calendar;
pub mod calendar_file;
mod candidate;
pub mod check;
mod grouping;
pub mod instance;
mod lists;
mod load;
pub mod make;
pub mod model;
mod purchase;
pub mod runbook;
mod schedule;
pub mod tables;
pub mod text;
pub mod work;
