//! Collecting on the command line: what a person sees, and with which code it ends. Runs the program itself.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A sender's computer: a home, files, programs.
struct Computer(TempDir);

impl Computer {
    fn new() -> Self {
        let computer =
            Self(tempfile::Builder::new().prefix("collect").tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap());
        fs::create_dir_all(computer.at("bin")).unwrap();
        computer
    }

    fn at(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn file(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.at(name);
        fs::create_dir_all(Path::new(&path).parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn program(&self, name: &str, script: &str) {
        let path = self.file(&format!("bin/{name}"), format!("#!/bin/sh\n{script}\n"));
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tarseal"));
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.at("home"))
            .env("TARSEAL_HOME", self.at("state"))
            .env("TZ", "UTC")
            .env("PATH", format!("{}:/usr/bin:/bin", self.at("bin")))
            .current_dir(self.0.path());
        command
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(&self.command(arguments).output().unwrap())
    }

    /// A key to open with and its recipient.
    fn key(&self) -> (String, String) {
        let key = self.at("me.key");
        let recipient = self.run(&["key", "new", "-o", &key]).ends(0).out;
        (key, recipient.trim().to_owned())
    }
}

struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Ran {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code().unwrap_or(-1), out: text(&output.stdout), err: text(&output.stderr) }
    }

    #[track_caller]
    fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "standard output:\n{}\nstandard error:\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    fn says(self, text: &str) -> Self {
        assert!(self.err.contains(text), "{text:?} is not in standard error:\n{}", self.err);
        self
    }

    #[track_caller]
    fn events(&self, name: &str) -> Vec<serde_json::Value> {
        let lines = self.out.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect(line));
        lines.filter(|event| event["event"] == name).collect()
    }
}

/// A profile over this computer's `logs` with a command, as a file.
fn profile(computer: &Computer, more: &str) -> String {
    let logs = computer.at("logs");
    computer.file(
        "site.toml",
        format!("schema = 1\nname = \"site\"\n{more}\n[[collect.file]]\nname = \"logs\"\npaths = [\"{logs}\"]\nwindow = true\n"),
    )
}

const TOOL: &str = "[[collect.command]]\nrun = [\"tool\", \"two words\"]\n";

#[test]
fn a_dry_run_shows_files_commands_and_reasons_and_touches_nothing() {
    let computer = Computer::new();
    computer.file("logs/app.log", "2026-11-21T10:00:00Z a\n");
    computer.program("tool", "touch \"$(dirname \"$0\")/ran\"");
    let profile = profile(&computer, TOOL);
    let ran = computer.run(&["collect", "--profile", &profile, "--dry-run"]).ends(0);
    assert!(ran.out.contains("logs/app.log") && ran.out.contains("tool 'two words'"), "{}", ran.out);
    let ran = ran.says("1 file, 23 bytes, 1 command. Nothing was read, nothing was run, nothing was written.");
    assert!(!Path::new(&computer.at("bin/ran")).exists(), "{}", ran.err);
    let ran = computer.run(&["collect", "--profile", &profile, "--dry-run", "--json", "--last", "1h"]).ends(0);
    assert_eq!(ran.events("would_run")[0]["arguments"], serde_json::json!(["tool", "two words"]));
    assert_eq!(ran.events("item")[0]["bytes"], 23);
    assert_eq!(ran.events("result")[0]["commands"], 1);
    for command in [
        vec!["seal", "--profile", &profile, "--dry-run"],
        vec!["send", "--ticket", "4711", "--profile", &profile, "--dry-run"],
    ] {
        computer.run(&command).ends(0).says("Nothing was read");
    }
    computer.run(&["collect", "--profile", &profile]).ends(2).says("add --dry-run");
    computer.run(&["collect", "--dry-run"]).ends(2).says("the profile generic collects nothing by itself");
    computer.run(&["seal", "-o", "never"]).ends(2).says("nobody to seal it to");
}

