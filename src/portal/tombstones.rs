//! What must not come back: a line for every deletion that began, in files beside the database that only grow.
//!
//! A database that is put back from a backup has forgotten what was deleted since. The tombstones have not: they lie in
//! `tombstones/2026-11.jsonl`, one file a month, one JSON object a line, and a portal reads them before it serves. A line is
//! durable before the first step of the deletion it tells of, so nothing is deleted that could be brought back unseen. A
//! second line carries the receipt, so that it stays the same one.
//!
//! Several processes may append; each holds the file's lock while it does. A line that was cut off by a crash belongs to a
//! deletion that never began; the next to append cuts it away.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::blobs::{make_directory, sync_directory};
use crate::clock::Timestamp;
use crate::ids::{FileId, TenantId};
use crate::track::receipt::DeletionReason;

/// The directory of the tombstones, beneath a data directory or in a backup.
pub(crate) const DIRECTORY: &str = "tombstones";

/// How many months the files are kept. A backup that is older than [`KEPT_DAYS`] cannot be restored any more.
const KEPT_MONTHS: i32 = 25;

/// For how many days the tombstones surely tell of everything.
pub(crate) const KEPT_DAYS: i64 = 24 * 30;

/// The longest line in bytes: a receipt of 4 KiB and its escapes fit in.
const LONGEST_LINE: u64 = 32 << 10;

/// How many lines are merged in one piece.
const MERGED_AT_ONCE: usize = 4096;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tombstone {
    /// When the deletion began, or ended.
    pub(crate) at: Timestamp,
    pub(crate) tenant: TenantId,
    pub(crate) snapshot: FileId,
    pub(crate) reason: DeletionReason,
    /// The receipt, when the deletion has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) receipt: Option<Kept>,
}

/// A receipt as it was signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kept {
    pub(crate) id: String,
    pub(crate) note: String,
}

/// The tombstones of one data directory or backup.
#[derive(Clone, Debug)]
pub(crate) struct Tombstones {
    directory: PathBuf,
}

impl Tombstones {
    /// Opens the tombstones of a data directory and makes their directory when it is not there.
    pub(crate) fn open(data: &Path) -> io::Result<Self> {
        let directory = data.join(DIRECTORY);
        make_directory(&directory)?;
        Ok(Self { directory })
    }

    /// The tombstones in a directory, a backup or a data directory that someone else made; `None` when it has none.
    pub(crate) fn within(path: &Path) -> Option<Self> {
        let beneath = path.join(DIRECTORY);
        let directory = match path.file_name() {
            _ if beneath.is_dir() => beneath,
            Some(name) if name == DIRECTORY && path.is_dir() => path.to_owned(),
            _ => return None,
        };
        Some(Self { directory })
    }

    /// Adds lines, in one piece for each month, and returns when they are durable.
    pub(crate) fn append(&self, stones: &[Tombstone]) -> io::Result<()> {
        for month in stones.chunk_by(|one, other| month_of(one.at) == month_of(other.at)) {
            let mut text = Vec::new();
            for stone in month {
                serde_json::to_writer(&mut text, stone)?;
                text.push(b'\n');
            }
            self.append_to(&self.directory.join(format!("{}.jsonl", month_of(month[0].at))), &text)?;
        }
        Ok(())
    }

    fn append_to(&self, path: &Path, text: &[u8]) -> io::Result<()> {
        let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
        file.lock()?;
        let length = file.metadata()?.len();
        let whole = end_of_last_line(&mut file, length)?;
        if whole < length {
            file.set_len(whole)?;
        }
        file.write_all(text)?;
        file.sync_all()?;
        sync_directory(&self.directory)
    }

    /// Every line, the oldest month first. A line that is not a tombstone is an error, except a last one that was cut off.
    pub(crate) fn read(&self) -> io::Result<Lines> {
        let mut files = self.files()?;
        files.reverse();
        Ok(Lines { files, open: None })
    }

