//! Passkeys: the public halves of keys that stay in people's devices, and the challenges that were answered.

use super::{Connection, Result, instant, unreadable};
use crate::clock::Timestamp;
use crate::ids::TenantId;

/// A passkey of a user.
pub(crate) struct PasskeyRow {
    pub(crate) id: String,
    pub(crate) user: String,
    /// What its owner calls it.
    pub(crate) name: String,
    /// What the device calls it: at most 1023 bytes.
    pub(crate) credential: Vec<u8>,
    /// The public key, as `COSE_Key`.
    pub(crate) key: Vec<u8>,
    /// What the device counted at the last use; 0 where it does not count.
    pub(crate) counter: u32,
    /// How browsers reach the device: `usb`, `internal`, …
    pub(crate) transports: Vec<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) used_at: Option<Timestamp>,
}

type Columns = (String, String, String, Vec<u8>, Vec<u8>, i64, String, i64, Option<i64>);

const SELECT: &str = "SELECT id, user_id, name, credential, key, counter, transports, created_at, used_at FROM passkeys WHERE tenant = $1";

impl PasskeyRow {
    fn read(columns: Columns) -> Result<Self> {
        let (id, user, name, credential, key, counter, transports, created_at, used_at) = columns;
        Ok(Self {
            id,
            user,
            name,
            credential,
            key,
            counter: u32::try_from(counter).map_err(|_| unreadable("the counter of a passkey"))?,
            transports: transports.split_whitespace().map(str::to_owned).collect(),
            created_at: Timestamp::from_seconds(created_at),
            used_at: instant(used_at),
        })
    }
}

/// Adds a passkey; false when the device's name for it is taken.
pub(crate) async fn add(connection: &mut Connection, tenant: &TenantId, passkey: &PasskeyRow) -> Result<bool> {
    let added = sqlx::query(
        "INSERT INTO passkeys (tenant, id, user_id, name, credential, key, counter, transports, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
    )
    .bind(tenant.as_str())
    .bind(&passkey.id)
    .bind(&passkey.user)
    .bind(&passkey.name)
    .bind(&passkey.credential)
    .bind(&passkey.key)
    .bind(i64::from(passkey.counter))
    .bind(passkey.transports.join(" "))
    .bind(passkey.created_at.seconds())
    .execute(connection)
    .await?;
    Ok(added.rows_affected() == 1)
}

/// The passkeys of a user, the oldest first.
pub(crate) async fn of_user(connection: &mut Connection, tenant: &TenantId, user: &str) -> Result<Vec<PasskeyRow>> {
    let rows: Vec<Columns> =
        sqlx::query_as(sqlx::AssertSqlSafe(format!("{SELECT} AND user_id = $2 ORDER BY created_at, id")))
            .bind(tenant.as_str())
            .bind(user)
            .fetch_all(connection)
            .await?;
    rows.into_iter().map(PasskeyRow::read).collect()
}

/// The passkey of a user that the device calls so.
pub(crate) async fn find(
    connection: &mut Connection,
    tenant: &TenantId,
    user: &str,
    credential: &[u8],
) -> Result<Option<PasskeyRow>> {
    let row: Option<Columns> =
        sqlx::query_as(sqlx::AssertSqlSafe(format!("{SELECT} AND user_id = $2 AND credential = $3")))
            .bind(tenant.as_str())
            .bind(user)
            .bind(credential)
            .fetch_optional(connection)
            .await?;
    row.map(PasskeyRow::read).transpose()
}

/// How many passkeys a user has.
pub(crate) async fn count(connection: &mut Connection, tenant: &TenantId, user: &str) -> Result<usize> {
    let (count,): (i64,) =
        sqlx::query_as("SELECT CAST(count(*) AS BIGINT) FROM passkeys WHERE tenant = $1 AND user_id = $2")
            .bind(tenant.as_str())
            .bind(user)
            .fetch_one(connection)
            .await?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

/// Writes down that a passkey was used, and what its device counts now.
pub(crate) async fn used(
    connection: &mut Connection,
    tenant: &TenantId,
    id: &str,
    counter: u32,
    now: Timestamp,
) -> Result<()> {
    sqlx::query("UPDATE passkeys SET counter = $1, used_at = $2 WHERE tenant = $3 AND id = $4")
        .bind(i64::from(counter))
        .bind(now.seconds())
        .bind(tenant.as_str())
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Removes a passkey of a user; false when there is none such.
pub(crate) async fn remove(connection: &mut Connection, tenant: &TenantId, user: &str, id: &str) -> Result<bool> {
    let done = sqlx::query("DELETE FROM passkeys WHERE tenant = $1 AND user_id = $2 AND id = $3")
        .bind(tenant.as_str())
        .bind(user)
        .bind(id)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Removes every passkey of a user.
pub(crate) async fn remove_all(connection: &mut Connection, tenant: &TenantId, user: &str) -> Result<()> {
    sqlx::query("DELETE FROM passkeys WHERE tenant = $1 AND user_id = $2")
        .bind(tenant.as_str())
        .bind(user)
        .execute(connection)
        .await?;
    Ok(())
}

/// Writes down that a challenge was answered, and forgets those that are too old; false when it was answered before.
pub(crate) async fn answer(
    connection: &mut Connection,
    tenant: &TenantId,
    challenge: &str,
    until: Timestamp,
    now: Timestamp,
) -> Result<bool> {
    sqlx::query("DELETE FROM answered_challenges WHERE tenant = $1 AND until < $2")
        .bind(tenant.as_str())
        .bind(now.seconds())
        .execute(&mut *connection)
        .await?;
    let added =
        sqlx::query("INSERT INTO answered_challenges (tenant, id, until) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
            .bind(tenant.as_str())
            .bind(challenge)
            .bind(until.seconds())
            .execute(connection)
            .await?;
    Ok(added.rows_affected() == 1)
}
