//! The write-ahead log beside a database: what was committed there and is not in the database's file yet.
//!
//! The format is <https://sqlite.org/fileformat2.html#the_write_ahead_log>. A frame counts when its salts are those of the
//! log's header, its checksum continues the row of checksums, and a commit follows. Reading it here, rather than by SQLite,
//! keeps the clear bytes off the disk: SQLite reads a log only from a file.

use std::collections::HashMap;
use std::io::{self, BufRead, Cursor, Read};

use crate::redact::error::RedactError;

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// The committed pages of a log.
pub(crate) struct Wal {
    bytes: Vec<u8>,
    page_size: usize,
    /// Where the newest committed content of a page begins.
    pages: HashMap<u32, usize>,
    /// Pages of the database after the last commit.
    count: u32,
}

impl Wal {
    /// Reads a log; `None` when nothing in it was committed.
    pub(crate) fn read(bytes: Vec<u8>) -> Option<Self> {
        let header: [u8; HEADER] = *bytes.first_chunk()?;
        let header = header.as_slice();
        let big = match number(header, 0) {
            0x377f_0682 => false,
            0x377f_0683 => true,
            _ => return None,
        };
        let page_size = usize::try_from(number(header, 8)).ok()?;
        if number(header, 4) != 3_007_000 || !page_size.is_power_of_two() || !(512..=65536).contains(&page_size) {
            return None;
        }
        let mut sums = checksum(big, [0, 0], &header[..24]);
        if sums != [number(header, 24), number(header, 28)] {
            return None;
        }
        let (mut pages, mut pages_in_all) = (HashMap::new(), 0);
        let mut pending = Vec::new();
        for (index, frame) in bytes[HEADER..].chunks_exact(FRAME_HEADER + page_size).enumerate() {
            if frame[8..16] != header[16..24] {
                break;
            }
            sums = checksum(big, checksum(big, sums, &frame[..8]), &frame[FRAME_HEADER..]);
            let page = number(frame, 0);
            if sums != [number(frame, 16), number(frame, 20)] || page == 0 {
                break;
            }
            pending.push((page, HEADER + index * (FRAME_HEADER + page_size) + FRAME_HEADER));
            let count = number(frame, 4);
            if count > 0 {
                pages.extend(pending.drain(..));
                pages_in_all = count;
            }
        }
        (pages_in_all > 0).then_some(Self { bytes, page_size, pages, count: pages_in_all })
    }

    /// Gives a database brought up to date, page by page. It fails where the log belongs to another database, and now where
    /// it grows it past `most` bytes.
    pub(crate) fn over<R: Read>(self, database: R, most: u64) -> Result<UpToDate<R>, RedactError> {
        if u64::from(self.count) * self.page_size as u64 > most {
            return Err(RedactError::Unfinished);
        }
        Ok(UpToDate { log: self, database, next: 1, page: Cursor::default() })
    }
}

/// A database with what its log says.
pub(crate) struct UpToDate<R> {
    log: Wal,
    database: R,
    /// The number of the next page.
    next: u32,
    page: Cursor<Vec<u8>>,
}

impl<R: Read> UpToDate<R> {
    fn refill(&mut self) -> io::Result<()> {
        let size = self.log.page_size;
        self.page.set_position(0);
        let page = self.page.get_mut();
        page.clear();
        (&mut self.database).take(size as u64).read_to_end(page)?;
        if self.next == 1 && !page.is_empty() {
            let own = page.get(16..18).map_or(0, |size| u16::from_be_bytes([size[0], size[1]]));
            if usize::from(own) != size && !(own == 1 && size == 65536) {
                return Err(RedactError::Unfinished.into());
            }
        }
        page.resize(size, 0);
        if let Some(&at) = self.log.pages.get(&self.next) {
            page.copy_from_slice(&self.log.bytes[at..at + size]);
        }
        self.next += 1;
        Ok(())
    }
}

impl<R: Read> Read for UpToDate<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.page.fill_buf()?.is_empty() && self.next <= self.log.count {
            self.refill()?;
        }
        self.page.read(buffer)
    }
}

/// The first bytes of a log, which change when SQLite begins it anew.
pub(crate) fn head(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len().min(HEADER)]
}

fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn checksum(big: bool, [mut one, mut two]: [u32; 2], bytes: &[u8]) -> [u32; 2] {
    let word = |bytes: &[u8]| {
        let bytes = bytes.try_into().expect("four bytes");
        if big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    };
    for pair in bytes.chunks_exact(8) {
        one = one.wrapping_add(word(&pair[..4])).wrapping_add(two);
        two = two.wrapping_add(word(&pair[4..])).wrapping_add(one);
    }
    [one, two]
}
