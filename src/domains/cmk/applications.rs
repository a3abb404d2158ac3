//! What inventories say of the applications that use a key: their languages, and where they run.

use super::facts;
use super::fields::Field;
use super::observe::{Misread, bit, list, lookup};
use super::words::Word;
use crate::domains::cell::Cell;
use crate::domains::spelling::{bracketed, plain};
use crate::engine::facts::Bits;

/// Programming languages. A trailing version ("Java 8", "python3") is dropped before the comparison.
pub const LANGUAGES: &[Word] = &[
    ("java", &["Java"]),
    ("go", &["Go"]),
    ("golang", &["Go"]),
    ("python", &["Python"]),
    ("py", &["Python"]),
    ("node.js", &["Node.js"]),
    ("nodejs", &["Node.js"]),
    ("node", &["Node.js"]),
    ("javascript", &["Node.js"]),
    ("js", &["Node.js"]),
    ("ecmascript", &["Node.js"]),
    ("typescript", &["TypeScript"]),
    ("ts", &["TypeScript"]),
    ("php", &["PHP"]),
    (".net", &[".NET"]),
    ("dotnet", &[".NET"]),
    (".netcore", &[".NET"]),
    (".netframework", &[".NET"]),
    ("asp.net", &[".NET"]),
    ("c#", &[".NET"]),
    ("csharp", &[".NET"]),
    ("vb.net", &[".NET"]),
    ("f#", &[".NET"]),
    ("c", &["C"]),
    ("c++", &["C++"]),
    ("cpp", &["C++"]),
    ("cplusplus", &["C++"]),
    ("c/c++", &["C", "C++"]),
    ("rust", &["Rust"]),
    ("ruby", &["Ruby"]),
    ("kotlin", &["Kotlin"]),
    ("scala", &["Scala"]),
    ("groovy", &["other"]),
    ("clojure", &["other"]),
    ("swift", &["Swift"]),
    ("objectivec", &["Objective-C"]),
    ("objc", &["Objective-C"]),
    ("perl", &["Perl"]),
    ("lua", &["Lua"]),
    ("openresty", &["Lua"]),
    ("erlang", &["Erlang"]),
    ("elixir", &["Erlang"]),
    ("dart", &["Dart"]),
    ("flutter", &["Dart"]),
    ("r", &["R"]),
    ("shell", &["shell"]),
    ("bash", &["shell"]),
    ("powershell", &["shell"]),
    ("cobol", &["other"]),
    ("delphi", &["other"]),
    ("haskell", &["other"]),
    ("ocaml", &["other"]),
    ("matlab", &["other"]),
    ("julia", &["other"]),
    ("fortran", &["other"]),
    ("abap", &["other"]),
    ("apex", &["other"]),
    ("plsql", &["other"]),
    ("sql", &["other"]),
    ("other", &["other"]),
    ("others", &["other"]),
    ("其他", &["other"]),
    ("supportagreed", &["support-agreed"]),
];

