//! IPv4 and IPv6 addresses, bare, with port, in brackets, mapped, with zone, in host names and reverse DNS.
//!
//! Loopback, unspecified, multicast and broadcast addresses and netmasks name nobody and stay. A version number such as
//! `7.2.4.3070` is no address: a part is too large, or a letter or slash stands before it, or the name of a package goes on
//! behind it.

mod notation;
mod v4;
mod v6;
mod version;

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{Detector, Line};
use crate::redact::category::Category;
use crate::redact::hit::{Form, Hits, rank};
use crate::redact::masks::{Shape, Signs};
use crate::redact::text::{self, DIGIT, HEX, SPACE, before, byte, is};

use self::notation::{bare_number, in_name, interface, literal, nibbles, one_number, socket, with_commas};
use self::v4::{dotted, v4};
use self::v6::v6;

pub(crate) use self::v4::personal4;
pub(crate) use self::v6::personal_ip6;

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
            "ip", "ip6", "ipv6", "port", "mode", "saddr", "daddr", "addr", "ipaddr", "host", "src", "dst", "peer",
            "client", "server", "address",
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

    fn at_line_start(&self, line: &Line<'_>, _signs: Signs, hits: &mut Hits) {
        // A line of /proc/net/tcp: `   0: 0100007F:1F90 …:…`
        let text = line.text;
        interface(text, hits);
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
            b"ipv6" => literal(text, start, end, hits),
            b"port" | b"mode" => with_commas(text, end, hits),
            _ => {
                // A key, and the address as one number: saddr=0xCB007107
                let mut from = end;
                while from < end + 4 && matches!(byte(text, from), b'=' | b':' | b' ' | b'"' | b'\'') {
                    from += 1;
                }
                if from > end && matches!(&text[end..from], [b'=' | b':' | b'"', ..]) {
                    if byte(text, from) == b'0' && byte(text, from + 1) == b'x' {
                        one_number(text, from, hits);
                    } else if is(byte(text, from), HEX) && matches!(word.as_str(), "ip" | "addr" | "address") {
                        bare_number(text, start, from, hits);
                    }
                }
            }
        }
    }
}
/// Whether the whole of `bytes` is an IPv4 or IPv6 address.
pub(crate) fn is_ip(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| text.parse::<Ipv4Addr>().is_ok() || text.parse::<Ipv6Addr>().is_ok())
}

/// Whether `text` begins like an IPv6 address: hexadecimal digits and two colons or more.
pub(crate) fn is_ip6_token(text: &[u8]) -> bool {
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
                proptest::prop_assert_eq!(super::v6::parse(token.as_bytes()), expected, "{}", token);
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
        finds("at 2a02-7-8--9.ipv6-literal.net", &[("2a02-7-8--9", "ip")]);
        finds("fe80--1s4.ipv6-literal.net", &[("fe80--1s4", "ip")]);
        finds("remote_address=c633640a", &[("c633640a", "ip")]);
        finds("hosts/203-0-113-10/x", &[("203-0-113-10", "ip")]);
        finds("2a020007000800000000000000000009 01 40 00 80     eth0", &[("2a020007000800000000000000000009", "ip")]);
        finds(
            "2a020007000800000000000000000000 40 00000000000000000000000000000000 00 fe80000000000000021a2bfffe3c4d5e 00000400 00000001 00000000 00450003     eth0",
            &[("2a020007000800000000000000000000", "ip"), ("fe80000000000000021a2bfffe3c4d5e", "ip")],
        );
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
            "address=c6336407 base_address=c6336407 src_address=80008000 load_addr=c6336407 src_addr=deadbeef",
            "d41d8cd98f00b204e9800998ecf8427e  file",
            "00000000000000000000000000000001 01 80 10 80       lo",
            "d41d8cd98f00b204e9800998ecf8427e 02 40 20 file",
            "see www.ipv6-literal.net and face--1 ipv6-literal",
            "build/1-2-3-4/x hosts/2026-11-21-14/x",
        ] {
            assert!(found(line).is_empty(), "{line}: {:?}", found(line));
        }
    }
}
