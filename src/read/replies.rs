//! Replies of the KMS API (2016-01-20), as its command line and its SDKs write them: one, or several in any mix.
//!
//! Members are found in every spelling of the SDKs (`KeyId`, `keyId`, `key_id`), also under `body`, where SDKs put the
//! reply beside its headers. An empty `DKMSInstanceId` is the default instance; where there is none, the reply does not
//! say it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use serde_json::value::RawValue;

use super::config;
use super::found::{Found, Inner, Made};
use super::members::{At, Members};
use crate::domains::cmk::fields::Field;
use crate::inventory::identity::{arn_parts, parse_arn};
use crate::inventory::listings::{Listed, Listing};
use crate::inventory::row::{NoteKind, Place, RecordKind};

/// Members that only replies have, without case and `_`. Those of the second kind are objects in replies, and something
/// else where people write inventories.
const ALWAYS: [&str; 12] = [
    "findinginfo",
    "keymetadata",
    "keyversions",
    "keyversion",
    "tagresources",
    "kmsinstance",
    "kmsinstances",
    "discoveredresourceprofiles",
    "discoveredresourcedetail",
    "dkmsinstanceid",
    "resourcetype",
    "requestid",
];
const AS_OBJECTS: [&str; 4] = ["keys", "aliases", "tags", "body"];

/// The member that names the instance of a key; blank for the default instance, if the API says it.
pub(super) const INSTANCE: &str = "dkmsinstanceid";
/// The default instance, in the words of inventories.
pub(super) const DEFAULT_INSTANCE: &str = "default";

/// Whether an object with a member of this name, without case and `_`, may be a reply or a part of one.
pub(super) fn may_be_member(name: &str, is_object: bool) -> bool {
    ALWAYS.contains(&name) || is_object && AS_OBJECTS.contains(&name)
}

/// What an object says if it is a reply or a part of one; nothing if it is neither.
///
/// # Errors
/// It names a member twice.
pub(super) fn read(at: At<'_>) -> Result<Option<Found>, String> {
    let Some(outer) = Members::of(at.text)? else { return Ok(None) };
    let (reply, text) = match (outer.object("body")?, outer.value("body")) {
        (Some(body), Some(value)) => {
            says_more(&outer, &[])?;
            (body, value.get())
        }
        _ => (outer, at.text),
    };
    let mut found = Found::default();
    // A record of a key is no reply, whatever else stands in it.
    let is_record = reply.value("keyid").is_some();
    if !is_record {
        let read = [lists(at, &reply, &mut found)?, single(at, &reply, &mut found)?].concat();
        if !read.is_empty() {
            says_more(&reply, &read)?;
            return Ok(Some(found));
        }
    }
    if is_record && reply.object("keymetadata")?.is_some() {
        let reason = "an object that names a key and also wraps a reply of the API (`KeyMetadata`)";
        return Err(format!("{reason}; write the members of both into one object, or the two apart"));
    }
    if !is_record && config::read(at, &reply, &mut found)? {
        return Ok(Some(found));
    }
    if is_metadata(&reply) {
        found.objects.push(Inner::new(RecordKind::DescribeKey, at, text));
        return Ok(Some(found));
    }
    if let (Some(code), Some(_), true) =
        (reply.filled("code"), reply.value("message"), reply.value("requestid").is_some())
    {
        let reason = format!("an error of the API instead of a reply: {code}; ask again when its cause is gone");
        found.reject(at.place(), reason);
        return Ok(Some(found));
    }
    Ok(None)
}

/// Refuses a reply that says something of a key beside what it wraps.
pub(super) fn says_more(reply: &Members<'_>, known: &[&str]) -> Result<(), String> {
    match lost(reply, known) {
        Some(name) => {
            Err(format!("a reply of the API that also says `{name}`; write that into the object of the key itself"))
        }
        None => Ok(()),
    }
}

/// A member that says something about a key, and of which nothing is used. Nobody must lose what was added by hand.
pub(super) fn lost(members: &Members<'_>, known: &[&str]) -> Option<String> {
    let is_lost = |(name, value): &(&str, &RawValue)| {
        !known.contains(name) && value.get() != "null" && Field::from_header(name).is_some()
    };
    members.names().find(is_lost).map(|(name, _)| name.to_owned())
}

/// Whether the members are those of a key's metadata, without the reply around them.
fn is_metadata(members: &Members<'_>) -> bool {
    ["keyid", "keystate", "origin", "creationdate", "dkmsinstanceid"].iter().all(|name| members.value(name).is_some())
}

