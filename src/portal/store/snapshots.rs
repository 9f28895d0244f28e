//! Snapshots: what is announced, stored, being deleted, and what remains to be said of those that are gone.

use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};

use super::keeping::Keeping;
use super::sight::number_across;
use super::{Connection, Result, instant, parsed, signed, unreadable, unsigned};
use crate::clock::Timestamp;
use crate::format::check_phrase_of;
use crate::ids::{FileId, ShareId, TenantId, TicketId};
use crate::track::Phase;
use crate::track::deadline::Term;
use crate::track::receipt::DeletionReason;
use crate::wire;

/// A snapshot.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    pub(crate) tenant: TenantId,
    pub(crate) id: FileId,
    pub(crate) ticket: TicketId,
    pub(crate) size: u64,
    pub(crate) sha256: String,
    pub(crate) phase: Phase,
    pub(crate) share: Option<ShareId>,
    pub(crate) reads: u64,
    pub(crate) uploaded_at: Option<Timestamp>,
    pub(crate) closed_at: Option<Timestamp>,
    pub(crate) due_at: Option<Timestamp>,
    pub(crate) deleted_at: Option<Timestamp>,
    pub(crate) reason: Option<DeletionReason>,
    pub(crate) attempts: u32,
    pub(crate) keeping: Keeping,
}

pub(super) const COLUMNS: &str =
    "SELECT tenant, id, ticket, size, sha256, phase, share, reads, uploaded_at, closed_at, due_at,
    deleted_at, reason, attempts, readable_until, withdrawn_at, review_at, lifted_at, extended, blocked_at,
    ended_at, not_before FROM snapshots";

impl Snapshot {
    /// A snapshot of which nothing has arrived yet.
    pub(crate) fn announced(tenant: &TenantId, id: FileId, ticket: &TicketId, size: u64, sha256: String) -> Self {
        Self {
            tenant: tenant.clone(),
            id,
            ticket: ticket.clone(),
            size,
            sha256,
            phase: Phase::Uploading,
            share: None,
            reads: 0,
            uploaded_at: None,
            closed_at: None,
            due_at: None,
            deleted_at: None,
            reason: None,
            attempts: 0,
            keeping: Keeping::default(),
        }
    }

    pub(super) fn read(row: &AnyRow) -> Result<Self> {
        let text = |column: &str| row.try_get::<String, _>(column);
        let optional = |column: &str| row.try_get::<Option<String>, _>(column);
        let reason = optional("reason")?.map(|word| word_to_reason(&word).ok_or_else(|| unreadable("a reason")));
        Ok(Self {
            tenant: parsed(&text("tenant")?)?,
            id: parsed(&text("id")?)?,
            ticket: parsed(&text("ticket")?)?,
            size: unsigned(row.try_get("size")?),
            sha256: text("sha256")?,
            phase: Phase::from_word(&text("phase")?).ok_or_else(|| unreadable("a phase"))?,
            share: optional("share")?.map(|share| parsed(&share)).transpose()?,
            reads: unsigned(row.try_get("reads")?),
            uploaded_at: instant(row.try_get("uploaded_at")?),
            closed_at: instant(row.try_get("closed_at")?),
            due_at: instant(row.try_get("due_at")?),
            deleted_at: instant(row.try_get("deleted_at")?),
            reason: reason.transpose()?,
            attempts: u32::try_from(row.try_get::<i64, _>("attempts")?).unwrap_or(u32::MAX),
            keeping: Keeping::read(row)?,
        })
    }

    /// Whether it is arriving by the one-shot door: its digest is known when it is there.
    pub(crate) fn is_one_shot(&self) -> bool {
        self.sha256.is_empty()
    }

    /// Whether it may still be read: stored whole, its deletion not begun, its deadline not come.
    pub(crate) fn is_readable(&self, now: Timestamp) -> bool {
        self.is_in_time(now) && self.keeping.blocked_at.is_none()
    }

    /// Whether it is stored whole, its deletion not begun, its deadline not come.
    pub(crate) fn is_in_time(&self, now: Timestamp) -> bool {
        self.phase == Phase::Stored && self.keeping.readable_until.is_some_and(|until| now < until)
    }

    /// Whether it is kept and nobody may read it: because of a hold past its time, or of what a person concerned asked for.
    pub(crate) fn is_restricted(&self, now: Timestamp) -> bool {
        !self.is_readable(now) && (self.is_held() || self.is_in_time(now))
    }

    /// Whether a hold stops its deletion.
    pub(crate) fn is_held(&self) -> bool {
        self.phase == Phase::Stored && self.keeping.review_at.is_some()
    }

