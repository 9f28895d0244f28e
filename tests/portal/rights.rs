//! What persons concerned ask for, from lodging to the answer.

use serde_json::{Value, json};
use tarseal::clock::{Clock as _, Timestamp};
use tarseal::portal::Role;
use tarseal::portal::backup::{BackupOrder, Kind, Schedule};
use tarseal::track::receipt::verify;

use crate::client::{
    Sample, announce, append, content, event, get, order, problem, request, snapshot, store, token, told,
};
use crate::person::{person, seconds_pass};
use crate::support::{TICKET, TestPortal};

const REFERENCE: &str = "DSR-2026-17 Ottilie Habersaat";
const STATEMENT: &str = "The entry of 20 November about Ottilie Habersaat is wrong.";

/// A portal with one stored snapshot and the session of a data-protection officer.
fn begun(number: u8) -> (TestPortal, Sample, String) {
    let portal = TestPortal::start();
    let sample = Sample::new(number, 5000);
    store(&portal, &sample);
    let officer = person(&portal, Role::Dpo, "officer").session;
    (portal, sample, officer)
}

fn about(samples: &[&Sample]) -> Value {
    let of = |sample: &&Sample| json!({ "ticket": TICKET, "snapshot": sample.id, "stand_ins": ["person-17"] });
    Value::Array(samples.iter().map(of).collect())
}

/// Lodges a request; its path.
fn lodge(portal: &TestPortal, officer: &str, body: &Value) -> (String, Value) {
    let (status, lodged) = order(portal, officer, "POST", "/v1/subject-requests", Some(body));
    assert_eq!(status, 201, "{lodged}");
    (format!("/v1/subject-requests/{}", lodged["id"].as_str().unwrap()), lodged)
}

fn act(portal: &TestPortal, officer: &str, path: &str, what: &str) -> (u16, Value) {
    order(portal, officer, "POST", &format!("{path}/{what}"), None)
}

fn read(portal: &TestPortal, sample: &Sample) -> u16 {
    content(portal, sample).send().unwrap().status().as_u16()
}

fn share(portal: &TestPortal, sample: &Sample) -> (u16, Value) {
    let recipient = tarseal::format::Identity::generate(tarseal::format::KeyKind::X25519, &mut rand::rng()).recipient();
    let body = json!({ "recipient": recipient.to_string() });
    order(portal, &portal.technician, "POST", &format!("/v1/snapshots/{}/share", sample.id), Some(&body))
}

/// The acts of the audit log, with their outcomes.
fn acts(portal: &TestPortal, act: &str) -> Vec<Value> {
    let text = get(portal, &token(portal, Role::Auditor), &format!("/v1/audit?act={act}")).text().unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line.get("record").is_some()).collect()
}

#[test]
fn a_deletion_begins_at_once_and_ends_with_the_receipt() {
    let (portal, sample, officer) = begun(1);
    let body =
        json!({ "kind": "deletion", "received_at": "2026-11-20", "reference": REFERENCE, "about": about(&[&sample]) });
    let (path, lodged) = lodge(&portal, &officer, &body);
    assert_eq!(
        (&lodged["number"], &lodged["state"], &lodged["standing"]),
        (&json!(1), &json!("received"), &json!("in-time"))
    );
    assert_eq!(lodged["due_at"], "2026-12-20T23:59:59Z");
    assert_eq!(read(&portal, &sample), 200, "nothing is decided yet");

    let (status, decided) = act(&portal, &officer, &path, "decide");
    assert_eq!((status, &decided["state"]), (200, &json!("decided")), "{decided}");
    assert_eq!(problem(content(&portal, &sample).send().unwrap()).0, 410);
    assert_eq!(share(&portal, &sample).0, 410);
    assert_eq!(act(&portal, &officer, &path, "decide").1["type"], "/problems/request-state");
    assert_eq!(act(&portal, &officer, &path, "finish").0, 409, "something of it is still there");

    assert_eq!(portal.portal().sweep().unwrap().deleted, 1);
    let (_, done) = told(get(&portal, &officer, &path));
    assert_eq!((&done["state"], &done["standing"]), (&json!("done"), &json!("ended")));
    assert_eq!(done["snapshots"][0]["state"], "deleted");
    assert_eq!(done["reference"], REFERENCE, "the officer is told");
    let note = get(&portal, "", &format!("/v1/snapshots/{}/receipt", sample.id)).text().unwrap();
    let receipt = verify(&note, &portal.portal().key()).unwrap();
    assert_eq!(serde_json::to_value(receipt.reason).unwrap(), "withdrawn");
    for (word, count) in
        [("lodge-request", 1), ("decide-request", 1), ("finish-request", 1), ("withdraw", 1), ("block", 1)]
    {
        assert_eq!(acts(&portal, word).len(), count, "{word}");
    }
    assert_eq!(acts(&portal, "lodge-request")[0]["record"]["purpose"], "rights");
}

