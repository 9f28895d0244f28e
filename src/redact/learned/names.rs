//! The learned names as rows of words, and how one is found in a line.
//!
//! There may be tens of thousands of names, each in a dozen spellings: their texts lie in one string. A row of words has a
//! number made of the numbers of its words, none of which an input can choose, and under it stand at most three names: one
//! found in any spelling, one joined by dots, one written exactly so. So what a place in a line costs depends on how many words
//! of it begin a name, never on how many names begin with them.

use std::borrow::Cow;
use std::hash::BuildHasher;
use std::ops::Range;

use unicode_normalization::UnicodeNormalization;

use super::spelling::Patterns;
use super::{Learned, RandomState};
use crate::redact::detector::TABLE;
use crate::redact::hit::Group;
use crate::redact::text::{self, ByHash, Filter, JOINT, WORD, is, word_hash};

/// The names that are hidden wherever they stand.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    /// The first words of names, and the words at which detectors want to look.
    pub(crate) filter: Filter,
    /// The first words of names alone.
    pub(crate) first_words: Filter,
    /// Whether a name begins with a digit.
    pub(crate) digits: bool,
    texts: String,
    /// In the order in which they were made.
    patterns: Vec<Pattern>,
    rows: Rows,
    /// The place of a pattern by its row's number.
    places: ByHash<u32>,
    /// What is known of a first word, by its [`word_hash`].
    firsts: ByHash<Node>,
    /// What is known of a row of two or more words, by its number.
    longer: ByHash<Node>,
}

/// What is known of the beginning of names: bits.
#[derive(Clone, Copy, Debug, Default)]
struct Node(u8);

impl Node {
    /// There is a name with more words.
    const LONGER: u8 = 1;

    fn add(&mut self, bits: u8) {
        self.0 |= bits;
    }

    const fn has(self, bits: u8) -> bool {
        self.0 & bits != 0
    }
}

/// How a row of words stands in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// In any case, with up to three joints between the words.
    Any,
    /// In any case, with one dot, dash or underscore between the words: a domain.
    Dots,
    /// Every word as it was seen, capital first: short names, and names of ordinary words.
    Exact,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Any, Self::Dots, Self::Exact];

    const fn bit(self) -> u8 {
        match self {
            Self::Any => 2,
            Self::Dots => 4,
            Self::Exact => 8,
        }
    }
}

/// Gives rows of words their numbers, unlike those of every other table.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows(RandomState);

impl Rows {
    /// The number of the row with this word behind the others.
    fn next(&self, row: u64, word: &str) -> u64 {
        self.0.hash_one((row, word))
    }

    /// The number of a pattern whose words have this one as a row.
    fn of_kind(&self, row: u64, kind: Kind) -> u64 {
        self.0.hash_one((row, kind.bit()))
    }

    /// The number of a pattern with these words.
    pub(super) fn of(&self, words: &str, kind: Kind) -> u64 {
        self.of_kind(words.split(' ').fold(0, |row, word| self.next(row, word)), kind)
    }
}

impl Names {
    pub(super) fn of(learned: &Learned) -> Self {
        let mut patterns = Patterns::without(&learned.ordinary);
        for (place, entry) in (0_u32..).zip(&learned.entries) {
            let words = text::words(entry.value.as_bytes());
            let watched = entry.group == Group::Person && learned.watched.contains(&words.join(" "));
            match entry.group {
                Group::Person => {
                    patterns.person(place, &entry.value, &words, watched);
                    if !learned.conferences.contains(&words.join(" ")) {
                        patterns.ordinary_name(place, &entry.value);
                    }
                }
                Group::User if learned.conferences.contains(&words.join(" ")) => {}
                Group::User => patterns.user(place, &words),
                Group::Local if !learned.conferences.contains(&words.join(" ")) => patterns.local(place, &words),
                Group::Host => patterns.host(place, &words),
                Group::Domain => patterns.domain(place, &words),
                Group::Local | Group::Device | Group::Conference => {}
            }
        }
        Self::from(patterns)
    }

    /// Which places of the table have a name that is looked for.
    pub(super) fn places(&self) -> impl Iterator<Item = u32> {
        self.patterns.iter().map(|pattern| pattern.entry)
    }

