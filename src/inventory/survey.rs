//! The result of reading: every key with its joined facts, and an account of every record.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::domains::cmk::facts::{FACTS, ID_MASKED, KEY_ID_FORM, KEY_SPEC, ORIGIN, ROTATION, SOURCES};
use crate::domains::cmk::fields::Field;
use crate::engine::facts::{Bits, FactId, FactSet, FactSpec, Facts, Grade};
use crate::engine::packing::Packing;
use foldhash::fast::FixedState;

use super::batches::{RecordId, StoredRecord};
use super::clock::Unclear;
use super::dates::evidence_apart;
use super::doubts;
use super::joining::Joining;
use super::listings::{Concerned, Lists};
use super::record::{Extra, extras};
use super::rounded::forget_rounded;
use super::row::{Note, Place, Reject};
use super::shared::Numbered;
use super::store::{Firsts, Group, Store, Subjects};

/// What became of the records that were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Account {
    /// Records read.
    pub read: u64,
    /// Records that are part of a diagnosed key.
    pub diagnosed: u64,
    /// Records rejected.
    pub rejected: u64,
    /// Exact duplicates of an earlier record.
    pub duplicates: u64,
    /// Different keys.
    pub keys: u64,
}

/// What is told of a key, by number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told {
    /// The combination of facts that verdicts depend on.
    pub(super) shape: u32,
    aside: u32,
}

impl Told {
    pub(super) fn by(record: &StoredRecord<'_>) -> Told {
        Told { shape: record.record.shape, aside: u32::from(record.record.aside) }
    }
}

/// Every key, with everything that was read about it.
#[derive(Debug)]
pub struct Survey {
    pub(super) store: Store,
    numbered: Numbered,
    pub(super) firsts: Firsts,
    /// What is told of keys of which more is to be said than their first record says.
    pub(super) told: HashMap<RecordId, Told, FixedState>,
    groups: HashMap<RecordId, Group, FixedState>,
    pub(super) shapes: Vec<Facts>,
    /// Facts that are unknown and that no assumption settles, by the place of the combination.
    pub(super) unsettled: HashMap<u32, FactSet, FixedState>,
    asides: Vec<Facts>,
    /// The inputs, by number.
    pub files: Vec<String>,
    /// What became of the records.
    pub account: Account,
}

/// One key with its texts and places, borrowed from the survey.
#[derive(Debug, Clone, Copy)]
pub struct Key<'a> {
    survey: &'a Survey,
    record: StoredRecord<'a>,
    group: Option<&'a Group>,
    /// The number of its combination of facts that verdicts depend on.
    pub shape: u32,
    /// The number of its combination of other facts.
    pub aside: u32,
}

