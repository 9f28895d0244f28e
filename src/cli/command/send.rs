//! `send`: collect, redact, seal, review, upload.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, json};

use super::approve::{self, Decision};
use super::ledger;
use super::places::Places;
use super::remote::{self, Remote};
use super::snapshot::{self, Prepared, Told, completeness, dry_run, prepare, seal};
use super::upload::{begin, finish, lock};
use crate::cli::Desk;
use crate::cli::args::SendArguments;
use crate::cli::downloads;
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::keeping;
use crate::cli::output::size;
use crate::cli::requests::{self, Requested};
use crate::cli::rules;
use crate::cli::settings::Settings;
use crate::cli::vendors;
use crate::clock::Timestamp;
use crate::collect::SourceKind;
use crate::format::{Share, ShareField};
use crate::ids::{ShareId, TicketId};
use crate::item::Reason;
use crate::pipeline::Created;
use crate::send::TicketLock;
use crate::track::RetentionPolicy;
use crate::track::deadline::hard_cap_at;
use crate::wire::TicketState;

/// What is true until the portal has said that it would take the snapshot.
pub const NOTHING_YET: &str = "Nothing was collected, nothing has left this computer.";
/// What is true until the upload begins.
const NOTHING_LEFT: &str = "Nothing has left this computer.";

/// How much smaller than what is read the sealed file is at most expected to be, when room for it is looked for.
const SHRINKS: u64 = 8;
/// Room that must be left besides, in bytes.
const ROOM: u64 = 16 << 20;

/// Sends a snapshot for a ticket.
pub fn run(arguments: SendArguments, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let before = if arguments.snapshot.dry_run { NOTHING_LEFT } else { NOTHING_YET };
    let patience = |failure: Failure| match failure.exit {
        Exit::Temporary if failure.next.is_empty() => {
            failure.next("Is this computer on the network? If it is, try again in a few minutes.")
        }
        _ => failure,
    };
    match approved(arguments, desk).map_err(|failure| patience(failure.or_left(before)))? {
        Go::Told(outcome) => Ok(outcome),
        Go::Send(approved) => deliver(*approved, desk),
    }
}

/// How far it has come before anything leaves.
enum Go {
    /// It was only to be shown.
    Told(Outcome),
    /// It may leave.
    Send(Box<Approved>),
}

/// What may leave.
struct Approved {
    ticket: TicketId,
    remote: Remote,
    attempt: Attempt,
    page: Option<PathBuf>,
    give_up_after: Duration,
    _lock: TicketLock,
}

/// Uploads what was approved.
fn deliver(approved: Approved, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let Approved { ticket, remote, attempt, page, give_up_after, _lock } = approved;
    let Attempt { created, field, share, .. } = &attempt;
    let file = super::upload::outgoing(&ticket, &created.file_id, desk)?;
    let mut checkpoint = begin(&remote, &ticket, &file, created, Some((field, share)), desk)?;
    let exit = completeness(&created.manifest.left_out, created.manifest.collected.as_ref());
    let missing = (exit == Exit::Incomplete).then(|| missing(created));
    let outcome = finish(&remote, &mut checkpoint, missing, give_up_after, desk)?;
    checkpoint.remove().map_err(|error| remote::failure(&error, remote.address.host()))?;
    Ok(outcome
        .exit(exit)
        .with("complete", exit == Exit::Done)
        .with("review", page)
        .with("files", created.manifest.entries.len())
        .with("left_out", created.manifest.left_out.len()))
}

