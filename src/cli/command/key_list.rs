//! `key-list`: a vendor makes and signs the list of its keys, to be published wherever senders can fetch it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::key::read_recipient;
use super::remote::sentence;
use super::vendor::{described_list, list_lines};
use crate::cli::Desk;
use crate::cli::args::{KeyListCommand, NewKeyArguments, SignArguments};
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::home::{read_secret, sync_parent, write_private_new};
use crate::cli::vendors;
use crate::clock::Timestamp;
use crate::format::Recipient;
use crate::format::key_list::{Claimed, Draft, KeyList, KeyListError, ListedKey, RootKey};

/// For how many days a key is good unless another end is given.
const KEY_DAYS: i64 = 730;

/// Runs one of the key-list commands.
pub fn run(command: &KeyListCommand, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let now = desk.world.clock.now();
    match command {
        KeyListCommand::Root { output, name } => root(output, name, desk),
        KeyListCommand::New { list, key, sign } => {
            let root_key = read_root_key(&sign.root_key, desk)?;
            let mut draft = Draft::new(&root_key.root());
            add(&mut draft, key, now)?;
            let signed = draft.sign(&root_key, now, sign.days).map_err(|error| refused(&error))?;
            write_new(list, signed.note()).map_err(|error| not_written(list, &error))?;
            Ok(told(&signed, list, now, desk))
        }
        KeyListCommand::Add { list, key, sign } => change(list, sign, desk, |draft| add(draft, key, now)),
        KeyListCommand::Retire { list, key, sign } => change(list, sign, desk, |draft| {
            let recipient = named(draft.keys(), key)?;
            draft.retire(&recipient, now).map_err(|error| refused(&error))
        }),
        KeyListCommand::Revoke { list, key, reason, sign } => change(list, sign, desk, |draft| {
            let recipient = named(draft.keys(), key)?;
            draft.revoke(&recipient, reason, now).map_err(|error| refused(&error))
        }),
        KeyListCommand::Renew { list, sign } => change(list, sign, desk, |_| Ok(())),
        KeyListCommand::Handover { list, new_root_key, sign } => handover(list, new_root_key, sign, desk),
        KeyListCommand::Show { list } => {
            let claimed = read_list(list)?;
            let root = claimed.root().clone();
            let shown = claimed.trust(|found| *found == root).map_err(|error| refused(&error))?;
            for line in list_lines(&shown, now) {
                desk.output.data(line);
            }
            shown.check_time(now).map_err(|error| vendors_words(&error))?;
            Ok(Outcome::done("good").with("list", described_list(&shown)))
        }
    }
}

fn root(file: &Path, name: &str, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let key = RootKey::generate(name, &mut *desk.world.rng).map_err(|error| refused(&error))?;
    let text = key.to_text(desk.world.clock.now());
    write_private_new(file, text.expose().as_bytes())
        .map_err(|error| Failure::local(format_args!("The root key {} was not written", file.display()), &error))?;
    let (root, fingerprint) = (key.root(), key.root().fingerprint());
    desk.output.data(root.to_string());
    desk.output.say(format!("The secret root key is in {}: keep it where nothing is served from.", file.display()));
    desk.output
        .say("The line on standard output is the root key that senders pin. They compare it with you by its words:");
    desk.output.say(format!("  {}", fingerprint.words()));
    Ok(Outcome::done("made")
        .with("root", &root)
        .with("fingerprint", fingerprint.to_string())
        .with("words", fingerprint.words())
        .with("file", file))
}

fn add(draft: &mut Draft, key: &NewKeyArguments, now: Timestamp) -> Result<(), Failure> {
    let recipient = read_recipient(&key.recipient)?;
    let from = key.from.unwrap_or(now);
    let until = key.until.unwrap_or(from.plus_days(KEY_DAYS));
    draft.add(recipient, &key.purpose, from, until).map_err(|error| refused(&error))
}

/// Changes a list and signs it as its next version.
fn change(
    file: &Path,
    sign: &SignArguments,
    desk: &mut Desk<'_>,
    edit: impl FnOnce(&mut Draft) -> Result<(), Failure>,
) -> Result<Outcome, Failure> {
    let root_key = read_root_key(&sign.root_key, desk)?;
    let mut draft = Draft::after(own_list(file, &root_key)?);
    edit(&mut draft)?;
    finish(file, draft, &root_key, sign.days, desk)
}

