//! The plan as it is written and read: `plan.json`, from which everything else is rendered.
//!
//! Version 1 of the format; members are only ever added. A plan says everything in both languages, so that one approved plan
//! gives tickets in either. It is sorted, and sealed by a digest: see [`Plan::seal`].

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::work::{Consultation, Problem, Unlock, Worklist};
use crate::engine::facts::Lang;
use crate::write::schema::{Named, named};

/// The name and version of the format.
pub const FORMAT: &str = "cmkdiag.plan/1";

/// Its schema.
pub static SCHEMA: Named =
    named::<Plan>("plan", "Output of plan --format json, and plan.json, as ticket and plan --check read it");

/// A text in both languages.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Words {
    /// English.
    pub en: String,
    /// Chinese.
    pub zh: String,
}

impl Words {
    /// A text in both languages.
    pub fn new(en: impl Into<String>, zh: impl Into<String>) -> Words {
        Words { en: en.into(), zh: zh.into() }
    }

    /// The text in a language.
    pub fn get(&self, lang: Lang) -> &str {
        lang.pick(&self.en, &self.zh)
    }
}

/// A migration plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// Name and version of the format.
    pub format: String,
    /// `sha256:` and the digest of the plan without this member, in hexadecimal.
    pub digest: String,
    /// The moment to which dates and ages refer, in UTC.
    #[schemars(extend("format" = "date-time"))]
    pub as_of: String,
    /// The rulebook that was applied.
    pub rulebook: RulebookName,
    /// What was decided before planning.
    pub settings: Settings,
    /// The plan in numbers.
    pub summary: Summary,
    /// The batches, by the begin of their windows; one ticket each, or several where a tracker has limits.
    pub batches: Vec<Batch>,
    /// The KMS instances to which keys can go.
    pub destinations: Vec<Destination>,
    /// What to buy where no instance fits.
    pub purchases: Vec<Purchase>,
    /// What to ask technical support before keys can be migrated.
    pub consultations: Vec<Consultation>,
    /// Lists of work, by their names in order of [`ListName`](super::work::ListName).
    pub worklists: Vec<Worklist>,
    /// Which actions free how many keys; those that free most first.
    pub unlocks: Vec<Unlock>,
    /// What is wrong, errors first.
    pub problems: Vec<Problem>,
}

/// A rulebook by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RulebookName {
    /// The domain.
    pub domain: String,
    /// The edition.
    pub edition: String,
    /// `sha256:` and the digest of its pages.
    pub digest: String,
}

/// What was decided before planning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Settings {
    /// A batch has no more keys.
    pub keys_per_batch: u32,
    /// The length of each window, in minutes.
    pub window_minutes: u32,
    /// The time zone in which people read the windows, by its IANA name.
    pub time_zone: String,
    /// Whether a calendar says when keys may be migrated; otherwise they may at any time.
    pub has_calendar: bool,
    /// Whether audit logs tell how busy keys are.
    pub has_usage_evidence: bool,
    /// So many calendar months after the migration of a key its applications must have been changed.
    pub months_to_change_applications: u32,
    /// What was assumed of facts that nobody knows, as `FACT=VALUE`.
    pub assumed: Vec<String>,
}

/// The plan in numbers, of keys unless something else is said.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// All keys of the inventory.
    pub keys: u64,
    /// Those in batches.
    pub planned: u64,
    /// Those in batches whose verdict has open conditions.
    pub conditional: u64,
    /// Those in batches whose rotation has to be disabled first.
    pub rotation_to_disable: u64,
    /// Those that need no migration: service keys, and keys in a dedicated instance.
    pub not_migrated: u64,
    /// Blocked keys.
    pub blocked: u64,
    /// Those about which too little is known.
    pub undetermined: u64,
    /// Those that could be migrated and are in no batch; a problem or a list of work says why.
    pub left_out: u64,
    /// Records that were rejected.
    pub rejected_records: u64,
    /// Batches.
    pub batches: u64,
    /// The first moment of the first window, in UTC; null if there is none.
    pub first_window: Option<String>,
    /// The last moment of the last window, in UTC; null if there is none.
    pub last_window: Option<String>,
}

