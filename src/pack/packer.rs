//! Writes redacted items as a tar in independent frames, though the length of an item is known only when it has ended.

use std::io::{self, Read, Write};
use std::path::PathBuf;

use rand::CryptoRng;
use sha2::{Digest as _, Sha256};

use super::dialect::{self, FileHeader};
use super::frame::{FRAME, FrameCompressor, FrameWriter};
use super::limits::Limits;
use super::manifest::{Digest, Entry, MANIFEST_PATH, Manifest, Tally};
use super::names::Names;
use crate::clock::Timestamp;
use crate::item::ArchivePath;
use crate::redact::{Counts, Redacted};
use crate::spool::{Spool, SpoolReader};

/// Bytes of compressed frames held in memory before they go to a sealed file.
const HELD_IN_MEMORY: usize = 8 << 20;

/// How to pack.
#[derive(Clone, Debug)]
pub struct PackOptions {
    /// The zstd level. 1 is the default: on logs it is both smaller and faster than 3.
    pub level: i32,
    /// Where the sealed spool goes if an item is too long for memory: the directory of the output.
    pub spool_directory: PathBuf,
}

impl PackOptions {
    /// The defaults, with the spool in `spool_directory`.
    pub fn new(spool_directory: impl Into<PathBuf>) -> Self {
        Self { level: 1, spool_directory: spool_directory.into() }
    }
}

