//! A sealed file read from any place: the same bytes as from front to back, after its length was proven.

use std::io::{self, BufRead, Cursor, Read, Seek, SeekFrom};
use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;
use tarseal::format::{Header, Identity, KeyKind, OpenError, SeekReader, Share};

use crate::support::{PREFIX, Pieces, SEALED_CHUNK, header_length, identity, rng, seal, text};

const CHUNK: usize = 16_384;

fn key() -> Identity {
    identity(KeyKind::X25519, 1)
}

fn reader<R: Read + Seek>(mut file: R, share: Option<&Share>) -> Result<SeekReader<R>, OpenError> {
    let header = Header::read(&mut file)?;
    SeekReader::new(header, file, &[key()], share)
}

fn sealed(plaintext: &[u8]) -> Vec<u8> {
    seal(&[key().recipient()], None, plaintext, 3)
}

/// Why the file gives not a single byte.
fn refusal(file: &[u8]) -> String {
    match reader(Cursor::new(file), None) {
        Ok(_) => panic!("opened"),
        Err(error) => error.to_string(),
    }
}

fn read_at(reader: &mut (impl Read + Seek), at: usize, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    reader.seek(SeekFrom::Start(at as u64))?;
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// The reason inside an error of reading.
fn reason(error: &io::Error) -> String {
    OpenError::from_io(error).expect("the seal's own error").to_string()
}

/// Counts the bytes that are read of a file.
struct Counted<'a>(Cursor<&'a [u8]>, &'a AtomicU64);

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.0.read(buffer)?;
        self.1.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}

impl Seek for Counted<'_> {
    fn seek(&mut self, target: SeekFrom) -> io::Result<u64> {
        self.0.seek(target)
    }
}

#[test]
fn what_is_read_at_every_chunk_edge_is_what_was_sealed_there() {
    for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 9 * CHUNK - 1, 9 * CHUNK, 17 * CHUNK + 1] {
        let plaintext = text(length);
        let file = sealed(&plaintext);
        let mut reader = reader(Cursor::new(&file), None).unwrap();
        assert_eq!(reader.length(), length as u64);
        let edges = (0..=length / CHUNK).flat_map(|n| [n * CHUNK, n * CHUNK + 1, (n * CHUNK).saturating_sub(1)]);
        let mut places: Vec<usize> = edges.chain([length]).filter(|&at| at <= length).collect();
        places.extend(places.clone().iter().rev());
        for at in places {
            for wanted in [1, 2, CHUNK, CHUNK + 1, 3 * CHUNK] {
                let wanted = wanted.min(length - at);
                assert!(
                    read_at(&mut reader, at, wanted).unwrap() == plaintext[at..at + wanted],
                    "{length} {at} {wanted}"
                );
            }
        }
        let mut whole = Vec::new();
        reader.rewind().unwrap();
        reader.read_to_end(&mut whole).unwrap();
        assert!(whole == plaintext, "{length}");
        assert_eq!(reader.read(&mut [0]).unwrap(), 0);
        assert!(reader.fill_buf().unwrap().is_empty());
    }
}

#[test]
fn a_share_and_every_kind_of_key_open_as_they_do_from_the_front() {
    let share = Share::random(&mut rng(2));
    let plaintext = text(20_000);
    for kind in [KeyKind::X25519, KeyKind::XWing] {
        let keys = [identity(kind, 5)];
        let file = seal(&[keys[0].recipient()], Some(&share), &plaintext, 3);
        let open = |keys: &[Identity], share: Option<&Share>| {
            let mut source = Cursor::new(file.as_slice());
            let header = Header::read(&mut source).unwrap();
            SeekReader::new(header, source, keys, share)
        };
        let mut reader = open(&keys, Some(&share)).unwrap();
        assert!(read_at(&mut reader, 12_345, 7_000).unwrap() == plaintext[12_345..19_345]);
        assert!(matches!(open(&keys, None), Err(OpenError::ShareNeeded(_))));
        assert!(matches!(open(&keys, Some(&Share::random(&mut rng(9)))), Err(OpenError::Commitment)));
        assert!(matches!(open(&[identity(kind, 6)], Some(&share)), Err(OpenError::NoKeyFits)));
    }
}

