//! Bringing a sealed file: from the ticket's page for people who signed in, and with a token for those who have one.
//!
//! The file goes through the API's own door (`static/upload.js`): announced, then sent by tus, so that a cut line costs nothing
//! that was acknowledged.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;

use super::answer::{Refusal, told};
use super::form::Form;
use super::frame::{Frame, page};
use super::visitor::Visitor;
use super::words::size;
use crate::ids::TicketId;
use crate::portal::api::tickets;
use crate::portal::app::App;
use crate::portal::auth::{Action, Object, authorize};
use crate::portal::error::ApiError;
use crate::wire::{Ticket, TicketState};

#[derive(Template)]
#[template(path = "upload.html")]
struct UploadPage {
    frame: Frame,
    /// The ticket, when it is known; else it is asked for, with the token.
    ticket: String,
    wants_token: bool,
    most: String,
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(ticket): Path<String>,
) -> Result<Response, Refusal> {
    let answer = tickets::show(State(app.clone()), visitor.0.clone(), Path(ticket)).await;
    let (found, _) = told::<Ticket>(answer).await?;
    authorize(&visitor.0, Action::Upload, Object::Ticket(&visitor.0.tenant, &found.ticket))?;
    if found.state == TicketState::Closed {
        return Err(ApiError::TicketClosed.into());
    }
    let frame = Frame::of(&visitor, "/tickets", format!("Send a file for ticket {}", found.ticket));
    let (ticket, most) = (found.ticket.to_string(), size(app.max_snapshot_bytes));
    Ok(page(&UploadPage { frame, ticket, wants_token: false, most })?)
}

/// The page for those who have a token and no account.
pub(super) async fn show_to_sender(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let asked = Form::of_query(query.as_deref());
    let ticket = asked.text("ticket").parse::<TicketId>().map(|ticket| ticket.to_string()).unwrap_or_default();
    let most = size(app.max_snapshot_bytes);
    Ok(page(&UploadPage { frame: Frame::open("Send a sealed file"), ticket, wants_token: true, most })?)
}
