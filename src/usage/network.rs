//! From where calls came: VPC, private, internal or public addresses, and the user's own networks by name.

use std::net::{IpAddr, Ipv4Addr};

use super::event::Event;
use super::place::Place;
use super::tally::Call;
use super::told::is_elsewhere;

/// The user's own networks, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks {
    names: Vec<String>,
    ranges: Vec<Range>,
}

/// Addresses that begin alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    /// The bits of the first address; those of the older kind stand in the last 32.
    bits: u128,
    /// How many of the bits count.
    length: u32,
    is_old: bool,
    name: u16,
    /// Whether the name says that they are outside of VPCs.
    is_elsewhere: bool,
}

impl Networks {
    /// Networks by lines of `RANGE,NAME`, such as `203.0.113.0/24,office`; blank lines and those that begin with `#` say
    /// nothing.
    ///
    /// # Errors
    /// The line, and what is expected there.
    pub fn read(text: &str) -> Result<Networks, (usize, String)> {
        let mut networks = Networks::default();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim_start_matches('\u{feff}').trim();
            if line.is_empty() || line.starts_with('#') || number == 0 && line.eq_ignore_ascii_case("range,name") {
                continue;
            }
            let failed = |what: &str| {
                (number + 1, format!("`{line}`: {what}; expected RANGE,NAME, such as 203.0.113.0/24,office"))
            };
            let (range, name) = line.split_once(',').ok_or_else(|| failed("there is no comma"))?;
            let number =
                networks.number(name.trim()).ok_or_else(|| failed("the name is missing, or there are too many"))?;
            let read = Range::read(range.trim(), number).ok_or_else(|| failed("no range of addresses"))?;
            networks.ranges.push(Range { is_elsewhere: is_elsewhere(name.trim()), ..read });
        }
        // Of ranges inside each other, the smallest names the network.
        networks.ranges.sort_by_key(|range| std::cmp::Reverse(range.length));
        Ok(networks)
    }

    fn number(&mut self, name: &str) -> Option<u16> {
        let known = self.names.iter().position(|known| known == name);
        let number = known.unwrap_or(self.names.len());
        if known.is_none() {
            self.names.push(name.to_owned());
        }
        u16::try_from(number).ok().filter(|number| *number != Call::NO_NETWORK && !name.is_empty())
    }

    /// The network that results of before name so.
    pub fn named(&mut self, name: &str) -> Option<u16> {
        self.number(name)
    }

    /// The name of a network.
    pub fn name(&self, number: u16) -> &str {
        self.names.get(usize::from(number)).map_or("", String::as_str)
    }

    /// From where an event came, and from which of the user's networks. A data centre that reaches KMS through a VPC shows
    /// the VPC and its endpoint; whoever has named the network as one outside knows more.
    pub fn place(&self, event: &Event<'_>) -> (Place, Option<u16>) {
        if self.ranges.is_empty() && is_vpc(event.vpc.bytes) {
            return (Place::Vpc, None);
        }
        let source = std::str::from_utf8(event.source.bytes).unwrap_or_default();
        let range = if self.ranges.is_empty() { None } else { self.of(source) };
        // An address of a VPC may lie in a range that stands for all others.
        let is_elsewhere = range.is_some_and(|range| range.is_elsewhere && !range.is_of_all());
        // Only VPCs, and who is connected to one, reach this endpoint (KMS, "Endpoints").
        let is_by_vpc = || is_vpc(event.vpc.bytes) || event.endpoint.bytes.starts_with(b"kms-vpc.");
        let place = match source {
            _ if !is_elsewhere && is_by_vpc() => Place::Vpc,
            "" => Place::Unknown,
            "Internal" => Place::Internal,
            source if source.ends_with(".aliyuncs.com") => Place::Internal,
            source => match source.parse::<IpAddr>() {
                Ok(address) if is_private(address) => Place::Private,
                Ok(_) => Place::Public,
                Err(_) => Place::Unknown,
            },
        };
        (place, range.map(|range| range.name))
    }

    fn of(&self, source: &str) -> Option<&Range> {
        let (bits, is_old) = bits(source.parse().ok()?);
        let has = |range: &&Range| range.is_old == is_old && range.has(bits);
        self.ranges.iter().find(has)
    }
}

