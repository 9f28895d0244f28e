//! The second pass as the other rooms see it.

use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use super::category::{Category, Counts};
use super::chunk_scan::{each_line, key_lines};
use super::container::{self, Opening, Redacting};
use super::decode::{self, Encoding, HEAD};
use super::engine::Engine;
use super::error::{RedactError, reason_of};
use super::given::Given;
use super::learned::Learned;
use super::lines::Chunk;
use super::pem::Pem;
use super::prf::TicketKey;
use super::reader::TextReader;
use super::redacted::Redacted;
use super::rules::Rules;
use super::sample::{Sample, Samples};
use super::scan::Scratch;
use super::shape::{Shape, Wrapping};
use super::stand_in::StandIns;
use super::survey::Survey;
use super::vault::{Vault, VaultEntry};
use crate::item::{ArchivePath, Item, LeftOut, Reason};
use crate::spool::{SpoolReader, Spools};

/// How much of a stream [`Redactor::filter`] surveys before it writes the first byte.
pub const FILTER_WINDOW: usize = 64 << 20;

/// A personal value's place in a text; never the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Offset of its first byte.
    pub start: usize,
    /// Offset after its last byte.
    pub end: usize,
    /// Its category.
    pub category: Category,
}

/// Replaces what the survey learned and what detectors find.
pub struct Redactor {
    engine: Engine,
    spools: Spools,
    left_out: Vec<LeftOut>,
}

impl Redactor {
    /// Makes a redactor for one ticket. With the same key and the same learned table it replaces a value by the same
    /// stand-in, and leaves a text it has redacted as it is. For the next text of the ticket, see [`after`](Self::after).
    #[must_use]
    pub fn new(rules: Rules, mut learned: Learned, key: TicketKey) -> Self {
        if !learned.handover.holds_for(&rules) {
            learned.handover = Arc::default();
        }
        let engine = Engine::new(StandIns::new(&rules, learned, &key), rules);
        drop(key);
        Self { engine, spools: Spools::in_memory(), left_out: Vec::new() }
    }

    /// Goes on with the stand-ins that the ticket has given out before: whoever had one keeps it, and nobody else gets it.
    #[must_use]
    pub fn after(mut self, given: Given) -> Self {
        self.engine.stand_ins.go_on(given);
        self
    }

    /// What the ticket has given out, for the next redactor of the same ticket.
    #[must_use]
    pub const fn given(&self) -> &Given {
        &self.engine.stand_ins.given
    }

    /// Keeps the way back from the stand-ins it gives out in `vault`.
    #[must_use]
    pub fn keeping(mut self, vault: Vault) -> Self {
        self.engine.vault = Some(Mutex::new(vault));
        self
    }

    /// Puts what does not fit into memory into these spools; without any, archives with large members are left out.
    #[must_use]
    pub fn with_spools(mut self, spools: Spools) -> Self {
        self.spools = spools;
        self
    }

    /// Takes [samples](Self::samples) of what it replaces.
    #[must_use]
    pub fn sampling(mut self) -> Self {
        self.engine.samples = Some(Samples::default());
        self
    }

    /// The first five different values of each category in what was read, with the redacted text around them; nothing
    /// unless it is [sampling](Self::sampling). They are for the sender's eyes: they must not go into a snapshot.
    #[must_use]
    pub fn samples(&self) -> Vec<Sample> {
        self.engine.samples.as_ref().map(Samples::finish).unwrap_or_default()
    }

    /// Reads in chunks of about `size` bytes; the result is the same for any size.
    #[must_use]
    pub fn with_chunk_size(mut self, size: usize) -> Self {
        self.engine.chunk = size.max(1);
        self
    }

    /// The path with personal names in it replaced, component by component.
    ///
    /// A path that cannot be redacted safely, or is no path any more afterwards, is replaced as a whole.
    #[must_use]
    pub fn path(&self, path: &ArchivePath) -> ArchivePath {
        self.engine.path(path)
    }

