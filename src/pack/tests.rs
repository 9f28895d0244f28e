//! The room from inside: readers of every shape, hostile archives in honest frames.

use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::sync::LazyLock;

use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tempfile::TempDir;

use super::dialect::{self, FileHeader};
use super::frame::{FRAME, FrameCompressor, FrameWriter};
use super::*;
use crate::item::ArchivePath;
use crate::progress::Silent;
use crate::redact::Counts;

mod contents;

pub(super) fn rng() -> StdRng {
    StdRng::seed_from_u64(1)
}

/// Bytes that do not compress: 2 MiB of chance again and again, which is further than a frame's window reaches back.
pub(super) fn noise(length: usize, seed: usize) -> Vec<u8> {
    static CHANCE: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let mut bytes = vec![0; 2 << 20];
        rng().fill_bytes(&mut bytes);
        bytes
    });
    let start = seed * 1_001;
    let mut bytes = CHANCE[start..].to_vec();
    while bytes.len() < length {
        bytes.extend_from_slice(&CHANCE);
    }
    bytes.truncate(length);
    bytes
}

pub(super) fn path(text: &str) -> ArchivePath {
    text.parse().unwrap()
}

fn packer(directory: &TempDir) -> Packer<Vec<u8>> {
    Packer::new(Vec::new(), &PackOptions::new(directory.path()), &mut rng()).unwrap()
}

pub(super) fn manifest(entries: Vec<Entry>) -> Manifest {
    Manifest {
        version: ManifestVersion,
        tool: "tarseal test".into(),
        created: "2026-11-21T14:20:01Z".parse().unwrap(),
        ticket: None,
        redacted: true,
        entries,
        left_out: Vec::new(),
        findings: Counts::new(),
        collected: None,
    }
}

fn packed(files: &[(&str, &[u8])]) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let mut packer = packer(&directory);
    let entries = files
        .iter()
        .map(|(name, content)| packer.add_bytes(&path(name), None, None, &mut &content[..]).unwrap())
        .collect();
    packer.finish(&manifest(entries)).unwrap()
}

/// Unpacks into a fresh directory; checks that a failure leaves nothing at all.
fn unpacked(stream: &[u8], limits: &Limits) -> Result<(TempDir, Manifest), UnpackError> {
    let directory = tempfile::tempdir().unwrap();
    let result = unpack(stream, &directory.path().join("out"), limits, &Silent);
    let names: Vec<_> = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    match result {
        Ok(manifest) => {
            assert_eq!(names, ["out"]);
            Ok((directory, manifest))
        }
        Err(error) => {
            assert!(names.is_empty(), "{names:?} is left after: {error}");
            Err(error)
        }
    }
}

fn refused(stream: &[u8]) -> UnpackError {
    unpacked(stream, &Limits::default()).map(|_| ()).expect_err("it should have been refused")
}

fn content(directory: &TempDir, name: &str) -> Vec<u8> {
    fs::read(directory.path().join("out").join(name)).unwrap()
}

/// Puts tar bytes into honest frames with an honest seek table.
fn framed(tar: &[u8]) -> Vec<u8> {
    let (mut compressor, mut frame) = (FrameCompressor::new(1).unwrap(), Vec::new());
    let mut writer = FrameWriter::new(Vec::new());
    for piece in tar.chunks(FRAME) {
        compressor.compress(piece, &mut frame).unwrap();
        writer.write(&frame, piece.len()).unwrap();
    }
    writer.finish().unwrap()
}

pub(super) fn tar_entry(name: &str, content: &[u8]) -> Vec<u8> {
    let mut bytes = FileHeader::new(path(name), content.len() as u64, None).encode();
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len() + dialect::padding(content.len() as u64), 0);
    bytes
}

/// A whole tar: these entries, then a manifest that lists `entries`, then the end.
pub(super) fn tar_of(body: &[u8], entries: &[(&str, &[u8])]) -> Vec<u8> {
    let entries = entries
        .iter()
        .map(|(name, content)| Entry {
            path: path(name),
            size: content.len() as u64,
            sha256: Digest::of(content),
            findings: Counts::new(),
        })
        .collect();
    let json = serde_json::to_vec(&manifest(entries)).unwrap();
    [body, &tar_entry(MANIFEST_PATH, &json), &dialect::END].concat()
}

