//! Merging, holding, extending, withdrawing, and tickets of which nothing is heard.

use serde_json::{Value, json};
use tarseal::portal::Role;
use tarseal::track::receipt::{DeletionReason, verify};

use crate::client::{Sample, content, event, get, order, post, problem, snapshot, store, token};
use crate::person::{Person, person};
use crate::support::{TICKET, TestPortal};

fn hold_path(sample: &Sample) -> String {
    format!("/v1/snapshots/{}/hold", sample.id)
}

fn ask(review: &str) -> Value {
    json!({ "basis": "legal-claim", "reason": "claim 17 C 204/26", "review_at": review })
}

/// Two persons put a hold in force.
pub fn hold(portal: &TestPortal, sample: &Sample, [one, two]: [&Person; 2], review: &str) {
    let (status, asked) = order(portal, &one.here(portal), "PUT", &hold_path(sample), Some(&ask(review)));
    assert_eq!(status, 202, "{asked}");
    let confirm = json!({ "confirms": asked["asked"]["id"] });
    let (status, held) = order(portal, &two.here(portal), "PUT", &hold_path(sample), Some(&confirm));
    assert_eq!(status, 200, "{held}");
}

fn reason_of_deletion(portal: &TestPortal, sample: &Sample) -> Option<DeletionReason> {
    let note = get(portal, &portal.upload, &format!("/v1/snapshots/{}/receipt", sample.id)).text().unwrap();
    verify(&note, &portal.portal().key()).unwrap().reason
}

#[test]
fn a_bare_date_is_the_end_of_that_day_where_the_tenant_is() {
    let portal = TestPortal::start();
    let sample = Sample::new(1, 100);
    store(&portal, &sample);
    portal.days_pass(20);
    let (_, closed) = event(&portal, "close", &json!({ "at": "2026-12-03" }));
    assert_eq!(closed["closed_at"], "2026-12-03T23:59:59Z");
    assert_eq!(closed["snapshots"][0]["due_at"], "2027-03-04T00:00:00Z");
    event(&portal, "reopen", &json!({}));
    let (status, today) = event(&portal, "close", &json!({ "at": "2026-12-11" }));
    assert_eq!((status, &today["closed_at"]), (200, &json!("2026-12-11T14:20:00Z")), "a day that is not over is now");
    assert_eq!(event(&portal, "close", &json!({ "at": "2026-12-12" })).0, 400);
}

#[test]
fn a_newer_version_of_an_event_replaces_it_and_an_older_one_is_ignored() {
    let portal = TestPortal::start();
    store(&portal, &Sample::new(1, 100));
    portal.days_pass(20);
    let close = |at: &str, version: u32| {
        event(&portal, "close", &json!({ "at": at, "event": "e1", "version": version })).1["closed_at"].clone()
    };
    assert_eq!(close("2026-12-01T00:00:00Z", 3), "2026-12-01T00:00:00Z");
    assert_eq!(close("2026-12-02T00:00:00Z", 2), "2026-12-01T00:00:00Z", "older");
    assert_eq!(close("2026-12-02T00:00:00Z", 3), "2026-12-01T00:00:00Z", "the same");
    assert_eq!(close("2026-12-05T00:00:00Z", 4), "2026-12-05T00:00:00Z", "corrected");
    let reopened = event(&portal, "reopen", &json!({ "at": "2026-12-06T00:00:00Z", "event": "e1", "version": 5 }));
    assert_eq!(reopened.1["closed_at"], json!(null), "it never was a closing");
}

