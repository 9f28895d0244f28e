//! The copies of snapshots that were opened on this computer, and their end.
//!
//! Each is noted when it is made, with the day by which it must be gone: the portal's deadline for the snapshot as far as it is
//! known, and in any case the last day that the sealed file names. A file `DELETE-BY` in the copy says the same to whoever finds
//! it. What is due is removed when a technician's command runs, and by `open --purge`. Removed is unlinked: no program can
//! promise that a disk keeps nothing, which is what disk encryption and [`in_memory`] are for.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Desk;
use super::exit::{Exit, Failure};
use super::home::write_private;
use super::keeping::remove;
use super::requests::day;
use crate::clock::Timestamp;
use crate::ids::{FileId, TicketId};
use crate::pipeline::Opened;
use crate::send::Client;
use crate::track::RetentionPolicy;
use crate::track::deadline::hard_cap_at;
use crate::wire::{Snapshot, SnapshotState};

/// What says in a copy until when it may be there.
const MARKER: &str = "DELETE-BY";
/// The directory of a copy in which nothing of the snapshot's own files stands.
const OWN_DIRECTORY: &str = ".tarseal";

/// A copy.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenedCopy {
    edition: u32,
    /// Names it: 32 hexadecimal digits, which stand in the copy too.
    id: String,
    /// Which snapshot it is of.
    pub snapshot: FileId,
    /// The ticket, if the snapshot names one.
    pub ticket: Option<TicketId>,
    /// Where it lies.
    pub directory: PathBuf,
    /// When it was made.
    pub opened: Timestamp,
    /// When it must be gone.
    pub delete_by: Timestamp,
}

/// What came of removing a copy.
#[derive(Debug, PartialEq, Eq)]
pub enum Removal {
    /// It is gone.
    Removed,
    /// It was not there any more; somebody removed or moved it.
    NotThere,
    /// Something else lies there now.
    Other,
}

/// Notes a copy that was just opened, and puts the day by which it must be gone into it. When that fails, the copy is removed.
///
/// `due` is the portal's deadline, where it is known.
pub fn note(
    opened: &Opened,
    due: Option<Timestamp>,
    directory: &Path,
    desk: &mut Desk<'_>,
) -> Result<OpenedCopy, Failure> {
    let mut drawn = [0; 16];
    desk.world.rng.fill_bytes(&mut drawn);
    let last = opened
        .share
        .as_ref()
        .map_or_else(|| hard_cap_at(opened.created, &RetentionPolicy::default()), |share| share.not_after);
    let noted = std::path::absolute(directory).map_err(|error| Failure::local(directory.display(), &error)).and_then(
        |directory| {
            let copy = OpenedCopy {
                edition: 1,
                id: hex::encode(drawn),
                snapshot: opened.file_id,
                ticket: opened.manifest.ticket.clone(),
                directory,
                opened: desk.world.clock.now(),
                delete_by: due.map_or(last, |due| due.min(last)),
            };
            copy.mark().map_err(|error| Failure::local(copy.directory.join(MARKER).display(), &error))?;
            copy.keep(desk)?;
            Ok(copy)
        },
    );
    if noted.is_err() {
        // The failure that matters is the first one.
        let _ = fs::remove_dir_all(directory);
    }
    noted
}

/// All copies that are noted, the one that is due first at the front.
pub fn all(desk: &Desk<'_>) -> Result<Vec<OpenedCopy>, Failure> {
    let directory = desk.home.place("opened");
    let local = |error: &io::Error| Failure::local(directory.display(), error);
    let mut found = Vec::new();
    let entries = match fs::read_dir(&directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        Err(error) => return Err(local(&error)),
    };
    for entry in entries {
        let path = entry.map_err(|error| local(&error))?.path();
        if path.extension().is_none_or(|ending| ending != "json") {
            continue;
        }
        let bytes = fs::read(&path).map_err(|error| Failure::local(path.display(), &error))?;
        let copy: Option<OpenedCopy> =
            serde_json::from_slice(&bytes).ok().filter(|copy: &OpenedCopy| copy.edition == 1);
        found.push(copy.ok_or_else(|| {
            Failure::new(Exit::Damaged, format_args!("{} is damaged.", path.display()))
                .next("It notes an opened copy: look where that is, remove it, then remove this file.")
        })?);
    }
    found.sort_by(|one: &OpenedCopy, other| (one.delete_by, &one.directory).cmp(&(other.delete_by, &other.directory)));
    Ok(found)
}

