//! The content of a member, unpacked and checked.

use std::io::{self, Read};
use std::sync::Arc;

use flate2::Crc;
use flate2::read::DeflateDecoder;

use super::directory::Directory;
use super::record::{Record, damaged};
use crate::redact::container::Opening;
use crate::redact::container::bz2::Bz2;
use crate::redact::container::compressed::Codec;
use crate::redact::container::member_name::Kind;
use crate::redact::container::xz::Xz;
use crate::redact::container::zst::Zst;
use crate::redact::decode::Stream;
use crate::redact::error::RedactError;

pub(super) const STORED: u16 = 0;
pub(super) const DEFLATED: u16 = 8;

/// Opens a member; `None` where its method is not known. Reading fails where length or checksum are not as they should be.
pub(super) fn open(
    directory: &Directory,
    record: &Record,
    opening: &Arc<Opening>,
) -> Result<Option<Stream<'static>>, RedactError> {
    let packed: Stream<'static> = Box::new(directory.packed(record)?);
    let plain = match record.method {
        STORED => packed,
        DEFLATED => opening.decoded(packed, |packed| Ok(Box::new(DeflateDecoder::new(packed))))?,
        12 => opening.decoded(packed, |packed| Bz2.open(packed))?,
        93 => opening.decoded(packed, |packed| Zst.open(packed))?,
        95 => opening.decoded(packed, |packed| Xz.open(packed))?,
        _ => return Ok(None),
    };
    Ok(Some(Box::new(Checked { plain, left: record.plain, crc: Crc::new(), expected: record.crc })))
}

/// Whether a member is one that opening makes longer.
pub(super) fn grows(record: &Record) -> bool {
    record.kind() == Kind::File && !record.is_encrypted() && matches!(record.method, DEFLATED | 12 | 93 | 95)
}

/// Gives exactly as many bytes as it should, or an error.
struct Checked {
    plain: Stream<'static>,
    left: u64,
    crc: Crc,
    expected: u32,
}

impl Read for Checked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let count = self.plain.read(buffer)?;
        if count as u64 > self.left {
            return Err(damaged("a member is longer than the directory says").into());
        }
        self.left -= count as u64;
        self.crc.update(&buffer[..count]);
        if count == 0 && (self.left > 0 || self.crc.sum() != self.expected) {
            return Err(damaged("a member is shorter than the directory says, or changed").into());
        }
        Ok(count)
    }
}
