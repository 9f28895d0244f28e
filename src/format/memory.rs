//! What is left in the memory of a process that has sealed or opened a file and lives on: no part of a key.
//!
//! The test starts itself again as the process to be looked at. That one does its work, drops every key and waits; this one
//! reads all of its memory that can be written. Only tests can stop there: the program has no such switch.
//!
//! What the compiler leaves on the stack depends on how it optimises, so it is to be run as it is released, too:
//! `cargo test --release --no-default-features --lib format::memory`.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Lines, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use ::bech32::Fe32;
use hkdf::Hkdf;
use rand::rand_core::UnwrapErr;
use rand::rngs::{StdRng, SysRng};
use rand::{Rng, SeedableRng};
use sha2::{Digest, Sha256, Sha512};

use super::key::Opener;
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

/// Files of the keys that both sides hold, and of the one that signs.
const PASSPHRASE: &str = "passphrase.txt";
const SHARED: &str = "shared.key";
const SENDER: &str = "sender.key";

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

/// Draws keys and writes them down; one of them protected, and taken out of its protection again.
fn make(place: &Path) {
    let mut rng = UnwrapErr(SysRng);
    for kind in KINDS {
        let identity = Identity::generate(kind, &mut rng);
        fs::write(key_file(place, kind), identity.to_text(CREATED).expose()).unwrap();
    }
    fs::write(place.join("share"), Share::random(&mut rng).expose()).unwrap();
    fs::write(place.join(SHARED), Identity::generate_shared(&mut rng).to_text(CREATED).expose()).unwrap();
    let mut passphrase = Secret::new(vec![0; 24]);
    rng.fill_bytes(passphrase.expose_mut());
    passphrase.expose_mut().iter_mut().for_each(|byte| *byte = b'a' + *byte % 26);
    fs::write(place.join(PASSPHRASE), passphrase.expose()).unwrap();
    let key = SecretKey::Sender(SenderKey::generate(&mut rng));
    let protected = key.to_protected_text(CREATED, &read_passphrase(place), &mut rng).unwrap();
    let Ok(KeyFile::Protected(locked)) = protected.expose().parse() else { panic!("it is protected") };
    let unlocked = locked.unlock(&read_passphrase(place)).unwrap();
    fs::write(place.join(SENDER), unlocked.to_text(CREATED).expose()).unwrap();
}

/// Reads a file into one place that is wiped.
fn read_text(path: &Path) -> Secret<String> {
    let mut text = Secret::new(String::with_capacity(8192));
    File::open(path).unwrap().read_to_string(text.expose_mut()).unwrap();
    text
}

/// The passphrase, at a cost that a test can bear.
fn read_passphrase(place: &Path) -> Passphrase {
    let passphrase = Passphrase::new(read_text(&place.join(PASSPHRASE)).expose().as_bytes()).unwrap();
    passphrase.with_cost(Cost::new(256, 1, 4).unwrap())
}

fn read_shared(place: &Path) -> Identity {
    read_text(&place.join(SHARED)).expose().parse().unwrap()
}

fn read_sender(place: &Path) -> SenderKey {
    match read_text(&place.join(SENDER)).expose().parse() {
        Ok(KeyFile::Clear(SecretKey::Sender(key))) => key,
        other => panic!("{other:?}"),
    }
}

fn read_identity(place: &Path, kind: KeyKind) -> Identity {
    read_text(&key_file(place, kind)).expose().parse().unwrap()
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
        seal_one(&sealed_file(place, kind), &options, None);
    }
    let sender = read_sender(place);
    for (name, recipient) in [(PASSPHRASE, read_passphrase(place).into()), (SHARED, read_shared(place).recipient())] {
        let recipients = std::slice::from_ref(&recipient);
        let options = SealOptions { created: CREATED, recipients, share: None };
        seal_one(&place.join(name).with_extension("tarseal"), &options, Some(&sender));
    }
}

fn seal_one(path: &Path, options: &SealOptions<'_>, sender: Option<&SenderKey>) {
    let (file, rng) = (File::create(path).unwrap(), &mut UnwrapErr(SysRng));
    let mut writer = match sender {
        Some(key) => SealWriter::signed(file, options, key.sender(), rng),
        None => SealWriter::new(file, options, rng),
    }
    .unwrap();
    writer.write_all(&vec![7; 1_000_000]).unwrap();
    if let Some(key) = sender {
        writer.write_all(&key.sign(&writer.header().digest(), &[7; 32])).unwrap();
    }
    writer.finish().unwrap();
}

fn open(place: &Path) {
    let share = read_share(place);
    for kind in KINDS {
        open_one(&sealed_file(place, kind), &read_identity(place, kind), Some(&share));
    }
    open_one(&place.join(PASSPHRASE).with_extension("tarseal"), &read_passphrase(place).into(), None);
    open_one(&place.join(SHARED).with_extension("tarseal"), &read_shared(place), None);
}

