//! Holds: the written orders that stop a deletion.

use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::{Connection, Result, instant, parsed, unreadable};
use crate::clock::Timestamp;
use crate::ids::{FileId, TenantId};
use crate::track::hold::Basis;

/// One order.
#[derive(Clone, Debug)]
pub(crate) struct Hold {
    pub(crate) tenant: TenantId,
    pub(crate) id: String,
    pub(crate) snapshot: FileId,
    pub(crate) basis: Basis,
    pub(crate) reason: String,
    pub(crate) review_at: Timestamp,
    pub(crate) asked_by: String,
    pub(crate) asked_at: Timestamp,
    pub(crate) confirmed_at: Option<Timestamp>,
    pub(crate) lift_asked_by: Option<String>,
    pub(crate) lift_asked_at: Option<Timestamp>,
}

const COLUMNS: &str = "SELECT tenant, id, snapshot, basis, reason, review_at, asked_by, asked_at, confirmed_at,
    lift_asked_by, lift_asked_at FROM holds";

impl Hold {
    fn read(row: &AnyRow) -> Result<Self> {
        let text = |column: &str| row.try_get::<String, _>(column);
        Ok(Self {
            tenant: parsed(&text("tenant")?)?,
            id: text("id")?,
            snapshot: parsed(&text("snapshot")?)?,
            basis: Basis::from_word(&text("basis")?).ok_or_else(|| unreadable("the basis of a hold"))?,
            reason: text("reason")?,
            review_at: Timestamp::from_seconds(row.try_get("review_at")?),
            asked_by: text("asked_by")?,
            asked_at: Timestamp::from_seconds(row.try_get("asked_at")?),
            confirmed_at: instant(row.try_get("confirmed_at")?),
            lift_asked_by: row.try_get("lift_asked_by")?,
            lift_asked_at: instant(row.try_get("lift_asked_at")?),
        })
    }
}

/// Writes down that someone asks for a hold. What the same or another had asked for before and nobody confirmed is replaced.
pub(crate) async fn ask(connection: &mut Connection, hold: &Hold) -> Result<()> {
    sqlx::query("DELETE FROM holds WHERE tenant = $1 AND snapshot = $2 AND confirmed_at IS NULL")
        .bind(hold.tenant.as_str())
        .bind(hold.snapshot.to_string())
        .execute(&mut *connection)
        .await?;
    sqlx::query(
        "INSERT INTO holds (tenant, id, snapshot, basis, reason, review_at, asked_by, asked_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(hold.tenant.as_str())
    .bind(&hold.id)
    .bind(hold.snapshot.to_string())
    .bind(hold.basis.word())
    .bind(&hold.reason)
    .bind(hold.review_at.seconds())
    .bind(&hold.asked_by)
    .bind(hold.asked_at.seconds())
    .execute(connection)
    .await?;
    Ok(())
}

/// The hold of a snapshot that waits for a second person.
pub(crate) async fn asked(connection: &mut Connection, tenant: &TenantId, snapshot: &FileId) -> Result<Option<Hold>> {
    one(connection, "confirmed_at IS NULL", tenant, snapshot).await
}

/// The hold that is in force.
pub(crate) async fn in_force(
    connection: &mut Connection,
    tenant: &TenantId,
    snapshot: &FileId,
) -> Result<Option<Hold>> {
    one(connection, "confirmed_at IS NOT NULL AND lifted_at IS NULL", tenant, snapshot).await
}

async fn one(
    connection: &mut Connection,
    which: &'static str,
    tenant: &TenantId,
    snapshot: &FileId,
) -> Result<Option<Hold>> {
    let row = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE tenant = $1 AND snapshot = $2 AND {which}")))
        .bind(tenant.as_str())
        .bind(snapshot.to_string())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(Hold::read).transpose()
}

/// Puts a hold in force; the one that was in force before is lifted by the same person. The snapshot's deletion does not begin
/// any more.
pub(crate) async fn confirm(connection: &mut Connection, hold: &Hold, by: &str, now: Timestamp) -> Result<()> {
    let (tenant, snapshot) = (hold.tenant.as_str(), hold.snapshot.to_string());
    lift_rows(connection, hold, by, now).await?;
    sqlx::query("UPDATE holds SET confirmed_by = $1, confirmed_at = $2 WHERE tenant = $3 AND id = $4")
        .bind(by)
        .bind(now.seconds())
        .bind(tenant)
        .bind(&hold.id)
        .execute(&mut *connection)
        .await?;
    sqlx::query("UPDATE snapshots SET review_at = $1 WHERE tenant = $2 AND id = $3")
        .bind(hold.review_at.seconds())
        .bind(tenant)
        .bind(snapshot)
        .execute(connection)
        .await?;
    Ok(())
}

/// Writes down that someone asks for the lifting of a hold, and why.
pub(crate) async fn ask_to_lift(
    connection: &mut Connection,
    hold: &Hold,
    by: &str,
    reason: &str,
    now: Timestamp,
) -> Result<()> {
    sqlx::query(
        "UPDATE holds SET lift_asked_by = $1, lift_asked_at = $2, lift_reason = $3 WHERE tenant = $4 AND id = $5",
    )
    .bind(by)
    .bind(now.seconds())
    .bind(reason)
    .bind(hold.tenant.as_str())
    .bind(&hold.id)
    .execute(connection)
    .await?;
    Ok(())
}

/// Lifts the hold of a snapshot.
pub(crate) async fn lift(connection: &mut Connection, hold: &Hold, by: &str, now: Timestamp) -> Result<()> {
    lift_rows(connection, hold, by, now).await?;
    sqlx::query("UPDATE snapshots SET review_at = NULL, lifted_at = $1 WHERE tenant = $2 AND id = $3")
        .bind(now.seconds())
        .bind(hold.tenant.as_str())
        .bind(hold.snapshot.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

async fn lift_rows(connection: &mut Connection, hold: &Hold, by: &str, now: Timestamp) -> Result<()> {
    sqlx::query(
        "UPDATE holds SET lifted_by = $1, lifted_at = $2
         WHERE tenant = $3 AND snapshot = $4 AND confirmed_at IS NOT NULL AND lifted_at IS NULL",
    )
    .bind(by)
    .bind(now.seconds())
    .bind(hold.tenant.as_str())
    .bind(hold.snapshot.to_string())
    .execute(connection)
    .await?;
    Ok(())
}

/// The holds whose day of review has come and of which nobody was told yet.
pub(crate) async fn to_review(connection: &mut Connection, now: Timestamp, limit: i64) -> Result<Vec<Hold>> {
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
        "{COLUMNS} WHERE confirmed_at IS NOT NULL AND lifted_at IS NULL AND reminded_at IS NULL AND review_at <= $1
         ORDER BY review_at LIMIT $2"
    )))
    .bind(now.seconds())
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(Hold::read).collect()
}

/// Writes down that the review of a hold was called for.
pub(crate) async fn set_reminded(connection: &mut Connection, hold: &Hold, now: Timestamp) -> Result<()> {
    sqlx::query("UPDATE holds SET reminded_at = $1 WHERE tenant = $2 AND id = $3")
        .bind(now.seconds())
        .bind(hold.tenant.as_str())
        .bind(&hold.id)
        .execute(connection)
        .await?;
    Ok(())
}
