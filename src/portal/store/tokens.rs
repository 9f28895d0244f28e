//! Tokens: who may do what until when. The token itself is nowhere, only its SHA-256.

use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::{Connection, Result, instant, parsed, signed, unreadable, unsigned};
use crate::clock::Timestamp;
use crate::ids::{TenantId, TicketId};
use crate::portal::auth::Role;

/// A token as the portal knows it.
#[derive(Clone, Debug)]
pub(crate) struct TokenRow {
    pub(crate) tenant: TenantId,
    pub(crate) id: String,
    pub(crate) hash: [u8; 32],
    pub(crate) role: Role,
    pub(crate) ticket: Option<TicketId>,
    pub(crate) max_bytes: Option<u64>,
    /// Whether it is good for one snapshot alone, and for no other that its ticket has.
    pub(crate) once: bool,
    pub(crate) expires_at: Timestamp,
    pub(crate) revoked_at: Option<Timestamp>,
}

const COLUMNS: &str = "SELECT tenant, id, hash, role, ticket, max_bytes, once, expires_at, revoked_at FROM tokens";

impl TokenRow {
    fn read(row: &AnyRow) -> Result<Self> {
        let text = |column: &str| row.try_get::<String, _>(column);
        Ok(Self {
            tenant: parsed(&text("tenant")?)?,
            id: text("id")?,
            hash: row.try_get::<Vec<u8>, _>("hash")?.try_into().map_err(|_| unreadable("a token's hash"))?,
            role: parsed(&text("role")?)?,
            ticket: row.try_get::<Option<String>, _>("ticket")?.map(|ticket| parsed(&ticket)).transpose()?,
            max_bytes: row.try_get::<Option<i64>, _>("max_bytes")?.map(unsigned),
            once: row.try_get::<i64, _>("once")? != 0,
            expires_at: Timestamp::from_seconds(row.try_get("expires_at")?),
            revoked_at: instant(row.try_get("revoked_at")?),
        })
    }
}

/// Adds a token.
pub(crate) async fn add(connection: &mut Connection, token: &TokenRow, now: Timestamp) -> Result<()> {
    sqlx::query(
        "INSERT INTO tokens (tenant, id, hash, role, ticket, max_bytes, created_at, expires_at, once)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(token.tenant.as_str())
    .bind(&token.id)
    .bind(token.hash.as_slice())
    .bind(token.role.word())
    .bind(token.ticket.as_ref().map(TicketId::as_str))
    .bind(token.max_bytes.map(signed))
    .bind(now.seconds())
    .bind(token.expires_at.seconds())
    .bind(i64::from(token.once))
    .execute(connection)
    .await?;
    Ok(())
}

/// The token with that hash.
pub(crate) async fn by_hash(connection: &mut Connection, hash: &[u8; 32]) -> Result<Option<TokenRow>> {
    let row = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE hash = $1")))
        .bind(hash.as_slice())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(TokenRow::read).transpose()
}

/// The token of that name.
pub(crate) async fn find(connection: &mut Connection, tenant: &TenantId, id: &str) -> Result<Option<TokenRow>> {
    let row = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE tenant = $1 AND id = $2")))
        .bind(tenant.as_str())
        .bind(id)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(TokenRow::read).transpose()
}

/// A token in the list of a ticket's tokens.
pub(crate) struct Listed {
    pub(crate) created_at: Timestamp,
    pub(crate) token: TokenRow,
}

/// Where a token stands in the list of a ticket's tokens: when it was made, and its id.
pub(crate) type Place = (i64, String);

/// The tokens of a ticket, the oldest first, from the first or from behind a place on.
pub(crate) async fn of_ticket(
    connection: &mut Connection,
    tenant: &TenantId,
    ticket: &TicketId,
    after: Option<&Place>,
    limit: i64,
) -> Result<Vec<Listed>> {
    let (created_at, id) = after.map_or((i64::MIN, ""), |(created_at, id)| (*created_at, id.as_str()));
    let columns = COLUMNS.replacen("SELECT ", "SELECT created_at, ", 1);
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
        "{columns} WHERE tenant = $1 AND ticket = $2 AND (created_at, id) > ($3, $4) ORDER BY created_at, id LIMIT $5"
    )))
    .bind(tenant.as_str())
    .bind(ticket.as_str())
    .bind(created_at)
    .bind(id)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let created_at = Timestamp::from_seconds(row.try_get("created_at")?);
            Ok(Listed { created_at, token: TokenRow::read(row)? })
        })
        .collect()
}

/// Every token of every tenant, the newest last.
pub(crate) async fn all(connection: &mut Connection) -> Result<Vec<TokenRow>> {
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} ORDER BY tenant, created_at, id")))
        .fetch_all(connection)
        .await?;
    rows.iter().map(TokenRow::read).collect()
}

/// Revokes a token from now on; false when there is none of that name or it was revoked before.
pub(crate) async fn revoke(connection: &mut Connection, tenant: &TenantId, id: &str, now: Timestamp) -> Result<bool> {
    let done = sqlx::query("UPDATE tokens SET revoked_at = $1 WHERE tenant = $2 AND id = $3 AND revoked_at IS NULL")
        .bind(now.seconds())
        .bind(tenant.as_str())
        .bind(id)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}
