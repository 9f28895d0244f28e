//! Collecting by a profile, by its door: sources, window, limits, time, and what a hostile computer does to them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use jiff::tz::TimeZone;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tarseal::clock::Timestamp;
use tarseal::collect::{CollectError, CollectOptions, GatherOptions, Gathered, Running, Source, Window, gather};
use tarseal::item::{FellOut, Item, Reason};
use tarseal::profile::Profile;
use tarseal::progress::Silent;
use tempfile::TempDir;

const NOW: &str = "2026-11-21T12:00:00Z";

/// A computer: a tree that stands for its root, and programs that stand for its own.
struct Computer {
    root: TempDir,
    programs: TempDir,
    spool: TempDir,
    variables: Vec<(String, OsString)>,
}

impl Computer {
    fn new() -> Self {
        let [root, programs, spool] = [(); 3].map(|()| tempfile::tempdir().unwrap());
        let path = std::env::join_paths([programs.path(), Path::new("/usr/bin"), Path::new("/bin")]).unwrap();
        Self { root, programs, spool, variables: vec![("PATH".into(), path)] }
    }

    /// A computer that has the programs it was given and no other.
    fn bare() -> Self {
        let mut computer = Self::new();
        computer.variables = vec![("PATH".into(), computer.programs.path().into())];
        computer
    }

    fn at(&self, path: &str) -> PathBuf {
        self.root.path().join(path.trim_start_matches('/'))
    }

    /// Puts a file there that was last changed at that time.
    fn file(&self, path: &str, content: impl AsRef<[u8]>, modified: &str) -> PathBuf {
        let file = self.at(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, content).unwrap();
        let modified: Timestamp = modified.parse().unwrap();
        let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(modified.seconds()).unwrap());
        File::options().write(true).open(&file).unwrap().set_modified(modified).unwrap();
        file
    }

    /// Puts a program there, as a script.
    fn program(&self, name: &str, script: &str) {
        let file = self.programs.path().join(name);
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn collects(&self, profile: &str) -> Result<Gathered, CollectError> {
        self.collects_within(profile, None)
    }

    fn collects_within(&self, profile: &str, window: Option<Window>) -> Result<Gathered, CollectError> {
        self.gathers(&named(profile), &[], window, false)
    }

    fn gathers(
        &self,
        profile: &Profile,
        paths: &[Source],
        window: Option<Window>,
        metadata_only: bool,
    ) -> Result<Gathered, CollectError> {
        let now: Timestamp = NOW.parse().unwrap();
        let rule = &profile.collection.window;
        let window = window.unwrap_or_else(|| Window {
            since: rule.last.map(|last| now.plus_seconds(-last)),
            until: None,
            slack: rule.slack,
            zone: rule.zone.clone().unwrap_or(TimeZone::UTC),
        });
        let variables = &self.variables;
        let mut options = GatherOptions {
            basic: CollectOptions {
                standard_input: &mut std::io::empty(),
                standard_input_name: "standard-input".parse().unwrap(),
                spool_directory: self.spool.path().to_owned(),
                rng: &mut StdRng::seed_from_u64(1),
            },
            paths,
            profile: (&profile.name, &profile.collection),
            window,
            now,
            home: Some(self.at("home/clerk")),
            root: Some(self.root.path().to_owned()),
            environment: &|name| variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()),
            unwanted: &|path| profile.rules.leaves_out(path).is_some(),
            running: Running::default(),
            metadata_only,
        };
        gather(&mut options, &Silent)
    }
}

/// A built-in profile, or one of these tables.
fn named(profile: &str) -> Profile {
    Profile::built_in(profile).unwrap_or_else(|| {
        let text = format!("schema = 1\nname = \"test\"\n{profile}");
        Profile::read(&text).unwrap_or_else(|error| panic!("{text}\n{error}"))
    })
}

fn since(since: &str) -> Option<Window> {
    Some(Window { since: Some(since.parse().unwrap()), ..Window::open() })
}

fn text(item: &Item) -> String {
    let mut bytes = Vec::new();
    item.content.open().unwrap().read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes.len() as u64, item.size, "{}", item.path);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What was collected, by its path.
fn items(gathered: &Gathered) -> BTreeMap<&str, String> {
    gathered.items.iter().map(|item| (item.path.as_str(), text(item))).collect()
}

fn paths(gathered: &Gathered) -> Vec<&str> {
    gathered.items.iter().map(|item| item.path.as_str()).collect()
}

fn left_out(gathered: &Gathered) -> Vec<(&str, Reason)> {
    gathered.left_out.iter().map(|one| (one.path.as_str(), one.reason)).collect()
}

fn fell_out<'g>(gathered: &'g Gathered, path: &str) -> &'g FellOut {
    let found = gathered.report.fell_out.iter().find(|one| one.path == path);
    found.unwrap_or_else(|| panic!("{path} is not in {:?}", gathered.report.fell_out))
}

/// Lines of a log, one a minute until noon, the last `count` of them.
fn log(count: i64, text: &str) -> String {
    let now: Timestamp = NOW.parse().unwrap();
    (0..count).rev().map(|back| format!("{} {text} {back}\n", now.plus_seconds(-60 * (back + 1)))).collect()
}

