//! Why a backup is not made, or not put back.

use std::io;
use std::path::PathBuf;

/// Why a backup is not made, or not put back. What was there before is there still.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// Another backup is being made there.
    #[error("another backup is being made in {}", .0.display())]
    Busy(PathBuf),
    /// The directory holds the backups of another portal.
    #[error("{} holds the backups of another portal", .0.display())]
    OtherPortal(PathBuf),
    /// The place of a backup lies in the portal's directory, or the other way round.
    #[error("{} and the portal's directory lie in one another", .0.display())]
    Within(PathBuf),
    /// What this portal keeps elsewhere has its own backups.
    #[error("{0} has backups of its own; docs/BACKUPS.md says how")]
    Elsewhere(&'static str),
    /// Not a backup.
    #[error("{} is not a backup of a portal", .0.display())]
    NotABackup(PathBuf),
    /// A backup of shares in the place of one of the portal, or the other way round.
    #[error("{} is a backup of {found}, not of {expected}", .path.display())]
    OtherKind {
        /// The backup.
        path: PathBuf,
        /// What it holds.
        found: &'static str,
        /// What it should hold.
        expected: &'static str,
    },
    /// A file of the backup is not what the manifest says.
    #[error("{} is damaged: its bytes are not those that were written", .0.display())]
    Damaged(PathBuf),
    /// The restored database does not hold together.
    #[error("the restored database is damaged: {0}")]
    Inconsistent(String),
    /// The directory that is to be made is there already.
    #[error("{} is there already, and nothing is overwritten", .0.display())]
    Exists(PathBuf),
    /// Nobody said where the tombstones of the time after the backup are.
    #[error("what was deleted after this backup was made is not known")]
    TombstonesNeeded,
    /// A place without tombstones.
    #[error("there are no tombstones in {}", .0.display())]
    NoTombstones(PathBuf),
    /// The backup is older than the tombstones reach.
    #[error("the backup is of {0}: the tombstones do not reach back that far")]
    TooOld(crate::clock::Timestamp),
    /// Nobody said where the shares and the portal's key are.
    #[error("this backup holds neither shares nor the portal's key")]
    SharesNeeded,
    /// A backup of shares that should be gone.
    #[error("the shares are of {0}; they may be kept for seven days and are not taken from an older backup")]
    SharesTooOld(crate::clock::Timestamp),
    /// A directory or file cannot be used.
    #[error("{} cannot be used", .0.display())]
    File(PathBuf, #[source] io::Error),
}

impl BackupError {
    /// Names the path that a fault belongs to.
    pub(crate) fn at(path: &std::path::Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        |fault| Self::File(path, fault)
    }
}
