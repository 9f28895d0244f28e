//! Bytes of an upload on their way to the disk.
//!
//! A request's body is read by its handler and handed, frame by frame, to a thread that hashes and writes. The offset in the
//! database is the truth: it moves only after the bytes before it are synchronised, every 32 MiB and at the end. When the
//! last byte is there, the digest is compared and the file becomes whole; when it does not agree, nothing is kept.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::sync::Arc;

use axum::body::Bytes;
use sha2::{Digest as _, Sha256};
use tokio::runtime::Handle;
use tokio::sync::OwnedMutexGuard;
use tokio::sync::mpsc::Receiver;

use super::app::{App, random_id};
use super::audit::{Act, Actor, On, Outcome, record};
use super::auth::Principal;
use super::desk::{Progress, Turn};
use super::error::ApiError;
use super::store::snapshots::Snapshot;
use super::store::uploads::Upload;
use super::store::{receipts, shares, snapshots, tickets, uploads};
use crate::clock::Timestamp;
use crate::track::receipt::{Kind, Receipt, sign};
use crate::track::{Event, Phase, State};

/// How many bytes are written between two synchronisations.
const SYNC_EVERY: u64 = 32 << 20;

/// How long an unfinished upload is kept after its last byte, in days.
pub(crate) const KEPT_DAYS: i64 = 7;

/// One frame of a request's body.
pub(crate) enum Frame {
    /// Some bytes.
    Bytes(Bytes),
    /// The body is over and was whole.
    End,
}

/// One request's writing.
pub(crate) struct Writing {
    pub(crate) app: Arc<App>,
    pub(crate) upload: Upload,
    pub(crate) snapshot: Snapshot,
    /// Who sends; `None` when the portal finishes by itself at its start.
    pub(crate) who: Option<Principal>,
    /// The digest that these bytes must have (tus checksum): all of them are kept, or none.
    pub(crate) checksum: Option<[u8; 32]>,
}

impl Writing {
    /// Writes what comes until it ends and returns the new offset. Blocks; runs on a thread of its own.
    pub(crate) fn run(
        mut self,
        turn: &Turn,
        mut progress: OwnedMutexGuard<Progress>,
        mut frames: Receiver<Frame>,
    ) -> Result<u64, ApiError> {
        let begun_at = self.upload.received;
        let result = self.write(&mut progress, &mut frames);
        if result.is_err() {
            // Whatever the file holds past the recorded offset is cut off by the next that opens it.
            progress.0 = None;
        }
        turn.stands_at(self.upload.received);
        tracing::debug!(begun_at, stands_at = self.upload.received, "an upload moved");
        result
    }

    /// Reads what is there again and finishes: for an upload whose last byte arrived before the portal went down.
    pub(crate) fn finish_again(mut self) -> Result<(), ApiError> {
        let (mut file, hash) = self.open(&mut Progress::default())?;
        self.finish(&mut file, hash)
    }

    fn write(&mut self, progress: &mut Progress, frames: &mut Receiver<Frame>) -> Result<u64, ApiError> {
        let (mut file, mut hash) = self.open(progress)?;
        let before = (self.upload.received, hash.clone());
        let mut piece = Sha256::new();
        let mut written = self.upload.received;
        let mut whole = false;
        while let Some(frame) = frames.blocking_recv() {
            let Frame::Bytes(bytes) = frame else {
                whole = true;
                break;
            };
            file.write_all(&bytes)?;
            hash.update(&bytes);
            if self.checksum.is_some() {
                piece.update(&bytes);
            }
            written += bytes.len() as u64;
            if self.checksum.is_none() && written - self.upload.received >= SYNC_EVERY {
                self.keep(&file, written)?;
            }
        }
        if let Some(checksum) = self.checksum {
            let agrees = whole && piece.finalize().as_slice() == checksum;
            if !agrees {
                file.set_len(before.0)?;
                progress.0 = Some(before);
                return if whole { Err(ApiError::DigestMismatch) } else { Ok(self.upload.received) };
            }
        }
        if written == self.snapshot.size {
            // Finishing makes the last bytes durable and records them with all that follows, in one go.
            self.finish(&mut file, hash)?;
            self.upload.received = written;
        } else {
            if written > self.upload.received {
                self.keep(&file, written)?;
            }
            progress.0 = Some((written, hash));
        }
        Ok(written)
    }

