//! Terraform: raw states (version 4), `terraform show -json` of a state, and of a plan the state that it starts from.
//!
//! Only attributes that are known are looked at: a state holds secrets in clear.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::value::RawValue;

use super::found::{Found, Made};
use super::members::{At, Members};
use super::replies::describe;
use crate::domains::cmk::fields::Field;
use crate::inventory::row::{NoteKind, RecordKind};

/// Modules may stand in each other as deep as this.
const DEEPEST: usize = 64;

/// Members at the top of a document that only Terraform writes.
pub(super) fn is_document(members: &[(String, u8)]) -> bool {
    let has = |wanted: &str| members.iter().any(|(name, _)| name == wanted);
    has("terraform_version") || has("format_version") || has("lineage") && has("serial")
}

/// What was found so far.
#[derive(Default)]
struct Reading {
    found: Found,
    /// Which of its records are versions that Terraform made.
    further: Vec<usize>,
}

impl Reading {
    /// Terraform makes versions beside the one that a key is created with, unless somebody has imported that one. So a
    /// single one is no sign that there is one version. It proves two only if the key has another primary version.
    fn finish(mut self) -> Found {
        let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let said = |made: &Made, field| made.said(field).unwrap_or_default().to_owned();
        for made in self.further.iter().filter_map(|at| self.found.rows.get(*at)) {
            versions.entry(said(made, Field::KeyId)).or_default().insert(said(made, Field::KeyVersionId));
        }
        for at in self.further {
            if let Some(made) = self.found.rows.get_mut(at)
                && versions.get(made.said(Field::KeyId).unwrap_or_default()).is_some_and(|ids| ids.len() < 2)
            {
                let version = made.said(Field::KeyVersionId).map(str::to_owned);
                made.unsay(Field::KeyVersionId);
                made.say(Field::PrimaryVersion, version);
            }
        }
        self.found
    }
}

/// The keys, aliases and versions in a document.
///
/// # Errors
/// It is no document that is known, or damaged.
pub(super) fn read(at: At<'_>) -> Result<Found, String> {
    let damaged = "not the JSON that Terraform writes: it is cut off, or was changed by hand";
    let document = Members::of(at.text)?.ok_or(damaged)?;
    let mut into = Reading::default();
    if let Some(resources) = document.list("resources") {
        let version = document.number("version").unwrap_or(0);
        if version != 4 {
            return Err(format!("a state of version {version}; only version 4 is read. Use `terraform show -json`"));
        }
        for resource in resources {
            of_state(at, resource, &mut into)?;
        }
        return Ok(into.finish());
    }
    if document.value("modules").is_some() {
        let version = document.number("version").unwrap_or(0);
        return Err(format!("a state of version {version}; only version 4 is read. Use `terraform show -json`"));
    }
    let state = match document.object("priorstate")? {
        Some(prior) => prior.object("values")?,
        None => document.object("values")?,
    };
    let is_plan = ["plannedvalues", "resourcechanges"].iter().any(|name| document.value(name).is_some());
    match state.map(|values| values.object("rootmodule")).transpose()?.flatten() {
        Some(root) => of_module(at, &root, 0, &mut into)?,
        None if is_plan => {
            let text = "a plan without a prior state: what is still to be made has no keys yet";
            into.found.note(NoteKind::LeftOut, at.file, at.line, text);
        }
        None if is_empty_state(&document) => {
            into.found.note(NoteKind::LeftOut, at.file, at.line, "a state of Terraform without resources");
        }
        None => return Err(damaged.to_owned()),
    }
    if is_plan {
        let text = "a plan: the state that it starts from was read, not what it would change";
        into.found.note(NoteKind::Reading, at.file, at.line, text);
    }
    Ok(into.finish())
}

/// Whether a document is what Terraform shows of a state without resources.
fn is_empty_state(document: &Members<'_>) -> bool {
    let known = ["formatversion", "terraformversion", "values", "checks"];
    document.value("formatversion").is_some() && document.names().all(|(name, _)| known.contains(&name))
}

/// What is wrong with a member that must be a list.
fn damaged(list: &str) -> String {
    format!("not the JSON that Terraform writes: `{list}` is no list")
}

