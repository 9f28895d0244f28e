//! Compressed data: one document inside, nothing else.

use std::io;

use super::{Container, Redacting, Surveying};
use crate::redact::decode::Stream;
use crate::redact::error::RedactError;

/// A way to compress a stream.
pub(crate) trait Codec: Sync {
    /// Whether data that begins like this is of this kind.
    fn recognises(&self, head: &[u8]) -> bool;

    /// Opens it. An error, here or while the result is read, is damage, or an error of `packed` passed on;
    /// [`OutOfMemory`](io::ErrorKind::OutOfMemory) says that opening it would take too much of it.
    fn open<'a>(&self, packed: Stream<'a>) -> io::Result<Stream<'a>>;

    /// Packs redacted data. Nothing of the old header survives: no name, no time.
    fn pack<'a>(&self, plain: Stream<'a>) -> io::Result<Stream<'a>>;
}

/// What a codec has packed.
pub(crate) struct Compressed(pub(crate) &'static dyn Codec);

impl Container for Compressed {
    fn recognises(&self, head: &[u8]) -> bool {
        self.0.recognises(head)
    }

    fn survey(&self, input: Stream<'_>, inside: &mut Surveying<'_>) -> Result<(), RedactError> {
        let plain = inside.opening.decoded(input, |packed| self.0.open(packed))?;
        inside.depth.compressed = true;
        inside.document(plain)
    }

    fn redact<'a>(&self, input: Stream<'a>, inside: &Redacting<'a>) -> Result<Stream<'a>, RedactError> {
        let plain = inside.opening.decoded(input, |packed| self.0.open(packed))?;
        let mut inside = inside.clone();
        inside.depth.compressed = true;
        let redacted = inside.document(plain)?;
        self.0.pack(redacted).map_err(RedactError::Write)
    }
}
