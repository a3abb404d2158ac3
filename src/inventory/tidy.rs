//! One spelling for each key, account and region, however people and spreadsheets write them: two spellings of one key
//! would be two keys, of which each knows only half.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization as _;

use crate::bytes::{all, equal, hex_letters, within};
use crate::domains::cmk::regions::region_id;
use crate::domains::spelling::{acts, has_row_of_x, masks};

use super::identity::arn_parts;

/// A text without what people and spreadsheets put around an id: blanks, what cannot be seen, quotes, brackets, the
/// apostrophe and the formula that keep a spreadsheet from changing it, a comma or full stop behind it.
#[inline]
pub fn bare(text: &str) -> &str {
    if is_bare(text) { text } else { without_wrapping(text) }
}

#[inline]
fn is_bare(text: &str) -> bool {
    let is_usual = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'*');
    is_usual(text.as_bytes().first()) && is_usual(text.as_bytes().last())
}

#[inline(never)]
fn without_wrapping(text: &str) -> &str {
    let mut bare = text;
    while !is_bare(bare) {
        let before = bare.len();
        bare = bare.trim_matches(|c: char| c.is_whitespace() || acts(c));
        bare = bare.strip_prefix('=').filter(|rest| rest.starts_with(['"', '“'])).unwrap_or(bare);
        let inside = PAIRS.iter().find_map(|(open, close)| bare.strip_prefix(*open)?.strip_suffix(*close));
        bare = inside.unwrap_or(bare);
        bare = bare.strip_prefix(['\'', '’', '‘', '`']).unwrap_or(bare);
        bare = bare.trim_end_matches([',', ';', ':', '，', '；', '：', '。', '\'', '’', '`']);
        // Three stand for what was left out.
        bare = bare.strip_suffix('.').filter(|rest| !rest.ends_with('.')).unwrap_or(bare);
        if bare.len() == before {
            break;
        }
    }
    bare
}

/// What may stand around an id.
const PAIRS: [(char, char); 13] = [
    ('"', '"'),
    ('\'', '\''),
    ('`', '`'),
    ('“', '”'),
    ('”', '“'),
    ('„', '“'),
    ('‘', '’'),
    ('「', '」'),
    ('(', ')'),
    ('（', '）'),
    ('[', ']'),
    ('<', '>'),
    ('【', '】'),
];

/// The text without what cannot be seen, and with full-width letters and digits as others.
fn narrow(text: &str) -> Cow<'_, str> {
    if text.is_ascii() && !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().filter(|c| !acts(*c)).map(|c| if is_dash(c) { '-' } else { c }).nfkc().collect())
}

/// Whether a character is one that word processors make of `-`.
fn is_dash(c: char) -> bool {
    matches!(c, '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}')
}

/// Whether a text has nothing but small letters, digits and `-`.
#[inline]
fn has_usual_letters(text: &str) -> bool {
    all(text, |bytes| within(bytes, b'a', b'z') | within(bytes, b'0', b'9') | equal(bytes, b'-'))
}

/// A UUID has so many characters; ids that KMS gives are no longer.
const UUID_LENGTH: usize = 36;

/// And so many digits; some systems write it without `-`.
const UUID_DIGITS: usize = 32;

/// A key id in its one spelling: a UUID and what begins with `key-` in lower case, without what stands around it.
///
/// # Errors
/// Why it can be no key id.
#[inline]
pub fn key_id(text: &str) -> Result<Cow<'_, str>, &'static str> {
    let is_usual = text.len() <= UUID_LENGTH && text.len() != UUID_DIGITS && is_bare(text) && has_usual_letters(text);
    if is_usual { Ok(Cow::Borrowed(text)) } else { unusual_key_id(text) }
}

