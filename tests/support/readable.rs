//! Looks for values as somebody would who wants to find them: in every decoding, case and notation.
//!
//! It shares nothing with the product, and is slow and simple on purpose.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use unicode_normalization::UnicodeNormalization as _;

/// How often text in text in text is decoded.
const LAYERS: usize = 3;

/// A search for many values at once.
pub struct Search {
    texts: Vec<String>,
    found_by: Option<AhoCorasick>,
    ips: BTreeMap<IpAddr, String>,
    macs: BTreeMap<String, String>,
    numbers: BTreeMap<String, String>,
}

impl Search {
    /// Addresses are looked for in every notation, numbers of eight digits or more also without what separates their groups,
    /// everything else as text between word edges.
    pub fn new<'v>(values: impl IntoIterator<Item = &'v str>) -> Self {
        let (mut texts, mut ips, mut macs, mut numbers) =
            (BTreeSet::new(), BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for value in values {
            if let Ok(ip) = value.parse::<IpAddr>() {
                ips.insert(canonical(ip), value.to_owned());
                continue;
            }
            if let Some(mac) = mac(value) {
                macs.insert(mac, value.to_owned());
                continue;
            }
            let digits: String = value.chars().filter(char::is_ascii_digit).collect();
            let alphanumeric = value.chars().filter(|c| c.is_alphanumeric()).count();
            if digits.len() >= 8 && digits.len() == alphanumeric {
                numbers.insert(digits, value.to_owned());
            }
            texts.insert(plain(value));
        }
        let texts: Vec<String> = texts.into_iter().collect();
        let found_by = (!texts.is_empty()).then(|| AhoCorasick::new(&texts).expect("a few thousand short words"));
        Self { texts, found_by, ips, macs, numbers }
    }

    /// The values that can be read in `bytes`. In what is no text, values of ten letters or more need no word edges.
    pub fn found(&self, bytes: &[u8]) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let binary = bytes.contains(&0);
        for view in views(bytes) {
            self.found_in(&view, binary, &mut found);
        }
        found
    }

    fn found_in(&self, text: &str, binary: bool, found: &mut BTreeSet<String>) {
        if let Some(automaton) = &self.found_by {
            let edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
            for hit in automaton.find_overlapping_iter(text) {
                if binary && hit.end() - hit.start() >= 10
                    || edge(text[..hit.start()].chars().next_back()) && edge(text[hit.end()..].chars().next())
                {
                    found.insert(self.texts[hit.pattern().as_usize()].clone());
                }
            }
        }
        if !self.ips.is_empty() {
            for ip in addresses(text) {
                if let Some(value) = self.ips.get(&ip) {
                    found.insert(value.clone());
                }
            }
        }
        for token in runs(text, |c| c.is_ascii_hexdigit() || matches!(c, ':' | '-' | '.')) {
            if token.len() < 12 {
                continue;
            }
            let digits: String = token.chars().filter(char::is_ascii_hexdigit).collect();
            for (mac, value) in &self.macs {
                if digits.contains(mac) {
                    found.insert(value.clone());
                }
            }
        }
        if !self.numbers.is_empty() {
            for token in runs(text, |c| c.is_ascii_digit() || matches!(c, ' ' | '-' | '.' | '/' | '(' | ')' | '\u{a0}'))
            {
                if token.len() < 8 {
                    continue;
                }
                let digits: String = token.chars().filter(char::is_ascii_digit).collect();
                for (number, value) in &self.numbers {
                    if digits.contains(number) {
                        found.insert(value.clone());
                    }
                }
            }
        }
    }
}

/// The text as it is compared: composed, in small letters, without what cannot be seen, with single blanks.
pub fn plain(text: &str) -> String {
    let visible = text.chars().filter(|&c| !unseen(c)).map(|c| if c.is_whitespace() { ' ' } else { c });
    let mut plain = String::with_capacity(text.len());
    for c in visible.nfc().flat_map(char::to_lowercase) {
        if c != ' ' || !plain.ends_with(' ') {
            plain.push(c);
        }
    }
    plain
}

