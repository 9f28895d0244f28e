//! A receipt as a signed note: one line of canonical JSON, a signature, and one way only to write it.

use sha2::{Digest as _, Sha256};

use super::{Kind, MAX_NOTE, PortalKey, Receipt, ReceiptError, ReceiptKey, verify_logged};
use crate::note::NoteError;

/// The largest size that JSON numbers hold exactly (RFC 8785, section 3.2.2.3).
pub(super) const MAX_SIZE: u64 = (1 << 53) - 1;

/// Signs a receipt: a signed note of one line of canonical JSON, at most [`MAX_NOTE`] bytes. Its proof comes behind it when the
/// log has a record of it ([`with_proof`](super::with_proof)).
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
    match key.sign_text(&text) {
        Some(note) if note.len() <= MAX_NOTE => Ok(note),
        Some(_) => Err(ReceiptError::Unsignable("it is longer than 2048 bytes")),
        None => Err(ReceiptError::Unsignable("it cannot be written as a signed note")),
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
pub(super) fn verify_note(note: &str, key: &PortalKey) -> Result<Receipt, ReceiptError> {
    let text = key.open_text(note).map_err(|error| match error {
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
