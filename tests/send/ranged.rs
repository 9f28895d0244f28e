//! A file at an address, read in parts: from honest servers, from broken ones, and from ones that lie.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::net::TcpStream;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tarseal::send::{Client, ClientOptions, FileUrl, Pace, RangedError, RangedFile, SendError};

use crate::hostile::Server;
use crate::support::{FakePace, Place};

const KIB: usize = 1024;

struct Waits(Rc<FakePace>);

impl Pace for Waits {
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    fn wait(&self, until: Duration, because: &SendError) {
        self.0.wait(until, because);
    }
}

fn open(server: &Server) -> Result<(RangedFile, Rc<FakePace>), SendError> {
    open_with(server, server.client())
}

fn open_with(server: &Server, client: Client) -> Result<(RangedFile, Rc<FakePace>), SendError> {
    let pace = Rc::<FakePace>::default();
    let url: FileUrl = format!("{}logs/4711.tarseal?signature=swordfish", server.address.as_str()).parse().unwrap();
    let rng = Box::new(StdRng::seed_from_u64(5));
    let file = RangedFile::open(client, url, Some("audio drops"), Box::new(Waits(pace.clone())), rng)?;
    Ok((file, pace))
}

fn refusal(server: &Server) -> SendError {
    open(server).map(|_| ()).expect_err("it should have been refused")
}

fn read_at(file: &mut RangedFile, at: usize, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    file.seek(SeekFrom::Start(at as u64))?;
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// The error of the way inside an error of reading.
fn way(error: io::Error) -> SendError {
    assert!(RangedError::from_io(&error).is_some(), "{error}");
    error.into_inner().unwrap().downcast::<RangedError>().unwrap().error
}

/// The range that is asked for.
fn asked(head: &str) -> (usize, usize) {
    let line = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("range: bytes=").map(str::to_owned));
    let (first, last) = line.as_deref().and_then(|range| range.split_once('-')).expect("a range is asked for");
    (first.parse().unwrap(), last.parse().unwrap())
}

/// An honest part of the bytes.
fn part(bytes: &[u8], (first, last): (usize, usize), more: &str) -> Vec<u8> {
    let end = (last + 1).min(bytes.len());
    let range = format!("bytes {first}-{}/{}", end - 1, bytes.len());
    labelled(&bytes[first..end], &range, more)
}

/// Bytes under any label.
fn labelled(bytes: &[u8], range: &str, more: &str) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 206 Partial Content\r\nContent-Length: {}\r\nContent-Range: {range}\r\nConnection: close\r\n{more}\r\n",
        bytes.len()
    );
    [head.as_bytes(), bytes].concat()
}

const TAG: &str = "ETag: \"one\"\r\n";

/// Serves the bytes as it should, and counts what it gives.
fn honest(bytes: Vec<u8>) -> (Server, Arc<AtomicU64>) {
    let served = Arc::<AtomicU64>::default();
    let count = Arc::clone(&served);
    let server = Server::start(move |stream, head| {
        let answer = part(&bytes, asked(head), TAG);
        count.fetch_add(answer.len() as u64, Ordering::SeqCst);
        let _ = stream.write_all(&answer);
    });
    (server, served)
}

/// Serves honestly until the answer of this number, from 0, which is `lie`'s.
fn lying_at(
    number: usize,
    bytes: Vec<u8>,
    lie: impl Fn(&mut TcpStream, &[u8], (usize, usize)) + Send + Sync + 'static,
) -> Server {
    let answers = AtomicUsize::new(0);
    Server::start(move |stream, head| {
        let range = asked(head);
        if answers.fetch_add(1, Ordering::SeqCst) >= number {
            lie(stream, &bytes, range);
        } else {
            let _ = stream.write_all(&part(&bytes, range, TAG));
        }
    })
}

