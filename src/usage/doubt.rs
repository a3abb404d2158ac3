//! What is not known although there are logs, and what is demanded of them.

use super::collect::{Counted, From, text};
use super::tally::{Calls, Side, Unattributed};
use super::time::show;
use super::told::Meaning;
use crate::domains::cmk::facts::{OPERATIONS, ORIGIN, ROTATION, VERSIONS};
use crate::engine::facts::{FactId, Lang};

/// From when on a log tells enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demands {
    /// It reaches over so many days, and ended no more than so many days ago.
    pub days: u32,
    /// It has no longer run of hours without any event.
    pub silent_hours: u32,
    /// Now, in seconds since 1970.
    pub now: i64,
}

/// What is not known of a key although there are logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// The logs have no event of the key's account and region.
    NotCovered,
    /// They have events of which nobody knows whether they are of the key's account and region, or the inventory does not
    /// say which these are.
    ScopeUnknown,
    /// The log reaches over fewer days than is demanded.
    Short {
        /// The days from the first event to the last.
        days: i64,
    },
    /// The log ended longer ago than is demanded.
    Old {
        /// The last event, in seconds since 1970.
        last: i64,
    },
    /// The log has a longer run of hours without any event than is demanded.
    Silent {
        /// The longest such run.
        hours: i64,
    },
    /// Events say that they write, and none, or none over the demanded time or on most days, that it reads: a trail may record no others, and
    /// does not unless it is told to (ActionTrail, `CreateTrail`, `EventRW`).
    WritesOnly,
    /// Events, or files of them, could not be read.
    Unread {
        /// Events.
        events: u64,
        /// Files.
        files: u64,
    },
    /// An operation was called that blocks the migration, or that changes what blocks it, and nobody knows with which key.
    OpenCall(OpenCall),
    /// An operation that blocks the migration was called with the key, and failed each time.
    OnlyFailed {
        /// The operation.
        operation: String,
        /// How often.
        calls: u64,
    },
    /// An operation that nobody knows was called with the key.
    UnknownOperation {
        /// The operation.
        operation: String,
        /// How often.
        calls: u64,
        /// Whether its name is like that of one that blocks the migration.
        is_like_forbidden: bool,
    },
    /// The log shows that the key was made to rotate; nobody knows whether it still does.
    Rotates,
    /// The log shows that the key rotated for so long that it may have more than one version.
    HasRotated,
    /// An operation that nobody knows was called with the key, and by its name may change what blocks the migration.
    MayChange {
        /// The operation.
        operation: String,
        /// How often.
        calls: u64,
        /// What it may change.
        fact: FactId,
    },
    /// Applications called cryptographic operations of which nobody knows the key.
    OpenApplications {
        /// How often.
        calls: u64,
        /// Their languages, and `unknown`.
        callers: Vec<&'static str>,
        /// From where, as far as that is not a VPC.
        places: Vec<String>,
    },
    /// Cloud services and tools called cryptographic operations of which nobody knows the key.
    OpenOthers {
        /// How often.
        calls: u64,
    },
    /// There is no cryptographic call in all the log, with whatever key: perhaps such calls are not recorded.
    NothingCryptographic,
    /// The key was created less than the demanded time before the log ended.
    Young {
        /// When, as it was written, or as the log shows it.
        created: String,
    },
    /// The key was made usable again less than the demanded time before the log ended.
    Enabled {
        /// When, in seconds since 1970.
        last: i64,
    },
    /// The key cannot be used now, so that nobody knows who would use it if it could.
    Disabled,
    /// Nobody understands when the key was created; perhaps it was lately.
    AgeUnknown {
        /// When, as it was written.
        created: String,
    },
    /// A part of the key's id is masked, so that nobody knows which calls are its own.
    Masked,
    /// The language of calls with the key is not known.
    LanguageUnknown {
        /// How many calls.
        calls: u64,
    },
    /// The place of calls with the key is not known for sure.
    PlaceUnclear {
        /// How many calls.
        calls: u64,
        /// The places, and the networks that the user has given names that say nothing of the kind.
        places: Vec<String>,
    },
}

