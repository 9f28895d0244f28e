//! What a ticket has given out, kept beside its key and sealed as that is: so that `person-17` is the same person in every
//! snapshot of the ticket, and in what `redact --ticket` writes.

use std::fs::{self, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use super::Desk;
use super::exit::{Exit, Failure};
use super::home::write_private_with;
use super::keeping::{own_identity, remove};
use crate::format::{Header, Identity, OpenReader, SealOptions, SealWriter};
use crate::ids::TicketId;
use crate::redact::Given;

/// A ticket whose stand-ins are being given out. No other run gives any out before it is dropped.
pub struct Numbering {
    path: PathBuf,
    own: Identity,
    _lock: fs::File,
}

impl Numbering {
    /// Takes up what the ticket has given out so far. Another run that does the same is not waited for.
    pub fn take(ticket: &TicketId, desk: &mut Desk<'_>) -> Result<(Self, Given), Failure> {
        let own = own_identity(desk)?;
        let lock = desk.home.directory("locks")?.join(format!("{ticket}.stand-ins.lock"));
        let local = |error: &io::Error| Failure::local(lock.display(), error);
        let mut options = OpenOptions::new();
        let file = options.create(true).truncate(false).write(true).mode(0o600).open(&lock).map_err(|e| local(&e))?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => {
                Failure::new(Exit::Locked, format_args!("Another run is giving out stand-ins for ticket {ticket}."))
                    .next("Wait until it has ended, then try again.")
            }
            TryLockError::Error(error) => local(&error),
        })?;
        let path = given_file(ticket, desk)?;
        let given = match fs::File::open(&path) {
            Ok(sealed) => opened(sealed, &own)
                .map_err(|_| Failure::new(Exit::Damaged, format_args!("{} is damaged.", path.display())))?,
            Err(error) if error.kind() == ErrorKind::NotFound => Given::default(),
            Err(error) => return Err(Failure::local(path.display(), &error)),
        };
        Ok((Self { path, own, _lock: file }, given))
    }

    /// Keeps what has been given out, before anything of it leaves.
    pub fn keep(&self, given: &Given, desk: &mut Desk<'_>) -> Result<(), Failure> {
        let recipients = [self.own.recipient()];
        let options = SealOptions { created: desk.world.clock.now(), recipients: &recipients, share: None };
        let rng = &mut *desk.world.rng;
        let written = write_private_with(&self.path, |output| {
            let mut writer = SealWriter::new(output, &options, rng).map_err(io::Error::other)?;
            given.write(&mut writer)?;
            writer.finish().map(drop)
        });
        written.map_err(|error| Failure::local("The ticket's stand-ins were not kept", &error))
    }
}

fn opened(sealed: fs::File, own: &Identity) -> io::Result<Given> {
    let mut sealed = io::BufReader::new(sealed);
    let header = Header::read(&mut sealed).map_err(io::Error::other)?;
    let reader = OpenReader::new(header, sealed, std::slice::from_ref(own), None).map_err(io::Error::other)?;
    Given::read(reader)
}

/// Forgets what a ticket has given out; its key goes as well.
pub fn forget(ticket: &TicketId, desk: &Desk<'_>) -> Result<(), Failure> {
    remove(&given_file(ticket, desk)?)
}

fn given_file(ticket: &TicketId, desk: &Desk<'_>) -> Result<PathBuf, Failure> {
    Ok(desk.home.directory("tickets")?.join(format!("{ticket}.given")))
}
