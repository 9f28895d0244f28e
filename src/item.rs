//! What travels between rooms: an [`Item`] that was found, and a [`LeftOut`] for what will not be in the snapshot.

use std::fmt;
use std::io::{self, Read};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::clock::Timestamp;

/// A path inside a snapshot: relative, `/` between components, safe to create beneath any directory.
///
/// At most 4096 bytes and 64 components of at most 255 bytes; valid UTF-8; no empty component, no `.` or `..`, no
/// backslash, no control or bidirectional-override character, no drive letter (`C:`) in front.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArchivePath(String);

impl ArchivePath {
    /// Longest path in bytes.
    pub const MAX_LENGTH: usize = 4096;
    /// Longest component in bytes.
    pub const MAX_COMPONENT: usize = 255;
    /// Most components.
    pub const MAX_DEPTH: usize = 64;

    /// The path as text, `/` between components.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The components from the root down; there is at least one.
    pub fn components(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    /// The last component.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }
}

/// A text that cannot be a path inside a snapshot, with the rule it breaks.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("\"{}\" cannot be a path in a snapshot: {rule}", path.escape_debug())]
pub struct BadPath {
    path: String,
    rule: &'static str,
}

impl FromStr for ArchivePath {
    type Err = BadPath;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match broken_rule(text) {
            None => Ok(Self(text.to_owned())),
            Some(rule) => Err(BadPath { path: text.chars().take(200).collect(), rule }),
        }
    }
}

fn broken_rule(path: &str) -> Option<&'static str> {
    if path.len() > ArchivePath::MAX_LENGTH {
        return Some("it is longer than 4096 bytes");
    }
    if path.chars().any(|c| c.is_control() || is_bidi(c) || c == '\\') {
        return Some("it holds a control character, a direction override or a backslash");
    }
    if matches!(path.as_bytes(), [b'a'..=b'z' | b'A'..=b'Z', b':', ..]) {
        return Some("it begins with a drive letter");
    }
    let mut depth = 0;
    for component in path.split('/') {
        depth += 1;
        if component.is_empty() {
            return Some("it is absolute or has an empty component");
        }
        if component == "." || component == ".." {
            return Some("it has a component '.' or '..'");
        }
        if component.len() > ArchivePath::MAX_COMPONENT {
            return Some("a component is longer than 255 bytes");
        }
    }
    (depth > ArchivePath::MAX_DEPTH).then_some("it has more than 64 components")
}

/// Whether a character changes the direction in which text is shown: the ones that make a name read as another.
#[must_use]
pub const fn is_bidi(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

impl fmt::Display for ArchivePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for ArchivePath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ArchivePath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Bytes that can be read more than once: the survey reads them, then the redaction reads them again.
pub trait Content: Send + Sync {
    /// Opens the bytes from their beginning. [`Item::size`] bytes come, however much the source has grown since; when it has
    /// become shorter, reading ends with [`BecameShorter`] inside the error.
    fn open(&self) -> io::Result<Box<dyn Read + Send>>;
}

/// A source gave fewer bytes than it had when it was found: what was read is not the whole of it.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("it became shorter while it was read")]
pub struct BecameShorter;

/// One file, command output or database found in a source. Nothing of it has been redacted yet.
pub struct Item {
    /// Where it would stand in the snapshot. Not yet redacted either.
    pub path: ArchivePath,
    /// Its length in bytes when it was found.
    pub size: u64,
    /// When it was last changed, if the source knows.
    pub modified: Option<Timestamp>,
    /// Its bytes.
    pub content: Box<dyn Content>,
}

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Item").field("path", &self.path).field("size", &self.size).finish_non_exhaustive()
    }
}

/// Something that was asked for and is not in the snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Its path in the snapshot, or as much of it as can be shown; redacted before it is written anywhere.
    pub path: String,
    /// Why.
    pub reason: Reason,
}

/// Why something is not in the snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Reason {
    /// The caller may not read it.
    NotPermitted,
    /// Reading failed with an error of the disk or file system.
    ReadError,
    /// It was there when files were listed and is not now, or became something else.
    Vanished,
    /// It became shorter while it was read, so that only a part of it could be had.
    BecameShorter,
    /// A symbolic link; its target is not followed.
    Link,
    /// A device, socket, pipe or other thing that is not a regular file.
    NotAFile,
    /// On the list of things that never leave: `/proc`, `/sys`, key files.
    Forbidden,
    /// A rule of the profile leaves it out.
    ByProfile,
    /// Its name cannot be a path in a snapshot.
    BadName,
    /// Binary, or in a format that cannot be read, so it cannot be redacted.
    NotReadable,
    /// Compressed or structured data that is damaged or ends early.
    Damaged,
    /// Compressed data that grows past the limits.
    TooLarge,
    /// An archive in an archive in an archive, deeper than the limit.
    TooDeep,
    /// A line of text is too long to be checked, and cannot be divided safely.
    LineTooLong,
    /// What lies beside a database: its contents are in the database as it stands in the snapshot.
    PartOfDatabase,
    /// A database in the middle of a change, of which its file may hold only a part.
    Unfinished,
    /// It is about another time than was asked for.
    OutsideWindow,
    /// There was more than the profile's limits allow; what is newer stayed.
    OverLimit,
    /// It took longer than the profile allows.
    TimedOut,
    /// A program that the profile asks is not on this computer.
    NotInstalled,
    /// Nothing on this computer is called so.
    NotThere,
    /// Nothing on this computer is called so, and the profile requires it.
    Missing,
    /// A program that the profile asks ended with an error and said nothing.
    Failed,
    /// On a network file system, which the profile does not enter.
    NetworkFileSystem,
    /// The sender does not want to send it.
    BySender,
}

