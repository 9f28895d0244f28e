//! Who is on a ticket. A lead puts people on it, themselves too, and takes them off; whoever opens a ticket is on it.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::known_ticket;
use super::page::{Page, Pages, Which};
use crate::clock::Timestamp;
use crate::ids::TicketId;
use crate::portal::app::App;
use crate::portal::audit::{Act, Actor, On, Outcome, record};
use crate::portal::auth::{Action, Object, Principal, Role, authorize};
use crate::portal::error::ApiError;
use crate::portal::store::{Connection, assignments, tickets, users};
use crate::wire::List;

/// Somebody who is on a ticket.
#[derive(Serialize, ToSchema)]
pub(crate) struct Assignee {
    user: String,
    since: Timestamp,
}

/// Lists who is on a ticket, in the order they came.
#[utoipa::path(
    get, path = "/v1/tickets/{ticket}/assignees", params(Which),
    responses((status = 200, description = "A page of the list", body = List<Assignee>)),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(ticket): Path<String>,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Response, ApiError> {
    let page: Page<assignments::Place> = Pages::of("assignees").asked_by(which)?;
    let ticket = known_ticket(&app, &principal, &ticket).await?;
    authorize(&principal, Action::SeeAssignments, Object::Ticket(&principal.tenant, &ticket))?;
    let mut connection = app.store.read(&principal.tenant).await?;
    tickets::find(&mut connection, &principal.tenant, &ticket).await?.ok_or(ApiError::TicketUnknown)?;
    let found =
        assignments::of_ticket(&mut connection, &principal.tenant, &ticket, page.after.as_ref(), page.rows()).await?;
    let place = |(user, since): &(String, Timestamp)| (since.seconds(), user.clone());
    let path = format!("/v1/tickets/{ticket}/assignees");
    page.answer(found, place, |(user, since)| Assignee { user, since }, (&path, &[]))
}

/// Puts a user on a ticket. Told twice, it is so once.
#[utoipa::path(
    put, path = "/v1/tickets/{ticket}/assignees/{user}",
    responses((status = 204, description = "The user is on the ticket")),
    extensions(("x-problems" = json!(["user-unknown", "bad-request 409"]))),
)]
pub(crate) async fn assign(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path((ticket, user)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let ticket = known_ticket(&app, &principal, &ticket).await?;
    let tenant = &principal.tenant;
    authorize(&principal, Action::Assign, Object::Ticket(tenant, &ticket))?;
    let now = app.clock.now();
    let mut transaction = app.store.begin(tenant).await?;
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
#[utoipa::path(
    delete, path = "/v1/tickets/{ticket}/assignees/{user}",
    responses((status = 204, description = "The user is not on the ticket")),
    extensions(("x-problems" = json!(["user-unknown"]))),
)]
pub(crate) async fn unassign(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path((ticket, user)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let ticket = known_ticket(&app, &principal, &ticket).await?;
    let tenant = &principal.tenant;
    authorize(&principal, Action::Assign, Object::Ticket(tenant, &ticket))?;
    let now = app.clock.now();
    let mut transaction = app.store.begin(tenant).await?;
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
