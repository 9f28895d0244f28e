//! Putting a backup back. What was deleted since it was made is deleted again before the directory gets its name.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::SHARES_DAYS;
use super::error::BackupError;
use super::files::{copy, sync_tree};
use super::make::{DATABASE, SHARES};
use super::manifest::{Kind, Manifest};
use super::place::backups;
use super::pool;
use super::settle::{close, inspect, revoke_tokens, settle_shares};
use crate::clock::{Clock, Timestamp};
use crate::ids::FileId;
use crate::portal::app::{App, KEY_FILE};
use crate::portal::audit::{Act, Actor, On, Outcome, record};
use crate::portal::blobs::{make_directory, sync_directory};
use crate::portal::config::Config;
use crate::portal::error::PortalError;
use crate::portal::jobs::{delete, replay};
use crate::portal::store::{backups as rows, snapshots, uploads};
use crate::portal::tombstones::{self, Tombstones};
use crate::track::PortalKey;

/// How many rows are read together.
const PAGE: i64 = 500;

/// What to put back, and what is known of the time since.
#[derive(Clone, Debug)]
pub struct RestoreOrder {
    /// The backup, a directory called `portal-…` in a place of backups.
    pub from: PathBuf,
    /// The data directory to make.
    pub data: PathBuf,
    /// The backup of the shares and the key, a directory called `shares-…`.
    pub shares: Option<PathBuf>,
    /// Goes on without shares: what has a share can never be opened again, and a new key signs receipts.
    pub without_shares: bool,
    /// Where the tombstones of the time after the backup are: the former data directory, a newer backup, or a copy.
    pub tombstones: Vec<PathBuf>,
    /// Goes on with the tombstones of the backups beside this one: those that were written after the newest of them are lost.
    pub tombstones_lost: bool,
    /// Reads everything back before the directory gets its name.
    pub verify: bool,
}

/// What was put back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The instant to which the portal has gone back.
    pub taken_at: Timestamp,
    /// The snapshots that are there with their bytes, and their length.
    pub snapshots: u64,
    /// See [`snapshots`](Self::snapshots).
    pub bytes: u64,
    /// Snapshots whose bytes the place of backups does not have, or not undamaged.
    pub missing: Vec<FileId>,
    /// Snapshots that were deleted after the backup was made, and are deleted again.
    pub deleted_again: u64,
    /// Deletions that have begun and did not end; the portal goes on with them.
    pub unfinished_deletions: u64,
    /// Snapshots whose share is not there: nobody can open them.
    pub without_share: u64,
    /// Uploads that were under way and have to begin anew.
    pub ended_uploads: u64,
    /// Tokens that are refused from now on; which of them were revoked since is not known.
    pub revoked_tokens: u64,
}

/// Makes a data directory out of a backup. When it fails, nothing is there.
pub(crate) async fn restore(order: &RestoreOrder, clock: Arc<dyn Clock>) -> Result<Restored, PortalError> {
    if fs::read_dir(&order.data).is_ok_and(|mut entries| entries.next().is_some()) || order.data.is_file() {
        return Err(BackupError::Exists(order.data.clone()).into());
    }
    let source = Source::check(order, clock.now())?;
    let name = order.data.file_name().ok_or_else(|| BackupError::Exists(order.data.clone()))?;
    let above = std::path::absolute(&order.data).map_err(BackupError::at(&order.data))?;
    let above = above.parent().ok_or_else(|| BackupError::Exists(order.data.clone()))?.to_owned();
    fs::create_dir_all(&above).map_err(BackupError::at(&above))?;
    let draft = above.join(format!("{}.restoring", name.to_string_lossy()));
    let lock = begin(&draft)?;
    match fill(&source, order, &draft, clock).await {
        Ok(restored) => {
            sync_tree(&draft).map_err(BackupError::at(&draft))?;
            fs::rename(&draft, &order.data)
                .and_then(|()| sync_directory(&above))
                .map_err(BackupError::at(&order.data))?;
            drop(lock);
            Ok(restored)
        }
        Err(fault) => {
            drop(fs::remove_dir_all(&draft));
            Err(fault)
        }
    }
}

/// Everything that is read, checked before anything is written.
struct Source {
    manifest: Manifest,
    place: PathBuf,
    shares: Option<Manifest>,
    tombstones: Vec<Tombstones>,
}

impl Source {
    fn check(order: &RestoreOrder, now: Timestamp) -> Result<Self, BackupError> {
        let manifest = Manifest::read(&order.from)?;
        expect(&manifest, Kind::Portal, &order.from)?;
        if manifest.taken_at.plus_days(tombstones::KEPT_DAYS) < now {
            return Err(BackupError::TooOld(manifest.taken_at));
        }
        if order.tombstones.is_empty() && !order.tombstones_lost {
            return Err(BackupError::TombstonesNeeded);
        }
        let from = order.from.canonicalize().map_err(BackupError::at(&order.from))?;
        let place = from.parent().unwrap_or(&from).to_owned();
        let mut tombstones = Vec::new();
        for named in &order.tombstones {
            tombstones.push(Tombstones::within(named).ok_or_else(|| BackupError::NoTombstones(named.clone()))?);
        }
        for (at, beside) in backups(&place, Kind::Portal)? {
            if at >= manifest.taken_at {
                tombstones.extend(Tombstones::within(&beside));
            }
        }
        let shares = match &order.shares {
            Some(path) => {
                let shares = Manifest::read(path)?;
                expect(&shares, Kind::Shares, path)?;
                if shares.portal != manifest.portal {
                    return Err(BackupError::OtherPortal(path.clone()));
                }
                if shares.taken_at.plus_days(i64::from(SHARES_DAYS)) < now {
                    return Err(BackupError::SharesTooOld(shares.taken_at));
                }
                shares.verify(path)?;
                Some(shares)
            }
            None if order.without_shares => None,
            None => return Err(BackupError::SharesNeeded),
        };
        manifest.verify(&order.from)?;
        Ok(Self { manifest, place, shares, tombstones })
    }
}

