//! Live reads of a ServiceNow instance through its Table API: release, one plugin row, three properties.
//!
//! [`read`] asks one instance two questions and gives back plain data; what is not visible stays unknown and is noted,
//! as a hidden row looks like an absent one. Nothing is ever written to an instance, and nothing here judges.
//!
//! [`instance`] is the address, [`credentials`] what the environment holds for it, `call` one read of one table, `table`
//! the rows of its answer.

mod call;
pub mod credentials;
pub mod error;
pub mod instance;
mod table;
#[cfg(test)]
mod tests;

pub use credentials::Credentials;
pub use error::LiveError;
pub use instance::Instance;

use call::{Caller, Patience, Question};
use table::{Found, Row};

/// Properties that are read with value and time.
pub const PROPERTIES: [&str; 3] =
    ["glide.ekms.ia.non_bagheera_support", "glide_encryption.auto_key_exchange.enabled", REKEYED];

/// The property that shows whether encryption with an exchanged key succeeded.
pub const REKEYED: &str = "protected.script.values.kmf.rekeyed";

/// The property with the name of the release.
pub const BUILD_NAME: &str = "glide.buildname";

/// The property with the name of the package, which holds the patch.
pub const WAR: &str = "glide.war";

/// The plugin for keys that are held outside the instance.
pub const PLUGIN: &str = "com.glide.encryption.external_kms";

/// What one instance showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// [`Instance::name`].
    pub instance: String,
    /// The value of [`BUILD_NAME`], if it is visible and not empty.
    pub release: Option<String>,
    /// The value of [`WAR`], if it is visible and not empty.
    pub war: Option<String>,
    /// What is known about [`PLUGIN`].
    pub plugin: Plugin,
    /// Those of [`PROPERTIES`] that are visible, in their order.
    pub properties: Vec<Property>,
    /// What is not known, and why, in English; one sentence each.
    pub notes: Vec<String>,
}

/// What is known about a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plugin {
    /// Its row says that it is active.
    Active,
    /// Its row says that it is not active.
    Inactive,
    /// No row was seen that says so: absent or hidden, and so unknown.
    NotSeen,
}

/// A property that is visible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property {
    /// One of [`PROPERTIES`].
    pub name: &'static str,
    /// The value as it was sent, also if it is empty; whoever shows it makes it safe.
    pub value: String,
    /// `sys_updated_on` as it was sent, in UTC, such as `2026-11-21 09:15:00`.
    pub updated_on: Option<String>,
}

/// Reads one instance, with two calls that change nothing.
///
/// Must not be called from a thread that already runs asynchronous tasks.
///
/// # Errors
/// The instance cannot be reached, refuses the credentials, or does not answer with rows. A plugin row that may not be
/// read is a note.
pub fn read(instance: &Instance, credentials: &Credentials) -> Result<Reading, LiveError> {
    read_with(instance, credentials, Patience::default())
}

fn read_with(instance: &Instance, credentials: &Credentials, patience: Patience) -> Result<Reading, LiveError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| LiveError::Start { reason: error.to_string() })?;
    let caller = Caller::new(instance, credentials, patience)?;
    let reading = runtime.block_on(both_questions(&caller, instance));
    // Does not wait for a resolver that still looks for a name after the time was up.
    runtime.shutdown_background();
    reading
}

async fn both_questions(caller: &Caller<'_>, instance: &Instance) -> Result<Reading, LiveError> {
    let mut notes = Vec::new();
    let rows = caller.rows(properties_question(&conditions())).await?;
    let seen = seen_properties(&rows, &mut notes);
    let plugin = match caller.rows(plugin_question(&format!("source={PLUGIN}"))).await {
        Ok(rows) => seen_plugin(&rows, &mut notes),
        Err(refused @ (LiveError::Forbidden { .. } | LiveError::NotFound { .. })) => {
            notes.push(format!("sys_plugins: whether {PLUGIN} is active is not known: {refused}"));
            Plugin::NotSeen
        }
        Err(error) => return Err(error),
    };
    let Seen { release, war, properties } = seen;
    Ok(Reading { instance: instance.name().to_owned(), release, war, plugin, properties, notes })
}

