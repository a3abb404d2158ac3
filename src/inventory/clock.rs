//! When keys rotate, and times and intervals as inventories write them.

use jiff::Timestamp;

use super::record::Extra;
use super::said::Clock;
use crate::domains::cell::Cell;
use crate::domains::cmk::fields::Field;
use crate::domains::cmk::observe::observe;
pub use crate::domains::cmk::periods::parse_interval;

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
    if !clock.next.is_empty() {
        let next = parse_time(clock.next).ok_or_else(|| (Field::NextRotation, expected_time()))?;
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
    let created = parse_time(clock.created).ok_or_else(|| (Field::Created, expected_time()))?;
    if let Ok(next) = created.checked_add(jiff::SignedDuration::from_secs(seconds)) {
        write(Extra::ComputedRotation, &next.to_string());
    }
    Ok(())
}

/// Whether the record says that the key will be rotated after a moment.
pub fn is_rotation_ahead(clock: &Clock<'_>, now: Timestamp) -> bool {
    !clock.next.is_empty() && parse_time(clock.next).is_some_and(|next| next > now)
}

fn expected_time() -> String {
    "not understood as a time; expected 2026-12-20T06:34:21Z or 2026-12-20 (UTC)".to_owned()
}

/// A time as inventories write it; a time without zone is taken as UTC, as in the API's replies. Years come first:
/// `2026-12-20T06:34:21Z`, `2026-12-20`, `2026/3/1 9:05`, `2026年3月1日`.
pub fn parse_time(text: &str) -> Option<Timestamp> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    let civil = text.replace('/', "-");
    let civil: jiff::civil::DateTime = civil.parse().ok().or_else(|| numbers_of_time(text))?;
    civil.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// A time whose numbers are not filled up with zeros.
fn numbers_of_time(text: &str) -> Option<jiff::civil::DateTime> {
    let separates = |c: char| matches!(c, '-' | '/' | '.' | ':' | ' ' | '年' | '月' | '日' | '时' | '分' | '秒' | 'T');
    let parts: Vec<i16> =
        text.trim().split(separates).filter(|part| !part.is_empty()).map(str::parse).collect::<Result<_, _>>().ok()?;
    let (date, time) = parts.split_at_checked(3)?;
    if time.len() > 3 || date[0] < 1900 {
        return None;
    }
    let part = |parts: &[i16], at: usize| parts.get(at).map_or(Some(0), |part| i8::try_from(*part).ok());
    let (month, day) = (part(date, 1)?, part(date, 2)?);
    jiff::civil::DateTime::new(date[0], month, day, part(time, 0)?, part(time, 1)?, part(time, 2)?, 0).ok()
}
