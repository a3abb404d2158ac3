//! Windows: for each batch the quietest slot that its instance has free.

use std::collections::BTreeMap;

use super::calendar::{Calendar, Span, without};
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
    /// When the instance ends.
    pub(super) expires: Option<i64>,
    /// When keys rotate, in order.
    pub(super) deadlines: Vec<i64>,
    /// How busy the keys are; nothing if nobody knows.
    pub(super) week: Option<[f64; 168]>,
    /// The slot that an earlier plan gave it.
    pub(super) earlier: Option<Span>,
}

/// A slot of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) span: Span,
    /// Whether it is that of the earlier plan.
    pub(super) is_kept: bool,
}

/// Where slots may lie.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schedule<'c> {
    calendar: &'c Calendar,
    /// No slot begins before, but for those of an earlier plan.
    first: i64,
    now: i64,
    /// In seconds.
    length: i64,
}

/// How an instance's slots are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Way {
    /// Slots begin so many seconds apart: every half hour, or one where another ends, so that nothing is left between them.
    step: i64,
    /// Whether all slots of an earlier plan stay; otherwise keys that would rotate may take those of jobs that can wait longer.
    all_keep: bool,
}

impl<'c> Schedule<'c> {
    /// Slots of a length, in seconds.
    pub(super) fn new(calendar: &'c Calendar, first: i64, now: i64, length: i64) -> Schedule<'c> {
        // Where the calendar begins, the first four weeks begin.
        let first = calendar.earliest.map_or(first, |earliest| first.max(earliest.as_second()));
        Schedule { calendar, first, now, length }
    }

    /// When the first window can have ended, in seconds since 1970; nothing if the calendar allows none.
    pub(super) fn first_end(&self) -> Option<i64> {
        let mut from = self.first;
        while from < self.first.saturating_add(FARTHEST) {
            let next = from + SPAN;
            if let Some(start) = self.starts(from, next, STEP, &[]).first() {
                return Some(start + self.length);
            }
            from = next;
        }
        None
    }

    /// A slot for each job, in the order in which they may choose; nothing for those for which none is left, or that ask for none.
    ///
    /// Each takes the quietest. Only if keys would rotate before their slots, or jobs get none, is it tried without gaps between
    /// slots, and with those of an earlier plan for whoever needs them first.
    pub(super) fn slots(&self, jobs: &[Option<Job>]) -> Vec<Option<Slot>> {
        let mut of_instance: BTreeMap<&str, (Vec<usize>, Vec<&Job>)> = BTreeMap::new();
        for (number, job) in jobs.iter().enumerate().filter_map(|(number, job)| Some((number, job.as_ref()?))) {
            let (numbers, jobs) = of_instance.entry(&job.instance).or_default();
            numbers.push(number);
            jobs.push(job);
        }
        let mut slots = vec![None; jobs.len()];
        for (numbers, jobs) in of_instance.into_values() {
            for (number, slot) in numbers.into_iter().zip(self.of_instance(&jobs)) {
                slots[number] = slot;
            }
        }
        slots
    }

    fn of_instance(&self, jobs: &[&Job]) -> Vec<Option<Slot>> {
        let has_earlier = jobs.iter().any(|job| job.earlier.is_some());
        let ways = [true, false].into_iter().filter(|all_keep| *all_keep || has_earlier);
        let ways = ways.flat_map(|all_keep| [STEP, self.length].map(|step| Way { step, all_keep }));
        let (mut least, mut best) = ((usize::MAX, usize::MAX), Vec::new());
        for way in ways {
            let slots = self.in_a_way(jobs, way);
            let missed = missed(jobs, &slots);
            if missed < least {
                (least, best) = (missed, slots);
            }
            if least == (0, 0) {
                break;
            }
        }
        best
    }

    fn in_a_way(&self, jobs: &[&Job], way: Way) -> Vec<Option<Slot>> {
        let mut free =
            Free { schedule: *self, step: way.step, starts: Vec::new(), until: self.first, taken: Vec::new() };
        let mut spans: Vec<Option<Span>> = vec![None; jobs.len()];
        if !way.all_keep {
            for (span, job) in spans.iter_mut().zip(jobs).filter(|(_, job)| !job.deadlines.is_empty()) {
                *span = free.keep(job).or_else(|| free.take_in_time(job));
            }
        }
        for (span, job) in spans.iter_mut().zip(jobs).filter(|(span, _)| span.is_none()) {
            *span = free.keep(job);
        }
        for (span, job) in spans.iter_mut().zip(jobs).filter(|(span, _)| span.is_none()) {
            *span = free.take_in_time(job).or_else(|| free.take(job));
        }
        let slot = |(span, job): (Option<Span>, &&Job)| {
            let span = span?;
            Some(Slot { span, is_kept: job.earlier == Some(span) })
        };
        spans.into_iter().zip(jobs).map(slot).collect()
    }

    /// The slots that begin from one moment to another, apart from those that are taken. They may reach over it.
    fn starts(&self, from: i64, to: i64, step: i64, taken: &[Span]) -> Vec<i64> {
        let mut starts = Vec::new();
        for (open, close) in without(&self.calendar.open(from - WEEK, to + self.length), taken) {
            let open = if step == STEP { open } else { open.max(self.first) };
            // Where it opened before, slots go on as they began.
            let mut start = if open >= from { open } else { open + (from - open + step - 1) / step * step };
            while start < to && start + self.length <= close {
                starts.push(start);
                start += step;
            }
        }
        starts
    }
}

/// How many jobs have no slot, and how many rotations come before the slots of theirs.
fn missed(jobs: &[&Job], slots: &[Option<Slot>]) -> (usize, usize) {
    let late = |(job, slot): (&&Job, &Option<Slot>)| {
        let end = slot.map_or(i64::MIN, |slot| slot.span.1);
        job.deadlines.iter().filter(|deadline| **deadline < end).count()
    };
    (slots.iter().filter(|slot| slot.is_none()).count(), jobs.iter().zip(slots).map(late).sum())
}

/// The slots of an instance that are free, as far as they were looked for.
struct Free<'c> {
    schedule: Schedule<'c>,
    step: i64,
    starts: Vec<i64>,
    /// Behind that nobody has looked.
    until: i64,
    /// In order.
    taken: Vec<Span>,
}

