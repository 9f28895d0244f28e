//! Stand-ins of IP addresses: a network for a network, an address for an address within it.

use std::net::Ipv4Addr;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, Ordering};

use super::StandIns;
use crate::redact::prf::{Prf, Purpose};

/// First 32 bits of an IPv6 address that is a stand-in.
const NET6: u64 = 0x2001_0db8;
/// First byte of an IPv4 address that is a stand-in.
const RANGE4: RangeInclusive<u32> = 240..=254;

/// A network's stand-in and the order of the addresses within it.
pub(super) struct Net4 {
    net: u32,
    rounds: [u8; 16],
    used: [AtomicU64; 4],
}

impl StandIns {
    /// Gives every learned network that has none yet a stand-in: the one it has in the ticket, or one that nothing in the ticket
    /// has.
    pub(super) fn relearn_networks(&mut self) {
        let Self { prf, given, learned, .. } = self;
        learned.nets4.iter().filter(|&&net| RANGE4.contains(&(net >> 16))).for_each(|&net| given.nets4.pass_over(net));
        for &net in &learned.nets4 {
            if self.nets4.contains_key(&net) {
                continue;
            }
            let mark = u128::from_be_bytes(prf.block(Purpose::Mark4, 0, net.into()));
            let known = given.nets4.known(mark).filter(|known| !learned.nets4.contains(known));
            let chosen = known.unwrap_or_else(|| {
                let free = |net: &u32| !given.nets4.is_used(*net) && !learned.nets4.contains(net);
                // Only a million networks could exhaust the range; two of them then share one.
                (0..1 << 20).map(|round| net4(prf, net, round)).find(free).unwrap_or_else(|| net4(prf, net, 0))
            });
            given.nets4.give(mark, chosen);
            self.given4.insert(chosen);
            let rounds = prf.block(Purpose::Host4, 0, net.into());
            self.nets4.insert(net, Net4 { net: chosen, rounds, used: Default::default() });
        }
        learned.nets6.iter().filter(|&&net| net >> 32 == NET6).for_each(|&net| given.nets6.pass_over(net));
        for &net in &learned.nets6 {
            if self.nets6.contains_key(&net) {
                continue;
            }
            let mark = u128::from_be_bytes(prf.block(Purpose::Mark6, 0, net));
            let known = given.nets6.known(mark).filter(|known| !learned.nets6.contains(known));
            let chosen = known.unwrap_or_else(|| {
                let free = |net: &u64| !given.nets6.is_used(*net) && !learned.nets6.contains(net);
                (0..1 << 20).map(|round| net6(prf, net, round)).find(free).unwrap_or_else(|| net6(prf, net, 0))
            });
            given.nets6.give(mark, chosen);
            self.given6.insert(chosen);
            self.nets6.insert(net, chosen);
        }
    }

    pub(super) fn is_ip4(&self, ip: u32) -> bool {
        let net = ip >> 8;
        if self.nets4.contains_key(&net) {
            return false;
        }
        self.given4.contains(&net)
    }

    pub(super) fn is_ip6(&self, ip: u128) -> bool {
        let net = net_of6(ip);
        if let Some(inner) = mapped(ip) {
            return self.is_ip4(inner);
        }
        !self.nets6.contains_key(&net) && self.given6.contains(&net)
    }

    pub(super) fn ip4(&self, ip: u32) -> Option<u32> {
        let host = (ip & 0xff).to_le_bytes()[0];
        let net = self.nets4.get(&(ip >> 8))?;
        let bit = 1 << (host & 63);
        let used = &net.used[usize::from(host >> 6)];
        if used.load(Ordering::Relaxed) & bit == 0 {
            used.fetch_or(bit, Ordering::Relaxed);
        }
        Some(net.net << 8 | u32::from(shuffle(&net.rounds, host)))
    }

    pub(super) fn ip6(&self, ip: u128) -> Option<u128> {
        if let Some(inner) = mapped(ip) {
            return Some(ip & !0xffff_ffff | u128::from(self.ip4(inner)?));
        }
        let net = net_of6(ip);
        let new = self.nets6.get(&net)?;
        // Two networks order their addresses differently.
        let round = u32::try_from(self.prf.number(Purpose::Net6, u32::MAX, net) >> 33).unwrap_or(0);
        let host = u64::try_from(ip & u128::from(u64::MAX)).unwrap_or(0);
        Some(u128::from(*new) << 64 | u128::from(self.prf.exchange(round, host)))
    }

    /// Every IPv4 address that was given a stand-in.
    pub(crate) fn used4(&self) -> impl Iterator<Item = (Ipv4Addr, Ipv4Addr)> {
        self.nets4.iter().flat_map(|(real, net)| {
            (0..=255_u8).filter_map(move |host| {
                let used = net.used[usize::from(host >> 6)].load(Ordering::Relaxed) & 1 << (host & 63) != 0;
                let new = net.net << 8 | u32::from(shuffle(&net.rounds, host));
                used.then(|| (Ipv4Addr::from(new), Ipv4Addr::from(real << 8 | u32::from(host))))
            })
        })
    }
}

