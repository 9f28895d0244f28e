//! Hands out the jobs, holds the clock, and keeps what the jobs tell.

use std::collections::{HashMap, HashSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use super::context::Context;
use super::job::{Command, Job, News};
use super::keep::{Draft, Place, keep};
use super::{GatherOptions, Gathered, WouldRun, cluster, containers, journal};
use crate::collect::archive::is_called_so;
use crate::collect::caps;
use crate::collect::collection::{SourceKind, SourceRule, expanded};
use crate::collect::source::{Bytes, Candidate, Found, Search, start};
use crate::collect::{CollectError, MOST, Source};
use crate::item::{CollectReport, FellOut, Item, LeftOut, Reason, SourceReport};
use crate::progress::{Progress, Step, count};
use crate::spool::Spool;

/// How long a job that should end by itself is waited for before it is given up.
const GRACE: Duration = Duration::from_secs(2);
/// Priority of threads and programs that run behind everything else; on Linux it orders reading and writing too.
const LOW: i32 = 10;

/// Hands out the jobs and keeps what they tell.
pub(super) struct Board<'a> {
    context: Arc<Context>,
    progress: &'a dyn Progress,
    begun: Instant,
    queue: VecDeque<(usize, Job)>,
    active: HashMap<u64, Active>,
    next: u64,
    /// Threads that wait for a job.
    idle: Vec<Sender<Task>>,
    say: Sender<(u64, Said)>,
    hear: Receiver<(u64, Said)>,
    sources: Vec<SourceState>,
    drafts: Vec<Draft>,
    left_out: Vec<(usize, LeftOut)>,
    fell_out: Vec<(usize, FellOut)>,
    would_run: Vec<WouldRun>,
    kept: Spool,
}

/// A job that is being done.
struct Active {
    source: usize,
    what: String,
    /// When it is given up.
    until: Instant,
    /// The thread that does it, to be given the next one.
    worker: Sender<Task>,
}

struct Task {
    id: u64,
    job: Job,
    deadline: Instant,
}

enum Said {
    News(News),
    Done,
}

struct SourceState {
    rule: SourceRule,
    word: &'static str,
    started: Option<Instant>,
    took: Duration,
    status: Option<i32>,
}

impl<'a> Board<'a> {
    pub(super) fn new(options: &mut GatherOptions<'_>, progress: &'a dyn Progress) -> Self {
        let context = Arc::new(Context::new(options));
        let kept = context.spools.spool();
        let (say, hear) = mpsc::channel();
        Self {
            context,
            progress,
            begun: Instant::now(),
            queue: VecDeque::new(),
            active: HashMap::new(),
            next: 0,
            idle: Vec::new(),
            say,
            hear,
            sources: Vec::new(),
            drafts: Vec::new(),
            left_out: Vec::new(),
            fell_out: Vec::new(),
            would_run: Vec::new(),
            kept,
        }
    }

    /// Puts the first jobs on the board: for what the user named, or for the profile's sources.
    pub(super) fn begin(&mut self, options: &mut GatherOptions<'_>) -> Result<(), CollectError> {
        self.progress.begin(Step::Collect, None);
        if !options.paths.is_empty() {
            return self.begin_with_paths(options);
        }
        for rule in &options.profile.1.sources {
            let number = self.sources.len();
            self.sources.push(SourceState {
                word: rule.kind.word(),
                rule: rule.clone(),
                started: None,
                took: Duration::ZERO,
                status: None,
            });
            self.begin_with(number, rule, options);
        }
        Ok(())
    }