#[test]
fn any_part_is_what_stands_there_and_little_else_is_fetched() {
    let bytes = Place::new(8 << 20).bytes;
    let (server, served) = honest(bytes.clone());
    let (mut file, pace) = open(&server).unwrap();
    assert_eq!(file.length(), bytes.len() as u64);
    for at in [5_000_000, 3, 4_999_990, bytes.len() - 9, 6_000_001, 1 << 20] {
        assert!(read_at(&mut file, at, 9).unwrap() == bytes[at..at + 9], "{at}");
    }
    assert!(served.load(Ordering::SeqCst) < 7 * 66_000, "{}", served.load(Ordering::SeqCst));
    let mut rng = StdRng::seed_from_u64(1);
    for _ in 0..60 {
        let at = rng.random_range(0..bytes.len());
        let length = rng.random_range(0..(bytes.len() - at).min(300_000));
        assert!(read_at(&mut file, at, length).unwrap() == bytes[at..at + length], "{at} {length}");
    }
    assert_eq!(file.seek(SeekFrom::End(5)).unwrap(), bytes.len() as u64 + 5);
    assert_eq!(file.read(&mut [0]).unwrap(), 0);
    assert!(file.seek(SeekFrom::Current(i64::MIN)).is_err());
    assert!(pace.waits.borrow().is_empty());
}

#[test]
fn reading_on_asks_for_more_each_time_and_for_nothing_twice() {
    let bytes = Place::new((6 << 20) + 123).bytes;
    let (server, _) = honest(bytes.clone());
    let (mut file, _) = open(&server).unwrap();
    let mut whole = Vec::new();
    file.read_to_end(&mut whole).unwrap();
    assert!(whole == bytes);
    let asked: Vec<(usize, usize)> = server.heads.lock().unwrap().iter().map(|head| asked(head)).collect();
    let lengths: Vec<usize> = asked.iter().map(|(first, last)| last + 1 - first).collect();
    assert!(asked.windows(2).all(|pair| pair[0].1 + 1 == pair[1].0), "{asked:?}");
    assert_eq!(lengths[0], 64 * KIB);
    assert!(lengths.windows(2).all(|pair| pair[1] <= 2 * pair[0].max(64 * KIB)), "{lengths:?}");
    assert!(lengths.iter().all(|&length| length <= 1 << 20) && lengths.contains(&(1 << 20)), "{lengths:?}");
}

#[test]
fn what_is_asked_names_the_part_the_tag_and_the_reason() {
    let (server, _) = honest(Place::new(300_000).bytes);
    let (mut file, _) = open(&server).unwrap();
    read_at(&mut file, 200_000, 1).unwrap();
    let heads = server.heads.lock().unwrap();
    let [first, second] = [&heads[0], &heads[1]].map(|head| head.to_ascii_lowercase());
    assert!(first.starts_with("get /logs/4711.tarseal?signature=swordfish http/1.1\r\n"), "{first}");
    for line in ["range: bytes=0-65535", "accept-encoding: identity", "tarseal-reason: audio drops"] {
        assert!(first.contains(&format!("\r\n{line}\r\n")), "{line} in {first}");
    }
    assert!(!first.contains("if-range"));
    for line in ["range: bytes=196608-262143", "if-range: \"one\""] {
        assert!(second.contains(&format!("\r\n{line}\r\n")), "{line} in {second}");
    }
}

