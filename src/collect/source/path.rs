//! A file or a directory that was named.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::FileType;

use super::beneath::Root;
use super::walk::{Walk, Wanted, split};
use super::{Found, Start, deny, name};
use crate::collect::{CollectError, CollectOptions};

/// A path that is there.
pub(super) struct NamedPath {
    root: Arc<Root>,
    /// Beneath the root; empty when the root itself is meant.
    path: PathBuf,
    /// What the root is called in the snapshot.
    prefix: Vec<u8>,
    is_directory: bool,
}

/// Checks that the path names a file or a directory which may leave this computer.
pub(super) fn check(path: &Path) -> Result<NamedPath, CollectError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => CollectError::NotFound(path.to_owned()),
        _ => CollectError::Read { path: path.to_owned(), source },
    };
    // Without a slash at its end, so that a link is seen as one.
    let plain: PathBuf = path.components().collect();
    let stat = rustix::fs::lstat(&plain).map_err(|errno| failed(errno.into()))?;
    let is_directory = match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => true,
        FileType::RegularFile => false,
        FileType::Symlink => {
            let target = std::fs::read_link(&plain).map_err(failed)?;
            return Err(CollectError::Link { path: path.to_owned(), target });
        }
        _ => return Err(CollectError::NotAFile(path.to_owned())),
    };
    // The last name is looked up beneath the directory it lies in, so that a link which takes its place leads nowhere.
    let (above, beneath) = split(&plain);
    let real = above.canonicalize().map_err(failed)?.join(&beneath);
    if deny::directory(&real) || deny::name(beneath.as_os_str().as_encoded_bytes()) {
        return Err(CollectError::Forbidden(path.to_owned()));
    }
    let root = Arc::new(Root::new(&above).map_err(failed)?);
    Ok(NamedPath { root, path: beneath, prefix: name::archived(&above), is_directory })
}

impl Start for NamedPath {
    fn find(self: Box<Self>, _: Option<&mut CollectOptions<'_>>, found: &mut Found<'_>) -> Result<(), CollectError> {
        let mut walk = Walk::new(self.root, self.prefix, found)?;
        if self.is_directory { walk.directory(&self.path, &mut |_| Wanted::Yes) } else { walk.file(&self.path) }
    }
}
