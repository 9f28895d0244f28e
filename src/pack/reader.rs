//! Reads a packed stream entry by entry and believes nothing of it until the manifest agrees.

use std::io::{self, Read};
use std::path::PathBuf;
use std::thread;

use super::dialect::{BLOCK, FileHeader, HeaderReader, Next, NotTheDialect, padding};
use super::frame_reader::FrameReader;
use super::limits::Limits;
use super::manifest::{Digest, MANIFEST_PATH, Manifest};
use super::names::Names;
use super::signature::{SIGNATURE_PATH, Signature, Signed, Verify};
use crate::clock::Timestamp;
use crate::item::ArchivePath;
use crate::progress::Progress;

/// Why a stream was not unpacked. Nothing of it is left.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnpackError {
    /// The input could not be read. When it is the payload of a sealed file, the cause says what is wrong with that.
    #[error("reading failed")]
    Input(#[source] io::Error),
    /// It is not what the packer writes, or not all of it.
    #[error("the archive is damaged: {0}")]
    Damaged(&'static str),
    /// It is larger than the limits allow.
    #[error("the archive is refused: {0}")]
    Limit(&'static str),
    /// Two entries have one path, or one that is the same where case does not count, or a path that is not free.
    #[error("the archive is refused: {0} cannot stand beside what came before it")]
    Path(ArchivePath),
    /// The manifest is not signed by the expected sender.
    #[error("the sender's signature does not fit")]
    Signature,
    /// An entry is not what the manifest says: its header, or its bytes.
    #[error("the archive is damaged: {0} is not what the manifest says")]
    Entry(ArchivePath),
    /// The manifest cannot be understood.
    #[error("the manifest cannot be read")]
    Manifest(#[source] serde_json::Error),
    /// There is something at the destination already.
    #[error("{} is there already", .0.display())]
    DestinationExists(PathBuf),
    /// The destination could not be written.
    #[error("{} could not be written", path.display())]
    Destination {
        /// What was being written.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
}

impl From<NotTheDialect> for UnpackError {
    fn from(error: NotTheDialect) -> Self {
        Self::Damaged(error.0)
    }
}

/// Takes the entries of a snapshot as they come: the manifest, too, as the last one.
///
/// What it is given is authentic when the stream is, yet not complete before [`read_entries`] has returned the manifest.
pub trait Receiver {
    /// An entry begins.
    fn begin(&mut self, path: &ArchivePath, size: u64, modified: Option<Timestamp>) -> Result<(), UnpackError>;
    /// Some of its bytes.
    fn data(&mut self, bytes: &[u8]) -> Result<(), UnpackError>;
    /// It is complete.
    fn end(&mut self) -> Result<(), UnpackError>;
    /// Everything agrees with the manifest, and this signature stands behind it. Who expects none refuses one.
    fn signature(&mut self, _manifest: &Digest, signature: Option<&Signature>) -> Result<(), UnpackError> {
        signature.map_or(Ok(()), |_| Err(UnpackError::Damaged("it is signed, and its header names no sender")))
    }
}

/// Receives nothing: to check a snapshot, or to read its manifest.
impl Receiver for () {
    fn begin(&mut self, _: &ArchivePath, _: u64, _: Option<Timestamp>) -> Result<(), UnpackError> {
        Ok(())
    }

    fn data(&mut self, _: &[u8]) -> Result<(), UnpackError> {
        Ok(())
    }

    fn end(&mut self) -> Result<(), UnpackError> {
        Ok(())
    }
}

/// Reads a whole stream, gives its entries to `receiver` and returns the manifest when everything agrees: every frame, the
/// archive's end with nothing behind it, and each entry's path, size and digest, none missing and none too many.
///
/// Progress is told in bytes of `input`; the step is the caller's to begin and end.
pub fn read_entries(
    input: impl Read,
    limits: &Limits,
    receiver: &mut dyn Receiver,
    progress: &dyn Progress,
) -> Result<Manifest, UnpackError> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    read_with(threads, input, limits, receiver, progress)
}

/// [`read_entries`] with so many threads that decompress; with one, the caller's own does everything.
pub(crate) fn read_with(
    threads: usize,
    input: impl Read,
    limits: &Limits,
    receiver: &mut dyn Receiver,
    progress: &dyn Progress,
) -> Result<Manifest, UnpackError> {
    let frames = FrameReader::new(input, limits, threads)?;
    let mut archive =
        Archive { frames, limits, receiver, progress, told: 0, manifest: Vec::new(), signature: Vec::new() };
    let (mut names, mut entries) = (Names::default(), 0);
    while let Some(header) = archive.header()? {
        entries += 1;
        if entries > limits.entries {
            return Err(UnpackError::Limit("it has too many files"));
        }
        if header.path.as_str() == MANIFEST_PATH {
            if header.size > limits.manifest {
                return Err(UnpackError::Limit("its manifest is too large"));
            }
            archive.entry(&header, Some(MANIFEST_PATH))?;
            return archive.end();
        }
        names.take(&header.path).map_err(|_| UnpackError::Path(header.path.clone()))?;
        archive.entry(&header, None)?;
    }
    Err(UnpackError::Damaged("it has no manifest"))
}

/// The same for a snapshot that is signed: `verify` must find the signature good.
pub fn read_signed_entries(
    input: impl Read,
    limits: &Limits,
    receiver: &mut dyn Receiver,
    verify: Verify<'_>,
    progress: &dyn Progress,
) -> Result<Manifest, UnpackError> {
    read_entries(input, limits, &mut Signed { receiver, verify }, progress)
}

struct Archive<'a, R> {
    frames: FrameReader<R>,
    limits: &'a Limits,
    receiver: &'a mut dyn Receiver,
    progress: &'a dyn Progress,
    /// How many bytes of input the progress has heard of.
    told: u64,
    manifest: Vec<u8>,
    signature: Vec<u8>,
}

impl<R: Read> Archive<'_, R> {
    /// Reads the next header; `None` at the archive's two closing blocks.
    fn header(&mut self) -> Result<Option<FileHeader>, UnpackError> {
        let mut reader = HeaderReader::default();
        loop {
            let mut block = [0; BLOCK];
            self.frames.fill(&mut block)?;
            match reader.block(&block, self.limits.pax)? {
                Next::File(header) => return Ok(Some(header)),
                Next::Pax(length) => {
                    let mut pax = vec![0; length];
                    self.frames.fill(&mut pax)?;
                    reader.pax(&pax);
                }
                Next::End => {
                    self.frames.fill(&mut block)?;
                    return if block == [0; BLOCK] {
                        Ok(None)
                    } else {
                        Err(UnpackError::Damaged("an entry follows the archive's end"))
                    };
                }
            }
        }
    }

    /// Hands on an entry's content and has it digested; what is the snapshot's `own` is kept instead.
    fn entry(&mut self, header: &FileHeader, own: Option<&str>) -> Result<(), UnpackError> {
        self.receiver.begin(&header.path, header.size, header.modified())?;
        let mut left = header.size;
        while left > 0 {
            let bytes = if own.is_some() { self.frames.next(left) } else { self.frames.next_of_entry(left) }?;
            if bytes.is_empty() {
                return Err(UnpackError::Damaged("the archive ends early"));
            }
            left -= bytes.len() as u64;
            match own {
                Some(MANIFEST_PATH) => self.manifest.extend_from_slice(bytes),
                Some(_) => self.signature.extend_from_slice(bytes),
                None => {}
            }
            self.receiver.data(bytes)?;
            let consumed = self.frames.consumed();
            if consumed > self.told {
                self.progress.advance(consumed - self.told);
                self.told = consumed;
            }
        }
        let mut rest = [0; BLOCK];
        let rest = &mut rest[..padding(header.size)];
        self.frames.fill(rest)?;
        if rest.iter().any(|&byte| byte != 0) {
            return Err(UnpackError::Damaged("the room after an entry is not empty"));
        }
        if own.is_none() {
            self.frames.end_entry(&header.path, header.size);
        }
        self.receiver.end()
    }

    /// Reads the signature, if one follows the manifest, and the archive's closing blocks.
    fn signature(&mut self) -> Result<Option<Signature>, UnpackError> {
        const OTHER: UnpackError = UnpackError::Damaged("an entry follows the manifest");
        let Some(header) = self.header()? else { return Ok(None) };
        if header.path.as_str() != SIGNATURE_PATH || header.size != size_of::<Signature>() as u64 {
            return Err(OTHER);
        }
        self.entry(&header, Some(SIGNATURE_PATH))?;
        if self.header()?.is_some() {
            return Err(OTHER);
        }
        Ok(self.signature.as_slice().try_into().ok())
    }

    /// Reads to the very end and compares the manifest with what was there.
    fn end(mut self) -> Result<Manifest, UnpackError> {
        let signature = self.signature()?;
        if !self.frames.next(1)?.is_empty() {
            return Err(UnpackError::Damaged("bytes follow the archive's end"));
        }
        self.progress.advance(self.frames.consumed() - self.told);
        let manifest: Manifest = serde_json::from_slice(&self.manifest).map_err(UnpackError::Manifest)?;
        if !self.frames.tally()?.agrees_with(&manifest) {
            return Err(UnpackError::Damaged("the manifest does not agree with what is there"));
        }
        self.receiver.signature(&Digest::of(&self.manifest), signature.as_ref())?;
        Ok(manifest)
    }
}
