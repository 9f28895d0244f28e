//! Messages that a log cuts into several lines: `Fragment-Id="…" Fragment-Number="2" Fragment-Total="3" … Detail="…"`.
//!
//! The fragments of a message may stand in any order, between others, and in several files. The first pass joins them: it
//! keeps of each fragment what stands at its edges, and when the neighbour is there, scans the seam. What is found across a
//! seam is remembered with the lines it belongs to; the second pass replaces it in the first line and takes it out of the
//! others, so that the message, put together again, reads as if it had been redacted as a whole.
//!
//! A line is known again by a keyed hash of its bytes, so it does not matter where it stands. A fragment whose neighbour never
//! comes loses the word at that edge.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;

use super::super::category::Category;
use super::super::hit::{Form, Hit, Hits, rank};
use super::super::scan::{Scanner, Scratch};
use super::super::text::{DIGIT, SPACE, WORD, byte, is, run};

/// How much of a fragment is kept at each edge, in bytes.
const EDGE: usize = 2 << 10;
/// How far from a seam a value may stand that only both sides together show, in bytes.
const BEHIND: usize = 256;
/// Most fragments that wait for others.
const MOST_WAITING: usize = 1 << 14;
/// Most fragments of one message.
const MOST_PARTS: u32 = 1 << 14;
/// Most lines with divided values that are remembered.
const MOST_LINES: usize = 1 << 20;

const TOTAL: &[u8] = b"Fragment-Total";

/// Whether a text may hold fragments.
pub(crate) fn touches(text: &[u8]) -> bool {
    memchr::memmem::find(text, TOTAL).is_some()
}

/// What a line says about the fragment in it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Parts<'l> {
    id: &'l [u8],
    number: u32,
    total: u32,
    /// Where the fragment stands in the line.
    pub(crate) detail: Range<usize>,
}

impl<'l> Parts<'l> {
    /// Reads a line; nothing when it holds no fragment, or the only one.
    pub(crate) fn of(line: &'l [u8]) -> Option<Self> {
        let number = |key: &[u8]| std::str::from_utf8(value(line, key)?).ok()?.parse::<u32>().ok();
        let total = number(TOTAL).filter(|&total| (2..=MOST_PARTS).contains(&total))?;
        let (id, number) = (value(line, b"Fragment-Id")?, number(b"Fragment-Number")?);
        let start = memchr::memmem::find(line, b"Detail=\"")? + b"Detail=\"".len();
        let end = closing(line, start);
        (number <= total).then_some(Self { id, number, total, detail: start..end })
    }

    /// Whether a finding touches an edge of the fragment: it may be half of something.
    pub(crate) fn at_edge(&self, hit: &Hit) -> bool {
        hit.start <= self.detail.start && hit.end > self.detail.start
            || hit.end >= self.detail.end && hit.start < self.detail.end
    }
}

fn value<'l>(line: &'l [u8], key: &[u8]) -> Option<&'l [u8]> {
    let sign = memchr::memmem::find(line, key)? + key.len();
    if byte(line, sign) != b'=' {
        return None;
    }
    if byte(line, sign + 1) == b'"' {
        let end = memchr::memchr(b'"', &line[sign + 2..])?;
        return Some(&line[sign + 2..sign + 2 + end]);
    }
    let end = run(line, sign + 1, DIGIT);
    (end > sign + 1).then(|| &line[sign + 1..end])
}

/// The quotation mark that ends the value at `from`, or the end of the line.
fn closing(line: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(offset) = line.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += offset;
        if line[at] == b'"' {
            return at;
        }
        at += 2;
    }
    line.len()
}

/// A fragment's edges, and the line it stands in.
#[derive(Debug)]
pub(crate) struct Fragment {
    id: Vec<u8>,
    number: u32,
    total: u32,
    head: Vec<u8>,
    /// The end of the fragment; the same bytes as the head when it is short.
    tail: Vec<u8>,
    whole: bool,
    line: LineId,
    detail: Range<usize>,
}

/// A line, known by a hash of its bytes and by its length.
type LineId = (u64, usize);

