//! Uploads: how many bytes of an announced snapshot are durable.

use super::{Connection, Result, parsed, unsigned};
use crate::clock::Timestamp;
use crate::ids::{FileId, TenantId};
use crate::portal::app::random_id;

/// An upload.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    pub(crate) tenant: TenantId,
    pub(crate) id: String,
    pub(crate) snapshot: FileId,
    pub(crate) received: u64,
    pub(crate) expires_at: Timestamp,
}

impl Upload {
    /// An upload of nothing yet, under a new id.
    pub(crate) fn new(tenant: &TenantId, snapshot: FileId, expires_at: Timestamp) -> Self {
        Self { tenant: tenant.clone(), id: random_id(), snapshot, received: 0, expires_at }
    }
}

type Columns = (String, String, String, i64, i64);

fn read((tenant, id, snapshot, received, expires_at): Columns) -> Result<Upload> {
    Ok(Upload {
        tenant: parsed(&tenant)?,
        id,
        snapshot: parsed(&snapshot)?,
        received: unsigned(received),
        expires_at: Timestamp::from_seconds(expires_at),
    })
}

/// Adds an upload of nothing yet.
pub(crate) async fn add(connection: &mut Connection, upload: &Upload) -> Result<()> {
    sqlx::query("INSERT INTO uploads (tenant, id, snapshot, expires_at) VALUES ($1, $2, $3, $4)")
        .bind(upload.tenant.as_str())
        .bind(&upload.id)
        .bind(upload.snapshot.to_string())
        .bind(upload.expires_at.seconds())
        .execute(connection)
        .await?;
    Ok(())
}

/// The upload of that id.
pub(crate) async fn find(connection: &mut Connection, tenant: &TenantId, id: &str) -> Result<Option<Upload>> {
    let row: Option<Columns> = sqlx::query_as(
        "SELECT tenant, id, snapshot, received, expires_at FROM uploads WHERE tenant = $1 AND id = $2 AND ending = 0",
    )
    .bind(tenant.as_str())
    .bind(id)
    .fetch_optional(connection)
    .await?;
    row.map(read).transpose()
}

/// The upload of a snapshot.
pub(crate) async fn of_snapshot(
    connection: &mut Connection,
    tenant: &TenantId,
    snapshot: &FileId,
) -> Result<Option<Upload>> {
    let row: Option<Columns> = sqlx::query_as(
        "SELECT tenant, id, snapshot, received, expires_at FROM uploads WHERE tenant = $1 AND snapshot = $2",
    )
    .bind(tenant.as_str())
    .bind(snapshot.to_string())
    .fetch_optional(connection)
    .await?;
    row.map(read).transpose()
}

/// Every upload whose snapshot is not stored yet.
pub(crate) async fn unfinished(connection: &mut Connection) -> Result<Vec<Upload>> {
    let rows: Vec<Columns> = sqlx::query_as(
        "SELECT uploads.tenant, uploads.id, snapshot, received, expires_at FROM uploads JOIN snapshots
         ON snapshots.tenant = uploads.tenant AND snapshots.id = snapshot WHERE phase = 'uploading' AND ending = 0",
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(read).collect()
}

/// The unfinished uploads that have lived too long by `now`.
pub(crate) async fn expired(connection: &mut Connection, now: Timestamp, limit: i64) -> Result<Vec<Upload>> {
    let rows: Vec<Columns> = sqlx::query_as(
        "SELECT uploads.tenant, uploads.id, snapshot, received, expires_at FROM uploads JOIN snapshots
         ON snapshots.tenant = uploads.tenant AND snapshots.id = snapshot
         WHERE phase = 'uploading' AND ending = 0 AND expires_at <= $1 ORDER BY expires_at LIMIT $2",
    )
    .bind(now.seconds())
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(read).collect()
}

/// Begins the end of an upload whose snapshot is not stored; false when it has begun already, or there is nothing to end.
pub(crate) async fn begin_end(connection: &mut Connection, upload: &Upload) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE uploads SET ending = 1 WHERE tenant = $1 AND id = $2 AND ending = 0 AND EXISTS
         (SELECT 1 FROM snapshots WHERE tenant = $1 AND id = $3 AND phase = 'uploading')",
    )
    .bind(upload.tenant.as_str())
    .bind(&upload.id)
    .bind(upload.snapshot.to_string())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The uploads whose end has begun.
pub(crate) async fn ending(connection: &mut Connection, limit: i64) -> Result<Vec<Upload>> {
    let rows: Vec<Columns> = sqlx::query_as(
        "SELECT tenant, id, snapshot, received, expires_at FROM uploads WHERE ending = 1 ORDER BY tenant, id LIMIT $1",
    )
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(read).collect()
}

/// Whether the end of a snapshot's upload has begun.
pub(crate) async fn is_ending(connection: &mut Connection, tenant: &TenantId, snapshot: &FileId) -> Result<bool> {
    let (count,): (i64,) = sqlx::query_as(
        "SELECT CAST(count(*) AS BIGINT) FROM uploads WHERE tenant = $1 AND snapshot = $2 AND ending = 1",
    )
    .bind(tenant.as_str())
    .bind(snapshot.to_string())
    .fetch_one(connection)
    .await?;
    Ok(count > 0)
}
