//! The vault: the way back from stand-in to value.

use std::collections::HashSet;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, BufRead, Write};
use std::path::Path;

use rand::CryptoRng;
use serde::{Deserialize, Serialize};

use super::category::Category;
use crate::spool::{Spool, SpoolReader};

/// Bytes of entries that are held in memory.
const MEMORY: usize = 4 << 20;
/// Stand-ins that are remembered as entered. A log with more different values than that has some of them twice in its vault.
const REMEMBERED: usize = 1 << 19;

/// What one stand-in stands for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VaultEntry {
    /// What stands in the redacted text.
    pub stand_in: String,
    /// The value as it first stood in the input.
    pub value: String,
    /// Its category.
    pub category: Category,
}

/// Every stand-in of a snapshot and what it stands for. It is sealed to the sender's own key and never leaves the sender.
///
/// As bytes it is one [`VaultEntry`] as JSON on each line. Memory stays flat: past 4 MiB the entries lie in a sealed spool.
pub struct Vault {
    entries: Spool,
    entered: HashSet<u64>,
    hasher: RandomState,
    failed: Option<io::Error>,
}

impl Vault {
    /// Makes an empty vault whose spool, if it comes to that, lies in `directory`.
    pub fn new(directory: &Path, rng: &mut dyn CryptoRng) -> Self {
        let entries = Spool::new(directory, MEMORY, rng);
        Self { entries, entered: HashSet::new(), hasher: RandomState::new(), failed: None }
    }

    /// Reads the entries as lines of JSON, from the beginning.
    #[must_use]
    pub const fn reader(&self) -> SpoolReader<&Spool> {
        SpoolReader::new(&self.entries)
    }

    /// Reads entries back from lines of JSON. A line that is no entry is an error of kind `InvalidData`.
    pub fn entries(lines: impl BufRead) -> impl Iterator<Item = io::Result<VaultEntry>> {
        lines.lines().map(|line| Ok(serde_json::from_str(&line?)?))
    }

    /// Whether nothing was replaced by a stand-in.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.length() == 0
    }

    /// Enters what a stand-in stands for, unless it is there. A failure is told by [`finish`](Self::finish).
    pub(crate) fn enter(&mut self, entry: &VaultEntry) {
        if self.failed.is_some() || !self.is_new(&entry.stand_in) {
            return;
        }
        let mut line = serde_json::to_vec(entry).expect("an entry is plain text");
        line.push(b'\n');
        self.failed = self.entries.write_all(&line).err();
    }

    fn is_new(&mut self, stand_in: &str) -> bool {
        if self.entered.len() >= REMEMBERED {
            self.entered.clear();
        }
        self.entered.insert(self.hasher.hash_one(stand_in))
    }

    /// Ends the entering. An error means that entries are missing.
    pub(crate) fn finish(mut self) -> io::Result<Self> {
        match self.failed.take() {
            Some(error) => Err(error),
            None => Ok(self),
        }
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("length", &self.entries.length()).finish_non_exhaustive()
    }
}

impl fmt::Debug for VaultEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultEntry").field("category", &self.category).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    fn entry(number: u32) -> VaultEntry {
        VaultEntry {
            stand_in: format!("person-{number}"),
            value: format!("Ottilie {number}"),
            category: Category::Person,
        }
    }

    #[test]
    fn every_entry_comes_back_once_also_from_the_disk() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut vault = Vault::new(directory.path(), &mut StdRng::seed_from_u64(1));
        assert!(vault.is_empty());
        for number in (0..100_000).chain(0..10) {
            vault.enter(&entry(number));
        }
        let vault = vault.finish().expect("the disk has room");
        assert!(vault.entries.length() > MEMORY as u64, "some of it lies on the disk");
        let back: Vec<_> = Vault::entries(BufReader::new(vault.reader())).map(Result::unwrap).collect();
        assert_eq!(back, (0..100_000).map(entry).collect::<Vec<_>>());
        assert!(!format!("{vault:?} {:?}", back[0]).contains("Ottilie"));
    }

    #[test]
    fn a_line_that_is_no_entry_is_told() {
        let mut back = Vault::entries(&b"{\"stand_in\":\"a\"}\n"[..]);
        assert_eq!(back.next().unwrap().unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
