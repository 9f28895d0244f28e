//! Packs redacted items into one stream and unpacks it without trusting it.
//!
//! The stream is an ordinary `.tar.zst`: a tar of one dialect, in zstd frames of at most 4 MiB that can be read apart from
//! each other, with a seek table at the end and a [`Manifest`] as the last entry. [`Packer`] takes nothing but
//! [`Redacted`](crate::redact::Redacted) items. [`read_entries`] accepts exactly what `Packer` writes, within [`Limits`];
//! [`unpack`] creates a directory from it, whole or not at all; [`Contents`] reads single files out of it.

mod compression;
mod contents;
mod decompression;
mod dialect;
mod digests;
mod error;
mod frame;
mod frame_reader;
mod frame_source;
mod limits;
mod manifest;
mod names;
mod packer;
mod placed_frames;
mod reader;
mod signature;
mod unpacker;

pub use contents::Contents;
pub use error::{Place, UnpackError};
pub use limits::Limits;
pub use manifest::{Digest, Entry, MANIFEST_PATH, Manifest, ManifestVersion, NotADigest};
pub use packer::{AddError, PackOptions, Packer};
pub use reader::{Receiver, read_entries, read_signed_entries};
pub use signature::{SIGNATURE_PATH, Signature, Verify};
pub use unpacker::{bring_to_disk, unpack, unpack_signed};

#[cfg(test)]
mod tests;
#[cfg(test)]
mod thread_tests;
