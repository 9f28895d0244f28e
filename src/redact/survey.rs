//! The first pass: learns people, users and computers from every item before the first is redacted.

use std::hash::BuildHasher;
use std::io::Read;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use foldhash::fast::RandomState;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::chunk_scan::{Share, key_lines, scan_units};
use super::container::{Opening, Surveying};
use super::decode;
use super::engine::{AHEAD, CHUNK};
use super::error::{RedactError, reason_of};
use super::handover::{Handed, Handover};
use super::hit::{Form, Group, Hit};
use super::keys::KeyClass;
use super::learned::{Evidence, Learned, Sighting};
use super::lines::{Chunk, Splitter, units};
use super::memo::Key;
use super::own::Own;
use super::rules::{Rules, leaves_out};
use super::scan::{Scanner, Scratch};
use super::shape::Shape;
use super::shape::fragment::{self, Divided, Fragment, Message, Parts, Waiting};
use super::stand_in::{MAC_FIRST, decoded, digits, mac_of, mapped, net4_of, net6_of, numbered};
use super::text;
use super::unescape;
use crate::item::{ArchivePath, Item, LeftOut, Reason};
use crate::spool::Spools;

type HashSet<K> = std::collections::HashSet<K, RandomState>;

/// Reads every item once and learns what must be hidden, also in items that were read before.
pub struct Survey {
    /// What it works by.
    pub(crate) rules: Rules,
    spools: Spools,
    learned: Learned,
    own: Option<Own>,
    order: Vec<Sighting>,
    seen: HashSet<Sighting>,
    chunk: usize,
    /// Memory of threads that are not at work.
    idle: Mutex<Vec<Scratch>>,
    chunks: AtomicU32,
    evidence: Evidence,
    handover: Handover,
    /// Fragments of messages, and what was learned where they meet.
    fragments: Mutex<Fragments>,
}

/// Joins fragments of messages while items are read.
#[derive(Default)]
struct Fragments {
    waiting: Waiting,
    divided: Divided,
    sightings: Vec<Sighting>,
    seen: HashSet<Sighting>,
}

impl Survey {
    /// Begins with the watch list.
    #[must_use]
    pub fn new(rules: &Rules) -> Self {
        Self::of(rules, Learned::default())
    }

    /// Goes on from what was learned before.
    pub(crate) fn of(rules: &Rules, mut learned: Learned) -> Self {
        let divided = std::mem::take(&mut learned.divided);
        let mut survey = Self {
            rules: rules.clone(),
            spools: Spools::in_memory(),
            learned,
            own: Own::of(rules),
            order: Vec::new(),
            seen: HashSet::default(),
            chunk: CHUNK,
            idle: Mutex::default(),
            chunks: AtomicU32::new(1),
            evidence: Evidence::default(),
            handover: Handover::new(rules),
            fragments: Mutex::new(Fragments { divided, ..Fragments::default() }),
        };
        let watched = rules.watch_list.iter().map(|name| name.trim()).filter(|name| !name.is_empty());
        survey.add(watched.map(|name| Sighting::Watched(name.to_owned())).collect());
        survey
    }

    /// Puts what does not fit into memory into these spools; without any, large archives are left out.
    #[must_use]
    pub fn with_spools(mut self, spools: Spools) -> Self {
        self.spools = spools;
        self
    }

    /// Reads in chunks of about `size` bytes; the result is the same for any size.
    #[must_use]
    pub fn with_chunk_size(mut self, size: usize) -> Self {
        self.chunk = size.max(1);
        self
    }

    /// Learns from the names of a file and its directories.
    pub fn learn_path(&mut self, path: &ArchivePath) {
        let sightings = self.path_sightings(path);
        self.add(sightings);
    }

    /// What the names of a file and its directories teach.
    pub(crate) fn path_sightings(&self, path: &ArchivePath) -> Vec<Sighting> {
        // A path is one short line of valid UTF-8: it can always be read.
        self.learn(&Chunk::alone(format!("/{path}")), None, None).unwrap_or_default()
    }

    /// What a cell teaches, whose column may say what it is.
    pub(crate) fn cell_sightings(&self, text: &[u8], class: Option<KeyClass>) -> Vec<Sighting> {
        self.learn(&Chunk::alone(text), class, None).unwrap_or_default()
    }

    /// Learns from an item's content, opening compressed data and archives.
    ///
    /// An item that the profile leaves out, that cannot be read or is not text is given back as left out; nothing is learned from it. A member of an
    /// archive that cannot be read is left out alone: the second pass lists it.
    pub fn read(&mut self, item: &Item) -> Result<(), LeftOut> {
        let left_out = |reason| LeftOut { path: item.path.to_string(), reason };
        if leaves_out(&self.rules.files, item.path.as_str()).is_some() {
            return Err(left_out(Reason::ByProfile));
        }
        let input = item.content.open().map_err(|error| left_out(reason_of(&error)))?;
        let sightings = self
            .read_stream(input, Some(&item.path))
            .map_err(|error| left_out(error.reason().unwrap_or(Reason::NotReadable)))?;
        self.add(sightings);
        Ok(())
    }

