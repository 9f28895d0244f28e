//! A clock that jumps deletes nothing until an operator confirms it.

use serde_json::json;

use crate::client::{Sample, announce, event, get, snapshot, store};
use crate::support::TestPortal;

fn health(portal: &TestPortal) -> String {
    get(portal, "", "/healthz").text().unwrap()
}

const OK: &str = "{\"status\":\"ok\"}";
const DEGRADED: &str = "{\"status\":\"degraded\"}";

fn step(portal: &TestPortal, days: i64) {
    use tarseal::clock::Clock as _;
    portal.clock.step(portal.clock.now().plus_days(days));
}

#[test]
fn a_clock_that_is_set_four_hundred_days_on_or_back_deletes_nothing() {
    for days in [400, -400] {
        let portal = TestPortal::start();
        let (stored, unfinished) = (Sample::new(1, 100), Sample::new(2, 100));
        store(&portal, &stored);
        announce(&portal, &unfinished);
        event(&portal, "close", &json!({}));
        portal.portal().sweep().unwrap();
        step(&portal, days);
        assert_eq!(portal.portal().sweep().unwrap(), tarseal::portal::Swept::default(), "{days}");
        assert_eq!(health(&portal), DEGRADED);
        let jump = portal.admin().clock_jump().unwrap().unwrap();
        assert_eq!(jump.expected.to_string(), "2026-11-21T14:20:00Z");

        // Set right again, it still waits for a person; so does what another process would delete.
        step(&portal, -days);
        portal.days_pass(92);
        assert_eq!(portal.portal().sweep().unwrap().deleted, 0);
        assert_eq!(portal.admin().sweep().unwrap().deleted, 0);
        assert_eq!(health(&portal), DEGRADED);
        assert_eq!(portal.admin().confirm_clock().unwrap().to_string(), "2027-02-21T14:20:00Z");
        let swept = portal.portal().sweep().unwrap();
        assert_eq!((swept.deleted, swept.expired), (1, 1), "{days}");
        assert_eq!(health(&portal), OK);
    }
}

#[test]
fn a_jump_is_found_by_whoever_tells_something_first() {
    let portal = TestPortal::start();
    let sample = Sample::new(1, 100);
    store(&portal, &sample);
    event(&portal, "close", &json!({}));
    portal.portal().sweep().unwrap();
    step(&portal, 90);
    event(&portal, "reopen", &json!({ "at": "2026-11-21T14:20:00Z" }));
    assert_eq!(health(&portal), DEGRADED);
    assert_eq!(snapshot(&portal, &sample)["state"], "stored", "no deletion began by that clock");
}

#[test]
fn a_portal_that_was_down_while_its_machine_ran_is_not_fooled() {
    let mut portal = TestPortal::start();
    let sample = Sample::new(1, 100);
    store(&portal, &sample);
    event(&portal, "close", &json!({}));
    portal.portal().sweep().unwrap();
    portal.stop();
    portal.days_pass(30);
    step(&portal, 62);
    portal.restart();
    portal.portal().sweep().unwrap();
    assert_eq!(health(&portal), DEGRADED);
    let jump = portal.admin().clock_jump().unwrap().unwrap();
    assert_eq!(jump.expected.to_string(), "2026-12-21T14:20:00Z", "it knows how long it was down");
}

#[test]
fn after_a_start_of_the_machine_a_week_is_believed_and_more_is_asked() {
    use tarseal::clock::Clock as _;
    let mut portal = TestPortal::start();
    let sample = Sample::new(1, 100);
    store(&portal, &sample);
    event(&portal, "close", &json!({}));
    portal.portal().sweep().unwrap();
    portal.stop();
    portal.clock.start_again(portal.clock.now().plus_days(7));
    portal.restart();
    portal.portal().sweep().unwrap();
    assert_eq!(health(&portal), OK, "switched off for a week");
    portal.stop();
    portal.clock.start_again(portal.clock.now().plus_days(90));
    portal.restart();
    assert_eq!(portal.portal().sweep().unwrap().deleted, 0);
    assert_eq!(health(&portal), DEGRADED, "off for three months, or set three months on: nobody knows");
    portal.admin().confirm_clock().unwrap();
    assert_eq!(portal.portal().sweep().unwrap().deleted, 1);
    portal.stop();
    portal.clock.start_again(portal.clock.now().plus_days(-1));
    portal.restart();
    portal.portal().sweep().unwrap();
    assert_eq!(health(&portal), DEGRADED, "no machine was switched on before it was switched off");
}

#[test]
fn a_jump_that_an_act_of_one_tenant_finds_is_in_the_log_of_each() {
    let portal = TestPortal::start();
    for tenant in ["acme", "other"] {
        portal.admin().new_tenant(&tenant.parse().unwrap(), &Default::default()).unwrap();
    }
    store(&portal, &Sample::new(1, 100));
    portal.portal().sweep().unwrap();
    step(&portal, 90);
    event(&portal, "close", &json!({}));
    let told = portal.texts("SELECT tenant FROM audit WHERE action = 'clock-jumped' ORDER BY tenant");
    assert_eq!(told, ["acme", "default", "other"]);
}
