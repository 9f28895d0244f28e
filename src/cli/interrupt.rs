//! Interrupting a command: what was half made is removed, what was stored stays stored.
//!
//! Sealed files and opened directories are made under `NAME.partial-…` and take their name at the end. A command notes the
//! name before it begins; when a signal comes, whatever begins like that is removed and the process ends.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::ids::TicketId;

/// The names that are being made. Signals come to the process, so this is the process's.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Whether the running command ends by itself when a signal comes.
static LEFT_TO_THE_COMMAND: AtomicBool = AtomicBool::new(false);

/// Leaves signals to the command that runs: a server that first ends what it is doing.
#[cfg(feature = "portal")]
pub fn leave_to_the_command() {
    LEFT_TO_THE_COMMAND.store(true, Ordering::SeqCst);
}

/// Whether the process is told when its terminal goes, and not started to outlive it (`nohup`). Where the system does not say,
/// what the system does by itself is left as it is: false.
#[must_use]
pub fn hangs_up() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find_map(|line| line.strip_prefix("SigIgn:")).is_some_and(|ignored| !ignores_hangup(ignored))
}

/// Reads a set of signals as proc(5) gives it: hexadecimal, SIGHUP is its lowest bit.
fn ignores_hangup(set: &str) -> bool {
    u64::from_str_radix(set.trim(), 16).map_or(true, |set| set & 1 == 1)
}

/// Whether a signal must end the process here.
pub fn ends_the_process() -> bool {
    !LEFT_TO_THE_COMMAND.load(Ordering::SeqCst)
}

/// Notes that `path` is being made, until the value is dropped.
pub struct Unfinished(PathBuf);

impl Unfinished {
    /// Notes a file or directory that is not there yet.
    #[must_use]
    pub fn note(path: &Path) -> Self {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner).push(path.clone());
        Self(path)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let mut unfinished = UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = unfinished.iter().position(|path| *path == self.0) {
            unfinished.swap_remove(at);
        }
    }
}

/// The ticket for which an upload runs.
static UPLOADING: Mutex<Option<TicketId>> = Mutex::new(None);

/// Notes that an upload runs, which goes on when it is taken up again, until the value is dropped.
pub struct Uploading(());

impl Uploading {
    /// Notes for which ticket.
    #[must_use]
    pub fn note(ticket: &TicketId) -> Self {
        *UPLOADING.lock().unwrap_or_else(PoisonError::into_inner) = Some(ticket.clone());
        Self(())
    }
}

impl Drop for Uploading {
    fn drop(&mut self) {
        *UPLOADING.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// The ticket for which an upload runs.
pub fn uploading() -> Option<TicketId> {
    UPLOADING.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// The commands of a collection that runs: they are ended with the process.
static RUNNING: Mutex<Option<crate::collect::Running>> = Mutex::new(None);

/// Notes that commands run, until the value is dropped.
pub struct Running(());

impl Running {
    /// Notes what ends them.
    #[must_use]
    pub fn note(running: &crate::collect::Running) -> Self {
        *RUNNING.lock().unwrap_or_else(PoisonError::into_inner) = Some(running.clone());
        Self(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        *RUNNING.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Ends the commands that run. Removes everything that is half made. The commands still run meanwhile, so it is tried until nothing is found.
pub fn clean_up() {
    if let Some(running) = &*RUNNING.lock().unwrap_or_else(PoisonError::into_inner) {
        running.stop();
    }
    let unfinished = UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner);
    for _ in 0..20 {
        let partial: Vec<PathBuf> = unfinished.iter().flat_map(|path| beside(path)).collect();
        if partial.is_empty() {
            return;
        }
        for path in partial {
            // What cannot be removed now is tried again in the next round.
            let _ = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        }
    }
}

/// The partial forms of a name.
fn beside(path: &Path) -> Vec<PathBuf> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return Vec::new() };
    let mut prefix = name.to_os_string();
    prefix.push(".partial");
    fs::read_dir(parent)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.file_name().as_encoded_bytes().starts_with(prefix.as_encoded_bytes()))
        .map(|entry| entry.path())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_of_signals_says_whether_a_hangup_is_ignored() {
        assert!(ignores_hangup("\t0000000000001001"));
        assert!(!ignores_hangup("\t0000000000001000"));
        assert!(ignores_hangup("unreadable"));
    }

    #[test]
    fn an_interruption_removes_what_is_half_made_and_nothing_else() {
        let dir = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR").to_owned() + "/target").unwrap();
        let at = |name: &str| dir.path().join(name);
        for name in ["out.tarseal.partial-1", "out.tarseal", "other.tarseal.partial-1"] {
            fs::write(at(name), "x").unwrap();
        }
        fs::create_dir_all(at("opened.partial-2/deep")).unwrap();
        fs::write(at("opened.partial-2/deep/file"), "x").unwrap();
        let one = Unfinished::note(&at("out.tarseal"));
        let _two = Unfinished::note(&at("opened"));
        clean_up();
        assert!(!at("out.tarseal.partial-1").exists() && !at("opened.partial-2").exists());
        assert!(at("out.tarseal").exists() && at("other.tarseal.partial-1").exists());
        drop(one);
        fs::write(at("out.tarseal.partial-1"), "x").unwrap();
        clean_up();
        assert!(at("out.tarseal.partial-1").exists(), "it is no longer noted");
    }
}
