//! Detectors: each knows one kind of personal value.
//!
//! A detector says at which bytes, words or places of a line it wants to look, and there checks what stands around. To add
//! one: a file here with a test, and a line in [`DETECTORS`].

use std::cell::Cell;
use std::sync::LazyLock;

use super::hit::Hits;
use super::masks::{Block, Masks, Shape, Signs, Wanted};
use super::text::{ByHash, Filter, word_hash};

mod beside;
mod card;
mod device;
mod email;
mod host;
mod iban;
mod ip;
mod keyed;
mod labelled;
mod log_user;
mod mac;
mod media_key;
mod national_id;
pub(crate) mod number;
mod phone;
mod plate;
mod secret;
mod statement;
mod told;
mod uri;
mod wallet;

pub(crate) use self::email::names_algorithms;
pub(crate) use self::ip::is_ip;
pub(crate) use self::keyed::{
    Words, before_gap, class_of_key, is_particle, key_before, name_end, value_behind, value_hits,
};
pub(crate) use self::log_user::is_hash;
pub(crate) use self::national_id::checked_digits;
use self::number::Number;
pub(crate) use self::number::each_within;
pub(crate) use self::secret::random;

static DETECTORS: [&dyn Detector; 19] = [
    &keyed::Keyed,
    &ip::Ip,
    &email::Email,
    &uri::Uri,
    &mac::Mac,
    &phone::Phone,
    &secret::Secrets,
    &log_user::LogUser,
    &host::Host,
    &iban::Iban,
    &card::Card,
    &national_id::NationalId,
    &device::Device,
    &labelled::Labelled,
    &plate::Plate,
    &wallet::Wallet,
    &media_key::MediaKey,
    &statement::Statement,
    &told::Told,
];

/// A line as detectors see it; of a long one they see what stands around the place they look at.
pub(crate) struct Line<'t> {
    /// Its bytes, without the line end.
    pub(crate) text: &'t [u8],
    /// The beginning of the whole line, when this is a piece from its middle; else nothing.
    pub(crate) head: &'t [u8],
    /// The line before it, or as much of its end as is known, if that [leads on](crate::redact::lines::leads_on) to this one;
    /// else nothing.
    pub(crate) previous: &'t [u8],
    /// Its places, and where it begins among them.
    pub(crate) places: (&'t Masks, usize),
    /// Whether somebody looked for an end that is not in [`text`](Self::text).
    pub(crate) short: Cell<bool>,
}

impl Line<'_> {
    /// The line's first bytes, at most `most` and none from `at`.
    pub(crate) fn head(&self, at: usize, most: usize) -> &[u8] {
        if self.head.is_empty() { &self.text[..at.min(most)] } else { &self.head[..self.head.len().min(most)] }
    }

    /// Notes that what a detector looks for reaches to `end`. Where the text is a piece of a long line and that is its end, the
    /// detector is shown more of the line.
    #[inline]
    pub(crate) fn reached(&self, end: usize) -> usize {
        if end >= self.text.len() {
            self.short.set(true);
        }
        end
    }

    /// Where the run of bytes of keys and names begins that ends before `end`, not before `floor`; `end - floor` is at most 64.
    #[inline]
    pub(crate) fn ident_start(&self, floor: usize, end: usize) -> usize {
        let (masks, from) = self.places;
        masks.ident_start(end + from).max(floor + from) - from
    }
}

