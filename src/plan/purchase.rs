//! What to buy where no instance fits.

use std::collections::{BTreeMap, BTreeSet};

use super::candidate::{Candidate, Needs};
use super::grouping::Unit;
use super::load::{Week, peak_per_second};
use super::model::{InstanceKind, Purchase, Words};

/// The steps in which calls a second are sold (KMS FAQ of 2025).
const STEPS: [u64; 3] = [1000, 2000, 4000];

/// The last of them.
const LARGEST: u64 = STEPS[STEPS.len() - 1];

/// Units without an instance, with the batch of each.
type Waiting<'u> = Vec<&'u (&'u Unit, String)>;

/// What to buy for units without an instance: units by account, region and type.
pub(super) fn purchases(without: &[(&Unit, String)], candidates: &[Candidate<'_>], given: bool) -> Vec<Purchase> {
    let mut groups: BTreeMap<(&str, &str, InstanceKind), Waiting<'_>> = BTreeMap::new();
    for entry in without {
        let kind = match entry.0.kind.needs {
            Needs::Any => InstanceKind::Software,
            Needs::HsmToStay | Needs::Hardware => InstanceKind::Hardware,
        };
        groups.entry((&entry.0.kind.account, &entry.0.kind.region, kind)).or_default().push(entry);
    }
    let of: BTreeSet<(&str, &str, InstanceKind)> = groups.keys().copied().collect();
    let purchase = |(account, region, kind): (&str, &str, InstanceKind), entries: Waiting<'_>| {
        let keys: Vec<usize> = entries.iter().flat_map(|(unit, _)| unit.keys.iter().copied()).collect();
        let weeks = || keys.iter().filter_map(|key| candidates[*key].week.as_ref());
        let peak = weeks().next().is_some().then(|| peak_per_second(&Week::sum(weeks())));
        let vpcs: BTreeSet<&String> = keys.iter().flat_map(|key| &candidates[*key].vpcs).collect();
        let batches: BTreeSet<&String> = entries.iter().map(|(_, batch)| batch).collect();
        Purchase {
            account_id: Some(account.to_owned()).filter(|account| !account.is_empty()),
            region: region.to_owned(),
            kind,
            key_versions: keys.len() as u64,
            qps: peak.map(|peak| STEPS.into_iter().find(|step| *step >= peak).unwrap_or(LARGEST)),
            vpcs: Some(vpcs.len() as u64).filter(|count| *count > 0),
            why: {
                let is_also = of.contains(&(account, region, InstanceKind::Hardware));
                let or_hardware = (kind == InstanceKind::Software && is_also).then(or_hardware);
                let more = peak.and_then(beyond_steps).into_iter().chain(or_hardware);
                more.fold(why(kind, given, &keys, candidates), |why, more| {
                    Words::new(why.en + &more.en, why.zh + &more.zh)
                })
            },
            batches: batches.into_iter().cloned().collect(),
        }
    };
    groups.into_iter().map(|(of, entries)| purchase(of, entries)).collect()
}

/// That no step suffices for so many calls a second.
fn beyond_steps(peak: u64) -> Option<Words> {
    let instances = peak.div_ceil(LARGEST);
    (peak > LARGEST).then(|| {
        Words::new(
            format!("; the estimated peak is {peak} calls per second, more than the largest step: buy {instances} such instances, or ask support"),
            format!("；估计峰值为每秒 {peak} 次，超过最大规格：请购买 {instances} 个实例，或咨询技术支持"),
        )
    })
}

/// That keys for a software instance may go to the hardware instance that others need.
fn or_hardware() -> Words {
    Words::new(
        "; the hardware instance that has to be bought as well can take these keys, too, if it is made for all",
        "；另需购买的硬件实例如配额足够，也可容纳这些密钥",
    )
}

fn why(kind: InstanceKind, given: bool, keys: &[usize], candidates: &[Candidate<'_>]) -> Words {
    let (mut en, mut zh) = match given {
        false => (
            "No KMS instances were named (--destinations); if none of yours fits, buy one".to_owned(),
            "未提供 KMS 实例（--destinations）；如没有合适的实例，请购买".to_owned(),
        ),
        true => (
            "No instance of this account and region that is connected has the type and the room".to_owned(),
            "该账号和地域没有已连接且类型、配额均满足的实例".to_owned(),
        ),
    };
    let specs = keys.iter().filter(|key| candidates[**key].needs == Needs::Hardware).count();
    if kind == InstanceKind::Hardware {
        if specs > 0 {
            en += &format!("; {specs} key(s) have a spec that only hardware instances offer");
            zh += &format!("；{specs} 个密钥的规格仅硬件密钥管理实例支持");
        }
        if let hsm @ 1.. = keys.len() - specs {
            en += &format!(
                "; {hsm} key(s) have the protection level HSM: if nobody requires that, a software instance will do for these"
            );
            zh += &format!("；{hsm} 个密钥的保护级别为 HSM：如无此要求，软件密钥管理实例即可");
        }
    }
    Words { en, zh }
}
