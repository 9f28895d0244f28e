//! The deletion of what is due, step by step: share destroyed, bytes gone, verified absent, row scrubbed, deleted.
//!
//! The share goes first, so that access ends even when the disk does not answer. Each step is idempotent and recorded when it
//! is done; after a crash the work goes on from the last record. A step that fails is tried again, later each time.
//!
//! Before the first step a tombstone is durable, so that no backup brings back what is deleted from here on. The bytes go from
//! the backups in the same step as from the portal.

use std::collections::HashSet;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::ids::{FileId, TenantId, TicketId};
use crate::portal::app::{App, random_id};
use crate::portal::audit::{Act, Actor, On, Outcome, record, record_signed};
use crate::portal::error::ApiError;
use crate::portal::store::snapshots::Snapshot;
use crate::portal::store::{
    Connection, backups, grants, questions, readings, receipts, shares, snapshots, subject_requests,
};
use crate::portal::tombstones::{Kept, Tombstone};
use crate::portal::{backup, reading};
use crate::track::Phase;
use crate::track::receipt::{DeletionReason, Kind, Receipt, StepDone, sign};

use super::clock::{self, Trusted};
use super::{Swept, hide};

/// How many snapshots go through a step together.
const BATCH: i64 = 500;

/// From how many failed attempts on the log says so loudly, and the portal calls itself degraded.
pub(crate) const ALARM: u32 = 5;

/// The longest wait between two attempts in seconds.
const LONGEST_WAIT: i64 = 3600;

/// The phases in which deletion stands, in order.
const PHASES: [Phase; 5] =
    [Phase::Due, Phase::ShareDestroyed, Phase::BytesGone, Phase::VerifiedAbsent, Phase::RowScrubbed];

/// Deletes everything that is due.
pub(crate) async fn run(app: &Arc<App>, all: bool) -> Result<Swept, ApiError> {
    loop {
        let mut transaction = app.store.begin_across().await?;
        let begun = match clock::look(app, &mut transaction).await? {
            Some(trusted) => begin_due(&mut transaction, trusted, None).await?,
            None => 0,
        };
        transaction.commit().await?;
        if begun == 0 {
            break;
        }
    }
    let mut swept = Swept::default();
    for phase in PHASES {
        let (moved, failed) = advance(app, phase, all).await?;
        swept.failed += failed;
        if phase == Phase::RowScrubbed {
            swept.deleted += moved;
        }
    }
    Ok(swept)
}

/// Begins the deletion of at most [`BATCH`] stored snapshots whose time has come, of one ticket or of all; returns how many.
pub(crate) async fn begin_due(
    connection: &mut Connection,
    trusted: Trusted,
    of: Option<(&TenantId, &TicketId)>,
) -> Result<usize, ApiError> {
    let now = trusted.now();
    let due = snapshots::due(connection, now, of, BATCH).await?;
    for snapshot in &due {
        let (tenant, id) = (&snapshot.tenant, &snapshot.id);
        let reason = snapshot.reason.unwrap_or(DeletionReason::HardCap);
        snapshots::begin_deletion(connection, tenant, id, reason).await?;
        let act = (Act::BeginDeletion, On::Snapshot(id), Outcome::Done);
        record(connection, tenant, now, Actor::Worker, act, None).await?;
    }
    Ok(due.len())
}

/// Takes every deletion that stands at `phase` one step on; returns how many moved and how many failed. `all` also tries
/// what waits for its next attempt.
pub(crate) async fn advance(app: &Arc<App>, phase: Phase, all: bool) -> Result<(u64, u64), ApiError> {
    let Some(next) = phase.next_of_deletion() else { return Ok((0, 0)) };
    let (mut moved, mut failed) = (0, 0);
    loop {
        // What failed in this sweep is not tried twice in it: the first look takes those that wait, the others do not.
        let until = if all && moved == 0 && failed == 0 { None } else { Some(app.clock.now()) };
        let batch = snapshots::in_phase(&mut *app.store.read_across().await?, phase, until, BATCH).await?;
        if batch.is_empty() {
            return Ok((moved, failed));
        }
        let marked = match next {
            Phase::ShareDestroyed => mark(app, &batch).await,
            _ => Ok(()),
        };
        let mut done = Vec::new();
        for snapshot in batch {
            let worked = match &marked {
                Ok(()) => work(app, &snapshot, next).await,
                Err(fault) => Err(ApiError::fault(fault.clone())),
            };
            match worked {
                Ok(method) => done.push((snapshot, method)),
                Err(fault) => {
                    failed += 1;
                    postpone(app, &snapshot, next, &fault).await?;
                }
            }
        }
        // What was erased must be out of the write-ahead logs before anyone says so.
        let erased = match next {
            Phase::ShareDestroyed | Phase::RowScrubbed => app.store.checkpoint().await.map_err(ApiError::from),
            _ => Ok(()),
        };
        let strict = match (next, &erased) {
            (Phase::ShareDestroyed, Ok(())) => strict_tenants(app, &done).await?,
            _ => HashSet::new(),
        };
        // Where backups may hold nothing, those of shares are made anew without the shares that are gone.
        let renewed = if strict.is_empty() { Ok(()) } else { backup::renew_shares(app).await.map_err(ApiError::fault) };
        let mut receipts = Vec::new();
        for (snapshot, method) in done {
            match if strict.contains(&snapshot.tenant) { &renewed } else { &erased } {
                Ok(()) => {
                    receipts.extend(finish(app, &snapshot, next, method).await?);
                    moved += 1;
                }
                Err(fault) => {
                    failed += 1;
                    postpone(app, &snapshot, next, fault).await?;
                }
            }
        }
        if let Err(fault) = keep(app, receipts).await {
            // The receipts are in the database. Should it be put back from a backup, they are signed anew.
            tracing::error!(fault, "receipts could not be added to the tombstones");
        }
    }
}

