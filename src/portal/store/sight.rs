//! Which rows a connection sees.
//!
//! Every statement names the tenant it is about. `PostgreSQL` holds it to that: its rows belong to tenants (row-level security),
//! and a connection sees those of the tenant it was lent for, so a statement that forgets the tenant finds nothing of others.
//! `SQLite` has nothing of the kind; there, keys that begin with the tenant are all there is.

use sqlx::{AssertSqlSafe, Executor as _};

use super::{Connection, Kind, Result};
use crate::ids::TenantId;

/// Whose rows are seen.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sight<'a> {
    Of(&'a TenantId),
    /// Those of every tenant: for what the portal does by itself, for the operator, and for finding out whose a secret is.
    Across,
}

impl Sight<'_> {
    /// How the sessions of `PostgreSQL` say it. It needs no quoting: a tenant's name has letters, digits, `.`, `_` and `-`, and so
    /// is never a star.
    pub(super) fn word(self) -> String {
        match self {
            Self::Of(tenant) => tenant.as_str().to_owned(),
            Self::Across => String::from("*"),
        }
    }
}

/// Turns the eyes of a transaction to another tenant, until its end.
pub(in crate::portal) async fn turn_to(connection: &mut Connection, tenant: &TenantId) -> Result<()> {
    turn(connection, Sight::Of(tenant)).await
}

/// Lets a transaction see the rows of every tenant from here on.
pub(in crate::portal) async fn turn_across(connection: &mut Connection) -> Result<()> {
    turn(connection, Sight::Across).await
}

/// Whose rows a transaction saw before it was turned; nothing where every transaction sees everything.
pub(in crate::portal) struct Seen(Option<String>);

/// Lets a transaction see the rows of every tenant until it is [turned back](turn_back).
pub(in crate::portal) async fn look_across(connection: &mut Connection) -> Result<Seen> {
    if Kind::of(connection) == Kind::Sqlite {
        return Ok(Seen(None));
    }
    let (seen,): (String,) =
        sqlx::query_as("SELECT current_setting('tarseal.tenant')").fetch_one(&mut *connection).await?;
    turn_across(connection).await?;
    Ok(Seen(Some(seen)))
}

/// Lets a transaction see again what it saw before [`look_across`].
pub(in crate::portal) async fn turn_back(connection: &mut Connection, seen: Seen) -> Result<()> {
    if let Some(seen) = seen.0 {
        sqlx::query("SELECT set_config('tarseal.tenant', $1, true)").bind(seen).execute(connection).await?;
    }
    Ok(())
}

async fn turn(connection: &mut Connection, sight: Sight<'_>) -> Result<()> {
    if Kind::of(connection) == Kind::Postgres {
        connection.execute(sqlx::raw_sql(AssertSqlSafe(super::postgres::local(sight)))).await?;
    }
    Ok(())
}

/// The whole number that a question about every tenant is answered with, asked by someone who sees `tenant` alone before and
/// after, or everything. The question takes no parameters.
pub(super) async fn number_across(
    connection: &mut Connection,
    tenant: Option<&TenantId>,
    question: &'static str,
) -> Result<i64> {
    let (number,): (i64,) = match (Kind::of(connection), tenant) {
        (Kind::Sqlite, _) | (_, None) => sqlx::query_as(question).fetch_one(connection).await?,
        // One message to the server.
        (Kind::Postgres, Some(tenant)) => {
            let (across, back) = (super::postgres::local(Sight::Across), super::postgres::local(Sight::Of(tenant)));
            let asked = AssertSqlSafe(format!("{across}; {question}; {back}"));
            let rows = sqlx::raw_sql(asked).fetch_all(connection).await?;
            let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
            sqlx::FromRow::from_row(row)?
        }
    };
    Ok(number)
}
