//! User names where logs put them without a key: sshd, sudo, su, pam, cron, web servers, home directories.

use super::keyed::is_uuid;
use super::{Detector, Line};
use crate::redact::category::Category;
use crate::redact::common::{is_common, is_system_user};
use crate::redact::hit::{Form, Group, Hits, rank};
use crate::redact::text::{self, DIGIT, SPACE, WORD, before, byte, is};

pub(crate) struct LogUser;

impl Detector for LogUser {
    fn words(&self) -> &'static [&'static str] {
        &[
            "user", "username", "account", "login", "for", "by", "to", "cmd", "sudo", "pam", "home", "users", "ou",
            "dc", "uid", "cn",
        ]
    }

    fn at_word(&self, line: &Line<'_>, start: usize, end: usize, hits: &mut Hits) {
        let text = line.text;
        match text[start..end].to_ascii_lowercase().as_slice() {
            b"user" | b"username" | b"account" | b"login" => after_user(text, start, end, hits),
            b"for" => after_for(text, start, end, hits),
            b"by" => before_uid(text, end, hits),
            b"to" => su(text, start, hits),
            b"cmd" => cron(text, start, hits),
            b"sudo" => sudo(text, end, hits),
            b"pam" => pam(text, end, hits),
            b"home" | b"users" => home(text, start, end, hits),
            _ => directory_entry(text, start, end, hits),
        }
    }

    fn at_line_start(&self, line: &Line<'_>, hits: &mut Hits) {
        web_server(line.text, hits);
        password_file(line.text, hits);
    }
}

fn push(text: &[u8], start: usize, end: usize, hits: &mut Hits) {
    let folded = text::fold(&text[start..end]);
    if end - start <= 128 && !is_system_user(&folded) && text[start..end].iter().any(|&b| is(b, WORD)) {
        hits.push(start, end, Category::User, Form::Text(Group::User), rank::USER);
    }
}

fn of_name(b: u8) -> bool {
    is(b, WORD) || matches!(b, b'.' | b'_' | b'-' | b'$' | b'@' | b'\\' | b'+')
}

/// The bare name at `start`: letters, digits and a few signs, without a full stop at its end.
fn bare(text: &[u8], start: usize) -> usize {
    let end =
        text[start.min(text.len())..].iter().position(|&b| !of_name(b)).map_or(text.len(), |length| start + length);
    start
        + text[start.min(text.len())..end]
            .iter()
            .rposition(|&b| !matches!(b, b'.' | b'-' | b'\\'))
            .map_or(0, |at| at + 1)
}

/// The name in quotation marks or brackets that opens at `at`.
fn enclosed(text: &[u8], at: usize) -> Option<(usize, usize)> {
    let mut from = at;
    if byte(text, from) == b'\\' {
        from += 1;
    }
    let close = match byte(text, from) {
        quote @ (b'"' | b'\'' | b'`') => quote,
        b'[' => b']',
        b'<' => b'>',
        b'(' => b')',
        _ => return None,
    };
    from += 1;
    let length = text[from..].iter().take(130).position(|&b| b == close)?;
    let mut end = from + length;
    while end > from && text[end - 1] == b'\\' {
        end -= 1;
    }
    (end > from).then_some((from, end))
}

