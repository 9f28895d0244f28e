//! The pack room by its door: what goes in comes out, and other tools can read it.
#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tarseal::clock::Timestamp;
use tarseal::item::{Content, Item};
use tarseal::pack::{
    AddError, Digest, Limits, MANIFEST_PATH, Manifest, ManifestVersion, PackOptions, Packer, UnpackError, read_entries,
    unpack,
};
use tarseal::progress::Silent;
use tarseal::redact::{Consent, Counts, Redacted};

struct Bytes(Arc<Vec<u8>>);

struct BytesReader(Arc<Vec<u8>>, usize);

impl Content for Bytes {
    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(BytesReader(Arc::clone(&self.0), 0)))
    }
}

impl Read for BytesReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = &self.0[self.1..];
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        self.1 += length;
        Ok(length)
    }
}

/// Bytes that do not compress.
fn noise(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    StdRng::seed_from_u64(3).fill_bytes(&mut bytes);
    bytes
}

fn item(path: &str, bytes: &[u8]) -> Item {
    Item {
        path: path.parse().unwrap(),
        size: bytes.len() as u64,
        modified: Some(now()),
        content: Box::new(Bytes(Arc::new(bytes.to_vec()))),
    }
}

fn now() -> Timestamp {
    "2026-11-21T14:20:01Z".parse().unwrap()
}

fn manifest(entries: Vec<tarseal::pack::Entry>) -> Manifest {
    Manifest {
        version: ManifestVersion,
        tool: "tarseal test".into(),
        created: now(),
        ticket: Some("4711".parse().unwrap()),
        redacted: false,
        entries,
        left_out: Vec::new(),
        findings: Counts::new(),
        collected: None,
    }
}

fn packer<W: Write>(out: W, directory: &Path) -> Packer<W> {
    Packer::new(out, &PackOptions::new(directory), &mut StdRng::seed_from_u64(1)).unwrap()
}

fn pack(items: &[Item]) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let mut packer = packer(Vec::new(), directory.path());
    let entries = items
        .iter()
        .map(|item| packer.add(&mut Redacted::unredacted(item, Consent::explicit()).unwrap()).unwrap())
        .collect();
    packer.finish(&manifest(entries)).unwrap()
}

#[test]
fn ten_thousand_small_files_come_back() {
    let items: Vec<_> = (0..10_000)
        .map(|n| item(&format!("logs/{:03}/{n:05}.log", n / 100), format!("line {n}\n").as_bytes()))
        .collect();
    let stream = pack(&items);
    let directory = tempfile::tempdir().unwrap();
    let manifest = unpack(&stream[..], &directory.path().join("out"), &Limits::default(), &Silent).unwrap();
    assert_eq!(manifest.entries.len(), 10_000);
    assert_eq!(fs::read(directory.path().join("out/logs/042/04217.log")).unwrap(), b"line 4217\n");
}

#[test]
fn the_plaintext_is_an_ordinary_tar_zst() {
    let long_name = format!("{}/name-{}", "directory/".repeat(20).trim_end_matches('/'), "x".repeat(120));
    let big = noise(10_000_000);
    let names = ["a.log", "Zo\u{eb}/\u{fc}.log", long_name.as_str(), "z/big"];
    let contents: [&[u8]; 4] = [b"plain\n", b"composed\n", b"", &big];
    let items: Vec<_> = names.iter().zip(contents).map(|(name, bytes)| item(name, bytes)).collect();
    let stream = pack(&items);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("plain.tar.zst");
    fs::write(&file, &stream).unwrap();
    let Some(tar) = output(Command::new("zstd").arg("-dc").arg(&file)) else { return };

    // Python's tarfile reads it, and would write the very same bytes.
    let script = r#"
import sys, io, tarfile, hashlib
tarfile.RECORDSIZE = 512
raw = open(sys.argv[1], "rb").read()
back = io.BytesIO()
with tarfile.open(fileobj=io.BytesIO(raw)) as tar, tarfile.open(fileobj=back, mode="w", format=tarfile.PAX_FORMAT) as copy:
    for member in tar:
        assert member.isreg() and member.mode == 0o644 and member.uid == member.gid == 0, member
        data = tar.extractfile(member).read()
        print(member.name, hashlib.sha256(data).hexdigest())
        again = tarfile.TarInfo(member.name)
        again.size, again.mtime = member.size, member.mtime
        copy.addfile(again, io.BytesIO(data))
assert back.getvalue() == raw, "tarfile writes it otherwise"
"#;
    let plain = directory.path().join("plain.tar");
    fs::write(&plain, tar).unwrap();
    let Some(listed) = output(Command::new("python3").args(["-c", script]).arg(&plain)) else { return };
    let listed = String::from_utf8(listed).unwrap();
    let expected: Vec<_> =
        names.iter().zip(contents).map(|(name, bytes)| format!("{name} {}", Digest::of(bytes))).collect();
    assert_eq!(listed.lines().take(4).collect::<Vec<_>>(), expected);
    assert!(listed.lines().last().unwrap().starts_with(MANIFEST_PATH));
}

/// What a program prints; `None` with a word when it is not on this machine.
fn output(command: &mut Command) -> Option<Vec<u8>> {
    match command.stderr(Stdio::inherit()).output() {
        Ok(output) => {
            assert!(output.status.success(), "{command:?}");
            Some(output.stdout)
        }
        Err(error) => {
            println!("not tried: {command:?} ({error})");
            None
        }
    }
}