/// Exchanges the last part of an IPv4 address for another, one to one: four rounds on its halves.
fn shuffle(rounds: &[u8; 16], host: u8) -> u8 {
    let (mut left, mut right) = (host >> 4, host & 15);
    for round in 0..4 {
        // Each round has 4 bytes: a multiplier, two additions and a shift make a function of the right half.
        let [a, b, c, d] = [rounds[4 * round], rounds[4 * round + 1], rounds[4 * round + 2], rounds[4 * round + 3]];
        let mixed = (right.wrapping_add(a)).wrapping_mul(b | 1) ^ c;
        let mixed = (mixed ^ mixed >> 4).wrapping_add(d.wrapping_mul(right)) >> 2 & 15;
        (left, right) = (right, left ^ mixed);
    }
    left << 4 | right
}

fn net4(prf: &Prf, net: u32, round: u32) -> u32 {
    let number = prf.number(Purpose::Net4, round, net.into());
    if is_private4(net << 8) {
        (248 << 16) + (number % (7 << 16)) as u32
    } else {
        (240 << 16) + (number % (8 << 16)) as u32
    }
}

fn net6(prf: &Prf, net: u64, round: u32) -> u64 {
    let number = prf.number(Purpose::Net6, round, net) >> 33;
    let half = if is_private6(net) { 1 << 31 } else { 0 };
    NET6 << 32 | half | number
}

fn net_of6(ip: u128) -> u64 {
    u64::try_from(ip >> 64).unwrap_or(0)
}

/// The IPv4 address in an IPv4-mapped or -compatible IPv6 address, or behind a NAT64 prefix.
pub(crate) fn mapped(ip: u128) -> Option<u32> {
    let inner = u32::try_from(ip & 0xffff_ffff).ok()?;
    let prefix = ip >> 32;
    (prefix == 0xffff || prefix == 0xffff_0000 || prefix == 0x64_ff9b << 64 || prefix == 0 && inner > 0xffff)
        .then_some(inner)
}

/// Private, shared and link-local addresses.
const fn is_private4(ip: u32) -> bool {
    let ip = Ipv4Addr::from_bits(ip);
    let [a, b, ..] = ip.octets();
    ip.is_private() || ip.is_link_local() || a == 100 && b & 0xc0 == 64
}

const fn is_private6(net: u64) -> bool {
    net >> 57 == 0xfc >> 1 || net >> 54 == 0xfe80 >> 6
}

/// The network of an IPv4 address that will need a stand-in.
pub(crate) const fn net4_of(ip: u32) -> u32 {
    ip >> 8
}

/// The network of an IPv6 address that will need a stand-in.
pub(crate) fn net6_of(ip: u128) -> u64 {
    net_of6(ip)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::net::Ipv6Addr;

    use super::*;
    use crate::redact::learned::Sighting;
    use crate::redact::stand_in::tests::stand_ins;

    fn ip(text: &str) -> u32 {
        text.parse::<Ipv4Addr>().unwrap().to_bits()
    }

    #[test]
    fn a_network_stays_a_network_and_its_addresses_stay_apart() {
        let nets: Vec<_> = ["198.51.100.0", "10.1.2.0", "10.1.3.0"].map(|net| Sighting::Net4(ip(net) >> 8)).into();
        let table = stand_ins(nets);
        let all: HashSet<_> = (0..=255).map(|host| table.ip4(ip("10.1.2.0") + host).unwrap()).collect();
        assert_eq!(all.len(), 256);
        assert_eq!(all.iter().map(|ip| ip >> 8).collect::<HashSet<_>>().len(), 1);
        assert!((248..255).contains(&(table.ip4(ip("10.1.2.3")).unwrap() >> 24)));
        assert!((240..248).contains(&(table.ip4(ip("198.51.100.9")).unwrap() >> 24)));
        assert_ne!(table.ip4(ip("10.1.2.3")).unwrap() >> 8, table.ip4(ip("10.1.3.3")).unwrap() >> 8);
    }

    #[test]
    fn a_real_address_in_the_range_of_stand_ins_is_replaced_and_a_stand_in_is_not() {
        let table = stand_ins(vec![Sighting::Net4(ip("240.1.2.0") >> 8), Sighting::Net4(ip("10.1.2.0") >> 8)]);
        let given = table.ip4(ip("10.1.2.3")).unwrap();
        assert!(table.is_ip4(given));
        assert!(!table.is_ip4(ip("240.1.2.3")));
        assert_ne!(table.ip4(ip("240.1.2.3")).unwrap(), ip("240.1.2.3"));
        let six = "2001:db8:1::7".parse::<Ipv6Addr>().unwrap().to_bits();
        let table = stand_ins(vec![Sighting::Net6(net_of6(six))]);
        assert!(!table.is_ip6(six) && table.is_ip6(table.ip6(six).unwrap()));
    }
}
