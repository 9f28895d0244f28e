//! `confirm`: what a vendor without a portal of ours wrote about a deletion is put beside the ledger.

use std::fs;
use std::io::Read as _;

use sha2::{Digest as _, Sha256};

use crate::cli::Desk;
use crate::cli::args::ConfirmArguments;
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::output::count;
use crate::ids::FileId;
use crate::track::Phase;

/// Largest file that is taken as evidence, in bytes.
const LARGEST: u64 = 64 << 20;

/// Records that a deletion was confirmed by other means than a receipt.
pub fn run(arguments: &ConfirmArguments, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let ticket = &arguments.ticket;
    let file = &arguments.evidence;
    let local = |error: &std::io::Error| Failure::local(format_args!("The evidence {}", file.display()), error);
    let mut evidence = Vec::new();
    let opened = fs::File::open(file).map_err(|error| local(&error))?;
    opened.take(LARGEST + 1).read_to_end(&mut evidence).map_err(|error| local(&error))?;
    if evidence.len() as u64 > LARGEST {
        return Err(Failure::usage(format_args!("{} is larger than 64 MiB.", file.display())));
    }
    let sha256 = hex::encode(Sha256::digest(&evidence));
    let now = desk.world.clock.now();
    let mut ledger = super::ledger::open(desk)?;
    let entries = ledger.of_ticket(ticket).map_err(|error| super::ledger::failure(&error))?;
    let open: Vec<FileId> =
        entries.iter().filter(|entry| entry.phase() != Phase::Deleted).map(|entry| entry.snapshot).collect();
    if open.is_empty() {
        return Err(Failure::new(
            Exit::NotFound,
            format_args!("There is no snapshot of ticket {ticket} here whose deletion is not proved."),
        ));
    }
    for snapshot in &open {
        ledger.confirmed(snapshot, &sha256, now).map_err(|error| super::ledger::failure(&error))?;
    }
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let kept = desk.home.directory("evidence")?.join(format!("{ticket}-{}-{name}", &sha256[..12]));
    crate::cli::home::write_private(&kept, &evidence).map_err(|error| Failure::local(kept.display(), &error))?;
    desk.output.headline(
        "CONFIRMED.",
        &format!("{} of ticket {ticket}: by what was written, not by a receipt.", count(open.len() as u64, "snapshot")),
    );
    desk.output.say(format!("  Evidence    {}", kept.display()));
    desk.output.say(format!("  SHA-256     {sha256}, in the ledger's chain"));
    Ok(Outcome::done("confirmed")
        .with("ticket", ticket)
        .with("snapshots", open)
        .with("sha256", sha256)
        .with("evidence", kept))
}
