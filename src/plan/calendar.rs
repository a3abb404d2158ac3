//! When keys may be migrated: days and hours on the clocks of a place, and times in which nothing may change.

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::Deserialize;

/// Seconds since 1970, from the first moment to the one behind the last.
pub(super) type Span = (i64, i64);

/// When keys may be migrated, as a file of TOML says it.
#[derive(Debug, Clone)]
pub struct Calendar {
    /// The clocks by which days and hours are meant.
    pub zone: TimeZone,
    /// Its IANA name.
    pub zone_name: String,
    /// No window begins before.
    pub earliest: Option<Timestamp>,
    /// No window ends after.
    pub latest: Option<Timestamp>,
    allowed: Vec<Allowed>,
    freezes: Vec<Span>,
}

/// Hours of some weekdays.
#[derive(Debug, Clone)]
struct Allowed {
    /// The days on which they begin.
    days: Vec<Weekday>,
    from: Time,
    to: Time,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    time_zone: String,
    earliest: Option<String>,
    latest: Option<String>,
    #[serde(default)]
    allowed: Vec<AllowedHours>,
    #[serde(default)]
    freeze: Vec<Freeze>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AllowedHours {
    #[serde(default)]
    days: Vec<String>,
    #[serde(default)]
    from: Option<String>,
    #[serde(default)]
    to: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Freeze {
    from: String,
    to: String,
    #[serde(default)]
    #[expect(dead_code, reason = "it is written for those who read the file")]
    why: Option<String>,
}

const DAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];

impl Calendar {
    /// Without a file: at any time, on the clocks of UTC.
    pub fn always() -> Calendar {
        let zone_name = "UTC".to_owned();
        Calendar {
            zone: TimeZone::UTC,
            zone_name,
            earliest: None,
            latest: None,
            allowed: Vec::new(),
            freezes: Vec::new(),
        }
    }

    /// Reads a file of TOML.
    ///
    /// # Errors
    /// It is none, or says something that is not understood; the message names the place, and what was expected.
    pub fn read(name: &str, text: &str) -> Result<Calendar, String> {
        let text = text.trim_start_matches('\u{feff}');
        let file: File = toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let message = error.message().replace('\n', "; ");
            format!("{name}, line {line}: {message}; dates and times stand in quotes, such as \"2026-12-24\"")
        })?;
        Calendar::of(file).map_err(|error| format!("{name}: {error}"))
    }

    fn of(file: File) -> Result<Calendar, String> {
        let zone = TimeZone::get(&file.time_zone).ok().filter(|zone| !zone.is_unknown()).ok_or_else(|| {
            format!("time_zone is `{}`; expected a name of the IANA database, such as Asia/Shanghai", file.time_zone)
        })?;
        let moment = |name: &str, text: Option<&String>, is_end: bool| match text {
            None => Ok(None),
            Some(text) => {
                instant(text, &zone, is_end, is_end).map(Some).map_err(|error| format!("{name} is `{text}`; {error}"))
            }
        };
        let earliest = moment("earliest", file.earliest.as_ref(), false)?;
        let latest = moment("latest", file.latest.as_ref(), true)?;
        if let (Some(earliest), Some(latest)) = (earliest, latest)
            && latest <= earliest
        {
            return Err("latest is not behind earliest".to_owned());
        }
        let allowed = file.allowed.iter().map(Allowed::of).collect::<Result<_, _>>()?;
        let freezes = file.freeze.iter().map(|freeze| frozen(freeze, &zone)).collect::<Result<_, _>>()?;
        Ok(Calendar { zone, zone_name: file.time_zone, earliest, latest, allowed, freezes })
    }

    /// The times in which windows may lie, from one moment to another, in order and apart from each other.
    pub(super) fn open(&self, from: i64, to: i64) -> Vec<Span> {
        let from = self.earliest.map_or(from, |earliest| from.max(earliest.as_second()));
        let to = self.latest.map_or(to, |latest| to.min(latest.as_second()));
        if from >= to {
            return Vec::new();
        }
        let open = if self.allowed.is_empty() { vec![(from, to)] } else { self.allowed_between(from, to) };
        without(&joined(open), &joined(self.freezes.clone()))
    }

    fn allowed_between(&self, from: i64, to: i64) -> Vec<Span> {
        let date = |second: i64| Timestamp::from_second(second).ok().map(|time| self.zone.to_datetime(time).date());
        let (Some(mut day), Some(last)) = (date(from).and_then(|day| day.yesterday().ok()), date(to)) else {
            return Vec::new();
        };
        let mut open = Vec::new();
        while day <= last {
            for allowed in self.allowed.iter().filter(|allowed| allowed.days.contains(&day.weekday())) {
                let end_day = if allowed.to > allowed.from { Some(day) } else { day.tomorrow().ok() };
                // Of times that clocks leave out or show twice, those count that are surely allowed.
                let span = end_day.and_then(|end_day| {
                    let start = self.zone.to_ambiguous_timestamp(day.to_datetime(allowed.from)).later().ok()?;
                    let end = self.zone.to_ambiguous_timestamp(end_day.to_datetime(allowed.to)).earlier().ok()?;
                    Some((start.as_second(), end.as_second()))
                });
                let clamped = span.map(|(start, end)| (start.max(from), end.min(to)));
                open.extend(clamped.filter(|(start, end)| start < end));
            }
            match day.tomorrow() {
                Ok(next) => day = next,
                Err(_) => break,
            }
        }
        open
    }
}

