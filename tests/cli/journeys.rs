//! The journeys of `docs/journeys/` replayed: each is a file of `fixtures/cli/`, and what is printed there is what the commands
//! print, against a real portal with a clock that is moved.
//!
//! A text may hold `{name}`: `{portal}`, `{home}` and `{dir}` stand for what differs from machine to machine, `{code}`, `{id}` and
//! `{key}` for what a portal draws: what the first one was, the later ones must be. `{home}` is the home directory of whoever
//! types.
//!
//!     TARSEAL_RECORD=1 cargo test --test cli journeys     # writes what is printed now into fixtures/cli and docs/journeys
//!
//! Look at the difference before you commit it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rand::SeedableRng;
use rand::rngs::StdRng;
use serde::Deserialize;
use tarseal::cli::{Kept, World, run};
use tarseal::clock::{Clock, ManualClock};
use tarseal::portal::admin::Admin;
use tarseal::portal::{Config, Portal};

use crate::desk::MORNING;

/// One journey.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Journey {
    title: String,
    about: String,
    step: Vec<Step>,
}

/// One command, and what comes of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    /// What is said of it, for readers.
    #[serde(default)]
    says: String,
    /// Who types: `clerk`, `technician`, `operator`, `courier` or `dpo`, the data-protection officer.
    who: String,
    /// Moves the clock on before the command.
    #[serde(default)]
    days: i64,
    /// What happens before it: words of [`Stage::arrange`], with `; ` between them.
    #[serde(default)]
    arrange: String,
    command: String,
    /// What is typed, line by line. Where nothing is, nobody is there to ask.
    #[serde(default)]
    types: Vec<String>,
    exit: u8,
    /// What the terminal shows.
    #[serde(default)]
    prints: String,
}

