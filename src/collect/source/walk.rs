//! Walks a directory without recursion, in order, with one directory open at a time.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{AtFlags, Dir, FileType};

use super::beneath::{FileContent, Identity, Root, identity, open_directory, open_file, reason};
use super::{Bytes, Candidate, Found, Search, deny, name};
use crate::clock::Timestamp;
use crate::collect::CollectError;
use crate::item::{ArchivePath, Reason};

/// A walk beneath a root.
pub(super) struct Walk<'a, 'b> {
    root: Arc<Root>,
    opened: OwnedFd,
    /// What the root is called in the snapshot.
    prefix: Vec<u8>,
    found: &'a mut Found<'b>,
    /// `/proc`, `/sys` and `/dev`, wherever they are met.
    kernel: Vec<Identity>,
}

/// Whether something met on a walk is wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// It and all beneath it.
    Yes,
    /// Not itself; beneath it something may be.
    Perhaps,
    /// Nothing there.
    No,
}

impl<'a, 'b> Walk<'a, 'b> {
    pub(super) fn new(root: Arc<Root>, prefix: Vec<u8>, found: &'a mut Found<'b>) -> Result<Self, CollectError> {
        let opened = root.open().map_err(|source| CollectError::Read { path: root.path().to_owned(), source })?;
        let kernel = ["/proc", "/sys", "/dev"]
            .iter()
            .filter_map(|path| rustix::fs::stat(*path).ok().map(|stat| identity(&stat)))
            .collect();
        Ok(Self { root, opened, prefix, found, kernel })
    }

    /// Adds everything wanted beneath `start`, a directory beneath the root (empty for the root itself).
    pub(super) fn directory(
        &mut self,
        start: &Path,
        wanted: &mut dyn FnMut(&Path) -> Wanted,
    ) -> Result<(), CollectError> {
        let mut waiting = vec![(start.to_owned(), wanted(start) == Wanted::Yes)];
        while let Some((directory, all)) = waiting.pop() {
            if self.found.search.is_over() {
                self.leave_out(&directory, Reason::TimedOut)?;
                return Ok(());
            }
            let mut names = match self.names(&directory) {
                Ok(names) => names,
                Err(reason) => {
                    self.leave_out(&directory, reason)?;
                    continue;
                }
            };
            names.sort_by(|(one, _), (other, _)| one.cmp(other));
            let mut deeper = Vec::new();
            for (name, kind) in names {
                let path = directory.join(name);
                let this = if all { Wanted::Yes } else { wanted(&path) };
                if this == Wanted::No {
                    continue;
                }
                if self.is_excluded(&path) {
                    if this == Wanted::Yes {
                        self.leave_out(&path, Reason::ByProfile)?;
                    }
                    continue;
                }
                match self.kind(&path, kind) {
                    Ok(FileType::Directory) if too_deep(&self.archived(&path)) => {
                        self.leave_out(&path, Reason::BadName)?;
                    }
                    Ok(FileType::Directory) => deeper.push((path, this == Wanted::Yes)),
                    _ if this == Wanted::Perhaps => {}
                    Ok(FileType::RegularFile) => self.file(&path)?,
                    Ok(FileType::Symlink) => self.leave_out(&path, Reason::Link)?,
                    Ok(_) => self.leave_out(&path, Reason::NotAFile)?,
                    Err(reason) => self.leave_out(&path, reason)?,
                }
            }
            waiting.extend(deeper.into_iter().rev());
        }
        Ok(())
    }

    /// Adds one file beneath the root, or what keeps it from being added.
    pub(super) fn file(&mut self, path: &Path) -> Result<(), CollectError> {
        match self.look_at(path) {
            Ok((item, file)) => self.found.item(item, Some(file)),
            Err(reason) => self.leave_out(path, reason),
        }
    }

    fn is_excluded(&self, path: &Path) -> bool {
        let Search { exclude, prefix, .. } = &self.found.search;
        if exclude.texts().is_empty() {
            return false;
        }
        let archived = self.archived(path);
        let beneath = archived.strip_prefix(prefix.as_bytes()).unwrap_or(&archived);
        let beneath = beneath.strip_prefix(b"/").unwrap_or(beneath);
        exclude.hold_for(Path::new(OsStr::from_bytes(beneath)))
    }