    /// What a client is told of it.
    pub(crate) fn to_wire(&self, now: Timestamp) -> wire::Snapshot {
        let state = match self.phase {
            Phase::Uploading => wire::SnapshotState::Uploading,
            Phase::Deleted => wire::SnapshotState::Deleted,
            Phase::Stored if self.is_held() && self.is_readable(now) => wire::SnapshotState::Held,
            Phase::Stored if self.is_restricted(now) => wire::SnapshotState::Restricted,
            Phase::Stored if self.is_readable(now) => wire::SnapshotState::Stored,
            _ => wire::SnapshotState::Deleting,
        };
        wire::Snapshot {
            id: self.id,
            ticket: self.ticket.clone(),
            state,
            size: self.size,
            sha256: self.sha256.clone(),
            check_phrase: check_phrase_of(&self.sha256),
            uploaded_at: self.uploaded_at,
            due_at: self.due_at,
            deleted_at: self.deleted_at,
            review_at: self.keeping.review_at.filter(|_| self.is_held()),
            reads: self.reads,
        }
    }
}

/// Adds an announced snapshot.
pub(crate) async fn add(connection: &mut Connection, snapshot: &Snapshot, token: &str, now: Timestamp) -> Result<()> {
    insert(connection, snapshot, (token, now), None).await
}

/// Adds a snapshot that is announced and stored at once, with when its time is over.
pub(crate) async fn add_stored(
    connection: &mut Connection,
    snapshot: &Snapshot,
    (token, now): (&str, Timestamp),
    term: &Term,
) -> Result<()> {
    insert(connection, snapshot, (token, now), Some(term)).await
}

async fn insert(
    connection: &mut Connection,
    snapshot: &Snapshot,
    (token, now): (&str, Timestamp),
    term: Option<&Term>,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO snapshots (tenant, id, ticket, size, sha256, phase, share, token, announced_at,
             uploaded_at, readable_until, due_at, begins_at, reason, blocked_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,
             (SELECT min(blocked_at) FROM subject_snapshots WHERE tenant = $1 AND snapshot = $2))",
    )
    .bind(snapshot.tenant.as_str())
    .bind(snapshot.id.to_string())
    .bind(snapshot.ticket.as_str())
    .bind(signed(snapshot.size))
    .bind(&snapshot.sha256)
    .bind(snapshot.phase.word())
    .bind(snapshot.share.map(|share| share.to_string()))
    .bind(token)
    .bind(now.seconds())
    .bind(snapshot.uploaded_at.map(Timestamp::seconds))
    .bind(term.map(|term| term.readable_until.seconds()))
    .bind(term.map(|term| term.due_at.seconds()))
    .bind(term.and_then(|term| term.begins_at).map(Timestamp::seconds))
    .bind(term.map(|term| reason_to_word(term.reason)))
    .execute(connection)
    .await?;
    Ok(())
}

/// Removes an announced snapshot that was never stored, with its upload.
pub(crate) async fn remove_unfinished(connection: &mut Connection, tenant: &TenantId, id: &FileId) -> Result<bool> {
    let removed = sqlx::query("DELETE FROM snapshots WHERE tenant = $1 AND id = $2 AND phase = 'uploading'")
        .bind(tenant.as_str())
        .bind(id.to_string())
        .execute(connection)
        .await?;
    Ok(removed.rows_affected() == 1)
}

/// The snapshot of that id.
pub(crate) async fn find(connection: &mut Connection, tenant: &TenantId, id: &FileId) -> Result<Option<Snapshot>> {
    let row = sqlx::query(AssertSqlSafe(format!("{COLUMNS} WHERE tenant = $1 AND id = $2")))
        .bind(tenant.as_str())
        .bind(id.to_string())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(Snapshot::read).transpose()
}

/// The snapshots of a ticket, or of the tenant, the oldest first; all, or those of tickets that a user is `on`.
pub(crate) async fn list(
    connection: &mut Connection,
    tenant: &TenantId,
    ticket: Option<&TicketId>,
    on: Option<&str>,
    limit: i64,
) -> Result<Vec<Snapshot>> {
    let found = page(connection, tenant, ticket, on, (0, limit)).await?;
    Ok(found.into_iter().map(|(_, snapshot)| snapshot).collect())
}

