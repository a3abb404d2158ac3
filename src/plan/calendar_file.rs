//! Windows and deadlines as an iCalendar file (RFC 5545), for the calendars of those who must be there.
//!
//! Four properties of two components are written; libraries for the format bring another library of dates along.

use super::model::{Batch, Plan};
use super::text::name_of;
use super::work::ListName;
use crate::engine::facts::Lang;
use crate::write::safe::visible_lines;

/// The calendar.
pub fn calendar(plan: &Plan, lang: Lang) -> String {
    let mut out = String::new();
    let mut line = |text: String| fold(&text, &mut out);
    line("BEGIN:VCALENDAR".into());
    line("VERSION:2.0".into());
    line("PRODID:-//cmkdiag//plan//EN".into());
    line("CALSCALE:GREGORIAN".into());
    line("METHOD:PUBLISH".into());
    let stamp = compact(&plan.as_of);
    for batch in &plan.batches {
        events(batch, lang, &stamp).into_iter().flatten().for_each(&mut line);
    }
    line("END:VCALENDAR".into());
    out
}

/// The events of a batch: its window, the last day to change applications, and the first rotation.
fn events(batch: &Batch, lang: Lang, stamp: &str) -> Vec<Vec<String>> {
    let mut events = Vec::new();
    let ids: Vec<&str> = batch.keys.iter().map(|key| key.key_id.as_str()).collect();
    let destination = batch.destination.as_deref().unwrap_or_default();
    let digest = &batch.digest;
    let mut event = |kind: &str, when: Vec<String>, title: String, text: String| {
        let mut lines = vec![
            "BEGIN:VEVENT".to_owned(),
            format!("UID:{kind}-{}@cmkdiag.invalid", batch.id),
            format!("DTSTAMP:{stamp}"),
        ];
        lines.extend(when);
        lines.push(format!("SUMMARY:{}", escaped(&title)));
        lines.extend((!text.is_empty()).then(|| format!("DESCRIPTION:{}", escaped(&text))));
        lines.push("END:VEVENT".to_owned());
        events.push(lines);
    };
    let (id, count) = (&batch.id, batch.keys.len());
    if let Some(window) = &batch.window {
        let title = match lang {
            Lang::En => format!("KMS: migrate {count} key(s) of {} to {destination}", batch.region),
            Lang::Zh => format!("KMS：将 {} 的 {count} 个密钥迁移到 {destination}", batch.region),
        };
        let when = vec![format!("DTSTART:{}", compact(&window.start)), format!("DTEND:{}", compact(&window.end))];
        event("window", when, title, format!("{id}\n{digest}\n{}", ids.join("\n")));
    }
    if let Some(day) = &batch.change_applications_by {
        let day = day.replace('-', "");
        let title = match lang {
            Lang::En => format!("KMS: last day to change the applications of {id}"),
            Lang::Zh => format!("KMS：批次 {id} 应用改造截止"),
        };
        event("applications", vec![format!("DTSTART;VALUE=DATE:{day}")], title, batch.applications.join("\n"));
    }
    if let Some(deadline) = &batch.rotation_deadline {
        let title = format!("KMS: {} ({id})", name_of(ListName::DisableRotation, lang));
        let rotating = batch.keys.iter().filter(|key| key.rotation_deadline.is_some()).map(|key| key.key_id.as_str());
        let text = rotating.collect::<Vec<_>>().join("\n");
        event("rotation", vec![format!("DTSTART:{}", compact(deadline)), "DURATION:PT15M".to_owned()], title, text);
    }
    events
}

/// `20261205T180000Z` of `2026-12-05T18:00:00Z`, without fractions of seconds.
fn compact(time: &str) -> String {
    let whole = time.split_once('.').map_or(time.trim_end_matches('Z'), |(whole, _)| whole);
    format!("{}Z", whole.replace(['-', ':'], ""))
}

/// A text as a value (RFC 5545, section 3.3.11).
fn escaped(text: &str) -> String {
    let text = visible_lines(text);
    text.replace('\\', "\\\\").replace(';', "\\;").replace(',', "\\,").replace('\n', "\\n")
}

/// A line of no more than 75 bytes, and lines behind it that go on with a blank (RFC 5545, section 3.1).
fn fold(text: &str, out: &mut String) {
    let mut length = 0;
    for c in text.chars() {
        if length + c.len_utf8() > 75 {
            out.push_str("\r\n ");
            length = 1;
        }
        out.push(c);
        length += c.len_utf8();
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn folded_lines_are_short_and_say_the_same(text in "[a-z密钥😀;,\\\\ ]{0,300}") {
            let mut out = String::new();
            fold(&text, &mut out);
            prop_assert!(out.split("\r\n").all(|line| line.len() <= 75));
            prop_assert_eq!(out.trim_end_matches("\r\n").replace("\r\n ", ""), text);
        }
    }

    #[test]
    fn values_are_escaped() {
        assert_eq!(escaped("a,b;c\\d\ne"), "a\\,b\\;c\\\\d\\ne");
        assert_eq!(compact("2026-12-05T18:00:00Z"), "20261205T180000Z");
        assert_eq!(compact("2026-12-05T18:00:00.123Z"), "20261205T180000Z");
    }
}
