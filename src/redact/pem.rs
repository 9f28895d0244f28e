//! Private keys that stand over many lines: every line of the key's body is dropped, the lines stay countable.
//!
//! A line that was dropped ends the key: whoever dropped it has dropped the lines behind it. So in a redacted text fewer lines
//! lie within a key than lay there before, never more ([`scan_units`](super::chunk_scan::scan_units) sees to the rest), and
//! what was scanned as it stands within a key and without one needs no second pass.

use std::ops::Range;

use super::text::{SPACE, WORD, is};

/// Whether a line lies within a private key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pem {
    #[default]
    Outside,
    Inside,
}

const BEGIN: &[u8] = b"-----BEGIN";
const END: &[u8] = b"-----END";
/// The same of a key of SSH2.
const SSH2: [&[u8]; 2] = [b"---- BEGIN SSH2", b"---- END SSH2"];
/// What stands before the lines of a private key of `PuTTY`, and behind them.
const PUTTY: [&[u8]; 2] = [b"Private-Lines: ", b"Private-"];
/// How the label of every private key ends, or almost.
pub(crate) const KEY: &[u8] = b"PRIVATE KEY";
const DASHES: &[u8] = b"-----";
/// Shortest run of Base64 signs that is taken for a key's line when something else stands before it.
const LEAST: usize = 40;
/// What may stand between the beginning of a key and its body: RFC 1421 and RFC 9580.
const HEADERS: [&[u8]; 8] =
    [b"Proc-Type:", b"DEK-Info:", b"Version:", b"Comment:", b"Hash:", b"Charset:", b"MessageID:", b"Subject:"];

/// Whether a text may change the state: the fast way past texts without keys.
pub(crate) fn touches(text: &[u8]) -> bool {
    memchr::memmem::find(text, KEY).is_some() || memchr::memmem::find(text, PUTTY[0]).is_some()
}

/// Where the body may begin of a key whose label goes on at `from`; and whether that is where the label's dashes end.
pub(crate) fn behind_label(line: &[u8], from: usize) -> (usize, bool) {
    let words = line[from..].iter().take(LEAST).take_while(|b| b.is_ascii_alphanumeric() || **b == b' ').count();
    let dashes = line[from + words..].iter().take(DASHES.len()).take_while(|&&b| b == b'-').count();
    if dashes == 0 { (from, false) } else { (from + words + dashes, dashes == DASHES.len()) }
}

/// Where a key ends in its own line whose body may begin at `from`. Behind half a label an end without a body is none.
pub(crate) fn end_in_line(line: &[u8], (from, whole): (usize, bool)) -> Option<usize> {
    memchr::memmem::find_iter(&line[from..], END)
        .map(|length| from + length)
        .find(|&end| whole || line[from..end].iter().any(|&b| is(b, WORD)))
}

/// Whether a key begins in the line and does not end there.
fn begins(line: &[u8]) -> bool {
    if memchr::memmem::find(line, PUTTY[0]).is_some_and(|at| line[at..].last().is_some_and(u8::is_ascii_digit)) {
        return true;
    }
    let Some(key) = memchr::memmem::rfind(line, KEY) else { return false };
    if memchr::memmem::find(&line[..key], SSH2[0]).is_some() {
        return true;
    }
    let Some(begin) = memchr::memmem::rfind(&line[..key], BEGIN) else { return false };
    let label = memchr::memmem::find(&line[begin..], KEY).map_or(key, |length| begin + length);
    memchr::memmem::find(&line[begin..label], END).is_none()
        && end_in_line(line, behind_label(line, label + KEY.len())).is_none()
}

impl Pem {
    /// The state after `line`, and what of the line is the body of a key.
    pub(crate) fn step(self, line: &[u8]) -> (Self, Option<Range<usize>>) {
        match self {
            Self::Outside => (if begins(line) { Self::Inside } else { Self::Outside }, None),
            // A key that begins within a key that never ended.
            Self::Inside if begins(line) => (Self::Inside, None),
            Self::Inside if [END, SSH2[1], PUTTY[1]].iter().any(|end| memchr::memmem::find(line, end).is_some()) => {
                (Self::Outside, None)
            }
            Self::Inside => {
                let of = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
                let edge = |b: u8| is(b, SPACE) || matches!(b, b'"' | b',' | b'\'' | b'\\' | b'|');
                let start = line.iter().position(|&b| !edge(b)).unwrap_or(line.len());
                let end = line.iter().rposition(|&b| !edge(b)).map_or(start, |at| at + 1);
                let body = &line[start..end.max(start)];
                if body.is_empty() || HEADERS.iter().any(|header| body.starts_with(header)) {
                    return (Self::Inside, None);
                }
                if body.iter().all(|&b| of(b)) {
                    return (Self::Inside, Some(start..end));
                }
                let from = line[..end].iter().rposition(|&b| !of(b)).map_or(0, |at| at + 1);
                if end - from >= LEAST { (Self::Inside, Some(from..end)) } else { (Self::Outside, None) }
            }
        }
    }

