//! Writes an archive: local headers that say all, then the central directory.

use std::io::{self, Cursor, Read, Write};

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

use super::content::{DEFLATED, STORED};
use super::record::{CENTRAL, LOCAL, Record, ZIP64};
use crate::redact::decode::Stream;
use crate::redact::error::RedactError;
use crate::spool::{Spool, SpoolReader};

/// Names are UTF-8.
const UTF8: u16 = 1 << 11;

/// What was written so far.
pub(super) struct Writer {
    /// The central directory; it stands in a spool, since a large archive has a large one.
    directory: Spool,
    entries: u64,
    files: u64,
    position: u64,
}

/// A member that is being packed, with its checksum and length.
pub(super) struct Packed {
    to: Packing,
    crc: Crc,
    plain: u64,
}

enum Packing {
    Stored(Spool),
    Deflated(DeflateEncoder<Spool>),
}

impl Writer {
    /// Begins an archive; `directory` is an empty spool.
    pub(super) const fn new(directory: Spool) -> Self {
        Self { directory, entries: 0, files: 0, position: 0 }
    }

    /// Whether there is a member that is not a directory.
    pub(super) const fn has_files(&self) -> bool {
        self.files > 0
    }

    /// Begins to pack a member, stored if it was, else deflated: that is what every tool reads.
    pub(super) fn pack(&self, spool: Spool, old: &Record) -> Packed {
        let to = match old.method {
            STORED => Packing::Stored(spool),
            _ => Packing::Deflated(DeflateEncoder::new(spool, Compression::new(4))),
        };
        Packed { to, crc: Crc::new(), plain: 0 }
    }

    /// Gives a packed member with its header.
    pub(super) fn file(&mut self, name: &str, old: &Record, packed: Packed) -> Result<Stream<'static>, RedactError> {
        let (method, spool) = match packed.to {
            Packing::Stored(spool) => (STORED, spool),
            Packing::Deflated(encoder) => (DEFLATED, encoder.finish().map_err(RedactError::of_spool)?),
        };
        let new = Record {
            name: name.as_bytes().to_vec(),
            method,
            crc: packed.crc.sum(),
            packed: spool.length(),
            plain: packed.plain,
            attributes: if old.mode() == 0 { 0 } else { (0o100_000 | old.mode() & 0o777) << 16 },
            ..self.like(old)
        };
        self.files += 1;
        let header = self.enter(&new)?;
        self.position += spool.length();
        Ok(Box::new(Cursor::new(header).chain(SpoolReader::new(spool))))
    }

    /// Gives the header of a directory; its name ends with `/`.
    pub(super) fn directory(&mut self, name: &str, old: &Record) -> Result<Vec<u8>, RedactError> {
        let mode = if old.mode() == 0 { 0 } else { (0o040_000 | old.mode() & 0o777) << 16 };
        let new = Record {
            name: name.as_bytes().to_vec(),
            method: STORED,
            crc: 0,
            packed: 0,
            plain: 0,
            attributes: mode | 0x10,
            ..self.like(old)
        };
        self.enter(&new)
    }

    /// Gives the central directory and the end of the archive.
    pub(super) fn finish(self) -> Result<Stream<'static>, RedactError> {
        let (start, size) = (self.position, self.directory.length());
        let mut end = Vec::new();
        if self.entries >= u16::MAX.into() || start >= u32::MAX.into() || size >= u32::MAX.into() {
            end.extend_from_slice(b"PK\x06\x06");
            end.extend_from_slice(&44_u64.to_le_bytes());
            end.extend_from_slice(&[45, 0, 45, 0]);
            end.extend_from_slice(&[0; 8]);
            for number in [self.entries, self.entries, size, start] {
                end.extend_from_slice(&number.to_le_bytes());
            }
            end.extend_from_slice(b"PK\x06\x07\0\0\0\0");
            end.extend_from_slice(&(start + size).to_le_bytes());
            end.extend_from_slice(&1_u32.to_le_bytes());
        }
        let entries = u16::try_from(self.entries).unwrap_or(u16::MAX).to_le_bytes();
        end.extend_from_slice(b"PK\x05\x06\0\0\0\0");
        end.extend_from_slice(&[entries, entries].concat());
        end.extend_from_slice(&[short(size), short(start)].concat());
        end.extend_from_slice(&[0, 0]);
        Ok(Box::new(SpoolReader::new(self.directory).chain(Cursor::new(end))))
    }

    /// What is kept of the old record.
    fn like(&self, old: &Record) -> Record {
        Record { flags: 0, start: self.position, ..old.clone() }
    }

    /// Writes the central record and gives the local header.
    fn enter(&mut self, new: &Record) -> Result<Vec<u8>, RedactError> {
        let name = u16::try_from(new.name.len()).expect("a path is at most 4096 bytes").to_le_bytes();
        let flags = if new.name.is_ascii() { 0 } else { UTF8 };
        let sizes = [new.plain, new.packed];
        let wide_sizes = sizes.iter().any(|&size| size >= u32::MAX.into());
        let mut middle = Vec::new();
        for number in [flags, new.method] {
            middle.extend_from_slice(&number.to_le_bytes());
        }
        middle.extend_from_slice(&new.modified);
        middle.extend_from_slice(&new.crc.to_le_bytes());

        // In a local header both sizes are wide or none.
        let local_extra = if wide_sizes { extra(&sizes) } else { Vec::new() };
        let needed: u16 = if wide_sizes { 45 } else { 20 };
        let mut local = LOCAL.to_vec();
        local.extend_from_slice(&needed.to_le_bytes());
        local.extend_from_slice(&middle);
        for size in [new.packed, new.plain] {
            local.extend_from_slice(&if wide_sizes { [0xff; 4] } else { short(size) });
        }
        local.extend_from_slice(&name);
        local.extend_from_slice(&length(&local_extra));
        local.extend_from_slice(&new.name);
        local.extend_from_slice(&local_extra);

        let wide: Vec<u64> = [new.plain, new.packed, new.start].into_iter().filter(|&n| n >= u32::MAX.into()).collect();
        let central_extra = if wide.is_empty() { Vec::new() } else { extra(&wide) };
        let needed: u16 = if wide.is_empty() { 20 } else { 45 };
        let mut central = CENTRAL.to_vec();
        central.extend_from_slice(&[45, if new.host == 3 { 3 } else { 0 }]);
        central.extend_from_slice(&needed.to_le_bytes());
        central.extend_from_slice(&middle);
        central.extend_from_slice(&[short(new.packed), short(new.plain)].concat());
        central.extend_from_slice(&name);
        central.extend_from_slice(&length(&central_extra));
        central.extend_from_slice(&[0; 6]); // no comment, the first disk, no text mark
        central.extend_from_slice(&new.attributes.to_le_bytes());
        central.extend_from_slice(&short(new.start));
        central.extend_from_slice(&new.name);
        central.extend_from_slice(&central_extra);
        self.directory.write_all(&central).map_err(RedactError::of_spool)?;
        self.entries += 1;
        self.position += local.len() as u64;
        Ok(local)
    }
}

