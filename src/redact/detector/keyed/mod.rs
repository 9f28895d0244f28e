//! Values beside a key that says what they are: `Participant="Anna"`, `"user": "anna"`, `user=anna`, `Password: x`.
//!
//! Here a key and its value are brought together: [`key`] knows what is a key, [`value`] where a value begins and ends,
//! [`secret`] what a password may look like.

mod code;
mod key;
mod name;
mod named;
mod place;
mod placeholder;
mod query;
mod secret;
mod value;

use std::ops::Range;

use super::host::push_host;
use super::ip::is_ip6_token;
use super::{Detector, Line};
use crate::redact::category::Category;
use crate::redact::common::{is_architecture, is_common, is_no_value, is_nobody, is_system_user};
use crate::redact::fit::Fit;
use crate::redact::hit::{Form, Group, Hits, rank};
use crate::redact::keys::KeyClass;
use crate::redact::masks::{Shape, Signs};
use crate::redact::shape::json;
use crate::redact::text::{self, DIGIT, IDENT, SPACE, WORD, before, byte, is, is_uuid};

pub(crate) use self::key::{before_gap, class_of_key, key_before};
pub(crate) use self::name::{Words, is_particle, name_end};
pub(crate) use self::placeholder::is_placeholder;

use self::key::key_in;
use self::secret::secret;
use self::value::{Value, value_at};

pub(crate) struct Keyed;

impl Detector for Keyed {
    fn anchors(&self) -> &'static [u8] {
        b"=:"
    }

    fn shape(&self, _anchor: u8) -> Shape {
        Shape::Key
    }

    fn words(&self) -> &'static [&'static str] {
        &["name", "key", "value"]
    }

    fn at_word(&self, line: &Line<'_>, start: usize, end: usize, hits: &mut Hits) {
        named::named(line, start, end, hits);
    }

    fn at_anchor(&self, line: &Line<'_>, at: usize, _skip: &mut usize, hits: &mut Hits) {
        let text = line.text;
        let (last, next) = (before(text, 0, at), byte(text, at + 1));
        // `key := value`, `key ?= value`, `key += value`
        let sign = if text[at] == b'=' && matches!(last, b':' | b'?' | b'+') { at - 1 } else { at };
        let not_a_key = if text[at] == b':' {
            is(last, DIGIT) && is(next, DIGIT)
                || next == b':'
                || next == b'='
                || last == b':'
                || next == b'/' && byte(text, at + 2) == b'/'
        } else {
            next == b'=' || matches!(last, b'=' | b'!' | b'<' | b'>')
        };
        if not_a_key {
            return;
        }
        if let Some((key, class)) = key_in(line, sign) {
            value_of(line, key, at, class, hits);
        }
    }

    fn at_line_start(&self, line: &Line<'_>, _signs: Signs, hits: &mut Hits) {
        named::on_next_line(line, hits);
        let attribute = text::run(line.text, 0, IDENT);
        if attribute > 0 && line.text[attribute..].starts_with(b":: ") {
            named::ldif(line.text, attribute, hits);
        }
        // `"password":` at the end of a line, its value on the next.
        let previous = line.previous.trim_ascii_end();
        let Some((b':' | b'=', _)) = previous.split_last() else { return };
        if let Some((_, class)) = key_before(previous, previous.len() - 1) {
            let start = text::run(line.text, 0, SPACE);
            let number = class == KeyClass::Phone && matches!(byte(line.text, start), b'0'..=b'9' | b'(');
            if number || matches!(byte(line.text, start), b'"' | b'\'') {
                let value = value_at(line, start, class, b'=');
                push(line.text, value, class, hits);
            }
        }
    }
}

