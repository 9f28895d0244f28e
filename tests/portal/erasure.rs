//! After the receipt nothing of a snapshot is left: every byte beneath the data directory is looked at.

use std::path::{Path, PathBuf};

use serde_json::json;
use tarseal::portal::Role;
use tarseal::portal::admin::{TokenOrder, restore};
use tarseal::portal::backup::{BackupOrder, Kind, RestoreOrder, Schedule};
use tarseal::track::receipt::verify;

use crate::client::{Sample, content, get, post, problem, request, token, told};
use crate::person::person;
use crate::support::TestPortal;

/// The name of a ticket, as a careless person gives one.
const TICKET: &str = "Krankmeldung-Ulrike-Fahrenholz-0815";

/// The name of an event that repeats it.
const EVENT: &str = "closed Krankmeldung-Ulrike-Fahrenholz-0815 by mail";

/// Uploads a sample for [`TICKET`] with a token of its own.
fn store(portal: &TestPortal, sample: &Sample) -> String {
    let mut order = TokenOrder::new(Role::Upload);
    order.ticket = Some(TICKET.parse().unwrap());
    order.valid_seconds = Some(366 * 86_400);
    let token = portal.admin().new_token(&order).unwrap().token.expose().clone();
    let announced = post(portal, &token, &format!("/v1/tickets/{TICKET}/snapshots"), &sample.announcement());
    let upload = announced.headers()["location"].to_str().unwrap().to_owned();
    let sent = request(portal, &token, "PATCH", &upload)
        .header("tus-resumable", "1.0.0")
        .header("content-type", "application/offset+octet-stream")
        .header("upload-offset", 0)
        .body(sample.bytes.clone())
        .send()
        .unwrap();
    assert_eq!(sent.status(), 204);
    token
}

/// How many places beneath a directory hold a canary: in the bytes of files, free pages and logs among them, or in names.
pub fn places(root: &Path, canaries: &[&[u8]]) -> Vec<(PathBuf, usize)> {
    let (mut found, mut left) = (Vec::new(), vec![root.to_owned()]);
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        let bytes = std::fs::read(&path).unwrap_or_default();
        for (number, canary) in canaries.iter().enumerate() {
            let holds = |bytes: &[u8]| bytes.windows(canary.len()).any(|part| part == *canary);
            if holds(&bytes) || holds(path.to_string_lossy().as_bytes()) {
                found.push((path.clone(), number));
            }
        }
    }
    found
}

#[test]
fn nothing_of_a_deleted_snapshot_is_left_in_any_byte_of_the_portal() {
    let mut portal = TestPortal::start_in_files();
    let sample = Sample::new(77, 300_000);
    let token = store(&portal, &sample);
    assert_eq!(content(&portal, &sample).send().unwrap().status(), 200);
    let share = sample.share.unwrap();
    let canaries: [&[u8]; 5] = [
        &sample.bytes[100_000..100_048],
        &share,
        b"Fahrenholz",
        hex::encode([9; 16]).leak().as_bytes(),
        token.as_bytes(),
    ];
    let data = portal.data().to_owned();
    let home = data.parent().unwrap().to_owned();
    let backups = home.join("backups");
    let back_up = |portal: &TestPortal, kind| {
        let order = BackupOrder { kind, to: backups.clone(), schedule: Schedule::default() };
        portal.admin().backup(&order).unwrap().path
    };
    let from = back_up(&portal, Kind::Portal);
    for (number, name) in ["content", "share", "ticket"].iter().enumerate() {
        assert!(places(&home, &canaries).iter().any(|(_, found)| *found == number), "the test sees the {name}");
    }
    let closed = json!({ "event": EVENT });
    let (status, _) = told(post(&portal, &portal.technician, &format!("/v1/tickets/{TICKET}/close"), &closed));
    assert_eq!(status, 200);
    portal.days_pass(90);
    let shares = back_up(&portal, Kind::Shares);
    portal.days_pass(2);
    assert_eq!(portal.portal().sweep().unwrap().deleted, 1);

    assert_eq!(places(&data, &canaries), [], "while the portal runs");
    let path = format!("/v1/tickets/{TICKET}");
    let (status, ticket) = told(get(&portal, &portal.technician, &path));
    assert_eq!(
        (status, &ticket["state"], &ticket["ticket"]),
        (200, &json!("closed"), &json!(TICKET)),
        "its name finds it"
    );
    assert_eq!(ticket["snapshots"][0]["state"], "deleted");
    let again = post(&portal, &token, &format!("{path}/snapshots"), &sample.announcement());
    assert!([401, 403, 404, 410].contains(&again.status().as_u16()), "a deleted file does not come back");
    let receipt = |portal: &TestPortal| {
        let note = get(portal, "", &format!("/v1/snapshots/{}/receipt", sample.id)).text().unwrap();
        verify(&note, &portal.portal().key()).unwrap()
    };
    let stated = receipt(&portal);

    portal.stop();
    assert_eq!(places(&data, &canaries), [], "after it has stopped");
    let order = RestoreOrder {
        from,
        data: home.join("restored"),
        shares: Some(shares),
        without_shares: false,
        tombstones: vec![data.clone()],
        tombstones_lost: false,
        verify: true,
    };
    assert_eq!(restore(&order, portal.clock.clone()).unwrap().deleted_again, 1);
    assert_eq!(places(&order.data, &canaries[..2]), [], "in a restored backup");
    portal.restart_with(|config| config.data = order.data.clone());
    let mut technician = TokenOrder::new(Role::Technician);
    technician.valid_seconds = Some(366 * 86_400);
    portal.technician = portal.admin().new_token(&technician).unwrap().token.expose().clone();
    assert_eq!(problem(content(&portal, &sample).send().unwrap()).0, 410);
    assert_eq!(receipt(&portal), stated);
    // The restored ticket is open as it was when the backup was made; its name goes when its closing is told again.
    let (_, told) = told(post(&portal, &portal.technician, &format!("{path}/close"), &closed));
    assert_eq!(told["state"], "closed");
    portal.days_pass(92);
    portal.admin().reconcile(7).unwrap();
    portal.portal().sweep().unwrap();
    assert_eq!(places(&order.data, &canaries), []);
}

