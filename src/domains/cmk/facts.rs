//! What can be known about a key in Alibaba Cloud KMS.
//!
//! Value names are the cloud's own where it has one (KMS API 2016-01-20, `DescribeKey`).

use crate::domains::spec::{evidence, one, presume, set, settle, settle_inferred};
use crate::engine::facts::{FactSpec, StandsFor, Text};

crate::facts! {
    RESOURCE = 0, INSTANCE = 1, ALIASES = 2, MANAGER_TYPE = 3, KEY_MANAGER = 4, ORIGIN = 5, ROTATION = 6,
    VERSIONS = 7, USAGE = 8, OPERATIONS = 9, LANGUAGES = 10, NETWORK = 11, APPLICATION_USE = 12, STATE = 13,
    KEY_SPEC = 14, KEY_USAGE = 15, PROTECTION_LEVEL = 16, RECORDS = 17, VERSION_EVIDENCE = 18, SERVICE_USE = 19,
    KEY_ID_FORM = 20, SOURCES = 21, ROTATION_EVIDENCE = 22,
}

/// The bit of "several" in the fact `versions`.
pub const SEVERAL_VERSIONS: u32 = 1 << 1;
/// The operations that block the migration.
pub const FORBIDDEN_OPERATIONS: u32 = 0b111 << 2;

/// The bits of the symmetric specs in the fact `key_spec`.
pub const SYMMETRIC: u32 = (1 << 5) - 1;

/// The bits of the fact `key_id_form`.
pub const ID_UUID: u32 = 1;
/// `key-…`.
pub const ID_NEWER: u32 = 1 << 1;
/// A part is masked.
pub const ID_MASKED: u32 = 1 << 2;
/// None of these.
pub const ID_OTHER: u32 = 1 << 3;

/// The bits of the fact `version_evidence`: the dates of creation and last rotation are the same.
pub const NOT_ROTATED: u32 = 1;
/// The last rotation came after the creation.
pub const ROTATED: u32 = 1 << 1;
/// A list that may be part of another names one version.
pub const ONE_VERSION_LISTED: u32 = 1 << 2;

/// The bits of the fact `rotation` that say that a rotation policy is set.
pub const ROTATES: u32 = 1 << 1 | 1 << 2;

/// The bit of the fact `rotation_evidence`: the next rotation has a date that lies ahead.
pub const ROTATION_AHEAD: u32 = 1;

/// The bit of "an alias of a service" in the fact `aliases`; the next two are its neighbours.
pub const ALIAS_OF_SERVICE: u32 = 1 << 1;
/// An alias that only resembles one.
pub const ALIAS_LOOK_ALIKE: u32 = 1 << 2;
/// Any other alias.
pub const ALIAS_OF_USER: u32 = 1 << 3;

const DESCRIBE: &str = "aliyun kms DescribeKey --region {region} --KeyId {key_id}";
const VERSIONS_COMMAND: &str = "aliyun kms ListKeyVersions --region {region} --KeyId {key_id}";
const ALIASES_COMMAND: &str = "aliyun kms ListAliasesByKeyId --region {region} --KeyId {key_id}";
/// Why what an audit log shows is no more than inferred.
const BY_LOG: (&str, &str) =
    ("seen in the audit log, which leaves open whether there is more", "见于操作审计日志，但日志未能排除其他可能");
const EVENTS: &str = "aliyun actiontrail LookupEvents --region {region} --LookupAttribute.1.Key ServiceName --LookupAttribute.1.Value Kms";

