//! Which paths of a snapshot are taken, as the least able file system sees it.

use std::collections::{HashMap, HashSet};

use sha2::{Digest as _, Sha256};
use unicode_normalization::UnicodeNormalization;

use crate::item::ArchivePath;

/// The directory of the snapshot's own files; nothing else may stand in it.
const OWN_DIRECTORY: &str = ".tarseal";
/// How often another number is tried for one path.
const TRIES: u32 = 1_000;

/// The paths taken so far. Two paths are the same when they are so after Unicode normalisation and case folding, since
/// a technician may unpack where case does not count.
///
/// 16 bytes are kept for each file and each directory.
#[derive(Default)]
pub(crate) struct Names {
    files: HashSet<Key>,
    directories: HashSet<Key>,
    /// The number that was last given to a path that was taken.
    numbers: HashMap<Key, u32>,
}

type Key = [u8; 16];

/// Why a path is not free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It belongs to the snapshot itself.
    Own,
    /// Its first components, this many, are taken: by a file, or by a directory where a file is wanted.
    At(usize),
}

impl Names {
    /// Takes the path if it is free.
    pub(crate) fn take(&mut self, path: &ArchivePath) -> Result<(), Taken> {
        let folded = fold(path.as_str());
        if folded.split('/').next() == Some(OWN_DIRECTORY) {
            return Err(Taken::Own);
        }
        let parents: Vec<Key> = folded.match_indices('/').map(|(end, _)| key(&folded[..end])).collect();
        if let Some(file) = parents.iter().position(|parent| self.files.contains(parent)) {
            return Err(Taken::At(file + 1));
        }
        let own = key(&folded);
        if self.directories.contains(&own) || !self.files.insert(own) {
            return Err(Taken::At(parents.len() + 1));
        }
        self.directories.extend(parents);
        Ok(())
    }

    /// Takes the path, or the nearest free one: `name~2.log` for `name.log`. Returns what was taken; `None` if there is
    /// nothing near it.
    pub(crate) fn take_near(&mut self, path: &ArchivePath) -> Option<ArchivePath> {
        let mut near = path.clone();
        for _ in 0..TRIES {
            match self.take(&near) {
                Ok(()) => return Some(near),
                Err(Taken::Own) => return None,
                Err(Taken::At(components)) => {
                    let number = self.numbers.entry(key(&fold(path.as_str()))).or_insert(1);
                    *number += 1;
                    near = numbered(path, components, *number)?;
                }
            }
        }
        None
    }

    /// Gives back a path whose item was not stored after all. The directories above it stay taken, which hurts no one.
    pub(crate) fn give_back(&mut self, path: &ArchivePath) {
        self.files.remove(&key(&fold(path.as_str())));
    }
}

/// The path with a number in its component number `which` (from 1), before that name's first dot.
fn numbered(path: &ArchivePath, which: usize, number: u32) -> Option<ArchivePath> {
    let component = |(index, name): (usize, &str)| {
        if index + 1 != which {
            return name.to_owned();
        }
        let dot = name.match_indices('.').map(|(dot, _)| dot).find(|&dot| dot > 0).unwrap_or(name.len());
        let (stem, ending) = name.split_at(dot);
        let suffix = format!("~{number}{ending}");
        let room = ArchivePath::MAX_COMPONENT.saturating_sub(suffix.len()).min(stem.len());
        format!("{}{suffix}", &stem[..stem.floor_char_boundary(room)])
    };
    path.components().enumerate().map(component).collect::<Vec<_>>().join("/").parse().ok()
}

/// The path as a file system that knows neither case nor composition sees it.
fn fold(path: &str) -> String {
    path.nfc().flat_map(char::to_uppercase).flat_map(char::to_lowercase).nfc().collect()
}

fn key(folded: &str) -> Key {
    let digest = Sha256::digest(folded);
    digest[..16].try_into().expect("SHA-256 gives 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> ArchivePath {
        text.parse().unwrap()
    }

    #[test]
    fn names_that_differ_in_case_or_composition_only_are_the_same() {
        for (one, other) in [
            ("a/Log", "a/log"),
            ("Zo\u{eb}", "Zoe\u{308}"),
            ("STRASSE", "stra\u{df}e"),
            ("\u{39f}\u{3a3}", "\u{3bf}\u{3c2}"),
            ("D/f", "d/F"),
        ] {
            let mut names = Names::default();
            names.take(&path(one)).unwrap();
            assert!(names.take(&path(other)).is_err(), "{one} {other}");
        }
    }

    #[test]
    fn a_file_cannot_be_a_directory_too() {
        let mut names = Names::default();
        names.take(&path("a/b")).unwrap();
        assert_eq!(names.take(&path("a")), Err(Taken::At(1)));
        assert_eq!(names.take(&path("A/B/c")), Err(Taken::At(2)));
        assert_eq!(names.take(&path("a/c")), Ok(()));
    }

    #[test]
    fn the_own_directory_is_closed() {
        let mut names = Names::default();
        for own in [".tarseal/manifest.json", ".tarseal", ".TARSEAL/x"] {
            assert_eq!(names.take(&path(own)), Err(Taken::Own));
            assert_eq!(names.take_near(&path(own)), None);
        }
        assert_eq!(names.take(&path("a/.tarseal")), Ok(()));
    }

    #[test]
    fn a_taken_path_gets_a_number_before_its_ending() {
        let mut names = Names::default();
        let mut near = |text: &str| names.take_near(&path(text)).unwrap().as_str().to_owned();
        assert_eq!(near("d/name.log.gz"), "d/name.log.gz");
        assert_eq!(near("d/name.log.gz"), "d/name~2.log.gz");
        assert_eq!(near("d/NAME.log.gz"), "d/NAME~3.log.gz");
        assert_eq!(near(".hidden"), ".hidden");
        assert_eq!(near(".hidden"), ".hidden~2");
        assert_eq!(near("d/name.log.gz/inner"), "d/name~4.log.gz/inner");
    }

    #[test]
    fn a_long_name_is_cut_to_make_room_for_its_number() {
        let mut names = Names::default();
        let long = "\u{e9}".repeat(127);
        names.take(&path(&long)).unwrap();
        let near = names.take_near(&path(&long)).unwrap();
        assert!(near.as_str().ends_with("\u{e9}~2") && near.as_str().len() <= 255);
    }

    #[test]
    fn many_of_the_same_name_are_all_stored() {
        let mut names = Names::default();
        let all: HashSet<_> = (0..5_000).map(|_| names.take_near(&path("person-1.log")).unwrap()).collect();
        assert_eq!(all.len(), 5_000);
    }

    #[test]
    fn a_path_given_back_is_free_again() {
        let mut names = Names::default();
        names.take(&path("a/b")).unwrap();
        names.give_back(&path("a/b"));
        assert_eq!(names.take(&path("a/b")), Ok(()));
    }
}
