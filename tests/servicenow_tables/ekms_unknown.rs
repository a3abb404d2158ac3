//! Pairs of which not everything is known: what is said of them against all pairs that they may be.
//!
//! A *world* is a pair of which everything is known and whose statements hold together: each side with a configuration
//! has a key status, two configurations have a relation, modules are wrapped externally on instances in use and only
//! there, and how the wrapping of the two sides relates follows from both. Of what is said, worlds are all completions
//! that contradict none of it. Their verdicts come from the tables, and what the program derives is not asked.

use cmkdiag::domains::ekms::facts;
use cmkdiag::engine::decide::Decider;
use cmkdiag::engine::facts::FactId;

use crate::ekms_gates::{ARCHITECTURES, KEYS};
use crate::ekms_matrix::MATRIX;
use crate::ekms_product::{ASKED, BOOK, Tables, Told, configured, judged};
use crate::tables::Dice;

const IN_USE: usize = 4;

/// How wrapping relates, by the wrapping of source and target: internal, external, mixed.
const RELATES: [[&[usize]; 3]; 3] = [[&[0], &[1], &[2]], [&[2], &[0], &[2]], [&[2], &[2], &[0, 2]]];

fn values(fact: usize) -> usize {
    facts::FACTS[fact].values.len()
}

/// The values that a fact may have, as far as it is said.
fn open(told: &Told, fact: FactId) -> Vec<usize> {
    match told[fact.index()] {
        Some(value) => vec![value],
        None => (0..values(fact.index())).collect(),
    }
}

/// The values that a fact of a configuration may have; that of none may have no value, so nothing must be said of it.
fn open_if(there: bool, told: &Told, fact: FactId) -> Vec<Option<usize>> {
    match (there, told[fact.index()]) {
        (true, _) => open(told, fact).into_iter().map(Some).collect(),
        (false, None) => vec![None],
        (false, Some(_)) => Vec::new(),
    }
}

/// The verdicts that occur, one bit each; of two things that do not depend on each other the stronger of any two.
fn either(a: u8, b: u8) -> u8 {
    let bits = |set: u8| (0..3).filter(move |bit| set >> bit & 1 == 1);
    bits(a).flat_map(|x| bits(b).map(move |y| 1 << x.max(y))).fold(0, |set, bit: u8| set | bit)
}

/// The verdicts of all worlds of what is said, one bit each; no bit if nothing can be so.
fn worlds(tables: &Tables, told: &Told) -> u8 {
    let mut all = 0;
    for source in open(told, facts::SOURCE_POSTURE) {
        for target in open(told, facts::TARGET_POSTURE) {
            let mut pair = *told;
            (pair[0], pair[1]) = (Some(source), Some(target));
            // With the postures known, configurations, keys and architectures do not depend on each other.
            let gates = either(either(keys(tables, &pair, 0), keys(tables, &pair, 1)), architectures(tables, &pair));
            all |= either(relations(tables, &pair), gates);
        }
    }
    all
}

fn keys(tables: &Tables, pair: &Told, side: usize) -> u8 {
    let fact = FactId((facts::SOURCE_KEY_STATUS.index() + side) as u8);
    let statuses = open_if(configured(pair, side), pair, fact);
    statuses.into_iter().fold(0, |set, status| {
        let mut world = *pair;
        world[fact.index()] = status;
        set | 1 << tables.key(&world, side)
    })
}

fn architectures(tables: &Tables, pair: &Told) -> u8 {
    let mut set = 0;
    let first = facts::SOURCE_ARCHITECTURE.index();
    for number in 0..16 {
        let mut world = *pair;
        (0..4).for_each(|at| world[first + at] = Some(number >> at & 1));
        if (first..first + 4).all(|fact| pair[fact].is_none() || pair[fact] == world[fact]) {
            set |= 1 << tables.architecture(&world);
        }
    }
    set
}

fn relations(tables: &Tables, pair: &Told) -> u8 {
    let mut set = 0;
    let both = configured(pair, 0) && configured(pair, 1);
    let fits = |side: usize, wrapping: usize| (pair[side] == Some(IN_USE)) == (wrapping != 0);
    for config in open_if(both, pair, facts::CONFIG_RELATION) {
        for source in open(pair, facts::SOURCE_WRAPPING).into_iter().filter(|wrapping| fits(0, *wrapping)) {
            for target in open(pair, facts::TARGET_WRAPPING).into_iter().filter(|wrapping| fits(1, *wrapping)) {
                for relation in RELATES[source][target] {
                    let mut world = *pair;
                    world[facts::CONFIG_RELATION.index()] = config;
                    world[facts::WRAPPING_RELATION.index()] = Some(*relation);
                    if open(pair, facts::WRAPPING_RELATION).contains(relation) {
                        set |= 1 << tables.matrix(&world);
                    }
                }
            }
        }
    }
    set
}

