//! The fields of a key exchange request, of its crypto specifications, and of one instance.

use std::sync::LazyLock;

use super::{EXCHANGE, conclude, facts};
use crate::domains::form::{Draft, FieldSpec, Form, Of, Reads, Word, spellings};
use crate::engine::facts::Text;

/// How requests are read.
pub static REQUESTS: Form = Form {
    domain: &EXCHANGE,
    plural: "requests",
    format: "cmkdiag.exchange",
    fields: FIELDS,
    spellings: LazyLock::new(|| spellings(FIELDS)),
    identity: &["request"],
    columns: &["request", "source_name", "target_name"],
    lone_instances: "no request is; give records with frequency, rekey and crypto_specifications",
    heading: Text::of("Key exchange requests", "密钥交换请求"),
    parts: "crypto_specifications",
    title,
    conclude: conclude::conclude,
};

const TEXT_OF_SIDE: Of = Of::Side { source: None, target: None };

const fn field(name: &'static str, also: &'static [&'static str], of: Of, reads: Reads) -> FieldSpec {
    FieldSpec { name, also, of, reads }
}

/// The fields. Those of parts come first: they bear the names of sides, and belong to one crypto specification.
pub const FIELDS: &[FieldSpec] = &[
    field("source_specification", &["specification_on_source"], Of::Part, Reads::Choice(FOUND)),
    field("source_module", &["module_on_source"], Of::Part, Reads::Presence(THERE)),
    field("source_key", &["key_on_source"], Of::Part, Reads::Presence(THERE)),
    field("target_module", &["module_on_target"], Of::Part, Reads::Presence(THERE)),
    field("target_key", &["key_on_target"], Of::Part, Reads::Presence(THERE)),
    field("target_active_key", &["active_key_on_target", "active_key"], Of::Part, Reads::Presence(ACTIVE)),
    field("source_active_key", &["active_key_on_source"], Of::Part, Reads::Presence(ACTIVE)),
    field("enrolled", &["enroll_module_for_resource_exchange"], Of::Part, Reads::Choice(YES_NO)),
    field("request", &["request_id", "id", "number"], Of::Subject(None), Reads::Text(any)),
    field("frequency", &["exchange_frequency"], Of::Subject(Some(facts::FREQUENCY)), Reads::Choice(FREQUENCY)),
    field(
        "rekey",
        &["rekeying", "enable_rekeying_after_key_imported"],
        Of::Subject(Some(facts::REKEY)),
        Reads::Choice(YES_NO),
    ),
    field("initiated_from", &["initiated_on"], Of::Subject(Some(facts::INITIATED_FROM)), Reads::Choice(&[])),
    field("peer_sys_id", &["instance_sys_id"], Of::Subject(None), Reads::Text(any)),
    field("peer_host", &["instance_host"], Of::Subject(None), Reads::Text(any)),
    field("crypto_specifications", &["crypto_specification", "specifications"], Of::Subject(None), Reads::Texts),
    field(
        "external_wrapping",
        &["ekms_in_use", "ekms"],
        Of::Subject(Some(facts::EXTERNAL_WRAPPING)),
        Reads::Choice(YES_NO),
    ),
    field("rekeyed", &["protected.script.values.kmf.rekeyed"], Of::Subject(None), Reads::Choice(REKEYED)),
    field("rekeyed_updated_on", &["rekeyed_sys_updated_on"], Of::Subject(None), Reads::Time),
    field("posture", &["ekms", "ekms_posture", "ekms_state"], TEXT_OF_SIDE, Reads::Text(any)),
    field("wrapping", &["key_wrapping", "wrapping_strategy"], TEXT_OF_SIDE, Reads::Text(any)),
    field("name", &["", "instance", "instance_name"], TEXT_OF_SIDE, Reads::Text(any)),
    field("host", &[], TEXT_OF_SIDE, Reads::Text(any)),
    field("sys_id", &["instance_id"], TEXT_OF_SIDE, Reads::Text(any)),
    field(
        "auto_key_exchange",
        &["glide_encryption.auto_key_exchange.enabled", "automatic_key_exchange"],
        Of::Side { source: Some(facts::AUTO_SOURCE), target: Some(facts::AUTO_TARGET) },
        Reads::Choice(FLAG),
    ),
    field("roles", &["role"], TEXT_OF_SIDE, Reads::Texts),
    field(
        "health",
        &["kmf_health"],
        Of::Side { source: Some(facts::SOURCE_HEALTH), target: Some(facts::TARGET_HEALTH) },
        Reads::Choice(HEALTH),
    ),
];

/// Labels of the form.
const FREQUENCY: &[Word] = &[("onetime", "one-time-clone"), ("recurring", "recurring-clone")];

const YES_NO: &[Word] =
    &[("yes", "yes"), ("true", "yes"), ("ticked", "yes"), ("1", "yes"), ("no", "no"), ("false", "no"), ("0", "no")];

const FOUND: &[Word] = &[
    ("found", "found"),
    ("yes", "found"),
    ("true", "found"),
    ("notfound", "not-found"),
    ("no", "not-found"),
    ("false", "not-found"),
];

/// Whether a module or key is there. A key in any state but destroyed is (ServiceNow, "Key life cycle states").
const THERE: &[Word] = &[
    ("yes", "yes"),
    ("y", "yes"),
    ("true", "yes"),
    ("1", "yes"),
    ("present", "yes"),
    ("active", "yes"),
    ("generated", "yes"),
    ("suspended", "yes"),
    ("deactivated", "yes"),
    ("inactive", "yes"),
    ("compromised", "yes"),
    ("revoked", "yes"),
    ("no", "no"),
    ("n", "no"),
    ("false", "no"),
    ("0", "no"),
    ("off", "no"),
    ("absent", "no"),
    ("missing", "no"),
    ("nonexistent", "no"),
    ("notfound", "no"),
    ("destroyed", "no"),
    ("deleted", "no"),
];

/// Whether a key is Active: of the states of a key, only that one is (ServiceNow, "Key life cycle states").
const ACTIVE: &[Word] = &[
    ("yes", "yes"),
    ("y", "yes"),
    ("true", "yes"),
    ("1", "yes"),
    ("active", "yes"),
    ("no", "no"),
    ("n", "no"),
    ("false", "no"),
    ("0", "no"),
    ("none", "no"),
    ("absent", "no"),
    ("missing", "no"),
    ("notfound", "no"),
    ("notactive", "no"),
    ("inactive", "no"),
    ("preactive", "no"),
    ("generated", "no"),
    ("suspended", "no"),
    ("deactivated", "no"),
    ("disabled", "no"),
    ("expired", "no"),
    ("compromised", "no"),
    ("revoked", "no"),
    ("destroyed", "no"),
    ("deleted", "no"),
];

const FLAG: &[Word] =
    &[("yes", "true"), ("on", "true"), ("1", "true"), ("no", "false"), ("off", "false"), ("0", "false")];

const REKEYED: &[Word] =
    &[("true", "true"), ("yes", "true"), ("false", "false"), ("no", "false"), ("absent", "absent"), ("none", "absent")];

/// Colours and words of the KMF Health page.
const HEALTH: &[Word] =
    &[("operational", "green"), ("disabled", "gray"), ("grey", "gray"), ("degraded", "yellow"), ("malfunction", "red")];

fn any(text: &str) -> Result<String, &'static str> {
    Ok(text.to_owned())
}

fn title(draft: &Draft) -> String {
    let origin = || draft.origins.first().map_or("?", String::as_str);
    let id = draft.text("request").unwrap_or_else(origin);
    match (draft.text("source_name"), draft.text("target_name")) {
        (Some(source), Some(target)) => format!("{id}: {source} → {target}"),
        _ => id.to_owned(),
    }
}
