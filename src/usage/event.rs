//! Events of ActionTrail: the fields that tell which key was used, by whom, how and when.
//!
//! Field names and shapes: ActionTrail, "Management event structure"; KMS, "Use ActionTrail to query KMS events". Most
//! fields are optional.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::field::{Field, Within};
use super::named::{is_account, is_region};
use super::scan::{Broken, Raw, Value, behind_blanks, broken, elements, members, name, nested_end, value};

/// The name of the service in its events (KMS, "Use ActionTrail …": the filter is exactly this).
const KMS: &[u8] = b"Kms";

/// What an event says, borrowed from it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Event<'a> {
    /// `eventId`: two deliveries of one event have the same.
    pub event_id: Raw<'a>,
    /// `eventName`: the operation.
    pub operation: Raw<'a>,
    /// `eventTime`, in UTC.
    pub time: Raw<'a>,
    /// `serviceName`.
    pub service: Raw<'a>,
    /// `eventType`: `ApiCall`, `ConsoleOperation`, `AliyunServiceEvent`, …
    pub event_type: Raw<'a>,
    /// `eventRW`: `Read` or `Write`.
    pub event_rw: Raw<'a>,
    /// `userAgent`.
    pub agent: Raw<'a>,
    /// `vpcId`.
    pub vpc: Raw<'a>,
    /// `sourceIpAddress`: an address, `Internal`, or a domain.
    pub source: Raw<'a>,
    /// `eventSource`: the endpoint that was called.
    pub endpoint: Raw<'a>,
    /// `acsRegion`.
    pub region: Raw<'a>,
    /// `requestParameters.RegionId`, which tells the region if `acsRegion` does not.
    pub requested_region: Raw<'a>,
    /// `recipientAccountId`.
    pub account: Raw<'a>,
    /// `userIdentity.accountId`, which tells the account if `recipientAccountId` does not.
    pub caller_account: Raw<'a>,
    /// Whether the call failed: `errorCode` or `errorMessage` says something.
    pub failed: bool,
    /// `userIdentity.type`.
    pub identity: Raw<'a>,
    /// `userIdentity.userName`: of an assumed role, `role:session`.
    pub user: Raw<'a>,
    /// `userIdentity.principalId`.
    pub principal: Raw<'a>,
    /// `requestParameters.KeyId`: an id, an ARN or an alias.
    pub requested_key: Raw<'a>,
    /// `requestParameters.AliasName`: the alias that is given to a key, or taken from it.
    pub alias: Raw<'a>,
    /// `responseElements.KeyId`, or that of the `KeyMetadata` which `CreateKey` and `DescribeKey` answer.
    pub answered_key: Raw<'a>,
    /// The first of what `referencedResources` names as of type `ACS::KMS::Key`, each once.
    pub referenced: [Raw<'a>; 4],
    /// Whether `referencedResources` names more.
    pub references_more: bool,
    /// `resourceName`, if `resourceType` is that of a key or an alias.
    pub resource: Raw<'a>,
    /// `requestParameters.DestinationKeyId`: the key under which `ReEncrypt` writes.
    pub destination_key: Raw<'a>,
    /// `SourceKeyId`: the key under which `ReEncrypt` reads; asymmetric ones stand in the request.
    pub source_key: Raw<'a>,
    /// `requestParameters.EncryptionKeyId`: the key under which `CreateSecret` stores.
    pub encryption_key: Raw<'a>,
    /// All of it, for the few of which more is asked; only of events of KMS.
    pub whole: Whole<'a>,
}

/// The bytes of an event.
#[derive(Clone, Copy, Default)]
pub struct Whole<'a>(pub &'a [u8]);

impl std::fmt::Debug for Whole<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

