//! What every way of opening begins with: the header, the key that fits, the share.

use std::error::Error;
use std::io::Read;

use super::open_snapshot::OpenSnapshotError;
use crate::format::{FileKey, Header, Identity, Share};
use crate::pack::{Digest, Signature, Verify};

/// A sealed file whose header was read and whose key was found.
pub(super) struct Begun {
    pub(super) header: Header,
    pub(super) key: FileKey,
}

impl Begun {
    /// Reads the header and finds the key. `share` is asked only when the header names one and one of the keys fits.
    pub(super) fn read<E: Error + 'static>(
        input: &mut impl Read,
        identities: &[Identity],
        share: impl FnOnce(&Header) -> Result<Share, E>,
    ) -> Result<Self, OpenSnapshotError<E>> {
        let header = Header::read(input).map_err(OpenSnapshotError::Sealed)?;
        let unlocked = header.unlock(identities).map_err(OpenSnapshotError::Sealed)?;
        let share = header.share.is_some().then(|| share(&header)).transpose().map_err(OpenSnapshotError::Share)?;
        let key = unlocked.join(share.as_ref()).map_err(OpenSnapshotError::Sealed)?;
        drop(unlocked);
        Ok(Self { header, key })
    }

    /// Does `work` with what verifies the sender's signature; with nothing where the header names no sender.
    pub(super) fn verifying<T>(&self, work: impl FnOnce(Option<Verify<'_>>) -> T) -> T {
        let Some(sender) = self.header.sender else { return work(None) };
        let header = self.header.digest();
        let verify = |manifest: &Digest, signature: &Signature| sender.verify(&header, &manifest.0, signature).is_ok();
        work(Some(&verify))
    }
}
