//! Reports of ScoutSuite (`scoutsuite_results_aliyun-*.js`): keys by region, without rotation, aliases and versions.
//!
//! ScoutSuite asks for one page of keys in each region, so it knows ten of them at most.

use super::found::{Found, Made};
use super::members::{At, Members};
use super::replies::describe;
use crate::domains::cmk::fields::Field;
use crate::inventory::row::{NoteKind, RecordKind};

/// What stands before the JSON.
pub(super) const PREFIX: &[u8] = b"scoutsuite_results";

/// Keys that `ListKeys` gives without being asked for more.
const ONE_PAGE: usize = 10;

/// Members at the top of a report, with the first byte of their values.
pub(super) fn is_document(members: &[(String, u8)]) -> bool {
    let has = |wanted: &str, first: u8| members.iter().any(|(name, byte)| name == wanted && *byte == first);
    has("services", b'{') && (has("account_id", b'"') || has("provider_code", b'"') || has("last_run", b'{'))
}

/// The keys of a report.
///
/// # Errors
/// It is no report, or damaged.
pub(super) fn read(at: At<'_>) -> Result<Found, String> {
    let json = at.text.trim_start();
    let json = json.strip_prefix("scoutsuite_results").map_or(json, |rest| rest.trim_start().trim_start_matches('='));
    let report = Members::of(json)?.ok_or("not a report of ScoutSuite: it is cut off, or was changed by hand")?;
    let mut found = Found::default();
    let account = report.filled("accountid");
    if report.value("services").is_none() {
        return Err("not a report of ScoutSuite: it has no `services`".to_owned());
    }
    let kms = report.object("services")?.map(|services| services.object("kms")).transpose()?.flatten();
    let regions = kms.map(|kms| kms.object("regions")).transpose()?.flatten();
    let Some(regions) = regions else {
        let text = "a report of ScoutSuite without keys: KMS was not scanned, or the report is about another cloud";
        found.note(NoteKind::Incomplete, at.file, at.line, text);
        return Ok(found);
    };
    for (_, region) in regions.names() {
        let Some(members) = Members::of(region.get())? else { return Err(damaged("a region")) };
        if members.value("keys").is_none_or(|keys| matches!(keys.get(), "null" | "[]")) {
            continue;
        }
        let Some(keys) = members.object("keys")? else { return Err(damaged("`keys`")) };
        let mut count = 0;
        for (_, value) in keys.names() {
            let Some(key) = Members::of(value.get())? else { return Err(damaged("a key")) };
            count += 1;
            let mut made = Made::new(RecordKind::ScoutSuite, at.line_of(value.get()), value.get());
            describe(&mut made, &key);
            made.say(Field::KeyId, key.filled("id"));
            made.say(Field::State, key.filled("state"));
            made.say(Field::KeyUsage, key.filled("usage"));
            if made.said(Field::Arn).is_none() {
                made.say(Field::AccountId, account.clone());
                made.say(Field::Region, region_name(json, region.get()));
            }
            found.rows.push(made);
        }
        if count >= ONE_PAGE {
            let text = format!(
                "the inventory is incomplete: ScoutSuite reads the first page of keys of each region, and here are {count}; list the keys with `aliyun kms ListKeys --PageSize 100`"
            );
            found.note(NoteKind::Incomplete, at.file, at.line_of(region.get()), text);
        }
    }
    let text = "a report of ScoutSuite tells nothing of rotation, aliases, versions and instances (its finding about rotation is about the age of keys)";
    found.note(NoteKind::Reading, at.file, at.line, text);
    Ok(found)
}

/// What is wrong with a part that must be an object.
fn damaged(part: &str) -> String {
    format!("not a report of ScoutSuite: {part} is no object; it was changed by hand")
}

/// The name of the member whose value this is, as it stands.
fn region_name(text: &str, value: &str) -> Option<String> {
    let before = text.get(..(value.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?)?;
    let name = before.trim_end().strip_suffix(':')?.trim_end().strip_suffix('"')?;
    Some(name.rsplit('"').next()?.to_owned())
}