#[test]
fn the_seek_table_leads_to_every_frame() {
    let bytes = noise(9_000_000);
    let stream = pack(&[item("big", &bytes)]);
    let word = |at: usize| u32::from_le_bytes(stream[at..at + 4].try_into().unwrap()) as usize;
    let end = stream.len();
    assert_eq!(word(end - 4), 0x8F92_EAB1);
    let frames = word(end - 9);
    let table = end - 9 - 8 * frames;
    assert_eq!((word(table - 8), word(table - 4)), (0x184D_2A5E, 8 * frames + 9));
    let (mut position, mut tar) = (0, Vec::new());
    for frame in 0..frames {
        let (compressed, length) = (word(table + 8 * frame), word(table + 8 * frame + 4));
        let content = zstd::bulk::decompress(&stream[position..position + compressed], 4 << 20).unwrap();
        assert_eq!(content.len(), length);
        tar.extend(content);
        position += compressed;
    }
    assert_eq!(position, table - 8);
    assert_eq!(tar.len() % 512, 0);
    assert!(tar[512..512 + bytes.len()] == bytes);
}

/// Takes so many bytes and then has no room.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let length = bytes.len().min(self.0);
        self.0 -= length;
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_output_ends_the_packer_for_good() {
    let directory = tempfile::tempdir().unwrap();
    let bytes = noise(9_000_000);
    let big = item("big", &bytes);
    let mut packer = packer(Full(1000), directory.path());
    let mut add = |item: &Item| packer.add(&mut Redacted::unredacted(item, Consent::explicit()).unwrap());
    match add(&big) {
        Err(AddError::Output(error)) => assert_eq!(error.kind(), io::ErrorKind::StorageFull),
        other => panic!("{other:?}"),
    }
    assert!(matches!(add(&item("small", b"x")), Err(AddError::Output(_))));
    assert!(packer.finish(&manifest(Vec::new())).is_err());
}

#[test]
fn a_spool_that_cannot_be_written_is_an_error_of_the_output() {
    let directory = tempfile::tempdir().unwrap();
    let gone = directory.path().join("gone");
    let bytes = noise(40 << 20);
    let mut packer = packer(Vec::new(), &gone);
    let big = item("big", &bytes);
    let result = packer.add(&mut Redacted::unredacted(&big, Consent::explicit()).unwrap());
    assert!(matches!(result, Err(AddError::Output(_))), "{result:?}");
}

#[test]
fn an_input_that_breaks_leaves_nothing_behind() {
    struct Breaking<'a>(&'a [u8]);
    impl Read for Breaking<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.read(buffer)? {
                0 => Err(io::Error::other("the cable is out")),
                length => Ok(length),
            }
        }
    }
    let stream = pack(&[item("a", b"x"), item("b/c", &[7; 100_000])]);
    let directory = tempfile::tempdir().unwrap();
    for length in [0, 10, stream.len() / 2, stream.len() - 1, stream.len()] {
        let result = unpack(Breaking(&stream[..length]), &directory.path().join("out"), &Limits::default(), &Silent);
        assert!(matches!(result, Err(UnpackError::Input(_))), "{length}: {result:?}");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}

#[test]
fn a_destination_on_a_full_disk_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=256k", "tmpfs"])
        .arg(directory.path())
        .stderr(Stdio::null())
        .status();
    if !mounted.is_ok_and(|status| status.success()) {
        println!("not tried: a full disk (a tmpfs cannot be mounted here)");
        return;
    }
    let bytes = noise(1 << 20);
    let stream = pack(&[item("a", b"x"), item("b", &bytes)]);
    let result = unpack(&stream[..], &directory.path().join("out"), &Limits::default(), &Silent);
    let left = fs::read_dir(directory.path()).unwrap().count();
    assert!(Command::new("umount").arg(directory.path()).status().unwrap().success());
    match result {
        Err(UnpackError::Destination { source, .. }) => assert_eq!(source.kind(), io::ErrorKind::StorageFull),
        other => panic!("{other:?}"),
    }
    assert_eq!(left, 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn any_set_of_files_comes_back(
        files in proptest::collection::vec(("[a-zA-Zü~. ]{1,12}(/[a-zé]{1,8}){0,3}", 0usize..200_000, any::<u8>()), 1..20)
    ) {
        let items: Vec<_> = files
            .iter()
            .filter(|(path, ..)| path.parse::<tarseal::item::ArchivePath>().is_ok())
            .map(|(path, length, byte)| item(path, &vec![*byte; *length]))
            .collect();
        let stream = pack(&items);
        let directory = tempfile::tempdir().unwrap();
        let out = directory.path().join("out");
        let manifest = unpack(&stream[..], &out, &Limits::default(), &Silent).unwrap();
        prop_assert_eq!(manifest.entries.len(), items.len());
        for (entry, item) in manifest.entries.iter().zip(&items) {
            let bytes = fs::read(out.join(entry.path.as_str())).unwrap();
            prop_assert_eq!(entry.sha256, Digest::of(&bytes));
            prop_assert_eq!(bytes.len() as u64, item.size);
        }
        prop_assert_eq!(read_entries(&stream[..], &Limits::default(), &mut (), &Silent).unwrap(), manifest);
    }
}
