//! The names of API operations, and what people write around them.

use std::borrow::Cow;

use super::facts;
use super::observe::bit;
use crate::bytes::{Sixteen, any_three, equal};
use crate::domains::spelling::{acts, plain};
use crate::engine::facts::Bits;
use unicode_normalization::UnicodeNormalization as _;

/// The operations that an element of a list names. People write what the console, a policy, an SDK or the documents
/// show: `kms:ReEncrypt`, `client.reEncrypt()`, `Encrypt/Decrypt`, `加解密`. All of an element must be understood: what is
/// left over may be a "not", or another operation.
pub fn operations(element: &str) -> Option<Bits> {
    if let Some(bits) = operation(&plain(element)) {
        return Some(bits);
    }
    // What joins two operations and has nothing behind it stands for one that nobody named.
    if element.trim_end().ends_with(['&', '+', '/', '和', '与', '及', '、']) {
        return None;
    }
    // A policy may name all that begin alike.
    let element =
        element.strip_suffix("ReEncrypt*").map_or_else(|| element.into(), |before| format!("{before}ReEncrypt"));
    let separates = |c: char| {
        c.is_whitespace()
            || matches!(c, '/' | '&' | '+' | '.' | ':' | '#' | '(' | ')' | '（' | '）' | '和' | '与' | '及' | '、')
    };
    let mut bits = 0;
    for word in element.split(separates).map(plain).filter(|word| !word.is_empty()) {
        match operation(&word) {
            Some(named) => bits |= named,
            None if AROUND.contains(&word.as_str()) => {}
            None => return None,
        }
    }
    (bits != 0).then_some(bits)
}

/// What stands around the names of operations and is none itself.
const AROUND: &[&str] = &[
    "acs",
    "aliyun",
    "aliyuncs",
    "alibaba",
    "alibabacloud",
    "alicloud",
    "and",
    "api",
    "client",
    "cloud",
    "com",
    "kms",
    "kms20160120",
    "kmsclient",
    "openapi",
    "req",
    "request",
    "sdk",
    "接口",
    "操作",
    "调用",
];

/// What stands before and behind names of operations without anything between them.
const BEFORE: &[&str] = &["kms", "调用", "使用", "对称"];
const BEHIND: &[&str] = &["withoptions", "request", "response", "async", "api", "接口", "操作"];

/// One operation, by its name in the API, or by what the Chinese documents call it.
fn operation(word: &str) -> Option<Bits> {
    let mut word = word;
    loop {
        if let Some(bits) = named(word) {
            return Some(bits);
        }
        let mut shorter = BEFORE.iter().filter_map(|before| word.strip_prefix(before));
        let mut behind = BEHIND.iter().filter_map(|behind| word.strip_suffix(behind));
        word = shorter.next().or_else(|| behind.next())?;
    }
}

pub(super) fn named(word: &str) -> Option<Bits> {
    value_named(word).map(|value| bit(facts::OPERATIONS.index(), value))
}

fn value_named(word: &str) -> Option<&'static str> {
    Some(match word {
        "reencrypt" | "reencryptfrom" | "reencryptto" | "reencryption" => "ReEncrypt",
        "重加密" | "转加密" | "重新加密" | "密文转加密" | "数据密钥转加密" | "密文重加密" => {
            "ReEncrypt"
        }
        "exportdatakey" | "导出数据密钥" => "ExportDataKey",
        "generateandexportdatakey" | "生成并导出数据密钥" | "生成和导出数据密钥" | "生成与导出数据密钥" => {
            "GenerateAndExportDataKey"
        }
        _ if ORDINARY.contains(&word) || ORDINARY_IN_WORDS.contains(&word) => "ordinary",
        _ => return None,
    })
}

/// Whether any text has the name of an operation in it that blocks the migration, in English or Chinese.
#[inline]
pub fn mentions_forbidden(text: &str) -> bool {
    // Nearly every text is told by three bytes that it lacks: those of `cry`, `xpo`, 密, and of the full-width y.
    let (small, is) = (|bytes: Sixteen| bytes | Sixteen::splat(0x20), equal);
    let may_be = any_three(text, |a, b, c| {
        let (first, second, third) = (small(a), small(b), small(c));
        is(first, b'c') & is(second, b'r') & is(third, b'y')
            | is(first, b'x') & is(second, b'p') & is(third, b'o')
            | is(a, 0xe5) & is(b, 0xaf) & is(c, 0x86)
            | is(a, 0xef) & is(b, 0xbd) & is(c, 0x99)
    });
    may_be && is_forbidden_inside(text)
}

