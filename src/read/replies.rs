//! Replies of the KMS API (2016-01-20), as its command line and its SDKs write them: one, or several in any mix.
//!
//! Members are found in every spelling of the SDKs (`KeyId`, `keyId`, `key_id`), also under `body`, where SDKs put the
//! reply beside its headers. An empty `DKMSInstanceId` is the default instance; where there is none, the reply does not
//! say it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use serde_json::value::RawValue;

use super::config;
use super::found::{Found, Inner, Made};
use super::members::{Members, line_of};
use crate::domains::cmk::fields::Field;
use crate::inventory::identity::parse_arn;
use crate::inventory::listings::{Listed, Listing};
use crate::inventory::row::{FileId, NoteKind, Place, RecordKind, Reject};

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

/// A text in a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct At<'a> {
    pub(super) file: FileId,
    pub(super) text: &'a str,
    /// The line on which the text begins.
    pub(super) line: u64,
}

impl<'a> At<'a> {
    pub(super) fn line_of(&self, value: &RawValue) -> u64 {
        line_of(self.text, self.line, value.get())
    }

    fn place(&self) -> Place {
        Place { file: self.file, line: self.line }
    }
}

/// What an object says if it is a reply or a part of one; nothing if it is neither.
///
/// # Errors
/// It names a member twice.
pub(super) fn read(at: At<'_>) -> Result<Option<Found>, String> {
    let Some(outer) = Members::of(at.text)? else { return Ok(None) };
    let (reply, text) = match (outer.object("body")?, outer.value("body")) {
        (Some(body), Some(value)) => (body, value.get()),
        _ => (outer, at.text),
    };
    let mut found = Found::default();
    // A record of a key is no reply, whatever else stands in it.
    let is_record = reply.value("keyid").is_some();
    if !is_record && lists(at, &reply, &mut found)? | single(at, &reply, &mut found)? {
        if let Some(name) = lost(&reply, &CONTAINERS) {
            let reason = "a reply of the API that also says";
            return Err(format!("{reason} `{name}`; write that into the object of the key itself"));
        }
        return Ok(Some(found));
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
        found.rejects.push(Reject::whole(at.place(), reason));
        return Ok(Some(found));
    }
    Ok(None)
}

/// The members of replies that are called like fields of a key.
const CONTAINERS: [&str; 7] = ["keys", "keyversions", "keyversion", "aliases", "tags", "kmsinstance", "kmsinstances"];

/// A member that says something about a key, and of which nothing is used. Nobody must lose what was added by hand.
pub(super) fn lost(members: &Members<'_>, known: &[&str]) -> Option<String> {
    let is_lost = |(name, value): &(&str, &RawValue)| {
        Field::from_header(name).is_some() && !known.contains(name) && value.get() != "null"
    };
    members.names().find(is_lost).map(|(name, _)| name.to_owned())
}

/// Whether the members are those of a key's metadata, without the reply around them.
fn is_metadata(members: &Members<'_>) -> bool {
    ["keyid", "keystate", "origin", "creationdate", "dkmsinstanceid"].iter().all(|name| members.value(name).is_some())
}

/// Replies about one thing.
fn single(at: At<'_>, reply: &Members<'_>, found: &mut Found) -> Result<bool, String> {
    let mut known = false;
    if let (Some(value), Some(_)) = (reply.value("keymetadata"), reply.object("keymetadata")?) {
        found.objects.push(Inner::new(RecordKind::DescribeKey, at, value.get()));
        known = true;
    }
    if let (Some(value), Some(version)) = (reply.value("keyversion"), reply.object("keyversion")?) {
        let mut made = Made::new(RecordKind::ListKeyVersions, at.line_of(value), value.get());
        made.say(Field::KeyId, version.filled("keyid"));
        made.say(Field::KeyVersionId, version.filled("keyversionid"));
        found.rows.push(made);
        known = true;
    }
    if let (Some(value), Some(_)) = (reply.value("kmsinstance"), reply.object("kmsinstance")?) {
        found.leave_out("KMS instance(s)", at.line_of(value));
        known = true;
    }
    Ok(known)
}

