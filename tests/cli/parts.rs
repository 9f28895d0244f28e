//! Single files out of a sealed file: `list`, `cat` and `grep`, from a path, a stream, a portal, and any server with ranges.
//!
//! The campaign makes a snapshot of 10 GB and reads one file of it over HTTP. It takes minutes and a few gigabytes of disk, so
//! it stands apart:
//!
//!     cargo test --test cli -- --ignored --nocapture one_file_out_of_ten_gigabytes
//!
//! `TARSEAL_CAMPAIGN_MB` makes the snapshot smaller or larger.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use rand::SeedableRng;
use rand::rngs::StdRng;
use tarseal::format::Recipient;
use tarseal::item::{Content, Item};
use tarseal::pipeline::{Plan, Redaction, create};
use tarseal::progress::Silent;
use tarseal::redact::Consent;

use crate::desk::{Desk, Ran};
use crate::logs::{Mix, generate};

/// Gives a file in parts, as servers do, and counts the bytes of it that it gives.
struct FileServer {
    url: String,
    served: Arc<AtomicU64>,
    asked: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    port: u16,
    thread: Option<JoinHandle<()>>,
}

impl FileServer {
    fn start(file: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (served, asked, stop) = (Arc::default(), Arc::default(), Arc::default());
        let shared = (Arc::clone(&served), Arc::clone(&asked), Arc::clone(&stop), file.to_owned());
        let thread = thread::spawn(move || {
            let (served, asked, stop, file): (Arc<AtomicU64>, Arc<AtomicU64>, Arc<AtomicBool>, PathBuf) = shared;
            for stream in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                asked.fetch_add(1, Ordering::SeqCst);
                served.fetch_add(answer(stream.unwrap(), &file).unwrap_or(0), Ordering::SeqCst);
            }
        });
        let url = format!("http://127.0.0.1:{port}/snapshots/4711.tarseal");
        Self { url, served, asked, stop, port, thread: Some(thread) }
    }
}

impl Drop for FileServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        let _ = self.thread.take().unwrap().join();
    }
}

/// Answers one request and gives how many bytes of the file went out.
fn answer(mut stream: TcpStream, file: &Path) -> io::Result<u64> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte)? == 1 {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    assert!(!head.contains("authorization"), "a stranger gets no token");
    let mut file = File::open(file)?;
    let total = file.metadata()?.len();
    let range = head.lines().find_map(|line| line.strip_prefix("range: bytes=")?.split_once('-')).unwrap();
    let (first, last): (u64, u64) = (range.0.parse().unwrap(), range.1.parse().unwrap());
    let length = (last + 1).min(total) - first;
    file.seek(SeekFrom::Start(first))?;
    write!(
        stream,
        "HTTP/1.1 206 Partial Content\r\nContent-Length: {length}\r\nContent-Range: bytes {first}-{}/{total}\r\nETag: \
         \"a\"\r\nConnection: close\r\n\r\n",
        first + length - 1
    )?;
    io::copy(&mut file.take(length), &mut stream)
}

/// The log of file number `n`: other bytes in each, though made of the same blocks.
struct Log {
    blocks: Arc<Vec<u8>>,
    number: usize,
    length: usize,
}

impl Log {
    fn reader(&self) -> impl Read + use<> {
        // Neighbours hold different parts of the blocks, so that a frame compresses as one of real logs does.
        let begin = self.number * (self.length + 9) % self.blocks.len();
        let line = format!("2026-11-21T14:20:01Z this is file {}\n", self.number);
        let blocks = Blocks { blocks: Arc::clone(&self.blocks), at: begin };
        io::Cursor::new(line.into_bytes()).chain(blocks).take(self.length as u64)
    }

    fn item(self) -> Item {
        let path = format!("var/log/app/{:04}.log", self.number).parse().unwrap();
        Item { path, size: self.length as u64, modified: None, content: Box::new(self) }
    }
}

impl Content for Log {
    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(self.reader()))
    }
}

/// The same blocks again and again.
struct Blocks {
    blocks: Arc<Vec<u8>>,
    at: usize,
}