/// Finds out whether it can be sent, makes it, and asks; a failure when it is not to leave, which nothing has done then.
fn approved(mut arguments: SendArguments, desk: &mut Desk<'_>) -> Result<Go, Failure> {
    let settings = Settings::resolve(&arguments.portal, &desk.home, desk.world)?;
    if !arguments.snapshot.dry_run {
        may_be_approved(&settings, desk)?;
    }
    let mut requested = take_request(&mut arguments, &settings, desk)?;
    let ticket = ticket(&arguments, requested.as_ref())?;
    if let Some(requested) = &requested {
        requested.tell(desk);
    }
    if arguments.snapshot.dry_run {
        find_input(&mut arguments, &settings, desk)?;
        let mut prepared = prepare(&arguments.snapshot, Vec::new(), &settings, desk)?;
        leave_out(&arguments, &mut prepared)?;
        return Ok(Go::Told(dry_run(&prepared, desk)));
    }
    let address = match &requested {
        Some(requested) => requested.portal.clone(),
        None => remote::address(&settings)?,
    };
    let lock = lock(&ticket, desk)?;
    let mut start = Map::new();
    start.insert("ticket".into(), json!(ticket));
    desk.output.event("start", start);

    // Everything that can stand in the way is asked before anything is read.
    if let Some(requested) = &mut requested {
        requested.redeem(&settings, desk)?;
    }
    let remote = remote::connect_for(address, &ticket, &settings, desk)?;
    ticket_is_open(&ticket, &remote)?;
    ledger::pin(&remote, desk)?;
    vendors::refresh(snapshot::to(&arguments.snapshot, &settings), &settings, desk)?;
    find_input(&mut arguments, &settings, desk)?;
    let most = requested.as_ref().and_then(|requested| requested.asked.max_bytes);

    let (attempt, page) = loop {
        let sealed = attempt(&arguments, &ticket, &remote, &settings, most, desk)?;
        match approve::ask(&arguments, &ticket, &sealed.created, &sealed.told, &remote, desk) {
            Ok(Decision::Send(page)) => break (sealed, page),
            Ok(Decision::LeaveOut(place)) => {
                take_back(&sealed.created, &ticket, desk)?;
                arguments.leave_out.push(place);
            }
            Err(failure) => {
                take_back(&sealed.created, &ticket, desk)?;
                return Err(failure.or_left(NOTHING_LEFT));
            }
        }
    };
    let give_up_after = arguments.give_up_after;
    Ok(Go::Send(Box::new(Approved { ticket, remote, attempt, page, give_up_after, _lock: lock })))
}

/// Takes the request out of the arguments, if the first of them names one, and fills in what it asks.
fn take_request(
    arguments: &mut SendArguments,
    settings: &Settings,
    desk: &mut Desk<'_>,
) -> Result<Option<Requested>, Failure> {
    let Some(named) = arguments.snapshot.paths.first().map(|first| requests::named(first)).transpose()?.flatten()
    else {
        return Ok(None);
    };
    arguments.snapshot.paths.remove(0);
    let requested = named.open(arguments.signer.as_deref(), settings, desk)?;
    requested.fill_in(&mut arguments.snapshot);
    Ok(Some(requested))
}

fn ticket(arguments: &SendArguments, requested: Option<&Requested>) -> Result<TicketId, Failure> {
    match (&arguments.ticket, requested) {
        (named, Some(requested)) => requested.ticket(named.as_ref()),
        (Some(ticket), None) => Ok(ticket.clone()),
        (None, None) => {
            Err(arguments.snapshot.paths.first().and_then(|first| requests::mistyped(first)).unwrap_or_else(|| {
                Failure::usage("There is no ticket to send for.").left(NOTHING_YET).next(
                "Name it:  --ticket 4711    Or give the code that the technician reads to you:  tarseal send K7QF-2M4P",
            )
            }))
        }
    }
}

