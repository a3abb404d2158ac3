//! The window of a batch as moments, and as clocks show it.

use jiff::civil::{Date, DateTime};
use jiff::fmt::temporal::Pieces;
use jiff::{Timestamp, ToSpan as _};

use crate::plan::model::Window;

/// A window that begins before it ends, and whose local times are the same moments.
#[derive(Debug, Clone)]
pub(super) struct Times {
    /// Its begin.
    pub(super) start: Timestamp,
    /// Its end.
    pub(super) end: Timestamp,
    /// Its begin as local clocks show it, with the difference from UTC, such as `2026-12-06 02:00 +08:00`.
    pub(super) local_start: String,
    /// Its end, likewise.
    pub(super) local_end: String,
    /// The last local day of it: the one before, if it ends at midnight.
    pub(super) last_day: Date,
}

impl Times {
    /// Reads a window.
    ///
    /// # Errors
    /// What is wrong with it, as a clause.
    pub(super) fn of(window: &Window) -> Result<Times, String> {
        let moment = |text: &str| {
            text.parse::<Timestamp>().map_err(|_| format!("the window has `{text}`, which is no time with its zone"))
        };
        let (start, end) = (moment(&window.start)?, moment(&window.end)?);
        if end <= start {
            return Err("the window ends before it begins".to_owned());
        }
        if moment(&window.local_start)? != start || moment(&window.local_end)? != end {
            return Err("the local times of the window are not those in UTC".to_owned());
        }
        let (local_start, _) = on_clocks(&window.local_start)?;
        let (local_end, last) = on_clocks(&window.local_end)?;
        let last_day = last.saturating_sub(1.nanosecond()).date();
        Ok(Times { start, end, local_start, local_end, last_day })
    }
}

/// A time as clocks show it, with and without the difference from UTC.
fn on_clocks(text: &str) -> Result<(String, DateTime), String> {
    let unclear = || format!("the window has `{text}`, which is no local time");
    let pieces = Pieces::parse(text).map_err(|_| unclear())?;
    let (date, time) = (pieces.date(), pieces.time().ok_or_else(unclear)?);
    let seconds = pieces.to_numeric_offset().map_or(0, jiff::tz::Offset::seconds);
    let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.unsigned_abs() / 60);
    let clock = format!("{date} {:02}:{:02} {sign}{:02}:{:02}", time.hour(), time.minute(), minutes / 60, minutes % 60);
    Ok((clock, date.to_datetime(time)))
}

/// A moment in UTC, such as `2026-12-05T18:00:00Z`.
pub(super) fn utc(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A moment in UTC as ServiceNow and Request Tracker take it, such as `2026-12-05 18:00:00`.
pub(super) fn utc_spaced(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::model::Basis;

    fn window(start: &str, end: &str, local_start: &str, local_end: &str) -> Window {
        let [start, end, local_start, local_end] = [start, end, local_start, local_end].map(str::to_owned);
        Window { start, end, local_start, local_end, basis: Basis::Calendar }
    }

    #[test]
    fn clocks_are_shown_with_their_difference_from_utc_also_when_they_are_put_back() {
        let window = window(
            "2026-10-25T00:30:00Z",
            "2026-10-25T02:30:00Z",
            "2026-10-25T02:30:00+02:00",
            "2026-10-25T03:30:00+01:00",
        );
        let times = Times::of(&window).unwrap();
        assert_eq!(times.local_start, "2026-10-25 02:30 +02:00");
        assert_eq!(times.local_end, "2026-10-25 03:30 +01:00");
        assert_eq!(
            (utc(times.start), utc_spaced(times.end)),
            ("2026-10-25T00:30:00Z".into(), "2026-10-25 02:30:00".into())
        );
        assert_eq!(times.last_day.to_string(), "2026-10-25");
    }

    #[test]
    fn a_window_that_ends_at_midnight_is_of_the_day_before() {
        let local = "2026-12-06T00:00:00+08:00";
        let window = window("2026-12-05T14:00:00Z", "2026-12-05T16:00:00Z", "2026-12-05T22:00:00+08:00", local);
        assert_eq!(Times::of(&window).unwrap().last_day.to_string(), "2026-12-05");
    }

    #[test]
    fn a_window_that_contradicts_itself_is_none() {
        let good =
            ["2026-12-05T18:00:00Z", "2026-12-05T20:00:00Z", "2026-12-05T13:30:00-04:30", "2026-12-05T20:00:00Z"];
        let with = |at: usize, text: &str| {
            let mut all = good;
            all[at] = text;
            Times::of(&window(all[0], all[1], all[2], all[3]))
        };
        assert_eq!(with(0, good[0]).unwrap().local_start, "2026-12-05 13:30 -04:30");
        for (at, text, why) in [
            (0, "2026-12-05T21:00:00Z", "ends before it begins"),
            (1, "2026-12-05T18:00:00Z", "ends before it begins"),
            (2, "2026-12-05T18:00:00+08:00", "not those in UTC"),
            (3, "2026-12-05T20:00:00", "no time with its zone"),
            (0, "", "no time with its zone"),
        ] {
            assert!(with(at, text).unwrap_err().contains(why), "{text}");
        }
    }
}
