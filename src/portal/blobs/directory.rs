//! Sealed files in a directory: `blobs/TENANT/ab/abcdef….tarseal`, and `….partial` beside it while the bytes arrive.
//!
//! All of it blocks. A rename makes a file whole; the directory is synchronised after each rename and removal. Small files come
//! in another way, see `arriving`.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use axum::body::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

use super::{ARRIVING, Mark};
use crate::ids::{FileId, TenantId};

/// How much is read from the disk at once, in bytes.
const BUFFER: usize = 256 << 10;

/// The directory.
#[derive(Clone, Debug)]
pub(crate) struct Directory {
    root: PathBuf,
    floor: u64,
}

impl Directory {
    /// Opens the store beneath a data directory; `floor` bytes of its disk stay free.
    pub(crate) fn open(data: &Path, floor: u64) -> io::Result<Self> {
        let root = data.join("blobs");
        make_directory(&root)?;
        make_directory(&root.join(ARRIVING))?;
        Ok(Self { root, floor })
    }

    /// Whether `more` bytes can be taken and the floor stays free.
    pub(crate) fn has_room_for(&self, more: u64) -> io::Result<bool> {
        Ok(free(&self.root)?.checked_sub(self.floor).is_some_and(|room| room >= more))
    }

    /// Opens the part of a file that has arrived, made when it is not there, cut to `received` bytes.
    pub(crate) fn go_on(&self, tenant: &TenantId, id: &FileId, received: u64) -> io::Result<Partial> {
        let (whole, partial) = (self.path(tenant, id), self.partial(tenant, id));
        make_shelf(&whole)?;
        if !partial.exists() && whole.exists() {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&partial)?;
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
        file.seek(SeekFrom::Start(received))?;
        let mark = Mark { received, ..Mark::default() };
        Ok(Partial { file, whole, partial, mark, written: received, named: received > 0 })
    }

