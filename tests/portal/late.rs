//! What is told too late to change anything, and what is told so late that much would change at once.

use serde_json::{Value, json};
use tarseal::portal::Role;
use tarseal::portal::admin::Import;
use tarseal::track::receipt::{DeletionReason, verify};

use crate::client::{Sample, content, event, get, order, post, problem, snapshot, store, told};
use crate::deadlines::hold;
use crate::person::{Person, person};
use crate::support::{TICKET, TestPortal};

/// What may be told or decided of a snapshot whose time ended under a hold.
#[derive(Clone, Copy, Debug)]
enum News {
    Reopened,
    ClosedLater,
    Merged,
    LongerPolicy,
    Withdrawn,
}

fn tell(portal: &TestPortal, news: News, sample: &Sample, officer: &Person) {
    match news {
        News::Reopened => assert_eq!(event(portal, "reopen", &json!({})).0, 200),
        // The closing is taken back, and another one told.
        News::ClosedLater => {
            assert_eq!(event(portal, "reopen", &json!({ "event": "e1", "version": 2 })).0, 200);
            assert_eq!(event(portal, "close", &json!({})).0, 200);
        }
        News::Merged => {
            let path = format!("/v1/tickets/{TICKET}/merge");
            assert_eq!(post(portal, &portal.technician, "/v1/tickets", &json!({ "ticket": "4712" })).status(), 201);
            assert_eq!(post(portal, &portal.technician, &path, &json!({ "into": "4712" })).status(), 200);
        }
        News::LongerPolicy => {
            let admin = person(portal, Role::Admin, "root").here(portal);
            let mut policy = told(get(portal, &admin, "/v1/policies")).1["in_force"].clone();
            policy["version"] = json!(2);
            policy["after_close_days"] = json!(300);
            let preview = told(post(portal, &admin, "/v1/policies/preview", &policy)).1;
            assert_eq!(preview["snapshots"], json!([]), "it does not move");
            let (_, proposed) = order(portal, &admin, "PUT", "/v1/policies", Some(&policy));
            let approval = json!({ "approves": proposed["proposed"]["id"] });
            assert_eq!(order(portal, &officer.here(portal), "PUT", "/v1/policies", Some(&approval)).0, 200);
        }
        News::Withdrawn => {
            let path = format!("/v1/snapshots/{}", sample.id);
            assert_eq!(order(portal, &officer.here(portal), "DELETE", &path, None).0, 200);
            assert_eq!(event(portal, "reopen", &json!({})).0, 200);
        }
    }
}

#[test]
fn what_ended_under_a_hold_is_not_brought_back_by_anything_told_later() {
    for news in [News::Reopened, News::ClosedLater, News::Merged, News::LongerPolicy, News::Withdrawn] {
        let portal = TestPortal::start();
        let (one, two) = (person(&portal, Role::Dpo, "ada"), person(&portal, Role::Dpo, "grace"));
        let sample = Sample::new(1, 100);
        store(&portal, &sample);
        event(&portal, "close", &json!({ "event": "e1" }));
        hold(&portal, &sample, [&one, &two], "2027-05-20");
        portal.days_pass(150);
        assert_eq!(portal.portal().sweep().unwrap().deleted, 0);
        assert_eq!(snapshot(&portal, &sample)["state"], "restricted");

        tell(&portal, news, &sample, &one);
        let now = snapshot(&portal, &sample);
        assert_eq!(now["state"], "restricted", "{news:?}");
        let refused = problem(content(&portal, &sample).send().unwrap());
        assert_eq!(refused, (403, String::from("/problems/restricted")), "{news:?}");
        if !matches!(news, News::Withdrawn) {
            assert_eq!(now["due_at"], "2027-02-20T00:00:00Z", "{news:?}: it is told as it was");
        }

        let path = format!("/v1/snapshots/{}/hold", sample.id);
        order(&portal, &one.here(&portal), "DELETE", &path, None);
        let (status, lifted) = order(&portal, &two.here(&portal), "DELETE", &path, None);
        assert_eq!((status, &lifted["state"]), (200, &json!("deleting")), "{news:?}");
        assert_eq!(portal.portal().sweep().unwrap().deleted, 1, "{news:?}");
        if !matches!(news, News::Withdrawn) {
            let receipt = get(&portal, &portal.upload, &format!("/v1/snapshots/{}/receipt", sample.id));
            let receipt = verify(&receipt.text().unwrap(), &portal.portal().key()).unwrap();
            assert_eq!(receipt.reason, Some(DeletionReason::TicketClosed), "{news:?}");
        }
    }
}

#[test]
fn a_held_snapshot_in_time_is_moved_by_what_is_told() {
    let portal = TestPortal::start();
    let (one, two) = (person(&portal, Role::Dpo, "ada"), person(&portal, Role::Dpo, "grace"));
    let sample = Sample::new(1, 100);
    store(&portal, &sample);
    event(&portal, "close", &json!({}));
    hold(&portal, &sample, [&one, &two], "2027-05-20");
    portal.set_clock("2027-02-19T23:59:59Z");
    event(&portal, "reopen", &json!({}));
    portal.days_pass(10);
    let now = snapshot(&portal, &sample);
    assert_eq!((&now["state"], &now["due_at"]), (&json!("held"), &json!("2027-11-21T14:20:00Z")));
}

