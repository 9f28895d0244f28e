//! The one tar dialect: how a file's header is written, and the only way in which it may be read.
//!
//! ustar headers of regular files with mode 0644, owner 0 and no names. A path that is not ASCII or longer than 100 bytes,
//! and a size past 8 GiB, stand in a pax header before it, in this order and nothing else (POSIX.1-2001, pax). The bytes are
//! those of Python's `tarfile` in its `PAX_FORMAT`. Directories are not stored; paths imply them. Two zero blocks end the
//! archive and nothing follows.
//!
//! A reader does not judge a header field by field: it takes path, size and time out, writes the header anew and compares.
//! Whatever this file would not write is not read either: links, devices, odd modes, other records, other spellings.

use crate::clock::Timestamp;
use crate::item::ArchivePath;

/// Bytes of a tar block.
pub(crate) const BLOCK: usize = 512;
/// The end of an archive.
pub(crate) const END: [u8; 2 * BLOCK] = [0; 2 * BLOCK];
/// The most an 11-digit octal field can say.
const MAX_OCTAL: u64 = 0o777_7777_7777;

/// What the dialect knows of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileHeader {
    pub(crate) path: ArchivePath,
    /// Bytes.
    pub(crate) size: u64,
    /// Seconds since 1970; 0 when unknown, at most 2^33 - 1.
    modified: u64,
}

impl FileHeader {
    pub(crate) fn new(path: ArchivePath, size: u64, modified: Option<Timestamp>) -> Self {
        let seconds = modified.map_or(0, |modified| u64::try_from(modified.seconds()).unwrap_or(0));
        Self { path, size, modified: seconds.min(MAX_OCTAL) }
    }

    /// When the file was last changed, if that is known.
    pub(crate) fn modified(&self) -> Option<Timestamp> {
        (self.modified != 0).then(|| Timestamp::from_seconds(i64::try_from(self.modified).unwrap_or(i64::MAX)))
    }

    /// The header's one encoding: one block, or three and more with a pax header.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut records = Vec::new();
        let path = self.path.as_str();
        if !path.is_ascii() || path.len() > 100 {
            put_record(&mut records, "path", path);
        }
        if self.size > MAX_OCTAL {
            put_record(&mut records, "size", &self.size.to_string());
        }
        let mut bytes = Vec::with_capacity(BLOCK);
        if !records.is_empty() {
            put_block(&mut bytes, b"././@PaxHeader", b"0000000", records.len() as u64, 0, b'x');
            bytes.extend_from_slice(&records);
            bytes.resize(bytes.len() + padding(records.len() as u64), 0);
        }
        let name: Vec<u8> = path.chars().map(|c| if c.is_ascii() { c as u8 } else { b'?' }).take(100).collect();
        let size = if self.size > MAX_OCTAL { 0 } else { self.size };
        put_block(&mut bytes, &name, b"0000644", size, self.modified, b'0');
        bytes
    }

    /// Bytes that the header of a file of this path takes at most, whatever its size.
    pub(crate) fn room(path: &ArchivePath) -> usize {
        Self { path: path.clone(), size: u64::MAX, modified: 0 }.encode().len()
    }
}

/// Zero bytes after `length` bytes of content, up to the next block.
#[expect(clippy::cast_possible_truncation, reason = "less than a block")]
pub(crate) const fn padding(length: u64) -> usize {
    ((BLOCK as u64 - length % BLOCK as u64) % BLOCK as u64) as usize
}

/// Writes one ustar block: name, mode, size, time, type; all else is fixed.
fn put_block(bytes: &mut Vec<u8>, name: &[u8], mode: &[u8; 7], size: u64, modified: u64, kind: u8) {
    let mut block = [0; BLOCK];
    block[..name.len()].copy_from_slice(name);
    block[100..107].copy_from_slice(mode);
    block[108..115].copy_from_slice(b"0000000");
    block[116..123].copy_from_slice(b"0000000");
    block[124..135].copy_from_slice(format!("{size:011o}").as_bytes());
    block[136..147].copy_from_slice(format!("{modified:011o}").as_bytes());
    block[148..156].fill(b' ');
    block[156] = kind;
    block[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
    block[148..154].copy_from_slice(format!("{sum:06o}").as_bytes());
    block[154] = 0;
    bytes.extend_from_slice(&block);
}

/// Writes one pax record, `length key=value\n`, where the length counts itself.
fn put_record(records: &mut Vec<u8>, key: &str, value: &str) {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while rest + length.to_string().len() != length {
        length = rest + length.to_string().len();
    }
    records.extend_from_slice(format!("{length} {key}={value}\n").as_bytes());
}

/// A header on its way in: the blocks as they came, until they say enough.
#[derive(Default)]
pub(crate) struct HeaderReader {
    raw: Vec<u8>,
}

/// What the next block of a header leads to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// So many bytes of pax header and its padding come next; hand them over in one piece.
    Pax(usize),
    /// One more block, to be all zero, and the archive is over.
    End,
    /// The header is complete.
    File(FileHeader),
}

