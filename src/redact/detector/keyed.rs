//! Values beside a key that says what they are: `Participant="Anna"`, `"user": "anna"`, `user=anna`, `Password: x`.

use std::cell::RefCell;

use super::{Detector, Line};
use crate::redact::category::Category;
use crate::redact::common::{is_common, is_no_value, is_system_user};
use crate::redact::hit::{Form, Group, Hits, rank};
use crate::redact::keys::{self, KeyClass};
use crate::redact::text::{self, DIGIT, IDENT, SPACE, WORD, before, byte, is};

pub(crate) struct Keyed;

impl Detector for Keyed {
    fn anchors(&self) -> &'static [u8] {
        b"=:"
    }

    fn at_anchor(&self, line: &Line<'_>, at: usize, _skip: &mut usize, hits: &mut Hits) {
        let text = line.text;
        let (last, next) = (before(text, 0, at), byte(text, at + 1));
        let not_a_key = if text[at] == b':' {
            is(last, DIGIT) && is(next, DIGIT)
                || next == b':'
                || last == b':'
                || next == b'/' && byte(text, at + 2) == b'/'
        } else {
            next == b'=' || matches!(last, b'=' | b'!' | b'<' | b'>')
        };
        if not_a_key {
            return;
        }
        if let Some((key, class)) = key_before(text, at) {
            value_of(line, key, at, class, hits);
        }
    }

    fn at_line_start(&self, line: &Line<'_>, hits: &mut Hits) {
        // `"password":` at the end of a line, its value on the next.
        let previous = line.previous.trim_ascii_end();
        let Some((b':' | b'=', _)) = previous.split_last() else { return };
        if let Some((_, class)) = key_before(previous, previous.len() - 1) {
            let start = text::run(line.text, 0, SPACE);
            let number = class == KeyClass::Phone && matches!(byte(line.text, start), b'0'..=b'9' | b'(');
            if number || matches!(byte(line.text, start), b'"' | b'\'') {
                let value = value_at(line.text, start, class, b'=');
                push(line.text, value, class, hits);
            }
        }
    }
}

const LONGEST_KEY: usize = 64;

/// The key that ends before the `:` or `=` at `at`, if it is a known one.
fn key_before(text: &[u8], at: usize) -> Option<(&[u8], KeyClass)> {
    let mut end = at;
    while end > 0 && text[end - 1] == b' ' && at - end < 2 {
        end -= 1;
    }
    let mut quoted = false;
    if end > 0 && matches!(text[end - 1], b'"' | b'\'' | b']' | b'*') {
        quoted = true;
        end -= 1;
        while end > 0 && matches!(text[end - 1], b'\\' | b'*') {
            end -= 1;
        }
    }
    let start = text::run_back(text, end.saturating_sub(LONGEST_KEY), end, IDENT);
    if start == end {
        return None;
    }
    let key = &text[start..end];
    if let Some(class) = class_of(key) {
        return Some((key, class));
    }
    if text[at] == b':' && !quoted && start > 1 && text[start - 1] == b' ' {
        let first = text::run_back(text, (start - 1).saturating_sub(LONGEST_KEY), start - 1, IDENT);
        let words = &text[first..start - 1];
        if !words.is_empty() {
            return keys::class_of_two(words, key).map(|class| (key, class));
        }
    }
    None
}

const CACHED: usize = 256;
const CACHED_KEY: usize = 32;

#[derive(Clone, Copy)]
struct Cached {
    key: [u8; CACHED_KEY],
    length: usize,
    class: Option<KeyClass>,
}

thread_local! {
    /// Logs use the same few keys again and again.
    static CACHE: RefCell<Vec<Cached>> =
        RefCell::new(vec![Cached { key: [0; CACHED_KEY], length: 0, class: None }; CACHED]);
}

fn class_of(key: &[u8]) -> Option<KeyClass> {
    if key.len() > CACHED_KEY {
        return class_of_uncached(key);
    }
    CACHE.with_borrow_mut(|cache| {
        let slot = &mut cache[text::word_hash(key).to_le_bytes()[7] as usize % CACHED];
        if slot.length != key.len() || slot.key[..key.len()] != *key {
            slot.length = key.len();
            slot.key[..key.len()].copy_from_slice(key);
            slot.class = class_of_uncached(key);
        }
        slot.class
    })
}

fn class_of_uncached(key: &[u8]) -> Option<KeyClass> {
    let last = key.iter().rposition(|&b| b == b'.').map_or(key, |dot| &key[dot + 1..]);
    keys::class_of(key)
        .or_else(|| keys::class_of(last))
        .or_else(|| keys::is_secret_key(key).then_some(KeyClass::Drop(Category::Secret)))
}

