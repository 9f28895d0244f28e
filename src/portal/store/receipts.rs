//! The steps of deletions and the signed receipts.

use super::{Connection, Result, signed, unreadable};
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

/// A signed receipt, and how far its proof is.
pub(crate) struct Signed {
    pub(crate) tenant: TenantId,
    pub(crate) id: String,
    pub(crate) snapshot: FileId,
    /// The signed note; with its proof behind it once it is proved.
    pub(crate) note: String,
    /// The number of the audit record that was written with it.
    pub(crate) record: i64,
    pub(crate) proved: bool,
}

/// Keeps a signed receipt with the number of its audit record.
pub(crate) async fn add(
    connection: &mut Connection,
    tenant: &TenantId,
    snapshot: &FileId,
    kind: Kind,
    id: &str,
    (note, record): (&str, i64),
) -> Result<()> {
    sqlx::query("INSERT INTO receipts (tenant, id, snapshot, kind, note, record) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(tenant.as_str())
        .bind(id)
        .bind(snapshot.to_string())
        .bind(word(kind))
        .bind(note)
        .bind(record)
        .execute(connection)
        .await?;
    Ok(())
}

/// The receipt of that id.
pub(crate) async fn find(connection: &mut Connection, tenant: &TenantId, id: &str) -> Result<Option<Signed>> {
    let row: Option<Columns> =
        sqlx::query_as("SELECT tenant, id, snapshot, note, record, proved FROM receipts WHERE tenant = $1 AND id = $2")
            .bind(tenant.as_str())
            .bind(id)
            .fetch_optional(connection)
            .await?;
    row.map(read).transpose()
}

/// The receipt of a kind for a snapshot, whatever its tenant; `None` also when two tenants have snapshots of that id.
pub(crate) async fn of_snapshot(connection: &mut Connection, snapshot: &FileId, kind: Kind) -> Result<Option<Signed>> {
    let mut rows: Vec<Columns> = sqlx::query_as(
        "SELECT tenant, id, snapshot, note, record, proved FROM receipts WHERE snapshot = $1 AND kind = $2 LIMIT 2",
    )
    .bind(snapshot.to_string())
    .bind(word(kind))
    .fetch_all(connection)
    .await?;
    let found = rows.pop();
    found.filter(|_| rows.is_empty()).map(read).transpose()
}

/// The note of the receipt that was signed with a record, as long as it has no proof.
pub(crate) async fn unproved(connection: &mut Connection, tenant: &TenantId, record: u64) -> Result<Option<String>> {
    let row: Option<(String,)> =
        sqlx::query_as("SELECT note FROM receipts WHERE tenant = $1 AND record = $2 AND proved = 0")
            .bind(tenant.as_str())
            .bind(signed(record))
            .fetch_optional(connection)
            .await?;
    Ok(row.map(|(note,)| note))
}

/// Puts the receipt with its proof in the place of the bare one; a proved one is never changed.
pub(crate) async fn prove(connection: &mut Connection, tenant: &TenantId, record: u64, whole: &str) -> Result<()> {
    sqlx::query("UPDATE receipts SET note = $1, proved = 1 WHERE tenant = $2 AND record = $3 AND proved = 0")
        .bind(whole)
        .bind(tenant.as_str())
        .bind(signed(record))
        .execute(connection)
        .await?;
    Ok(())
}

/// The receipts behind `after`, of all tenants, in one order.
pub(crate) async fn page(
    connection: &mut Connection,
    after: Option<&(TenantId, String)>,
    limit: i64,
) -> Result<Vec<Signed>> {
    let (tenant, id) = after.map_or(("", ""), |(tenant, id)| (tenant.as_str(), id.as_str()));
    let rows: Vec<Columns> = sqlx::query_as(
        "SELECT tenant, id, snapshot, note, record, proved FROM receipts WHERE (tenant, id) > ($1, $2)
         ORDER BY tenant, id LIMIT $3",
    )
    .bind(tenant)
    .bind(id)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(read).collect()
}

/// Records with which a receipt was signed that is not there any more, at most a thousand.
pub(crate) async fn lost(connection: &mut Connection) -> Result<Vec<(TenantId, i64)>> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "SELECT tenant, number FROM audit WHERE receipt IS NOT NULL AND NOT EXISTS
             (SELECT 1 FROM receipts WHERE receipts.tenant = audit.tenant AND receipts.record = audit.number)
         ORDER BY tenant, number LIMIT 1000",
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(|(tenant, number)| Ok((super::parsed(&tenant)?, number))).collect()
}

type Columns = (String, String, String, String, i64, i64);

fn read((tenant, id, snapshot, note, record, proved): Columns) -> Result<Signed> {
    Ok(Signed {
        tenant: super::parsed(&tenant)?,
        id,
        snapshot: super::parsed(&snapshot)?,
        note,
        record,
        proved: proved != 0,
    })
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Upload => "upload",
        Kind::Deletion => "deletion",
    }
}
