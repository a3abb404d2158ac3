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
    /// How many key versions it may still take.
    pub fn free(&self) -> Option<u64> {
        Some(self.quota?.saturating_sub(self.used.unwrap_or(0)))
    }
}

/// What the columns and members are called, the first as we write them; without case, blanks, `-` and `_`.
const FIELDS: [(&str, &[&str]); 13] = [
    ("instance_id", &["instanceid", "kmsinstanceid", "dkmsinstanceid", "instance", "id", "实例id"]),
    ("account_id", &["accountid", "account", "uid", "账号id", "账号"]),
    ("region", &["region", "regionid", "地域"]),
    ("status", &["status", "state", "状态"]),
    ("type", &["type", "kind", "instancetype", "keymanagementtype", "实例类型"]),
    ("key_quota", &["keyquota", "keynum", "keys", "密钥配额"]),
    ("used_keys", &["usedkeys", "usedkeyversions", "usedquantity", "已用密钥"]),
    ("free_keys", &["freekeys", "freekeyversions", "剩余密钥"]),
    ("qps", &["qps", "spec", "performance", "性能"]),
    ("expires", &["expires", "enddate", "expiredate", "expiretime", "到期时间"]),
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

/// The instances of a file, which is a table with a header, JSON, or one JSON value a line.
///
/// # Errors
/// It is neither, or says something that is not understood; the message names line and column.
pub fn read(name: &str, text: &str) -> Result<Vec<Instance>, String> {
    let text = text.trim_start_matches('\u{feff}');
    let mut found = Found::default();
    match text.trim_start().as_bytes().first() {
        None => return Err(format!("{name} is empty; expected KMS instances as a table or JSON")),
        Some(b'{' | b'[') => {
            for value in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
                let value = value.map_err(|error| format!("{name} is no JSON: {error}"))?;
                found.value(&value).map_err(|error| format!("{name}: {error}"))?;
            }
        }
        Some(_) => table(name, text, &mut found)?,
    }
    found.finish().map_err(|error| format!("{name}: {error}"))
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
    for header in headers.iter().filter(|header| field(header).is_none()) {
        let known: Vec<&str> = FIELDS.iter().map(|(name, _)| *name).collect();
        return Err(format!("{name}, line 1: there is no column `{header}`; {}", nearest(header, &known)));
    }
    for row in reader.records() {
        let row = row.map_err(|error| format!("{name}: {error}"))?;
        let line = row.position().map_or(0, csv::Position::line);
        let members = headers.iter().zip(&row).map(|(name, cell)| (name.to_owned(), Value::from(cell.trim())));
        found.instance(&members.collect()).map_err(|error| format!("{name}, line {line}: {error}"))?;
    }
    Ok(())
}

/// What a table of instances looks like.
const SHOWN: &str = "instance_id,region,status,type,free_keys";

/// What was found so far.
#[derive(Default)]
struct Found {
    instances: BTreeMap<String, Instance>,
    /// Quotas of which nobody says whose they are.
    quotas: Vec<(u64, u64)>,
}

