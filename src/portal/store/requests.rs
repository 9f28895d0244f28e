//! Requests: what technicians asked for, until it expires. The code that redeems one is nowhere, only its keyed hash.

use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::{Connection, Result, instant, parsed, signed, unsigned};
use crate::clock::Timestamp;
use crate::ids::{TenantId, TicketId};

/// A request as the portal knows it.
#[derive(Clone, Debug)]
pub(crate) struct RequestRow {
    pub(crate) tenant: TenantId,
    pub(crate) id: String,
    pub(crate) ticket: TicketId,
    /// The signed note.
    pub(crate) note: String,
    pub(crate) max_bytes: Option<u64>,
    pub(crate) expires_at: Timestamp,
    pub(crate) used: Option<Used>,
}

/// How a request was redeemed.
#[derive(Clone, Debug)]
pub(crate) struct Used {
    pub(crate) at: Timestamp,
    /// SHA-256 of what the sender drew for the code.
    pub(crate) claim: Vec<u8>,
    /// The id of the token that was given.
    pub(crate) token: String,
}

const COLUMNS: &str = "SELECT tenant, id, ticket, note, max_bytes, expires_at, used_at, claim, token FROM requests";

impl RequestRow {
    fn read(row: &AnyRow) -> Result<Self> {
        let text = |column: &str| row.try_get::<String, _>(column);
        let (at, claim): (Option<i64>, Option<Vec<u8>>) = (row.try_get("used_at")?, row.try_get("claim")?);
        let token: Option<String> = row.try_get("token")?;
        Ok(Self {
            tenant: parsed(&text("tenant")?)?,
            id: text("id")?,
            ticket: parsed(&text("ticket")?)?,
            note: text("note")?,
            max_bytes: row.try_get::<Option<i64>, _>("max_bytes")?.map(unsigned),
            expires_at: Timestamp::from_seconds(row.try_get("expires_at")?),
            used: match (instant(at), claim, token) {
                (Some(at), Some(claim), Some(token)) => Some(Used { at, claim, token }),
                _ => None,
            },
        })
    }
}

/// Adds a request that nobody has used; false when its code is another's already.
pub(crate) async fn add(
    connection: &mut Connection,
    request: &RequestRow,
    hash: &[u8; 32],
    now: Timestamp,
) -> Result<bool> {
    let added = sqlx::query(
        "INSERT INTO requests (tenant, id, hash, ticket, note, max_bytes, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (hash) DO NOTHING",
    )
    .bind(request.tenant.as_str())
    .bind(&request.id)
    .bind(hash.as_slice())
    .bind(request.ticket.as_str())
    .bind(&request.note)
    .bind(request.max_bytes.map(signed))
    .bind(now.seconds())
    .bind(request.expires_at.seconds())
    .execute(connection)
    .await?;
    Ok(added.rows_affected() == 1)
}

/// The request whose code has that hash.
pub(crate) async fn by_hash(connection: &mut Connection, hash: &[u8; 32]) -> Result<Option<RequestRow>> {
    let row = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE hash = $1")))
        .bind(hash.as_slice())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(RequestRow::read).transpose()
}

/// The requests for a ticket, oldest first.
pub(crate) async fn of_ticket(
    connection: &mut Connection,
    tenant: &TenantId,
    ticket: &TicketId,
    limit: i64,
) -> Result<Vec<RequestRow>> {
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
        "{COLUMNS} WHERE tenant = $1 AND ticket = $2 ORDER BY created_at, id LIMIT $3"
    )))
    .bind(tenant.as_str())
    .bind(ticket.as_str())
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(RequestRow::read).collect()
}

/// Writes down how a request was redeemed.
pub(crate) async fn redeem(connection: &mut Connection, tenant: &TenantId, id: &str, used: &Used) -> Result<()> {
    sqlx::query("UPDATE requests SET used_at = $1, claim = $2, token = $3 WHERE tenant = $4 AND id = $5")
        .bind(used.at.seconds())
        .bind(used.claim.as_slice())
        .bind(&used.token)
        .bind(tenant.as_str())
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Takes a request away.
pub(crate) async fn remove(connection: &mut Connection, tenant: &TenantId, id: &str) -> Result<()> {
    sqlx::query("DELETE FROM requests WHERE tenant = $1 AND id = $2")
        .bind(tenant.as_str())
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Takes every request for a ticket away: a note holds the ticket's name.
pub(crate) async fn remove_of_ticket(connection: &mut Connection, tenant: &TenantId, ticket: &TicketId) -> Result<()> {
    sqlx::query("DELETE FROM requests WHERE tenant = $1 AND ticket = $2")
        .bind(tenant.as_str())
        .bind(ticket.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

/// Takes every request away that has expired.
pub(crate) async fn expire(connection: &mut Connection, now: Timestamp) -> Result<()> {
    sqlx::query("DELETE FROM requests WHERE expires_at <= $1").bind(now.seconds()).execute(connection).await?;
    Ok(())
}
