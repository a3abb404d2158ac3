//! Times of events: seconds since 1970, their hours, and hours of the week.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};

/// Seconds of an hour.
pub const HOUR: i64 = 3600;

const DAY: i64 = 24 * HOUR;

const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// Hours of a week.
pub const WEEK: usize = 168;

/// When 2106 begins: times are kept in 32 bits, which end in that year.
const END: i64 = 4_291_747_200;

/// What is wrong with a time that is not read.
pub const NO_TIME: &str = "no time of the years 1970 to 2105; expected 2026-11-18T03:12:45Z";

/// The seconds of a time, `2026-11-18T03:12:45Z`, of the years 1970 to 2105.
pub fn seconds(time: &[u8]) -> Option<i64> {
    let other = || std::str::from_utf8(time).ok()?.trim().parse::<Timestamp>().ok().map(Timestamp::as_second);
    plain(time).or_else(other).filter(|seconds| (0..END).contains(seconds))
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

/// Reads the times of events, which stand nearly in order: the day is mostly that of the event before.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock {
    /// `2026-11-18T`, once there was one.
    day: [u8; 11],
    /// When it begins.
    start: i64,
}

impl Clock {
    /// The seconds of a time, as [`seconds`] has them.
    #[inline]
    pub fn seconds(&mut self, time: &[u8]) -> Option<i64> {
        if let Some((day, [h, hh, b':', m, mm, b':', s, ss, b'Z'])) = time.split_first_chunk::<11>()
            && *day == self.day
        {
            let digits = [h, hh, m, mm, s, ss].map(|byte| byte.wrapping_sub(b'0'));
            let [hours, minutes, seconds] = [0, 2, 4].map(|at| i64::from(digits[at]) * 10 + i64::from(digits[at + 1]));
            if digits.iter().all(|digit| *digit < 10) && hours < 24 && minutes < 60 && seconds < 60 {
                return Some(self.start + hours * HOUR + minutes * 60 + seconds);
            }
        }
        let seconds = seconds(time)?;
        if let (Some(plain), Some((day, _))) = (plain(time), time.split_first_chunk::<11>()) {
            (self.day, self.start) = (*day, plain.div_euclid(DAY) * DAY);
        }
        Some(seconds)
    }
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
    plainly(seconds).unwrap_or_else(|| Timestamp::from_second(seconds).map(|time| time.to_string()).unwrap_or_default())
}

/// The time, if its year has four digits.
fn plainly(seconds: i64) -> Option<String> {
    let (day, second) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    // Days are counted from 1 March of the year 0, in spans of 400 years; years begin with March, so that leap days come last.
    let day = day + 719_468;
    let (span, day) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year_of_span = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year_of_span + year_of_span / 4 - year_of_span / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = span * 400 + year_of_span + i64::from(month <= 2);
    if !(1..=9999).contains(&year) {
        return None;
    }
    let mut shown = *b"0000-00-00T00:00:00Z";
    let parts = [year / 100, year % 100, month, day, second / HOUR, second / 60 % 60, second % 60];
    for (number, at) in parts.into_iter().zip([0, 2, 5, 8, 11, 14, 17]) {
        shown[at] += (number / 10) as u8;
        shown[at + 1] += (number % 10) as u8;
    }
    std::str::from_utf8(&shown).ok().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn times_are_those_of_the_calendar(time in 0..4_102_444_800_i64, second in 0..DAY, old in -370_000_000_000..253_000_000_000_i64) {
            let shown = show(time);
            prop_assert_eq!(&shown, &Timestamp::from_second(time).unwrap().to_string());
            prop_assert_eq!(show(old), Timestamp::from_second(old).unwrap().to_string());
            prop_assert_eq!(seconds(shown.as_bytes()), Some(time));
            prop_assert_eq!(plain(shown.as_bytes()), Some(time));
            let mut clock = Clock::default();
            prop_assert_eq!(clock.seconds(shown.as_bytes()), Some(time));
            let later = time.div_euclid(DAY) * DAY + second;
            prop_assert_eq!(clock.seconds(show(later).as_bytes()), Some(later));
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
            "1969-12-31T23:59:59Z",
            "2106-01-01T00:00:00Z",
            "2106-01-01T07:59:59+07:59",
            "9999-12-31T23:59:59Z",
            "-009999-01-02T01:59:59Z",
        ] {
            assert_eq!(seconds(time.as_bytes()), None, "{time}");
        }
        assert_eq!(seconds(b"1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(seconds(b"2105-12-31T23:59:59Z"), Some(END - 1));
        assert_eq!(seconds(b"2106-01-01T07:59:59+08:00"), Some(END - 1));
        let mut clock = Clock::default();
        for time in [
            "9999-12-31T00:00:00Z",
            "9999-12-31T00:00:01Z",
            "2026-11-18T03:12:45Z",
            "2026-11-18T24:12:45Z",
            "2026-11-18T03:60:45Z",
            "2026-11-18T03:1/:45Z",
            "",
        ] {
            assert_eq!(clock.seconds(time.as_bytes()), seconds(time.as_bytes()), "{time}");
        }
    }
}
