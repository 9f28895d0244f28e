//! Questions about stand-ins, and their answers.

use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};

use super::{Connection, Result, instant, unreadable, unsigned};
use crate::clock::Timestamp;
use crate::ids::{FileId, TenantId};
use crate::wire::{self, QuestionState};

/// A question with the number of its row.
pub(crate) struct Row {
    pub(crate) number: i64,
    pub(crate) question: wire::Question,
}

const COLUMNS: &str = "SELECT number, id, stand_in, why, asked_at, state, answer, answered_at FROM questions";

impl Row {
    fn read(row: &AnyRow) -> Result<Self> {
        let state: String = row.try_get("state")?;
        let question = wire::Question {
            id: row.try_get("id")?,
            stand_in: row.try_get("stand_in")?,
            why: row.try_get("why")?,
            asked_at: Timestamp::from_seconds(row.try_get("asked_at")?),
            state: QuestionState::from_word(&state).ok_or_else(|| unreadable("the state of a question"))?,
            answered_at: instant(row.try_get("answered_at")?),
            text: row.try_get("answer")?,
        };
        Ok(Self { number: row.try_get("number")?, question })
    }
}

/// Adds a question to a snapshot.
pub(crate) async fn add(
    connection: &mut Connection,
    (tenant, snapshot): (&TenantId, &FileId),
    id: &str,
    asked: &wire::NewQuestion,
    by: &str,
    now: Timestamp,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO questions (tenant, id, snapshot, stand_in, why, asked_by, asked_at, state)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(tenant.as_str())
    .bind(id)
    .bind(snapshot.to_string())
    .bind(&asked.stand_in)
    .bind(&asked.why)
    .bind(by)
    .bind(now.seconds())
    .bind(QuestionState::Open.word())
    .execute(connection)
    .await?;
    Ok(())
}

/// How many questions a snapshot has.
pub(crate) async fn count(connection: &mut Connection, tenant: &TenantId, snapshot: &FileId) -> Result<u64> {
    let (count,): (i64,) =
        sqlx::query_as("SELECT CAST(count(*) AS BIGINT) FROM questions WHERE tenant = $1 AND snapshot = $2")
            .bind(tenant.as_str())
            .bind(snapshot.to_string())
            .fetch_one(connection)
            .await?;
    Ok(unsigned(count))
}

/// The question of that id, with its answer.
pub(crate) async fn find(
    connection: &mut Connection,
    tenant: &TenantId,
    snapshot: &FileId,
    id: &str,
) -> Result<Option<wire::Question>> {
    let row = sqlx::query(AssertSqlSafe(format!("{COLUMNS} WHERE tenant = $1 AND snapshot = $2 AND id = $3")))
        .bind(tenant.as_str())
        .bind(snapshot.to_string())
        .bind(id)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(|row| Ok(Row::read(row)?.question)).transpose()
}

/// The questions of a snapshot behind a number, in the order they were asked; all of them, or those in a state.
pub(crate) async fn page(
    connection: &mut Connection,
    tenant: &TenantId,
    snapshot: &FileId,
    state: Option<QuestionState>,
    (after, limit): (i64, i64),
) -> Result<Vec<Row>> {
    let rows = sqlx::query(AssertSqlSafe(format!(
        "{COLUMNS} WHERE tenant = $1 AND snapshot = $2 AND number > $3 AND (CAST($4 AS TEXT) IS NULL OR state = $4)
         ORDER BY number LIMIT $5"
    )))
    .bind(tenant.as_str())
    .bind(snapshot.to_string())
    .bind(after)
    .bind(state.map(QuestionState::word))
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(Row::read).collect()
}

/// Writes an answer down, in the place of the one before.
pub(crate) async fn answer(
    connection: &mut Connection,
    (tenant, id): (&TenantId, &str),
    answer: &wire::NewAnswer,
    by: &str,
    now: Timestamp,
) -> Result<()> {
    sqlx::query(
        "UPDATE questions SET state = $1, answer = $2, answered_by = $3, answered_at = $4 WHERE tenant = $5 AND id = $6",
    )
    .bind(answer.answer.word())
    .bind(answer.text.as_deref())
    .bind(by)
    .bind(now.seconds())
    .bind(tenant.as_str())
    .bind(id)
    .execute(connection)
    .await?;
    Ok(())
}

/// Removes the questions of a snapshot with their answers, and what is kept of the requests that brought them.
pub(crate) async fn remove(connection: &mut Connection, tenant: &TenantId, snapshot: &FileId) -> Result<()> {
    let done = sqlx::query("DELETE FROM questions WHERE tenant = $1 AND snapshot = $2")
        .bind(tenant.as_str())
        .bind(snapshot.to_string())
        .execute(&mut *connection)
        .await?;
    if done.rows_affected() == 0 {
        return Ok(());
    }
    // The digest of a short text gives the text away to whoever tries some.
    sqlx::query("DELETE FROM answers WHERE tenant = $1 AND path LIKE $2")
        .bind(tenant.as_str())
        .bind(format!("/v1/snapshots/{snapshot}/%"))
        .execute(connection)
        .await?;
    Ok(())
}