impl Free<'_> {
    /// Takes the slot that the job had, unless it is not allowed, or no longer free.
    fn keep(&mut self, job: &Job) -> Option<Span> {
        let (start, end) = job.earlier?;
        let Schedule { calendar, now, length, .. } = self.schedule;
        let is_open =
            calendar.open(start - WEEK, end + WEEK).iter().any(|(open, close)| *open <= start && end <= *close);
        let before = job.expires.into_iter().chain(job.deadlines.first().copied()).min();
        let is_in_time = start >= now && end - start == length && before.is_none_or(|before| end <= before);
        let is_free = self.taken.iter().all(|(first, last)| *last <= start || end <= *first);
        (is_open && is_in_time && is_free).then(|| self.took((start, end)))
    }

    /// Takes the quietest slot that ends before a key rotates: the first of them, or else one that rotates later.
    fn take_in_time(&mut self, job: &Job) -> Option<Span> {
        let ends = |deadline: &i64| job.expires.map_or(*deadline, |expires| expires.min(*deadline));
        let in_time = job.deadlines.iter().map(ends).collect::<Vec<_>>();
        let start = in_time.into_iter().find_map(|end| self.quietest(job, Some(end)))?;
        Some(self.took((start, start + self.schedule.length)))
    }

    /// Takes the quietest slot.
    fn take(&mut self, job: &Job) -> Option<Span> {
        let start = self.quietest(job, job.expires)?;
        Some(self.took((start, start + self.schedule.length)))
    }

    fn took(&mut self, span: Span) -> Span {
        self.starts.retain(|start| start + self.schedule.length <= span.0 || *start >= span.1);
        let at = self.taken.partition_point(|taken| *taken < span);
        self.taken.insert(at, span);
        span
    }

    /// The begin of the quietest slot that ends before.
    fn quietest(&mut self, job: &Job, before: Option<i64>) -> Option<i64> {
        let Schedule { first, length, .. } = self.schedule;
        let end = before.unwrap_or(i64::MAX).min(first.saturating_add(FARTHEST));
        let mut from = first;
        while from < end {
            let to = from.saturating_add(SPAN);
            while self.until < to.min(end) {
                let next = self.until + SPAN;
                let behind = self.taken.partition_point(|(_, last)| *last <= self.until);
                self.starts.extend(self.schedule.starts(self.until, next, self.step, &self.taken[behind..]));
                self.until = next;
            }
            let begin = self.starts.partition_point(|start| *start < from);
            let slots = self.starts.get(begin..).unwrap_or_default().iter().copied();
            let slots = slots.take_while(|start| *start < to && *start + length <= end);
            if let Some(found) = quietest(slots, length, job.week.as_ref()) {
                return Some(found);
            }
            from = to;
        }
        None
    }
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

    fn show(slot: &Option<Slot>) -> String {
        slot.map_or("none".to_owned(), |slot| Timestamp::from_second(slot.span.0).unwrap().to_string())
    }

    fn job(week: Option<[f64; 168]>, expires: Option<&str>) -> Job {
        let expires = expires.map(second);
        Job { instance: "kst-a".to_owned(), expires, deadlines: Vec::new(), week, earlier: None }
    }

    fn rotating(week: Option<[f64; 168]>, deadlines: &[&str]) -> Job {
        Job { deadlines: deadlines.iter().map(|time| second(time)).collect(), ..job(week, None) }
    }

    /// Slots of two hours from 1 December 2026.
    fn slots(calendar: &Calendar, jobs: impl IntoIterator<Item = Job>) -> Vec<String> {
        let first = second("2026-12-01T00:00:00Z");
        let jobs: Vec<Option<Job>> = jobs.into_iter().map(Some).collect();
        Schedule::new(calendar, first, first - DAY, 7200).slots(&jobs).iter().map(show).collect()
    }

    fn evenings() -> Calendar {
        Calendar::read("c", "time_zone = \"UTC\"\n[[allowed]]\nfrom = \"20:00\"\nto = \"24:00\"\n").unwrap()
    }

    /// 21 to 23 is quiet every day.
    fn quiet_at_nine() -> [f64; 168] {
        std::array::from_fn(|hour| if matches!(hour % 24, 21 | 22) { 0.0 } else { 9.0 })
    }

    #[test]
    fn the_quietest_slot_comes_first_and_none_is_taken_twice() {
        let calendar = Calendar::always();
        let mut week = [100.0; 168];
        // Sunday, 03 to 05.
        (week[147], week[148]) = (1.0, 2.0);
        let b = Job { instance: "kst-b".to_owned(), ..job(None, None) };
        let jobs = [job(Some(week), None), job(Some(week), None), job(None, None), b];
        let taken = ["2026-12-06T03:00:00Z", "2026-12-13T03:00:00Z", "2026-12-01T00:00:00Z", "2026-12-01T00:00:00Z"];
        assert_eq!(slots(&calendar, jobs), taken);
        let ends = ["2026-12-01T02:00:00Z", "2026-12-01T03:59:00Z", "2026-12-01T04:00:00Z"];
        let jobs = ends.map(|end| job(None, Some(end)));
        assert_eq!(slots(&calendar, jobs), ["2026-12-01T00:00:00Z", "none", "2026-12-01T02:00:00Z"]);
    }

    #[test]
    fn quiet_hours_cost_no_slot_that_is_needed() {
        let jobs = |deadlines: &[&str]| [(); 2].map(|()| rotating(Some(quiet_at_nine()), deadlines));
        let taken = slots(&evenings(), jobs(&["2026-12-02T00:00:00Z"]));
        assert_eq!(taken, ["2026-12-01T20:00:00Z", "2026-12-01T22:00:00Z"]);
        let taken = slots(&evenings(), jobs(&[]));
        assert_eq!(taken, ["2026-12-01T21:00:00Z", "2026-12-02T21:00:00Z"]);
    }

    #[test]
    fn who_misses_the_first_rotation_is_still_before_the_next() {
        let jobs = [
            rotating(None, &["2026-12-01T22:00:00Z"]),
            rotating(Some(quiet_at_nine()), &["2026-12-01T22:00:00Z", "2026-12-04T12:00:00Z", "2026-12-09T00:00:00Z"]),
        ];
        assert_eq!(slots(&evenings(), jobs), ["2026-12-01T20:00:00Z", "2026-12-02T21:00:00Z"]);
    }

    #[test]
    fn slots_of_an_earlier_plan_stay_unless_keys_that_rotate_need_them() {
        let had = (second("2026-11-30T20:00:00Z"), second("2026-11-30T22:00:00Z"));
        let other = (second("2026-12-01T20:30:00Z"), second("2026-12-01T22:30:00Z"));
        let keeps = |earlier: Span| Job { earlier: Some(earlier), ..job(None, None) };
        // Not before now, but before the first that a new one may have.
        let taken = slots(&evenings(), [keeps(had), keeps(other), keeps(other)]);
        assert_eq!(taken, ["2026-11-30T20:00:00Z", "2026-12-01T20:30:00Z", "2026-12-02T20:00:00Z"]);
        let taken = slots(&evenings(), [rotating(None, &["2026-12-02T12:00:00Z"]), keeps(other)]);
        assert_eq!(taken, ["2026-12-01T20:00:00Z", "2026-12-01T22:00:00Z"]);
    }

    #[test]
    fn when_four_weeks_are_full_the_next_are_looked_at() {
        let calendar = Calendar::read(
            "c",
            "time_zone = \"UTC\"\n[[allowed]]\ndays = [\"Sun\"]\nfrom = \"02:00\"\nto = \"04:00\"\n",
        )
        .unwrap();
        let all = slots(&calendar, [(); 6].map(|()| job(Some([0.0; 168]), None)));
        let days = ["2026-12-06", "2026-12-13", "2026-12-20", "2026-12-27", "2027-01-03", "2027-01-10"];
        assert_eq!(all, days.map(|day| format!("{day}T02:00:00Z")));
    }

    #[test]
    fn a_slot_of_an_earlier_plan_goes_to_whoever_rotates_first_and_the_others_stay() {
        let evening = |day: i64| {
            let start = second("2026-12-01T20:00:00Z") + day * DAY;
            (start, start + 7200)
        };
        let calendar =
            Calendar::read("c", "time_zone = \"UTC\"\n[[allowed]]\nfrom = \"20:00\"\nto = \"22:00\"\n").unwrap();
        let urgent = rotating(None, &["2026-12-02T12:00:00Z"]);
        let later = Job { earlier: Some(evening(0)), ..rotating(None, &["2027-11-01T00:00:00Z"]) };
        let waiting = (1..4).map(|day| Job { earlier: Some(evening(day)), ..job(None, None) });
        let taken = slots(&calendar, [urgent, later].into_iter().chain(waiting));
        let days = ["2026-12-01", "2026-12-02", "2026-12-03", "2026-12-04", "2026-12-05"];
        assert_eq!(taken[0], format!("{}T20:00:00Z", days[0]));
        // One of those that can wait gives way, and no other moves.
        assert_eq!(taken[1..].iter().collect::<std::collections::BTreeSet<_>>().len(), 4);
        assert_eq!(taken[3..], [format!("{}T20:00:00Z", days[2]), format!("{}T20:00:00Z", days[3])]);
    }

    #[test]
    fn a_slot_over_the_end_of_four_weeks_is_taken_once() {
        // Four weeks less one hour are closed.
        let calendar = "time_zone = \"UTC\"\n[[freeze]]\nfrom = \"2026-12-01\"\nto = \"2026-12-28T23:00\"\n";
        let taken = slots(&Calendar::read("c", calendar).unwrap(), [(); 3].map(|()| job(None, None)));
        assert_eq!(taken, ["2026-12-28T23:00:00Z", "2026-12-29T01:00:00Z", "2026-12-29T03:00:00Z"]);
    }

    proptest! {
        #[test]
        fn no_two_slots_of_an_instance_overlap(
            wanted in proptest::collection::vec(
                (0..3_usize, proptest::option::of(0..60_i64), proptest::option::of(0..60_i64), any::<bool>(), 0..168_usize,
                 proptest::option::of(0..2000_i64)),
                1..60,
            ),
            length in prop_oneof![Just(1800_i64), Just(7200), Just(5400), Just(86_400)],
            is_always in any::<bool>(),
        ) {
            let calendar = Calendar::read(
                "c",
                "time_zone = \"America/New_York\"\n[[allowed]]\ndays = [\"Fri\", \"Sat\", \"Sun\"]\nfrom = \"20:15\"\nto = \"20:15\"\n\
                 [[freeze]]\nfrom = \"2026-10-30\"\nto = \"2026-11-02\"\n",
            )
            .unwrap();
            let calendar = if is_always { Calendar::always() } else { calendar };
            let first = second("2026-10-01T00:00:00Z");
            let now = first - DAY;
            let jobs: Vec<Option<Job>> = wanted
                .into_iter()
                .map(|(instance, ends, rotates, has_week, quiet, earlier)| {
                    let mut week = [5.0; 168];
                    week[quiet] = 0.0;
                    Some(Job {
                        instance: instance.to_string(),
                        expires: ends.map(|days| first + days * DAY),
                        deadlines: rotates.map(|days| first + days * DAY).into_iter().collect(),
                        week: has_week.then_some(week),
                        earlier: earlier.map(|hours| (now + hours * 3600, now + hours * 3600 + length)),
                    })
                })
                .collect();
            let slots = Schedule::new(&calendar, first, now, length).slots(&jobs);
            let mut taken: Vec<(&str, Span)> = Vec::new();
            for (job, slot) in jobs.iter().flatten().zip(&slots) {
                let Some(Slot { span, is_kept }) = *slot else {
                    prop_assert!(job.expires.is_some());
                    continue;
                };
                prop_assert_eq!(span.1 - span.0, length);
                let earliest = if is_kept { now } else { first };
                prop_assert!(span.0 >= earliest);
                prop_assert!(!is_kept || job.earlier == Some(span));
                prop_assert!(job.expires.is_none_or(|ends| span.1 <= ends));
                let open = calendar.open(span.0 - 9 * DAY, span.1 + 9 * DAY);
                prop_assert!(open.iter().any(|(start, end)| *start <= span.0 && span.1 <= *end));
                prop_assert!(taken.iter().all(|(other, known)| *other != job.instance || known.1 <= span.0 || span.1 <= known.0));
                taken.push((&job.instance, span));
            }
        }

        /// Where slots are all alike, deadlines are met whenever that is possible.
        #[test]
        fn deadlines_are_met_if_they_can_be(
            mut deadlines in proptest::collection::vec(1..20_i64, 1..24),
            quiet in 0..24_usize,
        ) {
            deadlines.sort_unstable();
            // Two slots every evening.
            let can_be = (0_i64..).zip(&deadlines).all(|(number, days)| number < days * 2);
            let week = std::array::from_fn(|hour| if hour % 24 == quiet { 0.0 } else { 5.0 });
            let first = second("2026-12-01T00:00:00Z");
            let jobs: Vec<Option<Job>> = deadlines
                .iter()
                .map(|days| Some(Job { deadlines: vec![first + days * DAY], ..job(Some(week), None) }))
                .collect();
            let calendar = evenings();
            let slots = Schedule::new(&calendar, first, first - DAY, 7200).slots(&jobs);
            let jobs: Vec<&Job> = jobs.iter().flatten().collect();
            prop_assert_eq!(missed(&jobs, &slots) == (0, 0), can_be);
        }
    }
}
