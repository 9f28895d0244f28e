//! What is read as an archive is one: other tools read the same files out of it, the manifest lists them, and no path is unsafe.

#![no_main]

mod sealed;

use std::io::Read;

use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};
use tarseal::clock::Timestamp;
use tarseal::item::ArchivePath;
use tarseal::pack::{Limits, Receiver, UnpackError, read_entries};
use tarseal::progress::Silent;

use sealed::{Choices, MANIFEST, archive, change, stream};

/// The most that is taken, so that memory stays flat.
const TOTAL: u64 = 4 << 20;

fuzz_target!(|input: &[u8]| {
    let mut choices = Choices(input);
    let kind = choices.byte();
    let each = 1 + choices.below(5_000);
    let mut bytes = match kind % 4 {
        0 => choices.0.to_vec(),
        1 => stream(choices.0, each),
        _ => stream(&archive(&mut choices), each),
    };
    if kind % 4 == 3 {
        change(&mut bytes, &mut choices);
    }
    let limits = Limits { total: TOTAL, frame: 1 << 20, entries: 1000, ..Limits::default() };
    let mut seen = Seen::default();
    let Ok(manifest) = read_entries(bytes.as_slice(), &limits, &mut seen, &Silent) else { return };

    let listed: Vec<_> = manifest.entries.iter().map(|entry| (entry.path.as_str().to_owned(), entry.size)).collect();
    let (last, files) = seen.files.split_last().expect("the manifest is there");
    assert_eq!(last.0, MANIFEST);
    assert!(files.iter().map(|(path, bytes)| (path.clone(), bytes.len() as u64)).eq(listed));
    for ((path, bytes), entry) in files.iter().zip(&manifest.entries) {
        assert_eq!(Sha256::digest(bytes).as_slice(), entry.sha256.0);
        let unsafe_part = |part: &str| part.is_empty() || part == "." || part == ".." || part == ".tarseal" || part.len() > 255;
        assert!(!path.split('/').take(1).any(unsafe_part) && !path.split('/').any(|part| part.is_empty() || part == ".."));
        assert!(!path.contains(|c: char| c.is_control() || c == '\\'), "{path:?}");
    }
    assert_eq!(by_others(&bytes), seen.files);
});

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

/// What `zstd -d | tar` finds.
fn by_others(stream: &[u8]) -> Vec<(String, Vec<u8>)> {
    let tar = zstd::decode_all(stream).expect("what is read here is Zstandard");
    let mut files = Vec::new();
    for entry in tar::Archive::new(tar.as_slice()).entries().expect("what is read here is a tar") {
        let mut entry = entry.expect("every entry is readable");
        assert!(entry.header().entry_type().is_file());
        let path = String::from_utf8(entry.path_bytes().into_owned()).expect("paths are UTF-8");
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).expect("every entry is whole");
        files.push((path, bytes));
    }
    files
}
