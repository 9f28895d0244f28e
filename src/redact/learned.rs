//! What the survey learned, and how a learned name is found in text.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::common::{is_common, is_system_user};
use super::hit::Group;
use super::text::{self, JOINT, WORD, is, word_hash};

/// A value the survey learned, with its number.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) group: Group,
    pub(crate) number: u32,
    /// As it first stood in the input.
    pub(crate) value: String,
}

/// Something the survey saw.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Sighting {
    /// A value of a group, as it stood in the input, decoded.
    Value(Group, String),
    /// A name of the watch list: hidden everywhere, whatever it is.
    Watched(String),
    /// A conference's name.
    Conference(String),
    /// Text that reads like a numbered stand-in.
    Taken(Group, u32),
    /// An IPv4 network, the first 24 bits.
    Net4(u32),
    /// An IPv6 network, the first 64 bits.
    Net6(u64),
    /// A hardware address in the range of stand-ins.
    Mac([u8; 6]),
    /// The digits of a telephone number in the range of stand-ins.
    Phone(String),
}

/// What the survey learned: the values that are hidden wherever they stand, numbered in the order in which they first
/// appeared, and the real values that lie in the ranges of stand-ins.
#[derive(Clone, Debug, Default)]
pub struct Learned {
    pub(crate) entries: Vec<Entry>,
    index: HashMap<Group, HashMap<String, u32>>,
    taken: HashSet<(Group, u32)>,
    next: HashMap<Group, u32>,
    conferences: HashSet<String>,
    watched: HashSet<String>,
    pub(crate) nets4: BTreeSet<u32>,
    pub(crate) nets6: BTreeSet<u64>,
    pub(crate) macs: HashSet<[u8; 6]>,
    pub(crate) phones: HashSet<String>,
    pub(crate) names: Names,
}

/// Most networks of one kind that are remembered; stand-ins of later ones may coincide.
const MOST_NETWORKS: usize = 1 << 20;

impl Learned {
    /// Takes in what was seen, in the order in which it was seen. Values that look like stand-ins come first, so that no
    /// stand-in is given out that the input holds as text.
    pub(crate) fn take(&mut self, sightings: Vec<Sighting>) {
        for sighting in &sightings {
            if let Sighting::Taken(group, number) = sighting {
                self.taken.insert((*group, *number));
            }
        }
        for sighting in sightings {
            match sighting {
                Sighting::Value(group, value) => self.enter(group, value),
                Sighting::Watched(value) => {
                    self.watched.insert(canonical(&value));
                    self.enter(Group::Person, value);
                }
                Sighting::Conference(name) => {
                    self.conferences.insert(canonical(&name));
                }
                Sighting::Taken(..) => {}
                Sighting::Net4(net) if self.nets4.len() < MOST_NETWORKS => {
                    self.nets4.insert(net);
                }
                Sighting::Net6(net) if self.nets6.len() < MOST_NETWORKS => {
                    self.nets6.insert(net);
                }
                Sighting::Net4(_) | Sighting::Net6(_) => {}
                Sighting::Mac(mac) => {
                    self.macs.insert(mac);
                }
                Sighting::Phone(digits) => {
                    self.phones.insert(digits);
                }
            }
        }
        self.names = Names::of(self);
    }

    fn enter(&mut self, group: Group, value: String) {
        let key = canonical(&value);
        let index = self.index.entry(group).or_default();
        if key.is_empty() || index.contains_key(&key) {
            return;
        }
        let next = self.next.entry(group).or_insert(0);
        loop {
            *next += 1;
            if !self.taken.contains(&(group, *next)) {
                break;
            }
        }
        let number = *next;
        let place = u32::try_from(self.entries.len()).expect("fewer than 2^32 names fit in memory");
        index.insert(key, place);
        self.entries.push(Entry { group, number, value });
    }

    /// The place of a value in the table.
    pub(crate) fn find(&self, group: Group, canonical: &str) -> Option<u32> {
        self.index.get(&group)?.get(canonical).copied()
    }

    /// Whether `number` was given out as a stand-in of `group`.
    pub(crate) fn gave_out(&self, group: Group, number: u32) -> bool {
        number > 0
            && self.next.get(&group).is_some_and(|&last| number <= last)
            && !self.taken.contains(&(group, number))
    }

