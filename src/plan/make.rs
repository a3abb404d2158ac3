//! A diagnosis to a plan.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan as _};

use super::assign::{Pool, purchases};
use super::calendar::Calendar;
use super::candidate::{BY_DESTINATION, Candidate, LeftOut, MIGRATABLE, Needs, ROTATES, candidates};
use super::grouping::{Kind, Unit, hash, parted, units};
use super::instance::Instance;
use super::lists;
use super::load::{Week, average, calls_between, peak_per_second};
use super::model::{
    Basis, Batch, Condition, FORMAT, InstanceKind, Load, Plan, PlannedKey, RulebookName, Settings, StepBefore, Summary,
    Window, Words,
};
use super::schedule::{Job, Schedule};
use super::work::{Problem, Severity};
use crate::diagnose::Diagnosis;
use crate::domains::cmk::facts::KEY_SPEC;
use crate::engine::facts::{Grade, Lang};
use crate::usage::time::HOUR;
use crate::write::words;

/// What was decided before planning.
#[derive(Debug)]
pub struct Wanted {
    /// The moment to which dates refer.
    pub now: Timestamp,
    /// The instances to which keys can go; nothing if none were named.
    pub instances: Option<Vec<Instance>>,
    /// When keys may be migrated; nothing if they may at any time.
    pub calendar: Option<Calendar>,
    /// How long a window is, in seconds.
    pub window: i64,
    /// A batch has no more keys; nothing means as many as the rulebook says.
    pub keys_per_batch: Option<u32>,
    /// An earlier plan, whose windows stay where they are still good.
    pub earlier: Option<Plan>,
}

/// No window begins earlier than so long after the plan was made, unless the calendar says so: somebody has to read the ticket.
const LEAD: i64 = 24 * HOUR;

/// The plan of a diagnosis.
pub fn plan(diagnosis: &Diagnosis, wanted: &Wanted) -> Plan {
    let always = Calendar::always();
    let calendar = wanted.calendar.as_ref().unwrap_or(&always);
    let keys_per_batch = wanted.keys_per_batch.unwrap_or_else(|| limit(diagnosis, "keys_per_batch", 50));
    let months = limit(diagnosis, "months_to_change_applications", 1);
    let first = first_moment(wanted, calendar);
    let (candidates, left_out) = candidates(diagnosis);
    let schedule = Schedule::new(calendar, first, wanted.window);
    let first_end = schedule.first_end().unwrap_or(first + wanted.window);
    let units = units(&candidates, keys_per_batch as usize, first_end);
    let none = Vec::new();
    let first_end = Timestamp::from_second(first_end).unwrap_or(wanted.now);
    let mut pool = Pool::new(wanted.instances.as_ref().unwrap_or(&none), first_end);
    let assigned = pool.assign(&units, &candidates);
    let mut drafts = drafts(&assigned, keys_per_batch as usize);
    // What rotates first gets its window first.
    let deadline = |draft: &Draft<'_>| draft.keys.iter().filter_map(|key| candidates[*key].deadline).min();
    drafts.sort_by_cached_key(|draft| (draft.kind.rotates, deadline(draft), draft.id.clone()));
    let mut of_application: BTreeMap<(&str, &str, &str), BTreeSet<&str>> = BTreeMap::new();
    for draft in &drafts {
        for application in draft.keys.iter().flat_map(|key| &candidates[*key].applications) {
            let scope = (draft.kind.account.as_str(), draft.kind.region.as_str(), application.as_str());
            of_application.entry(scope).or_default().insert(&draft.id);
        }
    }
    let mut planner = Planner {
        diagnosis,
        candidates: &candidates,
        calendar,
        wanted,
        months,
        schedule,
        earlier: earlier(wanted),
        problems: Vec::new(),
    };
    let kept: Vec<Option<(i64, i64)>> = drafts.iter().map(|draft| planner.keep(draft)).collect();
    let mut batches: Vec<Batch> = drafts.iter().zip(kept).map(|(draft, kept)| planner.batch(draft, kept)).collect();
    for batch in &mut batches {
        let account = batch.account_id.as_deref().unwrap_or_default();
        let is_split = |name: &&String| {
            of_application.get(&(account, &batch.region, name)).is_some_and(|batches| batches.len() > 1)
        };
        batch.split_applications = batch.applications.iter().filter(is_split).cloned().collect();
    }
    let mut problems = planner.problems;
    problems.extend(general_problems(diagnosis, wanted, &candidates));
    problems.sort();
    batches.sort_by(|one, other| order(one).cmp(&order(other)));
    let keys_of = |id: &str| {
        let of = drafts.iter().filter(|draft| draft.instance.as_deref() == Some(id));
        of.flat_map(|draft| draft.keys.iter().copied()).collect()
    };
    let without: Vec<(&Unit, String)> = drafts
        .iter()
        .filter(|draft| draft.instance.is_none())
        .flat_map(|draft| draft.units.iter().map(|unit| (*unit, draft.id.clone())))
        .collect();
    let is_hardware = |instance: &&Instance| instance.kind == Some(InstanceKind::Hardware);
    let hardware = wanted.instances.iter().flatten().filter(is_hardware).map(|instance| instance.id.as_str());
    let as_of = wanted.now.round(jiff::Unit::Second).unwrap_or(wanted.now).to_string();
    let context = lists::Context { now: &as_of, hardware: hardware.collect() };
    let mut plan = Plan {
        format: FORMAT.to_owned(),
        digest: String::new(),
        as_of: as_of.clone(),
        rulebook: RulebookName {
            domain: diagnosis.rulebook.domain.name.to_owned(),
            edition: diagnosis.rulebook.edition.to_string(),
            digest: format!("sha256:{}", diagnosis.rulebook.digest),
        },
        settings: Settings {
            keys_per_batch,
            window_minutes: u32::try_from(wanted.window / 60).unwrap_or(u32::MAX),
            time_zone: calendar.zone_name.clone(),
            has_calendar: wanted.calendar.is_some(),
            has_usage_evidence: diagnosis.evidence.is_some(),
            months_to_change_applications: months,
            assumed: assumed(diagnosis),
        },
        summary: summary(diagnosis, &batches, &left_out),
        destinations: pool.destinations(keys_of, &candidates),
        purchases: purchases(&without, &candidates, wanted.instances.is_some()),
        consultations: lists::consultations(diagnosis),
        worklists: lists::worklists(diagnosis, &batches, &left_out, &context),
        unlocks: lists::unlocks(diagnosis),
        problems,
        batches,
    };
    plan.seal();
    plan
}

