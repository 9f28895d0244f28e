//! Computer names in the columns of syslog and Pexip logs, and beside their addresses or ports in those of mail and SSH.

use super::email::is_domain;
use super::ip::{is_ip, is_ip6_token};
use super::{Detector, Line};
use crate::redact::category::Category;
use crate::redact::common::{is_common, is_no_value};
use crate::redact::hit::{Form, Group, Hits, rank};
use crate::redact::masks::Signs;
use crate::redact::text::{self, DIGIT, IDENT, SPACE, WORD, before, byte, is};

pub(crate) struct Host;

impl Detector for Host {
    fn words(&self) -> &'static [&'static str] {
        &[
            "server",
            "servers",
            "ldapserver",
            "smtpserver",
            "ntpserver",
            "dnsserver",
            "mailserver",
            "proxyserver",
            "from",
            "to",
            "client",
            "relay",
            "helo",
            "ehlo",
        ]
    }

    fn at_word(&self, line: &Line<'_>, start: usize, end: usize, hits: &mut Hits) {
        let text = line.text;
        match text[start..end].to_ascii_lowercase().as_slice() {
            b"from" | b"to" if byte(text, end) == b' ' => peer(line, end + 1, hits),
            b"client" | b"relay" if byte(text, end) == b'=' => peer(line, end + 1, hits),
            b"helo" | b"ehlo" => greeting(text, end, hits),
            b"from" | b"to" | b"client" | b"relay" => {}
            _ => server(text, end, hits),
        }
    }

    fn at_line_start(&self, line: &Line<'_>, signs: Signs, hits: &mut Hits) {
        let text = line.text;
        let mut from = 0;
        while let Some(at) = text
            .get(from..)
            .filter(|_| signs.escapes)
            .and_then(|rest| memchr::memchr(b'\\', rest))
            .map(|length| from + length)
        {
            from = at + share(text, at, hits);
        }
        let Some((start, framed)) = after_timestamp(text) else { return };
        let end = text::run(text, start, IDENT);
        if end == start || byte(text, end) != b' ' || !(is(text[start], WORD)) {
            return;
        }
        let name = &text[start..end];
        let letters = name.iter().any(u8::is_ascii_alphabetic);
        let follows = || framed || program_or_date(text, end + 1);
        if !letters {
            return;
        }
        if is_common(&text::fold(name)) {
            // A computer may be called "workshop"; before `sshd[12]:` nothing else stands.
            if process(text, end + 1) && !is_level(name) && follows() {
                hits.push(start, end, Category::Host, Form::Text(Group::Host), rank::HOST);
            }
            return;
        }
        if follows() {
            push_host(text, start, end, Category::Host, rank::HOST, hits);
        }
    }
}

/// `server = nodus17.amt.example`: behind the sign stands a name of three labels or more, and nothing else. Two may be a
/// program and its file: `server=nginx.conf`.
fn server(text: &[u8], end: usize, hits: &mut Hits) {
    let quote = usize::from(matches!(byte(text, end), b'"' | b'\''));
    let sign = text::run(text, end + quote, SPACE);
    if !matches!(byte(text, sign), b'=' | b':') {
        return;
    }
    let from = text::run(text, sign + 1, SPACE);
    let start = from + usize::from(matches!(byte(text, from), b'"' | b'\''));
    let stop = text::run(text, start, IDENT);
    let name = &text[start.min(stop)..stop];
    let apart = matches!(byte(text, stop), b'\n' | b'\r' | b' ' | b'"' | b'\'' | b',' | b';' | b':' | b'}');
    if apart && name.iter().filter(|&&b| b == b'.').count() >= 2 && is_domain(name, false) {
        push_host(text, start, stop, Category::Host, rank::HOST, hits);
    }
}

