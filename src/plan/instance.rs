//! The KMS instances to which keys can go: tables, JSON, and replies of GetKmsInstance and GetKmsInstanceQuotaInfos.
//!
//! Fields of the replies: KMS API 2016-01-20, GetKmsInstance and GetKmsInstanceQuotaInfos. Neither says which type an
//! instance has, nor the version of its image: these are the user's to add.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::model::InstanceKind;
use crate::inventory::clock::parse_time;
use crate::rulebook::compile::nearest;
use crate::write::safe::visible;

/// An instance, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Instance {
    /// Its id.
    pub id: String,
    /// Its account.
    pub account: Option<String>,
    /// Its region.
    pub region: String,
    /// Its state, such as `Connected`.
    pub status: Option<String>,
    /// Its type.
    pub kind: Option<InstanceKind>,
    /// How many key versions it may take in all.
    pub quota: Option<u64>,
    /// How many it has.
    pub used: Option<u64>,
    /// The calls a second for which it is made.
    pub qps: Option<u64>,
    /// When it ends.
    pub expires: Option<Timestamp>,
    /// The VPCs that are bound to it; nothing if nobody says.
    pub vpcs: Option<BTreeSet<String>>,
    /// The version of its image.
    pub image: Option<String>,
}

impl Instance {
    /// How many key versions it may still take; nothing if nobody says how many it may have, or has.
    pub fn free(&self) -> Option<u64> {
        Some(self.quota?.saturating_sub(self.used?))
    }
}

/// What the columns and members are called, the first as we write them; without case, blanks, `-` and `_`.
const FIELDS: [(&str, &[&str]); 13] = [
    ("instance_id", &["instanceid", "kmsinstanceid", "dkmsinstanceid", "instance", "id", "实例id"]),
    ("account_id", &["accountid", "account", "uid", "账号id", "账号"]),
    ("region", &["region", "regionid", "地域"]),
    ("status", &["status", "state", "instancestatus", "instancestate", "状态", "实例状态"]),
    ("type", &["type", "kind", "instancetype", "keymanagementtype", "实例类型"]),
    ("key_quota", &["keyquota", "keynum", "keys", "密钥配额"]),
    ("used_keys", &["usedkeys", "usedkeyversions", "usedquantity", "已用密钥"]),
    ("free_keys", &["freekeys", "freekeyversions", "剩余密钥"]),
    ("qps", &["qps", "spec", "performance", "性能"]),
    ("expires", &["endtime", "expires", "enddate", "expiredate", "expiretime", "到期时间"]),
    ("vpcs", &["vpcs", "boundvpcs", "bindvpcs", "vpcids", "vpc", "专有网络"]),
    ("image_version", &["imageversion", "image", "镜像版本"]),
    ("vpc_id", &["vpcid"]),
];

fn plain(name: &str) -> String {
    name.chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '_' | '\u{feff}'))
        .flat_map(char::to_lowercase)
        .collect()
}

fn field(name: &str) -> Option<&'static str> {
    let plain = plain(name);
    FIELDS.iter().find(|(_, spellings)| spellings.contains(&plain.as_str())).map(|(field, _)| *field)
}

/// The instances of some files by name, each a table with a header, JSON, or one JSON value a line.
///
/// # Errors
/// A file is neither, or says something that is not understood; the message names line and column.
pub fn read(files: &[(String, String)]) -> Result<Vec<Instance>, String> {
    let mut found = Found::default();
    for (name, text) in files {
        // A file that names its separator.
        let text = text.trim_start_matches('\u{feff}');
        let text = if text.starts_with("sep=") { text.split_once('\n').map_or("", |(_, rest)| rest) } else { text };
        let before: Vec<String> = found.instances.keys().cloned().collect();
        match text.trim_start().as_bytes().first() {
            None => return Err(format!("{name} is empty; expected KMS instances as a table or JSON")),
            Some(b'{' | b'[') => {
                for value in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
                    let value = value.map_err(|error| format!("{name} is no JSON: {error}"))?;
                    found.value(&value).map_err(|error| format!("{name}: {error}"))?;
                }
            }
            Some(_) => table(name, text.trim_start_matches(['\n', '\r']), &mut found)?,
        }
        found.settle(&before).map_err(|error| format!("{name}: {error}"))?;
    }
    found.finish()
}

