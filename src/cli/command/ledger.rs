//! `status` and `due`: the sender's ledger.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::PathBuf;

use icalendar::{Calendar, Component as _, Event, Property};

use super::paper::{self, Paper};
use super::remote::{self, Remote, sentence};
use super::upload;
use crate::cli::args::{DueArguments, StatusArguments};
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::home::write_private;
use crate::cli::output::{count, shown, size};
use crate::cli::requests::{day, when};
use crate::cli::settings::Settings;
use crate::cli::{Desk, keeping};
use crate::clock::Timestamp;
use crate::ids::{FileId, TicketId};
use crate::send::PortalAddress;
use crate::track::ledger::{Entry, Ledger, LedgerError, Pinned, Standing, Told};
use crate::track::{Phase, PortalKey, RetentionPolicy};
use crate::wire::{Snapshot, SnapshotState};

/// Opens the sender's ledger.
pub fn open(desk: &Desk<'_>) -> Result<Ledger, Failure> {
    Ledger::open(&desk.home.ledger()?, &RetentionPolicy::default()).map_err(|error| failure(&error))
}

/// An error of the ledger in words and with its exit code.
pub fn failure(error: &LedgerError) -> Failure {
    let exit = match error {
        LedgerError::Local { .. } | LedgerError::Database(_) => Exit::Local,
        LedgerError::Busy => Exit::Locked,
        LedgerError::KeyChanged { .. } | LedgerError::NoKey(_) => Exit::Refused,
        LedgerError::Differs(_) => Exit::Usage,
        _ => Exit::Damaged,
    };
    let failure = Failure::new(exit, sentence(&error.to_string()));
    match error {
        LedgerError::KeyChanged { .. } => {
            failure.next("Call the portal's operator on a number you already know before you send anything more.")
        }
        LedgerError::Differs(_) => failure.next("A sealed file belongs to the ticket it was sealed for."),
        _ => failure,
    }
}

/// Asks a portal for its receipt key, pins it at the first meeting and gives it.
pub fn pin(remote: &Remote, desk: &Desk<'_>) -> Result<PortalKey, Failure> {
    let text = remote::patiently(|| remote.client.receipt_key())
        .map_err(|error| remote::failure(&error, remote.address.host()))?;
    let key: PortalKey = text.trim().parse().map_err(|error| {
        Failure::new(Exit::Damaged, format_args!("The portal's receipt key cannot be read: {error}."))
    })?;
    let met =
        open(desk)?.pin(remote.address.as_str(), &key, desk.world.clock.now()).map_err(|error| failure(&error))?;
    if met == Pinned::First {
        desk.output.say(format!(
            "First time with {}: its receipts are checked with this key from now on.",
            remote.address.host()
        ));
        desk.output.say(format!("  {key}"));
    }
    Ok(key)
}

/// Every receipt key that was pinned.
pub fn pinned_keys(desk: &Desk<'_>) -> Result<Vec<PortalKey>, Failure> {
    open(desk)?.pinned_keys().map_err(|error| failure(&error))
}

/// Keeps a receipt as a file of its own, for those who must show it.
pub fn keep_receipt(
    ticket: &TicketId,
    snapshot: &FileId,
    kind: &str,
    note: &str,
    desk: &Desk<'_>,
) -> Result<PathBuf, Failure> {
    let path = desk.home.directory("receipts")?.join(format!("{ticket}-{snapshot}.{kind}.receipt"));
    write_private(&path, note.as_bytes()).map_err(|error| Failure::local("The receipt was not written", &error))?;
    Ok(path)
}

/// Prints the receipts of a ticket.
pub fn show_receipts(ticket: &TicketId, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let mut receipts = Vec::new();
    for entry in entries(Some(ticket), desk)? {
        receipts.extend(entry.upload_receipt);
        receipts.extend(entry.deletion_receipt);
    }
    if receipts.is_empty() {
        return Err(Failure::new(Exit::NotFound, format_args!("The ledger has no receipt for ticket {ticket}."))
            .next("Ask the portal:  tarseal sync"));
    }
    for receipt in &receipts {
        desk.output.data(receipt);
    }
    Ok(Outcome::done("ok").with("receipts", receipts))
}

/// What the ledger knows of a ticket, or of all.
pub fn entries(ticket: Option<&TicketId>, desk: &Desk<'_>) -> Result<Vec<Entry>, Failure> {
    let ledger = open(desk)?;
    match ticket {
        Some(ticket) => ledger.of_ticket(ticket),
        None => ledger.snapshots(),
    }
    .map_err(|error| failure(&error))
}

/// Shows what was sent, from the ledger alone.
pub fn status(arguments: &StatusArguments, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let entries = entries(arguments.ticket.as_ref(), desk)?;
    if let (true, Some(ticket)) = (entries.is_empty(), &arguments.ticket) {
        return Err(Failure::new(Exit::NotFound, format_args!("Nothing was sent for ticket {ticket} from here."))
            .next("All that was sent:  tarseal status"));
    }
    let (now, labels) = (desk.world.clock.now(), labels(&entries));
    for entry in &entries {
        for line in lines(entry, &labels[&entry.snapshot], now, desk)? {
            desk.output.data(line);
        }
    }
    if entries.is_empty() {
        desk.output.say("Nothing was sent from here yet.");
    }
    Ok(Outcome::done("ok").with("snapshots", entries))
}