fn unusual_key_id(text: &str) -> Result<Cow<'_, str>, &'static str> {
    let bare_text = bare(text);
    if bare_text.contains(|c: char| c.is_whitespace() || c.is_control() || is_line_end(c))
        && !is_uuid(&narrow(bare_text))
    {
        return Err("a key id has no blanks and line breaks in it; give one id in each row");
    }
    let mut id = match narrow(bare_text) {
        Cow::Borrowed(id) => Cow::Borrowed(bare(id)),
        Cow::Owned(id) => Cow::Owned(bare(&id).to_owned()),
    };
    if let Some((_, _, resource)) = arn_parts(&id) {
        id = Cow::Owned(resource.to_owned());
    }
    if let Some(rest) = id.strip_prefix("key/") {
        id = Cow::Owned(rest.to_owned());
    }
    if id.starts_with("alias/") {
        return Err("an alias and not a key id; an alias may be moved from one key to another, so give the id");
    }
    if let Some(inside) = without_marks(&id) {
        id = Cow::Owned(inside);
    }
    if id.len() == UUID_LENGTH && is_uuid(&id.replace(['_', '.'], "-")) {
        id = Cow::Owned(id.replace(['_', '.'], "-"));
    }
    let may_stand = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') || stands_for_left_out(c);
    // One `#` before an id makes a comment of its line.
    if !id.chars().all(may_stand) || id.contains('#') && !id.contains("##") {
        return Err("a key id has letters, digits and `-` only; export the ids as they are");
    }
    let is_given = is_uuid(&id) || id.len() == UUID_DIGITS;
    if !is_given && (names_uuid_and_more(&id) || id.to_ascii_lowercase().matches("key-").count() > 1) {
        return Err(
            "a key id with something else beside it, or more than one; give one id in each row, and nothing else",
        );
    }
    if id.len() == UUID_DIGITS && id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        // A UUID as some systems write it.
        let parts = [&id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..]];
        return Ok(Cow::Owned(parts.join("-").to_ascii_lowercase()));
    }
    if !is_of_form(&id) || !id.contains(|c: char| c.is_ascii_uppercase()) {
        return Ok(id);
    }
    Ok(Cow::Owned(id.to_ascii_lowercase()))
}

fn is_line_end(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

/// Whether a text begins or ends with a whole UUID, and says more.
fn names_uuid_and_more(id: &str) -> bool {
    let is_whole = |part: Option<&str>| part.is_some_and(is_uuid);
    id.len() > UUID_LENGTH && (is_whole(id.get(..UUID_LENGTH)) || is_whole(id.get(id.len() - UUID_LENGTH..)))
}

/// The id in a text that has nothing beside it but marks of lists, comments and bold letters. Of a newer id nobody knows
/// how long it is, so that marks behind it stand for characters that are masked, unless they stand before it, too.
fn without_marks(text: &str) -> Option<String> {
    let is_mark = |c: char| matches!(c, '*' | '_' | '-' | '#' | '+' | '>' | '•' | '●' | '·' | '…' | '.');
    let inside = text.trim_start_matches(is_mark);
    let marks = &text[..text.len() - inside.len()];
    let both = inside.trim_end_matches(is_mark);
    if both.len() < text.len() && is_uuid(both) {
        return Some(both.to_owned());
    }
    let is_newer = inside.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("key-"));
    (is_newer && !marks.is_empty()).then(|| inside.strip_suffix(marks).unwrap_or(inside).to_owned())
}

/// Whether an id has one of the forms that KMS gives, with or without masked characters: case matters in none of them.
fn is_of_form(id: &str) -> bool {
    let starts = |start: &str| id.get(..start.len()).is_some_and(|first| first.eq_ignore_ascii_case(start));
    starts("key-") || id.len() == UUID_LENGTH && DASHES.iter().all(|at| id.as_bytes()[*at] == b'-')
}

/// Whether a character stands for others that somebody has masked or cut off.
fn stands_for_left_out(c: char) -> bool {
    masks(c) || c == '…'
}

/// Whether a part of an id is masked: by asterisks or dots, or by a row of `x`.
pub fn is_masked(id: &str) -> bool {
    // Nearly every id has usual letters only.
    let has_marks = || !has_usual_letters(id) && (id.contains(stands_for_left_out) || id.contains(".."));
    is_cut_uuid(id) || has_row_of_x(id, row_of_x(id)) || has_marks()
}