impl Reason {
    /// The reason in words a clerk knows.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::NotPermitted => "you have no right to read it",
            Self::ReadError => "reading it failed",
            Self::Vanished => "it was gone when it was read",
            Self::BecameShorter => "it became shorter while it was read",
            Self::Link => "a link; links are not followed",
            Self::NotAFile => "not a regular file",
            Self::Forbidden => "of a kind that never leaves this computer",
            Self::ByProfile => "the profile leaves it out",
            Self::BadName => "its name cannot be stored safely",
            Self::NotReadable => "binary or of an unknown kind, so it cannot be checked for personal data",
            Self::Damaged => "damaged or cut off, so it cannot be checked for personal data",
            Self::TooLarge => "grows too large when it is opened",
            Self::TooDeep => "packed too deeply in other archives",
            Self::LineTooLong => "a line in it is too long to be checked for personal data",
            Self::PartOfDatabase => "belongs to a database, which holds all of it",
            Self::Unfinished => "a database in the middle of a change; try again when it is not in use",
            Self::OutsideWindow => "of another time than was asked for",
            Self::OverLimit => "over the limit of size; what is newer stayed",
            Self::TimedOut => "it took too long",
            Self::NotInstalled => "not installed on this computer",
            Self::NotThere => "not on this computer",
            Self::Missing => "not on this computer, and the profile requires it",
            Self::Failed => "the command failed and said nothing",
            Self::NetworkFileSystem => "on a network file system, which the profile does not enter",
            Self::BySender => "left out by the sender",
        }
    }

    /// Whether the snapshot counts as incomplete without it (exit code 3). Links, devices, forbidden files, those the
    /// profile leaves out and those of another time were never going to be in it; what lies beside a database is in the
    /// database; what this computer does not have was not left out.
    #[must_use]
    pub const fn makes_incomplete(self) -> bool {
        !matches!(
            self,
            Self::Link
                | Self::NotAFile
                | Self::Forbidden
                | Self::ByProfile
                | Self::PartOfDatabase
                | Self::OutsideWindow
                | Self::NotInstalled
                | Self::NotThere
                | Self::NetworkFileSystem
                | Self::BySender
        )
    }
}

/// What collecting by a profile, or within a window of time, came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CollectReport {
    /// The profile, if its sources were asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The beginning of the window, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// The end of the window, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Every source, in the profile's order.
    pub sources: Vec<SourceReport>,
    /// What is not there as a whole or in part, with the bytes that are known to be missing.
    pub fell_out: Vec<FellOut>,
}

/// What came of one source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceReport {
    /// The kind: `path`, `file`, `command`, `journal`, `container`, `kubernetes`, `archive`.
    pub kind: String,
    /// What the profile calls it; redacted before it is written anywhere.
    pub name: String,
    /// How many items came of it.
    pub items: u64,
    /// How many bytes.
    pub bytes: u64,
    /// How long it took.
    pub milliseconds: u64,
    /// What a command ended with, where that was not 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<i32>,
}

/// Something that is not in the snapshot, as a whole or in part, and how much that is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FellOut {
    /// Its path in the snapshot; redacted before it is written anywhere.
    pub path: String,
    /// Why.
    pub reason: Reason,
    /// How many bytes are missing.
    pub bytes: u64,
    /// Whether the rest of it is in the snapshot.
    pub in_part: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_beneath_its_root() {
        for good in ["a", "var/log/syslog.1", "Zoë/ü", ".hidden", "a..b", "x/C:/y", "12:00.log", "ab:c"] {
            assert_eq!(good.parse::<ArchivePath>().unwrap().as_str(), good);
        }
        let deep = vec!["d"; 65].join("/");
        let long = "x".repeat(256);
        for bad in ["", "/etc", "a//b", "a/", "../x", "a/./b", "a\\b", "a\nb", "a\u{202e}b", "C:/x", "c:", &deep, &long]
        {
            assert!(bad.parse::<ArchivePath>().is_err(), "{bad:?}");
        }
    }
}