impl Fragment {
    /// Keeps what is needed of a fragment.
    pub(crate) fn of(line: &[u8], hasher: &RandomState) -> Option<Self> {
        let parts = Parts::of(line)?;
        let text = &line[parts.detail.clone()];
        Some(Self {
            id: parts.id.to_vec(),
            number: parts.number,
            total: parts.total,
            head: text[..text.len().min(EDGE)].to_vec(),
            tail: text[text.len().saturating_sub(EDGE)..].to_vec(),
            whole: text.len() <= EDGE,
            line: (hasher.hash_one(line), line.len()),
            detail: parts.detail,
        })
    }
}

/// Fragments that wait for their neighbours.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    messages: HashMap<(Vec<u8>, u32), BTreeMap<u32, Fragment>>,
    /// The messages in the order in which they began, some of them complete by now.
    order: VecDeque<(Vec<u8>, u32)>,
    count: usize,
}

impl Waiting {
    /// Takes a fragment; gives a message that is complete, or has waited longest when there are too many.
    pub(crate) fn take(&mut self, fragment: Fragment) -> Vec<Message> {
        let key = (fragment.id.clone(), fragment.total);
        let parts = self.messages.entry(key.clone()).or_insert_with(|| {
            self.order.push_back(key.clone());
            BTreeMap::new()
        });
        let total = fragment.total as usize;
        self.count += usize::from(parts.insert(fragment.number, fragment).is_none());
        let complete = parts.len() >= total;
        let mut ready = Vec::new();
        if complete {
            ready.extend(self.remove(&key));
        }
        while self.count > MOST_WAITING {
            let Some(oldest) = self.order.pop_front() else { break };
            ready.extend(self.remove(&oldest));
        }
        // Most messages are complete at once; what they leave in the order is forgotten now and then.
        if self.order.len() > 2 * MOST_WAITING {
            self.order.retain(|key| self.messages.contains_key(key));
        }
        ready
    }

    fn remove(&mut self, key: &(Vec<u8>, u32)) -> Option<Message> {
        let parts = self.messages.remove(key)?;
        self.count -= parts.len();
        Some(Message { parts: parts.into_values().collect() })
    }

    /// Gives what still waits, in the order in which it began.
    pub(crate) fn finish(mut self) -> Vec<Message> {
        let order = std::mem::take(&mut self.order);
        order.iter().filter_map(|key| self.remove(key)).collect()
    }
}

/// The fragments of a message that were found, in their order.
#[derive(Debug)]
pub(crate) struct Message {
    parts: Vec<Fragment>,
}

/// A value across lines, or at an edge that has no neighbour.
#[derive(Clone, Debug)]
struct Whole {
    text: Vec<u8>,
    hit: Hit,
}

/// What of a line belongs to a divided value.
#[derive(Clone, Debug)]
struct Piece {
    start: usize,
    end: usize,
    category: Category,
    form: Form,
}

/// Divided values, by the lines they stand in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Divided {
    /// Made with the first fragment, so that all lines are hashed with one key.
    hasher: Option<RandomState>,
    lines: HashMap<LineId, Vec<Piece>>,
    wholes: Vec<Whole>,
    /// Not every line could be remembered: those that are not lose the words at their edges.
    full: bool,
}

impl Divided {
    /// The key of the hashes.
    pub(crate) fn hasher(&mut self) -> RandomState {
        self.hasher.get_or_insert_with(RandomState::new).clone()
    }

    /// Scans the seams of a message; `learn` hears of every value found there.
    pub(crate) fn join(
        &mut self,
        message: &Message,
        scanner: &Scanner<'_>,
        scratch: &mut Scratch,
        learn: &mut dyn FnMut(&[u8], &Hit),
    ) {
        let parts = &message.parts;
        for place in 0..parts.len() {
            let follows =
                |place: usize| parts.get(place + 1).is_some_and(|next| next.number == parts[place].number + 1);
            if follows(place) {
                self.seam(parts, place, scanner, scratch, learn);
            } else if parts[place].number < parts[place].total {
                // Numbers may begin at 0: then the last fragment's is one less, and complete messages lack none.
                let complete = parts.len() == parts[place].total as usize;
                if !complete {
                    self.edge(&parts[place], false);
                }
            }
            let first = place == 0 || !follows(place - 1);
            if first && parts[place].number > 1 && parts.len() < parts[place].total as usize {
                self.edge(&parts[place], true);
            }
        }
    }

