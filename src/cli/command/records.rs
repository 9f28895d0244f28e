//! `records`: the sender's record of processing activities, put together from settings, profile and ledger.
//!
//! Each time it has become another, a copy is kept with its day and digest, so that an auditor can compare.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde_json::json;

use super::ledger;
use crate::cli::args::{PortalArguments, RecordsArguments};
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::home::write_private_new;
use crate::cli::output::shown;
use crate::cli::settings::Settings;
use crate::cli::{Desk, rules, vendors};
use crate::profile::Profile;
use crate::records::{Activity, Data, Facts, Known, Measure, Record, Side, TimeLimit, Version, snapshot_limits};
use crate::redact::{Action, Category};
use crate::send::PortalAddress;
use crate::track::RetentionPolicy;

/// The directory of the versions, below the state directory.
const KEPT: &str = "records";

/// The file with what people say, beside the settings.
const FACTS: &str = "records.toml";

/// The largest file of facts in bytes.
const LARGEST: u64 = 1 << 20;

/// Prints the record, as it is or as it was.
pub fn run(arguments: &RecordsArguments, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let settings = Settings::resolve(&PortalArguments::default(), &desk.home, desk.world)?;
    let profile = rules::profile(&arguments.rules, &settings)?;
    let facts = facts(arguments, desk)?;
    let record = build(facts, &settings, &profile, desk)?;
    let versions = versions(desk)?;
    let last = versions.last().map(|last| (last.version, last.digest.as_str()));
    let (latest, new) = match Version::after(last, record, desk.world.clock.now()) {
        Some(version) => {
            keep(&version, desk)?;
            (version, true)
        }
        None => (versions.last().cloned().expect("a record is only the same as one that is there"), false),
    };
    if arguments.list {
        return Ok(list(&versions, new.then_some(&latest), desk));
    }
    let told = match arguments.past {
        Some(number) if number != latest.version => {
            versions.into_iter().find(|version| version.version == number).ok_or_else(|| {
                Failure::new(Exit::NotFound, format_args!("There is no version {number} of the record."))
                    .next("Which there are:  tarseal records --list")
            })?
        }
        _ => latest,
    };
    print(&told, arguments, desk)
}

fn print(version: &Version, arguments: &RecordsArguments, desk: &Desk<'_>) -> Result<Outcome, Failure> {
    let text = if arguments.html {
        version.page().map_err(|error| Failure::new(Exit::Bug, error))?
    } else {
        version.json() + "\n"
    };
    match arguments.output.as_deref().filter(|path| *path != Path::new("-")) {
        Some(path) => write_private_new(path, text.as_bytes())
            .map_err(|error| Failure::local(format_args!("The record was not written: {}", path.display()), &error))?,
        None if desk.manner.json => {}
        None => desk.output.bytes(text.as_bytes()),
    }
    desk.output.say(format!("Version {}, since {}, SHA-256 {}.", version.version, version.since, version.digest));
    let missing = &version.record.missing;
    if !missing.is_empty() {
        desk.output.insist(format!("The law asks for this, and nobody has said it: {}.", missing.join(", ")));
        let place = desk.home.config_file().with_file_name(FACTS);
        desk.output.insist(format!("Say it in {} (docs/RIGHTS.md shows how).", place.display()));
    }
    let outcome = Outcome::done("ok").with("missing", missing.len());
    Ok(if desk.manner.json { outcome.with("version", version) } else { outcome.with("version", version.version) })
}

fn list(versions: &[Version], new: Option<&Version>, desk: &Desk<'_>) -> Outcome {
    let all: Vec<_> = versions.iter().chain(new).collect();
    for version in &all {
        desk.output.data(format!("{:>4}  {}  {}", version.version, version.since, version.digest));
    }
    let rows: Vec<_> = all
        .iter()
        .map(|version| json!({ "version": version.version, "since": version.since, "digest": version.digest }))
        .collect();
    Outcome::done("ok").with("versions", rows)
}

