//! The copies of snapshots that were opened on this computer, and their end.
//!
//! Each is noted when it is made, with the day by which it must be gone: the portal's deadline for the snapshot as far as it is
//! known, and in any case the last day that the sealed file names. A file `DELETE-BY` in the copy says the same to whoever finds
//! it. What is due is removed when a technician's command runs, and by `open --purge`. Removed is unlinked: no program can
//! promise that a disk keeps nothing, which is what disk encryption and [`in_memory`] are for.
//!
//! A copy is noted before anything is unpacked ([`begin`]), so that what a killed run leaves is found too ([`Purge`]). It is
//! forgotten when it is gone, and not while it may come back.

mod begun;
mod place;
mod purge;
mod removal;

pub use begun::{Begun, begin, sweep};
pub use place::{in_memory, resolved};
pub use purge::Purge;

use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use self::place::is_disk;
use self::removal::{is_emptied, remove_marked};
use super::Desk;
use super::exit::{Exit, Failure, plain_io};
use super::home::write_private;
use super::keeping;
use super::output::shown;
use super::requests::day;
use crate::clock::Timestamp;
use crate::ids::{FileId, TicketId};
use crate::send::{Client, SendError};
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
    /// The root of the file system on which it lies; none for memory, which does not come back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    disk: Option<PathBuf>,
    /// Whether it was being made when this was noted: then it may not be whole, and bears no marker.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    begun: bool,
}

/// What came of removing a copy.
#[derive(Debug, PartialEq, Eq)]
pub enum Removal {
    /// It is gone.
    Removed,
    /// It was not there any more; somebody removed or moved it.
    NotThere,
    /// Something else lies there now. The copy stays noted.
    Other,
    /// The disk that holds it is not there now. The copy stays noted.
    Away,
}

/// What lies where a copy was put.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    /// The copy, with its marker at this place.
    Copy(PathBuf),
    Nothing,
    Other,
    Away,
}

/// What is noted.
#[derive(Default)]
pub struct Noted {
    /// The copies, the one that is due first at the front.
    pub copies: Vec<OpenedCopy>,
    /// Those that were being made.
    begun: Vec<OpenedCopy>,
    /// What could not be read.
    pub faults: Vec<Failure>,
}

/// Reads all notes. One that cannot be read does not hide the others.
pub fn all(desk: &Desk<'_>) -> Noted {
    let directory = desk.home.place("opened");
    let local = |error: &io::Error| Failure::local(directory.display(), error);
    let mut noted = Noted::default();
    let entries = match fs::read_dir(&directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return noted,
        Err(error) => return Noted { faults: vec![local(&error)], ..noted },
    };
    for entry in entries {
        match entry.map_err(|error| local(&error)).and_then(|entry| read(&entry.path())) {
            Ok(Some(copy)) if copy.begun => noted.begun.push(copy),
            Ok(Some(copy)) => noted.copies.push(copy),
            Ok(None) => {}
            Err(fault) => noted.faults.push(fault),
        }
    }
    noted.copies.sort_by(|one, other| (one.delete_by, &one.directory).cmp(&(other.delete_by, &other.directory)));
    noted
}

/// Reads a note; `None` for a file that is none, or that another run has just removed.
fn read(path: &Path) -> Result<Option<OpenedCopy>, Failure> {
    if path.extension().is_none_or(|ending| ending != "json") {
        return Ok(None);
    }
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        bytes => bytes.map_err(|error| Failure::local(path.display(), &error))?,
    };
    let copy = serde_json::from_slice(&bytes).ok().filter(|copy: &OpenedCopy| copy.edition == 1);
    copy.map(Some).ok_or_else(|| {
        Failure::new(Exit::Damaged, format_args!("{} is damaged.", path.display()))
            .next("It notes an opened copy: look where that is, remove it, then remove this file.")
    })
}

/// Takes over what the portal tells about the snapshots of the copies: a deadline that moved, a snapshot that is gone. Gives
/// what went wrong with single copies.
pub fn follow(told: &[Snapshot], desk: &Desk<'_>) -> Vec<Failure> {
    let mut faults = Vec::new();
    for mut copy in all(desk).copies {
        let Some(snapshot) = told.iter().find(|snapshot| snapshot.id == copy.snapshot) else { continue };
        let delete_by = match snapshot.state {
            SnapshotState::Deleted | SnapshotState::Deleting => Some(desk.world.clock.now()),
            _ => snapshot.due_at,
        };
        let Some(delete_by) = delete_by.filter(|delete_by| *delete_by != copy.delete_by) else { continue };
        copy.delete_by = delete_by;
        faults.extend(copy.keep(desk).and_then(|()| copy.mark_again()).err());
    }
    faults
}