/// A header that is not of the dialect, with the rule it breaks.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotTheDialect(pub(crate) &'static str);

impl HeaderReader {
    /// Takes the next block of the archive.
    pub(crate) fn block(&mut self, block: &[u8; BLOCK], pax_limit: usize) -> Result<Next, NotTheDialect> {
        let first = self.raw.is_empty();
        if first && block.iter().all(|&byte| byte == 0) {
            return Ok(Next::End);
        }
        self.raw.extend_from_slice(block);
        match block[156] {
            b'x' if first => {
                let length = octal(&block[124..136])?;
                let length = usize::try_from(length).ok().filter(|&length| 0 < length && length <= pax_limit);
                let length = length.ok_or(NotTheDialect("a pax header is too long"))?;
                Ok(Next::Pax(length + padding(length as u64)))
            }
            b'0' => self.file().map(Next::File),
            _ => Err(NotTheDialect("an entry is not a regular file")),
        }
    }

    /// Takes the bytes that [`Next::Pax`] asked for.
    pub(crate) fn pax(&mut self, bytes: &[u8]) {
        self.raw.extend_from_slice(bytes);
    }

    /// What the header calls its file, unchecked; `None` before the last block has come.
    pub(crate) fn name(&self) -> Option<&[u8]> {
        let (pax, block) = self.raw.split_at_checked(self.raw.len().checked_sub(BLOCK)?)?;
        if pax.is_empty() {
            return (block[156] != b'x').then(|| until_zero(&block[..100]));
        }
        let length = usize::try_from(octal(&pax[124..136]).ok()?).ok()?;
        let path = Records(pax[BLOCK..].get(..length)?).map_while(|record| record).find(|(key, _)| *key == b"path");
        Some(path.map_or_else(|| until_zero(&block[..100]), |(_, value)| value))
    }

    /// Takes path, size and time out of the blocks and compares the blocks with what they should be.
    fn file(&self) -> Result<FileHeader, NotTheDialect> {
        let (pax, block) = self.raw.split_at(self.raw.len() - BLOCK);
        let (mut path, mut size) = (None, None);
        if !pax.is_empty() {
            let length = usize::try_from(octal(&pax[124..136])?).unwrap_or(usize::MAX);
            let records = pax[BLOCK..].get(..length).ok_or(NotTheDialect("a pax header is cut off"))?;
            for record in Records(records) {
                match record.ok_or(NotTheDialect("a pax header cannot be read"))? {
                    (b"path", value) if path.is_none() => path = Some(value),
                    (b"size", value) if size.is_none() => size = Some(value),
                    _ => return Err(NotTheDialect("a pax header says more than path and size")),
                }
            }
        }
        let name = path.unwrap_or_else(|| until_zero(&block[..100]));
        let path = str::from_utf8(name).ok().and_then(|name| name.parse().ok());
        let size = match size {
            None => octal(&block[124..136])?,
            Some(digits) => {
                let digits = str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
                digits.ok_or(NotTheDialect("a size is not a number"))?
            }
        };
        // A field has room for a twelfth digit; the dialect does not.
        let modified = Some(octal(&block[136..148])?).filter(|&modified| modified <= MAX_OCTAL);
        let header = FileHeader {
            path: path.ok_or(NotTheDialect("a path is not safe"))?,
            size,
            modified: modified.ok_or(NotTheDialect("a time has more than 11 digits"))?,
        };
        if header.encode() != self.raw {
            return Err(NotTheDialect("a header is not written in the one dialect"));
        }
        Ok(header)
    }
}

/// Reads pax records; `None` for what is none, and then no more.
struct Records<'a>(&'a [u8]);

impl<'a> Iterator for Records<'a> {
    type Item = Option<(&'a [u8], &'a [u8])>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let bytes = std::mem::take(&mut self.0);
        let record = || {
            let space = bytes.iter().take(20).position(|&byte| byte == b' ')?;
            let length: usize = str::from_utf8(&bytes[..space]).ok()?.parse().ok()?;
            let body = bytes.get(space + 1..length)?.strip_suffix(b"\n")?;
            let equals = body.iter().position(|&byte| byte == b'=')?;
            Some(((&body[..equals], &body[equals + 1..]), &bytes[length..]))
        };
        let Some((record, rest)) = record() else { return Some(None) };
        self.0 = rest;
        Some(Some(record))
    }
}

/// An octal field: digits up to a zero byte. How they are padded is for the comparison to judge.
fn octal(field: &[u8]) -> Result<u64, NotTheDialect> {
    let digits = str::from_utf8(until_zero(field)).ok();
    let value = digits.and_then(|digits| u64::from_str_radix(digits, 8).ok());
    value.ok_or(NotTheDialect("a number in a header is not octal"))
}

