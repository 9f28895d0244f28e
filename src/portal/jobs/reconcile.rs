//! Compares what the database says with what lies in the store of sealed files, both ways, once a day.
//!
//! Nothing that might be someone else's is touched. A file goes when the database says that it is deleted, or when nothing in
//! the database knows it, its name is one that only the portal gives, and it is old enough not to be on its way.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use super::hide;
use crate::clock::Timestamp;
use crate::ids::{FileId, TenantId};
use crate::portal::app::App;
use crate::portal::audit::{Act, Actor, On, Outcome, record};
use crate::portal::blobs::{ARRIVING, Blobs, Bucket};
use crate::portal::error::ApiError;
use crate::portal::store::{backups, deletions, shares, snapshots, tenants};
use crate::track::Phase;

/// How many days a file without a row is left alone.
pub const STRAY_DAYS: u16 = 7;

/// How many rows are read together.
const PAGE: i64 = 500;

/// What does not agree, and what was done about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reconciled {
    /// How many stored snapshots were looked up in the store of files.
    pub rows: u64,
    /// Those whose file is not there, or has another length.
    pub without_bytes: Vec<FileId>,
    /// How many files were looked up in the database.
    pub files: u64,
    /// Files that no row knows and that are still too young to be removed.
    pub without_row: Vec<FileId>,
    /// Files that no row knew and that were removed.
    pub removed: u64,
    /// Files of deleted snapshots that had come back and were removed.
    pub came_back: u64,
    /// Files and directories that are not called like the portal's. They are left alone.
    pub foreign: u64,
    /// Shares of nothing that were destroyed.
    pub shares: u64,
    /// Closed tickets of which nothing was left but the name, which is hidden now.
    pub hidden_tickets: u64,
}

impl Reconciled {
    /// Whether there was nothing to complain about.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.without_bytes.is_empty() && self.without_row.is_empty() && self.foreign == 0 && self.came_back == 0
    }
}

/// Compares everything once. Files that no row has known for `stray_days` days are removed.
pub(crate) async fn run(app: &Arc<App>, actor: Actor<'_>, stray_days: u16) -> Result<Reconciled, ApiError> {
    let mut found = Reconciled::default();
    look_for_bytes(app, &mut found).await?;
    look_for_rows(app, actor, stray_days, &mut found).await?;
    found.shares = look_for_shares(app).await?;
    found.hidden_tickets = hide_tickets(app).await?;
    let now = app.clock.now();
    let mut transaction = app.store.begin_across().await?;
    for tenant in tenants::all(&mut transaction).await? {
        let outcome = if found.agrees() { Outcome::Done } else { Outcome::Incomplete };
        let act = (Act::Reconcile, On::Tenant(tenant.as_str()), outcome);
        record(&mut transaction, &tenant, now, actor, act, None).await?;
    }
    transaction.commit().await?;
    if !found.agrees() {
        let (bytes, rows) = (found.without_bytes.len(), found.without_row.len());
        tracing::error!(bytes, rows, found.came_back, found.foreign, "database and files do not agree");
    }
    Ok(found)
}

