//! An archive that another product made: whether it is of the expected kind, and what of it is wanted.
//!
//! A tar, also packed, is read twice at most, never unpacked: once to see what is in it and how much of its logs lies within
//! the window, once more to write what stays, packed as it was. An archive of which everything stays is left as it is. Of a
//! zip only the list of names is read; it stays whole.

mod zip;

use std::fs::File;
use std::io::{self, Read, Write};

use tar::{Archive, Builder, EntryType};

use super::collection::ArchiveSource;
use super::packing::{HEAD, Packing};
use super::run::Tail;
use super::source::{FileContent, shown};
use super::window::{Window, pass};
use crate::clock::Timestamp;
use crate::item::{BecameShorter, FellOut, Reason};
use crate::spool::Spools;

/// Most members of an archive.
const MEMBERS: usize = 100_000;
/// Most bytes an archive may grow to when it is opened.
const OPENED: u64 = 20 << 30;
/// A log is not shortened to less than this, in bytes.
const LEAST: u64 = 4 << 10;
/// Endings of the names of archives.
const ENDINGS: [&str; 9] = [".tgz", ".tar", ".tar.gz", ".txz", ".tar.xz", ".tar.bz2", ".tbz2", ".tar.zst", ".zip"];

/// How an archive is taken.
pub(super) struct Taking<'a> {
    pub(super) window: &'a Window,
    pub(super) spools: &'a Spools,
    /// Most bytes of its members.
    pub(super) limit: Option<u64>,
    pub(super) modified: Option<Timestamp>,
    /// Asked now and then; ends the work when it says no.
    pub(super) go_on: &'a dyn Fn() -> bool,
}

/// What of an archive is wanted.
pub(super) enum Taken {
    /// All of it, as it is.
    Whole,
    /// A part, packed anew, and what is not in it.
    Part(Box<Tail>, Vec<FellOut>),
    /// Nothing of it stays.
    Nothing,
}

/// Why nothing came of an archive.
#[derive(Debug)]
pub(super) enum ArchiveError {
    /// It is no archive, or one without a member that must be there.
    WrongKind(String),
    /// It is left out.
    LeftOut(Reason),
    /// What was taken could not be kept.
    Keep(io::Error),
}

impl From<io::Error> for ArchiveError {
    fn from(error: io::Error) -> Self {
        let error = match error.downcast::<KeepFailed>() {
            Ok(KeepFailed(error)) => return Self::Keep(error),
            Err(error) => error,
        };
        match error.kind() {
            io::ErrorKind::TimedOut => Self::LeftOut(Reason::TimedOut),
            io::ErrorKind::NotFound => Self::LeftOut(Reason::Vanished),
            io::ErrorKind::PermissionDenied => Self::LeftOut(Reason::NotPermitted),
            io::ErrorKind::FileTooLarge => Self::LeftOut(Reason::TooLarge),
            _ if error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<BecameShorter>) => {
                Self::LeftOut(Reason::BecameShorter)
            }
            _ => Self::LeftOut(Reason::Damaged),
        }
    }
}

/// Whether a file's name is that of an archive.
pub(super) fn is_called_so(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// Checks an archive and takes what is wanted of it.
pub(super) fn take(file: &FileContent, rule: &ArchiveSource, taking: &Taking<'_>) -> Result<Taken, ArchiveError> {
    let opened = file.file()?;
    let mut head = Vec::new();
    (&opened).take(HEAD as u64).read_to_end(&mut head)?;
    if head.starts_with(b"PK") {
        return match zip::names(&mut &opened, file.size()) {
            Ok(names) => missing(rule, names.iter().map(String::as_str)).map_or(Ok(Taken::Whole), wrong),
            Err(_) => wrong(first(rule)),
        };
    }
    let reader = Reader { file, packing: Packing::of(&head) };
    if taking.window.is_open() && taking.limit.is_none() && rule.exclude.texts().is_empty() {
        return reader.check(rule, taking).map(|()| Taken::Whole);
    }
    let members = reader.members(rule, taking)?;
    if let Some(missing) = missing(rule, members.iter().map(|member| member.path.as_str())) {
        return wrong(missing);
    }
    let plan = plan(members, rule, taking);
    if plan.iter().all(|member| member.fate == Fate::Keep) {
        return Ok(Taken::Whole);
    }
    if plan.iter().filter(|member| member.is_file).all(|member| matches!(member.fate, Fate::Drop(_))) {
        return Ok(Taken::Nothing);
    }
    let tail = reader.rewrite(&plan, taking)?;
    Ok(Taken::Part(Box::new(tail), plan.iter().filter_map(fell_out).collect()))
}

fn wrong<T>(missing: String) -> Result<T, ArchiveError> {
    Err(ArchiveError::WrongKind(missing))
}

fn first(rule: &ArchiveSource) -> String {
    rule.must_hold.first().cloned().unwrap_or_else(|| "archive".into())
}

/// What must be there and is not.
fn missing<'n>(rule: &ArchiveSource, names: impl Iterator<Item = &'n str>) -> Option<String> {
    let mut wanted: Vec<&String> = rule.must_hold.iter().collect();
    for name in names {
        wanted.retain(|wanted| !is_at_end(name, wanted));
        if wanted.is_empty() {
            return None;
        }
    }
    wanted.first().map(|missing| (*missing).clone())
}

