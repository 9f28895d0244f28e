//! Grants: a technician passes the vendor's part of a file key on to one more person, a subcontractor for example.
//!
//! The part comes sealed to that person's key and is kept so. It is given out with the share, to that person, for that key, under
//! the same conditions: a fresh second factor, a reason, and a snapshot whose time is not over. Who is granted one snapshot sees
//! and reads that one, and nothing else of its ticket.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use base64::prelude::{BASE64_STANDARD, Engine as _};

use super::content::readable;
use super::openapi::Reason;
use super::page::{Page, Pages, Which};
use super::session::name_of;
use super::snapshots::reach;
use super::{read_json, reason_of, snapshot_of};
use crate::format::Recipient;
use crate::portal::app::{App, random_id};
use crate::portal::audit::{Act, Actor, On, Outcome, record};
use crate::portal::auth::{Action, Principal, Role};
use crate::portal::error::ApiError;
use crate::portal::store::grants::{self, NewGrant};
use crate::portal::store::{snapshots, users};
use crate::wire;

/// The most grants of one snapshot.
const MOST: u64 = 100;

/// Passes the vendor's part on. Somebody who has a grant for the same key gets the newer one in its place.
#[utoipa::path(
    post, path = "/v1/snapshots/{id}/grants", request_body = wire::NewGrant,
    params(("Tarseal-Reason" = Reason, Header, description = "Why it is passed on")),
    responses((status = 201, description = "The grant", body = wire::Grant)),
    extensions(("x-problems" = json!([
        "bad-request", "second-factor-needed", "not-assigned", "restricted", "expired", "user-unknown",
    ]))),
)]
pub(crate) async fn make(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let snapshot = reach(&app, &principal, Action::Grant, snapshot_of(&id)?).await?;
    let reason = reason_of(&headers)?;
    let asked: wire::NewGrant = read_json(body).await?;
    let (fingerprint, part) = checked(&asked)?;
    readable(&app, &principal, &snapshot, Act::Grant).await?;
    if snapshot.share.is_none() {
        return Err(unprocessable(
            "The snapshot was sealed without a share: a grant of it could not end at the deadline.",
        ));
    }
    let (tenant, snapshot, now) = (&principal.tenant, &snapshot.id, app.clock.now());
    let id = random_id();
    let mut transaction = app.store.begin(&principal.tenant).await?;
    let still = snapshots::find(&mut transaction, tenant, snapshot).await?;
    if !still.is_some_and(|snapshot| snapshot.is_readable(now)) {
        return Err(ApiError::Expired);
    }
    let name = name_of(&asked.user).ok_or(ApiError::UserUnknown)?;
    let user = users::by_name(&mut transaction, tenant, &name).await?.ok_or(ApiError::UserUnknown)?;
    if user.role != Role::Technician || user.disabled_at.is_some() {
        return Err(unprocessable("A snapshot is passed on to a technician whose account is not disabled."));
    }
    if grants::count(&mut transaction, tenant, snapshot).await?.0 >= MOST {
        return Err(unprocessable("A snapshot has at most 100 grants, revoked ones among them."));
    }
    let grant = NewGrant {
        tenant,
        id: &id,
        snapshot,
        user: &user.id,
        fingerprint: &fingerprint,
        part: &part,
        by: &principal.token,
    };
    grants::add(&mut transaction, &grant, now).await?;
    // One record says what was passed on and why, the other to whom.
    for (on, reason) in [(On::Snapshot(snapshot), Some(reason.as_str())), (On::User(&user.id), None)] {
        let what = (Act::Grant, on, Outcome::Done);
        record(&mut transaction, tenant, now, Actor::Token(&principal), what, reason).await?;
    }
    let made = grants::find(&mut transaction, tenant, snapshot, &id).await?;
    transaction.commit().await?;
    Ok((StatusCode::CREATED, Json(made.ok_or(ApiError::GrantUnknown)?)).into_response())
}

/// Lists the grants of a snapshot, revoked ones too, until they go with it.
#[utoipa::path(
    get, path = "/v1/snapshots/{id}/grants", params(Which),
    responses((status = 200, description = "A page of the list", body = wire::List<wire::Grant>)),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<String>,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Response, ApiError> {
    let page: Page<i64> = Pages::of("grants").asked_by(which)?;
    let snapshot = reach(&app, &principal, Action::SeeGrants, snapshot_of(&id)?).await?;
    let range = (page.after.unwrap_or(0), page.rows());
    let rows =
        grants::page(&mut *app.store.read(&principal.tenant).await?, &principal.tenant, &snapshot.id, range).await?;
    let path = format!("/v1/snapshots/{}/grants", snapshot.id);
    page.answer(rows, |row| row.number, |row| row.grant, (&path, &[]))
}

/// Revokes a grant: content and share are refused from the next request on, and the part is erased.
#[utoipa::path(
    delete, path = "/v1/snapshots/{id}/grants/{grant}",
    responses((status = 204, description = "It is revoked")),
)]
pub(crate) async fn revoke(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path((id, grant)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let snapshot = reach(&app, &principal, Action::RevokeGrant, snapshot_of(&id)?).await?;
    let (tenant, now) = (&principal.tenant, app.clock.now());
    let mut transaction = app.store.begin(tenant).await?;
    let found = grants::find(&mut transaction, tenant, &snapshot.id, &grant).await?.ok_or(ApiError::GrantUnknown)?;
    let outcome = match grants::revoke(&mut transaction, tenant, &grant, &principal.token, now).await? {
        true => Outcome::Done,
        false => Outcome::Repeated,
    };
    for on in [On::Snapshot(&snapshot.id), On::User(&found.user)] {
        let what = (Act::RevokeGrant, on, outcome);
        record(&mut transaction, tenant, now, Actor::Token(&principal), what, None).await?;
    }
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The fingerprint of the recipient, and the part that is sealed to it. Whether it opens only its owner can tell.
fn checked(asked: &wire::NewGrant) -> Result<(String, Vec<u8>), ApiError> {
    let recipient: Recipient =
        asked.recipient.parse().map_err(|_| unprocessable("The recipient is a key that begins with tarseal1."))?;
    let part = BASE64_STANDARD.decode(&asked.part).ok();
    match part.filter(|part| Some(part.len()) == recipient.grant_length()) {
        Some(part) => Ok((recipient.fingerprint(), part)),
        None => Err(unprocessable("The part is what is sealed to that recipient, in Base64.")),
    }
}

const fn unprocessable(detail: &'static str) -> ApiError {
    ApiError::Bad(StatusCode::UNPROCESSABLE_ENTITY, detail)
}
