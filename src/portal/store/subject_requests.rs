//! What persons concerned ask for, and which snapshots that concerns.

use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};

use super::snapshots::{self, Snapshot};
use super::{Connection, Result, instant, parsed, unreadable};
use crate::clock::Timestamp;
use crate::ids::{FileId, TenantId};
use crate::wire::subject::{Ground, LongerBecause, SubjectKind, SubjectState};

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) tenant: TenantId,
    /// Counts the tenant's requests.
    pub(crate) number: i64,
    pub(crate) id: String,
    pub(crate) kind: SubjectKind,
    pub(crate) state: SubjectState,
    pub(crate) received_at: Timestamp,
    pub(crate) lodged_at: Timestamp,
    pub(crate) due_at: Timestamp,
    pub(crate) longer: Option<LongerBecause>,
    pub(crate) decided_at: Option<Timestamp>,
    pub(crate) ended_at: Option<Timestamp>,
    pub(crate) ground: Option<Ground>,
    pub(crate) lifted_at: Option<Timestamp>,
    /// How often somebody was reminded: when the time was nearly over, and when it was.
    pub(crate) reminded: i64,
    /// Sealed.
    pub(crate) reference: Option<Vec<u8>>,
    /// Sealed.
    pub(crate) statement: Option<Vec<u8>>,
}

/// A snapshot that a request concerns.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) snapshot: FileId,
    /// Since when nobody reads it because of this request.
    pub(crate) blocked_at: Option<Timestamp>,
    /// Sealed.
    pub(crate) stand_ins: Option<Vec<u8>>,
}

const COLUMNS: &str = "SELECT tenant, number, id, kind, state, received_at, lodged_at, due_at, longer, decided_at,
    ended_at, ground, lifted_at, reminded, reference, statement FROM subject_requests";

impl Request {
    fn read(row: &AnyRow) -> Result<Self> {
        let text = |column: &str| row.try_get::<String, _>(column);
        let optional = |column: &str| row.try_get::<Option<String>, _>(column);
        let at = |column: &str| row.try_get::<i64, _>(column).map(Timestamp::from_seconds);
        let longer = optional("longer")?.map(|word| LongerBecause::from_word(&word).ok_or_else(|| unreadable("why")));
        let ground = optional("ground")?.map(|word| Ground::from_word(&word).ok_or_else(|| unreadable("a ground")));
        Ok(Self {
            tenant: parsed(&text("tenant")?)?,
            number: row.try_get("number")?,
            id: text("id")?,
            kind: SubjectKind::from_word(&text("kind")?).ok_or_else(|| unreadable("a kind"))?,
            state: SubjectState::from_word(&text("state")?).ok_or_else(|| unreadable("a state"))?,
            received_at: at("received_at")?,
            lodged_at: at("lodged_at")?,
            due_at: at("due_at")?,
            longer: longer.transpose()?,
            decided_at: instant(row.try_get("decided_at")?),
            ended_at: instant(row.try_get("ended_at")?),
            ground: ground.transpose()?,
            lifted_at: instant(row.try_get("lifted_at")?),
            reminded: row.try_get("reminded")?,
            reference: row.try_get("reference")?,
            statement: row.try_get("statement")?,
        })
    }
}

/// The tenant's next number.
pub(crate) async fn next_number(connection: &mut Connection, tenant: &TenantId) -> Result<i64> {
    let (number,): (i64,) = sqlx::query_as(
        "INSERT INTO subject_numbers (tenant, last) VALUES ($1, 1)
         ON CONFLICT (tenant) DO UPDATE SET last = subject_numbers.last + 1 RETURNING last",
    )
    .bind(tenant.as_str())
    .fetch_one(connection)
    .await?;
    Ok(number)
}

