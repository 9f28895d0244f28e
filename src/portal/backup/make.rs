//! Making a backup, while the portal works.

use std::path::{Path, PathBuf};

use super::SHARES_DAYS;
use super::error::BackupError;
use super::files::{copy, digest, settle, sync_tree};
use super::manifest::{Entry, Kind, Manifest};
use super::place::{Place, backups};
use super::pool::{self, Taken};
use super::schedule::Schedule;
use crate::clock::Timestamp;
use crate::ids::FileId;
use crate::portal::app::{App, KEY_FILE};
use crate::portal::audit::{Act, Actor, On, Outcome, record};
use crate::portal::blobs::make_directory;
use crate::portal::error::PortalError;
use crate::portal::store::{backups as rows, snapshots, tenants};
use crate::portal::tombstones;
use crate::track::Phase;

/// How many rows are read together.
const PAGE: i64 = 500;

/// What to back up, where to, and which older backups to keep.
#[derive(Clone, Debug)]
pub struct BackupOrder {
    /// What is to be in it.
    pub kind: Kind,
    /// The directory of the backups; made when it is not there.
    pub to: PathBuf,
    /// Which backups are kept. Those of shares are kept for seven days at most, whatever it says.
    pub schedule: Schedule,
}

/// A backup that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackedUp {
    /// Its directory.
    pub path: PathBuf,
    /// The sealed files that belong to it, and their length in bytes.
    pub snapshots: u64,
    /// See [`snapshots`](Self::snapshots).
    pub bytes: u64,
    /// How many of them were new to the place.
    pub fresh: u64,
    /// Snapshots whose sealed file is not where it belongs.
    pub missing: Vec<FileId>,
    /// How many older backups were removed.
    pub thinned: u64,
    /// How many sealed files were removed from the place because they were deleted.
    pub removed: u64,
}

/// Makes a backup, then removes the older ones that are not to be kept. When it fails, everything that was there is there.
pub(crate) async fn make(app: &App, order: &BackupOrder) -> Result<BackedUp, PortalError> {
    if !app.store.is_embedded() {
        return Err(BackupError::Elsewhere("a database of PostgreSQL").into());
    }
    apart(&app.data, &order.to)?;
    let portal = app.key.portal_key().to_string();
    let place = Place::open(&order.to, &portal)?;
    let now = app.clock.now();
    let draft = place.begin(order.kind, now)?;
    let written = match order.kind {
        Kind::Portal => write_portal(app, &place, &draft).await,
        Kind::Shares => write_shares(app, &draft).await.map(|files| (files, Files::default())),
    };
    let named = written.and_then(|(files, taken)| {
        let (snapshots, bytes) = (taken.count, taken.bytes);
        Manifest { version: 1, kind: order.kind, portal, taken_at: now, snapshots, bytes, files }.write(&draft)?;
        sync_tree(&draft).map_err(BackupError::at(&draft))?;
        Ok((place.finish(&draft, order.kind, now)?, taken))
    });
    let (path, taken) = match named {
        Ok(named) => named,
        Err(fault) => {
            // What cannot be removed now is removed by the next run.
            drop(std::fs::remove_dir_all(&draft));
            return Err(fault);
        }
    };
    remember(app, &order.to, order.kind, now, taken.missing.is_empty()).await?;
    let thinned = thin(&place, order, now)?;
    let removed = if order.kind == Kind::Portal { remove_deleted(app, place.root()).await? } else { 0 };
    let Files { count: snapshots, bytes, fresh, missing } = taken;
    Ok(BackedUp { path, snapshots, bytes, fresh, missing, thinned, removed })
}

/// The sealed files of one backup.
#[derive(Default)]
struct Files {
    count: u64,
    bytes: u64,
    fresh: u64,
    missing: Vec<FileId>,
}

async fn write_portal(app: &App, place: &Place, draft: &Path) -> Result<(Vec<Entry>, Files), PortalError> {
    let database = draft.join(DATABASE);
    app.store.copy_portal(&database).await?;
    settle(&database).map_err(BackupError::at(&database))?;
    let mut entries = vec![Entry::new(DATABASE, digest(&database).map_err(BackupError::at(&database))?)];
    // Sealed files never change. Those that came after the copy of the database do no harm; those that went have tombstones.
    // Those in a bucket stay there.
    let files = if app.blobs.is_shared() { Files::default() } else { take_files(app, place.root()).await? };
    let directory = draft.join(tombstones::DIRECTORY);
    make_directory(&directory).map_err(BackupError::at(&directory))?;
    for from in app.tombstones.files().map_err(PortalError::Data)? {
        let name = from.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let copied = copy(&from, &directory.join(&name)).map_err(BackupError::at(&from))?;
        entries.push(Entry::new(format!("{}/{name}", tombstones::DIRECTORY), copied));
    }
    Ok((entries, files))
}

async fn take_files(app: &App, pool: &Path) -> Result<Files, PortalError> {
    let mut files = Files::default();
    let mut after = 0;
    loop {
        let page = rows::stored(&mut *app.store.read_across().await?, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(files) };
        after = last.number;
        for file in page {
            let taken = pool::take(&app.data, pool, &file.tenant, &file.id, file.size)
                .map_err(BackupError::at(&pool::path_of(pool, &file.tenant, &file.id)))?;
            if taken == Taken::Missing {
                let now = snapshots::find(&mut *app.store.read_across().await?, &file.tenant, &file.id).await?;
                // Deletion may have begun since the page was read.
                if now.is_some_and(|snapshot| snapshot.phase == Phase::Stored) {
                    files.missing.push(file.id);
                }
                continue;
            }
            files.count += 1;
            files.bytes += file.size;
            files.fresh += u64::from(taken == Taken::New);
        }
    }
}