/// What an object in a log is.
#[derive(Debug)]
pub enum Seen<'a> {
    /// An event of KMS.
    Kms(Event<'a>),
    /// An event of another service, of which the time, account and region are there.
    Other(Event<'a>),
    /// An object around lists of events (`Records`, `Events`), or around one event, which may be JSON in a text.
    Around(&'a [u8]),
    /// An object that is no event.
    Nothing,
}

impl<'a> Event<'a> {
    fn take(&mut self, name: &[u8], value: Value<'a>) {
        match Field::of(Within::Event, name) {
            Field::EventId => self.event_id = value.text(),
            Field::Operation => self.operation = value.text(),
            Field::Time => self.time = value.text(),
            Field::Agent => self.agent = value.text(),
            Field::Region => self.region = value.text(),
            Field::EventType => self.event_type = value.text(),
            Field::ErrorCode | Field::ErrorMessage => self.failed |= is_failure(value.word()),
            Field::EventRw => self.event_rw = value.text(),
            Field::Vpc => self.vpc = value.text(),
            Field::Service => self.service = value.text(),
            Field::Endpoint => self.endpoint = value.text(),
            Field::Resource => self.resource = value.text(),
            Field::Source => self.source = value.text(),
            Field::Account => self.account = value.word(),
            _ => {}
        }
    }

    /// Takes a key that `referencedResources` names.
    fn refer(&mut self, key: Raw<'a>) {
        if key.is_empty() || self.referenced.iter().any(|known| known.bytes == key.bytes) {
            return;
        }
        match self.referenced.iter_mut().find(|place| place.is_empty()) {
            Some(place) => *place = key,
            None => self.references_more = true,
        }
    }

    /// Takes `referencedResources` as older events have it: `[{"resourceType":"ACS::KMS::Key","resourceName":"…"}]`.
    fn refer_all(&mut self, list: &'a [u8]) {
        // Keys before the place where a list is broken are named all the same.
        let _ = elements(list, |element| {
            let (mut kind, mut key) = (Raw::default(), Raw::default());
            if let Value::Nested(object) = element {
                let read = members(object, 0, |name, value| match &*plain(name) {
                    b"resourceType" => kind = value.text(),
                    b"resourceName" => key = value.text(),
                    _ => {}
                });
                if read.is_ok() && kind.bytes == b"ACS::KMS::Key" {
                    self.refer(key);
                }
            }
        });
    }

    /// Takes the object at `at`, of whose members some are wanted, and gives where it ends.
    fn take_nested(&mut self, part: Part, bytes: &'a [u8], at: usize) -> Result<usize, Broken> {
        members(bytes, at, |name, value| match Field::of(Within::Part(part), &plain(name)) {
            Field::RequestedKey => self.requested_key = value.text(),
            Field::DestinationKey => self.destination_key = value.text(),
            Field::SourceKey => self.source_key = value.text(),
            Field::EncryptionKey => self.encryption_key = value.text(),
            Field::Alias => self.alias = value.text(),
            Field::RequestedRegion => self.requested_region = value.text(),
            Field::AnsweredKey => self.answered_key = value.text(),
            Field::AnsweredMetadata => {
                if let Value::Nested(metadata) = value {
                    let _ = members(metadata, 0, |name, value| {
                        if *plain(name) == *b"KeyId" {
                            self.answered_key = value.text();
                        }
                    });
                }
            }
            Field::Identity => self.identity = value.text(),
            Field::User => self.user = value.text(),
            Field::Principal => self.principal = value.word(),
            Field::CallerAccount => self.caller_account = value.word(),
            Field::ReferencedKey => match value {
                Value::Nested(list) => {
                    let _ = elements(list, |element| self.refer(element.text()));
                }
                value => self.refer(value.text()),
            },
            _ => {}
        })
    }
}

/// The name of a member without its escapes, of which nearly none has any.
#[inline]
pub(super) fn plain(name: &[u8]) -> Cow<'_, [u8]> {
    match memchr::memchr(b'\\', name) {
        None => name.into(),
        Some(_) => Raw { bytes: name, is_escaped: true }.text().into_owned().into_bytes().into(),
    }
}

/// Whether an `errorCode` or `errorMessage` says that a call failed.
pub(super) fn is_failure(says: Raw<'_>) -> bool {
    let is_fine = |fine: &&[u8]| says.bytes.trim_ascii().eq_ignore_ascii_case(fine);
    ![&b""[..], b"0", b"success", b"ok", b"200", b"null", b"none", b"-"].iter().any(is_fine)
}

/// Objects inside an event of which some members are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Part {
    Request,
    Response,
    Identity,
    Resources,
}

