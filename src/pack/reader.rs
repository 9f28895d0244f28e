//! Reads a packed stream entry by entry and believes nothing of it until the manifest agrees.

use std::io::Read;

use super::dialect::{BLOCK, FileHeader, HeaderReader, Next, padding};
use super::error::{Place, UnpackError, shown_name};
use super::frame_reader::FrameReader;
use super::limits::Limits;
use super::manifest::{Difference, Digest, MANIFEST_PATH, Manifest};
use super::names::Names;
use super::signature::{SIGNATURE_PATH, Signature, Signed, Verify};
use crate::clock::Timestamp;
use crate::item::ArchivePath;
use crate::progress::Progress;

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
    read_with(None, input, limits, receiver, progress)
}

/// [`read_entries`] with so many threads that decompress, as many as there are cores when that is `None`; with one, the
/// caller's own does everything.
pub(crate) fn read_with(
    threads: Option<usize>,
    input: impl Read,
    limits: &Limits,
    receiver: &mut dyn Receiver,
    progress: &dyn Progress,
) -> Result<Manifest, UnpackError> {
    let frames = FrameReader::new(input, limits, threads)?;
    let mut archive = Archive {
        frames,
        limits,
        receiver,
        progress,
        told: 0,
        manifest: Vec::new(),
        signature: Vec::new(),
        entries: 0,
        name: None,
    };
    match archive.read() {
        Ok(place) => archive.agree(place),
        Err(error) => Err(error.at(archive.place())),
    }
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
    /// Entries whose header was read.
    entries: u64,
    /// What the present entry calls itself.
    name: Option<String>,
}

impl<R: Read> Archive<'_, R> {
    /// Reads everything to the very end and says where the manifest stands.
    fn read(&mut self) -> Result<Place, UnpackError> {
        let mut names = Names::default();
        while let Some(header) = self.header()? {
            if self.entries > self.limits.entries {
                return Err(UnpackError::TOO_MANY_FILES);
            }
            if header.path.as_str() == MANIFEST_PATH {
                if header.size > self.limits.manifest {
                    return Err(UnpackError::Limit("its manifest is too large"));
                }
                drop(names);
                // Growing by doubling would take twice as much.
                self.manifest.reserve_exact(usize::try_from(header.size).unwrap_or_default());
                self.entry(&header, Some(MANIFEST_PATH))?;
                let place = self.place();
                self.end()?;
                return Ok(place);
            }
            names.take(&header.path).map_err(|taken| taken.refused(&header.path))?;
            self.entry(&header, None)?;
        }
        Err(UnpackError::Damaged("it has no manifest"))
    }

    /// Where reading stands.
    fn place(&self) -> Place {
        Place { entry: Some(self.entries), name: self.name.clone(), frame: Some(self.frames.number()) }
    }

    /// Reads the next header; `None` at the archive's two closing blocks.
    fn header(&mut self) -> Result<Option<FileHeader>, UnpackError> {
        self.entries += 1;
        self.name = None;
        let mut reader = HeaderReader::default();
        loop {
            let mut block = [0; BLOCK];
            self.frames.fill(&mut block)?;
            let next = reader.block(&block, self.limits.pax);
            self.name = reader.name().map(shown_name);
            match next? {
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

    /// Reads the signature, if one follows the manifest, and makes sure that nothing else does.
    fn end(&mut self) -> Result<(), UnpackError> {
        const OTHER: UnpackError = UnpackError::Damaged("an entry follows the manifest");
        if let Some(header) = self.header()? {
            if header.path.as_str() != SIGNATURE_PATH || header.size != size_of::<Signature>() as u64 {
                return Err(OTHER);
            }
            self.entry(&header, Some(SIGNATURE_PATH))?;
            if self.header()?.is_some() {
                return Err(OTHER);
            }
        }
        if !self.frames.next(1)?.is_empty() {
            return Err(UnpackError::Damaged("bytes follow the archive's end"));
        }
        self.progress.advance(self.frames.consumed() - self.told);
        Ok(())
    }

    /// Compares the manifest, which stands at `place`, with what was there.
    fn agree(self, place: Place) -> Result<Manifest, UnpackError> {
        let tally = self.frames.tally()?;
        let manifest = serde_json::from_slice(&self.manifest);
        let manifest: Manifest = manifest.map_err(|error| UnpackError::Manifest(error).at(place))?;
        if let Some(Difference { entry, path }) = tally.difference(&manifest) {
            let name = path.map(|path| shown_name(path.as_str().as_bytes()));
            let error = UnpackError::Damaged("the manifest does not agree with what is there");
            return Err(error.at(Place { entry: Some(entry), name, frame: None }));
        }
        let signature: Option<Signature> = self.signature.as_slice().try_into().ok();
        self.receiver.signature(&Digest::of(&self.manifest), signature.as_ref())?;
        Ok(manifest)
    }
}