/// Whether an id is the beginning of a UUID, whose end was cut off.
#[inline]
fn is_cut_uuid(id: &str) -> bool {
    let bytes = id.as_bytes();
    let is_cut = bytes.len() < UUID_LENGTH && bytes.get(8) == Some(&b'-');
    let fits = |(at, byte): (usize, &u8)| match DASHES.contains(&at) {
        true => *byte == b'-',
        false => byte.is_ascii_hexdigit(),
    };
    is_cut && bytes.len() > 9 && bytes.iter().enumerate().all(fits)
}

/// Where a UUID has its dashes.
const DASHES: [usize; 4] = [8, 13, 18, 23];

/// So many x in a row mask an id. Of long ids that KMS gives, one in 80,000 has four of them by chance; UUIDs have none.
fn row_of_x(id: &str) -> usize {
    let is_newer = id.len() >= SHORTEST_NEW && id.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("key-"));
    if is_newer { 6 } else { 4 }
}

/// What is left of a masked id at its beginning and at its end.
pub fn unmasked_ends(id: &str) -> (&str, &str) {
    let (row, lower) = ("x".repeat(row_of_x(id)), id.to_ascii_lowercase());
    let is_mark = |c: char| stands_for_left_out(c) || c == '.';
    let first = id.find(is_mark).into_iter().chain(lower.find(&row)).min().unwrap_or(id.len());
    let behind_mark = id.char_indices().rfind(|(_, c)| is_mark(*c)).map(|(at, c)| at + c.len_utf8());
    let behind_row = lower.rfind(&row).map(|at| at + row.len());
    let last = behind_mark.into_iter().chain(behind_row).max().unwrap_or(id.len());
    (&id[..first], &id[last..])
}

/// Whether nothing of an id is left, so that it cannot be told from any other.
pub fn is_nothing_but_mask(id: &str) -> bool {
    let is_mark = |c: char| stands_for_left_out(c) || matches!(c, '-' | '_' | '.' | 'x' | 'X');
    id.chars().all(is_mark) || ["masked", "redacted", "hidden"].iter().any(|word| id.eq_ignore_ascii_case(word))
}

/// What a text of an account id stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope<'a> {
    /// This.
    Is(Cow<'a, str>),
    /// Nobody knows what, and why.
    Unclear(&'static str),
}

/// Whether something stands on several lines, once what is around it is gone.
fn has_line_breaks(text: &str) -> bool {
    bare(text).contains(|c: char| c.is_control() || is_line_end(c))
}

/// An account id in its one spelling: digits as they are, without blanks between them and a decimal point behind them.
pub fn account_id(text: &str) -> Scope<'_> {
    let usual = |bytes| within(bytes, b'0', b'9');
    if text.bytes().all(|byte| byte.is_ascii_digit()) && all(text, usual) {
        return Scope::Is(Cow::Borrowed(text));
    }
    if has_line_breaks(text) {
        return Scope::Unclear("more than one line, so nobody knows which account it is");
    }
    let id = narrow(bare(text));
    if is_masked(&id) {
        return Scope::Unclear("masked, so nobody knows which account it is");
    }
    let whole = id.strip_suffix(".0").or_else(|| id.strip_suffix(".00")).unwrap_or(&id);
    let separates = |c: char| c.is_whitespace() || matches!(c, ',' | '-' | '\'' | '_');
    let digits: String = whole.chars().filter(|c| !separates(*c)).collect();
    if let Some(all) = all_digits(&digits) {
        return Scope::Is(Cow::Owned(all));
    }
    if digits.len() >= 10 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Scope::Is(Cow::Owned(digits));
    }
    Scope::Is(id)
}

