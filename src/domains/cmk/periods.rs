//! The periods after which keys rotate, as inventories write them.

use crate::domains::spelling::plain;

const DAY: i64 = 86_400;

/// What people say instead of a number of days.
const NAMED: &[(&str, i64)] = &[
    ("weekly", 7),
    ("每周", 7),
    ("monthly", 30),
    ("每月", 30),
    ("quarterly", 90),
    ("每季", 90),
    ("每季度", 90),
    ("每半年", 180),
    ("半年", 180),
    ("yearly", 365),
    ("annually", 365),
    ("annual", 365),
    ("everyyear", 365),
    ("每年", 365),
    ("一年", 365),
];

/// An interval in seconds: `31536000s`, `365d`, `30 days`, `每90天`, `每年`, or a bare number of days (up to 730) or
/// seconds.
pub fn parse_interval(text: &str) -> Option<i64> {
    if text.trim_start().starts_with('-') {
        return None;
    }
    let word = plain(text);
    if let Some((_, days)) = NAMED.iter().find(|(name, _)| *name == word) {
        return Some(days * DAY);
    }
    let word = word.strip_prefix("every").or_else(|| word.strip_prefix('每')).unwrap_or(&word);
    let digits = word.len() - word.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = word.split_at_checked(digits)?;
    let number: i64 = number.parse().ok().filter(|number| *number > 0)?;
    let seconds = match unit {
        "s" | "sec" | "second" | "seconds" | "秒" => 1,
        "d" | "day" | "days" | "day(s)" | "天" | "日" => DAY,
        "w" | "week" | "weeks" | "周" => 7 * DAY,
        "month" | "months" | "个月" | "月" => 30 * DAY,
        "y" | "year" | "years" | "年" => 365 * DAY,
        "" if number <= 730 => DAY,
        "" => 1,
        _ => return None,
    };
    number.checked_mul(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_known_in_words_and_in_numbers() {
        for (text, days) in [
            ("365d", 365),
            ("30天", 30),
            ("30 天", 30),
            ("30 days", 30),
            ("90d", 90),
            ("31536000s", 365),
            ("31536000", 365),
            ("365", 365),
            ("每年", 365),
            ("每90天", 90),
            ("every 90 days", 90),
            ("1 year", 365),
            ("12个月", 360),
        ] {
            assert_eq!(parse_interval(text), Some(days * DAY), "{text}");
        }
        for text in
            ["0", "0d", "-1d", "30 apples", "", "days", "1.5d", "99999999999999999999d", "9999999999999999y", "每"]
        {
            assert_eq!(parse_interval(text), None, "{text}");
        }
    }
}
