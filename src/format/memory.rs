//! What is left in the memory of a process that has sealed or opened a file and lives on: no part of a key.
//!
//! The test starts itself again as the process to be looked at. That one does its work, drops every key and waits; this one
//! reads all of its memory that can be written. Only tests can stop there: the program has no such switch.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Lines, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use ::bech32::Fe32;
use hkdf::Hkdf;
use rand::SeedableRng;
use rand::rand_core::UnwrapErr;
use rand::rngs::{StdRng, SysRng};
use sha2::Sha512;

use super::payload::PREFIX;
use super::*;
use crate::clock::Timestamp;
use crate::ids::ShareId;
use crate::secret::Secret;

/// Tells the process to be looked at what to do, and where.
const MODE: &str = "TARSEAL_TEST_MEMORY_MODE";
const PLACE: &str = "TARSEAL_TEST_MEMORY_PLACE";
/// So many bytes of a key in a row are too many.
const RUN: usize = 8;
const CREATED: Timestamp = Timestamp::from_seconds(1_795_270_801);
const KINDS: [KeyKind; 2] = [KeyKind::X25519, KeyKind::XWing];

/// A name and the bytes that must not be there.
type Key = (&'static str, Vec<u8>);

/// The one that is looked at.
#[test]
fn a_process_that_works_and_waits() {
    let (Ok(mode), Ok(place)) = (std::env::var(MODE), std::env::var(PLACE)) else { return };
    let place = Path::new(&place);
    match mode.as_str() {
        "make" => make(place),
        "seal" => seal(place),
        "open" => open(place),
        "hold" => {
            let identity = read_identity(place, KINDS[0]);
            wait();
            assert_eq!(identity.kind(), SlotKind::X25519);
            return;
        }
        other => panic!("{other}"),
    }
    wait();
}

fn wait() {
    io::stdout().write_all(b"\nready\n").unwrap();
    io::stdout().flush().unwrap();
    io::stdin().read_exact(&mut [0]).unwrap();
}

fn key_file(place: &Path, kind: KeyKind) -> std::path::PathBuf {
    place.join(format!("{kind}.key"))
}

fn sealed_file(place: &Path, kind: KeyKind) -> std::path::PathBuf {
    place.join(format!("{kind}.tarseal"))
}

/// Draws keys and writes them down.
fn make(place: &Path) {
    for kind in KINDS {
        let identity = Identity::generate(kind, &mut UnwrapErr(SysRng));
        fs::write(key_file(place, kind), identity.to_text(CREATED).expose()).unwrap();
    }
    fs::write(place.join("share"), Share::random(&mut UnwrapErr(SysRng)).expose()).unwrap();
}

fn read_identity(place: &Path, kind: KeyKind) -> Identity {
    let mut text = Secret::new(String::with_capacity(8192));
    File::open(key_file(place, kind)).unwrap().read_to_string(text.expose_mut()).unwrap();
    text.expose().parse().unwrap()
}

fn read_share(place: &Path) -> Share {
    let mut bytes = Secret::new([0; Share::LENGTH]);
    File::open(place.join("share")).unwrap().read_exact(bytes.expose_mut()).unwrap();
    Share::from_slice(bytes.expose()).unwrap()
}

fn seal(place: &Path) {
    let share = read_share(place);
    let portal = "https://support.vendor.example".to_owned();
    let field = ShareField { id: ShareId([1; 16]), not_after: CREATED, portal };
    for kind in KINDS {
        let recipient = read_identity(place, kind).recipient();
        let options = SealOptions {
            created: CREATED,
            recipients: std::slice::from_ref(&recipient),
            share: Some((field.clone(), &share)),
        };
        let file = File::create(sealed_file(place, kind)).unwrap();
        let mut writer = SealWriter::new(file, &options, &mut UnwrapErr(SysRng)).unwrap();
        writer.write_all(&vec![7; 1_000_000]).unwrap();
        writer.finish().unwrap();
    }
}

fn open(place: &Path) {
    for kind in KINDS {
        let identity = read_identity(place, kind);
        let share = read_share(place);
        let mut file = File::open(sealed_file(place, kind)).unwrap();
        let header = Header::read(&mut file).unwrap();
        let mut reader = OpenReader::new(header, file, std::slice::from_ref(&identity), Some(&share)).unwrap();
        assert_eq!(io::copy(&mut reader, &mut io::sink()).unwrap(), 1_000_000);
    }
}

/// A process to be looked at, and what it still prints.
struct Looked(Child, Lines<BufReader<ChildStdout>>);

/// Starts the process to be looked at and waits until it waits.
fn started(mode: &str, place: &Path) -> Looked {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "format::memory::a_process_that_works_and_waits", "--nocapture"])
        .env(MODE, mode)
        .env(PLACE, place)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "ready"), "it ended before it was looked at");
    Looked(child, lines)
}

