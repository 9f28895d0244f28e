//! Requests: a technician leaves one for a ticket and reads eight characters over the telephone; whoever types them gets the
//! request and a token to send with, once.
//!
//! A code has 35 random bits and lives for seven days at most. Whoever guesses is counted with every guess, right or wrong, by
//! network and over all of them; a wrong code, a used one and an expired one get the same answer after the same one look-up. A
//! code that was guessed lets a stranger put one file beside a ticket; it reads nothing that others sent and withdraws nothing.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::{LIST_LIMIT, known_ticket, read_json, ticket_of};
use crate::clock::Timestamp;
use crate::format::request::{ClaimedRequest, RequestError};
use crate::portal::app::{App, RequestId, random_id, system_rng};
use crate::portal::audit::{Act, Actor, On, Outcome, record};
use crate::portal::auth::{Action, Client, Object, Principal, Role, authorize, hash, new_token};
use crate::portal::error::ApiError;
use crate::portal::store::requests::{RequestRow, Used};
use crate::portal::store::tokens::TokenRow;
use crate::portal::store::{Connection, requests, snapshots, tickets, tokens};
use crate::wire::{self, RequestCode};

/// How long the token is good for that a code gives, in days: an upload may be interrupted for long, and what was sent can be
/// withdrawn with it.
const TOKEN_DAYS: i64 = 90;

/// The most requests that wait for one ticket.
const MOST: usize = 20;

/// How often a code is drawn when others have it already.
const DRAWS: usize = 4;

/// Leaves a signed request for a ticket. Its code is told this once.
#[utoipa::path(
    post, path = "/v1/tickets/{ticket}/requests", request_body = wire::NewRequest,
    responses((status = 201, description = "The code", body = wire::MadeRequest)),
    extensions(("x-problems" = json!(["bad-request", "bad-request 409", "ticket-closed"]))),
)]
pub(crate) async fn make(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(ticket): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    let named = ticket_of(&ticket)?;
    let ticket = known_ticket(&app, &principal, &ticket).await?;
    let tenant = &principal.tenant;
    authorize(&principal, Action::MakeToken, Object::Ticket(tenant, &ticket))?;
    let wire::NewRequest { request } = read_json(body).await?;
    let now = app.clock.now();
    let claimed = ClaimedRequest::read(&request)
        .map_err(|_| ApiError::Bad(StatusCode::UNPROCESSABLE_ENTITY, "The body does not hold a signed request."))?;
    let asked = claimed.asked();
    if asked.ticket != named {
        return Err(ApiError::bad("The request is for another ticket."));
    }
    asked.check_time(now).map_err(|error| match error {
        RequestError::Expired(_) => ApiError::bad("The request has expired."),
        _ => ApiError::bad("The request was signed in the future; compare the clocks."),
    })?;
    let mut transaction = app.store.begin(tenant).await?;
    let found = tickets::find(&mut transaction, tenant, &ticket).await?.ok_or(ApiError::TicketUnknown)?;
    if found.closed_at.is_some() {
        return Err(ApiError::TicketClosed);
    }
    requests::expire(&mut transaction, now).await?;
    if requests::of_ticket(&mut transaction, tenant, &ticket, LIST_LIMIT).await?.len() >= MOST {
        return Err(ApiError::Bad(StatusCode::CONFLICT, "20 requests wait for this ticket already."));
    }
    let row = RequestRow {
        tenant: tenant.clone(),
        id: random_id(),
        ticket,
        max_bytes: asked.max_bytes.into_iter().chain(principal.max_bytes).min(),
        expires_at: asked.expires,
        note: request,
        used: None,
    };
    let code = draw(&app, &mut transaction, &row, now).await?;
    let act = (Act::MakeRequest, On::Code(&row.id), Outcome::Done);
    record(&mut transaction, tenant, now, Actor::Token(&principal), act, None).await?;
    transaction.commit().await?;
    let made = wire::MadeRequest { id: row.id, code, expires: row.expires_at };
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

/// Draws the code of a request and adds it.
async fn draw(
    app: &App,
    connection: &mut Connection,
    row: &RequestRow,
    now: Timestamp,
) -> Result<RequestCode, ApiError> {
    for _ in 0..DRAWS {
        let code = RequestCode::random(&mut system_rng());
        if requests::add(connection, row, &app.authority.hash_code(&code), now).await? {
            return Ok(code);
        }
    }
    Err(ApiError::fault("no code is free"))
}

/// Lists the requests for a ticket that have not expired, without their codes; all on one page.
#[utoipa::path(
    get, path = "/v1/tickets/{ticket}/requests",
    responses((status = 200, description = "The requests, oldest first", body = wire::List<wire::PendingRequest>)),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(ticket): Path<String>,
) -> Result<Json<wire::List<wire::PendingRequest>>, ApiError> {
    let ticket = known_ticket(&app, &principal, &ticket).await?;
    authorize(&principal, Action::MakeToken, Object::Ticket(&principal.tenant, &ticket))?;
    let now = app.clock.now();
    let mut connection = app.store.read(&principal.tenant).await?;
    tickets::find(&mut connection, &principal.tenant, &ticket).await?.ok_or(ApiError::TicketUnknown)?;
    let rows = requests::of_ticket(&mut connection, &principal.tenant, &ticket, LIST_LIMIT).await?;
    let told = rows.into_iter().filter(|row| row.expires_at > now).map(|row| wire::PendingRequest {
        id: row.id,
        expires: row.expires_at,
        used_at: row.used.map(|used| used.at),
    });
    Ok(Json(wire::List { items: told.collect(), next: None }))
}

