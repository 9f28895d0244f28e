//! The way from items to a sealed file, and back to a directory.
//!
//! [`create`] surveys, redacts, packs and seals in one stream: memory stays flat, nothing unsealed touches a disk, and
//! either a whole file is there at the end or none. [`open_snapshot`] goes the other way: either a whole directory or none.
//! [`Parts`] reads single files.

mod begun;
mod create;
mod filter;
mod meter;
mod open_snapshot;
mod output;
mod parts;

pub use create::{CreateError, Created, Plan, Redaction, create};
pub use open_snapshot::{OpenSnapshotError, Opened, check_snapshot, open_snapshot, open_snapshot_ahead, read_snapshot};
pub use parts::Parts;
