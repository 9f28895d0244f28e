//! `withdraw`: takes back what was sent. The portal destroys its part of the key first, then the file.

use super::ledger::{self, as_told, remote_of};
use super::remote;
use crate::cli::Desk;
use crate::cli::args::WithdrawArguments;
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::output::count;
use crate::cli::settings::Settings;
use crate::send::SendError;
use crate::track::Phase;
use crate::track::ledger::Entry;
use crate::wire::SnapshotState;

/// Takes back the snapshots of a ticket, or one of them, after asking.
pub fn run(arguments: &WithdrawArguments, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let mut settings = Settings::resolve(&arguments.portal, &desk.home, desk.world)?;
    let ticket = &arguments.ticket;
    let there = sent(arguments, desk)?;
    remote::aim(&mut settings, ledger::portals(&there))?;
    let what = count(there.len() as u64, "snapshot");
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
    let (mut withdrawn, mut restricted) = (Vec::new(), 0_u64);
    for entry in &there {
        let Some(remote) = remote_of(entry, &settings, desk)? else { continue };
        let told = remote.client.withdraw(&entry.snapshot, arguments.reason.as_deref());
        let told = told.map_err(|error| refusal(&error, remote.address.host(), &withdrawn))?;
        let now = desk.world.clock.now();
        let mut book = ledger::open(desk)?;
        let recorded =
            book.withdrawn(&entry.snapshot, now).and_then(|()| book.told(&entry.snapshot, as_told(&told), now));
        recorded.map_err(|error| ledger::failure(&error))?;
        restricted += u64::from(told.state == SnapshotState::Restricted);
        withdrawn.push(entry.snapshot);
    }
    desk.output.headline("WITHDRAWN.", &format!("{what} of ticket {ticket}. Nobody reads it any more."));
    if restricted > 0 {
        desk.output.say(format!(
            "A hold keeps {} from being deleted; deletion begins when it is lifted.",
            count(restricted, "snapshot")
        ));
    }
    desk.output.say("The portal deletes it now. Its receipt comes with:  tarseal sync");
    Ok(Outcome::done("withdrawn").with("ticket", ticket).with("snapshots", withdrawn).with("restricted", restricted))
}

/// What was sent and is still there.
fn sent(arguments: &WithdrawArguments, desk: &Desk<'_>) -> Result<Vec<Entry>, Failure> {
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
    let there: Vec<Entry> =
        all.into_iter().filter(|entry| entry.sent_at().is_some() && entry.phase() != Phase::Deleted).collect();
    match (there.is_empty(), gone) {
        (false, _) => Ok(there),
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
