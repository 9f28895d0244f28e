//! Uploads: in pieces, broken, raced, and by other clients' manners.

use std::io::Write as _;
use std::net::TcpStream;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::client::{
    Sample, announce, append, content, get, offset, patch, post, problem, request, snapshot, store, told,
};
use crate::support::{TICKET, TestPortal};

#[test]
fn a_file_sent_in_pieces_is_stored_whole() {
    let portal = TestPortal::start();
    let sample = Sample::new(1, 3_000_000);
    let upload = announce(&portal, &sample);
    assert_eq!(offset(&portal, &upload), 0);
    for (from, to) in [(0, 1), (1, 1_000_000), (1_000_000, 2_999_999), (2_999_999, 3_000_000)] {
        let response = append(&portal, &upload, from, &sample.bytes[from..to]);
        assert_eq!(response.status(), 204);
        assert_eq!(response.headers()["upload-offset"], to.to_string().as_str());
        assert_eq!(offset(&portal, &upload), to);
    }
    let stored = snapshot(&portal, &sample);
    assert_eq!(stored["state"], "stored");
    assert_eq!(stored["sha256"], sample.sha256());
    assert_eq!(stored["uploaded_at"], "2026-11-21T14:20:00Z");
    assert_eq!(stored["due_at"], "2027-11-21T14:20:00Z", "the hard cap, as the ticket is open");
    assert_eq!(content(&portal, &sample).send().unwrap().bytes().unwrap(), sample.bytes);
}

#[test]
fn another_offset_is_refused_and_told() {
    let portal = TestPortal::start();
    let sample = Sample::new(1, 100);
    let upload = announce(&portal, &sample);
    append(&portal, &upload, 0, &sample.bytes[..40]);
    for wrong in [0, 39, 41, 100] {
        let response = append(&portal, &upload, wrong, &sample.bytes[wrong..]);
        assert_eq!(response.headers()["upload-offset"], "40");
        assert_eq!(problem(response), (409, String::from("/problems/offset-mismatch")));
    }
    assert_eq!(append(&portal, &upload, 40, &sample.bytes[40..]).status(), 204);
    assert_eq!(append(&portal, &upload, 0, &sample.bytes).status(), 409, "stored is stored");
}

#[test]
fn more_bytes_than_announced_are_refused() {
    let portal = TestPortal::start();
    let sample = Sample::new(1, 100);
    let upload = announce(&portal, &sample);
    assert_eq!(append(&portal, &upload, 0, &[0; 101]).status(), 413);
    // Without a length in the header it shows only on the way.
    let endless = reqwest::blocking::Body::new(std::io::repeat(7));
    let answer = patch(&portal, &upload, 0).body(endless).send();
    assert!(answer.is_err() || answer.unwrap().status() == 413);
    assert!(offset(&portal, &upload) <= 100);
}

#[test]
fn a_piece_with_a_wrong_checksum_is_not_kept() {
    let portal = TestPortal::start();
    let sample = Sample::new(1, 1000);
    let upload = announce(&portal, &sample);
    append(&portal, &upload, 0, &sample.bytes[..300]);
    let piece = &sample.bytes[300..600];
    let sum = |bytes: &[u8]| format!("sha256 {}", BASE64_STANDARD.encode(Sha256::digest(bytes)));
    let send =
        |sum: String| patch(&portal, &upload, 300).header("upload-checksum", sum).body(piece.to_vec()).send().unwrap();
    assert_eq!(problem(send(sum(b"other"))), (460, String::from("/problems/digest-mismatch")));
    assert_eq!(offset(&portal, &upload), 300);
    for unknown in ["md5 AAAA", "sha256 !", "sha256", "sha256 AAAA"] {
        assert_eq!(send(unknown.to_owned()).status(), 400, "{unknown}");
    }
    assert_eq!(send(sum(piece)).status(), 204);
    assert_eq!(append(&portal, &upload, 600, &sample.bytes[600..]).status(), 204);
    assert_eq!(snapshot(&portal, &sample)["state"], "stored");
}

