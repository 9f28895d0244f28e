//! Files and directories that only their owner can read, copied with their digest and synchronised.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::portal::blobs::sync_directory;

/// What was copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Copied {
    pub(super) size: u64,
    pub(super) sha256: String,
}

/// Writes a file that is not there yet, durably.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = new_file(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Copies a file to where none is, durably, and returns its length and digest.
pub(super) fn copy(from: &Path, to: &Path) -> io::Result<Copied> {
    let mut file = new_file(to)?;
    let copied = hash(File::open(from)?, |bytes| file.write_all(bytes))?;
    file.sync_all()?;
    Ok(copied)
}

/// The length and digest of a file.
pub(super) fn digest(path: &Path) -> io::Result<Copied> {
    hash(File::open(path)?, |_| Ok(()))
}

/// Closes a file that another wrote to everyone but its owner, and makes it durable.
pub(super) fn settle(path: &Path) -> io::Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    File::open(path)?.sync_all()
}

/// Makes every name beneath a directory durable, and that of the directory itself.
pub(super) fn sync_tree(directory: &Path) -> io::Result<()> {
    let mut left = vec![directory.to_owned()];
    while let Some(directory) = left.pop() {
        for entry in fs::read_dir(&directory)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                left.push(entry.path());
            }
        }
        sync_directory(&directory)?;
    }
    Ok(())
}

fn new_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

fn hash(mut file: File, mut see: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<Copied> {
    let (mut hash, mut size) = (Sha256::new(), 0);
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(Copied { size, sha256: hex::encode(hash.finalize()) }),
            read => {
                see(&buffer[..read])?;
                hash.update(&buffer[..read]);
                size += read as u64;
            }
        }
    }
}
