//! The entries of a packed stream one by one, found from its end without reading the others.

use std::io::{Read, Seek};

use sha2::{Digest as _, Sha256};

use super::dialect::{BLOCK, END, FileHeader, HeaderReader, Next, padding};
use super::error::{Place, UnpackError, shown_name};
use super::limits::Limits;
use super::manifest::{Digest, Entry, MANIFEST_PATH, Manifest};
use super::names::Names;
use super::placed_frames::PlacedFrames;
use super::reader::Receiver;
use super::signature::{SIGNATURE_PATH, Signature, Signed, Verify};
use crate::clock::Timestamp;
use crate::item::ArchivePath;

const BLOCK_LENGTH: u64 = BLOCK as u64;

/// A packed stream whose files can be read in any order.
///
/// The seek table and the manifest are read when it is opened, and no more. There is one dialect, so the manifest's sizes say
/// where each entry begins; the header that stands there must be the entry's own. What [`read_entries`](super::read_entries)
/// accepts is read here with the same manifest and the same bytes. What it refuses may be read in part, up to the fault.
pub struct Contents<R> {
    tar: Tar<R>,
    manifest: Manifest,
    /// Where each entry's header begins, in the manifest's order.
    begins: Vec<u64>,
    /// Where the manifest's own content begins, and its length.
    own: (u64, u64),
}

/// The tar, read at any place.
struct Tar<R> {
    frames: PlacedFrames<R>,
    /// Bytes of one pax header.
    pax: usize,
}

impl<R: Read + Seek> Contents<R> {
    /// Reads the seek table, the archive's end, the manifest and its signature, and compares the manifest's sizes with the
    /// archive's length.
    ///
    /// With `verify` the manifest must be signed and the signature good; without, there must be none.
    pub fn open(input: R, limits: &Limits, verify: Option<Verify<'_>>) -> Result<Self, UnpackError> {
        let mut tar = Tar { frames: PlacedFrames::open(input, limits)?, pax: limits.pax };
        let end = tar.end()?;
        let (end, signature) = tar.signature(end)?;
        let (at, length) = tar.find_manifest(end, limits.manifest)?;
        let own = (at + BLOCK_LENGTH, length);
        let mut json = Kept(Vec::with_capacity(usize::try_from(length).unwrap_or_default()));
        let digest = tar.content(own.0, own.1, &mut json)?;
        demand(verify, &digest, signature.as_ref())?;
        let manifest: Manifest = serde_json::from_slice(&json.0).map_err(|error| {
            let name = Some(MANIFEST_PATH.to_owned());
            UnpackError::Manifest(error).at(Place { name, ..Place::default() })
        })?;
        drop(json);
        if manifest.entries.len() as u64 + 1 > limits.entries {
            return Err(UnpackError::TOO_MANY_FILES);
        }
        let begins = places(&manifest, at)?;
        Ok(Self { tar, manifest, begins, own })
    }

    /// What is in it, and what is not and why.
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Gives the manifest.
    pub fn into_manifest(self) -> Manifest {
        self.manifest
    }

    /// Reads the entry of this number in the manifest's list and gives it to `receiver`.
    ///
    /// Bytes are given as they are read. When the last one was given, the entry's digest is compared with the manifest's:
    /// only a reading that ends without an error gave what the manifest names.
    pub fn read(&mut self, number: usize, receiver: &mut dyn Receiver) -> Result<(), UnpackError> {
        let Entry { path, size, sha256, .. } = &self.manifest.entries[number];
        let (header, content) = self.tar.header(self.begins[number])?;
        if header.path != *path || header.size != *size {
            return Err(UnpackError::Entry(path.clone()));
        }
        receiver.begin(&header.path, header.size, header.modified())?;
        let digest = self.tar.content(content, *size, receiver)?;
        if digest != *sha256 {
            return Err(UnpackError::Entry(path.clone()));
        }
        receiver.end()
    }

    /// Gives the manifest's own bytes to `receiver`.
    pub fn read_manifest(&mut self, receiver: &mut dyn Receiver) -> Result<(), UnpackError> {
        let path: ArchivePath = MANIFEST_PATH.parse().expect("the manifest's path is safe");
        let (begin, length) = self.own;
        receiver.begin(&path, length, Some(self.manifest.created))?;
        self.tar.content(begin, length, receiver)?;
        receiver.end()
    }
}

/// Refuses a signature that is missing, that is not expected, or that is not good.
fn demand(verify: Option<Verify<'_>>, manifest: &Digest, signature: Option<&Signature>) -> Result<(), UnpackError> {
    match verify {
        Some(verify) => Signed { receiver: &mut (), verify }.signature(manifest, signature),
        None => ().signature(manifest, signature),
    }
}

/// Where each entry's header begins. The sum of all must lead to the manifest's header.
fn places(manifest: &Manifest, end: u64) -> Result<Vec<u64>, UnpackError> {
    const OTHER: UnpackError = UnpackError::Damaged("the manifest does not agree with what is there");
    let (mut names, mut begins, mut at) = (Names::default(), Vec::with_capacity(manifest.entries.len()), 0_u64);
    for (number, Entry { path, size, .. }) in (1..).zip(&manifest.entries) {
        let place = || Place { entry: Some(number), name: Some(shown_name(path.as_str().as_bytes())), frame: None };
        names.take(path).map_err(|taken| taken.refused(path).at(place()))?;
        begins.push(at);
        let header = FileHeader::new(path.clone(), *size, None).encode().len() as u64;
        let after = at.checked_add(header).and_then(|at| at.checked_add(*size));
        let after = after.and_then(|at| at.checked_add(padding(*size) as u64));
        at = after.filter(|&after| after <= end).ok_or_else(|| OTHER.at(place()))?;
    }
    if at == end { Ok(begins) } else { Err(OTHER) }
}

