//! Keys that are themselves values: `<Data Name="TargetUserName">otti</Data>`, `name="password" value="x"`, `- name: DB_PASSWORD`
//! with `value: x` on the next line; and LDIF, where a second colon says that the value is in Base64.

use super::value::value_at;
use super::{is_placeholder, value_hits};
use crate::redact::category::Category;
use crate::redact::detector::Line;
use crate::redact::hit::{Form, Hits, rank};
use crate::redact::keys::{self, KeyClass};
use crate::redact::text::{self, IDENT, SPACE, before, byte, is};

/// Farthest that a name and its value may be from each other.
const FARTHEST: usize = 160;

fn class_of(key: &[u8]) -> Option<KeyClass> {
    keys::class_of(key).or_else(|| keys::is_secret_key(key).then_some(KeyClass::Drop(Category::Secret)))
}

/// Looks at the words `name`, `key` and `value`.
pub(super) fn named(line: &Line<'_>, start: usize, end: usize, hits: &mut Hits) {
    let text = line.text;
    let quote = byte(text, end + 1);
    let attribute = byte(text, end) == b'=' && matches!(quote, b'"' | b'\'') && is(before(text, 0, start), SPACE);
    if attribute && !text[start..end].eq_ignore_ascii_case(b"value") {
        attribute_pair(line, end + 2, quote, hits);
    } else if byte(text, end) == b'"'
        && before(text, 0, start) == b'"'
        && text[start..end].eq_ignore_ascii_case(b"value")
    {
        json_pair(line, start - 1, end + 1, hits);
    } else if byte(text, end) == b'>' && before(text, 0, start) == b'<' && text[start..end].eq_ignore_ascii_case(b"key")
    {
        property_list(line, end + 1, hits);
    }
}

/// Notes that there is no end in the piece of the line that is seen.
fn none(line: &Line<'_>) -> Option<usize> {
    line.reached(line.text.len());
    None
}

/// `Name="K">V<`, `name="K" value="V"`; `from` is where K begins.
fn attribute_pair(line: &Line<'_>, from: usize, quote: u8, hits: &mut Hits) {
    let text = line.text;
    let to = text::run(text, from, IDENT);
    if byte(text, to) != quote {
        return;
    }
    let Some(class) = class_of(&text[from..to]) else { return };
    let most = text.len().min(to + FARTHEST);
    let rest = &text[to + 1..most];
    if let Some(place) = memchr::memmem::find(rest, b"alue=").map(|place| to + 1 + place + 5) {
        let quote = byte(text, place);
        if matches!(quote, b'"' | b'\'')
            && let Some(length) = memchr::memchr2(quote, b'<', &text[place + 1..]).or_else(|| none(line))
        {
            value_hits(text, place + 1, place + 1 + length, class, hits);
        }
    } else if let Some(place) = memchr::memchr(b'>', rest).map(|place| to + 2 + place)
        && text[place - 2] != b'/'
        && let Some(length) = memchr::memchr(b'<', &text[place..]).or_else(|| none(line))
    {
        value_hits(text, place, place + length, class, hits);
    }
}

/// `{"name":"K","value":"V"}`; `at` is the quotation mark before `value`.
fn json_pair(line: &Line<'_>, at: usize, end: usize, hits: &mut Hits) {
    let text = line.text;
    let floor = at.saturating_sub(FARTHEST);
    let near = &text[floor..at];
    let begin = memchr::memrchr(b'{', near).map_or(0, |place| place + 1);
    let key = [&b"\"name\""[..], b"\"key\"", b"\"Name\"", b"\"Key\""]
        .iter()
        .find_map(|word| memchr::memmem::find(&near[begin..], word).map(|place| floor + begin + place + word.len()));
    let Some(key) = key else { return };
    let from = text::run(text, text::run(text, key, SPACE) + 1, SPACE);
    let to = text::run(text, from + 1, IDENT);
    if byte(text, from) != b'"' || byte(text, to) != b'"' {
        return;
    }
    let Some(class) = class_of(&text[from + 1..to]) else { return };
    let from = text::run(text, text::run(text, end, SPACE) + 1, SPACE);
    if matches!(byte(text, from), b'"' | b'\\')
        && let Some(value) = value_at(line, from, class, b'=')
    {
        value_hits(text, value.start, value.end, class, hits);
    }
}