fn until_zero(field: &[u8]) -> &[u8] {
    field.split(|&byte| byte == 0).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn header(path: &str, size: u64) -> FileHeader {
        FileHeader::new(path.parse().unwrap(), size, Some(Timestamp::from_seconds(1_700_000_000)))
    }

    fn read(bytes: &[u8]) -> Result<FileHeader, NotTheDialect> {
        let mut reader = HeaderReader::default();
        let mut rest = bytes;
        loop {
            let (block, after) = rest.split_first_chunk::<BLOCK>().ok_or(NotTheDialect("short"))?;
            rest = after;
            match reader.block(block, 64 << 10)? {
                Next::File(header) => return Ok(header),
                Next::End => return Err(NotTheDialect("end")),
                Next::Pax(length) => {
                    let (pax, after) = rest.split_at_checked(length).ok_or(NotTheDialect("short"))?;
                    reader.pax(pax);
                    rest = after;
                }
            }
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let exactly_100 = "x".repeat(100);
        let deep = vec!["directory"; 60].join("/");
        for (path, blocks) in [("a", 1), (exactly_100.as_str(), 1), ("Zoë/ü", 3), (deep.as_str(), 4)] {
            for size in [0, 1, 511, 512, MAX_OCTAL] {
                let header = header(path, size);
                assert_eq!(header.encode().len(), blocks * BLOCK, "{path}");
                assert_eq!(read(&header.encode()), Ok(header));
            }
        }
    }

    #[test]
    fn a_size_past_8_gib_stands_in_a_pax_record_and_there_is_room_for_it() {
        for path in ["a", "Zoë"] {
            let header = header(path, MAX_OCTAL + 1);
            let bytes = header.encode();
            assert_eq!(bytes.len(), 3 * BLOCK);
            assert_eq!(bytes.len(), FileHeader::room(&header.path));
            assert_eq!(read(&bytes), Ok(header));
        }
    }

    #[test]
    fn a_changed_header_is_refused_or_is_another_header_with_its_own_checksum() {
        for original in [header("var/log/syslog", 1234).encode(), header("Zoë", MAX_OCTAL + 5).encode()] {
            for at in 0..original.len() {
                for flip in [1, 0x20, 0x80] {
                    let mut changed = original.clone();
                    changed[at] ^= flip;
                    if let Ok(header) = read(&changed) {
                        assert_eq!(header.encode(), changed, "byte {at}");
                    }
                }
            }
        }
    }

    #[test]
    fn every_kind_but_a_regular_file_is_refused() {
        for kind in (0..=255).filter(|&kind| kind != b'0') {
            let mut bytes = Vec::new();
            put_block(&mut bytes, b"name", b"0000644", 0, 0, kind);
            assert!(read(&bytes).is_err(), "{kind}");
        }
    }

    #[test]
    fn a_number_that_fills_its_field_is_refused() {
        for field in [124..136, 136..148] {
            let mut bytes = header("name", 1).encode();
            bytes[field].fill(b'7');
            assert!(read(&bytes).is_err());
        }
    }

    #[test]
    fn odd_modes_are_refused() {
        for mode in [b"0004755", b"0000755", b"0000000", b"0000666"] {
            let mut bytes = Vec::new();
            put_block(&mut bytes, b"name", mode, 0, 0, b'0');
            assert!(read(&bytes).is_err());
        }
    }

    #[test]
    fn a_pax_header_that_says_more_or_says_it_twice_is_refused() {
        for records in [
            &[("linkpath", "/etc/passwd")][..],
            &[("path", "Zoë"), ("path", "Zoë")],
            &[("path", "Zoë"), ("mtime", "1.5")],
            &[("size", "99999999999"), ("path", "Zoë")],
            &[("path", "short")],
            &[("path", "../Zoë")],
            &[("path", "/Zoë")],
        ] {
            let mut pax = Vec::new();
            for (key, value) in records {
                put_record(&mut pax, key, value);
            }
            let mut bytes = Vec::new();
            put_block(&mut bytes, b"././@PaxHeader", b"0000000", pax.len() as u64, 0, b'x');
            bytes.extend_from_slice(&pax);
            bytes.resize(bytes.len() + padding(pax.len() as u64), 0);
            put_block(&mut bytes, b"Zo?", b"0000644", 0, 0, b'0');
            assert!(read(&bytes).is_err(), "{records:?}");
        }
    }

    proptest! {
        #[test]
        fn bytes_from_anywhere_are_refused_without_a_panic(mut bytes in proptest::collection::vec(any::<u8>(), 2048)) {
            prop_assert!(read(&bytes).is_err());
            let good = header("Zoë", 1).encode();
            bytes[..512].copy_from_slice(&good[..512]);
            prop_assert!(read(&bytes).is_err());
        }

        #[test]
        fn any_path_and_size_come_back(path in "[a-zà-ü .]{1,40}(/[a-z~]{1,60}){0,6}", size: u64, time in 0..MAX_OCTAL) {
            if let Ok(path) = path.parse::<ArchivePath>() {
                let header = FileHeader { path, size, modified: time };
                prop_assert_eq!(read(&header.encode()), Ok(header));
            }
        }
    }
}
