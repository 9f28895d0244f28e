//! Two thousand changed files, each of them refused: no wrong byte comes out, and `open` leaves no file.

use std::convert::Infallible;
use std::fs;
use std::io::{Cursor, Read};
use std::path::Path;

use rand::rngs::StdRng;
use rand::{Rng, RngExt};
use tarseal::format::{Identity, KeyKind, SenderKey, Share};
use tarseal::item::{Content, Item};
use tarseal::pack::Limits;
use tarseal::pipeline::{Plan, Redaction, create, open_snapshot};
use tarseal::progress::Silent;
use tarseal::redact::Consent;

use crate::support::{CREATED, PREFIX, Pieces, SEALED_CHUNK, header_length, identity, open, rng, share_field};

struct Bytes(Vec<u8>);

impl Content for Bytes {
    fn open(&self) -> std::io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(Cursor::new(self.0.clone())))
    }
}

/// A snapshot as the tool makes it, with `length` bytes in it that do not compress; signed when it has a share.
fn snapshot(key: &Identity, share: Option<&Share>, length: usize) -> Vec<u8> {
    let mut noise = vec![0; length];
    rng(1).fill_bytes(&mut noise);
    let item = |path: &str, bytes: Vec<u8>| Item {
        path: path.parse().unwrap(),
        size: bytes.len() as u64,
        modified: Some(CREATED),
        content: Box::new(Bytes(bytes)),
    };
    let directory = tempfile::tempdir().unwrap();
    let sender = SenderKey::generate(&mut rng(4));
    let plan = Plan {
        level: 1,
        items: vec![item("var/log/bridge.log", b"14:20:01 no answer\n".repeat(99)), item("core", noise)],
        collected: None,
        left_out: Vec::new(),
        redaction: Redaction::None(Consent::explicit()),
        recipients: &[key.recipient()],
        share: share.map(|share| (share_field(), share)),
        ticket: Some("4711".parse().unwrap()),
        created: CREATED,
        sender: share.map(|_| &sender),
    };
    let path = directory.path().join("snapshot.tarseal");
    create(plan, &path, &mut rng(2), &Silent).unwrap();
    fs::read(path).unwrap()
}

/// Says what becomes of a mutant.
struct Judge {
    key: [Identity; 1],
    share: Option<Share>,
    original: Vec<u8>,
    plaintext: Vec<u8>,
    directory: tempfile::TempDir,
    refused: usize,
}

impl Judge {
    fn new(kind: KeyKind, share: Option<Share>, length: usize) -> Self {
        let key = [identity(kind, 5)];
        let original = snapshot(&key[0], share.as_ref(), length);
        let (plaintext, error) = open(&original, &key, share.as_ref());
        assert_eq!(error, None);
        let judge = Self { key, share, original, plaintext, directory: tempfile::tempdir().unwrap(), refused: 0 };
        let target = judge.directory.path().join("out");
        assert!(judge.unpack(&judge.original, &target));
        assert_eq!(fs::read(target.join("core")).unwrap().len(), length);
        fs::remove_dir_all(target).unwrap();
        judge
    }

    fn unpack(&self, file: &[u8], target: &Path) -> bool {
        let share = |_: &_| Ok::<_, Infallible>(self.share.clone().unwrap_or_else(|| Share::from_bytes([0; 32])));
        open_snapshot(file, &self.key, share, target, &Limits::default(), &Silent).is_ok()
    }

    /// Asserts that a mutant is refused, as bytes and as a snapshot. One that is the original is no mutant.
    fn refuse(&mut self, mutant: &[u8], what: &str) {
        if mutant == self.original {
            return;
        }
        let (released, error) = open(mutant, &self.key, self.share.as_ref());
        assert!(error.is_some(), "{what}: accepted");
        assert!(self.plaintext.starts_with(&released), "{what}: bytes came out that were never sealed");
        assert!(!self.unpack(mutant, &self.directory.path().join("out")), "{what}: unpacked");
        let left: Vec<_> = fs::read_dir(self.directory.path()).unwrap().collect();
        assert!(left.is_empty(), "{what}: {left:?}");
        self.refused += 1;
    }

    fn flip(&mut self, at: usize, mask: u8) {
        let mut mutant = self.original.clone();
        mutant[at] ^= mask;
        self.refuse(&mutant, &format!("byte {at} ^ {mask:#04x}"));
    }

    /// Where each chunk begins, and the end of the file.
    fn edges(&self) -> Vec<usize> {
        let first = header_length(&self.original) + PREFIX;
        (first..self.original.len()).step_by(SEALED_CHUNK).chain([self.original.len()]).collect()
    }

