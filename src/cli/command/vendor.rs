//! `vendor`: pin a vendor, show what is kept of it, take its newest keys.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::cli::Desk;
use crate::cli::args::{PortalArguments, VendorCommand};
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::output::{count, shown};
use crate::cli::settings::Settings;
use crate::cli::vendors::{self, Vendor};
use crate::clock::Timestamp;
use crate::format::Fingerprint;
use crate::format::key_list::{Claimed, KeyList, ListedKey, Root, Succession};
use crate::ids::VendorId;
use crate::send::PublicUrl;

/// From so many days before a list expires it is said that it will.
const SOON_DAYS: i64 = 14;
/// What is said where there is nothing to show or do.
const NO_VENDOR: &str = "There is no vendor yet. To pin one:  tarseal vendor add NAME URL --root KEY";

/// Runs one of the vendor commands.
pub fn run(command: &VendorCommand, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    match command {
        VendorCommand::Add { name, from, root, ca_file } => {
            add(name, from, root.as_deref(), &settings(ca_file.as_ref(), desk)?, desk)
        }
        VendorCommand::List { name } => list(name.as_ref(), desk),
        VendorCommand::Update { name: Some(name), from: Some(file), .. } => {
            let vendor = vendors::one(name, desk)?;
            let taken = update_with(&vendor, &vendors::read_file(file)?, desk)?;
            Ok(Outcome::done("updated").with("vendors", [taken]))
        }
        VendorCommand::Update { name, ca_file, .. } => {
            let settings = settings(ca_file.as_ref(), desk)?;
            let done = each(name.as_ref(), desk, |vendor, desk| update(vendor, &settings, desk))?;
            Ok(Outcome::done("updated").with("vendors", done))
        }
        VendorCommand::Check { name, ca_file } => {
            let settings = settings(ca_file.as_ref(), desk)?;
            let done = each(name.as_ref(), desk, |vendor, desk| check(vendor, &settings, desk))?;
            Ok(Outcome::done("good").with("vendors", done))
        }
        VendorCommand::Remove { name } => {
            vendors::remove(name, desk)?;
            desk.output.headline("REMOVED.", &format!("{name} and its keys are forgotten."));
            Ok(Outcome::done("removed").with("name", name))
        }
    }
}

fn settings(ca_file: Option<&PathBuf>, desk: &Desk<'_>) -> Result<Settings, Failure> {
    let flags = PortalArguments { ca_file: ca_file.cloned(), ..PortalArguments::default() };
    Settings::resolve(&flags, &desk.home, desk.world)
}

fn add(
    name: &VendorId,
    from: &str,
    root: Option<&str>,
    settings: &Settings,
    desk: &mut Desk<'_>,
) -> Result<Outcome, Failure> {
    if name.as_str().starts_with("tarseal1") {
        return Err(Failure::usage("A vendor's name does not begin with tarseal1, as recipients do."));
    }
    if vendors::all(desk)?.iter().any(|vendor| vendor.name == *name) {
        return Err(vendors::known_already(name));
    }
    let Some(root) = root else { return Err(nobody_said(name, from)) };
    let trusted = Expected::read(root)?;
    let url = if from.contains("://") { Some(public_url(from)?) } else { None };
    let note = match &url {
        Some(url) => vendors::fetch(url, settings).map_err(|error| vendors::fetch_failure(&error, url))?,
        None => vendors::read_file(Path::new(from))?,
    };
    let refusal = |error| vendors::refusal(&error, name, None);
    let claimed = Claimed::read(&note).map_err(refusal)?;
    let list = claimed.trust(|root| trusted.is(root)).map_err(refusal)?;
    let now = desk.world.clock.now();
    list.check_time(now).map_err(refusal)?;
    let vendor = Vendor { name: name.clone(), url, pinned: now, asked: now, list };
    vendors::keep_new(&vendor, desk)?;
    desk.output.headline("ADDED.", &format!("To seal to {name}:  --to {name}"));
    tell(&vendor, now, desk);
    Ok(Outcome::done("added").with("vendors", [described(&vendor)]))
}

fn public_url(text: &str) -> Result<PublicUrl, Failure> {
    text.parse().map_err(|error: crate::send::NotAPortal| {
        Failure::usage(format_args!("{} is not where a key list can be: {}.", shown(text), error.reason()))
    })
}