/// A call of which the key is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenCall {
    /// What of the key it may change.
    pub fact: FactId,
    /// The operation.
    pub operation: String,
    /// Who.
    pub principal: String,
    /// How many calls, and how many failed.
    pub calls: Calls,
    /// The last of them, in seconds since 1970.
    pub last: i64,
    /// What the log says of the key.
    pub which: Which,
}

/// What the log says of the key of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// Nothing.
    None,
    /// Under which key `ReEncrypt` wrote, not under which it read.
    OnlyDestination,
    /// From which key `ReEncrypt` read, not under which it wrote.
    OnlySource,
    /// An alias that no key of the inventory has, or more than one, or that was moved while the log was written; or what
    /// is no id of a key.
    Alias(String),
    /// A key that is not in the inventory; the key at hand has a masked id.
    OtherKey(String),
}

impl Doubt {
    /// What is not known, and what to do about it.
    pub fn words(&self, demands: Demands, lang: Lang) -> String {
        let Demands { days: asked, silent_hours, .. } = demands;
        match (self, lang) {
            (Doubt::NotCovered, Lang::En) => {
                "the log has no event of this account and region; add their logs".to_owned()
            }
            (Doubt::NotCovered, Lang::Zh) => "日志中没有该账号与地域的事件：请补充其日志".to_owned(),
            (Doubt::ScopeUnknown, Lang::En) => {
                "the inventory, or the log, does not say the account and region; fill in account_id and region"
                    .to_owned()
            }
            (Doubt::ScopeUnknown, Lang::Zh) => "清单或日志未注明账号与地域：请填写 account_id 与 region".to_owned(),
            (Doubt::Short { days }, Lang::En) => {
                format!(
                    "the log reaches over {days} day(s) only, and {asked} are asked for (--min-window); add older logs"
                )
            }
            (Doubt::Short { days }, Lang::Zh) => {
                format!("日志仅覆盖 {days} 天，要求 {asked} 天（--min-window）：请补充更早的日志")
            }
            (Doubt::Old { last }, Lang::En) => {
                format!("the log ends at {}, more than {asked} days ago (--min-window); add newer logs", show(*last))
            }
            (Doubt::Old { last }, Lang::Zh) => {
                format!("日志止于 {}，距今超过 {asked} 天（--min-window）：请补充更新的日志", show(*last))
            }
            (Doubt::Silent { hours }, Lang::En) => format!(
                "the log has no event at all in {hours} hour(s) on end, and {silent_hours} are allowed (--max-gap): files may be missing"
            ),
            (Doubt::Silent { hours }, Lang::Zh) => {
                format!("日志连续 {hours} 小时没有任何事件，允许 {silent_hours} 小时（--max-gap）：可能缺少文件")
            }
            (Doubt::WritesOnly, Lang::En) => {
                "events that say that they read stand in the log for too short a time, on too few days, or not at all; a trail records them only with EventRW All".to_owned()
            }
            (Doubt::WritesOnly, Lang::Zh) => {
                "日志中的读事件时间跨度不足、天数过少或没有读事件：跟踪须将 EventRW 设为 All 才会记录读事件".to_owned()
            }
            (Doubt::Unread { events, files }, Lang::En) => {
                format!("{events} event(s) and {files} file(s) of the logs could not be read")
            }
            (Doubt::Unread { events, files }, Lang::Zh) => format!("日志中有 {events} 个事件、{files} 个文件无法读取"),
            (Doubt::OpenCall(call), lang) => call.words(lang),
            (Doubt::OnlyFailed { operation, calls }, Lang::En) => {
                format!("{operation} was called {} with the key, and failed each time", times(*calls))
            }
            (Doubt::OnlyFailed { operation, calls }, Lang::Zh) => {
                format!("对该密钥调用 {operation} {calls} 次，均失败")
            }
            (Doubt::UnknownOperation { operation, calls, is_like_forbidden }, Lang::En) => {
                let like = if *is_like_forbidden { "its name is like that of one that blocks" } else { "it may use the key's material" };
                format!("{operation} was called {} with the key; nobody knows this operation, and {like}", times(*calls))
            }
            (Doubt::UnknownOperation { operation, calls, is_like_forbidden }, Lang::Zh) => {
                let like = if *is_like_forbidden { "其名称与妨碍迁移的 API 相似" } else { "可能使用密钥材料" };
                format!("对该密钥调用 {operation} {calls} 次；该 API 未知，{like}")
            }
            (Doubt::Rotates, Lang::En) => {
                "UpdateRotationPolicy made the key rotate, and nobody knows whether the inventory was made before or after that; read its rotation anew".to_owned()
            }
            (Doubt::Rotates, Lang::Zh) => {
                "UpdateRotationPolicy 曾为该密钥开启轮转，无法判断清单生成于此前或此后：请重新读取其轮转状态".to_owned()
            }
            (Doubt::HasRotated, Lang::En) => {
                "the log shows that the key rotated long enough to get another version; count its versions (ListKeyVersions)".to_owned()
            }
            (Doubt::HasRotated, Lang::Zh) => {
                "日志显示该密钥曾开启轮转，时间足以产生新版本：请核实其版本数（ListKeyVersions）".to_owned()
            }
            (Doubt::MayChange { operation, calls, fact }, Lang::En) => {
                let what = match *fact {
                    VERSIONS => "make versions",
                    ORIGIN => "import material",
                    _ => "make it rotate",
                };
                format!("{operation} was called {} with the key; nobody knows this operation, and by its name it may {what}", times(*calls))
            }
            (Doubt::MayChange { operation, calls, fact }, Lang::Zh) => {
                let what = match *fact {
                    VERSIONS => "产生密钥版本",
                    ORIGIN => "导入密钥材料",
                    _ => "开启轮转",
                };
                format!("对该密钥调用 {operation} {calls} 次；该 API 未知，从名称看可能{what}")
            }
            (Doubt::Disabled, Lang::En) => {
                "the key cannot be used now, so that nobody knows who would use it; enable it, or ask its owner".to_owned()
            }
            (Doubt::Disabled, Lang::Zh) => "密钥当前不可用，无法得知启用后由谁使用：请启用密钥或询问其负责人".to_owned(),
            (Doubt::OpenApplications { calls, callers, places }, Lang::En) => {
                let from = if places.is_empty() { String::new() } else { format!(", some from {}", places.join(", ")) };
                format!(
                    "applications ({}) made {} cryptographic call(s) of which the log does not name the key{from}",
                    callers.join(", "),
                    thousands(*calls)
                )
            }
            (Doubt::OpenApplications { calls, callers, places }, Lang::Zh) => {
                let from = if places.is_empty() { String::new() } else { format!("，部分来自 {}", places.join("、")) };
                format!("应用（{}）有 {calls} 次密码运算调用，日志未注明密钥{from}", callers.join("、"))
            }
            (Doubt::OpenOthers { calls }, Lang::En) => format!(
                "cloud services or tools made {} cryptographic call(s) of which the log does not name the key",
                thousands(*calls)
            ),
            (Doubt::OpenOthers { calls }, Lang::Zh) => {
                format!("云服务或工具有 {calls} 次密码运算调用，日志未注明密钥")
            }
            (Doubt::NothingCryptographic, Lang::En) => {
                "the log has no cryptographic call with any key of this account and region; a trail records such calls only with EventRW All".to_owned()
            }
            (Doubt::NothingCryptographic, Lang::Zh) => {
                "日志中该账号与地域没有任何密码运算调用：跟踪须将 EventRW 设为 All 才会记录".to_owned()
            }
            (Doubt::Young { created }, Lang::En) => format!(
                "the key was created at {created}, less than {asked} days (--min-window) before the log ended, so that its use may not have begun"
            ),
            (Doubt::Young { created }, Lang::Zh) => {
                format!("密钥创建于 {created}，距日志结束不足 {asked} 天（--min-window），可能尚未开始使用")
            }
            (Doubt::Enabled { last }, Lang::En) => format!(
                "the key could be used again from {} on, less than {asked} days (--min-window) before the log ended, so that its use may not have begun again",
                show(*last)
            ),
            (Doubt::Enabled { last }, Lang::Zh) => {
                format!("密钥于 {} 恢复可用，距日志结束不足 {asked} 天（--min-window），可能尚未重新开始使用", show(*last))
            }
            (Doubt::AgeUnknown { created }, Lang::En) => format!(
                "the inventory says that the key was created at `{created}`, which is not understood; if that is less than {asked} days (--min-window) before the log ended, its use may not have begun; write 2026-12-20T06:34:21Z or 2026-12-20"
            ),
            (Doubt::AgeUnknown { created }, Lang::Zh) => format!(
                "无法理解清单中的密钥创建时间 `{created}`；若距日志结束不足 {asked} 天（--min-window），密钥可能尚未开始使用：请写作 2026-12-20T06:34:21Z 或 2026-12-20"
            ),
            (Doubt::Masked, Lang::En) => {
                "a part of the key's id is masked, so that the log's calls cannot be told to be its own; export the id in full".to_owned()
            }
            (Doubt::Masked, Lang::Zh) => "密钥 ID 部分被遮盖，无法判断日志中的调用是否属于该密钥：请导出完整 ID".to_owned(),
            (Doubt::LanguageUnknown { calls }, Lang::En) => {
                format!("{} call(s) do not say in which language the application is written", thousands(*calls))
            }
            (Doubt::LanguageUnknown { calls }, Lang::Zh) => format!("{calls} 次调用未注明应用的开发语言"),
            (Doubt::PlaceUnclear { calls, places }, Lang::En) => format!(
                "{} call(s) came from addresses ({}) of which nobody knows whether they are in a VPC; name your networks (--networks)",
                thousands(*calls),
                places.join(", ")
            ),
            (Doubt::PlaceUnclear { calls, places }, Lang::Zh) => format!(
                "{calls} 次调用来自无法判断是否在 VPC 内的地址（{}）：请用 --networks 注明网络",
                places.join("、")
            ),
        }
    }
}

