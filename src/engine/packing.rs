//! The stated values of all facts in two words, so that what records state is compared and counted at once.

use super::facts::{Bits, FactId, FactSet, FactSpec, Facts, Grade, members};

/// The stated values of all facts in two words, by a [`Packing`]; unknown facts have no bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Packed([u64; 2]);

/// The last bit says that the facts were read from the system itself.
const MEASURED: u64 = 1 << 63;

/// So many bits are left for values.
const VALUE_BITS: u32 = 2 * u64::BITS - 1;

impl Packed {
    /// The facts of both, graded as these are.
    #[must_use]
    pub fn and(self, other: Packed) -> Packed {
        Packed([self.0[0] & other.0[0], self.0[1] & (other.0[1] | MEASURED)])
    }

    /// The same facts, read from the system itself.
    #[must_use]
    pub fn measured(self) -> Packed {
        Packed([self.0[0], self.0[1] | MEASURED])
    }

    /// The facts that are not in the other.
    #[must_use]
    pub fn without(self, other: Packed) -> Packed {
        Packed([self.0[0] & !other.0[0], self.0[1] & !other.0[1]])
    }
}

/// Where each fact's values stand, so that what a record states can be compared at once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Packing {
    slots: Vec<Slot>,
}

/// Where the values of one fact stand; never in both words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Slot {
    word: u8,
    shift: u8,
    mask: Bits,
}

impl Slot {
    /// The values that stand here.
    #[inline]
    pub fn get(self, packed: Packed) -> Bits {
        let upper = self.upper();
        ((packed.0[0] & !upper | packed.0[1] & upper) >> self.shift) as Bits & self.mask
    }

    /// All bits if the values stand in the second word. Words are chosen by masks: chosen by position, they would
    /// have to stand in memory, and to pass through it for every cell.
    #[inline]
    fn upper(self) -> u64 {
        u64::from(self.word).wrapping_neg()
    }

    /// Whether nothing else stands here than these values, or nothing at all on one side.
    #[inline]
    pub fn agrees(self, packed: Packed, values: Bits) -> bool {
        let before = self.get(packed);
        before == 0 || values == 0 || before == values
    }

    /// The facts with further values.
    #[inline]
    #[must_use]
    pub fn with(self, mut packed: Packed, values: Bits) -> Packed {
        let (values, upper) = (u64::from(values) << self.shift, self.upper());
        packed.0[0] |= values & !upper;
        packed.0[1] |= values & upper;
        packed
    }
}

impl Packing {
    /// The packing of the given facts.
    ///
    /// # Errors
    /// The facts have more values than fit into two words: how many bits they take.
    pub fn new(specs: &[FactSpec]) -> Result<Packing, u32> {
        let mut packing = Packing::default();
        let mut used = 0;
        for spec in specs {
            let bits = spec.values.len() as u32;
            if used % u64::BITS + bits > u64::BITS {
                used = used.next_multiple_of(u64::BITS);
            }
            packing.slots.push(Slot {
                word: (used / u64::BITS) as u8,
                shift: (used % u64::BITS) as u8,
                mask: spec.all(),
            });
            used += bits;
        }
        if used > VALUE_BITS { Err(used) } else { Ok(packing) }
    }

    /// The values of a fact.
    pub fn get(&self, packed: Packed, fact: FactId) -> Bits {
        self.slot(fact).get(packed)
    }

    /// Where a fact stands.
    pub fn slot(&self, fact: FactId) -> Slot {
        self.slots[fact.index()]
    }

    /// The facts with further values of one.
    #[must_use]
    pub fn with(&self, packed: Packed, fact: FactId, values: Bits) -> Packed {
        self.slot(fact).with(packed, values)
    }

    /// All values of the given facts.
    pub fn mask(&self, facts: FactSet) -> Packed {
        members(facts).fold(Packed::default(), |mask, fact| self.with(mask, fact, self.slot(fact).mask))
    }

    /// The facts, each stated or each measured.
    pub fn unpack(&self, packed: Packed) -> Facts {
        let grade = if packed.0[1] & MEASURED == 0 { Grade::Stated } else { Grade::Measured };
        let mut facts = Facts::unknown();
        for index in 0..self.slots.len() {
            let fact = FactId(index as u8);
            facts.set(fact, self.get(packed, fact), grade);
        }
        facts
    }
}
