//! The pieces of work, and what each tells.

use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::cluster;
use super::containers;
use super::context::Context;
use crate::clock::Timestamp;
use crate::collect::archive::{self, ArchiveError, Taken, Taking};
use crate::collect::collection::{ArchiveSource, ContainerSource, Globs, KubernetesSource};
use crate::collect::packing::{HEAD, Packing};
use crate::collect::run::{Ended, RunError, Tail, run};
use crate::collect::source::{Bytes, Candidate, FileContent, FilePart, Found, Search, shown, start};
use crate::collect::window::{Within, pass, within};
use crate::collect::{CollectError, MOST, Source};
use crate::item::{ArchivePath, BecameShorter, Content, FellOut, LeftOut, Reason};
use crate::progress::Silent;

/// Most bytes of what a command says on standard error that are kept.
const SAID: u64 = 1 << 20;

/// A piece of work.
pub(super) enum Job {
    /// Looks for files.
    Find { path: String, exclude: Globs, network: bool, cut: bool },
    /// Looks for archives.
    FindArchives { paths: Vec<String>, archive: Arc<ArchiveSource> },
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

/// A command whose output is kept.
pub(super) struct Command {
    pub(super) arguments: Vec<String>,
    pub(super) variables: Vec<String>,
    pub(super) save_as: ArchivePath,
    /// How long it may take, in place of what every item may.
    pub(super) time: Option<Duration>,
    /// Whether lines of its output outside the window go.
    pub(super) cut: bool,
    /// Most bytes of its output that are kept.
    pub(super) limit: u64,
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
                find((&path, exclude, network), context, deadline, cut, tell);
            }
            Self::FindArchives { paths, archive } => find_archives(&paths, &archive, context, deadline, tell),
            Self::Cut { candidate } => cut(candidate, context, deadline, tell),
            Self::Archive { candidate, archive, limit } => take(candidate, &archive, limit, context, deadline, tell),
            Self::Command(command) => command.work(context, deadline, tell),
            Self::Containers(source) => list_containers(&source, context, deadline, tell),
            Self::Pods { cluster, namespace } => list_pods(&cluster, &namespace, context, deadline, tell),
            Self::Resources { namespace, kind } => describe(&namespace, &kind, context, deadline, tell),
        }
    }
}

fn left_out(tell: Tell<'_>, path: &str, reason: Reason, bytes: u64) {
    tell(News::LeftOut { path: path.to_owned(), reason, bytes });
}

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

fn find(
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
fn find_archives(paths: &[String], archive: &Arc<ArchiveSource>, context: &Context, deadline: Instant, tell: Tell<'_>) {
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
        let limit = Some(context.limits.total);
        let job = |candidate| Job::Archive { candidate, archive: Arc::clone(archive), limit };
        tell(News::More(wanted.map(job).collect()));
    }
}

/// Finds the lines of a file that lie within the window.
fn cut(candidate: Candidate, context: &Context, deadline: Instant, tell: Tell<'_>) {
    let Candidate { path, size, modified, bytes } = candidate;
    let file = match bytes {
        Bytes::File(file) => file,
        Bytes::Kept(content) => return cut_stream((path, size, modified), content, context, deadline, tell),
    };
    match cut_file(&file, modified, context, deadline) {
        Ok(Cut::Unknown) => {
            tell(News::Found { candidate: Candidate { path, size, modified, bytes: Bytes::File(file) }, cut: false });
        }
        Ok(Cut::Nothing) => left_out(tell, path.as_str(), Reason::OutsideWindow, size),
        Ok(Cut::Part(part)) => {
            fell_out(tell, &path, Reason::OutsideWindow, size - part.length());
            tell(News::Part { path, modified, part });
        }
        Ok(Cut::Packed(tail)) => {
            fell_out(tell, &path, Reason::OutsideWindow, size.saturating_sub(tail.total()));
            tell(News::Kept { path, modified, tail });
        }
        Err(CutError::Keep(error)) => tell(News::Wrong(CollectError::Keep(error))),
        Err(CutError::Read(error)) => left_out(tell, path.as_str(), reason(&error), size),
    }
}

fn fell_out(tell: Tell<'_>, path: &ArchivePath, reason: Reason, bytes: u64) {
    tell(News::FellOut(FellOut { path: path.as_str().to_owned(), reason, bytes, in_part: true }));
}

