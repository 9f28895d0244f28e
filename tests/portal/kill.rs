//! A deletion that is killed at any write, synchronisation, truncation or removal ends after the next start, and no receipt is
//! there before everything is gone.
//!
//! A first run under `strace` lists the calls; then each run is killed by it at one of them, in the unmodified program. A plain
//! test run takes points evenly from the list; all of them take some minutes:
//!
//! ```sh
//! TARSEAL_KILL_POINTS=all cargo test --test portal kill -- --nocapture
//! ```
//!
//! Where `strace` is not there or may not trace, the test says that it was skipped; with `TARSEAL_REQUIRE_PEERS=1` it fails.

use std::collections::BTreeMap;
use std::env;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use tarseal::clock::{Clock as _, SystemClock};
use tarseal::portal::Role;
use tarseal::portal::admin::TokenOrder;
use tarseal::track::RetentionPolicy;

use crate::client::{Sample, event, store};
use crate::support::{TICKET, TestPortal};

/// How many points a plain run takes.
const POINTS: usize = 40;

/// The calls that change what is on the disk.
const CALLS: [&str; 4] = ["write,pwrite64", "fsync,fdatasync", "unlink,unlinkat", "ftruncate,fallocate"];

/// A data directory with one snapshot whose time has come.
struct Due {
    home: tempfile::TempDir,
    sample: Sample,
}

impl Due {
    fn new() -> Self {
        // Three days ago, as if the machine had been off since: the program that is killed reads the real clock.
        let mut portal = TestPortal::start_in_files_at(SystemClock.now().plus_days(-3));
        let policy = RetentionPolicy { after_close_days: 0, ..RetentionPolicy::default() };
        let tenant = "brief".parse().unwrap();
        portal.admin().new_tenant(&tenant, &policy).unwrap();
        for (role, ticket) in [(Role::Upload, Some(TICKET)), (Role::Technician, None)] {
            let mut order = TokenOrder::new(role);
            order.tenant = Some(tenant.clone());
            order.ticket = ticket.map(|ticket| ticket.parse().unwrap());
            let token = portal.admin().new_token(&order).unwrap().token.expose().clone();
            if ticket.is_some() { portal.upload = token } else { portal.technician = token }
        }
        let sample = Sample::new(5, 3000);
        store(&portal, &sample);
        event(&portal, "close", &json!({}));
        portal.stop();
        let home = tempfile::tempdir().unwrap();
        copy(portal.data(), &home.path().join("data"));
        Self { home, sample }
    }

    /// A copy that may be spoilt.
    fn copy(&self) -> (tempfile::TempDir, PathBuf) {
        let home = tempfile::tempdir().unwrap();
        let data = home.path().join("data");
        copy(&self.home.path().join("data"), &data);
        (home, data)
    }
}

fn copy(from: &Path, to: &Path) {
    let done = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(done.success());
}

/// Where a run is killed: at which call of a kind on which file.
#[derive(Clone, Debug)]
struct Point {
    calls: &'static str,
    file: PathBuf,
    number: usize,
}

fn sweep(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tarseal"));
    command.args(["portal", "sweep", "--quiet", "--data"]).arg(data);
    command
}

/// The same under `strace` with its arguments.
fn traced(data: &Path, arguments: &[String]) -> Output {
    let sweep = sweep(data);
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq"]).args(arguments).arg(sweep.get_program()).args(sweep.get_args()).output().unwrap()
}

/// Lists where a deletion can be killed. `strace` counts the calls of each thread by itself, and so does this.
fn points(due: &Due) -> Vec<Point> {
    let (home, data) = due.copy();
    let log = home.path().join("calls");
    let arguments = ["-y", "-s", "0", "-o", log.to_str().unwrap(), "-e", &format!("trace={}", CALLS.join(","))];
    let done = traced(&data, &arguments.map(String::from));
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let mut counts: BTreeMap<(usize, PathBuf), BTreeMap<String, usize>> = BTreeMap::new();
    for line in std::fs::read_to_string(&log).unwrap().lines() {
        let mut words = line.splitn(2, char::is_whitespace);
        let (Some(thread), Some(call)) = (words.next(), words.next()) else { continue };
        let call = call.trim_start();
        let name = call.split('(').next().unwrap();
        let Some(kind) = CALLS.iter().position(|calls| calls.split(',').any(|known| known == name)) else { continue };
        let prefix = format!("{}/", data.display());
        let Some(at) = call.find(&prefix) else { continue };
        let path: String = call[at + prefix.len()..].chars().take_while(|sign| !"\">".contains(*sign)).collect();
        *counts.entry((kind, path.into())).or_default().entry(thread.to_owned()).or_default() += 1;
    }
    let most = |threads: &BTreeMap<String, usize>| threads.values().copied().max().unwrap_or(0);
    let points = counts.iter().flat_map(|((kind, file), threads)| {
        (1..=most(threads)).map(|number| Point { calls: CALLS[*kind], file: file.clone(), number })
    });
    points.collect()
}

