//! Terraform: raw states (version 4), `terraform show -json` of a state, and of a plan the state that it starts from.
//!
//! Only attributes that are known are looked at: a state holds secrets in clear.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::found::{Found, Made};
use super::members::Members;
use super::replies::{At, describe};
use crate::domains::cmk::fields::Field;
use crate::inventory::row::{NoteKind, RecordKind};

/// Modules may stand in each other as deep as this.
const DEEPEST: usize = 64;

/// Members at the top of a document that only Terraform writes.
pub(super) fn is_document(members: &[(String, u8)]) -> bool {
    let has = |wanted: &str| members.iter().any(|(name, _)| name == wanted);
    has("terraform_version") || has("format_version") || has("lineage") && has("serial")
}

/// The keys, aliases and versions in a document.
///
/// # Errors
/// It is no document that is known, or damaged.
pub(super) fn read(at: At<'_>) -> Result<Found, String> {
    let damaged = "not the JSON that Terraform writes: it is cut off, or was changed by hand";
    let document = Members::of(at.text)?.ok_or(damaged)?;
    let mut found = Found::default();
    if let Some(resources) = document.list("resources") {
        let version = document.number("version").unwrap_or(0);
        if version != 4 {
            return Err(format!("a state of version {version}; only version 4 is read. Use `terraform show -json`"));
        }
        for resource in resources {
            of_state(at, resource, &mut found)?;
        }
        return Ok(found);
    }
    let state = match document.object("priorstate")? {
        Some(prior) => prior.object("values")?,
        None => document.object("values")?,
    };
    let is_plan = ["plannedvalues", "resourcechanges"].iter().any(|name| document.value(name).is_some());
    match state.map(|values| values.object("rootmodule")).transpose()?.flatten() {
        Some(root) => of_module(at, &root, 0, &mut found)?,
        None if is_plan => {
            let text = "a plan without a prior state: what is still to be made has no keys yet";
            found.note(NoteKind::LeftOut, at.file, at.line, text);
        }
        None if document.value("values").is_some() || document.value("formatversion").is_some() => {}
        None => return Err(damaged.to_owned()),
    }
    if is_plan {
        let text = "a plan: the state that it starts from was read, not what it would change";
        found.note(NoteKind::Reading, at.file, at.line, text);
    }
    Ok(found)
}

fn of_module(at: At<'_>, module: &Members<'_>, depth: usize, found: &mut Found) -> Result<(), String> {
    if depth > DEEPEST {
        return Err(format!("modules stand in each other more than {DEEPEST} deep"));
    }
    for resource in module.list("resources").unwrap_or_default() {
        let Some(members) = Members::of(resource.get())? else { continue };
        let of_type = members.filled("type").unwrap_or_default();
        if !is_of_kms(&of_type) {
            continue;
        }
        let address = members.filled("address").unwrap_or_default();
        if let (Some(value), Some(attributes)) = (members.value("values"), members.object("values")?) {
            add(at, &of_type, &address, value, &attributes, found)?;
        }
    }
    for inner in module.list("childmodules").unwrap_or_default() {
        if let Some(inner) = Members::of(inner.get())? {
            of_module(at, &inner, depth + 1, found)?;
        }
    }
    Ok(())
}

fn of_state(at: At<'_>, resource: &RawValue, found: &mut Found) -> Result<(), String> {
    let Some(members) = Members::of(resource.get())? else { return Ok(()) };
    let of_type = members.filled("type").unwrap_or_default();
    if !is_of_kms(&of_type) {
        return Ok(());
    }
    let part = |name: &str| members.filled(name).unwrap_or_default();
    let module = if part("module").is_empty() { String::new() } else { format!("{}.", part("module")) };
    let data = if part("mode") == "data" { "data." } else { "" };
    for instance in members.list("instances").unwrap_or_default() {
        let Some(instance) = Members::of(instance.get())? else { continue };
        if instance.filled("deposed").is_some() {
            found.leave_out("deposed instance(s)", at.line_of(resource));
            continue;
        }
        let index = match instance.value("indexkey").map(|index| index.get()) {
            None | Some("null") => String::new(),
            Some(index) => format!("[{index}]"),
        };
        let address = format!("{module}{data}{of_type}.{}{index}", part("name"));
        if let (Some(value), Some(attributes)) = (instance.value("attributes"), instance.object("attributes")?) {
            add(at, &of_type, &address, value, &attributes, found)?;
        }
    }
    Ok(())
}

fn is_of_kms(of_type: &str) -> bool {
    of_type.starts_with("alicloud_kms_")
}

fn add(
    at: At<'_>,
    of_type: &str,
    address: &str,
    value: &RawValue,
    attributes: &Members<'_>,
    found: &mut Found,
) -> Result<(), String> {
    let line = at.line_of(value);
    let mut each = |list: &str, read: fn(u64, &str, &Members<'_>) -> Made| -> Result<(), String> {
        for value in attributes.list(list).unwrap_or_default() {
            if let Some(members) = Members::of(value.get())? {
                found.rows.push(read(at.line_of(value), value.get(), &members));
            }
        }
        Ok(())
    };
    match of_type {
        "alicloud_kms_key" => {
            let mut made = key(line, value.get(), attributes);
            made.say(Field::TerraformAddress, Some(address));
            found.rows.push(made);
        }
        "alicloud_kms_alias" => found.rows.push(alias(line, value.get(), attributes)),
        "alicloud_kms_key_version" => found.rows.push(version(line, value.get(), attributes)),
        "alicloud_kms_keys" => each("keys", key)?,
        "alicloud_kms_aliases" => each("aliases", alias)?,
        "alicloud_kms_key_versions" => each("versions", version)?,
        other => found.leave_out(format!("resource(s) of type {other}"), line),
    }
    Ok(())
}

fn key(line: u64, from: &str, attributes: &Members<'_>) -> Made {
    let mut made = Made::new(RecordKind::Terraform, line, from);
    describe(&mut made, attributes);
    if made.said(Field::KeyId).is_none() {
        made.say(Field::KeyId, attributes.filled("id"));
    }
    if made.said(Field::State).is_none() {
        made.say(Field::State, attributes.filled("status"));
    }
    made
}

fn alias(line: u64, from: &str, attributes: &Members<'_>) -> Made {
    let mut made = Made::new(RecordKind::Terraform, line, from);
    made.say(Field::KeyId, attributes.filled("keyid"));
    let id = || attributes.filled("id").filter(|id| id.starts_with("alias/"));
    made.say(Field::Aliases, attributes.filled("aliasname").or_else(id));
    made
}

fn version(line: u64, from: &str, attributes: &Members<'_>) -> Made {
    let mut made = Made::new(RecordKind::Terraform, line, from);
    let id = attributes.filled("id").unwrap_or_default();
    // The id of the resource is `<key_id>:<key_version_id>`.
    let (of_key, of_version) = id.split_once(':').unwrap_or_default();
    let or = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty()).map(Cow::Owned);
    made.say(Field::KeyId, attributes.filled("keyid").or_else(|| or(of_key)));
    made.say(Field::KeyVersionId, attributes.filled("keyversionid").or_else(|| or(of_version)));
    made
}