#[test]
fn under_a_hold_a_deletion_restricts_and_what_is_left_can_be_refused() {
    let (portal, sample, officer) = begun(2);
    let second = person(&portal, Role::Dpo, "second").session;
    let hold = format!("/v1/snapshots/{}/hold", sample.id);
    let asked = json!({ "basis": "legal-claim", "reason": "a lawsuit", "review_at": "2027-02-01" });
    let (_, asked) = order(&portal, &officer, "PUT", &hold, Some(&asked));
    let confirm = json!({ "confirms": asked["asked"]["id"] });
    assert_eq!(order(&portal, &second, "PUT", &hold, Some(&confirm)).0, 200);

    let (path, _) = lodge(&portal, &officer, &json!({ "kind": "deletion", "about": about(&[&sample]) }));
    act(&portal, &officer, &path, "decide");
    portal.portal().sweep().unwrap();
    let (status, word) = problem(content(&portal, &sample).send().unwrap());
    assert_eq!((status, word.as_str()), (403, "/problems/restricted"));
    assert_eq!(share(&portal, &sample).1["type"], "/problems/restricted");
    let (_, seen) = told(get(&portal, &officer, &path));
    assert_eq!(seen["state"], "decided");
    assert_eq!((&seen["snapshots"][0]["state"], &seen["snapshots"][0]["held"]), (&json!("restricted"), &json!(true)));
    assert_eq!(act(&portal, &officer, &path, "finish").0, 409);

    let ground =
        |ground: &str| order(&portal, &officer, "POST", &format!("{path}/refuse"), Some(&json!({ "ground": ground })));
    assert_eq!(ground("accurate").0, 422, "no ground for a deletion");
    assert_eq!(ground("because").0, 422);
    let (status, refused) = ground("legal-claim");
    assert_eq!((status, &refused["state"], &refused["ground"]), (200, &json!("refused"), &json!("legal-claim")));
    assert_eq!(ground("legal-claim").0, 409);
    assert_eq!(read(&portal, &sample), 403);

    order(&portal, &officer, "DELETE", &hold, None);
    order(&portal, &second, "DELETE", &hold, None);
    assert_eq!(portal.portal().sweep().unwrap().deleted, 1, "when the hold is lifted it goes");
}

#[test]
fn what_is_blocked_is_read_by_nobody_until_every_block_is_lifted() {
    for kind in ["blocking", "revocation"] {
        let (portal, sample, officer) = begun(3);
        let (one, _) = lodge(&portal, &officer, &json!({ "kind": kind, "about": [{ "ticket": TICKET }] }));
        let (two, second) = lodge(&portal, &officer, &json!({ "kind": "blocking", "about": about(&[&sample]) }));
        assert_eq!(second["number"], 2);
        act(&portal, &officer, &one, "decide");
        assert_eq!(act(&portal, &officer, &two, "lift").0, 409, "it does not block yet");
        act(&portal, &officer, &two, "decide");
        for _ in 0..2 {
            assert_eq!(problem(content(&portal, &sample).send().unwrap()), (403, "/problems/restricted".into()));
            assert_eq!(share(&portal, &sample).1["type"], "/problems/restricted");
            portal.portal().sweep().unwrap();
        }
        assert_eq!(snapshot(&portal, &sample)["state"], "restricted");
        assert_eq!(act(&portal, &officer, &one, "finish").1["state"], "done");
        let (status, lifted) = act(&portal, &officer, &one, "lift");
        assert_eq!((status, lifted["lifted_at"].is_string()), (200, true));
        assert_eq!(read(&portal, &sample), 403, "the other one still blocks");
        act(&portal, &officer, &two, "lift");
        assert_eq!(read(&portal, &sample), 200);
        assert_eq!(act(&portal, &officer, &two, "lift").0, 409);
        // The regular deadline went on all the while.
        event(&portal, "close", &json!({}));
        portal.days_pass(91);
        assert_eq!(portal.portal().sweep().unwrap().deleted, 1);
    }
}

