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

use std::fs::File;
use std::io::{self, ErrorKind, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::multipart::{MultipartStore as _, PartId};
use object_store::path::Path;
use object_store::{
    ClientConfigKey, ClientOptions, GetOptions, GetRange, ObjectStore as _, ObjectStoreExt as _, RetryConfig,
};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use super::directory::{free, make_directory};
use super::extra::Extra;
use super::{Mark, Name};
use crate::ids::{FileId, TenantId};
use crate::portal::app::random_id;
use crate::portal::error::PortalError;
use crate::secret::Secret;

/// The shortest part in bytes. S3 asks for 5 MiB at least.
const PART: u64 = 8 << 20;

/// The most parts that S3 takes.
const MOST_PARTS: u64 = 10_000;

/// How many parts are in memory at once, on their way to the bucket.
const IN_MEMORY: usize = 4;

/// How long one request to the bucket is tried.
const PATIENCE: Duration = Duration::from_secs(45);

/// How many pages are listed and removed before a removal gives up until the next try.
const PAGES: usize = 100;

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
        let (mut builder, prefix) = builder(address)?;
        if let Some(file) = key {
            let text = read_key(file)?;
            let mut lines = text.expose().lines().map(str::trim).filter(|line| !line.is_empty());
            let (Some(key), Some(secret), None) = (lines.next(), lines.next(), lines.next()) else {
                return Err(PortalError::BlobsAddress("the key's file has two lines, the access key and its secret"));
            };
            builder = builder.with_access_key_id(key).with_secret_access_key(secret);
        }
        let options = client(&builder);
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

    pub(crate) fn go_on(&self, name: Name<'_>, mark: Mark) -> io::Result<Parts> {
        let folder = self.folder(name.tenant, name.id);
        // Only a completed multipart upload cannot be gone on with; one object is simply written again.
        if mark.multipart.is_some() && wait(self.length(&file_in(&folder)))?.is_some() {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let part = part_size(name.longest);
        let mut spool = tempfile::tempfile_in(&self.0.spool)?;
        let behind = mark.received.checked_sub(mark.parts.len() as u64 * part).filter(|behind| *behind <= part);
        let Some(behind) = behind else { return Err(missing(mark.received)) };
        if behind > 0 {
            let Some(tail) = &mark.tail else { return Err(missing(mark.received)) };
            let tail = folder.clone().join(tail.as_str());
            let bytes = wait(async { self.0.store.get(&tail).await.map_err(told)?.bytes().await.map_err(told) })?;
            if bytes.len() as u64 != behind {
                return Err(missing(mark.received));
            }
            spool.write_all(&bytes)?;
        }
        Ok(Parts { bucket: self.clone(), folder, part, mark, spool, behind, old_tail: None })
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

/// A file that grows part by part.
pub(crate) struct Parts {
    bucket: Bucket,
    folder: Path,
    /// The length of every part but the last.
    part: u64,
    mark: Mark,
    /// What is behind the last part.
    spool: File,
    behind: u64,
    /// The tail that the recorded mark names.
    old_tail: Option<String>,
}

impl Parts {
    pub(crate) fn room(&self) -> u64 {
        if self.is_even() { self.part } else { self.part - self.behind }
    }

    pub(crate) fn is_even(&self) -> bool {
        self.behind == 0 || self.behind == self.part
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        // A full part waits for the first byte behind it: the last one may be the whole file.
        if self.behind == self.part {
            self.put_part()?;
        }
        self.spool.write_all(bytes)?;
        self.behind += bytes.len() as u64;
        Ok(())
    }

    pub(crate) fn beginning(&self, length: usize) -> io::Result<Vec<u8>> {
        if !self.mark.parts.is_empty() {
            return Err(io::Error::other("the beginning is in the bucket already"));
        }
        let mut bytes = vec![0; length];
        self.spool.read_exact_at(&mut bytes, 0)?;
        Ok(bytes)
    }

    pub(crate) fn keep(&mut self) -> io::Result<&Mark> {
        if self.behind == self.part {
            self.put_part()?;
        }
        let tail = if self.behind == 0 {
            None
        } else {
            let name = format!("tail.{}", random_id());
            self.send(&self.folder.clone().join(name.as_str()))?;
            Some(name)
        };
        self.old_tail = std::mem::replace(&mut self.mark.tail, tail);
        self.mark.received = self.mark.parts.len() as u64 * self.part + self.behind;
        Ok(&self.mark)
    }

    pub(crate) fn kept(&mut self) {
        if let Some(tail) = self.old_tail.take() {
            self.drop_tail(&tail);
        }
    }

    pub(crate) fn finish(&mut self) -> io::Result<()> {
        let file = file_in(&self.folder);
        let length = self.mark.parts.len() as u64 * self.part + self.behind;
        let done = if self.mark.multipart.is_none() {
            self.send(&file)
        } else {
            if self.behind > 0 {
                self.put_part()?;
            }
            let id = self.mark.multipart.as_ref().expect("it was looked at just now");
            let parts = self.mark.parts.iter().map(|tag| PartId { content_id: tag.clone() }).collect();
            wait(self.bucket.0.store.complete_multipart(&file, id, parts)).map(drop).map_err(told)
        };
        if let Err(fault) = done {
            // The answer may have been lost, and not the request.
            if wait(self.bucket.length(&file))? != Some(length) {
                return Err(fault);
            }
        }
        if let Some(tail) = self.mark.tail.take() {
            self.drop_tail(&tail);
        }
        Ok(())
    }

    /// Sends what is behind the last part as the next one.
    fn put_part(&mut self) -> io::Result<()> {
        let file = file_in(&self.folder);
        if self.mark.multipart.is_none() {
            self.mark.multipart = Some(wait(self.bucket.0.store.create_multipart(&file)).map_err(told)?);
        }
        let id = self.mark.multipart.as_ref().expect("it was made just now");
        let sent = wait(async {
            let _room = self.bucket.0.memory.acquire().await;
            let bytes = self.waiting()?;
            self.bucket.0.store.put_part(&file, id, self.mark.parts.len(), bytes.into()).await.map_err(told)
        })?;
        self.mark.parts.push(sent.content_id);
        self.spool.set_len(0)?;
        self.spool.seek(SeekFrom::Start(0))?;
        self.behind = 0;
        Ok(())
    }

    /// Sends what is behind the last part as an object.
    fn send(&self, to: &Path) -> io::Result<()> {
        wait(async {
            let _room = self.bucket.0.memory.acquire().await;
            let bytes = self.waiting()?;
            self.bucket.0.store.put(to, bytes.into()).await.map(drop).map_err(told)
        })
    }

    fn waiting(&self) -> io::Result<Bytes> {
        let length = usize::try_from(self.behind).map_err(io::Error::other)?;
        let mut bytes = vec![0; length];
        self.spool.read_exact_at(&mut bytes, 0)?;
        Ok(bytes.into())
    }

    /// Removes a tail that counts no more. One that stays is found when the file is removed.
    fn drop_tail(&self, tail: &str) {
        if let Err(fault) = gone(wait(self.bucket.0.store.delete(&self.folder.clone().join(tail)))) {
            tracing::debug!(%fault, "a tail stays until its file goes");
        }
    }
}

fn file_in(folder: &Path) -> Path {
    folder.clone().join("file")
}

/// The prefix by which everything in a folder is listed.
fn listed(folder: &Path) -> String {
    format!("{folder}/")
}

/// The length of the parts of a file that is `longest` bytes long at most.
fn part_size(longest: u64) -> u64 {
    longest.div_ceil(MOST_PARTS).next_multiple_of(1 << 20).max(PART)
}

/// Waits on a thread for blocking work; the runtime of the portal does the work.
fn wait<F: Future>(future: F) -> F::Output {
    Handle::current().block_on(future)
}

fn missing(received: u64) -> io::Error {
    io::Error::new(
        ErrorKind::UnexpectedEof,
        format!("bytes are missing of an upload of which {received} were acknowledged"),
    )
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

/// Reads the file of a key, which must be its owner's alone.
fn read_key(file: &std::path::Path) -> Result<Secret<String>, PortalError> {
    use std::os::unix::fs::MetadataExt as _;
    if std::fs::metadata(file).map_err(PortalError::Data)?.mode() & 0o077 != 0 {
        return Err(PortalError::BlobsAddress("the key's file can be read by others; chmod 600 it"));
    }
    std::fs::read_to_string(file).map(Secret::new).map_err(PortalError::Data)
}

/// Reads the address: the bucket, the prefix, and the settings of `object_store` that are no secrets.
fn builder(address: &str) -> Result<(AmazonS3Builder, Path), PortalError> {
    let url = url::Url::parse(address).map_err(|_| PortalError::BlobsAddress("it is no URL"))?;
    let (Some(bucket), "s3") = (url.host_str().filter(|name| !name.is_empty()), url.scheme()) else {
        return Err(PortalError::BlobsAddress("it begins s3:// and the bucket's name"));
    };
    if !url.username().is_empty() || url.password().is_some() || url.port().is_some() || url.fragment().is_some() {
        return Err(PortalError::BlobsAddress("behind s3:// stand a bucket, a prefix and settings"));
    }
    let mut builder = AmazonS3Builder::from_env().with_bucket_name(bucket);
    for (name, value) in url.query_pairs() {
        let key: AmazonS3ConfigKey = name
            .to_ascii_lowercase()
            .parse()
            .map_err(|_| PortalError::BlobsAddress("it has a setting nobody knows"))?;
        if matches!(key, AmazonS3ConfigKey::AccessKeyId | AmazonS3ConfigKey::SecretAccessKey | AmazonS3ConfigKey::Token)
        {
            return Err(PortalError::BlobsAddress(
                "keys come from the environment, not from an address that others see",
            ));
        }
        if key == AmazonS3ConfigKey::Endpoint && value.starts_with("http://") {
            builder = builder.with_allow_http(true);
        }
        builder = builder.with_config(key, value);
    }
    let prefix = Path::from_url_path(url.path()).map_err(|_| PortalError::BlobsAddress("its prefix is no path"))?;
    Ok((builder, prefix))
}

/// How the bucket is spoken to: as the address and the environment say, plain HTTP only when they say so.
fn client(builder: &AmazonS3Builder) -> ClientOptions {
    let told = [
        ClientConfigKey::AllowHttp,
        ClientConfigKey::ProxyUrl,
        ClientConfigKey::ProxyCaCertificate,
        ClientConfigKey::ProxyExcludes,
        ClientConfigKey::UserAgent,
    ];
    let options = told.into_iter().fold(ClientOptions::new(), |options, key| {
        match builder.get_config_value(&AmazonS3ConfigKey::Client(key)) {
            Some(value) => options.with_config(key, value),
            None => options,
        }
    });
    options.with_timeout(PATIENCE).with_connect_timeout(Duration::from_secs(5))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_few_and_of_eight_mebibytes_at_least() {
        assert_eq!(part_size(0), 8 << 20);
        assert_eq!(part_size(80_000 << 20), 8 << 20);
        assert_eq!(part_size((80_000 << 20) + 1), 9 << 20);
        assert!((256_u64 << 30).div_ceil(part_size(256 << 30)) <= MOST_PARTS);
    }

    #[test]
    fn an_address_holds_no_secret() {
        assert!(builder("s3://bucket/some/where?region=eu-central-1&endpoint=https://s3.example").is_ok());
        for bad in [
            "bucket",
            "https://bucket",
            "s3://",
            "s3://key:secret@bucket",
            "s3://bucket?secret_access_key=x",
            "s3://bucket?AWS_SECRET_ACCESS_KEY=x",
            "s3://bucket?aws_session_token=x",
            "s3://bucket?colour=red",
        ] {
            let refused = builder(bad).err().unwrap();
            assert!(matches!(refused, PortalError::BlobsAddress(_)), "{bad}");
            assert!(!refused.to_string().contains("secret@"), "{bad}");
        }
    }
}
