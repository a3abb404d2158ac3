//! Times of events: seconds since 1970, their hours, and hours of the week.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};

/// Seconds of an hour.
pub const HOUR: i64 = 3600;

const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// Hours of a week.
pub const WEEK: usize = 168;

/// The seconds of a time, `2026-11-18T03:12:45Z`.
pub fn seconds(time: &[u8]) -> Option<i64> {
    plain(time).or_else(|| std::str::from_utf8(time).ok()?.trim().parse::<Timestamp>().ok().map(Timestamp::as_second))
}

/// The time as ActionTrail writes it, without fractions and in UTC.
fn plain(time: &[u8]) -> Option<i64> {
    let time: &[u8; 20] = time.try_into().ok()?;
    let digit = |at: usize| time[at].wrapping_sub(b'0');
    let two = |at: usize| {
        let (tens, ones) = (digit(at), digit(at + 1));
        (tens < 10 && ones < 10).then(|| i8::try_from(tens * 10 + ones).ok()).flatten()
    };
    let is_written_so = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'Z')];
    if is_written_so.iter().any(|(at, byte)| time[*at] != *byte) {
        return None;
    }
    let year = i16::from(two(0)?) * 100 + i16::from(two(2)?);
    let date = Date::new(year, two(5)?, two(8)?).ok()?;
    let time = Time::new(two(11)?, two(14)?, two(17)?, 0).ok()?;
    Some(date.to_datetime(time).duration_since(EPOCH).as_secs())
}

/// The hour since 1970.
pub fn hour(seconds: i64) -> i64 {
    seconds.div_euclid(HOUR)
}

/// The hour of the week, in UTC: Monday, 00 to 01, is 0.
pub fn hour_of_week(hour: i64) -> u8 {
    // 1 January 1970 was a Thursday.
    (hour + 72).rem_euclid(WEEK as i64) as u8
}

/// The time of an event, as ActionTrail writes it.
pub fn show(seconds: i64) -> String {
    Timestamp::from_second(seconds).map(|time| time.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn times_are_those_of_the_calendar(time in 0..4_102_444_800_i64) {
            let shown = show(time);
            prop_assert_eq!(seconds(shown.as_bytes()), Some(time));
            prop_assert_eq!(plain(shown.as_bytes()), Some(time));
            let zoned = Timestamp::from_second(time).unwrap().to_zoned(jiff::tz::TimeZone::UTC);
            let weekday = i64::from(zoned.weekday().to_monday_zero_offset());
            prop_assert_eq!(i64::from(hour_of_week(hour(time))), weekday * 24 + i64::from(zoned.hour()));
        }
    }

    #[test]
    fn other_spellings_of_times_are_read_and_others_refused() {
        assert_eq!(seconds(b"2026-11-18T11:12:45+08:00"), seconds(b"2026-11-18T03:12:45Z"));
        assert_eq!(seconds(b"2026-11-18T03:12:45.123Z"), seconds(b"2026-11-18T03:12:45Z"));
        for time in [
            "",
            "yesterday",
            "2026-13-18T03:12:45Z",
            "2026-02-30T03:12:45Z",
            "2026-11-18 03:12:45",
            "2026-11-18T24:12:45Z",
            "1621492461",
        ] {
            assert_eq!(seconds(time.as_bytes()), None, "{time}");
        }
    }
}
