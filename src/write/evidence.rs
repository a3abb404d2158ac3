//! What audit logs tell of a key, for people and machines.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use crate::diagnose::{Diagnosis, KeyOutcome};
use crate::engine::facts::Lang;
use crate::usage::coverage::Coverage;
use crate::usage::doubt::{thousands, who};
use crate::usage::evidence::{Evidence, Named, Reach, window_words};
use crate::usage::overlay::Told;
use crate::usage::result::{ApplicationLine, CallCounts, Count, HourCalls, KeyLine, Written};
use crate::usage::tally::Purpose;
use crate::usage::time::show;

/// So many applications of a key are named for people; JSON has all.
const MOST: usize = 20;

/// What audit logs tell of a key in sentences, and what they leave open; nothing if there are none.
pub(super) fn sentences(key: &KeyOutcome<'_>, lang: Lang) -> Option<(Vec<String>, Vec<String>)> {
    let evidence = key.diagnosis.evidence.as_ref()?;
    let told = evidence.of(&key.key);
    let mut lines = Vec::new();
    let window = told.reach.coverage.as_ref().and_then(|coverage| window_words(coverage, lang));
    lines.extend(window.map(|window| format!("{}{window}", lang.pick("the log: ", "日志："))));
    let Some(calls) = calls(evidence, &told) else {
        lines.push(lang.pick("no call with the key", "没有对该密钥的调用").to_owned());
        return Some((lines, doubts(evidence, &told, lang)));
    };
    lines.extend(calls.applications.iter().take(MOST).map(|line| application(line, lang)));
    if let more @ 1.. = calls.applications.len().saturating_sub(MOST) {
        lines.push(match lang {
            Lang::En => format!("… and {more} more callers; --format json has all"),
            Lang::Zh => format!("…… 另有 {more} 个调用方，--format json 会全部列出"),
        });
    }
    let operations = calls.operations.iter().map(|(name, counts)| match (counts.failed, lang) {
        (0, _) => format!("{name} {}", thousands(counts.calls)),
        (failed, Lang::En) => format!("{name} {} ({} failed)", thousands(counts.calls), thousands(failed)),
        (failed, Lang::Zh) => format!("{name} {}（{} 次失败）", thousands(counts.calls), thousands(failed)),
    });
    let comma = lang.pick(", ", "、");
    lines.push(format!("{}{}", lang.pick("operations: ", "API："), operations.collect::<Vec<_>>().join(comma)));
    let places = calls.places.iter().chain(&calls.networks);
    let places = places.map(|(place, count)| format!("{place} {}", thousands(count.0))).collect::<Vec<_>>().join(comma);
    if !places.is_empty() {
        lines.push(format!("{}{places}", lang.pick("applications call from: ", "应用调用来源：")));
    }
    lines.push(match lang {
        Lang::En => format!(
            "busiest hour of the week: {} calls per second on average, a peak of {} estimated",
            calls.busiest_per_second, calls.peak_per_second
        ),
        Lang::Zh => format!(
            "一周中最忙的一小时：平均每秒 {} 次，峰值估计 {} 次",
            calls.busiest_per_second, calls.peak_per_second
        ),
    });
    Some((lines, doubts(evidence, &told, lang)))
}

fn application(line: &ApplicationLine, lang: Lang) -> String {
    let (calls, last) = (thousands(line.calls), line.last.get(..10).unwrap_or(&line.last));
    let is_use = line.purpose == Purpose::Cryptographic.name();
    let is_failed = line.purpose == Purpose::Failed.name();
    match (lang, line.calls) {
        (Lang::En, _) if is_failed => {
            format!("{}: {calls} call(s) by {} that failed, last {last}", line.caller, who(&line.principal))
        }
        (Lang::Zh, _) if is_failed => {
            format!("{}：{} 调用 {calls} 次，均失败，最近 {last}", line.caller, line.principal)
        }
        (Lang::En, 1) if is_use => format!("{}: 1 call by {}, {last}", line.caller, who(&line.principal)),
        (Lang::En, _) if is_use => format!("{}: {calls} calls by {}, last {last}", line.caller, who(&line.principal)),
        (Lang::En, _) if line.purpose == Purpose::Supposed.name() => {
            format!("{}: {calls} call(s) of unknown operations by {}, last {last}", line.caller, who(&line.principal))
        }
        (Lang::Zh, _) if line.purpose == Purpose::Supposed.name() => {
            format!("{}：{} 调用未知 API {calls} 次，最近 {last}", line.caller, line.principal)
        }
        (Lang::En, _) => {
            format!("{}: {calls} management call(s) by {}, last {last}", line.caller, who(&line.principal))
        }
        (Lang::Zh, _) if is_use => format!("{}：{} 调用 {calls} 次，最近 {last}", line.caller, line.principal),
        (Lang::Zh, _) => format!("{}：{} 管理类调用 {calls} 次，最近 {last}", line.caller, line.principal),
    }
}

/// All calls with a key, by its id and its aliases; nothing if there is none.
fn calls(evidence: &Evidence, told: &Told<'_>) -> Option<KeyLine> {
    Written::new(&evidence.counted).joined(&told.entries)
}

fn doubts(evidence: &Evidence, told: &Told<'_>, lang: Lang) -> Vec<String> {
    let doubts = told.doubts();
    doubts.iter().map(|doubt| doubt.words(evidence.demands, lang)).collect()
}

/// What audit logs tell of a key.
#[derive(Debug, Serialize, JsonSchema)]
pub struct UsageEvidence {
    /// The calls that were seen, by the id of the key and by its aliases; null if there is none.
    seen: Option<SeenCalls>,
    /// What the logs leave open.
    open: Vec<String>,
}

