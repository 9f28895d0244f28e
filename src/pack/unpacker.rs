//! Creates a directory from a packed stream, whole or not at all.

use std::fs::{File, Permissions};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use rustix::fs::{CWD, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use super::error::UnpackError;
use super::limits::Limits;
use super::manifest::Manifest;
use super::reader::{Receiver, read_entries, read_signed_entries};
use super::signature::Verify;
use crate::clock::Timestamp;
use crate::item::ArchivePath;
use crate::progress::Progress;

/// Unpacks a stream into a new directory `destination` and returns its manifest.
///
/// The files go into `DESTINATION.partial-…` beside it (0700), which takes the name when everything agrees; on any error it
/// is removed. A killed process leaves it under the partial name. Files are created for the caller alone (0600, directories
/// 0700), never through a link and never over something.
///
/// The system brings them to the disk in its own time, as it does for any tool that unpacks; [`bring_to_disk`] waits for it.
pub fn unpack(
    input: impl Read,
    destination: &Path,
    limits: &Limits,
    progress: &dyn Progress,
) -> Result<Manifest, UnpackError> {
    unpack_with(destination, |receiver| read_entries(input, limits, receiver, progress))
}

/// The same for a snapshot that is signed: nothing is left unless `verify` finds the signature good.
pub fn unpack_signed(
    input: impl Read,
    destination: &Path,
    limits: &Limits,
    verify: Verify<'_>,
    progress: &dyn Progress,
) -> Result<Manifest, UnpackError> {
    unpack_with(destination, |receiver| read_signed_entries(input, limits, receiver, verify, progress))
}

fn unpack_with(
    destination: &Path,
    read: impl FnOnce(&mut dyn Receiver) -> Result<Manifest, UnpackError>,
) -> Result<Manifest, UnpackError> {
    let failed = |source: io::Error| UnpackError::Destination { path: destination.to_owned(), source };
    if destination.symlink_metadata().is_ok() {
        return Err(UnpackError::DestinationExists(destination.to_owned()));
    }
    let name = destination.file_name().ok_or_else(|| failed(io::ErrorKind::InvalidInput.into()))?;
    let parent = match destination.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut prefix = name.to_owned();
    prefix.push(".partial-");
    let partial = tempfile::Builder::new()
        .prefix(&prefix)
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(parent)
        .map_err(failed)?;
    let root = open_directory(CWD, partial.path()).map_err(|errno| failed(errno.into()))?;

    let mut directory = Directory { path: destination.to_owned(), root, open: Vec::new(), file: None };
    let manifest = read(&mut directory)?;

    match rename_new(partial.path(), destination) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(UnpackError::DestinationExists(destination.to_owned()));
        }
        other => other.map_err(failed)?,
    }
    // It has another name now; there is nothing to remove.
    let _ = partial.keep();
    Ok(manifest)
}

/// Waits until everything written to the file system of a directory is on the disk, its name too: one call for all files.
pub fn bring_to_disk(directory: &Path) -> io::Result<()> {
    let directory = open_directory(CWD, directory)?;
    #[cfg(any(target_os = "linux", target_os = "android"))]
    rustix::fs::syncfs(directory)?;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    {
        let _ = directory;
        rustix::fs::sync();
    }
    Ok(())
}

/// Creates files beneath a root, one directory descriptor per level.
struct Directory {
    /// What the user calls the root, for messages.
    path: PathBuf,
    root: OwnedFd,
    /// The directories above the present file, from the root down.
    open: Vec<(String, OwnedFd)>,
    file: Option<(PathBuf, File, Option<Timestamp>)>,
}

impl Receiver for Directory {
    fn begin(&mut self, path: &ArchivePath, _size: u64, modified: Option<Timestamp>) -> Result<(), UnpackError> {
        let shown = self.path.join(path.as_str());
        let file = self
            .create(path)
            .map_err(|errno| UnpackError::Destination { path: shown.clone(), source: errno.into() })?;
        self.file = Some((shown, file, modified));
        Ok(())
    }

    fn data(&mut self, bytes: &[u8]) -> Result<(), UnpackError> {
        self.with_file(|file, _| file.write_all(bytes))
    }

    fn end(&mut self) -> Result<(), UnpackError> {
        self.with_file(|file, modified| {
            let seconds = modified.map_or(0, |modified| u64::try_from(modified.seconds()).unwrap_or(0));
            if seconds == 0 { Ok(()) } else { file.set_modified(UNIX_EPOCH + Duration::from_secs(seconds)) }
        })?;
        self.file = None;
        Ok(())
    }
}

impl Directory {
    fn with_file(
        &mut self,
        work: impl FnOnce(&mut File, Option<Timestamp>) -> io::Result<()>,
    ) -> Result<(), UnpackError> {
        let (path, file, modified) = self.file.as_mut().expect("data comes between begin and end");
        work(file, *modified).map_err(|source| UnpackError::Destination { path: path.clone(), source })
    }

    /// Creates a new file and the directories above it. No link is followed: there is none, and one that appears stops it.
    fn create(&mut self, path: &ArchivePath) -> Result<File, Errno> {
        let mut parents: Vec<&str> = path.components().collect();
        let name = parents.pop().expect("a path has a component");
        let common = self.open.iter().zip(&parents).take_while(|((open, _), parent)| open == *parent).count();
        self.open.truncate(common);
        for parent in &parents[common..] {
            let above = self.open.last().map_or(self.root.as_fd(), |(_, directory)| directory.as_fd());
            match rustix::fs::mkdirat(above, *parent, Mode::RWXU) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(errno) => return Err(errno),
            }
            let directory = open_directory(above, Path::new(parent))?;
            self.open.push(((*parent).to_owned(), directory));
        }
        let above = self.open.last().map_or(self.root.as_fd(), |(_, directory)| directory.as_fd());
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(rustix::fs::openat(above, name, flags, Mode::RUSR | Mode::WUSR)?.into())
    }
}

fn open_directory(above: impl AsFd, path: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(above, path, flags, Mode::empty())
}

/// Renames without replacing what may be at the new name.
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // A file system or a kernel that does not know the flag.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            if to.symlink_metadata().is_ok() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            std::fs::rename(from, to)
        }
        other => Ok(other?),
    }
}
