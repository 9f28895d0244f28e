//! What stands on standard output, and what happens when it cannot.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::desk::Desk;

const LOG: &str = "fixtures/machines/meeting/log/unified_support.log";

fn program(home: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tarseal"));
    command.args(arguments).env("TARSEAL_HOME", home.path()).stdin(Stdio::null()).stderr(Stdio::piped());
    command
}

/// A disk that is always full.
fn on_a_full_disk(home: &TempDir, arguments: &[&str]) -> Output {
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    program(home, arguments).stdout(full).output().unwrap()
}

fn home() -> TempDir {
    tempfile::Builder::new().prefix("printing").tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

#[test]
#[cfg(target_os = "linux")]
fn what_could_not_be_printed_does_not_count_as_done() {
    let home = home();
    let at = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    let (data, key) = (at("portal"), at("me.key"));
    let ran = program(&home, &["portal", "tenant", "new", "agency", "--data", &data]).output().unwrap();
    assert!(ran.status.success());
    for arguments in [
        &["portal", "token", "new", "--tenant", "agency", "--role", "technician", "--data", &data][..],
        &["key", "new", "-o", &key],
        &["key", "public", &key],
        &["status", "--json"],
        &["list", "--opened", "--json"],
        &["man", "key", "new"],
        &["completions", "bash"],
        &["config", "show"],
    ] {
        let ran = on_a_full_disk(&home, arguments);
        let said = String::from_utf8_lossy(&ran.stderr);
        assert_eq!(ran.status.code(), Some(7), "{arguments:?}: {said}");
        assert!(said.contains("NOT PRINTED. Standard output could not be written: the disk is full."), "{said}");
    }
    assert!(fs::exists(&key).unwrap(), "what the command did stands");
    assert_eq!(on_a_full_disk(&home, &["--help"]).status.code(), Some(7));

    let ran = on_a_full_disk(&home, &["redact", LOG]);
    let said = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(7), "{said}");
    assert!(said.contains("NOT REDACTED. The redacted text could not be written: the disk is full."), "{said}");
}

#[test]
fn a_reader_that_has_had_enough_is_no_failure() {
    let home = home();
    let text = home.path().join("long.log");
    fs::write(&text, "2026-11-20 09:00:00 all is well with the meeting\n".repeat(40_000)).unwrap();
    let text = text.to_str().unwrap();
    for arguments in [&["redact", text][..], &["man", "send"], &["completions", "bash"], &["--help"]] {
        let mut running = program(&home, arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut first = String::new();
        BufReader::with_capacity(16, running.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let ran = running.wait_with_output().unwrap();
        assert_eq!(ran.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
        assert!(!first.is_empty());
    }
}

#[test]
fn sealed_bytes_and_json_lines_do_not_go_the_same_way() {
    let desk = Desk::new();
    let ran = desk.sender(&["seal", LOG, "-o", "-", "--json"]).ends(2);
    assert_eq!(ran.out.lines().count(), 1, "{}", ran.out);
    assert_eq!(ran.result()["exit"], 2);
    ran.says("NOT SEALED.").says("name a file with -o");
}

#[test]
fn the_result_of_a_failure_says_what_left_this_computer() {
    let desk = Desk::new();
    fs::set_permissions(desk.at("upload.token"), fs::Permissions::from_mode(0o644)).unwrap();
    let result = desk.sender(&["send", LOG, "--ticket", "4711", "--yes", "--json"]).ends(7).result();
    assert_eq!(result["left"], "Nothing was collected, nothing has left this computer.");
    assert!(result["next"][0].as_str().unwrap().contains("chmod 600"));
}

#[test]
fn wrong_arguments_end_with_the_headline_of_their_command() {
    let desk = Desk::new();
    for arguments in
        [&["send", "./logs", "--ticket", "-x"][..], &["send", "./logs", "--ticket", "4711", "--last", "5x"]]
    {
        let ran = desk.sender(arguments).ends(2);
        assert_eq!(ran.err.lines().last(), Some("NOT SENT. Nothing was done, and nothing has left this computer."));
        let ran = desk.sender(&[arguments, &["--json"]].concat()).ends(2);
        assert_eq!(ran.result()["left"], "Nothing was done, and nothing has left this computer.");
        ran.says("NOT SENT. ");
    }
    let ran = desk.sender(&["open", "--wipe", "x", "--memory"]).ends(2);
    ran.says("NOT WIPED.");
    // Help is no failure.
    assert!(!desk.sender(&[]).ends(2).err.contains("FAILED."));
    assert_eq!(desk.sender(&["send", "--help"]).ends(0).err, "");
}

#[test]
fn a_fetch_tells_every_snapshot_and_sums_them_up() {
    let desk = Desk::new();
    desk.sender(&["send", LOG, "--ticket", "4711", "--yes", "--no-redact"]).ends(0);
    desk.sender(&["send", LOG, "tests/cli/main.rs", "--ticket", "4711", "--yes"]).ends(0);
    let (key, into) = (desk.at("me.key"), desk.at("copies"));
    let fetch = ["fetch", "4711", "--reason", "x", "--key", &key, "-o", &into, "--json"];
    let result = desk.technician(&fetch).ends(0).result();
    let opened = result["opened"].as_array().unwrap();
    let files: Vec<u64> = opened.iter().map(|one| one["files"].as_u64().unwrap()).collect();
    assert_eq!((opened.len(), files.iter().min(), files.iter().max()), (2, Some(&1), Some(&2)));
    assert_eq!((result["snapshots"].as_u64(), result["files"].as_u64()), (Some(2), Some(3)));
    assert_eq!(result["redacted"], false, "one of them is not");
    assert_eq!(opened.iter().filter(|one| one["redacted"] == true).count(), 1);
    for one in opened {
        let directory = one["directory"].as_str().unwrap();
        assert_eq!(directory, format!("{into}/{}", one["snapshot"].as_str().unwrap()));
        assert!(File::open(format!("{directory}/DELETE-BY")).is_ok());
    }
}
