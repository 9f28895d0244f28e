//! The vendors that the sender has pinned: each with its root key and the last key list that was taken from it.
//!
//! One file a vendor, in the state directory. What it holds is verified anew whenever it is read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Desk;
use super::command::key::read_recipient;
use super::command::remote::{self, sentence};
use super::exit::{Exit, Failure};
use super::home::{sync_parent, write_private};
use super::output::shown;
use super::settings::Settings;
use crate::clock::Timestamp;
use crate::format::Recipient;
use crate::format::key_list::{Claimed, KeyList, KeyListError, KeyState, MAX_LENGTH, Root, Succession};
use crate::ids::VendorId;
use crate::send::{ClientOptions, PublicUrl, SendError, fetch_text};

/// What is true while recipients are still being looked for.
const NOTHING_YET: &str = "Nothing was collected, nothing has left this computer.";
/// A file of a vendor larger than this is something else: a list, with its quotes escaped.
const FILE_LIMIT: u64 = 2 * MAX_LENGTH as u64 + 64 * 1024;

/// A vendor that was pinned.
#[derive(Clone, Debug)]
pub struct Vendor {
    /// What the sender calls it.
    pub name: VendorId,
    /// Where its list is published; `None` when it comes as a file.
    pub url: Option<PublicUrl>,
    /// When it was pinned.
    pub pinned: Timestamp,
    /// When its list was last asked for with success.
    pub asked: Timestamp,
    /// The list, under a root that is trusted.
    pub list: KeyList,
}

/// The same as a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    edition: u32,
    url: Option<String>,
    root: Root,
    pinned: Timestamp,
    asked: Timestamp,
    list: String,
}

/// Every vendor, by name. One file that cannot be read is an error: it may say that a key was revoked.
pub fn all(desk: &Desk<'_>) -> Result<Vec<Vendor>, Failure> {
    let directory = desk.home.directory("vendors")?;
    let local = |error: &io::Error| Failure::local(directory.display(), error);
    let mut names = Vec::new();
    for entry in fs::read_dir(&directory).map_err(|error| local(&error))? {
        let name = entry.map_err(|error| local(&error))?.file_name();
        let name = name.to_str().and_then(|name| name.strip_suffix(".json")).and_then(|name| name.parse().ok());
        names.extend(name);
    }
    names.sort();
    names.into_iter().map(|name: VendorId| load(&name, desk)).filter_map(Result::transpose).collect()
}

/// One vendor; exit code 10 when there is none of this name.
pub fn one(name: &VendorId, desk: &Desk<'_>) -> Result<Vendor, Failure> {
    load(name, desk)?.ok_or_else(|| {
        Failure::new(Exit::NotFound, format_args!("There is no vendor {name} here."))
            .next("Those that are:  tarseal vendor list")
    })
}

/// Keeps a vendor that was not known before.
pub fn keep_new(vendor: &Vendor, desk: &Desk<'_>) -> Result<(), Failure> {
    let _lock = lock(&vendor.name, desk)?;
    if load(&vendor.name, desk)?.is_some() {
        return Err(known_already(&vendor.name));
    }
    write(vendor, desk)
}

/// That a vendor of this name is there.
pub fn known_already(name: &VendorId) -> Failure {
    Failure::usage(format_args!("There is a vendor {name} already."))
        .next(format!("To get its newest keys:  tarseal vendor update {name}"))
        .next(format!("To trust another root key, forget this one first:  tarseal vendor remove {name}"))
}

/// Forgets a vendor.
pub fn remove(name: &VendorId, desk: &Desk<'_>) -> Result<(), Failure> {
    let path = file(name, desk)?;
    if !path.exists() {
        return one(name, desk).map(drop);
    }
    let _lock = lock(name, desk)?;
    fs::remove_file(&path).and_then(|()| sync_parent(&path)).map_err(|error| Failure::local(path.display(), &error))
}

/// Judges a list that is offered for a vendor, and what it is to the one that is kept.
pub fn examine(vendor: &Vendor, note: &str, now: Timestamp) -> Result<(KeyList, Succession), KeyListError> {
    let list = Claimed::read(note)?.trust(|root| root == vendor.list.root())?;
    let succession = list.succeeds(&vendor.list)?;
    list.check_time(now)?;
    Ok((list, succession))
}

