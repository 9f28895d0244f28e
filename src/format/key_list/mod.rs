//! A vendor's key list: which recipients snapshots for this vendor are sealed to, signed, so that it can lie at any public
//! address and change without anybody typing a key anew.
//!
//! One line of canonical JSON (RFC 8785) inside a signed note (<https://c2sp.org/signed-note>), signed by the vendor's
//! [`RootKey`]. Who has pinned the [`Root`] takes any list that [`Claimed::trust`] passes, if it [succeeds](KeyList::succeeds)
//! the one taken before and is [good now](KeyList::check_time). The way through:
//!
//! 1. a vendor makes a [`RootKey`], writes a [`Draft`], signs it and publishes the note;
//! 2. a sender reads it as [`Claimed`] and trusts it by the root it has pinned: that gives a [`KeyList`];
//! 3. [`KeyList::recipients`] says whom to seal to at this instant.
//!
//! A root hands over to the next by a note of its own, and the list carries those notes: who pinned an old root is led to the
//! present one without having seen the lists between.

mod claimed;
mod draft;
mod error;
mod root;

pub use claimed::Claimed;
pub use draft::Draft;
pub use error::KeyListError;
pub use root::{Root, RootKey};

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::header::MAX_SLOTS;
use super::key::Recipient;
use crate::clock::Timestamp;
use crate::item::is_bidi;

/// The longest list in bytes, note and signature included.
pub const MAX_LENGTH: usize = 768 * 1024;
/// The most keys that a list holds, whatever their state.
pub const MAX_KEYS: usize = 256;
/// The most days between issue and expiry.
pub const MAX_DAYS: i64 = 400;
/// The most handovers of the root that a list holds.
const MAX_HANDOVERS: usize = 16;
/// How far a list's issue may lie in the future, in seconds: clocks differ.
const CLOCK_SKEW: i64 = 24 * 3600;
/// The longest purpose or reason in characters.
const MAX_TEXT: usize = 200;
/// The largest version that JSON numbers hold exactly (RFC 8785, section 3.2.2.3).
const MAX_VERSION: u64 = (1 << 53) - 1;

/// A list whose signature leads to a root that is trusted. Whether it is the newest and still good is asked of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyList {
    facts: Facts,
    note: String,
}

/// What a list says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Facts {
    kind: Kind,
    edition: u32,
    vendor: String,
    version: u64,
    issued: Timestamp,
    expires: Timestamp,
    root: Root,
    handovers: Vec<String>,
    keys: Vec<ListedKey>,
}

/// What the note is, so that no other note of the same key passes for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Kind {
    #[serde(rename = "tarseal-key-list")]
    KeyList,
}

/// One key in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListedKey {
    /// Whom to seal to.
    #[serde(with = "as_text")]
    pub recipient: Recipient,
    /// The recipient's fingerprint, for people who read the list.
    pub fingerprint: String,
    /// Who or what the key is for, for people: one line, at most 200 characters.
    pub purpose: String,
    /// From when on it may be sealed to.
    pub not_before: Timestamp,
    /// The instant from which on it may not be sealed to any more.
    pub not_after: Timestamp,
    /// Whether it is in use.
    pub state: KeyState,
    /// When it was retired or revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Why it was revoked: one line, at most 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Whether a key is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyState {
    /// Snapshots are sealed to it.
    Active,
    /// No longer sealed to; what was sealed to it is safe.
    Retired,
    /// Withdrawn: a stranger may have it. Nothing may be sealed to it, and that is final.
    Revoked,
}

impl KeyState {
    /// The state in one word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Retired => "retired",
            Self::Revoked => "revoked",
        }
    }
}

/// What a list is to the one taken before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Succession {
    /// The same.
    Same,
    /// A later one.
    Newer,
}

impl KeyList {
    /// The vendor's name: the one in its root key.
    #[must_use]
    pub fn vendor(&self) -> &str {
        &self.facts.vendor
    }

