//! Reads the members of a tar archive in their order, in flat memory, believing nothing.

use std::io::{self, Read};

use tar::Header;

use super::header::{BLOCK, is_header, padding};
use crate::redact::container::member_name::{Kind, MemberName};
use crate::redact::decode::Stream;
use crate::redact::error::RedactError;

/// Most bytes of a long name or of pax records.
const EXTENSION: u64 = 1 << 20;

/// A member as its headers tell it.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: Vec<u8>,
    pub(super) kind: Kind,
    pub(super) mode: u32,
    /// Seconds since 1970.
    pub(super) modified: u64,
}

impl Entry {
    /// Its name, if it can be one.
    pub(super) fn member(&self) -> Option<MemberName> {
        MemberName::parse(&self.name)
    }
}

/// Where the archive stands.
pub(super) struct Reader<'a> {
    input: Stream<'a>,
    /// Bytes of the member that were not read yet.
    left: u64,
    /// Bytes of padding after them.
    padding: u64,
    /// Whether the archive itself could not be read on: what came of it is then no fault of a member.
    failed: bool,
    after_end: bool,
}

/// What stands before a member's own header.
#[derive(Default)]
struct Extension {
    long_name: Option<Vec<u8>>,
    path: Option<Vec<u8>>,
    size: Option<u64>,
    modified: Option<u64>,
    sparse: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(input: Stream<'a>) -> Self {
        Self { input, left: 0, padding: 0, failed: false, after_end: false }
    }

    /// The next member; `None` after the last, when everything behind it was read as well.
    ///
    /// An error means that the archive is damaged or cannot be read on.
    pub(super) fn next(&mut self) -> Result<Option<Entry>, RedactError> {
        self.skip()?;
        let mut extension = Extension::default();
        loop {
            let block = self.block()?;
            if block.iter().all(|&byte| byte == 0) {
                self.read_behind_the_end()?;
                return Ok(None);
            }
            if !is_header(&block) {
                return Err(damaged("a header is broken"));
            }
            let header = Header::from_byte_slice(&block);
            let kind = header.as_old().linkflag[0];
            let told = header.entry_size().map_err(RedactError::Damaged)?;
            match kind {
                b'L' => extension.long_name = Some(until_zero(self.extension(told)?)),
                b'x' | b'X' => extension.records(&self.extension(told)?)?,
                b'g' => {
                    let mut global = Extension::default();
                    global.records(&self.extension(told)?)?;
                    if global.path.is_some() || global.size.is_some() || global.sparse {
                        return Err(damaged("a header for all members names one"));
                    }
                }
                b'K' => drop(self.extension(told)?), // the target of a link
                _ => return self.entry(header, extension).map(Some),
            }
        }
    }

    /// The content of the member that [`next`](Self::next) gave last.
    pub(super) fn content(&mut self) -> impl Read + Send + use<'_, 'a> {
        Content(self)
    }

    /// Whether there was anything but zeros after the end of the archive.
    pub(super) const fn goes_on_after_the_end(&self) -> bool {
        self.after_end
    }

    fn entry(&mut self, header: &Header, extension: Extension) -> Result<Entry, RedactError> {
        let flag = header.as_old().linkflag[0];
        let name = extension.path.or(extension.long_name).unwrap_or_else(|| header.path_bytes().into_owned());
        let kind = match flag {
            // Sparse, a part of another volume, or of a kind nobody knows.
            _ if extension.sparse => Kind::Unknown,
            0 | b'0' | b'7' if name.ends_with(b"/") => Kind::Directory,
            0 | b'0' | b'7' => Kind::File,
            b'5' => Kind::Directory,
            b'1' | b'2' => Kind::Link,
            b'3' | b'4' | b'6' => Kind::Device,
            _ => Kind::Unknown,
        };
        let size = extension.size.map_or_else(|| header.entry_size().map_err(RedactError::Damaged), Ok)?;
        // A hard link has no content, whatever it says.
        self.left = if flag == b'1' { 0 } else { size };
        self.padding = padding(self.left);
        if flag == b'S' {
            // The list of a sparse file's pieces goes on in blocks of its own, the last of which says so.
            let mut more = header.as_gnu().is_some_and(tar::GnuHeader::is_extended);
            while more {
                more = self.block()?[504] != 0;
            }
        }
        let modified = extension.modified.unwrap_or_else(|| header.mtime().unwrap_or(0));
        Ok(Entry { name, kind, mode: header.mode().unwrap_or(0o644), modified })
    }