fn lines(entry: &Entry, label: &str, now: Timestamp, desk: &Desk<'_>) -> Result<Vec<String>, Failure> {
    let mut lines = Vec::new();
    let portal = entry.portal.as_deref().unwrap_or("a portal");
    if let Some(at) = entry.deleted_at() {
        lines.push(format!("{label}   DELETED {}. Key destroyed, file erased.", when(at)));
        lines.push(format!("    receipt signed by {portal}: VALID"));
        lines.push("    copies in the portal's backups cannot be opened any more".into());
        return Ok(lines);
    }
    match entry.sent_at() {
        None if is_given_up(entry) => {
            lines.push(format!("{label}   sealed {}, never sent, given up", day(entry.sealed_at)));
            return Ok(lines);
        }
        None if entry.file.is_none() && !upload::state_file(&entry.ticket, &entry.snapshot, desk)?.exists() => {
            let ask = format!("tarseal withdraw {}", entry.ticket);
            lines
                .push(format!("{label}   sealed {}, not sent, removed here; the portal:  {ask}", day(entry.sealed_at)));
        }
        Some(at) => lines.push(format!("{label}   sent {} to {portal}   {}", day(at), size(entry.size))),
        None => lines.push(format!("{label}   sealed {}, not sent yet:  {}", day(entry.sealed_at), how_to_send(entry))),
    }
    let mut add = |line: String| lines.push(format!("    {line}"));
    add(format!("snapshot {}", entry.snapshot));
    match entry.closed_at() {
        Some(at) => add(format!("ticket closed {}", day(at))),
        None if entry.sent_at().is_some() => add("ticket open, as far as is known here:  tarseal sync".into()),
        None => {}
    }
    match entry.readers() {
        Some((who, last)) => {
            let technicians = count(who, "technician");
            add(format!("opened {} by {technicians}, last {last}", count(entry.reads(), "time")));
        }
        None if entry.reads() > 0 => add(format!("opened {}", count(entry.reads(), "time"))),
        None => {}
    }
    if let Some((at, evidence)) = &entry.confirmed {
        add(format!(
            "the vendor confirmed its deletion in writing on {} (SHA-256 {}…); no receipt",
            day(*at),
            &evidence[..12]
        ));
    } else if entry.is_unconfirmed() {
        add("the portal says it is deleted, but no receipt proves it:  tarseal sync".into());
    } else if let Some(at) = entry.withdrawn {
        add(format!("withdrawn {at}; no receipt proves yet that it is gone:  tarseal sync"));
    } else if let Some(due) = entry.due_at {
        let days = due.seconds() / 86_400 - now.seconds() / 86_400;
        let left = if due <= now { "OVERDUE".into() } else { format!("in {}", count(days.unsigned_abs(), "day")) };
        add(format!("will be deleted by {} ({left})", day(due)));
    }
    Ok(lines)
}

/// What people call snapshots, of these that stand in the order in which they were sealed.
fn labels(entries: &[Entry]) -> HashMap<FileId, String> {
    let mut counted: HashMap<&TicketId, usize> = HashMap::new();
    let mut labels = HashMap::new();
    for entry in entries {
        let number = counted.entry(&entry.ticket).or_default();
        *number += 1;
        labels.insert(entry.snapshot, format!("{}-{number}", entry.ticket));
    }
    labels
}

/// What people call a snapshot: its ticket and which of the ticket's snapshots it is here, from 1.
pub fn label(ticket: &TicketId, snapshot: &FileId, desk: &Desk<'_>) -> Result<String, Failure> {
    let entries = open(desk)?.of_ticket(ticket).map_err(|error| failure(&error))?;
    let place = entries.iter().position(|entry| entry.snapshot == *snapshot).map_or(0, |place| place + 1);
    Ok(format!("{ticket}-{place}"))
}

fn how_to_send(entry: &Entry) -> String {
    match &entry.file {
        Some(file) => format!("tarseal upload {} --ticket {}", shown(file), entry.ticket),
        None => format!("tarseal resume {}", entry.ticket),
    }
}

/// Shows what needs attention.
pub fn due(arguments: &DueArguments, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let now = desk.world.clock.now();
    if arguments.ical {
        return calendar(now, desk);
    }
    let due = open(desk)?.due(now, i64::from(arguments.within) * 86_400).map_err(|error| failure(&error))?;
    let labels = labels(&entries(None, desk)?);
    for one in &due {
        let word = match one.standing {
            Standing::Overdue => "OVERDUE",
            Standing::Unconfirmed => "UNCONFIRMED",
            Standing::Due => "DUE",
        };
        let by = one.entry.due_at.map_or_else(String::new, |at| format!("  by {}", when(at)));
        let label = &labels[&one.entry.snapshot];
        desk.output.data(format!("{word:<12} {label}  {}{by}", one.entry.snapshot));
    }
    if due.is_empty() {
        desk.output.say(format!("Nothing is due within {}.", count(u64::from(arguments.within), "day")));
        return Ok(Outcome::done("nothing-due"));
    }
    Ok(Outcome::done("due").exit(Exit::Due).with("due", due))
}

