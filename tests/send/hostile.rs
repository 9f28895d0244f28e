//! A portal that is not one, on a real socket: what the client does with answers it must not trust.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use tarseal::secret::Secret;
use tarseal::send::{Announced, Client, ClientOptions, Piece, PortalAddress, SendError, Transport, UploadUrl};

use crate::support::{ID, Place, ticket};

/// What a server does with a connection whose request head is `head`.
type Play = dyn Fn(&mut TcpStream, &str) + Send + Sync;

/// A server on loopback that reads request heads and plays.
pub struct Server {
    pub address: PortalAddress,
    pub heads: Arc<Mutex<Vec<String>>>,
    pub connections: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub fn start(play: impl Fn(&mut TcpStream, &str) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (heads, connections, stop) = (Arc::<Mutex<Vec<String>>>::default(), Arc::default(), Arc::default());
        let play: Arc<Play> = Arc::new(play);
        let shared = (Arc::clone(&heads), Arc::clone(&connections), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            let (heads, connections, stop): (_, Arc<AtomicUsize>, Arc<AtomicBool>) = shared;
            for stream in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                connections.fetch_add(1, Ordering::SeqCst);
                let (heads, play) = (Arc::clone(&heads), Arc::clone(&play));
                thread::spawn(move || {
                    let mut stream = stream.unwrap();
                    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
                    if let Some(head) = read_head(&mut stream) {
                        heads.lock().unwrap().push(head.clone());
                        play(&mut stream, &head);
                        // What the client still sends is taken, so that it sees the answer and not a reset.
                        let _ = stream.shutdown(Shutdown::Write);
                        let _ = std::io::copy(&mut stream.take(64 << 20), &mut std::io::sink());
                    }
                });
            }
        });
        let address = format!("http://127.0.0.1:{port}").parse().unwrap();
        Self { address, heads, connections, stop, thread: Some(thread) }
    }

    /// One that gives the same answer to everything.
    pub fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::start(move |stream, _| {
            let _ = stream.write_all(&answer);
        })
    }

    pub fn client(&self) -> Client {
        let options = ClientOptions { answer_timeout: Duration::from_millis(1500), ..ClientOptions::default() };
        Client::new(self.address.clone(), Some(&Secret::new("swordfish".to_owned())), &options).unwrap()
    }

    fn upload(&self) -> UploadUrl {
        UploadUrl::parse(&self.address, "/v1/uploads/7").unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let port = self.address.as_str().trim_end_matches('/').rsplit(':').next().unwrap().parse::<u16>().unwrap();
        let _ = TcpStream::connect(("127.0.0.1", port));
        let _ = self.thread.take().unwrap().join();
    }
}

fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            Ok(_) => return None,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
    Some(String::from_utf8_lossy(&head).into_owned())
}

fn answer(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n{headers}\r\n{body}", body.len())
        .into_bytes()
}

fn piece() -> Piece {
    let bytes = vec![7; 100_000];
    Piece { offset: 0, sha256: Sha256::digest(&bytes).into(), bytes }
}

fn is_temporary<T: std::fmt::Debug>(outcome: Result<T, SendError>, what: &str) {
    let error = outcome.expect_err(what);
    assert!(error.is_temporary(), "{what}: {error}");
}

fn makes_no_sense<T: std::fmt::Debug>(outcome: Result<T, SendError>, what: &str) {
    let error = outcome.expect_err(what);
    assert!(matches!(error, SendError::Unexpected(_)), "{what}: {error}");
}

#[test]
fn noise_instead_of_an_answer_is_a_broken_connection() {
    let noise: Vec<u8> = (0..1024u32).flat_map(|number| number.wrapping_mul(2_654_435_761).to_be_bytes()).collect();
    for bytes in [noise, b"SSH-2.0-OpenSSH_10\r\n".to_vec(), b"HTTP/1.1 999999 OK\r\n\r\n".to_vec(), Vec::new()] {
        let server = Server::answering(bytes);
        is_temporary(server.client().ticket(&ticket()), "ticket");
        is_temporary(server.client().offset(&server.upload()), "offset");
        is_temporary(server.client().append(&server.upload(), piece()), "append");
    }
}

#[test]
fn headers_without_end_are_not_kept() {
    let long = Server::answering(format!("HTTP/1.1 200 OK\r\nX-A: {}\r\n\r\n", "a".repeat(4 << 20)));
    is_temporary(long.client().offset(&long.upload()), "one long header");
    let many = Server::answering(format!("HTTP/1.1 200 OK\r\n{}\r\n", "X-A: b\r\n".repeat(20_000)));
    is_temporary(many.client().offset(&many.upload()), "many headers");
}

