//! Removing a copy so that a removal that breaks off can be taken up again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::OWN_DIRECTORY;
use crate::pack::bring_to_disk;

/// What could not be removed, and why.
pub type Left = (PathBuf, io::Error);

/// Removes a directory. Its marker goes when everything else has gone for good, so that what a removal leaves, be it an error or
/// a loss of power that ends it, is still known for the copy it was. One error does not save the rest.
pub fn remove_marked(directory: &Path, marker: &Path) -> Result<(), Left> {
    match remove_within(directory, Some(marker)) {
        Some(left) => return Err(left),
        None => bring_to_disk(directory).map_err(|error| (directory.to_owned(), error))?,
    }
    fs::remove_file(marker).map_err(|error| (marker.to_owned(), error))?;
    let above = marker.parent().into_iter().filter(|above| *above != directory);
    for directory in above.chain([directory]) {
        fs::remove_dir(directory).map_err(|error| (directory.to_owned(), error))?;
    }
    Ok(())
}

/// Removes a directory that has no marker, all of it that can be removed.
pub fn remove_unmarked(directory: &Path) -> Result<(), Left> {
    match remove_within(directory, None) {
        Some(left) => Err(left),
        None => fs::remove_dir(directory).map_err(|error| (directory.to_owned(), error)),
    }
}

/// Removes what is in a directory, but for the file `except` and the directories above it, and gives the first error.
fn remove_within(directory: &Path, except: Option<&Path>) -> Option<Left> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) => return Some((directory.to_owned(), error)),
    };
    let mut first = None;
    for entry in entries {
        let left = match entry {
            Ok(entry) => remove_entry(&entry, except),
            Err(error) => Some((directory.to_owned(), error)),
        };
        first = first.or(left);
    }
    first
}

fn remove_entry(entry: &fs::DirEntry, except: Option<&Path>) -> Option<Left> {
    let path = entry.path();
    let holds = except.is_some_and(|except| except.starts_with(&path));
    let removed = match entry.file_type() {
        Ok(kind) if kind.is_dir() && holds => return remove_within(&path, except),
        Ok(_) if holds => return None,
        // The quick way ends at its first error; then it is done one by one.
        Ok(kind) if kind.is_dir() => match fs::remove_dir_all(&path) {
            Err(_) => return remove_unmarked(&path).err(),
            removed => removed,
        },
        Ok(_) => fs::remove_file(&path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Some((path, error)),
        _ => None,
    }
}

/// Whether nothing is in a directory that was a copy: a removal that broke off at its last step leaves that.
pub fn is_emptied(directory: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let own = entry.file_name() == OWN_DIRECTORY && entry.file_type()?.is_dir();
        if !own || fs::read_dir(entry.path())?.next().is_some() {
            return Ok(false);
        }
    }
    Ok(true)
}
