//! Addresses in other notations: within names of computers, as one number, with commas, as nibbles, as Linux lists sockets,
//! interfaces and routes.

use super::v4::{dotted, personal4};
use super::v6::{parse, personal6};
use crate::redact::category::Category;
use crate::redact::hit::{Form, Hits, rank};
use crate::redact::text::{self, DIGIT, HEX, WORD, before, byte, is};

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
pub(super) fn in_name(text: &[u8], at: usize, hits: &mut Hits) {
    let start = text::run_back(text, at.saturating_sub(4), at, DIGIT);
    let Some((ip, end)) = dotted(text, start, b'-') else { return };
    let last = before(text, 0, start);
    let from = text::run_back(text, start.saturating_sub(16), start.saturating_sub(1), WORD);
    let word = if matches!(last, b'-' | b'.') { &text[from..start - 1] } else { b"" };
    let directory = directory_of_hosts(text, start);
    let named = directory || NAMED.iter().any(|known| word.eq_ignore_ascii_case(known));
    let domain = &text[end..text::run(text, end, text::IDENT)];
    let labels =
        domain.split(|&b| b == b'.').filter(|label| label.first().is_some_and(u8::is_ascii_alphabetic)).count();
    let whole = domain.is_empty() || domain[0] == b'.' && !directory;
    // Other dates and times are joined by dashes as well: a name has labels behind it, or a word before it.
    let open = !text::word_before(text, start) && last != b'_' && (last != b'/' || directory);
    let part_of_number = matches!(last, b'-' | b'.') && is(before(text, 0, start - 1), DIGIT);
    if whole && open && !part_of_number && (named || labels >= 2 && domain.first() == Some(&b'.')) && personal4(ip) {
        hits.push(start, end, Category::Ip, Form::Ip4Joined(ip, b'-'), rank::NUMBER + 1);
    }
}

/// Whether a number begins the name of a directory or file in one that is called after computers: `hosts/203-0-113-10`.
fn directory_of_hosts(text: &[u8], start: usize) -> bool {
    let Some(above) = text[..start].strip_suffix(b"/") else { return false };
    let word = &above[text::run_back(above, above.len().saturating_sub(16), above.len(), WORD)..];
    let known: [&[u8]; 8] = [b"host", b"hosts", b"ip", b"ips", b"peers", b"clients", b"servers", b"nodes"];
    known.iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// `2001-db8--7.ipv6-literal.net`, as Windows writes an address where a name must stand; an `s` begins the zone. `start` is
/// the word `ipv6`.
pub(super) fn literal(text: &[u8], start: usize, end: usize, hits: &mut Hits) {
    let rest = text.get(end..end + 12).unwrap_or_default();
    let Some(to) = start.checked_sub(1).filter(|&dot| text[dot] == b'.') else { return };
    if !rest.eq_ignore_ascii_case(b"-literal.net") || text::word_after(text, end + 12) {
        return;
    }
    let of = |b: &&u8| is(**b, WORD) || **b == b'-';
    let from = to - text[to.saturating_sub(56)..to].iter().rev().take_while(of).count();
    let address = text[from..to].split(|b| matches!(b, b's' | b'S')).next().unwrap_or_default();
    let address: Vec<u8> = address.iter().map(|&b| if b == b'-' { b':' } else { b }).collect();
    if parse(&address).is_some_and(personal6) {
        hits.push(from, to, Category::Ip, Form::Drop, rank::NUMBER + 1);
    }
}

/// The lines of Linux's `/proc/net/if_inet6` and `/proc/net/ipv6_route`: addresses of 32 digits, each followed by numbers of
/// two.
pub(super) fn interface(text: &[u8], hits: &mut Hits) {
    let word = |from: usize| {
        let end = from + text[from.min(text.len())..].iter().take(33).take_while(|&&b| is(b, HEX)).count();
        (end - from, end)
    };
    let pair = |from: usize| byte(text, from) == b' ' && word(from + 1).0 == 2 && byte(text, from + 3) == b' ';
    let address = |from: usize| word(from).0 == 32 && pair(from + 32);
    if !address(0) {
        return;
    }
    let interface = (0..4).all(|n| pair(32 + 3 * n));
    let route = address(36) && word(72).0 == 32 && byte(text, 104) == b' ' && word(105).0 == 8;
    let places: &[usize] = match (interface, route) {
        (true, _) => &[0],
        (_, true) => &[0, 36, 72],
        _ => return,
    };
    for &from in places {
        let digits = std::str::from_utf8(&text[from..from + 32]).ok();
        let ip = digits.and_then(|digits| u128::from_str_radix(digits, 16).ok());
        if ip.is_some_and(personal6) {
            hits.push(from, from + 32, Category::Ip, Form::Drop, rank::NUMBER + 1);
        }
    }
}

/// Eight hexadecimal digits under a key that says they are an address: `src_address=c6336407`. Addresses of memory have other
/// keys.
pub(super) fn bare_number(text: &[u8], start: usize, from: usize, hits: &mut Hits) {
    let end = text::run(text, from, WORD);
    let key = text::run_back(text, start.saturating_sub(16), start.saturating_sub(1), WORD);
    let word = &text[key..start.saturating_sub(1)];
    let known: [&[u8]; 10] =
        [b"src", b"dst", b"source", b"destination", b"remote", b"local", b"peer", b"client", b"server", b"ipv4"];
    let named =
        matches!(before(text, 0, start), b'_' | b'-') && known.iter().any(|known| word.eq_ignore_ascii_case(known));
    let hex = std::str::from_utf8(&text[from..end.min(from + 9)]).unwrap_or_default();
    // A number of digits alone may count something.
    let fits = hex.len() == 8 && hex.bytes().any(|b| b.is_ascii_digit()) && !hex.bytes().all(|b| b.is_ascii_digit());
    if named
        && fits
        && let Some(ip) = u32::from_str_radix(hex, 16).ok().filter(|&ip| personal4(ip) && ip >> 24 != 0)
        && !matches!(byte(text, end), b'.' | b'-' | b'@' | b':')
    {
        hits.push(from, end, Category::Ip, Form::Ip4(ip), rank::NUMBER + 1);
    }
}

/// `b.a.9.8.….ip6.arpa`: the nibbles before the word, eight or more (RFC 3596, section 2.5).
pub(super) fn nibbles(text: &[u8], start: usize, end: usize, hits: &mut Hits) {
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
pub(super) fn with_commas(text: &[u8], end: usize, hits: &mut Hits) {
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
pub(super) fn one_number(text: &[u8], from: usize, hits: &mut Hits) {
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
pub(super) fn socket(text: &[u8], at: usize, hits: &mut Hits) -> bool {
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