#[test]
fn a_file_of_another_length_gives_no_byte() {
    for tail in [0, 1, 100, CHUNK - 1] {
        let file = sealed(&text(4 * CHUNK + tail));
        let first = header_length(&file) + PREFIX;
        let mut lengths: Vec<usize> = (0..first).step_by(37).collect();
        for chunk in 0..=4 {
            let edge = first + chunk * SEALED_CHUNK;
            lengths.extend([edge - 1, edge, edge + 1, edge + 15, edge + 16, edge + 17]);
        }
        lengths.extend([file.len() - 17, file.len() - 16, file.len() - 1]);
        for length in lengths.into_iter().filter(|&length| length < file.len()) {
            let reason = refusal(&file[..length]);
            assert!(reason == "the file is cut off" || reason.ends_with("is damaged"), "{length}: {reason}");
        }
        for more in [1, 15, 16, 17, SEALED_CHUNK, SEALED_CHUNK - file.len() % SEALED_CHUNK] {
            let longer = [file.as_slice(), &vec![7; more]].concat();
            let reason = refusal(&longer);
            assert!(reason == "the file is cut off" || reason.ends_with("is damaged"), "{more} more: {reason}");
        }
    }
}

#[test]
fn chunks_that_were_dropped_doubled_or_put_last_give_no_byte() {
    let pieces = Pieces::of(&sealed(&text(6 * CHUNK + 5)));
    let changed = |change: fn(&mut Vec<Vec<u8>>)| {
        let mut other = pieces.clone();
        change(&mut other.chunks);
        other.join()
    };
    for file in [
        changed(|chunks| drop(chunks.pop())),
        changed(|chunks| drop(chunks.remove(2))),
        changed(|chunks| chunks.insert(2, chunks[2].clone())),
        changed(|chunks| chunks.swap(2, 6)),
        changed(|chunks| *chunks.last_mut().unwrap() = chunks[1][..21].to_vec()),
        changed(|chunks| chunks.push(chunks[6].clone())),
    ] {
        let reason = refusal(&file);
        assert!(reason.ends_with("is damaged") || reason == "the file is cut off", "{reason}");
    }
}

#[test]
fn the_end_of_another_file_is_no_end_of_this_one() {
    let key = key();
    let of = |seed| Pieces::of(&seal(&[key.recipient()], None, &text(3 * CHUNK + 9), seed));
    let (mut one, other) = (of(3), of(4));
    one.chunks[3] = other.chunks[3].clone();
    assert_eq!(refusal(&one.join()), "chunk 3 is damaged");
    let mut whole_payload = of(3);
    (whole_payload.prefix, whole_payload.chunks) = (other.prefix, other.chunks);
    assert!(refusal(&whole_payload.join()).contains("header was changed"));
}

#[test]
fn a_damaged_chunk_is_named_each_time_and_the_others_are_read() {
    let plaintext = text(20 * CHUNK + 5);
    let file = sealed(&plaintext);
    let first = header_length(&file) + PREFIX;
    for damaged in [0, 1, 7, 8, 13, 19] {
        let mut file = file.clone();
        file[first + damaged * SEALED_CHUNK + 99] ^= 4;
        let mut reader = reader(Cursor::new(file.as_slice()), None).unwrap();
        for _ in 0..2 {
            for chunk in 0..=20 {
                let wanted = if chunk == 20 { 5 } else { CHUNK };
                let read = read_at(&mut reader, chunk * CHUNK, wanted);
                if chunk == damaged {
                    assert_eq!(reason(&read.unwrap_err()), format!("chunk {damaged} is damaged"));
                } else {
                    assert!(read.unwrap() == plaintext[chunk * CHUNK..chunk * CHUNK + wanted], "{chunk}");
                }
            }
        }
        // What is before it comes out, byte for byte, and nothing behind it.
        let mut before = Vec::new();
        reader.rewind().unwrap();
        reader.read_to_end(&mut before).unwrap_err();
        assert!(before == plaintext[..damaged * CHUNK]);
    }
}

#[test]
fn swapped_chunks_are_both_damaged() {
    let mut pieces = Pieces::of(&sealed(&text(9 * CHUNK + 5)));
    pieces.chunks.swap(2, 5);
    let file = pieces.join();
    let mut reader = reader(Cursor::new(file.as_slice()), None).unwrap();
    for chunk in 0..9 {
        let read = read_at(&mut reader, chunk * CHUNK + 1, 1);
        match chunk {
            2 | 5 => assert_eq!(reason(&read.unwrap_err()), format!("chunk {chunk} is damaged")),
            _ => assert!(read.is_ok()),
        }
    }
}

