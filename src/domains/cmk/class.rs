//! The classes of the domain, in order of precedence, its editions and its documents.

use crate::engine::facts::Text;
use crate::rulebook::domain::{Checklist, ClassSpec, DocumentSpec, EditionSpec, Tone};

/// The classes, first wins. `undetermined` is not among them: it is the absence of a class.
pub static CLASSES: [ClassSpec; 5] = [
    ClassSpec {
        name: "not-required",
        tone: Tone::Calm,
        checklist: Checklist::Given,
        meaning: Text::of(
            "Nothing to migrate: the key is in a dedicated KMS instance",
            "无需迁移：密钥位于专属 KMS 实例",
        ),
    },
    ClassSpec {
        name: "service-key",
        tone: Tone::Calm,
        checklist: Checklist::Given,
        meaning: Text::of(
            "Nothing to migrate: a cloud service manages the key",
            "无需迁移：该密钥为云服务管理的服务密钥",
        ),
    },
    ClassSpec {
        name: "blocked",
        tone: Tone::Alarm,
        checklist: Checklist::Given,
        meaning: Text::of("Cannot be migrated as it stands; every reason is listed", "目前不能迁移；已列出全部原因"),
    },
    ClassSpec {
        name: "needs-rotation-disabled",
        tone: Tone::Warn,
        checklist: Checklist::Given,
        meaning: Text::of("Can be migrated once automatic rotation is disabled", "关闭自动轮转后即可迁移"),
    },
    ClassSpec {
        name: "migratable",
        tone: Tone::Good,
        checklist: Checklist::Given,
        meaning: Text::of("Nothing is in the way of the migration", "没有妨碍迁移的因素"),
    },
];

/// The editions, oldest first. The first is the default.
pub static EDITIONS: [EditionSpec; 1] = [EditionSpec {
    name: "alibaba-2023",
    about: Text::of(
        "Migration by support ticket, as the vendor's page of September 2023 has it",
        "按 2023 年 9 月的厂商文档，通过工单迁移",
    ),
}];

/// The documents that cards cite.
pub static DOCUMENTS: [DocumentSpec; 4] = [
    DocumentSpec {
        id: "alibaba-migrate-cmks",
        title: "Migrate CMKs in default KMS instances to your KMS instances",
        publisher: "Alibaba Cloud",
        dated: "2023-09-12",
        url: "https://www.alibabacloud.com/help/en/kms/use-cases/migrate-cmks-in-default-kms-instances-to-your-kms-instances",
    },
    DocumentSpec {
        id: "alibaba-kms-api",
        title: "Key Management Service API reference and user guide (2016-01-20)",
        publisher: "Alibaba Cloud",
        dated: "2026-03-31",
        url: "https://www.alibabacloud.com/help/en/kms",
    },
    DocumentSpec {
        id: "alibaba-migration-operation",
        title: "Migrate keys and secrets with the Migration Tool",
        publisher: "Alibaba Cloud",
        dated: "2025-12-05",
        url: "https://www.alibabacloud.com/help/en/kms/use-cases/migration-operation",
    },
    DocumentSpec {
        id: "alibaba-terraform-after-migration",
        title: "Modify Terraform configurations after migration",
        publisher: "Alibaba Cloud",
        dated: "2026-03-31",
        url: "https://www.alibabacloud.com/help/en/kms/use-cases/modify-terraform-configurations-after-migration",
    },
];