/// The names of all properties that are asked for.
fn asked() -> Vec<&'static str> {
    [BUILD_NAME, WAR].into_iter().chain(PROPERTIES).collect()
}

fn conditions() -> String {
    let conditions: Vec<String> = asked().iter().map(|name| format!("name={name}")).collect();
    conditions.join("^OR")
}

/// More rows than names are let through, so that a query that was not understood shows itself.
fn properties_question(query: &str) -> Question<'_> {
    Question { table: "sys_properties", query, fields: "name,value,sys_updated_on", limit: 20 }
}

fn plugin_question(query: &str) -> Question<'_> {
    Question { table: "sys_plugins", query, fields: "source,name,active", limit: 5 }
}

struct Seen {
    release: Option<String>,
    war: Option<String>,
    properties: Vec<Property>,
}

fn seen_properties(rows: &[Row], notes: &mut Vec<String>) -> Seen {
    note_strangers("sys_properties", table::not_asked_for(rows, "name", &asked()), notes);
    let release = seen_property(rows, BUILD_NAME, notes).map(|property| property.value);
    let war = seen_property(rows, WAR, notes).map(|property| property.value);
    let properties = PROPERTIES.iter().filter_map(|name| seen_property(rows, name, notes)).collect();
    let filled = |value: &String| !value.trim().is_empty();
    Seen { release: release.filter(filled), war: war.filter(filled), properties }
}

/// An instance leaves out the part of a query that it does not understand, and then sends more rows.
fn note_strangers(table: &str, strangers: usize, notes: &mut Vec<String>) {
    if strangers > 0 {
        notes.push(format!(
            "{table}: {strangers} row(s) that were not asked for were ignored; the instance may not have understood the \
             query, so that what is missing may still be there"
        ));
    }
}

fn seen_property(rows: &[Row], name: &'static str, notes: &mut Vec<String>) -> Option<Property> {
    let row = seen_row(rows, ("sys_properties", "name"), name, notes)?;
    let Some(value) = table::text(row, "value") else {
        notes.push(format!(
            "sys_properties: the value of {name} is not visible, or no text: it may be hidden by an ACL"
        ));
        return None;
    };
    let updated_on = table::text(row, "sys_updated_on").filter(|time| !time.is_empty());
    Some(Property { name, value, updated_on })
}

/// The only row with a name, in a table and the column of its names.
fn seen_row<'r>(
    rows: &'r [Row],
    (table, column): (&str, &str),
    name: &str,
    notes: &mut Vec<String>,
) -> Option<&'r Row> {
    let why = match table::find(rows, column, name) {
        Found::One(row) => return Some(row),
        Found::No => "is not visible: absent, or hidden by an ACL",
        Found::Several => "came more than once, so that its value is not known",
    };
    notes.push(format!("{table}: {name} {why}"));
    None
}

fn seen_plugin(rows: &[Row], notes: &mut Vec<String>) -> Plugin {
    note_strangers("sys_plugins", table::not_asked_for(rows, "source", &[PLUGIN]), notes);
    let Some(row) = seen_row(rows, ("sys_plugins", "source"), PLUGIN, notes) else {
        return Plugin::NotSeen;
    };
    // Instances were seen with either pair of words.
    match table::text(row, "active").unwrap_or_default().to_ascii_lowercase().as_str() {
        "active" | "true" => Plugin::Active,
        "inactive" | "false" => Plugin::Inactive,
        _ => {
            notes.push(format!(
                "sys_plugins: whether {PLUGIN} is active is not visible, or in words that are not known"
            ));
            Plugin::NotSeen
        }
    }
}
