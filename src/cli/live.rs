//! What live instances say, as records about instances: release, plugin and properties, read-only.

use crate::cases::gather::Gathered;
use crate::cases::record::{FactOf, Record};
use crate::domains::form::{FieldSpec, Form, Side};
use crate::engine::facts::Grade;
use crate::servicenow::{self, Credentials, Instance, Plugin, Property, Reading};

use super::output::say;
use super::run::Failure;

/// Reads each instance and adds what it says to the records.
///
/// # Errors
/// An instance cannot be named, reached or read; the message says why.
pub(super) fn read_instances(hosts: &[String], form: &'static Form, gathered: &mut Gathered) -> Result<(), Failure> {
    for host in hosts {
        let instance = Instance::parse(host).map_err(|error| Failure::Usage(format!("--instance: {error}")))?;
        let variable = |name: &str| std::env::var(name).ok();
        let credentials =
            Credentials::from_environment(&variable, &instance).map_err(|error| Failure::Failed(error.to_string()))?;
        let reading = servicenow::read(&instance, &credentials).map_err(|error| Failure::Failed(error.to_string()))?;
        for note in &reading.notes {
            say(&format!("note: {}: {note}", reading.instance));
        }
        gathered.read += 1;
        gathered.records.push(record(form, &reading));
    }
    Ok(())
}

fn record(form: &'static Form, reading: &Reading) -> Record {
    let at = format!("{} (Table API)", reading.instance);
    let mut record = Record { at, is_instance: true, grade: Grade::Measured, ..Record::default() };
    record.texts.push(("name", None, reading.instance.clone()));
    record.texts.push(("host", None, reading.instance.clone()));
    if let Some(release) = reading.release.as_ref().or(reading.war.as_ref()) {
        record.texts.push(("release", None, release.clone()));
    }
    match reading.plugin {
        Plugin::Active => record.texts.push(("plugin", None, "active".to_owned())),
        Plugin::Inactive => record.texts.push(("plugin", None, "inactive".to_owned())),
        Plugin::NotSeen => {}
    }
    for property in &reading.properties {
        add_property(form, &mut record, property);
    }
    record
}

/// A property is a field if the form has one of its name; the one that shows how an exchange went is kept as texts.
fn add_property(form: &'static Form, record: &mut Record, property: &Property) {
    let flag = match property.value.trim().to_lowercase().as_str() {
        "true" => "true",
        "false" => "false",
        _ => return,
    };
    if property.name == servicenow::REKEYED {
        record.texts.push(("rekeyed", None, flag.to_owned()));
        let updated = property.updated_on.as_deref().and_then(crate::cases::value::moment);
        if let Some(updated) = updated {
            record.texts.push(("rekeyed_updated_on", None, updated.to_string()));
        }
        return;
    }
    let found: Option<(&FieldSpec, _)> = form.field(property.name);
    if let Some((field, _)) = found
        && let Some(fact) = field.of.fact(Some(Side::Source))
    {
        let bits = form.domain.facts[fact.index()].value(flag).unwrap_or(0);
        record.facts.push((field.name, None, FactOf { of: field.of, bits }));
        record.texts.push((field.name, None, flag.to_owned()));
    }
}
