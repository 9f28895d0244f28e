//! How long a snapshot is kept, and whose calendar counts.

use std::fmt;
use std::str::FromStr;

use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The longest time in days that any rule of a policy may name: ten years.
const LONGEST_DAYS: u16 = 3650;

/// The days a tenant keeps its snapshots and what it writes of them. Each field is a maximum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
pub struct RetentionPolicy {
    /// Counts the changes of the policy; a receipt names the version it was made under.
    #[cfg_attr(feature = "portal", schema(maximum = 4_294_967_295_i64))]
    pub version: u32,
    /// Whole calendar days that follow the day on which the ticket was closed. 90 unless the tenant says otherwise.
    #[cfg_attr(feature = "portal", schema(minimum = 0, maximum = 3650))]
    pub after_close_days: u16,
    /// Days of 24 hours after the upload that nothing can lengthen. 365 unless the tenant says otherwise.
    #[cfg_attr(feature = "portal", schema(minimum = 1, maximum = 3650))]
    pub hard_cap_days: u16,
    /// How often the deadline of one snapshot may be moved on.
    #[cfg_attr(feature = "portal", schema(maximum = 255))]
    pub extensions: u8,
    /// By how many days at most each time; never past the hard cap.
    #[cfg_attr(feature = "portal", schema(minimum = 0, maximum = 3650))]
    pub extension_days: u16,
    /// After how many days of 24 hours without activity on an open ticket it is asked whether it is still open.
    #[cfg_attr(feature = "portal", schema(minimum = 1, maximum = 3650))]
    pub inactivity_days: u16,
    /// How many days of 24 hours an answer is waited for; then the ticket counts as closed at its last activity.
    #[cfg_attr(feature = "portal", schema(minimum = 1, maximum = 3650))]
    pub answer_days: u16,
    /// How many days whoever collects the portal's own log keeps it: stated in the record of processing activities. The portal
    /// writes it to standard error and keeps none.
    #[cfg_attr(feature = "portal", schema(minimum = 1, maximum = 3650))]
    pub logs_days: u16,
    /// How many days names, addresses and reasons stay in the audit log. Its records, which hold none, stay.
    #[cfg_attr(feature = "portal", schema(minimum = 1, maximum = 3650))]
    pub audit_days: u16,
    /// The longest time in days that a backup can hold what was deleted; written into every deletion receipt.
    #[cfg_attr(feature = "portal", schema(minimum = 0, maximum = 3650))]
    pub backup_horizon_days: u16,
    /// How many days what a person asked for is kept after it was answered.
    #[cfg_attr(feature = "portal", schema(minimum = 1, maximum = 3650))]
    pub requests_days: u16,
    /// The zone whose days are counted.
    #[cfg_attr(feature = "portal", schema(value_type = String, pattern = "^[A-Za-z0-9/_+-]{1,64}$"))]
    pub zone: Zone,
}

impl Default for RetentionPolicy {
    fn default() -> Self {
        Self {
            version: 1,
            after_close_days: 90,
            hard_cap_days: 365,
            extensions: 2,
            extension_days: 30,
            inactivity_days: 180,
            answer_days: 30,
            logs_days: 30,
            audit_days: 365,
            backup_horizon_days: 7,
            requests_days: 365,
            zone: Zone::utc(),
        }
    }
}

impl RetentionPolicy {
    /// Refuses what cannot be meant: a cap of nothing, days beyond ten years, a question that is answered before it is put.
    pub fn check(&self) -> Result<(), NotAPolicy> {
        let days = [
            ("after_close_days", self.after_close_days, 0),
            ("hard_cap_days", self.hard_cap_days, 1),
            ("extension_days", self.extension_days, 0),
            ("inactivity_days", self.inactivity_days, 1),
            ("answer_days", self.answer_days, 1),
            ("logs_days", self.logs_days, 1),
            ("audit_days", self.audit_days, 1),
            ("backup_horizon_days", self.backup_horizon_days, 0),
            ("requests_days", self.requests_days, 1),
        ];
        match days.into_iter().find(|(_, days, least)| !(*least..=LONGEST_DAYS).contains(days)) {
            Some((field, _, least)) => Err(NotAPolicy::OutOfRange { field, least, most: LONGEST_DAYS }),
            None if self.after_close_days > self.hard_cap_days => Err(NotAPolicy::CapTooShort),
            None => Ok(()),
        }
    }
}

/// Why a policy cannot be meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotAPolicy {
    /// A number of days is too small or too large.
    #[error("{field} lies outside {least} to {most} days")]
    OutOfRange {
        /// Which field.
        field: &'static str,
        /// The smallest number it takes.
        least: u16,
        /// The largest number it takes.
        most: u16,
    },
    /// Snapshots would be kept longer after closing than they may be kept at all.
    #[error("after_close_days is longer than hard_cap_days")]
    CapTooShort,
}

/// A time zone that exists, by its IANA name (`Europe/Brussels`).
#[derive(Clone, PartialEq, Eq)]
pub struct Zone {
    name: String,
    zone: TimeZone,
}

impl Zone {
    /// The zone without rules.
    #[must_use]
    pub fn utc() -> Self {
        Self { name: String::from("UTC"), zone: TimeZone::UTC }
    }

    /// The IANA name as it was given.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The rules of the zone, for calendar arithmetic.
    pub(crate) fn rules(&self) -> TimeZone {
        self.zone.clone()
    }
}

/// A text that names no time zone.
#[derive(Debug, thiserror::Error)]
#[error("\"{}\" is not a time zone (expected an IANA name, for example Europe/Brussels)", .0.escape_debug())]
pub struct NotAZone(String);

impl FromStr for Zone {
    type Err = NotAZone;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named =
            text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_+-".contains(&byte));
        match TimeZone::get(text) {
            Ok(zone) if named => Ok(Self { name: text.to_owned(), zone }),
            _ => Err(NotAZone(text.chars().take(64).collect())),
        }
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name)
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_ninety_days_after_closing_and_a_year_at_most() {
        let policy = RetentionPolicy::default();
        assert_eq!((policy.after_close_days, policy.hard_cap_days, policy.zone.name()), (90, 365, "UTC"));
    }

    #[test]
    fn what_cannot_be_meant_is_no_policy() {
        let good = RetentionPolicy::default();
        assert_eq!(good.check(), Ok(()));
        for bad in [
            RetentionPolicy { hard_cap_days: 0, after_close_days: 0, ..good.clone() },
            RetentionPolicy { hard_cap_days: 3651, ..good.clone() },
            RetentionPolicy { after_close_days: 366, ..good.clone() },
            RetentionPolicy { inactivity_days: 0, ..good.clone() },
            RetentionPolicy { answer_days: 0, ..good.clone() },
            RetentionPolicy { audit_days: 0, ..good },
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_policy_survives_json_and_refuses_unknown_words_and_zones() {
        let policy = RetentionPolicy { zone: "Europe/Brussels".parse().unwrap(), ..RetentionPolicy::default() };
        let text = serde_json::to_string(&policy).unwrap();
        assert_eq!(serde_json::from_str::<RetentionPolicy>(&text).unwrap(), policy);
        assert!(serde_json::from_str::<RetentionPolicy>(&text.replace("Europe/Brussels", "Europe/Atlantis")).is_err());
        assert!(serde_json::from_str::<RetentionPolicy>(&text.replace("version", "edition")).is_err());
        assert!("../../etc/passwd".parse::<Zone>().is_err());
    }
}
