//! Whether an approved plan still holds: what of it today's inventory, instances and calendar contradict.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use super::assign::closed;
use super::candidate::{LeftOut, Needs, ROTATES, candidates, deadline};
use super::lists::DISABLE_ROTATION;
use super::make::{Wanted, plan};
use super::model::{Batch, InstanceKind, Plan, PlannedKey, Window, Words};
use super::work::{Problem, Severity};
use crate::diagnose::{Diagnosis, KeyOutcome};

/// What no longer holds of a plan; nothing if all does. Errors make batches useless, warnings want a look.
pub fn check(approved: &Plan, diagnosis: &Diagnosis, wanted: &Wanted) -> Vec<Problem> {
    let mut problems = Vec::new();
    if !approved.is_sealed() {
        problems.push(general(
            Severity::Error,
            "The digest of the plan is not that of its text: somebody changed it after it was written",
            "计划内容与其摘要不符：计划在生成后被修改",
        ));
    }
    if approved.rulebook.digest != format!("sha256:{}", diagnosis.rulebook.digest) {
        problems.push(general(
            Severity::Warning,
            "The plan was made with another rulebook; keys are judged by today's",
            "计划使用了不同的规则集；以下按当前规则集判定",
        ));
    }
    let today = plan(diagnosis, wanted);
    let keys = index(diagnosis);
    let destinations: HashMap<&str, &super::model::Destination> =
        today.destinations.iter().map(|destination| (destination.instance_id.as_str(), destination)).collect();
    let (candidates, left_out) = candidates(diagnosis, wanted.now);
    let needs: HashMap<(&str, &str), Needs> =
        candidates.iter().map(|key| ((key.region, key.key_id), key.needs)).collect();
    let left_out: HashMap<(&str, &str), &LeftOut<'_>> =
        left_out.iter().map(|left| ((left.key.key.region(), left.key.key.key_id()), left)).collect();
    let is_migrated = |batch: &Batch, key: &PlannedKey| {
        find(batch, key, &keys).is_some_and(|key| diagnosis.class_name(key.outcome.class) == MIGRATED)
    };
    let [approved_steps, todays_steps] = [approved, &today].map(steps);
    let no_steps = BTreeMap::new();
    let made = second(&approved.as_of).unwrap_or(i64::MIN / 4);
    let mut wanted_room: HashMap<&str, usize> = HashMap::new();
    for batch in &approved.batches {
        let left = batch.keys.iter().filter(|key| !is_migrated(batch, key)).count();
        *wanted_room.entry(batch.destination.as_deref().unwrap_or_default()).or_default() += left;
    }
    for batch in &approved.batches {
        let mut found: BTreeMap<(Severity, Words), Vec<String>> = BTreeMap::new();
        for key in &batch.keys {
            for (severity, words) in of_key(batch, key, &keys, (made, wanted.now)) {
                found.entry((severity, words)).or_default().push(key.key_id.clone());
            }
            let of = (batch.region.as_str(), key.key_id.as_str());
            let known = approved_steps.get(&of).unwrap_or(&no_steps);
            for (rule, what) in
                todays_steps.get(&of).into_iter().flatten().filter(|(rule, _)| !known.contains_key(*rule))
            {
                // That its class is another is told already.
                if *rule != DISABLE_ROTATION {
                    let text = Words::new(
                        format!("To be decided or done now, and not when the plan was made: {}", what.en),
                        format!("制定计划之后新增的待办：{}", what.zh),
                    );
                    found.entry((Severity::Warning, text)).or_default().push(key.key_id.clone());
                }
            }
        }
        // What was carried out need not hold any more.
        if !batch.keys.iter().all(|key| is_migrated(batch, key)) {
            for (severity, words) in of_batch(batch, &destinations, &wanted_room, wanted) {
                found.entry((severity, words)).or_default();
            }
            found.extend(overlaps(batch, approved).map(|told| (told, Vec::new())));
            let kind = batch.destination.as_deref().and_then(|id| destinations.get(id)).and_then(|found| found.kind);
            for key in &batch.keys {
                let of = (batch.region.as_str(), key.key_id.as_str());
                let told = left_out.get(&of).map(|left| {
                    let en = format!("It would be left out today: {}", left.title.en);
                    (Severity::Error, Words::new(en, format!("现在不会列入计划：{}", left.title.zh)))
                });
                let told = told.or_else(|| unfit(*needs.get(&of)?, kind));
                told.into_iter().for_each(|told| found.entry(told).or_default().push(key.key_id.clone()));
            }
        }
        let problem = |((severity, text), keys)| Problem { severity, batch: Some(batch.id.clone()), text, keys };
        problems.extend(found.into_iter().map(problem));
    }
    problems.extend(new_keys(approved, &today));
    problems.extend(new_remarks(approved, &today));
    problems.sort();
    problems
}

