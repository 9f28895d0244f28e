//! What is known of each ticket in its system, and when it is asked for.

use super::ticket_systems::Name;
use super::{Connection, Result, instant, parsed};
use crate::clock::Timestamp;
use crate::ids::{TenantId, TicketId};

/// What is known of one ticket in its system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Poll {
    pub(crate) asked_at: Option<Timestamp>,
    pub(crate) attempts: u32,
    pub(crate) seen_at: Option<Timestamp>,
    pub(crate) told: Option<Told>,
    /// Why nothing followed from the last answer, if nothing did.
    pub(crate) fault: Option<String>,
}

/// What a system told last, and since when it is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Open(Timestamp),
    Closed(Timestamp),
}

impl Told {
    const fn columns(self) -> (&'static str, i64) {
        match self {
            Self::Open(at) => ("open", at.seconds()),
            Self::Closed(at) => ("closed", at.seconds()),
        }
    }
}

/// The tickets behind `after` by name that have a live snapshot, their own or of one merged into them, and are not asked for
/// yet.
pub(crate) async fn unasked(
    connection: &mut Connection,
    name: Name<'_>,
    after: &str,
    limit: i64,
) -> Result<Vec<TicketId>> {
    let rows: Vec<(String,)> = sqlx::query_as(
        "SELECT DISTINCT coalesce(tickets.merged_into, tickets.id) AS root FROM snapshots
         JOIN tickets ON tickets.tenant = snapshots.tenant AND tickets.id = snapshots.ticket
         WHERE snapshots.tenant = $1 AND snapshots.phase IN ('uploading', 'stored')
         AND coalesce(tickets.merged_into, tickets.id) > $3
         AND NOT EXISTS (SELECT 1 FROM ticket_polls WHERE ticket_polls.tenant = $1 AND ticket_polls.source = $2
             AND ticket_polls.ticket = coalesce(tickets.merged_into, tickets.id))
         ORDER BY root LIMIT $4",
    )
    .bind(name.tenant.as_str())
    .bind(name.source.as_str())
    .bind(after)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(|(ticket,)| parsed(ticket)).collect()
}

/// Whether a ticket has a live snapshot, its own or of one merged into it.
pub(crate) async fn is_live(connection: &mut Connection, tenant: &TenantId, ticket: &TicketId) -> Result<bool> {
    let row: Option<(i64,)> = sqlx::query_as(
        "SELECT CAST(1 AS BIGINT) FROM snapshots WHERE tenant = $1 AND phase IN ('uploading', 'stored')
         AND ticket IN (SELECT id FROM tickets WHERE tenant = $1 AND (id = $2 OR merged_into = $2)) LIMIT 1",
    )
    .bind(tenant.as_str())
    .bind(ticket.as_str())
    .fetch_optional(connection)
    .await?;
    Ok(row.is_some())
}

/// Begins to ask for a ticket, from `due_at` on; nothing changes when it is asked for already.
pub(crate) async fn begin(
    connection: &mut Connection,
    name: Name<'_>,
    ticket: &TicketId,
    due_at: Timestamp,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO ticket_polls (tenant, source, ticket, due_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
    )
    .bind(name.tenant.as_str())
    .bind(name.source.as_str())
    .bind(ticket.as_str())
    .bind(due_at.seconds())
    .execute(connection)
    .await?;
    Ok(())
}

/// Stops asking for a ticket.
pub(crate) async fn end(connection: &mut Connection, name: Name<'_>, ticket: &TicketId) -> Result<()> {
    sqlx::query("DELETE FROM ticket_polls WHERE tenant = $1 AND source = $2 AND ticket = $3")
        .bind(name.tenant.as_str())
        .bind(name.source.as_str())
        .bind(ticket.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

/// What is known of a ticket in its system; `None` when it is not asked for.
pub(crate) async fn find(connection: &mut Connection, name: Name<'_>, ticket: &TicketId) -> Result<Option<Poll>> {
    type Columns = (i64, i64, Option<i64>, Option<String>, Option<i64>, Option<String>);
    let row: Option<Columns> = sqlx::query_as(
        "SELECT asked_at, attempts, seen_at, told, told_at, fault FROM ticket_polls
         WHERE tenant = $1 AND source = $2 AND ticket = $3",
    )
    .bind(name.tenant.as_str())
    .bind(name.source.as_str())
    .bind(ticket.as_str())
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|(asked_at, attempts, seen_at, told, told_at, fault)| Poll {
        asked_at: (asked_at > 0).then(|| Timestamp::from_seconds(asked_at)),
        attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
        seen_at: instant(seen_at),
        told: match (told.as_deref(), instant(told_at)) {
            (Some("open"), Some(at)) => Some(Told::Open(at)),
            (Some("closed"), Some(at)) => Some(Told::Closed(at)),
            _ => None,
        },
        fault,
    }))
}

/// The tickets that are due, the longest first.
pub(crate) async fn due(
    connection: &mut Connection,
    name: Name<'_>,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<TicketId>> {
    let rows: Vec<(String,)> = sqlx::query_as(
        "SELECT ticket FROM ticket_polls WHERE tenant = $1 AND source = $2 AND due_at <= $3 ORDER BY due_at, ticket LIMIT $4",
    )
    .bind(name.tenant.as_str())
    .bind(name.source.as_str())
    .bind(now.seconds())
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(|(ticket,)| parsed(ticket)).collect()
}

