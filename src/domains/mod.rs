//! What each question knows: its facts, atoms, classes, documents and pages.
//!
//! A domain is plain data plus `observe`, which turns what was read into facts. A new cloud is a new
//! folder here.

pub mod cell;
pub mod cmk;
pub mod ekms;
pub mod exchange;
pub mod form;
pub mod spec;
pub mod spelling;

/// Every domain.
pub static ALL: [&crate::rulebook::Domain; 3] = [&cmk::CMK, &ekms::EKMS, &exchange::EXCHANGE];

/// How the records of a domain are read, for those with few subjects.
pub static FORMS: [&form::Form; 2] = [&ekms::fields::PAIRS, &exchange::fields::REQUESTS];

/// The form of a domain; nothing for the keys of clouds, which have an inventory.
pub fn form_of(domain: &crate::rulebook::Domain) -> Option<&'static form::Form> {
    FORMS.into_iter().find(|form| form.domain.name == domain.name)
}
