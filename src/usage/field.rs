//! The members of events that are wanted, and where they stand.

use super::event::{Event, Part, Whole, is_failure, is_of_other, is_type_of_key};
use super::named::{is_account, is_region};
use super::scan::Raw;

/// The member of `referencedResources` that has keys.
pub(super) const KEYS: &[u8] = b"ACS::KMS::Key";

/// What kind of value a way leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A string.
    Text,
    /// A number.
    Number,
    /// An object or a list of which nothing is wanted.
    Nested,
    /// None: the event ends.
    End,
}

impl Kind {
    /// Whether a value of this kind begins there, as far as what stands before it does not say so.
    #[inline]
    pub(super) fn begins(self, bytes: &[u8], at: usize) -> bool {
        match self {
            Kind::Text | Kind::End => true,
            Kind::Number => bytes.get(at).is_some_and(|byte| *byte == b'-' || byte.is_ascii_digit()),
            Kind::Nested => matches!(bytes.get(at), Some(b'{' | b'[')),
        }
    }
}

/// Where a member stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Within {
    Event,
    Part(Part),
    /// In the list of keys of `referencedResources`.
    Keys,
}

/// Members that are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Field {
    Other,
    EventId,
    Operation,
    Time,
    Agent,
    Region,
    EventType,
    Vpc,
    Service,
    Resource,
    Source,
    Endpoint,
    EventRw,
    Account,
    ErrorCode,
    ErrorMessage,
    ResourceType,
    RequestedKey,
    DestinationKey,
    RequestedRegion,
    Alias,
    AnsweredKey,
    AnsweredMetadata,
    SourceKey,
    EncryptionKey,
    Identity,
    User,
    Principal,
    CallerAccount,
    ReferencedKey,
}

/// Places for values, of which the first is for those that are not wanted.
pub(super) const FIELDS: usize = Field::ReferencedKey as usize + 1;

impl Field {
    pub(super) fn of(within: Within, name: &[u8]) -> Field {
        match (within, name) {
            (Within::Event, b"eventId") => Field::EventId,
            (Within::Event, b"eventName") => Field::Operation,
            (Within::Event, b"eventTime") => Field::Time,
            (Within::Event, b"userAgent") => Field::Agent,
            (Within::Event, b"acsRegion") => Field::Region,
            (Within::Event, b"eventType") => Field::EventType,
            (Within::Event, b"vpcId") => Field::Vpc,
            (Within::Event, b"serviceName") => Field::Service,
            (Within::Event, b"resourceName") => Field::Resource,
            (Within::Event, b"sourceIpAddress") => Field::Source,
            (Within::Event, b"eventSource") => Field::Endpoint,
            (Within::Event, b"eventRW") => Field::EventRw,
            (Within::Event, b"recipientAccountId") => Field::Account,
            (Within::Event, b"errorCode") => Field::ErrorCode,
            (Within::Event, b"errorMessage") => Field::ErrorMessage,
            (Within::Event, b"resourceType") => Field::ResourceType,
            (Within::Part(Part::Request), b"KeyId") => Field::RequestedKey,
            (Within::Part(Part::Request), b"DestinationKeyId") => Field::DestinationKey,
            (Within::Part(Part::Request), b"RegionId") => Field::RequestedRegion,
            (Within::Part(Part::Request), b"AliasName") => Field::Alias,
            (Within::Part(Part::Request), b"EncryptionKeyId") => Field::EncryptionKey,
            (Within::Part(Part::Response), b"KeyId" | b"KeyMetadata.KeyId") => Field::AnsweredKey,
            (Within::Part(Part::Response), b"KeyMetadata") => Field::AnsweredMetadata,
            (Within::Part(Part::Request | Part::Response), b"SourceKeyId") => Field::SourceKey,
            (Within::Part(Part::Identity), b"type") => Field::Identity,
            (Within::Part(Part::Identity), b"userName") => Field::User,
            (Within::Part(Part::Identity), b"principalId") => Field::Principal,
            (Within::Part(Part::Identity), b"accountId") => Field::CallerAccount,
            (Within::Part(Part::Resources), KEYS) | (Within::Keys, _) => Field::ReferencedKey,
            _ => Field::Other,
        }
    }

    /// Whether it may be a number, as programs write ids.
    pub(super) fn is_word(self) -> bool {
        matches!(
            self,
            Field::Account | Field::ErrorCode | Field::ErrorMessage | Field::Principal | Field::CallerAccount
        )
    }

    /// Fields that are given, as bits; what is not wanted may be given as often as anybody likes.
    pub(super) const fn bit(self) -> u32 {
        match self {
            Field::Other => 0,
            field => 1 << field as u8,
        }
    }
}

/// Of another service's event, no more is wanted.
pub(super) const ENOUGH: u32 = Field::Service.bit()
    | Field::Time.bit()
    | Field::Region.bit()
    | Field::Account.bit()
    | Field::EventRw.bit()
    | Field::EventId.bit();

/// Whether an event is one of another service, and says which, when and where it was, and whether it
/// reads or writes.
pub(super) fn is_enough(values: &[Raw<'_>; FIELDS]) -> bool {
    let of = |field: Field| values[field as usize];
    is_of_other(of(Field::Service))
        && !of(Field::Time).is_empty()
        && is_region(of(Field::Region).bytes)
        && is_account(of(Field::Account).bytes)
        && !of(Field::EventRw).is_empty()
        && !of(Field::EventId).is_empty()
}

/// The event of these values.
#[inline]
pub(super) fn event<'a>(values: &[Raw<'a>; FIELDS]) -> Event<'a> {
    let of = |field: Field| values[field as usize];
    let is_of_key = is_type_of_key(of(Field::ResourceType));
    Event {
        event_id: of(Field::EventId),
        operation: of(Field::Operation),
        time: of(Field::Time),
        service: of(Field::Service),
        event_type: of(Field::EventType),
        agent: of(Field::Agent),
        vpc: of(Field::Vpc),
        source: of(Field::Source),
        endpoint: of(Field::Endpoint),
        event_rw: of(Field::EventRw),
        region: of(Field::Region),
        requested_region: of(Field::RequestedRegion),
        account: of(Field::Account),
        caller_account: of(Field::CallerAccount),
        failed: is_failure(of(Field::ErrorCode)) || is_failure(of(Field::ErrorMessage)),
        identity: of(Field::Identity),
        user: of(Field::User),
        principal: of(Field::Principal),
        requested_key: of(Field::RequestedKey),
        alias: of(Field::Alias),
        answered_key: of(Field::AnsweredKey),
        referenced: [of(Field::ReferencedKey), Raw::default(), Raw::default(), Raw::default()],
        references_more: false,
        resource: if is_of_key { of(Field::Resource) } else { Raw::default() },
        destination_key: of(Field::DestinationKey),
        source_key: of(Field::SourceKey),
        encryption_key: of(Field::EncryptionKey),
        whole: Whole::default(),
    }
}
