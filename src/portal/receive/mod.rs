//! Bytes of an upload on their way to where they lie, whichever door they came in by.
//!
//! A request's body is read by its handler and handed, frame by frame, to a thread that hashes and writes. The offset in the
//! database is the truth: it moves only after the bytes before it are durable, every 32 MiB and at the end, and only from where
//! the writer found it, so that of two processes one goes on. With it moves the state of the digest, so that nothing is read
//! twice. When the last byte is there, the digest is compared and the file becomes whole; when it does not agree, or when the
//! file is not the sealed file it was announced as, nothing is kept.
//!
//! A small file that comes whole with its first request is written at once and recorded in one act ([`small`]).

mod body;
mod record;
mod recover;
mod small;

pub(crate) use body::{TOO_LONG, next, pour};
pub(crate) use record::{discard, end};
pub(crate) use recover::recover;
pub(crate) use small::{Small, collect, is_small};

use std::io::ErrorKind;
use std::sync::Arc;

use axum::body::Bytes;
use sha2::digest::common::hazmat::SerializableState;
use sha2::{Digest as _, Sha256};
use tokio::runtime::Handle;
use tokio::sync::OwnedMutexGuard;
use tokio::sync::mpsc::Receiver;

use super::app::App;
use super::audit::{Act, Actor, Outcome};
use super::auth::Principal;
use super::blobs::{Growing, Mark, Name};
use super::desk::{Progress, Turn};
use super::error::ApiError;
use super::store::marks;
use super::store::snapshots::Snapshot;
use super::store::uploads::Upload;
use super::together::{self, Proof};
use crate::format::Header;

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

/// By which door the bytes come in.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Door {
    /// The file was announced with length and digest, and comes in one or more requests.
    Resumable {
        /// The digest that these bytes must have (tus checksum): all of them are kept, or none.
        checksum: Option<[u8; 32]>,
    },
    /// The file comes in this request, or not at all.
    OneShot {
        /// The digest that the file must have, if the sender told one.
        sha256: Option<[u8; 32]>,
    },
}

