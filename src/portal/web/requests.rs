//! Requests that a technician signed and whose codes are good, on the page of their ticket: listed, taken back.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};

use super::answer::{Refusal, done, told};
use super::ticket::named;
use super::visitor::Visitor;
use super::words::When;
use crate::ids::TicketId;
use crate::portal::api::requests;
use crate::portal::app::App;
use crate::track::policy::Zone;
use crate::wire::{List, PendingRequest};

/// A request that is not over.
pub(super) struct Waiting {
    pub(super) id: String,
    pub(super) until: When,
    pub(super) used: Option<When>,
}

/// The requests for a ticket that are not over. Their codes are told to nobody again.
pub(super) async fn waiting(
    app: &Arc<App>,
    visitor: &Visitor,
    ticket: &TicketId,
    zone: &Zone,
) -> Result<Vec<Waiting>, Refusal> {
    let answer = requests::list(State(app.clone()), visitor.0.clone(), Path(ticket.to_string())).await;
    let (found, _) = told::<List<PendingRequest>>(answer).await?;
    let when = |at| When::new(at, zone);
    let waiting = found.items.into_iter();
    Ok(waiting.map(|one| Waiting { id: one.id, until: when(one.expires), used: one.used_at.map(when) }).collect())
}

/// Takes a request back, and the token that its code gave.
pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path((ticket, id)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    done(requests::revoke(State(app), visitor.0, Path((ticket.clone(), id))).await)?;
    Ok(Redirect::to(&format!("/tickets/{}?done=request-revoked", named(&ticket)?)).into_response())
}
