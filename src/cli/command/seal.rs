//! `seal`: everything up to the sealed file; no network.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::key::read_identity_with;
use super::snapshot::{completeness, default_output, dry_run, prepare, seal, show_review, stand_in_key, tell_missing};
use crate::cli::Desk;
use crate::cli::args::{NewPassphraseArguments, PortalArguments, Review, SealArguments};
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::keeping;
use crate::cli::output::{count, size};
use crate::cli::parts::{self, Cut};
use crate::cli::passphrase::{self, Passphrases};
use crate::cli::requests::{self, Requested};
use crate::cli::settings::Settings;
use crate::format::{Recipient, SlotKind};
use crate::ids::TicketId;
use crate::pipeline::Created;
use crate::track::ledger::Sealed;

/// Seals a snapshot into a file.
pub fn run(mut arguments: SealArguments, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let to_output = arguments.output.as_deref() == Some(Path::new("-"));
    if to_output && desk.manner.json {
        return Err(Failure::usage("With --json, standard output holds JSON lines: name a file with -o."));
    }
    let settings = Settings::resolve(&PortalArguments::default(), &desk.home, desk.world)?;
    let requested = take_request(&mut arguments, &settings, desk)?;
    let arguments = &arguments;
    let review = arguments.review.unwrap_or(if arguments.ticket.is_some() { Review::Html } else { Review::None });
    if review == Review::Html && arguments.ticket.is_none() {
        return Err(Failure::usage("A review page is kept with a ticket, and removed with it; here is none.")
            .next("Name the ticket:  --ticket 4711    Or read it here:  --review text"));
    }
    let secrets = if arguments.snapshot.dry_run { Vec::new() } else { secrets(arguments, desk)? };
    let prepared = prepare(&arguments.snapshot, secrets, &settings, desk)?;
    if arguments.snapshot.dry_run {
        return Ok(dry_run(&prepared, desk));
    }
    let ticket = arguments.ticket.as_ref();
    let own = if ticket.is_some() { Some(keeping::own_identity(desk)?) } else { None };
    let key = stand_in_key(ticket, own.as_ref(), desk)?;

    let spooled = to_output || arguments.split.is_some();
    if let (Some(_), Some(name)) = (arguments.split, &arguments.output) {
        if to_output {
            return Err(
                Failure::usage("Parts are files; they cannot go to standard output.").next("Name them:  -o FILE")
            );
        }
        parts::refuse_existing(name)?;
    }
    let output = match &arguments.output {
        Some(_) if spooled => desk.home.directory("spool")?.join(format!("{}.tarseal", std::process::id())),
        Some(path) => path.clone(),
        None => default_output(ticket, desk),
    };
    if output.symlink_metadata().is_ok() {
        return Err(Failure::new(
            Exit::Local,
            format_args!("{} is there already, and nothing is overwritten.", output.display()),
        )
        .next("Name another file:  -o FILE"));
    }
    let (created, told) = seal(prepared, key, None, ticket, &output, desk)?;
    if let (Some(own), Some(vault)) = (&own, &created.vault) {
        keeping::keep_vault(&created.file_id, vault, own, desk)?;
    }
    if let Some(Err(failure)) = requested.as_ref().map(|(requested, _)| requested.allows(created.size)) {
        fs::remove_file(&output).map_err(|error| Failure::local(output.display(), &error))?;
        if let Some(ticket) = ticket {
            keeping::forget(ticket, &created.file_id, false, desk)?;
        }
        return Err(failure);
    }
    let cut = cut(arguments, &output, &created)?;
    let file = match &cut {
        Some(cut) => Some(&cut.list),
        None => (!to_output).then_some(&output),
    };
    if let Some(ticket) = ticket {
        note(ticket, &created, file, desk)?;
    }
    if let Some(cut) = &cut {
        desk.output.data(cut.list.display().to_string());
    } else if to_output {
        let copied = fs::File::open(&output).and_then(|mut file| io::copy(&mut file, &mut desk.output.raw()));
        fs::remove_file(&output).map_err(|error| Failure::local(output.display(), &error))?;
        copied.map_err(|error| Failure::local("Standard output", &error))?;
    } else {
        desk.output.data(output.display().to_string());
    }
    let manifest = &created.manifest;
    tell_missing(manifest, desk);
    if !manifest.redacted {
        desk.output.say("WITHOUT redaction: it holds personal data as it was.");
    }
    let page = show_review(review, &created, &told, None, desk)?;
    desk.output.headline(
        "SEALED.",
        &format!(
            "{}, {}{}. Nothing has left this computer.",
            count(manifest.entries.len() as u64, "file"),
            size(created.size),
            cut.as_ref().map_or_else(String::new, |cut| format!(" in {}", count(cut.parts as u64, "part")))
        ),
    );
    desk.output.say("It has no share at a portal: its deletion is by promise, not by key. Whoever has a copy and the key can read it.");
    if let Some(cut) = &cut {
        tell_parts(cut, ticket, requested.as_ref(), desk);
    }
    Ok(Outcome::done("sealed")
        .exit(completeness(&manifest.left_out, manifest.collected.as_ref()))
        .with("file", file)
        .with("parts", cut.as_ref().map(|cut| cut.parts))
        .with("check_phrase", cut.as_ref().map(|cut| &cut.phrase))
        .with("file_id", created.file_id)
        .with("bytes", created.size)
        .with("sha256", created.sha256)
        .with("review", page)
        .with("complete", completeness(&manifest.left_out, manifest.collected.as_ref()) == Exit::Done))
}

