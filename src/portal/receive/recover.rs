//! What the last run left, or another process.

use std::sync::Arc;

use futures_util::TryStreamExt as _;
use sha2::{Digest as _, Sha256};

use super::record;
use crate::ids::{FileId, TenantId};
use crate::portal::app::App;
use crate::portal::audit::{Act, Actor, Outcome};
use crate::portal::blobs::{Mark, Name};
use crate::portal::error::ApiError;
use crate::portal::store::snapshots::Snapshot;
use crate::portal::store::uploads::Upload;
use crate::portal::store::{shares, snapshots, uploads};
use crate::portal::together::Proof;
use crate::track::Phase;

/// Finishes at the start what the last run left: removes small files that were never recorded, cuts parts to what was
/// acknowledged, records what had become whole, ends what came by the one-shot door and broke off, forgets shares whose
/// announcement came to nothing. What other processes may be at work on is left to them.
pub(crate) async fn recover(app: &Arc<App>) -> Result<(), ApiError> {
    for (tenant, id) in app.blobs.arrived()? {
        let known = snapshots::find(&mut *app.store.read(&tenant).await?, &tenant, &id).await?;
        if known.is_some_and(|snapshot| snapshot.phase == Phase::Stored) {
            app.blobs.settle(&tenant, &id)?;
        } else {
            app.blobs.withdraw(&tenant, &id)?;
        }
    }
    let unfinished = uploads::unfinished(&mut *app.store.read_across().await?).await?;
    for upload in unfinished {
        let Some(snapshot) =
            snapshots::find(&mut *app.store.read(&upload.tenant).await?, &upload.tenant, &upload.snapshot).await?
        else {
            continue;
        };
        if let Err(fault) = look_at(app, &upload, &snapshot).await {
            tracing::error!(%fault, "an unfinished upload cannot go on");
        }
    }
    if app.blobs.is_shared() {
        return Ok(());
    }
    let holders = shares::holders(&mut *app.store.shares_across().await?).await?;
    for (tenant, id) in holders {
        let known = snapshots::find(&mut *app.store.read(&tenant).await?, &tenant, &id).await?;
        if known.is_none_or(|snapshot| snapshot.phase == Phase::Deleted) {
            shares::destroy(&mut *app.store.shares(&tenant).await?, &tenant, &id).await?;
        }
    }
    Ok(())
}

async fn look_at(app: &Arc<App>, upload: &Upload, snapshot: &Snapshot) -> Result<(), ApiError> {
    if snapshot.is_one_shot() {
        if app.blobs.is_shared() {
            return Ok(());
        }
        return record::discard(app, upload, Actor::Worker, Act::Store, Outcome::Broken).await;
    }
    let (blobs, snapshot_of, received) = (app.blobs.clone(), snapshot.clone(), upload.received);
    let whole = tokio::task::spawn_blocking(move || {
        let (tenant, id) = (&snapshot_of.tenant, &snapshot_of.id);
        let whole = blobs.whole(tenant, id)?;
        if whole.is_none() && !blobs.is_shared() && (received > 0 || !blobs.is_absent(tenant, id)?) {
            // Cut to what was acknowledged; an error when that is not all there.
            blobs.go_on(Name { tenant, id, longest: snapshot_of.size }, Mark { received, ..Mark::default() })?;
        }
        Ok::<_, std::io::Error>(whole)
    });
    match whole.await.map_err(ApiError::fault)?? {
        Some(_) => adopt(app, upload, snapshot).await,
        None => Ok(()),
    }
}

/// Records a file that became whole and was not recorded as such, after reading all of it again; one that is not what was
/// announced goes.
pub(super) async fn adopt(app: &Arc<App>, upload: &Upload, snapshot: &Snapshot) -> Result<(), ApiError> {
    let mut bytes = app.blobs.read(&snapshot.tenant, &snapshot.id, 0, snapshot.size).await?;
    let (mut hash, mut length) = (Sha256::new(), 0);
    while let Some(some) = bytes.try_next().await? {
        hash.update(&some);
        length += some.len() as u64;
    }
    if length == snapshot.size && hex::encode(hash.finalize()) == snapshot.sha256 {
        record::stored(app, upload, snapshot, None, Proof::Later).await
    } else {
        record::discard(app, upload, Actor::Worker, Act::Store, Outcome::DigestMismatch).await
    }
}

/// Removes a file that no row leads to. The transaction holds back, in every process, whoever would announce it just now.
pub(super) async fn drop_unknown(app: &Arc<App>, tenant: &TenantId, id: &FileId) -> Result<(), ApiError> {
    let mut transaction = app.store.begin(tenant).await?;
    if snapshots::find(&mut transaction, tenant, id).await?.is_some() {
        return Ok(());
    }
    let (blobs, tenant, id) = (app.blobs.clone(), tenant.clone(), *id);
    tokio::task::spawn_blocking(move || blobs.remove(&tenant, &id)).await.map_err(ApiError::fault)??;
    Ok(())
}