    /// Adds the lines of other places that are not among these yet.
    pub(crate) fn merge(&self, others: &[Self]) -> io::Result<()> {
        let mut known = HashSet::new();
        let mut fresh = Vec::new();
        for (place, stones) in std::iter::once(self).chain(others).enumerate() {
            for stone in stones.read()? {
                let stone = stone?;
                let text = serde_json::to_vec(&stone)?;
                if known.insert(<[u8; 32]>::from(Sha256::digest(&text))) && place > 0 {
                    fresh.push(stone);
                }
                if fresh.len() >= MERGED_AT_ONCE {
                    self.append(&std::mem::take(&mut fresh))?;
                }
            }
        }
        self.append(&fresh)
    }

    /// The files, the oldest month first.
    pub(crate) fn files(&self) -> io::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "jsonl") {
                files.push(path);
            }
        }
        files.sort();
        Ok(files)
    }

    /// Removes the months that no backup reaches back to.
    pub(crate) fn forget_old(&self, now: Timestamp) -> io::Result<()> {
        let oldest = now.to_jiff().to_zoned(jiff::tz::TimeZone::UTC).date();
        let oldest = oldest.saturating_sub(jiff::Span::new().months(KEPT_MONTHS)).strftime("%Y-%m").to_string();
        for path in self.files()? {
            if path.file_stem().is_some_and(|month| *month.to_string_lossy() < *oldest) {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }
}

/// Reads the lines of the files.
#[derive(Debug)]
pub(crate) struct Lines {
    /// The files that are not read yet, the next one last.
    files: Vec<PathBuf>,
    open: Option<(PathBuf, BufReader<File>)>,
}

impl Iterator for Lines {
    type Item = io::Result<Tombstone>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (path, reader) = match &mut self.open {
                Some(open) => open,
                None => {
                    let path = self.files.pop()?;
                    match File::open(&path) {
                        Ok(file) => self.open.insert((path, BufReader::new(file))),
                        Err(fault) => return Some(Err(fault)),
                    }
                }
            };
            match next_line(path, reader) {
                Ok(None) => self.open = None,
                Ok(Some(stone)) => return Some(Ok(stone)),
                Err(fault) => {
                    self.files.clear();
                    self.open = None;
                    return Some(Err(fault));
                }
            }
        }
    }
}

fn next_line(path: &Path, reader: &mut BufReader<File>) -> io::Result<Option<Tombstone>> {
    let mut line = Vec::new();
    reader.take(LONGEST_LINE).read_until(b'\n', &mut line)?;
    let whole = line.ends_with(b"\n");
    match serde_json::from_slice(&line) {
        Ok(stone) if whole => Ok(Some(stone)),
        _ if !whole && reader.fill_buf()?.is_empty() => Ok(None),
        _ => {
            let fault = format!("{} holds a line that is not a tombstone", path.display());
            Err(io::Error::new(ErrorKind::InvalidData, fault))
        }
    }
}

fn month_of(at: Timestamp) -> String {
    at.to_jiff().strftime("%Y-%m").to_string()
}

