//! Where backups lie, what must be in them and what must not, and the receipts that a restored database has forgotten.

use sqlx::AssertSqlSafe;

use super::{Connection, Result, parsed, unsigned};
use crate::clock::Timestamp;
use crate::ids::{FileId, TenantId};

/// A snapshot as a file: where it lies and what it must be.
#[derive(Clone, Debug)]
pub(crate) struct Filed {
    /// Its place in the order of arrival.
    pub(crate) number: i64,
    pub(crate) tenant: TenantId,
    pub(crate) id: FileId,
    pub(crate) size: u64,
    pub(crate) sha256: String,
    /// Whether a share was announced with it.
    pub(crate) has_share: bool,
}

/// Remembers that a backup was made in a place.
pub(crate) async fn remember(connection: &mut Connection, place: &str, kind: &str, at: Timestamp) -> Result<()> {
    sqlx::query(
        "INSERT INTO backups (place, kind, taken_at) VALUES ($1, $2, $3)
         ON CONFLICT (place, kind) DO UPDATE SET taken_at = excluded.taken_at",
    )
    .bind(place)
    .bind(kind)
    .bind(at.seconds())
    .execute(connection)
    .await?;
    Ok(())
}

/// The places that hold backups of a kind.
pub(crate) async fn places(connection: &mut Connection, kind: &str) -> Result<Vec<String>> {
    let rows: Vec<(String,)> = sqlx::query_as("SELECT place FROM backups WHERE kind = $1 ORDER BY place")
        .bind(kind)
        .fetch_all(connection)
        .await?;
    Ok(rows.into_iter().map(|(place,)| place).collect())
}

/// The stored snapshots behind `after` in the order of arrival.
pub(crate) async fn stored(connection: &mut Connection, after: i64, limit: i64) -> Result<Vec<Filed>> {
    filed(connection, "phase = 'stored'", after, limit).await
}

/// The snapshots behind `after` whose deletion has begun, in the order of arrival.
pub(crate) async fn leaving(connection: &mut Connection, after: i64, limit: i64) -> Result<Vec<Filed>> {
    filed(connection, "phase NOT IN ('uploading', 'stored')", after, limit).await
}

async fn filed(connection: &mut Connection, which: &str, after: i64, limit: i64) -> Result<Vec<Filed>> {
    let rows: Vec<(i64, String, String, i64, String, Option<String>)> = sqlx::query_as(AssertSqlSafe(format!(
        "SELECT number, tenant, id, size, sha256, share FROM snapshots WHERE number > $1 AND {which} ORDER BY number LIMIT $2"
    )))
    .bind(after)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(number, tenant, id, size, sha256, share)| {
            let (tenant, id) = (parsed(&tenant)?, parsed(&id)?);
            Ok(Filed { number, tenant, id, size: unsigned(size), sha256, has_share: share.is_some() })
        })
        .collect()
}

/// Those of a tenant's snapshots that are not deleted; at most 500 are asked for.
pub(crate) async fn not_deleted(connection: &mut Connection, tenant: &TenantId, ids: &[FileId]) -> Result<Vec<FileId>> {
    let places: Vec<String> = (0..ids.len()).map(|index| format!("${}", index + 2)).collect();
    let statement =
        format!("SELECT id FROM snapshots WHERE tenant = $1 AND phase <> 'deleted' AND id IN ({})", places.join(", "));
    let mut query = sqlx::query_as::<_, (String,)>(AssertSqlSafe(statement)).bind(tenant.as_str().to_owned());
    for id in ids {
        query = query.bind(id.to_string());
    }
    let rows = query.fetch_all(connection).await?;
    rows.iter().map(|(id,)| parsed(id)).collect()
}

/// Ends every session and withdraws every open invitation: which of them were ended or used since a backup is not known.
pub(crate) async fn shut_out(connection: &mut Connection) -> Result<()> {
    sqlx::query("DELETE FROM sessions").execute(&mut *connection).await?;
    sqlx::query("DELETE FROM invitations").execute(connection).await?;
    Ok(())
}

/// Keeps the receipt of a deletion that is to be done once more.
pub(crate) async fn keep_receipt(
    connection: &mut Connection,
    tenant: &TenantId,
    snapshot: &FileId,
    (id, note): (&str, &str),
) -> Result<()> {
    sqlx::query(
        "INSERT INTO earlier_receipts (tenant, snapshot, id, note) VALUES ($1, $2, $3, $4)
         ON CONFLICT (tenant, snapshot) DO UPDATE SET id = excluded.id, note = excluded.note",
    )
    .bind(tenant.as_str())
    .bind(snapshot.to_string())
    .bind(id)
    .bind(note)
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes the receipt of a deletion that was done before, if there is one.
pub(crate) async fn take_receipt(
    connection: &mut Connection,
    tenant: &TenantId,
    snapshot: &FileId,
) -> Result<Option<(String, String)>> {
    sqlx::query_as("DELETE FROM earlier_receipts WHERE tenant = $1 AND snapshot = $2 RETURNING id, note")
        .bind(tenant.as_str())
        .bind(snapshot.to_string())
        .fetch_optional(connection)
        .await
}
