//! What a ticket system answers when it is asked for a ticket: that it knows it, or not. A ticket that is missing twice, a day
//! apart, counts as closed when it was first missing; one that is seen again is open.
//!
//! Whoever polls a ticket system calls [`missing`] or [`seen`] with each answer. An answer that tells nothing new is not kept, so
//! polling costs no rows.

use crate::clock::Timestamp;
use crate::ids::{TenantId, TicketId};
use crate::portal::app::App;
use crate::portal::audit::{Act, Actor, On, Outcome, record};
use crate::portal::deadlines;
use crate::portal::error::ApiError;
use crate::portal::store::Connection;
use crate::portal::store::events::{self, Event};
use crate::portal::store::tickets;
use crate::track::history::Told;

/// The source of `ticket`, named `source`, was asked at `at` and does not know it.
pub(crate) async fn missing(
    app: &App,
    connection: &mut Connection,
    source: &str,
    (tenant, ticket): (&TenantId, &TicketId),
    at: Timestamp,
) -> Result<(), ApiError> {
    sight(app, connection, source, (tenant, ticket), Told::Missing, at).await
}

/// The source was asked at `at` and knows the ticket; something was last done about it at `active_at`.
pub(crate) async fn seen(
    app: &App,
    connection: &mut Connection,
    source: &str,
    (tenant, ticket): (&TenantId, &TicketId),
    at: Timestamp,
    active_at: Option<Timestamp>,
) -> Result<(), ApiError> {
    if let Some(active_at) = active_at {
        tickets::touch(connection, tenant, ticket, active_at.min(at)).await?;
    }
    sight(app, connection, source, (tenant, ticket), Told::Seen, at).await
}

