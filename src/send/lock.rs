//! One run per ticket at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use crate::send::error::SendError;

/// Held while a run works on a ticket. The system gives it back when the process ends, however it ends.
///
/// The file stays where it is: removing a lock file lets two runs hold "the" lock at once.
#[derive(Debug)]
#[must_use = "the lock is given back when this is dropped"]
pub struct TicketLock(#[expect(dead_code, reason = "holds the lock until it is dropped")] File);

impl TicketLock {
    /// Takes the lock at `path`, making the file (0600) when it is not there; its directory must be there.
    ///
    /// [`SendError::Locked`] when another run holds it; nothing is waited for.
    pub fn take(path: &Path) -> Result<Self, SendError> {
        let local = |source| SendError::Local { path: path.to_owned(), source };
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(local)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(SendError::Locked(path.to_owned())),
            Err(TryLockError::Error(source)) => Err(local(source)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_run_is_told_and_the_next_one_gets_it() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("4711.lock");
        let first = TicketLock::take(&path).unwrap();
        assert!(matches!(TicketLock::take(&path), Err(SendError::Locked(_))));
        drop(first);
        let again = TicketLock::take(&path);
        assert!(again.is_ok());
    }

    #[test]
    fn a_missing_directory_is_a_local_error() {
        let place = tempfile::tempdir().unwrap();
        let taken = TicketLock::take(&place.path().join("none").join("4711.lock"));
        assert!(matches!(taken, Err(SendError::Local { .. })));
    }
}
