//! xz, one stream or more.

use std::io::{self, BufRead, Cursor, Read, Write};

use lzma_rust2::{XzOptions, XzReader, XzWriter};

use super::compressed::Codec;
use crate::redact::decode::Stream;

pub(crate) struct Xz;

/// Most memory a decoder may take, in KiB: the dictionary of `xz -9` is 64 MiB, and something is needed besides.
const MEMORY: u32 = 65 << 10;
/// As fast as it goes without becoming much larger.
const PRESET: u32 = 2;

impl Codec for Xz {
    fn recognises(&self, head: &[u8]) -> bool {
        head.starts_with(b"\xfd7zXZ\0")
    }

    fn open<'a>(&self, packed: Stream<'a>) -> io::Result<Stream<'a>> {
        Ok(Box::new(XzReader::new_mem_limit(packed, true, MEMORY)))
    }

    fn pack<'a>(&self, plain: Stream<'a>) -> io::Result<Stream<'a>> {
        let writer = XzWriter::new(Vec::new(), XzOptions::with_preset(PRESET))?;
        Ok(Box::new(Packing { plain, buffer: vec![0; 64 << 10], writer: Some(writer), packed: Cursor::default() }))
    }
}

/// Reads what a writer has packed.
struct Packing<'a> {
    plain: Stream<'a>,
    buffer: Vec<u8>,
    /// `None` after its end.
    writer: Option<XzWriter<Vec<u8>>>,
    packed: Cursor<Vec<u8>>,
}

impl Read for Packing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.packed.fill_buf()?.is_empty() {
            let Some(mut writer) = self.writer.take() else { return Ok(0) };
            self.packed.set_position(0);
            self.packed.get_mut().clear();
            let count = match self.plain.read(&mut self.buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                    self.writer = Some(writer);
                    return Err(error);
                }
                read => read?,
            };
            if count == 0 {
                *self.packed.get_mut() = writer.finish()?;
            } else {
                writer.write_all(&self.buffer[..count])?;
                std::mem::swap(self.packed.get_mut(), writer.inner_mut());
                self.writer = Some(writer);
            }
        }
        self.packed.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut packed = Vec::new();
        Xz.pack(Box::new(text)).unwrap().read_to_end(&mut packed).unwrap();
        packed
    }

    fn opened(packed: &[u8]) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        Xz.open(Box::new(packed))?.read_to_end(&mut text)?;
        Ok(text)
    }

    #[test]
    fn streams_and_the_zeros_between_them_are_opened_as_one() {
        let text = b"a line of a log\n".repeat(20_000);
        assert!(Xz.recognises(&packed(b"")));
        assert_eq!(opened(&packed(b"")).unwrap(), b"");
        assert!(opened(&packed(&text)).unwrap() == text);
        assert_eq!(opened(&[packed(b"one ").as_slice(), &[0; 8], &packed(b"two")].concat()).unwrap(), b"one two");
    }

    #[test]
    fn damage_and_what_follows_are_errors() {
        let whole = packed(&b"a line of a log\n".repeat(1000));
        for cut in [13, whole.len() / 2, whole.len() - 12, whole.len() - 1] {
            assert!(opened(&whole[..cut]).is_err(), "{cut}");
        }
        assert!(opened(&[whole.as_slice(), b"and more"].concat()).is_err());
        for place in [20, whole.len() / 2, whole.len() - 30] {
            let mut flipped = whole.clone();
            flipped[place] ^= 1;
            assert!(opened(&flipped).is_err(), "{place}");
        }
    }

    #[test]
    fn a_dictionary_that_is_too_large_is_refused_before_it_is_made() {
        let mut options = XzOptions::with_preset(1);
        options.lzma_options.dict_size = 256 << 20;
        let mut writer = XzWriter::new(Vec::new(), options).unwrap();
        writer.write_all(b"text").unwrap();
        let error = opened(&writer.finish().unwrap()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::OutOfMemory);
        let mut largest = XzWriter::new(Vec::new(), XzOptions::with_preset(9)).unwrap();
        largest.write_all(b"text").unwrap();
        assert_eq!(opened(&largest.finish().unwrap()).unwrap(), b"text");
    }
}
