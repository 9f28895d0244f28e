//! The learned names as rows of words, and how one is found in a line.
//!
//! There may be tens of thousands of names, each in a dozen spellings: their texts lie in one string, and they are found by
//! their first word, or by their first two, so that a family name that many have costs no more than a rare one.

use super::Learned;
use super::spelling::Patterns;
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
    /// Of one beginning side by side: the longest name first; among equals the one learned first.
    patterns: Vec<Pattern>,
    by_first: ByHash<First>,
    by_two: ByHash<Row>,
}

/// The names that begin with a word.
#[derive(Clone, Copy, Debug, Default)]
struct First {
    /// Those of that one word.
    single: Row,
    /// Whether there are longer ones.
    longer: bool,
}

/// Patterns that stand side by side.
#[derive(Clone, Copy, Debug, Default)]
struct Row {
    from: u32,
    to: u32,
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

    /// The learned name that begins with the word at `start..end`, and where it ends.
    pub(crate) fn find(&self, line: &[u8], start: usize, end: usize, hash: u64) -> Option<(u32, usize)> {
        let first = self.by_first.get(&hash)?;
        if first.longer
            && let Some((from, to)) = next_word(line, end)
            && let Some(row) = self.by_two.get(&two(hash, word_hash(text::fold(&line[from..to]).as_bytes())))
            && let Some(found) = self.in_row(*row, line, start, end)
        {
            return Some(found);
        }
        self.in_row(first.single, line, start, end)
    }

    fn in_row(&self, row: Row, line: &[u8], start: usize, end: usize) -> Option<(u32, usize)> {
        let patterns = &self.patterns[row.from as usize..row.to as usize];
        patterns.iter().find_map(|pattern| Some((pattern.entry, pattern.end(&self.texts, line, start, end)?)))
    }
}

impl From<Patterns<'_>> for Names {
    fn from(Patterns { texts, mut list, .. }: Patterns<'_>) -> Self {
        list.shrink_to_fit();
        // What a pattern is found by: its first word, or its first two.
        let begins = |pattern: &Pattern| {
            let mut words =
                pattern.text(&texts).split(' ').map(|word| word_hash(text::fold(word.as_bytes()).as_bytes()));
            let first = words.next().unwrap_or_default();
            (first, words.next().map(|second| two(first, second)))
        };
        list.sort_by_cached_key(|pattern| (begins(pattern), std::cmp::Reverse(pattern.words), pattern.entry));
        let mut by_first: ByHash<First> = ByHash::default();
        let mut by_two: ByHash<Row> = ByHash::default();
        for (place, pattern) in (0_u32..).zip(&list) {
            let (first, second) = begins(pattern);
            let known = by_first.entry(first).or_default();
            let row = match second {
                Some(both) => {
                    known.longer = true;
                    by_two.entry(both).or_default()
                }
                None => &mut known.single,
            };
            if row.to == 0 {
                row.from = place;
            }
            row.to = place + 1;
        }
        let meant = TABLE.word_hashes();
        let mut filter = Filter::new(by_first.len() + meant.len());
        by_first.keys().copied().chain(meant).for_each(|hash| filter.add(hash));
        let mut first_words = Filter::new(by_first.len());
        by_first.keys().for_each(|&hash| first_words.add(hash));
        let digits = list.iter().any(|pattern| pattern.text(&texts).starts_with(|c: char| c.is_ascii_digit()));
        Self { filter, first_words, digits, texts, patterns: list, by_first, by_two }
    }
}

/// One number for two.
const fn two(first: u64, second: u64) -> u64 {
    (first ^ second.rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
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
    pub(super) words: u16,
    /// One dot, dash or underscore stands between the words: a domain.
    pub(super) dots: bool,
    /// Every word must stand as it was seen, capital first: short names, and names of ordinary words.
    pub(super) exact: bool,
}

impl Pattern {
    fn text<'t>(&self, texts: &'t str) -> &'t str {
        &texts[self.from as usize..self.to as usize]
    }

    fn end(&self, texts: &str, line: &[u8], start: usize, end: usize) -> Option<usize> {
        let mut words = self.text(texts).split(' ');
        let same = |bytes: &[u8], word: &str| if self.exact { bytes == word.as_bytes() } else { same(bytes, word) };
        if !same(&line[start..end], words.next()?) {
            return None;
        }
        let mut at = end;
        for word in words {
            let (from, to) = next_word(line, at)?;
            let joined = !self.dots || from == at + 1 && matches!(line[at], b'.' | b'-' | b'_');
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
