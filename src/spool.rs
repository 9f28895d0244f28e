//! Holds bytes until they are needed a second time, without writing them to a disk in clear.
//!
//! Standard input cannot be read twice and a tar header needs a length that is known only at the end: both put their bytes
//! into a [`Spool`]. It lies in memory first; past a limit it moves into an unnamed file, sealed with a key that exists
//! only inside the spool.

use std::borrow::Borrow;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes256Gcm, KeyInit, Nonce};
use rand::rngs::StdRng;
use rand::{CryptoRng, SeedableRng};

use crate::secret::Secret;

/// Bytes sealed at a time in the file.
const CHUNK: usize = 64 * 1024;
/// Most bytes that are taken with one call.
const TAKEN: usize = 4 * CHUNK;
/// A chunk and its tag, as they lie in the file.
const SEALED_CHUNK: u64 = CHUNK as u64 + 16;
/// Bytes that a spool of [`Spools`] keeps in memory before it goes on in a file.
const IN_MEMORY: usize = 4 << 20;
/// The same of a small one.
const LITTLE: usize = CHUNK;
/// Most bytes of a spool that has no file to go on in.
const WITHOUT_FILE: usize = 64 << 20;

/// Bytes that were written once and can be read any number of times.
///
/// What lies in the file is AES-256-GCM in chunks of 64 KiB; the nonce is a counter that never goes back, also not over
/// [`clear`](Self::clear), so no (key, nonce) pair is used twice. The file has no name: it is gone when the process ends,
/// however it ends, and unreadable without the key in memory.
pub struct Spool {
    memory_limit: usize,
    /// Where its file goes; `None` if it may have none.
    directory: Option<PathBuf>,
    key: Secret<[u8; 32]>,
    /// What is not in the file: all of it at first, later the chunk that is not full yet.
    memory: Vec<u8>,
    file: Option<File>,
    /// The number the file's first chunk is sealed under.
    first: u64,
    /// Full chunks in the file.
    chunks: u64,
}

impl Spool {
    /// Makes an empty spool that keeps up to `memory_limit` bytes in memory and puts its file, if it comes to that, into
    /// `directory`.
    pub fn new(directory: &Path, memory_limit: usize, rng: &mut dyn CryptoRng) -> Self {
        let mut key = Secret::new([0; 32]);
        rng.fill_bytes(key.expose_mut());
        let directory = Some(directory.to_owned());
        Self { memory_limit, directory, key, memory: Vec::new(), file: None, first: 0, chunks: 0 }
    }

    /// Makes an empty spool that never gets a file: writing more than `memory_limit` bytes fails with
    /// [`io::ErrorKind::FileTooLarge`].
    fn without_file(memory_limit: usize) -> Self {
        // Nothing is ever sealed with this key.
        let key = Secret::new([0; 32]);
        Self { memory_limit, directory: None, key, memory: Vec::new(), file: None, first: 0, chunks: 0 }
    }

    /// How many bytes it holds.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.chunks * CHUNK as u64 + self.memory.len() as u64
    }

    /// Forgets the bytes; the spool is as new. The file is given back.
    pub fn clear(&mut self) {
        self.memory.clear();
        self.file = None;
        self.first += self.chunks;
        self.chunks = 0;
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new_from_slice(self.key.expose()).expect("AES-256 takes 32 bytes")
    }

    /// Moves full chunks from memory into the file.
    fn spill(&mut self) -> io::Result<()> {
        let cipher = self.cipher();
        let Some(directory) = &self.directory else { return Err(io::ErrorKind::FileTooLarge.into()) };
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile_in(directory)?),
        };
        let mut sealed = Vec::with_capacity(CHUNK + 16);
        let full = self.memory.len() / CHUNK;
        for (chunk, number) in self.memory.chunks_exact(CHUNK).zip(self.chunks..) {
            sealed.clear();
            sealed.extend_from_slice(chunk);
            cipher
                .encrypt_in_place(&nonce(self.first + number), b"", &mut sealed)
                .map_err(|_| io::Error::other("the spool could not be sealed"))?;
            file.write_all_at(&sealed, number * SEALED_CHUNK)?;
        }
        self.memory.drain(..full * CHUNK);
        self.memory.shrink_to(CHUNK);
        self.chunks += full as u64;
        Ok(())
    }

    /// Reads chunk `number` of the file into `chunk`.
    fn load(&self, number: u64, chunk: &mut Vec<u8>) -> io::Result<()> {
        let file = self.file.as_ref().expect("chunks are counted only when they are in the file");
        chunk.resize(CHUNK + 16, 0);
        file.read_exact_at(chunk, number * SEALED_CHUNK)?;
        self.cipher()
            .decrypt_in_place(&nonce(self.first + number), b"", chunk)
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "the spool was changed by someone else"))
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let limit = if self.file.is_some() { CHUNK } else { self.memory_limit };
        if self.memory.len() >= limit.max(CHUNK) {
            self.spill()?;
        }
        let taken = bytes.len().min(TAKEN);
        let wanted = self.memory.len() + taken;
        if wanted > self.memory.capacity() {
            // Growing by doubling would end at twice the limit.
            let room = (2 * self.memory.capacity()).clamp(wanted, limit.max(CHUNK) + TAKEN);
            self.memory.reserve_exact(room - self.memory.len());
        }
        self.memory.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl std::fmt::Debug for Spool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spool").field("length", &self.length()).finish_non_exhaustive()
    }
}

