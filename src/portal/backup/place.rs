//! A directory of backups: `portal-20261121T030000Z/` and the like, and `blobs/` with the sealed files of all of them.
//!
//! A backup is made under another name and renamed when it is whole, and gets another name before it is removed. So whatever
//! is called like a backup is one, whenever the power failed.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::error::BackupError;
use super::files::write_new;
use super::manifest::Kind;
use crate::clock::Timestamp;
use crate::portal::blobs::{make_directory, sync_directory};

/// What the names of unfinished backups begin with.
const DRAFT: &str = "draft-";

/// The file that says whose backups these are.
const OWNER: &str = "portal";

/// How the instant stands in a name.
const NAME_FORMAT: &str = "%Y%m%dT%H%M%SZ";

/// A directory of backups that is being written to by nobody else.
pub(super) struct Place {
    root: PathBuf,
    _lock: File,
}

impl Place {
    /// Opens the directory for the backups of a portal, makes it when it is not there, and removes what a run before left
    /// unfinished.
    pub(super) fn open(root: &Path, portal: &str) -> Result<Self, BackupError> {
        let at_root = || BackupError::at(root);
        make_directory(root).map_err(at_root())?;
        let lock = File::options().write(true).create(true).truncate(false).open(root.join("lock"));
        let lock = lock.map_err(at_root())?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Err(BackupError::Busy(root.to_owned())),
            Err(fs::TryLockError::Error(fault)) => return Err(at_root()(fault)),
        }
        let owner = root.join(OWNER);
        match fs::read_to_string(&owner) {
            Ok(found) if found.trim_end() == portal => {}
            Ok(_) => return Err(BackupError::OtherPortal(root.to_owned())),
            Err(fault) if fault.kind() == ErrorKind::NotFound => {
                write_new(&owner, format!("{portal}\n").as_bytes()).map_err(BackupError::at(&owner))?;
            }
            Err(fault) => return Err(BackupError::at(&owner)(fault)),
        }
        let place = Self { root: root.to_owned(), _lock: lock };
        for entry in fs::read_dir(root).map_err(at_root())? {
            let entry = entry.map_err(at_root())?;
            if entry.file_name().to_string_lossy().starts_with(DRAFT) {
                fs::remove_dir_all(entry.path()).map_err(BackupError::at(&entry.path()))?;
            }
        }
        Ok(place)
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Makes the directory of a backup that begins now.
    pub(super) fn begin(&self, kind: Kind, at: Timestamp) -> Result<PathBuf, BackupError> {
        let draft = self.root.join(format!("{DRAFT}{}", name(kind, at)));
        make_directory(&draft).map_err(BackupError::at(&draft))?;
        Ok(draft)
    }

    /// Gives a backup that is whole its name.
    pub(super) fn finish(&self, draft: &Path, kind: Kind, at: Timestamp) -> Result<PathBuf, BackupError> {
        let path = self.root.join(name(kind, at));
        if path.exists() {
            return Err(BackupError::Exists(path));
        }
        fs::rename(draft, &path).and_then(|()| sync_directory(&self.root)).map_err(BackupError::at(&path))?;
        Ok(path)
    }

    /// Removes a backup.
    pub(super) fn remove(&self, backup: &Path) -> Result<(), BackupError> {
        let leaving = self.root.join(format!("{DRAFT}leaving"));
        fs::rename(backup, &leaving)
            .and_then(|()| fs::remove_dir_all(&leaving))
            .and_then(|()| sync_directory(&self.root))
            .map_err(BackupError::at(backup))
    }
}

/// The backups in a directory, the oldest first.
pub(super) fn backups(root: &Path, kind: Kind) -> Result<Vec<(Timestamp, PathBuf)>, BackupError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root).map_err(BackupError::at(root))? {
        let path = entry.map_err(BackupError::at(root))?.path();
        if let Some(at) = path.file_name().and_then(|name| taken_at(&name.to_string_lossy(), kind)) {
            found.push((at, path));
        }
    }
    found.sort();
    Ok(found)
}

fn name(kind: Kind, at: Timestamp) -> String {
    format!("{}-{}", kind.word(), at.to_jiff().strftime(NAME_FORMAT))
}

fn taken_at(text: &str, kind: Kind) -> Option<Timestamp> {
    let instant = text.strip_prefix(kind.word())?.strip_prefix('-')?;
    let parsed = jiff::civil::DateTime::strptime(NAME_FORMAT, instant).ok()?;
    let at = Timestamp::from(parsed.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp());
    (name(kind, at) == text).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_called_like_a_backup_is_one() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().join("backups");
        let place = Place::open(&root, "key").unwrap();
        let draft = place.begin(Kind::Portal, at("2026-11-21T03:00:00Z")).unwrap();
        assert_eq!(backups(&root, Kind::Portal).unwrap(), []);
        let path = place.finish(&draft, Kind::Portal, at("2026-11-21T03:00:00Z")).unwrap();
        assert_eq!(backups(&root, Kind::Portal).unwrap(), [(at("2026-11-21T03:00:00Z"), path.clone())]);
        assert_eq!(backups(&root, Kind::Shares).unwrap(), []);
        for other in ["portal-2026", "portal-20261121T030000Z.old", "portal-20261321T030000Z", "portal", "x"] {
            fs::create_dir(root.join(other)).or_else(|_| fs::write(root.join("y"), b"")).unwrap();
        }
        assert_eq!(backups(&root, Kind::Portal).unwrap().len(), 1);
        place.remove(&path).unwrap();
        assert_eq!(backups(&root, Kind::Portal).unwrap(), []);
    }

    #[test]
    fn a_place_is_one_portals_and_one_runs() {
        let root = tempfile::tempdir().unwrap();
        let place = Place::open(root.path(), "key").unwrap();
        assert!(matches!(Place::open(root.path(), "key"), Err(BackupError::Busy(_))));
        place.begin(Kind::Shares, at("2026-11-21T03:00:00Z")).unwrap();
        drop(place);
        assert!(matches!(Place::open(root.path(), "other"), Err(BackupError::OtherPortal(_))));
        let _place = Place::open(root.path(), "key").unwrap();
        let left = fs::read_dir(root.path()).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_dir()).count();
        assert_eq!(left, 0, "what was left unfinished is gone");
    }
}
