//! Four numbers with dots that are no address: versions, names of packages, object identifiers.

use crate::redact::text::{self, DIGIT, WORD, before, byte, is};

/// Whether what stands before says that the number is a version: `v1.2.3.4`, `Chrome/118.0.0.0`, `version 1.2.3.4`.
pub(super) fn version(text: &[u8], start: usize, end: usize) -> bool {
    let last = before(text, 0, start);
    if text::word_before(text, start) {
        return !glued(text, start);
    }
    if package(text, start, end) {
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

/// Whether a word that speaks of addresses stands right before the number: `host198.51.100.7`, `from198.51.100.7`.
fn glued(text: &[u8], start: usize) -> bool {
    const WORDS: [&[u8]; 12] =
        [b"host", b"from", b"ip", b"ipv4", b"addr", b"address", b"client", b"peer", b"server", b"src", b"dst", b"to"];
    if after_colour(text, start) {
        return true;
    }
    let from = start - text[..start].iter().rev().take(16).take_while(|b| b.is_ascii_alphabetic()).count();
    let word = &text[from..start];
    !text::word_before(text, from) && WORDS.iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// Whether a terminal's colour ends here: `ESC [ 1 ; 31 m` (ECMA-48, section 8.3.117).
fn after_colour(text: &[u8], end: usize) -> bool {
    let Some(rest) = text[..end].strip_suffix(b"m") else { return false };
    let numbers = rest.iter().rev().take(16).take_while(|&&b| is(b, DIGIT) || b == b';').count();
    rest[..rest.len() - numbers].ends_with(b"\x1b[")
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