    /// The length of a whole file, if it is there.
    pub(crate) fn whole(&self, tenant: &TenantId, id: &FileId) -> io::Result<Option<u64>> {
        match fs::metadata(self.path(tenant, id)) {
            Ok(known) => Ok(Some(known.len())),
            Err(fault) if fault.kind() == ErrorKind::NotFound => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Reads some of a whole file.
    pub(crate) async fn read(
        &self,
        tenant: &TenantId,
        id: &FileId,
        first: u64,
        end: u64,
    ) -> io::Result<BoxStream<'static, io::Result<Bytes>>> {
        let mut file = tokio::fs::File::open(self.path(tenant, id)).await?;
        file.seek(SeekFrom::Start(first)).await?;
        Ok(ReaderStream::with_capacity(file.take(end - first), BUFFER).boxed())
    }

    /// Removes a file, whole or in part; nothing to remove is no error.
    pub(crate) fn remove(&self, tenant: &TenantId, id: &FileId) -> io::Result<()> {
        for path in self.names(tenant, id) {
            if gone(fs::remove_file(&path))? {
                sync_directory(parent(&path))?;
            }
        }
        Ok(())
    }

    /// Asks the file system whether nothing is left of a file.
    pub(crate) fn is_absent(&self, tenant: &TenantId, id: &FileId) -> io::Result<bool> {
        for path in self.names(tenant, id) {
            match fs::symlink_metadata(&path) {
                Ok(_) => return Ok(false),
                Err(fault) if fault.kind() == ErrorKind::NotFound => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(true)
    }

    /// Every name that a file can have.
    fn names(&self, tenant: &TenantId, id: &FileId) -> [PathBuf; 3] {
        [self.path(tenant, id), self.partial(tenant, id), self.arriving(tenant, id)]
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// The name of a whole file.
    pub(super) fn path(&self, tenant: &TenantId, id: &FileId) -> PathBuf {
        let name = id.to_string();
        self.root.join(tenant.as_str()).join(&name[..2]).join(format!("{name}.tarseal"))
    }

    fn partial(&self, tenant: &TenantId, id: &FileId) -> PathBuf {
        self.path(tenant, id).with_extension("partial")
    }
}

/// A file that grows under the name that says so.
pub(crate) struct Partial {
    file: File,
    whole: PathBuf,
    partial: PathBuf,
    mark: Mark,
    written: u64,
    /// Whether its name is durable.
    named: bool,
}

impl Partial {
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.written += bytes.len() as u64;
        Ok(())
    }

    pub(crate) fn beginning(&self, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, 0)?;
        Ok(bytes)
    }

    pub(crate) fn keep(&mut self) -> io::Result<&Mark> {
        self.file.sync_data()?;
        if !self.named {
            sync_directory(parent(&self.partial))?;
            self.named = true;
        }
        self.mark.received = self.written;
        Ok(&self.mark)
    }

    pub(crate) fn cut_back(&mut self) -> io::Result<()> {
        self.file.set_len(self.mark.received)
    }

    /// Makes the file whole: synchronised, renamed, its directory synchronised.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.partial, &self.whole)?;
        sync_directory(parent(&self.whole))
    }
}

/// The bytes that are free on the disk of a path.
pub(crate) fn free(path: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(path)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
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

/// Makes the directory that a file is to lie in, and the one above it, if they are not there.
pub(super) fn make_shelf(whole: &Path) -> io::Result<()> {
    let directory = parent(whole);
    if !directory.is_dir() {
        make_directory(parent(directory))?;
        make_directory(directory)?;
    }
    Ok(())
}

/// Whether there was something to remove; nothing to remove is no error.
pub(super) fn gone(removed: io::Result<()>) -> io::Result<bool> {
    match removed {
        Ok(()) => Ok(true),
        Err(fault) if fault.kind() == ErrorKind::NotFound => Ok(false),
        Err(fault) => Err(fault),
    }
}

pub(super) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> (TenantId, FileId) {
        ("acme".parse().unwrap(), FileId([7; 16]))
    }

    #[test]
    fn a_file_is_a_part_then_whole_then_gone() {
        let place = tempfile::tempdir().unwrap();
        let directory = Directory::open(place.path(), 0).unwrap();
        let (tenant, id) = names();
        assert!(directory.is_absent(&tenant, &id).unwrap());
        let mut file = directory.go_on(&tenant, &id, 0).unwrap();
        file.write(b"sealed").unwrap();
        assert_eq!(file.beginning(4).unwrap(), b"seal");
        assert!(!directory.is_absent(&tenant, &id).unwrap());
        assert_eq!(directory.whole(&tenant, &id).unwrap(), None);
        file.finish().unwrap();
        assert_eq!(directory.whole(&tenant, &id).unwrap(), Some(6));
        assert_eq!(fs::read(directory.path(&tenant, &id)).unwrap(), b"sealed");
        assert_eq!(directory.go_on(&tenant, &id, 6).err().unwrap().kind(), ErrorKind::AlreadyExists);
        directory.remove(&tenant, &id).unwrap();
        assert!(directory.is_absent(&tenant, &id).unwrap());
        directory.remove(&tenant, &id).unwrap();
    }

    #[test]
    fn a_part_is_cut_to_what_was_acknowledged_and_never_shorter() {
        let place = tempfile::tempdir().unwrap();
        let directory = Directory::open(place.path(), 0).unwrap();
        let (tenant, id) = names();
        directory.go_on(&tenant, &id, 0).unwrap().write(b"sealed and more").unwrap();
        assert_eq!(directory.go_on(&tenant, &id, 6).unwrap().file.metadata().unwrap().len(), 6);
        assert_eq!(directory.go_on(&tenant, &id, 7).err().unwrap().kind(), ErrorKind::UnexpectedEof);
    }

    #[test]
    fn the_floor_stays_free() {
        let place = tempfile::tempdir().unwrap();
        assert!(Directory::open(place.path(), 0).unwrap().has_room_for(1).unwrap());
        assert!(!Directory::open(place.path(), 0).unwrap().has_room_for(u64::MAX).unwrap());
        assert!(!Directory::open(place.path(), u64::MAX).unwrap().has_room_for(0).unwrap());
    }
}