#[test]
fn bytes_that_are_not_the_announced_ones_leave_nothing() {
    let portal = TestPortal::start();
    let sample = Sample::new(1, 100_000);
    let upload = announce(&portal, &sample);
    let mut other = sample.bytes.clone();
    other[99_999] ^= 1;
    assert_eq!(problem(append(&portal, &upload, 0, &other)).0, 460);
    assert_eq!(get(&portal, &portal.technician, &format!("/v1/snapshots/{}", sample.id)).status(), 404);
    let left = portal.files().into_iter().filter(|(path, _)| path.starts_with(portal.data().join("blobs"))).count();
    assert_eq!(left, 0);
    store(&portal, &sample);
}

#[test]
fn announcing_twice_goes_on_and_after_the_end_says_so() {
    let portal = TestPortal::start();
    let sample = Sample::new(1, 100);
    let upload = announce(&portal, &sample);
    append(&portal, &upload, 0, &sample.bytes[..60]);
    assert_eq!(announce(&portal, &sample), upload);
    append(&portal, &upload, 60, &sample.bytes[60..]);
    let path = format!("/v1/tickets/{TICKET}/snapshots");
    let again = post(&portal, &portal.upload, &path, &sample.announcement());
    assert!(!again.headers().contains_key("location"));
    let (status, body) = told(again);
    assert_eq!((status, &body["state"]), (200, &json!("stored")));

    for (field, value) in [("size", json!(101)), ("sha256", json!("0".repeat(64))), ("share", json!(null))] {
        let mut differs = sample.announcement();
        differs[field] = value;
        let refused = post(&portal, &portal.upload, &path, &differs);
        assert_eq!(problem(refused), (409, String::from("/problems/snapshot-differs")), "{field}");
    }
}

#[test]
fn what_cannot_be_announced_is_refused() {
    let portal = TestPortal::start();
    let path = format!("/v1/tickets/{TICKET}/snapshots");
    let good = Sample::new(1, 10).announcement();
    for (field, value, status) in [
        ("size", json!(0), 400),
        ("size", json!(1_u64 << 50), 413),
        ("size", json!(-1), 422),
        ("sha256", json!("E3"), 400),
        ("file_id", json!("../../etc/passwd"), 422),
        ("share", json!({ "id": hex::encode([9; 16]), "secret": "AAAA", "not_after": "2027-12-31T00:00:00Z" }), 400),
        ("name", json!("holiday.zip"), 422),
    ] {
        let mut bad = good.clone();
        bad[field] = value;
        assert_eq!(
            problem(post(&portal, &portal.upload, &path, &bad)),
            (status, String::from("/problems/bad-request")),
            "{bad}"
        );
    }
    let long = request(&portal, &portal.upload, "POST", &path).body(vec![b' '; 70_000]).send().unwrap();
    assert_eq!(problem(long).0, 413);
}

#[test]
fn tus_clients_are_told_what_the_portal_can_do() {
    let portal = TestPortal::start();
    let sample = Sample::new(1, 10);
    let upload = announce(&portal, &sample);
    let options = request(&portal, "nobody", "OPTIONS", "/v1/uploads").send().unwrap();
    assert_eq!(options.status(), 204);
    assert_eq!(options.headers()["tus-version"], "1.0.0");
    assert_eq!(options.headers()["tus-extension"], "creation,creation-with-upload,checksum,termination,expiration");
    let old = request(&portal, &portal.upload, "HEAD", &upload).header("tus-resumable", "0.2.2").send().unwrap();
    assert_eq!(old.status(), 412);
    assert_eq!(old.headers()["tus-version"], "1.0.0");
    let head = request(&portal, &portal.upload, "HEAD", &upload).header("tus-resumable", "1.0.0").send().unwrap();
    assert_eq!(head.headers()["cache-control"], "no-store");
    assert_eq!(head.headers()["upload-length"], "10");
    assert_eq!(head.headers()["upload-expires"], "Sat, 28 Nov 2026 14:20:00 GMT");
    let media = request(&portal, &portal.upload, "PATCH", &upload)
        .header("tus-resumable", "1.0.0")
        .header("upload-offset", 0)
        .header("content-type", "text/plain")
        .body("x");
    assert_eq!(media.send().unwrap().status(), 415);
}

