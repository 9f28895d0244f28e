//! Writes redacted items as a tar in independent frames, though the length of an item is known only when it has ended.

use std::io::{self, Read, Write};
use std::ops::{Range, RangeInclusive};
use std::path::PathBuf;

use rand::CryptoRng;
use sha2::{Digest as _, Sha256};

use super::compression::{Block, Compression, Frame};
use super::dialect::{self, FileHeader};
use super::frame::{FRAME, FrameWriter};
use super::limits::Limits;
use super::manifest::{Digest, Entry, MANIFEST_PATH, Manifest, Tally};
use super::names::Names;
use super::signature::{SIGNATURE_PATH, Signature};
use crate::clock::Timestamp;
use crate::item::ArchivePath;
use crate::redact::{Counts, Redacted};
use crate::spool::{Spool, SpoolReader};

/// Bytes of compressed frames held in memory before they go to a sealed file.
const HELD_IN_MEMORY: usize = 4 << 20;
/// Most bytes that are read and digested at a time: few enough to be still at hand when they are digested.
const PIECE: usize = 256 << 10;

/// How to pack.
#[derive(Clone, Debug)]
pub struct PackOptions {
    /// The zstd level, one of [`LEVELS`](Self::LEVELS). 1 is the default: on logs it is both smaller and faster than 3.
    pub level: i32,
    /// Where the sealed spool goes if an item is too long for memory: the directory of the output.
    pub spool_directory: PathBuf,
    /// Threads that compress, 1 to 4; with 1, the caller's own. It changes nothing in what is written. `None` is as many as
    /// there are cores.
    pub threads: Option<usize>,
    /// Whether every item waits, sealed, until it was read to its end, so that one that fails leaves no trace. Without, an
    /// item of known length is written as it is read: quicker, and no room is needed; but one that fails in the middle ends
    /// the packer ([`AddError::Torn`]). It changes nothing in what is written.
    pub hold: bool,
}

impl PackOptions {
    /// The levels there are. The higher ones of zstd would take more memory than sealing may.
    pub const LEVELS: RangeInclusive<i32> = 1..=9;

    /// The defaults, with the spool in `spool_directory`.
    pub fn new(spool_directory: impl Into<PathBuf>) -> Self {
        Self { level: 1, spool_directory: spool_directory.into(), threads: None, hold: true }
    }
}

