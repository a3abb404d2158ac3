//! A plan as a runbook in Markdown: what to do before, in and after each window, and all lists of work.

use super::model::{Batch, Before, Plan};
use super::tables::file_name;
use super::text::{name_of, purchase_line, shown_window, zone};
use super::work::{Severity, Worklist};
use crate::engine::facts::Lang;
use crate::write::safe::{markdown_code, markdown_text, shell};

/// So many rows of a list are shown; its table has all.
const MOST: usize = 50;

/// How a runbook begins, in English and Chinese.
pub const TITLES: [&str; 2] = ["# KMS key migration: runbook", "# KMS 密钥迁移运行手册"];

/// The runbook.
pub fn runbook(plan: &Plan, lang: Lang) -> String {
    let mut out = String::new();
    let mut line = |text: &str| {
        out.push_str(text);
        out.push('\n');
    };
    line(&format!("{}\n", lang.pick(TITLES[0], TITLES[1])));
    line(&format!(
        "{}: {}  \n{}: `{}/{}` `{}`  \n{}: `{}`\n",
        lang.pick("Made", "制定时间"),
        plan.as_of,
        lang.pick("Rulebook", "规则集"),
        plan.rulebook.domain,
        plan.rulebook.edition,
        plan.rulebook.digest,
        lang.pick("Plan", "计划"),
        plan.digest
    ));
    let numbers = &plan.summary;
    line(lang.pick("| keys | |\n| --- | ---: |", "| 密钥 | |\n| --- | ---: |"));
    let counts = [
        ("all", "总数", numbers.keys),
        ("planned", "列入计划", numbers.planned),
        ("planned, with open conditions", "其中有待确认条件", numbers.conditional),
        ("planned, rotation to disable first", "其中须先关闭轮转", numbers.rotation_to_disable),
        ("need no migration", "无需迁移", numbers.not_migrated),
        ("blocked", "被阻止", numbers.blocked),
        ("undetermined", "无法判定", numbers.undetermined),
        ("left out", "未列入", numbers.left_out),
    ];
    for (en, zh, count) in counts {
        line(&format!("| {} | {count} |", lang.pick(en, zh)));
    }
    problems(plan, lang).iter().for_each(|text| line(text));
    line(&format!("\n## {}\n", lang.pick("Batches", "批次")));
    line(&format!("{}\n", escaped(&zone(plan, lang))));
    line(lang.pick(
        "| batch | keys | destination | window | change applications by |",
        "| 批次 | 密钥 | 目标实例 | 窗口 | 应用改造截止 |",
    ));
    line("| --- | ---: | --- | --- | --- |");
    for batch in &plan.batches {
        line(&format!(
            "| {} | {} | {} | {} | {} |",
            batch.id,
            batch.keys.len(),
            batch.destination.as_deref().map_or_else(|| "-".to_owned(), escaped),
            shown_window(batch).unwrap_or_else(|| "-".to_owned()),
            batch.change_applications_by.as_deref().unwrap_or("-")
        ));
    }
    for batch in &plan.batches {
        steps(batch, plan, lang).iter().for_each(|text| line(text));
    }
    for list in &plan.worklists {
        work(list, lang).iter().for_each(|text| line(text));
    }
    if !plan.unlocks.is_empty() {
        line(&format!("\n## {}\n", lang.pick("What frees most keys", "各项措施可解除的密钥数")));
        for unlock in &plan.unlocks {
            line(&format!("- {}: {}", escaped(unlock.title.get(lang)), unlock.keys));
        }
    }
    out
}

