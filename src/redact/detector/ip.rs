//! IPv4 and IPv6 addresses, bare, with port, in brackets, mapped, with zone, in host names and reverse DNS.
//!
//! Loopback, unspecified, multicast and broadcast addresses and netmasks name nobody and stay. A version number such as
//! `7.2.4.3070` is no address: a part is too large, or a letter or slash stands before it, or the name of a package goes on
//! behind it.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{Detector, Line};
use crate::redact::category::Category;
use crate::redact::hit::{Form, Hits, rank};
use crate::redact::masks::Shape;
use crate::redact::stand_in::mapped;
use crate::redact::text::{self, DIGIT, HEX, SPACE, WORD, before, byte, is};

pub(crate) struct Ip;

impl Detector for Ip {
    fn anchors(&self) -> &'static [u8] {
        b".:-"
    }

    fn shape(&self, anchor: u8) -> Shape {
        match anchor {
            b'.' => Shape::Dotted,
            b'-' => Shape::Dashed,
            _ => Shape::Colons,
        }
    }

    fn words(&self) -> &'static [&'static str] {
        &[
            "ip", "ip6", "port", "mode", "saddr", "daddr", "addr", "ipaddr", "host", "src", "dst", "peer", "client",
            "server",
        ]
    }

    fn at_anchor(&self, line: &Line<'_>, at: usize, skip: &mut usize, hits: &mut Hits) {
        if at < *skip {
            return;
        }
        if line.text[at] == b'-' {
            if is(before(line.text, 0, at), DIGIT) && is(byte(line.text, at + 1), DIGIT) {
                in_name(line.text, at, hits);
            }
        } else if line.text[at] == b'.' {
            if is(before(line.text, 0, at), DIGIT) && is(byte(line.text, at + 1), DIGIT) {
                v4(line.text, at, skip, hits);
            }
        } else {
            let (last, next) = (before(line.text, 0, at), byte(line.text, at + 1));
            if (is(last, HEX) || next == b':') && (is(next, HEX) || next == b':' || last == b':') {
                v6(line.text, at, skip, hits);
            }
        }
    }

    fn at_long_word(&self, line: &Line<'_>, start: usize, _end: usize, hits: &mut Hits) {
        if start >= 3 && line.text[start - 3..start] == *b"://" {
            one_number(line.text, start, hits);
        }
    }

    fn at_line_start(&self, line: &Line<'_>, hits: &mut Hits) {
        // A line of /proc/net/tcp: `   0: 0100007F:1F90 …:…`
        let text = line.text;
        let number = text::run(text, 0, SPACE);
        let end = text::run(text, number, DIGIT);
        if end > number && byte(text, end) == b':' && byte(text, end + 1) == b' ' {
            for word in [end + 2, text::run(text, text::run(text, end + 2, HEX) + 1, HEX) + 1] {
                let colon = text::run(text, word, HEX);
                if byte(text, colon) == b':' {
                    socket(text, colon, hits);
                }
            }
        }
    }

    fn at_word(&self, line: &Line<'_>, start: usize, end: usize, hits: &mut Hits) {
        let text = line.text;
        let word = text::fold(&text[start..end]);
        match word.as_bytes() {
            b"ip" if matches!(byte(text, end), b'-' | b'_') && is(byte(text, end + 1), DIGIT) => {
                // ip-10-1-2-3, as clouds name their computers.
                let joint = text[end];
                if let Some((ip, stop)) = dotted(text, end + 1, joint)
                    && !text::word_after(text, stop)
                    && personal4(ip)
                {
                    hits.push(end + 1, stop, Category::Ip, Form::Ip4Joined(ip, joint), rank::NUMBER);
                }
            }
            b"ip6" => nibbles(text, start, end, hits),
            b"port" | b"mode" => with_commas(text, end, hits),
            _ => {
                // A key, and the address as one number: saddr=0xCB007107
                let mut from = end;
                while from < end + 4 && matches!(byte(text, from), b'=' | b':' | b' ' | b'"' | b'\'') {
                    from += 1;
                }
                if from > end && matches!(&text[end..from], [b'=' | b':' | b'"', ..]) && byte(text, from) == b'0' {
                    one_number(text, from, hits);
                }
            }
        }
    }
}

