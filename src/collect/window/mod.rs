//! The window of time a snapshot is about: which lines of a log lie within.
//!
//! A window never cuts a line. A line without a stamp belongs to the one before it; what stands before the first stamp of a
//! file (the names of columns, say) stays when anything else does. Of a plain file everything from the first line within to
//! the last one stays, so that it can be found by halving; of a stream the lines between that lie outside go too. A file in
//! which the first 64 KiB show no stamp, or which is no text, is not touched.

mod find;
mod lines;
mod pass;
mod stamp;

use std::io::{self, Read};

use jiff::tz::TimeZone;

pub(super) use self::find::{Within, within};
pub(super) use self::lines::Lines;
pub(super) use self::pass::pass;
pub(super) use self::stamp::Reading;
use crate::clock::Timestamp;

/// How much of a file's beginning shows whether it has stamps, in bytes.
const BEGINNING: usize = 64 << 10;

/// From when until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first instant within; `None` for no beginning.
    pub since: Option<Timestamp>,
    /// The first instant behind; `None` for no end.
    pub until: Option<Timestamp>,
    /// Seconds by which both ends are moved outwards, because clocks differ.
    pub slack: i64,
    /// How stamps without an offset are to be read.
    pub zone: TimeZone,
}

impl Window {
    /// No end on either side.
    #[must_use]
    pub const fn open() -> Self {
        Self { since: None, until: None, slack: 0, zone: TimeZone::UTC }
    }

    /// Whether nothing can lie outside.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.since.is_none() && self.until.is_none()
    }

    /// Whether something that was last changed then can hold nothing that lies within.
    pub(super) fn is_over_at(&self, modified: Timestamp) -> bool {
        self.since.is_some_and(|since| modified.seconds() < since.seconds() - self.slack)
    }

    fn from(&self) -> i64 {
        self.since.map_or(i64::MIN, |since| since.seconds() - self.slack)
    }

    fn to(&self) -> i64 {
        self.until.map_or(i64::MAX, |until| until.seconds().saturating_add(self.slack))
    }

    fn holds(&self, stamp: i64) -> bool {
        (self.from()..self.to()).contains(&stamp)
    }

    /// What helps to read the stamps of a log that was last changed then.
    pub(super) fn reading(&self, latest: Timestamp) -> Reading {
        Reading { zone: self.zone.clone(), latest }
    }
}

/// How many bytes of a log stand before its first stamp; `None` when it is no log. Reads the first 64 KiB.
pub(super) fn heading(from: &mut impl Read, reading: &Reading) -> io::Result<Option<u64>> {
    let mut beginning = Vec::new();
    from.take(BEGINNING as u64).read_to_end(&mut beginning)?;
    if !is_text(&beginning) {
        return Ok(None);
    }
    let mut place = 0;
    for line in beginning.split_inclusive(|&byte| byte == b'\n') {
        if reading.stamp(line).is_some() {
            return Ok(Some(place));
        }
        place += line.len() as u64;
    }
    Ok(None)
}

/// Whether bytes from the beginning of a file are those of a text: without a zero.
fn is_text(bytes: &[u8]) -> bool {
    memchr::memchr(0, bytes).is_none()
}
