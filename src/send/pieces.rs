//! Reads the sealed file piece by piece, one piece ahead of the network.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use sha2::{Digest, Sha256};

use crate::send::transport::Piece;

/// A thread that reads and hashes; it ends when this is dropped.
pub(crate) struct PieceReader {
    wanted: SyncSender<(u64, u64)>,
    read: Receiver<io::Result<Piece>>,
    ahead: Option<(u64, u64)>,
}

impl PieceReader {
    /// Reads from `file`, whatever its position.
    pub(crate) fn new(mut file: File) -> Self {
        let (wanted, requests) = sync_channel::<(u64, u64)>(1);
        let (done, read) = sync_channel(1);
        thread::spawn(move || {
            for (offset, length) in requests {
                if done.send(read_piece(&mut file, offset, length)).is_err() {
                    break;
                }
            }
        });
        Self { wanted, read, ahead: None }
    }

    /// Gives the `length` bytes at `offset`, at once when just they were read ahead.
    pub(crate) fn take(&mut self, offset: u64, length: u64) -> io::Result<Piece> {
        if let Some(ahead) = self.ahead.take() {
            let piece = self.receive();
            if ahead == (offset, length) {
                return piece;
            }
        }
        self.ask(offset, length)?;
        self.receive()
    }

    /// Begins to read the piece that is likely wanted next.
    pub(crate) fn read_ahead(&mut self, offset: u64, length: u64) -> io::Result<()> {
        if self.ahead.is_none() {
            self.ask(offset, length)?;
            self.ahead = Some((offset, length));
        }
        Ok(())
    }

    fn ask(&self, offset: u64, length: u64) -> io::Result<()> {
        self.wanted.send((offset, length)).map_err(|_| ended())
    }

    fn receive(&self) -> io::Result<Piece> {
        self.read.recv().map_err(|_| ended())?
    }
}

fn read_piece(file: &mut File, offset: u64, length: u64) -> io::Result<Piece> {
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = vec![0; usize::try_from(length).map_err(|_| io::ErrorKind::OutOfMemory)?];
    file.read_exact(&mut bytes)?;
    let sha256 = Sha256::digest(&bytes).into();
    Ok(Piece { offset, bytes, sha256 })
}

fn ended() -> io::Error {
    io::Error::other("the reading thread has ended")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    #[test]
    fn pieces_are_the_files_bytes_whatever_was_read_ahead() {
        let bytes: Vec<u8> = (0..100u8).collect();
        let mut reader = PieceReader::new(file(&bytes));
        let first = reader.take(0, 10).unwrap();
        assert_eq!((first.offset, first.bytes.as_slice()), (0, &bytes[..10]));
        assert_eq!(first.sha256, <[u8; 32]>::from(Sha256::digest(&bytes[..10])));
        reader.read_ahead(10, 20).unwrap();
        assert_eq!(reader.take(10, 20).unwrap().bytes, &bytes[10..30]);
        reader.read_ahead(30, 20).unwrap();
        assert_eq!(reader.take(5, 20).unwrap().bytes, &bytes[5..25], "another offset than guessed");
        reader.read_ahead(30, 20).unwrap();
        assert_eq!(reader.take(30, 7).unwrap().bytes, &bytes[30..37], "less than guessed");
        reader.read_ahead(30, 20).unwrap();
        assert_eq!(reader.take(30, 40).unwrap().bytes, &bytes[30..70], "more than guessed");
    }

    #[test]
    fn a_file_that_has_become_shorter_is_an_error_and_not_the_end() {
        let mut reader = PieceReader::new(file(&[0; 10]));
        assert_eq!(reader.take(5, 10).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        reader.read_ahead(8, 10).unwrap();
        assert!(reader.take(8, 10).is_err());
        assert_eq!(reader.take(0, 10).unwrap().bytes.len(), 10, "the reader goes on");
    }
}
