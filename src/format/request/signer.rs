//! Who signs a request: a technician's key, or a vendor's root key.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::RequestError;
use crate::format::Fingerprint;
use crate::format::key_list::{Root, RootKey};
use crate::format::sender::{Sender, SenderKey};
use crate::note::{NoteKey, NoteVerifier};

/// The name that a sender's key has in a signature; the key itself tells whose it is.
const NAME: &str = "tarseal-request";

/// What signs a request.
#[derive(Clone, Copy, Debug)]
pub enum RequestKey<'a> {
    /// A technician's own key.
    Sender(&'a SenderKey),
    /// The vendor's root key.
    Root(&'a RootKey),
}

impl RequestKey<'_> {
    /// Who it is.
    #[must_use]
    pub fn signer(&self) -> Signer {
        match self {
            Self::Sender(key) => Signer::Sender(key.sender()),
            Self::Root(key) => Signer::Root(key.root()),
        }
    }

    pub(super) fn sign(&self, text: &str) -> Result<String, RequestError> {
        match self {
            Self::Sender(key) => Ok(NoteKey::from_seed(NAME, key.seed()).sign(text)?),
            Self::Root(key) => Ok(key.sign(text)?),
        }
    }
}

/// Who signed a request. As text `tarseal-sender1…` or a root key (`name+hash+base64`).
#[derive(Clone, PartialEq, Eq)]
pub enum Signer {
    /// A technician's own key.
    Sender(Sender),
    /// The vendor's root key.
    Root(Root),
}

impl Signer {
    /// What two people compare over the telephone.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        match self {
            Self::Sender(sender) => sender.told(),
            Self::Root(root) => root.fingerprint(),
        }
    }

    /// The text of a note that this key signed.
    pub(super) fn open<'note>(&self, note: &'note str) -> Result<&'note str, RequestError> {
        match self {
            Self::Sender(sender) => Ok(NoteVerifier::of(NAME, sender.as_bytes()).open(note)?),
            Self::Root(root) => Ok(root.open(note)?),
        }
    }
}

impl fmt::Display for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sender(sender) => fmt::Display::fmt(sender, f),
            Self::Root(root) => fmt::Display::fmt(root, f),
        }
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Signer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Signer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if let Ok(sender) = text.parse() {
            return Ok(Self::Sender(sender));
        }
        text.parse().map(Self::Root).map_err(|_| de::Error::custom("neither a sender nor a root key"))
    }
}
