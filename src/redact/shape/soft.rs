//! Soft line ends: an equals sign at the end of a line of quoted-printable text, where the line goes on in the next
//! (RFC 2045, section 6.7).
//!
//! Such a line end may divide a name. So the lines are read as one, with a character between them that cannot be seen; in
//! what is redacted it becomes the line end again, unless it stood within a value. Nothing else of the text changes.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use super::super::error::RedactError;
use super::super::text::{HEX, byte, is};

/// Longest line of quoted-printable text, in bytes; the standard allows 76 and the line end.
const LONGEST: usize = 80;
/// How long lines become that are read as one, in bytes.
const MOST: usize = 32 << 10;
/// How much of a line is held, in bytes.
const PIECE: u64 = 64 << 10;
/// What stands for `=` and a line feed, and for `=`, a carriage return and a line feed: U+2063 and U+2064, which no text in
/// seven bits holds.
const MARKS: [(&[u8], &[u8]); 2] = [("\u{2063}".as_bytes(), b"=\n"), ("\u{2064}".as_bytes(), b"=\r\n")];

/// Whether a text that begins like this holds quoted-printable text: as mail it may, or a header says so, or every equals
/// sign is one of that kind and some of them say so.
pub(super) fn recognises(head: &[u8]) -> bool {
    if memchr::memchr(b'=', head).is_none() {
        return false;
    }
    let begins =
        |line: &[u8], header: &[u8]| line.len() >= header.len() && line[..header.len()].eq_ignore_ascii_case(header);
    let first = head.split(|&b| b == b'\n').next().unwrap_or_default();
    let mail = [b"From ".as_slice(), b"Return-Path:", b"Received:", b"Delivered-To:", b"MIME-Version:"];
    if mail.iter().any(|header| begins(first, header)) {
        return true;
    }
    let says = |line: &[u8]| {
        let value = begins(line, b"Content-Transfer-Encoding:").then(|| line[26..].trim_ascii());
        value.is_some_and(|value| value.eq_ignore_ascii_case(b"quoted-printable"))
    };
    if head.split(|&b| b == b'\n').any(says) {
        return true;
    }
    let whole = head.iter().rposition(|&b| b == b'\n').map_or(head.len(), |end| end + 1);
    let mut lines = head[..whole].split_inclusive(|&b| b == b'\n');
    lines.clone().any(|line| soft_end(line).is_some())
        && memchr::memchr_iter(b'=', head)
            .any(|at| matches!(byte(head, at + 1), b'C'..=b'F') && byte(head, at + 3) == b'=')
        && lines.all(is_plain)
}

/// Whether every equals sign of a line is one of quoted-printable text.
fn is_plain(line: &[u8]) -> bool {
    let line = line.trim_ascii_end();
    memchr::memchr_iter(b'=', line)
        .all(|at| at + 1 == line.len() || is(byte(line, at + 1), HEX) && is(byte(line, at + 2), HEX))
}

/// Where the soft line end of a line begins, and which it is.
fn soft_end(line: &[u8]) -> Option<(usize, usize)> {
    let (which, (_, end)) = MARKS.iter().enumerate().find(|(_, (_, end))| line.ends_with(end))?;
    let start = line.len() - end.len();
    (start > 0 && line.len() <= LONGEST && is_plain(&line[..start])).then_some((start, which))
}

/// Whether a line may be the rest of the one before: no border between parts, no end of a text.
fn goes_on(line: &[u8]) -> bool {
    line.len() <= LONGEST && !line.trim_ascii().is_empty() && !line.starts_with(b"--") && is_plain(line)
}

/// Gives lines that go on behind a soft line end as one.
pub(super) struct FromSoft<R> {
    input: BufReader<R>,
    text: Cursor<Vec<u8>>,
    /// The line that was read and belongs to nothing before it.
    next: Vec<u8>,
    /// Whether a line began that is longer than a piece.
    within: bool,
}

impl<R: Read> FromSoft<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input: BufReader::new(input), text: Cursor::default(), next: Vec::new(), within: false }
    }

    fn line(&mut self) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        (&mut self.input).take(PIECE).read_until(b'\n', &mut line)?;
        // Nobody writes these; in the result they would be line ends.
        if MARKS.iter().any(|(mark, _)| memchr::memmem::find(&line, mark).is_some()) {
            return Err(RedactError::NotReadable.into());
        }
        Ok(line)
    }

    fn refill(&mut self) -> io::Result<()> {
        let mut text = std::mem::take(&mut self.next);
        if text.is_empty() {
            text = self.line()?;
        }
        let within = std::mem::replace(&mut self.within, text.last().is_some_and(|&b| b != b'\n'));
        let mut from = 0;
        while !within
            && text.len() < MOST
            && let Some((start, which)) = soft_end(&text[from..])
        {
            let next = self.line()?;
            if !goes_on(&next) {
                self.next = next;
                break;
            }
            text.truncate(from + start);
            text.extend_from_slice(MARKS[which].0);
            from = text.len();
            text.extend_from_slice(&next);
        }
        self.text = Cursor::new(text);
        Ok(())
    }
}

