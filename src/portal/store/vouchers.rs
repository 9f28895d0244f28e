//! Who lately chose what they sign in with by an administrator's invitation.

use super::{Connection, Result};
use crate::clock::Timestamp;
use crate::ids::TenantId;

/// For how long a row can matter, in seconds: an invitation is good for three days, and counts for one after it was taken up.
const KEPT: i64 = 5 * 86_400;

/// Writes down that an administrator made an invitation.
pub(crate) async fn made(connection: &mut Connection, tenant: &TenantId, id: &str, now: Timestamp) -> Result<()> {
    sqlx::query("DELETE FROM vouchers WHERE tenant = $1 AND at < $2")
        .bind(tenant.as_str())
        .bind(now.plus_seconds(-KEPT).seconds())
        .execute(&mut *connection)
        .await?;
    sqlx::query("INSERT INTO vouchers (tenant, id, at) VALUES ($1, $2, $3)")
        .bind(tenant.as_str())
        .bind(id)
        .bind(now.seconds())
        .execute(connection)
        .await?;
    Ok(())
}

/// Writes down that a user took an invitation up: an administrator's counts from now on, the operator's ends what counted.
pub(crate) async fn taken_up(
    connection: &mut Connection,
    tenant: &TenantId,
    (invitation, user): (&str, &str),
    now: Timestamp,
) -> Result<()> {
    sqlx::query("DELETE FROM vouchers WHERE tenant = $1 AND id = $2")
        .bind(tenant.as_str())
        .bind(user)
        .execute(&mut *connection)
        .await?;
    sqlx::query("UPDATE vouchers SET id = $3, at = $4 WHERE tenant = $1 AND id = $2")
        .bind(tenant.as_str())
        .bind(invitation)
        .bind(user)
        .bind(now.seconds())
        .execute(connection)
        .await?;
    Ok(())
}

/// When a user took up an administrator's invitation, if it was not long ago.
pub(crate) async fn since(connection: &mut Connection, tenant: &TenantId, user: &str) -> Result<Option<Timestamp>> {
    let row: Option<(i64,)> = sqlx::query_as("SELECT at FROM vouchers WHERE tenant = $1 AND id = $2")
        .bind(tenant.as_str())
        .bind(user)
        .fetch_optional(connection)
        .await?;
    Ok(row.map(|(at,)| Timestamp::from_seconds(at)))
}
