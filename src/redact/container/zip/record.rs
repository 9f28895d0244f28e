//! What the central directory and the local headers say of a member (APPNOTE.TXT 4.3.7, 4.3.12, 4.5.3).

use std::io;

use crate::redact::container::member_name::Kind;
use crate::redact::error::RedactError;

/// The beginning of a member.
pub(super) const LOCAL: [u8; 4] = *b"PK\x03\x04";
/// The beginning of a record of the central directory.
pub(super) const CENTRAL: [u8; 4] = *b"PK\x01\x02";
/// Fixed bytes of a local header.
pub(super) const LOCAL_LENGTH: usize = 30;
/// Fixed bytes of a record of the central directory.
pub(super) const CENTRAL_LENGTH: usize = 46;
/// The extra field with numbers of 64 bits.
pub(super) const ZIP64: u16 = 1;

/// A member as the central directory tells it.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) name: Vec<u8>,
    pub(super) flags: u16,
    pub(super) method: u16,
    /// Time and date, as DOS has them.
    pub(super) modified: [u8; 4],
    pub(super) crc: u32,
    pub(super) packed: u64,
    pub(super) plain: u64,
    /// Where its local header begins.
    pub(super) start: u64,
    /// The system that made it: 3 is Unix.
    pub(super) host: u8,
    pub(super) attributes: u32,
}

impl Record {
    /// Reads the fixed part of a record; the name and the extra fields follow.
    pub(super) fn parse(fixed: &[u8; CENTRAL_LENGTH]) -> Result<(Self, Lengths), RedactError> {
        if fixed[..4] != CENTRAL || u16_at(fixed, 34) != 0 {
            return Err(damaged("a record of the directory is broken"));
        }
        let record = Self {
            name: Vec::new(),
            host: fixed[5],
            flags: u16_at(fixed, 8),
            method: u16_at(fixed, 10),
            modified: [fixed[12], fixed[13], fixed[14], fixed[15]],
            crc: u32_at(fixed, 16),
            packed: u32_at(fixed, 20).into(),
            plain: u32_at(fixed, 24).into(),
            attributes: u32_at(fixed, 38),
            start: u32_at(fixed, 42).into(),
        };
        let [name, extra, comment] = [28, 30, 32].map(|at| usize::from(u16_at(fixed, at)));
        Ok((record, Lengths { name, extra, comment }))
    }

    /// Takes the name, and the numbers that stand in an extra field because they need 64 bits.
    pub(super) fn complete(&mut self, name: &[u8], extra: &[u8]) -> Result<(), RedactError> {
        self.name = name.to_vec();
        let mut wide = Wide::find(extra)?;
        for number in [&mut self.plain, &mut self.packed, &mut self.start] {
            wide.widen(number)?;
        }
        Ok(())
    }

    /// Compares a local header with the record.
    pub(super) fn agrees_with(
        &self,
        fixed: &[u8; LOCAL_LENGTH],
        name: &[u8],
        extra: &[u8],
    ) -> Result<bool, RedactError> {
        let (flags, method) = (u16_at(fixed, 6), u16_at(fixed, 8));
        let (mut packed, mut plain) = (u32_at(fixed, 18).into(), u32_at(fixed, 22).into());
        let mut wide = Wide::find(extra)?;
        wide.widen(&mut plain)?;
        wide.widen(&mut packed)?;
        // Sizes and checksum may stand behind the content instead; then they are zero here.
        let later = flags & 8 != 0;
        let same = |told: u64, truth: u64| told == truth || later && told == 0;
        Ok(fixed[..4] == LOCAL
            && name == self.name
            && method == self.method
            && (flags ^ self.flags) & ENCRYPTED == 0
            && same(packed, self.packed)
            && same(plain, self.plain)
            && same(u32_at(fixed, 14).into(), self.crc.into()))
    }

    pub(super) const fn is_encrypted(&self) -> bool {
        self.flags & ENCRYPTED != 0
    }

    pub(super) fn kind(&self) -> Kind {
        let directory = self.name.ends_with(b"/");
        match (self.mode() & 0o170_000, directory) {
            (0o120_000, _) => Kind::Link,
            (0 | 0o040_000, true) if self.plain == 0 => Kind::Directory,
            (0 | 0o100_000, false) => Kind::File,
            (0 | 0o040_000 | 0o100_000, _) => Kind::Unknown,
            _ => Kind::Device,
        }
    }

    /// Kind and permissions as Unix has them; 0 where another system made it.
    pub(super) const fn mode(&self) -> u32 {
        if self.host == 3 { self.attributes >> 16 } else { 0 }
    }
}

/// Encrypted, strongly encrypted, with masked headers.
const ENCRYPTED: u16 = 1 | 1 << 6 | 1 << 13;

/// Lengths of what follows the fixed part of a record.
pub(super) struct Lengths {
    pub(super) name: usize,
    pub(super) extra: usize,
    pub(super) comment: usize,
}

/// The numbers of a zip64 extra field that were not taken yet.
struct Wide<'e>(&'e [u8]);

impl<'e> Wide<'e> {
    fn find(mut extra: &'e [u8]) -> Result<Self, RedactError> {
        while extra.len() >= 4 {
            let (kind, length) = (u16_at(extra, 0), usize::from(u16_at(extra, 2)));
            let field = extra.get(4..4 + length).ok_or_else(|| damaged("an extra field is broken"))?;
            if kind == ZIP64 {
                return Ok(Self(field));
            }
            extra = &extra[4 + length..];
        }
        Ok(Self(&[]))
    }

    /// Replaces a number that does not fit into 32 bits. Without such a field, the number is what it says.
    fn widen(&mut self, number: &mut u64) -> Result<(), RedactError> {
        if *number == u64::from(u32::MAX) && !self.0.is_empty() {
            let (first, rest) = self.0.split_first_chunk().ok_or_else(|| damaged("an extra field is too short"))?;
            *number = u64::from_le_bytes(*first);
            self.0 = rest;
        }
        Ok(())
    }
}

/// The 16 bits at `at`; the caller has made sure that they are there.
pub(super) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

/// The 32 bits at `at`; the caller has made sure that they are there.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// The 64 bits at `at`; the caller has made sure that they are there.
pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

pub(super) fn damaged(what: &'static str) -> RedactError {
    RedactError::Damaged(io::Error::new(io::ErrorKind::InvalidData, what))
}
