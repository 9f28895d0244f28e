//! User names as su, sudo, cron and PAM print them when somebody gets a session.

use super::{bare, push};
use crate::redact::hit::Hits;
use crate::redact::text::{self, DIGIT, SPACE, before, byte, is};

/// `session opened for user root by anna(uid=1000)`
pub(super) fn before_uid(text: &[u8], end: usize, hits: &mut Hits) {
    if byte(text, end) == b' ' {
        let to = bare(text, end + 1);
        if to > end + 1 && text[to..].starts_with(b"(uid=") {
            push(text, end + 1, to, hits);
        }
    }
}

/// `su: (to root) anna on pts/0`
pub(super) fn su(text: &[u8], start: usize, hits: &mut Hits) {
    if before(text, 0, start) != b'(' || byte(text, start + 2) != b' ' {
        return;
    }
    let to = bare(text, start + 3);
    if byte(text, to) != b')' {
        return;
    }
    push(text, start + 3, to, hits);
    if byte(text, to + 1) == b' ' {
        let stop = bare(text, to + 2);
        if text[stop.min(text.len())..].starts_with(b" on ") {
            push(text, to + 2, stop, hits);
        }
    }
}

/// `CRON[1]: (anna) CMD (…)`
pub(super) fn cron(text: &[u8], start: usize, hits: &mut Hits) {
    if start < 4 || &text[start - 2..start] != b") " {
        return;
    }
    if let Some(open) = memchr::memrchr(b'(', &text[start.saturating_sub(66)..start - 2]) {
        let from = start.saturating_sub(66) + open + 1;
        if !text[from..start - 2].iter().any(|&b| is(b, SPACE)) {
            push(text, from, start - 2, hits);
        }
    }
}

/// `sudo: anna : TTY=pts/0 ; USER=root`
pub(super) fn sudo(text: &[u8], end: usize, hits: &mut Hits) {
    let mut at = end;
    if byte(text, at) == b'[' {
        at = text::run(text, at + 1, DIGIT) + 1;
    }
    if byte(text, at) != b':' {
        return;
    }
    let from = text::run(text, at + 1, SPACE);
    let to = bare(text, from);
    if text[to.min(text.len())..].starts_with(b" : ") {
        push(text, from, to, hits);
    }
}

/// `pam(anna,10.0.0.1)`
pub(super) fn pam(text: &[u8], end: usize, hits: &mut Hits) {
    if byte(text, end) == b'(' {
        let to = bare(text, end + 1);
        if byte(text, to) == b',' && to > end + 1 {
            push(text, end + 1, to, hits);
        }
    }
}
