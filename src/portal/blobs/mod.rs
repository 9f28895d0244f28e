//! Where sealed bytes lie: in a directory, or in a bucket of any S3.
//!
//! Both keep one promise. What [`Growing::keep`] has returned is durable, and a file is either whole under its name or not there:
//! it becomes so in [`Growing::finish`]. What the database has to remember of a file that is still arriving is its [`Mark`].
//! All of it but [`Blobs::read`] blocks, and belongs on threads for blocking work.

mod arriving;
mod bucket;
mod directory;
mod extra;
mod place;

use std::io;
use std::path::Path;

use axum::body::Bytes;
use futures_util::stream::BoxStream;

use crate::ids::{FileId, TenantId};
use crate::portal::error::PortalError;

pub(crate) use arriving::ARRIVING;
pub(crate) use bucket::Bucket;
pub(crate) use directory::{free, make_directory, sync_directory};
pub(crate) use place::Place;

/// The store of sealed files.
#[derive(Clone, Debug)]
pub(crate) enum Blobs {
    Directory(directory::Directory),
    Bucket(bucket::Bucket),
}

/// Which file, and how long it will be at most: a bucket's parts are cut accordingly, so it must not change on the way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Name<'a> {
    pub(crate) tenant: &'a TenantId,
    pub(crate) id: &'a FileId,
    pub(crate) longest: u64,
}

/// How far a file has come, durably. A directory needs the number alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Bytes that are durable.
    pub(crate) received: u64,
    /// The S3's name of the multipart upload, once it has begun.
    pub(crate) multipart: Option<String>,
    /// The S3's tags of the parts that are there, in order.
    pub(crate) parts: Vec<String>,
    /// The object that holds what is behind the last part.
    pub(crate) tail: Option<String>,
}

/// A file that is being written. Dropped without [`Growing::keep`], it stands where the last mark says.
pub(crate) enum Growing {
    File(directory::Partial),
    Parts(bucket::Parts),
}

impl Blobs {
    /// Opens the store: a directory beneath `data`, or a bucket. `floor` bytes of the disk stay free.
    pub(crate) async fn open(data: &Path, floor: u64, place: &Place) -> Result<Self, PortalError> {
        match place.bucket() {
            None => Ok(Self::Directory(directory::Directory::open(data, floor).map_err(PortalError::Data)?)),
            Some((address, key)) => Ok(Self::Bucket(bucket::Bucket::open(data, floor, address, key).await?)),
        }
    }

    /// Whether `more` bytes can be taken and the floor stays free.
    pub(crate) fn has_room_for(&self, more: u64) -> io::Result<bool> {
        match self {
            Self::Directory(directory) => directory.has_room_for(more),
            Self::Bucket(bucket) => bucket.has_room(),
        }
    }

    /// Goes on with a file from its mark. [`io::ErrorKind::AlreadyExists`] when it is whole already, and was only never
    /// recorded as such; [`io::ErrorKind::UnexpectedEof`] when bytes are missing that were durable once.
    pub(crate) fn go_on(&self, name: Name<'_>, mark: Mark) -> io::Result<Growing> {
        match self {
            Self::Directory(directory) => directory.go_on(name.tenant, name.id, mark.received).map(Growing::File),
            Self::Bucket(bucket) => bucket.go_on(name, mark).map(Growing::Parts),
        }
    }

    /// Whether small files can be written before they are announced: where no other process announces files.
    pub(crate) fn takes_small(&self) -> bool {
        matches!(self, Self::Directory(_))
    }

