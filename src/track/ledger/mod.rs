//! The sender's own record of every snapshot: what was sealed, where it went, when it must be gone, and the portal's receipts.
//!
//! One `SQLite` file, readable by its owner only, without secrets. What happened is a chain of [`Record`]s: each row holds its
//! canonical JSON (RFC 8785), the hash of the row before and its own hash, SHA-256 over
//! `"tarseal/v1 ledger\0" ‖ previous ‖ body`. What is shown ([`Entry`]) is the fold of that chain, kept beside it for quick
//! questions; it counts deadlines with the same code as the portal. [`Ledger::verify`] walks the chain and folds it anew, so an
//! edited, removed or moved row is found in either place.
//!
//! The chain holds no key: whoever can write the file can write a new chain from the beginning. Against that, a
//! [`Head`] noted elsewhere and the portal's signed receipts are witnesses.

mod books;
mod chain;
mod due;
mod entry;
mod record;
mod store;
#[cfg(test)]
mod tests;

pub use chain::Head;
pub use due::{Due, Standing};
pub use entry::{Entry, Told};
pub use record::{Record, Sealed};
pub use store::{Ledger, Pinned};

use std::io;
use std::path::PathBuf;

use crate::ids::FileId;
use crate::track::receipt::ReceiptError;

/// Why the ledger could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// The file could not be made or made private.
    #[error("{}: {source}", path.display())]
    Local {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The database reports an error of its own (disk full, input and output, a damaged file).
    #[error("the ledger's database: {0}")]
    Database(#[source] rusqlite::Error),
    /// Another process has been writing for more than ten seconds.
    #[error("another run is writing to the ledger")]
    Busy,
    /// The file is a database, and not this version's ledger.
    #[error("{} is not a ledger that this version can read: {what}", path.display())]
    NotALedger {
        /// Which file.
        path: PathBuf,
        /// Why not.
        what: &'static str,
    },
    /// A row is not what was written.
    #[error("the ledger was changed: {what} (row {number})")]
    Changed {
        /// The number of the first row that does not fit; 0 when it cannot be said.
        number: i64,
        /// What does not fit.
        what: String,
    },
    /// The ledger knows no such snapshot.
    #[error("the ledger knows no snapshot {0}")]
    Unknown(FileId),
    /// The ledger has the snapshot with other facts.
    #[error("the ledger has snapshot {0} with another ticket, size or digest")]
    Differs(FileId),
    /// No key of that portal is pinned, so its receipt proves nothing.
    #[error("no receipt key of {0} is known yet")]
    NoKey(String),
    /// The portal shows another key than the one it was first seen with.
    #[error("{portal} shows another receipt key than the one seen first (pinned {pinned}, found {found})")]
    KeyChanged {
        /// Which portal.
        portal: String,
        /// The key seen first.
        pinned: String,
        /// The key shown now.
        found: String,
    },
    /// The receipt is not the portal's, or was changed.
    #[error("the receipt is refused: {0}")]
    Receipt(#[from] ReceiptError),
    /// A good receipt, of something else.
    #[error("the receipt is for something else: {0}")]
    OtherReceipt(&'static str),
}

impl From<rusqlite::Error> for LedgerError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => Self::Busy,
            _ => Self::Database(error),
        }
    }
}
