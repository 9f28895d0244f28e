//! A file that is there whole or not at all.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use crate::pack::Digest;

/// A new file beside the one it will become (`NAME.partial-…`, 0600), measured and digested as it is written. Dropped
/// before it is [kept](Self::keep), it is removed.
pub(super) struct PartialFile {
    file: NamedTempFile,
    path: PathBuf,
    hasher: Sha256,
    size: u64,
}

impl PartialFile {
    /// Makes the partial file. `AlreadyExists` when there is something at `path`.
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        if path.symlink_metadata().is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let mut prefix = name.to_owned();
        prefix.push(".partial-");
        let file = tempfile::Builder::new().prefix(&prefix).tempfile_in(parent(path))?;
        Ok(Self { file, path: path.to_owned(), hasher: Sha256::new(), size: 0 })
    }

    /// Brings everything to the disk and gives the file its name, never over another one. Returns size and digest.
    pub(super) fn keep(self) -> io::Result<(u64, Digest)> {
        self.file.as_file().sync_all()?;
        self.file.persist_noclobber(&self.path).map_err(|error| error.error)?;
        File::open(parent(&self.path))?.sync_all()?;
        Ok((self.size, Digest(self.hasher.finalize().into())))
    }
}

impl Write for PartialFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// The directory a path lies in.
pub(super) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_is_there_only_when_it_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("out.tarseal");
        let mut file = PartialFile::new(&path).unwrap();
        file.write_all(b"half").unwrap();
        assert!(!path.exists());
        drop(file);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);

        let mut file = PartialFile::new(&path).unwrap();
        file.write_all(b"whole").unwrap();
        assert_eq!(file.keep().unwrap(), (5, Digest::of(b"whole")));
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_appears_meanwhile_is_not_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("out.tarseal");
        let file = PartialFile::new(&path).unwrap();
        fs::write(&path, "other").unwrap();
        assert_eq!(file.keep().unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"other");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        assert!(PartialFile::new(&path).is_err());
    }
}