    /// Passes over what is left of the member.
    fn skip(&mut self) -> Result<(), RedactError> {
        if self.failed {
            return Err(damaged("the archive ends early"));
        }
        let rest = self.left.saturating_add(self.padding);
        (self.left, self.padding) = (0, 0);
        let skipped = io::copy(&mut (&mut self.input).take(rest), &mut io::sink()).map_err(RedactError::unwrap_io)?;
        if skipped < rest { Err(damaged("the archive ends early")) } else { Ok(()) }
    }

    fn block(&mut self) -> Result<[u8; BLOCK], RedactError> {
        let mut block = [0; BLOCK];
        match self.input.read_exact(&mut block) {
            Ok(()) => Ok(block),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && RedactError::from_io(&error).is_none() => {
                Err(damaged("the archive ends early"))
            }
            Err(error) => Err(RedactError::unwrap_io(error)),
        }
    }

    fn extension(&mut self, size: u64) -> Result<Vec<u8>, RedactError> {
        if size > EXTENSION {
            return Err(damaged("a header is too long"));
        }
        let mut bytes = Vec::new();
        (&mut self.input).take(size + padding(size)).read_to_end(&mut bytes).map_err(RedactError::unwrap_io)?;
        if (bytes.len() as u64) < size + padding(size) {
            return Err(damaged("the archive ends early"));
        }
        bytes.truncate(usize::try_from(size).expect("at most a MiB"));
        Ok(bytes)
    }

    fn read_behind_the_end(&mut self) -> Result<(), RedactError> {
        let mut buffer = vec![0; 64 << 10];
        loop {
            match self.input.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => self.after_end |= buffer[..count].iter().any(|&byte| byte != 0),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(RedactError::unwrap_io(error)),
            }
        }
    }
}

struct Content<'r, 'a>(&'r mut Reader<'a>);

impl Read for Content<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let reader = &mut *self.0;
        let most = usize::try_from(reader.left).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        match reader.input.read(&mut buffer[..most]) {
            Ok(0) => {
                reader.failed = true;
                Err(damaged("the archive ends early").into())
            }
            Ok(count) => {
                reader.left -= count as u64;
                Ok(count)
            }
            Err(error) => {
                reader.failed |= error.kind() != io::ErrorKind::Interrupted;
                Err(error)
            }
        }
    }
}

impl Extension {
    /// Takes pax records: `length key=value\n`, the length counting all of it. The last of equal keys counts.
    fn records(&mut self, mut bytes: &[u8]) -> Result<(), RedactError> {
        while !bytes.is_empty() {
            let (record, rest) = split_record(bytes).ok_or_else(|| damaged("a pax header is broken"))?;
            bytes = rest;
            let Some(equals) = memchr::memchr(b'=', record) else {
                return Err(damaged("a pax header is broken"));
            };
            let (key, value) = (&record[..equals], &record[equals + 1..]);
            let number = || std::str::from_utf8(value).ok().and_then(|value| value.parse::<u64>().ok());
            match key {
                // A sparse file's own name and size stand elsewhere.
                b"path" if !self.sparse => self.path = Some(value.to_vec()),
                b"size" => self.size = Some(number().ok_or_else(|| damaged("a pax header is broken"))?),
                b"mtime" => {
                    let seconds = value.split(|&byte| byte == b'.').next().unwrap_or_default();
                    self.modified = std::str::from_utf8(seconds).ok().and_then(|value| value.parse().ok());
                }
                b"GNU.sparse.name" => (self.sparse, self.path) = (true, Some(value.to_vec())),
                _ if key.starts_with(b"GNU.sparse.") => self.sparse = true,
                _ => {}
            }
        }
        Ok(())
    }
}

/// The first record without its length and line end, and what comes after it.
fn split_record(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let blank = bytes.iter().take(10).position(|&byte| byte == b' ')?;
    let length: usize = std::str::from_utf8(&bytes[..blank]).ok()?.parse().ok()?;
    let record = bytes.get(blank + 1..length)?;
    Some((record.strip_suffix(b"\n")?, &bytes[length..]))
}

fn until_zero(mut bytes: Vec<u8>) -> Vec<u8> {
    if let Some(end) = memchr::memchr(0, &bytes) {
        bytes.truncate(end);
    }
    bytes
}

fn damaged(what: &'static str) -> RedactError {
    RedactError::Damaged(io::Error::new(io::ErrorKind::InvalidData, what))
}
