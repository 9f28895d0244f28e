//! Stand-ins: what replaces a value.
//!
//! Learned things are numbered in the order in which they first appeared in the ticket. Addresses and telephone numbers are computed from
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

mod address;
mod name;
mod number;

use std::borrow::Cow;
use std::net::Ipv6Addr;
use std::sync::Arc;

use foldhash::fast::RandomState;

pub(crate) use self::address::{mapped, net4_of, net6_of};
pub(crate) use self::name::numbered;
pub(crate) use self::number::{MAC_FIRST, digits, mac_of};

use self::address::Net4;
use super::category::{Action, Category};
use super::given::Given;
use super::hit::{Form, Group, Hit};
use super::learned::Learned;
use super::own::Own;
use super::prf::{Prf, TicketKey};
use super::rules::Rules;
use super::unescape;

type HashMap<K, V> = std::collections::HashMap<K, V, RandomState>;
type HashSet<K> = std::collections::HashSet<K, RandomState>;

/// Gives stand-ins out for one ticket.
pub(crate) struct StandIns {
    prf: Prf,
    actions: [Action; Category::ALL.len()],
    pub(crate) learned: Learned,
    pub(crate) own: Option<Arc<Own>>,
    nets4: HashMap<u32, Net4>,
    given4: HashSet<u32>,
    nets6: HashMap<u64, u64>,
    given6: HashSet<u64>,
    /// What the ticket has given out.
    pub(crate) given: Given,
    generation: u64,
}

impl StandIns {
    pub(crate) fn new(rules: &Rules, learned: Learned, key: &TicketKey) -> Self {
        let mut stand_ins = Self {
            prf: Prf::new(key),
            actions: Category::ALL.map(|category| rules.action(category)),
            learned: Learned::default(),
            own: Own::of(rules).map(Arc::new),
            nets4: HashMap::default(),
            given4: HashSet::default(),
            nets6: HashMap::default(),
            given6: HashSet::default(),
            given: Given::default(),
            generation: 0,
        };
        stand_ins.relearn(learned);
        stand_ins
    }

    /// Takes a table that has grown; what was given out stays as it was.
    pub(crate) fn relearn(&mut self, learned: Learned) {
        self.learned = learned;
        self.number_names();
        self.relearn_networks();
        self.generation += 1;
    }

    /// Numbers everything anew, as the ticket has begun to.
    pub(crate) fn go_on(&mut self, given: Given) {
        self.given = given;
        self.learned.entries.iter_mut().for_each(|entry| entry.number = 0);
        self.nets4.clear();
        self.given4.clear();
        self.nets6.clear();
        self.given6.clear();
        let learned = std::mem::take(&mut self.learned);
        self.relearn(learned);
    }

    /// A number that changes when what is a stand-in, or stands for a value, may have changed.
    pub(crate) const fn generation(&self) -> u64 {
        self.generation
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
            Form::Text(group) => self.is_text(group, bytes) || self.is_text_of_another(group, bytes),
            Form::Entry(_) | Form::Drop | Form::Divided(_) | Form::Gone => false,
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

    pub(super) fn is_dropped(&self, bytes: &[u8]) -> bool {
        bytes.first() == Some(&b'[') && Category::ALL.iter().any(|category| category.dropped().as_bytes() == bytes)
    }

    /// Writes the stand-in of what was found.
    pub(crate) fn write(&self, line: &[u8], hit: &Hit, out: &mut Vec<u8>) {
        let bytes = &line[hit.start..hit.end];
        if hit.form == Form::Gone {
            return;
        }
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
            Form::Ip4(ip) => push_ip4(out, self.ip4(ip), b'.'),
            Form::Ip4Reversed(ip) => push_ip4(out, self.ip4(ip).map(u32::swap_bytes), b'.'),
            Form::Ip4Joined(ip, joint) => push_ip4(out, self.ip4(ip), joint),
            Form::Ip6(ip) | Form::Ip6Mixed(ip) => match self.ip6(ip) {
                Some(ip) => push_ip6(out, ip),
                None => out.extend_from_slice(Category::Ip.dropped().as_bytes()),
            },
            Form::Mac => self.write_mac(&decoded(bytes), out),
            Form::Phone => out.extend_from_slice(self.phone(&decoded(bytes)).as_bytes()),
            Form::Divided(place) => {
                let (whole, hit) = self.learned.divided.whole(place);
                self.write(whole, &hit, out);
            }
            Form::Drop | Form::Gone => {}
        }
    }
}

