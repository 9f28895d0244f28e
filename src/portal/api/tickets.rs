//! Tickets: opening, seeing, closing, reopening.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::{LIST_LIMIT, assignments, read_body, read_json, ticket_of};
use crate::clock::Timestamp;
use crate::ids::{TenantId, TicketId};
use crate::portal::app::{App, random_id};
use crate::portal::audit::{Act, Actor, On, Outcome, record};
use crate::portal::auth::{Action, Object, Principal, authorize};
use crate::portal::error::ApiError;
use crate::portal::jobs::delete;
use crate::portal::receive::state_of;
use crate::portal::store::{Connection, snapshots, tickets};
use crate::track::Phase;
use crate::track::history::{History, Told};
use crate::wire;

/// How far in the future an event may lie, for clocks that differ, in seconds.
const AHEAD: i64 = 300;

/// The longest name of an event in characters.
const EVENT_LIMIT: usize = 128;

pub(crate) async fn open(State(app): State<Arc<App>>, principal: Principal, body: Body) -> Result<Response, ApiError> {
    let wire::NewTicket { ticket } = read_json(body).await?;
    authorize(&principal, Action::OpenTicket, Object::Ticket(&principal.tenant, &ticket))?;
    let now = app.clock.now();
    let mut transaction = app.store.begin().await?;
    if !tickets::add(&mut transaction, &principal.tenant, &ticket, now).await? {
        return Err(ApiError::TicketExists);
    }
    let act = (Act::OpenTicket, On::Ticket(ticket.as_str()), Outcome::Done);
    record(&mut transaction, &principal.tenant, now, Actor::Token(&principal), act, None).await?;
    assignments::opened(&mut transaction, &principal, &ticket, now).await?;
    let told = tell(&mut transaction, &principal.tenant, &ticket, now).await?;
    transaction.commit().await?;
    let location = format!("/v1/tickets/{ticket}");
    Ok((StatusCode::CREATED, [("location", location)], Json(told)).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Which {
    state: Option<wire::TicketState>,
}

pub(crate) async fn list(
    State(app): State<Arc<App>>,
    principal: Principal,
    which: Result<Query<Which>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Vec<wire::Ticket>>, ApiError> {
    authorize(&principal, Action::SeeTicket, Object::Reached)?;
    let Query(which) =
        which.map_err(|_| ApiError::bad("The list can be asked for with ?state=open or ?state=closed."))?;
    let closed = which.state.map(|state| state == wire::TicketState::Closed);
    let now = app.clock.now();
    let mut connection = app.store.read().await?;
    let mut told = Vec::new();
    for ticket in tickets::list(&mut connection, &principal.tenant, closed, principal.limit(), LIST_LIMIT).await? {
        told.push(tell_of(&mut connection, &principal.tenant, ticket, now).await?);
    }
    Ok(Json(told))
}

pub(crate) async fn show(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(ticket): Path<String>,
) -> Result<Json<wire::Ticket>, ApiError> {
    let ticket = ticket_of(&ticket)?;
    authorize(&principal, Action::SeeTicket, Object::Ticket(&principal.tenant, &ticket))?;
    let mut connection = app.store.read().await?;
    Ok(Json(tell(&mut connection, &principal.tenant, &ticket, app.clock.now()).await?))
}

pub(crate) async fn close(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(ticket): Path<String>,
    body: Body,
) -> Result<Json<wire::Ticket>, ApiError> {
    event(&app, &principal, &ticket, body, true).await
}

pub(crate) async fn reopen(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(ticket): Path<String>,
    body: Body,
) -> Result<Json<wire::Ticket>, ApiError> {
    event(&app, &principal, &ticket, body, false).await
}

/// Takes an event of the ticket's source and counts every deadline of the ticket anew, in one transaction.
async fn event(
    app: &App,
    principal: &Principal,
    ticket: &str,
    body: Body,
    closed: bool,
) -> Result<Json<wire::Ticket>, ApiError> {
    let ticket = ticket_of(ticket)?;
    let (action, act) =
        if closed { (Action::CloseTicket, Act::CloseTicket) } else { (Action::ReopenTicket, Act::ReopenTicket) };
    authorize(principal, action, Object::Ticket(&principal.tenant, &ticket))?;
    let body = read_body(body).await?;
    let told: wire::TicketEvent = if body.is_empty() {
        wire::TicketEvent { at: None, event: None }
    } else {
        serde_json::from_slice(&body)
            .map_err(|_| ApiError::Bad(StatusCode::UNPROCESSABLE_ENTITY, "The body is not a ticket's event."))?
    };
    let now = app.clock.now();
    let at = told.at.unwrap_or(now);
    let name = told.event.unwrap_or_else(random_id);
    if at > now.plus_seconds(AHEAD) {
        return Err(ApiError::bad("An event cannot lie in the future."));
    }
    if name.is_empty() || name.chars().count() > EVENT_LIMIT || name.chars().any(char::is_control) {
        return Err(ApiError::bad("The name of an event is 1 to 128 printable characters."));
    }

    let tenant = &principal.tenant;
    let mut transaction = app.store.begin().await?;
    let known = tickets::find(&mut transaction, tenant, &ticket).await?.ok_or(ApiError::TicketUnknown)?;
    if at < known.opened_at {
        return Err(ApiError::bad("An event cannot lie before the ticket was opened here."));
    }
    // What was due before this was told stays due: a reopening that comes too late brings nothing back.
    delete::begin_due(app, &mut transaction, now, Some((tenant, &ticket))).await?;
    let new = tickets::add_event(&mut transaction, tenant, &ticket, &name, closed, at).await?;
    let outcome = if new { Outcome::Done } else { Outcome::Repeated };
    let what = (act, On::Ticket(ticket.as_str()), outcome);
    record(&mut transaction, tenant, now, Actor::Token(principal), what, None).await?;
    if new {
        count_anew(app, &mut transaction, tenant, &ticket).await?;
    }
    let told = tell(&mut transaction, tenant, &ticket, now).await?;
    transaction.commit().await?;
    Ok(Json(told))
}

/// Folds the ticket's events and writes down when it was closed and when each stored snapshot must be gone.
async fn count_anew(
    app: &App,
    connection: &mut Connection,
    tenant: &TenantId,
    ticket: &TicketId,
) -> Result<(), ApiError> {
    let events = tickets::events(connection, tenant, ticket).await?;
    let mut history = History::new();
    for (event, at) in &events {
        match event {
            crate::track::Event::TicketClosed => history.add(Told::Closed, *at),
            _ => history.add(Told::Reopened, *at),
        }
    }
    tickets::set_closed_at(connection, tenant, ticket, history.closed_at()).await?;
    let policy = app.policy(connection, tenant).await?;
    for snapshot in snapshots::list(connection, tenant, Some(ticket), None, i64::MAX).await? {
        let Some(uploaded_at) = snapshot.uploaded_at.filter(|_| snapshot.phase == Phase::Stored) else { continue };
        let state = state_of(uploaded_at, &events);
        if let Some(due_at) = state.deadline(&policy) {
            snapshots::set_deadline(connection, tenant, &snapshot.id, state.closed_at(), due_at).await?;
        }
    }
    Ok(())
}

async fn tell(
    connection: &mut Connection,
    tenant: &TenantId,
    ticket: &TicketId,
    now: Timestamp,
) -> Result<wire::Ticket, ApiError> {
    let found = tickets::find(connection, tenant, ticket).await?.ok_or(ApiError::TicketUnknown)?;
    tell_of(connection, tenant, found, now).await
}

async fn tell_of(
    connection: &mut Connection,
    tenant: &TenantId,
    ticket: tickets::Ticket,
    now: Timestamp,
) -> Result<wire::Ticket, ApiError> {
    let snapshots = snapshots::list(connection, tenant, Some(&ticket.id), None, LIST_LIMIT).await?;
    Ok(wire::Ticket {
        ticket: ticket.id,
        state: if ticket.closed_at.is_some() { wire::TicketState::Closed } else { wire::TicketState::Open },
        closed_at: ticket.closed_at,
        snapshots: snapshots.iter().map(|snapshot| snapshot.to_wire(now)).collect(),
    })
}
