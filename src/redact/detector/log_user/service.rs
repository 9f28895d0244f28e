//! User names as mail, file, print and directory services print them: `imap(otti)`, `[pid 2] [otti]`, `Login OK: [otti]`.

use super::{bare, enclosed, of_name, push, push_bare};
use crate::redact::detector::ip::is_ip;
use crate::redact::hit::Hits;
use crate::redact::text::{self, DIGIT, SPACE, WORD, before, byte, is};

/// `imap(otti)`, `sql(otti,10.0.0.1)`, `passwd-file(otti,10.0.0.1)`
pub(super) fn called(text: &[u8], end: usize, hits: &mut Hits) {
    if byte(text, end) != b'(' {
        return;
    }
    let to = bare(text, end + 1);
    let next = byte(text, to);
    let after = byte(text, to + 1);
    let address = next == b','
        && (text[..end].ends_with(b"pam") || is(after, DIGIT) || after == b':' || after == b'<' || after == b'[');
    if to > end + 1 && (address || next == b')' && matches!(after, b':' | b'<' | b'>' | b' ')) {
        push_bare(text, end + 1, to, hits);
    }
}

/// `[pid 2] [otti] OK LOGIN`
pub(super) fn process(text: &[u8], end: usize, hits: &mut Hits) {
    let close = text::run(text, text::run(text, end, SPACE), DIGIT);
    if byte(text, close) == b']' && byte(text, close + 1) == b' ' && byte(text, close + 2) == b'[' {
        in_brackets(text, close + 2, hits);
    }
}

fn in_brackets(text: &[u8], open: usize, hits: &mut Hits) {
    if let Some((from, to)) = enclosed(text, open)
        && text[from..to].iter().all(|&b| of_name(b))
    {
        push_bare(text, from, to, hits);
    }
}

/// The name in brackets that close before the word: `[otti] OK LOGIN`, `[otti] Peer Connection Initiated`
pub(super) fn after_brackets(text: &[u8], start: usize, hits: &mut Hits) {
    let Some(close) = start.checked_sub(2).filter(|&close| &text[close..start] == b"] ") else { return };
    let floor = close.saturating_sub(128);
    if let Some(open) = memchr::memrchr(b'[', &text[floor..close]) {
        in_brackets(text, floor + open, hits);
    }
}

/// `Login failed: 'otti' (Remote IP …`, `Login OK: [otti] (from …`, `Login incorrect (mschap): [otti/…]`
pub(super) fn login_told(text: &[u8], end: usize, hits: &mut Hits) {
    let rest = &text[end..text.len().min(end + 16)].to_ascii_lowercase();
    let told = [&b" failed"[..], b" ok", b" incorrect", b" succeeded", b" success", b" denied"];
    let Some(told) = told.iter().find(|told| rest.starts_with(told)) else { return };
    let mut at = end + told.len();
    if byte(text, at) == b' ' && byte(text, at + 1) == b'(' {
        let near = &text[at..text.len().min(at + 80)];
        at += memchr::memchr(b')', near).map_or(0, |length| length + 1);
    }
    if byte(text, at) != b':' || byte(text, at + 1) != b' ' {
        return;
    }
    at += 2;
    if let Some((from, to)) = enclosed(text, at) {
        let to = memchr::memchr(b'/', &text[from..to]).map_or(to, |slash| from + slash);
        if !text[from..to].iter().any(|&b| is(b, SPACE)) && !is_ip(&text[from..to]) {
            push_bare(text, from, to, hits);
        }
        return;
    }
    let to = bare(text, at);
    let from_somewhere = text[to..].starts_with(b" (Remote") || text[to..].starts_with(b" (from");
    if to > at && from_somewhere && !is_ip(&text[at..to]) {
        push_bare(text, at, to, hits);
    }
}

/// `smbd_audit: otti|10.0.0.1|share`
pub(super) fn audit(text: &[u8], start: usize, end: usize, hits: &mut Hits) {
    let at = text::run(text, end + 1, SPACE);
    if text[..start].ends_with(b"smbd_") && matches!(byte(text, end), b':' | b'[') {
        let at = if byte(text, end) == b'[' {
            memchr::memmem::find(&text[end..text.len().min(end + 16)], b": ").map_or(at, |length| end + length + 2)
        } else {
            at
        };
        let to = bare(text, at);
        if byte(text, to) == b'|' {
            push_bare(text, at, to, hits);
        }
    }
}

