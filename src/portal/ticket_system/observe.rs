//! What follows from an answer of a ticket system, in the transaction given.
//!
//! A system tells how things stand; the portal keeps what happened. So what counts is what changed since the system was last
//! asked: who closes or reopens a ticket in the portal meanwhile is not overruled by a system that says the same as before.
//!
//! | it said | it says | what is told |
//! |---|---|---|
//! | nothing, open | closed | closed: when it says so, if that is after it was last seen open; else when it was last touched, or now |
//! | closed | open | reopened: when it was last touched, if that is after the closing; else now |
//! | closed | closed later | reopened and closed, both then: it was open in between |
//! | anything | merged | merged, for good |
//! | known | no such ticket | missing: twice a day apart it counts as closed |
//! | never known | no such ticket | nothing |
//!
//! A closing that moves to an earlier instant tells nothing: some systems keep the first closing of all, and nothing may go
//! before its time.

use super::read::{Answer, Seen, State};
use super::source::Source;
use crate::clock::Timestamp;
use crate::ids::TicketId;
use crate::portal::app::App;
use crate::portal::audit::{Act, Actor, On, Outcome, record};
use crate::portal::deadlines;
use crate::portal::error::ApiError;
use crate::portal::jobs::{hide, sighting};
use crate::portal::store::Connection;
use crate::portal::store::events::{self, Event, Taken};
use crate::portal::store::ticket_polls::{self as polls, Told};
use crate::portal::store::ticket_systems::Name;
use crate::portal::store::tickets::{self, Ticket};
use crate::track::history;

/// How many events of one ticket are kept.
const EVENTS_LIMIT: i64 = 10_000;

/// What followed from an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Followed {
    /// Nothing that was not known.
    Nothing,
    Closed,
    Reopened,
    Merged,
    /// Nothing can follow, in one word.
    Unread(&'static str),
    /// The ticket is not asked for any more: nothing is left of it, or it is part of another.
    Ended,
}

/// Takes an answer about a ticket that was given at `now`; the ticket is asked for again at `due_at`.
pub(crate) async fn observe(
    app: &App,
    connection: &mut Connection,
    source: &Source,
    (ticket, answer): (&TicketId, &Answer),
    (now, due_at): (Timestamp, Timestamp),
) -> Result<Followed, ApiError> {
    let name = source.of();
    let Some(poll) = polls::find(connection, name, ticket).await? else { return Ok(Followed::Ended) };
    let known = match tickets::find(connection, &source.tenant, ticket).await? {
        Some(known) if known.merged_into.is_none() => known,
        other => {
            polls::end(connection, name, ticket).await?;
            if let Some(root) = other.and_then(|known| known.merged_into) {
                begin(connection, source, &root, now).await?;
            }
            return Ok(Followed::Ended);
        }
    };
    let which = (&source.tenant, ticket);
    let (seen_at, mut told, followed) = match answer {
        Answer::Missing if poll.seen_at.is_none() => (None, poll.told, Followed::Unread("never-known")),
        Answer::Missing => {
            sighting::missing(app, connection, source.name.as_str(), which, now).await?;
            (poll.seen_at, poll.told, Followed::Unread("missing"))
        }
        Answer::Seen(seen) => {
            sighting::seen(app, connection, source.name.as_str(), which, now, seen.updated_at).await?;
            let followed = follow(app, connection, source, &known, seen, (poll.told, now)).await?;
            (Some(now), poll.told, followed)
        }
    };
    if followed == Followed::Ended || followed == Followed::Merged {
        return Ok(followed);
    }
    if let (Answer::Seen(seen), false) = (answer, matches!(followed, Followed::Unread(_))) {
        told = match seen.state {
            State::Open => Some(Told::Open(now)),
            State::Closed => Some(Told::Closed(closed_at(seen, told, now).0)),
            _ => told,
        };
    }
    let fault = if let Followed::Unread(word) = followed { Some(word) } else { None };
    if let Some(why) = fault.filter(|why| poll.fault.as_deref() != Some(why)) {
        tracing::warn!(
            source = source.name.as_str(),
            why,
            "nothing follows from what a ticket system tells of a ticket"
        );
    }
    polls::told(connection, name, ticket, (now, due_at), (seen_at, told), fault).await?;
    Ok(followed)
}

/// Begins to ask a system for a ticket, if it is one of its tickets.
pub(crate) async fn begin(
    connection: &mut Connection,
    source: &Source,
    ticket: &TicketId,
    due_at: Timestamp,
) -> Result<(), ApiError> {
    if source.name_there(ticket).is_some() {
        polls::begin(connection, source.of(), ticket, due_at).await?;
    }
    Ok(())
}