/// Where applications run. Every VPC counts alike (seed: "the same or different virtual private clouds").
pub const NETWORK: &[Word] = &[
    ("vpc", &["vpc"]),
    ("samevpc", &["vpc"]),
    ("differentvpc", &["vpc"]),
    ("othervpc", &["vpc"]),
    ("crossvpc", &["vpc"]),
    ("vpcpeering", &["vpc"]),
    ("peeredvpc", &["vpc"]),
    ("ecsvpc", &["vpc"]),
    ("ackvpc", &["vpc"]),
    ("alibabacloudvpc", &["vpc"]),
    ("专有网络", &["vpc"]),
    ("classic", &["classic"]),
    ("classicnetwork", &["classic"]),
    ("经典网络", &["classic"]),
    ("public", &["internet"]),
    ("internet", &["internet"]),
    ("publicinternet", &["internet"]),
    ("publicnetwork", &["internet"]),
    ("公网", &["internet"]),
    ("互联网", &["internet"]),
    ("idc", &["data-centre"]),
    ("datacenter", &["data-centre"]),
    ("datacentre", &["data-centre"]),
    ("onpremises", &["data-centre"]),
    ("onpremise", &["data-centre"]),
    ("onprem", &["data-centre"]),
    ("机房", &["data-centre"]),
    ("本地机房", &["data-centre"]),
    ("本地数据中心", &["data-centre"]),
    ("office", &["data-centre"]),
    ("othercloud", &["other-cloud"]),
    ("anothercloud", &["other-cloud"]),
    ("outside", &["other-cloud"]),
    ("outsidealibabacloud", &["other-cloud"]),
    ("outsidealiyun", &["other-cloud"]),
    ("aws", &["other-cloud"]),
    ("azure", &["other-cloud"]),
    ("gcp", &["other-cloud"]),
    ("googlecloud", &["other-cloud"]),
    ("tencentcloud", &["other-cloud"]),
    ("tencent", &["other-cloud"]),
    ("huaweicloud", &["other-cloud"]),
    ("其他云", &["other-cloud"]),
    ("阿里云外", &["other-cloud"]),
    ("supportagreed", &["support-agreed"]),
    ("内网vpc", &["vpc"]),
    ("vpc内", &["vpc"]),
    ("阿里云vpc", &["vpc"]),
    ("同一vpc", &["vpc"]),
    ("不同vpc", &["vpc"]),
    ("数据中心", &["data-centre"]),
    ("自建机房", &["data-centre"]),
    ("线下机房", &["data-centre"]),
    ("线下idc", &["data-centre"]),
    ("本地idc", &["data-centre"]),
    ("本地", &["data-centre"]),
    ("云下", &["data-centre"]),
    ("outsidevpc", &["outside-vpc"]),
    ("notinavpc", &["outside-vpc"]),
    ("notinvpc", &["outside-vpc"]),
    ("nonvpc", &["outside-vpc"]),
    ("非vpc", &["outside-vpc"]),
    ("vpc外", &["outside-vpc"]),
    ("不在vpc", &["outside-vpc"]),
    ("腾讯云", &["other-cloud"]),
    ("华为云", &["other-cloud"]),
];

/// The answers to whether the applications run in a VPC. Without a VPC they run in a place that is not named; which one
/// does not matter, for none of them will do.
pub const IN_VPC: &[Word] = &[
    ("yes", &["vpc"]),
    ("y", &["vpc"]),
    ("true", &["vpc"]),
    ("是", &["vpc"]),
    ("有", &["vpc"]),
    ("√", &["vpc"]),
    ("✓", &["vpc"]),
    ("✔", &["vpc"]),
    ("no", &["outside-vpc"]),
    ("n", &["outside-vpc"]),
    ("false", &["outside-vpc"]),
    ("否", &["outside-vpc"]),
    ("none", &["outside-vpc"]),
    ("novpc", &["outside-vpc"]),
    ("无", &["outside-vpc"]),
    ("没有", &["outside-vpc"]),
    ("不在", &["outside-vpc"]),
    ("×", &["outside-vpc"]),
    ("✗", &["outside-vpc"]),
    ("✘", &["outside-vpc"]),
];

/// Members that stand together in one element of a list, such as `Java/PHP`, unless the whole is one of them, such as
/// `C/C++`.
pub(super) fn several(element: &str, member: impl Fn(&str) -> Option<Bits> + Copy) -> Option<Bits> {
    /// More members than this are no element of a list, and would take long to tell apart.
    const MOST: usize = 6;
    fn split(text: &str, member: impl Fn(&str) -> Option<Bits> + Copy, left: usize) -> Option<Bits> {
        if let Some(bits) = member(text) {
            return Some(bits);
        }
        let joints = text.char_indices().filter(|(_, c)| matches!(c, '/' | '&' | '+' | '和' | '与' | '及' | '、'));
        let joints = joints.map(|(at, c)| (at, at + c.len_utf8()));
        let words = text.match_indices(" and ").map(|(at, word)| (at, at + word.len()));
        let mut cuts = joints.chain(words).filter(|_| left > 0);
        cuts.find_map(|(end, next)| Some(member(text[..end].trim())? | split(text[next..].trim(), member, left - 1)?))
    }
    let joints = |c: char| matches!(c, '/' | '&' | '+' | '和' | '与' | '及' | '、' | 'a');
    // Nearly all elements are one member, and long texts are none.
    let is_short = element.len() <= 128 && element.chars().filter(|c| joints(*c)).count() <= 2 * MOST;
    if is_short { split(element, member, MOST) } else { member(element) }
}