/// Adds a request that was just lodged.
pub(crate) async fn add(connection: &mut Connection, request: &Request) -> Result<()> {
    sqlx::query(
        "INSERT INTO subject_requests (tenant, number, id, kind, state, received_at, lodged_at, due_at, reference, statement)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(request.tenant.as_str())
    .bind(request.number)
    .bind(&request.id)
    .bind(request.kind.word())
    .bind(request.state.word())
    .bind(request.received_at.seconds())
    .bind(request.lodged_at.seconds())
    .bind(request.due_at.seconds())
    .bind(request.reference.as_deref())
    .bind(request.statement.as_deref())
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes down that a request concerns a snapshot.
pub(crate) async fn add_snapshot(connection: &mut Connection, request: &Request, link: &Link) -> Result<()> {
    sqlx::query("INSERT INTO subject_snapshots (tenant, request, snapshot, stand_ins) VALUES ($1, $2, $3, $4)")
        .bind(request.tenant.as_str())
        .bind(request.number)
        .bind(link.snapshot.to_string())
        .bind(link.stand_ins.as_deref())
        .execute(connection)
        .await?;
    Ok(())
}

/// The request of that id.
pub(crate) async fn find(connection: &mut Connection, tenant: &TenantId, id: &str) -> Result<Option<Request>> {
    let row = sqlx::query(AssertSqlSafe(format!("{COLUMNS} WHERE tenant = $1 AND id = $2")))
        .bind(tenant.as_str())
        .bind(id)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(Request::read).transpose()
}

/// The tenant's requests behind a number, in their order: all, or those in a state.
pub(crate) async fn page(
    connection: &mut Connection,
    tenant: &TenantId,
    state: Option<SubjectState>,
    (after, limit): (i64, i64),
) -> Result<Vec<Request>> {
    let rows = sqlx::query(AssertSqlSafe(format!(
        "{COLUMNS} WHERE tenant = $1 AND number > $2 AND (CAST($3 AS TEXT) IS NULL OR state = $3)
         ORDER BY number LIMIT $4"
    )))
    .bind(tenant.as_str())
    .bind(after)
    .bind(state.map(SubjectState::word))
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(Request::read).collect()
}

/// The snapshots that a request concerns, in the order of their ids; each as it stands, if the portal still knows it.
pub(crate) async fn concerned(connection: &mut Connection, request: &Request) -> Result<Vec<(Link, Option<Snapshot>)>> {
    let rows: Vec<(String, Option<i64>, Option<Vec<u8>>)> = sqlx::query_as(
        "SELECT snapshot, blocked_at, stand_ins FROM subject_snapshots WHERE tenant = $1 AND request = $2
         ORDER BY snapshot",
    )
    .bind(request.tenant.as_str())
    .bind(request.number)
    .fetch_all(&mut *connection)
    .await?;
    let mut found = Vec::with_capacity(rows.len());
    for (snapshot, blocked_at, stand_ins) in rows {
        let link = Link { snapshot: parsed(&snapshot)?, blocked_at: instant(blocked_at), stand_ins };
        let snapshot = snapshots::find(connection, &request.tenant, &link.snapshot).await?;
        found.push((link, snapshot));
    }
    Ok(found)
}

/// Writes down how a request stands: its state and the instants that go with it.
pub(crate) async fn set_state(connection: &mut Connection, request: &Request) -> Result<()> {
    sqlx::query(
        "UPDATE subject_requests SET state = $1, due_at = $2, longer = $3, decided_at = $4, ended_at = $5, ground = $6,
         lifted_at = $7, reminded = $8 WHERE tenant = $9 AND number = $10",
    )
    .bind(request.state.word())
    .bind(request.due_at.seconds())
    .bind(request.longer.map(LongerBecause::word))
    .bind(request.decided_at.map(Timestamp::seconds))
    .bind(request.ended_at.map(Timestamp::seconds))
    .bind(request.ground.map(Ground::word))
    .bind(request.lifted_at.map(Timestamp::seconds))
    .bind(request.reminded)
    .bind(request.tenant.as_str())
    .bind(request.number)
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes down since when nobody reads the snapshots of a request because of it; `None` lifts that, and what no other request
/// blocks can be read again.
pub(crate) async fn set_blocked(
    connection: &mut Connection,
    request: &Request,
    since: Option<Timestamp>,
) -> Result<()> {
    sqlx::query("UPDATE subject_snapshots SET blocked_at = $1 WHERE tenant = $2 AND request = $3")
        .bind(since.map(Timestamp::seconds))
        .bind(request.tenant.as_str())
        .bind(request.number)
        .execute(&mut *connection)
        .await?;
    sqlx::query(
        "UPDATE snapshots SET blocked_at = (SELECT min(s.blocked_at) FROM subject_snapshots s
             WHERE s.tenant = snapshots.tenant AND s.snapshot = snapshots.id)
         WHERE tenant = $1 AND id IN (SELECT snapshot FROM subject_snapshots WHERE tenant = $1 AND request = $2)",
    )
    .bind(request.tenant.as_str())
    .bind(request.number)
    .execute(connection)
    .await?;
    Ok(())
}

/// The corrections that stand beside a snapshot, with what stands for the person in it.
pub(crate) async fn statements(
    connection: &mut Connection,
    tenant: &TenantId,
    snapshot: &FileId,
) -> Result<Vec<(Request, Option<Vec<u8>>)>> {
    let columns = COLUMNS.replacen("SELECT tenant", "SELECT r.tenant", 1).replace(
        "FROM subject_requests",
        ", s.stand_ins FROM subject_requests r JOIN subject_snapshots s ON s.tenant = r.tenant AND s.request = r.number",
    );
    let rows = sqlx::query(AssertSqlSafe(format!(
        "{columns} WHERE r.tenant = $1 AND s.snapshot = $2 AND r.kind = 'correction' AND r.decided_at IS NOT NULL
         AND r.statement IS NOT NULL ORDER BY r.number"
    )))
    .bind(tenant.as_str())
    .bind(snapshot.to_string())
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| Ok((Request::read(row)?, row.try_get("stand_ins")?))).collect()
}

/// Stored snapshots that a decided deletion concerns and that nobody has withdrawn: they arrived after the decision.
pub(crate) async fn to_withdraw(connection: &mut Connection, limit: i64) -> Result<Vec<Snapshot>> {
    let rows = sqlx::query(AssertSqlSafe(format!(
        "{} WHERE phase = 'stored' AND withdrawn_at IS NULL AND blocked_at IS NOT NULL AND EXISTS (SELECT 1
             FROM subject_snapshots s JOIN subject_requests r ON r.tenant = s.tenant AND r.number = s.request
             WHERE s.tenant = snapshots.tenant AND s.snapshot = snapshots.id AND r.kind = 'deletion'
             AND r.decided_at IS NOT NULL) LIMIT $1",
        snapshots::COLUMNS
    )))
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(Snapshot::read).collect()
}

