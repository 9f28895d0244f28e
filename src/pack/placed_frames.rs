//! Reads tar bytes at any place: the seek table says which frame holds them.

use std::io::{Read, Seek, SeekFrom};

use zstd::bulk::Decompressor;
use zstd::zstd_safe;

use super::error::{self, UnpackError};
use super::frame::{FRAME_MAGIC, MAX_PADDING, SeekTable, TABLE_END_MAGIC};
use super::frame_source::{check_descriptor, check_window, early};
use super::limits::Limits;

/// Bytes of the number of entries, the descriptor and the magic that end a seek table.
const FOOTER: usize = 9;
/// How many decompressed frames are kept: what lies across an edge needs two.
const KEPT: usize = 2;
/// Room for a frame's header beside what zstd says a content can become.
const SLACK: usize = 128;

/// The tar bytes of a stream of frames, by position.
///
/// The seek table is checked as a whole before a frame is read: it must fill the stream exactly, and everything it promises
/// must be within the limits. Each frame is checked against it when it is read.
pub(crate) struct PlacedFrames<R> {
    input: R,
    window_log: u8,
    frames: Vec<Place>,
    /// Bytes of tar in all frames.
    length: u64,
    decompressor: Decompressor<'static>,
    compressed: Vec<u8>,
    kept: Vec<Kept>,
    /// Which of the kept frames was used last.
    recent: usize,
}

/// Where a frame stands in the stream, and where its content stands in the tar.
struct Place {
    at: u64,
    compressed: usize,
    begin: u64,
    content: usize,
    /// Its line in the seek table, from 0.
    number: u64,
}

/// A decompressed frame.
struct Kept {
    frame: usize,
    content: Vec<u8>,
}

impl<R: Read + Seek> PlacedFrames<R> {
    /// Reads the seek table from the end of `input`.
    pub(crate) fn open(mut input: R, limits: &Limits) -> Result<Self, UnpackError> {
        let (table, table_at) = seek_table(&mut input, limits)?;
        let (frames, length) = places(&table, table_at, limits)?;
        Ok(Self {
            input,
            window_log: limits.window_log,
            frames,
            length,
            decompressor: Decompressor::new().map_err(UnpackError::Input)?,
            compressed: Vec::new(),
            kept: Vec::with_capacity(KEPT),
            recent: 0,
        })
    }

    /// Bytes of tar in all.
    pub(crate) const fn length(&self) -> u64 {
        self.length
    }

    /// Gives the tar bytes from `position` to the end of their frame: at least one, or none at the end of the tar.
    pub(crate) fn at(&mut self, position: u64) -> Result<&[u8], UnpackError> {
        if position >= self.length {
            return Ok(&[]);
        }
        let frame = self.frames.partition_point(|place| place.begin <= position) - 1;
        let within = usize::try_from(position - self.frames[frame].begin).expect("a frame fits into memory");
        self.recent = match self.kept.iter().position(|kept| kept.frame == frame) {
            Some(kept) => kept,
            None => {
                let number = self.frames[frame].number;
                self.load(frame).map_err(|error| error.at(frame_number(number)))?
            }
        };
        Ok(&self.kept[self.recent].content[within..])
    }

    /// Fills `buffer` with the tar bytes from `position` on.
    pub(crate) fn fill(&mut self, mut position: u64, mut buffer: &mut [u8]) -> Result<(), UnpackError> {
        while !buffer.is_empty() {
            let bytes = self.at(position)?;
            if bytes.is_empty() {
                return Err(UnpackError::Damaged("the archive ends early"));
            }
            let length = bytes.len().min(buffer.len());
            buffer[..length].copy_from_slice(&bytes[..length]);
            buffer = &mut buffer[length..];
            position += length as u64;
        }
        Ok(())
    }

    /// Reads and decompresses a frame and gives where it is kept.
    fn load(&mut self, frame: usize) -> Result<usize, UnpackError> {
        let place = &self.frames[frame];
        self.input.seek(SeekFrom::Start(place.at)).map_err(UnpackError::Input)?;
        self.compressed.resize(place.compressed, 0);
        self.input.read_exact(&mut self.compressed).map_err(early)?;
        check_frame(&self.compressed, place.content, self.window_log)?;

        let at = if self.kept.len() < KEPT {
            self.kept.push(Kept { frame: usize::MAX, content: Vec::new() });
            self.kept.len() - 1
        } else {
            (self.recent + 1) % KEPT
        };
        let kept = &mut self.kept[at];
        kept.frame = usize::MAX;
        kept.content.clear();
        kept.content.reserve_exact(place.content);
        let decompressed = self.decompressor.decompress_to_buffer(&self.compressed, &mut kept.content);
        if decompressed.ok() != Some(place.content) {
            return Err(UnpackError::Damaged("a frame cannot be decompressed"));
        }
        kept.frame = frame;
        Ok(at)
    }
}

