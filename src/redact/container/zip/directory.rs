//! The central directory, and whether the archive agrees with it (APPNOTE.TXT 4.3.14 to 4.3.16).

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::io::{Read, Seek, SeekFrom, Take};
use std::sync::Arc;

use super::record::{CENTRAL_LENGTH, LOCAL_LENGTH, Record, damaged, u16_at, u32_at, u64_at};
use crate::redact::error::RedactError;
use crate::spool::{Spool, SpoolReader};

const END: &[u8; 4] = b"PK\x05\x06";
const END_LENGTH: usize = 22;
const WIDE_LOCATOR: &[u8; 4] = b"PK\x06\x07";
const WIDE_LOCATOR_LENGTH: usize = 20;
const WIDE_END: &[u8; 4] = b"PK\x06\x06";
const WIDE_END_LENGTH: usize = 56;

/// A directory that was checked, and how far it was read since. Nothing of its size is kept in memory.
pub(super) struct Directory {
    spool: Arc<Spool>,
    reader: SpoolReader<Arc<Spool>>,
    /// Where it begins.
    start: u64,
    entries: u64,
    /// Members that were not given yet.
    left: u64,
}

impl Directory {
    /// Finds the directory of an archive and checks that every member is what it says and lies apart from the others.
    /// `hear` hears of every member and may stop it.
    pub(super) fn read(
        spool: Arc<Spool>,
        hear: impl FnMut(&Record) -> Result<(), RedactError>,
    ) -> Result<Self, RedactError> {
        let mut reader = SpoolReader::new(Arc::clone(&spool));
        let (start, length, entries) = find(&mut reader, spool.length())?;
        reader.seek(SeekFrom::Start(start)).map_err(RedactError::Read)?;
        let mut directory = Self { spool, reader, start, entries, left: entries };
        directory.check(length, hear)?;
        directory.rewind()?;
        Ok(directory)
    }

    /// The next member; `None` after the last.
    pub(super) fn next(&mut self) -> Result<Option<Record>, RedactError> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let mut fixed = [0; CENTRAL_LENGTH];
        exactly(&mut self.reader, &mut fixed)?;
        let (mut record, lengths) = Record::parse(&fixed)?;
        let mut rest = vec![0; lengths.name + lengths.extra + lengths.comment];
        exactly(&mut self.reader, &mut rest)?;
        let (name, rest) = rest.split_at(lengths.name);
        record.complete(name, &rest[..lengths.extra])?;
        Ok(Some(record))
    }

    /// The content of a member, as it is packed.
    pub(super) fn packed(&self, record: &Record) -> Result<Take<SpoolReader<Arc<Spool>>>, RedactError> {
        let mut reader = SpoolReader::new(Arc::clone(&self.spool));
        let start = content_start(&mut reader, record)?;
        reader.seek(SeekFrom::Start(start)).map_err(RedactError::Read)?;
        Ok(reader.take(record.packed))
    }

    fn rewind(&mut self) -> Result<(), RedactError> {
        self.left = self.entries;
        self.reader.seek(SeekFrom::Start(self.start)).map_err(RedactError::Read)?;
        Ok(())
    }

    fn check(
        &mut self,
        length: u64,
        mut hear: impl FnMut(&Record) -> Result<(), RedactError>,
    ) -> Result<(), RedactError> {
        let mut local = SpoolReader::new(Arc::clone(&self.spool));
        let mut places = Vec::new();
        let (mut names, hasher) = (HashSet::new(), RandomState::new());
        while let Some(record) = self.next()? {
            hear(&record)?;
            let start = content_start(&mut local, &record)?;
            let end = start.checked_add(record.packed).ok_or_else(|| damaged("a member is too long"))?;
            places.push((record.start, end));
            if !names.insert(hasher.hash_one(&record.name)) {
                return Err(damaged("two members have one name"));
            }
        }
        let at = self.reader.stream_position().map_err(RedactError::Read)?;
        if at != self.start + length {
            return Err(damaged("the directory is longer than its members"));
        }
        places.sort_unstable();
        let apart = places.windows(2).all(|pair| pair[0].1 <= pair[1].0);
        if !apart || places.last().is_some_and(|last| last.1 > self.start) {
            return Err(damaged("members lie over each other"));
        }
        Ok(())
    }
}