/// Takes a list that is offered for a vendor in the place of the one that is kept.
pub fn take(
    vendor: &Vendor,
    note: &str,
    desk: &Desk<'_>,
) -> Result<Result<(Vendor, Succession), KeyListError>, Failure> {
    let _lock = lock(&vendor.name, desk)?;
    // Another run may have taken a newer one in the meantime.
    let mut vendor = one(&vendor.name, desk)?;
    let now = desk.world.clock.now();
    let (list, succession) = match examine(&vendor, note, now) {
        Ok(examined) => examined,
        Err(error) => return Ok(Err(error)),
    };
    (vendor.list, vendor.asked) = (list, now);
    write(&vendor, desk)?;
    Ok(Ok((vendor, succession)))
}

/// Fetches the list that is published at `url`.
pub fn fetch(url: &PublicUrl, settings: &Settings) -> Result<String, SendError> {
    let options = ClientOptions {
        ca_file: settings.ca_file.as_ref().map(|file| file.value.clone()),
        answer_timeout: Duration::from_secs(30),
        ..ClientOptions::default()
    };
    fetch_text(url, &options)
}

/// An error of the way to a list, in words and with its exit code.
pub fn fetch_failure(error: &SendError, url: &PublicUrl) -> Failure {
    match error {
        SendError::NotFound(_) | SendError::Expired(_) => {
            Failure::new(Exit::NotFound, format_args!("There is nothing at {}.", url.as_str()))
        }
        SendError::Refused(_) => {
            Failure::new(Exit::Refused, format_args!("{} does not hand out {}.", url.host(), url.as_str()))
        }
        SendError::Redirect { .. } => remote::failure(error, url.host())
            .next("Ask the vendor for the list's own address: what sends elsewhere is not followed."),
        SendError::Unexpected(_) => Failure::new(Exit::Damaged, sentence(&error.to_string())),
        SendError::Rejected(said) => {
            Failure::new(Exit::Damaged, format_args!("{} answered: {}.", url.host(), shown(&said.title)))
        }
        _ => remote::failure(error, url.host()),
    }
}

/// Reads a list from a file.
pub fn read_file(path: &Path) -> Result<String, Failure> {
    let local = |error: &io::Error| Failure::local(format_args!("The key list {}", path.display()), error);
    let mut bytes = Vec::new();
    let opened = File::open(path).map_err(|error| local(&error))?;
    opened.take(MAX_LENGTH as u64 + 1).read_to_end(&mut bytes).map_err(|error| local(&error))?;
    String::from_utf8(bytes)
        .map_err(|_| Failure::new(Exit::Damaged, format_args!("{} is not a key list: it is not text.", path.display())))
}

/// Why a list is refused, in words and with its exit code. `vendor` is the one that is kept, if there is.
pub fn refusal(error: &KeyListError, name: &VendorId, vendor: Option<&Vendor>) -> Failure {
    let exit = match error {
        KeyListError::Malformed(_) | KeyListError::BadSignature => Exit::Damaged,
        KeyListError::Expired(_) => Exit::Expired,
        KeyListError::Draft(_) | KeyListError::BadKey(_) => Exit::Usage,
        _ => Exit::Refused,
    };
    match error {
        KeyListError::OtherRoot(found) => {
            let refused = |which: String| {
                Failure::new(exit, format_args!("The key list of {name} is not signed with the root key {which}."))
            };
            let Some(vendor) = vendor else {
                // Its words are not shown: they would be typed in without a call.
                return refused("you named".into())
                    .next(format!("Call {name} on a number you already know, and ask for the eight words again."));
            };
            refused(format!("you trusted on {}; it was not taken", vendor.pinned))
                .next(format!("  trusted  {}", vendor.list.root().fingerprint().words()))
                .next(format!("  offered  {}", found.fingerprint().words()))
                .next(format!("Call {name} on a number you already know, and compare the words."))
        }
        KeyListError::Rollback { .. } | KeyListError::TwoOfOneVersion(_) | KeyListError::Unrevoked(_) => {
            Failure::new(exit, format_args!("{} It was not taken.", sentence(&error.to_string())))
                .next(format!("Try again later; if it stays so, tell {name}."))
        }
        KeyListError::NotYet(_) => {
            Failure::new(exit, sentence(&error.to_string())).next("Is this computer's clock right?")
        }
        KeyListError::Expired(at) => Failure::new(exit, format_args!("The key list of {name} expired on {at}."))
            .next(format!("{name} must publish a new one.")),
        _ => Failure::new(exit, format_args!("{name}: {}", sentence(&error.to_string()))),
    }
}