/// The same, asking for each snapshot. What the portal does not know, and what it does not answer, changes nothing; the first
/// failure to answer is given too, as its last word.
pub fn ask(client: &Client, failed: impl Fn(&SendError) -> Failure, desk: &Desk<'_>) -> Vec<Failure> {
    let mut told = Vec::new();
    let mut unanswered = None;
    for copy in all(desk).copies {
        match client.snapshot(&copy.snapshot) {
            Ok(snapshot) => told.push(snapshot),
            Err(SendError::NotFound(_) | SendError::Expired(_)) => {}
            Err(error) => {
                unanswered = Some(failed(&error));
                break;
            }
        }
    }
    let mut faults = follow(&told, desk);
    faults.extend(unanswered);
    faults
}

impl OpenedCopy {
    /// What is to be said of a copy that does not lie where it was put.
    pub fn missing(&self) -> Option<&'static str> {
        match self.found() {
            Ok(Found::Copy(_)) | Err(_) => None,
            Ok(Found::Nothing | Found::Other) => Some("moved or removed"),
            Ok(Found::Away) => Some("its disk is not there"),
        }
    }

    /// Removes the copy, if it is this copy, and forgets it once it is gone. What lies there and is something else stays.
    pub fn remove(&self, desk: &Desk<'_>) -> Result<Removal, Failure> {
        let removal = match self.found().map_err(|error| Failure::local(self.place(), &error))? {
            Found::Copy(marker) => {
                remove_marked(&self.directory, &marker).map_err(|left| self.not_removed(&left))?;
                Removal::Removed
            }
            Found::Nothing => Removal::NotThere,
            Found::Other => return Ok(Removal::Other),
            Found::Away => return Ok(Removal::Away),
        };
        self.forget(desk)?;
        Ok(removal)
    }

    /// Forgets it, whether it is there or not.
    pub fn forget(&self, desk: &Desk<'_>) -> Result<(), Failure> {
        keeping::remove(&self.record(desk)?)
    }

    /// Says what came of removing it, where it is done with.
    pub fn tell(&self, removal: &Removal, desk: &Desk<'_>) {
        match removal {
            Removal::Removed => {
                desk.output.say(format!("{} was removed (due {}).", self.named(), day(self.delete_by)));
            }
            Removal::NotThere => {
                desk.output.say(format!("{} was not there any more. If you moved it, remove it.", self.named()));
            }
            Removal::Other | Removal::Away => desk.output.insist(self.stays(removal).what),
        }
    }

    /// Why it stays noted, and what to do.
    pub fn stays(&self, removal: &Removal) -> Failure {
        let why = match removal {
            Removal::Away => format!("{} cannot be reached: the disk that holds it is not there.", self.named()),
            _ => format!("{} was moved or removed: something else lies there, and stays.", self.named()),
        };
        let next = match removal {
            Removal::Away => "Attach the disk. If there is no copy on it any more:",
            _ => "If you moved it, remove it. When there is no copy any more:",
        };
        Failure::new(Exit::Local, why).next(format!("{next}  tarseal open --wipe {} --yes", self.place()))
    }

    /// Where it lies, to be shown.
    pub fn place(&self) -> String {
        shown(&self.directory.display().to_string()).into_owned()
    }

    /// The copy, as the beginning of a sentence.
    fn named(&self) -> String {
        let of = self.ticket.as_ref().map_or_else(String::new, |ticket| format!(" of ticket {ticket}"));
        format!("The copy{of} in {}", self.place())
    }

    fn not_removed(&self, (path, error): &removal::Left) -> Failure {
        let at = match path.strip_prefix(&self.directory) {
            Ok(inside) if inside != Path::new("") => format!("{}: ", shown(&inside.display().to_string())),
            _ => String::new(),
        };
        Failure::new(Exit::Local, format_args!("{} could not be removed: {at}{}.", self.place(), plain_io(error)))
    }

    fn found(&self) -> io::Result<Found> {
        let metadata = match fs::symlink_metadata(&self.directory) {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(if self.is_away() { Found::Away } else { Found::Nothing });
            }
            metadata => metadata?,
        };
        if !metadata.is_dir() {
            return Ok(Found::Other);
        }
        Ok(match self.marker()? {
            Some(marker) => Found::Copy(marker),
            None if is_emptied(&self.directory)? => Found::Nothing,
            None => Found::Other,
        })
    }

    /// Whether the disk that held the copy is not there now.
    fn is_away(&self) -> bool {
        self.disk.as_ref().is_some_and(|disk| !is_disk(disk).is_ok_and(|there| there))
    }

    fn record(&self, desk: &Desk<'_>) -> Result<PathBuf, Failure> {
        Ok(desk.home.directory("opened")?.join(format!("{}.json", self.id)))
    }

    fn keep(&self, desk: &Desk<'_>) -> Result<(), Failure> {
        let path = self.record(desk)?;
        write_private(&path, &self.text()).map_err(|error| Failure::local(path.display(), &error))
    }

    /// The note.
    fn text(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).expect("plain values are JSON")
    }

    /// Where the copy says which one it is, if it does: a file of the snapshot may have the marker's name.
    fn marker(&self) -> io::Result<Option<PathBuf>> {
        let line = format!("copy      {}", self.id);
        for place in self.places() {
            match fs::symlink_metadata(&place) {
                Ok(metadata) if metadata.is_file() && metadata.len() < 4096 => {
                    if String::from_utf8_lossy(&fs::read(&place)?).lines().any(|found| found == line) {
                        return Ok(Some(place));
                    }
                }
                Ok(_) => {}
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    fn places(&self) -> [PathBuf; 2] {
        [self.directory.join(MARKER), self.directory.join(OWN_DIRECTORY).join(MARKER)]
    }

    /// Writes the marker anew, where the copy is.
    fn mark_again(&self) -> Result<(), Failure> {
        let marked = self.found().and_then(|found| match found {
            Found::Copy(_) => self.mark(),
            _ => Ok(()),
        });
        marked.map_err(|error| Failure::local(self.directory.join(MARKER).display(), &error))
    }

    /// Writes the marker: over its own, or where no file of the snapshot stands.
    fn mark(&self) -> io::Result<()> {
        let text = self.words();
        if let Some(own) = self.marker()? {
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

    fn copy_in(directory: PathBuf) -> OpenedCopy {
        let at = Timestamp::from_seconds(1_795_251_600);
        OpenedCopy {
            edition: 1,
            id: "ab".repeat(16),
            snapshot: "000102030405060708090a0b0c0d0e0f".parse().unwrap(),
            ticket: None,
            directory,
            opened: at,
            delete_by: at,
            disk: None,
            begun: false,
        }
    }

    #[test]
    fn a_file_of_the_snapshot_that_is_called_like_the_marker_stays_what_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let mut copy = copy_in(dir.path().join("copy"));
        fs::create_dir_all(copy.directory.join(OWN_DIRECTORY)).unwrap();
        fs::write(copy.directory.join(MARKER), "the snapshot's own\n").unwrap();
        assert_eq!(copy.found().unwrap(), Found::Other);
        copy.mark().unwrap();
        copy.delete_by = copy.delete_by.plus_days(1);
        copy.mark().unwrap();
        assert_eq!(fs::read_to_string(copy.directory.join(MARKER)).unwrap(), "the snapshot's own\n");
        let own = copy.directory.join(OWN_DIRECTORY).join(MARKER);
        assert_eq!(copy.found().unwrap(), Found::Copy(own.clone()));
        assert!(fs::read_to_string(&own).unwrap().starts_with(&copy.delete_by.to_string()));

        // Another copy in the same place is not this one, and a link to a copy is not a copy.
        let other = OpenedCopy { id: "cd".repeat(16), ..copy.clone() };
        assert_eq!(other.found().unwrap(), Found::Other);
        let linked = OpenedCopy { directory: dir.path().join("link"), ..copy.clone() };
        std::os::unix::fs::symlink(&copy.directory, &linked.directory).unwrap();
        assert_eq!(linked.found().unwrap(), Found::Other);

        remove_marked(&copy.directory, &own).unwrap();
        assert_eq!(copy.found().unwrap(), Found::Nothing);
    }

    #[test]
    fn a_removal_that_broke_off_at_its_last_step_left_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let copy = copy_in(dir.path().join("copy"));
        fs::create_dir_all(copy.directory.join(OWN_DIRECTORY)).unwrap();
        assert_eq!(copy.found().unwrap(), Found::Nothing);
        fs::write(copy.directory.join(OWN_DIRECTORY).join("manifest.json"), "{}").unwrap();
        assert_eq!(copy.found().unwrap(), Found::Other);
    }

    #[test]
    fn a_copy_whose_disk_is_not_there_is_away_and_not_gone() {
        let dir = tempfile::tempdir().unwrap();
        let on = |disk: Option<PathBuf>| OpenedCopy { disk, ..copy_in(dir.path().join("disk/copy")) }.found().unwrap();
        assert_eq!(on(Some("/".into())), Found::Nothing);
        assert_eq!(on(None), Found::Nothing);
        assert_eq!(on(Some(dir.path().join("disk"))), Found::Away);
        // Where it is attached is there, and nothing is attached.
        fs::create_dir(dir.path().join("disk")).unwrap();
        assert_eq!(on(Some(dir.path().join("disk"))), Found::Away);
    }
}