#[cold]
fn is_forbidden_inside(text: &str) -> bool {
    let seen = text.nfkc().filter(|c| !acts(*c) && *c != '*').map(|c| if joins(c) { ' ' } else { c });
    let seen: Vec<char> = seen.collect();
    let english = |at: usize| WORDS.iter().any(|words| begins_with(&seen[at..], words) && begins_word(&seen, at));
    let chinese = |at: usize| {
        CHINESE.iter().any(|(name, others)| {
            let without_blanks = seen[at..].iter().filter(|c| **c != ' ').take(name.chars().count());
            let before = at.checked_sub(1).and_then(|before| seen.get(before));
            seen[at] != ' ' && without_blanks.copied().eq(name.chars()) && before.is_none_or(|c| !others.contains(*c))
        })
    };
    (0..seen.len()).any(|at| english(at) || chinese(at))
}

/// What the API calls these operations, word by word. Their own words may be joined or not.
const WORDS: [&[&str]; 2] = [&["re", "encrypt"], &["export", "data", "key"]];

/// What the Chinese documents call these operations, and what stands before it if something else is meant: encryption in
/// two layers, or in transit.
const CHINESE: [(&str, &str); 5] = [
    ("重加密", "双多三二两几四单"),
    ("转加密", "流中周运"),
    ("重新加密", ""),
    ("再加密", "不一"),
    ("导出数据密钥", ""),
];

/// Whether a character joins words, or divides them.
fn joins(c: char) -> bool {
    c.is_whitespace() || matches!(c, '-' | '_' | '.' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

fn begins_with(text: &[char], words: &[&str]) -> bool {
    let mut rest = text;
    for (number, word) in words.iter().enumerate() {
        if number > 0 && rest.first() == Some(&' ') {
            rest = &rest[1..];
        }
        let letters = word.chars().count();
        let is_word =
            rest.len() >= letters && rest.iter().zip(word.chars()).all(|(c, letter)| c.eq_ignore_ascii_case(&letter));
        if !is_word {
            return false;
        }
        rest = &rest[letters..];
    }
    true
}

/// Whether a word begins there, as `ReEncrypt` in `kmsReEncrypt`, and not as `re` in `software`.
fn begins_word(text: &[char], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| text.get(before));
    before.is_none_or(|c| !c.is_ascii_alphanumeric() || text[at].is_ascii_uppercase() && !c.is_ascii_uppercase())
}

/// What people call ordinary operations.
const ORDINARY_IN_WORDS: &[&str] = &[
    "encryption",
    "decryption",
    "sign",
    "verify",
    "加密",
    "解密",
    "加解密",
    "加密解密",
    "数据加密",
    "数据解密",
    "数据加解密",
    "非对称加密",
    "非对称解密",
    "公钥加密",
    "私钥解密",
    "签名",
    "验签",
    "签名验签",
    "数字签名",
    "非对称签名",
    "非对称验签",
    "验证签名",
    "生成签名",
    "生成数据密钥",
    "创建数据密钥",
    "生成无明文数据密钥",
    "生成不含明文的数据密钥",
    "生成随机数",
    "获取公钥",
    "查询密钥",
    "查询密钥信息",
];

/// Operations of the KMS API 2016-01-20 (OpenAPI metadata and its SDK 3.3.1), in lower case, that are not
/// forbidden. A name that is neither here nor forbidden is not understood.
pub const ORDINARY: &[&str] = &[
    "asymmetricdecrypt",
    "asymmetricencrypt",
    "asymmetricsign",
    "asymmetricverify",
    "cancelkeydeletion",
    "certificateprivatekeydecrypt",
    "certificateprivatekeysign",
    "certificatepublickeyencrypt",
    "certificatepublickeyverify",
    "connectkmsinstance",
    "createalias",
    "createapplicationaccesspoint",
    "createcertificate",
    "createclientkey",
    "createkey",
    "createkeyversion",
    "createnetworkrule",
    "createpolicy",
    "createsecret",
    "decrypt",
    "deletealias",
    "deleteapplicationaccesspoint",
    "deletecertificate",
    "deleteclientkey",
    "deletekeymaterial",
    "deletenetworkrule",
    "deletepolicy",
    "deletesecret",
    "describeaccountkmsstatus",
    "describeapplicationaccesspoint",
    "describecertificate",
    "describekey",
    "describekeyversion",
    "describenetworkrule",
    "describepolicy",
    "describeregions",
    "describesecret",
    "disablekey",
    "enablekey",
    "encrypt",
    "generatedatakey",
    "generatedatakeywithoutplaintext",
    "generatemac",
    "verifymac",
    "generaterandom",
    "getcertificate",
    "getclientkey",
    "getdefaultkmsinstance",
    "getkeypolicy",
    "getkmsinstance",
    "getkmsinstancequotainfos",
    "getmanageddatakey",
    "getparametersforimport",
    "getpublickey",
    "getrandompassword",
    "getsecretpolicy",
    "getsecretvalue",
    "batchgetsecretvalue",
    "importcertificate",
    "importencryptioncertificate",
    "importkeymaterial",
    "listaliases",
    "listaliasesbykeyid",
    "listapplicationaccesspoints",
    "listclientkeys",
    "listkeys",
    "listkeyversions",
    "listkmsinstances",
    "listnetworkrules",
    "listpolicies",
    "listresourcetags",
    "listsecrets",
    "listsecretversionids",
    "listtagresources",
    "openkmsservice",
    "putsecretvalue",
    "releasekmsinstance",
    "restoresecret",
    "rotatesecret",
    "schedulekeydeletion",
    "setdeletionprotection",
    "setkeypolicy",
    "setsecretpolicy",
    "tagresource",
    "tagresources",
    "untagresource",
    "untagresources",
    "updatealias",
    "updateapplicationaccesspoint",
    "updatecertificatestatus",
    "updatekeydescription",
    "updatekmsinstancebindvpc",
    "updatenetworkrule",
    "updatepolicy",
    "updaterotationpolicy",
    "updatesecret",
    "updatesecretrotationpolicy",
    "updatesecretversionstage",
    "uploadcertificate",
];

/// Whether the name of an operation is that of one that blocks the migration, or has such a name in it: of a new form of
/// one nobody knows that it is allowed.
pub fn resembles_forbidden(operation: &str) -> bool {
    let word = known_word(operation);
    let has = |name: &str| word.contains(name);
    let takes_out = has("export") && has("key") && !has("public") && !has("certificate");
    let is_like = ["reencrypt", "rewrap", "reencipher", "recrypt", "exportable"].iter().any(|part| has(part));
    is_like || takes_out || mentions_forbidden(operation) || forbidden(operation) != 0
}

/// The values of the operations that block the migration and that a name names; nothing for others.
pub fn forbidden(operation: &str) -> Bits {
    operations(&api_name(operation)).unwrap_or_default() & facts::FORBIDDEN_OPERATIONS
}

/// The name of an operation as the API has it, however it is written in a log: with blanks, dashes or other letters, with
/// `kms:` before it. Everything that asks for an operation by its name asks for this one. Of an operation of which no more
/// is known than what it is for the name stays as it is written.
pub fn api_name(written: &str) -> Cow<'_, str> {
    let written = written.trim();
    let word = known_word(written);
    let is_it = |name: &&&str| name.eq_ignore_ascii_case(&word);
    match value_named(&word).filter(|value| *value != "ordinary") {
        Some(value) => value.into(),
        None => IN_API.iter().find(is_it).map_or(written.into(), |name| (*name).into()),
    }
}

