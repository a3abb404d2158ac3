//! Records to subjects: those that say the same names are about the same one, and what a fleet's list says of an
//! instance is said of every side on which it stands.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::gather::Gathered;
use super::record::{Record, text_name};
use crate::domains::form::{Context, Draft, FieldSpec, Form, OPEN, Of, PART_NAME, SaidFact, Side, bare, same_instance};
use crate::engine::facts::{FactId, Facts, Grade};
use crate::rulebook::compile::nearest;

/// Which pairs are made of the instances of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pairing {
    /// The sources.
    pub from: Vec<String>,
    /// The targets.
    pub to: Vec<String>,
    /// Every ordered pair.
    pub all: bool,
}

impl Pairing {
    /// Whether any pairs are asked for.
    pub fn is_asked(&self) -> bool {
        self.all || !self.from.is_empty() || !self.to.is_empty()
    }
}

/// Subjects, and the instances of which they were made.
#[derive(Debug, Default)]
pub struct Assembled {
    /// The subjects, in input order.
    pub drafts: Vec<Draft>,
    /// The names of the instances, in input order.
    pub instances: Vec<String>,
    /// Records about instances that stand on no side of a subject.
    pub unused: u64,
}

/// What records say of one instance.
#[derive(Debug, Default)]
struct Instance<'r> {
    name: String,
    records: Vec<&'r Record>,
    damaged: bool,
    used: bool,
}

/// Subjects in input order, found by what identifies them.
#[derive(Debug, Default)]
struct Subjects {
    drafts: Vec<Draft>,
    by_identity: HashMap<Vec<String>, usize>,
}

impl Subjects {
    /// What is said of two instances without an operation holds for every operation; only where none is named, it
    /// makes a subject of its own.
    fn add_all(&mut self, form: &'static Form, context: &Context, records: &[&Record]) {
        let identities: Vec<_> = records.iter().map(|record| identity(form, context, record)).collect();
        let mut of_each: HashMap<&[String], Vec<usize>> = HashMap::new();
        for names in identities.iter().flatten().filter_map(|own| with_operation(own)) {
            of_each.insert(names, Vec::new());
        }
        let is_of_each = |own: &Option<Vec<String>>| {
            own.as_ref().and_then(|own| without_operation(own)).filter(|names| of_each.contains_key(names)).is_some()
        };
        let late: Vec<bool> = identities.iter().map(is_of_each).collect();
        for ((record, own), _) in records.iter().zip(&identities).zip(&late).filter(|(_, late)| !**late) {
            let at = self.place(own.clone());
            add_record(form, context, &mut self.drafts[at], record);
            if let Some(names) = own.as_ref().and_then(|own| with_operation(own))
                && let Some(places) = of_each.get_mut(names)
                && !places.contains(&at)
            {
                places.push(at);
            }
        }
        for ((record, own), _) in records.iter().zip(&identities).zip(&late).filter(|(_, late)| **late) {
            let names = own.as_ref().and_then(|own| without_operation(own));
            for at in names.and_then(|names| of_each.get(names)).into_iter().flatten() {
                add_record(form, context, &mut self.drafts[*at], record);
            }
        }
    }

    /// The position of the subject of an identity; without one, of a new subject.
    fn place(&mut self, identity: Option<Vec<String>>) -> usize {
        let new = self.drafts.len();
        let at = identity.map_or(new, |identity| *self.by_identity.entry(identity).or_insert(new));
        if at == new {
            self.drafts.push(Draft::default());
        }
        at
    }
}