/// Removes every copy whose day has come, and says so. A copy that cannot be removed is said too, and stays noted.
pub fn purge(desk: &Desk<'_>) -> Result<Vec<OpenedCopy>, Failure> {
    let now = desk.world.clock.now();
    let mut purged = Vec::new();
    for copy in all(desk)? {
        if copy.delete_by > now {
            break;
        }
        match copy.remove(desk) {
            Ok(removal) => {
                copy.tell(&removal, desk);
                purged.push(copy);
            }
            Err(failure) => desk.output.insist(format!("OVERDUE. {}", failure.what)),
        }
    }
    Ok(purged)
}

/// Takes over what the portal tells about the snapshots of the copies: a deadline that moved, a snapshot that is gone.
pub fn follow(told: &[Snapshot], desk: &Desk<'_>) -> Result<(), Failure> {
    for mut copy in all(desk)? {
        let Some(snapshot) = told.iter().find(|snapshot| snapshot.id == copy.snapshot) else { continue };
        let delete_by = match snapshot.state {
            SnapshotState::Deleted | SnapshotState::Deleting => Some(desk.world.clock.now()),
            _ => snapshot.due_at,
        };
        let Some(delete_by) = delete_by.filter(|delete_by| *delete_by != copy.delete_by) else { continue };
        copy.delete_by = delete_by;
        copy.keep(desk)?;
        if copy.is_there() {
            copy.mark().map_err(|error| Failure::local(copy.directory.join(MARKER).display(), &error))?;
        }
    }
    Ok(())
}

/// The same, asking for each snapshot; a portal that does not answer changes nothing.
pub fn ask(client: &Client, desk: &Desk<'_>) -> Result<(), Failure> {
    let told: Vec<Snapshot> = all(desk)?.iter().filter_map(|copy| client.snapshot(&copy.snapshot).ok()).collect();
    follow(&told, desk)
}

/// A directory of the user's own that lies in memory and goes when they log out, with `name` at its end.
pub fn in_memory(name: &str, desk: &Desk<'_>) -> Result<PathBuf, Failure> {
    let Some(directory) = desk.world.path_variable("XDG_RUNTIME_DIR") else {
        return Err(nowhere("This computer names no directory in memory (XDG_RUNTIME_DIR is not set)."));
    };
    if !is_memory(&directory).map_err(|error| Failure::local(directory.display(), &error))? {
        return Err(nowhere(&format!("{} does not lie in memory.", directory.display())));
    }
    let own = directory.join("tarseal");
    match fs::DirBuilder::new().mode(0o700).create(&own) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(Failure::local(own.display(), &error)),
        _ => Ok(own.join(name)),
    }
}

fn nowhere(what: &str) -> Failure {
    Failure::new(Exit::Local, what).left("Nothing was opened.").next("Open it on the disk, and wipe it after:  -o DIR")
}

#[cfg(target_os = "linux")]
fn is_memory(directory: &Path) -> io::Result<bool> {
    /// `TMPFS_MAGIC` of linux/magic.h.
    const TMPFS: rustix::fs::FsWord = 0x0102_1994;
    Ok(rustix::fs::statfs(directory)?.f_type == TMPFS)
}

#[cfg(not(target_os = "linux"))]
fn is_memory(_: &Path) -> io::Result<bool> {
    Ok(false)
}

impl OpenedCopy {
    /// Whether something lies where the copy was put.
    pub fn is_there(&self) -> bool {
        self.marker().is_some()
    }

    /// Removes the copy, if it is this copy, and forgets it. What lies there and is something else stays.
    pub fn remove(&self, desk: &Desk<'_>) -> Result<Removal, Failure> {
        let removal = match fs::symlink_metadata(&self.directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Removal::NotThere,
            Err(error) => return Err(Failure::local(self.directory.display(), &error)),
            Ok(_) if self.marker().is_none() => Removal::Other,
            Ok(_) => {
                fs::remove_dir_all(&self.directory).map_err(|error| {
                    Failure::local(format_args!("{} could not be removed", self.directory.display()), &error)
                })?;
                Removal::Removed
            }
        };
        remove(&self.record(desk)?)?;
        Ok(removal)
    }

