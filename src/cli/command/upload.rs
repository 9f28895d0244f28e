//! `upload`: a sealed file on its way.

use std::fs;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};

use super::paper::{self, Paper};
use super::remote::{self, Remote};
use crate::cli::args::UploadArguments;
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::home::write_private_with;
use crate::cli::interrupt::Uploading;
use crate::cli::output::{Output, size};
use crate::cli::parts::{self, Joined};
use crate::cli::progress::Bars;
use crate::cli::requests::{self, day, when};
use crate::cli::settings::Settings;
use crate::cli::{Desk, keeping};
use crate::format::{Header, Share, ShareField};
use crate::ids::{FileId, TicketId};
use crate::pipeline::Created;
use crate::send::{Checkpoint, Pace, PortalAddress, SendError, Sent, SystemPace, TicketLock, upload};
use crate::track::ledger::{LedgerError, Sealed};
use crate::wire::{NewShare, NewSnapshot};

/// What is true before anything was sent.
const NOTHING_LEFT: &str = "Nothing has left this computer.";

/// Takes the lock of a ticket; it is held until the value is dropped.
pub fn lock(ticket: &TicketId, desk: &Desk<'_>) -> Result<TicketLock, Failure> {
    let path = desk.home.directory("locks")?.join(format!("{ticket}.lock"));
    TicketLock::take(&path).map_err(|error| remote::failure(&error, "this computer").left("This run has sent nothing."))
}

/// Where the sealed file of a snapshot waits until it is sent.
pub fn outgoing(ticket: &TicketId, file: &FileId, desk: &Desk<'_>) -> Result<PathBuf, Failure> {
    Ok(desk.home.directory("outgoing")?.join(format!("{ticket}-{file}.tarseal")))
}

/// A place for a sealed file whose id is not known yet; what an earlier run left there is removed.
pub fn unnamed(ticket: &TicketId, desk: &Desk<'_>) -> Result<PathBuf, Failure> {
    let path = desk.home.directory("outgoing")?.join(format!("{ticket}.sealing"));
    match fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Failure::local(path.display(), &error)),
        _ => Ok(path),
    }
}

/// Writes down that an upload begins, so that it can go on whatever happens: the ledger's record and the state file.
pub fn begin(
    remote: &Remote,
    ticket: &TicketId,
    sealed: &Path,
    created: &Created,
    share: Option<(&ShareField, &Share)>,
    desk: &Desk<'_>,
) -> Result<Checkpoint, Failure> {
    let share = share.map(|(field, share)| NewShare {
        id: field.id,
        secret: BASE64_STANDARD.encode(share.expose()).into(),
        not_after: field.not_after,
    });
    let snapshot =
        NewSnapshot { file_id: created.file_id, size: created.size, sha256: created.sha256.to_string(), share };
    start(remote, ticket, sealed, snapshot, desk)
}

fn start(
    remote: &Remote,
    ticket: &TicketId,
    sealed: &Path,
    snapshot: NewSnapshot,
    desk: &Desk<'_>,
) -> Result<Checkpoint, Failure> {
    let now = desk.world.clock.now();
    let mut ledger = super::ledger::open(desk)?;
    let record = Sealed {
        snapshot: snapshot.file_id,
        ticket: ticket.clone(),
        size: snapshot.size,
        sha256: snapshot.sha256.clone(),
        file: None,
    };
    let file_id = snapshot.file_id;
    ledger.sealed(record, now).map_err(|error| super::ledger::failure(&error))?;
    let state = state_file(ticket, &file_id, desk)?;
    let checkpoint = Checkpoint::create(&state, &remote.address, ticket, sealed, snapshot)
        .map_err(|error| remote::failure(&error, remote.address.host()))?;
    ledger.uploading(&file_id, remote.address.as_str(), now).map_err(|error| super::ledger::failure(&error))?;
    Ok(checkpoint)
}