#[test]
fn what_is_packed_comes_back_with_its_manifest() {
    let files: [(&str, &[u8]); 4] =
        [("a", b""), ("var/log/syslog", b"line\n"), ("Zo\u{eb}/x.log", b"\0\xff"), ("z", &noise(100_000, 1))];
    let (directory, manifest) = unpacked(&packed(&files), &Limits::default()).unwrap();
    assert_eq!(manifest.entries.len(), 4);
    for ((name, bytes), entry) in files.iter().zip(&manifest.entries) {
        assert!(content(&directory, name) == *bytes, "{name}");
        assert_eq!((entry.path.as_str(), entry.size, entry.sha256), (*name, bytes.len() as u64, Digest::of(bytes)));
    }
    let written: Manifest = serde_json::from_slice(&content(&directory, MANIFEST_PATH)).unwrap();
    assert_eq!(written, manifest);
}

#[test]
fn an_item_of_any_length_around_the_frame_edges_comes_back() {
    // The first item leaves a frame nearly full, so that edges fall into headers, content and padding.
    for before in [0, FRAME - 5000, FRAME - 1600, FRAME - 1024, FRAME - 512] {
        for edge in [0, FRAME - before.min(FRAME - 512) - 512, FRAME, 2 * FRAME + 700, 3 * FRAME - 512] {
            for length in [edge.saturating_sub(513), edge.saturating_sub(1), edge, edge + 1, edge + 512] {
                let (first, second) = (noise(before, 2), noise(length, 3));
                let stream = packed(&[("first", &first), ("second", &second), ("third", b"tail")]);
                let manifest = read_entries(&stream[..], &Limits::default(), &mut (), &Silent).unwrap();
                let digests: Vec<_> = manifest.entries.iter().map(|entry| entry.sha256).collect();
                assert_eq!(
                    digests,
                    [Digest::of(&first), Digest::of(&second), Digest::of(b"tail")],
                    "{before} {length}"
                );
            }
        }
    }
}

/// Gives noise and then fails.
struct Broken(usize);

impl Read for Broken {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::Error::other("the disk is gone"));
        }
        let length = buffer.len().min(self.0).min(70_000);
        buffer[..length].copy_from_slice(&noise(length, self.0 % 97));
        self.0 -= length;
        Ok(length)
    }
}

#[test]
fn an_item_that_fails_in_the_middle_leaves_no_trace() {
    let with = |fail_after: &[usize]| {
        let directory = tempfile::tempdir().unwrap();
        let mut packer = packer(&directory);
        let mut entries = vec![packer.add_bytes(&path("a"), None, None, &mut &noise(3_000_000, 1)[..]).unwrap()];
        for &length in fail_after {
            let error = packer.add_bytes(&path("b"), None, None, &mut Broken(length)).unwrap_err();
            assert!(matches!(error, AddError::Source(_)));
        }
        entries.push(packer.add_bytes(&path("b"), None, None, &mut &noise(9_000_000, 2)[..]).unwrap());
        packer.finish(&manifest(entries)).unwrap()
    };
    let clean = with(&[]);
    for length in [0, 1, 1_000_000, 1_193_280, 4 << 20, 30 << 20] {
        assert!(with(&[length]) == clean, "failing after {length}");
    }
    assert!(with(&[20 << 20, 0, 5 << 20]) == clean);
}

#[test]
fn a_long_item_goes_through_a_sealed_spool_and_not_through_named_files() {
    struct Watching<'a>(usize, &'a Path);
    impl Read for Watching<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            assert_eq!(fs::read_dir(self.1).unwrap().count(), 0, "a file is in the spool's directory");
            let length = buffer.len().min(self.0).min(1 << 20);
            buffer[..length].copy_from_slice(&noise(length, self.0 % 97));
            self.0 -= length;
            Ok(length)
        }
    }
    let directory = tempfile::tempdir().unwrap();
    let mut packer = packer(&directory);
    let entry = packer.add_bytes(&path("big"), None, None, &mut Watching(40 << 20, directory.path())).unwrap();
    assert_eq!(entry.size, 40 << 20);
    let stream = packer.finish(&manifest(vec![entry])).unwrap();
    read_entries(&stream[..], &Limits::default(), &mut (), &Silent).unwrap();
}

