//! Containers: compressed data that is opened, redacted inside, and packed again as it was.
//!
//! To add one: a file here with a test, and a line in [`CONTAINERS`].

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::decode::Stream;
use super::error::RedactError;
use super::rules::OpeningLimits;

mod gz;
mod zst;

static CONTAINERS: [&dyn Container; 2] = [&gz::Gz, &zst::Zst];

/// A kind of compressed data.
pub(crate) trait Container: Sync {
    /// Whether data that begins like this is of this kind.
    fn recognises(&self, head: &[u8]) -> bool;

    /// Opens it.
    fn open<'a>(&self, packed: Stream<'a>) -> io::Result<Stream<'a>>;

    /// Packs redacted data. Nothing of the old container's header survives: no name, no time.
    fn pack<'a>(&self, plain: Stream<'a>) -> io::Result<Stream<'a>>;
}

/// The container that data beginning like this is in.
pub(crate) fn recognise(head: &[u8]) -> Option<&'static dyn Container> {
    CONTAINERS.into_iter().find(|container| container.recognises(head))
}

/// Opens a container within the limits.
pub(crate) fn open<'a>(
    container: &dyn Container,
    packed: Stream<'a>,
    limits: &OpeningLimits,
) -> Result<Stream<'a>, RedactError> {
    let meter = Arc::new(Meter::default());
    let packed = Packed { input: packed, meter: Arc::clone(&meter) };
    let opened = container.open(Box::new(packed)).map_err(|error| meter.blame(error))?;
    Ok(Box::new(Opened { input: opened, meter, given: 0, limits: *limits }))
}

/// What has gone into a container's decoder, and whether its source failed.
#[derive(Default)]
struct Meter {
    read: AtomicU64,
    failed: AtomicBool,
}

impl Meter {
    /// An error of the source stays one; any other is damage.
    fn blame(&self, error: io::Error) -> RedactError {
        let ours = RedactError::from_io(&error).is_some();
        if ours || self.failed.load(Ordering::Relaxed) {
            RedactError::unwrap_io(error)
        } else {
            RedactError::Damaged(error)
        }
    }
}

struct Packed<R> {
    input: R,
    meter: Arc<Meter>,
}

impl<R: Read> Read for Packed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.input.read(buffer) {
            Ok(count) => {
                self.meter.read.fetch_add(count as u64, Ordering::Relaxed);
                Ok(count)
            }
            Err(error) => {
                self.meter.failed.store(error.kind() != io::ErrorKind::Interrupted, Ordering::Relaxed);
                Err(error)
            }
        }
    }
}

struct Opened<R> {
    input: R,
    meter: Arc<Meter>,
    given: u64,
    limits: OpeningLimits,
}

impl<R: Read> Read for Opened<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer).map_err(|error| io::Error::from(self.meter.blame(error)))?;
        self.given = self.given.saturating_add(count as u64);
        let read = self.meter.read.load(Ordering::Relaxed);
        let fair = self.limits.free.max(read.saturating_mul(self.limits.ratio));
        if self.given > self.limits.opened.min(fair) {
            return Err(RedactError::TooLarge.into());
        }
        Ok(count)
    }
}
