//! The second pass: replaces what is found, chunk by chunk, on every core.
//!
//! Chunks depend on nothing but their own bytes, the line before and what the survey learned, so the result is the same for
//! any number of threads and any size of chunk. Where a redacted chunk ends otherwise than it did, so that the next one will be
//! read otherwise, the next one is checked as it will be read: to redact what was redacted finds nothing that was not looked for.
//! What detectors find in a chunk the survey may have handed over: it is the same.

use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use super::category::{Category, Counts};
use super::chunk_scan::{Share, each_line, key_lines, scan_units};
use super::decode;
use super::error::{GateHit, RedactError};
use super::gate;
use super::handover::Reading;
use super::hit::{Form, Hit};
use super::keys::KeyClass;
use super::lines::{self, Chunk};
use super::memo::{Key, Memo};
use super::pem::Pem;
use super::rules::Rules;
use super::sample::{ChunkSamples, Sample, Samples};
use super::scan::{Scanner, Scratch};
use super::shape::{State, ini, json};
use super::stand_in::{StandIns, decoded};
use super::text;
use super::vault::{Vault, VaultEntry};

/// How many bytes a chunk holds.
pub(crate) const CHUNK: usize = 256 << 10;
/// Chunks that are read ahead for each thread.
pub(crate) const AHEAD: usize = 6;
/// How often a text is redacted again when replacing made something new readable.
const ROUNDS: usize = 3;
const ROUNDS_AND_RUN: usize = ROUNDS + 1;
const ROUNDS_AND_REST: usize = ROUNDS + 2;

/// How much is dropped around a finding that exact replacement did not remove.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Coarse {
    /// Up to the next blank on both sides.
    Run,
    /// From there to the end of the line.
    Rest,
    /// The whole line.
    Line,
}

/// Everything the second pass knows.
pub(crate) struct Engine {
    pub(crate) stand_ins: StandIns,
    /// Hears of stand-ins that were computed, not numbered.
    pub(crate) vault: Option<Mutex<Vault>>,
    /// Takes samples for the review.
    pub(crate) samples: Option<Samples>,
    pub(crate) chunk: usize,
    /// What columns of tables hold.
    pub(crate) rules: Rules,
    /// Memory of threads that are not at work.
    idle: Mutex<Vec<Scratch>>,
    chunks: AtomicU32,
}

/// How a chunk begins when what stands before it is redacted.
pub(crate) struct Begin {
    state: State,
    context: Vec<u8>,
}

impl Begin {
    /// Whether the chunk begins so as it was read.
    pub(crate) fn is_of(&self, chunk: &Chunk) -> bool {
        let leads_on = lines::leads_on(&self.context) || lines::leads_on(&chunk.context);
        self.state == *chunk.shape.state() && (!leads_on || self.context == chunk.context)
    }
}

/// A chunk, redacted and checked.
pub(crate) struct Done {
    pub(crate) bytes: Vec<u8>,
    /// How the next chunk begins behind this one; nothing where it is as it was read.
    pub(crate) after: Option<Begin>,
    pub(crate) counts: Counts,
    pub(crate) computed: Vec<VaultEntry>,
    pub(crate) samples: Vec<Sample>,
}

impl Engine {
    pub(crate) fn new(stand_ins: StandIns, rules: Rules) -> Self {
        Self {
            stand_ins,
            vault: None,
            samples: None,
            chunk: CHUNK,
            rules,
            idle: Mutex::default(),
            chunks: AtomicU32::new(1),
        }
    }

    /// Redacts a chunk and checks it.
    pub(crate) fn process(&self, chunk: &Chunk, path: &str) -> Result<Done, RedactError> {
        self.process_as(chunk, None, path, None)
    }

    /// The same where what stands before it, redacted, makes it begin otherwise: it is checked as it will be read.
    pub(crate) fn process_after(&self, chunk: &Chunk, begin: Begin, path: &str) -> Result<Done, RedactError> {
        let mut shape = chunk.shape.clone();
        shape.go_to(&begin.state);
        let Chunk { pem, line, .. } = *chunk;
        let seen = Chunk { bytes: Vec::new(), context: begin.context, pem, shape, line };
        self.process_as(chunk, Some(&seen), path, None)
    }

    fn process_as(
        &self,
        chunk: &Chunk,
        seen: Option<&Chunk>,
        path: &str,
        class: Option<KeyClass>,
    ) -> Result<Done, RedactError> {
        let mut scratch = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
        scratch.class = class;
        let done = self.process_with(chunk, seen, path, &mut scratch);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(scratch);
        done
    }

