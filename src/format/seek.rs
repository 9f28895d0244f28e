//! Opening at any place: the plaintext of a sealed file by position, without reading what lies before it.

use std::io::{self, BufRead, Read, Seek, SeekFrom};

use zeroize::Zeroizing;

use super::error::OpenError;
use super::header::Header;
use super::key::Identity;
use super::payload::{CHUNK, ChunkCipher, MAX_CHUNKS, PREFIX, SEALED_CHUNK, TAG};
use super::share::Share;
use super::unlocked::FileKey;

/// Most chunks that are read with one call.
const LONGEST_RUN: usize = 8;
/// How many runs are kept.
const RUNS: usize = 4;

/// Reads the plaintext of a sealed file by position. Holds 512 KiB.
///
/// The length is proven before anything else: the last chunk, which alone is shorter than the others, is opened first, so a
/// file that was cut off or has something added gives no byte at all. Every byte it gives is authentic and stands at its
/// place. A damaged chunk is an error whenever it is read, and no hindrance to reading the others.
pub struct SeekReader<R: Read + Seek> {
    source: R,
    cipher: ChunkCipher,
    /// Where chunk 0 begins in the source.
    start: u64,
    /// Bytes of all sealed chunks together.
    sealed_length: u64,
    /// Bytes of plaintext.
    length: u64,
    position: u64,
    runs: Vec<Run>,
    /// Counts the uses of runs; the run that was used longest ago makes room.
    uses: u64,
    /// The chunk behind the run that was read last, and how many chunks that run had: reading on doubles it.
    next: (u64, usize),
}

/// Neighbouring chunks as they were read, each opened in place when it is asked for.
struct Run {
    first: u64,
    bytes: Zeroizing<Vec<u8>>,
    /// How much of `bytes` was read.
    filled: usize,
    /// One bit for each chunk that is open.
    opened: u8,
    used: u64,
}

impl<R: Read + Seek> SeekReader<R> {
    /// Finds the slot that opens, joins the parts of the key, checks that they belong to this header and payload, and
    /// proves the length: all steps of [`Header::unlock`] at once.
    ///
    /// `source` is the whole sealed file, of which `header` was read; where it stands does not matter. Errors: those of
    /// [`Header::unlock`], of [`Unlocked::join`](super::Unlocked::join) and of [`FileKey::seek`].
    #[expect(clippy::needless_pass_by_value, reason = "a header opens one payload")]
    pub fn new(header: Header, source: R, identities: &[Identity], share: Option<&Share>) -> Result<Self, OpenError> {
        header.unlock(identities)?.join(share)?.seek(source)
    }

    /// Reads the file of this key.
    pub(super) fn with_key(key: &FileKey, mut source: R) -> Result<Self, OpenError> {
        let end = source.seek(SeekFrom::End(0)).map_err(OpenError::Read)?;
        let start = key.payload() + PREFIX as u64;
        let sealed_length = end.checked_sub(start).ok_or(OpenError::Truncated)?;
        let (last, rest) = (sealed_length / SEALED_CHUNK as u64, sealed_length % SEALED_CHUNK as u64);
        let rest = rest.checked_sub(TAG as u64).ok_or(OpenError::Truncated)?;
        if last >= MAX_CHUNKS {
            return Err(OpenError::TooLong);
        }
        let mut prefix = [0; PREFIX];
        source.seek(SeekFrom::Start(key.payload())).map_err(OpenError::Read)?;
        source.read_exact(&mut prefix).map_err(OpenError::from_read)?;
        let cipher = key.cipher(&prefix)?;

        let length = last * CHUNK as u64 + rest;
        let mut reader = Self {
            source,
            cipher,
            start,
            sealed_length,
            length,
            position: 0,
            runs: Vec::with_capacity(RUNS),
            uses: 0,
            next: (u64::MAX, 0),
        };
        reader.chunk(last, 1).map_err(|error| match error.downcast::<OpenError>() {
            Ok(error) => error,
            Err(error) => OpenError::Read(error),
        })?;
        Ok(reader)
    }

    /// Length of the plaintext in bytes; it is proven.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// Gives the source back, wherever it stands.
    pub fn into_inner(self) -> R {
        self.source
    }

