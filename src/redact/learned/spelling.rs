//! What people, users and computers are called besides the value that was seen: the spellings of a name, and what is too
//! little to be hidden wherever it stands.

use std::collections::BTreeSet;
use std::collections::hash_map::Entry;

use unicode_normalization::UnicodeNormalization;

use super::names::{Kind, Pattern, Rows};
use crate::redact::common::{is_common, is_system_user};
use crate::redact::detector::{is_particle, names_algorithms};
use crate::redact::text::{self, ByHash};

/// The patterns made so far, none twice.
#[derive(Default)]
pub(super) struct Patterns<'o> {
    /// Their words, one pattern behind the other.
    pub(super) texts: String,
    pub(super) list: Vec<Pattern>,
    pub(super) rows: Rows,
    /// The place in the list of a pattern, by its row's number.
    pub(super) places: ByHash<u32>,
    /// Words that the input uses as ordinary ones.
    ordinary: Option<&'o BTreeSet<String>>,
}

impl<'o> Patterns<'o> {
    /// Begins with none. Words of `ordinary` make no pattern by themselves.
    pub(super) fn without(ordinary: &'o BTreeSet<String>) -> Self {
        Self { ordinary: Some(ordinary), ..Self::default() }
    }

    /// Whether a word alone is too little to be hidden everywhere.
    fn is_weak(&self, word: &str) -> bool {
        is_weak(word) || self.is_ordinary(word)
    }

    fn is_ordinary(&self, word: &str) -> bool {
        self.ordinary.is_some_and(|ordinary| ordinary.contains(word))
    }

    fn add(&mut self, entry: u32, words: &[String], kind: Kind) {
        if words.is_empty() {
            return;
        }
        let from = self.texts.len();
        for (place, word) in words.iter().enumerate() {
            if place > 0 {
                self.texts.push(' ');
            }
            self.texts.push_str(word);
        }
        let number = self.rows.of(&self.texts[from..], kind);
        // Names that no longer fit into 4 GiB are found by their values alone.
        let place = (u32::try_from(from), u32::try_from(self.texts.len()), u32::try_from(self.list.len()));
        match (place, self.places.entry(number)) {
            ((Ok(from), Ok(to), Ok(place)), Entry::Vacant(new)) => {
                new.insert(place);
                self.list.push(Pattern { from, to, entry, kind });
            }
            _ => self.texts.truncate(from),
        }
    }

    /// A name written as one word, unless that is another word: A. U. Thor is not every author.
    fn joined(&mut self, entry: u32, word: String) {
        if !self.is_weak(&word) {
            self.add(entry, &[word], Kind::Any);
        }
    }

