//! Private keys that stand over many lines: every line of the key's body is dropped, the lines stay countable.

use std::ops::Range;

use super::text::{SPACE, is};

/// Whether a line lies within a private key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Pem {
    #[default]
    Outside,
    Inside,
}

const BEGIN: &[u8] = b"-----BEGIN";
const END: &[u8] = b"-----END";
const KEY: &[u8] = b"PRIVATE KEY";
/// Shortest run of Base64 signs that is taken for a key's line when something else stands before it.
const LEAST: usize = 40;

/// Whether a text may change the state: the fast way past texts without keys.
pub(crate) fn touches(text: &[u8]) -> bool {
    memchr::memmem::find(text, KEY).is_some()
}

fn begins(line: &[u8]) -> bool {
    memchr::memmem::find(line, BEGIN).is_some_and(|at| {
        memchr::memmem::find(&line[at..], KEY).is_some() && memchr::memmem::find(&line[at..], END).is_none()
    })
}

impl Pem {
    /// The state after `line`, and what of the line is the body of a key.
    pub(crate) fn step(self, line: &[u8]) -> (Self, Option<Range<usize>>) {
        match self {
            Self::Outside => (if begins(line) { Self::Inside } else { Self::Outside }, None),
            // A key that begins within a key that never ended.
            Self::Inside if begins(line) => (Self::Inside, None),
            Self::Inside if memchr::memmem::find(line, END).is_some() => (Self::Outside, None),
            Self::Inside => {
                let of = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
                let edge = |b: u8| is(b, SPACE) || matches!(b, b'"' | b',' | b'\'' | b'\\' | b'|');
                let start = line.iter().position(|&b| !edge(b)).unwrap_or(line.len());
                let end = line.iter().rposition(|&b| !edge(b)).map_or(start, |at| at + 1);
                let body = &line[start..end.max(start)];
                if body.is_empty()
                    || body == b"[secret]"
                    || body.starts_with(b"Proc-Type:")
                    || body.starts_with(b"DEK-Info:")
                {
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
    fn a_log_line_ends_a_key_that_has_no_end() {
        assert_eq!(Pem::Inside.step(b"Nov 21 14:20:01 kolibri kernel: up"), (Pem::Outside, None));
        assert_eq!(Pem::Outside.after(b"-----BEGIN PRIVATE KEY-----\nMIIB"), Pem::Inside);
    }
}
