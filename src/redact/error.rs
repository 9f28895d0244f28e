//! What can go wrong while an item is redacted.

use std::fmt;
use std::io;

use super::category::Category;
use crate::item::{BecameShorter, Reason};
use crate::secret::Secret;

/// Why an item could not be redacted.
///
/// A [`Redacted`](super::Redacted) gives it inside an [`io::Error`]; [`from_io`](Self::from_io) takes it out again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RedactError {
    /// Personal data was still found in what was about to be sealed. The run must stop.
    #[error("the gate found personal data that is left: {0}")]
    Gate(GateHit),
    /// The bytes are not text in an encoding that can be checked.
    #[error("it is binary or in an unknown encoding")]
    NotReadable,
    /// Compressed data is broken or ends early.
    #[error("its compressed data is damaged")]
    Damaged(#[source] io::Error),
    /// An item grows past the limits when it is opened.
    #[error("its compressed data grows past the limits")]
    TooLarge,
    /// Opening compressed data would take more memory than is given to it.
    #[error("opening its compressed data takes too much memory")]
    TooMuchMemory,
    /// An archive in an archive in an archive, deeper than the limit.
    #[error("it is packed too deeply in other archives")]
    TooDeep,
    /// A line is too long to be read as a whole, and there is no place in it where it can be cut safely.
    #[error("a line of it is too long")]
    LineTooLong,
    /// A database in the middle of a change, or whose log does not fit it.
    #[error("a change to the database was not finished")]
    Unfinished,
    /// The source could not be read.
    #[error("reading failed")]
    Read(#[source] io::Error),
    /// The output could not be written.
    #[error("writing failed")]
    Write(#[source] io::Error),
}

impl RedactError {
    /// The redaction error inside `error`, if there is one.
    #[must_use]
    pub fn from_io(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    /// Why the item is left out because of this error; `None` for a gate hit, which stops the run instead.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Self::Gate(_) => None,
            Self::NotReadable => Some(Reason::NotReadable),
            Self::Damaged(_) => Some(Reason::Damaged),
            Self::TooLarge | Self::TooMuchMemory => Some(Reason::TooLarge),
            Self::TooDeep => Some(Reason::TooDeep),
            Self::LineTooLong => Some(Reason::LineTooLong),
            Self::Unfinished => Some(Reason::Unfinished),
            Self::Read(error) => Some(reason_of(error)),
            Self::Write(_) => Some(Reason::ReadError),
        }
    }

    /// Why a member of an archive is left out because of this error while the rest of the archive stays; `None` when the
    /// error concerns the whole item.
    pub(crate) fn of_member(&self) -> Option<Reason> {
        match self {
            Self::NotReadable
            | Self::Damaged(_)
            | Self::TooMuchMemory
            | Self::TooDeep
            | Self::LineTooLong
            | Self::Unfinished => self.reason(),
            Self::Gate(_) | Self::TooLarge | Self::Read(_) | Self::Write(_) => None,
        }
    }

    /// A spool could not be written: it is full, or its disk failed.
    pub(crate) fn of_spool(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::FileTooLarge { Self::TooLarge } else { Self::Write(error) }
    }

    /// Takes an error out of the [`io::Error`] it travelled in; any other is a failed read.
    pub(crate) fn unwrap_io(error: io::Error) -> Self {
        if error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<Self>) {
            if let Some(Ok(inner)) = error.into_inner().map(<dyn std::error::Error + Send + Sync>::downcast::<Self>) {
                return *inner;
            }
            return Self::NotReadable;
        }
        Self::Read(error)
    }
}

impl From<RedactError> for io::Error {
    fn from(error: RedactError) -> Self {
        match error {
            RedactError::Read(inner) => inner,
            RedactError::Write(inner) => Self::new(inner.kind(), RedactError::Write(inner)),
            other => Self::new(io::ErrorKind::InvalidData, other),
        }
    }
}

/// Why an item whose bytes cannot be read is left out.
pub(crate) fn reason_of(error: &io::Error) -> Reason {
    if let Some(reason) = RedactError::from_io(error).and_then(RedactError::reason) {
        return reason;
    }
    if error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<BecameShorter>) {
        return Reason::BecameShorter;
    }
    match error.kind() {
        io::ErrorKind::NotFound => Reason::Vanished,
        io::ErrorKind::PermissionDenied => Reason::NotPermitted,
        _ => Reason::ReadError,
    }
}

/// Where the gate found something. What it found is told to nobody who does not ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateHit {
    /// The item's path as it would stand in the snapshot, redacted; empty for a stream without a name.
    pub path: String,
    /// The line of the redacted text, counted from 1.
    pub line: u64,
    /// The rule that found it.
    pub rule: Category,
    /// What still stands there.
    pub value: Secret<String>,
}

impl fmt::Display for GateHit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "the input" } else { &self.path };
        write!(f, "{path}, line {}, rule {}", self.line, self.rule)
    }
}
