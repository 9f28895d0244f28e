//! Closing, reopening, and what is left when the days are over.

use serde_json::json;
use tarseal::track::Phase;
use tarseal::track::receipt::{DeletionReason, Kind, verify};

use crate::client::{Sample, announce, content, event, get, post, problem, snapshot, store};
use crate::support::{TICKET, TestPortal};

#[test]
fn ninety_one_days_after_closing_nothing_is_left_but_the_receipt() {
    let portal = TestPortal::start();
    let sample = Sample::new(1, 50_000);
    store(&portal, &sample);
    let (status, closed) = event(&portal, "close", &json!({}));
    assert_eq!(
        (status, &closed["state"], &closed["closed_at"]),
        (200, &json!("closed"), &json!("2026-11-21T14:20:00Z"))
    );
    assert_eq!(closed["snapshots"][0]["due_at"], "2027-02-20T00:00:00Z");

    portal.set_clock("2027-02-18T23:59:59Z");
    assert_eq!(portal.portal().sweep().unwrap().deleted, 0);
    assert_eq!(content(&portal, &sample).send().unwrap().status(), 200);
    portal.days_pass(2);
    assert_eq!(portal.portal().sweep().unwrap().deleted, 1);

    let gone = (410, String::from("/problems/expired"));
    assert_eq!(problem(content(&portal, &sample).send().unwrap()), gone);
    let path = format!("/v1/tickets/{TICKET}/snapshots");
    let again = post(&portal, &portal.upload, &path, &sample.announcement());
    assert_eq!(problem(again), gone, "a deleted file does not come back");
    let told = snapshot(&portal, &sample);
    assert_eq!((&told["state"], &told["deleted_at"]), (&json!("deleted"), &json!("2027-02-20T23:59:59Z")));

    let share = sample.share.unwrap();
    for (path, bytes) in portal.files() {
        assert!(!path.to_string_lossy().contains(&sample.id), "{}", path.display());
        let holds = |canary: &[u8]| bytes.windows(canary.len()).any(|part| part == canary);
        assert!(!holds(&share), "the share is in {}", path.display());
        assert!(!holds(&sample.bytes[..64]), "content is in {}", path.display());
        assert!(!holds(hex::encode([9; 16]).as_bytes()), "the share's name is in {}", path.display());
    }

    let note = get(&portal, &portal.upload, &format!("/v1/snapshots/{}/receipt", sample.id)).text().unwrap();
    let receipt = verify(&note, &portal.portal().key()).unwrap();
    assert_eq!((receipt.kind, receipt.reason), (Kind::Deletion, Some(DeletionReason::TicketClosed)));
    assert_eq!((receipt.sha256, receipt.size), (sample.sha256(), 50_000));
    assert_eq!(receipt.closed, Some("2026-11-21T14:20:00Z".parse().unwrap()));
    let steps: Vec<_> = receipt.steps.iter().map(|step| step.step).collect();
    assert_eq!(steps, [Phase::ShareDestroyed, Phase::BytesGone, Phase::VerifiedAbsent, Phase::RowScrubbed]);
    assert!(!note.contains(TICKET) && note.len() <= 4096);
    assert_eq!(portal.portal().sweep().unwrap(), tarseal::portal::Swept::default(), "a second sweep finds nothing");
}

#[test]
fn access_ends_at_the_deadline_even_when_nothing_was_swept() {
    let portal = TestPortal::start();
    let sample = Sample::new(1, 100);
    store(&portal, &sample);
    event(&portal, "close", &json!({}));
    portal.set_clock("2027-02-19T23:59:59Z");
    assert_eq!(content(&portal, &sample).send().unwrap().status(), 200);
    portal.set_clock("2027-02-20T00:00:00Z");
    assert_eq!(content(&portal, &sample).send().unwrap().status(), 410);
    assert_eq!(snapshot(&portal, &sample)["state"], "deleting");
    portal.set_clock("2027-02-20T01:00:01Z");
    assert_eq!(get(&portal, "", "/healthz").text().unwrap(), "{\"status\":\"degraded\"}");
    portal.portal().sweep().unwrap();
    assert_eq!(get(&portal, "", "/healthz").text().unwrap(), "{\"status\":\"ok\"}");
}

#[test]
fn reopening_clears_the_deadline_and_closing_counts_anew() {
    let portal = TestPortal::start();
    let sample = Sample::new(1, 100);
    store(&portal, &sample);
    event(&portal, "close", &json!({}));
    portal.days_pass(60);
    let (_, reopened) = event(&portal, "reopen", &json!({}));
    assert_eq!((&reopened["state"], &reopened["closed_at"]), (&json!("open"), &json!(null)));
    assert_eq!(snapshot(&portal, &sample)["due_at"], "2027-11-21T14:20:00Z", "the hard cap stays");
    portal.days_pass(60);
    assert_eq!(portal.portal().sweep().unwrap().deleted, 0);
    event(&portal, "close", &json!({}));
    assert_eq!(snapshot(&portal, &sample)["due_at"], "2027-06-20T00:00:00Z");
}