impl Found {
    fn value(&mut self, value: &Value) -> Result<(), String> {
        match value {
            Value::Array(values) => values.iter().try_for_each(|value| self.value(value)),
            Value::Object(members) => {
                if let Some(infos) = members.get("KmsInstanceQuotaInfos") {
                    let id =
                        members.get("KmsInstanceId").or_else(|| Some(members.get("KmsInstance")?.get("InstanceId")?));
                    self.quotas(infos, id.and_then(Value::as_str))?;
                }
                match (members.get("KmsInstance"), members.get("KmsInstances"), members.get("destinations")) {
                    (Some(Value::Object(instance)), _, _) => self.instance(instance),
                    (Some(list @ Value::Array(_)), _, _) | (_, Some(list), _) | (_, _, Some(list)) => self.value(list),
                    _ if members.contains_key("KmsInstanceQuotaInfos") => Ok(()),
                    _ => self.instance(members),
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
                    let instance = self.instances.entry(id.to_owned()).or_default();
                    (instance.quota, instance.used) = (Some(quota), Some(used));
                }
                None => self.quotas.push((quota, used)),
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
        let count = |wanted: &str| match of(wanted) {
            None => Ok(None),
            Some(value) => {
                number(value).map(Some).ok_or_else(|| format!("{wanted} is {}; expected a number", shown(value)))
            }
        };
        let known = self.instances.remove(&id).unwrap_or_default();
        let (quota, used, free) = (count("key_quota")?, count("used_keys")?, count("free_keys")?);
        let (quota, used) = match free {
            Some(free) => (Some(free), None),
            // What GetKmsInstanceQuotaInfos says stays: it tells how many are used, too.
            None => (known.quota.filter(|_| known.used.is_some()).or(quota), used.or(known.used)),
        };
        let vpcs = of("vpcs").map(|value| vpcs_in(value, text("vpc_id")));
        let expires = match text("expires") {
            None => None,
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

    fn finish(mut self) -> Result<Vec<Instance>, String> {
        if let [(quota, used)] = self.quotas[..]
            && let Some((_, instance)) = self.instances.iter_mut().next().filter(|_| true)
        {
            (instance.quota, instance.used) = (Some(quota), Some(used));
        }
        if !self.quotas.is_empty() && self.instances.len() != 1 {
            let message = "a reply of GetKmsInstanceQuotaInfos does not say which instance it is about; add KmsInstanceId to it, or give \
                           each instance with its quota as a file of its own";
            return Err(message.to_owned());
        }
        for instance in self.instances.values() {
            if instance.id.is_empty() {
                return Err(
                    "a quota is of an instance of which nothing else is said; add its GetKmsInstance".to_owned()
                );
            }
            if instance.region.is_empty() {
                return Err(format!("nobody says in which region {} is; add the member region", instance.id));
            }
        }
        match self.instances.is_empty() {
            true => Err("there is no KMS instance".to_owned()),
            false => Ok(self.instances.into_values().collect()),
        }
    }
}

/// The region, which GetKmsInstance says of the VPCs that are bound: those of other regions cannot be.
fn region_of_vpcs(members: &Map<String, Value>) -> Option<String> {
    let bound = members.get("BindVpcs")?.get("BindVpc")?.as_array()?;
    bound.iter().find_map(|vpc| vpc.get("RegionId")?.as_str().map(str::to_owned)).or_else(|| {
        // `cn-hangzhou-k` is a zone of `cn-hangzhou`.
        let zone = members.get("ZoneIds")?.as_array()?.first()?.as_str()?;
        zone.rsplit_once('-').map(|(region, _)| region.to_owned())
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
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().replace(',', "").parse().ok(),
        _ => None,
    }
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
            let instances = read("i.json", &text).unwrap();
            let [instance] = &instances[..] else { panic!("{instances:?}") };
            assert_eq!((instance.id.as_str(), instance.region.as_str()), ("kst-hzz65f3a1b2c4d5e6f7a8", "cn-hangzhou"));
            assert_eq!((instance.free(), instance.qps, instance.kind), (Some(60), Some(1000), None));
            let vpcs: Vec<&str> = instance.vpcs.iter().flatten().map(String::as_str).collect();
            assert_eq!(vpcs, ["vpc-bp1example", "vpc-bp2example"]);
            assert_eq!(instance.expires.unwrap().to_string(), "2027-06-01T02:00:00Z");
        }
    }

    #[test]
    fn tables_are_read_and_what_is_wrong_is_told_with_its_place() {
        let text = "\u{feff}instance_id,Region,Status,type,free_keys,expires,vpcs\nkst-a,cn-hangzhou,Connected,software,\"1,000\",2027-06-01,vpc-1;vpc-2\nkst-b,cn-beijing,,硬件密钥管理,,,\n";
        let instances = read("i.csv", text).unwrap();
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
            ("[]", "there is no KMS instance"),
        ] {
            let error = read("i.csv", text).unwrap_err();
            assert!(error.contains(wrong), "{error}");
        }
    }
}
