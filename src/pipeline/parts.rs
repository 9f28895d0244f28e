//! Single files out of a sealed file, without opening the others.

use std::error::Error;
use std::io::{Read, Seek};

use super::begun::Begun;
use super::open_snapshot::{OpenSnapshotError, sort};
use crate::clock::Timestamp;
use crate::format::{Header, Identity, OpenError, SeekReader, Sender, Share, ShareField};
use crate::ids::FileId;
use crate::pack::{Contents, Limits, Manifest, Receiver};

/// A sealed file whose manifest was read and whose files can be read one by one.
///
/// That nothing was cut off or added is proven, the sender's signature is where there is one, and every byte that is read is.
/// What is not read is not checked: that is [`check_snapshot`](super::check_snapshot)'s matter.
pub struct Parts<R: Read + Seek> {
    /// Names it.
    pub file_id: FileId,
    /// When it was sealed.
    pub created: Timestamp,
    /// The portal that holds its share, if it needs one.
    pub share: Option<ShareField>,
    /// Who sealed it; `None` when nobody signed it. The signature was verified.
    pub sender: Option<Sender>,
    contents: Contents<SeekReader<R>>,
}

impl<R: Read + Seek> Parts<R> {
    /// Opens a sealed file, proves its length and reads its manifest.
    ///
    /// `share` is asked for the portal's share only when the header names one and one of the keys fits.
    pub fn open<E: Error + 'static>(
        mut input: R,
        identities: &[Identity],
        share: impl FnOnce(&Header) -> Result<Share, E>,
        limits: &Limits,
    ) -> Result<Self, OpenSnapshotError<E>> {
        input.rewind().map_err(|error| OpenSnapshotError::Sealed(OpenError::Read(error)))?;
        let begun = Begun::read(&mut input, identities, share)?;
        Self::of(&begun, input, limits)
    }

    /// The same for a file that was begun already.
    pub(super) fn of<E: Error + 'static>(
        begun: &Begun,
        input: R,
        limits: &Limits,
    ) -> Result<Self, OpenSnapshotError<E>> {
        let payload = begun.key.seek(input).map_err(OpenSnapshotError::Sealed)?;
        let contents = begun.verifying(|verify| Contents::open(payload, limits, verify)).map_err(sort)?;
        let Header { file_id, created, sender, .. } = begun.header;
        Ok(Self { file_id, created, share: begun.header.share.clone(), sender, contents })
    }

    /// What is in it, and what is not and why.
    pub const fn manifest(&self) -> &Manifest {
        self.contents.manifest()
    }

    /// Gives the manifest and closes the file.
    pub fn into_manifest(self) -> Manifest {
        self.contents.into_manifest()
    }

    /// Reads the file of this number in the manifest's list and gives it to `receiver`.
    ///
    /// Each byte is authentic when it is given; the whole is what the manifest names only when this returns `Ok`.
    pub fn read<E: Error + 'static>(
        &mut self,
        number: usize,
        receiver: &mut dyn Receiver,
    ) -> Result<(), OpenSnapshotError<E>> {
        self.contents.read(number, receiver).map_err(sort)
    }

    /// Gives the manifest's own bytes to `receiver`.
    pub fn read_manifest<E: Error + 'static>(
        &mut self,
        receiver: &mut dyn Receiver,
    ) -> Result<(), OpenSnapshotError<E>> {
        self.contents.read_manifest(receiver).map_err(sort)
    }
}
