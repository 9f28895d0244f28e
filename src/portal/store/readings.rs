//! Readings that go on.

use super::{Connection, Result};
use crate::clock::Timestamp;
use crate::ids::{FileId, TenantId};

/// Writes down that a snapshot is being read, until it is renewed or over.
pub(crate) async fn begin(
    connection: &mut Connection,
    (tenant, snapshot): (&TenantId, &FileId),
    id: &str,
    until: Timestamp,
) -> Result<()> {
    sqlx::query("INSERT INTO readings (tenant, id, snapshot, until) VALUES ($1, $2, $3, $4)")
        .bind(tenant.as_str())
        .bind(id)
        .bind(snapshot.to_string())
        .bind(until.seconds())
        .execute(connection)
        .await?;
    Ok(())
}

/// Lets a reading go on until later.
pub(crate) async fn renew(connection: &mut Connection, tenant: &TenantId, id: &str, until: Timestamp) -> Result<()> {
    sqlx::query("UPDATE readings SET until = $3 WHERE tenant = $1 AND id = $2")
        .bind(tenant.as_str())
        .bind(id)
        .bind(until.seconds())
        .execute(connection)
        .await?;
    Ok(())
}

/// Writes down that a reading is over.
pub(crate) async fn end(connection: &mut Connection, tenant: &TenantId, id: &str) -> Result<()> {
    sqlx::query("DELETE FROM readings WHERE tenant = $1 AND id = $2")
        .bind(tenant.as_str())
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Whether somebody reads a snapshot now.
pub(crate) async fn any(
    connection: &mut Connection,
    tenant: &TenantId,
    snapshot: &FileId,
    now: Timestamp,
) -> Result<bool> {
    let found: Option<(String,)> =
        sqlx::query_as("SELECT id FROM readings WHERE tenant = $1 AND snapshot = $2 AND until > $3 LIMIT 1")
            .bind(tenant.as_str())
            .bind(snapshot.to_string())
            .bind(now.seconds())
            .fetch_optional(connection)
            .await?;
    Ok(found.is_some())
}

/// Removes what is left of the readings of a snapshot.
pub(crate) async fn remove(connection: &mut Connection, tenant: &TenantId, snapshot: &FileId) -> Result<()> {
    sqlx::query("DELETE FROM readings WHERE tenant = $1 AND snapshot = $2")
        .bind(tenant.as_str())
        .bind(snapshot.to_string())
        .execute(connection)
        .await?;
    Ok(())
}