/// Asks for the newest lists of the vendors among `texts` before anything is sealed to them.
///
/// A list that cannot be had, or is not newer, stops nothing: the one that is kept is still good, or it says so itself. A list
/// that somebody tampered with stops.
pub fn refresh(texts: &[String], settings: &Settings, desk: &Desk<'_>) -> Result<(), Failure> {
    for vendor in all(desk)?.iter().filter(|vendor| texts.iter().any(|text| text == vendor.name.as_str())) {
        let Some(url) = &vendor.url else { continue };
        let kept = |why: &str| {
            desk.output.say(format!("{}: {why} The key list of {} is used.", vendor.name, vendor.list.issued()));
        };
        let note = match fetch(url, settings) {
            Ok(note) => note,
            Err(error) => {
                kept(&fetch_failure(&error, url).what);
                continue;
            }
        };
        match take(vendor, &note, desk)? {
            Ok((taken, Succession::Newer)) => {
                desk.output.say(format!(
                    "{}: there is a new key list (version {}).",
                    vendor.name,
                    taken.list.version()
                ));
            }
            Ok((_, Succession::Same)) => {}
            Err(
                error @ (KeyListError::OtherRoot(_)
                | KeyListError::BadSignature
                | KeyListError::TwoOfOneVersion(_)
                | KeyListError::Unrevoked(_)),
            ) => return Err(refusal(&error, &vendor.name, Some(vendor)).left(NOTHING_YET)),
            Err(error) => kept(&sentence(&error.to_string())),
        }
    }
    Ok(())
}

/// Whom to seal to: recipients, files that hold one, and the names of vendors. Each key once.
///
/// Refused: a vendor whose list has expired or has no good key, and a recipient that a vendor has revoked.
pub fn recipients(texts: &[String], desk: &Desk<'_>) -> Result<Vec<Recipient>, Failure> {
    let vendors = all(desk)?;
    let mut found: Vec<Recipient> = Vec::new();
    for text in texts {
        let named = match vendors.iter().find(|vendor| vendor.name.as_str() == text) {
            Some(vendor) => of_vendor(vendor, desk)?,
            None => vec![given(text, &vendors, desk)?],
        };
        for recipient in named {
            if !found.contains(&recipient) {
                found.push(recipient);
            }
        }
    }
    Ok(found)
}

fn of_vendor(vendor: &Vendor, desk: &Desk<'_>) -> Result<Vec<Recipient>, Failure> {
    let name = &vendor.name;
    let error = match vendor.list.recipients(desk.world.clock.now()) {
        Ok(recipients) => return Ok(recipients),
        Err(error) => error,
    };
    let failure = match &error {
        KeyListError::Expired(at) => Failure::new(
            Exit::Expired,
            format_args!("The key list of {name} was good until {at}. Since then nobody vouches for its keys."),
        ),
        KeyListError::NoKey { all_revoked: true } => {
            Failure::new(Exit::Refused, format_args!("{name} has revoked every key that this computer knows of it."))
        }
        KeyListError::NoKey { .. } => {
            Failure::new(Exit::Refused, format_args!("{name} has no key that may be sealed to at present."))
        }
        other => refusal(other, name, Some(vendor)),
    };
    let update = if vendor.url.is_some() { "" } else { " --from FILE" };
    Err(failure
        .left(NOTHING_YET)
        .next(format!("Get its present keys, then try again:  tarseal vendor update {name}{update}"))
        .next("If that does not help, call the vendor on a number you already know."))
}

