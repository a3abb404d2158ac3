//! What operations are for, and what they may change, by their names: also of those that nobody knows.

use super::operations::{ORDINARY, known_word, named, resembles_forbidden};

/// Operations that use the material of a key (KMS API 2016-01-20, "Cryptographic operations").
const USES_MATERIAL: &[&str] = &[
    "asymmetricdecrypt",
    "asymmetricencrypt",
    "asymmetricsign",
    "asymmetricverify",
    "decrypt",
    "encrypt",
    "generatedatakey",
    "generatedatakeywithoutplaintext",
    "generatemac",
    "getmanageddatakey",
    "getpublickey",
    "verifymac",
];

/// How operations begin that manage something.
const MANAGES: &[&str] = &[
    "add", "attach", "bind", "cancel", "check", "connect", "count", "create", "delete", "describe", "detach",
    "disable", "enable", "get", "import", "list", "modify", "open", "put", "query", "release", "remove", "restore",
    "rotate", "schedule", "set", "start", "stop", "tag", "unbind", "untag", "update", "upgrade", "upload", "validate",
];

/// What an operation is for, as far as that is known by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// It uses the material of a key.
    Material,
    /// It manages keys or other things, or tells of them: in which language and from where it is called does not matter.
    Managing,
    /// Nobody knows. It may use the material of a key.
    Unknown,
}

/// What an operation is for.
pub fn use_of(operation: &str) -> Use {
    let word = known_word(operation);
    if resembles_forbidden(operation) {
        return if named(&word).is_some() { Use::Material } else { Use::Unknown };
    }
    if USES_MATERIAL.contains(&&*word) {
        return Use::Material;
    }
    if ORDINARY.contains(&&*word) {
        return Use::Managing;
    }
    // Many at once are what one is. What an instance is for is no use of a key.
    let one = word.strip_prefix("batch").unwrap_or(&word);
    let tells = TELLS.iter().any(|verb| one.starts_with(verb)) || one.starts_with("get") && one.ends_with("info");
    let manages = MANAGES.iter().any(|verb| begins_with_verb(operation, one, verb)) || one.contains("instance");
    if tells || manages && !may_use_material(one) { Use::Managing } else { Use::Unknown }
}

/// How operations begin that tell of something or label it, whatever that is.
const TELLS: &[&str] = &["describe", "list", "tag", "untag"];

/// What stands in names of operations that use the material of keys.
const OF_MATERIAL: &[&str] = &[
    "ciphertext",
    "crypt",
    "datakey",
    "encryptionkey",
    "encipher",
    "envelope",
    "plaintext",
    "sharedsecret",
    "signature",
];

/// Whether the name of an operation that begins like one that manages may be one that uses the material of a key.
fn may_use_material(word: &str) -> bool {
    OF_MATERIAL.iter().any(|part| word.contains(part)) || word.ends_with("mac") || word.ends_with("sign")
}

/// Whether a word begins with that verb, and not with a longer one, as far as its letters tell: `SettleX` begins with no `set`.
fn begins_with_verb(operation: &str, word: &str, verb: &str) -> bool {
    let Some(rest) = word.strip_prefix(verb) else { return false };
    // What was written ends with the word, in its own letters.
    let written = operation.trim().as_bytes();
    let first = written.len().checked_sub(rest.len()).and_then(|at| written.get(at));
    let has_capitals = written.iter().skip(1).any(u8::is_ascii_uppercase) && written.iter().any(u8::is_ascii_lowercase);
    !has_capitals || first.is_none_or(|byte| !byte.is_ascii_lowercase())
}

/// What an operation that nobody knows may change of a key, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MayChange {
    /// It may get another version.
    Versions,
    /// Its material may be imported.
    Material,
    /// It may begin to rotate.
    Rotation,
}

/// What an operation may change that is like one which changes a key, as `CreateKeyVersionV2`; nothing for those that are
/// known, or only tell of something.
pub fn may_change(operation: &str) -> Option<MayChange> {
    let word = known_word(operation);
    let has = |parts: &[&str]| parts.iter().any(|part| word.contains(part));
    let one = word.strip_prefix("batch").unwrap_or(&word);
    let is_read = |verb: &&str| one.starts_with(verb);
    if ORDINARY.contains(&&*word) || has(&["secret", "certificate", "clientkey"]) {
        return None;
    }
    if has(&["parametersforimport"]) {
        return Some(MayChange::Material);
    }
    if TELLS.iter().chain(&["get", "query", "count", "check", "disable"]).any(is_read) {
        return None;
    }
    match () {
        () if has(&["keymaterial", "importkey"]) && !has(&["rotatekey"]) => Some(MayChange::Material),
        () if has(&["keyversion", "rotatekey"]) => Some(MayChange::Versions),
        () if has(&["rotation"]) => Some(MayChange::Rotation),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_that_use_the_material_are_told_from_those_that_manage() {
        for (names, expected) in [
            (
                &[
                    "Decrypt",
                    "GenerateDataKey",
                    "ReEncrypt",
                    "ExportDataKey",
                    "AsymmetricSign",
                    "kms:De-Crypt",
                    "GetPublicKey",
                ][..],
                Use::Material,
            ),
            (
                &[
                    "DescribeKey",
                    "ListKeys",
                    "TagResource",
                    "GenerateRandom",
                    "GetSecretValue",
                    "DescribeNewThing",
                    "DescribeEncryptionSettings",
                    "GetEncryptionInfo",
                    "CheckKey",
                    "checkkey",
                ],
                Use::Managing,
            ),
            (
                &[
                    "BatchDescribeKey",
                    "UpgradeKmsInstanceImage",
                    "StartImageUpgradeTask",
                    "kms:GetKeyInfo",
                    "ValidateKey",
                ],
                Use::Managing,
            ),
            (
                &[
                    "AdvanceEncrypt",
                    "DryRunDecrypt",
                    "BatchDecrypt",
                    "GetPlainDataKey",
                    "ReEncryptV2",
                    "BatchReEncrypt",
                    "DecryptInInstance",
                    "CheckMac",
                    "CounterSign",
                    "SettleX",
                    "GetSharedSecret",
                    "",
                ],
                Use::Unknown,
            ),
        ] {
            names.iter().for_each(|name| assert_eq!(use_of(name), expected, "{name}"));
        }
        assert!(USES_MATERIAL.iter().all(|name| ORDINARY.contains(name)));
    }

    #[test]
    fn what_changes_a_key_by_its_name_is_told_from_what_only_tells() {
        for (names, expected) in [
            (
                &["RotateKey", "RotateKeyMaterial", "CreateKeyVersionV2", "SetPrimaryKeyVersion"][..],
                Some(MayChange::Versions),
            ),
            (
                &["ImportKey", "BatchImportKeyMaterial", "DeleteKeyMaterialV2", "GetParametersForImportV2"],
                Some(MayChange::Material),
            ),
            (&["EnableKeyRotation", "SetRotationPolicy", "UpdateRotationPolicies"], Some(MayChange::Rotation)),
            (
                &[
                    "CreateKeyVersion",
                    "ListKeyVersionsV2",
                    "GetKeyRotationStatus",
                    "DisableKeyRotation",
                    "RotateSecret",
                    "Encrypt",
                    "",
                ],
                None,
            ),
        ] {
            names.iter().for_each(|name| assert_eq!(may_change(name), expected, "{name}"));
        }
    }
}