#[test]
fn a_tus_creation_may_bring_the_first_bytes() {
    let portal = TestPortal::start();
    let sample = Sample::new(1, 1000);
    let share = sample.announcement()["share"].to_string();
    let pair = |key: &str, value: &str| format!("{key} {}", BASE64_STANDARD.encode(value));
    let metadata = [
        pair("filename", "holiday.zip"),
        pair("file_id", &sample.id),
        pair("sha256", &sample.sha256()),
        pair("share", &share),
    ];
    let created = request(&portal, &portal.upload, "POST", &format!("/v1/tickets/{TICKET}/snapshots"))
        .header("tus-resumable", "1.0.0")
        .header("upload-length", 1000)
        .header("upload-metadata", metadata.join(","))
        .header("content-type", "application/offset+octet-stream")
        .body(sample.bytes[..400].to_vec())
        .send()
        .unwrap();
    assert_eq!(created.status(), 201);
    assert_eq!(created.headers()["upload-offset"], "400");
    let upload = created.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(append(&portal, &upload, 400, &sample.bytes[400..]).status(), 204);
    assert_eq!(snapshot(&portal, &sample)["state"], "stored");
    assert!(portal.files().iter().all(|(_, bytes)| !bytes.windows(11).any(|part| part == b"holiday.zip")));
}

#[test]
fn an_upload_that_is_ended_leaves_nothing() {
    let portal = TestPortal::start();
    let sample = Sample::new(1, 1000);
    let upload = announce(&portal, &sample);
    append(&portal, &upload, 0, &sample.bytes[..400]);
    let end = || request(&portal, &portal.upload, "DELETE", &upload).header("tus-resumable", "1.0.0").send().unwrap();
    assert_eq!(end().status(), 204);
    assert_eq!(problem(end()), (404, String::from("/problems/upload-unknown")));
    assert!(portal.files().iter().all(|(path, _)| path.extension().is_none_or(|kind| kind != "partial")));
    store(&portal, &sample);
}

#[test]
fn an_upload_that_nobody_goes_on_with_expires() {
    let portal = TestPortal::start();
    let sample = Sample::new(1, 1000);
    let upload = announce(&portal, &sample);
    append(&portal, &upload, 0, &sample.bytes[..400]);
    portal.days_pass(6);
    append(&portal, &upload, 400, &sample.bytes[400..500]);
    portal.days_pass(6);
    assert_eq!(portal.portal().sweep().unwrap().expired, 0, "each byte begins the wait anew");
    portal.days_pass(1);
    assert_eq!(portal.portal().sweep().unwrap().expired, 1);
    let response = append(&portal, &upload, 500, &sample.bytes[500..]);
    assert_eq!(problem(response), (404, String::from("/problems/upload-unknown")));
}

/// Sends the head of a PATCH and some bytes of its body, and then nothing more.
fn stall(portal: &TestPortal, upload: &str, offset: usize, length: usize, bytes: &[u8]) -> TcpStream {
    let host = portal.url().strip_prefix("http://").unwrap().to_owned();
    let mut stream = TcpStream::connect(&host).unwrap();
    write!(
        stream,
        "PATCH {upload} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {}\r\ntus-resumable: 1.0.0\r\n\
         content-type: application/offset+octet-stream\r\nupload-offset: {offset}\r\ncontent-length: {length}\r\n\r\n",
        portal.upload
    )
    .unwrap();
    stream.write_all(bytes).unwrap();
    stream.flush().unwrap();
    stream
}

#[test]
fn a_newer_request_takes_over_from_one_that_stalls() {
    let portal = TestPortal::start();
    let sample = Sample::new(1, 1_000_000);
    let upload = announce(&portal, &sample);
    let _stalled = stall(&portal, &upload, 0, 1_000_000, &sample.bytes[..300_000]);
    // Whoever asks for the offset gets what arrived, durable, and can go on from there at once.
    let mut reached = offset(&portal, &upload);
    for _ in 0..100 {
        if reached > 0 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
        reached = offset(&portal, &upload);
    }
    assert!(reached <= 300_000);
    assert_eq!(append(&portal, &upload, reached, &sample.bytes[reached..]).status(), 204);
    assert_eq!(content(&portal, &sample).send().unwrap().bytes().unwrap(), sample.bytes);
}