/// The tenants among these whose policy promises that backups hold nothing of what is deleted.
async fn strict_tenants(
    app: &App,
    done: &[(Snapshot, (&'static str, &'static str))],
) -> Result<HashSet<TenantId>, ApiError> {
    let mut connection = app.store.read_across().await?;
    let mut strict = HashSet::new();
    for tenant in done.iter().map(|(snapshot, _)| &snapshot.tenant).collect::<HashSet<_>>() {
        if app.policy(&mut connection, tenant).await?.backup_horizon_days == 0 {
            strict.insert(tenant.clone());
        }
    }
    Ok(strict)
}

/// Writes down durably, outside the database, that these deletions have begun.
async fn mark(app: &App, batch: &[Snapshot]) -> Result<(), String> {
    let now = app.clock.now();
    let stone = |snapshot: &Snapshot| Tombstone {
        at: now,
        tenant: snapshot.tenant.clone(),
        snapshot: snapshot.id,
        reason: snapshot.reason.unwrap_or(DeletionReason::HardCap),
        receipt: None,
    };
    keep(app, batch.iter().map(stone).collect()).await
}

async fn keep(app: &App, stones: Vec<Tombstone>) -> Result<(), String> {
    let tombstones = app.tombstones.clone();
    let kept = tokio::task::spawn_blocking(move || tombstones.append(&stones)).await;
    kept.map_err(|fault| fault.to_string())?.map_err(|fault| fault.to_string())
}

/// Does one step and says which store was worked on and how. Nothing is recorded yet.
async fn work(app: &Arc<App>, snapshot: &Snapshot, next: Phase) -> Result<(&'static str, &'static str), ApiError> {
    let (tenant, id) = (&snapshot.tenant, &snapshot.id);
    match next {
        Phase::ShareDestroyed => {
            let mut connection = app.store.shares(tenant).await?;
            shares::destroy(&mut connection, tenant, id).await?;
            if shares::find(&mut connection, tenant, id).await?.is_some() {
                return Err(ApiError::fault("the share is still there"));
            }
            drop(connection);
            let mut transaction = app.store.begin(tenant).await?;
            grants::remove(&mut transaction, tenant, id).await?;
            transaction.commit().await?;
            Ok(("shares", if snapshot.share.is_some() { "erased" } else { "none-held" }))
        }
        Phase::BytesGone => {
            reading::over(app, tenant, id).await?;
            bytes(app, tenant, *id, true).await
        }
        Phase::VerifiedAbsent => bytes(app, tenant, *id, false).await,
        Phase::RowScrubbed => {
            let mut transaction = app.store.begin(tenant).await?;
            snapshots::scrub(&mut transaction, tenant, id).await?;
            subject_requests::scrub(&mut transaction, tenant, id).await?;
            questions::remove(&mut transaction, tenant, id).await?;
            readings::remove(&mut transaction, tenant, id).await?;
            hide::ticket(app, &mut transaction, tenant, &snapshot.ticket).await?;
            transaction.commit().await?;
            Ok(("database", "erased"))
        }
        _ => Ok(("receipts", "signed")),
    }
}

/// Removes the bytes, or looks whether they are gone, here and in the places of backups. A place that cannot be reached is
/// waited for only where the policy promises that backups hold nothing; otherwise the next backup that is made there finds
/// what to remove.
async fn bytes(
    app: &Arc<App>,
    tenant: &TenantId,
    id: FileId,
    removing: bool,
) -> Result<(&'static str, &'static str), ApiError> {
    let mut connection = app.store.read(tenant).await?;
    let places = backup::in_places(&mut connection).await?;
    let strict = app.policy(&mut connection, tenant).await?.backup_horizon_days == 0;
    drop(connection);
    let (blobs, tenant) = (app.blobs.clone(), tenant.clone());
    let worked = tokio::task::spawn_blocking(move || {
        if removing {
            blobs.remove(&tenant, &id)?;
        }
        let mut reached = !places.is_empty();
        for place in &places {
            match backup::remove_from(place, &tenant, &id) {
                Ok(()) => {}
                Err(fault) if strict => return Err(fault),
                Err(fault) => {
                    tracing::warn!(%fault, place = %place.display(), "a place of backups cannot be reached");
                    reached = false;
                }
            }
        }
        Ok((removing || blobs.is_absent(&tenant, &id)?, reached))
    });
    let (absent, reached) = worked.await.map_err(ApiError::fault)??;
    match absent {
        true => Ok((if reached { "blobs+backups" } else { "blobs" }, if removing { "removed" } else { "looked-up" })),
        false => Err(ApiError::fault("the store still has the bytes")),
    }
}

