//! Resources as Cloud Config (`ListDiscoveredResources`, `GetDiscoveredResource`) and Resource Center
//! (`SearchResources`) list them.
//!
//! Both say of a key little more than that it exists; Cloud Config may add its metadata as JSON in a text.

use serde_json::value::RawValue;

use super::found::{Found, Made};
use super::members::{At, Members};
use super::replies::{DESCRIBED, describe, listing_of, lost, says_more};
use crate::domains::cmk::fields::Field;
use crate::inventory::listings::Listed;
use crate::inventory::row::{NoteKind, Place, RecordKind, Reject};

/// Adds what the members say if they are a resource, or a reply about some; tells whether they are.
///
/// # Errors
/// A resource names a member twice.
pub(super) fn read(at: At<'_>, reply: &Members<'_>, found: &mut Found) -> Result<bool, String> {
    if let Some(profiles) = reply.object("discoveredresourceprofiles")? {
        says_more(reply, &[])?;
        says_more(&profiles, &[])?;
        let list = profiles.list("discoveredresourceprofilelist").ok_or("a reply of Cloud Config without a list")?;
        resources(RecordKind::CloudConfig, at, &profiles, &list, found)?;
        return Ok(true);
    }
    // SDKs put the reply of Resource Center under a member; where it stands alone, its resources come one by one.
    let of_center = |list: &Vec<&RawValue>| list.iter().all(|value| value.get().contains("esource"));
    if let Some(list) = reply.list("resources").filter(of_center).filter(|_| reply.value("requestid").is_some()) {
        says_more(reply, &[])?;
        resources(RecordKind::ResourceCenter, at, reply, &list, found)?;
        return Ok(true);
    }
    if let (Some(value), Some(detail)) =
        (reply.value("discoveredresourcedetail"), reply.object("discoveredresourcedetail")?)
    {
        says_more(reply, &[])?;
        resource(RecordKind::CloudConfig, at.place_of(value.get()), value.get(), &detail, found)?;
        return Ok(true);
    }
    // An inventory may say of each key what kind of resource it is, too; it calls the key's id otherwise.
    if reply.value("resourcetype").is_none() || reply.value("resourceid").is_none() {
        return Ok(false);
    }
    let of_config = ["resourcedeleted", "resourcestatus", "resourcecreationtime", "configuration"];
    let is_config = of_config.iter().any(|name| reply.value(name).is_some());
    let kind = if is_config { RecordKind::CloudConfig } else { RecordKind::ResourceCenter };
    resource(kind, Place { file: at.file, line: at.line }, at.text, reply, found)?;
    Ok(true)
}

/// The members of resources that are called like fields of a key.
const OWN: [&str; 9] =
    ["resourcetype", "accountid", "region", "regionid", "resourcearn", "arn", "tags", "createtime", "vpcid"];

/// A page of resources.
fn resources(
    kind: RecordKind,
    at: At<'_>,
    page: &Members<'_>,
    list: &[&RawValue],
    found: &mut Found,
) -> Result<(), String> {
    let mut names = Vec::with_capacity(list.len());
    for value in list {
        let place = at.place_of(value.get());
        match Members::of(value.get())? {
            Some(members) => {
                names.push(members.text("resourceid").map(std::borrow::Cow::into_owned));
                resource(kind, place, value.get(), &members, found)?;
            }
            None => found.rejects.push(Reject::whole(place, "an element of a list of resources that is no object")),
        }
    }
    found.listings.push(listing_of(at, page, Listed::Resources, Some(Default::default()), names));
    Ok(())
}

fn resource(
    kind: RecordKind,
    place: Place,
    from: &str,
    resource: &Members<'_>,
    found: &mut Found,
) -> Result<(), String> {
    let of_type = resource.filled("resourcetype").unwrap_or_default();
    if !of_type.eq_ignore_ascii_case("ACS::KMS::Key") {
        found.leave_out(format!("resource(s) of type {of_type}"), place.line);
        return Ok(());
    }
    // 1 stands for resources that exist, 0 for those that were deleted.
    if resource.text("resourcedeleted").is_some_and(|deleted| deleted.trim() == "0") {
        found.leave_out("key(s) that were deleted", place.line);
        return Ok(());
    }
    let key_id = resource.filled("resourceid");
    if found.refuses(place, lost(resource, &OWN), key_id.as_deref()) {
        return Ok(());
    }
    let mut made = Made::new(kind, place.line, from);
    made.say(Field::KeyId, key_id.clone());
    made.say(Field::AccountId, resource.filled("accountid"));
    made.say(Field::Arn, resource.filled("resourcearn").or_else(|| resource.filled("arn")));
    made.say(Field::Region, resource.filled("region").or_else(|| resource.filled("regionid")));
    // The metadata are JSON in a text; if they are not what they are thought to be, the key is known all the same.
    let in_text = resource.filled("configuration");
    let configuration = in_text.as_deref().or_else(|| resource.value("configuration").map(RawValue::get));
    let described = configuration.map(Members::of).transpose()?;
    if let (Some(None), Some(key_id)) = (&described, &key_id)
        && configuration.is_some_and(|text| !matches!(text.trim(), "" | "null" | "{}"))
    {
        let text = format!("the Configuration of the key {key_id} is no object of JSON, so nothing of it was read");
        found.note(NoteKind::Incomplete, place.file, place.line, text);
    }
    if let Some(outer) = described.flatten() {
        let inner = outer.object("keymetadata")?;
        let metadata = inner.as_ref().unwrap_or(&outer);
        if found.refuses(place, lost(metadata, &DESCRIBED), key_id.as_deref()) {
            return Ok(());
        }
        let mut described = Made::new(kind, place.line, from);
        describe(&mut described, metadata);
        match described.said(Field::KeyId) {
            Some(other) if made.said(Field::KeyId) != Some(other) => {
                let lost = Some("Configuration of another key".to_owned());
                found.refuses(place, lost, key_id.as_deref());
                return Ok(());
            }
            _ => made.take(described),
        }
    }
    found.rows.push(made);
    Ok(())
}
