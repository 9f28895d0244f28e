//! From sources to a sealed file: what `send` and `seal` share.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, json};

use super::collected::{self, Found, nothing};
use super::key::read_sender_key;
use super::remote::sentence;
use crate::cli::Desk;
use crate::cli::args::{self, SnapshotArguments};
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::given::Numbering;
use crate::cli::interrupt::Unfinished;
use crate::cli::keeping;
use crate::cli::output::shown;
use crate::cli::review::Review;
use crate::cli::rules;
use crate::cli::settings::Settings;
use crate::cli::vendors;
use crate::format::{Identity, Recipient, Sender, SenderKey, Share, ShareField};
use crate::ids::TicketId;
use crate::item::{ArchivePath, CollectReport, LeftOut, Reason};
use crate::pack::Manifest;
use crate::pipeline::{CreateError, Created, Plan, Redaction, create};
use crate::profile::Profile;
use crate::redact::{Consent, Rules, TicketKey};

/// What will go into a sealed file, found but not yet read.
pub struct Prepared {
    found: Found,
    recipients: Vec<Recipient>,
    sender: Option<SenderKey>,
    profile: Profile,
    redact: bool,
    show_values: bool,
    level: i32,
}

/// What the review tells besides what was created.
pub struct Told {
    /// Who can open it.
    pub recipients: Vec<Recipient>,
    /// Who signed it.
    pub sender: Option<Sender>,
    /// How it was redacted.
    pub profile: Profile,
}

/// Finds the sources, reads recipients and the watch list. Nothing of the sources' content is read.
///
/// `secrets` are recipients that are no public keys; where there is one, the settings' recipients are not asked.
pub fn prepare(
    arguments: &SnapshotArguments,
    secrets: Vec<Recipient>,
    settings: &Settings,
    desk: &mut Desk<'_>,
) -> Result<Prepared, Failure> {
    if arguments.no_redact && !settings.allow_no_redact.value {
        return Err(Failure::new(
            Exit::NotApproved,
            format_args!("The policy in {} does not allow --no-redact.", settings.allow_no_redact.origin),
        ));
    }
    let recipients = recipients(arguments, secrets, settings, desk)?;
    let sender = sender_key(arguments, settings, desk)?;
    let profile = rules::profile(&arguments.rules, settings)?;
    let mut found = collected::find(&arguments.paths, &arguments.window, &profile, arguments.dry_run, desk)?;
    leave_out(&mut found, &profile.rules);
    let show_values = arguments.rules.show_values;
    let (redact, level) = (!arguments.no_redact, arguments.level);
    Ok(Prepared { found, recipients, sender, profile, redact, show_values, level })
}

impl Prepared {
    /// The bytes that will be read.
    pub fn total(&self) -> u64 {
        self.found.items.iter().map(|item| item.size).sum()
    }

    /// Leaves out the items that `which` holds, for a reason.
    pub fn leave_out(&mut self, which: impl Fn(&ArchivePath) -> bool, reason: Reason) {
        let Found { items, left_out, .. } = &mut self.found;
        items.retain(|item| {
            let goes = which(&item.path);
            if goes {
                left_out.push(LeftOut { path: item.path.as_str().to_owned(), reason });
            }
            !goes
        });
    }
}

/// Takes out what the profile leaves out, also where nothing is redacted.
fn leave_out(found: &mut Found, rules: &Rules) {
    let Found { items, left_out, .. } = found;
    items.retain(|item| {
        let stays = rules.leaves_out(item.path.as_str()).is_none();
        if !stays {
            left_out.push(LeftOut { path: item.path.as_str().to_owned(), reason: Reason::ByProfile });
        }
        stays
    });
}

/// Whom the flags, or else the settings, name.
pub fn to<'a>(arguments: &'a SnapshotArguments, settings: &'a Settings) -> &'a [String] {
    let set = settings.to.as_ref().map(|set| set.value.as_slice()).unwrap_or_default();
    if arguments.to.is_empty() { set } else { &arguments.to }
}

