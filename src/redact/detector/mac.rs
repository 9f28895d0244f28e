//! Hardware addresses: `3c:a8:2a:01:02:03`, with dashes, and Cisco's `3ca8.2a01.0203`; without joints beside a key and in the
//! names of telephones; within the header that iptables prints, a DHCP client's identifier, an EUI-64.

use super::{Detector, Line};
use crate::redact::category::Category;
use crate::redact::hit::{Form, Hits, rank};
use crate::redact::masks::Shape;
use crate::redact::stand_in::mac_of;
use crate::redact::text::{self, HEX, WORD, before, byte, is};

pub(crate) struct Mac;

impl Detector for Mac {
    fn anchors(&self) -> &'static [u8] {
        b":-."
    }

    fn shape(&self, _anchor: u8) -> Shape {
        Shape::Pairs
    }

    fn words(&self) -> &'static [&'static str] {
        &[
            "mac",
            "hwaddr",
            "bssid",
            "macaddress",
            "macaddr",
            "chaddr",
            "lladdr",
            "ether",
            "hwaddress",
            "station",
            "sta",
            "dev",
            "address",
        ]
    }

    fn at_word(&self, line: &Line<'_>, start: usize, end: usize, hits: &mut Hits) {
        let text = line.text;
        if text[start..end].eq_ignore_ascii_case(b"dev") {
            // BlueZ: dev_3C_A8_2A_01_02_03
            let token = text.get(end + 1..end + 18).filter(|_| text[end] == b'_').unwrap_or_default();
            if token.len() == 17 && joined(token, b'_') && !text::word_after(text, end + 18) {
                push(text, end + 1, end + 18, hits);
            }
            return;
        }
        let from = end + text[end..].iter().take(4).take_while(|b| b" =:\"'-".contains(b)).count();
        let stop = text::run(text, from.min(text.len()), WORD);
        if from > end && stop == from + 12 && text[from..stop].iter().all(|&b| is(b, HEX)) {
            push(text, from, stop, hits);
        } else if byte(text, end) == b'=' && text.get(from..from + 41).is_some_and(|header| joined(header, b':')) {
            // MAC=destination:source:type, as iptables writes it.
            push(text, from, from + 17, hits);
            push(text, from + 18, from + 35, hits);
        }
    }

    fn at_long_word(&self, line: &Line<'_>, start: usize, end: usize, hits: &mut Hits) {
        // SEP3CA82A010203: what Cisco calls a telephone.
        let word = &line.text[start..end];
        let prefix = [b"SEP", b"ATA", b"VGC"].iter().any(|prefix| word.starts_with(*prefix));
        if prefix && word.len() == 15 && word[3..].iter().all(|&b| is(b, HEX)) {
            push(line.text, start + 3, end, hits);
        }
    }

    fn at_anchor(&self, line: &Line<'_>, at: usize, _skip: &mut usize, hits: &mut Hits) {
        let text = line.text;
        let joint = text[at];
        let width = if joint == b'.' { 4 } else { 2 };
        let length = if joint == b'.' { 14 } else { 17 };
        // Only the first joint of an address begins it.
        if at < width || byte(text, at + width + 1) != joint {
            return;
        }
        let start = at - width;
        let Some(token) = text.get(start..start + length) else { return };
        let shaped = token
            .iter()
            .enumerate()
            .all(|(place, &b)| if place % (width + 1) == width { b == joint } else { is(b, HEX) });
        let last = before(text, 0, start);
        let next = byte(text, start + length);
        let before_it = last == joint
            && start >= 3
            && is(text[start - 2], HEX)
            && is(text[start - 3], HEX)
            && !text::word_before(text, start - 3);
        let after_it =
            next == joint && is(byte(text, start + length + 1), HEX) && is(byte(text, start + length + 2), HEX);
        if !shaped || before_it || text::word_before(text, start) || text::word_after(text, start + length) {
            return;
        }
        if after_it {
            return longer(text, start, joint, hits);
        }
        let digits = joint != b':' && token.iter().all(|b| !b.is_ascii_alphabetic());
        // Digits alone with dots or dashes are a date or a version.
        if !digits {
            push(text, start, start + length, hits);
        }
    }
}

