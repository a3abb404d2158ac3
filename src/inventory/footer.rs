//! Rows of tables that are no records: header lines that stand there again, totals, and what people and programs write
//! above and below a table.

use unicode_normalization::UnicodeNormalization as _;

use super::row::{Cells, Names, Row};
use crate::domains::cmk::fields::Field;
use crate::domains::spelling::{is_unknown, plain};

/// Whether a row of a table is a header line: files are put together so.
pub fn is_header(row: Row<'_>, key_id: &str) -> bool {
    matches!(row.cells, Cells::Table(_)) && matches!(Field::from_header(key_id), Some(Field::KeyId | Field::Arn))
}

/// Whether a row repeats the header line of its table, cell by cell.
pub fn is_header_again(names: &Names, row: Row<'_>) -> bool {
    let Cells::Table(table) = row.cells else { return false };
    names.as_slice().iter().enumerate().all(|(at, name)| table.text(at).trim_start_matches('\u{feff}').trim() == name)
}

/// Whether a row is a header line whose columns stand in another order: most of its cells name fields, and one a key.
pub fn is_other_header(row: Row<'_>) -> bool {
    let Cells::Table(table) = row.cells else { return false };
    // Where other rows are longer, blank cells stand behind.
    let cells = (0..table.len().min(64)).filter_map(|at| table.cell(at).text());
    let (mut filled, mut named) = (0, Vec::new());
    for cell in cells {
        filled += 1;
        named.extend(Field::from_header(cell));
    }
    2 * named.len() > filled && filled > 1 && named.iter().any(|field| matches!(field, Field::KeyId | Field::Arn))
}

/// Ids of keys are longer than this.
pub const SHORTEST_ID: usize = 10;

/// Whether a row of a table sums up those above it: its first text is a word for that, and it names no key.
pub fn is_total(row: Row<'_>) -> bool {
    let Cells::Table(table) = row.cells else { return false };
    let first = (0..table.len()).find_map(|at| table.cell(at).text());
    first.is_some_and(is_word_for_total)
}

/// Whether a text is what people write before a sum, alone or followed by numbers.
pub fn is_word_for_total(text: &str) -> bool {
    // Key ids are many, and few texts begin like these.
    let first = text.bytes().next().map_or(b' ', |first| first.to_ascii_lowercase());
    if text.len() > 64 || first.is_ascii() && !matches!(first, b't' | b's' | b'g') {
        return false;
    }
    let word: String = text.chars().filter(|c| c.is_alphabetic()).flat_map(char::to_lowercase).collect();
    matches!(
        word.as_str(),
        "total"
            | "totals"
            | "sum"
            | "subtotal"
            | "grandtotal"
            | "totalkeys"
            | "合计"
            | "总计"
            | "小计"
            | "共计"
            | "总数"
            | "汇总"
    )
}

/// The text of a row that is a title or a footer: nothing else stands in the row, and no key is named so. Of a table
/// with one column every row has one text, so that only a few words tell.
pub fn footer<'a>(names: &Names, row: Row<'a>) -> Option<&'a str> {
    let Cells::Table(table) = row.cells else { return None };
    let text = table.cell(0).text()?;
    if text.len() > MAX_FOOTER || text.starts_with("alias/") || text.starts_with("acs:") {
        return None;
    }
    // Nearly every record has a second text, which is all that is looked at then.
    if (1..table.len()).any(|at| table.cell(at).text().is_some()) {
        return None;
    }
    let is_prose = names.as_slice().len() > 1 && text.chars().any(|c| c.is_whitespace() || is_wide(c));
    (is_prose || is_closing(text)).then_some(text)
}

/// Whether a row has one text alone, which continues the row above it rather than to name a key.
pub fn is_alone(row: Row<'_>) -> bool {
    let Cells::Table(table) = row.cells else { return false };
    (0..table.len()).filter(|at| table.cell(*at).text().is_some()).nth(1).is_none()
}

/// Whether a text in the place of an id stands for the one above it.
pub fn is_ditto(text: &str) -> bool {
    const MARKS: &[char] = &['"', '\'', '〃', '“', '”', '″', '↑', '^', '-', '–', '—', '…', '.', '同', '上'];
    let word = plain(text);
    text.chars().all(|c| MARKS.contains(&c))
        || matches!(
            word.as_str(),
            "ditto" | "same" | "sameasabove" | "asabove" | "idem" | "dto" | "do." | "(同上)" | "（同上）" | "同前"
        )
        || is_unknown(text)
}

