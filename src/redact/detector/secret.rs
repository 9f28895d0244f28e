//! Secrets that show without a key: tokens of known services, JWT, private keys, HTTP authorization, passwords in URLs.

use std::ops::Range;

use super::host::push_host;
use super::{Detector, Line};
use crate::redact::category::Category;
use crate::redact::common::is_system_user;
use crate::redact::hit::{Form, Group, Hits, rank};
use crate::redact::text::{self, DIGIT, IDENT, SPACE, WORD, before, byte, is, is_uuid};

pub(crate) struct Secrets;

impl Detector for Secrets {
    fn anchors(&self) -> &'static [u8] {
        b"@"
    }

    fn words(&self) -> &'static [&'static str] {
        &[
            "begin", "bearer", "basic", "digest", "password", "passwd", "secret", "token", "ghp", "gho", "ghu", "ghs",
            "ghr", "github", "glpat", "glptt", "gldt", "xoxb", "xoxp", "xoxa", "xoxr", "xoxs", "xapp", "sk", "rk",
            "pk", "npm", "pypi", "hf", "dop", "shpat", "shpss", "lin", "sg", "ops", "sgp", "hvs", "tfp", "age",
            "tarseal",
        ]
    }

    fn at_anchor(&self, line: &Line<'_>, at: usize, _skip: &mut usize, hits: &mut Hits) {
        let Some((user, password)) = url_credentials(line.text, at) else { return };
        let text = line.text;
        if let Some(password) = password {
            hits.push(password.start, password.end, Category::Secret, Form::Drop, rank::SECRET);
        }
        let name = text::fold(&text[user.clone()]);
        if !is_system_user(&name) && name.len() < 100 {
            hits.push(user.start, user.end, Category::User, Form::Text(Group::User), rank::KEYED);
        } else if name.len() >= 100 {
            hits.push(user.start, user.end, Category::Secret, Form::Drop, rank::SECRET);
        }
        let host = at + 1;
        push_host(text, host, text::run(text, host, IDENT), Category::Host, rank::HOST, hits);
    }

    fn at_word(&self, line: &Line<'_>, start: usize, end: usize, hits: &mut Hits) {
        let text = line.text;
        let word = text[start..end].to_ascii_lowercase();
        match word.as_slice() {
            b"begin" => private_key(text, start, hits),
            b"bearer" | b"basic" | b"token" => authorization(text, end, &word, hits),
            b"digest" => {}
            b"password" | b"passwd" | b"secret" | b"clientsecret" | b"apikey" | b"accesskey" => {
                quoted_after(text, end, hits);
            }
            _ => known_token(text, start, end, hits),
        }
    }

    fn at_long_word(&self, line: &Line<'_>, start: usize, end: usize, hits: &mut Hits) {
        let text = line.text;
        let word = &text[start..end];
        if word.starts_with(b"eyJ") && jwt(text, start, hits) {
            return;
        }
        let tail = |from: usize| word[from..].iter().all(|b| b.is_ascii_uppercase() || is(*b, DIGIT));
        let amazon = word.len() == 20
            && (word.starts_with(b"AKIA") || word.starts_with(b"ASIA") || word.starts_with(b"A3T"))
            && tail(3)
            && varied(word);
        let google = word.starts_with(b"AIza")
            && text::run(text, start, IDENT) - start == 39
            && varied(&text[start + 4..start + 39]);
        let others: [(&[u8], usize); 4] = [(b"ATATT3x", 60), (b"AKC", 20), (b"EAA", 90), (b"LTAI", 20)];
        let other = others.iter().any(|(prefix, least)| {
            word.starts_with(prefix) && word.len() + token_rest(text, end) >= *least && varied(word)
        });
        if amazon || google || other {
            hits.push(start, end + token_rest(text, end), Category::Secret, Form::Drop, rank::SECRET);
        }
    }
}

fn of_token(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'~' | b'+' | b'/' | b'=')
}

