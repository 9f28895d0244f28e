//! Small files that come whole with their first request: written and synchronised first, then announced and stored in one act.
//!
//! It is a shorter way to where the long way leads. Whatever is out of the ordinary goes the long way and is answered there: a
//! file that is known already, bytes that are not the announced ones, a file that is not a sealed one.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use sha2::{Digest as _, Sha256};

use super::body::{TOO_LONG, next};
use super::record::confirm;
use crate::ids::{FileId, TicketId};
use crate::portal::app::App;
use crate::portal::audit::{Act, Actor, On, Outcome, record};
use crate::portal::auth::Principal;
use crate::portal::deadlines;
use crate::portal::error::ApiError;
use crate::portal::store::shares::ShareRow;
use crate::portal::store::snapshots::Snapshot;
use crate::portal::store::uploads::Upload;
use crate::portal::store::{Connection, shares, snapshots, tickets, uploads};
use crate::portal::together::{self, Proof};
use crate::track::Phase;

/// The longest file that is small, in bytes. So much of a body may wait in memory.
const LONGEST: u64 = 64 << 10;

/// A small file, all of it.
#[derive(Clone)]
pub(crate) struct Small {
    pub(crate) ticket: TicketId,
    pub(crate) id: FileId,
    pub(crate) bytes: Bytes,
    pub(crate) sha256: [u8; 32],
    /// The portal's part of its key, if it has one.
    pub(crate) share: Option<Arc<ShareRow>>,
    /// By the resumable door: what the upload can be asked for by afterwards.
    pub(crate) upload: Option<Upload>,
}

/// Whether a body of this length is read whole before anything is announced.
pub(crate) fn is_small(app: &App, length: Option<u64>) -> bool {
    app.blobs.takes_small() && length.is_some_and(|length| length <= LONGEST)
}

/// Reads all of a body that is small, and counts its digest.
pub(crate) async fn collect(mut body: Body) -> Result<(Bytes, [u8; 32]), ApiError> {
    let mut bytes = Vec::new();
    while let Some(more) = next(&mut body).await? {
        bytes.extend_from_slice(&more);
        if bytes.len() as u64 > LONGEST {
            return Err(TOO_LONG);
        }
    }
    let sha256 = Sha256::digest(&bytes).into();
    Ok((bytes.into(), sha256))
}

impl Small {
    /// Stores the file; `None`, and nothing was done, when it is known already. What was begun is brought to its end also when
    /// nobody waits for it any more.
    pub(crate) async fn store(self, app: &Arc<App>, who: &Principal) -> Result<Option<Snapshot>, ApiError> {
        let (owner, who) = (app.clone(), who.clone());
        app.writers.spawn(async move { self.take(&owner, who).await }).await.map_err(ApiError::fault)?
    }

    async fn take(self, app: &Arc<App>, who: Principal) -> Result<Option<Snapshot>, ApiError> {
        let (tenant, id, length) = (who.tenant.clone(), self.id, self.bytes.len() as u64);
        if length > app.max_snapshot_bytes {
            return Err(TOO_LONG);
        }
        let _claim = app.claims.claim(&tenant, &id).await;
        let mut connection = app.store.read(&tenant).await?;
        if snapshots::find(&mut connection, &tenant, &id).await?.is_some() {
            return Ok(None);
        }
        let awaited = snapshots::bytes_awaited(&mut connection, Some(&tenant)).await?;
        drop(connection);
        if !app.blobs.has_room_for(awaited.saturating_add(length))? {
            return Err(ApiError::NoRoom);
        }
        let (blobs, owner, bytes) = (app.blobs.clone(), tenant.clone(), self.bytes.clone());
        tokio::task::spawn_blocking(move || blobs.put(&owner, &id, &bytes)).await.map_err(ApiError::fault)??;
        let recorded = self.announce_and_store(app, who).await;
        let is_known = match &recorded {
            Ok(_) => true,
            // The answer may have been lost, and not the act. A transaction waits for the end of the one before; when it cannot be
            // asked either, the next start looks.
            Err(_) => snapshots::find(&mut *app.store.begin(&tenant).await?, &tenant, &id).await?.is_some(),
        };
        if !is_known {
            shares::destroy(&mut *app.store.shares(&tenant).await?, &tenant, &id).await?;
        }
        let blobs = app.blobs.clone();
        let clear = move || if is_known { blobs.settle(&tenant, &id) } else { blobs.withdraw(&tenant, &id) };
        if let Err(fault) = tokio::task::spawn_blocking(clear).await.map_err(ApiError::fault)? {
            // The file stands, or does not; a name of it that is left is cleared at the next start.
            tracing::warn!(%fault, "what is left of a small file's arrival could not be removed");
        }
        let snapshot = recorded?;
        app.metrics.stored(snapshot.size);
        Ok(Some(snapshot))
    }

    /// Records everything there is to say of the file, in one act.
    async fn announce_and_store(&self, app: &Arc<App>, who: Principal) -> Result<Snapshot, ApiError> {
        if let Some(share) = &self.share {
            shares::put(&mut *app.store.shares(&who.tenant).await?, &who.tenant, &self.id, share).await?;
        }
        let (small, owner) = (self.clone(), app.clone());
        // By the one-shot door the answer holds the receipt.
        let proof = if self.upload.is_none() { Proof::Now } else { Proof::Later };
        let tenant = who.tenant.clone();
        together::act(app, &tenant, proof, move |connection| {
            Box::pin(async move { small.recorded(&owner, connection, &who).await })
        })
        .await
    }

    async fn recorded(self, app: &App, connection: &mut Connection, who: &Principal) -> Result<Snapshot, ApiError> {
        let (tenant, id, now) = (&who.tenant, &self.id, app.clock.now());
        let ticket = tickets::find(connection, tenant, &self.ticket).await?.ok_or(ApiError::TicketUnknown)?;
        if ticket.closed_at.is_some() {
            return Err(ApiError::TicketClosed);
        }
        let length = self.bytes.len() as u64;
        let mut snapshot = Snapshot::announced(tenant, *id, &self.ticket, length, hex::encode(self.sha256));
        snapshot.share = self.share.as_ref().map(|share| share.id);
        (snapshot.phase, snapshot.uploaded_at) = (Phase::Stored, Some(now));
        let policy = app.policy(connection, tenant).await?;
        let term = deadlines::of_new(now, &policy);
        snapshots::add_stored(connection, &snapshot, (&who.token, now), &term).await?;
        if let Some(most) = who.max_bytes
            && snapshots::bytes_of_token(connection, tenant, &who.token).await? > most
        {
            return Err(TOO_LONG);
        }
        if let Some(upload) = &self.upload {
            uploads::add(connection, upload).await?;
        }
        let act = (Act::Announce, On::Snapshot(id), Outcome::Done);
        record(connection, tenant, now, Actor::Token(who), act, None).await?;
        confirm(app, connection, (&snapshot, now), (None, &term), &policy, Actor::Token(who)).await?;
        snapshot.due_at = Some(term.due_at);
        snapshot.keeping.readable_until = Some(term.readable_until);
        Ok(snapshot)
    }
}
