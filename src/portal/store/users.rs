//! People: their names and roles, and what they sign in with. Passwords are hashed, second factors sealed.

use super::{Connection, Result, instant, parsed, unreadable};
use crate::clock::Timestamp;
use crate::ids::TenantId;
use crate::portal::auth::Role;

/// How many devices of a user are remembered.
const DEVICES: i64 = 10;

/// A user.
#[derive(Clone)]
pub(crate) struct UserRow {
    pub(crate) tenant: TenantId,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) password: String,
    pub(crate) factor: Vec<u8>,
    /// The number of the last half minute a code of which was accepted.
    pub(crate) factor_step: i64,
    /// How many wrong codes came with the right password since the last right one.
    pub(crate) wrong_codes: i64,
    pub(crate) created_at: Timestamp,
    pub(crate) disabled_at: Option<Timestamp>,
}

type Columns = (String, String, String, String, Vec<u8>, i64, i64, i64, Option<i64>);

impl UserRow {
    fn read(tenant: &TenantId, columns: Columns) -> Result<Self> {
        let (id, name, role, password, factor, factor_step, wrong_codes, created_at, disabled_at) = columns;
        Ok(Self {
            tenant: tenant.clone(),
            id,
            name,
            role: parsed(&role)?,
            password,
            factor,
            factor_step,
            wrong_codes,
            created_at: Timestamp::from_seconds(created_at),
            disabled_at: instant(disabled_at),
        })
    }
}

/// Adds a user; false when the name is taken.
pub(crate) async fn add(connection: &mut Connection, user: &UserRow) -> Result<bool> {
    let added = sqlx::query(
        "INSERT INTO users (tenant, id, name, role, password, factor, factor_step, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
    )
    .bind(user.tenant.as_str())
    .bind(&user.id)
    .bind(&user.name)
    .bind(user.role.word())
    .bind(&user.password)
    .bind(&user.factor)
    .bind(user.factor_step)
    .bind(user.created_at.seconds())
    .execute(connection)
    .await?;
    Ok(added.rows_affected() == 1)
}

/// The user of that id.
pub(crate) async fn find(connection: &mut Connection, tenant: &TenantId, id: &str) -> Result<Option<UserRow>> {
    let columns: Option<Columns> = sqlx::query_as(
        "SELECT id, name, role, password, factor, factor_step, wrong_codes, created_at, disabled_at
         FROM users WHERE tenant = $1 AND id = $2",
    )
    .bind(tenant.as_str())
    .bind(id)
    .fetch_optional(connection)
    .await?;
    columns.map(|columns| UserRow::read(tenant, columns)).transpose()
}

/// The user who signs in with that name.
pub(crate) async fn by_name(connection: &mut Connection, tenant: &TenantId, name: &str) -> Result<Option<UserRow>> {
    let columns: Option<Columns> = sqlx::query_as(
        "SELECT id, name, role, password, factor, factor_step, wrong_codes, created_at, disabled_at
         FROM users WHERE tenant = $1 AND name = $2",
    )
    .bind(tenant.as_str())
    .bind(name)
    .fetch_optional(connection)
    .await?;
    columns.map(|columns| UserRow::read(tenant, columns)).transpose()
}

