//! Secrets out of files that are their owner's alone.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::error::TicketSystemsError;
use crate::secret::Secret;

/// The longest secret in bytes.
const LIMIT: usize = 64 << 10;

/// Reads a secret: the file's text without the white space around it. A file that group or others can read is refused.
pub(super) fn read(path: &Path) -> Result<Secret<String>, TicketSystemsError> {
    let unusable = |what: String| TicketSystemsError::Secret(path.to_owned(), what);
    let file = File::open(path).map_err(|fault| unusable(fault.to_string()))?;
    let metadata = file.metadata().map_err(|fault| unusable(fault.to_string()))?;
    if !metadata.is_file() {
        return Err(unusable(String::from("it is no file")));
    }
    if metadata.mode() & 0o077 != 0 {
        return Err(unusable(String::from("others can read it; chmod 600 it")));
    }
    let mut text = Secret::new(String::with_capacity(LIMIT + 1));
    file.take(LIMIT as u64 + 1).read_to_string(text.expose_mut()).map_err(|fault| unusable(fault.to_string()))?;
    let trimmed = Secret::new(text.expose().trim().to_owned());
    match trimmed.expose().len() {
        0 => Err(unusable(String::from("it is empty"))),
        length if length > LIMIT || text.expose().len() > LIMIT => Err(unusable(String::from("it is too long"))),
        _ => Ok(trimmed),
    }
}