/// What the vendor says is typed in, not shown here to be compared: who is shown something to compare says yes.
fn nobody_said(name: &VendorId, from: &str) -> Failure {
    Failure::new(Exit::Refused, "Nobody has said yet which root key is the right one.")
        .next(format!(
            "Call {name} on a number you already know, ask for the eight words of its root key, and type them:"
        ))
        .next(format!("  tarseal vendor add {name} {} --root 'the eight words'", shown(from)))
}

/// The root key that the vendor told the sender.
enum Expected {
    Root(Root),
    Fingerprint(String),
}

impl Expected {
    fn read(text: &str) -> Result<Self, Failure> {
        if let Ok(root) = text.parse() {
            return Ok(Self::Root(root));
        }
        if Path::new(text).is_file() {
            let content = std::fs::read_to_string(text)
                .map_err(|error| Failure::local(format_args!("The root key file {}", shown(text)), &error))?;
            return content
                .parse()
                .map(Self::Root)
                .map_err(|error| Failure::usage(format_args!("{} holds no root key: {error}.", shown(text))));
        }
        if !Fingerprint::is_one(text) {
            return Err(Failure::usage(
                "That is no root key, no file that holds one, no fingerprint and no eight words.",
            )
            .next("Is every word spelled as the vendor said it? They are common English words."));
        }
        Ok(Self::Fingerprint(text.to_owned()))
    }

    fn is(&self, root: &Root) -> bool {
        match self {
            Self::Root(expected) => expected == root,
            Self::Fingerprint(text) => root.fingerprint().is(text) == Some(true),
        }
    }
}

fn list(name: Option<&VendorId>, desk: &Desk<'_>) -> Result<Outcome, Failure> {
    let now = desk.world.clock.now();
    let known = chosen(name, desk)?;
    if known.is_empty() {
        desk.output.say(NO_VENDOR);
    }
    for vendor in &known {
        tell(vendor, now, desk);
    }
    Ok(Outcome::done("ok").with("vendors", known.iter().map(described).collect::<Vec<_>>()))
}

fn chosen(name: Option<&VendorId>, desk: &Desk<'_>) -> Result<Vec<Vendor>, Failure> {
    match name {
        Some(name) => Ok(vec![vendors::one(name, desk)?]),
        None => vendors::all(desk),
    }
}

