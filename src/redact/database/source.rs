//! Opening a database from outside, and a new one: in memory, and trusted with nothing.

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, MAIN_DB};

use super::{MAGIC, damaged, fault};
use crate::redact::error::RedactError;

/// Steps of SQLite's machine between two looks at the limit.
const STRIDE: i32 = 10_000;
/// Steps that are allowed for each byte of the database, and for any database.
const STEPS_PER_BYTE: u64 = 100;
const FREE_STEPS: u64 = 100_000_000;

/// Opens a database read-only. It must be whole; what lies in a log is expected to be merged.
pub(super) fn open(mut bytes: Vec<u8>) -> Result<Connection, RedactError> {
    let header = bytes.get(..100).ok_or_else(damaged)?;
    let page = match u16::from_be_bytes([header[16], header[17]]) {
        1 => 65536,
        size => usize::from(size),
    };
    if !header.starts_with(MAGIC) || !page.is_power_of_two() || page < 512 || !bytes.len().is_multiple_of(page) {
        return Err(damaged());
    }
    // Written by a log or not: in memory there is none.
    bytes[18..20].fill(1);
    let length = bytes.len();
    let mut source = Connection::open_in_memory().map_err(fault)?;
    source.deserialize_read_exact(MAIN_DB, bytes.as_slice(), length, true).map_err(fault)?;
    drop(bytes);
    harden(&source, length)?;
    Ok(source)
}

/// Makes an empty database with the page size, the encoding and the numbers of `source`.
pub(super) fn empty_like(source: &Connection) -> Result<Connection, RedactError> {
    let number = |name: &str| source.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map_err(fault);
    let encoding: String = source.pragma_query_value(None, "encoding", |row| row.get(0)).map_err(fault)?;
    let blank = Connection::open_in_memory().map_err(fault)?;
    // The encoding comes first: it is fixed as soon as anything is read.
    blank.pragma_update(None, "encoding", encoding).map_err(fault)?;
    blank.pragma_update(None, "page_size", number("page_size")?).map_err(fault)?;
    blank.pragma_update(None, "auto_vacuum", number("auto_vacuum")?).map_err(fault)?;
    // The first table makes the file what was asked for.
    blank.execute_batch("CREATE TABLE t(a); DROP TABLE t").map_err(fault)?;
    blank.pragma_update(None, "user_version", number("user_version")?).map_err(fault)?;
    blank.pragma_update(None, "application_id", number("application_id")?).map_err(fault)?;
    let bytes = blank.serialize(MAIN_DB).map_err(fault)?;
    // From its bytes it lies in one piece of memory, which can be taken out again without another copy.
    let mut new = Connection::open_in_memory().map_err(fault)?;
    new.deserialize_read_exact(MAIN_DB, &*bytes, bytes.len(), false).map_err(fault)?;
    let length = number("page_size")?.saturating_mul(number("page_count")?);
    harden(&new, usize::try_from(length).map_err(|_| damaged())?)?;
    for (name, value) in [("journal_mode", "off"), ("synchronous", "off"), ("secure_delete", "on")] {
        new.pragma_update(None, name, value).map_err(fault)?;
    }
    Ok(new)
}

fn harden(connection: &Connection, length: usize) -> Result<(), RedactError> {
    let set = |config, on| connection.set_db_config(config, on).map(drop).map_err(fault);
    set(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    set(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    set(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    set(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    set(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, false)?;
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0).map_err(fault)?;
    // No function makes a text longer than the database: it would only be work.
    let longest = i32::try_from(length.max(1 << 20)).unwrap_or(i32::MAX);
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, longest.min(1 << 30)).map_err(fault)?;
    // What is sorted stays in memory too.
    connection.pragma_update(None, "temp_store", "memory").map_err(fault)?;
    connection.pragma_update(None, "cell_size_check", true).map_err(fault)?;
    let mut steps = (FREE_STEPS + STEPS_PER_BYTE * length as u64) / u64::from(STRIDE.unsigned_abs());
    let out_of_steps = move || {
        steps = steps.saturating_sub(1);
        steps == 0
    };
    connection.progress_handler(STRIDE, Some(out_of_steps)).map_err(fault)
}

/// Fails unless a table and its indexes are whole.
pub(super) fn check(source: &Connection, table: &str) -> Result<(), RedactError> {
    let mut statement = source.prepare("SELECT quick_check FROM pragma_quick_check(?1)").map_err(fault)?;
    let result: String = statement.query_row([table], |row| row.get(0)).map_err(fault)?;
    if result == "ok" { Ok(()) } else { Err(damaged()) }
}
