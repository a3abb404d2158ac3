//! The canonical fields of a key inventory, and the spellings under which people bring them.

use std::collections::HashMap;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization as _;

use crate::engine::facts::FactId;

use super::facts;

/// A canonical field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is explained by its line in FIELDS")]
pub enum Field {
    KeyId,
    Arn,
    AccountId,
    Region,
    Aliases,
    Resource,
    Instance,
    ManagerType,
    Origin,
    Rotation,
    RotationInterval,
    NextRotation,
    Versions,
    Usage,
    Operations,
    Languages,
    Network,
    Services,
    Applications,
    Owner,
    State,
    KeySpec,
    KeyUsage,
    ProtectionLevel,
    Created,
    Description,
    Tags,
    LastRotation,
    PrimaryVersion,
    KeyVersionId,
    KeyType,
    Creator,
    TerraformAddress,
    ServiceUse,
    MultipleVersions,
    InVpc,
    MigrationWindow,
}

/// What is known of a canonical field.
#[derive(Debug)]
pub struct FieldSpec {
    /// The field.
    pub field: Field,
    /// Its canonical name.
    pub name: &'static str,
    /// The fact that it supplies, if any.
    pub fact: Option<FactId>,
    /// Further spellings, without case, blanks, `-` and `_`.
    pub spellings: &'static [&'static str],
}

const fn field(
    field: Field,
    name: &'static str,
    fact: Option<FactId>,
    spellings: &'static [&'static str],
) -> FieldSpec {
    FieldSpec { field, name, fact, spellings }
}

/// How many canonical fields there are.
pub const FIELD_COUNT: usize = 37;