#[test]
fn every_journey_goes_as_its_transcript_says() {
    let mut files: Vec<PathBuf> = fs::read_dir("fixtures/cli")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .collect();
    files.sort();
    assert!(files.len() >= 7, "{files:?}");
    let record = std::env::var_os("TARSEAL_RECORD").is_some();
    let mut wrong = Vec::new();
    for file in &files {
        let mut journey: Journey = toml::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        replay(&mut journey, record, &mut wrong);
        let name = file.file_stem().unwrap().to_str().unwrap();
        let page = Path::new("docs/journeys").join(format!("{name}.md"));
        if record {
            fs::write(file, journey.to_toml()).unwrap();
            fs::create_dir_all("docs/journeys").unwrap();
            fs::write(&page, journey.to_page(name)).unwrap();
        }
        if fs::read_to_string(&page).unwrap_or_default() != journey.to_page(name) {
            wrong.push(format!("{} is not what {} says; record it anew", page.display(), file.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// `docs/journeys/README.md` says of each exit code where it is shown, and nothing that is not so.
#[test]
fn each_exit_code_is_shown_by_a_journey_or_a_test_that_is_named() {
    let page = fs::read_to_string("docs/journeys/README.md").unwrap();
    let rows: Vec<Vec<&str>> = page
        .lines()
        .filter(|line| line.starts_with("| ") && line[2..].starts_with(|c: char| c.is_ascii_digit()))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    let (code, help) = Stage::new().run(0, "clerk", "tarseal --help", &[]);
    assert_eq!(code, 0);
    let codes = help.split("Exit codes:").nth(1).unwrap();
    for code in
        ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "75", "129", "130", "143"]
    {
        assert!(codes.contains(&format!("{code} ")), "{code} is not in the help");
        assert!(rows.iter().any(|row| row[0] == code), "{code} has no row");
    }
    for row in &rows {
        let (code, place) = (row[0], row[2]);
        for word in place.split(['`', ' ', ',', '(', ')']).filter(|word| !word.is_empty()) {
            if let Some((file, test)) = word.split_once("::") {
                let source = fs::read_to_string(format!("{file}.rs")).unwrap();
                assert!(source.contains(&format!("fn {test}()")), "{word} is not there");
            } else if let Some(name) = word.strip_suffix(".md") {
                let journey = fs::read_to_string(format!("fixtures/cli/{name}.toml")).unwrap();
                assert!(journey.contains(&format!("\nexit = {code}\n")), "{name} does not end with {code}");
            }
        }
    }
}

/// Who reads a message of a failure learns what to do; a clerk also whether anything left the computer.
#[test]
fn each_failure_in_a_journey_says_what_left_and_what_to_do() {
    for file in fs::read_dir("fixtures/cli").unwrap().map(|entry| entry.unwrap().path()) {
        let journey: Journey = toml::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        for step in journey.step.iter().filter(|step| !matches!(step.exit, 0 | 3 | 14)) {
            let begins = ["NOT ", "FAILED. "];
            let lines: Vec<&str> = step.prints.lines().collect();
            let at = lines.iter().position(|line| begins.iter().any(|begin| line.starts_with(begin)));
            let told = &lines[at.unwrap_or_else(|| panic!("{}: {}", step.command, step.prints))..];
            let advises = told.len() > 1 || told[0].contains("Ask ");
            assert!(advises, "{} does not say what to do: {}", step.command, step.prints);
            let sends = step.command.starts_with("tarseal send") || step.command.starts_with("tarseal upload");
            let left = ["left this computer", "This run has sent nothing", "is safe here"];
            assert!(!sends || told.iter().any(|line| left.iter().any(|left| line.contains(left))), "{}", step.prints);
        }
    }
}

fn replay(journey: &mut Journey, record: bool, wrong: &mut Vec<String>) {
    let mut stage = Stage::new();
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    for (number, step) in journey.step.iter_mut().enumerate() {
        stage.clock.set(stage.clock.now().plus_days(step.days).plus_seconds(60));
        for what in step.arrange.split("; ") {
            stage.arrange(what);
        }
        let before = stage.names(&step.who, &known);
        let command = fill(&step.command, &before);
        let typed: Vec<String> = step.types.iter().map(|line| fill(line, &before)).collect();
        let (code, shown) = stage.run(number, &step.who, &command, &typed);
        let place = format!("{}, step {}: {}", journey.title, number + 1, step.command);
        if record {
            step.exit = code;
            step.prints = abstracted(&shown, &before, &mut known);
            continue;
        }
        if code != step.exit {
            wrong.push(format!("{place}\nended with {code}, not {}:\n{shown}", step.exit));
        }
        if let Err(at) = agrees(&step.prints, &shown, &before, &mut known) {
            wrong.push(format!("{place}\nsays otherwise from here:\n{at}\n---- all of it:\n{shown}"));
        }
    }
}

/// A portal, and people with homes of their own.
struct Stage {
    dir: tempfile::TempDir,
    clock: Arc<ManualClock>,
    portal: Option<Portal>,
    /// Held while another run is said to be at work.
    held: Option<tarseal::send::TicketLock>,
}

impl Stage {
    fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("way").tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let clock = Arc::new(ManualClock::at(MORNING.parse().unwrap()));
        let mut stage = Self { dir, clock, portal: None, held: None };
        for who in ["clerk", "technician", "operator", "courier", "dpo"] {
            for directory in ["Downloads", "Documents", "bin"] {
                fs::create_dir_all(stage.home(who).join(directory)).unwrap();
            }
        }
        stage.must("operator", "tarseal portal tenant new agency --data {dir}/portal");
        stage.start();
        let token = "tarseal portal token new --tenant agency --role technician --expires 400d --data {dir}/portal";
        let token = stage.must("operator", token);
        stage.private("technician", "token", line(&token, "tsl_"));
        let recipient = stage.must("technician", "tarseal key new -o {home}/me.key");
        fs::write(stage.home("technician").join("recipient"), line(&recipient, "tarseal1")).unwrap();
        let sender = stage.must("technician", "tarseal key new --sender -o {home}/sender.key");
        let sender: tarseal::format::Sender = sender.lines().find_map(|line| line.parse().ok()).unwrap();
        fs::write(stage.dir.path().join("words"), sender.words()).unwrap();
        stage.snapshot();
        stage
    }

    fn home(&self, who: &str) -> PathBuf {
        self.dir.path().join(who)
    }

    fn private(&self, who: &str, name: &str, text: &str) {
        let path = self.home(who).join(name);
        let mut file = fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn config(&self) -> Config {
        let mut config = Config::new(self.dir.path().join("portal"), ([127, 0, 0, 1], 0).into());
        config.free_space_floor = 0;
        config
    }

    fn start(&mut self) {
        self.portal = None;
        self.portal = Some(Portal::start(self.config(), self.clock.clone()).unwrap());
    }

    /// What a product would have left among the clerk's downloads.
    fn snapshot(&self) {
        let path = self.home("clerk").join("Downloads/diagnostic_snapshot_20261121.tgz");
        let gz = flate2::write::GzEncoder::new(fs::File::create(&path).unwrap(), flate2::Compression::default());
        let mut tar = tar::Builder::new(gz);
        tar.mode(tar::HeaderMode::Deterministic);
        for name in ["unified_support.log", "auth.log"] {
            let from = format!("fixtures/machines/meeting/log/{name}");
            tar.append_path_with_name(from, format!("var/log/{name}")).unwrap();
        }
        tar.into_inner().unwrap().finish().unwrap();
        let morning = u64::try_from(self.clock.now().seconds() - 3600).unwrap();
        let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(morning)).unwrap();
    }

    /// What happens off the stage.
    fn arrange(&mut self, what: &str) {
        let clerk = self.home("clerk");
        match what {
            "" => {}
            "the portal is away" => self.portal = None,
            "the portal is back" => self.start(),
            "a day passes at the portal" => drop(self.portal.as_ref().unwrap().sweep().unwrap()),
            // Within a second each record is in the log; here nobody waits for it.
            "a second passes at the portal" => {
                Admin::with(&self.config(), self.clock.clone()).unwrap().audit_sequence().unwrap();
            }
            "a stick" => {
                let stick = self.dir.path().join("stick");
                fs::create_dir_all(&stick).unwrap();
                let url = format!("{}/v1/receipt-key", self.portal.as_ref().unwrap().url());
                fs::write(stick.join("portal.key"), reqwest::blocking::get(url).unwrap().text().unwrap()).unwrap();
            }
            "the receipt goes onto the stick" => {
                let receipt = self.home("courier").join("Documents/tarseal/4711-1.receipt.json");
                let copied = fs::copy(receipt, self.dir.path().join("stick/4711-1.receipt.json"));
                assert!(copied.is_ok() || std::env::var_os("TARSEAL_RECORD").is_some(), "the courier got no receipt");
            }
            "a part stays behind" => {
                fs::remove_file(self.dir.path().join("stick/4711.tarseal.002")).unwrap();
            }
            "an auditor's token" => {
                let new = "tarseal portal token new --tenant agency --role auditor --expires 400d --data {dir}/portal";
                let token = self.must("operator", new);
                self.private("dpo", "token", line(&token, "tsl_"));
            }
            "a desktop" => {
                let program = self.home("clerk").join("bin/xdg-open");
                fs::write(&program, "#!/bin/sh\nexit 0\n").unwrap();
                fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
            }
            "some logs" => {
                fs::create_dir_all(clerk.join("logs")).unwrap();
                fs::copy("fixtures/machines/meeting/log/unified_support.log", clerk.join("logs/app.log")).unwrap();
                fs::write(clerk.join("logs/core"), [0_u8, 1, 2, 3, 255].repeat(100)).unwrap();
            }
            "an upload token" => {
                let new = "tarseal portal token new --tenant agency --role upload --ticket 4711 --data {dir}/portal";
                let token = self.must("operator", new);
                self.private("clerk", "token", line(&token, "tsl_"));
            }
            "only the clerk may read the token" => {
                fs::set_permissions(clerk.join("token"), fs::Permissions::from_mode(0o600)).unwrap();
            }
            "another run is at work" => {
                let locks = clerk.join(".local/state/tarseal/locks");
                fs::create_dir_all(&locks).unwrap();
                self.held = Some(tarseal::send::TicketLock::take(&locks.join("4711.lock")).unwrap());
            }
            "the other run has ended" => self.held = None,
            "a log that cannot be cleaned" => {
                fs::write(clerk.join("a.log"), format!("fine\nbadge]{}\n", " ".repeat(200))).unwrap();
                let profile = "schema = 1\nname = \"p\"\n[[redact.pattern]]\nname = \"p\"\nregex = '\\] '\ncategory = \"special\"\n";
                fs::write(clerk.join("p.toml"), profile).unwrap();
            }
            "a passphrase" => {
                self.private("clerk", "right", "correct horse battery staple\n");
                self.private("clerk", "wrong", "correct horse battery stable\n");
            }
            "others may read the token" => {
                fs::set_permissions(clerk.join("token"), fs::Permissions::from_mode(0o644)).unwrap();
            }
            "a changed receipt" => {
                let receipts = self.home("clerk").join(".local/state/tarseal/receipts");
                let files = fs::read_dir(receipts).into_iter().flatten();
                let file = files.map(|entry| entry.unwrap().path()).min().unwrap_or_else(|| PathBuf::from("/dev/null"));
                let changed = fs::read_to_string(&file).unwrap().replacen("upload", "uplaod", 1);
                fs::write(clerk.join("changed.receipt"), changed).unwrap();
            }
            other => panic!("nobody knows how to arrange {other:?}"),
        }
    }

    /// The names that stand for something here.
    fn names(&self, who: &str, known: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let mut names = known.clone();
        let portal = self.portal.as_ref().map_or_else(|| "http://127.0.0.1:9".into(), |portal| portal.url().to_owned());
        names.insert("portal".into(), portal);
        names.insert("home".into(), self.home(who).to_str().unwrap().into());
        if let Ok(signer) = fs::read_to_string(self.dir.path().join("words")) {
            names.insert("words".into(), signer);
        }
        // As paths in a snapshot begin.
        names.insert("away".into(), self.home("clerk").to_str().unwrap().trim_start_matches('/').into());
        names.insert("secure".into(), names["portal"].replace("http:", "https:"));
        names.insert("stick".into(), self.dir.path().join("stick").to_str().unwrap().into());
        names.insert("dir".into(), self.dir.path().to_str().unwrap().into());
        names
    }

    fn must(&self, who: &str, command: &str) -> String {
        let (code, shown) = self.run(1000, who, &fill(command, &self.names(who, &BTreeMap::new())), &[]);
        assert_eq!(code, 0, "{shown}");
        shown
    }

    /// Runs a command; gives its code and what a terminal would show, with what was typed.
    fn run(&self, number: usize, who: &str, command: &str, typed: &[String]) -> (u8, String) {
        let terminal = Kept::default();
        let home = self.home(who);
        let mut variables: Vec<(&str, OsString)> = vec![
            ("HOME", home.clone().into()),
            ("XDG_CONFIG_HOME", home.join(".config").into()),
            ("XDG_STATE_HOME", home.join(".local/state").into()),
            ("PATH", home.join("bin").into()),
            ("TARSEAL_PORTAL", self.names(who, &BTreeMap::new())["portal"].clone().into()),
        ];
        if home.join("bin/xdg-open").exists() {
            variables.push(("DISPLAY", ":0".into()));
        }
        if home.join("token").exists() {
            variables.push(("TARSEAL_TOKEN_FILE", home.join("token").into()));
        }
        if home.join("recipient").exists() {
            variables.push(("TARSEAL_TO", home.join("recipient").into()));
            variables.push(("TARSEAL_SENDER_KEY", home.join("sender.key").into()));
        }
        let world = World {
            clock: self.clock.clone(),
            rng: Box::new(StdRng::seed_from_u64(seed(number, command))),
            environment: Box::new(move |name| {
                variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
            }),
            system_config: self.dir.path().join("etc.toml"),
            input: Box::new(Echo { lines: typed.join("\n").into_bytes(), at: 0, terminal: terminal.clone() }),
            interactive: !typed.is_empty(),
            output: terminal.stream(),
            terminal: true,
            error: terminal.stream(),
            color: false,
        };
        let code = run(words(command), world);
        let shown = String::from_utf8(terminal.take()).expect("commands print UTF-8");
        (code, shown)
    }
}

/// The line that begins so.
fn line<'t>(text: &'t str, beginning: &str) -> &'t str {
    text.lines().find(|line| line.starts_with(beginning)).unwrap_or_else(|| panic!("no {beginning}… in {text}"))
}

/// What a person types, shown where it is read.
struct Echo {
    lines: Vec<u8>,
    at: usize,
    terminal: Kept,
}

impl Read for Echo {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let begins = self.at == 0 || self.lines.get(self.at - 1) == Some(&b'\n');
        if begins && self.at < self.lines.len() {
            let line = self.lines[self.at..].split(|byte| *byte == b'\n').next().unwrap();
            let line = format!("> {}\n", String::from_utf8_lossy(line));
            self.terminal.stream().lock().unwrap().write_all(line.as_bytes())?;
        }
        let Some(byte) = self.lines.get(self.at) else { return Ok(0) };
        buffer[0] = *byte;
        self.at += 1;
        Ok(1)
    }
}

