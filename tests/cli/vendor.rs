//! Key lists: a vendor publishes, a sender pins and follows, and whatever else lies at the address is refused.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, Stream};

use crate::desk::{Desk, Ran};
use crate::peer::{peer_is_there, run};

const LOG: &str = "fixtures/machines/meeting/log/unified_support.log";

/// A web server on loopback that answers everything with the same bytes, until they are changed.
struct Web {
    port: u16,
    answer: Arc<Mutex<Vec<u8>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Web {
    fn start(tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (answer, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let shared = (Arc::clone(&answer), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            for socket in listener.incoming() {
                if shared.1.load(Ordering::SeqCst) {
                    return;
                }
                let (mut socket, answer) = (socket.unwrap(), shared.0.lock().unwrap().clone());
                socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
                match &tls {
                    None => speak(&mut socket, &answer),
                    Some(config) => {
                        let mut connection = ServerConnection::new(Arc::clone(config)).unwrap();
                        speak(&mut Stream::new(&mut connection, &mut socket), &answer);
                        connection.send_close_notify();
                        let _ = connection.write_tls(&mut socket);
                    }
                }
            }
        });
        Self { port, answer, stop, thread: Some(thread) }
    }

    fn publishes(&self, text: impl AsRef<[u8]>) {
        let text = text.as_ref();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", text.len());
        *self.answer.lock().unwrap() = [head.as_bytes(), text].concat();
    }

    fn answers(&self, head: &str) {
        *self.answer.lock().unwrap() =
            format!("HTTP/1.1 {head}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").into();
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        let _ = self.thread.take().unwrap().join();
    }
}

/// Reads a request's head and writes the answer; a client that is gone is no fault here.
fn speak(stream: &mut (impl Read + Write), answer: &[u8]) {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
        head.push(byte[0]);
    }
    let _ = stream.write_all(answer).and_then(|()| stream.flush());
}

/// A vendor with a root key, a list of one key and a web server, and the sender's desk.
struct Shop {
    desk: Desk,
    web: Web,
    /// The words of the root key.
    words: String,
}

impl Shop {
    fn open() -> Self {
        let desk = Desk::new();
        let shop = Self { web: Web::start(None), words: String::new(), desk };
        let made = shop.root("root.key");
        fs::write(shop.desk.at("root"), made["root"].as_str().unwrap()).unwrap();
        let (list, root_key) = (shop.list(), shop.desk.at("root.key"));
        let new = ["key-list", "new", &list, &shop.desk.at("recipient"), "--root-key", &root_key];
        shop.desk.technician(&new).ends(0).says("SIGNED.");
        shop.publish();
        Self { words: made["words"].as_str().unwrap().to_owned(), ..shop }
    }

    fn root(&self, file: &str) -> serde_json::Value {
        let make = ["key-list", "root", "-o", &self.desk.at(file), "--name", "support.vendor.example", "--json"];
        self.desk.technician(&make).ends(0).result()
    }

    fn list(&self) -> String {
        self.desk.at("keys.list")
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/keys.list", self.web.port)
    }

    /// Changes the list as the vendor does, and publishes it.
    fn edit(&self, verb: &str, arguments: &[&str]) -> String {
        let (list, root_key) = (self.list(), self.desk.at("root.key"));
        let all: Vec<&str> =
            ["key-list", verb, &list, "--root-key", &root_key].iter().chain(arguments).copied().collect();
        self.desk.technician(&all).ends(0);
        self.publish()
    }

    /// Publishes the list and gives it.
    fn publish(&self) -> String {
        let note = fs::read_to_string(self.list()).unwrap();
        self.web.publishes(&note);
        note
    }

    /// Makes a key of the vendor's and gives its recipient.
    fn key(&self, file: &str) -> String {
        self.desk.technician(&["key", "new", "--classic", "-o", &self.desk.at(file)]).ends(0).out.trim().to_owned()
    }

    fn add(&self) -> Ran {
        self.desk.sender(&["vendor", "add", "acme", &self.url(), "--root", &self.words])
    }

    fn pinned() -> Self {
        let shop = Self::open();
        shop.add().ends(0).says("ADDED.");
        shop
    }

    fn update(&self) -> Ran {
        self.desk.sender(&["vendor", "update", "acme"])
    }

    fn seal(&self, to: &str, file: &str) -> Ran {
        self.desk.sender(&["seal", LOG, "--to", to, "-o", &self.desk.at(file)])
    }