/// Uploads to the end, records the portal's answer and receipt, and tidies up. `missing` says what is not in the snapshot.
pub fn finish(
    remote: &Remote,
    checkpoint: &mut Checkpoint,
    missing: Option<String>,
    give_up_after: Duration,
    desk: &mut Desk<'_>,
) -> Result<Outcome, Failure> {
    let ticket = checkpoint.ticket().clone();
    let _uploading = Uploading::note(&ticket);
    let host = remote.address.host().to_owned();
    let pace = Telling { pace: SystemPace::new(), output: desk.output.clone(), bars: &desk.bars };
    let sent = upload(&remote.client, checkpoint, give_up_after, &pace, &mut *desk.world.rng, &desk.bars)
        .map_err(|error| kept(remote::failure(&error, &host), &error, &ticket))?;
    if remote.by_code {
        requests::spent(&ticket, &remote.address, desk)?;
    }
    let receipt = record(&sent, checkpoint, desk)?;
    let outgoing = desk.home.directory("outgoing")?;
    if checkpoint.file().starts_with(&outgoing) {
        remove(checkpoint.file())?;
    }
    let stored = sent.snapshot.uploaded_at.unwrap_or_else(|| desk.world.clock.now());
    desk.output.headline("SENT.", &format!("Stored by {host} on {}. Checksum matches.", when(stored)));
    if let Some(missing) = missing {
        desk.output.say(missing);
    }
    if let Some(receipt) = &receipt {
        desk.output.say(format!("  Receipt     {}", receipt.shown().display()));
    }
    if let Some(due) = sent.snapshot.due_at {
        desk.output.say(format!("  Deleted by  90 days after ticket {ticket} is closed, at the latest {}", day(due)));
    }
    if keeping::has_vault(&sent.snapshot.id, desk)? {
        desk.output.say("  Names       who is who stays on this computer, locked");
    }
    desk.output.say(format!("  See again   tarseal status {ticket}      Take it back   tarseal withdraw {ticket}"));
    desk.output.data(sent.snapshot.id.to_string());
    Ok(Outcome::done("sent")
        .with("ticket", &ticket)
        .with("snapshot", sent.snapshot.id)
        .with("sha256", &sent.snapshot.sha256)
        .with("bytes", sent.snapshot.size)
        .with("receipt", receipt.as_ref().map(|receipt| &receipt.proof))
        .with("receipt_page", receipt.as_ref().and_then(|receipt| receipt.page.as_ref()))
        .with("due_at", sent.snapshot.due_at))
}

fn record(sent: &Sent, checkpoint: &Checkpoint, desk: &Desk<'_>) -> Result<Option<Paper>, Failure> {
    let now = desk.world.clock.now();
    let id = checkpoint.file_id();
    let failure = |error: LedgerError| super::ledger::failure(&error);
    let mut ledger = super::ledger::open(desk)?;
    ledger.sent(id, sent.snapshot.uploaded_at.unwrap_or(now), now).map_err(failure)?;
    let Some(note) = &sent.receipt else { return Ok(None) };
    ledger.receipt(id, note, now).map_err(failure)?;
    let kept = super::ledger::keep_receipt(checkpoint.ticket(), id, "upload", note, desk)?;
    let key = ledger.pinned(checkpoint.portal().as_str()).map_err(failure)?;
    let label = super::ledger::label(checkpoint.ticket(), id, desk)?;
    let paper = key.and_then(|key| paper::write((checkpoint.ticket(), id), &label, note, &key, desk));
    Ok(Some(paper.unwrap_or(Paper { proof: kept, page: None })))
}

/// What stays true when an upload did not end well.
fn kept(failure: Failure, error: &SendError, ticket: &TicketId) -> Failure {
    if error.is_temporary() || matches!(error, SendError::Tls { .. } | SendError::Refused(_)) {
        failure.left(format!("The sealed file is safe here. It goes on where it stopped:  tarseal resume {ticket}"))
    } else {
        failure.or_left(
            "Nothing but sealed bytes has left this computer, and the portal does not count them as a snapshot.",
        )
    }
}

fn remove(path: &Path) -> Result<(), Failure> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Failure::local(path.display(), &error)),
        _ => Ok(()),
    }
}

/// Where the state of a snapshot's upload stands until it has ended.
pub fn state_file(ticket: &TicketId, file: &FileId, desk: &Desk<'_>) -> Result<PathBuf, Failure> {
    Ok(desk.home.directory("outgoing")?.join(format!("{ticket}-{file}.json")))
}

/// Uploads a sealed file that was made without a share, whole or in parts.
pub fn run(arguments: &UploadArguments, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let settings = Settings::resolve(&arguments.portal, &desk.home, desk.world)?;
    let (ticket, address) = for_what(arguments, &settings, desk).map_err(|failure| failure.or_left(NOTHING_LEFT))?;
    let _lock = lock(&ticket, desk)?;
    let (remote, snapshot) =
        ready(arguments, &ticket, address, &settings, desk).map_err(|failure| failure.or_left(NOTHING_LEFT))?;
    let state = state_file(&ticket, &snapshot.file_id, desk)?;
    let mut checkpoint = if state.exists() {
        load(&state)?
    } else {
        let sealed = joined(arguments, &ticket, &snapshot, desk).map_err(|failure| failure.or_left(NOTHING_LEFT))?;
        start(&remote, &ticket, &sealed, snapshot, desk)?
    };
    let outcome = finish(&remote, &mut checkpoint, None, arguments.give_up_after, desk)?;
    checkpoint.remove().map_err(|error| remote::failure(&error, remote.address.host()))?;
    Ok(outcome)
}