/// The snapshots of a ticket, or of the tenant, that come after a number, each with its own; the oldest first. All,
/// or those of tickets that a user is `on` and those that were granted to that user.
pub(crate) async fn page(
    connection: &mut Connection,
    tenant: &TenantId,
    ticket: Option<&TicketId>,
    on: Option<&str>,
    (after, limit): (i64, i64),
) -> Result<Vec<(i64, Snapshot)>> {
    let columns = COLUMNS.replacen("SELECT ", "SELECT number, ", 1);
    let rows = sqlx::query(AssertSqlSafe(format!(
        "{columns} WHERE tenant = $1 AND (CAST($2 AS TEXT) IS NULL OR ticket = $2) AND number > $4
         AND (CAST($3 AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM assignments a
              WHERE a.tenant = snapshots.tenant AND a.ticket = snapshots.ticket AND a.user_id = $3)
              OR EXISTS (SELECT 1 FROM grants g WHERE g.tenant = snapshots.tenant AND g.snapshot = snapshots.id
                  AND g.user_id = $3 AND g.revoked_at IS NULL))
         ORDER BY number LIMIT $5"
    )))
    .bind(tenant.as_str())
    .bind(ticket.map(TicketId::as_str))
    .bind(on)
    .bind(after)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| Ok((row.try_get("number")?, Snapshot::read(row)?))).collect()
}

/// The snapshots of a ticket that were announced with a token and are not deleted.
pub(crate) async fn of_token(
    connection: &mut Connection,
    tenant: &TenantId,
    ticket: &TicketId,
    token: &str,
) -> Result<Vec<FileId>> {
    let rows: Vec<(String,)> =
        sqlx::query_as("SELECT id FROM snapshots WHERE tenant = $1 AND ticket = $2 AND token = $3")
            .bind(tenant.as_str())
            .bind(ticket.as_str())
            .bind(token)
            .fetch_all(connection)
            .await?;
    rows.iter().map(|(id,)| parsed(id)).collect()
}

/// The bytes that were announced with a token and are not deleted.
pub(crate) async fn bytes_of_token(connection: &mut Connection, tenant: &TenantId, token: &str) -> Result<u64> {
    let (sum,): (i64,) = sqlx::query_as(
        "SELECT CAST(coalesce(sum(size), 0) AS BIGINT) FROM snapshots
         WHERE tenant = $1 AND token = $2 AND phase <> 'deleted'",
    )
    .bind(tenant.as_str())
    .bind(token)
    .fetch_one(connection)
    .await?;
    Ok(unsigned(sum))
}

/// The bytes that were announced by anyone and have not arrived, told to someone who sees `tenant` alone, or everything.
pub(crate) async fn bytes_awaited(connection: &mut Connection, tenant: Option<&TenantId>) -> Result<u64> {
    let sum = number_across(
        connection,
        tenant,
        "SELECT CAST(coalesce(sum(size - received), 0) AS BIGINT) FROM snapshots JOIN uploads
         ON uploads.tenant = snapshots.tenant AND uploads.snapshot = snapshots.id WHERE phase = 'uploading'",
    )
    .await?;
    Ok(unsigned(sum))
}

