//! Prints how many MB of log one core redacts in a second: the whole stage here (survey, second pass, gate), and one scan of
//! `dd-sensitive-data-scanner` with rules for what can be told by its shape. It knows no names and has no gate.

#[path = "../../../tests/support/logs.rs"]
mod logs;

use std::io::{self, Read};
use std::time::Duration;

use dd_sds::{MatchAction, RegexRuleConfig, RootRuleConfig, Scanner};
use rustix::time::{ClockId, clock_gettime};
use tarseal::item::{Content, Item};
use tarseal::redact::{Redactor, Rules, Survey, TicketKey};

const SIZE: usize = 16 << 20;
const ROUNDS: usize = 3;

/// The shapes that both know.
const RULES: [&str; 9] = [
    r"\b(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)\b",
    r"\b(?:[0-9a-fA-F]{1,4}:){2,7}(?::?[0-9a-fA-F]{1,4}){1,6}\b",
    r"\b(?:[0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}\b",
    r"\b[\w.%+-]+@[\w.-]+\.[A-Za-z]{2,}\b",
    r"\bsips?:[\w.%+-]+",
    r"\+\d[\d ()./-]{6,18}\d\b",
    r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}\b",
    r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]+",
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
];

struct Bytes(&'static [u8]);

impl Content for Bytes {
    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(self.0))
    }
}

/// Time this thread has had of a core.
fn spent() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// MB in a second, the best of some rounds.
fn speed(bytes: usize, mut round: impl FnMut()) -> f64 {
    let best = (0..ROUNDS)
        .map(|_| {
            let before = spent();
            round();
            spent() - before
        })
        .min()
        .unwrap_or_default();
    bytes as f64 / 1e6 / best.as_secs_f64()
}

fn ours(item: &Item) {
    let mut survey = Survey::new(&Rules::default());
    survey.read(item).expect("the log is text");
    let redactor = Redactor::new(Rules::default(), survey.finish(), TicketKey::from_bytes([1; 32]));
    let mut redacted = redactor.redact(item).expect("the log is text");
    io::copy(&mut redacted, &mut io::sink()).expect("the log passes the gate");
}

fn theirs(scanner: &Scanner, log: &'static [u8]) {
    for line in std::str::from_utf8(log).expect("the log is text").lines() {
        let mut line = line.to_owned();
        scanner.scan(&mut line).expect("the rules hold");
    }
}

fn main() {
    let rules: Vec<_> = RULES
        .iter()
        .map(|rule| RootRuleConfig::new(RegexRuleConfig::new(rule).build()).match_action(MatchAction::redact("[gone]")))
        .collect();
    let scanner = Scanner::builder(&rules).build().expect("the rules are valid");
    // In a pool of one thread, all work is done by the thread that asks.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread can be started");
    println!("MB/s per core   tarseal, whole stage   dd-sensitive-data-scanner, one scan   ratio");
    for (name, mix) in [("typical", logs::Mix::Typical), ("heavy", logs::Mix::Heavy), ("dense", logs::Mix::Dense)] {
        let log: &'static [u8] = logs::generate(mix, SIZE, 1).bytes.leak();
        let item = Item {
            path: "log".parse().expect("a plain name"),
            size: log.len() as u64,
            modified: None,
            content: Box::new(Bytes(log)),
        };
        let ours = pool.install(|| speed(log.len(), || ours(&item)));
        let theirs = speed(log.len(), || theirs(&scanner, log));
        println!("{name:13} {ours:22.1} {theirs:37.1} {:7.1}", ours / theirs);
    }
}