/// What people say: from the file that was named, else from the one beside the settings, if it is there.
fn facts(arguments: &RecordsArguments, desk: &Desk<'_>) -> Result<Facts, Failure> {
    let beside = desk.home.config_file().with_file_name(FACTS);
    let path = arguments.facts.as_deref().unwrap_or(&beside);
    let place = path.display();
    match fs::metadata(path) {
        Ok(found) if found.len() > LARGEST => {
            return Err(Failure::usage(format_args!("{place} is longer than 1 MiB.")));
        }
        Err(error) if error.kind() == ErrorKind::NotFound && arguments.facts.is_none() => return Ok(Facts::default()),
        _ => {}
    }
    let text = fs::read_to_string(path).map_err(|error| Failure::local(&place, &error))?;
    Facts::read(&text).map_err(|error| Failure::usage(format_args!("{place}: {}.", shown(&error.to_string()))))
}

/// The versions that were kept, in their order.
fn versions(desk: &Desk<'_>) -> Result<Vec<Version>, Failure> {
    let directory = desk.home.directory(KEPT)?;
    let mut versions = Vec::new();
    for entry in fs::read_dir(&directory).map_err(|error| Failure::local(directory.display(), &error))? {
        let path = entry.map_err(|error| Failure::local(directory.display(), &error))?.path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let text = fs::read_to_string(&path).map_err(|error| Failure::local(path.display(), &error))?;
        let damaged = || Failure::new(Exit::Damaged, format_args!("{} is damaged.", path.display()));
        let version: Version = serde_json::from_str(&text).map_err(|_| damaged())?;
        if version.record.digest() != version.digest {
            return Err(damaged().next("It is not what was kept. Put it back from a backup, or move it away."));
        }
        versions.push(version);
    }
    versions.sort_by_key(|version| version.version);
    Ok(versions)
}

fn keep(version: &Version, desk: &Desk<'_>) -> Result<(), Failure> {
    let path = desk.home.directory(KEPT)?.join(format!("{:06}.json", version.version));
    match write_private_new(&path, (version.json() + "\n").as_bytes()) {
        Ok(()) => Ok(()),
        // Another run kept the same one in this moment.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(Failure::local(format_args!("The record was not kept: {}", path.display()), &error)),
    }
}

fn build(facts: Facts, settings: &Settings, profile: &Profile, desk: &Desk<'_>) -> Result<Record, Failure> {
    let mut portals: BTreeSet<String> = BTreeSet::new();
    for entry in ledger::open(desk)?.snapshots().map_err(|error| ledger::failure(&error))? {
        portals.extend(entry.portal.as_deref().map(host));
    }
    portals.extend(settings.portal.as_ref().map(|set| host(&set.value)));
    let mut recipients: Vec<String> =
        portals.iter().map(|host| format!("The support portal {host}, which cannot open what it keeps")).collect();
    for vendor in vendors::all(desk)? {
        recipients.push(format!("The vendor {}, whose technicians open it", vendor.name));
    }
    if recipients.is_empty() {
        recipients.push("None so far: nothing was sent from here".into());
    }
    let activities = activities(&facts, profile, recipients);
    Ok(Record::new(Side::Sender, "Sender of diagnostic snapshots".into(), facts, activities, measures(settings)))
}

fn host(portal: &str) -> String {
    portal.parse::<PortalAddress>().map_or_else(|_| portal.to_owned(), |address| address.host().to_owned())
}

