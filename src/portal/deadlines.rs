//! Counts when each snapshot's time is over, from what the store holds: `track`'s rules applied to rows.
//!
//! Whatever changes a ticket, a snapshot or a policy calls here within its own transaction, so no committed state has a
//! deadline that does not fit its facts.

use super::app::App;
use super::audit::{Act, Actor, On, Outcome, record};
use super::error::ApiError;
use super::jobs::clock;
use super::jobs::delete;
use super::store::snapshots::Snapshot;
use super::store::{Connection, events, keeping, snapshots, tickets};
use crate::clock::Timestamp;
use crate::ids::{FileId, TenantId, TicketId};
use crate::track::deadline::{Ended, Facts, Term, not_before, term};
use crate::track::{Phase, RetentionPolicy};

/// How many snapshots are read at once.
const PAGE: i64 = 500;

/// Begins what is due of a ticket and of those merged with it, before something is told of it, and writes down what ended under a
/// hold: what was due stays due, whatever is told. Begins and ends nothing while the clock is not trusted.
pub(crate) async fn settle(
    app: &App,
    connection: &mut Connection,
    tenant: &TenantId,
    ticket: &TicketId,
) -> Result<(), ApiError> {
    let Some(trusted) = clock::look(app, connection).await? else { return Ok(()) };
    let root = tickets::find(connection, tenant, ticket).await?.ok_or(ApiError::TicketUnknown)?;
    for ticket in tickets::group(connection, tenant, root.root()).await? {
        let of = Some((tenant, &ticket.id));
        while delete::begin_due(connection, trusted, of).await? > 0 {}
        keeping::set_ended(connection, trusted.now(), of).await?;
    }
    Ok(())
}

/// The same for all there is.
pub(crate) async fn settle_all(app: &App, connection: &mut Connection) -> Result<(), ApiError> {
    let Some(trusted) = clock::look(app, connection).await? else { return Ok(()) };
    while delete::begin_due(connection, trusted, None).await? > 0 {}
    Ok(keeping::set_ended(connection, trusted.now(), None).await?)
}

/// Writes down since when a ticket and those merged into it are closed, and counts all their snapshots anew. What moves their
/// deadlines was told at `told_at`.
pub(crate) async fn count_ticket(
    app: &App,
    connection: &mut Connection,
    tenant: &TenantId,
    root: &TicketId,
    told_at: Timestamp,
) -> Result<(), ApiError> {
    let closed_at = events::history(connection, tenant, root).await?.closed_at();
    let policy = app.policy(connection, tenant).await?;
    for ticket in tickets::group(connection, tenant, root).await? {
        let closed_at = closed_at.map(|at| ticket.open_until.map_or(at, |open_until| at.max(open_until)));
        tickets::set_closed_at(connection, tenant, &ticket.id, closed_at).await?;
        for snapshot in snapshots::list(connection, tenant, Some(&ticket.id), None, i64::MAX).await? {
            count(connection, &snapshot, closed_at, &policy, Some(told_at)).await?;
        }
    }
    Ok(())
}

/// Merges a ticket into another, both of which are there: from now on the other's history counts for its snapshots, but no closing
/// from before the ticket was closed itself, or from before now when it is open. Returns the ticket whose history that is, and
/// whether it was so before.
pub(crate) async fn merge(
    app: &App,
    connection: &mut Connection,
    tenant: &TenantId,
    (ticket, into): (&TicketId, &TicketId),
    now: Timestamp,
) -> Result<(TicketId, Outcome), ApiError> {
    let known = tickets::find(connection, tenant, ticket).await?.ok_or(ApiError::TicketUnknown)?;
    let other = tickets::find(connection, tenant, into).await?.ok_or(ApiError::TicketUnknown)?;
    let root = other.root().clone();
    match &known.merged_into {
        Some(merged) if *merged == root => return Ok((root, Outcome::Repeated)),
        None if root != *ticket => {}
        _ => return Err(ApiError::TicketMerged),
    }
    settle(app, connection, tenant, ticket).await?;
    settle(app, connection, tenant, &root).await?;
    tickets::merge(connection, tenant, ticket, &root, now).await?;
    tickets::touch(connection, tenant, &root, now).await?;
    count_ticket(app, connection, tenant, &root, now).await?;
    Ok((root, Outcome::Done))
}