    /// Scans where the fragment at `place` meets the next one.
    fn seam(
        &mut self,
        parts: &[Fragment],
        place: usize,
        scanner: &Scanner<'_>,
        scratch: &mut Scratch,
        learn: &mut dyn FnMut(&[u8], &Hit),
    ) {
        // Where each byte of the joined text came from: a fragment, and an offset in its line.
        let mut joined: Vec<u8> = Vec::new();
        let mut from: Vec<(usize, usize, usize)> = Vec::new();
        let mut first = place;
        let mut before = parts[place].tail.len();
        while before < EDGE && first > 0 && parts[first].whole && parts[first - 1].number + 1 == parts[first].number {
            first -= 1;
            before += parts[first].tail.len();
        }
        for (at, part) in parts.iter().enumerate().take(place + 1).skip(first) {
            from.push((joined.len(), at, part.detail.end - part.tail.len()));
            joined.extend_from_slice(&part.tail);
        }
        let seam = joined.len();
        let mut last = place;
        while last + 1 < parts.len() && parts[last].number + 1 == parts[last + 1].number {
            last += 1;
            from.push((joined.len(), last, parts[last].detail.start));
            joined.extend_from_slice(&parts[last].head);
            if joined.len() - seam >= EDGE || !parts[last].whole {
                break;
            }
        }
        // Another text's shape says nothing here.
        scratch.shaped.clear();
        scanner.scan(&joined, b"", scratch);
        let hits = std::mem::take(&mut scratch.hits);
        for hit in hits.found.iter().filter(|hit| hit.end + BEHIND >= seam && hit.start <= seam + BEHIND) {
            learn(&joined[hit.start..hit.end], hit);
            self.enter(parts, &from, &joined, hit);
        }
        scratch.hits = hits;
    }

    /// Remembers a value found in joined text with every line it stands in.
    fn enter(&mut self, parts: &[Fragment], from: &[(usize, usize, usize)], joined: &[u8], hit: &Hit) {
        let mut first = true;
        for (place, &(start, part, offset)) in from.iter().enumerate() {
            let end = from.get(place + 1).map_or(joined.len(), |next| next.0);
            let (a, b) = (hit.start.max(start), hit.end.min(end));
            if a >= b {
                continue;
            }
            let form = if !first {
                Form::Gone
            } else if (a, b) == (hit.start, hit.end) {
                hit.form
            } else {
                let text = joined[hit.start..hit.end].to_vec();
                self.wholes.push(Whole { hit: Hit { start: 0, end: text.len(), ..*hit }, text });
                Form::Divided(u32::try_from(self.wholes.len() - 1).expect("fewer lines than that are remembered"))
            };
            first = false;
            let (start, end) = (a - start + offset, b - start + offset);
            self.remember(parts[part].line, Piece { start, end, category: hit.category, form });
        }
    }

    fn remember(&mut self, line: LineId, piece: Piece) {
        if self.lines.len() >= MOST_LINES && !self.lines.contains_key(&line) {
            self.full = true;
            return;
        }
        let pieces = self.lines.entry(line).or_default();
        let same = |other: &Piece| (other.start, other.end) == (piece.start, piece.end);
        if !pieces.iter().any(same) {
            pieces.push(piece);
        }
    }

    /// Drops the word at an edge that has no neighbour.
    fn edge(&mut self, part: &Fragment, left: bool) {
        let text = if left { &part.head } else { &part.tail };
        let word = edge_word(text, left);
        if text[word.clone()].iter().any(|&b| is(b, WORD)) {
            let offset = if left { part.detail.start } else { part.detail.end - text.len() };
            let (start, end) = (word.start + offset, word.end + offset);
            self.remember(part.line, Piece { start, end, category: Category::Secret, form: Form::Drop });
        }
    }

