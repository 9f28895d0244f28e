//! Stand-ins: what replaces a value.
//!
//! Learned things are numbered in the order in which they first appeared. Addresses and telephone numbers are computed from
//! the ticket's key, so that no table is shared by the threads that write. Addresses of one network stay in one network:
//!
//! | real | stand-in |
//! |---|---|
//! | public IPv4 /24 | a /24 of its own in 240.0.0.0–247.255.255.255 |
//! | private, shared, link-local IPv4 /24 | a /24 of its own in 248.0.0.0–254.255.255.255 |
//! | IPv6 /64 | a /64 of its own in `2001:db8::/33` (public) or `2001:db8:8000::/33` (private, link-local) |
//! | hardware address | f2:xx:xx:xx:xx:xx, a locally administered one |
//! | telephone number | +00 and 12 digits: no country has a code that begins with 0 |
//!
//! **What is a stand-in and what is real?** Redacting a redacted text again must change nothing, and a real value that lies
//! in the range of the stand-ins must be replaced like any other. Both hold because the survey reads everything first: it
//! notes every real network, hardware address and telephone number that lies in those ranges, and every text that reads like
//! a numbered stand-in. None of those is ever given out. So a value in the ranges is a stand-in exactly if it was given out,
//! and what was given out never was in the input.
//!
//! A value the survey did not see (a path that was not learned) gets a computed text such as `user-k1f0c2a9b77e1`, the last
//! four digits of which prove that it was computed with this ticket's key; an IP address the survey did not see is dropped.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicU64, Ordering};

use super::category::{Action, Category};
use super::hit::{Form, Group, Hit};
use super::learned::{Learned, canonical};
use super::prf::{Prf, Purpose, TicketKey};
use super::rules::Rules;
use super::text::{DIGIT, is};
use super::unescape;

/// First byte of a hardware address that is a stand-in.
pub(crate) const MAC_FIRST: u8 = 0xf2;
/// First 32 bits of an IPv6 address that is a stand-in.
const NET6: u64 = 0x2001_0db8;

/// Gives stand-ins out for one ticket.
pub(crate) struct StandIns {
    prf: Prf,
    actions: [Action; Category::ALL.len()],
    pub(crate) learned: Learned,
    nets4: HashMap<u32, Net4>,
    given4: HashSet<u32>,
    nets6: HashMap<u64, u64>,
    given6: HashSet<u64>,
}

/// A network's stand-in and the order of the addresses within it.
struct Net4 {
    net: u32,
    rounds: [u8; 16],
    used: [AtomicU64; 4],
}

impl StandIns {
    pub(crate) fn new(rules: &Rules, learned: Learned, key: &TicketKey) -> Self {
        let mut stand_ins = Self {
            prf: Prf::new(key),
            actions: Category::ALL.map(|category| rules.action(category)),
            learned: Learned::default(),
            nets4: HashMap::new(),
            given4: HashSet::new(),
            nets6: HashMap::new(),
            given6: HashSet::new(),
        };
        stand_ins.relearn(learned);
        stand_ins
    }

    /// Takes a table that has grown; what was given out stays as it was.
    pub(crate) fn relearn(&mut self, learned: Learned) {
        self.learned = learned;
        for &net in &self.learned.nets4 {
            if self.nets4.contains_key(&net) {
                continue;
            }
            let taken = |net| self.given4.contains(&net) || self.learned.nets4.contains(&net);
            let chosen = (0..1 << 20).map(|round| net4(&self.prf, net, round)).find(|&net| !taken(net));
            // Only a million networks could exhaust the range; two of them then share one.
            let chosen = chosen.unwrap_or_else(|| net4(&self.prf, net, 0));
            self.given4.insert(chosen);
            let rounds = self.prf.block(Purpose::Host4, 0, net.into());
            self.nets4.insert(net, Net4 { net: chosen, rounds, used: Default::default() });
        }
        for &net in &self.learned.nets6 {
            if self.nets6.contains_key(&net) {
                continue;
            }
            let taken = |net| self.given6.contains(&net) || self.learned.nets6.contains(&net);
            let chosen = (0..1 << 20).map(|round| net6(&self.prf, net, round)).find(|&net| !taken(net));
            let chosen = chosen.unwrap_or_else(|| net6(&self.prf, net, 0));
            self.given6.insert(chosen);
            self.nets6.insert(net, chosen);
        }
    }

