//! The policies of tenants: the one in force, and the one that waits for approval.

use super::{Connection, Result};
use crate::clock::Timestamp;
use crate::ids::TenantId;
use crate::track::RetentionPolicy;

/// A policy that waits for approval.
#[derive(Clone, Debug)]
pub(crate) struct Proposed {
    pub(crate) id: String,
    pub(crate) policy: RetentionPolicy,
    pub(crate) by: String,
    pub(crate) at: Timestamp,
}

/// Keeps a proposal; an earlier one of that version that nobody approved is replaced.
pub(crate) async fn propose(connection: &mut Connection, tenant: &TenantId, proposed: &Proposed) -> Result<()> {
    sqlx::query(
        "INSERT INTO policies (tenant, version, id, policy, proposed_by, proposed_at) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (tenant, version) DO UPDATE SET id = excluded.id, policy = excluded.policy, proposed_by = excluded.proposed_by,
         proposed_at = excluded.proposed_at",
    )
    .bind(tenant.as_str())
    .bind(i64::from(proposed.policy.version))
    .bind(&proposed.id)
    .bind(text(&proposed.policy)?)
    .bind(&proposed.by)
    .bind(proposed.at.seconds())
    .execute(connection)
    .await?;
    Ok(())
}

/// The proposal that waits for approval.
pub(crate) async fn proposed(connection: &mut Connection, tenant: &TenantId) -> Result<Option<Proposed>> {
    let row: Option<(String, String, String, i64)> = sqlx::query_as(
        "SELECT id, policy, proposed_by, proposed_at FROM policies WHERE tenant = $1 AND approved_at IS NULL
         ORDER BY version DESC LIMIT 1",
    )
    .bind(tenant.as_str())
    .fetch_optional(connection)
    .await?;
    row.map(|(id, policy, by, at)| {
        let policy = serde_json::from_str(&policy).map_err(|fault| sqlx::Error::Decode(Box::new(fault)))?;
        Ok(Proposed { id, policy, by, at: Timestamp::from_seconds(at) })
    })
    .transpose()
}

/// Puts a proposal in force.
pub(crate) async fn approve(
    connection: &mut Connection,
    tenant: &TenantId,
    policy: &RetentionPolicy,
    by: &str,
    now: Timestamp,
) -> Result<()> {
    sqlx::query("UPDATE policies SET approved_by = $1, approved_at = $2 WHERE tenant = $3 AND version = $4")
        .bind(by)
        .bind(now.seconds())
        .bind(tenant.as_str())
        .bind(i64::from(policy.version))
        .execute(&mut *connection)
        .await?;
    sqlx::query("UPDATE tenants SET policy = $1 WHERE id = $2")
        .bind(text(policy)?)
        .bind(tenant.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

fn text(policy: &RetentionPolicy) -> Result<String> {
    serde_json::to_string(policy).map_err(|fault| sqlx::Error::Encode(Box::new(fault)))
}