/// What stands before the address in the names providers give their customers' computers.
const NAMED: [&[u8]; 21] = [
    b"ip",
    b"ec2",
    b"host",
    b"pool",
    b"dyn",
    b"dynamic",
    b"dsl",
    b"adsl",
    b"vdsl",
    b"static",
    b"cpe",
    b"client",
    b"dhcp",
    b"ip4",
    b"ipv4",
    b"cable",
    b"broadband",
    b"ppp",
    b"nat",
    b"node",
    b"customer",
];

/// `203-0-113-10.dyn.provider.example`, `static-203-0-113-10`: an address within a name, `at` its first dash.
fn in_name(text: &[u8], at: usize, hits: &mut Hits) {
    let start = text::run_back(text, at.saturating_sub(4), at, DIGIT);
    let Some((ip, end)) = dotted(text, start, b'-') else { return };
    let last = before(text, 0, start);
    let from = text::run_back(text, start.saturating_sub(16), start.saturating_sub(1), WORD);
    let word = if matches!(last, b'-' | b'.') { &text[from..start - 1] } else { b"" };
    let named = NAMED.iter().any(|known| word.eq_ignore_ascii_case(known));
    let domain = &text[end..text::run(text, end, text::IDENT)];
    let labels =
        domain.split(|&b| b == b'.').filter(|label| label.first().is_some_and(u8::is_ascii_alphabetic)).count();
    let whole = domain.is_empty() || domain[0] == b'.';
    // Other dates and times are joined by dashes as well: a name has labels behind it, or a word before it.
    let open = !text::word_before(text, start) && !matches!(last, b'_' | b'/');
    let part_of_number = matches!(last, b'-' | b'.') && is(before(text, 0, start - 1), DIGIT);
    if whole && open && !part_of_number && (named || labels >= 2 && domain.first() == Some(&b'.')) && personal4(ip) {
        hits.push(start, end, Category::Ip, Form::Ip4Joined(ip, b'-'), rank::NUMBER + 1);
    }
}

/// `b.a.9.8.….ip6.arpa`: the nibbles before the word, eight or more (RFC 3596, section 2.5).
fn nibbles(text: &[u8], start: usize, end: usize, hits: &mut Hits) {
    if !text.get(end..end + 5).is_some_and(|rest| rest.eq_ignore_ascii_case(b".arpa")) {
        return;
    }
    let mut from = start;
    while from > 1 && start - from < 64 && text[from - 1] == b'.' && is(text[from - 2], HEX) {
        from -= 2;
    }
    if start - from >= 16 && !text::word_before(text, from) {
        hits.push(from, start - 1, Category::Ip, Form::Drop, rank::NUMBER + 1);
    }
}

/// `PORT 10,0,0,1,19,137` and `Passive Mode (10,0,0,1,19,137)`, as FTP says them (RFC 959, section 4.1.2).
fn with_commas(text: &[u8], end: usize, hits: &mut Hits) {
    let from = end + text[end..].iter().take(3).take_while(|b| matches!(b, b' ' | b'(' | b'=')).count();
    if from > end
        && let Some((ip, stop)) = dotted(text, from, b',')
        && byte(text, stop) == b','
        && is(byte(text, stop + 1), DIGIT)
        && personal4(ip)
    {
        hits.push(from, stop, Category::Ip, Form::Ip4Joined(ip, b','), rank::NUMBER);
    }
}

/// An IPv4 address as one number where a host stands: `http://0xCB007107/`, `http://3405803783/`.
fn one_number(text: &[u8], from: usize, hits: &mut Hits) {
    let end = text::run(text, from, WORD);
    let word = text.get(from..end.min(from + 12)).unwrap_or_default();
    let ip = match word {
        [b'0', b'x' | b'X', hex @ ..] if hex.len() == 8 => {
            std::str::from_utf8(hex).ok().and_then(|hex| u32::from_str_radix(hex, 16).ok())
        }
        _ if (8..=10).contains(&word.len()) => std::str::from_utf8(word).ok().and_then(|word| word.parse().ok()),
        _ => None,
    };
    if let Some(ip) = ip.filter(|&ip| personal4(ip) && ip >> 24 != 0)
        && end <= from + 10
        && !matches!(byte(text, end), b'.' | b'-' | b'@')
    {
        hits.push(from, end, Category::Ip, Form::Ip4(ip), rank::NUMBER + 1);
    }
}

