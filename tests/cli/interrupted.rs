//! The program as processes: a portal, a sender that is killed in the middle, and one that goes on.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tempfile::TempDir;

pub const MIB: u64 = 1024 * 1024;

pub struct Processes {
    pub dir: TempDir,
    portal: Child,
    pub address: String,
}

impl Drop for Processes {
    fn drop(&mut self) {
        let _ = self.portal.kill();
        let _ = self.portal.wait();
    }
}

impl Processes {
    pub fn start() -> Self {
        let dir = tempfile::Builder::new().prefix("processes").tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let data = dir.path().join("portal");
        let portal = |arguments: &[&str]| {
            let ran = Command::new(env!("CARGO_BIN_EXE_tarseal"))
                .arg("portal")
                .args(arguments)
                .arg("--data")
                .arg(&data)
                .output()
                .unwrap();
            assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
            ran.stdout
        };
        portal(&["tenant", "new", "agency"]);
        for (file, arguments) in [
            ("upload.token", &["token", "new", "--tenant", "agency", "--role", "upload", "--ticket", "4711"][..]),
            ("technician.token", &["token", "new", "--tenant", "agency", "--role", "technician"]),
        ] {
            let path = dir.path().join(file);
            fs::write(&path, portal(arguments)).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        }
        let mut serving = Command::new(env!("CARGO_BIN_EXE_tarseal"))
            .args(["portal", "serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(&data)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(serving.stderr.take().unwrap()).lines();
        let address = lines
            .by_ref()
            .map(Result::unwrap)
            .find_map(|line| line.split("listening on http://").nth(1).map(str::to_owned))
            .expect("the portal says where it listens");
        thread::spawn(move || lines.for_each(drop));
        Self { dir, portal: serving, address: address.trim_end_matches('/').to_owned() }
    }

    /// The technician makes a key and gives its recipient to the sender.
    pub fn make_recipient(&self) {
        let recipient = self.run("technician", "", &["key", "new", "-o", &self.at("me.key")], 0).stdout;
        fs::write(self.at("recipient"), recipient).unwrap();
    }

    pub fn at(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    pub fn command(&self, person: &str, portal: &str, arguments: &[&str]) -> Command {
        let mut command = program();
        command
            .args(arguments)
            .env("TARSEAL_HOME", self.at(person))
            .env("TARSEAL_PORTAL", format!("http://{portal}"))
            .env("TARSEAL_TOKEN_FILE", self.at(&format!("{person}.token")))
            .env("TARSEAL_TO", self.at("recipient"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    #[track_caller]
    pub fn run(&self, person: &str, portal: &str, arguments: &[&str], code: i32) -> Output {
        let ran = self.command(person, portal, arguments).output().unwrap();
        assert_eq!(ran.status.code(), Some(code), "{}", String::from_utf8_lossy(&ran.stderr));
        ran
    }
}

/// Stands between a client and the portal, counts what the client sends, and lets it through at a measured pace.
pub struct Turnstile {
    pub address: String,
    sent: Arc<AtomicU64>,
}

impl Turnstile {
    pub fn before(portal: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let sent = Arc::new(AtomicU64::new(0));
        let (counter, portal) = (Arc::clone(&sent), portal.to_owned());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(&portal) else { continue };
                let (client_in, server_in) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                let counter = Arc::clone(&counter);
                thread::spawn(move || {
                    pump(client_in, server, |length| {
                        counter.fetch_add(length, Ordering::SeqCst);
                        thread::sleep(Duration::from_millis(1));
                    });
                });
                thread::spawn(move || pump(server_in, client, |_| {}));
            }
        });
        Self { address, sent }
    }

    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::SeqCst)
    }
}

fn pump(mut from: TcpStream, mut to: TcpStream, each: impl Fn(u64)) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length) = from.read(&mut buffer) {
        if length == 0 || to.write_all(&buffer[..length]).is_err() {
            break;
        }
        each(length as u64);
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// The program as a terminal starts it, also where these tests were started to outlive theirs.
fn program() -> Command {
    let mut program = Command::new("env");
    program.args(["--default-signal=HUP", env!("CARGO_BIN_EXE_tarseal")]);
    program
}

/// A file that does not shrink when it is compressed.
fn noise(path: &Path, length: u64) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(length).unwrap()];
    StdRng::seed_from_u64(7).fill_bytes(&mut bytes);
    fs::write(path, &bytes).unwrap();
    bytes
}

