//! What the portal remembers, in two `SQLite` files: `portal.db`, and `shares.db` for the parts of file keys.
//!
//! There is one writer connection; each act is one `BEGIN IMMEDIATE` transaction that holds the change and its audit row.
//! Deleted rows are overwritten (`secure_delete`), and [`Store::checkpoint`] empties the write-ahead logs that still hold
//! them.

pub(crate) mod receipts;
pub(crate) mod shares;
pub(crate) mod snapshots;
pub(crate) mod tenants;
pub(crate) mod tickets;
pub(crate) mod tokens;
pub(crate) mod uploads;

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, Sqlite, SqliteConnection, Transaction};

use crate::clock::Timestamp;

/// The answer of the store.
pub(crate) type Result<T, E = sqlx::Error> = std::result::Result<T, E>;

/// One connection, inside a transaction or not.
pub(crate) type Connection = SqliteConnection;

/// The steps from an empty file to the present tables, one per version.
const PORTAL: &[&str] = &[include_str!("schema/1.sql")];
const SHARES: &[&str] = &[include_str!("schema/shares.1.sql")];

const READERS: u32 = 4;
const PATIENCE: Duration = Duration::from_secs(30);

/// The two open databases.
#[derive(Clone)]
pub(crate) struct Store {
    writer: SqlitePool,
    reader: SqlitePool,
    shares: SqlitePool,
}

impl Store {
    /// Opens the databases beneath `directory`, makes them when they are not there and brings them to the present version.
    pub(crate) async fn open(directory: &Path) -> Result<Self> {
        let portal = directory.join("portal.db");
        let writer = pool(&portal, 1).await?;
        migrate(&writer, PORTAL).await?;
        let shares = pool(&directory.join("shares.db"), 1).await?;
        migrate(&shares, SHARES).await?;
        let reader = pool(&portal, READERS).await?;
        Ok(Self { writer, reader, shares })
    }

    /// Begins the one transaction that may write; it waits for the one before it.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Sqlite>> {
        self.writer.begin_with("BEGIN IMMEDIATE").await
    }

    /// A connection for reading.
    pub(crate) async fn read(&self) -> Result<sqlx::pool::PoolConnection<Sqlite>> {
        self.reader.acquire().await
    }

    /// The connection to the shares.
    pub(crate) async fn shares(&self) -> Result<sqlx::pool::PoolConnection<Sqlite>> {
        self.shares.acquire().await
    }

    /// Moves everything from the write-ahead logs into the databases and empties the logs, so that what was deleted is in
    /// neither. An error when a reader stands in the way: try again.
    pub(crate) async fn checkpoint(&self) -> Result<()> {
        for pool in [&self.shares, &self.writer] {
            let (busy, _, _): (i64, i64, i64) =
                sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(pool).await?;
            if busy != 0 {
                return Err(sqlx::Error::Protocol(String::from("the write-ahead log is in use")));
            }
        }
        Ok(())
    }

    /// Closes every connection; what was committed is durable already.
    pub(crate) async fn close(&self) {
        self.reader.close().await;
        self.shares.close().await;
        self.writer.close().await;
    }
}

async fn pool(file: &Path, connections: u32) -> Result<SqlitePool> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .foreign_keys(true)
        .busy_timeout(PATIENCE)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("secure_delete", "ON")
        .pragma("trusted_schema", "OFF");
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(PATIENCE)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_with(options)
        .await
}

async fn migrate(pool: &SqlitePool, steps: &'static [&'static str]) -> Result<()> {
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    let (version,): (i64,) = sqlx::query_as("PRAGMA user_version").fetch_one(&mut *transaction).await?;
    let done = usize::try_from(version).unwrap_or(usize::MAX);
    if done > steps.len() {
        return Err(sqlx::Error::Protocol(format!("the database has version {version}, made by a newer portal")));
    }
    for step in &steps[done..] {
        sqlx::raw_sql(*step).execute(&mut *transaction).await?;
    }
    // A pragma takes no parameters; the number is our own.
    sqlx::raw_sql(AssertSqlSafe(format!("PRAGMA user_version = {}", steps.len()))).execute(&mut *transaction).await?;
    transaction.commit().await
}

/// Reads a column that was checked when it was written.
fn parsed<T>(text: &str) -> Result<T>
where
    T: std::str::FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    text.parse().map_err(|fault| sqlx::Error::Decode(Box::new(fault)))
}

/// An error for a column that cannot be read.
fn unreadable(what: &'static str) -> sqlx::Error {
    sqlx::Error::Decode(format!("{what} in the database cannot be read").into())
}

fn instant(seconds: Option<i64>) -> Option<Timestamp> {
    seconds.map(Timestamp::from_seconds)
}

/// A length in bytes as `SQLite` holds it; lengths are checked to be below 2^53 before they come here.
fn signed(length: u64) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

fn unsigned(length: i64) -> u64 {
    u64::try_from(length).unwrap_or(0)
}
