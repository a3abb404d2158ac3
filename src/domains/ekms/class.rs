//! The classes of the domain, in order of precedence, its editions and its documents.

use crate::engine::facts::Text;
use crate::rulebook::domain::{Checklist, ClassSpec, DocumentSpec, EditionSpec, Tone};

/// The classes, first wins: a row that says Blocked beats one that says Supported and is silent about what differs.
/// `undetermined` is a class of its own where the document speaks of such a pair neither way.
pub static CLASSES: [ClassSpec; 3] = [
    ClassSpec {
        name: "blocked",
        tone: Tone::Alarm,
        checklist: Checklist::Given,
        meaning: Text::of(
            "The table or a gate stops the operation; every reason is listed",
            "文档表格或前置条件阻止该操作；已列出全部原因",
        ),
    },
    ClassSpec {
        name: "undetermined",
        tone: Tone::Open,
        checklist: Checklist::Given,
        meaning: Text::of(
            "No row covers the pair, or facts are missing or disagree",
            "文档没有涵盖该实例对，或缺少事实、记录相互矛盾",
        ),
    },
    ClassSpec {
        name: "supported",
        tone: Tone::Good,
        checklist: Checklist::Given,
        meaning: Text::of(
            "The table supports it; the preflight check has the last word",
            "文档表格支持该操作；最终以预检结果为准",
        ),
    },
];

/// The editions, oldest first. The first is the default.
pub static EDITIONS: [EditionSpec; 1] = [EditionSpec {
    name: "ekms-australia",
    about: Text::of(
        "The compatibility table of the Australia release, as of 2026-04-23",
        "Australia 版本的兼容性表，截至 2026-04-23",
    ),
}];

/// The documents that cards cite.
pub static DOCUMENTS: [DocumentSpec; 3] = [
    DocumentSpec {
        id: "servicenow-ekms-instance-automation",
        title: "External Key Management Service and instance automation",
        publisher: "ServiceNow",
        dated: "2026-04-23",
        url: "https://www.servicenow.com/docs/r/platform-security/ekms-instance-automation.html",
    },
    DocumentSpec {
        id: "servicenow-ekms",
        title: "External Key Management Service, instance clones and their release notes",
        publisher: "ServiceNow",
        dated: "2026-06-25",
        url: "https://www.servicenow.com/docs/r/platform-security/ekms-external-key-management.html",
    },
    DocumentSpec {
        id: "aws-kms-key-states",
        title: "Key states of AWS KMS keys",
        publisher: "Amazon Web Services",
        dated: "2026-11-21",
        url: "https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html",
    },
];