/// The tenant's users by name, from behind `after` on.
pub(crate) async fn list(
    connection: &mut Connection,
    tenant: &TenantId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<UserRow>> {
    let rows: Vec<Columns> = sqlx::query_as(
        "SELECT id, name, role, password, factor, factor_step, wrong_codes, created_at, disabled_at
         FROM users WHERE tenant = $1 AND (CAST($2 AS TEXT) IS NULL OR name > $2) ORDER BY name LIMIT $3",
    )
    .bind(tenant.as_str())
    .bind(after)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(|columns| UserRow::read(tenant, columns)).collect()
}

/// Whether anybody was ever made a user, or invited to be one.
pub(crate) async fn is_anyone_there(connection: &mut Connection) -> Result<bool> {
    let (users, invitations): (i64, i64) = sqlx::query_as(
        "SELECT CAST((SELECT count(*) FROM users) AS BIGINT), CAST((SELECT count(*) FROM invitations) AS BIGINT)",
    )
    .fetch_one(connection)
    .await?;
    Ok(users + invitations > 0)
}

/// Gives a user another role.
pub(crate) async fn set_role(connection: &mut Connection, tenant: &TenantId, id: &str, role: Role) -> Result<()> {
    sqlx::query("UPDATE users SET role = $1 WHERE tenant = $2 AND id = $3")
        .bind(role.word())
        .bind(tenant.as_str())
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Disables a user from an instant on, or enables them again.
pub(crate) async fn set_disabled(
    connection: &mut Connection,
    tenant: &TenantId,
    id: &str,
    since: Option<Timestamp>,
) -> Result<()> {
    sqlx::query("UPDATE users SET disabled_at = $1 WHERE tenant = $2 AND id = $3")
        .bind(since.map(Timestamp::seconds))
        .bind(tenant.as_str())
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Gives a user another password.
pub(crate) async fn set_password(
    connection: &mut Connection,
    tenant: &TenantId,
    id: &str,
    password: &str,
) -> Result<()> {
    sqlx::query("UPDATE users SET password = $1, wrong_codes = 0 WHERE tenant = $2 AND id = $3")
        .bind(password)
        .bind(tenant.as_str())
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Gives a user another second factor, of which the code of `step` was just accepted.
pub(crate) async fn set_factor(
    connection: &mut Connection,
    tenant: &TenantId,
    id: &str,
    factor: &[u8],
    step: i64,
) -> Result<()> {
    sqlx::query("UPDATE users SET factor = $1, factor_step = $2 WHERE tenant = $3 AND id = $4")
        .bind(factor)
        .bind(step)
        .bind(tenant.as_str())
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Writes down that the code of `step` was accepted; false when it, or a later one, was before.
pub(crate) async fn use_step(connection: &mut Connection, tenant: &TenantId, id: &str, step: i64) -> Result<bool> {
    let done = sqlx::query("UPDATE users SET factor_step = $1 WHERE tenant = $2 AND id = $3 AND factor_step < $1")
        .bind(step)
        .bind(tenant.as_str())
        .bind(id)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Counts a wrong code that came with the right password, or forgets those before.
pub(crate) async fn set_wrong_codes(
    connection: &mut Connection,
    tenant: &TenantId,
    id: &str,
    wrong_codes: i64,
) -> Result<()> {
    sqlx::query("UPDATE users SET wrong_codes = $1 WHERE tenant = $2 AND id = $3")
        .bind(wrong_codes)
        .bind(tenant.as_str())
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Gives a user new codes on paper; the old ones are no good any more.
pub(crate) async fn set_recovery_codes(
    connection: &mut Connection,
    tenant: &TenantId,
    id: &str,
    hashes: &[[u8; 32]],
) -> Result<()> {
    sqlx::query("DELETE FROM recovery_codes WHERE tenant = $1 AND user_id = $2")
        .bind(tenant.as_str())
        .bind(id)
        .execute(&mut *connection)
        .await?;
    for hash in hashes {
        sqlx::query("INSERT INTO recovery_codes (tenant, user_id, hash) VALUES ($1, $2, $3)")
            .bind(tenant.as_str())
            .bind(id)
            .bind(hash.as_slice())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Uses a code on paper up; false when there is none such.
pub(crate) async fn use_recovery_code(
    connection: &mut Connection,
    tenant: &TenantId,
    id: &str,
    hash: &[u8; 32],
) -> Result<bool> {
    let done = sqlx::query("DELETE FROM recovery_codes WHERE tenant = $1 AND user_id = $2 AND hash = $3")
        .bind(tenant.as_str())
        .bind(id)
        .bind(hash.as_slice())
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Whether the user of that name signed in from that device before.
pub(crate) async fn is_device_known(
    connection: &mut Connection,
    tenant: &TenantId,
    name: &str,
    hash: &[u8; 32],
) -> Result<bool> {
    let (known,): (i64,) = sqlx::query_as(
        "SELECT CAST(count(*) AS BIGINT) FROM devices d JOIN users u ON u.tenant = d.tenant AND u.id = d.user_id
         WHERE u.tenant = $1 AND u.name = $2 AND d.hash = $3",
    )
    .bind(tenant.as_str())
    .bind(name)
    .bind(hash.as_slice())
    .fetch_one(connection)
    .await?;
    Ok(known > 0)
}

/// Remembers a device of a user, and forgets those that were not used for longest.
pub(crate) async fn add_device(
    connection: &mut Connection,
    tenant: &TenantId,
    id: &str,
    hash: &[u8; 32],
    now: Timestamp,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO devices (tenant, user_id, hash, seen_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (tenant, user_id, hash) DO UPDATE SET seen_at = excluded.seen_at",
    )
    .bind(tenant.as_str())
    .bind(id)
    .bind(hash.as_slice())
    .bind(now.seconds())
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "DELETE FROM devices WHERE tenant = $1 AND user_id = $2 AND hash NOT IN
         (SELECT hash FROM devices WHERE tenant = $1 AND user_id = $2 ORDER BY seen_at DESC, hash LIMIT $3)",
    )
    .bind(tenant.as_str())
    .bind(id)
    .bind(DEVICES)
    .execute(connection)
    .await?;
    Ok(())
}

/// Forgets every device of a user.
pub(crate) async fn forget_devices(connection: &mut Connection, tenant: &TenantId, id: &str) -> Result<()> {
    sqlx::query("DELETE FROM devices WHERE tenant = $1 AND user_id = $2")
        .bind(tenant.as_str())
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

/// The bytes of a hash in the database.
pub(super) fn hash_of(bytes: Vec<u8>) -> Result<[u8; 32]> {
    bytes.try_into().map_err(|_| unreadable("a hash"))
}
