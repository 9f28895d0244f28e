//! User names as su, sudo, cron and PAM print them when somebody gets a session.

use super::{bare, enclosed, push};
use crate::redact::detector::Line;
use crate::redact::hit::Hits;
use crate::redact::text::{self, DIGIT, SPACE, WORD, before, byte, is};

/// `session opened for user root by anna(uid=1000)`
pub(super) fn before_uid(text: &[u8], end: usize, hits: &mut Hits) {
    if byte(text, end) == b' ' {
        let to = bare(text, end + 1);
        let rest = &text[to..];
        let near = text[end.saturating_sub(80)..end].to_ascii_lowercase();
        let about = |word: &[u8]| memchr::memmem::find(&near, word).is_some();
        let told = rest.starts_with(b"(uid=")
            || rest.starts_with(b" on vty")
            || rest.starts_with(b" on tty")
            || rest.starts_with(b" on console")
            || rest.starts_with(b" failed") && about(b"login attempt")
            || rest.trim_ascii_end().is_empty() && (about(b" su for ") || about(b"login on tty"));
        if to > end + 1 && told {
            push(text, end + 1, to, hits);
        }
    }
}

/// `su: (to root) anna on pts/0`
pub(super) fn su(text: &[u8], start: usize, hits: &mut Hits) {
    // mapped to [AMT]\[anna]
    if byte(text, start + 2) == b' '
        && byte(text, start + 3) == b'['
        && let Some((_, to)) = enclosed(text, start + 3)
        && text[to + 1..].starts_with(b"\\[")
        && let Some((from, to)) = enclosed(text, to + 2)
    {
        return push(text, from, to, hits);
    }
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

/// `su: + /dev/pts/0 anna:root`, `su: - pts/1 anna-root`
pub(super) fn su_by(text: &[u8], end: usize, hits: &mut Hits) {
    let mut at = end;
    if byte(text, at) == b'[' {
        at = text::run(text, at + 1, DIGIT) + 1;
    }
    if byte(text, at) != b':' || !matches!(byte(text, at + 2), b'+' | b'-') || byte(text, at + 3) != b' ' {
        return;
    }
    let terminal = at + 4 + text[at + 4..].iter().take(40).take_while(|b| !is(**b, SPACE)).count();
    let from = text::run(text, terminal, SPACE);
    let to = text::run(text, from, WORD);
    if matches!(byte(text, to), b':' | b'-') && to > from {
        push(text, from, to, hits);
        push(text, to + 1, bare(text, to + 1), hits);
    }
}

/// `Removed session 3 of anna.`
pub(super) fn of_session(text: &[u8], end: usize, hits: &mut Hits) {
    let number = text::run(text, text::run(text, end, SPACE), WORD);
    if byte(text, end) == b' ' && text[number..].starts_with(b" of ") && is(byte(text, end + 1), DIGIT | WORD) {
        let from = number + 4;
        let to = bare(text, from);
        let ends = text[to..].trim_ascii_end();
        if (ends.is_empty() || ends == b".") && is(byte(text, end + 1), DIGIT) && !is(byte(text, from), DIGIT) {
            push(text, from, to, hits);
        }
    }
}

/// `CRON[1]: (anna) CMD (…)`, `crontab[1]: (anna) LIST (anna)`
pub(super) fn cron(line: &Line<'_>, start: usize, end: usize, hits: &mut Hits) {
    let text = line.text;
    if start < 4 || &text[start - 2..start] != b") " || !text[start..end].iter().all(u8::is_ascii_uppercase) {
        return;
    }
    let head = line.head(start, 160).to_ascii_lowercase();
    if &text[start..end] != b"CMD" && memchr::memmem::find(&head, b"cron").is_none() {
        return;
    }
    if &text[start..end] != b"CMD"
        && let Some((from, to)) = enclosed(text, end + 1)
        && byte(text, end + 1) == b'('
        && !text[from..to].iter().any(|b| is(*b, SPACE) || *b == b'/')
    {
        push(text, from, to, hits);
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
