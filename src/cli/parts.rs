//! A sealed file in parts, for sticks and mails that hold less than all of it.
//!
//! The parts, `NAME.001`, `NAME.002` and so on, are plain pieces of the sealed file in their order: put behind one another they are
//! the file. Beside them lies their list, `NAME.parts`: how long the file and each part is, and the SHA-256 of each. A part is
//! read only after it was checked against the list. The list itself proves nothing: who sealed the file and for whom, and that
//! nothing of it was changed, shows when it is opened.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::exit::{Exit, Failure};
use super::home::sync_parent;
use super::interrupt::Unfinished;
use super::output::{count, shown, size};
use crate::format::check_phrase;
use crate::ids::FileId;
use crate::pack::Digest;

/// The ending of a list.
const ENDING: &str = "parts";
/// As many as three digits count.
const MOST: u64 = 999;
/// A list that is longer, in bytes, is something else.
const LONGEST_LIST: u64 = 256 << 10;
/// Bytes that are read at a time.
const BUFFER: usize = 256 << 10;
/// What stays true when a part is not what it should be.
const NOTHING_JOINED: &str = "Nothing was joined.";

/// What lies beside the parts.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    edition: u32,
    snapshot: FileId,
    size: u64,
    sha256: Digest,
    parts: Vec<Part>,
}

/// One part; which one, says its place.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    size: u64,
    sha256: Digest,
}

/// What was cut.
pub struct Cut {
    /// Where the list is.
    pub list: PathBuf,
    /// How many parts there are.
    pub parts: usize,
    /// Twelve words of the sealed file's SHA-256.
    pub phrase: String,
}

/// Whether this is the list of a file in parts, by its name.
pub fn is_list(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == ENDING)
}

/// The list's place, for a sealed file that would be called `name`.
fn list_of(name: &Path) -> PathBuf {
    with_ending(name, ENDING)
}

/// The place of the part `number`, from 1.
fn part_of(name: &Path, number: usize) -> PathBuf {
    with_ending(name, &format!("{number:03}"))
}