/// Decided deletions of which nothing is left.
pub(crate) async fn to_finish(connection: &mut Connection, limit: i64) -> Result<Vec<Request>> {
    let rows = sqlx::query(AssertSqlSafe(format!(
        "{COLUMNS} WHERE ended_at IS NULL AND kind = 'deletion' AND state = 'decided' AND NOT EXISTS (SELECT 1
             FROM subject_snapshots s JOIN snapshots n ON n.tenant = s.tenant AND n.id = s.snapshot
             WHERE s.tenant = subject_requests.tenant AND s.request = subject_requests.number AND n.phase <> 'deleted')
         ORDER BY due_at LIMIT $1"
    )))
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(Request::read).collect()
}

/// Requests whose time is over at `late`, or at `near` for those of which nobody was reminded yet, by how often somebody was.
pub(crate) async fn to_remind(
    connection: &mut Connection,
    (near, late): (Timestamp, Timestamp),
    limit: i64,
) -> Result<Vec<Request>> {
    let rows = sqlx::query(AssertSqlSafe(format!(
        "{COLUMNS} WHERE ended_at IS NULL AND due_at < $1 AND (reminded = 0 OR (reminded = 1 AND due_at < $2))
         ORDER BY due_at LIMIT $3"
    )))
    .bind(near.seconds())
    .bind(late.seconds())
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(Request::read).collect()
}

