//! One ticket: its snapshots, closing and reopening, who is on it, and tokens for those who send.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;
use serde_json::json;

use super::answer::{Refusal, done, told};
use super::form::{Form, query};
use super::frame::{Frame, page, role};
use super::people::{User, everyone};
use super::requests::{Waiting, waiting};
use super::tokens::{Good, good};
use super::visitor::Visitor;
use super::words::{When, distance, short, size, state};
use crate::ids::TicketId;
use crate::portal::api::{assignments, tickets};
use crate::portal::app::App;
use crate::portal::auth::{Action, Object, Role};
use crate::portal::error::ApiError;
use crate::wire::{List, Ticket, TicketState, Token};

#[derive(Template)]
#[template(path = "ticket.html")]
struct TicketPage {
    frame: Frame,
    ticket: String,
    is_open: bool,
    closed: Option<When>,
    merged_into: Option<String>,
    is_asked: bool,
    snapshots: Vec<Row>,
    zone: String,
    can: Can,
    /// Who is on the ticket; absent for those who are not told.
    assignees: Option<Vec<Person>>,
    /// Who may be put on it; empty for those who put nobody on it.
    others: Vec<Person>,
    /// A token that was just made, told this once.
    token: Option<(String, When)>,
    /// Those that are good, for whoever may revoke them.
    tokens: Vec<Good>,
    /// The requests that are not over, for whoever may take them back.
    requests: Vec<Waiting>,
}

/// What the person who looks may do with the ticket as it is.
struct Can {
    close: bool,
    reopen: bool,
    upload: bool,
    make_token: bool,
    assign: bool,
    read_log: bool,
}

struct Row {
    id: String,
    short: String,
    state: &'static str,
    size: String,
    due: Option<(When, String)>,
    deleted: Option<When>,
    reads: u64,
}

struct Person {
    id: String,
    name: String,
}

#[derive(Deserialize)]
struct Assignee {
    user: String,
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(ticket): Path<String>,
    RawQuery(asked): RawQuery,
) -> Result<Response, Refusal> {
    let done = Form::of_query(asked.as_deref()).text("done").to_owned();
    shown(&app, &visitor, &ticket, &done, None).await
}

/// The page of a ticket, with a token if one was just made.
pub(super) async fn shown(
    app: &Arc<App>,
    visitor: &Visitor,
    ticket: &str,
    done: &str,
    token: Option<Token>,
) -> Result<Response, Refusal> {
    let principal = &visitor.0;
    let answer = tickets::show(State(app.clone()), principal.clone(), Path(ticket.to_owned())).await;
    let (found, _) = told::<Ticket>(answer).await?;
    let zone = visitor.policy(app).await?.zone;
    let now = app.clock.now();
    let may = |action| visitor.may(action, Object::Ticket(&principal.tenant, &found.ticket));
    let is_open = found.state == TicketState::Open;
    let can = Can {
        close: is_open && may(Action::CloseTicket),
        reopen: (!is_open || found.asked_at.is_some()) && may(Action::ReopenTicket),
        upload: is_open && may(Action::Upload),
        make_token: is_open && may(Action::MakeToken),
        assign: may(Action::Assign),
        read_log: may(Action::ReadTicketAudit),
    };
    let snapshots = found.snapshots.iter().map(|snapshot| Row {
        id: snapshot.id.to_string(),
        short: short(&snapshot.id.to_string()).to_owned(),
        state: state(snapshot.state),
        size: size(snapshot.size),
        due: snapshot
            .due_at
            .filter(|_| snapshot.deleted_at.is_none())
            .map(|at| (When::new(at, &zone), distance(at, now))),
        deleted: snapshot.deleted_at.map(|at| When::new(at, &zone)),
        reads: snapshot.reads,
    });
    let snapshots = snapshots.collect();
    let names = if can.assign { everyone(app, visitor).await? } else { Vec::new() };
    let assignees =
        if may(Action::SeeAssignments) { Some(on(app, visitor, &found.ticket, &names).await?) } else { None };
    let requests = if may(Action::MakeToken) { waiting(app, visitor, &found.ticket, &zone).await? } else { Vec::new() };
    let tokens =
        if may(Action::RevokeToken) { good(app, visitor, &found.ticket, (&zone, now)).await? } else { Vec::new() };
    let is_on = |id: &str| assignees.iter().flatten().any(|person| person.id == id);
    let works =
        |user: &User| matches!(user.role, Role::Staff | Role::Technician | Role::Lead) && user.disabled.is_none();
    let others = names.iter().filter(|user| works(user) && !is_on(&user.id));
    let others = others.map(|user| Person { id: user.id.clone(), name: format!("{}, {}", user.name, role(user.role)) });
    let others = others.collect();
    Ok(page(&TicketPage {
        frame: Frame::of(visitor, "/tickets", format!("Ticket {}", found.ticket)).after(done),
        is_open,
        closed: found.closed_at.map(|at| When::new(at, &zone)),
        merged_into: found.merged_into.map(|into| into.to_string()),
        is_asked: found.asked_at.is_some(),
        snapshots,
        can,
        assignees,
        others,
        tokens,
        requests,
        token: token.map(|token| (token.token.to_string(), When::new(token.expires, &zone))),
        zone: zone.to_string(),
        ticket: found.ticket.to_string(),
    })?)
}