fn table(name: &str, text: &str, found: &mut Found) -> Result<(), String> {
    let head = text.lines().next().unwrap_or_default();
    let delimiter = [b'\t', b';', b','].into_iter().find(|byte| head.as_bytes().contains(byte)).unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).flexible(false).from_reader(text.as_bytes());
    let headers = reader.headers().map_err(|error| format!("{name}: {error}"))?.clone();
    if !headers.iter().any(|header| field(header) == Some("instance_id")) {
        let columns: Vec<&str> = headers.iter().collect();
        return Err(format!(
            "{name}, line 1: no column instance_id among {}; expected a table of KMS instances, such as {SHOWN}",
            columns.join(", ")
        ));
    }
    for header in &headers {
        misspelt(header).map_err(|error| format!("{name}, line 1: {error}"))?;
    }
    for row in reader.records() {
        let row = row.map_err(|error| format!("{name}: {error}"))?;
        let line = row.position().map_or(0, csv::Position::line);
        let members = headers.iter().zip(&row).map(|(name, cell)| (name.to_owned(), Value::from(cell.trim())));
        found.instance(&members.collect()).map_err(|error| format!("{name}, line {line}: {error}"))?;
    }
    Ok(())
}

/// Columns and members that are like ours and mean something else.
const OTHERS: [&str; 9] = [
    "instancename",
    "kmsinstancename",
    "kmsinstancearn",
    "instancearn",
    "regionname",
    "accountname",
    "vpcnum",
    "secretnum",
    "starttime",
];

/// Columns and members of others are left out, but for what may be one of ours.
fn misspelt(name: &str) -> Result<(), String> {
    let plain = plain(name);
    if OTHERS.contains(&plain.as_str()) {
        return Ok(());
    }
    let is_near = |spelling: &str| strsim::jaro_winkler(&plain, spelling) > 0.85;
    if field(name).is_some() || plain.is_empty() || !FIELDS.iter().any(|(_, all)| all.iter().any(|one| is_near(one))) {
        return Ok(());
    }
    let known: Vec<&str> = FIELDS.iter().map(|(name, _)| *name).collect();
    Err(format!("there is no column `{}`; {}", visible(name), nearest(name, &known)))
}

/// What a table of instances looks like.
const SHOWN: &str = "instance_id,region,status,type,free_keys";

/// What was found so far.
#[derive(Default)]
struct Found {
    instances: BTreeMap<String, Instance>,
    /// Quotas of which nobody says whose they are, of one file.
    quotas: BTreeSet<(u64, u64)>,
    /// Whether there was a list of instances, which may be empty.
    is_list: bool,
}

impl Found {
    fn value(&mut self, value: &Value) -> Result<(), String> {
        match value {
            Value::Array(values) => {
                self.is_list = true;
                values.iter().try_for_each(|value| self.value(value))
            }
            Value::Object(members) => {
                if let Some(infos) = members.get("KmsInstanceQuotaInfos") {
                    let id = members.get("KmsInstanceId").or_else(|| members.get("KmsInstance")?.get("InstanceId"));
                    self.quotas(infos, id.and_then(Value::as_str))?;
                }
                match (members.get("KmsInstance"), members.get("KmsInstances"), members.get("destinations")) {
                    (Some(Value::Object(instance)), _, _) => self.instance(instance),
                    (Some(list @ Value::Array(_)), _, _) | (_, Some(list), _) | (_, _, Some(list)) => {
                        self.is_list = true;
                        self.value(list)
                    }
                    _ if members.contains_key("KmsInstanceQuotaInfos") => Ok(()),
                    _ => {
                        members.keys().try_for_each(|name| misspelt(name))?;
                        self.instance(members)
                    }
                }
            }
            other => Err(format!("expected an object for each KMS instance, found {}", shown(other))),
        }
    }

    /// The quotas of GetKmsInstanceQuotaInfos; of those, only that of keys matters here.
    fn quotas(&mut self, infos: &Value, id: Option<&str>) -> Result<(), String> {
        // Some programs write the list inside an object of the name of its elements.
        let list = infos.as_array().or_else(|| infos.as_object()?.values().next()?.as_array());
        for info in list.ok_or("KmsInstanceQuotaInfos is no list")? {
            let of = |name: &str| info.get(name);
            if of("ResourceType").and_then(Value::as_str).is_none_or(|kind| !kind.eq_ignore_ascii_case("key")) {
                continue;
            }
            let [quota, used] = ["ResourceQuota", "UsedQuantity"].map(|name| of(name).and_then(number));
            let (Some(quota), Some(used)) = (quota, used) else {
                return Err("ResourceQuota and UsedQuantity of the keys are no numbers".to_owned());
            };
            match id {
                Some(id) => {
                    let instance = self.instances.entry(id.to_lowercase()).or_default();
                    (instance.quota, instance.used) = (Some(quota), Some(used));
                }
                None => drop(self.quotas.insert((quota, used))),
            }
        }
        Ok(())
    }