#[test]
fn a_byte_costs_the_header_its_chunk_and_the_last_one() {
    let plaintext = text(600 * CHUNK + 5);
    let file = sealed(&plaintext);
    let read = AtomicU64::new(0);
    let mut reader = reader(Counted(Cursor::new(file.as_slice()), &read), None).unwrap();
    let header = (header_length(&file) + PREFIX) as u64;
    assert_eq!(read.load(Ordering::Relaxed), header + 5 + 16);
    assert_eq!(read_at(&mut reader, 300 * CHUNK + 9, 1).unwrap(), plaintext[300 * CHUNK + 9..][..1]);
    assert_eq!(read.load(Ordering::Relaxed), header + 5 + 16 + SEALED_CHUNK as u64);
    // Read again, it costs nothing; read on, each byte of the source is read once.
    read_at(&mut reader, 300 * CHUNK, CHUNK).unwrap();
    assert_eq!(read.load(Ordering::Relaxed), header + 5 + 16 + SEALED_CHUNK as u64);
    for at in (301 * CHUNK..420 * CHUNK).step_by(1000) {
        read_at(&mut reader, at, 1000).unwrap();
    }
    let chunks = (read.load(Ordering::Relaxed) - header) / SEALED_CHUNK as u64;
    assert!((120..=129).contains(&chunks), "{chunks}");
}

#[test]
fn a_position_behind_the_end_is_the_end_and_one_before_the_beginning_an_error() {
    let file = sealed(b"short");
    let mut reader = reader(Cursor::new(file), None).unwrap();
    assert_eq!(reader.seek(SeekFrom::End(-2)).unwrap(), 3);
    assert_eq!(reader.read(&mut [0; 9]).unwrap(), 2);
    assert_eq!(reader.seek(SeekFrom::Current(-4)).unwrap(), 1);
    assert!(reader.seek(SeekFrom::Current(-2)).is_err());
    assert!(reader.seek(SeekFrom::End(-6)).is_err());
    for target in [SeekFrom::Start(u64::MAX), SeekFrom::End(7), SeekFrom::Start(5)] {
        reader.seek(target).unwrap();
        assert_eq!(reader.read(&mut [0; 9]).unwrap(), 0);
    }
    assert!(reader.seek(SeekFrom::Current(i64::MAX)).is_ok());
    assert!(reader.seek(SeekFrom::Start(u64::MAX)).is_ok() && reader.seek(SeekFrom::Current(1)).is_err());
}

#[test]
fn a_source_that_fails_or_becomes_shorter_says_so() {
    /// Gives a file that loses its end, or fails, once it was measured.
    struct Failing<'a>(Cursor<&'a [u8]>, &'a AtomicU64);
    impl Read for Failing<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.1.load(Ordering::Relaxed) {
                1 => Ok(0),
                2 => Err(io::ErrorKind::TimedOut.into()),
                _ => self.0.read(buffer),
            }
        }
    }
    impl Seek for Failing<'_> {
        fn seek(&mut self, target: SeekFrom) -> io::Result<u64> {
            self.0.seek(target)
        }
    }
    let plaintext = text(20 * CHUNK);
    let file = sealed(&plaintext);
    let mode = AtomicU64::new(0);
    let mut reader = reader(Failing(Cursor::new(file.as_slice()), &mode), None).unwrap();
    mode.store(1, Ordering::Relaxed);
    assert_eq!(reason(&read_at(&mut reader, CHUNK, 9).unwrap_err()), "the file is cut off");
    mode.store(2, Ordering::Relaxed);
    let error = read_at(&mut reader, CHUNK, 9).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert!(OpenError::from_io(&error).is_none());
    mode.store(0, Ordering::Relaxed);
    assert!(read_at(&mut reader, CHUNK, 9).unwrap() == plaintext[CHUNK..CHUNK + 9]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn any_walk_through_a_file_reads_what_is_there(
        length in 0..30 * CHUNK,
        steps in prop::collection::vec((any::<prop::sample::Index>(), 0..3 * CHUNK), 1..40),
    ) {
        let plaintext = text(length);
        let mut reader = reader(Cursor::new(sealed(&plaintext)), None).unwrap();
        for (at, wanted) in steps {
            let at = at.index(length + 1);
            let wanted = wanted.min(length - at);
            prop_assert!(read_at(&mut reader, at, wanted).unwrap() == plaintext[at..at + wanted]);
        }
    }

    #[test]
    fn any_change_gives_the_true_byte_or_an_error(
        at in any::<prop::sample::Index>(), bit in 0..8_u8, ask in 0..5 * CHUNK + 3,
    ) {
        let plaintext = text(5 * CHUNK + 3);
        let mut file = sealed(&plaintext);
        let at = at.index(file.len());
        file[at] ^= 1 << bit;
        if let Ok(mut reader) = reader(Cursor::new(file), None)
            && let Ok(byte) = read_at(&mut reader, ask, 1)
        {
            prop_assert_eq!(byte[0], plaintext[ask]);
        }
    }
}