#[test]
fn a_merged_ticket_is_closed_with_the_other() {
    let portal = TestPortal::start();
    let sample = Sample::new(1, 100);
    store(&portal, &sample);
    let technician = &portal.technician;
    for other in ["4712", "4713"] {
        assert_eq!(post(&portal, technician, "/v1/tickets", &json!({ "ticket": other })).status(), 201);
    }
    let merge = |ticket: &str, into: &str| {
        post(&portal, technician, &format!("/v1/tickets/{ticket}/merge"), &json!({ "into": into }))
    };
    event(&portal, "close", &json!({}));
    portal.days_pass(10);
    assert_eq!(merge(TICKET, "4712").status(), 200);
    let told = snapshot(&portal, &sample);
    assert_eq!((&told["ticket"], &told["due_at"]), (&json!(TICKET), &json!("2027-11-21T14:20:00Z")), "4712 is open");
    // The other is merged on: both follow.
    assert_eq!(merge("4712", "4713").status(), 200);
    let merged = get(&portal, technician, &format!("/v1/tickets/{TICKET}")).json::<Value>().unwrap();
    assert_eq!((&merged["merged_into"], &merged["state"]), (&json!("4713"), &json!("open")));
    portal.days_pass(5);
    assert_eq!(post(&portal, technician, "/v1/tickets/4713/close", &json!({})).status(), 200);
    assert_eq!(snapshot(&portal, &sample)["due_at"], "2027-03-07T00:00:00Z");
    let merged = get(&portal, technician, &format!("/v1/tickets/{TICKET}")).json::<Value>().unwrap();
    assert_eq!(merged["state"], "closed");
    let announced =
        post(&portal, &portal.upload, &format!("/v1/tickets/{TICKET}/snapshots"), &Sample::new(2, 10).announcement());
    assert_eq!(problem(announced), (409, String::from("/problems/ticket-closed")));
    // What is told of a merged ticket does not count any more.
    event(&portal, "reopen", &json!({}));
    assert_eq!(snapshot(&portal, &sample)["due_at"], "2027-03-07T00:00:00Z");

    assert_eq!(merge(TICKET, "4713").status(), 200, "told twice");
    for (ticket, into) in [("4713", TICKET), ("4713", "4713"), (TICKET, "4712x")] {
        let refused = problem(merge(ticket, into));
        assert!(refused.0 == 409 || refused.1.ends_with("ticket-unknown"), "{ticket} {into}: {refused:?}");
    }
    portal.set_clock("2027-03-06T00:00:00Z");
    assert_eq!(portal.portal().sweep().unwrap().deleted, 1);
}

#[test]
fn a_hold_takes_two_persons_and_stops_the_deletion() {
    let portal = TestPortal::start();
    let (one, two) = (person(&portal, Role::Dpo, "ada"), person(&portal, Role::Dpo, "grace"));
    let sample = Sample::new(1, 100);
    store(&portal, &sample);
    event(&portal, "close", &json!({}));
    let path = hold_path(&sample);
    for (bad, status) in [
        (json!({ "basis": "because", "reason": "x", "review_at": "2027-01-01" }), 400),
        (json!({ "basis": "legal-claim", "reason": "", "review_at": "2027-01-01" }), 400),
        (ask("2027-05-22T00:00:00Z"), 400),
        (ask("2026-11-21T14:20:00Z"), 400),
        (json!({ "basis": "legal-claim" }), 422),
        (json!({ "confirms": "0011" }), 409),
    ] {
        assert_eq!(order(&portal, &one.here(&portal), "PUT", &path, Some(&bad)).0, status, "{bad}");
    }
    let (status, asked) = order(&portal, &one.here(&portal), "PUT", &path, Some(&ask("2027-05-20")));
    assert_eq!((status, &asked["in_force"]), (202, &json!(null)));
    assert_eq!(snapshot(&portal, &sample)["state"], "stored", "one person is not enough");
    let confirm = json!({ "confirms": asked["asked"]["id"] });
    assert_eq!(order(&portal, &one.here(&portal), "PUT", &path, Some(&confirm)).1["type"], "/problems/second-person");
    assert_eq!(order(&portal, &portal.technician, "PUT", &path, Some(&confirm)).0, 403);
    let automaton = token(&portal, Role::Dpo);
    for refused in
        [order(&portal, &automaton, "PUT", &path, Some(&confirm)), order(&portal, &automaton, "DELETE", &path, None)]
    {
        assert_eq!((refused.0, &refused.1["type"]), (403, &json!("/problems/person-needed")), "a token is nobody");
    }
    let (status, held) = order(&portal, &two.here(&portal), "PUT", &path, Some(&confirm));
    assert_eq!((status, &held["in_force"]["basis"], &held["asked"]), (200, &json!("legal-claim"), &json!(null)));
    let told = snapshot(&portal, &sample);
    assert_eq!((&told["state"], &told["review_at"]), (&json!("held"), &json!("2027-05-20T23:59:59Z")));
    assert_eq!(content(&portal, &sample).send().unwrap().status(), 200, "its time is not over");

    // Its time comes, and the day of review passes, and the hard cap.
    portal.set_clock("2027-02-20T00:00:00Z");
    assert_eq!(snapshot(&portal, &sample)["state"], "restricted");
    assert_eq!(problem(content(&portal, &sample).send().unwrap()), (403, String::from("/problems/restricted")));
    portal.set_clock("2028-06-01T00:00:00Z");
    assert_eq!(portal.portal().sweep().unwrap().deleted, 0);
    assert_eq!(get(&portal, "", "/healthz").text().unwrap(), "{\"status\":\"ok\"}", "what is held is not late");

    assert_eq!(order(&portal, &one.here(&portal), "DELETE", &path, None).0, 202);
    assert_eq!(order(&portal, &one.here(&portal), "DELETE", &path, None).0, 202, "the same person again");
    assert_eq!(portal.portal().sweep().unwrap().deleted, 0);
    portal.set_clock("2028-06-01T10:00:00Z");
    let (status, lifted) = order(&portal, &two.here(&portal), "DELETE", &path, None);
    assert_eq!(
        (status, &lifted["state"], &lifted["due_at"]),
        (200, &json!("deleting"), &json!("2028-06-02T10:00:00Z"))
    );
    assert_eq!(portal.portal().sweep().unwrap().deleted, 1);
    assert_eq!(order(&portal, &one.here(&portal), "DELETE", &path, None).0, 410);
}

