//! Where a copy lies: in memory, or on a disk that may be away for a while.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use crate::cli::Desk;
use crate::cli::exit::{Exit, Failure};

/// A directory of the user's own that lies in memory and goes when they log out, with `name` at its end.
pub fn in_memory(name: &str, desk: &Desk<'_>) -> Result<PathBuf, Failure> {
    let Some(directory) = desk.world.path_variable("XDG_RUNTIME_DIR") else {
        return Err(nowhere("This computer names no directory in memory (XDG_RUNTIME_DIR is not set)."));
    };
    if !is_memory(&directory).map_err(|error| Failure::local(directory.display(), &error))? {
        return Err(nowhere(&format!("{} does not lie in memory.", directory.display())));
    }
    let own = directory.join("tarseal");
    match fs::DirBuilder::new().mode(0o700).create(&own) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(Failure::local(own.display(), &error)),
        _ => Ok(own.join(name)),
    }
}

fn nowhere(what: &str) -> Failure {
    Failure::new(Exit::Local, what).left("Nothing was opened.").next("Open it on the disk, and wipe it after:  -o DIR")
}

#[cfg(target_os = "linux")]
fn is_memory(directory: &Path) -> io::Result<bool> {
    /// `TMPFS_MAGIC` of linux/magic.h.
    const TMPFS: rustix::fs::FsWord = 0x0102_1994;
    Ok(rustix::fs::statfs(directory)?.f_type == TMPFS)
}

#[cfg(not(target_os = "linux"))]
fn is_memory(_: &Path) -> io::Result<bool> {
    Ok(false)
}

/// The root of the file system that a directory lies on; `None` for memory, which does not come back.
pub fn disk_of(directory: &Path) -> io::Result<Option<PathBuf>> {
    if is_memory(directory)? {
        return Ok(None);
    }
    let mut root = directory.canonicalize()?;
    while !is_disk(&root)? {
        root.pop();
    }
    Ok(Some(root))
}

/// Whether a file system begins at a directory: it is `/`, or lies on another device than the directory above it.
pub fn is_disk(directory: &Path) -> io::Result<bool> {
    let Some(above) = directory.parent() else { return Ok(true) };
    Ok(fs::metadata(directory)?.dev() != fs::metadata(above)?.dev())
}

/// A path as the system sees it, without links and `..`; of what is not there, where it would be.
pub fn resolved(path: &Path) -> PathBuf {
    let named = || Some(path.parent()?.canonicalize().ok()?.join(path.file_name()?));
    path.canonicalize().ok().or_else(named).unwrap_or_else(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_known_by_where_it_begins() {
        let dir = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR").to_owned() + "/target").unwrap();
        assert!(is_disk(Path::new("/")).unwrap());
        assert!(!is_disk(dir.path()).unwrap());
        if let Some(disk) = disk_of(dir.path()).unwrap() {
            assert!(is_disk(&disk).unwrap() && dir.path().canonicalize().unwrap().starts_with(disk));
        }
        #[cfg(target_os = "linux")]
        assert_eq!(disk_of(Path::new("/proc/self/fd/..")).unwrap(), Some("/proc".into()));
        if is_memory(Path::new("/dev/shm")).is_ok_and(|memory| memory) {
            assert_eq!(disk_of(Path::new("/dev/shm")).unwrap(), None);
        }
    }

    #[test]
    fn a_path_is_resolved_as_far_as_it_is_there() {
        let dir = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR").to_owned() + "/target").unwrap();
        let real = dir.path().canonicalize().unwrap();
        fs::create_dir(real.join("one")).unwrap();
        std::os::unix::fs::symlink(real.join("one"), real.join("link")).unwrap();
        assert_eq!(resolved(&real.join("one/../link")), real.join("one"));
        assert_eq!(resolved(&real.join("link/../link/gone")), real.join("one/gone"));
        assert_eq!(resolved(Path::new("/gone/../gone/x")), Path::new("/gone/../gone/x"));
    }
}
