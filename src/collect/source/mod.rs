//! The kinds of sources. Each is checked first, all of them, and then searched.

mod beneath;
mod deny;
mod glob;
mod name;
mod path;
mod standard_input;
mod walk;

use std::collections::HashSet;
use std::time::Instant;

pub(super) use self::beneath::{FileContent, FilePart};
pub(super) use self::name::{archived_text, shown};
use super::{CollectError, CollectOptions, Collected, Globs, Source};
use crate::clock::Timestamp;
use crate::item::{ArchivePath, Content, Item, LeftOut, Reason};
use crate::progress::Progress;

/// A source that was checked and can be searched.
pub(super) trait Start {
    /// Adds what is there to what was found.
    ///
    /// Only standard input needs the options.
    fn find(
        self: Box<Self>,
        options: Option<&mut CollectOptions<'_>>,
        found: &mut Found<'_>,
    ) -> Result<(), CollectError>;
}

/// Checks that a source names something, reading nothing of it.
pub(super) fn start(source: &Source) -> Result<Box<dyn Start>, CollectError> {
    Ok(match source {
        Source::Path(path) => Box::new(path::check(path)?),
        Source::Glob(glob) => Box::new(glob::check(glob)?),
        Source::StandardInput => Box::new(standard_input::StandardInput),
    })
}

/// Something that was found, and that can become an item.
pub(super) struct Candidate {
    pub(super) path: ArchivePath,
    pub(super) size: u64,
    pub(super) modified: Option<Timestamp>,
    pub(super) bytes: Bytes,
}

/// Where the bytes of a candidate are.
pub(super) enum Bytes {
    /// In a file.
    File(FileContent),
    /// Elsewhere.
    Kept(Box<dyn Content>),
}

impl From<Candidate> for Item {
    fn from(candidate: Candidate) -> Self {
        let Candidate { path, size, modified, bytes } = candidate;
        let content: Box<dyn Content> = match bytes {
            Bytes::File(file) => Box::new(file),
            Bytes::Kept(content) => content,
        };
        Self { path, size, modified, content }
    }
}

/// How a search differs from one for what a user named.
#[derive(Default)]
pub(super) struct Search {
    /// What is passed over.
    pub(super) exclude: Globs,
    /// What paths begin with that [`exclude`](Self::exclude) does not look at.
    pub(super) prefix: String,
    /// Whether network file systems are passed over.
    pub(super) local: bool,
    /// Whether not even small files are looked into.
    pub(super) metadata_only: bool,
    /// When it has to be over.
    pub(super) deadline: Option<Instant>,
}

impl Search {
    fn is_over(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }
}

/// What was found so far.
pub(super) struct Found<'a> {
    search: Search,
    items: Vec<Candidate>,
    left_out: Vec<LeftOut>,
    /// The files among the items: archive path, device and inode.
    files: HashSet<(String, u64, u64)>,
    most: usize,
    progress: &'a dyn Progress,
}

impl<'a> Found<'a> {
    pub(super) fn new(most: usize, search: Search, progress: &'a dyn Progress) -> Self {
        Self { search, items: Vec::new(), left_out: Vec::new(), files: HashSet::new(), most, progress }
    }

    pub(super) fn into_collected(self) -> Collected {
        Collected { items: self.items.into_iter().map(Item::from).collect(), left_out: self.left_out }
    }

    /// How many candidates there are.
    pub(super) const fn len(&self) -> usize {
        self.items.len()
    }

    /// What was found, still as candidates, and what was left out.
    pub(super) fn into_candidates(self) -> (Vec<Candidate>, Vec<LeftOut>) {
        (self.items, self.left_out)
    }

    /// Adds an item; a file that is there already under the same path is not added again.
    fn item(&mut self, item: Candidate, file: Option<(u64, u64)>) -> Result<(), CollectError> {
        if let Some((device, inode)) = file
            && !self.files.insert((item.path.as_str().to_owned(), device, inode))
        {
            return Ok(());
        }
        self.items.push(item);
        self.progress.advance(1);
        if self.items.len() > self.most { Err(CollectError::TooMany) } else { Ok(()) }
    }

    fn left_out(&mut self, path: String, reason: Reason) -> Result<(), CollectError> {
        self.left_out.push(LeftOut { path, reason });
        if self.left_out.len() > self.most { Err(CollectError::TooMany) } else { Ok(()) }
    }
}
