//! Batches with their windows, one after the other.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan as _};

use super::calendar::{Calendar, Span};
use super::candidate::{BY_DESTINATION, Candidate, Needs, TOLD_TO_SUPPORT};
use super::grouping::{Kind, Unit, hash, parted};
use super::load::{Week, average, calls_between, peak_per_second};
use super::make::Wanted;
use super::model::{Basis, Batch, Before, Condition, Load, PlannedKey, Remark, StepBefore, Window, Words};
use super::schedule::{Job, Slot};
use super::work::{Problem, Severity};
use crate::diagnose::Diagnosis;
use crate::domains::cmk::facts::KEY_SPEC;
use crate::engine::facts::{Grade, Lang};
use crate::write::words;

/// What an earlier plan gave to a key.
pub(super) struct Had<'p> {
    pub(super) instance: &'p str,
    /// The window, and what it rested on; nothing if it had none.
    pub(super) window: Option<(Span, Basis)>,
}

/// What an earlier plan gave to its keys, by region and id.
pub(super) type Earlier<'p> = HashMap<(&'p str, &'p str), Had<'p>>;

/// A command that tells, and the keys, by id.
type Asked = (Option<String>, Vec<String>);

/// What an earlier plan gave to its keys; those without an instance had nothing.
pub(super) fn earlier(wanted: &Wanted) -> Earlier<'_> {
    let mut all = HashMap::new();
    for batch in wanted.earlier.iter().flat_map(|plan| &plan.batches) {
        let Some(instance) = batch.destination.as_deref() else { continue };
        let window = batch.window.as_ref().and_then(|window| Some((window.span()?, window.basis)));
        let had = batch.keys.iter().map(|key| {
            let of = (batch.region.as_str(), key.key_id.as_str());
            (of, Had { instance, window })
        });
        all.extend(had);
    }
    all
}

/// A batch before it has a window.
pub(super) struct Draft<'u> {
    pub(super) id: String,
    pub(super) kind: Kind,
    pub(super) instance: Option<String>,
    pub(super) units: Vec<&'u Unit>,
    /// The candidates, by number.
    pub(super) keys: Vec<usize>,
}

pub(super) fn drafts<'u>(assigned: &'u [(Unit, Option<&str>)], keys_per_batch: usize) -> Vec<Draft<'u>> {
    // Where an instance takes all kinds, they may be in one batch.
    let mut groups: BTreeMap<(Kind, Option<&str>), Vec<&'u Unit>> = BTreeMap::new();
    for (unit, instance) in assigned {
        let needs = if instance.is_some() { Needs::Any } else { unit.kind.needs };
        groups.entry((Kind { needs, ..unit.kind.clone() }, *instance)).or_default().push(unit);
    }
    let mut drafts = Vec::new();
    for ((kind, instance), mut units) in groups {
        units.sort_by_key(|unit| unit.hash);
        for (prefix, units) in parted(&units, keys_per_batch) {
            let parts = [
                kind.account.as_str(),
                &kind.region,
                instance.unwrap_or_default(),
                &format!("{:?}", kind.needs),
                &format!("{:?}", kind.rotates),
                kind.large.as_deref().unwrap_or_default(),
                &prefix,
            ];
            let id = format!("{}-{:010x}", kind.region, hash(&parts) >> 24);
            let keys = units.iter().flat_map(|unit| unit.keys.iter().copied()).collect();
            drafts.push(Draft { id, kind: kind.clone(), instance: instance.map(str::to_owned), units, keys });
        }
    }
    drafts
}

/// Makes batches of drafts, one after the other.
pub(super) struct Planner<'p, 'd> {
    pub(super) diagnosis: &'d Diagnosis,
    pub(super) candidates: &'p [Candidate<'d>],
    pub(super) calendar: &'p Calendar,
    pub(super) wanted: &'p Wanted,
    pub(super) months: u32,
    /// An instance has no two batches at once, so that a window tells of which batch it was.
    pub(super) earlier: &'p Earlier<'p>,
    pub(super) problems: Vec<Problem>,
}

impl Planner<'_, '_> {
    /// The window that an earlier plan gave to a key in an instance, and what it rested on.
    fn had(&self, key: &Candidate<'_>, instance: &str) -> Option<(Span, Basis)> {
        self.earlier.get(&(key.region, key.key_id)).filter(|had| had.instance == instance)?.window
    }

