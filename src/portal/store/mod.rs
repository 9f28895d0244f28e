//! What the portal remembers: in two `SQLite` files (`portal.db`, and `shares.db` for the parts of file keys), or in two
//! schemas of `PostgreSQL` (`tarseal` and `tarseal_shares`, also on two servers). The same statements run on both.
//!
//! Statements are written so that both databases take them: placeholders `$1 … $n`, whole numbers as `i64` (also for yes and
//! no), instants in seconds since 1970, `ON CONFLICT` and never `OR REPLACE`, a sum or count that is read as
//! `CAST(… AS BIGINT)`, an optional parameter as `CAST($2 AS TEXT) IS NULL`.
//!
//! Each act is one transaction that holds the change and its audit row. One transaction that may write runs at a time, on
//! `PostgreSQL` over all the processes: see [`Store::begin`].

pub(crate) mod answers;
pub(crate) mod assignments;
pub(crate) mod audit;
pub(crate) mod backups;
pub(crate) mod clock;
pub(crate) mod deletions;
pub(crate) mod events;
pub(crate) mod facts;
pub(crate) mod grants;
pub(crate) mod holds;
pub(crate) mod invitations;
pub(crate) mod keeping;
pub(crate) mod log;
pub(crate) mod marks;
pub(crate) mod passkeys;
pub(crate) mod policies;
pub(crate) mod questions;
pub(crate) mod readings;
pub(crate) mod receipts;
pub(crate) mod records;
pub(crate) mod requests;
pub(crate) mod sessions;
pub(crate) mod shares;
pub(crate) mod snapshots;
pub(crate) mod subject_requests;
pub(crate) mod tenants;
pub(crate) mod ticket_polls;
pub(crate) mod ticket_systems;
pub(crate) mod tickets;
pub(crate) mod tokens;
pub(crate) mod uploads;
pub(crate) mod users;
pub(crate) mod vouchers;

mod address;
mod copy;
mod fault;
mod postgres;
mod schema;
mod sight;
mod sqlite;
#[cfg(test)]
pub(in crate::portal) mod tests;

pub use address::{DatabaseUrl, NotADatabaseUrl};
pub(crate) use fault::{Trouble, trouble};
pub(super) use postgres::SeesEverything;
pub(super) use sight::{look_across, turn_across, turn_back, turn_to};

use std::path::Path;

use sqlx::{Any, AnyConnection, AnyPool, AssertSqlSafe};

use crate::clock::Timestamp;
use crate::ids::TenantId;
use schema::{Step, step};
use sight::Sight;

/// The answer of the store.
pub(crate) type Result<T, E = sqlx::Error> = std::result::Result<T, E>;

/// One connection, inside a transaction or not.
pub(crate) type Connection = AnyConnection;

/// A transaction that may write. Dropped without `commit`, nothing of it has happened.
pub(crate) type Transaction = sqlx::Transaction<'static, Any>;

/// A connection lent by its pool.
pub(crate) type Lent = sqlx::pool::PoolConnection<Any>;

/// The tables, in the order in which they are made: one file per area, a new one at the end. What was once released is never
/// changed but by a further step.
const PORTAL: &[Step] = &[
    step!("tenants"),
    step!("tickets"),
    step!("tokens"),
    step!("snapshots"),
    step!("uploads"),
    step!("receipts"),
    step!("audit"),
    step!("marks"),
    step!("users"),
    step!("keeping"),
    step!("clock"),
    step!("backups"),
    step!("facts"),
    step!("answers"),
    step!("subject_requests"),
    step!("records"),
    step!("ticket_systems"),
    step!("grants"),
    step!("questions"),
    step!("requests"),
    step!("passkeys"),
    step!("readings"),
    step!("vouchers"),
    step!("endings"),
];

/// The tables that ordinary backups leave out.
const SHARES: &[Step] = &[step!("shares")];

/// Which database it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    fn of(connection: &Connection) -> Self {
        if connection.backend_name() == "PostgreSQL" { Self::Postgres } else { Self::Sqlite }
    }
}

/// The two open databases.
#[derive(Clone)]
pub(crate) struct Store {
    kind: Kind,
    writer: AnyPool,
    reader: AnyPool,
    shares: AnyPool,
}

impl Store {
    /// Opens the `SQLite` databases beneath `directory`, makes them when they are not there and brings them to the present
    /// version.
    pub(crate) async fn open(directory: &Path) -> Result<Self> {
        let kind = Kind::Sqlite;
        let portal = sqlite::url(directory, "portal.db")?;
        let writer = sqlite::pool(&portal, 1).await?;
        bring_up(kind, &writer, PORTAL).await?;
        let shares = sqlite::pool(&sqlite::url(directory, "shares.db")?, 1).await?;
        bring_up(kind, &shares, SHARES).await?;
        let reader = sqlite::pool(&portal, sqlite::READERS).await?;
        Ok(Self { kind, writer, reader, shares })
    }

    /// Opens a database of `PostgreSQL`, and another for the shares when there is one; makes the schemas when they are not
    /// there and brings them to the present version.
    pub(crate) async fn open_postgres(portal: &DatabaseUrl, shares: Option<&DatabaseUrl>) -> Result<Self> {
        let kind = Kind::Postgres;
        let writer = postgres::pool(portal, postgres::PORTAL, postgres::WRITERS).await?;
        bring_up(kind, &writer, PORTAL).await?;
        let shares = postgres::pool(shares.unwrap_or(portal), postgres::SHARES, postgres::SHARERS).await?;
        bring_up(kind, &shares, SHARES).await?;
        let reader = postgres::pool(portal, postgres::PORTAL, postgres::READERS).await?;
        Ok(Self { kind, writer, reader, shares })
    }

