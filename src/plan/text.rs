//! A plan for a terminal: numbers, batches, and what is to be done first.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::model::{Basis, Batch, Plan};
use super::work::{ListName, Problem, Severity};
use crate::engine::facts::Lang;
use crate::write::safe::visible;

/// So many batches are shown; the files have all.
const MOST: usize = 20;

/// The plan in short.
pub fn summary(plan: &Plan, lang: Lang) -> String {
    let mut out = String::new();
    let mut line = |text: String| {
        let _ = writeln!(out, "{}", visible(&text));
    };
    let numbers = &plan.summary;
    line(match lang {
        Lang::En => format!(
            "{} keys: {} planned in {} batches, {} need no migration, {} blocked, {} undetermined, {} left out",
            numbers.keys,
            numbers.planned,
            numbers.batches,
            numbers.not_migrated,
            numbers.blocked,
            numbers.undetermined,
            numbers.left_out
        ),
        Lang::Zh => format!(
            "{} 个密钥：{} 个列入 {} 个批次，{} 个无需迁移，{} 个被阻止，{} 个无法判定，{} 个未列入",
            numbers.keys,
            numbers.planned,
            numbers.batches,
            numbers.not_migrated,
            numbers.blocked,
            numbers.undetermined,
            numbers.left_out
        ),
    });
    if numbers.conditional > 0 || numbers.rotation_to_disable > 0 {
        line(match lang {
            Lang::En => format!(
                "Of the planned keys, {} have open conditions, and {} need rotation disabled first",
                numbers.conditional, numbers.rotation_to_disable
            ),
            Lang::Zh => {
                format!("其中 {} 个有待确认条件，{} 个须先关闭轮转", numbers.conditional, numbers.rotation_to_disable)
            }
        });
    }
    if !plan.batches.is_empty() {
        line(String::new());
        let rows: Vec<[String; 5]> = plan.batches.iter().take(MOST).map(|batch| row(batch, lang)).collect();
        let heads = match lang {
            Lang::En => ["batch", "keys", "destination", "window", "change applications by"],
            Lang::Zh => ["批次", "密钥", "目标实例", "窗口", "应用改造截止"],
        };
        table(heads, &rows).into_iter().for_each(&mut line);
        if let more @ 1.. = plan.batches.len().saturating_sub(MOST) {
            line(match lang {
                Lang::En => format!("… and {more} more batches; plan.json and the runbook have all"),
                Lang::Zh => format!("…… 另有 {more} 个批次，见 plan.json 和运行手册"),
            });
        }
        line(zone(plan, lang));
    }
    for purchase in &plan.purchases {
        line(String::new());
        line(purchase_line(purchase, lang));
    }
    if !plan.problems.is_empty() {
        line(String::new());
        problems(&plan.problems, lang).lines().for_each(|text| line(text.to_owned()));
    }
    for destination in plan.destinations.iter().filter(|destination| !destination.remarks.is_empty()) {
        for remark in &destination.remarks {
            line(format!("{}: {}", destination.instance_id, remark.get(lang)));
        }
    }
    if !plan.worklists.is_empty() {
        line(String::new());
        line(lang.pick("Work:", "待办：").to_owned());
        for list in &plan.worklists {
            let rows: usize = list.items.iter().map(|item| item.rows.len()).sum();
            line(format!("  {}: {rows}", name_of(list.name, lang)));
        }
    }
    if let Some(unlock) = plan.unlocks.first() {
        line(match lang {
            Lang::En => format!("Frees most: {} ({} keys)", unlock.title.en, unlock.keys),
            Lang::Zh => format!("效果最大：{}（{} 个密钥）", unlock.title.zh, unlock.keys),
        });
    }
    out
}

/// Problems, one a line.
pub fn problems(problems: &[Problem], lang: Lang) -> String {
    let mut out = String::new();
    for problem in problems {
        let severity = match (problem.severity, lang) {
            (Severity::Error, Lang::En) => "error",
            (Severity::Error, Lang::Zh) => "错误",
            (Severity::Warning, Lang::En) => "warning",
            (Severity::Warning, Lang::Zh) => "警告",
        };
        let batch = problem.batch.as_ref().map(|batch| format!("{batch}: ")).unwrap_or_default();
        let text = format!("{severity}: {batch}{}{}", problem.text.get(lang), some(&problem.keys));
        let _ = writeln!(out, "{}", visible(&text));
    }
    out
}

/// What windows rest on, and on whose clocks they are shown.
pub(super) fn zone(plan: &Plan, lang: Lang) -> String {
    let zone = &plan.settings.time_zone;
    let all = plan.batches.iter().filter_map(|batch| batch.window.as_ref()).map(|window| window.basis);
    let bases: BTreeSet<Basis> = all.collect();
    let why = bases.iter().map(|basis| match (basis, lang) {
        (Basis::Evidence, Lang::En) => "the quietest free slot that audit logs show",
        (Basis::Evidence, Lang::Zh) => "审计日志中最空闲的可用时段",
        (Basis::Calendar, Lang::En) => "the first free slot, as no audit logs tell how busy it is (--usage, --events)",
        (Basis::Calendar, Lang::Zh) => "首个可用时段，没有审计日志说明其繁忙程度（--usage、--events）",
    });
    let why: Vec<&str> = why.collect();
    match (why.is_empty(), lang) {
        (true, Lang::En) => format!("There are no windows; times are on clocks of {zone}"),
        (true, Lang::Zh) => format!("没有窗口；时间按 {zone} 显示"),
        (false, Lang::En) => format!("Windows are on clocks of {zone}, each {}", why.join(", or ")),
        (false, Lang::Zh) => format!("窗口按 {zone} 时间显示，为{}", why.join("，或")),
    }
}

