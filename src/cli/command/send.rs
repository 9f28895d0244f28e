//! `send`: collect, redact, seal, review, upload.

use std::fs;
use std::path::PathBuf;

use super::remote::{self, Remote};
use super::snapshot::{self, Prepared, Told, completeness, dry_run, prepare, seal, show_review, tell_missing};
use super::upload::{begin, finish, lock};
use crate::cli::Desk;
use crate::cli::args::{Review, SendArguments};
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::keeping;
use crate::cli::output::{count, shown, size};
use crate::cli::settings::Settings;
use crate::cli::vendors;
use crate::clock::Timestamp;
use crate::format::{Share, ShareField};
use crate::ids::{ShareId, TicketId};
use crate::pack::Manifest;
use crate::pipeline::Created;
use crate::track::RetentionPolicy;
use crate::track::deadline::hard_cap_at;
use crate::wire::TicketState;

/// What is true until the portal has said that it would take the snapshot.
const NOTHING_YET: &str = "Nothing was collected, nothing has left this computer.";

/// Sends a snapshot for a ticket.
pub fn run(arguments: &SendArguments, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let settings = Settings::resolve(&arguments.portal, &desk.home, desk.world)?;
    if arguments.snapshot.dry_run {
        let prepared = prepare(&arguments.snapshot, Vec::new(), &settings, desk)?;
        return Ok(dry_run(&prepared, desk));
    }
    may_be_approved(&settings, desk)?;
    let address = remote::address(&settings)?;
    let ticket = &arguments.ticket;
    let _lock = lock(ticket, desk)?;

    // Everything that can stand in the way is asked before anything is read.
    let remote = remote::connect_to(address, &settings, desk)?;
    ticket_is_open(ticket, &remote)?;
    super::ledger::pin(&remote, desk)?;
    vendors::refresh(snapshot::to(&arguments.snapshot, &settings), &settings, desk)?;
    let prepared = prepare(&arguments.snapshot, Vec::new(), &settings, desk)?;

    let (created, told, field, share) = seal_for(&remote, ticket, prepared, desk)?;
    let sealed = super::upload::outgoing(ticket, &created.file_id, desk)?;
    let page = match review(arguments, &created, &told, &remote, desk) {
        Ok(page) => page,
        Err(failure) => {
            fs::remove_file(&sealed).map_err(|error| Failure::local(sealed.display(), &error))?;
            keeping::forget(ticket, &created.file_id, false, desk)?;
            return Err(failure);
        }
    };
    let mut checkpoint = begin(&remote, ticket, &sealed, &created, Some((&field, &share)), desk)?;
    let exit = completeness(&created.manifest.left_out, created.manifest.collected.as_ref());
    let outcome = finish(&remote, &mut checkpoint, arguments.give_up_after, desk)?;
    checkpoint.remove().map_err(|error| remote::failure(&error, remote.address.host()))?;
    Ok(outcome
        .exit(exit)
        .with("complete", exit == Exit::Done)
        .with("review", page)
        .with("files", created.manifest.entries.len())
        .with("left_out", created.manifest.left_out.len()))
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
        let since = told.closed_at.map_or_else(String::new, |at| format!(" since {at}"));
        return Err(Failure::new(Exit::NotApproved, format_args!("Ticket {ticket} is closed{since}."))
            .left(NOTHING_YET)
            .next("Ask the technician to reopen it."));
    }
    Ok(())
}

/// Redacts and seals into the outgoing directory, the key in two parts.
fn seal_for(
    remote: &Remote,
    ticket: &TicketId,
    prepared: Prepared,
    desk: &mut Desk<'_>,
) -> Result<(Created, Told, ShareField, Share), Failure> {
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
    Ok((created, told, field, share))
}

/// After this instant nobody gets the share, whatever the ticket does.
fn last_day(now: Timestamp) -> Timestamp {
    hard_cap_at(now, &RetentionPolicy::default())
}

/// Shows what will leave, and asks.
fn review(
    arguments: &SendArguments,
    created: &Created,
    told: &Told,
    remote: &Remote,
    desk: &mut Desk<'_>,
) -> Result<Option<PathBuf>, Failure> {
    let manifest = &created.manifest;
    tell_missing(manifest, desk);
    if arguments.review == Review::Html {
        tell_review(manifest, created.size, remote, desk);
    }
    let page = show_review(arguments.review, created, told, Some(remote.address.as_str()), desk)?;
    if desk.manner.yes {
        return Ok(page);
    }
    desk.output.insist("\nNOTHING HAS LEFT THIS COMPUTER.");
    let answer = desk.ask("Type the ticket number to send, or press Enter to stop:")?;
    if answer.as_deref() == Some(arguments.ticket.as_str()) {
        return Ok(page);
    }
    Err(Failure::new(Exit::NotApproved, "You did not approve it.")
        .left("The sealed file was removed; nothing has left this computer."))
}

fn tell_review(manifest: &Manifest, length: u64, remote: &Remote, desk: &Desk<'_>) {
    let say = |line: String| desk.output.say(line);
    say(format!(
        "\nTo {} for ticket {}:  {}, {} sealed",
        remote.address.host(),
        manifest.ticket.as_ref().map_or("", TicketId::as_str),
        count(manifest.entries.len() as u64, "file"),
        size(length)
    ));
    if !manifest.redacted {
        say("WITHOUT redaction: it holds personal data as it was.".into());
        return;
    }
    if manifest.findings.is_empty() {
        say("Replaced: nothing was found.".into());
    } else {
        say("Replaced:".into());
    }
    for (category, number) in &manifest.findings {
        say(format!("  {:<18} {number:>9}", category.word()));
    }
    let most = 12;
    for entry in manifest.entries.iter().take(most) {
        say(format!("  {:>12}  {}", entry.size, shown(entry.path.as_str())));
    }
    if manifest.entries.len() > most {
        say(format!("  … and {}", count((manifest.entries.len() - most) as u64, "more file")));
    }
}