/// Replies about one thing. Gives the members that were read.
fn single(at: At<'_>, reply: &Members<'_>, found: &mut Found) -> Result<Vec<&'static str>, String> {
    let mut known = Vec::new();
    if let (Some(value), Some(_)) = (reply.value("keymetadata"), reply.object("keymetadata")?) {
        found.objects.push(Inner::new(RecordKind::DescribeKey, at, value.get()));
        known.push("keymetadata");
    }
    if let (Some(value), Some(version)) = (reply.value("keyversion"), reply.object("keyversion")?) {
        let key_id = version.filled("keyid");
        if !found.refuses(at.place_of(value.get()), lost(&version, &OF_VERSION), key_id.as_deref()) {
            let mut made = Made::new(RecordKind::ListKeyVersions, at.line_of(value.get()), value.get());
            made.say(Field::KeyId, key_id);
            made.say(Field::KeyVersionId, version.filled("keyversionid"));
            found.rows.push(made);
        }
        known.push("keyversion");
    }
    if let (Some(value), Some(_)) = (reply.value("kmsinstance"), reply.object("kmsinstance")?) {
        found.leave_out("KMS instance(s)", at.line_of(value.get()));
        known.push("kmsinstance");
    }
    Ok(known)
}

/// Replies that list something. Gives the members that were read.
fn lists(at: At<'_>, reply: &Members<'_>, found: &mut Found) -> Result<Vec<&'static str>, String> {
    let mut known = Vec::new();
    for (outer, inner, read) in [
        ("keys", "key", list_keys as fn(At<'_>, &Members<'_>, &[Item<'_>], &mut Found)),
        ("keyversions", "keyversion", list_versions),
        ("aliases", "alias", list_aliases),
        ("tags", "tag", list_tags),
        ("tagresources", "tagresource", list_tags),
        ("kmsinstances", "kmsinstance", list_instances),
    ] {
        let Some(list) = reply.object(outer)? else { continue };
        let Some(values) = list.list(inner) else { continue };
        says_more(&list, &[inner])?;
        let mut items = Vec::with_capacity(values.len());
        for value in values {
            match Members::of(value.get())? {
                Some(members) => items.push(Item { line: at.line_of(value.get()), raw: value.get(), members }),
                None => {
                    found.reject(at.place_of(value.get()), format!("an element of `{inner}` that is no object"));
                }
            }
        }
        read(at, reply, &items, found);
        known.push(outer);
    }
    Ok(known)
}

/// An element of a list.
struct Item<'a> {
    line: u64,
    raw: &'a str,
    members: Members<'a>,
}

/// The members of elements that are called like fields of a key.
const OF_ALIAS: [&str; 3] = ["keyid", "aliasname", "aliasarn"];
const OF_VERSION: [&str; 4] = ["keyid", "keyversionid", "creationdate", "createtime"];
const OF_TAG: [&str; 3] = ["keyid", "resourcetype", "resourceid"];

fn list_keys(at: At<'_>, reply: &Members<'_>, items: &[Item<'_>], found: &mut Found) {
    let scope_of = |item: &Item<'_>| {
        let arn = item.members.filled("keyarn").or_else(|| item.members.filled("arn"))?;
        parse_arn(&arn).map(|arn| (arn.account_id.to_owned(), arn.region.to_owned()))
    };
    found.listings.push(listing(at, reply, Listed::Keys, scopes(items.iter().map(scope_of)), "keyid", items.iter()));
    for item in items {
        let is_described = item.members.value("origin").is_some();
        let kind = if is_described { RecordKind::DescribeKey } else { RecordKind::ListKeys };
        found.objects.push(Inner::new(kind, at, item.raw));
    }
}

/// The account and region of the elements of a list, if it is the same for all; otherwise the list was put together of
/// several, and what it says of their number is about one of them.
fn scopes(mut each: impl Iterator<Item = Option<(String, String)>>) -> Option<(String, String)> {
    let Some(first) = each.next() else { return Some(Default::default()) };
    each.all(|other| other == first).then(|| first.unwrap_or_default())
}

fn list_aliases(at: At<'_>, reply: &Members<'_>, items: &[Item<'_>], found: &mut Found) {
    let scope_of = |item: &Item<'_>| item.members.filled("aliasarn").and_then(|arn| scope_of_alias(&arn));
    let mut used: Vec<&Item<'_>> = Vec::with_capacity(items.len());
    for item in items {
        let key_id = item.members.filled("keyid");
        let place = Place { file: at.file, line: item.line };
        if found.refuses(place, lost(&item.members, &OF_ALIAS), key_id.as_deref()) {
            continue;
        }
        let name = item.members.filled("aliasname").or_else(|| item.members.filled("aliasarn"));
        // An alias of nobody knows which key says of no key that it has none.
        if name.is_some() && key_id.as_ref().is_some_and(|id| !id.contains('*')) {
            used.push(item);
        }
        let mut made = Made::new(RecordKind::ListAliases, item.line, item.raw);
        made.say(Field::KeyId, key_id);
        made.say(Field::Aliases, name);
        if let Some((account, region)) = scope_of(item) {
            made.say(Field::AccountId, Some(account));
            made.say(Field::Region, Some(region));
        }
        found.rows.push(made);
    }
    let key_of = |item: &&Item<'_>| item.members.filled("keyid").map(Cow::into_owned);
    let first = used.first().and_then(key_of);
    let only_key = first.filter(|first| used.iter().all(|item| key_of(item).as_ref() == Some(first)));
    if items.is_empty() {
        let text = "a reply about aliases that names none, and so does not tell of which account, region or key there are none: no key counts as one without aliases by it";
        found.note(NoteKind::Reading, at.file, at.line, text);
    } else {
        let scope = scopes(items.iter().map(scope_of));
        let pages = listing(at, reply, Listed::Aliases, scope, "aliasname", used.into_iter());
        found.listings.push(Listing { only_key, ..pages });
    }
}

/// Account and region of an ARN of an alias: `acs:kms:<region>:<account>:alias/<name>`.
fn scope_of_alias(arn: &str) -> Option<(String, String)> {
    let (region, account, _) = arn_parts(arn)?;
    Some((account.to_owned(), region.to_owned()))
}

/// One record for each key: how many versions it has.
fn list_versions(at: At<'_>, reply: &Members<'_>, items: &[Item<'_>], found: &mut Found) {
    // Of each key, the names of its versions, how many have no name, and where the first stands.
    let mut keys: BTreeMap<String, (BTreeSet<String>, u64, u64)> = BTreeMap::new();
    for item in items {
        let key_id = item.members.filled("keyid");
        let place = Place { file: at.file, line: item.line };
        if found.refuses(place, lost(&item.members, &OF_VERSION), key_id.as_deref()) {
            continue;
        }
        let Some(key_id) = key_id else {
            let reason = "a version that names no key; expected KeyId and KeyVersionId";
            found.reject(place, reason.to_owned());
            continue;
        };
        let (versions, unnamed, _) = keys.entry(key_id.into_owned()).or_insert((BTreeSet::new(), 0, item.line));
        match item.members.filled("keyversionid") {
            Some(version) => _ = versions.insert(version.into_owned()),
            None => *unnamed += 1,
        }
    }
    if keys.is_empty() && items.is_empty() {
        let text = "a reply of ListKeyVersions without versions; a page behind the last is empty";
        found.note(NoteKind::Incomplete, at.file, at.line, text);
    }
    let here: u64 = keys.values().map(|(versions, unnamed, _)| versions.len() as u64 + unnamed).sum();
    let total = reply.number("totalcount");
    // What a page says of all its versions is about its key only if there is just one.
    let is_merged = keys.len() > 1;
    let of_key = total.filter(|_| !is_merged).unwrap_or(0);
    let earlier = reply.number("pagenumber").filter(|_| !is_merged).unwrap_or(1).saturating_sub(1);
    if is_merged && total.is_some_and(|total| total != here) {
        let text = format!(
            "a list of versions of {} keys with a TotalCount that is not their number ({here}): lists were put together, and nobody knows whether versions are missing; fetch ListKeyVersions for each key",
            keys.len()
        );
        found.note(NoteKind::Incomplete, at.file, at.line, text);
    }
    let is_whole = total.is_some() && (!is_merged || total == Some(here));
    for (key_id, (versions, unnamed, line)) in keys {
        let count = of_key.max((versions.len() as u64 + unnamed).saturating_add(earlier));
        let from = format!("{key_id} {count} {is_whole} {versions:?}");
        let mut made = Made::new(RecordKind::ListKeyVersions, line, &from);
        made.say(Field::KeyId, Some(key_id));
        // One version of a list that does not say how many there are may be one of several.
        if is_whole || count > 1 {
            made.say(Field::Versions, Some(count.to_string()));
        }
        let only = versions.into_iter().next().filter(|_| count == 1);
        // Another record may name another version.
        made.say(if is_whole { Field::PrimaryVersion } else { Field::KeyVersionId }, only);
        found.rows.push(made);
    }
}

/// Tags of keys; those of other resources are left out.
fn list_tags(at: At<'_>, _: &Members<'_>, items: &[Item<'_>], found: &mut Found) {
    let mut keys: BTreeMap<String, (String, u64)> = BTreeMap::new();
    for item in items {
        let is_key = item.members.filled("resourcetype").is_none_or(|kind| kind.eq_ignore_ascii_case("key"));
        let key_id = item.members.filled("keyid").or_else(|| item.members.filled("resourceid")).filter(|_| is_key);
        let Some(key_id) = key_id else {
            found.leave_out("tag(s) of other resources", item.line);
            continue;
        };
        let place = Place { file: at.file, line: item.line };
        if found.refuses(place, lost(&item.members, &OF_TAG), Some(&key_id)) {
            continue;
        }
        let (tags, _) = keys.entry(key_id.into_owned()).or_insert((String::new(), item.line));
        let part = |name: &str| item.members.text(name).unwrap_or_default();
        tags.push_str(&format!("{}={};", part("tagkey"), part("tagvalue")));
    }
    for (key_id, (tags, line)) in keys {
        let mut made = Made::new(RecordKind::ListResourceTags, line, &format!("{key_id} {tags}"));
        made.say(Field::KeyId, Some(key_id));
        made.say(Field::Tags, Some(tags));
        found.rows.push(made);
    }
}

fn list_instances(_: At<'_>, _: &Members<'_>, items: &[Item<'_>], found: &mut Found) {
    items.iter().for_each(|item| found.leave_out("KMS instance(s)", item.line));
}

fn listing<'i>(
    at: At<'_>,
    reply: &Members<'_>,
    what: Listed,
    scope: Option<(String, String)>,
    named_by: &str,
    items: impl Iterator<Item = &'i Item<'i>>,
) -> Listing {
    let names = items.map(|item| item.members.text(named_by).map(Cow::into_owned));
    listing_of(at, reply, what, scope, names)
}

/// What a list tells of its completeness, by the names of its elements: nothing of their number if it has no scope of
/// its own.
pub(super) fn listing_of(
    at: At<'_>,
    page: &Members<'_>,
    what: Listed,
    scope: Option<(String, String)>,
    names: impl IntoIterator<Item = Option<String>>,
) -> Listing {
    Listing {
        place: at.place(),
        what,
        page: page.number("pagenumber"),
        total: page.number("totalcount").filter(|_| scope.is_some()),
        more: page.filled("nexttoken").is_some(),
        scope: scope.unwrap_or_default(),
        only_key: None,
        items: names.into_iter().map(|name| FixedState::default().hash_one(name)).collect(),
    }
}

/// The members of a key's metadata that the API writes and that are called like fields of a key.
pub(super) const DESCRIBED: [&str; 18] = [
    "keyid",
    "arn",
    "keyarn",
    "dkmsinstanceid",
    "origin",
    "automaticrotation",
    "rotationinterval",
    "nextrotationdate",
    "lastrotationdate",
    "creationdate",
    "primarykeyversion",
    "keyspec",
    "keyusage",
    "keystate",
    "protectionlevel",
    "creator",
    "description",
    "tags",
];

/// Whether somebody has added what the API does not say to a key's metadata.
pub(super) fn is_foreign(plain_name: &str) -> bool {
    !DESCRIBED.contains(&plain_name) && Field::from_header(plain_name).is_some()
}

/// Adds what a key's metadata say.
pub(super) fn describe(made: &mut Made, metadata: &Members<'_>) {
    made.say(Field::KeyId, metadata.filled("keyid"));
    made.say(Field::Arn, metadata.filled("arn").or_else(|| metadata.filled("keyarn")));
    made.say(Field::Instance, instance(metadata));
    for (field, name) in [
        (Field::Origin, "origin"),
        (Field::Rotation, "automaticrotation"),
        (Field::RotationInterval, "rotationinterval"),
        (Field::NextRotation, "nextrotationdate"),
        (Field::LastRotation, "lastrotationdate"),
        (Field::Created, "creationdate"),
        (Field::PrimaryVersion, "primarykeyversion"),
        (Field::KeySpec, "keyspec"),
        (Field::KeyUsage, "keyusage"),
        (Field::State, "keystate"),
        (Field::ProtectionLevel, "protectionlevel"),
    ] {
        made.say(field, metadata.filled(name));
    }
}

/// The instance: an empty id is the default instance; null or no member says nothing.
pub(super) fn instance<'a>(metadata: &Members<'a>) -> Option<Cow<'a, str>> {
    let id = metadata.text(INSTANCE)?;
    Some(if id.trim().is_empty() { Cow::Borrowed(DEFAULT_INSTANCE) } else { id })
}
