//! What the portal does by itself about requests: it carries deletions out, reminds, and erases what is long over.

use super::rows;
use crate::clock::Timestamp;
use crate::portal::app::App;
use crate::portal::audit::{Act, Actor, On, Outcome, record};
use crate::portal::auth::Principal;
use crate::portal::deadlines;
use crate::portal::error::ApiError;
use crate::portal::store::snapshots::Snapshot;
use crate::portal::store::{Connection, grants, keeping, tenants};
use crate::track::Phase;
use crate::track::answer::REMINDER_SECONDS;
use crate::wire::subject::SubjectState;

/// How many rows are worked on in one transaction.
const BATCH: i64 = 200;

/// Takes a stored snapshot back because a person asked for that; told twice, it is so once. Under a hold it stays, and nobody
/// reads it.
pub(super) async fn withdraw(
    app: &App,
    connection: &mut Connection,
    snapshot: &Snapshot,
    actor: Actor<'_>,
    now: Timestamp,
) -> Result<(), ApiError> {
    if snapshot.phase != Phase::Stored || snapshot.keeping.withdrawn_at.is_some() {
        return Ok(());
    }
    let (tenant, id) = (&snapshot.tenant, &snapshot.id);
    record(connection, tenant, now, actor, (Act::Withdraw, On::Snapshot(id), Outcome::Done), None).await?;
    keeping::set_withdrawn(connection, tenant, id, now).await?;
    let (_, term) = deadlines::count_snapshot(app, connection, tenant, id).await?;
    deadlines::begin_withdrawn(connection, snapshot, &term, now).await
}

/// Revokes every grant of a snapshot: nobody reads it on through one, also after a block is lifted.
pub(super) async fn revoke_grants(
    connection: &mut Connection,
    snapshot: &Snapshot,
    principal: &Principal,
    now: Timestamp,
) -> Result<(), ApiError> {
    let tenant = &snapshot.tenant;
    for grants::Row { grant, .. } in grants::page(connection, tenant, &snapshot.id, (0, i64::MAX)).await? {
        if grants::revoke(connection, tenant, &grant.id, &principal.token, now).await? {
            for on in [On::Snapshot(&snapshot.id), On::User(&grant.user)] {
                let what = (Act::RevokeGrant, on, Outcome::Done);
                record(connection, tenant, now, Actor::Token(principal), what, None).await?;
            }
        }
    }
    Ok(())
}

/// Withdraws what arrived after its deletion was decided, and ends the deletions of which nothing is left.
pub(crate) async fn run(app: &App) -> Result<(), ApiError> {
    let now = app.clock.now();
    while !rows::to_withdraw(&mut *app.store.read_across().await?, 1).await?.is_empty() {
        let mut transaction = app.store.begin_across().await?;
        for snapshot in rows::to_withdraw(&mut transaction, BATCH).await? {
            withdraw(app, &mut transaction, &snapshot, Actor::Worker, now).await?;
        }
        transaction.commit().await?;
    }
    while !rows::to_finish(&mut *app.store.read_across().await?, 1).await?.is_empty() {
        let mut transaction = app.store.begin_across().await?;
        for mut request in rows::to_finish(&mut transaction, BATCH).await? {
            request.state = SubjectState::Done;
            request.ended_at = Some(now);
            rows::set_state(&mut transaction, &request).await?;
            let what = (Act::FinishRequest, On::Request(&request.id), Outcome::Done);
            record(&mut transaction, &request.tenant, now, Actor::Worker, what, None).await?;
        }
        transaction.commit().await?;
    }
    Ok(())
}

/// Calls for an answer a week before its time is over, and again when it is: in the log and in the tenant's audit log.
pub(crate) async fn remind(app: &App) -> Result<(), ApiError> {
    let now = app.clock.now();
    let when = (now.plus_seconds(REMINDER_SECONDS), now);
    while !rows::to_remind(&mut *app.store.read_across().await?, when, 1).await?.is_empty() {
        let mut transaction = app.store.begin_across().await?;
        let (mut near, mut late) = (0, 0);
        for mut request in rows::to_remind(&mut transaction, when, BATCH).await? {
            let is_late = request.due_at < now;
            request.reminded = if is_late { 2 } else { 1 };
            rows::set_state(&mut transaction, &request).await?;
            let outcome = if is_late { Outcome::Expired } else { Outcome::Done };
            let what = (Act::CallRequest, On::Request(&request.id), outcome);
            record(&mut transaction, &request.tenant, now, Actor::Worker, what, None).await?;
            if is_late { late += 1 } else { near += 1 }
        }
        transaction.commit().await?;
        if late > 0 {
            tracing::error!(requests = late, "persons who asked were not answered in time");
        }
        if near > 0 {
            tracing::warn!(requests = near, "persons who asked must be answered within a week");
        }
    }
    Ok(())
}

/// Erases the requests that ended longer ago than the tenant's policy allows and that nothing hangs on any more.
pub(crate) async fn erase_old(app: &App) -> Result<u64, ApiError> {
    let now = app.clock.now();
    let mut erased = 0;
    for tenant in tenants::all(&mut *app.store.read_across().await?).await? {
        let policy = app.policy(&mut *app.store.read(&tenant).await?, &tenant).await?;
        let before = now.plus_days(-i64::from(policy.requests_days));
        while !rows::over(&mut *app.store.read(&tenant).await?, &tenant, before, 1).await?.is_empty() {
            let mut transaction = app.store.begin(&tenant).await?;
            for request in rows::over(&mut transaction, &tenant, before, BATCH).await? {
                rows::erase(&mut transaction, &request).await?;
                let what = (Act::EraseRequest, On::Request(&request.id), Outcome::Done);
                record(&mut transaction, &tenant, now, Actor::Worker, what, None).await?;
                erased += 1;
            }
            transaction.commit().await?;
        }
    }
    if erased > 0 {
        app.store.checkpoint().await?;
    }
    Ok(erased)
}