/// Replies that list something.
fn lists(at: At<'_>, reply: &Members<'_>, found: &mut Found) -> Result<bool, String> {
    let mut known = false;
    for (outer, inner, read) in [
        ("keys", "key", list_keys as fn(At<'_>, &Members<'_>, &[Item<'_>], &mut Found)),
        ("keyversions", "keyversion", list_versions),
        ("aliases", "alias", list_aliases),
        ("tags", "tag", list_tags),
        ("tagresources", "tagresource", list_tags),
        ("kmsinstances", "kmsinstance", list_instances),
    ] {
        let Some(values) = reply.object(outer)?.and_then(|list| list.list(inner)) else { continue };
        let mut items = Vec::with_capacity(values.len());
        for value in values {
            match Members::of(value.get())? {
                Some(members) => items.push(Item { line: at.line_of(value), raw: value.get(), members }),
                None => found.rejects.push(Reject::whole(
                    Place { file: at.file, line: at.line_of(value) },
                    format!("an element of `{inner}` that is no object"),
                )),
            }
        }
        read(at, reply, &items, found);
        known = true;
    }
    Ok(known)
}

/// An element of a list.
struct Item<'a> {
    line: u64,
    raw: &'a str,
    members: Members<'a>,
}

fn list_keys(at: At<'_>, reply: &Members<'_>, items: &[Item<'_>], found: &mut Found) {
    let arn = items.first().and_then(|item| item.members.filled("keyarn").or_else(|| item.members.filled("arn")));
    let scope = arn.as_deref().and_then(parse_arn);
    let scope = scope.map(|arn| (arn.account_id.to_owned(), arn.region.to_owned())).unwrap_or_default();
    found.listings.push(listing(at, reply, Listed::Keys, scope, None, items, "keyid"));
    for item in items {
        let is_described = item.members.value("origin").is_some();
        let kind = if is_described { RecordKind::DescribeKey } else { RecordKind::ListKeys };
        found.objects.push(Inner::new(kind, at, item.raw));
    }
}

fn list_aliases(at: At<'_>, reply: &Members<'_>, items: &[Item<'_>], found: &mut Found) {
    let scope_of = |item: &Item<'_>| item.members.filled("aliasarn").and_then(|arn| scope_of_alias(&arn));
    let scope = items.first().and_then(scope_of).unwrap_or_default();
    let key_of = |item: &Item<'_>| item.members.filled("keyid").map(Cow::into_owned);
    let first = items.first().and_then(key_of);
    let only_key = first.filter(|first| items.iter().all(|item| key_of(item).as_ref() == Some(first)));
    if !items.is_empty() {
        found.listings.push(listing(at, reply, Listed::Aliases, scope, only_key, items, "aliasname"));
    }
    for item in items {
        if found.refuses(at.file, item.line, lost(&item.members, &["keyid", "aliasname", "aliasarn"])) {
            continue;
        }
        let mut made = Made::new(RecordKind::ListAliases, item.line, item.raw);
        made.say(Field::KeyId, item.members.filled("keyid"));
        made.say(Field::Aliases, item.members.filled("aliasname").or_else(|| item.members.filled("aliasarn")));
        if let Some((account, region)) = scope_of(item) {
            made.say(Field::AccountId, Some(account));
            made.say(Field::Region, Some(region));
        }
        found.rows.push(made);
    }
}

/// Account and region of an ARN of an alias: `acs:kms:<region>:<account>:alias/<name>`.
fn scope_of_alias(arn: &str) -> Option<(String, String)> {
    let mut parts = arn.strip_prefix("acs:kms:")?.splitn(3, ':');
    let (region, account) = (parts.next()?, parts.next()?);
    Some((account.to_owned(), region.to_owned()))
}

/// One record for each key: how many versions it has.
fn list_versions(at: At<'_>, reply: &Members<'_>, items: &[Item<'_>], found: &mut Found) {
    let mut keys: BTreeMap<String, (Vec<String>, u64)> = BTreeMap::new();
    for item in items {
        if found.refuses(
            at.file,
            item.line,
            lost(&item.members, &["keyid", "keyversionid", "creationdate", "createtime"]),
        ) {
            continue;
        }
        let Some(key_id) = item.members.filled("keyid") else {
            let reason = "a version that names no key; expected KeyId and KeyVersionId";
            found.rejects.push(Reject::whole(Place { file: at.file, line: item.line }, reason));
            continue;
        };
        let (versions, _) = keys.entry(key_id.into_owned()).or_insert((Vec::new(), item.line));
        let version = item.members.filled("keyversionid").unwrap_or_default().into_owned();
        if !versions.contains(&version) {
            versions.push(version);
        }
    }
    if keys.is_empty() && items.is_empty() {
        let text = "a reply of ListKeyVersions without versions; a page behind the last is empty";
        found.note(NoteKind::Incomplete, at.file, at.line, text);
    }
    // What a page says of all its versions is about its key only if there is just one.
    let total = reply.number("totalcount").filter(|_| keys.len() == 1).unwrap_or(0);
    let earlier = reply.number("pagenumber").filter(|_| keys.len() == 1).unwrap_or(1).saturating_sub(1);
    for (key_id, (versions, line)) in keys {
        let count = total.max(versions.len() as u64 + earlier);
        let mut made = Made::new(RecordKind::ListKeyVersions, line, &format!("{key_id} {count} {versions:?}"));
        made.say(Field::KeyId, Some(key_id));
        made.say(Field::Versions, Some(count.to_string()));
        found.rows.push(made);
    }
}

/// Tags of keys; those of other resources are left out.
fn list_tags(_: At<'_>, _: &Members<'_>, items: &[Item<'_>], found: &mut Found) {
    let mut keys: BTreeMap<String, (String, u64)> = BTreeMap::new();
    for item in items {
        let is_key = item.members.filled("resourcetype").is_none_or(|kind| kind.eq_ignore_ascii_case("key"));
        let key_id = item.members.filled("keyid").or_else(|| item.members.filled("resourceid")).filter(|_| is_key);
        let Some(key_id) = key_id else {
            found.leave_out("tag(s) of other resources", item.line);
            continue;
        };
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

fn listing(
    at: At<'_>,
    reply: &Members<'_>,
    what: Listed,
    scope: (String, String),
    only_key: Option<String>,
    items: &[Item<'_>],
    named_by: &str,
) -> Listing {
    let name = |item: &Item<'_>| FixedState::default().hash_one(item.members.text(named_by));
    Listing {
        place: at.place(),
        what,
        total: reply.number("totalcount"),
        more: reply.filled("nexttoken").is_some(),
        scope,
        only_key,
        items: items.iter().map(name).collect(),
    }
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
