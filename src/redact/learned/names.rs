//! The learned names as rows of words, and how one is found in a line.

use std::collections::HashMap;

use super::Learned;
use super::spelling::Patterns;
use crate::redact::detector::TABLE;
use crate::redact::hit::Group;
use crate::redact::text::{self, Filter, JOINT, WORD, is, word_hash};

/// The names that are hidden wherever they stand, by their first word.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    /// The first words of names, and the words at which detectors want to look.
    pub(crate) filter: Filter,
    /// Whether a name begins with a digit.
    pub(crate) digits: bool,
    by_first: HashMap<u64, Box<[Pattern]>>,
}

impl Names {
    pub(super) fn of(learned: &Learned) -> Self {
        let mut patterns = Patterns::default();
        for (place, entry) in (0_u32..).zip(&learned.entries) {
            let words = text::words(entry.value.as_bytes());
            let watched = entry.group == Group::Person && learned.watched.contains(&words.join(" "));
            match entry.group {
                Group::Person => patterns.person(place, &entry.value, &words, watched),
                Group::User if learned.conferences.contains(&words.join(" ")) => {}
                Group::User => patterns.user(place, &words),
                Group::Local if !learned.conferences.contains(&words.join(" ")) => patterns.local(place, &words),
                Group::Host => patterns.host(place, &words),
                Group::Domain => patterns.domain(place, &words),
                Group::Local | Group::Device | Group::Conference => {}
            }
        }
        let mut by_first: HashMap<u64, Vec<Pattern>> = HashMap::new();
        let mut digits = false;
        for pattern in patterns.list {
            let hash = word_hash(pattern.words[0].as_bytes());
            digits |= pattern.words[0].starts_with(|c: char| c.is_ascii_digit());
            by_first.entry(hash).or_default().push(pattern);
        }
        let meant = TABLE.word_hashes();
        let mut filter = Filter::new(by_first.len() + meant.len());
        by_first.keys().copied().chain(meant).for_each(|hash| filter.add(hash));
        let by_first = by_first
            .into_iter()
            .map(|(hash, mut patterns)| {
                // The longest name first; among equals the one learned first.
                patterns.sort_by_key(|pattern| (std::cmp::Reverse(pattern.words.len()), pattern.entry));
                (hash, patterns.into_boxed_slice())
            })
            .collect();
        Self { filter, digits, by_first }
    }

    /// Which places of the table have a name that is looked for.
    pub(super) fn places(&self) -> impl Iterator<Item = u32> {
        self.by_first.values().flatten().map(|pattern| pattern.entry)
    }

    /// The learned name that begins with the word at `start..end`, and where it ends.
    pub(crate) fn find(&self, line: &[u8], start: usize, end: usize, hash: u64) -> Option<(u32, usize)> {
        let patterns = self.by_first.get(&hash)?;
        patterns.iter().find_map(|pattern| Some((pattern.entry, pattern.end(line, start, end)?)))
    }
}

impl Default for Names {
    fn default() -> Self {
        Self { filter: Filter::new(0), digits: false, by_first: HashMap::new() }
    }
}

/// A name as a row of words.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    pub(super) words: Box<[Box<str>]>,
    pub(super) entry: u32,
    /// One dot, dash or underscore stands between the words: a domain.
    pub(super) dots: bool,
    /// The one word must stand as it was seen, capital first: short names.
    pub(super) exact: Option<Box<str>>,
}

impl Pattern {
    fn end(&self, line: &[u8], start: usize, end: usize) -> Option<usize> {
        if let Some(exact) = &self.exact {
            return (&line[start..end] == exact.as_bytes()).then_some(end);
        }
        if !same(&line[start..end], &self.words[0]) {
            return None;
        }
        let mut at = end;
        for word in &self.words[1..] {
            let from = self.after_joint(line, at)?;
            let stop = text::run(line, from, WORD);
            let mut next = None;
            text::words_in_run(line, from, stop, |a, b| {
                next.get_or_insert((a, b));
            });
            let (a, b) = next?;
            if a != from || !same(&line[a..b], word) {
                return None;
            }
            at = b;
        }
        Some(at)
    }

    fn after_joint(&self, line: &[u8], at: usize) -> Option<usize> {
        let mut next = at;
        if self.dots {
            return matches!(text::byte(line, at), b'.' | b'-' | b'_').then_some(at + 1);
        }
        while next < line.len() && next < at + 3 && is(line[next], JOINT) {
            next += 1;
        }
        (next > at && next < line.len() && is(line[next], WORD)).then_some(next)
    }
}

fn same(bytes: &[u8], folded: &str) -> bool {
    if bytes.is_ascii() { bytes.eq_ignore_ascii_case(folded.as_bytes()) } else { text::fold(bytes) == folded }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::learned::Sighting;

    fn learned(values: &[(Group, &str)]) -> Learned {
        let mut learned = Learned::default();
        learned.take(values.iter().map(|&(group, value)| Sighting::Value(group, value.to_owned())).collect());
        learned
    }

    fn finds(learned: &Learned, text: &str) -> Vec<String> {
        let (bytes, mut found, mut at) = (text.as_bytes(), Vec::new(), 0);
        while at < bytes.len() {
            let end = text::run(bytes, at, WORD);
            let mut next = end.max(at + 1);
            text::words_in_run(bytes, at, end, |a, b| {
                let hash = word_hash(text::fold(&bytes[a..b]).as_bytes());
                if let Some((_, to)) = learned.names.find(bytes, a, b, hash) {
                    found.push(text[a..to].to_owned());
                    next = next.max(to);
                }
            });
            at = next;
        }
        found
    }

    #[test]
    fn a_learned_name_is_found_in_every_spelling() {
        let table = learned(&[(Group::Person, "Björn Mühlenkamp")]);
        for text in [
            "Björn Mühlenkamp",
            "BJÖRN MÜHLENKAMP",
            "bjo\u{308}rn mu\u{308}hlenkamp",
            "Mühlenkamp, Björn",
            "B. Mühlenkamp",
            "bjoern.muehlenkamp",
            "bjorn_muhlenkamp",
            "bmuehlenkamp",
            "Mühlenkamp",
            "BjörnMühlenkamp",
        ] {
            assert_eq!(finds(&table, text), [text], "{text}");
        }
        assert!(finds(&table, "Bjornson kamp muhle").is_empty());
    }

    #[test]
    fn common_and_short_words_need_context() {
        let table = learned(&[
            (Group::Person, "Board Room"),
            (Group::Person, "Mark Kim"),
            (Group::User, "test"),
            (Group::User, "ab"),
        ]);
        assert!(finds(&table, "the board room test of ab is marked; mark it, kim-chi").is_empty());
        assert_eq!(finds(&table, "Mark Kim and Kim"), ["Mark Kim", "Kim"]);
    }
}