/// The words of a command line; what stands in single quotes is one.
fn words(command: &str) -> Vec<OsString> {
    let (mut all, mut word, mut quoted, mut begun) = (Vec::new(), String::new(), false, false);
    for character in command.chars() {
        match character {
            '\'' => (quoted, begun) = (!quoted, true),
            ' ' if !quoted => {
                if begun || !word.is_empty() {
                    all.push(OsString::from(std::mem::take(&mut word)));
                }
                begun = false;
            }
            other => word.push(other),
        }
    }
    if begun || !word.is_empty() {
        all.push(word.into());
    }
    all
}

/// The same for the same step, so that keys and ids are the same in every run.
fn seed(number: usize, command: &str) -> u64 {
    command
        .split(' ')
        .take(2)
        .flat_map(str::bytes)
        .fold(number as u64 + 1, |sum, byte| sum.wrapping_mul(0x0100_0000_01b3).wrapping_add(u64::from(byte)))
}

fn fill(text: &str, names: &BTreeMap<String, String>) -> String {
    names.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}

/// What a portal draws: how long such a text is at the beginning of `text`.
fn drawn(name: &str, text: &str) -> Option<usize> {
    let while_all = |is: fn(char) -> bool| text.find(|c| !is(c)).unwrap_or(text.len());
    let length = match name.trim_end_matches(|c: char| c.is_ascii_digit()) {
        "code" => 9,
        "id" => 32,
        "digest" => 64,
        "key" => while_all(|c| !c.is_whitespace()),
        "phrase" => {
            let words: Vec<&str> = text.split([' ', '\n']).take(12).collect();
            let lower = words.iter().all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()));
            if words.len() == 12 && lower { words.join(" ").len() } else { 0 }
        }
        "number" => while_all(|c| c.is_ascii_digit()),
        "size" => {
            let digits = while_all(|c| c.is_ascii_digit() || matches!(c, '.' | ','));
            let unit = ["bytes", "kB", "MB", "GB"].iter().find(|unit| text[digits..].trim_start().starts_with(**unit));
            unit.filter(|_| digits > 0).map_or(0, |unit| digits + 1 + unit.len())
        }
        _ => return None,
    };
    (length > 0 && text.is_char_boundary(length) && length <= text.len()).then_some(length)
}