impl<R: Read> Read for FromSoft<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.text.fill_buf()?.is_empty() {
            self.refill()?;
        }
        self.text.read(buffer)
    }
}

/// Gives such lines with their soft line ends again.
pub(super) struct ToSoft<R> {
    input: BufReader<R>,
    text: Cursor<Vec<u8>>,
}

impl<R: Read> ToSoft<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input: BufReader::new(input), text: Cursor::default() }
    }

    fn refill(&mut self) -> io::Result<()> {
        let mut line = Vec::new();
        (&mut self.input).take(PIECE).read_until(b'\n', &mut line)?;
        // A mark is not cut: its last byte is read with it.
        while [0xe2, 0x81].contains(line.last().unwrap_or(&0)) && (&mut self.input).take(1).read_to_end(&mut line)? > 0
        {
        }
        self.text.set_position(0);
        let text = self.text.get_mut();
        text.clear();
        let mut copied = 0;
        for at in memchr::memmem::find_iter(&line, b"\xe2\x81") {
            if let Some((mark, end)) = MARKS.iter().find(|(mark, _)| line[at..].starts_with(mark)) {
                text.extend_from_slice(&line[copied..at]);
                text.extend_from_slice(end);
                copied = at + mark.len();
            }
        }
        text.extend_from_slice(&line[copied..]);
        Ok(())
    }
}

impl<R: Read> Read for ToSoft<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.text.fill_buf()?.is_empty() {
            self.refill()?;
        }
        self.text.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back(text: &[u8]) -> (String, Vec<u8>) {
        let (mut joined, mut back) = (String::new(), Vec::new());
        FromSoft::new(text).read_to_string(&mut joined).unwrap();
        ToSoft::new(joined.as_bytes()).read_to_end(&mut back).unwrap();
        (joined, back)
    }

    #[test]
    fn lines_that_go_on_are_one_and_come_back_as_they_were() {
        let long = format!("{}=\n", "x".repeat(200_000));
        for (text, joined) in [
            ("Otti=\nlie Haber=\nsaat\nend\n", "Otti\u{2063}lie Haber\u{2063}saat\nend\n"),
            ("J=C3=B6rg is=20=\r\nhere=\r\n\r\n", "J=C3=B6rg is=20\u{2064}here=\r\n\r\n"),
            // Borders, values and what is no such text stay apart.
            ("text=\n--part\n", "text=\n--part\n"),
            ("a=b=\nc\n", "a=b=\nc\n"),
            ("empty=\npassword=hunter22\n", "empty=\npassword=hunter22\n"),
            ("=\nx\n", "=\nx\n"),
            ("ends=", "ends="),
            ("ends=\n", "ends=\n"),
            (&long, &long),
        ] {
            let (read, back) = there_and_back(text.as_bytes());
            assert!(read == joined, "{text:?}");
            assert!(back == text.as_bytes(), "{text:?}");
        }
        let endless = "ab=\n".repeat(100_000);
        let (joined, back) = there_and_back(endless.as_bytes());
        assert!(joined.lines().all(|line| line.len() < MOST + LONGEST) && back == endless.as_bytes());
    }

    #[test]
    fn a_mark_in_the_text_itself_is_not_read() {
        assert!(FromSoft::new("x\u{2063}y\n".as_bytes()).read_to_end(&mut Vec::new()).is_err());
    }

    #[test]
    fn mail_and_quoted_printable_text_are_recognised() {
        for text in [
            "Subject: x\r\ncontent-transfer-encoding: Quoted-Printable\r\n\r\nx=\r\ny",
            "Return-Path: <a@b.example>\nX: a=b\n",
            "Hello J=C3=B6rg, and Otti=\nlie\n",
        ] {
            assert!(recognises(text.as_bytes()), "{text}");
        }
        for text in ["user=anna\n", "empty=\nnext=\n", "name=J=C3=B6rg\nempty=\n", "a=41=\nb\n", "Fromage = x\n", ""] {
            assert!(!recognises(text.as_bytes()), "{text}");
        }
    }
}
