//! How busy keys are by the hour of the week.

use crate::usage::hours::{peak, weeks};
use crate::usage::overlay::Told;
use crate::usage::time::{HOUR, WEEK, hour, hour_of_week};

/// Calls an hour in each hour of the week (UTC, 0 is Monday 00 to 01), on average of the weeks that logs reach over. Kept
/// as what is not nothing: most keys are used seldom.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Week {
    hours: Vec<(u8, f64)>,
}

impl Week {
    /// The calls of a key, by its id and its aliases.
    pub(super) fn of(told: &Told<'_>) -> Week {
        let mut all = [0.0; WEEK];
        for entry in &told.entries {
            let weeks = weeks(told.reach.coverage.as_ref(), entry.tally.span);
            for (hour, calls) in entry.tally.hours.iter() {
                all[usize::from(hour) % WEEK] += calls as f64 / weeks;
            }
        }
        Week { hours: (0..).zip(all).filter(|(_, calls)| *calls > 0.0).collect() }
    }

    /// The sum of several.
    pub(super) fn sum<'w>(weeks: impl Iterator<Item = &'w Week>) -> [f64; WEEK] {
        let mut all = [0.0; WEEK];
        for (hour, calls) in weeks.flat_map(|week| &week.hours) {
            all[usize::from(*hour) % WEEK] += calls;
        }
        all
    }
}

/// The calls to expect from one moment to another, in seconds since 1970.
pub(super) fn calls_between(week: &[f64; WEEK], start: i64, end: i64) -> f64 {
    let mut calls = 0.0;
    let mut at = start;
    while at < end {
        let next = ((hour(at) + 1) * HOUR).min(end);
        calls += week[usize::from(hour_of_week(hour(at))) % WEEK] * (next - at) as f64 / HOUR as f64;
        at = next;
    }
    calls
}

/// An estimate of the calls in the busiest second of the week.
pub(super) fn peak_per_second(week: &[f64; WEEK]) -> u64 {
    peak(week.iter().copied().fold(0.0, f64::max) / HOUR as f64)
}

/// The calls to expect in so many seconds, on average of the week.
pub(super) fn average(week: &[f64; WEEK], seconds: i64) -> f64 {
    week.iter().sum::<f64>() / WEEK as f64 * seconds as f64 / HOUR as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_counted_by_the_hours_that_a_slot_covers() {
        let mut week = [0.0; WEEK];
        // Monday, 00 to 01 and 01 to 02.
        (week[0], week[1], week[167]) = (60.0, 120.0, 30.0);
        let monday = 1_764_547_200; // 2025-12-01T00:00:00Z
        assert_eq!(calls_between(&week, monday, monday + HOUR), 60.0);
        assert_eq!(calls_between(&week, monday + 1800, monday + HOUR + 1800), 90.0);
        assert_eq!(calls_between(&week, monday - HOUR, monday + 2 * HOUR), 210.0);
        assert_eq!(average(&week, 2 * HOUR), 2.5);
    }
}
