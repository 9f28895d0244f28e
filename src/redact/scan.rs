//! The fast path: one walk over a line that stops where a detector may have something to say.
//!
//! The walk knows classes of bytes. At an anchor byte (`@ : . = - + (`) it asks the detectors of that byte; at the beginning
//! of a word it makes the word's number and asks two filters, whether a learned name or a word with a meaning of its own
//! begins there. Everything else is passed over.

use super::category::{Action, Category};
use super::detector::{Line, TABLE, Table};
use super::hit::{Form, Hit, Hits, rank};
use super::learned::Names;
use super::lines;
use super::memo::{Key, Memo};
use super::own::Own;
use super::stand_in::StandIns;
use super::text::{self, ANCHOR, CLASS, HIGH, WORD, word_hash};
use super::unescape::{self, Unescaped};

/// Finds personal values in lines. The survey scans without stand-ins: everything is real to it.
pub(crate) struct Scanner<'k> {
    known: Option<&'k StandIns>,
    no_names: Names,
    own: Option<&'k Own>,
    table: &'static Table,
}

/// Memory for the scanning of lines, used again and again.
#[derive(Default)]
pub(crate) struct Scratch {
    pub(crate) hits: Hits,
    pub(crate) memo: Memo,
    made: Vec<u8>,
    layers: Vec<(Unescaped, Hits)>,
    folded: String,
}

/// How often text in text in text is decoded.
const LAYERS: usize = 3;
/// Longest Base64 text that is decoded.
const MOST_BASE64: usize = 1 << 16;

impl<'k> Scanner<'k> {
    /// Finds what detectors find; learned names are not looked for.
    pub(crate) fn unknowing() -> Self {
        Self { known: None, no_names: Names::default(), own: None, table: &TABLE }
    }

    /// Finds that and the learned names, and knows stand-ins when it sees them.
    pub(crate) fn knowing(stand_ins: &'k StandIns) -> Self {
        Self { known: Some(stand_ins), no_names: Names::default(), own: stand_ins.own.as_deref(), table: &TABLE }
    }

    /// Finds also what a profile names.
    pub(crate) fn with(mut self, own: Option<&'k Own>) -> Self {
        self.own = own;
        self
    }

    /// Puts the findings of `line` into `scratch.hits`: settled, in the order of the text, without stand-ins and without
    /// categories that are kept. `previous` is the line before it.
    pub(crate) fn scan(&self, line: &[u8], previous: &[u8], scratch: &mut Scratch) {
        let previous = if lines::leads_on(previous) { previous } else { b"" };
        scratch.memo.renew(self.known.map_or(0, StandIns::generation));
        scratch.hits.found.clear();
        let mut hits = std::mem::take(&mut scratch.hits);
        let escapes = self.walk(line, previous, &mut hits, scratch, 0);
        if escapes {
            self.layer(line, previous, &mut hits, scratch, 0);
        }
        if self.known.is_some_and(|known| known.action(Category::Conference) == Action::StandIn) {
            // A name that stays gives way to whatever is found in it; one that goes, goes as a whole.
            hits.raise(Category::Conference, rank::KEYED);
        }
        hits.settle(line);
        if self.known.is_some() {
            hits.found.retain(|hit| self.counts(line, hit, scratch));
        }
        scratch.hits = hits;
    }

    /// Whether values of the finding's category are not kept.
    pub(crate) fn wants(&self, hit: &Hit) -> bool {
        self.known.is_none_or(|known| known.action(hit.category) != Action::Keep)
    }

    fn names(&self) -> &Names {
        self.known.map_or(&self.no_names, |known| &known.learned.names)
    }