impl Survey {
    /// Joins the records of each key, on so many threads.
    pub fn new(
        mut store: Store,
        mut numbered: Numbered,
        packing: &Packing,
        specs: &[FactSpec],
        files: Vec<String>,
        jobs: usize,
    ) -> Survey {
        let rounded = forget_rounded(&store, &mut numbered.accounts);
        let remarks = std::mem::take(&mut store.remarks).into_notes();
        let of_all = std::mem::take(&mut numbered.notes);
        store.notes.extend(rounded.into_iter().chain(remarks).chain(of_all));
        let mut shapes = Joining::new(&numbered.shapes, packing, specs);
        let mut asides = Joining::new(&numbered.asides, packing, specs);
        let Subjects { firsts, groups, contested, duplicates } = store.subjects(&numbered, jobs);
        let mut told = HashMap::default();
        let mut joined: Vec<(&RecordId, &Group)> = groups.iter().collect();
        joined.sort_by_key(|(first, _)| **first);
        let mut incomparable = Vec::new();
        for (first, group) in joined {
            let records = || group.records.iter().map(|id| store.record(*id).record);
            let mut shape = shapes.join(records().map(|record| record.shape));
            if lists_several(&store, group) {
                shape = shapes.with_several_versions(shape);
            }
            match evidence_of_dates(&store, group, &shapes.all[shape as usize]) {
                Ok(evidence) => shape = shapes.with_version_evidence(shape, evidence),
                Err(_) => incomparable.push(*first),
            }
            told.insert(*first, Told { shape, aside: asides.join(records().map(|record| u32::from(record.aside))) });
        }
        let lists = Lists::new(&std::mem::take(&mut store.listings));
        let lack_some = lists.lack_aliases();
        if lists.has_aliases() || lack_some {
            for first in firsts.iter() {
                let record = store.record(first);
                let scope =
                    groups.get(&first).map_or_else(|| numbered.scope(record.record), |group| group.scope.clone());
                if let Some(grade) = lists.without_alias(&scope.0, &scope.1) {
                    let told = told.entry(first).or_insert(Told::by(&record));
                    told.shape = shapes.without_alias(told.shape, grade);
                } else if lack_some && lists.lacks_aliases(&scope.0, &scope.1, record.key_id) {
                    let told = told.entry(first).or_insert(Told::by(&record));
                    told.shape = shapes.without_some_aliases(told.shape);
                }
            }
        }
        store.rejects.finish();
        let doubts = doubts::doubts(&store, &firsts, &groups, &contested, &incomparable, &asides);
        for first in doubts.keys() {
            let told = told.entry(*first).or_insert_with(|| Told::by(&store.record(*first)));
            told.shape = shapes.tainted(told.shape);
        }
        store.notes.extend(doubts::notes(&store, &doubts));
        let account = Account {
            read: store.records_read,
            rejected: store.rejects.len(),
            duplicates,
            diagnosed: store.records_read - store.rejects.len() - duplicates,
            keys: firsts.len() as u64,
        };
        let (shapes, asides) = (shapes.all, asides.all);
        let unsettled = HashMap::default();
        let mut survey = Survey { store, numbered, firsts, told, groups, shapes, unsettled, asides, files, account };
        let notes: Vec<Note> = lists.notes().chain(survey.to_complete()).collect();
        survey.store.notes.extend(notes);
        survey
    }

    /// Notes about keys of which nothing is known but that lists or findings name them, or whose id is masked.
    fn to_complete(&self) -> impl Iterator<Item = Note> + use<> {
        let bit = |name: &str| FACTS[SOURCES.index()].value(name).unwrap_or_default();
        let (list_keys, prowler) = (bit("ListKeys"), bit("Prowler"));
        let mut undescribed = [(); 3].map(|()| Concerned::default());
        if self.asides.iter().any(|facts| facts.get(SOURCES) != 0) {
            for key in self.keys() {
                let sources = key.aside().get(SOURCES);
                let facts = &self.shapes[key.shape as usize];
                let is_described = [ORIGIN, ROTATION].iter().any(|fact| facts.grade(*fact) != Grade::Unknown);
                if sources == 0 || is_described {
                    continue;
                }
                let kind = if sources & list_keys != 0 { 0 } else { 1 + usize::from(sources == prowler) };
                undescribed[kind].add(key.places().next(), key.key_id());
            }
        }
        let describe = "fetch `aliyun kms DescribeKey --region REGION --KeyId KEY_ID` and ListKeyVersions for each";
        let mut masked = Concerned::default();
        if self.asides.iter().any(|facts| facts.get(KEY_ID_FORM) == ID_MASKED) {
            for key in self.keys().filter(|key| key.aside().get(KEY_ID_FORM) == ID_MASKED) {
                masked.add(key.places().next(), key.key_id());
            }
        }
        let [listed, other, found] = undescribed;
        let notes = [
            listed.note("are listed and not described", describe),
            masked.note("have a masked id", "they can be judged, but a ticket needs their ids in full"),
            other
                .note("are named by aliases, versions or tags, or listed without details, and not described", describe),
            found.note(
                "are named by findings and stand in no inventory",
                "add the inventory of their accounts and regions",
            ),
        ];
        notes.into_iter().flatten()
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.firsts.len()
    }

    /// Whether no record could be used.
    pub fn is_empty(&self) -> bool {
        self.firsts.is_empty()
    }