/// Every fact of the domain, in the order of the constants above.
pub static FACTS: [FactSpec; 23] = [
    one(
        "resource",
        Text::of("kind of resource", "资源类型"),
        &["key", "secret", "certificate", "private-ca", "dedicated-kms", "application"],
        None,
        settle(
            "resource",
            "",
            "Say what the record describes: key, secret, certificate, …",
            "请注明该记录的资源类型：密钥、凭据、证书等",
        ),
    ),
    one(
        "instance",
        Text::of("KMS instance", "KMS 实例"),
        &["default", "dedicated"],
        presume(
            "default",
            StandsFor::Itself,
            "Confirm that the key is in the default KMS instance, not in a dedicated one",
            "请确认该密钥位于默认 KMS 实例，而非专属实例",
        ),
        settle(
            "instance",
            DESCRIBE,
            "DKMSInstanceId is empty for a key in the default instance",
            "默认实例中的密钥，其 DKMSInstanceId 为空",
        ),
    ),
    set(
        "aliases",
        Text::of("aliases", "别名"),
        &["none", "service", "look-alike", "user"],
        None,
        settle_inferred(
            "aliases",
            ALIASES_COMMAND,
            ("List the key's aliases", "列出该密钥的别名"),
            (
                "a list of the aliases of the account and region, which does not say whether it is complete, names none of this key",
                "账号与地域的别名列表未注明是否完整，其中没有该密钥的别名",
            ),
        ),
    ),
    one(
        "manager_type",
        Text::of("KeyManagerType", "密钥管理类型"),
        &["service", "customer"],
        None,
        settle(
            "manager_type",
            "",
            "Console of the new version, Instances, tab Default Key Management, column KeyManagerType",
            "新版控制台：实例管理，默认密钥管理页签，KeyManagerType 列",
        ),
    ),
    one(
        "key_manager",
        Text::of("who manages the key", "密钥由谁管理"),
        &["service", "customer"],
        None,
        settle_inferred(
            "aliases, manager_type",
            ALIASES_COMMAND,
            (
                "An alias of the exact form alias/acs/<service> makes it a service key; alias and KeyManagerType must agree",
                "别名严格为 alias/acs/<云服务> 即为服务密钥；别名与 KeyManagerType 必须一致",
            ),
            (
                "a list of the aliases of the account and region, which does not say whether it is complete, names none of this key",
                "账号与地域的别名列表未注明是否完整，其中没有该密钥的别名",
            ),
        ),
    ),
    one(
        "origin",
        Text::of("key material origin", "密钥材料来源"),
        &["Aliyun_KMS", "EXTERNAL"],
        None,
        settle_inferred(
            "origin",
            DESCRIBE,
            ("Origin: Aliyun_KMS or EXTERNAL", "Origin：Aliyun_KMS 或 EXTERNAL"),
            (
                "an audit log leaves open whether this is the key whose material was imported",
                "操作审计日志未能排除该密钥的密钥材料为外部导入",
            ),
        ),
    ),
    one(
        "rotation",
        Text::of("automatic rotation", "自动轮转"),
        &["Disabled", "Enabled", "Suspended"],
        None,
        settle_inferred(
            "rotation",
            DESCRIBE,
            ("AutomaticRotation: Enabled, Disabled or Suspended", "AutomaticRotation：Enabled、Disabled 或 Suspended"),
            (
                "an audit log leaves open whether the key was made to rotate after the inventory was made",
                "操作审计日志未能排除该密钥在清单生成之后开启了轮转",
            ),
        ),
    ),
    one(
        "versions",
        Text::of("key versions", "密钥版本"),
        &["one", "several"],
        None,
        settle_inferred(
            "versions",
            VERSIONS_COMMAND,
            ("TotalCount is the number of key versions", "TotalCount 即密钥版本数"),
            (
                "keys with imported material and service keys have one version; or an audit log leaves open whether this is the key that got another",
                "外部材料密钥与服务密钥只有一个版本；或操作审计日志未能排除该密钥新增了版本",
            ),
        ),
    ),
    set(
        "usage",
        Text::of("who uses the key", "密钥使用方"),
        &["none", "server-side", "self-managed"],
        None,
        settle_inferred(
            "usage",
            EVENTS,
            (
                "Say who uses the key: server-side (cloud services), self-managed (your applications), both or none",
                "请注明使用方：server-side（云服务）、self-managed（自有应用）、both 或 none",
            ),
            BY_LOG,
        ),
    ),
    set(
        "operations",
        Text::of("API operations used", "使用的 API"),
        &["none", "ordinary", "ReEncrypt", "ExportDataKey", "GenerateAndExportDataKey"],
        presume(
            "ordinary",
            StandsFor::NothingInTheWay,
            "Confirm that no application uses ReEncrypt, ExportDataKey or GenerateAndExportDataKey with the key",
            "请确认没有应用对该密钥使用 ReEncrypt、ExportDataKey 或 GenerateAndExportDataKey",
        ),
        settle_inferred(
            "operations",
            EVENTS,
            ("eventName of the key's events in ActionTrail", "操作审计中该密钥事件的 eventName"),
            BY_LOG,
        ),
    ),
    set(
        "languages",
        Text::of("application languages", "应用开发语言"),
        &[
            "none",
            "Java",
            "Go",
            "Python",
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
            "support-agreed",
        ],
        presume(
            "Java",
            StandsFor::NothingInTheWay,
            "Confirm that every application that uses the key is written in Java, Go or Python",
            "请确认使用该密钥的所有应用均以 Java、Go 或 Python 开发",
        ),
        settle_inferred(
            "languages",
            EVENTS,
            (
                "userAgent of the key's events in ActionTrail names the SDK's language",
                "操作审计事件的 userAgent 含有 SDK 语言",
            ),
            BY_LOG,
        ),
    ),
    set(
        "network",
        Text::of("network location of the applications", "应用所在网络"),
        &["none", "vpc", "classic", "internet", "data-centre", "other-cloud", "outside-vpc", "support-agreed"],
        presume(
            "vpc",
            StandsFor::NothingInTheWay,
            "Confirm that every application that uses the key runs in an Alibaba Cloud VPC",
            "请确认使用该密钥的所有应用均部署在阿里云 VPC 中",
        ),
        settle_inferred(
            "network",
            EVENTS,
            ("vpcId and sourceIpAddress of the key's events in ActionTrail", "操作审计事件的 vpcId 与 sourceIpAddress"),
            BY_LOG,
        ),
    ),
    one(
        "application_use",
        Text::of("use by your own applications", "自有应用是否使用"),
        &["no", "yes"],
        presume(
            "no",
            StandsFor::NothingInTheWay,
            "Confirm who uses the key: no application of your own may be in the way",
            "请确认密钥的使用方：不得有妨碍迁移的自有应用",
        ),
        settle_inferred(
            "usage, operations, languages",
            EVENTS,
            (
                "Say who uses the key, or list operations and languages (none if there are none)",
                "请注明使用方，或列出 API 与语言（没有则写 none）",
            ),
            (
                "the usage names no application, yet a language, operations or a place outside the VPCs are listed, or the audit log leaves open whether an application calls",
                "使用方未提及应用，却列出了开发语言、API 或 VPC 之外的位置，或操作审计日志未能排除应用调用",
            ),
        ),
    ),
    one(
        "state",
        Text::of("key state", "密钥状态"),
        &["Enabled", "Disabled", "PendingDeletion", "PendingImport"],
        None,
        settle("state", DESCRIBE, "KeyState", "KeyState"),
    ),
    one(
        "key_spec",
        Text::of("key spec", "密钥规格"),
        &[
            "Aliyun_AES_256",
            "Aliyun_AES_192",
            "Aliyun_AES_128",
            "Aliyun_SM4",
            "Aliyun_DES3_192",
            "RSA_2048",
            "RSA_3072",
            "RSA_4096",
            "EC_P256",
            "EC_P256K",
            "EC_SM2",
        ],
        None,
        settle("key_spec", DESCRIBE, "KeySpec", "KeySpec"),
    ),
    one(
        "key_usage",
        Text::of("key usage", "密钥用途"),
        &["ENCRYPT/DECRYPT", "SIGN/VERIFY", "GENERATE/VERIFY_MAC"],
        None,
        settle("key_usage", DESCRIBE, "KeyUsage", "KeyUsage"),
    ),
    one(
        "protection_level",
        Text::of("protection level", "保护级别"),
        &["SOFTWARE", "HSM"],
        None,
        settle("protection_level", DESCRIBE, "ProtectionLevel", "ProtectionLevel"),
    ),
    one(
        "records",
        Text::of("records of the key", "该密钥的记录"),
        &["complete"],
        None,
        settle(
            "",
            "",
            "a record that is or may be about this key cannot be used, and nobody knows what it would have said: mend it (--rejects names its place, a note the keys whose ids are masked or stand under several accounts)",
            "一条属于或可能属于该密钥的记录无法使用，其内容未知：请更正该记录（--rejects 会列出位置；密钥 ID 被遮盖或属于多个账号时见提示）",
        ),
    ),
    evidence(
        "version_evidence",
        Text::of("what suggests the number of versions", "版本数的线索"),
        &["not-rotated-since-creation", "rotated-since-creation", "one-version-listed"],
        settle(
            "last_rotation, created",
            DESCRIBE,
            "CreationDate and LastRotationDate",
            "CreationDate 与 LastRotationDate",
        ),
    ),
    one(
        "service_use",
        Text::of("use by a cloud service that was seen", "已发现的云服务使用"),
        &["not-seen", "seen"],
        None,
        settle(
            "service_use",
            "",
            "Findings of a scanner name the resources that a key encrypts",
            "扫描结果会列出使用该密钥的资源",
        ),
    ),
    one(
        "key_id_form",
        Text::of("form of the key id", "密钥 ID 的形式"),
        &["uuid", "key", "masked", "other"],
        None,
        settle(
            "key_id",
            "",
            "UUIDs are older keys, key-… newer ones; **** masks a part",
            "UUID 为较早的密钥，key-… 为较新的密钥；**** 表示部分被遮盖",
        ),
    ),
    evidence(
        "sources",
        Text::of("where the records come from", "记录的来源"),
        &[
            "ListKeys",
            "DescribeKey",
            "ListKeyVersions",
            "ListAliases",
            "ListResourceTags",
            "Terraform",
            "ScoutSuite",
            "Prowler",
            "CloudConfig",
            "ResourceCenter",
        ],
        settle("", "", "Found by the shape of the records", "由记录的形式识别"),
    ),
    evidence(
        "rotation_evidence",
        Text::of("what suggests that the key rotates", "轮转的线索"),
        &["next-rotation-ahead"],
        settle("next_rotation", DESCRIBE, "NextRotationDate", "NextRotationDate"),
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_name_the_facts_and_values_that_they_stand_for() {
        let named = [
            (RESOURCE, "resource"),
            (INSTANCE, "instance"),
            (ALIASES, "aliases"),
            (MANAGER_TYPE, "manager_type"),
            (KEY_MANAGER, "key_manager"),
            (ORIGIN, "origin"),
            (ROTATION, "rotation"),
            (VERSIONS, "versions"),
            (USAGE, "usage"),
            (OPERATIONS, "operations"),
            (LANGUAGES, "languages"),
            (NETWORK, "network"),
            (APPLICATION_USE, "application_use"),
            (STATE, "state"),
            (KEY_SPEC, "key_spec"),
            (KEY_USAGE, "key_usage"),
            (PROTECTION_LEVEL, "protection_level"),
            (RECORDS, "records"),
            (VERSION_EVIDENCE, "version_evidence"),
            (SERVICE_USE, "service_use"),
            (KEY_ID_FORM, "key_id_form"),
            (SOURCES, "sources"),
            (ROTATION_EVIDENCE, "rotation_evidence"),
        ];
        assert_eq!(named.len(), FACTS.len());
        for (fact, name) in named {
            assert_eq!(FACTS[fact.index()].name, name);
        }
        let form = &FACTS[KEY_ID_FORM.index()];
        for (name, bit) in [("uuid", ID_UUID), ("key", ID_NEWER), ("masked", ID_MASKED), ("other", ID_OTHER)] {
            assert_eq!(form.value(name), Some(bit));
        }
        assert_eq!(FACTS[VERSIONS.index()].value("several"), Some(SEVERAL_VERSIONS));
        let forbidden = ["ReEncrypt", "ExportDataKey", "GenerateAndExportDataKey"];
        let bits = forbidden.map(|name| FACTS[OPERATIONS.index()].value(name).unwrap());
        assert_eq!(bits.iter().fold(0, |all, bit| all | bit), FORBIDDEN_OPERATIONS);
        let symmetric = FACTS[KEY_SPEC.index()].show(SYMMETRIC);
        assert_eq!(symmetric, "Aliyun_AES_256, Aliyun_AES_192, Aliyun_AES_128, Aliyun_SM4, Aliyun_DES3_192");
        let evidence = &FACTS[VERSION_EVIDENCE.index()];
        for (name, bit) in [
            ("not-rotated-since-creation", NOT_ROTATED),
            ("rotated-since-creation", ROTATED),
            ("one-version-listed", ONE_VERSION_LISTED),
        ] {
            assert_eq!(evidence.value(name), Some(bit));
        }
        let rotation = &FACTS[ROTATION.index()];
        assert_eq!(rotation.show(ROTATES), "Enabled, Suspended");
        assert_eq!(FACTS[ROTATION_EVIDENCE.index()].value("next-rotation-ahead"), Some(ROTATION_AHEAD));
        let aliases = &FACTS[ALIASES.index()];
        let bits = [("service", ALIAS_OF_SERVICE), ("look-alike", ALIAS_LOOK_ALIKE), ("user", ALIAS_OF_USER)];
        for (name, bit) in bits {
            assert_eq!(aliases.value(name), Some(bit));
        }
    }
}