    /// The state after every line of `text`.
    pub(crate) fn after(self, text: &[u8]) -> Self {
        if self == Self::Outside && !touches(text) {
            return self;
        }
        text.split(|&b| b == b'\n').fold(self, |state, line| state.step(line).0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_body_of_a_private_key_is_inside() {
        let text = b"a\n-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4\n\nMIIB\nabc=\n-----END RSA PRIVATE KEY-----\nb";
        let mut state = Pem::Outside;
        let mut dropped = Vec::new();
        for line in text.split(|&b| b == b'\n') {
            let (next, body) = state.step(line);
            dropped.extend(body.map(|range| &line[range]));
            state = next;
        }
        assert_eq!(dropped, [b"MIIB", b"abc="]);
        assert_eq!(state, Pem::Outside);
    }

    #[test]
    fn an_end_closes_a_key_in_its_own_line_unless_half_a_label_and_no_body_stand_before_it() {
        for (line, open) in [
            ("x -----BEGIN EC PRIVATE KEY-----", true),
            ("-----BEGIN EC PRIVATE KEY-----MIIB", true),
            ("-----BEGIN EC PRIVATE KEY-----MIIB-----END EC PRIVATE KEY-----", false),
            ("(\"-----BEGIN PRIVATE KEY-----\", \"-----END PRIVATE KEY-----\")", false),
            ("-----BEGIN PGP PRIVATE KEY BLOCK----------END PGP PRIVATE KEY BLOCK-----", false),
            ("-----BEGIN PRIVATE KEY-[-----END PRIVATE KEY-----", true),
            ("-----BEGIN PRIVATE KEY-MIIB-----END PRIVATE KEY-----", false),
            ("-----BEGIN CERTIFICATE-----MIIB-----END CERTIFICATE-----\\n-----BEGIN PRIVATE KEY-----", true),
            ("-----BEGIN CERTIFICATE-----MIIB-----END PRIVATE KEY-----", false),
            ("-----BEGIN CERTIFICATE-----", false),
        ] {
            assert_eq!(Pem::Outside.step(line.as_bytes()).0 == Pem::Inside, open, "{line}");
        }
    }

    #[test]
    fn keys_of_putty_and_ssh2_have_a_body_too() {
        for text in [
            "Private-Lines: 2\nMIIB\nabc=\nPrivate-MAC: 77af\nabc",
            "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nComment: x\nMIIB\nabc=\n---- END SSH2 ENCRYPTED PRIVATE KEY ----\nabc",
        ] {
            let mut state = Pem::Outside;
            let mut dropped = Vec::new();
            for line in text.as_bytes().split(|&b| b == b'\n') {
                let (next, body) = state.step(line);
                dropped.extend(body.map(|range| &line[range]));
                state = next;
            }
            assert_eq!(dropped, [b"MIIB", b"abc="], "{text}");
            assert_eq!(state, Pem::Outside);
        }
        assert_eq!(Pem::Outside.step(b"Private-Lines: unknown").0, Pem::Outside);
    }

    #[test]
    fn what_was_dropped_ends_a_key_and_headers_do_not() {
        assert_eq!(Pem::Inside.step(b"[secret]"), (Pem::Outside, None));
        assert_eq!(Pem::Inside.step(b"Version: GnuPG v2.2"), (Pem::Inside, None));
    }

    #[test]
    fn a_log_line_ends_a_key_that_has_no_end() {
        assert_eq!(Pem::Inside.step(b"Nov 21 14:20:01 kolibri kernel: up"), (Pem::Outside, None));
        assert_eq!(Pem::Outside.after(b"-----BEGIN PRIVATE KEY-----\nMIIB"), Pem::Inside);
    }
}