pub(super) fn purchase_line(purchase: &super::model::Purchase, lang: Lang) -> String {
    let kind = match (purchase.kind, lang) {
        (kind, Lang::En) => kind.name(),
        (super::model::InstanceKind::Software, Lang::Zh) => "软件",
        (super::model::InstanceKind::Hardware, Lang::Zh) => "硬件",
    };
    let of = |text: &str| purchase.account_id.as_ref().map(|id| format!("{text}{id}")).unwrap_or_default();
    let (region, keys) = (&purchase.region, purchase.key_versions);
    match lang {
        Lang::En => {
            let qps = purchase.qps.map(|qps| format!(", {qps} calls per second")).unwrap_or_default();
            let vpcs = purchase.vpcs.map(|vpcs| format!(", {vpcs} VPC(s)")).unwrap_or_default();
            format!(
                "Buy in {region}{}: a {kind} key management instance for {keys} key version(s){qps}{vpcs}. {}",
                of(" of account "),
                purchase.why.en
            )
        }
        Lang::Zh => {
            let qps = purchase.qps.map(|qps| format!("、{qps} QPS")).unwrap_or_default();
            let vpcs = purchase.vpcs.map(|vpcs| format!("、{vpcs} 个 VPC")).unwrap_or_default();
            format!(
                "请在 {region}{} 购买{kind}密钥管理实例：{keys} 个密钥版本{qps}{vpcs}。{}",
                of("（账号 ") + if purchase.account_id.is_some() { "）" } else { "" },
                purchase.why.zh
            )
        }
    }
}

/// The first of some keys, and how many more there are.
fn some(keys: &[String]) -> String {
    const FIRST: usize = 5;
    match keys.len() {
        0 => String::new(),
        1..=FIRST => format!(" ({})", keys.join(", ")),
        all => format!(" ({}, … {} more)", keys[..FIRST].join(", "), all - FIRST),
    }
}

fn row(batch: &Batch, lang: Lang) -> [String; 5] {
    [
        batch.id.clone(),
        batch.keys.len().to_string(),
        batch.destination.clone().unwrap_or_else(|| lang.pick("none", "无").to_owned()),
        shown_window(batch).unwrap_or_else(|| lang.pick("none", "无").to_owned()),
        batch.change_applications_by.clone().unwrap_or_default(),
    ]
}

/// A window on clocks of the plan: `2026-12-05 02:00 to 04:00 (+08:00)`.
pub(super) fn shown_window(batch: &Batch) -> Option<String> {
    let window = batch.window.as_ref()?;
    let (start, end) = (&window.local_start, &window.local_end);
    let (day, last) = (start.get(..10)?, end.get(..10)?);
    let offset = start.get(19..)?;
    let end_offset = if end.get(19..)? == offset { String::new() } else { format!(" ({})", end.get(19..)?) };
    let until = if day == last { String::new() } else { format!("{last} ") };
    Some(format!("{day} {} ({offset}) – {until}{}{end_offset}", start.get(11..16)?, end.get(11..16)?))
}

/// The name of a list for people.
pub(super) fn name_of(list: ListName, lang: Lang) -> &'static str {
    let (en, zh) = match list {
        ListName::DisableRotation => {
            ("Disable rotation before, restore it after the migration", "迁移前关闭轮转，迁移后恢复")
        }
        ListName::StopOperations => ("Stop calling operations that block", "停止调用阻碍迁移的 API"),
        ListName::Languages => {
            ("Port applications, or ask support about their language", "改用受支持的语言，或咨询技术支持")
        }
        ListName::Locations => {
            ("Move applications into a VPC, or ask support about their location", "将应用迁入 VPC，或咨询技术支持")
        }
        ListName::NoPath => ("Keys without a path", "没有迁移路径的密钥"),
        ListName::ChangeApplications => ("Change applications after the migration", "迁移后改造应用"),
        ListName::Terraform => ("Protect resources of Terraform", "保护 Terraform 资源"),
        ListName::Evidence => ("Bring evidence that is missing", "补充缺少的证据"),
        ListName::LeftOut => ("Keys that could be migrated and are in no batch", "可迁移但未列入批次的密钥"),
    };
    lang.pick(en, zh)
}

/// Rows below their heads, in columns as wide as they need.
fn table<const N: usize>(heads: [&str; N], rows: &[[String; N]]) -> Vec<String> {
    use unicode_width::UnicodeWidthStr as _;
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].as_str()).chain([heads[column]]);
        cells.map(|cell| cell.width()).max().unwrap_or(0)
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |cells: [&str; N]| {
        let padded = cells
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell}{}", " ".repeat(width.saturating_sub(cell.width()))));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let rows = rows.iter().map(|row| line(std::array::from_fn(|column| row[column].as_str())));
    std::iter::once(line(heads)).chain(rows).collect()
}
