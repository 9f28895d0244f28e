//! Decompresses frames on several threads, ahead of who reads them, and gives them in their order.

use std::collections::VecDeque;
use std::io::{self, Read};

use zstd::bulk::Decompressor;

use super::UnpackError;
use super::frame_source::FrameSource;
use super::limits::Limits;
use crate::workers::{Promise, Work, Workers, cores};

/// Most threads that decompress.
const MOST_THREADS: usize = 6;
/// Bytes of frames under way, compressed and not, from which on no further one is read. The last one may go past it.
const AHEAD: usize = 24 << 20;
/// Room for more bytes than this is not kept to be used again: honest frames need no more.
const KEPT: usize = 5 << 20;

/// A frame and its content, or room for it.
#[derive(Default)]
struct Frame {
    compressed: Vec<u8>,
    content: Vec<u8>,
    length: usize,
}

impl Frame {
    const fn weight(&self) -> usize {
        self.compressed.len() + self.length
    }
}

struct FrameDecompressor(Decompressor<'static>);

impl FrameDecompressor {
    fn new() -> io::Result<Self> {
        Decompressor::new().map(Self)
    }
}

impl Work for FrameDecompressor {
    type Job = Frame;
    type Done = Result<Frame, UnpackError>;

    fn work(&mut self, mut frame: Frame) -> Result<Frame, UnpackError> {
        frame.content.clear();
        frame.content.reserve_exact(frame.length);
        let decompressed = self.0.decompress_to_buffer(&frame.compressed, &mut frame.content);
        if decompressed.ok() == Some(frame.length) {
            Ok(frame)
        } else {
            Err(UnpackError::Damaged("a frame cannot be decompressed"))
        }
    }
}

/// The contents of the frames of a stream, in their order.
///
/// A fault is told when its turn comes, after everything before it was given: the same one, whatever was read ahead.
pub(crate) struct Decompression<R> {
    source: FrameSource<R>,
    /// `None` until there is a second frame.
    threads: Option<usize>,
    own: FrameDecompressor,
    workers: Workers<FrameDecompressor>,
    under_way: VecDeque<UnderWay>,
    /// The weights of all frames under way.
    ahead: usize,
    /// The source has given its last frame or a fault.
    ended: bool,
    /// Compressed bytes up to the end of what was given.
    consumed: u64,
    /// The frame that was given last, or in which reading stopped.
    number: u64,
    buffers: Vec<Vec<u8>>,
    contents: Vec<Vec<u8>>,
}

/// A frame under way, or why there is none, its number, and how far the input was read for it.
struct UnderWay {
    what: What,
    weight: usize,
    number: u64,
    consumed: u64,
}

enum What {
    /// Read, and in nobody's hands.
    Read(Frame),
    Promised(Promise<Result<Frame, UnpackError>>),
    Ended(Result<(), UnpackError>),
}

impl<R: Read> Decompression<R> {
    /// Decompresses with `threads` threads, as many as there are cores when that is `None`; with one, the caller's own does
    /// it, and nothing is read ahead.
    pub(crate) fn new(input: R, limits: &Limits, threads: Option<usize>) -> Result<Self, UnpackError> {
        Ok(Self {
            source: FrameSource::new(input, limits),
            threads: threads.map(|threads| threads.clamp(1, MOST_THREADS)),
            own: FrameDecompressor::new().map_err(UnpackError::Input)?,
            workers: Workers::new(),
            under_way: VecDeque::new(),
            ahead: 0,
            ended: false,
            consumed: 0,
            number: 0,
            buffers: Vec::new(),
            contents: Vec::new(),
        })
    }

    /// Compressed bytes up to the end of what was given.
    pub(crate) const fn consumed(&self) -> u64 {
        self.consumed
    }

    /// The number, from 0 and padding included, of the frame that was given last, or in which reading stopped.
    pub(crate) const fn number(&self) -> u64 {
        self.number
    }

    /// Gives the content of the next frame, at least one byte. `None` when the stream is over, as it should be over; it
    /// must not be called again then, nor after an error.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<u8>>, UnpackError> {
        while !self.ended
            && self.under_way.len() < self.most_ahead()
            && (self.ahead < AHEAD || self.under_way.is_empty())
        {
            self.read_one();
        }
        let UnderWay { what, weight, number, consumed } =
            self.under_way.pop_front().expect("the end is under way until it is taken");
        self.ahead -= weight;
        self.consumed = consumed;
        self.number = number;
        let frame = match what {
            What::Ended(result) => return result.map(|()| None),
            What::Read(frame) => self.own.work(frame)?,
            What::Promised(promise) => promise.wait().map_err(UnpackError::Input)??,
        };
        keep(&mut self.buffers, frame.compressed);
        Ok(Some(frame.content))
    }

    /// Most frames under way. Without knowing how many threads there will be, two are enough to find out whether any are
    /// needed.
    fn most_ahead(&self) -> usize {
        match self.threads {
            None => 2,
            Some(1) => 1,
            Some(threads) => threads + 2,
        }
    }

    /// Takes room back, to use it again.
    pub(crate) fn give_back(&mut self, content: Vec<u8>) {
        keep(&mut self.contents, content);
    }

    /// Reads one frame. The first is left to whoever takes it: when it is the only one, no thread is started.
    fn read_one(&mut self) {
        let mut compressed = self.buffers.pop().unwrap_or_default();
        let next = self.source.next(&mut compressed);
        let (what, weight) = match next {
            Ok(Some(length)) => {
                let content = self.contents.pop().unwrap_or_default();
                let frame = Frame { compressed, content, length };
                let weight = frame.weight();
                (What::Read(frame), weight)
            }
            Ok(None) => (What::Ended(Ok(())), 0),
            Err(error) => (What::Ended(Err(error)), 0),
        };
        self.ended = matches!(what, What::Ended(_));
        self.ahead += weight;
        let number = self.source.frames() - u64::from(!self.ended);
        self.under_way.push_back(UnderWay { what, weight, number, consumed: self.source.consumed() });
        if !self.ended && self.under_way.len() > 1 {
            let threads = *self.threads.get_or_insert_with(|| cores().min(MOST_THREADS));
            self.hand_out(threads);
        }
    }

    /// Gives the frames that nobody works on to threads.
    fn hand_out(&mut self, threads: usize) {
        if threads == 1 {
            return;
        }
        for (unfinished, under_way) in self.under_way.iter_mut().enumerate() {
            if let What::Read(frame) = &mut under_way.what {
                let given = self.workers.give(std::mem::take(frame), threads, unfinished, FrameDecompressor::new);
                under_way.what = match given {
                    Ok(promise) => What::Promised(promise),
                    Err(frame) => What::Read(frame),
                };
            }
        }
    }
}

fn keep(kept: &mut Vec<Vec<u8>>, room: Vec<u8>) {
    if room.capacity() <= KEPT {
        kept.push(room);
    }
}
