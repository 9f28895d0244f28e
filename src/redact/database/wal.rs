//! The write-ahead log beside a database: what was committed there and is not in the database's file yet.
//!
//! The format is <https://sqlite.org/fileformat2.html#the_write_ahead_log>. A frame counts when its salts are those of the
//! log's header, its checksum continues the row of checksums, and a commit follows. Reading it here, rather than by SQLite,
//! keeps the clear bytes off the disk: SQLite reads a log only from a file.

use std::collections::HashMap;

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// The committed pages of a log.
pub(crate) struct Wal<'b> {
    bytes: &'b [u8],
    page_size: usize,
    /// Where the newest committed content of a page begins.
    pages: HashMap<u32, usize>,
    /// Pages of the database after the last commit.
    count: u32,
}

impl<'b> Wal<'b> {
    /// Reads a log; `None` when nothing in it was committed.
    pub(crate) fn read(bytes: &'b [u8]) -> Option<Self> {
        let header = bytes.get(..HEADER)?;
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
        let mut wal = Self { bytes, page_size, pages: HashMap::new(), count: 0 };
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
                wal.pages.extend(pending.drain(..));
                wal.count = count;
            }
        }
        (wal.count > 0).then_some(wal)
    }

    /// Brings a database up to date. `None` when the log belongs to another database, or grows it past `most` bytes.
    pub(crate) fn merge(&self, database: &mut Vec<u8>, most: u64) -> Option<()> {
        let length = u64::from(self.count) * self.page_size as u64;
        let own = usize::from(u16::from_be_bytes([*database.get(16).unwrap_or(&0), *database.get(17).unwrap_or(&0)]));
        let fits = database.is_empty() || own == self.page_size || own == 1 && self.page_size == 65536;
        if length > most || !fits {
            return None;
        }
        database.resize(usize::try_from(length).ok()?, 0);
        for (&page, &at) in self.pages.iter().filter(|(page, _)| **page <= self.count) {
            let start = (page as usize - 1) * self.page_size;
            database[start..start + self.page_size].copy_from_slice(&self.bytes[at..at + self.page_size]);
        }
        Some(())
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
