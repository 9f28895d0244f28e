//! What is `PostgreSQL`'s own: how a server is reached, what its sessions agree on, and how dead rows go.

use std::time::Duration;

use sqlx::any::AnyPoolOptions;
use sqlx::{AnyPool, AssertSqlSafe, Executor as _};

use super::{Alone, DatabaseUrl, Lent, Result};

/// The schema of everything but the shares.
pub(super) const PORTAL: &str = "tarseal";

/// The schema of the shares.
pub(super) const SHARES: &str = "tarseal_shares";

/// Connections of one process. One transaction writes at a time; the others wait for it at the server.
pub(super) const WRITERS: u32 = 4;
pub(super) const READERS: u32 = 8;
pub(super) const SHARERS: u32 = 2;

/// Begins, and takes the lock of the whole portal until the end. The number is "tarseal" in ASCII; two portals in one
/// database server are told apart by their databases, which advisory locks are bound to.
pub(super) const BEGIN: &str =
    "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SELECT pg_advisory_xact_lock(32758241488626028)";

/// How long to wait for a connection. The settings of a session say how long for a lock.
const PATIENCE: Duration = Duration::from_secs(30);

/// What every session agrees on: a commit is durable when it returns; nobody waits for a lock for longer than half a minute;
/// a process that hangs in the middle of a transaction loses it after two.
const SETTINGS: &str = "SET synchronous_commit = on; SET lock_timeout = '30s';
    SET idle_in_transaction_session_timeout = '120s'; SET client_min_messages = warning; SET standard_conforming_strings = on;";

/// Reaches a server; makes the schema when it is not there.
pub(super) async fn pool(url: &DatabaseUrl, schema: &'static str, connections: u32) -> Result<AnyPool> {
    sqlx::any::install_default_drivers();
    AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(PATIENCE)
        .after_connect(move |connection, _| {
            Box::pin(async move {
                connection.execute(sqlx::raw_sql(SETTINGS)).await?;
                let made = format!("SET search_path TO {schema}");
                connection.execute(sqlx::raw_sql(AssertSqlSafe(made))).await?;
                let (there,): (Option<String>,) =
                    sqlx::query_as("SELECT CAST(current_schema() AS TEXT)").fetch_one(&mut *connection).await?;
                if there.is_none() {
                    // Two that make it at once: the lock lets the second see the first one's.
                    let made = format!("{BEGIN}; CREATE SCHEMA IF NOT EXISTS {schema}; COMMIT");
                    connection.execute(sqlx::raw_sql(AssertSqlSafe(made))).await?;
                }
                Ok(())
            })
        })
        .connect(url.whole().expose())
        .await
}

/// Takes the session lock of whatever one process does alone.
pub(super) async fn alone(mut session: Lent, wait: bool) -> Result<Option<Alone>> {
    let taken: bool = if wait {
        sqlx::query("SELECT pg_advisory_lock(1, 1)").execute(&mut *session).await?;
        true
    } else {
        let (taken,): (bool,) = sqlx::query_as("SELECT pg_try_advisory_lock(1, 1)").fetch_one(&mut *session).await?;
        taken
    };
    Ok(taken.then_some(Alone(Some(session))))
}

/// Removes the dead rows that deletion leaves. The shares, and what people wrote, are written anew into another file; the other
/// tables keep only names there, whose place is taken by new rows.
pub(super) async fn vacuum(shares: &AnyPool, portal: &AnyPool) -> Result<()> {
    sqlx::raw_sql("VACUUM (FULL) shares").execute(shares).await?;
    for table in [
        "VACUUM snapshots",
        "VACUUM uploads",
        "VACUUM subject_requests",
        "VACUUM subject_snapshots",
        "VACUUM grants",
        "VACUUM answers",
        "VACUUM (FULL) questions",
    ] {
        sqlx::raw_sql(table).execute(portal).await?;
    }
    Ok(())
}
