//! What made a call: an SDK of a programming language, or a tool that is no application.
//!
//! The formats are those that the SDKs write (their sources, as listed in the documents): `AlibabaCloud (OS; arch)
//! Golang/1.20 Core/0.01 TeaDSL/1`. Tools put their own words behind the words of the SDK that they are built with, so
//! that the language alone does not tell them. Users can append any text.

/// What made a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Caller {
    /// An application in Java.
    Java,
    /// An application in Go.
    Go,
    /// An application in Python.
    Python,
    /// An application in JavaScript.
    NodeJs,
    /// An application in PHP.
    Php,
    /// An application in a language of .NET.
    DotNet,
    /// An application in C++.
    Cpp,
    /// The web console.
    Console,
    /// A browser, of the console or of somebody who tries something.
    Browser,
    /// The command line.
    Cli,
    /// Terraform.
    Terraform,
    /// A cloud service itself.
    Service,
    /// Something that does not say what it is.
    Unknown,
}

impl Caller {
    /// All of them, in order.
    pub const ALL: [Caller; 13] = [
        Caller::Java,
        Caller::Go,
        Caller::Python,
        Caller::NodeJs,
        Caller::Php,
        Caller::DotNet,
        Caller::Cpp,
        Caller::Console,
        Caller::Browser,
        Caller::Cli,
        Caller::Terraform,
        Caller::Service,
        Caller::Unknown,
    ];

    /// The word for outputs.
    pub fn name(self) -> &'static str {
        match self {
            Caller::Java => "Java",
            Caller::Go => "Go",
            Caller::Python => "Python",
            Caller::NodeJs => "Node.js",
            Caller::Php => "PHP",
            Caller::DotNet => ".NET",
            Caller::Cpp => "C++",
            Caller::Console => "console",
            Caller::Browser => "browser",
            Caller::Cli => "aliyun-cli",
            Caller::Terraform => "Terraform",
            Caller::Service => "cloud-service",
            Caller::Unknown => "unknown",
        }
    }

    /// The caller of that name.
    pub fn named(name: &str) -> Option<Caller> {
        Caller::ALL.into_iter().find(|caller| caller.name() == name)
    }

    /// Whether it may be an application, so that its language matters: not a tool, and not a cloud service.
    pub fn is_application(self) -> bool {
        !matches!(self, Caller::Console | Caller::Cli | Caller::Terraform | Caller::Service)
    }

    /// What a `userAgent` says. The SDKs begin with `AlibabaCloud` and the system; users can append any text behind their words,
    /// so that the first word counts, and tools only where they are built with the language, which is Go.
    pub fn of(agent: &str) -> Caller {
        let is_one_word = !agent.contains(' ');
        let sdk = ["AlibabaCloud ", "Alibaba Cloud "].into_iter().find_map(|begin| agent.strip_prefix(begin));
        let Some(words) = sdk else {
            let begins = |marks: &[&str]| marks.iter().any(|mark| agent.starts_with(mark));
            let ends = |marks: &[&str]| is_one_word && marks.iter().any(|mark| agent.ends_with(mark));
            return match () {
                () if begins(&["Mozilla/"]) => Caller::Browser,
                () if begins(&["Terraform/", "HashiCorp-Terraform/", "Terraform-Provider/"]) => Caller::Terraform,
                () if begins(&["Aliyun-CLI/", "aliyuncli/"]) => Caller::Cli,
                () if agent == "AliyunConsole" => Caller::Console,
                () if ends(&[".console.aliyun.com", ".console.alibabacloud.com"]) => Caller::Console,
                () if ends(&[".aliyuncs.com"]) => Caller::Service,
                () => Caller::Unknown,
            };
        };
        if agent.starts_with("Alibaba Cloud (") {
            return Caller::DotNet;
        }
        let words = behind_system(words);
        let has = |mark: &str| words.contains(mark);
        // One SDK names itself first, and one the system.
        let mut of_sdk = words.split(' ').skip_while(|word| word.starts_with("Client/") || word.starts_with("OS/"));
        let first = of_sdk.next().unwrap_or_default();
        let named = LANGUAGES.iter().find(|(mark, _)| first.starts_with(mark)).map(|(_, caller)| *caller);
        match named {
            Some(Caller::Go) if TERRAFORM.iter().any(|mark| has(mark)) => Caller::Terraform,
            Some(Caller::Go) if has(" Aliyun-CLI/") => Caller::Cli,
            Some(caller) => caller,
            None if first.contains("netcore") => Caller::DotNet,
            None => Caller::Unknown,
        }
    }
}

/// What stands behind the system, which is in brackets and may have some itself.
fn behind_system(words: &str) -> &str {
    let mut depth = 0;
    for (at, letter) in words.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth <= 0 {
            let end = if at == 0 { 0 } else { at + letter.len_utf8() };
            return words[end..].trim_start();
        }
    }
    ""
}

