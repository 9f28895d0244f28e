//! The record of processing activities: what a tenant says for it, and how it was.

use super::{Connection, Result};
use crate::clock::Timestamp;
use crate::ids::TenantId;
use crate::records::{Facts, Version};

/// What the tenant's administration says.
pub(crate) async fn facts(connection: &mut Connection, tenant: &TenantId) -> Result<Option<Facts>> {
    let row: Option<(String,)> = sqlx::query_as("SELECT facts FROM record_facts WHERE tenant = $1")
        .bind(tenant.as_str())
        .fetch_optional(connection)
        .await?;
    row.map(|(facts,)| serde_json::from_str(&facts).map_err(|fault| sqlx::Error::Decode(Box::new(fault)))).transpose()
}

/// Keeps what the tenant's administration says, in the place of what it said before.
pub(crate) async fn set_facts(
    connection: &mut Connection,
    tenant: &TenantId,
    facts: &Facts,
    now: Timestamp,
) -> Result<()> {
    let facts = serde_json::to_string(facts).map_err(|fault| sqlx::Error::Encode(Box::new(fault)))?;
    sqlx::query(
        "INSERT INTO record_facts (tenant, facts, set_at) VALUES ($1, $2, $3)
         ON CONFLICT (tenant) DO UPDATE SET facts = $2, set_at = $3",
    )
    .bind(tenant.as_str())
    .bind(facts)
    .bind(now.seconds())
    .execute(connection)
    .await?;
    Ok(())
}

/// A version by its number, or the last one.
pub(crate) async fn version(
    connection: &mut Connection,
    tenant: &TenantId,
    number: Option<u32>,
) -> Result<Option<Version>> {
    let row: Option<(i64, i64, String, String)> = sqlx::query_as(
        "SELECT version, since, digest, record FROM record_versions
         WHERE tenant = $1 AND (CAST($2 AS BIGINT) IS NULL OR version = $2) ORDER BY version DESC LIMIT 1",
    )
    .bind(tenant.as_str())
    .bind(number.map(i64::from))
    .fetch_optional(connection)
    .await?;
    row.map(|(version, since, digest, record)| {
        Ok(Version {
            version: u32::try_from(version).map_err(|fault| sqlx::Error::Decode(Box::new(fault)))?,
            since: Timestamp::from_seconds(since),
            digest,
            record: serde_json::from_str(&record).map_err(|fault| sqlx::Error::Decode(Box::new(fault)))?,
        })
    })
    .transpose()
}

/// Keeps a new version.
pub(crate) async fn add_version(connection: &mut Connection, tenant: &TenantId, version: &Version) -> Result<()> {
    sqlx::query("INSERT INTO record_versions (tenant, version, since, digest, record) VALUES ($1, $2, $3, $4, $5)")
        .bind(tenant.as_str())
        .bind(i64::from(version.version))
        .bind(version.since.seconds())
        .bind(&version.digest)
        .bind(version.record.json())
        .execute(connection)
        .await?;
    Ok(())
}

/// Number, first day and digest of the versions behind a number, in their order.
pub(crate) async fn versions(
    connection: &mut Connection,
    tenant: &TenantId,
    (after, limit): (i64, i64),
) -> Result<Vec<(i64, Timestamp, String)>> {
    let rows: Vec<(i64, i64, String)> = sqlx::query_as(
        "SELECT version, since, digest FROM record_versions WHERE tenant = $1 AND version > $2 ORDER BY version LIMIT $3",
    )
    .bind(tenant.as_str())
    .bind(after)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|(version, since, digest)| (version, Timestamp::from_seconds(since), digest)).collect())
}
