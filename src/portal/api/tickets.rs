//! Tickets: opening, seeing, closing, reopening.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use utoipa::IntoParams;

use super::page::{Page, Pages};
use super::{LIST_LIMIT, assignments, known_ticket, moment, read_body, read_json, ticket_of};
use crate::clock::Timestamp;
use crate::ids::{TenantId, TicketId};
use crate::portal::app::{App, random_id};
use crate::portal::audit::{Act, Actor, On, Outcome, record};
use crate::portal::auth::{Action, Object, Principal, authorize};
use crate::portal::deadlines;
use crate::portal::error::ApiError;
use crate::portal::jobs::hide;
use crate::portal::store::events::{self, Event, Taken};
use crate::portal::store::{Connection, snapshots, tickets};
use crate::track::deadline::{end_of_day, start_of_day};
use crate::track::history::Told;
use crate::wire;

/// The source of what is told by requests.
const SOURCE: &str = "api";

/// How many events of one ticket are kept.
const EVENTS_LIMIT: i64 = 10_000;

/// How far in the future an event may lie, for clocks that differ, in seconds.
const AHEAD: i64 = 300;

/// The longest name of an event in characters.
const EVENT_LIMIT: usize = 128;

/// Opens a ticket.
#[utoipa::path(
    post, path = "/v1/tickets", request_body = wire::NewTicket,
    responses((status = 201, description = "It is open", body = wire::Ticket, headers(("Location" = String)))),
    extensions(("x-problems" = json!(["ticket-exists"]))),
)]
pub(crate) async fn open(State(app): State<Arc<App>>, principal: Principal, body: Body) -> Result<Response, ApiError> {
    let wire::NewTicket { ticket } = read_json(body).await?;
    authorize(&principal, Action::OpenTicket, Object::Ticket(&principal.tenant, &ticket))?;
    if hide::is_like_hidden(&ticket) {
        return Err(ApiError::Bad(
            StatusCode::UNPROCESSABLE_ENTITY,
            "A ticket cannot be called by 64 hexadecimal digits: so the portal calls tickets of which nothing is left.",
        ));
    }
    let now = app.clock.now();
    let mut transaction = app.store.begin(&principal.tenant).await?;
    let known = hide::known_as(&app, &mut transaction, &principal.tenant, &ticket).await?;
    if known != ticket || !tickets::add(&mut transaction, &principal.tenant, &ticket, now).await? {
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

/// Which page of the list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// The open or the closed ones alone.
    state: Option<wire::TicketState>,
    /// The most items of the page; 100 when absent.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 1000)]
    limit: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
}

/// Lists tickets, the newest first.
#[utoipa::path(
    get, path = "/v1/tickets", params(Which),
    responses((status = 200, description = "A page of the list", body = wire::List<wire::ListedTicket>)),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    principal: Principal,
    which: Result<Query<Which>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, ApiError> {
    authorize(&principal, Action::SeeTicket, Object::Reached)?;
    let Query(which) = which.map_err(|_| {
        ApiError::bad("The list can be asked for with ?state=open or ?state=closed, ?limit= and ?after=.")
    })?;
    let page: Page<tickets::Place> = Pages::of("tickets").asked(which.limit.as_deref(), which.after.as_deref())?;
    let closed = which.state.map(|state| state == wire::TicketState::Closed);
    let state = which.state.map(|state| if state == wire::TicketState::Closed { "closed" } else { "open" });
    let mut connection = app.store.read(&principal.tenant).await?;
    let of = (closed, principal.limit());
    let found = tickets::list(&mut connection, &principal.tenant, of, page.after.as_ref(), page.rows()).await?;
    let place = |ticket: &tickets::Ticket| (ticket.opened_at.seconds(), ticket.id.as_str().to_owned());
    page.answer(found, place, listed, ("/v1/tickets", &[("state", state)]))
}

/// Tells a ticket and its snapshots.
#[utoipa::path(
    get, path = "/v1/tickets/{ticket}",
    responses((status = 200, description = "The ticket", body = wire::Ticket)),
)]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(ticket): Path<String>,
) -> Result<Json<wire::Ticket>, ApiError> {
    let (known, ticket) = (known_ticket(&app, &principal, &ticket).await?, ticket_of(&ticket)?);
    authorize(&principal, Action::SeeTicket, Object::Ticket(&principal.tenant, &known))?;
    let mut connection = app.store.read(&principal.tenant).await?;
    let mut told = tell(&mut connection, &principal.tenant, &known, app.clock.now()).await?;
    if principal.once {
        let own = snapshots::of_token(&mut connection, &principal.tenant, &known, &principal.token).await?;
        told.snapshots.retain(|snapshot| own.contains(&snapshot.id));
    }
    Ok(Json(wire::Ticket { ticket, ..told }))
}

