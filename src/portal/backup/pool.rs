//! The sealed files of all backups in one place: each lies there once, however many backups know of it.
//!
//! They lie as in a portal's own directory, `blobs/TENANT/ab/abcdef….tarseal`. What is deleted goes from here as well, so no
//! backup can bring it back.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::files::copy;
use crate::ids::{FileId, TenantId};
use crate::portal::blobs::{make_directory, sync_directory};

/// The directory of the sealed files, beneath a data directory and in a place of backups.
const DIRECTORY: &str = "blobs";

/// What became of a file that belongs into the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It lay there already.
    Known,
    /// It was copied, or linked where both lie on one disk.
    New,
    /// There is no such file, or not with this length.
    Missing,
}

/// The path of a sealed file beneath a data directory or a place of backups.
pub(super) fn path_of(root: &Path, tenant: &TenantId, id: &FileId) -> PathBuf {
    let name = id.to_string();
    root.join(DIRECTORY).join(tenant.as_str()).join(&name[..2]).join(format!("{name}.tarseal"))
}

/// Takes a sealed file of `size` bytes from a data directory into a pool.
pub(super) fn take(data: &Path, pool: &Path, tenant: &TenantId, id: &FileId, size: u64) -> io::Result<Taken> {
    let (from, to) = (path_of(data, tenant, id), path_of(pool, tenant, id));
    if length(&to)? == Some(size) {
        return Ok(Taken::Known);
    }
    if length(&from)? != Some(size) {
        return Ok(Taken::Missing);
    }
    let directory = make_parents(pool, &to)?;
    let draft = to.with_extension("draft");
    for leftover in [&draft, &to] {
        remove(leftover)?;
    }
    if fs::hard_link(&from, &draft).is_err() {
        match copy(&from, &draft) {
            Ok(copied) if copied.size == size => {}
            Ok(_) => return Ok(Taken::Missing),
            // Its deletion began in the meantime.
            Err(fault) if fault.kind() == ErrorKind::NotFound => return Ok(Taken::Missing),
            Err(fault) => return Err(fault),
        }
    }
    fs::rename(&draft, &to)?;
    sync_directory(&directory)?;
    Ok(Taken::New)
}

/// Puts a sealed file back from a pool into a data directory, as a copy of its own; false when the pool does not have it with
/// this digest.
pub(super) fn put_back(
    pool: &Path,
    data: &Path,
    (tenant, id): (&TenantId, &FileId),
    (size, sha256): (u64, &str),
) -> io::Result<bool> {
    let (from, to) = (path_of(pool, tenant, id), path_of(data, tenant, id));
    if length(&from)? != Some(size) {
        return Ok(false);
    }
    make_parents(data, &to)?;
    let copied = copy(&from, &to)?;
    if copied.sha256 == sha256 {
        return Ok(true);
    }
    fs::remove_file(&to)?;
    Ok(false)
}

/// Removes a file from a pool; true when there was one.
pub(super) fn discard(pool: &Path, tenant: &TenantId, id: &FileId) -> io::Result<bool> {
    let path = path_of(pool, tenant, id);
    let there = remove(&path)?;
    if there && let Some(directory) = path.parent() {
        sync_directory(directory)?;
    }
    Ok(there)
}

fn length(path: &Path) -> io::Result<Option<u64>> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(metadata.is_file().then_some(metadata.len())),
        Err(fault) if fault.kind() == ErrorKind::NotFound => Ok(None),
        Err(fault) => Err(fault),
    }
}

fn remove(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(fault) if fault.kind() == ErrorKind::NotFound => Ok(false),
        Err(fault) => Err(fault),
    }
}

/// Makes the directories between `root` and a file, and returns the last of them.
fn make_parents(root: &Path, file: &Path) -> io::Result<PathBuf> {
    let directory = file.parent().unwrap_or(root).to_owned();
    if !directory.is_dir() {
        let between: Vec<&Path> = directory.ancestors().take_while(|above| *above != root).collect();
        for above in between.into_iter().rev() {
            make_directory(above)?;
        }
    }
    Ok(directory)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const SHA256: &str = "5eb6bb75e3a4ceb3d3bdc4e9a5b4cf1d9e1a0c1fd2a2d4aa8a4d4fcf8b1a0c11";

    fn one() -> (tempfile::TempDir, TenantId, FileId) {
        let home = tempfile::tempdir().unwrap();
        let (tenant, id) = ("acme".parse().unwrap(), FileId([7; 16]));
        let file = path_of(&home.path().join("data"), &tenant, &id);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::create_dir(home.path().join("pool")).unwrap();
        fs::create_dir(home.path().join("again")).unwrap();
        fs::write(&file, b"sealed").unwrap();
        (home, tenant, id)
    }

    #[test]
    fn a_file_is_taken_once_and_comes_back_with_its_digest_alone() {
        let (home, tenant, id) = one();
        let [data, pool, again] = ["data", "pool", "again"].map(|name| home.path().join(name));
        assert_eq!(take(&data, &pool, &tenant, &id, 7).unwrap(), Taken::Missing, "its length is another");
        assert_eq!(take(&data, &pool, &tenant, &id, 6).unwrap(), Taken::New);
        assert_eq!(take(&data, &pool, &tenant, &id, 6).unwrap(), Taken::Known);
        fs::remove_file(path_of(&data, &tenant, &id)).unwrap();
        assert!(!put_back(&pool, &again, (&tenant, &id), (6, SHA256)).unwrap(), "another digest");
        assert!(!path_of(&again, &tenant, &id).exists());
        let digest = super::super::files::digest(&path_of(&pool, &tenant, &id)).unwrap().sha256;
        assert!(put_back(&pool, &again, (&tenant, &id), (6, &digest)).unwrap());
        let mode = fs::metadata(path_of(&again, &tenant, &id)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(discard(&pool, &tenant, &id).unwrap());
        assert!(!discard(&pool, &tenant, &id).unwrap());
        assert!(path_of(&again, &tenant, &id).exists(), "what was put back is a copy of its own");
    }
}
