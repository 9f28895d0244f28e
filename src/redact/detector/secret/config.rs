//! Secrets in the words of configurations, which have no sign between key and value: `snmp-server community x RO`,
//! `enable secret 5 …`, `bindpw x`, `with password "x"`, `machine h login otti password x`.

use super::{drop, shell_word};
use crate::redact::common::is_common;
use crate::redact::detector::keyed::is_placeholder;
use crate::redact::hit::Hits;
use crate::redact::text::{self, DIGIT, IDENT, SPACE, WORD, before, byte, is};

/// Words behind which a secret may stand.
pub(super) const WORDS: [&str; 19] = [
    "password",
    "passwd",
    "secret",
    "token",
    "pass",
    "community",
    "key",
    "string",
    "psk",
    "bindpw",
    "rootpw",
    "requirepass",
    "masterauth",
    "rocommunity",
    "rwcommunity",
    "rocommunity6",
    "rwcommunity6",
    "passphrase",
    "wpapsk",
];

/// A keyword and its value.
pub(super) fn keyword(text: &[u8], start: usize, end: usize, word: &[u8], hits: &mut Hits) {
    let first = text::run(text, 0, SPACE) == start;
    let snmp = || ends_with_word(text, start, b"snmp-server") || ends_with_word(text, start, b"snmp");
    match word {
        b"password" | b"passwd" | b"secret" | b"clientsecret" | b"apikey" | b"accesskey" | b"passphrase"
            if !quoted_after(text, end, hits) && !typed(text, start, end, hits) =>
        {
            bare(text, start, end, hits);
        }
        b"key" | b"string" if !typed(text, start, end, hits) => shared_key(text, start, end, hits),
        b"community" if snmp() => value(text, end, hits),
        b"bindpw" | b"rootpw" | b"requirepass" | b"masterauth" | b"rocommunity" | b"rwcommunity" | b"rocommunity6"
        | b"rwcommunity6"
            if first =>
        {
            value(text, end, hits);
        }
        b"pass" => pass(text, start, end, hits),
        _ => {}
    }
}

/// Takes the word behind blanks as a secret.
fn value(text: &[u8], end: usize, hits: &mut Hits) {
    if !matches!(byte(text, end), b' ' | b'\t') {
        return;
    }
    let (_, from, to) = shell_word(text, text::run(text, end, SPACE));
    if from < to && !is_placeholder(&text[from..to]) && text[from] != b'{' {
        drop(from, to, hits);
    }
}

/// Whether `word` stands before the blanks before `start`.
fn ends_with_word(text: &[u8], start: usize, word: &[u8]) -> bool {
    let end = text::run_back(text, start.saturating_sub(4), start, SPACE);
    end < start && end >= word.len() && text[end - word.len()..end].eq_ignore_ascii_case(word)
}

/// `password 7 0822455D0A16`, `secret 5 $1$…`, `key-string 7 …`: a digit says how the value is enciphered (Cisco).
fn typed(text: &[u8], start: usize, end: usize, hits: &mut Hits) -> bool {
    let kind = text::run(text, end, SPACE);
    if kind == end
        || !is(byte(text, kind), DIGIT)
        || byte(text, kind + 1) != b' '
        || matches!(before(text, 0, start), b'_' | b'.')
    {
        return false;
    }
    let (_, from, to) = shell_word(text, kind + 2);
    let signs = &text[from..to];
    let enciphered = signs.len() >= 8 && signs.iter().any(|&b| is(b, DIGIT)) || text[kind] == b'0' && signs.len() >= 4;
    let sentence = signs.iter().all(u8::is_ascii_lowercase) && is_common(&text::fold(signs));
    if enciphered && !sentence {
        drop(from, to, hits);
    }
    enciphered
}

/// `crypto isakmp key x address …`, `radius-server key x`, `tacacs-server key x`, `pre-shared-key x`
fn shared_key(text: &[u8], start: usize, end: usize, hits: &mut Hits) {
    let servers: [&[u8]; 5] = [b"radius-server", b"tacacs-server", b"isakmp", b"ikev2", b"pre-shared"];
    let known =
        servers.iter().any(|server| ends_with_word(text, start, server)) || text[..start].ends_with(b"pre-shared-");
    if known && byte(text, end) == b' ' {
        value(text, end, hits);
    }
}

