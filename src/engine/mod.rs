//! Judgement, ignorant of clouds and formats: facts in, outcome out.
//!
//! What may be known is listed by [`facts::FactSpec`]s, what may be said about a fact by
//! [`facts::AtomSpec`]s. A [`judge::Program`] holds the compiled cards of one edition;
//! [`judge::Program::standing`] asks one card, [`decide::Decider`] gives the verdict that holds
//! however the unknown facts turn out. Nothing here reads input, prints or knows a vendor.

pub mod decide;
pub mod facts;
pub mod judge;
pub mod outcome;
pub mod packing;