#[test]
fn what_arrives_after_the_decision_is_never_read_and_goes() {
    let portal = TestPortal::start();
    let officer = person(&portal, Role::Dpo, "officer").session;
    let sample = Sample::new(4, 3000);
    let upload = announce(&portal, &sample);
    let (path, lodged) = lodge(&portal, &officer, &json!({ "kind": "deletion", "about": [{ "ticket": TICKET }] }));
    assert_eq!(lodged["snapshots"][0]["state"], "uploading");
    act(&portal, &officer, &path, "decide");
    assert_eq!(append(&portal, &upload, 0, &sample.bytes).status(), 204);
    assert_eq!(read(&portal, &sample), 403, "not even before the next sweep");
    portal.portal().sweep().unwrap();
    portal.portal().sweep().unwrap();
    assert_eq!(snapshot(&portal, &sample)["state"], "deleted");
    assert_eq!(told(get(&portal, &officer, &path)).1["state"], "done");
}

#[test]
fn a_correction_stands_beside_the_snapshot_as_a_statement() {
    let (portal, sample, officer) = begun(5);
    let without = json!({ "kind": "correction", "about": about(&[&sample]) });
    assert_eq!(order(&portal, &officer, "POST", "/v1/subject-requests", Some(&without)).0, 422);
    let body = json!({ "kind": "correction", "statement": STATEMENT, "about": about(&[&sample]) });
    let (path, lodged) = lodge(&portal, &officer, &body);
    assert!(lodged.get("statement").is_none(), "the answer is kept for a day, so it does not repeat it");
    let statements = format!("/v1/snapshots/{}/statements", sample.id);
    assert_eq!(told(get(&portal, &portal.technician, &statements)).1["items"], json!([]));
    act(&portal, &officer, &path, "decide");
    let seen = told(get(&portal, &portal.technician, &statements)).1["items"].clone();
    assert_eq!(
        (&seen[0]["statement"], &seen[0]["number"], &seen[0]["stand_ins"]),
        (&json!(STATEMENT), &json!(1), &json!(["person-17"]))
    );
    assert_eq!(read(&portal, &sample), 200, "it is read on");
    assert_eq!(act(&portal, &officer, &path, "finish").1["state"], "done");
    event(&portal, "close", &json!({}));
    portal.days_pass(91);
    portal.portal().sweep().unwrap();
    let gone = told(get(&portal, &token(&portal, Role::Dpo), &statements)).1;
    assert_eq!(gone["items"], json!([]), "it goes with what it stands beside");
}

