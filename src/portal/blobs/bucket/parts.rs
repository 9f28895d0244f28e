//! A file that grows in a bucket, part by part.

use std::fs::File;
use std::io::{self, ErrorKind, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::FileExt as _;

use axum::body::Bytes;
use object_store::ObjectStoreExt as _;
use object_store::multipart::{MultipartStore as _, PartId};
use object_store::path::Path;

use super::super::{Mark, Name};
use super::{Bucket, PART, file_in, gone, told, wait};
use crate::portal::app::random_id;

/// The most parts that S3 takes.
const MOST_PARTS: u64 = 10_000;

impl Bucket {
    pub(crate) fn go_on(&self, name: Name<'_>, mark: Mark) -> io::Result<Parts> {
        let folder = self.folder(name.tenant, name.id);
        // A completed multipart upload cannot be gone on with.
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
        let length = mark.received;
        Ok(Parts {
            bucket: self.clone(),
            folder,
            part,
            mark,
            spool,
            behind,
            length,
            fresh: Fresh::default(),
            old_tail: None,
        })
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
    /// All that was written.
    length: u64,
    fresh: Fresh,
    /// The tail that the recorded mark names.
    old_tail: Option<String>,
}

/// What was made here and is not recorded.
#[derive(Default)]
struct Fresh {
    multipart: Option<String>,
    tail: Option<String>,
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
        self.length += bytes.len() as u64;
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
            self.fresh.tail = Some(name.clone());
            Some(name)
        };
        self.old_tail = std::mem::replace(&mut self.mark.tail, tail);
        self.mark.received = self.length;
        Ok(&self.mark)
    }

    pub(crate) fn kept(&mut self) {
        self.fresh = Fresh::default();
        if let Some(tail) = self.old_tail.take() {
            self.drop_tail(&tail);
        }
    }

    /// Sends the last part and names the multipart upload. It must be recorded as this upload's before it is completed: then
    /// whoever ends the upload aborts it, and what comes later from here is refused by the bucket.
    pub(crate) fn prepare(&mut self) -> io::Result<&str> {
        if self.behind > 0 || self.mark.parts.is_empty() {
            self.put_part()?;
        }
        Ok(self.mark.multipart.as_deref().expect("a part was put"))
    }

    pub(crate) fn give_up(&mut self) {
        let Fresh { multipart, tail } = std::mem::take(&mut self.fresh);
        if let Some(id) = multipart
            && let Err(fault) = gone(wait(self.bucket.0.store.abort_multipart(&file_in(&self.folder), &id)))
        {
            tracing::warn!(%fault, "a multipart upload of nobody stays until its file goes");
        }
        if let Some(tail) = tail {
            self.drop_tail(&tail);
        }
    }

    pub(crate) fn finish(&mut self) -> io::Result<()> {
        self.prepare()?;
        let file = file_in(&self.folder);
        let id = self.mark.multipart.as_ref().expect("it was prepared");
        let parts = self.mark.parts.iter().map(|tag| PartId { content_id: tag.clone() }).collect();
        if let Err(fault) = wait(self.bucket.0.store.complete_multipart(&file, id, parts)).map_err(told) {
            // The answer may have been lost, and not the request.
            if wait(self.bucket.length(&file))? != Some(self.length) {
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
            let begun = wait(self.bucket.0.store.create_multipart(&file)).map_err(told)?;
            self.fresh.multipart = Some(begun.clone());
            self.mark.multipart = Some(begun);
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

/// The length of the parts of a file that is `longest` bytes long at most.
fn part_size(longest: u64) -> u64 {
    longest.div_ceil(MOST_PARTS).next_multiple_of(1 << 20).max(PART)
}

fn missing(received: u64) -> io::Error {
    io::Error::new(
        ErrorKind::UnexpectedEof,
        format!("bytes are missing of an upload of which {received} were acknowledged"),
    )
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
}
