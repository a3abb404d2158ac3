//! Which row of a table is its header line: people write titles above it and totals below.

/// So many rows that say something are looked at.
pub(super) const LOOKED_AT: usize = 20;

/// The header line among the first rows of a table: the first of those with the most cells that name fields, or one
/// above it that names some and says as much, for values may be called like fields, and titles say less. Nothing if no
/// row names any.
pub(super) fn find<R>(rows: &[R], is_field: impl Fn(&str) -> bool) -> Option<usize>
where
    R: AsRef<[String]>,
{
    let says = |row: &R| row.as_ref().iter().filter(|cell| !cell.trim().is_empty()).count();
    let named = |row: &R| row.as_ref().iter().filter(|cell| !cell.trim().is_empty() && is_field(cell)).count();
    let counts: Vec<(usize, usize)> = rows.iter().take(LOOKED_AT).map(|row| (named(row), says(row))).collect();
    let (most, cells) = counts.iter().copied().max_by_key(|(named, _)| *named).filter(|(most, _)| *most > 0)?;
    counts.iter().position(|(named, says)| *named == most || *named > 0 && *says >= cells)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(rows: &[&[&str]]) -> Option<usize> {
        let rows: Vec<Vec<String>> =
            rows.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect();
        find(&rows, |name| crate::domains::cmk::fields::Field::from_header(name).is_some())
    }

    #[test]
    fn the_header_line_is_the_first_row_that_names_most_fields() {
        assert_eq!(header(&[&["key_id"], &["key"]]), Some(0), "a value may be called like a field");
        assert_eq!(
            header(&[&["Keys of the payment team", ""], &["as of", "2026-11-01"], &["Key ID", "Origin"]]),
            Some(2)
        );
        assert_eq!(header(&[&["key_id", "origin"], &["k1", "EXTERNAL"], &["key_id", "origin"]]), Some(0));
        assert_eq!(header(&[&["Key"], &["Key ID", "Versions"]]), Some(1), "a title may be called like a field");
        assert_eq!(
            header(&[&["id", "x", "y"], &["key", "region", "tags"]]),
            Some(0),
            "values may be called like fields"
        );
        assert_eq!(header(&[&["a", "b"], &["c", "d"]]), None);
    }
}
