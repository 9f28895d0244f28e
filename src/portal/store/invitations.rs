//! Invitations: each is good once, for somebody new or for a user who needs a new password and factor.

use super::{Connection, Result, parsed};
use crate::clock::Timestamp;
use crate::ids::TenantId;
use crate::portal::auth::Role;

/// An invitation.
pub(crate) struct InvitationRow {
    pub(crate) tenant: TenantId,
    pub(crate) id: String,
    pub(crate) role: Role,
    /// The user it is for, when it is for one who is there.
    pub(crate) user: Option<String>,
    pub(crate) expires_at: Timestamp,
    /// What was chosen, when something was.
    pub(crate) chosen: Option<Chosen>,
}

/// What someone chose who has not shown a code yet.
pub(crate) struct Chosen {
    pub(crate) name: String,
    pub(crate) password: String,
    pub(crate) factor: Vec<u8>,
}

/// Adds an invitation, and forgets those that are over.
pub(crate) async fn add(
    connection: &mut Connection,
    invitation: &InvitationRow,
    hash: &[u8; 32],
    now: Timestamp,
) -> Result<()> {
    sqlx::query("DELETE FROM invitations WHERE expires_at <= $1").bind(now.seconds()).execute(&mut *connection).await?;
    sqlx::query(
        "INSERT INTO invitations (tenant, id, hash, role, user_id, expires_at) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(invitation.tenant.as_str())
    .bind(&invitation.id)
    .bind(hash.as_slice())
    .bind(invitation.role.word())
    .bind(&invitation.user)
    .bind(invitation.expires_at.seconds())
    .execute(connection)
    .await?;
    Ok(())
}

/// The invitation with that hash.
pub(crate) async fn by_hash(connection: &mut Connection, hash: &[u8; 32]) -> Result<Option<InvitationRow>> {
    type Columns = (String, String, String, Option<String>, i64, Option<String>, Option<String>, Option<Vec<u8>>);
    let columns: Option<Columns> = sqlx::query_as(
        "SELECT tenant, id, role, user_id, expires_at, name, password, factor FROM invitations WHERE hash = $1",
    )
    .bind(hash.as_slice())
    .fetch_optional(connection)
    .await?;
    let Some((tenant, id, role, user, expires_at, name, password, factor)) = columns else { return Ok(None) };
    let chosen = match (name, password, factor) {
        (Some(name), Some(password), Some(factor)) => Some(Chosen { name, password, factor }),
        _ => None,
    };
    Ok(Some(InvitationRow {
        tenant: parsed(&tenant)?,
        id,
        role: parsed(&role)?,
        user,
        expires_at: Timestamp::from_seconds(expires_at),
        chosen,
    }))
}

/// Where an invitation stands in the list of invitations: when it expires, and its id.
pub(crate) type Place = (i64, String);

/// The invitations of a tenant that nobody has taken up, the next to expire first, from the first or from behind a place on:
/// id, role, the user one is for, expiry.
pub(crate) async fn list(
    connection: &mut Connection,
    tenant: &TenantId,
    now: Timestamp,
    after: Option<&Place>,
    limit: i64,
) -> Result<Vec<InvitationRow>> {
    let (expires_at, id) = after.map_or((i64::MIN, ""), |(expires_at, id)| (*expires_at, id.as_str()));
    let rows: Vec<(String, String, Option<String>, i64)> = sqlx::query_as(
        "SELECT id, role, user_id, expires_at FROM invitations WHERE tenant = $1 AND expires_at > $2
         AND (expires_at, id) > ($3, $4) ORDER BY expires_at, id LIMIT $5",
    )
    .bind(tenant.as_str())
    .bind(now.seconds())
    .bind(expires_at)
    .bind(id)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(id, role, user, expires_at)| {
            let (role, expires_at) = (parsed(&role)?, Timestamp::from_seconds(expires_at));
            Ok(InvitationRow { tenant: tenant.clone(), id, role, user, expires_at, chosen: None })
        })
        .collect()
}

/// Keeps what was chosen until a code confirms it.
pub(crate) async fn choose(connection: &mut Connection, tenant: &TenantId, id: &str, chosen: &Chosen) -> Result<()> {
    sqlx::query("UPDATE invitations SET name = $1, password = $2, factor = $3 WHERE tenant = $4 AND id = $5")
        .bind(&chosen.name)
        .bind(&chosen.password)
        .bind(&chosen.factor)
        .bind(tenant.as_str())
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Takes an invitation away: it was taken up or withdrawn. False when there is none.
pub(crate) async fn remove(connection: &mut Connection, tenant: &TenantId, id: &str) -> Result<bool> {
    let done = sqlx::query("DELETE FROM invitations WHERE tenant = $1 AND id = $2")
        .bind(tenant.as_str())
        .bind(id)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Takes away every invitation that is for one user.
pub(crate) async fn remove_of_user(connection: &mut Connection, tenant: &TenantId, user: &str) -> Result<()> {
    sqlx::query("DELETE FROM invitations WHERE tenant = $1 AND user_id = $2")
        .bind(tenant.as_str())
        .bind(user)
        .execute(connection)
        .await?;
    Ok(())
}
