//! Who gets in: tokens, tenants, roles, tickets, and what every answer carries.

use serde_json::json;
use tarseal::portal::Role;
use tarseal::portal::admin::TokenOrder;

use crate::client::{Sample, announce, append, event, get, post, problem, request, store, told};
use crate::support::{TICKET, TestPortal, ticket};

fn token(portal: &TestPortal, role: Role, change: impl FnOnce(&mut TokenOrder)) -> String {
    let mut order = TokenOrder::new(role);
    change(&mut order);
    portal.admin().new_token(&order).unwrap().token.expose().clone()
}

#[test]
fn no_token_and_bad_tokens_are_refused() {
    let portal = TestPortal::start();
    let changed = format!("{}x", portal.technician);
    for bad in ["", "tsl_", "tsl_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "swordfish", &changed] {
        let response = get(&portal, bad, &format!("/v1/tickets/{TICKET}"));
        assert_eq!(response.headers()["www-authenticate"], "Bearer");
        assert_eq!(problem(response), (401, String::from("/problems/token-refused")), "{bad}");
    }
    let basic = reqwest::blocking::Client::new().get(format!("{}/v1/tickets", portal.url())).basic_auth("a", Some("b"));
    assert_eq!(basic.send().unwrap().status(), 401);
}

#[test]
fn a_token_ends_when_it_expires_or_is_revoked() {
    let portal = TestPortal::start();
    let path = format!("/v1/tickets/{TICKET}");
    let short = token(&portal, Role::Staff, |_| {});
    assert_eq!(get(&portal, &short, &path).status(), 200);
    portal.set_clock("2026-11-24T14:19:59Z");
    assert_eq!(get(&portal, &short, &path).status(), 200);
    portal.set_clock("2026-11-24T14:20:00Z");
    assert_eq!(get(&portal, &short, &path).status(), 401, "72 hours");

    let admin = portal.admin();
    let made = admin.new_token(&TokenOrder::new(Role::Staff)).unwrap();
    assert_eq!(get(&portal, made.token.expose(), &path).status(), 200);
    admin.revoke(&made.id).unwrap();
    assert_eq!(get(&portal, made.token.expose(), &path).status(), 401, "at once, while the portal runs");
    assert!(admin.revoke(&made.id).is_err());
}

#[test]
fn a_technician_makes_and_revokes_upload_tokens() {
    let portal = TestPortal::start();
    let path = format!("/v1/tickets/{TICKET}/tokens");
    let (status, made) = told(post(&portal, &portal.technician, &path, &json!({ "valid_seconds": 3600 })));
    assert_eq!(status, 201);
    let text = made["token"].as_str().unwrap();
    assert!(text.starts_with("tsl_"));
    assert_eq!(made["expires"], "2026-11-21T15:20:00Z");
    let sample = Sample::new(1, 50);
    let announce = |text: &str| post(&portal, text, &format!("/v1/tickets/{TICKET}/snapshots"), &sample.announcement());
    assert_eq!(announce(text).status(), 201);
    let revoke = format!("{path}/{}", made["id"].as_str().unwrap());
    assert_eq!(request(&portal, &portal.upload, "DELETE", &revoke).send().unwrap().status(), 403);
    assert_eq!(request(&portal, &portal.technician, "DELETE", &revoke).send().unwrap().status(), 204);
    assert_eq!(announce(text).status(), 401);
    for seconds in [json!(0), json!(90 * 86_400 + 1), json!(-1)] {
        let refused = post(&portal, &portal.technician, &path, &json!({ "valid_seconds": seconds }));
        assert!([400, 422].contains(&problem(refused).0));
    }
    let files = portal.files();
    assert!(
        files.iter().all(|(_, bytes)| !bytes.windows(text.len()).any(|part| part == text.as_bytes())),
        "kept nowhere"
    );
}

#[test]
fn an_upload_token_is_for_its_ticket_alone() {
    let portal = TestPortal::start();
    post(&portal, &portal.technician, "/v1/tickets", &json!({ "ticket": "4712" }));
    let refused = post(&portal, &portal.upload, "/v1/tickets/4712/snapshots", &Sample::new(1, 10).announcement());
    assert_eq!(problem(refused), (404, String::from("/problems/ticket-unknown")));
    let unknown = post(&portal, &portal.technician, "/v1/tickets/none/snapshots", &Sample::new(1, 10).announcement());
    assert_eq!(problem(unknown), (404, String::from("/problems/ticket-unknown")));
    for (method, path) in [
        ("POST", String::from("/v1/tickets")),
        ("POST", format!("/v1/tickets/{TICKET}/close")),
        ("POST", format!("/v1/tickets/{TICKET}/tokens")),
        ("GET", String::from("/v1/tickets")),
        ("GET", String::from("/v1/snapshots")),
    ] {
        let body = json!({ "ticket": TICKET }).to_string();
        let refused = request(&portal, &portal.upload, method, &path).body(body).send().unwrap();
        assert_eq!(problem(refused), (403, String::from("/problems/not-allowed")), "{method} {path}");
    }
}