#[test]
fn seal_with_a_profile_collects_redacts_and_says_what_came_of_it() {
    let computer = Computer::new();
    let (key, to) = computer.key();
    let now = a_minute_ago();
    computer.file("logs/app.log", format!("2020-01-01T00:00:00Z user=old\n{now} user=quirin password=swordfish\n"));
    computer.file("logs/state.txt", "no stamps\n");
    computer.program("tool", "echo user=quirin; echo mind >&2; exit 4");
    let profile = profile(&computer, TOOL);
    let sealed = computer.at("out.tarseal");
    let ran = computer
        .run(&["seal", "--profile", &profile, "--last", "1h", "--to", &to, "-o", &sealed])
        .ends(0)
        .says("SEALED.")
        .says("Of logs, only what was written since ");
    assert!(!ran.err.contains("In part only"), "a window was asked for: {}", ran.err);
    let directory = computer.run(&["open", &sealed, "--key", &key, "-o", &computer.at("opened")]).ends(0);
    assert!(!directory.out.is_empty());
    let opened = computer.at("opened");
    let read = |end: &str| find(Path::new(&opened), end).unwrap_or_else(|| panic!("{end} is not there"));
    assert_eq!(read("logs/app.log"), format!("{now} user=user-1 password=[secret]\n"));
    assert_eq!(read("logs/state.txt"), "no stamps\n");
    assert_eq!(read("commands/tool_two_words.txt"), "user=user-1\n");
    assert_eq!(read("commands/tool_two_words.stderr.txt"), "mind\n");
    let manifest = computer.run(&["list", &sealed, "--key", &key, "--json"]).ends(0);
    assert!(manifest.out.contains("app.log"), "{}", manifest.out);
    let report = computer
        .run(&["seal", "--profile", &profile, "--last", "1h", "--to", &to, "-o", &computer.at("b.tarseal"), "--json"])
        .ends(0);
    let sources = report.events("source");
    assert_eq!(sources.len(), 2);
    assert_eq!((&sources[0]["kind"], &sources[0]["items"]), (&serde_json::json!("file"), &serde_json::json!(2)));
    assert_eq!(sources[1]["status"], 4);
    let fallen = report.events("fell_out");
    assert_eq!((&fallen[0]["reason"], &fallen[0]["in_part"]), (&"outside-window".into(), &true.into()));
    // A second time, with the review as text.
    let ran = computer
        .run(&[
            "seal",
            "--profile",
            &profile,
            "--last",
            "1h",
            "--to",
            &to,
            "-o",
            &computer.at("c.tarseal"),
            "--review",
            "text",
        ])
        .ends(0);
    assert!(ran.err.contains("Collected: file logs: 2 items") && ran.err.contains("app.log (in part)"), "{}", ran.err);
}

#[test]
fn an_incomplete_collection_ends_with_3_and_lists_each_reason() {
    let computer = Computer::new();
    let (_, to) = computer.key();
    computer.file("logs/app.log", "x\n");
    computer.program("tool", "echo begun; sleep 100");
    let required = "[[collect.file]]\nname = \"the audit trail\"\npaths = [\"/none/such\"]\nrequired = true\n\
                    [[collect.command]]\nrun = [\"not-there\"]\n";
    let profile = profile(&computer, &format!("{required}{TOOL}time = \"1s\"\n"));
    let begun = Instant::now();
    computer
        .run(&["seal", "--profile", &profile, "--to", &to, "-o", &computer.at("a.tarseal")])
        .ends(3)
        .says("the audit trail   not on this computer, and the profile requires it")
        .says("commands/not-there.txt   not installed on this computer")
        .says("In part only (1):")
        .says("commands/tool_two_words.txt   it took too long");
    assert!(begun.elapsed() < Duration::from_secs(60));
}

#[test]
fn a_window_can_be_set_for_what_is_named() {
    let computer = Computer::new();
    let (key, to) = computer.key();
    let log = computer
        .file("app.log", "2026-11-20 10:00:00 one\n goes on\n2026-11-20 11:00:00 two\n2026-11-20 12:00:00 three\n");
    let cut = |number: &str, flags: &[&str]| {
        let sealed = computer.at(&format!("{number}.tarseal"));
        let all: Vec<&str> = ["seal", &log, "--to", &to, "-o", &sealed].iter().chain(flags).copied().collect();
        computer.run(&all).ends(0);
        let opened = computer.at(number);
        computer.run(&["open", &sealed, "--key", &key, "-o", &opened]).ends(0);
        find(Path::new(&opened), "app.log").unwrap()
    };
    assert_eq!(
        cut("a", &["--since", "2026-11-20 10:30", "--until", "2026-11-20T12:00:00Z"]),
        "2026-11-20 11:00:00 two\n"
    );
    assert_eq!(cut("b", &["--until", "2026-11-20 10:30"]), "2026-11-20 10:00:00 one\n goes on\n");
    assert_eq!(cut("c", &[]), fs::read_to_string(&log).unwrap());
    let never = computer.at("never");
    let refused = |flags: &[&str], text: &str| {
        let all: Vec<&str> = ["seal", &log, "--to", &to, "-o", &never].iter().chain(flags).copied().collect();
        computer.run(&all).ends(2).says(text);
        assert!(!Path::new(&never).exists());
    };
    refused(&["--last", "yesterday"], "30m, 24h or 7d");
    refused(&["--since", "yesterday"], "\"yesterday\" is not a point in time");
    refused(&["--since", "2026-11-21", "--until", "2026-11-20"], "Nothing lies between");
    refused(&["--last", "1h", "--since", "2026-11-21"], "cannot be used with");
    refused(&["--since", "2031-01-01"], "of another time than was asked for");
}

