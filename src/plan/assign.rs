//! Which keys go to which instance.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::batch::Earlier;
use super::candidate::{Candidate, Needs};
use super::grouping::Unit;
use super::instance::Instance;
use super::load::{Week, peak_per_second};
use super::model::{Destination, InstanceKind, Plan, Words};

/// The image of a software instance has to be of this version or a later one (Migration Tool, "Migration operation").
const IMAGE: [u64; 3] = [2, 9, 0];

/// What ends within a quarter of a year, in seconds, ends soon.
const SOON: i64 = 92 * 86_400;

/// Instances with the keys that they get.
pub(super) struct Pool<'i> {
    instances: Vec<Open<'i>>,
    /// When the first window can have ended.
    first: Timestamp,
    earlier: &'i Earlier<'i>,
}

struct Open<'i> {
    instance: &'i Instance,
    /// Why it takes none.
    closed: Option<Words>,
    planned: u64,
    /// The account whose keys it gets, where nobody says whose it is itself.
    account: Option<String>,
}

impl Open<'_> {
    fn has_room_for(&self, keys: usize) -> bool {
        self.instance.free().is_none_or(|free| free.saturating_sub(self.planned) >= keys as u64)
    }
}

impl<'i> Pool<'i> {
    /// No instance has got a key; those that end before a moment get none.
    pub(super) fn new(
        instances: &'i [Instance],
        first: Timestamp,
        earlier: &'i Earlier<'i>,
        earlier_plan: Option<&Plan>,
        candidates: &[Candidate<'_>],
    ) -> Pool<'i> {
        let open = |instance| Open {
            instance,
            closed: closed(instance, first),
            planned: 0,
            account: instance.account.clone(),
        };
        let mut instances: Vec<Open<'i>> = instances.iter().map(open).collect();
        // Whose an instance was taken for, that it stays.
        for open in instances.iter_mut().filter(|open| open.account.is_none()) {
            let mut own = earlier_plan.iter().flat_map(|plan| &plan.batches);
            let own =
                own.find(|batch| batch.destination.as_ref() == Some(&open.instance.id) && batch.account_id.is_some());
            open.account = own.and_then(|batch| batch.account_id.clone());
        }
        let mut pool = Pool { instances, first, earlier };
        pool.give_accounts(candidates);
        pool
    }

    /// The instance for each unit, and for none if none fits; units are in the order of their kinds. A unit for which no
    /// instance has room is taken apart.
    pub(super) fn assign<'u>(
        &mut self,
        units: &'u [Unit],
        candidates: &[Candidate<'_>],
    ) -> Vec<(Unit, Option<&'i str>)> {
        let mut order: Vec<&'u Unit> = units.iter().collect();
        // What only hardware instances can take comes first, and then what rotates first: that HSM stays is a wish.
        let is_bound = |unit: &Unit| unit.kind.needs == Needs::Hardware;
        order.sort_by_cached_key(|unit| {
            let is_new = self.earlier_of(unit, candidates).is_none();
            (!is_bound(unit), unit.kind.rotates, Reverse(unit.kind.needs), is_new, unit.hash)
        });
        let mut assigned = Vec::new();
        for unit in order {
            match self.take(unit, candidates) {
                Some(id) => assigned.push((unit.clone(), Some(id))),
                None if unit.keys.len() > 1 => {
                    for key in &unit.keys {
                        let hash = super::grouping::hash(&[candidates[*key].key_id]);
                        let alone = Unit { kind: unit.kind.clone(), hash, keys: vec![*key] };
                        let id = self.take(&alone, candidates);
                        assigned.push((alone, id));
                    }
                }
                None => assigned.push((unit.clone(), None)),
            }
        }
        assigned
    }

