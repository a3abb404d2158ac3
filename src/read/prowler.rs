//! Findings of Prowler, as delimited text or as JSON (OCSF): which cloud service uses which key.
//!
//! Prowler has no check of keys themselves. Its checks of disks and databases name, in a sentence, the key that encrypts
//! them; this shows that a cloud service uses the key, and says nothing about other uses.

use super::found::{Found, Made};
use super::members::{At, Members};
use crate::domains::cmk::fields::Field;
use crate::inventory::listings::Listing;
use crate::inventory::rejects::Tainted;
use crate::inventory::row::{Cells, FileId, Names, Note, Place, RecordKind, Reject, Row, RowSink};
use crate::inventory::tidy::key_ids_in;

/// The columns that tell a table of findings from others, in lower case.
const COLUMNS: [&str; 3] = ["check_id", "status_extended", "finding_uid"];

/// Whether a header line is that of a table of findings.
pub(super) fn is_header(names: &[String]) -> bool {
    COLUMNS.iter().all(|column| names.iter().any(|name| name.eq_ignore_ascii_case(column)))
}

/// A finding, as far as it matters here.
struct Finding<'a> {
    check: &'a str,
    sentence: &'a str,
    account: &'a str,
    region: &'a str,
}

impl Finding<'_> {
    /// The keys that the sentence names, each with the service that uses it.
    fn add_to(&self, line: u64, from: &str, found: &mut Found) {
        let mut keys: Vec<String> = key_ids_in(self.sentence).collect();
        keys.dedup();
        if keys.is_empty() {
            found.leave_out("finding(s) that name no key", line);
        }
        for key_id in keys {
            let mut made = Made::new(RecordKind::Prowler, line, from);
            made.say(Field::KeyId, Some(key_id));
            made.say(Field::AccountId, Some(self.account));
            made.say(Field::Region, Some(self.region));
            made.say(Field::ServiceUse, Some("seen"));
            made.say(Field::Services, Some(self.check.split('_').next().unwrap_or_default()));
            found.rows.push(made);
        }
    }
}

/// Whether a provider is named, and is another one.
fn is_of_another_cloud(provider: &str) -> bool {
    !provider.is_empty() && !provider.to_lowercase().starts_with("ali")
}

/// What an object says if it is a finding (OCSF, class Detection Finding); nothing if it is none.
///
/// # Errors
/// It names a member twice.
pub(super) fn read(at: At<'_>) -> Result<Option<Found>, String> {
    let Some(finding) = Members::of(at.text)? else { return Ok(None) };
    let (Some(info), Some(metadata)) = (finding.object("findinginfo")?, finding.object("metadata")?) else {
        return Ok(None);
    };
    let cloud = finding.object("cloud")?.unwrap_or_default();
    let account = cloud.object("account")?.and_then(|account| account.filled("uid")).unwrap_or_default();
    let check = metadata.filled("eventcode").or_else(|| info.filled("uid")).unwrap_or_default();
    let sentence = finding.filled("statusdetail").or_else(|| finding.filled("message")).unwrap_or_default();
    let region = cloud.filled("region").unwrap_or_default();
    let mut found = Found::default();
    if is_of_another_cloud(&cloud.filled("provider").unwrap_or_default()) {
        found.leave_out("finding(s) about other clouds", at.line);
        return Ok(Some(found));
    }
    let finding = Finding { check: &check, sentence: &sentence, account: &account, region: &region };
    finding.add_to(at.line, at.text, &mut found);
    Ok(Some(found))
}

/// Turns the rows of a table of findings into records of keys.
pub(super) struct Findings<'s> {
    file: FileId,
    canonical: &'s Names,
    sink: &'s mut dyn RowSink,
    found: Found,
}

impl<'s> Findings<'s> {
    pub(super) fn new(file: FileId, canonical: &'s Names, sink: &'s mut dyn RowSink) -> Findings<'s> {
        Findings { file, canonical, sink, found: Found::default() }
    }

    /// Hands over what was found.
    pub(super) fn finish(self) {
        self.found.hand_over(self.file, self.canonical, self.sink);
    }
}

impl RowSink for Findings<'_> {
    fn row(&mut self, names: &Names, row: Row<'_>) {
        let cell = |wanted: &str| {
            let position = names.as_slice().iter().position(|name| name.eq_ignore_ascii_case(wanted));
            let Cells::Table(table) = row.cells else { return "" };
            position.map_or("", |position| table.text(position))
        };
        let (account, provider) = (cell("account_uid"), cell("provider"));
        if is_of_another_cloud(provider) {
            self.found.leave_out("finding(s) about other clouds", row.line);
            return;
        }
        let finding =
            Finding { check: cell("check_id"), sentence: cell("status_extended"), account, region: cell("region") };
        let from = format!("{} {} {}", cell("finding_uid"), finding.check, finding.sentence);
        finding.add_to(row.line, &from, &mut self.found);
    }

    fn reject(&mut self, reject: Reject) {
        self.sink.reject(reject);
    }

    fn note(&mut self, note: Note) {
        self.sink.note(note);
    }

    fn listing(&mut self, listing: Listing) {
        self.sink.listing(listing);
    }

    fn taint(&mut self, key_id: &str) {
        self.sink.taint(key_id);
    }

    fn taint_all(&mut self, tainted: &Tainted) {
        self.sink.taint_all(tainted);
    }

    fn refuse(&mut self, _names: &Names, row: Row<'_>, reject: Reject) {
        let place = Place { file: self.file, line: row.line };
        self.sink.reject(Reject { place, ..reject });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_ids_are_found_in_sentences() {
        let ids = |sentence| key_ids_in(sentence).collect::<Vec<_>>();
        assert_eq!(
            ids("RDS Instance orders-db has TDE enabled with custom key 05754286-3ba2-4fa6-8d41-4323aca60001."),
            ["05754286-3ba2-4fa6-8d41-4323aca60001"]
        );
        assert_eq!(ids("Disk d-1 is encrypted with (key-hzz630494463ejqjx0002)"), ["key-hzz630494463ejqjx0002"]);
        assert!(ids("No key-pair, key-less or 05754286-3ba2 here").is_empty());
    }
}
