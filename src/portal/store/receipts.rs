//! The steps of deletions and the signed receipts.

use super::{Connection, Result, unreadable};
use crate::clock::Timestamp;
use crate::ids::{FileId, TenantId};
use crate::track::Phase;
use crate::track::receipt::{Kind, StepDone};

/// Records a step of a deletion once; told again, the first record stays.
pub(crate) async fn add_step(
    connection: &mut Connection,
    tenant: &TenantId,
    snapshot: &FileId,
    step: &StepDone,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO steps (tenant, snapshot, number, phase, store, method, verified_at)
         VALUES ($1, $2, (SELECT count(*) FROM steps WHERE tenant = $1 AND snapshot = $2), $3, $4, $5, $6)
         ON CONFLICT DO NOTHING",
    )
    .bind(tenant.as_str())
    .bind(snapshot.to_string())
    .bind(step.step.word())
    .bind(&step.store)
    .bind(&step.method)
    .bind(step.verified_at.seconds())
    .execute(connection)
    .await?;
    Ok(())
}

/// The recorded steps of a deletion in their order.
pub(crate) async fn steps(connection: &mut Connection, tenant: &TenantId, snapshot: &FileId) -> Result<Vec<StepDone>> {
    let rows: Vec<(String, String, String, i64)> = sqlx::query_as(
        "SELECT phase, store, method, verified_at FROM steps WHERE tenant = $1 AND snapshot = $2 ORDER BY number",
    )
    .bind(tenant.as_str())
    .bind(snapshot.to_string())
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(phase, store, method, at)| {
            let step = Phase::from_word(&phase).ok_or_else(|| unreadable("a step"))?;
            Ok(StepDone { step, store, method, verified_at: Timestamp::from_seconds(at) })
        })
        .collect()
}

/// Keeps a signed receipt.
pub(crate) async fn add(
    connection: &mut Connection,
    tenant: &TenantId,
    snapshot: &FileId,
    kind: Kind,
    id: &str,
    note: &str,
) -> Result<()> {
    sqlx::query("INSERT INTO receipts (tenant, id, snapshot, kind, note) VALUES ($1, $2, $3, $4, $5)")
        .bind(tenant.as_str())
        .bind(id)
        .bind(snapshot.to_string())
        .bind(word(kind))
        .bind(note)
        .execute(connection)
        .await?;
    Ok(())
}

/// The receipt of that id, with its snapshot.
pub(crate) async fn find(connection: &mut Connection, tenant: &TenantId, id: &str) -> Result<Option<(FileId, String)>> {
    let row: Option<(String, String)> =
        sqlx::query_as("SELECT snapshot, note FROM receipts WHERE tenant = $1 AND id = $2")
            .bind(tenant.as_str())
            .bind(id)
            .fetch_optional(connection)
            .await?;
    row.map(|(snapshot, note)| Ok((super::parsed(&snapshot)?, note))).transpose()
}

/// The receipt of a kind for a snapshot, whatever its tenant; `None` also when two tenants have snapshots of that id.
pub(crate) async fn of_snapshot(connection: &mut Connection, snapshot: &FileId, kind: Kind) -> Result<Option<String>> {
    let mut rows: Vec<(String,)> =
        sqlx::query_as("SELECT note FROM receipts WHERE snapshot = $1 AND kind = $2 LIMIT 2")
            .bind(snapshot.to_string())
            .bind(word(kind))
            .fetch_all(connection)
            .await?;
    let found = rows.pop();
    Ok(found.filter(|_| rows.is_empty()).map(|(note,)| note))
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Upload => "upload",
        Kind::Deletion => "deletion",
    }
}
