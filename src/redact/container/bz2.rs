//! bzip2, one stream or more.

use std::io;

use bzip2::Compression;
use bzip2::read::{BzEncoder, MultiBzDecoder};

use super::compressed::Codec;
use crate::redact::decode::Stream;

pub(crate) struct Bz2;

impl Codec for Bz2 {
    fn recognises(&self, head: &[u8]) -> bool {
        // "BZh", the size of blocks, and the mark of a block or of the end.
        head.starts_with(b"BZh")
            && head.get(3).is_some_and(|level| (b'1'..=b'9').contains(level))
            && matches!(head.get(4..10), Some(b"\x31\x41\x59\x26\x53\x59" | b"\x17\x72\x45\x38\x50\x90"))
    }

    fn open<'a>(&self, packed: Stream<'a>) -> io::Result<Stream<'a>> {
        Ok(Box::new(MultiBzDecoder::new(packed)))
    }

    fn pack<'a>(&self, plain: Stream<'a>) -> io::Result<Stream<'a>> {
        Ok(Box::new(BzEncoder::new(plain, Compression::best())))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut packed = Vec::new();
        Bz2.pack(Box::new(text)).unwrap().read_to_end(&mut packed).unwrap();
        packed
    }

    fn opened(packed: &[u8]) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        Bz2.open(Box::new(packed))?.read_to_end(&mut text)?;
        Ok(text)
    }

    #[test]
    fn streams_are_opened_as_one() {
        assert!(Bz2.recognises(&packed(b"some text")));
        assert!(Bz2.recognises(&packed(b"")));
        assert!(!Bz2.recognises(b"BZh9 is how it begins"));
        assert_eq!(opened(&[packed(b"one "), packed(b""), packed(b"two")].concat()).unwrap(), b"one two");
    }

    #[test]
    fn damage_and_what_follows_are_errors() {
        let whole = packed(&b"a line of a log\n".repeat(1000));
        assert!(opened(&whole[..whole.len() - 1]).is_err());
        assert!(opened(&[&whole, b"and more".as_slice()].concat()).is_err());
        let mut flipped = whole;
        flipped[30] ^= 1;
        assert!(opened(&flipped).is_err());
    }
}
