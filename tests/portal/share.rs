//! The share: given to a technician's key, opened with its identity, gone at the deadline.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use reqwest::blocking::Response;
use serde_json::json;
use tarseal::format::{Identity, KeyKind, open_sealed};
use tarseal::wire;

use crate::client::{Sample, event, problem, request, store, told};
use crate::support::TestPortal;

fn ask(portal: &TestPortal, token: &str, sample: &Sample, recipient: &str, reason: Option<&str>) -> Response {
    let mut asked = request(portal, token, "POST", &format!("/v1/snapshots/{}/share", sample.id));
    if let Some(reason) = reason {
        asked = asked.header("tarseal-reason", reason);
    }
    asked.body(json!({ "recipient": recipient }).to_string()).send().unwrap()
}

#[test]
fn a_share_opens_with_the_technicians_identity_alone() {
    let portal = TestPortal::start();
    let sample = Sample::new(1, 100);
    store(&portal, &sample);
    let mut rng = StdRng::seed_from_u64(7);
    for kind in [KeyKind::X25519, KeyKind::XWing] {
        let identity = Identity::generate(kind, &mut rng);
        let other = Identity::generate(kind, &mut rng);
        let recipient = identity.recipient().to_string();
        let (status, body) = told(ask(&portal, &portal.technician, &sample, &recipient, Some("audio drop")));
        assert_eq!(status, 200);
        let sealed: wire::SealedShare = serde_json::from_value(body).unwrap();
        let bytes = BASE64_STANDARD.decode(&sealed.sealed).unwrap();
        let info = wire::share_info(&sample.id.parse().unwrap(), &sealed.id);
        assert_eq!(open_sealed(&identity, &info, &bytes).unwrap().expose().as_slice(), sample.share.unwrap());
        assert!(open_sealed(&other, &info, &bytes).is_err());
        let elsewhere = wire::share_info(&Sample::new(2, 1).id.parse().unwrap(), &sealed.id);
        assert!(open_sealed(&identity, &elsewhere, &bytes).is_err(), "bound to its snapshot");
    }
}

#[test]
fn a_share_is_given_to_technicians_who_say_why() {
    let portal = TestPortal::start();
    let (sample, without) = (Sample::new(1, 100), Sample { share: None, ..Sample::new(2, 100) });
    store(&portal, &sample);
    store(&portal, &without);
    let recipient = Identity::generate(KeyKind::X25519, &mut StdRng::seed_from_u64(7)).recipient().to_string();
    assert_eq!(problem(ask(&portal, &portal.technician, &sample, &recipient, None)).0, 400);
    assert_eq!(problem(ask(&portal, &portal.technician, &sample, "tarseal1nonsense", Some("x"))).0, 400);
    assert_eq!(problem(ask(&portal, &portal.technician, &without, &recipient, Some("x"))).0, 400);
    assert_eq!(problem(ask(&portal, &portal.upload, &sample, &recipient, Some("x"))).0, 403);
    assert_eq!(ask(&portal, &portal.technician, &sample, &recipient, Some("x")).status(), 200);

    let outcomes = portal.texts("SELECT outcome FROM audit WHERE action = 'give-share' ORDER BY outcome");
    assert_eq!(outcomes, ["denied", "done"]);
}

#[test]
fn a_share_is_gone_at_the_deadline_and_at_the_senders_own_date() {
    let portal = TestPortal::start();
    let sample = Sample::new(1, 100);
    store(&portal, &sample);
    event(&portal, "close", &json!({}));
    let recipient = Identity::generate(KeyKind::X25519, &mut StdRng::seed_from_u64(7)).recipient().to_string();
    let status = || ask(&portal, &portal.technician, &sample, &recipient, Some("x")).status().as_u16();
    portal.set_clock("2027-02-18T00:00:00Z");
    assert_eq!(status(), 200);
    portal.set_clock("2027-02-20T00:00:00Z");
    assert_eq!(status(), 410, "before any sweep");
    portal.portal().sweep().unwrap();
    assert_eq!(status(), 410);

    let short = TestPortal::start();
    let mut announced = sample.announcement();
    announced["share"]["not_after"] = json!("2026-11-30T00:00:00Z");
    let created = crate::client::post(&short, &short.upload, "/v1/tickets/4711/snapshots", &announced);
    let upload = created.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(crate::client::append(&short, &upload, 0, &sample.bytes).status(), 204);
    let status = || ask(&short, &short.technician, &sample, &recipient, Some("x")).status().as_u16();
    assert_eq!(status(), 200);
    short.set_clock("2026-11-30T00:00:00Z");
    assert_eq!(status(), 410);
}
