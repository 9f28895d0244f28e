//! What a profile says about collecting: sources, a window of time, limits.

use std::path::PathBuf;
use std::time::Duration;

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};
use jiff::tz::TimeZone;

use crate::item::ArchivePath;

/// What is collected, how much of it at most, and how long that may take.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Collection {
    /// Which part of the logs is wanted, unless the user says otherwise.
    pub window: WindowRule,
    /// How much and how long.
    pub limits: CollectLimits,
    /// Where from, in the profile's order.
    pub sources: Vec<SourceRule>,
}

/// Which part of the logs a profile wants.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct WindowRule {
    /// How far back from now, in seconds; `None` for all.
    pub last: Option<i64>,
    /// Seconds by which clocks may differ: the window is wider by that at both ends.
    pub slack: i64,
    /// The time zone of stamps without an offset; `None` for this computer's.
    pub zone: Option<TimeZone>,
}

/// How much is collected and how long that may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollectLimits {
    /// Most bytes of all sources; the newest stay.
    pub total: u64,
    /// Most bytes of a source; the newest stay.
    pub source: u64,
    /// How long one item may take.
    pub item_time: Duration,
    /// How long one source may take.
    pub source_time: Duration,
    /// How long all of them may take.
    pub total_time: Duration,
    /// How many items are worked on at once.
    pub parallel: usize,
    /// Whether it runs with ordinary priority, and not behind everything else.
    pub full_speed: bool,
}

impl Default for CollectLimits {
    fn default() -> Self {
        Self {
            total: 1 << 30,
            source: 256 << 20,
            item_time: Duration::from_secs(60),
            source_time: Duration::from_secs(300),
            total_time: Duration::from_secs(900),
            parallel: 4,
            full_speed: false,
        }
    }
}

/// One source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceRule {
    /// What it is called in reports.
    pub name: String,
    /// Where from.
    pub kind: SourceKind,
    /// Whether the snapshot is incomplete when there is nothing of it.
    pub required: bool,
    /// Whether it gives way first when the limit of all sources is reached.
    pub low: bool,
    /// Most bytes, in place of the limit of every source.
    pub limit: Option<u64>,
}

/// The kinds of sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// Files of this computer.
    Files(FileSource),
    /// What a program prints.
    Command(CommandSource),
    /// The journal.
    Journal(JournalSource),
    /// Logs of containers.
    Containers(ContainerSource),
    /// Logs and resources of a cluster.
    Kubernetes(KubernetesSource),
    /// An archive that another product made.
    Archive(ArchiveSource),
}

impl SourceKind {
    /// The kind as it is called in a profile: `file`, `command`, `journal`, `container`, `kubernetes`, `archive`.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Files(_) => "file",
            Self::Command(_) => "command",
            Self::Journal(_) => "journal",
            Self::Containers(_) => "container",
            Self::Kubernetes(_) => "kubernetes",
            Self::Archive(_) => "archive",
        }
    }
}

/// Files of this computer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSource {
    /// Paths and globs; `~/` is the user's home.
    pub paths: Vec<String>,
    /// What of them is not wanted.
    pub exclude: Globs,
    /// Whether lines outside the window go.
    pub window: bool,
    /// Whether network file systems are entered.
    pub network: bool,
}

/// What a program prints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandSource {
    /// The program and its arguments; no shell sees them.
    pub run: Vec<String>,
    /// Where its output stands in the snapshot.
    pub save_as: ArchivePath,
    /// Variables of the user's environment that it gets.
    pub environment: Vec<String>,
    /// Whether lines outside the window go.
    pub window: bool,
    /// How long it may take, in place of the limit of every item.
    pub time: Option<Duration>,
}

/// The journal of this computer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalSource {
    /// Units, also with `*`; all where there is none.
    pub units: Vec<String>,
    /// The least important priority that is wanted.
    pub priority: Option<String>,
    /// The form, as `journalctl --output` knows it.
    pub format: String,
}

/// Logs of containers on this computer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerSource {
    /// The program that knows them: `docker` or `podman`.
    pub runtime: String,
    /// The containers' names.
    pub containers: Globs,
}

