//! Holds limits of size: the newest stays.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read, Seek, SeekFrom};

use super::gather::{Draft, Place};
use super::source::FilePart;
use super::window::{Window, heading};
use crate::clock::Timestamp;
use crate::item::{FellOut, Reason};
use crate::spool::{Spool, SpoolReader};

/// A log is not shortened to less than this, in bytes.
const LEAST: u64 = 4 << 10;
/// How far behind the place where a log is to be shortened a line may end, in bytes.
const LINE: u64 = 1 << 20;

/// Takes out what there is too much of among the drafts `which` names: those that are `low` first, then the oldest. A log of
/// which a part fits is shortened to its end; what stands before its first stamp stays. Tells what fell out, by its source.
pub(super) fn hold(
    drafts: &mut Vec<Draft>,
    limit: u64,
    which: &dyn Fn(&Draft) -> bool,
    low: &dyn Fn(&Draft) -> bool,
    kept: &Spool,
    window: &Window,
) -> Vec<(usize, FellOut)> {
    let all: u64 = drafts.iter().filter(|draft| which(draft)).map(|draft| draft.size).sum();
    if all <= limit {
        return Vec::new();
    }
    let mut order = together(drafts, which);
    // What has no time was made just now.
    let newest = |draft: &Draft| draft.modified.map_or(i64::MAX, Timestamp::seconds);
    order.sort_by_key(|group| {
        let changed = group.iter().map(|&index| newest(&drafts[index])).max();
        (group.iter().any(|&index| low(&drafts[index])), Reverse(changed))
    });
    let mut left = limit;
    let mut fallen = Vec::new();
    let mut gone = vec![false; drafts.len()];
    for group in order {
        let size: u64 = group.iter().map(|&index| drafts[index].size).sum();
        if size <= left {
            left -= size;
            continue;
        }
        let in_part = match group.as_slice() {
            &[alone] if left >= LEAST => shorten(&mut drafts[alone], left, kept, window).unwrap_or(false),
            _ => false,
        };
        for &index in &group {
            let draft = &drafts[index];
            let bytes = if in_part { size - draft.size } else { draft.size };
            let path = draft.path.as_str().to_owned();
            fallen.push((draft.source, FellOut { path, reason: Reason::OverLimit, bytes, in_part }));
            gone[index] = !in_part;
        }
        if in_part {
            left = 0;
        }
    }
    let mut index = 0;
    drafts.retain(|_| {
        index += 1;
        !gone[index - 1]
    });
    fallen
}

/// The drafts in groups that stay or go as one: a database and the logs beside it, everything else by itself.
fn together(drafts: &[Draft], which: &dyn Fn(&Draft) -> bool) -> Vec<Vec<usize>> {
    const BESIDE: [&str; 3] = ["-wal", "-journal", "-shm"];
    let chosen = (0..drafts.len()).filter(|&index| which(&drafts[index]));
    let by_path: HashMap<&str, usize> = chosen.clone().map(|index| (drafts[index].path.as_str(), index)).collect();
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for index in chosen {
        let path = drafts[index].path.as_str();
        let database = BESIDE.iter().find_map(|end| by_path.get(path.strip_suffix(end)?));
        groups.entry(database.copied().unwrap_or(index)).or_default().push(index);
    }
    groups.into_values().collect()
}

/// Shortens a log to at most `room` bytes; false when it is no log, so that its end alone could mean something else.
fn shorten(draft: &mut Draft, room: u64, kept: &Spool, window: &Window) -> io::Result<bool> {
    let reading = window.reading(draft.modified.unwrap_or(Timestamp::MAX));
    match &mut draft.bytes {
        Place::Other(_) => Ok(false),
        Place::Kept(parts) => {
            let &[(start, length)] = parts.as_slice() else { return Ok(false) };
            let mut reader = SpoolReader::new(kept);
            reader.seek(SeekFrom::Start(start))?;
            let Some(head) = heading(&mut reader.by_ref().take(length), &reading)? else { return Ok(false) };
            let Some(skip) = (length + head).checked_sub(room).filter(|_| head < room) else { return Ok(false) };
            let Some(from) = next_line(&mut reader, start + skip, start + length)? else { return Ok(false) };
            *parts = vec![(start, head), (from, start + length - from)];
            draft.size = parts.iter().map(|(_, length)| length).sum();
            Ok(true)
        }
        Place::File(file) => {
            let (file, end) = (file.clone(), file.size());
            shorten_file(draft, FilePart { file, head: 0, start: 0, end }, room, &reading)
        }
        Place::Part(part) => {
            let part = part.clone();
            shorten_file(draft, part, room, &reading)
        }
    }
}

fn shorten_file(draft: &mut Draft, part: FilePart, room: u64, reading: &super::window::Reading) -> io::Result<bool> {
    let mut file = part.file.file()?;
    let Some(head) = heading(&mut (&file).take(part.file.size()), reading)? else { return Ok(false) };
    let Some(from) = (part.end + head).checked_sub(room).filter(|_| head < room) else { return Ok(false) };
    let Some(start) = next_line(&mut file, from.max(part.start), part.end)? else { return Ok(false) };
    let part = FilePart { head, start: start.max(head), ..part };
    draft.size = part.length();
    draft.bytes = Place::Part(part);
    Ok(true)
}

/// Where the next line begins, from a place on.
fn next_line(reader: &mut (impl Read + Seek), from: u64, end: u64) -> io::Result<Option<u64>> {
    reader.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    reader.take(LINE.min(end.saturating_sub(from))).read_to_end(&mut bytes)?;
    Ok(memchr::memchr(b'\n', &bytes).map(|at| from + at as u64 + 1))
}
