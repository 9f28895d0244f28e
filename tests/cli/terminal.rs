//! The program at a terminal: a passphrase that is typed is not shown, and the terminal is afterwards as it was before.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};
use tempfile::TempDir;

struct Terminal {
    keyboard: File,
    line: OwnedFd,
    shown: Arc<Mutex<Vec<u8>>>,
    dir: TempDir,
}

impl Terminal {
    fn new() -> Self {
        let keyboard = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&keyboard).unwrap();
        unlockpt(&keyboard).unwrap();
        let name = ptsname(&keyboard, Vec::new()).unwrap();
        let line = rustix::fs::open(&name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        let keyboard = File::from(keyboard);
        let (shown, mut screen) = (Arc::new(Mutex::new(Vec::new())), keyboard.try_clone().unwrap());
        let kept = Arc::clone(&shown);
        thread::spawn(move || {
            let mut buffer = [0; 1024];
            while let Ok(length @ 1..) = screen.read(&mut buffer) {
                kept.lock().unwrap().extend_from_slice(&buffer[..length]);
            }
        });
        let dir = tempfile::Builder::new().prefix("terminal").tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        Self { keyboard, line, shown, dir }
    }

    fn run(&self, arguments: &[&str]) -> Child {
        Command::new(env!("CARGO_BIN_EXE_tarseal"))
            .args(arguments)
            .current_dir(self.dir.path())
            .env("TARSEAL_HOME", self.dir.path())
            .stdin(self.line.try_clone().unwrap())
            .stderr(self.line.try_clone().unwrap())
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    }

    fn shown(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().unwrap()).into_owned()
    }

    fn wait_for(&self, text: &str) {
        let start = Instant::now();
        while !self.shown().contains(text) {
            assert!(start.elapsed() < Duration::from_secs(60), "{text:?} did not come:\n{}", self.shown());
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn shows_what_is_typed(&self) -> bool {
        tcgetattr(&self.line).unwrap().local_modes.contains(LocalModes::ECHO)
    }
}

#[test]
fn a_typed_passphrase_is_not_shown() {
    let mut terminal = Terminal::new();
    let mut program = terminal.run(&["key", "new", "--sender", "-o", "my.key", "--passphrase"]);
    terminal.wait_for("New passphrase of my.key:");
    terminal.keyboard.write_all(b"correct horse\n").unwrap();
    terminal.wait_for("The same again:");
    assert!(!terminal.shows_what_is_typed());
    terminal.keyboard.write_all(b"correct horse\n").unwrap();
    assert!(program.wait().unwrap().success(), "{}", terminal.shown());
    terminal.wait_for("keep it to yourself");
    assert!(terminal.shows_what_is_typed());
    assert!(!terminal.shown().contains("horse"), "{}", terminal.shown());
    // The terminal of this test does show what is typed when nobody hides it.
    terminal.keyboard.write_all(b"staple\n").unwrap();
    terminal.wait_for("staple");
}

#[test]
fn a_terminal_shows_again_what_is_typed_after_an_interruption() {
    let terminal = Terminal::new();
    let mut program = terminal.run(&["key", "new", "-o", "my.key", "--passphrase"]);
    terminal.wait_for("New passphrase of my.key:");
    assert!(!terminal.shows_what_is_typed());
    kill_process(Pid::from_child(&program), Signal::INT).unwrap();
    assert_eq!(program.wait().unwrap().code(), Some(130), "{}", terminal.shown());
    assert!(terminal.shows_what_is_typed());
    assert!(!terminal.dir.path().join("my.key").exists());
}
