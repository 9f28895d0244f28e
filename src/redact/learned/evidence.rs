//! What says that a learned word is an ordinary one: it stands in lower case between other words, again and again, each time
//! between others.
//!
//! The survey shows every chunk. Of one line in four, chosen by its bytes, the neighbours of each word are noted in a small
//! table of bits: 32 for a word, one for each pair of neighbours by their number. Bits are only ever set, so the order of the
//! chunks, their size and the number of threads make no difference. Somebody's name stands in the few sentences that a log
//! has; `author`, `elem` or `shift` stand in as many as there are lines.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::redact::lines;
use crate::redact::text::byte;

/// Words of a row; a word's bits are in both rows, so that another one's bits seldom count for it.
const ROW: usize = 1 << 17;
/// One line in so many is looked at.
const EVERY: u64 = 4;
/// So many of the 32 bits say that a word is ordinary: about twenty different pairs of neighbours.
const ORDINARY: u32 = 14;
/// Longest word that is noted, in bytes.
const LONGEST: usize = 24;

/// The neighbours of words, in 1 MiB.
#[derive(Debug)]
pub(crate) struct Evidence {
    bits: Vec<AtomicU32>,
}

impl Default for Evidence {
    fn default() -> Self {
        Self { bits: (0..2 * ROW).map(|_| AtomicU32::new(0)).collect() }
    }
}

impl Evidence {
    /// Notes the neighbours of words in a chunk.
    pub(crate) fn note(&self, bytes: &[u8]) {
        for unit in lines::units(bytes).map_while(Result::ok) {
            let line = bytes[unit].trim_ascii();
            if line.len() >= 8 && chosen(line) {
                self.note_line(line);
            }
        }
    }

    fn note_line(&self, line: &[u8]) {
        let mut at = 0;
        // The two words before, as long as only one blank stands between.
        let mut row: [Option<&[u8]>; 2] = [None, None];
        while at < line.len() {
            let end = at + line[at..].iter().take_while(|b| b.is_ascii_lowercase()).count();
            let whole =
                end > at && (at == 0 || line[at - 1] == b' ') && matches!(byte(line, end), b' ' | b',' | b'.' | b'\n');
            if !whole {
                row = [None, None];
                at = end.max(at + 1)
                    + line[end.max(at + 1).min(line.len())..].iter().take_while(|b| **b != b' ').count()
                    + 1;
                continue;
            }
            let word = &line[at..end];
            if let [Some(before), Some(middle)] = row {
                self.note_word(before, middle, word);
            }
            row = if byte(line, end) == b' ' { [row[1], Some(word)] } else { [None, None] };
            at = end + 1;
        }
    }

    fn note_word(&self, before: &[u8], word: &[u8], after: &[u8]) {
        if !(3..=LONGEST).contains(&word.len()) || INTRODUCE.contains(&before) {
            return;
        }
        let pair = number_of(before).rotate_left(17) ^ number_of(after);
        let bit = 1 << (pair.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 59);
        for place in places(word) {
            if self.bits[place].load(Ordering::Relaxed) & bit == 0 {
                self.bits[place].fetch_or(bit, Ordering::Relaxed);
            }
        }
    }

    /// Whether a folded word was seen as an ordinary one.
    pub(crate) fn is_ordinary(&self, word: &str) -> bool {
        let [first, second] = places(word.as_bytes()).map(|place| self.bits[place].load(Ordering::Relaxed));
        word.is_ascii() && (3..=LONGEST).contains(&word.len()) && (first & second).count_ones() >= ORDINARY
    }
}

/// Words that introduce a name: what stands behind them says nothing.
const INTRODUCE: [&[u8]; 20] = [
    b"user",
    b"for",
    b"by",
    b"from",
    b"to",
    b"of",
    b"with",
    b"account",
    b"login",
    b"name",
    b"named",
    b"called",
    b"as",
    b"owner",
    b"host",
    b"on",
    b"participant",
    b"caller",
    b"role",
    b"member",
];

/// Whether a line is one of those that are looked at: its length, its ends and its middle decide.
fn chosen(line: &[u8]) -> bool {
    let ends = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().expect("a line has eight bytes"));
    let middle = (line.len() - 8) / 2;
    let number = ends(&line[..8])
        ^ ends(&line[line.len() - 8..]).rotate_left(23)
        ^ ends(&line[middle..middle + 8]).rotate_left(41)
        ^ line.len() as u64;
    number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32 & (EVERY - 1) == 0
}

/// A number for a word, the same in every process, for what is learned must not depend on chance. Whoever could choose words
/// with equal numbers could as well write the sentences that make a word ordinary.
fn number_of(word: &[u8]) -> u64 {
    let mix = |hash: u64, bytes: &[u8]| {
        let mut eight = [0; 8];
        eight[..bytes.len()].copy_from_slice(bytes);
        let product = u128::from(hash ^ u64::from_le_bytes(eight)) * u128::from(0x9e37_79b9_7f4a_7c15_u64);
        let [low, high] =
            [product, product >> 64].map(|half| u64::try_from(half & u128::from(u64::MAX)).expect("64 bits"));
        low ^ high
    };
    word.chunks(8).fold(0xa076_1d64_78bd_642f ^ word.len() as u64, mix)
}

fn places(word: &[u8]) -> [usize; 2] {
    let hash = number_of(word).wrapping_mul(0xd6e8_feb8_6659_fd93);
    let row = |bits: u64| usize::try_from(bits & (ROW as u64 - 1)).expect("a row's place fits");
    [row(hash >> 20), ROW + row(hash >> 44)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentences(word: &str) -> String {
        let words = [
            "alpha", "bravo", "delta", "golf", "hotel", "kilo", "lima", "mike", "oscar", "papa", "romeo", "sierra",
            "amber", "beige", "coral", "denim", "ebony", "flax", "green", "ivory", "tango", "zulu",
        ];
        let mut text = String::new();
        for (at, before) in words.iter().enumerate() {
            for after in &words {
                text +=
                    &format!("line {at} has {before} {word} {after} and ends\nthe {before} {word} {after} is here\n");
            }
        }
        text
    }

    #[test]
    fn a_word_between_many_others_is_ordinary() {
        let evidence = Evidence::default();
        evidence.note(sentences("author").as_bytes());
        assert!(evidence.is_ordinary("author"));
        assert!(!evidence.is_ordinary("habersaat"));
    }

    #[test]
    fn a_name_in_the_same_few_sentences_is_not() {
        let evidence = Evidence::default();
        for number in 0..5000 {
            let line = format!(
                "{number} session opened for user quirin by root\n{number} quirin has joined the call\n{number} call of quirin was closed\n"
            );
            evidence.note(line.as_bytes());
        }
        assert!(!evidence.is_ordinary("quirin"));
    }

    #[test]
    fn the_order_of_chunks_makes_no_difference() {
        let text = sentences("shift");
        let (one, other) = (Evidence::default(), Evidence::default());
        one.note(text.as_bytes());
        let lines: Vec<_> = text.split_inclusive('\n').rev().collect();
        lines.iter().for_each(|line| other.note(line.as_bytes()));
        let bits =
            |evidence: &Evidence| evidence.bits.iter().map(|bits| bits.load(Ordering::Relaxed)).collect::<Vec<_>>();
        assert_eq!(bits(&one), bits(&other));
    }
}