/// Who is on a ticket, by name where names may be known.
async fn on(app: &Arc<App>, visitor: &Visitor, ticket: &TicketId, names: &[User]) -> Result<Vec<Person>, Refusal> {
    let which = query(&[("limit", "1000")])?;
    let answer = assignments::list(State(app.clone()), visitor.0.clone(), Path(ticket.to_string()), which).await;
    let found = told::<List<Assignee>>(answer).await?.0.items;
    let names: BTreeMap<&str, &str> = names.iter().map(|user| (user.id.as_str(), user.name.as_str())).collect();
    let named = found.into_iter().map(|Assignee { user }| {
        let name = match names.get(user.as_str()) {
            Some(name) => (*name).to_owned(),
            None if user == visitor.0.token => format!("{} (you)", visitor.name()),
            None => format!("user {}", short(&user)),
        };
        Person { id: user, name }
    });
    Ok(named.collect())
}

pub(super) async fn close(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(ticket): Path<String>,
    body: Body,
) -> Result<Response, Refusal> {
    let form = Form::read(body).await?;
    let event = form.filled("day").map_or_else(|| json!({}), |day| json!({ "at": day }));
    let event = Body::from(event.to_string());
    done(tickets::close(State(app), visitor.0, Path(ticket.clone()), event).await)?;
    Ok(Redirect::to(&format!("/tickets/{}?done=closed", named(&ticket)?)).into_response())
}

pub(super) async fn reopen(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(ticket): Path<String>,
) -> Result<Response, Refusal> {
    done(tickets::reopen(State(app), visitor.0, Path(ticket.clone()), Body::empty()).await)?;
    Ok(Redirect::to(&format!("/tickets/{}?done=reopened", named(&ticket)?)).into_response())
}

pub(super) async fn assign(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(ticket): Path<String>,
    body: Body,
) -> Result<Response, Refusal> {
    let user = Form::read(body).await?.text("user").to_owned();
    done(assignments::assign(State(app), visitor.0, Path((ticket.clone(), user))).await)?;
    Ok(Redirect::to(&format!("/tickets/{}?done=assigned", named(&ticket)?)).into_response())
}

pub(super) async fn unassign(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(ticket): Path<String>,
    body: Body,
) -> Result<Response, Refusal> {
    let user = Form::read(body).await?.text("user").to_owned();
    done(assignments::unassign(State(app), visitor.0, Path((ticket.clone(), user))).await)?;
    Ok(Redirect::to(&format!("/tickets/{}?done=unassigned", named(&ticket)?)).into_response())
}

/// The name of a ticket out of a path, as a name: nothing else is written into an address.
pub(super) fn named(ticket: &str) -> Result<TicketId, ApiError> {
    ticket.parse().map_err(|_| ApiError::TicketUnknown)
}
