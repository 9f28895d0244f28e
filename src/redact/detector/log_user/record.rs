//! User names that have a fixed place: in paths, directory entries, web servers' access logs and the password file.

use super::push;
use crate::redact::category::Category;
use crate::redact::common::is_common;
use crate::redact::detector::email::is_domain;
use crate::redact::detector::host::push_host;
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
    let more: Vec<(Vec<u8>, &[u8])> = parts(text, to).collect();
    let in_entry = more.first().is_some_and(|(key, _)| matches!(key.as_slice(), b"ou" | b"cn" | b"dc" | b"o"));
    if !in_entry {
        return;
    }
    match text[start..end].to_ascii_lowercase().as_slice() {
        b"uid" => push(text, from, to, hits),
        b"cn" if is_group(text, start, &more) || is_certificate(text, start, &text[from..to], &more) => {}
        b"cn" if is_domain(&text[from..to], false) => {
            push_host(text, from, to, Category::Host, rank::KEYED, hits);
        }
        b"cn" => {
            let folded = text::fold(&text[from..to]);
            if !folded.split_whitespace().all(is_common) {
                hits.push(from, to, Category::Person, Form::Text(Group::Person), rank::KEYED);
            }
        }
        _ => {}
    }
}

/// Most parts of an entry's name that are looked at, and how far.
const MOST_PARTS: usize = 12;
const FARTHEST_PART: usize = 400;

/// The parts of an entry's name from the comma at `at`: their keys in lower case, and their values.
fn parts(text: &[u8], mut at: usize) -> impl Iterator<Item = (Vec<u8>, &[u8])> {
    let last = text.len().min(at + FARTHEST_PART);
    let part = move || {
        if !matches!(byte(text, at), b',' | b'+') || at >= last {
            return None;
        }
        let key = text::run(text, at + 1, SPACE);
        let sign = text::run(text, key, WORD);
        if sign == key || byte(text, sign) != b'=' {
            return None;
        }
        let ends =
            |b: &u8| matches!(b, b',' | b'+' | b'"' | b'\'' | b';' | b'|' | b')' | b']' | b'>' | b'<' | b'\n' | b'\r');
        let rest = text.get(sign + 1..last.max(sign + 1)).unwrap_or_default();
        let value = &rest[..rest.iter().position(ends).unwrap_or(rest.len())];
        at = sign + 1 + value.len();
        // Behind the last part stands other text, which may hold an entry of its own.
        let value = match memchr::memchr2(b'=', b':', value) {
            Some(_) => {
                at = last;
                &value[..memchr::memchr(b' ', value).unwrap_or(0)]
            }
            None => value,
        };
        Some((text[key..sign].to_ascii_lowercase(), value))
    };
    std::iter::from_fn(part).take(MOST_PARTS)
}

/// Whether an entry is a group's: by where it stands in the directory, or because somebody is its member.
fn is_group(text: &[u8], start: usize, more: &[(Vec<u8>, &[u8])]) -> bool {
    const GROUPS: [&str; 7] = ["group", "groups", "roles", "role", "builtin", "security groups", "permissions"];
    more.iter().any(|(key, value)| {
        matches!(key.as_slice(), b"ou" | b"cn") && GROUPS.contains(&text::fold(value.trim_ascii()).as_str())
    }) || key_before(text, start, &["memberof", "memberofgroup", "groupdn", "ismemberof", "grouppath"])
}

/// Whether one of these keys stands before the entry's name that begins at `start`.
fn key_before(text: &[u8], start: usize, keys: &[&str]) -> bool {
    let sign = |b: &u8| matches!(b, b'=' | b':' | b'"' | b'\'' | b'[' | b' ' | b'\t');
    let floor = start.saturating_sub(48);
    let end = text[floor..start].iter().rposition(|b| !sign(b)).map_or(floor, |place| floor + place + 1);
    let key = text::fold(&text[text::run_back(text, floor, end, WORD)..end]);
    end < start && keys.contains(&key.as_str())
}

/// Whether an entry's name is that of who issues certificates (RFC 5280): it says so, or what it names has words as only such
/// names have. A certificate of a person has neither.
fn is_certificate(text: &[u8], start: usize, name: &[u8], more: &[(Vec<u8>, &[u8])]) -> bool {
    let of_directory = |(key, value): &(Vec<u8>, &[u8])| {
        matches!(key.as_slice(), b"dc" | b"uid" | b"mail" | b"emailaddress" | b"e")
            || key == b"ou" && matches!(text::fold(value).as_str(), "people" | "users" | "staff")
    };
    if more.iter().any(of_directory) {
        return false;
    }
    let telling = |word: &[u8]| {
        let letters = word.iter().take_while(|b| b.is_ascii_uppercase()).count();
        let numbered = (1..=2).contains(&letters)
            && (1..=2).contains(&(word.len() - letters))
            && word[letters..].iter().all(|&b| is(b, DIGIT));
        numbered
            || matches!(
                word,
                b"CA" | b"SSL" | b"TLS" | b"RSA" | b"ECC" | b"ECDSA" | b"EV" | b"DV" | b"OV" | b"PKI" | b"Authority"
            )
    };
    key_before(text, start, &["issuer", "issuername", "issuerdn", "i"])
        || name.split(|&b| is(b, SPACE) || b == b'-').any(telling)
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
    if space > 1 && name != b"-" && !name.is_empty() && !is_peer(name) {
        let (from, to) =
            if name.len() > 2 && name.starts_with(b"\"") { (space + 2, open - 1) } else { (space + 1, open) };
        push(text, from, to, hits);
    }
}

/// Whether a word is where somebody asked from, as proxies write it there: an address, also with its port, or a socket.
fn is_peer(word: &[u8]) -> bool {
    let Some(colon) = memchr::memrchr(b':', word) else { return is_ip(word) };
    let (host, port) = (&word[..colon], &word[colon + 1..]);
    let host = host.strip_prefix(b"[").and_then(|host| host.strip_suffix(b"]")).unwrap_or(host);
    let numbered = !port.is_empty() && port.iter().all(|&b| is(b, DIGIT));
    is_ip(word) || numbered && (is_ip(host) || matches!(host, b"unix" | b"abns" | b"fd"))
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