/// Makes spools for one piece of work, all in one place. Clones share the place.
#[derive(Clone)]
pub struct Spools(Option<Arc<Place>>);

struct Place {
    directory: PathBuf,
    /// Gives each spool its own key.
    rng: Mutex<StdRng>,
}

impl Spools {
    /// Makes spools that go on in `directory` when they hold more than a few MiB.
    #[must_use]
    pub fn new(directory: &Path, rng: &mut dyn CryptoRng) -> Self {
        let mut seed = Secret::new([0; 32]);
        rng.fill_bytes(seed.expose_mut());
        let rng = Mutex::new(StdRng::from_seed(*seed.expose()));
        Self(Some(Arc::new(Place { directory: directory.to_owned(), rng })))
    }

    /// Makes spools that stay in memory. One that would hold more than 64 MiB fails with
    /// [`io::ErrorKind::FileTooLarge`].
    #[must_use]
    pub const fn in_memory() -> Self {
        Self(None)
    }

    /// A new, empty spool.
    #[must_use]
    pub fn spool(&self) -> Spool {
        self.keeping(IN_MEMORY)
    }

    /// A new, empty spool that goes on in its file soon: for many at a time.
    #[must_use]
    pub fn small(&self) -> Spool {
        self.keeping(LITTLE)
    }

    fn keeping(&self, in_memory: usize) -> Spool {
        match &self.0 {
            None => Spool::without_file(WITHOUT_FILE),
            Some(place) => {
                let mut rng = place.rng.lock().unwrap_or_else(PoisonError::into_inner);
                Spool::new(&place.directory, in_memory, &mut *rng)
            }
        }
    }
}

impl std::fmt::Debug for Spools {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Spools").field(&self.0.as_ref().map(|place| &place.directory)).finish()
    }
}

/// Reads a spool from its beginning, or from anywhere. `S` is a `Spool`, a `&Spool` or an `Arc<Spool>`.
#[derive(Debug)]
pub struct SpoolReader<S> {
    spool: S,
    position: u64,
    /// The chunk that was opened last, and its number.
    chunk: Vec<u8>,
    number: Option<u64>,
}

impl<S: Borrow<Spool>> SpoolReader<S> {
    /// Makes a reader that stands at the first byte.
    pub const fn new(spool: S) -> Self {
        Self { spool, position: 0, chunk: Vec::new(), number: None }
    }
}

impl<S: Borrow<Spool>> Read for SpoolReader<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let spool = self.spool.borrow();
        let number = self.position / CHUNK as u64;
        let source = if number < spool.chunks {
            if self.number != Some(number) {
                self.number = None;
                spool.load(number, &mut self.chunk)?;
                self.number = Some(number);
            }
            let within = usize::try_from(self.position % CHUNK as u64).expect("less than a chunk");
            &self.chunk[within..]
        } else {
            let within = usize::try_from(self.position - spool.chunks * CHUNK as u64).unwrap_or(usize::MAX);
            spool.memory.get(within..).unwrap_or_default()
        };
        let taken = source.len().min(buffer.len());
        buffer[..taken].copy_from_slice(&source[..taken]);
        self.position += taken as u64;
        Ok(taken)
    }
}

impl<S: Borrow<Spool>> Seek for SpoolReader<S> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(distance) => self.spool.borrow().length().checked_add_signed(distance),
            SeekFrom::Current(distance) => self.position.checked_add_signed(distance),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

