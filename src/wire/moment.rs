//! A point in time as people tell it.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// A point in time as people tell it: an instant, or a day, which means the end of that day in the tenant's zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// RFC 3339: `2026-12-03T14:20:01Z`.
    Instant(Timestamp),
    /// `2026-12-03`.
    Day(jiff::civil::Date),
}

impl From<Timestamp> for Moment {
    fn from(instant: Timestamp) -> Self {
        Self::Instant(instant)
    }
}

impl Serialize for Moment {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Instant(instant) => instant.serialize(serializer),
            Self::Day(day) => serializer.collect_str(day),
        }
    }
}

impl std::str::FromStr for Moment {
    type Err = crate::clock::NotATimestamp;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse::<jiff::civil::Date>() {
            Ok(day) if text.len() == "2026-12-03".len() => Ok(Self::Day(day)),
            _ => text.parse().map(Self::Instant),
        }
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