/// Does something with each vendor; a failure of one does not keep it from the others, and the first one is the command's.
fn each(
    name: Option<&VendorId>,
    desk: &Desk<'_>,
    mut work: impl FnMut(&Vendor, &Desk<'_>) -> Result<Value, Failure>,
) -> Result<Vec<Value>, Failure> {
    let (mut done, mut first) = (Vec::new(), None);
    let chosen = chosen(name, desk)?;
    if chosen.is_empty() {
        desk.output.say(NO_VENDOR);
    }
    for vendor in chosen {
        match work(&vendor, desk) {
            Ok(value) => done.push(value),
            Err(failure) if first.is_none() => first = Some(failure),
            Err(failure) => desk.output.insist(failure.what),
        }
    }
    first.map_or(Ok(done), Err)
}

fn update(vendor: &Vendor, settings: &Settings, desk: &Desk<'_>) -> Result<Value, Failure> {
    let Some(url) = &vendor.url else {
        desk.output.say(format!(
            "{0}: its list comes as a file; to take one:  tarseal vendor update {0} --from FILE",
            vendor.name
        ));
        return Ok(described(vendor));
    };
    let note = vendors::fetch(url, settings).map_err(|error| vendors::fetch_failure(&error, url))?;
    update_with(vendor, &note, desk)
}

fn update_with(vendor: &Vendor, note: &str, desk: &Desk<'_>) -> Result<Value, Failure> {
    let taken = vendors::take(vendor, note, desk)?;
    let (taken, succession) = taken.map_err(|error| vendors::refusal(&error, &vendor.name, Some(vendor)))?;
    match succession {
        Succession::Same => {
            desk.output.say(format!("{}: version {} is the newest.", vendor.name, taken.list.version()));
        }
        Succession::Newer => {
            let (from, to) = (vendor.list.version(), taken.list.version());
            desk.output.headline("UPDATED.", &format!("{}: from version {from} to version {to}.", vendor.name));
            if taken.list.root() != vendor.list.root() {
                desk.output.say("Its old root key handed over to a new one, which is trusted from now on.");
            }
            tell(&taken, desk.world.clock.now(), desk);
        }
    }
    Ok(described(&taken))
}

fn check(vendor: &Vendor, settings: &Settings, desk: &Desk<'_>) -> Result<Value, Failure> {
    let (name, now) = (&vendor.name, desk.world.clock.now());
    let good = vendor.list.recipients(now).map_err(|error| {
        vendors::refusal(&error, name, Some(vendor))
            .next(format!("Take its newest keys:  tarseal vendor update {name}"))
    })?;
    let version = vendor.list.version();
    let newest = match &vendor.url {
        None => None,
        Some(url) => {
            let note = vendors::fetch(url, settings).map_err(|error| vendors::fetch_failure(&error, url))?;
            let examined = vendors::examine(vendor, &note, now);
            Some(examined.map_err(|error| vendors::refusal(&error, name, Some(vendor)))?.0.version())
        }
    };
    desk.output.headline("GOOD.", &format!("{name}: version {version}, {}.", count(good.len() as u64, "key")));
    if newest.is_some_and(|newest| newest > version) {
        desk.output.say(format!("There is a newer list. To take it:  tarseal vendor update {name}"));
    }
    if let Some(line) = expires_soon(&vendor.list, now) {
        desk.output.say(line);
    }
    let mut described = described(vendor);
    described["newest"] = json!(newest);
    Ok(described)
}

fn expires_soon(list: &KeyList, now: Timestamp) -> Option<String> {
    (now.plus_days(SOON_DAYS) >= list.expires()).then(|| format!("The key list expires on {}.", list.expires()))
}

/// Shows a vendor on standard output.
fn tell(vendor: &Vendor, now: Timestamp, desk: &Desk<'_>) {
    let say = |line: String| desk.output.data(line);
    let from = vendor.url.as_ref().map_or("a file", PublicUrl::as_str);
    say(format!("{}  from {}, pinned {}, last asked {}", vendor.name, shown(from), vendor.pinned, vendor.asked));
    for line in list_lines(&vendor.list, now) {
        say(line);
    }
}

/// A key list as lines for people.
pub fn list_lines(list: &KeyList, now: Timestamp) -> Vec<String> {
    let good = if now >= list.expires() { "EXPIRED on" } else { "good until" };
    let root = list.root().fingerprint();
    let mut lines = vec![
        format!("  vendor  {}", shown(list.vendor())),
        format!("  list    version {}, signed {}, {good} {}", list.version(), list.issued(), list.expires()),
        format!("  root    {}", root.words()),
        format!("          {root}"),
    ];
    for key in list.keys() {
        lines.extend(key_lines(key, now));
    }
    lines
}

fn key_lines(key: &ListedKey, now: Timestamp) -> Vec<String> {
    let time = match key.since {
        Some(since) => format!("since {since}"),
        None if now < key.not_before => format!("from {}", key.not_before),
        None => format!("until {}", key.not_after),
    };
    let why = key.reason.as_deref().map_or_else(String::new, |reason| format!(" ({})", shown(reason)));
    vec![
        format!("  {:<8}{}, {time}{why}", key.state.word(), shown(&key.purpose)),
        format!("          {}", key.recipient.words()),
        format!("          {}", key.fingerprint),
    ]
}

fn described(vendor: &Vendor) -> Value {
    json!({
        "name": vendor.name, "url": vendor.url.as_ref().map(PublicUrl::as_str), "pinned": vendor.pinned,
        "asked": vendor.asked, "list": described_list(&vendor.list),
    })
}

/// A key list in JSON.
pub fn described_list(list: &KeyList) -> Value {
    let fingerprint = list.root().fingerprint();
    json!({
        "vendor": list.vendor(), "version": list.version(), "issued": list.issued(), "expires": list.expires(),
        "root": list.root(), "fingerprint": fingerprint.to_string(), "words": fingerprint.words(), "keys": list.keys(),
    })
}