#[test]
fn each_kind_of_source_gives_what_it_is_asked_for() {
    let mut computer = Computer::new();
    computer.variables.push(("KUBECONFIG".into(), "/made/up".into()));
    computer.file("/var/log/app/app.log", "2026-11-21T11:00:00Z fine\n", NOW);
    computer.program("say", r#"echo "out $1"; echo "err $2" >&2; exit 3"#);
    computer.program("journalctl", r#"echo "journal $*""#);
    computer.program(
        "docker",
        r#"case "$1" in ps) printf 'web\ndb\n';; logs) echo "log $*"; echo "error of container" >&2;; esac"#,
    );
    computer.program(
        "kubectl",
        r#"case "$*" in
            *"get pods --output jsonpath"*) printf 'web-1\tapp,\tapp=1,\n';;
            *--previous*) echo "before $*";;
            *logs*) echo "log $* $KUBECONFIG";;
            *events*) echo '{"items":[{"spec":{"env":[{"name":"PIN","value":"swordfish"}]}}]}';;
        esac"#,
    );
    let gathered = computer
        .collects_within(
            r#"
            [[collect.file]]
            paths = ["/var/log/app"]
            [[collect.command]]
            run = ["say", "one argument; echo two", "*"]
            save_as = "commands/said.txt"
            [[collect.journal]]
            units = ["app.service"]
            priority = "info"
            [[collect.container]]
            runtime = "docker"
            containers = ["w*"]
            [[collect.kubernetes]]
            namespaces = ["video"]
            previous = true
            resources = ["events"]
            "#,
            since("2026-11-21T10:00:00Z"),
        )
        .unwrap();
    let items = items(&gathered);
    assert_eq!(items["commands/said.txt"], "out one argument; echo two\n", "no shell saw it");
    assert_eq!(items["commands/said.stderr.txt"], "err *\n");
    assert_eq!(
        items["journal/journal.log"],
        "journal --no-pager --quiet --output=short-iso-precise --since=@1795255200 --priority=info --unit=app.service\n"
    );
    assert_eq!(items["containers/web.log"], "log logs --timestamps --since 2026-11-21T10:00:00Z web\n");
    assert_eq!(items["containers/web.stderr.log"], "error of container\n");
    let log =
        "log --namespace video logs web-1 --container app --timestamps --since-time=2026-11-21T10:00:00Z /made/up\n";
    assert_eq!(items["kubernetes/video/web-1/app.log"], log);
    assert!(items["kubernetes/video/web-1/app.previous.log"].starts_with("before "));
    assert!(items["kubernetes/video/events.json"].contains("\"PIN\""));
    assert!(!items["kubernetes/video/events.json"].contains("swordfish"));
    assert_eq!(items["var/log/app/app.log"], "2026-11-21T11:00:00Z fine\n");
    assert_eq!(items.len(), 9);
    assert!(gathered.left_out.is_empty(), "{:?}", gathered.left_out);
    let sources: Vec<_> =
        gathered.report.sources.iter().map(|one| (one.kind.as_str(), one.items, one.status)).collect();
    assert_eq!(
        sources,
        [
            ("file", 1, None),
            ("command", 2, Some(3)),
            ("journal", 1, None),
            ("container", 2, None),
            ("kubernetes", 3, None)
        ]
    );
}

#[test]
fn a_command_gets_an_empty_environment_a_fixed_place_and_nothing_to_read() {
    let mut computer = Computer::new();
    computer.variables.extend([("SECRET".into(), "swordfish".into()), ("WANTED".into(), "yes".into())]);
    computer.program("look", "env | sort; pwd; cat; echo end");
    let gathered = computer.collects("[[collect.command]]\nrun = [\"look\"]\nenvironment = [\"WANTED\"]\n").unwrap();
    let said = text(&gathered.items[0]);
    let names: Vec<&str> = said.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    // The shell that runs the script sets PWD and what begins with an underscore.
    let given: Vec<&str> =
        names.into_iter().filter(|name| !matches!(*name, "PWD" | "_" | "OLDPWD" | "SHLVL")).collect();
    assert_eq!(given, ["LC_ALL", "PATH", "WANTED"]);
    assert!(said.ends_with("/\nend\n"), "{said}");
}

#[test]
fn what_is_not_there_or_not_installed_is_said_and_is_no_error_unless_it_is_required() {
    let computer = Computer::bare();
    computer.file("/var/log/a.log", "x", NOW);
    let profile = |required: &str| {
        format!(
            "[[collect.file]]\npaths = [\"/var/log/a.log\"]\n[[collect.file]]\nname = \"b\"\npaths = [\"/var/log/b*\"]\n{required}\n\
             [[collect.command]]\nrun = [\"none\"]\nname = \"none\"\n{required}"
        )
    };
    let gathered = computer.collects(&profile("")).unwrap();
    assert_eq!(left_out(&gathered), [("commands/none.txt", Reason::NotInstalled), ("var/log/b*", Reason::NotThere)]);
    assert!(gathered.left_out.iter().all(|one| !one.reason.makes_incomplete()));
    let gathered = computer.collects(&profile("required = true")).unwrap();
    assert_eq!(left_out(&gathered), [("b", Reason::Missing), ("none", Reason::Missing)]);
    assert!(gathered.left_out.iter().all(|one| one.reason.makes_incomplete()));
}

