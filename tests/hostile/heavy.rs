//! The attacks that cost the attacker something, measured: `cargo test --release --test hostile -- --ignored --nocapture`.
//!
//! Needs GNU `time`. Prints for each attack its length, how long the program took and how much memory at its peak, from a file
//! and from standard input, and fails when that is more than 5 s or 128 MiB. The small attacks are measured, too.
//! `CASE=million` measures those alone that have the word in their names.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tarseal::format::{SealOptions, SealWriter};

use crate::archive::{
    FRAME, Header, MANIFEST, PADDING_MAGIC, end, file, frame, long_file, manifest, manifest_text, pax, record,
    skippable, table,
};
use crate::cases;
use crate::desk::{Desk, faults};

const SECONDS: f64 = 5.0;
const MEMORY: u64 = 128 << 20;

/// Writes a stream of frames piece by piece, as an attacker would who has no memory to waste either.
struct Stream {
    sealed: SealWriter<BufWriter<File>>,
    tar: Vec<u8>,
    table: Vec<(usize, usize)>,
}

impl Stream {
    fn tar(&mut self, bytes: &[u8]) {
        self.tar.extend_from_slice(bytes);
        while self.tar.len() >= FRAME {
            let rest = self.tar.split_off(FRAME);
            let full = std::mem::replace(&mut self.tar, rest);
            self.frame(&frame(&full), full.len());
        }
    }

    fn frame(&mut self, frame: &[u8], length: usize) {
        self.sealed.write_all(frame).unwrap();
        self.table.push((frame.len(), length));
    }

    fn finish(mut self) {
        if !self.tar.is_empty() {
            let rest = std::mem::take(&mut self.tar);
            self.frame(&frame(&rest), rest.len());
        }
        self.sealed.write_all(&table(&self.table)).unwrap();
        self.sealed.finish().unwrap().into_inner().unwrap();
    }
}

/// The header of a file past 8 GiB.
fn huge(name: &str, size: u64) -> Vec<u8> {
    [pax(&record("size", size.to_string().as_bytes())), Header::new(name, 0).block()].concat()
}

/// Digits and letters of chance, as in a digest.
fn noise(length: usize) -> String {
    static RNG: Mutex<Option<StdRng>> = Mutex::new(None);
    let mut bytes = vec![0; length.div_ceil(2)];
    RNG.lock().unwrap().get_or_insert_with(|| StdRng::seed_from_u64(1)).fill_bytes(&mut bytes);
    let mut text = hex::encode(bytes);
    text.truncate(length);
    text
}

