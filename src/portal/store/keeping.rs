//! For how long each snapshot is kept: what was decided about it, and the term that follows.

use super::snapshots::{COLUMNS, Snapshot, reason_to_word};
use super::{Connection, Result, instant};
use crate::clock::Timestamp;
use crate::ids::{FileId, TenantId, TicketId};
use crate::track::deadline::{Facts, Term};
use crate::track::extension::Extensions;

/// What was decided about one snapshot, and what follows for its readers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Keeping {
    /// From when on nobody may read it.
    pub(crate) readable_until: Option<Timestamp>,
    /// When it was taken back, or ordered gone.
    pub(crate) withdrawn_at: Option<Timestamp>,
    /// When the hold that is in force is looked at again; none is in force when it is absent.
    pub(crate) review_at: Option<Timestamp>,
    /// When the last hold was lifted.
    pub(crate) lifted_at: Option<Timestamp>,
    /// How often its deadline was moved on.
    pub(crate) extended: i64,
    /// Since when nobody reads it because a person concerned asked for that.
    pub(crate) blocked_at: Option<Timestamp>,
    /// The deadline that came while a hold kept it: its time is over for good.
    pub(crate) ended_at: Option<Timestamp>,
    /// Before which instant the closing of its ticket does not end its time, because it was told late.
    pub(crate) not_before: Option<Timestamp>,
}

impl Keeping {
    /// Reads the columns of one row of snapshots.
    pub(crate) fn read(row: &sqlx::any::AnyRow) -> Result<Self> {
        use sqlx::Row as _;
        Ok(Self {
            readable_until: instant(row.try_get("readable_until")?),
            withdrawn_at: instant(row.try_get("withdrawn_at")?),
            review_at: instant(row.try_get("review_at")?),
            lifted_at: instant(row.try_get("lifted_at")?),
            extended: row.try_get("extended")?,
            blocked_at: instant(row.try_get("blocked_at")?),
            ended_at: instant(row.try_get("ended_at")?),
            not_before: instant(row.try_get("not_before")?),
        })
    }
}

/// Writes down when a stored snapshot's ticket was closed, what that leaves it, and when its time is over.
pub(crate) async fn set_term(
    connection: &mut Connection,
    (tenant, id): (&TenantId, &FileId),
    facts: &Facts,
    term: &Term,
) -> Result<()> {
    sqlx::query(
        "UPDATE snapshots SET closed_at = $1, not_before = $2, readable_until = $3, due_at = $4, begins_at = $5, reason = $6
         WHERE tenant = $7 AND id = $8 AND phase = 'stored'",
    )
    .bind(facts.closed_at.map(Timestamp::seconds))
    .bind(facts.not_before.map(Timestamp::seconds))
    .bind(term.readable_until.seconds())
    .bind(term.due_at.seconds())
    .bind(term.begins_at.map(Timestamp::seconds))
    .bind(reason_to_word(term.reason))
    .bind(tenant.as_str())
    .bind(id.to_string())
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes down for good how the time of held snapshots ended by `now`, of one ticket or of all. What was withdrawn before its
/// deadline had ended then.
pub(crate) async fn set_ended(
    connection: &mut Connection,
    now: Timestamp,
    of: Option<(&TenantId, &TicketId)>,
) -> Result<()> {
    sqlx::query(
        "UPDATE snapshots SET ended_at = readable_until
         WHERE phase = 'stored' AND review_at IS NOT NULL AND ended_at IS NULL AND readable_until <= $1
         AND (withdrawn_at IS NULL OR withdrawn_at > readable_until)
         AND (CAST($2 AS TEXT) IS NULL OR (tenant = $2 AND ticket = $3))",
    )
    .bind(now.seconds())
    .bind(of.map(|(tenant, _)| tenant.as_str()))
    .bind(of.map(|(_, ticket)| ticket.as_str()))
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes down that a snapshot was taken back; the first time stays.
pub(crate) async fn set_withdrawn(
    connection: &mut Connection,
    tenant: &TenantId,
    id: &FileId,
    now: Timestamp,
) -> Result<()> {
    sqlx::query("UPDATE snapshots SET withdrawn_at = $1 WHERE tenant = $2 AND id = $3 AND withdrawn_at IS NULL")
        .bind(now.seconds())
        .bind(tenant.as_str())
        .bind(id.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

/// Adds an extension.
pub(crate) async fn add_extension(
    connection: &mut Connection,
    snapshot: &Snapshot,
    now: Timestamp,
    days: u16,
) -> Result<()> {
    let (tenant, id) = (snapshot.tenant.as_str(), snapshot.id.to_string());
    sqlx::query("INSERT INTO extensions (tenant, snapshot, number, at, days) VALUES ($1, $2, $3, $4, $5)")
        .bind(tenant)
        .bind(&id)
        .bind(snapshot.keeping.extended + 1)
        .bind(now.seconds())
        .bind(i64::from(days))
        .execute(&mut *connection)
        .await?;
    sqlx::query("UPDATE snapshots SET extended = extended + 1 WHERE tenant = $1 AND id = $2")
        .bind(tenant)
        .bind(&id)
        .execute(connection)
        .await?;
    Ok(())
}

/// The extensions of a snapshot in their order.
pub(crate) async fn extensions(connection: &mut Connection, snapshot: &Snapshot) -> Result<Extensions> {
    let mut extensions = Extensions::new();
    if snapshot.keeping.extended > 0 {
        let rows: Vec<(i64, i64)> =
            sqlx::query_as("SELECT at, days FROM extensions WHERE tenant = $1 AND snapshot = $2 ORDER BY number")
                .bind(snapshot.tenant.as_str())
                .bind(snapshot.id.to_string())
                .fetch_all(connection)
                .await?;
        for (at, days) in rows {
            extensions.add(Timestamp::from_seconds(at), u16::try_from(days).unwrap_or(u16::MAX));
        }
    }
    Ok(extensions)
}

/// The stored snapshots of a tenant behind `after` in the order of their ids.
pub(crate) async fn stored(
    connection: &mut Connection,
    tenant: &TenantId,
    after: &str,
    limit: i64,
) -> Result<Vec<Snapshot>> {
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
        "{COLUMNS} WHERE tenant = $1 AND id > $2 AND phase = 'stored' ORDER BY id LIMIT $3"
    )))
    .bind(tenant.as_str())
    .bind(after)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(Snapshot::read).collect()
}