#[test]
fn another_tenants_things_are_not_there() {
    let portal = TestPortal::start();
    let sample = Sample::new(1, 50);
    let upload = announce(&portal, &sample);
    append(&portal, &upload, 0, &sample.bytes);
    let (_, body) = told(get(&portal, &portal.technician, &format!("/v1/tickets/{TICKET}")));
    assert_eq!(body["snapshots"][0]["id"], sample.id);
    let receipt = get(&portal, &portal.technician, &format!("/v1/snapshots/{}/receipt", sample.id)).text().unwrap();
    let receipt_id = receipt.split("\"id\":\"").nth(1).unwrap()[..32].to_owned();
    assert_eq!(get(&portal, &portal.upload, &format!("/v1/receipts/{receipt_id}")).status(), 200);

    let other = "rival".parse().unwrap();
    portal.admin().new_tenant(&other, &tarseal::track::RetentionPolicy::default()).unwrap();
    let stranger = token(&portal, Role::Technician, |order| order.tenant = Some(other));
    for (method, path) in [
        ("GET", format!("/v1/tickets/{TICKET}")),
        ("POST", format!("/v1/tickets/{TICKET}/close")),
        ("GET", format!("/v1/snapshots/{}", sample.id)),
        ("GET", format!("/v1/snapshots/{}/content", sample.id)),
        ("GET", format!("/v1/snapshots?ticket={TICKET}")),
        ("HEAD", upload.clone()),
        ("DELETE", upload.clone()),
    ] {
        let request =
            request(&portal, &stranger, method, &path).header("tarseal-reason", "x").header("tus-resumable", "1.0.0");
        assert_eq!(request.send().unwrap().status(), 404, "{method} {path}");
    }
    let (_, list) = told(get(&portal, &stranger, "/v1/snapshots"));
    assert_eq!(list["items"], json!([]));
    assert_eq!(
        post(&portal, &stranger, "/v1/tickets", &json!({ "ticket": TICKET })).status(),
        201,
        "names are its own"
    );
}

#[test]
fn tickets_are_opened_once_and_listed() {
    let portal = TestPortal::start();
    let response = post(&portal, &portal.technician, "/v1/tickets", &json!({ "ticket": "4712" }));
    assert_eq!(response.headers()["location"], "/v1/tickets/4712");
    assert_eq!(told(response), (201, json!({ "ticket": "4712", "state": "open", "closed_at": null, "snapshots": [] })));
    let again = post(&portal, &portal.technician, "/v1/tickets", &json!({ "ticket": "4712" }));
    assert_eq!(problem(again), (409, String::from("/problems/ticket-exists")));
    assert_eq!(post(&portal, &portal.technician, "/v1/tickets", &json!({ "ticket": "../x" })).status(), 422);
    event(&portal, "close", &json!({}));
    let names = |query: &str| {
        let (_, body) = told(get(&portal, &portal.technician, &format!("/v1/tickets{query}")));
        body["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|ticket| ticket["ticket"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(""), ["4712", "4711"]);
    assert_eq!(names("?state=open"), ["4712"]);
    assert_eq!(names("?state=closed"), ["4711"]);
    assert_eq!(get(&portal, &portal.technician, "/v1/tickets?state=lost").status(), 400);
}

#[test]
fn nothing_is_added_to_a_closed_ticket() {
    let portal = TestPortal::start();
    let (begun, new) = (Sample::new(1, 50), Sample::new(2, 50));
    let upload = announce(&portal, &begun);
    event(&portal, "close", &json!({}));
    let refused = post(&portal, &portal.upload, &format!("/v1/tickets/{TICKET}/snapshots"), &new.announcement());
    assert_eq!(problem(refused), (409, String::from("/problems/ticket-closed")));
    let tokens =
        post(&portal, &portal.technician, &format!("/v1/tickets/{TICKET}/tokens"), &json!({ "valid_seconds": 60 }));
    assert_eq!(tokens.status(), 409);
    // What was under way may end; its days count from the closing.
    assert_eq!(append(&portal, &upload, 0, &begun.bytes).status(), 204);
    let (_, snapshot) = told(get(&portal, &portal.technician, &format!("/v1/snapshots/{}", begun.id)));
    assert_eq!(snapshot["due_at"], "2027-02-20T00:00:00Z");
}

#[test]
fn a_token_is_good_for_so_many_bytes() {
    let portal = TestPortal::start();
    let small = token(&portal, Role::Upload, |order| {
        order.ticket = Some(ticket());
        order.max_bytes = Some(150);
    });
    let path = format!("/v1/tickets/{TICKET}/snapshots");
    assert_eq!(post(&portal, &small, &path, &Sample::new(1, 100).announcement()).status(), 201);
    assert_eq!(post(&portal, &small, &path, &Sample::new(2, 51).announcement()).status(), 413);
    assert_eq!(post(&portal, &small, &path, &Sample::new(3, 50).announcement()).status(), 201);
}

#[test]
fn every_answer_carries_an_id_and_the_headers_that_protect() {
    let portal = TestPortal::start();
    store(&portal, &Sample::new(1, 50));
    let mut ids = std::collections::BTreeSet::new();
    for path in ["/healthz", "/nowhere", "/v1/tickets", "/v1/receipt-key"] {
        let response =
            request(&portal, &portal.technician, "GET", path).header("x-request-id", "forged").send().unwrap();
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert!(response.headers()["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
        ids.insert(response.headers()["x-request-id"].to_str().unwrap().to_owned());
    }
    assert_eq!(ids.len(), 4);
    assert!(!ids.contains("forged"));
    assert_eq!(problem(get(&portal, "", "/nowhere")).0, 404);
    assert_eq!(problem(request(&portal, "", "PUT", "/healthz").send().unwrap()).0, 405);
}
