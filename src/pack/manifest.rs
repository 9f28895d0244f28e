//! The last entry of a snapshot: what is in it, what is not and why, and what was done to it.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use crate::clock::Timestamp;
use crate::ids::TicketId;
use crate::item::{ArchivePath, CollectReport, LeftOut};
use crate::redact::{Category, Counts};

/// Where the manifest stands in the archive. No other entry may stand below `.tarseal/`.
pub const MANIFEST_PATH: &str = ".tarseal/manifest.json";

/// Tells the recipient what a snapshot is. Nothing in it is unredacted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of this structure; a reader refuses another one. Fields it does not know it passes over.
    pub version: ManifestVersion,
    /// What wrote it: `tarseal 0.1.0`.
    pub tool: String,
    /// When the snapshot was made; the same as in the sealed file's header.
    pub created: Timestamp,
    /// The ticket it belongs to, if one was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<TicketId>,
    /// Whether redaction ran. False only when the sender explicitly asked for none.
    pub redacted: bool,
    /// Every file but the manifest, in the archive's order.
    pub entries: Vec<Entry>,
    /// What was asked for and is not here; paths are redacted.
    pub left_out: Vec<LeftOut>,
    /// Findings in all files, by category.
    pub findings: BTreeMap<Category, u64>,
    /// What came of each source, where a profile's sources were asked or a window of time was set; redacted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collected: Option<CollectReport>,
}

/// One file of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Where it stands.
    pub path: ArchivePath,
    /// Its length in bytes.
    pub size: u64,
    /// The digest of its bytes.
    pub sha256: Digest,
    /// Findings in it, by category.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub findings: Counts,
}

/// The one version of the manifest there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ManifestVersion;

impl Serialize for ManifestVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(1)
    }
}

impl<'de> Deserialize<'de> for ManifestVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u32::deserialize(deserializer)? {
            1 => Ok(Self),
            other => Err(serde::de::Error::custom(format!("manifest version {other} is not known"))),
        }
    }
}

/// A SHA-256 digest; as text and in JSON 64 hexadecimal digits in lower case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is not a SHA-256 digest in lower-case hexadecimal.
#[derive(Debug, thiserror::Error)]
#[error("not a SHA-256 digest (64 hexadecimal digits in lower case)")]
pub struct NotADigest;

impl FromStr for Digest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut digest = [0; 32];
        let lower = text.bytes().all(|byte| !byte.is_ascii_uppercase());
        match hex::decode_to_slice(text, &mut digest) {
            Ok(()) if lower => Ok(Self(digest)),
            _ => Err(NotADigest),
        }
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The entries of an archive in their order, in few bytes: two lists are the same when their tallies are.
#[derive(Default)]
pub(crate) struct Tally {
    hasher: Sha256,
    pub(crate) entries: u64,
    /// Four bytes of the digest after each entry, to find where two lists part. What decides is the whole digest.
    marks: Vec<[u8; 4]>,
}

/// The first entry in which an archive and a manifest differ.
pub(crate) struct Difference<'a> {
    /// Its number, from 1.
    pub(crate) entry: u64,
    /// What the manifest lists there; `None` when it lists fewer entries than there are.
    pub(crate) path: Option<&'a ArchivePath>,
}

impl Tally {
    pub(crate) fn add(&mut self, path: &ArchivePath, size: u64, sha256: &Digest) {
        self.entries += 1;
        self.hasher.update((path.as_str().len() as u64).to_be_bytes());
        self.hasher.update(path.as_str());
        self.hasher.update(size.to_be_bytes());
        self.hasher.update(sha256.0);
        let so_far = self.hasher.clone().finalize();
        self.marks.push(*so_far.first_chunk().expect("a digest has 32 bytes"));
    }

    /// Whether these are the entries a manifest lists.
    pub(crate) fn agrees_with(&self, manifest: &Manifest) -> bool {
        self.difference(manifest).is_none()
    }

    /// Where a manifest lists something else; `None` when it lists exactly these entries.
    pub(crate) fn difference<'a>(&self, manifest: &'a Manifest) -> Option<Difference<'a>> {
        let mut listed = Self::default();
        for entry in &manifest.entries {
            listed.add(&entry.path, entry.size, &entry.sha256);
        }
        if self.hasher.clone().finalize() == listed.hasher.finalize() {
            return None;
        }
        let same = self.marks.iter().zip(&listed.marks).take_while(|(here, there)| here == there).count();
        Some(Difference { entry: same as u64 + 1, path: manifest.entries.get(same).map(|entry| &entry.path) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_reads_what_it_writes_and_passes_over_what_it_does_not_know() {
        let manifest = Manifest {
            version: ManifestVersion,
            tool: "tarseal 0.1.0".into(),
            created: "2026-11-21T14:20:01Z".parse().unwrap(),
            ticket: Some("4711".parse().unwrap()),
            redacted: true,
            entries: vec![Entry {
                path: "a".parse().unwrap(),
                size: 3,
                sha256: Digest::of(b"abc"),
                findings: Counts::new(),
            }],
            left_out: vec![LeftOut { path: "core".into(), reason: crate::item::Reason::NotReadable }],
            findings: Counts::new(),
            collected: None,
        };
        let mut json = serde_json::to_value(&manifest).unwrap();
        assert_eq!(json["entries"][0]["sha256"], "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        json["later"] = "words".into();
        assert_eq!(serde_json::from_value::<Manifest>(json.clone()).unwrap(), manifest);
        json["version"] = 2.into();
        assert!(serde_json::from_value::<Manifest>(json).is_err());
    }

    #[test]
    fn a_digest_has_one_spelling() {
        let text = Digest::of(b"").to_string();
        assert!(text.parse::<Digest>().is_ok());
        assert!(text.to_uppercase().parse::<Digest>().is_err());
        assert!(text[..62].parse::<Digest>().is_err());
    }
}
