//! Bare values that are themselves a key, or code: `new user: name=otti`, `user = User(name='Otti Habersaat')`.

use super::value::{Value, value_at};
use super::{class_of_key, push};
use crate::redact::detector::Line;
use crate::redact::hit::Hits;
use crate::redact::keys::KeyClass;
use crate::redact::text::{DIGIT, IDENT, WORD, before, byte, is};

/// How far into a call its names are looked for.
const WITHIN: usize = 160;

/// The part of a bare value that says who it is; nothing where its own keys do, and of code.
///
/// Names that a call is given as `name='…'` are pushed.
pub(super) fn value_in(line: &Line<'_>, at: usize, value: Value, class: KeyClass, hits: &mut Hits) -> Option<Value> {
    let text = line.text;
    let bytes = &text[value.start..value.end];
    if value.quoted {
        return Some(value);
    }
    let sign = bytes.iter().position(|&b| !is(b, IDENT)).filter(|&place| bytes[place] == b'=');
    if let Some(place) = sign {
        let key = &bytes[..place];
        if matches!(key, b"name" | b"Name" | b"NAME") {
            let from = value.start + place + 1;
            return value_at(line, from, class, b'=').filter(|inner| inner.start < inner.end);
        }
        if class_of_key(key).is_some() {
            return None;
        }
    }
    let Some(open) = memchr::memchr(b'(', bytes) else { return Some(value) };
    let path = &bytes[..open];
    let inside = value.start + open + 1;
    let code = path.first().is_some_and(|&b| b.is_ascii_alphabetic() || b == b'_')
        && path.iter().all(|&b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b':'));
    // `quirin(uid=1000)` and `quirin(1000)` are an account and its number.
    let number = is(byte(text, inside), DIGIT) || text[inside..].starts_with(b"uid=");
    let assigned = text[at] == b'=' && before(text, 0, at) == b' ';
    let calls = assigned || path.contains(&b'.') || path.contains(&b':') || byte(text, inside) == b')';
    if number || !calls || !code {
        // What a person's name says in brackets belongs to it.
        let cut = class != KeyClass::Person && open > 0 && path.iter().all(|&b| is(b, IDENT));
        return Some(Value { end: if cut { inside - 1 } else { value.end }, ..value });
    }
    names(line, inside, hits);
    None
}

/// The names that a call is given.
fn names(line: &Line<'_>, from: usize, hits: &mut Hits) {
    let text = line.text;
    let most = text.len().min(from + WITHIN);
    for place in memchr::memmem::find_iter(&text[from..most], b"name=") {
        let start = from + place;
        let quote = start + 5;
        if !is(before(text, 0, start), WORD | IDENT) && matches!(byte(text, quote), b'"' | b'\'') {
            push(text, value_at(line, quote, KeyClass::Person, b'='), KeyClass::Person, hits);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::redact::detector::tests::{finds, found};

    #[test]
    fn a_value_that_is_a_key_is_not_the_value() {
        finds("Login: user=<otti7>, method=PLAIN", &[("otti7", "user")]);
        finds("new user: name=otti7, UID=1005", &[("otti7", "user")]);
        finds("user=YW5uYTc=", &[("YW5uYTc=", "user")]);
    }

    #[test]
    fn of_code_the_names_go_that_it_is_given() {
        finds("    user = User(name='Otti Habersaat', age=44)", &[("Otti Habersaat", "person")]);
        for line in ["account = Account.objects.get(pk=77)", "user = current_user()", "owner = Foo::bar(x)"] {
            assert!(found(line).is_empty(), "{line}: {:?}", found(line));
        }
    }

    #[test]
    fn an_account_with_its_number_is_an_account() {
        finds("user=quirin7(1000) x", &[("quirin7", "user")]);
        finds("User: Quirin7(Guest) x", &[("Quirin7", "user")]);
    }
}