/// The sender's key, if one was named; a dry run signs nothing.
fn sender_key(
    arguments: &SnapshotArguments,
    settings: &Settings,
    desk: &mut Desk<'_>,
) -> Result<Option<SenderKey>, Failure> {
    let set = settings.sender_key.as_ref().map(|set| &set.value);
    match arguments.sender_key.as_ref().or(set) {
        Some(file) if !arguments.dry_run => {
            read_sender_key(file, arguments.sender_passphrase_file.as_deref(), desk).map(Some)
        }
        _ => Ok(None),
    }
}

/// The secrets that were given, and whom the flags name; the settings count only where both are silent.
fn recipients(
    arguments: &SnapshotArguments,
    mut secrets: Vec<Recipient>,
    settings: &Settings,
    desk: &Desk<'_>,
) -> Result<Vec<Recipient>, Failure> {
    let texts = if secrets.is_empty() { to(arguments, settings) } else { &arguments.to };
    if texts.is_empty() && secrets.is_empty() && !arguments.dry_run {
        return Err(Failure::usage("There is nobody to seal it to.")
            .next("Give the technician's recipient, or a file that holds it:  --to tarseal1…")
            .next("Or the name of a vendor that you pinned with `tarseal vendor add`:  --to NAME"));
    }
    secrets.extend(vendors::recipients(texts, desk)?);
    Ok(secrets)
}

/// Shows what would be collected and ends there.
pub fn dry_run(prepared: &Prepared, desk: &Desk<'_>) -> Outcome {
    collected::tell_look(&prepared.found, &prepared.profile, desk)
}

/// Redacts, packs and seals into `output`; nothing is left there if it fails.
pub fn seal(
    prepared: Prepared,
    key: TicketKey,
    share: Option<(ShareField, &Share)>,
    ticket: Option<&TicketId>,
    output: &Path,
    desk: &mut Desk<'_>,
) -> Result<(Created, Told), Failure> {
    let numbering = ticket.filter(|_| prepared.redact).map(|ticket| Numbering::take(ticket, desk)).transpose()?;
    let (numbering, given) = numbering.unzip();
    let redaction = if prepared.redact {
        Redaction::Rules { rules: prepared.profile.rules.clone(), key, given: given.unwrap_or_default() }
    } else {
        Redaction::None(Consent::explicit())
    };
    let plan = Plan {
        items: prepared.found.items,
        left_out: prepared.found.left_out,
        collected: prepared.found.report,
        redaction,
        recipients: &prepared.recipients,
        sender: prepared.sender.as_ref(),
        share,
        ticket: ticket.cloned(),
        created: desk.world.clock.now(),
        level: prepared.level,
    };
    let _unfinished = Unfinished::note(output);
    let created = create(plan, output, &mut *desk.world.rng, &desk.bars).map_err(|error| {
        if let CreateError::Gate(hit) = &error {
            desk.show_value(prepared.show_values, hit);
        }
        create_failure(&error)
    })?;
    if let Some(Err(failure)) = numbering.map(|numbering| numbering.keep(&created.given, desk)) {
        fs::remove_file(output).map_err(|error| Failure::local(output.display(), &error))?;
        return Err(failure);
    }
    let sender = prepared.sender.as_ref().map(SenderKey::sender);
    Ok((created, Told { recipients: prepared.recipients, sender, profile: prepared.profile }))
}

fn create_failure(error: &CreateError) -> Failure {
    match error {
        CreateError::Gate(hit) => rules::gate_failure(hit),
        CreateError::Empty { left_out } => nothing(left_out),
        CreateError::OutputExists(path) => {
            Failure::new(Exit::Local, format_args!("{} is there already, and nothing is overwritten.", path.display()))
        }
        CreateError::DiskFull(path) => {
            Failure::new(Exit::Local, format_args!("The disk is full: there is no room for {}.", path.display()))
                .left("Nothing has left this computer, and nothing is left half made.")
                .next("Make room, or choose another place, then try again.")
        }
        CreateError::Output { path, source } => Failure::local(path.display(), source)
            .left("Nothing has left this computer, and nothing is left half made."),
        CreateError::TooLarge(_) => Failure::new(Exit::Local, sentence(&error.to_string())).next("Name fewer files."),
        CreateError::Seal(error) => Failure::usage(sentence(&error.to_string())),
        #[expect(
            unreachable_patterns,
            reason = "the enum is non-exhaustive for other crates; a new variant lands here"
        )]
        other => Failure::new(Exit::Bug, sentence(&other.to_string())),
    }
}