fn expect(manifest: &Manifest, kind: Kind, path: &Path) -> Result<(), BackupError> {
    if manifest.kind == kind {
        return Ok(());
    }
    Err(BackupError::OtherKind { path: path.to_owned(), found: manifest.kind.word(), expected: kind.word() })
}

/// Makes the directory under the name it has while it is not whole; what a run before left there is removed.
fn begin(draft: &Path) -> Result<File, BackupError> {
    let lock = |create| File::options().write(true).create(create).truncate(false).open(draft.join("lock"));
    if draft.is_dir() {
        if let Ok(held) = lock(false)
            && held.try_lock().is_err()
        {
            return Err(BackupError::Busy(draft.to_owned()));
        }
        fs::remove_dir_all(draft).map_err(BackupError::at(draft))?;
    }
    make_directory(draft).map_err(BackupError::at(draft))?;
    let lock = lock(true).map_err(BackupError::at(draft))?;
    lock.try_lock().map_err(|_| BackupError::Busy(draft.to_owned()))?;
    Ok(lock)
}

async fn fill(
    source: &Source,
    order: &RestoreOrder,
    draft: &Path,
    clock: Arc<dyn Clock>,
) -> Result<Restored, PortalError> {
    copy_in(&order.from.join(DATABASE), &draft.join(DATABASE))?;
    if let Some(shares) = &order.shares {
        for name in [SHARES, KEY_FILE] {
            copy_in(&shares.join(name), &draft.join(name))?;
        }
    }
    let stones = Tombstones::open(draft).map_err(PortalError::Data)?;
    stones.merge(&source.tombstones).map_err(PortalError::Data)?;

    let mut config = Config::new(draft, ([127, 0, 0, 1], 0).into());
    config.free_space_floor = 0;
    if let Ok(key) = source.manifest.portal.parse::<PortalKey>() {
        key.name().clone_into(&mut config.name);
    }
    let app = Arc::new(App::open(&config, clock).await?);
    let restored = work(source, order, &app).await;
    app.store.close().await;
    restored
}

fn copy_in(from: &Path, to: &Path) -> Result<(), BackupError> {
    copy(from, to).map(drop).map_err(BackupError::at(from))
}

async fn work(source: &Source, order: &RestoreOrder, app: &Arc<App>) -> Result<Restored, PortalError> {
    if source.shares.is_some() && app.key.portal_key().to_string() != source.manifest.portal {
        return Err(BackupError::OtherPortal(order.from.clone()).into());
    }
    inspect(app).await?;
    let mut restored = Restored {
        taken_at: source.manifest.taken_at,
        snapshots: 0,
        bytes: 0,
        missing: Vec::new(),
        deleted_again: 0,
        unfinished_deletions: 0,
        without_share: 0,
        ended_uploads: end_uploads(app).await?,
        revoked_tokens: revoke_tokens(app).await?,
    };
    let fault = |fault: crate::portal::error::ApiError| PortalError::Database(Box::new(fault));
    replay::run(app).await.map_err(fault)?;
    put_files_back(source, app, &mut restored).await?;
    let swept = delete::run(app, true).await.map_err(fault)?;
    restored.deleted_again = swept.deleted;
    restored.unfinished_deletions = swept.failed;
    restored.without_share = settle_shares(app).await?;
    close(app, &restored, order.verify).await?;
    Ok(restored)
}

/// Ends the uploads that were under way: their bytes are in no backup.
async fn end_uploads(app: &App) -> Result<u64, PortalError> {
    let (now, mut ended) = (app.clock.now(), 0);
    let mut transaction = app.store.begin_across().await?;
    for upload in uploads::unfinished(&mut transaction).await? {
        snapshots::remove_unfinished(&mut transaction, &upload.tenant, &upload.snapshot).await?;
        let act = (Act::ExpireUpload, On::Snapshot(&upload.snapshot), Outcome::Done);
        record(&mut transaction, &upload.tenant, now, Actor::Operator, act, None).await?;
        ended += 1;
    }
    transaction.commit().await?;
    Ok(ended)
}

async fn put_files_back(source: &Source, app: &App, restored: &mut Restored) -> Result<(), PortalError> {
    let mut after = 0;
    loop {
        let page = rows::stored(&mut *app.store.read_across().await?, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.number;
        for file in page {
            let name = (&file.tenant, &file.id);
            let path = pool::path_of(&source.place, &file.tenant, &file.id);
            let back = pool::put_back(&source.place, &app.data, name, (file.size, &file.sha256));
            if back.map_err(BackupError::at(&path))? {
                restored.snapshots += 1;
                restored.bytes += file.size;
            } else {
                restored.missing.push(file.id);
            }
        }
    }
}
