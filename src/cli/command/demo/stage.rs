//! What the demo is played on: its directory, clock and portal, and how a command is played there.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rand::SeedableRng;
use rand::rngs::StdRng;

use super::{OPERATOR, SENDER, TECHNICIAN};
use crate::cli::exit::{Exit, Failure};
use crate::cli::home::write_private_new;
use crate::cli::output::{count, shown, size};
use crate::cli::world::{Kept, World};
use crate::cli::{Desk, run as run_command};
use crate::clock::ManualClock;
use crate::portal::{Config, Portal};

/// No more of this computer's own logs than this is taken, so that the demo stays short.
const LOGS_LIMIT: u64 = 64 * 1024 * 1024;

/// A small meeting platform with invented people: what the demo sends besides this computer's logs.
const MEETING: &[(&str, &[u8])] = &[
    ("log/unified_support.log", include_bytes!("../../../../fixtures/machines/meeting/log/unified_support.log")),
    (
        "log/unified_support.log.1.gz",
        include_bytes!("../../../../fixtures/machines/meeting/log/unified_support.log.1.gz"),
    ),
    ("log/access.log", include_bytes!("../../../../fixtures/machines/meeting/log/access.log")),
    ("log/auth.log", include_bytes!("../../../../fixtures/machines/meeting/log/auth.log")),
    ("log/media.json", include_bytes!("../../../../fixtures/machines/meeting/log/media.json")),
    ("log/capture.pcap", include_bytes!("../../../../fixtures/machines/meeting/log/capture.pcap")),
    ("config/participants.csv", include_bytes!("../../../../fixtures/machines/meeting/config/participants.csv")),
    ("config/media.ini", include_bytes!("../../../../fixtures/machines/meeting/config/media.ini")),
];

/// The demo's directory, clock and portal.
pub(super) struct Stage {
    dir: PathBuf,
    clock: Arc<ManualClock>,
    portal: Option<Portal>,
    rng: StdRng,
}

/// What a command printed.
pub(super) struct Played {
    pub(super) code: u8,
    pub(super) out: String,
}

impl Stage {
    pub(super) fn build(dir: &Path, desk: &mut Desk<'_>) -> Result<Self, Failure> {
        fs::create_dir_all(dir.parent().unwrap_or(dir))
            .and_then(|()| fs::create_dir(dir))
            .map_err(|error| Failure::local(format_args!("The directory {} was not made", dir.display()), &error))?;
        let stage = Self {
            dir: dir.to_path_buf(),
            clock: Arc::new(ManualClock::at(desk.world.clock.now())),
            portal: None,
            rng: StdRng::from_rng(&mut *desk.world.rng),
        };
        for person in [SENDER, TECHNICIAN] {
            fs::create_dir(dir.join(person)).map_err(|error| Failure::local(dir.display(), &error))?;
        }
        for (name, bytes) in MEETING {
            stage.put(&format!("meeting/{name}"), bytes)?;
        }
        Ok(stage)
    }

    pub(super) fn file(&self, name: &str) -> String {
        self.dir.join(name).display().to_string()
    }

    pub(super) fn put(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        let path = self.dir.join(name);
        fs::create_dir_all(path.parent().unwrap_or(&self.dir))
            .and_then(|()| write_private_new(&path, bytes))
            .map_err(|error| Failure::local(path.display(), &error))
    }