#[test]
fn a_relative_directory_of_the_search_path_is_passed_over() {
    let mut computer = Computer::bare();
    computer.file("/a", "x", NOW);
    computer.program("tool", "echo fine");
    let relative = computer.programs.path().strip_prefix("/").unwrap();
    computer.variables = vec![("PATH".into(), std::env::join_paths([Path::new("."), relative]).unwrap())];
    let gathered =
        computer.collects("[[collect.file]]\npaths = [\"/a\"]\n[[collect.command]]\nrun = [\"tool\"]").unwrap();
    assert_eq!(left_out(&gathered), [("commands/tool.txt", Reason::NotInstalled)]);
}

#[test]
fn a_command_that_hangs_is_ended_with_everything_it_started_and_holds_up_nobody() {
    let computer = Computer::new();
    let mark = computer.at("pids");
    fs::create_dir_all(computer.root.path()).unwrap();
    // Its child ignores what it can, and holds the streams.
    computer.program(
        "hang",
        &format!(
            "trap '' TERM HUP INT\necho begun\n(trap '' TERM HUP INT; sleep 300) &\necho $$ $! > {}\nwait",
            mark.display()
        ),
    );
    computer.program("quick", "echo done");
    let begun = Instant::now();
    let gathered = computer
        .collects("[[collect.command]]\nrun = [\"hang\"]\ntime = \"1s\"\n[[collect.command]]\nrun = [\"quick\"]\n")
        .unwrap();
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    let items = items(&gathered);
    assert_eq!(items["commands/quick.txt"], "done\n");
    assert_eq!(items["commands/hang.txt"], "begun\n", "what came until then stays");
    let fallen = fell_out(&gathered, "commands/hang.txt");
    assert_eq!((fallen.reason, fallen.in_part), (Reason::TimedOut, true));
    for pid in fs::read_to_string(mark).unwrap().split_whitespace() {
        let gone = |_: &u32| {
            std::thread::sleep(Duration::from_millis(50));
            fs::read_to_string(format!("/proc/{pid}/stat")).map_or(true, |stat| stat.contains(") Z "))
        };
        assert!((0..100).any(|round| gone(&round)), "{pid} still runs");
    }
}

#[test]
fn a_program_that_leaves_something_behind_is_not_waited_for() {
    let computer = Computer::new();
    computer.program("leave", "echo said\nsleep 300 &\nexit 0");
    let begun = Instant::now();
    let gathered = computer.collects("[[collect.command]]\nrun = [\"leave\"]\n").unwrap();
    assert!(begun.elapsed() < Duration::from_secs(20));
    assert_eq!(items(&gathered)["commands/leave.txt"], "said\n");
    assert!(gathered.report.fell_out.is_empty());
}

#[test]
fn collecting_that_is_stopped_from_outside_ends_its_commands() {
    let computer = Computer::new();
    computer.program("hang", "sleep 300");
    let profile = named("[[collect.command]]\nrun = [\"hang\"]\n");
    let running = Running::default();
    let stop = running.clone();
    let stopper = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        stop.stop();
    });
    let variables = computer.variables.clone();
    let mut options = GatherOptions {
        basic: CollectOptions {
            standard_input: &mut std::io::empty(),
            standard_input_name: "standard-input".parse().unwrap(),
            spool_directory: computer.spool.path().to_owned(),
            rng: &mut StdRng::seed_from_u64(1),
        },
        paths: &[],
        profile: (&profile.name, &profile.collection),
        window: Window::open(),
        now: NOW.parse().unwrap(),
        home: None,
        root: None,
        environment: &|name| variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()),
        unwanted: &|_| false,
        running,
        metadata_only: false,
    };
    let begun = Instant::now();
    assert!(matches!(gather(&mut options, &Silent), Err(CollectError::Stopped)));
    assert!(begun.elapsed() < Duration::from_secs(30));
    stopper.join().unwrap();
}

#[test]
fn a_command_that_fails_and_says_nothing_is_told_and_one_that_floods_is_cut() {
    let computer = Computer::new();
    computer.program("fail", "echo why >&2; exit 7");
    computer.program("flood", "yes 'no stamp here' | head -c 3000000");
    computer
        .program("chatter", "i=0; while [ $i -lt 40000 ]; do echo \"2026-11-21T11:00:00Z line $i\"; i=$((i+1)); done");
    let gathered = computer
        .collects(
            r#"
            [[collect.command]]
            run = ["fail"]
            [[collect.command]]
            run = ["flood"]
            limit = "1MiB"
            [[collect.command]]
            run = ["chatter"]
            limit = "1MiB"
            "#,
        )
        .unwrap();
    assert_eq!(left_out(&gathered), [("commands/fail.txt", Reason::Failed), ("commands/flood.txt", Reason::OverLimit)]);
    let items = items(&gathered);
    assert_eq!(items["commands/fail.stderr.txt"], "why\n");
    let chatter = &items["commands/chatter.txt"];
    assert!(chatter.len() <= 1 << 20 && chatter.starts_with("2026-11-21T11:00:00Z line "));
    assert!(chatter.ends_with(" line 39999\n"), "the newest stay");
    assert_eq!(fell_out(&gathered, "commands/flood.txt").bytes, 3_000_000);
    let fallen = fell_out(&gathered, "commands/chatter.txt");
    assert!(fallen.in_part && fallen.reason == Reason::OverLimit && fallen.bytes > 200_000);
}

