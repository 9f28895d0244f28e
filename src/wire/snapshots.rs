//! Snapshots: announced, stored, told of; and the portal's part of their keys.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::ids::{FileId, ShareId, TicketId};

/// `POST /v1/tickets/{ticket}/snapshots`: announces a sealed file. The answer's `Location` is the upload's own URL (tus).
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewSnapshot {
    /// The file id in the sealed file's header. The portal knows the snapshot by it.
    pub file_id: FileId,
    /// Length of the sealed file in bytes.
    #[cfg_attr(feature = "portal", schema(minimum = 1, maximum = 9_007_199_254_740_991_i64))]
    pub size: u64,
    /// SHA-256 of the sealed file, 64 hexadecimal digits in lower case.
    #[cfg_attr(feature = "portal", schema(pattern = "^[0-9a-f]{64}$"))]
    pub sha256: String,
    /// The portal's part of the file key; absent for a file sealed without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<NewShare>,
}

/// The portal's part of a file key, on its way to the portal.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewShare {
    /// The share id in the sealed file's header.
    pub id: ShareId,
    /// 32 bytes, Base64 (standard alphabet, padded).
    #[cfg_attr(feature = "portal", schema(value_type = String, pattern = "^[A-Za-z0-9+/]{43}=$"))]
    pub secret: Zeroizing<String>,
    /// The instant after which the sender wants no one to get it.
    pub not_after: Timestamp,
}

/// What the portal tells about a snapshot, also after its deletion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
pub struct Snapshot {
    /// The file id of the sealed file.
    pub id: FileId,
    /// The ticket it belongs to.
    pub ticket: TicketId,
    /// Where it is on its way.
    pub state: SnapshotState,
    /// Length of the sealed file in bytes.
    pub size: u64,
    /// SHA-256 of the sealed file in hexadecimal; empty while it is not known yet.
    #[cfg_attr(feature = "portal", schema(pattern = "^([0-9a-f]{64})?$"))]
    pub sha256: String,
    /// Twelve words of the SHA-256 ([`check_phrase`](crate::format::check_phrase)), for people to compare; absent while it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check_phrase: Option<String>,
    /// When its last byte was stored; absent while it is being uploaded.
    pub uploaded_at: Option<Timestamp>,
    /// The instant by which it must be gone, as known now.
    pub due_at: Option<Timestamp>,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
    /// While a hold stops the deletion: when it is looked at again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review_at: Option<Timestamp>,
    /// How often its content was read.
    pub reads: u64,
}

/// Where a snapshot is on its way through the portal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum SnapshotState {
    /// Its bytes are still arriving.
    Uploading,
    /// Complete and readable by those who may.
    Stored,
    /// Complete and readable, and a hold stops its deletion.
    Held,
    /// A hold keeps it, and its time is over or it was withdrawn: nobody can read it.
    Restricted,
    /// Its deletion has begun; nobody can read it any more.
    Deleting,
    /// Gone, with a receipt.
    Deleted,
}

impl SnapshotState {
    /// The word for it, the same as in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Uploading => "uploading",
            Self::Stored => "stored",
            Self::Held => "held",
            Self::Restricted => "restricted",
            Self::Deleting => "deleting",
            Self::Deleted => "deleted",
        }
    }
}

/// What the portal answers to `PUT /in/{ticket}/{name}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
pub struct Received {
    /// The file id of the sealed file.
    pub id: FileId,
    /// The ticket it belongs to.
    pub ticket: TicketId,
    /// Its length in bytes.
    pub size: u64,
    /// Its SHA-256 in hexadecimal, as the portal counted it.
    #[cfg_attr(feature = "portal", schema(pattern = "^[0-9a-f]{64}$"))]
    pub sha256: String,
    /// The instant by which it must be gone, as known now.
    pub due_at: Option<Timestamp>,
    /// The upload receipt, a signed note.
    pub receipt: String,
}

/// `POST /v1/snapshots/{id}/share`: asks for the share.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ShareRequest {
    /// The technician's recipient (`tarseal1…`): the share is sealed to it.
    pub recipient: String,
    /// Asks for the vendor's part as well, which was granted to this key; refused when none was.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub granted: bool,
}

/// The share, sealed to the technician's key: HPKE base mode, info = [`share_info`].
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
pub struct SealedShare {
    /// The share id in the sealed file's header.
    pub id: ShareId,
    /// `enc | ct` in Base64 (standard alphabet, padded).
    pub sealed: String,
    /// The vendor's part as it was granted to that key, in Base64; when it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
}

/// The bytes that bind a sealed share to its purpose and its snapshot.
#[must_use]
pub fn share_info(snapshot: &FileId, share: &ShareId) -> Vec<u8> {
    [b"tarseal/v1 share\0".as_slice(), &snapshot.0, &share.0].concat()
}
