//! Sessions of people. The secret itself is nowhere, only its SHA-256.

use super::users::hash_of;
use super::{Connection, Result, parsed};
use crate::clock::Timestamp;
use crate::ids::TenantId;
use crate::portal::auth::Role;

/// A session with what counts of its user.
pub(crate) struct SessionRow {
    pub(crate) tenant: TenantId,
    pub(crate) id: String,
    pub(crate) user: String,
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) hash: [u8; 32],
    pub(crate) seen_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) factor_at: Timestamp,
    /// Whether the user is disabled.
    pub(crate) is_over: bool,
}

/// A session that begins now with a code that was just accepted.
pub(crate) struct NewSession<'a> {
    pub(crate) tenant: &'a TenantId,
    pub(crate) id: &'a str,
    pub(crate) user: &'a str,
    pub(crate) hash: [u8; 32],
    pub(crate) expires_at: Timestamp,
}

/// Begins a session, and forgets those that are over.
pub(crate) async fn add(connection: &mut Connection, session: &NewSession<'_>, now: Timestamp) -> Result<()> {
    sqlx::query("DELETE FROM sessions WHERE expires_at <= $1").bind(now.seconds()).execute(&mut *connection).await?;
    sqlx::query(
        "INSERT INTO sessions (tenant, id, user_id, hash, created_at, seen_at, expires_at, factor_at)
         VALUES ($1, $2, $3, $4, $5, $5, $6, $5)",
    )
    .bind(session.tenant.as_str())
    .bind(session.id)
    .bind(session.user)
    .bind(session.hash.as_slice())
    .bind(now.seconds())
    .bind(session.expires_at.seconds())
    .execute(connection)
    .await?;
    Ok(())
}

/// The session with that hash.
pub(crate) async fn by_hash(connection: &mut Connection, hash: &[u8; 32]) -> Result<Option<SessionRow>> {
    type Columns = (String, String, String, String, String, Vec<u8>, i64, i64, i64, Option<i64>);
    let columns: Option<Columns> = sqlx::query_as(
        "SELECT s.tenant, s.id, s.user_id, u.name, u.role, s.hash, s.seen_at, s.expires_at, s.factor_at, u.disabled_at
         FROM sessions s JOIN users u ON u.tenant = s.tenant AND u.id = s.user_id WHERE s.hash = $1",
    )
    .bind(hash.as_slice())
    .fetch_optional(connection)
    .await?;
    let Some((tenant, id, user, name, role, hash, seen_at, expires_at, factor_at, disabled_at)) = columns else {
        return Ok(None);
    };
    Ok(Some(SessionRow {
        tenant: parsed(&tenant)?,
        id,
        user,
        name,
        role: parsed(&role)?,
        hash: hash_of(hash)?,
        seen_at: Timestamp::from_seconds(seen_at),
        expires_at: Timestamp::from_seconds(expires_at),
        factor_at: Timestamp::from_seconds(factor_at),
        is_over: disabled_at.is_some(),
    }))
}

/// Writes down that a session was used.
pub(crate) async fn seen(connection: &mut Connection, tenant: &TenantId, id: &str, now: Timestamp) -> Result<()> {
    sqlx::query("UPDATE sessions SET seen_at = $1 WHERE tenant = $2 AND id = $3")
        .bind(now.seconds())
        .bind(tenant.as_str())
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Writes down that the second factor was shown again.
pub(crate) async fn factor_shown(
    connection: &mut Connection,
    tenant: &TenantId,
    id: &str,
    now: Timestamp,
) -> Result<()> {
    sqlx::query("UPDATE sessions SET factor_at = $1, wrong_codes = 0 WHERE tenant = $2 AND id = $3")
        .bind(now.seconds())
        .bind(tenant.as_str())
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Counts a wrong code; ends the session when there were `most`. True when it ended.
pub(crate) async fn wrong_code(connection: &mut Connection, tenant: &TenantId, id: &str, most: i64) -> Result<bool> {
    sqlx::query("UPDATE sessions SET wrong_codes = wrong_codes + 1 WHERE tenant = $1 AND id = $2")
        .bind(tenant.as_str())
        .bind(id)
        .execute(&mut *connection)
        .await?;
    let ended = sqlx::query("DELETE FROM sessions WHERE tenant = $1 AND id = $2 AND wrong_codes >= $3")
        .bind(tenant.as_str())
        .bind(id)
        .bind(most)
        .execute(connection)
        .await?;
    Ok(ended.rows_affected() > 0)
}

/// Ends a session.
pub(crate) async fn end(connection: &mut Connection, tenant: &TenantId, id: &str) -> Result<()> {
    sqlx::query("DELETE FROM sessions WHERE tenant = $1 AND id = $2")
        .bind(tenant.as_str())
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Ends every session of a user, but the one that may stay.
pub(crate) async fn end_all(
    connection: &mut Connection,
    tenant: &TenantId,
    user: &str,
    but: Option<&str>,
) -> Result<()> {
    sqlx::query("DELETE FROM sessions WHERE tenant = $1 AND user_id = $2 AND id <> $3")
        .bind(tenant.as_str())
        .bind(user)
        .bind(but.unwrap_or_default())
        .execute(connection)
        .await?;
    Ok(())
}