impl Part {
    pub(super) fn named(name: &[u8]) -> Option<Part> {
        match (name.len(), name) {
            (17, b"requestParameters") => Some(Part::Request),
            (16, b"responseElements") => Some(Part::Response),
            (12, b"userIdentity") => Some(Part::Identity),
            (19, b"referencedResources") => Some(Part::Resources),
            _ => None,
        }
    }
}

/// How an object ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    /// Where the bytes do: it is alone in them.
    WithBytes,
    /// Where its bracket is closed: others follow.
    WithBracket,
}

/// Reads the object whose `{` stands at `at`, and gives where it ends.
///
/// # Errors
/// It is no JSON, as far as it was looked at: of other services' events only so much is.
pub fn read(bytes: &[u8], at: usize, ends: Ends) -> Result<(Seen<'_>, usize), Broken> {
    let mut event = Event::default();
    let start = at;
    let mut inside: Option<&[u8]> = None;
    let (mut is_of_key, mut may_end) = (true, true);
    let mut at = behind_blanks(bytes, at + 1);
    let end = loop {
        if bytes.get(at) == Some(&b'}') {
            break at + 1;
        }
        let (name, begin) = name(bytes, at)?;
        let name = &*plain(name);
        let part = if bytes.get(begin) == Some(&b'{') { Part::named(name) } else { None };
        at = match part {
            Some(part) => event.take_nested(part, bytes, begin)?,
            None => {
                let (value, end) = value(bytes, begin)?;
                match value {
                    Value::Nested(nested) if name == b"referencedResources" => event.refer_all(nested),
                    Value::Nested(nested) if is_around(name) => inside = Some(nested),
                    Value::Text(text) if name.len() == 5 && name == b"event" => inside = Some(text.bytes),
                    Value::Text(text) if name.len() == 12 && name == b"resourceType" => {
                        is_of_key = is_type_of_key(text);
                    }
                    value => event.take(name, value),
                }
                end
            }
        };
        // Of another service, only when and where it was called says anything, and whether that reads or writes: that there was
        // somebody who listened, and to what. The id tells it from others.
        if may_end && inside.is_none() && is_other(&event) && is_enough(&event) {
            match end_of_other(bytes, at, ends) {
                Some(end) => return Ok((Seen::Other(event), end)),
                None => may_end = false,
            }
        }
        at = behind_blanks(bytes, at);
        match bytes.get(at) {
            Some(b',') => at = behind_blanks(bytes, at + 1),
            Some(b'}') => {}
            _ => return Err(broken(bytes, at)),
        }
    };
    let is_nameless = event.service.is_empty() && event.operation.is_empty();
    // Rows of a log store may say something of themselves, too.
    let is_row = |inside: &[u8]| is_nameless || !is_kms(event.service) && may_be_event(inside, Ends::WithBracket);
    if inside.is_some_and(is_row) {
        return Ok((Seen::Around(&bytes[start..end]), end));
    }
    if is_nameless {
        return Ok((Seen::Nothing, end));
    }
    if !is_of_key {
        event.resource = Raw::default();
    }
    // Most members are optional, and may say nothing; the endpoint tells the service, too.
    let endpoint = service_of(event.endpoint);
    let is_of_kms = is_kms(event.service) || !is_other(&event) && is_kms(endpoint);
    Ok(match event.service.is_empty() && endpoint.is_empty() {
        true => (Seen::Nothing, end),
        false if is_of_kms => {
            event.whole = Whole(&bytes[start..end]);
            (Seen::Kms(event), end)
        }
        false => (Seen::Other(event), end),
    })
}

