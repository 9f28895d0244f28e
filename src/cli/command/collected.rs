//! What `send`, `seal` and `collect` collect, and how they tell it.

use std::ffi::OsString;

use serde_json::{Map, json};

use super::remote::sentence;
use super::snapshot::tell_left_out;
use crate::cli::args::WindowArguments;
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::interrupt::Running as Interruptible;
use crate::cli::output::{count, shown, size};
use crate::cli::{Desk, window};
use crate::collect::{CollectError, CollectOptions, GatherOptions, Gathered, Running, Source, collect, gather};
use crate::item::{CollectReport, Item, LeftOut};
use crate::profile::Profile;

/// What was found.
pub struct Found {
    /// What goes on to be redacted.
    pub items: Vec<Item>,
    /// What does not.
    pub left_out: Vec<LeftOut>,
    /// What came of each source; `None` where everything was taken that was named.
    pub report: Option<CollectReport>,
    /// What would be run, if this was only a look.
    would_run: Vec<crate::collect::WouldRun>,
}

/// Finds what was named, or where nothing was, what the profile collects.
pub fn find(
    paths: &[OsString],
    wanted: &WindowArguments,
    profile: &Profile,
    only_look: bool,
    desk: &mut Desk<'_>,
) -> Result<Found, Failure> {
    let sources: Vec<Source> = paths.iter().map(|path| Source::from_argument(path)).collect();
    let mut rule = profile.collection.window.clone();
    if sources.is_empty() {
        if profile.collection.sources.is_empty() {
            return Err(nothing_named(profile));
        }
    } else {
        // Of what a person named all is wanted, unless they say otherwise.
        rule.last = None;
    }
    let window = window::resolve(wanted, &rule, desk.world)?;
    let spool_directory = desk.home.directory("outgoing")?;
    let now = desk.world.clock.now();
    let home = desk.world.path_variable("HOME");
    let world = &mut *desk.world;
    let mut basic = CollectOptions {
        standard_input: &mut *world.input,
        standard_input_name: "standard-input.txt".parse().expect("a plain name is an archive path"),
        spool_directory,
        rng: &mut *world.rng,
    };
    let knows_archives = profile.collection.sources.iter().any(|rule| rule.kind.word() == "archive");
    if !sources.is_empty() && window.is_open() && !only_look && !knows_archives {
        let found = collect(&sources, &mut basic, &desk.bars).map_err(|error| failure(&error))?;
        return Ok(Found { items: found.items, left_out: found.left_out, report: None, would_run: Vec::new() });
    }
    let running = Running::default();
    let _interruptible = Interruptible::note(&running);
    let mut options = GatherOptions {
        basic,
        paths: &sources,
        profile: (&profile.name, &profile.collection),
        window,
        now,
        home,
        root: None,
        environment: &world.environment,
        unwanted: &|path| profile.rules.leaves_out(path).is_some(),
        running,
        metadata_only: only_look,
    };
    let gathered = gather(&mut options, &desk.bars).map_err(|error| failure(&error))?;
    let says_something = sources.is_empty() || !options.window.is_open();
    let Gathered { items, left_out, report, would_run } = gathered;
    Ok(Found { items, left_out, report: says_something.then_some(report), would_run })
}

fn nothing_named(profile: &Profile) -> Failure {
    let name = shown(&profile.name);
    Failure::usage(format_args!("Nothing was named, and the profile {name} collects nothing by itself."))
        .next("Name files or directories:  tarseal send ./logs --ticket 4711")
        .next("Or a profile that collects:  --profile linux-system    (tarseal profile list)")
}

fn failure(error: &CollectError) -> Failure {
    match error {
        CollectError::Read { path, source } => Failure::local(shown(&path.display().to_string()), source),
        CollectError::Keep(source) => Failure::local("What was collected could not be kept", source)
            .left("Nothing has left this computer, and nothing is left half made."),
        CollectError::Empty { left_out } => nothing(left_out),
        CollectError::WrongKind { .. } => Failure::new(Exit::Damaged, sentence(&shown(&error.to_string())))
            .left("Nothing has left this computer.")
            .next("Name the right file, or send this one by another profile:  --profile generic"),
        CollectError::NotFound(_) | CollectError::NoMatch(_) => {
            Failure::new(Exit::NotFound, sentence(&shown(&error.to_string())))
        }
        CollectError::Stopped => Failure::new(Exit::Interrupted, "Collecting was stopped."),
        _ => Failure::usage(sentence(&shown(&error.to_string()))),
    }
}

