//! Whether a batch may be sent at all: what would make its ticket wrong, ambiguous or useless is told, all of it at once.

use std::collections::{BTreeSet, HashMap};

use crate::domains::spelling::{has_row_of_x, masks};
use crate::inventory::identity::arn_parts;
use crate::inventory::tidy::{is_given_by_kms, is_masked};
use crate::plan::model::{Batch, FORMAT, Plan};
use crate::plan::work::{Consultation, Severity};
use crate::write::safe::visible;

use super::times::Times;

/// So many keys are named in one reason; the others are counted.
const NAMED: usize = 5;

/// What is wrong with a plan as a whole, if anything.
pub(super) fn plan_problem(plan: &Plan) -> Option<String> {
    if plan.format != FORMAT {
        return Some(format!("its format is `{}`, and `{FORMAT}` is expected", visible(&plan.format)));
    }
    if !plan.is_sealed() {
        return Some(
            "its digest does not fit: it was changed after it was written, or written by another version; plan again"
                .to_owned(),
        );
    }
    let mut batches: HashMap<(&str, &str), &str> = HashMap::new();
    for batch in &plan.batches {
        for key in &batch.keys {
            let other = batches.insert((&batch.region, &key.key_id), &batch.id);
            if let Some(other) = other.filter(|other| *other != batch.id) {
                let (key, one, other) = (visible(&key.key_id), visible(&batch.id), visible(other));
                return Some(format!("the key {key} is in two batches, {other} and {one}; plan again"));
            }
        }
    }
    let is_time = plan.as_of.parse::<jiff::Timestamp>().is_ok();
    (!is_time).then(|| format!("its as_of is `{}`, which is no time in UTC", visible(&plan.as_of)))
}

/// Why no ticket is written for a batch.
pub(super) fn batch_problems(plan: &Plan, batch: &Batch) -> Vec<String> {
    let ids: Vec<&str> = batch.keys.iter().map(|key| key.key_id.as_str()).collect();
    let mut reasons = key_problems(&ids);
    let most = plan.settings.keys_per_batch;
    if ids.len() > most as usize {
        reasons.push(format!("it has {} keys, and the plan allows {most} in a batch; plan again", ids.len()));
    }
    reasons.extend(region_problems(batch));
    reasons.extend(account_problem(batch.account_id.as_deref()));
    reasons.extend(destination_problems(plan, batch));
    match &batch.window {
        None => reasons.push("it has no window; widen the calendar or the dates, and plan again".to_owned()),
        Some(window) => reasons.extend(Times::of(window).err()),
    }
    reasons.extend(planned_problems(plan, batch, &ids));
    reasons
}

/// Why no ticket is written for a consultation.
pub(super) fn consultation_problems(consultation: &Consultation) -> Vec<String> {
    let ids: Vec<&str> = consultation.keys.iter().map(|key| key.key_id.as_str()).collect();
    let mut reasons = key_problems(&ids);
    reasons.extend(account_problem(consultation.account_id.as_deref()));
    reasons
}

fn account_problem(account_id: Option<&str>) -> Option<String> {
    let masked = account_id.filter(|id| is_masked(id))?;
    Some(format!("the account `{}` is masked; give the UID in full", visible(masked)))
}

/// Some ids for a message.
fn named(ids: &[&str]) -> String {
    let shown: Vec<_> = ids.iter().take(NAMED).map(|id| visible(id)).collect();
    match ids.len().saturating_sub(NAMED) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Whether an id is one that the vendor understands: a UUID, or `key-…`, in full.
fn is_full_id(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    id.len() <= 64 && id.bytes().all(plain) && is_given_by_kms(id)
}

fn key_problems(ids: &[&str]) -> Vec<String> {
    if ids.is_empty() {
        return vec!["it has no keys".to_owned()];
    }
    let (mut seen, mut twice) = (BTreeSet::new(), BTreeSet::new());
    for id in ids {
        if !seen.insert(*id) {
            twice.insert(*id);
        }
    }
    let (arns, others): (Vec<&str>, Vec<&str>) = seen.into_iter().partition(|id| arn_parts(id).is_some());
    let (masked, others): (Vec<&str>, Vec<&str>) = others.into_iter().partition(|id| is_masked(id));
    let unknown: Vec<&str> = others.into_iter().filter(|id| !is_full_id(id)).collect();
    let twice: Vec<&str> = twice.into_iter().collect();
    let reasons = [
        (masked, "ids are masked, and the vendor needs them in full"),
        (arns, "these are ARNs, and the vendor needs the ids alone"),
        (unknown, "these are no key ids (a UUID, or key-…)"),
        (twice, "keys are named twice"),
    ];
    let told = reasons.into_iter().filter(|(ids, _)| !ids.is_empty());
    told.map(|(ids, why)| format!("{why}: {}", named(&ids))).collect()
}

/// The region of the batch, and those that ARNs of its keys and aliases name.
fn region_problems(batch: &Batch) -> Vec<String> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let mut reasons = Vec::new();
    if batch.region.is_empty() {
        reasons.push("it has no region; add the column region to the inventory, and plan again".to_owned());
    } else if batch.region.len() > 64 || !batch.region.bytes().all(plain) {
        reasons.push(format!("`{}` is no region", visible(&batch.region)));
    }
    let texts = batch.keys.iter().flat_map(|key| std::iter::once(&key.key_id).chain(&key.aliases));
    let regions: BTreeSet<&str> = texts.filter_map(|text| arn_parts(text)).map(|(region, _, _)| region).collect();
    let others: Vec<&str> = regions.into_iter().filter(|region| *region != batch.region).collect();
    if !others.is_empty() {
        reasons.push(format!("its keys are of several regions: {}, {}", visible(&batch.region), named(&others)));
    }
    reasons
}