/// Finds values of one kind. Every method may look anywhere in the line; none may keep anything.
pub(crate) trait Detector: Sync {
    /// The bytes at which [`at_anchor`](Self::at_anchor) is called; each must be of class `ANCHOR`.
    fn anchors(&self) -> &'static [u8] {
        &[]
    }

    /// Where around those bytes it wants to look. A shape must hold wherever [`at_anchor`](Self::at_anchor) does something.
    fn shape(&self, _anchor: u8) -> Shape {
        Shape::Every
    }

    /// The words, in lower case, at which [`at_word`](Self::at_word) is called.
    fn words(&self) -> &'static [&'static str] {
        &[]
    }

    /// Looks around an anchor. Below `skip` nothing is to be found any more; it may be moved forward.
    fn at_anchor(&self, _line: &Line<'_>, _at: usize, _skip: &mut usize, _hits: &mut Hits) {}

    /// Looks around a word.
    fn at_word(&self, _line: &Line<'_>, _start: usize, _end: usize, _hits: &mut Hits) {}

    /// Looks at a word of ten letters and digits or more.
    fn at_long_word(&self, _line: &Line<'_>, _start: usize, _end: usize, _hits: &mut Hits) {}

    /// Whether [`at_number`](Self::at_number) is called.
    fn reads_numbers(&self) -> bool {
        false
    }

    /// Looks at a number: see [`number`] for what is one.
    fn at_number(&self, _line: &Line<'_>, _number: &Number, _hits: &mut Hits) {}

    /// Looks at the beginning of a line in which these signs stand.
    fn at_line_start(&self, _line: &Line<'_>, _signs: Signs, _hits: &mut Hits) {}
}

/// Who wants to look where.
pub(crate) struct Table {
    slot: [u8; 256],
    anchors: Vec<Vec<(Shape, &'static dyn Detector)>>,
    keys: Vec<&'static dyn Detector>,
    words: ByHash<Vec<(&'static str, &'static dyn Detector)>>,
    numbers: Vec<&'static dyn Detector>,
    /// The words at which somebody wants to look.
    pub(crate) filter: Filter,
    /// Whether one of them begins with a digit.
    pub(crate) digits: bool,
    pub(crate) wanted: Wanted,
}

/// The table of [`DETECTORS`].
pub(crate) static TABLE: LazyLock<Table> = LazyLock::new(|| Table::new(Detector::shape));

impl Table {
    pub(crate) fn new(shape: impl Fn(&'static dyn Detector, u8) -> Shape) -> Self {
        let words: Vec<_> =
            DETECTORS.iter().flat_map(|&detector| detector.words().iter().map(move |&word| (word, detector))).collect();
        let mut table = Self {
            slot: [0; 256],
            anchors: vec![Vec::new()],
            keys: Vec::new(),
            words: ByHash::default(),
            numbers: DETECTORS.into_iter().filter(|detector| detector.reads_numbers()).collect(),
            filter: Filter::new(words.len()),
            digits: words.iter().any(|(word, _)| word.starts_with(|c: char| c.is_ascii_digit())),
            wanted: Wanted::default(),
        };
        for detector in DETECTORS {
            for &byte in detector.anchors() {
                let shape = shape(detector, byte);
                if shape == Shape::Key {
                    if !table.keys.iter().any(|known| std::ptr::eq(*known, detector)) {
                        table.keys.push(detector);
                    }
                    continue;
                }
                if shape == Shape::Every {
                    let kept = table.wanted.want(byte);
                    debug_assert!(kept, "no places are kept of {:?}", char::from(byte));
                }
                let slot = &mut table.slot[usize::from(byte)];
                if *slot == 0 {
                    *slot = u8::try_from(table.anchors.len()).expect("there are fewer than 256 anchors");
                    table.anchors.push(Vec::new());
                }
                table.anchors[usize::from(*slot)].push((shape, detector));
            }
        }
        for (word, detector) in words {
            let hash = word_hash(word.as_bytes());
            table.filter.add(hash);
            table.words.entry(hash).or_default().push((word, detector));
        }
        table
    }

    /// The numbers of the words at which somebody wants to look.
    pub(crate) fn word_hashes(&self) -> impl ExactSizeIterator<Item = u64> {
        self.words.keys().copied()
    }

    /// Looks at a place of [`Shape::Key`].
    #[inline]
    pub(crate) fn at_key(&self, line: &Line<'_>, at: usize, hits: &mut Hits) {
        for detector in &self.keys {
            detector.at_anchor(line, at, &mut 0, hits);
        }
    }

    /// Looks at a place of any other shape; `bit` is its bit in `block`.
    pub(crate) fn at_anchor(
        &self,
        line: &Line<'_>,
        at: usize,
        (block, bit): (&Block, u64),
        skip: &mut usize,
        hits: &mut Hits,
    ) {
        for &(shape, detector) in &self.anchors[usize::from(self.slot[usize::from(line.text[at])])] {
            if block.shapes[shape as usize] & bit != 0 {
                detector.at_anchor(line, at, skip, hits);
            }
        }
    }

    pub(crate) fn at_word(&self, line: &Line<'_>, hash: u64, start: usize, end: usize, hits: &mut Hits) {
        for (word, detector) in self.words.get(&hash).map_or(&[][..], Vec::as_slice) {
            if line.text[start..end].eq_ignore_ascii_case(word.as_bytes()) {
                detector.at_word(line, start, end, hits);
            }
        }
    }

    pub(crate) fn at_long_word(&self, line: &Line<'_>, start: usize, end: usize, hits: &mut Hits) {
        secret::Secrets.at_long_word(line, start, end, hits);
        wallet::Wallet.at_long_word(line, start, end, hits);
        mac::Mac.at_long_word(line, start, end, hits);
        ip::Ip.at_long_word(line, start, end, hits);
    }

    /// Looks at the numbers that begin in the run of letters and digits from `start` to `end`; gives where to go on.
    pub(crate) fn at_number(&self, line: &Line<'_>, start: usize, end: usize, hits: &mut Hits) -> usize {
        number::each_telling(line.text, start, end, &mut |number| {
            for detector in &self.numbers {
                detector.at_number(line, number, hits);
            }
        })
    }

    pub(crate) fn at_line_start(&self, line: &Line<'_>, signs: Signs, hits: &mut Hits) {
        keyed::Keyed.at_line_start(line, signs, hits);
        ip::Ip.at_line_start(line, signs, hits);
        log_user::LogUser.at_line_start(line, signs, hits);
        host::Host.at_line_start(line, signs, hits);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use crate::redact::scan::{Scanner, Scratch};
    use crate::redact::text;

    /// What is found in a line: text and category.
    pub(crate) fn found(line: &str) -> Vec<(String, String)> {
        found_after("", line)
    }

    pub(crate) fn found_after(previous: &str, line: &str) -> Vec<(String, String)> {
        let mut scratch = Scratch::default();
        Scanner::unknowing().scan(line.as_bytes(), previous.as_bytes(), &mut scratch);
        let hits = &scratch.hits.found;
        hits.iter()
            .map(|hit| (text::decode(&line.as_bytes()[hit.start..hit.end]).into_owned(), hit.category.to_string()))
            .collect()
    }

    /// Asserts what is found in a line: texts and categories in turn.
    #[track_caller]
    pub(crate) fn finds(line: &str, expected: &[(&str, &str)]) {
        let expected: Vec<_> =
            expected.iter().map(|&(text, category)| (text.to_owned(), category.to_owned())).collect();
        assert_eq!(found(line), expected, "in {line:?}");
    }

    #[test]
    fn every_key_shaped_anchor_may_end_a_key() {
        for detector in super::DETECTORS {
            let keys = detector.anchors().iter().filter(|&&byte| detector.shape(byte) == super::Shape::Key);
            assert!(keys.clone().count() == 0 || keys.copied().eq(*b"=:"));
        }
    }

    #[test]
    fn every_anchor_is_an_anchor() {
        for detector in super::DETECTORS {
            assert!(detector.anchors().iter().all(|&byte| text::is(byte, text::ANCHOR)));
        }
    }
}
