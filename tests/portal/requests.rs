//! Requests and their codes: who has the eight characters may send one snapshot for one ticket, and nothing else.

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use tarseal::clock::Clock as _;
use tarseal::format::request::{Asked, ClaimedRequest, RequestKey};
use tarseal::format::{Identity, KeyKind, SenderKey};

use crate::client::{Sample, announce, get, post, problem, request, store, told};
use crate::support::{TICKET, TestPortal};

const CLAIM: &str = "00112233445566778899aabbccddeeff";

/// A signed request for a ticket, good for an hour.
fn note(portal: &TestPortal, ticket: &str, max_bytes: Option<u64>) -> String {
    let issued = portal.clock.now();
    let asked = Asked {
        portal: format!("{}/", portal.url()),
        ticket: ticket.parse().unwrap(),
        title: Some("Kamera-Fahrenholz flackert".into()),
        profile: None,
        last_seconds: None,
        since: None,
        until: None,
        max_bytes,
        recipients: vec![Identity::generate(KeyKind::X25519, &mut StdRng::seed_from_u64(1)).recipient()],
        issued,
        expires: issued.plus_seconds(3600),
    };
    asked.sign(&RequestKey::Sender(&SenderKey::generate(&mut StdRng::seed_from_u64(2)))).unwrap()
}

/// Leaves a request; gives its id and its code.
fn make(portal: &TestPortal, max_bytes: Option<u64>) -> (String, String) {
    let body = json!({ "request": note(portal, TICKET, max_bytes) });
    let (status, made) = told(post(portal, &portal.technician, &format!("/v1/tickets/{TICKET}/requests"), &body));
    assert_eq!(status, 201, "{made}");
    (made["id"].as_str().unwrap().to_owned(), made["code"].as_str().unwrap().to_owned())
}

fn redeem(portal: &TestPortal, code: &str, claim: &str) -> (u16, Value) {
    told(post(portal, "", "/v1/requests/redeem", &json!({ "code": code, "claim": claim })))
}

/// Redeems a code and gives the token.
fn token(portal: &TestPortal, code: &str) -> String {
    let (status, redeemed) = redeem(portal, code, CLAIM);
    assert_eq!(status, 200, "{redeemed}");
    redeemed["token"].as_str().unwrap().to_owned()
}

fn send(portal: &TestPortal, token: &str, sample: &Sample) -> u16 {
    let announced = post(portal, token, &format!("/v1/tickets/{TICKET}/snapshots"), &sample.announcement());
    if announced.status() != 201 {
        return announced.status().as_u16();
    }
    let upload = announced.headers()["location"].to_str().unwrap().to_owned();
    let sent = request(portal, token, "PATCH", &upload)
        .header("tus-resumable", "1.0.0")
        .header("content-type", "application/offset+octet-stream")
        .header("upload-offset", 0)
        .body(sample.bytes.clone())
        .send()
        .unwrap();
    sent.status().as_u16()
}

#[test]
fn a_code_gives_the_request_and_sends_one_snapshot() {
    let portal = TestPortal::start();
    let (_, code) = make(&portal, None);
    let (status, redeemed) = redeem(&portal, &code, CLAIM);
    assert_eq!((status, &redeemed["after_close_days"], &redeemed["hard_cap_days"]), (200, &json!(90), &json!(365)));
    let claimed = ClaimedRequest::read(redeemed["request"].as_str().unwrap()).unwrap();
    assert_eq!(claimed.asked().title.as_deref(), Some("Kamera-Fahrenholz flackert"));
    let token = redeemed["token"].as_str().unwrap();

    let own = Sample::new(1, 2000);
    assert_eq!(send(&portal, token, &own), 204);
    let second = post(&portal, token, &format!("/v1/tickets/{TICKET}/snapshots"), &Sample::new(2, 2000).announcement());
    assert_eq!(problem(second), (403, "/problems/code-used".into()));
    let (status, again) = told(post(&portal, token, &format!("/v1/tickets/{TICKET}/snapshots"), &own.announcement()));
    assert_eq!((status, &again["state"]), (200, &json!("stored")), "the same file told twice is one");
    assert_eq!(told(get(&portal, token, &format!("/v1/snapshots/{}", own.id))).0, 200);
    assert_eq!(redeem(&portal, &code, CLAIM).0, 404, "what was sent ends the code");
}