    /// Adds what of a line belongs to divided values.
    pub(crate) fn give(&self, line: &[u8], hits: &mut Hits) {
        let Some(hasher) = &self.hasher else { return };
        if !touches(line) {
            return;
        }
        let pieces = self.lines.get(&(hasher.hash_one(line), line.len())).map_or(&[][..], Vec::as_slice);
        for piece in pieces.iter().filter(|piece| piece.end <= line.len()) {
            hits.push(piece.start, piece.end, piece.category, piece.form, rank::DIVIDED);
        }
        if self.full
            && pieces.is_empty()
            && let Some(parts) = Parts::of(line)
        {
            let text = &line[parts.detail.clone()];
            for left in [true, false] {
                let word = edge_word(text, left);
                let marked = super::is_mark(line, word.start + parts.detail.start);
                if !marked && text[word.clone()].iter().any(|&b| is(b, WORD)) {
                    let (start, end) = (word.start + parts.detail.start, word.end + parts.detail.start);
                    hits.push(start, end, Category::Secret, Form::Drop, rank::DIVIDED);
                }
            }
        }
    }

    /// The whole value that begins in a line, and what was found in it.
    pub(crate) fn whole(&self, place: u32) -> (&[u8], Hit) {
        let whole = &self.wholes[place as usize];
        (&whole.text, whole.hit)
    }
}

/// The word at an edge of a fragment, with the quotation it belongs to.
fn edge_word(text: &[u8], left: bool) -> Range<usize> {
    let ends = |b: &u8| is(*b, SPACE) || matches!(b, b'<' | b'>' | b'"' | b';' | b',' | b'^' | b'\\');
    if left {
        let end = text.iter().position(ends).unwrap_or(text.len());
        return 0..end;
    }
    let start = text.iter().rposition(ends).map_or(0, |at| at + 1);
    // `From: \"Otti Haber` goes from the quotation mark on.
    let line = text.len().saturating_sub(128);
    let quotes = memchr::memchr_iter(b'"', &text[line..]).count();
    match memchr::memrchr(b'"', &text[line..]).filter(|_| quotes % 2 == 1) {
        Some(quote) => (line + quote + 1).min(start)..text.len(),
        None => start..text.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(id: &str, number: u32, total: u32, detail: &str) -> String {
        format!(r#"T h Fragment-Id="{id}" Fragment-Number="{number}" Fragment-Total="{total}" Detail="{detail}""#)
    }

    #[test]
    fn a_fragments_line_is_read() {
        let text = line("a", 1, 3, r#"From: \"A\" x"#);
        let parts = Parts::of(text.as_bytes()).unwrap();
        assert_eq!((parts.id, parts.number, parts.total), (b"a".as_slice(), 1, 3));
        assert_eq!(&text[parts.detail], r#"From: \"A\" x"#);
        assert_eq!(Parts::of(line("a", 1, 1, "x").as_bytes()), None);
        assert_eq!(Parts::of(line("a", 4, 3, "x").as_bytes()), None);
        assert_eq!(Parts::of(b"Fragment-Total=\"99999999999\""), None);
    }

    #[test]
    fn memory_is_bounded_and_what_waited_longest_is_given_up() {
        let mut waiting = Waiting::default();
        let hasher = RandomState::new();
        let mut given = 0;
        for n in 0..MOST_WAITING + 10 {
            let text = line(&format!("m{n}"), 1, 2, "x");
            given += waiting.take(Fragment::of(text.as_bytes(), &hasher).unwrap()).len();
        }
        assert_eq!(given, 10);
        assert_eq!(waiting.finish().len(), MOST_WAITING);
    }

    #[test]
    fn the_word_at_an_edge_is_known() {
        let word = |text: &'static str, left| &text[edge_word(text.as_bytes(), left)];
        assert_eq!(word("saat@amt.example>;tag", true), "saat@amt.example");
        assert_eq!(word("To: <sip:otti.haber", false), "sip:otti.haber");
        assert_eq!(word("From: \"Otti Haber", false), "Otti Haber");
        assert_eq!(word("ends here ", false), "");
    }
}