    /// Begins the one transaction that may write; it waits for the one before it and sees all that one did, of `tenant` alone.
    ///
    /// On `SQLite` it is `BEGIN IMMEDIATE`. On `PostgreSQL` the transaction takes an advisory lock of the whole portal before
    /// anything else and keeps it to its end, and each statement sees what was committed before it (`READ COMMITTED`): since
    /// nobody writes without the lock, what a transaction has read stays so until it commits, as on `SQLite`. Whoever waits
    /// for more than 30 seconds gets an error.
    pub(crate) async fn begin(&self, tenant: &TenantId) -> Result<Transaction> {
        begin(self.kind, &self.writer, Sight::Of(tenant)).await
    }

    /// The same for what concerns all tenants: what the portal does by itself, what the operator does, and where a secret says
    /// whose it is. `tests/portal/row_security.rs` knows every place that answers requests and comes here.
    pub(crate) async fn begin_across(&self) -> Result<Transaction> {
        begin(self.kind, &self.writer, Sight::Across).await
    }

    /// A connection for reading what is of `tenant`. Each statement sees all that was committed before it; two statements may
    /// see two states.
    pub(crate) async fn read(&self, tenant: &TenantId) -> Result<Lent> {
        lend(self.kind, &self.reader, Sight::Of(tenant)).await
    }

    /// The same for what concerns all tenants.
    pub(crate) async fn read_across(&self) -> Result<Lent> {
        lend(self.kind, &self.reader, Sight::Across).await
    }

    /// The connection to the shares of `tenant`. It is no part of any transaction: a change is durable when the call returns.
    pub(crate) async fn shares(&self, tenant: &TenantId) -> Result<Lent> {
        lend(self.kind, &self.shares, Sight::Of(tenant)).await
    }

    /// The same for what concerns all tenants.
    pub(crate) async fn shares_across(&self) -> Result<Lent> {
        lend(self.kind, &self.shares, Sight::Across).await
    }

    /// Takes the right to do alone, among all processes of the portal, what is done by whoever comes first: sweeping. `None`
    /// when another has it and `wait` is not set. It ends when it is dropped, and with the process.
    pub(crate) async fn alone(&self, wait: bool) -> Result<Option<Alone>> {
        match self.kind {
            // One process serves a directory.
            Kind::Sqlite => Ok(Some(Alone(None))),
            Kind::Postgres => postgres::alone(self.read_across().await?, wait).await,
        }
    }

    /// Whether it is a server of `PostgreSQL`.
    pub(crate) fn is_postgres(&self) -> bool {
        self.kind == Kind::Postgres
    }

    /// Makes sure that what was deleted is in no file of the database any more; an error when something stands in the way:
    /// try again.
    ///
    /// On `SQLite` deleted rows were overwritten already (`secure_delete`); this moves the write-ahead logs into the
    /// databases and empties them. On `PostgreSQL` the shares are written anew into another file and the tables that deletion
    /// scrubs are vacuumed; the server's write-ahead log, its archive and replicas are the server's (`docs/DATABASE.md`
    /// says what they keep for how long).
    pub(crate) async fn checkpoint(&self) -> Result<()> {
        match self.kind {
            Kind::Sqlite => {
                sqlite::empty_log(&self.shares).await?;
                sqlite::empty_log(&self.writer).await
            }
            Kind::Postgres => postgres::vacuum(&self.shares, &self.writer).await,
        }
    }

    /// Makes sure that what was erased from the openings of the audit log is in no file of the database any more.
    pub(crate) async fn rewrite_openings(&self) -> Result<()> {
        if self.is_postgres() {
            sqlx::raw_sql("VACUUM (FULL) openings").execute(&self.writer).await?;
        }
        self.checkpoint().await
    }

    /// Closes every connection; what was committed is durable already.
    pub(crate) async fn close(&self) {
        self.reader.close().await;
        self.shares.close().await;
        self.writer.close().await;
    }
}

/// The right to do something alone.
pub(crate) struct Alone(Option<Lent>);

impl Drop for Alone {
    fn drop(&mut self) {
        // The right belongs to the session: it ends with the connection, which must not go back to its pool.
        drop(self.0.take().map(Lent::detach));
    }
}

async fn begin(kind: Kind, pool: &AnyPool, sight: Sight<'_>) -> Result<Transaction> {
    let statement = match kind {
        Kind::Sqlite => String::from(sqlite::BEGIN),
        Kind::Postgres => postgres::begin(sight),
    };
    let begin = || pool.begin_with(AssertSqlSafe(statement.clone()));
    for _ in 0..pool.options().get_max_connections() {
        match begin().await {
            // The database undid a transaction by itself (a full disk), and the connection does not know it is over: away with it.
            Err(sqlx::Error::InvalidSavePointStatement) => pool.acquire().await?.close().await?,
            Err(fault) if kind == Kind::Postgres && postgres::has_ended(&fault) => {}
            begun => return begun,
        }
    }
    begin().await
}

async fn lend(kind: Kind, pool: &AnyPool, sight: Sight<'_>) -> Result<Lent> {
    match kind {
        Kind::Sqlite => pool.acquire().await,
        Kind::Postgres => postgres::lend(pool, sight).await,
    }
}

async fn bring_up(kind: Kind, pool: &AnyPool, steps: &[Step]) -> Result<()> {
    let mut transaction = begin(kind, pool, Sight::Across).await?;
    schema::bring_up(&mut transaction, kind, steps).await?;
    if kind == Kind::Postgres {
        postgres::keep_tenants_apart(&mut transaction).await?;
    }
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

/// A length in bytes as the databases hold it; lengths are checked to be below 2^53 before they come here.
fn signed(length: u64) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

fn unsigned(length: i64) -> u64 {
    u64::try_from(length).unwrap_or(0)
}