/// Every canonical field, in the order of [`Field`].
pub static FIELDS: [FieldSpec; FIELD_COUNT] = [
    field(
        Field::KeyId,
        "key_id",
        None,
        &[
            "id",
            "key",
            "keyids",
            "cmk",
            "cmkid",
            "masterkey",
            "masterkeyid",
            "kmskeyid",
            "keyiduuid",
            "密钥id",
            "密钥idkeyid",
            "主密钥id",
            "主密钥idcmk",
            "用户主密钥id",
            "密钥标识",
        ],
    ),
    field(Field::Arn, "arn", None, &["keyarn", "cmkarn", "resourcearn"]),
    field(
        Field::AccountId,
        "account_id",
        None,
        &["account", "accountuid", "uid", "aliuid", "aliyunuid", "账号", "账号id"],
    ),
    field(Field::Region, "region", None, &["regionid", "acsregion", "地域", "区域"]),
    field(
        Field::Aliases,
        "aliases",
        Some(facts::ALIASES),
        &["alias", "aliasname", "aliasnames", "keyalias", "keyaliases", "别名", "密钥别名"],
    ),
    field(Field::Resource, "resource", Some(facts::RESOURCE), &["resourcetype", "资源类型"]),
    field(
        Field::Instance,
        "instance",
        Some(facts::INSTANCE),
        &[
            "instanceid",
            "kmsinstance",
            "kmsinstanceid",
            "dkmsinstance",
            "dkmsinstanceid",
            "kms实例",
            "实例id",
            "所属实例",
            "所属kms实例",
        ],
    ),
    field(
        Field::ManagerType,
        "manager_type",
        Some(facts::MANAGER_TYPE),
        &["keymanagertype", "keymanager", "managedby", "creatortype"],
    ),
    field(
        Field::Origin,
        "origin",
        Some(facts::ORIGIN),
        &[
            "materialorigin",
            "keymaterialorigin",
            "material",
            "keymaterial",
            "materialsource",
            "keymaterialsource",
            "keyorigin",
            "密钥材料来源",
            "材料来源",
        ],
    ),
    field(
        Field::Rotation,
        "rotation",
        Some(facts::ROTATION),
        &[
            "automaticrotation",
            "autorotation",
            "autorotate",
            "rotationenabled",
            "rotationstatus",
            "rotationstate",
            "rotationpolicy",
            "enableautomaticrotation",
            "isautomaticrotation",
            "自动轮转",
            "是否自动轮转",
            "轮转",
            "是否轮转",
            "轮转状态",
            "轮转策略",
            "自动轮转状态",
            "密钥轮转",
        ],
    ),
    field(
        Field::RotationInterval,
        "rotation_interval",
        None,
        &["rotationperiod", "轮转周期", "自动轮转周期", "轮转间隔"],
    ),
    field(
        Field::NextRotation,
        "next_rotation",
        None,
        &["nextrotationdate", "nextrotationtime", "nextrotationat", "下次轮转时间", "下次轮转日期", "下次轮转"],
    ),
    field(
        Field::Versions,
        "versions",
        Some(facts::VERSIONS),
        &[
            "versioncount",
            "versionscount",
            "keyversions",
            "keyversioncount",
            "numberofversions",
            "numversions",
            "nversions",
            "版本数",
            "密钥版本数",
            "版本",
            "密钥版本",
        ],
    ),
    field(Field::Usage, "usage", Some(facts::USAGE), &["usedby", "usedfor", "usagetype", "使用方"]),
    field(
        Field::Operations,
        "operations",
        Some(facts::OPERATIONS),
        &[
            "operation",
            "apioperations",
            "apioperation",
            "apiusage",
            "apis",
            "api",
            "apisused",
            "apicalls",
            "usedapis",
            "operationsused",
            "kmsoperations",
            "cryptographicoperations",
            "usedoperations",
            "operationsapi",
            "actions",
            "kmsactions",
            "apiactions",
            "api列表",
            "接口列表",
            "api操作",
            "接口",
            "api接口",
            "使用接口",
            "使用的接口",
            "调用接口",
            "调用的接口",
            "使用api",
            "使用的api",
            "调用api",
            "调用的api",
        ],
    ),
    field(
        Field::Languages,
        "languages",
        Some(facts::LANGUAGES),
        &[
            "language",
            "lang",
            "langs",
            "applicationlanguage",
            "applicationlanguages",
            "applanguage",
            "applanguages",
            "programminglanguage",
            "programminglanguages",
            "applicationdevelopmentprogramminglanguage",
            "applicationdevelopmentprogramminglanguages",
            "sdk",
            "sdks",
            "sdklanguage",
            "开发语言",
            "编程语言",
            "应用语言",
            "应用开发语言",
            "语言",
        ],
    ),
    field(
        Field::Network,
        "network",
        Some(facts::NETWORK),
        &[
            "networks",
            "networklocation",
            "networklocationofanapplication",
            "networklocationofapplication",
            "networklocationofapplications",
            "networktype",
            "applicationnetwork",
            "deployedon",
            "networkenvironment",
            "networkenv",
            "deploymentenvironment",
            "deploymentlocation",
            "部署位置",
            "部署环境",
            "网络",
            "网络环境",
            "网络位置",
            "应用网络",
        ],
    ),
    field(Field::Services, "services", None, &["service", "cloudservice", "cloudservices", "云服务"]),
    field(
        Field::Applications,
        "applications",
        None,
        &["application", "app", "apps", "applicationname", "appname", "应用", "应用名称", "业务", "业务系统"],
    ),
    field(Field::Owner, "owner", None, &["team", "keyowner", "负责人", "责任人"]),
    field(Field::State, "state", Some(facts::STATE), &["keystate", "status", "keystatus", "状态", "密钥状态"]),
    field(
        Field::KeySpec,
        "key_spec",
        Some(facts::KEY_SPEC),
        &["spec", "keyspecification", "keyspecifications", "密钥规格"],
    ),
    field(Field::KeyUsage, "key_usage", Some(facts::KEY_USAGE), &["purpose", "keypurpose", "密钥用途"]),
    field(Field::ProtectionLevel, "protection_level", Some(facts::PROTECTION_LEVEL), &["protection", "保护级别"]),
    field(
        Field::Created,
        "created",
        None,
        &["createdat", "createdon", "creation", "creationdate", "creationtime", "createtime", "createdate", "创建时间"],
    ),
    field(Field::Description, "description", None, &["desc", "keydescription", "描述", "描述信息"]),
    field(Field::Tags, "tags", None, &["tag", "labels", "标签"]),
    field(
        Field::LastRotation,
        "last_rotation",
        None,
        &[
            "lastrotationdate",
            "lastrotationtime",
            "lastrotated",
            "lastrotatedat",
            "上次轮转时间",
            "最近轮转时间",
            "上次轮转",
            "上次轮转日期",
        ],
    ),
    field(Field::PrimaryVersion, "primary_key_version", None, &["primaryversion", "primarykeyversionid", "主版本"]),
    field(Field::KeyVersionId, "key_version_id", None, &["versionid", "密钥版本id"]),
    field(Field::KeyType, "key_type", None, &["typeofkey", "密钥类型", "类型"]),
    field(Field::Creator, "creator", None, &["createdby", "创建者"]),
    field(Field::TerraformAddress, "terraform_address", None, &[]),
    field(Field::ServiceUse, "service_use", Some(facts::SERVICE_USE), &["cloudserviceuse"]),
    field(
        Field::MultipleVersions,
        "multiple_versions",
        Some(facts::VERSIONS),
        &[
            "hasmultipleversions",
            "hasseveralversions",
            "severalversions",
            "multipleversion",
            "multiversion",
            "multiversions",
            "multiplekeyversions",
            "多个密钥版本",
            "多个版本",
            "多版本",
            "是否多版本",
            "是否多个版本",
            "是否有多个密钥版本",
            "有多个密钥版本",
        ],
    ),
    field(
        Field::InVpc,
        "in_vpc",
        Some(facts::NETWORK),
        &["vpc", "vpcid", "vpcs", "isvpc", "isinvpc", "专有网络", "是否vpc", "是否在vpc", "是否在vpc内", "在vpc内"],
    ),
    field(
        Field::MigrationWindow,
        "migration_window",
        None,
        &["migrationtimewindow", "migrationwindows", "迁移时间窗口", "迁移窗口", "迁移时间窗", "迁移时间"],
    ),
];

