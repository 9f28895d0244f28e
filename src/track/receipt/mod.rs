//! The portal's signed statement about one snapshot: that it was stored, or that it was deleted.
//!
//! A receipt is canonical JSON (RFC 8785) on one line inside a signed note (<https://c2sp.org/signed-note>), and behind it the
//! proof that the portal's log has a record of it (<https://c2sp.org/tlog-proof>). So a portal cannot sign one thing for its
//! sender and show another to its auditor, and every sender is a witness of the log.
//!
//! It holds no personal data and no file name, is at most 4096 bytes, and is verified without a network by whoever has the
//! portal's key. It proves what the operator stated, not what the operator did.

mod logged;

pub use logged::{Logged, verify_logged, with_proof};

use std::fmt;
use std::str::FromStr;

use hkdf::Hkdf;
use rand::CryptoRng;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::log::LogError;
use super::state::Phase;
use crate::clock::Timestamp;
use crate::ids::{TenantId, TicketId};
use crate::note::{NoteError, NoteKey, NoteVerifier};
use crate::secret::Secret;

/// The longest receipt in bytes, with its signature and its proof.
pub const MAX_LENGTH: usize = 4096;

/// The longest signed note in bytes; the rest is for the proof.
pub const MAX_NOTE: usize = 2048;

/// The largest size that JSON numbers hold exactly (RFC 8785, section 3.2.2.3).
const MAX_SIZE: u64 = (1 << 53) - 1;

/// What the portal states.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The edition of these fields: 1.
    pub version: u32,
    /// Whether the snapshot was stored or deleted.
    pub kind: Kind,
    /// Names this receipt: 32 hexadecimal digits.
    pub id: String,
    /// The name in the portal's key.
    pub portal: String,
    /// [`ReceiptKey::hide_ticket`] of the ticket: only the portal can tell which one it is.
    pub ticket: String,
    /// SHA-256 of the sealed file in hexadecimal.
    pub sha256: String,
    /// Length of the sealed file in bytes.
    pub size: u64,
    /// When its last byte was stored.
    pub uploaded: Timestamp,
    /// When the ticket was closed, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<Timestamp>,
    /// The instant by which the snapshot must be gone, as known when this was signed.
    pub due: Timestamp,
    /// When it was deleted; in deletion receipts alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<Timestamp>,
    /// Why it was deleted; in deletion receipts alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<DeletionReason>,
    /// What was done, in order; empty in upload receipts.
    pub steps: Vec<StepDone>,
    /// For how many days after the deletion a backup may still hold the sealed bytes, without the key to open them.
    pub backup_horizon_days: u16,
    /// The version of the retention policy that was applied.
    pub policy_version: u32,
    /// How often the vendor's part of the key was passed on, to be destroyed with the share; in deletion receipts alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grants: Option<u64>,
}

/// What a receipt states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Kind {
    /// The snapshot is stored, whole and with this digest.
    Upload,
    /// The snapshot is gone.
    Deletion,
}

/// Why a snapshot was deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DeletionReason {
    /// The days after the closing of its ticket are over.
    TicketClosed,
    /// It was kept as long as anything is kept.
    HardCap,
    /// Its sender took it back, or someone who may ordered it gone.
    Withdrawn,
}

/// One step of a deletion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepDone {
    /// The phase that was reached.
    pub step: Phase,
    /// Which store was worked on.
    pub store: String,
    /// How.
    pub method: String,
    /// When it was seen to be done.
    pub verified_at: Timestamp,
}

