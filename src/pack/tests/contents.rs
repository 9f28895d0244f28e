//! Single files out of a stream: the same bytes as from front to back, whatever the stream claims of itself.

use std::io::Cursor;

use super::super::frame::SeekTable;
use super::*;
use crate::clock::Timestamp;

/// Keeps what it is given, file by file.
#[derive(Default)]
struct Files(Vec<(String, Vec<u8>)>);

impl Receiver for Files {
    fn begin(&mut self, path: &ArchivePath, _: u64, _: Option<Timestamp>) -> Result<(), UnpackError> {
        self.0.push((path.as_str().to_owned(), Vec::new()));
        Ok(())
    }

    fn data(&mut self, bytes: &[u8]) -> Result<(), UnpackError> {
        self.0.last_mut().unwrap().1.extend_from_slice(bytes);
        Ok(())
    }

    fn end(&mut self) -> Result<(), UnpackError> {
        Ok(())
    }
}

fn open(stream: &[u8]) -> Result<Contents<Cursor<&[u8]>>, UnpackError> {
    Contents::open(Cursor::new(stream), &Limits::default(), None)
}

/// Every file, read one by one from the last to the first.
fn all(stream: &[u8]) -> Result<Vec<(String, Vec<u8>)>, UnpackError> {
    let mut contents = open(stream)?;
    let mut files = Files::default();
    for number in (0..contents.manifest().entries.len()).rev() {
        contents.read(number, &mut files)?;
    }
    files.0.reverse();
    Ok(files.0)
}

fn refusal(stream: &[u8]) -> UnpackError {
    all(stream).map(|_| ()).expect_err("it should have been refused")
}

/// What the reader from front to back makes of the same stream.
fn from_the_front(stream: &[u8]) -> Result<Vec<(String, Vec<u8>)>, UnpackError> {
    let mut files = Files::default();
    read_entries(stream, &Limits::default(), &mut files, &Silent)?;
    files.0.pop();
    Ok(files.0)
}

/// Compressed and decompressed lengths.
type Table = Vec<(u32, u32)>;

/// The frames of a stream without their seek table, and the table.
fn apart(stream: &[u8]) -> (&[u8], Table) {
    let number = u32::from_le_bytes(stream[stream.len() - 9..][..4].try_into().unwrap());
    let (frames, table) = stream.split_at(stream.len() - 17 - 8 * number as usize);
    (frames, SeekTable::decode(table).unwrap().0)
}

fn joined(frames: &[u8], table: &[(u32, u32)]) -> Vec<u8> {
    [frames, &SeekTable(table.to_vec()).encode()].concat()
}

#[test]
fn each_file_is_read_alone_and_in_any_order() {
    let big = noise(9_000_000, 4);
    let names: Vec<String> = (0..40).map(|n| format!("logs/{n}.log")).collect();
    let mut files: Vec<(&str, &[u8])> =
        names.iter().enumerate().map(|(n, name)| (name.as_str(), &big[n * 4_000..n * 5_001])).collect();
    files.extend([("Zo\u{eb}/x.log", &b"\0\xff"[..]), ("empty", b""), ("z/big", &big), ("z/end", b"the end\n")]);
    let stream = packed(&files);
    let expected: Vec<_> = files.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec())).collect();
    assert!(all(&stream).unwrap() == expected);
    let mut contents = open(&stream).unwrap();
    for number in [43, 0, 42, 17, 42, 40, 41] {
        let mut one = Files::default();
        contents.read(number, &mut one).unwrap();
        assert!(one.0[0] == expected[number], "{number}");
    }
    let mut own = Files::default();
    contents.read_manifest(&mut own).unwrap();
    assert_eq!(own.0[0].0, MANIFEST_PATH);
    assert_eq!(&serde_json::from_slice::<Manifest>(&own.0[0].1).unwrap(), contents.manifest());
}

#[test]
fn an_item_at_any_place_around_the_frame_edges_is_found() {
    for before in [0, FRAME - 1600, FRAME - 1024, FRAME - 512] {
        for length in [0, 513, FRAME - 1537, FRAME + 700] {
            let (first, second) = (noise(before, 2), noise(length, 3));
            let files: [(&str, &[u8]); 3] = [("first", &first), ("second", &second), ("third", b"tail")];
            let read = all(&packed(&files)).unwrap();
            assert!(read.iter().zip(files).all(|((_, read), (_, bytes))| read == bytes), "{before} {length}");
        }
    }
}