impl Allowed {
    fn of(hours: &AllowedHours) -> Result<Allowed, String> {
        let day = |text: &String| {
            let text_of_day = text.trim().to_lowercase();
            let is_day = |name: &str| text_of_day == name || text_of_day == name[..3];
            let found = DAYS.iter().find(|(name, _)| is_day(name)).map(|(_, day)| *day);
            found.ok_or_else(|| format!("days has `{text}`; expected Mon, Tue, Wed, Thu, Fri, Sat or Sun"))
        };
        let days: Vec<Weekday> = match hours.days.is_empty() {
            true => DAYS.iter().map(|(_, day)| *day).collect(),
            false => hours.days.iter().map(day).collect::<Result<_, _>>()?,
        };
        let time = |name: &str, text: Option<&String>| match text.map(|text| text.trim()) {
            None => Ok(Time::midnight()),
            // The end of the day; whoever begins there means the next one.
            Some("24:00") if name == "to" => Ok(Time::midnight()),
            Some(text) => {
                let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
                let time = text.parse::<Time>().ok().filter(|_| is_plain);
                time.ok_or_else(|| format!("{name} is `{text}`; expected a time on clocks of time_zone, such as 22:00"))
            }
        };
        Ok(Allowed { days, from: time("from", hours.from.as_ref())?, to: time("to", hours.to.as_ref())? })
    }
}

/// A date or time, on clocks of the zone unless it has a zone of its own. A date that ends something is meant with its last
/// hour.
/// Of a time that clocks leave out or show twice, `is_first` says which one counts.
fn instant(text: &str, zone: &TimeZone, is_end: bool, is_first: bool) -> Result<Timestamp, String> {
    let is_plain = !text.contains('[');
    if let Some(moment) = text.trim().parse::<Timestamp>().ok().filter(|_| is_plain) {
        return Ok(moment);
    }
    let shown = zone.to_ambiguous_timestamp(civil(text, is_end)?);
    let found = if is_first { shown.earlier() } else { shown.later() };
    found.map_err(|error| error.to_string())
}

fn civil(text: &str, is_end: bool) -> Result<DateTime, String> {
    let expected = || "expected a date or time, such as 2026-12-24 or 2026-12-24T18:00".to_owned();
    if let Ok(date) = text.trim().parse::<Date>()
        && !text.trim().contains([':', 'T', 't', ' '])
    {
        let date = if is_end { date.checked_add(1.day()).map_err(|_| expected())? } else { date };
        return Ok(date.to_datetime(Time::midnight()));
    }
    // A zone in brackets would be left out silently.
    let is_plain = !text.contains('[');
    text.trim().parse::<DateTime>().ok().filter(|_| is_plain).ok_or_else(expected)
}

fn frozen(freeze: &Freeze, zone: &TimeZone) -> Result<Span, String> {
    let first = instant(&freeze.from, zone, false, true);
    let first = first.map_err(|error| format!("freeze.from is `{}`; {error}", freeze.from))?;
    let end = instant(&freeze.to, zone, true, false);
    let end = end.map_err(|error| format!("freeze.to is `{}`; {error}", freeze.to))?;
    if end <= first {
        return Err(format!("the freeze from {} ends before it begins, on {}", freeze.from, freeze.to));
    }
    Ok((first.as_second(), end.as_second()))
}

/// The same times, in order, those that touch as one.
fn joined(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable();
    let mut all: Vec<Span> = Vec::new();
    for (start, end) in spans {
        match all.last_mut() {
            Some(last) if last.1 >= start => last.1 = last.1.max(end),
            _ => all.push((start, end)),
        }
    }
    all
}