/// Writes down length and digest of what has arrived; for an announced file they are what was announced.
pub(crate) async fn set_content(connection: &mut Connection, snapshot: &Snapshot) -> Result<()> {
    sqlx::query("UPDATE snapshots SET size = $1, sha256 = $2 WHERE tenant = $3 AND id = $4 AND phase = 'uploading'")
        .bind(signed(snapshot.size))
        .bind(&snapshot.sha256)
        .bind(snapshot.tenant.as_str())
        .bind(snapshot.id.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

/// Marks an announced snapshot stored.
pub(crate) async fn set_stored(
    connection: &mut Connection,
    tenant: &TenantId,
    id: &FileId,
    now: Timestamp,
) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE snapshots SET phase = 'stored', uploaded_at = $1 WHERE tenant = $2 AND id = $3 AND phase = 'uploading'",
    )
    .bind(now.seconds())
    .bind(tenant.as_str())
    .bind(id.to_string())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Counts one more reading.
pub(crate) async fn count_read(connection: &mut Connection, tenant: &TenantId, id: &FileId) -> Result<()> {
    sqlx::query("UPDATE snapshots SET reads = reads + 1 WHERE tenant = $1 AND id = $2")
        .bind(tenant.as_str())
        .bind(id.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

/// The stored snapshots whose deletion is to begin by `now`, the longest due first; of one ticket or of all.
pub(crate) async fn due(
    connection: &mut Connection,
    now: Timestamp,
    of: Option<(&TenantId, &TicketId)>,
    limit: i64,
) -> Result<Vec<Snapshot>> {
    let rows = sqlx::query(AssertSqlSafe(format!(
        "{COLUMNS} WHERE phase = 'stored' AND begins_at <= $1 AND (CAST($2 AS TEXT) IS NULL OR (tenant = $2 AND ticket = $3))
         ORDER BY begins_at LIMIT $4"
    )))
    .bind(now.seconds())
    .bind(of.map(|(tenant, _)| tenant.as_str()))
    .bind(of.map(|(_, ticket)| ticket.as_str()))
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(Snapshot::read).collect()
}

/// The snapshots whose deletion stands at `phase` and may be tried at `now`; `None` tries those that wait as well.
pub(crate) async fn in_phase(
    connection: &mut Connection,
    phase: Phase,
    now: Option<Timestamp>,
    limit: i64,
) -> Result<Vec<Snapshot>> {
    let rows = sqlx::query(AssertSqlSafe(format!(
        "{COLUMNS} WHERE phase = $1 AND retry_at <= $2 ORDER BY retry_at, number LIMIT $3"
    )))
    .bind(phase.word())
    .bind(now.map_or(i64::MAX, Timestamp::seconds))
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(Snapshot::read).collect()
}

/// Begins the deletion of a stored snapshot; false when it has begun already.
pub(crate) async fn begin_deletion(
    connection: &mut Connection,
    tenant: &TenantId,
    id: &FileId,
    reason: DeletionReason,
) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE snapshots SET phase = 'due', reason = $1 WHERE tenant = $2 AND id = $3 AND phase = 'stored'",
    )
    .bind(reason_to_word(reason))
    .bind(tenant.as_str())
    .bind(id.to_string())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Moves a deletion from one phase to the next; false when it stands elsewhere. Failed attempts are forgotten.
pub(crate) async fn advance(
    connection: &mut Connection,
    tenant: &TenantId,
    id: &FileId,
    from: Phase,
    to: Phase,
    now: Timestamp,
) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE snapshots SET phase = $1, attempts = 0, retry_at = 0,
         deleted_at = CASE WHEN $1 = 'deleted' THEN $2 ELSE deleted_at END
         WHERE tenant = $3 AND id = $4 AND phase = $5",
    )
    .bind(to.word())
    .bind(now.seconds())
    .bind(tenant.as_str())
    .bind(id.to_string())
    .bind(from.word())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Notes that a step failed and when to try it again.
pub(crate) async fn postpone(connection: &mut Connection, snapshot: &Snapshot, retry_at: Timestamp) -> Result<()> {
    sqlx::query("UPDATE snapshots SET attempts = attempts + 1, retry_at = $1 WHERE tenant = $2 AND id = $3")
        .bind(retry_at.seconds())
        .bind(snapshot.tenant.as_str())
        .bind(snapshot.id.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

/// Erases what is not needed to say that it is gone: the share's name, who uploaded it, the upload.
pub(crate) async fn scrub(connection: &mut Connection, tenant: &TenantId, id: &FileId) -> Result<()> {
    sqlx::query("DELETE FROM uploads WHERE tenant = $1 AND snapshot = $2")
        .bind(tenant.as_str())
        .bind(id.to_string())
        .execute(&mut *connection)
        .await?;
    sqlx::query("UPDATE snapshots SET share = NULL, token = NULL WHERE tenant = $1 AND id = $2")
        .bind(tenant.as_str())
        .bind(id.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

/// How many snapshots should have been gone before `instant` and are not.
pub(crate) async fn late(connection: &mut Connection, instant: Timestamp) -> Result<u64> {
    let (count,): (i64,) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM snapshots WHERE phase = 'stored' AND begins_at < $1 AND due_at < $1)
              + (SELECT count(*) FROM snapshots WHERE due_at < $1
                 AND phase IN ('due', 'share-destroyed', 'bytes-gone', 'verified-absent', 'row-scrubbed'))",
    )
    .bind(instant.seconds())
    .fetch_one(connection)
    .await?;
    Ok(unsigned(count))
}

/// How many snapshots a ticket has, and when the first of those that are left must be gone.
pub(crate) async fn standing(
    connection: &mut Connection,
    tenant: &TenantId,
    ticket: &TicketId,
) -> Result<(u64, Option<Timestamp>)> {
    let (count, due): (i64, Option<i64>) = sqlx::query_as(
        "SELECT count(*), min(CASE WHEN phase <> 'deleted' THEN due_at END) FROM snapshots
         WHERE tenant = $1 AND ticket = $2",
    )
    .bind(tenant.as_str())
    .bind(ticket.as_str())
    .fetch_one(connection)
    .await?;
    Ok((unsigned(count), due.map(Timestamp::from_seconds)))
}

pub(super) fn reason_to_word(reason: DeletionReason) -> &'static str {
    match reason {
        DeletionReason::TicketClosed => "ticket-closed",
        DeletionReason::HardCap => "hard-cap",
        DeletionReason::Withdrawn => "withdrawn",
    }
}

fn word_to_reason(word: &str) -> Option<DeletionReason> {
    [DeletionReason::TicketClosed, DeletionReason::HardCap, DeletionReason::Withdrawn]
        .into_iter()
        .find(|reason| reason_to_word(*reason) == word)
}