/// Closes a ticket: the days until the deletion of its snapshots are counted.
///
/// They count from the closing, also when that is told late; but a week is left before anything is deleted because of it.
#[utoipa::path(
    post, path = "/v1/tickets/{ticket}/close", request_body = Option<wire::TicketEvent>,
    responses((status = 200, description = "The ticket as it is now", body = wire::Ticket)),
    extensions(("x-problems" = json!(["bad-request", "bad-request 409"]))),
)]
pub(crate) async fn close(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(ticket): Path<String>,
    body: Body,
) -> Result<Json<wire::Ticket>, ApiError> {
    event(&app, &principal, &ticket, body, Told::Closed).await
}

/// Opens a closed ticket again: the deadlines that followed from its closing are off, but for what is over already.
#[utoipa::path(
    post, path = "/v1/tickets/{ticket}/reopen", request_body = Option<wire::TicketEvent>,
    responses((status = 200, description = "The ticket as it is now", body = wire::Ticket)),
    extensions(("x-problems" = json!(["bad-request", "bad-request 409"]))),
)]
pub(crate) async fn reopen(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(ticket): Path<String>,
    body: Body,
) -> Result<Json<wire::Ticket>, ApiError> {
    event(&app, &principal, &ticket, body, Told::Reopened).await
}

/// Takes an event of the ticket's source and counts every deadline that follows anew, in one transaction.
async fn event(
    app: &App,
    principal: &Principal,
    ticket: &str,
    body: Body,
    told: Told,
) -> Result<Json<wire::Ticket>, ApiError> {
    let (known, ticket) = (known_ticket(app, principal, ticket).await?, ticket_of(ticket)?);
    let (action, act) = match told {
        Told::Closed => (Action::CloseTicket, Act::CloseTicket),
        _ => (Action::ReopenTicket, Act::ReopenTicket),
    };
    authorize(principal, action, Object::Ticket(&principal.tenant, &known))?;
    let body = read_body(body).await?;
    let event: wire::TicketEvent = if body.is_empty() {
        wire::TicketEvent::default()
    } else {
        serde_json::from_slice::<Option<_>>(&body)
            .map_err(|_| ApiError::Bad(StatusCode::UNPROCESSABLE_ENTITY, "The body is not a ticket's event."))?
            .unwrap_or_default()
    };
    let name = event.event.unwrap_or_else(random_id);
    if name.is_empty() || name.chars().count() > EVENT_LIMIT || name.chars().any(char::is_control) {
        return Err(ApiError::bad("The name of an event is 1 to 128 printable characters."));
    }

    let (tenant, now) = (&principal.tenant, app.clock.now());
    let mut transaction = app.store.begin(tenant).await?;
    hide::name_again(app, &mut transaction, tenant, &ticket).await?;
    let known = tickets::find(&mut transaction, tenant, &ticket).await?.ok_or(ApiError::TicketUnknown)?;
    let zone = app.policy(&mut transaction, tenant).await?.zone;
    let at = match &event.at {
        None => now,
        // The end of a day that has begun is no later than now: its deadline is the same, and what is told after it comes
        // after it.
        Some(wire::Moment::Day(day)) if start_of_day(*day, &zone) <= now => end_of_day(*day, &zone).min(now),
        Some(at) => moment(at, &zone),
    };
    if at > now.plus_seconds(AHEAD) {
        return Err(ApiError::bad("An event cannot lie in the future."));
    }
    if at < known.opened_at {
        return Err(ApiError::bad("An event cannot lie before the ticket was opened here."));
    }
    if events::count(&mut transaction, tenant, &ticket).await? >= EVENTS_LIMIT {
        return Err(ApiError::Bad(StatusCode::CONFLICT, "Too many events of this ticket were told."));
    }
    deadlines::settle(app, &mut transaction, tenant, &ticket).await?;
    let version = i64::from(event.version.unwrap_or(0));
    let event = Event { source: SOURCE, name: &name, version, told, at };
    let taken = events::tell(&mut transaction, tenant, &ticket, &event).await?;
    let outcome = match taken {
        Taken::New => Outcome::Done,
        Taken::Repeated => Outcome::Repeated,
        Taken::Outdated => Outcome::Outdated,
    };
    let what = (act, On::Ticket(ticket.as_str()), outcome);
    record(&mut transaction, tenant, now, Actor::Token(principal), what, None).await?;
    if taken == Taken::New {
        tickets::touch(&mut transaction, tenant, &ticket, at).await?;
        if known.merged_into.is_none() {
            deadlines::count_ticket(app, &mut transaction, tenant, &ticket, now).await?;
        }
    }
    let told = tell(&mut transaction, tenant, &ticket, now).await?;
    transaction.commit().await?;
    Ok(Json(told))
}