impl<R: Read + Seek> Tar<R> {
    /// Makes sure that the archive ends as it must, and gives where its closing blocks begin.
    fn end(&mut self) -> Result<u64, UnpackError> {
        const OTHER: UnpackError = UnpackError::Damaged("the archive does not end as it must");
        let length = self.frames.length();
        let end = length.checked_sub(END.len() as u64).filter(|end| end % BLOCK_LENGTH == 0).ok_or(OTHER)?;
        let mut closing = END;
        self.frames.fill(end, &mut closing)?;
        if closing == END { Ok(end) } else { Err(OTHER) }
    }

    /// Reads the signature if it is the last entry; gives where the entries before it end.
    ///
    /// Its header stands two blocks before the closing ones. Nothing else can there: a block of the manifest's content is no
    /// header.
    fn signature(&mut self, end: u64) -> Result<(u64, Option<Signature>), UnpackError> {
        let Some(at) = end.checked_sub(2 * BLOCK_LENGTH) else { return Ok((end, None)) };
        let mut block = [0; BLOCK];
        self.frames.fill(at, &mut block)?;
        let own = |header: &FileHeader| {
            header.path.as_str() == SIGNATURE_PATH && header.size == size_of::<Signature>() as u64
        };
        if !matches!(HeaderReader::default().block(&block, 0), Ok(Next::File(header)) if own(&header)) {
            return Ok((end, None));
        }
        let mut signature = Kept(Vec::new());
        self.content(at + BLOCK_LENGTH, size_of::<Signature>() as u64, &mut signature)?;
        Ok((at, signature.0.try_into().ok()))
    }

    /// Finds the manifest's header, going back from the archive's end; gives where it begins and the manifest's length.
    ///
    /// What is passed on the way is the manifest's content. That is JSON and holds no zero bytes, so no block of it reads as a
    /// header: the first one from the end is the last one of the archive.
    fn find_manifest(&mut self, end: u64, most: u64) -> Result<(u64, u64), UnpackError> {
        let mut at = end;
        while at > 0 {
            if end - at > most.saturating_add(BLOCK_LENGTH) {
                return Err(UnpackError::Limit("its manifest is too large"));
            }
            at -= BLOCK_LENGTH;
            let mut block = [0; BLOCK];
            self.frames.fill(at, &mut block)?;
            if !block.starts_with(MANIFEST_PATH.as_bytes()) {
                continue;
            }
            let Ok(Next::File(header)) = HeaderReader::default().block(&block, 0) else { continue };
            if header.path.as_str() != MANIFEST_PATH {
                continue;
            }
            let room = end - at - BLOCK_LENGTH;
            if header.size > most {
                return Err(UnpackError::Limit("its manifest is too large"));
            }
            return if header.size + padding(header.size) as u64 == room {
                Ok((at, header.size))
            } else {
                Err(UnpackError::Damaged("an entry follows the manifest"))
            };
        }
        Err(UnpackError::Damaged("it has no manifest"))
    }

    /// Reads the header at a place; gives it and where the content begins.
    fn header(&mut self, mut at: u64) -> Result<(FileHeader, u64), UnpackError> {
        let mut reader = HeaderReader::default();
        loop {
            let mut block = [0; BLOCK];
            self.frames.fill(at, &mut block)?;
            at += BLOCK_LENGTH;
            match reader.block(&block, self.pax)? {
                Next::File(header) => return Ok((header, at)),
                Next::Pax(length) => {
                    let mut pax = vec![0; length];
                    self.frames.fill(at, &mut pax)?;
                    reader.pax(&pax);
                    at += length as u64;
                }
                Next::End => return Err(UnpackError::Damaged("the archive ends early")),
            }
        }
    }

    /// Gives content to `receiver` and makes sure that the room behind it is empty; returns the content's digest.
    fn content(&mut self, mut at: u64, size: u64, receiver: &mut dyn Receiver) -> Result<Digest, UnpackError> {
        let mut hasher = Sha256::new();
        let mut left = size;
        while left > 0 {
            let bytes = self.frames.at(at)?;
            if bytes.is_empty() {
                return Err(UnpackError::Damaged("the archive ends early"));
            }
            let bytes = &bytes[..bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX))];
            hasher.update(bytes);
            receiver.data(bytes)?;
            at += bytes.len() as u64;
            left -= bytes.len() as u64;
        }
        let mut rest = [0; BLOCK];
        let rest = &mut rest[..padding(size)];
        self.frames.fill(at, rest)?;
        if rest.iter().any(|&byte| byte != 0) {
            return Err(UnpackError::Damaged("the room after an entry is not empty"));
        }
        Ok(Digest(hasher.finalize().into()))
    }
}

/// Keeps what it is given.
struct Kept(Vec<u8>);

impl Receiver for Kept {
    fn begin(&mut self, _: &ArchivePath, _: u64, _: Option<Timestamp>) -> Result<(), UnpackError> {
        Ok(())
    }

    fn data(&mut self, bytes: &[u8]) -> Result<(), UnpackError> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn end(&mut self) -> Result<(), UnpackError> {
        Ok(())
    }
}