/// A value's place, and whether it was in quotes or brackets.
#[derive(Clone, Copy)]
struct Value {
    start: usize,
    end: usize,
    quoted: bool,
    /// It stands right behind `=`.
    assigned: bool,
}

fn value_of(line: &Line<'_>, key: &[u8], at: usize, class: KeyClass, hits: &mut Hits) {
    let text = line.text;
    let mut start = at + 1;
    if text[at] == b'=' && byte(text, start) == b'>' {
        start += 1;
    }
    // `logname= uid=0` has no value; `key = value` has one.
    if text[at] == b':' || before(text, 0, at) == b' ' {
        start = text::run(text, start, SPACE);
    }
    if byte(text, start) == b'[' && matches!(byte(text, start + 1), b'"' | b'\'') {
        return list(text, start + 1, class, hits);
    }
    if class == KeyClass::Drop(Category::Secret) {
        return secret(text, key, at, start, hits);
    }
    push(text, value_at(text, start, class, text[at]), class, hits);
}

/// A JSON list of strings on one line.
fn list(text: &[u8], mut at: usize, class: KeyClass, hits: &mut Hits) {
    while matches!(byte(text, at), b'"' | b'\'') {
        let value = value_at(text, at, class, b'=');
        push(text, value, class, hits);
        at = value.map_or(at + 1, |value| value.end + 1);
        at = text::run(text, at, SPACE);
        if byte(text, at) != b',' {
            return;
        }
        at = text::run(text, at + 1, SPACE);
    }
}

/// The value that begins at `start`.
fn value_at(text: &[u8], start: usize, class: KeyClass, sign: u8) -> Option<Value> {
    match byte(text, start) {
        b'\\' if matches!(byte(text, start + 1), b'"' | b'\'') => {
            let quote = text[start + 1];
            let from = start + 2;
            let end = memchr::memmem::find(&text[from..], &[b'\\', quote]).map_or(text.len(), |length| from + length);
            Some(Value { start: from, end, quoted: true, assigned: false })
        }
        quote @ (b'"' | b'\'' | b'`') => {
            let from = start + 1;
            Some(Value { start: from, end: closing(text, from, quote), quoted: true, assigned: false })
        }
        b'[' => {
            let from = start + 1;
            let end = memchr::memchr(b']', &text[from..]).map(|length| from + length)?;
            // A stand-in for a dropped value keeps its brackets.
            Some(Value { start, end: end + 1, quoted: false, assigned: false })
                .filter(|_| is_dropped(&text[start..=end]))
                .or(Some(Value { start: from, end, quoted: true, assigned: false }))
        }
        b'\n' | b'{' | b'}' | b']' | b'(' | b'<' | b',' | b';' | b'&' | b'|' => None,
        _ => Some(Value { start, end: unquoted(text, start, class, sign), quoted: false, assigned: sign == b'=' }),
    }
}

fn is_dropped(bytes: &[u8]) -> bool {
    Category::ALL.iter().any(|category| category.dropped().as_bytes() == bytes)
}

/// Where the quotation that begins at `from` ends; a backslash hides the quote after it.
fn closing(text: &[u8], from: usize, quote: u8) -> usize {
    let mut at = from;
    while let Some(offset) = text.get(at..).and_then(|rest| memchr::memchr2(quote, b'\\', rest)) {
        at += offset;
        if text[at] == quote {
            return at;
        }
        at += 2;
    }
    text.len()
}

fn unquoted(text: &[u8], start: usize, class: KeyClass, sign: u8) -> usize {
    let stops = |b: u8| {
        is(b, SPACE) || matches!(b, b',' | b';' | b'&' | b'|' | b'"' | b'\'' | b'<' | b'>' | b')' | b']' | b'}' | b'`')
    };
    let word_end = |from: usize| text[from..].iter().position(|&b| stops(b)).map_or(text.len(), |length| from + length);
    let mut end = word_end(start);
    match class {
        KeyClass::Person => {
            // More words with a capital belong to the name, unless they are a key or end a clause.
            for _ in 0..4 {
                if byte(text, end) != b' ' {
                    break;
                }
                let next = end + 1;
                let stop = word_end(next);
                let word = &text[next.min(text.len())..stop];
                let capital = word.first().is_some_and(|b| b.is_ascii_uppercase() || *b >= 0x80);
                if !capital || word.iter().any(|b| matches!(b, b'=' | b':' | b'[' | b'(')) {
                    break;
                }
                end = stop;
            }
        }
        KeyClass::Phone => {
            end = text[start..]
                .iter()
                .position(|&b| !is(b, DIGIT) && !matches!(b, b' ' | b'-' | b'.' | b'(' | b')' | b'/' | b'+'))
                .map_or(text.len(), |length| start + length);
            if byte(text, end) == b'=' || byte(text, end) == b':' || is(byte(text, end), WORD) {
                end = start + text[start..end].iter().rposition(|&b| b == b' ').unwrap_or(end - start);
            }
        }
        KeyClass::Drop(_) if sign == b':' => {
            end = text[start..]
                .iter()
                .position(|&b| matches!(b, b',' | b';' | b'"' | b'}' | b'|'))
                .map_or(text.len(), |l| start + l);
        }
        _ => {}
    }
    start + text[start..end].trim_ascii_end().len()
}

