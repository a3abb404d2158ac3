//! Facts and atoms of a domain, written down in one line each.

use std::borrow::Cow::Borrowed;

use crate::engine::facts::{Arity, AtomSpec, FactSpec, Presumption, Settle, StandsFor, Text};

/// The facts of a domain, by position in its list.
#[macro_export]
macro_rules! facts {
    ($($name:ident = $index:literal),* $(,)?) => {
        $(#[doc = concat!("Position of the fact `", stringify!($name), "`.")]
        pub const $name: $crate::engine::facts::FactId = $crate::engine::facts::FactId($index);)*
    };
}

/// A fact that has exactly one of the values.
pub const fn one(
    name: &'static str,
    label: Text,
    values: &'static [&'static str],
    presumption: Option<Presumption>,
    settle: Settle,
) -> FactSpec {
    FactSpec { name: Borrowed(name), label, values: Borrowed(values), arity: Arity::One, presumption, settle }
}

/// A fact that has any of the values together, or the value `none`.
pub const fn set(
    name: &'static str,
    label: Text,
    values: &'static [&'static str],
    presumption: Option<Presumption>,
    settle: Settle,
) -> FactSpec {
    let arity = Arity::Set { none: Some("none") };
    FactSpec { name: Borrowed(name), label, values: Borrowed(values), arity, presumption, settle }
}

/// A fact that has any of the values together, of which none is ever known to be absent.
pub const fn evidence(name: &'static str, label: Text, values: &'static [&'static str], settle: Settle) -> FactSpec {
    let arity = Arity::Set { none: None };
    FactSpec { name: Borrowed(name), label, values: Borrowed(values), arity, presumption: None, settle }
}

/// What is taken to hold of an unknown fact, and what must then be confirmed.
pub const fn presume(
    value: &'static str,
    stands_for: StandsFor,
    en: &'static str,
    zh: &'static str,
) -> Option<Presumption> {
    Some(Presumption { value, stands_for, confirm: Text::of(en, zh) })
}

/// Which columns carry a fact, which read-only command shows it, and where else to look.
pub const fn settle(columns: &'static str, command: &'static str, en: &'static str, zh: &'static str) -> Settle {
    Settle { columns: Borrowed(columns), command, hint: Text::of(en, zh), inference: Text::of("", "") }
}

/// The same for a fact that the domain sometimes infers, and from what.
pub const fn settle_inferred(
    columns: &'static str,
    command: &'static str,
    hint: (&'static str, &'static str),
    inference: (&'static str, &'static str),
) -> Settle {
    Settle {
        columns: Borrowed(columns),
        command,
        hint: Text::of(hint.0, hint.1),
        inference: Text::of(inference.0, inference.1),
    }
}

/// A statement about one fact.
pub const fn atom(
    name: &'static str,
    fact: &'static str,
    any_of: &'static [&'static str],
    doc: &'static str,
) -> AtomSpec {
    AtomSpec { name: Borrowed(name), doc: Borrowed(doc), fact: Borrowed(fact), any_of: Borrowed(any_of) }
}