/// `role "otti" does not exist`, `Authentication of [otti] was terminated`, `add 'otti' to group`, `received 'otti'` of an
/// identity
pub(super) fn quoted(text: &[u8], start: usize, end: usize, word: &[u8], hits: &mut Hits) {
    let mut at = text::run(text, end, SPACE);
    if word == b"authentication" {
        match text[at..].strip_prefix(b"of ") {
            Some(_) => at += 3,
            None => return,
        }
    }
    let Some((from, to)) = enclosed(text, at) else { return };
    let rest = &text[to + 1..];
    let good = match word {
        b"role" => rest.starts_with(b" does not exist") || rest.starts_with(b" is not permitted"),
        b"add" | b"delete" | b"remove" => {
            rest.starts_with(b" to group") || rest.starts_with(b" from group") || rest.starts_with(b" to shadow")
        }
        b"authentication" => true,
        b"received" => memchr::memmem::find(&text[start.saturating_sub(64)..start], b"dentity").is_some(),
        _ => false,
    };
    if good && at > end && !text[from..to].iter().any(|&b| is(b, SPACE)) {
        push_bare(text, from, to, hits);
    }
}

/// `otti logged in from 10.0.0.1`, `otti logged out via winbox`
pub(super) fn logged(text: &[u8], start: usize, end: usize, hits: &mut Hits) {
    let rest = &text[end..];
    let by_itself = [&b" in from"[..], b" in via", b" out from", b" out via", b" in on", b" off from"]
        .iter()
        .any(|told| rest.starts_with(told));
    if by_itself {
        name_before(text, start, hits);
    }
}

/// `otti 10.0.0.1 failed to login`, `otti was not found in LDAP`
pub(super) fn failed(text: &[u8], start: usize, end: usize, hits: &mut Hits) {
    if !text[end..].starts_with(b" to log") || before(text, 0, start) != b' ' {
        return;
    }
    let address = text[..start - 1].iter().rposition(|&b| b == b' ').map_or(0, |at| at + 1);
    if is_ip(&text[address..start - 1]) {
        name_before(text, address, hits);
    }
}

/// The name in front of a blank before `at`, if it is more than a common word.
fn name_before(text: &[u8], at: usize, hits: &mut Hits) {
    let Some(end) = at.checked_sub(1).filter(|&end| text[end] == b' ') else { return };
    let floor = end.saturating_sub(64);
    let length = text[floor..end].iter().rev().take_while(|&&b| of_name(b)).count();
    let start = end - length;
    let name = text::fold(&text[start..end]);
    let boundary = start == 0 || matches!(text[start - 1], b' ' | b'\t' | b':' | b'"' | b'\'' | b'(' | b'[' | b',');
    if length >= 2 && boundary && !crate::redact::common::is_common(&name) && !is_ip(name.as_bytes()) {
        push_bare(text, start, end, hits);
    }
}

/// `Lemonldap::NG : otti was not found in LDAP directory`
pub(super) fn not_found(text: &[u8], start: usize, hits: &mut Hits) {
    const TOLD: &[u8] = b"was not found in ";
    if text[..start].ends_with(TOLD) {
        name_before(text, start - TOLD.len(), hits);
    }
}

/// `pkexec[12]: otti: The value …`
pub(super) fn told_by_program(text: &[u8], end: usize, hits: &mut Hits) {
    if byte(text, end) != b'[' {
        return;
    }
    let close = text::run(text, end + 1, DIGIT);
    if text[close..].starts_with(b"]: ") {
        let to = bare(text, close + 3);
        if byte(text, to) == b':' && byte(text, to + 1) == b' ' {
            push_bare(text, close + 3, to, hits);
        }
    }
}

/// `otti@127.0.0.1`, `otti@kolibri:/srv/x`, `otti@shop LOG:`; addresses with a domain are e-mail's.
pub(super) fn at_host(text: &[u8], at: usize, hits: &mut Hits) {
    let floor = at.saturating_sub(64);
    let name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    let length = text[floor..at].iter().rev().take_while(|&&b| name(b)).count();
    let start = at - length;
    if length < 2 || !matches!(before(text, 0, start), b' ' | b'\t' | b'\n' | b'(' | b'[' | b'"' | b'\'' | b'=' | b',')
    {
        return;
    }
    let end = at + 1 + text[at + 1..text.len().min(at + 80)].iter().take_while(|&&b| name(b)).count();
    let host = &text[at + 1..end];
    let rest = &text[end..];
    let database = [&b" LOG: "[..], b" ERROR: ", b" FATAL: ", b" STATEMENT: ", b" DETAIL: ", b" WARNING: ", b" HINT: "];
    let copied = rest.starts_with(b":/") || rest.starts_with(b":~");
    let told = copied
        || host == b"localhost"
        || matches!(before(text, 0, start), b'(' | b'[') && is_ip(host)
        || database.iter().any(|told| rest.starts_with(told));
    if told && text[start..at].iter().any(u8::is_ascii_alphabetic) && &text[start..at] != b"git" {
        push(text, start, at, hits);
    }
}

