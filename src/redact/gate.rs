//! The gate: scans what is about to leave once more, in every decoding the scan knows, for every learned value and every
//! pattern. What it finds is a fault, and stops the run.
//!
//! The scan of a line depends on nothing but the line, the line before where that leads on to it, and what was learned. A line
//! in which the second pass found nothing, behind a line it did not change, was scanned as it leaves, by the second pass or, for
//! all but the learned names, by the survey ([`handover`](super::handover)): to scan it again would be the same computation.
//! So after the second pass the gate scans the lines that were changed, and those behind one that leads on; it does so with all
//! detectors, learned names and decodings, and knows nothing of what was replaced there.

use super::category::Category;
use super::chunk_scan::each_line;
use super::engine::Changed;
use super::error::RedactError;
use super::lines::{self, Chunk, LONGEST};
use super::masks::Masks;
use super::pem::Pem;
use super::scan::{Places, Scanner, Scratch};
use super::shape::Shape;
use super::stand_in::StandIns;
use super::text;
use crate::secret::Secret;

/// The line, counted from 0, and the rule of the first value that is still there.
type Flaw = (u64, Category);

/// Checks every line.
pub(crate) fn check(
    stand_ins: &StandIns,
    redacted: &[u8],
    chunk: &Chunk,
    keys: &[Pem],
    scratch: &mut Scratch,
) -> Result<Option<Flaw>, RedactError> {
    let mut first = None;
    each_line(stand_ins, redacted, chunk, keys, scratch, |_, _, hits, line| {
        if first.is_none() {
            first = hits.first().map(|hit| (line, hit.category));
        }
        Ok(())
    })?;
    Ok(first)
}

/// Checks the lines that were changed since every line was scanned, in their order, and those they lead on to. Also says whether
/// what stands behind the chunk begins as it did before.
pub(crate) fn check_changed(
    stand_ins: &StandIns,
    redacted: &[u8],
    changed: &[Changed],
    chunk: &Chunk,
    keys: &[Pem],
    scratch: &mut Scratch,
) -> Result<(Option<Flaw>, bool), RedactError> {
    // Lines of private keys and pieces of very long lines are what they are by what stands before them.
    let long = |line: &Changed| line.place.len() > LONGEST;
    if !keys.is_empty() || chunk.bytes.len() > LONGEST && changed.iter().any(long) || holds_long_line(&chunk.bytes) {
        return Ok((check(stand_ins, redacted, chunk, keys, scratch)?, false));
    }
    let scanner = Scanner::knowing(stand_ins);
    let mut shape = chunk.shape.clone();
    let mut masks = Masks::default();
    let mut scan = |from: usize, to: usize, number: u64, shape: &mut Shape| {
        let line = &redacted[from..to];
        scanner.places(line, &mut masks);
        let view = Places { text: line, masks: &masks, from: 0, to: line.len() };
        shape.line(line, view.signs(), &mut scratch.shaped);
        scanner.scan_place(&view, before(redacted, from, chunk), scratch);
        scratch.hits.found.first().map(|hit| (number, hit.category))
    };
    for line in changed {
        shape.go_to(&line.before);
        if let Some(flaw) = scan(line.place.start, line.place.end, line.number, &mut shape) {
            return Ok((Some(flaw), false));
        }
        if *shape.state() != line.after {
            // What lines hold after this one depends on it.
            return Ok((check(stand_ins, redacted, chunk, keys, scratch)?, false));
        }
        let next = line.place.end + 1;
        let leads_on = line.leads_on || lines::leads_on(&redacted[line.place.clone()]);
        if leads_on && next >= redacted.len() {
            return Ok((None, false));
        }
        if leads_on {
            let end = memchr::memchr(b'\n', &redacted[next..]).map_or(redacted.len(), |length| next + length);
            if let Some(flaw) = scan(next, end, line.number + 1, &mut shape) {
                return Ok((Some(flaw), false));
            }
        }
    }
    Ok((None, true))
}

/// The end of the line before the one that begins at `from`.
fn before<'t>(redacted: &'t [u8], from: usize, chunk: &'t Chunk) -> &'t [u8] {
    let Some(end) = from.checked_sub(1) else { return &chunk.context };
    let rest = lines::tail(&redacted[..end]);
    memchr::memrchr(b'\n', rest).map_or(rest, |at| &rest[at + 1..])
}

/// Whether a line is so long that it is read in pieces.
fn holds_long_line(bytes: &[u8]) -> bool {
    // Between two places so far apart there must be a line end, or the line that goes over both is long.
    let mut from = 0;
    while bytes.len() - from > LONGEST {
        match memchr::memrchr(b'\n', &bytes[from..=from + LONGEST]) {
            Some(at) => from += at + 1,
            None => return true,
        }
    }
    false
}

/// What the first finding that is still there reads; for the eyes of whoever asks for it on this computer.
pub(crate) fn value(
    stand_ins: &StandIns,
    redacted: &[u8],
    chunk: &Chunk,
    keys: &[Pem],
    scratch: &mut Scratch,
) -> Result<Secret<String>, RedactError> {
    let mut first = None;
    each_line(stand_ins, redacted, chunk, keys, scratch, |_, line, hits, _| {
        if let (None, Some(hit)) = (&first, hits.first()) {
            first = Some(Secret::new(text::decode(&line[hit.start..hit.end]).into_owned()));
        }
        Ok(())
    })?;
    Ok(first.unwrap_or_else(|| Secret::new(String::new())))
}
