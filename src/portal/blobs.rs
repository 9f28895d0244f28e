//! Sealed files in a directory: `blobs/TENANT/ab/abcdef….tarseal`, and `….partial` beside it while the bytes arrive.
//!
//! All of it blocks. A rename makes a file whole; the directory is synchronised after each rename and removal.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::ids::{FileId, TenantId};

/// The directory store.
#[derive(Clone, Debug)]
pub(crate) struct Blobs {
    root: PathBuf,
    floor: u64,
}

impl Blobs {
    /// Opens the store beneath a data directory; `floor` bytes of its disk stay free.
    pub(crate) fn open(data: &Path, floor: u64) -> io::Result<Self> {
        let root = data.join("blobs");
        make_directory(&root)?;
        Ok(Self { root, floor })
    }

    /// Whether `more` bytes can be taken and the floor stays free.
    pub(crate) fn has_room_for(&self, more: u64) -> io::Result<bool> {
        let disk = rustix::fs::statvfs(&self.root)?;
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        Ok(free.checked_sub(self.floor).is_some_and(|room| room >= more))
    }

    /// Opens the part of a file that has arrived, made when it is not there, cut to `received` bytes. A file that was made
    /// whole, but never recorded as such, becomes a part again. Shorter than `received` is an error: bytes are missing that
    /// were durable once.
    pub(crate) fn open_partial(&self, tenant: &TenantId, id: &FileId, received: u64) -> io::Result<File> {
        let (whole, partial) = (self.whole(tenant, id), self.partial(tenant, id));
        let directory = parent(&whole);
        if !directory.is_dir() {
            make_directory(parent(directory))?;
            make_directory(directory)?;
        }
        if !partial.exists() && whole.exists() {
            fs::rename(&whole, &partial)?;
            sync_directory(directory)?;
        }
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&partial)?;
        let length = file.metadata()?.len();
        if length < received {
            return Err(io::Error::new(
                ErrorKind::UnexpectedEof,
                format!("{length} bytes are left of an upload of which {received} were acknowledged"),
            ));
        }
        if length > received {
            file.set_len(received)?;
        }
        if received == 0 {
            sync_directory(directory)?;
        }
        Ok(file)
    }

    /// Makes a file whole: synchronised, renamed, its directory synchronised.
    pub(crate) fn finish(&self, file: &File, tenant: &TenantId, id: &FileId) -> io::Result<()> {
        file.sync_all()?;
        let whole = self.whole(tenant, id);
        fs::rename(self.partial(tenant, id), &whole)?;
        sync_directory(parent(&whole))
    }

    /// Opens a whole file for reading.
    pub(crate) fn open_whole(&self, tenant: &TenantId, id: &FileId) -> io::Result<File> {
        File::open(self.whole(tenant, id))
    }

    /// Removes a file, whole or in part; nothing to remove is no error.
    pub(crate) fn remove(&self, tenant: &TenantId, id: &FileId) -> io::Result<()> {
        for path in [self.whole(tenant, id), self.partial(tenant, id)] {
            match fs::remove_file(&path) {
                Ok(()) => sync_directory(parent(&path))?,
                Err(fault) if fault.kind() == ErrorKind::NotFound => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(())
    }

    /// Asks the file system whether nothing is left of a file.
    pub(crate) fn is_absent(&self, tenant: &TenantId, id: &FileId) -> io::Result<bool> {
        for path in [self.whole(tenant, id), self.partial(tenant, id)] {
            match fs::symlink_metadata(&path) {
                Ok(_) => return Ok(false),
                Err(fault) if fault.kind() == ErrorKind::NotFound => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(true)
    }

    fn whole(&self, tenant: &TenantId, id: &FileId) -> PathBuf {
        let name = id.to_string();
        self.root.join(tenant.as_str()).join(&name[..2]).join(format!("{name}.tarseal"))
    }

    fn partial(&self, tenant: &TenantId, id: &FileId) -> PathBuf {
        self.whole(tenant, id).with_extension("partial")
    }
}

/// Makes a directory that only its owner can enter, if it is not there, and makes its name durable.
pub(crate) fn make_directory(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => sync_directory(parent(path)),
        Err(fault) if fault.kind() == ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(fault) => Err(fault),
    }
}

/// Makes what was made, renamed or removed in a directory durable.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use super::*;

    fn names() -> (TenantId, FileId) {
        ("acme".parse().unwrap(), FileId([7; 16]))
    }

    #[test]
    fn a_file_is_a_part_then_whole_then_gone() {
        let directory = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(directory.path(), 0).unwrap();
        let (tenant, id) = names();
        assert!(blobs.is_absent(&tenant, &id).unwrap());
        let mut file = blobs.open_partial(&tenant, &id, 0).unwrap();
        file.write_all(b"sealed").unwrap();
        assert!(!blobs.is_absent(&tenant, &id).unwrap());
        assert!(blobs.open_whole(&tenant, &id).is_err());
        blobs.finish(&file, &tenant, &id).unwrap();
        let mut read = String::new();
        blobs.open_whole(&tenant, &id).unwrap().read_to_string(&mut read).unwrap();
        assert_eq!(read, "sealed");
        blobs.remove(&tenant, &id).unwrap();
        assert!(blobs.is_absent(&tenant, &id).unwrap());
        blobs.remove(&tenant, &id).unwrap();
    }

    #[test]
    fn a_part_is_cut_to_what_was_acknowledged_and_never_shorter() {
        let directory = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(directory.path(), 0).unwrap();
        let (tenant, id) = names();
        blobs.open_partial(&tenant, &id, 0).unwrap().write_all(b"sealed and more").unwrap();
        assert_eq!(blobs.open_partial(&tenant, &id, 6).unwrap().metadata().unwrap().len(), 6);
        assert!(blobs.open_partial(&tenant, &id, 7).is_err());
    }

    #[test]
    fn a_file_made_whole_but_not_recorded_becomes_a_part_again() {
        let directory = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(directory.path(), 0).unwrap();
        let (tenant, id) = names();
        let mut file = blobs.open_partial(&tenant, &id, 0).unwrap();
        file.write_all(b"sealed").unwrap();
        blobs.finish(&file, &tenant, &id).unwrap();
        assert_eq!(blobs.open_partial(&tenant, &id, 6).unwrap().metadata().unwrap().len(), 6);
        assert!(blobs.open_whole(&tenant, &id).is_err());
    }

    #[test]
    fn the_floor_stays_free() {
        let directory = tempfile::tempdir().unwrap();
        assert!(Blobs::open(directory.path(), 0).unwrap().has_room_for(1).unwrap());
        assert!(!Blobs::open(directory.path(), 0).unwrap().has_room_for(u64::MAX).unwrap());
        assert!(!Blobs::open(directory.path(), u64::MAX).unwrap().has_room_for(0).unwrap());
    }
}
