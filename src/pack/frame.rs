//! Zstd frames that can be read apart from each other, and the table that says where they stand.
//!
//! Each frame holds at most [`FRAME`] bytes of tar, says how many, and has neither dictionary nor checksum (the seal
//! protects it). The zstd seekable format's seek table ends the stream: a skippable frame with the compressed and the
//! decompressed length of each frame before it, `u32` little-endian
//! (facebook/zstd, `contrib/seekable_format/zstd_seekable_compression_format.md`).

use std::io::{self, Write};

use zstd::bulk::Compressor;

use super::limits::Limits;

/// Most bytes of tar in one frame that is written.
pub(crate) const FRAME: usize = 4 << 20;
/// Begins a frame.
pub(crate) const FRAME_MAGIC: u32 = 0xFD2F_B528;
/// Begins a skippable frame of zeros, put in where frames compress better than a reader believes.
pub(crate) const PADDING_MAGIC: u32 = 0x184D_2A50;
/// Begins the skippable frame with the seek table.
pub(crate) const TABLE_MAGIC: u32 = 0x184D_2A5E;
/// Ends the seek table.
pub(crate) const TABLE_END_MAGIC: u32 = 0x8F92_EAB1;
/// Most zeros in one padding frame; 4 MiB at 1000:1 need 4 KiB.
pub(crate) const MAX_PADDING: usize = 64 << 10;

/// Makes frames out of tar bytes. It knows nothing of the frames before or after.
pub(crate) struct FrameCompressor {
    level: i32,
    zstd: Compressor<'static>,
    used: bool,
}

/// The highest level at which zstd can be used again and again. Above it salts its tables with what it compressed before,
/// and what comes out would depend on which thread compressed which frames.
const REUSED: i32 = 4;

impl FrameCompressor {
    pub(crate) fn new(level: i32) -> io::Result<Self> {
        Ok(Self { level, zstd: compressor(level)?, used: false })
    }

    /// Puts the frame of `content` into `frame`, in place of what was there.
    pub(crate) fn compress(&mut self, content: &[u8], frame: &mut Vec<u8>) -> io::Result<()> {
        if self.used && self.level > REUSED {
            self.zstd = compressor(self.level)?;
        }
        self.used = true;
        frame.clear();
        frame.reserve(zstd::zstd_safe::compress_bound(content.len()));
        self.zstd.compress_to_buffer(content, frame)?;
        Ok(())
    }
}

fn compressor(level: i32) -> io::Result<Compressor<'static>> {
    let mut compressor = Compressor::new(level)?;
    compressor.include_contentsize(true)?;
    compressor.include_checksum(false)?;
    compressor.include_dictid(false)?;
    Ok(compressor)
}

/// Writes frames one after the other and the seek table at the end.
pub(crate) struct FrameWriter<W> {
    out: W,
    table: SeekTable,
    /// Bytes of tar in all frames.
    content: u64,
    /// Bytes written.
    written: u64,
}

impl<W: Write> FrameWriter<W> {
    pub(crate) const fn new(out: W) -> Self {
        Self { out, table: SeekTable(Vec::new()), content: 0, written: 0 }
    }

    /// Writes a frame that holds `content` bytes, and padding before it if the stream would seem a bomb without.
    pub(crate) fn write(&mut self, frame: &[u8], content: usize) -> io::Result<()> {
        self.content += content as u64;
        let limits = Limits::default();
        let least = self.content / limits.ratio + 1;
        let without = self.written + frame.len() as u64;
        if self.content > limits.ratio_from && without < least {
            let zeros = usize::try_from(least - without).unwrap_or(MAX_PADDING).min(MAX_PADDING);
            self.put(&padding_frame(zeros), 0)?;
        }
        self.put(frame, content)
    }

    fn put(&mut self, frame: &[u8], content: usize) -> io::Result<()> {
        self.out.write_all(frame)?;
        self.written += frame.len() as u64;
        self.table.add(frame.len(), content);
        Ok(())
    }

    /// Writes the seek table.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.out.write_all(&self.table.encode())?;
        Ok(self.out)
    }
}

/// The lengths of all frames, in their order.
pub(crate) struct SeekTable(pub(crate) Vec<(u32, u32)>);

impl SeekTable {
    /// Adds a frame by its compressed and its decompressed length.
    pub(crate) fn add(&mut self, compressed: usize, decompressed: usize) {
        let length = |length| u32::try_from(length).expect("a frame is far shorter than 4 GiB");
        self.0.push((length(compressed), length(decompressed)));
    }

    /// Bytes of the table of so many frames.
    pub(crate) const fn length(frames: usize) -> usize {
        17 + 8 * frames
    }

    /// Reads a table; `None` for whatever [`encode`](Self::encode) would not write.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let numbers = |pair: &[u8]| {
            let (compressed, decompressed) = pair.split_first_chunk()?;
            Some((u32::from_le_bytes(*compressed), u32::from_le_bytes(*decompressed.first_chunk()?)))
        };
        let entries = bytes.get(8..bytes.len().checked_sub(9)?)?;
        let table = Self(entries.chunks(8).map(numbers).collect::<Option<_>>()?);
        (table.encode() == bytes).then_some(table)
    }

    /// The skippable frame.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let number = u32::try_from(self.0.len()).expect("the limits allow 2^20 frames");
        let mut bytes = Vec::with_capacity(Self::length(self.0.len()));
        bytes.extend_from_slice(&TABLE_MAGIC.to_le_bytes());
        bytes.extend_from_slice(&(8 * number + 9).to_le_bytes());
        for (compressed, decompressed) in &self.0 {
            bytes.extend_from_slice(&compressed.to_le_bytes());
            bytes.extend_from_slice(&decompressed.to_le_bytes());
        }
        bytes.extend_from_slice(&number.to_le_bytes());
        bytes.push(0); // descriptor: no checksums
        bytes.extend_from_slice(&TABLE_END_MAGIC.to_le_bytes());
        bytes
    }
}

fn padding_frame(zeros: usize) -> Vec<u8> {
    let length = u32::try_from(zeros).expect("padding is at most 64 KiB");
    let mut frame = vec![0; 8 + zeros];
    frame[..4].copy_from_slice(&PADDING_MAGIC.to_le_bytes());
    frame[4..8].copy_from_slice(&length.to_le_bytes());
    frame
}
