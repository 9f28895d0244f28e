//! The kinds of sources. Each is checked first, all of them, and then searched.

mod beneath;
mod deny;
mod glob;
mod name;
mod path;
mod standard_input;
mod walk;

use std::collections::HashSet;

use super::{CollectError, CollectOptions, Collected, Source};
use crate::item::{Item, LeftOut, Reason};
use crate::progress::Progress;

/// A source that was checked and can be searched.
pub(super) trait Start {
    /// Adds what is there to what was found.
    fn find(self: Box<Self>, options: &mut CollectOptions<'_>, found: &mut Found<'_>) -> Result<(), CollectError>;
}

/// Checks that a source names something, reading nothing of it.
pub(super) fn start(source: &Source) -> Result<Box<dyn Start>, CollectError> {
    Ok(match source {
        Source::Path(path) => Box::new(path::check(path)?),
        Source::Glob(glob) => Box::new(glob::check(glob)?),
        Source::StandardInput => Box::new(standard_input::StandardInput),
    })
}

/// What was found so far.
pub(super) struct Found<'a> {
    items: Vec<Item>,
    left_out: Vec<LeftOut>,
    /// The files among the items: archive path, device and inode.
    files: HashSet<(String, u64, u64)>,
    most: usize,
    progress: &'a dyn Progress,
}

impl<'a> Found<'a> {
    pub(super) fn new(most: usize, progress: &'a dyn Progress) -> Self {
        Self { items: Vec::new(), left_out: Vec::new(), files: HashSet::new(), most, progress }
    }

    pub(super) fn into_collected(self) -> Collected {
        Collected { items: self.items, left_out: self.left_out }
    }

    /// Adds an item; a file that is there already under the same path is not added again.
    fn item(&mut self, item: Item, file: Option<(u64, u64)>) -> Result<(), CollectError> {
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
