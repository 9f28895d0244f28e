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
    if slash == b'/' && text[start..end].eq_ignore_ascii_case(b"home") && of_web_address(text, start) {
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
                0 | b'/'
                    | b'\\'
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
    let to = if slash == b'\\' { with_blanks(text, to, &of) } else { to };
    let name = &text[from.min(text.len())..to];
    let folded = text::fold(name);
    let nobody = matches!(
        folded.as_str(),
        "shared" | "public" | "default" | "all" | "linuxbrew" | "lost+found" | ".." | "." | "index.html" | ""
    );
    // `src/home/mod.rs` is a program's; at the root it is a user's.
    let source = start >= 2 && is(text[start - 2], WORD) && byte(text, to) != b'/' && is_source(&folded);
    if !nobody && !source && !name.starts_with(b"$") && !name.starts_with(b"%") && !name.starts_with(b"{") {
        push(text, from, to, hits);
    }
}

/// Where a name in a Windows path ends that goes on behind a blank: there must be a backslash behind it, as in
/// `C:\Users\Anna Muster\x`.
fn with_blanks(text: &[u8], to: usize, of: &impl Fn(u8) -> bool) -> usize {
    let rest = &text[to.min(text.len())..];
    let length = rest.iter().take(64).position(|&b| b != b' ' && !of(b));
    match length {
        Some(length) if rest.first() == Some(&b' ') && rest[length] == b'\\' => to + length,
        _ => to,
    }
}

/// Whether the path at `at` belongs to `https://example.org/…`; behind `file://` and its like stand people's directories.
fn of_web_address(text: &[u8], at: usize) -> bool {
    let floor = at.saturating_sub(512);
    let ends = |b: &u8| is(*b, SPACE) || matches!(b, b'"' | b'\'' | b'<' | b'>' | b'(' | b'[' | b'=' | b',' | b';');
    let start = text[floor..at].iter().rposition(ends).map_or(floor, |place| floor + place + 1);
    memchr::memmem::rfind(&text[start..at], b"://").is_some_and(|colon| {
        let word = text::run_back(text, start, start + colon, WORD);
        ["http", "https", "ws", "wss"]
            .iter()
            .any(|known| text[word..start + colon].eq_ignore_ascii_case(known.as_bytes()))
    })
}

/// Whether a name ends as files of programs and pages do.
fn is_source(name: &str) -> bool {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    matches!(
        ending,
        Some(
            "rs" | "js"
                | "ts"
                | "jsx"
                | "tsx"
                | "vue"
                | "svelte"
                | "py"
                | "rb"
                | "go"
                | "java"
                | "kt"
                | "swift"
                | "c"
                | "h"
                | "cpp"
                | "cs"
                | "php"
                | "html"
                | "css"
                | "scss"
                | "md"
        )
    )
}

/// `drwxr-xr-x 2 anna anna 4096 Nov 21 14:20 notes`
pub(super) fn listing(text: &[u8], hits: &mut Hits) {
    let mode = text::run(text, 0, SPACE);
    let Some(bits) = text.get(mode..mode + 10) else { return };
    let shaped = matches!(bits[0], b'-' | b'd' | b'l' | b'c' | b'b' | b'p' | b's')
        && bits[1..].iter().all(|b| b"rwxsStT-".contains(b));
    if !shaped {
        return;
    }
    let word = |from: usize| {
        let start = text::run(text, from, SPACE);
        let end = text[start..].iter().position(|&b| is(b, SPACE)).map_or(text.len(), |length| start + length);
        (start, end)
    };
    let number = |(from, to): (usize, usize)| to > from && text[from..to].iter().all(|&b| is(b, DIGIT));
    let mut end = mode + 10;
    if matches!(byte(text, end), b'.' | b'+' | b'@') {
        end += 1;
    }
    let links = word(end);
    if !matches!(byte(text, end), b' ' | b'\t') || !number(links) {
        return;
    }
    let owner = word(links.1);
    let group = word(owner.1);
    let size = word(group.1);
    if !is(byte(text, size.0), DIGIT) {
        return;
    }
    for (from, to) in [owner, group] {
        let name = &text[from..to];
        let begins = name.first().is_some_and(|&b| is(b, WORD) || b == b'_');
        if begins && !number((from, to)) && !is_common(&text::fold(name)) {
            push(text, from, to, hits);
        }
    }
}

/// The names in `uid=1000(anna) gid=1000(anna) groups=1000(anna),27(sudo)`, as `id` and audit logs print them.
pub(super) fn numbered(text: &[u8], end: usize, hits: &mut Hits) {
    if byte(text, end) != b'=' {
        return;
    }
    let mut at = end + 1;
    loop {
        let open = text::run(text, at, DIGIT);
        if open == at || byte(text, open) != b'(' {
            return;
        }
        let rest = &text[open + 1..text.len().min(open + 130)];
        let Some(close) = rest.iter().position(|&b| b == b')').map(|length| open + 1 + length) else { return };
        let folded = text::fold(&text[open + 1..close]);
        if !is_common(&folded) {
            push(text, open + 1, close, hits);
        }
        if byte(text, close + 1) != b',' {
            return;
        }
        at = close + 2;
    }
}

/// `uid=anna,ou=people,dc=amt,dc=example`, `CN=Anna Müller,OU=…`
pub(super) fn directory_entry(text: &[u8], start: usize, end: usize, hits: &mut Hits) {
    if byte(text, end) != b'=' {
        return;
    }
    let from = end + 1;
    // `CN=Muster\, Anna,OU=…`: an escaped comma is part of the name (RFC 4514, section 2.4).
    let (mut to, last) = (from, text.len().min(from + 256));
    while to < last && !matches!(text[to], b',' | b'"' | b'\'' | b';' | b'/') {
        if text[to] == b'\\' && byte(text, to + 1) != b',' {
            break;
        }
        to += if text[to] == b'\\' { 2 } else { 1 };
    }
    let to = to.min(text.len());
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
        || !matches!(text.iter().rev().find(|b| !is(**b, SPACE)), Some(b'h' | b'n' | b'e' | b'c'))
        || memchr::memchr(b':', &text[..text.len().min(64)]).is_none()
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