/// What is to be decided or done with keys before their windows, by region and id.
fn steps(plan: &Plan) -> HashMap<(&str, &str), BTreeMap<&str, &Words>> {
    let mut steps: HashMap<(&str, &str), BTreeMap<&str, &Words>> = HashMap::new();
    for batch in &plan.batches {
        for step in &batch.steps_before {
            for key in &step.keys {
                steps.entry((&batch.region, key)).or_default().insert(&step.rule, &step.what);
            }
        }
    }
    steps
}

/// That an instance has another batch at the same time.
fn overlaps(batch: &Batch, approved: &Plan) -> Option<(Severity, Words)> {
    let (start, end) = batch.window.as_ref().and_then(Window::span)?;
    let is_at_once = |other: &&Batch| {
        let span = other.window.as_ref().and_then(Window::span);
        other.id != batch.id
            && other.destination == batch.destination
            && span.is_some_and(|(first, last)| first < end && start < last)
    };
    // The batches of a plan stand in order of their windows.
    let at = approved.batches.iter().position(|other| other.id == batch.id)?;
    let near = approved
        .batches
        .iter()
        .skip(at + 1)
        .take_while(|other| other.window.as_ref().and_then(Window::span).is_some_and(|(first, _)| first < end));
    let other = near.into_iter().find(is_at_once)?;
    Some((
        Severity::Error,
        Words::new(
            format!("Its window overlaps that of {} in the same instance", other.id),
            format!("其窗口与同一实例的批次 {} 重叠", other.id),
        ),
    ))
}

/// What is to be known of instances that get keys now, and was not when the plan was made.
fn new_remarks(approved: &Plan, today: &Plan) -> Vec<Problem> {
    let told: HashMap<&str, &[Words]> =
        approved.destinations.iter().map(|known| (known.instance_id.as_str(), &known.remarks[..])).collect();
    let used = today.destinations.iter().filter(|destination| {
        approved.batches.iter().any(|batch| batch.destination.as_ref() == Some(&destination.instance_id))
    });
    let new = used.flat_map(|destination| {
        let known = told.get(destination.instance_id.as_str()).copied().unwrap_or_default();
        let new = destination.remarks.iter().filter(move |remark| !known.contains(remark));
        // What takes no keys is told of each batch.
        new.filter(|remark| !remark.en.starts_with(super::assign::CLOSED)).map(move |remark| (destination, remark))
    });
    new.map(|(destination, remark)| Problem {
        severity: Severity::Warning,
        batch: None,
        text: Words::new(
            format!("{}: {}", destination.instance_id, remark.en),
            format!("{}：{}", destination.instance_id, remark.zh),
        ),
        keys: Vec::new(),
    })
    .collect()
}

/// The class of keys that are in a KMS instance already.
const MIGRATED: &str = "not-required";

/// That a key needs another type of instance.
fn unfit(needs: Needs, kind: Option<InstanceKind>) -> Option<(Severity, Words)> {
    match (needs, kind) {
        (Needs::Hardware, Some(InstanceKind::Software)) => Some((
            Severity::Error,
            Words::new(
                "Only a hardware instance offers its spec, and the destination is none",
                "其规格仅硬件密钥管理实例支持，而目标并非硬件实例",
            ),
        )),
        (Needs::HsmToStay, Some(InstanceKind::Software)) => Some((
            Severity::Warning,
            Words::new(
                "Its protection level is HSM, which drops to SOFTWARE in the destination",
                "其保护级别为 HSM，迁入目标实例后降为 SOFTWARE",
            ),
        )),
        _ => None,
    }
}

