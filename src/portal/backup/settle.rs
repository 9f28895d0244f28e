//! What is done with a database that was put back, before anybody is let in: whatever was deleted since is deleted again, and
//! whatever might have been withdrawn since is withdrawn.

use std::collections::HashSet;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::TryStreamExt as _;
use sha2::{Digest as _, Sha256};

use super::error::BackupError;
use super::restore::Restored;
use crate::ids::FileId;
use crate::portal::app::App;
use crate::portal::audit::{Act, Actor, On, Outcome, record};
use crate::portal::error::{ApiError, PortalError};
use crate::portal::jobs::{delete, replay};
use crate::portal::store::{audit, backups as rows, grants, shares, snapshots, tenants, tokens};
use crate::portal::tombstones::{self, Tombstones};
use crate::track::Phase;

/// How many rows are read together.
const PAGE: i64 = 500;

/// A portal whose database, and files if they lay in its directory, were put back by other tools.
#[derive(Clone, Debug)]
pub struct PutBack {
    /// Where the tombstones of the time after the backup are: the data directories of the former portal's processes, or copies.
    pub tombstones: Vec<PathBuf>,
    /// Goes on with those that lie in the portal's own directory alone.
    pub tombstones_lost: bool,
    /// Reads every sealed file back.
    pub verify: bool,
}

/// Makes a portal fit to be served whose database was put back. May be done twice without harm.
pub(crate) async fn settle(app: &Arc<App>, order: &PutBack) -> Result<Restored, PortalError> {
    let lock = app.data.join("lock");
    let lock = File::options().write(true).create(true).truncate(false).open(lock).map_err(PortalError::Data)?;
    lock.try_lock().map_err(|_| PortalError::Locked)?;
    // Waits for a sweep of another process, and for the server to see that one has ended.
    let _alone = app.store.alone(true).await?;
    let taken_at = audit::newest(&mut *app.store.read_across().await?).await?.unwrap_or_else(|| app.clock.now());
    if taken_at.plus_days(tombstones::KEPT_DAYS) < app.clock.now() {
        return Err(BackupError::TooOld(taken_at).into());
    }
    if order.tombstones.is_empty() && !order.tombstones_lost {
        return Err(BackupError::TombstonesNeeded.into());
    }
    let mut others = Vec::new();
    for named in &order.tombstones {
        others.push(Tombstones::within(named).ok_or_else(|| BackupError::NoTombstones(named.clone()))?);
    }
    inspect(app).await?;
    app.tombstones.merge(&others).map_err(PortalError::Data)?;
    let mut restored = Restored {
        taken_at,
        snapshots: 0,
        bytes: 0,
        missing: Vec::new(),
        deleted_again: 0,
        unfinished_deletions: 0,
        without_share: 0,
        ended_uploads: 0,
        revoked_tokens: revoke_tokens(app).await?,
    };
    let fault = |fault: ApiError| PortalError::Database(Box::new(fault));
    replay::run(app).await.map_err(fault)?;
    let swept = delete::run(app, true).await.map_err(fault)?;
    (restored.deleted_again, restored.unfinished_deletions) = (swept.deleted, swept.failed);
    look_for_files(app, &mut restored).await?;
    restored.without_share = settle_shares(app).await?;
    close(app, &restored, order.verify).await?;
    Ok(restored)
}