#[test]
fn a_path_that_is_taken_gets_a_number() {
    let files: [(&str, &[u8]); 4] =
        [("person-1.log", b"1"), ("person-1.log", b"2"), ("PERSON-1.log", b"3"), ("person-1.log/x", b"4")];
    let (directory, manifest) = unpacked(&packed(&files), &Limits::default()).unwrap();
    let names: Vec<_> = manifest.entries.iter().map(|entry| entry.path.as_str()).collect();
    assert_eq!(names, ["person-1.log", "person-1~2.log", "PERSON-1~3.log", "person-1~4.log/x"]);
    assert_eq!(content(&directory, "person-1~4.log/x"), b"4");
}

#[test]
fn the_own_directory_cannot_be_packed_into() {
    let directory = tempfile::tempdir().unwrap();
    let result = packer(&directory).add_bytes(&path(MANIFEST_PATH), None, None, &mut &b"{}"[..]);
    assert!(matches!(result, Err(AddError::NoPlace(_))));
}

#[test]
fn a_manifest_that_lists_something_else_is_not_written() {
    let directory = tempfile::tempdir().unwrap();
    let mut packer = packer(&directory);
    packer.add_bytes(&path("a"), None, None, &mut &b"x"[..]).unwrap();
    assert_eq!(packer.finish(&manifest(Vec::new())).unwrap_err().kind(), io::ErrorKind::InvalidInput);
}

#[test]
fn content_that_compresses_beyond_belief_can_still_be_read() {
    let line = b"2026-11-21T14:20:01Z host app: all is well\n".repeat(2_000_000);
    let stream = packed(&[("dull.log", &line)]);
    assert!(stream.len() * 1001 > line.len(), "the padding keeps the ratio");
    let (directory, _) = unpacked(&stream, &Limits::default()).unwrap();
    assert!(content(&directory, "dull.log") == line);
}

#[test]
fn every_truncation_is_refused() {
    let stream = packed(&[("a", b"some content"), ("b", &noise(3000, 5))]);
    for length in 0..stream.len() {
        let error = read_entries(&stream[..length], &Limits::default(), &mut (), &Silent).unwrap_err();
        assert!(matches!(error.reason(), UnpackError::Damaged(_)), "{length}: {error}");
    }
    refused(&stream[..stream.len() / 2]);
    refused(&[]);
}

#[test]
fn bytes_after_the_end_are_refused_wherever_they_stand() {
    let stream = packed(&[("a", b"x")]);
    refused(&[&stream[..], b"\0"].concat());
    refused(&[&stream[..], &stream].concat());
    let body = tar_entry("a", b"x");
    let tar = tar_of(&body, &[("a", b"x")]);
    assert!(unpacked(&framed(&tar), &Limits::default()).is_ok());
    refused(&framed(&[&tar[..], &[0; 512]].concat()));
    refused(&framed(&[&tar[..], &tar].concat()));
    // A whole second frame of nothing but zeros.
    let mut far = tar.clone();
    far.resize(FRAME + 512, 0);
    refused(&framed(&far));
}

#[test]
fn a_manifest_must_be_there_and_agree() {
    let body = [tar_entry("a", b"x"), tar_entry("b", b"y")].concat();
    for listed in [
        &[][..],
        &[("a", &b"x"[..])],
        &[("a", b"x"), ("b", b"z")],
        &[("b", b"y"), ("a", b"x")],
        &[("a", b"x"), ("b", b"y"), ("c", b"")],
        &[("a", b"x"), ("B", b"y")],
    ] {
        refused(&framed(&tar_of(&body, listed)));
    }
    refused(&framed(&[&body[..], &dialect::END].concat()));
    refused(&framed(&[&body[..], &tar_entry(MANIFEST_PATH, b"{}"), &dialect::END].concat()));
    refused(&framed(&[&body[..], &tar_entry(MANIFEST_PATH, b""), &dialect::END].concat()));
    let after = [
        tar_of(&body, &[("a", b"x"), ("b", b"y")])[..].split_last_chunk::<1024>().unwrap().0,
        &tar_entry("c", b""),
        &dialect::END,
    ]
    .concat();
    refused(&framed(&after));
}

