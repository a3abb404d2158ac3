//! Keys to as few parts as a tracker's limits allow: none is cut, and the parts are about as long as each other.

use super::limits::Measure;
use super::payload::{Body, Mark};

/// A ticket in the form of its tracker, and how long its fields are.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    /// The title.
    pub(super) title: String,
    /// The body.
    pub(super) body: Body,
    /// The lengths of all fields that have limits.
    pub(super) measures: Vec<Measure>,
}

/// Some keys, and the ticket that names them.
#[derive(Debug, Clone)]
pub(super) struct Part<'k, K> {
    /// By what it is found again.
    pub(super) mark: Mark,
    /// The keys.
    pub(super) keys: &'k [K],
    /// The ticket.
    pub(super) draft: Draft,
}

/// With so many parts, more than one is added before it is tried again.
const MANY_PARTS: usize = 16;

/// The parts of a ticket.
///
/// # Errors
/// What is too long even with one key in each part.
pub(super) fn parts<'k, K>(
    keys: &'k [K],
    digest: &str,
    draft: impl Fn(&[K], &Mark) -> Draft,
) -> Result<Vec<Part<'k, K>>, Measure> {
    let mut size = keys.len().max(1);
    loop {
        match in_parts(keys, size, digest, &draft) {
            Ok(parts) => return Ok(parts),
            Err(measure) if size == 1 => return Err(measure),
            Err(_) => size = smaller(keys.len(), size),
        }
    }
}

/// The next size of parts to try.
fn smaller(keys: usize, size: usize) -> usize {
    let parts = keys.div_ceil(size);
    let more = if parts < MANY_PARTS { parts + 1 } else { parts + parts / 4 };
    keys.div_ceil(more).min(size - 1).max(1)
}

fn in_parts<'k, K>(
    keys: &'k [K],
    size: usize,
    digest: &str,
    draft: &impl Fn(&[K], &Mark) -> Draft,
) -> Result<Vec<Part<'k, K>>, Measure> {
    let count = u32::try_from(keys.len().div_ceil(size)).unwrap_or(u32::MAX);
    let drafts = keys.chunks(size).zip(1..).map(|(keys, part)| {
        let mark = Mark { digest: digest.to_owned(), part, parts: count };
        let draft = draft(keys, &mark);
        match draft.measures.iter().find(|measure| measure.is_exceeded()) {
            Some(measure) => Err(*measure),
            None => Ok(Part { mark, keys, draft }),
        }
    });
    drafts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parts of numbers whose sum is limited.
    fn sums(keys: &[usize], most: usize) -> Result<Vec<Vec<usize>>, Measure> {
        let draft = |keys: &[usize], _: &Mark| {
            let length = keys.iter().sum();
            let title = keys.iter().map(usize::to_string).collect::<Vec<_>>().join(" ");
            let measure = Measure { length, ..Measure::bytes("sum", "", most) };
            Draft { title, body: Body::Text(String::new()), measures: vec![measure] }
        };
        let parts = parts(keys, "sha256:0", draft)?;
        let count = parts.len();
        let numbered = parts.iter().zip(1..).all(|(part, at)| part.mark.part == at && part.mark.parts == count as u32);
        assert!(numbered);
        let numbers = |title: &str| -> Vec<usize> { title.split(' ').map(|number| number.parse().unwrap()).collect() };
        assert!(parts.iter().all(|part| part.keys == numbers(&part.draft.title)));
        Ok(parts.iter().map(|part| numbers(&part.draft.title)).collect())
    }

    #[test]
    fn keys_are_split_only_where_they_must_be_and_evenly() {
        assert_eq!(sums(&[1; 6], 6).unwrap(), [vec![1; 6]]);
        assert_eq!(sums(&[1; 6], 5).unwrap(), [vec![1; 3], vec![1; 3]]);
        assert_eq!(sums(&[1, 2, 3], 3).unwrap(), [vec![1, 2], vec![3]]);
        assert_eq!(sums(&[1, 2, 4], 3).unwrap_err().length, 4);
        let parts = sums(&[1; 100_000], 50).unwrap();
        assert!((2000..2600).contains(&parts.len()), "{}", parts.len());
        assert_eq!(parts.concat().len(), 100_000);
    }
}
