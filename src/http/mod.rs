//! What every call over the network shares: addresses that are safe to send credentials to, secrets that are shown nowhere,
//! a client that follows and keeps nothing, and answers that have a longest length.
//!
//! Which API is called, and what its answers mean, is the matter of the rooms above.

pub mod address;
pub mod call;
pub mod secret;
#[cfg(test)]
pub(crate) mod server;

pub use address::Address;
pub use call::{Answer, Limits, NoAnswer};
pub use secret::{Secret, Secrets};
