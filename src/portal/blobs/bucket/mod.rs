//! Sealed files in a bucket of any S3: `PREFIX/TENANT/ab/abcdef…/file`, and while the bytes arrive a multipart upload under that
//! name, with a `tail.…` object beside it.
//!
//! Parts are of one size, at least 8 MiB. What is behind the last part when a request ends must be durable before it is
//! acknowledged, so it is stored as an object of its own, with a new name each time: the database names the one that counts, and
//! two processes that write to one upload never write to one object. A file no longer than a part is stored in one piece. On
//! their way to the bucket bytes lie in an unnamed file on the portal's disk, so that many slow uploads need no memory.
//!
//! Nothing is left behind that a listing does not find: everything of one file stands beneath one prefix, and removing it
//! removes what the prefix lists, its old versions and its unfinished multipart uploads, until the bucket lists nothing.

mod address;
mod parts;

pub(crate) use parts::Parts;

use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::aws::AmazonS3;
use object_store::multipart::MultipartStore as _;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectStore as _, ObjectStoreExt as _, RetryConfig};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use super::directory::{free, make_directory};
use super::extra::Extra;
use crate::clock::Timestamp;
use crate::ids::{FileId, TenantId};
use crate::portal::error::PortalError;

/// The shortest part in bytes. S3 asks for 5 MiB at least.
const PART: u64 = 8 << 20;

/// How many parts are in memory at once, on their way to the bucket.
const IN_MEMORY: usize = 4;

/// How long one request to the bucket is tried.
const PATIENCE: Duration = Duration::from_secs(45);

/// How many pages are listed and removed before a removal gives up until the next try.
const PAGES: usize = 100;

/// How many objects are listed together.
const PAGE: usize = 1000;

/// An object in the bucket.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) name: String,
    /// The file to which it belongs; none when it is not named as the portal names its own.
    pub(crate) of: Option<(TenantId, FileId)>,
    pub(crate) written_at: Timestamp,
}

/// A bucket.
#[derive(Clone, Debug)]
pub(crate) struct Bucket(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: AmazonS3,
    extra: Extra,
    prefix: Path,
    versions: bool,
    spool: PathBuf,
    floor: u64,
    memory: Semaphore,
}

impl Bucket {
    /// Opens the bucket of an address like `s3://NAME/PREFIX?endpoint=https://…&region=…`. Whatever neither the address nor the
    /// key's file says comes from the environment (`AWS_ACCESS_KEY_ID`, `AWS_WEB_IDENTITY_TOKEN_FILE`, …) or from the machine's
    /// role.
    ///
    /// Errors: an address that is none, or holds a secret; a bucket that does not answer, or that locks what is in it.
    pub(crate) async fn open(
        data: &std::path::Path,
        floor: u64,
        address: &str,
        key: Option<&std::path::Path>,
    ) -> Result<Self, PortalError> {
        let (builder, prefix) = address::builder(address, key)?;
        let options = address::client(&builder, PATIENCE);
        let builder = builder
            .with_disable_bulk_delete(true)
            .with_client_options(options.clone())
            .with_retry(RetryConfig { max_retries: 6, retry_timeout: PATIENCE, ..RetryConfig::default() });
        let unusable = |fault: object_store::Error| PortalError::Bucket(Box::new(fault));
        let store = builder.build().map_err(unusable)?;
        let extra = Extra::new(store.clone(), &options).map_err(unusable)?;
        let habits = extra.habits().await.map_err(|fault| PortalError::Bucket(Box::new(fault)))?;
        if habits.locks {
            return Err(PortalError::BucketLocks);
        }
        let spool = data.join("spool");
        make_directory(&spool).map_err(PortalError::Data)?;
        let memory = Semaphore::new(IN_MEMORY);
        Ok(Self(Arc::new(Inner { store, extra, prefix, versions: habits.versions, spool, floor, memory })))
    }

    /// Whether the disk on which parts wait has room. How much the bucket takes is not known to anybody.
    pub(crate) fn has_room(&self) -> io::Result<bool> {
        Ok(free(&self.0.spool)?.checked_sub(self.0.floor).is_some_and(|room| room >= IN_MEMORY as u64 * PART))
    }

    pub(crate) fn whole(&self, tenant: &TenantId, id: &FileId) -> io::Result<Option<u64>> {
        wait(self.length(&file_in(&self.folder(tenant, id))))
    }

