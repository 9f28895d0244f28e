//! `names`: who stands behind the stand-ins of a ticket. Only this computer knows, and only while the snapshot is there.

use serde_json::{Map, json};

use crate::cli::args::NamesArguments;
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::output::shown;
use crate::cli::{Desk, keeping};

/// Prints the vaults of a ticket, or one stand-in of them.
pub fn run(arguments: &NamesArguments, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let ticket = &arguments.ticket;
    let own = keeping::own_identity(desk)?;
    let entries = super::ledger::open(desk)?.of_ticket(ticket).map_err(|error| super::ledger::failure(&error))?;
    let mut told = 0_u64;
    for entry in &entries {
        let Some(vault) = keeping::open_vault(ticket, &entry.snapshot, &own, desk)? else { continue };
        let wanted = |stand_in: &str| arguments.stand_in.as_ref().is_none_or(|wanted| wanted == stand_in);
        for (stand_in, original) in vault.iter().filter(|(stand_in, _)| wanted(stand_in)) {
            told += 1;
            desk.output.data(format!("{stand_in}\t{}\t{}", shown(&original.value), original.category.word()));
            let mut fields = Map::new();
            fields.insert("snapshot".into(), json!(entry.snapshot));
            fields.insert("stand_in".into(), json!(stand_in));
            fields.insert("value".into(), json!(original.value));
            fields.insert("category".into(), json!(original.category));
            desk.output.event("name", fields);
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