#[test]
fn a_portal_that_stops_and_starts_goes_on_where_it_was() {
    let mut portal = TestPortal::start();
    let sample = Sample::new(1, 1_000_000);
    let upload = announce(&portal, &sample);
    append(&portal, &upload, 0, &sample.bytes[..400_000]);
    let stalled = stall(&portal, &upload, 400_000, 600_000, &sample.bytes[400_000..500_000]);
    portal.restart();
    drop(stalled);
    let reached = offset(&portal, &upload);
    assert!((400_000..=500_000).contains(&reached), "{reached}");
    assert_eq!(append(&portal, &upload, reached, &sample.bytes[reached..]).status(), 204);
    assert_eq!(content(&portal, &sample).send().unwrap().bytes().unwrap(), sample.bytes);
}

#[test]
fn bytes_past_the_recorded_offset_are_cut_off_at_the_start() {
    let mut portal = TestPortal::start();
    let sample = Sample::new(1, 1000);
    let upload = announce(&portal, &sample);
    append(&portal, &upload, 0, &sample.bytes[..400]);
    portal.stop();
    let partial = partial_of(&portal);
    let mut file = std::fs::OpenOptions::new().append(true).open(&partial).unwrap();
    file.write_all(b"bytes that were never acknowledged").unwrap();
    portal.restart();
    assert_eq!(std::fs::metadata(&partial).unwrap().len(), 400);
    assert_eq!(offset(&portal, &upload), 400);
    assert_eq!(append(&portal, &upload, 400, &sample.bytes[400..]).status(), 204);
}

#[test]
fn a_file_that_was_whole_when_the_portal_died_is_finished_at_the_start() {
    let mut portal = TestPortal::start();
    let sample = Sample::new(1, 1000);
    let upload = announce(&portal, &sample);
    append(&portal, &upload, 0, &sample.bytes[..999]);
    portal.stop();
    // The last byte was synchronised and the file renamed; then the power went, before the database heard of it.
    let partial = partial_of(&portal);
    std::fs::write(&partial, &sample.bytes).unwrap();
    std::fs::rename(&partial, partial.with_extension("tarseal")).unwrap();
    portal.restart();
    assert_eq!(offset(&portal, &upload), 1000);
    assert_eq!(snapshot(&portal, &sample)["state"], "stored");
    assert_eq!(content(&portal, &sample).send().unwrap().bytes().unwrap(), sample.bytes);
}

#[test]
fn a_file_that_is_whole_and_not_what_was_announced_goes_at_the_start() {
    let mut portal = TestPortal::start();
    let sample = Sample::new(1, 1000);
    let upload = announce(&portal, &sample);
    append(&portal, &upload, 0, &sample.bytes[..400]);
    portal.stop();
    let partial = partial_of(&portal);
    std::fs::write(&partial, [7; 1000]).unwrap();
    std::fs::rename(&partial, partial.with_extension("tarseal")).unwrap();
    portal.restart();
    let gone = request(&portal, &portal.upload, "HEAD", &upload).header("tus-resumable", "1.0.0").send().unwrap();
    assert_eq!(gone.status(), 404);
    store(&portal, &sample);
}

#[test]
fn a_file_that_is_not_the_sealed_file_that_was_announced_leaves_nothing() {
    let portal = TestPortal::start();
    let not_sealed = |response| assert_eq!(problem(response), (422, String::from("/problems/not-sealed")));
    let mut text = Sample::new(1, 1000);
    text.bytes = vec![b'x'; 1000];
    let upload = announce(&portal, &text);
    not_sealed(append(&portal, &upload, 0, &text.bytes[..400]));
    assert_eq!(append(&portal, &upload, 0, &text.bytes).status(), 404, "it is over");

    // Byte by byte, and under another file's id.
    let mut other = Sample::new(2, 1000);
    other.bytes = Sample::new(3, 1000).bytes;
    let upload = announce(&portal, &other);
    for at in 0..34 {
        assert_eq!(append(&portal, &upload, at, &other.bytes[at..=at]).status(), 204, "{at}");
    }
    not_sealed(append(&portal, &upload, 34, &other.bytes[34..35]));

    // A piece that was spoilt on its way is refused for its checksum, and may come again.
    let good = Sample::new(4, 1000);
    let upload = announce(&portal, &good);
    let sum = format!("sha256 {}", BASE64_STANDARD.encode(Sha256::digest(&good.bytes[..500])));
    let spoilt = patch(&portal, &upload, 0).header("upload-checksum", &sum).body(vec![0; 500]).send().unwrap();
    assert_eq!(spoilt.status(), 460);
    let again =
        patch(&portal, &upload, 0).header("upload-checksum", &sum).body(good.bytes[..500].to_vec()).send().unwrap();
    assert_eq!(again.status(), 204);
    assert_eq!(append(&portal, &upload, 500, &good.bytes[500..]).status(), 204);

    let short = Sample::new(5, 20);
    not_sealed(append(&portal, &announce(&portal, &short), 0, &short.bytes));
    let left = portal.files().into_iter().filter(|(path, _)| path.starts_with(portal.data().join("blobs"))).count();
    assert_eq!(left, 1, "the good one");
}