async fn sight(
    app: &App,
    connection: &mut Connection,
    source: &str,
    (tenant, ticket): (&TenantId, &TicketId),
    told: Told,
    at: Timestamp,
) -> Result<(), ApiError> {
    let known = tickets::find(connection, tenant, ticket).await?.ok_or(ApiError::TicketUnknown)?;
    let before = events::history(connection, tenant, ticket).await?;
    let mut after = before.clone();
    after.add(told, at);
    let essence = |history: &crate::track::History| (history.closed_at(), history.missing_since());
    if essence(&before) == essence(&after) {
        return Ok(());
    }
    deadlines::settle(app, connection, tenant, ticket).await?;
    let name = format!("{}-{}", told.word(), at.seconds());
    let event = Event { source, name: &name, version: 0, told, at };
    events::tell(connection, tenant, ticket, &event).await?;
    let act = if told == Told::Missing { Act::MissTicket } else { Act::SeeTicket };
    let what = (act, On::Ticket(ticket.as_str()), Outcome::Done);
    record(connection, tenant, at, Actor::Worker, what, None).await?;
    if known.merged_into.is_none() {
        deadlines::count_ticket(app, connection, tenant, ticket, at).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::clock::{Clock as _, ManualClock};
    use crate::ids::FileId;
    use crate::portal::app::random_id;
    use crate::portal::config::Config;
    use crate::portal::jobs::{Swept, review, sweep};
    use crate::portal::store::holds::{self, Hold};
    use crate::portal::store::snapshots::{self, Snapshot};
    use crate::track::hold::Basis;

    const ID: FileId = FileId([7; 16]);

    struct Portal {
        app: Arc<App>,
        clock: Arc<ManualClock>,
        tenant: TenantId,
        ticket: TicketId,
    }

    impl Portal {
        /// A portal with one stored snapshot of an open ticket.
        async fn open(data: &Path) -> Self {
            let clock = Arc::new(ManualClock::at("2026-11-21T14:20:00Z".parse().unwrap()));
            let config = Config::new(data, ([127, 0, 0, 1], 0).into());
            let app = Arc::new(App::open(&config, clock.clone()).await.unwrap());
            let (tenant, ticket) = ("default".parse().unwrap(), "4711".parse().unwrap());
            let portal = Self { app, clock, tenant, ticket };
            let now = portal.clock.now();
            let snapshot = Snapshot::announced(&portal.tenant, ID, &portal.ticket, 6, "ab".repeat(32));
            let mut transaction = portal.app.store.begin_across().await.unwrap();
            tickets::add(&mut transaction, &portal.tenant, &portal.ticket, now).await.unwrap();
            snapshots::add(&mut transaction, &snapshot, "token", now).await.unwrap();
            snapshots::set_stored(&mut transaction, &portal.tenant, &ID, now).await.unwrap();
            deadlines::count_snapshot(&portal.app, &mut transaction, &portal.tenant, &ID).await.unwrap();
            transaction.commit().await.unwrap();
            portal
        }

        async fn answer(&self, known: bool) {
            let mut transaction = self.app.store.begin_across().await.unwrap();
            let (which, now) = ((&self.tenant, &self.ticket), self.clock.now());
            if known {
                seen(&self.app, &mut transaction, "desk", which, now, Some(now)).await.unwrap();
            } else {
                missing(&self.app, &mut transaction, "desk", which, now).await.unwrap();
            }
            transaction.commit().await.unwrap();
        }

        async fn closed_at(&self) -> Option<String> {
            let mut connection = self.app.store.read_across().await.unwrap();
            let found = tickets::find(&mut connection, &self.tenant, &self.ticket).await.unwrap().unwrap();
            found.closed_at.map(|at| at.to_string())
        }

        fn hours_pass(&self, hours: i64) {
            self.clock.set(self.clock.now().plus_seconds(hours * 3600));
        }
    }

    #[tokio::test]
    async fn a_ticket_that_vanished_is_closed_when_it_was_first_missing() {
        let directory = tempfile::tempdir().unwrap();
        let portal = Portal::open(directory.path()).await;
        for _ in 0..24 {
            portal.answer(false).await;
            portal.hours_pass(1);
        }
        assert_eq!(portal.closed_at().await, None, "a day is not over");
        portal.answer(false).await;
        assert_eq!(portal.closed_at().await.as_deref(), Some("2026-11-21T14:20:00Z"));
        let mut connection = portal.app.store.read_across().await.unwrap();
        let kept = events::count(&mut connection, &portal.tenant, &portal.ticket).await.unwrap();
        assert_eq!(kept, 2, "an answer that tells nothing new is not kept");
        let found = snapshots::find(&mut connection, &portal.tenant, &ID).await.unwrap().unwrap();
        assert_eq!(found.due_at.unwrap().to_string(), "2027-02-20T00:00:00Z");
        drop(connection);
        portal.hours_pass(1);
        portal.answer(true).await;
        assert_eq!(portal.closed_at().await, None, "it is there again");
        portal.app.store.close().await;
    }

    #[tokio::test]
    async fn a_hold_past_its_review_is_called_for_once_and_stays() {
        let directory = tempfile::tempdir().unwrap();
        let portal = Portal::open(directory.path()).await;
        let now = portal.clock.now();
        let hold = Hold {
            tenant: portal.tenant.clone(),
            id: random_id(),
            snapshot: ID,
            basis: Basis::AuthorityOrder,
            reason: String::from("order 4 of the authority"),
            review_at: now.plus_days(100),
            asked_by: String::from("one"),
            asked_at: now,
            confirmed_at: None,
            lift_asked_by: None,
            lift_asked_at: None,
        };
        let mut transaction = portal.app.store.begin_across().await.unwrap();
        holds::ask(&mut transaction, &hold).await.unwrap();
        holds::confirm(&mut transaction, &hold, "two", now).await.unwrap();
        deadlines::count_snapshot(&portal.app, &mut transaction, &portal.tenant, &ID).await.unwrap();
        transaction.commit().await.unwrap();
        let called = async |app: &App| {
            let mut connection = app.store.read_across().await.unwrap();
            let (count,): (i64,) =
                sqlx::query_as("SELECT CAST(count(*) AS BIGINT) FROM audit WHERE action = 'call-review'")
                    .fetch_one(&mut *connection)
                    .await
                    .unwrap();
            count
        };
        portal.hours_pass(100 * 24 - 1);
        review::run(&portal.app).await.unwrap();
        assert_eq!(called(&portal.app).await, 0);
        portal.hours_pass(400 * 24);
        for _ in 0..3 {
            assert_eq!(sweep(&portal.app, true).await.unwrap(), Swept::default(), "nothing is deleted");
        }
        assert_eq!(called(&portal.app).await, 1);
        portal.app.store.close().await;
    }
}