fn escaped(text: &str) -> String {
    let mut out = Vec::new();
    markdown_text(text, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

fn problems(plan: &Plan, lang: Lang) -> Vec<String> {
    let mut lines = Vec::new();
    let remarks =
        plan.destinations.iter().flat_map(|to| to.remarks.iter().map(move |remark| (&to.instance_id, remark)));
    let remarks: Vec<_> = remarks.collect();
    if plan.problems.is_empty() && remarks.is_empty() && plan.purchases.is_empty() {
        return lines;
    }
    lines.push(format!("\n## {}\n", lang.pick("To settle first", "请先处理")));
    for purchase in &plan.purchases {
        lines.push(format!("- {}", escaped(&purchase_line(purchase, lang))));
    }
    for problem in &plan.problems {
        let mark = if problem.severity == Severity::Error { lang.pick("**Error** ", "**错误** ") } else { "" };
        let batch = problem.batch.as_ref().map(|batch| format!("{batch}: ")).unwrap_or_default();
        lines.push(format!("- {mark}{batch}{}", escaped(problem.text.get(lang))));
        lines.extend(problem.keys.iter().map(|key| format!("  - {}", markdown_code(key))));
    }
    lines.extend(remarks.iter().map(|(id, remark)| format!("- {}: {}", escaped(id), escaped(remark.get(lang)))));
    lines
}

/// What is done for a batch, in order.
fn steps(batch: &Batch, plan: &Plan, lang: Lang) -> Vec<String> {
    let mut lines = vec![format!("\n### {}\n", batch.id)];
    let mut fact = |en: &str, zh: &str, text: &str| lines.push(format!("- {}: {}", lang.pick(en, zh), escaped(text)));
    fact("Account", "账号", batch.account_id.as_deref().unwrap_or_else(|| lang.pick("not stated", "未注明")));
    fact("Region", "地域", &batch.region);
    fact(
        "Destination",
        "目标实例",
        batch.destination.as_deref().unwrap_or_else(|| lang.pick("none fits yet", "暂无合适实例")),
    );
    if let Some(window) = &batch.window {
        fact("Window (UTC)", "窗口（UTC）", &format!("{} – {}", window.start, window.end));
        fact(
            "Window (local)",
            "窗口（本地）",
            &format!("{}, {}", shown_window(batch).unwrap_or_default(), plan.settings.time_zone),
        );
    }
    if let Some(load) = &batch.load {
        let in_window = load.calls_in_window.map_or_else(|| "-".to_owned(), |calls| calls.to_string());
        fact(
            "Calls to expect in the window, and in an average one",
            "窗口内预计调用次数，及平均水平",
            &format!("{in_window}, {}", load.calls_in_average_window),
        );
    }
    if !batch.applications.is_empty() {
        fact("Applications", "应用", &batch.applications.join(", "));
    }
    if !batch.split_applications.is_empty() {
        fact(
            "Applications with keys in other batches, too",
            "同时涉及其他批次的应用",
            &batch.split_applications.join(", "),
        );
    }
    lines.push(String::new());
    let steps = |before: Before| {
        let mut lines = Vec::new();
        for step in batch.steps_before.iter().filter(|step| step.before == before) {
            lines.push(format!("- [ ] {} ({})", escaped(step.what.get(lang)), step.keys.len()));
            lines.extend(step.keys.iter().map(|key| format!("  - {}", markdown_code(key))));
        }
        lines
    };
    let before_ticket = steps(Before::Ticket);
    if !before_ticket.is_empty() {
        lines.push(format!("{}\n", lang.pick("Before the ticket is sent", "提交工单之前")));
        lines.extend(before_ticket);
        lines.push(String::new());
    }
    lines.push(format!("{}\n", lang.pick("Before the window", "窗口之前")));
    lines.extend(steps(Before::Window));
    for condition in &batch.conditions {
        lines.push(format!("- [ ] {} ({})", escaped(condition.confirm.get(lang)), condition.keys.len()));
        let filled =
            |command: &String| command.replace("{region}", &shell(&batch.region)).replace("{key_id}", "KEY_ID");
        if condition.keys.len() < batch.keys.len() {
            lines.extend(condition.keys.iter().map(|key| format!("  - {}", markdown_code(key))));
        }
        lines.extend(condition.command.iter().map(|command| format!("  {}", markdown_code(&filled(command)))));
    }
    let send = match batch.destination.is_some() && batch.window.is_some() {
        true => ("- [ ] Send the ticket, and wait until the window is confirmed", "- [ ] 提交工单，并等待窗口得到确认"),
        false => (
            "- [ ] Plan again when there is an instance and a window: no ticket can be written yet",
            "- [ ] 具备目标实例和窗口后重新制定计划：目前无法生成工单",
        ),
    };
    lines.push(lang.pick(send.0, send.1).to_owned());
    lines.push(format!("\n{}\n", lang.pick("After the window", "窗口之后")));
    lines.push(lang.pick(
        "- [ ] See that each key is listed in the instance (console of the new version, Keys), and that it decrypts",
        "- [ ] 在新版控制台密钥页确认每个密钥已在实例中，并验证可以解密",
    ).to_owned());
    if let Some(day) = &batch.change_applications_by {
        lines.push(match lang {
            Lang::En => format!("- [ ] Change the applications by {day}"),
            Lang::Zh => format!("- [ ] 于 {day} 之前完成应用改造"),
        });
    }
    if batch.keys.iter().any(|key| key.class != super::candidate::MIGRATABLE) {
        lines.push(
            lang.pick("- [ ] Restore rotation (list disable-rotation)", "- [ ] 恢复轮转（见 disable-rotation 清单）")
                .to_owned(),
        );
    }
    lines.push(format!("\n{}\n\n```text", lang.pick("Keys", "密钥")));
    lines.extend(batch.keys.iter().map(|key| crate::write::safe::visible(&key.key_id).into_owned()));
    lines.push("```".to_owned());
    lines
}

fn work(list: &Worklist, lang: Lang) -> Vec<String> {
    let mut lines = vec![format!("\n## {}\n", name_of(list.name, lang))];
    for item in &list.items {
        lines.push(format!("{}: {}\n", escaped(item.title.get(lang)), escaped(item.what.get(lang))));
        for row in item.rows.iter().take(MOST) {
            let mut parts: Vec<String> = Vec::new();
            parts.extend((!row.due.is_empty()).then(|| escaped(&row.due)));
            parts.extend((!row.key_id.is_empty()).then(|| markdown_code(&row.key_id)));
            parts.extend((!row.applications.is_empty()).then(|| escaped(&row.applications.join(", "))));
            parts.extend((!row.owner.is_empty()).then(|| escaped(&row.owner)));
            parts.extend((!row.batch.is_empty()).then(|| escaped(&row.batch)));
            parts.extend((!row.found.is_empty()).then(|| escaped(&row.found)));
            parts.extend((!row.command.is_empty()).then(|| markdown_code(&row.command)));
            parts.extend(
                (!row.command_after.is_empty())
                    .then(|| format!("{} {}", lang.pick("afterwards", "之后"), markdown_code(&row.command_after))),
            );
            lines.push(format!("- [ ] {}", parts.join(" · ")));
        }
        if let more @ 1.. = item.rows.len().saturating_sub(MOST) {
            let file = format!("{}.csv", file_name(list.name));
            lines.push(match lang {
                Lang::En => format!("- … and {more} more; `{file}` has all"),
                Lang::Zh => format!("- …… 另有 {more} 条，见 `{file}`"),
            });
        }
        lines.push(String::new());
    }
    lines
}
