//! IPv6 addresses (RFC 4291, section 2.2), with the IPv4 address some of them hold.

use std::net::Ipv6Addr;

use super::v4::{dotted, personal4};
use crate::redact::category::Category;
use crate::redact::hit::{Form, Hits, rank};
use crate::redact::stand_in::mapped;
use crate::redact::text::{self, DIGIT, HEX, before, byte, is};

pub(super) fn v6(text: &[u8], at: usize, skip: &mut usize, hits: &mut Hits) {
    let of = |b: u8| is(b, HEX) || b == b':';
    let mut start = at;
    while start > 0 && at - start < 5 && is(text[start - 1], HEX) {
        start -= 1;
    }
    let end = text[start..].iter().position(|&b| !of(b)).map_or(text.len(), |length| start + length);
    let token = &text[start..end];
    let (mut colons, mut double, mut last) = (0, false, 0);
    for &b in token {
        colons += usize::from(b == b':');
        double |= b == b':' && last == b':';
        last = b;
    }
    // Eight bytes with two digits each name a disk or an adapter.
    let bytes = colons == 7 && token.len() == 23 && token.split(|&b| b == b':').all(|part| part.len() == 2);
    // Without `::` there are eight groups, or six before an IPv4 address.
    let groups = double || colons == 7 || (5..=6).contains(&colons) && byte(text, end) == b'.';
    if bytes || colons < 2 || !groups || token.len() > 60 {
        *skip = (*skip).max(end);
        return;
    }
    let last = before(text, 0, start);
    if text::word_before(text, start)
        || last == b'_'
        || last == b':'
        || last == b'.' && is(before(text, 0, start - 1), DIGIT)
    {
        *skip = (*skip).max(end);
        return;
    }
    // ::ffff:10.0.0.1
    let mut stop = end;
    let mut inner = None;
    if byte(text, end) == b'.' {
        let from = text::run_back(text, start, end, DIGIT);
        if from > start
            && let Some((ip, to)) = dotted(text, from, b'.')
            && !text::word_after(text, to)
        {
            inner = Some((from, ip));
            stop = to;
        }
    }
    if inner.is_none() && text::word_after(text, end) {
        *skip = (*skip).max(end);
        return;
    }
    let (parsed, stop) = match parse(&text[start..stop]) {
        Some(ip) => (Some(ip), stop),
        // A colon after the address ends a clause: `2001:db8::1: connected`; a number after it may be a port.
        None if byte(text, end) == b'.' && is(byte(text, end + 1), DIGIT) => (None, stop),
        None if inner.is_none() => {
            shorter(&text[start..end]).map_or((None, stop), |(ip, length)| (Some(ip), start + length))
        }
        None => (None, stop),
    };
    let Some(ip) = parsed else {
        // An IPv4 address may still stand in it.
        *skip = (*skip).max(inner.map_or(end, |(from, _)| from));
        return;
    };
    *skip = (*skip).max(stop);
    let named = token.iter().any(|&b| is(b, DIGIT)) || colons >= 4;
    if !named || !personal6(ip) {
        return;
    }
    match inner {
        Some((from, v4)) if mapped(ip).is_some() => {
            hits.push(from, stop, Category::Ip, Form::Ip4(v4), rank::NUMBER);
        }
        Some(_) => hits.push(start, stop, Category::Ip, Form::Ip6Mixed(ip), rank::NUMBER),
        None => hits.push(start, stop, Category::Ip, Form::Ip6(ip), rank::NUMBER),
    }
}

/// The address that the whole of `token` is, unless it is nobody's.
pub(crate) fn personal_ip6(token: &[u8]) -> Option<u128> {
    parse(token).filter(|&ip| personal6(ip))
}

/// The address that the whole of `token` is (RFC 4291, section 2.2).
pub(super) fn parse(token: &[u8]) -> Option<u128> {
    if token.contains(&b'.') {
        return std::str::from_utf8(token).ok()?.parse::<Ipv6Addr>().ok().map(Ipv6Addr::to_bits);
    }
    let mut groups = [0_u16; 8];
    let (mut count, mut gap, mut at) = (0, None, 0);
    if token.starts_with(b"::") {
        (gap, at) = (Some(0), 2);
    }
    while at < token.len() {
        let from = at;
        let mut group = 0;
        while let Some(&digit) = token.get(at).filter(|&&b| at < from + 4 && is(b, HEX)) {
            group = group << 4 | u16::from(text::hex_value(digit));
            at += 1;
        }
        if at == from {
            return None;
        }
        *groups.get_mut(count)? = group;
        count += 1;
        match token.get(at..) {
            None | Some([]) => break,
            Some([b':', b':', ..]) if gap.is_none() => (gap, at) = (Some(count), at + 2),
            Some([b':', next, ..]) if *next != b':' => at += 1,
            Some(_) => return None,
        }
    }
    match gap {
        // Two colons stand for one group of zeros or more.
        Some(gap) if count < 8 => groups[gap..].rotate_right(8 - count),
        None if count == 8 => {}
        _ => return None,
    }
    Some(groups.iter().fold(0, |ip, &group| ip << 16 | u128::from(group)))
}

/// The address before the last colon or colons of a token.
fn shorter(token: &[u8]) -> Option<(u128, usize)> {
    let last = memchr::memrchr(b':', token)?;
    parse(&token[..last]).map(|ip| (ip, last))
}

pub(super) fn personal6(ip: u128) -> bool {
    if let Some(inner) = mapped(ip) {
        return personal4(inner);
    }
    let address = Ipv6Addr::from_bits(ip);
    !(address.is_loopback() || address.is_unspecified() || address.is_multicast() || ip >> 64 == 0 && ip <= 0xffff)
}
