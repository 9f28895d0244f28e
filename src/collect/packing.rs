//! Opens compressed logs and packs them again the same way.

use std::io::{self, Read, Write};

use lzma_rust2::{XzOptions, XzReader, XzWriter};

/// Most memory a decoder of xz may take, in KiB.
const XZ_MEMORY: u32 = 65 << 10;
/// Largest window of zstd, as a power of two.
const ZST_WINDOW: u32 = 26;
/// How many bytes of the beginning tell how something is packed.
pub(super) const HEAD: usize = 8;

/// How something is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    None,
    Gz,
    Xz,
    Bz2,
    Zst,
}

impl Packing {
    /// By its first [`HEAD`] bytes.
    pub(super) fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, 8, ..] => Self::Gz,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Self::Bz2,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zst,
            _ => Self::None,
        }
    }

    /// Opens it.
    pub(super) fn open<'a>(self, packed: impl Read + 'a) -> io::Result<Box<dyn Read + 'a>> {
        Ok(match self {
            Self::None => Box::new(packed),
            Self::Gz => Box::new(flate2::read::MultiGzDecoder::new(packed)),
            Self::Xz => Box::new(XzReader::new_mem_limit(packed, true, XZ_MEMORY)),
            Self::Bz2 => Box::new(bzip2::read::MultiBzDecoder::new(packed)),
            Self::Zst => {
                let mut decoder = zstd::stream::read::Decoder::new(packed)?;
                decoder.window_log_max(ZST_WINDOW)?;
                Box::new(decoder)
            }
        })
    }

    /// Packs what is written.
    pub(super) fn pack<W: Write>(self, to: W) -> io::Result<Packer<W>> {
        Ok(match self {
            Self::None => Packer::None(to),
            Self::Gz => Packer::Gz(flate2::write::GzEncoder::new(to, flate2::Compression::new(3))),
            Self::Xz => Packer::Xz(Box::new(XzWriter::new(to, XzOptions::with_preset(1))?)),
            Self::Bz2 => Packer::Bz2(bzip2::write::BzEncoder::new(to, bzip2::Compression::default())),
            Self::Zst => Packer::Zst(zstd::stream::write::Encoder::new(to, 3)?),
        })
    }
}

/// Packs what is written to it.
pub(super) enum Packer<W: Write> {
    None(W),
    Gz(flate2::write::GzEncoder<W>),
    Xz(Box<XzWriter<W>>),
    Bz2(bzip2::write::BzEncoder<W>),
    Zst(zstd::stream::write::Encoder<'static, W>),
}

impl<W: Write> Packer<W> {
    /// Writes what is left and gives the writer back.
    pub(super) fn finish(self) -> io::Result<W> {
        match self {
            Self::None(to) => Ok(to),
            Self::Gz(packer) => packer.finish(),
            Self::Xz(packer) => packer.finish(),
            Self::Bz2(packer) => packer.finish(),
            Self::Zst(packer) => packer.finish(),
        }
    }
}

impl<W: Write> Write for Packer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::None(to) => to.write(bytes),
            Self::Gz(packer) => packer.write(bytes),
            Self::Xz(packer) => packer.write(bytes),
            Self::Bz2(packer) => packer.write(bytes),
            Self::Zst(packer) => packer.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::None(to) => to.flush(),
            Self::Gz(packer) => packer.flush(),
            Self::Xz(packer) => packer.flush(),
            Self::Bz2(packer) => packer.flush(),
            Self::Zst(packer) => packer.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_known_and_opened_again() {
        let text = b"a line of a log\n".repeat(5000);
        for packing in [Packing::None, Packing::Gz, Packing::Xz, Packing::Bz2, Packing::Zst] {
            let mut packer = packing.pack(Vec::new()).unwrap();
            packer.write_all(&text).unwrap();
            let packed = packer.finish().unwrap();
            assert_eq!(Packing::of(&packed[..HEAD]), packing);
            let mut opened = Vec::new();
            packing.open(packed.as_slice()).unwrap().read_to_end(&mut opened).unwrap();
            assert!(opened == text, "{packing:?}");
        }
        assert_eq!(Packing::of(b""), Packing::None);
    }
}