/// Puts subjects together.
///
/// # Errors
/// The pairing names an instance that is not in the list, or instances are listed and nobody says which pairs to make.
pub fn assemble(
    form: &'static Form,
    gathered: &Gathered,
    pairing: &Pairing,
    context: &Context,
) -> Result<Assembled, String> {
    let mut instances = instances(gathered);
    let mut subjects = Subjects::default();
    let made: Vec<Record> =
        pairs(&instances, pairing)?.iter().map(|(source, target)| pair_record(source, target)).collect();
    let records: Vec<&Record> = gathered.records.iter().filter(|record| !record.is_instance).chain(&made).collect();
    subjects.add_all(form, context, &records);
    if subjects.drafts.is_empty() && !instances.all.is_empty() {
        return Err(format!("{} instance(s) are listed, and {}", instances.all.len(), form.lone_instances));
    }
    let mut drafts = subjects.drafts;
    let damaged = |record: &&Record| !record.is_instance;
    let keys: HashSet<Vec<String>> =
        gathered.damaged.iter().filter(damaged).filter_map(|record| identity(form, context, record)).collect();
    for draft in &mut drafts {
        apply_instances(form, draft, &mut instances);
        if draft_identity(form, draft).is_some_and(|own| is_one_of(&keys, own)) {
            draft.facts.conflict(form.domain.integrity);
        }
        finish(form, draft, context);
    }
    let unused =
        instances.all.iter().filter(|instance| !instance.used).map(|instance| instance.records.len() as u64).sum();
    let instances = instances.all.into_iter().map(|instance| instance.name).collect();
    Ok(Assembled { drafts, instances, unused })
}

/// The subject of one record alone.
///
/// # Errors
/// The record is about an instance.
pub fn alone(form: &'static Form, context: &Context, record: &Record) -> Result<Draft, String> {
    if record.is_instance {
        return Err(format!(
            "{}: the record is about one instance; name the side, as in source_ or target_",
            record.at
        ));
    }
    let mut subjects = Subjects::default();
    subjects.add_all(form, context, &[record]);
    let mut draft = subjects.drafts.remove(0);
    finish(form, &mut draft, context);
    Ok(draft)
}

/// What follows once all records of a subject are joined.
fn finish(form: &'static Form, draft: &mut Draft, context: &Context) {
    (form.conclude)(draft, context);
    disagreeing_texts(form, draft);
    one_instance_twice(form, draft);
}

fn instances(gathered: &Gathered) -> Instances<'_> {
    let mut instances = Instances::default();
    let good = gathered.records.iter().map(|record| (record, false));
    for (record, damaged) in good.chain(gathered.damaged.iter().map(|record| (record, true))) {
        let Some(name) = record.instance_names().next().filter(|_| record.is_instance) else { continue };
        let at = record.instance_names().find_map(|name| instances.place(name)).unwrap_or(instances.all.len());
        if at == instances.all.len() {
            instances.all.push(Instance { name: name.to_owned(), ..Instance::default() });
        }
        for name in record.instance_names() {
            instances.by_name.entry(bare(name)).or_insert(at);
        }
        match damaged {
            true => instances.all[at].damaged = true,
            false => instances.all[at].records.push(record),
        }
    }
    instances
}

/// Instances in input order, found by what they are called.
#[derive(Debug, Default)]
struct Instances<'r> {
    all: Vec<Instance<'r>>,
    by_name: HashMap<String, usize>,
}

impl Instances<'_> {
    fn place(&self, name: &str) -> Option<usize> {
        self.by_name.get(&bare(name)).copied()
    }
}

fn pairs(instances: &Instances<'_>, pairing: &Pairing) -> Result<Vec<(String, String)>, String> {
    if !pairing.is_asked() {
        return Ok(Vec::new());
    }
    if instances.all.is_empty() {
        return Err("pairs of listed instances are asked for, and no usable record is about an instance".to_owned());
    }
    let all: Vec<String> = instances.all.iter().map(|instance| instance.name.clone()).collect();
    let named = |wanted: &[String], option: &str| -> Result<Vec<String>, String> {
        let find = |name: &String| {
            instances.place(name).map(|at| all[at].clone()).ok_or_else(|| {
                let known: Vec<&str> = all.iter().map(String::as_str).collect();
                format!("{option} {name}: no such instance is listed; {}", nearest(name, &known))
            })
        };
        if wanted.is_empty() { Ok(all.clone()) } else { wanted.iter().map(find).collect() }
    };
    let (sources, targets) = (named(&pairing.from, "--from")?, named(&pairing.to, "--to")?);
    let each = |source: &String| targets.iter().map(|target| (source.clone(), target.clone())).collect::<Vec<_>>();
    let pairs: Vec<_> = sources.iter().flat_map(each).filter(|(source, target)| source != target).collect();
    match pairs.is_empty() {
        true => Err("no pair of two different instances is asked for".to_owned()),
        false => Ok(pairs),
    }
}

