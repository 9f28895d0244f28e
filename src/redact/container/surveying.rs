//! The first pass at one place inside an item.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use super::{Depth, Opening};
use crate::item::ArchivePath;
use crate::redact::decode::{self, HEAD, Stream};
use crate::redact::error::RedactError;
use crate::redact::keys::KeyClass;
use crate::redact::learned::Sighting;
use crate::redact::shape::Shape;
use crate::redact::survey::Survey;

/// Learns from a document and everything in it.
pub(crate) struct Surveying<'a> {
    pub(super) survey: &'a Survey,
    pub(super) opening: Arc<Opening>,
    pub(super) depth: Depth,
    /// The path of the item, or of the member in its archive: not redacted. A stream without a name has none.
    path: Option<ArchivePath>,
    found: Vec<Sighting>,
    seen: HashSet<u64>,
    /// Cells that were read before.
    told: HashSet<u64>,
    hasher: RandomState,
}

impl<'a> Surveying<'a> {
    /// Begins with an item; a stream without a name has no path.
    pub(crate) fn new(survey: &'a Survey, opening: Arc<Opening>, path: Option<ArchivePath>) -> Self {
        let hasher = RandomState::new();
        Self {
            survey,
            opening,
            depth: Depth::default(),
            path,
            found: Vec::new(),
            seen: HashSet::new(),
            told: HashSet::new(),
            hasher,
        }
    }

    /// Learns from a document of any kind.
    pub(crate) fn document(&mut self, input: Stream<'_>) -> Result<(), RedactError> {
        let (head, input) = decode::peek(input, HEAD)?;
        let Some(container) = super::recognise(&head) else {
            let (text, _) = decode::open(&head, input)?;
            return self.text(text);
        };
        let outer = self.depth;
        self.depth = outer.into(container, self.opening.limits.depth)?;
        container.survey(input, self)?;
        self.depth = outer;
        Ok(())
    }

    /// Learns from text that is decoded. A reader of its lines that depends on the kind of file is chosen here, by
    /// the path and the text's beginning ([`decode::peek`]).
    pub(crate) fn text(&mut self, text: Stream<'_>) -> Result<(), RedactError> {
        let path = self.path.as_ref().map_or("", ArchivePath::as_str);
        let (shape, _, text) = Shape::of_stream(path, text, &self.survey.rules)?;
        let sightings = self.survey.read_text(text, shape)?;
        self.learn(sightings);
        Ok(())
    }

    /// Learns from a member of an archive: its name and what is in it. A member that cannot be read teaches nothing and is
    /// no error; the second pass lists it.
    pub(crate) fn member(&mut self, path: &ArchivePath, input: Stream<'_>) -> Result<(), RedactError> {
        if self.survey.rules.leaves_out(path.as_str()).is_some() {
            return Ok(());
        }
        let mut inside = Surveying::new(self.survey, Arc::clone(&self.opening), Some(path.clone()));
        inside.depth = self.depth;
        match inside.document(input) {
            Ok(()) => {
                inside.path.iter().for_each(|path| self.name(path));
                self.learn(inside.found);
                Ok(())
            }
            Err(error) if error.of_member().is_some() => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Learns from a cell of a database, whose column may say what it is. A cell that is no text teaches nothing.
    pub(crate) fn cell(&mut self, text: &[u8], class: Option<KeyClass>) {
        if self.told.insert(self.hasher.hash_one((text, class))) {
            self.learn(self.survey.cell_sightings(text, class));
        }
    }

    /// Learns from a name alone.
    pub(crate) fn name(&mut self, path: &ArchivePath) {
        self.learn(self.survey.path_sightings(path));
    }

    /// Takes what was learned elsewhere.
    pub(crate) fn learn(&mut self, sightings: Vec<Sighting>) {
        for sighting in sightings {
            if self.seen.insert(self.hasher.hash_one(&sighting)) {
                self.found.push(sighting);
            }
        }
    }

    /// What was learned, in the order in which it stands.
    pub(crate) fn finish(self) -> Vec<Sighting> {
        self.found
    }
}