fn token_end(text: &[u8], from: usize) -> usize {
    let end = text[from..].iter().position(|&b| !of_token(b)).map_or(text.len(), |length| from + length);
    from + text[from..end].iter().rposition(|&b| b != b'.').map_or(0, |at| at + 1)
}

fn token_rest(text: &[u8], end: usize) -> usize {
    token_end(text, end) - end
}

/// Whether a token is more than one sign repeated, as in an example.
fn varied(token: &[u8]) -> bool {
    let mut seen = [false; 256];
    token.iter().for_each(|&b| seen[usize::from(b)] = true);
    seen.iter().filter(|&&was| was).count() >= 6
}

/// The places of user and password in `scheme://user:password@host`, for the `@` at `at`.
pub(crate) fn url_credentials(text: &[u8], at: usize) -> Option<(Range<usize>, Option<Range<usize>>)> {
    let floor = at.saturating_sub(512);
    let mut start = at;
    while start > floor {
        let b = text[start - 1];
        if b == b'/' {
            break;
        }
        if is(b, SPACE) || matches!(b, b'"' | b'<' | b'>') {
            return None;
        }
        start -= 1;
    }
    if start < floor + 3 || !text[..start].ends_with(b"://") || start == at {
        return None;
    }
    // A later `@` is the one before the host.
    if text[at + 1..]
        .iter()
        .take_while(|&&b| !is(b, SPACE) && !matches!(b, b'/' | b'?' | b'"' | b'\'' | b',' | b'<' | b'>'))
        .any(|&b| b == b'@')
    {
        return None;
    }
    Some(match memchr::memchr(b':', &text[start..at]) {
        Some(colon) => (start..start + colon, Some(start + colon + 1..at)),
        None => (start..at, None),
    })
}

const KEY_END: &[u8] = b"-----END";

/// `-----BEGIN … PRIVATE KEY-----` with what follows on the same line. Keys over many lines are [`pem`](crate::redact::pem)'s.
fn private_key(text: &[u8], start: usize, hits: &mut Hits) {
    if !text[..start].ends_with(b"-----") {
        return;
    }
    let Some(head) = text.get(start..(start + 60).min(text.len())) else { return };
    let Some(found) = memchr::memmem::find(head, b"PRIVATE KEY") else { return };
    let Some(dashes) = memchr::memmem::find(&text[start + found..], b"-----") else { return };
    let from = start + found + dashes + 5;
    let to = memchr::memmem::find(&text[from..], KEY_END).map_or(text.len(), |length| from + length);
    let to = if to == text.len() { memchr::memchr(b'"', &text[from..]).map_or(to, |length| from + length) } else { to };
    if text[from..to].iter().any(|&b| is(b, WORD)) {
        hits.push(from, to, Category::Secret, Form::Drop, rank::SECRET + 1);
    }
}

/// `Bearer x`, `Basic x`: the word stays.
fn authorization(text: &[u8], end: usize, word: &[u8], hits: &mut Hits) {
    if byte(text, end) != b' ' {
        return;
    }
    let start = text::run(text, end, SPACE);
    let stop = token_end(text, start.min(text.len()));
    let token = &text[start.min(text.len())..stop];
    let mixed = token.iter().any(|&b| is(b, DIGIT))
        || token.ends_with(b"=")
        || token.iter().any(u8::is_ascii_uppercase) && token[1..].iter().any(u8::is_ascii_uppercase);
    let least = if word == b"token" { 24 } else { 8 };
    if token.len() >= least && mixed && (word != b"token" || token.iter().any(|&b| is(b, DIGIT))) && !is_uuid(token) {
        hits.push(start, stop, Category::Secret, Form::Drop, rank::SECRET);
    }
}