/// Where an event of another service ends of which enough is known before `at`; nothing if it has to be read to its end, as
/// it is cut off, or as another event may stand in it or behind it.
#[inline]
pub(super) fn end_of_other(bytes: &[u8], at: usize, ends: Ends) -> Option<usize> {
    let end = match ends {
        Ends::WithBracket => nested_end(bytes, at, b'{').ok()?,
        Ends::WithBytes if bytes.last() == Some(&b'}') => bytes.len(),
        Ends::WithBytes => return None,
    };
    let rest = bytes.get(at..end)?;
    (!may_be_event(rest, ends)).then_some(end)
}

/// Whether another event may stand in what is left of one, as JSON or in a text, or behind it.
fn may_be_event(rest: &[u8], ends: Ends) -> bool {
    // The endpoint tells the service, too, where a further event on the line does not name it.
    let names_event =
        |before: &[u8]| before.ends_with(b"service") || ends == Ends::WithBytes && before.ends_with(b"event");
    NAME.find_iter(rest).any(|at| names_event(&rest[..at]))
}

/// How the names of members end that tell an event from other objects.
static NAME: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("Name"));

/// Whether a service is KMS. Logs that passed through other tools may have it in other letters, or as `kms.aliyuncs.com`,
/// `acs:kms` or `KMS20160120`.
fn is_kms(service: Raw<'_>) -> bool {
    let is_word = |word: &[u8]| word.eq_ignore_ascii_case(KMS) || word.eq_ignore_ascii_case(b"kms20160120");
    let is_kms = |text: &[u8]| text.split(|byte| !byte.is_ascii_alphanumeric()).any(is_word);
    is_kms(service.bytes) || service.is_escaped && is_kms(service.text().as_bytes())
}

/// Whether a `serviceName` says which service it is: no dash, no `null`, and nothing that is masked.
fn says_service(service: Raw<'_>) -> bool {
    let text = service.bytes.trim_ascii();
    let is_any = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word.as_bytes()));
    text.first().is_some_and(u8::is_ascii_alphanumeric)
        && !text.contains(&b'*')
        && !is_any(&["null", "none", "n/a", "unknown", "masked", "redacted", "hidden"])
}

/// Whether a `resourceType` says that `resourceName` names a key, or an alias.
pub(super) fn is_type_of_key(resource_type: Raw<'_>) -> bool {
    matches!(resource_type.bytes, b"" | b"ACS::KMS::Key" | b"ACS::KMS::Alias" | b"Key" | b"Alias")
}

/// Whether a service is known, and is not KMS.
#[inline]
pub(super) fn is_of_other(service: Raw<'_>) -> bool {
    service.bytes != KMS && says_service(service) && !is_kms(service)
}