#[test]
fn a_server_that_lies_about_a_part_is_not_believed() {
    type Lie = fn(&[u8], (usize, usize)) -> Vec<u8>;
    let lies: [(&str, Lie); 12] = [
        ("another part", |bytes, (first, last)| {
            labelled(&bytes[first..=last], &format!("bytes {}-{}/{}", first + 1, last + 1, bytes.len()), TAG)
        }),
        ("an earlier part", |bytes, (first, last)| {
            labelled(&bytes[..=last - first], &format!("bytes 0-{}/{}", last - first, bytes.len()), TAG)
        }),
        ("more than was asked for", |bytes, (first, last)| part(bytes, (first, last + 1), TAG)),
        ("a part backwards", |bytes, (first, _)| labelled(&[], &format!("bytes {first}-0/{}", bytes.len()), TAG)),
        ("a part behind the end", |bytes, (first, last)| {
            labelled(&bytes[first..=last], &format!("bytes {first}-{last}/{first}"), TAG)
        }),
        ("no whole length", |bytes, (first, last)| {
            labelled(&bytes[first..=last], &format!("bytes {first}-{last}/*"), TAG)
        }),
        ("no part at all", |bytes, (first, last)| {
            let head = format!("HTTP/1.1 206 Partial Content\r\nContent-Length: {}\r\n\r\n", last - first + 1);
            [head.as_bytes(), &bytes[first..=last]].concat()
        }),
        ("other words", |bytes, (first, last)| labelled(&bytes[first..=last], "lines 1-2/3", TAG)),
        ("another length", |bytes, (first, last)| {
            labelled(&bytes[first..last], &format!("bytes {first}-{last}/{}", bytes.len()), TAG)
        }),
        ("more bytes than it says", |bytes, (first, last)| {
            let range = format!("Content-Range: bytes {first}-{last}/{}\r\n{TAG}", bytes.len());
            let head = format!("HTTP/1.1 206 Partial Content\r\n{range}Connection: close\r\n\r\n");
            [head.as_bytes(), &bytes[first..=last], b"more"].concat()
        }),
        ("a compressed form", |bytes, range| part(bytes, range, &format!("{TAG}Content-Encoding: gzip\r\n"))),
        ("a status of another kind", |_, _| b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()),
    ];
    let bytes = Place::new(400_000).bytes;
    for (what, lie) in lies {
        // Of the first part there is no earlier one.
        for number in if what == "an earlier part" { 1..2 } else { 0..2 } {
            let server = lying_at(number, bytes.clone(), move |stream, bytes, range| {
                let _ = stream.write_all(&lie(bytes, range));
            });
            let error = match number {
                0 => refusal(&server),
                _ => way(read_at(&mut open(&server).unwrap().0, 200_000, 1).expect_err(what)),
            };
            let length_differs = matches!(error, SendError::Changed { .. });
            assert!(matches!(error, SendError::Unexpected(_)) || length_differs, "{what}: {error}");
            assert!(!error.to_string().contains("swordfish"), "{error}");
        }
    }
}

#[test]
fn a_file_that_changes_is_an_error() {
    type Change = fn(&[u8], (usize, usize)) -> Vec<u8>;
    let changes: [(&str, Change); 6] = [
        ("longer", |bytes, range| part(&[bytes, b"more"].concat(), range, TAG)),
        ("shorter", |bytes, range| part(&bytes[..bytes.len() - 1], range, TAG)),
        ("another tag", |bytes, range| part(bytes, range, "ETag: \"two\"\r\n")),
        ("no tag", |bytes, range| part(bytes, range, "")),
        ("the whole of another", |bytes, _| {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nETag: \"two\"\r\n\r\n", bytes.len());
            [head.as_bytes(), bytes].concat()
        }),
        ("gone from there", |_, _| {
            b"HTTP/1.1 416 No\r\nContent-Range: bytes */9\r\nContent-Length: 0\r\n\r\n".to_vec()
        }),
    ];
    let bytes = Place::new(400_000).bytes;
    for (what, change) in changes {
        let server = lying_at(1, bytes.clone(), move |stream, bytes, range| {
            let _ = stream.write_all(&change(bytes, range));
        });
        let (mut file, pace) = open(&server).unwrap();
        let error = way(read_at(&mut file, 200_000, 1).expect_err(what));
        assert!(matches!(&error, SendError::Changed { host } if host == "127.0.0.1"), "{what}: {error}");
        assert!(pace.waits.borrow().is_empty());
    }
    // Without a tag the date tells; with one the date does not matter.
    for (first, second, same) in [
        ("Last-Modified: Sat, 21 Nov 2026 14:20:01 GMT\r\n", "Last-Modified: Sat, 21 Nov 2026 14:20:02 GMT\r\n", false),
        ("ETag: \"one\"\r\nLast-Modified: a\r\n", "ETag: \"one\"\r\nLast-Modified: b\r\n", true),
        ("ETag: W/\"one\"\r\n", "ETag: W/\"one\"\r\n", true),
        ("", "", true),
    ] {
        let (bytes, answers) = (bytes.clone(), AtomicUsize::new(0));
        let server = Server::start(move |stream, head| {
            assert!(!head.to_ascii_lowercase().contains("if-range: w/"));
            let more = if answers.fetch_add(1, Ordering::SeqCst) == 0 { first } else { second };
            let _ = stream.write_all(&part(&bytes, asked(head), more));
        });
        let read = read_at(&mut open(&server).unwrap().0, 200_000, 1);
        assert_eq!(read.is_ok(), same, "{first}");
    }
}

