//! The way to a portal, as the upload sees it.
//!
//! There is one real way, the [`Client`](crate::send::Client). The trait is here so that the upload can be shown every
//! fault a network and a hostile portal have, without either.

mod http;

use crate::ids::{FileId, TicketId};
use crate::send::address::UploadUrl;
use crate::send::error::SendError;
use crate::wire::{NewSnapshot, Snapshot};

/// Carries the requests of an upload. Each call is one request and one answer; none retries by itself.
pub trait Transport {
    /// Announces a sealed file; telling the portal the same thing twice changes nothing.
    fn announce(&self, ticket: &TicketId, snapshot: &NewSnapshot) -> Result<Announced, SendError>;
    /// Asks how many bytes of the upload are kept for good.
    fn offset(&self, upload: &UploadUrl) -> Result<Offset, SendError>;
    /// Appends a piece and returns the new offset. The piece is kept whole or not at all.
    fn append(&self, upload: &UploadUrl, piece: Piece) -> Result<u64, SendError>;
    /// Asks what the portal has of a snapshot.
    fn snapshot(&self, id: &FileId) -> Result<Snapshot, SendError>;
    /// Fetches the snapshot's receipt, a signed note.
    fn receipt(&self, id: &FileId) -> Result<String, SendError>;
}

/// What the portal answered to an announced file.
#[derive(Clone, Debug)]
pub enum Announced {
    /// Its bytes are awaited here.
    Upload(UploadUrl),
    /// It has been there whole for some time.
    Stored(Snapshot),
}

/// How far an upload is, as the portal says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offset {
    /// The bytes that are kept for good.
    pub offset: u64,
    /// The bytes it will have in the end, if the portal says so.
    pub length: Option<u64>,
}

/// Some bytes of the sealed file.
#[derive(Clone, Debug)]
pub struct Piece {
    /// Where in the file they begin.
    pub offset: u64,
    /// The bytes, at most [`PIECE_LIMIT`](crate::send::PIECE_LIMIT).
    pub bytes: Vec<u8>,
    /// Their SHA-256.
    pub sha256: [u8; 32],
}
