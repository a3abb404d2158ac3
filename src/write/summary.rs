//! What came out, in numbers, and what to do next in order of urgency.

use serde_json::{Value, json};

use crate::diagnose::{Diagnosis, KeyOutcome, ShapeOutcome};
use crate::engine::facts::{FactId, Grade, Lang, members};
use crate::rulebook::card::RemedyKind;
use crate::rulebook::domain::Tone;

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
        let tally = &self.diagnosis.tally;
        let classes = self.diagnosis.rulebook.domain.classes.iter().enumerate();
        let mut rows: Vec<_> =
            classes.map(|(index, class)| (class.name, tally.confirmed[index], tally.conditional[index])).collect();
        rows.push(("undetermined", 0, tally.undetermined));
        rows
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
        let book = &self.diagnosis.rulebook;
        let each = self.diagnosis.settings.assume.iter().map(|(fact, bits)| {
            let spec = &book.facts[fact.index()];
            format!("{}={}", spec.name, spec.show(*bits))
        });
        let assumed = each.collect::<Vec<_>>().join(", ");
        let words = match lang {
            Lang::En => "Assumed where nobody knows:",
            Lang::Zh => "未知时假定：",
        };
        (!assumed.is_empty()).then(|| format!("{words} {assumed}"))
    }

    /// The numbers for machines.
    pub fn json(&self) -> Value {
        let account = self.diagnosis.survey.account;
        let classes: serde_json::Map<String, Value> = self
            .classes()
            .into_iter()
            .map(|(name, confirmed, conditional)| match name {
                "undetermined" => (name.to_owned(), json!({ "keys": conditional })),
                _ => (
                    name.to_owned(),
                    json!({ "keys": confirmed + conditional, "confirmed": confirmed, "conditional": conditional }),
                ),
            })
            .collect();
        json!({
            "records": { "read": account.read, "diagnosed": account.diagnosed, "rejected": account.rejected, "exact_duplicates": account.duplicates },
            "keys": account.keys,
            "classes": classes,
        })
    }
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
    let counted = counted_shapes(diagnosis);
    let mut steps = Vec::new();
    steps.extend(deadline_step(diagnosis, lang));
    steps.extend(conflict_step(diagnosis, &counted, lang));
    steps.extend(fact_steps(diagnosis, &counted, lang, Openness::Gap));
    steps.extend(unlock_steps(diagnosis, &counted, lang));
    steps.extend(fact_steps(diagnosis, &counted, lang, Openness::Condition));
    steps.extend(good_step(diagnosis, &counted, lang));
    steps
}

type Counted<'d> = Vec<(KeyOutcome<'d>, u64)>;

/// One key of each combination of facts, with the number of keys that have it.
fn counted_shapes(diagnosis: &Diagnosis) -> Counted<'_> {
    let counts = diagnosis.survey.shape_counts();
    let mut seen = vec![false; counts.len()];
    let fresh = |key: &KeyOutcome<'_>| !std::mem::replace(&mut seen[key.key.shape as usize], true);
    diagnosis.outcomes().filter(fresh).map(|key| (key, counts[key.key.shape as usize])).collect()
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

