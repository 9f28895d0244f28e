//! One line of the log.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::LogError;
use crate::clock::Timestamp;
use crate::ids::TenantId;

/// What happened: who did what to what, when, from where, with what tool, what for, and how it ended. Holds no address, name or
/// free text, only commitments to them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// 16 random bytes in hexadecimal. They keep the public hashes of the tree from telling what the record may say.
    pub id: String,
    /// Whose it is.
    pub tenant: TenantId,
    /// Its number among the tenant's records, from 1 without a gap.
    pub number: u64,
    /// When it happened.
    pub at: Timestamp,
    /// What was done.
    pub act: String,
    /// What for.
    pub purpose: String,
    /// Who did it: the id of a token or account, or the operator, or the portal itself.
    pub actor: String,
    /// As what.
    pub role: String,
    /// The commitment to the actor's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The commitment to the network address it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// With what kind of program.
    pub tool: String,
    /// What kind of thing it was done to.
    pub kind: String,
    /// Which one.
    pub object: String,
    /// The ticket that belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// How it ended.
    pub outcome: String,
    /// The commitment to the reason that was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The request it was done in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// SHA-256 of the statement that was signed with it, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<String>,
}

impl Record {
    /// The record as it stands in the log: canonical JSON (RFC 8785) without a line end.
    #[must_use]
    pub fn line(&self) -> String {
        serde_json_canonicalizer::to_string(self).expect("records are plain data with exact numbers")
    }

    /// Reads a record that is written the one way records are written.
    pub fn read(line: &str) -> Result<Self, LogError> {
        let record: Self = serde_json::from_str(line).map_err(|_| LogError::Malformed("it is not a record"))?;
        if record.line() == line {
            Ok(record)
        } else {
            Err(LogError::Malformed("it is not written the one way a record is written"))
        }
    }

    /// The commitment that stands in the record for that field.
    #[must_use]
    pub fn commitment(&self, field: Field) -> Option<&str> {
        match field {
            Field::Address => self.address.as_deref(),
            Field::Name => self.name.as_deref(),
            Field::Reason => self.reason.as_deref(),
        }
    }
}

/// What a record holds as a commitment alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Field {
    /// The network address a request came from.
    Address,
    /// The name of who acted.
    Name,
    /// Why someone says they read.
    Reason,
}

impl Field {
    /// Every field.
    pub const ALL: [Self; 3] = [Self::Address, Self::Name, Self::Reason];

    /// The field in one word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Name => "name",
            Self::Reason => "reason",
        }
    }

    /// The field of that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.word() == word)
    }
}

/// What opens a commitment: without the salt nobody can tell which value it was made from, not even by trying all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// 32 random bytes in hexadecimal.
    pub salt: String,
    /// The value.
    pub value: String,
}

impl Opening {
    /// The commitment: SHA-256 over `"tarseal/v1 audit FIELD\0" ‖ salt ‖ value`, in hexadecimal. `None` when the salt is not 32
    /// bytes in hexadecimal.
    #[must_use]
    pub fn commitment(&self, field: Field) -> Option<String> {
        let salt = salt_from(&self.salt)?;
        let mut hasher = Sha256::new();
        hasher.update(b"tarseal/v1 audit ");
        hasher.update(field.word());
        hasher.update(b"\0");
        hasher.update(salt);
        hasher.update(&self.value);
        Some(hex::encode(hasher.finalize()))
    }
}

/// Reads a salt: 64 hexadecimal digits.
#[must_use]
pub fn salt_from(text: &str) -> Option<[u8; 32]> {
    let mut salt = [0; 32];
    hex::decode_to_slice(text, &mut salt).ok().map(|()| salt)
}

/// A record for tests.
#[cfg(test)]
pub(crate) fn sample(number: u64) -> Record {
    Record {
        id: format!("{number:032x}"),
        tenant: "acme".parse().unwrap(),
        number,
        at: Timestamp::from_seconds(1_800_000_000),
        act: String::from("read-content"),
        purpose: String::from("support"),
        actor: String::from("0011223344556677"),
        role: String::from("technician"),
        name: None,
        address: Some("ab".repeat(32)),
        tool: String::from("tarseal"),
        kind: String::from("snapshot"),
        object: "07".repeat(16),
        ticket: Some(String::from("4711")),
        outcome: String::from("done"),
        reason: None,
        request: Some("cd".repeat(16)),
        receipt: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_has_one_spelling() {
        let record = sample(7);
        let line = record.line();
        assert_eq!(Record::read(&line).unwrap(), record);
        assert!(line.starts_with("{\"act\":\"read-content\",\"actor\":"), "{line}");
        for other in [
            line.replacen('{', "{ ", 1),
            line.replacen("\"act\"", "\"zeal\":1,\"act\"", 1),
            line.replacen("\"number\":7", "\"number\":7.0", 1),
            format!("{line}\n"),
        ] {
            assert!(Record::read(&other).is_err(), "{other}");
        }
    }

    #[test]
    fn a_commitment_opens_with_its_own_salt_value_and_field_alone() {
        let opening = Opening { salt: "5a".repeat(32), value: String::from("192.0.2.7") };
        let made = opening.commitment(Field::Address).unwrap();
        assert_eq!(made.len(), 64);
        assert_ne!(opening.commitment(Field::Name).unwrap(), made);
        assert_ne!(Opening { salt: "5b".repeat(32), ..opening.clone() }.commitment(Field::Address).unwrap(), made);
        assert_ne!(
            Opening { value: String::from("192.0.2.8"), ..opening.clone() }.commitment(Field::Address).unwrap(),
            made
        );
        assert!(Opening { salt: String::from("5a"), ..opening }.commitment(Field::Address).is_none());
    }
}
