//! Small files in a directory: written before anything is recorded of them, so that one transaction records all there is to say.
//!
//! A file is written under `blobs/arriving/ID.TENANT`, and the same file then gets its real name as a second one. When it is recorded the
//! first name goes. So a portal that went down in between finds, by the names that are left, the files of which no row tells.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::directory::{Directory, gone, make_shelf, parent, sync_directory};
use crate::ids::{FileId, TenantId};

/// The directory of the first names. No tenant can be called so.
pub(crate) const ARRIVING: &str = "+arriving";

impl Directory {
    /// Writes a file under both names and makes it and them durable.
    pub(super) fn put(&self, tenant: &TenantId, id: &FileId, bytes: &[u8]) -> io::Result<()> {
        let (arriving, whole) = (self.arriving(tenant, id), self.path(tenant, id));
        make_shelf(&whole)?;
        let begin = || OpenOptions::new().write(true).create_new(true).mode(0o600).open(&arriving);
        let mut file = clearing(&arriving, begin)?;
        let written = file
            .write_all(bytes)
            .and_then(|()| clearing(&whole, || fs::hard_link(&arriving, &whole)))
            .and_then(|()| file.sync_all())
            .and_then(|()| sync_directory(parent(&whole)));
        if written.is_err() {
            // The disk may be full: what was written must not stay.
            drop(self.withdraw(tenant, id));
        }
        written
    }

    /// Removes the first name: the file is recorded.
    pub(super) fn settle(&self, tenant: &TenantId, id: &FileId) -> io::Result<()> {
        gone(fs::remove_file(self.arriving(tenant, id))).map(drop)
    }

    /// Removes a file with both its names. The real name stays when it is another file's.
    pub(super) fn withdraw(&self, tenant: &TenantId, id: &FileId) -> io::Result<()> {
        let (arriving, whole) = (self.arriving(tenant, id), self.path(tenant, id));
        let inode = |path| fs::symlink_metadata(path).map(|known| known.ino()).ok();
        if inode(&whole).is_some_and(|whole| inode(&arriving) == Some(whole)) && gone(fs::remove_file(&whole))? {
            sync_directory(parent(&whole))?;
        }
        gone(fs::remove_file(&arriving)).map(drop)
    }

    /// The files whose first name is still there. Other names are passed over.
    pub(super) fn arrived(&self) -> io::Result<Vec<(TenantId, FileId)>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(self.root().join(ARRIVING))? {
            let name = entry?.file_name();
            let parts = name.to_str().and_then(|name| name.split_once('.'));
            if let Some((Ok(id), Ok(tenant))) = parts.map(|(id, tenant)| (id.parse(), tenant.parse())) {
                found.push((tenant, id));
            }
        }
        Ok(found)
    }

    pub(super) fn arriving(&self, tenant: &TenantId, id: &FileId) -> PathBuf {
        self.root().join(ARRIVING).join(format!("{id}.{tenant}"))
    }
}

/// Makes a new name. What has it already is of an upload that came to nothing; it is not written over, since the file may have
/// another name.
fn clearing<T>(path: &Path, make: impl Fn() -> io::Result<T>) -> io::Result<T> {
    match make() {
        Err(fault) if fault.kind() == ErrorKind::AlreadyExists => {
            gone(fs::remove_file(path))?;
            make()
        }
        made => made,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> (tempfile::TempDir, Directory, TenantId, FileId) {
        let place = tempfile::tempdir().unwrap();
        let directory = Directory::open(place.path(), 0).unwrap();
        (place, directory, "acme.example".parse().unwrap(), FileId([7; 16]))
    }

    #[test]
    fn a_small_file_is_found_until_it_is_recorded() {
        let (_place, directory, tenant, id) = place();
        directory.put(&tenant, &id, b"sealed").unwrap();
        assert_eq!(directory.whole(&tenant, &id).unwrap(), Some(6));
        assert_eq!(directory.arrived().unwrap(), [(tenant.clone(), id)]);
        directory.settle(&tenant, &id).unwrap();
        assert_eq!(directory.arrived().unwrap(), []);
        assert_eq!(fs::read(directory.path(&tenant, &id)).unwrap(), b"sealed");
        directory.settle(&tenant, &id).unwrap();
        directory.remove(&tenant, &id).unwrap();
        assert!(directory.is_absent(&tenant, &id).unwrap());
    }

    #[test]
    fn a_small_file_that_is_not_recorded_goes_with_both_names() {
        let (_place, directory, tenant, id) = place();
        directory.put(&tenant, &id, b"sealed").unwrap();
        assert!(!directory.is_absent(&tenant, &id).unwrap());
        directory.withdraw(&tenant, &id).unwrap();
        assert!(directory.is_absent(&tenant, &id).unwrap());

        // A deletion takes the first name along when that was left.
        directory.put(&tenant, &id, b"sealed").unwrap();
        fs::remove_file(directory.path(&tenant, &id)).unwrap();
        assert!(!directory.is_absent(&tenant, &id).unwrap());
        directory.remove(&tenant, &id).unwrap();
        assert!(directory.is_absent(&tenant, &id).unwrap());
    }

    #[test]
    fn what_another_upload_made_of_the_name_is_neither_written_over_nor_withdrawn() {
        let (_place, directory, tenant, id) = place();
        directory.put(&tenant, &id, b"first").unwrap();
        let (kept, whole) = (directory.root().join("kept"), directory.path(&tenant, &id));
        fs::rename(&whole, &kept).unwrap();
        directory.put(&tenant, &id, b"second").unwrap();
        assert_eq!(fs::read(&kept).unwrap(), b"first");
        fs::remove_file(&whole).unwrap();
        fs::write(&whole, b"another").unwrap();
        directory.withdraw(&tenant, &id).unwrap();
        assert_eq!(fs::read(&whole).unwrap(), b"another");
    }
}