    fn header_bytes(&mut self, masks: &[u8], step: usize) {
        for at in (0..header_length(&self.original)).step_by(step) {
            masks.iter().for_each(|&mask| self.flip(at, mask));
        }
    }

    fn payload_bytes(&mut self, step: usize) {
        let header = header_length(&self.original);
        (header..header + PREFIX).for_each(|at| self.flip(at, 0x80));
        (header + PREFIX..self.original.len()).step_by(step).for_each(|at| self.flip(at, 1));
        for edge in self.edges() {
            for at in [edge - 17, edge - 16, edge - 1, edge, edge + 1, edge + 15, edge + 16] {
                if at < self.original.len() {
                    self.flip(at, 4);
                }
            }
        }
    }

    fn truncations(&mut self) {
        let header = header_length(&self.original);
        let edges = [0, 8, 10, 14, header, header + 24].into_iter().chain(self.edges());
        for edge in edges.collect::<Vec<_>>() {
            for by in [-17_isize, -16, -15, -1, 0, 1, 15, 16, 17] {
                let Some(length) = edge.checked_add_signed(by).filter(|&length| length < self.original.len()) else {
                    continue;
                };
                let mutant = self.original[..length].to_vec();
                self.refuse(&mutant, &format!("{length} bytes"));
            }
        }
    }

    fn chunks(&mut self) {
        let good = Pieces::of(&self.original);
        let number = good.chunks.len();
        let edit = |change: &dyn Fn(&mut Pieces)| {
            let mut pieces = good.clone();
            change(&mut pieces);
            pieces.join()
        };
        for at in 0..number {
            self.refuse(&edit(&|p| drop(p.chunks.remove(at))), &format!("chunk {at} dropped"));
            self.refuse(&edit(&|p| p.chunks.truncate(at)), &format!("{at} chunks left"));
            for to in 0..=number {
                let doubled = edit(&|p| p.chunks.insert(to, good.chunks[at].clone()));
                self.refuse(&doubled, &format!("chunk {at} doubled, at {to}"));
            }
            for other in 0..number {
                self.refuse(&edit(&|p| p.chunks.swap(at, other)), &format!("chunks {at} and {other} swapped"));
                let copied = edit(&|p| p.chunks[at].clone_from(&good.chunks[other]));
                self.refuse(&copied, &format!("chunk {other} in place of {at}"));
            }
            self.refuse(&edit(&|p| p.chunks.rotate_left(at)), &format!("chunks turned by {at}"));
        }
        for added in [1, 15, 16, 17, SEALED_CHUNK, SEALED_CHUNK + 16] {
            let mutant = [self.original.as_slice(), &vec![0; added]].concat();
            self.refuse(&mutant, &format!("{added} bytes added"));
        }
    }

    /// Pieces of the file copied over others, put in, taken out, exchanged, overwritten.
    fn splices(&mut self, number: usize) {
        let mut rng: StdRng = rng(3);
        for count in 0..number {
            let length = self.original.len();
            let mut piece = || {
                let (a, b) = (rng.random_range(0..length), rng.random_range(0..=4 * SEALED_CHUNK));
                a..(a + b % [20, 300, 4 * SEALED_CHUNK][count % 3]).min(length)
            };
            let (from, to) = (piece(), piece());
            let mut mutant = self.original.clone();
            match count % 5 {
                0 => drop(mutant.splice(to, self.original[from].iter().copied())),
                1 => drop(mutant.splice(to.start..to.start, self.original[from].iter().copied())),
                2 => drop(mutant.drain(from)),
                3 => mutant[from].fill(0),
                _ => rng.fill_bytes(&mut mutant[from]),
            }
            self.refuse(&mutant, &format!("splice {count}"));
        }
    }
}

#[test]
fn two_thousand_mutants_are_refused_and_leave_nothing() {
    let mut x25519 = Judge::new(KeyKind::X25519, Some(Share::random(&mut rng(9))), 36_000);
    x25519.header_bytes(&[1, 0x20, 0xff], 1);
    x25519.payload_bytes(211);
    x25519.truncations();
    x25519.chunks();
    x25519.splices(400);

    let mut x_wing = Judge::new(KeyKind::XWing, None, 20_000);
    x_wing.header_bytes(&[2], 2);
    x_wing.truncations();
    x_wing.chunks();

    let refused = (x25519.refused, x_wing.refused);
    assert!(refused.0 + refused.1 >= 2_000, "only {refused:?}");
}