/// The value of a limit that a card sets.
fn limit(diagnosis: &Diagnosis, name: &str, otherwise: u32) -> u32 {
    let limits = diagnosis.rulebook.pages.iter().filter_map(|page| page.card.limit.as_ref());
    let value = limits.filter(|limit| limit.name == name).find_map(|limit| u32::try_from(limit.value).ok());
    value.filter(|value| *value > 0).unwrap_or(otherwise)
}

fn assumed(diagnosis: &Diagnosis) -> Vec<String> {
    let each = diagnosis.settings.assume.iter().map(|(fact, bits)| {
        let spec = &diagnosis.rulebook.facts[fact.index()];
        format!("{}={}", spec.name, spec.show(*bits))
    });
    each.collect()
}

/// When the first window may begin.
fn first_moment(wanted: &Wanted, calendar: &Calendar) -> i64 {
    let now = wanted.now.as_second();
    // Whoever names a day that lies ahead means it.
    let earliest = calendar.earliest.map(Timestamp::as_second).filter(|earliest| *earliest > now);
    (earliest.unwrap_or(now + LEAD) + HOUR - 1).div_euclid(HOUR) * HOUR
}

/// The windows of an earlier plan, by instance and key.
fn earlier(wanted: &Wanted) -> BTreeMap<(&str, &str), (&str, (i64, i64))> {
    let second = |time: &str| time.parse::<Timestamp>().ok().map(Timestamp::as_second);
    let mut windows = BTreeMap::new();
    for batch in wanted.earlier.iter().flat_map(|plan| &plan.batches) {
        let (Some(instance), Some(window)) = (&batch.destination, &batch.window) else { continue };
        let (Some(start), Some(end)) = (second(&window.start), second(&window.end)) else { continue };
        for key in &batch.keys {
            windows.insert((instance.as_str(), key.key_id.as_str()), (batch.id.as_str(), (start, end)));
        }
    }
    windows
}

/// A batch before it has a window.
struct Draft<'u> {
    id: String,
    kind: Kind,
    instance: Option<String>,
    units: Vec<&'u Unit>,
    /// The candidates, by number.
    keys: Vec<usize>,
}

fn drafts<'u>(assigned: &'u [(Unit, Option<&str>)], keys_per_batch: usize) -> Vec<Draft<'u>> {
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
struct Planner<'p, 'd> {
    diagnosis: &'d Diagnosis,
    candidates: &'p [Candidate<'d>],
    calendar: &'p Calendar,
    wanted: &'p Wanted,
    months: u32,
    schedule: Schedule<'p>,
    /// The batches of an earlier plan with their windows, by instance and the id of each key; each is kept once.
    earlier: BTreeMap<(&'p str, &'p str), (&'p str, (i64, i64))>,
    problems: Vec<Problem>,
}