const fn unseen(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Everything that the bytes say to somebody who decodes them.
pub fn views(bytes: &[u8]) -> BTreeSet<String> {
    let mut views = BTreeSet::new();
    let mut todo: Vec<(String, usize)> = Vec::new();
    for text in texts(bytes) {
        // What was folded over lines is one text; so are the rows of Base64 and of quoted-printable.
        todo.extend([folded(&text, " "), folded(&text, "")].into_iter().flatten().map(|text| (text, 0)));
        todo.push((text, 0));
    }
    while let Some((text, depth)) = todo.pop() {
        if depth < LAYERS {
            todo.extend(decoded(&text).map(|text| (text, depth + 1)));
            todo.extend(unbase64(&text).into_iter().map(|text| (text, depth + 1)));
        }
        views.insert(plain(&text));
    }
    views
}

fn texts(bytes: &[u8]) -> Vec<String> {
    let units = |from: &[u8], big: bool| -> String {
        let units = from.chunks_exact(2).map(|pair| {
            let pair = [pair[0], pair[1]];
            if big { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) }
        });
        char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    };
    let lines = bytes.split_inclusive(|&b| b == b'\n').map(|line| match std::str::from_utf8(line) {
        Ok(line) => line.to_owned(),
        Err(_) => line.iter().map(|&b| char::from(b)).collect(),
    });
    let mut texts = vec![lines.collect()];
    if std::str::from_utf8(bytes).is_err() {
        texts.push(String::from_utf8_lossy(bytes).into_owned());
    }
    let zeros = bytes.iter().filter(|&&b| b == 0).count();
    if bytes.len() > 1
        && (zeros * 20 > bytes.len() || bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]))
    {
        for odd in 0..2 {
            texts.extend([units(&bytes[odd..], false), units(&bytes[odd..], true)]);
        }
    }
    texts
}

/// The text with its folded lines made one; `None` if there are none.
fn folded(text: &str, joint: &str) -> Option<String> {
    let unix = text.replace("\r\n", "\n").replace("=\n", "");
    let mut out = String::new();
    for (number, line) in unix.split('\n').enumerate() {
        let rest = line.trim_start_matches([' ', '\t']);
        if number > 0 {
            out.push_str(if joint.is_empty() {
                ""
            } else if rest.len() < line.len() {
                joint
            } else {
                "\n"
            });
        }
        out.push_str(if joint.is_empty() { line.trim() } else { rest });
    }
    (out != text).then_some(out)
}