/// Seven octets are a DHCP client's identifier, with the type of hardware before it (RFC 2132, section 9.14); eight with
/// `ff:fe` in the middle an EUI-64.
fn longer(text: &[u8], start: usize, joint: u8, hits: &mut Hits) {
    let octets = |count: usize| {
        let end = start + 3 * count - 1;
        let token = text.get(start..end)?;
        let last = byte(text, end);
        (joined(token, joint) && last != joint && !text::word_after(text, end)).then_some(token)
    };
    if octets(7).is_some_and(|token| token.starts_with(b"01")) {
        push(text, start + 3, start + 20, hits);
    } else if octets(8).is_some_and(|token| token[9..14].eq_ignore_ascii_case(&[b'f', b'f', joint, b'f', b'e'])) {
        hits.push(start, start + 23, Category::Mac, Form::Drop, rank::NUMBER + 1);
    }
}

/// Whether these are octets with a joint between them.
fn joined(token: &[u8], joint: u8) -> bool {
    token.iter().enumerate().all(|(place, &b)| if place % 3 == 2 { b == joint } else { is(b, HEX) })
}

/// Pushes an address that is somebody's: not nobody's, everybody's or a group's.
fn push(text: &[u8], start: usize, end: usize, hits: &mut Hits) {
    let Some(mac) = mac_of(&text[start..end]) else { return };
    let group = matches!(mac, [1, 0, 0x5e, ..] | [0x33, 0x33, ..] | [1, 0x80, 0xc2, ..] | [1, 0, 0x0c, ..]);
    if mac != [0; 6] && mac != [0xff; 6] && !group {
        hits.push(start, end, Category::Mac, Form::Mac, rank::NUMBER + 1);
    }
}

#[cfg(test)]
mod tests {
    use crate::redact::detector::tests::{finds, found};

    #[test]
    fn a_hardware_address_is_found_in_three_spellings() {
        finds("to 3c:a8:2a:01:02:03 via", &[("3c:a8:2a:01:02:03", "mac")]);
        finds("3C-A8-2A-01-02-03", &[("3C-A8-2A-01-02-03", "mac")]);
        finds("mac:3c:a8:2a:01:02:03:amt", &[("3c:a8:2a:01:02:03", "mac")]);
        finds("hwaddr=3ca82a010203 up", &[("3ca82a010203", "mac")]);
        finds("MAC address 3CA82A010203", &[("3CA82A010203", "mac")]);
        finds("SEP3CA82A010203 registered", &[("3CA82A010203", "mac")]);
        finds(
            "IN=eth0 MAC=3c:a8:2a:01:02:03:3c:a8:2a:04:05:06:08:00 LEN=60",
            &[("3c:a8:2a:01:02:03", "mac"), ("3c:a8:2a:04:05:06", "mac")],
        );
        finds("„3c:a8:2a:01:02:03“😀3c:a8:2a:04:05:06…", &[("3c:a8:2a:01:02:03", "mac"), ("3c:a8:2a:04:05:06", "mac")]);
        finds("client-id 01:3c:a8:2a:01:02:03", &[("3c:a8:2a:01:02:03", "mac")]);
        finds("eui 3c:a8:2a:ff:fe:01:02:03", &[("3c:a8:2a:ff:fe:01:02:03", "mac")]);
        finds("/org/bluez/hci0/dev_3C_A8_2A_01_02_03", &[("3C_A8_2A_01_02_03", "mac")]);
        finds("Gi1/0/1 3ca8.2a01.0203.", &[("3ca8.2a01.0203", "mac")]);
    }

    #[test]
    fn groups_dates_and_identifiers_stay() {
        for line in [
            "ff:ff:ff:ff:ff:ff",
            "00:00:00:00:00:00",
            "01:00:5e:00:00:fb",
            "20-26-11-21-14-20",
            "2026.1121.1420",
            "3c:a8:2a:01:02",
            "3c:a8:2a:01:02:03:04",
            "a3c:a8:2a:01:02:03",
            "commit 3ca82a010203",
            "mac os 10.15, MAC: none",
            "address 3ca82a0102031",
            "3ca82a01-0203-4a5b-8c9d-3ca82a010203",
        ] {
            assert!(found(line).is_empty(), "{line}: {:?}", found(line));
        }
    }
}
