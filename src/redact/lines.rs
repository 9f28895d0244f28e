//! Cuts a stream into chunks of whole lines, and chunks into lines.
//!
//! A line longer than [`LONGEST`] is read in pieces that end where a value ends. Where the pieces end depends on the line
//! alone, never on the size of the chunks.

use std::io::Read;
use std::ops::Range;

use super::error::RedactError;
use super::pem::Pem;
use super::shape::Shape;

/// Longest line that is read as a whole, in bytes.
pub(crate) const LONGEST: usize = 256 << 10;
/// How far back from there a place to cut is looked for.
const CUT_WITHIN: usize = 128 << 10;
/// How much of the line before is remembered.
const CONTEXT: usize = 4 << 10;

/// Whole lines, or one piece of a very long line.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(crate) bytes: Vec<u8>,
    /// The end of the line before, without its line end.
    pub(crate) context: Vec<u8>,
    /// Whether the first line lies within a private key.
    pub(crate) pem: Pem,
    /// What the text is, and where in it the first line stands.
    pub(crate) shape: Shape,
    /// The number of the first line, counted from 1.
    pub(crate) line: u64,
}

impl Chunk {
    /// A text that stands alone: nothing before it, and no shape.
    pub(crate) fn alone(text: impl Into<Vec<u8>>) -> Self {
        Self { bytes: text.into(), context: Vec::new(), pem: Pem::Outside, shape: Shape::default(), line: 1 }
    }
}

/// Cuts a stream into chunks.
pub(crate) struct Splitter<R> {
    input: R,
    size: usize,
    rest: Vec<u8>,
    ended: bool,
    context: Vec<u8>,
    pem: Pem,
    shape: Shape,
    line: u64,
}

impl<R: Read> Splitter<R> {
    /// Chunks are about `size` bytes; a chunk is longer when its only line is.
    pub(crate) fn new(input: R, size: usize) -> Self {
        Self {
            input,
            size: size.max(1),
            rest: Vec::new(),
            ended: false,
            context: Vec::new(),
            pem: Pem::Outside,
            shape: Shape::default(),
            line: 1,
        }
    }

    /// Begins within a private key, when that is where the text before ended.
    pub(crate) fn within(mut self, pem: Pem) -> Self {
        self.pem = pem;
        self
    }

    /// Reads a text of this shape.
    pub(crate) fn shaped(mut self, shape: Shape) -> Self {
        self.shape = shape;
        self
    }

    /// The next chunk; `None` after the last.
    pub(crate) fn next_chunk(&mut self) -> Result<Option<Chunk>, RedactError> {
        let mut searched = 0;
        let mut want = self.size;
        let end = loop {
            self.fill(want)?;
            if self.ended && self.rest.len() <= want {
                if self.rest.is_empty() {
                    return Ok(None);
                }
                break self.rest.len();
            }
            if let Some(at) = memchr::memrchr(b'\n', &self.rest[searched..]) {
                break searched + at + 1;
            }
            if self.rest.len() > LONGEST {
                break cut(&self.rest[..LONGEST]).ok_or(RedactError::LineTooLong)?;
            }
            searched = self.rest.len();
            want = self.rest.len() + self.size.max(64 << 10);
        };
        let rest = self.rest.split_off(end);
        let bytes = std::mem::replace(&mut self.rest, rest);
        let chunk = Chunk {
            context: std::mem::take(&mut self.context),
            pem: self.pem,
            shape: self.shape.clone(),
            line: self.line,
            bytes,
        };
        self.context = last_line(&chunk.bytes)?;
        self.pem = self.pem.after(&chunk.bytes);
        self.shape.pass(&chunk.bytes);
        self.line += u64::try_from(memchr::memchr_iter(b'\n', &chunk.bytes).count()).unwrap_or(u64::MAX);
        Ok(Some(chunk))
    }

    fn fill(&mut self, want: usize) -> Result<(), RedactError> {
        if !self.ended && self.rest.len() <= want {
            let missing = want + 1 - self.rest.len();
            (&mut self.input).take(missing as u64).read_to_end(&mut self.rest).map_err(RedactError::unwrap_io)?;
            self.ended = self.rest.len() <= want;
        }
        Ok(())
    }
}