/// Why an item was not added.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AddError {
    /// The item could not be read to its end. It left no trace, and others may follow.
    #[error("the item could not be read")]
    Source(#[source] io::Error),
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

/// Packs items into one stream of frames.
///
/// Memory: two frames of 4 MiB, a compressed one, the compressor and 8 MiB of held frames, whatever the size.
pub struct Packer<W: Write> {
    out: FrameWriter<W>,
    compressor: FrameCompressor,
    /// Tar bytes that are in no frame yet; fewer than a frame.
    pending: Vec<u8>,
    /// A frame's compressed bytes, kept to use the room again.
    frame: Vec<u8>,
    spool: Spool,
    names: Names,
    tally: Tally,
    limits: Limits,
    broken: bool,
}

impl<W: Write> Packer<W> {
    /// Makes a packer that writes to `out`. `rng` gives the spool its key.
    pub fn new(out: W, options: &PackOptions, rng: &mut dyn CryptoRng) -> io::Result<Self> {
        Ok(Self {
            out: FrameWriter::new(out),
            compressor: FrameCompressor::new(options.level)?,
            pending: Vec::with_capacity(FRAME),
            frame: Vec::new(),
            spool: Spool::new(&options.spool_directory, HELD_IN_MEMORY, rng),
            names: Names::default(),
            tally: Tally::default(),
            limits: Limits::default(),
            broken: false,
        })
    }

    /// Adds an item and returns its entry, without findings. If its path is taken, in any case or composition, it gets
    /// the nearest free one.
    pub fn add(&mut self, item: &mut Redacted<'_>) -> Result<Entry, AddError> {
        let (path, modified) = (item.path().clone(), item.modified());
        self.add_bytes(&path, modified, item)
    }

    /// Writes the manifest, the archive's end and the seek table. The manifest must list exactly what was added.
    pub fn finish(mut self, manifest: &Manifest) -> io::Result<W> {
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
        let path = MANIFEST_PATH.parse().expect("the manifest's path is safe");
        self.store(path, Some(manifest.created), &mut json.as_slice()).map_err(|error| match error {
            AddError::Source(error) | AddError::Output(error) => error,
            AddError::NoPlace(_) | AddError::TooLarge(_) => io::Error::new(io::ErrorKind::FileTooLarge, error),
        })?;
        self.append(&dialect::END)?;
        if !self.pending.is_empty() {
            self.flush()?;
        }
        self.out.finish()
    }

    /// Adds an item whose bytes come from any reader. Only this room may: to the outside an item is redacted.
    pub(crate) fn add_bytes(
        &mut self,
        path: &ArchivePath,
        modified: Option<Timestamp>,
        content: &mut impl Read,
    ) -> Result<Entry, AddError> {
        if self.broken {
            return Err(AddError::Output(io::Error::other("an earlier error left the archive incomplete")));
        }
        if self.tally.entries + 1 >= self.limits.entries {
            return Err(AddError::TooLarge("it has too many files"));
        }
        let Some(path) = self.names.take_near(path) else { return Err(AddError::NoPlace(path.clone())) };
        let stored = self.store(path.clone(), modified, content);
        match stored {
            Ok((size, sha256)) => {
                self.tally.add(&path, size, &sha256);
                Ok(Entry { path, size, sha256, findings: Counts::new() })
            }
            Err(error) => {
                self.names.give_back(&path);
                self.broken = matches!(error, AddError::Output(_));
                Err(error)
            }
        }
    }

    /// Writes header, content and padding. After an error of the source everything is as it was before.
    fn store(
        &mut self,
        path: ArchivePath,
        modified: Option<Timestamp>,
        content: &mut impl Read,
    ) -> Result<(u64, Digest), AddError> {
        let largest = FileHeader::room(&path);
        if self.pending.len() + largest >= FRAME {
            self.flush().map_err(AddError::Output)?;
        }
        let mut header = FileHeader::new(path, 0, modified);
        let start = self.pending.len();
        let body = start + header.encode().len();
        // The size of a long item may need a pax header; the frame that waits keeps room for it.
        let kept = largest - (body - start);
        self.pending.resize(body, 0);

        let mut content = Measured { inner: content, hasher: Sha256::new(), length: 0 };
        let ended = match content.fill(&mut self.pending, FRAME - kept) {
            Ok(ended) => ended,
            Err(error) => {
                self.pending.truncate(start);
                return Err(AddError::Source(error));
            }
        };
        if ended {
            header.size = content.length;
            self.pending[start..body].copy_from_slice(&header.encode());
        } else {
            let waiting = std::mem::replace(&mut self.pending, Vec::with_capacity(FRAME));
            let held = self.hold(&mut content, waiting.len() as u64);
            let (waiting, held) = match held {
                Ok(held) => (waiting, held),
                Err(error) => {
                    self.spool.clear();
                    self.pending = waiting;
                    self.pending.truncate(start);
                    return Err(error);
                }
            };
            header.size = content.length;
            self.release(waiting, start..body, &header.encode(), &held).map_err(AddError::Output)?;
        }
        self.append(&dialect::END[..dialect::padding(content.length)]).map_err(AddError::Output)?;
        Ok((content.length, Digest(content.hasher.finalize().into())))
    }

    /// Reads the rest of an item into frames that are held in the spool, and what is less than a frame into `pending`.
    /// Returns the held frames' lengths, compressed and not.
    fn hold(&mut self, content: &mut Measured<'_, impl Read>, waiting: u64) -> Result<Vec<(usize, usize)>, AddError> {
        let mut held = Vec::new();
        while !content.fill(&mut self.pending, FRAME).map_err(AddError::Source)? {
            if self.out.content() + waiting + ((held.len() + 2) * FRAME) as u64 > self.limits.total {
                return Err(AddError::TooLarge("its content is too large"));
            }
            self.compressor.compress(&self.pending, &mut self.frame).map_err(AddError::Output)?;
            self.spool.write_all(&self.frame).map_err(AddError::Output)?;
            held.push((self.frame.len(), self.pending.len()));
            self.pending.clear();
        }
        Ok(held)
    }

    /// Puts the header into the frame that waited, writes it and the held frames after it.
    fn release(
        &mut self,
        mut waiting: Vec<u8>,
        place: std::ops::Range<usize>,
        header: &[u8],
        held: &[(usize, usize)],
    ) -> io::Result<()> {
        waiting.splice(place, header.iter().copied());
        self.compressor.compress(&waiting, &mut self.frame)?;
        self.out.write(&self.frame, waiting.len())?;
        let mut spooled = SpoolReader::new(&self.spool);
        for &(compressed, length) in held {
            self.frame.resize(compressed, 0);
            spooled.read_exact(&mut self.frame)?;
            self.out.write(&self.frame, length)?;
        }
        self.spool.clear();
        Ok(())
    }

    /// Adds tar bytes that are fewer than a frame.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let room = FRAME - self.pending.len();
        if bytes.len() >= room {
            self.pending.extend_from_slice(&bytes[..room]);
            self.flush()?;
            self.pending.extend_from_slice(&bytes[room..]);
        } else {
            self.pending.extend_from_slice(bytes);
        }
        Ok(())
    }

    /// Makes a frame of what is pending and writes it.
    fn flush(&mut self) -> io::Result<()> {
        self.compressor.compress(&self.pending, &mut self.frame)?;
        self.out.write(&self.frame, self.pending.len())?;
        self.pending.clear();
        Ok(())
    }
}

/// Measures and digests bytes on their way in.
struct Measured<'a, R> {
    inner: &'a mut R,
    hasher: Sha256,
    length: u64,
}

impl<R: Read> Measured<'_, R> {
    /// Reads onto the end of `bytes` until it is `full` long or the content ends. True when it has ended; a content that
    /// ends exactly there is found out only by the next call.
    fn fill(&mut self, bytes: &mut Vec<u8>, full: usize) -> io::Result<bool> {
        let start = bytes.len();
        let room = full - start;
        let read = self.inner.by_ref().take(room as u64).read_to_end(bytes)?;
        self.hasher.update(&bytes[start..]);
        self.length += read as u64;
        Ok(read < room)
    }
}
