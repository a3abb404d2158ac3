//! Tickets of a plan: one payload for each batch and consultation, in the form of a tracker.

pub mod payload;
pub mod submit;