/// A recipient that was given directly, unless a vendor has revoked it.
fn given(text: &str, vendors: &[Vendor], desk: &Desk<'_>) -> Result<Recipient, Failure> {
    let recipient = read_recipient(text).map_err(|failure| {
        if text.parse::<VendorId>().is_ok() && !Path::new(text).exists() {
            return failure.next(format!("If {text} is a vendor:  tarseal vendor add {text} URL"));
        }
        failure
    })?;
    for vendor in vendors {
        let Some(key) = vendor.list.find(&recipient) else { continue };
        let (name, since) = (&vendor.name, key.since.map(|since| since.to_string()).unwrap_or_default());
        if key.state == KeyState::Revoked {
            let reason = shown(key.reason.as_deref().unwrap_or_default());
            return Err(Failure::new(
                Exit::Refused,
                format_args!(
                    "{name} revoked this recipient on {since} ({reason}): a stranger might read what is sealed to it."
                ),
            )
            .left(NOTHING_YET)
            .next(format!("Seal to its present keys:  --to {name}")));
        }
        if key.state == KeyState::Retired {
            desk.output.say(format!("{name} retired this recipient on {since}; its present keys are:  --to {name}"));
        }
    }
    Ok(recipient)
}

fn load(name: &VendorId, desk: &Desk<'_>) -> Result<Option<Vendor>, Failure> {
    let path = file(name, desk)?;
    let local = |error: &io::Error| Failure::local(path.display(), error);
    let opened = match File::open(&path) {
        Ok(opened) => opened,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(local(&error)),
    };
    let mut bytes = Vec::new();
    opened.take(FILE_LIMIT).read_to_end(&mut bytes).map_err(|error| local(&error))?;
    let vendor = understand(name, &bytes).map_err(|fault| {
        Failure::new(Exit::Damaged, format_args!("What is kept of {name} in {} is damaged: {fault}.", path.display()))
            .next(format!("Forget it and pin it again:  tarseal vendor remove {name}"))
    })?;
    Ok(Some(vendor))
}

fn understand(name: &VendorId, bytes: &[u8]) -> Result<Vendor, String> {
    let kept: Kept = serde_json::from_slice(bytes).map_err(|_| "it cannot be read".to_owned())?;
    if kept.edition != 1 {
        return Err(format!("it is of edition {}", kept.edition));
    }
    let url = kept.url.as_deref().map(str::parse::<PublicUrl>).transpose();
    let url = url.map_err(|error| format!("of its address, {}", error.reason()))?;
    let list = Claimed::read(&kept.list).and_then(|claimed| claimed.trust(|root| *root == kept.root));
    let list = list.map_err(|error| error.to_string())?;
    Ok(Vendor { name: name.clone(), url, pinned: kept.pinned, asked: kept.asked, list })
}

fn write(vendor: &Vendor, desk: &Desk<'_>) -> Result<(), Failure> {
    let kept = Kept {
        edition: 1,
        url: vendor.url.as_ref().map(|url| url.as_str().to_owned()),
        root: vendor.list.root().clone(),
        pinned: vendor.pinned,
        asked: vendor.asked,
        list: vendor.list.note().to_owned(),
    };
    let text = serde_json::to_vec(&kept).expect("plain values are JSON");
    let path = file(&vendor.name, desk)?;
    write_private(&path, &text).map_err(|error| Failure::local(path.display(), &error))
}

/// Held while a vendor's file is read and written anew; another run waits for it.
fn lock(name: &VendorId, desk: &Desk<'_>) -> Result<File, Failure> {
    let path = desk.home.directory("vendors")?.join(format!("{name}.lock"));
    let opened = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
    let locked = opened.and_then(|file| file.lock().map(|()| file));
    locked.map_err(|error| Failure::local(path.display(), &error))
}

fn file(name: &VendorId, desk: &Desk<'_>) -> Result<PathBuf, Failure> {
    Ok(desk.home.directory("vendors")?.join(format!("{name}.json")))
}
