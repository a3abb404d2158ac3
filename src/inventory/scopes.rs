//! Which records of one key id are about the same key, where only some of them name account and region.
//!
//! Two scopes agree if they name no two different accounts or regions. A scope that may be about either of two keys is
//! ambiguous. What agrees with a scope that names its account alone are those of that account and those of none, so
//! that two regions of each account are all that must be known.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::FixedState;

/// Account and region; either is empty if it is not named.
pub type Scope = (String, String);

/// What the scopes of one key id say together.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Together {
    /// Those that may be about several keys, by number, with two scopes that they agree with and that differ.
    pub ambiguous: Vec<(usize, String)>,
    /// The others, by what those that agree say together.
    pub clusters: BTreeMap<Scope, Vec<usize>>,
}

/// Puts scopes together that do not contradict each other. No two of them may be the same.
pub fn together(scopes: &[Scope]) -> Together {
    let mut found = Together::default();
    let everything = Known::new(scopes, 0..scopes.len());
    let mut clear = Vec::new();
    for (number, scope) in scopes.iter().enumerate() {
        match everything.agreeing(scope) {
            Ok(_) => clear.push(number),
            Err(named) => found.ambiguous.push((number, named)),
        }
    }
    // What is ambiguous says nothing to others.
    let known = Known::new(scopes, clear.iter().copied());
    for number in clear {
        let joined = known.agreeing(&scopes[number]).unwrap_or_else(|_| scopes[number].clone());
        found.clusters.entry(joined).or_default().push(number);
    }
    found
}

/// The first scopes that name two different others of something, in input order.
#[derive(Debug, Clone, Copy, Default)]
struct Two {
    first: Option<usize>,
    second: Option<usize>,
}

impl Two {
    /// Takes a scope; `named` tells what a scope names.
    fn take<'s>(&mut self, number: usize, named: impl Fn(usize) -> &'s str) {
        match (self.first, self.second) {
            _ if named(number).is_empty() => {}
            (None, _) => self.first = Some(number),
            (Some(first), None) if named(first) != named(number) => self.second = Some(number),
            _ => {}
        }
    }

    fn iter(self) -> impl Iterator<Item = usize> {
        self.first.into_iter().chain(self.second)
    }
}

/// What is known of some scopes.
struct Known<'s> {
    scopes: &'s [Scope],
    /// The regions of each account.
    regions: HashMap<&'s str, Two, FixedState>,
    /// The accounts of each region.
    accounts: HashMap<&'s str, Two, FixedState>,
    /// What a scope that names nothing agrees with: all of them.
    of_all: Result<Scope, String>,
}

impl<'s> Known<'s> {
    /// What is known of these, in input order.
    fn new(scopes: &'s [Scope], numbers: impl Iterator<Item = usize>) -> Known<'s> {
        let mut known =
            Known { scopes, regions: HashMap::default(), accounts: HashMap::default(), of_all: Ok(Scope::default()) };
        for number in numbers {
            let scope @ (account, region) = &scopes[number];
            known.regions.entry(account).or_default().take(number, |at| &scopes[at].1);
            known.accounts.entry(region).or_default().take(number, |at| &scopes[at].0);
            if let Ok(joined) = &mut known.of_all
                && let Err(named) = join(joined, scope)
            {
                known.of_all = Err(named);
            }
        }
        known
    }

    /// What a scope and those that agree with it say together, or two of those that differ.
    fn agreeing(&self, scope: &Scope) -> Result<Scope, String> {
        let nearest = match (scope.0.as_str(), scope.1.as_str()) {
            ("", "") => return self.of_all.clone(),
            (account, "") => [account, ""].map(|account| self.regions.get(account)),
            ("", region) => [region, ""].map(|region| self.accounts.get(region)),
            _ => return Ok(scope.clone()),
        };
        let mut numbers: Vec<usize> = nearest.into_iter().flatten().flat_map(|two| two.iter()).collect();
        numbers.sort_unstable();
        let mut joined = scope.clone();
        numbers.into_iter().try_for_each(|number| join(&mut joined, &self.scopes[number]))?;
        Ok(joined)
    }
}

/// Adds what another scope names, unless it differs; then tells both.
fn join(joined: &mut Scope, other: &Scope) -> Result<(), String> {
    let agree = |a: &str, b: &str| a.is_empty() || b.is_empty() || a == b;
    if !(agree(&joined.0, &other.0) && agree(&joined.1, &other.1)) {
        let show = |scope: &Scope| format!("{} {}", scope.0, scope.1).trim().to_owned();
        return Err(format!("{} and {}", show(joined), show(other)));
    }
    for (part, said) in [(&mut joined.0, &other.0), (&mut joined.1, &other.1)] {
        if part.is_empty() {
            part.clone_from(said);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn agree(a: &Scope, b: &Scope) -> bool {
        join(&mut a.clone(), b).is_ok()
    }

    /// The same by its definition: every scope is compared with every other.
    fn by_definition(scopes: &[Scope]) -> Together {
        let agreeing = |scope: &Scope, among: &[usize]| {
            let mut joined = scope.clone();
            let others = among.iter().map(|other| &scopes[*other]).filter(|other| agree(scope, other));
            others.into_iter().try_for_each(|other| join(&mut joined, other)).map(|()| joined)
        };
        let all: Vec<usize> = (0..scopes.len()).collect();
        let (mut found, mut clear) = (Together::default(), Vec::new());
        for number in &all {
            match agreeing(&scopes[*number], &all) {
                Ok(_) => clear.push(*number),
                Err(named) => found.ambiguous.push((*number, named)),
            }
        }
        for number in &clear {
            let joined = agreeing(&scopes[*number], &clear).unwrap_or_else(|_| scopes[*number].clone());
            found.clusters.entry(joined).or_default().push(*number);
        }
        found
    }

    /// Different scopes in any order.
    fn scopes() -> impl Strategy<Value = Vec<Scope>> {
        let one = (prop_oneof![Just(""), Just("1"), Just("2"), Just("3")], prop_oneof![Just(""), Just("a"), Just("b")]);
        proptest::collection::vec(one, 1..9).prop_map(|scopes| {
            let mut different: Vec<Scope> = Vec::new();
            for (account, region) in scopes {
                let scope = (account.to_owned(), region.to_owned());
                if !different.contains(&scope) {
                    different.push(scope);
                }
            }
            different
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(20_000) })]

        #[test]
        fn scopes_are_put_together_as_if_each_were_compared_with_every_other(scopes in scopes()) {
            prop_assert_eq!(together(&scopes), by_definition(&scopes));
        }
    }
}