    /// What a batch asks of its instance; nothing if it has none.
    pub(super) fn job(&self, draft: &Draft<'_>) -> Option<Job> {
        let instance = draft.instance.clone()?;
        let keys = || draft.keys.iter().map(|key| &self.candidates[*key]);
        let named = self.wanted.instances.iter().flatten().find(|named| named.id == instance);
        let deadlines: BTreeSet<i64> = keys().filter_map(|key| key.deadline).map(Timestamp::as_second).collect();
        // The window that most of the keys had.
        let mut votes: BTreeMap<Span, usize> = BTreeMap::new();
        for (had, _) in keys().filter_map(|key| self.had(key, &instance)) {
            *votes.entry(had).or_default() += 1;
        }
        Some(Job {
            expires: named.and_then(|named| named.expires).map(Timestamp::as_second),
            deadlines: deadlines.into_iter().collect(),
            week: week_of(keys()),
            earlier: votes.into_iter().max_by_key(|(_, count)| *count).map(|(span, _)| span),
            instance,
        })
    }

    /// The batch, with its slot if it has one.
    pub(super) fn batch(&mut self, draft: &Draft<'_>, job: Option<&Job>, slot: Option<Slot>) -> Batch {
        let mut keys: Vec<&Candidate<'_>> = draft.keys.iter().map(|key| &self.candidates[*key]).collect();
        keys.sort_by_key(|key| key.key_id);
        let deadline = keys.iter().filter_map(|key| key.deadline).min();
        let week = week_of(keys.iter().copied());
        let span = slot.map(|slot| slot.span);
        if let Some(job) = job {
            self.problems.extend(self.problems_of_slot(draft, job, slot, &keys));
        }
        self.problems.extend(without_instance(draft, self.wanted));
        self.problems.extend(rotating_at_unknown(draft, &keys));
        let load = week.map(|week| Load {
            calls_in_window: span.map(|(start, end)| calls_between(&week, start, end).ceil() as u64),
            calls_in_average_window: average(&week, self.wanted.window).ceil() as u64,
            peak_per_second: peak_per_second(&week),
        });
        // A window that stays rests on what it rested on, so that its batch stays the same for tickets.
        let kept = job.zip(slot).filter(|(_, slot)| slot.is_kept).and_then(|(job, slot)| {
            let mut had = keys.iter().filter_map(|key| self.had(key, &job.instance));
            had.find(|(span, _)| *span == slot.span).map(|(_, basis)| basis)
        });
        let basis = kept.unwrap_or(if week.is_some() { Basis::Evidence } else { Basis::Calendar });
        let window = span.and_then(|span| self.window(span, basis));
        let change_by = span.and_then(|(start, _)| self.change_by(start));
        let applications: BTreeSet<&String> = keys.iter().flat_map(|key| &key.applications).collect();
        Batch {
            id: draft.id.clone(),
            digest: String::new(),
            account_id: Some(draft.kind.account.clone()).filter(|account| !account.is_empty()),
            region: draft.kind.region.clone(),
            destination: draft.instance.clone(),
            window,
            applications: applications.into_iter().cloned().collect(),
            split_applications: Vec::new(),
            rotation_deadline: deadline.map(|time| time.to_string()),
            change_applications_by: change_by,
            steps_before: self.steps_before(&keys),
            remarks: self.remarks(&keys),
            conditions: self.conditions(&keys),
            keys: keys.iter().map(|key| self.planned(key)).collect(),
            load,
        }
    }