/// The digits of an account id that stands there with an exponent (`1.540355698841234E15`), if none is missing.
fn all_digits(text: &str) -> Option<String> {
    const DIGITS: usize = 16;
    let (mantissa, exponent) = text.split_once(['E', 'e'])?;
    let (first, rest) = mantissa.split_once('.')?;
    let is_whole = exponent.trim_start_matches('+') == "15" && first.len() == 1 && rest.len() == DIGITS - 1;
    let digits = format!("{first}{rest}");
    (is_whole && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(digits)
}

/// A region in its one spelling: its id.
pub fn region(text: &str) -> Scope<'_> {
    let usual = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if text.is_empty() || text.contains('-') && text.chars().all(usual) {
        return Scope::Is(Cow::Borrowed(text));
    }
    if has_line_breaks(text) {
        return Scope::Unclear("more than one line, so nobody knows which region it is");
    }
    let name = narrow(bare(text));
    if let Some(id) = region_id(&name) {
        return Scope::Is(Cow::Borrowed(id));
    }
    let lower = name.to_ascii_lowercase().replace('_', "-");
    if lower.contains('-') && lower.chars().all(usual) {
        return Scope::Is(Cow::Owned(lower));
    }
    Scope::Unclear("no region that is known; write its id, such as cn-hangzhou")
}

/// The keys that a text names in a place for one: the id, or, where it is none, all that might be ids in it; an alias
/// stands for the key that has it.
pub fn key_ids_of(text: &str) -> Vec<String> {
    // What cannot be seen may stand between two ids.
    let found: Vec<String> = text.split(acts).flat_map(key_ids_in).collect();
    if found.len() > 1 {
        return found;
    }
    if let Ok(id) = key_id(text) {
        return vec![id.into_owned()];
    }
    if let Some(alias) = alias_in(text) {
        return vec![alias.to_owned()];
    }
    let narrow = narrow(text);
    let pieces = narrow.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '*')));
    pieces.filter(|piece| !piece.is_empty()).filter_map(|piece| key_id(piece).ok().map(Cow::into_owned)).collect()
}

/// The alias that a text is, or that it names as an ARN.
pub fn alias_in(text: &str) -> Option<&str> {
    let text = bare(text);
    let named = arn_parts(text).map_or(text, |(_, _, resource)| resource);
    named.starts_with("alias/").then_some(named)
}

/// What looks like a key id in any text, however broken: UUIDs and `key-…`, in their one spelling, also where something
/// is glued to them.
pub fn key_ids_in(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    words.map(|word| word.trim_matches('-')).flat_map(key_ids_in_word)
}

fn key_ids_in_word(word: &str) -> Vec<String> {
    if word.len() < SHORTEST_NAMED {
        return Vec::new();
    }
    if is_uuid(word) || word.len() == UUID_DIGITS && word.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return key_id(word).map(Cow::into_owned).into_iter().collect();
    }
    let mut found = Vec::new();
    if let Some(at) = word.to_ascii_lowercase().find("key-").filter(|at| is_new_id(&word[*at..])) {
        found.push(word[at..].to_ascii_lowercase());
    }
    let mut from = 0;
    while let Some(part) = word.get(from..from + UUID_LENGTH) {
        let is_whole = is_uuid(part);
        found.extend(is_whole.then(|| part.to_ascii_lowercase()));
        from += if is_whole { UUID_LENGTH } else { 1 };
    }
    found
}

/// The keys that any text names, however broken: by what looks like an id, in full or masked, and by aliases.
pub fn keys_named_in(text: &str) -> impl Iterator<Item = String> {
    let separates = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || matches!(
                c,
                ',' | ';'
                    | '"'
                    | '\''
                    | '('
                    | ')'
                    | '['
                    | ']'
                    | '{'
                    | '}'
                    | '，'
                    | '；'
                    | '、'
                    | '（'
                    | '）'
                    | '：'
                    | '='
            )
    };
    let words = text.split(separates).map(bare);
    let named = words.filter_map(|word| {
        let alias = alias_in(word).or_else(|| word.find("alias/").map(|at| &word[at..]));
        alias.map(str::to_owned).or_else(|| masked_key_id(word))
    });
    key_ids_in(text).chain(named)
}