    /// The longest learned name that begins with the word at `start..end`, and where it ends; of several the one learned first.
    pub(crate) fn find(&self, line: &[u8], start: usize, end: usize, hash: u64) -> Option<(u32, usize)> {
        let mut node = *self.firsts.get(&hash)?;
        let mut row = self.rows.next(0, &text::fold(&line[start..end]));
        let (mut at, mut found) = (end, None);
        loop {
            found = self.at(node, row, line, start..end, at).map(|entry| (entry, at)).or(found);
            if !node.has(Node::LONGER) {
                return found;
            }
            let Some((from, to)) = next_word(line, at) else { return found };
            row = self.rows.next(row, &text::fold(&line[from..to]));
            let Some(next) = self.longer.get(&row) else { return found };
            (node, at) = (*next, to);
        }
    }

    /// The name whose words stand from the first word to `to`.
    fn at(&self, node: Node, row: u64, line: &[u8], first: Range<usize>, to: usize) -> Option<u32> {
        let number = |kind| match kind {
            Kind::Any | Kind::Dots => self.rows.of_kind(row, kind),
            Kind::Exact => {
                let (mut row, mut at) = (0, first.clone());
                loop {
                    row = self.rows.next(row, &exact(&line[at.clone()]));
                    match next_word(line, at.end).filter(|_| at.end < to) {
                        Some((from, to)) => at = from..to,
                        None => return self.rows.of_kind(row, kind),
                    }
                }
            }
        };
        Kind::ALL
            .into_iter()
            .filter(|kind| node.has(kind.bit()))
            .filter_map(|kind| self.patterns.get(*self.places.get(&number(kind))? as usize))
            .filter(|pattern| pattern.end(&self.texts, line, &first) == Some(to))
            .map(|pattern| pattern.entry)
            .min()
    }
}

impl From<Patterns<'_>> for Names {
    fn from(Patterns { texts, mut list, rows, places, .. }: Patterns<'_>) -> Self {
        list.shrink_to_fit();
        let mut firsts: ByHash<Node> = ByHash::default();
        let mut longer: ByHash<Node> = ByHash::default();
        for pattern in &list {
            let mut row = 0;
            let mut words = pattern.text(&texts).split(' ').map(|word| text::fold(word.as_bytes())).peekable();
            while let Some(word) = words.next() {
                let first = row == 0;
                row = rows.next(row, &word);
                let known =
                    if first { firsts.entry(word_hash(word.as_bytes())) } else { longer.entry(row) }.or_default();
                known.add(if words.peek().is_some() { Node::LONGER } else { pattern.kind.bit() });
            }
        }
        let meant = TABLE.word_hashes();
        let mut filter = Filter::new(firsts.len() + meant.len());
        firsts.keys().copied().chain(meant).for_each(|hash| filter.add(hash));
        let mut first_words = Filter::new(firsts.len());
        firsts.keys().for_each(|&hash| first_words.add(hash));
        let digits = list.iter().any(|pattern| pattern.text(&texts).starts_with(|c: char| c.is_ascii_digit()));
        Self { filter, first_words, digits, texts, patterns: list, rows, places, firsts, longer }
    }
}

/// A word as an exact name has it: as it stands, composed.
fn exact(word: &[u8]) -> Cow<'_, str> {
    match text::decode(word) {
        word if word.is_ascii() => word,
        word => word.nfc().collect::<String>().into(),
    }
}

/// The word behind the one that ends at `at`, with at most three joints between them.
fn next_word(line: &[u8], at: usize) -> Option<(usize, usize)> {
    let mut from = at;
    while from < line.len() && from < at + 3 && is(line[from], JOINT) {
        from += 1;
    }
    if from == at || from == line.len() || !is(line[from], WORD) {
        return None;
    }
    let mut next = None;
    text::words_in_run(line, from, text::run(line, from, WORD), |a, b| {
        next.get_or_insert((a, b));
    });
    next.filter(|&(a, _)| a == from)
}

impl Default for Names {
    fn default() -> Self {
        Self::from(Patterns::default())
    }
}

/// A name as a row of words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pattern {
    /// Where its words stand in the texts, with a blank between them.
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) entry: u32,
    pub(super) kind: Kind,
}