/// Records a step that is done; the last one with its signed receipt, which is returned for the tombstones.
async fn finish(
    app: &App,
    snapshot: &Snapshot,
    next: Phase,
    (store, method): (&str, &str),
) -> Result<Option<Tombstone>, ApiError> {
    let (tenant, id) = (&snapshot.tenant, &snapshot.id);
    let now = app.clock.now();
    let mut transaction = app.store.begin(tenant).await?;
    if !snapshots::advance(&mut transaction, tenant, id, snapshot.phase, next, now).await? {
        return Ok(None);
    }
    let act = match next {
        Phase::ShareDestroyed => Act::DestroyShare,
        Phase::BytesGone => Act::RemoveBytes,
        Phase::VerifiedAbsent => Act::VerifyAbsence,
        Phase::RowScrubbed => Act::ScrubRow,
        _ => Act::Delete,
    };
    let what = (act, On::Snapshot(id), Outcome::Done);
    let mut stone = None;
    if next == Phase::Deleted {
        // What was deleted, and was brought back by a backup, keeps the receipt that was given then.
        let (name, note) = match backups::take_receipt(&mut transaction, tenant, id).await? {
            Some(earlier) => earlier,
            None => {
                let steps = receipts::steps(&mut transaction, tenant, id).await?;
                let receipt = receipt(app, &mut transaction, snapshot, steps, now).await?;
                let note = sign(&receipt, &app.key).map_err(ApiError::fault)?;
                (receipt.id, note)
            }
        };
        let number = record_signed(&mut transaction, tenant, now, Actor::Worker, what, &note).await?;
        receipts::add(&mut transaction, tenant, id, Kind::Deletion, &name, (&note, number)).await?;
        let reason = snapshot.reason.unwrap_or(DeletionReason::HardCap);
        let receipt = Some(Kept { id: name, note });
        stone = Some(Tombstone { at: now, tenant: tenant.clone(), snapshot: *id, reason, receipt });
    } else {
        record(&mut transaction, tenant, now, Actor::Worker, what, None).await?;
        let done = StepDone { step: next, store: store.to_owned(), method: method.to_owned(), verified_at: now };
        receipts::add_step(&mut transaction, tenant, id, &done).await?;
    }
    transaction.commit().await?;
    if next == Phase::Deleted {
        let deadline = snapshot.due_at.unwrap_or(now);
        app.metrics.deleted(now.seconds() - deadline.seconds());
    }
    Ok(stone)
}

async fn receipt(
    app: &App,
    connection: &mut Connection,
    snapshot: &Snapshot,
    steps: Vec<StepDone>,
    now: Timestamp,
) -> Result<Receipt, ApiError> {
    let policy = app.policy(connection, &snapshot.tenant).await?;
    let unknown = || ApiError::fault("a snapshot that is deleted was never stored");
    Ok(Receipt {
        version: 1,
        kind: Kind::Deletion,
        id: random_id(),
        portal: app.key.name().to_owned(),
        ticket: hide::in_receipts(app, connection, &snapshot.tenant, &snapshot.ticket).await?,
        sha256: snapshot.sha256.clone(),
        size: snapshot.size,
        uploaded: snapshot.uploaded_at.ok_or_else(unknown)?,
        closed: snapshot.closed_at,
        due: snapshot.due_at.ok_or_else(unknown)?,
        deleted: Some(now),
        reason: Some(snapshot.reason.ok_or_else(unknown)?),
        steps,
        backup_horizon_days: policy.backup_horizon_days,
        policy_version: policy.version,
        grants: Some(grants::count(connection, &snapshot.tenant, &snapshot.id).await?.1),
    })
}

/// Puts a failed step off: a minute, then twice as long each time, an hour at most.
async fn postpone(app: &App, snapshot: &Snapshot, next: Phase, fault: &ApiError) -> Result<(), ApiError> {
    let wait = 60_i64.saturating_mul(1 << snapshot.attempts.min(10)).min(LONGEST_WAIT);
    let mut transaction = app.store.begin(&snapshot.tenant).await?;
    snapshots::postpone(&mut transaction, snapshot, app.clock.now().plus_seconds(wait)).await?;
    transaction.commit().await?;
    app.metrics.step_failed();
    let cause = std::error::Error::source(fault);
    if snapshot.attempts + 1 >= ALARM {
        tracing::error!(%fault, cause, step = next.word(), attempts = snapshot.attempts + 1, "a deletion does not go on");
    } else {
        tracing::warn!(%fault, cause, step = next.word(), "a step of a deletion failed");
    }
    Ok(())
}

#[cfg(test)]
mod tests;