/// Requests of a tenant that ended before an instant and that nothing hangs on any more: no snapshot is kept from its readers by
/// them, no statement of theirs stands beside one.
pub(crate) async fn over(
    connection: &mut Connection,
    tenant: &TenantId,
    before: Timestamp,
    limit: i64,
) -> Result<Vec<Request>> {
    let rows = sqlx::query(AssertSqlSafe(format!(
        "{COLUMNS} WHERE tenant = $1 AND ended_at < $2 AND NOT EXISTS (SELECT 1
             FROM subject_snapshots s JOIN snapshots n ON n.tenant = s.tenant AND n.id = s.snapshot
             WHERE s.tenant = subject_requests.tenant AND s.request = subject_requests.number AND n.phase <> 'deleted'
             AND (s.blocked_at IS NOT NULL OR subject_requests.kind = 'correction'))
         ORDER BY ended_at LIMIT $3"
    )))
    .bind(tenant.as_str())
    .bind(before.seconds())
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(Request::read).collect()
}

/// Erases a request and everything that belongs to it.
pub(crate) async fn erase(connection: &mut Connection, request: &Request) -> Result<()> {
    sqlx::query("DELETE FROM subject_snapshots WHERE tenant = $1 AND request = $2")
        .bind(request.tenant.as_str())
        .bind(request.number)
        .execute(&mut *connection)
        .await?;
    sqlx::query("DELETE FROM subject_requests WHERE tenant = $1 AND number = $2")
        .bind(request.tenant.as_str())
        .bind(request.number)
        .execute(connection)
        .await?;
    Ok(())
}

/// Erases what goes with the bytes of a snapshot: what stood for people in it, and statements that stand beside nothing else.
pub(crate) async fn scrub(connection: &mut Connection, tenant: &TenantId, snapshot: &FileId) -> Result<()> {
    sqlx::query("UPDATE subject_snapshots SET stand_ins = NULL WHERE tenant = $1 AND snapshot = $2")
        .bind(tenant.as_str())
        .bind(snapshot.to_string())
        .execute(&mut *connection)
        .await?;
    sqlx::query(
        "UPDATE subject_requests SET statement = NULL WHERE tenant = $1 AND ended_at IS NOT NULL
         AND number IN (SELECT request FROM subject_snapshots WHERE tenant = $1 AND snapshot = $2)
         AND NOT EXISTS (SELECT 1 FROM subject_snapshots s JOIN snapshots n ON n.tenant = s.tenant AND n.id = s.snapshot
             WHERE s.tenant = $1 AND s.request = subject_requests.number
             AND n.phase NOT IN ('verified-absent', 'row-scrubbed', 'deleted'))",
    )
    .bind(tenant.as_str())
    .bind(snapshot.to_string())
    .execute(connection)
    .await?;
    Ok(())
}

/// Something that was done with a snapshot.
#[derive(Clone, Debug)]
pub(crate) struct Done {
    pub(crate) at: Timestamp,
    pub(crate) act: String,
    pub(crate) role: String,
    pub(crate) outcome: String,
    /// What was given as the reason, until it is erased.
    pub(crate) reason: Option<String>,
    /// Who did it by name, until it is erased.
    pub(crate) name: Option<String>,
}

/// What was done with a snapshot, in its order; at most `limit` acts.
pub(crate) async fn acts_on(connection: &mut Connection, snapshot: &Snapshot, limit: i64) -> Result<Vec<Done>> {
    type Columns = (i64, String, String, String, Option<String>, Option<String>);
    let rows: Vec<Columns> = sqlx::query_as(
        "SELECT at, action, role, outcome,
             (SELECT value FROM openings o WHERE o.tenant = a.tenant AND o.number = a.number AND o.field = 'reason'),
             (SELECT value FROM openings o WHERE o.tenant = a.tenant AND o.number = a.number AND o.field = 'name')
         FROM audit a WHERE tenant = $1 AND ticket = (SELECT alias FROM tickets WHERE tenant = $1 AND id = $2)
             AND kind = 'snapshot' AND object = $3 ORDER BY number LIMIT $4",
    )
    .bind(snapshot.tenant.as_str())
    .bind(snapshot.ticket.as_str())
    .bind(snapshot.id.to_string())
    .bind(limit)
    .fetch_all(connection)
    .await?;
    let done = |(at, act, role, outcome, reason, name): Columns| Done {
        at: Timestamp::from_seconds(at),
        act,
        role,
        outcome,
        reason,
        name,
    };
    Ok(rows.into_iter().map(done).collect())
}
