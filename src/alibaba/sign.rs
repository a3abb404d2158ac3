//! Signatures ACS3-HMAC-SHA256 (V3) of requests in RPC style.
//!
//! Source: "V3 request structure and signature" of the OpenAPI documentation; where it is silent, `utils.py` of
//! alibabacloud-tea-openapi 0.4.6. Nothing is sent here.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::http::Secret;

/// The name of the algorithm.
pub const ALGORITHM: &str = "ACS3-HMAC-SHA256";

/// What is signed: a POST of the path `/`.
#[derive(Debug, Clone, Default)]
pub struct Unsigned<'r> {
    /// Parameters of the query, in any order, not encoded.
    pub query: &'r [(String, String)],
    /// The headers that are signed, in any order: `host`, every `x-acs-…`, and `content-type` if there is a body.
    pub headers: &'r [(String, String)],
    /// The exact bytes of the body.
    pub body: &'r [u8],
}

impl Unsigned<'_> {
    /// The value of the header `Authorization`.
    pub fn authorization(&self, key_id: &str, secret: &Secret) -> String {
        let signature = signature(&self.canonical(), secret);
        format!("{ALGORITHM} Credential={key_id},SignedHeaders={},Signature={signature}", self.signed_headers())
    }

    /// The canonical request: six parts, with line feeds between them.
    fn canonical(&self) -> String {
        let mut headers = String::new();
        for (name, value) in self.sorted_headers() {
            headers += &format!("{name}:{value}\n");
        }
        let (query, signed) = (canonical_query(self.query), self.signed_headers());
        format!("POST\n/\n{query}\n{headers}\n{signed}\n{}", hash(self.body))
    }

    fn signed_headers(&self) -> String {
        let names: Vec<String> = self.sorted_headers().into_iter().map(|(name, _)| name).collect();
        names.join(";")
    }

    /// Names in lower case, each once; several values of one name are sorted and joined by commas.
    fn sorted_headers(&self) -> Vec<(String, String)> {
        let lower = |(name, value): &(String, String)| (name.to_ascii_lowercase(), value.trim().to_owned());
        let mut headers: Vec<(String, String)> = self.headers.iter().map(lower).collect();
        headers.sort();
        headers.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 = format!("{},{}", kept.1, next.1);
            }
            same
        });
        headers
    }
}

/// The parameters as they stand in the query: sorted by name, values encoded.
pub fn canonical_query(query: &[(String, String)]) -> String {
    let mut sorted: Vec<&(String, String)> = query.iter().collect();
    sorted.sort();
    let pairs: Vec<String> =
        sorted.iter().map(|(name, value)| format!("{}={}", percent_encoded(name), percent_encoded(value))).collect();
    pairs.join("&")
}

/// The parameters as the body of a form, in their order; a blank becomes `+`.
pub fn form(parameters: &[(String, String)]) -> String {
    let encoded = |text: &str| percent_encoded(text).replace("%20", "+");
    let pairs: Vec<String> =
        parameters.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    pairs.join("&")
}

/// A text by RFC 3986: every byte of UTF-8 but `A-Z a-z 0-9 - _ . ~` as `%` and two digits.
pub fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => encoded.push(char::from(byte)),
            _ => encoded += &format!("%{byte:02X}"),
        }
    }
    encoded
}