#[test]
fn a_closing_from_before_the_upload_leaves_a_week_in_which_it_can_be_taken_back() {
    let portal = TestPortal::start();
    portal.days_pass(150);
    let sample = Sample::new(1, 100);
    store(&portal, &sample);
    let close = || event(&portal, "close", &json!({ "at": "2026-11-22", "event": "slip" })).1;
    assert_eq!(close()["snapshots"][0]["due_at"], "2027-04-28T00:00:00Z", "seven whole days after 20 April");
    portal.days_pass(3);
    assert_eq!(close()["snapshots"][0]["due_at"], "2027-04-28T00:00:00Z", "told again");
    portal.set_clock("2027-04-26T23:59:59Z");
    assert_eq!(portal.portal().sweep().unwrap().deleted, 0);
    assert_eq!(content(&portal, &sample).send().unwrap().status(), 200);
    event(&portal, "close", &json!({ "at": "2027-04-22", "event": "slip", "version": 1 }));
    assert_eq!(snapshot(&portal, &sample)["due_at"], "2027-07-22T00:00:00Z", "mended");
}

#[test]
fn a_true_closing_that_is_told_late_counts_from_the_closing() {
    let portal = TestPortal::start();
    let sample = Sample::new(1, 100);
    store(&portal, &sample);
    portal.days_pass(60);
    let closed = event(&portal, "close", &json!({ "at": "2026-11-22" })).1;
    assert_eq!(closed["snapshots"][0]["due_at"], "2027-02-21T00:00:00Z");

    let portal = TestPortal::start();
    store(&portal, &sample);
    portal.days_pass(150);
    let closed = event(&portal, "close", &json!({ "at": "2026-11-22" })).1;
    assert_eq!(closed["snapshots"][0]["due_at"], "2027-04-28T00:00:00Z", "over, but nobody could know");
    let earlier = event(&portal, "close", &json!({ "at": "2026-11-21T18:00:00Z" })).1;
    assert_eq!(earlier["snapshots"][0]["due_at"], "2027-04-28T00:00:00Z", "it does not move on");
    let lead = crate::client::token(&portal, Role::Lead);
    let path = format!("/v1/snapshots/{}/extend", sample.id);
    let (status, refused) = order(&portal, &lead, "POST", &path, Some(&json!({ "days": 5 })));
    assert_eq!((status, &refused["type"]), (409, &json!("/problems/cannot-extend")));
    portal.set_clock("2027-04-27T00:00:00Z");
    assert_eq!(portal.portal().sweep().unwrap().deleted, 1);
}

#[test]
fn an_imported_closing_long_past_leaves_a_week() {
    let portal = TestPortal::start();
    let sample = Sample::new(1, 100);
    store(&portal, &sample);
    portal.days_pass(150);
    let import = Import { tenant: None, source: "old-desk".parse().unwrap(), dry_run: false, skip_bad: false };
    let table = format!("ticket,closed_at\n{TICKET},2026-11-22\n");
    assert_eq!(portal.admin().import_closings(table.as_bytes(), &import).unwrap().closed, 1);
    assert_eq!(portal.portal().sweep().unwrap().deleted, 0);
    assert_eq!(snapshot(&portal, &sample)["due_at"], "2027-04-28T00:00:00Z");
}

#[test]
fn a_ticket_that_is_merged_into_one_closed_long_ago_is_closed_by_the_merge() {
    let portal = TestPortal::start();
    let technician = &portal.technician;
    for other in ["4712", "4713"] {
        assert_eq!(post(&portal, technician, "/v1/tickets", &json!({ "ticket": other })).status(), 201);
        assert_eq!(post(&portal, technician, &format!("/v1/tickets/{other}/close"), &json!({})).status(), 200);
    }
    portal.days_pass(150);
    let sample = Sample::new(1, 100);
    store(&portal, &sample);
    let merge = |ticket: &str, into: &str| {
        let path = format!("/v1/tickets/{ticket}/merge");
        assert_eq!(post(&portal, technician, &path, &json!({ "into": into })).status(), 200);
    };
    merge(TICKET, "4712");
    let of = |ticket: &str| get(&portal, technician, &format!("/v1/tickets/{ticket}")).json::<Value>().unwrap();
    assert_eq!(of(TICKET)["closed_at"], "2027-04-20T14:20:00Z");
    assert_eq!(of("4712")["closed_at"], "2026-11-21T14:20:00Z");
    assert_eq!(snapshot(&portal, &sample)["due_at"], "2027-07-20T00:00:00Z");
    portal.days_pass(5);
    merge("4712", "4713");
    assert_eq!(snapshot(&portal, &sample)["due_at"], "2027-07-20T00:00:00Z", "merged on, it was closed already");
    for what in ["reopen", "close"] {
        assert_eq!(post(&portal, technician, &format!("/v1/tickets/4713/{what}"), &json!({})).status(), 200);
    }
    assert_eq!(snapshot(&portal, &sample)["due_at"], "2027-07-25T00:00:00Z", "the other's next closing counts");
}