#[test]
fn padding_frames_are_passed_over() {
    let line = b"2026-11-21T14:20:01Z host app: all is well\n".repeat(1_000_000);
    let stream = packed(&[("dull.log", &line), ("after", b"x")]);
    assert!(apart(&stream).1.iter().any(|&(_, content)| content == 0));
    let read = all(&stream).unwrap();
    assert!(read[0].1 == line && read[1].1 == b"x");
}

#[test]
fn little_is_read_of_a_long_stream() {
    struct Counted<'a>(Cursor<&'a [u8]>, std::rc::Rc<std::cell::Cell<usize>>);
    impl Read for Counted<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = self.0.read(buffer)?;
            self.1.set(self.1.get() + length);
            Ok(length)
        }
    }
    impl io::Seek for Counted<'_> {
        fn seek(&mut self, target: io::SeekFrom) -> io::Result<u64> {
            self.0.seek(target)
        }
    }
    let big = noise(16 << 20, 1);
    let stream = packed(&[("before", &big), ("wanted", &big[..10_000]), ("after", &big)]);
    let count = std::rc::Rc::new(std::cell::Cell::new(0));
    let mut contents = Contents::open(Counted(Cursor::new(&stream), count.clone()), &Limits::default(), None).unwrap();
    let mut files = Files::default();
    contents.read(1, &mut files).unwrap();
    assert!(files.0[0].1 == big[..10_000]);
    // The manifest's frame and the file's own, which may lie across an edge.
    assert!(count.get() < 3 * FRAME + 100_000, "{}", count.get());
}

#[test]
fn every_truncation_and_every_addition_is_refused() {
    let stream = packed(&[("a", b"some content"), ("b", &noise(3000, 5))]);
    assert!(all(&stream).is_ok());
    for length in 0..stream.len() {
        assert!(
            matches!(refusal(&stream[..length]).reason(), UnpackError::Damaged(_) | UnpackError::Limit(_)),
            "{length}"
        );
    }
    for more in [&b"\0"[..], &stream, &[0; 512]] {
        refusal(&[&stream[..], more].concat());
    }
    let tar = tar_of(&tar_entry("a", b"x"), &[("a", b"x")]);
    assert!(all(&framed(&tar)).is_ok());
    refusal(&framed(&tar[..tar.len() - 512]));
    refusal(&framed(&[&tar[..], &[0; 512]].concat()));
    refusal(&framed(&[&tar[..], &[0; 100]].concat()));
    refusal(&framed(&[&tar[..], &tar].concat()));
    let after = [&tar[..tar.len() - 1024], &tar_entry("c", b""), &dialect::END].concat();
    refusal(&framed(&after));
}

#[test]
fn a_seek_table_that_lies_is_refused() {
    let big = noise(9_000_000, 6);
    let stream = packed(&[("one", &big), ("two", &big[..3_000_000])]);
    let (frames, table) = apart(&stream);
    assert!(table.len() == 3 && all(&joined(frames, &table)).is_ok());
    let lie = |change: &dyn Fn(&mut Table)| {
        let mut other = table.clone();
        change(&mut other);
        refusal(&joined(frames, &other))
    };
    // Sums that do not lead to the table, frames that overlap or leave gaps, contents that are moved about.
    lie(&|table| table[0].0 += 1);
    lie(&|table| table[1].1 += 512);
    lie(&|table| (table[0].0, table[1].0) = (table[0].0 + 1, table[1].0 - 1));
    lie(&|table| (table[0].1, table[1].1) = (table[0].1 - 512, table[1].1 + 512));
    lie(&|table| table.swap(0, 2));
    lie(&|table| table.truncate(2));
    lie(&|table| table.rotate_left(1));
    lie(&|table| table.insert(0, (0, 512)));
    lie(&|table| table.push((0, 0)));
    lie(&|table| table[1].1 = 0);
    lie(&|table| table.clear());
    lie(&|table| table[2] = (table[2].0, 0));
    for (content, limited) in [(u32::MAX, true), (17 << 20, true), (16 << 20, false)] {
        let error = lie(&|table| table[0].1 = content);
        assert_eq!(matches!(error.reason(), UnpackError::Limit(_)), limited, "{content}: {error}");
    }
    // Many frames of nothing, each within its limit, and a number that the stream cannot hold.
    let error = lie(&|table| *table = vec![(16, 16 << 20); 5_000]);
    assert!(matches!(error.reason(), UnpackError::Limit(_)), "{error}");
    let mut many = stream.clone();
    let at = many.len() - 9;
    for (number, limited) in [(u32::MAX, true), ((1 << 20) + 1, true), (1 << 20, false), (2, false), (4, false)] {
        many[at..at + 4].copy_from_slice(&number.to_le_bytes());
        let error = refusal(&many);
        assert_eq!(matches!(error.reason(), UnpackError::Limit(_)), limited, "{number}: {error}");
    }
    for back in 1..=5 {
        let mut other = stream.clone();
        let at = other.len() - back;
        other[at] ^= 1;
        refusal(&other);
    }
}