/// The number of bytes up to the end of the last whole line.
fn end_of_last_line(file: &mut File, length: u64) -> io::Result<u64> {
    let mut end = length;
    while end > 0 {
        let start = end.saturating_sub(LONGEST_LINE);
        file.seek(SeekFrom::Start(start))?;
        let mut piece = Vec::new();
        io::Read::by_ref(file).take(end - start).read_to_end(&mut piece)?;
        if let Some(place) = piece.iter().rposition(|&byte| byte == b'\n') {
            return Ok(start + place as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stone(number: u8, at: &str) -> Tombstone {
        Tombstone {
            at: at.parse().unwrap(),
            tenant: "acme".parse().unwrap(),
            snapshot: FileId([number; 16]),
            reason: DeletionReason::TicketClosed,
            receipt: None,
        }
    }

    fn all(stones: &Tombstones) -> io::Result<Vec<u8>> {
        stones.read()?.map(|stone| Ok(stone?.snapshot.0[0])).collect()
    }

    #[test]
    fn lines_are_read_in_their_order_month_by_month() {
        let data = tempfile::tempdir().unwrap();
        let stones = Tombstones::open(data.path()).unwrap();
        let note = Kept { id: "ab".repeat(16), note: String::from("one\n\n\u{2014} two\n") };
        let ended = Tombstone { receipt: Some(note), ..stone(2, "2026-12-01T00:00:00Z") };
        stones.append(&[stone(1, "2026-11-30T23:59:59Z"), ended.clone()]).unwrap();
        stones.append(&[stone(3, "2026-11-30T23:59:59Z")]).unwrap();
        assert_eq!(all(&stones).unwrap(), [1, 3, 2]);
        assert_eq!(stones.files().unwrap().len(), 2);
        assert_eq!(stones.read().unwrap().last().unwrap().unwrap(), ended);
    }

    #[test]
    fn a_line_that_was_cut_off_counts_for_nothing_and_the_next_one_for_itself() {
        let data = tempfile::tempdir().unwrap();
        let stones = Tombstones::open(data.path()).unwrap();
        stones.append(&[stone(1, "2026-11-02T00:00:00Z"), stone(2, "2026-11-02T00:00:00Z")]).unwrap();
        let path = &stones.files().unwrap()[0];
        let whole = fs::read(path).unwrap();
        let first = whole.len() / 2;
        for cut in first..whole.len() {
            fs::write(path, &whole[..cut]).unwrap();
            assert_eq!(all(&stones).unwrap(), [1], "cut at {cut}");
            stones.append(&[stone(3, "2026-11-03T00:00:00Z")]).unwrap();
            assert_eq!(all(&stones).unwrap(), [1, 3], "cut at {cut}");
        }
    }

    #[test]
    fn a_strange_line_is_an_error_and_not_passed_over() {
        let data = tempfile::tempdir().unwrap();
        let stones = Tombstones::open(data.path()).unwrap();
        stones.append(&[stone(1, "2026-11-02T00:00:00Z")]).unwrap();
        let path = &stones.files().unwrap()[0];
        let whole = fs::read(path).unwrap();
        let long = [vec![b' '; 40 << 10], whole.clone()].concat();
        for strange in [&b"{}\n"[..], b"\n", b"\xff\n", &long] {
            fs::write(path, [strange, &whole].concat()).unwrap();
            assert!(all(&stones).is_err(), "{}", strange.escape_ascii());
        }
    }

    #[test]
    fn only_months_that_no_backup_reaches_are_forgotten() {
        let data = tempfile::tempdir().unwrap();
        let stones = Tombstones::open(data.path()).unwrap();
        stones.append(&[stone(1, "2024-09-30T00:00:00Z"), stone(2, "2024-10-01T00:00:00Z")]).unwrap();
        stones.forget_old("2026-11-30T00:00:00Z".parse().unwrap()).unwrap();
        assert_eq!(all(&stones).unwrap(), [2]);
    }

    #[test]
    fn merging_adds_each_line_once() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let stones = Tombstones::open(one.path()).unwrap();
        let others = Tombstones::open(other.path()).unwrap();
        stones.append(&[stone(1, "2026-11-02T00:00:00Z")]).unwrap();
        others.append(&[stone(1, "2026-11-02T00:00:00Z"), stone(2, "2026-10-02T00:00:00Z")]).unwrap();
        stones.merge(&[others.clone(), others]).unwrap();
        assert_eq!(all(&stones).unwrap(), [2, 1]);
    }

    #[test]
    fn many_append_at_once_and_no_line_is_lost() {
        let data = tempfile::tempdir().unwrap();
        let stones = Tombstones::open(data.path()).unwrap();
        std::thread::scope(|scope| {
            for number in 0..8 {
                let stones = &stones;
                scope.spawn(move || {
                    for _ in 0..20 {
                        stones.append(&[stone(number, "2026-11-02T00:00:00Z")]).unwrap();
                    }
                });
            }
        });
        assert_eq!(all(&stones).unwrap().len(), 160);
    }
}
