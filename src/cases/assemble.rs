//! Records to subjects: those that say the same names are about the same one, and what a fleet's list says of an
//! instance is said of every side on which it stands.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::gather::Gathered;
use super::record::{PART_NAME, Record};
use crate::domains::form::{Context, Draft, FieldSpec, Form, SaidFact, Side};
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

/// Subjects while records are added to them.
#[derive(Debug, Default)]
struct Subjects {
    drafts: Vec<Draft>,
    /// Where the subjects stand that have a name.
    named: HashMap<Vec<String>, usize>,
}

impl Subjects {
    /// The subject of that name, or a new one.
    fn of(&mut self, name: Option<Vec<String>>) -> &mut Draft {
        let next = self.drafts.len();
        let at = name.map_or(next, |name| *self.named.entry(name).or_insert(next));
        if at == next {
            self.drafts.push(Draft::default());
        }
        &mut self.drafts[at]
    }
}

/// What records say of one instance.
#[derive(Debug, Default)]
struct Instance<'r> {
    name: String,
    records: Vec<&'r Record>,
    damaged: bool,
    used: bool,
}

/// Puts subjects together; `domain_facts` are those of the rulebook.
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
    for record in gathered.records.iter().filter(|record| !record.is_instance) {
        add_record(form, context, &mut subjects, record);
    }
    for (source, target) in pairs(&instances, pairing)? {
        let record = pair_record(&source, &target);
        add_record(form, context, &mut subjects, &record);
    }
    let mut drafts = subjects.drafts;
    if drafts.is_empty() && !instances.is_empty() {
        return Err(format!("{} instance(s) are listed, and {}", instances.len(), form.lone_instances));
    }
    let damaged = |record: &&Record| !record.is_instance;
    let keys: HashSet<Vec<String>> =
        gathered.damaged.iter().filter(damaged).filter_map(|record| identity(form, context, record)).collect();
    let by_name: HashMap<String, usize> =
        instances.iter().enumerate().map(|(at, instance)| (bare(&instance.name), at)).collect();
    for draft in &mut drafts {
        apply_instances(form, draft, &by_name, &mut instances);
        if draft_identity(form, draft).is_some_and(|own| keys.contains(&own)) {
            draft.facts.conflict(form.domain.integrity);
        }
        onto_itself(form, draft);
        disagreeing_texts(form, draft);
        (form.conclude)(draft, context);
    }
    let unused = instances.iter().filter(|instance| !instance.used).map(|instance| instance.records.len() as u64).sum();
    let instances = instances.into_iter().map(|instance| instance.name).collect();
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
    add_record(form, context, &mut subjects, record);
    let mut draft = subjects.drafts.remove(0);
    disagreeing_texts(form, &mut draft);
    (form.conclude)(&mut draft, context);
    Ok(draft)
}

fn instances(gathered: &Gathered) -> Vec<Instance<'_>> {
    let mut instances: Vec<Instance<'_>> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let good = gathered.records.iter().map(|record| (record, false));
    for (record, damaged) in good.chain(gathered.damaged.iter().map(|record| (record, true))) {
        let name = record.texts.iter().find(|(field, _, _)| *field == "name").map(|(_, _, text)| text);
        let (true, Some(name)) = (record.is_instance, name) else { continue };
        let at = *places.entry(bare(name)).or_insert(instances.len());
        if at == instances.len() {
            instances.push(Instance { name: name.clone(), ..Instance::default() });
        }
        match damaged {
            true => instances[at].damaged = true,
            false => instances[at].records.push(record),
        }
    }
    instances
}

/// `prod` and `prod.service-now.com` are the same instance.
fn bare(name: &str) -> String {
    name.trim().to_lowercase().trim_end_matches(".service-now.com").to_owned()
}

fn same_instance(a: &str, b: &str) -> bool {
    bare(a) == bare(b)
}