/// Notes what a system told of a ticket, and when it is asked for again. `fault` says why nothing followed, if so.
pub(crate) async fn told(
    connection: &mut Connection,
    name: Name<'_>,
    ticket: &TicketId,
    (now, due_at): (Timestamp, Timestamp),
    (seen_at, told): (Option<Timestamp>, Option<Told>),
    fault: Option<&str>,
) -> Result<()> {
    let (word, told_at) = told.map(Told::columns).unzip();
    sqlx::query(
        "UPDATE ticket_polls SET due_at = $1, asked_at = $2, attempts = 0, seen_at = $3, told = $4, told_at = $5,
         fault = $6 WHERE tenant = $7 AND source = $8 AND ticket = $9",
    )
    .bind(due_at.seconds())
    .bind(now.seconds())
    .bind(seen_at.map(Timestamp::seconds))
    .bind(word)
    .bind(told_at)
    .bind(fault)
    .bind(name.tenant.as_str())
    .bind(name.source.as_str())
    .bind(ticket.as_str())
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes that asking for a ticket failed, and when it is tried again.
pub(crate) async fn postpone(
    connection: &mut Connection,
    name: Name<'_>,
    ticket: &TicketId,
    fault: &str,
    (now, due_at): (Timestamp, Timestamp),
) -> Result<()> {
    sqlx::query(
        "UPDATE ticket_polls SET due_at = $1, asked_at = $2, attempts = attempts + 1, fault = $3
         WHERE tenant = $4 AND source = $5 AND ticket = $6",
    )
    .bind(due_at.seconds())
    .bind(now.seconds())
    .bind(fault)
    .bind(name.tenant.as_str())
    .bind(name.source.as_str())
    .bind(ticket.as_str())
    .execute(connection)
    .await?;
    Ok(())
}

/// Asks for a ticket at `now`, but not sooner than `gap` seconds after it was last asked for; false when it is not asked for
/// at all.
pub(crate) async fn hint(
    connection: &mut Connection,
    name: Name<'_>,
    ticket: &TicketId,
    now: Timestamp,
    gap: i64,
) -> Result<bool> {
    let hinted = sqlx::query(
        "UPDATE ticket_polls SET due_at = CASE WHEN asked_at + $1 > $2 THEN asked_at + $1 ELSE $2 END
         WHERE tenant = $3 AND source = $4 AND ticket = $5
         AND due_at > CASE WHEN asked_at + $1 > $2 THEN asked_at + $1 ELSE $2 END",
    )
    .bind(gap)
    .bind(now.seconds())
    .bind(name.tenant.as_str())
    .bind(name.source.as_str())
    .bind(ticket.as_str())
    .execute(connection)
    .await?;
    Ok(hinted.rows_affected() == 1)
}

#[cfg(test)]
mod tests {
    use super::super::tests::stores;
    use super::super::ticket_systems::standing;
    use super::super::ticket_systems::tests::{at, with_tickets};
    use super::*;

    #[tokio::test]
    async fn tickets_are_due_in_their_order_and_a_hint_makes_one_due_but_not_too_often() {
        for store in stores().await {
            let (tenant, source) = with_tickets(&store, &["1", "2", "3"]).await;
            let name = Name { tenant: &tenant, source: &source };
            let ticket = |name: &str| name.parse::<TicketId>().unwrap();
            let mut transaction = store.begin_across().await.unwrap();
            for (number, due_at) in [("1", 30), ("2", 10), ("3", 20), ("3", 5)] {
                begin(&mut transaction, name, &ticket(number), at(due_at)).await.unwrap();
            }
            let mut of = async |now: i64, limit: i64| {
                let found = due(&mut transaction, name, at(now), limit).await.unwrap();
                found.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
            };
            assert_eq!((of(9, 9).await, of(20, 9).await, of(99, 2).await), (String::new(), "2 3".into(), "2 3".into()));
            let told_of = (Some(at(40)), Some(Told::Closed(at(-5))));
            told(&mut transaction, name, &ticket("1"), (at(40), at(5000)), told_of, None).await.unwrap();
            let found = find(&mut transaction, name, &ticket("1")).await.unwrap().unwrap();
            assert_eq!((found.asked_at, found.seen_at, found.told), (Some(at(40)), told_of.0, told_of.1));
            postpone(&mut transaction, name, &ticket("1"), "failing", (at(50), at(4000))).await.unwrap();
            let found = find(&mut transaction, name, &ticket("1")).await.unwrap().unwrap();
            assert_eq!((found.attempts, found.fault.as_deref(), found.told), (1, Some("failing"), told_of.1));
            assert!(hint(&mut transaction, name, &ticket("1"), at(55), 10).await.unwrap());
            assert!(!hint(&mut transaction, name, &ticket("1"), at(56), 10).await.unwrap(), "it is due already");
            assert!(!hint(&mut transaction, name, &ticket("4"), at(56), 10).await.unwrap());
            assert_eq!(due(&mut transaction, name, at(59), 9).await.unwrap().len(), 2, "ten seconds are not over");
            assert_eq!(due(&mut transaction, name, at(60), 9).await.unwrap().len(), 3);
            let standing = standing(&mut transaction).await.unwrap();
            assert!(standing.is_empty(), "a system that was never asked has no standing");
            end(&mut transaction, name, &ticket("1")).await.unwrap();
            assert_eq!(find(&mut transaction, name, &ticket("1")).await.unwrap(), None);
            transaction.commit().await.unwrap();
        }
    }
}
