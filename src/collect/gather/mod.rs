//! Collects by a profile: its sources are asked at the same time, each within its limits, and none holds up the others.
//!
//! A job is one piece of work of a source: a search for files, the lines of one file that lie within the window, one command.
//! Jobs run on threads of their own; what they find they tell the board, which holds the clock. A job whose time is over is
//! ended where that is possible (commands, with everything they started) and given up where it is not (a file system that
//! does not answer); what it told before that stays.

mod begin;
mod board;
mod cluster;
mod command;
mod containers;
mod context;
mod cut;
mod find;
mod finish;
mod job;
mod journal;
mod keep;

use std::ffi::OsString;
use std::path::PathBuf;

use super::collection::Collection;
use super::run::Running;
use super::window::Window;
use super::{CollectError, CollectOptions, Source};
use crate::clock::Timestamp;
use crate::item::{CollectReport, Item, LeftOut};
use crate::progress::Progress;
use board::Board;
pub(crate) use cluster::is_secret;
pub(super) use keep::{Draft, Place};

/// What collecting by a profile needs from outside.
pub struct GatherOptions<'a> {
    /// Standard input and the place where command output is kept.
    pub basic: CollectOptions<'a>,
    /// What the user named. Where there is something, it is taken in place of the profile's sources, without their limits.
    pub paths: &'a [Source],
    /// The profile's name and what it collects.
    pub profile: (&'a str, &'a Collection),
    /// Which part of the logs is wanted.
    pub window: Window,
    /// The present instant.
    pub now: Timestamp,
    /// The user's home.
    pub home: Option<PathBuf>,
    /// Where absolute paths of the profile begin, if that is not `/`: where the disk of another system is mounted.
    pub root: Option<PathBuf>,
    /// Looks up an environment variable of the user.
    pub environment: &'a dyn Fn(&str) -> Option<OsString>,
    /// Says whether a path will be left out by a rule of the profile: it counts towards no limit.
    pub unwanted: &'a dyn Fn(&str) -> bool,
    /// Ends the commands that run when everything is to stop.
    pub running: Running,
    /// Only looks: reads no content and runs nothing.
    pub metadata_only: bool,
}

/// What was collected.
#[derive(Debug)]
pub struct Gathered {
    /// The items, by path.
    pub items: Vec<Item>,
    /// What was found and is not among them, by path.
    pub left_out: Vec<LeftOut>,
    /// What came of each source.
    pub report: CollectReport,
    /// What would be run, if this was only a look.
    pub would_run: Vec<WouldRun>,
}

/// A command that collecting would run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WouldRun {
    /// The kind of the source.
    pub kind: &'static str,
    /// The program and its arguments.
    pub arguments: Vec<String>,
}

/// Collects what the user named, or what the profile's sources give.
pub fn gather<'a>(options: &mut GatherOptions<'a>, progress: &'a dyn Progress) -> Result<Gathered, CollectError> {
    let mut board = Board::new(options, progress);
    board.begin(options)?;
    let board = board.run()?;
    board.finish(options)
}
