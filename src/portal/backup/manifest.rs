//! What a backup is, in a file of its own: `manifest.json` beside the files it tells of. It is written last.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::BackupError;
use super::files::{Copied, digest, write_new};
use crate::clock::Timestamp;

/// The manifest's name.
const NAME: &str = "manifest.json";

/// The longest manifest in bytes.
const LONGEST: u64 = 1 << 20;

/// What a backup holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Everything but the shares and the keys.
    Portal,
    /// The shares and the portal's key.
    Shares,
}

impl Kind {
    /// The word that begins the name of such a backup.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Portal => "portal",
            Self::Shares => "shares",
        }
    }
}

/// What a backup says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The edition of these fields: 1.
    pub version: u32,
    /// What it holds.
    pub kind: Kind,
    /// The key that verifies the portal's receipts: tells one portal's backups from another's.
    pub portal: String,
    /// What the database held at this instant is in it.
    pub taken_at: Timestamp,
    /// How many sealed files belong to it; they lie in `blobs` beside the backup.
    pub snapshots: u64,
    /// Their length in bytes.
    pub bytes: u64,
    /// The files of the backup, by name.
    pub files: Vec<Entry>,
}

/// One file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its path within the backup.
    pub name: String,
    /// Its length in bytes.
    pub size: u64,
    /// Its SHA-256 in hexadecimal.
    pub sha256: String,
}

impl Entry {
    pub(super) fn new(name: impl Into<String>, copied: Copied) -> Self {
        Self { name: name.into(), size: copied.size, sha256: copied.sha256 }
    }
}

impl Manifest {
    /// Writes the manifest into a backup that is complete but for it.
    pub(super) fn write(&self, backup: &Path) -> Result<(), BackupError> {
        let path = backup.join(NAME);
        let mut text = serde_json::to_vec_pretty(self).expect("a manifest is plain data");
        text.push(b'\n');
        write_new(&path, &text).map_err(BackupError::at(&path))
    }

    /// Reads the manifest of a backup.
    pub(super) fn read(backup: &Path) -> Result<Self, BackupError> {
        let not_one = || BackupError::NotABackup(backup.to_owned());
        let mut text = Vec::new();
        let file = File::open(backup.join(NAME)).map_err(|_| not_one())?;
        file.take(LONGEST).read_to_end(&mut text).map_err(BackupError::at(backup))?;
        let manifest: Self = serde_json::from_slice(&text).map_err(|_| not_one())?;
        let within = |name: &str| name.split('/').all(|part| !matches!(part, "" | "." | "..")) && !name.contains('\0');
        if manifest.version != 1 || !manifest.files.iter().all(|entry| within(&entry.name)) {
            return Err(not_one());
        }
        Ok(manifest)
    }

    /// Reads every file of the backup and compares its digest; nothing else may lie in the backup.
    pub(super) fn verify(&self, backup: &Path) -> Result<(), BackupError> {
        for entry in &self.files {
            let path = backup.join(&entry.name);
            let found = digest(&path).map_err(|_| BackupError::Damaged(path.clone()))?;
            if (found.size, &found.sha256) != (entry.size, &entry.sha256) {
                return Err(BackupError::Damaged(path));
            }
        }
        let mut left = vec![backup.to_owned()];
        while let Some(directory) = left.pop() {
            for entry in fs::read_dir(&directory).map_err(BackupError::at(&directory))? {
                let path = entry.map_err(BackupError::at(&directory))?.path();
                let name = path.strip_prefix(backup).unwrap_or(&path);
                if path.is_dir() && !path.is_symlink() {
                    left.push(path);
                } else if name != Path::new(NAME) && !self.files.iter().any(|entry| Path::new(&entry.name) == name) {
                    return Err(BackupError::Damaged(path));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(backup: &Path) -> Manifest {
        let copied = super::super::files::digest(&backup.join("portal.db")).unwrap();
        Manifest {
            version: 1,
            kind: Kind::Portal,
            portal: String::from("portal.example+00000000+AAAA"),
            taken_at: "2026-11-21T03:00:00Z".parse().unwrap(),
            snapshots: 2,
            bytes: 100,
            files: vec![Entry::new("portal.db", copied)],
        }
    }

    #[test]
    fn a_changed_cut_missing_or_additional_file_is_found() {
        let backup = tempfile::tempdir().unwrap();
        let file = backup.path().join("portal.db");
        fs::write(&file, b"rows").unwrap();
        let manifest = one(backup.path());
        manifest.write(backup.path()).unwrap();
        let read = Manifest::read(backup.path()).unwrap();
        assert_eq!(read, manifest);
        read.verify(backup.path()).unwrap();
        for other in [&b"rowz"[..], b"row", b"rows "] {
            fs::write(&file, other).unwrap();
            assert!(matches!(read.verify(backup.path()), Err(BackupError::Damaged(_))));
        }
        fs::remove_file(&file).unwrap();
        assert!(matches!(read.verify(backup.path()), Err(BackupError::Damaged(_))));
        fs::write(&file, b"rows").unwrap();
        fs::write(backup.path().join("portal.db-wal"), b"more").unwrap();
        assert!(
            matches!(read.verify(backup.path()), Err(BackupError::Damaged(_))),
            "a log beside it would be replayed"
        );
    }

    #[test]
    fn a_manifest_reaches_no_file_outside() {
        let backup = tempfile::tempdir().unwrap();
        fs::write(backup.path().join("portal.db"), b"rows").unwrap();
        for name in ["../portal.db", "/etc/passwd", "a//b", "./portal.db", ""] {
            let mut manifest = one(backup.path());
            manifest.files[0].name = name.to_owned();
            drop(fs::remove_file(backup.path().join(NAME)));
            manifest.write(backup.path()).unwrap();
            assert!(matches!(Manifest::read(backup.path()), Err(BackupError::NotABackup(_))), "{name}");
        }
    }
}
