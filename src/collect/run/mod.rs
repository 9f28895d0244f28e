//! Runs a program and keeps what it prints: no shell, an empty environment but for what is named, a fixed directory, both
//! streams apart, an end by which it is over with everything it started.

mod tail;

use std::ffi::OsString;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

pub(super) use self::tail::Tail;

/// Longest wait before it is looked again whether the program has ended.
const LOOK: Duration = Duration::from_millis(50);
/// How long the streams are read on when the program has ended and something it started still holds them.
const LINGER: Duration = Duration::from_millis(500);

/// A program with its arguments and variables.
#[derive(Clone, Debug)]
pub(super) struct Order {
    /// Where it is.
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<String>,
    pub(super) environment: Vec<(String, OsString)>,
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// By itself, with this status; `None` when a signal ended it.
    Status(Option<i32>),
    /// It was ended because its time was over.
    TimedOut,
    /// It was ended because everything is to end.
    Stopped,
}

/// Why nothing came of it.
#[derive(Debug, thiserror::Error)]
pub(super) enum RunError {
    /// It could not be started.
    #[error("it could not be started")]
    Start(#[source] io::Error),
    /// What it printed could not be kept.
    #[error("what it printed could not be kept")]
    Keep(#[source] io::Error),
}

/// The programs that run at the moment, so that all of them can be ended from outside. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Running(Arc<Mutex<Groups>>);

#[derive(Debug, Default)]
struct Groups {
    groups: Vec<Pid>,
    stopped: bool,
}

impl Running {
    /// Ends every program that runs, with everything it started; none is started from now on.
    pub fn stop(&self) {
        let mut groups = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        groups.stopped = true;
        for group in groups.groups.drain(..) {
            end(group);
        }
    }

    /// Whether [`stop`](Self::stop) was called.
    pub(super) fn is_stopped(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).stopped
    }

    /// Starts a program and notes it; `None` when nothing is to be started any more.
    fn start(&self, command: &mut Command) -> io::Result<Option<(Child, Pid)>> {
        let mut groups = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if groups.stopped {
            return Ok(None);
        }
        let child = command.spawn()?;
        let pid = Pid::from_child(&child);
        groups.groups.push(pid);
        Ok(Some((child, pid)))
    }

    /// Ends what the program started and is still there, and forgets it. Its number is not given to another before it is
    /// waited for.
    fn finish(&self, child: &mut Child, pid: Pid) -> Option<ExitStatus> {
        let mut groups = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        groups.groups.retain(|group| *group != pid);
        end(pid);
        // A program that hangs in the kernel is not waited for.
        for _ in 0..20 {
            if let Ok(Some(status)) = child.try_wait() {
                return Some(status);
            }
            thread::sleep(Duration::from_millis(5));
        }
        None
    }
}

/// The program of that name: itself when it is an absolute path, otherwise the first of that name on the search path that may
/// be run. Relative directories of the search path are passed over.
pub(super) fn find(name: &str, search_path: Option<&OsString>) -> Option<PathBuf> {
    let runs = |path: &Path| path.is_file() && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok();
    if name.contains('/') {
        let path = PathBuf::from(name);
        return (path.is_absolute() && runs(&path)).then_some(path);
    }
    std::env::split_paths(search_path?)
        .filter(|path| path.is_absolute())
        .map(|path| path.join(name))
        .find(|path| runs(path))
}

/// Runs a program until it ends or `deadline` comes.
pub(super) fn run(
    order: &Order,
    out: &mut Tail,
    err: &mut Tail,
    deadline: Instant,
    running: &Running,
) -> Result<Ended, RunError> {
    let mut command = Command::new(&order.program);
    command
        .args(&order.arguments)
        .env_clear()
        .envs(order.environment.iter().map(|(name, value)| (name, value)))
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    let Some((mut child, pid)) = running.start(&mut command).map_err(RunError::Start)? else {
        return Ok(Ended::Stopped);
    };
    let read = read(&mut child, pid, out, err, deadline);
    let status = running.finish(&mut child, pid);
    if running.is_stopped() {
        return Ok(Ended::Stopped);
    }
    match read? {
        true => Ok(Ended::Status(status.and_then(|status| status.code()))),
        false => Ok(Ended::TimedOut),
    }
}

/// Reads both streams until they end or the program does; false when the time was over before.
fn read(child: &mut Child, pid: Pid, out: &mut Tail, err: &mut Tail, deadline: Instant) -> Result<bool, RunError> {
    let mut streams = [
        child.stdout.take().map(|pipe| (Pipe::Out(pipe), out)),
        child.stderr.take().map(|pipe| (Pipe::Err(pipe), err)),
    ];
    let mut buffer = vec![0; 64 << 10];
    let mut ended = None;
    loop {
        let now = Instant::now();
        if now >= deadline {
            return Ok(false);
        }
        let open = streams.iter().any(Option::is_some);
        if ended.is_none() && exited(pid) {
            ended = Some(now);
        }
        if let Some(ended) = ended
            && (!open || now >= ended + LINGER)
        {
            return Ok(true);
        }
        let wait = LOOK.min(deadline - now);
        if !open {
            thread::sleep(wait.min(Duration::from_millis(5)));
            continue;
        }
        for stream in &mut streams {
            let Some((pipe, tail)) = stream else { continue };
            // One after the other: a stream that is quiet holds the other up by a blink.
            if !readable(pipe.as_fd(), if ended.is_some() { Duration::ZERO } else { wait / 10 }) {
                continue;
            }
            match pipe.read(&mut buffer) {
                Ok(0) => *stream = None,
                Ok(length) => tail.keep(&buffer[..length]).map_err(RunError::Keep)?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => *stream = None,
            }
        }
    }
}

enum Pipe {
    Out(std::process::ChildStdout),
    Err(std::process::ChildStderr),
}

impl Pipe {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Out(pipe) => pipe.as_fd(),
            Self::Err(pipe) => pipe.as_fd(),
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Out(pipe) => pipe.read(buffer),
            Self::Err(pipe) => pipe.read(buffer),
        }
    }
}

/// Whether there is something to read, or the end of it, before the wait is over.
fn readable(pipe: BorrowedFd<'_>, wait: Duration) -> bool {
    let wait = Timespec { tv_sec: 0, tv_nsec: i64::from(wait.subsec_nanos()) };
    let mut fds = [PollFd::from_borrowed_fd(pipe, PollFlags::IN)];
    poll(&mut fds, Some(&wait)).is_ok_and(|ready| ready > 0)
}

/// Whether a program has ended; it is not waited for yet.
fn exited(pid: Pid) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    !matches!(waitid(WaitId::Pid(pid), options), Ok(None))
}

/// Ends a program and what it started, if they are still there.
fn end(group: Pid) {
    // When none of them is there any more, there is nothing to end.
    let _ = kill_process_group(group, Signal::KILL);
}