/// Takes a request back: its code is refused from now on, and so is the token that it gave.
#[utoipa::path(
    delete, path = "/v1/tickets/{ticket}/requests/{id}",
    responses((status = 204, description = "It is taken back")),
    extensions(("x-problems" = json!(["code-refused"]))),
)]
pub(crate) async fn revoke(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path((ticket, id)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let ticket = known_ticket(&app, &principal, &ticket).await?;
    let tenant = &principal.tenant;
    authorize(&principal, Action::RevokeToken, Object::Ticket(tenant, &ticket))?;
    let now = app.clock.now();
    let mut transaction = app.store.begin(tenant).await?;
    let rows = requests::of_ticket(&mut transaction, tenant, &ticket, LIST_LIMIT).await?;
    let row = rows.into_iter().find(|row| row.id == id).ok_or(ApiError::CodeRefused)?;
    if let Some(used) = &row.used {
        tokens::revoke(&mut transaction, tenant, &used.token, now).await?;
    }
    requests::remove(&mut transaction, tenant, &row.id).await?;
    let act = (Act::RevokeRequest, On::Code(&row.id), Outcome::Done);
    record(&mut transaction, tenant, now, Actor::Token(&principal), act, None).await?;
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives the request of a code, and a token that is good for one snapshot.
#[utoipa::path(
    post, path = "/v1/requests/redeem", request_body = wire::Redeem,
    responses((status = 200, description = "The request and the token", body = wire::Redeemed)),
    extensions(("x-problems" = json!(["bad-request", "code-refused", "ticket-closed"]))),
)]
pub(crate) async fn redeem(
    State(app): State<Arc<App>>,
    Extension(client): Extension<Client>,
    Extension(request): Extension<RequestId>,
    body: Body,
) -> Result<Json<wire::Redeemed>, ApiError> {
    app.authority.limits.code(client.network())?;
    let wire::Redeem { code, claim } = read_json(body).await?;
    if claim.len() != 32 || !claim.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(ApiError::bad("A claim is 32 hexadecimal digits."));
    }
    let (now, hashed) = (app.clock.now(), app.authority.hash_code(&code));
    let claim = Sha256::digest(claim.as_bytes());
    // Most guesses end here: they hold up nobody who writes.
    let known = requests::by_hash(&mut *app.store.read_across().await?, &hashed).await?;
    let whose = good(known, &claim, now)?.tenant;

    let mut transaction = app.store.begin(&whose).await?;
    let row = good(requests::by_hash(&mut transaction, &hashed).await?, &claim, now)?;
    let tenant = &row.tenant;
    let found = tickets::find(&mut transaction, tenant, &row.ticket).await?.ok_or(ApiError::CodeRefused)?;
    if found.closed_at.is_some() {
        return Err(ApiError::TicketClosed);
    }
    if let Some(used) = &row.used {
        if !snapshots::of_token(&mut transaction, tenant, &row.ticket, &used.token).await?.is_empty() {
            return Err(ApiError::CodeRefused);
        }
        // The answer was lost, and the token with it.
        tokens::revoke(&mut transaction, tenant, &used.token, now).await?;
    }
    let (text, id) = new_token(&mut system_rng());
    let token = TokenRow {
        tenant: tenant.clone(),
        id: id.clone(),
        hash: hash(text.expose()),
        role: Role::Upload,
        ticket: Some(row.ticket.clone()),
        max_bytes: row.max_bytes,
        once: true,
        expires_at: now.plus_days(TOKEN_DAYS),
        revoked_at: None,
    };
    tokens::add(&mut transaction, &token, now).await?;
    let used = Used { at: now, claim: claim.to_vec(), token: id };
    requests::redeem(&mut transaction, tenant, &row.id, &used).await?;
    let outcome = if row.used.is_some() { Outcome::Repeated } else { Outcome::Done };
    let act = (Act::RedeemRequest, On::Code(&row.id), outcome);
    record(&mut transaction, tenant, now, Actor::Nobody(&request), act, None).await?;
    let policy = app.policy(&mut transaction, tenant).await?;
    transaction.commit().await?;
    Ok(Json(wire::Redeemed {
        request: row.note,
        token: text.expose().clone().into(),
        expires: token.expires_at,
        after_close_days: policy.after_close_days,
        hard_cap_days: policy.hard_cap_days,
    }))
}

/// The request, if its code may be redeemed with this claim.
fn good(found: Option<RequestRow>, claim: &[u8], now: Timestamp) -> Result<RequestRow, ApiError> {
    let row = found.filter(|row| row.expires_at > now).ok_or(ApiError::CodeRefused)?;
    match &row.used {
        Some(used) if !bool::from(used.claim.ct_eq(claim)) => Err(ApiError::CodeRefused),
        _ => Ok(row),
    }
}
