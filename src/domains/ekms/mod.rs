//! May this ServiceNow instance be cloned, restored, copied or moved onto that one while EKMS is enabled?

pub mod atoms;
pub mod class;
pub mod conclude;
pub mod evidence;
pub mod facts;
pub mod fields;
pub mod rules;

use crate::engine::facts::Text;
use crate::rulebook::Domain;
use crate::rulebook::domain::Overruled;

/// The domain, as the engine sees it.
pub static EKMS: Domain = Domain {
    name: "ekms",
    question: Text::of(
        "May this ServiceNow instance be cloned, restored, copied or moved onto that one while EKMS is enabled?",
        "启用 EKMS 时，该 ServiceNow 实例能否克隆、恢复、复制或迁移到另一实例？",
    ),
    noun: Text::of("pair", "实例对"),
    facts: &facts::FACTS,
    kind: None,
    atoms: &atoms::ATOMS,
    classes: &class::CLASSES,
    good: "supported",
    ways: Text::of("Ways to a supported pair", "使实例对获得支持的做法"),
    overruled: Overruled::Told,
    editions: &class::EDITIONS,
    default_edition: "ekms-australia",
    documents: &class::DOCUMENTS,
    pages: rules::PAGES,
    holes: &[
        "source_name",
        "target_name",
        "operation",
        "source_key_arn",
        "target_key_arn",
        "source_key_region",
        "target_key_region",
    ],
    derive: conclude::derive,
    integrity: facts::RECORDS,
    derived_from: &[facts::SOURCE_POSTURE, facts::TARGET_POSTURE, facts::SOURCE_WRAPPING, facts::TARGET_WRAPPING],
    infers_from: &[],
    told: &[],
};
