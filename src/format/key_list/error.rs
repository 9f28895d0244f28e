//! Why a key list is refused, one variant per thing a caller does differently.

use super::root::Root;
use crate::clock::Timestamp;
use crate::note::NoteError;

/// Why a key list or a root key is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyListError {
    /// Not a key list at all, or one that was cut, extended or written in another way.
    #[error("this is not a key list, or it was damaged: {0}")]
    Malformed(&'static str),
    /// The signature does not belong to this text.
    #[error("the signature does not fit: the key list was changed")]
    BadSignature,
    /// Whole, and signed by a root that the trusted one never handed over to.
    #[error("the key list is signed by a root key that is not the trusted one ({})", .0.fingerprint())]
    OtherRoot(Root),
    /// An older list than the one that was taken before.
    #[error("the key list is an old one: version {found}, after version {kept} was seen")]
    Rollback {
        /// The version that was taken before.
        kept: u64,
        /// The version that is offered.
        found: u64,
    },
    /// Two lists that differ have the same version.
    #[error("there are two different key lists of version {0}")]
    TwoOfOneVersion(u64),
    /// A key that was revoked is missing, or in use again.
    #[error("the key list no longer says that a key was revoked ({0})")]
    Unrevoked(String),
    /// No longer good.
    #[error("the key list expired on {0}")]
    Expired(Timestamp),
    /// Signed in the future: the clock here, or the vendor's, is wrong.
    #[error("the key list was signed on {0}, which is in the future")]
    NotYet(Timestamp),
    /// Nothing may be sealed to any of its keys now.
    #[error("{}", if *all_revoked { "every key in the list was revoked" } else { "no key in the list may be sealed to now" })]
    NoKey {
        /// Whether every key was revoked.
        all_revoked: bool,
    },
    /// A draft that cannot be signed or changed as asked.
    #[error("{0}")]
    Draft(&'static str),
    /// A text that is not a root key.
    #[error("this is not a {0}")]
    BadKey(&'static str),
}

impl From<NoteError> for KeyListError {
    fn from(error: NoteError) -> Self {
        match error {
            NoteError::Malformed(fault) => Self::Malformed(fault),
            NoteError::OtherKey { .. } => Self::Malformed("it is signed by another key than the root it names"),
            NoteError::BadSignature => Self::BadSignature,
            NoteError::BadKey => Self::BadKey("root key"),
        }
    }
}
