//! gzip, one member or more.

use std::io;

use flate2::Compression;
use flate2::GzBuilder;
use flate2::read::MultiGzDecoder;

use super::compressed::Codec;
use crate::redact::decode::Stream;

pub(crate) struct Gz;

impl Codec for Gz {
    fn recognises(&self, head: &[u8]) -> bool {
        head.starts_with(b"\x1f\x8b\x08")
    }

    fn open<'a>(&self, packed: Stream<'a>) -> io::Result<Stream<'a>> {
        Ok(Box::new(MultiGzDecoder::new(packed)))
    }

    fn pack<'a>(&self, plain: Stream<'a>) -> io::Result<Stream<'a>> {
        // No name, no time, "unknown" as the system: nothing but the data.
        Ok(Box::new(GzBuilder::new().mtime(0).operating_system(255).read(plain, Compression::new(4))))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;
    use crate::redact::container::Opening;
    use crate::redact::error::RedactError;
    use crate::redact::rules::OpeningLimits;
    use crate::spool::Spools;

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzBuilder::new().filename("anna.log").mtime(7).write(Vec::new(), Compression::best());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn opened(bytes: &[u8], limits: &OpeningLimits) -> Result<Vec<u8>, RedactError> {
        let mut text = Vec::new();
        let opening = Opening::new(*limits, Spools::in_memory());
        let packed = opening.source(Box::new(bytes));
        opening.decoded(packed, |packed| Gz.open(packed))?.read_to_end(&mut text).map_err(RedactError::unwrap_io)?;
        Ok(text)
    }

    #[test]
    fn members_are_opened_and_packed_as_one_without_name_and_time() {
        let two = [packed(b"one "), packed(b"two")].concat();
        assert_eq!(opened(&two, &OpeningLimits::default()).unwrap(), b"one two");
        let mut again = Vec::new();
        Gz.pack(Box::new(b"x".as_slice())).unwrap().read_to_end(&mut again).unwrap();
        assert_eq!(again[3..8], [0, 0, 0, 0, 0], "no flags, no time");
        assert_eq!(opened(&again, &OpeningLimits::default()).unwrap(), b"x");
    }

    #[test]
    fn damage_and_bombs_are_told_apart() {
        let whole = packed(&[b'x'; 100_000]);
        let limits = OpeningLimits { free: 1000, ratio: 10, ..OpeningLimits::default() };
        assert!(matches!(opened(&whole, &limits), Err(RedactError::TooLarge)));
        assert!(matches!(opened(&whole[..whole.len() - 4], &OpeningLimits::default()), Err(RedactError::Damaged(_))));
        let mut flipped = packed(b"some text that is long enough");
        let middle = flipped.len() - 6;
        flipped[middle] ^= 0x55;
        assert!(matches!(opened(&flipped, &OpeningLimits::default()), Err(RedactError::Damaged(_))));
    }
}