    /// What is done with values of a category.
    #[inline]
    pub(crate) fn action(&self, category: Category) -> Action {
        self.actions[category as usize]
    }

    /// Whether what was found is itself a stand-in, or what stands for a dropped value.
    pub(crate) fn is_stand_in(&self, line: &[u8], hit: &Hit) -> bool {
        let bytes = &line[hit.start..hit.end];
        if self.is_dropped(bytes) {
            return true;
        }
        match hit.form {
            Form::Text(group) => self.is_text(group, bytes),
            Form::Entry(_) | Form::Drop => false,
            Form::Address => memchr::memrchr(b'@', bytes).is_some_and(|at| {
                self.is_text(Group::Local, &bytes[..at]) && self.is_text(Group::Domain, &bytes[at + 1..])
            }),
            Form::Ip4(ip) | Form::Ip4Reversed(ip) | Form::Ip4Joined(ip, _) => self.is_ip4(ip),
            Form::Ip6(ip) | Form::Ip6Mixed(ip) => self.is_ip6(ip),
            Form::Mac => mac_of(bytes).is_some_and(|mac| mac[0] == MAC_FIRST && !self.learned.macs.contains(&mac)),
            Form::Phone => {
                let digits = digits(bytes);
                digits.starts_with("00") && bytes.starts_with(b"+") && !self.learned.phones.contains(&digits)
            }
        }
    }

    fn is_dropped(&self, bytes: &[u8]) -> bool {
        bytes.first() == Some(&b'[') && Category::ALL.iter().any(|category| category.dropped().as_bytes() == bytes)
    }

    fn is_text(&self, group: Group, bytes: &[u8]) -> bool {
        let Some(rest) = strip(bytes, group) else { return false };
        if let Some(tag) = rest.strip_prefix(b"k") {
            return tag.len() == 12 && tag[8..] == self.tag(group, &tag[..8])[..];
        }
        let number =
            std::str::from_utf8(rest).ok().filter(|text| !text.starts_with('0')).and_then(|text| text.parse().ok());
        number.is_some_and(|number| self.learned.gave_out(group, number))
            && self.learned.find(group, &canonical(&String::from_utf8_lossy(bytes))).is_none()
    }

    fn is_ip4(&self, ip: u32) -> bool {
        let net = ip >> 8;
        if self.nets4.contains_key(&net) {
            return false;
        }
        self.given4.contains(&net)
    }

    fn is_ip6(&self, ip: u128) -> bool {
        let net = net_of6(ip);
        if let Some(inner) = mapped(ip) {
            return self.is_ip4(inner);
        }
        !self.nets6.contains_key(&net) && self.given6.contains(&net)
    }

    /// Writes the stand-in of what was found.
    pub(crate) fn write(&self, line: &[u8], hit: &Hit, out: &mut Vec<u8>) {
        let bytes = &line[hit.start..hit.end];
        if hit.form == Form::Drop || self.action(hit.category) == Action::Drop {
            out.extend_from_slice(hit.category.dropped().as_bytes());
            return;
        }
        match hit.form {
            Form::Text(group) => self.write_text(group, bytes, out),
            Form::Entry(place) => self.write_entry(place, out),
            Form::Address => {
                let plain = decoded(bytes);
                let at = memchr::memrchr(b'@', &plain).unwrap_or(plain.len());
                self.write_text(Group::Local, &plain[..at], out);
                out.push(b'@');
                self.write_text(Group::Domain, plain.get(at + 1..).unwrap_or_default(), out);
            }
            Form::Ip4(ip) => push_ip(out, self.ip4(ip).map(Ipv4Addr::from)),
            Form::Ip4Reversed(ip) => push_ip(out, self.ip4(ip).map(|ip| Ipv4Addr::from(ip.swap_bytes()))),
            Form::Ip4Joined(ip, joint) => {
                let start = out.len();
                push_ip(out, self.ip4(ip).map(Ipv4Addr::from));
                out[start..].iter_mut().filter(|byte| **byte == b'.').for_each(|byte| *byte = joint);
            }
            Form::Ip6(ip) | Form::Ip6Mixed(ip) => push_ip(out, self.ip6(ip).map(Ipv6Addr::from)),
            Form::Mac => self.write_mac(&decoded(bytes), out),
            Form::Phone => out.extend_from_slice(self.phone(&decoded(bytes)).as_bytes()),
            Form::Drop => {}
        }
    }

