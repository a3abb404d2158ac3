//! What can be known about a pair of ServiceNow instances that one is to be copied onto the other.
//!
//! The postures form a chain: EKMS in use means configured, configured means that the plugin is present, and that
//! means that the release supports it. *In use* is read as "at least one crypto module is wrapped externally",
//! *configured* as "a configuration record exists and no module is wrapped externally": the document defines neither
//! word. An `older` release has no EKMS; on a release that supports it, `absent` is without the plugin, `unconfigured`
//! without a configuration record.

use crate::domains::spec::{one, set, settle, settle_inferred};
use crate::engine::facts::{FactSpec, Text};

crate::facts! {
    SOURCE_POSTURE = 0, TARGET_POSTURE = 1, SOURCE_WRAPPING = 2, TARGET_WRAPPING = 3, SOURCE_KEY_STATUS = 4,
    TARGET_KEY_STATUS = 5, SOURCE_ARCHITECTURE = 6, TARGET_ARCHITECTURE = 7, SOURCE_LEGACY_SUPPORT = 8,
    TARGET_LEGACY_SUPPORT = 9, CONFIG_RELATION = 10, WRAPPING_RELATION = 11, OPERATION = 12, SOURCE_AWS_KEY = 13,
    TARGET_AWS_KEY = 14, SOURCE_KEY_FLAWS = 15, TARGET_KEY_FLAWS = 16, SOURCE_STATUS_AGE = 17, TARGET_STATUS_AGE = 18,
    CONTRADICTION = 19, RECORDS = 20,
}

/// How far an instance has come with EKMS, from not at all to in use.
pub const POSTURES: &[&str] = &["older", "absent", "unconfigured", "configured", "in_use"];
/// Who wraps the keys of an instance's crypto modules: ServiceNow, the AWS KMS key, or each some.
pub const WRAPPINGS: &[&str] = &["internal", "external", "mixed"];
/// External Key Status; `ACTIVE` is what the EKMS configuration shows as Active or Enabled.
pub const STATUSES: &[&str] = &["ACTIVE", "disabled", "pending_deletion", "unavailable", "deleted", "other_not_active"];
/// Key management architectures.
pub const ARCHITECTURES: &[&str] = &["current", "legacy"];
/// How two EKMS configurations relate.
pub const RELATIONS: &[&str] = &["matching", "compatible", "different", "incompatible"];
/// How the wrapping of two instances relates.
pub const WRAPPING_RELATIONS: &[&str] = &["same", "internal-to-external", "other-difference"];
/// Instance automation operations.
pub const OPERATIONS: &[&str] = &["clone", "backup-restore", "copy", "move", "toggle"];
/// What `aws kms describe-key` shows: the key's state, or why it shows none. That nobody asked is known, and no gap.
pub const AWS_KEYS: &[&str] =
    &["Enabled", "Disabled", "PendingDeletion", "not-found", "unreachable", "no-answer", "other", "not-asked"];
/// What makes a key unfit for EKMS, or its configuration contradict itself.
pub const FLAWS: &[&str] = &["none", "multi-region", "not-symmetric", "region-differs"];

/// Statements about a pair that cannot hold together.
pub const CONTRADICTIONS: &[&str] = &[
    "none",
    "wrapping-against-posture",
    "relation-against-wrapping",
    "status-without-configuration",
    "relation-without-configuration",
];

const DESCRIBE_SOURCE: &str = "aws kms describe-key --region {source_key_region} --key-id {source_key_arn}";
const DESCRIBE_TARGET: &str = "aws kms describe-key --region {target_key_region} --key-id {target_key_arn}";

