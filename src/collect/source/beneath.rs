//! Opens files beneath a root: not through a link, not outside, not something other than a file.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;

use crate::item::{BecameShorter, Content, Reason};

/// A directory beneath which files are opened. It is opened anew each time, so that any number of files cost no
/// descriptor, and must still be the same directory then.
#[derive(Debug)]
pub(super) struct Root {
    path: PathBuf,
    identity: Identity,
}

/// Device and inode: the same file is the same pair.
pub(super) type Identity = (u64, u64);

impl Root {
    /// Takes the directory at `path` for a root. Links on the way to it are followed, as the user who typed them expects.
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        let directory = rustix::fs::openat(CWD, &path, DIRECTORY, Mode::empty())?;
        let identity = identity(&rustix::fs::fstat(directory)?);
        Ok(Self { path, identity })
    }

    /// Its absolute path, as given.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the root itself.
    pub(super) fn open(&self) -> io::Result<OwnedFd> {
        let directory = rustix::fs::openat(CWD, &self.path, DIRECTORY, Mode::empty())?;
        if identity(&rustix::fs::fstat(&directory)?) == self.identity { Ok(directory) } else { Err(vanished()) }
    }
}

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
/// Opening must neither wait for the other end of a pipe nor make a terminal ours.
const FILE: OFlags =
    OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Opens a directory beneath `root`; an empty path is the root.
pub(super) fn open_directory(root: impl AsFd, path: &Path) -> Result<OwnedFd, Errno> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    open(root, path, DIRECTORY | OFlags::NOFOLLOW)
}

/// Opens a regular file beneath `root` and tells what it is; [`Reason`] says why not.
pub(super) fn open_file(root: impl AsFd, path: &Path) -> Result<(File, Stat), Reason> {
    let file = open(root, path, FILE).map_err(reason)?;
    let stat = rustix::fs::fstat(&file).map_err(reason)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(Reason::NotAFile);
    }
    Ok((file.into(), stat))
}

/// What an error while opening means for the snapshot.
pub(super) const fn reason(errno: Errno) -> Reason {
    match errno {
        Errno::ACCESS | Errno::PERM => Reason::NotPermitted,
        Errno::NOENT | Errno::NOTDIR | Errno::STALE => Reason::Vanished,
        Errno::LOOP => Reason::Link,
        Errno::NXIO | Errno::NODEV | Errno::ISDIR | Errno::OPNOTSUPP => Reason::NotAFile,
        Errno::NAMETOOLONG => Reason::BadName,
        _ => Reason::ReadError,
    }
}

#[cfg_attr(target_os = "linux", expect(clippy::useless_conversion, reason = "elsewhere a device is an i32"))]
pub(super) fn identity(stat: &Stat) -> Identity {
    (u64::try_from(stat.st_dev).unwrap_or(u64::MAX), stat.st_ino)
}

fn vanished() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "it was replaced by something else since it was found")
}

fn open(root: impl AsFd, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    #[cfg(target_os = "linux")]
    {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        for _ in 0..8 {
            match rustix::fs::openat2(&root, path, flags, Mode::empty(), resolve) {
                // A rename elsewhere made the kernel unsure; it asks to try again.
                Err(Errno::AGAIN) => {}
                // An old kernel, or a container that forbids what it does not know: one component at a time then. When
                // it is the file that is not permitted, that says so too.
                Err(Errno::NOSYS | Errno::PERM) => break,
                // A link at the end of a path with O_DIRECTORY, or in the middle.
                other => return other,
            }
        }
    }
    open_stepwise(root, path, flags)
}

/// Opens one component after the other, none of them through a link.
fn open_stepwise(root: impl AsFd, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    let mut names = path.components().peekable();
    let mut directory: Option<OwnedFd> = None;
    while let Some(name) = names.next() {
        if matches!(name, std::path::Component::ParentDir | std::path::Component::RootDir) {
            return Err(Errno::XDEV);
        }
        let above = directory.as_ref().map_or_else(|| root.as_fd(), |directory| directory.as_fd());
        let flags = if names.peek().is_some() { DIRECTORY | OFlags::NOFOLLOW } else { flags };
        let opened = rustix::fs::openat(above, name.as_os_str(), flags, Mode::empty())?;
        directory = Some(opened);
    }
    directory.ok_or(Errno::NOENT)
}

