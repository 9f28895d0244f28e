//! What the survey found, handed over to the second pass, so that no detector reads a line twice.
//!
//! What detectors find in a line depends on the line, on the one before it and on where it stands in the text's shape; none
//! of it changes when the second pass begins. What is new then are the learned names: they alone are looked for, and what the
//! survey found is completed by them. Where the two touch, or what was found depends on more (a pattern of a profile, Base64),
//! the line is scanned as a whole. Either way the result is the same, bit for bit.
//!
//! A chunk is known again by a keyed hash of everything its findings depend on. A file that has grown since, or was read in
//! other pieces, is scanned again. There is a limit to what is kept; what is beyond it is scanned again as well.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::category::{Action, Category};
use super::hit::{Form, Group, Hit, rank};
use super::lines::Chunk;
use super::pem::Pem;
use super::rules::Rules;
use super::scan::{Places, Scanner, Scratch};
use super::shape::{State, fold, json};
use super::stand_in::StandIns;

/// Most bytes that are kept of findings.
const MOST: usize = 16 << 20;

/// A chunk, known by a hash and by its length.
type ChunkId = (u64, usize);

/// The findings of all chunks, by the chunks' hashes.
#[derive(Debug)]
pub(crate) struct Handover {
    /// By which the survey looked.
    rules: Rules,
    hasher: RandomState,
    /// With where in the text's shape the chunk begins.
    chunks: Mutex<HashMap<ChunkId, (State, Arc<Handed>)>>,
    kept: AtomicUsize,
}

impl Default for Handover {
    fn default() -> Self {
        Self::new(&Rules::default())
    }
}

impl Handover {
    /// Begins a survey by these rules.
    pub(crate) fn new(rules: &Rules) -> Self {
        Self { rules: rules.clone(), hasher: RandomState::new(), chunks: Mutex::default(), kept: AtomicUsize::new(0) }
    }

    /// Whether a second pass by these rules would find the same.
    pub(crate) fn holds_for(&self, rules: &Rules) -> bool {
        self.rules == *rules
    }

    /// What a chunk is known by; nothing where the findings depend on more than its bytes, the line before and its state.
    fn id(&self, chunk: &Chunk) -> Option<ChunkId> {
        if chunk.pem != Pem::Outside || !chunk.shape.is_plain() || u32::try_from(chunk.bytes.len()).is_err() {
            return None;
        }
        let mut hasher = self.hasher.build_hasher();
        hasher.write(&chunk.context);
        hasher.write(&chunk.bytes);
        hasher.write_usize(chunk.context.len());
        Some((hasher.finish(), chunk.bytes.len()))
    }

    /// Keeps what was found in a chunk, if there is room for it.
    pub(crate) fn keep(&self, chunk: &Chunk, mut handed: Handed) {
        let Some(id) = self.id(chunk) else { return };
        handed.tape.shrink_to_fit();
        let size = handed.size();
        if self.kept.fetch_add(size, Ordering::Relaxed) + size > MOST {
            self.kept.fetch_sub(size, Ordering::Relaxed);
            return;
        }
        let entry = (chunk.shape.state().clone(), Arc::new(handed));
        self.chunks.lock().unwrap_or_else(PoisonError::into_inner).insert(id, entry);
    }

    /// What was found in a chunk.
    pub(crate) fn of(&self, chunk: &Chunk, stand_ins: &StandIns) -> Option<Arc<Handed>> {
        // Where names of conferences go, findings are settled in another way.
        if self.kept.load(Ordering::Relaxed) == 0 || stand_ins.action(Category::Conference) == Action::StandIn {
            return None;
        }
        let id = self.id(chunk)?;
        let chunks = self.chunks.lock().unwrap_or_else(PoisonError::into_inner);
        let (state, handed) = chunks.get(&id)?;
        (state == chunk.shape.state()).then(|| Arc::clone(handed))
    }
}

/// What was found in a chunk.
#[derive(Debug, Default)]
pub(crate) struct Handed {
    /// The findings in their order, five or six bytes each: see [`Tape`].
    tape: Vec<u8>,
    /// Where the last of them begins.
    last: usize,
    /// Lines whose findings depend on more than the text, by their beginnings.
    depending: Vec<u32>,
    /// Lines that are divided: a finding may be cut there.
    divided: Vec<u32>,
    /// Whether something begins in one of its lines that goes on, or goes on there.
    pub(crate) shaped: bool,
}

