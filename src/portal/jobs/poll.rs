//! Asks ticket systems for every ticket with something left of it. What they answer is the truth; a webhook only makes a ticket
//! due.
//!
//! Each ticket is a row with the instant at which it is asked for next. One process at a time has the turn with a system, for
//! as long as its lease lasts, so that a system is asked as slowly as the operator said, however many processes the portal has.
//! Nothing is held while an answer is waited for.
//!
//! What goes wrong is tried again, later each time, and stands in the log, in `/healthz` and in `tarseal portal tickets status`.
//! It closes nothing.

use std::sync::Arc;
use std::time::Duration;

use rand::RngExt as _;

use super::clock;
use crate::clock::Timestamp;
use crate::ids::TicketId;
use crate::portal::app::{App, random_id, system_rng};
use crate::portal::error::ApiError;
use crate::portal::store::ticket_polls as polls;
use crate::portal::store::ticket_systems::{self as table, Turn};
use crate::portal::ticket_system::ask::{Asking, Page};
use crate::portal::ticket_system::observe::{self, Followed};
use crate::portal::ticket_system::{Answer, Fault, Source};

/// The time between two looks at what is due.
const PERIOD: Duration = Duration::from_secs(10);

/// How long a turn lasts that is not kept, in seconds: longer than any request.
const LEASE: i64 = 600;

/// How often the snapshots are looked through for tickets that are not asked for yet, in seconds.
const SCAN_EVERY: i64 = 600;

/// How many tickets are looked at together.
const BATCH: i64 = 200;

/// How many tickets that are not asked for yet are taken together: looking for them reads every live snapshot.
const SCAN_BATCH: i64 = 5000;

/// The first and the longest wait after a failure, in seconds, before chance is mixed in.
const FIRST_WAIT: i64 = 30;
const LONGEST_WAIT: i64 = 3600;

/// The longest wait for a ticket of which nothing can be read, in seconds.
const LONGEST_TICKET_WAIT: i64 = 6 * 3600;

/// How many tickets in a row may be unreadable before the system itself is taken to be at fault.
const UNREAD_IN_A_ROW: u32 = 5;

/// What one round of asking did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Polled {
    /// Tickets that were asked for, or were in a list of what changed.
    pub asked: u64,
    /// Tickets that were closed by it.
    pub closed: u64,
    /// Tickets that were opened again.
    pub reopened: u64,
    /// Tickets that were merged into another.
    pub merged: u64,
    /// Answers from which nothing could follow, and questions without an answer.
    pub failed: u64,
}

impl Polled {
    fn add(&mut self, other: Self) {
        self.asked += other.asked;
        self.closed += other.closed;
        self.reopened += other.reopened;
        self.merged += other.merged;
        self.failed += other.failed;
    }

    fn note(&mut self, followed: Followed) {
        self.asked += 1;
        match followed {
            Followed::Closed => self.closed += 1,
            Followed::Reopened => self.reopened += 1,
            Followed::Merged => self.merged += 1,
            Followed::Unread(_) => self.failed += 1,
            Followed::Nothing | Followed::Ended => {}
        }
    }
}

/// Asks for as long as the portal runs.
pub(crate) async fn run(app: Arc<App>) {
    if app.ticket_systems.all().is_empty() {
        return;
    }
    let each = app.ticket_systems.all().iter().map(|source| {
        let app = app.clone();
        async move {
            loop {
                // A hint wakes every one; those that have nothing to do go back to sleep after one query.
                drop(tokio::time::timeout(PERIOD, app.ticket_systems.hinted.notified()).await);
                match turn(&app, source, false).await {
                    Ok(polled) if polled != Polled::default() => tracing::info!(
                        source = source.name.as_str(),
                        polled.asked,
                        polled.closed,
                        polled.reopened,
                        polled.merged,
                        polled.failed,
                        "asked a ticket system"
                    ),
                    Ok(_) => {}
                    Err(fault) => tracing::error!(
                        source = source.name.as_str(),
                        %fault,
                        cause = ?std::error::Error::source(&fault),
                        "a ticket system could not be asked"
                    ),
                }
            }
        }
    });
    futures_util::future::join_all(each).await;
}

/// Asks every system for what is due now, new tickets included.
pub(crate) async fn once(app: &App) -> Result<Polled, ApiError> {
    let turns = app.ticket_systems.all().iter().map(|source| turn(app, source, true));
    let mut polled = Polled::default();
    for turn in futures_util::future::join_all(turns).await {
        polled.add(turn?);
    }
    Ok(polled)
}