/// The one file that is still arriving.
fn partial_of(portal: &TestPortal) -> std::path::PathBuf {
    let mut partial =
        portal.files().into_iter().filter(|(path, _)| path.extension().is_some_and(|kind| kind == "partial"));
    partial.next().unwrap().0
}

#[test]
fn a_full_disk_refuses_more_and_keeps_what_it_acknowledged() {
    let mut portal = TestPortal::start();
    let (sample, other) = (Sample::new(1, 1000), Sample::new(2, 1000));
    let upload = announce(&portal, &sample);
    append(&portal, &upload, 0, &sample.bytes[..400]);
    portal.restart_with(|config| config.free_space_floor = u64::MAX);
    let full = (507, String::from("/problems/no-room"));
    assert_eq!(problem(append(&portal, &upload, 400, &sample.bytes[400..])), full);
    let announced = post(&portal, &portal.upload, &format!("/v1/tickets/{TICKET}/snapshots"), &other.announcement());
    assert_eq!(problem(announced), full);
    assert_eq!(get(&portal, "", "/readyz").status(), 503);
    assert_eq!(get(&portal, "", "/healthz").status(), 200, "it lives");
    assert_eq!(offset(&portal, &upload), 400);
    portal.restart_with(|config| config.free_space_floor = 0);
    assert_eq!(append(&portal, &upload, 400, &sample.bytes[400..]).status(), 204);
    assert_eq!(get(&portal, "", "/readyz").status(), 200);
}

#[test]
fn a_kill_in_the_middle_loses_nothing_that_was_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let sample = Sample::new(1, 80 << 20);
    let mut order = tarseal::portal::admin::TokenOrder::new(tarseal::portal::Role::Upload);
    order.ticket = Some(crate::support::ticket());
    let clock = std::sync::Arc::new(tarseal::clock::SystemClock);
    let admin = tarseal::portal::admin::Admin::open(&data, clock).unwrap();
    let token = admin.new_token(&order).unwrap().token.expose().clone();

    let client = reqwest::blocking::Client::builder().no_proxy().build().unwrap();
    let tus = |method: reqwest::Method, url: String| {
        client.request(method, url).bearer_auth(&token).header("tus-resumable", "1.0.0")
    };
    let mut location = String::new();
    let mut acknowledged: usize = 0;
    for life in 0..4 {
        let (mut child, url) = serve_in_a_child(&data);
        if life == 0 {
            let path = format!("{url}/v1/tickets/{TICKET}/snapshots");
            let response =
                client.post(path).bearer_auth(&token).body(sample.announcement().to_string()).send().unwrap();
            response.headers()["location"].to_str().unwrap().clone_into(&mut location);
        }
        let head = tus(reqwest::Method::HEAD, format!("{url}{location}")).send().unwrap();
        let reached: usize = head.headers()["upload-offset"].to_str().unwrap().parse().unwrap();
        assert!(reached >= acknowledged, "{reached} after {acknowledged} was acknowledged");
        // One piece is acknowledged; the next is under way when the portal is killed.
        let piece = |from: usize, length: usize| {
            tus(reqwest::Method::PATCH, format!("{url}{location}"))
                .header("content-type", "application/offset+octet-stream")
                .header("upload-offset", from)
                .body(sample.bytes[from..(from + length).min(sample.bytes.len())].to_vec())
        };
        if life == 3 {
            assert_eq!(
                piece(reached, sample.bytes.len()).send().unwrap().status(),
                204,
                "stored with the right digest"
            );
            child.kill().unwrap();
        } else {
            assert_eq!(piece(reached, 1 << 20).send().unwrap().status(), 204);
            acknowledged = reached + (1 << 20);
            let under_way = piece(acknowledged, 15 << 20);
            let sending = std::thread::spawn(move || under_way.send().map(|response| response.status()));
            std::thread::sleep(std::time::Duration::from_millis(5 + 20 * life));
            child.kill().unwrap();
            drop(sending.join().unwrap());
        }
        child.wait().unwrap();
    }
}