/// The text with every escape in it decoded once; `None` if there is none.
fn decoded(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match escape(&bytes[at..]) {
            Some((value, length)) => {
                out.extend_from_slice(&value);
                at += length;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    (out != bytes).then(|| String::from_utf8_lossy(&out).into_owned())
}

fn escape(rest: &[u8]) -> Option<(Vec<u8>, usize)> {
    let hex = |from: usize, length: usize| -> Option<u32> {
        let digits = std::str::from_utf8(rest.get(from..from + length)?).ok()?;
        digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok()).flatten()
    };
    let char = |c: char| c.to_string().into_bytes();
    match rest {
        [b'%' | b'=', ..] => Some((vec![u8::try_from(hex(1, 2)?).ok()?], 3)),
        [b'\\', b'u', ..] => {
            let first = hex(2, 4)?;
            match char::from_u32(first) {
                Some(c) => Some((char(c), 6)),
                None => {
                    let second = hex(8, 4)?;
                    let pair = [u16::try_from(first).ok()?, u16::try_from(second).ok()?];
                    Some((char(char::decode_utf16(pair).next()?.ok()?), 12))
                }
            }
        }
        [b'\\', b'x', ..] => Some((vec![u8::try_from(hex(2, 2)?).ok()?], 4)),
        [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..] => {
            Some((vec![(a - b'0') * 64 + (b - b'0') * 8 + (c - b'0')], 4))
        }
        [b'\\', b'n' | b'r' | b't', ..] => Some((vec![b' '], 2)),
        [b'\\', c @ (b'"' | b'\'' | b'\\' | b'/' | b','), ..] => Some((vec![*c], 2)),
        // The colours of a terminal.
        [0x1b, b'[', sequence @ ..] => {
            let length = sequence.iter().position(u8::is_ascii_alphabetic)?;
            Some((Vec::new(), length + 3))
        }
        [b'&', ..] => {
            let end = rest.iter().take(12).position(|&b| b == b';')?;
            let name = std::str::from_utf8(&rest[1..end]).ok()?;
            let c = match name.strip_prefix('#') {
                Some(number) => char::from_u32(match number.strip_prefix(['x', 'X']) {
                    Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                    None => number.parse().ok()?,
                })?,
                None => match name {
                    "amp" => '&',
                    "lt" => '<',
                    "gt" => '>',
                    "quot" => '"',
                    "apos" => '\'',
                    "nbsp" => ' ',
                    "auml" => 'ä',
                    "ouml" => 'ö',
                    "uuml" => 'ü',
                    "Auml" => 'Ä',
                    "Ouml" => 'Ö',
                    "Uuml" => 'Ü',
                    "szlig" => 'ß',
                    "eacute" => 'é',
                    "commat" => '@',
                    _ => return None,
                },
            };
            Some((char(c), end + 1))
        }
        _ => None,
    }
}

/// What the runs of Base64 in a text say, if they say something.
fn unbase64(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    for run in runs(text, |c| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_')) {
        if run.len() < 8 {
            continue;
        }
        let standard = run.replace('-', "+").replace('_', "/");
        // A run may begin with something else, such as a path.
        for from in 0..if run.len() < 16 { 1 } else { 4 } {
            let rest = &standard[from..];
            let rest = &rest[..rest.len() - usize::from(rest.len() % 4 == 1)];
            let mut bytes = STANDARD_NO_PAD.decode(rest).unwrap_or_default();
            if bytes.is_empty() && rest.len() > 8 {
                bytes = STANDARD_NO_PAD.decode(&rest[..rest.len() / 4 * 4]).unwrap_or_default();
            }
            let readable = bytes.iter().filter(|b| (0x20..0x7f).contains(*b) || b.is_ascii_whitespace()).count();
            let zeros = bytes.iter().filter(|b| **b == 0).count();
            let mostly = bytes.len() >= 6 && (readable * 10 >= bytes.len() * 6 || zeros * 5 > bytes.len() * 2);
            if mostly || String::from_utf8(bytes.clone()).is_ok_and(|text| !text.chars().any(char::is_control)) {
                out.extend(texts(&bytes));
            }
        }
    }
    out.retain(|text| !text.is_empty());
    out
}

/// The longest pieces of a text that consist of such characters.
fn runs(text: &str, of: impl Fn(char) -> bool) -> impl Iterator<Item = &str> {
    text.split(move |c| !of(c)).filter(|run| !run.is_empty())
}

fn canonical(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V6(six) => six.to_ipv4_mapped().map_or(ip, IpAddr::V4),
        IpAddr::V4(_) => ip,
    }
}

fn mac(value: &str) -> Option<String> {
    let digits: String = value.chars().filter(char::is_ascii_hexdigit).collect();
    let other = value.chars().all(|c| c.is_ascii_hexdigit() || matches!(c, ':' | '-' | '.'));
    let separated = value.contains([':', '-', '.']);
    (other && separated && digits.len() == 12).then(|| digits.to_ascii_lowercase())
}