    /// How many values of each kind were learned, for a summary: people, users, computers and domains.
    #[must_use]
    pub fn summary(&self) -> [(&'static str, usize); 4] {
        let count = |groups: &[Group]| self.entries.iter().filter(|entry| groups.contains(&entry.group)).count();
        [
            ("people", count(&[Group::Person])),
            ("users", count(&[Group::User])),
            ("addresses", count(&[Group::Local])),
            ("computers", count(&[Group::Host, Group::Domain])),
        ]
    }
}

/// The form in which a value is looked up: its words, one blank between them; a value without words as it is.
pub(crate) fn canonical(value: &str) -> String {
    if !value.is_ascii() {
        return text::words(value.as_bytes()).join(" ");
    }
    let mut row = String::with_capacity(value.len());
    let mut between = false;
    for byte in value.bytes() {
        if is(byte, WORD) {
            if between && !row.is_empty() {
                row.push(' ');
            }
            row.push(char::from(byte.to_ascii_lowercase()));
        }
        between = !is(byte, WORD);
    }
    row
}

/// A name as a row of words.
#[derive(Clone, Debug)]
struct Pattern {
    words: Box<[Box<str>]>,
    entry: u32,
    /// One dot, dash or underscore stands between the words: a domain.
    dots: bool,
    /// The one word must stand as it was seen, capital first: short names.
    exact: Option<Box<str>>,
}

/// The names that are hidden wherever they stand, by their first word.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    filter: Vec<u64>,
    by_first: HashMap<u64, Box<[Pattern]>>,
}

const FILTER_BITS: u32 = 16;

impl Names {
    fn of(learned: &Learned) -> Self {
        let mut patterns = Patterns { list: Vec::new(), seen: HashSet::new() };
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
                Group::Local | Group::Device => {}
            }
        }
        let mut by_first: HashMap<u64, Vec<Pattern>> = HashMap::new();
        let mut filter = vec![0_u64; 1 << (FILTER_BITS - 6)];
        for pattern in patterns.list {
            let hash = word_hash(pattern.words[0].as_bytes());
            let bit = filter_bit(hash);
            filter[bit >> 6] |= 1 << (bit & 63);
            by_first.entry(hash).or_default().push(pattern);
        }
        let by_first = by_first
            .into_iter()
            .map(|(hash, mut patterns)| {
                // The longest name first; among equals the one learned first.
                patterns.sort_by_key(|pattern| (std::cmp::Reverse(pattern.words.len()), pattern.entry));
                (hash, patterns.into_boxed_slice())
            })
            .collect();
        Self { filter, by_first }
    }

    /// Whether a word with this number may begin a learned name.
    #[inline]
    pub(crate) fn may_begin(&self, hash: u64) -> bool {
        let bit = filter_bit(hash);
        self.filter.get(bit >> 6).is_some_and(|bits| bits & 1 << (bit & 63) != 0)
    }

    /// The learned name that begins with the word at `start..end`, and where it ends.
    pub(crate) fn find(&self, line: &[u8], start: usize, end: usize, hash: u64) -> Option<(u32, usize)> {
        let patterns = self.by_first.get(&hash)?;
        patterns.iter().find_map(|pattern| Some((pattern.entry, pattern.end(line, start, end)?)))
    }
}

