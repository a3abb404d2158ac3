//! The fields of a pair of instances, and of one instance of a fleet.

use std::sync::LazyLock;

use super::{EKMS, conclude, facts};
use crate::domains::form::{Draft, FieldSpec, Form, Of, Reads, Word, spellings};
use crate::engine::facts::{FactId, Text};

/// How pairs are read.
pub static PAIRS: Form = Form {
    domain: &EKMS,
    plural: "pairs",
    format: "cmkdiag.preflight",
    fields: FIELDS,
    spellings: LazyLock::new(|| spellings(FIELDS)),
    identity: &["source_name", "target_name", "operation"],
    columns: &["source_name", "target_name", "operation"],
    lone_instances: "nothing says which pairs to judge; name them with --from and --to, or give --all-pairs",
    heading: Text::of("EKMS instance automation preflight", "EKMS 实例自动化预检"),
    parts: "",
    title,
    conclude: conclude::conclude,
};

const fn side(source: FactId, target: FactId) -> Of {
    Of::Side { source: Some(source), target: Some(target) }
}

const TEXT_OF_SIDE: Of = Of::Side { source: None, target: None };

const fn field(name: &'static str, also: &'static [&'static str], of: Of, reads: Reads) -> FieldSpec {
    FieldSpec { name, also, of, reads }
}

/// The fields.
pub const FIELDS: &[FieldSpec] = &[
    field("name", &["", "instance", "instance_name"], TEXT_OF_SIDE, Reads::Text(any)),
    field("host", &[], TEXT_OF_SIDE, Reads::Text(any)),
    field("release", &["version", "family", "glide.buildname"], TEXT_OF_SIDE, Reads::Text(any)),
    field("plugin", &["com.glide.encryption.external_kms"], TEXT_OF_SIDE, Reads::Choice(PLUGIN)),
    field(
        "posture",
        &["ekms", "ekms_posture", "ekms_state"],
        side(facts::SOURCE_POSTURE, facts::TARGET_POSTURE),
        Reads::Choice(POSTURE),
    ),
    field(
        "wrapping",
        &["key_wrapping", "wrapping_strategy"],
        side(facts::SOURCE_WRAPPING, facts::TARGET_WRAPPING),
        Reads::OfModules(WRAPPING, "mixed"),
    ),
    field(
        "key_arn",
        &["external_key_identifier", "external_key_id", "external_key_arn", "arn"],
        TEXT_OF_SIDE,
        Reads::Text(key_arn),
    ),
    field("key_region", &["region"], TEXT_OF_SIDE, Reads::Text(region)),
    field(
        "key_status",
        &["external_key_status"],
        side(facts::SOURCE_KEY_STATUS, facts::TARGET_KEY_STATUS),
        Reads::Label(STATUS, "other_not_active"),
    ),
    field("key_status_seen", &["last_sync", "last_synced"], TEXT_OF_SIDE, Reads::Time),
    field(
        "architecture",
        &["key_architecture", "key_management_architecture"],
        side(facts::SOURCE_ARCHITECTURE, facts::TARGET_ARCHITECTURE),
        Reads::Choice(&[]),
    ),
    field(
        "non_bagheera_support",
        &["glide.ekms.ia.non_bagheera_support", "legacy_support"],
        side(facts::SOURCE_LEGACY_SUPPORT, facts::TARGET_LEGACY_SUPPORT),
        Reads::Choice(FLAG),
    ),
    field(
        "aws_key_state",
        &["aws_key", "key_state"],
        side(facts::SOURCE_AWS_KEY, facts::TARGET_AWS_KEY),
        Reads::Label(conclude::AWS_STATES, "other"),
    ),
    field("multi_region", &[], TEXT_OF_SIDE, Reads::Choice(FLAG)),
    field("key_spec", &[], TEXT_OF_SIDE, Reads::Text(any)),
    field("operation", &[], Of::Subject(Some(facts::OPERATION)), Reads::Choice(OPERATION)),
    field("config_relation", &[], Of::Subject(Some(facts::CONFIG_RELATION)), Reads::Choice(&[])),
    field("wrapping_relation", &[], Of::Subject(Some(facts::WRAPPING_RELATION)), Reads::Choice(WRAPPING_RELATION)),
];

/// EKMS as an instance has it. "No EKMS" is not among the words: it may mean an older release or a missing plugin.
const POSTURE: &[Word] = &[
    ("olderrelease", "older"),
    ("notinstalled", "absent"),
    ("plugininstalled", "unconfigured"),
    ("notconfigured", "unconfigured"),
    ("present", "unconfigured"),
    ("inuse", "in_use"),
    ("used", "in_use"),
];

const PLUGIN: &[Word] = &[("active", "active"), ("true", "active"), ("inactive", "inactive"), ("false", "inactive")];

const WRAPPING: &[Word] = &[("servicenow", "internal"), ("awskms", "external"), ("ekms", "external")];

/// External Key Status: the list of the product has Enabled where the compatibility page says ACTIVE.
const STATUS: &[Word] = &[("active", "ACTIVE"), ("enabled", "ACTIVE"), ("pendingdeletion", "pending_deletion")];

/// Values of a system property, and of a check box.
const FLAG: &[Word] = &[
    ("true", "true"),
    ("false", "false"),
    ("yes", "true"),
    ("on", "true"),
    ("1", "true"),
    ("no", "false"),
    ("off", "false"),
    ("0", "false"),
    ("unset", "false"),
    ("notset", "false"),
];

const OPERATION: &[Word] =
    &[("backupandrestore", "backup-restore"), ("backup", "backup-restore"), ("restore", "backup-restore")];

const WRAPPING_RELATION: &[Word] =
    &[("inttoext", "internal-to-external"), ("other", "other-difference"), ("different", "other-difference")];

fn any(text: &str) -> Result<String, &'static str> {
    Ok(text.to_owned())
}

/// The ARN of a key or alias in AWS KMS, as *External Key Identifier* holds it.
fn key_arn(text: &str) -> Result<String, &'static str> {
    let expected = "the ARN of a key in AWS KMS, such as arn:aws:kms:us-east-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [arn, partition, service, region, account, resource] = parts[..] else { return Err(expected) };
    let id = resource.strip_prefix("key/").or_else(|| resource.strip_prefix("alias/")).unwrap_or_default();
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_/".contains(&b));
    let whole = arn == "arn"
        && partition.starts_with("aws")
        && service == "kms"
        && plain(region)
        && plain(id)
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit());
    if whole { Ok(text.to_owned()) } else { Err(expected) }
}

fn region(text: &str) -> Result<String, &'static str> {
    let plain = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if plain && text.contains('-') { Ok(text.to_owned()) } else { Err("an AWS Region, such as us-east-2") }
}

fn title(draft: &Draft) -> String {
    let name = |field: &str| draft.text(field).unwrap_or("?").to_owned();
    let operation = draft.text("operation").map(|operation| format!(" ({operation})")).unwrap_or_default();
    match (draft.text("source_name"), draft.text("target_name")) {
        (None, None) => format!("{}{operation}", draft.origins.first().map_or("?", String::as_str)),
        _ => format!("{} → {}{operation}", name("source_name"), name("target_name")),
    }
}
