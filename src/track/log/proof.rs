//! The proof that one record stands in the log, as text (<https://c2sp.org/tlog-proof>).

use std::fmt;
use std::str::FromStr;

use base64::prelude::{BASE64_STANDARD, Engine as _};

use super::{Head, LogError, checkpoint, tree};
use crate::track::receipt::PortalKey;

/// The first line of every proof.
pub const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";

/// The most hashes that are read.
const MAX_HASHES: usize = 64;

/// A record, where it stands, and the checkpoint it is proved by. As text it is the record in Base64 behind `extra`, its index,
/// the hashes from the leaf to the root, and the checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The record's line.
    pub record: String,
    /// Where it stands, from 0.
    pub index: u64,
    /// The hashes beside the way from the leaf to the root.
    pub hashes: Vec<[u8; 32]>,
    /// The signed checkpoint.
    pub checkpoint: String,
}

impl Proof {
    /// Says that the record stands in a tree that `key` signed; gives that tree's head.
    pub fn verify(&self, key: &PortalKey) -> Result<Head, LogError> {
        let head = checkpoint::open(&self.checkpoint, key)?;
        tree::check_inclusion(tree::leaf(&self.record), self.index, &self.hashes, &head)?;
        Ok(head)
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FIRST_LINE}")?;
        writeln!(f, "extra {}", BASE64_STANDARD.encode(&self.record))?;
        writeln!(f, "index {}", self.index)?;
        for hash in &self.hashes {
            writeln!(f, "{}", BASE64_STANDARD.encode(hash))?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

impl FromStr for Proof {
    type Err = LogError;

    fn from_str(text: &str) -> Result<Self, LogError> {
        let malformed = || LogError::Malformed("it is not a proof of the log");
        let (above, checkpoint) = text.split_once("\n\n").ok_or_else(malformed)?;
        let mut lines = above.split('\n');
        if lines.next() != Some(FIRST_LINE) {
            return Err(malformed());
        }
        let record = lines.next().and_then(|line| line.strip_prefix("extra ")).ok_or_else(malformed)?;
        let record = BASE64_STANDARD.decode(record).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let index = lines.next().and_then(|line| line.strip_prefix("index ")).and_then(|index| index.parse().ok());
        let mut hashes = Vec::new();
        for line in lines {
            let hash = BASE64_STANDARD.decode(line).ok().and_then(|bytes| bytes.try_into().ok());
            hashes.push(hash.ok_or_else(malformed)?);
            if hashes.len() > MAX_HASHES {
                return Err(malformed());
            }
        }
        let proof = Self {
            record: record.ok_or_else(malformed)?,
            index: index.ok_or_else(malformed)?,
            hashes,
            checkpoint: checkpoint.to_owned(),
        };
        // One proof has one spelling.
        if proof.to_string() == text { Ok(proof) } else { Err(malformed()) }
    }
}