const POSTURE_HINT: (&str, &str) = (
    "Say how far the instance has come: older (release without EKMS), absent (plugin com.glide.encryption.external_kms not installed), unconfigured (no record under EKMS Configurations), configured (a record, no crypto module externally wrapped) or in_use",
    "请注明实例状态：older（版本不支持 EKMS）、absent（未安装插件 com.glide.encryption.external_kms）、unconfigured（EKMS Configurations 下无记录）、configured（有记录但无加密模块使用外部封装）或 in_use",
);
const WRAPPING_HINT: (&str, &str) = (
    "Check box External wrap key of every crypto module: none ticked is internal, all are external, else mixed",
    "查看每个加密模块的 External wrap key 复选框：全部未勾选为 internal，全部勾选为 external，否则为 mixed",
);
const WRAPPING_INFERENCE: (&str, &str) = (
    "without a configuration, or with one that no crypto module uses, all wrapping is internal",
    "没有配置，或没有加密模块使用该配置时，封装均为 internal",
);
const STATUS_HINT: (&str, &str) = (
    "External Key Status on the record under All > System Security > Field Encryption > EKMS Configurations",
    "All > System Security > Field Encryption > EKMS Configurations 记录中的 External Key Status",
);
const STATUS_INFERENCE: (&str, &str) = (
    "from what AWS answers for the key; the document asks for the status on the EKMS configuration, which follows with the next EKMS Health Check",
    "由 AWS 对该密钥的答复得出；文档要求的是 EKMS 配置上的状态，该状态在下一次 EKMS 健康检查后才更新",
);
const ARCHITECTURE_HINT: (&str, &str) = (
    "No public page tells how to read it off an instance: ask ServiceNow Support, or state it once with --assume",
    "没有公开文档说明如何在实例上查看：请咨询 ServiceNow 支持，或用 --assume 一次性声明",
);
const PROPERTY_HINT: (&str, &str) = (
    "Value of glide.ekms.ia.non_bagheera_support under System Properties > All Properties; an unset property counts as false",
    "System Properties > All Properties 中 glide.ekms.ia.non_bagheera_support 的值；未设置视为 false",
);