/// Lists what is not in the snapshot, with its reason: each on its own line, the first twenty on a terminal.
pub fn tell_left_out(left_out: &[LeftOut], desk: &Desk<'_>) {
    const SHOWN: usize = 20;
    if !left_out.is_empty() {
        desk.output.say(format!("Left out ({}):", left_out.len()));
    }
    for (index, entry) in left_out.iter().enumerate() {
        if index < SHOWN {
            desk.output.say(format!("  {}   {}", shown(&entry.path), entry.reason.words()));
        }
        let mut fields = Map::new();
        fields.insert("path".into(), json!(entry.path));
        fields.insert("reason".into(), json!(entry.reason));
        desk.output.event("skipped", fields);
    }
    if left_out.len() > SHOWN {
        desk.output.say(format!("  … and {} more, all of them in the manifest", left_out.len() - SHOWN));
    }
}

/// Shows the review: as a page that is kept with the ticket, or as text. Gives the page's place.
pub fn show_review(
    how: args::Review,
    created: &Created,
    told: &Told,
    portal: Option<&str>,
    desk: &Desk<'_>,
) -> Result<Option<PathBuf>, Failure> {
    let review = || Review::new(created, told, portal);
    match (how, &created.manifest.ticket) {
        (args::Review::Html, Some(ticket)) => {
            let page = review().page().map_err(|error| Failure::new(Exit::Bug, sentence(&error.to_string())))?;
            let path = keeping::keep_review(ticket, &created.file_id, &page, desk)?;
            let look = if portal.is_some() { "Please look before it goes:" } else { "What is in it:" };
            desk.output.say(format!("{look}  {}", path.display()));
            Ok(Some(path))
        }
        (args::Review::Text, _) => {
            for line in review().lines() {
                desk.output.say(line);
            }
            Ok(None)
        }
        _ => Ok(None),
    }
}

/// The exit code of a snapshot that was made: incomplete when something that was asked for is not in it.
pub fn completeness(left_out: &[LeftOut], report: Option<&CollectReport>) -> Exit {
    let parts = report.into_iter().flat_map(|report| &report.fell_out).filter(|one| one.in_part);
    let mut reasons = left_out.iter().map(|entry| entry.reason).chain(parts.map(|one| one.reason));
    if reasons.any(Reason::makes_incomplete) { Exit::Incomplete } else { Exit::Done }
}

/// Tells what is not in a snapshot, or in part only.
pub fn tell_missing(manifest: &Manifest, desk: &Desk<'_>) {
    tell_left_out(&manifest.left_out, desk);
    if let Some(report) = &manifest.collected {
        collected::tell_report(report, desk);
    }
}

/// The key for stand-ins: the ticket's own, or a fresh one when there is no ticket to keep it for.
pub fn stand_in_key(
    ticket: Option<&TicketId>,
    own: Option<&Identity>,
    desk: &mut Desk<'_>,
) -> Result<TicketKey, Failure> {
    match (ticket, own) {
        (Some(ticket), Some(own)) => keeping::ticket_key(ticket, own, desk),
        _ => Ok(TicketKey::random(&mut *desk.world.rng)),
    }
}

/// A name beside `path` that nothing has yet, for a file in the making.
pub fn default_output(ticket: Option<&TicketId>, desk: &Desk<'_>) -> PathBuf {
    let day = desk.world.clock.now().to_string();
    let day = day.split('T').next().unwrap_or("snapshot").to_owned();
    ticket.map_or_else(|| format!("snapshot-{day}.tarseal"), |ticket| format!("{ticket}-{day}.tarseal")).into()
}