/// The forms that detectors give, as they stand on a tape; a text's group stands there itself.
mod tag {
    pub(super) const ADDRESS: u8 = 16;
    pub(super) const IP4: u8 = 17;
    pub(super) const IP4_REVERSED: u8 = 18;
    pub(super) const IP4_JOINED: u8 = 19;
    pub(super) const IP6: u8 = 20;
    pub(super) const IP6_MIXED: u8 = 21;
    pub(super) const MAC: u8 = 22;
    pub(super) const PHONE: u8 = 23;
    pub(super) const DROP: u8 = 24;
}

impl Handed {
    fn size(&self) -> usize {
        let lines = self.depending.capacity() + self.divided.capacity();
        size_of::<Self>() + 64 + self.tape.capacity() + lines * size_of::<u32>()
    }

    /// Notes what was found in the line that begins at `start` and was just scanned.
    pub(crate) fn note(&mut self, start: usize, scratch: &Scratch) {
        let place = u32::try_from(start).unwrap_or(u32::MAX);
        if scratch.depends {
            return self.depending.push(place);
        }
        if scratch.shaped.is_divided() {
            self.divided.push(place);
        }
        let (length, last) = (self.tape.len(), self.last);
        for hit in &scratch.hits.found {
            if self.put(start, hit).is_none() {
                self.tape.truncate(length);
                self.last = last;
                return self.depending.push(place);
            }
        }
    }

    /// Puts a finding on the tape: how far it begins behind the one before, its length, its form with what belongs to that,
    /// its category and its rank.
    fn put(&mut self, line: usize, hit: &Hit) -> Option<()> {
        let category = u8::try_from(hit.category as usize).ok()?;
        let from = line + hit.start;
        self.number(from.checked_sub(self.last)?);
        self.number(hit.end - hit.start);
        match hit.form {
            Form::Text(group) => self.tape.push(group as u8),
            Form::Address => self.tape.push(tag::ADDRESS),
            Form::Ip4(ip) => self.form(tag::IP4, &ip.to_le_bytes()),
            Form::Ip4Reversed(ip) => self.form(tag::IP4_REVERSED, &ip.to_le_bytes()),
            Form::Ip4Joined(ip, joint) => {
                self.form(tag::IP4_JOINED, &ip.to_le_bytes());
                self.tape.push(joint);
            }
            Form::Ip6(ip) => self.form(tag::IP6, &ip.to_le_bytes()),
            Form::Ip6Mixed(ip) => self.form(tag::IP6_MIXED, &ip.to_le_bytes()),
            Form::Mac => self.tape.push(tag::MAC),
            Form::Phone => self.tape.push(tag::PHONE),
            Form::Drop => self.tape.push(tag::DROP),
            Form::Entry(_) | Form::Divided(_) | Form::Gone => return None,
        }
        self.tape.extend([category, hit.rank]);
        self.last = from;
        Some(())
    }

    fn form(&mut self, tag: u8, value: &[u8]) {
        self.tape.push(tag);
        self.tape.extend_from_slice(value);
    }

    /// Seven bits a byte, the lowest first; the highest bit says that more follow.
    fn number(&mut self, mut number: usize) {
        while number >= 0x80 {
            self.tape.push(number.to_le_bytes()[0] | 0x80);
            number >>= 7;
        }
        self.tape.push(number.to_le_bytes()[0]);
    }
}

/// Reads the findings of a chunk; their places are those in the chunk.
struct Tape<'h> {
    rest: &'h [u8],
    last: usize,
    next: Option<Hit>,
}

impl<'h> Tape<'h> {
    fn new(handed: &'h Handed) -> Self {
        let mut tape = Self { rest: &handed.tape, last: 0, next: None };
        tape.next = tape.take();
        tape
    }

    /// The next finding, if it ends before that place.
    fn next_until(&mut self, end: usize) -> Option<Hit> {
        let hit = self.next.filter(|hit| hit.end <= end)?;
        self.next = self.take();
        Some(hit)
    }