    /// The logs to send besides the meeting's: those named, else this computer's own, the newest first up to a limit.
    pub(super) fn logs(&self, named: &[OsString], desk: &Desk<'_>) -> Result<Vec<String>, Failure> {
        if !named.is_empty() {
            return named
                .iter()
                .map(|path| path.clone().into_string().map_err(|_| Failure::usage("A path is not valid text (UTF-8).")))
                .collect();
        }
        let mut found = Vec::new();
        for entry in fs::read_dir("/var/log").into_iter().flatten().flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_file() && fs::File::open(entry.path()).is_ok() {
                found.push((metadata.modified().ok(), metadata.len(), entry.path().display().to_string()));
            }
        }
        found.sort();
        let mut room = LOGS_LIMIT;
        let mut taken = Vec::new();
        for (_, length, path) in found.into_iter().rev().filter(|(_, length, _)| *length > 0) {
            if length <= room {
                room -= length;
                taken.push(path);
            }
        }
        let bytes = LOGS_LIMIT - room;
        desk.output.say(format!(
            "The demo takes {} of /var/log ({}) and a small invented meeting platform.",
            count(taken.len() as u64, "file"),
            size(bytes)
        ));
        Ok(taken)
    }

    pub(super) fn start_portal(&mut self) -> Result<(), Failure> {
        let config = Config::new(self.dir.join("portal"), ([127, 0, 0, 1], 0).into());
        let portal = Portal::start(config, self.clock.clone())
            .map_err(|error| Failure::new(Exit::Local, format_args!("The portal did not start: {error}.")))?;
        self.portal = Some(portal);
        Ok(())
    }

    pub(super) fn say_portal(&self, desk: &Desk<'_>) {
        let Some(portal) = &self.portal else { return };
        desk.output.say(format!("$ tarseal portal serve --data {}", self.file("portal")));
        desk.output.say(format!("  listening on {}", portal.url()));
    }

    pub(super) fn stop_portal(&mut self) {
        if let Some(portal) = self.portal.take() {
            portal.stop();
        }
    }

    /// Moves the clock, and lets the portal do what is due.
    pub(super) fn forward(&self, days: i64) -> Result<(), Failure> {
        use crate::clock::Clock;
        self.clock.set(self.clock.now().plus_days(days));
        let Some(portal) = &self.portal else { return Ok(()) };
        let swept = portal.sweep();
        swept.map(|_| ()).map_err(|error| Failure::new(Exit::Bug, format_args!("The portal did not sweep: {error}.")))
    }

    pub(super) fn token(&mut self, person: &str, arguments: &[&str], desk: &Desk<'_>) -> Result<(), Failure> {
        let data = self.file("portal");
        if person == TECHNICIAN {
            self.play(OPERATOR, &["portal", "tenant", "new", "agency", "--data", &data], desk)?;
        }
        let all: Vec<&str> = ["portal", "token", "new", "--data", &data, "--tenant", "agency"]
            .into_iter()
            .chain(arguments.iter().copied())
            .collect();
        let token = self.play(OPERATOR, &all, desk)?;
        self.put(&format!("{person}/token"), token.out.as_bytes())
    }

    pub(super) fn play(&mut self, person: &str, arguments: &[&str], desk: &Desk<'_>) -> Result<Played, Failure> {
        let played = self.perform(person, arguments, desk);
        if played.code == Exit::Done.code() || played.code == Exit::Incomplete.code() {
            return Ok(played);
        }
        Err(self.stopped(arguments, &played))
    }

    /// Plays a command that must end with a certain exit code.
    pub(super) fn play_to(
        &mut self,
        person: &str,
        arguments: &[&str],
        exit: Exit,
        desk: &Desk<'_>,
    ) -> Result<Played, Failure> {
        let played = self.perform(person, arguments, desk);
        if played.code == exit.code() {
            desk.output.say(format!("  (exit code {}, as it must be)", played.code));
            return Ok(played);
        }
        Err(self.stopped(arguments, &played))
    }

    fn stopped(&self, arguments: &[&str], played: &Played) -> Failure {
        let exit = if played.code == Exit::Gate.code() { Exit::Gate } else { Exit::Bug };
        Failure::new(exit, format_args!("The demo stopped: tarseal {} ended with {}.", arguments[0], played.code))
            .next(format!("What there is so far is in {}", self.dir.display()))
    }

    fn perform(&mut self, person: &str, arguments: &[&str], desk: &Desk<'_>) -> Played {
        desk.output
            .say(format!("$ tarseal {}", arguments.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")));
        let kept = Kept::default();
        let home = self.dir.join(person);
        let mut variables: Vec<(&str, OsString)> = vec![("TARSEAL_HOME", home.clone().into())];
        if let Some(portal) = &self.portal {
            variables.push(("TARSEAL_PORTAL", portal.url().into()));
            variables.push(("TARSEAL_TOKEN_FILE", home.join("token").into()));
            variables.push(("TARSEAL_TO", home.join("recipient").into()));
        }
        let world = World {
            clock: self.clock.clone(),
            rng: Box::new(StdRng::from_rng(&mut self.rng)),
            environment: Box::new(move |name| {
                variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
            }),
            system_config: self.dir.join("no-settings"),
            input: Box::new(std::io::empty()),
            interactive: false,
            output: kept.stream(),
            terminal: false,
            error: desk.world.error.clone(),
            color: desk.world.color,
        };
        let quiet = desk.manner.quiet.then_some("--quiet");
        let words = std::iter::once("tarseal").chain(quiet).chain(arguments.iter().copied()).map(OsString::from);
        let code = run_command(words, world);
        let out = String::from_utf8_lossy(&kept.take()).into_owned();
        let secret = arguments.starts_with(&["portal", "token"]);
        for line in out.lines() {
            let line = if secret { "(the token, printed once)".into() } else { shortened(&shown(line)) };
            desk.output.say(format!("  {line}"));
        }
        Played { code, out }
    }

    /// Shows one line of the meeting's log before and after.
    pub(super) fn compare(&self, desk: &Desk<'_>) {
        let opened = self.dir.join("opened");
        let Some(after) = find(&opened, "unified_support.log") else { return };
        let (Ok(after), Some((_, before))) = (fs::read_to_string(after), MEETING.first()) else { return };
        let before = String::from_utf8_lossy(before);
        for (label, text) in [("sent as", before.as_ref()), ("opened as", after.as_str())] {
            if let Some(line) = text.lines().nth(3) {
                desk.output.say(format!("  {label:<10} {}", shown(line)));
            }
        }
    }
}

/// A word as a shell would need it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// A recipient is 2,000 characters long; its beginning is enough to be shown.
fn shortened(line: &str) -> String {
    if line.chars().count() <= 160 {
        line.to_owned()
    } else {
        line.chars().take(60).chain("… (shortened)".chars()).collect()
    }
}

fn find(dir: &Path, name: &str) -> Option<PathBuf> {
    for entry in fs::read_dir(dir).ok()?.flatten() {
        let path = entry.path();
        if path.is_dir() {
            if let Some(found) = find(&path, name) {
                return Some(found);
            }
        } else if path.file_name().is_some_and(|file| file == name) {
            return Some(path);
        }
    }
    None
}
