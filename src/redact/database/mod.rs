//! SQLite databases: every cell is redacted, and the database is built anew from what is left.
//!
//! **Built anew, not changed.** A database that is changed keeps what it was: on free pages, behind the end of records, in
//! its log. So nothing is changed here. The old database is opened read-only, in memory; a new one is made with the same
//! schema, page size, encoding and numbers; every row is read from the old one, redacted and written into the new one under
//! the same rowid. What was not a row is not there afterwards. Indexes are made from the redacted rows, triggers come last
//! and never run. The price is memory: old and new lie in it together, so [`OpeningLimits::database`] limits them. No byte of
//! either touches a disk.
//!
//! **Who made the database is unknown.** Its schema is a program. It is opened in SQLite's defensive mode, with an untrusted
//! schema, without triggers, views and extensions, with a limit on the work; each table is checked before it is read, and a
//! damaged database is left out. Of virtual tables only the full-text indexes are filled again, from the redacted texts;
//! others are made empty, or not at all, and listed. Samples of values (`sqlite_stat4`) are not taken over.
//!
//! **Cells.** A column's meaning comes first: from the profile's rules, else from the dictionary of keys, so that a cell of
//! `display_name` is treated like `display_name="…"` in a log and has the same stand-in. In a table of settings the row's own
//! key says what its value is. Every other text is scanned like a log. Blobs are texts, packed texts, or binary; binary ones
//! of 8 to 64 bytes are taken for identifiers and get a stand-in of their length, so that tables still join; longer ones are
//! emptied and listed by column. Numbers stay, except telephone numbers and what the column says is personal.
//!
//! **What is unique stays unique.** Two secrets become the same text; where an index forbids that the second becomes
//! `[secret] (2)`, and stays that wherever the value is met again. Tables that others refer to come first, so references
//! hold.

mod cell;
mod companion;
mod copy;
mod plan;
mod source;
mod sql;
mod wal;

pub use self::companion::unite_databases;
pub(crate) use self::companion::{Companion, JOURNAL_HEAD, takes_back};
pub(crate) use self::wal::Wal;

use std::io::{self, Read};

use self::cell::Cells;
use self::plan::Plan;
use super::category::Counts;
use super::engine::Engine;
use super::error::RedactError;
use super::keys::KeyClass;
use super::rules::{OpeningLimits, Rules};
use crate::item::Reason;

/// How every database begins.
pub(crate) const MAGIC: &[u8] = b"SQLite format 3\0";

/// Hears of a part that is left out, by its name in the database.
pub(crate) type LeaveOut<'a> = dyn FnMut(&str, Reason) + 'a;
/// Gives bytes redacted.
pub(crate) type Document<'a> = dyn Fn(&[u8]) -> Result<Vec<u8>, RedactError> + 'a;
/// Hears of a text and what its column says it is.
pub(crate) type Teach<'a> = dyn FnMut(&[u8], Option<KeyClass>) -> Result<(), RedactError> + 'a;

/// What the redaction of a database needs from outside.
pub(crate) struct Around<'a> {
    pub(crate) engine: &'a Engine,
    /// Hears of parts that are left out: tables, and columns with binary cells.
    pub(crate) leave_out: &'a mut LeaveOut<'a>,
    /// Redacts bytes that are not plain text, such as packed text, if it can; they stay in their packing.
    pub(crate) document: &'a Document<'a>,
}

/// Gives a database redacted, as the bytes of a new one, and how many values were replaced in it.
pub(crate) fn redact(database: Vec<u8>, around: Around<'_>) -> Result<(Vec<u8>, Counts), RedactError> {
    let source = source::open(database)?;
    let Around { engine, leave_out, document } = around;
    let rules = &engine.rules;
    let mut cells = Cells::new(engine, document);
    let plan = Plan::new(&source, rules, &mut |text, class| cells.name(text, class))?;
    let bytes = plan.fill(source, &mut cells, leave_out)?;
    Ok((bytes, cells.counts))
}

/// Shows every text of a database, and what its column says it is.
pub(crate) fn read(database: Vec<u8>, rules: &Rules, teach: &mut Teach<'_>) -> Result<(), RedactError> {
    let source = source::open(database)?;
    let plan = Plan::new(&source, rules, &mut |text, class| teach(text.as_bytes(), class).map(|()| None))?;
    plan.read(&source, teach)
}

/// Reads a database into memory, as far as the limits allow.
pub(crate) fn whole(input: impl Read, limits: &OpeningLimits) -> Result<Vec<u8>, RedactError> {
    let mut bytes = Vec::new();
    input.take(limits.database + 1).read_to_end(&mut bytes).map_err(RedactError::unwrap_io)?;
    if bytes.len() as u64 > limits.database { Err(RedactError::TooLarge) } else { Ok(bytes) }
}

/// What an error of SQLite means. Its text is not passed on: it may quote what stands in the database.
#[expect(clippy::needless_pass_by_value, reason = "errors are mapped by it")]
fn fault(error: rusqlite::Error) -> RedactError {
    use rusqlite::ErrorCode::{DatabaseCorrupt, DiskFull, NotADatabase, OperationInterrupted, OutOfMemory, TooBig};
    match error.sqlite_error_code() {
        Some(DatabaseCorrupt | NotADatabase) => damaged(),
        Some(DiskFull | OperationInterrupted | OutOfMemory | TooBig) => RedactError::TooLarge,
        _ => RedactError::NotReadable,
    }
}

fn damaged() -> RedactError {
    RedactError::Damaged(io::Error::new(io::ErrorKind::InvalidData, "the database is not consistent"))
}

/// A name as it stands in SQL.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
