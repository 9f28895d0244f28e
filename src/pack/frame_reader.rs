//! The tar bytes out of a stream of frames, and the digests of the entries in them.

use std::io::Read;
use std::ops::Range;

use super::UnpackError;
use super::decompression::Decompression;
use super::digests::{Digests, Piece};
use super::limits::Limits;
use super::manifest::Tally;
use crate::item::ArchivePath;

/// Gives tar bytes. While they are used, the next frames are decompressed and the one before is digested.
pub(crate) struct FrameReader<R> {
    frames: Decompression<R>,
    digests: Digests,
    content: Vec<u8>,
    /// How much of `content` was taken.
    taken: usize,
    /// The parts of `content` that belong to entries.
    pieces: Vec<Piece>,
    ended: bool,
}

impl<R: Read> FrameReader<R> {
    /// Reads with `threads` threads, as many as there are cores when that is `None`; with one, the caller's own does
    /// everything.
    pub(crate) fn new(input: R, limits: &Limits, threads: Option<usize>) -> Result<Self, UnpackError> {
        Ok(Self {
            frames: Decompression::new(input, limits, threads)?,
            digests: Digests::new(threads != Some(1)),
            content: Vec::new(),
            taken: 0,
            pieces: Vec::new(),
            ended: false,
        })
    }

    /// Compressed bytes up to the end of the present frame.
    pub(crate) const fn consumed(&self) -> u64 {
        self.frames.consumed()
    }

    /// The number, from 0, of the frame that the last tar bytes came from, or in which reading stopped.
    pub(crate) const fn number(&self) -> u64 {
        self.frames.number()
    }

    /// Gives the next tar bytes: at least one, at most `most`. Nothing when the stream is over, as it should be over.
    pub(crate) fn next(&mut self, most: u64) -> Result<&[u8], UnpackError> {
        let taken = self.take(most)?;
        Ok(&self.content[taken])
    }

    /// The same as [`next`](Self::next), for bytes of an entry's content: they are digested.
    pub(crate) fn next_of_entry(&mut self, most: u64) -> Result<&[u8], UnpackError> {
        let taken = self.take(most)?;
        self.pieces.push(Piece::Bytes(taken.clone()));
        Ok(&self.content[taken])
    }

    /// Enters an entry whose content was taken into the tally.
    pub(crate) fn end_entry(&mut self, path: &ArchivePath, size: u64) {
        self.pieces.push(Piece::End(path.clone(), size));
    }

    /// Fills `buffer` with the next tar bytes.
    pub(crate) fn fill(&mut self, buffer: &mut [u8]) -> Result<(), UnpackError> {
        let mut filled = 0;
        while filled < buffer.len() {
            let bytes = self.next((buffer.len() - filled) as u64)?;
            if bytes.is_empty() {
                return Err(UnpackError::Damaged("the archive ends early"));
            }
            buffer[filled..filled + bytes.len()].copy_from_slice(bytes);
            filled += bytes.len();
        }
        Ok(())
    }

    /// Gives the tally of all entries, once the last digest is there.
    pub(crate) fn tally(self) -> Result<Tally, UnpackError> {
        self.digests.finish(self.content, self.pieces).map_err(UnpackError::Input)
    }

    fn take(&mut self, most: u64) -> Result<Range<usize>, UnpackError> {
        while self.taken == self.content.len() && !self.ended {
            let next = self.frames.next()?;
            let last = std::mem::take(&mut self.content);
            if let Some(next) = next {
                self.content = next;
                self.taken = 0;
                let pieces = std::mem::take(&mut self.pieces);
                if let Some(room) = self.digests.give(last, pieces).map_err(UnpackError::Input)? {
                    self.frames.give_back(room);
                }
            } else {
                // The last frame's pieces are still to be digested.
                self.content = last;
                self.ended = true;
            }
        }
        let length = usize::try_from(most).unwrap_or(usize::MAX).min(self.content.len() - self.taken);
        self.taken += length;
        Ok(self.taken - length..self.taken)
    }
}
