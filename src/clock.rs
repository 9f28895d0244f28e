//! Time as the rest of the house sees it: a [`Timestamp`] in whole seconds and a [`Clock`] that is handed in.
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

/// Says what time it is.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;
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
}

/// A clock that stands until it is moved: for tests and for the demo, which shows a deadline without waiting for it.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// Makes a clock that stands at `now`.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.seconds()))
    }

    /// Puts the clock to `now`, forward or back.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.seconds(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(self.0.load(Ordering::SeqCst))
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
    fn arithmetic_stays_within_the_calendar() {
        assert_eq!(Timestamp::EPOCH.plus_days(-1), Timestamp::EPOCH);
        assert_eq!(Timestamp::MAX.plus_seconds(i64::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::MAX.to_string(), "9999-12-30T22:00:00Z");
    }
}
