//! The tickets that somebody may see.

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde_json::json;

use super::answer::{Refusal, told};
use super::form::{Form, encoded, query};
use super::frame::{Frame, page};
use super::visitor::Visitor;
use super::words::{When, counted, distance};
use crate::portal::api::tickets;
use crate::portal::app::App;
use crate::portal::auth::{Action, Object};
use crate::portal::error::ApiError;
use crate::portal::store::snapshots;
use crate::wire::{List, ListedTicket, Ticket, TicketState};

/// How many tickets a page shows.
const LIMIT: &str = "50";

/// Leads to the tickets.
pub(super) async fn home(_: Visitor) -> Redirect {
    Redirect::to("/tickets")
}

#[derive(Template)]
#[template(path = "tickets.html")]
struct TicketsPage {
    frame: Frame,
    /// Which are shown: `open`, `closed` or all.
    state: &'static str,
    may_open: bool,
    /// Whether the person who looks sets the portal up.
    begins: bool,
    rows: Vec<Row>,
    next: Option<String>,
    zone: String,
}

struct Row {
    ticket: String,
    is_open: bool,
    snapshots: String,
    is_one: bool,
    /// When the first of its snapshots must be gone.
    due: Option<(When, String)>,
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    RawQuery(asked): RawQuery,
) -> Result<Response, Refusal> {
    let asked = Form::of_query(asked.as_deref());
    let state = match asked.text("state") {
        "closed" => "closed",
        "all" => "all",
        _ => "open",
    };
    let mut wanted = vec![("limit", LIMIT)];
    wanted.extend(Some(state).filter(|state| *state != "all").map(|state| ("state", state)));
    wanted.extend(asked.filled("after").map(|after| ("after", after)));
    let answer = tickets::list(State(app.clone()), visitor.0.clone(), query(&wanted)?).await;
    let (found, _) = told::<List<ListedTicket>>(answer).await?;
    let zone = visitor.policy(&app).await?.zone;
    let mut connection = app.store.read(&visitor.0.tenant).await.map_err(ApiError::from)?;
    let tenant = &visitor.0.tenant;
    let now = app.clock.now();
    let mut rows = Vec::with_capacity(found.items.len());
    for ticket in found.items {
        let standing = snapshots::standing(&mut connection, tenant, &ticket.ticket).await.map_err(ApiError::from)?;
        let (count, due) = standing;
        rows.push(Row {
            is_open: ticket.state == TicketState::Open,
            is_one: count == 1,
            snapshots: counted(count, "snapshot", "snapshots"),
            due: due.map(|at| (When::new(at, &zone), distance(at, now))),
            ticket: ticket.ticket.to_string(),
        });
    }
    let next = found.next.map(|after| format!("/tickets?state={state}&after={}", encoded(&after)));
    Ok(page(&TicketsPage {
        rows,
        begins: visitor.may(Action::ManageUsers, Object::Tenant),
        may_open: visitor.may(Action::OpenTicket, Object::Reached),
        frame: Frame::of(&visitor, "/tickets", "Tickets"),
        state,
        next,
        zone: zone.to_string(),
    })?)
}

/// Opens a ticket and shows it.
pub(super) async fn open(State(app): State<Arc<App>>, visitor: Visitor, body: Body) -> Result<Response, Refusal> {
    let form = Form::read(body).await?;
    let Ok(ticket) = form.text("ticket").parse::<crate::ids::TicketId>() else {
        let rule =
            "A ticket's name has 1 to 64 letters, digits, \"-\", \"_\" or \".\", and begins with a letter or digit.";
        return Err(ApiError::bad(rule).into());
    };
    let asked = Body::from(json!({ "ticket": ticket }).to_string());
    told::<Ticket>(tickets::open(State(app), visitor.0, asked).await).await?;
    Ok(Redirect::to(&format!("/tickets/{ticket}?done=opened")).into_response())
}
