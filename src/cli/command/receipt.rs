//! `receipt`: show and verify the portal's signed statements.

use std::fs;
use std::io::Read;
use std::path::Path;

use serde_json::json;

use super::paper::{self, Paper};
use super::remote::{self, sentence};
use crate::cli::Desk;
use crate::cli::args::{PortalArguments, ReceiptCommand};
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::output::{shown, size};
use crate::cli::settings::Settings;
use crate::format::check_phrase_of;
use crate::track::PortalKey;
use crate::track::ledger::LedgerError;
use crate::track::receipt::{self, Kind, Logged, Receipt};

/// A receipt is at most 4 KiB; a file far beyond that is something else.
const LIMIT: u64 = 64 * 1024;

/// Runs one of the receipt commands.
pub fn run(command: &ReceiptCommand, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    match command {
        ReceiptCommand::Show { ticket } => super::ledger::show_receipts(ticket, desk),
        ReceiptCommand::Verify { file, key } => verify(file, key.as_deref(), desk),
        ReceiptCommand::Add { file, key, portal } => add(file, key.as_deref(), portal.as_ref(), desk),
    }
}

fn verify(file: &Path, key: Option<&str>, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let note = read_note(file, desk)?;
    let (logged, key) = checked(&note, &keys(key, desk)?)?;
    Ok(told(&logged, &key, desk))
}

/// The receipt, and the first of the keys that signed it.
fn checked(note: &str, keys: &[PortalKey]) -> Result<(Logged, PortalKey), Failure> {
    let mut last = None;
    for key in keys {
        match receipt::verify_logged(note, key) {
            Ok(logged) => return Ok((logged, key.clone())),
            Err(error) => last = Some(error),
        }
    }
    let error = last.expect("there is at least one key, and each failed");
    Err(Failure::new(Exit::Damaged, sentence(&error.to_string()))
        .next("Do not rely on it. Ask the portal for the receipt again:  tarseal sync"))
}

/// Takes a receipt that came by hand into the ledger, if it is of a file that was sealed here.
fn add(file: &Path, key: Option<&str>, portal: Option<&String>, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let portal = PortalArguments { portal: portal.cloned(), ..PortalArguments::default() };
    let settings = Settings::resolve(&portal, &desk.home, desk.world)?;
    let note = read_note(file, desk)?;
    let (logged, key) = checked(&note, &keys(key, desk)?)?;
    let receipt = &logged.receipt;
    let known = super::ledger::entries(None, desk)?;
    let entry = known.into_iter().find(|entry| entry.sha256 == receipt.sha256 && entry.size == receipt.size);
    let Some(entry) = entry else {
        return Err(Failure::new(
            Exit::NotFound,
            "The receipt is genuine, and of a file that was not sealed for a ticket here.",
        )
        .next("The files that were:  tarseal status"));
    };
    let at = match &entry.portal {
        Some(portal) => portal.clone(),
        None => remote::address(&settings)?.as_str().to_owned(),
    };
    let now = desk.world.clock.now();
    let failure = |error: LedgerError| super::ledger::failure(&error);
    let mut ledger = super::ledger::open(desk)?;
    ledger.pin(&at, &key, now).map_err(failure)?;
    ledger.uploading(&entry.snapshot, &at, now).map_err(failure)?;
    ledger.sent(&entry.snapshot, receipt.uploaded, now).map_err(failure)?;
    ledger.receipt(&entry.snapshot, &note, now).map_err(failure)?;
    drop(ledger);
    let label = super::ledger::label(&entry.ticket, &entry.snapshot, desk)?;
    let place = match receipt.kind {
        Kind::Upload => {
            let kept = super::ledger::keep_receipt(&entry.ticket, &entry.snapshot, "upload", &note, desk)?;
            paper::write((&entry.ticket, &entry.snapshot), &label, &note, &key, desk)
                .unwrap_or(Paper { proof: kept, page: None })
        }
        Kind::Deletion => super::ledger::gone(&entry, &note, desk)?,
    };
    desk.output.data(place.shown().display().to_string());
    desk.output.headline("ADDED.", &format!("The receipt belongs to {label}, and is in the ledger."));
    let phrase = check_phrase_of(&receipt.sha256);
    desk.output.say(format!("  Check phrase  {}", phrase.unwrap_or_default()));
    desk.output.say(format!("  See it        tarseal status {}", entry.ticket));
    Ok(Outcome::done("added")
        .with("ticket", &entry.ticket)
        .with("snapshot", entry.snapshot)
        .with("receipt", place.proof)
        .with("receipt_page", place.page))
}

