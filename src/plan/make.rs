//! A diagnosis to a plan.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::assign::Pool;
use super::batch::{Draft, Planner, drafts, earlier};
use super::calendar::Calendar;
use super::candidate::{Candidate, LeftOut, MIGRATABLE, ROTATES, candidates};
use super::grouping::{Unit, units};
use super::instance::Instance;
use super::lists;
use super::model::{Batch, FORMAT, InstanceKind, Plan, RulebookName, Settings, Summary, Words};
use super::purchase::purchases;
use super::schedule::{Job, Schedule, Slot};
use super::work::{Problem, Severity};
use crate::diagnose::Diagnosis;
use crate::usage::time::HOUR;

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
    let (candidates, left_out) = candidates(diagnosis, wanted.now);
    let schedule = Schedule::new(calendar, first, wanted.now.as_second(), wanted.window);
    let first_end = schedule.first_end().unwrap_or(first + wanted.window);
    let earlier = earlier(wanted);
    let now = wanted.now.as_second();
    let still_in_time = |key: &Candidate<'_>| {
        let had = earlier.get(&(key.region, key.key_id)).and_then(|had| had.window);
        let had = had.filter(|((start, _), _)| *start >= now);
        had.zip(key.deadline).is_some_and(|(((_, end), _), deadline)| end <= deadline.as_second())
    };
    let units = units(&candidates, keys_per_batch as usize, first_end, still_in_time);
    let none = Vec::new();
    let first_end = Timestamp::from_second(first_end).unwrap_or(wanted.now);
    let mut pool = Pool::new(
        wanted.instances.as_ref().unwrap_or(&none),
        first_end,
        &earlier,
        wanted.earlier.as_ref(),
        &candidates,
    );
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
        earlier: &earlier,
        problems: Vec::new(),
    };
    let jobs: Vec<Option<Job>> = drafts.iter().map(|draft| planner.job(draft)).collect();
    let slots = schedule.slots(&jobs);
    let batch =
        |((draft, job), slot): ((&Draft<'_>, &Option<Job>), Option<Slot>)| planner.batch(draft, job.as_ref(), slot);
    let mut batches: Vec<Batch> = drafts.iter().zip(&jobs).zip(slots).map(batch).collect();
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
    let context = lists::Context { now: wanted.now, hardware: hardware.collect() };
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
