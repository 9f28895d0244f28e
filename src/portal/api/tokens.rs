//! Upload tokens for one ticket: made, shown once, revoked.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

use super::page::{Page, Pages, Which};
use super::{known_ticket, read_json};
use crate::portal::app::{App, system_rng};
use crate::portal::audit::{Act, Actor, On, Outcome, record};
use crate::portal::auth::{Action, Object, Principal, Role, authorize, hash, new_token};
use crate::portal::error::ApiError;
use crate::portal::store::tokens::{Listed, TokenRow};
use crate::portal::store::{tickets, tokens};
use crate::wire;

/// The longest life of an upload token: 90 days in seconds.
const LONGEST: u64 = 90 * 86_400;

/// Makes an upload token for a ticket. It is told this once.
#[utoipa::path(
    post, path = "/v1/tickets/{ticket}/tokens", request_body = wire::NewToken,
    responses((status = 201, description = "The token", body = wire::Token)),
    extensions(("x-problems" = json!(["bad-request", "ticket-closed"]))),
)]
pub(crate) async fn make(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(ticket): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    let ticket = known_ticket(&app, &principal, &ticket).await?;
    authorize(&principal, Action::MakeToken, Object::Ticket(&principal.tenant, &ticket))?;
    let wire::NewToken { valid_seconds } = read_json(body).await?;
    if !(1..=LONGEST).contains(&valid_seconds) {
        return Err(ApiError::bad("A token is good for at least a second and at most 90 days."));
    }
    let now = app.clock.now();
    let mut transaction = app.store.begin(&principal.tenant).await?;
    let found = tickets::find(&mut transaction, &principal.tenant, &ticket).await?.ok_or(ApiError::TicketUnknown)?;
    if found.closed_at.is_some() {
        return Err(ApiError::TicketClosed);
    }
    let (text, id) = new_token(&mut system_rng());
    let row = TokenRow {
        tenant: principal.tenant.clone(),
        id: id.clone(),
        hash: hash(text.expose()),
        role: Role::Upload,
        ticket: Some(ticket),
        max_bytes: principal.max_bytes,
        once: false,
        expires_at: now.plus_seconds(i64::try_from(valid_seconds).unwrap_or(i64::MAX)),
        revoked_at: None,
    };
    tokens::add(&mut transaction, &row, now).await?;
    let act = (Act::MakeToken, On::Token(&id), Outcome::Done);
    record(&mut transaction, &principal.tenant, now, Actor::Token(&principal), act, None).await?;
    transaction.commit().await?;
    let token = wire::Token { id, token: text.expose().clone().into(), expires: row.expires_at };
    Ok((StatusCode::CREATED, Json(token)).into_response())
}

/// Lists the upload tokens of a ticket, the oldest first. None of them is told.
#[utoipa::path(
    get, path = "/v1/tickets/{ticket}/tokens", params(Which),
    responses((status = 200, description = "A page of the list", body = wire::List<wire::ListedToken>)),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(ticket): Path<String>,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Response, ApiError> {
    let ticket = known_ticket(&app, &principal, &ticket).await?;
    authorize(&principal, Action::RevokeToken, Object::Ticket(&principal.tenant, &ticket))?;
    let page: Page<tokens::Place> = Pages::of("tokens").asked_by(which)?;
    let mut connection = app.store.read(&principal.tenant).await?;
    tickets::find(&mut connection, &principal.tenant, &ticket).await?.ok_or(ApiError::TicketUnknown)?;
    let found =
        tokens::of_ticket(&mut connection, &principal.tenant, &ticket, page.after.as_ref(), page.rows()).await?;
    let place = |listed: &Listed| (listed.created_at.seconds(), listed.token.id.clone());
    let tell = |Listed { created_at, token }| wire::ListedToken {
        id: token.id,
        created: created_at,
        expires: token.expires_at,
        revoked: token.revoked_at,
        max_bytes: token.max_bytes,
    };
    page.answer(found, place, tell, (&format!("/v1/tickets/{ticket}/tokens"), &[]))
}

/// Revokes an upload token: it is refused from now on.
#[utoipa::path(
    delete, path = "/v1/tickets/{ticket}/tokens/{id}",
    responses((status = 204, description = "It is revoked")),
)]
pub(crate) async fn revoke(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path((ticket, id)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let ticket = known_ticket(&app, &principal, &ticket).await?;
    authorize(&principal, Action::RevokeToken, Object::Ticket(&principal.tenant, &ticket))?;
    let now = app.clock.now();
    let mut transaction = app.store.begin(&principal.tenant).await?;
    let token = tokens::find(&mut transaction, &principal.tenant, &id).await?;
    if token.is_none_or(|token| token.ticket.as_ref() != Some(&ticket)) {
        return Err(ApiError::TokenUnknown);
    }
    let outcome = match tokens::revoke(&mut transaction, &principal.tenant, &id, now).await? {
        true => Outcome::Done,
        false => Outcome::Repeated,
    };
    let act = (Act::RevokeToken, On::Token(&id), outcome);
    record(&mut transaction, &principal.tenant, now, Actor::Token(&principal), act, None).await?;
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