    pub(crate) async fn read(
        &self,
        tenant: &TenantId,
        id: &FileId,
        first: u64,
        end: u64,
    ) -> io::Result<BoxStream<'static, io::Result<Bytes>>> {
        let options = GetOptions { range: Some(GetRange::Bounded(first..end)), ..GetOptions::default() };
        let found = self.0.store.get_opts(&file_in(&self.folder(tenant, id)), options).await.map_err(told)?;
        if found.range != (first..end) {
            return Err(io::Error::new(
                ErrorKind::UnexpectedEof,
                "the bucket's object is shorter than what was stored",
            ));
        }
        Ok(found.into_stream().map_err(told).boxed())
    }

    /// Removes everything beneath the file's prefix: objects, versions, delete markers, unfinished multipart uploads.
    pub(crate) fn remove(&self, tenant: &TenantId, id: &FileId) -> io::Result<()> {
        wait(self.empty(&self.folder(tenant, id)))
    }

    /// Asks whether the bucket finds nothing: no object at the file's name, and nothing in any of its lists.
    pub(crate) fn is_absent(&self, tenant: &TenantId, id: &FileId) -> io::Result<bool> {
        let folder = self.folder(tenant, id);
        wait(async {
            let prefix = listed(&folder);
            Ok(self.length(&file_in(&folder)).await?.is_none()
                && self.objects(&folder).await?.is_empty()
                && (!self.0.versions || self.0.extra.versions(&prefix).await?.is_empty())
                && self.0.extra.unfinished(&prefix).await?.is_empty())
        })
    }

    /// The next objects beneath the portal's prefix behind the name `after`, in the order of their names; none at the end.
    pub(crate) fn page(&self, after: Option<&str>) -> io::Result<Vec<Object>> {
        let prefix = (!self.0.prefix.as_ref().is_empty()).then_some(&self.0.prefix);
        let after = after.map(Path::parse).transpose().map_err(io::Error::other)?;
        let found = match &after {
            None => self.0.store.list(prefix),
            Some(after) => self.0.store.list_with_offset(prefix, after),
        };
        let found: Vec<_> = wait(found.take(PAGE).try_collect()).map_err(told)?;
        let object = |object: object_store::ObjectMeta| Object {
            of: self.file_of(&object.location),
            written_at: Timestamp::from_seconds(object.last_modified.timestamp()),
            name: object.location.into(),
        };
        Ok(found.into_iter().map(object).collect())
    }

    /// The file to which an object belongs, if it is named as the portal names its own.
    fn file_of(&self, object: &Path) -> Option<(TenantId, FileId)> {
        let parts: Vec<_> = object.prefix_match(&self.0.prefix)?.collect();
        let [tenant, shelf, id, last] = &parts[..] else { return None };
        let ours = last.as_ref() == "file" || last.as_ref().starts_with("tail.");
        let id: FileId = id.as_ref().parse().ok().filter(|_| ours)?;
        let tenant = tenant.as_ref().parse().ok()?;
        (id.to_string()[..2] == *shelf.as_ref()).then_some((tenant, id))
    }

    async fn empty(&self, folder: &Path) -> io::Result<()> {
        let prefix = listed(folder);
        for _ in 0..PAGES {
            let uploads = self.0.extra.unfinished(&prefix).await?;
            for upload in &uploads {
                let key = Path::parse(&upload.key).map_err(io::Error::other)?;
                gone(self.0.store.abort_multipart(&key, &upload.upload_id).await)?;
            }
            let objects = self.objects(folder).await?;
            for object in &objects {
                gone(self.0.store.delete(object).await)?;
            }
            let versions = if self.0.versions { self.0.extra.versions(&prefix).await? } else { Vec::new() };
            for version in &versions {
                self.0.extra.remove_version(version).await?;
            }
            if uploads.is_empty() && objects.is_empty() && versions.is_empty() {
                return Ok(());
            }
        }
        Err(io::Error::other("the bucket still lists what was removed"))
    }

    async fn objects(&self, folder: &Path) -> io::Result<Vec<Path>> {
        let found = self.0.store.list(Some(folder)).take(1000).map_ok(|object| object.location);
        found.try_collect().await.map_err(told)
    }

    async fn length(&self, object: &Path) -> io::Result<Option<u64>> {
        match self.0.store.head(object).await {
            Ok(known) => Ok(Some(known.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(fault) => Err(told(fault)),
        }
    }

    fn folder(&self, tenant: &TenantId, id: &FileId) -> Path {
        let name = id.to_string();
        self.0.prefix.clone().join(tenant.as_str()).join(&name[..2]).join(name.as_str())
    }
}

fn file_in(folder: &Path) -> Path {
    folder.clone().join("file")
}

/// The prefix by which everything in a folder is listed.
fn listed(folder: &Path) -> String {
    format!("{folder}/")
}

/// Waits on a thread for blocking work; the runtime of the portal does the work.
fn wait<F: Future>(future: F) -> F::Output {
    Handle::current().block_on(future)
}

/// Nothing to remove is removed.
fn gone(result: object_store::Result<()>) -> io::Result<()> {
    match result {
        Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
        Err(fault) => Err(told(fault)),
    }
}

fn told(fault: object_store::Error) -> io::Error {
    use object_store::Error;
    let kind = match &fault {
        Error::NotFound { .. } => ErrorKind::NotFound,
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => ErrorKind::PermissionDenied,
        Error::Generic { .. } => ErrorKind::NetworkUnreachable,
        _ => ErrorKind::Other,
    };
    io::Error::new(kind, fault)
}
