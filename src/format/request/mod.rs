//! A technician's request: what the vendor asks a sender for, signed, so that nobody on the way asks for something else.
//!
//! One line of canonical JSON (RFC 8785) inside a signed note (<https://c2sp.org/signed-note>), signed by a technician's
//! [`SenderKey`](super::SenderKey) or by the vendor's [`RootKey`](super::key_list::RootKey). It says where to, for which
//! ticket, what and how much, and whom to seal to. It names a profile and never carries one, so it can make no computer run
//! or read anything that is not known there.
//!
//! Anyone can sign a request: [`ClaimedRequest::trust`] asks whose it is before anything in it counts.

mod error;
mod signer;

pub use error::RequestError;
pub use signer::{RequestKey, Signer};

use serde::{Deserialize, Serialize};

use super::key::Recipient;
use crate::clock::Timestamp;
use crate::ids::TicketId;
use crate::item::is_bidi;
use crate::note::unverified_text;

/// The longest request in bytes, note and signature included: sixteen recipients fit.
pub const MAX_LENGTH: usize = 48 * 1024;
/// The longest validity in seconds: seven days.
pub const MAX_SECONDS: i64 = 7 * 86_400;
/// The most recipients.
const MAX_RECIPIENTS: usize = super::header::MAX_SLOTS;
/// How far its issue may lie in the future, in seconds: clocks differ.
const CLOCK_SKEW: i64 = 3600;
/// The longest title in characters.
const MAX_TITLE: usize = 200;
/// The longest name of a profile in characters.
const MAX_PROFILE: usize = 64;
/// The longest address of a portal in bytes.
const MAX_PORTAL: usize = 2048;
/// The largest size that JSON numbers hold exactly (RFC 8785, section 3.2.2.3).
const MAX_BYTES: u64 = (1 << 53) - 1;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// The address of the portal to send to.
    pub portal: String,
    /// The ticket.
    pub ticket: TicketId,
    /// What the ticket is about: one line of at most 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The name of a built-in profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// How far back from the moment of collecting, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seconds: Option<u64>,
    /// From when on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// The most bytes of the sealed file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<u64>,
    /// Whom to seal to: 1 to 16, each once.
    #[serde(with = "as_texts")]
    pub recipients: Vec<Recipient>,
    /// When it was made.
    pub issued: Timestamp,
    /// From when on it is no longer good: at most seven days later.
    pub expires: Timestamp,
}

/// What a request says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Facts {
    kind: Kind,
    edition: u32,
    signer: Signer,
    asked: Asked,
}

/// What the note is, so that no other note of the same key passes for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Kind {
    #[serde(rename = "tarseal-request")]
    Request,
}

impl Asked {
    /// Signs it, and gives the note.
    pub fn sign(self, key: &RequestKey<'_>) -> Result<String, RequestError> {
        if let Some(fault) = fault_of(&self) {
            return Err(RequestError::Draft(fault));
        }
        let facts = Facts { kind: Kind::Request, edition: 1, signer: key.signer(), asked: self };
        let text = serde_json_canonicalizer::to_string(&facts)
            .map_err(|_| RequestError::Draft("it cannot be written as canonical JSON"))?;
        let note = key.sign(&(text + "\n"))?;
        if note.len() > MAX_LENGTH {
            return Err(RequestError::Draft("it is longer than 48 KiB: name fewer recipients"));
        }
        Ok(note)
    }

    /// Refuses a request that has expired, or that was signed more than an hour after `now`.
    pub fn check_time(&self, now: Timestamp) -> Result<(), RequestError> {
        if now >= self.expires {
            return Err(RequestError::Expired(self.expires));
        }
        if now.plus_seconds(CLOCK_SKEW) < self.issued {
            return Err(RequestError::NotYet(self.issued));
        }
        Ok(())
    }
}

/// A request that is whole and signed by the key it names itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedRequest(Facts);