#[test]
fn a_codes_token_reaches_nothing_that_others_sent() {
    let portal = TestPortal::start();
    let others = Sample::new(3, 2000);
    store(&portal, &others);
    let waiting = announce(&portal, &Sample::new(4, 2000));
    let token = token(&portal, &make(&portal, None).1);
    let (status, ticket) = told(get(&portal, &token, &format!("/v1/tickets/{TICKET}")));
    assert_eq!((status, &ticket["snapshots"]), (200, &json!([])));
    for (method, path) in [
        ("GET", format!("/v1/snapshots/{}", others.id)),
        ("DELETE", format!("/v1/snapshots/{}", others.id)),
        ("GET", format!("/v1/snapshots/{}/content", others.id)),
    ] {
        let refused = request(&portal, &token, method, &path).header("tarseal-reason", "look").send().unwrap();
        assert_eq!(problem(refused), (404, "/problems/snapshot-unknown".into()), "{method} {path}");
    }
    for path in ["/v1/audit", "/v1/snapshots", "/v1/tickets"] {
        assert_eq!(told(get(&portal, &token, path)).0, 403, "{path}");
    }
    let by_name = request(&portal, &token, "PUT", &format!("/in/{TICKET}/a.tarseal")).body("x").send().unwrap();
    assert_eq!(by_name.status(), 403);
    // The id of an upload is told to nobody but who announced it.
    assert!(waiting.rsplit('/').next().unwrap().len() >= 32);

    let own = Sample::new(5, 2000);
    assert_eq!(send(&portal, &token, &own), 204);
    let withdrawn = request(&portal, &token, "DELETE", &format!("/v1/snapshots/{}", own.id)).send().unwrap();
    assert!(withdrawn.status().is_success(), "what was sent with it is withdrawn with it");
    assert_eq!(told(get(&portal, &portal.upload, &format!("/v1/snapshots/{}", others.id))).1["state"], "stored");
}

#[test]
fn a_lost_answer_is_asked_for_again_with_the_same_claim_alone() {
    let portal = TestPortal::start();
    let (_, code) = make(&portal, None);
    let lost = token(&portal, &code);
    assert_eq!(redeem(&portal, &code, "ffffffffffffffffffffffffffffffff").0, 404);
    let again = token(&portal, &code);
    assert_ne!(lost, again);
    assert_eq!(told(get(&portal, &lost, &format!("/v1/tickets/{TICKET}"))).0, 401, "the lost token is revoked");
    assert_eq!(told(get(&portal, &again, &format!("/v1/tickets/{TICKET}"))).0, 200);
}

#[test]
fn wrong_used_expired_and_revoked_codes_get_one_answer() {
    let portal = TestPortal::start();
    let refused = |code: &str| {
        let body = json!({ "code": code, "claim": "ffffffffffffffffffffffffffffffff" });
        let response = post(&portal, "", "/v1/requests/redeem", &body);
        let (status, body) = told(response);
        (status, body.to_string())
    };
    let wrong = refused("K7QF-2M4P");
    assert_eq!(wrong.0, 404);
    let (_, used) = make(&portal, None);
    token(&portal, &used);
    assert_eq!(refused(&used), wrong);
    let (id, revoked) = make(&portal, None);
    let path = format!("/v1/tickets/{TICKET}/requests/{id}");
    assert_eq!(request(&portal, &portal.technician, "DELETE", &path).send().unwrap().status(), 204);
    assert_eq!(refused(&revoked), wrong);
    assert_eq!(problem(request(&portal, &portal.technician, "DELETE", &path).send().unwrap()).0, 404);
    let (_, expired) = make(&portal, None);
    portal.clock.set(portal.clock.now().plus_seconds(3600));
    assert_eq!(refused(&expired), wrong);
    portal.portal().sweep().unwrap();
    let (_, left) = told(get(&portal, &portal.technician, &format!("/v1/tickets/{TICKET}/requests")));
    assert_eq!(left["items"], json!([]));
}