/// What programs of one language only are written with, so that it may stand in brackets behind it. Alone it says too
/// little: Spring Boot also takes Kotlin.
const FRAMEWORKS: &[(&str, &str)] = &[
    ("spring", "Java"),
    ("springboot", "Java"),
    ("springcloud", "Java"),
    ("springmvc", "Java"),
    ("dubbo", "Java"),
    ("tomcat", "Java"),
    ("mybatis", "Java"),
    ("jdk", "Java"),
    ("openjdk", "Java"),
    ("jre", "Java"),
    ("gin", "Go"),
    ("beego", "Go"),
    ("echo", "Go"),
    ("django", "Python"),
    ("flask", "Python"),
    ("fastapi", "Python"),
    ("tornado", "Python"),
    ("celery", "Python"),
];

/// One language, with or without a version behind it, and what is known in brackets.
pub(super) fn language(name: &str) -> Option<Bits> {
    let plainly = one_language(name);
    plainly.or_else(|| {
        let (head, inner) = bracketed(name)?;
        let bits = one_language(head)?;
        let word = plain(inner);
        let unversioned = unversioned(&word);
        let framework = FRAMEWORKS.iter().find(|(framework, _)| *framework == word || *framework == unversioned);
        match framework {
            Some((_, language)) => (bit(facts::LANGUAGES.index(), language) == bits).then_some(bits),
            None if unversioned.is_empty() => Some(bits),
            None => Some(bits | one_language(inner)?),
        }
    })
}

/// A word without the version behind it.
fn unversioned(word: &str) -> &str {
    let trimmed = word.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | 'v' | '/' | 'x'));
    let is_version = word[trimmed.len()..].contains(|c: char| c.is_ascii_digit());
    if is_version { trimmed } else { word }
}

/// One language, with or without a version behind it. An SDK has the language of those who call it.
fn one_language(name: &str) -> Option<Bits> {
    let word = plain(name);
    let known = |word: &str| lookup(Field::Languages, LANGUAGES, word);
    let unversioned = unversioned(&word);
    let of_sdk = || known(unversioned.strip_suffix("sdk").or_else(|| unversioned.strip_prefix("sdkfor"))?);
    known(&word).or_else(|| known(unversioned)).or_else(of_sdk)
}

/// What VPCs are called after.
const ENVIRONMENTS: &[&str] = &[
    "prod",
    "production",
    "prd",
    "preprod",
    "pre",
    "staging",
    "stage",
    "stg",
    "uat",
    "sit",
    "qa",
    "test",
    "testing",
    "dev",
    "development",
    "demo",
    "main",
    "shared",
    "app",
    "core",
    "cn",
    "hangzhou",
    "shanghai",
    "beijing",
    "shenzhen",
    "生产",
    "生产环境",
    "测试",
    "测试环境",
    "开发",
    "开发环境",
    "预发",
    "预发环境",
];

/// Whether a text is the name of an environment, such as `prod-01`.
fn is_environment(text: &str) -> bool {
    let lower = text.to_lowercase();
    let mut parts = lower.split(['-', '_', ' ']);
    let is_number = |part: &str| part.len() <= 3 && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_named = lower.split(['-', '_', ' ']).any(|part| ENVIRONMENTS.contains(&part));
    is_named && parts.all(|part| !part.is_empty() && (is_number(part) || ENVIRONMENTS.contains(&part)))
}

/// One place where an application runs; the id of a VPC is a VPC, and so is its name, if all of it is known: a
/// `vpc-peering-idc` may be anything. In brackets, an environment or another place may follow.
pub(super) fn network(name: &str) -> Option<Bits> {
    one_place(name).or_else(|| {
        let (head, inner) = bracketed(name)?;
        let bits = one_place(head)?;
        if is_environment(inner) { Some(bits) } else { Some(bits | one_place(inner)?) }
    })
}

fn one_place(name: &str) -> Option<Bits> {
    let word = plain(name);
    let is_id = |id: &str| {
        id.len() > 4
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'*')
            && id.contains(|c: char| c.is_ascii_digit())
    };
    let lower = name.to_lowercase();
    if lower.strip_prefix("vpc-").is_some_and(|id| is_id(id) || is_environment(id)) {
        return Some(bit(facts::NETWORK.index(), "vpc"));
    }
    lookup(Field::Network, NETWORK, &word)
}

