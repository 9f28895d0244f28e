//! Where the value behind a key begins and ends: quoted, in brackets, or bare.

use crate::redact::category::Category;
use crate::redact::detector::Line;
use crate::redact::keys::KeyClass;
use crate::redact::text::{self, DIGIT, IDENT, WORD, before, byte, is};

use super::name::{Words, is_stop, name_end, value_end};

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
pub(super) fn value_at(line: &Line<'_>, start: usize, class: KeyClass, sign: u8) -> Option<Value> {
    let text = line.text;
    match byte(text, start) {
        b'\\' if matches!(byte(text, start + 1), b'"' | b'\'') => {
            let quote = text[start + 1];
            let from = start + 2;
            // One that is not closed ends where what holds it does.
            let end = memchr::memmem::find(&text[from..], &[b'\\', quote])
                .map_or_else(|| closing(line, from, quote), |length| from + length);
            Some(Value { start: from, end, quoted: true, assigned: false })
        }
        quote @ (b'"' | b'\'' | b'`') => {
            let from = start + 1;
            Some(Value { start: from, end: closing(line, from, quote), quoted: true, assigned: false })
        }
        b'[' => in_brackets(line, start, class, sign),
        b'\n' | b'{' | b'}' | b']' | b'(' | b'<' | b',' | b';' | b'&' | b'|' => None,
        _ => Some(Value { start, end: unquoted(line, start, class, sign), quoted: false, assigned: sign == b'=' }),
    }
}

/// The value in the brackets that open at `start`; what is dropped goes with its brackets, so that it reads as dropped the
/// next time.
fn in_brackets(line: &Line<'_>, start: usize, class: KeyClass, sign: u8) -> Option<Value> {
    let text = line.text;
    let dropped = |from: usize| {
        let length = Category::ALL.iter().map(|category| category.dropped()).find_map(|mark| {
            text.get(from..).is_some_and(|rest| rest.starts_with(mark.as_bytes())).then_some(mark.len())
        })?;
        Some((from, from + length))
    };
    // A stand-in for a dropped value keeps its brackets, and those around it.
    if let Some((start, end)) = dropped(start) {
        return Some(Value { start, end, quoted: false, assigned: false });
    }
    if let Some((start, end)) = dropped(start + 1).filter(|&(_, end)| byte(text, end) == b']') {
        return Some(Value { start, end, quoted: true, assigned: false });
    }
    let Some(end) = closing_bracket(line, start) else {
        // A list that goes on in the next line has nothing here; a password may begin with a bracket.
        let end = unquoted(line, start, class, sign);
        let some = matches!(class, KeyClass::Drop(_)) && text[start..end].iter().any(|&b| is(b, WORD));
        return some.then_some(Value { start, end, quoted: false, assigned: false });
    };
    Some(match class {
        KeyClass::Drop(_) | KeyClass::Fitting(_) if end > start + 1 => {
            Value { start, end: end + 1, quoted: true, assigned: false }
        }
        _ => Value { start: start + 1, end, quoted: true, assigned: false },
    })
}

/// Brackets within each other that are paired.
const DEEPEST: usize = 64;

/// Where the bracket that opens at `start` is closed; the first that closes when they do not pair.
fn closing_bracket(line: &Line<'_>, start: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for at in memchr::memchr2_iter(b'[', b']', &line.text[start..]) {
        if line.text[start + at] == b'[' {
            depth += 1;
        } else {
            depth -= 1;
        }
        if depth == 0 {
            return Some(start + at);
        }
        if depth > DEEPEST {
            break;
        }
    }
    let first = memchr::memchr(b']', &line.text[start..]).map(|at| start + at);
    if first.is_none() || depth <= DEEPEST {
        line.reached(line.text.len());
    }
    first
}

/// Where the quotation that begins at `from` ends; a backslash hides the quote after it.
fn closing(line: &Line<'_>, from: usize, quote: u8) -> usize {
    let text = line.text;
    let mut at = from;
    while let Some(offset) = text.get(at..).and_then(|rest| memchr::memchr2(quote, b'\\', rest)) {
        at += offset;
        if text[at] == quote {
            return at;
        }
        at += 2;
    }
    line.reached(text.len())
}

fn unquoted(line: &Line<'_>, start: usize, class: KeyClass, sign: u8) -> usize {
    let text = line.text;
    let mut end = text[start..].iter().position(|&b| is_stop(b)).map_or(text.len(), |length| start + length);
    match class {
        KeyClass::Person | KeyClass::User => {
            end = value_end(text, start);
            let escaped = text[start..end].iter().any(|b| matches!(b, b'%' | b'+'));
            if !escaped && !in_query(text, start) {
                let words = if class == KeyClass::Person { Words::Person } else { Words::Account };
                end = name_end(text, start, end, words);
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
        KeyClass::Drop(_) | KeyClass::Fitting(_) if sign == b':' => {
            end = text[start..]
                .iter()
                .position(|&b| matches!(b, b',' | b';' | b'"' | b'}' | b'|'))
                .map_or(text.len(), |l| start + l);
        }
        _ => {}
    }
    start + text[start..line.reached(end)].trim_ascii_end().len()
}

/// Whether the value at `start` is one of the query of an address, which ends at the blank.
fn in_query(text: &[u8], start: usize) -> bool {
    let Some(sign) = start.checked_sub(1).filter(|&sign| text[sign] == b'=') else { return false };
    let key = text::run_back(text, sign.saturating_sub(64), sign, IDENT);
    matches!(before(text, 0, key), b'?' | b'&' | b'#')
}