/// Times without others; both in order.
pub(super) fn without(spans: &[Span], others: &[Span]) -> Vec<Span> {
    let mut rest = Vec::new();
    for (start, end) in spans {
        let mut at = *start;
        for (first, last) in others.iter().filter(|(first, last)| last > start && first < end) {
            if at < *first {
                rest.push((at, *first));
            }
            at = at.max(*last);
        }
        if at < *end {
            rest.push((at, *end));
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_second()
    }

    fn open(calendar: &str, from: &str, to: &str) -> Vec<String> {
        let calendar = Calendar::read("c.toml", calendar).unwrap();
        let show = |second: i64| Timestamp::from_second(second).unwrap().to_string();
        let spans = calendar.open(second(from), second(to));
        spans.into_iter().map(|(start, end)| format!("{} {}", show(start), show(end))).collect()
    }

    #[test]
    fn nights_end_on_the_next_day() {
        let calendar =
            "time_zone = \"Asia/Shanghai\"\n[[allowed]]\ndays = [\"Sat\"]\nfrom = \"22:00\"\nto = \"06:00\"\n";
        assert_eq!(
            open(calendar, "2026-12-01T00:00:00Z", "2026-12-14T00:00:00Z"),
            ["2026-12-05T14:00:00Z 2026-12-05T22:00:00Z", "2026-12-12T14:00:00Z 2026-12-12T22:00:00Z"]
        );
        // It begins in the night.
        assert_eq!(
            open(calendar, "2026-12-05T20:00:00Z", "2026-12-06T00:00:00Z"),
            ["2026-12-05T20:00:00Z 2026-12-05T22:00:00Z"]
        );
    }

    #[test]
    fn nights_in_which_clocks_change_are_longer_or_shorter() {
        let calendar =
            "time_zone = \"Europe/Berlin\"\n[[allowed]]\ndays = [\"Saturday\"]\nfrom = \"22:00\"\nto = \"06:00\"\n";
        assert_eq!(
            open(calendar, "2026-10-20T00:00:00Z", "2026-10-27T00:00:00Z"),
            ["2026-10-24T20:00:00Z 2026-10-25T05:00:00Z"]
        );
        assert_eq!(
            open(calendar, "2027-03-25T00:00:00Z", "2027-03-30T00:00:00Z"),
            ["2027-03-27T21:00:00Z 2027-03-28T04:00:00Z"]
        );
        // 02:30 is left out on that day.
        let calendar = "time_zone = \"Europe/Berlin\"\n[[allowed]]\nfrom = \"02:30\"\nto = \"05:00\"\n";
        assert_eq!(
            open(calendar, "2027-03-28T00:00:00Z", "2027-03-28T12:00:00Z"),
            ["2027-03-28T01:30:00Z 2027-03-28T03:00:00Z"]
        );
    }

    #[test]
    fn freezes_are_taken_out_with_their_last_day() {
        let calendar = "time_zone = \"UTC\"\nearliest = \"2026-12-20\"\nlatest = \"2027-01-05\"\n\
                        [[freeze]]\nfrom = \"2026-12-24\"\nto = \"2027-01-03\"\nwhy = \"year end\"\n\
                        [[freeze]]\nfrom = \"2026-12-21T10:00\"\nto = \"2026-12-21T12:00\"\n";
        assert_eq!(
            open(calendar, "2026-11-01T00:00:00Z", "2027-03-01T00:00:00Z"),
            [
                "2026-12-20T00:00:00Z 2026-12-21T10:00:00Z",
                "2026-12-21T12:00:00Z 2026-12-24T00:00:00Z",
                "2027-01-04T00:00:00Z 2027-01-06T00:00:00Z"
            ]
        );
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (text, wrong) in [
            ("", "missing field `time_zone`"),
            ("time_zone = \"CST8\"", "time_zone is `CST8`; expected a name of the IANA database"),
            ("time_zone = \"UTC\"\nearlyest = \"x\"", "unknown field `earlyest`"),
            ("time_zone = \"UTC\"\nearliest = \"soon\"", "earliest is `soon`; expected a date or time"),
            (
                "time_zone = \"UTC\"\nearliest = \"2027-01-02\"\nlatest = \"2027-01-01\"",
                "latest is not behind earliest",
            ),
            ("time_zone = \"UTC\"\n[[allowed]]\ndays = [\"Monkey\"]", "days has `Monkey`"),
            ("time_zone = \"Etc/Unknown\"", "time_zone is `Etc/Unknown`"),
            ("time_zone = \"UTC\"\nearliest = 2026-12-01", "c.toml, line 2: "),
            ("time_zone = \"UTC\"\n[[allowed]]\nfrom = \"25:00\"", "from is `25:00`; expected a time"),
            ("time_zone = \"UTC\"\n[[freeze]]\nfrom = \"2027-01-02\"\nto = \"2027-01-01\"", "ends before it begins"),
        ] {
            let error = Calendar::read("c.toml", text).unwrap_err();
            assert!(error.starts_with("c.toml") && error.contains(wrong), "{error}");
        }
    }
}