/// What of a file lies within the window.
enum Cut {
    /// It is not known, or all of it.
    Unknown,
    Nothing,
    Part(FilePart),
    /// Packed anew.
    Packed(Tail),
}

enum CutError {
    Read(io::Error),
    Keep(io::Error),
}

impl From<io::Error> for CutError {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

fn cut_file(
    content: &FileContent,
    modified: Option<Timestamp>,
    context: &Context,
    deadline: Instant,
) -> Result<Cut, CutError> {
    let go_on = || Instant::now() < deadline && !context.running.is_stopped();
    let reading = context.reading(modified);
    let mut file = content.file()?;
    let mut head = Vec::new();
    (&file).take(HEAD as u64).read_to_end(&mut head)?;
    let packing = Packing::of(&head);
    if packing == Packing::None {
        return Ok(match within(&mut file, content.size(), &context.window, &reading, &go_on)? {
            Within::Unknown => Cut::Unknown,
            Within::Nothing => Cut::Nothing,
            Within::Part { start: 0, end, .. } if end == content.size() => Cut::Unknown,
            Within::Part { head, start, end } => Cut::Part(FilePart { file: content.clone(), head, start, end }),
        });
    }
    // A packed archive has no lines of its own; what is packed otherwise is packed again.
    let opened = packing.open(io::BufReader::with_capacity(128 << 10, content.open()?))?;
    let mut packer = packing.pack(Tail::new(&context.spools, u64::MAX)).map_err(CutError::Keep)?;
    let passed = pass(opened.take(OPENED), &mut packer, &context.window, &reading, &go_on)?;
    if !passed.stamped || passed.written == passed.read || passed.read == OPENED {
        return Ok(Cut::Unknown);
    }
    if passed.written == 0 {
        return Ok(Cut::Nothing);
    }
    packer.finish().map(Cut::Packed).map_err(CutError::Keep)
}

/// Most bytes a packed log may grow to for its lines to be looked at.
const OPENED: u64 = 20 << 30;

/// What an error while reading a file means.
fn reason(error: &io::Error) -> Reason {
    match error.kind() {
        io::ErrorKind::TimedOut => Reason::TimedOut,
        io::ErrorKind::NotFound => Reason::Vanished,
        io::ErrorKind::PermissionDenied => Reason::NotPermitted,
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof => Reason::Damaged,
        _ if error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<BecameShorter>) => {
            Reason::BecameShorter
        }
        _ => Reason::ReadError,
    }
}

/// Passes the lines of what is kept already, such as standard input.
fn cut_stream(
    (path, size, modified): (ArchivePath, u64, Option<Timestamp>),
    content: Box<dyn Content>,
    context: &Context,
    deadline: Instant,
    tell: Tell<'_>,
) {
    let mut tail = Tail::new(&context.spools, u64::MAX);
    let go_on = || Instant::now() < deadline;
    let passed =
        content.open().and_then(|reader| pass(reader, &mut tail, &context.window, &context.reading(modified), &go_on));
    match passed {
        Err(error) if error.kind() == io::ErrorKind::TimedOut => {
            left_out(tell, path.as_str(), Reason::TimedOut, size);
        }
        Err(error) => tell(News::Wrong(CollectError::Keep(error))),
        Ok(passed) if passed.written == 0 && size > 0 => left_out(tell, path.as_str(), Reason::OutsideWindow, size),
        Ok(passed) => {
            if passed.written < passed.read {
                fell_out(tell, &path, Reason::OutsideWindow, passed.read - passed.written);
            }
            tell(News::Kept { path, modified, tail });
        }
    }
}

/// Checks an archive and takes what is wanted of it.
fn take(
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
            tell(News::Kept { path: candidate.path, modified, tail });
        }
        Err(ArchiveError::WrongKind(missing)) => {
            let path = PathBuf::from(candidate.path.file_name());
            tell(News::Wrong(CollectError::WrongKind { path, what: archive.what.clone(), missing }));
        }
        Err(ArchiveError::LeftOut(reason)) => left_out(tell, &path, reason, candidate.size),
        Err(ArchiveError::Keep(error)) => tell(News::Wrong(CollectError::Keep(error))),
    }
}