#[test]
fn the_window_goes_by_time_stamps_and_by_the_last_change() {
    let computer = Computer::new();
    let gz = |text: &str| {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packer.write_all(text.as_bytes()).unwrap();
        packer.finish().unwrap()
    };
    computer.file("/var/log/app.log", log(300, "a"), NOW);
    computer.file("/var/log/app.log.1", log(300, "old").replace("11-21", "11-20"), "2026-11-21T00:00:00Z");
    computer.file("/var/log/app.log.2.gz", gz(&log(300, "packed")), "2026-11-21T11:59:00Z");
    computer.file("/var/log/app.log.3.gz", gz("Nov 10 10:00:00 host x\n"), "2026-11-11T00:00:00Z");
    computer.file("/var/log/app.conf", "no stamps in here\n", NOW);
    computer.file("/var/log/late.log", log(300, "late").replace("11-21", "11-20"), NOW);
    let profile = "[[collect.file]]\npaths = [\"/var/log\"]\nwindow = true";
    let gathered = computer.collects_within(profile, since("2026-11-21T11:00:00Z")).unwrap();
    assert_eq!(paths(&gathered), ["var/log/app.conf", "var/log/app.log", "var/log/app.log.2.gz"]);
    let items = items(&gathered);
    assert_eq!(items["var/log/app.log"], log(60, "a"));
    assert_eq!(items["var/log/app.conf"], "no stamps in here\n");
    let mut packed = Vec::new();
    let mut opened = String::new();
    gathered.items[2].content.open().unwrap().read_to_end(&mut packed).unwrap();
    flate2::read::GzDecoder::new(packed.as_slice()).read_to_string(&mut opened).unwrap();
    assert_eq!(opened, log(60, "packed"));
    let outside = |path| (path, Reason::OutsideWindow);
    assert_eq!(
        left_out(&gathered),
        [outside("var/log/app.log.1"), outside("var/log/app.log.3.gz"), outside("var/log/late.log")]
    );
    let fallen = fell_out(&gathered, "var/log/app.log");
    assert_eq!((fallen.in_part, fallen.bytes), (true, (log(300, "a").len() - log(60, "a").len()) as u64));
    assert!(gathered.left_out.iter().all(|one| !one.reason.makes_incomplete()));
    // Without a window everything stays as it is.
    assert_eq!(computer.collects_within(profile, Some(Window::open())).unwrap().items.len(), 6);
}

#[test]
fn the_newest_stay_when_there_is_too_much() {
    let computer = Computer::new();
    let lines = log(20_000, "text");
    computer.file("/a/new.log", &lines, "2026-11-21T11:00:00Z");
    computer.file("/a/old.log", &lines, "2026-11-20T11:00:00Z");
    computer.file("/a/older.bin", vec![0; 300_000], "2026-11-19T11:00:00Z");
    computer.file("/b/low.log", "2026-11-21T11:00:00Z low\n", NOW);
    let (all, half) = (lines.len() / 1024, lines.len() / 2048);
    let profile = |limit: &str| {
        format!("{limit}\n[[collect.file]]\npaths = [\"/b\"]\nlow = true\n[[collect.file]]\npaths = [\"/a\"]")
    };
    // One and a half of the two logs fit.
    for (number, limit) in [
        format!("[collect.limits]\ntotal = \"{}KiB\"", all + half),
        format!("[collect.limits]\nsource = \"{}KiB\"", all + half),
    ]
    .iter()
    .enumerate()
    {
        let gathered = computer.collects(&profile(limit)).unwrap();
        let items = items(&gathered);
        assert!(items["a/new.log"] == lines);
        let old = &items["a/old.log"];
        assert!(lines.ends_with(old.as_str()) && old.starts_with("2026-") && old.len() > half * 900, "{}", old.len());
        assert_eq!(fell_out(&gathered, "a/old.log").bytes, (lines.len() - old.len()) as u64);
        let mut expected = vec![("a/older.bin", Reason::OverLimit)];
        if number == 0 {
            expected.push(("b/low.log", Reason::OverLimit));
        }
        assert_eq!(left_out(&gathered), expected);
        assert!(gathered.left_out[0].reason.makes_incomplete());
        let kept: u64 = gathered.items.iter().map(|item| item.size).sum();
        assert!(kept <= (all + half + 1) as u64 * 1024);
    }
}

#[test]
fn only_logs_are_shortened_and_their_heading_stays() {
    let computer = Computer::new();
    let rows: String = (0..5000).map(|row| format!("{row};anna;secret\n")).collect();
    computer.file("/a/table.csv", format!("id;name;pin\n{rows}"), NOW);
    let text = format!("#Fields: time what\n{}", log(5000, "x"));
    computer.file("/b/web.log", &text, NOW);
    let profile = |path: &str| format!("[collect.limits]\nsource = \"32KiB\"\n[[collect.file]]\npaths = [\"{path}\"]");
    assert!(
        matches!(computer.collects(&profile("/a")), Err(CollectError::Empty { left_out }) if left_out[0].reason == Reason::OverLimit)
    );
    let gathered = computer.collects(&profile("/b")).unwrap();
    let log = &items(&gathered)["b/web.log"];
    assert!(log.starts_with("#Fields: time what\n2026-11-2"), "{}", &log[..60]);
    assert!(log.len() <= 32 << 10 && text.ends_with(&log[19..]));
}

