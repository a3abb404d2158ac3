//! From where calls came: VPC, private, internal or public addresses, and the user's own networks by name.

use std::net::{IpAddr, Ipv4Addr};

use super::event::Event;
use super::named::is_region;
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
        let (mut networks, mut lines) = (Networks::default(), Vec::new());
        for (number, line) in text.lines().enumerate() {
            let line = line.trim_start_matches('\u{feff}').trim();
            if line.is_empty() || line.starts_with('#') || number == 0 && line.eq_ignore_ascii_case("range,name") {
                continue;
            }
            let failed = |what: &str| {
                (number + 1, format!("`{line}`: {what}; expected RANGE,NAME, such as 203.0.113.0/24,office"))
            };
            let (range, name) = line.split_once(',').ok_or_else(|| failed("there is no comma"))?;
            let network =
                networks.number(name.trim()).ok_or_else(|| failed("the name is missing, or there are too many"))?;
            let read = Range::read(range.trim(), network).ok_or_else(|| failed("no range of addresses"))?;
            let same =
                networks.ranges.iter().zip(&lines).find(|(known, _)| known.is_same(&read) && known.name != network);
            if let Some((known, before)) = same {
                let name = networks.name(known.name);
                return Err(failed(&format!("line {before} names the same range `{name}`, and a range has one name")));
            }
            networks.ranges.push(Range { is_elsewhere: is_elsewhere(name.trim()), ..read });
            lines.push(number + 1);
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
        let is_named = is_vpc(event.vpc.bytes);
        if self.ranges.is_empty() && is_named {
            return (Place::Vpc, None);
        }
        let text = event.source.text();
        let mut all = text.split([',', ';']).map(|source| self.place_of(Source::of(source), event));
        let first = all.next().unwrap_or((Place::Unknown, None));
        // Proxies write those behind which a caller stands one behind the other, and callers what they like.
        if all.all(|other| other == first) { first } else { (Place::Unknown, None) }
    }

    fn place_of(&self, source: Source, event: &Event<'_>) -> (Place, Option<u16>) {
        let range = if let Source::Address(address) = source { self.of(address) } else { None };
        // An address of a VPC may lie in a range that stands for all others.
        let is_elsewhere = range.is_some_and(|range| range.is_elsewhere && !range.is_of_all());
        let is_private = matches!(source, Source::Address(address) if is_private(address));
        // Only VPCs, and who is connected to one, reach this endpoint (KMS, "Endpoints"), and those have private addresses.
        let is_by_vpc = || is_vpc(event.vpc.bytes) || is_private && is_endpoint_of_vpc(&event.endpoint.text());
        let place = match source {
            // Whoever has named networks wants to know from which a call came.
            Source::Unclear => Place::Unknown,
            _ if !is_elsewhere && is_by_vpc() => Place::Vpc,
            Source::Inside => Place::Internal,
            Source::Address(_) if is_private => Place::Private,
            Source::Address(_) => Place::Public,
        };
        (place, range.map(|range| range.name))
    }

    fn of(&self, source: IpAddr) -> Option<&Range> {
        let find = |source: IpAddr| {
            let (bits, is_old) = bits(source);
            self.ranges.iter().find(|range| range.is_old == is_old && range.has(bits))
        };
        find(inside(source)).or_else(|| find(source))
    }
}

/// What `sourceIpAddress` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// An address.
    Address(IpAddr),
    /// Inside the cloud.
    Inside,
    /// Nothing, or what is not understood, as where it is masked.
    Unclear,
}

impl Source {
    /// That of a text, which may have blanks around it, and an address brackets, and a port behind it.
    fn of(text: &str) -> Source {
        let text = text.trim();
        if text == "Internal" || text.ends_with(".aliyuncs.com") {
            return Source::Inside;
        }
        let is_port = |port: &str| port.is_empty() || port.parse::<u16>().is_ok();
        let without_port = || match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((inside, port)) => is_port(port.trim_start_matches(':')).then_some(inside),
            None => text.split_once(':').filter(|(_, port)| is_port(port)).map(|(address, _)| address),
        };
        let address = text.parse().ok().or_else(|| without_port()?.trim().parse().ok());
        address.filter(|address| !is_of_machine(*address)).map_or(Source::Unclear, Source::Address)
    }
}