fn activities(facts: &Facts, profile: &Profile, recipients: Vec<String>) -> Vec<Activity> {
    let basis = facts.legal_basis.clone();
    let persons = facts.persons.clone().unwrap_or_else(|| {
        vec!["Persons who occur in the logs and settings that are collected: users, callers and staff".into()]
    });
    let data = Category::ALL.into_iter().map(|category| Data {
        category: category.word().into(),
        treatment: treatment(profile.rules.action(category)).into(),
    });
    let limit = |what: &str, rule: &str| TimeLimit { what: what.into(), days: None, rule: rule.into() };
    let purpose = profile.purpose.clone().unwrap_or_else(|| "Finding and mending faults in a support case".into());
    vec![
        Activity {
            name: format!("Sending diagnostic snapshots to support (profile {})", profile.name),
            purposes: vec![purpose],
            legal_basis: basis.clone(),
            persons: persons.clone(),
            data: data.collect(),
            recipients,
            time_limits: snapshot_limits(&RetentionPolicy::default()),
        },
        Activity {
            name: "Keeping who stands behind a stand-in".into(),
            purposes: vec!["Answering questions of support, and those of the persons themselves".into()],
            legal_basis: basis,
            persons,
            data: vec![Data {
                category: "Each value that was replaced, beside its stand-in".into(),
                treatment: "sealed to this computer's own key; it never leaves it".into(),
            }],
            recipients: vec!["None".into()],
            time_limits: vec![
                limit("Vaults, reviews and the key of a ticket", "until a receipt proves that the snapshot is deleted"),
                limit("The ledger", "kept; it names tickets, snapshots and receipts, and no person"),
            ],
        },
    ]
}

const fn treatment(action: Action) -> &'static str {
    match action {
        Action::StandIn => "replaced by a stand-in; the way back stays with the sender",
        Action::Drop => "dropped; there is no way back",
        Action::Keep => "kept as it is",
        Action::KeepCountry => "replaced by a stand-in that keeps the country",
    }
}

fn measures(settings: &Settings) -> Vec<Measure> {
    let program = |about: &str, says: &str| Measure { about: about.into(), says: says.into(), known: Known::Program };
    let set = |about: &str, says: String| Measure { about: about.into(), says, known: Known::Settings };
    let mut measures = vec![
        program("Redaction", "What is found of personal data is replaced before anything is sealed"),
        program("Gate", "What is about to be sealed is searched once more; a hit stops it"),
        program("Content", "Sealed with AES-256-GCM to the recipients' keys (X25519 with ML-KEM-768, or X25519)"),
        program(
            "Key in two parts",
            "What is sent to a portal opens only with the portal's part, which is destroyed at the deadline",
        ),
        program("Transport", "TLS; plain HTTP is refused to anything but this computer"),
        program("Files on this computer", "Readable by their owner alone"),
        program("Proof", "The portal's receipts are verified with the key it was first seen with"),
    ];
    measures.push(set(
        "Review",
        if settings.review_required.value {
            "A person must look before anything is sent".into()
        } else {
            "What will be sent is shown before; a script may approve it beforehand".into()
        },
    ));
    measures.push(set(
        "Sending without redaction",
        if settings.allow_no_redact.value {
            "Allowed when it is asked for; it is written into the snapshot".into()
        } else {
            "Forbidden".into()
        },
    ));
    measures.push(set(
        "Portals",
        match &settings.allow_portals {
            Some(list) if !list.value.is_empty() => format!("Only these: {}", list.value.join(", ")),
            Some(_) => "None is allowed".into(),
            None => "Any".into(),
        },
    ));
    measures.push(set(
        "Signature",
        if settings.sender_key.is_some() {
            "Snapshots are signed with the sender's key".into()
        } else {
            "Snapshots are not signed".into()
        },
    ));
    measures
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_categories_of_data_are_those_of_the_profile() {
        let mut profile = Profile::default();
        profile.rules.actions.insert(Category::Host, Action::Keep);
        let activities = activities(&Facts::default(), &profile, Vec::new());
        let data = &activities[0].data;
        assert_eq!(data.len(), Category::ALL.len());
        let of = |word: &str| data.iter().find(|data| data.category == word).unwrap().treatment.clone();
        assert_eq!(of("host"), "kept as it is");
        assert!(of("person").contains("stand-in"));
    }
}