    fn begin_with(&mut self, number: usize, rule: &SourceRule, options: &GatherOptions<'_>) {
        let kind = rule.kind.word();
        let limit = rule.limit.unwrap_or(self.context.limits.source);
        let root = options.root.as_ref().and_then(|root| root.to_str()).unwrap_or_default();
        let paths = |paths: &[String]| -> Vec<String> {
            let beneath = |path: &String| match path.strip_prefix('/') {
                Some(rest) => Some(format!("{}/{rest}", root.trim_end_matches('/'))),
                None => expanded(path, options.home.as_ref()),
            };
            paths.iter().filter_map(beneath).collect()
        };
        let mut put = |job| self.queue.push_back((number, job));
        let would_run = match &rule.kind {
            SourceKind::Files(files) => {
                for path in paths(&files.paths) {
                    let cut = files.window && !options.window.is_open();
                    put(Job::Find { path, exclude: files.exclude.clone(), network: files.network, cut });
                }
                return;
            }
            SourceKind::Archive(archive) => {
                put(Job::FindArchives { paths: paths(&archive.paths), archive: Arc::new(archive.clone()) });
                return;
            }
            SourceKind::Command(command) => {
                put(Job::Command(Command {
                    arguments: command.run.clone(),
                    variables: command.environment.clone(),
                    save_as: command.save_as.clone(),
                    time: command.time,
                    cut: command.window,
                    limit,
                }));
                vec![command.run.clone()]
            }
            SourceKind::Journal(source) => {
                let arguments = journal::arguments(source, &options.window);
                let path = format!("journal/{}", journal::file_name(source));
                put(Job::Command(Command {
                    arguments: arguments.clone(),
                    variables: Vec::new(),
                    save_as: path.parse().expect("a plain path"),
                    time: Some(self.context.limits.source_time),
                    cut: false,
                    limit,
                }));
                vec![arguments]
            }
            SourceKind::Containers(source) => {
                put(Job::Containers(Arc::new(source.clone())));
                vec![containers::list(source), containers::log(source, "NAME", &options.window)]
            }
            SourceKind::Kubernetes(source) => {
                let cluster = Arc::new(source.clone());
                let mut all = Vec::new();
                for namespace in &source.namespaces {
                    put(Job::Pods { cluster: Arc::clone(&cluster), namespace: namespace.clone() });
                    all.push(cluster::pods(source, namespace));
                    for kind in &source.resources {
                        put(Job::Resources { namespace: namespace.clone(), kind: kind.clone() });
                        all.push(cluster::resources(namespace, kind));
                    }
                }
                all
            }
        };
        if self.context.metadata_only {
            self.queue.retain(|(source, _)| *source != number);
            self.would_run.extend(would_run.into_iter().map(|arguments| WouldRun { kind, arguments }));
        }
    }

    /// What the user named is looked for here and at once; an argument that names nothing is an error.
    fn begin_with_paths(&mut self, options: &mut GatherOptions<'_>) -> Result<(), CollectError> {
        let starts = options.paths.iter().map(start).collect::<Result<Vec<_>, _>>()?;
        if options.paths.iter().filter(|source| **source == Source::StandardInput).count() > 1 {
            return Err(CollectError::StandardInputTwice);
        }
        let archive = options.profile.1.sources.iter().find_map(|rule| match &rule.kind {
            SourceKind::Archive(archive) => Some(Arc::new(archive.clone())),
            _ => None,
        });
        let search = Search { metadata_only: self.context.metadata_only, ..Search::default() };
        let mut found = Found::new(MOST, search, &crate::progress::Silent);
        let mut alone = HashSet::new();
        for (source, start) in options.paths.iter().zip(starts) {
            let before = found.len();
            start.find(Some(&mut options.basic), &mut found)?;
            let is_file = matches!(source, Source::Path(path) if path.is_file());
            if is_file && found.len() == before + 1 {
                alone.insert(before);
            }
        }
        let (candidates, left_out) = found.into_candidates();
        self.sources.push(SourceState {
            word: "path",
            rule: SourceRule {
                name: "what was named".into(),
                // Nothing of the rule is asked for but its name.
                kind: SourceKind::Files(crate::collect::FileSource {
                    paths: Vec::new(),
                    exclude: crate::collect::Globs::default(),
                    window: true,
                    network: true,
                }),
                required: false,
                low: false,
                limit: Some(u64::MAX),
            },
            started: None,
            took: Duration::ZERO,
            status: None,
        });
        self.left_out.extend(left_out.into_iter().map(|left_out| (0, left_out)));
        let looks = self.context.metadata_only;
        for (index, candidate) in candidates.into_iter().enumerate() {
            let is_archive = alone.contains(&index) && is_called_so(candidate.path.as_str());
            match (&archive, is_archive) {
                (Some(archive), true) if !looks => {
                    self.queue.push_back((0, Job::Archive { candidate, archive: Arc::clone(archive), limit: None }));
                }
                _ => self.found(0, candidate, !options.window.is_open() && !looks, options),
            }
        }
        Ok(())
    }

