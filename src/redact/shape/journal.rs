//! The export format of systemd's journal: `KEY=value` lines, and fields of any bytes with their length before them.
//!
//! See systemd's documentation, "Journal Export Formats". A field that holds a line end or a control character is written as
//! its name, a line end, its length in 8 bytes with the lowest first, its bytes, and a line end. Redacted, it has another
//! length. So such a field is read as text: `KEY=` and its lines, each behind a vertical tab, which no other field's value
//! begins with; afterwards it is written as it was, with its new length.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use super::super::error::RedactError;

/// Longest field that is read, in bytes; a core dump is larger.
const MOST: u64 = 4 << 20;
/// How much of a line is held, in bytes.
const PIECE: u64 = 64 << 10;
/// What stands before each line of a field of any bytes.
const MARK: u8 = 0x0b;
/// What stands for a field that is not text, or too long.
const LEFT_OUT: &[u8] = b"[not text]";

/// Whether a text that begins like this is an export of the journal.
pub(super) fn recognises(head: &[u8]) -> bool {
    head.starts_with(b"__REALTIME_TIMESTAMP=")
        || head.starts_with(b"__CURSOR=") && memchr::memmem::find(head, b"\n__REALTIME_TIMESTAMP=").is_some()
}

/// Gives an export as text.
pub(super) struct FromExport<R> {
    input: BufReader<R>,
    text: Cursor<Vec<u8>>,
    in_value: bool,
}

impl<R: Read> FromExport<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input: BufReader::with_capacity(64 << 10, input), text: Cursor::default(), in_value: false }
    }

    fn refill(&mut self) -> io::Result<()> {
        self.text.set_position(0);
        let text = self.text.get_mut();
        text.clear();
        (&mut self.input).take(PIECE).read_until(b'\n', text)?;
        let ended = text.last() == Some(&b'\n');
        if std::mem::replace(&mut self.in_value, !ended) || text.len() <= 1 {
            return Ok(());
        }
        match memchr::memchr(b'=', text) {
            // A value like that would be taken for a field of any bytes.
            Some(sign) if text.get(sign + 1) == Some(&MARK) => Err(RedactError::NotReadable.into()),
            Some(_) => Ok(()),
            None if ended => self.field(),
            None => Err(RedactError::NotReadable.into()),
        }
    }

    /// Reads the field whose name was read.
    fn field(&mut self) -> io::Result<()> {
        let text = self.text.get_mut();
        text.pop();
        if text.iter().any(|&b| !b.is_ascii_alphanumeric() && b != b'_') {
            return Err(RedactError::NotReadable.into());
        }
        let mut length = [0; 8];
        self.input.read_exact(&mut length)?;
        let length = u64::from_le_bytes(length);
        let mut value = Vec::new();
        if length <= MOST {
            if (&mut self.input).take(length).read_to_end(&mut value)? as u64 != length {
                return Err(RedactError::NotReadable.into());
            }
        } else if io::copy(&mut (&mut self.input).take(length), &mut io::sink())? != length {
            return Err(RedactError::NotReadable.into());
        }
        let mut end = [0];
        self.input.read_exact(&mut end)?;
        if end != *b"\n" {
            return Err(RedactError::NotReadable.into());
        }
        let is_text = length <= MOST && std::str::from_utf8(&value).is_ok() && !value.contains(&0);
        text.push(b'=');
        for line in if is_text { &value } else { LEFT_OUT }.split(|&b| b == b'\n') {
            text.push(MARK);
            text.extend_from_slice(line);
            text.push(b'\n');
        }
        Ok(())
    }
}

impl<R: Read> Read for FromExport<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.text.fill_buf()?.is_empty() {
            self.refill()?;
        }
        self.text.read(buffer)
    }
}

/// Gives such a text as an export again.
pub(super) struct ToExport<R> {
    input: BufReader<R>,
    out: Cursor<Vec<u8>>,
    /// The line that was read after a field.
    next: Vec<u8>,
    in_value: bool,
}

