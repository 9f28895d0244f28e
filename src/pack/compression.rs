//! Compresses frames on several threads and gives them back in their order.

use std::collections::VecDeque;
use std::io;

use super::frame::{FRAME, FrameCompressor};
use crate::workers::{Promise, Work, Workers, cores};

/// Most threads that compress at this level. Each has room for a frame, compressed and not, and tables that grow with the
/// level, up to 10 MiB: more threads would not fit into the 64 MiB that sealing may take.
const fn most_threads(level: i32) -> usize {
    if level < 7 { 4 } else { 2 }
}

/// The tar bytes of one frame. Its room is initialised once and used again, so that filling it costs nothing more.
pub(crate) struct Block {
    room: Vec<u8>,
    length: usize,
}

impl Block {
    pub(crate) fn new() -> Self {
        Self { room: vec![0; FRAME], length: 0 }
    }

    pub(crate) const fn len(&self) -> usize {
        self.length
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.length == 0
    }

    pub(crate) fn content(&self) -> &[u8] {
        &self.room[..self.length]
    }

    /// The bytes that are there, to be written over.
    pub(crate) fn content_mut(&mut self) -> &mut [u8] {
        &mut self.room[..self.length]
    }

    /// The room behind the bytes that are there, up to `full` of all.
    pub(crate) fn rest(&mut self, full: usize) -> &mut [u8] {
        &mut self.room[self.length..full]
    }

    /// Counts `length` bytes of [`rest`](Self::rest) as there.
    pub(crate) const fn advance(&mut self, length: usize) {
        self.length += length;
    }

    pub(crate) fn append(&mut self, bytes: &[u8]) {
        self.rest(FRAME)[..bytes.len()].copy_from_slice(bytes);
        self.advance(bytes.len());
    }

    pub(crate) fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }

    /// Puts `bytes` in place of those in `place`; what stands behind moves.
    pub(crate) fn replace(&mut self, place: std::ops::Range<usize>, bytes: &[u8]) {
        let end = place.start + bytes.len();
        self.room.copy_within(place.end..self.length, end);
        self.room[place.start..end].copy_from_slice(bytes);
        self.length = self.length - place.len() + bytes.len();
    }
}

/// A frame: its tar bytes, and the same compressed once that is done.
pub(crate) struct Frame {
    pub(crate) block: Block,
    pub(crate) compressed: Vec<u8>,
}

impl Work for FrameCompressor {
    type Job = Frame;
    type Done = io::Result<Frame>;

    fn work(&mut self, mut frame: Frame) -> io::Result<Frame> {
        self.compress(frame.block.content(), &mut frame.compressed)?;
        Ok(frame)
    }
}

/// Frames that are being compressed. Holds one more than there are threads, and room that is used again.
pub(crate) struct Compression {
    level: i32,
    /// `None` until there is a frame for another thread.
    threads: Option<usize>,
    own: FrameCompressor,
    workers: Workers<FrameCompressor>,
    under_way: VecDeque<UnderWay>,
    blocks: Vec<Block>,
    buffers: Vec<Vec<u8>>,
}

enum UnderWay {
    Promised(Promise<io::Result<Frame>>),
    Done(Frame),
}

impl Compression {
    /// Compresses with `threads` threads, if there is memory for as many; with one, the caller's own does it.
    pub(crate) fn new(level: i32, threads: Option<usize>) -> io::Result<Self> {
        let threads = threads.map(|threads| threads.clamp(1, most_threads(level)));
        Ok(Self {
            level,
            threads,
            own: FrameCompressor::new(level)?,
            workers: Workers::new(),
            under_way: VecDeque::new(),
            blocks: Vec::new(),
            buffers: Vec::new(),
        })
    }

    /// Frames that were given and not yet taken.
    pub(crate) fn under_way(&self) -> usize {
        self.under_way.len()
    }

    /// True when a frame has to be taken before the next one is given.
    pub(crate) fn is_full(&self) -> bool {
        let threads = self.threads.unwrap_or(1);
        self.under_way.len() > if threads > 1 { threads } else { 0 }
    }

    /// An empty block.
    pub(crate) fn block(&mut self) -> Block {
        self.blocks.pop().unwrap_or_else(Block::new)
    }

    /// Gives a block to be compressed.
    pub(crate) fn give(&mut self, block: Block) -> io::Result<()> {
        let threads = *self.threads.get_or_insert_with(|| cores().clamp(1, most_threads(self.level)));
        let frame = Frame { block, compressed: self.buffers.pop().unwrap_or_default() };
        let given = if threads > 1 {
            self.workers.give(frame, threads, self.under_way.len(), || FrameCompressor::new(self.level))
        } else {
            Err(frame)
        };
        self.under_way.push_back(match given {
            Ok(promise) => UnderWay::Promised(promise),
            Err(frame) => UnderWay::Done(self.own.work(frame)?),
        });
        Ok(())
    }

    /// Waits for the frame that was given first; `None` when none is under way.
    pub(crate) fn take(&mut self) -> io::Result<Option<Frame>> {
        match self.under_way.pop_front() {
            None => Ok(None),
            Some(UnderWay::Done(frame)) => Ok(Some(frame)),
            Some(UnderWay::Promised(promise)) => promise.wait()?.map(Some),
        }
    }

    /// Compresses a block at once, whatever is under way.
    pub(crate) fn now(&mut self, block: Block) -> io::Result<Frame> {
        let compressed = self.buffers.pop().unwrap_or_default();
        self.own.work(Frame { block, compressed })
    }

    /// Takes a frame's room back, to use it again.
    pub(crate) fn give_back(&mut self, frame: Frame) {
        let Frame { mut block, compressed } = frame;
        block.truncate(0);
        self.blocks.push(block);
        self.buffers.push(compressed);
    }
}