fn value_of(line: &Line<'_>, key: &[u8], at: usize, class: KeyClass, hits: &mut Hits) {
    let text = line.text;
    let mut start = at + 1;
    if text[at] == b'=' && byte(text, start) == b'>' {
        start += 1;
    }
    // `logname= uid=0` has no value; `key = value` has one.
    if text[at] == b':' || matches!(before(text, 0, at), b' ' | b'\t') {
        start = text::run(text, start, SPACE);
    }
    if byte(text, start) == b'[' && matches!(byte(text, start + 1), b'"' | b'\'') {
        return list(line, start + 1, class, hits);
    }
    if byte(text, start) == b'[' && before(text, 0, at) == b'"' {
        return; // a list of JSON, whose values the text's shape knows
    }
    if class == KeyClass::Drop(Category::Secret) {
        return secret(line, key, at, start, hits);
    }
    if let KeyClass::Fitting(fit @ (Fit::Session | Fit::Source)) = class {
        let value = value_at(line, start, class, b'=');
        if value.is_some_and(|value| fit.holds(with_remote(text, value))) {
            secret(line, key, at, start, hits);
        }
        return;
    }
    // `node:fs` is a module.
    if text[at] == b':' && start == at + 1 && key.eq_ignore_ascii_case(b"node") {
        return;
    }
    let mut value = value_at(line, start, class, text[at]);
    if matches!(class, KeyClass::Person | KeyClass::User | KeyClass::Fitting(Fit::Login)) {
        value = value.and_then(|value| code::value_in(line, at, value, class, hits));
    }
    // JSON in a string: its own keys, and this one for what they do not say, are read by the text's shape.
    let json = matches!(class, KeyClass::Person | KeyClass::User | KeyClass::Host)
        && value.is_some_and(|value| value.quoted && json::begins(&text[value.start..value.end]));
    if !json {
        push(text, value, class, hits);
    }
}

/// A session's value with the other half of SIP's pair (RFC 7989, section 5).
fn with_remote(text: &[u8], value: Value) -> &[u8] {
    let rest = &text[value.end..];
    let more = if rest.starts_with(b";remote=") { text::run(rest, 8, WORD).min(128) } else { 0 };
    &text[value.start..value.end + more]
}

/// A JSON list of strings on one line.
fn list(line: &Line<'_>, mut at: usize, class: KeyClass, hits: &mut Hits) {
    let text = line.text;
    while matches!(byte(text, at), b'"' | b'\'') {
        let value = value_at(line, at, class, b'=');
        push(text, value, class, hits);
        at = value.map_or(at + 1, |value| value.end + 1);
        at = line.reached(text::run(text, at, SPACE));
        if byte(text, at) != b',' {
            return;
        }
        at = line.reached(text::run(text, at + 1, SPACE));
    }
}

/// Finds what `text[start..end]` is as the whole value of a key or column of this class: a cell, a field, an element's text.
///
/// Blanks around it are not part of the value. What says that there is no value, accounts of the system, and addresses,
/// which have detectors of their own, give nothing.
pub(crate) fn value_hits(text: &[u8], start: usize, end: usize, class: KeyClass, hits: &mut Hits) {
    let end = start + text[start..end].trim_ascii_end().len();
    let start = end - text[start..end].trim_ascii_start().len();
    let secret = match class {
        KeyClass::Drop(category) => category == Category::Secret,
        KeyClass::Fitting(fit) => fit.category() == Category::Secret,
        _ => false,
    };
    if secret && is_placeholder(&text[start..end]) {
        return;
    }
    push(text, Some(Value { start, end, quoted: true, assigned: true }), class, hits);
}

