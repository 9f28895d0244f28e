//! Looks for files and archives.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use super::context::Context;
use super::job::{Job, News, Tell, left_out};
use crate::collect::archive::{self, ArchiveError, Taken, Taking};
use crate::collect::collection::{ArchiveSource, Globs};
use crate::collect::source::{Bytes, Candidate, Found, Search, shown, start};
use crate::collect::{CollectError, MOST, Source};
use crate::item::{FellOut, LeftOut, Reason};
use crate::progress::Silent;

/// Looks for what a path or glob names.
fn search(
    path: &str,
    exclude: Globs,
    network: bool,
    context: &Context,
    deadline: Instant,
) -> (Vec<Candidate>, Vec<LeftOut>) {
    let source = match Source::from_argument(path.as_ref()) {
        Source::StandardInput => Source::Path("-".into()),
        other => other,
    };
    let shown = || shown(context.beneath(path.trim_start_matches('/')).as_bytes());
    let none = |reason| (Vec::new(), vec![LeftOut { path: shown(), reason }]);
    let search = Search {
        exclude,
        prefix: context.prefix.clone(),
        local: !network,
        metadata_only: context.metadata_only,
        deadline: Some(deadline),
    };
    let mut found = Found::new(MOST, search, &Silent);
    let searched = start(&source).and_then(|start| start.find(None, &mut found));
    match searched {
        Ok(()) => {
            let (mut candidates, mut left_out) = found.into_candidates();
            for candidate in &mut candidates {
                if let Ok(path) = context.beneath(candidate.path.as_str()).parse() {
                    candidate.path = path;
                }
            }
            for one in &mut left_out {
                one.path = context.beneath(&one.path).to_owned();
            }
            (candidates, left_out)
        }
        Err(CollectError::NotFound(_) | CollectError::NoMatch(_)) => none(Reason::NotThere),
        Err(CollectError::Link { .. }) => none(Reason::Link),
        Err(CollectError::Forbidden(_)) => none(Reason::Forbidden),
        Err(CollectError::NotAFile(_)) => none(Reason::NotAFile),
        Err(CollectError::TooMany) => none(Reason::TooLarge),
        Err(CollectError::Read { source, .. }) if source.kind() == io::ErrorKind::PermissionDenied => {
            none(Reason::NotPermitted)
        }
        Err(_) => none(Reason::ReadError),
    }
}

/// Looks for files.
pub(super) fn find(
    (path, exclude, network): (&str, Globs, bool),
    context: &Context,
    deadline: Instant,
    cut: bool,
    tell: Tell<'_>,
) {
    let (candidates, missing) = search(path, exclude, network, context, deadline);
    for candidate in candidates {
        if cut && candidate.modified.is_some_and(|modified| context.window.is_over_at(modified)) {
            left_out(tell, candidate.path.as_str(), Reason::OutsideWindow, candidate.size);
        } else {
            tell(News::Found { candidate, cut: cut && !context.metadata_only });
        }
    }
    for LeftOut { path, reason } in missing {
        left_out(tell, &path, reason, 0);
    }
}

/// Finds archives, the newest alone or all of them.
pub(super) fn archives(
    (paths, limit): (&[String], u64),
    archive: &Arc<ArchiveSource>,
    context: &Context,
    deadline: Instant,
    tell: Tell<'_>,
) {
    let mut all = Vec::new();
    let mut missing = Vec::new();
    for path in paths {
        let (candidates, not_there) = search(path, Globs::default(), true, context, deadline);
        all.extend(candidates);
        missing.extend(not_there);
    }
    all.sort_by(|one, other| (other.modified, &other.path).cmp(&(one.modified, &one.path)));
    if !archive.all {
        all.truncate(1);
    }
    if all.is_empty() {
        for LeftOut { path, reason } in missing {
            left_out(tell, &path, reason, 0);
        }
    }
    let wanted = all.into_iter().map(|candidate| {
        // Where it lies on this computer is nothing that the other side needs.
        let path = candidate.path.file_name().parse().unwrap_or(candidate.path);
        Candidate { path, ..candidate }
    });
    if context.metadata_only {
        wanted.for_each(|candidate| tell(News::Found { candidate, cut: false }));
    } else {
        let limit = Some(limit.min(context.limits.total));
        let job = |candidate| Job::Archive { candidate, archive: Arc::clone(archive), limit };
        tell(News::More(wanted.map(job).collect()));
    }
}

/// Checks an archive and takes what is wanted of it.
pub(super) fn take(
    candidate: Candidate,
    archive: &ArchiveSource,
    limit: Option<u64>,
    context: &Context,
    deadline: Instant,
    tell: Tell<'_>,
) {
    let Bytes::File(file) = &candidate.bytes else { return tell(News::Found { candidate, cut: false }) };
    let go_on = || Instant::now() < deadline && !context.running.is_stopped();
    let (window, spools, modified) = (&context.window, &context.spools, candidate.modified);
    let path = candidate.path.as_str().to_owned();
    match archive::take(file, archive, &Taking { window, spools, limit, modified, go_on: &go_on }) {
        Ok(Taken::Whole) => tell(News::Found { candidate, cut: false }),
        Ok(Taken::Nothing) => left_out(tell, &path, Reason::OutsideWindow, candidate.size),
        Ok(Taken::Part(tail, fallen)) => {
            for one in fallen {
                tell(News::FellOut(FellOut { path: format!("{path}!{}", one.path), ..one }));
            }
            tell(News::Kept { path: candidate.path, modified, tail: *tail });
        }
        Err(ArchiveError::WrongKind(missing)) => {
            let path = PathBuf::from(candidate.path.file_name());
            tell(News::Wrong(CollectError::WrongKind { path, what: archive.what.clone(), missing }));
        }
        Err(ArchiveError::LeftOut(reason)) => left_out(tell, &path, reason, candidate.size),
        Err(ArchiveError::Keep(error)) => tell(News::Wrong(CollectError::Keep(error))),
    }
}