    /// Decodes the escapes of a line and takes over what is found in the decoded line.
    fn layer(&self, line: &[u8], previous: &[u8], hits: &mut Hits, scratch: &mut Scratch, depth: usize) {
        if depth == LAYERS {
            return;
        }
        let (mut unescaped, mut inner) = scratch.layers.pop().unwrap_or_default();
        if unescaped.decode(line) {
            inner.found.clear();
            let more = self.walk(&unescaped.text, previous, &mut inner, scratch, depth + 1);
            if more {
                self.layer(&unescaped.text, previous, &mut inner, scratch, depth + 1);
            }
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

    /// One walk; whether there are escapes to decode.
    fn walk(&self, line: &[u8], previous: &[u8], hits: &mut Hits, scratch: &mut Scratch, depth: usize) -> bool {
        let names = self.names();
        let view = Line { text: line, previous };
        let mut skip = 0;
        let mut named_until = 0;
        let mut escapes = false;
        self.table.at_line_start(&view, hits);
        if let Some(own) = self.own {
            own.find(&view, self.known, hits);
        }
        let mut at = 0;
        while at < line.len() {
            let class = CLASS[line[at] as usize];
            if class & WORD != 0 {
                let start = at;
                let mut all = class;
                at += 1;
                while at < line.len() {
                    let next = CLASS[line[at] as usize];
                    if next & WORD == 0 {
                        break;
                    }
                    all |= next;
                    at += 1;
                }
                if all & HIGH == 0 {
                    let hash = word_hash(&line[start..at]);
                    if start >= named_until && names.may_begin(hash) {
                        named_until = self.name(line, start, at, hash, hits).unwrap_or(named_until);
                    }
                    if self.table.may_mean(hash) {
                        self.table.at_word(&view, hash, start, at, hits);
                    }
                    if at - start >= 10 {
                        self.long_word(&view, start, at, &mut skip, hits, scratch, depth);
                    }
                } else {
                    text::words_in_run(line, start, at, |from, to| {
                        scratch.folded.clear();
                        text::fold_into(&line[from..to], &mut scratch.folded);
                        let hash = word_hash(scratch.folded.as_bytes());
                        if from >= named_until && names.may_begin(hash) {
                            named_until = self.name(line, from, to, hash, hits).unwrap_or(named_until);
                        }
                        if self.table.may_mean(hash) {
                            self.table.at_word(&view, hash, from, to, hits);
                        }
                    });
                }
                continue;
            }
            if class & ANCHOR != 0 {
                match line[at] {
                    b'%' | b'\\' | b'&' => escapes = escapes || unescape::may_begin(line, at),
                    _ => self.table.at_anchor(&view, at, &mut skip, hits),
                }
            }
            at += 1;
        }
        escapes
    }

    fn name(&self, line: &[u8], start: usize, end: usize, hash: u64, hits: &mut Hits) -> Option<usize> {
        let known = self.known?;
        let (place, end) = known.learned.names.find(line, start, end, hash)?;
        let category = known.learned.entries[place as usize].group.category();
        hits.push(start, end, category, Form::Entry(place), rank::NAME);
        Some(end)
    }

    /// A long word may be a token, or Base64 that holds text.
    #[expect(clippy::too_many_arguments, reason = "the walk's state, in one place")]
    fn long_word(
        &self,
        view: &Line<'_>,
        start: usize,
        end: usize,
        skip: &mut usize,
        hits: &mut Hits,
        scratch: &mut Scratch,
        depth: usize,
    ) {
        let line = view.text;
        self.table.at_long_word(view, start, end, hits);
        if start < *skip || depth == LAYERS || !unescape::may_be_base64(&line[start..end]) {
            return;
        }
        let stop = unescape::base64_end(line, start);
        if stop - start > MOST_BASE64 {
            return;
        }
        let Some(text) = unescape::base64_text(&line[start..stop]) else { return };
        *skip = stop;
        let mut inner = Hits::default();
        let escapes = self.walk(&text, b"", &mut inner, scratch, depth + 1);
        if escapes {
            self.layer(&text, b"", &mut inner, scratch, depth + 1);
        }
        inner.settle(&text);
        if let Some(hit) = inner.found.iter().find(|hit| self.counts(&text, hit, scratch)) {
            hits.push(start, stop, hit.category, Form::Drop, rank::ENCODED);
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
