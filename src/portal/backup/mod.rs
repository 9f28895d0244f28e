//! Backups of a portal that runs on one machine, and putting one back without bringing back what was deleted.
//!
//! A place of backups is a directory, best on another disk:
//!
//! | there | holds |
//! |---|---|
//! | `portal-20261121T030000Z/` | the database without the shares, the tombstones, `manifest.json` with every digest |
//! | `shares-20261121T030000Z/` | the shares and the key that signs receipts, for at most seven days; best in a place of its own |
//! | `blobs/` | the sealed files of all backups, each once |
//!
//! Deletion reaches backups in three ways. The sealed file is removed from the places that the portal knows when it is removed
//! from the portal. A backup of shares is gone after seven days (at once, where a policy allows backups nothing), and without its
//! share no copy of a sealed file can be opened. And whatever is restored is deleted again by the tombstones before it is served.
//! What stays in an older backup of the database until that is thinned out: the row that says when a snapshot of which ticket came,
//! its size and its digest.

mod error;
mod files;
mod make;
mod manifest;
mod place;
mod pool;
mod reach;
mod restore;
mod schedule;
mod settle;

pub use error::BackupError;
pub use make::{BackedUp, BackupOrder};
pub(crate) use make::{make, renew_shares};
pub use manifest::{Entry, Kind, Manifest};
pub(crate) use reach::{in_places, remove_from};
pub(crate) use restore::restore;
pub use restore::{RestoreOrder, Restored};
pub use schedule::Schedule;
pub use settle::PutBack;
pub(crate) use settle::settle;

/// For how many days a backup of shares may be kept, and be restored from.
const SHARES_DAYS: u16 = 7;
