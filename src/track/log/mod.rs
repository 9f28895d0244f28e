//! The audit log as a transparency log: what was recorded cannot be changed, removed or moved without anyone seeing it.
//!
//! Each [`Record`] is one line of canonical JSON (RFC 8785) and one leaf of a Merkle tree (RFC 6962, section 2.1), kept as the
//! tiles of <https://c2sp.org/tlog-tiles>. The portal signs the tree's root in a [`checkpoint`]
//! (<https://c2sp.org/tlog-checkpoint>); an [inclusion proof](proof) (<https://c2sp.org/tlog-proof>) shows without a network
//! that a record stands in the tree that was signed. Whoever holds a checkpoint is a witness of everything before it.
//!
//! Addresses, names and reasons stand in a record as salted commitments ([`Field`]): the record stays when they are erased.

pub mod checkpoint;
pub mod export;
pub mod proof;
pub(crate) mod record;
pub mod tree;

pub use checkpoint::Head;
pub use export::Exported;
pub use record::{Field, Opening, Record, salt_from};

/// Why a part of the log is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// Not what it was given as, or written in another way.
    #[error("{0}")]
    Malformed(&'static str),
    /// A checkpoint that this key did not sign.
    #[error("the checkpoint is not signed by the portal's key")]
    BadSignature,
    /// The tree that was signed has no such record there.
    #[error("the record does not stand in the tree that was signed")]
    NotInTree,
    /// The later tree does not begin with the earlier one.
    #[error("the later log does not begin with the earlier one: records were changed, removed or moved")]
    NotTheSameLog,
    /// A part of the tree that is needed is not there or has another length.
    #[error("a tile of the log is missing or damaged")]
    Tile,
}
