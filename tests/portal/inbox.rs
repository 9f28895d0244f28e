//! The one-shot door: whole files by PUT, in all the ways they may be refused.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use reqwest::blocking::{Body, RequestBuilder};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tarseal::format::{Header, Identity, KeyKind, SealOptions, SealWriter, Share, ShareField};
use tarseal::portal::Role;
use tarseal::portal::admin::TokenOrder;

use crate::client::Sample;
use crate::client::{announce, append, event, get, post, problem, request, store, told};
use crate::support::{TICKET, TestPortal, ticket};

/// A file sealed for nobody in particular, with `length` bytes in it; with a share when `portal` keeps one.
pub fn sealed(seed: u64, length: usize, portal: Option<&str>) -> Sample {
    let mut rng = StdRng::seed_from_u64(seed);
    let recipient = Identity::generate(KeyKind::X25519, &mut rng).recipient();
    let share = Share::random(&mut rng);
    let field = portal.map(|portal| ShareField {
        id: tarseal::ids::ShareId([9; 16]),
        not_after: "2027-12-31T00:00:00Z".parse().unwrap(),
        portal: portal.to_owned(),
    });
    let options = SealOptions {
        created: "2026-11-21T14:00:00Z".parse().unwrap(),
        recipients: &[recipient],
        share: field.map(|field| (field, &share)),
    };
    let mut writer = SealWriter::new(Vec::new(), &options, &mut rng).unwrap();
    writer.write_all(&vec![7; length]).unwrap();
    let bytes = writer.finish().unwrap();
    let id = Header::read(&mut bytes.as_slice()).unwrap().file_id.to_string();
    Sample { id, bytes, share: None }
}

fn put(portal: &TestPortal, name: &str) -> RequestBuilder {
    request(portal, &portal.upload, "PUT", &format!("/in/{TICKET}/{name}"))
}

fn repr_digest(bytes: &[u8]) -> String {
    format!("sha-256=:{}:", BASE64_STANDARD.encode(Sha256::digest(bytes)))
}

fn nothing_is_left(portal: &TestPortal) {
    let blobs = portal.data().join("blobs");
    assert_eq!(portal.files().into_iter().filter(|(path, _)| path.starts_with(&blobs)).count(), 0);
    let (_, list) = told(get(portal, &portal.technician, "/v1/snapshots"));
    assert_eq!(list["items"], json!([]));
}

#[test]
fn a_sealed_file_is_stored_by_one_request() {
    let portal = TestPortal::start();
    let file = sealed(1, 300_000, None);
    let response = put(&portal, "holiday%20of%20Erika.tarseal").body(file.bytes.clone()).send().unwrap();
    assert_eq!(response.headers()["location"], format!("/v1/snapshots/{}", file.id).as_str());
    let (status, body) = told(response);
    assert_eq!(status, 201, "{body}");
    assert_eq!((&body["id"], &body["sha256"]), (&json!(file.id), &json!(file.sha256())));
    assert_eq!((&body["size"], &body["ticket"]), (&json!(file.bytes.len()), &json!(TICKET)));
    let receipt = tarseal::track::receipt::verify(body["receipt"].as_str().unwrap(), &portal.portal().key()).unwrap();
    assert_eq!((receipt.sha256, receipt.size), (file.sha256(), file.bytes.len() as u64));
    assert_eq!(crate::client::content(&portal, &file).send().unwrap().bytes().unwrap(), file.bytes);
    assert!(
        portal.files().iter().all(|(_, bytes)| !bytes.windows(5).any(|part| part == b"Erika")),
        "the name is not kept"
    );
}

#[test]
fn a_stream_without_a_length_and_basic_credentials_will_do() {
    let portal = TestPortal::start();
    let file = sealed(1, 100_000, None);
    let stream = Body::new(std::io::Cursor::new(file.bytes.clone()));
    let client = reqwest::blocking::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/in/{TICKET}/x", portal.url());
    let sent =
        client.put(&url).basic_auth(TICKET, Some(&portal.upload)).header("repr-digest", repr_digest(&file.bytes));
    assert_eq!(sent.body(stream).send().unwrap().status(), 201);
    let refused = client.put(&url).basic_auth("4712", Some(&portal.upload)).body("x").send().unwrap();
    let challenges: Vec<_> = refused.headers().get_all("www-authenticate").iter().collect();
    assert_eq!(challenges, ["Bearer", "Basic realm=\"ticket and token\", charset=\"UTF-8\""]);
    assert_eq!(problem(refused), (401, String::from("/problems/token-refused")));
    let nobody = client.put(&url).basic_auth(TICKET, Some("swordfish")).body("x").send().unwrap();
    assert_eq!(nobody.status(), 401);
    let elsewhere = request(&portal, &portal.upload, "PUT", "/in/4712/x").body("x").send().unwrap();
    assert_eq!(problem(elsewhere), (404, String::from("/problems/ticket-unknown")));
}

