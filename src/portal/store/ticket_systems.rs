//! The ticket systems that are asked, and whose turn it is to ask them.

use super::{Connection, Result, instant, parsed, unsigned};
use crate::clock::Timestamp;
use crate::ids::{SourceName, TenantId};

/// Which ticket system of which tenant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Name<'a> {
    pub(crate) tenant: &'a TenantId,
    pub(crate) source: &'a SourceName,
}

/// How one ticket system does.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub(crate) tenant: TenantId,
    pub(crate) name: SourceName,
    pub(crate) failures: u32,
    /// Since when nothing of use came from it.
    pub(crate) failing_since: Option<Timestamp>,
    pub(crate) fault: Option<String>,
    /// When it last told something of use.
    pub(crate) answered_at: Option<Timestamp>,
    /// How many tickets it is asked for.
    pub(crate) tickets: u64,
    /// How many of them it told nothing of use about when it was last asked.
    pub(crate) unread: u64,
}

/// What a turn with a ticket system begins with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    pub(crate) scan_at: Timestamp,
    pub(crate) list_at: Timestamp,
    /// When the last list that came whole was begun.
    pub(crate) listed_at: Option<Timestamp>,
}

/// Whether there is something to ask a system for now, as far as can be told without writing.
pub(crate) async fn is_due(connection: &mut Connection, name: Name<'_>, lists: bool, now: Timestamp) -> Result<bool> {
    let row: Option<(i64, i64, i64, i64)> = sqlx::query_as(
        "SELECT leased_until, next_at, scan_at, list_at FROM ticket_systems WHERE tenant = $1 AND name = $2",
    )
    .bind(name.tenant.as_str())
    .bind(name.source.as_str())
    .fetch_optional(&mut *connection)
    .await?;
    let now = now.seconds();
    let Some((leased_until, next_at, scan_at, list_at)) = row else { return Ok(true) };
    if leased_until > now || next_at > now {
        return Ok(false);
    }
    if scan_at <= now || lists && list_at <= now {
        return Ok(true);
    }
    let due: Option<(i64,)> =
        sqlx::query_as("SELECT due_at FROM ticket_polls WHERE tenant = $1 AND source = $2 AND due_at <= $3 LIMIT 1")
            .bind(name.tenant.as_str())
            .bind(name.source.as_str())
            .bind(now)
            .fetch_optional(connection)
            .await?;
    Ok(due.is_some())
}

/// Takes the turn to ask a system, until `until`; `None` when another has it or the system is to be left alone.
pub(crate) async fn take(
    connection: &mut Connection,
    name: Name<'_>,
    lease: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<Turn>> {
    sqlx::query("INSERT INTO ticket_systems (tenant, name) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(name.tenant.as_str())
        .bind(name.source.as_str())
        .execute(&mut *connection)
        .await?;
    let row: Option<(i64, i64, Option<i64>)> = sqlx::query_as(
        "UPDATE ticket_systems SET lease = $1, leased_until = $2
         WHERE tenant = $3 AND name = $4 AND leased_until <= $5 AND next_at <= $5
         RETURNING scan_at, list_at, listed_at",
    )
    .bind(lease)
    .bind(until.seconds())
    .bind(name.tenant.as_str())
    .bind(name.source.as_str())
    .bind(now.seconds())
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|(scan_at, list_at, listed_at)| Turn {
        scan_at: Timestamp::from_seconds(scan_at),
        list_at: Timestamp::from_seconds(list_at),
        listed_at: instant(listed_at),
    }))
}

/// Keeps the turn until `until`; false when it was lost.
pub(crate) async fn keep(connection: &mut Connection, name: Name<'_>, lease: &str, until: Timestamp) -> Result<bool> {
    let kept =
        sqlx::query("UPDATE ticket_systems SET leased_until = $1 WHERE tenant = $2 AND name = $3 AND lease = $4")
            .bind(until.seconds())
            .bind(name.tenant.as_str())
            .bind(name.source.as_str())
            .bind(lease)
            .execute(connection)
            .await?;
    Ok(kept.rows_affected() == 1)
}

