//! Why a request is refused, one variant per thing a caller does differently.

use super::Signer;
use crate::clock::Timestamp;
use crate::format::key_list::KeyListError;
use crate::note::NoteError;

/// Why a request is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// Not a request at all, or one that was cut, extended or written in another way.
    #[error("this is not a request, or it was damaged: {0}")]
    Malformed(&'static str),
    /// The signature does not belong to this text.
    #[error("the signature does not fit: the request was changed")]
    BadSignature,
    /// Whole, and signed by a key that is not trusted.
    #[error("the request is signed by a key that nobody here trusts")]
    OtherSigner(Signer),
    /// No longer good.
    #[error("the request expired on {0}")]
    Expired(Timestamp),
    /// Signed in the future: the clock here, or the technician's, is wrong.
    #[error("the request was signed on {0}, which is in the future")]
    NotYet(Timestamp),
    /// It cannot be signed as asked.
    #[error("the request cannot be made: {0}")]
    Draft(&'static str),
}

impl From<NoteError> for RequestError {
    fn from(error: NoteError) -> Self {
        match error {
            NoteError::Malformed(fault) => Self::Malformed(fault),
            NoteError::OtherKey { .. } => Self::Malformed("it is signed by another key than the one it names"),
            NoteError::BadSignature => Self::BadSignature,
            NoteError::BadKey => Self::Malformed("the key that signed it cannot be read"),
        }
    }
}

impl From<KeyListError> for RequestError {
    fn from(error: KeyListError) -> Self {
        match error {
            KeyListError::Malformed(fault) => Self::Malformed(fault),
            KeyListError::BadSignature => Self::BadSignature,
            _ => Self::Malformed("the root key that signed it cannot be read"),
        }
    }
}
