//! A database in an archive, and what stands right behind it there: its write-ahead log, its shared memory, its journal.
//!
//! As for files of their own, what was committed to the log becomes part of the database, and a database with a change that
//! was not finished is left out. The database waits in a spool until the member behind it is none of these, so the archive
//! keeps its order and is read once. A log that stands elsewhere in the archive is left out and listed.

use std::io::{self, Read};

use super::{Opening, spool_all};
use crate::item::Reason;
use crate::redact::database::{Companion, JOURNAL_HEAD, MAGIC, Wal, takes_back, whole};
use crate::redact::decode::Stream;
use crate::redact::error::RedactError;
use crate::redact::rules::OpeningLimits;
use crate::spool::{Spool, SpoolReader};

/// A database and what was found behind it.
pub(super) struct Gathered {
    spool: Spool,
    log: Option<Vec<u8>>,
    unfinished: bool,
    limits: OpeningLimits,
}

impl Gathered {
    /// Takes a member that is a database out of the archive; of any other what was read of its beginning.
    pub(super) fn of(mut content: impl Read, opening: &Opening) -> Result<Result<Self, Vec<u8>>, RedactError> {
        let mut head = Vec::new();
        (&mut content).take(MAGIC.len() as u64).read_to_end(&mut head).map_err(RedactError::unwrap_io)?;
        if head != MAGIC {
            return Ok(Err(head));
        }
        let mut spool = opening.spool();
        spool_all(&mut head.as_slice().chain(content), &mut spool)?;
        Ok(Ok(Self { spool, log: None, unfinished: false, limits: opening.limits }))
    }

    /// Takes a member that belongs to the database; why it is listed.
    pub(super) fn take(&mut self, companion: Companion, content: impl Read) -> Result<Reason, RedactError> {
        match self.read(companion, content) {
            Ok(()) => Ok(Reason::PartOfDatabase),
            // The database is taken as it was when its log was empty.
            Err(RedactError::TooLarge) => Ok(Reason::TooLarge),
            Err(error) => {
                self.unfinished = true;
                error.of_member().ok_or(error)
            }
        }
    }

    fn read(&mut self, companion: Companion, content: impl Read) -> Result<(), RedactError> {
        match companion {
            Companion::Log => self.log = Some(whole(content, &self.limits)?),
            Companion::Memory => {}
            Companion::Journal => {
                let mut head = Vec::new();
                content.take(JOURNAL_HEAD).read_to_end(&mut head).map_err(RedactError::unwrap_io)?;
                self.unfinished |= takes_back(&head);
            }
        }
        Ok(())
    }

    /// The database with what its log says; reading it fails where it was not finished.
    pub(super) fn finish(self) -> Stream<'static> {
        let database = SpoolReader::new(self.spool);
        let up_to_date = match self.log.and_then(Wal::read) {
            _ if self.unfinished => Err(RedactError::Unfinished),
            Some(log) => log.over(database, self.limits.database).map(|merged| Box::new(merged) as Stream<'static>),
            None => Ok(Box::new(database) as Stream<'static>),
        };
        up_to_date.unwrap_or_else(|error| Box::new(Fails(Some(error))))
    }
}

/// Gives an error.
struct Fails(Option<RedactError>);

impl Read for Fails {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(self.0.take().unwrap_or(RedactError::Unfinished).into())
    }
}
