//! Where the value behind a key begins and ends: quoted, in brackets, or bare.

use crate::redact::category::Category;
use crate::redact::keys::KeyClass;
use crate::redact::text::{DIGIT, SPACE, WORD, byte, is};

/// A value's place, and whether it was in quotes or brackets.
#[derive(Clone, Copy)]
pub(super) struct Value {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) quoted: bool,
    /// It stands right behind `=`.
    pub(super) assigned: bool,
}
/// The value that begins at `start`.
pub(super) fn value_at(text: &[u8], start: usize, class: KeyClass, sign: u8) -> Option<Value> {
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