    /// Does all jobs.
    pub(super) fn run(mut self) -> Result<Self, CollectError> {
        loop {
            while self.active.len() < self.context.limits.parallel.max(1)
                && let Some((source, job)) = self.queue.pop_front()
            {
                self.hand_out(source, job);
            }
            let Some(next) = self.active.values().map(|active| active.until).min() else { return Ok(self) };
            match self.hear.recv_timeout(next.saturating_duration_since(Instant::now())) {
                Ok((id, said)) => self.heard(id, said)?,
                Err(RecvTimeoutError::Timeout) => self.give_up(),
                // There is always a sender here.
                Err(RecvTimeoutError::Disconnected) => return Ok(self),
            }
        }
    }

    fn hand_out(&mut self, source: usize, job: Job) {
        let now = Instant::now();
        let limits = &self.context.limits;
        let started = *self.sources[source].started.get_or_insert(now);
        let own = if job.is_search() { limits.source_time } else { job.time().unwrap_or(limits.item_time) };
        let deadline = (now + own).min(started + limits.source_time).min(self.begun + limits.total_time);
        let what = job.what();
        if deadline <= now {
            self.left_out.push((source, LeftOut { path: what, reason: Reason::TimedOut }));
            return;
        }
        let id = self.next;
        self.next += 1;
        let mut task = Task { id, job, deadline };
        let worker = loop {
            let worker = self.idle.pop().unwrap_or_else(|| self.worker());
            match worker.send(task) {
                Ok(()) => break worker,
                // It broke down over another job.
                Err(mpsc::SendError(back)) => task = back,
            }
        };
        self.active.insert(id, Active { source, what, until: deadline + GRACE, worker });
    }

    /// Starts a thread that does jobs until nobody has any for it.
    fn worker(&self) -> Sender<Task> {
        let (give, take) = mpsc::channel::<Task>();
        let (say, context) = (self.say.clone(), Arc::clone(&self.context));
        let work = move || {
            if !context.limits.full_speed {
                // Best effort: on other systems it would be the whole process, so there it is left alone.
                #[cfg(target_os = "linux")]
                let _ = rustix::process::setpriority_process(None, LOW);
            }
            for Task { id, job, deadline } in take {
                let what = job.what();
                let mut tell = |news| drop(say.send((id, Said::News(news))));
                let done = catch_unwind(AssertUnwindSafe(|| job.work(&context, deadline, &mut tell)));
                if done.is_err() {
                    tell(News::LeftOut { path: what, reason: Reason::ReadError, bytes: 0 });
                }
                if say.send((id, Said::Done)).is_err() {
                    return;
                }
            }
        };
        let name = "collect".to_owned();
        if let Err(error) = thread::Builder::new().name(name).spawn(work) {
            // Nobody takes the task then, and its place is given up when its time is over.
            drop(error);
        }
        give
    }

    fn heard(&mut self, id: u64, said: Said) -> Result<(), CollectError> {
        // A job that was given up is not heard any more.
        let Some(active) = self.active.get(&id) else { return Ok(()) };
        let source = active.source;
        match said {
            Said::News(news) => self.news(source, news),
            Said::Done => {
                let Some(active) = self.active.remove(&id) else { return Ok(()) };
                self.idle.push(active.worker);
                self.over(source);
                Ok(())
            }
        }
    }

