//! A receipt with the proof that the portal's log has a record of it.

use serde::Serialize;

use super::note::verify_note;
use super::{Kind, MAX_LENGTH, PortalKey, Receipt, ReceiptError, digest};
use crate::track::log::proof::{FIRST_LINE, Proof};
use crate::track::log::{Head, LogError, Record};

/// A receipt that was verified, and what proves it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Logged {
    /// What the portal stated.
    pub receipt: Receipt,
    /// The log's record of the act.
    pub record: Record,
    /// Where that record stands in the log.
    pub index: u64,
    /// The tree that was signed.
    pub head: Head,
}

/// Puts the proof behind a signed note: an empty line, then the proof with the record's line in it. From then on it is never
/// changed. An error when it would be longer than [`MAX_LENGTH`].
pub fn with_proof(
    note: &str,
    record: String,
    index: u64,
    hashes: Vec<[u8; 32]>,
    checkpoint: String,
) -> Result<String, ReceiptError> {
    let whole = format!("{note}\n{}", Proof { record, index, hashes, checkpoint });
    if whole.len() <= MAX_LENGTH { Ok(whole) } else { Err(ReceiptError::Unsignable("it is longer than 4096 bytes")) }
}

/// Reads a receipt with everything that proves it: the portal's signature, the record in its log that says so, and that record's
/// place in a tree that the portal signed.
pub fn verify_logged(text: &str, key: &PortalKey) -> Result<Logged, ReceiptError> {
    if text.len() > MAX_LENGTH {
        return Err(ReceiptError::Malformed("it is longer than 4096 bytes"));
    }
    let cut = text.find(&format!("\n\n{FIRST_LINE}\n"));
    let (note, proof) = match cut {
        Some(cut) => (&text[..=cut], &text[cut + 2..]),
        None => return Err(ReceiptError::Malformed("it has no proof of the portal's log")),
    };
    let receipt = verify_note(note, key)?;
    let proof: Proof = proof.parse().map_err(ReceiptError::Unproved)?;
    let head = proof.verify(key).map_err(ReceiptError::Unproved)?;
    let record = Record::read(&proof.record).map_err(ReceiptError::Unproved)?;
    // A portal that was put back from a backup logs a deletion receipt once more, when everything is gone once more.
    let (act, in_time) = match receipt.kind {
        Kind::Upload => ("store", record.at == receipt.uploaded),
        Kind::Deletion => ("delete", receipt.deleted.is_some_and(|deleted| record.at >= deleted)),
    };
    let says_so = record.receipt.as_ref() == Some(&digest(note));
    if says_so && record.act == act && in_time && record.outcome == "done" {
        Ok(Logged { receipt, record, index: proof.index, head })
    } else {
        Err(ReceiptError::Unproved(LogError::Malformed("the log's record is of something else")))
    }
}
