//! What lies beside a database: its write-ahead log, its shared memory, its rollback journal.

use std::collections::HashMap;
use std::io::{self, Read};

use super::MAGIC;
use super::wal::{self, Wal};
use crate::item::{ArchivePath, Content, Item, LeftOut, Reason};
use crate::redact::error::RedactError;
use crate::redact::rules::OpeningLimits;

/// How a rollback journal begins.
const JOURNAL: &[u8] = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7";

/// Brings databases and what lies beside them together: for `x`, which is a database, also `x-wal`, `x-shm` and `x-journal`.
///
/// What was committed to the log becomes part of the database when it is read, so log and shared memory are not needed any
/// more and are given back as left out. A database whose journal says that a change was not finished is left out itself: the
/// file may hold half of that change.
pub fn unite_databases(items: Vec<Item>, limits: &OpeningLimits) -> (Vec<Item>, Vec<LeftOut>) {
    let places: HashMap<ArchivePath, usize> =
        items.iter().enumerate().map(|(place, item)| (item.path.clone(), place)).collect();
    let mut roles: Vec<Role> = items.iter().map(|_| Role::Apart).collect();
    for (place, item) in items.iter().enumerate() {
        for (ending, role) in
            [("-wal", Role::Log as fn(usize) -> Role), ("-shm", Role::Memory), ("-journal", Role::Journal)]
        {
            let owner = item.path.as_str().strip_suffix(ending).and_then(|path| path.parse().ok());
            if let Some(owner) = owner.and_then(|path: ArchivePath| places.get(&path).copied())
                && is_database(&items[owner])
            {
                roles[place] = role(owner);
            }
        }
    }
    let mut slots: Vec<Option<Item>> = items.into_iter().map(Some).collect();
    let mut left_out = Vec::new();
    for (place, role) in roles.into_iter().enumerate() {
        let (Role::Log(owner) | Role::Memory(owner) | Role::Journal(owner)) = role else { continue };
        let Some(beside) = slots[place].take() else { continue };
        left_out.push(LeftOut { path: beside.path.to_string(), reason: Reason::PartOfDatabase });
        match role {
            Role::Log(_) => {
                slots[owner] = slots[owner].take().map(|database| Item {
                    size: database.size.saturating_add(beside.size),
                    content: Box::new(Logged {
                        database: database.content,
                        log: beside.content,
                        most: limits.database,
                    }),
                    ..database
                });
            }
            Role::Journal(_) if is_unfinished(&beside) => {
                if let Some(database) = slots[owner].take() {
                    left_out.push(LeftOut { path: database.path.to_string(), reason: Reason::Unfinished });
                }
            }
            _ => {}
        }
    }
    (slots.into_iter().flatten().collect(), left_out)
}

/// What an item is to the one at this place.
#[derive(Clone, Copy)]
enum Role {
    Apart,
    Log(usize),
    Memory(usize),
    Journal(usize),
}

/// Whether an item is a database, or empty: a new database lies in its log alone.
fn is_database(item: &Item) -> bool {
    beginning(item.content.as_ref(), MAGIC.len() as u64).is_ok_and(|bytes| bytes.is_empty() || bytes == MAGIC)
}

/// Whether a journal has something to take back: its header is there and counts pages. What cannot be read counts as that.
fn is_unfinished(item: &Item) -> bool {
    beginning(item.content.as_ref(), JOURNAL_HEAD).map_or(true, |head| takes_back(&head))
}

/// How much of a journal says whether it has something to take back, in bytes.
pub(crate) const JOURNAL_HEAD: u64 = 12;

/// Whether a journal that begins like this has something to take back.
pub(crate) fn takes_back(head: &[u8]) -> bool {
    head.starts_with(JOURNAL) && head.get(8..12) != Some(&[0; 4])
}

/// What a file is to the database whose name its own begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Companion {
    /// The write-ahead log.
    Log,
    /// The shared memory.
    Memory,
    /// The rollback journal.
    Journal,
}

impl Companion {
    /// What the file called `name` is to the one called `database`.
    pub(crate) fn of(database: &str, name: &str) -> Option<Self> {
        match name.strip_prefix(database)? {
            "-wal" => Some(Self::Log),
            "-shm" => Some(Self::Memory),
            "-journal" => Some(Self::Journal),
            _ => None,
        }
    }
}

fn beginning(content: &dyn Content, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    content.open()?.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A database and its log, read as one.
struct Logged {
    database: Box<dyn Content>,
    log: Box<dyn Content>,
    most: u64,
}

impl Content for Logged {
    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        // The database may be in use. The log is read last: as long as it was not begun anew in between, each page that was
        // moved from it into the file is still in it.
        let before = beginning(self.log.as_ref(), 32)?;
        let database = io::Cursor::new(self.whole(self.database.as_ref())?);
        let log = self.whole(self.log.as_ref())?;
        if wal::head(&log) != before {
            return Err(RedactError::Unfinished.into());
        }
        Ok(match Wal::read(log) {
            Some(log) => Box::new(log.over(database, self.most)?),
            None => Box::new(database),
        })
    }
}

impl Logged {
    fn whole(&self, content: &dyn Content) -> io::Result<Vec<u8>> {
        let bytes = beginning(content, self.most + 1)?;
        if bytes.len() as u64 > self.most { Err(RedactError::TooLarge.into()) } else { Ok(bytes) }
    }
}