fn pair_record(source: &str, target: &str) -> Record {
    let mut record = Record::default();
    record.texts.push(("name", Some(Side::Source), source.to_owned()));
    record.texts.push(("name", Some(Side::Target), target.to_owned()));
    record
}

/// The texts that name a record's subject; nothing if it is not named.
fn identity(form: &Form, context: &Context, record: &Record) -> Option<Vec<String>> {
    let text = |wanted: &str| {
        let name = |(field, side, text): &(&str, Option<Side>, String)| {
            (text_name(field, *side) == wanted).then(|| text.clone())
        };
        record
            .texts
            .iter()
            .find_map(name)
            .map(|text| identifying(wanted, &text))
            .or_else(|| (wanted == "operation").then(|| context.operation.clone()).flatten())
    };
    named(form.identity.iter().map(|field| text(field)))
}

fn draft_identity(form: &Form, draft: &Draft) -> Option<Vec<String>> {
    named(form.identity.iter().map(|field| draft.text(field).map(|text| identifying(field, text))))
}

/// The text as it is compared: instances have several spellings.
fn identifying(field: &str, text: &str) -> String {
    if field.ends_with("_name") { bare(text) } else { text.to_owned() }
}

/// The names of an identity that has its operation.
fn with_operation(own: &[String]) -> Option<&[String]> {
    let (operation, names) = own.split_last()?;
    (!names.is_empty() && !operation.is_empty()).then_some(names)
}

/// The names of an identity that lacks its operation.
fn without_operation(own: &[String]) -> Option<&[String]> {
    let (operation, names) = own.split_last()?;
    (!names.is_empty() && operation.is_empty()).then_some(names)
}

/// Whether a record that was refused may be about a subject: what was refused may be the last text of its identity.
fn is_one_of(damaged: &HashSet<Vec<String>>, mut own: Vec<String>) -> bool {
    if damaged.contains(&own) {
        return true;
    }
    own.last_mut().into_iter().for_each(String::clear);
    own.len() > 1 && damaged.contains(&own)
}

/// The last text of an identity of several may be missing: pairs of which no operation is known.
fn named(texts: impl ExactSizeIterator<Item = Option<String>>) -> Option<Vec<String>> {
    let last = texts.len() - 1;
    let each = texts.enumerate().map(|(at, text)| match text {
        None if at == last && last > 0 => Some(String::new()),
        text => text,
    });
    each.collect()
}

fn add_record(form: &'static Form, context: &Context, draft: &mut Draft, record: &Record) {
    if !record.at.is_empty() {
        draft.origins.push(record.at.clone());
    }
    let mut named = Vec::new();
    for (field, side, text) in &record.texts {
        let name = text_name(field, *side);
        match draft.texts.get(&name).filter(|_| *field == "name") {
            Some(known) if known.iter().any(|known| same_instance(&known.text, text)) => {}
            // A second name in the same record is its host.
            _ if *field == "name" && named.contains(side) => {
                draft.add_text(&text_name("host", *side), text, &record.at);
            }
            _ => draft.add_text(&name, text, &record.at),
        }
        if *field == "name" {
            named.push(*side);
        }
    }
    if let (Some(operation), None) = (&context.operation, draft.texts.get("operation"))
        && let Some(field) = form.fields.iter().find(|field| field.name == "operation")
    {
        draft.add_text("operation", operation, "--operation");
        if let Some(fact) = field.of.fact(None) {
            let bits = form.domain.facts[fact.index()].value(operation).unwrap_or(0);
            state(form, draft, fact, bits, "--operation", Grade::Stated);
        }
    }
    for (_, side, said) in &record.facts {
        if let Some(fact) = said.of.fact(*side) {
            state(form, draft, fact, said.bits, &record.at, record.grade);
        }
    }
    for (side, module, said) in &record.modules {
        add_module(form, draft, *side, module, said);
    }
    for part in &record.parts {
        add_part(form, draft, part);
    }
    draft.others.extend(record.others.iter().cloned());
}

fn state(form: &Form, draft: &mut Draft, fact: FactId, bits: u32, at: &str, grade: Grade) {
    draft.facts.join(form.domain.facts, &Facts::unknown().with(fact, bits, grade));
    draft.said.push(SaidFact { fact, bits, at: at.to_owned() });
}