fn with_ending(name: &Path, ending: &str) -> PathBuf {
    let mut name = name.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

/// Refuses when something lies where the list or the first part would be written.
pub fn refuse_existing(name: &Path) -> Result<(), Failure> {
    [name.to_owned(), list_of(name), part_of(name, 1)].iter().try_for_each(|path| refuse(path))
}

fn refuse(path: &Path) -> Result<(), Failure> {
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    Err(Failure::new(Exit::Local, format_args!("{} is there already, and nothing is overwritten.", path.display()))
        .next("Name another file:  -o FILE"))
}

/// Cuts a sealed file into parts of at most `most` bytes, which appear as `name.001` and so on, and at the end writes their list. When
/// that fails, none of them is left.
pub fn cut(sealed: &Path, snapshot: FileId, name: &Path, most: u64) -> Result<Cut, Failure> {
    let local = |path: &Path, error: &io::Error| {
        Failure::local(path.display(), error).left("Nothing has left this computer, and no part is left there.")
    };
    let mut input = File::open(sealed).map_err(|error| local(sealed, &error))?;
    let length = input.metadata().map_err(|error| local(sealed, &error))?.len();
    let number = length.div_ceil(most);
    if number > MOST {
        return Err(Failure::usage(format_args!("That would be {number} parts; there can be {MOST} at most."))
            .next(format!("Name a larger size:  --split {}", whole_megabytes(length.div_ceil(MOST)))));
    }
    let mut made = Made::default();
    let (mut whole, mut parts) = (Sha256::new(), Vec::new());
    for number in 1..=usize::try_from(number).expect("at most 999") {
        let path = part_of(name, number);
        refuse(&path)?;
        let part = made
            .write(&path, |output| copy(&mut (&mut input).take(most), output, &mut whole))
            .map_err(|error| local(&path, &error))?;
        parts.push(part);
    }
    let sha256 = Digest(whole.finalize().into());
    let count = parts.len();
    let list = list_of(name);
    let text = serde_json::to_vec_pretty(&List { edition: 1, snapshot, size: length, sha256, parts });
    let text = text.expect("plain values are JSON");
    made.write(&list, |output| output.write_all(&text)).map_err(|error| local(&list, &error))?;
    made.keep();
    Ok(Cut { list, parts: count, phrase: check_phrase(&sha256.0) })
}

fn whole_megabytes(bytes: u64) -> String {
    format!("{}MB", bytes.div_ceil(1_000_000))
}

/// Copies all of `input`, counting it in the digest of the whole too.
fn copy(input: &mut impl Read, output: &mut File, whole: &mut Sha256) -> io::Result<Part> {
    let (mut own, mut size, mut buffer) = (Sha256::new(), 0, vec![0; BUFFER]);
    loop {
        let length = match input.read(&mut buffer) {
            Ok(0) => return Ok(Part { size, sha256: Digest(own.finalize().into()) }),
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let bytes = &buffer[..length];
        own.update(bytes);
        whole.update(bytes);
        output.write_all(bytes)?;
        size += length as u64;
    }
}

/// Files that were written and go again unless all of them are.
#[derive(Default)]
struct Made(Vec<PathBuf>);

impl Made {
    /// Writes a new file, which has its name only when all of it is on the disk.
    fn write<T>(&mut self, path: &Path, write: impl FnOnce(&mut File) -> io::Result<T>) -> io::Result<T> {
        let _unfinished = Unfinished::note(path);
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut prefix = path.file_name().unwrap_or_default().to_owned();
        prefix.push(".partial-");
        let mut file = tempfile::Builder::new().prefix(&prefix).tempfile_in(directory)?;
        let written = write(file.as_file_mut())?;
        file.as_file().sync_all()?;
        file.persist_noclobber(path).map_err(|error| error.error)?;
        self.0.push(path.to_owned());
        sync_parent(path)?;
        Ok(written)
    }

    fn keep(mut self) {
        self.0.clear();
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        for path in &self.0 {
            // The failure that matters is the one that ended the cutting.
            let _ = fs::remove_file(path);
        }
    }
}

/// A sealed file read from its parts, each of which was checked against the list.
pub struct Joined {
    parts: Vec<(PathBuf, u64)>,
    /// The file's length in bytes.
    size: u64,
    /// The file's SHA-256, as the list says and the parts together have.
    sha256: Digest,
    at: u64,
    open: Option<(usize, File)>,
}

impl Joined {
    /// Reads a list and checks every part. Refuses a list that does not add up, and parts that are missing, changed, there twice, or of
    /// another snapshot.
    pub fn open(list: &Path) -> Result<Self, Failure> {
        let List { size, sha256, parts, .. } = read(list)?;
        let name = list.with_extension("");
        let (mut whole, mut joined) = (Sha256::new(), Vec::new());
        for (index, part) in parts.iter().enumerate() {
            let path = part_of(&name, index + 1);
            let found =
                digest(&path, part.size, &mut whole).map_err(|error| unreadable(index, parts.len(), &path, &error))?;
            if found != *part {
                return Err(other(index, &parts, &path, &found));
            }
            joined.push((path, part.size));
        }
        if whole.finalize().as_slice() != sha256.0 {
            return Err(not_a_list(list, "the parts are not those of the whole file"));
        }
        Ok(Self { parts: joined, size, sha256, at: 0, open: None })
    }

    /// Twelve words of the file's SHA-256.
    pub fn phrase(&self) -> String {
        check_phrase(&self.sha256.0)
    }

    /// How many parts there are, in words.
    pub fn count(&self) -> String {
        count(self.parts.len() as u64, "part")
    }
}

fn read(list: &Path) -> Result<List, Failure> {
    let local = |error: &io::Error| {
        let exit = if error.kind() == io::ErrorKind::NotFound { Exit::NotFound } else { Exit::Local };
        Failure::new(exit, format_args!("{}: {}.", list.display(), super::exit::plain_io(error)))
    };
    let mut text = Vec::new();
    let file = File::open(list).map_err(|error| local(&error))?;
    file.take(LONGEST_LIST + 1).read_to_end(&mut text).map_err(|error| local(&error))?;
    if text.len() as u64 > LONGEST_LIST {
        return Err(not_a_list(list, "it is too long"));
    }
    let read: List = serde_json::from_slice(&text).map_err(|_| not_a_list(list, "it cannot be read"))?;
    let sum = read.parts.iter().try_fold(0_u64, |sum, part| sum.checked_add(part.size));
    match () {
        () if read.edition != 1 => Err(not_a_list(list, "it is of an edition this version does not know")),
        () if read.parts.is_empty() || read.parts.len() as u64 > MOST => {
            Err(not_a_list(list, "it names no parts, or too many"))
        }
        () if sum != Some(read.size) => Err(not_a_list(list, "its parts do not make up the file")),
        () => Ok(read),
    }
}

fn not_a_list(list: &Path, why: &str) -> Failure {
    Failure::new(
        Exit::Damaged,
        format_args!("{} is not the list of a file in parts: {why}.", shown(&list.display().to_string())),
    )
    .left(NOTHING_JOINED)
    .next("Copy it again from where it was made.")
}

/// What a part is: its length and digest. Of one that is longer than it should be only the length is read.
fn digest(path: &Path, expected: u64, whole: &mut Sha256) -> io::Result<Part> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut input = File::open(path)?.take(expected.saturating_add(1));
    let (mut own, mut size, mut buffer) = (Sha256::new(), 0, vec![0; BUFFER]);
    loop {
        let length = match input.read(&mut buffer) {
            Ok(0) => return Ok(Part { size, sha256: Digest(own.finalize().into()) }),
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        own.update(&buffer[..length]);
        whole.update(&buffer[..length]);
        size += length as u64;
    }
}

fn named(index: usize, of: usize, path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    format!("Part {} of {of}, {},", index + 1, shown(&name))
}

fn unreadable(index: usize, of: usize, path: &Path, error: &io::Error) -> Failure {
    let named = named(index, of, path);
    let failure = match error.kind() {
        io::ErrorKind::NotFound => Failure::new(Exit::Damaged, format_args!("{named} is missing.")),
        _ => Failure::new(Exit::Local, format_args!("{named} cannot be read: {}.", super::exit::plain_io(error))),
    };
    failure.left(NOTHING_JOINED).next("Every part must lie beside the list. Copy it from where it was made.")
}

/// A part that is there and is not what the list says.
fn other(index: usize, parts: &[Part], path: &Path, found: &Part) -> Failure {
    let named = named(index, parts.len(), path);
    let twin = parts.iter().position(|part| part == found);
    let what = match twin {
        Some(twin) => format!("{named} is part {} once more.", twin + 1),
        None if found.size < parts[index].size => {
            format!("{named} is cut off: {} of {}.", size(found.size), size(parts[index].size))
        }
        None => format!("{named} was changed, or is of another snapshot."),
    };
    Failure::new(Exit::Damaged, what).left(NOTHING_JOINED).next("Copy it again from where it was made.")
}

impl Read for Joined {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut begins = 0;
        for (index, (path, length)) in self.parts.iter().enumerate() {
            if self.at >= begins + length {
                begins += length;
                continue;
            }
            if self.open.as_ref().is_none_or(|(open, _)| *open != index) {
                self.open = Some((index, File::open(path)?));
            }
            let (_, file) = self.open.as_ref().expect("it was opened above");
            let within = self.at - begins;
            let most = usize::try_from(length - within).unwrap_or(usize::MAX).min(buffer.len());
            let read = file.read_at(&mut buffer[..most], within)?;
            if read == 0 && most > 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.at += read as u64;
            return Ok(read);
        }
        Ok(0)
    }
}

impl Seek for Joined {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.size.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(dir: &Path) -> (PathBuf, Vec<u8>) {
        let bytes: Vec<u8> = (0..1_000_u32).flat_map(u32::to_le_bytes).collect();
        fs::write(dir.join("sealed"), &bytes).unwrap();
        let cut = cut(
            &dir.join("sealed"),
            "000102030405060708090a0b0c0d0e0f".parse().unwrap(),
            &dir.join("f.tarseal"),
            1_500,
        );
        let cut = cut.unwrap();
        assert_eq!(cut.parts, 3);
        (cut.list, bytes)
    }

    fn refused(list: &Path) -> String {
        let failure = Joined::open(list).err().unwrap();
        assert_eq!((failure.exit, failure.left.as_deref()), (Exit::Damaged, Some(NOTHING_JOINED)));
        failure.what
    }

    #[test]
    fn parts_behind_one_another_are_the_file_also_read_from_any_place() {
        let dir = tempfile::tempdir().unwrap();
        let (list, bytes) = parts(dir.path());
        let mut joined = Joined::open(&list).unwrap();
        let mut all = Vec::new();
        joined.read_to_end(&mut all).unwrap();
        assert_eq!(all, bytes);
        for at in [0, 1_499, 1_500, 2_999, 3_999] {
            joined.seek(SeekFrom::End(at - 4_000)).unwrap();
            let mut rest = Vec::new();
            joined.read_to_end(&mut rest).unwrap();
            assert_eq!(rest, bytes[usize::try_from(at).unwrap()..], "{at}");
        }
        assert_eq!(joined.phrase().split(' ').count(), 12);
    }

    #[test]
    fn a_part_that_is_missing_cut_off_doubled_changed_or_of_another_snapshot_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let (list, _) = parts(dir.path());
        let second = dir.path().join("f.tarseal.002");
        let good = fs::read(&second).unwrap();
        fs::remove_file(&second).unwrap();
        assert_eq!(refused(&list), "Part 2 of 3, f.tarseal.002, is missing.");
        fs::write(&second, &good[..100]).unwrap();
        assert_eq!(refused(&list), "Part 2 of 3, f.tarseal.002, is cut off: 100 bytes of 1.5 kB.");
        fs::copy(dir.path().join("f.tarseal.001"), &second).unwrap();
        assert_eq!(refused(&list), "Part 2 of 3, f.tarseal.002, is part 1 once more.");
        let mut changed = good.clone();
        changed[7] ^= 1;
        fs::write(&second, changed).unwrap();
        assert_eq!(refused(&list), "Part 2 of 3, f.tarseal.002, was changed, or is of another snapshot.");
        fs::write(&second, [&good[..], b"more"].concat()).unwrap();
        assert_eq!(refused(&list), "Part 2 of 3, f.tarseal.002, was changed, or is of another snapshot.");
        fs::write(&second, good).unwrap();
        Joined::open(&list).unwrap();
    }

    #[test]
    fn a_list_that_does_not_add_up_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (list, _) = parts(dir.path());
        let good: List = read(&list).unwrap();
        let wrong = |change: &dyn Fn(&mut List)| {
            let mut changed: List = serde_json::from_str(&serde_json::to_string(&good).unwrap()).unwrap();
            change(&mut changed);
            fs::write(&list, serde_json::to_vec(&changed).unwrap()).unwrap();
            refused(&list)
        };
        assert!(wrong(&|list| list.edition = 2).contains("edition"));
        assert!(wrong(&|list| list.parts.clear()).contains("no parts"));
        assert!(wrong(&|list| list.size += 1).contains("do not make up"));
        assert!(wrong(&|list| list.parts[0].size = u64::MAX).contains("do not make up"));
        assert!(wrong(&|list| list.sha256.0[0] ^= 1).contains("not those of the whole"));
        assert!(wrong(&|list| list.parts.swap(0, 1)).contains("is part 2 once more"));
        fs::write(&list, "{}").unwrap();
        assert!(refused(&list).contains("cannot be read"));
    }

    #[test]
    fn nothing_is_overwritten_and_what_cannot_be_ended_leaves_no_part() {
        let dir = tempfile::tempdir().unwrap();
        let id = "000102030405060708090a0b0c0d0e0f".parse().unwrap();
        let (sealed, name) = (dir.path().join("sealed"), dir.path().join("f.tarseal"));
        fs::write(&sealed, [7; 4_000]).unwrap();
        fs::write(dir.path().join("f.tarseal.003"), "of somebody else").unwrap();
        assert_eq!(cut(&sealed, id, &name, 1_500).err().unwrap().exit, Exit::Local);
        let mut left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["f.tarseal.003", "sealed"]);
        assert_eq!(cut(&sealed, id, &name, 4).err().unwrap().exit, Exit::Usage);
    }
}