/// Compares what was printed with the transcript; gives what stands where they part.
fn agrees(
    expected: &str,
    shown: &str,
    names: &BTreeMap<String, String>,
    known: &mut BTreeMap<String, String>,
) -> Result<(), String> {
    let (mut expected, mut shown) = (expected, shown);
    let parted = |expected: &str, shown: &str| {
        let first = |text: &str| text.lines().take(3).collect::<Vec<_>>().join("\n");
        Err(format!("  expected {:?}\n  printed  {:?}", first(expected), first(shown)))
    };
    while !expected.is_empty() {
        let name = expected.strip_prefix('{').and_then(|rest| rest.split_once('}')).map(|(name, _)| name);
        let is_name = name.is_some_and(|name| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        });
        let Some(name) = name.filter(|_| is_name) else {
            let end = expected[1..].find('{').map_or(expected.len(), |at| at + 1);
            let literal = &expected[..end];
            let Some(rest) = shown.strip_prefix(literal) else {
                let same = literal.bytes().zip(shown.bytes()).take_while(|(one, other)| one == other).count();
                let line = literal[..same.min(literal.len())].rfind('\n').map_or(0, |at| at + 1);
                return parted(&literal[line..], &shown[line..]);
            };
            (expected, shown) = (&expected[end..], rest);
            continue;
        };
        let value = names.get(name).or_else(|| known.get(name)).cloned();
        let length = match &value {
            Some(value) if shown.starts_with(value.as_str()) => Some(value.len()),
            Some(_) => None,
            None => drawn(name, shown),
        };
        let Some(length) = length else { return parted(expected, shown) };
        if !matches!(name, "size" | "number") {
            known.entry(name.to_owned()).or_insert_with(|| shown[..length].to_owned());
        }
        (expected, shown) = (&expected[name.len() + 2..], &shown[length..]);
    }
    if shown.is_empty() { Ok(()) } else { parted("(nothing more)", shown) }
}

