//! `proof`: the receipt of a deletion as a file, for whoever has to show it.

use super::ledger;
use super::remote::{connect, failure, sentence};
use crate::cli::Desk;
use crate::cli::args::ProofArguments;
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::home::write_private_new;
use crate::cli::output::shown;
use crate::track::receipt::{self, Kind};
use crate::wire::{Snapshot, SnapshotState};

/// Fetches the deletion receipt of a snapshot, verifies it and writes it into a new file.
pub fn run(arguments: &ProofArguments, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let ticket = &arguments.ticket;
    if arguments.output.symlink_metadata().is_ok() {
        return Err(exists(arguments));
    }
    let remote = connect(&arguments.portal, desk)?;
    let told = |error: &_| failure(error, remote.address.host());
    let snapshots = remote.client.snapshots(ticket).map_err(|error| told(&error))?;
    let snapshot = deleted(snapshots, arguments)?;
    let note = remote.client.receipt(&snapshot.id).map_err(|error| told(&error))?;
    let key = ledger::pin(&remote, desk)?;
    let damaged = |what: String| Failure::new(Exit::Damaged, what).left("Nothing was written.");
    let logged = receipt::verify_logged(&note, &key).map_err(|error| damaged(sentence(&error.to_string())))?;
    let stated = &logged.receipt;
    let (Kind::Deletion, Some(at)) = (stated.kind, stated.deleted) else {
        return Err(damaged("The portal says it is deleted, and its receipt does not.".into()));
    };
    if stated.sha256 != snapshot.sha256 {
        return Err(damaged("The portal's receipt is of another file.".into()));
    }
    write_private_new(&arguments.output, note.as_bytes()).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => exists(arguments),
        _ => Failure::local(arguments.output.display(), &error),
    })?;
    desk.output.data(arguments.output.display().to_string());
    desk.output
        .headline("PROVED.", &format!("Ticket {ticket}: deleted {at}. Receipt signed by {}.", shown(key.name())));
    desk.output.say(format!("Check it anywhere:  tarseal receipt verify {}", arguments.output.display()));
    Ok(Outcome::done("proved")
        .with("file", &arguments.output)
        .with("ticket", ticket)
        .with("snapshot", snapshot.id)
        .with("deleted_at", at)
        .with("key", key.to_string()))
}

/// The deleted snapshot that is meant.
fn deleted(snapshots: Vec<Snapshot>, arguments: &ProofArguments) -> Result<Snapshot, Failure> {
    let ticket = &arguments.ticket;
    let wanted = |snapshot: &Snapshot| arguments.snapshot.is_none_or(|id| id == snapshot.id);
    let (mut gone, there): (Vec<Snapshot>, Vec<Snapshot>) =
        snapshots.into_iter().filter(wanted).partition(|snapshot| snapshot.state == SnapshotState::Deleted);
    if gone.len() > 1 {
        let mut failure =
            Failure::usage(format_args!("{} snapshots of ticket {ticket} were deleted; say which.", gone.len()));
        for snapshot in &gone {
            let at = snapshot.deleted_at.map_or_else(String::new, |at| format!("   deleted {at}"));
            failure = failure.next(format!("--snapshot {}{at}", snapshot.id));
        }
        return Err(failure);
    }
    if let Some(snapshot) = gone.pop() {
        return Ok(snapshot);
    }
    let due = there.iter().filter_map(|snapshot| snapshot.due_at).min();
    Err(match due {
        Some(due) => Failure::new(
            Exit::NotFound,
            format_args!("Nothing of ticket {ticket} is deleted yet; it will be by {due}."),
        )
        .next("Ask again after that."),
        None => Failure::new(Exit::NotFound, format_args!("Ticket {ticket} has no snapshot that was deleted.")),
    })
}

fn exists(arguments: &ProofArguments) -> Failure {
    Failure::new(
        Exit::Local,
        format_args!("{} is there already, and nothing is overwritten.", arguments.output.display()),
    )
    .next("Name a file that is not there yet:  -o FILE")
}