/// Gives the turn back.
pub(crate) async fn give_back(connection: &mut Connection, name: Name<'_>, lease: &str) -> Result<()> {
    sqlx::query(
        "UPDATE ticket_systems SET lease = NULL, leased_until = 0 WHERE tenant = $1 AND name = $2 AND lease = $3",
    )
    .bind(name.tenant.as_str())
    .bind(name.source.as_str())
    .bind(lease)
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes that a system told something of use.
pub(crate) async fn answered(connection: &mut Connection, name: Name<'_>, now: Timestamp) -> Result<()> {
    sqlx::query(
        "UPDATE ticket_systems SET failures = 0, failing_since = NULL, fault = NULL, answered_at = $1
         WHERE tenant = $2 AND name = $3",
    )
    .bind(now.seconds())
    .bind(name.tenant.as_str())
    .bind(name.source.as_str())
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes that it did not, and returns how often in a row.
pub(crate) async fn failed(connection: &mut Connection, name: Name<'_>, fault: &str, now: Timestamp) -> Result<u32> {
    let row: Option<(i64,)> = sqlx::query_as(
        "UPDATE ticket_systems SET failures = failures + 1, failing_since = coalesce(failing_since, $1), fault = $2
         WHERE tenant = $3 AND name = $4 RETURNING failures",
    )
    .bind(now.seconds())
    .bind(fault)
    .bind(name.tenant.as_str())
    .bind(name.source.as_str())
    .fetch_optional(connection)
    .await?;
    Ok(row.map_or(0, |(failures,)| u32::try_from(failures).unwrap_or(u32::MAX)))
}

/// Leaves a system alone until then.
pub(crate) async fn leave(connection: &mut Connection, name: Name<'_>, until: Timestamp) -> Result<()> {
    sqlx::query("UPDATE ticket_systems SET next_at = $1 WHERE tenant = $2 AND name = $3")
        .bind(until.seconds())
        .bind(name.tenant.as_str())
        .bind(name.source.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

/// Sets when the tickets of a system are next looked through for new ones.
pub(crate) async fn set_scan(connection: &mut Connection, name: Name<'_>, at: Timestamp) -> Result<()> {
    sqlx::query("UPDATE ticket_systems SET scan_at = $1 WHERE tenant = $2 AND name = $3")
        .bind(at.seconds())
        .bind(name.tenant.as_str())
        .bind(name.source.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

/// Sets when a system is next asked for its list, and when the one that came whole was begun.
pub(crate) async fn set_list(
    connection: &mut Connection,
    name: Name<'_>,
    at: Timestamp,
    listed_at: Timestamp,
) -> Result<()> {
    sqlx::query("UPDATE ticket_systems SET list_at = $1, listed_at = $2 WHERE tenant = $3 AND name = $4")
        .bind(at.seconds())
        .bind(listed_at.seconds())
        .bind(name.tenant.as_str())
        .bind(name.source.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

/// How each ticket system does that was ever asked.
pub(crate) async fn standing(connection: &mut Connection) -> Result<Vec<Standing>> {
    type Columns = (String, String, i64, Option<i64>, Option<String>, Option<i64>, i64, i64);
    let rows: Vec<Columns> = sqlx::query_as(
        "SELECT tenant, name, failures, failing_since, fault, answered_at,
             (SELECT CAST(count(*) AS BIGINT) FROM ticket_polls
                 WHERE ticket_polls.tenant = ticket_systems.tenant AND ticket_polls.source = ticket_systems.name),
             (SELECT CAST(count(*) AS BIGINT) FROM ticket_polls WHERE ticket_polls.tenant = ticket_systems.tenant
                 AND ticket_polls.source = ticket_systems.name AND ticket_polls.fault IS NOT NULL)
         FROM ticket_systems ORDER BY tenant, name",
    )
    .fetch_all(connection)
    .await?;
    let read = |(tenant, name, failures, failing_since, fault, answered_at, tickets, unread): Columns| {
        Ok(Standing {
            tenant: parsed(&tenant)?,
            name: parsed(&name)?,
            failures: u32::try_from(failures).unwrap_or(u32::MAX),
            failing_since: instant(failing_since),
            fault,
            answered_at: instant(answered_at),
            tickets: unsigned(tickets),
            unread: unsigned(unread),
        })
    };
    rows.into_iter().map(read).collect()
}

/// The ticket systems that told nothing of use since `since`, or longer.
pub(crate) async fn failing(connection: &mut Connection, since: Timestamp) -> Result<Vec<SourceName>> {
    let rows: Vec<(String,)> =
        sqlx::query_as("SELECT name FROM ticket_systems WHERE failing_since IS NOT NULL AND failing_since <= $1")
            .bind(since.seconds())
            .fetch_all(connection)
            .await?;
    rows.iter().map(|(name,)| parsed(name)).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::tests::stores;
    use super::super::{Store, tenants, tickets};
    use super::*;
    use crate::track::RetentionPolicy;

    pub(in crate::portal::store) fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(1_795_270_800 + seconds)
    }

    pub(in crate::portal::store) async fn with_tickets(store: &Store, names: &[&str]) -> (TenantId, SourceName) {
        let (tenant, source) = ("acme".parse().unwrap(), "desk".parse().unwrap());
        let mut transaction = store.begin_across().await.unwrap();
        tenants::add(&mut transaction, &tenant, &RetentionPolicy::default(), at(0)).await.unwrap();
        for name in names {
            tickets::add(&mut transaction, &tenant, &name.parse().unwrap(), at(0)).await.unwrap();
        }
        transaction.commit().await.unwrap();
        (tenant, source)
    }

    #[tokio::test]
    async fn one_process_has_the_turn_until_it_gives_it_back_or_is_gone() {
        for store in stores().await {
            let (tenant, source) = with_tickets(&store, &[]).await;
            let name = Name { tenant: &tenant, source: &source };
            let other = store.again().await;
            let take = async |store: &Store, lease: &str, now: i64| {
                let mut transaction = store.begin_across().await.unwrap();
                let turn = take(&mut transaction, name, lease, at(now), at(now + 600)).await.unwrap();
                transaction.commit().await.unwrap();
                turn.is_some()
            };
            let is_due =
                async |now: i64| is_due(&mut store.read_across().await.unwrap(), name, true, at(now)).await.unwrap();
            assert!(is_due(0).await, "it was never asked");
            assert!(take(&store, "one", 0).await);
            assert!(!is_due(1).await && !take(&other, "two", 1).await && !take(&other, "two", 599).await);
            let mut transaction = store.begin_across().await.unwrap();
            assert!(keep(&mut transaction, name, "one", at(700)).await.unwrap());
            assert!(!keep(&mut transaction, name, "two", at(900)).await.unwrap());
            give_back(&mut transaction, name, "two").await.unwrap();
            transaction.commit().await.unwrap();
            assert!(!take(&other, "two", 699).await, "nobody gives back another's turn");
            assert!(take(&other, "two", 700).await, "who is gone loses it");
            let mut transaction = store.begin_across().await.unwrap();
            assert!(!keep(&mut transaction, name, "one", at(1500)).await.unwrap());
            assert_eq!(failed(&mut transaction, name, "busy", at(700)).await.unwrap(), 1);
            assert_eq!(failed(&mut transaction, name, "busy", at(700)).await.unwrap(), 2);
            leave(&mut transaction, name, at(1000)).await.unwrap();
            give_back(&mut transaction, name, "two").await.unwrap();
            transaction.commit().await.unwrap();
            assert!(!is_due(999).await && !take(&store, "one", 999).await, "the system is left alone");
            assert!(take(&store, "one", 1000).await);
            other.close().await;
        }
    }
}
