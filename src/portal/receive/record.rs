//! How an upload ends: stored, with its deadline and receipt, or gone.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::portal::app::{App, random_id};
use crate::portal::audit::{Act, Actor, On, Outcome, record, record_signed};
use crate::portal::auth::Principal;
use crate::portal::deadlines;
use crate::portal::error::ApiError;
use crate::portal::receive::TOO_LONG;
use crate::portal::store::snapshots::Snapshot;
use crate::portal::store::uploads::Upload;
use crate::portal::store::{Connection, receipts, shares, snapshots, tickets, uploads};
use crate::portal::together::{self, Proof};
use crate::track::RetentionPolicy;
use crate::track::deadline::Term;
use crate::track::receipt::{Kind, Receipt, sign};

/// Ends an unfinished upload for good. From here on it is not there for anyone; bytes, share and rows go now, and if the store
/// does not answer, with a later sweep. The audit log says how it ended.
pub(crate) async fn discard(
    app: &Arc<App>,
    upload: &Upload,
    actor: Actor<'_>,
    act: Act,
    outcome: Outcome,
) -> Result<(), ApiError> {
    let mut transaction = app.store.begin(&upload.tenant).await?;
    if !uploads::begin_end(&mut transaction, upload).await? {
        return Ok(());
    }
    let (now, what) = (app.clock.now(), (act, On::Snapshot(&upload.snapshot), outcome));
    record(&mut transaction, &upload.tenant, now, actor, what, None).await?;
    transaction.commit().await?;
    if let Err(fault) = end(app, upload).await {
        let cause = std::error::Error::source(&fault);
        tracing::warn!(%fault, cause, "an ended upload is not gone yet");
    }
    Ok(())
}

/// Removes what is left of an upload whose end has begun, its rows last: until then nobody can announce the file anew.
pub(crate) async fn end(app: &Arc<App>, upload: &Upload) -> Result<(), ApiError> {
    let (blobs, tenant, id) = (app.blobs.clone(), upload.tenant.clone(), upload.snapshot);
    shares::destroy(&mut *app.store.shares(&tenant).await?, &tenant, &id).await?;
    tokio::task::spawn_blocking(move || blobs.remove(&tenant, &id)).await.map_err(ApiError::fault)??;
    let mut transaction = app.store.begin(&upload.tenant).await?;
    snapshots::remove_unfinished(&mut transaction, &upload.tenant, &upload.snapshot).await?;
    transaction.commit().await?;
    app.desk.forget(&upload.tenant, &upload.id);
    Ok(())
}

/// Records a snapshot as stored: length and digest, state, deadline, audit row and upload receipt in one transaction.
/// A token that is good for so many bytes is looked at again: by the one-shot door the length is known only now. Without a
/// principal it is the portal itself that found the file whole.
pub(super) async fn stored(
    app: &Arc<App>,
    upload: &Upload,
    snapshot: &Snapshot,
    who: Option<&Principal>,
    proof: Proof,
) -> Result<(), ApiError> {
    let size = snapshot.size;
    let (owner, upload, snapshot, who) = (app.clone(), upload.clone(), snapshot.clone(), who.cloned());
    let tenant = snapshot.tenant.clone();
    together::act(app, &tenant, proof, move |connection| {
        Box::pin(async move {
            let (tenant, id, now) = (&snapshot.tenant, &snapshot.id, owner.clock.now());
            if uploads::find(connection, tenant, &upload.id).await?.is_none() {
                return Err(ApiError::UploadUnknown);
            }
            snapshots::set_content(connection, &snapshot).await?;
            if let Some(Principal { max_bytes: Some(most), token, .. }) = &who
                && snapshots::bytes_of_token(connection, tenant, token).await? > *most
            {
                return Err(TOO_LONG);
            }
            if !snapshots::set_stored(connection, tenant, id, now).await? {
                return Err(ApiError::UploadUnknown);
            }
            let (closed_at, term) = deadlines::count_snapshot(&owner, connection, tenant, id).await?;
            let policy = owner.policy(connection, tenant).await?;
            let actor = who.as_ref().map_or(Actor::Worker, Actor::Token);
            confirm(&owner, connection, (&snapshot, now), (closed_at, &term), &policy, actor).await
        })
    })
    .await?;
    app.metrics.stored(size);
    Ok(())
}

/// Confirms a snapshot that is recorded as stored: the ticket's clock, the audit row, the signed receipt.
pub(super) async fn confirm(
    app: &App,
    connection: &mut Connection,
    (snapshot, now): (&Snapshot, Timestamp),
    (closed_at, term): (Option<Timestamp>, &Term),
    policy: &RetentionPolicy,
    actor: Actor<'_>,
) -> Result<(), ApiError> {
    let (tenant, id) = (&snapshot.tenant, &snapshot.id);
    tickets::touch(connection, tenant, &snapshot.ticket, now).await?;
    let receipt = Receipt {
        version: 1,
        kind: Kind::Upload,
        id: random_id(),
        portal: app.key.name().to_owned(),
        ticket: app.key.hide_ticket(tenant, &snapshot.ticket),
        sha256: snapshot.sha256.clone(),
        size: snapshot.size,
        uploaded: now,
        closed: closed_at,
        due: term.due_at,
        deleted: None,
        reason: None,
        steps: Vec::new(),
        backup_horizon_days: policy.backup_horizon_days,
        policy_version: policy.version,
        grants: None,
    };
    let note = sign(&receipt, &app.key).map_err(ApiError::fault)?;
    let what = (Act::Store, On::Snapshot(id), Outcome::Done);
    let number = record_signed(connection, tenant, now, actor, what, &note).await?;
    receipts::add(connection, tenant, id, Kind::Upload, &receipt.id, (&note, number)).await?;
    Ok(())
}