/// Puts names where a text differs from run to run.
fn abstracted(shown: &str, names: &BTreeMap<String, String>, known: &mut BTreeMap<String, String>) -> String {
    let mut text = shown.to_owned();
    for name in ["home", "stick", "dir", "portal", "words", "away"] {
        text = text.replace(&names[name], &format!("{{{name}}}"));
    }
    let text = without_sizes(&text);
    let mut text = text;
    for (name, value) in known.iter() {
        text = text.replace(value.as_str(), &format!("{{{name}}}"));
    }
    // Ids and digests that are new.
    for length in [64, 32] {
        let new: Vec<String> = text
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '+' && c != '/')
            .filter(|word| word.len() == length && word.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
            .map(str::to_owned)
            .collect();
        for value in new {
            if known.values().any(|known| *known == value) {
                continue;
            }
            let word = if length == 64 { "digest" } else { "id" };
            let number = known.keys().filter(|name| name.starts_with(word)).count();
            let name = if number == 0 { word.to_owned() } else { format!("{word}{}", number + 1) };
            text = text.replace(&value, &format!("{{{name}}}"));
            known.insert(name, value);
        }
    }
    // A code that is new.
    let code =
        text.split_whitespace().find(|word| word.parse::<tarseal::wire::RequestCode>().is_ok() && word.len() == 9);
    if let Some(code) = code.map(str::to_owned) {
        let number = known.keys().filter(|name| name.starts_with("code")).count();
        let name = if number == 0 { "code".to_owned() } else { format!("code{}", number + 1) };
        text = text.replace(&code, &format!("{{{name}}}"));
        known.insert(name, code);
    }
    // The check phrase of a sealed file.
    let phrase = text.lines().find_map(|line| {
        let rest = line.split_once("hrase  ").or_else(|| line.split_once("hrase:  "))?.1.trim();
        (drawn("phrase", rest) == Some(rest.len())).then(|| rest.to_owned())
    });
    if let Some(phrase) = phrase {
        text = text.replace(&phrase, "{phrase}");
        known.insert("phrase".into(), phrase);
    }
    // The key that a portal's receipts are checked with.
    let key = text.split_whitespace().find(|word| word.starts_with("tarseal-portal+"));
    if let Some(key) = key.map(str::to_owned) {
        text = text.replace(&key, "{key}");
        known.insert("key".into(), key);
    }
    text
}

