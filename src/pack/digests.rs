//! Digests the entries of an archive frame by frame, on a thread of its own once there is more than one frame.

use std::io;
use std::ops::Range;

use sha2::{Digest as _, Sha256};

use super::manifest::{Digest, Tally};
use crate::item::ArchivePath;
use crate::workers::{Promise, Work, Workers};

/// What to do with a part of a frame.
pub(crate) enum Piece {
    /// These bytes belong to the present entry.
    Bytes(Range<usize>),
    /// The present entry ends: its path and its length.
    End(ArchivePath, u64),
}

/// A frame's content and what of it belongs to entries.
struct Frame {
    content: Vec<u8>,
    pieces: Vec<Piece>,
    /// Nothing comes after it.
    last: bool,
}

/// The digests so far. It takes frames in their order, so there is one thread for it and no more.
#[derive(Default)]
struct Progress {
    hasher: Sha256,
    tally: Tally,
}

impl Work for Progress {
    type Job = Frame;
    /// The content, to be used again, and after the last frame the tally.
    type Done = (Vec<u8>, Option<Tally>);

    fn work(&mut self, frame: Frame) -> Self::Done {
        for piece in frame.pieces {
            match piece {
                Piece::Bytes(range) => self.hasher.update(&frame.content[range]),
                Piece::End(path, size) => {
                    self.tally.add(&path, size, &Digest(self.hasher.finalize_reset().into()));
                }
            }
        }
        (frame.content, frame.last.then(|| std::mem::take(&mut self.tally)))
    }
}

/// Takes the frames of an archive and gives its tally.
pub(crate) struct Digests {
    /// Used as long as no thread was given anything.
    own: Progress,
    /// `None` if there may be no thread.
    workers: Option<Workers<Progress>>,
    under_way: Option<Promise<(Vec<u8>, Option<Tally>)>>,
}

impl Digests {
    /// `own_thread` allows a thread.
    pub(crate) fn new(own_thread: bool) -> Self {
        Self { own: Progress::default(), workers: own_thread.then(Workers::new), under_way: None }
    }

    /// Takes a frame that others follow. Gives room back that is to be used again.
    pub(crate) fn give(&mut self, content: Vec<u8>, pieces: Vec<Piece>) -> io::Result<Option<Vec<u8>>> {
        if content.is_empty() {
            return Ok(None);
        }
        self.pass(Frame { content, pieces, last: false })
    }

    /// Takes the last frame and gives the tally.
    pub(crate) fn finish(mut self, content: Vec<u8>, pieces: Vec<Piece>) -> io::Result<Tally> {
        let frame = Frame { content, pieces, last: true };
        if self.under_way.is_none() {
            return Ok(self.own.work(frame).1.expect("it was the last frame"));
        }
        self.pass(frame)?;
        let promise = self.under_way.take().expect("a thread that has taken a frame takes all that follow");
        Ok(promise.wait()?.1.expect("it was the last frame"))
    }

    fn pass(&mut self, frame: Frame) -> io::Result<Option<Vec<u8>>> {
        let before = self.under_way.take().map(Promise::wait).transpose()?;
        let given = match &mut self.workers {
            Some(workers) => workers.give(frame, 1, 0, || Ok(Progress::default())),
            None => Err(frame),
        };
        match given {
            Ok(promise) => {
                self.under_way = Some(promise);
                Ok(before.map(|(room, _)| room))
            }
            Err(frame) => {
                // No thread could be started; from here on none is tried.
                self.workers = None;
                Ok(Some(self.own.work(frame).0))
            }
        }
    }
}