fn destination_problems(plan: &Plan, batch: &Batch) -> Vec<String> {
    let Some(id) = batch.destination.as_deref().filter(|id| !id.trim().is_empty()) else {
        let waits = plan.purchases.iter().any(|purchase| purchase.batches.contains(&batch.id));
        let remedy =
            if waits { "buy what the plan says, add it to --destinations" } else { "add one to --destinations" };
        return vec![format!("it has no destination; {remedy}, and plan again")];
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if id.contains(masks) || id.contains("..") || has_row_of_x(id, 6) {
        return vec![format!("the destination `{}` is masked; give its id in full", visible(id))];
    }
    if id.len() > 64 || !id.chars().all(plain) {
        return vec![format!("the destination `{}` is no id of a KMS instance", visible(id))];
    }
    let mut reasons = Vec::new();
    let instance = plan.destinations.iter().find(|instance| instance.instance_id == id);
    if instance.is_none() {
        reasons.push(format!("the destination {id} is none of the destinations of the plan; plan again"));
    }
    if let Some(instance) = instance {
        if instance.region != batch.region {
            let (there, here) = (visible(&instance.region), visible(&batch.region));
            reasons.push(format!("the destination {id} is in {there}, and the keys are in {here}"));
        }
        if let (Some(there), Some(here)) = (&instance.account_id, &batch.account_id)
            && there != here
        {
            let (there, here) = (visible(there), visible(here));
            reasons.push(format!("the destination {id} is of account {there}, and the keys are of {here}"));
        }
    }
    reasons
}

/// Errors that the plan itself tells of the batch, or of its keys.
fn planned_problems(plan: &Plan, batch: &Batch, ids: &[&str]) -> Vec<String> {
    let errors = plan.problems.iter().filter(|problem| problem.severity == Severity::Error);
    let concerns = |problem: &&crate::plan::work::Problem| match &problem.batch {
        Some(id) => *id == batch.id,
        None => problem.keys.iter().any(|key| ids.contains(&key.as_str())),
    };
    errors.filter(concerns).map(|problem| format!("an error of the plan: {}", visible(&problem.text.en))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ids_in_full_are_ids() {
        for id in ["0f5a1c1e-8a51-4b0e-9a5e-3d0c6a7b1f01", "key-hzz62f1cb66fa42qo29iq"] {
            assert_eq!(key_problems(&[id]), [""; 0], "{id}");
        }
        for (id, why) in [
            ("0f5a****-****-****-****-********7b01", "masked"),
            ("0f5a1c1e-8a51-4b0e-9a5e", "masked"),
            ("key-hzz62f1cxxxxxxqo29iq", "masked"),
            ("acs:kms:cn-hangzhou:1:key/0f5a1c1e-8a51-4b0e-9a5e-3d0c6a7b1f01", "ARNs"),
            ("alias/orders", "no key ids"),
            ("", "no key ids"),
            ("key-hzz62f1cb66fa42 <b>q", "no key ids"),
        ] {
            let reasons = key_problems(&[id]);
            assert!(reasons.len() == 1 && reasons[0].contains(why), "{id}: {reasons:?}");
        }
        let twice = key_problems(&["key-hzz62f1cb66fa42qo29iq", "key-hzz62f1cb66fa42qo29iq"]);
        assert_eq!(twice, ["keys are named twice: key-hzz62f1cb66fa42qo29iq"]);
        assert_eq!(named(&["a", "b", "c", "d", "e", "f"]), "a, b, c, d, e and 1 more");
    }
}
