//! What the ticket of a batch says: which keys go where and when, what is done and confirmed before, what is done afterwards.
//!
//! A ticket names each key once, in its list; elsewhere keys are told by their numbers in it. So an id is never in two
//! tickets, and a batch takes as little room as it can.

use std::collections::{BTreeMap, HashMap};

use crate::engine::facts::Lang;
use crate::plan::model::{Basis, Batch, Before, Plan, PlannedKey};
use crate::write::safe::{shell, visible};

use super::payload::Mark;
use super::text::{Block, Change, Item, Line, Ticket};
use super::times::{Times, utc};

/// A batch that may be sent, with what was read of it.
#[derive(Debug, Clone)]
pub(super) struct Migration<'p> {
    /// The plan.
    pub(super) plan: &'p Plan,
    /// The batch.
    pub(super) batch: &'p Batch,
    /// The KMS instance to which the keys go.
    pub(super) destination: &'p str,
    /// When.
    pub(super) times: Times,
    /// Commands that set back what was changed, with the hole `{key_id}`, and the keys of each.
    pub(super) restore: Vec<(String, Vec<&'p str>)>,
    /// The language.
    pub(super) lang: Lang,
}

/// Commands that set back what was changed for batches, by the ids of these; see [`Migration::restore`].
pub(super) fn restore_commands(plan: &Plan) -> HashMap<&str, Vec<(String, Vec<&str>)>> {
    let mut batches: HashMap<&str, Vec<(String, Vec<&str>)>> = HashMap::new();
    let items = plan.worklists.iter().flat_map(|list| &list.items);
    for row in items.flat_map(|item| &item.rows) {
        if row.command_after.is_empty() || row.key_id.is_empty() || row.batch.is_empty() {
            continue;
        }
        let command = row.command_after.replace(&row.key_id, "{key_id}");
        let commands = batches.entry(&row.batch).or_default();
        match commands.iter_mut().find(|(known, _)| *known == command) {
            Some((_, keys)) => keys.push(&row.key_id),
            None => commands.push((command, vec![&row.key_id])),
        }
    }
    batches
}

/// Some keys of a batch.
struct Part<'m, 'p> {
    of: &'m Migration<'p>,
    keys: &'m [&'p PlannedKey],
    mark: &'m Mark,
}

impl<'p> Migration<'p> {
    /// The ticket for some keys of the batch.
    pub(super) fn ticket(&self, keys: &[&'p PlannedKey], mark: &Mark) -> Ticket {
        let part = Part { of: self, keys, mark };
        let change = Change {
            times: self.times.clone(),
            implementation: part.implementation(),
            backout: part.backout(),
            test: part.test(),
        };
        Ticket { mark: mark.clone(), title: part.title(), blocks: part.blocks(), change: Some(change) }
    }
}

/// `part 1 of 2`, where there are several.
pub(super) fn part_words(mark: &Mark, lang: Lang) -> Option<String> {
    let (part, parts) = (mark.part, mark.parts);
    let words = || match lang {
        Lang::En => format!("part {part} of {parts}"),
        Lang::Zh => format!("第 {part} 部分，共 {parts} 部分"),
    };
    (parts > 1).then(words)
}

/// `1 key`, `2 keys`.
pub(super) fn key_count(count: usize, lang: Lang) -> String {
    match lang {
        Lang::En if count == 1 => "1 key".to_owned(),
        Lang::En => format!("{count} keys"),
        Lang::Zh => format!("{count} 个密钥"),
    }
}

/// What stands between members of a list.
pub(super) fn comma(lang: Lang) -> &'static str {
    lang.pick(", ", "、")
}

/// Numbers in order, runs of them as ranges: `1–3, 7`.
fn ranges(numbers: &[usize], lang: Lang) -> String {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for number in numbers {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *number => *last = *number,
            _ => runs.push((*number, *number)),
        }
    }
    let shown = runs.iter().map(|(first, last)| match last - first {
        0 => first.to_string(),
        1 => format!("{first}{}{last}", comma(lang)),
        _ => format!("{first}–{last}"),
    });
    shown.collect::<Vec<_>>().join(comma(lang))
}