    /// Opens a chunk that the file has and gives its plaintext. When it must be read first, up to `wanted` of its
    /// successors come with it.
    fn chunk(&mut self, number: u64, wanted: usize) -> io::Result<&[u8]> {
        let at = match self.runs.iter().position(|run| run.holds(number)) {
            Some(at) => at,
            None => self.read_run(number, wanted)?,
        };
        self.uses += 1;
        let run = &mut self.runs[at];
        run.used = self.uses;
        run.open(number, &self.cipher).ok_or_else(|| OpenError::Chunk { number }.into_io())
    }

    /// Reads a run that begins with this chunk, in place of the one that was used longest ago; gives where it is kept.
    fn read_run(&mut self, first: u64, wanted: usize) -> io::Result<usize> {
        let on = if first == self.next.0 { 2 * self.next.1 } else { 1 };
        let chunks = on.max(wanted).min(LONGEST_RUN);
        let begin = first * SEALED_CHUNK as u64;
        let filled = usize::try_from(self.sealed_length - begin).unwrap_or(usize::MAX).min(chunks * SEALED_CHUNK);

        let at = if self.runs.len() < RUNS {
            let bytes = Zeroizing::new(vec![0; LONGEST_RUN * SEALED_CHUNK]);
            self.runs.push(Run { first: 0, bytes, filled: 0, opened: 0, used: 0 });
            self.runs.len() - 1
        } else {
            let oldest = self.runs.iter().enumerate().min_by_key(|(_, run)| run.used);
            oldest.expect("there are RUNS of them").0
        };
        let run = &mut self.runs[at];
        run.filled = 0;
        self.source.seek(SeekFrom::Start(self.start + begin))?;
        self.source.read_exact(&mut run.bytes[..filled]).map_err(|error| {
            // The end of the source, told by `read_exact`, carries nothing: the file became shorter since it was measured.
            let ended = error.kind() == io::ErrorKind::UnexpectedEof && error.get_ref().is_none();
            if ended { OpenError::Truncated.into_io() } else { error }
        })?;
        (run.first, run.filled, run.opened) = (first, filled, 0);
        self.next = (first + chunks as u64, chunks);
        Ok(at)
    }
}

impl Run {
    fn holds(&self, number: u64) -> bool {
        number >= self.first && number - self.first < self.filled.div_ceil(SEALED_CHUNK) as u64
    }

    /// The plaintext of a chunk of this run; `None` when it is not the one that was sealed at its place.
    fn open(&mut self, number: u64, cipher: &ChunkCipher) -> Option<&[u8]> {
        let index = usize::try_from(number - self.first).expect("a run has few chunks");
        let begin = index * SEALED_CHUNK;
        let end = self.filled.min(begin + SEALED_CHUNK);
        if self.opened >> index & 1 == 0 {
            cipher.open(number, &mut self.bytes[begin..end])?;
            self.opened |= 1 << index;
        }
        Some(&self.bytes[begin..end - TAG])
    }
}

impl<R: Read + Seek> SeekReader<R> {
    /// The bytes from the position to the end of its chunk; none at the end.
    fn rest(&mut self, wanted: usize) -> io::Result<&[u8]> {
        if self.position >= self.length {
            return Ok(&[]);
        }
        let (number, within) = (self.position / CHUNK as u64, self.position % CHUNK as u64);
        let chunk = self.chunk(number, wanted)?;
        Ok(&chunk[usize::try_from(within).expect("less than a chunk")..])
    }
}

impl<R: Read + Seek> BufRead for SeekReader<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.rest(1)
    }

    fn consume(&mut self, amount: usize) {
        self.position += amount as u64;
    }
}

impl<R: Read + Seek> Read for SeekReader<R> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        if target.is_empty() {
            return Ok(0);
        }
        let length = self.rest(target.len().div_ceil(CHUNK))?.read(target)?;
        self.consume(length);
        Ok(length)
    }
}

impl<R: Read + Seek> Seek for SeekReader<R> {
    /// Moves without reading. Behind the end there is nothing to read; before the beginning is an error.
    fn seek(&mut self, target: SeekFrom) -> io::Result<u64> {
        let position = match target {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(distance) => self.position.checked_add_signed(distance),
            SeekFrom::End(distance) => self.length.checked_add_signed(distance),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}