    fn instance(&mut self, members: &Map<String, Value>) -> Result<(), String> {
        let of = |wanted: &str| {
            members
                .iter()
                .filter(|(name, _)| field(name) == Some(wanted))
                .map(|(_, value)| value)
                .find(|value| !is_blank(value))
        };
        let text = |wanted: &str| of(wanted).and_then(word);
        let Some(id) = text("instance_id") else {
            return Err(format!("no instance_id; expected KMS instances, such as {SHOWN}"));
        };
        let id = id.to_lowercase();
        let is_id = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        // The default instance is what keys leave, and keys are no instances.
        if !is_id || id == "default" || crate::inventory::tidy::is_given_by_kms(&id) {
            return Err(format!("`{}` is no id of a KMS instance; expected kst-…", visible(&id)));
        }
        let count = |wanted: &str| match of(wanted) {
            None => Ok(None),
            Some(value) => {
                number(value).map(Some).ok_or_else(|| format!("{wanted} is {}; expected a number", shown(value)))
            }
        };
        let known = self.instances.remove(&id).unwrap_or_default();
        let (quota, used, free) = (count("key_quota")?, count("used_keys")?, count("free_keys")?);
        let (quota, used) = match free {
            Some(free) => (Some(free), Some(0)),
            // What GetKmsInstanceQuotaInfos says stays: it tells how many are used, too.
            None => (known.quota.filter(|_| known.used.is_some()).or(quota), used.or(known.used)),
        };
        let vpcs = of("vpcs").or_else(|| of("vpc_id")).map(|value| vpcs_in(value, text("vpc_id")));
        let expires = match text("expires") {
            None => None,
            // So programs write that something never ends.
            Some(text) if text.starts_with("9999-12-31") => Some(Timestamp::MAX),
            Some(text) => Some(parse_time(&text).ok_or_else(|| {
                format!("expires is `{text}`; expected a date or time, such as 2027-06-01 or 2027-06-01T02:00:00Z")
            })?),
        };
        let kind = match text("type") {
            None => None,
            Some(text) => Some(kind(&text).ok_or_else(|| format!("type is `{text}`; expected software or hardware"))?),
        };
        let region = text("region").or_else(|| region_of_vpcs(members)).unwrap_or_default();
        let (account, status, image) = (text("account_id"), text("status"), text("image_version"));
        let (region, qps) = (region.to_lowercase(), count("qps")?);
        let instance =
            Instance { id: id.clone(), account, region, status, kind, quota, used, qps, expires, vpcs, image };
        if self.instances.insert(id.clone(), instance).is_some() || !known.id.is_empty() {
            return Err(format!("the instance {id} stands there twice"));
        }
        Ok(())
    }

    /// Gives the quotas of a file, of which nobody says whose they are, to its instance.
    fn settle(&mut self, before: &[String]) -> Result<(), String> {
        let quotas: Vec<(u64, u64)> = std::mem::take(&mut self.quotas).into_iter().collect();
        let mut own = self.instances.iter_mut().filter(|(id, _)| !before.contains(id)).map(|(_, instance)| instance);
        match (&quotas[..], own.next(), own.next()) {
            ([], ..) => Ok(()),
            ([(quota, used)], Some(instance), None) => {
                (instance.quota, instance.used) = (Some(*quota), Some(*used));
                Ok(())
            }
            ([_], ..) => Err(
                "a reply of GetKmsInstanceQuotaInfos does not say which instance it is about; add KmsInstanceId to \
                              it, or give each instance with its quota as a file of its own"
                    .to_owned(),
            ),
            _ => {
                Err("there are several replies of GetKmsInstanceQuotaInfos that contradict each other; keep one"
                    .to_owned())
            }
        }
    }

    fn finish(self) -> Result<Vec<Instance>, String> {
        for (id, instance) in &self.instances {
            if instance.id.is_empty() {
                return Err(format!("there is a quota of {id}, of which nothing else is said; add its GetKmsInstance"));
            }
            if instance.region.is_empty() {
                return Err(format!("nobody says in which region {id} is; add the member region"));
            }
        }
        match self.instances.is_empty() && !self.is_list {
            true => Err("there is no KMS instance".to_owned()),
            false => Ok(self.instances.into_values().collect()),
        }
    }
}

