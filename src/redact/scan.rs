//! What is found in a line: by a [walk](super::walk) over it, over the lines written into it and over what its escapes hide,
//! and by the shape of the text it stands in; settled, and without stand-ins.

use std::collections::BTreeMap;
use std::ops::Range;

use super::category::{Action, Category};
use super::detector::{TABLE, Table, value_hits};
use super::hit::{Form, Hit, Hits, rank};
use super::keys::KeyClass;
use super::lines;
use super::masks::{Masks, Signs};
use super::memo::{Key, Memo};
use super::own::Own;
use super::shape::{Found, fold, json};
use super::stand_in::StandIns;
use super::text::{self, Filter};
use super::unescape::{Coding, Unescaped};

/// Finds personal values in lines. The survey scans without stand-ins: everything is real to it.
pub(crate) struct Scanner<'k> {
    pub(super) known: Option<&'k StandIns>,
    pub(super) own: Option<&'k Own>,
    pub(super) table: &'static Table,
    /// Words at which names may begin or detectors look, and whether some of them begin with a digit.
    pub(super) filter: &'k Filter,
    pub(super) digits: bool,
    /// Whether nothing but learned names is looked for.
    pub(super) names_only: bool,
    pub(super) seed: u64,
}

/// A line in a text whose places are known.
pub(crate) struct Places<'t> {
    pub(crate) text: &'t [u8],
    pub(crate) masks: &'t Masks,
    pub(crate) from: usize,
    pub(crate) to: usize,
}

impl Places<'_> {
    /// Which signs stand in the line.
    pub(crate) fn signs(&self) -> Signs {
        self.masks.signs(self.from, self.to)
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
    /// Whether what was found in the line last scanned depends on what is known of stand-ins.
    pub(super) depends: bool,
    /// Memory for findings of other lines.
    pub(super) spare: Vec<Hit>,
    made: Vec<u8>,
    pub(crate) masks: Vec<Masks>,
    layers: Vec<(Unescaped, Hits)>,
    pub(super) folded: String,
}

/// How often text in text in text is decoded.
pub(super) const LAYERS: usize = 3;

impl<'k> Scanner<'k> {
    /// Finds what detectors find; learned names are not looked for.
    pub(crate) fn unknowing() -> Self {
        let table: &'static Table = &TABLE;
        let filter = &table.filter;
        Self { known: None, own: None, table, filter, digits: table.digits, names_only: false, seed: text::seed() }
    }

    /// Finds that and the learned names, and knows stand-ins when it sees them.
    pub(crate) fn knowing(stand_ins: &'k StandIns) -> Self {
        let (table, names): (&'static Table, _) = (&TABLE, &stand_ins.learned.names);
        let digits = table.digits || names.digits;
        let own = stand_ins.own.as_deref();
        let filter = &names.filter;
        Self { known: Some(stand_ins), own, table, filter, digits, names_only: false, seed: text::seed() }
    }

    /// Finds nothing but the learned names.
    pub(super) fn naming(stand_ins: &'k StandIns) -> Self {
        let names = &stand_ins.learned.names;
        let filter = &names.first_words;
        Self { own: None, filter, digits: names.digits, names_only: true, ..Self::knowing(stand_ins) }
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
        scratch.depends = false;
        let mut hits = std::mem::take(&mut scratch.hits);
        let escapes = self.walk(view, previous, &mut hits, scratch, 0);
        if escapes {
            self.layer(line, previous, &mut hits, scratch, 0);
        }
        if view.signs().breaks {
            self.logical_lines(line, &mut hits, scratch);
        }
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
            self.settled(line, &mut hits.found, scratch);
        }
        scratch.hits = hits;
    }

    /// Adds to the findings of the line last scanned what is dropped whatever it says.
    pub(crate) fn drop_too(&self, line: &[u8], place: Range<usize>, scratch: &mut Scratch) {
        let mut hits = std::mem::take(&mut scratch.hits);
        hits.push(place.start, place.end, Category::Secret, Form::Drop, rank::KEY);
        hits.settle(line);
        self.settled(line, &mut hits.found, scratch);
        scratch.hits = hits;
    }

    /// Leaves of settled findings those that are to be replaced.
    pub(super) fn settled(&self, line: &[u8], found: &mut Vec<Hit>, scratch: &mut Scratch) {
        if let Some(known) = self.known {
            scratch.memo.renew(known.generation());
            found.retain(|hit| self.counts(line, hit, scratch));
        }
    }

    /// Scans lines whose ends were written as text into this one.
    pub(super) fn logical_lines(&self, line: &[u8], hits: &mut Hits, scratch: &mut Scratch) {
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

    /// Decodes the escapes of a line and takes over what is found in the decoded line.
    pub(super) fn layer(&self, line: &[u8], previous: &[u8], hits: &mut Hits, scratch: &mut Scratch, depth: usize) {
        if depth < LAYERS {
            Coding::ALL.into_iter().for_each(|coding| self.decoded(line, previous, hits, scratch, (depth, coding)));
        }
    }

    fn decoded(
        &self,
        line: &[u8],
        previous: &[u8],
        hits: &mut Hits,
        scratch: &mut Scratch,
        (depth, coding): (usize, Coding),
    ) {
        let (mut unescaped, mut inner) = scratch.layers.pop().unwrap_or_default();
        if unescaped.decode(line, coding) {
            inner.found.clear();
            self.walk_decoded(&unescaped.text, previous, &mut inner, scratch, depth + 1);
            let mut known = Covered::by(&hits.found);
            for hit in &inner.found {
                let (start, end) = whole_characters(line, unescaped.place(hit.start), unescaped.end(hit.end));
                // What needed no decoding was found in the line itself, and a quotation mark that was none before decoding
                // must not take the marks of the line with it: redacted JSON stays JSON.
                let decoded = end - start != hit.end - hit.start;
                let new = decoded || !known.holds(start, end);
                if hit.rank == rank::UNREAD || new && !holds_open_quote(&line[start..end]) {
                    hits.push(start, end, hit.category, hit.form, hit.rank);
                    known.add(start, end.max(start));
                }
            }
        }
        scratch.layers.push((unescaped, inner));
    }

    /// Whether a finding is to be replaced: its category is not kept, and it is no stand-in.
    pub(super) fn counts(&self, text: &[u8], hit: &Hit, scratch: &mut Scratch) -> bool {
        let Some(known) = self.known else { return true };
        if known.action(hit.category) == Action::Keep && hit.rank != rank::UNREAD {
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

/// Where findings lie, to tell quickly whether one of them holds a place: those that lie within no other, by their beginnings.
#[derive(Default)]
struct Covered(BTreeMap<usize, usize>);

impl Covered {
    fn by(found: &[Hit]) -> Self {
        let mut covered = Self::default();
        found.iter().for_each(|hit| covered.add(hit.start, hit.end));
        covered
    }

    fn holds(&self, start: usize, end: usize) -> bool {
        self.0.range(..=start).next_back().is_some_and(|(_, &last)| end <= last)
    }

    fn add(&mut self, start: usize, end: usize) {
        if self.holds(start, end) {
            return;
        }
        while let Some((&from, _)) = self.0.range(start..).next().filter(|&(_, &to)| to <= end) {
            self.0.remove(&from);
        }
        self.0.insert(start, end);
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