#[test]
fn the_answer_to_a_person_tells_who_read_and_why_by_role() {
    let (portal, sample, officer) = begun(6);
    let reason = "audio <script>alert(1)</script> drops";
    request(&portal, &portal.technician, "GET", &format!("/v1/snapshots/{}/content", sample.id))
        .header("tarseal-reason", reason)
        .send()
        .unwrap();
    let lead = person(&portal, Role::Lead, "lena.lead");
    let assign = format!("/v1/tickets/{TICKET}/assignees/{}", lead.id);
    assert_eq!(order(&portal, &lead.session, "PUT", &assign, None).0, 204);
    let path = format!("/v1/snapshots/{}/content", sample.id);
    let by_name = request(&portal, &lead.session, "GET", &path).header("tarseal-reason", "second look").send().unwrap();
    assert_eq!(by_name.status(), 200);

    for stand_in in ["Person-17", "person-18"] {
        let asked = json!({ "stand_in": stand_in, "why": "which client is it" });
        let (status, asked) =
            order(&portal, &portal.technician, "POST", &format!("/v1/snapshots/{}/questions", sample.id), Some(&asked));
        assert_eq!(status, 201, "{asked}");
        let path = format!("/v1/snapshots/{}/questions/{}/answers", sample.id, asked["id"].as_str().unwrap());
        let told = json!({ "answer": "told", "text": format!("what is known of {stand_in}") });
        assert_eq!(order(&portal, &portal.upload, "POST", &path, Some(&told)).0, 200);
    }

    for kind in ["information", "portability"] {
        let (path, _) = lodge(&portal, &officer, &json!({ "kind": kind, "about": about(&[&sample]) }));
        let export = format!("{path}/export");
        assert_eq!(told(get(&portal, &officer, &export)).0, 409, "not before it is decided");
        act(&portal, &officer, &path, "decide");
        let answer = get(&portal, &officer, &export);
        assert_eq!(answer.headers()["content-type"], "application/json");
        let text = answer.text().unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json_canonicalizer::to_string(&value).unwrap(), text, "it is written the one way (RFC 8785)");
        let one = &value["snapshots"][0];
        assert_eq!(
            (&one["snapshot"], &one["ticket"], &one["stand_ins"]),
            (&json!(sample.id), &json!(TICKET), &json!(["person-17"]))
        );
        let reads: Vec<&Value> =
            one["acts"].as_array().unwrap().iter().filter(|act| act["act"] == "read-content").collect();
        assert_eq!(reads.len(), 2, "{one}");
        assert_eq!((&reads[0]["role"], &reads[0]["reason"]), (&json!("technician"), &json!(reason)));
        assert_eq!((&reads[1]["role"], &reads[1]["reason"]), (&json!("lead"), &json!("second look")));
        assert!(!text.contains("lena.lead"), "nobody is named");
        assert_eq!(value["time_limits"]["days_after_closing"], 90);
        assert_eq!(value["complete"], true);
        let questions = one["questions"].as_array().unwrap();
        assert_eq!(questions.len(), 1, "what is known of others is none of theirs");
        assert_eq!(questions[0]["text"], "what is known of Person-17");
        assert!(verify(one["upload_receipt"].as_str().unwrap(), &portal.portal().key()).is_ok());
        let named = get(&portal, &officer, &format!("{export}?names=true")).text().unwrap();
        assert!(named.contains("lena.lead"), "only if that is asked for");

        let page = request(&portal, &officer, "GET", &export).header("accept", "text/html").send().unwrap();
        assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
        assert!(page.headers()["content-security-policy"].to_str().unwrap().contains("style-src 'sha256-"));
        let page = page.text().unwrap();
        assert!(page.contains("<html lang=\"en\">") && page.contains("person-17"));
        assert!(!page.contains("<script"), "{page}");
        assert_eq!(act(&portal, &officer, &path, "finish").1["state"], "done");
    }
    assert_eq!(acts(&portal, "export-request").len(), 6);
}

#[test]
fn an_answer_has_a_month_or_three_by_the_calendar_of_the_tenant() {
    let (portal, sample, officer) = begun(7);
    let new = |at: &str| json!({ "kind": "information", "received_at": at, "about": about(&[&sample]) });
    for wrong in ["2026-11-22", "2026-11-21T14:20:01Z", "tomorrow"] {
        let status = order(&portal, &officer, "POST", "/v1/subject-requests", Some(&new(wrong))).0;
        assert!([400, 422].contains(&status), "{wrong}: {status}");
    }
    let (path, lodged) = lodge(&portal, &officer, &new("2026-10-31"));
    assert_eq!(lodged["due_at"], "2026-11-30T23:59:59Z", "November has no 31st");
    assert_eq!(lodged["standing"], "in-time");
    let standing = |now: &str| {
        portal.set_clock(now);
        let reader = token(&portal, Role::Dpo);
        let (_, seen) = told(get(&portal, &reader, &path));
        assert!(seen.get("reference").is_none(), "a token is told nothing of the person");
        assert_eq!(told(get(&portal, &reader, "/v1/subject-requests")).1["items"][0]["standing"], seen["standing"]);
        seen["standing"].as_str().unwrap().to_owned()
    };
    assert_eq!(standing("2026-11-24T00:00:00Z"), "near");
    for _ in 0..2 {
        portal.portal().sweep().unwrap();
        assert_eq!(acts(&portal, "call-request").len(), 1, "called once");
    }
    let officer = person(&portal, Role::Dpo, "another").session;
    let longer = format!("{path}/extend");
    let because = json!({ "because": "complexity" });
    assert_eq!(order(&portal, &officer, "POST", &longer, Some(&json!({ "because": "holidays" }))).0, 422);
    let (status, extended) = order(&portal, &officer, "POST", &longer, Some(&because));
    assert_eq!(
        (status, &extended["due_at"], &extended["longer"]),
        (200, &json!("2027-01-31T23:59:59Z"), &json!("complexity"))
    );
    assert_eq!(order(&portal, &officer, "POST", &longer, Some(&because)).0, 409, "once");
    assert_eq!(standing("2026-12-01T00:00:00Z"), "in-time");
    assert_eq!(standing("2027-01-31T23:59:59Z"), "near");
    portal.portal().sweep().unwrap();
    assert_eq!(standing("2027-02-01T00:00:00Z"), "late");
    portal.portal().sweep().unwrap();
    let called = acts(&portal, "call-request");
    assert_eq!(called.len(), 3, "{called:?}");
    assert_eq!(called[2]["record"]["outcome"], "expired");
    let health = told(get(&portal, "", "/healthz")).1;
    assert_eq!(health["status"], "ok", "it is the tenant that is late, not the portal");
}

