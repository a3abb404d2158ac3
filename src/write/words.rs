//! The words of an outcome, the same in every format.

use std::collections::HashMap;

use crate::diagnose::{KeyOutcome, ShapeOutcome};
use crate::domains::cell::LIST_SEPARATOR;
use crate::engine::facts::{FactId, Grade, Lang, members};
use crate::engine::judge::values_of;
use crate::engine::outcome::Fired;
use crate::rulebook::Rulebook;
use crate::rulebook::card::Card;

/// A finding: the state found, and by which facts.
pub fn because(book: &Rulebook, outcome: &ShapeOutcome, fired: Fired, lang: Lang) -> String {
    let title = book.card(fired.card).title.get(lang);
    match evidence(book, outcome, fired.card) {
        evidence if evidence.is_empty() => title.to_owned(),
        evidence => format!("{title} ({evidence})"),
    }
}

/// The known facts by which a card fires, such as `languages: PHP`.
pub fn evidence(book: &Rulebook, outcome: &ShapeOutcome, card: u16) -> String {
    let Some(rule) = book.program.rules.iter().find(|rule| rule.card == card) else {
        return String::new();
    };
    let facts = book.program.evidence(&rule.when, &values_of(&outcome.facts));
    let known = members(facts).filter(|fact| outcome.facts.knows(*fact) && book.domain.kind != Some(*fact));
    let shown = known.filter_map(|fact| {
        let spec = &book.facts[fact.index()];
        let asked = rule
            .when
            .0
            .iter()
            .flat_map(|term| (0..book.program.atoms.len()).filter(move |atom| term.all & (1 << atom) != 0));
        let atoms = asked.map(|atom| book.program.atoms[atom]).filter(|atom| atom.fact == fact);
        let wanted = atoms.fold(0, |bits, atom| bits | atom.any_of);
        let held = outcome.facts.get(fact);
        let values = if held & wanted != 0 { held & wanted } else { held };
        // What holds whatever the value is no evidence.
        (wanted != spec.all()).then(|| format!("{}: {}", spec.name, spec.show(values)))
    });
    shown.collect::<Vec<_>>().join("; ")
}

/// The facts by which a card fires, or its title if no fact is worth naming.
pub fn short_because(book: &Rulebook, outcome: &ShapeOutcome, card: u16, lang: Lang) -> String {
    match evidence(book, outcome, card) {
        evidence if evidence.is_empty() => book.card(card).title.get(lang).to_owned(),
        evidence => evidence,
    }
}

/// The findings that matter to a reader: those that decide, or all if nothing decided.
pub fn findings(outcome: &ShapeOutcome) -> impl Iterator<Item = Fired> {
    let all = outcome.class.is_none();
    outcome.findings().filter(move |fired| all || fired.decides)
}

/// What must be confirmed: the presumption's words, or those for an inference.
pub fn condition(book: &Rulebook, outcome: &ShapeOutcome, fact: FactId, lang: Lang) -> String {
    let spec = &book.facts[fact.index()];
    let confirm = spec.presumption.as_ref().map(|presumption| presumption.confirm.get(lang).to_owned());
    let confirm = confirm.unwrap_or_else(|| spec.label.get(lang).to_owned());
    if outcome.facts.grade(fact) != Grade::Inferred {
        return confirm;
    }
    let inferred = inference(book, outcome, fact, lang);
    if inferred.is_empty() {
        return confirm;
    }
    let is = lang.pick("inferred", "系推断");
    let colon = lang.pick(": ", "：");
    format!("{confirm} ({is}{colon}{inferred})")
}

/// From what a fact was inferred.
pub fn inference(book: &Rulebook, outcome: &ShapeOutcome, fact: FactId, lang: Lang) -> String {
    let evidence =
        book.domain.infers_from.iter().filter(|(_, inferred)| *inferred == fact).map(|(evidence, _)| *evidence);
    let known: Vec<FactId> = evidence.filter(|evidence| outcome.facts.knows(*evidence)).collect();
    if known.is_empty() {
        return book.facts[fact.index()].settle.inference.get(lang).to_owned();
    }
    let shown = known.iter().map(|evidence| book.facts[evidence.index()].show(outcome.facts.get(*evidence)));
    let value = book.facts[fact.index()].show(outcome.facts.get(fact));
    format!("{value}, {}", shown.collect::<Vec<_>>().join(", "))
}