/// `login otti password x` of a .netrc, `username otti password x` of a router, `USER otti PASS x`.
fn bare(text: &[u8], start: usize, end: usize, hits: &mut Hits) {
    if byte(text, end) != b' ' || is(before(text, 0, start), IDENT) {
        return;
    }
    // What stands before: a key, a name, then this word.
    let name_end = text::run_back(text, start.saturating_sub(2), start, SPACE);
    let name = text[..name_end].iter().rev().take(64).take_while(|b| !is(**b, SPACE)).count();
    let key_end = text::run_back(text, (name_end - name).saturating_sub(2), name_end - name, SPACE);
    let key_start = text::run_back(text, key_end.saturating_sub(12), key_end, WORD);
    let key = text::fold(&text[key_start..key_end]);
    let line_start = text::run(text, 0, SPACE) == key_start;
    let login =
        name > 0 && name_end < start && (key == "login" || line_start && matches!(key.as_str(), "username" | "user"));
    if login {
        value(text, end, hits);
    }
}

/// `PASS x`, as FTP and POP3 servers log what a client sent.
fn pass(text: &[u8], start: usize, end: usize, hits: &mut Hits) {
    if &text[start..end] != b"PASS" || byte(text, end) != b' ' {
        return;
    }
    let near = text[start.saturating_sub(160)..start].to_ascii_lowercase();
    let sent = matches!(before(text, 0, start), b'"' | b'\'')
        || [&b"ftp"[..], b"pop3", b"command", b"[login]"]
            .iter()
            .any(|word| memchr::memmem::find(&near, word).is_some());
    if sent {
        value(text, end, hits);
    }
}

/// `IDENTIFIED BY 'x'`, `IDENTIFIED WITH p AS 'x'`
pub(super) fn identified_by(text: &[u8], end: usize, hits: &mut Hits) {
    const FARTHEST: usize = 64;
    let near = &text[end..text.len().min(end + FARTHEST)];
    let Some(quote) = near.iter().position(|&b| matches!(b, b'\'' | b'"')) else { return };
    let between = near[..quote].to_ascii_lowercase();
    if !between.starts_with(b" by") && !between.starts_with(b" with") {
        return;
    }
    let (_, from, to) = shell_word(text, end + quote);
    if from < to && !is_placeholder(&text[from..to]) {
        drop(from, to, hits);
    }
}

/// `with password "x"`; whether something in quotation marks follows.
fn quoted_after(text: &[u8], end: usize, hits: &mut Hits) -> bool {
    let mut at = end;
    while at < end + 4 && matches!(byte(text, at), b' ' | b':' | b'=' | b'\\') {
        at += 1;
    }
    let quote = byte(text, at);
    // Right behind the word the quotation mark closes: `\"password\":`
    if at == end || byte(text, end) == b'\\' || !matches!(quote, b'"' | b'\'' | b'`') {
        return false;
    }
    let from = at + 1;
    let rest = &text[from..text.len().min(from + 300)];
    let Some(length) = memchr::memchr(quote, rest) else { return true };
    let mut to = from + length;
    while to > from && text[to - 1] == b'\\' {
        to -= 1;
    }
    if to - from >= 3 && to - from <= 256 && !is_placeholder(&text[from..to]) {
        drop(from, to, hits);
    }
    true
}

#[cfg(test)]
mod tests {
    use crate::redact::detector::tests::{finds, found};

    #[test]
    fn the_secrets_of_configurations_go() {
        finds("with password \"sales123\" accepted", &[("sales123", "secret")]);
        finds("snmp-server community Geh3im RO", &[("Geh3im", "secret")]);
        finds(" enable password 7 0822455D0A16", &[("0822455D0A16", "secret")]);
        finds("rocommunity geheim 127.0.0.1", &[("geheim", "secret")]);
        finds("radius-server key 7 0822455D0A16", &[("0822455D0A16", "secret")]);
        finds("crypto isakmp key Geh3im address 127.0.0.1", &[("Geh3im", "secret")]);
        finds("bindpw geheim", &[("geheim", "secret")]);
        finds("requirepass geheim", &[("geheim", "secret")]);
        finds("proftpd: command PASS geheim", &[("geheim", "secret")]);
        finds("CREATE USER x IDENTIFIED BY 'geheim'", &[("geheim", "secret")]);
        assert!(
            found("machine localhost login otti password geheim").contains(&("geheim".to_owned(), "secret".to_owned()))
        );
    }

    #[test]
    fn sentences_about_secrets_stay() {
        for line in [
            "password authentication failed",
            "password \"***\"",
            r#"\"password\":null,\"x\":1"#,
            "set a password for the service",
            "PASS src/app.test.js",
            "key 5 of 7 is missing",
            "the secret 3 rules of it",
            "community support forum",
            "the login password prompt",
            "user password required",
            "public key 2 was added",
        ] {
            assert!(found(line).is_empty(), "{line}: {:?}", found(line));
        }
    }
}