impl OpenCall {
    /// A call that may change what is known of any key, of which the log does not name the key; nothing for others.
    pub fn of(from: &From, calls: &Unattributed, counted: &Counted, meaning: Meaning) -> Option<OpenCall> {
        let operation = text(&counted.names.operations, from.operation);
        let principal = text(&counted.names.principals, from.principal);
        let succeeded = calls.calls.failed < calls.calls.calls;
        let fact = match from.side {
            Side::Imported => succeeded.then_some(ORIGIN)?,
            Side::Rotating => succeeded.then_some(ROTATION)?,
            _ => meaning.concerns(calls.calls)?,
        };
        Some(OpenCall {
            fact,
            operation: operation.to_owned(),
            principal: principal.to_owned(),
            calls: calls.calls,
            last: calls.span.last,
            which: match from.side {
                Side::All | Side::Alias | Side::Imported | Side::Rotating => Which::None,
                Side::Source => Which::OnlyDestination,
                Side::Destination => Which::OnlySource,
            },
        })
    }

    /// The same of operations that block alone.
    pub fn forbidden(from: &From, calls: &Unattributed, counted: &Counted) -> Option<OpenCall> {
        let meaning = Meaning::of(text(&counted.names.operations, from.operation));
        OpenCall::of(from, calls, counted, meaning).filter(|call| call.fact == OPERATIONS)
    }