/// The region, which GetKmsInstance says of the VPCs that are bound: those of other regions cannot be.
fn region_of_vpcs(members: &Map<String, Value>) -> Option<String> {
    let bound = || {
        let bound = members.get("BindVpcs")?.get("BindVpc")?.as_array()?;
        bound.iter().find_map(|vpc| vpc.get("RegionId")?.as_str().map(str::to_owned))
    };
    bound().or_else(|| {
        // `cn-hangzhou-k` is a zone of `cn-hangzhou`, and `ap-southeast-1a` one of `ap-southeast-1`.
        let zone = members.get("ZoneIds")?.as_array()?.first()?.as_str()?;
        let region = zone.strip_suffix(|c: char| c.is_ascii_lowercase())?;
        Some(region.strip_suffix('-').unwrap_or(region).to_owned())
    })
}

fn vpcs_in(value: &Value, own: Option<String>) -> BTreeSet<String> {
    fn collect(value: &Value, into: &mut BTreeSet<String>) {
        match value {
            Value::String(text) => {
                let each = text.split([',', ';', ' ', '|']).map(str::trim).filter(|vpc| vpc.starts_with("vpc-"));
                into.extend(each.map(str::to_owned));
            }
            Value::Array(values) => values.iter().for_each(|value| collect(value, into)),
            Value::Object(members) => members
                .iter()
                .filter(|(name, _)| matches!(name.as_str(), "BindVpc" | "VpcId"))
                .for_each(|(_, value)| collect(value, into)),
            _ => {}
        }
    }
    let mut vpcs: BTreeSet<String> = own.into_iter().collect();
    collect(value, &mut vpcs);
    vpcs
}

fn kind(text: &str) -> Option<InstanceKind> {
    let text = plain(text);
    match () {
        () if text.starts_with("software") || text.starts_with("软件") => Some(InstanceKind::Software),
        () if text.starts_with("hardware") || text.starts_with("硬件") || text == "hsm" => {
            Some(InstanceKind::Hardware)
        }
        () => None,
    }
}

fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty() || crate::domains::spelling::is_unknown(text.trim()),
        _ => false,
    }
}

fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64().or_else(|| whole(&number.to_string())),
        Value::String(text) => whole(text.trim()),
        _ => None,
    }
}

