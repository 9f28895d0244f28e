//! Audit records, and what opens their commitments.

use std::collections::BTreeMap;

use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::{Connection, Result, parsed, signed, unreadable, unsigned};
use crate::clock::Timestamp;
use crate::ids::TenantId;
use crate::track::log::{Field, Opening, Record};

/// A record that is not written yet; the ticket and the number are found when it is.
pub(crate) struct NewRow<'a> {
    pub(crate) id: String,
    pub(crate) at: Timestamp,
    pub(crate) actor: &'a str,
    pub(crate) role: &'a str,
    pub(crate) name: Option<String>,
    pub(crate) address: Option<String>,
    pub(crate) tool: &'a str,
    pub(crate) act: &'a str,
    pub(crate) purpose: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) object: &'a str,
    pub(crate) outcome: &'a str,
    pub(crate) reason: Option<String>,
    pub(crate) request: Option<&'a str>,
    pub(crate) receipt: Option<String>,
}

/// A record and its index in the log, once it has one.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) record: Record,
    pub(crate) place: Option<u64>,
}

/// Which records are wanted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) ticket: Option<String>,
    pub(crate) act: Option<String>,
    pub(crate) from: Option<Timestamp>,
    /// Before this instant.
    pub(crate) until: Option<Timestamp>,
    /// Only with an index below this.
    pub(crate) size: u64,
}

/// Writes a record; gives its number among the tenant's.
pub(crate) async fn add(connection: &mut Connection, tenant: &TenantId, row: &NewRow<'_>) -> Result<i64> {
    let (number,): (i64,) = sqlx::query_as(
        "INSERT INTO audit (tenant, number, id, at, actor, role, name, address, tool, action, purpose, kind, object, ticket,
             outcome, reason, request, receipt)
         VALUES ($1, (SELECT coalesce(max(number), 0) + 1 FROM audit WHERE tenant = $1),
             $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,
             CASE $11 WHEN 'ticket' THEN coalesce((SELECT alias FROM tickets WHERE tenant = $1 AND id = $12), '-')
                 ELSE $12 END,
             (SELECT alias FROM tickets WHERE tenant = $1 AND id = CASE $11 WHEN 'ticket' THEN $12
                 WHEN 'snapshot' THEN (SELECT ticket FROM snapshots WHERE tenant = $1 AND id = $12)
                 WHEN 'token' THEN (SELECT ticket FROM tokens WHERE tenant = $1 AND id = $12) END),
             $13, $14, $15, $16)
         RETURNING number",
    )
    .bind(tenant.as_str())
    .bind(&row.id)
    .bind(row.at.seconds())
    .bind(row.actor)
    .bind(row.role)
    .bind(row.name.as_deref())
    .bind(row.address.as_deref())
    .bind(row.tool)
    .bind(row.act)
    .bind(row.purpose)
    .bind(row.kind)
    .bind(row.object)
    .bind(row.outcome)
    .bind(row.reason.as_deref())
    .bind(row.request)
    .bind(row.receipt.as_deref())
    .fetch_one(connection)
    .await?;
    Ok(number)
}