#[test]
fn no_answer_that_is_kept_for_another_try_names_a_ticket_that_is_gone() {
    let portal = TestPortal::start_in_files();
    let keyed = |what: &str, key: &str, body: serde_json::Value| {
        let path = format!("/v1/tickets{what}");
        let asked = request(&portal, &portal.technician, "POST", &path).header("idempotency-key", key);
        asked.body(body.to_string()).send().unwrap().status().as_u16()
    };
    assert_eq!(keyed("", "open", json!({ "ticket": TICKET })), 201);
    let sample = Sample::new(80, 1000);
    store(&portal, &sample);
    assert_eq!(keyed(&format!("/{TICKET}/close"), "close", json!({})), 200);
    assert!(!places(portal.data(), &[b"Fahrenholz"]).is_empty(), "the test sees the name");
    let lead = crate::client::token(&portal, Role::Lead);
    let path = format!("/v1/snapshots/{}", sample.id);
    assert!(crate::client::order(&portal, &lead, "DELETE", &path, None).0 < 300);
    assert_eq!(portal.portal().sweep().unwrap().deleted, 1);
    assert_eq!(places(portal.data(), &[b"Fahrenholz"]), [], "the same day");
}

#[test]
fn a_ticket_whose_name_is_hidden_can_be_reopened_by_its_name() {
    let portal = TestPortal::start();
    store(&portal, &Sample::new(78, 1000));
    let path = format!("/v1/tickets/{TICKET}");
    let tell = |what: &str| told(post(&portal, &portal.technician, &format!("{path}/{what}"), &json!({})));
    tell("close");
    portal.days_pass(92);
    portal.portal().sweep().unwrap();
    let (status, body) = told(get(&portal, &portal.technician, "/v1/tickets?state=closed"));
    assert_eq!(status, 200);
    assert!(!body.to_string().contains("Fahrenholz"));
    let exists = post(&portal, &portal.technician, "/v1/tickets", &json!({ "ticket": TICKET }));
    assert_eq!(exists.status(), 409);
    let (status, reopened) = tell("reopen");
    assert_eq!((status, &reopened["ticket"], &reopened["state"]), (200, &json!(TICKET), &json!("open")));
    assert_eq!(reopened["snapshots"][0]["state"], "deleted", "what was deleted stays so");
    store(&portal, &Sample::new(79, 1000));
    tell("close");
    portal.days_pass(92);
    assert_eq!(portal.portal().sweep().unwrap().deleted, 1);
    let (_, body) = told(get(&portal, &portal.technician, &path));
    assert_eq!(body["snapshots"].as_array().unwrap().len(), 2);
}