#[test]
fn what_the_profile_leaves_out_counts_towards_no_limit() {
    let computer = Computer::new();
    computer.file("/a/big.key", vec![b'x'; 100_000], NOW);
    computer.file("/a/small.log", vec![b'y'; 50_000], "2026-11-01T00:00:00Z");
    let profile = "extends = \"generic\"\n[collect.limits]\ntotal = \"64KiB\"\n[[collect.file]]\npaths = [\"/a\"]";
    let gathered = computer.collects(profile).unwrap();
    assert_eq!(paths(&gathered), ["a/small.log"]);
    assert_eq!(left_out(&gathered), [("a/big.key", Reason::ByProfile)]);
}

#[test]
fn a_database_stays_or_goes_with_the_log_beside_it() {
    let computer = Computer::new();
    computer.file("/a/new.bin", vec![0; 40_000], NOW);
    computer.file("/a/old.db", vec![0; 20_000], "2026-11-01T00:00:00Z");
    computer.file("/a/old.db-wal", vec![0; 20_000], "2026-11-20T00:00:00Z");
    computer.file("/a/older.bin", vec![0; 20_000], "2026-10-01T00:00:00Z");
    let profile = "[collect.limits]\ntotal = \"64KiB\"\n[[collect.file]]\npaths = [\"/a\"]";
    let gathered = computer.collects(profile).unwrap();
    assert_eq!(paths(&gathered), ["a/new.bin", "a/older.bin"]);
    assert_eq!(left_out(&gathered), [("a/old.db", Reason::OverLimit), ("a/old.db-wal", Reason::OverLimit)]);
}

#[test]
fn what_is_excluded_is_neither_entered_nor_taken() {
    let computer = Computer::new();
    for name in ["a.log", "a.tmp", "cache/b.log", "sub/cache/c.log", "sub/d.log"] {
        computer.file(&format!("/srv/{name}"), "x", NOW);
    }
    fs::set_permissions(computer.at("srv/cache"), fs::Permissions::from_mode(0o000)).unwrap();
    let profile = "[[collect.file]]\npaths = [\"/srv\"]\nexclude = [\"*.tmp\", \"/srv/cache\", \"cache/c.*\"]";
    let gathered = computer.collects(profile).unwrap();
    fs::set_permissions(computer.at("srv/cache"), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(paths(&gathered), ["srv/a.log", "srv/sub/d.log"]);
    assert!(gathered.left_out.iter().all(|one| one.reason == Reason::ByProfile), "{:?}", gathered.left_out);
}

#[test]
fn a_look_reads_no_content_and_runs_nothing() {
    let computer = Computer::new();
    let ran = computer.at("ran");
    computer.program("touch-it", &format!("touch {}", ran.display()));
    computer.program("journalctl", &format!("touch {}", ran.display()));
    let log = computer.file("/var/log/app.log", log(300, "a"), NOW);
    computer.file("/var/log/app.log.1", "x", "2026-11-01T00:00:00Z");
    fs::set_permissions(&log, fs::Permissions::from_mode(0o644)).unwrap();
    let profile = named(
        "[[collect.file]]\npaths = [\"/var/log\"]\nwindow = true\n[[collect.command]]\nrun = [\"touch-it\", \"a b\"]\n[[collect.journal]]\n",
    );
    let gathered = computer.gathers(&profile, &[], since("2026-11-21T11:00:00Z"), true).unwrap();
    assert_eq!(paths(&gathered), ["var/log/app.log"]);
    assert_eq!(gathered.items[0].size, log.metadata().unwrap().len());
    assert_eq!(left_out(&gathered), [("var/log/app.log.1", Reason::OutsideWindow)]);
    let commands: Vec<_> = gathered.would_run.iter().map(|one| (one.kind, one.arguments[0].as_str())).collect();
    assert_eq!(commands, [("command", "touch-it"), ("journal", "journalctl")]);
    assert!(!ran.exists());
}

#[test]
fn a_hostile_tree_is_collected_in_time_and_nothing_of_it_is_followed() {
    let computer = Computer::new();
    computer.file("/srv/good.log", "2026-11-21T11:30:00Z good\n", NOW);
    computer.file("/secret", "2026-11-21T11:30:00Z SECRET\n", NOW);
    let at = |name: &str| computer.at(&format!("srv/{name}"));
    symlink(computer.at("secret"), at("link.log")).unwrap();
    symlink(computer.root.path(), at("loop")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, at("pipe.log"), rustix::fs::Mode::RUSR).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(at("socket.log")).unwrap();
    let sparse = File::create(at("sparse.log")).unwrap();
    if sparse.set_len(1 << 40).is_err() {
        println!("not tried: the file system takes no file of 1 TiB");
    }
    let mut half = File::create(at("half.log")).unwrap();
    half.write_all(b"2026-11-21T11:30:00Z begins\n").unwrap();
    if half.set_len(1 << 40).is_err() {
        println!("not tried: the file system takes no file of 1 TiB");
    }
    fs::write(at("one-line.log"), vec![b'x'; 5 << 20]).unwrap();
    fs::write(at("name\n\u{1b}[2J.log"), "2026-11-21T11:30:00Z x\n").unwrap();
    fs::create_dir_all(at(&vec!["d"; 200].join("/"))).unwrap();
    let begun = Instant::now();
    let gathered = computer
        .collects_within(
            "[collect.limits]\nitem_time = \"5s\"\n[[collect.file]]\npaths = [\"/srv\"]\nwindow = true",
            since("2026-11-21T11:00:00Z"),
        )
        .unwrap();
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    assert!(paths(&gathered).contains(&"srv/good.log") && paths(&gathered).contains(&"srv/one-line.log"));
    let kept: u64 = gathered.items.iter().map(|item| item.size).sum();
    assert!(kept < 300 << 20, "{kept}");
    for item in gathered.items.iter().filter(|item| item.size < 1 << 20) {
        assert!(!text(item).contains("SECRET"), "{}", item.path);
    }
    let reasons: BTreeMap<&str, Reason> = left_out(&gathered).into_iter().collect();
    for (name, reason) in [
        ("srv/link.log", Reason::Link),
        ("srv/loop", Reason::Link),
        ("srv/pipe.log", Reason::NotAFile),
        ("srv/socket.log", Reason::NotAFile),
        ("srv/sparse.log", Reason::OverLimit),
        (r"srv/name\n\u{1b}[2J.log", Reason::BadName),
    ] {
        assert_eq!(reasons.get(name), Some(&reason), "{name} in {reasons:?}");
    }
    assert!(gathered.left_out.iter().chain(std::iter::empty()).all(|one| !one.path.contains(['\n', '\u{1b}'])));
}

#[test]
fn a_log_that_grows_or_shrinks_after_it_was_found_is_not_torn_unnoticed() {
    let computer = Computer::new();
    let lines = log(300, "a");
    computer.file("/a/growing.log", &lines, NOW);
    computer.file("/a/shrinking.log", &lines, NOW);
    let profile = "[[collect.file]]\npaths = [\"/a\"]\nwindow = true";
    let gathered = computer.collects_within(profile, since("2026-11-21T11:00:00Z")).unwrap();
    File::options().append(true).open(computer.at("a/growing.log")).unwrap().write_all(b"more\n").unwrap();
    File::options().write(true).open(computer.at("a/shrinking.log")).unwrap().set_len(100).unwrap();
    assert_eq!(text(&gathered.items[0]), log(60, "a"));
    let error = gathered.items[1].content.open().unwrap().read_to_end(&mut Vec::new()).unwrap_err();
    assert!(error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<tarseal::item::BecameShorter>));
}