/// The end of a chunk's last line, as the next line remembers it.
pub(crate) fn last_line(bytes: &[u8]) -> Result<Vec<u8>, RedactError> {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let start = memchr::memrchr(b'\n', bytes).map_or(0, |at| at + 1);
    let last = units(&bytes[start..]).last().transpose()?.unwrap_or_default();
    Ok(tail(&bytes[start..][last]).to_vec())
}

/// Whether a line says what the next one holds: `"password":`, or `- name: DB_PASSWORD` above `value:`.
pub(crate) fn leads_on(line: &[u8]) -> bool {
    matches!(line.trim_ascii_end().last(), Some(b':' | b'=')) || names_next(line)
}

fn names_next(line: &[u8]) -> bool {
    let name = line.trim_ascii_start();
    let name = name.strip_prefix(b"- ").unwrap_or(name);
    line.len() < 256 && (name.starts_with(b"name:") || name.starts_with(b"key:"))
}

/// The end of a line, as the next line remembers it.
pub(crate) fn tail(line: &[u8]) -> &[u8] {
    &line[line.len().saturating_sub(CONTEXT)..]
}

/// The lines of a chunk, and the pieces of its very long lines, without line ends.
pub(crate) fn units(bytes: &[u8]) -> impl Iterator<Item = Result<Range<usize>, RedactError>> {
    let mut at = 0;
    let mut line_end = None;
    std::iter::from_fn(move || {
        if at >= bytes.len() {
            return None;
        }
        let end = *line_end
            .get_or_insert_with(|| memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |length| at + length));
        let start = at;
        if end - start <= LONGEST {
            at = end + 1;
            line_end = None;
            return Some(Ok(start..end));
        }
        match cut(&bytes[start..start + LONGEST]) {
            Some(length) => {
                at = start + length;
                Some(Ok(start..at))
            }
            None => {
                at = bytes.len();
                line_end = None;
                Some(Err(RedactError::LineTooLong))
            }
        }
    })
}

/// Where a piece of a very long line ends: after a value of JSON, or between words outside quotation marks. `None` where
/// cutting could divide a value.
fn cut(piece: &[u8]) -> Option<usize> {
    let from = piece.len() - CUT_WITHIN;
    let window = &piece[from..];
    for ending in [b"},".as_slice(), b"\",", b"],"] {
        if let Some(at) = memchr::memmem::rfind(window, ending) {
            return Some(from + at + ending.len());
        }
    }
    let at = from + memchr::memrchr2(b' ', b';', window)?;
    // A quotation that is open here could be a value's.
    let quoted = memchr::memchr2(b'"', b'\'', &piece[at.saturating_sub(CONTEXT)..at]).is_some();
    (!quoted).then_some(at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_units(text: &[u8], size: usize) -> Result<Vec<Vec<u8>>, RedactError> {
        let mut splitter = Splitter::new(text, size);
        let mut all = Vec::new();
        while let Some(chunk) = splitter.next_chunk()? {
            for unit in units(&chunk.bytes) {
                all.push(chunk.bytes[unit?].to_vec());
            }
        }
        Ok(all)
    }

    #[test]
    fn the_size_of_chunks_makes_no_difference() {
        let long = (0..60_000).fold(String::from("["), |line, n| format!("{line}{{\"n\":{n}}},"));
        for text in [
            format!("a\n\nbb\r\n{long}\nend"),
            long.clone(),
            "x".into(),
            "x\n".into(),
            "\n".into(),
            format!("{long}\n"),
        ] {
            let expected = all_units(text.as_bytes(), 1).unwrap();
            assert!(expected.iter().all(|unit| unit.len() <= LONGEST));
            for size in [2, 7, 1000, 100_000, 300_000, 1 << 20] {
                assert!(all_units(text.as_bytes(), size).unwrap() == expected, "size {size}");
            }
            let ends = expected.iter().map(Vec::len).sum::<usize>();
            assert_eq!(ends + text.bytes().filter(|&b| b == b'\n').count(), text.len());
        }
    }

    #[test]
    fn a_very_long_line_without_a_place_to_cut_is_not_read() {
        let blob = vec![b'A'; LONGEST + 1];
        assert!(matches!(all_units(&blob, 1 << 20), Err(RedactError::LineTooLong)));
        assert!(matches!(all_units(&blob, 1 << 10), Err(RedactError::LineTooLong)));
    }
}
