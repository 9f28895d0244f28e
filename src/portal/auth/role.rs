//! The roles, in the words of the command line and of the wire.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a principal is to its tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Sends snapshots for one ticket.
    Upload,
    /// Opens tickets and sends snapshots.
    Staff,
    /// Works on tickets: reads snapshots, closes and reopens.
    Technician,
    /// Leads technicians.
    Lead,
    /// Administers the tenant.
    Admin,
    /// Watches over personal data.
    Dpo,
    /// Reads what was done.
    Auditor,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 7] =
        [Self::Upload, Self::Staff, Self::Technician, Self::Lead, Self::Admin, Self::Dpo, Self::Auditor];

    /// The role in one word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Upload => "upload",
            Self::Staff => "staff",
            Self::Technician => "technician",
            Self::Lead => "lead",
            Self::Admin => "admin",
            Self::Dpo => "dpo",
            Self::Auditor => "auditor",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A word that names no role.
#[derive(Debug, thiserror::Error)]
#[error("\"{}\" is not a role (one of: upload, staff, technician, lead, admin, dpo, auditor)", .0.escape_debug())]
pub struct NotARole(String);

impl FromStr for Role {
    type Err = NotARole;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|role| role.word() == text).ok_or_else(|| NotARole(text.to_owned()))
    }
}

impl Serialize for Role {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

impl<'de> Deserialize<'de> for Role {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