    pub(super) fn person(&mut self, entry: u32, value: &str, words: &[String], watched: bool) {
        if watched {
            self.add(entry, words, Kind::Any);
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
            self.add(entry, words, Kind::Any);
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
        // O'Hara is ohara in addresses.
        if bare.contains(['\'', '\u{2019}', '\u{2bc}']) {
            let joined: String = bare.chars().filter(|c| !matches!(c, '\'' | '\u{2019}' | '\u{2bc}')).collect();
            self.name(entry, &text::words(joined.as_bytes()));
        }
        // So is "van der Berg" vanderberg.
        if let [first, particles @ .., last] = name.as_slice()
            && !particles.is_empty()
            && particles.iter().all(|word| is_particle(word))
        {
            let family = [particles.concat(), last.clone()].concat();
            self.name(entry, &[first.clone(), family]);
            self.add(entry, &[particles, std::slice::from_ref(last)].concat(), Kind::Any);
            self.add(entry, &[particles, std::slice::from_ref(last), std::slice::from_ref(first)].concat(), Kind::Any);
        }
        for part in bare.split(|c: char| !c.is_alphanumeric()) {
            let folded = text::fold(part.as_bytes());
            let capital = part.chars().next().is_some_and(char::is_uppercase);
            if capital
                && part.chars().count() == 3
                && part.chars().all(char::is_alphabetic)
                && !is_common(&folded)
                && !self.is_ordinary(&folded)
            {
                self.add(entry, &[part.nfc().collect()], Kind::Exact);
            }
        }
    }

    /// A name whose words are all ordinary ones, such as Bill Case: hidden where it stands as it was written.
    pub(super) fn ordinary_name(&mut self, entry: u32, value: &str) {
        let words: Vec<&str> = value.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        let capital = |word: &&str| word.len() > 1 && word.starts_with(char::is_uppercase);
        if !(2..=3).contains(&words.len())
            || !words.iter().all(capital)
            || !words.iter().all(|word| is_hollow(&text::fold(word.as_bytes())))
        {
            return;
        }
        let mut words: Vec<String> = words.into_iter().map(|word| word.nfc().collect()).collect();
        self.add(entry, &words, Kind::Exact);
        words.rotate_right(1);
        self.add(entry, &words, Kind::Exact);
    }

    /// A name of one or more words and what people make of it.
    fn name(&mut self, entry: u32, words: &[String]) {
        if let [first, middle @ .., last] = words {
            self.add(entry, words, Kind::Any);
            self.add(entry, &[std::slice::from_ref(last), &words[..words.len() - 1]].concat(), Kind::Any);
            let first_letter: String = first.chars().take(1).collect();
            let strong = !is_weak(last) && !is_weak(first);
            if strong {
                self.add(entry, &[first.clone(), last.clone()], Kind::Any);
                self.add(entry, &[last.clone(), first.clone()], Kind::Any);
                self.add(entry, &[first_letter.clone(), last.clone()], Kind::Any);
                self.add(entry, &[last.clone(), first_letter.clone()], Kind::Any);
                self.joined(entry, format!("{first_letter}{last}"));
                self.joined(entry, format!("{first}{last}"));
                self.joined(entry, format!("{last}{first}"));
                self.joined(entry, format!("{last}{first_letter}"));
            }
            if !middle.is_empty() {
                self.joined(entry, words.concat());
            }
        }
        for word in words {
            if self.is_weak(word) {
                continue;
            }
            self.add(entry, std::slice::from_ref(word), Kind::Any);
            if !word.ends_with('s') && word.is_ascii() {
                self.joined(entry, format!("{word}s"));
            }
        }
    }

    pub(super) fn user(&mut self, entry: u32, words: &[String]) {
        let weak = words.iter().all(|word| self.is_weak(word)) || is_system_user(&words.join(" "));
        if !weak && words.len() <= 6 && !is_id(words) {
            self.add(entry, words, Kind::Any);
        }
    }

    pub(super) fn local(&mut self, entry: u32, words: &[String]) {
        // Only what reads like first and last name: "weekly.sync" or "room17" may be a conference.
        let named =
            words.len() >= 2 && words.len() <= 4 && words.iter().all(|word| !self.is_weak(word) || word.len() == 1);
        if named && words.iter().any(|word| word.len() > 3) && !is_id(words) {
            self.add(entry, words, Kind::Any);
        }
    }

    pub(super) fn host(&mut self, entry: u32, words: &[String]) {
        let letters: usize = words.iter().map(String::len).sum();
        let strong = match words {
            [word] => !self.is_weak(word),
            _ => letters >= 5 && words.iter().any(|word| !is_common(word) && word.chars().any(char::is_alphabetic)),
        };
        let numbered = words.len() > 1 && words.iter().any(|word| word.bytes().any(|b| b.is_ascii_digit()));
        if (strong || numbered && letters >= 5) && words.iter().any(|word| word.chars().any(char::is_alphabetic)) {
            self.add(entry, words, Kind::Any);
        }
    }

    pub(super) fn domain(&mut self, entry: u32, words: &[String]) {
        if words.len() >= 2
            && !names_algorithms(words.join(".").as_bytes())
            && !words.iter().all(|word| is_common(word))
        {
            self.add(entry, words, Kind::Dots);
        }
    }
}

/// Whether a word alone is too little to be hidden everywhere: short, a number, or on the stop list.
fn is_weak(word: &str) -> bool {
    // Two ideographs are a name; two letters are not.
    let least = if word.chars().all(is_ideograph) { 2 } else { 4 };
    word.chars().count() < least || is_common(word) || !word.chars().any(char::is_alphabetic)
}

/// Whether a character is one of the scripts that write a name in two or three signs: Chinese, Japanese, Korean.
fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}')
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
            ('đ' | 'ð', _) => plain.push('d'),
            ('ı', _) => plain.push('i'),
            ('þ', _) => plain.push_str("th"),
            ('œ', _) => plain.push_str("oe"),
            (c, _) => {
                plain.extend(std::iter::once(c).nfd().filter(|&c| !unicode_normalization::char::is_combining_mark(c)));
            }
        }
    }
    plain
}