/// `user anna`, `user "anna"`, `user 'anna'`, `user [anna]`, `user [DOMAIN]\[anna]`
fn after_user(text: &[u8], start: usize, end: usize, hits: &mut Hits) {
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
    let last = last_word(text, start);
    let sure = matches!(
        last.as_str(),
        "invalid" | "illegal" | "for" | "authenticating" | "of" | "unknown" | "nonexistent" | "from"
    );
    let followed = text[to..].starts_with(b" from")
        || text[to..].starts_with(b"(uid")
        || text[to..].starts_with(b" (uid")
        || text[to..].starts_with(b" by ");
    let looks = name.iter().any(|&b| is(b, DIGIT) || matches!(b, b'.' | b'_' | b'@'));
    if looks && name.iter().all(|&b| is(b, DIGIT)) {
        return;
    }
    if !is_common(&folded) && (sure || followed || looks || !FILLERS.contains(&folded.as_str()))
        || is_common(&folded) && (followed && last != "no" || sure && name[0].is_ascii_uppercase())
    {
        push(text, at, to, hits);
    }
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

fn last_word(text: &[u8], at: usize) -> String {
    let end = text::run_back(text, at.saturating_sub(4), at, SPACE);
    let start = text::run_back(text, end.saturating_sub(32), end, WORD);
    text::fold(&text[start..end])
}

/// `Failed password for anna from`, `Accepted publickey for anna`, `password for 'anna'`, `failed for [anna]`
fn after_for(text: &[u8], start: usize, end: usize, hits: &mut Hits) {
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
        if about_login && !name.iter().any(|&b| is(b, SPACE)) && !name.contains(&b'/') && !super::ip::is_ip(name) {
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
    if followed && !known && (of_login || about_login(&text[..start])) && !super::ip::is_ip(name.as_bytes()) {
        push(text, end + 1, to, hits);
    }
}

fn about_login(text: &[u8]) -> bool {
    let near = text[text.len().saturating_sub(80)..].to_ascii_lowercase();
    ["auth", "login", "logon", "password"].iter().any(|word| memchr::memmem::find(&near, word.as_bytes()).is_some())
}

/// `session opened for user root by anna(uid=1000)`
fn before_uid(text: &[u8], end: usize, hits: &mut Hits) {
    if byte(text, end) == b' ' {
        let to = bare(text, end + 1);
        if to > end + 1 && text[to..].starts_with(b"(uid=") {
            push(text, end + 1, to, hits);
        }
    }
}

/// `su: (to root) anna on pts/0`
fn su(text: &[u8], start: usize, hits: &mut Hits) {
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
fn cron(text: &[u8], start: usize, hits: &mut Hits) {
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
fn sudo(text: &[u8], end: usize, hits: &mut Hits) {
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
fn pam(text: &[u8], end: usize, hits: &mut Hits) {
    if byte(text, end) == b'(' {
        let to = bare(text, end + 1);
        if byte(text, to) == b',' && to > end + 1 {
            push(text, end + 1, to, hits);
        }
    }
}

/// `/home/anna/…`, `C:\Users\anna\…`
fn home(text: &[u8], start: usize, end: usize, hits: &mut Hits) {
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
fn directory_entry(text: &[u8], start: usize, end: usize, hits: &mut Hits) {
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
fn web_server(text: &[u8], hits: &mut Hits) {
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
    if space > 1 && name != b"-" && !name.is_empty() && !super::ip::is_ip(name) {
        let (from, to) =
            if name.len() > 2 && name.starts_with(b"\"") { (space + 2, open - 1) } else { (space + 1, open) };
        push(text, from, to, hits);
    }
}

/// `anna:x:1000:1000:Anna Müller,,,:/home/anna:/bin/bash`
fn password_file(text: &[u8], hits: &mut Hits) {
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

#[cfg(test)]
mod tests {
    use crate::redact::detector::tests::{finds, found};

    #[test]
    fn users_are_found_where_logs_put_them() {
        for (line, user) in [
            ("Invalid user quirin from", "quirin"),
            ("Failed password for invalid user test from", "test"),
            ("Failed password for quirin from", "quirin"),
            ("Accepted publickey for quirin from", "quirin"),
            ("pam_unix(sshd:session): session opened for user quirin(uid=1000) by (uid=0)", "quirin"),
            ("New session 12 of user quirin.", "quirin"),
            ("session opened for user root by quirin(uid=1000)", "quirin"),
            ("Login failed for user `quirin` at", "quirin"),
            ("attempt made by user 'quirin' now", "quirin"),
            ("user [AMT]\\[quirin] at", "quirin"),
            ("su: (to root) quirin on pts/0", "quirin"),
            ("CRON[1]: (quirin) CMD (run)", "quirin"),
            ("sudo:  quirin : TTY=pts/0 ; USER=root", "quirin"),
            ("auth-worker<5>: pam(quirin,x)", "quirin"),
            ("open /home/quirin/x.txt", "quirin"),
            ("open C:\\Users\\quirin\\x.txt", "quirin"),
            ("x - quirin [21/Nov/2026:14:20:01 +0000] \"GET /\"", "quirin"),
            ("bind uid=quirin,ou=people,dc=amt", "quirin"),
            ("authentication failed for [otti.h], account", "otti.h"),
            ("Bad password for dani (x)", "dani"),
        ] {
            assert!(found(line).contains(&(user.to_owned(), "user".to_owned())), "{line}: {:?}", found(line));
        }
        finds(
            "otti:x:1000:1000:Ottilie Habersaat,,,:/home/otti:/bin/bash",
            &[("otti", "user"), ("Ottilie Habersaat", "person"), ("otti", "user")],
        );
    }

    #[test]
    fn sentences_about_users_stay() {
        for line in [
            "user not found",
            "the user has left",
            "user agent",
            "no user is logged in",
            "for root from",
            "session opened for user root",
            "waiting for data from",
            "GET /home/",
            "user-agent: x",
            "user session 12",
            "login failed",
            "root:x:0:0:root:/root:/bin/bash",
            "users online: 5",
            "user input missing",
            "by (uid=0)",
            "request for page by",
        ] {
            assert!(found(line).is_empty(), "{line}: {:?}", found(line));
        }
    }
}
