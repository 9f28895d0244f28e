//! What any number of threads must have in common: the bytes that are written, what is read, and what is said of a fault.

use std::io::{self, Read};
use std::sync::LazyLock;

use super::frame::{FRAME, FrameCompressor, FrameWriter};
use super::reader::read_with;
use super::tests::{manifest, noise, path, rng, tar_entry, tar_of};
use super::*;
use crate::clock::Timestamp;
use crate::item::ArchivePath;
use crate::progress::Silent;

/// Lines that compress as logs do.
fn log(length: usize, seed: usize) -> Vec<u8> {
    static LINES: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let chance = noise(200_000, 1);
        let line = |word: &[u8; 8]| {
            let number = u64::from_le_bytes(*word);
            format!("2026-11-21T14:20:01Z host app[{}]: leg {number:x} up\n", number % 99)
        };
        chance.as_chunks::<8>().0.iter().map(line).collect::<String>().into_bytes()
    });
    let mut bytes = LINES[seed * 1_001..].to_vec();
    while bytes.len() < length {
        bytes.extend_from_slice(&LINES);
    }
    bytes.truncate(length);
    bytes
}

fn packer(options: &PackOptions) -> Packer<Vec<u8>> {
    Packer::new(Vec::new(), options, &mut rng()).unwrap()
}

fn options(directory: &tempfile::TempDir, threads: usize) -> PackOptions {
    PackOptions { threads: Some(threads), ..PackOptions::new(directory.path()) }
}

fn packed(files: &[(&str, Vec<u8>)], options: &PackOptions, known: bool) -> Vec<u8> {
    let mut packer = packer(options);
    let add = |(name, content): &(&str, Vec<u8>)| {
        let known = known.then_some(content.len() as u64);
        packer.add_bytes(&path(name), None, known, &mut &content[..]).unwrap()
    };
    let entries = files.iter().map(add).collect();
    packer.finish(&manifest(entries)).unwrap()
}

#[test]
fn the_same_bytes_are_written_by_any_number_of_threads_and_whether_lengths_were_known_or_not() {
    let directory = tempfile::tempdir().unwrap();
    let files = [
        ("a/small", b"line\n".to_vec()),
        ("b/long", log(13 << 20, 1)),
        ("c/noise", noise(9 << 20, 2)),
        ("d/edge", log(2 * FRAME - 1024, 3)),
        ("e/small", log(70_000, 4)),
        ("f/long", log(9 << 20, 5)),
    ];
    for level in [1, 4, 5, 9] {
        let files = if level == 1 { &files[..] } else { &files[4..] };
        let with = |threads, known| packed(files, &PackOptions { level, ..options(&directory, threads) }, known);
        let one = with(1, false);
        let others = [(8, true), (1, true), (2, false), (2, true), (8, false)];
        for (threads, known) in others.into_iter().take(if level == 1 { 5 } else { 1 }) {
            assert!(with(threads, known) == one, "level {level}, {threads} threads, lengths known: {known}");
        }
    }
}

#[test]
fn there_is_no_level_beyond_those_that_memory_allows() {
    let directory = tempfile::tempdir().unwrap();
    for level in [-5, 0, 10, 22, i32::MAX] {
        let options = PackOptions { level, ..options(&directory, 2) };
        assert_eq!(Packer::new(Vec::new(), &options, &mut rng()).err().unwrap().kind(), io::ErrorKind::InvalidInput);
    }
}

/// Gives some bytes and then an error.
struct Breaking<'a>(&'a [u8]);

impl Read for Breaking<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::Error::other("the disk is gone")),
            length => Ok(length),
        }
    }
}

