//! What a format that somebody names asks of an input, so that content of another is refused and never misread.

use super::detect::SAMPLE;
use super::document::top_members;
use super::{Format, replies, scoutsuite, sheet, terraform};
use crate::domains::spelling::plain;
use crate::inventory::listings::{Listed, Listing};
use crate::inventory::rejects::Tainted;
use crate::inventory::row::{FileId, Names, Note, Place, RecordKind, Reject, Row, RowSink};

/// The columns of `alicloud_kms_key`, and those that Steampipe adds to every table.
const STEAMPIPE: [&str; 26] = [
    "key_id",
    "arn",
    "key_state",
    "creator",
    "creation_date",
    "description",
    "key_usage",
    "key_spec",
    "last_rotation_date",
    "automatic_rotation",
    "delete_date",
    "deletion_protection",
    "material_expire_time",
    "origin",
    "protection_level",
    "primary_key_version",
    "key_aliases",
    "tags_src",
    "tags",
    "title",
    "akas",
    "region",
    "account_id",
    "_ctx",
    "sp_connection_name",
    "sp_ctx",
];

/// Of these columns a table of Steampipe's has one; nobody else calls a column so.
const ONLY_STEAMPIPE: [&str; 3] = ["key_aliases", "tags_src", "akas"];

/// The first column that is none of Steampipe's.
pub(super) fn not_of_steampipe<'n>(mut names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    names.find(|name| !STEAMPIPE.contains(name))
}

/// What an input looks like by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Looks {
    /// The format that reads it.
    format: Format,
    /// What it is, for people.
    words: &'static str,
    /// Whether it is delimited text.
    is_table: bool,
}

impl Looks {
    fn of(start: &[u8]) -> Looks {
        let looks = |format: Format| Looks { format, words: format.content(), is_table: false };
        let text = start.trim_ascii_start();
        if sheet::is_workbook(start) {
            return looks(Format::Sheet);
        }
        if text.starts_with(scoutsuite::PREFIX) {
            return looks(Format::ScoutSuite);
        }
        if !begins_json(text) {
            return Looks::of_table(text);
        }
        let inside = inside_arrays(text);
        let members = top_members(inside);
        if terraform::is_document(&members) {
            return looks(Format::Terraform);
        }
        if scoutsuite::is_document(&members) {
            return looks(Format::ScoutSuite);
        }
        let inner = under_body(inside, &members);
        let members = inner.as_ref().unwrap_or(&members);
        let names: Vec<(String, bool)> = members.iter().map(|(name, byte)| (plain(name), *byte == b'{')).collect();
        let has = |wanted: &str| names.iter().any(|(name, _)| name == wanted);
        // What all tools write is no sign of one.
        let of_reply = |(name, is_object): &(String, bool)| {
            !matches!(name.as_str(), "resourcetype" | "requestid") && replies::may_be_member(name, *is_object)
        };
        looks(if has("findinginfo") && has("metadata") {
            Format::ProwlerOcsf
        } else if has("discoveredresourceprofiles") || has("discoveredresourcedetail") {
            Format::CloudConfig
        } else if has("resources") && (has("filters") || has("requestid")) {
            Format::ResourceCenter
        } else if has("columns") && has("rows") || ONLY_STEAMPIPE.iter().any(|name| has(&plain(name))) {
            Format::Steampipe
        } else if !has("keyid") && names.iter().any(of_reply) {
            Format::AlibabaCli
        } else if text.starts_with(b"{") && is_lines(text) {
            Format::JsonLines
        } else {
            Format::Json
        })
    }

    fn of_table(text: &[u8]) -> Looks {
        let looks = |format: Format| Looks { format, words: format.content(), is_table: true };
        let lines: Vec<String> = first_lines(text).map(|line| String::from_utf8_lossy(line).to_lowercase()).collect();
        let names = |wanted: &[&str]| lines.iter().any(|line| wanted.iter().all(|name| line.contains(name)));
        if names(&["check_id", "status_extended", "finding_uid"]) {
            looks(Format::Prowler)
        } else if names(&["key_aliases", "akas"]) {
            looks(Format::Steampipe)
        } else if lines.iter().any(|line| line.contains('\t')) {
            looks(Format::Tsv)
        } else {
            looks(Format::Csv)
        }
    }
}

impl Format {
    /// What it reads, for messages.
    fn content(self) -> &'static str {
        match self {
            Format::Csv => "delimited text",
            Format::Tsv => "tab-separated text",
            Format::Json => "JSON",
            Format::JsonLines => "JSON Lines (one object a line)",
            Format::Sheet => "a workbook (.xlsx, .ods, .xls)",
            Format::Terraform => "a state or plan of Terraform",
            Format::ScoutSuite => "a report of ScoutSuite",
            Format::AlibabaCli => "replies of the KMS API",
            Format::CloudConfig => "resources of Cloud Config",
            Format::ResourceCenter => "resources of Resource Center",
            Format::Prowler => "findings of Prowler as CSV",
            Format::ProwlerOcsf => "findings of Prowler as OCSF JSON",
            Format::Steampipe => "rows of Steampipe's table alicloud_kms_key",
        }
    }
}

