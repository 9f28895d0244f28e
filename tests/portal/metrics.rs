//! Metrics and health: what whoever watches the portal sees.

use std::collections::BTreeMap;

use reqwest::blocking::Client;
use serde_json::json;

use crate::client::{Sample, content, event, get, post, store, told};
use crate::support::{TICKET, TestPortal};

fn start() -> TestPortal {
    TestPortal::start_with(|config| config.metrics = Some(([127, 0, 0, 1], 0).into()))
}

/// What is collected, as it stands.
fn text(portal: &TestPortal) -> String {
    let url = portal.portal().metrics_url().unwrap();
    let response = Client::builder().no_proxy().build().unwrap().get(url).send().unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("application/openmetrics-text;"));
    response.text().unwrap()
}

/// Every sample by its name and labels. Each line must be one that Prometheus reads.
fn samples(text: &str) -> BTreeMap<String, f64> {
    assert!(text.ends_with("# EOF\n"));
    let mut samples = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(name.starts_with("tarseal_"), "{line}");
        assert!(samples.insert(name.to_owned(), value.parse().unwrap()).is_none(), "twice: {line}");
    }
    samples
}

#[test]
fn uploads_requests_problems_and_deletions_are_counted() {
    let portal = start();
    let before = samples(&text(&portal));
    assert_eq!(before["tarseal_uploads_total"], 0.0);
    assert_eq!(before["tarseal_clock_unverified"], 0.0);
    assert!(before["tarseal_free_space_bytes"] > 0.0 && before["tarseal_audit_records"] > 0.0);

    let sample = Sample::new(1, 3000);
    store(&portal, &sample);
    assert_eq!(content(&portal, &sample).send().unwrap().status(), 200);
    assert_eq!(get(&portal, &portal.upload, "/v1/tickets").status(), 403);
    assert_eq!(get(&portal, "", "/nowhere/at/all").status(), 404);
    crate::client::announce(&portal, &Sample::new(2, 500));
    let after = samples(&text(&portal));
    assert_eq!((after["tarseal_uploads_total"], after["tarseal_upload_bytes_total"]), (1.0, 3000.0));
    assert_eq!(after["tarseal_upload_awaited_bytes"], 500.0);
    let read = "tarseal_requests_total{route=\"/v1/snapshots/{id}/content\",method=\"GET\",status=\"200\"}";
    assert_eq!(after[read], 1.0);
    assert_eq!(after["tarseal_request_seconds_count{route=\"/v1/snapshots/{id}/content\"}"], 1.0);
    assert_eq!(after["tarseal_problems_total{problem=\"not-allowed\"}"], 1.0);
    assert_eq!(after["tarseal_requests_total{route=\"none\",method=\"GET\",status=\"404\"}"], 1.0);

    event(&portal, "close", &json!({}));
    portal.days_pass(91);
    portal.portal().sweep().unwrap();
    let gone = samples(&text(&portal));
    assert_eq!(gone.get("tarseal_deletions_total{kept=\"in-time\"}"), None, "the portal had no chance before");
    assert_eq!(gone["tarseal_deletions_total{kept=\"late\"}"], 1.0);
    assert_eq!((gone["tarseal_deletions_due"], gone["tarseal_deletion_lag_seconds"]), (0.0, 0.0));
}

#[test]
fn what_is_due_and_not_gone_shows_as_lag_and_degrades_health() {
    let portal = start();
    store(&portal, &Sample::new(1, 100));
    event(&portal, "close", &json!({}));
    let health = |portal: &TestPortal| told(get(portal, "", "/healthz")).1["status"].clone();
    assert_eq!(health(&portal), "ok");
    // Due on 2027-02-20 at midnight. Nothing sweeps here: the clock stands still between two minutes.
    portal.set_clock("2027-02-20T00:30:00Z");
    let lag = samples(&text(&portal));
    assert_eq!((lag["tarseal_deletions_due"], lag["tarseal_deletion_lag_seconds"]), (1.0, 1800.0));
    assert_eq!((lag["tarseal_deletions_late"], health(&portal)), (0.0, json!("ok")));
    portal.set_clock("2027-02-20T01:00:01Z");
    assert_eq!((samples(&text(&portal))["tarseal_deletions_late"], health(&portal)), (1.0, json!("degraded")));
    assert_eq!(told(get(&portal, "", "/readyz")), (200, json!({ "status": "ready" })));
    portal.portal().sweep().unwrap();
    assert_eq!((samples(&text(&portal))["tarseal_deletions_late"], health(&portal)), (0.0, json!("ok")));
}

#[test]
fn a_clock_that_jumped_is_told() {
    let portal = start();
    portal.portal().sweep().unwrap();
    portal.clock.step("2028-01-01T00:00:00Z".parse().unwrap());
    portal.portal().sweep().unwrap();
    assert_eq!(samples(&text(&portal))["tarseal_clock_unverified"], 1.0);
    assert_eq!(told(get(&portal, "", "/healthz")).1["status"], "degraded");
}

#[test]
fn metrics_name_nobody_and_do_not_grow_with_what_is_sent() {
    let portal = start();
    post(&portal, &portal.technician, "/v1/tickets", &json!({ "ticket": "ada-lovelace" }));
    for number in 0..50 {
        get(&portal, &portal.technician, &format!("/v1/tickets/somebody-{number}?x={number}"));
        get(&portal, "", &format!("/wherever/{number}"));
        let method = reqwest::Method::from_bytes(format!("METHOD{number}").as_bytes()).unwrap();
        let client = Client::builder().no_proxy().build().unwrap();
        client.request(method, format!("{}/v1/tickets", portal.url())).send().unwrap();
    }
    let told = samples(&text(&portal)).into_keys().collect::<Vec<_>>().join("\n");
    for word in ["ada", "somebody", "wherever", "METHOD", TICKET, "default", "127.0.0.1"] {
        assert!(!told.contains(word), "{word}");
    }
    let routes = told.lines().filter(|line| line.starts_with("tarseal_requests_total")).count();
    assert!(routes < 10, "{routes}");
}

#[test]
fn metrics_are_on_their_own_listener_or_nowhere() {
    let portal = TestPortal::start();
    assert_eq!(portal.portal().metrics_url(), None);
    assert_eq!(get(&portal, "", "/metrics").status(), 404);
    let with = start();
    assert_eq!(get(&with, "", "/metrics").status(), 404);
    let elsewhere = with.portal().metrics_url().unwrap().replace("/metrics", "/v1/tickets");
    assert_eq!(Client::builder().no_proxy().build().unwrap().get(elsewhere).send().unwrap().status(), 404);
}
