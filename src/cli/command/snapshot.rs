//! From sources to a sealed file: what `send` and `seal` share.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, json};

use super::key::read_recipient;
use super::remote::sentence;
use crate::cli::Desk;
use crate::cli::args::SnapshotArguments;
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::interrupt::Unfinished;
use crate::cli::keeping;
use crate::cli::output::{count, shown, size};
use crate::cli::settings::Settings;
use crate::collect::{CollectError, CollectOptions, Collected, Source, collect};
use crate::format::{Identity, Recipient, Share, ShareField};
use crate::ids::TicketId;
use crate::item::LeftOut;
use crate::pipeline::{CreateError, Created, Plan, Redaction, create};
use crate::redact::{Consent, Rules, TicketKey};

/// What will go into a sealed file, found but not yet read.
pub struct Prepared {
    collected: Collected,
    recipients: Vec<Recipient>,
    rules: Rules,
    redact: bool,
}

/// Finds the sources, reads recipients and the watch list. Nothing of the sources' content is read.
pub fn prepare(arguments: &SnapshotArguments, settings: &Settings, desk: &mut Desk<'_>) -> Result<Prepared, Failure> {
    if arguments.no_redact && !settings.allow_no_redact.value {
        return Err(Failure::new(
            Exit::NotApproved,
            format_args!("The policy in {} does not allow --no-redact.", settings.allow_no_redact.origin),
        ));
    }
    let recipients = recipients(&arguments.to, settings, arguments.dry_run)?;
    let rules = rules(arguments.watchlist.as_deref(), settings)?;
    let collected = find(&arguments.paths, desk)?;
    Ok(Prepared { collected, recipients, rules, redact: !arguments.no_redact })
}

/// Rules with the names of the watch list, from the flag or the settings.
pub fn rules(watchlist: Option<&Path>, settings: &Settings) -> Result<Rules, Failure> {
    let file = watchlist.or_else(|| settings.watchlist.as_ref().map(|set| set.value.as_path()));
    let mut rules = Rules::default();
    if let Some(file) = file {
        let text = fs::read_to_string(file)
            .map_err(|error| Failure::local(format_args!("The watch list {}", file.display()), &error))?;
        rules.watch_list = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(str::to_owned)
            .collect();
    }
    Ok(rules)
}

fn recipients(named: &[String], settings: &Settings, dry_run: bool) -> Result<Vec<Recipient>, Failure> {
    let set = settings.to.as_ref().map(|set| set.value.as_slice()).unwrap_or_default();
    let texts = if named.is_empty() { set } else { named };
    if texts.is_empty() && !dry_run {
        return Err(Failure::usage("There is nobody to seal it to.")
            .next("Give the technician's recipient, or a file that holds it:  --to tarseal1…"));
    }
    texts.iter().map(|text| read_recipient(text)).collect()
}

fn find(paths: &[OsString], desk: &mut Desk<'_>) -> Result<Collected, Failure> {
    let sources: Vec<Source> = paths.iter().map(|path| Source::from_argument(path)).collect();
    let mut options = CollectOptions {
        standard_input: &mut *desk.world.input,
        standard_input_name: "standard-input.txt".parse().expect("a plain name is an archive path"),
        spool_directory: desk.home.directory("outgoing")?,
        rng: &mut *desk.world.rng,
    };
    collect(&sources, &mut options, &desk.bars).map_err(|error| collect_failure(&error))
}

fn collect_failure(error: &CollectError) -> Failure {
    match error {
        CollectError::Read { path, source } => Failure::local(shown(&path.display().to_string()), source),
        CollectError::Empty { left_out } => nothing(left_out),
        _ => Failure::usage(sentence(&shown(&error.to_string()))),
    }
}

/// There is nothing to send; the first reasons say why.
fn nothing(left_out: &[LeftOut]) -> Failure {
    let mut failure = Failure::usage("There is nothing in it: no file that could be sent was found.");
    for entry in left_out.iter().take(5) {
        failure = failure.next(format!("  {}   {}", shown(&entry.path), entry.reason.words()));
    }
    failure
}

/// Shows what would be collected and ends there.
pub fn dry_run(prepared: &Prepared, desk: &Desk<'_>) -> Outcome {
    let mut total = 0;
    for item in &prepared.collected.items {
        total += item.size;
        desk.output.data(format!("{:>12}  {}", item.size, shown(item.path.as_str())));
        let mut fields = Map::new();
        fields.insert("path".into(), json!(item.path));
        fields.insert("bytes".into(), json!(item.size));
        desk.output.event("item", fields);
    }
    tell_left_out(&prepared.collected.left_out, desk);
    desk.output.say(format!(
        "{}, {}. Nothing was read, nothing was written.",
        count(prepared.collected.items.len() as u64, "file"),
        size(total)
    ));
    Outcome::done("dry-run").with("files", prepared.collected.items.len()).with("bytes", total)
}

/// Redacts, packs and seals into `output`; nothing is left there if it fails.
pub fn seal(
    prepared: Prepared,
    key: TicketKey,
    share: Option<(ShareField, &Share)>,
    ticket: Option<&TicketId>,
    output: &Path,
    desk: &mut Desk<'_>,
) -> Result<Created, Failure> {
    let redaction = if prepared.redact {
        Redaction::Rules { rules: prepared.rules, key }
    } else {
        Redaction::None(Consent::explicit())
    };
    let plan = Plan {
        items: prepared.collected.items,
        left_out: prepared.collected.left_out,
        redaction,
        recipients: &prepared.recipients,
        share,
        ticket: ticket.cloned(),
        created: desk.world.clock.now(),
    };
    let _unfinished = Unfinished::note(output);
    create(plan, output, &mut *desk.world.rng, &desk.bars).map_err(|error| create_failure(&error))
}

fn create_failure(error: &CreateError) -> Failure {
    match error {
        CreateError::Gate(hit) => Failure::new(
            Exit::Gate,
            format_args!(
                "The gate stopped it: something in {} on line {} still looks like personal data ({}).",
                shown(hit.path.as_str()),
                hit.line,
                hit.rule
            ),
        )
        .left("Nothing was sealed, nothing has left this computer.")
        .next("Put the name into a file of names and try again with:  --watchlist FILE")
        .next("Or leave the file out. This cannot be switched off."),
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

/// The exit code of a snapshot that was made: incomplete when something that was asked for is not in it.
pub fn completeness(left_out: &[LeftOut]) -> Exit {
    if left_out.iter().any(|entry| entry.reason.makes_incomplete()) { Exit::Incomplete } else { Exit::Done }
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
