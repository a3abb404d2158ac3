//! Windows: for each batch the quietest slot that its instance has free.

use std::collections::BTreeMap;

use super::calendar::{Calendar, Span};
use super::load::calls_between;

/// Slots begin so many seconds apart.
const STEP: i64 = 30 * 60;

/// The quietest slot is looked for in so much time; only if none is free there, in as much again behind it.
const SPAN: i64 = 28 * DAY;

const DAY: i64 = 86_400;

const WEEK: i64 = 7 * DAY;

/// So far ahead slots are looked for where the calendar has no end.
const FARTHEST: i64 = 3 * 366 * DAY;

/// What is to be migrated at once.
#[derive(Debug)]
pub(super) struct Job {
    /// The instance; two jobs of one instance are never at once.
    pub(super) instance: String,
    /// The slot ends before.
    pub(super) before: Option<i64>,
    /// How busy its keys are; nothing if nobody knows.
    pub(super) week: Option<[f64; 168]>,
}

/// The slots of an instance that are free, as far as they were looked for.
struct Free {
    starts: Vec<i64>,
    /// Where they end; behind that nobody has looked.
    until: i64,
}

/// Slots for jobs.
pub(super) struct Schedule<'c> {
    calendar: &'c Calendar,
    first: i64,
    /// In seconds.
    length: i64,
    free: BTreeMap<String, Free>,
    /// Slots that were kept from an earlier plan.
    kept: BTreeMap<String, Vec<Span>>,
}