#[test]
fn only_a_person_with_a_fresh_second_factor_acts() {
    let (portal, sample, officer) = begun(8);
    let body = json!({ "kind": "blocking", "reference": REFERENCE, "about": about(&[&sample]) });
    for role in [Role::Dpo, Role::Admin, Role::Auditor, Role::Lead] {
        assert_eq!(order(&portal, &token(&portal, role), "POST", "/v1/subject-requests", Some(&body)).0, 403, "{role}");
    }
    let (path, _) = lodge(&portal, &officer, &body);
    seconds_pass(&portal, 16 * 60);
    assert_eq!(act(&portal, &officer, &path, "decide").1["type"], "/problems/second-factor-needed");
    let (status, seen) = told(get(&portal, &officer, &path));
    assert_eq!(status, 200);
    assert!(!seen.to_string().contains("Habersaat") && !seen.to_string().contains("person-17"), "{seen}");
    assert_eq!(read(&portal, &sample), 200);
}

#[test]
fn what_is_lodged_twice_with_one_key_is_lodged_once() {
    let (portal, sample, officer) = begun(9);
    let body = json!({ "kind": "information", "reference": REFERENCE, "about": about(&[&sample]) });
    let lodge = || {
        request(&portal, &officer, "POST", "/v1/subject-requests")
            .header("idempotency-key", "k1")
            .body(body.to_string())
            .send()
            .unwrap()
    };
    let (first, second) = (lodge(), lodge());
    assert_eq!(second.headers()["idempotency-replayed"], "true");
    assert_eq!(told(first).1, told(second).1);
    let (_, list) = told(get(&portal, &officer, "/v1/subject-requests"));
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
}

#[test]
fn requests_are_listed_page_by_page_and_by_state() {
    let (portal, sample, officer) = begun(10);
    for _ in 0..5 {
        lodge(&portal, &officer, &json!({ "kind": "information", "about": about(&[&sample]) }));
    }
    let (_, refused) = told(get(&portal, &officer, "/v1/subject-requests?limit=1"));
    let path = format!("/v1/subject-requests/{}", refused["items"][0]["id"].as_str().unwrap());
    order(&portal, &officer, "POST", &format!("{path}/refuse"), Some(&json!({ "ground": "excessive" })));
    let mut next = Some(String::from("/v1/subject-requests?state=received&limit=2"));
    let mut numbers = Vec::new();
    while let Some(path) = next {
        let page = get(&portal, &officer, &path);
        next = page.headers().get("link").map(|link| {
            let link = link.to_str().unwrap();
            link[1..link.find('>').unwrap()].to_owned()
        });
        numbers.extend(told(page).1["items"].as_array().unwrap().iter().map(|one| one["number"].as_i64().unwrap()));
    }
    assert_eq!(numbers, [2, 3, 4, 5]);
    for wrong in ["?state=gone", "?limit=0", "?after=x", "?who=me"] {
        assert_eq!(get(&portal, &officer, &format!("/v1/subject-requests{wrong}")).status(), 400, "{wrong}");
    }
}

