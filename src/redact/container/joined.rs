//! A stream that is made piece by piece, so that an archive is written while another is read.

use std::io::{self, Read};

use crate::redact::decode::Stream;
use crate::redact::error::RedactError;

/// Makes the pieces of a stream, in their order.
pub(super) trait Pieces {
    /// The next piece, made when the one before has been read; `None` after the last.
    fn next_piece(&mut self) -> Result<Option<Stream<'static>>, RedactError>;
}

/// The pieces as one stream.
pub(super) struct Joined<P> {
    pieces: P,
    current: Stream<'static>,
    failed: bool,
}

impl<P: Pieces> Joined<P> {
    pub(super) fn new(pieces: P) -> Self {
        Self { pieces, current: Box::new(io::empty()), failed: false }
    }
}

impl<P: Pieces> Read for Joined<P> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.failed {
            return Err(RedactError::NotReadable.into());
        }
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let count = self.current.read(buffer)?;
            if count > 0 {
                return Ok(count);
            }
            match self.pieces.next_piece() {
                Ok(Some(piece)) => self.current = piece,
                Ok(None) => return Ok(0),
                Err(error) => {
                    self.failed = true;
                    return Err(error.into());
                }
            }
        }
    }
}