/// Puts `{size}` and `{number}` where bytes are counted: how many there are depends on the length of paths and addresses.
fn without_sizes(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let begins = !rest[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':'));
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let size = drawn("size", from).filter(|_| begins);
        let counted = ["\"bytes\":", "\"total\":"].iter().any(|word| before.ends_with(word));
        let digits = from.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(from.len());
        let (name, length) = match size {
            Some(length) => ("{size}", length),
            None if counted => ("{number}", digits),
            None => (&from[..digits], digits),
        };
        out.push_str(name);
        rest = &from[length..];
    }
    out + rest
}

impl Journey {
    fn to_toml(&self) -> String {
        let mut text = format!("title = {:?}\nabout = '''\n{}'''\n", self.title, self.about);
        for step in &self.step {
            text.push_str("\n[[step]]\n");
            if !step.says.is_empty() {
                let _ = writeln!(text, "says = {:?}", step.says);
            }
            let _ = writeln!(text, "who = {:?}", step.who);
            if step.days != 0 {
                let _ = writeln!(text, "days = {}", step.days);
            }
            if !step.arrange.is_empty() {
                let _ = writeln!(text, "arrange = {:?}", step.arrange);
            }
            let _ = writeln!(text, "command = {:?}", step.command);
            if !step.types.is_empty() {
                let _ = writeln!(text, "types = {:?}", step.types);
            }
            let _ = writeln!(text, "exit = {}\nprints = '''\n{}'''", step.exit, step.prints);
        }
        text
    }

