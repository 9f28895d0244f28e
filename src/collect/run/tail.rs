//! Keeps the last bytes of a stream, sealed where they do not fit into memory.

use std::io::{self, Read, Seek, SeekFrom, Write};

use crate::spool::{Spool, SpoolReader, Spools};

/// The last bytes of a stream: as many as the limit says, or all.
pub(in crate::collect) struct Tail {
    spools: Spools,
    limit: u64,
    /// Full: as many bytes as the limit says.
    before: Option<Spool>,
    last: Spool,
    total: u64,
}

impl Tail {
    /// Keeps at most `limit` bytes.
    pub(in crate::collect) fn new(spools: &Spools, limit: u64) -> Self {
        Self { spools: spools.clone(), limit: limit.max(1), before: None, last: spools.small(), total: 0 }
    }

    /// Adds bytes; the oldest go when there are too many.
    pub(in crate::collect) fn keep(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        self.total += bytes.len() as u64;
        while !bytes.is_empty() {
            if self.last.length() == self.limit {
                self.before = Some(std::mem::replace(&mut self.last, self.spools.small()));
            }
            let room = usize::try_from(self.limit - self.last.length()).unwrap_or(usize::MAX);
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.last.write_all(now)?;
            bytes = later;
        }
        Ok(())
    }

    /// How many bytes came.
    pub(in crate::collect) const fn total(&self) -> u64 {
        self.total
    }

    /// How many bytes [`reader`](Self::reader) gives.
    pub(in crate::collect) fn kept(&self) -> io::Result<u64> {
        match self.before {
            None => Ok(self.last.length()),
            Some(_) => io::copy(&mut self.reader()?, &mut io::sink()),
        }
    }

    /// Gives the bytes that were kept; where the first of them were not, they begin with a line.
    pub(in crate::collect) fn reader(&self) -> io::Result<Box<dyn Read + '_>> {
        let last = SpoolReader::new(&self.last);
        let Some(before) = &self.before else { return Ok(Box::new(last)) };
        let mut rest = SpoolReader::new(before);
        // What would be the last byte that is not kept shows whether a line ended there.
        rest.seek(SeekFrom::Start(self.last.length().saturating_sub(1)))?;
        let mut both = io::BufReader::new(rest.chain(last));
        if self.last.length() > 0 {
            io::BufRead::skip_until(&mut both, b'\n')?;
        }
        Ok(Box::new(both))
    }
}

impl Write for Tail {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.keep(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(text: &str, limit: u64, step: usize) -> String {
        let mut tail = Tail::new(&Spools::in_memory(), limit);
        for piece in text.as_bytes().chunks(step) {
            tail.keep(piece).unwrap();
        }
        assert_eq!(tail.total(), text.len() as u64);
        let mut bytes = String::new();
        tail.reader().unwrap().read_to_string(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn the_last_lines_are_kept() {
        let text: String = (0..1000).map(|number| format!("line {number}\n")).collect();
        for step in [1, 7, 100, 10_000] {
            assert_eq!(kept(&text, 1 << 20, step), text);
            assert_eq!(kept(&text, text.len() as u64, step), text);
            for limit in [30, 100, 4999, 5000] {
                let kept = kept(&text, limit, step);
                assert!(text.ends_with(&kept) && kept.starts_with("line "), "{limit} {step}: {kept}");
                assert!(kept.len() as u64 <= limit && kept.len() as u64 + 10 > limit, "{limit}: {}", kept.len());
            }
        }
        assert_eq!(kept("one line without an end", 5, 4), "");
    }
}