impl Looked {
    /// Where there are bytes of these keys in its memory.
    fn holds(&self, keys: &[Key]) -> Vec<String> {
        found(self.0.id(), keys)
    }

    /// Lets it end.
    fn end(mut self) {
        self.0.stdin.take().unwrap().write_all(b"\n").unwrap();
        self.1.for_each(drop);
        assert!(self.0.wait().unwrap().success());
    }
}

/// Where in the memory of a process there are bytes of these keys: name, address where they begin, and mapping.
fn found(process: u32, keys: &[Key]) -> Vec<String> {
    let mut runs = HashSet::new();
    let mut starts = vec![false; 1 << 16];
    let start = |run: &[u8]| usize::from(run[0]) << 8 | usize::from(run[1]);
    for (_, key) in keys {
        for run in key.windows(RUN) {
            starts[start(run)] = true;
            runs.insert(run);
        }
    }
    let memory = File::open(format!("/proc/{process}/mem")).unwrap();
    let maps = fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
    let mut found = Vec::new();
    let mut read = 0;
    for line in maps.lines().filter(|line| line.split(' ').nth(1).unwrap().starts_with("rw")) {
        let (from, to) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let [from, to] = [from, to].map(|at| u64::from_str_radix(at, 16).unwrap());
        let mut bytes = vec![0; usize::try_from(to - from).unwrap()];
        memory.read_exact_at(&mut bytes, from).unwrap_or_else(|error| panic!("{line}: {error}"));
        read += bytes.len();
        let mut last = None;
        for at in 0..bytes.len() - RUN {
            let run = &bytes[at..at + RUN];
            if starts[start(run)] && runs.contains(run) {
                if last != Some(at.wrapping_sub(1)) {
                    let name = keys.iter().find(|(_, key)| key.windows(RUN).any(|window| window == run)).unwrap().0;
                    found.push(format!("{name} at {:x} in {line}", from + at as u64));
                }
                last = Some(at);
            }
        }
    }
    assert!(read > 1 << 20, "too little memory was read: {read}");
    found
}

fn secret_of(identity: &Identity) -> Vec<u8> {
    identity.number_and_secret().unwrap().1.to_vec()
}

/// Everything that could open the files, as it could stand in memory.
fn keys(place: &Path) -> Vec<Key> {
    let share = read_share(place);
    let mut keys = vec![("the share", share.expose().to_vec())];
    for kind in KINDS {
        let identity = read_identity(place, kind);
        let text = identity.to_text(CREATED);
        let line = text.expose().lines().last().unwrap().rsplit_once('1').unwrap().1.to_owned();
        keys.push((
            "the identity as characters' values",
            line.chars().map(|c| Fe32::from_char(c).unwrap().to_u8()).collect(),
        ));
        keys.push(("the identity in small letters", line.to_lowercase().into_bytes()));
        keys.push(("the identity as text", line.into_bytes()));
        keys.push(("the identity", secret_of(&identity)));
        let Ok(mut file) = File::open(sealed_file(place, kind)) else { continue };
        let header = Header::read(&mut file).unwrap();
        let part = header.unlock(&[identity]).unwrap();
        let file_key = header.file_key(&part, Some(&share));
        let mut prefix = [0; PREFIX];
        file.read_exact(&mut prefix).unwrap();
        // As FORMAT.md has it, and not by the code under test.
        let mut padded = file_key.expose().to_vec();
        padded.resize(64, 0);
        let label = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0".as_slice();
        let mut output = [0; 76];
        let expand = Hkdf::<Sha512>::from_prk(&padded).unwrap();
        expand.expand_multi_info(&[label, &prefix[..24], &header.digest()], &mut output).unwrap();
        assert_eq!(output[44..], prefix[24..]);
        keys.push(("the key of the chunks", output[..32].to_vec()));
        keys.push(("the file key", file_key.expose().to_vec()));
        keys.push(("the vendor's part", part.expose().to_vec()));
    }
    keys
}

#[test]
fn no_key_is_left_in_the_memory_of_a_process_that_has_made_sealed_or_opened() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    let mut wrong = Vec::new();
    for mode in ["make", "seal", "open"] {
        let process = started(mode, place);
        wrong.extend(process.holds(&keys(place)).into_iter().map(|what| format!("{mode}: {what}")));
        process.end();
    }
    assert!(wrong.is_empty(), "{} runs are left:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_key_that_is_held_is_found_and_one_that_was_never_there_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    make(place);
    let process = started("hold", place);
    let all = process.holds(&keys(place));
    let foreign = Identity::generate(KINDS[0], &mut StdRng::seed_from_u64(1));
    let none = process.holds(&[("foreign", secret_of(&foreign))]);
    process.end();
    assert_eq!(all.len(), 1, "it stands in one place: {}", all.join("\n"));
    assert!(all[0].starts_with("the identity at"), "{}", all[0]);
    assert!(none.is_empty());
}