    /// A key, by its place in input order.
    pub fn key(&self, index: usize) -> Key<'_> {
        let first = self.firsts.get(index);
        let record = self.store.record(first);
        let told = self.told.get(&first).copied().unwrap_or_else(|| Told::by(&record));
        Key { survey: self, record, group: self.groups.get(&first), shape: told.shape, aside: told.aside }
    }

    /// All keys, in input order.
    pub fn keys(&self) -> impl Iterator<Item = Key<'_>> {
        (0..self.len()).map(|index| self.key(index))
    }

    /// All combinations of facts, by number; records of a key that has several count alone, too.
    pub fn shapes(&self) -> &[Facts] {
        &self.shapes
    }

    /// All combinations of facts that no verdict depends on, by number.
    pub fn asides(&self) -> &[Facts] {
        &self.asides
    }

    /// All accounts, by number.
    pub fn accounts(&self) -> &[String] {
        &self.numbered.accounts
    }

    /// All regions, by number.
    pub fn regions(&self) -> &[String] {
        &self.numbered.regions
    }

    /// How many keys have each combination.
    pub fn shape_counts(&self) -> Vec<u64> {
        let mut counts = vec![0; self.shapes().len()];
        if let (Firsts::All(_), true) = (&self.firsts, self.told.is_empty()) {
            self.store.shapes().for_each(|shape| counts[shape as usize] += 1);
            return counts;
        }
        for first in self.firsts.iter() {
            let told = self.told.get(&first).map(|told| told.shape);
            counts[told.unwrap_or_else(|| self.store.shape(first)) as usize] += 1;
        }
        counts
    }

    /// The columns that no field takes, in alphabetical order, with their numbers; no more than are kept.
    pub fn unused_columns(&self) -> Vec<(u32, &str)> {
        self.numbered.columns.iter().map(|(number, name)| (*number, name.as_str())).collect()
    }

    /// What could not be used, by place.
    pub fn rejects(&self) -> impl Iterator<Item = Reject> {
        self.store.rejects.by_place()
    }

    /// What else is to be known about the inputs, by place.
    pub fn notes(&self) -> Vec<Note> {
        self.store.notes.by_place()
    }

    /// Notes which columns no field takes, if nobody keeps them.
    pub fn note_unused_columns(&mut self) {
        let names = self.unused_columns().into_iter().map(|(_, name)| name);
        let note = Note::of_unused_columns(names, self.numbered.more_columns);
        self.store.notes.extend(note);
    }

    /// Notes how many columns are too many to be kept.
    pub fn note_columns_not_kept(&mut self) {
        self.store.notes.extend(Note::of_columns_not_kept(self.numbered.more_columns));
    }

    /// A place, for people.
    pub fn show(&self, place: Place) -> String {
        place.show(&self.files)
    }
}

/// Whether the records of a key name different versions of it, one in each.
fn lists_several(store: &Store, group: &Group) -> bool {
    let versions: HashSet<&str> = texts(store, group, &[Field::KeyVersionId, Field::PrimaryVersion]).collect();
    versions.len() > 1
}

/// What the dates of creation and last rotation tell that different records of a key give.
fn evidence_of_dates(store: &Store, group: &Group, facts: &Facts) -> Result<Bits, Unclear> {
    let created: BTreeSet<&str> = texts(store, group, &[Field::Created]).collect();
    let last: BTreeSet<&str> = texts(store, group, &[Field::LastRotation]).collect();
    let has_primary = texts(store, group, &[Field::PrimaryVersion]).next().is_some();
    evidence_apart(&created, &last, facts.get(KEY_SPEC), has_primary)
}

/// What the records of a key say in some fields.
fn texts<'s>(store: &'s Store, group: &'s Group, fields: &'s [Field]) -> impl Iterator<Item = &'s str> {
    let said = group.records.iter().flat_map(|id| extras(store.record(*id).extras()));
    said.filter(|(extra, _)| matches!(extra, Extra::Field(field) if fields.contains(field))).map(|(_, text)| text)
}

