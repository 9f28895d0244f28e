//! The key that signs receipts, and the key that verifies them.

use std::fmt;
use std::str::FromStr;

use hkdf::Hkdf;
use rand::CryptoRng;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::ReceiptError;
use crate::ids::{TenantId, TicketId};
use crate::note::{NoteError, NoteKey, NoteVerifier};
use crate::secret::Secret;

/// Signs receipts. It stays in the portal.
#[derive(Debug)]
pub struct ReceiptKey(NoteKey);

impl ReceiptKey {
    /// Draws a new key for a portal called `name` (1 to 200 bytes, no white space, no `+`, no control characters).
    pub fn generate(name: &str, rng: &mut dyn CryptoRng) -> Result<Self, ReceiptError> {
        NoteKey::generate(name, rng).map(Self).map_err(|_| ReceiptError::BadKey("receipt"))
    }

    /// The portal's name, which stands beside every signature.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// The key that verifies what this one signs.
    #[must_use]
    pub fn portal_key(&self) -> PortalKey {
        PortalKey(self.0.verifier())
    }

    /// The key as text, in the form that signed-note tools use (`PRIVATE+KEY+name+hash+base64`).
    #[must_use]
    pub fn to_text(&self) -> Secret<String> {
        self.0.to_text()
    }

    /// Signs a text of lines as a note; `None` when it cannot be one.
    pub(crate) fn sign_text(&self, text: &str) -> Option<String> {
        self.0.sign(text).ok()
    }

    /// The keyed hash under which receipts name a ticket: HKDF-SHA-256 (RFC 5869) of the key's seed, 32 bytes in hexadecimal.
    #[must_use]
    pub fn hide_ticket(&self, tenant: &TenantId, ticket: &TicketId) -> String {
        let info =
            [b"tarseal/v1 receipt ticket\0", tenant.as_str().as_bytes(), b"\0", ticket.as_str().as_bytes()].concat();
        let mut hidden = [0; 32];
        Hkdf::<Sha256>::new(None, self.0.seed())
            .expand(&info, &mut hidden)
            .expect("32 bytes are fewer than HKDF-SHA-256 can give");
        hex::encode(hidden)
    }
}

impl FromStr for ReceiptKey {
    type Err = ReceiptError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self).map_err(|_| ReceiptError::BadKey("receipt"))
    }
}

/// Verifies receipts. As text it is `name+hash+base64`, one line, made to be pinned.
#[derive(Clone, PartialEq, Eq)]
pub struct PortalKey(NoteVerifier);

impl PortalKey {
    /// The portal's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// The text of a note that it signed.
    pub(crate) fn open_text<'a>(&self, note: &'a str) -> Result<&'a str, NoteError> {
        self.0.open(note)
    }
}

impl FromStr for PortalKey {
    type Err = ReceiptError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self).map_err(|_| ReceiptError::BadKey("portal"))
    }
}

impl fmt::Display for PortalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

impl fmt::Debug for PortalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

impl Serialize for PortalKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

impl<'de> Deserialize<'de> for PortalKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