    fn over(&mut self, source: usize) {
        let state = &mut self.sources[source];
        state.took = state.started.map_or(Duration::ZERO, |started| started.elapsed());
    }

    /// Gives up every job whose time is over. Its thread is left to itself.
    fn give_up(&mut self) {
        let now = Instant::now();
        let late: Vec<u64> = self.active.iter().filter(|(_, active)| active.until <= now).map(|(id, _)| *id).collect();
        for id in late {
            if let Some(active) = self.active.remove(&id) {
                self.left_out.push((active.source, LeftOut { path: active.what, reason: Reason::TimedOut }));
                self.over(active.source);
            }
        }
    }

    fn news(&mut self, source: usize, news: News) -> Result<(), CollectError> {
        match news {
            News::Found { candidate, cut: true } => self.queue.push_back((source, Job::Cut { candidate })),
            News::Found { candidate, cut: false } => {
                let Candidate { path, size, modified, bytes } = candidate;
                let bytes = match bytes {
                    Bytes::File(file) => Place::File(file),
                    Bytes::Kept(content) => Place::Other(content),
                };
                self.draft(Draft { source, path, size, modified, bytes })?;
            }
            News::Part { path, modified, part } => {
                let size = part.length();
                self.draft(Draft { source, path, size, modified, bytes: Place::Part(part) })?;
            }
            News::Kept { path, modified, tail } => {
                let read = tail.reader().and_then(|reader| keep(&mut self.kept, reader));
                let (start, size) = read.map_err(CollectError::Keep)?;
                self.draft(Draft { source, path, size, modified, bytes: Place::Kept(vec![(start, size)]) })?;
            }
            News::LeftOut { path, reason, bytes } => self.leave_out(source, path, reason, bytes),
            News::FellOut(fell_out) => self.fell_out.push((source, fell_out)),
            News::More(jobs) => self.queue.extend(jobs.into_iter().map(|job| (source, job))),
            News::Status(status) => self.sources[source].status = Some(status),
            News::Wrong(error) => {
                self.context.running.stop();
                return Err(error);
            }
        }
        Ok(())
    }

    fn leave_out(&mut self, source: usize, path: String, reason: Reason, bytes: u64) {
        if bytes > 0 {
            self.fell_out.push((source, FellOut { path: path.clone(), reason, bytes, in_part: false }));
        }
        self.left_out.push((source, LeftOut { path, reason }));
    }

    fn found(&mut self, source: usize, candidate: Candidate, cut: bool, options: &GatherOptions<'_>) {
        if (options.unwanted)(candidate.path.as_str()) {
            self.leave_out(source, candidate.path.as_str().to_owned(), Reason::ByProfile, 0);
        } else if self.news(source, News::Found { candidate, cut }).is_err() {
            unreachable!("a file that was found is never too many: the search has the same limit");
        }
    }

    fn draft(&mut self, draft: Draft) -> Result<(), CollectError> {
        self.drafts.push(draft);
        self.progress.advance(1);
        if self.drafts.len() > MOST { Err(CollectError::TooMany) } else { Ok(()) }
    }

    /// Holds the limits and makes items of what was found.
    pub(super) fn finish(mut self, options: &GatherOptions<'_>) -> Result<Gathered, CollectError> {
        if self.context.running.is_stopped() {
            return Err(CollectError::Stopped);
        }
        self.leave_unwanted(options);
        self.drop_doubles();
        if options.paths.is_empty() && !self.context.metadata_only {
            self.hold_limits();
        }
        self.name_missing();
        let report = self.report(options);
        let Self { drafts, left_out, kept, would_run, progress, context, .. } = self;
        let kept = Arc::new(kept);
        let mut items: Vec<Item> = drafts.into_iter().map(|draft| draft.into_item(&kept)).collect();
        items.sort_by(|one, other| one.path.cmp(&other.path));
        let mut left_out: Vec<LeftOut> = left_out.into_iter().map(|(_, left_out)| left_out).collect();
        left_out.sort_by(|one, other| (&one.path, one.reason).cmp(&(&other.path, other.reason)));
        left_out.dedup();
        progress.end(&format!("{}, {} left out", count(items.len() as u64, "item"), left_out.len()));
        if items.iter().all(|item| item.size == 0) && !(context.metadata_only && !would_run.is_empty()) {
            return Err(CollectError::Empty { left_out });
        }
        Ok(Gathered { items, left_out, report, would_run })
    }