/// Where nothing is named and the profile does not collect by itself, takes the newest file of the downloads that can be meant, if
/// somebody says yes.
fn find_input(arguments: &mut SendArguments, settings: &Settings, desk: &mut Desk<'_>) -> Result<(), Failure> {
    if !arguments.snapshot.paths.is_empty() {
        return Ok(());
    }
    let profile = rules::profile(&arguments.snapshot.rules, settings)?;
    let sources = &profile.collection.sources;
    if sources.iter().any(|rule| !matches!(rule.kind, SourceKind::Archive(_))) {
        return Ok(());
    }
    // Whoever cannot be asked gets what the profile collects, and nothing that happens to lie among the downloads.
    if desk.manner.yes || desk.manner.no_input || !desk.world.interactive {
        return Ok(());
    }
    let Some(found) = downloads::newest(&profile, desk) else { return Ok(()) };
    desk.output.say(format!("Found {}", found.words(desk)));
    let answer = desk.ask("Use it? [Y/n]")?.unwrap_or_default();
    if !matches!(answer.to_ascii_lowercase().as_str(), "" | "y" | "yes") {
        return Err(Failure::usage("There is nothing named to send.")
            .left(NOTHING_YET)
            .next("Name files or directories:  tarseal send PATH …"));
    }
    arguments.snapshot.paths.push(found.path.into_os_string());
    Ok(())
}

/// When a review is demanded, there must be a person to look.
fn may_be_approved(settings: &Settings, desk: &Desk<'_>) -> Result<(), Failure> {
    let nobody = desk.manner.no_input || !desk.world.interactive;
    let stopped = |why: String| Failure::new(Exit::NotApproved, why).left(NOTHING_YET);
    if settings.review_required.value && (desk.manner.yes || nobody) {
        let origin = &settings.review_required.origin;
        return Err(stopped(format!("The policy in {origin} wants a person to look before anything is sent."))
            .next("Run it at a terminal, without --yes."));
    }
    if nobody && !desk.manner.yes {
        return Err(stopped("Nobody is there to approve what will be sent.".into())
            .next("At a terminal you are asked; in a script, approve beforehand with:  --yes"));
    }
    Ok(())
}

fn ticket_is_open(ticket: &TicketId, remote: &Remote) -> Result<(), Failure> {
    let told = remote::patiently(|| remote.client.ticket(ticket))
        .map_err(|error| remote::failure(&error, remote.address.host()).left(NOTHING_YET))?;
    if told.state == TicketState::Closed {
        let since = told.closed_at.map_or_else(String::new, |at| format!(" since {}", requests::when(at)));
        return Err(Failure::new(Exit::NotApproved, format_args!("Ticket {ticket} is closed{since}."))
            .left(NOTHING_YET)
            .next("Ask the technician to reopen it."));
    }
    Ok(())
}

/// A sealed file that nobody has approved yet.
struct Attempt {
    created: Created,
    told: Told,
    field: ShareField,
    share: Share,
}

/// Collects, redacts and seals, and says each step.
fn attempt(
    arguments: &SendArguments,
    ticket: &TicketId,
    remote: &Remote,
    settings: &Settings,
    most: Option<u64>,
    desk: &mut Desk<'_>,
) -> Result<Attempt, Failure> {
    let counted = !arguments.snapshot.no_redact;
    desk.bars.count_steps(counted);
    let mut prepared = prepare(&arguments.snapshot, Vec::new(), settings, desk)?;
    leave_out(arguments, &mut prepared)?;
    has_room(&prepared, desk)?;
    let sealed = seal_for(remote, ticket, prepared, desk);
    desk.bars.count_steps(false);
    let stopped = matches!(&sealed, Err(failure) if failure.exit == Exit::Gate);
    if counted && (sealed.is_ok() || stopped) {
        let mut gate = Map::new();
        gate.insert("result".into(), json!(if stopped { "stopped" } else { "passed" }));
        desk.output.event("gate", gate);
    }
    // From here on something was collected.
    let attempt = sealed.map_err(|failure| failure.or_left(NOTHING_LEFT))?;
    if counted {
        desk.output.say("4 of 5  Gate       nothing left that looks like personal data   PASSED");
        desk.output.say(format!("5 of 5  Seal       {}, AES-256-GCM", size(attempt.created.size)));
    }
    match most {
        Some(most) if attempt.created.size > most => {
            take_back(&attempt.created, ticket, desk)?;
            Err(Failure::new(
                Exit::NotApproved,
                format_args!("It would be {}; the request allows {}.", size(attempt.created.size), size(most)),
            )
            .left("The sealed file was removed; nothing has left this computer.")
            .next("Leave something out:  --leave-out PATH    Or ask the technician for a new code."))
        }
        _ => Ok(attempt),
    }
}