async fn follow(
    app: &App,
    connection: &mut Connection,
    source: &Source,
    known: &Ticket,
    seen: &Seen,
    (told, now): (Option<Told>, Timestamp),
) -> Result<Followed, ApiError> {
    let ticket = &known.id;
    if events::count(connection, &source.tenant, ticket).await? >= EVENTS_LIMIT {
        return Ok(Followed::Unread("too-many-events"));
    }
    match (&seen.state, told) {
        (State::Unknown, _) => Ok(Followed::Unread("unknown-state")),
        (State::Merged(into), _) => merge(app, connection, source, (ticket, into), now).await,
        (State::Open, Some(Told::Closed(since))) => {
            let at = seen.updated_at.filter(|at| *at > since).unwrap_or(now).min(now);
            tell(app, connection, source, known, (history::Told::Reopened, at), now).await?;
            Ok(Followed::Reopened)
        }
        (State::Open, _) => {
            if known.closed_at.is_none() && known.asked_at.is_some_and(|asked_at| asked_at > known.active_at) {
                // It was asked whether the ticket is still open: it is.
                tickets::touch(connection, &source.tenant, ticket, now).await?;
            }
            Ok(Followed::Nothing)
        }
        (State::Closed, Some(Told::Closed(since))) => {
            let Some(at) = seen.closed_at.filter(|at| *at > since.max(known.opened_at)) else {
                return Ok(Followed::Nothing);
            };
            let at = at.min(now);
            tell(app, connection, source, known, (history::Told::Reopened, at), now).await?;
            tell(app, connection, source, known, (history::Told::Closed, at), now).await?;
            Ok(Followed::Closed)
        }
        (State::Closed, told) => {
            let (_, at) = closed_at(seen, told, now);
            tell(app, connection, source, known, (history::Told::Closed, at), now).await?;
            Ok(Followed::Closed)
        }
    }
}

/// Since when a ticket that is closed counts as closed: as it is compared with what its system says next time, and as it is
/// told, which is never in the future.
fn closed_at(seen: &Seen, told: Option<Told>, now: Timestamp) -> (Timestamp, Timestamp) {
    let fits = |at: &Timestamp| match told {
        Some(Told::Open(since)) => *at > since,
        _ => true,
    };
    let at = match told {
        Some(Told::Closed(since)) => seen.closed_at.map_or(since, |at| at.max(since)),
        _ => seen.closed_at.filter(fits).or(seen.updated_at.filter(fits)).unwrap_or(now),
    };
    (at, at.min(now))
}

async fn tell(
    app: &App,
    connection: &mut Connection,
    source: &Source,
    known: &Ticket,
    (told, at): (history::Told, Timestamp),
    now: Timestamp,
) -> Result<(), ApiError> {
    // What was before the ticket was opened here says nothing more than that it was closed from the beginning.
    let at = at.max(known.opened_at);
    let (tenant, ticket) = (&source.tenant, &known.id);
    deadlines::settle(app, connection, tenant, ticket).await?;
    let name = format!("{}-{}", told.word(), at.seconds());
    let event = Event { source: source.name.as_str(), name: &name, version: 0, told, at };
    let taken = events::tell(connection, tenant, ticket, &event).await?;
    let act = if told == history::Told::Closed { Act::CloseTicket } else { Act::ReopenTicket };
    let outcome = if taken == Taken::New { Outcome::Done } else { Outcome::Repeated };
    let why = format!("ticket system {}", source.name);
    record(connection, tenant, now, Actor::Worker, (act, On::Ticket(ticket.as_str()), outcome), Some(&why)).await?;
    tickets::touch(connection, tenant, ticket, at).await?;
    deadlines::count_ticket(app, connection, tenant, ticket, now).await
}

/// Merges a ticket into another, which the portal may not know yet.
async fn merge(
    app: &App,
    connection: &mut Connection,
    source: &Source,
    (ticket, into): (&TicketId, &TicketId),
    now: Timestamp,
) -> Result<Followed, ApiError> {
    let tenant = &source.tenant;
    let why = format!("ticket system {}", source.name);
    hide::name_again(app, connection, tenant, into).await?;
    if tickets::find(connection, tenant, into).await?.is_none() {
        tickets::add(connection, tenant, into, now).await?;
        let what = (Act::OpenTicket, On::Ticket(into.as_str()), Outcome::Done);
        record(connection, tenant, now, Actor::Worker, what, Some(&why)).await?;
    }
    match deadlines::merge(app, connection, tenant, (ticket, into), now).await {
        Ok((root, outcome)) => {
            for merged in [ticket, &root] {
                let what = (Act::MergeTicket, On::Ticket(merged.as_str()), outcome);
                record(connection, tenant, now, Actor::Worker, what, Some(&why)).await?;
            }
            polls::end(connection, source.of(), ticket).await?;
            begin(connection, source, &root, now).await?;
            Ok(Followed::Merged)
        }
        // Into itself, or round in a circle.
        Err(ApiError::TicketMerged) => Ok(Followed::Unread("merged-into-itself")),
        Err(fault) => Err(fault),
    }
}

impl Source {
    /// It in the database.
    pub(crate) fn of(&self) -> Name<'_> {
        Name { tenant: &self.tenant, source: &self.name }
    }
}
