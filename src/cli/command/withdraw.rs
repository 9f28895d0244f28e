//! `withdraw`: takes back what was sent. The portal destroys its part of the key first, then the file.

use super::ledger::{self, as_told, portals, remote_of};
use super::{remote, unsent};
use crate::cli::Desk;
use crate::cli::args::WithdrawArguments;
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::output::count;
use crate::cli::settings::Settings;
use crate::send::SendError;
use crate::track::Phase;
use crate::track::ledger::Entry;
use crate::wire::{Snapshot, SnapshotState};

/// Takes back the snapshots of a ticket, or one of them, after asking. An upload that never ended is given up.
pub fn run(arguments: &WithdrawArguments, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let mut settings = Settings::resolve(&arguments.portal, &desk.home, desk.world)?;
    let ticket = &arguments.ticket;
    let Meant { sent, unsent } = meant(arguments, desk)?;
    remote::aim(&mut settings, portals(&sent).chain(portals(&unsent)))?;
    let what = words(&sent, &unsent);
    if !desk.manner.yes {
        let question =
            format!("Take back {what} of ticket {ticket}? Nobody can read it again, not even you. Type yes:");
        let answer = desk.ask(&question)?;
        if answer.as_deref() != Some("yes") {
            return Err(Failure::new(Exit::NotApproved, "You did not approve it.")
                .left("Nothing was taken back.")
                .next("In a script, approve beforehand with:  --yes"));
        }
    }
    let (mut withdrawn, mut restricted, mut given_up, mut unclear) = (Vec::new(), 0_u64, Vec::new(), None);
    let mut deletes = false;
    for entry in &unsent {
        match unsent::give_up(entry, arguments.reason.as_deref(), &settings, desk) {
            Ok(there) => {
                deletes |= there;
                given_up.push(entry.snapshot);
            }
            Err(failure) => unclear = unclear.or(Some(failure)),
        }
    }
    for entry in &sent {
        let Some(remote) = remote_of(entry, &settings, desk)? else { continue };
        let told = remote.client.withdraw(&entry.snapshot, arguments.reason.as_deref());
        let told = told.map_err(|error| refusal(&error, remote.address.host(), &withdrawn))?;
        record(entry, &told, desk)?;
        restricted += u64::from(told.state == SnapshotState::Restricted);
        withdrawn.push(entry.snapshot);
    }
    if let Some(failure) = unclear {
        return Err(failure);
    }
    deletes |= !withdrawn.is_empty();
    desk.output.headline("WITHDRAWN.", &format!("{what} of ticket {ticket}. Nobody reads it any more."));
    if restricted > 0 {
        desk.output.say(format!(
            "A hold keeps {} from being deleted; deletion begins when it is lifted.",
            count(restricted, "snapshot")
        ));
    }
    desk.output.say(if deletes {
        "The portal deletes it now. Its receipt comes with:  tarseal sync"
    } else {
        "It was never whole at a portal, and its sealed file is removed here."
    });
    Ok(Outcome::done("withdrawn")
        .with("ticket", ticket)
        .with("snapshots", withdrawn)
        .with("given_up", given_up)
        .with("restricted", restricted))
}

/// Writes down that the portal took note.
pub fn record(entry: &Entry, told: &Snapshot, desk: &Desk<'_>) -> Result<(), Failure> {
    let now = desk.world.clock.now();
    let mut book = ledger::open(desk)?;
    let recorded = book.withdrawn(&entry.snapshot, now).and_then(|()| book.told(&entry.snapshot, as_told(told), now));
    recorded.map_err(|error| ledger::failure(&error))
}

fn words(sent: &[Entry], unsent: &[Entry]) -> String {
    let snapshots = count(sent.len() as u64, "snapshot");
    let uploads = count(unsent.len() as u64, "unfinished upload");
    match (sent.len(), unsent.len()) {
        (_, 0) => snapshots,
        (0, _) => uploads,
        _ => format!("{snapshots} and {uploads}"),
    }
}

/// What can be taken back.
struct Meant {
    /// At a portal.
    sent: Vec<Entry>,
    /// On its way, and not there yet.
    unsent: Vec<Entry>,
}

fn meant(arguments: &WithdrawArguments, desk: &Desk<'_>) -> Result<Meant, Failure> {
    let ticket = &arguments.ticket;
    let all = ledger::entries(Some(ticket), desk)?;
    let wanted = |entry: &Entry| arguments.snapshot.is_none_or(|wanted| wanted == entry.snapshot);
    let all: Vec<Entry> = all.into_iter().filter(wanted).collect();
    if all.is_empty() {
        return Err(Failure::new(
            Exit::NotFound,
            match arguments.snapshot {
                Some(snapshot) => format!("The ledger knows no snapshot {snapshot} of ticket {ticket}."),
                None => format!("Nothing was sent for ticket {ticket} from here."),
            },
        ));
    }
    let gone = all.iter().filter_map(Entry::deleted_at).max();
    let (sent, unsent): (Vec<Entry>, Vec<Entry>) = all.into_iter().partition(|entry| entry.sent_at().is_some());
    let sent: Vec<Entry> = sent.into_iter().filter(|entry| entry.phase() != Phase::Deleted).collect();
    let unsent: Vec<Entry> = unsent.into_iter().filter(|entry| unsent::is_begun(entry, desk)).collect();
    match (sent.is_empty() && unsent.is_empty(), gone) {
        (false, _) => Ok(Meant { sent, unsent }),
        (true, Some(at)) => Err(Failure::new(Exit::Expired, format_args!("It was deleted on {at}, with a receipt."))),
        (true, None) => Err(Failure::new(Exit::NotFound, format_args!("Nothing of ticket {ticket} was sent yet."))
            .left("Nothing of it is at a portal.")),
    }
}

fn refusal(error: &SendError, host: &str, done: &[crate::ids::FileId]) -> Failure {
    let failure = match error {
        SendError::TicketClosed(_) => Failure::new(
            Exit::NotApproved,
            "The ticket is closed: its sender can no longer take the snapshot back, and it will be deleted by itself.",
        )
        .next("If it must go now, ask whoever leads the support to delete it, or to reopen the ticket."),
        SendError::Expired(_) => Failure::new(Exit::Expired, "The portal has deleted it already.")
            .next("Its receipt comes with:  tarseal sync"),
        other => remote::failure(other, host),
    };
    match done.len() {
        0 => failure.left("Nothing was taken back."),
        number => failure.left(format!("{} taken back before.", count(number as u64, "snapshot"))),
    }
}
