//! Who is on a ticket. A lead puts people on it, themselves too, and takes them off; whoever opens a ticket is on it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Serialize;

use super::{LIST_LIMIT, ticket_of};
use crate::clock::Timestamp;
use crate::ids::TicketId;
use crate::portal::app::App;
use crate::portal::audit::{Act, Actor, On, Outcome, record};
use crate::portal::auth::{Action, Object, Principal, Role, authorize};
use crate::portal::error::ApiError;
use crate::portal::store::{Connection, assignments, tickets, users};

/// Somebody who is on a ticket.
#[derive(Serialize)]
pub(crate) struct Assignee {
    user: String,
    since: Timestamp,
}

/// Who is on a ticket, in the order they came.
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(ticket): Path<String>,
) -> Result<Json<Vec<Assignee>>, ApiError> {
    let ticket = ticket_of(&ticket)?;
    authorize(&principal, Action::SeeAssignments, Object::Ticket(&principal.tenant, &ticket))?;
    let mut connection = app.store.read().await?;
    tickets::find(&mut connection, &principal.tenant, &ticket).await?.ok_or(ApiError::TicketUnknown)?;
    let found = assignments::of_ticket(&mut connection, &principal.tenant, &ticket, LIST_LIMIT).await?;
    Ok(Json(found.into_iter().map(|(user, since)| Assignee { user, since }).collect()))
}

/// Puts a user on a ticket. Told twice, it is so once.
pub(crate) async fn assign(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path((ticket, user)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let ticket = ticket_of(&ticket)?;
    let tenant = &principal.tenant;
    authorize(&principal, Action::Assign, Object::Ticket(tenant, &ticket))?;
    let now = app.clock.now();
    let mut transaction = app.store.begin().await?;
    tickets::find(&mut transaction, tenant, &ticket).await?.ok_or(ApiError::TicketUnknown)?;
    let found = users::find(&mut transaction, tenant, &user).await?.ok_or(ApiError::UserUnknown)?;
    if found.disabled_at.is_some() || !matches!(found.role, Role::Staff | Role::Technician | Role::Lead) {
        return Err(ApiError::Bad(StatusCode::CONFLICT, "Only staff, technicians and leads work on tickets."));
    }
    let new = assignments::add(&mut transaction, tenant, &ticket, &user, now).await?;
    let outcome = if new { Outcome::Done } else { Outcome::Repeated };
    // The reason of the row says who was put on the ticket, by the id.
    let act = (Act::Assign, On::Ticket(ticket.as_str()), outcome);
    record(&mut transaction, tenant, now, Actor::Token(&principal), act, Some(&user)).await?;
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a user off a ticket, from the next request on.
pub(crate) async fn unassign(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path((ticket, user)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let ticket = ticket_of(&ticket)?;
    let tenant = &principal.tenant;
    authorize(&principal, Action::Assign, Object::Ticket(tenant, &ticket))?;
    let now = app.clock.now();
    let mut transaction = app.store.begin().await?;
    tickets::find(&mut transaction, tenant, &ticket).await?.ok_or(ApiError::TicketUnknown)?;
    users::find(&mut transaction, tenant, &user).await?.ok_or(ApiError::UserUnknown)?;
    let was = assignments::remove(&mut transaction, tenant, &ticket, &user).await?;
    let outcome = if was { Outcome::Done } else { Outcome::Repeated };
    let act = (Act::Unassign, On::Ticket(ticket.as_str()), outcome);
    record(&mut transaction, tenant, now, Actor::Token(&principal), act, Some(&user)).await?;
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Puts whoever opened a ticket on it, if it is a person who works on tickets they are on alone.
pub(crate) async fn opened(
    connection: &mut Connection,
    principal: &Principal,
    ticket: &TicketId,
    now: Timestamp,
) -> Result<(), ApiError> {
    let Some(user) = principal.limit() else { return Ok(()) };
    assignments::add(connection, &principal.tenant, ticket, user, now).await?;
    let act = (Act::Assign, On::Ticket(ticket.as_str()), Outcome::Done);
    record(connection, &principal.tenant, now, Actor::Token(principal), act, Some(user)).await?;
    Ok(())
}
