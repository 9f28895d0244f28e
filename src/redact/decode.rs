//! From bytes to text and back: encodings, and what is no text.

use std::io::{self, BufRead, Cursor, Read};

use encoding_rs::{Decoder, DecoderResult, UTF_16BE, UTF_16LE};

use super::error::RedactError;
use super::text::{HIGH, is};

/// A stream that can be given to another thread.
pub(crate) type Stream<'a> = Box<dyn Read + Send + 'a>;

/// How text was encoded, so that it can be encoded again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// UTF-8 or a one-byte encoding, as it is.
    Plain,
    /// UTF-8 with a byte order mark.
    Utf8Mark,
    /// UTF-16 with a byte order mark, its high byte first or not.
    Utf16 { big: bool },
}

/// How many bytes are looked at to tell what a stream is.
pub(crate) const HEAD: usize = 512;

/// Beginnings of formats that hold text between bytes of other kinds, and are not containers that are opened.
const NOT_TEXT: [&[u8]; 10] = [
    b"SQLite format 3\0",
    b"PK\x07\x08",
    b"7z\xbc\xaf\x27\x1c",
    b"BZh",
    b"\x7fELF",
    b"%PDF-",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"LPKSHHRH",
];

/// Looks at up to `most` bytes of a stream's beginning, and gives the stream back as it was.
pub(crate) fn peek<'a>(mut input: Stream<'a>, most: usize) -> Result<(Vec<u8>, Stream<'a>), RedactError> {
    let mut head = Vec::with_capacity(most);
    (&mut input).take(most as u64).read_to_end(&mut head).map_err(RedactError::unwrap_io)?;
    let whole = io::Cursor::new(head.clone()).chain(input);
    Ok((head, Box::new(whole)))
}

/// Gives text that begins with `head` in UTF-8 or a one-byte encoding, without a byte order mark.
///
/// What is known not to be text from its beginning is not readable.
pub(crate) fn open<'a>(head: &[u8], mut input: Stream<'a>) -> Result<(Stream<'a>, Encoding), RedactError> {
    if NOT_TEXT.iter().any(|start| head.starts_with(start)) {
        return Err(RedactError::NotReadable);
    }
    let (mark, encoding) = match head {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => return Err(RedactError::NotReadable), // UTF-32
        [0xef, 0xbb, 0xbf, ..] => (3, Encoding::Utf8Mark),
        [0xff, 0xfe, ..] => (2, Encoding::Utf16 { big: false }),
        [0xfe, 0xff, ..] => (2, Encoding::Utf16 { big: true }),
        _ => return Ok((input, Encoding::Plain)),
    };
    io::copy(&mut (&mut input).take(mark), &mut io::sink()).map_err(RedactError::unwrap_io)?;
    Ok(match encoding {
        Encoding::Utf16 { big } => (Box::new(FromUtf16::new(input, big)), encoding),
        _ => (input, encoding),
    })
}

/// Encodes redacted text as it was.
pub(crate) fn wrap(text: Stream<'_>, encoding: Encoding) -> Stream<'_> {
    match encoding {
        Encoding::Plain => text,
        Encoding::Utf8Mark => Box::new(b"\xef\xbb\xbf".as_slice().chain(text)),
        Encoding::Utf16 { big } => Box::new(ToUtf16::new(text, big)),
    }
}

/// Fails when a line of a chunk is not text: control characters within it, or mostly bytes that are no UTF-8.
///
/// Escape sequences of terminals are text, and so are rows of zero bytes at the edges of a line, as a crash leaves them.
pub(crate) fn check_text(chunk: &[u8]) -> Result<(), RedactError> {
    let (ascii, plain) = looks(chunk);
    let utf8 = ascii || simdutf8::basic::from_utf8(chunk).is_ok();
    if utf8 && plain {
        return Ok(());
    }
    let text = |line: &[u8]| is_text(line, utf8);
    if chunk.split(|&b| b == b'\n').all(text) { Ok(()) } else { Err(RedactError::NotReadable) }
}

/// Whether all bytes are ASCII, and whether none is a control character that text does not hold: in one go.
fn looks(bytes: &[u8]) -> (bool, bool) {
    let (mut high, mut odd) = (0, 0);
    let (chunks, rest) = bytes.as_chunks::<64>();
    let mut look = |bytes: &[u8]| {
        for &b in bytes {
            high |= b;
            odd |= u8::from(b < 0x20) & u8::from(b.wrapping_sub(9) > 4) & u8::from(b != 0x1b);
        }
    };
    chunks.iter().for_each(|chunk| look(chunk));
    look(rest);
    (high < 0x80, odd == 0)
}

fn controls(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&b| b < 0x20 && !(9..=13).contains(&b) && b != 0x1b).count()
}

fn is_text(line: &[u8], utf8: bool) -> bool {
    let start = line.iter().position(|&b| b != 0).unwrap_or(line.len());
    let end = line.iter().rposition(|&b| b != 0).map_or(start, |at| at + 1);
    let line = &line[start..end];
    // Text in UTF-16 has a zero in every other byte.
    let zeros = memchr::memchr_iter(0, line).count();
    if zeros >= 2 && zeros * 10 > line.len() {
        return false;
    }
    let odd = controls(line);
    if odd >= 4 && odd * 25 > line.len() {
        return false;
    }
    if utf8 || line.len() < 8 || std::str::from_utf8(line).is_ok() {
        return true;
    }
    let high = line.iter().filter(|&&b| is(b, HIGH)).count();
    high * 10 <= line.len() * 4
}