#[test]
fn an_item_that_is_held_and_fails_leaves_no_trace_with_any_number_of_threads() {
    let directory = tempfile::tempdir().unwrap();
    let (before, broken, after) = (log(5 << 20, 1), noise(17 << 20, 2), log(5 << 20, 3));
    for threads in [1, 8] {
        let with = |failing: &[usize]| {
            let mut packer = packer(&options(&directory, threads));
            let mut add = |name, content: &[u8]| packer.add_bytes(&path(name), None, None, &mut { content });
            let mut entries = vec![add("a", &before).unwrap()];
            for &length in failing {
                let error = packer.add_bytes(&path("b"), None, None, &mut Breaking(&broken[..length])).unwrap_err();
                assert!(matches!(error, AddError::Source(_)), "{error}");
            }
            entries.push(packer.add_bytes(&path("b"), None, None, &mut &after[..]).unwrap());
            packer.finish(&manifest(entries)).unwrap()
        };
        let clean = with(&[]);
        for failing in [&[FRAME][..], &[9 << 20, 0, 17 << 20]] {
            assert!(with(failing) == clean, "{threads} threads, failing after {failing:?}");
        }
    }
}

#[test]
fn an_item_of_known_length_that_fails_is_taken_back_within_a_frame_and_torn_behind_it() {
    let directory = tempfile::tempdir().unwrap();
    let content = noise(3 * FRAME, 1);
    for threads in [1, 2] {
        let begun = || {
            let mut packer = packer(&options(&directory, threads));
            let first = packer.add_bytes(&path("a"), None, Some(5), &mut &b"first"[..]).unwrap();
            (packer, first)
        };
        // It breaks, or it ends early: in the first frame, or behind it.
        for breaks in [true, false] {
            let fault = |packer: &mut Packer<Vec<u8>>, length: usize| {
                let (known, content) = (Some(length as u64 + 1), &content[..length]);
                let result = if breaks {
                    packer.add_bytes(&path("b"), None, known, &mut Breaking(content))
                } else {
                    packer.add_bytes(&path("b"), None, known, &mut { content })
                };
                result.unwrap_err()
            };
            let (mut packer, first) = begun();
            assert!(matches!(fault(&mut packer, 100_000), AddError::Source(_)));
            let second = packer.add_bytes(&path("b"), None, Some(3), &mut &b"abc"[..]).unwrap();
            let clean = packed(&[("a", b"first".to_vec()), ("b", b"abc".to_vec())], &options(&directory, 1), true);
            assert!(packer.finish(&manifest(vec![first, second])).unwrap() == clean);

            let (mut packer, first) = begun();
            assert!(matches!(fault(&mut packer, 2 * FRAME), AddError::Torn(_)));
            let next = packer.add_bytes(&path("c"), None, Some(3), &mut &b"abc"[..]);
            assert!(matches!(next, Err(AddError::Output(_))));
            assert!(packer.finish(&manifest(vec![first])).is_err());
        }
    }
}

/// Notes everything it is given; refuses to take more than so many bytes.
struct Noting {
    most: usize,
    bytes: Vec<u8>,
}

impl Receiver for Noting {
    fn begin(&mut self, path: &ArchivePath, _: u64, _: Option<Timestamp>) -> Result<(), UnpackError> {
        self.data(path.as_str().as_bytes())
    }

    fn data(&mut self, bytes: &[u8]) -> Result<(), UnpackError> {
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() > self.most { Err(UnpackError::Damaged("enough")) } else { Ok(()) }
    }

    fn end(&mut self) -> Result<(), UnpackError> {
        self.data(b"|")
    }
}

/// What comes of reading with so many threads: every byte that was handed on, and the manifest or the error.
fn outcome(threads: usize, stream: &[u8], limits: &Limits, most: usize) -> (Vec<u8>, Result<Manifest, String>) {
    let mut receiver = Noting { most, bytes: Vec::new() };
    let read = read_with(Some(threads), stream, limits, &mut receiver, &Silent);
    (receiver.bytes, read.map_err(|error| error.to_string()))
}

fn same(stream: &[u8], limits: &Limits, most: usize) -> Result<Manifest, String> {
    let one = outcome(1, stream, limits, most);
    for threads in [2, 8] {
        let other = outcome(threads, stream, limits, most);
        assert_eq!(other.1, one.1, "{threads} threads");
        assert!(other.0 == one.0, "{threads} threads hand on {} bytes, one {}", other.0.len(), one.0.len());
    }
    one.1
}

