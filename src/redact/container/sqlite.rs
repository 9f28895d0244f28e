//! `SQLite` databases: their cells are the documents inside.

use std::io::{self, Cursor, Read};

use super::{Container, Redacting, Surveying, recognise};
use crate::redact::database::{self, Around, MAGIC};
use crate::redact::decode::Stream;
use crate::redact::error::RedactError;

pub(crate) struct Sqlite;

impl Container for Sqlite {
    fn recognises(&self, head: &[u8]) -> bool {
        head.starts_with(MAGIC)
    }

    fn survey(&self, input: Stream<'_>, inside: &mut Surveying<'_>) -> Result<(), RedactError> {
        let bytes = database::whole(input, &inside.opening.limits)?;
        let rules = &inside.survey.rules;
        database::read(bytes, rules, &mut |text, class| {
            if class.is_none() && is_packed(text) {
                let depth = inside.depth;
                // One that cannot be opened is not taken over, so it need not teach anything.
                let _ = inside.document(Box::new(Cursor::new(text)));
                inside.depth = depth;
            } else {
                inside.cell(text, class);
            }
            Ok(())
        })
    }

    fn redact<'a>(&self, input: Stream<'a>, inside: &Redacting<'a>) -> Result<Stream<'a>, RedactError> {
        Ok(Box::new(Pending::Unread(input, inside.clone())))
    }
}

/// Whether a cell is text in a container or with a byte order mark, rather than bytes nobody knows.
fn is_packed(bytes: &[u8]) -> bool {
    recognise(bytes).is_some() || bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff")
}

/// A database that is redacted when its first byte is read: only then may the gate stop the run.
enum Pending<'a> {
    Unread(Stream<'a>, Redacting<'a>),
    Done(Cursor<Vec<u8>>),
    Failed,
}

impl Read for Pending<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Self::Unread(..) = self {
            let Self::Unread(input, inside) = std::mem::replace(self, Self::Failed) else { unreachable!() };
            *self = Self::Done(Cursor::new(redact(input, &inside)?));
        }
        match self {
            Self::Done(bytes) => bytes.read(buffer),
            _ => Err(RedactError::NotReadable.into()),
        }
    }
}

fn redact(input: Stream<'_>, inside: &Redacting<'_>) -> Result<Vec<u8>, RedactError> {
    let database = database::whole(input, &inside.opening.limits)?;
    let around = Around {
        engine: inside.engine,
        leave_out: &mut |name, reason| inside.leave_out(name, reason),
        document: &|blob| {
            let mut new = Vec::new();
            if !is_packed(blob) {
                return Err(RedactError::NotReadable);
            }
            let mut redacted = inside.document(Box::new(Cursor::new(blob.to_vec())))?;
            redacted.read_to_end(&mut new).map_err(RedactError::unwrap_io)?;
            Ok(new)
        },
    };
    let (bytes, counts) = database::redact(database, around)?;
    inside.count(&counts);
    Ok(bytes)
}
