//! The state file of one upload: what `resume` needs after a kill or a reboot.
//!
//! It is written to a sibling, flushed to the disk and renamed, so at any instant it is there whole or not at all. It is
//! readable by its owner only: until the portal has said "stored" it holds the share, so that an upload which the portal
//! forgot half-way (it keeps unfinished ones for some days only) can be announced again. From "stored" on the share is out
//! of it. How far the upload is does not stand in it: the portal is asked.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::ids::{FileId, TicketId};
use crate::send::address::{PortalAddress, UploadUrl};
use crate::send::error::SendError;
use crate::wire::{NewShare, NewSnapshot};

/// The version of the state file that is written and read.
const VERSION: u32 = 1;
/// What the name of a state file ends with.
const ENDING: &str = ".upload.json";
/// The longest state file that is read, in bytes.
const LIMIT: usize = 64 * 1024;

/// One upload that is under way, and the file that remembers it.
pub struct Checkpoint {
    path: PathBuf,
    state: State,
    /// Loaded from disk: the sealed file may have changed in between.
    resumed: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    version: u32,
    portal: PortalAddress,
    ticket: TicketId,
    file: PathBuf,
    file_id: FileId,
    size: u64,
    sha256: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    share: Option<NewShare>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    upload: Option<String>,
    #[serde(default)]
    stored: bool,
}

impl Checkpoint {
    /// Where the state file of a snapshot's upload stands in `directory`.
    #[must_use]
    pub fn path_in(directory: &Path, snapshot: &FileId) -> PathBuf {
        directory.join(format!("{snapshot}{ENDING}"))
    }

    /// The state files in `directory`, sorted by name; none when there is no such directory.
    pub fn all_in(directory: &Path) -> Result<Vec<PathBuf>, SendError> {
        let local = |source| SendError::Local { path: directory.to_owned(), source };
        let entries = match fs::read_dir(directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(local)?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(local)?;
            if entry.file_name().to_str().is_some_and(|name| name.ends_with(ENDING)) {
                found.push(entry.path());
            }
        }
        found.sort();
        Ok(found)
    }

    /// Begins an upload of the sealed file `file`, which becomes `snapshot` at the portal, and writes the state file `path`.
    ///
    /// The directory of `path` must be there. A state file already there is an error: two uploads would share it.
    pub fn create(
        path: &Path,
        portal: &PortalAddress,
        ticket: &TicketId,
        file: &Path,
        snapshot: NewSnapshot,
    ) -> Result<Self, SendError> {
        let file = std::path::absolute(file).map_err(|source| SendError::Local { path: file.to_owned(), source })?;
        if fs::symlink_metadata(path).is_ok() {
            return Err(unusable(path, "it is there already; `resume` goes on with it"));
        }
        let state = State {
            version: VERSION,
            portal: portal.clone(),
            ticket: ticket.clone(),
            file,
            file_id: snapshot.file_id,
            size: snapshot.size,
            sha256: snapshot.sha256,
            share: snapshot.share,
            upload: None,
            stored: false,
        };
        check(&state).map_err(|what| unusable(path, what))?;
        let checkpoint = Self { path: path.to_owned(), state, resumed: false };
        checkpoint.save()?;
        Ok(checkpoint)
    }