/// The calls of a key.
#[derive(Debug, Serialize, JsonSchema)]
struct SeenCalls {
    /// All calls, with those that failed.
    calls: u64,
    /// Those that failed.
    failed: u64,
    /// The first call, in UTC.
    #[schemars(extend("format" = "date-time"))]
    first: String,
    /// The last call, in UTC.
    #[schemars(extend("format" = "date-time"))]
    last: String,
    /// By operation.
    operations: BTreeMap<String, CallCounts>,
    /// By application; the most calls first.
    applications: Vec<ApplicationLine>,
    /// The cryptographic calls of applications by place.
    places: BTreeMap<String, Count>,
    /// The same calls by the user's own networks.
    networks: BTreeMap<String, Count>,
    /// The VPCs.
    vpcs: Vec<String>,
    /// The cryptographic calls of cloud services, by service.
    services: BTreeMap<String, Count>,
    /// By hour of the week, those with calls.
    hours: Vec<HourCalls>,
    /// Calls per second in the busiest hour of the week, on average.
    busiest_per_second: f64,
    /// How many calls per second a busiest second may have: an estimate, not a count.
    peak_per_second: u64,
}

/// What audit logs tell of all keys.
#[derive(Debug, Serialize, JsonSchema)]
pub struct UsageSummary {
    /// Events that were read.
    events: u64,
    /// Those of KMS that count.
    kms_events: u64,
    /// Those that could not be read.
    broken: u64,
    /// Files, or the rests of such, that could not be read.
    unread_files: u64,
    /// The digest of the events that count.
    digest: String,
    /// What was demanded of the logs with --min-window, in days.
    min_window_days: u32,
    /// What was demanded of the logs with --max-gap, in hours.
    max_gap_hours: u32,
    /// The moment to which the age of the logs refers.
    #[schemars(extend("format" = "date-time"))]
    as_of: String,
    /// The accounts and regions of the inventory.
    windows: Vec<Window>,
    /// Keys that were called and stand in no inventory.
    not_in_inventory: Vec<Stranger>,
    /// Aliases with which keys were called and of which nobody knows which key of the inventory they are.
    aliases_not_in_inventory: Vec<Stranger>,
}

/// What logs cover of an account and region.
#[derive(Debug, Serialize, JsonSchema)]
struct Window {
    /// The account; empty if the inventory does not say.
    account_id: String,
    /// The region; empty if the inventory does not say.
    region: String,
    /// The first event, in UTC; null if there is none.
    #[schemars(extend("format" = "date-time"))]
    first: Option<String>,
    /// The last event, in UTC; null if there is none.
    #[schemars(extend("format" = "date-time"))]
    last: Option<String>,
    /// Hours between them without any event; null if there is none.
    silent_hours: Option<u64>,
    /// The longest run of such hours; null if there is no event.
    longest_silence_hours: Option<i64>,
    /// Why the logs do not prove what they do not show; empty if they do.
    open: Vec<String>,
}

/// A key or alias that is not in the inventory.
#[derive(Debug, Serialize, JsonSchema)]
struct Stranger {
    /// The account; empty if the events do not say.
    account_id: String,
    /// The region; empty if the events do not say.
    region: String,
    /// The id, or the alias.
    key: String,
}

impl UsageEvidence {
    /// What audit logs tell of a key; nothing if there are none.
    pub(super) fn of(key: &KeyOutcome<'_>, lang: Lang) -> Option<UsageEvidence> {
        let evidence = key.diagnosis.evidence.as_ref()?;
        let told = evidence.of(&key.key);
        let seen = calls(evidence, &told).map(|calls| SeenCalls {
            calls: calls.calls,
            failed: calls.failed,
            first: calls.first,
            last: calls.last,
            operations: calls.operations,
            applications: calls.applications,
            places: calls.places,
            networks: calls.networks,
            vpcs: calls.vpcs,
            services: calls.services,
            hours: calls.hours,
            busiest_per_second: calls.busiest_per_second,
            peak_per_second: calls.peak_per_second,
        });
        Some(UsageEvidence { seen, open: doubts(evidence, &told, lang) })
    }
}

impl UsageSummary {
    /// What audit logs tell of all keys; nothing if there are none.
    pub(super) fn of(diagnosis: &Diagnosis, lang: Lang) -> Option<UsageSummary> {
        let evidence = diagnosis.evidence.as_ref()?;
        let head = Written::new(&evidence.counted).head();
        let window = |(account, region, reach): (&str, &str, &Reach)| {
            let coverage = reach.coverage.as_ref();
            let span = coverage.and_then(|coverage| coverage.span);
            Window {
                account_id: account.to_owned(),
                region: region.to_owned(),
                first: span.map(|span| show(span.first)),
                last: span.map(|span| show(span.last)),
                silent_hours: coverage.map(Coverage::silent_hours),
                longest_silence_hours: coverage.map(Coverage::longest_silence),
                open: reach.doubts.iter().map(|doubt| doubt.words(evidence.demands, lang)).collect(),
            }
        };
        let strangers = |named: &BTreeSet<Named>| {
            let stranger = |(account_id, region, key): &Named| Stranger {
                account_id: account_id.clone(),
                region: region.clone(),
                key: key.clone(),
            };
            named.iter().map(stranger).collect()
        };
        Some(UsageSummary {
            events: head.events,
            kms_events: head.kms,
            broken: head.broken,
            unread_files: head.unread_files,
            digest: head.digest,
            min_window_days: evidence.demands.days,
            max_gap_hours: evidence.demands.silent_hours,
            as_of: show(evidence.demands.now),
            windows: evidence.reaches().map(window).collect(),
            not_in_inventory: strangers(&evidence.strangers),
            aliases_not_in_inventory: strangers(&evidence.strange_aliases),
        })
    }
}
