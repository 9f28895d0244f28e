//! A snapshot's time made shorter or longer: withdrawn, or extended.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};

use super::openapi::Reason;
use super::snapshots::reach;
use super::{read_json, reason_of, snapshot_of};
use crate::portal::app::App;
use crate::portal::audit::{Act, Actor, On, Outcome, record};
use crate::portal::auth::{Action, Principal, Role};
use crate::portal::deadlines;
use crate::portal::error::ApiError;
use crate::portal::store::{keeping, snapshots, tickets};
use crate::track::Phase;
use crate::wire;

/// Takes a snapshot back, or orders it gone: its deletion begins at once.
///
/// Under a hold nobody reads it any more, and it goes when the hold is lifted. A sender may do so until the ticket is closed and
/// need not say why; everyone else says why.
#[utoipa::path(
    delete, path = "/v1/snapshots/{id}",
    params(("Tarseal-Reason" = Option<Reason>, Header, description = "Why; an upload token need not say")),
    responses((status = 200, description = "The snapshot as it is now", body = wire::Snapshot)),
    extensions(("x-problems" = json!(["bad-request", "bad-request 409", "ticket-closed"]))),
)]
pub(crate) async fn withdraw(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<wire::Snapshot>, ApiError> {
    let id = snapshot_of(&id)?;
    reach(&app, &principal, Action::Withdraw, id).await?;
    let reason = match principal.role {
        Role::Upload => None,
        _ => Some(reason_of(&headers)?),
    };
    let (tenant, now) = (&principal.tenant, app.clock.now());
    let mut transaction = app.store.begin(tenant).await?;
    let found = snapshots::find(&mut transaction, tenant, &id).await?.ok_or(ApiError::SnapshotUnknown)?;
    let ticket = tickets::find(&mut transaction, tenant, &found.ticket).await?.ok_or(ApiError::TicketUnknown)?;
    if principal.role == Role::Upload && ticket.closed_at.is_some() && found.phase == Phase::Stored {
        return Err(ApiError::TicketClosed);
    }
    let outcome = match found.phase {
        Phase::Uploading => {
            let detail = "Its bytes are still arriving: end its upload instead.";
            return Err(ApiError::Bad(StatusCode::CONFLICT, detail));
        }
        Phase::Stored if found.keeping.withdrawn_at.is_none() => Outcome::Done,
        _ => Outcome::Repeated,
    };
    let what = (Act::Withdraw, On::Snapshot(&id), outcome);
    record(&mut transaction, tenant, now, Actor::Token(&principal), what, reason.as_deref()).await?;
    if outcome == Outcome::Done {
        keeping::set_withdrawn(&mut transaction, tenant, &id, now).await?;
        let (_, term) = deadlines::count_snapshot(&app, &mut transaction, tenant, &id).await?;
        deadlines::begin_withdrawn(&mut transaction, &found, &term, now).await?;
    }
    let told = snapshots::find(&mut transaction, tenant, &id).await?.ok_or(ApiError::SnapshotUnknown)?;
    transaction.commit().await?;
    Ok(Json(told.to_wire(now)))
}

/// Moves the deadline on, as often and as far as the policy allows, and says why.
#[utoipa::path(
    post, path = "/v1/snapshots/{id}/extend", request_body = wire::Extension,
    params(("Tarseal-Reason" = Reason, Header, description = "Why it is kept longer")),
    responses((status = 200, description = "The snapshot as it is now", body = wire::Snapshot)),
    extensions(("x-problems" = json!(["bad-request", "cannot-extend", "expired"]))),
)]
pub(crate) async fn extend(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<wire::Snapshot>, ApiError> {
    let id = snapshot_of(&id)?;
    reach(&app, &principal, Action::Extend, id).await?;
    let reason = reason_of(&headers)?;
    let wire::Extension { days } = read_json(body).await?;
    let (tenant, now) = (&principal.tenant, app.clock.now());
    let mut transaction = app.store.begin(tenant).await?;
    let found = snapshots::find(&mut transaction, tenant, &id).await?.ok_or(ApiError::SnapshotUnknown)?;
    deadlines::settle(&app, &mut transaction, tenant, &found.ticket).await?;
    let found = snapshots::find(&mut transaction, tenant, &id).await?.ok_or(ApiError::SnapshotUnknown)?;
    let policy = app.policy(&mut transaction, tenant).await?;
    let facts = deadlines::facts(&mut transaction, &found, found.closed_at).await?.ok_or(match found.phase {
        Phase::Uploading => ApiError::SnapshotUnknown,
        _ => ApiError::Expired,
    })?;
    let extensions = keeping::extensions(&mut transaction, &found).await?;
    extensions.extend(days, &facts, &policy, now).map_err(ApiError::CannotExtend)?;
    keeping::add_extension(&mut transaction, &found, now, days).await?;
    deadlines::count_snapshot(&app, &mut transaction, tenant, &id).await?;
    let what = (Act::Extend, On::Snapshot(&id), Outcome::Done);
    record(&mut transaction, tenant, now, Actor::Token(&principal), what, Some(&reason)).await?;
    let told = snapshots::find(&mut transaction, tenant, &id).await?.ok_or(ApiError::SnapshotUnknown)?;
    transaction.commit().await?;
    Ok(Json(told.to_wire(now)))
}