    fn take(&mut self) -> Option<Hit> {
        let start = self.last + self.number()?;
        let end = start + self.number()?;
        let [tag] = self.bytes()?;
        let form = match tag {
            tag::ADDRESS => Form::Address,
            tag::IP4 => Form::Ip4(u32::from_le_bytes(self.bytes()?)),
            tag::IP4_REVERSED => Form::Ip4Reversed(u32::from_le_bytes(self.bytes()?)),
            tag::IP4_JOINED => {
                let ip = u32::from_le_bytes(self.bytes()?);
                let [joint] = self.bytes()?;
                Form::Ip4Joined(ip, joint)
            }
            tag::IP6 => Form::Ip6(u128::from_le_bytes(self.bytes()?)),
            tag::IP6_MIXED => Form::Ip6Mixed(u128::from_le_bytes(self.bytes()?)),
            tag::MAC => Form::Mac,
            tag::PHONE => Form::Phone,
            tag::DROP => Form::Drop,
            group => Form::Text(*Group::ALL.get(usize::from(group))?),
        };
        let [category, rank] = self.bytes()?;
        self.last = start;
        Some(Hit { start, end, category: *Category::ALL.get(usize::from(category))?, form, rank })
    }

    fn bytes<const COUNT: usize>(&mut self) -> Option<[u8; COUNT]> {
        let (bytes, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*bytes)
    }

    #[inline]
    fn number(&mut self) -> Option<usize> {
        let (mut number, mut shift) = (0, 0);
        loop {
            let [byte] = self.bytes()?;
            number |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
            shift += 7;
        }
    }
}

/// Goes through what was found in a chunk, line by line.
pub(crate) struct Reading<'h> {
    naming: Scanner<'h>,
    tape: Tape<'h>,
    depending: &'h [u32],
    divided: &'h [u32],
    shaped: bool,
    /// The findings of a line.
    hits: Vec<Hit>,
}

impl<'h> Reading<'h> {
    pub(crate) fn new(handed: &'h Handed, stand_ins: &'h StandIns) -> Self {
        let Handed { depending, divided, shaped, .. } = handed;
        let naming = Scanner::naming(stand_ins);
        Self { naming, tape: Tape::new(handed), depending, divided, shaped: *shaped, hits: Vec::new() }
    }

    /// Whether something begins in one of the chunk's lines that goes on, or goes on there.
    pub(crate) const fn is_shaped(&self) -> bool {
        self.shaped
    }

    /// Puts the findings of the next line into `scratch.hits`, as a scan of the line would; `false` when it must be scanned.
    /// The line stands at `place` in the chunk.
    pub(crate) fn line(
        &mut self,
        scanner: &Scanner<'_>,
        view: &Places<'_>,
        place: &Range<usize>,
        scratch: &mut Scratch,
    ) -> bool {
        self.hits.clear();
        while let Some(hit) = self.tape.next_until(place.end) {
            self.hits.push(Hit { start: hit.start - place.start, end: hit.end - place.start, ..hit });
        }
        let depends = passed(&mut self.depending, place.start);
        let divided = passed(&mut self.divided, place.start);
        // No finding reaches beyond its line.
        let whole = self.tape.next.is_none_or(|next| next.start >= place.end);
        !depends && whole && self.complete(scanner, view, divided, scratch)
    }

    fn complete(&self, scanner: &Scanner<'_>, view: &Places<'_>, divided: bool, scratch: &mut Scratch) -> bool {
        let line = &view.text[view.from..view.to];
        let Some(escapes) = self.names(view, line, divided, scratch) else { return false };
        let mut all = std::mem::take(&mut scratch.spare);
        all.clear();
        all.extend_from_slice(&self.hits);
        let whole = join(line, &mut all, &scratch.hits.found, escapes, divided);
        if whole {
            scanner.settled(line, &mut all, scratch);
            std::mem::swap(&mut scratch.hits.found, &mut all);
        }
        scratch.spare = all;
        whole
    }

    /// Puts the learned names that stand in the line into `scratch.hits`, and tells whether the line has escapes; nothing
    /// when a name, or something else that is learned, does not stand there openly.
    fn names(&self, view: &Places<'_>, line: &[u8], divided: bool, scratch: &mut Scratch) -> Option<bool> {
        let mut names = std::mem::take(&mut scratch.hits);
        names.found.clear();
        let escapes = self.naming.walk(view, b"", &mut names, scratch, 0);
        let open = names.found.len();
        if escapes {
            self.naming.layer(line, b"", &mut names, scratch, 0);
        }
        if divided && fold::ends(line).next().is_some() {
            self.naming.logical_lines(line, &mut names, scratch);
        }
        if let Some(known) = self.naming.known {
            known.learned.divided.give(line, &mut names);
        }
        let plain = names.found.len() == open && names.found.iter().all(|name| matches!(name.form, Form::Entry(_)));
        scratch.hits = names;
        plain.then_some(escapes)
    }
}

