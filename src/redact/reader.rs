//! Gives an item's text redacted: chunks are read ahead, redacted on every core, and given in their order.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use super::category::Counts;
use super::engine::{AHEAD, Begin, Engine};
use super::error::RedactError;
use super::lines::Splitter;
use super::pem::Pem;
use super::shape::Shape;

/// A stream of redacted, checked text.
pub(crate) struct TextReader<'a, R> {
    engine: &'a Engine,
    splitter: Splitter<R>,
    path: String,
    counts: Arc<Mutex<Counts>>,
    /// How the next chunk begins behind what is redacted.
    before: Option<Begin>,
    ready: VecDeque<Vec<u8>>,
    given: usize,
    ended: bool,
    failed: bool,
}

impl<'a, R: Read> TextReader<'a, R> {
    pub(crate) fn new(engine: &'a Engine, input: R, path: String, counts: Arc<Mutex<Counts>>) -> Self {
        let splitter = Splitter::new(input, engine.chunk);
        Self {
            engine,
            splitter,
            path,
            counts,
            before: None,
            ready: VecDeque::new(),
            given: 0,
            ended: false,
            failed: false,
        }
    }

    /// Begins within a private key, when that is where the text before ended.
    pub(crate) fn within(mut self, pem: Pem) -> Self {
        self.splitter = self.splitter.within(pem);
        self
    }

    /// Reads a text of this shape.
    pub(crate) fn shaped(mut self, shape: Shape) -> Self {
        self.splitter = self.splitter.shaped(shape);
        self
    }

    /// Goes on behind a text that was redacted before.
    pub(crate) fn behind(mut self, before: Option<Begin>) -> Self {
        self.before = before;
        self
    }

    /// How a text begins that goes on behind this one.
    pub(crate) fn into_end(self) -> Option<Begin> {
        self.before
    }

    fn refill(&mut self) -> Result<(), RedactError> {
        let mut chunks = Vec::new();
        while !self.ended && chunks.len() < AHEAD * rayon::current_num_threads() {
            match self.splitter.next_chunk()? {
                Some(chunk) => chunks.push(chunk),
                None => self.ended = true,
            }
        }
        let results: Vec<_> = if chunks.len() > 1 {
            chunks.par_iter().map(|chunk| self.engine.process(chunk, &self.path)).collect()
        } else {
            chunks.iter().map(|chunk| self.engine.process(chunk, &self.path)).collect()
        };
        for (chunk, done) in chunks.iter().zip(results) {
            let done = match self.before.take().filter(|begin| !begin.is_of(chunk)) {
                Some(begin) => self.engine.process_after(chunk, begin, &self.path)?,
                None => done?,
            };
            self.before = done.after;
            let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
            for (category, count) in done.counts {
                *counts.entry(category).or_insert(0) += count;
            }
            drop(counts);
            self.engine.remember(&done.computed);
            if let Some(samples) = &self.engine.samples {
                samples.take(done.samples);
            }
            self.ready.push_back(done.bytes);
        }
        Ok(())
    }
}

impl<R: Read> Read for TextReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.failed {
            return Err(RedactError::NotReadable.into());
        }
        loop {
            if let Some(front) = self.ready.front() {
                let rest = &front[self.given..];
                if !rest.is_empty() {
                    let count = rest.len().min(buffer.len());
                    buffer[..count].copy_from_slice(&rest[..count]);
                    self.given += count;
                    return Ok(count);
                }
                self.ready.pop_front();
                self.given = 0;
                continue;
            }
            if self.ended {
                return Ok(0);
            }
            if let Err(error) = self.refill() {
                // Nothing of an item that failed goes out any more.
                self.failed = true;
                self.ready.clear();
                return Err(error.into());
            }
        }
    }
}