    fn look_at(&self, path: &Path) -> Result<(Candidate, Identity), Reason> {
        let file_name = path.file_name().unwrap_or_default().as_bytes();
        if deny::name(file_name) {
            return Err(Reason::Forbidden);
        }
        let archived = self.archived(path);
        let archive_path = str::from_utf8(&archived).ok().and_then(|path| path.parse::<ArchivePath>().ok());
        let archive_path = archive_path.ok_or(Reason::BadName)?;
        let (file, stat) = open_file(&self.opened, path)?;
        if deny::file_system(&file) {
            return Err(Reason::Forbidden);
        }
        let size = u64::try_from(stat.st_size).map_err(|_| Reason::ReadError)?;
        if self.found.search.local && deny::network(&file) {
            return Err(Reason::NetworkFileSystem);
        }
        if size <= deny::LOOKED_INTO && !self.found.search.metadata_only {
            let mut bytes = Vec::new();
            file.take(deny::LOOKED_INTO).read_to_end(&mut bytes).map_err(|_| Reason::ReadError)?;
            if deny::content(&bytes) {
                return Err(Reason::Forbidden);
            }
        }
        let identity = identity(&stat);
        let content = FileContent { root: Arc::clone(&self.root), path: path.to_owned(), identity, size };
        let modified = (stat.st_mtime > 0).then(|| Timestamp::from_seconds(stat.st_mtime));
        Ok((Candidate { path: archive_path, size, modified, bytes: Bytes::File(content) }, identity))
    }

    /// The names in a directory and what they are said to be.
    fn names(&self, directory: &Path) -> Result<Vec<(OsString, FileType)>, Reason> {
        let opened = open_directory(self.opened.as_fd(), directory).map_err(reason)?;
        let stat = rustix::fs::fstat(&opened).map_err(reason)?;
        if self.kernel.contains(&identity(&stat)) || deny::file_system(&opened) {
            return Err(Reason::Forbidden);
        }
        if self.found.search.local && deny::network(&opened) {
            return Err(Reason::NetworkFileSystem);
        }
        let mut names = Vec::new();
        for entry in Dir::new(opened).map_err(reason)? {
            let entry = entry.map_err(reason)?;
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." {
                names.push((OsString::from_vec(name.to_vec()), entry.file_type()));
            }
        }
        Ok(names)
    }

    fn kind(&self, path: &Path, said: FileType) -> Result<FileType, Reason> {
        if said != FileType::Unknown {
            return Ok(said);
        }
        // Some file systems do not say; what is said here is checked again when the file is open.
        let above = open_directory(self.opened.as_fd(), path.parent().unwrap_or(Path::new(""))).map_err(reason)?;
        let name = path.file_name().unwrap_or_default();
        let stat = rustix::fs::statat(above, name, AtFlags::SYMLINK_NOFOLLOW).map_err(reason)?;
        Ok(FileType::from_raw_mode(stat.st_mode))
    }

    fn leave_out(&mut self, path: &Path, reason: Reason) -> Result<(), CollectError> {
        let path = name::shown(&self.archived(path));
        self.found.left_out(if path.is_empty() { ".".into() } else { path }, reason)
    }

    fn archived(&self, path: &Path) -> Vec<u8> {
        let path = name::archived(path);
        match (self.prefix.as_slice(), path.as_slice()) {
            (b"", path) => path.to_vec(),
            (prefix, b"") => prefix.to_vec(),
            (prefix, path) => [prefix, b"/", path].concat(),
        }
    }
}

/// Whether nothing beneath a directory could have a path in a snapshot.
fn too_deep(archived: &[u8]) -> bool {
    archived.len() >= ArchivePath::MAX_LENGTH || archived.split(|&byte| byte == b'/').count() >= ArchivePath::MAX_DEPTH
}

/// The directory a path lies in and its name there; for `.`, `..` and `/`, itself and nothing.
pub(super) fn split(path: &Path) -> (PathBuf, PathBuf) {
    match (path.file_name(), path.parent()) {
        (Some(name), Some(parent)) if parent.as_os_str().is_empty() => (PathBuf::from("."), PathBuf::from(name)),
        (Some(name), Some(parent)) => (parent.to_owned(), PathBuf::from(name)),
        _ => (path.to_owned(), PathBuf::new()),
    }
}