/// A masked id of which enough is left to tell it from words, in its one spelling.
fn masked_key_id(word: &str) -> Option<String> {
    let may_be = |id: &Cow<'_, str>| id.len() <= LONGEST_MASKED && is_masked(id) && !is_nothing_but_mask(id);
    let id = key_id(word).ok().filter(may_be)?;
    id.bytes().any(|byte| byte.is_ascii_digit()).then(|| id.into_owned())
}

/// Whether an id has a form that KMS gives, and no part of it is masked. No two keys have the same.
pub fn is_given_by_kms(id: &str) -> bool {
    is_uuid(id) || is_new_id(id) && id.len() >= SHORTEST_NEW && !is_masked(id)
}

/// No longer word is taken for a masked id where it stands among others.
const LONGEST_MASKED: usize = 64;

/// No shorter word is taken for a key id where it stands among others.
const SHORTEST_NAMED: usize = 12;

/// Newer ids have about 24 characters; shorter ones are made up.
const SHORTEST_NEW: usize = 20;

/// Whether a word has the form of older key ids.
#[inline]
pub fn is_uuid(word: &str) -> bool {
    let bytes = word.as_bytes();
    let of_uuid = |bytes| hex_letters(bytes) | within(bytes, b'0', b'9') | equal(bytes, b'-');
    bytes.len() == UUID_LENGTH
        && DASHES.iter().all(|at| bytes[*at] == b'-')
        && all(word, of_uuid)
        && memchr::memchr_iter(b'-', bytes).count() == DASHES.len()
}

