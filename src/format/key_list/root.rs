//! The one key that a sender pins, its secret part, and how one root hands over to the next.

use std::fmt;
use std::str::FromStr;

use rand::CryptoRng;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::error::KeyListError;
use crate::clock::Timestamp;
use crate::format::fingerprint::Fingerprint;
use crate::note::{NoteKey, NoteVerifier, unverified_text};
use crate::secret::Secret;

/// The first line of a handover.
const HANDOVER: &str = "tarseal root handover";
/// The longest handover in bytes.
const MAX_HANDOVER: usize = 2048;

/// Verifies a vendor's key lists. As text it is `name+hash+base64`, one line, made to be pinned.
#[derive(Clone, PartialEq, Eq)]
pub struct Root(NoteVerifier);

impl Root {
    /// The vendor's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// The fingerprint of its text.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self.0.as_str())
    }

    /// The text of a note that this root signed.
    pub(in crate::format) fn open<'note>(&self, note: &'note str) -> Result<&'note str, KeyListError> {
        Ok(self.0.open(note)?)
    }
}

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Root {
    type Err = KeyListError;

    fn from_str(text: &str) -> Result<Self, KeyListError> {
        text.trim().parse().map(Self).map_err(|_| KeyListError::BadKey("root key (name+hash+base64)"))
    }
}

impl Serialize for Root {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

impl<'de> Deserialize<'de> for Root {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Signs key lists. It belongs on a computer that serves nothing, or in a safe.
#[derive(Debug)]
pub struct RootKey(NoteKey);

impl RootKey {
    /// Draws a new key for a vendor called `name` (1 to 200 bytes, no white space, no `+`, no control characters).
    pub fn generate(name: &str, rng: &mut dyn CryptoRng) -> Result<Self, KeyListError> {
        NoteKey::generate(name, rng)
            .map(Self)
            .map_err(|_| KeyListError::BadKey("name for a root key: 1 to 200 characters without spaces or '+'"))
    }

    /// The key that verifies what this one signs.
    #[must_use]
    pub fn root(&self) -> Root {
        Root(self.0.verifier())
    }

    /// Writes the key file: two comment lines, then the secret in one line.
    #[must_use]
    pub fn to_text(&self, created: Timestamp) -> Secret<String> {
        let secret = self.0.to_text();
        // Long enough from the beginning: growing would leave pieces of the secret behind.
        let mut text = Secret::new(String::with_capacity(4096));
        for part in ["# created: ", &created.to_string(), "\n# root: ", &self.root().to_string(), "\n"] {
            text.expose_mut().push_str(part);
        }
        text.expose_mut().push_str(secret.expose());
        text.expose_mut().push('\n');
        text
    }

    pub(in crate::format) fn sign(&self, text: &str) -> Result<String, KeyListError> {
        Ok(self.0.sign(text)?)
    }

    /// Says, signed by this root, that `next` takes its place.
    pub(super) fn hand_over(&self, next: &Root) -> Result<String, KeyListError> {
        self.sign(&format!("{HANDOVER}\n{}\n{next}\n", self.root()))
    }
}

impl FromStr for RootKey {
    type Err = KeyListError;

    /// Reads a key file: one secret key; blank lines and lines that begin with `#` do not matter.
    fn from_str(text: &str) -> Result<Self, KeyListError> {
        let bad = || KeyListError::BadKey("root key file (one line PRIVATE+KEY+…)");
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        match (lines.next(), lines.next()) {
            (Some(line), None) => line.parse().map(Self).map_err(|_| bad()),
            _ => Err(bad()),
        }
    }
}

/// Reads a handover: the root that hands over and the one it hands over to. Both have the same name.
pub(super) fn read_handover(note: &str) -> Result<(Root, Root), KeyListError> {
    const FAULT: KeyListError = KeyListError::Malformed("a handover of the root is damaged");
    if note.len() > MAX_HANDOVER {
        return Err(FAULT);
    }
    let text = unverified_text(note).map_err(|_| FAULT)?;
    let lines: Vec<&str> = text.split('\n').collect();
    let [HANDOVER, from, to, ""] = lines.as_slice() else { return Err(FAULT) };
    let (from, to): (Root, Root) = (from.parse().map_err(|_| FAULT)?, to.parse().map_err(|_| FAULT)?);
    // One spelling only, and no way from one vendor's name to another's.
    if format!("{HANDOVER}\n{from}\n{to}\n") != text || from.name() != to.name() || from == to {
        return Err(FAULT);
    }
    from.open(note)?;
    Ok((from, to))
}