    /// Whether the key in `key` opens the sealed file.
    fn opens(&self, file: &str, key: &str) -> bool {
        let ran = self.desk.technician(&["verify", &self.desk.at(file), "--key", &self.desk.at(key)]);
        assert!(ran.code == 0 || ran.code == 9, "{}", ran.err);
        ran.code == 0
    }

    fn kept_version(&self) -> u64 {
        let shown = self.desk.sender(&["vendor", "list", "acme", "--json"]).ends(0).result();
        shown["vendors"][0]["list"]["version"].as_u64().unwrap()
    }
}

#[test]
fn a_vendor_is_pinned_sealed_to_by_name_and_followed_when_its_keys_change() {
    let shop = Shop::pinned();
    shop.seal("acme", "one.tarseal").ends(0);
    assert!(shop.opens("one.tarseal", "me.key"));

    let second = shop.key("second.key");
    shop.edit("add", &[&second, "--purpose", "support, second desk"]);
    shop.edit("retire", &[&shop.desk.at("recipient")]);
    // What is kept is what holds, until it is asked anew.
    shop.seal("acme", "two.tarseal").ends(0);
    assert!(shop.opens("two.tarseal", "me.key") && !shop.opens("two.tarseal", "second.key"));
    shop.desk.sender(&["vendor", "check", "acme"]).ends(0).says("newer list");
    assert_eq!(shop.kept_version(), 1);

    shop.update().ends(0).says("UPDATED.");
    shop.seal("acme", "three.tarseal").ends(0);
    assert!(shop.opens("three.tarseal", "second.key") && !shop.opens("three.tarseal", "me.key"));
    shop.update().ends(0).says("is the newest");
    // The retired key may still be given directly, and it is said what would be better.
    shop.seal(&shop.desk.at("recipient"), "four.tarseal").ends(0).says("--to acme");

    let told = shop.desk.sender(&["vendor", "list"]).ends(0).out;
    assert!(told.contains(&shop.words) && told.contains("support, second desk") && told.contains("retired"), "{told}");
    shop.desk.sender(&["vendor", "remove", "acme"]).ends(0);
    shop.desk.sender(&["vendor", "remove", "acme"]).ends(10);
    shop.seal("acme", "five.tarseal").ends(10).says("vendor add");
}

#[test]
fn several_keys_are_all_sealed_to_and_each_once() {
    let shop = Shop::pinned();
    let second = shop.key("second.key");
    shop.edit("add", &[&second]);
    shop.update().ends(0);
    let (recipient, file) = (shop.desk.at("recipient"), shop.desk.at("one.tarseal"));
    shop.desk.sender(&["seal", LOG, "--to", "acme", "--to", &recipient, "--to", "acme", "-o", &file]).ends(0);
    assert!(shop.opens("one.tarseal", "me.key") && shop.opens("one.tarseal", "second.key"));
    let header = tarseal::format::Header::read(&mut fs::read(&file).unwrap().as_slice()).unwrap();
    assert_eq!(header.slot_kinds().count(), 2);
}

#[test]
fn no_root_is_trusted_without_a_word_of_the_vendor() {
    let shop = Shop::open();
    let asked =
        shop.desk.sender(&["vendor", "add", "acme", &shop.url()]).ends(9).says("NOT ADDED.").says("eight words");
    assert!(!asked.err.contains(&shop.words), "the words come from the vendor, not from the list");
    let other = shop.root("other.key");
    for wrong in ["fingerprint", "words", "root"].map(|name| other[name].as_str().unwrap()) {
        shop.desk.sender(&["vendor", "add", "acme", &shop.url(), "--root", wrong]).ends(9).says("not signed");
    }
    let mistyped = shop.words.replacen(' ', "x ", 1);
    for none in ["", "no such thing", &mistyped, &shop.url()] {
        shop.desk.sender(&["vendor", "add", "acme", &shop.url(), "--root", none]).ends(2);
    }
    assert!(shop.desk.sender(&["vendor", "list"]).ends(0).out.is_empty());

    let root = fs::read_to_string(shop.desk.at("root")).unwrap();
    for (name, right) in [("a", root), ("b", shop.desk.at("root")), ("c", shop.words.to_uppercase().replace(' ', "-"))]
    {
        shop.desk.sender(&["vendor", "add", name, &shop.url(), "--root", &right]).ends(0);
    }
    shop.desk.sender(&["vendor", "add", "a", &shop.url(), "--root", &shop.words]).ends(2).says("already");
    shop.desk.sender(&["vendor", "add", "tarseal1x", &shop.url(), "--root", &shop.words]).ends(2);
    shop.desk.sender(&["vendor", "add", "../up", &shop.url(), "--root", &shop.words]).ends(2);
}

