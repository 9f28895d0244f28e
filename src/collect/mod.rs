//! Finds what is to be in a snapshot: [`Source`]s go in, [`Item`]s and what was [`LeftOut`] come out.
//!
//! Nothing is read here but names, sizes and, of small files, the first bytes; an item's content is opened when it is asked
//! for. Reading goes by one set of rules (`source/beneath.rs`): beneath the source's root, never through a link, regular
//! files only, no more than the size first seen, the same file the second time, with the caller's own rights.
//!
//! An argument that names nothing is an error before anything is read; what cannot be read inside a directory is left out
//! and listed.

mod archive;
mod caps;
mod collection;
mod gather;
mod packing;
mod run;
mod source;
mod window;

use std::collections::HashSet;
use std::ffi::OsStr;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rand::CryptoRng;

pub use self::collection::{
    ArchiveSource, CollectLimits, Collection, CommandSource, ContainerSource, FileSource, Globs, JournalSource,
    KubernetesSource, SourceKind, SourceRule, WindowRule,
};
pub(crate) use self::gather::is_secret;
pub use self::gather::{GatherOptions, Gathered, WouldRun, gather};
pub use self::run::Running;
pub use self::window::Window;
use crate::item::{ArchivePath, Item, LeftOut};
use crate::progress::{Progress, Step, count};
use source::{Found, Search};

/// Most items, and most things left out, in one snapshot: as many as a reader accepts.
const MOST: usize = 999_999;

/// Where things are collected from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file, or a directory with everything beneath it.
    Path(PathBuf),
    /// The files that match, and everything beneath the directories that match. `*` and `?` stop at `/`, `**` does not.
    Glob(String),
    /// What comes on standard input, as one file.
    StandardInput,
}

impl Source {
    /// Understands a command-line argument: `-` is standard input, what exists is a path even if it holds a `*`, and what
    /// holds one of `*?[{` otherwise is a glob.
    #[must_use]
    pub fn from_argument(argument: &OsStr) -> Self {
        let path = Path::new(argument);
        if argument == "-" {
            return Self::StandardInput;
        }
        match argument.to_str() {
            Some(text) if text.contains(['*', '?', '[', '{']) && path.symlink_metadata().is_err() => {
                Self::Glob(text.to_owned())
            }
            _ => Self::Path(path.to_owned()),
        }
    }
}

/// What collecting needs from outside.
pub struct CollectOptions<'a> {
    /// Standard input, read to its end if a source asks for it.
    pub standard_input: &'a mut dyn Read,
    /// What standard input is called in the snapshot.
    pub standard_input_name: ArchivePath,
    /// Where standard input is kept, sealed, if it does not fit into memory: the directory of the output.
    pub spool_directory: PathBuf,
    /// Gives the key of that spool.
    pub rng: &'a mut dyn CryptoRng,
}

/// What was found.
#[derive(Debug)]
pub struct Collected {
    /// The items, by path. Two may have one path when different sources give it.
    pub items: Vec<Item>,
    /// What was found and is not among them, by path.
    pub left_out: Vec<LeftOut>,
}

/// Why nothing was collected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CollectError {
    /// An argument names nothing.
    #[error("{} does not exist", .0.display())]
    NotFound(PathBuf),
    /// An argument is a symbolic link. Links are not followed; what it points to can be named instead.
    #[error("{} is a link to {}; name that instead", path.display(), target.display())]
    Link {
        /// The argument.
        path: PathBuf,
        /// Where it points.
        target: PathBuf,
    },
    /// An argument is of a kind that never leaves this computer: `/proc`, `/sys`, `/dev`, a key file.
    #[error("{} is of a kind that never leaves this computer", .0.display())]
    Forbidden(PathBuf),
    /// An argument is a device, a socket or a pipe.
    #[error("{} is not a regular file or a directory", .0.display())]
    NotAFile(PathBuf),
    /// A glob cannot be understood.
    #[error("\"{glob}\" is not a pattern")]
    BadGlob {
        /// The pattern.
        glob: String,
        /// What is wrong with it.
        #[source]
        source: globset::Error,
    },
    /// A glob matches nothing.
    #[error("nothing matches \"{0}\"")]
    NoMatch(String),
    /// Standard input was named more than once.
    #[error("standard input can be read only once")]
    StandardInputTwice,
    /// An argument could not be looked at.
    #[error("{} could not be read", path.display())]
    Read {
        /// The argument.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// More files than a snapshot can hold.
    #[error("more than {MOST} files were found; name fewer")]
    TooMany,
    /// An archive is not of the kind that the profile expects.
    #[error("{} is not {what} (no {missing} inside)", path.display())]
    WrongKind {
        /// The archive.
        path: PathBuf,
        /// What was expected, with its article.
        what: String,
        /// What such an archive holds.
        missing: String,
    },
    /// What was collected could not be kept until it is sealed.
    #[error("what was collected could not be kept")]
    Keep(#[source] io::Error),
    /// Collecting was stopped from outside.
    #[error("collecting was stopped")]
    Stopped,
    /// There is nothing to send: all that was found was left out, or all of it is empty.
    #[error("there is nothing in it")]
    Empty {
        /// What was left out and why.
        left_out: Vec<LeftOut>,
    },
}

/// Finds everything the sources name.
///
/// Archive paths are the paths as given, without a leading `/`, `.` or `..`: `/var/log/syslog` becomes `var/log/syslog`.
/// A file that two sources name is there once.
pub fn collect(
    sources: &[Source],
    options: &mut CollectOptions<'_>,
    progress: &dyn Progress,
) -> Result<Collected, CollectError> {
    let starts = sources.iter().map(source::start).collect::<Result<Vec<_>, _>>()?;
    if sources.iter().filter(|source| **source == Source::StandardInput).count() > 1 {
        return Err(CollectError::StandardInputTwice);
    }
    progress.begin(Step::Collect, None);
    let mut found = Found::new(MOST, Search::default(), progress);
    for start in starts {
        start.find(Some(&mut *options), &mut found)?;
    }
    let Collected { mut items, mut left_out } = found.into_collected();
    items.sort_by(|one, other| one.path.cmp(&other.path));
    left_out.sort_by(|one, other| (&one.path, one.reason).cmp(&(&other.path, other.reason)));
    let mut seen = HashSet::new();
    left_out.retain(|left_out| seen.insert((left_out.path.clone(), left_out.reason)));
    progress.end(&format!("{}, {} left out", count(items.len() as u64, "file"), left_out.len()));
    if items.iter().all(|item| item.size == 0) {
        return Err(CollectError::Empty { left_out });
    }
    Ok(Collected { items, left_out })
}