/// Reads the seek table and gives where it begins. It is at most 8 MiB long, by the limit of frames.
fn seek_table(input: &mut (impl Read + Seek), limits: &Limits) -> Result<(SeekTable, u64), UnpackError> {
    const NONE: UnpackError = UnpackError::Damaged("it does not end with a seek table");
    let length = input.seek(SeekFrom::End(0)).map_err(UnpackError::Input)?;
    let mut footer = [0; FOOTER];
    input.seek(SeekFrom::Start(length.checked_sub(FOOTER as u64).ok_or(NONE)?)).map_err(UnpackError::Input)?;
    input.read_exact(&mut footer).map_err(early)?;
    let [a, b, c, d, _, magic @ ..] = footer;
    if u32::from_le_bytes(magic) != TABLE_END_MAGIC {
        return Err(NONE);
    }
    let number = u32::from_le_bytes([a, b, c, d]);
    if u64::from(number) > limits.frames {
        return Err(UnpackError::Limit("it has too many frames"));
    }
    let table_length = SeekTable::length(number as usize);
    let table_at = length.checked_sub(table_length as u64).ok_or(NONE)?;
    let mut bytes = vec![0; table_length];
    input.seek(SeekFrom::Start(table_at)).map_err(UnpackError::Input)?;
    input.read_exact(&mut bytes).map_err(early)?;
    SeekTable::decode(&bytes).map(|table| (table, table_at)).ok_or(NONE)
}

/// Turns lengths into places and holds everything they promise against the limits.
fn places(table: &SeekTable, table_at: u64, limits: &Limits) -> Result<(Vec<Place>, u64), UnpackError> {
    const OTHER: UnpackError = UnpackError::Damaged("the seek table does not fit the frames");
    let (mut frames, mut at, mut begin) = (Vec::with_capacity(table.0.len()), 0, 0);
    for (number, &(compressed, content)) in (0..).zip(&table.0) {
        let (compressed, content) = (compressed as usize, content as usize);
        let place = Place { at, compressed, begin, content, number };
        at += compressed as u64;
        begin += content as u64;
        if content == 0 {
            if !(8..=8 + MAX_PADDING).contains(&compressed) {
                return Err(OTHER);
            }
            continue;
        }
        if content > limits.frame {
            return Err(UnpackError::Limit("a frame is too large").at(frame_number(number)));
        }
        if compressed > zstd_safe::compress_bound(content) + SLACK {
            return Err(OTHER);
        }
        if begin > limits.total {
            return Err(UnpackError::Limit("its content is too large").at(frame_number(number)));
        }
        if begin > limits.ratio_from && begin / limits.ratio > at {
            return Err(UnpackError::Limit("it grows too much when it is unpacked").at(frame_number(number)));
        }
        frames.push(place);
    }
    if at == table_at { Ok((frames, begin)) } else { Err(OTHER) }
}

fn frame_number(number: u64) -> error::Place {
    error::Place { frame: Some(number), ..error::Place::default() }
}

/// Refuses what is not exactly one frame of this content (RFC 8878, section 3.1.1).
fn check_frame(frame: &[u8], content: usize, window_log: u8) -> Result<(), UnpackError> {
    let Some((magic, &[descriptor, window, ..])) = frame.split_first_chunk() else {
        return Err(UnpackError::Damaged("a frame is cut off"));
    };
    if u32::from_le_bytes(*magic) != FRAME_MAGIC {
        return Err(UnpackError::Damaged("a frame does not begin where it should"));
    }
    check_descriptor(descriptor)?;
    // Without the flag of a single segment the window stands here.
    if descriptor & 0x20 == 0 {
        check_window(window, window_log)?;
    }
    let says = zstd_safe::get_frame_content_size(frame).ok().flatten();
    if says != Some(content as u64) || zstd_safe::find_frame_compressed_size(frame) != Ok(frame.len()) {
        return Err(UnpackError::Damaged("the seek table does not fit the frames"));
    }
    Ok(())
}
