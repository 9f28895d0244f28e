//! Statements of SQL in a line of a log, and what databases say about the keys of rows.
//!
//! `LOG: statement: INSERT INTO users (username) VALUES ('anna')`, `Key (username)=(anna) already exists.`,
//! `Duplicate entry 'anna' for key 'users.username'`.

use super::{Detector, Line, class_of_key, value_hits};
use crate::redact::hit::Hits;
use crate::redact::keys::KeyClass;
use crate::redact::shape::sql;
use crate::redact::text::{self, IDENT, SPACE, WORD, byte};

pub(crate) struct Statement;

/// Most columns of a key, and how far a key and its values reach, in bytes.
const MOST_COLUMNS: usize = 16;
const FARTHEST: usize = 512;

impl Detector for Statement {
    fn words(&self) -> &'static [&'static str] {
        &["into", "key", "duplicate"]
    }

    fn at_word(&self, line: &Line<'_>, start: usize, end: usize, hits: &mut Hits) {
        let text = line.text;
        match text[start..end].first().map(u8::to_ascii_lowercase) {
            Some(b'i') => {
                let last = text[..start].trim_ascii_end();
                let verb = &last[text::run_back(last, last.len().saturating_sub(8), last.len(), WORD)..];
                if [&b"insert"[..], b"ignore", b"replace"].iter().any(|known| verb.eq_ignore_ascii_case(known)) {
                    sql::within(text, end, &class_of_key, &mut |start, end, class| {
                        value_hits(text, start, end, class, hits);
                    });
                    line.reached(text.len());
                }
            }
            Some(b'k') => key(text, end, hits),
            _ => duplicate(text, end, hits),
        }
    }
}

/// `Key (first_name, last_name)=(Anna, Muster) already exists.`
fn key(text: &[u8], end: usize, hits: &mut Hits) {
    if !text[end..].starts_with(b" (") {
        return;
    }
    let near = &text[..text.len().min(end + FARTHEST)];
    let Some(sign) = memchr::memmem::find(&near[end..], b")=(").map(|place| end + place) else { return };
    let names = &text[end + 2..sign];
    let classes: Vec<_> = names.split(|&b| b == b',').take(MOST_COLUMNS).map(class_of_column).collect();
    let from = sign + 3;
    let rest = &near[from..];
    let told = [b") already".as_slice(), b") is ", b") conflicts", b") not "];
    let to = told.iter().filter_map(|words| memchr::memmem::find(rest, words)).min();
    let Some(to) = to.or_else(|| memchr::memchr(b')', rest)).map(|length| from + length) else { return };
    let values = text[from..to].split(|&b| b == b',').count();
    let mut at = from;
    for (place, value) in text[from..to].split(|&b| b == b',').enumerate() {
        let class = match classes.len() {
            // A value holds a comma of its own.
            1 => classes[0],
            count if count != values => classes.iter().copied().flatten().next(),
            _ => classes[place],
        };
        let stop = if classes.len() == 1 { to } else { at + value.len() };
        if let Some(class) = class {
            value_hits(text, at, stop, class, hits);
        }
        if classes.len() == 1 {
            return;
        }
        at = stop + 1;
    }
}

/// What a column of a key holds, also as `lower(email::text)`.
fn class_of_column(column: &[u8]) -> Option<KeyClass> {
    let column = column.trim_ascii();
    let open = memchr::memrchr(b'(', column).map_or(0, |at| at + 1);
    let from = open + usize::from(byte(column, open) == b'"');
    class_of_key(&column[from..text::run(column, from, IDENT)])
}

/// `Duplicate entry 'anna' for key 'users.username'`
fn duplicate(text: &[u8], end: usize, hits: &mut Hits) {
    let Some(rest) = text[end..].strip_prefix(b" entry '") else { return };
    let start = text.len() - rest.len();
    let rest = &rest[..rest.len().min(FARTHEST)];
    let Some(length) = memchr::memmem::find(rest, b"' for key ") else { return };
    let name = text::run(text, start + length + 10, SPACE);
    let from = name + usize::from(matches!(byte(text, name), b'\'' | b'"' | b'`'));
    let key = &text[from..text::run(text, from, IDENT)];
    // `users.username`, `username_UNIQUE`, `idx_users_username`
    let whole = key.rsplit(|&b| b == b'.').next().unwrap_or(key);
    let words = whole.split(|&b| b == b'_').filter(|word| !word.eq_ignore_ascii_case(b"users"));
    let class = class_of_key(whole).or_else(|| words.rev().find_map(class_of_key));
    if let Some(class) = class {
        value_hits(text, start, start + length, class, hits);
    }
}

#[cfg(test)]
mod tests {
    use crate::redact::detector::tests::{finds, found};

    #[test]
    fn statements_in_logs_are_read_by_their_columns() {
        finds(
            "LOG:  statement: INSERT INTO users (id, username, last_name) VALUES (1,'hkarlsen','Karlsen')",
            &[("hkarlsen", "user"), ("Karlsen", "person")],
        );
        finds("insert into users(n,first_name) values (7, 'Zoë')", &[("Zoë", "person")]);
        finds("DETAIL:  Key (username)=(wgombrowicz) already exists.", &[("wgombrowicz", "user")]);
        finds("Key (id, last_name)=(7, O'Dea) already exists.", &[("O'Dea", "person")]);
        finds("Key (lower(username::text))=(wgombrowicz) already exists.", &[("wgombrowicz", "user")]);
        finds("Duplicate entry 'wgombrowicz' for key 'users.username'", &[("wgombrowicz", "user")]);
        finds("Duplicate entry 'wgombrowicz' for key 'username_UNIQUE'", &[("wgombrowicz", "user")]);
    }

    #[test]
    fn rows_that_say_nothing_of_people_stay() {
        for line in [
            "insert into codecs (id, name) values (1, 'Opus')",
            "insert into the queue (later) and into the cache",
            "INSERT INTO users VALUES (1,'x')",
            "Key (id)=(7) already exists. Key (codec)=(Opus) is not present",
            "press Key (F1)=(help)",
            "Duplicate entry '7-12' for key 'PRIMARY'",
        ] {
            assert!(found(line).is_empty(), "{line}: {:?}", found(line));
        }
    }
}