/// Where a member's content begins; fails where its local header disagrees with the directory.
fn content_start(reader: &mut SpoolReader<Arc<Spool>>, record: &Record) -> Result<u64, RedactError> {
    reader.seek(SeekFrom::Start(record.start)).map_err(RedactError::Read)?;
    let mut fixed = [0; LOCAL_LENGTH];
    exactly(reader, &mut fixed)?;
    let (name, extra) = (usize::from(u16_at(&fixed, 26)), usize::from(u16_at(&fixed, 28)));
    let mut rest = vec![0; name + extra];
    exactly(reader, &mut rest)?;
    if !record.agrees_with(&fixed, &rest[..name], &rest[name..])? {
        return Err(damaged("a member is not what the directory says"));
    }
    reader.stream_position().map_err(RedactError::Read)
}

/// Start, length and number of members of the directory.
fn find(reader: &mut SpoolReader<Arc<Spool>>, length: u64) -> Result<(u64, u64, u64), RedactError> {
    let tail_start = length.saturating_sub((END_LENGTH + usize::from(u16::MAX)) as u64);
    reader.seek(SeekFrom::Start(tail_start)).map_err(RedactError::Read)?;
    let mut tail = Vec::new();
    reader.read_to_end(&mut tail).map_err(RedactError::Read)?;
    let at = memchr::memmem::rfind(&tail, END).ok_or_else(|| damaged("the directory's end is missing"))?;
    let end = &tail[at..];
    if end.len() < END_LENGTH || END_LENGTH + usize::from(u16_at(end, 20)) != end.len() {
        return Err(damaged("the directory's end is broken"));
    }
    let one_disk = end[4..8] == [0; 4] && end[8..10] == end[10..12];
    let mut entries: u64 = u16_at(end, 10).into();
    let (mut size, mut start) = (u64::from(u32_at(end, 12)), u64::from(u32_at(end, 16)));
    let mut end_start = tail_start + at as u64;
    if !one_disk {
        return Err(damaged("a part of an archive in several"));
    }
    if let Some(wide) = find_wide(reader, end_start)? {
        let agree = |short: &mut u64, most: u64, told: u64| {
            let agreed = *short == most || *short == told;
            *short = told;
            agreed
        };
        let agreed = agree(&mut entries, u16::MAX.into(), wide.entries)
            && agree(&mut size, u32::MAX.into(), wide.size)
            && agree(&mut start, u32::MAX.into(), wide.start);
        if !agreed {
            return Err(damaged("the directory has two ends that disagree"));
        }
        end_start = wide.end_start;
    }
    if start.checked_add(size) != Some(end_start) || entries > size / CENTRAL_LENGTH as u64 {
        return Err(damaged("the directory is not where its end says"));
    }
    Ok((start, size, entries))
}

/// What the end of a zip64 directory says.
struct WideEnd {
    entries: u64,
    size: u64,
    start: u64,
    end_start: u64,
}

fn find_wide(reader: &mut SpoolReader<Arc<Spool>>, end_start: u64) -> Result<Option<WideEnd>, RedactError> {
    let Some(locator_start) = end_start.checked_sub(WIDE_LOCATOR_LENGTH as u64) else { return Ok(None) };
    reader.seek(SeekFrom::Start(locator_start)).map_err(RedactError::Read)?;
    let mut locator = [0; WIDE_LOCATOR_LENGTH];
    exactly(reader, &mut locator)?;
    if locator[..4] != *WIDE_LOCATOR {
        return Ok(None);
    }
    let wide_start = u64_at(&locator, 8);
    reader.seek(SeekFrom::Start(wide_start)).map_err(RedactError::Read)?;
    let mut wide = [0; WIDE_END_LENGTH];
    exactly(reader, &mut wide)?;
    let length = u64_at(&wide, 4).checked_add(12);
    let ends_there = length.and_then(|length| wide_start.checked_add(length)) == Some(locator_start);
    let one_disk = wide[16..24] == [0; 8] && wide[24..32] == wide[32..40];
    if wide[..4] != *WIDE_END || !ends_there || !one_disk {
        return Err(damaged("the directory's wide end is broken"));
    }
    Ok(Some(WideEnd {
        entries: u64_at(&wide, 32),
        size: u64_at(&wide, 40),
        start: u64_at(&wide, 48),
        end_start: wide_start,
    }))
}

fn exactly(reader: &mut SpoolReader<Arc<Spool>>, buffer: &mut [u8]) -> Result<(), RedactError> {
    reader.read_exact(buffer).map_err(|error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => damaged("the archive ends early"),
        _ => RedactError::Read(error),
    })
}