    /// Whether the operation is none that is known to block, and has the name of such a one in its own.
    fn is_like(&self) -> bool {
        Meaning::of(&self.operation).resembles
    }

    /// What was called, by whom, and what the log does not say.
    pub fn words(&self, lang: Lang) -> String {
        let OpenCall { fact, operation, principal, calls, last, which } = self;
        let (count, failed, last) = (calls.calls, calls.failed, show(*last));
        match lang {
            Lang::En => {
                let by = if principal.is_empty() { String::new() } else { format!(" by {}", who(principal)) };
                let failed = if failed > 0 { format!(" ({} failed)", thousands(failed)) } else { String::new() };
                let which = match which {
                    Which::None => ", and the log does not say with which key".to_owned(),
                    Which::OnlyDestination => ", and the log does not say from which key".to_owned(),
                    Which::OnlySource => ", and the log does not say to which key".to_owned(),
                    Which::Alias(alias) => {
                        format!(" with {alias}, of which nobody knows which key of the inventory it is")
                    }
                    Which::OtherKey(key) => format!(" with {key}, which is not in the inventory"),
                };
                let means = match *fact {
                    VERSIONS => "; that key has more than one version",
                    ORIGIN => "; the material of that key is imported",
                    ROTATION => "; that key may rotate, and have more than one version",
                    _ if self.is_like() => {
                        "; nobody knows this operation, and its name is like that of one that blocks"
                    }
                    _ => "",
                };
                format!("{operation} was called {}{failed}{by}{which}, last {last}{means}", times(count))
            }
            Lang::Zh => {
                let by = if principal.is_empty() { String::new() } else { format!("{principal} ") };
                let failed = if failed > 0 { format!("（{failed} 次失败）") } else { String::new() };
                let which = match which {
                    Which::None => "日志未注明所用密钥".to_owned(),
                    Which::OnlyDestination => "日志未注明源密钥".to_owned(),
                    Which::OnlySource => "日志未注明目标密钥".to_owned(),
                    Which::Alias(alias) => format!("所用 {alias} 无法对应到清单中的某个密钥"),
                    Which::OtherKey(key) => format!("所用密钥 {key} 不在清单中"),
                };
                let means = match *fact {
                    VERSIONS => "；该密钥有多个版本",
                    ORIGIN => "；该密钥的密钥材料为外部导入",
                    ROTATION => "；该密钥可能已开启轮转并有多个版本",
                    _ if self.is_like() => "；该 API 未知，其名称与妨碍迁移的 API 相似",
                    _ => "",
                };
                format!("{by}调用 {operation} {count} 次{failed}，{which}，最近一次 {last}{means}")
            }
        }
    }
}

/// `role/orders-svc` for people.
pub fn who(principal: &str) -> String {
    principal.replacen('/', " ", 1)
}

/// `once`, or how many times.
fn times(count: u64) -> String {
    if count == 1 { "once".to_owned() } else { format!("{} times", thousands(count)) }
}

/// A number with a comma before every three digits.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_three_digits() {
        assert_eq!([0, 999, 1000, 18_204, 1_234_567].map(thousands), ["0", "999", "1,000", "18,204", "1,234,567"]);
    }

    #[test]
    fn a_call_of_no_known_key_is_told_with_caller_count_and_time() {
        let calls = Calls { calls: 14, failed: 2 };
        let (operation, principal) = ("ReEncrypt".to_owned(), "role/archive-svc".to_owned());
        let (fact, which) = (OPERATIONS, Which::OnlyDestination);
        let call = OpenCall { fact, operation, principal, calls, last: 1_795_000_000, which };
        let words = call.words(Lang::En);
        assert_eq!(
            words,
            "ReEncrypt was called 14 times (2 failed) by role archive-svc, and the log does not say from which key, last 2026-11-18T11:06:40Z"
        );
    }
}