    /// What is wrong with the slot of a batch.
    fn problems_of_slot(
        &self,
        draft: &Draft<'_>,
        job: &Job,
        slot: Option<Slot>,
        keys: &[&Candidate<'_>],
    ) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut problem = |severity, text: Words, keys: Vec<String>| {
            problems.push(Problem { severity, batch: Some(draft.id.clone()), text, keys });
        };
        let ids = |is: &dyn Fn(&Candidate<'_>) -> bool| {
            keys.iter().filter(|key| is(key)).map(|key| key.key_id.to_owned()).collect::<Vec<String>>()
        };
        let Some(slot) = slot else {
            problem(
                Severity::Error,
                Words::new(
                    "There is no free slot within what the calendar allows, within three years, and before the instance ends: allow \
                     more hours or days, shorten the windows, or name further instances",
                    "在日历允许的时间内、三年之内、实例到期之前没有可用窗口：请放宽时间、缩短窗口或增加实例",
                ),
                ids(&|_| true),
            );
            return problems;
        };
        let now = self.wanted.now;
        let past = ids(&|key| key.deadline.is_some_and(|deadline| deadline <= now));
        if !past.is_empty() {
            problem(
                Severity::Error,
                Words::new(
                    "The next rotation that the inventory states is past: list the versions of these keys again, and plan again; a key \
                     that has rotated can no longer be migrated",
                    "清单中的下次轮转时间已过：请重新查询这些密钥的版本并重新制定计划；已轮转的密钥无法再迁移",
                ),
                past,
            );
        }
        let late =
            ids(&|key| key.deadline.is_some_and(|deadline| deadline > now && deadline.as_second() < slot.span.1));
        if !late.is_empty() {
            problem(
                Severity::Error,
                Words::new(
                    "These keys rotate before a window is free, and are blocked for good then: disable their rotation at once \
                     (list disable-rotation), and plan again with an inventory that says so; or allow an earlier window",
                    "这些密钥在有可用窗口之前就会轮转，此后将永久无法迁移：请立即关闭其自动轮转（见 disable-rotation 清单）并\
                     用更新后的清单重新制定计划，或允许更早的窗口",
                ),
                late,
            );
        }
        if job.earlier.is_some() && !slot.is_kept {
            problem(
                Severity::Warning,
                Words::new(
                    "Its window of the earlier plan is no longer good or free, or keys that rotate need it: it has another",
                    "原计划的窗口已不可用，或须让给即将轮转的密钥：已另行安排",
                ),
                Vec::new(),
            );
        }
        problems
    }

    fn window(&self, (start, end): (i64, i64), basis: Basis) -> Option<Window> {
        let moment = |second: i64| Timestamp::from_second(second).ok();
        let local = |time: Timestamp| {
            let offset = self.calendar.zone.to_offset(time);
            time.display_with_offset(offset).to_string()
        };
        let (start, end) = (moment(start)?, moment(end)?);
        Some(Window {
            start: start.to_string(),
            end: end.to_string(),
            local_start: local(start),
            local_end: local(end),
            basis,
        })
    }

    /// The last day on which applications may be unchanged.
    fn change_by(&self, start: i64) -> Option<String> {
        // The month begins with the day of the migration: by the clocks of the plan, or by those of the vendor if they are behind.
        let start = Timestamp::from_second(start).ok()?;
        let vendor = TimeZone::fixed(Offset::constant(8)).to_datetime(start).date();
        let day = self.calendar.zone.to_datetime(start).date().min(vendor);
        day.checked_add(i32::try_from(self.months).ok()?.months()).ok().map(|day| day.to_string())
    }

