//! When keys rotate, and times and intervals as inventories write them.

use jiff::Timestamp;
use jiff::civil::DateTime;

use super::record::Extra;
use super::said::Clock;
use crate::domains::cell::Cell;
use crate::domains::cmk::fields::Field;
use crate::domains::cmk::observe::observe;
pub use crate::domains::cmk::periods::parse_interval;
use crate::domains::spelling::plain;

/// Whether a key is known to have one version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SingleVersion {
    /// It has, and it is known how it rotates.
    Known,
    /// It may have several.
    Unknown,
}

/// Writes down when the next rotation is: as stated, or else creation plus interval for a key that has
/// one version, since its only version is the one that it was created with.
///
/// # Errors
/// The field that is not understood, and why.
pub fn rotation_extra(
    clock: &Clock<'_>,
    versions: SingleVersion,
    mut write: impl FnMut(Extra, &str),
) -> Result<(), (Field, String)> {
    if let Some(unclear) = clock.unclear {
        return Err((unclear.field, unclear.reason()));
    }
    if !clock.next.is_empty() {
        let next = only_time(clock.next).ok_or_else(|| (Field::NextRotation, expected_time()))?;
        write(Extra::NextRotation, &next.to_string());
        return Ok(());
    }
    if clock.interval.is_empty() || clock.created.is_empty() || versions == SingleVersion::Unknown {
        return Ok(());
    }
    let Some(seconds) = parse_interval(clock.interval) else {
        // The old console shows "Disable" (不开启) or "Customize" (自定义) where it has no period to show.
        if observe(Field::Rotation, Cell::Text(clock.interval)).is_ok() {
            return Ok(());
        }
        let reason = "not understood as an interval; expected days or seconds, such as 365d or 31536000s";
        return Err((Field::RotationInterval, reason.to_owned()));
    };
    let created = only_time(clock.created).ok_or_else(|| (Field::Created, expected_time()))?;
    if let Ok(next) = created.checked_add(jiff::SignedDuration::from_secs(seconds)) {
        write(Extra::ComputedRotation, &next.to_string());
    }
    Ok(())
}

/// Whether the record says that the key will be rotated after a moment.
pub fn is_rotation_ahead(clock: &Clock<'_>, now: Timestamp) -> bool {
    !clock.next.is_empty() && only_time(clock.next).is_some_and(|next| next > now)
}

fn expected_time() -> String {
    "not understood as a time; expected 2026-12-20T06:34:21Z or 2026-12-20 (UTC)".to_owned()
}

/// A time that says too little to be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unclear {
    /// Where it stands.
    pub field: Field,
    /// What is the matter with it.
    pub why: WhyUnclear,
}

/// Why a time cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhyUnclear {
    /// Nobody understands it.
    NoTime,
    /// Day and month may be either way round, and that matters.
    Order,
}

impl Unclear {
    fn reason(self) -> String {
        match self.why {
            WhyUnclear::NoTime => expected_time(),
            WhyUnclear::Order => {
                "day and month may be either way round, and which it is decides whether the key was rotated; expected 2026-12-20T06:34:21Z or 2026-12-20 (UTC)".to_owned()
            }
        }
    }
}

/// Which stands first, day or month, where the year is last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// `5/20/2021`.
    Month,
    /// `20/5/2021`.
    Day,
}

impl Order {
    /// Either.
    pub const BOTH: [Order; 2] = [Order::Month, Order::Day];
}

/// A time in which day and month stand in the given order if the year is last, as spreadsheets write it.
pub fn time_in(text: &str, order: Order) -> Option<Timestamp> {
    parse_time(text).or_else(|| utc(spreadsheet_time(text, order)?))
}

/// A time that is the same in whichever order day and month stand.
fn only_time(text: &str) -> Option<Timestamp> {
    match Order::BOTH.map(|order| time_in(text, order)) {
        [Some(one), Some(other)] if one != other => None,
        [one, other] => one.or(other),
    }
}

/// Whether a cell for the last rotation says that there was none. What follows from that is left to the dates.
pub fn is_never(text: &str) -> bool {
    const NEVER: [&str; 9] =
        ["never", "neverrotated", "notrotated", "notyet", "no", "否", "从未", "从未轮转", "未轮转"];
    NEVER.contains(&plain(text).replace("轮换", "轮转").as_str())
}

/// A time as inventories write it; a time without zone is taken as UTC, as in the API's replies. Years come first:
/// `2026-12-20T06:34:21Z`, `2026-12-20`, `2026/3/1 9:05`, `2026年3月1日`.
pub fn parse_time(text: &str) -> Option<Timestamp> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    let civil = text.replace('/', "-");
    let civil: DateTime = civil.parse().ok().or_else(|| numbers_of_time(text))?;
    utc(civil)
}