fn pairs(instances: &[Instance<'_>], pairing: &Pairing) -> Result<Vec<(String, String)>, String> {
    if !pairing.is_asked() {
        return Ok(Vec::new());
    }
    let all: Vec<String> = instances.iter().map(|instance| instance.name.clone()).collect();
    let named = |wanted: &[String], option: &str| -> Result<Vec<String>, String> {
        let find = |name: &String| {
            all.iter().find(|known| same_instance(known, name)).cloned().ok_or_else(|| {
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
            .or_else(|| (wanted == "operation").then(|| context.operation.clone()).flatten())
    };
    named(form.identity.iter().map(|field| text(field).map(|text| identifying(field, text))))
}

/// Instances are the same whether their domain is written or not.
fn identifying(field: &str, text: String) -> String {
    if field.ends_with("_name") { bare(&text) } else { text }
}

fn draft_identity(form: &Form, draft: &Draft) -> Option<Vec<String>> {
    named(form.identity.iter().map(|field| draft.text(field).map(|text| identifying(field, text.to_owned()))))
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

fn text_name(field: &str, side: Option<Side>) -> String {
    side.map_or_else(|| field.to_owned(), |side| format!("{}_{field}", side.name()))
}

fn add_record(form: &'static Form, context: &Context, subjects: &mut Subjects, record: &Record) {
    let draft = subjects.of(identity(form, context, record));
    if !record.at.is_empty() {
        draft.origins.push(record.at.clone());
    }
    for (field, side, text) in &record.texts {
        draft.add_text(&text_name(field, *side), text, &record.at);
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
    for part in &record.parts {
        add_part(form, draft, part);
    }
    for other in &record.others {
        if !draft.others.contains(other) {
            draft.others.push(other.clone());
        }
    }
}

fn state(form: &Form, draft: &mut Draft, fact: FactId, bits: u32, at: &str, grade: Grade) {
    draft.facts.join(form.domain.facts, &Facts::unknown().with(fact, bits, grade));
    draft.said.push(SaidFact { fact, bits, at: at.to_owned() });
}

/// Parts of one name are one part; if they disagree, nobody knows.
fn add_part(form: &Form, draft: &mut Draft, part: &BTreeMap<&'static str, String>) {
    let name = part.get(PART_NAME);
    let known = draft.parts.iter_mut().find(|known| name.is_some() && known.get(PART_NAME) == name);
    let Some(known) = known else {
        draft.parts.push(part.clone());
        return;
    };
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

fn apply_instances(form: &Form, draft: &mut Draft, by_name: &HashMap<String, usize>, instances: &mut [Instance<'_>]) {
    for side in Side::BOTH {
        let names = ["name", "host"].iter().filter_map(|field| draft.side_text(side, field));
        let places: BTreeSet<usize> = names.filter_map(|name| by_name.get(&bare(name)).copied()).collect();
        for at in places {
            let instance = &mut instances[at];
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

/// Nothing is copied or exchanged between an instance and itself.
fn onto_itself(form: &Form, draft: &mut Draft) {
    let name = |side| draft.side_text(side, "name").map(bare);
    if let (Some(source), Some(target)) = (name(Side::Source), name(Side::Target))
        && source == target
    {
        draft.facts.conflict(form.domain.integrity);
        draft.notes.push("source and target are the same instance".to_owned());
    }
}

fn apply(form: &Form, draft: &mut Draft, side: Side, record: &Record) {
    draft.origins.push(record.at.clone());
    for (field, _, text) in record.texts.iter().filter(|(field, _, _)| *field != "name") {
        draft.add_text(&text_name(field, Some(side)), text, &record.at);
    }
    for (_, _, said) in &record.facts {
        if let Some(fact) = said.of.fact(Some(side)) {
            state(form, draft, fact, said.bits, &record.at, record.grade);
        }
    }
}

/// Records of one subject that give different texts where one is expected leave it open which is right.
fn disagreeing_texts(form: &'static Form, draft: &mut Draft) {
    use crate::domains::form::Reads;
    let single = |field: &FieldSpec| matches!(field.reads, Reads::Text(_) | Reads::Time);
    let mut notes = Vec::new();
    for (name, said) in &draft.texts {
        let field = form.field(name).map(|(field, _)| field);
        if said.len() > 1 && field.is_some_and(|field| single(field) && field.name != "name") {
            let each: Vec<String> = said.iter().map(|said| format!("{} ({})", said.text, said.at)).collect();
            notes.push(format!("records disagree about {name}: {}", each.join(", ")));
        }
    }
    if !notes.is_empty() {
        draft.facts.conflict(form.domain.integrity);
    }
    draft.notes.extend(notes);
}