    /// What is left out, with its path redacted.
    #[must_use]
    pub fn left_out(&self, left_out: LeftOut) -> LeftOut {
        let LeftOut { path, reason } = left_out;
        LeftOut { path: self.engine.shown(&path), reason }
    }

    /// Opens an item for redaction; the bytes come when the result is read.
    ///
    /// What the profile leaves out, cannot be opened, or is known not to be text from its beginning, is left out, with its path redacted.
    pub fn redact<'a>(&'a self, item: &'a Item) -> Result<Redacted<'a>, LeftOut> {
        let path = self.path(&item.path);
        let left_out = |reason| LeftOut { path: path.to_string(), reason };
        if self.engine.rules.leaves_out(item.path.as_str()).is_some() {
            return Err(left_out(Reason::ByProfile));
        }
        let input = item.content.open().map_err(|error| left_out(reason_of(&error)))?;
        let counts = Arc::new(Mutex::new(Counts::new()));
        let opening = Opening::new(self.engine.rules.limits, self.spools.clone());
        let source = opening.source(Box::new(input));
        let reader = Redacting::new(&self.engine, Arc::clone(&opening), Arc::clone(&counts), Some(item.path.clone()))
            .document(source)
            .map_err(|error| left_out(error.reason().unwrap_or(Reason::NotReadable)))?;
        Ok(Redacted::new(path, item, reader, counts, Some(opening)))
    }

    /// Redacts a stream that can be read only once.
    ///
    /// The first [`FILTER_WINDOW`] bytes are surveyed before anything is written: for a shorter input the result is that of
    /// two passes. Of a longer one each further window is surveyed before it is redacted, so a name is hidden from the
    /// beginning of the window in which a key first says that it is one; where it stood before that, without a key, it was
    /// already written. Values that show by themselves (addresses, numbers, keyed values, secrets) are replaced everywhere.
    ///
    /// Compressed data, archives and UTF-16 are opened, redacted inside and packed as they were, as in
    /// [`redact`](Self::redact). They are read to their end before anything is written, into the
    /// [spools](Self::with_spools). Members that are left out are told by [`take_left_out`](Self::take_left_out).
    pub fn filter(&mut self, mut input: impl Read, mut output: impl Write) -> Result<Counts, RedactError> {
        let mut first = Vec::new();
        (&mut input).take(FILTER_WINDOW as u64).read_to_end(&mut first).map_err(RedactError::Read)?;
        let counts = Arc::new(Mutex::new(Counts::new()));
        let head = &first[..first.len().min(HEAD)];
        if Wrapping::of(&first) != Wrapping::None
            || container::recognise(head).is_some()
            || decode::open(head, Box::new(head))?.1 != Encoding::Plain
        {
            self.filter_document(first, input, &mut output, &counts)?;
        } else {
            self.filter_windows(first, input, &mut output, &counts)?;
        }
        output.flush().map_err(RedactError::Write)?;
        let counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(counts.clone())
    }

    /// Gives the members of archives that [`filter`](Self::filter) has left out since this was last asked; their paths are
    /// redacted.
    pub fn take_left_out(&mut self) -> Vec<LeftOut> {
        std::mem::take(&mut self.left_out)
    }

    fn filter_document(
        &mut self,
        first: Vec<u8>,
        mut input: impl Read,
        output: &mut impl Write,
        counts: &Arc<Mutex<Counts>>,
    ) -> Result<(), RedactError> {
        let mut spool = self.spools.spool();
        spool.write_all(&first).map_err(RedactError::of_spool)?;
        drop(first);
        container::spool_all(&mut input, &mut spool)?;
        let learned = std::mem::take(&mut self.engine.stand_ins.learned);
        let mut survey = Survey::of(&self.engine.rules, learned).with_spools(self.spools.clone());
        let read = survey.read_document(Box::new(SpoolReader::new(&spool)));
        self.engine.stand_ins.relearn(survey.finish());
        read?;
        let opening = Opening::new(self.engine.rules.limits, self.spools.clone());
        let source = opening.source(Box::new(SpoolReader::new(&spool)));
        let inside = Redacting::new(&self.engine, Arc::clone(&opening), Arc::clone(counts), None);
        write_all(&mut inside.document(source)?, output)?;
        self.left_out.extend(opening.take_left_out());
        Ok(())
    }