/// Takes the request out of the arguments, if the first of them names one, and fills in what it asks.
fn take_request(
    arguments: &mut SealArguments,
    settings: &Settings,
    desk: &mut Desk<'_>,
) -> Result<Option<(Requested, OsString)>, Failure> {
    let Some(named) = arguments.snapshot.paths.first().map(|first| requests::named(first)).transpose()?.flatten()
    else {
        return Ok(None);
    };
    let place = arguments.snapshot.paths.remove(0);
    let requested = named.open_offline(arguments.signer.as_deref(), settings, desk)?;
    requested.fill_in(&mut arguments.snapshot);
    arguments.ticket = Some(requested.ticket(arguments.ticket.as_ref())?);
    requested.tell(desk);
    Ok(Some((requested, place)))
}

/// Cuts what was sealed into parts, if that was asked for, and removes the whole.
fn cut(arguments: &SealArguments, sealed: &Path, created: &Created) -> Result<Option<Cut>, Failure> {
    let (Some(most), Some(name)) = (arguments.split, &arguments.output) else { return Ok(None) };
    let cut = parts::cut(sealed, created.file_id, name, most);
    fs::remove_file(sealed).map_err(|error| Failure::local(sealed.display(), &error))?;
    cut.map(Some)
}

/// Says how the parts get to the portal, and how the receipt comes back.
fn tell_parts(cut: &Cut, ticket: Option<&TicketId>, requested: Option<&(Requested, OsString)>, desk: &Desk<'_>) {
    let say = |line: String| desk.output.say(line);
    let list = cut.list.display();
    say(format!("  Check phrase  {}", cut.phrase));
    let how = match (requested, ticket) {
        (Some((_, place)), _) => format!(" --request {}", Path::new(place).display()),
        (None, Some(ticket)) => format!(" --ticket {ticket}"),
        (None, None) => " --ticket T".to_owned(),
    };
    say(format!("  From any PC   tarseal upload {list}{how}"));
    let page = match (requested, ticket) {
        (Some((requested, _)), Some(ticket)) => format!("{}upload?ticket={ticket}", requested.portal.as_str()),
        _ => "the portal's upload page".to_owned(),
    };
    say(format!("  or a browser  drop all parts and their list at {page}"));
    say("  The receipt   compare its words with the check phrase:  tarseal receipt add FILE".to_owned());
}

/// Whom it is sealed to besides public keys: a passphrase, or keys that both sides hold.
fn secrets(arguments: &SealArguments, desk: &mut Desk<'_>) -> Result<Vec<Recipient>, Failure> {
    let new =
        NewPassphraseArguments { passphrase: arguments.passphrase, passphrase_file: arguments.passphrase_file.clone() };
    if let Some(passphrase) = passphrase::new(&new, "the sealed file", desk)? {
        return Ok(vec![passphrase.into()]);
    }
    let mut secrets = Vec::new();
    for file in &arguments.shared_key {
        let key = read_identity_with(file, &mut Passphrases::of(None), desk)?;
        if key.kind() != SlotKind::SharedKey {
            return Err(Failure::usage(format_args!("{} is not a shared key.", file.display()))
                .next("Make one with:  tarseal key new --shared -o FILE"));
        }
        secrets.push(key.recipient());
    }
    Ok(secrets)
}

/// Enters the sealed file into the ledger, so that its vault is found and goes when it goes.
fn note(ticket: &TicketId, created: &Created, file: Option<&PathBuf>, desk: &Desk<'_>) -> Result<(), Failure> {
    let sealed = Sealed {
        snapshot: created.file_id,
        ticket: ticket.clone(),
        size: created.size,
        sha256: created.sha256.to_string(),
        file: file.map(|file| std::path::absolute(file).unwrap_or_else(|_| file.clone()).display().to_string()),
    };
    let now = desk.world.clock.now();
    super::ledger::open(desk)?.sealed(sealed, now).map_err(|error| super::ledger::failure(&error))
}
