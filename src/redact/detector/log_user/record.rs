//! User names that have a fixed place: in paths, directory entries, web servers' access logs and the password file.

use super::push;
use crate::redact::category::Category;
use crate::redact::common::is_common;
use crate::redact::detector::ip::is_ip;
use crate::redact::hit::{Form, Group, Hits, rank};
use crate::redact::text::{self, DIGIT, SPACE, WORD, before, byte, is};

/// `/home/anna/…`, `C:\Users\anna\…`
pub(super) fn home(text: &[u8], start: usize, end: usize, hits: &mut Hits) {
    let slash = byte(text, end);
    if !matches!(slash, b'/' | b'\\') || !matches!(before(text, 0, start), b'/' | b'\\') {
        return;
    }
    // On Unix the directory stands at the root; in a URL it has something before it.
    if slash == b'/'
        && start >= 2
        && (is(text[start - 2], WORD) || text[start - 2] == b'/')
        && text[start..end].eq_ignore_ascii_case(b"home")
    {
        return;
    }
    let mut from = end;
    while byte(text, from) == slash && from < end + 4 {
        from += 1;
    }
    let of = |b: u8| {
        !is(b, SPACE)
            && !matches!(
                b,
                b'/' | b'\\'
                    | b'"'
                    | b'\''
                    | b':'
                    | b','
                    | b';'
                    | b')'
                    | b']'
                    | b'}'
                    | b'>'
                    | b'<'
                    | b'|'
                    | b'*'
                    | b'?'
                    | b'`'
            )
    };
    let to = text[from.min(text.len())..].iter().position(|&b| !of(b)).map_or(text.len(), |length| from + length);
    let name = &text[from.min(text.len())..to];
    let folded = text::fold(name);
    let nobody = matches!(
        folded.as_str(),
        "shared" | "public" | "default" | "all" | "linuxbrew" | "lost+found" | ".." | "." | "index.html" | ""
    );
    if !nobody && !name.starts_with(b"$") && !name.starts_with(b"%") && !name.starts_with(b"{") {
        push(text, from, to, hits);
    }
}

/// `uid=anna,ou=people,dc=amt,dc=example`, `CN=Anna Müller,OU=…`
pub(super) fn directory_entry(text: &[u8], start: usize, end: usize, hits: &mut Hits) {
    if byte(text, end) != b'=' {
        return;
    }
    let from = end + 1;
    let to = text[from..]
        .iter()
        .position(|&b| matches!(b, b',' | b'"' | b'\'' | b';' | b'/' | b'\\'))
        .map_or(text.len(), |length| from + length);
    if byte(text, to) != b',' || to == from {
        return;
    }
    let next = text::run(text, to + 1, SPACE);
    let rest = text[next.min(text.len())..].iter().take(3).map(u8::to_ascii_lowercase).collect::<Vec<_>>();
    let in_entry =
        rest.starts_with(b"ou=") || rest.starts_with(b"cn=") || rest.starts_with(b"dc=") || rest.starts_with(b"o=");
    if !in_entry {
        return;
    }
    match text[start..end].to_ascii_lowercase().as_slice() {
        b"uid" => push(text, from, to, hits),
        b"cn" => {
            let folded = text::fold(&text[from..to]);
            if !folded.split_whitespace().all(is_common) {
                hits.push(from, to, Category::Person, Form::Text(Group::Person), rank::KEYED);
            }
        }
        _ => {}
    }
}

/// `10.0.0.1 - anna [21/Nov/2026:14:20:01 +0000] "GET …`
pub(super) fn web_server(text: &[u8], hits: &mut Hits) {
    let window = &text[..text.len().min(200)];
    let Some(open) = memchr::memchr_iter(b'[', window).find(|&at| at > 0 && text[at - 1] == b' ').map(|at| at - 1)
    else {
        return;
    };
    let stamp = &text[open + 2..];
    let dated = stamp.len() > 12 && is(stamp[0], DIGIT) && stamp[2] == b'/' && stamp[6] == b'/' && stamp[11] == b':';
    if !dated {
        return;
    }
    let Some(space) = memchr::memrchr(b' ', &text[..open]) else { return };
    let name = &text[space + 1..open];
    if space > 1 && name != b"-" && !name.is_empty() && !is_ip(name) {
        let (from, to) =
            if name.len() > 2 && name.starts_with(b"\"") { (space + 2, open - 1) } else { (space + 1, open) };
        push(text, from, to, hits);
    }
}

/// `anna:x:1000:1000:Anna Müller,,,:/home/anna:/bin/bash`
pub(super) fn password_file(text: &[u8], hits: &mut Hits) {
    if text.len() > 400
        || memchr::memchr(b':', &text[..text.len().min(64)]).is_none()
        || !matches!(text.iter().rev().find(|b| !is(**b, SPACE)), Some(b'h' | b'n' | b'e' | b'c'))
    {
        return;
    }
    let mut fields = [(0, 0); 7];
    let (mut count, mut from) = (0, 0);
    for at in memchr::memchr_iter(b':', text).chain(std::iter::once(text.len())) {
        if count == 7 {
            return;
        }
        fields[count] = (from, at);
        count += 1;
        from = at + 1;
    }
    let number = |(from, to): (usize, usize)| to > from && text[from..to].iter().all(|&b| is(b, DIGIT));
    let path = |(from, _): (usize, usize)| byte(text, from) == b'/';
    if count != 7 || !number(fields[2]) || !number(fields[3]) || !path(fields[5]) || !path(fields[6]) {
        return;
    }
    let id: u32 = std::str::from_utf8(&text[fields[2].0..fields[2].1]).ok().and_then(|id| id.parse().ok()).unwrap_or(0);
    if !(1000..60_000).contains(&id) {
        return;
    }
    push(text, fields[0].0, fields[0].1, hits);
    let (from, to) = fields[4];
    let to = memchr::memchr(b',', &text[from..to]).map_or(to, |length| from + length);
    if to > from {
        hits.push(from, to, Category::Person, Form::Text(Group::Person), rank::KEYED);
    }
}