async fn write_shares(app: &App, draft: &Path) -> Result<Vec<Entry>, PortalError> {
    let shares = draft.join(SHARES);
    app.store.copy_shares(&shares).await?;
    settle(&shares).map_err(BackupError::at(&shares))?;
    let key = app.data.join(KEY_FILE);
    let copied = copy(&key, &draft.join(KEY_FILE)).map_err(BackupError::at(&key))?;
    Ok(vec![Entry::new(SHARES, digest(&shares).map_err(BackupError::at(&shares))?), Entry::new(KEY_FILE, copied)])
}

/// Makes the backups of shares anew, each in its place, and removes those that were there: what was destroyed since is in
/// none of them any more.
pub(crate) async fn renew_shares(app: &App) -> Result<(), PortalError> {
    let places = rows::places(&mut *app.store.read_across().await?, Kind::Shares.word()).await?;
    let portal = app.key.portal_key().to_string();
    for root in places.iter().map(Path::new) {
        if !root.is_dir() {
            let fault = std::io::Error::new(std::io::ErrorKind::NotFound, "the place of backups is not there");
            return Err(BackupError::File(root.to_owned(), fault).into());
        }
        let place = Place::open(root, &portal)?;
        let there = backups(root, Kind::Shares)?;
        let mut at = app.clock.now();
        while there.iter().any(|(taken, _)| *taken == at) {
            at = at.plus_seconds(1);
        }
        let draft = place.begin(Kind::Shares, at)?;
        let files = write_shares(app, &draft).await?;
        let portal = portal.clone();
        Manifest { version: 1, kind: Kind::Shares, portal, taken_at: at, snapshots: 0, bytes: 0, files }
            .write(&draft)?;
        sync_tree(&draft).map_err(BackupError::at(&draft))?;
        place.finish(&draft, Kind::Shares, at)?;
        for (_, older) in there {
            place.remove(&older)?;
        }
    }
    Ok(())
}

/// Writes down where the backup lies, so that deletion reaches it, and tells every tenant's log.
async fn remember(app: &App, to: &Path, kind: Kind, now: Timestamp, whole: bool) -> Result<(), PortalError> {
    let place = to.canonicalize().map_err(BackupError::at(to))?;
    let mut transaction = app.store.begin_across().await?;
    rows::remember(&mut transaction, &place.to_string_lossy(), kind.word(), now).await?;
    for tenant in tenants::all(&mut transaction).await? {
        let outcome = if whole { Outcome::Done } else { Outcome::Incomplete };
        let act = (Act::BackUp, On::Tenant(tenant.as_str()), outcome);
        record(&mut transaction, &tenant, now, Actor::Operator, act, None).await?;
    }
    Ok(transaction.commit().await?)
}

fn thin(place: &Place, order: &BackupOrder, now: Timestamp) -> Result<u64, BackupError> {
    let schedule = match order.kind {
        Kind::Portal => order.schedule,
        Kind::Shares => Schedule { daily: order.schedule.daily.clamp(1, SHARES_DAYS), weekly: 0, monthly: 0 },
    };
    let there = backups(place.root(), order.kind)?;
    let taken: Vec<Timestamp> = there.iter().map(|(at, _)| *at).collect();
    let mut thinned = 0;
    for ((_, path), kept) in there.iter().zip(schedule.keeps(&taken, now)) {
        if !kept {
            place.remove(path)?;
            thinned += 1;
        }
    }
    Ok(thinned)
}

/// Removes from a place what deletion could not reach when it happened.
async fn remove_deleted(app: &App, pool: &Path) -> Result<u64, PortalError> {
    let (mut removed, mut after) = (0, 0);
    loop {
        let page = rows::leaving(&mut *app.store.read_across().await?, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(removed) };
        after = last.number;
        for file in page {
            let path = pool::path_of(pool, &file.tenant, &file.id);
            removed += u64::from(pool::discard(pool, &file.tenant, &file.id).map_err(BackupError::at(&path))?);
        }
    }
}

/// The names of the databases, in a backup as in a data directory.
pub(super) const DATABASE: &str = "portal.db";
pub(super) const SHARES: &str = "shares.db";

/// Refuses a place within the portal's directory, or around it.
fn apart(data: &Path, to: &Path) -> Result<(), BackupError> {
    let data = data.canonicalize().map_err(BackupError::at(data))?;
    let absolute = std::path::absolute(to).map_err(BackupError::at(to))?;
    // The part of the path that is there already says where the rest will be.
    let mut there = absolute.as_path();
    let mut rest = PathBuf::new();
    let resolved = loop {
        if let Ok(resolved) = there.canonicalize() {
            break resolved.join(&rest);
        }
        let (Some(above), Some(name)) = (there.parent(), there.file_name()) else { break absolute.clone() };
        rest = Path::new(name).join(&rest);
        there = above;
    };
    if resolved.starts_with(&data) || data.starts_with(&resolved) {
        return Err(BackupError::Within(to.to_owned()));
    }
    Ok(())
}