#[test]
fn hostile_tars_in_honest_frames_are_refused() {
    /// A header in the hand of another tar.
    fn foreign(work: impl FnOnce(&mut tar::Header)) -> Vec<u8> {
        let mut header = tar::Header::new_ustar();
        header.set_size(0);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_path("victim").unwrap();
        work(&mut header);
        header.set_cksum();
        header.as_bytes().to_vec()
    }
    let name = |header: &mut tar::Header, name: &[u8]| header.as_mut_bytes()[..name.len()].copy_from_slice(name);
    let long = |name: &str| {
        let mut builder = tar::Builder::new(Vec::new());
        builder.append_data(&mut tar::Header::new_gnu(), name, &b""[..]).unwrap();
        builder.into_inner().unwrap()
    };
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("traversal", foreign(|h| name(h, b"../victim"))),
        ("traversal inside", foreign(|h| name(h, b"a/../../victim"))),
        ("absolute", foreign(|h| name(h, b"/tmp/victim"))),
        ("a name that is no text", foreign(|h| name(h, b"v\xffctim"))),
        ("a name with a newline", foreign(|h| name(h, b"vic\ntim"))),
        ("an empty name", foreign(|h| name(h, &[0; 100]))),
        ("the current directory", foreign(|h| name(h, b".\0\0\0\0\0"))),
        (
            "symbolic link",
            foreign(|h| {
                h.set_entry_type(tar::EntryType::Symlink);
                h.set_link_name("/etc/passwd").unwrap();
            }),
        ),
        (
            "hard link",
            foreign(|h| {
                h.set_entry_type(tar::EntryType::Link);
                h.set_link_name("a").unwrap();
            }),
        ),
        ("link name on a file", foreign(|h| h.set_link_name("/etc/passwd").unwrap())),
        ("character device", foreign(|h| h.set_entry_type(tar::EntryType::Char))),
        ("block device", foreign(|h| h.set_entry_type(tar::EntryType::Block))),
        ("pipe", foreign(|h| h.set_entry_type(tar::EntryType::Fifo))),
        ("directory", foreign(|h| h.set_entry_type(tar::EntryType::Directory))),
        ("sparse file", foreign(|h| h.set_entry_type(tar::EntryType::GNUSparse))),
        ("old file type", foreign(|h| h.as_mut_bytes()[156] = 0)),
        ("setuid", foreign(|h| h.set_mode(0o4755))),
        ("world-writable", foreign(|h| h.set_mode(0o666))),
        ("an owner", foreign(|h| h.set_uid(1000))),
        ("an owner's name", foreign(|h| h.set_username("root").unwrap())),
        ("a prefix", foreign(|h| h.as_mut_bytes()[345..351].copy_from_slice(b"../../"))),
        (
            "a size in base 256",
            foreign(|h| h.as_mut_bytes()[124..136].copy_from_slice(&[0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])),
        ),
        ("a size without end", foreign(|h| h.as_mut_bytes()[124..136].copy_from_slice(b"77777777777\0"))),
        ("GNU header", {
            let mut h = tar::Header::new_gnu();
            h.set_path("victim").unwrap();
            h.set_size(0);
            h.set_mode(0o644);
            h.set_cksum();
            h.as_bytes().to_vec()
        }),
        ("GNU long name", long(&format!("{}/victim", "d/".repeat(120)))),
        ("global pax header", foreign(|h| h.set_entry_type(tar::EntryType::XGlobalHeader))),
        (
            "pax header of 1 GiB",
            foreign(|h| {
                h.set_entry_type(tar::EntryType::XHeader);
                h.set_size(1 << 30);
            }),
        ),
        (
            "pax header alone",
            foreign(|h| {
                h.set_entry_type(tar::EntryType::XHeader);
                h.set_size(512);
            }),
        ),
        ("wrong checksum", {
            let mut h = foreign(|_| {});
            h[148] = b'7';
            h
        }),
        ("twice", [tar_entry("a", b""), tar_entry("a", b"")].concat()),
        ("twice in other case", [tar_entry("dir/a", b""), tar_entry("DIR/A", b"")].concat()),
        ("twice in other composition", [tar_entry("Zo\u{eb}", b""), tar_entry("Zoe\u{308}", b"")].concat()),
        ("a file that becomes a directory", [tar_entry("a", b""), tar_entry("a/b", b"")].concat()),
        ("a directory that becomes a file", [tar_entry("a/b", b""), tar_entry("a", b"")].concat()),
        ("an entry in the own directory", tar_entry(".tarseal/other", b"")),
        ("content in the padding", {
            let mut e = tar_entry("a", b"x");
            *e.last_mut().unwrap() = 1;
            e
        }),
        ("one zero block", vec![0; 512]),
        ("an early end", vec![0; 1024]),
    ];
    for (what, body) in cases {
        // Nothing but the entry under test is wrong: the manifest lists what such a tar would hold.
        for listed in [&[][..], &[("victim", &b""[..])], &[("a", b"")], &[("a", b""), ("a", b"")]] {
            let error = refused(&framed(&tar_of(&body, listed)));
            assert!(matches!(error.reason(), UnpackError::Damaged(_) | UnpackError::Path(_)), "{what}: {error}");
        }
        let before = [tar_entry("good", b"content"), body].concat();
        refused(&framed(&tar_of(&before, &[("good", b"content")])));
    }
}

