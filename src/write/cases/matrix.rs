//! Sources against targets: one cell a pair, as a person who plans clones wants it.

use std::collections::HashSet;

use crate::diagnose::ShapeOutcome;
use crate::engine::facts::Lang;
use crate::rulebook::domain::Tone;

use super::{Report, is_conditional, text};

/// Names of sources and targets, and a cell for each pair.
#[derive(Debug)]
pub(crate) struct Matrix {
    /// The sources, in input order.
    pub(crate) sources: Vec<String>,
    /// The targets, in input order.
    pub(crate) targets: Vec<String>,
    cells: std::collections::HashMap<(usize, usize), Cell>,
}

/// What is said of one pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cell {
    /// Its short word.
    pub(crate) word: &'static str,
    /// How it should look; nothing if undetermined.
    pub(crate) tone: Option<Tone>,
    /// The position of the pair among all.
    pub(crate) case: usize,
    /// The place of its class in the order of precedence; what has none comes between.
    rank: u8,
}

impl Matrix {
    /// The matrix of a report's pairs; of several about the same two instances the worst counts.
    pub(crate) fn new(report: &Report<'_>) -> Matrix {
        let listed = |side: &str| {
            let standing: HashSet<String> = report.assessment.cases.iter().map(|case| text(case, side)).collect();
            report.assessment.instances.iter().filter(|name| standing.contains(*name)).cloned().collect::<Vec<_>>()
        };
        let (mut sources, mut targets) = (listed("source_name"), listed("target_name"));
        let mut cells = std::collections::HashMap::new();
        for (at, case) in report.assessment.cases.iter().enumerate() {
            let names = (text(case, "source_name"), text(case, "target_name"));
            if names.0.is_empty() || names.1.is_empty() {
                continue;
            }
            let place = (position(&mut sources, names.0), position(&mut targets, names.1));
            let cell = cell(report, &case.outcome, at);
            let worst = cells.entry(place).or_insert(cell);
            if cell.rank < worst.rank {
                *worst = cell;
            }
        }
        Matrix { sources, targets, cells }
    }

    /// The cell of a pair, by position.
    pub(crate) fn cell(&self, source: usize, target: usize) -> Option<Cell> {
        self.cells.get(&(source, target)).copied()
    }
}

fn position(names: &mut Vec<String>, name: String) -> usize {
    names.iter().position(|known| *known == name).unwrap_or_else(|| {
        names.push(name);
        names.len() - 1
    })
}

fn cell(report: &Report<'_>, outcome: &ShapeOutcome, case: usize) -> Cell {
    let domain = report.assessment.rulebook.domain;
    let class = outcome.class.map(|class| &domain.classes[usize::from(class)]);
    let tone = class.map(|class| class.tone);
    let rank = outcome.class.unwrap_or(1);
    let word = match (tone, is_conditional(report, outcome)) {
        (Some(Tone::Good | Tone::Calm), false) => "yes",
        (Some(Tone::Good | Tone::Calm), true) => "yes?",
        (Some(Tone::Warn | Tone::Alarm), _) => "NO",
        (Some(Tone::Open) | None, _) => "?",
    };
    Cell { word, tone, case, rank }
}

/// What the words mean.
pub(crate) fn legend(lang: Lang) -> &'static str {
    lang.pick(
        "rows: source, columns: target; yes = supported, yes? = supported on conditions that are not confirmed yet, NO = blocked, ? = undetermined",
        "行为源实例，列为目标实例；yes = 支持，yes? = 有条件支持（待确认），NO = 阻止，? = 无法判定",
    )
}