/// Whether a posture is unknown of whose side something is said that only some postures allow. The program does not
/// conclude the posture from it, and then may leave open what the worlds agree on.
fn tells_of_an_unknown_posture(told: &Told) -> bool {
    let known = |fact: FactId| told[fact.index()].is_some();
    let of_source = known(facts::SOURCE_WRAPPING) || known(facts::SOURCE_KEY_STATUS);
    let of_target = known(facts::TARGET_WRAPPING) || known(facts::TARGET_KEY_STATUS);
    let of_both = known(facts::CONFIG_RELATION) || known(facts::WRAPPING_RELATION);
    !known(facts::SOURCE_POSTURE) && (of_source || of_both) || !known(facts::TARGET_POSTURE) && (of_target || of_both)
}

/// Whether the verdict on what is said is right: what all worlds agree on, or undetermined.
fn check(tables: &Tables, decider: &mut Decider<'_>, told: &Told) -> Result<(), String> {
    let (verdict, worlds) = (judged(decider, told).0, worlds(tables, told));
    let agreed = (worlds.count_ones() == 1).then(|| worlds.trailing_zeros() as usize);
    let right = match worlds {
        // What cannot be is not supported.
        0 => verdict != 0,
        _ if tells_of_an_unknown_posture(told) => verdict == 1 || Some(verdict) == agreed,
        _ => verdict == agreed.unwrap_or(1),
    };
    if right { Ok(()) } else { Err(format!("{told:?}: {verdict}, worlds {worlds:03b}")) }
}

/// All ways to say something, or nothing, of the given facts.
fn ways(base: Told, told_of: &[FactId]) -> impl Iterator<Item = Told> + '_ {
    let count = told_of.iter().map(|fact| values(fact.index()) + 1).product::<usize>();
    (0..count).map(move |mut number| {
        let mut told = base;
        for fact in told_of {
            let choices = values(fact.index()) + 1;
            told[fact.index()] = (number % choices).checked_sub(1);
            number /= choices;
        }
        told
    })
}

fn prove(told: impl Iterator<Item = Told>) -> usize {
    let tables = Tables::new(&MATRIX, &KEYS, &ARCHITECTURES);
    let mut decider = Decider::new(&BOOK.program);
    let (mut count, mut wrong) = (0, Vec::new());
    for told in told {
        count += 1;
        wrong.extend(check(&tables, &mut decider, &told).err());
    }
    assert!(wrong.is_empty(), "{} of {count} wrong, such as {:#?}", wrong.len(), &wrong[..wrong.len().min(12)]);
    count
}

/// All that can be said of postures, configurations and wrapping, with architectures that pass.
#[test]
fn unknown_configurations_are_judged_by_all_that_they_may_be() {
    let mut base = [None; ASKED];
    (base[facts::SOURCE_ARCHITECTURE.index()], base[facts::TARGET_ARCHITECTURE.index()]) = (Some(0), Some(0));
    let of = [
        facts::SOURCE_POSTURE,
        facts::TARGET_POSTURE,
        facts::CONFIG_RELATION,
        facts::SOURCE_WRAPPING,
        facts::TARGET_WRAPPING,
        facts::WRAPPING_RELATION,
    ];
    let active = |mut told: Told| {
        for side in 0..2 {
            let status = facts::SOURCE_KEY_STATUS.index() + side;
            told[status] = configured(&told, side).then_some(0);
        }
        told
    };
    assert_eq!(prove(ways(base, &of).map(active)), 11_520);
}

/// All that can be said of postures and of what the gates ask.
#[test]
fn unknown_gates_are_judged_by_all_that_they_may_be() {
    let of = [
        facts::SOURCE_POSTURE,
        facts::TARGET_POSTURE,
        facts::SOURCE_KEY_STATUS,
        facts::TARGET_KEY_STATUS,
        facts::SOURCE_ARCHITECTURE,
        facts::TARGET_ARCHITECTURE,
        facts::SOURCE_LEGACY_SUPPORT,
        facts::TARGET_LEGACY_SUPPORT,
    ];
    assert_eq!(prove(ways([None; ASKED], &of)), 142_884);
}

#[test]
fn whatever_is_unknown_is_judged_by_all_that_it_may_be() {
    let mut dice = Dice(2026);
    let throw = |_| std::array::from_fn(|fact| dice.below(values(fact) + 1).checked_sub(1));
    prove((0..100_000).map(throw));
}

#[test]
fn a_verdict_that_the_worlds_do_not_share_is_told() {
    let mut decider = Decider::new(&BOOK.program);
    let mut matrix = MATRIX.clone();
    for (at, wrong, source, target) in [(12, "supported", 2, 2), (6, "blocked", 1, 1), (3, "supported", 0, 3)] {
        let mut told = [None; ASKED];
        (told[0], told[1]) = (Some(source), Some(target));
        (told[facts::SOURCE_ARCHITECTURE.index()], told[facts::TARGET_ARCHITECTURE.index()]) = (Some(0), Some(0));
        told[facts::TARGET_KEY_STATUS.index()] = configured(&told, 1).then_some(0);
        assert_eq!(check(&Tables::new(&matrix, &KEYS, &ARCHITECTURES), &mut decider, &told), Ok(()));
        matrix[at].insert("verdict".to_owned(), wrong.to_owned());
        let tables = Tables::new(&matrix, &KEYS, &ARCHITECTURES);
        assert!(check(&tables, &mut decider, &told).is_err(), "{}", matrix[at]["id"]);
    }
}
