//! What the sender keeps about a ticket, sealed to a key of its own: the ticket key and the vaults; and the reviews,
//! which hold a few values in clear.
//!
//! A stolen state directory without the identity file tells nobody who `person-17` was, and when a snapshot is deleted at the
//! portal its vault goes with it.

use std::fmt::Display;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::Desk;
use super::exit::{Exit, Failure};
use super::home::{read_secret, sync_parent, write_private, write_private_new, write_private_with};
use crate::format::{Header, Identity, KeyKind, OpenReader, SealOptions, SealWriter, open_sealed, seal_to};
use crate::ids::{FileId, TicketId};
use crate::redact::{TicketKey, Vault, VaultEntry};

/// The sender's own identity; made when it is needed for the first time.
pub fn own_identity(desk: &mut Desk<'_>) -> Result<Identity, Failure> {
    let path = desk.home.identity()?;
    if !path.exists() {
        let identity = Identity::generate(KeyKind::XWing, &mut *desk.world.rng);
        let text = identity.to_text(desk.world.clock.now());
        match write_private_new(&path, text.expose().as_bytes()) {
            Ok(()) => return Ok(identity),
            // Another run made it in this moment: use that one.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Failure::local("Your own key could not be written", &error)),
        }
    }
    let text = read_secret(&path, "key file", desk.world)?;
    let parsed = text.expose().parse();
    parsed.map_err(|error| Failure::new(Exit::Damaged, format_args!("{} is damaged: {error}.", path.display())))
}

/// The key that makes the stand-ins of a ticket; made when the ticket is met for the first time.
pub fn ticket_key(ticket: &TicketId, own: &Identity, desk: &mut Desk<'_>) -> Result<TicketKey, Failure> {
    let path = ticket_key_file(ticket, desk)?;
    match fs::read(&path) {
        Ok(sealed) => {
            let damaged = || Failure::new(Exit::Damaged, format_args!("{} is damaged.", path.display()));
            let bytes = open_sealed(own, &ticket_key_info(ticket), &sealed).map_err(|_| damaged())?;
            TicketKey::from_slice(bytes.expose()).ok_or_else(damaged)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let key = TicketKey::random(&mut *desk.world.rng);
            let sealed = seal_to(&own.recipient(), &ticket_key_info(ticket), key.expose(), &mut *desk.world.rng);
            write_private(&path, &sealed).map_err(|error| Failure::local("The ticket's key", &error))?;
            Ok(key)
        }
        Err(error) => Err(Failure::local(path.display(), &error)),
    }
}

/// Seals the vault of a snapshot to the sender's own key.
pub fn keep_vault(file: &FileId, vault: &Vault, own: &Identity, desk: &mut Desk<'_>) -> Result<(), Failure> {
    let path = vault_file(file, desk)?;
    let recipients = [own.recipient()];
    let options = SealOptions { created: desk.world.clock.now(), recipients: &recipients, share: None };
    let local = |error: &io::Error| Failure::local("The vault was not written", error);
    let rng = &mut *desk.world.rng;
    let written = write_private_with(&path, |output| {
        let mut writer = SealWriter::new(output, &options, rng).map_err(io::Error::other)?;
        io::copy(&mut vault.reader(), &mut writer)?;
        writer.finish().map(drop)
    });
    written.map_err(|error| local(&error))
}

/// Opens the vault of a snapshot, if it is still kept.
pub fn open_vault(
    file: &FileId,
    own: &Identity,
    desk: &Desk<'_>,
) -> Result<Option<impl Iterator<Item = Result<VaultEntry, Failure>>>, Failure> {
    let path = vault_file(file, desk)?;
    let sealed = match fs::File::open(&path) {
        Ok(sealed) => sealed,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Failure::local(path.display(), &error)),
    };
    let shown = path.display().to_string();
    let damaged = move |error: &dyn Display| Failure::new(Exit::Damaged, format_args!("{shown}: {error}."));
    let mut sealed = io::BufReader::new(sealed);
    let header = Header::read(&mut sealed).map_err(|error| damaged(&error))?;
    let reader = OpenReader::new(header, sealed, std::slice::from_ref(own), None).map_err(|error| damaged(&error))?;
    Ok(Some(Vault::entries(reader).map(move |entry| entry.map_err(|error| damaged(&error)))))
}

/// Whether the vault of a snapshot is still kept.
pub fn has_vault(file: &FileId, desk: &Desk<'_>) -> Result<bool, Failure> {
    Ok(vault_file(file, desk)?.exists())
}

/// Keeps the review of a snapshot, readable by the user alone, and says where.
pub fn keep_review(ticket: &TicketId, file: &FileId, page: &str, desk: &Desk<'_>) -> Result<PathBuf, Failure> {
    let path = review_file(ticket, file, desk)?;
    write_private(&path, page.as_bytes()).map_err(|error| Failure::local("The review was not written", &error))?;
    Ok(path)
}

/// Removes the vault and the review of a snapshot, and with the last snapshot of a ticket the ticket's key
/// and what it has given out.
pub fn forget(ticket: &TicketId, file: &FileId, last: bool, desk: &Desk<'_>) -> Result<(), Failure> {
    remove(&review_file(ticket, file, desk)?)?;
    remove(&vault_file(file, desk)?)?;
    if last {
        super::requests::forget(ticket, desk)?;
        super::given::forget(ticket, desk)?;
        remove(&ticket_key_file(ticket, desk)?)?;
    }
    Ok(())
}

/// Removes a file for good, if it is there.
pub fn remove(path: &Path) -> Result<(), Failure> {
    match fs::remove_file(path) {
        Ok(()) => sync_parent(path).map_err(|error| Failure::local(path.display(), &error)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Failure::local(path.display(), &error)),
    }
}

fn vault_file(file: &FileId, desk: &Desk<'_>) -> Result<PathBuf, Failure> {
    Ok(desk.home.directory("vaults")?.join(format!("{file}.vault")))
}

fn review_file(ticket: &TicketId, file: &FileId, desk: &Desk<'_>) -> Result<PathBuf, Failure> {
    Ok(desk.home.directory("reviews")?.join(format!("{ticket}-{file}.html")))
}

fn ticket_key_file(ticket: &TicketId, desk: &Desk<'_>) -> Result<PathBuf, Failure> {
    Ok(desk.home.directory("tickets")?.join(format!("{ticket}.key")))
}

fn ticket_key_info(ticket: &TicketId) -> Vec<u8> {
    [b"tarseal/v1 ticket key\0", ticket.as_str().as_bytes()].concat()
}