impl Range {
    fn read(text: &str, name: u16) -> Option<Range> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length.parse::<u32>().ok()?)),
            None => (text, None),
        };
        let (bits, is_old) = bits(address.trim().parse().ok()?);
        let most = if is_old { 32 } else { 128 };
        let length = length.unwrap_or(most);
        (length <= most).then(|| Range { bits, length: 128 - most + length, is_old, name, is_elsewhere: false })
    }

    /// Whether it has all addresses there are.
    fn is_of_all(&self) -> bool {
        self.length == if self.is_old { 96 } else { 0 }
    }

    fn has(&self, bits: u128) -> bool {
        let differing = self.bits ^ bits;
        // All bits are cut off if none of them counts.
        differing.checked_shr(128 - self.length).is_none_or(|differing| differing == 0)
    }
}

fn bits(address: IpAddr) -> (u128, bool) {
    match address.to_canonical() {
        IpAddr::V4(address) => (u128::from(address.to_bits()), true),
        IpAddr::V6(address) => (address.to_bits(), false),
    }
}

/// Whether a `vpcId` is one; exports write other words where there is none.
pub(super) fn is_vpc(vpc: &[u8]) -> bool {
    vpc.starts_with(b"vpc-")
}

/// Whether a source is one of the cloud's own, as services have it: no address of somebody else, and none that is masked.
pub(super) fn is_inside_cloud(source: &[u8]) -> bool {
    let source = std::str::from_utf8(source).unwrap_or("?").trim();
    let is_of_cloud = |address: IpAddr| match address.to_canonical() {
        IpAddr::V4(address) => is_shared(address),
        IpAddr::V6(_) => false,
    };
    matches!(source, "" | "-" | "Internal")
        || source.ends_with(".aliyuncs.com")
        || source.parse::<IpAddr>().is_ok_and(is_of_cloud)
}

/// Whether an address is in 100.64.0.0/10, which carriers share (RFC 6598), and in which Alibaba Cloud's own services are.
fn is_shared(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    first == 100 && second & 0xc0 == 64
}

/// Whether an address is one of a private network, of carriers, or of the machine itself.
fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            address.is_private() || address.is_loopback() || address.is_link_local() || is_shared(address)
        }
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage::scan::Raw;

    fn place(networks: &Networks, source: &str, vpc: &str) -> (Place, String) {
        let raw = |text: &'static str| Raw { bytes: text.as_bytes(), is_escaped: false };
        let event =
            Event { source: raw(source.to_owned().leak()), vpc: raw(vpc.to_owned().leak()), ..Event::default() };
        let (place, network) = networks.place(&event);
        (place, network.map(|number| networks.name(number).to_owned()).unwrap_or_default())
    }

    #[test]
    fn addresses_are_known_by_their_ranges() {
        let networks = Networks::read(
            "# ours\n203.0.113.0/24,office\n203.0.113.128/25, lab\n2001:db8::/32,office\n0.0.0.0/0,any\n10.9.0.0/16,data-centre\n10.8.0.0/16,vpc\n",
        )
        .unwrap();
        for (source, vpc, expected, name) in [
            ("10.0.3.17", "vpc-1", Place::Vpc, "any"),
            ("10.0.3.17", "", Place::Private, "any"),
            ("10.9.3.17", "vpc-1", Place::Private, "data-centre"),
            ("10.8.3.17", "vpc-1", Place::Vpc, "vpc"),
            ("100.100.2.136", "", Place::Private, "any"),
            ("203.0.113.9", "", Place::Public, "office"),
            ("203.0.113.200", "", Place::Public, "lab"),
            ("::ffff:203.0.113.200", "", Place::Public, "lab"),
            ("2001:db8::1", "", Place::Public, "office"),
            ("2002::1", "", Place::Public, ""),
            ("fd00::1", "", Place::Private, ""),
            ("Internal", "", Place::Internal, ""),
            ("oss.aliyuncs.com", "", Place::Internal, ""),
            ("", "", Place::Unknown, ""),
            ("somewhere", "", Place::Unknown, ""),
        ] {
            assert_eq!(place(&networks, source, vpc), (expected, name.to_owned()), "{source}");
        }
    }

    #[test]
    fn what_is_no_range_is_refused_with_its_line() {
        for text in ["203.0.113.0/33,x", "x,y", "203.0.113.0/24", "203.0.113.0/24,", "2001:db8::/129,x"] {
            assert_eq!(Networks::read(&format!("\n{text}")).unwrap_err().0, 2, "{text}");
        }
    }
}
