//! The portal's part of the file key, handed out sealed to one technician's key.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use base64::prelude::{BASE64_STANDARD, Engine as _};

use super::content::readable;
use super::openapi::Reason;
use super::snapshots::reach;
use super::{read_json, reason_of, snapshot_of};
use crate::format::{Recipient, seal_to};
use crate::portal::app::{App, system_rng};
use crate::portal::audit::{Act, Actor, On, Outcome, record};
use crate::portal::auth::{Action, Principal};
use crate::portal::error::ApiError;
use crate::portal::store::{grants, shares, snapshots};
use crate::wire;

/// Gives the share out, sealed to the recipient in the request, and the vendor's part with it if that was granted to the same key
/// and is asked for. It is in the audit log before it leaves.
#[utoipa::path(
    post, path = "/v1/snapshots/{id}/share", request_body = wire::ShareRequest,
    params(("Tarseal-Reason" = Reason, Header, description = "Why it is opened")),
    responses((status = 200, description = "The share", body = wire::SealedShare)),
    extensions(("x-problems" = json!([
        "bad-request", "second-factor-needed", "not-assigned", "restricted", "expired", "grant-unknown",
    ]))),
)]
pub(crate) async fn give(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<wire::SealedShare>, ApiError> {
    let snapshot = reach(&app, &principal, Action::GetShare, snapshot_of(&id)?).await?;
    let reason = reason_of(&headers)?;
    let request: wire::ShareRequest = read_json(body).await?;
    let recipient: Recipient =
        request.recipient.parse().map_err(|_| ApiError::bad("The recipient is a key that begins with tarseal1."))?;
    let whose = (principal.token.as_str(), recipient.fingerprint());
    readable(&app, &principal, &snapshot, Act::GiveShare).await?;
    if snapshot.share.is_none() {
        return Err(ApiError::bad("The snapshot was sealed without a share."));
    }
    let (tenant, id) = (&snapshot.tenant, &snapshot.id);
    let now = app.clock.now();
    // Who is not on the ticket gets the share for the key that the snapshot was granted to, and for no other.
    let on = principal.session.as_ref().is_none_or(|session| session.is_on(&snapshot.ticket));
    let mut transaction = app.store.begin(tenant).await?;
    let part = grants::part(&mut transaction, tenant, id, (whose.0, &whose.1)).await?;
    if part.is_none() && (request.granted || !on) {
        let act = (Act::GiveShare, On::Snapshot(id), Outcome::Denied);
        record(&mut transaction, tenant, now, Actor::Token(&principal), act, Some(&reason)).await?;
        transaction.commit().await?;
        return Err(ApiError::GrantUnknown);
    }
    // It may have been withdrawn or blocked in the meantime.
    let still = snapshots::find(&mut transaction, tenant, id).await?;
    if !still.is_some_and(|snapshot| snapshot.is_readable(now)) {
        return Err(ApiError::Expired);
    }
    let act = (Act::GiveShare, On::Snapshot(id), Outcome::Done);
    record(&mut transaction, tenant, now, Actor::Token(&principal), act, Some(&reason)).await?;
    let share = shares::find(&mut *app.store.shares(tenant).await?, tenant, id).await?.ok_or(ApiError::Expired)?;
    if now >= share.not_after {
        return Err(ApiError::Expired);
    }
    transaction.commit().await?;
    let info = wire::share_info(id, &share.id);
    let secret = share.secret.expose();
    let sealed = seal_to(&recipient, &info, secret, &mut system_rng());
    let part = part.filter(|_| request.granted).map(|part| BASE64_STANDARD.encode(part));
    Ok(Json(wire::SealedShare { id: share.id, sealed: BASE64_STANDARD.encode(sealed), part }))
}