    /// Says what came of removing it.
    pub fn tell(&self, removal: &Removal, desk: &Desk<'_>) {
        let place = self.directory.display();
        let of = self.ticket.as_ref().map_or_else(String::new, |ticket| format!(" of ticket {ticket}"));
        desk.output.say(match removal {
            Removal::Removed => format!("The copy{of} in {place} was removed (due {}).", day(self.delete_by)),
            Removal::NotThere => format!("The copy{of} in {place} was not there any more. If you moved it, remove it."),
            Removal::Other => {
                format!("In {place} lies something else than the copy{of}, and stays. If you moved it, remove it.")
            }
        });
    }

    fn record(&self, desk: &Desk<'_>) -> Result<PathBuf, Failure> {
        Ok(desk.home.directory("opened")?.join(format!("{}.json", self.id)))
    }

    fn keep(&self, desk: &Desk<'_>) -> Result<(), Failure> {
        let path = self.record(desk)?;
        let text = serde_json::to_vec_pretty(self).expect("plain values are JSON");
        write_private(&path, &text).map_err(|error| Failure::local(path.display(), &error))
    }

    /// Where the copy says which one it is, if it does: a file of the snapshot may have the marker's name.
    fn marker(&self) -> Option<PathBuf> {
        if !fs::symlink_metadata(&self.directory).is_ok_and(|metadata| metadata.is_dir()) {
            return None;
        }
        let line = format!("copy      {}", self.id);
        self.places().into_iter().find(|place| {
            let is_file = fs::symlink_metadata(place).is_ok_and(|metadata| metadata.is_file() && metadata.len() < 4096);
            is_file && fs::read_to_string(place).is_ok_and(|text| text.lines().any(|found| found == line))
        })
    }

    fn places(&self) -> [PathBuf; 2] {
        [self.directory.join(MARKER), self.directory.join(OWN_DIRECTORY).join(MARKER)]
    }

    /// Writes the marker: over its own, or where no file of the snapshot stands.
    fn mark(&self) -> io::Result<()> {
        let text = self.words();
        if let Some(own) = self.marker() {
            return fs::write(own, text);
        }
        let new = |place: &Path| fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(place);
        let [first, second] = self.places();
        let mut file = match new(&first) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => new(&second)?,
            file => file?,
        };
        file.write_all(text.as_bytes())
    }

    fn words(&self) -> String {
        let ticket = self.ticket.as_ref().map_or_else(String::new, |ticket| format!("ticket    {ticket}\n"));
        format!(
            "{}\n\nBy then this directory must be gone: it is an opened copy of a snapshot. tarseal removes it at its first run after\n\
             that, if it is still here. To remove it now:  tarseal open --wipe {}\n\n\
             {ticket}snapshot  {}\nopened    {}\ncopy      {}\n",
            self.delete_by,
            self.directory.display(),
            self.snapshot,
            self.opened,
            self.id
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_the_snapshot_that_is_called_like_the_marker_stays_what_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let at = Timestamp::from_seconds(1_795_251_600);
        let mut copy = OpenedCopy {
            edition: 1,
            id: "ab".repeat(16),
            snapshot: "000102030405060708090a0b0c0d0e0f".parse().unwrap(),
            ticket: None,
            directory: dir.path().join("copy"),
            opened: at,
            delete_by: at,
        };
        fs::create_dir_all(copy.directory.join(OWN_DIRECTORY)).unwrap();
        fs::write(copy.directory.join(MARKER), "the snapshot's own\n").unwrap();
        assert!(!copy.is_there());
        copy.mark().unwrap();
        copy.delete_by = at.plus_days(1);
        copy.mark().unwrap();
        assert_eq!(fs::read_to_string(copy.directory.join(MARKER)).unwrap(), "the snapshot's own\n");
        let own = copy.directory.join(OWN_DIRECTORY).join(MARKER);
        assert_eq!(copy.marker(), Some(own.clone()));
        assert!(fs::read_to_string(own).unwrap().starts_with(&copy.delete_by.to_string()));

        // Another copy in the same place is not this one, and a link to a copy is not a copy.
        let other = OpenedCopy { id: "cd".repeat(16), ..copy.clone() };
        assert!(!other.is_there());
        std::os::unix::fs::symlink(&copy.directory, dir.path().join("link")).unwrap();
        copy.directory = dir.path().join("link");
        assert!(!copy.is_there());
    }
}