#[test]
fn an_upload_that_was_killed_goes_on_and_sends_at_most_8_mib_twice() {
    let processes = Processes::start();
    processes.make_recipient();
    fs::create_dir(processes.at("logs")).unwrap();
    let bytes = noise(&processes.dir.path().join("logs/noise.bin"), 40 * MIB);

    let turnstile = Turnstile::before(&processes.address);
    let send = ["send", &processes.at("logs"), "--ticket", "4711", "--yes", "--no-redact"];
    let mut killed = processes.command("upload", &turnstile.address, &send).spawn().unwrap();
    let patience = Instant::now() + Duration::from_secs(120);
    while turnstile.sent() < 19 * MIB {
        assert!(killed.try_wait().unwrap().is_none(), "the upload ended before it could be killed");
        assert!(Instant::now() < patience, "the upload does not get forward");
        thread::sleep(Duration::from_millis(2));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    let before = turnstile.sent();
    assert!(before < 40 * MIB, "it was killed in the middle");

    let resumed = processes.run("upload", &turnstile.address, &["resume", "4711"], 0);
    assert!(String::from_utf8_lossy(&resumed.stderr).contains("SENT."));
    let twice = turnstile.sent().saturating_sub(40 * MIB);
    // Headers, the other requests and the seal's own bytes stay far below half a MiB.
    assert!(twice <= 8 * MIB + MIB / 2, "{twice} bytes more than the file were sent");
    println!("{} of {} bytes were sent before the kill, {twice} twice", before, 40 * MIB);

    let opened = processes.at("opened");
    let key = processes.at("me.key");
    let fetch = ["fetch", "4711", "--reason", "test", "--key", &key, "-o", &opened];
    processes.run("technician", &turnstile.address, &fetch, 0);
    let arrived = crate::desk::files_below(Path::new(&opened));
    let noise = arrived.iter().find(|(name, _)| name.ends_with("logs/noise.bin")).expect("the file arrived");
    assert!(noise.1 == bytes, "the bytes are equal");

    processes.run("upload", &processes.address, &["resume", "4711"], 0);
}

#[test]
fn two_runs_for_one_ticket_do_not_meet() {
    let processes = Processes::start();
    processes.make_recipient();
    noise(&processes.dir.path().join("noise.bin"), 24 * MIB);
    let turnstile = Turnstile::before(&processes.address);
    let send = ["send", &processes.at("noise.bin"), "--ticket", "4711", "--yes", "--no-redact"];
    let mut first = processes.command("upload", &turnstile.address, &send).spawn().unwrap();
    while turnstile.sent() < MIB {
        assert!(first.try_wait().unwrap().is_none(), "the first run ended too early");
        thread::sleep(Duration::from_millis(2));
    }
    processes.run("upload", &processes.address, &send, 11);
    assert!(first.wait().unwrap().success());
}

#[test]
fn an_interrupted_command_says_so_and_leaves_no_half_file() {
    let processes = Processes::start();
    processes.make_recipient();
    noise(&processes.dir.path().join("noise.bin"), 64 * MIB);
    let sealed = processes.at("out/noise.tarseal");
    fs::create_dir(processes.at("out")).unwrap();
    let seal = ["seal", &processes.at("noise.bin"), "--no-redact", "-o", &sealed];
    for (signal, code) in [("-INT", 130), ("-TERM", 143), ("-HUP", 129)] {
        let sealing = processes.command("upload", &processes.address, &seal).spawn().unwrap();
        let patience = Instant::now() + Duration::from_secs(60);
        while fs::read_dir(processes.at("out")).unwrap().next().is_none() {
            assert!(Instant::now() < patience, "nothing is written");
            thread::sleep(Duration::from_millis(1));
        }
        let interrupted = Command::new("kill").args([signal, &sealing.id().to_string()]).status().unwrap();
        assert!(interrupted.success());
        let ended = sealing.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(code), "{}", String::from_utf8_lossy(&ended.stderr));
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(said.contains("INTERRUPTED.") && !said.contains("resume"), "there is no upload: {said}");
        assert!(fs::read_dir(processes.at("out")).unwrap().next().is_none(), "nothing is left");
    }
}