#[test]
fn who_guesses_codes_is_stopped_after_ten() {
    let portal = TestPortal::start();
    let (_, right) = make(&portal, None);
    let tries: Vec<u16> = (0..12).map(|_| redeem(&portal, "K7QF-2M4P", CLAIM).0).collect();
    assert_eq!(tries[..10], [404; 10]);
    assert_eq!(tries[10..], [429, 429]);
    assert_eq!(redeem(&portal, &right, CLAIM).0, 429, "a right guess is one guess too many, too");
}

#[test]
fn a_request_is_taken_for_its_own_open_ticket_while_it_is_good() {
    let portal = TestPortal::start();
    let path = format!("/v1/tickets/{TICKET}/requests");
    let refused = |note: &str| problem(post(&portal, &portal.technician, &path, &json!({ "request": note }))).0;
    assert_eq!(refused(&note(&portal, "4712", None)), 400);
    assert_eq!(refused("nothing"), 422);
    let good = note(&portal, TICKET, None);
    assert_eq!(refused(&good.replace("Kamera", "Camera")), 422, "a changed one");
    assert_eq!(problem(post(&portal, &portal.upload, &path, &json!({ "request": good }))).0, 403);
    let (_, code) = make(&portal, None);
    portal.clock.set(portal.clock.now().plus_seconds(3599));
    assert_eq!(redeem(&portal, &code, CLAIM).0, 200);
    let (_, code) = make(&portal, None);
    assert_eq!(told(post(&portal, &portal.technician, &format!("/v1/tickets/{TICKET}/close"), &json!({}))).0, 200);
    assert_eq!(redeem(&portal, &code, CLAIM).1["type"], "/problems/ticket-closed");
    assert_eq!(refused(&note(&portal, TICKET, None)), 409);
}

#[test]
fn no_more_is_sent_than_was_asked_for_and_twenty_requests_wait() {
    let portal = TestPortal::start();
    let token = token(&portal, &make(&portal, Some(1999)).1);
    assert_eq!(send(&portal, &token, &Sample::new(6, 2000)), 413);
    assert_eq!(send(&portal, &token, &Sample::new(6, 1999)), 204);
    for _ in 1..20 {
        make(&portal, None);
    }
    let body = json!({ "request": note(&portal, TICKET, None) });
    let path = format!("/v1/tickets/{TICKET}/requests");
    assert_eq!(told(post(&portal, &portal.technician, &path, &body)).0, 409);
}

#[test]
fn no_code_and_no_title_lies_in_the_portals_files_when_a_request_is_over() {
    if std::env::var("TARSEAL_TEST_STORE").as_deref() == Ok("postgres") {
        eprintln!("skipped: PostgreSQL's files are not the portal's");
        return;
    }
    let portal = TestPortal::start();
    let (_, code) = make(&portal, None);
    let holds = |text: &str| {
        let text = text.as_bytes();
        portal.files().iter().any(|(_, bytes)| bytes.windows(text.len()).any(|part| part == text))
    };
    assert!(holds("Kamera-Fahrenholz"), "the test sees the request");
    assert!(!holds(&code) && !holds(&code.replace('-', "")), "the code is nowhere");
    portal.clock.set(portal.clock.now().plus_seconds(3601));
    portal.portal().sweep().unwrap();
    // What was deleted is out of the log with the next checkpoint, as with any deletion.
    let mut portal = portal;
    portal.stop();
    let text = b"Kamera-Fahrenholz";
    assert!(!portal.files().iter().any(|(_, bytes)| bytes.windows(text.len()).any(|part| part == text)));
}