    /// The part at the recorded offset, and the digest of what is in it.
    fn open(&self, progress: &mut Progress) -> Result<(File, Sha256), ApiError> {
        let received = self.upload.received;
        let mut file = self.app.blobs.open_partial(&self.upload.tenant, &self.upload.snapshot, received)?;
        let hash = match progress.0.take() {
            Some((at, hash)) if at == received => hash,
            _ => hash_of(&mut file, received)?,
        };
        file.seek(SeekFrom::Start(received))?;
        Ok((file, hash))
    }

    /// Makes what is written durable, then says so in the database.
    fn keep(&mut self, file: &File, written: u64) -> Result<(), ApiError> {
        file.sync_data()?;
        let expires_at = self.app.clock.now().plus_days(KEPT_DAYS);
        let known = Handle::current().block_on(async {
            let mut transaction = self.app.store.begin().await?;
            let known = uploads::set_received(&mut transaction, &self.upload, written, expires_at).await?;
            transaction.commit().await.map(|()| known)
        })?;
        if !known {
            return Err(ApiError::UploadUnknown);
        }
        self.upload.received = written;
        if self.app.blobs.has_room_for(0)? { Ok(()) } else { Err(ApiError::NoRoom) }
    }

    /// Compares the digest and makes the file whole: renamed first, then recorded with its audit row and its receipt.
    fn finish(&mut self, file: &mut File, hash: Sha256) -> Result<(), ApiError> {
        let (app, snapshot) = (&self.app, &self.snapshot);
        if hex::encode(hash.finalize()) != snapshot.sha256 {
            Handle::current().block_on(discard(
                app,
                &self.upload,
                self.actor(),
                Act::Store,
                Outcome::DigestMismatch,
            ))?;
            return Err(ApiError::DigestMismatch);
        }
        app.blobs.finish(file, &snapshot.tenant, &snapshot.id)?;
        Handle::current().block_on(record_stored(app, snapshot, self.actor()))?;
        app.desk.forget(&self.upload.tenant, &self.upload.id);
        Ok(())
    }

    fn actor(&self) -> Actor<'_> {
        self.who.as_ref().map_or(Actor::Worker, Actor::Token)
    }
}

/// Ends an unfinished upload: bytes, share and rows are gone, and the audit log says how it ended.
pub(crate) async fn discard(
    app: &Arc<App>,
    upload: &Upload,
    actor: Actor<'_>,
    act: Act,
    outcome: Outcome,
) -> Result<(), ApiError> {
    let (blobs, tenant, id) = (app.blobs.clone(), upload.tenant.clone(), upload.snapshot);
    let mut transaction = app.store.begin().await?;
    if snapshots::remove_unfinished(&mut transaction, &tenant, &id).await? {
        shares::destroy(&mut *app.store.shares().await?, &tenant, &id).await?;
        let now = app.clock.now();
        record(&mut transaction, &tenant, now, actor, (act, On::Snapshot(&id), outcome), None).await?;
        // The bytes go while the transaction still holds every newer announcement of the same file back.
        tokio::task::spawn_blocking(move || blobs.remove(&tenant, &id)).await.map_err(ApiError::fault)??;
        transaction.commit().await?;
    }
    app.desk.forget(&upload.tenant, &upload.id);
    Ok(())
}

