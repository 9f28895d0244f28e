//! The second pass at one place inside an item.

use std::io::{ErrorKind, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Depth, Opening};
use crate::item::{ArchivePath, Reason};
use crate::redact::category::Counts;
use crate::redact::decode::{self, HEAD, Stream};
use crate::redact::engine::Engine;
use crate::redact::error::RedactError;
use crate::redact::reader::TextReader;
use crate::redact::shape::Shape;

/// Redacts a document and everything in it. Clones go on from the same place.
#[derive(Clone)]
pub(crate) struct Redacting<'a> {
    pub(crate) engine: &'a Engine,
    pub(super) opening: Arc<Opening>,
    pub(super) depth: Depth,
    counts: Arc<Mutex<Counts>>,
    /// The path of the item, and of the members on the way down from there, not redacted.
    trail: Vec<ArchivePath>,
}

impl<'a> Redacting<'a> {
    /// Begins with an item; a stream without a name has no path.
    pub(crate) fn new(
        engine: &'a Engine,
        opening: Arc<Opening>,
        counts: Arc<Mutex<Counts>>,
        path: Option<ArchivePath>,
    ) -> Self {
        Self { engine, opening, depth: Depth::default(), counts, trail: path.into_iter().collect() }
    }

    /// Gives a document of any kind redacted.
    ///
    /// What cannot be opened, or shows from its beginning that it is not text, is an error now, anything later an error of
    /// the stream; either way nothing of it may be kept.
    pub(crate) fn document<'b>(&self, input: Stream<'b>) -> Result<Stream<'b>, RedactError>
    where
        'a: 'b,
    {
        let (head, input) = decode::peek(input, HEAD)?;
        let Some(container) = super::recognise(&head) else {
            let (text, encoding) = decode::open(&head, input)?;
            return Ok(decode::wrap(self.text(text)?, encoding));
        };
        let depth = self.depth.into(container, self.opening.limits.depth)?;
        container.redact(input, &Redacting { depth, ..self.clone() })
    }

    /// Gives text that is decoded redacted. A reader of its lines that depends on the kind of file is chosen here, as in
    /// the first pass, by the last path of the trail and the text's beginning.
    pub(crate) fn text<'b>(&self, text: Stream<'b>) -> Result<Stream<'b>, RedactError>
    where
        'a: 'b,
    {
        let path = self.trail.last().map_or("", ArchivePath::as_str);
        let (shape, wrapping, text) = Shape::of_stream(path, text, &self.engine.rules)?;
        let reader = TextReader::new(self.engine, text, self.shown(), Arc::clone(&self.counts)).shaped(shape);
        Ok(wrapping.wrap(Box::new(reader)))
    }

    /// Writes a member of an archive redacted, into spools. False when it is left out, and then it is listed, and nothing of
    /// what was written may be kept.
    pub(crate) fn member(
        &self,
        path: &ArchivePath,
        input: Stream<'_>,
        output: &mut dyn Write,
    ) -> Result<bool, RedactError> {
        if self.engine.rules.leaves_out(path.as_str()).is_some() {
            self.leave_out(path.as_str(), Reason::ByProfile);
            return Ok(false);
        }
        let counts = Arc::new(Mutex::new(Counts::new()));
        let mut inside = Redacting { counts: Arc::clone(&counts), ..self.clone() };
        inside.trail.push(path.clone());
        let listed = self.opening.left_out_so_far();
        match inside.document(input).and_then(|mut redacted| spool_all(&mut redacted, output)) {
            Ok(()) => {
                self.count(&counts.lock().unwrap_or_else(PoisonError::into_inner));
                Ok(true)
            }
            Err(error) => {
                let Some(reason) = error.of_member() else { return Err(error) };
                self.opening.forget_left_out_after(listed);
                self.opening.leave_out(inside.shown(), reason);
                Ok(false)
            }
        }
    }

    /// Counts values that were replaced.
    pub(crate) fn count(&self, counts: &Counts) {
        let mut all = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        for (category, count) in counts {
            *all.entry(*category).or_insert(0) += count;
        }
    }

    /// Lists a member that is left out. Its name need not be a path.
    pub(crate) fn leave_out(&self, name: &str, reason: Reason) {
        let (mut shown, name) = (self.shown(), self.engine.shown(name));
        if !shown.is_empty() {
            shown.push('!');
        }
        shown.push_str(&name);
        self.opening.leave_out(shown, reason);
    }

    /// The way here, redacted: `outer.tar.gz!dir/inner.zip!file`.
    fn shown(&self) -> String {
        self.trail.iter().map(|path| self.engine.path(path).to_string()).collect::<Vec<_>>().join("!")
    }
}

/// Reads to the end into a spool; tells a fault of the spool from one of the input.
pub(crate) fn spool_all(input: &mut dyn Read, spool: &mut dyn Write) -> Result<(), RedactError> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let count = match input.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(RedactError::unwrap_io(error)),
        };
        spool.write_all(&buffer[..count]).map_err(RedactError::of_spool)?;
    }
}
