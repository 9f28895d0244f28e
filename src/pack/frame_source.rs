//! Finds the frames of a stream one by one, within limits. Nothing is decompressed here.

use std::io::{self, BufReader, Read};

use super::UnpackError;
use super::frame::{FRAME_MAGIC, MAX_PADDING, PADDING_MAGIC, SeekTable, TABLE_MAGIC};
use super::limits::Limits;

/// Most bytes of one zstd block (RFC 8878, section 3.1.1.2.4).
const BLOCK_MAX: usize = 128 << 10;

/// Reads frames as they stand in a stream.
///
/// The end of each frame is found from its block headers; what it says about its content is checked against the limits, and
/// everything is counted, before anyone makes room for that content.
pub(crate) struct FrameSource<R> {
    input: Counted<BufReader<R>>,
    limits: Limits,
    /// Bytes of tar in all frames so far.
    total: u64,
    table: SeekTable,
}

struct Counted<R> {
    inner: R,
    count: u64,
}

impl<R: Read> FrameSource<R> {
    pub(crate) fn new(input: R, limits: &Limits) -> Self {
        let input = Counted { inner: BufReader::with_capacity(64 << 10, input), count: 0 };
        Self { input, limits: limits.clone(), total: 0, table: SeekTable(Vec::new()) }
    }

    /// Compressed bytes read so far.
    pub(crate) const fn consumed(&self) -> u64 {
        self.input.count
    }

    /// Frames read so far, padding included.
    pub(crate) const fn frames(&self) -> u64 {
        self.table.0.len() as u64
    }

    /// Reads the next frame into `frame`, in place of what is there, and gives the length of its content. `None` after the
    /// seek table and the end of the input; it must not be called again then, nor after an error.
    pub(crate) fn next(&mut self, frame: &mut Vec<u8>) -> Result<Option<usize>, UnpackError> {
        loop {
            let magic = u32::from_le_bytes(self.input.array()?);
            if magic == TABLE_MAGIC {
                self.seek_table()?;
                return Ok(None);
            }
            if self.table.0.len() as u64 >= self.limits.frames {
                return Err(UnpackError::Limit("it has too many frames"));
            }
            frame.clear();
            match magic {
                FRAME_MAGIC => return self.frame(frame).map(Some),
                PADDING_MAGIC => self.padding(frame)?,
                _ => return Err(UnpackError::Damaged("a frame does not begin where it should")),
            }
        }
    }

    /// Reads one frame (RFC 8878, section 3.1.1).
    fn frame(&mut self, frame: &mut Vec<u8>) -> Result<usize, UnpackError> {
        frame.extend_from_slice(&FRAME_MAGIC.to_le_bytes());
        let length = self.frame_header(frame)?;
        loop {
            let header: [u8; 3] = self.input.array()?;
            let number = u32::from_le_bytes([header[0], header[1], header[2], 0]);
            let (last, kind, size) = (number & 1 == 1, number >> 1 & 3, (number >> 3) as usize);
            let stored = match kind {
                0 | 2 => size,
                1 => 1,
                _ => return Err(UnpackError::Damaged("a frame has a block of no known kind")),
            };
            if size > BLOCK_MAX || frame.len() + stored > zstd::zstd_safe::compress_bound(length) + 64 {
                return Err(UnpackError::Damaged("a frame is longer than it may be"));
            }
            frame.extend_from_slice(&header);
            self.input.append(stored, frame)?;
            if last {
                break;
            }
        }
        self.total += length as u64;
        if self.total > self.limits.total {
            return Err(UnpackError::Limit("its content is too large"));
        }
        if self.total > self.limits.ratio_from && self.total / self.limits.ratio > self.input.count {
            return Err(UnpackError::Limit("it grows too much when it is unpacked"));
        }
        self.table.add(frame.len(), length);
        Ok(length)
    }