impl ClaimedRequest {
    /// Reads a request.
    ///
    /// Refused: more than [`MAX_LENGTH`] bytes, one changed byte, a second signature, anything before or after, unknown fields,
    /// the same facts written in another way, and facts that contradict each other.
    pub fn read(note: &str) -> Result<Self, RequestError> {
        if note.len() > MAX_LENGTH {
            return Err(RequestError::Malformed("it is longer than 48 KiB"));
        }
        let claimed = unverified_text(note)?;
        let facts: Facts =
            serde_json::from_str(claimed).map_err(|_| RequestError::Malformed("its fields are not a request's"))?;
        let text = facts.signer.open(note)?;
        let canonical = serde_json_canonicalizer::to_string(&facts).unwrap_or_default() + "\n";
        if canonical != text {
            return Err(RequestError::Malformed("its JSON is not canonical"));
        }
        if facts.edition != 1 {
            return Err(RequestError::Malformed("it is of an edition this version does not know"));
        }
        match fault_of(&facts.asked) {
            Some(fault) => Err(RequestError::Malformed(fault)),
            None => Ok(Self(facts)),
        }
    }

    /// Who signed it.
    #[must_use]
    pub const fn signer(&self) -> &Signer {
        &self.0.signer
    }

    /// What it asks for; whether that counts is not decided yet.
    #[must_use]
    pub const fn asked(&self) -> &Asked {
        &self.0.asked
    }

    /// Gives what is asked if `is_trusted` holds for who signed it.
    pub fn trust(self, is_trusted: impl FnOnce(&Signer) -> bool) -> Result<Asked, RequestError> {
        if is_trusted(&self.0.signer) { Ok(self.0.asked) } else { Err(RequestError::OtherSigner(self.0.signer)) }
    }
}

/// What makes a request say something it cannot mean.
fn fault_of(asked: &Asked) -> Option<&'static str> {
    let backwards = |(since, until): (Timestamp, Timestamp)| until <= since;
    if asked.portal.len() > MAX_PORTAL || !is_line(&asked.portal, MAX_PORTAL) {
        Some("its portal is not an address")
    } else if !asked.title.as_deref().is_none_or(|title| is_line(title, MAX_TITLE)) {
        Some("its title is not one line of at most 200 characters")
    } else if !asked.profile.as_deref().is_none_or(is_profile) {
        Some("its profile is not the name of one")
    } else if asked.last_seconds.is_some() && (asked.since.is_some() || asked.until.is_some()) {
        Some("it names two windows of time")
    } else if asked.last_seconds == Some(0) || asked.since.zip(asked.until).is_some_and(backwards) {
        Some("its window of time is empty")
    } else if asked.last_seconds.is_some_and(|seconds| seconds > MAX_BYTES) {
        Some("its window of time has no end")
    } else if asked.max_bytes.is_some_and(|bytes| !(1..=MAX_BYTES).contains(&bytes)) {
        Some("its size is not a number from 1 to 2^53 - 1")
    } else if asked.recipients.is_empty() || asked.recipients.len() > MAX_RECIPIENTS {
        Some("it does not name 1 to 16 recipients")
    } else if (1..asked.recipients.len()).any(|at| asked.recipients[..at].contains(&asked.recipients[at])) {
        Some("it names a recipient twice")
    } else if asked.expires <= asked.issued || asked.expires > asked.issued.plus_seconds(MAX_SECONDS) {
        Some("it does not expire within seven days of its issue")
    } else {
        None
    }
}

/// Whether a text is one line that shows as what it is.
fn is_line(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.chars().count()) && !text.chars().any(|c| c.is_control() || is_bidi(c))
}

/// Whether a text can be the name of a built-in profile, and so is no path.
fn is_profile(text: &str) -> bool {
    (1..=MAX_PROFILE).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// Recipients in JSON are their texts.
mod as_texts {
    use serde::{Deserialize as _, Deserializer, Serializer, de};

    use super::Recipient;

    pub(super) fn serialize<S: Serializer>(recipients: &[Recipient], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(recipients.iter().map(ToString::to_string))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Recipient>, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        texts.iter().map(|text| text.parse().map_err(de::Error::custom)).collect()
    }
}

#[cfg(test)]
mod tests;