#[test]
fn a_digest_that_does_not_agree_leaves_nothing() {
    let portal = TestPortal::start();
    let file = sealed(1, 100_000, None);
    for field in ["repr-digest", "content-digest"] {
        let wrong = put(&portal, "x").header(field, repr_digest(b"other")).body(file.bytes.clone()).send().unwrap();
        assert_eq!(problem(wrong), (400, String::from("/problems/digest-mismatch")), "{field}");
        nothing_is_left(&portal);
    }
    let unknown = put(&portal, "x").header("repr-digest", "md5=:AAAA:").body(file.bytes.clone()).send().unwrap();
    assert_eq!(problem(unknown), (400, String::from("/problems/bad-request")));
    nothing_is_left(&portal);
    let good = put(&portal, "x").header("repr-digest", repr_digest(&file.bytes)).body(file.bytes).send().unwrap();
    assert_eq!(good.status(), 201);
}

#[test]
fn what_is_not_a_sealed_file_leaves_nothing() {
    let portal = TestPortal::start();
    let file = sealed(1, 1000, None);
    let mut no_slot = file.bytes[..62].to_vec();
    no_slot[10..14].copy_from_slice(&34_u32.to_be_bytes());
    let mut other_version = file.bytes.clone();
    other_version[8] = 2;
    for bytes in
        [&b""[..], b"x", b"a tar archive, or so", &vec![0; 100_000], &file.bytes[..40], &no_slot, &other_version]
    {
        let refused = put(&portal, "x").body(bytes.to_vec()).send().unwrap();
        assert_eq!(problem(refused), (422, String::from("/problems/not-sealed")), "{} bytes", bytes.len());
    }
    let endless = put(&portal, "x").body(Body::new(std::io::repeat(7))).send();
    assert!(endless.is_err() || endless.unwrap().status() == 422);
    let ranges = put(&portal, "x").header("content-range", "bytes 0-9/100").body(file.bytes.clone()).send().unwrap();
    assert_eq!(ranges.status(), 400);
    let packed = put(&portal, "x").header("content-encoding", "gzip").body(file.bytes.clone()).send().unwrap();
    assert_eq!(packed.status(), 415);
    let shared = sealed(2, 100, Some("https://support.vendor.example"));
    assert_eq!(put(&portal, "x").body(shared.bytes).send().unwrap().status(), 422, "its share cannot come along");
    nothing_is_left(&portal);
}

#[test]
fn the_same_file_again_is_no_harm_and_another_under_its_id_is_refused() {
    let portal = TestPortal::start();
    let file = sealed(1, 1000, None);
    assert_eq!(put(&portal, "x").body(file.bytes.clone()).send().unwrap().status(), 201);
    let again = put(&portal, "y").body(file.bytes.clone()).send().unwrap();
    assert_eq!(told(again).0, 200);
    let mut other = file.bytes.clone();
    *other.last_mut().unwrap() ^= 1;
    assert_eq!(
        problem(put(&portal, "x").body(other).send().unwrap()),
        (409, String::from("/problems/snapshot-differs"))
    );
    let longer = [file.bytes.as_slice(), b"more"].concat();
    assert_eq!(put(&portal, "x").body(longer).send().unwrap().status(), 409);
    event(&portal, "close", &json!({}));
    let closed = put(&portal, "x").body(sealed(3, 10, None).bytes).send().unwrap();
    assert_eq!(problem(closed), (409, String::from("/problems/ticket-closed")));
}

#[test]
fn a_file_goes_by_one_door_at_a_time() {
    let portal = TestPortal::start();
    let file = sealed(1, 100_000, None);
    let upload = announce(&portal, &file);
    append(&portal, &upload, 0, &file.bytes[..1000]);
    let other_door = put(&portal, "x").body(file.bytes.clone()).send().unwrap();
    assert_eq!(problem(other_door), (409, String::from("/problems/upload-begun")));
    assert_eq!(append(&portal, &upload, 1000, &file.bytes[1000..]).status(), 204, "undisturbed");
}

/// Sends the head of a PUT and as much of the body as is given.
fn begin(portal: &TestPortal, token: &str, more: &str, length: usize, bytes: &[u8]) -> TcpStream {
    let host = portal.url().strip_prefix("http://").unwrap().to_owned();
    let mut stream = TcpStream::connect(&host).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    write!(
        stream,
        "PUT /in/{TICKET}/x HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n{more}content-length: {length}\r\n\r\n"
    )
    .unwrap();
    stream.write_all(bytes).unwrap();
    stream
}