/// A file that was found, to be opened by the same rules when it is read.
#[derive(Clone, Debug)]
pub(in crate::collect) struct FileContent {
    pub(super) root: Arc<Root>,
    pub(super) path: PathBuf,
    pub(super) identity: Identity,
    pub(super) size: u64,
}

impl FileContent {
    /// Opens the file, if it is still the same.
    pub(in crate::collect) fn file(&self) -> io::Result<File> {
        let (file, stat) = open_file(self.root.open()?, &self.path).map_err(|reason| match reason {
            Reason::NotPermitted => io::Error::from(io::ErrorKind::PermissionDenied),
            Reason::Vanished | Reason::Link | Reason::NotAFile => vanished(),
            _ => io::Error::other("it could not be opened"),
        })?;
        if identity(&stat) == self.identity { Ok(file) } else { Err(vanished()) }
    }

    /// Its size when it was found.
    pub(in crate::collect) const fn size(&self) -> u64 {
        self.size
    }

    fn part(&self, start: u64, length: u64) -> io::Result<Whole> {
        let mut file = self.file()?;
        file.seek(SeekFrom::Start(start))?;
        Ok(Whole { file, left: length })
    }
}

impl Content for FileContent {
    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(Whole { file: self.file()?, left: self.size }))
    }
}

/// The beginning of a file and a part further on.
#[derive(Clone, Debug)]
pub(in crate::collect) struct FilePart {
    pub(in crate::collect) file: FileContent,
    /// How many bytes of its beginning.
    pub(in crate::collect) head: u64,
    /// Where the part begins and ends; not before the head's end.
    pub(in crate::collect) start: u64,
    pub(in crate::collect) end: u64,
}

impl FilePart {
    /// How many bytes it has.
    pub(in crate::collect) const fn length(&self) -> u64 {
        self.head + (self.end - self.start)
    }
}

impl Content for FilePart {
    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        let part = self.file.part(self.start, self.end - self.start)?;
        if self.head == 0 {
            return Ok(Box::new(part));
        }
        Ok(Box::new(self.file.part(0, self.head)?.chain(part)))
    }
}

/// Reads exactly so many bytes of a file: no more when it has grown, and an error when it ends before.
struct Whole {
    file: File,
    left: u64,
}

impl Read for Whole {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 || buffer.is_empty() {
            return Ok(0);
        }
        let room = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let length = self.file.read(&mut buffer[..room])?;
        if length == 0 {
            return Err(io::Error::other(BecameShorter));
        }
        self.left -= length as u64;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn both_ways_of_opening_stay_beneath_the_root_and_follow_no_link() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret"), "s").unwrap();
        let inside = outside.path().join("root");
        fs::create_dir_all(inside.join("d/e")).unwrap();
        fs::write(inside.join("d/e/file"), "f").unwrap();
        symlink("d", inside.join("link")).unwrap();
        symlink("../secret", inside.join("out")).unwrap();
        symlink("/", inside.join("d/slash")).unwrap();
        let root = Root::new(&inside).unwrap().open().unwrap();
        for stepwise in [false, true] {
            let way = |path: &str, flags| {
                let path = Path::new(path);
                if stepwise { open_stepwise(&root, path, flags) } else { open(&root, path, flags) }
            };
            assert!(way("d/e/file", FILE).is_ok());
            assert!(way(".", DIRECTORY).is_ok());
            for bad in
                ["../secret", "d/../../secret", "/etc/passwd", "link/e/file", "out", "d/slash/etc/passwd", "gone"]
            {
                assert!(way(bad, FILE).is_err(), "{bad}, {stepwise}");
            }
        }
    }

    #[test]
    fn a_root_that_was_replaced_is_not_opened() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("root");
        fs::create_dir(&path).unwrap();
        let root = Root::new(&path).unwrap();
        fs::rename(&path, directory.path().join("moved")).unwrap();
        fs::create_dir(&path).unwrap();
        assert_eq!(root.open().unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
