//! IPv4 addresses with dots, and which of them may lead to a person.

use super::version::version;
use crate::redact::category::Category;
use crate::redact::hit::{Form, Hits, rank};
use crate::redact::text::{self, DIGIT, WORD, before, byte, is};

/// Reads four numbers up to 255 with `joint` between them; where they end.
pub(super) fn dotted(text: &[u8], start: usize, joint: u8) -> Option<(u32, usize)> {
    let (mut ip, mut at) = (0_u32, start);
    for part in 0..4 {
        let mut number = 0_u32;
        let from = at;
        while at < from + 3 && is(byte(text, at), DIGIT) {
            number = number * 10 + u32::from(text[at] - b'0');
            at += 1;
        }
        if at == from || number > 255 || is(byte(text, at), DIGIT) {
            return None;
        }
        ip = ip << 8 | number;
        if part < 3 {
            if byte(text, at) != joint {
                return None;
            }
            at += 1;
        }
    }
    Some((ip, at))
}

pub(super) fn v4(text: &[u8], at: usize, skip: &mut usize, hits: &mut Hits) {
    let start = text::run_back(text, at.saturating_sub(4), at, DIGIT);
    let Some((ip, end)) = dotted(text, start, b'.') else {
        // The rest of the number cannot be an address either, but a later one may be.
        return;
    };
    *skip = end;
    let last = before(text, 0, start);
    let next = byte(text, end);
    if last == b'.' && is(before(text, 0, start - 1), WORD) || next == b'.' && is(byte(text, end + 1), DIGIT) {
        // Five parts or more: an object identifier. Yet `host.1.2.3.4` and `1.2.3.4.` are addresses.
        if is(before(text, 0, start.saturating_sub(1)), DIGIT) || next == b'.' && is(byte(text, end + 1), DIGIT) {
            *skip = text::run(text, end, text::IDENT);
            return;
        }
    }
    if text::word_after(text, end) || version(text, start, end) || !personal4(ip) {
        return;
    }
    let form = if reversed(text, end) { Form::Ip4Reversed(ip.swap_bytes()) } else { Form::Ip4(ip) };
    hits.push(start, end, Category::Ip, form, rank::NUMBER);
}

fn reversed(text: &[u8], end: usize) -> bool {
    text.get(end..end + 13).is_some_and(|rest| rest.eq_ignore_ascii_case(b".in-addr.arpa"))
}

/// Whether an address may lead to a person: not loopback, unspecified, multicast, broadcast, a netmask.
pub(crate) fn personal4(ip: u32) -> bool {
    let mask = ip.leading_ones() + ip.trailing_zeros() >= 32 && ip >> 24 == 255;
    let first = ip >> 24;
    !(first == 0 || first == 127 || (224..240).contains(&first) || ip == u32::MAX || mask)
}