fn is_at_end(path: &str, end: &str) -> bool {
    path.strip_suffix(end).is_some_and(|before| before.is_empty() || before.ends_with('/'))
}

/// A member of an archive.
struct Member {
    path: String,
    size: u64,
    modified: Option<Timestamp>,
    is_file: bool,
    /// How many bytes of it lie within the window, and whether it can be shortened further: a log without a heading.
    within: Option<(u64, bool)>,
    fate: Fate,
}

/// What becomes of a member.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    /// It stays as it is.
    Keep,
    /// The lines within the window stay, at most so many bytes of them.
    Cut(u64),
    /// It goes.
    Drop(Reason),
}

struct Reader<'a> {
    file: &'a FileContent,
    packing: Packing,
}

impl Reader<'_> {
    fn open(&self) -> io::Result<Archive<Box<dyn Read>>> {
        let packed: File = self.file.file()?;
        let opened = self.packing.open(io::BufReader::with_capacity(256 << 10, packed.take(self.file.size())))?;
        Ok(Archive::new(Box::new(Limited { reader: opened, left: OPENED })))
    }

    /// Reads until everything that must be there was seen.
    fn check(&self, rule: &ArchiveSource, taking: &Taking<'_>) -> Result<(), ArchiveError> {
        let mut wanted: Vec<&String> = rule.must_hold.iter().collect();
        let mut archive = self.open()?;
        let mut seen = 0;
        for entry in archive.entries()? {
            let entry = match entry {
                Ok(entry) => entry,
                Err(_) if seen == 0 => return wrong(first(rule)),
                Err(error) => return Err(error.into()),
            };
            go_on(taking)?;
            let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            wanted.retain(|wanted| !is_at_end(&path, wanted));
            seen += 1;
            if wanted.is_empty() {
                return Ok(());
            }
            if seen > MEMBERS {
                return Err(ArchiveError::LeftOut(Reason::TooLarge));
            }
        }
        wanted.first().map_or(Ok(()), |missing| wrong((*missing).clone()))
    }

    /// Lists the members, and how much of the logs lies within the window.
    fn members(&self, rule: &ArchiveSource, taking: &Taking<'_>) -> Result<Vec<Member>, ArchiveError> {
        let mut members = Vec::new();
        let mut archive = self.open()?;
        for entry in archive.entries()? {
            let mut entry = match entry {
                Ok(entry) => entry,
                Err(_) if members.is_empty() => return wrong(first(rule)),
                Err(error) => return Err(error.into()),
            };
            go_on(taking)?;
            if members.len() >= MEMBERS {
                return Err(ArchiveError::LeftOut(Reason::TooLarge));
            }
            let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let is_file = matches!(entry.header().entry_type(), EntryType::Regular | EntryType::Continuous);
            let modified = entry.header().mtime().ok().and_then(|seconds| i64::try_from(seconds).ok());
            let modified = modified.filter(|seconds| *seconds > 0).map(Timestamp::from_seconds);
            let mut member = Member { size: entry.size(), is_file, modified, within: None, fate: Fate::Keep, path };
            if is_file && rule.exclude.hold_for(member.path.trim_start_matches("./")) {
                member.fate = Fate::Drop(Reason::ByProfile);
            } else if is_file && rule.logs.hold_for(member.path.trim_start_matches("./")) {
                if modified.is_some_and(|modified| taking.window.is_over_at(modified)) {
                    member.fate = Fate::Drop(Reason::OutsideWindow);
                } else {
                    let reading = taking.window.reading(modified.or(taking.modified).unwrap_or(Timestamp::MAX));
                    let passed = pass(&mut entry, &mut io::sink(), taking.window, &reading, taking.go_on)?;
                    if passed.read != member.size {
                        return Err(ArchiveError::LeftOut(Reason::Damaged));
                    }
                    if passed.stamped {
                        member.within = Some((passed.written, passed.heading == 0));
                    }
                }
            }
            members.push(member);
        }
        Ok(members)
    }

    /// Writes what stays, packed as it was.
    fn rewrite(&self, plan: &[Member], taking: &Taking<'_>) -> Result<Tail, ArchiveError> {
        let mut builder = Builder::new(self.packing.pack(Keeping(Tail::new(taking.spools, u64::MAX)))?);
        let mut archive = self.open()?;
        let mut members = plan.iter();
        for entry in archive.entries()? {
            let (mut entry, Some(member)) = (entry?, members.next()) else {
                return Err(ArchiveError::LeftOut(Reason::Vanished));
            };
            go_on(taking)?;
            let kind = entry.header().entry_type();
            if member.path != String::from_utf8_lossy(&entry.path_bytes()) || member.size != entry.size() {
                return Err(ArchiveError::LeftOut(Reason::Vanished));
            }
            // What could not be written as it is named goes; redaction would leave it out too.
            let Ok(path) = entry.path().map(std::borrow::Cow::into_owned) else { continue };
            let mut header = entry.header().clone();
            match (member.fate, kind) {
                (Fate::Drop(_), _) => {}
                (Fate::Keep, EntryType::Symlink | EntryType::Link) => {
                    if let Ok(Some(target)) = entry.link_name().map(|name| name.map(std::borrow::Cow::into_owned)) {
                        builder.append_link(&mut header, &path, &target)?;
                    }
                }
                (Fate::Keep, EntryType::Directory) => {
                    header.set_size(0);
                    builder.append_data(&mut header, &path, io::empty())?;
                }
                (Fate::Keep, _) if member.is_file => {
                    header.set_size(member.size);
                    builder.append_data(&mut header, &path, &mut entry)?;
                }
                (Fate::Keep, _) => {}
                (Fate::Cut(most), _) => {
                    let reading = taking.window.reading(member.modified.or(taking.modified).unwrap_or(Timestamp::MAX));
                    let mut lines = Keeping(Tail::new(taking.spools, most));
                    pass(&mut entry, &mut lines, taking.window, &reading, taking.go_on)?;
                    header.set_size(lines.0.kept().map_err(ArchiveError::Keep)?);
                    let reader = lines.0.reader().map_err(ArchiveError::Keep)?;
                    builder.append_data(&mut header, &path, reader)?;
                }
            }
        }
        Ok(builder.into_inner()?.finish()?.0)
    }
}

