//! Who is on which ticket: because they opened it, or were assigned.

use std::collections::BTreeSet;

use super::{Connection, Result, parsed};
use crate::clock::Timestamp;
use crate::ids::{TenantId, TicketId};

/// How many tickets of a user count: the ones they came onto last.
const MOST: i64 = 10_000;

/// Puts a user on a ticket; false when they are on it already.
pub(crate) async fn add(
    connection: &mut Connection,
    tenant: &TenantId,
    ticket: &TicketId,
    user: &str,
    now: Timestamp,
) -> Result<bool> {
    let added = sqlx::query(
        "INSERT INTO assignments (tenant, ticket, user_id, since) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
    )
    .bind(tenant.as_str())
    .bind(ticket.as_str())
    .bind(user)
    .bind(now.seconds())
    .execute(connection)
    .await?;
    Ok(added.rows_affected() == 1)
}

/// Takes a user off a ticket; false when they were not on it.
pub(crate) async fn remove(
    connection: &mut Connection,
    tenant: &TenantId,
    ticket: &TicketId,
    user: &str,
) -> Result<bool> {
    let done = sqlx::query("DELETE FROM assignments WHERE tenant = $1 AND ticket = $2 AND user_id = $3")
        .bind(tenant.as_str())
        .bind(ticket.as_str())
        .bind(user)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// The tickets that a user is on.
pub(crate) async fn of_user(connection: &mut Connection, tenant: &TenantId, user: &str) -> Result<BTreeSet<TicketId>> {
    let rows: Vec<(String,)> = sqlx::query_as(
        "SELECT ticket FROM assignments WHERE tenant = $1 AND user_id = $2 ORDER BY since DESC, ticket LIMIT $3",
    )
    .bind(tenant.as_str())
    .bind(user)
    .bind(MOST)
    .fetch_all(connection)
    .await?;
    rows.iter().map(|(ticket,)| parsed(ticket)).collect()
}

/// Where a user stands among those who are on a ticket: since when they are, and their id.
pub(crate) type Place = (i64, String);

/// The users who are on a ticket, and since when, from the first or from behind a place on.
pub(crate) async fn of_ticket(
    connection: &mut Connection,
    tenant: &TenantId,
    ticket: &TicketId,
    after: Option<&Place>,
    limit: i64,
) -> Result<Vec<(String, Timestamp)>> {
    let (since, user) = after.map_or((i64::MIN, ""), |(since, user)| (*since, user.as_str()));
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "SELECT user_id, since FROM assignments WHERE tenant = $1 AND ticket = $2
         AND (since, user_id) > ($3, $4) ORDER BY since, user_id LIMIT $5",
    )
    .bind(tenant.as_str())
    .bind(ticket.as_str())
    .bind(since)
    .bind(user)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|(user, since)| (user, Timestamp::from_seconds(since))).collect())
}

/// Takes a user off every ticket.
pub(crate) async fn remove_of_user(connection: &mut Connection, tenant: &TenantId, user: &str) -> Result<()> {
    sqlx::query("DELETE FROM assignments WHERE tenant = $1 AND user_id = $2")
        .bind(tenant.as_str())
        .bind(user)
        .execute(connection)
        .await?;
    Ok(())
}