/// Every fact of the domain, in the order of the constants above.
pub static FACTS: [FactSpec; 21] = [
    one(
        "source_posture",
        Text::of("EKMS on the source", "源实例的 EKMS 状态"),
        POSTURES,
        None,
        settle("source_posture", "", POSTURE_HINT.0, POSTURE_HINT.1),
    ),
    one(
        "target_posture",
        Text::of("EKMS on the target", "目标实例的 EKMS 状态"),
        POSTURES,
        None,
        settle("target_posture", "", POSTURE_HINT.0, POSTURE_HINT.1),
    ),
    one(
        "source_wrapping",
        Text::of("key wrapping on the source", "源实例的密钥封装"),
        WRAPPINGS,
        None,
        settle_inferred("source_wrapping", "", WRAPPING_HINT, WRAPPING_INFERENCE),
    ),
    one(
        "target_wrapping",
        Text::of("key wrapping on the target", "目标实例的密钥封装"),
        WRAPPINGS,
        None,
        settle_inferred("target_wrapping", "", WRAPPING_HINT, WRAPPING_INFERENCE),
    ),
    one(
        "source_key_status",
        Text::of("External Key Status on the source", "源实例的外部密钥状态"),
        STATUSES,
        None,
        settle_inferred("source_key_status", DESCRIBE_SOURCE, STATUS_HINT, STATUS_INFERENCE),
    ),
    one(
        "target_key_status",
        Text::of("External Key Status on the target", "目标实例的外部密钥状态"),
        STATUSES,
        None,
        settle_inferred("target_key_status", DESCRIBE_TARGET, STATUS_HINT, STATUS_INFERENCE),
    ),
    one(
        "source_architecture",
        Text::of("key management architecture of the source", "源实例的密钥管理架构"),
        ARCHITECTURES,
        None,
        settle("source_architecture", "", ARCHITECTURE_HINT.0, ARCHITECTURE_HINT.1),
    ),
    one(
        "target_architecture",
        Text::of("key management architecture of the target", "目标实例的密钥管理架构"),
        ARCHITECTURES,
        None,
        settle("target_architecture", "", ARCHITECTURE_HINT.0, ARCHITECTURE_HINT.1),
    ),
    one(
        "source_legacy_support",
        Text::of("glide.ekms.ia.non_bagheera_support on the source", "源实例的 glide.ekms.ia.non_bagheera_support"),
        &["false", "true"],
        None,
        settle("source_non_bagheera_support", "", PROPERTY_HINT.0, PROPERTY_HINT.1),
    ),
    one(
        "target_legacy_support",
        Text::of("glide.ekms.ia.non_bagheera_support on the target", "目标实例的 glide.ekms.ia.non_bagheera_support"),
        &["false", "true"],
        None,
        settle("target_non_bagheera_support", "", PROPERTY_HINT.0, PROPERTY_HINT.1),
    ),
    one(
        "config_relation",
        Text::of("relation of the two EKMS configurations", "两个 EKMS 配置的关系"),
        RELATIONS,
        None,
        settle_inferred(
            "config_relation, source_key_arn, target_key_arn",
            "",
            (
                "Give the external key ARN of both sides, or say whether the configurations are matching, compatible, different or incompatible",
                "请提供两侧外部密钥的 ARN，或注明两个配置为 matching、compatible、different 或 incompatible",
            ),
            (
                "both configurations name the same key ARN and Region; whether credentials, endpoint or integration name count, the document does not say",
                "两个配置的密钥 ARN 与地域相同；凭证、端点或集成名称是否计入，文档未说明",
            ),
        ),
    ),
    one(
        "wrapping_relation",
        Text::of("relation of the key wrapping", "密钥封装的关系"),
        WRAPPING_RELATIONS,
        None,
        settle_inferred("wrapping_relation, source_wrapping, target_wrapping", "", WRAPPING_HINT, WRAPPING_INFERENCE),
    ),
    one(
        "operation",
        Text::of("instance automation operation", "实例自动化操作"),
        OPERATIONS,
        None,
        settle(
            "operation",
            "",
            "clone, backup-restore, copy, move or toggle",
            "clone、backup-restore、copy、move 或 toggle",
        ),
    ),
    one(
        "source_aws_key",
        Text::of("state of the source's key in AWS KMS", "源实例密钥在 AWS KMS 中的状态"),
        AWS_KEYS,
        None,
        settle("source_aws_key_state", DESCRIBE_SOURCE, "KeyState of the key in AWS KMS", "AWS KMS 中密钥的 KeyState"),
    ),
    one(
        "target_aws_key",
        Text::of("state of the target's key in AWS KMS", "目标实例密钥在 AWS KMS 中的状态"),
        AWS_KEYS,
        None,
        settle("target_aws_key_state", DESCRIBE_TARGET, "KeyState of the key in AWS KMS", "AWS KMS 中密钥的 KeyState"),
    ),
    set(
        "source_key_flaws",
        Text::of("flaws of the source's key", "源实例密钥的缺陷"),
        FLAWS,
        None,
        settle(
            "source_key_arn, source_key_region",
            DESCRIBE_SOURCE,
            "MultiRegion and KeySpec of the key",
            "密钥的 MultiRegion 与 KeySpec",
        ),
    ),
    set(
        "target_key_flaws",
        Text::of("flaws of the target's key", "目标实例密钥的缺陷"),
        FLAWS,
        None,
        settle(
            "target_key_arn, target_key_region",
            DESCRIBE_TARGET,
            "MultiRegion and KeySpec of the key",
            "密钥的 MultiRegion 与 KeySpec",
        ),
    ),
    one(
        "source_status_age",
        Text::of("age of the source's key status", "源实例密钥状态的时效"),
        &["recent", "stale"],
        None,
        settle("source_key_status_seen", "", "When the status was seen", "查看该状态的时间"),
    ),
    one(
        "target_status_age",
        Text::of("age of the target's key status", "目标实例密钥状态的时效"),
        &["recent", "stale"],
        None,
        settle("target_key_status_seen", "", "When the status was seen", "查看该状态的时间"),
    ),
    set(
        "contradiction",
        Text::of("statements that cannot hold together", "相互矛盾的陈述"),
        CONTRADICTIONS,
        None,
        settle("", "", "follows from the other facts", "由其他事实得出"),
    ),
    one(
        "records",
        Text::of("records of the pair", "该实例对的记录"),
        &["complete"],
        None,
        settle(
            "",
            "",
            "records of this pair disagree, or one was rejected: mend them, and judge again",
            "该实例对的记录相互矛盾或被拒绝：请更正后重新判定",
        ),
    ),
];