#[test]
fn a_body_without_end_is_cut_off() {
    let server = Server::start(|stream, _| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[");
        while stream.write_all(&[b' '; 65_536]).is_ok() {}
    });
    makes_no_sense(server.client().ticket(&ticket()), "endless JSON");
    makes_no_sense(server.client().receipt_key(), "endless text");

    let server = Server::start(|stream, _| {
        let _ = stream.write_all(b"HTTP/1.1 500 No\r\nContent-Type: application/problem+json\r\n\r\n[");
        while stream.write_all(&[b' '; 65_536]).is_ok() {}
    });
    is_temporary(server.client().ticket(&ticket()), "endless problem");
}

#[test]
fn an_answer_that_drips_is_not_waited_for() {
    for before in ["", "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"] {
        let server = Server::start(move |stream, _| {
            let _ = stream.write_all(before.as_bytes());
            while stream.write_all(b"H").is_ok() {
                thread::sleep(Duration::from_millis(50));
            }
        });
        let begun = Instant::now();
        is_temporary(server.client().ticket(&ticket()), "a drip");
        assert!(begun.elapsed() < Duration::from_secs(15));
    }
}

#[test]
fn silence_is_temporary() {
    let server = Server::start(|_, _| thread::sleep(Duration::from_secs(3)));
    is_temporary(server.client().append(&server.upload(), piece()), "silence");
    let nobody: PortalAddress = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap()).parse().unwrap()
    };
    let client = Client::new(nobody, None, &ClientOptions::default()).unwrap();
    let error = client.ticket(&ticket()).unwrap_err();
    assert!(error.is_temporary() && error.to_string().contains("127.0.0.1 cannot be reached"), "{error}");
}

#[test]
fn a_redirect_is_not_followed_and_the_token_stays_here() {
    let elsewhere = Server::answering(answer("200 OK", "", "{}"));
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"] {
        let to = format!("Location: {}v1?token=swordfish\r\n", elsewhere.address);
        let server = Server::answering(answer(status, &to, ""));
        let client = server.client();
        for outcome in [
            client.ticket(&ticket()).map(|_| ()),
            client.offset(&server.upload()).map(|_| ()),
            client.append(&server.upload(), piece()).map(|_| ()),
        ] {
            let error = outcome.unwrap_err();
            assert!(matches!(&error, SendError::Redirect { .. }), "{status}: {error}");
            assert!(!error.to_string().contains("swordfish"), "{error}");
        }
    }
    assert_eq!(elsewhere.connections.load(Ordering::SeqCst), 0);
}

#[test]
fn an_upload_elsewhere_is_refused() {
    let place = Place::new(10);
    let elsewhere = Server::answering(answer("200 OK", "", "{}"));
    let body = format!(
        r#"{{"id":"{ID}","ticket":"4711","state":"uploading","size":10,"sha256":"","uploaded_at":null,"due_at":null,"deleted_at":null,"reads":0}}"#
    );
    let announce = |headers: &str| {
        let server = Server::answering(answer("201 Created", headers, &body));
        server.client().announce(&ticket(), &place.announcement())
    };
    makes_no_sense(announce(&format!("Location: {}v1/uploads/7\r\n", elsewhere.address)), "another port");
    makes_no_sense(announce("Location: //elsewhere.example/v1/uploads/7\r\n"), "another host");
    makes_no_sense(announce("Location: http://ann:pw@127.0.0.1/u\r\n"), "credentials");
    makes_no_sense(announce(""), "no place");
    assert!(matches!(announce("Location: /v1/uploads/7\r\n"), Ok(Announced::Upload(_))));
    assert_eq!(elsewhere.connections.load(Ordering::SeqCst), 0);
}