/// Leaves out what the sender does not want to send.
fn leave_out(arguments: &SendArguments, prepared: &mut Prepared) -> Result<(), Failure> {
    if arguments.leave_out.is_empty() {
        return Ok(());
    }
    let named: Vec<String> = arguments.leave_out.iter().map(|place| place.trim_start_matches('/').to_owned()).collect();
    let places = Places::new(&named)?;
    prepared.leave_out(|path| places.hold(path), Reason::BySender);
    Ok(())
}

/// Stops before anything is read when the disk cannot hold what will surely be written.
fn has_room(prepared: &Prepared, desk: &Desk<'_>) -> Result<(), Failure> {
    let directory = desk.home.directory("outgoing")?;
    let disk = rustix::fs::statvfs(&directory)
        .map_err(|error| Failure::local(directory.display(), &std::io::Error::from(error)))?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let needed = (prepared.total() / SHRINKS).saturating_add(ROOM);
    if free >= needed {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Local,
        format_args!("{} has {} free, about {} are needed.", directory.display(), size(free), size(needed)),
    )
    .left(NOTHING_YET)
    .next("Make room, send less (--leave-out PATH), or put the state elsewhere:  TARSEAL_HOME=/another/disk tarseal send …"))
}

/// Removes what was sealed and not approved.
fn take_back(created: &Created, ticket: &TicketId, desk: &Desk<'_>) -> Result<(), Failure> {
    let sealed = super::upload::outgoing(ticket, &created.file_id, desk)?;
    fs::remove_file(&sealed).map_err(|error| Failure::local(sealed.display(), &error))?;
    keeping::forget(ticket, &created.file_id, false, desk)
}

/// Says that something is missing, and how it would not be.
fn missing(created: &Created) -> String {
    let left_out = &created.manifest.left_out;
    let missing = left_out.iter().filter(|one| one.reason.makes_incomplete()).count();
    let closed = left_out.iter().filter(|one| one.reason == Reason::NotPermitted).count();
    let is = if missing == 1 { "is" } else { "are" };
    let rights = match closed {
        0 => String::new(),
        closed => format!("\n              {closed} need more rights. Ask IT to run it, with:  sudo tarseal send …"),
    };
    format!("  Incomplete  {missing} of what you named {is} not in it; why is listed above{rights}")
}

/// Redacts and seals into the outgoing directory, the key in two parts.
fn seal_for(remote: &Remote, ticket: &TicketId, prepared: Prepared, desk: &mut Desk<'_>) -> Result<Attempt, Failure> {
    let own = keeping::own_identity(desk)?;
    let key = keeping::ticket_key(ticket, &own, desk)?;
    let share = Share::random(&mut *desk.world.rng);
    let field = ShareField {
        id: ShareId::random(&mut *desk.world.rng),
        not_after: last_day(desk.world.clock.now()),
        portal: remote.address.as_str().to_owned(),
    };
    let output = super::upload::unnamed(ticket, desk)?;
    let (created, told) = seal(prepared, key, Some((field.clone(), &share)), Some(ticket), &output, desk)?;
    let named = super::upload::outgoing(ticket, &created.file_id, desk)?;
    fs::rename(&output, &named).map_err(|error| Failure::local(named.display(), &error))?;
    if let Some(vault) = &created.vault {
        keeping::keep_vault(&created.file_id, vault, &own, desk)?;
    }
    Ok(Attempt { created, told, field, share })
}

/// After this instant nobody gets the share, whatever the ticket does.
fn last_day(now: Timestamp) -> Timestamp {
    hard_cap_at(now, &RetentionPolicy::default())
}
