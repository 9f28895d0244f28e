//! Copies that are being made: noted before anything is unpacked, so that what a killed run leaves in clear is found and goes.

use std::fs::{self, DirEntry, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::place::disk_of;
use super::removal::remove_unmarked;
use super::{MARKER, OpenedCopy, all, read};
use crate::cli::Desk;
use crate::cli::exit::Failure;
use crate::cli::home::sync_parent;
use crate::cli::output::shown;
use crate::cli::requests::day;
use crate::clock::Timestamp;
use crate::format::Header;
use crate::pack::MANIFEST_PATH;
use crate::pipeline::Opened;
use crate::track::RetentionPolicy;
use crate::track::deadline::hard_cap_at;

/// Characters of chance in the name of a directory that is being unpacked.
const CHANCE: usize = 6;

/// How far the clocks of two file systems may be apart.
const CLOCKS_DIFFER: Duration = Duration::from_secs(60);

/// A copy that this run makes. Until it is finished other runs see by the lock on its note that somebody is at it.
pub struct Begun {
    copy: OpenedCopy,
    _held: File,
}

/// Notes a copy that is about to be unpacked into `destination`. The last day that the sealed file names is its day for now.
pub fn begin(header: &Header, destination: &Path, desk: &mut Desk<'_>) -> Result<Begun, Failure> {
    let mut drawn = [0; 16];
    desk.world.rng.fill_bytes(&mut drawn);
    let directory = std::path::absolute(destination).map_err(|error| Failure::local(destination.display(), &error))?;
    let not_after = header.share.as_ref().map(|share| share.not_after);
    let copy = OpenedCopy {
        edition: 1,
        id: hex::encode(drawn),
        snapshot: header.file_id,
        ticket: None,
        // A place that is not there is told by whoever writes to it.
        disk: directory.parent().and_then(|parent| disk_of(parent).ok()).flatten(),
        directory,
        opened: desk.world.clock.now(),
        delete_by: not_after.unwrap_or_else(|| hard_cap_at(header.created, &RetentionPolicy::default())),
        begun: true,
    };
    let record = copy.record(desk)?;
    let held = hold(&copy, &record).map_err(|error| Failure::local(record.display(), &error));
    Ok(Begun { copy, _held: held.map_err(|failure| failure.left("Nothing was opened."))? })
}

/// Writes the note, locked before it has its name.
fn hold(copy: &OpenedCopy, record: &Path) -> io::Result<File> {
    let new = record.with_extension("new");
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    // Where nothing can be locked, nobody takes the copy for one that was given up.
    let _ = file.try_lock();
    let written = file.write_all(&copy.text()).and_then(|()| file.sync_all());
    if let Err(error) = written.and_then(|()| fs::rename(&new, record)) {
        // What is half written is of no use to anybody.
        let _ = fs::remove_file(&new);
        return Err(error);
    }
    sync_parent(record)?;
    Ok(file)
}

impl Begun {
    /// Forgets a copy that was not made: nothing of it is there.
    pub fn abandon(self, desk: &Desk<'_>) {
        // The failure that matters is the one that ended it; the note of nothing is cleared away at the next run.
        let _ = self.copy.forget(desk);
    }

    /// Notes the copy that was made, and puts the day by which it must be gone into it. When that fails, it is removed.
    ///
    /// `due` is the portal's deadline, where it is known.
    pub fn finish(self, opened: &Opened, due: Option<Timestamp>, desk: &Desk<'_>) -> Result<OpenedCopy, Failure> {
        let last = self.copy.delete_by;
        let copy = OpenedCopy {
            ticket: opened.manifest.ticket.clone(),
            opened: desk.world.clock.now(),
            delete_by: due.map_or(last, |due| due.min(last)),
            begun: false,
            ..self.copy
        };
        if let Err(failure) = take_up(&copy, desk) {
            // The failure that matters is the first one. What stays is still noted as begun.
            if fs::remove_dir_all(&copy.directory).is_ok() {
                let _ = copy.forget(desk);
            }
            return Err(failure);
        }
        Ok(copy)
    }
}

fn take_up(copy: &OpenedCopy, desk: &Desk<'_>) -> Result<(), Failure> {
    copy.mark().map_err(|error| Failure::local(copy.directory.join(MARKER).display(), &error))?;
    copy.keep(desk)
}

/// Removes what runs that were killed had unpacked so far, and notes what they had unpacked whole. Gives what went wrong.
pub fn sweep(desk: &Desk<'_>) -> Vec<Failure> {
    let noted = all(desk);
    if noted.begun.is_empty() {
        return Vec::new();
    }
    let mut faults = Vec::new();
    // Whoever holds one of them is at work there: what lies there may be of that run.
    let (at_work, given_up): (Vec<OpenedCopy>, Vec<OpenedCopy>) =
        noted.begun.into_iter().partition(|copy| is_held(copy, desk));
    let mut known: Vec<&Path> = noted.copies.iter().map(|copy| copy.directory.as_path()).collect();
    for copy in &given_up {
        if at_work.iter().any(|other| other.directory == copy.directory) {
            continue;
        }
        match clear(copy, &known, desk) {
            Ok(true) => known.push(&copy.directory),
            Ok(false) => {}
            Err(fault) => faults.push(fault),
        }
    }
    faults
}

/// Whether the run that noted a copy still has it; one that is finished in this moment counts as held.
fn is_held(copy: &OpenedCopy, desk: &Desk<'_>) -> bool {
    let Ok(record) = copy.record(desk) else { return true };
    let Ok(file) = File::open(&record) else { return true };
    match file.try_lock() {
        // The note may have been replaced before it was locked.
        Ok(()) => !read(&record).is_ok_and(|now| now.is_some_and(|now| now.begun)),
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => true,
    }
}

/// Clears up after a run that was killed; true when the copy was whole, and is noted now.
fn clear(copy: &OpenedCopy, known: &[&Path], desk: &Desk<'_>) -> Result<bool, Failure> {
    let since = fs::metadata(copy.record(desk)?).and_then(|record| record.modified());
    let partial = since.and_then(|since| partial_forms(&copy.directory, since));
    for partial in partial.map_err(|error| Failure::local(copy.place(), &error))? {
        remove_unmarked(&partial).map_err(|left| copy.not_removed(&left))?;
        let place = shown(&partial.display().to_string()).into_owned();
        desk.output.say(format!("What a run that was killed had unpacked in {place} was removed."));
    }
    if copy.is_away() {
        return Err(copy.stays(&super::Removal::Away));
    }
    let is_whole = copy.directory.join(MANIFEST_PATH).is_file();
    if is_whole && !known.contains(&copy.directory.as_path()) {
        let copy = OpenedCopy { begun: false, ..copy.clone() };
        take_up(&copy, desk)?;
        desk.output.say(format!(
            "{} was opened by a run that was killed. Gone by {}.",
            copy.named(),
            day(copy.delete_by)
        ));
        return Ok(true);
    }
    copy.forget(desk)?;
    Ok(false)
}

/// The directories beside `directory` into which it was being unpacked: named, made and closed to others as the unpacker does it,
/// and not older than the note.
fn partial_forms(directory: &Path, since: SystemTime) -> io::Result<Vec<PathBuf>> {
    let (Some(above), Some(name)) = (directory.parent(), directory.file_name()) else { return Ok(Vec::new()) };
    let mut prefix = name.to_os_string();
    prefix.push(".partial-");
    let is_partial = |entry: &&DirEntry| {
        let name = entry.file_name();
        let chance = name.as_encoded_bytes().strip_prefix(prefix.as_encoded_bytes());
        chance.is_some_and(|chance| chance.len() == CHANCE && chance.iter().all(u8::is_ascii_alphanumeric))
            && entry.metadata().is_ok_and(|metadata| {
                let made = metadata.created().or_else(|_| metadata.modified());
                metadata.is_dir()
                    && metadata.mode() & 0o7777 == 0o700
                    && made.is_ok_and(|made| made + CLOCKS_DIFFER >= since)
            })
    };
    let entries = match fs::read_dir(above) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(Vec::new()),
        entries => entries?.collect::<io::Result<Vec<DirEntry>>>()?,
    };
    Ok(entries.iter().filter(is_partial).map(DirEntry::path).collect())
}