/// The ticket and the portal: of the request, whose code is redeemed here, or as they were named.
fn for_what(
    arguments: &UploadArguments,
    settings: &Settings,
    desk: &mut Desk<'_>,
) -> Result<(TicketId, PortalAddress), Failure> {
    if let Some(request) = &arguments.request {
        let Some(named) = requests::named(request)? else {
            return Err(requests::mistyped(request).unwrap_or_else(|| {
                Failure::usage("That is not a request.")
                    .next("A request is a code, K7QF-2M4P, or a file that ends in .tsreq.")
            }));
        };
        let mut requested = named.open(arguments.signer.as_deref(), settings, desk)?;
        let ticket = requested.ticket(arguments.ticket.as_ref())?;
        requested.tell(desk);
        requested.redeem(settings, desk)?;
        return Ok((ticket, requested.portal));
    }
    let Some(ticket) = &arguments.ticket else {
        return Err(Failure::usage("There is no ticket to upload for.").next("Name it:  --ticket 4711"));
    };
    Ok((ticket.clone(), remote::address(settings)?))
}

/// The portal that is ready to take the file, and what it must know of it.
fn ready(
    arguments: &UploadArguments,
    ticket: &TicketId,
    address: PortalAddress,
    settings: &Settings,
    desk: &mut Desk<'_>,
) -> Result<(Remote, NewSnapshot), Failure> {
    let remote = remote::connect_for(address, ticket, settings, desk)?;
    let snapshot = if parts::is_list(&arguments.file) {
        let mut joined = Joined::open(&arguments.file)?;
        desk.output.say(format!("{}, each as it was cut. Check phrase:  {}", joined.count(), joined.phrase()));
        describe(&mut joined, &arguments.file)?
    } else {
        let mut file = fs::File::open(&arguments.file).map_err(|error| unreadable(&arguments.file, &error))?;
        describe(&mut file, &arguments.file)?
    };
    super::ledger::pin(&remote, desk)?;
    Ok((remote, snapshot))
}

/// The sealed file as one: parts are put together where files wait to be sent.
fn joined(
    arguments: &UploadArguments,
    ticket: &TicketId,
    snapshot: &NewSnapshot,
    desk: &Desk<'_>,
) -> Result<PathBuf, Failure> {
    if !parts::is_list(&arguments.file) {
        return Ok(arguments.file.clone());
    }
    let place = outgoing(ticket, &snapshot.file_id, desk)?;
    let mut parts = Joined::open(&arguments.file)?;
    let copied = write_private_with(&place, |output| std::io::copy(&mut parts, output).map(drop));
    copied.map_err(|error| Failure::local(place.display(), &error))?;
    Ok(place)
}

fn unreadable(file: &Path, error: &std::io::Error) -> Failure {
    Failure::local(format_args!("The sealed file {}", file.display()), error)
}

/// Reads what the portal must know of a sealed file: its id, length and digest.
fn describe(input: &mut (impl Read + Seek), file: &Path) -> Result<NewSnapshot, Failure> {
    let local = |error: &std::io::Error| unreadable(file, error);
    let header = Header::read(&mut *input).map_err(|error| super::open::open_failure(&error))?;
    if header.share.is_some() {
        return Err(Failure::new(
            Exit::Damaged,
            "This file was sealed by `send` for one upload; its share is no longer here.",
        )
        .next("Go on with that upload:  tarseal resume")
        .next("Or make a new one:  tarseal send"));
    }
    input.rewind().map_err(|error| local(&error))?;
    let (mut hasher, mut size) = (Sha256::new(), 0);
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let length = input.read(&mut buffer).map_err(|error| local(&error))?;
        if length == 0 {
            return Ok(NewSnapshot {
                file_id: header.file_id,
                size,
                sha256: hex::encode(hasher.finalize()),
                share: None,
            });
        }
        hasher.update(&buffer[..length]);
        size += length as u64;
    }
}

/// Reads the state of an upload back.
pub fn load(state: &Path) -> Result<Checkpoint, Failure> {
    Checkpoint::load(state).map_err(|error| remote::failure(&error, "this computer"))
}

/// Waits as long as it must, and says why.
struct Telling<'a> {
    pace: SystemPace,
    output: Output,
    bars: &'a Bars,
}

impl Pace for Telling<'_> {
    fn elapsed(&self) -> Duration {
        self.pace.elapsed()
    }

    fn wait(&self, until: Duration, because: &SendError) {
        let seconds = until.saturating_sub(self.elapsed()).as_secs_f64().ceil();
        let stored = match self.bars.so_far() {
            Some((done, total)) if done > 0 => format!(" {} of {} are stored.", size(done), size(total)),
            _ => String::new(),
        };
        self.output
            .say(format!("NOT SENT YET. {because}.{stored} Trying again in {seconds} s; Ctrl-C keeps what is stored."));
        self.pace.wait(until, because);
    }
}
