//! Files a profile leaves out.

use super::glob::{BadGlob, Glob};

/// What is done with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileTreat {
    /// It is read and redacted like any other.
    Scan,
    /// It is left out unread, and listed.
    LeaveOut {
        /// Why, in the profile's words.
        reason: String,
    },
}

/// A rule over files, by their path in the snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRule {
    path: Glob,
    /// What is done with them.
    pub treat: FileTreat,
}

impl FileRule {
    /// A rule over every path that matches the glob as a whole or from one of its components on: `*` stays in its component,
    /// `**` does not. Members of archives are matched by their path in the archive.
    pub fn new(path: &str, treat: FileTreat) -> Result<Self, BadGlob> {
        Ok(Self { path: Glob::path(path)?, treat })
    }

    /// The glob over paths.
    #[must_use]
    pub fn path(&self) -> &str {
        self.path.as_str()
    }

    /// Why the files are left out; `None` when they are not.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match &self.treat {
            FileTreat::LeaveOut { reason } => Some(reason),
            FileTreat::Scan => None,
        }
    }

    pub(super) fn matches(&self, path: &str) -> bool {
        // The path within the innermost archive is the part behind the last mark.
        let within = path.rsplit('!').next().unwrap_or(path);
        self.path.matches(within) || within.len() < path.len() && self.path.matches(path)
    }
}