#[test]
fn an_old_list_and_a_second_one_of_the_same_version_are_refused() {
    let shop = Shop::pinned();
    let first = fs::read_to_string(shop.list()).unwrap();
    let second = shop.edit("renew", &[]);
    shop.update().ends(0);
    shop.web.publishes(&first);
    shop.update().ends(9).says("NOT UPDATED.").says("an old one");
    shop.desk.sender(&["vendor", "check", "acme"]).ends(9).says("an old one");
    // The vendor, or a thief of its root key, signs another version 2.
    fs::write(shop.list(), &first).unwrap();
    let other_second = shop.edit("renew", &["--days", "30"]);
    assert_ne!(other_second, second);
    shop.update().ends(9).says("two different");
    assert_eq!(shop.kept_version(), 2);
    // A version that was never told of a revocation.
    let key = shop.key("second.key");
    fs::write(shop.list(), &second).unwrap();
    shop.edit("add", &[&key]);
    shop.edit("revoke", &[&key, "--reason", "lost"]);
    shop.update().ends(0);
    fs::write(shop.list(), &second).unwrap();
    for _ in 0..3 {
        shop.edit("renew", &[]);
    }
    shop.update().ends(9).says("no longer says");
    assert_eq!(shop.kept_version(), 4);
}

#[test]
fn an_expired_list_stops_before_anything_is_collected() {
    let shop = Shop::pinned();
    shop.desk.forward(89);
    shop.seal("acme", "one.tarseal").ends(0);
    shop.desk.sender(&["vendor", "check"]).ends(0).says("expires on");
    shop.desk.forward(1);
    // A path that is not there would end with code 2, if it were looked for.
    let seal = ["seal", "not-there", "--to", "acme", "-o", &shop.desk.at("two.tarseal")];
    shop.desk.keep_token("upload.token", &["--role", "upload", "--ticket", "4711"]);
    shop.desk.sender(&seal).ends(13).says("NOT SEALED.").says("Nothing was collected").says("vendor update acme");
    shop.desk.sender(&["send", "not-there", "--ticket", "4711", "--to", "acme", "--yes"]).ends(13).says("NOT SENT.");
    shop.desk.sender(&["vendor", "check"]).ends(13);
    shop.update().ends(13).says("must publish");
    shop.edit("renew", &[]);
    shop.update().ends(0);
    shop.seal("acme", "two.tarseal").ends(0);
}

#[test]
fn a_key_that_was_revoked_is_sealed_to_by_nobody() {
    let shop = Shop::pinned();
    let words = shop.desk.sender(&["vendor", "list", "--json"]).result();
    let fingerprint = words["vendors"][0]["list"]["keys"][0]["fingerprint"].as_str().unwrap().to_owned();
    shop.edit("revoke", &[&fingerprint, "--reason", "laptop lost in a train"]);
    shop.update().ends(0);
    shop.seal("acme", "one.tarseal").ends(9).says("NOT SEALED.").says("revoked every key");
    shop.desk.sender(&["vendor", "check"]).ends(9);
    let recipient = fs::read_to_string(shop.desk.at("recipient")).unwrap();
    for given in [recipient.trim(), &shop.desk.at("recipient")] {
        shop.seal(given, "one.tarseal").ends(9).says("laptop lost in a train").says("--to acme");
    }
    // Also when the list itself has expired.
    shop.desk.forward(100);
    shop.seal(recipient.trim(), "one.tarseal").ends(9).says("laptop lost in a train");
    assert!(!Path::new(&shop.desk.at("one.tarseal")).exists());
}