    /// Reads a state file back.
    ///
    /// [`SendError::Checkpoint`] when it is not one, or when group or others can read it.
    pub fn load(path: &Path) -> Result<Self, SendError> {
        let local = |source| SendError::Local { path: path.to_owned(), source };
        let file = File::open(path).map_err(local)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = file.metadata().map_err(local)?.permissions().mode();
            if mode & 0o077 != 0 {
                return Err(unusable(path, "others can read it (chmod 600 makes it private)"));
            }
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(LIMIT + 2));
        file.take(LIMIT as u64 + 1).read_to_end(&mut bytes).map_err(local)?;
        if bytes.len() > LIMIT {
            return Err(unusable(path, "it is too long"));
        }
        // The text of a JSON error may repeat a value, and one of the values is secret.
        let state: State = serde_json::from_slice(&bytes)
            .map_err(|error| unusable(path, &format!("line {} is wrong", error.line())))?;
        check(&state).map_err(|what| unusable(path, what))?;
        Ok(Self { path: path.to_owned(), state, resumed: true })
    }

    /// Where the state file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the upload goes.
    #[must_use]
    pub fn portal(&self) -> &PortalAddress {
        &self.state.portal
    }

    /// The ticket it belongs to.
    #[must_use]
    pub fn ticket(&self) -> &TicketId {
        &self.state.ticket
    }

    /// The sealed file, as an absolute path.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.state.file
    }

    /// The file id, by which the portal knows the snapshot.
    #[must_use]
    pub fn file_id(&self) -> &FileId {
        &self.state.file_id
    }

    /// Length of the sealed file in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.state.size
    }

    /// SHA-256 of the sealed file in hexadecimal.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.state.sha256
    }

    /// True when the portal has said "stored"; the share is out of the file by then.
    #[must_use]
    pub fn is_stored(&self) -> bool {
        self.state.stored
    }

    /// Removes the state file: the caller has recorded the end elsewhere.
    pub fn remove(self) -> Result<(), SendError> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.local(error)),
            _ => sync_directory(&self.path).map_err(|source| self.local(source)),
        }
    }

    pub(crate) fn upload_url(&self) -> Option<UploadUrl> {
        let text = self.state.upload.as_deref()?;
        UploadUrl::parse(&self.state.portal, text).ok()
    }

    pub(crate) fn announcement(&self) -> NewSnapshot {
        NewSnapshot {
            file_id: self.state.file_id,
            size: self.state.size,
            sha256: self.state.sha256.clone(),
            share: self.state.share.clone(),
        }
    }

    /// Opens the sealed file. One that has changed since it was sealed is refused: its size is compared always, its bytes
    /// when time has passed since.
    pub(crate) fn open_file(&self) -> Result<File, SendError> {
        let local = |source| SendError::Local { path: self.state.file.clone(), source };
        let file = File::open(&self.state.file).map_err(local)?;
        let found = file.metadata().map_err(local)?;
        if !found.is_file() || found.len() != self.state.size || (self.resumed && self.has_changed()?) {
            return Err(SendError::FileChanged(self.state.file.clone()));
        }
        Ok(file)
    }

    /// True when the sealed file no longer has the SHA-256 it was announced with.
    pub(crate) fn has_changed(&self) -> Result<bool, SendError> {
        let local = |source| SendError::Local { path: self.state.file.clone(), source };
        let mut file = File::open(&self.state.file).map_err(local)?;
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; 1024 * 1024];
        loop {
            let length = file.read(&mut buffer).map_err(local)?;
            if length == 0 {
                return Ok(hex::encode(hasher.finalize()) != self.state.sha256);
            }
            hasher.update(&buffer[..length]);
        }
    }

    pub(crate) fn uploading_to(&mut self, upload: &UploadUrl) -> Result<(), SendError> {
        if self.state.upload.as_deref() == Some(upload.as_str()) {
            return Ok(());
        }
        self.state.upload = Some(upload.as_str().to_owned());
        self.save()
    }

    pub(crate) fn stored(&mut self) -> Result<(), SendError> {
        self.state.share = None;
        self.state.stored = true;
        self.state.upload = None;
        self.save()
    }

    fn save(&self) -> Result<(), SendError> {
        // Long enough from the beginning: growing would leave pieces of the share behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(16 << 10));
        serde_json::to_writer(&mut *bytes, &self.state).expect("plain data becomes JSON");
        write_private(&self.path, &bytes).map_err(|source| self.local(source))
    }

    fn local(&self, source: io::Error) -> SendError {
        SendError::Local { path: self.path.clone(), source }
    }
}

impl std::fmt::Debug for Checkpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Checkpoint")
            .field("path", &self.path)
            .field("portal", &self.state.portal)
            .field("ticket", &self.state.ticket)
            .field("file_id", &self.state.file_id)
            .field("stored", &self.state.stored)
            .finish_non_exhaustive()
    }
}

fn check(state: &State) -> Result<(), &'static str> {
    let digest = &state.sha256;
    if state.version != VERSION {
        return Err("another version of this program wrote it");
    }
    if digest.len() != 64 || !digest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return Err("its digest is not a SHA-256 in hexadecimal");
    }
    if state.size == 0 {
        return Err("a sealed file is never empty");
    }
    if state.upload.as_deref().is_some_and(|upload| UploadUrl::parse(&state.portal, upload).is_err()) {
        return Err("the upload's address is not at the portal");
    }
    Ok(())
}

fn unusable(path: &Path, what: &str) -> SendError {
    SendError::Checkpoint { path: path.to_owned(), what: what.to_owned() }
}

/// Writes `bytes` to `path` so that a reader at any instant, also after a power cut, finds the old or the new file whole.
fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let sibling = path.with_file_name(name);
    // What an earlier, killed run left; never an open file of a living one: the ticket's lock is held.
    match fs::remove_file(&sibling) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&sibling).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        drop(file);
        fs::rename(&sibling, path)
    });
    if written.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_file(&sibling);
    }
    written?;
    sync_directory(path)
}

fn sync_directory(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(parent)?.sync_all()?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

#[cfg(test)]
mod tests;