/// Gives UTF-16 as UTF-8; fails where it is not valid.
struct FromUtf16<R> {
    input: R,
    decoder: Decoder,
    bytes: Vec<u8>,
    text: Cursor<Vec<u8>>,
    ended: bool,
}

impl<R: Read> FromUtf16<R> {
    fn new(input: R, big: bool) -> Self {
        let encoding = if big { UTF_16BE } else { UTF_16LE };
        let decoder = encoding.new_decoder_without_bom_handling();
        Self { input, decoder, bytes: vec![0; 32 << 10], text: Cursor::default(), ended: false }
    }

    fn refill(&mut self) -> io::Result<()> {
        let count = self.input.read(&mut self.bytes)?;
        self.ended = count == 0;
        self.text.set_position(0);
        let text = self.text.get_mut();
        text.resize(3 * count + 16, 0);
        let (result, read, written) =
            self.decoder.decode_to_utf8_without_replacement(&self.bytes[..count], text, self.ended);
        if result != DecoderResult::InputEmpty || read != count {
            return Err(RedactError::NotReadable.into());
        }
        text.truncate(written);
        Ok(())
    }
}

impl<R: Read> Read for FromUtf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.text.fill_buf()?.is_empty() {
            if self.ended {
                return Ok(0);
            }
            self.refill()?;
        }
        self.text.read(buffer)
    }
}

/// Gives UTF-8 as UTF-16, with a byte order mark.
struct ToUtf16<R> {
    input: R,
    big: bool,
    text: Vec<u8>,
    units: Cursor<Vec<u8>>,
    ended: bool,
}

impl<R: Read> ToUtf16<R> {
    fn new(input: R, big: bool) -> Self {
        let mark = if big { vec![0xfe, 0xff] } else { vec![0xff, 0xfe] };
        Self { input, big, text: Vec::new(), units: Cursor::new(mark), ended: false }
    }

    fn refill(&mut self) -> io::Result<()> {
        let mut buffer = [0; 16 << 10];
        let count = self.input.read(&mut buffer)?;
        self.ended = count == 0;
        self.text.extend_from_slice(&buffer[..count]);
        self.units.set_position(0);
        let units = self.units.get_mut();
        units.clear();
        let valid = match std::str::from_utf8(&self.text) {
            Ok(text) => text.len(),
            Err(error) if error.error_len().is_none() && !self.ended => error.valid_up_to(),
            // The text came from UTF-16, and stand-ins are ASCII.
            Err(_) => return Err(RedactError::NotReadable.into()),
        };
        let (text, _) = self.text.split_at(valid);
        for unit in std::str::from_utf8(text).map_err(|_| RedactError::NotReadable)?.encode_utf16() {
            units.extend(if self.big { unit.to_be_bytes() } else { unit.to_le_bytes() });
        }
        self.text.drain(..valid);
        Ok(())
    }
}

impl<R: Read> Read for ToUtf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.units.fill_buf()?.is_empty() {
            if self.ended {
                return Ok(0);
            }
            self.refill()?;
        }
        self.units.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roundtrip(bytes: &[u8]) -> Result<(String, Vec<u8>), RedactError> {
        let (head, input) = peek(Box::new(bytes), HEAD)?;
        let (mut text, encoding) = open(&head, input)?;
        let mut plain = Vec::new();
        text.read_to_end(&mut plain).map_err(RedactError::unwrap_io)?;
        let mut back = Vec::new();
        wrap(Box::new(plain.as_slice()), encoding).read_to_end(&mut back).map_err(RedactError::unwrap_io)?;
        Ok((String::from_utf8_lossy(&plain).into_owned(), back))
    }

    #[test]
    fn text_comes_back_in_the_encoding_it_had() {
        let text = "Zsófia 😀\r\nend";
        let mut little = vec![0xff, 0xfe];
        text.encode_utf16().for_each(|unit| little.extend(unit.to_le_bytes()));
        let mut big = vec![0xfe, 0xff];
        text.encode_utf16().for_each(|unit| big.extend(unit.to_be_bytes()));
        let marked = [b"\xef\xbb\xbf", text.as_bytes()].concat();
        for bytes in [text.as_bytes(), &little, &big, &marked] {
            let (plain, back) = roundtrip(bytes).unwrap();
            assert_eq!(plain, text);
            assert_eq!(back, bytes);
        }
    }

    #[test]
    fn utf_16_that_is_not_valid_is_not_read() {
        assert!(matches!(roundtrip(b"\xff\xfea\0\x00\xd8b\0"), Err(RedactError::NotReadable)));
        assert!(matches!(roundtrip(b"\xff\xfea\0b"), Err(RedactError::NotReadable)));
    }

    #[test]
    fn binary_bytes_are_not_text() {
        for text in [
            b"plain\n".as_slice(),
            b"M\xfcller, Bj\xf6rn ist da\n",
            b"\x1b[31mred\x1b[0m",
            b"\0\0\0\0\0\0\0\0Nov 21\n",
            b"",
        ] {
            assert!(check_text(text).is_ok(), "{text:?}");
        }
        let utf16: Vec<u8> = "Habersaat and more".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let koi8 = b"\xef\xd4\xcb\xd2\xd9\xd4\xcf \xd3\xcf\xc5\xc4\xc9\xce\xc5\xce\xc9\xc5";
        for binary in [utf16.as_slice(), koi8, b"\x01\x02\x03\x04\x05ab"] {
            assert!(check_text(binary).is_err(), "{binary:?}");
        }
    }
}
