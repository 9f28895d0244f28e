//! A reading that goes on: the bytes of a snapshot leave only while it may be read.
//!
//! Who reads slowly, or takes nothing more, does not keep a snapshot beyond its time. While the bytes leave, the snapshot is
//! looked at again every [`LOOK`]: when it may no longer be read, or nothing was taken for too long, the answer breaks off and
//! the file is let go. A row says that somebody reads, and the [deletion](super::jobs::delete) waits for it before it takes the
//! bytes away, whichever process gives them out. The row is good for a few seconds and renewed: a process that died keeps nothing.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use tokio::sync::mpsc::{self, Sender};
use tokio::time::MissedTickBehavior;

use super::app::{App, random_id};
use super::error::ApiError;
use super::store::snapshots::{self, Snapshot};
use super::store::{Connection, readings};
use crate::clock::Timestamp;
use crate::ids::{FileId, TenantId};

/// How often the snapshot is looked at.
const LOOK: Duration = Duration::from_secs(2);
/// How long a row is good for in seconds, and at which looks it is renewed.
const GOOD_FOR: i64 = 15;
const RENEWED_EVERY: u32 = 3;
/// For how many looks nothing may be taken: two minutes.
const STALLED: u32 = 60;
/// How long the deletion waits for readings to end, and how often it asks.
const PATIENCE: Duration = Duration::from_secs(20);
const ASKED_EVERY: Duration = Duration::from_millis(200);

/// A reading that has begun.
pub(crate) struct Reading {
    app: Arc<App>,
    tenant: TenantId,
    snapshot: FileId,
    id: String,
}

impl Reading {
    /// Writes down that the reading begins, in the transaction that records it.
    pub(crate) async fn begin(
        app: &Arc<App>,
        connection: &mut Connection,
        snapshot: &Snapshot,
        now: Timestamp,
    ) -> Result<Self, ApiError> {
        let id = random_id();
        let (tenant, snapshot) = (snapshot.tenant.clone(), snapshot.id);
        readings::begin(connection, (&tenant, &snapshot), &id, now.plus_seconds(GOOD_FOR)).await?;
        Ok(Self { app: app.clone(), tenant, snapshot, id })
    }

    /// Gives the `length` bytes out for as long as the snapshot may be read. What breaks off ends with an error, never like a
    /// whole answer.
    pub(crate) fn give(self, mut bytes: BoxStream<'static, io::Result<Bytes>>, length: u64) -> Body {
        let (sender, receiver) = mpsc::channel(1);
        tokio::spawn(async move {
            self.pass_on(&mut bytes, &sender).await;
            // The file is let go before the row says so.
            drop(bytes);
            if let Err(fault) = self.end().await {
                tracing::warn!(%fault, "a reading is over, and its row could not be removed: it counts a few seconds more");
            }
        });
        Body::from_stream(stream::unfold((receiver, length), |(mut receiver, left)| async move {
            match receiver.recv().await {
                Some(Ok(part)) => {
                    let left = left.saturating_sub(Bytes::len(&part) as u64);
                    Some((Ok(part), (receiver, left)))
                }
                Some(Err(fault)) => Some((Err(fault), (receiver, 0))),
                None if left > 0 => Some((Err(io::ErrorKind::ConnectionAborted.into()), (receiver, 0))),
                None => None,
            }
        }))
    }

    async fn pass_on(&self, bytes: &mut BoxStream<'static, io::Result<Bytes>>, sender: &Sender<io::Result<Bytes>>) {
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut looks, mut idle) = (0_u32, 0_u32);
        loop {
            let part = async {
                let place = sender.reserve().await.ok()?;
                Some((place, bytes.next().await?))
            };
            tokio::select! {
                biased;
                // The first look comes at once: whoever began to delete before the row was there is seen now.
                _ = look.tick() => {
                    looks += 1;
                    idle += 1;
                    let goes_on = idle <= STALLED && self.goes_on(looks % RENEWED_EVERY == 0).await.unwrap_or_else(|fault| {
                        tracing::warn!(%fault, "whether a snapshot may still be read is not known: the reading ends");
                        false
                    });
                    if !goes_on {
                        return;
                    }
                }
                part = part => {
                    let Some((place, part)) = part else { return };
                    place.send(part);
                    idle = 0;
                }
            }
        }
    }

    /// Whether the snapshot may still be read; renews the row.
    async fn goes_on(&self, renewed: bool) -> Result<bool, ApiError> {
        let now = self.app.clock.now();
        if renewed {
            let mut transaction = self.app.store.begin(&self.tenant).await?;
            readings::renew(&mut transaction, &self.tenant, &self.id, now.plus_seconds(GOOD_FOR)).await?;
            transaction.commit().await?;
        }
        let mut connection = self.app.store.read(&self.tenant).await?;
        let found = snapshots::find(&mut connection, &self.tenant, &self.snapshot).await?;
        Ok(found.is_some_and(|snapshot| snapshot.is_readable(now)))
    }

    async fn end(self) -> Result<(), ApiError> {
        let mut transaction = self.app.store.begin(&self.tenant).await?;
        readings::end(&mut transaction, &self.tenant, &self.id).await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// Waits until nobody reads a snapshot whose deletion has begun. Fails when somebody still does.
pub(crate) async fn over(app: &App, tenant: &TenantId, snapshot: &FileId) -> Result<(), ApiError> {
    let begun = tokio::time::Instant::now();
    while readings::any(&mut *app.store.read(tenant).await?, tenant, snapshot, app.clock.now()).await? {
        if begun.elapsed() > PATIENCE {
            return Err(ApiError::fault("somebody still reads it"));
        }
        tokio::time::sleep(ASKED_EVERY).await;
    }
    Ok(())
}
