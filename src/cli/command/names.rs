//! `names`: who stands behind the stand-ins of a ticket. Only this computer knows, and only while the snapshot is there.

use serde_json::json;

use crate::cli::args::NamesArguments;
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::output::shown;
use crate::cli::{Desk, keeping};
use crate::redact::VaultEntry;

/// Prints the vaults of a ticket, or one stand-in of them.
pub fn run(arguments: &NamesArguments, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let ticket = &arguments.ticket;
    let own = keeping::own_identity(desk)?;
    let entries = super::ledger::open(desk)?.of_ticket(ticket).map_err(|error| super::ledger::failure(&error))?;
    let mut told = 0_u64;
    for entry in &entries {
        let Some(vault) = keeping::open_vault(&entry.snapshot, &own, desk)? else { continue };
        for name in vault {
            let VaultEntry { stand_in, value, category } = name?;
            if arguments.stand_in.as_ref().is_some_and(|wanted| *wanted != stand_in) {
                continue;
            }
            told += 1;
            desk.output.data(format!("{stand_in}\t{}\t{}", shown(&value), category.word()));
            let fields = json!({
                "snapshot": entry.snapshot, "stand_in": stand_in, "value": value, "category": category,
            });
            desk.output.event("name", fields.as_object().cloned().unwrap_or_default());
        }
    }
    if told == 0 {
        let what = arguments
            .stand_in
            .as_ref()
            .map_or_else(|| "anything".into(), |stand_in| format!("\"{}\"", shown(stand_in)));
        return Err(Failure::new(Exit::NotFound, format_args!("Nothing here says who {what} of ticket {ticket} is."))
            .next("A vault is kept for snapshots that were sent from here, until they are deleted."));
    }
    Ok(Outcome::done("ok").with("names", told))
}
