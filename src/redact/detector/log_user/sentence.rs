//! User names in sentences: `Invalid user anna from`, `Failed password for anna`.

use super::{bare, enclosed, push};
use crate::redact::common::is_common;
use crate::redact::detector::ip::is_ip;
use crate::redact::hit::Hits;
use crate::redact::text::{self, DIGIT, SPACE, WORD, before, byte, is, is_uuid};

/// `user anna`, `user "anna"`, `user 'anna'`, `user [anna]`, `user [DOMAIN]\[anna]`
pub(super) fn after_user(text: &[u8], start: usize, end: usize, hits: &mut Hits) {
    // user-agent, user_id: a part of another word.
    if matches!(byte(text, end), b'-' | b'_' | b'.' | b'/')
        || matches!(before(text, 0, start), b'-' | b'_' | b'.' | b'/' | b'$')
    {
        return;
    }
    let mut at = end;
    while at < end + 4 && matches!(byte(text, at), b' ' | b':' | b'=') {
        at += 1;
    }
    if at == end || at >= text.len() {
        return;
    }
    let keyed = text[end..at].iter().any(|b| matches!(b, b':' | b'='));
    if let Some((from, to)) = enclosed(text, at) {
        if keyed || text[from..to].iter().any(|&b| is(b, SPACE)) && byte(text, at) == b'(' {
            return;
        }
        let domain = byte(text, to + 1) == b'\\' && byte(text, to + 2) == b'[';
        if let Some((from, to)) = domain.then(|| enclosed(text, to + 2)).flatten() {
            return push(text, from, to, hits);
        }
        return push(text, from, to, hits);
    }
    let word = &text[start..end];
    if keyed || !(word.eq_ignore_ascii_case(b"user") || word.eq_ignore_ascii_case(b"username")) {
        return;
    }
    let to = bare(text, at);
    let name = &text[at..to];
    let folded = text::fold(name);
    let next = byte(text, to);
    if name.len() < 2
        || matches!(next, b'=' | b'/' | b'\'')
        || next == b':' && !is(byte(text, to + 1), SPACE) && to + 1 < text.len()
        || is_uuid(name)
    {
        return;
    }
    let rest = &text[to..];
    let followed = [&b" from"[..], b"(uid", b" (uid", b" by "].iter().any(|begin| rest.starts_with(begin));
    let looks = name.iter().any(|&b| is(b, DIGIT) || matches!(b, b'.' | b'_' | b'@'));
    if looks && name.iter().all(|&b| is(b, DIGIT)) {
        return;
    }
    let last = last_word(text, start);
    let invalid = matches!(last.as_str(), "invalid" | "illegal" | "authenticating" | "nonexistent");
    let sure = invalid || matches!(last.as_str(), "for" | "of" | "unknown" | "from");
    let told = if is_common(&folded) {
        followed && last != "no" || sure && name[0].is_ascii_uppercase() && in_log(text, start)
    } else {
        let ends = rest.trim_ascii_end().is_empty() || matches!(next, b'.' | b',' | b';' | b')' | b']' | b'"');
        let prose = FILLERS.contains(&folded.as_str());
        followed
            || looks
            || !name.is_ascii()
            || acts(rest)
            || invalid && (ends || is(byte(rest, 1), DIGIT))
            || in_log(text, start) && (sure || !prose)
            || sure && ends && about_session(&text[..start])
            || !prose && name[0].is_ascii_uppercase() && text[start].is_ascii_lowercase()
    };
    if told {
        push(text, at, to, hits);
    }
}

/// Whether what stands behind a name is what users do.
fn acts(rest: &[u8]) -> bool {
    const ACTS: [&[u8]; 14] = [
        b" logged",
        b" login",
        b" connected",
        b" disconnected",
        b" authenticated",
        b" joined",
        b" left",
        b" signed",
        b" not allowed",
        b" not in",
        b" does not exist",
        b" locked",
        b" on pts",
        b" on tty",
    ];
    ACTS.iter().any(|act| rest.starts_with(act))
}

/// Whether the line is one of a log: a time of day stands near its beginning, or a process with its number before the word.
/// In the sentences of a manual the word after "user" is seldom somebody's name.
fn in_log(text: &[u8], at: usize) -> bool {
    let head = &text[..at.min(64)];
    let time = head.windows(6).any(|six| {
        is(six[0], DIGIT)
            && six[1] == b':'
            && is(six[2], DIGIT)
            && is(six[3], DIGIT)
            && six[4] == b':'
            && is(six[5], DIGIT)
    });
    time || memchr::memmem::find(&text[..at], b"]: ").is_some()
}

fn about_session(text: &[u8]) -> bool {
    let near = text[text.len().saturating_sub(80)..].to_ascii_lowercase();
    memchr::memmem::find(&near, b"session").is_some() || about_login(text)
}

/// Words that follow "user" in sentences and are not on the stop list.
const FILLERS: [&str; 24] = [
    "does",
    "didn",
    "doesn",
    "isn",
    "wasn",
    "hasn",
    "initiated",
    "triggered",
    "requests",
    "requested",
    "sessions",
    "rejected",
    "denied",
    "entered",
    "provided",
    "supplied",
    "defined",
    "specified",
    "interaction",
    "experience",
    "preferences",
    "asked",
    "cancelled",
    "mode",
];

fn last_word(text: &[u8], at: usize) -> text::Folded {
    let end = text::run_back(text, at.saturating_sub(4), at, SPACE);
    let start = text::run_back(text, end.saturating_sub(32), end, WORD);
    text::fold(&text[start..end])
}

/// `Failed password for anna from`, `Accepted publickey for anna`, `password for 'anna'`, `failed for [anna]`
pub(super) fn after_for(text: &[u8], start: usize, end: usize, hits: &mut Hits) {
    if byte(text, end) != b' ' {
        return;
    }
    let last = last_word(text, start);
    let of_login = matches!(
        last.as_str(),
        "password"
            | "publickey"
            | "pam"
            | "hostbased"
            | "none"
            | "mic"
            | "interactive"
            | "authentication"
            | "login"
            | "logon"
    );
    let of_result = matches!(
        last.as_str(),
        "failed" | "failure" | "error" | "denied" | "request" | "rejected" | "attempt" | "succeeded" | "accepted"
    );
    if !of_login && !of_result {
        return;
    }
    if let Some((from, to)) = enclosed(text, end + 1) {
        let name = &text[from..to];
        let about_login = of_login || about_login(&text[..start]);
        if about_login && !name.iter().any(|&b| is(b, SPACE)) && !name.contains(&b'/') && !is_ip(name) {
            push(text, from, to, hits);
        }
        return;
    }
    let to = bare(text, end + 1);
    let name = text::fold(&text[end + 1..to]);
    let followed = text[to..].starts_with(b" from")
        || text[to..].starts_with(b" (")
        || text[to..].starts_with(b" has ")
        || text[to..].starts_with(b" by ");
    let known = matches!(name.as_str(), "invalid" | "user" | "illegal" | "the" | "a" | "this" | "all" | "unknown");
    if followed && !known && (of_login || about_login(&text[..start])) && !is_ip(name.as_bytes()) {
        push(text, end + 1, to, hits);
    }
}

fn about_login(text: &[u8]) -> bool {
    let near = text[text.len().saturating_sub(80)..].to_ascii_lowercase();
    ["auth", "login", "logon", "password"].iter().any(|word| memchr::memmem::find(&near, word.as_bytes()).is_some())
}