/// Pushes a value as what its key says, unless a better detector of addresses takes it.
fn push(text: &[u8], value: Option<Value>, class: KeyClass, hits: &mut Hits) {
    let Some(value) = value.filter(|value| value.start < value.end) else { return };
    let bytes = &text[value.start..value.end];
    if bytes.len() < 64 && is_no_value(&text::fold(bytes)) {
        return;
    }
    let rank = rank::KEYED;
    match class {
        KeyClass::Person | KeyClass::User if is_address(bytes) => {}
        KeyClass::Person => {
            // `caller_id=SessionsController#create` is a place in a program.
            if bytes.contains(&b'#') && !bytes.contains(&b' ') {
                return;
            }
            // `Participant=7` is a number of something.
            if bytes.iter().any(|&b| is(b, WORD) && !is(b, DIGIT)) {
                hits.push(value.start, value.end, Category::Person, Form::Text(Group::Person), rank);
            } else if value.quoted || phone_like(bytes, 7) {
                number(value, bytes, hits);
            }
        }
        KeyClass::User => user(text, value, hits),
        KeyClass::Host => host(text, value, hits),
        KeyClass::Phone if phone_like(bytes, 4) => {
            hits.push(value.start, value.end, Category::Phone, Form::Phone, rank);
        }
        KeyClass::Phone | KeyClass::CallId => {}
        KeyClass::Device => hits.push(value.start, value.end, Category::DeviceId, Form::Text(Group::Device), rank),
        KeyClass::Conference => hits.push(value.start, value.end, Category::Conference, Form::Drop, 0),
        KeyClass::Drop(category) => hits.push(value.start, value.end, category, Form::Drop, rank),
    }
}

fn number(value: Value, bytes: &[u8], hits: &mut Hits) {
    if phone_like(bytes, 7) {
        hits.push(value.start, value.end, Category::Phone, Form::Phone, rank::KEYED);
    }
}

/// A login name: without the domain before a backslash or after an `@`.
fn user(text: &[u8], value: Value, hits: &mut Hits) {
    let bytes = &text[value.start..value.end];
    let start = after_windows_domain(bytes);
    let end = memchr::memchr(b'@', &bytes[start..]).map_or(bytes.len(), |at| start + at);
    let name = &bytes[start..end];
    let folded = text::fold(name);
    if is_system_user(&folded) || !name.iter().any(|&b| is(b, WORD)) || name.len() > 256 {
        return;
    }
    if name.iter().all(|&b| is(b, DIGIT)) {
        // Numbers are people's only when they are long enough to dial; `uid=1000` is not.
        if name.len() >= 7 && value.quoted {
            hits.push(value.start + start, value.start + end, Category::User, Form::Text(Group::User), rank::KEYED);
        }
        return;
    }
    if !value.quoted && !value.assigned && is_common(&folded) {
        return;
    }
    if value.quoted && name.contains(&b'=') || name.starts_with(b"/") || name.starts_with(b"$") || is_uuid(name) {
        return;
    }
    hits.push(value.start + start, value.start + end, Category::User, Form::Text(Group::User), rank::KEYED);
}

/// Where the name begins in `DOMAIN\anna`, also with the backslash doubled; other backslashes are escapes.
fn after_windows_domain(bytes: &[u8]) -> usize {
    let Some(at) = memchr::memrchr(b'\\', bytes) else { return 0 };
    let doubled = at > 0 && bytes[at - 1] == b'\\';
    let domain = &bytes[..if doubled { at - 1 } else { at }];
    let next = byte(bytes, at + 1);
    let escape = !doubled && matches!(next, b'u' | b'x' | b'n' | b'r' | b't' | b'b' | b'f');
    let plain = !domain.is_empty() && domain.iter().all(|&b| is(b, IDENT));
    if plain && is(next, WORD) && !escape { at + 1 } else { 0 }
}