/// One turn with one system, if there is something to do and nobody else has it.
async fn turn(app: &App, source: &Source, scan: bool) -> Result<Polled, ApiError> {
    let _mine = source.asking.lock().await;
    let lists = source.list_every().is_some();
    let now = app.clock.now();
    if !scan && !table::is_due(&mut *app.store.read(&source.tenant).await?, source.of(), lists, now).await? {
        return Ok(Polled::default());
    }
    let lease = random_id();
    let mut transaction = app.store.begin(&source.tenant).await?;
    // By a clock that jumped no instant can be told.
    let trusted = clock::look(app, &mut transaction).await?.is_some();
    let turn = match trusted {
        true => table::take(&mut transaction, source.of(), &lease, now, now.plus_seconds(LEASE)).await?,
        false => None,
    };
    transaction.commit().await?;
    let Some(turn) = turn else { return Ok(Polled::default()) };
    let mut round = Round { app, source, lease: &lease, polled: Polled::default(), asking: Asking::new(source) };
    let done = round.work(turn, scan).await;
    let polled = round.polled;
    let mut transaction = app.store.begin(&source.tenant).await?;
    if let Ok(Some(fault)) = &done {
        failed(app, &mut transaction, source, fault).await?;
    }
    table::give_back(&mut transaction, source.of(), &lease).await?;
    transaction.commit().await?;
    done.map(|_| polled)
}

struct Round<'a> {
    app: &'a App,
    source: &'a Source,
    lease: &'a str,
    polled: Polled,
    asking: Asking<'a>,
}

impl Round<'_> {
    /// Does what is due; returns why it stopped before the end, if it did.
    async fn work(&mut self, turn: Turn, scan: bool) -> Result<Option<Fault>, ApiError> {
        let now = self.app.clock.now();
        if scan || turn.scan_at <= now {
            self.scan(now).await?;
        }
        if let Some(every) = self.source.list_every().filter(|_| turn.list_at <= now)
            && let Err(fault) = self.list(turn, every).await?
        {
            return Ok(Some(fault));
        }
        let mut unread = 0;
        loop {
            let now = self.app.clock.now();
            let due =
                polls::due(&mut *self.app.store.read(&self.source.tenant).await?, self.source.of(), now, BATCH).await?;
            if due.is_empty() {
                return Ok(None);
            }
            for ticket in due {
                match self.one(&ticket).await? {
                    Asked::Answered => unread = 0,
                    Asked::Lost => return Ok(None),
                    Asked::Failed(fault) => {
                        unread += 1;
                        if fault.is_of_the_system() || unread == UNREAD_IN_A_ROW {
                            return Ok(Some(fault));
                        }
                    }
                }
            }
        }
    }

    /// Looks for tickets that are not asked for yet.
    async fn scan(&self, now: Timestamp) -> Result<(), ApiError> {
        let mut after = String::new();
        loop {
            let found = polls::unasked(
                &mut *self.app.store.read(&self.source.tenant).await?,
                self.source.of(),
                &after,
                SCAN_BATCH,
            )
            .await?;
            let mut transaction = self.app.store.begin(&self.source.tenant).await?;
            for ticket in &found {
                observe::begin(&mut transaction, self.source, ticket, now).await?;
            }
            match found.last() {
                Some(last) => after = last.as_str().to_owned(),
                None => table::set_scan(&mut transaction, self.source.of(), now.plus_seconds(SCAN_EVERY)).await?,
            }
            transaction.commit().await?;
            if found.is_empty() {
                return Ok(());
            }
        }
    }

    /// Takes what changed since the last list.
    async fn list(&mut self, turn: Turn, every: i64) -> Result<Result<(), Fault>, ApiError> {
        let begun = self.app.clock.now();
        let mut page = Some(Page::first(turn.listed_at.unwrap_or(begun.plus_days(-1))));
        while let Some(asked) = page {
            let (seen, next) = match self.asking.page(&asked, self.app.clock.now()).await {
                Ok(answer) => answer,
                Err(fault) => return Ok(Err(fault)),
            };
            page = next;
            for (ticket, answer) in seen {
                let known =
                    polls::find(&mut *self.app.store.read(&self.source.tenant).await?, self.source.of(), &ticket)
                        .await?;
                if known.is_some() && matches!(self.take(&ticket, &answer).await?, Asked::Lost) {
                    return Ok(Ok(()));
                }
            }
            let mut transaction = self.app.store.begin(&self.source.tenant).await?;
            table::answered(&mut transaction, self.source.of(), self.app.clock.now()).await?;
            let until = self.app.clock.now().plus_seconds(LEASE);
            let kept = table::keep(&mut transaction, self.source.of(), self.lease, until).await?;
            transaction.commit().await?;
            if !kept {
                return Ok(Ok(()));
            }
        }
        let mut transaction = self.app.store.begin(&self.source.tenant).await?;
        let next = begun.plus_seconds(spread(every));
        table::set_list(&mut transaction, self.source.of(), next, begun).await?;
        transaction.commit().await?;
        Ok(Ok(()))
    }

    /// Asks for one ticket.
    async fn one(&mut self, ticket: &TicketId) -> Result<Asked, ApiError> {
        let (app, source) = (self.app, self.source);
        let mine = source.name_there(ticket).is_some();
        if !mine || !polls::is_live(&mut *app.store.read(&source.tenant).await?, &source.tenant, ticket).await? {
            let mut transaction = app.store.begin(&source.tenant).await?;
            polls::end(&mut transaction, source.of(), ticket).await?;
            transaction.commit().await?;
            return Ok(Asked::Answered);
        }
        let fault = match self.asking.ticket(ticket, app.clock.now()).await {
            Ok(answer) => return self.take(ticket, &answer).await,
            Err(fault) => fault,
        };
        self.polled.asked += 1;
        self.polled.failed += 1;
        let now = app.clock.now();
        let mut transaction = app.store.begin(&source.tenant).await?;
        let kept = table::keep(&mut transaction, source.of(), self.lease, now.plus_seconds(LEASE)).await?;
        let attempts = polls::find(&mut transaction, source.of(), ticket).await?.map_or(0, |poll| poll.attempts);
        let due_at = now.plus_seconds(spread(wait(attempts, LONGEST_TICKET_WAIT)));
        polls::postpone(&mut transaction, source.of(), ticket, fault.word(), (now, due_at)).await?;
        transaction.commit().await?;
        tracing::warn!(source = source.name.as_str(), %fault, "a ticket system told nothing of use about a ticket");
        Ok(if kept { Asked::Failed(fault) } else { Asked::Lost })
    }

    /// Takes an answer.
    async fn take(&mut self, ticket: &TicketId, answer: &Answer) -> Result<Asked, ApiError> {
        let (app, source) = (self.app, self.source);
        let mut transaction = app.store.begin(&source.tenant).await?;
        let now = app.clock.now();
        // The turn may have been lost, and the clock set, while the answer was waited for.
        let kept = table::keep(&mut transaction, source.of(), self.lease, now.plus_seconds(LEASE)).await?;
        let trusted = clock::look(app, &mut transaction).await?.is_some();
        if !kept || !trusted {
            transaction.commit().await?;
            return Ok(Asked::Lost);
        }
        let due_at = now.plus_seconds(spread(source.every));
        let followed = observe::observe(app, &mut transaction, source, (ticket, answer), (now, due_at)).await?;
        table::answered(&mut transaction, source.of(), now).await?;
        transaction.commit().await?;
        self.polled.note(followed);
        Ok(Asked::Answered)
    }
}