impl Read for Blocks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = (&self.blocks[self.at..]).read(buffer)?;
        self.at = (self.at + length) % self.blocks.len();
        Ok(length)
    }
}

/// More log than a frame holds, made once. All of it is ASCII, so that it can be cut anywhere.
fn blocks() -> Arc<Vec<u8>> {
    static BLOCKS: LazyLock<Arc<Vec<u8>>> = LazyLock::new(|| {
        let log = generate(Mix::Typical, 4_700_000, 3).bytes;
        Arc::new(log.into_iter().map(|byte| if byte.is_ascii() { byte } else { b'?' }).collect())
    });
    Arc::clone(&BLOCKS)
}

/// Seals `count` logs of `length` bytes for the technician of the desk.
fn seal_logs(desk: &Desk, file: &Path, count: usize, length: usize) -> Arc<Vec<u8>> {
    let blocks = blocks();
    let items = (0..count).map(|number| Log { blocks: Arc::clone(&blocks), number, length }.item()).collect();
    let recipients: [Recipient; 1] = [fs::read_to_string(desk.at("recipient")).unwrap().trim().parse().unwrap()];
    let plan = Plan {
        level: 1,
        items,
        collected: None,
        left_out: Vec::new(),
        redaction: Redaction::None(Consent::explicit()),
        recipients: &recipients,
        sender: None,
        share: None,
        ticket: None,
        created: crate::desk::MORNING.parse().unwrap(),
    };
    create(plan, file, &mut StdRng::seed_from_u64(1), &Silent).unwrap();
    blocks
}

/// A sealed file of a few small logs, two of which are somewhere else than the first.
fn small(desk: &Desk) -> String {
    let logs = desk.at("logs");
    fs::create_dir_all(format!("{logs}/app/old")).unwrap();
    fs::write(format!("{logs}/app/a.log"), "first line\nsecond line, code 4711\r\nthird without an end").unwrap();
    fs::write(format!("{logs}/app/old/b.log"), "nothing\n".repeat(2000) + "code 4711 again\n").unwrap();
    fs::write(format!("{logs}/c.txt"), "code 4711 in a text\n\x1b]0;title\x07 \u{202e}code\u{202c}\n").unwrap();
    fs::write(format!("{logs}/core"), [0_u8, 1, 2, 3, 255].repeat(100)).unwrap();
    let file = desk.at("small.tarseal");
    desk.sender(&["seal", &logs, "-o", &file]).ends(3);
    file
}

fn paths(ran: &Ran) -> Vec<String> {
    ran.out.lines().filter_map(|line| Some(line.trim_start().split_once("  ")?.1.to_owned())).collect()
}

