//! What is `PostgreSQL`'s own: how a server is reached, what its sessions agree on, and how dead rows go.

use std::time::Duration;

use sqlx::any::AnyPoolOptions;
use sqlx::{AnyPool, AssertSqlSafe, Connection as _, Executor as _};

use super::sight::Sight;
use super::{Alone, Connection, DatabaseUrl, Lent, Result};

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
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SELECT pg_advisory_xact_lock(32758241488626028)";

/// How long to wait for a connection. The settings of a session say how long for a lock.
const PATIENCE: Duration = Duration::from_secs(30);

/// What every session agrees on: a commit is durable when it returns; nobody waits for a lock for longer than half a minute;
/// a process that hangs in the middle of a transaction loses it after two.
const SETTINGS: &str = "SET synchronous_commit = on; SET lock_timeout = '30s';
    SET idle_in_transaction_session_timeout = '120s'; SET client_min_messages = warning; SET standard_conforming_strings = on;
    SET row_security = on;";

/// Makes the rows of every table that has tenants visible to whoever comes for their tenant, and to whoever comes for all; to
/// the owner of the table as well (`FORCE`). Whoever comes for nobody sees nothing. The sub-select is asked once for a statement,
/// not once for a row. `PostgreSQL` manual, 5.9.
const APART: &str = "DO $$
DECLARE
    kept record;
BEGIN
    FOR kept IN
        SELECT c.oid::regclass AS name, a.attname AS tenant FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'
        AND (a.attname = 'tenant' OR c.relname = 'tenants' AND a.attname = 'id')
        AND NOT (c.relrowsecurity AND c.relforcerowsecurity
            AND EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'of_tenant'))
    LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', kept.name);
        EXECUTE format('DROP POLICY IF EXISTS of_tenant ON %s', kept.name);
        EXECUTE format('CREATE POLICY of_tenant ON %s USING
            ((SELECT current_setting(''tarseal.tenant'', true)) IN (%I, ''*''))', kept.name, kept.tenant);
    END LOOP;
END $$";

/// Reaches a server; makes the schema when it is not there.
pub(super) async fn pool(url: &DatabaseUrl, schema: &'static str, connections: u32) -> Result<AnyPool> {
    sqlx::any::install_default_drivers();
    refuse_who_sees_everything(url).await?;
    AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(PATIENCE)
        // What is said first on a connection tells whether it is still there.
        .test_before_acquire(false)
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

/// A role that row-level security does not hold for.
#[derive(Debug, thiserror::Error)]
#[error("the database role \"{0}\" is a superuser or has BYPASSRLS")]
pub(in crate::portal) struct SeesEverything(pub(in crate::portal) String);

/// Refuses a role that row-level security does not hold for, before it makes anything.
async fn refuse_who_sees_everything(url: &DatabaseUrl) -> Result<()> {
    let mut connection = Connection::connect(url.whole().expose()).await?;
    let sees_everything: Option<(String,)> = sqlx::query_as(
        "SELECT CAST(rolname AS TEXT) FROM pg_roles WHERE rolname = current_user AND (rolsuper OR rolbypassrls)",
    )
    .fetch_optional(&mut connection)
    .await?;
    connection.close().await?;
    match sees_everything {
        Some((role,)) => Err(sqlx::Error::Configuration(Box::new(SeesEverything(role)))),
        None => Ok(()),
    }
}

/// Keeps the rows of the tables that are there by tenant, if they are not yet.
pub(super) async fn keep_tenants_apart(connection: &mut Connection) -> Result<()> {
    connection.execute(sqlx::raw_sql(APART)).await.map(drop)
}

/// What begins a transaction for whom.
pub(super) fn begin(sight: Sight<'_>) -> String {
    format!("{BEGIN}; {}", local(sight))
}

/// What says, until the end of a transaction, whose rows it sees.
pub(super) fn local(sight: Sight<'_>) -> String {
    format!("SET LOCAL tarseal.tenant TO '{}'", sight.word())
}

/// Lends a connection for whom. Saying so is the first word on it, and costs no more than asking whether it is still there.
pub(super) async fn lend(pool: &AnyPool, sight: Sight<'_>) -> Result<Lent> {
    let said = format!("SET tarseal.tenant TO '{}'", sight.word());
    let mut tries = pool.options().get_max_connections();
    loop {
        let mut lent = pool.acquire().await?;
        match lent.execute(sqlx::raw_sql(AssertSqlSafe(said.clone()))).await {
            Ok(_) => return Ok(lent),
            Err(fault) if has_ended(&fault) && tries > 0 => drop(lent.detach()),
            Err(fault) => return Err(fault),
        }
        tries -= 1;
    }
}

/// Whether a connection that lay in its pool had ended: the server, or something between, closed it in the meantime.
pub(super) fn has_ended(fault: &sqlx::Error) -> bool {
    match fault {
        sqlx::Error::Io(_) => true,
        // admin_shutdown, crash_shutdown, idle_session_timeout, and class 08: the connection.
        sqlx::Error::Database(fault) => {
            fault.code().is_some_and(|code| matches!(&*code, "57P01" | "57P02" | "57P05") || code.starts_with("08"))
        }
        _ => false,
    }
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
