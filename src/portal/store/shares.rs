//! The portal's parts of file keys. They go first when a snapshot is deleted.

use super::{Connection, Result, parsed, unreadable};
use crate::clock::Timestamp;
use crate::ids::{FileId, ShareId, TenantId};
use crate::secret::Secret;

/// The portal's part of one file key.
pub(crate) struct ShareRow {
    pub(crate) id: ShareId,
    pub(crate) secret: Secret<[u8; 32]>,
    pub(crate) not_after: Timestamp,
}

/// Keeps a share. What an announcement that came to nothing left behind is replaced.
pub(crate) async fn put(
    connection: &mut Connection,
    tenant: &TenantId,
    snapshot: &FileId,
    share: &ShareRow,
) -> Result<()> {
    let secret = share.secret.expose().as_slice();
    sqlx::query(
        "INSERT INTO shares (tenant, snapshot, id, secret, not_after) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (tenant, snapshot)
         DO UPDATE SET id = excluded.id, secret = excluded.secret, not_after = excluded.not_after",
    )
    .bind(tenant.as_str())
    .bind(snapshot.to_string())
    .bind(share.id.to_string())
    .bind(secret)
    .bind(share.not_after.seconds())
    .execute(connection)
    .await?;
    Ok(())
}

/// The share of a snapshot, as long as it is there.
pub(crate) async fn find(
    connection: &mut Connection,
    tenant: &TenantId,
    snapshot: &FileId,
) -> Result<Option<ShareRow>> {
    let row: Option<(String, Vec<u8>, i64)> =
        sqlx::query_as("SELECT id, secret, not_after FROM shares WHERE tenant = $1 AND snapshot = $2")
            .bind(tenant.as_str())
            .bind(snapshot.to_string())
            .fetch_optional(connection)
            .await?;
    let Some((id, secret, not_after)) = row else { return Ok(None) };
    let secret = Secret::new(secret);
    let bytes = secret.expose().as_slice().try_into().map_err(|_| unreadable("a share"))?;
    Ok(Some(ShareRow { id: parsed(&id)?, secret: Secret::new(bytes), not_after: Timestamp::from_seconds(not_after) }))
}

/// Destroys the share of a snapshot; true when there was one.
pub(crate) async fn destroy(connection: &mut Connection, tenant: &TenantId, snapshot: &FileId) -> Result<bool> {
    let done = sqlx::query("DELETE FROM shares WHERE tenant = $1 AND snapshot = $2")
        .bind(tenant.as_str())
        .bind(snapshot.to_string())
        .execute(connection)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// Every snapshot that has a share.
pub(crate) async fn holders(connection: &mut Connection) -> Result<Vec<(TenantId, FileId)>> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT tenant, snapshot FROM shares").fetch_all(connection).await?;
    rows.iter().map(|(tenant, snapshot)| Ok((parsed(tenant)?, parsed(snapshot)?))).collect()
}