/// Sweeps and is killed at a point. False when the run never came there: which thread writes what is not the same each time.
fn kill(data: &Path, point: &Point) -> bool {
    let Point { calls, file, number } = point;
    let inject = format!("inject={calls}:signal=KILL:when={number}");
    let path = data.join(file);
    let arguments = ["-o", "/dev/null", "-e", &format!("trace={calls}"), "-e", &inject, "-P", path.to_str().unwrap()];
    let Output { status, stderr, .. } = traced(data, &arguments.map(String::from));
    let is_killed = status.signal() == Some(9) || status.code() == Some(137);
    assert!(is_killed || status.success(), "{point:?}: {status} {}", String::from_utf8_lossy(&stderr));
    is_killed
}

fn holds(path: &Path, canary: &[u8]) -> bool {
    if path.is_dir() {
        return std::fs::read_dir(path).unwrap().any(|entry| holds(&entry.unwrap().path(), canary));
    }
    std::fs::read(path).is_ok_and(|bytes| bytes.windows(canary.len()).any(|part| part == canary))
}

/// The phase of the only snapshot, and whether there is a receipt of its deletion.
fn stands(data: &Path) -> (String, bool) {
    let database = rusqlite::Connection::open(data.join("portal.db")).unwrap();
    let statement = "SELECT phase, (SELECT count(*) FROM receipts WHERE kind = 'deletion') FROM snapshots";
    database.query_row(statement, [], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? > 0))).unwrap()
}

/// Kills one sweep and looks at what is there, then sweeps again and looks whether everything is gone. False when the sweep
/// was over before it could be killed.
fn try_point(due: &Due, point: &Point) -> bool {
    let (_home, data) = due.copy();
    let (content, share) = (&due.sample.bytes[..64], &due.sample.share.unwrap());
    let is_killed = kill(&data, point);
    let (_, receipt) = stands(&data);
    if receipt {
        assert!(!holds(&data, content) && !holds(&data, share), "{point:?}: a receipt, and not everything is gone");
    }
    let again = sweep(&data).output().unwrap();
    assert!(again.status.success(), "{point:?}: {}", String::from_utf8_lossy(&again.stderr));
    assert_eq!(stands(&data), (String::from("deleted"), true), "{point:?}");
    assert!(!holds(&data, content) && !holds(&data, share), "{point:?}: something is left");
    let (mut begun, mut ended) = (0, 0);
    for file in std::fs::read_dir(data.join("tombstones")).unwrap() {
        for line in std::fs::read_to_string(file.unwrap().path()).unwrap().lines() {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            *(if line["receipt"].is_null() { &mut begun } else { &mut ended }) += 1;
        }
    }
    assert!(begun >= 1 && ended <= 1, "{point:?}: {begun} and {ended} tombstones");
    is_killed
}

#[test]
fn a_deletion_that_is_killed_anywhere_ends_and_no_receipt_comes_too_early() {
    let may_trace =
        Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).status().is_ok_and(|done| done.success());
    if !may_trace {
        assert!(env::var("TARSEAL_REQUIRE_PEERS").as_deref() != Ok("1"), "strace cannot trace here");
        eprintln!("skipped: strace is not there or may not trace");
        return;
    }
    let due = Due::new();
    let points = points(&due);
    assert!(points.len() >= POINTS, "{points:?}");
    let all = env::var("TARSEAL_KILL_POINTS").as_deref() == Ok("all");
    let step = if all { 1 } else { points.len() / POINTS };
    let (next, killed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(point) = points.get(next.fetch_add(step, Ordering::Relaxed)) {
                    killed.fetch_add(usize::from(try_point(&due, point)), Ordering::Relaxed);
                }
            });
        }
    });
    let (tried, killed) = (points.len().div_ceil(step), killed.into_inner());
    eprintln!("killed at {killed} of {tried} points tried, of {}", points.len());
    assert!(killed * 2 > tried, "most points are reached");
}