/// Records a snapshot as stored: state, deadline, audit row and upload receipt in one transaction.
async fn record_stored(app: &App, snapshot: &Snapshot, actor: Actor<'_>) -> Result<(), ApiError> {
    let now = app.clock.now();
    let (tenant, id) = (&snapshot.tenant, &snapshot.id);
    let mut transaction = app.store.begin().await?;
    if !snapshots::set_stored(&mut transaction, tenant, id, now).await? {
        return Err(ApiError::UploadUnknown);
    }
    let state = state_of(now, &tickets::events(&mut transaction, tenant, &snapshot.ticket).await?);
    let policy = app.policy(&mut transaction, tenant).await?;
    let due_at = state.deadline(&policy).ok_or_else(|| ApiError::fault("a stored snapshot has no deadline"))?;
    snapshots::set_deadline(&mut transaction, tenant, id, state.closed_at(), due_at).await?;
    let receipt = Receipt {
        version: 1,
        kind: Kind::Upload,
        id: random_id(),
        portal: app.key.name().to_owned(),
        ticket: app.key.hide_ticket(tenant, &snapshot.ticket),
        sha256: snapshot.sha256.clone(),
        size: snapshot.size,
        uploaded: now,
        closed: state.closed_at(),
        due: due_at,
        deleted: None,
        reason: None,
        steps: Vec::new(),
        backup_horizon_days: policy.backup_horizon_days,
        policy_version: policy.version,
    };
    let note = sign(&receipt, &app.key).map_err(ApiError::fault)?;
    receipts::add(&mut transaction, tenant, id, Kind::Upload, &receipt.id, &note).await?;
    record(&mut transaction, tenant, now, actor, (Act::Store, On::Snapshot(id), Outcome::Done), None).await?;
    transaction.commit().await?;
    Ok(())
}

/// The state of a snapshot that was stored at `uploaded_at`, after what its ticket's source told.
pub(crate) fn state_of(uploaded_at: Timestamp, events: &[(Event, Timestamp)]) -> State {
    let stored = State::uploading().after(&Event::Stored, uploaded_at);
    events.iter().fold(stored, |state, (event, at)| state.after(event, *at))
}

/// Finishes at the start what the last run left: cuts parts to what was acknowledged, finishes what is whole, forgets shares
/// whose announcement came to nothing.
pub(crate) async fn recover(app: &Arc<App>) -> Result<(), ApiError> {
    let unfinished = uploads::unfinished(&mut *app.store.read().await?).await?;
    for upload in unfinished {
        let Some(snapshot) = snapshots::find(&mut *app.store.read().await?, &upload.tenant, &upload.snapshot).await?
        else {
            continue;
        };
        let whole = upload.received == snapshot.size;
        let writing = Writing { app: app.clone(), upload, snapshot, who: None, checksum: None };
        let recovered = tokio::task::spawn_blocking(move || {
            if whole {
                writing.finish_again()
            } else if writing.upload.received > 0 || writing.has_part() {
                writing.open(&mut Progress(Some((writing.upload.received, Sha256::new())))).map(drop)
            } else {
                Ok(())
            }
        });
        if let Err(fault) = recovered.await.map_err(ApiError::fault)? {
            tracing::error!(%fault, "an unfinished upload cannot go on");
        }
    }
    let holders = shares::holders(&mut *app.store.shares().await?).await?;
    for (tenant, id) in holders {
        let known = snapshots::find(&mut *app.store.read().await?, &tenant, &id).await?;
        if known.is_none_or(|snapshot| snapshot.phase == Phase::Deleted) {
            shares::destroy(&mut *app.store.shares().await?, &tenant, &id).await?;
        }
    }
    Ok(())
}

impl Writing {
    fn has_part(&self) -> bool {
        self.app.blobs.is_absent(&self.upload.tenant, &self.upload.snapshot).is_ok_and(|absent| !absent)
    }
}

fn hash_of(file: &mut File, length: u64) -> io::Result<Sha256> {
    file.seek(SeekFrom::Start(0))?;
    let mut hash = Sha256::new();
    let mut rest = file.take(length);
    let mut buffer = vec![0; 1 << 20];
    loop {
        match rest.read(&mut buffer)? {
            0 => return Ok(hash),
            read => hash.update(&buffer[..read]),
        }
    }
}