/// A snapshot in frames of so many bytes of tar.
fn in_frames(piece: usize, files: &[(&str, &[u8])]) -> Vec<u8> {
    let body: Vec<u8> = files.iter().flat_map(|(name, content)| tar_entry(name, content)).collect();
    let (mut compressor, mut frame) = (FrameCompressor::new(1).unwrap(), Vec::new());
    let mut writer = FrameWriter::new(Vec::new());
    for piece in tar_of(&body, files).chunks(piece) {
        compressor.compress(piece, &mut frame).unwrap();
        writer.write(&frame, piece.len()).unwrap();
    }
    writer.finish().unwrap()
}

#[test]
fn what_is_read_and_what_is_said_of_a_fault_does_not_depend_on_threads() {
    let (long, other) = (log(300_000, 1), noise(90_000, 2));
    let files: [(&str, &[u8]); 4] = [("a", &long), ("b", b""), ("c/d", &other), ("e", b"end\n")];
    let stream = in_frames(20_000, &files);
    let limits = Limits::default();
    same(&stream, &limits, usize::MAX).unwrap();
    same(&in_frames(FRAME, &files), &limits, usize::MAX).unwrap();
    let (mut damaged, mut fine) = (0, 0);
    for at in (0..stream.len()).step_by(2_503).chain(stream.len() - 100..stream.len()) {
        let mut changed = stream.clone();
        changed[at] ^= 0x10;
        match same(&changed, &limits, usize::MAX) {
            Ok(_) => fine += 1,
            Err(_) => damaged += 1,
        }
        same(&stream[..at], &limits, usize::MAX).unwrap_err();
    }
    // Nothing protects the unused bits of zstd's block headers but the seal.
    assert!(damaged > 20 * fine, "{damaged} {fine}");
    for limits in [
        Limits { total: 100_000, ..Limits::default() },
        Limits { entries: 3, ..Limits::default() },
        Limits { frames: 7, ..Limits::default() },
        Limits { frame: 19_999, ..Limits::default() },
        Limits { ratio: 2, ratio_from: 50_000, ..Limits::default() },
        Limits { manifest: 20, ..Limits::default() },
    ] {
        same(&stream, &limits, usize::MAX).unwrap_err();
    }
}

#[test]
fn the_first_of_several_faults_is_told() {
    // A header is wrong in the first frame; the frames behind are damaged, the table is missing.
    let mut tar = tar_entry("a", &log(200_000, 1));
    tar[150] ^= 1;
    let stream = {
        let (mut compressor, mut frame, mut stream) = (FrameCompressor::new(1).unwrap(), Vec::new(), Vec::new());
        for piece in tar.chunks(20_000) {
            compressor.compress(piece, &mut frame).unwrap();
            if !stream.is_empty() {
                let middle = frame.len() / 2;
                frame[middle..].fill(0xff);
            }
            stream.extend_from_slice(&frame);
        }
        stream
    };
    let error = same(&stream, &Limits::default(), usize::MAX).unwrap_err();
    let what = error.split(" (").next().unwrap();
    assert!(!what.contains("frame") && !what.contains("early"), "{error}");
}

#[test]
fn who_stops_early_is_not_waited_for() {
    let stream = in_frames(FRAME, &[("a", &log(20 << 20, 1))]);
    for most in [0, 1, 1000, FRAME, 3 * FRAME + 5, 19 << 20] {
        let error = same(&stream, &Limits::default(), most).unwrap_err();
        assert!(error.starts_with("the archive is damaged: enough (entry 1"), "{error}");
    }
}

#[test]
fn large_foreign_frames_are_read_one_by_one() {
    let stream = in_frames(16 << 20, &[("a", &log(35 << 20, 1))]);
    same(&stream, &Limits::default(), usize::MAX).unwrap();
}