/// One request's writing.
pub(crate) struct Writing {
    pub(crate) app: Arc<App>,
    pub(crate) upload: Upload,
    pub(crate) snapshot: Snapshot,
    pub(crate) who: Principal,
    pub(crate) door: Door,
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
        let mut result = self.write(&mut progress, &mut frames);
        if result.is_err() {
            // Whatever was written past the recorded offset is dropped by the next that opens it.
            progress.0 = None;
            if matches!(self.door, Door::OneShot { .. }) {
                result = result.or_else(|fault| self.discard(Outcome::Broken).and(Err(fault)));
            }
        }
        turn.stands_at(self.upload.received);
        tracing::debug!(begun_at, stands_at = self.upload.received, "an upload moved");
        result
    }

    fn write(&mut self, progress: &mut Progress, frames: &mut Receiver<Frame>) -> Result<u64, ApiError> {
        let (mut part, mut hash) = self.open(progress)?;
        let before = (self.upload.received, hash.clone());
        let checksum = match self.door {
            Door::Resumable { checksum } => checksum,
            Door::OneShot { .. } => None,
        };
        let mut head = Head::of(&part, self.upload.received)?;
        let mut piece = Sha256::new();
        let mut written = self.upload.received;
        let mut kept = written;
        let mut whole = false;
        while let Some(frame) = frames.blocking_recv() {
            let Frame::Bytes(bytes) = frame else {
                whole = true;
                break;
            };
            head.take(&bytes);
            if checksum.is_some() {
                piece.update(&bytes);
            } else {
                self.check(&mut head, false)?;
            }
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                let length = usize::try_from(part.room()).map_or(rest.len(), |room| room.min(rest.len()));
                let (now, later) = rest.split_at(length);
                part.write(now)?;
                hash.update(now);
                written += length as u64;
                rest = later;
                if checksum.is_none() && written - kept >= SYNC_EVERY && part.is_even() && written < self.snapshot.size
                {
                    self.keep(&mut part, &hash)?;
                    kept = written;
                }
            }
        }
        if let Some(checksum) = checksum {
            let agrees = whole && piece.finalize().as_slice() == checksum;
            if !agrees {
                part.cut_back()?;
                progress.0 = Some(before);
                return if whole { Err(ApiError::DigestMismatch) } else { Ok(self.upload.received) };
            }
        }
        if let Door::OneShot { sha256 } = self.door {
            if !whole {
                return Err(ApiError::BrokeOff);
            }
            if sha256.is_some_and(|told| hash.clone().finalize().as_slice() != told) {
                return Err(ApiError::DigestDiffers);
            }
            self.check(&mut head, true)?;
            self.snapshot.size = written;
            self.snapshot.sha256 = hex::encode(hash.clone().finalize());
        }
        if written == self.snapshot.size {
            // Finishing makes the last bytes durable and records them with all that follows, in one go.
            self.check(&mut head, true)?;
            self.finish(&mut part, hash)?;
            self.upload.received = written;
        } else {
            self.check(&mut head, false)?;
            if written > self.upload.received {
                self.keep(&mut part, &hash)?;
            }
            progress.0 = Some((written, hash));
        }
        Ok(written)
    }

    /// The file at the recorded offset, and the digest of what is in it.
    fn open(&self, progress: &mut Progress) -> Result<(Growing, Sha256), ApiError> {
        let received = self.upload.received;
        let (mark, state) = if received == 0 && !self.app.blobs.is_shared() {
            (Mark::default(), None)
        } else {
            Handle::current().block_on(async {
                let mut connection = self.app.store.read(&self.upload.tenant).await?;
                marks::find(&mut connection, &self.upload).await
            })?
        };
        let hash = match progress.0.take() {
            Some((at, hash)) if at == received => hash,
            _ if received == 0 => Sha256::new(),
            _ => state.as_deref().and_then(revive).ok_or_else(|| ApiError::fault("an upload has no digest"))?,
        };
        let name = Name { tenant: &self.upload.tenant, id: &self.upload.snapshot, longest: self.snapshot.size };
        match self.app.blobs.go_on(name, mark) {
            Ok(part) => Ok((part, hash)),
            Err(fault) if fault.kind() == ErrorKind::AlreadyExists => {
                // It became whole, and then whoever made it so went down.
                Handle::current().block_on(recover::adopt(&self.app, &self.upload, &self.snapshot))?;
                Err(ApiError::OffsetMismatch(self.snapshot.size))
            }
            Err(fault) => Err(fault.into()),
        }
    }

    /// Makes what is written durable, then says so in the database.
    fn keep(&mut self, part: &mut Growing, hash: &Sha256) -> Result<(), ApiError> {
        let mark = part.keep()?;
        let received = mark.received;
        if matches!(self.door, Door::Resumable { .. }) {
            let expires_at = self.app.clock.now().plus_days(KEPT_DAYS);
            let state = hash.serialize();
            let (upload, mark) = (self.upload.clone(), mark.clone());
            let tenant = upload.tenant.clone();
            let keeping = together::act(&self.app, &tenant, Proof::Later, move |connection| {
                Box::pin(async move { Ok(marks::keep(connection, &upload, &mark, &state, expires_at).await?) })
            });
            let moved = Handle::current().block_on(keeping)?;
            if !moved {
                part.give_up();
                return Err(ApiError::UploadUnknown);
            }
            part.kept();
            self.upload.received = received;
        }
        if self.app.blobs.has_room_for(0)? { Ok(()) } else { Err(ApiError::NoRoom) }
    }

    /// Ends the upload when its first bytes are not those of the sealed file that was announced. A file that is over before
    /// they are there is none; one that is not may still become one.
    fn check(&self, head: &mut Head, over: bool) -> Result<(), ApiError> {
        match head {
            Head::Good => return Ok(()),
            Head::Coming(bytes) if bytes.len() < Header::NAMED && !over => return Ok(()),
            Head::Coming(bytes) if Header::named(bytes) == Some(self.snapshot.id) => {}
            Head::Coming(_) => {
                self.discard(Outcome::NotSealed)?;
                return Err(ApiError::NotSealed);
            }
        }
        *head = Head::Good;
        Ok(())
    }

    /// Compares the digest and makes the file whole: under its name first, then recorded with its audit row and its receipt.
    fn finish(&self, part: &mut Growing, hash: Sha256) -> Result<(), ApiError> {
        let (app, snapshot) = (&self.app, &self.snapshot);
        if hex::encode(hash.finalize()) != snapshot.sha256 {
            self.discard(Outcome::DigestMismatch)?;
            return Err(ApiError::DigestMismatch);
        }
        if let Some(multipart) = part.prepare()? {
            let (upload, multipart) = (self.upload.clone(), multipart.to_owned());
            let claiming = together::act(app, &snapshot.tenant, Proof::Later, move |connection| {
                Box::pin(async move { Ok(marks::claim(connection, &upload, &multipart).await?) })
            });
            if !Handle::current().block_on(claiming)? {
                // Another process goes on with the upload, or ended it.
                part.give_up();
                return Err(ApiError::OffsetMismatch(self.upload.received));
            }
        }
        part.finish()?;
        let proof = match self.door {
            // The answer holds the receipt.
            Door::OneShot { .. } => Proof::Now,
            Door::Resumable { .. } => Proof::Later,
        };
        let stored = Handle::current().block_on(record::stored(app, &self.upload, snapshot, Some(&self.who), proof));
        if matches!(stored, Err(ApiError::UploadUnknown)) {
            // Another process ended the upload in the meantime; nothing may lie where no row leads.
            Handle::current().block_on(recover::drop_unknown(app, &snapshot.tenant, &snapshot.id))?;
        }
        stored?;
        app.desk.forget(&self.upload.tenant, &self.upload.id);
        Ok(())
    }

    fn discard(&self, outcome: Outcome) -> Result<(), ApiError> {
        Handle::current().block_on(discard(&self.app, &self.upload, Actor::Token(&self.who), Act::Store, outcome))
    }
}

/// The first bytes of a file, until they have been looked at.
enum Head {
    Coming(Vec<u8>),
    Good,
}

impl Head {
    fn of(part: &Growing, received: u64) -> Result<Self, ApiError> {
        match usize::try_from(received) {
            Ok(received) if received < Header::NAMED => Ok(Self::Coming(part.beginning(received)?)),
            _ => Ok(Self::Good),
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        if let Self::Coming(head) = self {
            let missing = Header::NAMED.saturating_sub(head.len());
            head.extend_from_slice(&bytes[..missing.min(bytes.len())]);
        }
    }
}

/// The digest as the database remembers it.
fn revive(state: &[u8]) -> Option<Sha256> {
    Sha256::deserialize(state.try_into().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_goes_on_from_what_the_database_remembers() {
        let mut hash = Sha256::new();
        hash.update([7; 1001]);
        let mut again = revive(&hash.serialize()).unwrap();
        hash.update(b"and more");
        again.update(b"and more");
        assert_eq!(hash.finalize(), again.finalize());
        assert!(revive(b"too short").is_none());
    }
}