impl Planner<'_, '_> {
    /// The window that most of the keys had in an earlier plan, if it is still good and free.
    fn keep(&mut self, draft: &Draft<'_>) -> Option<(i64, i64)> {
        let instance = draft.instance.as_deref()?;
        let mut votes: BTreeMap<(&str, (i64, i64)), usize> = BTreeMap::new();
        for key in &draft.keys {
            if let Some(had) = self.earlier.get(&(instance, self.candidates[*key].key_id)) {
                *votes.entry(*had).or_default() += 1;
            }
        }
        let ((_, span), _) = votes.into_iter().max_by_key(|(_, count)| *count)?;
        let before = self.before(draft, instance).into_iter().flatten().min();
        self.schedule.keep(&Job { instance: instance.to_owned(), before, week: None }, span)
    }

    /// Before when the window of a batch has to end: when its instance does, and when its first key rotates.
    fn before(&self, draft: &Draft<'_>, instance: &str) -> [Option<i64>; 2] {
        let named = self.wanted.instances.iter().flatten().find(|named| named.id == instance);
        let deadline = draft.keys.iter().filter_map(|key| self.candidates[*key].deadline).min();
        [named.and_then(|named| named.expires), deadline].map(|time| time.map(Timestamp::as_second))
    }

    fn batch(&mut self, draft: &Draft<'_>, kept: Option<(i64, i64)>) -> Batch {
        let mut keys: Vec<&Candidate<'_>> = draft.keys.iter().map(|key| &self.candidates[*key]).collect();
        keys.sort_by_key(|key| key.key_id);
        let deadline = keys.iter().filter_map(|key| key.deadline).min();
        let weeks = || keys.iter().filter_map(|key| key.week.as_ref());
        let week = weeks().next().is_some().then(|| Week::sum(weeks()));
        let span = kept.or_else(|| self.span(draft, draft.instance.as_ref()?, week, &keys));
        self.problems.extend(without_instance(draft, self.wanted));
        self.problems.extend(rotating_at_unknown(draft, &keys));
        let load = week.map(|week| Load {
            calls_in_window: span.map(|(start, end)| calls_between(&week, start, end).ceil() as u64),
            calls_in_average_window: average(&week, self.wanted.window).ceil() as u64,
            peak_per_second: peak_per_second(&week),
        });
        let basis = if week.is_some() { Basis::Evidence } else { Basis::Calendar };
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
            conditions: self.conditions(&keys),
            keys: keys.iter().map(|key| planned(key)).collect(),
            load,
        }
    }

    /// The slot of a batch; what is wrong with it is a problem.
    fn span(
        &mut self,
        draft: &Draft<'_>,
        instance: &str,
        week: Option<[f64; 168]>,
        keys: &[&Candidate<'_>],
    ) -> Option<(i64, i64)> {
        let [expires, deadline] = self.before(draft, instance);
        let before = [expires, deadline].into_iter().flatten().min();
        let mut take = |before| self.schedule.take(&Job { instance: instance.to_owned(), before, week });
        let mut problem = |text: Words, keys: Vec<String>| {
            self.problems.push(Problem { severity: Severity::Error, batch: Some(draft.id.clone()), text, keys });
        };
        let ids = |keys: &mut dyn Iterator<Item = &&Candidate<'_>>| keys.map(|key| key.key_id.to_owned()).collect();
        if let Some(span) = take(before) {
            return Some(span);
        }
        let span = deadline.and_then(|_| take(expires));
        match span {
            Some((_, end)) => {
                let late = |key: &&&Candidate<'_>| key.deadline.is_some_and(|deadline| deadline.as_second() < end);
                problem(
                    Words::new(
                        "These keys rotate before a window is free, and are blocked for good then: disable their rotation at once \
                         (list disable-rotation), and plan again with an inventory that says so; or allow an earlier window",
                        "这些密钥在有可用窗口之前就会轮转，此后将永久无法迁移：请立即关闭其自动轮转（见 disable-rotation 清单）并\
                         用更新后的清单重新制定计划，或允许更早的窗口",
                    ),
                    ids(&mut keys.iter().filter(late)),
                );
            }
            None => problem(
                Words::new(
                    "There is no free slot within what the calendar allows, before the instance ends: allow more hours or days, \
                     shorten the windows, or name further instances",
                    "在日历允许的时间内、实例到期之前没有可用窗口：请放宽时间、缩短窗口或增加实例",
                ),
                ids(&mut keys.iter()),
            ),
        }
        span
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
        let mut steps: BTreeMap<&str, (Words, Vec<String>)> = BTreeMap::new();
        for key in keys {
            let actions = key.key.outcome.judgement.unlocks.first().into_iter().flatten().copied();
            let advised = key.key.advisories();
            let advised = advised.iter().copied();
            for card in actions.chain(advised).map(|card| book.card(card)) {
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
                steps.entry(&card.id).or_insert_with(|| (words(), Vec::new())).1.push(key.key_id.to_owned());
            }
        }
        steps.into_iter().map(|(rule, (what, keys))| StepBefore { rule: rule.to_owned(), what, keys }).collect()
    }

    fn conditions(&self, keys: &[&Candidate<'_>]) -> Vec<Condition> {
        let book = &self.diagnosis.rulebook;
        let mut conditions: BTreeMap<(&str, Words), (Option<String>, Vec<String>)> = BTreeMap::new();
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
        let condition = |((fact, confirm), (command, keys)): ((&str, Words), (Option<String>, Vec<String>))| {
            Condition { fact: fact.to_owned(), confirm, command, keys }
        };
        conditions.into_iter().map(condition).collect()
    }
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

fn planned(key: &Candidate<'_>) -> PlannedKey {
    PlannedKey {
        key_id: key.key_id.to_owned(),
        aliases: key.key.key.aliases().into_iter().map(str::to_owned).collect(),
        class: key.class().to_owned(),
        confirmed: key.key.outcome.confirmed,
        rotation_deadline: key.deadline.map(|time| time.to_string()),
        applications: key.applications.clone(),
        owner: key.owner.clone(),
    }
}

/// Batches with windows come first, in order of time.
fn order(batch: &Batch) -> (bool, Option<&str>, &str, &str) {
    let start = batch.window.as_ref().map(|window| window.start.as_str());
    (start.is_none(), start, &batch.region, &batch.id)
}

fn summary(diagnosis: &Diagnosis, batches: &[Batch], left_out: &[LeftOut<'_>]) -> Summary {
    let tally = &diagnosis.tally;
    let of = |names: &[&str]| -> u64 {
        let classes = diagnosis.rulebook.domain.classes.iter().zip(tally.confirmed.iter().zip(&tally.conditional));
        classes.filter(|(class, _)| names.contains(&class.name)).map(|(_, (one, other))| one + other).sum()
    };
    let keys = || batches.iter().flat_map(|batch| &batch.keys);
    let windows = || batches.iter().filter_map(|batch| batch.window.as_ref());
    Summary {
        keys: diagnosis.survey.len() as u64,
        planned: keys().count() as u64,
        conditional: keys().filter(|key| !key.confirmed).count() as u64,
        rotation_to_disable: keys().filter(|key| key.class == ROTATES).count() as u64,
        not_migrated: diagnosis.survey.len() as u64 - tally.undetermined - of(&["blocked", MIGRATABLE, ROTATES]),
        blocked: of(&["blocked"]),
        undetermined: tally.undetermined,
        left_out: left_out.len() as u64,
        rejected_records: diagnosis.survey.account.rejected,
        batches: batches.len() as u64,
        first_window: windows().map(|window| window.start.clone()).min(),
        last_window: windows().map(|window| window.end.clone()).max(),
    }
}

fn general_problems(diagnosis: &Diagnosis, wanted: &Wanted, candidates: &[Candidate<'_>]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut warn = |en: String, zh: String| {
        problems.push(Problem { severity: Severity::Warning, batch: None, text: Words { en, zh }, keys: Vec::new() });
    };
    let nameless = candidates.iter().filter(|key| key.account.is_empty()).count();
    if nameless > 0 {
        warn(
            format!(
                "The inventory does not say of which account {nameless} planned key(s) are; those of one region are taken as of one account: add the column account_id if there are several"
            ),
            format!(
                "清单未注明 {nameless} 个待迁移密钥所属账号，同一地域的密钥按同一账号处理；如有多个账号，请补充 account_id 列"
            ),
        );
    }
    let rejected = diagnosis.survey.account.rejected;
    if rejected > 0 {
        warn(
            format!("{rejected} record(s) of the inventory were rejected; their keys are in no batch"),
            format!("清单中有 {rejected} 条记录被拒绝，其密钥未列入任何批次"),
        );
    }
    if wanted.instances.is_none() && !candidates.is_empty() {
        warn(
            "No KMS instances were named: no batch has a destination, so no batch has a window; name them with --destinations".to_owned(),
            "未提供 KMS 实例：所有批次均无目标实例和窗口；请使用 --destinations 提供".to_owned(),
        );
    }
    problems
}