/// A stream of one frame that is compressed with these flags.
fn one_frame(tar: &[u8], flags: fn(&mut zstd::bulk::Compressor<'static>)) -> Vec<u8> {
    let mut compressor = zstd::bulk::Compressor::new(1).unwrap();
    flags(&mut compressor);
    let frame = compressor.compress(tar).unwrap();
    let mut writer = FrameWriter::new(Vec::new());
    writer.write(&frame, tar.len()).unwrap();
    writer.finish().unwrap()
}

#[test]
fn frames_of_another_kind_are_refused() {
    let tar = tar_of(&tar_entry("a", b"x"), &[("a", b"x")]);
    let with = |flags| one_frame(&tar, flags);
    assert!(unpacked(&with(|_| {}), &Limits::default()).is_ok());
    refused(&with(|compressor| compressor.include_checksum(true).unwrap()));
    refused(&with(|compressor| compressor.include_contentsize(false).unwrap()));

    let good = framed(&tar);
    let table = good.len() - 17 - 8;
    let at = |position: usize, byte: u8| {
        let mut changed = good.clone();
        changed[position] ^= byte;
        changed
    };
    for position in table..good.len() {
        refused(&at(position, 1));
    }
    refused(&at(4, 0x08)); // a reserved bit of the frame header
    refused(&at(4, 0x01)); // a dictionary
    refused(&good[..table]);
    refused(&[&0x184D_2A50u32.to_le_bytes()[..], &4u32.to_le_bytes(), b"text", &good].concat());
    refused(&[&0x184D_2A51u32.to_le_bytes()[..], &0u32.to_le_bytes(), &good].concat());
}

#[test]
fn bombs_stop_at_the_limits_before_they_are_unpacked() {
    let zeros = vec![0; 24 << 20];
    let mut frames = Vec::new();
    let (mut compressor, mut frame) = (FrameCompressor::new(1).unwrap(), Vec::new());
    for piece in [tar_entry("zeros", &zeros), dialect::END.to_vec()].concat().chunks(FRAME) {
        compressor.compress(piece, &mut frame).unwrap();
        frames.extend_from_slice(&frame);
    }
    // Written without the padding that an honest packer puts in.
    assert!(matches!(refused(&frames).reason(), UnpackError::Limit(_)));

    // One frame that says it holds 17 MiB.
    compressor.compress(&vec![0; 17 << 20], &mut frame).unwrap();
    assert!(matches!(refused(&frame).reason(), UnpackError::Limit(_)));
    // A frame that says 16 EiB, and one whose window is 2 GiB.
    refused(&[&0xFD2F_B528u32.to_le_bytes()[..], &[0xe0], &[0xff; 8], &[1, 0, 0]].concat());
    refused(&[&0xFD2F_B528u32.to_le_bytes()[..], &[0x80, 0xa8], &100u32.to_le_bytes(), &[1, 0, 0]].concat());

    let stream = packed(&[("a", &noise(100_000, 1)), ("b", b"")]);
    for limits in [
        Limits { total: 50_000, ..Limits::default() },
        Limits { entries: 2, ..Limits::default() },
        Limits { manifest: 10, ..Limits::default() },
        Limits { frames: 0, ..Limits::default() },
        Limits { frame: 1000, ..Limits::default() },
    ] {
        let error = unpacked(&stream, &limits).map(|_| ()).unwrap_err();
        assert!(matches!(error.reason(), UnpackError::Limit(_)), "{limits:?}: {error}");
    }
}

#[test]
fn a_destination_that_is_there_is_not_touched() {
    let directory = tempfile::tempdir().unwrap();
    let stream = packed(&[("a", b"new")]);
    let destination = directory.path().join("out");
    fs::create_dir(&destination).unwrap();
    fs::write(destination.join("a"), "old").unwrap();
    let result = unpack(&stream[..], &destination, &Limits::default(), &Silent);
    assert!(matches!(result, Err(UnpackError::DestinationExists(_))));
    assert_eq!(fs::read(destination.join("a")).unwrap(), b"old");
    std::os::unix::fs::symlink("nowhere", directory.path().join("link")).unwrap();
    let result = unpack(&stream[..], &directory.path().join("link"), &Limits::default(), &Silent);
    assert!(matches!(result, Err(UnpackError::DestinationExists(_))));
}

#[test]
fn unpacked_files_are_for_their_owner_and_as_old_as_they_were() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let directory = tempfile::tempdir().unwrap();
    let mut packer = packer(&directory);
    let modified = "2026-11-01T12:00:00Z".parse().unwrap();
    let entry = packer.add_bytes(&path("d/a"), Some(modified), None, &mut &b"x"[..]).unwrap();
    let stream = packer.finish(&manifest(vec![entry])).unwrap();
    let (directory, _) = unpacked(&stream, &Limits::default()).unwrap();
    let of = |name: &str| fs::metadata(directory.path().join(name)).unwrap();
    assert_eq!(of("out").permissions().mode() & 0o777, 0o700);
    assert_eq!(of("out/d").permissions().mode() & 0o777, 0o700);
    assert_eq!(of("out/d/a").permissions().mode() & 0o777, 0o600);
    assert_eq!(of("out/d/a").mtime(), modified.seconds());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_flipped_bit_anywhere_never_gives_other_content(at in any::<proptest::sample::Index>(), bit in 0..8u8) {
        let files: [(&str, &[u8]); 2] = [("a", b"some content of a file"), ("d/b", &noise(2000, 9))];
        let mut stream = packed(&files);
        let at = at.index(stream.len());
        stream[at] ^= 1 << bit;
        // The seal refuses it long before; here it may at most change nothing.
        if let Ok((directory, _)) = unpacked(&stream, &Limits::default()) {
            prop_assert!(content(&directory, "a") == files[0].1);
            prop_assert!(content(&directory, "d/b") == files[1].1);
        }
    }

    #[test]
    fn random_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        refused(&bytes);
        refused(&framed(&bytes));
    }
}