    /// Learns from bytes at hand.
    pub(crate) fn read_bytes(&mut self, bytes: &[u8], shape: Shape) -> Result<(), RedactError> {
        let sightings = self.read_text(bytes, shape)?;
        self.add(sightings);
        Ok(())
    }

    /// Ends the survey: what was learned is numbered in the order in which it first appeared.
    #[must_use]
    pub fn finish(mut self) -> Learned {
        let mut fragments = std::mem::take(&mut self.fragments).into_inner().unwrap_or_else(PoisonError::into_inner);
        for message in std::mem::take(&mut fragments.waiting).finish() {
            fragments.join(&message, self.own.as_ref(), &mut Scratch::default());
        }
        self.add(fragments.sightings);
        self.learned.divided = fragments.divided;
        self.learned.handover = Arc::new(self.handover);
        self.learned.take_with(self.order, &self.evidence);
        self.learned
    }

    fn add(&mut self, sightings: Vec<Sighting>) {
        for sighting in sightings {
            if !self.seen.contains(&sighting) {
                self.seen.insert(sighting.clone());
                self.order.push(sighting);
            }
        }
    }

    /// Learns from a document at hand that can be read again.
    pub(crate) fn read_document(&mut self, input: decode::Stream<'_>) -> Result<(), RedactError> {
        let sightings = self.read_stream(input, None)?;
        self.add(sightings);
        Ok(())
    }

    fn read_stream(&self, input: decode::Stream<'_>, path: Option<&ArchivePath>) -> Result<Vec<Sighting>, RedactError> {
        let opening = Opening::new(self.rules.limits, self.spools.clone());
        let input = opening.source(input);
        let mut inside = Surveying::new(self, opening, path.cloned());
        inside.document(input)?;
        Ok(inside.finish())
    }

    /// What text teaches, in its order.
    pub(crate) fn read_text(&self, text: impl Read, shape: Shape) -> Result<Vec<Sighting>, RedactError> {
        let mut splitter = Splitter::new(text, self.chunk).shaped(shape);
        let hasher = std::hash::RandomState::new();
        let (mut all, mut seen) = (Vec::new(), HashSet::default());
        loop {
            let mut chunks = Vec::new();
            while chunks.len() < AHEAD * rayon::current_num_threads() {
                let Some(chunk) = splitter.next_chunk()? else { break };
                chunks.push(chunk);
            }
            if chunks.is_empty() {
                return Ok(all);
            }
            let read = |chunk: &Chunk| -> Result<_, RedactError> {
                self.evidence.note(&chunk.bytes);
                let mut handed = Handed::default();
                let sightings = self.learn(chunk, None, Some(&mut handed))?;
                self.handover.keep(chunk, handed);
                Ok(sightings)
            };
            self.join_fragments(&chunks)?;
            let found: Vec<_> = if chunks.len() > 1 {
                chunks.into_par_iter().map(|chunk| read(&chunk)).collect()
            } else {
                chunks.iter().map(read).collect()
            };
            for sightings in found {
                for sighting in sightings? {
                    if !self.seen.contains(&sighting) && seen.insert(hasher.hash_one(&sighting)) {
                        all.push(sighting);
                    }
                }
            }
        }
    }

    /// Joins the fragments of messages that stand in these chunks with those that were read before.
    fn join_fragments(&self, chunks: &[Chunk]) -> Result<(), RedactError> {
        for chunk in chunks.iter().filter(|chunk| fragment::touches(&chunk.bytes)) {
            let mut fragments = self.fragments.lock().unwrap_or_else(PoisonError::into_inner);
            let hasher = fragments.divided.hasher();
            let mut scratch = Scratch::default();
            for unit in units(&chunk.bytes) {
                let Some(fragment) = Fragment::of(&chunk.bytes[unit?], &hasher) else { continue };
                for message in fragments.waiting.take(fragment) {
                    fragments.join(&message, self.own.as_ref(), &mut scratch);
                }
            }
        }
        Ok(())
    }

    /// What one chunk teaches, in the order of the text.
    fn learn(
        &self,
        chunk: &Chunk,
        class: Option<KeyClass>,
        handed: Option<&mut Handed>,
    ) -> Result<Vec<Sighting>, RedactError> {
        let mut scratch = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
        scratch.class = class;
        let number = self.chunks.fetch_add(1, Ordering::Relaxed);
        let sightings = learn(chunk, number, &mut scratch, self.own.as_ref(), handed);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(scratch);
        sightings
    }
}

