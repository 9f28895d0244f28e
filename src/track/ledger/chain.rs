//! The rows of the chain: each holds the hash of the one before.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::clock::Timestamp;
use crate::track::ledger::LedgerError;
use crate::track::ledger::record::Record;

/// Stands before every hashed row, so that no other program's hash can be taken for one.
const PURPOSE: &[u8] = b"tarseal/v1 ledger\0";

/// The end of the chain: its length and the hash of its last row. Noted elsewhere, it shows later that nothing was taken away.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// How many records there are.
    pub number: i64,
    /// The hash of the last one; zeros when there is none.
    pub hash: [u8; 32],
}

impl Head {
    /// The end of an empty chain.
    pub const EMPTY: Self = Self { number: 0, hash: [0; 32] };
}

impl std::fmt::Debug for Head {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.number, hex::encode(self.hash))
    }
}

impl std::fmt::Display for Head {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(self, f)
    }
}

/// One row as it lies in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) number: i64,
    pub(crate) previous: Vec<u8>,
    pub(crate) body: String,
    pub(crate) hash: Vec<u8>,
}

/// What the body of a row says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Body {
    pub(crate) number: i64,
    pub(crate) at: Timestamp,
    pub(crate) record: Record,
}

/// The row that follows `head`.
pub(crate) fn next(head: &Head, record: &Record, at: Timestamp) -> Row {
    let body = Body { number: head.number + 1, at, record: record.clone() };
    let body = canonical(&body);
    let hash = hash(&head.hash, &body);
    Row { number: head.number + 1, previous: head.hash.to_vec(), body, hash: hash.to_vec() }
}

/// Reads the row that must follow `head`, and moves `head` to it.
pub(crate) fn follow(head: &mut Head, row: &Row) -> Result<Body, LedgerError> {
    let changed = |what: &str| LedgerError::Changed { number: row.number, what: what.to_owned() };
    if row.number != head.number + 1 {
        return Err(changed("a row is missing before this one"));
    }
    if row.previous != head.hash {
        return Err(changed("it does not follow the row before"));
    }
    let hash = hash(&head.hash, &row.body);
    if row.hash != hash {
        return Err(changed("its hash does not fit its text"));
    }
    let body: Body = serde_json::from_str(&row.body).map_err(|_| changed("its text is not a record"))?;
    if body.number != row.number || canonical(&body) != row.body {
        return Err(changed("its text is not written the one way a record is written"));
    }
    *head = Head { number: row.number, hash };
    Ok(body)
}

fn hash(previous: &[u8; 32], body: &str) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(PURPOSE);
    hasher.update(previous);
    hasher.update(body.as_bytes());
    hasher.finalize().into()
}

fn canonical(body: &Body) -> String {
    serde_json_canonicalizer::to_string(body).expect("records are plain data with exact numbers")
}