#[test]
fn sending_asks_for_the_newest_keys_by_itself() {
    let shop = Shop::pinned();
    let send = ["send", LOG, "--ticket", "4711", "--to", "acme", "--yes"];
    let second = shop.key("second.key");
    shop.edit("add", &[&second]);
    shop.edit("revoke", &[&shop.desk.at("recipient"), "--reason", "stolen"]);
    shop.desk.sender(&send).ends(0).says("SENT.").says("new key list");
    assert_eq!(shop.kept_version(), 3);
    let fetch = |key: &str, into: &str| {
        let (key, into) = (shop.desk.at(key), shop.desk.at(into));
        shop.desk.technician(&["fetch", "4711", "--reason", "x", "--key", &key, "-o", &into])
    };
    fetch("me.key", "with-the-revoked").ends(9);
    fetch("second.key", "with-the-new").ends(0);

    // What is no news stops nobody; the list that is kept is still good.
    for nothing in ["404 Not Found", "503 Service Unavailable", "302 Found\r\nLocation: https://elsewhere.example/"] {
        shop.web.answers(nothing);
        shop.desk.sender(&send).ends(0).says("is used");
    }
    shop.web.publishes("<html>Please log in</html>");
    shop.desk.sender(&send).ends(0).says("is used");
    // Who signs with another root wants something.
    shop.root("other.key");
    let (forged, other_key) = (shop.desk.at("forged.list"), shop.desk.at("other.key"));
    let new = ["key-list", "new", &forged, &shop.desk.at("recipient"), "--root-key", &other_key];
    shop.desk.technician(&new).ends(0);
    shop.web.publishes(fs::read(&forged).unwrap());
    let send = ["send", "not-there", "--ticket", "4711", "--to", "acme", "--yes"];
    shop.desk.sender(&send).ends(9).says("NOT SENT.").says("Nothing was collected").says(&shop.words);
    assert_eq!(shop.kept_version(), 3);
}