    fn steps_before(&self, keys: &[&Candidate<'_>]) -> Vec<StepBefore> {
        let book = &self.diagnosis.rulebook;
        let mut steps: BTreeMap<(Before, &str), (Words, Vec<String>)> = BTreeMap::new();
        for key in keys {
            let actions = key.key.outcome.judgement.unlocks.first().into_iter().flatten();
            let actions = actions.map(|card| (Before::Window, book.card(*card)));
            // What is only advised is for the owner to decide.
            let advised = key.key.advisories();
            let advised = advised.iter().map(|card| (Before::Ticket, book.card(*card)));
            for (before, card) in actions.chain(advised) {
                if BY_DESTINATION.contains(&card.id.as_str()) {
                    continue;
                }
                let words = || match &card.remedy {
                    Some(remedy) => Words::new(
                        format!("{}: {}", card.title.en, remedy.en),
                        format!("{}：{}", card.title.zh, remedy.zh),
                    ),
                    None => Words::new(&card.title.en, &card.title.zh),
                };
                steps.entry((before, &card.id)).or_insert_with(|| (words(), Vec::new())).1.push(key.key_id.to_owned());
            }
        }
        let step = |((before, rule), (what, keys)): ((Before, &str), (Words, Vec<String>))| StepBefore {
            rule: rule.to_owned(),
            before,
            what,
            keys,
        };
        steps.into_iter().map(step).collect()
    }

    fn remarks(&self, keys: &[&Candidate<'_>]) -> Vec<Remark> {
        let book = &self.diagnosis.rulebook;
        let mut remarks: BTreeMap<&str, Remark> = BTreeMap::new();
        for key in keys {
            for card in key.key.advisories().iter().map(|card| book.card(*card)) {
                if !TOLD_TO_SUPPORT.contains(&card.id.as_str()) {
                    continue;
                }
                let text = || Words::new(&card.title.en, &card.title.zh);
                let remark = || Remark { rule: card.id.clone(), text: text(), keys: Vec::new() };
                remarks.entry(&card.id).or_insert_with(remark).keys.push(key.key_id.to_owned());
            }
        }
        remarks.into_values().collect()
    }

    fn planned(&self, key: &Candidate<'_>) -> PlannedKey {
        let (facts, spec) = (key.key.key.aside(), &self.diagnosis.rulebook.facts[KEY_SPEC.index()]);
        PlannedKey {
            key_id: key.key_id.to_owned(),
            aliases: key.key.key.aliases().into_iter().map(str::to_owned).collect(),
            class: key.class().to_owned(),
            confirmed: key.key.outcome.confirmed,
            rotation_deadline: key.deadline.map(|time| time.to_string()),
            applications: key.applications.clone(),
            owner: key.owner.clone(),
            key_spec: (facts.grade(KEY_SPEC) != Grade::Unknown).then(|| spec.show(facts.get(KEY_SPEC))),
        }
    }

    fn conditions(&self, keys: &[&Candidate<'_>]) -> Vec<Condition> {
        let book = &self.diagnosis.rulebook;
        let mut conditions: BTreeMap<(&str, Words), Asked> = BTreeMap::new();
        for key in keys {
            let outcome = key.key.outcome;
            if key.key.key.aside().grade(KEY_SPEC) == Grade::Unknown {
                let spec = &book.facts[KEY_SPEC.index()];
                let confirm = Words::new(
                    "Confirm that the instance offers the spec of the key, which the inventory does not say",
                    "清单未注明密钥规格：请确认目标实例支持该规格",
                );
                let command = Some(spec.settle.command).filter(|command| !command.is_empty()).map(str::to_owned);
                conditions.entry((&spec.name, confirm)).or_insert((command, Vec::new())).1.push(key.key_id.to_owned());
            }
            for fact in outcome.conditions() {
                let spec = &book.facts[fact.index()];
                let [en, zh] = [Lang::En, Lang::Zh].map(|lang| words::condition(book, outcome, fact, lang));
                let command = Some(spec.settle.command).filter(|command| !command.is_empty()).map(str::to_owned);
                let of = conditions.entry((&spec.name, Words { en, zh })).or_insert((command, Vec::new()));
                of.1.push(key.key_id.to_owned());
            }
        }
        let condition = |(fact, confirm): (&str, Words), (command, keys): Asked| Condition {
            fact: fact.to_owned(),
            confirm,
            command,
            keys,
        };
        conditions.into_iter().map(|(of, asked)| condition(of, asked)).collect()
    }
}

/// How busy some keys are together; nothing if nobody knows.
fn week_of<'c, 'd: 'c>(keys: impl Iterator<Item = &'c Candidate<'d>>) -> Option<[f64; 168]> {
    let weeks: Vec<&Week> = keys.filter_map(|key| key.week.as_ref()).collect();
    (!weeks.is_empty()).then(|| Week::sum(weeks.into_iter()))
}

/// That no instance fits a batch is an error, unless no instances were named at all.
fn without_instance(draft: &Draft<'_>, wanted: &Wanted) -> Option<Problem> {
    (draft.instance.is_none() && wanted.instances.is_some()).then(|| Problem {
        severity: Severity::Error,
        batch: Some(draft.id.clone()),
        text: Words::new(
            "No instance that was named fits, so there is no window: see what to buy, or name further instances",
            "提供的实例均不合适，因此没有窗口：请参见采购建议，或提供更多实例",
        ),
        keys: Vec::new(),
    })
}

fn rotating_at_unknown(draft: &Draft<'_>, keys: &[&Candidate<'_>]) -> Option<Problem> {
    let unknown = keys.iter().filter(|key| key.rotates_at_unknown()).map(|key| key.key_id.to_owned());
    let keys: Vec<String> = unknown.collect();
    (!keys.is_empty()).then(|| Problem {
        severity: Severity::Warning,
        batch: Some(draft.id.clone()),
        text: Words::new(
            "Rotation of these keys is on, and nobody says when the next one is, which blocks them for good: disable it at once",
            "这些密钥已开启轮转且下次轮转时间未知，一旦轮转将永久无法迁移：请立即关闭轮转",
        ),
        keys,
    })
}