/// Whether a text says that rows are missing.
pub fn tells_of_more(text: &str) -> bool {
    let lower = text.to_lowercase();
    let words = [
        "more row",
        "more record",
        "more key",
        "more item",
        "more result",
        "truncated",
        "omitted",
        "未显示",
        "已截断",
        "省略",
        "未完",
    ];
    words.iter().any(|word| lower.contains(word)) || lower.starts_with("error")
}

/// Longer texts are no titles, but records that were cut wrongly.
const MAX_FOOTER: usize = 2048;

/// Whether a character is Chinese, Japanese or Korean, or wide punctuation.
fn is_wide(c: char) -> bool {
    matches!(c, '\u{2e80}'..='\u{9fff}' | '\u{ac00}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe4f}' | '\u{ff00}'..='\u{ffef}' | '\u{20000}'..='\u{3ffff}')
}

/// Whether a text is one that programs and people write below a list.
fn is_closing(text: &str) -> bool {
    if text.len() > 64 {
        return false;
    }
    let narrow: String = text.nfkc().collect();
    let word: String = narrow.chars().filter(|c| c.is_alphabetic()).flat_map(char::to_lowercase).collect();
    let has_number = narrow.contains(|c: char| c.is_ascii_digit());
    match word.as_str() {
        "row" | "rows" | "rowinset" | "rowsinset" | "rowselected" | "rowsselected" | "record" | "records" | "keys"
        | "recordsselected" | "共条" | "共个" | "共条记录" | "共个密钥" | "共行" | "条记录" => {
            has_number
        }
        "合计条" | "合计个" | "总计条" | "总计个" | "共计条" | "共计个" | "totalkeys" | "totalkey" | "totalrows"
        | "totalrecords" | "confidential" | "internal" | "internaluseonly" | "end" | "eof" | "endofreport"
        | "endoffile" | "endoflist" | "endofdata" | "机密" | "内部资料" | "以下空白" | "完" | "结束" => {
            true
        }
        _ => is_word_for_total(&narrow),
    }
}

/// A text in a note.
pub fn quoted(text: &str) -> String {
    const SHOWN: usize = 60;
    let line: String = text.chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let more = if text.chars().nth(SHOWN).is_some() { "…" } else { "" };
    format!("`{line}{more}`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::row::{RecordKind, Table, Writing};

    fn is_footer(columns: usize, cells: &[&str]) -> bool {
        let starts: Vec<u32> = (0..=cells.len()).map(|at| cells[..at].concat().len() as u32).collect();
        let text = cells.concat();
        let table = Table::new(&text, &starts, Writing::Unquoted);
        let names = Names::new(1, vec!["name".to_owned(); columns]);
        let row = Row { line: 1, content: 0, kind: RecordKind::Plain, cells: Cells::Table(table) };
        footer(&names, row).is_some()
    }

    const CLOSING: [&str; 14] = [
        "合计：4条",
        "共4条",
        "（共 ４ 条）",
        "Total: 4 keys",
        "总计 12",
        "Confidential",
        "-- end --",
        "End of report",
        "(4 rows)",
        "4 rows selected",
        "1 row selected.",
        "EOF",
        "机密",
        "合计",
    ];

    #[test]
    fn what_stands_alone_below_a_table_is_told_from_ids() {
        for text in
            CLOSING.iter().chain(&["备注：密钥已核对", "注：以上", "制表人：张三", "Generated by inventory tool 1.2"])
        {
            assert!(is_footer(3, &[text, "", ""]) && is_footer(3, &[text]), "{text}");
            assert!(!is_footer(3, &[text, "", "Aliyun_KMS"]), "{text}");
            assert_eq!(is_footer(1, &[text]), CLOSING.contains(text), "{text}");
        }
        for id in [
            "0f5a1c1e-0000-4000-8000-000000000001",
            "key-hzz62f1cb66fa42qo****",
            "k-1",
            "rows",
            "orders",
            "alias/订单 主密钥",
            "acs:kms:cn-hangzhou:1:key/a b",
            "keys",
            "end-of-life-key",
        ] {
            assert!(!is_footer(3, &[id, "", ""]) && !is_footer(1, &[id]), "{id}");
        }
    }

    #[test]
    fn a_long_text_is_cut_in_notes() {
        assert_eq!(quoted("合计\n4"), "`合计 4`");
        assert_eq!(quoted(&"a".repeat(61)), format!("`{}…`", "a".repeat(60)));
    }
}
