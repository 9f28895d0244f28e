//! Zstandard.

use std::io;

use super::compressed::Codec;
use crate::redact::decode::Stream;

pub(crate) struct Zst;

/// Largest window, as a power of two: 128 MiB would be the memory a hostile file could ask for, 8 MiB is what tools use.
const WINDOW: u32 = 23;

impl Codec for Zst {
    fn recognises(&self, head: &[u8]) -> bool {
        head.starts_with(b"\x28\xb5\x2f\xfd")
    }

    fn open<'a>(&self, packed: Stream<'a>) -> io::Result<Stream<'a>> {
        let mut decoder = zstd::stream::read::Decoder::new(packed)?;
        decoder.window_log_max(WINDOW)?;
        Ok(Box::new(decoder))
    }

    fn pack<'a>(&self, plain: Stream<'a>) -> io::Result<Stream<'a>> {
        Ok(Box::new(zstd::stream::read::Encoder::new(plain, 3)?))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

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