#[test]
fn a_snapshot_is_listed_and_its_files_are_printed_and_searched() {
    let desk = Desk::new();
    let (file, key) = (small(&desk), desk.at("me.key"));
    let listed = desk.technician(&["list", &file, "--key", &key]).ends(0);
    let all = paths(&listed);
    let name = |end: &str| all.iter().find(|path| path.ends_with(end)).unwrap().clone();
    let (a, b, c) = (name("app/a.log"), name("old/b.log"), name("c.txt"));
    assert!(
        listed.out.lines().any(|line| line.contains("left out") && line.contains("core  (binary")),
        "{}",
        listed.out
    );
    let manifest = desk.technician(&["list", &file, "--key", &key, "--json"]).ends(0).result()["manifest"].clone();
    assert_eq!(manifest["entries"].as_array().unwrap().len(), 3);

    let text = "first line\nsecond line, code 4711\r\nthird without an end";
    assert_eq!(desk.technician(&["cat", &file, &a, "--key", &key]).ends(0).out, text);
    let both = desk.technician(&["cat", &file, &b, &a, "--key", &key]).ends(0).out;
    assert!(both.starts_with("nothing\n") && both.ends_with(text));
    let own = desk.technician(&["cat", &file, ".tarseal/manifest.json", "--key", &key]).ends(0).out;
    assert_eq!(serde_json::from_str::<serde_json::Value>(&own).unwrap(), manifest);
    let json = desk.technician(&["cat", &file, &a, "--key", &key, "--json"]).ends(0);
    let event: serde_json::Value = serde_json::from_str(json.out.lines().next().unwrap()).unwrap();
    assert_eq!((event["event"].as_str(), event["path"].as_str()), (Some("content"), Some(a.as_str())));
    assert_eq!(event["base64"].as_str().unwrap().len(), text.len().div_ceil(3) * 4);
    assert_eq!(json.result()["bytes"], text.len());

    let found = desk.technician(&["grep", &file, r"code \d{4}", "--key", &key]).ends(0).out;
    let expected = format!("{a}:2:second line, code 4711\n{b}:2001:code 4711 again\n{c}:1:code 4711 in a text\n");
    assert_eq!(found, expected);
    for (places, count) in [
        (&["*.log"][..], 2),
        (&["app"], 2),
        (&["app/*.log"], 1),
        (&["app/old/"], 1),
        (&["a.log", "c.txt"], 2),
        (&[a.as_str()], 1),
    ] {
        let all = [&["grep", &file, "4711", "--key", &key][..], places].concat();
        assert_eq!(desk.technician(&all).ends(0).out.lines().count(), count, "{places:?}");
    }
    let result = desk.technician(&["grep", &file, "FIRST|^third", "-i", "--key", &key, "--json"]).ends(0);
    let event: serde_json::Value = serde_json::from_str(result.out.lines().nth(1).unwrap()).unwrap();
    assert_eq!((event["line"].as_u64(), event["text"].as_str()), (Some(3), Some("third without an end")));
    assert_eq!((result.result()["lines"].as_u64(), result.result()["files"].as_u64()), (Some(2), Some(1)));
}

#[test]
fn what_is_not_there_is_told_with_what_is_near() {
    let desk = Desk::new();
    let (file, key) = (small(&desk), desk.at("me.key"));
    let all = paths(&desk.technician(&["list", &file, "--key", &key]).ends(0));
    let a = all.iter().find(|path| path.ends_with("app/a.log")).unwrap();
    let cat = |path: &str| desk.technician(&["cat", &file, a, path, "--key", &key]).ends(10);
    for near in ["a.log", &a.to_uppercase(), &format!("./{a}"), &a.replace("app/a.log", "ap/a.log")] {
        let ran = cat(near).says(&format!("Did you mean  {a}"));
        assert!(ran.out.is_empty(), "nothing is printed before all are found");
    }
    cat("quite something else").says("There is no quite something else in the snapshot.").says("tarseal list");
    cat(a.strip_suffix("/a.log").unwrap()).says("is a directory of the snapshot; 2 files below it");
    let core = all.iter().find(|path| path.contains("core")).unwrap().split("  ").next().unwrap().to_owned();
    cat(&core).says("The sender left it out: binary");

    desk.technician(&["grep", &file, "no such words", "--key", &key]).ends(10).says("Nothing matches in 3 files.");
    desk.technician(&["grep", &file, "code", "*.gz", "--key", &key])
        .ends(10)
        .says("No file of the snapshot is named *.gz");
    desk.technician(&["grep", &file, "(", "--key", &key]).ends(2).says("is no pattern: unclosed group");
    desk.technician(&["grep", &file, "a", "b[", "--key", &key]).ends(2).says("is no path and no glob");
    desk.technician(&["cat", &desk.at("none.tarseal"), a, "--key", &key]).ends(10);
}