const fn filter_bit(hash: u64) -> usize {
    (hash >> (64 - FILTER_BITS)) as usize
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

struct Patterns {
    list: Vec<Pattern>,
    seen: HashSet<(Vec<String>, bool)>,
}

impl Patterns {
    fn add(&mut self, entry: u32, words: &[String], dots: bool) {
        if !words.is_empty() && self.seen.insert((words.to_vec(), dots)) {
            let words = words.iter().map(|word| word.as_str().into()).collect();
            self.list.push(Pattern { words, entry, dots, exact: None });
        }
    }

    fn person(&mut self, entry: u32, value: &str, words: &[String], watched: bool) {
        if watched {
            self.add(entry, words, false);
            return;
        }
        if words.len() > 6 || value.chars().count() > 80 || words.iter().all(|word| is_hollow(word)) {
            return;
        }
        // "Anna Müller (Controlling)": the name is what stands before the bracket.
        let bare = value.split(['(', '[', '<', '/', '|']).next().unwrap_or(value);
        let mut name = text::words(bare.as_bytes());
        if name.iter().all(|word| is_hollow(word)) {
            name = words.to_vec();
        }
        if words.len() > 1 {
            self.add(entry, words, false);
        }
        self.name(entry, &name);
        let plain: Vec<String> = name.iter().map(|word| without_marks(word, false)).collect();
        if plain != name {
            self.name(entry, &plain);
        }
        let german: Vec<String> = name.iter().map(|word| without_marks(word, true)).collect();
        if german != name && german != plain {
            self.name(entry, &german);
        }
        for part in bare.split(|c: char| !c.is_alphanumeric()) {
            let folded = text::fold(part.as_bytes());
            let capital = part.chars().next().is_some_and(char::is_uppercase);
            if capital && part.chars().count() == 3 && part.chars().all(char::is_alphabetic) && !is_common(&folded) {
                let exact = Some(part.into());
                self.list.push(Pattern { words: [folded.into_boxed_str()].into(), entry, dots: false, exact });
            }
        }
    }

    /// A name of one or more words and what people make of it.
    fn name(&mut self, entry: u32, words: &[String]) {
        if let [first, middle @ .., last] = words {
            self.add(entry, words, false);
            self.add(entry, &[std::slice::from_ref(last), &words[..words.len() - 1]].concat(), false);
            let first_letter: String = first.chars().take(1).collect();
            let strong = !is_weak(last) && !is_weak(first);
            if strong {
                self.add(entry, &[first.clone(), last.clone()], false);
                self.add(entry, &[last.clone(), first.clone()], false);
                self.add(entry, &[first_letter.clone(), last.clone()], false);
                self.add(entry, &[last.clone(), first_letter.clone()], false);
                self.add(entry, &[format!("{first_letter}{last}")], false);
                self.add(entry, &[format!("{first}{last}")], false);
                self.add(entry, &[format!("{last}{first}")], false);
                self.add(entry, &[format!("{last}{first_letter}")], false);
            }
            if !middle.is_empty() {
                self.add(entry, &[words.concat()], false);
            }
        }
        for word in words.iter().filter(|word| !is_weak(word)) {
            self.add(entry, std::slice::from_ref(word), false);
            if !word.ends_with('s') && word.is_ascii() {
                self.add(entry, &[format!("{word}s")], false);
            }
        }
    }

    fn user(&mut self, entry: u32, words: &[String]) {
        let weak = words.iter().all(|word| is_weak(word)) || is_system_user(&words.join(" "));
        if !weak && words.len() <= 6 && !is_id(words) {
            self.add(entry, words, false);
        }
    }

    fn local(&mut self, entry: u32, words: &[String]) {
        // Only what reads like first and last name: "weekly.sync" or "room17" may be a conference.
        let named = words.len() >= 2 && words.len() <= 4 && words.iter().all(|word| !is_weak(word) || word.len() == 1);
        if named && words.iter().any(|word| word.len() > 3) && !is_id(words) {
            self.add(entry, words, false);
        }
    }

    fn host(&mut self, entry: u32, words: &[String]) {
        let letters: usize = words.iter().map(String::len).sum();
        let strong = match words {
            [word] => !is_weak(word),
            _ => letters >= 5 && words.iter().any(|word| !is_common(word) && word.chars().any(char::is_alphabetic)),
        };
        let numbered = words.len() > 1 && words.iter().any(|word| word.bytes().any(|b| b.is_ascii_digit()));
        if (strong || numbered && letters >= 5) && words.iter().any(|word| word.chars().any(char::is_alphabetic)) {
            self.add(entry, words, false);
        }
    }

    fn domain(&mut self, entry: u32, words: &[String]) {
        if words.len() >= 2 && !words.iter().all(|word| is_common(word)) {
            self.add(entry, words, true);
        }
    }
}

/// Whether a word alone is too little to be hidden everywhere: short, a number, or on the stop list.
fn is_weak(word: &str) -> bool {
    word.chars().count() < 4 || is_common(word) || !word.chars().any(char::is_alphabetic)
}

/// Whether a word says nothing in a name: on the stop list, a single letter, a number.
fn is_hollow(word: &str) -> bool {
    word.chars().count() < 2 || is_common(word) || !word.chars().any(char::is_alphabetic)
}

/// Whether the words are an identifier in hexadecimal rather than a name.
fn is_id(words: &[String]) -> bool {
    words.iter().all(|word| {
        word.len() >= 4 && word.bytes().all(|b| b.is_ascii_hexdigit()) && word.bytes().any(|b| b.is_ascii_digit())
    })
}

/// The word as it stands in mail addresses: without marks, or as German spells them out.
fn without_marks(word: &str, german: bool) -> String {
    use unicode_normalization::UnicodeNormalization;
    let mut plain = String::new();
    for c in word.chars() {
        match (c, german) {
            ('ä', true) => plain.push_str("ae"),
            ('ö' | 'ø', true) => plain.push_str("oe"),
            ('ü', true) => plain.push_str("ue"),
            ('å', true) => plain.push_str("aa"),
            ('ß', _) => plain.push_str("ss"),
            ('æ', _) => plain.push_str("ae"),
            ('ø', _) => plain.push('o'),
            ('ł', _) => plain.push('l'),
            ('đ', _) => plain.push('d'),
            (c, _) => {
                plain.extend(std::iter::once(c).nfd().filter(|&c| !unicode_normalization::char::is_combining_mark(c)));
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

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
                if learned.names.may_begin(hash)
                    && let Some((_, to)) = learned.names.find(bytes, a, b, hash)
                {
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

    #[test]
    fn a_stand_in_that_the_input_holds_as_text_is_not_given_out() {
        let mut table = Learned::default();
        table.take(vec![Sighting::Value(Group::Person, "Ottilie Habersaat".into()), Sighting::Taken(Group::Person, 1)]);
        assert_eq!(table.entries[0].number, 2);
        assert!(!table.gave_out(Group::Person, 1) && table.gave_out(Group::Person, 2));
    }
}