#[test]
fn an_archive_of_another_kind_is_refused_with_6_and_nothing_leaves() {
    let computer = Computer::new();
    let (_, to) = computer.key();
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("beach.jpg", zip::write::SimpleFileOptions::default()).unwrap();
    let holiday = computer.file("holiday.zip", zip.finish().unwrap().into_inner());
    let never = computer.at("never");
    computer
        .run(&["seal", &holiday, "--profile", "pexip-infinity", "--to", &to, "-o", &never])
        .ends(6)
        .says("NOT SEALED. holiday.zip is not a Pexip snapshot (no var/log/unified_support.log inside).")
        .says("Nothing has left this computer.");
    assert!(!Path::new(&never).exists());
    // And where there is none at all, that is what is said.
    computer
        .run(&["seal", "--profile", "pexip-infinity", "--to", &to, "-o", &never])
        .ends(2)
        .says("a Pexip snapshot   not on this computer, and the profile requires it");
}

#[test]
fn a_profile_that_everybody_can_write_to_runs_nothing() {
    let computer = Computer::new();
    let (_, to) = computer.key();
    let profile = profile(&computer, TOOL);
    fs::set_permissions(&profile, fs::Permissions::from_mode(0o666)).unwrap();
    computer
        .run(&["seal", "--profile", &profile, "--to", &to, "-o", "never"])
        .ends(2)
        .says("Everybody on this computer can write to")
        .says("chmod go-w");
    computer.run(&["profile", "check", &profile]).ends(0).says("collects  command");
}

#[test]
fn an_interrupted_collection_leaves_no_command_behind() {
    let computer = Computer::new();
    let (_, to) = computer.key();
    let mark = computer.at("pid");
    computer.program("tool", &format!("echo $$ > {mark}; exec sleep 300"));
    computer.file("logs/a", "x");
    let profile = profile(&computer, TOOL);
    let never = computer.at("never.tarseal");
    let mut child = computer
        .command(&["seal", "--profile", &profile, "--to", &to, "-o", &never])
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let wait = |what: &dyn Fn() -> bool| {
        (0..600).any(|_| {
            std::thread::sleep(Duration::from_millis(50));
            what()
        })
    };
    assert!(wait(&|| fs::read_to_string(&mark).is_ok_and(|pid| pid.ends_with('\n'))), "the command began");
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let command = fs::read_to_string(&mark).unwrap();
    let stat = format!("/proc/{}/stat", command.trim());
    assert!(wait(&|| fs::read_to_string(&stat).map_or(true, |stat| stat.contains(") Z "))), "it still runs");
    assert!(!Path::new(&never).exists());
}

#[test]
fn the_schema_of_profiles_is_printed() {
    let computer = Computer::new();
    let schema: serde_json::Value = serde_json::from_str(&computer.run(&["profile", "schema"]).ends(0).out).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert!(schema["properties"]["collect"]["properties"]["command"]["items"]["properties"]["run"].is_object());
    let listed = computer.run(&["profile", "list", "--json"]).ends(0);
    assert_eq!(listed.events("result")[0]["profiles"][2]["sources"][0]["kind"], "file");
}

/// The text of the file beneath a directory whose path ends so.
fn find(directory: &Path, end: &str) -> Option<String> {
    let mut waiting = vec![directory.to_owned()];
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.ends_with(end) {
                return Some(fs::read_to_string(path).unwrap());
            }
        }
    }
    None
}

/// A minute ago, as a log writes it.
fn a_minute_ago() -> String {
    use tarseal::clock::{Clock, SystemClock};
    SystemClock.now().plus_seconds(-60).to_string()
}