    /// Which of the vendor's lists it is; each is higher than the one before.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.facts.version
    }

    /// When it was signed.
    #[must_use]
    pub const fn issued(&self) -> Timestamp {
        self.facts.issued
    }

    /// The instant from which on it is no longer good.
    #[must_use]
    pub const fn expires(&self) -> Timestamp {
        self.facts.expires
    }

    /// The root that signed it: the one to pin from now on.
    #[must_use]
    pub const fn root(&self) -> &Root {
        &self.facts.root
    }

    /// Every key, in the vendor's order.
    #[must_use]
    pub fn keys(&self) -> &[ListedKey] {
        &self.facts.keys
    }

    /// The signed note it was read from, byte for byte.
    #[must_use]
    pub fn note(&self) -> &str {
        &self.note
    }

    /// Says whether it may take the place of `kept`, a list of the same vendor.
    ///
    /// Refused: an older version, the same version with other content, and a list that does not name as revoked what `kept`
    /// names as revoked.
    pub fn succeeds(&self, kept: &Self) -> Result<Succession, KeyListError> {
        let (new, old) = (&self.facts, &kept.facts);
        if new.version < old.version {
            return Err(KeyListError::Rollback { kept: old.version, found: new.version });
        }
        if new.version == old.version {
            return if new == old { Ok(Succession::Same) } else { Err(KeyListError::TwoOfOneVersion(new.version)) };
        }
        for key in old.keys.iter().filter(|key| key.state == KeyState::Revoked) {
            if self.find(&key.recipient).is_none_or(|found| found.state != KeyState::Revoked) {
                return Err(KeyListError::Unrevoked(key.fingerprint.clone()));
            }
        }
        Ok(Succession::Newer)
    }

    /// Refuses a list that has expired, or that was signed more than a day after `now`.
    pub fn check_time(&self, now: Timestamp) -> Result<(), KeyListError> {
        if now >= self.facts.expires {
            return Err(KeyListError::Expired(self.facts.expires));
        }
        if now.plus_seconds(CLOCK_SKEW) < self.facts.issued {
            return Err(KeyListError::NotYet(self.facts.issued));
        }
        Ok(())
    }

    /// The keys to seal to at `now`: active, and within their own time. At least one and at most 16.
    pub fn recipients(&self, now: Timestamp) -> Result<Vec<Recipient>, KeyListError> {
        self.check_time(now)?;
        let usable = |key: &&ListedKey| key.state == KeyState::Active && key.not_before <= now && now < key.not_after;
        let found: Vec<Recipient> = self.facts.keys.iter().filter(usable).map(|key| key.recipient.clone()).collect();
        if !found.is_empty() {
            return Ok(found);
        }
        let all_revoked = self.facts.keys.iter().all(|key| key.state == KeyState::Revoked);
        Err(KeyListError::NoKey { all_revoked })
    }

    /// What the list says about a key, if it names it.
    #[must_use]
    pub fn find(&self, recipient: &Recipient) -> Option<&ListedKey> {
        self.facts.keys.iter().find(|key| key.recipient == *recipient)
    }
}

/// What makes a list say something it cannot mean.
fn fault_of(facts: &Facts) -> Option<&'static str> {
    if facts.edition != 1 {
        Some("it is of an edition this version does not know")
    } else if facts.vendor != facts.root.name() {
        Some("it names another vendor than its root key")
    } else if facts.version == 0 || facts.version > MAX_VERSION {
        Some("its version is not a number from 1 to 2^53 - 1")
    } else if facts.expires <= facts.issued || facts.expires > facts.issued.plus_days(MAX_DAYS) {
        Some("it does not expire within 400 days of its issue")
    } else if facts.keys.is_empty() {
        Some("it names no key")
    } else if facts.keys.len() > MAX_KEYS {
        Some("it names more than 256 keys")
    } else if facts.keys.iter().filter(|key| key.state == KeyState::Active).count() > MAX_SLOTS {
        Some("it names more than 16 active keys")
    } else if named_twice(&facts.keys) {
        Some("it names a key twice")
    } else {
        facts.keys.iter().find_map(|key| fault_of_key(key, facts.issued))
    }
}

fn named_twice(keys: &[ListedKey]) -> bool {
    let mut seen = HashSet::new();
    !keys.iter().all(|key| seen.insert(&key.fingerprint))
}

fn fault_of_key(key: &ListedKey, issued: Timestamp) -> Option<&'static str> {
    let revoked = key.state == KeyState::Revoked;
    if key.fingerprint != key.recipient.fingerprint() {
        Some("a fingerprint is not its key's")
    } else if !is_line(&key.purpose) || !key.reason.as_deref().is_none_or(is_line) {
        Some("a purpose or reason is not one line of at most 200 characters")
    } else if key.not_after <= key.not_before {
        Some("a key is good until before it is good")
    } else if key.since.is_some() == (key.state == KeyState::Active) || key.reason.is_some() != revoked {
        Some("a retired key says since when, a revoked one also why, an active one neither")
    } else if key.since.is_some_and(|since| since > issued) {
        Some("a key was retired or revoked after the list was signed")
    } else {
        None
    }
}

/// Whether a text is one line that shows as what it is.
fn is_line(text: &str) -> bool {
    let count = text.chars().count();
    (1..=MAX_TEXT).contains(&count) && !text.chars().any(|c| c.is_control() || is_bidi(c))
}

/// A recipient in JSON is its text.
mod as_text {
    use serde::{Deserialize as _, Deserializer, Serializer, de};

    use super::Recipient;

    pub(super) fn serialize<S: Serializer>(recipient: &Recipient, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(recipient)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Recipient, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
