//! What came out, in numbers, and what to do next in order of urgency.

use serde_json::{Map, Value, json};

use crate::diagnose::{Diagnosis, KeyOutcome, Settings, ShapeOutcome, Tally};
use crate::engine::facts::{FactId, Grade, Lang, members};
use crate::inventory::row::{Note, Place};
use crate::rulebook::Rulebook;
use crate::rulebook::card::RemedyKind;
use crate::rulebook::domain::{Domain, Tone};

use super::evidence::UsageSummary;
use super::{safe, words};

/// The numbers of a diagnosis.
#[derive(Debug)]
pub struct Counts<'d> {
    diagnosis: &'d Diagnosis,
}

impl<'d> Counts<'d> {
    /// The numbers of a diagnosis.
    pub fn new(diagnosis: &'d Diagnosis) -> Counts<'d> {
        Counts { diagnosis }
    }

    /// Name, confirmed keys and conditional keys of each class, `undetermined` last.
    pub fn classes(&self) -> Vec<(&'static str, u64, u64)> {
        classes(self.diagnosis.rulebook.domain, &self.diagnosis.tally)
    }

    /// What became of the records, in one line.
    pub fn account_line(&self, lang: Lang) -> String {
        let account = self.diagnosis.survey.account;
        let (read, diagnosed, keys, rejected, duplicates) =
            (account.read, account.diagnosed, account.keys, account.rejected, account.duplicates);
        match lang {
            Lang::En => format!(
                "{read} records read = {diagnosed} diagnosed ({keys} keys) + {rejected} rejected + {duplicates} exact duplicates"
            ),
            Lang::Zh => format!(
                "读取 {read} 条记录 = 已诊断 {diagnosed} 条（{keys} 个密钥）+ 拒绝 {rejected} 条 + 完全重复 {duplicates} 条"
            ),
        }
    }

    /// What was assumed where nobody knew, in one line.
    pub fn assumed_line(&self, lang: Lang) -> Option<String> {
        assumed_line(&self.diagnosis.rulebook, &self.diagnosis.settings, lang)
    }

    /// The facts that were inferred and not stated, with the number of keys, in one line.
    pub fn inferred_line(&self, lang: Lang) -> Option<String> {
        let each = self.grades().into_iter().filter_map(|(fact, counts)| {
            let (_, count) = counts.iter().find(|(grade, count)| *grade == Grade::Inferred && *count > 0)?;
            let name = words::fact_name(&self.diagnosis.rulebook, fact);
            Some(format!("{name} {count}"))
        });
        let inferred = each.collect::<Vec<_>>().join(", ");
        let words = lang.pick("Inferred, and not stated by any record (keys):", "由推断得出、记录未注明（密钥数）：");
        (!inferred.is_empty()).then(|| format!("{words} {inferred}"))
    }

    /// Of each fact, how many keys know it by which grade; those that no key is to have are left out.
    fn grades(&self) -> Vec<(FactId, Vec<(Grade, u64)>)> {
        let counted = counted_shapes(self.diagnosis);
        let asides = self.diagnosis.rulebook.asides();
        let judged = members(!asides).filter(|fact| fact.index() < self.diagnosis.rulebook.facts.len());
        let of = |fact: FactId| {
            let count = |grade: Grade| {
                let with = counted.iter().filter(|(outcome, _)| outcome.facts.grade(fact) == grade);
                (grade, with.map(|(_, count)| count).sum())
            };
            (fact, Grade::ALL.into_iter().map(count).collect())
        };
        judged.map(of).collect()
    }

    /// The numbers for machines.
    pub fn json(&self, lang: Lang) -> Value {
        let grades: Map<String, Value> = self
            .grades()
            .into_iter()
            .map(|(fact, counts)| {
                let counts: Map<String, Value> =
                    counts.into_iter().map(|(grade, count)| (grade.name().to_owned(), json!(count))).collect();
                (words::fact_name(&self.diagnosis.rulebook, fact).to_owned(), Value::Object(counts))
            })
            .collect();
        let account = self.diagnosis.survey.account;
        let classes = classes_json(&self.classes(), "keys");
        let mut json = json!({
            "records": { "read": account.read, "diagnosed": account.diagnosed, "rejected": account.rejected, "exact_duplicates": account.duplicates },
            "keys": account.keys,
            "classes": classes,
            "grades": grades,
            "notes": notes_json(&self.diagnosis.survey.notes(), &self.diagnosis.survey.files),
        });
        if let Some(usage) = UsageSummary::of(self.diagnosis, lang) {
            json["usage_evidence"] = json!(usage);
        }
        json
    }
}

/// Name, confirmed subjects and conditional subjects of each class. The last row, `undetermined`, counts those that are
/// so for any reason, in its last number.
pub fn classes(domain: &Domain, tally: &Tally) -> Vec<(&'static str, u64, u64)> {
    let (mut rows, mut undetermined) = (Vec::new(), tally.undetermined);
    for (index, class) in domain.classes.iter().enumerate() {
        let (confirmed, conditional) = (tally.confirmed[index], tally.conditional[index]);
        match class.name {
            "undetermined" => undetermined += confirmed + conditional,
            name => rows.push((name, confirmed, conditional)),
        }
    }
    rows.push(("undetermined", 0, undetermined));
    rows
}

/// The numbers of classes for machines; `noun` is the name of the member that counts all of a class.
pub(crate) fn classes_json(classes: &[(&'static str, u64, u64)], noun: &str) -> Map<String, Value> {
    let row = |(name, confirmed, conditional): &(&str, u64, u64)| match *name {
        "undetermined" => ((*name).to_owned(), json!({ noun: conditional })),
        _ => (
            (*name).to_owned(),
            json!({ noun: confirmed + conditional, "confirmed": confirmed, "conditional": conditional }),
        ),
    };
    classes.iter().map(row).collect()
}

/// A note for people: its place if it has one, its kind, and what is to be known.
pub(crate) fn note_line(note: &Note, files: &[String]) -> String {
    match note.place {
        Place::INPUTS => format!("({}) {}", note.kind.name(), note.text),
        place => format!("{} ({}): {}", place.show(files), note.kind.name(), note.text),
    }
}

/// The notes for machines.
pub(crate) fn notes_json<'n>(notes: impl IntoIterator<Item = &'n Note>, files: &[String]) -> Value {
    let each = notes.into_iter().map(|note| {
        let line = (note.place.line > 0).then_some(note.place.line);
        let file = files.get(note.place.file as usize);
        json!({ "kind": note.kind.name(), "file": file, "line": line, "text": note.text })
    });
    each.collect()
}

/// What was assumed where nobody knew, in one line.
pub(crate) fn assumed_line(book: &Rulebook, settings: &Settings, lang: Lang) -> Option<String> {
    let each = settings.assume.iter().map(|(fact, bits)| {
        let spec = &book.facts[fact.index()];
        format!("{}={}", spec.name, spec.show(*bits))
    });
    let assumed = each.collect::<Vec<_>>().join(", ");
    let words = lang.pick("Assumed where nobody knows:", "未知时假定：");
    (!assumed.is_empty()).then(|| format!("{words} {assumed}"))
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What, with how many keys it concerns.
    pub text: String,
    /// A command, if there is one.
    pub command: Option<String>,
}

/// What to do next, most urgent first.
pub fn next_steps(diagnosis: &Diagnosis, lang: Lang) -> Vec<Step> {
    let mut steps = Vec::new();
    steps.extend(deadline_step(diagnosis, lang));
    steps.extend(common_steps(&diagnosis.rulebook, &counted_shapes(diagnosis), lang));
    steps.extend(advice_step(diagnosis, lang));
    steps
}

/// What else to look at, with the number of keys that each advisory is about.
fn advice_step(diagnosis: &Diagnosis, lang: Lang) -> Option<Step> {
    let counted = diagnosis.advisory_counts();
    let each = counted.iter().map(|(card, count)| {
        let title = diagnosis.rulebook.card(*card).title.get(lang);
        format!("{title} ({count})")
    });
    let text = each.collect::<Vec<_>>().join(lang.pick("; ", "；"));
    let words =
        lang.pick("Look at these keys once more (explain tells which and why)", "请再核实以下密钥（详见 explain）");
    let colon = lang.pick(": ", "：");
    (!counted.is_empty()).then(|| Step { text: format!("{words}{colon}{text}"), command: None })
}

/// What to do next about any kind of subject.
pub(crate) fn common_steps(book: &Rulebook, counted: &Counted<'_>, lang: Lang) -> Vec<Step> {
    let mut steps = Vec::new();
    steps.extend(conflict_step(book, counted, lang));
    steps.extend(fact_steps(book, counted, lang, Openness::Gap));
    steps.extend(unlock_steps(book, counted, lang));
    steps.extend(fact_steps(book, counted, lang, Openness::Condition));
    steps.extend(good_step(book, counted, lang));
    steps
}

/// Outcomes, each with the number of subjects that have it.
pub(crate) type Counted<'d> = Vec<(&'d ShapeOutcome, u64)>;

/// One key of each combination of facts, with the number of keys that have it.
fn counted_shapes(diagnosis: &Diagnosis) -> Counted<'_> {
    let counts = diagnosis.survey.shape_counts();
    let mut seen = vec![false; counts.len()];
    let fresh = |key: &KeyOutcome<'_>| !std::mem::replace(&mut seen[key.key.shape as usize], true);
    diagnosis.outcomes().filter(fresh).map(|key| (key.outcome, counts[key.key.shape as usize])).collect()
}

