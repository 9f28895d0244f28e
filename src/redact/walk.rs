//! One walk over a line that stops where a detector may have something to say.
//!
//! The places to stop at are bits ([`masks`](super::masks)): anchors of a shape that some detector wants, escapes, beginnings
//! of words. A word becomes a number, and a filter tells whether a learned name or a word with a meaning of its own may begin
//! there. Everything else is passed over.

use std::cell::Cell;

use super::category::Category;
use super::detector::{Line, number};
use super::hit::{Form, Hit, Hits, rank};
use super::masks::{Block, Shape};
use super::scan::{LAYERS, Places, Scanner, Scratch};
use super::text::{self, WORD, word_hash, word_hash_in};
use super::unescape;

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
    /// How many bytes detectors may still be shown beyond [`REACH`].
    left: usize,
    /// Whether the rest of the line is not read.
    dropped: bool,
}

/// How far detectors see on either side of a place in a line that is longer than twice that, in bytes. What reaches further
/// is shown in larger pieces, so each place costs no more than the line is long, and most cost little.
const REACH: usize = 2 << 10;
/// How often a byte of a line may be shown again in larger pieces, on average. What is left of the line then is not read, and
/// goes as a whole.
const AGAIN: usize = 64;

impl<'w> Walk<'w> {
    /// Shows detectors the place `at` of the line: `look` gets the text around it and where that begins in the line.
    #[inline]
    fn show<T: Default>(&mut self, at: usize, look: impl Fn(&Line<'_>, usize, &mut Hits) -> T) -> T {
        if self.line.text.len() <= 2 * REACH { look(&self.line, 0, self.hits) } else { self.show_near(at, look) }
    }

    fn show_near<T: Default>(&mut self, at: usize, look: impl Fn(&Line<'_>, usize, &mut Hits) -> T) -> T {
        if self.dropped {
            return T::default();
        }
        let whole = self.line.text;
        let known = self.hits.found.len();
        let mut reach = REACH;
        loop {
            let (from, to) = around(whole, at, reach);
            let (masks, begin) = self.line.places;
            let line = Line {
                text: &whole[from..to],
                head: if from > 0 { &whole[..REACH] } else { b"" },
                previous: self.line.previous,
                places: (masks, begin + from),
                short: Cell::new(false),
            };
            let result = look(&line, from, self.hits);
            let new = &mut self.hits.found[known..];
            let goes_on = to < whole.len();
            let cut = |hit: &Hit| hit.start == 0 && from > 0 || hit.end >= to - from && goes_on;
            if !(line.short.get() && goes_on || new.iter().any(cut)) {
                new.iter_mut().for_each(|hit| (hit.start, hit.end) = (hit.start + from, hit.end + from));
                return result;
            }
            self.hits.found.truncate(known);
            reach *= 4;
            let cost = whole.len().min(2 * reach);
            if cost > self.left {
                self.drop_rest(at);
                return T::default();
            }
            self.left -= cost;
        }
    }

    /// Drops the rest of the line, from the blank before `at`.
    #[cold]
    fn drop_rest(&mut self, at: usize) {
        let whole = self.line.text;
        let floor = at.saturating_sub(REACH);
        let from = whole[floor..at].iter().rposition(u8::is_ascii_whitespace).map_or(floor, |place| floor + place + 1);
        self.hits.push(from, whole.len(), Category::Secret, Form::Drop, rank::UNREAD);
        self.left = 0;
        self.dropped = true;
    }
}

/// The text within `reach` of a place: whole characters.
fn around(text: &[u8], at: usize, reach: usize) -> (usize, usize) {
    let within = |at: &usize| text.get(*at).is_some_and(|b| b & 0xc0 == 0x80);
    let from = at.saturating_sub(reach);
    let from = (from.saturating_sub(3)..=from).rev().find(|at| !within(at)).unwrap_or(from);
    let to = text.len().min(at + reach);
    (from, (to..text.len().min(to + 4)).find(|at| !within(at)).unwrap_or(text.len().min(to + 4)))
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

/// Longest Base64 text that is decoded.
const MOST_BASE64: usize = 1 << 16;
/// How often a byte of a line is decoded as Base64, on average, from one word's beginning after another; and how many bytes
/// of any line.
const TRIES: usize = 8;
const MOST_TRIED: usize = 1 << 16;

impl Scanner<'_> {
    /// One walk over the line at `place` of a text; whether there are escapes to decode.
    pub(super) fn walk(
        &self,
        view: &Places<'_>,
        previous: &[u8],
        hits: &mut Hits,
        scratch: &mut Scratch,
        depth: usize,
    ) -> bool {
        let &Places { text, masks, from, to } = view;
        let line = Line { text: &text[from..to], head: b"", previous, places: (masks, from), short: Cell::new(false) };
        if !self.names_only {
            self.table.at_line_start(&line, view.signs(), hits);
        }
        if let Some(own) = self.own {
            let before = hits.found.len();
            own.find(&line, self.known, hits);
            scratch.depends |= hits.found.len() > before;
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
            left: AGAIN * (to - from),
            dropped: false,
        };
        let digits = if self.digits { u64::MAX } else { 0 };
        let (first, last) = (from / 64, (to - 1) / 64);
        let mut escapes = false;
        for (number, block) in (first..).zip(&masks.blocks[first..=last]) {
            if walk.dropped {
                break;
            }
            let mut inside = u64::MAX;
            if number == first {
                inside &= u64::MAX << (from % 64);
            }
            if number == last {
                inside &= u64::MAX >> (63 - (to - 1) % 64);
            }
            let base = number * 64;
            if !self.names_only {
                self.places_in(&mut walk, block, base, inside);
            }
            if !escapes {
                escapes = Bits(block.escape & inside).any(|bit| unescape::may_begin(walk.line.text, base + bit - from));
            }
            if !escapes && block.high & inside != 0 {
                let hides = |bit| unescape::may_hide(walk.line.text, base + bit - from);
                escapes = Bits(block.high & inside).any(hides);
            }
            if !escapes && block.rare_escape & inside != 0 {
                let holds = |bit| unescape::holds_more(walk.line.text, base + bit - from);
                escapes = Bits(block.rare_escape & inside).any(holds);
            }
            let words = Bits((block.lead | block.digit_lead & digits) & inside);
            // Most blocks have no words but short ones of ASCII, and text enough behind them to read eight bytes from any.
            if let (0, Some(near)) = (block.high, text.get(base..base + 72)) {
                for bit in words {
                    let length = (!(block.word >> bit)).trailing_zeros() as usize;
                    if bit + length < 64
                        && let Some(hash) = text::near_hash_in(self.seed, near, bit, length)
                    {
                        if self.filter.may_hold(hash) {
                            let start = base + bit - from;
                            self.known_word(&mut walk, hash, start, start + length);
                        }
                    } else {
                        self.word(&mut walk, base + bit);
                    }
                }
            } else {
                words.for_each(|bit| self.word(&mut walk, base + bit));
            }
            for bit in Bits(block.long & inside) {
                self.long_word(&mut walk, base + bit);
            }
            if self.names_only {
                continue;
            }
            for bit in Bits(block.digits & inside) {
                if base + bit >= walk.numbers_until + from && masks.four_digits(base + bit) {
                    self.number(&mut walk, base + bit);
                }
            }
        }
        escapes
    }

    /// Shows detectors the places in a block at which they want to look.
    #[inline]
    fn places_in(&self, walk: &mut Walk<'_>, block: &Block, base: usize, inside: u64) {
        let &Places { masks, from, .. } = walk.view;
        for bit in Bits(block.shapes[Shape::Key as usize] & inside) {
            let at = base + bit - from;
            walk.show(at, |line, from, hits| self.table.at_key(line, at - from, hits));
        }
        for bit in Bits(block.rare() & inside) {
            let at = base + bit;
            let colons = block.shapes[Shape::Colons as usize] & 1 << bit;
            let few = (colons != 0 && !masks.many_colons(at)).then(|| block.without(Shape::Colons));
            let shapes = (few.as_ref().unwrap_or(block), 1 << bit);
            let (at, known) = (at - from, walk.skip);
            walk.skip = walk.show(at, |line, from, hits| {
                let mut skip = known.saturating_sub(from);
                self.table.at_anchor(line, at - from, shapes, &mut skip, hits);
                known.max(skip + from)
            });
        }
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
        let start = text::run_back(walk.line.text, walk.numbers_until, at, WORD);
        // What most lines hold, and nobody's number is.
        if let Some(end) = text::date_or_uuid(walk.line.text, start) {
            walk.numbers_until = end;
            return;
        }
        let end = walk.view.masks.word_end(at + walk.view.from) - walk.view.from;
        if number::is_nobodys(walk.line.text, start, end) {
            walk.numbers_until = end;
            return;
        }
        walk.numbers_until = walk.show(start, |line, from, hits| {
            self.table.at_number(line, start - from, end.min(from + line.text.len()) - from, hits) + from
        });
    }

    /// A word that may begin a learned name, or have a meaning of its own.
    fn known_word(&self, walk: &mut Walk<'_>, hash: u64, start: usize, end: usize) {
        if start >= walk.named_until {
            walk.named_until = self.name(walk.line.text, start, end, hash, walk.hits).unwrap_or(walk.named_until);
        }
        if !self.names_only {
            walk.show(start, |line, from, hits| {
                if end <= from + line.text.len() {
                    self.table.at_word(line, hash, start - from, end - from, hits);
                }
            });
        }
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
        if !self.names_only {
            walk.show(start, |line, from, hits| {
                let end = line.reached(end - from).min(line.text.len());
                self.table.at_long_word(line, start - from, end, hits);
            });
        }
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
        walk.scratch.depends |= !inner.found.is_empty();
        if let Some(hit) = inner.found.iter().find(|hit| self.counts(&text, hit, walk.scratch)) {
            walk.hits.push(start, stop, hit.category, Form::Drop, rank::ENCODED);
        }
    }

    /// Walks over a decoded line, and over what is decoded in it.
    pub(super) fn walk_decoded(
        &self,
        text: &[u8],
        previous: &[u8],
        hits: &mut Hits,
        scratch: &mut Scratch,
        depth: usize,
    ) {
        let mut masks = scratch.masks.pop().unwrap_or_default();
        masks.read(text, &self.table.wanted);
        let view = Places { text, masks: &masks, from: 0, to: text.len() };
        let escapes = self.walk(&view, previous, hits, scratch, depth);
        scratch.masks.push(masks);
        if escapes {
            self.layer(text, previous, hits, scratch, depth);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;
    use crate::redact::detector::Table;

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

    fn found(line: &str) -> Vec<(usize, usize, Category, Form)> {
        let mut scratch = Scratch::default();
        Scanner::unknowing().scan(line.as_bytes(), b"", &mut scratch);
        scratch.hits.found.iter().map(|hit| (hit.start, hit.end, hit.category, hit.form)).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn in_a_long_line_the_same_is_found_as_in_a_short_one(line in line(), before in 5000_usize..7000, after in 0_usize..5000) {
            let words = |length: usize| "und so ".chars().cycle().take(length / 7 * 7).collect::<String>();
            let short = format!("{}{line} {}", words(280), words(280));
            let long = format!("{}{line} {}", words(before), words(after + 280));
            let moved = before / 7 * 7 - 280;
            let expected: Vec<_> = found(&short).into_iter().map(|(start, end, category, form)| (start + moved, end + moved, category, form)).collect();
            prop_assert_eq!(expected, found(&long));
        }
    }

    #[test]
    fn a_value_longer_than_detectors_see_at_once_goes_as_a_whole() {
        let filler = "und so ".repeat(1000);
        let value = "geheim und lang ".repeat(1000);
        for (key, end) in [("password=\"", "\""), ("password=[", "]"), ("name=\"password\" value=\"", "\"")] {
            let line = format!("{filler}{key}{value}{end} {filler}");
            let hits = found(&line);
            let place = filler.len() + key.len();
            assert!(
                hits.iter().any(|hit| hit.0 <= place && hit.1 >= place + value.trim_end().len()),
                "{key}: {hits:?}"
            );
            assert!(hits.iter().all(|hit| hit.1 <= place + value.len() + 1), "{key}: {hits:?}");
        }
        let names: Vec<_> = (0..1000).map(|n| format!("'Ottilie Nummer{n}'")).collect();
        let line = format!("{filler}participants=[{}] {filler}", names.join(", "));
        assert_eq!(found(&line).iter().filter(|hit| hit.2 == Category::Person).count(), names.len());
    }

    #[test]
    fn what_cannot_be_read_in_time_goes_even_where_secrets_stay() {
        use crate::redact::category::Action;
        use crate::redact::learned::Learned;
        use crate::redact::prf::TicketKey;
        use crate::redact::rules::Rules;
        use crate::redact::stand_in::StandIns;

        let line = format!("level=info {}otti@amt.example", "password=[und,".repeat(20_000));
        let mut rules = Rules::default();
        rules.actions.insert(Category::Secret, Action::Keep);
        let stand_ins = StandIns::new(&rules, Learned::default(), &TicketKey::from_bytes([5; 32]));
        let mut scratch = Scratch::default();
        Scanner::knowing(&stand_ins).scan(line.as_bytes(), b"", &mut scratch);
        let last = scratch.hits.found.last().expect("the rest of the line goes");
        assert_eq!((last.end, last.rank), (line.len(), rank::UNREAD));
        assert!(scratch.hits.found[0].start >= "level=info ".len());
    }
}