/// There is nothing to send; the first reasons say why.
pub fn nothing(left_out: &[LeftOut]) -> Failure {
    let mut failure = Failure::usage("There is nothing in it: no file that could be sent was found.");
    for entry in left_out.iter().take(5) {
        failure = failure.next(format!("  {}   {}", shown(&entry.path), entry.reason.words()));
    }
    failure
}

/// Shows what would be collected.
pub fn tell_look(found: &Found, profile: &Profile, desk: &Desk<'_>) -> Outcome {
    let mut total = 0;
    for item in &found.items {
        total += item.size;
        desk.output.data(format!("{:>12}  {}", item.size, shown(item.path.as_str())));
        let mut fields = Map::new();
        fields.insert("path".into(), json!(item.path));
        fields.insert("bytes".into(), json!(item.size));
        desk.output.event("item", fields);
    }
    for command in &found.would_run {
        desk.output.data(format!("{:>12}  {}", command.kind, words(&command.arguments)));
        let mut fields = Map::new();
        fields.insert("source".into(), json!(command.kind));
        fields.insert("arguments".into(), json!(command.arguments));
        desk.output.event("would_run", fields);
    }
    tell_left_out(&found.left_out, desk);
    let commands = found.would_run.len();
    if let Some(report) = &found.report {
        if let Some(window) = window_in_words(report) {
            desk.output.say(format!("Of logs, only what was written {window}."));
        }
        let limit = profile.collection.limits.total;
        if report.profile.is_some() && total > limit {
            desk.output.say(format!("More than the limit of {}: the newest will stay.", size(limit)));
        }
    }
    let files = count(found.items.len() as u64, "file");
    let run = if commands > 0 { format!(", {}", count(commands as u64, "command")) } else { String::new() };
    desk.output.say(format!("{files}, {}{run}. Nothing was read, nothing was run, nothing was written.", size(total)));
    Outcome::done("dry-run").with("files", found.items.len()).with("bytes", total).with("commands", commands)
}

/// A program and its arguments, for people.
pub fn words(arguments: &[String]) -> String {
    arguments.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// A word of a command as a shell would want it; there is none, but people read it so.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@+*%".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("'{}'", shown(word)) }
}

/// Tells what is in the snapshot in part only, and how much of it is not; the rest stands among what was left out.
pub fn tell_report(report: &CollectReport, desk: &Desk<'_>) {
    const SHOWN: usize = 20;
    if let Some(window) = window_in_words(report) {
        desk.output.say(format!("Of logs, only what was written {window}."));
    }
    for source in &report.sources {
        let mut fields = Map::new();
        for (name, value) in json!(source).as_object().into_iter().flatten() {
            fields.insert(name.clone(), value.clone());
        }
        desk.output.event("source", fields);
    }
    let outside = |reason| reason == crate::item::Reason::OutsideWindow;
    let parts: Vec<_> = report.fell_out.iter().filter(|one| one.in_part && !outside(one.reason)).collect();
    if !parts.is_empty() {
        desk.output.say(format!("In part only ({}):", parts.len()));
    }
    for one in parts.iter().take(SHOWN) {
        desk.output.say(format!("  {}   {}", shown(&one.path), in_part(one)));
    }
    if parts.len() > SHOWN {
        desk.output.say(format!("  … and {} more, all of them in the manifest", parts.len() - SHOWN));
    }
    for one in &report.fell_out {
        let mut fields = Map::new();
        for (name, value) in json!(one).as_object().into_iter().flatten() {
            fields.insert(name.clone(), value.clone());
        }
        desk.output.event("fell_out", fields);
    }
}

/// Why a part of something is missing, and how much.
pub fn in_part(one: &crate::item::FellOut) -> String {
    match one.bytes {
        0 => one.reason.words().to_owned(),
        bytes => format!("without {}: {}", size(bytes), one.reason.words()),
    }
}

/// The window, as it goes on behind "what was written".
pub fn window_in_words(report: &CollectReport) -> Option<String> {
    match (report.since, report.until) {
        (None, None) => None,
        (Some(since), None) => Some(format!("since {since}")),
        (None, Some(until)) => Some(format!("before {until}")),
        (Some(since), Some(until)) => Some(format!("from {since} to {until}")),
    }
}
