//! Names of the members of an archive.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, RandomState};

use crate::item::ArchivePath;
use crate::redact::engine::Engine;

/// How often another number is tried for one name.
const TRIES: u32 = 1_000;

/// What a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Directory,
    /// Symbolic or hard.
    Link,
    /// A device or a pipe.
    Device,
    /// Of a kind that nobody knows, or that contradicts itself.
    Unknown,
}

/// A name that is safe to unpack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum MemberName {
    /// The directory the archive was made in: `./`.
    Root,
    /// A path in the archive, with or without `./` before it.
    Path { dot: bool, path: ArchivePath },
}

impl MemberName {
    /// Reads a name; a `/` at its end, as directories have it, is no part of it.
    ///
    /// `None` where it is absolute, leaves the directory, has control characters or is not UTF-8: the rules of
    /// [`ArchivePath`].
    pub(super) fn parse(name: &[u8]) -> Option<Self> {
        let name = std::str::from_utf8(name).ok()?;
        if matches!(name, "." | "./") {
            return Some(Self::Root);
        }
        let (dot, path) = name.strip_prefix("./").map_or((false, name), |path| (true, path));
        let path = path.strip_suffix('/').unwrap_or(path).parse().ok()?;
        Some(Self::Path { dot, path })
    }
}

/// The names one archive's members have been given.
///
/// Two names that were different stay different, and one that stood there twice stands there twice again. Some bytes are
/// kept for each member.
#[derive(Default)]
pub(super) struct Names {
    /// By the new name's hash, the old name's.
    given: HashMap<u64, u64>,
    /// The number that was last given to a name that was taken.
    numbers: HashMap<u64, u32>,
    hasher: RandomState,
}

impl Names {
    /// The new name of a directory. Directories that come to have one name become one.
    pub(super) fn directory(&mut self, name: &MemberName, engine: &Engine) -> String {
        match name {
            MemberName::Root => "./".to_owned(),
            MemberName::Path { dot, path } => {
                let new = engine.path(path);
                self.given.entry(self.hasher.hash_one(&new)).or_insert_with(|| self.hasher.hash_one(path));
                format!("{}{new}/", if *dot { "./" } else { "" })
            }
        }
    }

    /// The new name of a file: `name~2.log` if `name.log` is taken by another. `None` if there is nothing near it.
    pub(super) fn file(&mut self, dot: bool, path: &ArchivePath, engine: &Engine) -> Option<String> {
        let wanted = engine.path(path);
        let old = self.hasher.hash_one(path);
        let first = self.hasher.hash_one(&wanted);
        let mut new = wanted.clone();
        for _ in 0..TRIES {
            match self.given.entry(self.hasher.hash_one(&new)) {
                Entry::Occupied(taken) if *taken.get() != old => {
                    let number = self.numbers.entry(first).or_insert(1);
                    *number += 1;
                    new = numbered(&wanted, *number)?;
                }
                Entry::Occupied(_) => return Some(format!("{}{new}", if dot { "./" } else { "" })),
                Entry::Vacant(free) => {
                    free.insert(old);
                    return Some(format!("{}{new}", if dot { "./" } else { "" }));
                }
            }
        }
        None
    }
}

/// The path with a number before its name's first dot.
fn numbered(path: &ArchivePath, number: u32) -> Option<ArchivePath> {
    let (directory, name) = path.as_str().rsplit_once('/').map_or(("", path.as_str()), |(up, name)| (up, name));
    let dot = name.match_indices('.').map(|(dot, _)| dot).find(|&dot| dot > 0).unwrap_or(name.len());
    let (stem, ending) = name.split_at(dot);
    let suffix = format!("~{number}{ending}");
    let room = ArchivePath::MAX_COMPONENT.saturating_sub(suffix.len()).min(stem.len());
    let stem = &stem[..stem.floor_char_boundary(room)];
    let slash = if directory.is_empty() { "" } else { "/" };
    format!("{directory}{slash}{stem}{suffix}").parse().ok()
}