    fn filter_windows(
        &mut self,
        mut window: Vec<u8>,
        mut input: impl Read,
        output: &mut impl Write,
        counts: &Arc<Mutex<Counts>>,
    ) -> Result<(), RedactError> {
        let mut pem = Pem::Outside;
        let mut shape = Shape::of("", &window, &self.engine.rules);
        let mut before = None;
        loop {
            let mut ended = window.len() < FILTER_WINDOW;
            let mut rest = Vec::new();
            if !ended {
                // The next window begins at a line.
                let cut = memchr::memrchr(b'\n', &window).map_or(window.len(), |at| at + 1);
                rest = window.split_off(cut);
                let have = rest.len() as u64;
                (&mut input).take(FILTER_WINDOW as u64 - have).read_to_end(&mut rest).map_err(RedactError::Read)?;
                ended = rest.is_empty();
            }
            self.learn(&window, shape.clone())?;
            let redacted = TextReader::new(&self.engine, window.as_slice(), String::new(), Arc::clone(counts));
            let mut redacted = redacted.within(pem).shaped(shape.clone()).behind(before);
            write_all(&mut redacted, output)?;
            before = redacted.into_end();
            pem = pem.after(&window);
            shape = shape.after(&window);
            if ended {
                return Ok(());
            }
            window = rest;
        }
    }

    fn learn(&mut self, text: &[u8], shape: Shape) -> Result<(), RedactError> {
        let learned = std::mem::take(&mut self.engine.stand_ins.learned);
        let mut survey = Survey::of(&self.engine.rules, learned);
        let read = survey.read_bytes(text, shape);
        self.engine.stand_ins.relearn(survey.finish());
        read
    }

    /// Where personal values stand in a text, in its order.
    pub fn findings(&self, text: &[u8]) -> Result<Vec<Finding>, RedactError> {
        decode::check_text(text)?;
        let shape = Shape::of("", text, &self.engine.rules);
        let chunk = Chunk { shape, ..Chunk::alone([]) };
        let mut all = Vec::new();
        each_line(
            &self.engine.stand_ins,
            text,
            &chunk,
            &key_lines(text, Pem::Outside)?,
            &mut Scratch::default(),
            |start, _, hits, _| {
                all.extend(hits.iter().map(|hit| Finding {
                    start: start + hit.start,
                    end: start + hit.end,
                    category: hit.category,
                }));
                Ok(())
            },
        )?;
        Ok(all)
    }

    /// Ends the work and gives the vault it was [keeping](Self::keeping): the way back from every stand-in that was given
    /// out. An error means that the vault's spool could not be written, so that entries are missing.
    pub fn into_vault(self) -> io::Result<Option<Vault>> {
        let Some(vault) = self.engine.vault else { return Ok(None) };
        let mut vault = vault.into_inner().unwrap_or_else(PoisonError::into_inner);
        for (stand_in, value, category) in self.engine.stand_ins.numbered() {
            vault.enter(&VaultEntry { stand_in, value: value.to_owned(), category });
        }
        for (stand_in, value) in self.engine.stand_ins.used4() {
            let (stand_in, value) = (stand_in.to_string(), value.to_string());
            vault.enter(&VaultEntry { stand_in, value, category: Category::Ip });
        }
        vault.finish().map(Some)
    }
}

fn write_all(input: &mut impl Read, output: &mut impl Write) -> Result<(), RedactError> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let count = match input.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(RedactError::unwrap_io(error)),
        };
        output.write_all(&buffer[..count]).map_err(RedactError::Write)?;
    }
}