fn go_on(taking: &Taking<'_>) -> Result<(), ArchiveError> {
    if (taking.go_on)() { Ok(()) } else { Err(ArchiveError::LeftOut(Reason::TimedOut)) }
}

/// Decides what becomes of each member: the window first, then the limit, the newest before the older.
fn plan(mut members: Vec<Member>, rule: &ArchiveSource, taking: &Taking<'_>) -> Vec<Member> {
    for member in &mut members {
        if let (Fate::Keep, Some((within, _))) = (member.fate, member.within) {
            member.fate = match within {
                0 if member.size > 0 => Fate::Drop(Reason::OutsideWindow),
                _ if within < member.size => Fate::Cut(u64::MAX),
                _ => Fate::Keep,
            };
        }
    }
    let Some(mut left) = taking.limit else { return members };
    let mut order: Vec<usize> = (0..members.len())
        .filter(|&index| members[index].is_file && !matches!(members[index].fate, Fate::Drop(_)))
        .collect();
    order.sort_by_key(|&index| {
        let member = &members[index];
        (rule.low.hold_for(member.path.trim_start_matches("./")), std::cmp::Reverse(member.modified))
    });
    for index in order {
        let member = &mut members[index];
        let size = member.within.map_or(member.size, |(within, _)| within);
        if size <= left {
            left -= size;
        } else if left >= LEAST && member.within.is_some_and(|(_, is_log)| is_log) {
            member.fate = Fate::Cut(left);
            left = 0;
        } else {
            member.fate = Fate::Drop(Reason::OverLimit);
        }
    }
    members
}

/// What of a member is not in the archive any more.
fn fell_out(member: &Member) -> Option<FellOut> {
    let within = member.within.map_or(member.size, |(within, _)| within);
    let (reason, bytes, in_part) = match member.fate {
        Fate::Keep => return None,
        Fate::Drop(reason) => (reason, member.size, false),
        Fate::Cut(most) if most < within => (Reason::OverLimit, member.size - most, true),
        Fate::Cut(_) => (Reason::OutsideWindow, member.size - within, true),
    };
    Some(FellOut { path: shown(member.path.trim_start_matches("./").as_bytes()), reason, bytes, in_part })
}

/// Gives at most so many bytes; more are an error.
struct Limited<R> {
    reader: R,
    left: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.reader.read(buffer)?;
        self.left = self.left.checked_sub(length as u64).ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(length)
    }
}

/// Writes to what is kept, and marks its errors, so that they are not taken for those of the archive.
struct Keeping(Tail);

/// What was taken could not be kept.
#[derive(Debug, thiserror::Error)]
#[error("what was taken could not be kept")]
struct KeepFailed(#[source] io::Error);

impl Write for Keeping {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.keep(bytes).map_err(|error| io::Error::other(KeepFailed(error)))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