/// Keys that are migrated together: of one account, one region, to one KMS instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Batch {
    /// Its name, which stays when keys are added to other batches.
    pub id: String,
    /// `sha256:` and the digest of what a ticket says of it; a ticket carries it, so that it is found again.
    pub digest: String,
    /// The account, by its UID; null if the inventory does not say.
    pub account_id: Option<String>,
    /// The region of keys and destination.
    pub region: String,
    /// The KMS instance to which the keys go; null if none fits.
    pub destination: Option<String>,
    /// When; null if there is no slot.
    pub window: Option<Window>,
    /// The keys, by id.
    pub keys: Vec<PlannedKey>,
    /// The applications that use them.
    pub applications: Vec<String>,
    /// Those of them that use keys of other batches, too.
    pub split_applications: Vec<String>,
    /// When the first of the keys would rotate, in UTC, and be blocked for good; null if none will.
    pub rotation_deadline: Option<String>,
    /// The last day on which applications may be unchanged, as a date in the time zone of the plan; null without a window.
    pub change_applications_by: Option<String>,
    /// What must be decided before the ticket is sent, and done before the window.
    pub steps_before: Vec<StepBefore>,
    /// What technical support is told of keys, beside their ids.
    pub remarks: Vec<Remark>,
    /// What must be confirmed before the ticket is sent.
    pub conditions: Vec<Condition>,
    /// The load of the keys; null without usage evidence.
    pub load: Option<Load>,
}

/// A key of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedKey {
    /// The id, in full.
    pub key_id: String,
    /// The aliases.
    pub aliases: Vec<String>,
    /// Its class: `migratable` or `needs-rotation-disabled`.
    pub class: String,
    /// Whether no condition is open.
    pub confirmed: bool,
    /// When it would rotate, in UTC; null if it will not.
    pub rotation_deadline: Option<String>,
    /// The applications that use it.
    pub applications: Vec<String>,
    /// The owner; null if the inventory does not say.
    pub owner: Option<String>,
    /// The spec, such as `RSA_2048`; null if the inventory does not say.
    pub key_spec: Option<String>,
}

/// When a batch is migrated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Window {
    /// Its begin, in UTC.
    #[schemars(extend("format" = "date-time"))]
    pub start: String,
    /// Its end, in UTC.
    #[schemars(extend("format" = "date-time"))]
    pub end: String,
    /// Its begin on clocks of the plan's time zone, with their difference from UTC.
    #[schemars(extend("format" = "date-time"))]
    pub local_start: String,
    /// Its end on clocks of the plan's time zone, with their difference from UTC.
    #[schemars(extend("format" = "date-time"))]
    pub local_end: String,
    /// What it rests on.
    pub basis: Basis,
}

impl Window {
    /// Its begin and end, in seconds since 1970; nothing if they are no times.
    pub fn span(&self) -> Option<(i64, i64)> {
        let second = |time: &str| time.parse::<Timestamp>().ok().map(Timestamp::as_second);
        Some((second(&self.start)?, second(&self.end)?))
    }
}

/// What a window rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// Audit logs: it is the quietest slot that is free.
    Evidence,
    /// The calendar alone: it is the first slot that is free, and nobody knows how busy it is.
    Calendar,
}

/// How busy the keys of a batch are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Load {
    /// Calls to expect in the window, on average of the weeks that the logs reach over; null without a window.
    pub calls_in_window: Option<u64>,
    /// Calls to expect in a window of the same length on average of the whole week.
    pub calls_in_average_window: u64,
    /// An estimate of the calls in the busiest second of the week, of all keys together.
    pub peak_per_second: u64,
}

