//! How long the fields of trackers may be. Nothing is ever cut: what is too long is split, or refused.

use std::fmt;

/// In what a tracker counts, or in what we count to be on the safe side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// UTF-16 code units: no fewer than characters, and what Java and JavaScript count.
    Characters,
    /// Bytes of UTF-8.
    Bytes,
}

/// How long a field is, and how long it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Measure {
    /// The name of the field in the tracker.
    pub(super) field: &'static str,
    /// Its length.
    pub(super) length: usize,
    /// What the tracker takes.
    pub(super) most: usize,
    /// In what both are counted.
    pub(super) unit: Unit,
}

impl Measure {
    /// A text counted in characters.
    pub(super) fn characters(field: &'static str, text: &str, most: usize) -> Measure {
        Measure { field, length: text.encode_utf16().count(), most, unit: Unit::Characters }
    }

    /// A text counted in bytes.
    pub(super) fn bytes(field: &'static str, text: &str, most: usize) -> Measure {
        Measure { field, length: text.len(), most, unit: Unit::Bytes }
    }

    /// Whether it is too long.
    pub(super) fn is_exceeded(&self) -> bool {
        self.length > self.most
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            Unit::Characters => "characters",
            Unit::Bytes => "bytes",
        };
        write!(f, "{} would have {} {unit}, and {} is the limit", self.field, self.length, self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_counted_in_the_unit_of_the_tracker() {
        assert_eq!(Measure::characters("title", "a密😀", 4).length, 4);
        assert_eq!(Measure::bytes("title", "a密😀", 4).length, 8);
        assert!(Measure::bytes("title", "abcde", 4).is_exceeded() && !Measure::bytes("title", "abcd", 4).is_exceeded());
        assert_eq!(Measure::bytes("title", "abcde", 4).to_string(), "title would have 5 bytes, and 4 is the limit");
    }
}