/// Prints the deadlines of everything that is not gone as a calendar (RFC 5545): one event, all day, for each.
fn calendar(now: Timestamp, desk: &Desk<'_>) -> Result<Outcome, Failure> {
    let entries = entries(None, desk)?;
    let labels = labels(&entries);
    let stamp = now.to_jiff().strftime("%Y%m%dT%H%M%SZ").to_string();
    let mut calendar = Calendar::empty();
    calendar.append_property(Property::new("VERSION", "2.0"));
    calendar.append_property(Property::new("PRODID", "-//tarseal//ledger//EN")).name("tarseal");
    let mut events = 0_u64;
    for entry in entries.iter().filter(|entry| entry.phase() != Phase::Deleted && entry.confirmed.is_none()) {
        let Some(due) = entry.due_at else { continue };
        let label = &labels[&entry.snapshot];
        let on = Property::new("DTSTART", due.to_jiff().strftime("%Y%m%d").to_string())
            .add_parameter("VALUE", "DATE")
            .done();
        let event = Event::new()
            .uid(&format!("{}@tarseal", entry.snapshot))
            .append_property(on)
            .add_property("DTSTAMP", &stamp)
            .summary(&format!("{label} must be deleted by today"))
            .description(&format!(
                "Snapshot {} at {}. Ask for the receipt: tarseal sync",
                entry.snapshot,
                entry.portal.as_deref().unwrap_or("a portal")
            ))
            .done();
        calendar.push(event);
        events += 1;
    }
    if desk.output.manner().json {
        return Ok(Outcome::done("ok").with("calendar", calendar.to_string()).with("events", events));
    }
    let written = desk.output.raw().write_all(calendar.to_string().as_bytes());
    written.map_err(|error| Failure::local("The calendar was not written", &error))?;
    Ok(Outcome::done("ok").with("events", events))
}

/// The portal that a snapshot went to, if it went to one and the policy allows it.
pub fn portal_of(entry: &Entry, settings: &Settings) -> Result<Option<PortalAddress>, Failure> {
    let Some(portal) = &entry.portal else { return Ok(None) };
    let address: PortalAddress = portal
        .parse()
        .map_err(|error| Failure::new(Exit::Damaged, format_args!("The ledger names no portal: {error}.")))?;
    remote::allowed(&address, settings)?;
    Ok(Some(address))
}

/// The portal that a snapshot went to, with the token that is for it; `None` when it went to none.
pub fn remote_of(entry: &Entry, settings: &Settings, desk: &mut Desk<'_>) -> Result<Option<Remote>, Failure> {
    let Some(address) = portal_of(entry, settings)? else { return Ok(None) };
    remote::connect_for(address, &entry.ticket, settings, desk).map(Some)
}

/// Whether its sender gave it up before it was sent.
pub fn is_given_up(entry: &Entry) -> bool {
    entry.sent_at().is_none() && entry.withdrawn.is_some()
}

/// The portals of these snapshots.
pub fn portals(entries: &[Entry]) -> impl Iterator<Item = &str> {
    entries.iter().filter_map(|entry| entry.portal.as_deref())
}

/// Keeps the receipt of a deletion and removes what is kept here about the snapshot. Gives the receipt's place.
pub fn gone(entry: &Entry, note: &str, desk: &Desk<'_>) -> Result<Paper, Failure> {
    let id = &entry.snapshot;
    let kept = keep_receipt(&entry.ticket, id, "deletion", note, desk)?;
    let ledger = open(desk)?;
    let others = ledger.of_ticket(&entry.ticket).map_err(|error| failure(&error))?;
    let portal = others.iter().find(|other| other.snapshot == *id).and_then(|known| known.portal.clone());
    let key = portal.map_or(Ok(None), |portal| ledger.pinned(&portal)).map_err(|error| failure(&error))?;
    let label = label(&entry.ticket, id, desk)?;
    let paper = key.and_then(|key| paper::write((&entry.ticket, id), &label, note, &key, desk));
    let last = others.iter().all(|other| other.phase() == Phase::Deleted || is_given_up(other));
    keeping::forget(&entry.ticket, id, last, desk)?;
    Ok(paper.unwrap_or(Paper { proof: kept, page: None }))
}

/// What a portal tells, as the ledger records it.
pub fn as_told(snapshot: &Snapshot) -> Told {
    let phase = match snapshot.state {
        SnapshotState::Uploading => Phase::Uploading,
        SnapshotState::Stored | SnapshotState::Held | SnapshotState::Restricted => Phase::Stored,
        SnapshotState::Deleting => Phase::Due,
        SnapshotState::Deleted => Phase::Deleted,
    };
    Told { phase, due_at: snapshot.due_at, deleted_at: snapshot.deleted_at, reads: snapshot.reads, readers: None }
}