/// Every address that can be read in a text: dotted, dashed, reversed, in hexadecimal of either order, version 6 in full,
/// short, mapped, as nibbles.
fn addresses(text: &str) -> BTreeSet<IpAddr> {
    let mut all = BTreeSet::new();
    for separator in ['.', '-', '_'] {
        for run in runs(text, |c| c.is_ascii_digit() || c == separator) {
            let parts: Vec<&str> = run.split(separator).filter(|part| !part.is_empty()).collect();
            for four in parts.windows(4) {
                if let [Ok(a), Ok(b), Ok(c), Ok(d)] = [0, 1, 2, 3].map(|n| four[n].parse::<u8>()) {
                    all.insert(Ipv4Addr::new(a, b, c, d).into());
                    all.insert(Ipv4Addr::new(d, c, b, a).into());
                }
            }
        }
    }
    for run in runs(text, |c| c.is_ascii_alphanumeric()) {
        let hex = run.strip_prefix("0x").unwrap_or(run);
        if let (8, Ok(number)) = (hex.len(), u32::from_str_radix(hex, 16)) {
            all.insert(Ipv4Addr::from(number).into());
            all.insert(Ipv4Addr::from(number.swap_bytes()).into());
        }
        if let (32, Ok(number)) = (hex.len(), u128::from_str_radix(hex, 16)) {
            all.insert(canonical(Ipv6Addr::from(number).into()));
        }
    }
    for run in runs(text, |c| c.is_ascii_hexdigit() || matches!(c, ':' | '.')) {
        for token in [run, run.trim_end_matches([':', '.']), run.trim_start_matches('.'), run.trim_matches(['.', ':'])]
        {
            if let Ok(ip) = token.parse::<Ipv6Addr>() {
                all.insert(canonical(ip.into()));
            }
            // `1:2:3:4:5:6:7:8:443`
            if let Some((head, _)) = token.rsplit_once(':')
                && let Ok(ip) = head.parse::<Ipv6Addr>()
            {
                all.insert(canonical(ip.into()));
            }
        }
        let nibbles: Vec<&str> = run.split('.').filter(|part| !part.is_empty()).collect();
        for row in nibbles.windows(32) {
            if row.iter().all(|nibble| nibble.len() == 1) {
                let number = row.iter().rev().copied().collect::<String>();
                all.extend(u128::from_str_radix(&number, 16).map(|number| IpAddr::from(Ipv6Addr::from(number))));
            }
        }
    }
    for run in runs(text, |c| c.is_ascii_hexdigit() || c == '-') {
        if let Ok(ip) = run.replace('-', ":").parse::<Ipv6Addr>() {
            all.insert(canonical(ip.into()));
        }
    }
    all
}

#[test]
fn the_search_finds_what_is_hidden() {
    let search = Search::new(["Jörg Mühlenkamp", "198.51.100.7", "2a02:7:8::9", "3c:a8:2a:01:02:03", "+49 30 1234567"]);
    for (text, value) in [
        ("JÖRG  MÜHLENKAMP", "jörg mühlenkamp"),
        ("jo\u{308}rg mu\u{308}hlen\u{ad}kamp", "jörg mühlenkamp"),
        ("q=J%C3%B6rg%20M%c3%bchlenkamp", "jörg mühlenkamp"),
        ("q=J%25C3%25B6rg%2520M%25c3%25bchlenkamp", "jörg mühlenkamp"),
        (r"J\u00f6rg M\u00FChlenkamp", "jörg mühlenkamp"),
        (r"J\303\266rg M\xc3\xbchlenkamp", "jörg mühlenkamp"),
        ("J&ouml;rg M&#252;hlenkamp", "jörg mühlenkamp"),
        ("J=C3=B6rg M=C3=BChl=\nenkamp", "jörg mühlenkamp"),
        ("x SsO2cmcgTcO8aGxlbmthbXA= y", "jörg mühlenkamp"),
        ("SsO2cmcg\n TcO8aGxl\n bmthbXA=", "jörg mühlenkamp"),
        ("Jörg\r\n\tMühlenkamp", "jörg mühlenkamp"),
        ("ip-198-51-100-7.compute", "198.51.100.7"),
        ("7.100.51.198.in-addr.arpa", "198.51.100.7"),
        ("0xC6336407", "198.51.100.7"),
        ("076433C6:0035", "198.51.100.7"),
        ("::ffff:c633:6407", "198.51.100.7"),
        ("[2A02:0007:0008:0:0:0:0:9]:443", "2a02:7:8::9"),
        ("3ca8.2a01.0203", "3c:a8:2a:01:02:03"),
        ("3CA82A010203", "3c:a8:2a:01:02:03"),
        ("0049/30-1234567", "+49 30 1234567"),
    ] {
        assert!(search.found(text.as_bytes()).contains(value), "{text}: {:?}", search.found(text.as_bytes()));
    }
    let wide: Vec<u8> = "x Jörg Mühlenkamp".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(search.found(&wide).contains("jörg mühlenkamp"));
    assert!(search.found(b"J\xf6rg M\xfchlenkamp \x01\x02").contains("jörg mühlenkamp"));
    assert!(search.found("Jörgs Mühlenkamper 198.51.100.70 240.1.2.3".as_bytes()).is_empty());
}
