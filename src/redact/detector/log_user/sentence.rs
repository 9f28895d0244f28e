//! User names in sentences: `Invalid user anna from`, `Failed password for anna`.

use super::{bare, enclosed, push};
use crate::redact::category::Category;
use crate::redact::common::is_common;
use crate::redact::detector::ip::is_ip;
use crate::redact::detector::{Line, Words, name_end};
use crate::redact::hit::{Form, Group, Hits, rank};
use crate::redact::text::{self, DIGIT, SPACE, WORD, before, byte, is, is_uuid};

/// `user anna`, `user "anna"`, `user 'anna'`, `user [anna]`, `user [DOMAIN]\[anna]`
pub(super) fn after_user(line: &Line<'_>, start: usize, end: usize, hits: &mut Hits) {
    let text = line.text;
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
        // `user=<anna>`: other values behind a sign are found by their key.
        if keyed && byte(text, at) == b'<' && byte(text, to + 1) == b',' {
            return push(text, from, to, hits);
        }
        if keyed || text[from..to].iter().any(|&b| is(b, SPACE)) && byte(text, at) == b'(' {
            return;
        }
        let domain = byte(text, to + 1) == b'\\' && byte(text, to + 2) == b'[';
        if let Some((from, to)) = domain.then(|| enclosed(text, to + 2)).flatten() {
            return push(text, from, to, hits);
        }
        // `FAILED LOGIN (1)` is a count.
        if text[from..to].iter().all(|&b| is(b, DIGIT)) {
            return;
        }
        return push(text, from, to, hits);
    }
    let word = &text[start..end];
    // `username input 'anna'`
    let filler = text::run(text, at, WORD);
    if !keyed
        && matches!(&text[at..filler], b"input" | b"name" | b"id" | b"account" | b"login")
        && byte(text, filler) == b' '
        && matches!(byte(text, filler + 1), b'\'' | b'"')
        && let Some((from, to)) = enclosed(text, filler + 1)
        && text[from..to].iter().all(|&b| !is(b, SPACE))
    {
        return push(text, from, to, hits);
    }
    if keyed || !(word.eq_ignore_ascii_case(b"user") || word.eq_ignore_ascii_case(b"username")) {
        return;
    }
    let word_end = bare(text, at);
    let folded = text::fold(&text[at..word_end]);
    // "LDAP user Thijs van der Beke authenticated"
    let to = if is_common(&folded) { word_end } else { name_end(text, at, word_end, Words::Account) };
    let name = &text[at..to];
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
        followed && last != "no" || sure && name[0].is_ascii_uppercase() && in_log(line, start)
    } else {
        let ends = rest.trim_ascii_end().is_empty() || matches!(next, b'.' | b',' | b';' | b')' | b']' | b'"');
        let prose = FILLERS.contains(&folded.as_str());
        followed
            || looks
            || !name.is_ascii()
            || acts(rest)
            || invalid && (ends || is(byte(rest, 1), DIGIT))
            || in_log(line, start) && (sure || !prose)
            || sure && ends && about_session(&text[..start])
            || !prose && name[0].is_ascii_uppercase() && text[start].is_ascii_lowercase()
    };
    if told && to > word_end {
        hits.push(at, to, Category::Person, Form::Text(Group::Person), rank::USER);
    } else if told {
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
fn in_log(line: &Line<'_>, at: usize) -> bool {
    let time = line.head(at, 64).windows(6).any(|six| {
        is(six[0], DIGIT)
            && six[1] == b':'
            && is(six[2], DIGIT)
            && is(six[3], DIGIT)
            && six[4] == b':'
            && is(six[5], DIGIT)
    });
    time || [line.head, &line.text[..at]].iter().any(|text| memchr::memmem::find(text, b"]: ").is_some())
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
pub(super) fn after_for(line: &Line<'_>, start: usize, end: usize, hits: &mut Hits) {
    let text = line.text;
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
        "failed"
            | "failure"
            | "error"
            | "denied"
            | "request"
            | "rejected"
            | "attempt"
            | "succeeded"
            | "accepted"
            | "exceeded"
            | "changed"
    );
    let session = text[..start].ends_with(b"/")
        || is(byte(last.as_bytes(), 0), DIGIT) && about_session(&text[..start]) && in_log(line, start);
    if !of_login && !of_result && !session {
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
        || text[to..].starts_with(b" by ")
        || of_result && (text[to..].starts_with(b" on /dev/") || text[to..].starts_with(b" on pts/"))
        || last == "changed" && text[to..].trim_ascii_end().is_empty();
    let on_terminal = text[to..].starts_with(b" on /dev/") || text[to..].starts_with(b" on pts/");
    let known = matches!(name.as_str(), "invalid" | "user" | "illegal" | "the" | "a" | "this" | "all" | "unknown");
    if followed
        && !known
        && (of_login || session || on_terminal || about_login(&text[..start]))
        && !is_ip(name.as_bytes())
    {
        push(text, end + 1, to, hits);
    }
}

/// `"identifier": "anna"` of a line about a login.
pub(super) fn identifier(text: &[u8], start: usize, end: usize, hits: &mut Hits) {
    if byte(text, end) != b'"' || byte(text, end + 1) != b':' || before(text, 0, start) != b'"' {
        return;
    }
    let at = text::run(text, end + 2, SPACE);
    let around = text[start.saturating_sub(300)..text.len().min(end + 200)].to_ascii_lowercase();
    let login =
        [&b"login"[..], b"\"auth", b"password"].iter().any(|word| memchr::memmem::find(&around, word).is_some());
    if let Some((from, to)) = enclosed(text, at)
        && login
        && byte(text, at) == b'"'
        && !is_uuid(&text[from..to])
        && text[from..to].iter().any(u8::is_ascii_alphabetic)
        && !text[from..to].iter().any(|b| is(*b, SPACE) || matches!(b, b':' | b'/'))
    {
        push(text, from, to, hits);
    }
}

fn about_login(text: &[u8]) -> bool {
    let near = text[text.len().saturating_sub(80)..].to_ascii_lowercase();
    ["auth", "login", "logon", "password"].iter().any(|word| memchr::memmem::find(&near, word.as_bytes()).is_some())
}