#[test]
fn a_server_that_gives_only_whole_files_gives_short_ones() {
    let whole = |length: usize, told: bool| {
        let bytes = Place::new(length).bytes;
        let length = if told { format!("Content-Length: {length}\r\n") } else { String::new() };
        let answer = [format!("HTTP/1.1 200 OK\r\n{length}Connection: close\r\n\r\n").as_bytes(), &bytes].concat();
        (Server::answering(answer), bytes)
    };
    for length in [0, 1, 70_000, 1 << 20] {
        let (server, bytes) = whole(length, true);
        let mut read = Vec::new();
        open(&server).unwrap().0.read_to_end(&mut read).unwrap();
        assert!(read == bytes, "{length}");
        assert_eq!(server.heads.lock().unwrap().len(), 1);
    }
    for (length, told) in [((1 << 20) + 1, true), (100, false)] {
        let error = refusal(&whole(length, told).0);
        assert!(matches!(error, SendError::NoRanges { .. }), "{error}");
    }
    // One that gives parts at first and then no more.
    let server = lying_at(1, Place::new(400_000).bytes, |stream, bytes, _| {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n{TAG}\r\n", bytes.len());
        let _ = stream.write_all(&[head.as_bytes(), bytes].concat());
    });
    let error = way(read_at(&mut open(&server).unwrap().0, 200_000, 1).unwrap_err());
    assert!(matches!(error, SendError::NoRanges { .. }), "{error}");
    // A short file whose answer breaks off is asked for again.
    let answers = AtomicUsize::new(0);
    let server = Server::start(move |stream, _| {
        let cut = if answers.fetch_add(1, Ordering::SeqCst) == 0 { 5 } else { 10 };
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\n");
        let _ = stream.write_all(&b"0123456789"[..cut]);
    });
    let mut text = String::new();
    open(&server).unwrap().0.read_to_string(&mut text).unwrap();
    assert_eq!(text, "0123456789");
}

#[test]
fn an_empty_file_is_empty() {
    let server = Server::answering("HTTP/1.1 416 No\r\nContent-Range: bytes */0\r\nContent-Length: 0\r\n\r\n");
    let (mut file, _) = open(&server).unwrap();
    assert_eq!((file.length(), file.read(&mut [0]).unwrap()), (0, 0));
    let server = Server::answering("HTTP/1.1 416 No\r\nContent-Range: bytes */9\r\nContent-Length: 0\r\n\r\n");
    assert!(matches!(refusal(&server), SendError::Unexpected(_)));
}

#[test]
fn answers_that_are_cut_off_are_gone_on_with() {
    let bytes = Place::new(2 << 20).bytes;
    let (source, number) = (bytes.clone(), AtomicUsize::new(0));
    let server = Server::start(move |stream, head| {
        let answer = part(&source, asked(head), TAG);
        // Within the head, between head and body, and at some places of the body; at times not at all.
        let cut = match number.fetch_add(1, Ordering::SeqCst) % 7 {
            0 => 20,
            1 => 300,
            2 | 3 => answer.len() / 2,
            4 => answer.len() - 1,
            _ => answer.len(),
        };
        let _ = stream.write_all(&answer[..cut.min(answer.len())]);
    });
    let (mut file, pace) = open(&server).unwrap();
    let mut whole = Vec::new();
    file.read_to_end(&mut whole).unwrap();
    assert!(whole == bytes);
    assert!(!pace.waits.borrow().is_empty());
}

