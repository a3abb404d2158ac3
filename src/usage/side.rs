//! What is not known of the keys of a call.

/// Why a call is attributed to no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The event names no key at all.
    All,
    /// One key of `ReEncrypt` is known, and not, or not for sure, the one under which it reads.
    Source,
    /// The key is known under which `ReEncrypt` reads, and not the one under which it writes.
    Destination,
    /// The alias is not known that is given to a key, or taken from one.
    Alias,
    /// The event names no key at all, and made one for imported material.
    Imported,
    /// The event names no key at all, and made one that rotates.
    Rotating,
}

impl Side {
    /// All of them.
    pub const ALL: [Side; 6] =
        [Side::All, Side::Source, Side::Destination, Side::Alias, Side::Imported, Side::Rotating];

    /// Whether the event names no key at all.
    pub fn names_none(self) -> bool {
        matches!(self, Side::All | Side::Imported | Side::Rotating)
    }

    /// The word for outputs.
    pub fn name(self) -> &'static str {
        match self {
            Side::All => "all",
            Side::Source => "source",
            Side::Destination => "destination",
            Side::Alias => "alias",
            Side::Imported => "imported",
            Side::Rotating => "rotating",
        }
    }
}
