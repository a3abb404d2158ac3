//! The classes of the domain, in order of precedence, its editions and its documents.

use crate::engine::facts::Text;
use crate::rulebook::domain::{Checklist, ClassSpec, DocumentSpec, EditionSpec, Tone};

/// The classes, first wins.
pub static CLASSES: [ClassSpec; 5] = [
    ClassSpec {
        name: "invalid",
        tone: Tone::Alarm,
        checklist: Checklist::Withheld,
        meaning: Text::of("The request cannot work as it is drawn; draw another", "请求本身不可行；请重新填写"),
    },
    ClassSpec {
        name: "change-first",
        tone: Tone::Warn,
        checklist: Checklist::Given,
        meaning: Text::of(
            "Something on an instance must be changed before the request is filed",
            "提交请求之前须先更改实例上的设置",
        ),
    },
    ClassSpec {
        name: "undetermined",
        tone: Tone::Open,
        checklist: Checklist::Given,
        meaning: Text::of(
            "The documents do not say, or facts are missing or disagree",
            "文档未说明，或缺少事实、记录相互矛盾",
        ),
    },
    ClassSpec {
        name: "valid-with-note",
        tone: Tone::Calm,
        checklist: Checklist::Given,
        meaning: Text::of("The request can be filed; read the note first", "可以提交请求；请先阅读说明"),
    },
    ClassSpec {
        name: "valid",
        tone: Tone::Good,
        checklist: Checklist::Given,
        meaning: Text::of("The request can be filed as it is drawn", "可以按现状提交请求"),
    },
];

/// The editions, oldest first. The first is the default.
pub static EDITIONS: [EditionSpec; 1] = [EditionSpec {
    name: "exchange-australia",
    about: Text::of(
        "Key Exchange of the Australia release, as of 2026-05-26",
        "Australia 版本的密钥交换，截至 2026-05-26",
    ),
}];

/// The documents that cards cite.
pub static DOCUMENTS: [DocumentSpec; 3] = [
    DocumentSpec {
        id: "servicenow-configure-key-exchange",
        title: "Configure Key Exchange",
        publisher: "ServiceNow",
        dated: "2026-05-26",
        url: "https://www.servicenow.com/docs/r/platform-encryption/configure-key-exchange.html",
    },
    DocumentSpec {
        id: "servicenow-key-exchange",
        title: "Key Management Framework: key exchange, rekeying, key life cycle, crypto modules, roles, diagnostics",
        publisher: "ServiceNow",
        dated: "2026-06-25",
        url: "https://github.com/ServiceNow/ServiceNowDocs/tree/australia",
    },
    DocumentSpec {
        id: "servicenow-release-notes",
        title: "Release notes: fixes in Key Management",
        publisher: "ServiceNow",
        dated: "2026-06-25",
        url: "https://github.com/ServiceNow/ServiceNowDocs/tree/australia",
    },
];
