//! Reads lines with their places, holding a part of one line at most.

use std::io::{self, Read};

use memchr::memchr;

use super::stamp::LOOKED_AT;

/// Bytes that are read at a time.
const BUFFER: usize = 256 << 10;

/// Lines of a reader.
pub(in crate::collect) struct Lines<R> {
    reader: R,
    buffer: Vec<u8>,
    /// What of the buffer is filled and not yet given.
    start: usize,
    end: usize,
    /// Where the byte at `start` stands.
    position: u64,
    over: bool,
}

/// A piece of a line: the whole of it, or as much as the buffer holds.
pub(in crate::collect) struct Piece {
    /// Where it begins.
    pub(in crate::collect) position: u64,
    /// Whether a line begins with it.
    pub(in crate::collect) first: bool,
    start: usize,
    end: usize,
}

impl<R: Read> Lines<R> {
    /// Reads from `position` on, which is where the reader stands.
    pub(in crate::collect) fn new(reader: R, position: u64) -> Self {
        Self { reader, buffer: vec![0; BUFFER], start: 0, end: 0, position, over: false }
    }

    /// The next piece; `first` says whether the one before ended its line.
    fn piece(&mut self, first: bool) -> io::Result<Option<Piece>> {
        let mut looked = self.start;
        loop {
            if let Some(at) = memchr(b'\n', &self.buffer[looked..self.end]) {
                return Ok(Some(self.take(looked + at + 1, first)));
            }
            looked = self.end;
            let whole = self.end - self.start;
            // Of a line that goes on a piece is enough, if it shows the stamp.
            if self.over || (whole >= BUFFER / 2) || (!first && whole > 0) {
                return Ok((whole > 0).then(|| self.take(self.end, first)));
            }
            if self.end == self.buffer.len() {
                self.buffer.copy_within(self.start..self.end, 0);
                (self.start, self.end) = (0, whole);
                looked = whole;
            }
            match self.reader.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.over = true,
                Ok(length) => self.end += length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn take(&mut self, end: usize, first: bool) -> Piece {
        let piece = Piece { position: self.position, first, start: self.start, end };
        self.position += (end - self.start) as u64;
        self.start = end;
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
        piece
    }

    /// Hands every piece with its bytes to `each`, until that says to stop.
    pub(in crate::collect) fn for_each(
        &mut self,
        mut each: impl FnMut(&Piece, &[u8]) -> io::Result<bool>,
    ) -> io::Result<()> {
        let mut first = true;
        while let Some(piece) = self.piece(first)? {
            let bytes = &self.buffer[piece.start..piece.end];
            first = bytes.last() == Some(&b'\n');
            if !each(&piece, bytes)? {
                return Ok(());
            }
        }
        Ok(())
    }
}

const _: () = assert!(BUFFER / 2 > LOOKED_AT);

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a few bytes at a time.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = self.1.min(self.0.len()).min(buffer.len());
            buffer[..length].copy_from_slice(&self.0[..length]);
            self.0 = &self.0[length..];
            Ok(length)
        }
    }

    #[test]
    fn lines_come_whole_and_in_order_however_the_bytes_come() {
        let long = "x".repeat(BUFFER * 2 + 7);
        let text = format!("one\n\ntwo\r\n{long}\nlast without an end");
        for step in [1, 3, 1000, BUFFER, usize::MAX] {
            let mut lines: Vec<Vec<u8>> = Vec::new();
            let mut expected = 0;
            let mut begins = Vec::new();
            Lines::new(Slow(text.as_bytes(), step), 0)
                .for_each(|piece, bytes| {
                    assert_eq!(piece.position, expected);
                    expected += bytes.len() as u64;
                    if piece.first {
                        begins.push(piece.position);
                        lines.push(Vec::new());
                    }
                    lines.last_mut().unwrap().extend(bytes);
                    Ok(true)
                })
                .unwrap();
            assert_eq!(lines.concat(), text.as_bytes(), "{step}");
            assert_eq!(lines.len(), 5);
            assert_eq!(begins[..4], [0, 4, 5, 10]);
        }
    }
}