#[test]
fn a_manifest_that_lies_is_refused() {
    let body = [tar_entry("a", b"xx"), tar_entry("b", b"yy"), tar_entry("c", &[7; 600])].concat();
    let with = |listed: &[(&str, &[u8])]| framed(&tar_of(&body, listed));
    let [a, b, c]: [(&str, &[u8]); 3] = [("a", b"xx"), ("b", b"yy"), ("c", &[7; 600])];
    assert!(all(&with(&[a, b, c])).is_ok());
    for listed in [
        vec![],
        vec![a, b],
        vec![a, b, c, ("d", b"")],
        vec![b, c],
        vec![a, b, ("c", &[7; 88])],
        vec![a, b, ("c", &[7; 1200])],
        vec![a, b, ("C", &[7; 600]), ("c", b"")],
        vec![a, ("A", b"yy"), c],
        vec![a, ("a", b"yy"), c],
    ] {
        assert!(open(&with(&listed)).is_err(), "{listed:?}");
    }
    // What the sizes alone do not tell is told by the header at its place, before a byte is given, or by the digest.
    for (listed, number, given) in [
        (vec![b, a, c], 0, false),
        (vec![a, ("x", &b"yy"[..]), c], 1, false),
        (vec![a, ("b", b"y"), c], 1, false),
        (vec![a, b, ("c", &[7; 599])], 2, false),
        (vec![a, ("b", b"zz"), c], 1, true),
        (vec![a, b, ("c", &[8; 600])], 2, true),
    ] {
        let stream = with(&listed);
        let mut files = Files::default();
        let error = open(&stream).unwrap().read(number, &mut files).unwrap_err();
        assert!(matches!(&error, UnpackError::Entry(path) if path.as_str() == listed[number].0), "{error}");
        assert_eq!(!files.0.is_empty(), given, "{listed:?}");
        assert!(from_the_front(&stream).is_err());
    }
    for json in [&b"{}"[..], b"", b"[]"] {
        refusal(&framed(&[&body[..], &tar_entry(MANIFEST_PATH, json), &dialect::END].concat()));
    }
    refusal(&framed(&[&body[..], &dialect::END].concat()));
}

#[test]
fn a_signature_is_demanded_where_one_is_expected_and_nowhere_else() {
    let good: &[u8] = &[7; 64];
    let (stream, json) = tar_with_behind(&[(SIGNATURE_PATH, good)]);
    let verify = |manifest: &Digest, signature: &Signature| *manifest == json && signature == good;
    let open = |stream: &[u8], verify| Contents::open(Cursor::new(stream.to_vec()), &Limits::default(), verify);
    let mut contents = open(&stream, Some(&verify)).unwrap();
    let mut files = Files::default();
    contents.read(0, &mut files).unwrap();
    assert_eq!(files.0, [("a".to_owned(), b"x".to_vec())]);
    assert!(matches!(open(&stream, None).map(|_| ()).unwrap_err().reason(), UnpackError::Damaged(_)));
    for behind in not_one_signature() {
        let (stream, _) = tar_with_behind(&behind);
        assert!(
            matches!(open(&stream, Some(&verify)).map(|_| ()).unwrap_err().reason(), UnpackError::Damaged(_)),
            "{behind:?}"
        );
        assert_eq!(open(&stream, None).is_ok(), behind.is_empty(), "{behind:?}");
    }
    let (stream, _) = tar_with_behind(&[(SIGNATURE_PATH, &[8; 64])]);
    assert!(matches!(open(&stream, Some(&verify)).map(|_| ()).unwrap_err().reason(), UnpackError::Signature));
}

#[test]
fn sizes_that_overflow_lead_nowhere() {
    let entry = |name: &str, size| Entry { path: path(name), size, sha256: Digest::of(b""), findings: Counts::new() };
    for sizes in [[u64::MAX, 0], [u64::MAX - 511, 0], [u64::MAX / 2, u64::MAX / 2 + 2], [1 << 63, 1 << 63]] {
        let listed = manifest(vec![entry("a", sizes[0]), entry("b", sizes[1])]);
        let json = serde_json::to_vec(&listed).unwrap();
        let body = [tar_entry("a", b""), tar_entry("b", b"")].concat();
        let stream = framed(&[&body[..], &tar_entry(MANIFEST_PATH, &json), &dialect::END].concat());
        assert!(matches!(open(&stream).map(|_| ()).unwrap_err().reason(), UnpackError::Damaged(_)), "{sizes:?}");
    }
}

