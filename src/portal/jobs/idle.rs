//! Open tickets of which nothing is heard: after half a year it is asked whether they are still open, and without an answer they
//! count as closed at their last activity. Whoever closes or reopens such a ticket has answered.

use super::clock::Trusted;
use crate::ids::TenantId;
use crate::portal::app::App;
use crate::portal::audit::{Act, Actor, On, Outcome, record};
use crate::portal::deadlines;
use crate::portal::error::ApiError;
use crate::portal::store::events::{self, Event};
use crate::portal::store::{Connection, tenants, tickets};
use crate::track::history::Told;
use crate::track::idle::{Idle, idle};

/// The source of what the portal itself tells of a ticket.
pub(crate) const SOURCE: &str = "portal";

/// How many tickets of a tenant are looked at in one sweep.
const BATCH: i64 = 200;

/// Asks for the silent tickets of every tenant, and closes those that did not answer.
pub(crate) async fn run(app: &App, trusted: Trusted) -> Result<(), ApiError> {
    let all = tenants::all(&mut *app.store.read_across().await?).await?;
    for tenant in all {
        let policy = app.policy(&mut *app.store.read(&tenant).await?, &tenant).await?;
        let active = trusted.now().plus_days(-i64::from(policy.inactivity_days));
        let asked = trusted.now().plus_days(-i64::from(policy.answer_days));
        let silent = tickets::silent(&mut *app.store.read(&tenant).await?, &tenant, active, asked, BATCH).await?;
        if silent.is_empty() {
            continue;
        }
        let mut transaction = app.store.begin(&tenant).await?;
        for ticket in silent {
            one(app, &mut transaction, &tenant, &ticket.id, trusted).await?;
        }
        transaction.commit().await?;
    }
    Ok(())
}

async fn one(
    app: &App,
    connection: &mut Connection,
    tenant: &TenantId,
    ticket: &crate::ids::TicketId,
    trusted: Trusted,
) -> Result<(), ApiError> {
    let now = trusted.now();
    let policy = app.policy(connection, tenant).await?;
    // What was read outside the transaction may have changed.
    let Some(ticket) = tickets::find(connection, tenant, ticket).await? else { return Ok(()) };
    if ticket.closed_at.is_some() || ticket.merged_into.is_some() {
        return Ok(());
    }
    let on = On::Ticket(ticket.id.as_str());
    match idle(ticket.active_at, ticket.asked_at, &policy, now) {
        Idle::Wait => Ok(()),
        Idle::Ask => {
            tickets::set_asked(connection, tenant, &ticket.id, now).await?;
            Ok(record(connection, tenant, now, Actor::Worker, (Act::AskTicket, on, Outcome::Done), None).await?)
        }
        Idle::Close(at) => {
            deadlines::settle(app, connection, tenant, &ticket.id).await?;
            let name = format!("silent-since-{}", at.seconds());
            let event = Event { source: SOURCE, name: &name, version: 0, told: Told::Closed, at };
            events::tell(connection, tenant, &ticket.id, &event).await?;
            record(connection, tenant, now, Actor::Worker, (Act::CloseTicket, on, Outcome::Done), None).await?;
            // Whoever was asked was told.
            deadlines::count_ticket(app, connection, tenant, &ticket.id, ticket.asked_at.unwrap_or(now)).await
        }
    }
}