impl Field {
    /// What is known of the field.
    pub fn spec(self) -> &'static FieldSpec {
        &FIELDS[self as usize]
    }

    /// Its canonical name.
    pub fn name(self) -> &'static str {
        self.spec().name
    }

    /// Whether a header is a name that is given to ids of many things, or to names of keys.
    pub fn is_vague_id(header: &str) -> bool {
        matches!(plain_header(header).as_str(), "id" | "key" | "keys" | "cmk" | "masterkey" | "密钥标识")
    }

    /// The field that a header names, whatever its case, blanks, `-`, `_` and `.`.
    pub fn from_header(header: &str) -> Option<Field> {
        SPELLINGS.get(plain_header(header).as_str()).copied()
    }
}

/// Every name and spelling. Hostile documents have millions of members, each of which is looked up.
static SPELLINGS: LazyLock<HashMap<String, Field>> = LazyLock::new(|| {
    let names = FIELDS.iter().flat_map(|spec| {
        let spellings = spec.spellings.iter().map(|spelling| (*spelling).to_owned());
        spellings.chain([plain_header(spec.name)]).map(|spelling| (spelling, spec.field))
    });
    names.collect()
});

/// Full-width letters and digits are the same as others, and both Chinese words for rotation are one.
fn plain_header(header: &str) -> String {
    let kept = header.nfkc().filter(|c| c.is_alphanumeric());
    let plain: String = kept.flat_map(char::to_lowercase).collect();
    if plain.contains("轮换") { plain.replace("轮换", "轮转") } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_stand_in_the_order_of_the_enum() {
        for (index, spec) in FIELDS.iter().enumerate() {
            assert_eq!(spec.field as usize, index, "{}", spec.name);
        }
    }

    #[test]
    fn no_spelling_names_two_fields() {
        let mut seen = std::collections::BTreeMap::new();
        for spec in &FIELDS {
            for spelling in spec.spellings.iter().copied().chain([plain_header(spec.name).as_str()]) {
                let before = seen.insert(spelling.to_owned(), spec.name);
                assert!(before.is_none(), "`{spelling}` names {before:?} and {}", spec.name);
            }
        }
    }

    #[test]
    fn the_card_s_names_and_obvious_spellings_are_understood() {
        for (header, field) in [
            ("alias", Field::Aliases),
            ("material origin", Field::Origin),
            ("Material-Origin", Field::Origin),
            ("rotation", Field::Rotation),
            ("Versions", Field::Versions),
            ("API usage", Field::Operations),
            ("api_usage", Field::Operations),
            ("LANGUAGE", Field::Languages),
            ("version_count", Field::Versions),
            ("api_operations", Field::Operations),
            ("key_state", Field::State),
            ("created_at", Field::Created),
            ("KeyId", Field::KeyId),
            ("DKMSInstanceId", Field::Instance),
            ("AutomaticRotation", Field::Rotation),
            ("ＫｅｙＩＤ：", Field::KeyId),
            ("密钥 ＩＤ", Field::KeyId),
            ("密钥类型", Field::KeyType),
            ("LastRotationDate", Field::LastRotation),
        ] {
            assert_eq!(Field::from_header(header), Some(field), "{header}");
        }
        assert_eq!(Field::from_header("cost centre"), None);
    }
}