/// Whether the next of the lines is the one at `start`.
fn passed(lines: &mut &[u32], start: usize) -> bool {
    match lines.split_first() {
        Some((&first, rest)) if first as usize == start => {
            *lines = rest;
            true
        }
        _ => false,
    }
}

/// Adds names to findings, both in their order; `false` where they touch in a way that only a scan settles.
///
/// A name within a finding is that finding's, as every detector outranks it. Where the line has escapes, the finding must
/// reach further than the name, for it may be of the decoded line, where it gives way to a name that stands there openly.
fn join(line: &[u8], hits: &mut Vec<Hit>, names: &[Hit], escapes: bool, divided: bool) -> bool {
    let (mut place, found) = (0, hits.len());
    for name in names {
        while place < found && hits[place].end < name.start {
            place += 1;
        }
        match hits[..found].get(place).filter(|hit| hit.start <= name.end) {
            Some(hit) => {
                let within = hit.start <= name.start && name.end <= hit.end;
                let same = (hit.start, hit.end) == (name.start, name.end);
                if !within || hit.rank <= rank::NAME || escapes && same {
                    return false;
                }
            }
            // What reads like a number may be widened to the number of JSON it is a part of.
            None if divided || line[name.start..name.end].iter().all(|&b| json::of_number(b)) => return false,
            None => hits.push(*name),
        }
    }
    if hits.len() > found {
        hits.sort_unstable_by_key(|hit| hit.start);
    }
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::redact::engine::Engine;
    use crate::redact::learned::Learned;
    use crate::redact::lines::Splitter;
    use crate::redact::prf::TicketKey;
    use crate::redact::rules::{PatternRule, Rules};
    use crate::redact::shape::Shape;
    use crate::redact::survey::Survey;

    const PEOPLE: &str = "Participant=\"Ottilie Habersaat\" user=quirin7 login=1e5 host=kolibri\n";

    /// The text redacted, with what the survey found and without it.
    fn redacted(text: &str, rules: &Rules) -> [Vec<u8>; 2] {
        let mut survey = Survey::new(rules);
        survey.read_bytes(text.as_bytes(), Shape::default()).unwrap();
        let learned = survey.finish();
        let mut alone = learned.clone();
        alone.handover = Arc::default();
        assert!(learned.handover.kept.load(Ordering::Relaxed) > 0);
        [learned, alone].map(|learned| {
            let key = TicketKey::from_bytes([5; 32]);
            let engine = Engine::new(StandIns::new(rules, learned, &key), rules.clone());
            let mut splitter = Splitter::new(text.as_bytes(), crate::redact::engine::CHUNK);
            let chunk = splitter.next_chunk().unwrap().unwrap();
            engine.process(&chunk, "").unwrap().bytes
        })
    }

    fn text() -> impl Strategy<Value = String> {
        let pieces = [
            "user=quirin7",
            "quirin7",
            "Quirin7 ",
            "Ottilie Habersaat",
            " Habersaat ",
            "habersaat",
            "kolibri ",
            "\"",
            "\\\"",
            " ",
            "\n",
            "^M",
            "#012",
            "%40",
            "\\u0048abersaat",
            "H%61bersaat",
            "T3R0aWxpZSBIYWJlcnNhYXQ=",
            "cGFzc3dvcmQ9Z2VoM2ltMTdhYQ==",
            "otti.habersaat@amt.example",
            "sip:quirin7@198.51.100.7",
            "198.51.100.7",
            "2001:470::17",
            "display_name=Ottilie Habersaat",
            "\"display_name\": [\"Ottilie\", \"Anna\"]",
            "{\"user\": {\"name\": \"Habersaat\"}}",
            "<user>kolibri</user>",
            "Conference=\"Habersaat Room\"",
            "password=geh3im17",
            "password:",
            "CASE-123456",
            "1e5",
            ":1e5,",
            "[1e5, 2]",
            "From: \"Ottilie",
            "Cookie: a",
            "Nov 21 14:20:01 kolibri sshd[12]: ",
            "+49 30 1234567",
        ];
        let piece = prop_oneof![3 => proptest::sample::select(pieces.to_vec()).prop_map(str::to_owned), 1 => "[a-z0-9:=., -]{1,8}"];
        proptest::collection::vec(piece, 0..40).prop_map(|pieces| format!("{PEOPLE}{}", pieces.concat()))
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_was_handed_over_gives_what_a_scan_gives(text in text(), own in any::<bool>(), goes in any::<bool>()) {
            let mut rules = Rules::default();
            if own {
                rules.patterns.push(PatternRule::new("case", r"CASE-\d{6}", Category::NationalId).unwrap());
            }
            if goes {
                rules.actions.insert(Category::Conference, Action::StandIn);
            }
            let [with, without] = redacted(&text, &rules);
            prop_assert_eq!(String::from_utf8_lossy(&with), String::from_utf8_lossy(&without));
        }
    }

    #[test]
    fn names_beside_findings_are_added_and_those_within_are_not() {
        let hit = |start, end, rank| Hit { start, end, category: Category::User, form: Form::Drop, rank };
        let line = b"quirin7 from quirin7@kolibri at kolibri";
        let name = |start, end| Hit { form: Form::Entry(0), rank: rank::NAME, ..hit(start, end, 0) };
        let join = |found: &[Hit], names: &[Hit], escapes| {
            let mut all = found.to_vec();
            join(line, &mut all, names, escapes, false).then_some(all)
        };
        let address = hit(13, 28, rank::ADDRESS);
        assert_eq!(join(&[address], &[name(0, 7), name(13, 20)], false), Some(vec![name(0, 7), address]));
        assert_eq!(join(&[address], &[name(13, 28)], false), Some(vec![address]));
        // These a scan must settle.
        assert_eq!(join(&[address], &[name(13, 28)], true), None);
        assert_eq!(join(&[address], &[name(8, 14)], false), None);
        assert_eq!(join(&[address], &[name(28, 31)], false), None);
    }

    #[test]
    fn findings_are_read_as_they_were_noted() {
        let forms = [
            Form::Address,
            Form::Ip4(7),
            Form::Ip4Reversed(u32::MAX),
            Form::Ip4Joined(9, b'-'),
            Form::Ip6(u128::MAX - 5),
            Form::Ip6Mixed(5),
            Form::Mac,
            Form::Phone,
            Form::Drop,
        ];
        let forms = forms.into_iter().chain(Group::ALL.map(Form::Text));
        let mut hits: Vec<_> = Vec::new();
        for (at, (form, category)) in forms.zip(Category::ALL.into_iter().cycle()).enumerate() {
            let start = at * at * 100;
            hits.push(Hit { start, end: start + 1 + at * 9, category, form, rank: rank::UNREAD });
        }
        hits.extend(Category::ALL.map(|category| Hit {
            start: 1 << 20,
            end: 1 << 21,
            category,
            form: Form::Drop,
            rank: 0,
        }));
        let mut handed = Handed::default();
        assert!(hits.iter().all(|hit| handed.put(0, hit).is_some()));
        let mut tape = Tape::new(&handed);
        assert_eq!(tape.next_until(hits[0].end - 1), None);
        assert_eq!(std::iter::from_fn(|| tape.next_until(usize::MAX)).collect::<Vec<_>>(), hits);
        assert_eq!(handed.put(0, &hits[0]), None);
        assert_eq!(handed.put(0, &Hit { form: Form::Entry(0), ..hits[0] }), None);
    }

    #[test]
    fn a_text_that_has_grown_is_not_known() {
        let splitter = |text: &'static str| Splitter::new(text.as_bytes(), 100).next_chunk().unwrap().unwrap();
        let handover = Handover::default();
        handover.keep(&splitter("a b\n"), Handed::default());
        let stand_ins = StandIns::new(&Rules::default(), Learned::default(), &TicketKey::from_bytes([5; 32]));
        assert!(handover.of(&splitter("a b\n"), &stand_ins).is_some());
        assert!(handover.of(&splitter("a b\nc\n"), &stand_ins).is_none());
        assert!(handover.of(&Chunk { context: b"x:".to_vec(), ..splitter("a b\n") }, &stand_ins).is_none());
        assert!(handover.of(&Chunk { pem: Pem::Inside, ..splitter("a b\n") }, &stand_ins).is_none());
    }
}