/// `0A00000A:1F90 0100007F:0016`: local and remote end in Linux's `/proc/net/tcp`, `at` the colon. The address is the
/// memory's bytes, the least first; 32 digits are IPv6.
fn socket(text: &[u8], at: usize, hits: &mut Hits) -> bool {
    let upper = |b: &u8| b.is_ascii_digit() || matches!(b, b'A'..=b'F');
    let length = |bytes: &[u8]| bytes.iter().take(33).take_while(|b| upper(b)).count();
    let start = at - text[at.saturating_sub(33)..at].iter().rev().take_while(|b| upper(b)).count();
    let end_shaped = |from: usize| {
        let digits = text.get(from..).map_or(0, length);
        matches!(digits, 8 | 32)
            && byte(text, from + digits) == b':'
            && length(&text[from + digits + 1..]) == 4
            && byte(text, from + digits + 5) == b' '
    };
    if !matches!(at - start, 8 | 32) || before(text, 0, start) != b' ' || !end_shaped(start) {
        return false;
    }
    let other_before = start.checked_sub(14).is_some_and(&end_shaped) || start.checked_sub(38).is_some_and(&end_shaped);
    if !other_before && !end_shaped(at + 6) {
        return false;
    }
    let zero = text[start..at].iter().all(|&b| b == b'0');
    if !zero && !matches!(&text[start..at], b"0100007F" | b"00000000000000000000000001000000") {
        hits.push(start, at, Category::Ip, Form::Drop, rank::NUMBER + 1);
    }
    true
}