/// Records complete each other about a side's modules; if they disagree about one, nobody knows which is right.
fn add_module(form: &Form, draft: &mut Draft, side: Option<Side>, module: &str, said: &str) {
    let Some(side) = side else { return };
    let known = draft.modules.entry(side).or_default().entry(module.to_owned()).or_insert_with(|| said.to_owned());
    if known == OPEN {
        said.clone_into(known);
    } else if said != OPEN && known != said {
        let note = format!("the module {module} of the {} is said to be {known} and {said}", side.name());
        draft.facts.conflict(form.domain.integrity);
        draft.notes.push(note);
    }
}

/// Parts of one name are one part; if they disagree, nobody knows.
fn add_part(form: &Form, draft: &mut Draft, part: &BTreeMap<&'static str, String>) {
    let name = part.get(PART_NAME);
    let Some(known) = draft.known_part(part) else { return };
    let mut disagreement = None;
    for (field, text) in part {
        let before = known.entry(field).or_insert_with(|| text.clone());
        if before != text {
            disagreement =
                Some(format!("{}: {field} is said to be {before} and {text}", name.map_or("", String::as_str)));
        }
    }
    if let Some(note) = disagreement {
        draft.facts.conflict(form.domain.integrity);
        draft.notes.push(note);
    }
}

fn apply_instances(form: &Form, draft: &mut Draft, instances: &mut Instances<'_>) {
    for side in Side::BOTH {
        let names = ["name", "host"].iter().filter_map(|field| draft.side_text(side, field));
        let places: BTreeSet<usize> = names.filter_map(|name| instances.place(name)).collect();
        for at in places {
            let instance = &mut instances.all[at];
            instance.used = true;
            if instance.damaged {
                draft.facts.conflict(form.domain.integrity);
            }
            for record in &instance.records {
                apply(form, draft, side, record);
            }
        }
    }
}

fn apply(form: &Form, draft: &mut Draft, side: Side, record: &Record) {
    draft.origins.push(record.at.clone());
    for (field, _, text) in record.texts.iter().filter(|(field, _, _)| *field != "name") {
        draft.add_text(&text_name(field, Some(side)), text, &record.at);
    }
    for (_, module, said) in &record.modules {
        add_module(form, draft, Some(side), module, said);
    }
    for (name, cell) in &record.others {
        draft.others.insert((format!("{}_{name}", side.name()), cell.clone()));
    }
    for (_, _, said) in &record.facts {
        if let Some(fact) = said.of.fact(Some(side)) {
            state(form, draft, fact, said.bits, &record.at, record.grade);
        }
    }
}

/// Nothing is copied or sent from an instance to itself: one of the two names is wrong.
fn one_instance_twice(form: &Form, draft: &mut Draft) {
    let named = |field: &str| Some((draft.side_text(Side::Source, field)?, draft.side_text(Side::Target, field)?));
    let same = ["name", "host", "sys_id"]
        .into_iter()
        .find_map(|field| named(field).filter(|(source, target)| same_instance(source, target)));
    if let Some((source, target)) = same {
        let note = format!("source and target are the same instance: {source}, {target}");
        draft.notes.push(note);
        draft.facts.conflict(form.domain.integrity);
    }
}

/// Records of one subject that give different texts where one is expected leave it open which is right.
fn disagreeing_texts(form: &'static Form, draft: &mut Draft) {
    use crate::domains::form::Reads;
    // Facts that disagree are in conflict already, and a release may be written at any length.
    let single = |field: &FieldSpec, side| match field.reads {
        Reads::Text(_) | Reads::Time => field.name != "release",
        Reads::Choice(_) => field.of != Of::Part && field.of.fact(side).is_none(),
        _ => false,
    };
    let mut notes = Vec::new();
    for (name, said) in &draft.texts {
        if said.len() > 1 && form.field(name).is_some_and(|(field, side)| single(field, side)) {
            let each: Vec<String> = said.iter().map(|said| format!("{} ({})", said.text, said.at)).collect();
            notes.push(format!("records disagree about {name}: {}", each.join(", ")));
        }
    }
    if !notes.is_empty() {
        draft.facts.conflict(form.domain.integrity);
    }
    draft.notes.extend(notes);
}