/// Counts one stored snapshot anew; returns when its ticket was closed and when its time is over.
pub(crate) async fn count_snapshot(
    app: &App,
    connection: &mut Connection,
    tenant: &TenantId,
    id: &FileId,
) -> Result<(Option<Timestamp>, Term), ApiError> {
    let snapshot = snapshots::find(connection, tenant, id).await?.ok_or(ApiError::SnapshotUnknown)?;
    let ticket = tickets::find(connection, tenant, &snapshot.ticket).await?.ok_or(ApiError::TicketUnknown)?;
    let policy = app.policy(connection, tenant).await?;
    let term = count(connection, &snapshot, ticket.closed_at, &policy, None).await?;
    let term = term.ok_or_else(|| ApiError::fault("a snapshot that is not stored has no deadline"))?;
    Ok((ticket.closed_at, term))
}

/// When the time of a snapshot is over that is stored now, for a ticket that is open.
pub(crate) fn of_new(now: Timestamp, policy: &RetentionPolicy) -> Term {
    term(&Facts::of_new(now), policy)
}

async fn count(
    connection: &mut Connection,
    snapshot: &Snapshot,
    closed_at: Option<Timestamp>,
    policy: &RetentionPolicy,
    told_at: Option<Timestamp>,
) -> Result<Option<Term>, ApiError> {
    let Some(mut facts) = facts(connection, snapshot, closed_at).await? else { return Ok(None) };
    if let Some(told_at) = told_at
        && closed_at != snapshot.closed_at
        && let Some(before) = self::facts(connection, snapshot, snapshot.closed_at).await?
    {
        facts.not_before = not_before(&before, &facts, policy, told_at);
    }
    let term = term(&facts, policy);
    keeping::set_term(connection, (&snapshot.tenant, &snapshot.id), &facts, &term).await?;
    Ok(Some(term))
}

/// What decides about a snapshot; `None` when it is not stored, or not any more.
pub(crate) async fn facts(
    connection: &mut Connection,
    snapshot: &Snapshot,
    closed_at: Option<Timestamp>,
) -> Result<Option<Facts>, ApiError> {
    let Some(uploaded_at) = snapshot.uploaded_at.filter(|_| snapshot.phase == Phase::Stored) else { return Ok(None) };
    let extended_days = keeping::extensions(connection, snapshot).await?.days_for(closed_at);
    Ok(Some(Facts {
        uploaded_at,
        closed_at,
        not_before: snapshot.keeping.not_before,
        extended_days,
        withdrawn_at: snapshot.keeping.withdrawn_at,
        held: snapshot.is_held(),
        lifted_at: snapshot.keeping.lifted_at,
        ended: snapshot.keeping.ended_at.zip(snapshot.reason).map(|(at, reason)| Ended { at, reason }),
    }))
}

/// A snapshot whose time would be over at another instant.
pub(crate) struct Moved {
    pub(crate) snapshot: Snapshot,
    pub(crate) term: Term,
}

/// Every stored snapshot of a tenant that another policy would move at `now`, handed to `each` one by one.
pub(crate) async fn moved_by(
    connection: &mut Connection,
    tenant: &TenantId,
    policy: &RetentionPolicy,
    now: Timestamp,
    mut each: impl FnMut(Moved),
) -> Result<(), ApiError> {
    let mut after = String::new();
    loop {
        let page = keeping::stored(connection, tenant, &after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.id.to_string();
        for snapshot in page {
            if snapshot.is_held() && !snapshot.is_in_time(now) {
                continue;
            }
            let Some(facts) = facts(connection, &snapshot, snapshot.closed_at).await? else { continue };
            let term = term(&facts, policy);
            if snapshot.due_at != Some(term.due_at) {
                each(Moved { snapshot, term });
            }
        }
    }
}

/// Counts every stored snapshot of a tenant by the policy given.
pub(crate) async fn count_tenant(
    connection: &mut Connection,
    tenant: &TenantId,
    policy: &RetentionPolicy,
) -> Result<(), ApiError> {
    let mut after = String::new();
    loop {
        let page = keeping::stored(connection, tenant, &after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.id.to_string();
        for snapshot in page {
            count(connection, &snapshot, snapshot.closed_at, policy, None).await?;
        }
    }
}

/// Begins the deletion of a snapshot whose withdrawal was just counted, unless it is held. A person orders it, not the clock.
pub(crate) async fn begin_withdrawn(
    connection: &mut Connection,
    snapshot: &Snapshot,
    term: &Term,
    now: Timestamp,
) -> Result<(), ApiError> {
    if term.begins_at.is_none() {
        return Ok(());
    }
    let (tenant, id) = (&snapshot.tenant, &snapshot.id);
    if snapshots::begin_deletion(connection, tenant, id, term.reason).await? {
        let act = (Act::BeginDeletion, On::Snapshot(id), Outcome::Done);
        record(connection, tenant, now, Actor::Worker, act, None).await?;
    }
    Ok(())
}
