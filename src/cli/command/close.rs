//! `close`: a ticket is done; the days until deletion begin.

use super::remote::{connect, failure};
use crate::cli::Desk;
use crate::cli::args::CloseArguments;
use crate::cli::exit::{Failure, Outcome};
use crate::cli::output::count;
use crate::cli::requests::when;
use crate::wire::TicketEvent;

/// Closes a ticket at the portal and says when its snapshots will be gone.
pub fn run(arguments: &CloseArguments, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let remote = connect(&arguments.portal, desk)?;
    let event = TicketEvent { at: arguments.at, ..TicketEvent::default() };
    let ticket =
        remote.client.close(&arguments.ticket, &event).map_err(|error| failure(&error, remote.address.host()))?;
    let due = ticket.snapshots.iter().filter_map(|snapshot| snapshot.due_at).max();
    let snapshots = count(ticket.snapshots.len() as u64, "snapshot");
    desk.output.headline(
        "CLOSED.",
        &match due {
            Some(due) => format!("Ticket {}: {snapshots}, deleted by {}.", arguments.ticket, when(due)),
            None => format!("Ticket {}: {snapshots}.", arguments.ticket),
        },
    );
    Ok(Outcome::done("closed").with("ticket", &ticket.ticket).with("closed_at", ticket.closed_at).with("due_at", due))
}