/// A name, and how the stream is made.
type Heavy = (&'static str, fn(&mut Stream));

const HEAVY: &[Heavy] = &[
    ("10 GB of zeros in 340 kB", |stream| {
        stream.tar(&huge("zeros", 10_000_000_000));
        let rest = std::mem::take(&mut stream.tar);
        stream.frame(&frame(&rest), rest.len());
        let zeros = frame(&vec![0; 16 << 20]);
        for _ in 0..600 {
            stream.frame(&zeros, 16 << 20);
        }
    }),
    ("10 GB of zeros in 10 MB, and no manifest", |stream| {
        let size = 10_000_000_000_u64.next_multiple_of(512);
        stream.tar(&huge("zeros", size));
        let rest = std::mem::take(&mut stream.tar);
        stream.frame(&frame(&rest), rest.len());
        let (zeros, mut left) = (frame(&vec![0; FRAME]), size);
        while left > 0 {
            let now = usize::try_from(left.min(FRAME as u64)).unwrap();
            let padding = skippable(PADDING_MAGIC, &[0; 4300]);
            stream.frame(&padding, 0);
            stream.frame(&if now == FRAME { zeros.clone() } else { frame(&vec![0; now]) }, now);
            left -= now as u64;
        }
        stream.tar(&end());
    }),
    ("70 GB in one file", |stream| {
        stream.tar(&huge("noise", 70_000_000_000));
        let rest = std::mem::take(&mut stream.tar);
        stream.frame(&frame(&rest), rest.len());
        let zeros = frame(&vec![0; 16 << 20]);
        for _ in 0..64 {
            stream.frame(&zeros, 16 << 20);
        }
    }),
    ("a million entries", |stream| {
        for number in 0..=1_000_000 {
            stream.tar(&Header::new(format!("f{number}"), 0).block());
        }
        stream.tar(&[manifest(&[]), end()].concat());
    }),
    ("a million entries in long directories", |stream| {
        let deep = "directory/".repeat(40);
        for number in 0..200_000 {
            stream.tar(&long_file(&format!("{deep}{number}"), b""));
        }
        stream.tar(&[manifest(&[]), end()].concat());
    }),
    ("a million directories", |stream| {
        for number in 0..20_000 {
            let deep: String = (0..60).fold(String::new(), |mut path, level| {
                write!(path, "{number}-{level}/").unwrap();
                path
            });
            stream.tar(&long_file(&format!("{deep}x"), b""));
        }
        stream.tar(&[manifest(&[]), end()].concat());
    }),
    ("long names in letters with marks", |stream| {
        for number in 0..100_000 {
            let path = format!(
                "{}{number}",
                "\u{1e69}\u{1e69}\u{1e69}\u{1e69}\u{1e69}\u{1e69}\u{1e69}\u{1e69}\u{1e69}\u{1e69}/".repeat(60)
            );
            stream.tar(&long_file(&path, b""));
        }
        stream.tar(&[manifest(&[]), end()].concat());
    }),
    ("a million frames", |stream| {
        let zeros = frame(&[0; 512]);
        stream.tar(&Header::new("zeros", 0o77_777_777_777).block());
        let rest = std::mem::take(&mut stream.tar);
        stream.frame(&frame(&rest), rest.len());
        for _ in 0..(1 << 20) {
            stream.frame(&zeros, 512);
        }
    }),
    ("a million frames of padding", |stream| {
        for _ in 0..=(1 << 20) {
            stream.frame(&skippable(PADDING_MAGIC, b""), 0);
        }
    }),
    ("a manifest of half a million lines of what is not there", |stream| {
        let mut lines = String::new();
        while lines.len() < 31 << 20 {
            write!(lines, ",{{\"path\":\"{}\",\"reason\":\"link\"}}", noise(8)).unwrap();
        }
        let text = manifest_text(&[]).replace("\"left_out\":[]", &format!("\"left_out\":[{}]", &lines[1..]));
        stream.tar(&[file("x", b""), file(MANIFEST, text.as_bytes()), end()].concat());
    }),
    ("a manifest of a quarter of a million files that are not there", |stream| {
        let mut lines = String::new();
        while lines.len() < 31 << 20 {
            let digest = noise(64);
            write!(
                lines,
                ",{{\"path\":\"{}\",\"size\":0,\"sha256\":\"{digest}\",\"findings\":{{\"ip\":1}}}}",
                &digest[..8]
            )
            .unwrap();
        }
        let text = manifest_text(&[]).replace("\"entries\":[]", &format!("\"entries\":[{}]", &lines[1..]));
        stream.tar(&[file(MANIFEST, text.as_bytes()), end()].concat());
    }),
    ("a manifest of one number of 31 MiB", |stream| {
        let text = manifest_text(&[]).replace(
            "\"version\":1",
            &format!("\"version\":{}", noise(31 << 20).replace(|c: char| c.is_ascii_alphabetic(), "7")),
        );
        stream.tar(&[file(MANIFEST, text.as_bytes()), end()].concat());
    }),
    ("a manifest of one text of 31 MiB", |stream| {
        let text = manifest_text(&[]).replace(
            "tarseal test",
            noise(31 << 20).replace('a', "\\u0001")[..31 << 20].trim_end_matches(|c| "\\u01".contains(c)),
        );
        stream.tar(&[file("x", b""), file(MANIFEST, text.as_bytes()), end()].concat());
    }),
];

/// How long the program took in seconds, and its memory at its peak in bytes.
fn measured(desk: &Desk, file: &Path, piped: bool, name: &str) -> (f64, u64) {
    let program = Path::new(env!("CARGO_BIN_EXE_tarseal"));
    let before = desk.tree();
    let open = desk.open(program, if piped { Path::new("-") } else { file });
    let report = desk.at("time");
    let mut timed = Command::new("time");
    timed.args(["-f", "%e %M", "-o"]).arg(&report).arg(open.get_program()).args(open.get_args());
    timed.current_dir(desk.at("place")).env("TARSEAL_HOME", desk.at("home")).stdin(File::open(file).unwrap());
    let output = timed.output().expect("GNU time is installed");
    let text = std::fs::read_to_string(&report).unwrap();
    std::fs::remove_file(&report).unwrap();
    let faults = faults(None, &output, &before, &desk.tree());
    assert!(faults.is_empty(), "{name}: {}", faults.join("; "));
    let numbers: Vec<&str> = text.lines().last().unwrap().split(' ').collect();
    (numbers[0].parse().unwrap(), numbers[1].parse::<u64>().unwrap() * 1024)
}

#[test]
#[ignore = "a campaign: minutes, and GBs of disk for a moment"]
fn each_attack_ends_within_5_seconds_and_128_mib() {
    let desk = Desk::new();
    let wanted = std::env::var("CASE").unwrap_or_default();
    let mut over = Vec::new();
    let mut judge = |name: &str, file: &Path| {
        for (piped, way) in [(false, "from a file"), (true, "from standard input")] {
            let (seconds, memory) = measured(&desk, file, piped, name);
            let length = file.metadata().unwrap().len();
            println!("{seconds:6.2} s {:5} MiB {length:>10} bytes  {name}, {way}", memory >> 20);
            if seconds > SECONDS || memory > MEMORY {
                over.push(format!("{name}, {way}"));
            }
        }
    };
    for case in cases::all(&desk.outside()).iter().filter(|case| case.name.contains(&wanted)) {
        judge(&case.name, &desk.seal(&case.stream));
    }
    for (name, make) in HEAVY.iter().filter(|(name, _)| name.contains(&wanted)) {
        let path = desk.at("case.tarseal");
        let recipients = [desk.identity.recipient()];
        let options =
            SealOptions { created: "2026-11-21T14:20:01Z".parse().unwrap(), recipients: &recipients, share: None };
        let output = BufWriter::new(File::create(&path).unwrap());
        let sealed = SealWriter::new(output, &options, &mut StdRng::seed_from_u64(1)).unwrap();
        let mut stream = Stream { sealed, tar: Vec::new(), table: Vec::new() };
        make(&mut stream);
        stream.finish();
        judge(name, &path);
    }
    assert!(over.is_empty(), "more than {SECONDS} s or {} MiB: {over:?}", MEMORY >> 20);
}
