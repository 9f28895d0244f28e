//! Zstandard.

use std::io::{self, Read};

use super::compressed::Codec;
use crate::redact::decode::Stream;

pub(crate) struct Zst;

/// Largest window, as a power of two: 64 MiB. `zstd` itself uses 8 MiB up to level 19, and more only where it was asked to.
const WINDOW: u32 = 26;

impl Codec for Zst {
    fn recognises(&self, head: &[u8]) -> bool {
        head.starts_with(b"\x28\xb5\x2f\xfd")
    }

    fn open<'a>(&self, packed: Stream<'a>) -> io::Result<Stream<'a>> {
        let mut decoder = zstd::stream::read::Decoder::new(packed)?;
        decoder.window_log_max(WINDOW)?;
        Ok(Box::new(Limited(decoder)))
    }

    fn pack<'a>(&self, plain: Stream<'a>) -> io::Result<Stream<'a>> {
        Ok(Box::new(zstd::stream::read::Encoder::new(plain, 3)?))
    }
}

/// Tells a window that is too large from damage.
struct Limited<R>(R);

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| {
            // The decoder has no other way to say it.
            let window = error.kind() == io::ErrorKind::Other && error.to_string().contains("too much memory");
            if window { io::ErrorKind::OutOfMemory.into() } else { error }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn opened(packed: &[u8]) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        Zst.open(Box::new(packed))?.read_to_end(&mut text)?;
        Ok(text)
    }

    #[test]
    fn a_window_that_is_too_large_is_told_from_damage() {
        let packed = |window: u32| {
            let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
            encoder.window_log(window).unwrap();
            encoder.write_all(b"some text").unwrap();
            encoder.finish().unwrap()
        };
        assert_eq!(opened(&packed(WINDOW)).unwrap(), b"some text");
        let large = packed(WINDOW + 1);
        assert_eq!(opened(&large).unwrap_err().kind(), io::ErrorKind::OutOfMemory);
        let small = packed(WINDOW);
        assert_ne!(opened(&small[..small.len() - 1]).unwrap_err().kind(), io::ErrorKind::OutOfMemory);
    }

    #[test]
    fn what_is_packed_opens_again() {
        let mut packed = Vec::new();
        Zst.pack(Box::new(b"some text".as_slice())).unwrap().read_to_end(&mut packed).unwrap();
        assert!(Zst.recognises(&packed));
        let mut text = Vec::new();
        Zst.open(Box::new(packed.as_slice())).unwrap().read_to_end(&mut text).unwrap();
        assert_eq!(text, b"some text");
    }
}
