//! What can be known about a request for key exchange between two ServiceNow instances.
//!
//! The *source* is the instance whose keys are wanted, the *target* the one that gets them and from which requests are
//! initiated.

use crate::domains::spec::{one, presume, set, settle, settle_inferred};
use crate::engine::facts::{FactSpec, StandsFor, Text};

crate::facts! {
    FREQUENCY = 0, REKEY = 1, AUTO_SOURCE = 2, AUTO_TARGET = 3, AUTOMATIC_TOO = 4, INITIATED_FROM = 5,
    PEER_SYS_ID = 6, PEER_HOST = 7, SPECIFICATIONS = 8, SOURCE_KEYS = 9, TARGET_KEYS = 10, ACTIVE_KEYS = 11,
    SOURCE_ROLE = 12, TARGET_ROLE = 13, SOURCE_HEALTH = 14, TARGET_HEALTH = 15, EXTERNAL_WRAPPING = 16, REKEYED = 17,
    RECORDS = 18,
}

/// Exchange Frequency of the form.
pub const FREQUENCIES: &[&str] = &["adhoc", "one-time-clone", "recurring-clone"];
/// Colours of the KMF Health page.
pub const HEALTHS: &[&str] = &["green", "gray", "yellow", "red"];
/// What is known of a field of the form that names the other instance.
pub const PEERS: &[&str] = &["given", "missing", "malformed", "wrong-side"];
/// What the source has of the crypto specifications, taken together.
pub const KEYS_OF_SOURCE: &[&str] = &["key", "no-key", "no-module", "not-found", "not-enrolled"];
/// What the target has of the crypto specifications, taken together.
pub const KEYS_OF_TARGET: &[&str] = &["key", "no-key", "no-module"];
/// What `protected.script.values.kmf.rekeyed` shows; `young` is less than a day old.
pub const REKEYED_VALUES: &[&str] = &["absent", "true", "false-young", "false-old"];

const PROPERTY_HINT: (&str, &str) = (
    "Value of glide_encryption.auto_key_exchange.enabled in sys_properties; the base value is true, and a row that is not visible is unknown",
    "sys_properties 中 glide_encryption.auto_key_exchange.enabled 的值；基础值为 true，看不到的行视为未知",
);
const ROLE_HINT: (&str, &str) = (
    "Whether the person holds sn_kmf.cryptographic_manager there (granted by a KMF admin; log in again afterwards)",
    "该人员在该实例上是否拥有 sn_kmf.cryptographic_manager（由 KMF 管理员授予；授予后请重新登录）",
);
const HEALTH_HINT: (&str, &str) =
    ("Worst colour under Key Management > Diagnostics", "Key Management > Diagnostics 中最差的颜色");