impl<'a> Key<'a> {
    /// The key id.
    pub fn key_id(&self) -> &'a str {
        self.record.key_id
    }

    /// The account, or nothing.
    pub fn account_id(&self) -> &'a str {
        match self.group {
            Some(group) => &group.scope.0,
            None => &self.survey.numbered.accounts[self.record.record.account as usize],
        }
    }

    /// The region, or nothing.
    pub fn region(&self) -> &'a str {
        match self.group {
            Some(group) => &group.scope.1,
            None => &self.survey.numbered.regions[usize::from(self.record.record.region)],
        }
    }

    /// Account and region by number, if they are those of its only record.
    pub fn scope(&self) -> Option<(u32, u16)> {
        self.group.is_none().then_some((self.record.record.account, self.record.record.region))
    }

    /// The records that speak of the key, in input order.
    pub fn records(&self) -> impl Iterator<Item = StoredRecord<'a>> + use<'a> {
        let survey = self.survey;
        // Nearly every key has one record, which is at hand.
        let single = self.group.is_none().then_some(self.record);
        let several = self.group.map_or(&[][..], |group| &group.records);
        single.into_iter().chain(several.iter().map(|id| survey.store.record(*id)))
    }

    /// The alias, if the key has one record and one alias, as nearly every key does.
    pub fn only_alias(&self) -> Option<&'a str> {
        let alias = self.record.aliases().strip_suffix('\u{1f}')?;
        (self.group.is_none() && memchr::memchr(0x1f, alias.as_bytes()).is_none()).then_some(alias)
    }

    /// Whether several records speak of the key.
    pub fn is_joined(&self) -> bool {
        self.group.is_some()
    }

    /// The aliases, each once, in input order.
    pub fn aliases(&self) -> Vec<&'a str> {
        let mut seen = HashSet::new();
        self.all_aliases().filter(|alias| seen.insert(*alias)).collect()
    }

    /// The aliases, in input order, some perhaps several times.
    pub fn all_aliases(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.records().flat_map(|record| record.aliases().split_terminator('\u{1f}'))
    }

    /// Where the records stand.
    pub fn places(&self) -> impl Iterator<Item = Place> + use<'a> {
        self.records().map(|record| record.place)
    }

    /// The facts that no verdict depends on.
    pub fn aside(&self) -> &'a Facts {
        &self.survey.asides[self.aside as usize]
    }

    /// Where a fact was read, and what each record says of it.
    pub fn said(&self, fact: FactId) -> impl Iterator<Item = (Place, u32)> + use<'a> {
        let survey = self.survey;
        let each = self.records().map(move |record| {
            let (shape, aside) = (record.record.shape as usize, usize::from(record.record.aside));
            (record.place, survey.shapes[shape].get(fact) | survey.asides[aside].get(fact))
        });
        each.filter(|(_, bits)| *bits != 0)
    }

    /// The texts of a field, each once.
    pub fn texts(&self, wanted: Extra) -> Vec<&'a str> {
        let mut seen = HashSet::new();
        let said = self.records().flat_map(|record| extras(record.extras()));
        said.filter(|(extra, text)| *extra == wanted && seen.insert(*text)).map(|(_, text)| text).collect()
    }

    /// The user's columns that are kept, by number, record for record.
    pub fn columns(&self) -> impl Iterator<Item = (u32, &'a str)> {
        let said = self.records().flat_map(|record| extras(record.extras()));
        said.filter_map(|(extra, text)| if let Extra::Column(column) = extra { Some((column, text)) } else { None })
    }

    /// The next rotation and whether it was computed: the earliest that a record gives.
    pub fn next_rotation(&self) -> Option<(&'a str, bool)> {
        if self.group.is_none() && self.record.extras().is_empty() {
            return None;
        }
        let clocks =
            self.records().flat_map(|record| extras(record.extras())).filter_map(|(extra, text)| match extra {
                Extra::NextRotation => Some((text, false)),
                Extra::ComputedRotation => Some((text, true)),
                _ => None,
            });
        clocks.min_by_key(|(text, computed)| (*computed, *text))
    }
}