/// Why the content that begins so cannot be of the format that somebody has named; nothing if it may be.
pub(super) fn mismatch(format: Format, start: &[u8]) -> Option<String> {
    let looks = Looks::of(start);
    let text = start.trim_ascii_start();
    let is_open = matches!(text.first(), Some(b'{' | b'['));
    let is_document = matches!(looks.format, Format::Terraform | Format::ScoutSuite);
    let is_plain = matches!(looks.format, Format::Json | Format::JsonLines);
    let may_be = match format {
        Format::Sheet => looks.format == Format::Sheet,
        Format::Csv | Format::Prowler => looks.is_table,
        Format::Tsv => looks.is_table && may_be_tsv(text),
        Format::Json => is_open && !is_document,
        Format::JsonLines => text.starts_with(b"{") && !is_document && may_be_lines(text),
        // What tells a document from others may stand behind the bytes that are here.
        Format::Terraform => looks.format == format || is_plain && has_one(text, &OF_TERRAFORM),
        Format::ScoutSuite => looks.format == format || is_plain && has_one(text, &OF_SCOUTSUITE),
        Format::Steampipe => looks.format == format || is_plain || looks.is_table && looks.format != Format::Prowler,
        _ => looks.format == format || is_plain,
    };
    // Lines of tables that begin like JSON are read as a table if somebody says so.
    (!may_be).then(|| refusal(format, looks.words, Some(looks.format).filter(|other| *other != format)))
}

/// Members that stand at the top of documents, as far as the first bytes may show them.
const OF_TERRAFORM: [&str; 7] = ["version", "serial", "lineage", "outputs", "check_results", "values", "checks"];
const OF_SCOUTSUITE: [&str; 4] = ["services", "account_id", "all_regions", "last_run"];

fn has_one(text: &[u8], wanted: &[&str]) -> bool {
    let members = top_members(inside_arrays(text));
    members.iter().any(|(name, _)| wanted.contains(&name.as_str()))
}

/// The message about content of another format.
pub(super) fn refusal(format: Format, words: &str, other: Option<Format>) -> String {
    let other = other.map(|other| format!(", or name it: --input-format {}", other.name())).unwrap_or_default();
    format!(
        "expected {}, as --input-format {} says, but this looks like {words}; leave out --input-format{other}",
        format.content(),
        format.name(),
    )
}

/// Whether a text begins as JSON does and as no table.
fn begins_json(text: &[u8]) -> bool {
    let next = || text[1..].iter().find(|byte| !byte.is_ascii_whitespace());
    match text.first() {
        Some(b'{') => matches!(next(), None | Some(b'"' | b'}')),
        Some(b'[') => matches!(next(), None | Some(b'{' | b'[' | b']' | b'"')),
        _ => false,
    }
}

/// The members of the reply that SDKs put under `body`, if it stands there.
fn under_body(text: &[u8], members: &[(String, u8)]) -> Option<Vec<(String, u8)>> {
    members.iter().find(|(name, byte)| plain(name) == "body" && *byte == b'{')?;
    let at = memchr::memmem::find(text, b"body\"")?;
    let open = memchr::memchr(b'{', &text[at..])?;
    Some(top_members(&text[at + open..]))
}

/// What stands in the arrays with which a text begins.
pub(super) fn inside_arrays(text: &[u8]) -> &[u8] {
    let at = text.iter().position(|byte| *byte != b'[' && !byte.is_ascii_whitespace());
    at.and_then(|at| text.get(at..)).unwrap_or_default()
}

/// So many lines are looked at to tell delimiters.
const LINES: usize = 20;

fn first_lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| matches!(byte, b'\n' | b'\r')).filter(|line| !line.trim_ascii().is_empty()).take(LINES)
}

/// A table of one column has no tabs.
fn may_be_tsv(text: &[u8]) -> bool {
    let has = |wanted: &[u8]| first_lines(text).any(|line| line.iter().any(|byte| wanted.contains(byte)));
    has(b"\t") || !has(b",;|")
}

/// Whether the first line is an object of its own, and further ones follow.
fn is_lines(text: &[u8]) -> bool {
    let mut lines = first_lines(text);
    lines.next().is_some_and(is_json) && lines.next().is_some_and(|line| line.trim_ascii_start().starts_with(b"{"))
}

/// One line that is broken is no sign that objects stand on several.
fn may_be_lines(text: &[u8]) -> bool {
    let mut lines = first_lines(text);
    let first = lines.next().unwrap_or_default();
    is_json(first)
        || first.len() + 1 >= SAMPLE
        || lines.next().is_some_and(|line| line.trim_ascii_start().starts_with(b"{"))
        || first.trim_ascii_end().len() == text.trim_ascii_end().len() && first.len() > 1
}