/// A tar of one file and its manifest, and then these entries.
fn tar_with_behind(behind: &[(&str, &[u8])]) -> (Vec<u8>, Digest) {
    let entry = Entry { path: path("a"), size: 1, sha256: Digest::of(b"x"), findings: Counts::new() };
    let json = serde_json::to_vec(&manifest(vec![entry])).unwrap();
    let mut tar = [tar_entry("a", b"x"), tar_entry(MANIFEST_PATH, &json)].concat();
    behind.iter().for_each(|(name, content)| tar.extend(tar_entry(name, content)));
    tar.extend(dialect::END);
    (framed(&tar), Digest::of(&json))
}

/// What may stand behind the manifest and is not one signature alone.
fn not_one_signature() -> [Vec<(&'static str, &'static [u8])>; 9] {
    let good: &[u8] = &[7; 64];
    [
        vec![],
        vec![(SIGNATURE_PATH, &good[1..])],
        vec![(SIGNATURE_PATH, [7; 65].as_slice())],
        vec![(SIGNATURE_PATH, b"".as_slice())],
        vec![(".tarseal/manifest.txt", good)],
        vec![("b", good)],
        vec![(SIGNATURE_PATH, good), (SIGNATURE_PATH, good)],
        vec![(SIGNATURE_PATH, good), ("b", b"y".as_slice())],
        vec![("b", b"y".as_slice()), (SIGNATURE_PATH, good)],
    ]
}