/// Where applications run, by whether that is in a VPC. "None" says that it is in none, not that there is no application.
pub(super) fn in_vpc(cell: Cell<'_>) -> Result<Bits, Misread> {
    let answer = |text: &str| lookup(Field::InVpc, IN_VPC, &plain(text));
    match cell {
        Cell::Text(text) if answer(text).is_some() => Ok(answer(text).unwrap_or(0)),
        Cell::EmptyList => Ok(bit(facts::NETWORK.index(), "outside-vpc")),
        cell => list(Field::InVpc, cell, |word| several(word, network)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn languages(text: &str) -> Option<String> {
        several(text, language).map(|bits| facts::FACTS[facts::LANGUAGES.index()].show(bits))
    }

    #[test]
    fn languages_that_stand_together_are_several() {
        for (text, expected) in [
            ("Java/PHP", "Java, PHP"),
            ("java&php", "Java, PHP"),
            ("Java + PHP", "Java, PHP"),
            ("Java+C++", "Java, C++"),
            ("C+++Java", "Java, C++"),
            ("C/C++", "C, C++"),
            ("C/C++/Go", "Go, C, C++"),
            ("Java 8/Go 1.22", "Java, Go"),
            ("Java 8/11", "Java"),
            ("Java 8/11/PHP", "Java, PHP"),
            ("Java和Go", "Java, Go"),
            ("Java and Python", "Java, Python"),
            ("Java、Go", "Java, Go"),
            ("Objective-C", "Objective-C"),
            ("Java SDK", "Java"),
            ("SDK for Python", "Python"),
            ("Java SDK 2.0", "Java"),
            ("Java (Spring Boot)", "Java"),
            ("Java 8 (Spring Boot 2.7)", "Java"),
            ("Java (17)", "Java"),
            ("Java (JDK 17)", "Java"),
            ("Python 3.11 (Django)", "Python"),
            ("Java (Kotlin)", "Java, Kotlin"),
            ("Java (PHP SDK)", "Java, PHP"),
        ] {
            assert_eq!(languages(text).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "Java/",
            "/",
            "Java/?",
            "Java/none",
            "Brainfuck/Java",
            "Java+",
            "",
            "Java or PHP",
            "not PHP",
            "Spring Boot",
            "Python (Spring Boot)",
            "Java (not used)",
            "Java (Spring",
            "Java (planned)",
            "SDK",
            "(Java)",
            "Java ()",
        ] {
            assert_eq!(languages(text), None, "{text}");
        }
        assert_eq!(languages(&"C/".repeat(4000)), None);
        assert_eq!(languages(&format!("{}Brainfuck", "C+".repeat(12))), None, "and that soon");
    }

    #[test]
    fn the_name_of_a_vpc_is_a_vpc_if_all_of_it_is_known() {
        let place = |text| network(text).map(|bits| facts::FACTS[facts::NETWORK.index()].show(bits));
        for (text, expected) in [
            ("vpc-prod", "vpc"),
            ("VPC-Prod-01", "vpc"),
            ("vpc-bp1a2b3c (prod)", "vpc"),
            ("VPC (生产环境)", "vpc"),
            ("VPC (IDC)", "vpc, data-centre"),
        ] {
            assert_eq!(place(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["vpc-outside", "vpc-peering-idc", "vpc-no", "vpc-01", "vpc-prod-idc", "VPC (no)", "VPC ()", "prod"]
        {
            assert_eq!(place(text), None, "{text}");
        }
    }

    #[test]
    fn a_vpc_is_answered_by_yes_and_no_and_no_is_never_nothing() {
        let vpc = |cell| in_vpc(cell).map(|bits| facts::FACTS[facts::NETWORK.index()].show(bits));
        for (text, expected) in [
            ("yes", "vpc"),
            ("是", "vpc"),
            ("TRUE", "vpc"),
            ("vpc-bp1abc", "vpc"),
            ("VPC", "vpc"),
            ("IDC", "data-centre"),
            ("no", "outside-vpc"),
            ("否", "outside-vpc"),
            ("无", "outside-vpc"),
            ("None", "outside-vpc"),
            ("false", "outside-vpc"),
        ] {
            assert_eq!(vpc(Cell::Text(text)).as_deref(), Ok(expected), "{text}");
        }
        assert_eq!(vpc(Cell::EmptyList).as_deref(), Ok("outside-vpc"));
        assert!(vpc(Cell::Text("perhaps")).is_err() && in_vpc(Cell::Text("unknown")) == Ok(0));
        assert!(several("no", network).is_none(), "not of a column that asks where");
    }
}