/// A computer's name; a domain is kept apart so that it has the same stand-in in every name.
fn host(text: &[u8], value: Value, hits: &mut Hits) {
    let bytes = &text[value.start..value.end];
    let end = value.start + text::run(bytes, 0, IDENT);
    push_host(text, value.start, end, Category::Host, rank::KEYED, hits);
}

/// Pushes a host name: its first label as a host, the rest as a domain. Addresses and reserved names are left alone.
pub(crate) fn push_host(text: &[u8], start: usize, end: usize, category: Category, rank: u8, hits: &mut Hits) {
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

fn is_ip6_token(text: &[u8]) -> bool {
    let end = text.iter().position(|&b| !is(b, text::HEX) && b != b':').unwrap_or(text.len());
    text[..end].iter().filter(|&&b| b == b':').count() >= 2
}

/// Whether a value as a whole is an address that other detectors take.
fn is_address(bytes: &[u8]) -> bool {
    if bytes.iter().any(|&b| is(b, SPACE)) {
        return false;
    }
    let scheme = memchr::memchr(b':', bytes).map(|at| text::fold(&bytes[..at]));
    if scheme
        .is_some_and(|scheme| matches!(scheme.as_str(), "sip" | "sips" | "tel" | "h323" | "mailto" | "http" | "https"))
    {
        return true;
    }
    let domain = memchr::memchr(b'@', bytes).map(|at| &bytes[at + 1..]);
    domain.is_some_and(|domain| domain.contains(&b'.') || domain.contains(&b':'))
        || bytes.iter().all(|&b| is(b, DIGIT) || matches!(b, b'.' | b':' | b'/'))
            && bytes.iter().filter(|&&b| b == b'.').count() == 3
        || bytes.first() == Some(&b'+') && phone_like(bytes, 7)
        || is_ip6_token(bytes) && bytes.iter().all(|&b| is(b, text::HEX) || matches!(b, b':' | b'.' | b'%' | b'/'))
}

fn phone_like(bytes: &[u8], least: usize) -> bool {
    let digits = bytes.iter().filter(|&&b| is(b, DIGIT)).count();
    (least..=15).contains(&digits)
        && bytes.iter().all(|&b| is(b, DIGIT) || matches!(b, b' ' | b'-' | b'.' | b'(' | b')' | b'/' | b'+'))
}

pub(crate) fn is_uuid(bytes: &[u8]) -> bool {
    bytes.len() == 36
        && bytes
            .iter()
            .enumerate()
            .all(|(at, &b)| if matches!(at, 8 | 13 | 18 | 23) { b == b'-' } else { is(b, text::HEX) })
}

/// A secret's value. Of `Authorization: Bearer x` the scheme stays, of `Cookie: a=b; c=d` nothing.
fn secret(text: &[u8], key: &[u8], at: usize, start: usize, hits: &mut Hits) {
    let header = text[at] == b':';
    let name = text::fold(key);
    let class = KeyClass::Drop(Category::Secret);
    let whole_line = header
        && (name.contains("cookie") || text::run(text, 0, SPACE) + key.len() == at || name.contains("authorization"));
    let Some(mut value) = value_at(text, start, class, b'=') else {
        // A password may begin with any sign.
        if header && byte(text, start) != b'\n' && !matches!(byte(text, start), b'{' | b'[' | b'|' | b'>') && whole_line
        {
            let end = start + text[start..].trim_ascii_end().len();
            hits.push(start, end, Category::Secret, Form::Drop, rank::SECRET);
        }
        return;
    };
    if !value.quoted {
        let cut: &[u8] = if whole_line { b"\"" } else { b" \t\r\"'&,;<>" };
        let end = text[start..].iter().position(|b| cut.contains(b)).map_or(text.len(), |length| start + length);
        value.end = start + text[start..end].trim_ascii_end().len();
        let closing = byte(text, value.end.saturating_sub(1));
        let opening = match closing {
            b')' => b'(',
            b']' => b'[',
            b'}' => b'{',
            _ => 0,
        };
        if opening != 0 && !whole_line && !text[value.start..value.end].contains(&opening) {
            value.end -= 1;
        }
    }
    if matches!(name.as_str(), "response" | "community" | "pin" | "sid") && !value.quoted && header && !whole_line {
        return;
    }
    let mut start = value.start;
    let bytes = &text[start..value.end];
    if let Some(space) = memchr::memchr(b' ', bytes) {
        let scheme = text::fold(&bytes[..space]);
        if matches!(scheme.as_str(), "basic" | "bearer" | "token" | "digest" | "negotiate" | "ntlm" | "apikey") {
            if scheme == "digest" {
                return; // its parts have keys of their own
            }
            start += space + 1;
        }
    }
    let directory =
        name.ends_with("pwd") && (text[start..value.end].starts_with(b"/") || text[start..value.end].contains(&b'\\'));
    if directory || harmless(&text[start..value.end], &name) {
        return;
    }
    hits.push(start, value.end, Category::Secret, Form::Drop, rank::SECRET);
}

/// Whether a value under a secret's key is none: a word that says so, asterisks, a variable, a small number.
fn harmless(value: &[u8], key: &str) -> bool {
    let folded = text::fold(value);
    let short = value.len() <= 24;
    short && value.is_ascii() && is_no_value(&folded)
        || short
            && matches!(
                folded.as_str(),
                "enabled"
                    | "disabled"
                    | "required"
                    | "optional"
                    | "expired"
                    | "invalid"
                    | "missing"
                    | "ok"
                    | "failed"
                    | "set"
                    | "changed"
                    | "hidden"
                    | "redacted"
                    | "[redacted]"
                    | "<redacted>"
                    | "xxx"
                    | "xxxx"
                    | "xxxxx"
                    | "xxxxxx"
                    | "xxxxxxxx"
            )
        || value.starts_with(b"$")
        || value.starts_with(b"<")
        || value.len() > 4 && value.iter().all(|b| matches!(b, b'x' | b'X' | b'*' | b'#' | b'.'))
        || value.starts_with(b"{{")
        || value.starts_with(b"<%")
        || !key.contains("pin") && !key.contains("pass") && value.len() <= 4 && value.iter().all(|&b| is(b, DIGIT))
}

#[cfg(test)]
mod tests {
    use crate::redact::detector::tests::{finds, found, found_after};

    #[test]
    fn a_key_says_what_its_value_is() {
        finds(
            r#"Participant="Ottilie \"Otti\" Habersaat" Level="INFO""#,
            &[(r#"Ottilie \"Otti\" Habersaat"#, "person")],
        );
        finds("display_name=Quirin Quistorp joined", &[("Quirin Quistorp", "person")]);
        finds(r#"{"user":"quirin","n":7}"#, &[("quirin", "user")]);
        finds("username:asdasd ip:none", &[("asdasd", "user")]);
        finds("user=quirin@pam", &[("quirin", "user")]);
        finds("user=MINISTRY\\quirin", &[("quirin", "user")]);
        finds("hostname=kolibri", &[("kolibri", "host")]);
        finds("Display Name: Quirin Quistorp", &[("Quirin Quistorp", "person")]);
        finds("phone=030 123 456 (gateway)", &[("030 123 456", "phone")]);
        finds(
            r#""attendees": ["Quirin Quistorp", "Lidwien Tchoumi"]"#,
            &[("Quirin Quistorp", "person"), ("Lidwien Tchoumi", "person")],
        );
        finds("birth_date=1990-01-02 sex=f", &[("1990-01-02", "birth-date"), ("f", "sex")]);
    }

    #[test]
    fn a_value_may_stand_on_the_next_line() {
        assert_eq!(found_after("  \"password\":", "    \"hunter22\","), [("hunter22".into(), "secret".into())]);
        assert!(found_after("  \"level\":", "    \"hunter22\",").is_empty());
    }

    #[test]
    fn secrets_are_dropped_and_what_says_that_there_is_none_stays() {
        finds("mysql_password: p@ssw0r)", &[("p@ssw0r)", "secret")]);
        finds("token=abcdef0123&x=1", &[("abcdef0123", "secret")]);
        finds("Authorization: Bearer abcdef0123456", &[("abcdef0123456", "secret")]);
        finds("Cookie: a=b; c=d", &[("a=b; c=d", "secret")]);
        for line in [
            "password=",
            "password=null",
            "token: expired",
            "password: ${DB_PASSWORD}",
            "max_tokens=4096",
            "passed: 17",
        ] {
            assert!(found(line).is_empty(), "{line}: {:?}", found(line));
        }
    }

    #[test]
    fn system_accounts_and_missing_values_stay() {
        for line in [
            "user=root",
            "user=null",
            r#"user="-""#,
            "uid=1000",
            "user=",
            "host=localhost",
            "level=INFO",
            "12:30:01 x=5",
        ] {
            assert!(found(line).is_empty(), "{line}: {:?}", found(line));
        }
    }
}
