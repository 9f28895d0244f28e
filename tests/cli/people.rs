//! The operator invites people and manages them.

use serde_json::{Value, json};
use tarseal::clock::Clock as _;

use crate::desk::Desk;

fn post(desk: &Desk, path: &str, body: &Value) -> (u16, Value) {
    let client = reqwest::blocking::Client::builder().no_proxy().build().unwrap();
    let answer = client.post(format!("{}{path}", desk.url())).body(body.to_string()).send().unwrap();
    (answer.status().as_u16(), answer.json().unwrap())
}

/// Takes up an invitation as somebody with an authenticator app does; the session it gives.
pub fn join(desk: &Desk, invitation: &str, name: &str) -> String {
    let choice = json!({ "invitation": invitation, "name": name, "password": "correct horse battery" });
    let (status, enrol) = post(desk, "/v1/invitation", &choice);
    assert_eq!(status, 200, "{enrol}");
    let secret = totp_rs::Secret::try_from_base32(enrol["secret"].as_str().unwrap()).unwrap();
    let app = totp_rs::Builder::new().with_secret(secret.as_bytes()).build_noncompliant();
    let code = app.generate(u64::try_from(desk.clock.now().seconds()).unwrap()).to_string();
    let (status, made) = post(desk, "/v1/invitation/confirm", &json!({ "invitation": invitation, "code": code }));
    assert_eq!(status, 201, "{made}");
    made["session"].as_str().unwrap().to_owned()
}

fn is_signed_in(desk: &Desk, session: &str) -> bool {
    let client = reqwest::blocking::Client::builder().no_proxy().build().unwrap();
    client.get(format!("{}/v1/session", desk.url())).bearer_auth(session).send().unwrap().status() == 200
}

#[test]
fn somebody_invited_is_listed_changed_and_out_at_once() {
    let desk = Desk::new();
    desk.operator(&["invite", "--role", "technician"]).ends(2).says("more than one tenant");
    desk.operator(&["invite", "--role", "upload", "--tenant", "agency"]).ends(2).says("make a token");
    desk.operator(&["invite", "--role", "king", "--tenant", "agency"]).ends(2).says("is not a role");
    desk.operator(&["invite", "--role", "staff", "--tenant", "nobody"]).ends(10);
    let invited = desk.operator(&["invite", "--role", "technician", "--tenant", "agency"]).ends(0).says("good once");
    let session = join(&desk, invited.out.trim(), "ada");
    assert!(is_signed_in(&desk, &session));

    let listed = desk.operator(&["user", "list", "--json"]).ends(0).result();
    let user = &listed["users"][0];
    assert_eq!(
        (&user["name"], &user["role"], &user["tenant"]),
        (&json!("ada"), &json!("technician"), &json!("agency"))
    );
    let id = user["id"].as_str().unwrap();
    desk.operator(&["user", "role", id, "lead"]).ends(0);
    assert!(desk.operator(&["user", "list"]).ends(0).out.contains("lead        agency  ada"));
    desk.operator(&["user", "disable", id]).ends(0).says("refused from now on");
    assert!(!is_signed_in(&desk, &session));
    assert!(desk.operator(&["user", "list"]).ends(0).out.contains("disabled 2026-11-21T09:00:00Z"));
    desk.operator(&["user", "enable", id]).ends(0);
    desk.operator(&["user", "disable", "0011223344556677"]).ends(10).says("There is no user");

    let again = desk.operator(&["user", "reset", id, "--json"]).ends(0).result();
    desk.clock.set(desk.clock.now().plus_seconds(30));
    assert!(is_signed_in(&desk, &join(&desk, again["invitation"].as_str().unwrap(), "another")));
    assert_eq!(desk.operator(&["user", "list", "--json"]).ends(0).result()["users"][0]["name"], "ada");
}

#[test]
fn a_proxy_to_trust_is_an_address_or_a_network() {
    let desk = Desk::new();
    let serve = ["serve", "--listen", "127.0.0.1:0", "--trusted-proxy", "proxy.example"];
    let mut other = vec!["portal"];
    other.extend(serve);
    let data = desk.at("another");
    other.extend(["--data", &data]);
    desk.sender(&other).ends(2).says("is not a network");
}
