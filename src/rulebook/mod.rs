//! Rulebooks: Markdown pages in, a compiled program and its words out.
//!
//! A [`card::Card`] is one documented statement; [`page`] splits a page into card, prose and
//! examples; [`compile`] turns names into bits; [`edition`] chooses the cards of an edition and gives
//! them a digest; [`lint`] demands what every card owes its reader; [`render`] prints; [`user`]
//! reads a folder of the user's own cards; [`scaffold`] starts a new page.

pub mod card;
pub mod compile;
pub mod domain;
pub mod edition;
pub mod lint;
pub mod page;
pub mod render;
pub mod scaffold;
pub mod user;

pub use domain::Domain;
pub use edition::Rulebook;