#[test]
fn what_is_no_list_is_refused_and_changes_nothing() {
    let shop = Shop::pinned();
    let note = shop.edit("renew", &[]);
    let bytes = note.as_bytes();
    let flipped = |at: usize| {
        let mut bytes = bytes.to_vec();
        bytes[at] ^= 1;
        bytes
    };
    let mut bad: Vec<Vec<u8>> = vec![
        Vec::new(),
        b"<html>Please log in</html>".to_vec(),
        vec![0xff; 100],
        vec![b'['; 500_000],
        vec![b'x'; 900_000],
        vec![b'x'; 2_000_000],
        [bytes, b"\n"].concat(),
        [bytes, bytes].concat(),
    ];
    bad.extend((0..bytes.len()).step_by(97).map(flipped));
    bad.extend((1..bytes.len()).step_by(151).map(|end| bytes[..end].to_vec()));
    for (number, text) in bad.iter().enumerate() {
        shop.web.publishes(text);
        let ran = shop.update();
        assert!(matches!(ran.code, 6 | 9), "case {number} ended with {}:\n{}", ran.code, ran.err);
        assert!(ran.err.starts_with("NOT UPDATED."), "case {number}: {}", ran.err);
    }
    // Cut on the way: the length says more than comes.
    *shop.web.answer.lock().unwrap() =
        [b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\nConnection: close\r\n\r\n", bytes].concat();
    shop.update().ends(75);
    assert_eq!(shop.kept_version(), 1);
    shop.web.publishes(&note);
    shop.update().ends(0);
}

#[test]
fn the_network_has_its_own_exit_codes() {
    let shop = Shop::pinned();
    for (head, code) in [
        ("404 Not Found", 10),
        ("403 Forbidden", 9),
        ("500 Internal Server Error", 75),
        ("301 Moved Permanently\r\nLocation: https://elsewhere.example/keys.list", 8),
    ] {
        shop.web.answers(head);
        shop.update().ends(code).says("NOT UPDATED.");
        shop.desk.sender(&["vendor", "check"]).ends(code).says("NOT GOOD.");
    }
    let add = |url: &str| shop.desk.sender(&["vendor", "add", "other", url, "--root", &shop.words]);
    add("http://vendor.example/keys.list").ends(2).says("use https://");
    add("https://ann:secret@vendor.example/keys.list").ends(2);
    add("not-there.list").ends(10);
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    add(&format!("http://{closed}/keys.list")).ends(75).says("cannot be reached");
}

#[test]
fn over_tls_only_a_trusted_server_is_heard() {
    let fixture = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/tls").join(name);
    let chain = vec![CertificateDer::from_pem_file(fixture("server.pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_file(fixture("server.key")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let web = Web::start(Some(Arc::new(config)));
    let shop = Shop::open();
    web.publishes(shop.publish());
    let url = format!("https://localhost:{}/keys.list", web.port);
    let (right, wrong) = (fixture("ca.pem"), fixture("server.pem"));
    let add = |ca_file: &Path| {
        let ca_file = ca_file.to_str().unwrap();
        shop.desk.sender(&["vendor", "add", "acme", &url, "--root", &shop.words, "--ca-file", ca_file])
    };
    add(&wrong).ends(8).says("cannot be trusted");
    add(&right).ends(0);
    shop.desk.sender(&["vendor", "update", "--ca-file", right.to_str().unwrap()]).ends(0);
}

#[test]
fn a_list_comes_as_a_file_where_there_is_no_network() {
    let shop = Shop::open();
    let list = shop.list();
    shop.desk.sender(&["vendor", "add", "acme", &list, "--root", &shop.words]).ends(0);
    shop.update().ends(0).says("--from FILE");
    shop.desk.sender(&["vendor", "check", "acme"]).ends(0);
    let second = shop.key("second.key");
    shop.edit("add", &[&second]);
    shop.desk.sender(&["vendor", "update", "acme", "--from", &list]).ends(0).says("UPDATED.");
    shop.seal("acme", "one.tarseal").ends(0);
    assert!(shop.opens("one.tarseal", "second.key"));
    shop.desk.forward(91);
    shop.seal("acme", "two.tarseal").ends(13).says("vendor update acme --from FILE");
}

#[test]
fn a_new_root_key_is_followed_and_the_old_one_left_behind() {
    let shop = Shop::pinned();
    let new = shop.root("new.key");
    let before = fs::read_to_string(shop.list()).unwrap();
    shop.edit("handover", &["--new-root-key", &shop.desk.at("new.key")]);
    // The old root key signs this list no more.
    let renew =
        |key: &str| shop.desk.technician(&["key-list", "renew", &shop.list(), "--root-key", &shop.desk.at(key)]);
    renew("root.key").ends(9);
    renew("new.key").ends(0);
    shop.publish();
    shop.update().ends(0).says("handed over");
    let told = shop.desk.sender(&["vendor", "list"]).ends(0).out;
    assert!(told.contains(new["words"].as_str().unwrap()) && !told.contains(&shop.words), "{told}");

    // Whoever still has the old root key is heard by nobody who followed.
    let stale = shop.desk.at("stale.list");
    fs::write(&stale, &before).unwrap();
    for _ in 0..5 {
        shop.desk.technician(&["key-list", "renew", &stale, "--root-key", &shop.desk.at("root.key")]).ends(0);
    }
    shop.web.publishes(fs::read(&stale).unwrap());
    shop.update().ends(9).says("not signed");
    // Somebody who only knows the old words is led on.
    shop.publish();
    shop.desk.sender(&["vendor", "add", "late", &shop.url(), "--root", &shop.words]).ends(0);
}

#[test]
fn what_is_kept_and_was_damaged_is_an_error_and_can_be_forgotten() {
    let shop = Shop::pinned();
    let path = shop.desk.at("sender/vendors/acme.json");
    let whole = fs::read(&path).unwrap();
    let mut cases: Vec<Vec<u8>> = vec![Vec::new(), b"{}".to_vec(), vec![b'['; 200_000], vec![0; 4_000_000]];
    cases.extend((1..whole.len()).step_by(211).map(|end| whole[..end].to_vec()));
    cases.extend((0..whole.len() - 1).step_by(23).map(|at| {
        let mut changed = whole.clone();
        changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
        changed
    }));
    let other_root = shop.root("other.key")["root"].as_str().unwrap().to_owned();
    let text = String::from_utf8(whole.clone()).unwrap();
    let root = fs::read_to_string(shop.desk.at("root")).unwrap();
    cases.push(text.replacen(&format!("\"root\":\"{root}\""), &format!("\"root\":\"{other_root}\""), 1).into());
    cases.push(text.replacen("http://127.0.0.1", "http://vendor.example", 1).into());
    let mut damaged = 0;
    for (number, case) in cases.iter().enumerate() {
        fs::write(&path, case).unwrap();
        let ran = shop.desk.sender(&["vendor", "list"]);
        // A changed digit of an instant or of the address is another instant or address.
        assert!(matches!(ran.code, 0 | 6), "case {number} ended with {}:\n{}", ran.code, ran.err);
        damaged += usize::from(ran.code == 6);
    }
    assert!(damaged * 10 > cases.len() * 9, "{damaged} of {}", cases.len());
    fs::write(&path, "{}").unwrap();
    shop.seal("acme", "one.tarseal").ends(6).says("vendor remove acme");
    shop.seal(&shop.desk.at("recipient"), "one.tarseal").ends(6);
    shop.desk.sender(&["vendor", "remove", "acme"]).ends(0);
    shop.add().ends(0);
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_vendor_cannot_sign_what_senders_would_refuse() {
    let shop = Shop::open();
    let (list, root_key, recipient) = (shop.list(), shop.desk.at("root.key"), shop.desk.at("recipient"));
    let before = fs::read(&list).unwrap();
    let try_it = |arguments: &[&str]| {
        let all: Vec<&str> = ["key-list"].iter().chain(arguments).copied().chain(["--root-key", &root_key]).collect();
        shop.desk.technician(&all)
    };
    try_it(&["new", &list, &recipient]).ends(7);
    try_it(&["add", &list, &recipient]).ends(2).says("NOT SIGNED.").says("already");
    let second = shop.key("second.key");
    try_it(&["add", &list, &second, "--purpose", "two\nlines"]).ends(2);
    try_it(&["add", &list, &second, "--until", "2020-01-01T00:00:00Z"]).ends(2);
    try_it(&["renew", &list, "--days", "401"]).ends(2);
    try_it(&["retire", &list, &second]).ends(2).says("not in the list");
    try_it(&["retire", &list, &"ab".repeat(16)]).ends(10);
    shop.root("other.key");
    shop.desk.technician(&["key-list", "renew", &list, "--root-key", &shop.desk.at("other.key")]).ends(9);
    assert_eq!(fs::read(&list).unwrap(), before);
    try_it(&["retire", &list, &recipient]).ends(0).says("Beware");
    let shown = shop.desk.technician(&["key-list", "show", &list]).ends(0).out;
    assert!(shown.contains("retired") && shown.contains(&shop.words), "{shown}");
    shop.desk.technician(&["key-list", "show", LOG]).ends(6);
    shop.desk.forward(91);
    shop.desk.technician(&["key-list", "show", &list]).ends(13);
    // The secret part is nobody else's to read.
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(&root_key, fs::Permissions::from_mode(0o644)).unwrap();
    try_it(&["renew", &list]).ends(7).says("chmod 600");
}

#[test]
fn a_vendors_words_are_those_that_its_key_shows() {
    let shop = Shop::pinned();
    let listed = shop.desk.sender(&["vendor", "list", "--json"]).ends(0).result();
    let key = &listed["vendors"][0]["list"]["keys"][0];
    let shown = shop.desk.technician(&["key", "show", &shop.desk.at("me.key"), "--json"]).ends(0).result();
    assert_eq!(shown["fingerprint"], key["fingerprint"]);
    let words = shown["words"].as_str().unwrap();
    assert_eq!(words.split(' ').count(), 8);
    assert!(shop.desk.sender(&["vendor", "list"]).ends(0).out.contains(words));
}

#[test]
fn a_sender_without_this_program_reads_the_list_too() {
    if !peer_is_there("a_sender_without_this_program_reads_the_list_too") {
        return;
    }
    let shop = Shop::open();
    let second = shop.key("second.key");
    shop.edit("add", &[&second, "--purpose", "Störungsstelle · Zürich"]);
    shop.edit("retire", &[&shop.desk.at("recipient")]);
    shop.root("new.key");
    shop.edit("handover", &["--new-root-key", &shop.desk.at("new.key")]);
    let (root, list) = (shop.desk.at("root"), shop.list());
    let read = |root: &str, at: &str| run("key_list.py", &[root, &list, at]).map(|out| String::from_utf8(out).unwrap());
    assert_eq!(read(&root, "2026-11-22T00:00:00Z").unwrap().trim(), second);
    assert!(read(&root, "2027-03-01T00:00:00Z").unwrap_err().contains("expired"));
    let other = shop.root("other.key")["root"].as_str().unwrap().to_owned();
    assert!(read(&other, "2026-11-22T00:00:00Z").unwrap_err().contains("another root"));
    let note = fs::read_to_string(&list).unwrap();
    fs::write(&list, note.replacen("retired", "revoked", 1)).unwrap();
    assert!(read(&root, "2026-11-22T00:00:00Z").unwrap_err().contains("does not fit"));
    let fixture = ["fixtures/keys/vendor.root", "fixtures/keys/vendor.list", "2026-11-23T00:00:00Z"];
    assert_eq!(run("key_list.py", &fixture).unwrap().iter().filter(|byte| **byte == b'\n').count(), 2);
}
