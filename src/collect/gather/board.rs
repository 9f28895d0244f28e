//! Hands out the jobs, holds the clock, and keeps what the jobs tell.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use super::context::Context;
use super::job::{Job, News};
use super::keep::{Draft, Place, keep};
use super::{GatherOptions, WouldRun};
use crate::collect::collection::SourceRule;
use crate::collect::source::{Bytes, Candidate};
use crate::collect::{CollectError, MOST};
use crate::item::{FellOut, LeftOut, Reason};
use crate::progress::Progress;
use crate::spool::Spool;

/// How long a job that should end by itself is waited for before it is given up.
const GRACE: Duration = Duration::from_secs(2);
/// Priority of threads and programs that run behind everything else; on Linux it orders reading and writing too.
const LOW: i32 = 10;

/// Hands out the jobs and keeps what they tell.
pub(super) struct Board<'a> {
    pub(super) context: Arc<Context>,
    pub(super) progress: &'a dyn Progress,
    /// Whether a rule of the profile leaves a path out.
    pub(super) unwanted: &'a dyn Fn(&str) -> bool,
    begun: Instant,
    pub(super) queue: VecDeque<(usize, Job)>,
    active: HashMap<u64, Active>,
    next: u64,
    /// Threads that wait for a job.
    idle: Vec<Sender<Task>>,
    say: Sender<(u64, Said)>,
    hear: Receiver<(u64, Said)>,
    pub(super) sources: Vec<SourceState>,
    pub(super) drafts: Vec<Draft>,
    pub(super) left_out: Vec<(usize, LeftOut)>,
    pub(super) fell_out: Vec<(usize, FellOut)>,
    pub(super) would_run: Vec<WouldRun>,
    pub(super) kept: Spool,
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
    News(Box<News>),
    Done,
}

/// How far a source is.
pub(super) struct SourceState {
    pub(super) rule: SourceRule,
    pub(super) word: &'static str,
    pub(super) started: Option<Instant>,
    pub(super) took: Duration,
    pub(super) status: Option<i32>,
}

impl<'a> Board<'a> {
    pub(super) fn new(options: &mut GatherOptions<'a>, progress: &'a dyn Progress) -> Self {
        let context = Arc::new(Context::new(options));
        let kept = context.spools.spool();
        let (say, hear) = mpsc::channel();
        Self {
            context,
            progress,
            unwanted: options.unwanted,
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
                let mut tell = |news| drop(say.send((id, Said::News(Box::new(news)))));
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
            Said::News(news) => self.news(source, *news),
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

    /// Keeps what a job tells.
    pub(super) fn news(&mut self, source: usize, news: News) -> Result<(), CollectError> {
        match news {
            News::Found { candidate, .. } if (self.unwanted)(candidate.path.as_str()) => {
                self.leave_out(source, candidate.path.as_str().to_owned(), Reason::ByProfile, 0);
            }
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

    /// Lists something among what is not there.
    pub(super) fn leave_out(&mut self, source: usize, path: String, reason: Reason, bytes: u64) {
        if bytes > 0 {
            self.fell_out.push((source, FellOut { path: path.clone(), reason, bytes, in_part: false }));
        }
        self.left_out.push((source, LeftOut { path, reason }));
    }

    fn draft(&mut self, draft: Draft) -> Result<(), CollectError> {
        self.drafts.push(draft);
        self.progress.advance(1);
        if self.drafts.len() > MOST { Err(CollectError::TooMany) } else { Ok(()) }
    }
}