fn push(out: &mut Vec<u8>, value: impl std::fmt::Display) {
    use std::io::Write as _;
    write!(out, "{value}").expect("writing to memory does not fail");
}

fn push_ip4(out: &mut Vec<u8>, ip: Option<u32>, joint: u8) {
    let Some(ip) = ip else { return out.extend_from_slice(Category::Ip.dropped().as_bytes()) };
    for (place, part) in ip.to_be_bytes().into_iter().enumerate() {
        if place > 0 {
            out.push(joint);
        }
        push_small(out, part);
    }
}

/// Writes an IPv6 address as RFC 5952 asks for: groups in lower case, the longest row of zeros as `::`.
fn push_ip6(out: &mut Vec<u8>, ip: u128) {
    let groups = Ipv6Addr::from(ip).segments();
    if groups[0] == 0 {
        // One that holds an IPv4 address is written in another way.
        return push(out, Ipv6Addr::from(ip));
    }
    let (mut zeros, mut at) = (0..0, 0);
    while at < groups.len() {
        let length = groups[at..].iter().take_while(|&&group| group == 0).count();
        if length > zeros.len().max(1) {
            zeros = at..at + length;
        }
        at += length + 1;
    }
    for (place, group) in groups.into_iter().enumerate() {
        if zeros.contains(&place) {
            if place == zeros.start {
                out.extend_from_slice(b"::");
            }
            continue;
        }
        if place > 0 && place != zeros.end {
            out.push(b':');
        }
        let first = (group | 1).leading_zeros() / 4;
        out.extend((first..4).map(|digit| HEX_DIGITS[usize::from(group >> (12 - 4 * digit) & 15)]));
    }
}

/// The digits of hexadecimal numbers.
const HEX_DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Writes a number as digits.
fn push_small(out: &mut Vec<u8>, number: u8) {
    if number >= 100 {
        out.push(b'0' + number / 100);
    }
    if number >= 10 {
        out.push(b'0' + number / 10 % 10);
    }
    out.push(b'0' + number % 10);
}

/// The bytes a finding in a decoded line was made of.
pub(crate) fn decoded(bytes: &[u8]) -> Cow<'_, [u8]> {
    if !unescape::may_be_escaped(bytes) {
        return bytes.into();
    }
    unescape::plain(bytes).into_bytes().into()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::redact::learned::Sighting;

    proptest::proptest! {
        #[test]
        fn an_ipv6_address_is_written_as_the_standard_library_does(
            groups in proptest::prelude::any::<[u16; 8]>(),
            zeros in proptest::prelude::any::<u8>(),
        ) {
            let groups: [u16; 8] = std::array::from_fn(|place| if zeros >> place & 1 == 0 { 0 } else { groups[place] });
            for first in [groups[0], 0x2001] {
                let ip = Ipv6Addr::from([&[first], &groups[1..]].concat().first_chunk::<8>().copied().unwrap_or_default());
                let mut out = Vec::new();
                push_ip6(&mut out, ip.to_bits());
                proptest::prop_assert_eq!(String::from_utf8(out).unwrap(), ip.to_string());
            }
        }
    }

    pub(crate) fn stand_ins(sightings: Vec<Sighting>) -> StandIns {
        let mut learned = Learned::default();
        learned.take(sightings);
        StandIns::new(&Rules::default(), learned, &TicketKey::from_bytes([3; 32]))
    }
}