#[test]
fn a_hold_that_is_lifted_in_time_leaves_the_deadline_as_it_was() {
    let portal = TestPortal::start();
    let (one, two) = (person(&portal, Role::Dpo, "ada"), person(&portal, Role::Dpo, "grace"));
    let sample = Sample::new(1, 100);
    store(&portal, &sample);
    event(&portal, "close", &json!({}));
    hold(&portal, &sample, [&one, &two], "2027-01-15");
    hold(&portal, &sample, [&two, &one], "2027-02-15");
    assert_eq!(snapshot(&portal, &sample)["review_at"], "2027-02-15T23:59:59Z", "the newer order counts");
    portal.days_pass(30);
    order(&portal, &two.here(&portal), "DELETE", &hold_path(&sample), None);
    order(&portal, &one.here(&portal), "DELETE", &hold_path(&sample), None);
    let told = snapshot(&portal, &sample);
    assert_eq!((&told["state"], &told["due_at"]), (&json!("stored"), &json!("2027-02-20T00:00:00Z")));
    assert_eq!(order(&portal, &one.here(&portal), "DELETE", &hold_path(&sample), None).1["type"], "/problems/not-held");
    portal.set_clock("2027-02-19T00:00:00Z");
    assert_eq!(portal.portal().sweep().unwrap().deleted, 1);
}

#[test]
fn a_hold_that_comes_too_late_is_none() {
    let portal = TestPortal::start();
    let one = person(&portal, Role::Dpo, "ada");
    let sample = Sample::new(1, 100);
    store(&portal, &sample);
    event(&portal, "close", &json!({}));
    portal.set_clock("2027-02-19T00:00:00Z");
    assert_eq!(order(&portal, &one.here(&portal), "PUT", &hold_path(&sample), Some(&ask("2027-03-01"))).0, 410);
}

#[test]
fn a_deadline_moves_on_as_often_as_the_policy_allows_and_never_past_the_cap() {
    let portal = TestPortal::start();
    let lead = token(&portal, Role::Lead);
    let sample = Sample::new(1, 100);
    store(&portal, &sample);
    let path = format!("/v1/snapshots/{}/extend", sample.id);
    let extend = |days: u16| order(&portal, &lead, "POST", &path, Some(&json!({ "days": days })));
    assert_eq!(extend(5).1["type"], "/problems/cannot-extend", "its ticket is open");
    event(&portal, "close", &json!({}));
    assert_eq!(order(&portal, &portal.technician, "POST", &path, Some(&json!({ "days": 5 }))).0, 403);
    let no_reason = post(&portal, &lead, &path, &json!({ "days": 5 }));
    assert_eq!(problem(no_reason), (400, String::from("/problems/bad-request")));
    assert_eq!(extend(31).0, 409);
    assert_eq!(extend(30).1["due_at"], "2027-03-22T00:00:00Z");
    portal.set_clock("2027-03-19T00:00:00Z");
    assert_eq!(portal.portal().sweep().unwrap().deleted, 0);
    assert_eq!(extend(10).1["due_at"], "2027-04-01T00:00:00Z");
    assert_eq!(extend(1).0, 409, "twice is enough");
    portal.days_pass(1);
    event(&portal, "reopen", &json!({}));
    event(&portal, "close", &json!({}));
    assert_eq!(snapshot(&portal, &sample)["due_at"], "2027-06-19T00:00:00Z", "a new count without the old days");
    portal.set_clock("2027-06-18T00:00:00Z");
    assert_eq!(extend(5).0, 410, "too late");
}

