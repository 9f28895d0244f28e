//! Which paths of a snapshot are taken, as the least able file system sees it.

use std::collections::{HashMap, HashSet};

use sha2::{Digest as _, Sha256};
use unicode_normalization::UnicodeNormalization;

use super::error::UnpackError;
use super::limits::DIRECTORIES;
use crate::item::ArchivePath;

/// The directory of the snapshot's own files; nothing else may stand in it.
const OWN_DIRECTORY: &str = ".tarseal";
/// How often another number is tried for one path.
const TRIES: u32 = 1_000;

/// The paths taken so far. Two paths are the same when they are so after Unicode normalisation and case folding, since
/// a technician may unpack where case does not count.
///
/// 16 bytes are kept for each file and each directory. A path costs time by its length, and a path in the directory of the
/// one before only by the length of its name.
#[derive(Default)]
pub(crate) struct Names {
    files: HashSet<Key>,
    directories: HashSet<Key>,
    /// The directory of the path that came last, as it was written, and the digest up to there.
    last: Option<(String, Sha256)>,
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
    /// It needs more directories than a snapshot may have.
    Directories,
}

impl Taken {
    /// Says it of an archive with this path in it.
    pub(crate) fn refused(self, path: &ArchivePath) -> UnpackError {
        match self {
            Self::Directories => UnpackError::Limit("it has too many directories"),
            Self::Own | Self::At(_) => UnpackError::Path(path.clone()),
        }
    }
}

impl Names {
    /// Takes the path if it is free.
    pub(crate) fn take(&mut self, path: &ArchivePath) -> Result<(), Taken> {
        let (directory, name) = path.as_str().rsplit_once('/').unwrap_or(("", path.as_str()));
        let mut hasher = match &self.last {
            Some((last, hasher)) if last == directory => hasher.clone(),
            _ => self.enter(directory)?,
        };
        let name = fold(name);
        if directory.is_empty() {
            if name == OWN_DIRECTORY {
                return Err(Taken::Own);
            }
        } else {
            hasher.update("/");
        }
        hasher.update(name);
        let own = key_of(&hasher);
        if self.directories.contains(&own) || !self.files.insert(own) {
            return Err(Taken::At(path.components().count()));
        }
        Ok(())
    }

    /// Takes a directory and those above it, and gives the digest up to there. They stay taken even when the file that they
    /// are for is not, which hurts no one.
    fn enter(&mut self, directory: &str) -> Result<Sha256, Taken> {
        let mut hasher = Sha256::new();
        if directory.is_empty() {
            return Ok(hasher);
        }
        let mut new = Vec::new();
        for (above, component) in directory.split('/').enumerate() {
            let component = fold(component);
            if above > 0 {
                hasher.update("/");
            } else if component == OWN_DIRECTORY {
                return Err(Taken::Own);
            }
            hasher.update(component);
            let key = key_of(&hasher);
            if self.files.contains(&key) {
                return Err(Taken::At(above + 1));
            }
            if !self.directories.contains(&key) {
                new.push(key);
            }
        }
        if self.directories.len() + new.len() > DIRECTORIES {
            return Err(Taken::Directories);
        }
        self.directories.extend(new);
        self.last = Some((directory.to_owned(), hasher.clone()));
        Ok(hasher)
    }

    /// Takes the path, or the nearest free one: `name~2.log` for `name.log`. Returns what was taken; `None` if there is
    /// nothing near it.
    pub(crate) fn take_near(&mut self, path: &ArchivePath) -> Option<ArchivePath> {
        let mut near = path.clone();
        for _ in 0..TRIES {
            match self.take(&near) {
                Ok(()) => return Some(near),
                Err(Taken::Own | Taken::Directories) => return None,
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

/// The path as a file system that knows neither case nor composition sees it. No character becomes a slash or joins with one,
/// so a component can be folded alone.
fn fold(path: &str) -> String {
    if path.is_ascii() {
        return path.to_ascii_lowercase();
    }
    path.nfc().flat_map(char::to_uppercase).flat_map(char::to_lowercase).nfc().collect()
}

fn key(folded: &str) -> Key {
    key_of(&Sha256::new_with_prefix(folded))
}

fn key_of(hasher: &Sha256) -> Key {
    *hasher.clone().finalize().first_chunk().expect("SHA-256 gives 32 bytes")
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
    fn a_name_is_the_same_whichever_way_one_comes_to_it() {
        let all = ["a/b/c", "a/b/d", "A/B/C", "a/b", "a", "a/x/c", "a/b/c", "b", "a/b/e/f", "a/b/d/f", "a/b/g"];
        let mut names = Names::default();
        let taken: Vec<_> = all.iter().map(|text| names.take(&path(text)).err()).collect();
        let at = |components| Some(Taken::At(components));
        assert_eq!(taken, [None, None, at(3), at(2), at(1), None, at(3), None, None, at(3), None]);
    }

    #[test]
    fn folding_a_component_alone_or_with_others_is_the_same() {
        for text in ["Zoe\u{308}/A\u{30a}", "a/\u{308}b", "\u{3a3}/\u{3a3}", "\u{212a}/\u{1e9e}", "a/\u{338}"] {
            let apart: Vec<String> = text.split('/').map(fold).collect();
            assert_eq!(apart.join("/"), fold(text));
        }
        let ascii: String = (0..128_u8).map(char::from).collect();
        let with_more = fold(&format!("{ascii}\u{eb}"));
        assert_eq!(fold(&ascii) + "\u{eb}", with_more);
    }

    #[test]
    fn directories_beyond_the_limit_are_refused() {
        let mut names = Names::default();
        for number in 1..DIRECTORIES {
            names.take(&path(&format!("d/{number}/x"))).unwrap();
        }
        assert_eq!(names.take(&path("d/new/x")), Err(Taken::Directories));
        assert_eq!(names.take_near(&path("d/new/x")), None);
        assert_eq!(names.take(&path("d/y")), Ok(()));
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