/// The same in words that are never empty.
pub fn inferred_from(book: &Rulebook, outcome: &ShapeOutcome, fact: FactId, lang: Lang) -> String {
    let reason = inference(book, outcome, fact, lang);
    if reason.is_empty() { lang.pick("follows from other facts", "由其他事实得出").to_owned() } else { reason }
}

/// What would settle an open fact.
pub fn gap(book: &Rulebook, outcome: &ShapeOutcome, fact: FactId, lang: Lang) -> String {
    let spec = &book.facts[fact.index()];
    let hint = spec.settle.hint.get(lang);
    match (outcome.facts.grade(fact), lang) {
        (Grade::Conflict, _) if fact == book.domain.integrity => hint.to_owned(),
        (Grade::Conflict, Lang::En) => format!("records disagree; {hint}"),
        (Grade::Conflict, Lang::Zh) => format!("记录相互矛盾；{hint}"),
        (_, Lang::En) if hint.is_empty() => format!("fill in the column {}", spec.settle.columns),
        (_, Lang::Zh) if hint.is_empty() => format!("请填写列 {}", spec.settle.columns),
        _ => hint.to_owned(),
    }
}

/// Every set of actions that frees the key, by card.
pub fn unlocks<'b>(book: &'b Rulebook, outcome: &'b ShapeOutcome) -> impl Iterator<Item = Vec<&'b Card>> {
    outcome.judgement.unlocks.iter().map(|set| set.iter().map(|card| book.card(*card)).collect())
}

/// The sets of actions by name: `a + b | c`.
pub fn unlock_names(book: &Rulebook, outcome: &ShapeOutcome) -> String {
    let names = |set: Vec<&Card>| set.iter().map(|card| card.id.as_str()).collect::<Vec<_>>().join(" + ");
    unlocks(book, outcome).map(names).collect::<Vec<_>>().join(" | ")
}

/// The possible classes by name.
pub fn possible(book: &Rulebook, outcome: &ShapeOutcome) -> Vec<&'static str> {
    outcome.possible().map(|class| book.class_name(class)).collect()
}

/// What was assumed: name and value.
pub fn assumed(book: &Rulebook, outcome: &ShapeOutcome) -> Vec<(String, String)> {
    let shown = |fact: FactId| {
        let spec = &book.facts[fact.index()];
        (spec.name.to_string(), spec.show(outcome.facts.get(fact)))
    };
    members(outcome.assumed).map(shown).collect()
}

/// About what records disagree: the fact, and what each record says where.
pub fn conflicts(key: &KeyOutcome<'_>) -> Vec<(FactId, Vec<(String, String)>)> {
    if !key.key.is_joined() {
        return Vec::new();
    }
    let facts = key.facts().graded(Grade::Conflict);
    let book = &key.diagnosis.rulebook;
    let each = members(facts).filter_map(|fact| {
        let spec = &book.facts[fact.index()];
        let said = key.key.said(fact).map(|(place, bits)| (spec.show(bits), key.diagnosis.survey.show(place)));
        let said: Vec<(String, String)> = said.collect();
        (!said.is_empty()).then_some((fact, said))
    });
    each.collect()
}

/// What the user's columns say of a key. There may be thousands of them.
#[derive(Debug)]
pub struct Kept<'a>(HashMap<u32, Vec<&'a str>>);

impl<'a> Kept<'a> {
    /// All of a key.
    pub fn of(key: &KeyOutcome<'a>) -> Kept<'a> {
        let mut columns: HashMap<u32, Vec<&str>> = HashMap::new();
        for (column, text) in key.key.columns() {
            let texts = columns.entry(column).or_default();
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        Kept(columns)
    }

    /// What one column says; nothing if the key does not have it.
    pub fn text(&self, column: u32) -> String {
        self.0.get(&column).map(|texts| texts.join("; ").replace(LIST_SEPARATOR, "; ")).unwrap_or_default()
    }
}

/// The name of a fact.
pub fn fact_name(book: &Rulebook, fact: FactId) -> &str {
    &book.facts[fact.index()].name
}