#[test]
fn events_may_come_late_twice_and_out_of_order() {
    let portal = TestPortal::start();
    let sample = Sample::new(1, 100);
    store(&portal, &sample);
    portal.days_pass(20);
    let close =
        |at: &str, name: &str| event(&portal, "close", &json!({ "at": at, "event": name })).1["closed_at"].clone();
    assert_eq!(close("2026-11-30T12:00:00Z", "e3"), "2026-11-30T12:00:00Z");
    assert_eq!(close("2026-12-05T12:00:00Z", "e5"), "2026-11-30T12:00:00Z", "the earliest closing counts");
    assert_eq!(close("2026-12-01T12:00:00Z", "e3"), "2026-11-30T12:00:00Z", "told twice");
    let (_, reopened) = event(&portal, "reopen", &json!({ "at": "2026-12-02T12:00:00Z", "event": "e4" }));
    assert_eq!(reopened["closed_at"], "2026-12-05T12:00:00Z", "the closing of the 5th ended the reopening of the 2nd");
    let future = event(&portal, "close", &json!({ "at": "2026-12-11T15:00:00Z" }));
    assert_eq!(future.0, 400);
    assert_eq!(event(&portal, "close", &json!({ "at": "yesterday" })).0, 422);
    assert_eq!(event(&portal, "close", &json!({ "event": "" })).0, 400);
}

#[test]
fn reopening_after_the_deadline_brings_nothing_back() {
    let portal = TestPortal::start();
    let sample = Sample::new(1, 100);
    store(&portal, &sample);
    event(&portal, "close", &json!({}));
    portal.days_pass(91);
    event(&portal, "reopen", &json!({ "at": "2026-12-01T00:00:00Z" }));
    assert_eq!(snapshot(&portal, &sample)["state"], "deleting");
    assert_eq!(portal.portal().sweep().unwrap().deleted, 1);
    event(&portal, "reopen", &json!({}));
    assert_eq!(content(&portal, &sample).send().unwrap().status(), 410);
    let again = post(&portal, &portal.upload, &format!("/v1/tickets/{TICKET}/snapshots"), &sample.announcement());
    assert_eq!(problem(again), (410, String::from("/problems/expired")), "a deleted file does not come back");
}

#[test]
fn nothing_is_kept_longer_than_the_hard_cap() {
    let portal = TestPortal::start();
    let (kept, closed) = (Sample::new(1, 100), Sample::new(2, 100));
    store(&portal, &kept);
    store(&portal, &closed);
    portal.days_pass(363);
    assert_eq!(portal.portal().sweep().unwrap().deleted, 0);
    event(&portal, "close", &json!({}));
    portal.days_pass(1);
    assert_eq!(portal.portal().sweep().unwrap().deleted, 2);
    let note = get(&portal, &portal.upload, &format!("/v1/snapshots/{}/receipt", kept.id)).text().unwrap();
    let receipt = verify(&note, &portal.portal().key()).unwrap();
    assert_eq!(receipt.reason, Some(DeletionReason::HardCap));
    assert!(receipt.deleted.unwrap() <= receipt.due, "gone by the deadline, not after it");
}

#[test]
fn a_store_that_does_not_let_go_is_not_called_deleted() {
    let mut portal = TestPortal::start();
    let sample = Sample::new(1, 100);
    store(&portal, &sample);
    event(&portal, "close", &json!({}));
    portal.days_pass(92);
    // A directory in the file's place cannot be removed as a file.
    let (blob, _) = portal.files().into_iter().find(|(path, _)| path.to_string_lossy().contains(&sample.id)).unwrap();
    std::fs::remove_file(&blob).unwrap();
    std::fs::create_dir(&blob).unwrap();
    let swept = portal.portal().sweep().unwrap();
    assert_eq!((swept.deleted, swept.failed), (0, 1));
    let told = snapshot(&portal, &sample);
    assert_eq!((&told["state"], &told["deleted_at"]), (&json!("deleting"), &json!(null)));
    let share = sample.share.unwrap();
    let holds_share = |bytes: &[u8]| bytes.windows(32).any(|part| part == share);
    assert!(portal.files().iter().all(|(_, bytes)| !holds_share(bytes)), "the share went first");

    std::fs::remove_dir(&blob).unwrap();
    portal.restart();
    portal.portal().sweep().unwrap();
    assert_eq!(snapshot(&portal, &sample)["state"], "deleted");
}

#[test]
fn a_portal_that_was_off_deletes_at_its_start() {
    let mut portal = TestPortal::start();
    let sample = Sample::new(1, 100);
    store(&portal, &sample);
    event(&portal, "close", &json!({}));
    portal.stop();
    portal.days_pass(200);
    portal.restart();
    for _ in 0..500 {
        if snapshot(&portal, &sample)["state"] == "deleted" {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("still there ten seconds after the start");
}

#[test]
fn an_unfinished_upload_of_a_closed_ticket_is_not_in_the_way() {
    let portal = TestPortal::start();
    let (stored, unfinished) = (Sample::new(1, 100), Sample::new(2, 100));
    store(&portal, &stored);
    announce(&portal, &unfinished);
    event(&portal, "close", &json!({}));
    portal.days_pass(92);
    let swept = portal.portal().sweep().unwrap();
    assert_eq!((swept.deleted, swept.expired, swept.failed), (1, 1, 0));
}