fn of_module(at: At<'_>, module: &Members<'_>, depth: usize, into: &mut Reading) -> Result<(), String> {
    if depth > DEEPEST {
        return Err(format!("modules stand in each other more than {DEEPEST} deep"));
    }
    for resource in module.list_or_nothing("resources").ok_or(damaged("resources"))? {
        let Some(members) = Members::of(resource.get())? else { continue };
        let of_type = members.filled("type").unwrap_or_default();
        if !is_of_kms(&of_type) {
            continue;
        }
        let address = members.filled("address").unwrap_or_default();
        let is_managed = members.filled("mode").as_deref() != Some("data");
        let of = Resource { of_type: &of_type, address: &address, is_managed };
        add(at, of, resource, members.value("values"), into)?;
    }
    for inner in module.list_or_nothing("childmodules").ok_or(damaged("child_modules"))? {
        if let Some(inner) = Members::of(inner.get())? {
            of_module(at, &inner, depth + 1, into)?;
        }
    }
    Ok(())
}

fn of_state(at: At<'_>, resource: &RawValue, into: &mut Reading) -> Result<(), String> {
    let Some(members) = Members::of(resource.get())? else { return Ok(()) };
    let of_type = members.filled("type").unwrap_or_default();
    if !is_of_kms(&of_type) {
        return Ok(());
    }
    let part = |name: &str| members.filled(name).unwrap_or_default();
    let module = if part("module").is_empty() { String::new() } else { format!("{}.", part("module")) };
    let data = if part("mode") == "data" { "data." } else { "" };
    for instance in members.list_or_nothing("instances").ok_or(damaged("instances"))? {
        let Some(instance) = Members::of(instance.get())? else { continue };
        if instance.filled("deposed").is_some() {
            into.found.leave_out("deposed instance(s)", at.line_of(resource.get()));
            continue;
        }
        let index = match instance.value("indexkey").map(|index| index.get()) {
            None | Some("null") => String::new(),
            Some(index) => format!("[{index}]"),
        };
        let address = format!("{module}{data}{of_type}.{}{index}", part("name"));
        let of = Resource { of_type: &of_type, address: &address, is_managed: data.is_empty() };
        add(at, of, resource, instance.value("attributes"), into)?;
    }
    Ok(())
}

fn is_of_kms(of_type: &str) -> bool {
    of_type.starts_with("alicloud_kms_")
}

/// A resource, or what a data source has found.
struct Resource<'a> {
    of_type: &'a str,
    address: &'a str,
    is_managed: bool,
}

fn add(
    at: At<'_>,
    resource: Resource<'_>,
    whole: &RawValue,
    value: Option<&RawValue>,
    into: &mut Reading,
) -> Result<(), String> {
    let attributes = value.map(|value| Members::of(value.get())).transpose()?.flatten();
    let (Some(value), Some(attributes)) = (value, attributes) else {
        let reason = format!("{} has no attributes; refresh the state with the provider", resource.address);
        into.found.reject(at.place_of(whole.get()), reason);
        return Ok(());
    };
    let line = at.line_of(value.get());
    let found = &mut into.found;
    let mut each = |list: &str, read: fn(u64, &str, &Members<'_>) -> Made| -> Result<(), String> {
        for value in attributes.list_or_nothing(list).ok_or(damaged(list))? {
            if let Some(members) = Members::of(value.get())? {
                found.rows.push(read(at.line_of(value.get()), value.get(), &members));
            }
        }
        Ok(())
    };
    match resource.of_type {
        "alicloud_kms_key" => {
            let mut made = key(line, value.get(), &attributes);
            made.say(Field::TerraformAddress, Some(resource.address));
            found.rows.push(made);
        }
        "alicloud_kms_alias" => found.rows.push(alias(line, value.get(), &attributes)),
        "alicloud_kms_key_version" if resource.is_managed => {
            into.further.push(found.rows.len());
            found.rows.push(version(line, value.get(), &attributes));
        }
        "alicloud_kms_key_version" => found.rows.push(version(line, value.get(), &attributes)),
        "alicloud_kms_keys" => {
            each("keys", key)?;
            // Without `enable_details`, or as it was in older versions of the provider, there are ids only.
            let ids = attributes.list_or_nothing("ids").ok_or(damaged("ids"))?;
            let known: BTreeSet<String> =
                found.rows.iter().filter_map(|made| made.said(Field::KeyId).map(str::to_owned)).collect();
            for id in ids {
                if let Ok(key_id) = serde_json::from_str::<String>(id.get())
                    && !known.contains(&key_id)
                {
                    let mut made = Made::new(RecordKind::Terraform, at.line_of(id.get()), id.get());
                    made.say(Field::KeyId, Some(key_id));
                    found.rows.push(made);
                }
            }
        }
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
