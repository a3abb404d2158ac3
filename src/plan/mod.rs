//! The migration plan: which keys go where and when, in which batches, and what is to be done before and after.
//!
//! ```text
//! diagnosis ──► candidates ──► batches ──► destinations ──► windows ──► plan.json ──► everything else
//!               keys that may   stable,     capacity, type   the quietest  sealed       (tickets, runbook, calendar)  
//!               go, with load   ≤ N keys    and networks     free slots
//! ```

pub mod model;
pub mod work;