impl Fragments {
    fn join(&mut self, message: &Message, own: Option<&Own>, scratch: &mut Scratch) {
        let Self { divided, sightings, seen, .. } = self;
        divided.join(message, &Scanner::unknowing().with(own), scratch, &mut |value, hit| {
            let mut found = Vec::new();
            if let Form::Ip4(ip) | Form::Ip4Reversed(ip) | Form::Ip4Joined(ip, _) = hit.form {
                found.push(Sighting::Net4(net4_of(ip)));
            }
            sight(value, hit, &mut found);
            for sighting in found {
                if seen.insert(sighting.clone()) {
                    sightings.push(sighting);
                }
            }
        });
    }
}

fn learn(
    chunk: &Chunk,
    number: u32,
    scratch: &mut Scratch,
    own: Option<&Own>,
    handed: Option<&mut Handed>,
) -> Result<Vec<Sighting>, RedactError> {
    decode::check_text(&chunk.bytes)?;
    let mut sightings = Vec::new();
    let fragments = fragment::touches(&chunk.bytes);
    let mut nets: HashSet<u32> = HashSet::default();
    let keys = key_lines(&chunk.bytes, chunk.pem)?;
    scan_units(
        &Scanner::unknowing().with(own),
        &chunk.bytes,
        chunk,
        &keys,
        scratch,
        handed.map_or(Share::Nothing, Share::Note),
        &mut |_, line, hits, _, around| {
            let memo = around.memo;
            let parts = if fragments { Parts::of(line) } else { None };
            for hit in hits {
                // What touches the edge of a fragment may be half of something, and is learned as a whole elsewhere.
                if parts.as_ref().is_some_and(|parts| parts.at_edge(hit)) {
                    continue;
                }
                if let Form::Ip4(ip) | Form::Ip4Reversed(ip) | Form::Ip4Joined(ip, _) = hit.form {
                    if nets.insert(net4_of(ip)) {
                        sightings.push(Sighting::Net4(net4_of(ip)));
                    }
                    continue;
                }
                if hit.form == Form::Drop {
                    continue;
                }
                // Logs say the same again and again: a value is looked at once per chunk, as long as it is remembered.
                if let Some(key) = Key::of(line, hit) {
                    if let Some(mut known) = memo.get(&key) {
                        if !known.tell(number) {
                            continue;
                        }
                    } else {
                        memo.put(&key, false, b"");
                        memo.get(&key).map(|mut known| known.tell(number));
                    }
                }
                sight(&line[hit.start..hit.end], hit, &mut sightings);
            }
            Ok(())
        },
    )?;
    taken(&chunk.bytes, &mut sightings);
    Ok(sightings)
}

fn sight(bytes: &[u8], hit: &Hit, sightings: &mut Vec<Sighting>) {
    let value = || unescape::plain(bytes).trim_matches(['"', ' ']).to_owned();
    match hit.form {
        Form::Text(Group::Conference) => sightings.push(Sighting::Conference(value())),
        Form::Text(group) => sightings.push(Sighting::Value(group, value())),
        Form::Address => {
            let plain = unescape::plain(bytes);
            if let Some((local, domain)) = plain.rsplit_once('@') {
                sightings.push(Sighting::Value(Group::Local, local.trim_matches('"').to_owned()));
                sightings.push(Sighting::Value(Group::Domain, domain.to_owned()));
            }
        }
        Form::Ip6(ip) | Form::Ip6Mixed(ip) => match mapped(ip) {
            Some(inner) => sightings.push(Sighting::Net4(net4_of(inner))),
            None => sightings.push(Sighting::Net6(net6_of(ip))),
        },
        Form::Mac => {
            if let Some(mac) = mac_of(&decoded(bytes)).filter(|mac| mac[0] == MAC_FIRST) {
                sightings.push(Sighting::Mac(mac));
            }
        }
        Form::Phone => {
            let digits = digits(&decoded(bytes));
            if digits.starts_with("00") {
                sightings.push(Sighting::Phone(digits));
            }
        }
        Form::Ip4(_) | Form::Ip4Reversed(_) | Form::Ip4Joined(..) | Form::Entry(_) | Form::Drop => {}
        Form::Divided(_) | Form::Gone => {}
    }
}

/// Notes every text that reads like a numbered stand-in, so that it is not given out.
fn taken(text: &[u8], sightings: &mut Vec<Sighting>) {
    for at in memchr::memchr_iter(b'-', text) {
        if !text::is(text::byte(text, at + 1), text::DIGIT)
            || !matches!(text::before(text, 0, at), b'n' | b'r' | b't' | b'e' | b'u' | b'd')
        {
            continue;
        }
        let start = text::run_back(text, at.saturating_sub("conference".len()), at, text::WORD);
        let digits = text::run(text, at + 1, text::DIGIT);
        for group in Group::ALL {
            let bare = group.prefix().as_bytes();
            if text[start..=at].ends_with(bare)
                && let Some(number) =
                    numbered(&[bare, &text[at + 1..digits], group.suffix().as_bytes()].concat(), group)
            {
                sightings.push(Sighting::Taken(group, number));
            }
        }
    }
}
