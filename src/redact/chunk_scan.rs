//! Scans the lines of a chunk in their order, with what the lines before them say about each.

use std::ops::Range;

use super::error::RedactError;
use super::handover::{Handed, Reading};
use super::hit::Hit;
use super::lines::{self, Chunk};
use super::masks::Signs;
use super::memo::Memo;
use super::pem::{self, Pem};
use super::scan::{Places, Scanner, Scratch};
use super::shape::State;
use super::stand_in::StandIns;

/// Scans every line of a chunk: `found` gets where the line begins, the line, what was found in it, and its number from 0.
pub(crate) fn each_line(
    stand_ins: &StandIns,
    bytes: &[u8],
    chunk: &Chunk,
    keys: &[Pem],
    scratch: &mut Scratch,
    mut found: impl FnMut(usize, &[u8], &[Hit], u64) -> Result<(), RedactError>,
) -> Result<(), RedactError> {
    let scanner = Scanner::knowing(stand_ins);
    scan_units(&scanner, bytes, chunk, keys, scratch, Share::Nothing, &mut |start, line, hits, number, _| {
        found(start, line, hits, number)
    })
}

/// For each line, whether it begins within a private key, and the same for what comes after the last; nothing when there is
/// none.
pub(crate) fn key_lines(bytes: &[u8], first: Pem) -> Result<Vec<Pem>, RedactError> {
    if first == Pem::Outside && !pem::touches(bytes) {
        return Ok(Vec::new());
    }
    let mut state = first;
    let mut states = vec![first];
    for unit in lines::units(bytes) {
        let unit = unit?;
        state = state.step(&bytes[unit.clone()]).0;
        if ends_line(bytes, &unit) {
            states.push(state);
        }
    }
    Ok(states)
}

/// Whether a piece of a line is its last.
fn ends_line(bytes: &[u8], unit: &Range<usize>) -> bool {
    bytes.get(unit.end).is_none_or(|&b| b == b'\n')
}

/// Drops what of a line belongs to a private key; `state` is how it begins and then how the next piece does, `keys` how the
/// lines of the text before it was redacted do.
///
/// What is dropped in a line must not make it the beginning of a key, or leave one open that the line had ended: the lines
/// behind it would be read otherwise when they are redacted again. Such a line goes whole.
fn drop_key(scanner: &Scanner<'_>, line: &[u8], state: &mut Pem, after: Option<Pem>, scratch: &mut Scratch) {
    let (next, body) = state.step(line);
    *state = next;
    let whole = || (!line.trim_ascii().is_empty()).then(|| 0..line.trim_ascii_end().len());
    if let Some(place) = if after.is_some_and(|after| after < next) { whole() } else { body } {
        scanner.drop_too(line, place, scratch);
    }
}

/// What is known around a line.
pub(crate) struct Around<'a> {
    pub(crate) memo: &'a mut Memo,
    /// Where in the text's shape the line stands, and the next one.
    pub(crate) before: &'a State,
    pub(crate) after: &'a State,
}

/// What another scan of the same chunk has to do with this one.
pub(crate) enum Share<'h> {
    Nothing,
    /// It will want to know what is found.
    Note(&'h mut Handed),
    /// It found this.
    Read(Reading<'h>),
}

/// Nothing that began goes on.
static IDLE: State = State::Idle;

/// The same with any scanner; `found` also gets what is known around the line.
pub(crate) fn scan_units(
    scanner: &Scanner<'_>,
    bytes: &[u8],
    chunk: &Chunk,
    keys: &[Pem],
    scratch: &mut Scratch,
    mut share: Share<'_>,
    found: &mut impl FnMut(usize, &[u8], &[Hit], u64, Around<'_>) -> Result<(), RedactError>,
) -> Result<(), RedactError> {
    let mut shape = chunk.shape.clone();
    let mut masks = scratch.masks.pop().unwrap_or_default();
    let mut window = 0..0;
    let mut previous: &[u8] = &chunk.context;
    let mut number = 0;
    // Pieces of one line follow each other; a line begins as it did before the text was redacted.
    let mut key = keys.first().copied();
    for unit in lines::units(bytes) {
        let unit = unit?;
        if unit.end > window.end {
            window = unit.start..window_end(bytes, &unit);
            match share {
                Share::Read(_) => masks.read_words(&bytes[window.clone()]),
                _ => scanner.places(&bytes[window.clone()], &mut masks),
            }
        }
        let line = &bytes[unit.clone()];
        // Most lines begin nothing that goes on.
        let state = Some(shape.state()).filter(|state| **state != IDLE).cloned();
        let before = state.as_ref().unwrap_or(&IDLE);
        let (from, to) = (unit.start - window.start, unit.end - window.start);
        let view = Places { text: &bytes[window.clone()], masks: &masks, from, to };
        if let Share::Read(reading) = &mut share {
            if reading.line(scanner, &view, &unit, scratch) {
                if reading.is_shaped() {
                    shape.pass_line(line);
                }
            } else {
                shape.line(line, Signs::ANY, &mut scratch.shaped);
                scanner.scan(line, previous, scratch);
            }
        } else {
            shape.line(line, view.signs(), &mut scratch.shaped);
            scanner.scan_place(&view, previous, scratch);
        }
        if let Share::Note(handed) = &mut share {
            handed.note(unit.start, scratch);
            handed.shaped |= *before != IDLE || *shape.state() != IDLE;
        }
        let ended = ends_line(bytes, &unit);
        if let Some(state) = &mut key {
            let after = usize::try_from(number).ok().and_then(|number| keys.get(number + 1)).filter(|_| ended).copied();
            drop_key(scanner, line, state, after, scratch);
            *state = after.unwrap_or(*state);
        }
        if !scratch.hits.found.is_empty() {
            let around = Around { memo: &mut scratch.memo, before, after: shape.state() };
            found(unit.start, line, &scratch.hits.found, number, around)?;
        }
        previous = lines::tail(line);
        number += u64::from(bytes.get(unit.end) == Some(&b'\n'));
    }
    scratch.masks.push(masks);
    Ok(())
}

/// How many bytes of lines are looked at together.
const WINDOW: usize = 16 << 10;

/// Where the window ends that begins with the line at `first`: behind a line, or with the line when that is longer.
fn window_end(bytes: &[u8], first: &Range<usize>) -> usize {
    let most = bytes.len().min(first.start + WINDOW);
    match memchr::memrchr(b'\n', &bytes[first.start..most]) {
        Some(length) if first.start + length >= first.end => first.start + length + 1,
        _ => first.end,
    }
}
