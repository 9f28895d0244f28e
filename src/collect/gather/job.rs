//! The pieces of work, and what each tells.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::command::Command;
use super::context::Context;
use super::{cluster, containers, cut, find};
use crate::clock::Timestamp;
use crate::collect::CollectError;
use crate::collect::collection::{ArchiveSource, ContainerSource, Globs, KubernetesSource};
use crate::collect::run::Tail;
use crate::collect::source::{Candidate, FilePart, shown};
use crate::item::{ArchivePath, FellOut, Reason};

/// A piece of work.
pub(super) enum Job {
    /// Looks for files.
    Find { path: String, exclude: Globs, network: bool, cut: bool },
    /// Looks for archives.
    FindArchives { paths: Vec<String>, archive: Arc<ArchiveSource>, limit: u64 },
    /// Finds the lines of a file that lie within the window.
    Cut { candidate: Candidate },
    /// Checks an archive and takes what is wanted of it.
    Archive { candidate: Candidate, archive: Arc<ArchiveSource>, limit: Option<u64> },
    /// Runs a command and keeps what it prints.
    Command(Command),
    /// Lists containers.
    Containers(Arc<ContainerSource>),
    /// Lists the pods of a namespace.
    Pods { cluster: Arc<KubernetesSource>, namespace: String },
    /// Describes resources of a kind.
    Resources { namespace: String, kind: String },
}

/// What a job tells.
pub(super) enum News {
    /// A file was found; its lines may have to be cut.
    Found { candidate: Candidate, cut: bool },
    /// A part of a file lies within the window.
    Part { path: ArchivePath, modified: Option<Timestamp>, part: FilePart },
    /// Something to be kept.
    Kept { path: ArchivePath, modified: Option<Timestamp>, tail: Tail },
    /// Something is not in the snapshot; with its bytes, where they are known.
    LeftOut { path: String, reason: Reason, bytes: u64 },
    /// A part of something is not in the snapshot.
    FellOut(FellOut),
    /// There is more to do.
    More(Vec<Job>),
    /// A command ended with this status.
    Status(i32),
    /// Everything ends.
    Wrong(CollectError),
}

/// Hears what a job tells.
pub(super) type Tell<'a> = &'a mut dyn FnMut(News);

impl Job {
    /// What is listed when it is given up.
    pub(super) fn what(&self) -> String {
        match self {
            Self::Find { path, .. } => shown(path.trim_start_matches('/').as_bytes()),
            Self::FindArchives { paths, .. } => shown(paths.join(" ").as_bytes()),
            Self::Cut { candidate } | Self::Archive { candidate, .. } => candidate.path.as_str().to_owned(),
            Self::Command(command) => command.save_as.as_str().to_owned(),
            Self::Containers(source) => source.runtime.clone(),
            Self::Pods { namespace, .. } => format!("kubernetes/{namespace}"),
            Self::Resources { namespace, kind } => format!("kubernetes/{namespace}/{kind}"),
        }
    }

    /// How long it may take, if that is not what every item may.
    pub(super) const fn time(&self) -> Option<Duration> {
        match self {
            Self::Command(command) => command.time,
            _ => None,
        }
    }

    /// Whether it is a search, which has the time of its whole source.
    pub(super) const fn is_search(&self) -> bool {
        matches!(self, Self::Find { .. } | Self::FindArchives { .. } | Self::Archive { .. })
    }

    /// Does the work until `deadline`.
    pub(super) fn work(self, context: &Context, deadline: Instant, tell: Tell<'_>) {
        match self {
            Self::Find { path, exclude, network, cut } => {
                find::find((&path, exclude, network), context, deadline, cut, tell);
            }
            Self::FindArchives { paths, archive, limit } => {
                find::archives((&paths, limit), &archive, context, deadline, tell);
            }
            Self::Cut { candidate } => cut::cut(candidate, context, deadline, tell),
            Self::Archive { candidate, archive, limit } => {
                find::take(candidate, &archive, limit, context, deadline, tell);
            }
            Self::Command(command) => command.work(context, deadline, tell),
            Self::Containers(source) => containers::ask(&source, context, deadline, tell),
            Self::Pods { cluster, namespace } => cluster::ask(&cluster, &namespace, context, deadline, tell),
            Self::Resources { namespace, kind } => cluster::describe(&namespace, &kind, context, deadline, tell),
        }
    }
}

/// Tells that something is not in the snapshot.
pub(super) fn left_out(tell: Tell<'_>, path: &str, reason: Reason, bytes: u64) {
    tell(News::LeftOut { path: path.to_owned(), reason, bytes });
}

/// Tells that a part of something is not in the snapshot.
pub(super) fn fell_out(tell: Tell<'_>, path: &ArchivePath, reason: Reason, bytes: u64) {
    tell(News::FellOut(FellOut { path: path.as_str().to_owned(), reason, bytes, in_part: true }));
}