/// Starts this very test program again, as a portal on `data` that lives until it is killed.
fn serve_in_a_child(data: &std::path::Path) -> (std::process::Child, String) {
    use std::io::{BufRead as _, BufReader};
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tus::serves_when_it_is_a_child", "--nocapture"])
        .env("TARSEAL_TEST_SERVE", data)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let url =
        lines.map(Result::unwrap).find_map(|line| line.split_once("listening on ").map(|(_, url)| url.to_owned()));
    (child, url.unwrap())
}

#[test]
fn serves_when_it_is_a_child() {
    let Some(data) = std::env::var_os("TARSEAL_TEST_SERVE") else { return };
    let mut config = tarseal::portal::Config::new(data, ([127, 0, 0, 1], 0).into());
    config.free_space_floor = 0;
    let portal = tarseal::portal::Portal::start(config, std::sync::Arc::new(tarseal::clock::SystemClock)).unwrap();
    println!("listening on {}", portal.url());
    portal.wait().unwrap();
}

/// `TARSEAL_SMALL_DISK` is an empty file system of 20 to 60 MB: `mount -t tmpfs -o size=24m none DIR`.
#[test]
fn a_disk_that_fills_up_under_the_portal_loses_nothing_that_was_acknowledged() {
    let Some(disk) = std::env::var_os("TARSEAL_SMALL_DISK").filter(|disk| !disk.is_empty()) else {
        eprintln!("skipped: a small file system needs TARSEAL_SMALL_DISK");
        return;
    };
    let disk = tempfile::tempdir_in(disk).unwrap();
    let disk = disk.path();
    let mut portal = TestPortal::start_with(|config| config.data = disk.join("data"));
    let sample = Sample::new(1, 6_000_000);
    let upload = announce(&portal, &sample);
    assert_eq!(append(&portal, &upload, 0, &sample.bytes[..2_000_000]).status(), 204);
    let ballast = disk.join("ballast");
    let mut file = std::fs::File::create(&ballast).unwrap();
    while file.write_all(&[0; 4096]).is_ok() {}
    drop(file);
    let full = |status: u16| assert_eq!(status, 507);
    for _ in 0..3 {
        full(append(&portal, &upload, 2_000_000, &sample.bytes[2_000_000..]).status().as_u16());
        let file = crate::inbox::sealed(1, 1_000_000, None);
        let path = format!("/in/{TICKET}/x");
        full(request(&portal, &portal.upload, "PUT", &path).body(file.bytes).send().unwrap().status().as_u16());
        full(
            post(
                &portal,
                &portal.upload,
                &format!("/v1/tickets/{TICKET}/snapshots"),
                &Sample::new(2, 100).announcement(),
            )
            .status()
            .as_u16(),
        );
        assert_eq!(get(&portal, "", "/healthz").status(), 200, "it lives");
        assert_eq!(offset(&portal, &upload), 2_000_000);
    }
    portal.stop();
    std::fs::remove_file(&ballast).unwrap();
    portal.restart();
    assert_eq!(offset(&portal, &upload), 2_000_000);
    assert_eq!(append(&portal, &upload, 2_000_000, &sample.bytes[2_000_000..]).status(), 204);
    assert_eq!(content(&portal, &sample).send().unwrap().bytes().unwrap(), sample.bytes);
    let file = crate::inbox::sealed(1, 1_000_000, None);
    let sent = request(&portal, &portal.upload, "PUT", &format!("/in/{TICKET}/x")).body(file.bytes).send().unwrap();
    assert_eq!(sent.status(), 201);
}