/// Operations of which more is known than what they are for.
const IN_API: [&str; 11] = [
    "CancelKeyDeletion",
    "CreateAlias",
    "CreateKey",
    "CreateKeyVersion",
    "DeleteAlias",
    "DeleteKeyMaterial",
    "EnableKey",
    "GetParametersForImport",
    "ImportKeyMaterial",
    "UpdateAlias",
    "UpdateRotationPolicy",
];

/// A name of an operation in small letters, without what may stand around it; of one that is not known all that was
/// written.
pub(super) fn known_word(written: &str) -> String {
    if written.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return peeled(written.to_ascii_lowercase());
    }
    let visible: String = written.nfkc().filter(|c| !acts(*c)).collect();
    let visible = visible.trim().trim_end_matches("()");
    let last = visible.rsplit([':', '.', '/', '#']).next().unwrap_or(visible);
    let word = peeled(plain(last));
    let before = &visible[..visible.len() - last.len()];
    let is_around = |word: &str| word.is_empty() || AROUND.contains(&plain(word).as_str());
    // What stands before it may be a part of a name that is not known.
    if before.split([':', '.', '/', '#']).all(is_around) { word } else { plain(visible) }
}

/// A word without what stands before and behind names, if one is left then.
fn peeled(word: String) -> String {
    let mut rest = word.as_str();
    while named(rest).is_none() {
        let mut shorter = BEFORE.iter().filter_map(|before| rest.strip_prefix(before));
        let mut behind = BEHIND.iter().filter_map(|behind| rest.strip_suffix(behind));
        match shorter.next().or_else(|| behind.next()) {
            Some(shorter) => rest = shorter,
            None => return word,
        }
    }
    rest.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(element: &str) -> Option<String> {
        operations(element).map(|bits| facts::FACTS[facts::OPERATIONS.index()].show(bits))
    }

    #[test]
    fn operations_have_one_name_however_they_are_written() {
        for (written, name) in [
            ("ReEncrypt", "ReEncrypt"),
            (" re-encrypt ", "ReEncrypt"),
            ("kms:ReEncrypt", "ReEncrypt"),
            ("Kms.ReEncrypt", "ReEncrypt"),
            ("acs:kms:Re Encrypt", "ReEncrypt"),
            ("ReEncrypt\u{200b}", "ReEncrypt"),
            ("Ｒｅｅｎｃｒｙｐｔ", "ReEncrypt"),
            ("kmsReEncryptRequest", "ReEncrypt"),
            ("kms:CreateKeyVersion", "CreateKeyVersion"),
            ("update_alias", "UpdateAlias"),
            ("CREATEKEY", "CreateKey"),
            ("Encrypt", "Encrypt"),
            (" ReEncryptV2", "ReEncryptV2"),
            ("", ""),
        ] {
            assert_eq!(api_name(written), name, "{written}");
        }
        for name in
            ["ReEncryptV2", "batchreencrypt", "ExportDataKeyPair", "ReEncrypt20160120", "re-encrypt-x", "ReEncrypt"]
        {
            assert!(resembles_forbidden(name), "{name}");
        }
        for name in ["Encrypt", "GenerateDataKey", "ExportPublicKey", "Decrypt", "ImportKeyMaterial"] {
            assert!(!resembles_forbidden(name), "{name}");
        }
    }

    #[test]
    fn re_encrypting_is_known_in_whatever_stands_around_it() {
        for element in [
            "ReEncrypt",
            "re-encrypt",
            "re_encrypt",
            "Re Encrypt",
            "REENCRYPT",
            "ReEncrypt()",
            "kms.ReEncrypt",
            "kms:ReEncrypt",
            "kms:ReEncrypt*",
            "acs:kms:ReEncrypt",
            "KMS ReEncrypt",
            "kms/ReEncrypt",
            "client.reEncrypt",
            "client.reEncrypt(request)",
            "ReEncryptRequest",
            "kmsClient.reEncryptWithOptions()",
            "ReEncrypt API",
            "ReEncrypt接口",
            "调用ReEncrypt接口",
            "ReEncrypt（重加密）",
            "重加密",
            "转加密",
            "密文转加密",
            "Re-encryption",
            "KMS:ReEncryptTo",
            "com.aliyun.kms20160120.Client.reEncrypt",
        ] {
            assert_eq!(show(element).as_deref(), Some("ReEncrypt"), "{element}");
        }
    }

    #[test]
    fn several_operations_may_stand_in_one_element() {
        for (element, expected) in [
            ("Encrypt/Decrypt", "ordinary"),
            ("Encrypt & Decrypt", "ordinary"),
            ("Encrypt and ReEncrypt", "ordinary, ReEncrypt"),
            ("Encrypt Decrypt ReEncrypt", "ordinary, ReEncrypt"),
            ("kms:Encrypt/kms:ReEncrypt", "ordinary, ReEncrypt"),
            ("加密和转加密", "ordinary, ReEncrypt"),
            ("加解密", "ordinary"),
            ("加密/解密", "ordinary"),
            ("生成数据密钥", "ordinary"),
            ("签名/验签", "ordinary"),
            ("导出数据密钥", "ExportDataKey"),
            ("生成并导出数据密钥", "GenerateAndExportDataKey"),
            ("Generate and Export Data Key", "GenerateAndExportDataKey"),
            ("Generate Data Key", "ordinary"),
        ] {
            assert_eq!(show(element).as_deref(), Some(expected), "{element}");
        }
    }

    #[test]
    fn what_is_not_understood_in_full_is_not_understood() {
        for element in [
            "kms:*",
            "*",
            "kms",
            "client",
            "API",
            "not ReEncrypt",
            "no ReEncrypt",
            "ReEncrypt: no",
            "ReEncrypt (×)",
            "未使用重加密",
            "ReEncrypt: 0",
            "Export/DataKey",
            "kms:Re Encrypt",
            "Generate/And/ExportDataKey",
            "kms:Re*",
            "Encrypt/…",
            "Encrypt/",
            "Encrypt +",
            "Encrypt 和",
            "",
            "()",
            "不使用ReEncrypt",
        ] {
            assert_eq!(show(element), None, "{element}");
        }
    }
}