/// Pushes a value as what its key says, unless a better detector of addresses takes it.
fn push(text: &[u8], value: Option<Value>, class: KeyClass, hits: &mut Hits) {
    let Some(value) = value.filter(|value| value.start < value.end) else { return };
    let bytes = &text[value.start..value.end];
    if bytes.len() < 64 && is_no_value(&text::fold(bytes)) {
        return;
    }
    let rank = rank::KEYED;
    if matches!(class, KeyClass::Person | KeyClass::User)
        && let Some(name) = display_name(bytes)
    {
        if bytes[name.clone()].iter().any(|&b| is(b, WORD) && !is(b, DIGIT)) {
            let (start, end) = (value.start + name.start, value.start + name.end);
            hits.push(start, end, Category::Person, Form::Text(Group::Person), rank::DISPLAY_NAME);
        }
        return;
    }
    match class {
        KeyClass::Person | KeyClass::User if is_address(bytes) => {}
        KeyClass::Person if place::is_nobody(bytes) => {}
        KeyClass::Person => {
            // `Participant=7` is a number of something.
            if bytes.iter().any(|&b| is(b, WORD) && !is(b, DIGIT)) {
                hits.push(value.start, value.end, Category::Person, Form::Text(Group::Person), rank);
            } else if value.quoted || phone_like(bytes, 7) {
                number(value, bytes, hits);
            }
        }
        // "Annika Lindqvist" as the name of an account is a person's.
        KeyClass::User if name::is_name(bytes) => {
            hits.push(value.start, value.end, Category::Person, Form::Text(Group::Person), rank);
        }
        KeyClass::User => user(text, value, hits),
        KeyClass::Host => host(text, value, hits),
        KeyClass::Phone if phone_like(bytes, 4) => {
            hits.push(value.start, value.end, Category::Phone, Form::Phone, rank);
        }
        KeyClass::Phone | KeyClass::CallId => {}
        KeyClass::Device => hits.push(value.start, value.end, Category::DeviceId, Form::Text(Group::Device), rank),
        KeyClass::Conference => {
            hits.push(value.start, value.end, Category::Conference, Form::Text(Group::Conference), 0);
        }
        // `company=0` is a number of one.
        KeyClass::Drop(Category::Employer) if bytes.len() <= 4 && bytes.iter().all(|&b| is(b, DIGIT)) => {}
        KeyClass::Drop(category) => hits.push(value.start, value.end, category, Form::Drop, rank),
        KeyClass::Fitting(fit) if !fit.holds(bytes) => {}
        KeyClass::Fitting(Fit::Login) => user(text, value, hits),
        KeyClass::Fitting(fit) => hits.push(value.start, value.end, fit.category(), Form::Drop, rank),
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
    // `uid=1000(anna)` is a number; who it is stands in the brackets, and is found there.
    let id = !value.quoted && byte(name, text::run(name, 0, DIGIT)) == b'(' && is(name[0], DIGIT);
    if id || is_system_user(&folded) || is_nobody(&folded) || !name.iter().any(|&b| is(b, WORD)) || name.len() > 256 {
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
    // A parameter of SIP's addresses (RFC 3261, 19.1.1) says what the part before `@` is.
    if matches!(folded.as_str(), "phone" | "ip" | "dialstring") && text[..value.start].ends_with(b";user=") {
        return;
    }
    if !value.quoted && placeholder::is_type(bytes, byte(text, value.end)) {
        return;
    }
    // `uname` is also how systems say what they are.
    if ["linux", "darwin", "freebsd", "windows", "sunos"].iter().any(|system| folded.starts_with(system)) {
        return;
    }
    // `NT AUTHORITY\SYSTEM`, `NT SERVICE\x`
    let system = text[value.start..].get(..3).is_some_and(|nt| nt.eq_ignore_ascii_case(b"nt "));
    if system || place::is_no_account(name) {
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
    let hex =
        |count: usize| bytes[at + 1..].iter().skip(1).take(count).filter(|b| b.is_ascii_hexdigit()).count() == count;
    let escape = !doubled
        && match next {
            b'u' => hex(4),
            b'x' => hex(2),
            _ => matches!(next, b'n' | b'r' | b't' | b'b' | b'f'),
        };
    let plain = !domain.is_empty() && domain.iter().all(|&b| is(b, IDENT));
    if plain && is(next, WORD) && !escape { at + 1 } else { 0 }
}

/// A computer's name; a domain is kept apart so that it has the same stand-in in every name.
fn host(text: &[u8], value: Value, hits: &mut Hits) {
    let bytes = &text[value.start..value.end];
    let end = value.start + text::run(bytes, 0, IDENT);
    if is_architecture(&text::fold(&text[value.start..end])) {
        return;
    }
    push_host(text, value.start, end, Category::Host, rank::KEYED, hits);
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

/// Where the name stands in a value that is a name and an address, `\"Anna\" <sip:anna@amt.example>;tag=7` (RFC 3261, 25.1,
/// name-addr; RFC 5322, 3.4): what is in the brackets has detectors of its own. Nothing for one address without brackets, and
/// for a list of them.
fn display_name(bytes: &[u8]) -> Option<Range<usize>> {
    let open = memchr::memchr(b'<', bytes)?;
    let close = open + memchr::memchr(b'>', &bytes[open..])?;
    let (address, behind) = (&bytes[open + 1..close], &bytes[close + 1..]);
    if !is_address(address) || behind.iter().any(|&b| matches!(b, b'<' | b',' | b'"')) {
        return None;
    }
    let blank = |&b: &u8| is(b, SPACE) || matches!(b, b'"' | b'\'' | b'\\');
    let start = bytes[..open].iter().position(|b| !blank(b)).unwrap_or(open);
    let end = bytes[..open].iter().rposition(|b| !blank(b)).map_or(open, |last| last + 1);
    Some(start..end.max(start))
}

fn phone_like(bytes: &[u8], least: usize) -> bool {
    let digits = bytes.iter().filter(|&&b| is(b, DIGIT)).count();
    (least..=15).contains(&digits)
        && bytes.iter().all(|&b| is(b, DIGIT) || matches!(b, b' ' | b'-' | b'.' | b'(' | b')' | b'/' | b'+'))
}

/// Pushes the value behind the `=` or `:` at `at`, beside a key that is of a class.
pub(crate) fn value_behind(line: &Line<'_>, key: &[u8], at: usize, class: KeyClass, hits: &mut Hits) {
    value_of(line, key, at, class, hits);
}

#[cfg(test)]
mod tests {
    use super::*;
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
    fn of_a_name_with_an_address_the_key_tells_the_name() {
        for line in [
            r#"Contact="\"Habersaat, Otti\" <sip:+3225550142@gw.amt.example:5061;transport=tls>" User-Agent="X/5""#,
            r#"Participant="Habersaat, Otti <sip:otti@amt.example>;tag=4""#,
            r#"{"contact":"\"Habersaat, Otti\" <sip:otti@amt.example>"}"#,
        ] {
            let people: Vec<_> = found(line).into_iter().filter(|(_, category)| category != "uri").collect();
            assert_eq!(people, [(String::from("Habersaat, Otti"), String::from("person"))], "{line}");
        }
        assert!(found(r#"Contact="<sip:otti@amt.example>""#).iter().all(|(_, category)| category == "uri"));
        assert!(
            found(r#"contact="a < b > c""#).iter().any(|(_, category)| category == "user"),
            "no address, no brackets"
        );
    }

    #[test]
    fn a_cell_is_what_its_column_says() {
        let whole = |text: &str, class| {
            let mut hits = Hits::default();
            value_hits(text.as_bytes(), 0, text.len(), class, &mut hits);
            hits.found.iter().map(|hit| text[hit.start..hit.end].to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(whole(" Ottilie Habersaat ", KeyClass::Person), ["Ottilie Habersaat"]);
        assert_eq!(whole("AMT\\quirin", KeyClass::User), ["quirin"]);
        assert_eq!(whole("geh3im", KeyClass::Drop(Category::Secret)), ["geh3im"]);
        for (text, class) in [
            ("", KeyClass::Person),
            ("  ", KeyClass::Person),
            ("NULL", KeyClass::User),
            ("otti@amt.example", KeyClass::User),
            ("****", KeyClass::Drop(Category::Secret)),
        ] {
            assert!(whole(text, class).is_empty(), "{text}");
        }
    }

    #[test]
    fn a_value_may_stand_on_the_next_line() {
        assert_eq!(found_after("  \"password\":", "    \"hunter22\","), [("hunter22".into(), "secret".into())]);
        assert!(found_after("  \"level\":", "    \"hunter22\",").is_empty());
    }

    #[test]
    fn system_accounts_and_missing_values_stay() {
        for line in [
            "user=root",
            "user=null",
            "<sip:@;user=phone>",
            r#"user="-""#,
            "uid=1000",
            "user=",
            "host=localhost",
            "level=INFO",
            "Owner: changes",
            "MACHINE=\"x86_64\"",
            "12:30:01 x=5",
        ] {
            assert!(found(line).is_empty(), "{line}: {:?}", found(line));
        }
    }
}
