//! Grants: the vendor's part of a file key, sealed to one more person's key.

use std::collections::BTreeSet;

use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};

use super::{Connection, Result, instant, parsed, unsigned};
use crate::clock::Timestamp;
use crate::ids::{FileId, TenantId};
use crate::wire;

/// A grant that is made.
pub(crate) struct NewGrant<'a> {
    pub(crate) tenant: &'a TenantId,
    pub(crate) id: &'a str,
    pub(crate) snapshot: &'a FileId,
    pub(crate) user: &'a str,
    pub(crate) fingerprint: &'a str,
    pub(crate) part: &'a [u8],
    pub(crate) by: &'a str,
}

/// A grant as it is told, with the number of its row.
pub(crate) struct Row {
    pub(crate) number: i64,
    pub(crate) grant: wire::Grant,
}

const COLUMNS: &str = "SELECT g.number, g.id, g.user_id, u.name, g.fingerprint, g.granted_at, g.revoked_at
    FROM grants g JOIN users u ON u.tenant = g.tenant AND u.id = g.user_id";

impl Row {
    fn read(row: &AnyRow) -> Result<Self> {
        let grant = wire::Grant {
            id: row.try_get("id")?,
            user: row.try_get("user_id")?,
            name: row.try_get("name")?,
            fingerprint: row.try_get("fingerprint")?,
            granted_at: Timestamp::from_seconds(row.try_get("granted_at")?),
            revoked_at: instant(row.try_get("revoked_at")?),
        };
        Ok(Self { number: row.try_get("number")?, grant })
    }
}

/// Adds a grant. The one that the same person has in force for the same key is revoked.
pub(crate) async fn add(connection: &mut Connection, grant: &NewGrant<'_>, now: Timestamp) -> Result<()> {
    sqlx::query(
        "UPDATE grants SET part = NULL, revoked_by = $1, revoked_at = $2
         WHERE tenant = $3 AND snapshot = $4 AND user_id = $5 AND fingerprint = $6 AND revoked_at IS NULL",
    )
    .bind(grant.by)
    .bind(now.seconds())
    .bind(grant.tenant.as_str())
    .bind(grant.snapshot.to_string())
    .bind(grant.user)
    .bind(grant.fingerprint)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "INSERT INTO grants (tenant, id, snapshot, user_id, fingerprint, part, granted_by, granted_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(grant.tenant.as_str())
    .bind(grant.id)
    .bind(grant.snapshot.to_string())
    .bind(grant.user)
    .bind(grant.fingerprint)
    .bind(grant.part)
    .bind(grant.by)
    .bind(now.seconds())
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "INSERT INTO grants_made (tenant, snapshot, made) VALUES ($1, $2, 1)
         ON CONFLICT (tenant, snapshot) DO UPDATE SET made = grants_made.made + 1",
    )
    .bind(grant.tenant.as_str())
    .bind(grant.snapshot.to_string())
    .execute(connection)
    .await?;
    Ok(())
}

/// How many grants a snapshot has, and how many it ever had.
pub(crate) async fn count(connection: &mut Connection, tenant: &TenantId, snapshot: &FileId) -> Result<(u64, u64)> {
    let (there, made): (i64, i64) = sqlx::query_as(
        "SELECT (SELECT CAST(count(*) AS BIGINT) FROM grants WHERE tenant = $1 AND snapshot = $2),
             CAST(coalesce((SELECT made FROM grants_made WHERE tenant = $1 AND snapshot = $2), 0) AS BIGINT)",
    )
    .bind(tenant.as_str())
    .bind(snapshot.to_string())
    .fetch_one(connection)
    .await?;
    Ok((unsigned(there), unsigned(made)))
}

