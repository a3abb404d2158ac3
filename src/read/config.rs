//! Resources as Cloud Config (`ListDiscoveredResources`, `GetDiscoveredResource`) and Resource Center
//! (`SearchResources`) list them.
//!
//! Both say of a key little more than that it exists; Cloud Config may add its metadata as JSON in a text.

use super::found::{Found, Made};
use super::members::Members;
use super::replies::{At, describe, lost};
use crate::domains::cmk::fields::Field;
use crate::inventory::row::{FileId, RecordKind};

/// Adds what the members say if they are a resource, or a reply about some; tells whether they are.
///
/// # Errors
/// A resource names a member twice.
pub(super) fn read(at: At<'_>, reply: &Members<'_>, found: &mut Found) -> Result<bool, String> {
    if let Some(profiles) = reply.object("discoveredresourceprofiles")? {
        for value in profiles.list("discoveredresourceprofilelist").unwrap_or_default() {
            if let Some(profile) = Members::of(value.get())? {
                resource(RecordKind::CloudConfig, at.file, at.line_of(value), value.get(), &profile, found);
            }
        }
        return Ok(true);
    }
    if let (Some(value), Some(detail)) =
        (reply.value("discoveredresourcedetail"), reply.object("discoveredresourcedetail")?)
    {
        resource(RecordKind::CloudConfig, at.file, at.line_of(value), value.get(), &detail, found);
        return Ok(true);
    }
    // An inventory may say of each key what kind of resource it is, too; it calls the key's id otherwise.
    if reply.value("resourcetype").is_none() || reply.value("resourceid").is_none() {
        return Ok(false);
    }
    let of_config = ["resourcedeleted", "resourcestatus", "resourcecreationtime", "configuration"];
    let is_config = of_config.iter().any(|name| reply.value(name).is_some());
    let kind = if is_config { RecordKind::CloudConfig } else { RecordKind::ResourceCenter };
    resource(kind, at.file, at.line, at.text, reply, found);
    Ok(true)
}

/// The members of resources that are called like fields of a key.
const OWN: [&str; 8] =
    ["resourcetype", "accountid", "region", "regionid", "resourcename", "tags", "createtime", "vpcid"];

fn resource(kind: RecordKind, file: FileId, line: u64, from: &str, resource: &Members<'_>, found: &mut Found) {
    let of_type = resource.filled("resourcetype").unwrap_or_default();
    if !of_type.eq_ignore_ascii_case("ACS::KMS::Key") {
        found.leave_out(format!("resource(s) of type {of_type}"), line);
        return;
    }
    if resource.text("resourcedeleted").is_some_and(|deleted| matches!(&*deleted, "1" | "true")) {
        found.leave_out("key(s) that were deleted", line);
        return;
    }
    if found.refuses(file, line, lost(resource, &OWN)) {
        return;
    }
    let mut made = Made::new(kind, line, from);
    made.say(Field::KeyId, resource.filled("resourceid"));
    made.say(Field::AccountId, resource.filled("accountid"));
    made.say(Field::Region, resource.filled("region").or_else(|| resource.filled("regionid")));
    // The metadata are JSON in a text; if they are not what they are thought to be, the key is known all the same.
    let configuration = resource.filled("configuration").unwrap_or_default();
    if let Ok(Some(metadata)) = Members::of(&configuration) {
        let inner = metadata.object("keymetadata").ok().flatten();
        let mut described = Made::new(kind, line, from);
        describe(&mut described, inner.as_ref().unwrap_or(&metadata));
        let is_same = described.said(Field::KeyId).is_none_or(|id| made.said(Field::KeyId) == Some(id));
        if is_same {
            made.take(described);
        }
    }
    found.rows.push(made);
}