/// Every fact of the domain, in the order of the constants above.
pub static FACTS: [FactSpec; 19] = [
    one(
        "frequency",
        Text::of("Exchange Frequency", "交换频率"),
        FREQUENCIES,
        None,
        settle("frequency", "", "adhoc, one-time-clone or recurring-clone", "adhoc、one-time-clone 或 recurring-clone"),
    ),
    one(
        "rekey",
        Text::of("Enable Rekeying after Key Imported", "导入密钥后启用重新加密"),
        &["no", "yes"],
        None,
        settle("rekey", "", "yes or no", "yes 或 no"),
    ),
    one(
        "auto_key_exchange_source",
        Text::of(
            "glide_encryption.auto_key_exchange.enabled on the source",
            "源实例的 glide_encryption.auto_key_exchange.enabled",
        ),
        &["false", "true"],
        None,
        settle("auto_key_exchange_source", "", PROPERTY_HINT.0, PROPERTY_HINT.1),
    ),
    one(
        "auto_key_exchange_target",
        Text::of(
            "glide_encryption.auto_key_exchange.enabled on the target",
            "目标实例的 glide_encryption.auto_key_exchange.enabled",
        ),
        &["false", "true"],
        None,
        settle("auto_key_exchange_target", "", PROPERTY_HINT.0, PROPERTY_HINT.1),
    ),
    one(
        "automatic_exchange",
        Text::of("automatic exchange of all keys at the clone", "克隆时自动交换全部密钥"),
        &["no", "yes"],
        presume(
            "no",
            StandsFor::NothingInTheWay,
            "Confirm whether automatic key exchange is on at the source: it then sends all keys at the clone, and the request is redundant",
            "请确认源实例是否开启自动密钥交换：开启时克隆会自动发送全部密钥，本请求即为多余",
        ),
        settle("auto_key_exchange_source", "", PROPERTY_HINT.0, PROPERTY_HINT.1),
    ),
    one(
        "initiated_from",
        Text::of("where the request is initiated", "在何处发起请求"),
        &["source", "target"],
        presume(
            "target",
            StandsFor::Itself,
            "Confirm that the request is initiated from the target instance",
            "请确认请求由目标实例发起",
        ),
        settle(
            "initiated_from",
            "",
            "source or target; requests are initiated from the target",
            "source 或 target；请求由目标实例发起",
        ),
    ),
    one(
        "peer_sys_id",
        Text::of("Instance sys_id of the form", "表单中的实例 sys_id"),
        PEERS,
        presume(
            "given",
            StandsFor::Itself,
            "Fill in the sys_id of the other instance (stats.do shows it): the source's for Adhoc, the target's for clones",
            "请填写对方实例的 sys_id（stats.do 可查看）：Adhoc 填源实例，克隆填目标实例",
        ),
        settle(
            "peer_sys_id",
            "",
            "stats.do in the application navigator of that instance",
            "在该实例的应用导航器中输入 stats.do",
        ),
    ),
    one(
        "peer_host",
        Text::of("Instance Host of the form", "表单中的实例主机"),
        PEERS,
        presume(
            "given",
            StandsFor::Itself,
            "Fill in the host of the other instance, such as instanceA.service-now.com",
            "请填写对方实例的主机名，例如 instanceA.service-now.com",
        ),
        settle_inferred(
            "peer_host",
            "",
            ("A bare host name, such as instanceA.service-now.com", "仅主机名，例如 instanceA.service-now.com"),
            ("the host is not spelled like the name of the instance that is meant", "该主机名与所指实例的名称不一致"),
        ),
    ),
    one(
        "specifications",
        Text::of("Crypto Specifications", "加密规范"),
        &["listed", "none"],
        None,
        settle(
            "crypto_specifications",
            "",
            "Names of the crypto specifications whose keys are wanted",
            "需要交换密钥的加密规范名称",
        ),
    ),
    set(
        "source_keys",
        Text::of("modules and keys on the source", "源实例的模块与密钥"),
        KEYS_OF_SOURCE,
        None,
        settle(
            "source_module, source_key",
            "",
            "For each specification: is there a crypto module on the source, with a key",
            "逐个规范确认：源实例是否有加密模块及密钥",
        ),
    ),
    set(
        "target_keys",
        Text::of("modules and keys on the target", "目标实例的模块与密钥"),
        KEYS_OF_TARGET,
        None,
        settle(
            "target_module, target_key",
            "",
            "For each specification: is there a crypto module on the target, with a key",
            "逐个规范确认：目标实例是否有加密模块及密钥",
        ),
    ),
    set(
        "active_keys",
        Text::of("active keys on the target", "目标实例的活动密钥"),
        &["active", "not-active"],
        None,
        settle(
            "target_active_key",
            "",
            "For each specification: is a key on the target Active",
            "逐个规范确认：目标实例上是否有状态为 Active 的密钥",
        ),
    ),
    one(
        "source_role",
        Text::of("sn_kmf.cryptographic_manager on the source", "源实例上的 sn_kmf.cryptographic_manager"),
        &["held", "missing"],
        presume(
            "held",
            StandsFor::Itself,
            "Confirm that whoever approves holds sn_kmf.cryptographic_manager on the source",
            "请确认审批人在源实例上拥有 sn_kmf.cryptographic_manager",
        ),
        settle("source_roles", "", ROLE_HINT.0, ROLE_HINT.1),
    ),
    one(
        "target_role",
        Text::of("sn_kmf.cryptographic_manager on the target", "目标实例上的 sn_kmf.cryptographic_manager"),
        &["held", "missing"],
        presume(
            "held",
            StandsFor::Itself,
            "Confirm that whoever files the request holds sn_kmf.cryptographic_manager on the target",
            "请确认提交人在目标实例上拥有 sn_kmf.cryptographic_manager",
        ),
        settle("target_roles", "", ROLE_HINT.0, ROLE_HINT.1),
    ),
    one(
        "source_health",
        Text::of("KMF Health of the source", "源实例的 KMF 健康状态"),
        HEALTHS,
        presume(
            "green",
            StandsFor::NothingInTheWay,
            "Confirm that nothing is red under Key Management > Diagnostics of the source",
            "请确认源实例的 Key Management > Diagnostics 没有红色项",
        ),
        settle("source_health", "", HEALTH_HINT.0, HEALTH_HINT.1),
    ),
    one(
        "target_health",
        Text::of("KMF Health of the target", "目标实例的 KMF 健康状态"),
        HEALTHS,
        presume(
            "green",
            StandsFor::NothingInTheWay,
            "Confirm that nothing is red under Key Management > Diagnostics of the target",
            "请确认目标实例的 Key Management > Diagnostics 没有红色项",
        ),
        settle("target_health", "", HEALTH_HINT.0, HEALTH_HINT.1),
    ),
    one(
        "external_wrapping",
        Text::of("EKMS in use on either side", "任一侧是否使用 EKMS"),
        &["no", "yes"],
        presume(
            "no",
            StandsFor::Itself,
            "Confirm that no crypto module of either instance is wrapped externally (EKMS)",
            "请确认两侧实例均没有由外部密钥封装的加密模块（EKMS）",
        ),
        settle(
            "external_wrapping",
            "",
            "Check box External wrap key of the crypto modules",
            "加密模块的 External wrap key 复选框",
        ),
    ),
    one(
        "rekeyed",
        Text::of(
            "protected.script.values.kmf.rekeyed after the exchange",
            "交换后的 protected.script.values.kmf.rekeyed",
        ),
        REKEYED_VALUES,
        None,
        settle(
            "rekeyed, rekeyed_updated_on",
            "",
            "Value and sys_updated_on of protected.script.values.kmf.rekeyed in sys_properties of the target",
            "目标实例 sys_properties 中 protected.script.values.kmf.rekeyed 的值与 sys_updated_on",
        ),
    ),
    one(
        "records",
        Text::of("records of the request", "该请求的记录"),
        &["complete"],
        None,
        settle(
            "",
            "",
            "records of this request disagree, or one was rejected: mend them, and judge again",
            "该请求的记录相互矛盾或被拒绝：请更正后重新判定",
        ),
    ),
];