/// The service of an endpoint: `kms` of `kms-vpc.cn-hangzhou.aliyuncs.com`, and of `kst-….cryptoservice.kms.aliyuncs.com`,
/// that of an instance.
fn service_of(endpoint: Raw<'_>) -> Raw<'_> {
    let host = endpoint.bytes.trim_ascii();
    let host = [&b"https://"[..], b"http://"].iter().find_map(|scheme| host.strip_prefix(*scheme)).unwrap_or(host);
    let words = || host.split(|byte| matches!(byte, b'.' | b'-'));
    let is_kms = |word: &&[u8]| word.eq_ignore_ascii_case(KMS);
    let bytes = words().find(is_kms).or_else(|| words().next()).unwrap_or_default();
    Raw { bytes, ..endpoint }
}

/// Whether what stands inside a member of that name may be events.
pub(super) fn is_around(name: &[u8]) -> bool {
    matches!(name, b"Records" | b"Events" | b"event" | b"records" | b"events")
}

#[inline]
fn is_other(event: &Event<'_>) -> bool {
    is_of_other(event.service)
}

/// Whether an event of another service says enough of itself: when and where it was, whether it reads, and its id. Where
/// account or region are unclear, members further on may tell them.
#[inline]
pub(super) fn is_enough(event: &Event<'_>) -> bool {
    let has = |values: [Raw<'_>; 3]| values.iter().all(|value| !value.is_empty());
    has([event.time, event.event_rw, event.event_id])
        && is_account(event.account.bytes)
        && is_region(event.region.bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"{"eventId":"3f0d6a1e","eventVersion":"1","eventTime":"2026-11-18T03:12:45Z","eventName":"Decrypt",
        "eventType":"ApiCall","serviceName":"Kms","acsRegion":"cn-hangzhou","vpcId":"vpc-bp1example",
        "requestParameters":{"RegionId":"cn-beijing","KeyId":"alias\/orders"},"requestParameterJson":"{\"KeyId\":\"no\"}",
        "referencedResources":{"ACS::KMS::Key":["0f5a1c1e-8a51-4b0e-9a5e-3d0c6a7b1f01"]},
        "resourceType":"ACS::KMS::Key","resourceName":"0f5a1c1e-8a51-4b0e-9a5e-3d0c6a7b1f01","errorCode":"",
        "userIdentity":{"type":"assumed-role","accountId":"1234567890123456","userName":"orders-role:orders"}}"#;

    fn kms(text: &str) -> Event<'_> {
        match read(text.as_bytes(), 0, Ends::WithBytes).unwrap().0 {
            Seen::Kms(event) => event,
            seen => panic!("{seen:?}"),
        }
    }

    #[test]
    fn the_fields_of_an_event_are_read_at_their_own_depth() {
        let event = kms(EVENT);
        assert_eq!(event.requested_key.text(), "alias/orders");
        assert_eq!(event.referenced[0].text(), "0f5a1c1e-8a51-4b0e-9a5e-3d0c6a7b1f01");
        assert_eq!(
            (event.caller_account.text().as_ref(), event.region.text().as_ref()),
            ("1234567890123456", "cn-hangzhou")
        );
        assert!(!event.failed && event.user.text() == "orders-role:orders");
    }

    #[test]
    fn the_key_that_is_referenced_is_read_in_both_forms() {
        let referenced = |resources: &str| {
            let text = format!(r#"{{"serviceName":"Kms","eventName":"Decrypt","referencedResources":{resources}}}"#);
            let event = kms(&text);
            let named: Vec<_> = event.referenced.iter().map(|key| key.text().into_owned()).collect();
            (named.concat(), event.references_more)
        };
        let one = ("k".to_owned(), false);
        assert_eq!(referenced(r#"{"ACS::KMS::Key":["k"],"ACS::RAM::Role":["r"]}"#), one);
        assert_eq!(referenced(r#"{"ACS::KMS::Key":["k","k"]}"#), one);
        assert_eq!(referenced(r#"{"ACS::KMS::Key":"k"}"#), one);
        let listed = r#"{"resourceType":"ACS::KMS::Key","resourceName":"k"}"#;
        let other = r#"{"resourceName":"r","resourceType":"ACS::RAM::Role"}"#;
        assert_eq!(referenced(&format!("[{other}, {listed}, {listed}]")), one);
        let all = ["l", "m", "n", "o"].map(|name| listed.replace('k', name));
        assert_eq!(referenced(&format!("[{listed},{}]", all[..3].join(","))), ("klmn".to_owned(), false));
        assert_eq!(referenced(&format!("[{listed},{}]", all.join(","))), ("klmn".to_owned(), true));
        assert_eq!(referenced("[1,[],{}]"), (String::new(), false));
    }

    #[test]
    fn codes_of_success_are_no_failure() {
        for (code, failed) in [
            ("\"\"", false),
            ("0", false),
            ("\"0\"", false),
            ("\"Success\"", false),
            ("\"OK\"", false),
            ("404", true),
            ("\" \"", false),
            ("\"null\"", false),
            ("200", false),
        ] {
            let text = format!(r#"{{"serviceName":"Kms","eventName":"Decrypt","errorCode":{code}}}"#);
            assert_eq!(kms(&text).failed, failed, "{code}");
        }
    }

    #[test]
    fn others_are_read_on_until_account_and_region_are_known() {
        for (region, account) in [("-", "1234567890123456"), ("cn-hangzhou", "-"), ("cn-xxxx", ""), ("", "MASKED")] {
            let text = format!(
                r#"{{"eventId":"i","serviceName":"Ecs","eventTime":"t","acsRegion":"{region}","eventRW":"Read","recipientAccountId":"{account}","requestParameters":{{"RegionId":"cn-beijing"}},"userIdentity":{{"accountId":"2234567890123456"}}}}"#
            );
            let Ok((Seen::Other(event), _)) = read(text.as_bytes(), 0, Ends::WithBytes) else { panic!("{text}") };
            assert_eq!(
                (event.requested_region.bytes, event.caller_account.bytes),
                (&b"cn-beijing"[..], &b"2234567890123456"[..])
            );
        }
    }

    #[test]
    fn objects_around_events_are_known() {
        let seen = |text: &'static str| read(text.as_bytes(), 0, Ends::WithBytes).unwrap().0;
        assert!(matches!(seen(r#"{"Records":[{}]}"#), Seen::Around(br#"{"Records":[{}]}"#)));
        assert!(matches!(seen(r#"{"RequestId":"x","Events":[],"NextToken":"y"}"#), Seen::Around(_)));
        assert!(matches!(
            seen(r#"{"__topic__":"actiontrail_audit_event","event":{"eventName":"x"}}"#),
            Seen::Around(_)
        ));
        assert!(matches!(seen(r#"{"__topic__":"x","event":"{\"eventName\":1}"}"#), Seen::Around(_)));
        let row = r#"{"serviceName":"actiontrail","eventTime":"t","acsRegion":"cn-hangzhou","recipientAccountId":"1234567890123456","event":"{\"serviceName\":\"Kms\"}"}"#;
        assert!(matches!(seen(row), Seen::Around(_)));
        assert!(matches!(read(row.as_bytes(), 0, Ends::WithBracket), Ok((Seen::Around(_), _))));
        assert!(matches!(seen(r#"{"a":1}"#), Seen::Nothing));
    }

    #[test]
    fn others_are_left_as_soon_as_enough_is_known() {
        let text = r#"{"eventId":"i","serviceName":"Ecs","eventTime":"t","acsRegion":"cn-hangzhou","eventRW":"Read","recipientAccountId":"1234567890123456","broken":}}"#;
        assert!(matches!(read(text.as_bytes(), 0, Ends::WithBytes), Ok((Seen::Other(_), end)) if end == text.len()));
        assert_eq!(read(&text.as_bytes()[..text.len() - 12], 0, Ends::WithBytes).err(), Some(Broken::CutOff));
        let one = r#"{"eventId":"i","serviceName":"Ecs","eventTime":"t","acsRegion":"cn-hangzhou","eventRW":"Read","recipientAccountId":"1234567890123456","b":"}"}"#;
        for next in
            [r#"{"serviceName":"Kms"}"#, r#"{"eventName":"Decrypt","eventSource":"kms-vpc.cn-hangzhou.aliyuncs.com"}"#]
        {
            let two = format!("{one}{next}");
            let read = read(two.as_bytes(), 0, Ends::WithBytes);
            assert!(matches!(read, Ok((Seen::Other(_), end)) if end == one.len()), "{next}");
        }
        let text = r#"{"eventId":"i","serviceName":"Ecs","eventTime":"t","acsRegion":"cn-hangzhou","eventRW":"Read","recipientAccountId":"1234567890123456","b":["}"]},{"#;
        let (_, end) = read(text.as_bytes(), 0, Ends::WithBracket).unwrap();
        assert_eq!(&text[end..], ",{");
    }
}