/// The key as it is today. Where one of the two does not say of which account it is, region and id tell.
fn find<'k, 'd>(batch: &'k Batch, planned: &'k PlannedKey, keys: &'k Index<'d>) -> Option<&'k KeyOutcome<'d>> {
    let of_id = keys.get(&(batch.region.as_str(), planned.key_id.as_str()))?;
    let account = batch.account_id.as_deref().unwrap_or_default();
    let agrees = |key: &&KeyOutcome<'_>| {
        let other = key.key.account_id();
        account.is_empty() || other.is_empty() || account == other
    };
    of_id.iter().find(agrees)
}

fn general(severity: Severity, en: &str, zh: &str) -> Problem {
    Problem { severity, batch: None, text: Words::new(en, zh), keys: Vec::new() }
}

/// Keys by region and id.
type Index<'d> = HashMap<(&'d str, &'d str), Vec<KeyOutcome<'d>>>;

fn index(diagnosis: &Diagnosis) -> Index<'_> {
    let mut keys: Index<'_> = HashMap::new();
    for key in diagnosis.outcomes() {
        keys.entry((key.key.region(), key.key.key_id())).or_default().push(key);
    }
    keys
}

/// So long before its window, in seconds, a key whose rotation is still on is an error; of plans that were made shortly before it,
/// when half of that time has passed.
const LAST_CALL: i64 = 86_400;

fn of_key(
    batch: &Batch,
    planned: &PlannedKey,
    keys: &Index<'_>,
    (made, now): (i64, Timestamp),
) -> Vec<(Severity, Words)> {
    let Some(key) = find(batch, planned, keys) else {
        let rejected = keys.values().flatten().next().map_or(0, |key| key.diagnosis.survey.account.rejected);
        let text = match rejected {
            0 => Words::new("The inventory has no such key any more", "清单中已没有该密钥"),
            _ => Words::new(
                format!(
                    "The inventory has no such key any more, or it is among the {rejected} rejected records (--rejects)"
                ),
                format!("清单中已没有该密钥，或属于被拒绝的 {rejected} 条记录（--rejects）"),
            ),
        };
        return vec![(Severity::Error, text)];
    };
    let mut found = Vec::new();
    let class = key.diagnosis.class_name(key.outcome.class);
    let span = batch.window.as_ref().and_then(Window::span);
    let deadline = deadline(key, now);
    if class == MIGRATED {
        found.push((
            Severity::Warning,
            match &batch.destination {
                Some(destination) => Words::new(
                    format!("It is in a KMS instance now: migrated, it seems; see that this is {destination}"),
                    format!("已在 KMS 实例中：似已完成迁移；请确认该实例为 {destination}"),
                ),
                None => Words::new("It is in a KMS instance now: migrated, it seems", "已在 KMS 实例中：似已完成迁移"),
            },
        ));
    } else if class != planned.class {
        let is_better = class == super::candidate::MIGRATABLE;
        let severity = if is_better { Severity::Warning } else { Severity::Error };
        found.push((
            severity,
            Words::new(
                format!("It was {} when the plan was made, and is {class} now", planned.class),
                format!("制定计划时为 {}，现为 {class}", planned.class),
            ),
        ));
    } else if planned.confirmed && !key.outcome.confirmed {
        found.push((
            Severity::Warning,
            Words::new("Its verdict has open conditions now, which it had not", "判定现有待确认条件，此前没有"),
        ));
    }
    if class == ROTATES && planned.rotation_deadline.is_some() && deadline.is_none() {
        found.push((
            Severity::Warning,
            Words::new(
                "Nobody says any more when it rotates next, which blocks it for good: disable its rotation at once",
                "下次轮转时间已不可知，一旦轮转将永久无法迁移：请立即关闭轮转",
            ),
        ));
    }
    if let Some((start, _)) = span
        && class == ROTATES
        && planned.class == ROTATES
        && start - now.as_second() < LAST_CALL.min((start - made) / 2)
    {
        found.push((
            Severity::Error,
            Words::new(
                "Its rotation is still on, and its window begins within a day: disable its rotation, or the migration is refused",
                "其自动轮转仍未关闭，而窗口将在一天内开始：请先关闭轮转，否则无法迁移",
            ),
        ));
    }
    if let (Some(deadline), Some((_, end))) = (deadline, span)
        && deadline.as_second() < end
    {
        found.push((
            Severity::Error,
            Words::new(
                "It rotates before the window ends, and is blocked for good then: disable its rotation at once",
                "将在窗口结束前轮转，此后永久无法迁移：请立即关闭轮转",
            ),
        ));
    }
    found
}

