//! May this Alibaba Cloud CMK leave the default KMS instance?

pub mod aliases;
pub mod applications;
pub mod atoms;
pub mod class;
pub mod derive;
pub mod facts;
pub mod fields;
pub mod observe;
pub mod operations;
pub mod periods;
pub mod purposes;
pub mod regions;
pub mod rules;
pub mod versions;
pub mod words;

use crate::engine::facts::Text;
use crate::rulebook::Domain;
use crate::rulebook::domain::Overruled;

/// The domain, as the engine sees it.
pub static CMK: Domain = Domain {
    name: "cmk",
    question: Text::of(
        "May this Alibaba Cloud CMK leave the default KMS instance?",
        "该阿里云用户主密钥能否迁出默认 KMS 实例？",
    ),
    noun: Text::of("key", "密钥"),
    facts: &facts::FACTS,
    kind: Some(facts::RESOURCE),
    atoms: &atoms::ATOMS,
    classes: &class::CLASSES,
    good: "migratable",
    ways: Text::of("Ways to a migratable key", "使密钥可迁移的做法"),
    overruled: Overruled::Silent,
    editions: &class::EDITIONS,
    default_edition: "alibaba-2023",
    documents: &class::DOCUMENTS,
    pages: rules::PAGES,
    holes: &["key_id", "region"],
    derive: derive::derive,
    integrity: facts::RECORDS,
    derived_from: &[
        facts::ALIASES,
        facts::MANAGER_TYPE,
        facts::USAGE,
        facts::OPERATIONS,
        facts::LANGUAGES,
        facts::NETWORK,
        facts::ORIGIN,
        facts::VERSION_EVIDENCE,
        facts::SERVICE_USE,
        facts::ROTATION,
        facts::ROTATION_EVIDENCE,
    ],
    infers_from: &[(facts::VERSION_EVIDENCE, facts::VERSIONS)],
    told: &[facts::SERVICE_USE, facts::KEY_ID_FORM, facts::SOURCES, facts::ROTATION_EVIDENCE],
};