fn deadline_step(diagnosis: &Diagnosis, lang: Lang) -> Option<Step> {
    let can_be_freed = |key: &KeyOutcome<'_>| key.outcome.class.is_none() || !key.outcome.judgement.unlocks.is_empty();
    let due = diagnosis
        .outcomes()
        .filter(can_be_freed)
        .filter_map(|key| key.rotation_deadline().map(|(time, _)| (time, key.key.key_id())));
    let (mut count, mut first) = (0_u64, None);
    for (time, id) in due {
        count += 1;
        if first.is_none_or(|(earliest, _)| time < earliest) {
            first = Some((time, id));
        }
    }
    let (time, id) = first?;
    let id = safe::visible(id);
    let text = match lang {
        Lang::En => format!(
            "Rotation clock: {count} key(s) get a second version, and are then blocked for good, at their next rotation. First: {id} on {time}"
        ),
        Lang::Zh => {
            format!("轮转倒计时：{count} 个密钥将在下次轮转时产生第二个版本，此后永久不可迁移。最早：{id}，{time}")
        }
    };
    Some(Step { text, command: None })
}

fn conflict_step(book: &Rulebook, counted: &Counted<'_>, lang: Lang) -> Option<Step> {
    let noun = book.domain.noun.get(lang);
    let program = &book.program;
    let relevant = program.deciding.facts | program.integrity;
    let conflicting = counted.iter().filter(|(outcome, _)| outcome.facts.graded(Grade::Conflict) & relevant != 0);
    let count: u64 = conflicting.map(|(_, count)| count).sum();
    let text = match lang {
        Lang::En => format!(
            "Records disagree about {count} {noun}(s), or one was rejected: correct the inventory (explain tells more)"
        ),
        Lang::Zh => format!("{count} 个{noun}的记录相互矛盾或被拒绝：请更正清单（详见 explain）"),
    };
    (count > 0).then_some(Step { text, command: None })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Openness {
    Gap,
    Condition,
}

/// One step for each fact that is open, those that concern most keys first.
fn fact_steps(book: &Rulebook, counted: &Counted<'_>, lang: Lang, open: Openness) -> Vec<Step> {
    let noun = book.domain.noun.get(lang);
    let concerns = |outcome: &ShapeOutcome, fact: FactId| match open {
        Openness::Gap => outcome.gaps().any(|gap| gap == fact) && outcome.facts.grade(fact) != Grade::Conflict,
        Openness::Condition => outcome.conditions().any(|condition| condition == fact),
    };
    let mut facts: Vec<(u64, FactId)> = members(book.program.deciding.facts)
        .map(|fact| (counted.iter().filter(|(outcome, _)| concerns(outcome, fact)).map(|(_, count)| count).sum(), fact))
        .filter(|(count, _)| *count > 0)
        .collect();
    // What may be presumed is rarely what keeps a key undetermined.
    let presumable = |fact: FactId| book.facts[fact.index()].presumption.is_some();
    facts.sort_by_key(|(count, fact)| (presumable(*fact), std::cmp::Reverse(*count), *fact));
    let step = |(count, fact): (u64, FactId)| {
        let spec = &book.facts[fact.index()];
        let label = spec.label.get(lang);
        let confirm = spec.presumption.as_ref().map_or(label, |presumption| presumption.confirm.get(lang));
        let columns = &spec.settle.columns;
        let presumed = spec.presumption.as_ref().map_or("", |presumption| presumption.value);
        let text = match (open, lang) {
            (Openness::Gap, Lang::En) => {
                format!("Missing for {count} undetermined {noun}(s): {label} (columns: {columns})")
            }
            (Openness::Gap, Lang::Zh) => {
                format!("{count} 个无法判定的{noun}缺少：{label}（列：{columns}）")
            }
            // What was inferred has nothing to be presumed, and is confirmed where it is said.
            (Openness::Condition, Lang::En) if presumed.is_empty() => {
                format!("Confirm for {count} {noun}(s): {label} (inferred; columns: {columns})")
            }
            (Openness::Condition, Lang::Zh) if presumed.is_empty() => {
                format!("请为 {count} 个{noun}确认：{label}（系推断；列：{columns}）")
            }
            (Openness::Condition, Lang::En) => {
                format!("{confirm}: {count} {noun}(s); state it once with --assume {}={presumed}", spec.name)
            }
            (Openness::Condition, Lang::Zh) => {
                format!("{confirm}：{count} 个{noun}；可用 --assume {}={presumed} 一次性声明", spec.name)
            }
        };
        Step {
            text,
            command: Some(placeholders(spec.settle.command))
                .filter(|command| !command.is_empty() && open == Openness::Gap),
        }
    };
    facts.into_iter().map(step).collect()
}

/// A command for many keys: its holes stand as words to replace.
fn placeholders(command: &str) -> String {
    command.replace("{key_id}", "KEY_ID").replace("{region}", "REGION")
}

/// How many keys each single or combined set of actions frees, and how many have no way out.
fn unlock_steps(book: &Rulebook, counted: &Counted<'_>, lang: Lang) -> Vec<Step> {
    let noun = book.domain.noun.get(lang);
    let mut freed: Vec<(u64, Vec<u16>)> = Vec::new();
    let mut stuck = 0;
    for (outcome, count) in counted {
        let Some(class) = outcome.class else {
            continue;
        };
        let alarming = book.domain.classes[usize::from(class)].tone == Tone::Alarm;
        if alarming && outcome.judgement.unlocks.is_empty() {
            stuck += count;
        }
        let Some(set) = outcome.judgement.unlocks.first() else {
            continue;
        };
        match freed.iter_mut().find(|(_, known)| known == set) {
            Some((total, _)) => *total += count,
            None => freed.push((*count, set.clone())),
        }
    }
    freed.sort_by_key(|(count, set)| (set.len(), std::cmp::Reverse(*count)));
    let mut steps: Vec<Step> = freed.into_iter().map(|(count, set)| unlock_step(book, count, &set, lang)).collect();
    if stuck > 0 {
        let text = match lang {
            Lang::En => format!("No way out for {stuck} blocked {noun}(s); explain tells what remains"),
            Lang::Zh => format!("{stuck} 个{noun}没有可行做法；详见 explain"),
        };
        steps.push(Step { text, command: None });
    }
    steps
}

fn unlock_step(book: &Rulebook, count: u64, set: &[u16], lang: Lang) -> Step {
    let noun = book.domain.noun.get(lang);
    let titles: Vec<&str> = set.iter().map(|card| book.card(*card).title.get(lang)).collect();
    let single = (set.len() == 1).then(|| book.card(set[0]).remedy.as_ref()).flatten();
    let command =
        single.filter(|remedy| remedy.kind == RemedyKind::Command).and_then(|remedy| remedy.command.as_deref());
    let command = command.map(placeholders);
    let text = match lang {
        Lang::En => format!("{}: frees {count} {noun}(s)", titles.join(" + ")),
        Lang::Zh => format!("{}：可使 {count} 个{noun}满足条件", titles.join(" + ")),
    };
    Step { text, command }
}

fn good_step(book: &Rulebook, counted: &Counted<'_>, lang: Lang) -> Option<Step> {
    let noun = book.domain.noun.get(lang);
    let best = book.program.classes - 1;
    let ready = counted.iter().filter(|(outcome, _)| outcome.class == Some(best) && outcome.confirmed);
    let count: u64 = ready.clone().map(|(_, count)| count).sum();
    let (outcome, _) = ready.clone().next()?;
    let card = words::findings(outcome).next()?.card;
    let remedy = book.card(card).remedy.as_ref()?;
    let text = match lang {
        Lang::En => format!("{count} {noun}(s) are ready: {}", remedy.get(lang)),
        Lang::Zh => format!("{count} 个{noun}已就绪：{}", remedy.get(lang)),
    };
    Some(Step { text, command: None })
}
