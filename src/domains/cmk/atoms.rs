//! The yes/no statements about a key in Alibaba Cloud KMS that cards may use.

use std::borrow::Cow::Borrowed;

use crate::engine::facts::AtomSpec;

const fn atom(name: &'static str, fact: &'static str, any_of: &'static [&'static str], doc: &'static str) -> AtomSpec {
    AtomSpec { name: Borrowed(name), doc: Borrowed(doc), fact: Borrowed(fact), any_of: Borrowed(any_of) }
}

/// Every atom of the domain.
pub static ATOMS: [AtomSpec; 40] = [
    atom("is-key", "resource", &["key"], "The record describes a key."),
    atom("is-secret", "resource", &["secret"], "The record describes a secret of the old Secrets page."),
    atom("is-certificate", "resource", &["certificate"], "The record describes a certificate."),
    atom("is-private-ca", "resource", &["private-ca"], "The record describes a private CA certificate."),
    atom("is-dedicated-kms", "resource", &["dedicated-kms"], "The record describes a dedicated KMS instance."),
    atom(
        "is-application-access-point",
        "resource",
        &["application"],
        "The record describes an application access point (AAP).",
    ),
    atom("in-default-instance", "instance", &["default"], "The key is in the default KMS instance."),
    atom("in-dedicated-instance", "instance", &["dedicated"], "The key is in a dedicated KMS instance."),
    atom("has-alias", "aliases", &["service", "look-alike", "user"], "The key has an alias."),
    atom(
        "alias-looks-like-service",
        "aliases",
        &["look-alike"],
        "An alias resembles alias/acs/<service> without having its exact form.",
    ),
    atom("service-managed", "key_manager", &["service"], "A cloud service created and manages the key."),
    atom("customer-managed", "key_manager", &["customer"], "The key is a customer master key (CMK)."),
    atom("kms-material", "origin", &["Aliyun_KMS"], "KMS generated the key material."),
    atom("external-material", "origin", &["EXTERNAL"], "The key material was imported (BYOK)."),
    atom(
        "rotation-on",
        "rotation",
        &["Enabled", "Suspended"],
        "A rotation policy is set: automatic rotation is enabled, or suspended while the key is not enabled.",
    ),
    atom("rotation-off", "rotation", &["Disabled"], "Automatic rotation is disabled."),
    atom("rotation-suspended", "rotation", &["Suspended"], "The rotation policy is on, but the key is not enabled."),
    atom("single-version", "versions", &["one"], "The key has exactly one version."),
    atom("several-versions", "versions", &["several"], "The key has more than one version."),
    atom(
        "used-by-cloud-service",
        "usage",
        &["server-side"],
        "A cloud service uses the key for server-side encryption.",
    ),
    atom("used-by-own-application", "usage", &["self-managed"], "An application of the owner uses the key."),
    atom("unused", "usage", &["none"], "Nobody uses the key."),
    atom(
        "applications-use-key",
        "application_use",
        &["yes"],
        "Applications of the owner use the key, so that the application conditions bind.",
    ),
    atom(
        "uses-forbidden-operation",
        "operations",
        &["ReEncrypt", "ExportDataKey", "GenerateAndExportDataKey"],
        "An application calls ReEncrypt, ExportDataKey or GenerateAndExportDataKey.",
    ),
    atom("uses-reencrypt", "operations", &["ReEncrypt"], "An application calls ReEncrypt."),
    atom("uses-export-data-key", "operations", &["ExportDataKey"], "An application calls ExportDataKey."),
    atom(
        "uses-generate-and-export-data-key",
        "operations",
        &["GenerateAndExportDataKey"],
        "An application calls GenerateAndExportDataKey.",
    ),
    atom(
        "uses-unsupported-language",
        "languages",
        &[
            "Node.js",
            "TypeScript",
            "PHP",
            ".NET",
            "C",
            "C++",
            "Rust",
            "Ruby",
            "Kotlin",
            "Scala",
            "Swift",
            "Objective-C",
            "Perl",
            "Lua",
            "Erlang",
            "Dart",
            "R",
            "shell",
            "other",
        ],
        "An application is written in a language other than Java, Go and Python.",
    ),
    atom(
        "uses-supported-language",
        "languages",
        &["Java", "Go", "Python"],
        "An application is written in Java, Go or Python.",
    ),
    atom(
        "outside-alibaba-cloud",
        "network",
        &["data-centre", "other-cloud"],
        "An application runs outside Alibaba Cloud.",
    ),
    atom(
        "outside-vpc",
        "network",
        &["classic", "internet"],
        "An application calls KMS from the classic network or over the public internet.",
    ),
    atom("state-disabled", "state", &["Disabled"], "The key is disabled."),
    atom("pending-deletion", "state", &["PendingDeletion"], "The key is scheduled for deletion."),
    atom("pending-import", "state", &["PendingImport"], "The key waits for its material to be imported."),
    atom(
        "spec-needs-hardware-instance",
        "key_spec",
        &["Aliyun_AES_192", "Aliyun_AES_128", "Aliyun_SM4", "RSA_4096", "EC_SM2"],
        "Only a hardware key management instance offers the key spec.",
    ),
    atom("spec-of-no-instance", "key_spec", &["Aliyun_DES3_192"], "No current instance type lists the key spec."),
    atom(
        "asymmetric-key",
        "key_spec",
        &["RSA_2048", "RSA_3072", "RSA_4096", "EC_P256", "EC_P256K", "EC_SM2"],
        "The key is asymmetric.",
    ),
    atom("signing-key", "key_usage", &["SIGN/VERIFY"], "The key signs and verifies."),
    atom("hsm-protected", "protection_level", &["HSM"], "The protection level is HSM."),
    atom("software-protected", "protection_level", &["SOFTWARE"], "The protection level is SOFTWARE."),
];