fn handover(file: &Path, new: &Path, sign: &SignArguments, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let old_key = read_root_key(&sign.root_key, desk)?;
    let new_key = read_root_key(new, desk)?;
    let mut draft = Draft::after(own_list(file, &old_key)?);
    draft.hand_over(&old_key, &new_key.root()).map_err(|error| refused(&error))?;
    let outcome = finish(file, draft, &new_key, sign.days, desk)?;
    desk.output.say("Senders who pinned the old root key follow at their next update. From now on the new one signs.");
    Ok(outcome)
}

fn finish(file: &Path, draft: Draft, key: &RootKey, days: i64, desk: &Desk<'_>) -> Result<Outcome, Failure> {
    let now = desk.world.clock.now();
    let signed = draft.sign(key, now, days).map_err(|error| refused(&error))?;
    replace(file, signed.note()).map_err(|error| not_written(file, &error))?;
    Ok(told(&signed, file, now, desk))
}

fn told(list: &KeyList, file: &Path, now: Timestamp, desk: &Desk<'_>) -> Outcome {
    let (version, expires) = (list.version(), list.expires());
    desk.output.headline("SIGNED.", &format!("{}: version {version}, good until {expires}.", file.display()));
    if let Err(error) = list.recipients(now) {
        desk.output.insist(format!("Beware: {error}; senders will stop."));
    }
    desk.output.say("Publish the file where senders fetch it, and renew it before it expires.");
    Outcome::done("signed").with("file", file).with("list", described_list(list))
}

/// Reads a root key, which signs key lists and may sign requests.
pub fn read_root_key(file: &Path, desk: &mut Desk<'_>) -> Result<RootKey, Failure> {
    let text = read_secret(file, "root key file", desk.world)?;
    let parsed = text.expose().parse();
    parsed.map_err(|error: KeyListError| Failure::usage(format_args!("{}: {error}.", file.display())))
}

fn read_list(file: &Path) -> Result<Claimed, Failure> {
    Claimed::read(&vendors::read_file(file)?).map_err(|error| vendors_words(&error))
}

/// The vendor's own list, signed by its own root key.
fn own_list(file: &Path, key: &RootKey) -> Result<KeyList, Failure> {
    let root = key.root();
    let claimed = read_list(file)?;
    if *claimed.root() != root {
        return Err(Failure::new(Exit::Refused, format_args!("{} is not signed by this root key.", file.display())));
    }
    claimed.trust(|found| *found == root).map_err(|error| refused(&error))
}

/// The recipient of a listed key that is named by its text, a file, its fingerprint or its words.
fn named(keys: &[ListedKey], text: &str) -> Result<Recipient, Failure> {
    let mut is_fingerprint = false;
    for key in keys {
        match key.recipient.is_written(text) {
            Some(true) => return Ok(key.recipient.clone()),
            Some(false) => is_fingerprint = true,
            None => {}
        }
    }
    if is_fingerprint {
        return Err(Failure::new(Exit::NotFound, "No key in the list has this fingerprint."));
    }
    read_recipient(text)
}

/// A list or a change that is not possible, as the vendor's own mistake.
fn refused(error: &KeyListError) -> Failure {
    Failure::usage(sentence(&error.to_string()))
}

/// A list that is not good, with its exit code.
fn vendors_words(error: &KeyListError) -> Failure {
    let exit = match error {
        KeyListError::Malformed(_) | KeyListError::BadSignature => Exit::Damaged,
        KeyListError::Expired(_) => Exit::Expired,
        _ => Exit::Refused,
    };
    Failure::new(exit, sentence(&error.to_string()))
}

fn not_written(file: &Path, error: &io::Error) -> Failure {
    Failure::local(format_args!("The key list {} was not written", file.display()), error)
}

/// Writes a new public file; nothing is overwritten.
fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    if written.is_err() {
        // What is half written is of no use to anybody.
        let _ = fs::remove_file(path);
    }
    written
}

/// Replaces a public file, all or nothing.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = PathBuf::from(name);
    if new.exists() {
        // Left by a run that was ended.
        fs::remove_file(&new)?;
    }
    write_new(&new, text)?;
    fs::rename(&new, path).and_then(|()| sync_parent(path))
}