/// Merges a ticket into another.
///
/// From now on the other's history counts for its snapshots, its closing from the merge on; each keeps its own hard cap. It is
/// for good.
#[utoipa::path(
    post, path = "/v1/tickets/{ticket}/merge", request_body = wire::TicketMerge,
    responses((status = 200, description = "The ticket as it is now", body = wire::Ticket)),
    extensions(("x-problems" = json!(["ticket-merged"]))),
)]
pub(crate) async fn merge(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(ticket): Path<String>,
    body: Body,
) -> Result<Json<wire::Ticket>, ApiError> {
    let (known, ticket) = (known_ticket(&app, &principal, &ticket).await?, ticket_of(&ticket)?);
    let tenant = &principal.tenant;
    authorize(&principal, Action::MergeTicket, Object::Ticket(tenant, &known))?;
    let wire::TicketMerge { into } = read_json(body).await?;
    let known = known_ticket(&app, &principal, into.as_str()).await?;
    authorize(&principal, Action::MergeTicket, Object::Ticket(tenant, &known))?;
    let now = app.clock.now();
    let mut transaction = app.store.begin(tenant).await?;
    for named in [&ticket, &into] {
        hide::name_again(&app, &mut transaction, tenant, named).await?;
    }
    let (root, outcome) = deadlines::merge(&app, &mut transaction, tenant, (&ticket, &into), now).await?;
    for merged in [&ticket, &root] {
        let what = (Act::MergeTicket, On::Ticket(merged.as_str()), outcome);
        record(&mut transaction, tenant, now, Actor::Token(&principal), what, None).await?;
    }
    let told = tell(&mut transaction, tenant, &ticket, now).await?;
    transaction.commit().await?;
    Ok(Json(told))
}

async fn tell(
    connection: &mut Connection,
    tenant: &TenantId,
    ticket: &TicketId,
    now: Timestamp,
) -> Result<wire::Ticket, ApiError> {
    let found = tickets::find(connection, tenant, ticket).await?.ok_or(ApiError::TicketUnknown)?;
    let snapshots = snapshots::list(connection, tenant, Some(&found.id), None, LIST_LIMIT).await?;
    let wire::ListedTicket { ticket, state, closed_at, merged_into, asked_at } = listed(found);
    let snapshots = snapshots.iter().map(|snapshot| snapshot.to_wire(now)).collect();
    Ok(wire::Ticket { ticket, state, closed_at, merged_into, asked_at, snapshots })
}

/// A ticket as a list tells it.
fn listed(ticket: tickets::Ticket) -> wire::ListedTicket {
    wire::ListedTicket {
        ticket: ticket.id,
        state: if ticket.closed_at.is_some() { wire::TicketState::Closed } else { wire::TicketState::Open },
        closed_at: ticket.closed_at,
        asked_at: ticket.asked_at.filter(|asked_at| ticket.closed_at.is_none() && *asked_at > ticket.active_at),
        merged_into: ticket.merged_into,
    }
}