/// Whether an address is one by which a machine calls itself or its neighbours, so that nobody knows where it is.
fn is_of_machine(address: IpAddr) -> bool {
    match inside(address) {
        IpAddr::V4(address) => address.is_loopback() || address.is_link_local() || address.is_unspecified(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unicast_link_local() || address.is_unspecified(),
    }
}

/// The address of the older kind that one of the newer kind stands for: `::ffff:10.8.0.5`, `64:ff9b::10.8.0.5` (RFC 6052)
/// and `::10.8.0.5`; or else the address itself.
fn inside(address: IpAddr) -> IpAddr {
    let IpAddr::V6(newer) = address.to_canonical() else { return address.to_canonical() };
    let bits = newer.to_bits();
    let (begin, end) = (bits >> 32, bits as u32);
    // `::` and `::1` are none, nor is what has nothing before its last two bytes.
    let is_older = begin == 0x0064_ff9b << 64 || begin == 0 && end > 0xffff;
    if is_older { Ipv4Addr::from_bits(end).into() } else { address }
}

/// Whether a host is the endpoint of VPCs, `kms-vpc.REGION.aliyuncs.com`.
fn is_endpoint_of_vpc(endpoint: &str) -> bool {
    let host = endpoint.trim().to_ascii_lowercase();
    let host = ["https://", "http://"].iter().find_map(|scheme| host.strip_prefix(scheme)).unwrap_or(&host);
    let host = host.strip_suffix('/').unwrap_or(host);
    let host = match host.split_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() => host,
        _ => host,
    };
    let region = host.strip_prefix("kms-vpc.").and_then(|rest| rest.strip_suffix(".aliyuncs.com"));
    region.is_some_and(|region| is_region(region.as_bytes()))
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

    /// Whether it has the same addresses as another.
    fn is_same(&self, other: &Range) -> bool {
        self.is_old == other.is_old && self.length == other.length && self.has(other.bits)
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

/// Whether an address is one of a private network, or of carriers.
fn is_private(address: IpAddr) -> bool {
    match inside(address) {
        IpAddr::V4(address) => address.is_private() || is_shared(address),
        IpAddr::V6(address) => address.is_unique_local(),
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
    fn addresses_are_known_whatever_stands_around_them() {
        let networks = Networks::read("10.8.0.0/16,data-centre\n100.64.0.0/10,data-centre\n10.9.0.0/16,vpc\n").unwrap();
        for source in ["10.8.0.5", " 10.8.0.5 ", "10.8.0.5:443", "[10.8.0.5]", "[10.8.0.5]:443", "10.8.0.5, 100.64.0.1"]
        {
            assert_eq!(place(&networks, source, "vpc-1"), (Place::Private, "data-centre".to_owned()), "{source}");
        }
        for source in ["10.8.*.*", "", "10.8.0.5,10.9.0.5", "10.0.0.1,", "010.8.0.5", "10.8.0.5:x", "a.example.com"] {
            assert_eq!(place(&networks, source, "vpc-1"), (Place::Unknown, String::new()), "{source}");
            assert_eq!(place(&Networks::default(), source, "vpc-1").0, Place::Vpc, "{source}");
        }
        assert_eq!(place(&networks, "[2001:db8::1]:443", "").0, Place::Public);
        assert_eq!(place(&networks, "10.0.0.1", "vpc-1").0, Place::Vpc);
    }

    #[test]
    fn the_endpoint_of_vpcs_has_a_domain_of_its_own() {
        for (host, is_it) in [
            ("kms-vpc.cn-hangzhou.aliyuncs.com", true),
            (" https://KMS-VPC.cn-hangzhou.aliyuncs.com", true),
            ("kms-vpc.evil.example.com", false),
            ("kms-vpc.aliyuncs.com", false),
            ("kms-vpc.cn-hangzhou.aliyuncs.com.example.com", false),
            ("kms-vpc.a.b.aliyuncs.com", false),
            ("kms-vpc.", false),
        ] {
            assert_eq!(is_endpoint_of_vpc(host), is_it, "{host}");
        }
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
    fn a_range_has_one_name() {
        for text in ["10.0.0.0/16,vpc\n10.0.9.9/16,data-centre", "::ffff:10.8.0.5,a\n10.8.0.5,b"] {
            let (line, why) = Networks::read(text).unwrap_err();
            assert!(line == 2 && why.contains("line 1"), "{why}");
        }
        assert!(Networks::read("10.0.0.0/16,vpc\n10.0.0.0/16,vpc\n10.0.0.0/17,data-centre").is_ok());
    }

    #[test]
    fn addresses_inside_others_are_known() {
        let networks = Networks::read("10.8.0.0/16,data-centre\n64:ff9b::/96,translated\n").unwrap();
        for source in ["::ffff:10.8.0.5", "64:ff9b::a08:5", "::10.8.0.5"] {
            assert_eq!(place(&networks, source, "vpc-1"), (Place::Private, "data-centre".to_owned()), "{source}");
        }
        assert_eq!(place(&networks, "64:ff9b::5db8:d822", ""), (Place::Public, "translated".to_owned()));
        for source in ["::1", "127.1.2.3", "169.254.0.1", "fe80::1", "::", "0.0.0.0"] {
            assert_eq!(place(&networks, source, "vpc-1").0, Place::Unknown, "{source}");
        }
    }

    #[test]
    fn what_is_no_range_is_refused_with_its_line() {
        for text in ["203.0.113.0/33,x", "x,y", "203.0.113.0/24", "203.0.113.0/24,", "2001:db8::/129,x"] {
            assert_eq!(Networks::read(&format!("\n{text}")).unwrap_err().0, 2, "{text}");
        }
    }
}