/// Rows without bytes.
async fn look_for_bytes(app: &Arc<App>, found: &mut Reconciled) -> Result<(), ApiError> {
    let mut after = 0;
    loop {
        let page = backups::stored(&mut *app.store.read_across().await?, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.number;
        found.rows += page.len() as u64;
        let blobs = app.blobs.clone();
        let missing = tokio::task::spawn_blocking(move || {
            let mut missing = Vec::new();
            for file in page {
                if blobs.whole(&file.tenant, &file.id)? != Some(file.size) {
                    missing.push(file);
                }
            }
            Ok::<_, io::Error>(missing)
        });
        for file in missing.await.map_err(ApiError::fault)?? {
            let now = snapshots::find(&mut *app.store.read(&file.tenant).await?, &file.tenant, &file.id).await?;
            if now.is_some_and(|snapshot| snapshot.phase == Phase::Stored) {
                found.without_bytes.push(file.id);
            }
        }
    }
}

/// Bytes without a row.
async fn look_for_rows(
    app: &Arc<App>,
    actor: Actor<'_>,
    stray_days: u16,
    found: &mut Reconciled,
) -> Result<(), ApiError> {
    let known = tenants::all(&mut *app.store.read_across().await?).await?;
    if let Blobs::Bucket(bucket) = &app.blobs {
        return look_into_bucket(app, bucket, &known, (actor, stray_days), found).await;
    }
    let top = Listing::of(&root(&app.data), &mut found.foreign)?;
    for directory in top.directories.into_iter().filter(|directory| name_of(directory) != ARRIVING) {
        let tenant = name_of(&directory).parse::<TenantId>().ok().filter(|tenant| known.contains(tenant));
        let Some(tenant) = tenant else {
            found.foreign += 1;
            continue;
        };
        for shelf in Listing::of(&directory, &mut found.foreign)?.directories {
            let listing = Listing::all_of(&shelf)?;
            found.foreign += listing.directories.len() as u64;
            for (path, written_at) in listing.files {
                match id_of(&path, &shelf) {
                    Some(id) => {
                        found.files += 1;
                        let old = written_at.plus_days(i64::from(stray_days)) <= app.clock.now();
                        judge(app, actor, (&tenant, id), old, found).await?;
                    }
                    None => found.foreign += 1,
                }
            }
        }
    }
    Ok(())
}

/// The same in a bucket, which is listed from end to end. What stands in one folder is one file.
async fn look_into_bucket(
    app: &Arc<App>,
    bucket: &Bucket,
    known: &[TenantId],
    (actor, stray_days): (Actor<'_>, u16),
    found: &mut Reconciled,
) -> Result<(), ApiError> {
    let (mut after, mut last) = (None::<String>, None);
    loop {
        let (bucket, from) = (bucket.clone(), after.clone());
        let page =
            tokio::task::spawn_blocking(move || bucket.page(from.as_deref())).await.map_err(ApiError::fault)??;
        let Some(end) = page.last() else { return Ok(()) };
        after = Some(end.name.clone());
        for object in page {
            match object.of.filter(|(tenant, _)| known.contains(tenant)) {
                None => found.foreign += 1,
                Some(file) if last.as_ref() == Some(&file) => {}
                Some(file) => {
                    found.files += 1;
                    let old = object.written_at.plus_days(i64::from(stray_days)) <= app.clock.now();
                    judge(app, actor, (&file.0, file.1), old, found).await?;
                    last = Some(file);
                }
            }
        }
    }
}

/// Decides about one file that is called like a sealed file, or like the part of one.
async fn judge(
    app: &Arc<App>,
    actor: Actor<'_>,
    (tenant, id): (&TenantId, FileId),
    old: bool,
    found: &mut Reconciled,
) -> Result<(), ApiError> {
    let row = snapshots::find(&mut *app.store.read(tenant).await?, tenant, &id).await?;
    match row.map(|snapshot| snapshot.phase) {
        Some(Phase::BytesGone | Phase::VerifiedAbsent | Phase::RowScrubbed | Phase::Deleted) => {
            found.came_back += u64::from(remove(app, actor, tenant, id).await?);
        }
        Some(_) => {}
        // On its way: its row comes with the next transaction.
        None if app.blobs.is_arriving(tenant, &id)? => {}
        None if old => found.removed += u64::from(remove(app, actor, tenant, id).await?),
        None => {
            // Its row may have come since.
            let row = snapshots::find(&mut *app.store.read(tenant).await?, tenant, &id).await?;
            found.without_row.extend(row.is_none().then_some(id));
        }
    }
    Ok(())
}

/// Removes a file that nothing stored or announced owns. The transaction holds back whoever would announce it just now.
async fn remove(app: &Arc<App>, actor: Actor<'_>, tenant: &TenantId, id: FileId) -> Result<bool, ApiError> {
    let mut transaction = app.store.begin(tenant).await?;
    let row = snapshots::find(&mut transaction, tenant, &id).await?;
    if row.is_some_and(|snapshot| matches!(snapshot.phase, Phase::Uploading | Phase::Stored)) {
        return Ok(false);
    }
    let act = (Act::RemoveStray, On::Snapshot(&id), Outcome::Done);
    record(&mut transaction, tenant, app.clock.now(), actor, act, None).await?;
    let (blobs, owner) = (app.blobs.clone(), tenant.clone());
    tokio::task::spawn_blocking(move || blobs.remove(&owner, &id)).await.map_err(ApiError::fault)??;
    transaction.commit().await?;
    Ok(true)
}

/// Shares of nothing.
async fn look_for_shares(app: &Arc<App>) -> Result<u64, ApiError> {
    let mut destroyed = 0;
    for (tenant, id) in shares::holders(&mut *app.store.shares_across().await?).await? {
        if snapshots::find(&mut *app.store.read(&tenant).await?, &tenant, &id).await?.is_some() {
            continue;
        }
        // An announcement writes its share before its row, in one transaction: here none is under way.
        let mut transaction = app.store.begin(&tenant).await?;
        if snapshots::find(&mut transaction, &tenant, &id).await?.is_none() {
            destroyed += u64::from(shares::destroy(&mut *app.store.shares(&tenant).await?, &tenant, &id).await?);
        }
    }
    Ok(destroyed)
}

/// Hides the names of tickets that were closed long ago and have nothing left.
async fn hide_tickets(app: &Arc<App>) -> Result<u64, ApiError> {
    let mut hidden = 0;
    for tenant in tenants::all(&mut *app.store.read_across().await?).await? {
        let mut connection = app.store.read(&tenant).await?;
        let days = app.policy(&mut connection, &tenant).await?.after_close_days;
        let before = app.clock.now().plus_days(-i64::from(days) - 1);
        let over = deletions::over(&mut connection, &tenant, before, i64::MAX).await?;
        drop(connection);
        for ticket in over {
            let mut transaction = app.store.begin(&tenant).await?;
            hidden += u64::from(hide::ticket(app, &mut transaction, &tenant, &ticket).await?);
            transaction.commit().await?;
        }
    }
    if hidden > 0 {
        app.store.checkpoint().await?;
    }
    Ok(hidden)
}

fn root(data: &Path) -> PathBuf {
    data.join("blobs")
}

/// What lies in one directory.
#[derive(Default)]
struct Listing {
    directories: Vec<PathBuf>,
    /// With the instants at which they were last written to.
    files: Vec<(PathBuf, Timestamp)>,
}

impl Listing {
    /// The directories; whatever else lies there is counted.
    fn of(path: &Path, foreign: &mut u64) -> io::Result<Self> {
        let listing = Self::all_of(path)?;
        *foreign += listing.files.len() as u64;
        Ok(listing)
    }

    fn all_of(path: &Path) -> io::Result<Self> {
        let mut listing = Self::default();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let found = match entry.metadata() {
                Ok(found) => found,
                Err(fault) if fault.kind() == ErrorKind::NotFound => continue,
                Err(fault) => return Err(fault),
            };
            if found.is_dir() {
                listing.directories.push(entry.path());
            } else {
                let since = found.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
                let at = Timestamp::from_seconds(i64::try_from(since).unwrap_or(i64::MAX));
                listing.files.push((entry.path(), at));
            }
        }
        Ok(listing)
    }
}

/// The id in the name of a sealed file or a part, if the name is one of ours and stands on its shelf.
fn id_of(path: &Path, shelf: &Path) -> Option<FileId> {
    let ours = path.extension().is_some_and(|extension| extension == "tarseal" || extension == "partial");
    let stem = path.file_stem()?.to_str()?;
    let id: FileId = stem.parse().ok().filter(|_| ours)?;
    (name_of(shelf) == stem[..2]).then_some(id)
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
