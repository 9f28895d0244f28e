//! From the keys to the payload, each step once: a slot is opened, the portal's share joins, the payload is read.

use std::io::{Read, Seek};

use super::error::OpenError;
use super::header::Header;
use super::open::OpenReader;
use super::payload::{ChunkCipher, OtherCommitment, PREFIX};
use super::seek::SeekReader;
use super::share::Share;
use super::slot::PART_LENGTH;
use crate::secret::Secret;

/// A header one of whose slots was opened. No key is needed any more; a share may be.
pub struct Unlocked<'a> {
    pub(super) header: &'a Header,
    /// The vendor's part of the file key.
    pub(super) part: Secret<[u8; PART_LENGTH]>,
}

impl Unlocked<'_> {
    /// Joins the portal's share to the key. A share that the header does not ask for is not looked at.
    ///
    /// Errors: [`OpenError::ShareNeeded`].
    pub fn join(&self, share: Option<&Share>) -> Result<FileKey, OpenError> {
        if let (Some(field), None) = (&self.header.share, share) {
            return Err(OpenError::ShareNeeded(field.clone()));
        }
        Ok(FileKey {
            key: self.header.file_key(&self.part, share),
            context: self.header.digest(),
            payload: self.header.length(),
        })
    }
}

/// The key of one sealed file: opens its payload, from front to back and at any place, as often as it is asked to.
pub struct FileKey {
    key: Secret<[u8; 32]>,
    /// SHA-256 of the header's bytes.
    context: [u8; 32],
    /// Where the payload begins in the file.
    payload: u64,
}

impl FileKey {
    /// Opens a payload that is read from front to back; it stands where [`Header::read`] left it.
    ///
    /// Errors: [`OpenError::Truncated`], [`OpenError::Read`]; [`OpenError::Commitment`] when it is not this header's payload.
    pub fn read<R: Read>(&self, payload: R) -> Result<OpenReader<R>, OpenError> {
        OpenReader::with_key(&self.key, &self.context, payload)
    }

    /// Opens a whole sealed file that is read by position, and proves its length; where `source` stands does not matter.
    ///
    /// Errors: [`OpenError::Truncated`], [`OpenError::TooLong`], [`OpenError::Read`]; [`OpenError::Commitment`];
    /// [`OpenError::Chunk`] for a last chunk that is not the last one that was sealed.
    pub fn seek<R: Read + Seek>(&self, source: R) -> Result<SeekReader<R>, OpenError> {
        SeekReader::with_key(self, source)
    }

    /// Where the payload begins in the file, in bytes.
    #[must_use]
    pub const fn payload(&self) -> u64 {
        self.payload
    }

    /// Takes up the payload that begins with `prefix`.
    pub(super) fn cipher(&self, prefix: &[u8; PREFIX]) -> Result<ChunkCipher, OpenError> {
        ChunkCipher::resume(&self.key, &self.context, prefix).map_err(|OtherCommitment| OpenError::Commitment)
    }
}