/// A name that stands before its address or its port: `connect from nodus17.amt.example[198.51.100.7]`, `relay=…[…]:25`,
/// `Received: from nodus17 (nodus17.amt.example [198.51.100.7])`, `from nodus17.amt.example port 50022`.
fn peer(line: &Line<'_>, start: usize, hits: &mut Hits) {
    let text = line.text;
    let stop = text::run(text, start, IDENT);
    if stop == start || stop - start > 253 || !text[start..stop].iter().any(u8::is_ascii_alphabetic) {
        return;
    }
    let push = |start, stop, hits: &mut Hits| push_host(text, start, stop, Category::Host, rank::HOST, hits);
    match byte(text, stop) {
        b'[' if in_brackets(text, stop) => push(start, stop, hits),
        b' ' if byte(text, stop + 1) == b'(' => {
            let second = stop + 2;
            let end = text::run(text, second, IDENT);
            let open = text::run(text, end, SPACE);
            if byte(text, open) == b'[' && in_brackets(text, open) {
                push(start, stop, hits);
                if text[second..end].iter().any(u8::is_ascii_alphabetic) {
                    push(second, end, hits);
                }
            }
        }
        b' ' if text[stop..].starts_with(b" port ") && is(byte(text, stop + 6), DIGIT) => {
            // A port of a switch or a module has no domain.
            let of_ssh = || memchr::memmem::find(line.head(start, 120), b"sshd").is_some();
            if is_domain(&text[start..stop], false) || of_ssh() {
                push(start, stop, hits);
            }
        }
        _ => {}
    }
}

/// Whether an address stands in the brackets that open at `open`.
fn in_brackets(text: &[u8], open: usize) -> bool {
    let rest = &text[open + 1..text.len().min(open + 60)];
    let rest = rest.strip_prefix(b"IPv6:").unwrap_or(rest);
    memchr::memchr(b']', rest).is_some_and(|close| is_ip(&rest[..close]))
}

/// `helo=<nodus17>`, `EHLO nodus17.amt.example`
fn greeting(text: &[u8], end: usize, hits: &mut Hits) {
    let framed = text[end..].starts_with(b"=<");
    let start = if framed { end + 2 } else { end + 1 };
    let stop = text::run(text, start.min(text.len()), IDENT);
    let name = &text[start.min(stop)..stop];
    let told = match framed {
        true => byte(text, stop) == b'>' && name.iter().any(u8::is_ascii_alphabetic),
        false => byte(text, end) == b' ' && is_domain(name, false),
    };
    if told && !is_ip(name) {
        push_host(text, start, stop, Category::Host, rank::HOST, hits);
    }
}

/// Names in shares that are no computer's.
const NO_SERVERS: [&str; 6] = ["localhost", "tsclient", "wsl", "wsl.localhost", "vboxsvr", "vmware-host"];

/// `\\\\server\share`, also with every backslash doubled, `at` the first of them; how many backslashes there are.
fn share(text: &[u8], at: usize, hits: &mut Hits) -> usize {
    let slashes = |from: usize| text[from..].iter().take(5).take_while(|&&b| b == b'\\').count();
    let count = slashes(at);
    let last = before(text, 0, at);
    let open = matches!(last, b' ' | b'"' | b'\'' | b'=' | b'(' | b'[' | b'<' | b',' | b'\t' | b'\n');
    if !matches!(count, 2 | 4) || !open {
        return count;
    }
    let start = at + count;
    let end = text::run(text, start, IDENT).min(start + 64);
    let name = &text[start..end];
    let folded = text::fold(name);
    let behind = if end < text.len() { slashes(end) } else { 0 };
    // A pattern or a path that was written twice has as many backslashes behind the word as before.
    if name.len() >= 3
        && behind * 2 == count
        && is(byte(text, end + behind), WORD)
        && name.iter().any(u8::is_ascii_alphabetic)
        && !NO_SERVERS.contains(&folded.as_str())
    {
        push_host(text, start, end, Category::Host, rank::HOST, hits);
    }
    count
}