/// The grant of that id.
pub(crate) async fn find(
    connection: &mut Connection,
    tenant: &TenantId,
    snapshot: &FileId,
    id: &str,
) -> Result<Option<wire::Grant>> {
    let row = sqlx::query(AssertSqlSafe(format!("{COLUMNS} WHERE g.tenant = $1 AND g.snapshot = $2 AND g.id = $3")))
        .bind(tenant.as_str())
        .bind(snapshot.to_string())
        .bind(id)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(|row| Ok(Row::read(row)?.grant)).transpose()
}

/// The grants of a snapshot behind a number, revoked ones too, in the order they were made.
pub(crate) async fn page(
    connection: &mut Connection,
    tenant: &TenantId,
    snapshot: &FileId,
    (after, limit): (i64, i64),
) -> Result<Vec<Row>> {
    let rows = sqlx::query(AssertSqlSafe(format!(
        "{COLUMNS} WHERE g.tenant = $1 AND g.snapshot = $2 AND g.number > $3 ORDER BY g.number LIMIT $4"
    )))
    .bind(tenant.as_str())
    .bind(snapshot.to_string())
    .bind(after)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(Row::read).collect()
}

/// The part that was granted to somebody's key and is in force.
pub(crate) async fn part(
    connection: &mut Connection,
    tenant: &TenantId,
    snapshot: &FileId,
    (user, fingerprint): (&str, &str),
) -> Result<Option<Vec<u8>>> {
    let row: Option<(Option<Vec<u8>>,)> = sqlx::query_as(
        "SELECT part FROM grants
         WHERE tenant = $1 AND snapshot = $2 AND user_id = $3 AND fingerprint = $4 AND revoked_at IS NULL",
    )
    .bind(tenant.as_str())
    .bind(snapshot.to_string())
    .bind(user)
    .bind(fingerprint)
    .fetch_optional(connection)
    .await?;
    Ok(row.and_then(|(part,)| part))
}

/// The snapshots that were granted to somebody and not revoked.
pub(crate) async fn of_user(connection: &mut Connection, tenant: &TenantId, user: &str) -> Result<BTreeSet<FileId>> {
    let rows: Vec<(String,)> = sqlx::query_as(
        "SELECT DISTINCT snapshot FROM grants WHERE tenant = $1 AND user_id = $2 AND revoked_at IS NULL",
    )
    .bind(tenant.as_str())
    .bind(user)
    .fetch_all(connection)
    .await?;
    rows.iter().map(|(snapshot,)| parsed(snapshot)).collect()
}

/// Revokes a grant and erases its part; false when it was revoked before.
pub(crate) async fn revoke(
    connection: &mut Connection,
    tenant: &TenantId,
    id: &str,
    by: &str,
    now: Timestamp,
) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE grants SET part = NULL, revoked_by = $1, revoked_at = $2
         WHERE tenant = $3 AND id = $4 AND revoked_at IS NULL",
    )
    .bind(by)
    .bind(now.seconds())
    .bind(tenant.as_str())
    .bind(id)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Revokes every grant of a user; of all tenants' users where none is named, because which were revoked is not known.
pub(crate) async fn revoke_all(
    connection: &mut Connection,
    of: Option<(&TenantId, &str)>,
    now: Timestamp,
) -> Result<()> {
    sqlx::query(
        "UPDATE grants SET part = NULL, revoked_at = $1
         WHERE revoked_at IS NULL AND (CAST($2 AS TEXT) IS NULL OR (tenant = $2 AND user_id = $3))",
    )
    .bind(now.seconds())
    .bind(of.map(|(tenant, _)| tenant.as_str()))
    .bind(of.map(|(_, user)| user))
    .execute(connection)
    .await?;
    Ok(())
}

/// Removes the grants of a snapshot; how many there were stays.
pub(crate) async fn remove(connection: &mut Connection, tenant: &TenantId, snapshot: &FileId) -> Result<()> {
    sqlx::query("DELETE FROM grants WHERE tenant = $1 AND snapshot = $2")
        .bind(tenant.as_str())
        .bind(snapshot.to_string())
        .execute(connection)
        .await?;
    Ok(())
}
