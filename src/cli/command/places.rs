//! Files that somebody names inside a snapshot: by path, by directory, or by a glob.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::cli::exit::Failure;
use crate::cli::output::shown;
use crate::item::ArchivePath;

/// The files that are named; all of them where nothing is.
pub struct Places(Option<GlobSet>);

impl Places {
    /// Each text names files or directories: from the root, or from any component on.
    pub fn new(texts: &[String]) -> Result<Self, Failure> {
        if texts.is_empty() {
            return Ok(Self(None));
        }
        let bad = |text: &str, error: &globset::Error| {
            Failure::usage(format_args!("\"{}\" is no path and no glob: {}.", shown(text), error.kind()))
        };
        let mut set = GlobSetBuilder::new();
        for text in texts {
            let text = text.trim_end_matches('/');
            for glob in [format!("**/{text}"), format!("**/{text}/**")] {
                let glob = GlobBuilder::new(&glob).literal_separator(true).build();
                set.add(glob.map_err(|error| bad(text, &error))?);
            }
        }
        set.build().map(|set| Self(Some(set))).map_err(|error| bad(&texts[0], &error))
    }

    /// Whether a file is among them.
    pub fn hold(&self, path: &ArchivePath) -> bool {
        self.0.as_ref().is_none_or(|set| set.is_match(path.as_str()))
    }
}