#[test]
fn a_signature_is_64_bytes_behind_the_manifest_and_stands_there_once() {
    let good: &[u8] = &[7; 64];
    let (stream, json) = tar_with_behind(&[(SIGNATURE_PATH, good)]);
    let verify = |manifest: &Digest, signature: &Signature| *manifest == json && signature == good;
    let read = |stream: &[u8]| read_signed_entries(stream, &Limits::default(), &mut (), &verify, &Silent);
    let fails = |stream: &[u8]| read(stream).unwrap_err();
    assert_eq!(read(&stream).unwrap().entries.len(), 1);
    // Who expects no signature takes none.
    assert!(matches!(refused(&stream).reason(), UnpackError::Damaged(_)));
    for behind in not_one_signature() {
        let (stream, _) = tar_with_behind(&behind);
        assert!(matches!(fails(&stream).reason(), UnpackError::Damaged(_)), "{behind:?}");
        assert!(behind.is_empty() || matches!(refused(&stream).reason(), UnpackError::Damaged(_)), "{behind:?}");
    }
    let (stream, _) = tar_with_behind(&[(SIGNATURE_PATH, &[8; 64])]);
    assert!(matches!(fails(&stream).reason(), UnpackError::Signature));
    // In front of the manifest the name belongs to nobody.
    let early = framed(&tar_of(&tar_entry(SIGNATURE_PATH, good), &[(SIGNATURE_PATH, good)]));
    assert!(matches!(fails(&early).reason(), UnpackError::Path(_)));
}

#[test]
fn what_is_packed_and_signed_is_unpacked_when_the_signature_is_good_and_not_at_all_when_it_is_not() {
    let source = tempfile::tempdir().unwrap();
    let mut packer = packer(&source);
    let entries = vec![packer.add_bytes(&path("a"), None, None, &mut noise(5 << 20, 2).as_slice()).unwrap()];
    // The digest of the manifest is the signature: good enough to see that it is the manifest's.
    let sign = |manifest: &Digest| [manifest.0, [9; 32]].concat().try_into().unwrap();
    let stream = packer.finish_signed(&manifest(entries), &sign).unwrap();
    let into = |good: bool| {
        let directory = tempfile::tempdir().unwrap();
        let verify = |manifest: &Digest, signature: &Signature| good && *signature == sign(manifest);
        let result = unpack_signed(&stream[..], &directory.path().join("out"), &Limits::default(), &verify, &Silent);
        (directory, result)
    };
    let (directory, unpacked) = into(true);
    assert_eq!(unpacked.unwrap().entries.len(), 1);
    let json = content(&directory, MANIFEST_PATH);
    assert_eq!(content(&directory, SIGNATURE_PATH), sign(&Digest::of(&json)));
    let (directory, refused) = into(false);
    assert!(matches!(refused.unwrap_err().reason(), UnpackError::Signature));
    assert!(fs::read_dir(directory.path()).unwrap().next().is_none());
}

#[test]
fn an_error_names_the_entry_and_the_frame_and_shows_no_control_character() {
    let first = noise(FRAME + 1000, 1);
    let body = [tar_entry("first", &first), tar_entry("second", b"x")].concat();
    let says = |tar: &[u8], expected: &str| assert_eq!(refused(&framed(tar)).to_string(), expected);

    let mut bad = body.clone();
    let at = body.len() - 2 * dialect::BLOCK;
    bad[at..at + 7].copy_from_slice(b"\x1b[2Jx\"y");
    let text = "the archive is damaged: a path is not safe (entry 2, \"\\u{1b}[2Jx\\\"y\", frame 1)";
    says(&tar_of(&bad, &[]), text);

    let listed = [("first", &first[..]), ("second", b"y")];
    let text = "the archive is damaged: the manifest does not agree with what is there (entry 2, \"second\")";
    says(&tar_of(&body, &listed), text);
    let text = "the archive is damaged: the manifest does not agree with what is there (entry 2)";
    says(&tar_of(&body, &listed[..1]), text);

    let text = "the archive is refused: second cannot stand beside what came before it (entry 3, \"second\", frame 1)";
    says(&[&body[..], &tar_entry("second", b"")].concat(), text);

    let manifest =
        [tar_entry(MANIFEST_PATH, b"{\"version\":1,\n\"tool\":\"\x1b[2J\"}"), dialect::END.to_vec()].concat();
    let text = "the manifest cannot be read: line 2, column 9 is wrong (entry 1, \".tarseal/manifest.json\", frame 0)";
    says(&manifest, text);

    let stream = framed(&tar_of(&body, &listed));
    let cut = unpacked(&stream[..stream.len() / 2], &Limits::default()).map(|_| ()).unwrap_err();
    assert_eq!(cut.to_string(), "the archive is damaged: it ends early (entry 1, frame 0)");
}