/// A tar of these files, through gzip.
fn tgz(files: &[(&str, &str, &str)]) -> Vec<u8> {
    let packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    let mut builder = tar::Builder::new(packer);
    for (path, content, modified) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(u64::try_from(modified.parse::<Timestamp>().unwrap().seconds()).unwrap());
        builder.append_data(&mut header, path, content.as_bytes()).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

fn members(item: &Item) -> BTreeMap<String, String> {
    let packed = item.content.open().unwrap();
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(packed));
    let read = |entry: std::io::Result<tar::Entry<'_, _>>| {
        let mut entry = entry.unwrap();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        (entry.path().unwrap().to_str().unwrap().to_owned(), text)
    };
    archive.entries().unwrap().map(read).collect()
}

fn archive(must_hold: &str) -> String {
    format!(
        "[[collect.archive]]\nwhat = \"a test snapshot\"\npaths = [\"/in/*.tgz\", \"~/Downloads/*.tgz\"]\n\
         must_hold = [\"{must_hold}\"]\nlogs = [\"var/log/**\"]\nexclude = [\"*.core\"]\nlow_members = [\"var/log/low*\"]\n"
    )
}

#[test]
fn of_archives_the_newest_is_taken_and_cut_to_the_window_inside() {
    let computer = Computer::new();
    let files = [
        ("node/var/log/support.log", log(300, "a"), NOW),
        ("node/var/log/support.log.1", log(9, "old"), "2026-11-10T00:00:00Z"),
        ("node/etc/hosts", "127.0.0.1 localhost\n".to_owned(), "2026-11-01T00:00:00Z"),
        ("node/app.core", "x".repeat(1000), NOW),
    ];
    let files: Vec<_> = files.iter().map(|(path, text, modified)| (*path, text.as_str(), *modified)).collect();
    computer.file("/in/old.tgz", tgz(&[("node/var/log/support.log", "x", NOW)]), "2026-11-20T00:00:00Z");
    computer.file("/home/clerk/Downloads/new.tgz", tgz(&files), "2026-11-21T11:50:00Z");
    let gathered = computer.collects_within(&archive("var/log/support.log"), since("2026-11-21T11:00:00Z")).unwrap();
    assert_eq!(paths(&gathered), ["new.tgz"], "the newest, without where it was");
    let members = members(&gathered.items[0]);
    assert_eq!(members.keys().collect::<Vec<_>>(), ["node/etc/hosts", "node/var/log/support.log"]);
    assert_eq!(members["node/var/log/support.log"], log(60, "a"));
    assert_eq!(fell_out(&gathered, "new.tgz!node/var/log/support.log.1").reason, Reason::OutsideWindow);
    assert_eq!(fell_out(&gathered, "new.tgz!node/app.core").reason, Reason::ByProfile);
    assert!(fell_out(&gathered, "new.tgz!node/var/log/support.log").in_part);
    // One of which everything stays is not touched.
    let whole = tgz(&files[..3]);
    computer.file("/home/clerk/Downloads/new.tgz", &whole, "2026-11-21T11:50:00Z");
    let gathered = computer.collects_within(&archive("var/log/support.log"), Some(Window::open())).unwrap();
    let mut bytes = Vec::new();
    gathered.items[0].content.open().unwrap().read_to_end(&mut bytes).unwrap();
    assert!(bytes == whole);
}

