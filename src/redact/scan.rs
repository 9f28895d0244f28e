//! The fast path: one walk over a line that stops where a detector may have something to say.
//!
//! The places to stop at are bits ([`masks`](super::masks)): anchors of a shape that some detector wants, escapes, beginnings
//! of words. A word becomes a number, and a filter tells whether a learned name or a word with a meaning of its own may begin
//! there. Everything else is passed over.

use super::category::{Action, Category};
use super::detector::{FEWEST_DIGITS, Line, TABLE, Table, value_hits};
use super::hit::{Form, Hit, Hits, rank};
use super::keys::KeyClass;
use super::lines;
use super::masks::{Masks, Shape};
use super::memo::{Key, Memo};
use super::own::Own;
use super::shape::{Found, fold, json};
use super::stand_in::StandIns;
use super::text::{self, Filter, WORD, word_hash, word_hash_in};
use super::unescape::{self, Unescaped};

/// Finds personal values in lines. The survey scans without stand-ins: everything is real to it.
pub(crate) struct Scanner<'k> {
    known: Option<&'k StandIns>,
    own: Option<&'k Own>,
    table: &'static Table,
    /// Words at which names may begin or detectors look, and whether some of them begin with a digit.
    filter: &'k Filter,
    digits: bool,
    seed: u64,
}

/// A line in a text whose places are known.
pub(crate) struct Places<'t> {
    pub(crate) text: &'t [u8],
    pub(crate) masks: &'t Masks,
    pub(crate) from: usize,
    pub(crate) to: usize,
}

/// How far a walk over a line is.
struct Walk<'w> {
    view: &'w Places<'w>,
    line: Line<'w>,
    hits: &'w mut Hits,
    scratch: &'w mut Scratch,
    depth: usize,
    /// Below it no number is to be found any more.
    skip: usize,
    base64_until: usize,
    /// How many bytes were taken for Base64 so far.
    base64_tried: usize,
    named_until: usize,
    numbers_until: usize,
    crowd: Crowd,
}

/// Keys that follow each other with nothing between them that ends a value, each within the values of those before.
#[derive(Default)]
struct Crowd {
    last: usize,
    count: usize,
    until: usize,
}

/// Most keys within each other's values. Nobody writes more than a few; each is looked at as far as its value goes.
const MOST_KEYS: usize = 256;

impl Crowd {
    /// Whether there are too many keys. Then everything up to the end of the values is dropped.
    fn full(&mut self, line: &[u8], at: usize, hits: &mut Hits) -> bool {
        // Beyond that, even a line of nothing but keys is looked at in no time.
        if line.len() <= MOST_KEYS * 8 {
            return false;
        }
        if at < self.until {
            return true;
        }
        let ends = |b: &u8| b.is_ascii_whitespace() || br#",;&|"'<>)]}`"#.contains(b);
        self.count = if line[self.last..at].iter().any(ends) { 1 } else { self.count + 1 };
        self.last = at;
        if self.count <= MOST_KEYS {
            return false;
        }
        self.until = line[at..].iter().position(ends).map_or(line.len(), |length| at + length);
        hits.push(at + 1, self.until, Category::Secret, Form::Drop, rank::SECRET);
        true
    }
}

/// The places of the bits that are set.
struct Bits(u64);

impl Iterator for Bits {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        if self.0 == 0 {
            return None;
        }
        let bit = self.0.trailing_zeros() as usize;
        self.0 &= self.0 - 1;
        Some(bit)
    }
}

/// Memory for the scanning of lines, used again and again.
#[derive(Default)]
pub(crate) struct Scratch {
    pub(crate) hits: Hits,
    /// What the text's shape says about the line.
    pub(crate) shaped: Found,
    pub(crate) memo: Memo,
    /// What every line is as a whole: a cell's column says so.
    pub(crate) class: Option<KeyClass>,
    made: Vec<u8>,
    pub(crate) masks: Vec<Masks>,
    layers: Vec<(Unescaped, Hits)>,
    folded: String,
}

