//! Calls by the hour of the week, in as little room as they need.

use super::coverage::Coverage;
use super::tally::{Span, insert};
use super::time::WEEK;

/// Calls by the hour of the week in which they were made, in UTC. Most keys are used seldom, or in few of the 168.
#[derive(Debug, Clone)]
pub enum Hours {
    /// Of few hours: the hour in the upper 8 bits, the calls in the others; by hour.
    Few(Vec<u32>),
    /// Of all of them, few calls in each.
    Small(Box<[u8; WEEK]>),
    /// Of all of them.
    All(Box<[u64; WEEK]>),
}

impl Default for Hours {
    fn default() -> Hours {
        Hours::Few(Vec::new())
    }
}

impl Hours {
    const COUNT: u32 = (1 << 24) - 1;

    /// More hours take less room as a list of all.
    const FEW: usize = 40;

    /// Adds calls of one hour of the week.
    pub fn add(&mut self, hour: u8, calls: u64) {
        match self {
            Hours::All(all) => all[usize::from(hour)] += calls,
            Hours::Small(all) => match u8::try_from(u64::from(all[usize::from(hour)]).saturating_add(calls)) {
                Ok(sum) => all[usize::from(hour)] = sum,
                Err(_) => self.add_to_all(hour, calls),
            },
            Hours::Few(few) => match few.binary_search_by_key(&hour, |entry| (entry >> 24) as u8) {
                Ok(at) if u64::from(few[at] & Hours::COUNT).saturating_add(calls) <= u64::from(Hours::COUNT) => {
                    few[at] += calls as u32
                }
                Err(at) if calls <= u64::from(Hours::COUNT) && few.len() < Hours::FEW => {
                    insert(few, at, u32::from(hour) << 24 | calls as u32)
                }
                _ => self.add_to_all(hour, calls),
            },
        }
    }

    /// Adds calls for which there is no room, and makes some.
    fn add_to_all(&mut self, hour: u8, calls: u64) {
        let mut all = Box::new([0; WEEK]);
        self.iter().for_each(|(hour, calls)| all[usize::from(hour)] = calls);
        all[usize::from(hour)] += calls;
        let mut small = Box::new([0; WEEK]);
        let fit = small
            .iter_mut()
            .zip(all.iter())
            .all(|(small, calls)| u8::try_from(*calls).map(|calls| *small = calls).is_ok());
        *self = if fit { Hours::Small(small) } else { Hours::All(all) };
    }

    /// The hours in which there were calls, with how many.
    pub fn iter(&self) -> impl Iterator<Item = (u8, u64)> {
        let (few, small, all) = match self {
            Hours::Few(few) => (&few[..], &[][..], &[][..]),
            Hours::Small(small) => (&[][..], &small[..], &[][..]),
            Hours::All(all) => (&[][..], &[][..], &all[..]),
        };
        let few = few.iter().map(|entry| ((entry >> 24) as u8, u64::from(entry & Hours::COUNT)));
        let all = small.iter().map(|calls| u64::from(*calls)).chain(all.iter().copied());
        few.chain((0..).zip(all).filter(|(_, calls)| *calls > 0))
    }

    /// Adds others.
    pub fn merge(&mut self, other: &Hours) {
        other.iter().for_each(|(hour, calls)| self.add(hour, calls));
    }
}

/// Hours of a week, as often as there were weeks: what a busiest hour is divided by.
pub fn weeks(coverage: Option<&Coverage>, span: Span) -> f64 {
    const SECONDS_OF_WEEK: f64 = 7.0 * 86_400.0;
    let whole = coverage.and_then(|coverage| coverage.span).unwrap_or(span);
    (((whole.last - whole.first) as f64) / SECONDS_OF_WEEK).max(1.0)
}

/// How many calls a busiest second of an hour with so many on average may have, if they come independently of each other:
/// three standard deviations above the average of Poisson's distribution, which about three seconds of an hour exceed.
pub fn peak(per_second: f64) -> u64 {
    if per_second > 0.0 { (per_second + 3.0 * per_second.sqrt()).ceil() as u64 } else { 0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn hours_are_counted_whatever_the_order(calls in proptest::collection::vec((0..168_u8, 1..20_000_000_u64), 0..60), at in 0..60_usize) {
            let mut all = [0_u64; WEEK];
            calls.iter().for_each(|(hour, calls)| all[usize::from(*hour)] += calls);
            let sum = |calls: &[(u8, u64)]| {
                let mut hours = Hours::default();
                calls.iter().for_each(|(hour, calls)| hours.add(*hour, *calls));
                hours
            };
            let (one, other) = calls.split_at(at.min(calls.len()));
            let mut merged = sum(other);
            merged.merge(&sum(one));
            let expected: Vec<(u8, u64)> = (0..).zip(all).filter(|(_, calls)| *calls > 0).collect();
            prop_assert_eq!(merged.iter().collect::<Vec<_>>(), expected.clone());
            prop_assert_eq!(sum(&calls).iter().collect::<Vec<_>>(), expected);
        }
    }
}