#[test]
fn answers_that_lie_about_themselves_make_no_sense() {
    let offset = |headers: &str| {
        let server = Server::answering(answer("200 OK", headers, ""));
        server.client().offset(&server.upload())
    };
    assert_eq!(offset("Upload-Offset: 7\r\nUpload-Length: 9\r\n").unwrap().offset, 7);
    for bad in ["", "Upload-Offset: -7\r\n", "Upload-Offset: 99999999999999999999999\r\n", "Upload-Offset: 0x10\r\n"] {
        makes_no_sense(offset(bad), bad);
    }
    let appended = Server::answering(answer("204 No Content", "", ""));
    makes_no_sense(appended.client().append(&appended.upload(), piece()), "no offset");
    let accepted = Server::answering(answer("202 Accepted", "Upload-Offset: 100000\r\n", ""));
    makes_no_sense(accepted.client().append(&accepted.upload(), piece()), "202");
    let wrong = Server::answering(answer("200 OK", "", r#"{"ticket":4711}"#));
    makes_no_sense(wrong.client().ticket(&ticket()), "another JSON");
    let short = Server::answering("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nConnection: close\r\n\r\n{}");
    is_temporary(short.client().ticket(&ticket()), "a short body");
    let binary =
        Server::answering([b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n".as_slice(), &[0xff, 0xfe]].concat());
    makes_no_sense(binary.client().receipt(&ID), "no UTF-8");
}

#[test]
fn a_problem_is_told_without_its_control_characters() {
    let body = r#"{"type":"/problems/not-allowed","title":"no","status":200,"detail":"not\u001b[2J \u202ehere"}"#;
    let server = Server::answering(answer("403 Forbidden", "Content-Type: application/problem+json\r\n", body));
    let error = server.client().ticket(&ticket()).unwrap_err();
    let SendError::Refused(problem) = &error else { panic!("{error}") };
    assert_eq!(problem.status, 403, "the status is the one that was answered");
    assert_eq!(problem.detail, "not\\u{1b}[2J \\u{202e}here");

    let html = Server::answering(answer("404 Not Found", "Content-Type: text/html\r\n", "<script>"));
    assert!(
        matches!(html.client().ticket(&ticket()), Err(SendError::NotFound(problem)) if problem.title == "not found")
    );
}

#[test]
fn retry_after_arrives_with_the_error() {
    let server = Server::answering(answer("429 Busy", "Retry-After: 7\r\n", ""));
    let error = server.client().offset(&server.upload()).unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
}

#[test]
fn what_is_sent_is_what_was_agreed() {
    let server = Server::answering(answer("204 No Content", "Upload-Offset: 100000\r\n", ""));
    server.client().append(&server.upload(), piece()).unwrap();
    let heads = server.heads.lock().unwrap();
    let head = heads[0].to_ascii_lowercase();
    assert!(head.starts_with("patch /v1/uploads/7 http/1.1\r\n"), "{head}");
    for line in [
        "tus-resumable: 1.0.0",
        "upload-offset: 0",
        "content-type: application/offset+octet-stream",
        "content-length: 100000",
        "authorization: bearer swordfish",
        "user-agent: tarseal/",
    ] {
        assert!(head.contains(&format!("\r\n{line}")), "{line} in {head}");
    }
    assert!(heads[0].contains("upload-checksum: sha256 "), "{}", heads[0]);
    assert_eq!(head.matches("swordfish").count(), 1);
}

#[test]
fn content_that_ends_too_early_is_an_error_and_not_the_end() {
    let reason = "looking into it";
    let short = Server::answering("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nConnection: close\r\n\r\nsealed");
    let mut content = short.client().content(&ID, reason, 0).unwrap();
    assert_eq!(content.length(), 1000);
    assert!(content.read_to_end(&mut Vec::new()).is_err());

    let unknown = Server::answering("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nsealed");
    makes_no_sense(unknown.client().content(&ID, reason, 0), "no length");
    let whole = Server::answering(answer("200 OK", "", "sealed"));
    makes_no_sense(whole.client().content(&ID, reason, 3), "the whole where a part was asked for");
    let other = Server::answering(answer("206 Partial", "Content-Range: bytes 2-5/6\r\n", "aled"));
    makes_no_sense(other.client().content(&ID, reason, 3), "another part");

    let part = Server::answering(answer("206 Partial", "Content-Range: bytes 3-5/6\r\n", "led"));
    let mut text = String::new();
    part.client().content(&ID, reason, 3).unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "led");
    let head = part.heads.lock().unwrap()[0].to_ascii_lowercase();
    assert!(head.contains("range: bytes=3-") && head.contains("tarseal-reason: looking into it"), "{head}");
}

#[test]
fn no_proxy_is_asked_for_this_machine() {
    const INNER: &str = "TARSEAL_TEST_PORTAL";
    if let Ok(address) = std::env::var(INNER) {
        let client = Client::new(address.parse().unwrap(), None, &ClientOptions::default()).unwrap();
        assert_eq!(client.receipt_key().unwrap(), "a key");
        return;
    }
    let proxy = Server::answering(answer("200 OK", "", "the proxy"));
    let portal = Server::answering(answer("200 OK", "", "a key\n"));
    let port = portal.address.as_str().rsplit(':').next().unwrap().trim_end_matches('/').to_owned();
    for host in ["127.0.0.1", "localhost"] {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        child
            .args(["--exact", "hostile::no_proxy_is_asked_for_this_machine"])
            .env(INNER, format!("http://{host}:{port}"));
        for name in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "https_proxy", "HTTPS_PROXY"] {
            child.env(name, proxy.address.as_str());
        }
        assert!(child.env_remove("no_proxy").env_remove("NO_PROXY").output().unwrap().status.success(), "{host}");
    }
    assert_eq!(portal.connections.load(Ordering::SeqCst), 2);
    assert_eq!(proxy.connections.load(Ordering::SeqCst), 0);
}