#[test]
fn a_manifest_inside_a_file_is_a_file() {
    let fake = tar_of(&tar_entry("secret", b"another"), &[("secret", b"another")]);
    let stream = packed(&[("a", b"x"), ("b.tar", &fake)]);
    let read = all(&stream).unwrap();
    assert!(read[0].1 == b"x" && read[1].1 == fake);
    // The last file's end may look like an archive's end, too: what is behind it is the manifest.
    let bare = tar_entry(MANIFEST_PATH, &serde_json::to_vec(&manifest(Vec::new())).unwrap());
    assert!(all(&packed(&[("b", &bare)])).unwrap()[0].1 == bare);
}

#[test]
fn limits_hold_before_anything_is_unpacked() {
    let stream = packed(&[("a", &noise(100_000, 1)), ("b", b"")]);
    for limits in [
        Limits { total: 50_000, ..Limits::default() },
        Limits { entries: 2, ..Limits::default() },
        Limits { manifest: 10, ..Limits::default() },
        Limits { frames: 0, ..Limits::default() },
        Limits { frame: 1000, ..Limits::default() },
        Limits { ratio: 1, ratio_from: 0, ..Limits::default() },
    ] {
        let error = Contents::open(Cursor::new(&stream), &limits, None).map(|_| ()).unwrap_err();
        assert!(matches!(error.reason(), UnpackError::Limit(_)), "{limits:?}: {error}");
    }
    // Frames without the padding that an honest packer puts in.
    let (mut compressor, mut frame) = (FrameCompressor::new(1).unwrap(), Vec::new());
    let (mut frames, mut table) = (Vec::new(), Vec::new());
    for piece in [tar_entry("zeros", &vec![0; 24 << 20]), dialect::END.to_vec()].concat().chunks(FRAME) {
        compressor.compress(piece, &mut frame).unwrap();
        frames.extend_from_slice(&frame);
        table.push((u32::try_from(frame.len()).unwrap(), u32::try_from(piece.len()).unwrap()));
    }
    assert!(matches!(refusal(&joined(&frames, &table)).reason(), UnpackError::Limit(_)));
}

#[test]
fn frames_of_another_kind_are_refused() {
    let tar = tar_of(&tar_entry("a", b"x"), &[("a", b"x")]);
    let with = |flags| one_frame(&tar, flags);
    assert!(all(&with(|_| {})).is_ok());
    refusal(&with(|compressor| compressor.include_checksum(true).unwrap()));
    refusal(&with(|compressor| compressor.include_contentsize(false).unwrap()));
    // Two frames that the table calls one, and one with a skippable frame before it.
    let stream = framed(&tar);
    let (frames, table) = apart(&stream);
    let twice = [frames, frames].concat();
    refusal(&joined(&twice, &[(2 * table[0].0, 2 * table[0].1)]));
    let skipped = [&0x184D_2A50u32.to_le_bytes()[..], &0u32.to_le_bytes(), frames].concat();
    refusal(&joined(&skipped, &[(8 + table[0].0, table[0].1)]));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_accepted_from_the_front_is_the_same_file_by_file(
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..3),
    ) {
        let files: [(&str, &[u8]); 2] = [("a", b"some content of a file"), ("d/b", &noise(700, 9))];
        let mut tar = tar_of(&[tar_entry("a", files[0].1), tar_entry("d/b", files[1].1)].concat(), &files);
        for (at, value) in changes {
            let at = at.index(tar.len());
            tar[at] = value;
        }
        let stream = framed(&tar);
        if let Ok(whole) = from_the_front(&stream) {
            prop_assert_eq!(all(&stream).unwrap(), whole);
        } else if let Ok(parts) = all(&stream) {
            // Only what is in no file and no header can be changed without being met: nothing here.
            prop_assert!(false, "{:?} was read of a refused stream", parts.len());
        }
    }

    #[test]
    fn a_flipped_bit_in_the_stream_never_gives_other_content(at in any::<proptest::sample::Index>(), bit in 0..8u8) {
        let files: [(&str, &[u8]); 2] = [("a", b"some content of a file"), ("d/b", &noise(2000, 9))];
        let mut stream = packed(&files);
        let at = at.index(stream.len());
        stream[at] ^= 1 << bit;
        if let Ok(read) = all(&stream) {
            prop_assert!(read[0].1 == files[0].1 && read[1].1 == files[1].1);
        }
    }

    #[test]
    fn random_bytes_are_no_contents(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        refusal(&bytes);
        refusal(&framed(&bytes));
        refusal(&joined(&bytes, &[(u32::try_from(bytes.len()).unwrap(), 512)]));
    }
}