impl<'c> Schedule<'c> {
    /// No job has a slot yet.
    pub(super) fn new(calendar: &'c Calendar, first: i64, length: i64) -> Schedule<'c> {
        // Where the calendar begins, the first four weeks begin.
        let first = calendar.earliest.map_or(first, |earliest| first.max(earliest.as_second()));
        Schedule { calendar, first, length, free: BTreeMap::new(), kept: BTreeMap::new() }
    }

    /// When the first window can have ended, in seconds since 1970; nothing if the calendar allows none.
    pub(super) fn first_end(&self) -> Option<i64> {
        let mut from = self.first;
        while from < self.first.saturating_add(FARTHEST) {
            let next = from + SPAN;
            if let Some(start) = starts(self.calendar, from, next, self.length).first() {
                return Some(start + self.length);
            }
            from = next;
        }
        None
    }

    /// Takes this very slot, unless it is not allowed, or no longer free.
    pub(super) fn keep(&mut self, job: &Job, (start, end): Span) -> Option<Span> {
        let is_open =
            self.calendar.open(start - WEEK, end + WEEK).iter().any(|(open, close)| *open <= start && end <= *close);
        let is_in_time =
            start >= self.first && end - start == self.length && job.before.is_none_or(|before| end <= before);
        let kept = self.kept.entry(job.instance.clone()).or_default();
        let is_free = kept.iter().all(|(first, last)| *last <= start || end <= *first);
        (is_open && is_in_time && is_free).then(|| {
            kept.push((start, end));
            (start, end)
        })
    }

    /// Takes a slot for a job; nothing if there is none before its end.
    pub(super) fn take(&mut self, job: &Job) -> Option<Span> {
        let (first, length, calendar) = (self.first, self.length, self.calendar);
        let nothing = Vec::new();
        let kept = self.kept.get(&job.instance).unwrap_or(&nothing);
        let free = self.free.entry(job.instance.clone()).or_insert(Free { starts: Vec::new(), until: first });
        let end = job.before.unwrap_or(i64::MAX).min(first.saturating_add(FARTHEST));
        let mut from = first;
        let found = loop {
            let to = from.saturating_add(SPAN);
            while free.until < to.min(end) {
                let next = free.until + SPAN;
                let is_free =
                    |start: &i64| kept.iter().all(|(first, last)| *last <= *start || *start + length <= *first);
                free.starts.extend(starts(calendar, free.until, next, length).into_iter().filter(is_free));
                free.until = next;
            }
            let in_reach = |start: &i64| *start >= from && *start < to && *start + length <= end;
            let begin = free.starts.partition_point(|start| *start < from);
            let slots = free.starts.get(begin..).unwrap_or_default().iter().copied();
            let slots = slots.take_while(|start| *start < to).filter(in_reach);
            if let Some(found) = quietest(slots, length, job.week.as_ref()) {
                break found;
            }
            from = to;
            if from >= end {
                return None;
            }
        };
        free.starts.retain(|start| *start + length <= found || *start >= found + length);
        Some((found, found + length))
    }
}

/// The slots that begin from one moment to another. They may reach over it.
fn starts(calendar: &Calendar, from: i64, to: i64, length: i64) -> Vec<i64> {
    let mut starts = Vec::new();
    for (open, close) in calendar.open(from - WEEK, to + length) {
        // Where it opened before, slots go on as they began.
        let mut start = if open >= from { open } else { open + (from - open + STEP - 1) / STEP * STEP };
        while start < to && start + length <= close {
            starts.push(start);
            start += STEP;
        }
    }
    starts
}

/// The slot with the fewest calls, and of those the first.
fn quietest(slots: impl Iterator<Item = i64>, length: i64, week: Option<&[f64; 168]>) -> Option<i64> {
    let Some(week) = week else { return slots.into_iter().next() };
    let mut known: BTreeMap<i64, u64> = BTreeMap::new();
    let calls = |start: i64| {
        // A thousandth of a call makes no difference.
        let of_week = *known
            .entry(start.rem_euclid(WEEK))
            .or_insert_with(|| (calls_between(week, start, start + length) * 1000.0).round() as u64);
        (of_week, start)
    };
    slots.map(calls).min().map(|(_, start)| start)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;

    fn second(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_second()
    }

    fn show(span: Option<Span>) -> String {
        span.map_or("none".to_owned(), |(start, _)| Timestamp::from_second(start).unwrap().to_string())
    }

    fn job(week: Option<[f64; 168]>, before: Option<&str>) -> Job {
        Job { instance: "kst-a".to_owned(), before: before.map(second), week }
    }

    #[test]
    fn the_quietest_slot_comes_first_and_none_is_taken_twice() {
        let calendar = Calendar::always();
        let mut week = [100.0; 168];
        // Sunday, 03 to 05.
        (week[147], week[148]) = (1.0, 2.0);
        let mut schedule = Schedule::new(&calendar, second("2026-12-01T00:00:00Z"), 7200);
        let mut take = |week, before| show(schedule.take(&job(week, before)));
        assert_eq!(take(Some(week), None), "2026-12-06T03:00:00Z");
        assert_eq!(take(Some(week), None), "2026-12-13T03:00:00Z");
        assert_eq!(take(None, None), "2026-12-01T00:00:00Z");
        assert_eq!(take(None, Some("2026-12-01T03:59:00Z")), "none");
        assert_eq!(take(None, Some("2026-12-01T04:00:00Z")), "2026-12-01T02:00:00Z");
        assert_eq!(
            show(schedule.take(&Job { instance: "kst-b".to_owned(), before: None, week: None })),
            "2026-12-01T00:00:00Z"
        );
    }

    #[test]
    fn when_four_weeks_are_full_the_next_are_looked_at() {
        let calendar = Calendar::read(
            "c",
            "time_zone = \"UTC\"\n[[allowed]]\ndays = [\"Sun\"]\nfrom = \"02:00\"\nto = \"04:00\"\n",
        )
        .unwrap();
        let mut schedule = Schedule::new(&calendar, second("2026-12-01T00:00:00Z"), 7200);
        let all: Vec<String> = (0..6).map(|_| show(schedule.take(&job(Some([0.0; 168]), None)))).collect();
        let days = ["2026-12-06", "2026-12-13", "2026-12-20", "2026-12-27", "2027-01-03", "2027-01-10"];
        assert_eq!(all, days.map(|day| format!("{day}T02:00:00Z")));
    }

    proptest! {
        #[test]
        fn no_two_slots_of_an_instance_overlap(
            jobs in proptest::collection::vec((0..3_usize, proptest::option::of(0..60_i64), any::<bool>(), 0..168_usize), 1..60),
            length in prop_oneof![Just(1800_i64), Just(7200), Just(5400), Just(86_400)],
        ) {
            let calendar = Calendar::read(
                "c",
                "time_zone = \"America/New_York\"\n[[allowed]]\ndays = [\"Fri\", \"Sat\", \"Sun\"]\nfrom = \"20:15\"\nto = \"20:15\"\n\
                 [[freeze]]\nfrom = \"2026-10-30\"\nto = \"2026-11-02\"\n",
            )
            .unwrap();
            let first = second("2026-10-01T00:00:00Z");
            let mut schedule = Schedule::new(&calendar, first, length);
            let mut taken: Vec<(usize, Span)> = Vec::new();
            for (instance, before, has_week, quiet) in jobs {
                let mut week = [5.0; 168];
                week[quiet] = 0.0;
                let before = before.map(|days| first + days * DAY);
                let job = Job { instance: instance.to_string(), before, week: has_week.then_some(week) };
                let Some(span) = schedule.take(&job) else {
                    prop_assert!(before.is_some());
                    continue;
                };
                prop_assert_eq!(span.1 - span.0, length);
                prop_assert!(span.0 >= first && before.is_none_or(|before| span.1 <= before));
                let open = calendar.open(span.0 - 9 * DAY, span.1 + 9 * DAY);
                prop_assert!(open.iter().any(|(start, end)| *start <= span.0 && span.1 <= *end));
                prop_assert!(taken.iter().all(|(other, known)| *other != instance || known.1 <= span.0 || span.1 <= known.0));
                taken.push((instance, span));
            }
        }
    }
}
