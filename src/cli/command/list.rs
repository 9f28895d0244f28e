//! `list`: what is in a sealed file, and what was left out and why; or which snapshots there are.

use super::input::{Input, Sealed};
use super::open::{snapshot_failure, tell_sender, tell_unredacted};
use super::remote;
use crate::cli::Desk;
use crate::cli::args::{InspectArguments, ListArguments, PortalArguments};
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::opened::{self, Purge};
use crate::cli::output::{shown, size};
use crate::cli::requests::{day, when};
use crate::cli::settings::Settings;
use crate::format::Sender;
use crate::pack::{Limits, Manifest};
use crate::pipeline::{Parts, check_snapshot};
use crate::wire::{Snapshot, SnapshotState};

/// Lists a snapshot, or what the portal or this computer has.
pub fn run(arguments: ListArguments, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let ListArguments { file, keys, reason, portal, .. } = arguments;
    match file {
        Some(file) => one(&InspectArguments { file, keys, reason, portal }, desk),
        None if arguments.mine => mine(&portal, desk),
        None => copies(desk),
    }
}

/// Lists the snapshots that the portal holds and shows to whoever asks, the oldest first.
fn mine(portal: &PortalArguments, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let mut purge = Purge::default();
    purge.run(desk);
    let settings = Settings::resolve(portal, &desk.home, desk.world)?;
    let remote = remote::connect_to(remote::address(&settings)?, &settings, desk)?;
    let told = remote.client.every_snapshot().map_err(|error| remote::failure(&error, remote.address.host()))?;
    for fault in opened::follow(&told, desk) {
        purge.warn(&fault, desk);
    }
    purge.run(desk);
    let there: Vec<Snapshot> =
        told.into_iter().filter(|one| !matches!(one.state, SnapshotState::Deleting | SnapshotState::Deleted)).collect();
    let widest = there.iter().map(|one| one.ticket.as_str().len()).max().unwrap_or_default().max("TICKET".len());
    if !there.is_empty() {
        desk.output.say(format!(
            "{:<widest$}  {:<32}  {:>10}  {:<22}  {:<10}  DELETED BY",
            "TICKET", "SNAPSHOT", "SIZE", "RECEIVED", "STATE"
        ));
    }
    for one in &there {
        let received = one.uploaded_at.map_or_else(String::new, when);
        let due = one.due_at.map_or_else(String::new, day);
        desk.output.data(format!(
            "{:<widest$}  {}  {:>10}  {received:<22}  {:<10}  {due}",
            one.ticket.as_str(),
            one.id,
            size(one.size),
            one.state.word()
        ));
    }
    if there.is_empty() {
        desk.output.say(format!("{} holds nothing for you.", remote.address.host()));
    }
    Ok(Outcome::done("ok").with("snapshots", there))
}

/// Lists the copies that were opened on this computer, what is due first at the front.
fn copies(desk: &Desk<'_>) -> Result<Outcome, Failure> {
    let mut purge = Purge::default();
    purge.run(desk);
    let opened::Noted { copies, faults, .. } = opened::all(desk);
    for copy in &copies {
        let ticket = copy.ticket.as_ref().map_or_else(String::new, |ticket| format!("  of ticket {ticket}"));
        let missing = copy.missing().map_or_else(String::new, |why| format!("  ({why})"));
        desk.output.data(format!("gone by {}  {}{ticket}{missing}", when(copy.delete_by), copy.place()));
    }
    if copies.is_empty() && faults.is_empty() {
        desk.output.say("No opened copy is known here.");
    }
    // What cannot be read is not in the list.
    let exit = faults.first().map_or(Exit::Done, |fault| fault.exit);
    Ok(Outcome::done("ok").exit(exit).with("copies", copies))
}

/// Lists a snapshot. Where it can, it reads the manifest alone; a stream is read to its end.
fn one(arguments: &InspectArguments, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let (manifest, sender) = read(arguments, desk)?;
    for entry in &manifest.entries {
        desk.output.data(format!("{:>14}  {}", entry.size, shown(entry.path.as_str())));
    }
    for left_out in &manifest.left_out {
        desk.output.data(format!("{:>14}  {}  ({})", "left out", shown(&left_out.path), left_out.reason.words()));
    }
    tell_unredacted(&manifest, desk);
    tell_sender(sender.as_ref(), desk);
    Ok(Outcome::done("ok").with("manifest", manifest).with("sender", sender.map(|sender| sender.to_string())))
}

fn read(arguments: &InspectArguments, desk: &mut Desk<'_>) -> Result<(Manifest, Option<Sender>), Failure> {
    let Sealed { input, identities, share } = Sealed::find(arguments, desk)?;
    let ask = |header: &_| share.fetch(header, &identities);
    let limits = Limits::default();
    match input {
        Input::Anywhere(input) => Parts::open(input, &identities, ask, &limits).map(|parts| {
            let sender = parts.sender;
            (parts.into_manifest(), sender)
        }),
        Input::Stream(input) => {
            check_snapshot(input, &identities, ask, &limits, &desk.bars).map(|opened| (opened.manifest, opened.sender))
        }
    }
    .map_err(snapshot_failure)
}