    fn leave_unwanted(&mut self, options: &GatherOptions<'_>) {
        let (kept, unwanted): (Vec<Draft>, Vec<Draft>) =
            self.drafts.drain(..).partition(|draft| !(options.unwanted)(draft.path.as_str()));
        self.drafts = kept;
        for draft in unwanted {
            self.leave_out(draft.source, draft.path.as_str().to_owned(), Reason::ByProfile, 0);
        }
    }

    /// Of what two sources gave under one path the first stays.
    fn drop_doubles(&mut self) {
        self.drafts.sort_by(|one, other| (&one.path, one.source).cmp(&(&other.path, other.source)));
        self.drafts.dedup_by(|later, first| later.path == first.path);
    }

    fn hold_limits(&mut self) {
        let limits = self.context.limits.clone();
        for (number, state) in self.sources.iter().enumerate() {
            let limit = state.rule.limit.unwrap_or(limits.source);
            let of_source = |draft: &Draft| draft.source == number;
            let fallen = caps::hold(&mut self.drafts, limit, &of_source, &|_| false, &self.kept, &self.context.window);
            self.fell_out.extend(fallen);
        }
        let low = |draft: &Draft| self.sources[draft.source].rule.low;
        let fallen = caps::hold(&mut self.drafts, limits.total, &|_| true, &low, &self.kept, &self.context.window);
        self.fell_out.extend(fallen);
        for (source, fallen) in &self.fell_out {
            if fallen.reason == Reason::OverLimit && !fallen.in_part && !fallen.path.contains('!') {
                self.left_out.push((*source, LeftOut { path: fallen.path.clone(), reason: fallen.reason }));
            }
        }
    }

    /// What a source should have given and did not is missing, and not just absent.
    fn name_missing(&mut self) {
        for (number, state) in self.sources.iter().enumerate() {
            if !state.rule.required || self.drafts.iter().any(|draft| draft.source == number) {
                continue;
            }
            let absent = |reason| matches!(reason, Reason::NotThere | Reason::NotInstalled);
            self.left_out.retain(|(source, left_out)| *source != number || !absent(left_out.reason));
            if self.left_out.iter().all(|(source, _)| *source != number) {
                self.left_out.push((number, LeftOut { path: state.rule.name.clone(), reason: Reason::Missing }));
            }
        }
    }

    fn report(&self, options: &GatherOptions<'_>) -> CollectReport {
        let mut sources: Vec<SourceReport> = self
            .sources
            .iter()
            .map(|state| SourceReport {
                kind: state.word.to_owned(),
                name: state.rule.name.clone(),
                items: 0,
                bytes: 0,
                milliseconds: u64::try_from(state.took.as_millis()).unwrap_or(u64::MAX),
                status: state.status,
            })
            .collect();
        for draft in &self.drafts {
            sources[draft.source].items += 1;
            sources[draft.source].bytes += draft.size;
        }
        let mut fell_out: Vec<FellOut> = self.fell_out.iter().map(|(_, fell_out)| fell_out.clone()).collect();
        fell_out.sort_by(|one, other| (&one.path, one.reason).cmp(&(&other.path, other.reason)));
        let profile = options.paths.is_empty().then(|| options.profile.0.to_owned());
        let Self { context, .. } = self;
        CollectReport { profile, since: context.window.since, until: context.window.until, sources, fell_out }
    }
}
