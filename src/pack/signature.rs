//! The sender's signature over the manifest: the very last entry of a signed snapshot.
//!
//! What is signed and with which key is the sealed file's affair; here it is 64 bytes that stand in their place, and somebody
//! who says whether they are good.

use super::error::UnpackError;
use super::manifest::Digest;
use super::reader::Receiver;
use crate::clock::Timestamp;
use crate::item::ArchivePath;

/// Where the signature stands in the archive.
pub const SIGNATURE_PATH: &str = ".tarseal/manifest.sig";

/// A signature: 64 bytes, as Ed25519 makes them.
pub type Signature = [u8; 64];

/// Says whether a signature is that of the expected sender over the manifest with this digest.
pub type Verify<'a> = &'a dyn Fn(&Digest, &Signature) -> bool;

/// Demands a good signature, and hands everything else on.
pub(crate) struct Signed<'a, 'b> {
    pub(crate) receiver: &'a mut dyn Receiver,
    pub(crate) verify: Verify<'b>,
}

impl Receiver for Signed<'_, '_> {
    fn begin(&mut self, path: &ArchivePath, size: u64, modified: Option<Timestamp>) -> Result<(), UnpackError> {
        self.receiver.begin(path, size, modified)
    }

    fn data(&mut self, bytes: &[u8]) -> Result<(), UnpackError> {
        self.receiver.data(bytes)
    }

    fn end(&mut self) -> Result<(), UnpackError> {
        self.receiver.end()
    }

    fn signature(&mut self, manifest: &Digest, signature: Option<&Signature>) -> Result<(), UnpackError> {
        match signature {
            Some(signature) if (self.verify)(manifest, signature) => Ok(()),
            Some(_) => Err(UnpackError::Signature),
            None => Err(UnpackError::Damaged("the signature of its manifest is missing")),
        }
    }
}