/// Where the text after a syslog timestamp begins, and whether the frame alone says that a host follows (RFC 5424).
fn after_timestamp(text: &[u8]) -> Option<(usize, bool)> {
    let mut at = 0;
    let mut framed = false;
    if byte(text, 0) == b'<' {
        at = text::run(text, 1, DIGIT);
        if at == 1 || byte(text, at) != b'>' {
            return None;
        }
        at += 1;
        if byte(text, at) == b'1' && byte(text, at + 1) == b' ' {
            framed = true;
            at += 2;
        }
    }
    let digit = |place: usize| is(byte(text, place), DIGIT);
    if digit(at)
        && digit(at + 3)
        && byte(text, at + 4) == b'-'
        && byte(text, at + 10) == b'T'
        && byte(text, at + 13) == b':'
    {
        // 2026-11-21T14:00:02.123456+00:00
        let end = at + 11 + text[at + 11..].iter().position(|&b| b == b' ')?;
        return (end < at + 40).then_some((end + 1, framed));
    }
    if byte(text, at).is_ascii_uppercase() && byte(text, at + 3) == b' ' {
        // Nov 21 14:00:02, Nov  1 14:00:02, Nov 1 14:00:02
        let month = matches!(
            &text[at..at + 3],
            b"Jan" | b"Feb" | b"Mar" | b"Apr" | b"May" | b"Jun" | b"Jul" | b"Aug" | b"Sep" | b"Oct" | b"Nov" | b"Dec"
        );
        if !month {
            return None;
        }
        let mut place = at + 4;
        if byte(text, place) == b' ' {
            place += 1;
        }
        place = text::run(text, place, DIGIT);
        if byte(text, place) == b' '
            && digit(place + 1)
            && digit(place + 4)
            && byte(text, place + 3) == b':'
            && byte(text, place + 6) == b':'
        {
            let mut end = place + 9;
            if byte(text, end) == b'.' {
                end = text::run(text, end + 1, DIGIT);
            }
            return (byte(text, end) == b' ').then_some((end + 1, framed));
        }
    }
    None
}

/// Whether `sshd[12]:`, `kernel:` or a second date follows, as it does after a host.
fn program_or_date(text: &[u8], start: usize) -> bool {
    if is(byte(text, start), DIGIT) && byte(text, start + 4) == b'-' && byte(text, start + 7) == b'-' {
        return true;
    }
    let of = |b: u8| is(b, IDENT) || matches!(b, b'/' | b'(' | b')' | b'@' | b'%' | b'[' | b']');
    let end =
        text[start.min(text.len())..].iter().take(80).position(|&b| !of(b)).map_or(text.len(), |length| start + length);
    end > start && byte(text, end) == b':'
}

/// Whether a program's name with its process number follows: `sshd[12]:`
fn process(text: &[u8], start: usize) -> bool {
    let open = text::run(text, start, IDENT);
    let close = text::run(text, (open + 1).min(text.len()), DIGIT);
    open > start
        && byte(text, open) == b'['
        && close > open + 1
        && byte(text, close) == b']'
        && byte(text, close + 1) == b':'
}

/// Whether a word says how grave a message is.
pub(super) fn is_level(word: &[u8]) -> bool {
    const LEVELS: [&[u8]; 15] = [
        b"info",
        b"debug",
        b"warn",
        b"warning",
        b"error",
        b"err",
        b"notice",
        b"fatal",
        b"trace",
        b"crit",
        b"critical",
        b"alert",
        b"emerg",
        b"verbose",
        b"severe",
    ];
    LEVELS.iter().any(|level| word.eq_ignore_ascii_case(level))
}

/// Pushes a host name: its first label as a host, the rest as a domain. Addresses and reserved names are left alone.
pub(super) fn push_host(text: &[u8], start: usize, end: usize, category: Category, rank: u8, hits: &mut Hits) {
    let end = start + text[start..end].iter().rposition(|&b| b != b'.' && b != b'-').map_or(0, |at| at + 1);
    let name = &text[start..end];
    let folded = text::fold(name);
    let letters = name.iter().any(|b| b.is_ascii_alphabetic() || *b >= 0x80);
    let reserved = folded.split('.').all(|label| {
        matches!(
            label,
            "localhost"
                | "localdomain"
                | "local"
                | "localhost4"
                | "localhost6"
                | "internal"
                | "lan"
                | "home"
                | "invalid"
                | "arpa"
        )
    });
    if !letters || reserved || folded.starts_with("localhost.") || is_no_value(&folded) || name.len() > 253 {
        return;
    }
    // A hexadecimal IPv6 address under a host key belongs to its own detector.
    if byte(text, end) == b':'
        && name.iter().all(|&b| is(b, text::HEX))
        && matches!(byte(text, end + 1), b':' | b'0'..=b'9' | b'a'..=b'f')
        && is_ip6_token(&text[start..])
    {
        return;
    }
    let labels = name.iter().filter(|&&b| b == b'.').count() + 1;
    let Some(dot) = memchr::memchr(b'.', name) else {
        if !is_common(&folded) {
            hits.push(start, end, category, Form::Text(Group::Host), rank);
        }
        return;
    };
    if labels == 2 {
        hits.push(start, end, category, Form::Text(Group::Domain), rank);
        return;
    }
    let label = text::fold(&name[..dot]);
    if !is_common(&label) {
        hits.push(start, start + dot, category, Form::Text(Group::Host), rank);
    }
    hits.push(start + dot + 1, end, category, Form::Text(Group::Domain), rank);
}