/// `with password "x"`
fn quoted_after(text: &[u8], end: usize, hits: &mut Hits) {
    let mut at = end;
    while at < end + 4 && matches!(byte(text, at), b' ' | b':' | b'=' | b'\\') {
        at += 1;
    }
    let quote = byte(text, at);
    if at == end || !matches!(quote, b'"' | b'\'' | b'`') {
        return;
    }
    let from = at + 1;
    let Some(length) = memchr::memchr(quote, &text[from..]) else { return };
    let mut to = from + length;
    while to > from && text[to - 1] == b'\\' {
        to -= 1;
    }
    if to - from >= 3 && to - from <= 256 && !text[from..to].iter().all(|b| matches!(b, b'*' | b'.' | b'x' | b'X')) {
        hits.push(from, to, Category::Secret, Form::Drop, rank::SECRET);
    }
}

/// `ghp_…`, `glpat-…`, `xoxb-…`, `sk_live_…` and their like: a known beginning, a joint, a long rest.
fn known_token(text: &[u8], start: usize, end: usize, hits: &mut Hits) {
    if !matches!(byte(text, end), b'_' | b'-' | b'.') || is(before(text, 0, start), IDENT) {
        return;
    }
    let stop = token_end(text, end);
    let rest = &text[end + 1..stop.max(end + 1)];
    let beginning = &text[start..end];
    // Two-letter beginnings are common in names of things; theirs is longer and mixed.
    let least = if beginning.len() <= 3 { 24 } else { 20 };
    let enough = if beginning.len() <= 3 { 2 } else { 0 };
    let digits = rest.iter().filter(|&&b| is(b, DIGIT)).count();
    let upper = rest.iter().filter(|b| b.is_ascii_uppercase()).count();
    if rest.len() >= least && varied(rest) && (digits >= 2 || upper >= 4) && digits >= enough && !rest.contains(&b'/') {
        hits.push(start, stop, Category::Secret, Form::Drop, rank::SECRET);
    }
}

/// A JSON Web Token: two or three parts in Base64, the first two JSON objects.
fn jwt(text: &[u8], start: usize, hits: &mut Hits) -> bool {
    let stop = token_end(text, start);
    let token = &text[start..stop];
    let mut parts = token.split(|&b| b == b'.');
    let (Some(head), Some(body)) = (parts.next(), parts.next()) else { return false };
    let long = head.len() >= 12 && body.len() >= 8 && token.len() >= 30;
    if long {
        hits.push(start, stop, Category::Secret, Form::Drop, rank::SECRET);
    }
    long
}

#[cfg(test)]
mod tests {
    use crate::redact::detector::tests::{finds, found};

    #[test]
    fn tokens_show_by_themselves() {
        finds(
            "got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln end",
            &[("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "secret")],
        );
        finds("key AKIAIOSFODNN7EXAMPLE.", &[("AKIAIOSFODNN7EXAMPLE", "secret")]);
        finds("curl -H 'Bearer a1b2c3d4e5'", &[("a1b2c3d4e5", "secret")]);
        finds(
            "x 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 y",
            &[("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", "secret")],
        );
        finds("https://otti:geh3im@kolibri/x", &[("otti", "user"), ("geh3im", "secret"), ("kolibri", "host")]);
        finds("with password \"sales123\" accepted", &[("sales123", "secret")]);
    }

    #[test]
    fn a_private_key_on_one_line_goes() {
        let line = r#""key":"-----BEGIN PRIVATE KEY-----\nMIIBVgIB\n-----END PRIVATE KEY-----\n""#;
        finds(line, &[(r"\nMIIBVgIB\n", "secret")]);
        assert!(found("-----BEGIN CERTIFICATE-----").is_empty());
    }

    #[test]
    fn what_is_no_secret_stays() {
        for line in [
            "basic auth",
            "Bearer token missing",
            "sk-learn",
            "eyJAAAA.eyJBBB",
            "password \"***\"",
            "token count 5",
            "npm-check-updates",
        ] {
            assert!(found(line).is_empty(), "{line}: {:?}", found(line));
        }
    }
}