/// Why a receipt or a key is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiptError {
    /// Not a receipt at all, or one that was cut, extended or written in another way.
    #[error("this is not a receipt, or it was damaged: {0}")]
    Malformed(&'static str),
    /// Signed by a key other than the one that was expected.
    #[error("the receipt is signed by \"{}\", not by the expected key of \"{}\"", found.escape_debug(), expected.escape_debug())]
    OtherKey {
        /// The name beside the signature.
        found: String,
        /// The name in the expected key.
        expected: String,
    },
    /// The signature does not belong to this text.
    #[error("the signature does not fit: the receipt was changed, or its signer's key is not the portal's")]
    BadSignature,
    /// A receipt that cannot be signed: it would be too long, or lacks what its kind states.
    #[error("the receipt cannot be signed: {0}")]
    Unsignable(&'static str),
    /// A text that is not a key.
    #[error("this is not a {0} key")]
    BadKey(&'static str),
    /// The portal signed it, but did not prove that it is in its log.
    #[error("the portal's log does not prove it: {0}")]
    Unproved(#[source] LogError),
}

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

/// Signs a receipt: a signed note of one line of canonical JSON, at most [`MAX_NOTE`] bytes. Its proof comes behind it when the
/// log has a record of it ([`with_proof`]).
pub fn sign(receipt: &Receipt, key: &ReceiptKey) -> Result<String, ReceiptError> {
    if let Some(fault) = fault_of(receipt) {
        return Err(ReceiptError::Unsignable(fault));
    }
    if receipt.portal != key.name() {
        return Err(ReceiptError::Unsignable("it names another portal than its key"));
    }
    let mut text = serde_json_canonicalizer::to_string(receipt)
        .map_err(|_| ReceiptError::Unsignable("it cannot be written as canonical JSON"))?;
    text.push('\n');
    match key.0.sign(&text) {
        Ok(note) if note.len() <= MAX_NOTE => Ok(note),
        Ok(_) => Err(ReceiptError::Unsignable("it is longer than 2048 bytes")),
        Err(_) => Err(ReceiptError::Unsignable("it cannot be written as a signed note")),
    }
}

/// What the log's record says of a signed note: SHA-256 of the note, signature included, in hexadecimal.
#[must_use]
pub fn digest(note: &str) -> String {
    hex::encode(Sha256::digest(note))
}

/// Reads a receipt that `key` signed and whose record it proved to be in its log. Any other text is refused: one changed byte,
/// another key, a second signature, anything before or after, or the same facts written in another way.
pub fn verify(text: &str, key: &PortalKey) -> Result<Receipt, ReceiptError> {
    verify_logged(text, key).map(|logged| logged.receipt)
}

/// Reads the signed note alone.
fn verify_note(note: &str, key: &PortalKey) -> Result<Receipt, ReceiptError> {
    let text = key.0.open(note).map_err(|error| match error {
        NoteError::Malformed(fault) => ReceiptError::Malformed(fault),
        NoteError::OtherKey { found } => ReceiptError::OtherKey { found, expected: key.name().to_owned() },
        NoteError::BadSignature => ReceiptError::BadSignature,
        NoteError::BadKey => ReceiptError::BadKey("portal"),
    })?;
    let receipt: Receipt =
        serde_json::from_str(text).map_err(|_| ReceiptError::Malformed("its fields are not a receipt's"))?;
    let canonical = serde_json_canonicalizer::to_string(&receipt).unwrap_or_default() + "\n";
    if canonical != text {
        return Err(ReceiptError::Malformed("its JSON is not canonical"));
    }
    match fault_of(&receipt) {
        None if receipt.portal == key.name() => Ok(receipt),
        None => Err(ReceiptError::Malformed("it names another portal than its key")),
        Some(fault) => Err(ReceiptError::Malformed(fault)),
    }
}

/// What makes a receipt state something it cannot mean.
fn fault_of(receipt: &Receipt) -> Option<&'static str> {
    let is_hex = |text: &str, digits: usize| {
        text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    let deletion = receipt.kind == Kind::Deletion;
    if receipt.version != 1 {
        Some("its version is not 1")
    } else if !is_hex(&receipt.id, 32) || !is_hex(&receipt.ticket, 64) || !is_hex(&receipt.sha256, 64) {
        Some("an id or a digest is not hexadecimal of its length")
    } else if receipt.size > MAX_SIZE {
        Some("its size is larger than 2^53 - 1")
    } else if deletion != receipt.deleted.is_some() || deletion != receipt.reason.is_some() {
        Some("a deletion receipt says when and why, an upload receipt does not")
    } else if deletion == receipt.steps.is_empty() {
        Some("a deletion receipt lists its steps, an upload receipt has none")
    } else if !deletion && receipt.grants.is_some() {
        Some("an upload receipt counts no grants")
    } else {
        None
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    use super::super::log::record::sample;
    use super::super::log::tree::{Tiles, Tree, leaf};
    use super::super::log::{Record, checkpoint};
    use super::*;

    /// The receipt as the portal gives it out, in a log of `others` records before and behind.
    pub(crate) fn logged(receipt: &Receipt, key: &ReceiptKey, others: u64) -> String {
        let note = sign(receipt, key).unwrap();
        let (act, at) = match receipt.kind {
            Kind::Upload => ("store", receipt.uploaded),
            Kind::Deletion => ("delete", receipt.deleted.unwrap()),
        };
        let record = Record { act: act.into(), at, receipt: Some(digest(&note)), ..sample(others + 1) };
        prove(&note, &record, key, others)
    }

    fn prove(note: &str, record: &Record, key: &ReceiptKey, others: u64) -> String {
        let mut tree = Tree::new(0, Tiles::default());
        let line = record.line();
        for number in 1..=others {
            tree.append(leaf(&sample(number).line())).unwrap();
        }
        tree.append(leaf(&line)).unwrap();
        for number in 1..=others {
            tree.append(leaf(&sample(others + 1 + number).line())).unwrap();
        }
        let head = tree.head().unwrap();
        let mut tiles = Tiles::default();
        for (place, hashes) in tree.take_changed() {
            tiles.put(place, hashes);
        }
        let hashes = super::super::log::tree::inclusion(others, head.size, &tiles).unwrap();
        with_proof(note, line, others, hashes, checkpoint::sign(&head, key).unwrap()).unwrap()
    }

    fn key(name: &str, seed: u64) -> ReceiptKey {
        ReceiptKey::generate(name, &mut StdRng::seed_from_u64(seed)).unwrap()
    }

    fn deletion() -> Receipt {
        let deleted: Timestamp = "2027-03-03T02:00:07Z".parse().unwrap();
        let steps = [Phase::ShareDestroyed, Phase::BytesGone, Phase::VerifiedAbsent, Phase::RowScrubbed];
        Receipt {
            version: 1,
            kind: Kind::Deletion,
            id: "ab".repeat(16),
            portal: String::from("support.vendor.example"),
            ticket: "cd".repeat(32),
            sha256: "ef".repeat(32),
            size: MAX_SIZE,
            uploaded: "2026-11-21T14:21:00Z".parse().unwrap(),
            closed: Some("2026-12-03T10:00:00Z".parse().unwrap()),
            due: "2027-03-04T00:00:00Z".parse().unwrap(),
            deleted: Some(deleted),
            reason: Some(DeletionReason::TicketClosed),
            steps: steps
                .into_iter()
                .map(|step| StepDone {
                    step,
                    store: String::from("files"),
                    method: String::from("removed"),
                    verified_at: deleted,
                })
                .collect(),
            backup_horizon_days: 7,
            policy_version: 1,
            grants: Some(2),
        }
    }

    fn upload() -> Receipt {
        let (deleted, reason, steps, grants) = (None, None, Vec::new(), None);
        Receipt { kind: Kind::Upload, closed: None, deleted, reason, steps, grants, ..deletion() }
    }

    #[test]
    fn a_signed_receipt_verifies_with_the_portals_key() {
        let key = key("support.vendor.example", 1);
        for receipt in [upload(), deletion()] {
            let note = logged(&receipt, &key, 700);
            assert!(note.len() <= MAX_LENGTH);
            let portal_key: PortalKey = format!("{}\n", key.portal_key()).parse().unwrap();
            assert_eq!(verify(&note, &portal_key).unwrap(), receipt);
        }
    }

    #[test]
    fn any_changed_byte_is_refused() {
        let key = key("support.vendor.example", 1);
        let note = logged(&deletion(), &key, 20);
        for index in 0..note.len() {
            let mut bytes = note.clone().into_bytes();
            for flip in [1, 0x20, 0x80] {
                bytes[index] ^= flip;
                if let Ok(text) = std::str::from_utf8(&bytes) {
                    assert!(verify(text, &key.portal_key()).is_err(), "byte {index}");
                }
                bytes[index] ^= flip;
            }
        }
        for length in 0..note.len() {
            if let Some(part) = note.get(..length) {
                assert!(verify(part, &key.portal_key()).is_err(), "cut to {length}");
            }
        }
    }

    #[test]
    fn another_key_or_name_is_refused() {
        let note = logged(&upload(), &key("support.vendor.example", 1), 3);
        let same_name = key("support.vendor.example", 2).portal_key();
        assert!(matches!(verify(&note, &same_name), Err(ReceiptError::OtherKey { .. })));
        assert!(matches!(verify(&note, &key("other.example", 1).portal_key()), Err(ReceiptError::OtherKey { .. })));
    }

    #[test]
    fn anything_before_or_after_a_receipt_is_refused() {
        let key = key("support.vendor.example", 1);
        let note = logged(&upload(), &key, 3);
        let signature = note.lines().last().unwrap();
        for changed in [
            format!("{note}\n"),
            format!("{note} "),
            format!("{note}{signature}\n"),
            format!("\n{note}"),
            format!("\u{feff}{note}"),
            note.replace('\n', "\r\n"),
            note.replacen('{', "{ ", 1),
        ] {
            assert!(verify(&changed, &key.portal_key()).is_err(), "{changed}");
        }
    }

    #[test]
    fn a_note_that_the_portal_signed_is_not_a_receipt_for_that() {
        let key = key("support.vendor.example", 1);
        let canonical = serde_json_canonicalizer::to_string(&upload()).unwrap();
        let two_keys = canonical.replacen("\"version\":1", "\"version\":2,\"version\":1", 1);
        let unknown = canonical.replacen("\"version\":1", "\"version\":1,\"zeal\":1", 1);
        for text in [
            format!("{}\n1\nAA==\n", key.name()),
            format!("{two_keys}\n"),
            format!("{unknown}\n"),
            format!("{canonical} \n"),
        ] {
            let note = key.0.sign(&text).unwrap();
            let record = Record { receipt: Some(digest(&note)), act: String::from("store"), ..sample(1) };
            let whole = prove(&note, &record, &key, 0);
            assert!(matches!(verify(&whole, &key.portal_key()), Err(ReceiptError::Malformed(_))), "{whole}");
        }
    }

    #[test]
    fn a_receipt_counts_only_with_the_proof_of_its_own_record() {
        let key = key("support.vendor.example", 1);
        let portal = key.portal_key();
        let (one, two) = (sign(&upload(), &key).unwrap(), sign(&deletion(), &key).unwrap());
        let record =
            Record { act: String::from("store"), at: upload().uploaded, receipt: Some(digest(&one)), ..sample(1) };
        let found = verify_logged(&prove(&one, &record, &key, 5), &portal).unwrap();
        assert_eq!((found.index, found.head.size, &found.record), (5, 11, &record));
        assert!(matches!(verify(&one, &portal), Err(ReceiptError::Malformed(_))), "no proof at all");
        for other in [
            Record { receipt: Some(digest(&two)), ..record.clone() },
            Record { receipt: None, ..record.clone() },
            Record { act: String::from("delete"), ..record.clone() },
            Record { at: record.at.plus_seconds(1), ..record.clone() },
            Record { outcome: String::from("denied"), ..record.clone() },
        ] {
            let whole = prove(&one, &other, &key, 5);
            assert!(matches!(verify(&whole, &portal), Err(ReceiptError::Unproved(_))), "{other:?}");
        }
        let stranger = ReceiptKey::generate("support.vendor.example", &mut StdRng::seed_from_u64(9)).unwrap();
        let foreign = prove(&one, &record, &stranger, 5);
        assert!(matches!(verify(&foreign, &portal), Err(ReceiptError::Unproved(LogError::BadSignature))));
        let (_, proof) =
            prove(&one, &record, &key, 5).split_once("\n\nc2sp").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        let short = prove(&one, &record, &key, 4);
        let (note, _) = short.split_once("\n\nc2sp").unwrap();
        assert!(verify(&format!("{note}\n\nc2sp{proof}"), &portal).is_ok(), "the proof is whole by itself");
    }

    #[test]
    fn a_receipt_with_the_longest_words_and_the_proof_of_a_huge_log_stays_short() {
        let key = key("support-portal.customer-care.vendor.example", 1);
        let receipt = Receipt { portal: key.name().to_owned(), ..deletion() };
        let note = sign(&receipt, &key).unwrap();
        let record = Record {
            tenant: "t".repeat(64).parse().unwrap(),
            number: 1 << 52,
            ticket: Some("x".repeat(64)),
            act: String::from("delete"),
            at: receipt.deleted.unwrap(),
            actor: String::from("worker"),
            role: String::from("worker"),
            address: None,
            request: None,
            receipt: Some(digest(&note)),
            ..sample(1)
        };
        let head = super::super::log::Head { size: 1 << 33, root: [9; 32] };
        let checkpoint = checkpoint::sign(&head, &key).unwrap();
        assert!(with_proof(&note, record.line(), 1 << 32, vec![[7; 32]; 33], checkpoint).unwrap().len() <= MAX_LENGTH);
    }

    #[test]
    fn a_receipt_that_says_half_of_it_is_not_signed() {
        let key = key("support.vendor.example", 1);
        for half in [
            Receipt { deleted: None, ..deletion() },
            Receipt { reason: None, ..deletion() },
            Receipt { steps: Vec::new(), ..deletion() },
            Receipt { grants: Some(0), ..upload() },
            Receipt { kind: Kind::Upload, ..deletion() },
            Receipt { size: MAX_SIZE + 1, ..deletion() },
            Receipt { sha256: String::from("EF"), ..deletion() },
            Receipt { portal: String::from("other.example"), ..deletion() },
            Receipt { version: 2, ..deletion() },
        ] {
            assert!(matches!(sign(&half, &key), Err(ReceiptError::Unsignable(_))), "{half:?}");
        }
    }

    #[test]
    fn a_key_survives_its_text_and_is_not_printed() {
        for seed in 0..40 {
            let key = key("support.vendor.example/portal", seed);
            let text = key.to_text();
            let again: ReceiptKey = format!("{}\n", text.expose()).parse().unwrap();
            assert_eq!(again.portal_key(), key.portal_key());
            let printed = format!("{key:?}");
            assert!(!printed.contains(&text.expose()[text.expose().len() - 20..]));
        }
        for bad in ["", "two words", "a+b", "x\u{7}"] {
            assert!(ReceiptKey::generate(bad, &mut StdRng::seed_from_u64(0)).is_err(), "{bad:?}");
        }
        assert!("support.vendor.example+00000000+AAAA".parse::<PortalKey>().is_err());
    }

    #[test]
    fn a_ticket_is_hidden_behind_the_key() {
        let (one, two) = (key("a.example", 1), key("a.example", 2));
        let tenant: TenantId = "acme".parse().unwrap();
        let ticket: TicketId = "4711".parse().unwrap();
        assert_eq!(one.hide_ticket(&tenant, &ticket), one.hide_ticket(&tenant, &ticket));
        assert_ne!(one.hide_ticket(&tenant, &ticket), two.hide_ticket(&tenant, &ticket));
        assert_ne!(one.hide_ticket(&tenant, &ticket), one.hide_ticket(&tenant, &"4712".parse().unwrap()));
        assert!(!one.hide_ticket(&tenant, &ticket).contains("4711"));
    }
}