    fn write_entry(&self, place: u32, out: &mut Vec<u8>) {
        let entry = &self.learned.entries[place as usize];
        out.extend_from_slice(entry.group.prefix().as_bytes());
        push(out, entry.number);
        out.extend_from_slice(entry.group.suffix().as_bytes());
    }

    fn write_text(&self, group: Group, bytes: &[u8], out: &mut Vec<u8>) {
        if self.is_text(group, bytes) {
            out.extend_from_slice(bytes);
            return;
        }
        let key = canonical(&unescape::plain(bytes));
        if let Some(place) = self.learned.find(group, &key) {
            return self.write_entry(place, out);
        }
        let id = hex::encode(&self.prf.text(group.prefix(), key.as_bytes())[..4]);
        out.extend_from_slice(group.prefix().as_bytes());
        out.push(b'k');
        out.extend_from_slice(id.as_bytes());
        out.extend_from_slice(&self.tag(group, id.as_bytes()));
        out.extend_from_slice(group.suffix().as_bytes());
    }

    fn tag(&self, group: Group, id: &[u8]) -> Vec<u8> {
        let label = format!("{}tag", group.prefix());
        hex::encode(&self.prf.text(&label, id)[..2]).into_bytes()
    }

    fn ip4(&self, ip: u32) -> Option<u32> {
        let host = (ip & 0xff).to_le_bytes()[0];
        let net = self.nets4.get(&(ip >> 8))?;
        let bit = 1 << (host & 63);
        let used = &net.used[usize::from(host >> 6)];
        if used.load(Ordering::Relaxed) & bit == 0 {
            used.fetch_or(bit, Ordering::Relaxed);
        }
        Some(net.net << 8 | u32::from(shuffle(&net.rounds, host)))
    }

