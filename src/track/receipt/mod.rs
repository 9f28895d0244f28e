//! The portal's signed statement about one snapshot: that it was stored, or that it was deleted.
//!
//! A receipt is canonical JSON (RFC 8785) on one line inside a signed note (<https://c2sp.org/signed-note>), and behind it the
//! proof that the portal's log has a record of it (<https://c2sp.org/tlog-proof>). So a portal cannot sign one thing for its
//! sender and show another to its auditor, and every sender is a witness of the log.
//!
//! It holds no personal data and no file name, is at most 4096 bytes, and is verified without a network by whoever has the
//! portal's key. It proves what the operator stated, not what the operator did.

mod keys;
mod logged;
mod note;
#[cfg(test)]
pub(crate) mod tests;

pub use keys::{PortalKey, ReceiptKey};
pub use logged::{Logged, verify_logged, with_proof};
pub use note::{digest, sign, verify};

use serde::{Deserialize, Serialize};

use super::log::LogError;
use super::phase::Phase;
use crate::clock::Timestamp;

/// The longest receipt in bytes, with its signature and its proof.
pub const MAX_LENGTH: usize = 4096;

/// The longest signed note in bytes; the rest is for the proof.
pub const MAX_NOTE: usize = 2048;

/// What the portal states.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The edition of these fields: 1.
    pub version: u32,
    /// Whether the snapshot was stored or deleted.
    pub kind: Kind,
    /// Names this receipt: 32 hexadecimal digits.
    pub id: String,
    /// The name in the portal's key.
    pub portal: String,
    /// [`ReceiptKey::hide_ticket`] of the ticket: only the portal can tell which one it is.
    pub ticket: String,
    /// SHA-256 of the sealed file in hexadecimal.
    pub sha256: String,
    /// Length of the sealed file in bytes.
    pub size: u64,
    /// When its last byte was stored.
    pub uploaded: Timestamp,
    /// When the ticket was closed, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<Timestamp>,
    /// The instant by which the snapshot must be gone, as known when this was signed.
    pub due: Timestamp,
    /// When it was deleted; in deletion receipts alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<Timestamp>,
    /// Why it was deleted; in deletion receipts alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<DeletionReason>,
    /// What was done, in order; empty in upload receipts.
    pub steps: Vec<StepDone>,
    /// For how many days after the deletion a backup may still hold the sealed bytes, without the key to open them.
    pub backup_horizon_days: u16,
    /// The version of the retention policy that was applied.
    pub policy_version: u32,
    /// How often the vendor's part of the key was passed on, to be destroyed with the share; in deletion receipts alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grants: Option<u64>,
}

/// What a receipt states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Kind {
    /// The snapshot is stored, whole and with this digest.
    Upload,
    /// The snapshot is gone.
    Deletion,
}

/// Why a snapshot was deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DeletionReason {
    /// The days after the closing of its ticket are over.
    TicketClosed,
    /// It was kept as long as anything is kept.
    HardCap,
    /// Its sender took it back, or someone who may ordered it gone.
    Withdrawn,
}

/// One step of a deletion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepDone {
    /// The phase that was reached.
    pub step: Phase,
    /// Which store was worked on.
    pub store: String,
    /// How.
    pub method: String,
    /// When it was seen to be done.
    pub verified_at: Timestamp,
}

/// Why a receipt or a key is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiptError {
    /// Not a receipt at all, or one that was cut, extended or written in another way.
    #[error("this is not a receipt, or it was damaged: {0}")]
    Malformed(&'static str),
    /// Signed by a key other than the one that was expected.
    #[error("the receipt is signed by \"{}\", not by the expected key of \"{}\"", found.escape_debug(), expected.escape_debug())]
    OtherKey {
        /// The name beside the signature.
        found: String,
        /// The name in the expected key.
        expected: String,
    },
    /// The signature does not belong to this text.
    #[error("the signature does not fit: the receipt was changed, or its signer's key is not the portal's")]
    BadSignature,
    /// A receipt that cannot be signed: it would be too long, or lacks what its kind states.
    #[error("the receipt cannot be signed: {0}")]
    Unsignable(&'static str),
    /// A text that is not a key.
    #[error("this is not a {0} key")]
    BadKey(&'static str),
    /// The portal signed it, but did not prove that it is in its log.
    #[error("the portal's log does not prove it: {0}")]
    Unproved(#[source] LogError),
}
