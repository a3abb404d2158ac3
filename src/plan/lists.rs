//! Lists of work: what is to be done beside the tickets, of every key, with due dates, commands and sources.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;

use super::candidate::{self, LeftOut, listed, words_of};
use super::model::{Batch, Words};
use super::work::{Consultation, ConsultedKey, ListName, SourceName, Unlock, WorkItem, WorkRow, Worklist};
use crate::diagnose::{Diagnosis, KeyOutcome};
use crate::domains::cmk::facts::APPLICATION_USE;
use crate::domains::cmk::fields::Field;
use crate::domains::cmk::periods::parse_interval;
use crate::engine::facts::{FactId, Lang};
use crate::engine::judge::Rule;
use crate::rulebook::Rulebook;
use crate::rulebook::card::{Card, Kind};
use crate::write::{fill, safe, words};

/// The action by which rotation is disabled.
pub(super) const DISABLE_ROTATION: &str = "disable-rotation";

/// The actions by which support is asked, with the list on which the keys stand.
const ASK: [(&str, ListName); 2] =
    [("ask-support-about-language", ListName::Languages), ("ask-support-about-location", ListName::Locations)];

/// On which list the keys stand of which a card says that they are blocked; on that of keys without a path if there is none.
const LISTS: [(&str, ListName); 4] = [
    ("forbidden-operation", ListName::StopOperations),
    ("unsupported-language", ListName::Languages),
    ("outside-alibaba-cloud", ListName::Locations),
    ("not-in-a-vpc", ListName::Locations),
];

fn sources(book: &Rulebook, card: &Card) -> Vec<SourceName> {
    let source = |source: &crate::rulebook::card::Source| SourceName {
        document: source.document.clone(),
        section: source.section.clone(),
        url: book
            .domain
            .documents
            .iter()
            .find(|document| document.id == source.document)
            .map(|found| found.url.to_owned()),
    };
    card.source.iter().map(source).collect()
}

/// The sources of the class cards that ask for a fact, which is why it is wanted.
fn of_cards(book: &Rulebook, fact: FactId) -> Vec<SourceName> {
    let of_fact = |atom: usize| book.program.atoms.get(atom).is_some_and(|atom| atom.fact == fact);
    let asks = |rule: &&Rule| {
        let asked = rule.when.atoms();
        (0..book.program.atoms.len()).any(|atom| asked >> atom & 1 == 1 && of_fact(atom))
    };
    let cards = book.program.rules.iter().filter(asks).map(|rule| book.card(rule.card));
    let mut all: Vec<SourceName> = Vec::new();
    for source in cards.filter(|card| card.kind == Kind::Class).flat_map(|card| sources(book, card)) {
        if !all.contains(&source) {
            all.push(source);
        }
    }
    all
}

/// Lists that grow.
struct Lists<'d> {
    book: &'d Rulebook,
    items: BTreeMap<(ListName, String, Words), WorkItem>,
}

impl Lists<'_> {
    fn add_by_card(&mut self, list: ListName, card: &Card, row: WorkRow) {
        let (title, what) = words_of(card);
        self.add(list, &card.id, title, what, || sources(self.book, card), row);
    }

    fn add(
        &mut self,
        list: ListName,
        rule: &str,
        title: Words,
        what: Words,
        source: impl FnOnce() -> Vec<SourceName>,
        row: WorkRow,
    ) {
        let item = || WorkItem {
            rule: rule.to_owned(),
            title: title.clone(),
            what: what.clone(),
            source: source(),
            rows: Vec::new(),
        };
        self.items.entry((list, rule.to_owned(), what.clone())).or_insert_with(item).rows.push(row);
    }

    fn finish(self) -> Vec<Worklist> {
        let mut lists: BTreeMap<ListName, Vec<WorkItem>> = BTreeMap::new();
        for ((list, ..), mut item) in self.items {
            item.rows.sort_by(|one, other| order(one).cmp(&order(other)));
            item.rows.dedup();
            lists.entry(list).or_default().push(item);
        }
        lists.into_iter().map(|(name, items)| Worklist { name, items }).collect()
    }
}