impl Part<'_, '_> {
    fn pick(&self, en: &'static str, zh: &'static str) -> &'static str {
        self.of.lang.pick(en, zh)
    }

    fn words(&self, en: &'static str, zh: &'static str) -> Line {
        Line::words(self.pick(en, zh))
    }

    fn heading(&self, en: &'static str, zh: &'static str) -> Block {
        Block::Heading(self.pick(en, zh).to_owned())
    }

    /// The applications that use the keys.
    fn applications(&self) -> Vec<&str> {
        let mut all: Vec<&str> = self.keys.iter().flat_map(|key| &key.applications).map(String::as_str).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    fn title(&self) -> String {
        let Migration { batch, destination, lang, .. } = self.of;
        let (region, keys) = (&batch.region, key_count(self.keys.len(), *lang));
        let part = part_words(self.mark, *lang);
        let title = match lang {
            Lang::En => {
                let part = part.map(|part| format!(", {part}")).unwrap_or_default();
                format!("KMS CMK migration: {region}, {keys} to {destination} (batch {}{part})", batch.id)
            }
            Lang::Zh => {
                let part = part.map(|part| format!("，{part}")).unwrap_or_default();
                format!("KMS 密钥迁移：{region}，{keys}迁移至 {destination}（批次 {}{part}）", batch.id)
            }
        };
        visible(&title).into_owned()
    }

    fn blocks(&self) -> Vec<Block> {
        let mut blocks = vec![Block::Paragraph(self.request()), Block::List(self.facts())];
        blocks.push(Block::Heading(match self.of.lang {
            Lang::En => format!("CMK IDs ({})", self.keys.len()),
            Lang::Zh => format!("密钥 ID（{} 个）", self.keys.len()),
        }));
        blocks.push(Block::Code(self.keys.iter().map(|key| key.key_id.clone()).collect()));
        let (steps, conditions) = (self.steps(), self.conditions());
        if !steps.is_empty() {
            blocks.push(self.heading("To be done before the window", "时间窗口之前须完成"));
            blocks.push(Block::Checks(steps));
        }
        if !conditions.is_empty() {
            blocks.push(self.heading("To be confirmed before the window", "时间窗口之前须确认"));
            blocks.push(Block::Checks(conditions));
        }
        blocks.push(self.heading("After the migration", "迁移之后"));
        blocks.push(Block::Checks(self.afterwards()));
        blocks.push(Block::Paragraph(self.words("Plan: ", "计划：").data(&self.of.plan.digest)));
        blocks
    }

    fn request(&self) -> Line {
        let line = self.words(
            "Please migrate these CMKs from the default KMS instance to the KMS instance named below, within the migration time window.",
            "请在迁移时间窗口内，将以下用户主密钥（CMK）从默认 KMS 实例迁移至下述目标 KMS 实例。",
        );
        let Some(part) = part_words(self.mark, self.of.lang) else { return line };
        let (before, behind) = match self.of.lang {
            Lang::En => (format!(" This is {part} of batch "), "; it is complete in itself."),
            Lang::Zh => (format!("本工单为{part}，属于批次 "), "，内容自成一体。"),
        };
        line.say(&before).data(&self.of.batch.id).say(behind)
    }

    /// What the vendor must know beside the ids, one a line.
    fn facts(&self) -> Vec<Item> {
        let Migration { plan, batch, destination, times, .. } = self.of;
        let account = account_line(batch.account_id.as_deref(), self.of.lang);
        let mut facts = vec![
            account,
            self.words("Region: ", "地域：").data(&batch.region),
            self.words("Destination KMS instance: ", "目标 KMS 实例：").data(destination),
            self.words("Migration time window (UTC): ", "迁移时间窗口（UTC）：")
                .data(&utc(times.start))
                .say(self.pick(" to ", " 至 "))
                .data(&utc(times.end)),
            self.words("The same in local time: ", "对应的当地时间：")
                .data(&times.local_start)
                .say(self.pick(" to ", " 至 "))
                .data(&times.local_end)
                .say(self.pick(", ", "，"))
                .data(&plan.settings.time_zone),
            self.basis(),
        ];
        facts.extend(self.rotation_deadline());
        facts.extend(self.split_applications());
        facts.extend(self.key_specs());
        let mut facts: Vec<Item> = facts.into_iter().map(Item::from).collect();
        let remarks = self.of.batch.remarks.iter();
        facts.extend(remarks.filter_map(|told| self.about(told.text.get(self.of.lang), None, &texts(&told.keys))));
        facts
    }

    /// The specs of the keys that are known: what the instance must offer.
    fn key_specs(&self) -> Option<Line> {
        let mut of_spec: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for key in self.keys {
            if let Some(spec) = &key.key_spec {
                of_spec.entry(spec).or_default().push(&key.key_id);
            }
        }
        let mut line = self.words("Key specs: ", "密钥规格：");
        for (at, (spec, keys)) in of_spec.iter().enumerate() {
            let which = self.which(keys).unwrap_or_default();
            line = if at > 0 { line.say(comma(self.of.lang)) } else { line };
            line = line.data(spec).say(&match self.of.lang {
                Lang::En => format!(" ({which})"),
                Lang::Zh => format!("（{which}）"),
            });
        }
        (!of_spec.is_empty()).then_some(line)
    }

    /// What the window rests on.
    fn basis(&self) -> Line {
        let Migration { plan, batch, lang, .. } = self.of;
        let basis = batch.window.as_ref().map(|window| window.basis);
        let line = match (basis, plan.settings.has_calendar) {
            (Some(Basis::Evidence), _) => self.words(
                "The window is the quietest slot that is free, by the audit logs.",
                "该窗口是根据审计日志选出的、可用时段中最空闲的一段。",
            ),
            (_, true) => self.words(
                "The window is the first free slot of the calendar; no audit logs say how busy it is, and off-peak hours are advised.",
                "该窗口是日历中第一个可用时段；没有审计日志说明其繁忙程度，建议选择业务低峰期。",
            ),
            (_, false) => self.words(
                "The window is the first free slot; neither calendar nor audit logs say how busy it is, and off-peak hours are advised.",
                "该窗口是第一个可用时段；既无日历也无审计日志说明其繁忙程度，建议选择业务低峰期。",
            ),
        };
        let Some((load, calls)) = batch.load.as_ref().and_then(|load| Some((load, load.calls_in_window?))) else {
            return line;
        };
        let average = load.calls_in_average_window;
        line.say(&match lang {
            Lang::En => format!(" Calls to expect of the whole batch: {calls}, in an average window {average}."),
            Lang::Zh => format!("整个批次预计调用 {calls} 次，平均时段为 {average} 次。"),
        })
    }

    fn rotation_deadline(&self) -> Option<Line> {
        let first = self.keys.iter().filter_map(|key| key.rotation_deadline.as_deref()).min()?;
        let line = self.words("Rotation deadline: ", "轮转期限：").data(first);
        Some(line.say(self.pick(
            "; a key that rotates before it is migrated can no longer be migrated",
            "；迁移之前发生轮转的密钥将无法再迁移",
        )))
    }

    /// The applications that use keys of other batches, too: with one migration their work is not done.
    fn split_applications(&self) -> Option<Line> {
        let applications = self.applications();
        let mut split: Vec<&str> = texts(&self.of.batch.split_applications);
        split.retain(|application| applications.contains(application));
        let line = self.words("Applications that use keys of other batches, too: ", "同时使用其他批次密钥的应用：");
        (!split.is_empty()).then(|| line.list(split, comma(self.of.lang)))
    }

    /// Which keys of the list are named, in words; nothing if none is.
    fn which(&self, named: &[&str]) -> Option<String> {
        let is_named = |(at, key): (usize, &&PlannedKey)| named.contains(&key.key_id.as_str()).then_some(at + 1);
        let numbers: Vec<usize> = self.keys.iter().enumerate().filter_map(is_named).collect();
        let (all, numbers_of) = (numbers.len() == self.keys.len(), ranges(&numbers, self.of.lang));
        let words = match self.of.lang {
            Lang::En if all => "all keys".to_owned(),
            Lang::En if numbers.len() == 1 => format!("key no. {numbers_of} of the list"),
            Lang::En => format!("keys no. {numbers_of} of the list"),
            Lang::Zh if all => "全部密钥".to_owned(),
            Lang::Zh => format!("列表中第 {numbers_of} 个密钥"),
        };
        (!numbers.is_empty()).then_some(words)
    }

    /// Something to do with keys of the list; nothing if it is about none of them.
    fn about(&self, what: &str, command: Option<&str>, named: &[&str]) -> Option<Item> {
        let which = self.which(named)?;
        let line = match self.of.lang {
            Lang::En => Line::words(what).say(&format!(" ({which})")),
            Lang::Zh => Line::words(what).say(&format!("（{which}）")),
        };
        Some(Item { line, command: command.map(|command| self.filled(command)) })
    }

    /// A command for this region, in which `KEY_ID` stands for each of the keys.
    fn filled(&self, command: &str) -> String {
        command.replace("{region}", &shell(&self.of.batch.region)).replace("{key_id}", "KEY_ID")
    }

    fn steps(&self) -> Vec<Item> {
        let steps = self.of.batch.steps_before.iter().filter(|step| step.before == Before::Window);
        steps.filter_map(|step| self.about(step.what.get(self.of.lang), None, &texts(&step.keys))).collect()
    }

    fn conditions(&self) -> Vec<Item> {
        let item = |condition: &crate::plan::model::Condition| {
            let what = condition.confirm.get(self.of.lang);
            self.about(what, condition.command.as_deref(), &texts(&condition.keys))
        };
        self.of.batch.conditions.iter().filter_map(item).collect()
    }

    fn afterwards(&self) -> Vec<Item> {
        let mut items = vec![Item::from(self.change_applications())];
        items.extend(self.restore());
        items
    }

    fn change_applications(&self) -> Line {
        let Migration { plan, batch, lang, .. } = self.of;
        let months = plan.settings.months_to_change_applications;
        let span = match (lang, months) {
            (Lang::En, 1) => "one calendar month".to_owned(),
            (Lang::En, _) => format!("{months} calendar months"),
            (Lang::Zh, 1) => "一个自然月".to_owned(),
            (Lang::Zh, _) => format!("{months} 个自然月"),
        };
        let day = batch.change_applications_by.as_deref();
        let line = match (lang, day) {
            (Lang::En, Some(day)) => Line::words("Applications must be changed by ")
                .data(day)
                .say(&format!(" ({span} after the migration): ")),
            (Lang::En, None) => Line::words(&format!("Applications must be changed within {span} of the migration: ")),
            (Lang::Zh, Some(day)) => {
                Line::words("应用须在 ").data(day).say(&format!(" 之前（含当日，迁移后{span}内）完成改造："))
            }
            (Lang::Zh, None) => Line::words(&format!("应用须在迁移后{span}内完成改造：")),
        };
        match self.applications() {
            none if none.is_empty() => line.say(
                self.pick("all that use these keys; the inventory names none", "所有使用这些密钥的应用；清单中未列出"),
            ),
            applications => line.list(applications, comma(*lang)),
        }
    }

    /// What was changed for the migration and is set back: one item for all keys with the same command.
    fn restore(&self) -> Vec<Item> {
        let what = self.pick("Restore what was changed for the migration", "恢复为迁移而更改的设置");
        self.of.restore.iter().filter_map(|(command, keys)| self.about(what, Some(command), keys)).collect()
    }

    fn implementation(&self) -> Vec<Block> {
        let Migration { destination, times, .. } = self.of;
        let prepare = self.words(
            "Do and confirm what the description lists for the time before the window.",
            "完成并确认说明中列出的、时间窗口之前的全部事项。",
        );
        let ticket = self.words(
            "Technical support of Alibaba Cloud migrates the keys in the window, ordered by ticket: ",
            "由阿里云技术支持根据工单在时间窗口内迁移密钥：",
        );
        let ticket = ticket
            .data(&utc(times.start))
            .say(self.pick(" to ", " 至 "))
            .data(&utc(times.end))
            .say(self.pick(", to ", "，目标实例 "))
            .data(destination);
        let steps = [prepare, ticket].into_iter().map(Item::from).chain(self.afterwards());
        vec![Block::List(steps.collect())]
    }

    fn backout(&self) -> Vec<Block> {
        let before = self.words(
            "Until the window begins: have technical support cancel the ticket, and restore what was changed for it.",
            "时间窗口开始之前：请技术支持取消工单，并恢复为迁移而更改的设置。",
        );
        let behind = self.words(
            "After the migration: the vendor's page names no way back. Data that was encrypted with the keys can still be decrypted with them.",
            "迁移之后：厂商文档未提供回退方法。已用这些密钥加密的数据仍可用它们解密。",
        );
        vec![Block::List(vec![before.into(), behind.into()])]
    }

    fn test(&self) -> Vec<Block> {
        let console = self
            .words(
                "The Keys page of the new console lists every key under the KMS instance ",
                "新版控制台的密钥页面中，所有密钥均列于以下 KMS 实例之下：",
            )
            .data(self.of.destination);
        let api = self.words(
            "For every key, this shows the instance as `DKMSInstanceId`:",
            "对每个密钥，以下命令的 `DKMSInstanceId` 为该实例：",
        );
        let api =
            Item { line: api, command: Some(self.filled("aliyun kms DescribeKey --region {region} --KeyId {key_id}")) };
        let data = self.words(
            "What was encrypted with each key before can be decrypted.",
            "用每个密钥在迁移前加密的数据可以解密。",
        );
        vec![Block::List(vec![console.into(), api, data.into()])]
    }
}

/// The account, or that nobody says which it is.
pub(super) fn account_line(account_id: Option<&str>, lang: Lang) -> Line {
    let line = Line::words(lang.pick("Account UID: ", "阿里云账号 UID："));
    match account_id.filter(|id| !id.is_empty()) {
        Some(account_id) => line.data(account_id),
        None => line.say(lang.pick("the inventory does not say", "清单中未注明")),
    }
}

fn texts(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_a_row_are_a_range() {
        assert_eq!(ranges(&[1, 2, 3, 5, 7, 8], Lang::En), "1–3, 5, 7, 8");
        assert_eq!(ranges(&[4], Lang::Zh), "4");
        assert_eq!(ranges(&[], Lang::En), "");
    }
}
