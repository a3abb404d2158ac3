//! From where calls came.

use super::tally::Call;

/// From where calls came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Place {
    /// Through a VPC, which the event names.
    Vpc,
    /// From a private address.
    Private,
    /// From inside the cloud, of which no more is said.
    Internal,
    /// From a public address: perhaps from outside, perhaps through a NAT gateway of a VPC.
    Public,
    /// Nobody knows.
    Unknown,
}

impl Place {
    /// All of them, in order.
    pub const ALL: [Place; 5] = [Place::Vpc, Place::Private, Place::Internal, Place::Public, Place::Unknown];

    /// The word for outputs.
    pub fn name(self) -> &'static str {
        match self {
            Place::Vpc => "vpc",
            Place::Private => "private",
            Place::Internal => "internal",
            Place::Public => "public",
            Place::Unknown => "unknown",
        }
    }
}

/// From where applications called cryptographic operations with success.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Places {
    /// By place; without those from the user's own networks, unless a VPC is known and the name of the network does not
    /// say that it is outside.
    pub calls: [u64; Place::ALL.len()],
    /// By the user's own network, by number.
    pub networks: Vec<(u16, u64)>,
}

impl Places {
    /// Adds one call.
    pub fn add(&mut self, call: &Call) {
        match call.network {
            _ if call.place == Place::Vpc => self.calls[call.place as usize] += 1,
            Call::NO_NETWORK => self.calls[call.place as usize] += 1,
            network => self.add_network(network, 1),
        }
    }

    /// Adds calls of one of the user's networks.
    pub fn add_network(&mut self, network: u16, calls: u64) {
        match self.networks.iter_mut().find(|(known, _)| *known == network) {
            Some((_, known)) => *known += calls,
            None => self.networks.push((network, calls)),
        }
    }

    /// Adds all of another one.
    pub fn merge(&mut self, other: &Places) {
        self.calls.iter_mut().zip(other.calls).for_each(|(mine, theirs)| *mine += theirs);
        other.networks.iter().for_each(|(network, calls)| self.add_network(*network, *calls));
    }
}