impl<R: Read> ToExport<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input: BufReader::with_capacity(64 << 10, input),
            out: Cursor::default(),
            next: Vec::new(),
            in_value: false,
        }
    }

    fn refill(&mut self) -> io::Result<()> {
        self.out.set_position(0);
        let out = self.out.get_mut();
        *out = std::mem::take(&mut self.next);
        if out.is_empty() {
            (&mut self.input).take(PIECE).read_until(b'\n', out)?;
        }
        let in_value = std::mem::replace(&mut self.in_value, out.last() != Some(&b'\n'));
        if in_value || out.len() <= 1 {
            return Ok(());
        }
        let Some(sign) = memchr::memchr(b'=', out) else {
            // No line of an export: what was dropped there was more than a value.
            return Err(RedactError::NotReadable.into());
        };
        if out.get(sign + 1) == Some(&MARK) {
            self.field(sign)?;
        }
        Ok(())
    }

    fn field(&mut self, sign: usize) -> io::Result<()> {
        let out = self.out.get_mut();
        let mut value = out.split_off(sign + 2);
        out.truncate(sign);
        let mut at_start = !self.in_value;
        loop {
            let from = value.len();
            (&mut self.input).take(PIECE).read_until(b'\n', &mut value)?;
            if value.len() == from {
                break;
            }
            if at_start {
                if value[from] != MARK {
                    self.next = value.split_off(from);
                    break;
                }
                value.remove(from);
            }
            at_start = value.last() == Some(&b'\n');
        }
        self.in_value = false;
        if value.last() == Some(&b'\n') {
            value.pop();
        }
        out.push(b'\n');
        out.extend_from_slice(&(value.len() as u64).to_le_bytes());
        out.append(&mut value);
        out.push(b'\n');
        Ok(())
    }
}

impl<R: Read> Read for ToExport<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.out.fill_buf()?.is_empty() {
            self.refill()?;
        }
        self.out.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back(bytes: &[u8]) -> io::Result<(Vec<u8>, Vec<u8>)> {
        let (mut text, mut back) = (Vec::new(), Vec::new());
        FromExport::new(bytes).read_to_end(&mut text)?;
        ToExport::new(text.as_slice()).read_to_end(&mut back)?;
        Ok((text, back))
    }

    fn field(name: &str, value: &[u8]) -> Vec<u8> {
        [name.as_bytes(), b"\n", &(value.len() as u64).to_le_bytes(), value, b"\n"].concat()
    }

    #[test]
    fn fields_of_any_bytes_become_text_and_come_back() {
        let long = "x".repeat(200_000);
        for value in ["a\nb", "\n", "", "one\n\n\x0btwo", long.as_str(), "a\n"] {
            let export = [b"__CURSOR=s\n".as_slice(), &field("MESSAGE", value.as_bytes()), b"PRIORITY=6\n\n"].concat();
            let (text, back) = there_and_back(&export).unwrap();
            assert_eq!(back, export, "{value:.20}");
            assert!(text.starts_with(b"__CURSOR=s\nMESSAGE=\x0b") && text.ends_with(b"PRIORITY=6\n\n"));
        }
    }

    #[test]
    fn what_is_not_text_is_left_out_of_its_field() {
        let export = [b"__CURSOR=s\n".as_slice(), &field("COREDUMP", b"\x7fELF\0\0\xff"), b"A=1\n"].concat();
        let (_, back) = there_and_back(&export).unwrap();
        assert_eq!(back, [b"__CURSOR=s\n".as_slice(), &field("COREDUMP", LEFT_OUT), b"A=1\n"].concat());
    }

    #[test]
    fn damaged_exports_are_not_read() {
        for bad in [
            b"MESSAGE\n\x05\0\0\0\0\0\0\0ab".as_slice(),
            b"MESSAGE\n\x01\0\0\0\0\0\0\0abc\n",
            b"no field\n",
            b"A=\x0bx\n",
        ] {
            assert!(there_and_back(bad).is_err(), "{bad:?}");
        }
        assert!(ToExport::new(b"A=1\n[secret]\n".as_slice()).read_to_end(&mut Vec::new()).is_err());
    }
}