/// Opens a file from front to back, and a part of it by position.
fn open_one(path: &Path, identity: &Identity, share: Option<&Share>) {
    let mut file = File::open(path).unwrap();
    let header = Header::read(&mut file).unwrap();
    let key = header.unlock(std::slice::from_ref(identity)).unwrap().join(share).unwrap();
    assert!(io::copy(&mut key.read(file).unwrap(), &mut io::sink()).unwrap() >= 1_000_000);
    let mut parts = key.seek(File::open(path).unwrap()).unwrap();
    parts.seek(SeekFrom::Start(500_000)).unwrap();
    parts.read_exact(&mut [0; 100]).unwrap();
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

/// A secret key as it could stand in memory: the bytes, and its line in every form it takes on its way.
fn forms(name: [&'static str; 4], secret: Vec<u8>, text: &Secret<String>) -> [Key; 4] {
    let line = text.expose().lines().last().unwrap().rsplit_once('1').unwrap().1.to_owned();
    let values = line.chars().map(|c| Fe32::from_char(c).unwrap().to_u8()).collect();
    let [own, as_values, small, capitals] = name;
    [(own, secret), (as_values, values), (small, line.to_lowercase().into_bytes()), (capitals, line.into_bytes())]
}

/// Everything that could open the files, or sign in the sender's name.
fn keys(place: &Path) -> Vec<Key> {
    let share = read_share(place);
    let mut keys = vec![("the share", share.expose().to_vec())];
    for kind in KINDS {
        let identity = read_identity(place, kind);
        let names = ["the identity", "the identity as values", "the identity in small letters", "the identity as text"];
        keys.extend(forms(names, secret_of(&identity), &identity.to_text(CREATED)));
        keys.extend(keys_of_file(&sealed_file(place, kind), &identity, Some(&share)));
    }

    let sender = read_sender(place);
    let names = ["the seed", "the seed as values", "the seed in small letters", "the seed as text"];
    keys.extend(forms(names, sender.seed().to_vec(), &sender.to_text(CREATED)));
    // RFC 8032, section 5.1.5: the scalar and the prefix. A scalar is also kept reduced; then all but its ends differ.
    let mut expanded = Sha512::digest(sender.seed());
    keys.push(("the digest of the seed", expanded.to_vec()));
    expanded[0] &= 248;
    expanded[31] = expanded[31] & 63 | 64;
    keys.push(("the sender's scalar and prefix", expanded.to_vec()));

    let shared = read_shared(place);
    let names =
        ["the shared key", "the shared key as values", "the shared key in small letters", "the shared key as text"];
    keys.extend(forms(names, secret_of(&shared), &shared.to_text(CREATED)));
    keys.extend(keys_of_file(&place.join(SHARED).with_extension("tarseal"), &shared, None));
    let passphrase = read_passphrase(place);
    keys.push(("the passphrase", read_text(&place.join(PASSPHRASE)).expose().clone().into_bytes()));
    keys.extend(keys_of_file(&place.join(PASSPHRASE).with_extension("tarseal"), &passphrase.into(), None));
    keys
}

/// The keys of one sealed file, from its slot to its chunks; none when it is not there yet. As FORMAT.md has them, and not by
/// the code under test.
fn keys_of_file(path: &Path, identity: &Identity, share: Option<&Share>) -> Vec<Key> {
    let Ok(mut file) = File::open(path) else { return Vec::new() };
    let header = Header::read(&mut file).unwrap();
    let mut keys = Vec::new();
    let body = &header.slots[0].body;
    let fields = header.as_bytes().len() - 14 - 5 - 9 - body.len();
    let bound = Sha256::digest(&header.as_bytes()[14..14 + fields]);
    let info = [b"tarseal/v1 slot\0".as_slice(), &[header.slots[0].kind as u8], &bound].concat();
    let wrapping = |salt: Option<&[u8]>, secret: &[u8]| {
        let mut key = vec![0; 32];
        Hkdf::<Sha256>::new(salt, secret).expand(&info, &mut key).unwrap();
        key
    };
    match identity.opener() {
        Opener::KeyPair { .. } => {}
        Opener::SharedKey(key) => keys.push(("the key of the shared slot", wrapping(Some(&body[..32]), key.expose()))),
        Opener::Passphrase(passphrase) => {
            let salt = body[..16].try_into().unwrap();
            let derived = passphrase.derive(salt, passphrase.cost()).unwrap();
            keys.push(("the key of the passphrase slot", wrapping(None, derived.expose())));
            keys.push(("what Argon2 made", derived.expose().to_vec()));
        }
    }
    let unlocked = header.unlock(std::slice::from_ref(identity)).unwrap();
    let part = &unlocked.part;
    let file_key = header.file_key(part, share);
    let mut prefix = [0; PREFIX];
    file.read_exact(&mut prefix).unwrap();
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