fn nonce(number: u64) -> Nonce<aes_gcm::aead::consts::U12> {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&number.to_be_bytes());
    nonce.into()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};

    use super::*;

    fn rng() -> StdRng {
        StdRng::seed_from_u64(7)
    }

    fn noise(length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        StdRng::seed_from_u64(length as u64).fill_bytes(&mut bytes);
        bytes
    }

    fn content(spool: &Spool) -> Vec<u8> {
        let mut bytes = Vec::new();
        SpoolReader::new(spool).read_to_end(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn what_was_written_is_read_again_at_every_length_around_the_edges() {
        let directory = tempfile::tempdir().unwrap();
        for limit in [0, CHUNK, 3 * CHUNK] {
            for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 1, 10 * CHUNK, 10 * CHUNK + 5] {
                let mut spool = Spool::new(directory.path(), limit, &mut rng());
                let bytes = noise(length);
                for piece in bytes.chunks(10_007) {
                    spool.write_all(piece).unwrap();
                }
                assert_eq!(spool.length(), length as u64);
                assert!(content(&spool) == bytes, "limit {limit}, length {length}");
                assert!(content(&spool) == bytes, "a second time");
            }
        }
    }

    #[test]
    fn a_cleared_spool_is_empty_and_goes_on_under_new_nonces() {
        let directory = tempfile::tempdir().unwrap();
        let mut spool = Spool::new(directory.path(), 0, &mut rng());
        spool.write_all(&noise(5 * CHUNK)).unwrap();
        let used = spool.first + spool.chunks;
        spool.clear();
        assert_eq!(content(&spool), b"");
        assert_eq!(spool.first, used);
        spool.write_all(&noise(4 * CHUNK + 3)).unwrap();
        assert!(content(&spool) == noise(4 * CHUNK + 3));
    }

    #[test]
    fn nothing_readable_reaches_the_disk_and_the_file_has_no_name() {
        let directory = tempfile::tempdir().unwrap();
        let mut spool = Spool::new(directory.path(), 0, &mut rng());
        spool.write_all(&b"Wilhelmina Ostergaard called\n".repeat(20_000)).unwrap();
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
        let file = spool.file.as_ref().unwrap();
        let mut raw = vec![0; usize::try_from(file.metadata().unwrap().len()).unwrap()];
        file.read_exact_at(&mut raw, 0).unwrap();
        assert!(raw.len() > 8 * CHUNK);
        assert!(!raw.windows(6).any(|window| window == b"called"));
    }

    #[test]
    fn a_changed_file_is_noticed() {
        let directory = tempfile::tempdir().unwrap();
        let mut spool = Spool::new(directory.path(), 0, &mut rng());
        spool.write_all(&noise(5 * CHUNK)).unwrap();
        spool.file.as_ref().unwrap().write_all_at(&[0xff; 3], 100).unwrap();
        let error = SpoolReader::new(&spool).read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn a_reader_goes_where_it_is_sent() {
        let directory = tempfile::tempdir().unwrap();
        let mut spool = Spool::new(directory.path(), 0, &mut rng());
        let bytes = noise(5 * CHUNK + 7);
        spool.write_all(&bytes).unwrap();
        let mut reader = SpoolReader::new(&spool);
        for at in [4 * CHUNK - 1, 0, 5 * CHUNK + 6, CHUNK] {
            assert_eq!(reader.seek(SeekFrom::Start(at as u64)).unwrap(), at as u64);
            let mut byte = [0];
            reader.read_exact(&mut byte).unwrap();
            assert_eq!(byte[0], bytes[at]);
        }
        assert_eq!(reader.seek(SeekFrom::End(0)).unwrap(), bytes.len() as u64);
        assert_eq!(reader.read(&mut [0]).unwrap(), 0);
        assert!(reader.seek(SeekFrom::Current(-1_000_000)).is_err());
    }

    #[test]
    fn a_spool_without_a_file_says_when_it_is_full() {
        let mut spool = Spool::without_file(CHUNK);
        let error = loop {
            match spool.write_all(&noise(CHUNK)) {
                Ok(()) => assert!(spool.length() < 10 * CHUNK as u64),
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        let mut small = Spools::in_memory().spool();
        small.write_all(b"abc").unwrap();
        assert_eq!(content(&small), b"abc");
    }

    #[test]
    fn spools_of_one_place_have_keys_of_their_own() {
        let directory = tempfile::tempdir().unwrap();
        let spools = Spools::new(directory.path(), &mut rng());
        let (one, other) = (spools.spool(), spools.clone().spool());
        assert_ne!(one.key.expose(), other.key.expose());
    }

    #[test]
    fn readers_do_not_disturb_each_other() {
        let directory = tempfile::tempdir().unwrap();
        let mut spool = Spool::new(directory.path(), 0, &mut rng());
        spool.write_all(&noise(3 * CHUNK)).unwrap();
        let spool = Arc::new(spool);
        let (mut one, mut two) = (SpoolReader::new(Arc::clone(&spool)), SpoolReader::new(spool));
        let (mut first, mut second) = (vec![0; CHUNK + 9], vec![0; 9]);
        one.read_exact(&mut first).unwrap();
        two.read_exact(&mut second).unwrap();
        assert_eq!(first[..9], second[..]);
    }
}
