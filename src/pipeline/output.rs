//! A file that is there whole or not at all.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use crate::pack::Digest;
use crate::workers::{Promise, Work, Workers};

/// Bytes that are written and digested at a time.
const PIECE: usize = 1 << 20;
/// Pieces that may wait to be written.
const WAITING: usize = 3;
/// Bytes after which the disk is set to work, so that little is left to wait for at the end.
const SYNC_EVERY: u64 = 8 << 20;

/// A new file beside the one it will become (`NAME.partial-…`, 0600), measured and digested as it is written. Dropped
/// before it is [kept](Self::keep), it is removed.
///
/// A file of more than a mebibyte is written and digested on a thread of its own, and brought to the disk on another.
pub(super) struct PartialFile {
    file: NamedTempFile,
    path: PathBuf,
    size: u64,
    piece: Vec<u8>,
    /// Used as long as no thread was given anything.
    own: Writing,
    /// `None` if there can be no thread.
    writing: Option<Workers<Writing>>,
    waiting: VecDeque<Promise<io::Result<Written>>>,
    syncing: Workers<Syncing>,
    sync: Option<Promise<io::Result<()>>>,
    synced: u64,
}

/// Writes pieces in their order, so there is one of it that does all.
struct Writing {
    file: File,
    hasher: Sha256,
    /// Pieces after one that failed would leave a hole.
    failed: bool,
}

struct Written {
    /// The piece, to be used again.
    piece: Vec<u8>,
    /// The digest so far, if there is no more to come.
    digest: Option<Digest>,
}

impl Work for Writing {
    /// A piece, and whether it is the last.
    type Job = (Vec<u8>, bool);
    type Done = io::Result<Written>;

    fn work(&mut self, (piece, last): (Vec<u8>, bool)) -> io::Result<Written> {
        if self.failed {
            return Err(io::Error::other("an earlier write failed"));
        }
        self.failed = true;
        self.file.write_all(&piece)?;
        self.failed = false;
        self.hasher.update(&piece);
        Ok(Written { piece, digest: last.then(|| Digest(self.hasher.finalize_reset().into())) })
    }
}

/// Brings what was written so far to the disk.
struct Syncing(File);

impl Work for Syncing {
    type Job = ();
    type Done = io::Result<()>;

    fn work(&mut self, (): ()) -> io::Result<()> {
        self.0.sync_data()
    }
}

impl PartialFile {
    /// Makes the partial file. `AlreadyExists` when there is something at `path`.
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        if path.symlink_metadata().is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let mut prefix = name.to_owned();
        prefix.push(".partial-");
        let file = tempfile::Builder::new().prefix(&prefix).tempfile_in(parent(path))?;
        let own = Writing { file: file.as_file().try_clone()?, hasher: Sha256::new(), failed: false };
        Ok(Self {
            file,
            path: path.to_owned(),
            size: 0,
            piece: Vec::new(),
            own,
            writing: Some(Workers::new()),
            waiting: VecDeque::new(),
            syncing: Workers::new(),
            sync: None,
            synced: 0,
        })
    }

    /// Brings everything to the disk and gives the file its name, never over another one. Returns size and digest.
    pub(super) fn keep(mut self) -> io::Result<(u64, Digest)> {
        let last = std::mem::take(&mut self.piece);
        let digest = if self.waiting.is_empty() {
            self.own.work((last, true))?.digest
        } else {
            self.pass_on(last, true)?;
            let mut digest = None;
            while let Some(promise) = self.waiting.pop_front() {
                digest = promise.wait()??.digest;
            }
            digest
        };
        if let Some(sync) = self.sync.take() {
            sync.wait()??;
        }
        self.file.as_file().sync_all()?;
        self.file.persist_noclobber(&self.path).map_err(|error| error.error)?;
        File::open(parent(&self.path))?.sync_all()?;
        Ok((self.size, digest.expect("the last piece gives the digest")))
    }

    /// Has a full piece written, on the thread if there is one.
    fn pass_on(&mut self, piece: Vec<u8>, last: bool) -> io::Result<()> {
        let given = match &mut self.writing {
            Some(writing) => writing.give((piece, last), 1, 0, || {
                let file = self.file.as_file().try_clone()?;
                Ok(Writing { file, hasher: Sha256::new(), failed: false })
            }),
            None => Err((piece, last)),
        };
        match given {
            Ok(promise) => self.waiting.push_back(promise),
            Err(job) => {
                // No thread could be started; from here on none is tried.
                self.writing = None;
                self.piece = self.own.work(job)?.piece;
                self.piece.clear();
            }
        }
        Ok(())
    }

    /// Room for the next piece; waits for the first of those on their way if there are too many.
    fn make_room(&mut self) -> io::Result<()> {
        if self.waiting.len() >= WAITING
            && let Some(promise) = self.waiting.pop_front()
        {
            self.piece = promise.wait()??.piece;
            self.piece.clear();
        }
        Ok(())
    }

    /// Sets the disk to work, unless it still is.
    fn sync_early(&mut self) -> io::Result<()> {
        if self.size - self.synced < SYNC_EVERY {
            return Ok(());
        }
        if let Some(sync) = self.sync.take() {
            match sync.poll() {
                Ok(result) => result??,
                Err(sync) => {
                    self.sync = Some(sync);
                    return Ok(());
                }
            }
        }
        self.synced = self.size;
        let file = &self.file;
        // Without a thread for it everything is brought to the disk at the end.
        self.sync = self.syncing.give((), 1, 0, || Ok(Syncing(file.as_file().try_clone()?))).ok();
        Ok(())
    }
}

impl Write for PartialFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(PIECE - self.piece.len());
        self.piece.extend_from_slice(&bytes[..taken]);
        self.size += taken as u64;
        if self.piece.len() == PIECE {
            let piece = std::mem::take(&mut self.piece);
            self.pass_on(piece, false)?;
            self.make_room()?;
            self.sync_early()?;
        }
        Ok(taken)
    }

    /// Does nothing: what was written is in the file when it is [kept](Self::keep), and faults are told there at the latest.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The directory a path lies in.
pub(super) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_is_there_only_when_it_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("out.tarseal");
        let mut file = PartialFile::new(&path).unwrap();
        file.write_all(b"half").unwrap();
        assert!(!path.exists());
        drop(file);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);

        let mut file = PartialFile::new(&path).unwrap();
        file.write_all(b"whole").unwrap();
        assert_eq!(file.keep().unwrap(), (5, Digest::of(b"whole")));
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_appears_meanwhile_is_not_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("out.tarseal");
        let file = PartialFile::new(&path).unwrap();
        fs::write(&path, "other").unwrap();
        assert_eq!(file.keep().unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"other");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        assert!(PartialFile::new(&path).is_err());
    }
}