fn of_batch(
    batch: &Batch,
    destinations: &HashMap<&str, &super::model::Destination>,
    wanted_room: &HashMap<&str, usize>,
    wanted: &Wanted,
) -> Vec<(Severity, Words)> {
    let mut found = Vec::new();
    let mut add = |severity, en: String, zh: String| found.push((severity, Words::new(en, zh)));
    let span = batch.window.as_ref().and_then(Window::span);
    if let Some((start, end)) = span {
        if start < wanted.now.as_second() {
            add(Severity::Error, "Its window has begun, or is past".into(), "窗口已开始或已过去".into());
        }
        if let Some(calendar) = &wanted.calendar {
            let open = calendar.open(start - 14 * 86_400, end + 14 * 86_400);
            if !open.iter().any(|(first, last)| *first <= start && end <= *last) {
                add(
                    Severity::Error,
                    "The calendar does not allow its window any more".into(),
                    "日历已不允许该窗口".into(),
                );
            }
        }
    }
    if batch.destination.is_none() || batch.window.is_none() {
        add(
            Severity::Warning,
            "It has no destination or no window, so no ticket can be written for it".into(),
            "没有目标实例或窗口，无法生成工单".into(),
        );
    }
    let (Some(id), true) = (&batch.destination, wanted.instances.is_some()) else { return found };
    let Some(destination) = destinations.get(id.as_str()) else {
        add(
            Severity::Error,
            format!("The instance {id} is not among those that were named"),
            format!("提供的实例中没有 {id}"),
        );
        return found;
    };
    if destination.region != batch.region {
        add(
            Severity::Error,
            format!("The instance {id} is in {}, and the keys are not", destination.region),
            format!("实例 {id} 位于 {}，与密钥不在同一地域", destination.region),
        );
    }
    if let (Some(one), Some(other)) = (&destination.account_id, &batch.account_id)
        && one != other
    {
        add(
            Severity::Error,
            format!("The instance {id} is of account {one}, and the keys are of {other}"),
            format!("实例 {id} 属于账号 {one}，密钥属于账号 {other}"),
        );
    }
    let all = wanted_room.get(id.as_str()).copied().unwrap_or_default();
    if let Some(free) = destination.free_versions.filter(|free| *free < all as u64) {
        add(
            Severity::Error,
            format!("The instance {id} takes {free} more key versions, and the plan gives it {all}"),
            format!("实例 {id} 还可容纳 {free} 个密钥版本，而计划分配了 {all} 个"),
        );
    }
    if let (Some(expires), Some((_, end))) = (destination.expires.as_deref().and_then(second), span)
        && expires < end
    {
        add(
            Severity::Error,
            format!("The instance {id} ends before the window does"),
            format!("实例 {id} 在窗口结束前到期"),
        );
    }
    // That it ends is told above, by the window of the batch.
    let instance = wanted.instances.iter().flatten().find(|instance| instance.id.eq_ignore_ascii_case(id));
    if let Some(remark) = instance.and_then(|instance| closed(instance, Timestamp::MIN)) {
        add(Severity::Error, format!("{id}: {}", remark.en), format!("{id}：{}", remark.zh));
    }
    found
}

fn second(time: &str) -> Option<i64> {
    time.parse::<Timestamp>().ok().map(Timestamp::as_second)
}

/// Keys that could be planned today and are not in the plan.
fn new_keys(approved: &Plan, today: &Plan) -> Option<Problem> {
    let known: std::collections::HashSet<(&str, &str)> = approved
        .batches
        .iter()
        .flat_map(|batch| batch.keys.iter().map(|key| (batch.region.as_str(), key.key_id.as_str())))
        .collect();
    let new = today.batches.iter().flat_map(|batch| batch.keys.iter().map(|key| (batch.region.as_str(), &key.key_id)));
    let keys: Vec<String> =
        new.filter(|(region, id)| !known.contains(&(*region, id.as_str()))).map(|(_, id)| id.clone()).collect();
    (!keys.is_empty()).then(|| Problem {
        severity: Severity::Warning,
        batch: None,
        text: Words::new(
            "These keys could be migrated, too, and are not in the plan",
            "以下密钥也可迁移，但未列入计划",
        ),
        keys,
    })
}
