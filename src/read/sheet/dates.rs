//! Numbers that are shown as dates: by which formats, and what they mean.

use jiff::civil::{Date, DateTime, Time, date};
use jiff::{SignedDuration, Span};

/// From which day a workbook counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Epoch {
    /// 1900, with a leap day that never was: from March 1900 on, as if the day 0 were the 30th of December 1899.
    #[default]
    From1900,
    /// The first of January 1904 is the day 0.
    From1904,
}

impl Epoch {
    fn day_0(self) -> Date {
        match self {
            Epoch::From1900 => date(1899, 12, 30),
            Epoch::From1904 => date(1904, 1, 1),
        }
    }

    /// How many days a moment is behind the day 0.
    pub(super) fn days(self, moment: DateTime) -> f64 {
        moment.duration_since(self.day_0().to_datetime(Time::midnight())).as_secs_f64() / 86_400.0
    }

    /// A number of days as ISO 8601: a time below 1, a date if the time is midnight, or both. Nothing if it can hardly
    /// be meant: keys have no dates in the first two months of the calendar, but small numbers do get formatted as dates.
    pub(super) fn moment(self, days: f64) -> Option<String> {
        if !(0.0..1.0).contains(&days) && !(61.0..2_958_466.0).contains(&days) {
            return None;
        }
        // A time of day is a fraction that is never exact; nobody enters less than a millisecond.
        let milliseconds = (days * 86_400_000.0).round() as i64;
        let (whole, rest) = (milliseconds / 86_400_000, milliseconds % 86_400_000);
        let time = Time::midnight().checked_add(SignedDuration::from_millis(rest)).ok()?;
        if days < 1.0 {
            return Some(time.to_string());
        }
        let day = self.day_0().checked_add(Span::new().try_days(whole).ok()?).ok()?;
        Some(if rest == 0 { day.to_string() } else { day.to_datetime(time).to_string() })
    }
}

/// Whether a format that workbooks do not define, but know by its number, shows dates or times of day.
pub(super) fn is_known_date_format(number: u32) -> bool {
    // 46 is a span of time. 27 to 36 and 50 to 58 are dates in the scripts of East Asia.
    matches!(number, 14..=22 | 27..=36 | 45 | 47 | 50..=58)
}

/// Whether a format shows dates or times of day. A span of time, such as `[h]:mm`, is none.
pub(super) fn is_date_format(format: &str) -> bool {
    let mut chars = format.chars();
    let mut is_date = false;
    while let Some(c) = chars.next() {
        match c {
            // Positive numbers are shown by what stands before the first semicolon.
            ';' => break,
            // What follows is shown as it stands, as wide as it is, or repeated.
            '\\' | '_' | '*' => {
                chars.next();
            }
            '"' => while chars.next().is_some_and(|c| c != '"') {},
            '[' => {
                let inside: String = chars.by_ref().take_while(|c| *c != ']').collect();
                if !inside.is_empty() && inside.chars().all(|c| matches!(c, 'h' | 'H' | 'm' | 'M' | 's' | 'S')) {
                    return false;
                }
            }
            'd' | 'D' | 'm' | 'M' | 'y' | 'Y' | 'h' | 'H' | 's' | 'S' => is_date = true,
            _ => {}
        }
    }
    is_date
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_moments() {
        for (days, meant) in [
            (46112.0, Some("2026-03-31")),
            (46_112.524_259_259_256, Some("2026-03-31T12:34:56")),
            (46_112.999_999_999_9, Some("2026-04-01")),
            (2_958_465.999, Some("9999-12-31T23:58:33.6")),
            (46_112.5 + 0.123 / 86_400.0, Some("2026-03-31T12:00:00.123")),
            (61.0, Some("1900-03-01")),
            (2_958_465.0, Some("9999-12-31")),
            (0.0, Some("00:00:00")),
            (0.75, Some("18:00:00")),
            (3.0, None),
            (60.0, None),
            (-1.0, None),
            (2_958_466.0, None),
            (2_958_465.999_999_999_9, None),
            (f64::NAN, None),
            (f64::INFINITY, None),
        ] {
            assert_eq!(Epoch::From1900.moment(days).as_deref(), meant, "{days}");
        }
        assert_eq!(Epoch::From1904.moment(44650.0).as_deref(), Some("2026-03-31"));
        assert_eq!(Epoch::From1904.moment(2_958_465.0), None);
    }

    #[test]
    fn formats_of_dates_are_told_from_others() {
        for format in [
            "yyyy-mm-dd",
            "d/m/yy",
            "[$-409]h:mm AM/PM",
            "yyyy\"年\"m\"月\"d\"日\"",
            "mmm\\-yy",
            "hh:mm:ss;@",
            "[Red]m/d",
        ] {
            assert!(is_date_format(format), "{format}");
        }
        for format in [
            "General",
            "0",
            "#,##0.00",
            "@",
            "0.00E+00",
            "[h]:mm:ss",
            "[ss]",
            "0 \"days\"",
            "0\\d",
            "#_d",
            "*y0",
            "[Red]0",
            "0;d",
            "\"d",
            "[m",
            "[$€-407] #,##0",
            "",
        ] {
            assert!(!is_date_format(format), "{format}");
        }
        assert!(is_known_date_format(14) && is_known_date_format(57));
        assert!(!is_known_date_format(0) && !is_known_date_format(46) && !is_known_date_format(49));
    }
}