/// What must be done with keys of a batch before its window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StepBefore {
    /// The card that asks for it.
    pub rule: String,
    /// Before what.
    pub before: Before,
    /// What to do.
    pub what: Words,
    /// The keys, by id.
    pub keys: Vec<String>,
}

/// Until when something must be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Before {
    /// Before the ticket is sent: the owner decides, and the ticket says nothing of it.
    Ticket,
    /// Before the window begins.
    Window,
}

/// What technical support is told of keys of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Remark {
    /// The card that says it.
    pub rule: String,
    /// What it says.
    pub text: Words,
    /// The keys, by id.
    pub keys: Vec<String>,
}

/// What must be confirmed of keys of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Condition {
    /// The fact that is presumed or inferred.
    pub fact: String,
    /// What to confirm.
    pub confirm: Words,
    /// A read-only command that tells, with the holes `{key_id}` and `{region}`; null if there is none.
    pub command: Option<String>,
    /// The keys, by id.
    pub keys: Vec<String>,
}

/// A KMS instance to which keys can go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Destination {
    /// Its id.
    pub instance_id: String,
    /// Its account; null if nobody says.
    pub account_id: Option<String>,
    /// Its region.
    pub region: String,
    /// Its type; null if nobody says.
    pub kind: Option<InstanceKind>,
    /// How many key versions it may still take before the plan; null if nobody says.
    pub free_versions: Option<u64>,
    /// How many the plan gives it.
    pub planned_versions: u64,
    /// The calls a second that it is made for; null if nobody says.
    pub qps: Option<u64>,
    /// An estimate of the busiest second of the keys that it gets; null without usage evidence.
    pub planned_peak_per_second: Option<u64>,
    /// When it ends, in UTC; null if nobody says.
    pub expires: Option<String>,
    /// Why it takes no keys, or what is not known of it.
    pub remarks: Vec<Words>,
}

/// The type of a KMS instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum InstanceKind {
    /// A software key management instance.
    Software,
    /// A hardware key management instance.
    Hardware,
}

impl InstanceKind {
    /// The word for outputs.
    pub fn name(self) -> &'static str {
        match self {
            InstanceKind::Software => "software",
            InstanceKind::Hardware => "hardware",
        }
    }
}

/// What to buy where no instance fits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Purchase {
    /// The account; null if the inventory does not say.
    pub account_id: Option<String>,
    /// The region.
    pub region: String,
    /// The type of instance.
    pub kind: InstanceKind,
    /// How many keys it has to take; each version counts, and migrated keys have one.
    pub key_versions: u64,
    /// The step of calls a second that suffices, or the largest if none does; null without usage evidence.
    pub qps: Option<u64>,
    /// How many VPCs must be bound to it; null if nobody knows from where the keys are used.
    pub vpcs: Option<u64>,
    /// Why.
    pub why: Words,
    /// The batches that wait for it.
    pub batches: Vec<String>,
}

impl Plan {
    /// Sets the digests of the plan and of everything of which tickets are made. Call it when nothing changes any more.
    pub fn seal(&mut self) {
        for batch in &mut self.batches {
            batch.digest = String::new();
            batch.digest = digest_of(batch);
        }
        for consultation in &mut self.consultations {
            consultation.digest = String::new();
            consultation.digest = digest_of(consultation);
        }
        self.digest = String::new();
        self.digest = digest_of(self);
    }

    /// Whether the digests are those of what the plan says: whether nobody changed it since it was written.
    pub fn is_sealed(&self) -> bool {
        let mut again = self.clone();
        again.seal();
        again == *self
    }
}

/// `sha256:` and the digest of something as JSON, whose members stand in the order of its type.
fn digest_of(thing: &impl Serialize) -> String {
    struct Into(Sha256);
    impl std::io::Write for Into {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.update(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut into = Into(Sha256::new());
    // All names of members are texts, and a hash takes everything.
    let _ = serde_json::to_writer(&mut into, thing);
    let hex: String = into.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}