/// Keeps what opens a commitment.
pub(crate) async fn add_opening(
    connection: &mut Connection,
    tenant: &TenantId,
    number: i64,
    at: Timestamp,
    field: Field,
    opening: &Opening,
) -> Result<()> {
    sqlx::query("INSERT INTO openings (tenant, number, field, at, salt, value) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(tenant.as_str())
        .bind(number)
        .bind(field.word())
        .bind(at.seconds())
        .bind(&opening.salt)
        .bind(&opening.value)
        .execute(connection)
        .await?;
    Ok(())
}

/// True when a tenant has an opening older than `before`.
pub(crate) async fn any_opening(connection: &mut Connection, tenant: &TenantId, before: Timestamp) -> Result<bool> {
    let found: Option<(i64,)> = sqlx::query_as("SELECT number FROM openings WHERE tenant = $1 AND at < $2 LIMIT 1")
        .bind(tenant.as_str())
        .bind(before.seconds())
        .fetch_optional(connection)
        .await?;
    Ok(found.is_some())
}

/// Erases a tenant's openings older than `before`; gives how many commitments can no longer be opened.
pub(crate) async fn erase_openings(connection: &mut Connection, tenant: &TenantId, before: Timestamp) -> Result<u64> {
    let done = sqlx::query("DELETE FROM openings WHERE tenant = $1 AND at < $2")
        .bind(tenant.as_str())
        .bind(before.seconds())
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}

/// Erases every opening of a tenant that has this value, as when a person asks for it; gives how many.
pub(crate) async fn erase_value(
    connection: &mut Connection,
    tenant: &TenantId,
    field: Field,
    value: &str,
) -> Result<u64> {
    let done = sqlx::query("DELETE FROM openings WHERE tenant = $1 AND field = $2 AND value = $3")
        .bind(tenant.as_str())
        .bind(field.word())
        .bind(value)
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}

/// True when a record has no place in the log yet.
pub(crate) async fn any_waiting(connection: &mut Connection) -> Result<bool> {
    let found: Option<(i64,)> =
        sqlx::query_as("SELECT number FROM audit WHERE place IS NULL LIMIT 1").fetch_optional(connection).await?;
    Ok(found.is_some())
}

/// How many records have no place in the log yet.
pub(crate) async fn count_waiting(connection: &mut Connection) -> Result<u64> {
    let (count,): (i64,) =
        sqlx::query_as("SELECT CAST(count(*) AS BIGINT) FROM audit WHERE place IS NULL").fetch_one(connection).await?;
    Ok(unsigned(count))
}

/// The records that have no place in the log yet, each tenant's in their order.
pub(crate) async fn waiting(connection: &mut Connection, limit: i64) -> Result<Vec<Row>> {
    let rows = sqlx::query("SELECT * FROM audit WHERE place IS NULL ORDER BY tenant, number LIMIT $1")
        .bind(limit)
        .fetch_all(connection)
        .await?;
    rows.iter().map(read).collect()
}

/// Gives the records `first` to `last` of a tenant their places: the first gets `place`, the next the one after.
pub(crate) async fn set_places(
    connection: &mut Connection,
    tenant: &TenantId,
    (first, last): (u64, u64),
    place: u64,
) -> Result<()> {
    let done = sqlx::query(
        "UPDATE audit SET place = number + $1 WHERE tenant = $2 AND number BETWEEN $3 AND $4 AND place IS NULL",
    )
    .bind(signed(place) - signed(first))
    .bind(tenant.as_str())
    .bind(signed(first))
    .bind(signed(last))
    .execute(connection)
    .await?;
    if done.rows_affected() == last - first + 1 { Ok(()) } else { Err(unreadable("the order of audit records")) }
}

/// The records with an index from `from` on, in the order of the log.
pub(crate) async fn by_place(connection: &mut Connection, from: u64, below: u64, limit: i64) -> Result<Vec<Row>> {
    let rows = sqlx::query("SELECT * FROM audit WHERE place >= $1 AND place < $2 ORDER BY place LIMIT $3")
        .bind(signed(from))
        .bind(signed(below))
        .bind(limit)
        .fetch_all(connection)
        .await?;
    rows.iter().map(read).collect()
}

/// How many records stand at or behind `size`.
pub(crate) async fn beyond(connection: &mut Connection, size: u64) -> Result<u64> {
    let (count,): (i64,) = sqlx::query_as("SELECT CAST(count(*) AS BIGINT) FROM audit WHERE place >= $1")
        .bind(signed(size))
        .fetch_one(connection)
        .await?;
    Ok(unsigned(count))
}

/// One record.
pub(crate) async fn find(connection: &mut Connection, tenant: &TenantId, number: i64) -> Result<Option<Row>> {
    let row = sqlx::query("SELECT * FROM audit WHERE tenant = $1 AND number = $2")
        .bind(tenant.as_str())
        .bind(number)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read).transpose()
}

/// Whether somebody has done this act to a snapshot before.
pub(crate) async fn has_done(
    connection: &mut Connection,
    tenant: &TenantId,
    actor: &str,
    (act, snapshot): (&str, &super::snapshots::Snapshot),
) -> Result<bool> {
    let found: Option<(i64,)> = sqlx::query_as(
        "SELECT number FROM audit WHERE tenant = $1
             AND ticket = (SELECT alias FROM tickets WHERE tenant = $1 AND id = $2)
             AND object = $3 AND actor = $4 AND action = $5 AND outcome = 'done' LIMIT 1",
    )
    .bind(tenant.as_str())
    .bind(snapshot.ticket.as_str())
    .bind(snapshot.id.to_string())
    .bind(actor)
    .bind(act)
    .fetch_optional(connection)
    .await?;
    Ok(found.is_some())
}

/// When the newest record was written.
pub(crate) async fn newest(connection: &mut Connection) -> Result<Option<Timestamp>> {
    let (at,): (Option<i64>,) =
        sqlx::query_as("SELECT CAST(max(at) AS BIGINT) FROM audit").fetch_one(connection).await?;
    Ok(at.map(Timestamp::from_seconds))
}

