//! Objects under the ids of keys, and objects of other tools that carry no record of a key.

use std::collections::BTreeSet;

use serde_json::value::RawValue;

use super::members::{Members, Pairs, keys_behind_names};
use crate::inventory::identity::parse_arn;
use crate::inventory::tidy::{is_new_id, is_uuid};

/// A member of an object whose members are called like keys.
pub(super) struct Keyed<'a> {
    /// The key that its name is the id of.
    pub(super) key_id: String,
    /// The object that stands there, or why it cannot be used.
    pub(super) object: Result<&'a str, String>,
}

/// The objects that stand under the ids of keys, as scripts write them that ask for one key after the other:
/// `{"<key id>": {"KeyMetadata": …}, …}`. Nothing if it is no such object.
pub(super) fn members(bytes: &[u8]) -> Option<Vec<Keyed<'_>>> {
    if !may_be(bytes) {
        return None;
    }
    let Pairs(pairs) = serde_json::from_slice(bytes).ok()?;
    let keys: Vec<String> = pairs.iter().map(|(name, _)| key_of(name).map(str::to_owned)).collect::<Option<_>>()?;
    if pairs.iter().any(|(_, value)| !value.get().starts_with('{')) {
        return None;
    }
    let mut seen = BTreeSet::new();
    let keyed = pairs.iter().zip(&keys).map(|((name, value), key)| {
        let object = if seen.insert(key) { object(name, key, value) } else { Err(twice(name)) };
        Keyed { key_id: key.clone(), object }
    });
    Some(keyed.collect())
}

fn twice(name: &str) -> String {
    format!("the member `{name}` stands twice in one object; keep one")
}

fn object<'a>(name: &str, key: &str, value: &'a RawValue) -> Result<&'a str, String> {
    match keys_behind_names(value.get(), b'"').first() {
        Some(named) if named.eq_ignore_ascii_case(key) => Ok(value.get()),
        Some(named) => {
            Err(format!("what stands under `{name}` is about another key, `{named}`; write each under its own"))
        }
        None => {
            Err(format!("what stands under `{name}` does not name its key itself; add \"key_id\": \"{key}\" to it"))
        }
    }
}

/// Whether the first member is an object under the id of a key: records are many, and begin otherwise.
fn may_be(bytes: &[u8]) -> bool {
    const LONGEST_NAME: usize = 600;
    let first = || {
        let rest = bytes.strip_prefix(b"{")?.trim_ascii_start().strip_prefix(b"\"")?;
        let end = memchr::memchr(b'"', &rest[..rest.len().min(LONGEST_NAME)])?;
        let value = rest[end + 1..].trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
        value.starts_with(b"{").then_some(&rest[..end])
    };
    first().and_then(|name| std::str::from_utf8(name).ok()).is_some_and(|name| key_of(name).is_some())
}

/// The key that a name is the id or the ARN of.
fn key_of(name: &str) -> Option<&str> {
    let id = parse_arn(name).map_or(name, |arn| arn.key_id);
    (is_uuid(id) || is_new_id(id)).then_some(id)
}

/// What to say of an object that is a part of what Terraform writes, and is not read alone.
pub(super) fn part_of_terraform(bytes: &[u8]) -> Option<String> {
    let has = |piece: &[u8]| memchr::memmem::find(bytes, piece).is_some();
    if !has(b"\"alicloud_kms_") && !has(b"\"schema_version\"") {
        return None;
    }
    let members = Members::of(std::str::from_utf8(bytes).ok()?).ok()??;
    let of_type = members.filled("type").filter(|of_type| of_type.starts_with("alicloud_kms_"));
    let holds = |name: &str| members.value(name).is_some_and(|value| value.get().starts_with(['{', '[']));
    let what = match of_type {
        Some(of_type) if holds("values") || holds("instances") => format!("a resource of Terraform ({of_type})"),
        None if members.value("schemaversion").is_some() && holds("attributes") => {
            "an instance of a resource of Terraform".to_owned()
        }
        _ => return None,
    };
    Some(format!(
        "{what}, which is not read without the state around it; give that as a whole: the file `terraform.tfstate`, or what `terraform show -json` prints"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "00000000-0000-4000-8000-000000000101";

    #[test]
    fn objects_under_the_ids_of_keys_are_found() {
        let told = |text: &str| {
            members(text.as_bytes()).map(|members| {
                let told = members.into_iter().map(|member| (member.key_id, member.object.map(str::to_owned)));
                told.collect::<Vec<_>>()
            })
        };
        let inner = format!("{{\"KeyMetadata\": {{\"KeyId\": \"{ID}\"}}}}");
        assert_eq!(told(&format!("{{ \"{ID}\" : {inner}}}")), Some(vec![(ID.to_owned(), Ok(inner.clone()))]));
        let arn = format!("{{\"acs:kms:cn-hangzhou:1234567890123456:key/{ID}\": {inner}}}");
        assert_eq!(told(&arn), Some(vec![(ID.to_owned(), Ok(inner.clone()))]));
        let says = |text: String| told(&text).unwrap().pop().unwrap().1.unwrap_err();
        assert!(says(format!("{{\"{ID}\": {{\"origin\": \"EXTERNAL\"}}}}")).contains("does not name its key"));
        assert!(says(format!("{{\"{ID}\": {{\"key_id\": \"other\"}}}}")).contains("another key, `other`"));
        assert!(says(format!("{{\"{ID}\": {inner}, \"{ID}\": {inner}}}")).contains("twice"));
        for other in [
            "{}",
            "{\"key_id\": {}}",
            "{\"a\"",
            "[1]",
            &format!("{{\"{ID}\": 1}}"),
            &format!("{{\"{ID}\": {{}}, \"x\": 1}}"),
        ] {
            assert!(told(other).is_none(), "{other}");
        }
    }
}