#[test]
fn in_an_archive_that_is_too_large_the_newest_logs_stay() {
    let computer = Computer::new();
    let lines = log(5000, "text");
    let files = [
        ("var/log/support.log", lines.as_str(), "2026-11-21T11:00:00Z"),
        ("var/log/support.log.1", lines.as_str(), "2026-11-20T11:00:00Z"),
        ("var/log/low.log", lines.as_str(), NOW),
    ];
    computer.file("/in/a.tgz", tgz(&files), NOW);
    let limit = lines.len() / 1024 + lines.len() / 2048;
    let profile = format!("[collect.limits]\ntotal = \"{limit}KiB\"\n{}", archive("support.log"));
    let gathered = computer.collects(&profile).unwrap();
    let members = members(&gathered.items[0]);
    assert!(members["var/log/support.log"] == lines && !members.contains_key("var/log/low.log"));
    let older = &members["var/log/support.log.1"];
    assert!(lines.ends_with(older.as_str()) && older.starts_with("2026-") && older.len() > lines.len() / 3);
    assert_eq!(fell_out(&gathered, "a.tgz!var/log/low.log").reason, Reason::OverLimit);
}

#[test]
fn an_archive_of_another_kind_is_refused() {
    let computer = Computer::new();
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("beach.jpg", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(b"sun").unwrap();
    let zip = zip.finish().unwrap().into_inner();
    let other = tgz(&[("readme", "x", NOW)]);
    for (name, bytes) in [
        ("holiday.zip", zip),
        ("other.tgz", other),
        ("broken.tgz", b"\x1f\x8b\x08nothing".to_vec()),
        ("a.tar", b"text".to_vec()),
    ] {
        let path = computer.file(&format!("/in/{name}"), bytes, NOW);
        let profile = named("pexip-infinity");
        let refused = computer.gathers(&profile, &[Source::Path(path)], Some(Window::open()), false);
        match refused {
            Err(error @ CollectError::WrongKind { .. }) => assert_eq!(
                error.to_string(),
                format!("{name} is not a Pexip snapshot (no var/log/unified_support.log inside)")
            ),
            other => panic!("{name}: {other:?}"),
        }
    }
    // A log by itself is no archive, and a directory holds what it holds.
    let log = computer.file("/in/unified_support.log", "2026-11-21T11:00:00Z x\n", NOW);
    let profile = named("pexip-infinity");
    let gathered = computer.gathers(&profile, &[Source::Path(log)], Some(Window::open()), false).unwrap();
    assert_eq!(gathered.items.len(), 1);
}

#[test]
fn an_archive_that_is_broken_or_hostile_is_left_out() {
    let computer = Computer::new();
    let whole = tgz(&[("var/log/support.log", &log(3000, "a"), NOW)]);
    for (number, bytes) in [whole[..whole.len() / 2].to_vec(), whole[..whole.len() - 4].to_vec()].iter().enumerate() {
        computer.file("/in/a.tgz", bytes, NOW);
        let result = computer.collects_within(&archive("support.log"), since("2026-11-21T11:00:00Z"));
        match result {
            Err(CollectError::Empty { left_out }) => assert_eq!(left_out[0].reason, Reason::Damaged, "{number}"),
            // What lacks only its checksum was cut before that was missed.
            Ok(gathered) => assert!(number == 1 && gathered.items.len() == 1),
            other => panic!("{number}: {other:?}"),
        }
    }
}

#[test]
fn what_is_named_is_cut_to_the_window_and_held_to_no_limit() {
    let computer = Computer::new();
    let path = computer.file("/a/app.log", log(300, "a"), NOW);
    let profile = named("[collect.limits]\ntotal = \"1KiB\"\n[[collect.file]]\npaths = [\"/b\"]");
    let window = since("2026-11-21T11:00:00Z");
    let gathered = computer.gathers(&profile, &[Source::Path(path)], window, false).unwrap();
    assert_eq!(text(&gathered.items[0]), log(60, "a"));
    assert_eq!(gathered.report.profile, None);
    let gone = Source::Path(computer.at("gone"));
    assert!(matches!(computer.gathers(&profile, &[gone], None, false), Err(CollectError::NotFound(_))));
}

#[test]
fn three_thousand_files_within_a_window_hold_no_file_open_and_come_in_order() {
    let computer = Computer::new();
    let line = log(2, "x");
    for outer in 0..100 {
        let directory = computer.at(&format!("srv/{outer:02}"));
        fs::create_dir_all(&directory).unwrap();
        for inner in 0..30 {
            fs::write(directory.join(format!("{inner:02}.log")), &line).unwrap();
        }
    }
    let profile = "[[collect.file]]\npaths = [\"/srv\"]\nwindow = true";
    let gathered = computer.collects_within(profile, since("2026-11-21T11:59:00Z")).unwrap();
    assert_eq!(gathered.items.len(), 3000);
    assert!(gathered.items.is_sorted_by(|one, other| one.path < other.path));
    assert!(gathered.items.iter().all(|item| item.size == log(1, "x").len() as u64));
    let open = fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
    assert!(open < 200, "{open} files are open");
}

#[test]
fn the_profile_linux_system_collects_from_a_linux_host() {
    let computer = Computer::bare();
    computer.file("/var/log/syslog", "Nov 19 10:00:00 host old: x\nNov 21 11:00:00 host app: new\n", NOW);
    computer.file("/var/log/syslog.1", "Nov 10 10:00:00 host old: x\n", "2026-11-11T00:00:00Z");
    computer.file("/etc/hosts", "127.0.0.1 localhost\n", "2020-01-01T00:00:00Z");
    computer.file("/etc/systemd/system/app.service.d/limit.conf", "[Service]\n", "2020-01-01T00:00:00Z");
    computer.file("/etc/shadow", "root:x:1\n", NOW);
    computer.program("uname", "echo Linux $*");
    computer.program("journalctl", "echo journal");
    let gathered = computer.collects("linux-system").unwrap();
    let items = items(&gathered);
    assert_eq!(
        items.keys().copied().collect::<Vec<_>>(),
        [
            "commands/uname_-a.txt",
            "etc/hosts",
            "etc/systemd/system/app.service.d/limit.conf",
            "journal/journal.log",
            "var/log/syslog"
        ]
    );
    assert_eq!(items["var/log/syslog"], "Nov 21 11:00:00 host app: new\n");
    let reasons: BTreeMap<&str, Reason> = left_out(&gathered).into_iter().collect();
    assert_eq!(reasons["var/log/syslog.1"], Reason::OutsideWindow);
    assert_eq!(reasons["commands/uptime.txt"], Reason::NotInstalled);
    assert_eq!(reasons["var/log/messages*"], Reason::NotThere);
    assert!(reasons.values().all(|reason| !reason.makes_incomplete()));
}

#[test]
fn the_profile_telephony_collects_from_asterisk_and_freeswitch() {
    let computer = Computer::bare();
    computer.file("/var/log/asterisk/full", "[Nov 21 02:00:00] old\n[Nov 21 11:00:00] VERBOSE[1] new\n", NOW);
    computer.file("/var/log/asterisk/cdr-csv/Master.csv", "\"\",\"100\",\"200\"\n", "2026-11-01T00:00:00Z");
    computer.file(
        "/var/log/freeswitch/freeswitch.log",
        "2026-11-20 10:00:00.1 [DEBUG] old\n2026-11-21 11:00:00.123456 98.00% [DEBUG] new\n",
        NOW,
    );
    computer.file("/etc/asterisk/sip.conf", "[100]\nsecret=swordfish\n", "2020-01-01T00:00:00Z");
    computer.file("/etc/asterisk/voicemail.conf", "100 => 1234,Anna\n", "2020-01-01T00:00:00Z");
    computer.program("asterisk", "echo said $*");
    let gathered = computer.collects("telephony").unwrap();
    let items = items(&gathered);
    assert_eq!(items["var/log/asterisk/full"], "[Nov 21 11:00:00] VERBOSE[1] new\n");
    assert!(items["var/log/freeswitch/freeswitch.log"].starts_with("2026-11-21 11:00:00"));
    assert_eq!(items["commands/asterisk_-rx_core_show_version.txt"], "said -rx core show version\n");
    assert!(items.contains_key("etc/asterisk/sip.conf") && !items.contains_key("etc/asterisk/voicemail.conf"));
    assert!(items.contains_key("var/log/asterisk/cdr-csv/Master.csv"));
}

#[test]
fn the_profile_kubernetes_collects_from_a_namespace_and_never_asks_for_secrets() {
    let computer = Computer::bare();
    let asked = computer.at("asked");
    computer.program(
        "kubectl",
        &format!(
            "echo \"$*\" >> {}\ncase \"$*\" in *jsonpath*) printf 'web-1\\tapp,side,\\tapp=0,\\n';; *logs*) echo \"2026-11-21T11:00:00Z x\";; *) echo '{{}}';; esac",
            asked.display()
        ),
    );
    let gathered = computer.collects("kubernetes").unwrap();
    assert!(paths(&gathered).contains(&"kubernetes/default/web-1/side.log"));
    assert!(paths(&gathered).contains(&"kubernetes/default/events.json"));
    assert_eq!(gathered.items.len(), 2 + 9);
    assert!(!fs::read_to_string(asked).unwrap().contains("secret"));
    // Without kubectl nothing is there, and that is said.
    let result = Computer::bare().collects("kubernetes");
    match result {
        Err(CollectError::Empty { left_out }) => {
            assert_eq!((left_out.len(), left_out[0].reason), (1, Reason::Missing));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_profile_pexip_infinity_takes_the_newest_snapshot_of_the_downloads() {
    let computer = Computer::bare();
    let support = log(300, "Level=\"INFO\"");
    let files = [("var/log/unified_support.log", support.as_str(), NOW), ("opt/pexip/x.conf", "a=b\n", NOW)];
    let name = "/home/clerk/Downloads/diagnostic_snapshot_20261121.tgz";
    computer.file(name, tgz(&files), NOW);
    let gathered = computer.collects("pexip-infinity").unwrap();
    assert_eq!(paths(&gathered), ["diagnostic_snapshot_20261121.tgz"]);
    assert_eq!(members(&gathered.items[0]).len(), 2);
    let gathered = computer.collects_within("pexip-infinity", since("2026-11-21T11:00:00Z")).unwrap();
    assert_eq!(members(&gathered.items[0])["var/log/unified_support.log"], log(60, "Level=\"INFO\""));
}

#[test]
fn the_profile_generic_collects_nothing_by_itself() {
    assert!(named("generic").collection.sources.is_empty());
}