/// `<key>K</key><string>V</string>`
fn property_list(line: &Line<'_>, from: usize, hits: &mut Hits) {
    let text = line.text;
    let to = text::run(text, from, IDENT);
    let Some(class) = class_of(&text[from..to]) else { return };
    let rest = &text[to..text.len().min(to + FARTHEST)];
    if rest.starts_with(b"</")
        && let Some(place) = memchr::memmem::find(rest, b"<string>").map(|place| to + place + 8)
        && let Some(length) = memchr::memchr(b'<', &text[place..]).or_else(|| none(line))
    {
        value_hits(text, place, place + length, class, hits);
    }
}

/// `value: x` under `- name: DB_PASSWORD`, as Kubernetes and CI systems write their environments.
pub(super) fn on_next_line(line: &Line<'_>, hits: &mut Hits) {
    let text = line.text;
    let start = text::run(text, 0, SPACE);
    let Some(rest) = text[start..].strip_prefix(b"value:") else { return };
    let previous = line.previous.trim_ascii();
    let previous = previous.strip_prefix(b"- ").unwrap_or(previous).trim_ascii_start();
    let Some(key) = previous.strip_prefix(b"name:").or_else(|| previous.strip_prefix(b"key:")) else { return };
    let key = key.trim_ascii().trim_ascii_start();
    let key = key.strip_prefix(b"\"").and_then(|key| key.strip_suffix(b"\"")).unwrap_or(key);
    let Some(class) = class_of(key) else { return };
    let from = text.len() - rest.len();
    let from = text::run(text, from, SPACE);
    if let Some(value) = value_at(line, from, class, b'=') {
        value_hits(text, value.start, value.end, class, hits);
    }
}

/// `userPassword:: e1NTSEF9…`, for the first colon at `at`.
pub(super) fn ldif(text: &[u8], at: usize, hits: &mut Hits) {
    let start = text::run(text, 0, SPACE);
    let key = &text[start..at.max(start)];
    let class = match text::fold(key).as_str() {
        "cn" | "sn" => Some(KeyClass::Person),
        _ => class_of(key),
    };
    let Some(class) = class else { return };
    let from = text::run(text, at + 2, SPACE);
    let to = from + text[from..].iter().position(|&b| is(b, SPACE)).unwrap_or(text.len() - from);
    let signs = &text[from..to];
    let encoded =
        signs.len() >= 4 && signs.iter().all(|&b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'='));
    if !encoded || !key.iter().all(|&b| is(b, IDENT)) || is_placeholder(signs) {
        return;
    }
    let category = match class {
        KeyClass::Person => Category::Person,
        KeyClass::User => Category::User,
        KeyClass::Phone => Category::Phone,
        KeyClass::Drop(category) => category,
        _ => return,
    };
    hits.push(from, to, category, Form::Drop, rank::SECRET);
}

#[cfg(test)]
mod tests {
    use crate::redact::detector::tests::{finds, found, found_after};

    #[test]
    fn a_name_beside_its_value_is_a_key() {
        finds(r#"<Data Name="TargetUserName">otti</Data>"#, &[("otti", "user")]);
        finds(r#"<add key="Password" value="geh3im"/>"#, &[("geh3im", "secret")]);
        finds(r#"<property name='password'>geh3im</property>"#, &[("geh3im", "secret")]);
        finds(r#"{"name":"DB_PASSWORD","value":"geh3im"}"#, &[("geh3im", "secret")]);
        finds("<key>password</key><string>geh3im</string>", &[("geh3im", "secret")]);
        finds("userPassword:: e1NTSEF9YWJjZA==", &[("e1NTSEF9YWJjZA==", "secret")]);
        finds("cn:: T3R0aWxpZQ==", &[("T3R0aWxpZQ==", "person")]);
        assert_eq!(
            found_after("  - name: DB_PASSWORD", "    value: geh3im"),
            [("geh3im".to_owned(), "secret".to_owned())]
        );
    }

    #[test]
    fn other_names_stay() {
        for line in [
            r#"<Data Name="LogonType">3</Data>"#,
            r#"<input name="password" type="password"/>"#,
            r#"{"name":"LEVEL","value":"debug"}"#,
            "std::string value = name::first",
            "name: value",
        ] {
            assert!(found(line).is_empty(), "{line}: {:?}", found(line));
        }
        assert!(found_after("  - name: LEVEL", "    value: debug").is_empty());
    }
}
