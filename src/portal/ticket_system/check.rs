//! Asks each ticket system once and says how the answer is read, for the operator. Nothing is written.

use std::path::Path;

use super::TicketSystems;
use super::ask::Asking;
use super::error::TicketSystemsError;
use super::fault::Fault;
use super::read::{Answer, Seen, State};
use super::source::Source;
use crate::clock::{Clock, Timestamp};
use crate::ids::{SourceName, TenantId, TicketId};

/// One ticket system that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckedSource {
    /// Its name.
    pub name: SourceName,
    /// Whose tickets it knows.
    pub tenant: TenantId,
    /// Whether it has webhooks.
    pub hooks: bool,
    /// What came of it.
    pub finding: Finding,
}

/// What came of asking.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// Nothing was asked: no ticket was named, and it has nothing that must be there.
    NotAsked,
    /// What must be there is there; no ticket was named.
    Answers,
    /// The ticket's name is none of its.
    NotItsTicket,
    /// It does not know the ticket.
    Missing,
    /// It knows the ticket.
    Ticket {
        /// What its state means here: `open`, `closed`, `merged` or `unknown`.
        state: &'static str,
        /// The state in its own word.
        word: String,
        /// When it was closed, as far as it says.
        closed_at: Option<Timestamp>,
        /// When something was last done about it, as far as it says.
        updated_at: Option<Timestamp>,
        /// The ticket that it was merged into.
        merged_into: Option<TicketId>,
    },
    /// It told nothing of use.
    Failed {
        /// Why, in one word.
        word: &'static str,
        /// Why.
        what: String,
    },
}

/// Reads what the operator wrote down and asks each system, or the one that is named, for a ticket, or whether it answers at
/// all. The secrets are read as they would be for serving.
///
/// Must not be called from within an async runtime.
pub fn check(
    path: &Path,
    source: Option<&SourceName>,
    ticket: Option<&TicketId>,
    clock: &dyn Clock,
) -> Result<Vec<CheckedSource>, TicketSystemsError> {
    let systems = TicketSystems::open(Some(path))?;
    if let Some(name) = source.filter(|name| systems.find(name.as_str()).is_none()) {
        return Err(TicketSystemsError::Source(name.to_string(), String::from("there is none of this name")));
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|fault| TicketSystemsError::File(path.to_owned(), fault))?;
    let wanted = systems.all().iter().filter(|found| source.is_none_or(|name| found.name == *name));
    let checked = wanted.map(|source| CheckedSource {
        name: source.name.clone(),
        tenant: source.tenant.clone(),
        hooks: source.hook.is_some(),
        finding: runtime.block_on(one(source, ticket, clock.now())),
    });
    Ok(checked.collect())
}

async fn one(source: &Source, ticket: Option<&TicketId>, now: Timestamp) -> Finding {
    let mut asking = Asking::new(source);
    let Some(ticket) = ticket else {
        return match asking.show(now).await {
            Ok(()) if source.probe.is_none() => Finding::NotAsked,
            Ok(()) => Finding::Answers,
            Err(fault) => failed(&fault),
        };
    };
    if source.name_there(ticket).is_none() {
        return Finding::NotItsTicket;
    }
    match asking.ticket(ticket, now).await {
        Ok(Answer::Missing) => Finding::Missing,
        Ok(Answer::Seen(Seen { state, word, closed_at, updated_at })) => {
            let name = state.word();
            let merged_into = if let State::Merged(into) = state { Some(into) } else { None };
            Finding::Ticket { state: name, word, closed_at, updated_at, merged_into }
        }
        Err(fault) => failed(&fault),
    }
}

fn failed(fault: &Fault) -> Finding {
    Finding::Failed { word: fault.word(), what: fault.to_string() }
}
