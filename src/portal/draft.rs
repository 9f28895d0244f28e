//! Small files beneath the data directory that are whole or not there: keys, and what is remembered beside the database. They are
//! the owner's alone, and written durably before they have their names. What fails leaves nothing.

use std::io::{self, Write as _};
use std::path::Path;

use tempfile::NamedTempFile;

use super::blobs::sync_directory;

/// Writes a file that is not there yet. [`io::ErrorKind::AlreadyExists`] when another was quicker: its file stays.
pub(crate) fn write_first(data: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    draft(data, name, bytes)?.persist_noclobber(data.join(name))?;
    sync_directory(data)
}

/// Writes a file, in the place of the one that may be there.
pub(crate) fn write(data: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    draft(data, name, bytes)?.persist(data.join(name))?;
    sync_directory(data)
}

fn draft(data: &Path, name: &str, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let mut file = tempfile::Builder::new().prefix(&format!("{name}.")).tempfile_in(data)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn names(data: &Path) -> Vec<String> {
        let entries = fs::read_dir(data).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn the_first_one_stays_and_nothing_else_is_left() {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path();
        write_first(data, "key", b"one\n").unwrap();
        assert_eq!(write_first(data, "key", b"two\n").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(data.join("key")).unwrap(), b"one\n");
        assert_eq!(names(data), ["key"]);
        assert_eq!(fs::metadata(data.join("key")).unwrap().permissions().mode() & 0o777, 0o600);
        write(data, "key", b"three\n").unwrap();
        assert_eq!((fs::read(data.join("key")).unwrap(), names(data)), (b"three\n".to_vec(), vec!["key".to_owned()]));
    }

    #[test]
    fn what_cannot_get_its_name_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("key")).unwrap();
        assert!(write(directory.path(), "key", b"one\n").is_err());
        assert_eq!(names(directory.path()), ["key"]);
    }
}