/// Begins to open 24 MiB and gives the run as soon as there is a place to unpack them, stopped so that it goes no further.
fn opening(processes: &Processes, program: &mut Command) -> Child {
    let opening = program.spawn().unwrap();
    let patience = Instant::now() + Duration::from_secs(60);
    while partial_directories(processes) == 0 {
        assert!(Instant::now() < patience, "nothing is unpacked");
        thread::sleep(Duration::from_millis(1));
    }
    signal("-STOP", &opening);
    assert!(!Path::new(&processes.at("opened")).exists(), "it was done too soon");
    opening
}

fn signal(signal: &str, child: &Child) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
}

fn partial_directories(processes: &Processes) -> usize {
    let entries = fs::read_dir(processes.dir.path()).unwrap();
    entries.filter(|entry| entry.as_ref().unwrap().file_name().to_str().unwrap().starts_with("opened.partial-")).count()
}

/// A technician with 24 MiB that are sealed to them.
fn sealed_noise() -> Processes {
    let processes = Processes::start();
    processes.make_recipient();
    noise(&processes.dir.path().join("noise.bin"), 24 * MIB);
    let (noise, sealed) = (processes.at("noise.bin"), processes.at("noise.tarseal"));
    processes.run("upload", &processes.address, &["seal", &noise, "--no-redact", "-o", &sealed], 0);
    fs::remove_file(noise).unwrap();
    processes
}

#[test]
fn what_a_killed_run_had_unpacked_goes_with_the_next_command_and_not_while_it_runs() {
    let processes = sealed_noise();
    let (sealed, key, into) = (processes.at("noise.tarseal"), processes.at("me.key"), processes.at("opened"));
    let open = ["open", &sealed, "--key", &key, "-o", &into];
    let list = || processes.run("technician", &processes.address, &["list", "--opened"], 0);

    let mut killed = opening(&processes, &mut processes.command("technician", &processes.address, &open));
    assert!(!String::from_utf8_lossy(&list().stderr).contains("removed"));
    assert_eq!(partial_directories(&processes), 1, "a run that is at it keeps what it has");
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert_eq!(partial_directories(&processes), 1);
    let listed = list();
    assert!(String::from_utf8_lossy(&listed.stderr).contains("What a run that was killed had unpacked in"));
    assert_eq!(partial_directories(&processes), 0);
    assert!(!String::from_utf8_lossy(&list().stderr).contains("killed"), "it is told once");

    // Closed like a window, it clears up itself.
    let closed = opening(&processes, &mut processes.command("technician", &processes.address, &open));
    signal("-HUP", &closed);
    signal("-CONT", &closed);
    let ended = closed.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(129), "{}", String::from_utf8_lossy(&ended.stderr));
    assert_eq!(partial_directories(&processes), 0);

    // Started to outlive its terminal, it does.
    let mut outliving = Command::new("nohup");
    outliving.arg(env!("CARGO_BIN_EXE_tarseal")).args(open).env("TARSEAL_HOME", processes.at("technician"));
    outliving.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let outliving = opening(&processes, &mut outliving);
    signal("-HUP", &outliving);
    signal("-CONT", &outliving);
    let ended = outliving.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    assert!(Path::new(&into).join("DELETE-BY").exists());
}

#[test]
fn a_portal_whose_terminal_is_closed_stops_as_if_terminated() {
    let dir = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let mut serving = program()
        .args(["portal", "serve", "--listen", "127.0.0.1:0", "--data", dir.path().to_str().unwrap()])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(serving.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.contains("listening on")));
    signal("-HUP", &serving);
    assert_eq!(serving.wait().unwrap().code(), Some(0), "{:?}", lines.collect::<Vec<_>>());
}

#[test]
fn an_interrupted_upload_says_how_it_goes_on() {
    let processes = Processes::start();
    processes.make_recipient();
    noise(&processes.dir.path().join("noise.bin"), 40 * MIB);
    let turnstile = Turnstile::before(&processes.address);
    let send = ["send", &processes.at("noise.bin"), "--ticket", "4711", "--yes", "--no-redact"];
    let mut sending = processes.command("upload", &turnstile.address, &send).spawn().unwrap();
    while turnstile.sent() < MIB {
        assert!(sending.try_wait().unwrap().is_none(), "it ended too early");
        thread::sleep(Duration::from_millis(1));
    }
    signal("-INT", &sending);
    let ended = sending.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(130), "{said}");
    assert!(said.contains("The upload goes on where it stopped:  tarseal resume 4711"), "{said}");
    processes.run("upload", &turnstile.address, &["resume", "4711"], 0);
}