/// How many of a tenant's records are wanted.
pub(crate) async fn count(connection: &mut Connection, tenant: &TenantId, wanted: &Wanted) -> Result<u64> {
    let (count,): (i64,) = sqlx::query_as(
        "SELECT CAST(count(*) AS BIGINT) FROM audit WHERE tenant = $1 AND place < $2
             AND (CAST($3 AS TEXT) IS NULL OR ticket = (SELECT alias FROM tickets WHERE tenant = $1 AND id = $3))
             AND (CAST($4 AS TEXT) IS NULL OR action = $4)
             AND at >= $5 AND at < $6",
    )
    .bind(tenant.as_str())
    .bind(signed(wanted.size))
    .bind(wanted.ticket.as_deref())
    .bind(wanted.act.as_deref())
    .bind(wanted.from.map_or(0, Timestamp::seconds))
    .bind(wanted.until.map_or(i64::MAX, Timestamp::seconds))
    .fetch_one(connection)
    .await?;
    Ok(unsigned(count))
}

/// A tenant's records behind `after` that are wanted, in their order.
pub(crate) async fn page(
    connection: &mut Connection,
    tenant: &TenantId,
    wanted: &Wanted,
    after: u64,
    limit: i64,
) -> Result<Vec<Row>> {
    let rows = sqlx::query(
        "SELECT * FROM audit WHERE tenant = $1 AND place < $2
             AND (CAST($3 AS TEXT) IS NULL OR ticket = (SELECT alias FROM tickets WHERE tenant = $1 AND id = $3))
             AND (CAST($4 AS TEXT) IS NULL OR action = $4)
             AND at >= $5 AND at < $6 AND number > $7 ORDER BY number LIMIT $8",
    )
    .bind(tenant.as_str())
    .bind(signed(wanted.size))
    .bind(wanted.ticket.as_deref())
    .bind(wanted.act.as_deref())
    .bind(wanted.from.map_or(0, Timestamp::seconds))
    .bind(wanted.until.map_or(i64::MAX, Timestamp::seconds))
    .bind(signed(after))
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(read).collect()
}

/// What opens the commitments of a tenant's records `first` to `last`, by the record's number.
pub(crate) async fn openings(
    connection: &mut Connection,
    tenant: &TenantId,
    (first, last): (u64, u64),
) -> Result<BTreeMap<u64, BTreeMap<Field, Opening>>> {
    let rows: Vec<(i64, String, String, String)> = sqlx::query_as(
        "SELECT number, field, salt, value FROM openings WHERE tenant = $1 AND number BETWEEN $2 AND $3",
    )
    .bind(tenant.as_str())
    .bind(signed(first))
    .bind(signed(last))
    .fetch_all(connection)
    .await?;
    let mut found: BTreeMap<u64, BTreeMap<Field, Opening>> = BTreeMap::new();
    for (number, field, salt, value) in rows {
        let field = Field::from_word(&field).ok_or_else(|| unreadable("the field of an opening"))?;
        found.entry(unsigned(number)).or_default().insert(field, Opening { salt, value });
    }
    Ok(found)
}

/// An opening with the record it belongs to.
pub(crate) type Opened = (TenantId, i64, Field, Opening);

/// The openings behind `after`, of all tenants, in one order.
pub(crate) async fn openings_after(
    connection: &mut Connection,
    after: Option<&(TenantId, i64, Field)>,
    limit: i64,
) -> Result<Vec<Opened>> {
    let (tenant, number, field) =
        after.map_or(("", 0, ""), |(tenant, number, field)| (tenant.as_str(), *number, field.word()));
    let rows: Vec<(String, i64, String, String, String)> = sqlx::query_as(
        "SELECT tenant, number, field, salt, value FROM openings WHERE (tenant, number, field) > ($1, $2, $3)
         ORDER BY tenant, number, field LIMIT $4",
    )
    .bind(tenant)
    .bind(number)
    .bind(field)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(tenant, number, field, salt, value)| {
            let field = Field::from_word(&field).ok_or_else(|| unreadable("the field of an opening"))?;
            Ok((parsed(&tenant)?, number, field, Opening { salt, value }))
        })
        .collect()
}

fn read(row: &AnyRow) -> Result<Row> {
    let text = |column: &str| row.try_get::<String, _>(column);
    let maybe = |column: &str| row.try_get::<Option<String>, _>(column);
    let record = Record {
        id: text("id")?,
        tenant: parsed(&text("tenant")?)?,
        number: unsigned(row.try_get("number")?),
        at: Timestamp::from_seconds(row.try_get("at")?),
        act: text("action")?,
        purpose: text("purpose")?,
        actor: text("actor")?,
        role: text("role")?,
        name: maybe("name")?,
        address: maybe("address")?,
        tool: text("tool")?,
        kind: text("kind")?,
        object: text("object")?,
        ticket: maybe("ticket")?,
        outcome: text("outcome")?,
        reason: maybe("reason")?,
        request: maybe("request")?,
        receipt: maybe("receipt")?,
    };
    let place: Option<i64> = row.try_get("place")?;
    Ok(Row { record, place: place.map(unsigned) })
}