/// Logs and resources of a cluster, by `kubectl`, with the user's own rights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubernetesSource {
    /// The namespaces.
    pub namespaces: Vec<String>,
    /// Which pods, as a label selector.
    pub selector: Option<String>,
    /// Whether logs of containers before their restart are wanted too.
    pub previous: bool,
    /// Kinds of resources that are described.
    pub resources: Vec<String>,
}

/// An archive that another product made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveSource {
    /// Paths and globs; `~/` is the user's home.
    pub paths: Vec<String>,
    /// Whether all that match are taken, and not the newest alone.
    pub all: bool,
    /// What such an archive is called, with its article: `a Pexip snapshot`.
    pub what: String,
    /// What must be inside, by the end of its path.
    pub must_hold: Vec<String>,
    /// Members whose lines outside the window go.
    pub logs: Globs,
    /// Members that are not wanted.
    pub exclude: Globs,
    /// Members that give way first when the limit is reached.
    pub low: Globs,
}

/// Globs over paths. `*` and `?` stop at `/`, `**` does not; case matters. One that is no absolute path holds for the whole
/// path and for the end of it from any directory on.
#[derive(Clone, Debug, Default)]
pub struct Globs {
    texts: Vec<String>,
    set: GlobSet,
}

impl PartialEq for Globs {
    fn eq(&self, other: &Self) -> bool {
        self.texts == other.texts
    }
}

impl Eq for Globs {}

impl Globs {
    /// Understands globs; an error names the first that cannot be understood.
    pub fn new(texts: Vec<String>) -> Result<Self, (String, globset::Error)> {
        let mut set = GlobSetBuilder::new();
        for text in &texts {
            let failed = |error| (text.clone(), error);
            set.add(glob(text.trim_start_matches('/')).map_err(failed)?);
            if !text.starts_with('/') && !text.starts_with("**/") {
                set.add(glob(&format!("**/{text}")).map_err(failed)?);
            }
        }
        let set = set.build().map_err(|error| (texts.first().cloned().unwrap_or_default(), error))?;
        Ok(Self { texts, set })
    }

    /// The globs as they were written.
    #[must_use]
    pub fn texts(&self) -> &[String] {
        &self.texts
    }

    /// Whether one of them holds for a path, which is given as it stands in a snapshot.
    #[must_use]
    pub fn hold_for(&self, path: impl AsRef<std::path::Path>) -> bool {
        self.set.is_match(path)
    }
}

fn glob(text: &str) -> Result<Glob, globset::Error> {
    GlobBuilder::new(text).literal_separator(true).backslash_escape(true).empty_alternates(true).build()
}

/// A path of a profile with the user's home in place of `~`.
pub(super) fn expanded(path: &str, home: Option<&PathBuf>) -> Option<String> {
    match path.strip_prefix("~/") {
        None => Some(path.to_owned()),
        Some(rest) => home?.join(rest).to_str().map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_holds_for_the_end_of_a_path_unless_it_is_absolute() {
        let globs = |text: &str| Globs::new(vec![text.to_owned()]).unwrap();
        for (glob, path, holds) in [
            ("*.key", "etc/app/tls.key", true),
            ("*.key", "tls.key", true),
            ("app/*.key", "etc/app/tls.key", true),
            ("/app/*.key", "etc/app/tls.key", false),
            ("/etc/*/tls.key", "etc/app/tls.key", true),
            ("/etc/*.key", "etc/app/tls.key", false),
            ("/etc/**", "etc/app/tls.key", true),
            ("var/log/**", "node/var/log/a/b", true),
            ("*.KEY", "tls.key", false),
        ] {
            assert_eq!(globs(glob).hold_for(path), holds, "{glob} {path}");
        }
        assert!(Globs::new(vec!["x[".into()]).is_err());
        assert!(!Globs::default().hold_for("a"));
    }

    #[test]
    fn a_home_stands_in_place_of_its_sign() {
        let home = PathBuf::from("/home/clerk");
        assert_eq!(expanded("~/a", Some(&home)).as_deref(), Some("/home/clerk/a"));
        assert_eq!(expanded("/a/~/b", None).as_deref(), Some("/a/~/b"));
        assert_eq!(expanded("~/a", None), None);
    }
}