#[cfg(test)]
mod tests {
    use crate::redact::detector::tests::{finds, found};

    #[test]
    fn the_host_column_is_found() {
        finds("Nov 21 14:20:01 kolibri sshd[12]: ready", &[("kolibri", "host")]);
        finds("Nov  1 14:20:01 nodus17.amt.example sshd[12]: ready", &[("nodus17", "host"), ("amt.example", "host")]);
        finds(
            "2026-11-21T14:20:01.123456+00:00 kolibri 2026-11-21 14:20:01,123 Level=\"INFO\"",
            &[("kolibri", "host")],
        );
        finds("<38>1 2026-11-21T14:20:01+00:00 kolibri app 12 - - x", &[("kolibri", "host")]);
    }

    #[test]
    fn a_server_of_three_labels_is_a_computer() {
        finds("server = nodus17.amt.example", &[("nodus17", "host"), ("amt.example", "host")]);
        finds(r#""server": "nodus17.amt.example:636""#, &[("nodus17", "host"), ("amt.example", "host")]);
        for line in [
            "server=nginx.conf",
            "Server: nginx/1.25.3",
            "server: com.example.Main$1 started",
            "web server nodus.x.y",
            "server = 1.2.3-rc1",
        ] {
            assert!(found(line).is_empty(), "{line}: {:?}", found(line));
        }
    }

    #[test]
    fn a_name_before_its_address_or_port_is_a_computers() {
        let nodus = [("nodus17", "host"), ("amt.example", "host")];
        let address = ("198.51.100.7", "ip");
        for line in [
            "connect from {}",
            "client={}, x=1",
            "relay={}:25, delay=1",
            "RCPT from {}: 554",
            "connect to {}:25: refused",
        ] {
            let line = line.replace("{}", "nodus17.amt.example[198.51.100.7]");
            finds(&line, &[nodus[0], nodus[1], address]);
        }
        finds(
            "Received: from nodus17 (nodus17.amt.example [198.51.100.7]) by x",
            &[nodus[0], nodus[0], nodus[1], address],
        );
        finds("proto=ESMTP helo=<nodus17>", &nodus[..1]);
        finds("Failed password for root from nodus17.amt.example port 22 ssh2", &nodus);
        finds("sshd[12]: Connection closed from nodus17 port 22", &nodus[..1]);
        for line in [
            "connect from unknown[127.0.0.1]",
            "connect from localhost[127.0.0.1]",
            "read from list[3] to buffer[17]",
            "relay=none, delay=1, client=web[7]",
            "frame from uplink port 7 to eth0 port 3",
            "switch from main.rs to lib.rs",
            "helo=<> HELO yourself",
            "from version (3.2 [7])",
        ] {
            assert!(found(line).is_empty(), "{line}: {:?}", found(line));
        }
    }

    #[test]
    fn the_server_of_a_share_is_found() {
        finds(r"copied \\nodus17\transfer\x.log", &[("nodus17", "host")]);
        finds(r#"{"path":"\\\\nodus17.amt.example\\transfer"}"#, &[("nodus17", "host"), ("amt.example", "host")]);
        for line in [
            r"match \\d+\w and \\word\\s",
            r#""\\Device\\HarddiskVolume1""#,
            r"\\.\pipe\x \\?\C:\x",
            r"C:\\Windows\\System32",
            r"\\localhost\c$",
        ] {
            assert!(found(line).is_empty(), "{line}: {:?}", found(line));
        }
    }

    #[test]
    fn levels_and_modules_are_no_hosts() {
        for line in [
            "2026-11-21T14:20:01Z INFO main: started",
            "2026-11-21T14:20:01Z [AUTH] WARN: x",
            "Nov 21 is a day",
            "Nov 21 14:20:01 localhost cron: x",
        ] {
            assert!(found(line).is_empty(), "{line}: {:?}", found(line));
        }
    }
}
