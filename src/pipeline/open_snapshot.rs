//! From a sealed file to a directory.

use std::error::Error;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use super::begun::Begun;
use super::parts::Parts;
use crate::clock::Timestamp;
use crate::format::{Header, Identity, OpenError, Sender, Share, ShareField};
use crate::ids::FileId;
use crate::pack::{self, Limits, Manifest, Receiver, UnpackError, Verify};
use crate::progress::{Progress, Step, count};

/// A snapshot that was opened to its end and found whole.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Names it.
    pub file_id: FileId,
    /// When it was sealed.
    pub created: Timestamp,
    /// The portal that holds its share, if it needs one.
    pub share: Option<ShareField>,
    /// Who sealed it; `None` when nobody signed it. The signature was verified.
    pub sender: Option<Sender>,
    /// What is in it.
    pub manifest: Manifest,
}

/// Why a snapshot was not opened. Nothing of it is left.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenSnapshotError<E: Error + 'static> {
    /// It is not a sealed file, no key fits, or it was damaged or cut off.
    #[error("it could not be opened")]
    Sealed(#[source] OpenError),
    /// The portal's share could not be had.
    #[error("the portal's share could not be had")]
    Share(#[source] E),
    /// What was sealed cannot be unpacked, or the destination cannot be written.
    #[error("it could not be unpacked")]
    Unpack(#[source] UnpackError),
}

/// Opens a sealed file and unpacks it into the new directory `destination`, whole or not at all.
///
/// A signature is verified where there is one. To take files of certain senders alone, look at the header first:
/// [`Header::peek`], then [`Header::require_sender`].
///
/// `share` is asked for the portal's share only when the header names one and one of the keys fits.
pub fn open_snapshot<E: Error + 'static>(
    mut input: impl Read,
    identities: &[Identity],
    share: impl FnOnce(&Header) -> Result<Share, E>,
    destination: &Path,
    limits: &Limits,
    progress: &dyn Progress,
) -> Result<Opened, OpenSnapshotError<E>> {
    let begun = Begun::read(&mut input, identities, share)?;
    unpack(&begun, input, destination, limits, progress)
}

/// Opens a sealed file that can be read from its end, as [`open_snapshot`] does, and looks ahead before anything is created.
///
/// The seek table and the manifest are read first: a file whose length, number of files or names do not agree with them, or
/// pass a limit, is refused at once, and not after a million files were made.
pub fn open_snapshot_ahead<E: Error + 'static>(
    mut input: impl Read + Seek,
    identities: &[Identity],
    share: impl FnOnce(&Header) -> Result<Share, E>,
    destination: &Path,
    limits: &Limits,
    progress: &dyn Progress,
) -> Result<Opened, OpenSnapshotError<E>> {
    let begun = Begun::read(&mut input, identities, share)?;
    drop(Parts::of(&begun, &mut input, limits)?);
    let payload = input.seek(SeekFrom::Start(begun.key.payload()));
    payload.map_err(|error| OpenSnapshotError::Sealed(OpenError::Read(error)))?;
    unpack(&begun, input, destination, limits, progress)
}

/// Opens a sealed file and gives its entries to `receiver` one by one. What it was given is complete only when this
/// returns `Ok`.
pub fn read_snapshot<E: Error + 'static>(
    mut input: impl Read,
    identities: &[Identity],
    share: impl FnOnce(&Header) -> Result<Share, E>,
    receiver: &mut dyn Receiver,
    limits: &Limits,
    progress: &dyn Progress,
) -> Result<Opened, OpenSnapshotError<E>> {
    let begun = Begun::read(&mut input, identities, share)?;
    through(&begun, input, progress, |payload, verify| match verify {
        Some(verify) => pack::read_signed_entries(payload, limits, receiver, verify, progress),
        None => pack::read_entries(payload, limits, receiver, progress),
    })
}

/// Reads a sealed file to its end and writes nothing: to list what is in it, or to verify that it is whole.
pub fn check_snapshot<E: Error + 'static>(
    input: impl Read,
    identities: &[Identity],
    share: impl FnOnce(&Header) -> Result<Share, E>,
    limits: &Limits,
    progress: &dyn Progress,
) -> Result<Opened, OpenSnapshotError<E>> {
    read_snapshot(input, identities, share, &mut (), limits, progress)
}

/// Unpacks the payload, at whose first byte `input` stands.
fn unpack<E: Error + 'static>(
    begun: &Begun,
    input: impl Read,
    destination: &Path,
    limits: &Limits,
    progress: &dyn Progress,
) -> Result<Opened, OpenSnapshotError<E>> {
    through(begun, input, progress, |payload, verify| match verify {
        Some(verify) => pack::unpack_signed(payload, destination, limits, verify, progress),
        None => pack::unpack(payload, destination, limits, progress),
    })
}

fn through<E: Error + 'static>(
    begun: &Begun,
    input: impl Read,
    progress: &dyn Progress,
    work: impl FnOnce(&mut dyn Read, Option<Verify<'_>>) -> Result<Manifest, UnpackError>,
) -> Result<Opened, OpenSnapshotError<E>> {
    let mut payload = begun.key.read(input).map_err(OpenSnapshotError::Sealed)?;
    progress.begin(Step::Open, None);
    let manifest = begun.verifying(|verify| work(&mut payload, verify)).map_err(sort)?;
    progress.end(&count(manifest.entries.len() as u64, "file"));
    let Header { file_id, created, sender, .. } = begun.header;
    Ok(Opened { file_id, created, share: begun.header.share.clone(), sender, manifest })
}

/// Takes an error of the seal out of the reading error it travelled in.
pub(super) fn sort<E: Error + 'static>(error: UnpackError) -> OpenSnapshotError<E> {
    match error {
        UnpackError::Input(error) if OpenError::from_io(&error).is_some() => {
            let inner = error.into_inner().and_then(|inner| inner.downcast::<OpenError>().ok());
            OpenSnapshotError::Sealed(*inner.expect("from_io found it"))
        }
        other => OpenSnapshotError::Unpack(other),
    }
}