fn conflict_step(diagnosis: &Diagnosis, counted: &Counted<'_>, lang: Lang) -> Option<Step> {
    let program = &diagnosis.rulebook.program;
    let relevant = program.deciding.facts | program.integrity;
    let conflicting = counted.iter().filter(|(key, _)| key.outcome.facts.graded(Grade::Conflict) & relevant != 0);
    let count: u64 = conflicting.map(|(_, count)| count).sum();
    let text = match lang {
        Lang::En => format!(
            "Records disagree about {count} key(s), or one was rejected: correct the inventory (explain tells more)"
        ),
        Lang::Zh => format!("{count} 个密钥的记录相互矛盾或被拒绝：请更正清单（详见 explain）"),
    };
    (count > 0).then_some(Step { text, command: None })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Openness {
    Gap,
    Condition,
}

/// One step for each fact that is open, those that concern most keys first.
fn fact_steps(diagnosis: &Diagnosis, counted: &Counted<'_>, lang: Lang, open: Openness) -> Vec<Step> {
    let book = &diagnosis.rulebook;
    let concerns = |outcome: &ShapeOutcome, fact: FactId| match open {
        Openness::Gap => outcome.gaps().any(|gap| gap == fact) && outcome.facts.grade(fact) != Grade::Conflict,
        Openness::Condition => outcome.conditions().any(|condition| condition == fact),
    };
    let mut facts: Vec<(u64, FactId)> = members(book.program.deciding.facts)
        .map(|fact| (counted.iter().filter(|(key, _)| concerns(key.outcome, fact)).map(|(_, count)| count).sum(), fact))
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
                format!("Missing for {count} undetermined key(s): {label} (columns: {columns})")
            }
            (Openness::Gap, Lang::Zh) => {
                format!("{count} 个无法判定的密钥缺少：{label}（列：{columns}）")
            }
            (Openness::Condition, Lang::En) => {
                format!("{confirm}: {count} key(s); state it once with --assume {}={presumed}", spec.name)
            }
            (Openness::Condition, Lang::Zh) => {
                format!("{confirm}：{count} 个密钥；可用 --assume {}={presumed} 一次性声明", spec.name)
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
fn unlock_steps(diagnosis: &Diagnosis, counted: &Counted<'_>, lang: Lang) -> Vec<Step> {
    let book = &diagnosis.rulebook;
    let mut freed: Vec<(u64, Vec<u16>)> = Vec::new();
    let mut stuck = 0;
    for (key, count) in counted {
        let Some(class) = key.outcome.class else {
            continue;
        };
        let alarming = book.domain.classes[usize::from(class)].tone == Tone::Alarm;
        if alarming && key.outcome.judgement.unlocks.is_empty() {
            stuck += count;
        }
        let Some(set) = key.outcome.judgement.unlocks.first() else {
            continue;
        };
        match freed.iter_mut().find(|(_, known)| known == set) {
            Some((total, _)) => *total += count,
            None => freed.push((*count, set.clone())),
        }
    }
    freed.sort_by_key(|(count, set)| (set.len(), std::cmp::Reverse(*count)));
    let mut steps: Vec<Step> =
        freed.into_iter().map(|(count, set)| unlock_step(diagnosis, count, &set, lang)).collect();
    if stuck > 0 {
        let text = match lang {
            Lang::En => format!("No way out for {stuck} blocked key(s); explain tells what remains"),
            Lang::Zh => format!("{stuck} 个密钥无法迁移；可行做法见 explain"),
        };
        steps.push(Step { text, command: None });
    }
    steps
}

fn unlock_step(diagnosis: &Diagnosis, count: u64, set: &[u16], lang: Lang) -> Step {
    let book = &diagnosis.rulebook;
    let titles: Vec<&str> = set.iter().map(|card| book.card(*card).title.get(lang)).collect();
    let single = (set.len() == 1).then(|| book.card(set[0]).remedy.as_ref()).flatten();
    let command =
        single.filter(|remedy| remedy.kind == RemedyKind::Command).and_then(|remedy| remedy.command.as_deref());
    let command = command.map(placeholders);
    let text = match lang {
        Lang::En => format!("{}: frees {count} key(s)", titles.join(" + ")),
        Lang::Zh => format!("{}：可使 {count} 个密钥满足条件", titles.join(" + ")),
    };
    Step { text, command }
}

fn good_step(diagnosis: &Diagnosis, counted: &Counted<'_>, lang: Lang) -> Option<Step> {
    let good = diagnosis.rulebook.program.good;
    let ready = counted.iter().filter(|(key, _)| key.outcome.class == Some(good) && key.outcome.confirmed);
    let count: u64 = ready.clone().map(|(_, count)| count).sum();
    let (key, _) = ready.clone().next()?;
    let card = words::findings(key.outcome).next()?.card;
    let remedy = diagnosis.rulebook.card(card).remedy.as_ref()?;
    let text = match lang {
        Lang::En => format!("{count} key(s) are ready: {}", remedy.get(lang)),
        Lang::Zh => format!("{count} 个密钥已就绪：{}", remedy.get(lang)),
    };
    Some(Step { text, command: None })
}
