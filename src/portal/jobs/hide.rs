//! A ticket's name goes when nothing is left of the ticket.
//!
//! A closed ticket whose snapshots are all gone keeps what the receipts and the log need: its row, under the keyed hash that
//! the receipts know it by. Who knows the name finds it; who reads the database does not learn it.

use crate::ids::{TenantId, TicketId};
use crate::portal::app::App;
use crate::portal::audit::{Act, Actor, On, Outcome, record};
use crate::portal::error::ApiError;
use crate::portal::store::{Connection, answers, deletions};

/// Hides the name of a ticket if nothing is left of it; true when it did.
pub(crate) async fn ticket(
    app: &App,
    connection: &mut Connection,
    tenant: &TenantId,
    ticket: &TicketId,
) -> Result<bool, ApiError> {
    let hidden = hidden(app, tenant, ticket)?;
    let done = deletions::hide_ticket(connection, tenant, ticket, &hidden).await?;
    if done {
        answers::forget_ticket(connection, tenant, ticket).await?;
        let act = (Act::HideTicket, On::Ticket(hidden.as_str()), Outcome::Done);
        record(connection, tenant, app.clock.now(), Actor::Worker, act, None).await?;
    }
    Ok(done)
}

/// The name under which the database may know the ticket: its own, or the hidden one.
pub(crate) async fn known_as(
    app: &App,
    connection: &mut Connection,
    tenant: &TenantId,
    ticket: &TicketId,
) -> Result<TicketId, ApiError> {
    let hidden = hidden(app, tenant, ticket)?;
    let is_hidden = deletions::is_hidden(connection, tenant, &hidden).await?;
    Ok(if is_hidden { hidden } else { ticket.clone() })
}

/// Whether a name is made as those of hidden tickets are. A ticket that is opened under one would stand in the way of another's
/// hiding.
pub(crate) fn is_like_hidden(ticket: &TicketId) -> bool {
    ticket.as_str().len() == 64 && ticket.as_str().bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Gives a hidden ticket its name back, because something happens to it again.
pub(crate) async fn name_again(
    app: &App,
    connection: &mut Connection,
    tenant: &TenantId,
    ticket: &TicketId,
) -> Result<(), ApiError> {
    let hidden = hidden(app, tenant, ticket)?;
    deletions::name_again(connection, tenant, ticket, &hidden).await?;
    Ok(())
}

/// The ticket in receipts: the keyed hash of its name.
pub(crate) async fn in_receipts(
    app: &App,
    connection: &mut Connection,
    tenant: &TenantId,
    ticket: &TicketId,
) -> Result<String, ApiError> {
    let is_hidden = deletions::is_hidden(connection, tenant, ticket).await?;
    Ok(if is_hidden { ticket.as_str().to_owned() } else { app.key.hide_ticket(tenant, ticket) })
}

fn hidden(app: &App, tenant: &TenantId, ticket: &TicketId) -> Result<TicketId, ApiError> {
    app.key.hide_ticket(tenant, ticket).parse().map_err(ApiError::fault)
}