/// How the word for the language begins that an SDK writes first.
const LANGUAGES: [(&str, Caller); 9] = [
    ("Java/", Caller::Java),
    ("Golang/", Caller::Go),
    ("Python/", Caller::Python),
    ("Node.js/", Caller::NodeJs),
    ("PHP/", Caller::Php),
    ("C++/", Caller::Cpp),
    ("DaraDSL/", Caller::Cpp),
    (".NET", Caller::DotNet),
    ("RuntimeNotFound", Caller::DotNet),
];

/// What Terraform's provider appends.
const TERRAFORM: [&str; 3] = [" HashiCorp-Terraform/", " Terraform-Provider/", " Extra/Terraform "];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_format_is_known() {
        for (agent, caller) in [
            ("AliyunConsole", Caller::Console),
            ("ram.console.aliyun.com", Caller::Console),
            ("kms.console.alibabacloud.com", Caller::Console),
            (
                "AlibabaCloud (linux; amd64) Golang/1.21.6 Core/1.62.0 HashiCorp-Terraform/1.5 Terraform-Provider/1.289.0 Terraform-Module/x TerraformTraceId/y",
                Caller::Terraform,
            ),
            ("AlibabaCloud (linux; amd64) Golang/1.21 Core/0.01 TeaDSL/2 Aliyun-CLI/3.0.200", Caller::Cli),
            ("AlibabaCloud (Mac OS X; x86_64) Java/1.8.0_252-b09 Core/4.4.6 HTTPClient/ApacheHttpClient", Caller::Java),
            ("AlibabaCloud (Linux; amd64) Java/17 tea-util/0.2.16 TeaDSL/1", Caller::Java),
            ("AlibabaCloud (linux; amd64) Golang/1.20 Core/0.01 TeaDSL/1", Caller::Go),
            ("AlibabaCloud (Linux 5.4;x86_64) Python/3.8.10 Core/2.13.36 python-requests/2.18.3", Caller::Python),
            ("AlibabaCloud (linux; x64) Node.js/v18.17.1 Core/1.0.1 TeaDSL/1", Caller::NodeJs),
            ("AlibabaCloud (Linux 5.4; x86_64) Client/1.5.32 PHP/7.4.33", Caller::Php),
            ("Alibaba Cloud (Microsoft Windows NT 10.0.17763.0) RuntimeNotFound Core/1.5.3", Caller::DotNet),
            ("AlibabaCloud (Unix) microsoft.netcore.app/6.0 Core/1.0 TeaDSL/2", Caller::DotNet),
            ("AlibabaCloud OS/Linux DaraDSL/1", Caller::Cpp),
            ("AlibabaCloud (Linux; x86_64) C++/201703 Core/1.0.0-beta TeaDSL/2", Caller::Cpp),
            ("oss.aliyuncs.com", Caller::Service),
            ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Java/8", Caller::Browser),
            ("AlibabaCloud (Linux; x86_64) PHP/7.4 Core/3.1 TeaDSL/1 orders-Java/1.0", Caller::Php),
            ("AlibabaCloud (Linux; x86_64) PHP/7.4 Core/3.1 TeaDSL/1 Terraform/1.0 Aliyun-CLI/3", Caller::Php),
            ("AlibabaCloud (AliyunConsole Java/8; x) Node.js/18 a.console.aliyun.com", Caller::NodeJs),
            ("AlibabaCloud (Darwin (Kernel 20); arm64) Go", Caller::Unknown),
            ("AlibabaCloud (Darwin (Kernel 20); arm64) Golang/1.22 Core/0.01 TeaDSL/1", Caller::Go),
            ("Alibaba Cloud (Windows) RuntimeNotFound Core/1.5.3 orders Java/1.0", Caller::DotNet),
            ("Alibaba Cloud (Windows) .NETFramework,Version=v4.5 Core/1.5 Python/3", Caller::DotNet),
            ("AlibabaCloud (Unix) RuntimeNotFound Core/1.0 TeaDSL/1 acme-Java/2", Caller::DotNet),
            ("AlibabaCloud (Darwin) Swift/5.9 Core/1.0 TeaDSL/2 ported-from-Python/3", Caller::Unknown),
            ("AlibabaCloud (Linux; amd64) Credentials/1.0 TeaDSL/1 Java/8", Caller::Unknown),
            ("AlibabaCloud (Linux; x86_64) Python/3.11 Core/1.0 kms-gcs-python-sdk-version/1.0.2", Caller::Python),
            ("AlibabaCloud (unclosed Java/8", Caller::Unknown),
            ("Apache-HttpClient/4.5.7 (Java/1.8.0_275)", Caller::Unknown),
            ("Terraform/1.5 Provider/1.209.0", Caller::Terraform),
            ("aliyuncli/2.1 (linux)", Caller::Cli),
            ("curl/8.0", Caller::Unknown),
            ("", Caller::Unknown),
        ] {
            assert_eq!(Caller::of(agent), caller, "{agent}");
        }
    }

    #[test]
    fn names_are_unique() {
        for caller in Caller::ALL {
            assert_eq!(Caller::named(caller.name()), Some(caller));
            assert_eq!(Caller::ALL[caller as usize], caller);
        }
    }
}