#[test]
fn what_cannot_be_a_request_is_refused() {
    let (portal, sample, officer) = begun(11);
    let one = about(&[&sample]);
    for (body, expected) in [
        (json!({ "kind": "objection", "about": one }), 422),
        (json!({ "kind": "deletion" }), 422),
        (json!({ "kind": "deletion", "about": one, "name": "Ottilie" }), 422),
        (json!({ "kind": "deletion", "about": one, "statement": "x" }), 422),
        (json!({ "kind": "deletion", "about": one, "reference": "two\nlines" }), 422),
        (json!({ "kind": "deletion", "about": one, "reference": "x".repeat(201) }), 422),
        (json!({ "kind": "correction", "about": one, "statement": "ä".repeat(4001) }), 422),
        (json!({ "kind": "deletion", "about": [{ "ticket": TICKET, "stand_ins": ["Ottilie Habersaat"] }] }), 422),
        (json!({ "kind": "deletion", "about": [{ "ticket": "nothing" }] }), 404),
        (json!({ "kind": "deletion", "about": [{ "ticket": TICKET, "snapshot": "00".repeat(16) }] }), 404),
        (json!({ "kind": "deletion", "about": vec![json!({ "ticket": TICKET }); 1001] }), 422),
    ] {
        let (status, told) = order(&portal, &officer, "POST", "/v1/subject-requests", Some(&body));
        assert_eq!(status, expected, "{told}");
    }
    assert_eq!(told(get(&portal, &officer, "/v1/subject-requests")).1["items"], json!([]));
    assert_eq!(act(&portal, &officer, "/v1/subject-requests/0123", "decide").1["type"], "/problems/request-unknown");
}

/// The sealed texts as they lie in the database.
fn sealed(portal: &TestPortal) -> Vec<Vec<u8>> {
    let database = rusqlite::Connection::open(portal.data().join("portal.db")).unwrap();
    let mut found = Vec::new();
    for query in [
        "SELECT reference FROM subject_requests",
        "SELECT statement FROM subject_requests",
        "SELECT stand_ins FROM subject_snapshots",
    ] {
        let mut statement = database.prepare(query).unwrap();
        let rows = statement.query_map([], |row| row.get::<_, Option<Vec<u8>>>(0)).unwrap();
        found.extend(rows.filter_map(Result::unwrap));
    }
    found
}

fn places(portal: &TestPortal, canary: &[u8]) -> Vec<std::path::PathBuf> {
    let holds = |bytes: &[u8]| bytes.windows(canary.len()).any(|part| part == canary);
    portal.files().into_iter().filter(|(_, bytes)| holds(bytes)).map(|(path, _)| path).collect()
}

#[test]
fn what_describes_a_person_is_in_no_file_in_clear_and_in_time_in_none_at_all() {
    let mut portal = TestPortal::start_in_files();
    let sample = Sample::new(12, 5000);
    store(&portal, &sample);
    let officer = person(&portal, Role::Dpo, "officer").session;
    let stand_in = "person-8713409";
    let about = json!([{ "ticket": TICKET, "snapshot": sample.id, "stand_ins": [stand_in] }]);
    let body = json!({ "kind": "correction", "reference": REFERENCE, "statement": STATEMENT, "about": about });
    let (path, _) = lodge(&portal, &officer, &body);
    act(&portal, &officer, &path, "decide");
    assert_eq!(act(&portal, &officer, &path, "finish").1["state"], "done");
    let texts = sealed(&portal);
    assert_eq!(texts.len(), 3);
    assert!(!places(&portal, &texts[0]).is_empty(), "the test sees what is sealed");
    let order = BackupOrder {
        kind: Kind::Portal,
        to: portal.data().parent().unwrap().join("backups"),
        schedule: Schedule::default(),
    };
    portal.admin().backup(&order).unwrap();
    for canary in [REFERENCE, "Habersaat", STATEMENT, stand_in] {
        assert_eq!(places(&portal, canary.as_bytes()), [] as [std::path::PathBuf; 0], "{canary}: also in the backup");
    }

    event(&portal, "close", &json!({}));
    let end: Timestamp = portal.clock.now();
    for days in [91, 200, 366] {
        portal.clock.set(end.plus_days(days));
        portal.portal().sweep().unwrap();
        let (status, _) = told(get(&portal, &token(&portal, Role::Auditor), &path));
        assert_eq!(status, if days < 366 { 200 } else { 404 }, "after {days} days");
    }
    assert_eq!(acts(&portal, "erase-request").len(), 1);
    portal.stop();
    std::fs::remove_dir_all(portal.data().parent().unwrap().join("backups")).unwrap();
    for text in &texts {
        assert_eq!(places(&portal, text), [] as [std::path::PathBuf; 0], "neither database nor log holds it");
    }
    portal.restart();
    let officer = person(&portal, Role::Dpo, "later").session;
    let (_, next) = lodge(&portal, &officer, &json!({ "kind": "information", "about": [] }));
    assert_eq!(next["number"], 2, "a number is never used twice");
}