/// What is due first comes first, and what is never due last.
fn order(row: &WorkRow) -> (bool, &str, &str, &str, &str, &[String], &str) {
    (row.due.is_empty(), &row.due, &row.account_id, &row.region, &row.key_id, &row.applications, &row.batch)
}

/// What lists rest on beside keys and batches.
pub(super) struct Context<'c> {
    /// The moment of the plan.
    pub(super) now: Timestamp,
    /// The hardware instances, by id.
    pub(super) hardware: BTreeSet<&'c str>,
}

/// All lists of work.
pub(super) fn worklists(
    diagnosis: &Diagnosis,
    batches: &[Batch],
    left_out: &[LeftOut<'_>],
    context: &Context<'_>,
) -> Vec<Worklist> {
    let book = &diagnosis.rulebook;
    let mut lists = Lists { book, items: BTreeMap::new() };
    let mut planned: HashMap<(&str, &str, &str), &Batch> = HashMap::new();
    for batch in batches {
        let account = batch.account_id.as_deref().unwrap_or_default();
        planned.extend(batch.keys.iter().map(|key| ((account, batch.region.as_str(), key.key_id.as_str()), batch)));
    }
    for key in diagnosis.outcomes() {
        let batch = planned.get(&(key.key.account_id(), key.key.region(), key.key.key_id())).copied();
        of_key(&mut lists, &key, batch, context);
    }
    for left in left_out {
        let row = WorkRow { due: deadline(&left.key, context), ..row_of(&left.key, None) };
        match book.page(left.rule) {
            Some(page) => lists.add_by_card(ListName::LeftOut, &page.card, row),
            None => lists.add(ListName::LeftOut, left.rule, left.title.clone(), left.what.clone(), Vec::new, row),
        }
    }
    applications(&mut lists, diagnosis, batches);
    lists.finish()
}

fn row_of(key: &KeyOutcome<'_>, batch: Option<&Batch>) -> WorkRow {
    WorkRow {
        key_id: key.key.key_id().to_owned(),
        account_id: key.key.account_id().to_owned(),
        region: key.key.region().to_owned(),
        owner: listed(key, Field::Owner).join("; "),
        applications: match batch.and_then(|batch| batch.keys.iter().find(|planned| planned.key_id == key.key.key_id()))
        {
            Some(planned) => planned.applications.clone(),
            None => listed(key, Field::Applications),
        },
        batch: batch.map(|batch| batch.id.clone()).unwrap_or_default(),
        ..WorkRow::default()
    }
}

fn deadline(key: &KeyOutcome<'_>, context: &Context<'_>) -> String {
    candidate::deadline(key, context.now).map(|time| time.to_string()).unwrap_or_default()
}

fn moment(time: Timestamp) -> String {
    time.round(jiff::Unit::Second).unwrap_or(time).to_string()
}

fn window_start(batch: Option<&Batch>) -> String {
    batch.and_then(|batch| batch.window.as_ref()).map(|window| window.start.clone()).unwrap_or_default()
}

/// The first of two dates, if there are any.
fn first(one: String, other: String) -> String {
    if one.is_empty() || !other.is_empty() && other < one { other } else { one }
}

fn of_key(lists: &mut Lists<'_>, key: &KeyOutcome<'_>, batch: Option<&Batch>, context: &Context<'_>) {
    let book = &key.diagnosis.rulebook;
    let outcome = key.outcome;
    let actions: BTreeSet<u16> = outcome.judgement.unlocks.iter().flatten().copied().collect();
    if let Some(card) = actions.iter().map(|card| book.card(*card)).find(|card| card.id == DISABLE_ROTATION) {
        let row = rotation_row(key, card, batch, context);
        lists.add_by_card(ListName::DisableRotation, card, row);
    }
    if key.diagnosis.class_name(outcome.class) == "blocked" {
        let found = words::findings(outcome).map(|fired| {
            let card = book.card(fired.card);
            let list = LISTS.iter().find(|(id, _)| *id == card.id).map_or(ListName::NoPath, |(_, list)| *list);
            (list, card, words::evidence(book, outcome, fired.card))
        });
        let (final_ones, others): (Vec<_>, Vec<_>) = found.partition(|(list, ..)| *list == ListName::NoPath);
        let has_path = !outcome.judgement.unlocks.is_empty();
        if has_path || final_ones.is_empty() {
            for (list, card, found) in final_ones.into_iter().chain(others) {
                let list = if has_path { list } else { ListName::NoPath };
                // Once it has rotated, nothing frees it.
                let due = if has_path { deadline(key, context) } else { String::new() };
                lists.add_by_card(list, card, WorkRow { found, due, ..row_of(key, None) });
            }
        } else {
            // Whatever is done about the others frees nothing.
            let more: Vec<String> = others.into_iter().map(|(.., found)| found).collect();
            for (list, card, found) in final_ones {
                let all = std::iter::once(found).chain(more.iter().cloned()).filter(|found| !found.is_empty());
                let found = all.collect::<Vec<_>>().join("; ");
                lists.add_by_card(list, card, WorkRow { found, ..row_of(key, None) });
            }
        }
    }
    for fact in outcome.gaps() {
        let spec = &book.facts[fact.index()];
        let [en, zh] = [Lang::En, Lang::Zh].map(|lang| words::gap(book, outcome, fact, lang));
        let title = Words::new(spec.label.get(Lang::En), spec.label.get(Lang::Zh));
        let found = match words::possible(book, outcome) {
            possible if possible.is_empty() => String::new(),
            possible => format!("possible: {}", possible.join(", ")),
        };
        let row = WorkRow {
            command: fill(spec.settle.command, key),
            due: deadline(key, context),
            found,
            ..row_of(key, None)
        };
        lists.add(ListName::Evidence, &spec.name, title, Words { en, zh }, || of_cards(book, fact), row);
    }
    for fact in outcome.conditions() {
        let spec = &book.facts[fact.index()];
        let [en, zh] = [Lang::En, Lang::Zh].map(|lang| words::condition(book, outcome, fact, lang));
        let title = Words::new(spec.label.get(Lang::En), spec.label.get(Lang::Zh));
        let row = WorkRow { command: fill(spec.settle.command, key), due: window_start(batch), ..row_of(key, batch) };
        lists.add(ListName::Evidence, &spec.name, title, Words { en, zh }, || of_cards(book, fact), row);
    }
    let Some(batch) = batch else { return };
    for address in listed(key, Field::TerraformAddress) {
        let Some(card) = book.page(TERRAFORM).map(|page| &page.card) else { return };
        let command = LIFECYCLE.to_owned();
        let row = WorkRow { command, found: address, due: window_start(Some(batch)), ..row_of(key, Some(batch)) };
        lists.add_by_card(ListName::Terraform, card, row);
    }
}

/// What keeps Terraform from undoing the migration of a resource.
const LIFECYCLE: &str = "lifecycle { ignore_changes = [dkms_instance_id, automatic_rotation, rotation_interval] }";

/// The card that says where to put it.
const TERRAFORM: &str = "terraform-after-migration";

/// Rotation intervals that a software instance takes, in seconds: 7 to 365 days.
const INTERVALS: std::ops::RangeInclusive<i64> = 7 * 86_400..=365 * 86_400;

/// How rotation is disabled and restored, and what looks at it.
fn rotation_row(key: &KeyOutcome<'_>, card: &Card, batch: Option<&Batch>, context: &Context<'_>) -> WorkRow {
    let command = card.remedy.as_ref().and_then(|remedy| remedy.command.as_deref()).unwrap_or_default();
    let intervals = listed(key, Field::RotationInterval);
    let seconds: BTreeSet<Option<i64>> = intervals.iter().map(|interval| parse_interval(interval)).collect();
    let only = seconds.first().copied().flatten().filter(|seconds_| seconds.len() == 1 && INTERVALS.contains(seconds_));
    let region = if key.key.region().is_empty() { "REGION".to_owned() } else { safe::shell(key.key.region()) };
    let shown = only.map_or("INTERVAL".to_owned(), |seconds| format!("{seconds}s"));
    let command_after = format!(
        "aliyun kms UpdateRotationPolicy --region {region} --KeyId {} --EnableAutomaticRotation true --RotationInterval {shown}",
        safe::shell(key.key.key_id())
    );
    let mut found = match &intervals[..] {
        [] => "rotation_interval unknown: note it before it is disabled".to_owned(),
        [interval] if only.is_some() => format!("rotation_interval: {interval}"),
        all => format!("rotation_interval: {}; choose one from 7 to 365 days", all.join(" or ")),
    };
    let instance = batch.and_then(|batch| batch.destination.as_deref());
    if instance.is_some_and(|id| context.hardware.contains(id)) {
        found += "; a hardware instance does not rotate most keys, so that rotation may end with the migration";
    }
    let addresses = listed(key, Field::TerraformAddress);
    if !addresses.is_empty() {
        found += &format!(
            "; {} would enable it again, and Checkov CKV_ALI_27 fails meanwhile: suppress both until then",
            addresses.join(", ")
        );
    }
    let deadline = deadline(key, context);
    // A rotation of which nobody knows when it comes may come tomorrow.
    let due = if deadline.is_empty() { moment(context.now) } else { first(deadline, window_start(batch)) };
    WorkRow { command: fill(command, key), command_after, found, due, ..row_of(key, batch) }
}

/// One row for each application and batch, and for each key that applications use of which nobody knows the names.
fn applications(lists: &mut Lists<'_>, diagnosis: &Diagnosis, batches: &[Batch]) {
    let Some(page) = diagnosis.rulebook.page("change-applications") else { return };
    let what = Words::new(
        "Within the month after the migration: create an application access point (AAP), take the migration SDK for Java, Go or Python, \
         call the endpoint of the instance, and trust its CA certificate",
        "请在迁移后一个月内完成：创建应用接入点（AAP），改用 Java、Go 或 Python 迁移 SDK，将 Endpoint 改为实例地址，并信任实例的 CA 证书",
    );
    let (title, source) = (words_of(&page.card).0, sources(&diagnosis.rulebook, &page.card));
    let mut used: BTreeSet<(&str, &str, &str)> = BTreeSet::new();
    for key in diagnosis.outcomes().filter(|key| !key.outcome.facts.knows(APPLICATION_USE) || uses(key)) {
        used.insert((key.key.account_id(), key.key.region(), key.key.key_id()));
    }
    for batch in batches {
        let account = batch.account_id.as_deref().unwrap_or_default();
        let row = WorkRow {
            account_id: account.to_owned(),
            region: batch.region.clone(),
            batch: batch.id.clone(),
            due: batch.change_applications_by.clone().unwrap_or_default(),
            ..WorkRow::default()
        };
        let mut add = |row: WorkRow| {
            lists.add(ListName::ChangeApplications, &page.card.id, title.clone(), what.clone(), || source.clone(), row);
        };
        for application in &batch.applications {
            let keys = batch.keys.iter().filter(|key| key.applications.contains(application));
            let owners: BTreeSet<&str> = keys.clone().filter_map(|key| key.owner.as_deref()).collect();
            let owner = owners.into_iter().collect::<Vec<_>>().join("; ");
            add(WorkRow {
                applications: vec![application.clone()],
                owner,
                found: format!("{} key(s)", keys.count()),
                ..row.clone()
            });
        }
        for key in batch.keys.iter().filter(|key| key.applications.is_empty()) {
            if used.contains(&(account, batch.region.as_str(), key.key_id.as_str())) {
                let (key_id, owner) = (key.key_id.clone(), key.owner.clone().unwrap_or_default());
                add(WorkRow { key_id, owner, ..row.clone() });
            }
        }
    }
}

/// Whether applications use the key.
fn uses(key: &KeyOutcome<'_>) -> bool {
    let spec = &key.diagnosis.rulebook.facts[APPLICATION_USE.index()];
    spec.value("yes").is_some_and(|yes| key.outcome.facts.get(APPLICATION_USE) & yes != 0)
}

/// What to ask technical support, one request for each kind and account.
pub(super) fn consultations(diagnosis: &Diagnosis) -> Vec<Consultation> {
    let book = &diagnosis.rulebook;
    let mut asked: BTreeMap<(&str, String), Vec<ConsultedKey>> = BTreeMap::new();
    for key in diagnosis.outcomes().filter(|key| diagnosis.class_name(key.outcome.class) == "blocked") {
        let unlocks = &key.outcome.judgement.unlocks;
        for (rule, list) in ASK {
            let asks = |set: &&Vec<u16>| set.iter().any(|card| book.card(*card).id == rule);
            let Some(set) = unlocks.iter().find(asks) else { continue };
            let found = words::findings(key.outcome)
                .filter(|fired| LISTS.iter().any(|(id, of)| *of == list && *id == book.card(fired.card).id))
                .map(|fired| words::evidence(book, key.outcome, fired.card))
                // That applications use the key is why it is asked.
                .flat_map(|found| found.split("; ").map(str::to_owned).collect::<Vec<_>>())
                .filter(|found| !found.starts_with("application_use"));
            let consulted = ConsultedKey {
                key_id: key.key.key_id().to_owned(),
                region: key.key.region().to_owned(),
                found: found.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join("; "),
                applications: listed(&key, Field::Applications),
                only_obstacle: set.len() == 1,
            };
            asked.entry((rule, key.key.account_id().to_owned())).or_default().push(consulted);
        }
    }
    let consultation = |((rule, account), mut keys): ((&str, String), Vec<ConsultedKey>)| {
        keys.sort_by(|one, other| (&one.region, &one.key_id).cmp(&(&other.region, &other.key_id)));
        let card = &book.page(rule)?.card;
        let title = words_of(card).0;
        let request = match rule {
            "ask-support-about-language" => Words::new(
                "Applications that use these CMKs are written in languages other than Java, Go and Python. Please tell us whether the \
                 CMKs can be migrated to our KMS instance all the same, and on what conditions.",
                "使用下列 CMK 的应用采用 Java、Go、Python 以外的语言开发。请确认这些 CMK 是否仍可迁移到我们的 KMS 实例，以及需要满足的条件。",
            ),
            _ => Words::new(
                "Applications that use these CMKs do not run in a VPC of Alibaba Cloud. Please tell us whether the CMKs can be migrated \
                 to our KMS instance all the same, and on what conditions.",
                "使用下列 CMK 的应用未部署在阿里云 VPC 内。请确认这些 CMK 是否仍可迁移到我们的 KMS 实例，以及需要满足的条件。",
            ),
        };
        Some(Consultation {
            rule: rule.to_owned(),
            digest: String::new(),
            title,
            request,
            source: sources(book, card),
            account_id: Some(account).filter(|account| !account.is_empty()),
            keys,
        })
    };
    asked.into_iter().filter_map(consultation).collect()
}

/// Which actions free how many keys; those that free most first.
pub(super) fn unlocks(diagnosis: &Diagnosis) -> Vec<Unlock> {
    let book = &diagnosis.rulebook;
    // Keys by what frees them, which is the same for many.
    let mut freed_by: HashMap<&[Vec<u16>], u64> = HashMap::new();
    let freed = diagnosis.outcomes().filter(|key| !key.outcome.judgement.unlocks.is_empty());
    for key in freed.filter(|key| candidate::kept_out(key).is_none()) {
        *freed_by.entry(&key.outcome.judgement.unlocks).or_default() += 1;
    }
    let sets: BTreeSet<&Vec<u16>> = freed_by.keys().copied().flatten().collect();
    let unlock = |set: &Vec<u16>| {
        let is_done = |needed: &Vec<u16>| needed.iter().all(|card| set.contains(card));
        let keys = freed_by.iter().filter(|(any, _)| any.iter().any(is_done)).map(|(_, keys)| keys).sum();
        let titles = |lang: Lang, and: &str| {
            let titles: Vec<&str> = set.iter().map(|card| book.card(*card).title.get(lang)).collect();
            titles.join(and)
        };
        Unlock {
            actions: set.iter().map(|card| book.card(*card).id.clone()).collect(),
            title: Words::new(titles(Lang::En, " + "), titles(Lang::Zh, " + ")),
            keys,
        }
    };
    let mut unlocks: Vec<Unlock> = sets.into_iter().map(unlock).collect();
    let order = |unlock: &Unlock| (Reverse(unlock.keys), unlock.actions.len(), unlock.actions.clone());
    unlocks.sort_by_cached_key(order);
    unlocks
}
