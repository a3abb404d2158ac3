//! Is this ServiceNow key exchange request valid, and what must be done to complete it?

pub mod atoms;
pub mod class;
pub mod conclude;
pub mod facts;
pub mod fields;
pub mod rules;

use crate::engine::facts::Text;
use crate::rulebook::Domain;
use crate::rulebook::domain::Overruled;

/// The domain, as the engine sees it.
pub static EXCHANGE: Domain = Domain {
    name: "exchange",
    question: Text::of(
        "Is this ServiceNow key exchange request valid, and what must be done to complete it?",
        "该 ServiceNow 密钥交换请求是否有效，如何完成？",
    ),
    noun: Text::of("request", "请求"),
    facts: &facts::FACTS,
    kind: None,
    atoms: &atoms::ATOMS,
    classes: &class::CLASSES,
    good: "valid-with-note",
    ways: Text::of("Ways to a valid request", "使请求有效的做法"),
    overruled: Overruled::Silent,
    editions: &class::EDITIONS,
    default_edition: "exchange-australia",
    documents: &class::DOCUMENTS,
    pages: rules::PAGES,
    holes: &[
        "request",
        "source_name",
        "target_name",
        "peer_sys_id",
        "peer_host",
        "crypto_specifications",
        "exchange_frequency",
        "peer_side",
        "rekey",
    ],
    derive: conclude::derive,
    integrity: facts::RECORDS,
    derived_from: &[facts::FREQUENCY, facts::REKEY, facts::AUTO_SOURCE],
    infers_from: &[],
    told: &[],
};