impl Pattern {
    pub(super) fn text<'t>(&self, texts: &'t str) -> &'t str {
        &texts[self.from as usize..self.to as usize]
    }

    /// Where the name ends whose first word stands at `first`.
    fn end(&self, texts: &str, line: &[u8], first: &Range<usize>) -> Option<usize> {
        let mut words = self.text(texts).split(' ');
        let same = |bytes: &[u8], word: &str| match self.kind {
            Kind::Exact => exact(bytes) == word,
            Kind::Any | Kind::Dots => same(bytes, word),
        };
        if !same(&line[first.clone()], words.next()?) {
            return None;
        }
        let mut at = first.end;
        for word in words {
            let (from, to) = next_word(line, at)?;
            let joined = self.kind != Kind::Dots || from == at + 1 && matches!(line[at], b'.' | b'-' | b'_');
            if !joined || !same(&line[from..to], word) {
                return None;
            }
            at = to;
        }
        Some(at)
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
    fn the_longest_of_many_names_with_one_beginning_is_found() {
        let names: Vec<_> = (0..2000).map(|n| format!("Xaver Yorck{n}")).chain(["Xaver".into()]).collect();
        let table = learned(&names.iter().map(|name| (Group::Person, name.as_str())).collect::<Vec<_>>());
        assert_eq!(
            finds(&table, "xaver yorck1999, Yorck7 Xaver; xaver quit"),
            ["xaver yorck1999", "Yorck7 Xaver", "xaver"]
        );
    }

    #[test]
    fn names_with_the_same_words_are_one_pattern_however_many_there_are() {
        let names: Vec<_> =
            (0..2000).flat_map(|n| [format!("Kim Lee Xu\u{e9} {n}"), format!("Case Bill {n}")]).collect();
        let table = learned(&names.iter().map(|name| (Group::Person, name.as_str())).collect::<Vec<_>>());
        let Names { texts, patterns, places, .. } = &table.names;
        let mut all: Vec<_> = patterns.iter().map(|pattern| (pattern.text(texts), pattern.kind.bit())).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!((all.len(), places.len()), (patterns.len(), patterns.len()));
        // What is written exactly so is found in whatever encoding it stands.
        assert_eq!(finds(&table, "kim, Xu\u{e9}, XU\u{e9}; Xue\u{301}"), ["Xu\u{e9}", "Xue\u{301}"]);
        let bytes = b"x Xu\xe9";
        assert!(table.names.find(bytes, 2, 5, word_hash("xu\u{e9}".as_bytes())).is_some());
    }

    #[test]
    fn particles_apostrophes_and_other_scripts_are_known() {
        let table = learned(&[
            (Group::Person, "Lidwien van der Sloot"),
            (Group::Person, "Saoirse O\u{2019}Hara"),
            (Group::Person, "Ольга Иванова"),
            (Group::Person, "Işıl Kaya"),
        ]);
        for text in [
            "lidwien.vandersloot",
            "lvandersloot",
            "van der Sloot, Lidwien",
            "saoirse.ohara",
            "ОЛЬГА ИВАНОВА",
            "Иванова",
            "isil.kaya",
        ] {
            assert_eq!(finds(&table, text), [text], "{text}");
        }
    }

    #[test]
    fn common_and_short_words_need_context() {
        let table = learned(&[
            (Group::Person, "Board Room"),
            (Group::Person, "Mark Kim"),
            (Group::Person, "A U Thor"),
            (Group::User, "test"),
            (Group::User, "ab"),
        ]);
        assert!(finds(&table, "the board room test of ab is marked; mark it, kim-chi, author").is_empty());
        assert_eq!(finds(&table, "Mark Kim and Kim"), ["Mark Kim", "Kim"]);
    }

    #[test]
    fn a_name_of_ordinary_words_is_found_as_it_was_written() {
        let mut table =
            learned(&[(Group::Person, "Bill Case"), (Group::Person, "board room"), (Group::Person, "Room 4")]);
        assert_eq!(finds(&table, "Bill Case, Case, Bill; \"Bill Case\""), ["Bill Case", "Case, Bill", "Bill Case"]);
        assert!(
            finds(&table, "bill case; in that case Bill pays; Bill; Case; board room; Board Room; Room 4").is_empty()
        );
        table.take(vec![Sighting::Conference("Bill Case".into())]);
        assert!(finds(&table, "Bill Case").is_empty());
    }
}
