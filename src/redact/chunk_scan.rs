//! Scans the lines of a chunk in their order, with what the lines before them say about each.

use std::ops::Range;

use super::category::Category;
use super::error::RedactError;
use super::handover::{Handed, Reading};
use super::hit::{Form, Hit};
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

/// For each line, whether it begins within a private key; nothing when there is none.
pub(crate) fn key_lines(bytes: &[u8], first: Pem) -> Result<Vec<Pem>, RedactError> {
    if first == Pem::Outside && !pem::touches(bytes) {
        return Ok(Vec::new());
    }
    let mut state = first;
    let mut states = Vec::new();
    for unit in lines::units(bytes) {
        states.push(state);
        state = state.step(&bytes[unit?]).0;
    }
    Ok(states)
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
    for (place, unit) in lines::units(bytes).enumerate() {
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
        if keys.get(place) == Some(&Pem::Inside)
            && let Some(body) = Pem::Inside.step(line).1
        {
            shape.pass_line(line);
            let hit = Hit { start: body.start, end: body.end, category: Category::Secret, form: Form::Drop, rank: 0 };
            if scanner.wants(&hit) {
                let around = Around { memo: &mut scratch.memo, before, after: shape.state() };
                found(unit.start, line, &[hit], number, around)?;
            }
        } else {
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
            if !scratch.hits.found.is_empty() {
                let around = Around { memo: &mut scratch.memo, before, after: shape.state() };
                found(unit.start, line, &scratch.hits.found, number, around)?;
            }
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
