//! Holds: one person asks, another confirms, and the same for lifting.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};

use super::openapi::Reason;
use super::snapshots::reach;
use super::{moment, read_json, reason_of, second_person, snapshot_of};
use crate::clock::Timestamp;
use crate::ids::FileId;
use crate::portal::app::{App, random_id};
use crate::portal::audit::{Act, Actor, On, Outcome, record};
use crate::portal::auth::{Action, Principal};
use crate::portal::deadlines;
use crate::portal::error::ApiError;
use crate::portal::store::holds::{self, Hold};
use crate::portal::store::snapshots::Snapshot;
use crate::portal::store::{Connection, snapshots};
use crate::track::Phase;
use crate::track::hold::{Basis, may_be_reviewed_at};
use crate::wire;

/// Tells the holds of a snapshot, with their reasons.
#[utoipa::path(
    get, path = "/v1/snapshots/{id}/hold",
    responses((status = 200, description = "The holds", body = wire::Holds)),
)]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<Json<wire::Holds>, ApiError> {
    let snapshot = reach(&app, &principal, Action::SeeHold, snapshot_of(&id)?).await?;
    Ok(Json(tell(&mut *app.store.read(&principal.tenant).await?, &snapshot).await?))
}

/// Asks for a hold, or puts the one that another person asked for in force.
#[utoipa::path(
    put, path = "/v1/snapshots/{id}/hold", request_body = wire::HoldOrder,
    responses(
        (status = 200, description = "It is in force", body = wire::Holds),
        (status = 202, description = "It waits for a second person", body = wire::Holds),
    ),
    extensions(("x-problems" = json!(["bad-request", "second-person", "not-held", "expired"]))),
)]
pub(crate) async fn put(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<String>,
    body: Body,
) -> Result<(StatusCode, Json<wire::Holds>), ApiError> {
    let id = snapshot_of(&id)?;
    reach(&app, &principal, Action::Hold, id).await?;
    let order: wire::HoldOrder = read_json(body).await?;
    let now = app.clock.now();
    let mut transaction = app.store.begin(&principal.tenant).await?;
    let snapshot = stored(&app, &mut transaction, &principal, &id).await?;
    let (status, act, reason) = match order {
        wire::HoldOrder::Ask(asked) => {
            let hold = hold_of(&app, &mut transaction, &principal, &id, asked, now).await?;
            holds::ask(&mut transaction, &hold).await?;
            (StatusCode::ACCEPTED, Act::AskHold, Some(hold.reason))
        }
        wire::HoldOrder::Confirm(wire::HoldConfirmed { confirms }) => {
            let asked = holds::asked(&mut transaction, &principal.tenant, &id).await?;
            let asked = asked.filter(|asked| asked.id == confirms).ok_or(ApiError::NotHeld)?;
            second_person::confirms(&mut transaction, &principal, &asked.asked_by, now).await?;
            if asked.review_at <= now {
                return Err(ApiError::bad("The day of review has passed. Ask for a new hold."));
            }
            holds::confirm(&mut transaction, &asked, &principal.token, now).await?;
            (StatusCode::OK, Act::ConfirmHold, None)
        }
    };
    let what = (act, On::Snapshot(&id), Outcome::Done);
    record(&mut transaction, &principal.tenant, now, Actor::Token(&principal), what, reason.as_deref()).await?;
    deadlines::count_snapshot(&app, &mut transaction, &principal.tenant, &id).await?;
    let told = tell(&mut transaction, &snapshot).await?;
    transaction.commit().await?;
    Ok((status, Json(told)))
}

