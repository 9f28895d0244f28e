//! What is read by position is what is read from front to back, whatever was changed: out of a sealed file and out of an archive.

#![no_main]

mod sealed;

use std::io::{Cursor, Read, Seek, SeekFrom};
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tarseal::clock::Timestamp;
use tarseal::format::{Header, Identity, KeyKind, SealOptions, SeekReader};
use tarseal::item::ArchivePath;
use tarseal::pack::{Contents, Digest, Limits, Manifest, Receiver, UnpackError, read_entries};
use tarseal::progress::Silent;

use sealed::{CREATED, Choices, archive, change, seal, stream};

/// Plaintexts around the edges of chunks, and one of more chunks than are read at once.
const LENGTHS: [usize; 4] = [0, 16_384, 40_000, 200_000];
/// The most that is taken, so that memory stays flat.
const TOTAL: u64 = 4 << 20;

static KEY: LazyLock<[Identity; 1]> =
    LazyLock::new(|| [Identity::generate(KeyKind::X25519, &mut StdRng::seed_from_u64(1))]);
static FILES: LazyLock<Vec<(Vec<u8>, Vec<u8>)>> = LazyLock::new(|| {
    let recipients = [KEY[0].recipient()];
    let options = SealOptions { created: Timestamp::from_seconds(CREATED), recipients: &recipients, share: None };
    let sealed = |length| {
        let plaintext: Vec<u8> = (0..length).map(|at: usize| (at * 31 >> 3).to_le_bytes()[0]).collect();
        let file = seal(&options, &plaintext, 2);
        (plaintext, file)
    };
    LENGTHS.into_iter().map(sealed).collect()
});

fuzz_target!(|input: &[u8]| {
    let mut choices = Choices(input);
    if choices.byte() & 1 == 0 { read_sealed(&mut choices) } else { read_archive(&mut choices) }
});

/// Changes a sealed file and reads it here and there: true bytes or an error, and the true length or nothing at all.
fn read_sealed(choices: &mut Choices<'_>) {
    let (plaintext, file) = &FILES[usize::from(choices.byte()) % LENGTHS.len()];
    let mut changed = file.clone();
    change(&mut changed, &mut Choices(choices.string()));
    let Ok(header) = Header::read(&mut changed.as_slice()) else { return };
    let length = changed.len();
    let whole = changed == *file;
    let Ok(mut reader) = SeekReader::new(header, Cursor::new(changed), &*KEY, None) else {
        assert!(!whole, "a good file does not open");
        return;
    };
    assert_eq!((reader.length(), length), (plaintext.len() as u64, file.len()), "a wrong length is believed");
    for _ in 0..64 {
        if choices.is_empty() {
            break;
        }
        let (from, wanted) = (choices.below(plaintext.len() + 2), choices.below(70_000));
        assert_eq!(reader.seek(SeekFrom::Start(from as u64)).expect("any place is one"), from as u64);
        let mut bytes = Vec::new();
        let read = (&mut reader).take(wanted as u64).read_to_end(&mut bytes);
        let there = plaintext.get(from..).unwrap_or_default();
        assert!(there.starts_with(&bytes), "wrong bytes came out");
        assert!(read.is_ok() || !whole, "a good file cannot be read");
        assert!(read.is_err() || bytes.len() == wanted.min(there.len()), "an end that is none");
    }
}

/// Reads an archive both ways.
fn read_archive(choices: &mut Choices<'_>) {
    let kind = choices.byte();
    let each = 1 + choices.below(5_000);
    let mut bytes = match kind % 4 {
        0 => choices.0.to_vec(),
        1 => stream(choices.0, each),
        _ => stream(&archive(choices), each),
    };
    if kind % 4 == 3 {
        change(&mut bytes, choices);
    }
    let limits = Limits { total: TOTAL, frame: 1 << 20, entries: 1000, ..Limits::default() };
    let mut seen = Seen::default();
    let front = read_entries(bytes.as_slice(), &limits, &mut seen, &Silent);
    let parts = Contents::open(Cursor::new(&bytes), &limits, None);
    let Ok(mut parts) = parts else {
        assert!(front.is_err(), "what is whole cannot be read by position");
        return;
    };
    let manifest: Manifest = parts.manifest().clone();
    // From the end to the beginning: no reading may need the one before it.
    for (number, entry) in manifest.entries.iter().enumerate().rev() {
        let mut part = Seen::default();
        let read = parts.read(number, &mut part);
        if read.is_ok() {
            let (path, bytes) = &part.files[0];
            assert_eq!((path, bytes.len() as u64, Digest::of(bytes)), (&entry.path.as_str().to_owned(), entry.size, entry.sha256));
        }
        if front.is_ok() {
            read.expect("what is whole can be read in parts");
            assert_eq!(part.files[0], seen.files[number]);
        }
    }
    let mut own = Seen::default();
    parts.read_manifest(&mut own).expect("it was read before");
    if let Ok(front) = front {
        assert_eq!(front, manifest);
        assert_eq!(own.files.last(), seen.files.last());
    }
}

/// Takes in what it is given.
#[derive(Default)]
struct Seen {
    files: Vec<(String, Vec<u8>)>,
}

impl Receiver for Seen {
    fn begin(&mut self, path: &ArchivePath, _: u64, _: Option<Timestamp>) -> Result<(), UnpackError> {
        self.files.push((path.as_str().to_owned(), Vec::new()));
        Ok(())
    }

    fn data(&mut self, bytes: &[u8]) -> Result<(), UnpackError> {
        self.files.last_mut().expect("data comes after begin").1.extend_from_slice(bytes);
        Ok(())
    }

    fn end(&mut self) -> Result<(), UnpackError> {
        Ok(())
    }
}
