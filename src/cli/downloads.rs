//! A person's own directories, where the desktop says they are, and what was last downloaded.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use globset::{Glob, GlobSet, GlobSetBuilder};

use super::Desk;
use super::output::{shown, size};
use super::requests::when;
use crate::clock::Timestamp;
use crate::collect::SourceKind;
use crate::profile::Profile;

/// Endings of what products pack their diagnostics into.
const ARCHIVES: [&str; 9] = [".tgz", ".tar.gz", ".tar", ".tar.xz", ".tar.zst", ".tar.bz2", ".zip", ".tbz2", ".txz"];

/// A file that was found.
pub struct Download {
    /// Where it is.
    pub path: PathBuf,
    length: u64,
    modified: Timestamp,
}

impl Download {
    /// The file in words: its path, its size, when it was last changed.
    pub fn words(&self, desk: &Desk<'_>) -> String {
        let home = desk.world.path_variable("HOME");
        let below = home.and_then(|home| self.path.strip_prefix(home).ok().map(|rest| Path::new("~").join(rest)));
        let path = below.unwrap_or_else(|| self.path.clone());
        format!("{}  ({}, {})", shown(&path.display().to_string()), size(self.length), when(self.modified))
    }
}

/// The newest file among the downloads that the profile takes; where it says nothing of archives, the newest archive. Of two of
/// the same time the one whose name comes last.
pub fn newest(profile: &Profile, desk: &Desk<'_>) -> Option<Download> {
    let wanted = wanted(profile);
    let directory = user_directory("DOWNLOAD", "Downloads", desk)?;
    let entries = fs::read_dir(directory).ok()?;
    let found = entries.flatten().filter_map(|entry| {
        let name = entry.file_name().to_string_lossy().to_ascii_lowercase();
        let metadata = entry.metadata().ok().filter(fs::Metadata::is_file)?;
        let modified = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?.as_secs();
        let modified = Timestamp::from_seconds(i64::try_from(modified).ok()?);
        let is_wanted = match &wanted {
            Some(globs) => globs.is_match(entry.file_name()),
            None => ARCHIVES.iter().any(|ending| name.ends_with(ending)),
        };
        is_wanted.then(|| Download { path: entry.path(), length: metadata.len(), modified })
    });
    found.max_by(|one, other| (one.modified, &one.path).cmp(&(other.modified, &other.path)))
}

/// What the archives that a profile takes are called.
fn wanted(profile: &Profile) -> Option<GlobSet> {
    let sources = profile.collection.sources.iter().filter_map(|rule| match &rule.kind {
        SourceKind::Archive(archive) => Some(&archive.paths),
        _ => None,
    });
    let names: Vec<&str> = sources.flatten().map(|path| path.rsplit('/').next().unwrap_or(path)).collect();
    let mut set = GlobSetBuilder::new();
    for name in &names {
        set.add(Glob::new(name).ok()?);
    }
    set.build().ok().filter(|_| !names.is_empty())
}

/// A directory of the desktop: as `user-dirs.dirs` says (xdg-user-dirs), else its English name in the home directory. `None`
/// without a home directory, or when it is not there.
pub fn user_directory(name: &str, english: &str, desk: &Desk<'_>) -> Option<PathBuf> {
    let home = desk.world.path_variable("HOME")?;
    let config = desk.world.path_variable("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config"));
    let said = fs::read_to_string(config.join("user-dirs.dirs")).ok().and_then(|text| said(&text, name, &home));
    Some(said.unwrap_or_else(|| home.join(english))).filter(|directory| directory.is_dir())
}

/// What a line `XDG_NAME_DIR="$HOME/…"` or `"/…"` says; one that names the home directory itself switches the directory off.
fn said(text: &str, name: &str, home: &Path) -> Option<PathBuf> {
    let prefix = format!("XDG_{name}_DIR=");
    let value = text.lines().rev().find_map(|line| line.trim().strip_prefix(&prefix))?;
    let value = value.strip_prefix('"')?.strip_suffix('"')?;
    match value.strip_prefix("$HOME/") {
        Some(rest) if !rest.is_empty() => Some(home.join(rest.replace("\\\"", "\"").replace("\\\\", "\\"))),
        Some(_) => None,
        None => Some(PathBuf::from(value)).filter(|path| path.is_absolute()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_desktop_says_where_downloads_are() {
        let said = |text: &str| said(text, "DOWNLOAD", Path::new("/home/an"));
        assert_eq!(said("XDG_DOWNLOAD_DIR=\"$HOME/Herunterladen\"\n"), Some("/home/an/Herunterladen".into()));
        assert_eq!(said("# x\nXDG_DOWNLOAD_DIR=\"/data/in\"\n"), Some("/data/in".into()));
        for none in [
            "",
            "XDG_DOWNLOAD_DIR=\"$HOME/\"",
            "XDG_DOWNLOAD_DIR=\"in\"",
            "XDG_MUSIC_DIR=\"$HOME/M\"",
            "XDG_DOWNLOAD_DIR=x",
        ] {
            assert_eq!(said(none), None, "{none}");
        }
    }
}