impl Write for Packed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = match &mut self.to {
            Packing::Stored(spool) => spool.write(bytes)?,
            Packing::Deflated(encoder) => encoder.write(bytes)?,
        };
        self.crc.update(&bytes[..count]);
        self.plain += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A number in 32 bits, or the mark that it stands in the extra field.
fn short(number: u64) -> [u8; 4] {
    u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes()
}

fn extra(numbers: &[u64]) -> Vec<u8> {
    let mut field = ZIP64.to_le_bytes().to_vec();
    let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    field.extend_from_slice(&length(&bytes));
    field.extend_from_slice(&bytes);
    field
}

fn length(bytes: &[u8]) -> [u8; 2] {
    u16::try_from(bytes.len()).expect("at most 28 bytes").to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spool::Spools;

    fn record() -> Record {
        Record {
            name: Vec::new(),
            flags: 0,
            method: STORED,
            modified: [0; 4],
            crc: 0,
            packed: 0,
            plain: 0,
            start: 0,
            host: 3,
            attributes: 0o100_644 << 16,
        }
    }

    #[test]
    fn more_members_than_16_bits_can_count_are_all_there() {
        let mut writer = Writer::new(Spools::in_memory().spool());
        let mut bytes = Vec::new();
        for number in 0..70_000 {
            bytes.extend_from_slice(&writer.directory(&format!("{number}/"), &record()).unwrap());
        }
        writer.finish().unwrap().read_to_end(&mut bytes).unwrap();
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        assert_eq!(archive.len(), 70_000);
        assert_eq!(archive.by_index(69_999).unwrap().name().unwrap(), "69999/");
    }

    #[test]
    fn numbers_that_do_not_fit_stand_in_an_extra_field() {
        let mut writer = Writer::new(Spools::in_memory().spool());
        writer.position = 5 << 30;
        let large = Record { name: b"a".to_vec(), packed: 6 << 30, plain: 7 << 30, ..writer.like(&record()) };
        let local = writer.enter(&large).unwrap();
        assert_eq!(local[18..26], [0xff; 8]);
        let mut directory = Vec::new();
        SpoolReader::new(&writer.directory).read_to_end(&mut directory).unwrap();
        let (fixed, rest) = directory.split_first_chunk().unwrap();
        let (mut read, lengths) = Record::parse(fixed).unwrap();
        read.complete(&rest[..lengths.name], &rest[lengths.name..]).unwrap();
        assert_eq!((read.packed, read.plain, read.start), (6 << 30, 7 << 30, 5 << 30));
        let fixed: [u8; 30] = local[..30].try_into().unwrap();
        assert!(read.agrees_with(&fixed, b"a", &local[31..]).unwrap());
    }
}
