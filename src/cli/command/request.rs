//! `request`: a technician asks a sender for a snapshot.

use std::path::Path;

use serde_json::json;

use super::key::read_sender_key;
use super::key_list::read_root_key;
use super::remote::{self, Remote, sentence};
use crate::cli::args::RequestArguments;
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::home::write_private_new;
use crate::cli::requests::{self, RequestFile};
use crate::cli::settings::Settings;
use crate::cli::{Desk, rules, vendors};
use crate::format::SenderKey;
use crate::format::key_list::RootKey;
use crate::format::request::{Asked, RequestError, RequestKey};
use crate::ids::TicketId;
use crate::send::SendError;
use crate::wire::MadeRequest;

/// What signs the request.
enum Key {
    Sender(SenderKey),
    Root(RootKey),
}

impl Key {
    fn to_sign(&self) -> RequestKey<'_> {
        match self {
            Self::Sender(key) => RequestKey::Sender(key),
            Self::Root(key) => RequestKey::Root(key),
        }
    }
}

/// Makes a request, lists those that wait, or takes one back.
pub fn run(arguments: &RequestArguments, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let settings = Settings::resolve(&arguments.portal, &desk.home, desk.world)?;
    let address = remote::address(&settings)?;
    let remote = remote::connect_to(address, &settings, desk)?;
    if arguments.list {
        return list(arguments, &remote, desk);
    }
    if let Some(id) = &arguments.revoke {
        let revoked = remote.client.revoke_request(&arguments.ticket, id);
        revoked.map_err(|error| remote::failure(&error, remote.address.host()))?;
        desk.output.headline("TAKEN BACK.", "Its code and what it gave are refused from now on.");
        return Ok(Outcome::done("revoked").with("id", id));
    }
    make(arguments, &remote, &settings, desk)
}

fn make(
    arguments: &RequestArguments,
    remote: &Remote,
    settings: &Settings,
    desk: &mut Desk<'_>,
) -> Result<Outcome, Failure> {
    if let Some(output) = arguments.output.as_deref().filter(|output| output.symlink_metadata().is_ok()) {
        return Err(Failure::new(
            Exit::Local,
            format_args!("{} is there already, and nothing is overwritten.", output.display()),
        ));
    }
    if let Some(profile) = &arguments.profile {
        rules::built_in(profile)?;
    }
    let key = key(arguments, settings, desk)?;
    let asked = asked(arguments, remote, settings, desk)?;
    let note = asked.clone().sign(&key.to_sign()).map_err(|error| refused(&error))?;
    let made = leave(&arguments.ticket, &note, remote, desk)
        .map_err(|error| remote::failure(&error, remote.address.host()))?;
    if let Some(output) = &arguments.output {
        write(output, &RequestFile::new(made.code.clone(), note))?;
    }
    desk.output.data(made.code.to_string());
    desk.output.say(format!(
        "The code for ticket {}, good until {}. Read it over the telephone, letter by letter.",
        arguments.ticket,
        requests::when(made.expires)
    ));
    for line in requests::wanted(&asked) {
        desk.output.say(line);
    }
    let signer = key.to_sign().signer();
    if let Key::Sender(_) = key {
        desk.output.say("Whoever gets a request of yours for the first time also asks for the words of your key:");
        desk.output.say(format!("  {}", signer.fingerprint().words()));
    }
    Ok(Outcome::done("asked")
        .with("code", &made.code)
        .with("id", &made.id)
        .with("expires", made.expires)
        .with("ticket", &arguments.ticket)
        .with("signer", &signer)
        .with("words", signer.fingerprint().words())
        .with("file", &arguments.output))
}

/// Leaves the request at the portal; a ticket that the portal does not know is opened.
fn leave(ticket: &TicketId, note: &str, remote: &Remote, desk: &Desk<'_>) -> Result<MadeRequest, SendError> {
    match remote.client.new_request(ticket, note) {
        Err(SendError::NotFound(_)) => {
            remote.client.open_ticket(ticket)?;
            desk.output.say(format!("Ticket {ticket} is new at the portal and was opened."));
            remote.client.new_request(ticket, note)
        }
        answer => answer,
    }
}

fn key(arguments: &RequestArguments, settings: &Settings, desk: &mut Desk<'_>) -> Result<Key, Failure> {
    if let Some(file) = &arguments.root_key {
        return read_root_key(file, desk).map(Key::Root);
    }
    let set = settings.sender_key.as_ref().map(|set| &set.value);
    let Some(file) = arguments.sender_key.as_ref().or(set) else {
        return Err(Failure::usage("There is no key to sign the request with.")
            .next("Make one, once:  tarseal key new --sender -o FILE    and name it:  --sender-key FILE"));
    };
    read_sender_key(file, arguments.sender_passphrase_file.as_deref(), desk).map(Key::Sender)
}

fn asked(
    arguments: &RequestArguments,
    remote: &Remote,
    settings: &Settings,
    desk: &Desk<'_>,
) -> Result<Asked, Failure> {
    let set = settings.to.as_ref().map(|set| set.value.as_slice()).unwrap_or_default();
    let to = if arguments.to.is_empty() { set } else { &arguments.to };
    if to.is_empty() {
        return Err(Failure::usage("There is nobody to seal it to.")
            .next("Give your recipient, or a file that holds it:  --to tarseal1…"));
    }
    let now = desk.world.clock.now();
    Ok(Asked {
        portal: remote.address.as_str().to_owned(),
        ticket: arguments.ticket.clone(),
        title: arguments.title.clone(),
        profile: arguments.profile.clone(),
        last_seconds: arguments.last,
        since: arguments.since,
        until: arguments.until,
        max_bytes: arguments.max_size,
        recipients: vendors::recipients(to, desk)?,
        issued: now,
        expires: now.plus_seconds(i64::try_from(arguments.valid).unwrap_or(i64::MAX)),
    })
}

fn refused(error: &RequestError) -> Failure {
    Failure::usage(sentence(&error.to_string()))
}

fn write(output: &Path, file: &RequestFile) -> Result<(), Failure> {
    write_private_new(output, file.to_text().as_bytes())
        .map_err(|error| Failure::local(format_args!("The request {} was not written", output.display()), &error))
}

fn list(arguments: &RequestArguments, remote: &Remote, desk: &Desk<'_>) -> Result<Outcome, Failure> {
    let waiting =
        remote.client.requests(&arguments.ticket).map_err(|error| remote::failure(&error, remote.address.host()))?;
    for one in &waiting {
        let used = one.used_at.map_or_else(|| "not used yet".into(), |at| format!("used {}", requests::when(at)));
        desk.output.data(format!("{}  good until {}, {used}", one.id, requests::when(one.expires)));
    }
    if waiting.is_empty() {
        desk.output.say(format!("No request waits for ticket {}.", arguments.ticket));
    }
    Ok(Outcome::done("ok").with("requests", json!(waiting)))
}
