//! What is handed out besides the program: manual pages, completions, systemd units. Each is read by the program that reads
//! it on a user's machine, where that is installed; with `TARSEAL_REQUIRE_PEERS=1` it must be.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Whether a program is installed. When peers are required, it has to be.
fn has(program: &str) -> bool {
    let found = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .any(|directory| directory.join(program).is_file());
    assert!(found || std::env::var_os("TARSEAL_REQUIRE_PEERS").is_none(), "{program} is required and not installed");
    if !found {
        println!("skipped: {program} is not installed");
    }
    found
}

fn tarseal(arguments: &[&str]) -> Vec<u8> {
    let ran = Command::new(env!("CARGO_BIN_EXE_tarseal")).args(arguments).output().expect("the program is built");
    assert!(ran.status.success(), "tarseal {arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
    ran.stdout
}

/// Runs a program that checks something; everything it prints is the complaint.
#[track_caller]
fn accepts(command: &mut Command) {
    let ran = command.output().expect("the program that checks is installed");
    let said = format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{command:?}:\n{said}");
}

#[test]
fn every_manual_page_is_one_that_mandoc_reads_without_an_error() {
    let directory = tempfile::tempdir().unwrap();
    tarseal(&["man", "--dir", directory.path().to_str().unwrap()]);
    if !has("mandoc") {
        return;
    }
    let mut pages = 0;
    for page in fs::read_dir(directory.path()).unwrap() {
        accepts(Command::new("mandoc").args(["-T", "lint", "-W", "error"]).arg(page.unwrap().path()));
        pages += 1;
    }
    assert!(pages > 40, "{pages} pages");
}

#[test]
fn the_completions_load_in_each_shell() {
    let directory = tempfile::tempdir().unwrap();
    let script = |shell: &str| {
        let path = directory.path().join(shell);
        fs::write(&path, tarseal(&["completions", shell])).unwrap();
        path.to_str().unwrap().to_owned()
    };
    if has("bash") {
        let offered = format!(
            ". {}; COMP_WORDS=(tarseal sen); COMP_CWORD=1; _tarseal tarseal sen tarseal; [ \"${{COMPREPLY[*]}}\" = send ]",
            script("bash")
        );
        accepts(Command::new("bash").args(["--norc", "-c", &offered]));
    }
    if has("zsh") {
        let loaded = format!("autoload -Uz compinit && compinit -u -D && . {} && whence _tarseal", script("zsh"));
        accepts(Command::new("zsh").args(["-f", "-c", &loaded]).env("ZDOTDIR", directory.path()));
    }
    if has("fish") {
        let offered = format!("source {}; complete -C 'tarseal sen' | string match -q 'send*'", script("fish"));
        accepts(
            Command::new("fish")
                .args(["--no-config", "-c", &offered])
                .env("HOME", directory.path())
                .env("XDG_CONFIG_HOME", directory.path())
                .env("XDG_DATA_HOME", directory.path()),
        );
    }
}

#[test]
fn systemd_accepts_the_units() {
    if !has("systemd-analyze") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let mut units = Vec::new();
    for unit in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/systemd")).unwrap() {
        let unit = unit.unwrap();
        let name = unit.file_name().into_string().unwrap();
        // The program is not installed where these tests run; everything else is checked as it will be installed.
        let text = fs::read_to_string(unit.path()).unwrap().replace("/usr/bin/tarseal", env!("CARGO_BIN_EXE_tarseal"));
        fs::write(directory.path().join(&name), text).unwrap();
        units.push(name.replace("@.", "@4711."));
    }
    assert!(units.len() >= 6, "{units:?}");
    fs::rename(directory.path().join("tarseal-send@.service"), directory.path().join("tarseal-send@4711.service"))
        .unwrap();
    let paths = units.iter().map(|name| directory.path().join(name));
    accepts(Command::new("systemd-analyze").args(["verify", "--man=no"]).args(paths));
}

#[test]
fn the_units_end_as_the_exit_codes_mean() {
    let unit = |name: &str| {
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/systemd").join(name)).unwrap()
    };
    assert!(unit("tarseal-send@.service").contains("\nSuccessExitStatus=3\n"), "left-out sources are no failure");
    assert!(unit("tarseal-resume.service").contains("\nSuccessExitStatus=11 75\n"), "the timer tries again");
    assert!(!unit("tarseal-due.service").contains("SuccessExitStatus"), "what is due is told as a failure");
}