    fn ip6(&self, ip: u128) -> Option<u128> {
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

    fn mac(&self, mac: [u8; 6]) -> [u8; 6] {
        let mut number = [0; 8];
        number[2..].copy_from_slice(&mac);
        let number = u64::from_be_bytes(number);
        let mut round = 0;
        loop {
            let block = self.prf.block(Purpose::Mac, round, number);
            let new = [MAC_FIRST, block[0], block[1], block[2], block[3], block[4]];
            if round == u32::MAX || !self.learned.macs.contains(&new) {
                return new;
            }
            round += 1;
        }
    }

    fn write_mac(&self, bytes: &[u8], out: &mut Vec<u8>) {
        let Some(mac) = mac_of(bytes) else {
            out.extend_from_slice(Category::Mac.dropped().as_bytes());
            return;
        };
        let upper = bytes.iter().any(u8::is_ascii_uppercase);
        let text = hex::encode(self.mac(mac));
        let mut digits = if upper { text.to_uppercase() } else { text }.into_bytes().into_iter();
        out.extend(
            bytes.iter().map(|&byte| if byte.is_ascii_hexdigit() { digits.next().unwrap_or(byte) } else { byte }),
        );
    }

    fn phone(&self, bytes: &[u8]) -> String {
        let mut digits = digits(bytes);
        // 0049 and +49 are the same country.
        if let Some(rest) = digits.strip_prefix("00").filter(|_| !bytes.starts_with(b"+")) {
            digits = rest.to_owned();
        }
        for round in 0_u32.. {
            let block = self.prf.text("phone", format!("{digits}/{round}").as_bytes());
            let number = u64::from_be_bytes(block[..8].try_into().expect("8 of 32 bytes")) % 1_000_000_000_000;
            let new = format!("00{number:012}");
            if !self.learned.phones.contains(&new) {
                return format!("+{new}");
            }
        }
        Category::Phone.dropped().to_owned()
    }

    /// An identifier for a path that is hidden as a whole.
    pub(crate) fn path_id(&self, path: &str) -> String {
        hex::encode(&self.prf.text("path", path.as_bytes())[..6])
    }

    /// Every learned value with its stand-in.
    pub(crate) fn numbered(&self) -> impl Iterator<Item = (String, &str, Category)> {
        self.learned.entries.iter().enumerate().map(|(place, entry)| {
            let mut text = Vec::new();
            self.write_entry(u32::try_from(place).unwrap_or(0), &mut text);
            (String::from_utf8_lossy(&text).into_owned(), entry.value.as_str(), entry.group.category())
        })
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

fn push(out: &mut Vec<u8>, value: impl std::fmt::Display) {
    use std::io::Write as _;
    write!(out, "{value}").expect("writing to memory does not fail");
}

fn push_ip(out: &mut Vec<u8>, ip: Option<impl std::fmt::Display>) {
    match ip {
        Some(ip) => push(out, ip),
        None => out.extend_from_slice(Category::Ip.dropped().as_bytes()),
    }
}

/// The bytes a finding in a decoded line was made of.
pub(crate) fn decoded(bytes: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr3(b'%', b'\\', b'&', bytes).is_none() {
        return bytes.into();
    }
    unescape::plain(bytes).into_bytes().into()
}

fn strip(bytes: &[u8], group: Group) -> Option<&[u8]> {
    bytes.strip_prefix(group.prefix().as_bytes())?.strip_suffix(group.suffix().as_bytes())
}

/// Reads a numbered stand-in, whoever wrote it.
pub(crate) fn numbered(bytes: &[u8], group: Group) -> Option<u32> {
    std::str::from_utf8(strip(bytes, group)?).ok()?.parse().ok()
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

/// The six bytes of a hardware address in any of its spellings.
pub(crate) fn mac_of(bytes: &[u8]) -> Option<[u8; 6]> {
    let digits: Vec<u8> = bytes.iter().copied().filter(u8::is_ascii_hexdigit).collect();
    let mut mac = [0; 6];
    hex::decode_to_slice(digits, &mut mac).ok()?;
    Some(mac)
}

/// The digits of a telephone number.
pub(crate) fn digits(bytes: &[u8]) -> String {
    bytes.iter().filter(|&&byte| is(byte, DIGIT)).map(|&byte| char::from(byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::learned::Sighting;

    fn stand_ins(sightings: Vec<Sighting>) -> StandIns {
        let mut learned = Learned::default();
        learned.take(sightings);
        StandIns::new(&Rules::default(), learned, &TicketKey::from_bytes([3; 32]))
    }

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

    #[test]
    fn a_computed_text_proves_its_origin() {
        let table = stand_ins(vec![]);
        let mut text = Vec::new();
        table.write_text(Group::User, b"quirin", &mut text);
        assert!(table.is_text(Group::User, &text), "{text:?}");
        assert!(!table.is_text(Group::User, b"user-k123456789abc"));
        assert!(!table.is_text(Group::User, b"user-1"));
    }

    #[test]
    fn a_hardware_address_keeps_its_spelling() {
        let table = stand_ins(vec![]);
        for text in ["3C:A8:2A:01:02:03", "3c-a8-2a-01-02-03", "3ca8.2a01.0203"] {
            let mut out = Vec::new();
            table.write_mac(text.as_bytes(), &mut out);
            assert_eq!(out.len(), text.len());
            assert_eq!(mac_of(&out), Some(table.mac([0x3c, 0xa8, 0x2a, 1, 2, 3])));
            assert_eq!(out.iter().any(u8::is_ascii_uppercase), text.contains('C'));
        }
    }
}