    /// `seen` is how the chunk begins when it is redacted, if that is not how it was read.
    fn process_with(
        &self,
        chunk: &Chunk,
        seen: Option<&Chunk>,
        path: &str,
        scratch: &mut Scratch,
    ) -> Result<Done, RedactError> {
        decode::check_text(&chunk.bytes)?;
        let mut counts = [0; Category::ALL.len()];
        let mut computed = Vec::new();
        let number = self.chunks.fetch_add(1, Ordering::Relaxed);
        let samples = self.samples.as_ref().map(Samples::of_chunk);
        let toml = chunk.shape.is_toml();
        let mut pass = Pass { engine: self, counts: Some(&mut counts), computed: &mut computed, samples, number, toml };
        // Lines stay lines, so the lines of a private key are known from the text as it was, also where its first line is
        // replaced.
        let keys = key_lines(&chunk.bytes, chunk.pem)?;
        let known = keys.is_empty() && scratch.class.is_none();
        let handed = known.then(|| self.stand_ins.learned.handover.of(chunk, &self.stand_ins)).flatten();
        let share =
            handed.as_deref().map_or(Share::Nothing, |handed| Share::Read(Reading::new(handed, &self.stand_ins)));
        let Rewritten { mut bytes, changed } = pass.redact(&chunk.bytes, chunk, &keys, scratch, share)?;
        pass.counts = None;
        let samples = pass.samples.take();
        let mut first = None;
        let (mut flaw, as_read) = match seen {
            Some(seen) => (gate::check(&self.stand_ins, &bytes, seen, &keys, scratch)?, false),
            None => gate::check_changed(&self.stand_ins, &bytes, &changed, chunk, &keys, scratch)?,
        };
        // What is read from here on is redacted text.
        let chunk = seen.unwrap_or(chunk);
        let mut round = 1;
        while let Some((line, rule)) = flaw {
            // Two replaced neighbours may together read like a value: that is replaced as well, and checked again. Where that
            // does not end, more goes: the text around it, then the rest of the line, then the line.
            let next = match round {
                ..ROUNDS => pass.redact(&bytes, chunk, &keys, scratch, Share::Nothing)?.bytes,
                ROUNDS => pass.coarsen(&bytes, chunk, &keys, scratch, Coarse::Run)?,
                ROUNDS_AND_RUN => pass.coarsen(&bytes, chunk, &keys, scratch, Coarse::Rest)?,
                ROUNDS_AND_REST => pass.coarsen(&bytes, chunk, &keys, scratch, Coarse::Line)?,
                _ => {
                    let value = gate::value(&self.stand_ins, &bytes, chunk, &keys, scratch)?;
                    let line = chunk.line + line;
                    return Err(RedactError::Gate(GateHit { path: path.to_owned(), line, rule, value }));
                }
            };
            first.get_or_insert(std::mem::replace(&mut bytes, next));
            round += 1;
            flaw = gate::check(&self.stand_ins, &bytes, chunk, &keys, scratch)?;
        }
        let after = if as_read {
            None
        } else {
            let state = chunk.shape.clone().after(&bytes).state().clone();
            Some(Begin { state, context: lines::last_line(&bytes)? })
        };
        let counted = Category::ALL.into_iter().zip(counts).filter(|&(_, count)| count > 0);
        let samples = samples.map_or_else(Vec::new, |samples| {
            samples.finish(first.as_deref().unwrap_or(&bytes), &bytes, path, chunk.line)
        });
        Ok(Done { bytes, after, counts: counted.collect(), computed, samples })
    }

    /// Redacts a text that stands alone, such as a path.
    pub(crate) fn text(&self, text: &[u8]) -> Result<Vec<u8>, RedactError> {
        let done = self.process(&Chunk::alone(text), "")?;
        self.remember(&done.computed);
        Ok(done.bytes)
    }

    /// Redacts a cell whose column may say what it is. It passes the gate like a line of a log.
    pub(crate) fn cell(&self, text: &[u8], class: Option<KeyClass>) -> Result<(Vec<u8>, Counts), RedactError> {
        let done = self.process_as(&Chunk::alone(text), None, "", class)?;
        self.remember(&done.computed);
        Ok((done.bytes, done.counts))
    }

    /// Tells the vault of stand-ins that were computed.
    pub(crate) fn remember(&self, computed: &[VaultEntry]) {
        if let (Some(vault), false) = (&self.vault, computed.is_empty()) {
            let mut vault = vault.lock().unwrap_or_else(PoisonError::into_inner);
            computed.iter().for_each(|entry| vault.enter(entry));
        }
    }
}

/// A text with what was found in it replaced.
struct Rewritten {
    bytes: Vec<u8>,
    changed: Vec<Changed>,
}

/// A line in which something was replaced.
pub(crate) struct Changed {
    /// Where it stands now, without its line end.
    pub(crate) place: Range<usize>,
    /// Its number, counted from 0.
    pub(crate) number: u64,
    /// Whether the line, as it was, said what the next one holds.
    pub(crate) leads_on: bool,
    /// Where in the text's shape the line stood, and the next one.
    pub(crate) before: State,
    pub(crate) after: State,
}

