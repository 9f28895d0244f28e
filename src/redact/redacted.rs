//! A redacted item: the only thing that can be packed.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use super::category::Counts;
use super::container::Opening;
use super::decode::Stream;
use crate::clock::Timestamp;
use crate::item::{ArchivePath, Item, LeftOut};

/// An item on its way into a snapshot, with personal values replaced and the result checked by the gate.
///
/// Only this room makes one. It is read as a stream of a few MiB of memory; a read fails with a
/// [`RedactError`](super::RedactError) inside the [`io::Error`] when something in the middle turns out not to be text, or the
/// gate finds something: nothing of the item may then be kept.
pub struct Redacted<'a> {
    path: ArchivePath,
    modified: Option<Timestamp>,
    size: u64,
    reader: Stream<'a>,
    counts: Arc<Mutex<Counts>>,
    opening: Option<Arc<Opening>>,
    as_it_is: bool,
}

impl<'a> Redacted<'a> {
    pub(crate) fn new(
        path: ArchivePath,
        item: &Item,
        reader: Stream<'a>,
        counts: Arc<Mutex<Counts>>,
        opening: Option<Arc<Opening>>,
    ) -> Self {
        Self { path, modified: item.modified, size: item.size, reader, counts, opening, as_it_is: false }
    }

    /// Takes an item as it is, unread and unchecked, because the user said so.
    pub fn unredacted(item: &'a Item, _consent: Consent) -> io::Result<Self> {
        let reader = item.content.open()?.take(item.size);
        let plain = Self::new(item.path.clone(), item, Box::new(reader), Arc::default(), None);
        Ok(Self { as_it_is: true, ..plain })
    }

    /// Its path in the snapshot, redacted.
    #[must_use]
    pub const fn path(&self) -> &ArchivePath {
        &self.path
    }

    /// When it was last changed, if the source knows.
    #[must_use]
    pub const fn modified(&self) -> Option<Timestamp> {
        self.modified
    }

    /// Its length in bytes, where that is known before it was read: when nothing is replaced.
    #[must_use]
    pub const fn exact_size(&self) -> Option<u64> {
        if self.as_it_is { Some(self.size) } else { None }
    }

    /// Gives the members that were left out of the archives in it, in what was read: `outer.tar.gz!dir/member`, redacted.
    #[must_use]
    pub fn take_left_out(&mut self) -> Vec<LeftOut> {
        self.opening.as_ref().map(|opening| opening.take_left_out()).unwrap_or_default()
    }

    /// How many values were replaced in what was read.
    #[must_use]
    pub fn finish(self) -> Counts {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Read for Redacted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer)
    }
}

/// The user's explicit wish that nothing be redacted (`--no-redact`). It is written into the manifest and the review.
#[derive(Clone, Copy, Debug)]
pub struct Consent(());

impl Consent {
    /// Names the wish where it is made: only the code that read the flag calls this.
    #[must_use]
    pub const fn explicit() -> Self {
        Self(())
    }
}