    /// Reads a frame's header onto the frame and gives the length of its content.
    fn frame_header(&mut self, frame: &mut Vec<u8>) -> Result<usize, UnpackError> {
        let [descriptor] = self.input.array()?;
        frame.push(descriptor);
        let single_segment = descriptor & 0x20 != 0;
        check_descriptor(descriptor)?;
        if !single_segment {
            let [window] = self.input.array()?;
            frame.push(window);
            check_window(window, self.limits.window_log)?;
        }
        let (bytes, offset) = match (descriptor >> 6, single_segment) {
            (0, false) => return Err(UnpackError::Damaged("a frame does not say how long its content is")),
            (0, true) => (1, 0),
            (1, _) => (2, 256),
            (2, _) => (4, 0),
            _ => (8, 0),
        };
        let start = frame.len();
        self.input.append(bytes, frame)?;
        let mut length = [0; 8];
        length[..bytes].copy_from_slice(&frame[start..]);
        match usize::try_from(u64::from_le_bytes(length)).ok().and_then(|length| length.checked_add(offset)) {
            Some(0) => Err(UnpackError::Damaged("a frame is empty")),
            Some(length) if length <= self.limits.frame => Ok(length),
            _ => Err(UnpackError::Limit("a frame is too large")),
        }
    }

    fn padding(&mut self, zeros: &mut Vec<u8>) -> Result<(), UnpackError> {
        let length = u32::from_le_bytes(self.input.array()?) as usize;
        if length > MAX_PADDING {
            return Err(UnpackError::Limit("its padding is too long"));
        }
        self.input.append(length, zeros)?;
        if zeros.iter().any(|&byte| byte != 0) {
            return Err(UnpackError::Damaged("its padding is not empty"));
        }
        self.table.add(8 + length, 0);
        Ok(())
    }

    /// Compares the seek table with the frames that were read, and makes sure that nothing follows it.
    fn seek_table(&mut self) -> Result<(), UnpackError> {
        let expected = self.table.encode();
        let mut found = Vec::new();
        self.input.append(expected.len() - 4, &mut found)?;
        if found != expected[4..] {
            return Err(UnpackError::Damaged("the seek table does not fit the frames"));
        }
        let mut more = [0];
        match self.input.inner.read(&mut more) {
            Ok(0) => Ok(()),
            Ok(_) => Err(UnpackError::Damaged("bytes follow its end")),
            Err(error) => Err(UnpackError::Input(error)),
        }
    }
}

impl<R: Read> Counted<R> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], UnpackError> {
        let mut bytes = [0; N];
        self.inner.read_exact(&mut bytes).map_err(early)?;
        self.count += N as u64;
        Ok(bytes)
    }

    /// Reads `length` bytes onto the end of `bytes`; room is made as they arrive.
    fn append(&mut self, length: usize, bytes: &mut Vec<u8>) -> Result<(), UnpackError> {
        let read = self.inner.by_ref().take(length as u64).read_to_end(bytes).map_err(UnpackError::Input)?;
        self.count += read as u64;
        if read == length { Ok(()) } else { Err(UnpackError::Damaged("it ends early")) }
    }
}

/// Refuses a frame whose descriptor asks for what is never written.
pub(crate) fn check_descriptor(descriptor: u8) -> Result<(), UnpackError> {
    if descriptor & 0x1f == 0 {
        return Ok(());
    }
    Err(UnpackError::Damaged("a frame has a checksum, a dictionary or an unknown flag"))
}

/// Refuses a frame that needs a window of more than 2^`most` bytes.
pub(crate) fn check_window(window: u8, most: u8) -> Result<(), UnpackError> {
    // The window is (1 + mantissa/8) << exponent; with a mantissa it needs one power of two more.
    if 10 + (window >> 3) + u8::from(window & 7 != 0) <= most {
        return Ok(());
    }
    Err(UnpackError::Limit("a frame needs too much memory"))
}

/// Takes an early end for damage and everything else for a fault of the input.
pub(crate) fn early(error: io::Error) -> UnpackError {
    // The end of the input, told by `read_exact`, carries nothing; an error of the layer below carries its cause.
    if error.kind() == io::ErrorKind::UnexpectedEof && error.get_ref().is_none() {
        UnpackError::Damaged("it ends early")
    } else {
        UnpackError::Input(error)
    }
}