/// Asks for the lifting of a hold, or lifts it when another person has asked.
///
/// What is over by then is deleted at once.
#[utoipa::path(
    delete, path = "/v1/snapshots/{id}/hold",
    params(("Tarseal-Reason" = Reason, Header, description = "Why it is lifted")),
    responses(
        (status = 200, description = "It is lifted", body = wire::Snapshot),
        (status = 202, description = "The lifting waits for a second person", body = wire::Snapshot),
    ),
    extensions(("x-problems" = json!(["bad-request", "not-held", "expired"]))),
)]
pub(crate) async fn lift(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<(StatusCode, Json<wire::Snapshot>), ApiError> {
    let id = snapshot_of(&id)?;
    reach(&app, &principal, Action::Hold, id).await?;
    let reason = reason_of(&headers)?;
    let now = app.clock.now();
    let tenant = &principal.tenant;
    let mut transaction = app.store.begin(tenant).await?;
    let snapshot = stored(&app, &mut transaction, &principal, &id).await?;
    let hold = holds::in_force(&mut transaction, tenant, &id).await?.ok_or(ApiError::NotHeld)?;
    let asker = hold.lift_asked_by.as_ref().filter(|asker| **asker != principal.token);
    let by_another = asker.is_some();
    let (status, act) = if let Some(asker) = asker {
        second_person::confirms(&mut transaction, &principal, asker, now).await?;
        holds::lift(&mut transaction, &hold, &principal.token, now).await?;
        deadlines::count_snapshot(&app, &mut transaction, tenant, &id).await?;
        (StatusCode::OK, Act::LiftHold)
    } else {
        holds::ask_to_lift(&mut transaction, &hold, &principal.token, &reason, now).await?;
        (StatusCode::ACCEPTED, Act::AskLift)
    };
    let what = (act, On::Snapshot(&id), Outcome::Done);
    record(&mut transaction, tenant, now, Actor::Token(&principal), what, Some(&reason)).await?;
    if by_another {
        deadlines::settle(&app, &mut transaction, tenant, &snapshot.ticket).await?;
    }
    let told = snapshots::find(&mut transaction, tenant, &id).await?.ok_or(ApiError::SnapshotUnknown)?;
    transaction.commit().await?;
    Ok((status, Json(told.to_wire(now))))
}

/// The snapshot, as long as its deletion has not begun. What is due begins first: a hold that comes too late is none.
async fn stored(
    app: &App,
    connection: &mut Connection,
    principal: &Principal,
    id: &FileId,
) -> Result<Snapshot, ApiError> {
    let found = snapshots::find(connection, &principal.tenant, id).await?.ok_or(ApiError::SnapshotUnknown)?;
    deadlines::settle(app, connection, &principal.tenant, &found.ticket).await?;
    let found = snapshots::find(connection, &principal.tenant, id).await?.ok_or(ApiError::SnapshotUnknown)?;
    match found.phase {
        Phase::Stored => Ok(found),
        Phase::Uploading => Err(ApiError::SnapshotUnknown),
        _ => Err(ApiError::Expired),
    }
}

async fn hold_of(
    app: &App,
    connection: &mut Connection,
    principal: &Principal,
    snapshot: &FileId,
    asked: wire::HoldAsked,
    now: Timestamp,
) -> Result<Hold, ApiError> {
    let basis = Basis::from_word(&asked.basis).ok_or(ApiError::bad(
        "The basis is legal-claim, legal-obligation, authority-order, subject-restriction or breach-record.",
    ))?;
    let policy = app.policy(connection, &principal.tenant).await?;
    let review_at = moment(&asked.review_at, &policy.zone);
    if !may_be_reviewed_at(review_at, now, &policy.zone) {
        return Err(ApiError::bad("A hold is looked at again within six months."));
    }
    let reason = asked.reason.trim().to_owned();
    if reason.is_empty() || reason.chars().count() > super::REASON_LIMIT || reason.chars().any(char::is_control) {
        return Err(ApiError::bad("The reason is one line of 1 to 500 characters."));
    }
    Ok(Hold {
        tenant: principal.tenant.clone(),
        id: random_id(),
        snapshot: *snapshot,
        basis,
        reason,
        review_at,
        asked_by: principal.token.clone(),
        asked_at: now,
        confirmed_at: None,
        lift_asked_by: None,
        lift_asked_at: None,
    })
}

async fn tell(connection: &mut Connection, snapshot: &Snapshot) -> Result<wire::Holds, ApiError> {
    let told = |hold: Hold| wire::Hold {
        id: hold.id,
        basis: hold.basis.word().to_owned(),
        reason: hold.reason,
        review_at: hold.review_at,
        asked_at: hold.asked_at,
        confirmed_at: hold.confirmed_at,
        lift_asked_at: hold.lift_asked_at,
    };
    let (tenant, id) = (&snapshot.tenant, &snapshot.id);
    Ok(wire::Holds {
        in_force: holds::in_force(connection, tenant, id).await?.map(told),
        asked: holds::asked(connection, tenant, id).await?.map(told),
    })
}