#[test]
fn a_sender_takes_back_what_is_theirs_until_the_ticket_is_closed() {
    let portal = TestPortal::start();
    let (taken, kept) = (Sample::new(1, 100), Sample::new(2, 100));
    store(&portal, &taken);
    store(&portal, &kept);
    let path = |sample: &Sample| format!("/v1/snapshots/{}", sample.id);
    let withdrawn = crate::client::request(&portal, &portal.upload, "DELETE", &path(&taken)).send().unwrap();
    assert_eq!(withdrawn.status(), 200);
    assert_eq!(withdrawn.json::<Value>().unwrap()["state"], "deleting");
    assert_eq!(content(&portal, &taken).send().unwrap().status(), 410, "at once");
    event(&portal, "close", &json!({}));
    let (status, late) = order(&portal, &portal.upload, "DELETE", &path(&kept), None);
    assert_eq!((status, &late["type"]), (409, &json!("/problems/ticket-closed")));
    assert_eq!(portal.portal().sweep().unwrap().deleted, 1);
    assert_eq!(reason_of_deletion(&portal, &taken), Some(DeletionReason::Withdrawn));
    assert_eq!(order(&portal, &portal.technician, "DELETE", &path(&kept), None).0, 403);

    let dpo = token(&portal, Role::Dpo);
    let no_reason = crate::client::request(&portal, &dpo, "DELETE", &path(&kept)).send().unwrap();
    assert_eq!(problem(no_reason).0, 400);
    assert_eq!(order(&portal, &dpo, "DELETE", &path(&kept), None).1["state"], "deleting");
    assert_eq!(order(&portal, &dpo, "DELETE", &path(&kept), None).0, 200, "told twice");
    assert_eq!(portal.portal().sweep().unwrap().deleted, 1);
}

#[test]
fn what_is_withdrawn_under_a_hold_is_restricted_and_goes_when_it_is_lifted() {
    let portal = TestPortal::start();
    let (one, two) = (person(&portal, Role::Dpo, "ada"), person(&portal, Role::Dpo, "grace"));
    let sample = Sample::new(1, 100);
    store(&portal, &sample);
    hold(&portal, &sample, [&one, &two], "2027-01-15");
    let path = format!("/v1/snapshots/{}", sample.id);
    assert_eq!(order(&portal, &two.here(&portal), "DELETE", &path, None).1["state"], "restricted");
    assert_eq!(problem(content(&portal, &sample).send().unwrap()).1, "/problems/restricted");
    portal.days_pass(1);
    assert_eq!(portal.portal().sweep().unwrap().deleted, 0);
    order(&portal, &one.here(&portal), "DELETE", &hold_path(&sample), None);
    assert_eq!(order(&portal, &two.here(&portal), "DELETE", &hold_path(&sample), None).1["state"], "deleting");
    assert_eq!(portal.portal().sweep().unwrap().deleted, 1);
    assert_eq!(reason_of_deletion(&portal, &sample), Some(DeletionReason::Withdrawn));
}

#[test]
fn a_silent_ticket_is_asked_for_and_whoever_reopens_it_answers() {
    let portal = TestPortal::start();
    let sample = Sample::new(1, 100);
    store(&portal, &sample);
    let ticket = || {
        portal.portal().sweep().unwrap();
        get(&portal, &portal.technician, &format!("/v1/tickets/{TICKET}")).json::<Value>().unwrap()
    };
    portal.days_pass(179);
    assert_eq!(ticket()["asked_at"], json!(null));
    portal.days_pass(1);
    assert_eq!(ticket()["asked_at"], "2027-05-20T14:20:00Z");
    portal.days_pass(29);
    event(&portal, "reopen", &json!({}));
    assert_eq!(ticket()["asked_at"], json!(null), "it is still open");
    portal.days_pass(31);
    assert_eq!(ticket()["state"], "open");
    assert_eq!(snapshot(&portal, &sample)["due_at"], "2027-11-21T14:20:00Z");
}

#[test]
fn a_ticket_without_an_answer_is_deleted_long_before_the_cap() {
    let portal = TestPortal::start();
    let sample = Sample::new(1, 100);
    store(&portal, &sample);
    portal.days_pass(180);
    portal.portal().sweep().unwrap();
    portal.days_pass(30);
    assert_eq!(portal.portal().sweep().unwrap().deleted, 1);
    let ticket = get(&portal, &portal.technician, &format!("/v1/tickets/{TICKET}")).json::<Value>().unwrap();
    assert_eq!(ticket["closed_at"], "2026-11-21T14:20:00Z", "its last activity");
    assert_eq!(reason_of_deletion(&portal, &sample), Some(DeletionReason::TicketClosed));
}