impl Command {
    fn work(self, context: &Context, deadline: Instant, tell: Tell<'_>) {
        let path = self.save_as.as_str();
        let Some(order) = context.order(&self.arguments, &self.variables) else {
            return left_out(tell, path, Reason::NotInstalled, 0);
        };
        let (mut out, mut err) = (Tail::new(&context.spools, self.limit), Tail::new(&context.spools, SAID));
        let ended = match run(&order, &mut out, &mut err, deadline, &context.running) {
            Ok(Ended::Stopped) => return tell(News::Wrong(CollectError::Stopped)),
            Ok(ended) => ended,
            Err(RunError::Start(error)) if error.kind() == io::ErrorKind::PermissionDenied => {
                return left_out(tell, path, Reason::NotPermitted, 0);
            }
            Err(RunError::Start(_)) => return left_out(tell, path, Reason::Failed, 0),
            Err(RunError::Keep(error)) => return tell(News::Wrong(CollectError::Keep(error))),
        };
        if let Err(error) = self.tell(ended, out, err, context, deadline, tell) {
            tell(News::Wrong(CollectError::Keep(error)));
        }
    }

    /// Tells what came of it; an error is one of what is kept.
    fn tell(
        self,
        ended: Ended,
        mut out: Tail,
        err: Tail,
        context: &Context,
        deadline: Instant,
        tell: Tell<'_>,
    ) -> io::Result<()> {
        let path = self.save_as;
        if let Ended::Status(status) = ended
            && status != Some(0)
        {
            // A signal has no status; 128 is what a shell would say at least.
            tell(News::Status(status.unwrap_or(128)));
        }
        let lost = out.total() - out.kept()?;
        if lost > 0 && !begins_with_stamps(&out, context)? {
            // Only logs are shortened: of anything else the end alone could mean something else.
            left_out(tell, path.as_str(), Reason::OverLimit, out.total());
            out = Tail::new(&context.spools, 1);
        } else if lost > 0 {
            fell_out(tell, &path, Reason::OverLimit, lost);
        }
        if self.cut && out.total() > 0 && !context.window.is_open() {
            let mut cut = Tail::new(&context.spools, u64::MAX);
            let go_on = || Instant::now() < deadline;
            let passed = pass(out.reader()?, &mut cut, &context.window, &context.reading(None), &go_on);
            match passed {
                Ok(passed) if passed.stamped => {
                    if passed.written < passed.read {
                        fell_out(tell, &path, Reason::OutsideWindow, passed.read - passed.written);
                    }
                    out = cut;
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::TimedOut => {}
                Err(error) => return Err(error),
            }
        }
        match ended {
            Ended::TimedOut if out.total() == 0 => left_out(tell, path.as_str(), Reason::TimedOut, 0),
            Ended::TimedOut => fell_out(tell, &path, Reason::TimedOut, 0),
            Ended::Status(Some(0)) | Ended::Stopped => {}
            Ended::Status(_) if out.total() == 0 && lost == 0 => left_out(tell, path.as_str(), Reason::Failed, 0),
            Ended::Status(_) => {}
        }
        if err.total() > 0
            && let Some(beside) = beside(&path)
        {
            tell(News::Kept { path: beside, modified: None, tail: err });
        }
        if out.total() > 0 {
            tell(News::Kept { path, modified: None, tail: out });
        }
        Ok(())
    }
}

/// Where what a command says on standard error stands: `a.log` and `a.stderr.log`.
fn beside(path: &ArchivePath) -> Option<ArchivePath> {
    let text = path.as_str();
    let (stem, ending) = match text.rsplit_once('.') {
        Some((stem, ending)) if !ending.contains('/') && !stem.is_empty() && !stem.ends_with('/') => (stem, ending),
        _ => (text, "txt"),
    };
    let ending = if ending == "log" { "log" } else { "txt" };
    format!("{stem}.stderr.{ending}").parse().ok()
}

fn begins_with_stamps(tail: &Tail, context: &Context) -> io::Result<bool> {
    let mut beginning = Vec::new();
    tail.reader()?.take(64 << 10).read_to_end(&mut beginning)?;
    let reading = context.reading(None);
    Ok(beginning.split(|&byte| byte == b'\n').next().is_some_and(|line| reading.stamp(line).is_some()))
}

/// Runs a command that lists something; what it prints, or why nothing came of it, which is told.
fn answer(
    arguments: &[String],
    longest: u64,
    (what, context, deadline): (&str, &Context, Instant),
    tell: Tell<'_>,
) -> Option<Vec<u8>> {
    let Some(order) = context.order(arguments, &Context::of_clients()) else {
        left_out(tell, what, Reason::NotInstalled, 0);
        return None;
    };
    let (mut out, mut err) = (Tail::new(&context.spools, longest), Tail::new(&context.spools, SAID));
    let reason = match run(&order, &mut out, &mut err, deadline, &context.running) {
        Ok(Ended::Status(Some(0))) if out.total() > longest => Reason::OverLimit,
        Ok(Ended::Status(Some(0))) => {
            let mut bytes = Vec::new();
            return match out.reader().and_then(|mut reader| reader.read_to_end(&mut bytes)) {
                Ok(_) => Some(bytes),
                Err(error) => {
                    tell(News::Wrong(CollectError::Keep(error)));
                    None
                }
            };
        }
        Ok(Ended::Stopped) => {
            tell(News::Wrong(CollectError::Stopped));
            return None;
        }
        Ok(Ended::TimedOut) => Reason::TimedOut,
        Ok(Ended::Status(status)) => {
            tell(News::Status(status.unwrap_or(128)));
            Reason::Failed
        }
        Err(RunError::Keep(error)) => {
            tell(News::Wrong(CollectError::Keep(error)));
            return None;
        }
        Err(RunError::Start(_)) => Reason::Failed,
    };
    left_out(tell, what, reason, 0);
    None
}

fn list_containers(source: &ContainerSource, context: &Context, deadline: Instant, tell: Tell<'_>) {
    let place = (source.runtime.as_str(), context, deadline);
    let Some(list) = answer(&containers::list(source), containers::LONGEST_LIST, place, tell) else { return };
    let list = String::from_utf8_lossy(&list);
    let jobs = containers::wanted(source, &list).into_iter().filter_map(|name| {
        let save_as = format!("containers/{name}.log").parse().ok()?;
        let arguments = containers::log(source, name, &context.window);
        Some(Job::Command(Command::of_client(arguments, save_as, context)))
    });
    tell(News::More(jobs.collect()));
}

fn list_pods(cluster: &KubernetesSource, namespace: &str, context: &Context, deadline: Instant, tell: Tell<'_>) {
    let what = format!("kubernetes/{namespace}");
    let arguments = cluster::pods(cluster, namespace);
    let Some(list) = answer(&arguments, cluster::LONGEST_ANSWER, (&what, context, deadline), tell) else { return };
    let list = String::from_utf8_lossy(&list);
    let mut jobs = Vec::new();
    for container in cluster::containers(&list) {
        for previous in [false, true] {
            if previous && !(cluster.previous && container.restarted) {
                continue;
            }
            let ending = if previous { "previous.log" } else { "log" };
            let path = format!("kubernetes/{namespace}/{}/{}.{ending}", container.pod, container.name);
            if let Ok(save_as) = path.parse() {
                let arguments = cluster::log(namespace, &container, previous, &context.window);
                jobs.push(Job::Command(Command::of_client(arguments, save_as, context)));
            }
        }
    }
    tell(News::More(jobs));
}

impl Command {
    /// A command that gives a container's log.
    fn of_client(arguments: Vec<String>, save_as: ArchivePath, context: &Context) -> Self {
        let limit = context.limits.source;
        Self { arguments, variables: Context::of_clients(), save_as, time: None, cut: true, limit }
    }
}

/// Describes resources; values of variables are taken out before anything is kept.
fn describe(namespace: &str, kind: &str, context: &Context, deadline: Instant, tell: Tell<'_>) {
    let what = format!("kubernetes/{namespace}/{kind}.json");
    let arguments = cluster::resources(namespace, kind);
    let Some(bytes) = answer(&arguments, cluster::LONGEST_ANSWER, (&what, context, deadline), tell) else { return };
    let (Ok(mut value), Ok(path)) = (serde_json::from_slice(&bytes), what.parse()) else {
        return left_out(tell, &what, Reason::NotReadable, bytes.len() as u64);
    };
    cluster::without_values(&mut value);
    let mut tail = Tail::new(&context.spools, u64::MAX);
    match serde_json::to_writer_pretty(&mut tail, &value) {
        Ok(()) => tell(News::Kept { path, modified: None, tail }),
        Err(error) => tell(News::Wrong(CollectError::Keep(error.into()))),
    }
}