/// A whole number: `1000`, `1,000`, `1000.0`.
fn whole(text: &str) -> Option<u64> {
    let text = text.strip_suffix(".0").unwrap_or(text);
    let mut groups = text.split(',');
    let first = groups.next()?;
    let is_grouped = text.contains(',');
    let fits = (1..=3).contains(&first.len()) || !is_grouped;
    let digits = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    let all = groups.all(|group| group.len() == 3 && digits(group));
    (fits && all && digits(first)).then(|| text.replace(',', "").parse().ok()).flatten()
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPLY: &str = r#"{"KmsInstance":{"InstanceId":"kst-hzz65f3a1b2c4d5e6f7a8","InstanceName":"prod","Status":"Connected",
        "ProductType":"kms_ddi_public_intl","ProductVersion":"3","Spec":1000,"KeyNum":1000,"SecretNum":"100","VpcNum":5,
        "VpcId":"vpc-bp1example","ZoneIds":["cn-hangzhou-k","cn-hangzhou-j"],
        "BindVpcs":{"BindVpc":[{"VpcId":"vpc-bp2example","VSwitchId":"vsw-bp2example","RegionId":"cn-hangzhou"}]},
        "EndDate":"2027-06-01T02:00:00Z"},"RequestId":"x"}"#;

    #[test]
    fn replies_of_the_api_are_read() {
        let quotas = r#"{"KmsInstanceQuotaInfos":[{"ResourceType":"secret","ResourceQuota":100,"UsedQuantity":1},
            {"ResourceType":"key","ResourceQuota":1000,"UsedQuantity":940}],"RequestId":"y"}"#;
        for text in [format!("{REPLY}\n{quotas}"), format!("{quotas}{REPLY}"), format!("[{REPLY},{quotas}]")] {
            let instances = read(&[("i.json".to_owned(), text)]).unwrap();
            let [instance] = &instances[..] else { panic!("{instances:?}") };
            assert_eq!((instance.id.as_str(), instance.region.as_str()), ("kst-hzz65f3a1b2c4d5e6f7a8", "cn-hangzhou"));
            assert_eq!((instance.free(), instance.qps, instance.kind), (Some(60), Some(1000), None));
            let vpcs: Vec<&str> = instance.vpcs.iter().flatten().map(String::as_str).collect();
            assert_eq!(vpcs, ["vpc-bp1example", "vpc-bp2example"]);
            assert_eq!(instance.expires.unwrap().to_string(), "2027-06-01T02:00:00Z");
        }
    }

    #[test]
    fn what_is_not_said_is_not_known() {
        let of = |text: &str| read(&[("i".to_owned(), text.to_owned())]);
        // A quota without how much of it is used.
        let instances = of(REPLY).unwrap();
        assert_eq!((instances[0].quota, instances[0].free()), (Some(1000), None));
        let quota = |used: u64| {
            format!(
                r#"{{"KmsInstanceQuotaInfos":[{{"ResourceType":"key","ResourceQuota":1000,"UsedQuantity":{used}}}]}}"#
            )
        };
        let free = |text: &str| of(text).map(|instances| instances[0].free());
        assert_eq!(free(&format!("{REPLY}{}{}", quota(999), quota(999))), Ok(Some(1)));
        assert!(free(&format!("{REPLY}{}{}", quota(999), quota(1))).unwrap_err().contains("contradict each other"));
        let named = quota(990).replacen('{', r#"{"KmsInstanceId":"KST-hzz65f3a1b2c4d5e6f7a8","#, 1);
        let both = read(&[("q.json".to_owned(), named), ("i.json".to_owned(), REPLY.to_owned())]).unwrap();
        assert_eq!(both[0].free(), Some(10));
        let zones = |zone: &str| {
            of(&format!(r#"{{"KmsInstance":{{"InstanceId":"kst-a","ZoneIds":["{zone}"]}}}}"#)).unwrap()[0]
                .region
                .clone()
        };
        assert_eq!(
            (zones("ap-southeast-1a"), zones("cn-hangzhou-k")),
            ("ap-southeast-1".to_owned(), "cn-hangzhou".to_owned())
        );
        assert_eq!(of(r#"{"KmsInstances":{"KmsInstance":[]}}"#), Ok(Vec::new()));
        assert!(
            of(r#"{"instance_id":"kst-a","region":"r","expires_at":"2026-11-01"}"#).unwrap_err().contains("expires")
        );
        assert!(of("instance_id,region,name,owner\nkst-a,cn-hangzhou,n,o\n").is_ok());
        assert!(of("instance_id,region\nkst a,cn-hangzhou\n").unwrap_err().contains("is no id"));
        for (text, number) in [
            ("1,000", Some(1000)),
            ("1,5", None),
            ("5.0", Some(5)),
            ("x", None),
            ("", None),
            ("12,345,678", Some(12_345_678)),
        ] {
            assert_eq!(whole(text), number, "{text}");
        }
    }

    #[test]
    fn tables_are_read_and_what_is_wrong_is_told_with_its_place() {
        let text = "\u{feff}instance_id,Region,Status,type,free_keys,expires,vpcs\nkst-a,cn-hangzhou,Connected,software,\"1,000\",2027-06-01,vpc-1;vpc-2\nkst-b,cn-beijing,,硬件密钥管理,,,\n";
        let of = |text: &str| read(&[("i.csv".to_owned(), text.to_owned())]);
        let instances = of(text).unwrap();
        assert_eq!((instances[0].free(), instances[0].kind), (Some(1000), Some(InstanceKind::Software)));
        assert_eq!((instances[1].free(), instances[1].kind), (None, Some(InstanceKind::Hardware)));
        for (text, wrong) in [
            ("", "i.csv is empty"),
            ("a,b\n1,2\n", "i.csv, line 1: no column instance_id among a, b"),
            ("instance_id,regoin\nkst-a,x\n", "there is no column `regoin`; did you mean `region`"),
            ("instance_id,region,type\nkst-a,cn-hangzhou,soft ware\nkst-b,cn-hangzhou,big\n", "line 3: type is `big`"),
            ("instance_id,region,free_keys\nkst-a,cn-hangzhou,many\n", "line 2: free_keys is \"many\""),
            (
                "instance_id,region\nkst-a,cn-hangzhou\nkst-a,cn-hangzhou\n",
                "line 3: the instance kst-a stands there twice",
            ),
            ("instance_id,region\nkst-a,\n", "nobody says in which region kst-a is"),
            ("{\"a\":1}", "no instance_id"),
            ("[1]", "expected an object"),
            ("{\"a\":", "is no JSON"),
        ] {
            let error = of(text).unwrap_err();
            assert!(error.contains(wrong), "{error}");
        }
    }
}