fn utc(civil: DateTime) -> Option<Timestamp> {
    civil.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// Longer texts are no times.
const LONGEST_TIME: usize = 48;

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// A time as spreadsheets show it: `5/20/2021 6:34 PM`, `20.05.2021`, `20-May-2021`. A year has four digits, for
/// nobody knows what `05/06/07` is.
fn spreadsheet_time(text: &str, order: Order) -> Option<DateTime> {
    if text.len() > LONGEST_TIME {
        return None;
    }
    let text = text.to_lowercase().replace("上午", " am ").replace("下午", " pm ");
    let text = text.replace("am", " am ").replace("pm", " pm ");
    let (mut numbers, mut month, mut afternoon) = (Vec::new(), None, None);
    let separates = |c: char| matches!(c, '-' | '/' | '.' | ':' | ',' | '年' | '月' | '日') || c.is_whitespace();
    for part in text.split(separates).filter(|part| !part.is_empty()) {
        match part {
            "utc" | "gmt" | "z" => {}
            "am" | "pm" if afternoon.is_none() => afternoon = Some(part == "pm"),
            _ if part.bytes().all(|byte| byte.is_ascii_digit()) => numbers.push(part.parse::<i16>().ok()?),
            _ => {
                let named = MONTHS.iter().position(|name| part == *name || is_month(part, name))?;
                month.replace(i16::try_from(named + 1).ok()?).is_none().then_some(())?;
            }
        }
    }
    let (year, month, day, time) = match (month, numbers.as_slice()) {
        (Some(month), [year @ 1900..=9999, day, time @ ..] | [day, year @ 1900..=9999, time @ ..]) => {
            (*year, month, *day, time)
        }
        (None, [year @ 1900..=9999, month, day, time @ ..]) => (*year, *month, *day, time),
        (None, [first, second, year @ 1900..=9999, time @ ..]) => match order {
            Order::Month => (*year, *first, *second, time),
            Order::Day => (*year, *second, *first, time),
        },
        _ => return None,
    };
    let part = |at: usize| time.get(at).copied().unwrap_or(0);
    let hour = match (part(0), afternoon) {
        (hour, None) => hour,
        (hour @ 1..=12, Some(afternoon)) => hour % 12 + if afternoon { 12 } else { 0 },
        _ => return None,
    };
    let small = |part: i16| i8::try_from(part).ok();
    if time.len() > 3 {
        return None;
    }
    DateTime::new(year, small(month)?, small(day)?, small(hour)?, small(part(1))?, small(part(2))?, 0).ok()
}

/// Whether a word is the full name of a month that begins with these letters.
fn is_month(word: &str, start: &str) -> bool {
    const FULL: [&str; 13] = [
        "january",
        "february",
        "march",
        "april",
        "june",
        "july",
        "august",
        "sept",
        "september",
        "october",
        "november",
        "december",
        "may",
    ];
    FULL.contains(&word) && word.starts_with(start)
}

/// A time whose numbers are not filled up with zeros.
fn numbers_of_time(text: &str) -> Option<DateTime> {
    let separates = |c: char| matches!(c, '-' | '/' | '.' | ':' | ' ' | '年' | '月' | '日' | '时' | '分' | '秒' | 'T');
    let parts: Vec<i16> =
        text.trim().split(separates).filter(|part| !part.is_empty()).map(str::parse).collect::<Result<_, _>>().ok()?;
    let (date, time) = parts.split_at_checked(3)?;
    if time.len() > 3 || date[0] < 1900 {
        return None;
    }
    let part = |parts: &[i16], at: usize| parts.get(at).map_or(Some(0), |part| i8::try_from(*part).ok());
    let (month, day) = (part(date, 1)?, part(date, 2)?);
    DateTime::new(date[0], month, day, part(time, 0)?, part(time, 1)?, part(time, 2)?, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_spreadsheets_are_read_in_the_given_order() {
        for (text, by_month, by_day) in [
            ("5/20/2021 6:34", "2021-05-20T06:34:00Z", ""),
            ("20/5/2021", "", "2021-05-20T00:00:00Z"),
            ("5/4/2021 6:34:07 PM", "2021-05-04T18:34:07Z", "2021-04-05T18:34:07Z"),
            ("05.04.2021 12:01am", "2021-05-04T00:01:00Z", "2021-04-05T00:01:00Z"),
            ("2021/5/4 6:34 PM", "2021-05-04T18:34:00Z", "2021-05-04T18:34:00Z"),
            ("2021年5月4日 下午6:34", "2021-05-04T18:34:00Z", "2021-05-04T18:34:00Z"),
            ("4-May-2021 UTC", "2021-05-04T00:00:00Z", "2021-05-04T00:00:00Z"),
            ("September 4, 2021 6:34", "2021-09-04T06:34:00Z", "2021-09-04T06:34:00Z"),
            ("2021-05-04T06:34:21Z", "2021-05-04T06:34:21Z", "2021-05-04T06:34:21Z"),
        ] {
            for (order, expected) in [(Order::Month, by_month), (Order::Day, by_day)] {
                let found = time_in(text, order).map(|time| time.to_string()).unwrap_or_default();
                assert_eq!(found, expected, "{text} {order:?}");
            }
        }
        for text in [
            "garbage",
            "########",
            "5/20/21",
            "",
            "44336.27",
            "13/13/2021",
            "5/20/2021 25:00",
            "5/20/2021 13:00 PM",
            "5/20/2021 1 2 3 4",
            "1621492461",
            "May May 2021",
            "5/20",
            "Mayhem 5 2021",
        ] {
            assert_eq!(Order::BOTH.map(|order| time_in(text, order)), [None, None], "{text}");
        }
        assert!(only_time("5/4/2021").is_none() && only_time("5/5/2021").is_some() && only_time("5/20/2021").is_some());
    }
}