/// The key that was given, or the keys that the ledger pinned.
pub(super) fn keys(key: Option<&str>, desk: &Desk<'_>) -> Result<Vec<PortalKey>, Failure> {
    let keys = match key {
        Some(key) => vec![read_key(key)?],
        None => super::ledger::pinned_keys(desk)?,
    };
    if keys.is_empty() {
        return Err(Failure::usage("There is no key to check it with: this ledger has not spoken with a portal yet.")
            .next("Get the portal's receipt key a safe way, and give it with:  --key KEY"));
    }
    Ok(keys)
}

fn told(logged: &Logged, key: &PortalKey, desk: &Desk<'_>) -> Outcome {
    let receipt = &logged.receipt;
    let what = match receipt.kind {
        Kind::Upload => "an upload",
        Kind::Deletion => "a deletion",
    };
    desk.output.headline("VALID.", &format!("A receipt of {what}, signed by {}.", shown(key.name())));
    for line in lines(receipt) {
        desk.output.data(line);
    }
    desk.output.data(format!(
        "log       record {} of {} ({} {})",
        logged.index + 1,
        logged.head.size,
        shown(&logged.record.act),
        logged.record.at
    ));
    desk.output.say("It proves what the portal stated, not what it did.");
    Outcome::done("valid")
        .with("receipt", receipt)
        .with("log", json!({ "index": logged.index, "head": logged.head, "record": logged.record }))
        .with("signed_by", key.name())
}

/// A receipt as lines for people.
pub fn lines(receipt: &Receipt) -> Vec<String> {
    let mut lines = vec![
        format!("portal    {}", shown(&receipt.portal)),
        format!("file      {} (SHA-256), {}", shown(&receipt.sha256), size(receipt.size)),
    ];
    lines.extend(check_phrase_of(&receipt.sha256).map(|phrase| format!("phrase    {phrase}")));
    lines.push(format!("uploaded  {}", receipt.uploaded));
    lines.extend(receipt.closed.map(|closed| format!("closed    {closed}")));
    lines.push(format!("due       {}", receipt.due));
    lines.extend(receipt.deleted.map(|deleted| format!("deleted   {deleted}")));
    for step in &receipt.steps {
        lines.push(format!(
            "  {}  {} ({})",
            step.verified_at,
            step.step.word(),
            shown(&format!("{}, {}", step.store, step.method))
        ));
    }
    lines
}

fn read_note(file: &Path, desk: &mut Desk<'_>) -> Result<String, Failure> {
    let local = |error: &std::io::Error| Failure::local(format_args!("The receipt {}", file.display()), error);
    let mut bytes = Vec::new();
    if file == Path::new("-") {
        (&mut *desk.world.input).take(LIMIT).read_to_end(&mut bytes)
    } else {
        fs::File::open(file).and_then(|open| open.take(LIMIT).read_to_end(&mut bytes))
    }
    .map_err(|error| local(&error))?;
    let text =
        String::from_utf8(bytes).map_err(|_| Failure::new(Exit::Damaged, "That is not a receipt: it is not text."))?;
    if paper::is_page(&text) {
        return Err(for_people(file));
    }
    // A receipt as JSON carries the signed note.
    let note =
        serde_json::from_str::<serde_json::Value>(&text).ok().and_then(|json| Some(json["note"].as_str()?.to_owned()));
    Ok(note.unwrap_or(text))
}

/// A page may have been changed, and nothing would show it; what is signed lies beside it.
fn for_people(file: &Path) -> Failure {
    let failure =
        Failure::new(Exit::Damaged, "This is a receipt's page, to read. What the portal signed is the .json.");
    let proof = file.with_extension("json");
    match proof.is_file() {
        true => failure.next(format!("It lies beside the page:  {}", shown(&proof.display().to_string()))),
        false => failure.next("It was written together with the page, and has its name:  FILE.json"),
    }
}

fn read_key(key: &str) -> Result<PortalKey, Failure> {
    let text = if Path::new(key).is_file() {
        fs::read_to_string(key).map_err(|error| Failure::local(format_args!("The key file {key}"), &error))?
    } else {
        key.to_owned()
    };
    text.trim().parse().map_err(|error| Failure::usage(format_args!("That is not a portal's receipt key: {error}.")))
}
