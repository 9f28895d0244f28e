//! Time as the rest of the house sees it: a [`Timestamp`] in whole seconds and a [`Clock`] that is handed in.
//!
//! A wall clock can be set, by hand or by a time server. [`Running`] cannot: it counts from the machine's start, also while the
//! machine sleeps. Whoever must not be fooled compares the two.
//!
//! Only this file reads the wall clock. Everything that depends on time takes a `Timestamp` or a `&dyn Clock`, so a test or
//! the demo can stand on any day it likes.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An instant in UTC, in whole seconds since 1970-01-01T00:00:00Z.
///
/// As text and in JSON it is RFC 3339 with a `Z`: `2026-11-21T14:20:01Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The earliest instant a file can name: 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// The last instant that can be written as a calendar date: 9999-12-30T22:00:00Z.
    pub const MAX: Self = Self(253_402_207_200);

    /// Makes an instant from seconds since 1970; values outside 1970–9999 are moved to the nearest end.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        if seconds < Self::EPOCH.0 {
            Self::EPOCH
        } else if seconds > Self::MAX.0 {
            Self::MAX
        } else {
            Self(seconds)
        }
    }

    /// Seconds since 1970-01-01T00:00:00Z, never negative.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0
    }

    /// The instant `seconds` later (earlier when negative), held within 1970–9999.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self::from_seconds(self.0.saturating_add(seconds))
    }

    /// The instant `days` times 86 400 seconds later. Calendar days are `track::deadline`'s matter.
    #[must_use]
    pub const fn plus_days(self, days: i64) -> Self {
        self.plus_seconds(days.saturating_mul(86_400))
    }

    /// The same instant as jiff knows it, for calendar arithmetic and time zones.
    #[must_use]
    pub fn to_jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_second(self.0).expect("a Timestamp lies within 1970-9999, jiff holds more")
    }
}

impl From<jiff::Timestamp> for Timestamp {
    fn from(instant: jiff::Timestamp) -> Self {
        Self::from_seconds(instant.as_second())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_jiff().fmt(f)
    }
}

/// A text that is not an RFC 3339 instant.
#[derive(Debug, thiserror::Error)]
#[error("\"{0}\" is not a point in time (expected RFC 3339, for example 2026-11-21T14:20:01Z)")]
pub struct NotATimestamp(String);

impl FromStr for Timestamp {
    type Err = NotATimestamp;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<jiff::Timestamp>().map(Self::from).map_err(|_| NotATimestamp(text.to_owned()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// How long a machine runs, by a clock that nobody can set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// Which start of which machine it counts from.
    pub start: String,
    /// Seconds since then, also while the machine slept.
    pub seconds: i64,
}

/// Says what time it is.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;

    /// How long the machine runs; `None` where that cannot be told.
    fn running(&self) -> Option<Running> {
        None
    }
}

/// The machine's wall clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_seconds(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    }

    #[cfg(all(feature = "portal", target_os = "linux"))]
    fn running(&self) -> Option<Running> {
        let start = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        let since = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        Some(Running { start: start.trim_ascii().to_owned(), seconds: since.tv_sec })
    }
}

/// A clock that stands until it is moved: for tests and for the demo, which shows a deadline without waiting for it.
#[derive(Debug)]
pub struct ManualClock {
    now: AtomicI64,
    start: AtomicI64,
    running: AtomicI64,
}

impl ManualClock {
    /// Makes a clock that stands at `now`, on a machine that has just started.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self { now: AtomicI64::new(now.seconds()), start: AtomicI64::new(1), running: AtomicI64::new(0) }
    }

    /// Lets time pass until `now`. Where `now` lies in the past, the clock is set back: time does not run backwards.
    pub fn set(&self, now: Timestamp) {
        let before = self.now.swap(now.seconds(), Ordering::SeqCst);
        self.running.fetch_add((now.seconds() - before).max(0), Ordering::SeqCst);
    }

    /// Sets the clock to `now` while no time passes, as someone at the machine can.
    pub fn step(&self, now: Timestamp) {
        self.now.store(now.seconds(), Ordering::SeqCst);
    }

    /// Switches the machine off and, when the clock says `now`, on again.
    pub fn start_again(&self, now: Timestamp) {
        self.step(now);
        self.start.fetch_add(1, Ordering::SeqCst);
        self.running.store(0, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(self.now.load(Ordering::SeqCst))
    }

    fn running(&self) -> Option<Running> {
        let start = format!("start-{}", self.start.load(Ordering::SeqCst));
        Some(Running { start, seconds: self.running.load(Ordering::SeqCst) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_reads_and_writes_rfc_3339() {
        let text = "2026-11-21T14:20:01Z";
        let instant: Timestamp = text.parse().unwrap();
        assert_eq!(instant.to_string(), text);
        assert_eq!(serde_json::to_string(&instant).unwrap(), format!("\"{text}\""));
        assert_eq!("2026-11-21T15:20:01+01:00".parse::<Timestamp>().unwrap(), instant);
        assert!("yesterday".parse::<Timestamp>().is_err());
    }

    #[test]
    fn the_machine_runs_on_while_its_clock_is_set() {
        let clock = ManualClock::at(Timestamp::from_seconds(1000));
        clock.set(Timestamp::from_seconds(1500));
        clock.step(Timestamp::from_seconds(9000));
        clock.set(Timestamp::from_seconds(2000));
        let running = clock.running().unwrap();
        assert_eq!((clock.now().seconds(), running.seconds), (2000, 500));
        clock.start_again(Timestamp::from_seconds(3000));
        assert_ne!(clock.running().unwrap().start, running.start);
    }

    #[test]
    #[cfg(all(feature = "portal", target_os = "linux"))]
    fn the_system_tells_how_long_it_runs() {
        let (first, second) = (SystemClock.running().unwrap(), SystemClock.running().unwrap());
        assert_eq!((first.start.len(), &first.start), (36, &second.start));
        assert!(first.seconds > 0 && first.seconds <= second.seconds);
    }

    #[test]
    fn arithmetic_stays_within_the_calendar() {
        assert_eq!(Timestamp::EPOCH.plus_days(-1), Timestamp::EPOCH);
        assert_eq!(Timestamp::MAX.plus_seconds(i64::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::MAX.to_string(), "9999-12-30T22:00:00Z");
    }
}