/// Reads four numbers up to 255 with `joint` between them; where they end.
fn dotted(text: &[u8], start: usize, joint: u8) -> Option<(u32, usize)> {
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

fn v4(text: &[u8], at: usize, skip: &mut usize, hits: &mut Hits) {
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

/// Whether what stands before says that the number is a version: `v1.2.3.4`, `Chrome/118.0.0.0`, `version 1.2.3.4`.
fn version(text: &[u8], start: usize, end: usize) -> bool {
    let last = before(text, 0, start);
    if text::word_before(text, start) || package(text, start, end) {
        return true;
    }
    if last == b'/' {
        // A product token (RFC 9110, section 10.1.5) as browsers and devices send it; in a path it is an address.
        let has_port = byte(text, end) == b':' && is(byte(text, end + 1), DIGIT);
        let mut from = start - 1;
        while from > 0 && (text[from - 1].is_ascii_alphanumeric() || matches!(text[from - 1], b'-' | b'_')) {
            from -= 1;
        }
        let apart = from == 0 || matches!(text[from - 1], b' ' | b'"' | b'\'' | b'(' | b'\t' | b'=');
        return text[from].is_ascii_uppercase() && apart && !has_port && !transport(&text[from..start - 1]);
    }
    if last == b'-' && start > 1 && text[start - 2].is_ascii_alphanumeric() && byte(text, end) != b':' {
        // openssl-1.2.3.4, but not 10.0.0.1-10.0.0.9
        return text[start - 2].is_ascii_alphabetic();
    }
    let mut at = start;
    while at > 0 && matches!(text[at - 1], b' ' | b'=' | b':' | b'"' | b'\'' | b'v') && start - at < 4 {
        at -= 1;
    }
    let word = text::run_back(text, at.saturating_sub(24), at, WORD);
    let word = text::fold(&text[word..at]);
    matches!(
        word.as_str(),
        "version"
            | "ver"
            | "release"
            | "build"
            | "firmware"
            | "revision"
            | "rev"
            | "sw"
            | "fw"
            | "software"
            | "driver"
            | "oid"
    ) || word.ends_with("version")
}

/// Whether the name of a package or of a release goes on behind it, a requirement stands before it, or it begins an object
/// identifier.
fn package(text: &[u8], start: usize, end: usize) -> bool {
    const FILES: [&[u8]; 16] = [
        b"tar", b"tgz", b"zip", b"deb", b"rpm", b"jar", b"war", b"whl", b"exe", b"msi", b"dll", b"so", b"apk", b"iso",
        b"img", b"el",
    ];
    const RELEASES: [&[u8]; 15] = [
        b"rc",
        b"beta",
        b"alpha",
        b"el",
        b"fc",
        b"ubuntu",
        b"deb",
        b"snapshot",
        b"release",
        b"build",
        b"git",
        b"dev",
        b"ga",
        b"sp",
        b"generic",
    ];
    let next = byte(text, end);
    let stop = text
        .get(end + 1..)
        .map_or(end, |rest| end + 1 + rest.iter().take(12).take_while(|b| b.is_ascii_alphabetic()).count());
    let word = text.get(end + 1..stop).unwrap_or_default();
    let of = |known: &[&[u8]]| known.iter().any(|known| word.eq_ignore_ascii_case(known));
    let required = text[..start].trim_ascii_end();
    let required = (required.ends_with(b">=") || required.ends_with(b"~>")) && start - required.len() < 2;
    let library = text[..start].ends_with(b".so.");
    let oid = &text[start..end] == b"1.3.6.1" && !matches!(next, b':' | b'/');
    next == b'.' && of(&FILES)
        || matches!(next, b'-' | b'+' | b'~' | b'_') && of(&RELEASES)
        || required
        || library
        || oid
}

/// Whether a word stands before addresses: `UDP/10.0.0.1/5060`, as Asterisk writes them.
fn transport(word: &[u8]) -> bool {
    ["udp", "tcp", "tls", "ws", "wss", "sctp", "ipv4", "ip", "inet", "sip", "addr", "host", "peer", "net", "cidr"]
        .iter()
        .any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
}

/// Whether an address may lead to a person: not loopback, unspecified, multicast, broadcast, a netmask.
pub(crate) fn personal4(ip: u32) -> bool {
    let mask = ip.leading_ones() + ip.trailing_zeros() >= 32 && ip >> 24 == 255;
    let first = ip >> 24;
    !(first == 0 || first == 127 || (224..240).contains(&first) || ip == u32::MAX || mask)
}

fn v6(text: &[u8], at: usize, skip: &mut usize, hits: &mut Hits) {
    let of = |b: u8| is(b, HEX) || b == b':';
    let mut start = at;
    while start > 0 && at - start < 5 && is(text[start - 1], HEX) {
        start -= 1;
    }
    let end = text[start..].iter().position(|&b| !of(b)).map_or(text.len(), |length| start + length);
    let token = &text[start..end];
    let colons = token.iter().filter(|&&b| b == b':').count();
    let double = memchr::memmem::find(token, b"::").is_some();
    // Eight bytes with two digits each name a disk or an adapter.
    let bytes = colons == 7 && token.len() == 23 && token.split(|&b| b == b':').all(|part| part.len() == 2);
    if bytes || colons < 2 || !double && !(5..=7).contains(&colons) || token.len() > 60 {
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

/// The address that the whole of `token` is (RFC 4291, section 2.2).
fn parse(token: &[u8]) -> Option<u128> {
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
        while let Some(digit) = token.get(at).filter(|_| at < from + 4).and_then(|&b| char::from(b).to_digit(16)) {
            group = group << 4 | u16::try_from(digit).ok()?;
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

fn personal6(ip: u128) -> bool {
    if let Some(inner) = mapped(ip) {
        return personal4(inner);
    }
    let address = Ipv6Addr::from_bits(ip);
    !(address.is_loopback() || address.is_unspecified() || address.is_multicast() || ip >> 64 == 0 && ip <= 0xffff)
}

/// Whether the whole of `bytes` is an IPv4 or IPv6 address.
pub(crate) fn is_ip(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| text.parse::<Ipv4Addr>().is_ok() || text.parse::<Ipv6Addr>().is_ok())
}

/// Whether `text` begins like an IPv6 address: hexadecimal digits and two colons or more.
pub(super) fn is_ip6_token(text: &[u8]) -> bool {
    let end = text.iter().position(|&b| !is(b, text::HEX) && b != b':').unwrap_or(text.len());
    text[..end].iter().filter(|&&b| b == b':').count() >= 2
}

#[cfg(test)]
mod tests {
    use crate::redact::detector::tests::{finds, found};

    proptest::proptest! {
        #[test]
        fn an_ipv6_address_is_read_as_the_standard_library_does(
            token in "(::)?([0-9a-fA-F]{1,5}(:|::)){0,9}[0-9a-f]{0,4}",
            ip in proptest::prelude::any::<[u16; 8]>(),
            zeros in proptest::prelude::any::<u8>(),
        ) {
            let mut ip = ip;
            (0..8).filter(|bit| zeros & 1 << bit != 0).for_each(|bit| ip[bit] = 0);
            for token in [token, std::net::Ipv6Addr::from(ip).to_string()] {
                let expected = token.parse::<std::net::Ipv6Addr>().ok().map(std::net::Ipv6Addr::to_bits);
                proptest::prop_assert_eq!(super::parse(token.as_bytes()), expected, "{}", token);
            }
        }
    }

    #[test]
    fn an_address_is_found_in_every_form() {
        finds("from 198.51.100.7 port 22", &[("198.51.100.7", "ip")]);
        finds("198.51.100.7", &[("198.51.100.7", "ip")]);
        finds("at 198.51.100.7.", &[("198.51.100.7", "ip")]);
        finds("http://198.51.100.7:8080/x", &[("198.51.100.7", "ip")]);
        finds("/198.51.100.7:8080", &[("198.51.100.7", "ip")]);
        finds("10.0.0.1-10.0.0.9 10.0.0.0/8", &[("10.0.0.1", "ip"), ("10.0.0.9", "ip"), ("10.0.0.0", "ip")]);
        finds("7.100.51.198.in-addr.arpa", &[("7.100.51.198", "ip")]);
        finds("ip-10-1-2-3.compute", &[("10-1-2-3", "ip")]);
        finds("[2a02:100::1]:443", &[("2a02:100::1", "ip")]);
        finds("2a02:100::1: closed", &[("2a02:100::1", "ip")]);
        finds("fe80::21a:2bff:fe3c:4d5e%eth0 up", &[("fe80::21a:2bff:fe3c:4d5e", "ip")]);
        finds("host=::ffff:198.51.100.7 port", &[("198.51.100.7", "ip")]);
        finds("2a02:0:0:0:0:0:198.51.100.7", &[("2a02:0:0:0:0:0:198.51.100.7", "ip")]);
        finds("203-0-113-10.dyn.provider.example", &[("203-0-113-10", "ip")]);
        finds("from static-203-0-113-10 up", &[("203-0-113-10", "ip")]);
        finds("http://0xCB00710A/x", &[("0xCB00710A", "ip")]);
        finds("http://3405803786/x", &[("3405803786", "ip")]);
        finds("saddr=0xCB00710A", &[("0xCB00710A", "ip")]);
        finds("PORT 203,0,113,10,19,137", &[("203,0,113,10", "ip")]);
        finds("Entering Passive Mode (203,0,113,10,19,137)", &[("203,0,113,10", "ip")]);
        finds(
            "   1: 0A7100CB:1F90 0B7100CB:D1A2 01 00000000:00000000 00:00000000",
            &[("0A7100CB", "ip"), ("0B7100CB", "ip")],
        );
        finds(
            "a.0.7.1.0.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
            &[("a.0.7.1.0.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2", "ip")],
        );
        finds("ip.addr==203.0.113.10", &[("203.0.113.10", "ip")]);
        finds("access_203.0.113.10.log", &[("203.0.113.10", "ip")]);
        finds("1:2:3:4:5:6:7:8", &[("1:2:3:4:5:6:7:8", "ip")]);
    }

    #[test]
    fn what_only_looks_like_an_address_stays() {
        for line in [
            "version 7.2.4.3070",
            "Chrome/118.0.0.0",
            "v1.2.3.4",
            "1.3.6.1.4.1.311",
            "14:20:01.123",
            "std::cout",
            "a::b",
            "::",
            "127.0.0.1 ::1 0.0.0.0 255.255.255.0 239.1.2.3 ff02::1",
            "2026-11-21T14:20:01Z",
            "300.1.2.3",
            "1.2.3",
            "openssl-1.1.1.4",
            "Version=\"7.2.4.30\"",
            "00:01:02",
            "::ffff:127.0.0.1",
            "foo-1.2.3.4.tar.gz foo_1.2.3.4.deb",
            "1.2.3.4-rc1 1.2.3.4-el8 1.2.3.4~beta2",
            "needs foo >= 1.2.3.4, bar ~> 1.2.3.4",
            "libfoo.so.1.2.3.4",
            "1.3.6.1",
            "backup-12-30-45-10.txt 2026-11-21-14 12-30-45-10",
            "port 10, mode (1,2)",
            "addr: 0x7f3f9c009168 addr: 0xffffffff",
            "PORT 1234",
            "   0: 00000000:0016 00000000:0000 0A",
            "wwn 50:01:43:80:12:34:56:78 up",
        ] {
            assert!(found(line).is_empty(), "{line}: {:?}", found(line));
        }
    }
}
