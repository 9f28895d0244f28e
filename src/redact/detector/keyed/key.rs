//! The key before a `:` or `=`, and what it says its value is.

use std::cell::RefCell;

use super::query::is_guest_name;
use crate::redact::category::Category;
use crate::redact::detector::Line;
use crate::redact::fit::Fit;
use crate::redact::keys::{self, KeyClass};
use crate::redact::text::{self, DIGIT, HEX, IDENT, is};

const LONGEST_KEY: usize = 64;
/// Most blanks and tabs between an aligned key and its sign.
pub(crate) const WIDEST_GAP: usize = 40;

/// The key that ends before the `:` or `=` at `at` of a line, if it is a known one.
pub(super) fn key_in<'t>(line: &Line<'t>, at: usize) -> Option<(&'t [u8], KeyClass)> {
    key_with(line.text, at, |floor, end| line.ident_start(floor, end))
}

/// The same in any text.
pub(crate) fn key_before(text: &[u8], at: usize) -> Option<(&[u8], KeyClass)> {
    key_with(text, at, |floor, end| text::run_back(text, floor, end, IDENT))
}

#[inline]
fn key_with(text: &[u8], at: usize, ident_start: impl Fn(usize, usize) -> usize) -> Option<(&[u8], KeyClass)> {
    let mut end = before_gap(text, at);
    let mut quoted = false;
    if end > 0 && matches!(text[end - 1], b'"' | b'\'' | b']' | b'*') {
        quoted = true;
        end -= 1;
        while end > 0 && at - end < LONGEST_KEY && matches!(text[end - 1], b'\\' | b'*') {
            end -= 1;
        }
    }
    let start = ident_start(end.saturating_sub(LONGEST_KEY), end);
    if start == end {
        return None;
    }
    // `["password"]: x` and `x[password]=`, but not the end of `program[gdm-password]: x`.
    if text[end] == b']' && quoted && !matches!(text::before(text, 0, start), b'[' | b'"' | b'\'') {
        return None;
    }
    let key = &text[start..end];
    // A number or an address is no key: `sshd[12]:`, `10.0.0.1:80`.
    if is(key[key.len() - 1], DIGIT) && key.iter().all(|&b| is(b, DIGIT) || matches!(b, b'.' | b'-' | b'_')) {
        return None;
    }
    // Neither is a part of an address: no key is made of a few hexadecimal digits, one of them a number's.
    if key.len() <= 4 && key.iter().all(|&b| is(b, HEX)) && key.iter().any(|&b| is(b, DIGIT)) {
        return None;
    }
    if let Some(class) = class_of(text, start, end) {
        return Some((key, class));
    }
    if end == at && text[at] == b'=' && is_guest_name(text, start, end) {
        return Some((key, KeyClass::Person));
    }
    if text[at] == b':' && !quoted && start > 1 && text[start - 1] == b' ' {
        let first = ident_start((start - 1).saturating_sub(LONGEST_KEY), start - 1);
        if first < start - 1 {
            return class_of_two(text, first, start, end).map(|class| (key, class));
        }
    }
    None
}

/// Where the key before the sign at `at` ends: settings and listings align their signs with blanks or tabs.
#[inline]
pub(crate) fn before_gap(text: &[u8], at: usize) -> usize {
    let floor = at.saturating_sub(WIDEST_GAP);
    let mut end = at;
    while end > floor && matches!(text[end - 1], b' ' | b'\t') {
        end -= 1;
    }
    end
}

const CACHED: usize = 1024;
const CACHED_KEY: usize = 39;

#[derive(Clone, Copy)]
struct Cached {
    hash: u64,
    key: [u8; CACHED_KEY],
    length: u8,
    class: Option<KeyClass>,
}

thread_local! {
    /// Logs use the same few keys again and again.
    static CACHE: RefCell<Vec<Cached>> =
        RefCell::new(vec![Cached { hash: 0, key: [0; CACHED_KEY], length: 0, class: None }; CACHED]);
}

/// What the value beside `key` is, if the key, its last part or a word of it says so.
pub(crate) fn class_of_key(key: &[u8]) -> Option<KeyClass> {
    class_of(key, 0, key.len())
}

fn class_of(text: &[u8], start: usize, end: usize) -> Option<KeyClass> {
    let key = &text[start..end];
    cached(key, text::word_hash_in(text, start, end), || class_of_uncached(key))
}

/// The class of a key of two words, the first from `first` to the blank before `start`.
fn class_of_two(text: &[u8], first: usize, start: usize, end: usize) -> Option<KeyClass> {
    // With the blank between them they are unlike any single key.
    let both = &text[first..end];
    cached(both, text::word_hash(both), || keys::class_of_two(&text[first..start - 1], &text[start..end]))
}

#[inline]
fn cached(key: &[u8], hash: u64, class: impl FnOnce() -> Option<KeyClass>) -> Option<KeyClass> {
    if key.len() > CACHED_KEY {
        return class();
    }
    CACHE.with_borrow_mut(|cache| {
        let slot = &mut cache[(hash >> 54) as usize % CACHED];
        if slot.hash != hash || slot.key[..usize::from(slot.length)] != *key {
            slot.class = class();
            slot.hash = hash;
            slot.length = u8::try_from(key.len()).unwrap_or(0);
            slot.key[..key.len()].copy_from_slice(key);
        }
        slot.class
    })
}

fn class_of_uncached(key: &[u8]) -> Option<KeyClass> {
    let last = key.iter().rposition(|&b| b == b'.').map_or(key, |dot| &key[dot + 1..]);
    // FreeSWITCH puts the part of a call before each of its keys.
    let part = PARTS.iter().find_map(|part| key.strip_prefix(part.as_bytes())).unwrap_or(key);
    keys::class_of(key).or_else(|| keys::class_of(last)).or_else(|| keys::class_of(part)).or_else(|| {
        let secret = keys::is_secret_key(key) || keys::may_be_secret_key(last) || weak_in_query(last);
        let login = || keys::is_login_key(last).then_some(KeyClass::Fitting(Fit::Login));
        secret.then_some(KeyClass::Drop(Category::Secret)).or_else(login)
    })
}

const PARTS: [&str; 3] = ["variable_", "Caller-", "Other-Leg-"];

/// Keys that are a secret's only in the query of an address.
pub(super) fn weak_in_query(key: &[u8]) -> bool {
    ["key", "sig", "signature", "code", "auth", "hash"].iter().any(|known| key.eq_ignore_ascii_case(known.as_bytes()))
}
