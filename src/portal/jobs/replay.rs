//! Brings a database that was put back from a backup up to the tombstones: what was deleted since is deleted once more.

use std::collections::BTreeMap;

use crate::ids::{FileId, TenantId};
use crate::portal::app::App;
use crate::portal::audit::{Act, Actor, On, Outcome, record};
use crate::portal::error::ApiError;
use crate::portal::store::{backups, snapshots};
use crate::portal::tombstones::Tombstone;
use crate::track::Phase;

/// How many lines are compared with the database together.
const BATCH: usize = 500;

/// Begins the deletion of everything that the tombstones tell of and the database still has, and returns how much that was.
/// A receipt that was given before is kept for the end of that deletion.
pub(crate) async fn run(app: &App) -> Result<u64, ApiError> {
    let mut begun = 0;
    let mut batch = Vec::with_capacity(BATCH);
    for stone in app.tombstones.read()? {
        batch.push(stone?);
        if batch.len() == BATCH {
            begun += compare(app, &std::mem::take(&mut batch)).await?;
        }
    }
    Ok(begun + compare(app, &batch).await?)
}

async fn compare(app: &App, stones: &[Tombstone]) -> Result<u64, ApiError> {
    let mut of_tenant: BTreeMap<&TenantId, BTreeMap<FileId, &Tombstone>> = BTreeMap::new();
    for stone in stones {
        let of_snapshot = of_tenant.entry(&stone.tenant).or_default();
        // The line with the receipt says all that the one before it said.
        if stone.receipt.is_some() || !of_snapshot.contains_key(&stone.snapshot) {
            of_snapshot.insert(stone.snapshot, stone);
        }
    }
    let mut begun = 0;
    for (tenant, stones) in of_tenant {
        let ids: Vec<FileId> = stones.keys().copied().collect();
        let there = backups::not_deleted(&mut *app.store.read(tenant).await?, tenant, &ids).await?;
        for id in there {
            if let Some(stone) = stones.get(&id) {
                begun += u64::from(catch_up(app, stone).await?);
            }
        }
    }
    Ok(begun)
}

/// Begins one deletion once more; false when it has begun already.
async fn catch_up(app: &App, stone: &Tombstone) -> Result<bool, ApiError> {
    let (tenant, id, now) = (&stone.tenant, &stone.snapshot, app.clock.now());
    let mut transaction = app.store.begin(tenant).await?;
    let found = snapshots::find(&mut transaction, tenant, id).await?;
    let begun = match found.map(|snapshot| snapshot.phase) {
        Some(Phase::Stored) => snapshots::begin_deletion(&mut transaction, tenant, id, stone.reason).await?,
        Some(Phase::Uploading) => snapshots::remove_unfinished(&mut transaction, tenant, id).await?,
        Some(Phase::Deleted) | None => return Ok(false),
        Some(_) => false,
    };
    if let Some(kept) = &stone.receipt {
        backups::keep_receipt(&mut transaction, tenant, id, (&kept.id, &kept.note)).await?;
    }
    if begun {
        let act = (Act::BeginDeletion, On::Snapshot(id), Outcome::Repeated);
        record(&mut transaction, tenant, now, Actor::Worker, act, None).await?;
    }
    transaction.commit().await?;
    Ok(begun)
}