/// `otti's iPad`, `iPhone von Ottilie`
pub(super) fn device(text: &[u8], start: usize, end: usize, hits: &mut Hits) {
    let front = &text[start.saturating_sub(5)..start];
    let joints: [&[u8]; 4] = [b"'s ", b"\xe2\x80\x99s ", b"\\'s ", b"'s-"];
    if let Some(joint) = joints.iter().find(|joint| front.ends_with(joint)) {
        let to = start - joint.len();
        let from = text::run_back(text, to.saturating_sub(40), to, WORD);
        return person(text, from, to, hits);
    }
    for joint in [&b" von "[..], b" de ", b" of ", b" di ", b" van "] {
        if text[end..].starts_with(joint) {
            let from = end + joint.len();
            let mut to = text::run(text, from, WORD);
            // A second name with a capital belongs to it.
            let next = text::run(text, (to + 1).min(text.len()), WORD);
            if byte(text, to) == b' ' && byte(text, to + 1).is_ascii_uppercase() && next - to > 2 {
                to = next;
            }
            return person(text, from, to, hits);
        }
    }
}

fn person(text: &[u8], from: usize, to: usize, hits: &mut Hits) {
    use crate::redact::category::Category;
    use crate::redact::hit::{Form, Group, rank};
    let capital = text.get(from).is_some_and(|b| b.is_ascii_uppercase() || *b >= 0x80);
    if from >= to || crate::redact::common::is_common(&text::fold(&text[from..to])) {
        return;
    }
    if capital {
        hits.push(from, to, Category::Person, Form::Text(Group::Person), rank::USER);
    } else {
        push_bare(text, from, to, hits);
    }
}

#[cfg(test)]
mod tests {
    use crate::redact::detector::tests::{finds, found};

    #[test]
    fn services_name_their_users() {
        for line in [
            "imap-login: Login: user=<quirin>, method=PLAIN",
            "dovecot: imap(quirin)<12><abc>: Logged out",
            "auth: passwd-file(quirin,127.0.0.1): unknown user",
            "vsftpd: [pid 2] [quirin] FAIL LOGIN: Client",
            "vsftpd: [quirin] OK LOGIN: Client",
            "pure-ftpd: (quirin@127.0.0.1) [NOTICE] x",
            "smbd_audit: quirin|127.0.0.1|share|open",
            "role \"quirin\" does not exist",
            "Authentication of [quirin] was terminated by realm",
            "add 'quirin' to group 'wheel'",
            "Login failed: 'quirin' (Remote IP: '127.0.0.1')",
            "Login OK: [quirin] (from client nas)",
            "Login incorrect (mschap): [quirin/<via x>] (from client nas)",
            "quirin logged in from 127.0.0.1 via winbox",
            "2026-11-21 14:20:01 quirin 127.0.0.1 failed to login",
            "quirin was not found in LDAP directory",
            "pkexec[12]: quirin: The value",
            "rsync: quirin@kolibri:/srv/x",
            "[12] quirin@shop LOG:  statement",
            "quirin's iPad",
        ] {
            assert!(found(line).contains(&("quirin".to_owned(), "user".to_owned())), "{line}: {:?}", found(line));
        }
        finds("connected: Ottilie\u{2019}s iPhone", &[("Ottilie", "person")]);
        finds("connected: iPhone von Ottilie", &[("Ottilie", "person")]);
    }

    #[test]
    fn services_that_name_nobody_stay() {
        for line in [
            "lmtp(12): save",
            "login failed: connection refused",
            "Login failed: timeout (5 s)",
            "user was not found in LDAP directory",
            "add 'x' to the list",
            "received 'hello'",
            "who is logged in from there",
            "getty@tty1.service started",
            "lodash@4.17.21 installed",
            "git@github:/x",
            "let's phone home",
            "[pid 2] [INFO] ready",
        ] {
            assert!(
                found(line).iter().all(|(_, category)| category != "user" && category != "person"),
                "{line}: {:?}",
                found(line)
            );
        }
    }
}