/// What became of a question.
enum Asked {
    Answered,
    Failed(Fault),
    /// Somebody else has the turn by now, or the clock is not trusted.
    Lost,
}

async fn failed(
    app: &App,
    transaction: &mut crate::portal::store::Transaction,
    source: &Source,
    fault: &Fault,
) -> Result<(), ApiError> {
    let now = app.clock.now();
    let failures = table::failed(transaction, source.of(), fault.word(), now).await?;
    let wait = spread(wait(failures.saturating_sub(1), LONGEST_WAIT)).max(fault.retry_after().unwrap_or(0));
    table::leave(transaction, source.of(), now.plus_seconds(wait)).await?;
    tracing::error!(source = source.name.as_str(), %fault, wait, "a ticket system fails; nothing is closed for it");
    Ok(())
}

/// The wait in seconds after so many failures before this one.
fn wait(failures: u32, longest: i64) -> i64 {
    FIRST_WAIT.saturating_mul(1 << failures.min(20)).min(longest)
}

/// A time in seconds with chance mixed in, a tenth more or less, so that not everything comes at once.
fn spread(seconds: i64) -> i64 {
    let tenth = seconds / 10;
    seconds + system_rng().random_range(-tenth..=tenth)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end() {
        assert_eq!([0, 1, 2, 6, 7, 60, u32::MAX].map(|n| wait(n, 3600)), [30, 60, 120, 1920, 3600, 3600, 3600]);
    }

    #[test]
    fn a_spread_stays_within_a_tenth() {
        let spreads: Vec<i64> = (0..1000).map(|_| spread(3600)).collect();
        assert!(spreads.iter().all(|seconds| (3240..=3960).contains(seconds)));
        assert!(spreads.iter().any(|seconds| *seconds < 3400) && spreads.iter().any(|seconds| *seconds > 3800));
        assert_eq!(spread(5), 5);
    }
}
