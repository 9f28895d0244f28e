//! Upload tokens on the page of their ticket: made and shown once, listed, revoked.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde_json::json;

use super::answer::{Refusal, done, told};
use super::form::{Form, query};
use super::ticket::{named, shown};
use super::visitor::Visitor;
use super::words::When;
use crate::clock::Timestamp;
use crate::ids::TicketId;
use crate::portal::api::tokens;
use crate::portal::app::App;
use crate::track::policy::Zone;
use crate::wire::{List, ListedToken, Token};

const HOUR: u64 = 3600;

/// A token that is good.
pub(super) struct Good {
    pub(super) id: String,
    pub(super) made: When,
    pub(super) until: When,
}

/// The tokens of a ticket that are good, of its first thousand.
pub(super) async fn good(
    app: &Arc<App>,
    visitor: &Visitor,
    ticket: &TicketId,
    (zone, now): (&Zone, Timestamp),
) -> Result<Vec<Good>, Refusal> {
    let which = query(&[("limit", "1000")])?;
    let answer = tokens::list(State(app.clone()), visitor.0.clone(), Path(ticket.to_string()), which).await;
    let (all, _) = told::<List<ListedToken>>(answer).await?;
    let good = all.items.into_iter().filter(|token| token.revoked.is_none() && token.expires > now);
    let when = |at| When::new(at, zone);
    Ok(good.map(|token| Good { id: token.id, made: when(token.created), until: when(token.expires) }).collect())
}

/// Makes a token for the ticket and shows it, this once.
pub(super) async fn make(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(ticket): Path<String>,
    body: Body,
) -> Result<Response, Refusal> {
    let hours: u64 = Form::read(body).await?.number("hours")?;
    let asked = Body::from(json!({ "valid_seconds": hours.saturating_mul(HOUR) }).to_string());
    let answer = tokens::make(State(app.clone()), visitor.0.clone(), Path(ticket.clone()), asked).await;
    let (token, _) = told::<Token>(answer).await?;
    shown(&app, &visitor, &ticket, "", Some(token)).await
}

/// Revokes a token of the ticket.
pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path((ticket, id)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    done(tokens::revoke(State(app), visitor.0, Path((ticket.clone(), id))).await)?;
    Ok(Redirect::to(&format!("/tickets/{}?done=token-revoked", named(&ticket)?)).into_response())
}
