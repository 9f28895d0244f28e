//! Uploads: how many bytes of an announced snapshot are durable.

use super::{Connection, Result, parsed, signed, unsigned};
use crate::clock::Timestamp;
use crate::ids::{FileId, TenantId};

/// An upload.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    pub(crate) tenant: TenantId,
    pub(crate) id: String,
    pub(crate) snapshot: FileId,
    pub(crate) received: u64,
    pub(crate) expires_at: Timestamp,
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
    let row: Option<Columns> =
        sqlx::query_as("SELECT tenant, id, snapshot, received, expires_at FROM uploads WHERE tenant = $1 AND id = $2")
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
         ON snapshots.tenant = uploads.tenant AND snapshots.id = snapshot WHERE phase = 'uploading'",
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
         WHERE phase = 'uploading' AND expires_at <= $1 ORDER BY expires_at LIMIT $2",
    )
    .bind(now.seconds())
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(read).collect()
}

/// Writes down how many bytes are durable, and until when the rest is awaited; false when the upload is not there any more.
pub(crate) async fn set_received(
    connection: &mut Connection,
    upload: &Upload,
    received: u64,
    expires_at: Timestamp,
) -> Result<bool> {
    let done = sqlx::query("UPDATE uploads SET received = $1, expires_at = $2 WHERE tenant = $3 AND id = $4")
        .bind(signed(received))
        .bind(expires_at.seconds())
        .bind(upload.tenant.as_str())
        .bind(&upload.id)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}