#[test]
fn a_name_that_a_person_wants_erased_is_in_no_record_and_in_no_byte_and_the_log_still_holds() {
    use tarseal::track::log::Field;
    let portal = TestPortal::start();
    let sample = Sample::new(81, 1000);
    crate::client::store(&portal, &sample);
    for reason in ["Frau Fahrenholz rief an", "audio drop"] {
        let path = format!("/v1/snapshots/{}/content", sample.id);
        let read = request(&portal, &portal.technician, "GET", &path).header("tarseal-reason", reason).send().unwrap();
        assert_eq!(read.status(), 200);
    }
    let tenant = "default".parse().unwrap();
    let reasons = || portal.texts("SELECT value FROM openings WHERE field = 'reason' ORDER BY number");
    assert_eq!(reasons().len(), 2);
    let admin = portal.admin();
    assert_eq!(admin.audit_erase(&tenant, Field::Reason, "Frau Fahrenholz rief an").unwrap(), 1);
    assert_eq!(admin.audit_erase(&tenant, Field::Reason, "Frau Fahrenholz rief an").unwrap(), 0);
    assert!(admin.audit_erase(&"nobody".parse().unwrap(), Field::Reason, "x").is_err());
    assert_eq!(reasons(), ["audio drop"]);
    assert_eq!(places(portal.data(), &[b"Fahrenholz"]), []);
    admin.audit_sequence().unwrap();
    assert_eq!(admin.audit_verify(None).unwrap().findings, Vec::<String>::new());
    assert_eq!(portal.texts("SELECT actor FROM audit WHERE action = 'erase-openings'"), ["operator", "operator"]);
}

#[test]
fn who_is_on_a_ticket_works_on_it_by_its_name_when_that_is_hidden_and_its_records_are_all_told() {
    let portal = TestPortal::start();
    store(&portal, &Sample::new(91, 1000));
    let lead = person(&portal, Role::Lead, "lead");
    let auditor = token(&portal, Role::Auditor);
    let path = format!("/v1/tickets/{TICKET}");
    let assign = format!("{path}/assignees/{}", lead.id);
    assert_eq!(request(&portal, &lead.here(&portal), "PUT", &assign).send().unwrap().status(), 204);
    let made = post(&portal, &portal.technician, &format!("{path}/tokens"), &json!({ "valid_seconds": 7_000_000 }));
    let upload = made.json::<serde_json::Value>().unwrap()["id"].as_str().unwrap().to_owned();
    let records = |ticket: &str| {
        let answer = get(&portal, &auditor, &format!("/v1/audit?ticket={ticket}"));
        assert_eq!(answer.status(), 200, "{ticket}");
        let head: serde_json::Value = serde_json::from_str(answer.text().unwrap().lines().next().unwrap()).unwrap();
        let signed = head["statement"].as_str().unwrap().lines().next().unwrap();
        let statement: serde_json::Value = serde_json::from_str(signed).unwrap();
        assert_eq!(statement["only"]["ticket"], ticket);
        statement["records"].as_u64().unwrap()
    };
    post(&portal, &portal.technician, &format!("{path}/close"), &json!({}));
    let before = records(TICKET);
    portal.days_pass(92);
    assert_eq!(portal.portal().sweep().unwrap().deleted, 1);
    assert!(!portal.texts("SELECT id FROM tickets").contains(&TICKET.to_owned()), "its name is hidden");

    assert!(records(TICKET) > before, "what was done since, too");
    assert_eq!(get(&portal, &auditor, "/v1/audit?ticket=nosuchticket").status(), 404);
    let session = lead.sign_in(&portal).1["session"].as_str().unwrap().to_owned();
    assert_eq!(get(&portal, &session, &format!("{path}/assignees")).status(), 200);
    let revoked = request(&portal, &session, "DELETE", &format!("{path}/tokens/{upload}")).send().unwrap();
    assert_eq!(revoked.status(), 204);
    assert_eq!(post(&portal, &session, &format!("{path}/reopen"), &json!({})).status(), 200);
    assert!(portal.texts("SELECT id FROM tickets").contains(&TICKET.to_owned()));
}

#[test]
fn no_ticket_is_opened_under_a_name_that_would_stand_in_the_way_of_hiding_another() {
    let portal = TestPortal::start();
    let name = "0123456789abcdef".repeat(4);
    assert_eq!(post(&portal, &portal.technician, "/v1/tickets", &json!({ "ticket": name })).status(), 422);
    assert_eq!(post(&portal, &portal.technician, "/v1/tickets", &json!({ "ticket": &name[1..] })).status(), 201);
}