/// Why an item was not added.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AddError {
    /// The item could not be read to its end. It left no trace, and others may follow.
    #[error("the item could not be read")]
    Source(#[source] io::Error),
    /// The item could not be read to its end, and its beginning is written. The packer is of no further use; one that
    /// [holds](PackOptions::hold) items can leave this one out.
    #[error("the item could not be read to its end, and its beginning is written")]
    Torn(#[source] io::Error),
    /// The path belongs to the snapshot itself, or no free one is near it. Others may follow.
    #[error("there is no place for {0}")]
    NoPlace(ArchivePath),
    /// With this item the snapshot would pass a limit that readers hold to. It left no trace, and others may follow.
    #[error("the snapshot would become too large: {0}")]
    TooLarge(&'static str),
    /// The output or the spool could not be written. The packer is of no further use.
    #[error("the output could not be written")]
    Output(#[source] io::Error),
}

/// Packs items into one stream of frames. While one frame is filled, others are compressed.
///
/// Memory: for each thread, and twice more, a frame of 4 MiB and the same compressed; and 4 MiB of held frames, whatever the
/// size.
pub struct Packer<W: Write> {
    out: FrameWriter<W>,
    compression: Compression,
    /// How many of the frames under way are for the output; those behind them are for the spool.
    for_output: usize,
    /// Bytes of tar in frames for the output, written or under way.
    content: u64,
    /// Tar bytes that are in no frame yet; fewer than a frame.
    pending: Block,
    spool: Spool,
    names: Names,
    tally: Tally,
    limits: Limits,
    hold: bool,
    broken: bool,
}

/// The lengths of a frame in the spool, compressed and not.
type Held = (usize, usize);

impl<W: Write> Packer<W> {
    /// Makes a packer that writes to `out`. `rng` gives the spool its key. `InvalidInput` when there is no such level.
    pub fn new(out: W, options: &PackOptions, rng: &mut dyn CryptoRng) -> io::Result<Self> {
        Ok(Self {
            out: FrameWriter::new(out),
            compression: Compression::new(checked(options.level)?, options.threads)?,
            for_output: 0,
            content: 0,
            pending: Block::new(),
            spool: Spool::new(&options.spool_directory, HELD_IN_MEMORY, rng),
            names: Names::default(),
            tally: Tally::default(),
            limits: Limits::default(),
            hold: options.hold,
            broken: false,
        })
    }

    /// Adds an item and returns its entry, without findings. If its path is taken, in any case or composition, it gets
    /// the nearest free one.
    pub fn add(&mut self, item: &mut Redacted<'_>) -> Result<Entry, AddError> {
        let (path, modified) = (item.path().clone(), item.modified());
        let known = item.exact_size().filter(|_| !self.hold);
        self.add_bytes(&path, modified, known, item)
    }

    /// Writes the manifest, the archive's end and the seek table. The manifest must list exactly what was added.
    pub fn finish(self, manifest: &Manifest) -> io::Result<W> {
        self.finish_with(manifest, None)
    }

    /// The same with a signature behind the manifest: `sign` is handed the manifest's digest.
    pub fn finish_signed(self, manifest: &Manifest, sign: &dyn Fn(&Digest) -> Signature) -> io::Result<W> {
        self.finish_with(manifest, Some(sign))
    }

    fn finish_with(mut self, manifest: &Manifest, sign: Option<&dyn Fn(&Digest) -> Signature>) -> io::Result<W> {
        if self.broken {
            return Err(io::Error::other("an earlier error left the archive incomplete"));
        }
        if !std::mem::take(&mut self.tally).agrees_with(manifest) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the manifest does not list what was packed"));
        }
        let json = serde_json::to_vec(manifest)?;
        if json.len() as u64 > self.limits.manifest {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "the manifest is larger than readers accept"));
        }
        let digest = self.store_own(MANIFEST_PATH, manifest.created, &json)?;
        if let Some(sign) = sign {
            self.store_own(SIGNATURE_PATH, manifest.created, &sign(&digest))?;
        }
        self.append(&dialect::END)?;
        // The last frame is compressed here while the others still are elsewhere; a small archive needs no thread at all.
        let last = if self.pending.is_empty() { None } else { Some(self.compression.now(self.pending)?) };
        while let Some(frame) = self.compression.take()? {
            self.out.write(&frame.compressed, frame.block.len())?;
        }
        if let Some(frame) = last {
            self.out.write(&frame.compressed, frame.block.len())?;
        }
        self.out.finish()
    }

    /// Stores an entry of the snapshot's own.
    fn store_own(&mut self, path: &str, created: Timestamp, content: &[u8]) -> io::Result<Digest> {
        let path = path.parse().expect("the snapshot's own paths are safe");
        let stored = self.store(path, Some(created), None, &mut &*content).map_err(|error| match error {
            AddError::Source(error) | AddError::Torn(error) | AddError::Output(error) => error,
            AddError::NoPlace(_) | AddError::TooLarge(_) => io::Error::new(io::ErrorKind::FileTooLarge, error),
        })?;
        Ok(stored.1)
    }

    /// Adds an item whose bytes come from any reader; `known` is its length, if it need not be held. Only this room may: to
    /// the outside an item is redacted.
    pub(crate) fn add_bytes(
        &mut self,
        path: &ArchivePath,
        modified: Option<Timestamp>,
        known: Option<u64>,
        content: &mut impl Read,
    ) -> Result<Entry, AddError> {
        if self.broken {
            return Err(AddError::Output(io::Error::other("an earlier error left the archive incomplete")));
        }
        if self.tally.entries + 1 >= self.limits.entries {
            return Err(AddError::TooLarge("it has too many files"));
        }
        let Some(path) = self.names.take_near(path) else { return Err(AddError::NoPlace(path.clone())) };
        let stored = self.store(path.clone(), modified, known, content);
        match stored {
            Ok((size, sha256)) => {
                self.tally.add(&path, size, &sha256);
                Ok(Entry { path, size, sha256, findings: Counts::new() })
            }
            Err(error) => {
                self.names.give_back(&path);
                self.broken = matches!(error, AddError::Output(_) | AddError::Torn(_));
                Err(error)
            }
        }
    }

    /// Writes header, content and padding. After an error of the source everything is as it was before, unless the length
    /// was `known` and a frame is full.
    fn store(
        &mut self,
        path: ArchivePath,
        modified: Option<Timestamp>,
        known: Option<u64>,
        content: &mut impl Read,
    ) -> Result<(u64, Digest), AddError> {
        let largest = FileHeader::room(&path);
        if self.pending.len() + largest >= FRAME {
            self.flush().map_err(AddError::Output)?;
        }
        if known.is_some_and(|size| self.content + size + (3 * FRAME) as u64 > self.limits.total) {
            return Err(AddError::TooLarge(TOO_LARGE));
        }
        let mut header = FileHeader::new(path, 0, modified);
        let start = self.pending.len();
        let unsized_length = header.encode().len();
        header.size = known.unwrap_or(0);
        let encoded = header.encode();
        let place = start..start + encoded.len();
        // The size of a long item may need a pax header; the frame keeps room for it, also where it is not needed.
        let first = FRAME - (largest - unsized_length) + (encoded.len() - unsized_length);
        self.pending.append(&encoded);

        let mut content = Measured { inner: content, hasher: Sha256::new(), length: 0 };
        let ended = match content.fill(&mut self.pending, first) {
            Ok(true) if known.is_some_and(|size| size != content.length) => Err(other_length()),
            other => other,
        };
        match (ended, known) {
            (Err(error), _) => {
                self.pending.truncate(start);
                return Err(AddError::Source(error));
            }
            (Ok(true), _) => {
                header.size = content.length;
                self.pending.content_mut()[place].copy_from_slice(&header.encode());
            }
            (Ok(false), Some(size)) => self.pass_on(&mut content, size)?,
            (Ok(false), None) => {
                let waiting = std::mem::replace(&mut self.pending, self.compression.block());
                match self.hold(&mut content, waiting.len() as u64) {
                    Ok(held) => {
                        header.size = content.length;
                        self.release(waiting, place, &header.encode(), &held).map_err(AddError::Output)?;
                    }
                    Err(error) => {
                        self.forget(waiting, start).map_err(AddError::Output)?;
                        return Err(error);
                    }
                }
            }
        }
        self.append(&dialect::END[..dialect::padding(content.length)]).map_err(AddError::Output)?;
        Ok((content.length, Digest(content.hasher.finalize().into())))
    }

    /// Reads the rest of an item whose header is written; `size` is what that says.
    fn pass_on(&mut self, content: &mut Measured<'_, impl Read>, size: u64) -> Result<(), AddError> {
        loop {
            self.flush().map_err(AddError::Output)?;
            if content.fill(&mut self.pending, FRAME).map_err(AddError::Torn)? {
                return if content.length == size { Ok(()) } else { Err(AddError::Torn(other_length())) };
            }
        }
    }

    /// Reads the rest of an item into frames that are held, in the spool or still under way, and what is less than a frame
    /// into `pending`. Returns what is in the spool.
    fn hold(&mut self, content: &mut Measured<'_, impl Read>, waiting: u64) -> Result<Vec<Held>, AddError> {
        let (mut held, mut length) = (Vec::new(), 0);
        self.for_output = self.compression.under_way();
        while !content.fill(&mut self.pending, FRAME).map_err(AddError::Source)? {
            if self.content + waiting + length + (2 * FRAME) as u64 > self.limits.total {
                return Err(AddError::TooLarge(TOO_LARGE));
            }
            length += FRAME as u64;
            while self.compression.is_full() {
                self.take_one(&mut held).map_err(AddError::Output)?;
            }
            self.submit().map_err(AddError::Output)?;
        }
        Ok(held)
    }

    /// Puts the header into the frame that waited, writes it and the held frames after it. Those that are still under way
    /// are for the output from now on.
    fn release(&mut self, mut waiting: Block, place: Range<usize>, header: &[u8], held: &[Held]) -> io::Result<()> {
        waiting.replace(place, header);
        let waiting = self.compression.now(waiting)?;
        while self.for_output > 0 {
            self.take_one(&mut Vec::new())?;
        }
        self.content += waiting.block.len() as u64;
        self.write(waiting)?;
        let mut spooled = SpoolReader::new(&self.spool);
        let mut frame = Vec::new();
        for &(compressed, length) in held {
            frame.resize(compressed, 0);
            spooled.read_exact(&mut frame)?;
            self.out.write(&frame, length)?;
        }
        self.spool.clear();
        self.content += (held.len() + self.compression.under_way()) as u64 * FRAME as u64;
        Ok(())
    }

    /// Forgets the item whose header stands at `start` of the frame that waited.
    fn forget(&mut self, mut waiting: Block, start: usize) -> io::Result<()> {
        while self.for_output > 0 {
            self.take_one(&mut Vec::new())?;
        }
        while let Some(frame) = self.compression.take()? {
            self.compression.give_back(frame);
        }
        self.spool.clear();
        waiting.truncate(start);
        self.pending = waiting;
        Ok(())
    }

    /// Waits for the first of the frames under way and puts it where it belongs: the output, or the spool and `held`.
    fn take_one(&mut self, held: &mut Vec<Held>) -> io::Result<()> {
        let Some(frame) = self.compression.take()? else { return Ok(()) };
        if self.for_output > 0 {
            self.for_output -= 1;
            return self.write(frame);
        }
        self.spool.write_all(&frame.compressed)?;
        held.push((frame.compressed.len(), frame.block.len()));
        self.compression.give_back(frame);
        Ok(())
    }

    fn write(&mut self, frame: Frame) -> io::Result<()> {
        self.out.write(&frame.compressed, frame.block.len())?;
        self.compression.give_back(frame);
        Ok(())
    }

    /// Adds tar bytes that are fewer than a frame.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let (now, later) = bytes.split_at(bytes.len().min(FRAME - self.pending.len()));
        self.pending.append(now);
        if self.pending.len() == FRAME {
            self.flush()?;
            self.pending.append(later);
        }
        Ok(())
    }

    /// Makes a frame of what is pending, for the output.
    fn flush(&mut self) -> io::Result<()> {
        self.for_output = self.compression.under_way();
        while self.compression.is_full() {
            self.take_one(&mut Vec::new())?;
        }
        self.content += self.pending.len() as u64;
        self.submit()
    }

    /// Gives what is pending to be compressed.
    fn submit(&mut self) -> io::Result<()> {
        let next = self.compression.block();
        self.compression.give(std::mem::replace(&mut self.pending, next))
    }
}

fn checked(level: i32) -> io::Result<i32> {
    if PackOptions::LEVELS.contains(&level) {
        Ok(level)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "there is no such level of compression"))
    }
}

const TOO_LARGE: &str = "its content is too large";

fn other_length() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "it is not as long as it was said to be")
}

/// Measures and digests bytes on their way in.
struct Measured<'a, R> {
    inner: &'a mut R,
    hasher: Sha256,
    length: u64,
}

impl<R: Read> Measured<'_, R> {
    /// Reads onto the end of `block` until it is `full` long or the content ends. True when it has ended; a content that
    /// ends exactly there is found out only by the next call.
    fn fill(&mut self, block: &mut Block, full: usize) -> io::Result<bool> {
        while block.len() < full {
            let room = block.rest(full.min(block.len() + PIECE));
            match self.inner.read(room) {
                Ok(0) => return Ok(true),
                Ok(length) => {
                    self.hasher.update(&room[..length]);
                    self.length += length as u64;
                    block.advance(length);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }
}