#[test]
fn a_stream_gives_the_same_as_a_file() {
    let desk = Desk::new();
    let (file, key) = (small(&desk), desk.at("me.key"));
    let piped = |arguments: &[&str]| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tarseal"))
            .args(arguments)
            .args(["--key", &key])
            .env("TARSEAL_HOME", desk.at("technician"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let _ = child.stdin.take().unwrap().write_all(&fs::read(&file).unwrap());
        let output = child.wait_with_output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    let direct = |arguments: &[&str]| {
        let ran = desk.technician(&[arguments, &["--key", &key]].concat());
        (i32::from(ran.code), ran.out)
    };
    let all = paths(&desk.technician(&["list", &file, "--key", &key]).ends(0));
    let (a, b) = (all[0].as_str(), all[1].as_str());
    for rest in [&["4711"][..], &["none"], &["4711", "*.gz"]] {
        assert_eq!(piped(&[&["grep", "-"], rest].concat()), direct(&[&["grep", &file], rest].concat()), "{rest:?}");
    }
    for rest in [&[a][..], &[a, b], &[".tarseal/manifest.json"]] {
        assert_eq!(piped(&[&["cat", "-"], rest].concat()), direct(&[&["cat", &file], rest].concat()), "{rest:?}");
    }
    assert_eq!(piped(&["list", "-"]), direct(&["list", &file]));
    assert_eq!(piped(&["cat", "-", "nothing"]), (10, String::new()));
}

#[test]
fn a_terminal_is_shown_text_and_never_told_what_to_do() {
    let mut desk = Desk::new();
    let (file, key) = (small(&desk), desk.at("me.key"));
    let all = paths(&desk.technician(&["list", &file, "--key", &key]).ends(0));
    let c = all.iter().find(|path| path.ends_with("c.txt")).unwrap();
    let cat = |desk: &Desk| desk.technician(&["cat", &file, c, "--key", &key]).ends(0).out;
    assert!(cat(&desk).contains("\x1b]0;title\x07 \u{202e}code"), "elsewhere the bytes are the bytes");
    desk.terminal = true;
    assert_eq!(cat(&desk), "code 4711 in a text\n\\u{1b}]0;title\\u{7} \\u{202e}code\\u{202c}\n");
    for terminal in [true, false] {
        desk.terminal = terminal;
        let found = desk.technician(&["grep", &file, "title", "--key", &key]).ends(0).out;
        assert_eq!(found, format!("{c}:2:\\u{{1b}}]0;title\\u{{7}} \\u{{202e}}code\\u{{202c}}\n"));
    }
}

#[test]
fn binary_data_is_named_and_not_printed() {
    let desk = Desk::new();
    let (file, key) = (desk.at("b.tarseal"), desk.at("me.key"));
    fs::write(desk.at("data"), b"one \0 match\nanother match\n").unwrap();
    fs::write(desk.at("long"), "match ".repeat(400_000)).unwrap();
    desk.sender(&["seal", &desk.at("data"), &desk.at("long"), "--no-redact", "-o", &file]).ends(0);
    let found = desk.technician(&["grep", &file, "match", "data", "--key", &key]).ends(0).out;
    assert!(found.ends_with("data: binary data match\n") && found.lines().count() == 1, "{found}");
    let found = desk.technician(&["grep", &file, "match", "long", "--key", &key]).ends(0).out;
    assert!(found.lines().count() <= 4 && found.lines().all(|line| line.contains(":1:")));
}

#[test]
fn a_damaged_file_gives_no_byte_of_what_is_damaged() {
    let desk = Desk::new();
    let (file, key, bad) = (desk.at("logs.tarseal"), desk.at("me.key"), desk.at("bad.tarseal"));
    seal_logs(&desk, Path::new(&file), 6, 3_000_000);
    let whole = fs::read(&file).unwrap();
    let path = "var/log/app/0001.log";
    let sound = desk.technician(&["cat", &file, path, "--key", &key]).ends(0).out;
    for length in [whole.len() - 1, whole.len() - 17, whole.len() - 16_400, whole.len() / 2, 3000] {
        fs::write(&bad, &whole[..length]).unwrap();
        for command in [&["cat", &bad, path][..], &["grep", &bad, "file"], &["list", &bad]] {
            let ran = desk.technician(&[command, &["--key", &key]].concat()).ends(6);
            assert!(ran.out.is_empty(), "{length} {command:?}");
        }
    }
    fs::write(&bad, [&whole[..], b"more"].concat()).unwrap();
    assert!(desk.technician(&["cat", &bad, path, "--key", &key]).ends(6).out.is_empty());
    // A chunk in the middle: what was printed before is true, and the chunk is named.
    let mut changed = whole.clone();
    changed[whole.len() / 3] ^= 1;
    fs::write(&bad, &changed).unwrap();
    let (mut failed, mut printed) = (0, 0);
    for number in 0..6 {
        let ran = desk.technician(&["cat", &bad, &format!("var/log/app/000{number}.log"), "--key", &key]);
        failed += usize::from(ran.code == 6);
        printed += usize::from(ran.code == 0);
        assert!(ran.code == 0 || (ran.err.contains("Chunk ") && ran.err.contains("is damaged")), "{}", ran.err);
        assert!(number != 1 || sound.starts_with(&ran.out));
    }
    assert!(failed >= 1 && printed >= 3, "{failed} {printed}");
    desk.technician(&["verify", &bad, "--key", &key]).ends(6).says("NOT VERIFIED.");
    desk.technician(&["verify", &file, "--key", &key]).ends(0).says("VERIFIED.");
    desk.technician(&["key", "new", "-o", &desk.at("other.key")]).ends(0);
    assert!(desk.technician(&["cat", &file, path, "--key", &desk.at("other.key")]).ends(9).out.is_empty());
}

#[test]
fn a_reader_that_has_had_enough_ends_it_quietly() {
    let desk = Desk::new();
    let (file, key) = (desk.at("logs.tarseal"), desk.at("me.key"));
    seal_logs(&desk, Path::new(&file), 2, 3_000_000);
    for command in [&["cat", &file, "var/log/app/0001.log"][..], &["grep", &file, "."]] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tarseal"))
            .args(command)
            .args(["--key", &key])
            .env("TARSEAL_HOME", desk.at("technician"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut some = [0; 100];
        child.stdout.take().unwrap().read_exact(&mut some).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
    }
}

#[test]
fn one_file_over_http_costs_the_frames_it_lies_in() {
    let desk = Desk::new();
    let (file, key) = (desk.at("logs.tarseal"), desk.at("me.key"));
    let blocks = seal_logs(&desk, Path::new(&file), 160, 400_000);
    let sealed = fs::metadata(&file).unwrap().len();
    let server = FileServer::start(Path::new(&file));
    let ran = desk.technician(&["cat", &server.url, "var/log/app/0080.log", "--key", &key]).ends(0);
    let mut expected = String::new();
    Log { blocks, number: 80, length: 400_000 }.reader().read_to_string(&mut expected).unwrap();
    assert!(ran.out == expected);
    let served = server.served.load(Ordering::SeqCst);
    // 64 MB are 16 frames. Two hold the file at most, two the manifest; header, end and the steps of a part come on top.
    let frame = sealed / 16;
    assert!(served < 4 * frame + 600_000, "{served} of {sealed}");
    assert!(served < sealed / 2, "{served} of {sealed}");
    let before = server.asked.load(Ordering::SeqCst);
    let listed = desk.technician(&["list", &server.url, "--key", &key]).ends(0);
    assert_eq!(listed.out.lines().count(), 160);
    assert!(server.asked.load(Ordering::SeqCst) - before < 12);
    // The whole goes the same way.
    desk.technician(&["verify", &server.url, "--key", &key]).ends(0).says("VERIFIED.");
    let into = desk.at("opened");
    desk.technician(&["open", &server.url, "--key", &key]).ends(2).says("-o DIR");
    desk.technician(&["open", &server.url, "--key", &key, "-o", &into]).ends(0);
    assert!(fs::read_to_string(format!("{into}/var/log/app/0080.log")).unwrap() == expected);
}

#[test]
fn a_portal_gives_parts_to_who_may_read_and_says_why() {
    let desk = Desk::new();
    let (log, key) = (desk.at("a.log"), desk.at("me.key"));
    fs::write(&log, "2026-11-20 all is well\n".repeat(100)).unwrap();
    desk.sender(&["send", &log, "--ticket", "4711", "--yes"]).ends(0);
    desk.technician(&["fetch", "4711", "--reason", "copy", "-o", &desk.at("copies")]).ends(0);
    let copy = fs::read_dir(desk.at("copies")).unwrap().next().unwrap().unwrap().file_name().into_string().unwrap();
    let id = copy.strip_prefix("4711-").unwrap().strip_suffix(".tarseal").unwrap();
    let url = format!("{}/v1/snapshots/{id}/content", desk.url());
    let path = paths(&desk.technician(&["list", &url, "--key", &key, "--reason", "look"]).ends(0))[0].clone();
    let cat = ["cat", &url, &path, "--key", &key];
    let printed = desk.technician(&[&cat[..], &["--reason", "look"]].concat()).ends(0).out;
    assert_eq!(printed, "2026-11-20 all is well\n".repeat(100));
    desk.technician(&cat).ends(2).says("--reason WHY");
    // Without the portal in the settings the token stays here, and the portal refuses.
    let elsewhere = [&cat[..], &["--reason", "look", "--portal", "http://127.0.0.1:9"]].concat();
    desk.technician(&elsewhere).ends(9).says("--portal URL --token-file FILE --reason WHY");
    let gone = url.replace(id, &"0".repeat(32));
    desk.technician(&["list", &gone, "--key", &key, "--reason", "look"]).ends(10);
    for bad in ["http://support.vendor.example/x", "https://ann:pw@support.vendor.example/x", "https://a.example/x#y"] {
        let ran = desk.technician(&["list", bad, "--key", &key]).ends(2);
        assert!(!ran.err.contains("pw"), "{}", ran.err);
    }
}

#[test]
fn a_signed_file_is_read_in_parts_only_when_the_signature_is_the_wanted_one() {
    let desk = Desk::new();
    let (log, file, key) = (desk.at("a.log"), desk.at("signed.tarseal"), desk.at("me.key"));
    fs::write(&log, "2026-11-20 all is well\n").unwrap();
    let senders: Vec<String> = ["one.key", "two.key"]
        .map(|name| desk.sender(&["key", "new", "--sender", "-o", &desk.at(name)]).ends(0).out.trim().to_owned())
        .into();
    desk.sender(&["seal", &log, "--sender-key", &desk.at("one.key"), "-o", &file]).ends(0);
    let require = |sender: &str| desk.technician(&["list", &file, "--key", &key, "--require-sender", sender]);
    let path = paths(&require(&senders[0]).ends(0).says("Signed by the sender"))[0].clone();
    assert!(require(&senders[1]).ends(9).out.is_empty());
    let cat = ["cat", &file, &path, "--key", &key, "--require-sender", &senders[0]];
    assert_eq!(desk.technician(&cat).ends(0).out, "2026-11-20 all is well\n");
    let listed = desk.technician(&["list", &file, "--key", &key, "--json"]).ends(0).result();
    assert_eq!(listed["sender"], senders[0].as_str());
}

#[test]
#[ignore = "10 GB; see the head of this file"]
fn one_file_out_of_ten_gigabytes() {
    let megabytes = std::env::var("TARSEAL_CAMPAIGN_MB").map_or(10_000, |text| text.parse().expect("a number"));
    let desk = Desk::new();
    let (file, key) = (desk.at("large.tarseal"), desk.at("me.key"));
    let length = 5_000_000;
    let count = megabytes * 1_000_000 / length;
    let began = Instant::now();
    let blocks = seal_logs(&desk, Path::new(&file), count, length);
    let sealed = fs::metadata(&file).unwrap().len();
    println!("{megabytes} MB in {count} files, {sealed} bytes sealed in {:.0?}", began.elapsed());

    let server = FileServer::start(Path::new(&file));
    for number in [count / 2, count / 3, 0, count - 1] {
        let path = format!("var/log/app/{number:04}.log");
        let (served, asked) = (server.served.load(Ordering::SeqCst), server.asked.load(Ordering::SeqCst));
        let began = Instant::now();
        let ran = desk.technician(&["cat", &server.url, &path, "--key", &key]).ends(0);
        let mut expected = String::new();
        Log { blocks: Arc::clone(&blocks), number, length }.reader().read_to_string(&mut expected).unwrap();
        assert!(ran.out == expected);
        let served = server.served.load(Ordering::SeqCst) - served;
        let asked = server.asked.load(Ordering::SeqCst) - asked;
        #[expect(clippy::cast_precision_loss, reason = "a figure to print")]
        let share = served as f64 * 100.0 / sealed as f64;
        println!("{path}: {served} bytes in {asked} requests, {share:.3} % of the file, {:.1?}", began.elapsed());
        assert!(served * 200 < sealed, "more than 0.5 %");
    }
}
