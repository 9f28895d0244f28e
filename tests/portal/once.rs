//! `Idempotency-Key`.

use reqwest::blocking::Response;
use serde_json::{Value, json};

use crate::client::{request, told};
use crate::support::{TICKET, TestPortal};

fn post(portal: &TestPortal, key: &str, path: &str, body: &Value) -> Response {
    let request = request(portal, &portal.technician, "POST", path).header("idempotency-key", key);
    request.body(body.to_string()).send().unwrap()
}

fn replayed(response: &Response) -> bool {
    response.headers().contains_key("idempotency-replayed")
}

#[test]
fn a_write_with_a_key_is_done_once_and_answered_alike() {
    let portal = TestPortal::start();
    let first = post(&portal, "k1", "/v1/tickets", &json!({ "ticket": "4712" }));
    assert!(!replayed(&first));
    let first = told(first);
    assert_eq!(first.0, 201);
    let second = post(&portal, "k1", "/v1/tickets", &json!({ "ticket": "4712" }));
    assert!(replayed(&second));
    assert_eq!(told(second), first);
    assert_eq!(
        told(post(&portal, "k2", "/v1/tickets", &json!({ "ticket": "4712" }))).0,
        409,
        "another key, done again"
    );
}

#[test]
fn a_key_is_for_one_request_of_one_principal_for_a_day() {
    let portal = TestPortal::start();
    assert_eq!(told(post(&portal, "k", "/v1/tickets", &json!({ "ticket": "4712" }))).0, 201);
    assert_eq!(told(post(&portal, "k", "/v1/tickets", &json!({ "ticket": "4713" }))).0, 422);
    let other = request(&portal, &portal.upload, "POST", "/v1/tickets").header("idempotency-key", "k");
    assert_eq!(other.body(json!({ "ticket": "4712" }).to_string()).send().unwrap().status(), 403);
    assert_eq!(told(post(&portal, "k", &format!("/v1/tickets/{TICKET}/close"), &json!({}))).0, 200, "another path");
    portal.days_pass(2);
    portal.portal().sweep().unwrap();
    assert_eq!(told(post(&portal, "k", "/v1/tickets", &json!({ "ticket": "4713" }))).0, 201);
    for key in ["", &"x".repeat(256)] {
        assert_eq!(told(post(&portal, key, "/v1/tickets", &json!({ "ticket": "4714" }))).0, 400);
    }
}

#[test]
fn a_token_is_told_once_and_kept_nowhere() {
    let portal = TestPortal::start();
    let path = format!("/v1/tickets/{TICKET}/tokens");
    let (status, made) = told(post(&portal, "k", &path, &json!({ "valid_seconds": 3600 })));
    assert_eq!(status, 201);
    assert_eq!(told(post(&portal, "k", &path, &json!({ "valid_seconds": 3600 }))).0, 409);
    let token = made["token"].as_str().unwrap().as_bytes();
    for (file, bytes) in portal.files() {
        assert!(!bytes.windows(token.len()).any(|part| part == token), "{}", file.display());
    }
}

#[test]
fn a_refusal_is_answered_alike_and_a_write_that_was_not_allowed_may_come_again() {
    let portal = TestPortal::start();
    let same = post(&portal, "k", "/v1/tickets", &json!({ "ticket": TICKET }));
    assert_eq!(same.status(), 409);
    assert!(replayed(&post(&portal, "k", "/v1/tickets", &json!({ "ticket": TICKET }))));
    let denied = |key: &str| {
        let request = request(&portal, &portal.upload, "POST", "/v1/tickets").header("idempotency-key", key);
        request.body(json!({ "ticket": "x" }).to_string()).send().unwrap()
    };
    assert_eq!(denied("d").status(), 403);
    assert!(!replayed(&denied("d")));
}
