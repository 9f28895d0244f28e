//! Runs a command and tells what came of it.

use std::io::{self, Read};
use std::time::{Duration, Instant};

use super::context::Context;
use super::job::{News, Tell, fell_out, left_out};
use crate::collect::CollectError;
use crate::collect::run::{Ended, RunError, Tail, run};
use crate::collect::window::pass;
use crate::item::{ArchivePath, Reason};

/// Most bytes of what a command says on standard error that are kept.
const SAID: u64 = 1 << 20;

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

impl Command {
    /// A command that gives a container's log.
    pub(super) fn of_client(arguments: Vec<String>, save_as: ArchivePath, context: &Context) -> Self {
        let limit = context.limits.source;
        Self { arguments, variables: Context::of_clients(), save_as, time: None, cut: true, limit }
    }

    /// Runs it.
    pub(super) fn work(self, context: &Context, deadline: Instant, tell: Tell<'_>) {
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
pub(super) fn answer(
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
