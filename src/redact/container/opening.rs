//! What opening one item has cost so far, and what was left out of it: shared by everything inside it.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::item::{LeftOut, Reason};
use crate::redact::decode::Stream;
use crate::redact::error::RedactError;
use crate::redact::rules::OpeningLimits;
use crate::spool::{Spool, Spools};

/// One item in one pass. The limits count for the whole of it, however it is nested.
pub(crate) struct Opening {
    pub(crate) limits: OpeningLimits,
    spools: Spools,
    /// Bytes of the item itself that were read.
    read: AtomicU64,
    /// Bytes that came out of decoders, all of them together.
    opened: AtomicU64,
    members: AtomicU64,
    /// Whether the item itself could not be read on.
    failed: AtomicBool,
    left_out: Mutex<Vec<LeftOut>>,
}

impl Opening {
    pub(crate) fn new(limits: OpeningLimits, spools: Spools) -> Arc<Self> {
        Arc::new(Self {
            limits,
            spools,
            read: AtomicU64::new(0),
            opened: AtomicU64::new(0),
            members: AtomicU64::new(0),
            failed: AtomicBool::new(false),
            left_out: Mutex::default(),
        })
    }

    /// The bytes of the item itself, counted.
    pub(crate) fn source<'a>(self: &Arc<Self>, input: Stream<'a>) -> Stream<'a> {
        Box::new(Source { input, opening: Arc::clone(self) })
    }

    /// What a decoder gives, counted and limited; its errors are told from those of the item.
    pub(crate) fn decoded<'a>(
        self: &Arc<Self>,
        packed: Stream<'a>,
        open: impl FnOnce(Stream<'a>) -> io::Result<Stream<'a>>,
    ) -> Result<Stream<'a>, RedactError> {
        let input = open(packed).map_err(|error| self.blame(error))?;
        Ok(Box::new(Decoded { input, opening: Arc::clone(self) }))
    }

    /// An empty spool.
    pub(crate) fn spool(&self) -> Spool {
        self.spools.spool()
    }

    /// Counts a member of an archive; fails when there are more than the limit.
    pub(crate) fn count_member(&self) -> Result<(), RedactError> {
        let members = self.members.fetch_add(1, Ordering::Relaxed) + 1;
        if members > self.limits.members { Err(RedactError::TooLarge) } else { Ok(()) }
    }

    /// Notes a member that is left out; its path is redacted.
    pub(crate) fn leave_out(&self, path: String, reason: Reason) {
        self.left_out.lock().unwrap_or_else(PoisonError::into_inner).push(LeftOut { path, reason });
    }

    /// How many members were left out.
    pub(crate) fn left_out_so_far(&self) -> usize {
        self.left_out.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Forgets what was left out after the first `count`: it stood in a member that is left out as a whole.
    pub(crate) fn forget_left_out_after(&self, count: usize) {
        self.left_out.lock().unwrap_or_else(PoisonError::into_inner).truncate(count);
    }

    /// Gives the members that were left out, in the order in which they stand.
    pub(crate) fn take_left_out(&self) -> Vec<LeftOut> {
        std::mem::take(&mut *self.left_out.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// An error of the item stays one; any other is damage.
    fn blame(&self, error: io::Error) -> RedactError {
        let ours = RedactError::from_io(&error).is_some();
        if ours || self.failed.load(Ordering::Relaxed) {
            RedactError::unwrap_io(error)
        } else if error.kind() == io::ErrorKind::OutOfMemory {
            RedactError::TooMuchMemory
        } else {
            RedactError::Damaged(error)
        }
    }

    /// Fails when so many more bytes would be too many: an archive that tells the sizes of its members need not be opened to
    /// know.
    pub(crate) fn foresee(&self, count: u64) -> Result<(), RedactError> {
        self.allow(self.opened.load(Ordering::Relaxed).saturating_add(count))
    }

    fn grow(&self, count: usize) -> Result<(), RedactError> {
        self.allow(self.opened.fetch_add(count as u64, Ordering::Relaxed).saturating_add(count as u64))
    }

    fn allow(&self, opened: u64) -> Result<(), RedactError> {
        let read = self.read.load(Ordering::Relaxed);
        let fair = self.limits.free.max(read.saturating_mul(self.limits.ratio));
        if opened > self.limits.opened.min(fair) { Err(RedactError::TooLarge) } else { Ok(()) }
    }
}

struct Source<'a> {
    input: Stream<'a>,
    opening: Arc<Opening>,
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.input.read(buffer) {
            Ok(count) => {
                self.opening.read.fetch_add(count as u64, Ordering::Relaxed);
                Ok(count)
            }
            Err(error) => {
                if error.kind() != io::ErrorKind::Interrupted {
                    self.opening.failed.store(true, Ordering::Relaxed);
                }
                Err(error)
            }
        }
    }
}

struct Decoded<'a> {
    input: Stream<'a>,
    opening: Arc<Opening>,
}

impl Read for Decoded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match self.input.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            read => read.map_err(|error| io::Error::from(self.opening.blame(error)))?,
        };
        self.opening.grow(count)?;
        Ok(count)
    }
}
