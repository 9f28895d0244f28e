//! `names`: who stands behind the stand-ins of a ticket. Only this computer knows, and only while the snapshot is there.

use serde_json::json;

use crate::cli::args::NamesArguments;
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::output::shown;
use crate::cli::{Desk, keeping};
use crate::ids::{FileId, TicketId};
use crate::redact::VaultEntry;
use crate::track::Phase;
use crate::track::ledger::Entry;

/// Prints the vaults of a ticket, or what of them is searched for.
pub fn run(arguments: &NamesArguments, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let ticket = &arguments.ticket;
    let own = keeping::own_identity(desk)?;
    let search = arguments.search.as_ref().map(|text| text.to_lowercase());
    let wanted = |entry: &VaultEntry| {
        arguments.category.is_none_or(|category| category == entry.category)
            && search.as_ref().is_none_or(|text| {
                entry.stand_in.to_lowercase() == *text
                    || !reads_like_stand_in(text) && entry.value.to_lowercase().contains(text)
            })
    };
    let mut told = 0_u64;
    for file in kept(ticket, desk)? {
        let Some(vault) = keeping::open_vault(&file, &own, desk)? else { continue };
        for name in vault {
            let name = name?;
            if !wanted(&name) {
                continue;
            }
            let VaultEntry { stand_in, value, category } = name;
            told += 1;
            desk.output.data(format!("{stand_in}\t{}\t{}", shown(&value), category.word()));
            let fields = json!({ "snapshot": file, "stand_in": stand_in, "value": value, "category": category });
            desk.output.event("name", fields.as_object().cloned().unwrap_or_default());
        }
    }
    if told == 0 {
        let what = match (&arguments.search, arguments.category) {
            (Some(text), _) => format!("\"{}\"", shown(text)),
            (None, Some(category)) => format!("any {category}"),
            (None, None) => "anything".into(),
        };
        return Err(Failure::new(Exit::NotFound, format_args!("Nothing here says who {what} of ticket {ticket} is."))
            .next("A vault is kept for snapshots that were sent from here, until they are deleted."));
    }
    Ok(Outcome::done("ok").with("names", told))
}

/// The snapshots of a ticket whose vaults may still be here. When all of them were deleted, so were their vaults.
pub fn kept(ticket: &TicketId, desk: &Desk<'_>) -> Result<Vec<FileId>, Failure> {
    let entries = super::ledger::open(desk)?.of_ticket(ticket).map_err(|error| super::ledger::failure(&error))?;
    let mut kept = Vec::new();
    for entry in &entries {
        if keeping::has_vault(&entry.snapshot, desk)? {
            kept.push(entry.snapshot);
        }
    }
    if !kept.is_empty() {
        return Ok(kept);
    }
    if let Some(deleted) = entries.iter().filter(|entry| entry.phase() == Phase::Deleted).find_map(Entry::deleted_at) {
        return Err(Failure::new(
            Exit::Expired,
            format_args!("The snapshots of ticket {ticket} were deleted on {deleted}, and their vaults with them."),
        )
        .next("Nobody can say any more who stood behind the stand-ins."));
    }
    Err(Failure::new(Exit::NotFound, format_args!("There is no vault for ticket {ticket} on this computer."))
        .next("A vault is kept for snapshots that were redacted and sent from here, until they are deleted."))
}

/// Whether a text is a word, a dash and a number: then it is looked for among the stand-ins alone.
fn reads_like_stand_in(text: &str) -> bool {
    let number = |digits: &str| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let bare = text.strip_suffix(".invalid").unwrap_or(text);
    bare.split_once('-').is_some_and(|(word, rest)| {
        matches!(word, "person" | "user" | "host" | "device" | "conference" | "u" | "d") && number(rest)
    })
}