/// How often text in text in text is decoded.
const LAYERS: usize = 3;
/// Longest Base64 text that is decoded.
const MOST_BASE64: usize = 1 << 16;
/// How often a byte of a line is decoded as Base64, on average, from one word's beginning after another; and how many bytes
/// of any line.
const TRIES: usize = 8;
const MOST_TRIED: usize = 1 << 16;

impl<'k> Scanner<'k> {
    /// Finds what detectors find; learned names are not looked for.
    pub(crate) fn unknowing() -> Self {
        let table: &'static Table = &TABLE;
        Self { known: None, own: None, table, filter: &table.filter, digits: table.digits, seed: text::seed() }
    }

    /// Finds that and the learned names, and knows stand-ins when it sees them.
    pub(crate) fn knowing(stand_ins: &'k StandIns) -> Self {
        let (table, names): (&'static Table, _) = (&TABLE, &stand_ins.learned.names);
        let digits = table.digits || names.digits;
        let own = stand_ins.own.as_deref();
        Self { known: Some(stand_ins), own, table, filter: &names.filter, digits, seed: text::seed() }
    }

    /// Finds also what a profile names.
    pub(crate) fn with(mut self, own: Option<&'k Own>) -> Self {
        self.own = own;
        self
    }

    /// Puts the findings of `line` into `scratch.hits`: settled, in the order of the text, without stand-ins and without
    /// categories that are kept. `previous` is the line before it.
    pub(crate) fn scan(&self, line: &[u8], previous: &[u8], scratch: &mut Scratch) {
        let mut masks = scratch.masks.pop().unwrap_or_default();
        self.places(line, &mut masks);
        self.scan_place(&Places { text: line, masks: &masks, from: 0, to: line.len() }, previous, scratch);
        scratch.masks.push(masks);
    }

    /// Finds the places in a text at which detectors look.
    pub(crate) fn places(&self, text: &[u8], masks: &mut Masks) {
        masks.read(text, &self.table.wanted);
    }

    /// The same for a line in a text whose places are known.
    pub(crate) fn scan_place(&self, view: &Places<'_>, previous: &[u8], scratch: &mut Scratch) {
        let previous = if lines::leads_on(previous) { previous } else { b"" };
        let line = &view.text[view.from..view.to];
        scratch.memo.renew(self.known.map_or(0, StandIns::generation));
        scratch.hits.found.clear();
        let mut hits = std::mem::take(&mut scratch.hits);
        let escapes = self.walk(view, previous, &mut hits, scratch, 0);
        if escapes {
            self.layer(line, previous, &mut hits, scratch, 0);
        }
        self.logical_lines(line, &mut hits, scratch);
        scratch.shaped.give(&mut hits);
        if let Some(known) = self.known {
            known.learned.divided.give(line, &mut hits);
        }
        if let Some(class) = scratch.class {
            value_hits(line, 0, line.len(), class, &mut hits);
        }
        if !hits.found.is_empty() {
            if self.known.is_some_and(|known| known.action(Category::Conference) == Action::StandIn) {
                // A name that stays gives way to whatever is found in it; one that goes, goes as a whole.
                hits.raise(Category::Conference, rank::KEYED);
            }
            hits.settle(line);
            scratch.shaped.divide(line, &mut hits);
            json::widen(line, &mut hits.found);
            if self.known.is_some() {
                hits.found.retain(|hit| self.counts(line, hit, scratch));
            }
        }
        scratch.hits = hits;
    }

    /// Scans lines whose ends were written as text into this one.
    fn logical_lines(&self, line: &[u8], hits: &mut Hits, scratch: &mut Scratch) {
        for place in fold::lines(line) {
            let text = &line[place.clone()];
            let mut inner = Hits::default();
            self.walk_decoded(text, b"", &mut inner, scratch, 0);
            let moved = |hit: Hit| Hit { start: hit.start + place.start, end: hit.end + place.start, ..hit };
            hits.found.extend(inner.found.into_iter().map(moved));
        }
        for end in fold::ends(line) {
            scratch.shaped.wall(end.start, end.end);
        }
    }

    /// Whether values of the finding's category are not kept.
    pub(crate) fn wants(&self, hit: &Hit) -> bool {
        self.known.is_none_or(|known| known.action(hit.category) != Action::Keep)
    }

    /// Decodes the escapes of a line and takes over what is found in the decoded line.
    fn layer(&self, line: &[u8], previous: &[u8], hits: &mut Hits, scratch: &mut Scratch, depth: usize) {
        if depth == LAYERS {
            return;
        }
        let (mut unescaped, mut inner) = scratch.layers.pop().unwrap_or_default();
        if unescaped.decode(line) {
            inner.found.clear();
            self.walk_decoded(&unescaped.text, previous, &mut inner, scratch, depth + 1);
            for hit in &inner.found {
                let (start, end) = whole_characters(line, unescaped.place(hit.start), unescaped.place(hit.end));
                // What needed no decoding was found in the line itself, and a quotation mark that was none before decoding
                // must not take the marks of the line with it: redacted JSON stays JSON.
                let decoded = end - start != hit.end - hit.start;
                let known = || hits.found.iter().any(|other| other.start <= start && end <= other.end);
                if (decoded || !known()) && !holds_open_quote(&line[start..end]) {
                    hits.push(start, end, hit.category, hit.form, hit.rank);
                }
            }
        }
        scratch.layers.push((unescaped, inner));
    }

    /// One walk over the line at `place` of a text; whether there are escapes to decode.
    fn walk(&self, view: &Places<'_>, previous: &[u8], hits: &mut Hits, scratch: &mut Scratch, depth: usize) -> bool {
        let &Places { text, masks, from, to } = view;
        let line = Line { text: &text[from..to], previous, places: (masks, from) };
        self.table.at_line_start(&line, hits);
        if let Some(own) = self.own {
            own.find(&line, self.known, hits);
        }
        if from == to {
            return false;
        }
        let mut walk = Walk {
            view,
            line,
            hits,
            scratch,
            depth,
            skip: 0,
            base64_until: 0,
            base64_tried: 0,
            named_until: 0,
            numbers_until: 0,
            crowd: Crowd::default(),
        };
        let digits = if self.digits { u64::MAX } else { 0 };
        let (first, last) = (from / 64, (to - 1) / 64);
        let mut escapes = false;
        for (number, block) in masks.blocks.iter().enumerate().take(last + 1).skip(first) {
            let mut inside = u64::MAX;
            if number == first {
                inside &= u64::MAX << (from % 64);
            }
            if number == last {
                inside &= u64::MAX >> (63 - (to - 1) % 64);
            }
            let base = number * 64;
            for bit in Bits(block.shapes[Shape::Key as usize] & inside) {
                let at = base + bit - from;
                if !walk.crowd.full(walk.line.text, at, walk.hits) {
                    self.table.at_key(&walk.line, at, walk.hits);
                }
            }
            for bit in Bits(block.rare() & inside) {
                let at = base + bit;
                let colons = Shape::Colons as usize;
                let mut block = block;
                let without;
                if block.shapes[colons] & 1 << bit != 0 && !masks.many_colons(at) {
                    without = block.without(Shape::Colons);
                    block = &without;
                }
                self.table.at_anchor(&walk.line, at - from, (block, 1 << bit), &mut walk.skip, walk.hits);
            }
            if !escapes {
                escapes = Bits(block.escape & inside).any(|bit| unescape::may_begin(walk.line.text, base + bit - from));
            }
            if !escapes && block.high & inside != 0 {
                let hides = |bit| unescape::may_hide(walk.line.text, base + bit - from);
                escapes = Bits(block.high & inside).any(hides);
            }
            for bit in Bits((block.lead | block.digit_lead & digits) & inside) {
                let (start, length) = (base + bit, (!(block.word >> bit)).trailing_zeros() as usize);
                if bit + length < 64
                    && block.high == 0
                    && let Some(hash) = text::short_hash_in(self.seed, text, start, length)
                {
                    if self.filter.may_hold(hash) {
                        self.known_word(&mut walk, hash, start - from, start - from + length);
                    }
                } else {
                    self.word(&mut walk, start);
                }
            }
            for bit in Bits(block.long & inside) {
                self.long_word(&mut walk, base + bit);
            }
            for bit in Bits(block.digits & inside) {
                if masks.many_digits(base + bit, FEWEST_DIGITS) {
                    self.number(&mut walk, base + bit);
                }
            }
        }
        escapes
    }

    /// Looks up the word that begins at `start` of the text.
    #[inline]
    fn word(&self, walk: &mut Walk<'_>, start: usize) {
        let &Places { text, masks, from, .. } = walk.view;
        let end = masks.word_end(start);
        if !masks.high(start, end) {
            let hash = word_hash_in(text, start, end);
            if self.filter.may_hold(hash) {
                self.known_word(walk, hash, start - from, end - from);
            }
            return;
        }
        text::words_in_run(walk.line.text, start - from, end - from, |start, end| {
            let mut folded = std::mem::take(&mut walk.scratch.folded);
            folded.clear();
            text::fold_into(&walk.line.text[start..end], &mut folded);
            let hash = word_hash(folded.as_bytes());
            walk.scratch.folded = folded;
            if self.filter.may_hold(hash) {
                self.known_word(walk, hash, start, end);
            }
        });
    }

    /// Looks at the numbers in the word that has a digit at `at` of the text.
    fn number(&self, walk: &mut Walk<'_>, at: usize) {
        let at = at - walk.view.from;
        if at < walk.numbers_until {
            return;
        }
        let start = text::run_back(walk.line.text, walk.numbers_until, at, WORD);
        // What most lines hold, and nobody's number is.
        if let Some(end) = text::date_or_uuid(walk.line.text, start) {
            walk.numbers_until = end;
            return;
        }
        let end = walk.view.masks.word_end(at + walk.view.from) - walk.view.from;
        walk.numbers_until = self.table.at_number(&walk.line, start, end, walk.hits);
    }

    /// A word that may begin a learned name, or have a meaning of its own.
    fn known_word(&self, walk: &mut Walk<'_>, hash: u64, start: usize, end: usize) {
        if start >= walk.named_until {
            walk.named_until = self.name(walk.line.text, start, end, hash, walk.hits).unwrap_or(walk.named_until);
        }
        self.table.at_word(&walk.line, hash, start, end, walk.hits);
    }

    fn name(&self, line: &[u8], start: usize, end: usize, hash: u64, hits: &mut Hits) -> Option<usize> {
        let known = self.known?;
        let (place, end) = known.learned.names.find(line, start, end, hash)?;
        let category = known.learned.entries[place as usize].group.category();
        hits.push(start, end, category, Form::Entry(place), rank::NAME);
        Some(end)
    }

    /// A long word may be a token, or Base64 that holds text.
    fn long_word(&self, walk: &mut Walk<'_>, start: usize) {
        let line = walk.line.text;
        let (start, end) = (start - walk.view.from, walk.view.masks.word_end(start) - walk.view.from);
        if walk.view.masks.high(start + walk.view.from, end + walk.view.from) {
            return;
        }
        self.table.at_long_word(&walk.line, start, end, walk.hits);
        if start < walk.base64_until || walk.depth == LAYERS || !unescape::may_be_base64(&line[start..end]) {
            return;
        }
        let stop = unescape::base64_end(line, start);
        if stop - start > MOST_BASE64 {
            walk.base64_tried += stop - start;
            if walk.base64_tried > MOST_TRIED + TRIES * line.len() {
                walk.base64_until = stop;
            }
            return;
        }
        walk.base64_tried += stop - start;
        if walk.base64_tried > MOST_TRIED + TRIES * line.len() {
            // Words within words within words: what cannot be read in time goes.
            walk.base64_until = stop;
            return walk.hits.push(start, stop, Category::Secret, Form::Drop, rank::ENCODED);
        }
        let Some(text) = unescape::base64_text(&line[start..stop]) else { return };
        walk.base64_until = stop;
        let mut inner = Hits::default();
        self.walk_decoded(&text, b"", &mut inner, walk.scratch, walk.depth + 1);
        inner.settle(&text);
        if let Some(hit) = inner.found.iter().find(|hit| self.counts(&text, hit, walk.scratch)) {
            walk.hits.push(start, stop, hit.category, Form::Drop, rank::ENCODED);
        }
    }

    /// Walks over a decoded line, and over what is decoded in it.
    fn walk_decoded(&self, text: &[u8], previous: &[u8], hits: &mut Hits, scratch: &mut Scratch, depth: usize) {
        let mut masks = scratch.masks.pop().unwrap_or_default();
        masks.read(text, &self.table.wanted);
        let view = Places { text, masks: &masks, from: 0, to: text.len() };
        let escapes = self.walk(&view, previous, hits, scratch, depth);
        scratch.masks.push(masks);
        if escapes {
            self.layer(text, previous, hits, scratch, depth);
        }
    }

    /// Whether a finding is to be replaced: its category is not kept, and it is no stand-in.
    fn counts(&self, text: &[u8], hit: &Hit, scratch: &mut Scratch) -> bool {
        let Some(known) = self.known else { return true };
        if known.action(hit.category) == Action::Keep {
            return false;
        }
        let Some(key) = Key::of(text, hit) else { return !known.is_stand_in(text, hit) };
        if let Some(value) = scratch.memo.get(&key) {
            return !value.is_stand_in();
        }
        scratch.made.clear();
        let is_stand_in = known.is_stand_in(text, hit);
        if !is_stand_in {
            known.write(text, hit, &mut scratch.made);
        }
        scratch.memo.put(&key, is_stand_in, &scratch.made);
        !is_stand_in
    }
}

/// Whether a quotation mark stands in the text that no backslash hides.
fn holds_open_quote(text: &[u8]) -> bool {
    memchr::memchr_iter(b'"', text).any(|at| text[..at].iter().rev().take_while(|&&b| b == b'\\').count() % 2 == 0)
}

/// Widens a place in a line of UTF-8 so that it does not begin or end within a character: what is decoded need not be UTF-8.
fn whole_characters(line: &[u8], mut start: usize, mut end: usize) -> (usize, usize) {
    let within = |at: usize| line.get(at).is_some_and(|&b| b & 0xc0 == 0x80);
    if (within(start) || within(end)) && std::str::from_utf8(line).is_ok() {
        while start > 0 && within(start) {
            start -= 1;
        }
        while within(end) {
            end += 1;
        }
    }
    (start, end)
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;

    /// Looks at every anchor, whatever stands around it.
    static PLAIN: LazyLock<Table> = LazyLock::new(|| Table::new(|_, _| Shape::Every));

    fn line() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            proptest::sample::select(vec![
                "user=",
                "host: ",
                "\"",
                " ",
                "@",
                "amt.example",
                "198.51.100.7",
                "1.2.3.4.5",
                "2001:db8::7",
                "::",
                "1:2:3:4:5:6:7:8",
                "3c:a8:2a:01:02:03",
                "3ca8.2a01.0203",
                "3C-A8-2A-01-02-03",
                "+49 30 1234567",
                "(415) 555-0132",
                "14:20:01",
                "://",
                ":",
                "=",
                "-",
                ".",
                "%40",
                "2026-11-21T",
                "<sip:",
                "v",
                "==",
            ])
            .prop_map(str::to_owned),
            "[a-f0-9:.=@+( -]{1,12}",
            "[a-zäü]{1,70}",
        ];
        proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_a_look_at_every_anchor_finds_is_found_at_the_shapes(line in line()) {
            let mut scratch = Scratch::default();
            Scanner::unknowing().scan(line.as_bytes(), b"", &mut scratch);
            let quick = scratch.hits.found.clone();
            Scanner { table: &PLAIN, ..Scanner::unknowing() }.scan(line.as_bytes(), b"", &mut scratch);
            prop_assert_eq!(&quick, &scratch.hits.found);
        }
    }
}