    fn take(&mut self, unit: &Unit, candidates: &[Candidate<'_>]) -> Option<&'i str> {
        let vpcs: BTreeSet<&String> = unit.keys.iter().flat_map(|key| &candidates[*key].vpcs).collect();
        let had = self.earlier_of(unit, candidates);
        let soon = self.first.as_second() + SOON;
        let fits = |open: &&mut Open<'_>| {
            let of_account = open
                .account
                .as_deref()
                .is_none_or(|account| account == unit.kind.account || unit.kind.account.is_empty());
            open.closed.is_none()
                && open.instance.region == unit.kind.region
                && of_account
                && open.has_room_for(unit.keys.len())
        };
        let ranked = self.instances.iter_mut().filter(fits).filter_map(|open| {
            let rank = rank(unit.kind.needs, open.instance.kind)?;
            let unbound =
                vpcs.iter().filter(|vpc| open.instance.vpcs.as_ref().is_some_and(|bound| !bound.contains(**vpc)));
            let is_other = had != Some(open.instance.id.as_str());
            let ends_soon = open.instance.expires.is_some_and(|expires| expires.as_second() < soon);
            Some(((is_other, rank, ends_soon, unbound.count(), &open.instance.id), open))
        });
        let (_, open) = ranked.min_by(|(one, _), (other, _)| one.cmp(other))?;
        open.planned += unit.keys.len() as u64;
        Some(&open.instance.id)
    }

    /// The instance that an earlier plan gave most of the keys of a unit.
    fn earlier_of(&self, unit: &Unit, candidates: &[Candidate<'_>]) -> Option<&'i str> {
        let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
        for key in unit.keys.iter().map(|key| &candidates[*key]) {
            if let Some(had) = self.earlier.get(&(key.region, key.key_id)) {
                *votes.entry(had.instance).or_default() += 1;
            }
        }
        votes.into_iter().max_by_key(|(_, count)| *count).map(|(id, _)| id)
    }

    /// Gives each instance of which nobody says whose it is to an account: to that whose keys have least room elsewhere.
    fn give_accounts(&mut self, candidates: &[Candidate<'_>]) {
        let mut without_room: BTreeMap<(&str, &str), u64> = BTreeMap::new();
        for key in candidates.iter().filter(|key| !key.account.is_empty()) {
            *without_room.entry((key.region, key.account)).or_default() += 1;
        }
        let (own, nobodys): (Vec<&mut Open<'i>>, Vec<&mut Open<'i>>) =
            self.instances.iter_mut().filter(|open| open.closed.is_none()).partition(|open| open.account.is_some());
        let fill = |without_room: &mut BTreeMap<(&str, &str), u64>, open: &Open<'_>| {
            let of = |(region, account): &(&str, &str)| {
                *region == open.instance.region && open.account.as_deref() == Some(account)
            };
            for (_, keys) in without_room.iter_mut().filter(|(scope, _)| of(scope)) {
                *keys = open.instance.free().map_or(0, |free| keys.saturating_sub(free));
            }
        };
        own.into_iter().for_each(|open| fill(&mut without_room, open));
        for open in nobodys {
            let of_region = without_room.iter().filter(|((region, _), _)| *region == open.instance.region);
            let most = of_region.max_by_key(|((_, account), keys)| (**keys, Reverse(*account)));
            open.account = most.map(|((_, account), _)| (*account).to_owned());
            fill(&mut without_room, open);
        }
    }

    /// The instances as the plan has them.
    pub(super) fn destinations(
        &self,
        of: impl Fn(&str) -> Vec<usize>,
        candidates: &[Candidate<'_>],
    ) -> Vec<Destination> {
        let destination = |open: &Open<'_>| {
            let instance = open.instance;
            let keys = of(&instance.id);
            let weeks = || keys.iter().filter_map(|key| candidates[*key].week.as_ref());
            let peak = weeks().next().is_some().then(|| peak_per_second(&Week::sum(weeks())));
            let mut remarks: Vec<Words> = open.closed.iter().cloned().collect();
            if !candidates.is_empty() && !candidates.iter().any(|key| key.region == instance.region) {
                remarks.push(Words::new(
                    format!("No key that may go is in its region, {}", instance.region),
                    format!("没有可迁移的密钥位于其地域 {}", instance.region),
                ));
            }
            remarks.extend(remarks_of(open, self.first, &keys, candidates, peak));
            Destination {
                instance_id: instance.id.clone(),
                account_id: instance.account.clone(),
                region: instance.region.clone(),
                kind: instance.kind,
                free_versions: instance.free(),
                planned_versions: open.planned,
                qps: instance.qps,
                planned_peak_per_second: peak,
                expires: instance.expires.map(|time| time.to_string()),
                remarks,
            }
        };
        self.instances.iter().map(destination).collect()
    }
}

/// How well a type suits, the best first; nothing if it cannot take the key.
fn rank(needs: Needs, kind: Option<InstanceKind>) -> Option<u8> {
    use InstanceKind::{Hardware, Software};
    match (needs, kind) {
        (Needs::Hardware, Some(Software)) => None,
        (Needs::Hardware | Needs::HsmToStay, Some(Hardware)) | (Needs::Any, Some(Software)) => Some(0),
        (_, None) => Some(1),
        (Needs::Any, Some(Hardware)) | (Needs::HsmToStay, Some(Software)) => Some(2),
    }
}

/// How a remark begins that says why an instance takes no keys.
pub(super) const CLOSED: &str = "It takes no keys: ";

/// Why an instance takes no keys, if no window can have ended before a moment.
pub(super) fn closed(instance: &Instance, first: Timestamp) -> Option<Words> {
    if let Some(status) =
        instance.status.as_ref().filter(|status| !status.eq_ignore_ascii_case("connected") && *status != "已连接")
    {
        return Some(Words::new(
            format!("{CLOSED}its status is {status}, not Connected"),
            format!("不能作为目标：状态为 {status}，而非 Connected"),
        ));
    }
    if let Some(expires) = instance.expires.filter(|expires| *expires < first) {
        return Some(Words::new(
            format!("{CLOSED}it ends on {expires}, before the first window can have ended"),
            format!("不能作为目标：将于 {expires} 到期，早于首个窗口"),
        ));
    }
    // No reply says the type, so whoever adds a version means that it matters.
    let image = instance.image.as_deref().filter(|_| instance.kind != Some(InstanceKind::Hardware))?;
    is_older(image).then(|| {
        Words::new(
            format!("{CLOSED}upgrade its image first, which is {image} and has to be 2.9.0 or later"),
            format!("不能作为目标：镜像版本为 {image}，请先升级到 2.9.0 或更高版本"),
        )
    })
}

/// Whether an image is too old: `2.9.0`, `dkms-1.3.0`.
fn is_older(image: &str) -> bool {
    let numbers = image.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse::<u64>().ok());
    let mut version: Vec<u64> = numbers.take(IMAGE.len()).collect();
    let is_known = !version.is_empty();
    version.resize(IMAGE.len(), 0);
    is_known && version < IMAGE.to_vec()
}

/// What is not known of an instance that gets keys, and what should be looked at.
fn remarks_of(
    open: &Open<'_>,
    first: Timestamp,
    keys: &[usize],
    candidates: &[Candidate<'_>],
    peak: Option<u64>,
) -> Vec<Words> {
    let instance = open.instance;
    let mut remarks = Vec::new();
    if keys.is_empty() {
        return remarks;
    }
    let mut remark = |en: String, zh: String| remarks.push(Words::new(en, zh));
    if instance.status.is_none() {
        remark(
            "Nobody says whether it is connected: check its status".into(),
            "未注明状态：请确认实例为 Connected".into(),
        );
    }
    if instance.free().is_none() {
        remark(
            format!("Nobody says how many key versions it may still take: check that there is room for {}", keys.len()),
            format!("未注明剩余密钥配额：请确认可容纳 {} 个密钥版本", keys.len()),
        );
    }
    if let (None, Some(account)) = (&instance.account, open.account.as_ref().filter(|account| !account.is_empty())) {
        remark(
            format!("Nobody says of which account it is: keys of {account} go there, so it must be of that account"),
            format!("未注明实例所属账号：将迁入账号 {account} 的密钥，请确认实例属于该账号"),
        );
    }
    match instance.expires {
        None => remark(
            "Nobody says when it ends: an instance that has ended decrypts nothing".into(),
            "未注明到期时间：实例到期后将无法解密".into(),
        ),
        Some(expires) if expires.as_second() < first.as_second() + SOON => remark(
            format!(
                "It ends on {expires}, soon after the first window: renew it, for an instance that has ended decrypts nothing"
            ),
            format!("将于 {expires} 到期，距首个窗口不久：请续费，实例到期后将无法解密"),
        ),
        Some(_) => {}
    }
    if instance.vpcs.is_none() && keys.iter().any(|key| !candidates[*key].vpcs.is_empty()) {
        remark(
            "Nobody says which VPCs are bound to it, and keys are used from VPCs".into(),
            "未注明已绑定的 VPC，而密钥正被 VPC 中的应用使用".into(),
        );
    }
    let of = |needs: Needs| keys.iter().filter(|key| candidates[**key].needs == needs).count();
    match (instance.kind, of(Needs::Hardware), of(Needs::HsmToStay)) {
        (None, hardware @ 1.., _) => remark(
            format!("Nobody says its type: {hardware} key(s) have a spec that only a hardware instance offers"),
            format!("未注明实例类型：{hardware} 个密钥的规格仅硬件密钥管理实例支持"),
        ),
        (Some(InstanceKind::Software), _, hsm @ 1..) => remark(
            format!(
                "{hsm} key(s) have the protection level HSM, which drops to SOFTWARE in this instance; if HSM is required, name a hardware instance"
            ),
            format!("{hsm} 个密钥的保护级别为 HSM，迁入该实例后降为 SOFTWARE；如要求 HSM，请使用硬件密钥管理实例"),
        ),
        (None, 0, hsm @ 1..) => remark(
            format!(
                "Nobody says its type: {hsm} key(s) have the protection level HSM, which stays only in a hardware instance"
            ),
            format!("未注明实例类型：{hsm} 个密钥的保护级别为 HSM，仅在硬件密钥管理实例中保持不变"),
        ),
        _ => {}
    }
    let seen: BTreeSet<&String> = keys.iter().flat_map(|key| &candidates[*key].vpcs).collect();
    let unbound: Vec<&str> = match &instance.vpcs {
        Some(bound) => seen.iter().filter(|vpc| !bound.contains(**vpc)).map(|vpc| vpc.as_str()).collect(),
        None => Vec::new(),
    };
    if !unbound.is_empty() {
        remark(
            format!(
                "Bind the VPC(s) from which keys are used, {} in all, each of which takes one unit of Access Management Quantity: {}",
                unbound.len(),
                unbound.join(", ")
            ),
            format!(
                "请绑定使用密钥的 {} 个 VPC（每个占用一个访问管理数量配额）：{}",
                unbound.len(),
                unbound.join("、")
            ),
        );
    }
    if let (Some(peak), Some(qps)) = (peak, instance.qps)
        && peak > qps
    {
        remark(
            format!(
                "Its keys may be called {peak} times in the busiest second, and it is made for {qps}; choose a larger one"
            ),
            format!("其密钥的峰值估计为每秒 {peak} 次，超过实例规格 {qps} QPS；请升级规格"),
        );
    }
    remarks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hardware_is_kept_for_those_who_need_it() {
        use InstanceKind::{Hardware, Software};
        assert_eq!(rank(Needs::Hardware, Some(Software)), None);
        assert!(rank(Needs::Any, Some(Software)) < rank(Needs::Any, Some(Hardware)));
        assert!(rank(Needs::HsmToStay, Some(Hardware)) < rank(Needs::HsmToStay, Some(Software)));
        assert!(rank(Needs::Hardware, Some(Hardware)) < rank(Needs::Hardware, None));
    }

    #[test]
    fn images_are_compared_by_their_numbers() {
        for (image, older) in [
            ("2.9.0", false),
            ("2.10.0", false),
            ("2.8.9", true),
            ("dkms-1.3.0", true),
            ("3", false),
            ("v2.9", false),
            ("new", false),
        ] {
            assert_eq!(is_older(image), older, "{image}");
        }
    }
}