/// Whether a word has the form of newer key ids.
pub fn is_new_id(word: &str) -> bool {
    let starts = word.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("key-"));
    starts && word.len() >= SHORTEST_NAMED && word.bytes().any(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "0f5a1c1e-8a51-4b0e-9a5e-3d0c6a7b1f01";

    #[test]
    fn a_key_id_has_one_spelling() {
        let upper = UUID.to_uppercase();
        for text in [
            UUID,
            &upper,
            &format!("\u{feff}{UUID}"),
            &format!("{UUID}\u{200b}"),
            &format!("0f5a\u{ad}{}", &UUID[4..]),
            &format!("'{UUID}"),
            &format!("=\"{UUID}\""),
            &format!("\"{UUID}\""),
            &format!("“{UUID}”"),
            &format!("`{UUID}`"),
            &format!("({UUID})"),
            &format!("key/{UUID}"),
            &format!("acs:kms:cn-hangzhou:1:key/{UUID}"),
            &format!("{UUID}."),
            &format!(" \u{a0}{UUID}, "),
            &format!("\u{3000}{UUID}；"),
            &format!("**{UUID}**"),
            &format!("_{UUID}_"),
            &format!("- {UUID}").replace(' ', ""),
            &format!("#{UUID}"),
            &format!("•{UUID}"),
            &format!("…{UUID}"),
            &UUID.replace('-', ""),
            &UUID.replace('-', "\u{2013}"),
            &UUID.replace('-', "\u{2010}"),
            "０ｆ５ａ１ｃ１ｅ－８ａ５１－４ｂ０ｅ－９ａ５ｅ－３ｄ０ｃ６ａ７ｂ１ｆ０１",
        ] {
            assert_eq!(key_id(text).as_deref(), Ok(UUID), "{text:?}");
        }
        assert_eq!(key_id("KEY-hzz65F3a1").as_deref(), Ok("key-hzz65f3a1"));
        assert_eq!(key_id("**key-hzz65f3a1**").as_deref(), Ok("key-hzz65f3a1"));
        assert_eq!(key_id("key-hzz65f3a1**").as_deref(), Ok("key-hzz65f3a1**"), "masked");
        assert_eq!(key_id("Key1").as_deref(), Ok("Key1"), "of no form that is known");
    }

    #[test]
    fn what_no_id_has_is_refused() {
        let look_alike = UUID.replace('a', "а");
        for between in ["\n", "\r\n", "\r", "\t", "\u{2028}", "\u{b}", "\u{1f}", "\u{200b}", "\u{85}"] {
            let two = [format!("{UUID}{between}{UUID}"), format!("key-hzz0000000001{between}key-hzz0000000002")];
            for two in two {
                assert!(key_id(&two).is_err(), "{two:?}");
            }
            let break_between = between.chars().next().is_some_and(|c| c.is_control() || c == '\u{2028}');
            if break_between {
                assert!(matches!(account_id(&format!("1540355698841234{between}1540355698841235")), Scope::Unclear(_)));
                assert!(matches!(region(&format!("cn-hangzhou{between}cn-shanghai")), Scope::Unclear(_)));
            }
        }
        assert!(key_id(&format!("{UUID}{UUID}")).is_err());
        assert!(key_id(&format!("1.{UUID}")).is_err() && key_id(&format!("{UUID}-copy")).is_err());
        for text in ["alias/orders", "the orders key", "k1;k2", "k1/k2", "密钥", &look_alike, "k=1", "k\u{301}", "#k1"]
        {
            assert!(key_id(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn masks_are_known() {
        for id in [
            "0f5a****-8a51",
            "key-hzz…1f01",
            "key-hzz...1f01",
            "0f5a1c1e-xxxx-xxxx-xxxx-3d0c6a7b1f01",
            "key-XXXXXXXX",
            "key-••••1f01",
            "key-####1f01",
        ] {
            assert!(is_masked(id) && key_id(id).is_ok(), "{id}");
        }
        assert_eq!(unmasked_ends("0f5aXXXX7b01"), ("0f5a", "7b01"));
        assert_eq!(unmasked_ends("key-hzz…1f01"), ("key-hzz", "1f01"));
        assert_eq!(unmasked_ends("0f5axxxx-xxxx-7b01"), ("0f5a", "-7b01"));
        for at in 0..9 {
            let id = format!("{}xxxx{}", &"abcdefghi"[..at], &"abcdefghi"[at..]);
            assert!(is_masked(&id) && is_masked(&id.to_uppercase()), "{id}");
        }
        assert!(is_masked("key-hzz65f3xxxxxx4d5e6f7a8"));
        for id in
            [UUID, "key-hzz65f3a1b2c4d5e6f7a8", "key-zjjk10xxxxz4lva464jup", "key-xxx1", "k.1", "xxx", "xxaxxxbxx"]
        {
            assert!(!is_masked(id), "{id}");
        }
    }

    #[test]
    fn accounts_and_regions_have_one_spelling() {
        for text in [
            "1234567890123456",
            "'1234567890123456",
            "\"1234567890123456\"",
            "1234567890123456.0",
            "1234 5678 9012 3456",
            "1,234,567,890,123,456",
            "１２３４５６７８９０１２３４５６",
        ] {
            assert_eq!(account_id(text), Scope::Is("1234567890123456".into()), "{text}");
        }
        assert_eq!(account_id("team-prod"), Scope::Is("team-prod".into()));
        assert!(matches!(account_id("1234****3456"), Scope::Unclear(_)));
        for text in
            ["cn-hangzhou", "CN-HANGZHOU", "华东1（杭州）", " cn-hangzhou\u{200b}", "China (Hangzhou)", "cn_hangzhou"]
        {
            assert_eq!(region(text), Scope::Is("cn-hangzhou".into()), "{text}");
        }
        assert_eq!(region("cn-new-7"), Scope::Is("cn-new-7".into()), "of the form that ids have");
        assert!(matches!(region("somewhere far away"), Scope::Unclear(_)));
    }

    #[test]
    fn ids_are_found_in_any_text() {
        let found: Vec<String> =
            key_ids_in(&format!("{{'KeyId': '{}', \"x\": \"key-hzz65f3a1b2\"", UUID.to_uppercase())).collect();
        assert_eq!(found, [UUID, "key-hzz65f3a1b2"]);
        assert_eq!(key_ids_in(&format!("备注：{UUID}已删除")).collect::<Vec<_>>(), [UUID]);
        assert_eq!(key_ids_in("key-less, key-pair, key-manager, 05754286-3ba2 合计：4条").count(), 0);
    }
}
