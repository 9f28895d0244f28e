//! Uploads that began and never ended, and are given up.

use super::ledger::{self, is_given_up, remote_of};
use super::upload::{lock, outgoing, state_file};
use super::{remote, withdraw};
use crate::cli::exit::Failure;
use crate::cli::settings::Settings;
use crate::cli::{Desk, keeping};
use crate::send::{Checkpoint, SendError};
use crate::track::ledger::Entry;
use crate::wire::{Snapshot, SnapshotState};

/// Whether its upload began and is not given up.
pub fn is_begun(entry: &Entry, desk: &Desk<'_>) -> bool {
    let waits = || state_file(&entry.ticket, &entry.snapshot, desk).is_ok_and(|state| state.exists());
    entry.sent_at().is_none() && !is_given_up(entry) && (entry.portal.is_some() || waits())
}

/// Gives an upload up: what the portal has of it is taken back there, and its sealed file and state are removed here. True when all
/// of it had arrived, so that the portal deletes it as it deletes a snapshot.
///
/// A failure when the portal could not be asked; here it is removed then too, and the ledger does not say that it is over.
pub fn give_up(entry: &Entry, reason: Option<&str>, settings: &Settings, desk: &mut Desk<'_>) -> Result<bool, Failure> {
    let _lock = lock(&entry.ticket, desk)?;
    let state = state_file(&entry.ticket, &entry.snapshot, desk)?;
    let checkpoint = Checkpoint::load(&state).ok();
    let checkpoint = checkpoint.as_ref();
    // Without an answer to the announcement no byte was sent.
    let nothing_sent =
        checkpoint.is_some_and(|checkpoint| !checkpoint.is_stored() && checkpoint.upload_url().is_none());
    let there = match take_back(entry, checkpoint, reason, settings, desk) {
        Err(_) if nothing_sent => Ok(None),
        answer => answer,
    };
    // First what could go on with the upload.
    keeping::remove(&state)?;
    keeping::remove(&outgoing(&entry.ticket, &entry.snapshot, desk)?)?;
    if let Some(name) = state.file_name() {
        // What a run that was killed left of the state, with the share in it.
        let mut left = name.to_owned();
        left.push(".new");
        keeping::remove(&state.with_file_name(left))?;
    }
    let now = desk.world.clock.now();
    match there {
        Ok(Some(told)) => {
            let mut book = ledger::open(desk)?;
            let sent = book.sent(&entry.snapshot, told.uploaded_at.unwrap_or(now), now);
            sent.map_err(|error| ledger::failure(&error))?;
            drop(book);
            withdraw::record(entry, &told, desk)?;
            Ok(true)
        }
        Ok(None) => {
            keeping::forget(&entry.ticket, &entry.snapshot, false, desk)?;
            ledger::open(desk)?.withdrawn(&entry.snapshot, now).map_err(|error| ledger::failure(&error))?;
            Ok(false)
        }
        Err(failure) => Err(failure
            .left("The sealed file is removed here. What the portal has of an unfinished upload, it forgets by itself.")
            .next(format!("To ask again whether it has anything:  tarseal withdraw {}", entry.ticket))),
    }
}

/// Takes back at the portal what it has; the snapshot, if all of it had arrived.
fn take_back(
    entry: &Entry,
    checkpoint: Option<&Checkpoint>,
    reason: Option<&str>,
    settings: &Settings,
    desk: &mut Desk<'_>,
) -> Result<Option<Snapshot>, Failure> {
    let Some(remote) = remote_of(entry, settings, desk)? else { return Ok(None) };
    let failed = |error: SendError| remote::failure(&error, remote.address.host());
    let told = match remote.client.snapshot(&entry.snapshot) {
        Ok(told) => told,
        Err(SendError::Expired(_)) => return Ok(None),
        // Not there, or not for this token: then the ticket is not for it either.
        Err(SendError::NotFound(_)) => return remote.client.ticket(&entry.ticket).map(|_| None).map_err(failed),
        Err(error) => return Err(failed(error)),
    };
    match told.state {
        SnapshotState::Uploading => {
            if let Some(upload) = checkpoint.and_then(Checkpoint::upload_url) {
                remote.client.delete_upload(&upload).map_err(failed)?;
            }
            Ok(None)
        }
        SnapshotState::Stored | SnapshotState::Held | SnapshotState::Restricted => {
            remote.client.withdraw(&entry.snapshot, reason).map(Some).map_err(failed)
        }
        SnapshotState::Deleting | SnapshotState::Deleted => Ok(Some(told)),
    }
}
