//! `letter`: a text ready to send that asks the vendor to confirm the deletion.

use std::fs;

use crate::cli::Desk;
use crate::cli::args::LetterArguments;
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::output::size;
use crate::cli::requests::day;
use crate::clock::Timestamp;
use crate::track::Phase;
use crate::track::ledger::Entry;

/// The letter, unless a file of one's own is named. What stands in braces is filled in.
const TEMPLATE: &str = include_str!("letter.txt");

/// Prints the letter for a ticket.
pub fn run(arguments: &LetterArguments, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let ticket = &arguments.ticket;
    let ledger = super::ledger::open(desk)?;
    let entries = ledger.of_ticket(ticket).map_err(|error| super::ledger::failure(&error))?;
    let sent: Vec<&Entry> = entries.iter().filter(|entry| entry.sent_at().is_some() || entry.file.is_some()).collect();
    if sent.is_empty() {
        return Err(Failure::new(Exit::NotFound, format_args!("Nothing was sent from here for ticket {ticket}.")));
    }
    let template = match &arguments.template {
        Some(file) => fs::read_to_string(file)
            .map_err(|error| Failure::local(format_args!("The template {}", file.display()), &error))?,
        None => TEMPLATE.to_owned(),
    };
    let now = desk.world.clock.now();
    let mut lines = Vec::new();
    for entry in &sent {
        lines.push(described(entry, &super::ledger::label(ticket, &entry.snapshot, desk)?, now));
    }
    let letter = template
        .replace("{ticket}", ticket.as_str())
        .replace("{date}", &day(now))
        .replace("{snapshots}", &lines.join("\n"));
    desk.output.data(letter.trim_end());
    let open = sent.iter().filter(|entry| entry.phase() != Phase::Deleted).count();
    Ok(Outcome::done("ok").with("letter", letter).with("snapshots", sent.len()).with("unproved", open))
}

fn described(entry: &Entry, label: &str, now: Timestamp) -> String {
    let sent = entry.sent_at().map_or_else(
        || format!("sealed {}", day(entry.sealed_at)),
        |at| format!("sent {} to {}", day(at), entry.portal.as_deref().unwrap_or("your portal")),
    );
    let due = match (entry.deleted_at(), entry.due_at) {
        (Some(deleted), _) => format!("deleted {}, receipt received", day(deleted)),
        (None, Some(due)) if due <= now => format!("was to be deleted by {}; no receipt", day(due)),
        (None, Some(due)) => format!("to be deleted by {}", day(due)),
        (None, None) => "no deadline is known here".into(),
    };
    format!(
        "  {label}\n    snapshot  {}\n    SHA-256   {}\n    size      {}\n    {sent}\n    {due}",
        entry.snapshot,
        entry.sha256,
        size(entry.size)
    )
}
