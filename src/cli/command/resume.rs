//! `resume`: goes on with every upload that was interrupted. One that cannot go on stands in no other's way.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::remote::{self, Remote};
use super::upload::{finish, load, lock};
use crate::cli::Desk;
use crate::cli::args::{PortalArguments, ResumeArguments};
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::settings::Settings;
use crate::ids::{FileId, TicketId};
use crate::send::{Checkpoint, PortalAddress};

/// What is true before an upload goes on.
const NOTHING_MORE: &str = "The sealed file is safe here; nothing more has left this computer.";

/// Goes on with every upload that was interrupted, the oldest first.
pub fn run(arguments: &ResumeArguments, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let waiting = waiting(arguments.ticket.as_ref(), desk)?;
    let portal = PortalArguments {
        portal: arguments.portal.clone(),
        token_file: arguments.token_file.clone(),
        ca_file: arguments.ca_file.clone(),
    };
    let mut settings = Settings::resolve(&portal, &desk.home, desk.world)?;
    let portals: Vec<PortalAddress> =
        waiting.iter().filter_map(|state| Some(load(state).ok()?.portal().clone())).collect();
    remote::aim(&mut settings, portals.iter().map(PortalAddress::as_str))?;
    match waiting.as_slice() {
        [] => nothing_waiting(arguments.ticket.as_ref(), desk),
        [state] => one(state, &settings, arguments.give_up_after, desk),
        several => all(several, &settings, arguments.give_up_after, desk),
    }
}

/// Tries each, whatever becomes of the others.
fn all(
    states: &[PathBuf],
    settings: &Settings,
    give_up_after: Duration,
    desk: &mut Desk<'_>,
) -> Result<Outcome, Failure> {
    let (mut exit, mut sent, mut failed) = (Exit::Done, Vec::new(), Vec::<Value>::new());
    for state in states {
        match one(state, settings, give_up_after, desk) {
            Ok(outcome) => {
                exit = exit.worse(outcome.exit);
                sent.push(Value::Object(outcome.fields));
            }
            Err(failure) => {
                exit = exit.worse(failure.exit);
                let ticket = named(state).map(|(ticket, _)| ticket);
                let whose = ticket.as_ref().map_or_else(String::new, |ticket| format!("Ticket {ticket}: "));
                desk.output.headline("NOT SENT.", &format!("{whose}{}", failure.what));
                for line in failure.left.iter().chain(&failure.next) {
                    desk.output.insist(line);
                }
                failed.push(json!({ "ticket": ticket, "exit": failure.exit.code(), "error": failure.what }));
            }
        }
    }
    let status = match (sent.is_empty(), failed.is_empty()) {
        (_, true) => "sent",
        (true, false) => "failed",
        (false, false) => "partly-sent",
    };
    if !failed.is_empty() {
        desk.output.headline("NOT ALL SENT.", &format!("{} of {} uploads ended.", sent.len(), states.len()));
    }
    Ok(Outcome::done(status).exit(exit).with("sent", sent).with("not_sent", failed))
}

fn one(state: &Path, settings: &Settings, give_up_after: Duration, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    go_on(state, settings, give_up_after, desk).map_err(|failure| match (failure.exit, named(state)) {
        // These do not pass by themselves.
        (
            Exit::NotApproved | Exit::Damaged | Exit::Local | Exit::NotFound | Exit::Expired | Exit::Usage,
            Some((ticket, _)),
        ) => failure.next(format!("To give it up for good:  tarseal withdraw {ticket}")),
        _ => failure,
    })
}

fn go_on(state: &Path, settings: &Settings, give_up_after: Duration, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let checkpoint = load(state)?;
    let _lock = lock(checkpoint.ticket(), desk)?;
    // Read again under the lock: another run may have gone on with it.
    let mut checkpoint = load(state)?;
    let remote = again(&checkpoint, settings, desk).map_err(|failure| failure.or_left(NOTHING_MORE))?;
    let outcome = finish(&remote, &mut checkpoint, None, give_up_after, desk)?;
    checkpoint.remove().map_err(|error| remote::failure(&error, remote.address.host()))?;
    Ok(outcome)
}

/// The portal that is ready to take the rest.
fn again(checkpoint: &Checkpoint, settings: &Settings, desk: &mut Desk<'_>) -> Result<Remote, Failure> {
    remote::allowed(checkpoint.portal(), settings)?;
    let remote = remote::connect_for(checkpoint.portal().clone(), checkpoint.ticket(), settings, desk)?;
    super::ledger::pin(&remote, desk)?;
    Ok(remote)
}

/// Nothing can go on: because all of it was sent, or because nothing ever began.
fn nothing_waiting(ticket: Option<&TicketId>, desk: &Desk<'_>) -> Result<Outcome, Failure> {
    let Some(ticket) = ticket else {
        desk.output.say("Nothing is waiting to be sent.");
        return Ok(Outcome::done("nothing-waiting"));
    };
    let entries = super::ledger::open(desk)?.of_ticket(ticket).map_err(|error| super::ledger::failure(&error))?;
    if entries.iter().any(|entry| entry.sent_at().is_some()) {
        desk.output.headline("SENT.", &format!("Everything for ticket {ticket} was sent before; nothing is waiting."));
        return Ok(Outcome::done("sent").with("ticket", ticket).with("already_sent", true));
    }
    Err(Failure::new(Exit::NotFound, format_args!("No upload for ticket {ticket} has begun here."))
        .left("Nothing has left this computer.")
        .next(format!("Begin one:  tarseal send PATH --ticket {ticket}")))
}

/// The state files of uploads that have not ended, oldest first.
fn waiting(ticket: Option<&TicketId>, desk: &Desk<'_>) -> Result<Vec<PathBuf>, Failure> {
    let directory = desk.home.directory("outgoing")?;
    let entries = fs::read_dir(&directory).map_err(|error| Failure::local(directory.display(), &error))?;
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| Failure::local(directory.display(), &error))?.path();
        // By the name, so that one that is damaged is not passed over.
        if named(&path).is_some_and(|(named, _)| ticket.is_none_or(|ticket| *ticket == named)) {
            found.push(path);
        }
    }
    found.sort_by_key(|path| path.metadata().and_then(|metadata| metadata.modified()).ok());
    Ok(found)
}

/// The ticket and the snapshot that a state file is named after.
fn named(state: &Path) -> Option<(TicketId, FileId)> {
    let name = state.file_name()?.to_str()?.strip_suffix(".json")?;
    let (ticket, snapshot) = name.rsplit_once('-')?;
    Some((ticket.parse().ok()?, snapshot.parse().ok()?))
}
