//! A workplace for tests of the command line: a portal with a clock that can be moved, a sender and a technician with
//! homes of their own. Commands run through the same door as the program's `main`.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rand::SeedableRng;
use rand::rngs::StdRng;
use tarseal::cli::{Kept, World, run};
use tarseal::clock::{Clock, ManualClock, Timestamp};
use tarseal::portal::{Config, Portal};
use tempfile::TempDir;

/// The instant at which every test begins.
pub const MORNING: &str = "2026-11-21T09:00:00Z";

pub struct Desk {
    pub dir: TempDir,
    pub clock: Arc<ManualClock>,
    pub portal: Option<Portal>,
    /// Whether the commands believe that they print to a terminal.
    pub terminal: bool,
    /// Variables of the environment besides the program's own, and before them.
    pub variables: Vec<(String, OsString)>,
}

/// What a command did.
pub struct Ran {
    pub code: u8,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// Fails the test with everything the command printed, unless it ended with `code`.
    #[track_caller]
    pub fn ends(self, code: u8) -> Self {
        assert_eq!(self.code, code, "standard output:\n{}\nstandard error:\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.err.contains(text), "{text:?} is not in standard error:\n{}", self.err);
        self
    }

    /// The last line of standard output as JSON.
    #[track_caller]
    pub fn result(&self) -> serde_json::Value {
        let last = self.out.lines().last().expect("something was printed");
        serde_json::from_str(last).expect("the last line is JSON")
    }
}

impl Desk {
    /// A portal with one tenant, a sender and a technician.
    pub fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("cli").tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let clock = Arc::new(ManualClock::at(MORNING.parse().unwrap()));
        let mut desk = Self { dir, clock, portal: None, terminal: false, variables: Vec::new() };
        desk.operator(&["tenant", "new", "agency"]).ends(0);
        desk.start_portal();
        desk.keep_token("upload.token", &["--role", "upload", "--ticket", "4711"]);
        desk.keep_token("technician.token", &["--role", "technician", "--expires", "400d"]);
        let recipient = desk.technician(&["key", "new", "-o", &desk.at("me.key")]).ends(0).out;
        fs::write(desk.at("recipient"), recipient).unwrap();
        desk
    }

    pub fn start_portal(&mut self) {
        let config = Config::new(self.dir.path().join("portal"), "127.0.0.1:0".parse().unwrap());
        self.portal = Some(Portal::start(config, self.clock.clone()).unwrap());
    }

    pub fn url(&self) -> String {
        self.portal.as_ref().expect("the portal runs").url().to_owned()
    }

    /// A path in this workplace, as text.
    pub fn at(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    pub fn forward(&self, days: i64) {
        self.clock.set(self.clock.now().plus_days(days));
    }

    /// Runs a command as the sender, whose settings name the portal, the token and the recipient.
    pub fn sender(&self, arguments: &[&str]) -> Ran {
        self.as_person("sender", "upload.token", arguments, "")
    }

    /// Runs a command as the technician.
    pub fn technician(&self, arguments: &[&str]) -> Ran {
        self.as_person("technician", "technician.token", arguments, "")
    }

    /// Runs a command as the sender with something on standard input.
    pub fn sender_types(&self, arguments: &[&str], input: &str) -> Ran {
        self.as_person("sender", "upload.token", arguments, input)
    }

    /// Runs a command of the portal's operator.
    pub fn operator(&self, arguments: &[&str]) -> Ran {
        let data = self.at("portal");
        let all: Vec<&str> = ["portal"].iter().chain(arguments).copied().chain(["--data", &data]).collect();
        self.as_person("operator", "none", &all, "")
    }

    pub fn keep_token(&self, file: &str, arguments: &[&str]) {
        let all: Vec<&str> = ["token", "new", "--tenant", "agency"].iter().chain(arguments).copied().collect();
        let token = self.operator(&all).ends(0).out;
        fs::write(self.at(file), token).unwrap();
        fs::set_permissions(self.at(file), fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// Runs a command as somebody with a home and a token of their own.
    pub fn as_person(&self, person: &str, token: &str, arguments: &[&str], input: &str) -> Ran {
        let (out, err) = (Kept::default(), Kept::default());
        let mut variables = self.variables.clone();
        variables.push(("TARSEAL_HOME".into(), self.at(person).into()));
        if let Some(portal) = &self.portal {
            variables.push(("TARSEAL_PORTAL".into(), portal.url().into()));
            variables.push(("TARSEAL_TOKEN_FILE".into(), self.at(token).into()));
            variables.push(("TARSEAL_TO".into(), self.at("recipient").into()));
        }
        let world = World {
            clock: self.clock.clone(),
            rng: Box::new(StdRng::seed_from_u64(fingerprint(arguments, self.clock.now()))),
            environment: Box::new(move |name| {
                variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
            }),
            system_config: self.at("etc.toml").into(),
            input: Box::new(std::io::Cursor::new(input.as_bytes().to_vec())),
            interactive: !input.is_empty() && !arguments.contains(&"-"),
            output: out.stream(),
            terminal: self.terminal,
            error: err.stream(),
            color: false,
        };
        let arguments = std::iter::once("tarseal").chain(arguments.iter().copied()).map(OsString::from);
        let code = run(arguments, world);
        let text = |kept: Kept| String::from_utf8(kept.take()).expect("commands print UTF-8");
        Ran { code, out: text(out), err: text(err) }
    }
}

/// A seed that differs from command to command, so that no two draw the same keys.
fn fingerprint(arguments: &[&str], now: Timestamp) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    static RUNS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let mut hasher = DefaultHasher::new();
    (arguments, now, RUNS.fetch_add(1, std::sync::atomic::Ordering::SeqCst)).hash(&mut hasher);
    hasher.finish()
}

/// Every regular file below a directory, by its path from there.
pub fn files_below(root: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut waiting = vec![PathBuf::from(root)];
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.is_file() {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                found.push((name, fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}
