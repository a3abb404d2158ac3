//! What the ticket of a consultation says: the request, where it comes from, and what was found of which keys.

use crate::engine::facts::Lang;
use crate::plan::model::Plan;
use crate::plan::work::{Consultation, ConsultedKey};
use crate::write::safe::visible;

use super::migration::{account_line, comma, key_count, part_words};
use super::payload::Mark;
use super::text::{Block, Item, Line, Ticket};

/// The ticket for some keys of a consultation.
pub(super) fn ticket(plan: &Plan, of: &Consultation, lang: Lang, keys: &[ConsultedKey], mark: &Mark) -> Ticket {
    let title = of.title.get(lang);
    let (count, part) = (key_count(keys.len(), lang), part_words(mark, lang));
    let title = match (lang, part) {
        (Lang::En, None) => format!("KMS: {title} ({count})"),
        (Lang::En, Some(part)) => format!("KMS: {title} ({count}, {part})"),
        (Lang::Zh, None) => format!("KMS：{title}（{count}）"),
        (Lang::Zh, Some(part)) => format!("KMS：{title}（{count}，{part}）"),
    };
    Ticket {
        mark: mark.clone(),
        title: visible(&title).into_owned(),
        blocks: blocks(plan, of, lang, keys),
        change: None,
    }
}

fn blocks(plan: &Plan, of: &Consultation, lang: Lang, keys: &[ConsultedKey]) -> Vec<Block> {
    let request = of.request.get(lang).split('\n').map(Line::words).filter(|line| !line.is_empty());
    let mut blocks: Vec<Block> = request.map(Block::Paragraph).collect();
    let mut facts = vec![Item::from(account_line(of.account_id.as_deref(), lang))];
    facts.extend(of.source.iter().map(|source| {
        let line = Line::words(lang.pick("Source: ", "依据：")).data(&source.document);
        let line =
            if source.section.is_empty() { line } else { line.say(lang.pick(", ", "，")).data(&source.section) };
        let url = source.url.as_deref().filter(|url| !url.is_empty());
        Item::from(match url {
            Some(url) => line.say(lang.pick(", ", "，")).data(url),
            None => line,
        })
    }));
    blocks.push(Block::List(facts));
    blocks.push(Block::Heading(match lang {
        Lang::En => format!("CMK IDs ({})", keys.len()),
        Lang::Zh => format!("密钥 ID（{} 个）", keys.len()),
    }));
    for (first, ids) in groups(keys) {
        blocks.push(Block::Paragraph(found(first, lang)));
        blocks.push(Block::Code(ids));
    }
    blocks.push(Block::Paragraph(Line::words(lang.pick("Plan: ", "计划：")).data(&plan.digest)));
    blocks
}

/// Keys of which the same is said, in the order of the first of each; the first, and all ids.
fn groups(keys: &[ConsultedKey]) -> Vec<(&ConsultedKey, Vec<String>)> {
    let mut groups: Vec<(&ConsultedKey, Vec<String>)> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for key in keys {
        let said = (&key.region, &key.found, &key.applications, key.only_obstacle);
        let place = *places.entry(said).or_insert(groups.len());
        match groups.get_mut(place) {
            Some((_, ids)) => ids.push(key.key_id.clone()),
            None => groups.push((key, vec![key.key_id.clone()])),
        }
    }
    groups
}

/// What is said of keys.
fn found(key: &ConsultedKey, lang: Lang) -> Line {
    let between = lang.pick("; ", "；");
    let mut line = Line::words(lang.pick("Region: ", "地域："));
    line = match key.region.as_str() {
        "" => line.say(lang.pick("the inventory does not say", "清单中未注明")),
        region => line.data(region),
    };
    if !key.found.is_empty() {
        line = line.say(between).say(lang.pick("found: ", "发现：")).data(&key.found);
    }
    if !key.applications.is_empty() {
        let applications = key.applications.iter().map(String::as_str);
        line = line.say(between).say(lang.pick("applications: ", "应用：")).list(applications, comma(lang));
    }
    line.say(between).say(match key.only_obstacle {
        true => lang.pick("nothing else is in the way of the migration", "除此之外没有其他迁移障碍"),
        false => lang.pick("other obstacles remain", "还有其他迁移障碍"),
    })
}