/// The SHA-256 of bytes, in hexadecimal.
pub fn hash(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

fn signature(canonical: &str, secret: &Secret) -> String {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()) else { return String::new() };
    mac.update(format!("{ALGORITHM}\n{}", hash(canonical.as_bytes())).as_bytes());
    hexadecimal(&mac.finalize().into_bytes())
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: (&str, &str) = ("LTAI5tExampleExampleExam1", "ExampleSecretExampleSecret0001");

    const FORM: &str = "application/x-www-form-urlencoded";

    /// A worked example: host, action, version, date, nonce; query, further headers, body.
    struct Vector<'v> {
        common: [&'v str; 5],
        query: &'v [(&'v str, &'v str)],
        more: &'v [(&'v str, &'v str)],
        body: &'v str,
    }

    fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    impl Vector<'_> {
        /// Hash of the canonical request, and the header.
        fn signed(&self, (key_id, secret): (&str, &str)) -> (String, String, String) {
            let [host, action, version, date, nonce] = self.common;
            let content = hash(self.body.as_bytes());
            let mut headers = owned(&[
                ("host", host),
                ("x-acs-action", action),
                ("x-acs-version", version),
                ("x-acs-date", date),
                ("x-acs-signature-nonce", nonce),
                ("x-acs-content-sha256", &content),
            ]);
            headers.extend(owned(self.more));
            let query = owned(self.query);
            let unsigned = Unsigned { query: &query, headers: &headers, body: self.body.as_bytes() };
            let canonical = unsigned.canonical();
            (hash(canonical.as_bytes()), unsigned.authorization(key_id, &Secret::new(secret)), canonical)
        }
    }

    /// The example of the documentation.
    #[test]
    fn vector_0_is_signed_as_published() {
        let vector = Vector {
            common: [
                "ecs.cn-shanghai.aliyuncs.com",
                "RunInstances",
                "2014-05-26",
                "2023-10-26T10:22:32Z",
                "3156853299f313e23d1673dc12e1703d",
            ],
            query: &[("RegionId", "cn-shanghai"), ("ImageId", "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd")],
            more: &[],
            body: "",
        };
        let (canonical, header, _) = vector.signed(("YourAccessKeyId", "YourAccessKeySecret"));
        assert_eq!(canonical, "7ea06492da5221eba5297e897ce16e55f964061054b7695beedaac1145b1e259");
        let signature = "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0";
        assert!(header.ends_with(&format!(",Signature={signature}")), "{header}");
    }

    #[test]
    fn vector_1_is_signed_as_worked_out() {
        let vector = Vector {
            common: [
                "kms.cn-hangzhou.aliyuncs.com",
                "ListKeys",
                "2016-01-20",
                "2026-11-21T08:30:00Z",
                "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
            ],
            query: &[
                ("PageSize", "100"),
                ("PageNumber", "1"),
                (
                    "Filters",
                    r#"[{"Key":"CreatorType","Values":["User"]},{"Key":"KeyState","Values":["Enabled","Disabled"]}]"#,
                ),
            ],
            more: &[],
            body: "",
        };
        let (canonical, header, text) = vector.signed(KEY);
        let expected = "\
POST
/
Filters=%5B%7B%22Key%22%3A%22CreatorType%22%2C%22Values%22%3A%5B%22User%22%5D%7D%2C%7B%22Key%22%3A%22KeyState%22%2C%22Values%22%3A%5B%22Enabled%22%2C%22Disabled%22%5D%7D%5D&PageNumber=1&PageSize=100
host:kms.cn-hangzhou.aliyuncs.com
x-acs-action:ListKeys
x-acs-content-sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
x-acs-date:2026-11-21T08:30:00Z
x-acs-signature-nonce:0f1e2d3c4b5a69788796a5b4c3d2e1f0
x-acs-version:2016-01-20

host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version
e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(text, expected);
        assert_eq!(canonical, "07a9c5577c5a2dfc936062f5d6da043a70a573f7329bd767b9e096097904eed6");
        assert_eq!(
            header,
            "ACS3-HMAC-SHA256 Credential=LTAI5tExampleExampleExam1,SignedHeaders=host;x-acs-action;x-acs-content-sha256;\
             x-acs-date;x-acs-signature-nonce;x-acs-version,\
             Signature=03eecd26d0aebb9d8332119c3d96a68e19757a680fa1359eafcc24849b14ca7f"
        );
    }

    #[test]
    fn vector_2_has_a_token_and_every_kind_of_character() {
        let vector = Vector {
            common: [
                "kms.cn-hangzhou.aliyuncs.com",
                "DescribeKey",
                "2016-01-20",
                "2026-11-21T08:30:01Z",
                "11112222333344445555666677778888",
            ],
            query: &[("X", ""), ("KeyId", "alias/订单-key~v1 *")],
            more: &[("x-acs-security-token", "CAISexampletoken=="), ("x-acs-accesskey-id", "STS.NExampleSts0001")],
            body: "",
        };
        let (canonical, header, text) = vector.signed(("STS.NExampleSts0001", "ExampleStsSecret0002"));
        assert!(text.contains("\nKeyId=alias%2F%E8%AE%A2%E5%8D%95-key~v1%20%2A&X=\n"), "{text}");
        assert_eq!(canonical, "0dd4ccc8ad22a5522f141204d6d6f7a31f5f1ec60c4be593102235d8d25953f2");
        assert!(header.ends_with("Signature=412a1ccae68836c2b66b3ce29e9c41e7d799e47d012c67f631209bd40976c4da"));
    }

    #[test]
    fn vector_3_has_names_with_dots() {
        let vector = Vector {
            common: [
                "actiontrail.cn-hangzhou.aliyuncs.com",
                "LookupEvents",
                "2020-07-06",
                "2026-11-21T08:30:02Z",
                "aaaabbbbccccddddeeeeffff00001111",
            ],
            query: &[
                ("StartTime", "2026-11-14T00:00:00Z"),
                ("EndTime", "2026-11-21T00:00:00Z"),
                ("LookupAttribute.1.Value", "Kms"),
                ("LookupAttribute.1.Key", "ServiceName"),
                ("MaxResults", "50"),
                ("Direction", "FORWARD"),
            ],
            more: &[],
            body: "",
        };
        let (canonical, header, _) = vector.signed(KEY);
        assert_eq!(canonical, "77dd068af3c8524d75af00f86a25b3eabe79ba9d822f81e7e913b884e03feb9b");
        assert!(header.ends_with("Signature=804287738b6f4d1ad2bedf387c77899b1b03121cba9b5761a641d00d81401889"));
    }

    #[test]
    fn vector_4_has_a_form() {
        let parameters = owned(&[
            ("CategoryId", "53812"),
            ("Description", "CMK 迁移 plan: key-a b*~"),
            ("Severity", "1"),
            ("Title", "KMS migration"),
        ]);
        let body = form(&parameters);
        assert_eq!(
            body,
            "CategoryId=53812&Description=CMK+%E8%BF%81%E7%A7%BB+plan%3A+key-a+b%2A~&Severity=1&Title=KMS+migration"
        );
        let vector = Vector {
            common: [
                "workorder.aliyuncs.com",
                "CreateTicket",
                "2021-06-10",
                "2026-11-21T08:30:03Z",
                "0000111122223333444455556666aaaa",
            ],
            query: &[],
            more: &[("Content-Type", FORM)],
            body: &body,
        };
        let (canonical, header, text) = vector.signed(KEY);
        assert!(text.starts_with("POST\n/\n\ncontent-type:application/x-www-form-urlencoded\nhost:"), "{text}");
        assert_eq!(hash(body.as_bytes()), "84f42bd7e8df5aac9c51717f3712e4257bcf2251ab92a5949e7a302946361ec6");
        assert_eq!(canonical, "526cef7ab41cb1b2c99a93640616e4bcd6f6c885705087428ed6145bdbd76998");
        assert!(header.ends_with("Signature=dc18e7bce88aa3b3ef9bf1c63340dc8220b794383f728cd56d8b0629737e1f51"));
    }

    #[test]
    fn several_values_of_a_header_are_one_line() {
        let headers = owned(&[("X-Acs-B", " 2 "), ("host", "h"), ("x-acs-b", "1")]);
        let unsigned = Unsigned { headers: &headers, ..Unsigned::default() };
        assert!(unsigned.canonical().starts_with("POST\n/\n\nhost:h\nx-acs-b:1,2\n\nhost;x-acs-b\n"));
    }

    fn decoded(text: &str) -> String {
        let (mut bytes, mut rest) = (Vec::new(), text.bytes());
        while let Some(byte) = rest.next() {
            if byte == b'%' {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
            } else {
                bytes.push(byte);
            }
        }
        String::from_utf8(bytes).unwrap()
    }

    type Pairs = Vec<(String, String)>;

    /// Pairs, and the same in another order.
    fn pairs(name: &'static str) -> impl Strategy<Value = (Pairs, Pairs)> {
        let pairs = prop::collection::vec((name, ".{0,8}"), 0..6);
        pairs.prop_flat_map(|pairs| (Just(pairs.clone()), Just(pairs).prop_shuffle()))
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

        #[test]
        fn encoding_loses_nothing(text in any::<String>()) {
            let encoded = percent_encoded(&text);
            prop_assert!(encoded.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~%".contains(&byte)));
            prop_assert_eq!(&decoded(&encoded), &text);
            let body = form(&[(text.clone(), text.clone())]);
            let (name, value) = body.split_once('=').unwrap();
            prop_assert_eq!(&decoded(&name.replace('+', " ")), &text);
            prop_assert_eq!(name, value);
        }

        #[test]
        fn no_order_matters((query, mixed) in pairs("[a-zA-Z.0-9]{1,4}"), (headers, other) in pairs("[a-c-]{1,3}")) {
            let secret = Secret::new("s");
            let one = Unsigned { query: &query, headers: &headers, body: b"x" };
            let two = Unsigned { query: &mixed, headers: &other, body: b"x" };
            prop_assert_eq!(one.authorization("k", &secret), two.authorization("k", &secret));
        }
    }
}