/// Looks whether each stored snapshot's sealed file lies where it belongs.
async fn look_for_files(app: &Arc<App>, restored: &mut Restored) -> Result<(), PortalError> {
    let mut after = 0;
    loop {
        let page = rows::stored(&mut *app.store.read_across().await?, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.number;
        let blobs = app.blobs.clone();
        let looked = tokio::task::spawn_blocking(move || {
            let mut found = Vec::new();
            for file in page {
                let whole = blobs.whole(&file.tenant, &file.id)? == Some(file.size);
                found.push((file, whole));
            }
            Ok(found)
        });
        let found = looked.await.map_err(|fault| PortalError::Data(std::io::Error::other(fault)))?;
        for (file, whole) in found.map_err(PortalError::Data)? {
            if whole {
                restored.snapshots += 1;
                restored.bytes += file.size;
            } else {
                restored.missing.push(file.id);
            }
        }
    }
}

/// Tells every tenant's log of the restore, makes sure that what was erased is gone, and verifies it if that is wanted.
pub(super) async fn close(app: &Arc<App>, restored: &Restored, and_verify: bool) -> Result<(), PortalError> {
    let now = app.clock.now();
    let mut transaction = app.store.begin_across().await?;
    for tenant in tenants::all(&mut transaction).await? {
        let outcome = if restored.missing.is_empty() { Outcome::Done } else { Outcome::Incomplete };
        let act = (Act::Restore, On::Tenant(tenant.as_str()), outcome);
        record(&mut transaction, &tenant, now, Actor::Operator, act, None).await?;
    }
    transaction.commit().await?;
    app.store.checkpoint().await?;
    if and_verify { verify(app, &restored.missing).await } else { Ok(()) }
}

/// Fails when the database does not hold together.
pub(super) async fn inspect(app: &App) -> Result<(), PortalError> {
    match app.store.inspect().await? {
        None => Ok(()),
        Some(fault) => Err(BackupError::Inconsistent(fault).into()),
    }
}

/// Refuses every token, session, invitation and grant from now on.
pub(super) async fn revoke_tokens(app: &App) -> Result<u64, PortalError> {
    let (now, mut revoked) = (app.clock.now(), 0);
    let mut transaction = app.store.begin_across().await?;
    rows::shut_out(&mut transaction).await?;
    grants::revoke_all(&mut transaction, None, now).await?;
    for token in tokens::all(&mut transaction).await? {
        if tokens::revoke(&mut transaction, &token.tenant, &token.id, now).await? {
            let act = (Act::RevokeToken, On::Token(&token.id), Outcome::Done);
            record(&mut transaction, &token.tenant, now, Actor::Operator, act, None).await?;
            revoked += 1;
        }
    }
    transaction.commit().await?;
    Ok(revoked)
}

/// Destroys the shares of what is not stored, and counts what is stored and has lost its share.
pub(super) async fn settle_shares(app: &App) -> Result<u64, PortalError> {
    let mut held = HashSet::new();
    for (tenant, id) in shares::holders(&mut *app.store.shares_across().await?).await? {
        let known = snapshots::find(&mut *app.store.read_across().await?, &tenant, &id).await?;
        if known.is_some_and(|snapshot| snapshot.phase == Phase::Stored) {
            held.insert((tenant, id));
        } else {
            shares::destroy(&mut *app.store.shares_across().await?, &tenant, &id).await?;
        }
    }
    let (mut without, mut after) = (0, 0);
    loop {
        let page = rows::stored(&mut *app.store.read_across().await?, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(without) };
        after = last.number;
        without +=
            page.iter().filter(|file| file.has_share && !held.contains(&(file.tenant.clone(), file.id))).count() as u64;
    }
}

/// Reads every sealed file back, and looks that nothing of what was deleted is there.
async fn verify(app: &Arc<App>, missing: &[FileId]) -> Result<(), PortalError> {
    let damaged = |what: String| PortalError::from(BackupError::Inconsistent(what));
    let (mut after, missing) = (0, missing.iter().collect::<HashSet<_>>());
    loop {
        let page = rows::stored(&mut *app.store.read_across().await?, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.number;
        for file in page.iter().filter(|file| !missing.contains(&file.id)) {
            let mut bytes = app.blobs.read(&file.tenant, &file.id, 0, file.size).await.map_err(PortalError::Data)?;
            let mut hash = Sha256::new();
            while let Some(some) = bytes.try_next().await.map_err(PortalError::Data)? {
                hash.update(&some);
            }
            if hex::encode(hash.finalize()) != file.sha256 {
                return Err(damaged(format!("the sealed file of {} has other bytes", file.id)));
            }
        }
    }
    let (blobs, stones) = (app.blobs.clone(), app.tombstones.clone());
    let looked = tokio::task::spawn_blocking(move || {
        let mut asked = HashSet::new();
        for stone in stones.read()? {
            let stone = stone?;
            if asked.insert((stone.tenant.clone(), stone.snapshot))
                && !blobs.is_absent(&stone.tenant, &stone.snapshot)?
            {
                return Ok(Some(stone.snapshot));
            }
        }
        Ok(None)
    });
    let there = looked.await.map_err(|fault| PortalError::Data(std::io::Error::other(fault)))?;
    if let Some(id) = there.map_err(PortalError::Data)? {
        return Err(damaged(format!("{id} was deleted and its sealed file is there")));
    }
    inspect(app).await
}
