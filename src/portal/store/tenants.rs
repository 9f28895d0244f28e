//! Tenants and their retention policies.

use super::{Connection, Result, parsed};
use crate::clock::Timestamp;
use crate::ids::TenantId;
use crate::track::RetentionPolicy;

/// Adds a tenant; false when it is there already.
pub(crate) async fn add(
    connection: &mut Connection,
    tenant: &TenantId,
    policy: &RetentionPolicy,
    now: Timestamp,
) -> Result<bool> {
    let policy = serde_json::to_string(policy).map_err(|fault| sqlx::Error::Encode(Box::new(fault)))?;
    let added = sqlx::query("INSERT INTO tenants (id, policy, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
        .bind(tenant.as_str())
        .bind(policy)
        .bind(now.seconds())
        .execute(connection)
        .await?;
    Ok(added.rows_affected() == 1)
}

/// The tenant's retention policy; `None` when there is no such tenant.
pub(crate) async fn policy(connection: &mut Connection, tenant: &TenantId) -> Result<Option<RetentionPolicy>> {
    let row: Option<(String,)> = sqlx::query_as("SELECT policy FROM tenants WHERE id = $1")
        .bind(tenant.as_str())
        .fetch_optional(connection)
        .await?;
    row.map(|(policy,)| serde_json::from_str(&policy).map_err(|fault| sqlx::Error::Decode(Box::new(fault)))).transpose()
}

/// Every tenant by name.
pub(crate) async fn all(connection: &mut Connection) -> Result<Vec<TenantId>> {
    let rows: Vec<(String,)> = sqlx::query_as("SELECT id FROM tenants ORDER BY id").fetch_all(connection).await?;
    rows.iter().map(|(id,)| parsed(id)).collect()
}