    fn to_page(&self, name: &str) -> String {
        let mut page = format!(
            "<!-- Made from fixtures/cli/{name}.toml, which is replayed as a test: TARSEAL_RECORD=1 cargo test --test cli journeys -->\n\n# {}\n\n{}\n",
            self.title,
            self.about.trim_end()
        );
        for step in &self.step {
            if !step.says.is_empty() {
                let _ = write!(page, "\n{}\n", step.says);
            }
            let prompt = if step.who == "clerk" { "$" } else { &format!("{} $", step.who) };
            let _ = write!(page, "\n```text\n{prompt} {}\n{}", example(&step.command), example(&step.prints));
            page.push_str("```\n");
            if step.exit != 0 {
                let _ = write!(page, "\nExit code {}.\n", step.exit);
            }
        }
        page
    }
}

/// The text as a reader sees it.
fn example(text: &str) -> String {
    let mut text = text.to_owned();
    for number in 1..20 {
        let end = if number == 1 { String::new() } else { number.to_string() };
        text = text.replace(&format!("{{id{end}}}"), &format!("{number:02x}1f0e7a94c24b6f8a3b2c1d0e9f8a7b"));
        text = text.replace(&format!("{{digest{end}}}"), &format!("{number:02x}1c94c24b6f8a3b…"));
    }
    text.replace("{portal}", "https://support.vendor.example")
        .replace("{secure}", "https://support.vendor.example")
        .replace("127.0.0.1", "support.vendor.example")
        .replace("{size}", "38.4 MB")
        .replace("{number}", "40265318")
        .replace("{away}", "home/an")
        .replace("{home}", "/home/an")
        .replace("{stick}", "/media/usb")
        .replace("{dir}", "/srv")
        .replace("{words}", "treat memory path nurse series swap below sunset")
        .replace("{phrase}", "rocket depart bleak arch helmet harbor common boy uncle remove design win")
        .replace("{code}", "K7QF-2M4P")
        .replace("{code2}", "9TRD-H3YX")
        .replace("{key}", "tarseal-portal+3a91c5f0+AYk…")
}