#[test]
fn a_way_that_stays_broken_is_temporary_in_the_end() {
    let server = Server::answering("HTTP/1.1 206 Partial Content\r\n");
    let error = refusal(&server);
    assert!(error.is_temporary(), "{error}");
    assert_eq!(server.heads.lock().unwrap().len(), 6);

    let server = lying_at(1, Place::new(400_000).bytes, |_, _, _| ());
    let (mut file, pace) = open(&server).unwrap();
    let error = way(read_at(&mut file, 200_000, 1).unwrap_err());
    assert!(error.is_temporary() && error.to_string().contains("127.0.0.1"), "{error}");
    assert_eq!(pace.waits.borrow().len(), 5);
    // What came before is still there.
    assert!(read_at(&mut file, 100, 1000).is_ok());
}

#[test]
fn an_answer_that_drips_is_not_waited_for() {
    let server = lying_at(0, Place::new(400_000).bytes, |stream, bytes, range| {
        for byte in part(bytes, range, TAG) {
            if stream.write_all(&[byte]).is_err() {
                return;
            }
            thread::sleep(Duration::from_millis(1));
        }
    });
    let options = ClientOptions { answer_timeout: Duration::from_millis(200), ..ClientOptions::default() };
    let client = Client::new(server.address.clone(), None, &options).unwrap();
    let error = open_with(&server, client).map(|_| ()).unwrap_err();
    assert!(error.is_temporary(), "{error}");
    assert!(server.heads.lock().unwrap().len() < 10);
}

#[test]
fn a_file_in_crumbs_is_refused() {
    let server = lying_at(1, Place::new(400_000).bytes, |stream, bytes, (first, _)| {
        let _ = stream.write_all(&part(bytes, (first, first + 9), TAG));
    });
    let error = way(read_at(&mut open(&server).unwrap().0, 200_000, 1).unwrap_err());
    assert!(matches!(error, SendError::Unexpected(_)), "{error}");
    assert!(server.heads.lock().unwrap().len() < 10);

    // Parts that are shorter than asked for and not that short are gone on with.
    let bytes = Place::new(400_000).bytes;
    let server = lying_at(0, bytes.clone(), |stream, bytes, (first, last)| {
        let _ = stream.write_all(&part(bytes, (first, last.min(first + 20_000)), TAG));
    });
    let mut whole = Vec::new();
    open(&server).unwrap().0.read_to_end(&mut whole).unwrap();
    assert!(whole == bytes);
}

#[test]
fn a_busy_server_is_waited_for_and_not_for_ever() {
    let answers = AtomicUsize::new(0);
    let bytes = Place::new(1000).bytes;
    let server = Server::start(move |stream, head| {
        let busy = b"HTTP/1.1 503 No\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n".to_vec();
        let first = answers.fetch_add(1, Ordering::SeqCst) == 0;
        let _ = stream.write_all(&if first { busy } else { part(&bytes, asked(head), TAG) });
    });
    let (_, pace) = open(&server).unwrap();
    assert!(pace.waits.borrow()[0].0 >= Duration::from_secs(7));

    let server = Server::answering("HTTP/1.1 503 No\r\nRetry-After: 86400\r\nContent-Length: 0\r\n\r\n");
    assert!(refusal(&server).is_temporary());
    assert_eq!(server.heads.lock().unwrap().len(), 1);
}

#[test]
fn refusals_are_told_at_once_and_redirects_are_not_followed() {
    let answer = |status: &str| Server::answering(format!("HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n"));
    assert!(matches!(refusal(&answer("401")), SendError::Refused(_)));
    assert!(matches!(refusal(&answer("404")), SendError::NotFound(_)));
    assert!(matches!(refusal(&answer("410")), SendError::Expired(_)));
    let elsewhere = Server::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let to = format!("HTTP/1.1 302 Found\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n", elsewhere.address.as_str());
    assert!(matches!(refusal(&Server::answering(to)), SendError::Redirect { .. }));
    assert_eq!(elsewhere.connections.load(Ordering::SeqCst), 0);
}
