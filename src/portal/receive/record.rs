//! How an upload ends: stored, with its deadline and receipt, or gone.

use std::sync::Arc;

use crate::portal::app::{App, random_id};
use crate::portal::audit::{Act, Actor, On, Outcome, record, record_signed};
use crate::portal::deadlines;
use crate::portal::error::ApiError;
use crate::portal::receive::TOO_LONG;
use crate::portal::store::snapshots::Snapshot;
use crate::portal::store::uploads::Upload;
use crate::portal::store::{receipts, shares, snapshots, tickets, uploads};
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
    let mut transaction = app.store.begin().await?;
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
    shares::destroy(&mut *app.store.shares().await?, &tenant, &id).await?;
    tokio::task::spawn_blocking(move || blobs.remove(&tenant, &id)).await.map_err(ApiError::fault)??;
    let mut transaction = app.store.begin().await?;
    snapshots::remove_unfinished(&mut transaction, &upload.tenant, &upload.snapshot).await?;
    transaction.commit().await?;
    app.desk.forget(&upload.tenant, &upload.id);
    Ok(())
}

/// Records a snapshot as stored: length and digest, state, deadline, audit row and upload receipt in one transaction.
/// A token that is good for so many bytes is looked at again: by the one-shot door the length is known only now.
pub(super) async fn stored(app: &App, upload: &Upload, snapshot: &Snapshot, actor: Actor<'_>) -> Result<(), ApiError> {
    let now = app.clock.now();
    let (tenant, id) = (&snapshot.tenant, &snapshot.id);
    let mut transaction = app.store.begin().await?;
    if uploads::find(&mut transaction, tenant, &upload.id).await?.is_none() {
        return Err(ApiError::UploadUnknown);
    }
    snapshots::set_content(&mut transaction, snapshot).await?;
    if let Actor::Token(principal) = actor
        && let Some(most) = principal.max_bytes
        && snapshots::bytes_of_token(&mut transaction, tenant, &principal.token).await? > most
    {
        return Err(TOO_LONG);
    }
    if !snapshots::set_stored(&mut transaction, tenant, id, now).await? {
        return Err(ApiError::UploadUnknown);
    }
    let (closed_at, term) = deadlines::count_snapshot(app, &mut transaction, tenant, id).await?;
    tickets::touch(&mut transaction, tenant, &snapshot.ticket, now).await?;
    let policy = app.policy(&mut transaction, tenant).await?;
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
    };
    let note = sign(&receipt, &app.key).map_err(ApiError::fault)?;
    let what = (Act::Store, On::Snapshot(id), Outcome::Done);
    let number = record_signed(&mut transaction, tenant, now, actor, what, &note).await?;
    receipts::add(&mut transaction, tenant, id, Kind::Upload, &receipt.id, (&note, number)).await?;
    transaction.commit().await?;
    app.metrics.stored(snapshot.size);
    Ok(())
}