fn is_json(line: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok()
}

/// Hands on the records of one format, and refuses those of others.
pub(super) struct Expecting<'s> {
    pub(super) format: Format,
    pub(super) file: FileId,
    pub(super) sink: &'s mut dyn RowSink,
}

impl Expecting<'_> {
    /// What a record is if it is of another format.
    fn strange(&self, names: &Names, row: &Row<'_>) -> Option<String> {
        let named = |kind: RecordKind| {
            kind.source().map_or("a plain record of a key".to_owned(), |source| format!("a record of {source}"))
        };
        let is_it = match self.format {
            // What somebody has added to makes a reply a record like any other.
            Format::AlibabaCli => row.kind.is_reply() || row.kind == RecordKind::Plain && names.are_of_system(),
            Format::CloudConfig => row.kind == RecordKind::CloudConfig,
            Format::ResourceCenter => row.kind == RecordKind::ResourceCenter,
            Format::Prowler | Format::ProwlerOcsf => row.kind == RecordKind::Prowler,
            Format::Steampipe => {
                let called = |at: u16| names.as_slice().get(usize::from(at)).map_or("", String::as_str);
                let stranger = not_of_steampipe(row.cells.iter().map(|(at, _)| called(at)));
                if let (RecordKind::Plain, Some(name)) = (row.kind, stranger) {
                    return Some(format!("a record with `{name}`, which that table has not"));
                }
                row.kind == RecordKind::Plain
            }
            _ => true,
        };
        (!is_it).then(|| named(row.kind))
    }
}

impl RowSink for Expecting<'_> {
    fn row(&mut self, names: &Names, row: Row<'_>) {
        match self.strange(names, &row) {
            None => self.sink.row(names, row),
            Some(words) => {
                let place = Place { file: self.file, line: row.line };
                self.sink.refuse(names, row, Reject::whole(place, refusal(self.format, &words, None)));
            }
        }
    }

    fn reject(&mut self, reject: Reject) {
        self.sink.reject(reject);
    }

    fn note(&mut self, note: Note) {
        self.sink.note(note);
    }

    /// A list whose elements were refused proves nothing.
    fn listing(&mut self, listing: Listing) {
        let is_it = match self.format {
            Format::AlibabaCli => listing.what != Listed::Resources,
            Format::CloudConfig | Format::ResourceCenter => listing.what == Listed::Resources,
            Format::ProwlerOcsf | Format::Steampipe => false,
            _ => true,
        };
        if is_it {
            self.sink.listing(listing);
        }
    }

    fn taint(&mut self, key_id: &str) {
        self.sink.taint(key_id);
    }

    fn taint_all(&mut self, tainted: &Tainted) {
        self.sink.taint_all(tainted);
    }

    fn refuse(&mut self, names: &Names, row: Row<'_>, reject: Reject) {
        self.sink.refuse(names, row, reject);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_recognised_by_how_it_begins() {
        for (start, format) in [
            ("key_id,aliases\n", Format::Csv),
            ("key_id\taliases\n", Format::Tsv),
            ("[Internal] keys\nkey_id,a\n", Format::Csv),
            ("[{\"key_id\": 1}]", Format::Json),
            ("{\"key_id\": 1}\n{\"key_id\": 2}\n", Format::JsonLines),
            ("{\"KeyMetadata\": {}}", Format::AlibabaCli),
            ("[{\"Keys\": {\"Key\": []}}]", Format::AlibabaCli),
            ("[{\"terraform_version\": \"1\"}]", Format::Terraform),
            ("{\"DiscoveredResourceProfiles\": {}}", Format::CloudConfig),
            ("{\"Filters\": [], \"Resources\": []}", Format::ResourceCenter),
            ("[{\"finding_info\": {}, \"metadata\": {}}]", Format::ProwlerOcsf),
            ("{\"columns\": [], \"rows\": []}", Format::Steampipe),
            ("[{\"headers\": {}, \"body\": {\"Keys\": {\"Key\": []}}}]", Format::AlibabaCli),
            ("[{\"body\": {\"RequestId\": \"x\", \"Resources\": []}}]", Format::ResourceCenter),
            ("key_id,key_aliases,akas\n", Format::Steampipe),
            ("scoutsuite_results =\n{}", Format::ScoutSuite),
            ("PK\u{3}\u{4}", Format::Sheet),
        ] {
            assert_eq!(Looks::of(start.as_bytes()).format, format, "{start}");
            assert_eq!(mismatch(format, start.as_bytes()), None, "{start}");
        }
    }

    #[test]
    fn lines_are_told_from_what_stands_on_several() {
        let may_be = |text: &str| may_be_lines(text.as_bytes());
        assert!(may_be("{\"a\": 1}") && may_be("{\"a\": 1\n{\"a\": 2}\n") && may_be("{\"a\": \n"));
        assert!(!may_be("{\n \"a\": 1\n}") && !may_be("{\"a\": [\n1]}"));
    }
}
