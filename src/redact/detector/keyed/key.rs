//! The key before a `:` or `=`, and what it says its value is.

use std::cell::RefCell;

use crate::redact::category::Category;
use crate::redact::keys::{self, KeyClass};
use crate::redact::text::{self, IDENT};

const LONGEST_KEY: usize = 64;

/// The key that ends before the `:` or `=` at `at`, if it is a known one.
pub(crate) fn key_before(text: &[u8], at: usize) -> Option<(&[u8], KeyClass)> {
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

/// What the value beside `key` is, if the key, its last part or a word of it says so.
pub(crate) fn class_of(key: &[u8]) -> Option<KeyClass> {
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