/// One walk over a chunk that replaces.
struct Pass<'e> {
    engine: &'e Engine,
    counts: Option<&'e mut [u64; Category::ALL.len()]>,
    computed: &'e mut Vec<VaultEntry>,
    samples: Option<ChunkSamples>,
    /// The chunk's number, unlike that of other chunks.
    number: u32,
    /// Whether the text is in TOML.
    toml: bool,
}

impl Pass<'_> {
    fn redact(
        &mut self,
        bytes: &[u8],
        chunk: &Chunk,
        keys: &[Pem],
        scratch: &mut Scratch,
        share: Share<'_>,
    ) -> Result<Rewritten, RedactError> {
        let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 8);
        let mut changed = Vec::new();
        let mut copied = 0;
        let scanner = Scanner::knowing(&self.engine.stand_ins);
        scan_units(&scanner, bytes, chunk, keys, scratch, share, &mut |start, line, hits, number, around| {
            out.extend_from_slice(&bytes[copied..start]);
            copied = start;
            let from = out.len();
            for hit in hits {
                out.extend_from_slice(&bytes[copied..start + hit.start]);
                self.replace(line, hit, &mut out, around.memo, around.before);
                copied = start + hit.end;
            }
            out.extend_from_slice(&bytes[copied..start + line.len()]);
            copied = start + line.len();
            changed.push(Changed {
                place: from..out.len(),
                number,
                leads_on: lines::leads_on(line),
                before: around.before.clone(),
                after: around.after.clone(),
            });
            Ok(())
        })?;
        out.extend_from_slice(&bytes[copied..]);
        Ok(Rewritten { bytes: out, changed })
    }

    /// Drops what is found, and what stands around it.
    fn coarsen(
        &self,
        bytes: &[u8],
        chunk: &Chunk,
        keys: &[Pem],
        scratch: &mut Scratch,
        coarse: Coarse,
    ) -> Result<Vec<u8>, RedactError> {
        let mut out = Vec::with_capacity(bytes.len());
        let mut copied = 0;
        each_line(&self.engine.stand_ins, bytes, chunk, keys, scratch, |start, line, hits, _| {
            let last = line.trim_ascii_end().len();
            for hit in hits {
                let blank = |b: &u8| b.is_ascii_whitespace();
                let from = line[..hit.start].iter().rposition(blank).map_or(0, |at| at + 1);
                let to = line[hit.end..].iter().position(blank).map_or(line.len(), |length| hit.end + length);
                let (from, to) = match coarse {
                    Coarse::Run => (from, to),
                    Coarse::Rest => (from, last.max(to)),
                    Coarse::Line => (0, last.max(to)),
                };
                if start + from >= copied {
                    out.extend_from_slice(&bytes[copied..start + from]);
                    out.extend_from_slice(hit.category.dropped().as_bytes());
                }
                copied = copied.max(start + to);
            }
            Ok(())
        })?;
        out.extend_from_slice(&bytes[copied..]);
        Ok(out)
    }

    fn replace(&mut self, line: &[u8], hit: &Hit, out: &mut Vec<u8>, memo: &mut Memo, before: &State) {
        if let Form::Divided(place) = hit.form {
            let (whole, hit) = self.engine.stand_ins.learned.divided.whole(place);
            return self.replace(whole, &hit, out, memo, &State::Idle);
        }
        if let Some(counts) = &mut self.counts {
            counts[hit.category as usize] += 1;
        }
        // A number of JSON or TOML becomes a string.
        let quotes = match self.toml {
            true => ini::quotes(line, hit.start, hit.end),
            false => json::quotes(line, hit, before),
        };
        let quotes = quotes.unwrap_or_default();
        out.extend_from_slice(quotes);
        let from = out.len();
        let mut new = true;
        if let Some(mut known) = Key::of(line, hit).and_then(|key| memo.get(&key))
            && !known.is_stand_in()
        {
            out.extend_from_slice(known.made());
            new = known.tell(self.number);
        } else {
            self.engine.stand_ins.write(line, hit, out);
        }
        if new && self.engine.vault.is_some() {
            self.tell(line, hit, &out[from..]);
        }
        if let Some(samples) = &mut self.samples {
            samples.note(line, hit, out, from);
        }
        out.extend_from_slice(quotes);
    }

    /// Tells the vault of a stand-in that was computed, not numbered.
    fn tell(&mut self, line: &[u8], hit: &Hit, stand_in: &[u8]) {
        let computed = match hit.form {
            Form::Ip6(_) | Form::Ip6Mixed(_) | Form::Mac | Form::Phone => true,
            Form::Text(group) => stand_in.get(group.prefix().len()) == Some(&b'k'),
            _ => false,
        };
        if computed && stand_in.first() != Some(&b'[') {
            let value = text::decode(&decoded(&line[hit.start..hit.end])).into_owned();
            let stand_in = String::from_utf8_lossy(stand_in).into_owned();
            self.computed.push(VaultEntry { stand_in, value, category: hit.category });
        }
    }
}