fn answer(stream: &mut TcpStream) -> String {
    let mut buffer = [0; 64];
    let length = stream.read(&mut buffer).unwrap();
    String::from_utf8_lossy(&buffer[..length]).lines().next().unwrap_or_default().to_owned()
}

#[test]
fn a_body_is_asked_for_only_when_it_may_come() {
    let portal = TestPortal::start();
    let file = sealed(1, 1000, None);
    let expect = "expect: 100-continue\r\n";
    let mut stream = begin(&portal, &portal.upload, expect, file.bytes.len(), b"");
    assert_eq!(answer(&mut stream), "HTTP/1.1 100 Continue");
    stream.write_all(&file.bytes).unwrap();
    assert_eq!(answer(&mut stream), "HTTP/1.1 201 Created");

    let mut stranger = begin(&portal, "tsl_nobody", expect, 1000, b"");
    assert_eq!(answer(&mut stranger), "HTTP/1.1 401 Unauthorized");
    let mut too_long = begin(&portal, &portal.upload, expect, 1 << 50, b"");
    assert_eq!(answer(&mut too_long), "HTTP/1.1 413 Payload Too Large");
    event(&portal, "close", &json!({}));
    let mut closed = begin(&portal, &portal.upload, expect, 1000, b"");
    assert_eq!(answer(&mut closed), "HTTP/1.1 409 Conflict");
}

#[test]
fn a_body_that_breaks_off_leaves_nothing_and_a_newer_request_takes_over() {
    let mut portal = TestPortal::start();
    let file = sealed(1, 300_000, None);
    let arriving = |portal: &TestPortal| told(get(portal, &portal.technician, "/v1/snapshots")).1["items"] != json!([]);
    let cut = begin(&portal, &portal.upload, "", file.bytes.len(), &file.bytes[..100_000]);
    while !arriving(&portal) {
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(cut);
    for _ in 0..200 {
        if !arriving(&portal) {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    nothing_is_left(&portal);

    let stalled = begin(&portal, &portal.upload, "", file.bytes.len(), &file.bytes[..100_000]);
    while !arriving(&portal) {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(put(&portal, "x").body(file.bytes.clone()).send().unwrap().status(), 201);
    drop(stalled);
    assert_eq!(crate::client::content(&portal, &file).send().unwrap().bytes().unwrap(), file.bytes);

    let second = sealed(2, 300_000, None);
    let cut = begin(&portal, &portal.upload, "", second.bytes.len(), &second.bytes[..100_000]);
    while told(get(&portal, &portal.technician, "/v1/snapshots")).1["items"].as_array().unwrap().len() < 2 {
        std::thread::sleep(Duration::from_millis(5));
    }
    portal.restart();
    drop(cut);
    let (_, left) = told(get(&portal, &portal.technician, "/v1/snapshots"));
    assert_eq!(left["items"].as_array().unwrap().len(), 1, "what broke off with the portal is gone at its next start");
    assert_eq!(put(&portal, "x").body(second.bytes).send().unwrap().status(), 201);
}

#[test]
fn a_token_is_good_for_so_many_bytes_by_this_door_too() {
    let portal = TestPortal::start();
    let (first, second) = (sealed(1, 10_000, None), sealed(2, 10_000, None));
    let mut order = TokenOrder::new(Role::Upload);
    order.ticket = Some(ticket());
    order.max_bytes = Some(15_000);
    let small = portal.admin().new_token(&order).unwrap().token.expose().clone();
    let send = |body: Body| request(&portal, &small, "PUT", &format!("/in/{TICKET}/x")).body(body).send().unwrap();
    assert_eq!(send(first.bytes.into()).status(), 201);
    assert_eq!(send(second.bytes.clone().into()).status(), 413);
    assert_eq!(send(Body::new(std::io::Cursor::new(second.bytes))).status(), 413, "without a length too");
    let (_, list) = told(get(&portal, &portal.technician, "/v1/snapshots"));
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
}

#[test]
fn only_those_who_may_upload_use_this_door() {
    let portal = TestPortal::start();
    for role in Role::ALL {
        let mut order = TokenOrder::new(role);
        order.ticket = Some(ticket());
        let token = portal.admin().new_token(&order).unwrap().token.expose().clone();
        let sent = request(&portal, &token, "PUT", &format!("/in/{TICKET}/x")).body("not sealed").send().unwrap();
        let may = matches!(role, Role::Upload | Role::Staff | Role::Technician | Role::Lead);
        assert_eq!(sent.status(), if may { 422 } else { 403 }, "{role}");
    }
    store(&portal, &Sample::new(1, 100));
    let known = post(&portal, &portal.upload, &format!("/in/{TICKET}/x"), &json!({}));
    assert_eq!(known.status(), 405);
}