    /// Writes a small file that nobody has announced, whole and durable. Until [`settle`](Self::settle) is called it is one that
    /// arrived and was not recorded.
    pub(crate) fn put(&self, tenant: &TenantId, id: &FileId, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Directory(directory) => directory.put(tenant, id, bytes),
            Self::Bucket(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Says that a file that was [`put`](Self::put) is recorded.
    pub(crate) fn settle(&self, tenant: &TenantId, id: &FileId) -> io::Result<()> {
        match self {
            Self::Directory(directory) => directory.settle(tenant, id),
            Self::Bucket(_) => Ok(()),
        }
    }

    /// Removes a file that was [`put`](Self::put) and not recorded.
    pub(crate) fn withdraw(&self, tenant: &TenantId, id: &FileId) -> io::Result<()> {
        match self {
            Self::Directory(directory) => directory.withdraw(tenant, id),
            Self::Bucket(_) => Ok(()),
        }
    }

    /// Whether a file was [`put`](Self::put) and is neither settled nor withdrawn.
    pub(crate) fn is_arriving(&self, tenant: &TenantId, id: &FileId) -> io::Result<bool> {
        match self {
            Self::Directory(directory) => directory.arriving(tenant, id).try_exists(),
            Self::Bucket(_) => Ok(false),
        }
    }

    /// The files that were [`put`](Self::put) and neither settled nor withdrawn.
    pub(crate) fn arrived(&self) -> io::Result<Vec<(TenantId, FileId)>> {
        match self {
            Self::Directory(directory) => directory.arrived(),
            Self::Bucket(_) => Ok(Vec::new()),
        }
    }

    /// The length of a whole file, if it is there.
    pub(crate) fn whole(&self, tenant: &TenantId, id: &FileId) -> io::Result<Option<u64>> {
        match self {
            Self::Directory(directory) => directory.whole(tenant, id),
            Self::Bucket(bucket) => bucket.whole(tenant, id),
        }
    }

    /// The bytes from `first` up to, not including, `end` of a whole file.
    pub(crate) async fn read(
        &self,
        tenant: &TenantId,
        id: &FileId,
        first: u64,
        end: u64,
    ) -> io::Result<BoxStream<'static, io::Result<Bytes>>> {
        match self {
            Self::Directory(directory) => directory.read(tenant, id, first, end).await,
            Self::Bucket(bucket) => bucket.read(tenant, id, first, end).await,
        }
    }

    /// Removes a file, whole or in part, with all that the store keeps of it; nothing to remove is no error.
    pub(crate) fn remove(&self, tenant: &TenantId, id: &FileId) -> io::Result<()> {
        match self {
            Self::Directory(directory) => directory.remove(tenant, id),
            Self::Bucket(bucket) => bucket.remove(tenant, id),
        }
    }

    /// Asks the store whether nothing is left of a file.
    pub(crate) fn is_absent(&self, tenant: &TenantId, id: &FileId) -> io::Result<bool> {
        match self {
            Self::Directory(directory) => directory.is_absent(tenant, id),
            Self::Bucket(bucket) => bucket.is_absent(tenant, id),
        }
    }

    /// Whether other processes may be at work on the same files.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self, Self::Bucket(_))
    }
}

impl Growing {
    /// How many bytes may be written before [`is_even`](Self::is_even) is asked again; never 0.
    pub(crate) fn room(&self) -> u64 {
        match self {
            Self::File(_) => u64::MAX,
            Self::Parts(parts) => parts.room(),
        }
    }

    /// Appends at most [`room`](Self::room) bytes.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::File(file) => file.write(bytes),
            Self::Parts(parts) => parts.write(bytes),
        }
    }

    /// Whether keeping now costs no extra object.
    pub(crate) fn is_even(&self) -> bool {
        match self {
            Self::File(_) => true,
            Self::Parts(parts) => parts.is_even(),
        }
    }

    /// The first `length` bytes, as long as they are at hand: until 8 MiB have been written.
    pub(crate) fn beginning(&self, length: usize) -> io::Result<Vec<u8>> {
        match self {
            Self::File(file) => file.beginning(length),
            Self::Parts(parts) => parts.beginning(length),
        }
    }

    /// Makes all that was written durable and returns the mark to record. It counts once it is recorded.
    pub(crate) fn keep(&mut self) -> io::Result<&Mark> {
        match self {
            Self::File(file) => file.keep(),
            Self::Parts(parts) => parts.keep(),
        }
    }

    /// The mark was recorded: what only the mark before it needed may go.
    pub(crate) fn kept(&mut self) {
        match self {
            Self::File(_) => {}
            Self::Parts(parts) => parts.kept(),
        }
    }

    /// Forgets what was written since the last mark.
    pub(crate) fn cut_back(&mut self) -> io::Result<()> {
        match self {
            Self::File(file) => file.cut_back(),
            // Parts are named in a mark or do not count; the next one of that number takes its place.
            Self::Parts(_) => Ok(()),
        }
    }

    /// Does all that comes before [`finish`](Self::finish). What it returns must be recorded in between: whoever removes the file
    /// after that record keeps it from becoming whole. `None` where one process writes, and nothing has to be recorded.
    pub(crate) fn prepare(&mut self) -> io::Result<Option<&str>> {
        match self {
            Self::File(_) => Ok(None),
            Self::Parts(parts) => parts.prepare().map(Some),
        }
    }

    /// Removes what was written since the last mark and was refused its record: somebody else goes on, or nobody.
    pub(crate) fn give_up(&mut self) {
        match self {
            Self::File(_) => {}
            Self::Parts(parts) => parts.give_up(),
        }
    }

    /// Makes the file whole, durably.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        match self {
            Self::File(file) => file.finish(),
            Self::Parts(parts) => parts.finish(),
        }
    }
}
