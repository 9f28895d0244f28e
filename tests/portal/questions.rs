//! Questions about stand-ins: asked by technicians, answered by the sender, gone with the snapshot.

use reqwest::blocking::Response;
use serde_json::{Value, json};
use tarseal::portal::Role;
use tarseal::portal::admin::{TokenOrder, restore};
use tarseal::portal::backup::{BackupOrder, Kind, RestoreOrder, Schedule};

use crate::client::{Sample, event, get, order, post, problem, request, store, token, told};
use crate::erasure::places;
use crate::person::{person, person_of, seconds_pass};
use crate::support::{TICKET, TestPortal};

const WHY: &str = "need the room system model";

fn path(sample: &Sample) -> String {
    format!("/v1/snapshots/{}/questions", sample.id)
}

fn question() -> Value {
    json!({ "stand_in": "person-17", "why": WHY })
}

/// Asks and returns the path of the question.
fn ask(portal: &TestPortal, sample: &Sample) -> String {
    let (status, asked) = told(post(portal, &portal.technician, &path(sample), &question()));
    assert_eq!(status, 201, "{asked}");
    format!("{}/{}", path(sample), asked["id"].as_str().unwrap())
}

fn answer(portal: &TestPortal, bearer: &str, question: &str, body: &Value) -> Response {
    post(portal, bearer, &format!("{question}/answers"), body)
}

fn stored(number: u8) -> (TestPortal, Sample) {
    let (portal, sample) = (TestPortal::start(), Sample::new(number, 1000));
    store(&portal, &sample);
    (portal, sample)
}

#[test]
fn a_technician_asks_and_sees_whether_and_what_the_sender_answers() {
    let (portal, sample) = stored(1);
    let (technician, sender) = (&portal.technician, &portal.upload);
    let first = ask(&portal, &sample);
    let list =
        |bearer: &str, query: &str| told(get(&portal, bearer, &format!("{}{query}", path(&sample)))).1["items"].clone();
    for bearer in [technician, sender] {
        let listed = list(bearer, "");
        assert_eq!(
            (&listed[0]["stand_in"], &listed[0]["why"], &listed[0]["state"]),
            (&json!("person-17"), &json!(WHY), &json!("open"))
        );
    }
    let (status, answered) =
        told(answer(&portal, sender, &first, &json!({ "answer": "told", "text": " Cisco Room Kit,\nsoftware 11.9 " })));
    assert_eq!((status, &answered["state"]), (200, &json!("told")));
    assert!(!answered.to_string().contains("Cisco"), "the text is not repeated");
    let listed = list(technician, "");
    assert_eq!((&listed[0]["state"], &listed[0]["text"]), (&json!("told"), &Value::Null), "the list has no texts");
    let (_, one) = told(get(&portal, technician, &first));
    assert_eq!((&one["text"], &one["state"]), (&json!("Cisco Room Kit,\nsoftware 11.9"), &json!("told")));

    let second = ask(&portal, &sample);
    assert_eq!(answer(&portal, sender, &second, &json!({ "answer": "declined" })).status(), 200);
    assert_eq!(told(get(&portal, technician, &second)).1["text"], Value::Null);
    assert_eq!(list(sender, "?state=open"), json!([]));
    assert_eq!(list(sender, "?state=declined").as_array().unwrap().len(), 1);
    // Whoever told too much takes it back.
    let third = ask(&portal, &sample);
    answer(&portal, sender, &third, &json!({ "answer": "revealed", "text": "Alice Smith" }));
    assert_eq!(told(get(&portal, technician, &third)).1["text"], "Alice Smith");
    answer(&portal, sender, &third, &json!({ "answer": "declined" }));
    let (_, taken) = told(get(&portal, technician, &third));
    assert_eq!((&taken["state"], &taken["text"]), (&json!("declined"), &Value::Null));
}

#[test]
fn texts_are_bounded_and_say_what_they_must() {
    let (portal, sample) = stored(1);
    let asked = |body: Value| post(&portal, &portal.technician, &path(&sample), &body).status().as_u16();
    let long = |length: usize| "é".repeat(length);
    for bad in [
        json!({ "stand_in": "", "why": WHY }),
        json!({ "stand_in": "person-17", "why": "  " }),
        json!({ "stand_in": "person-17" }),
        json!({ "stand_in": long(201), "why": WHY }),
        json!({ "stand_in": "person-17", "why": long(501) }),
        json!({ "stand_in": "person-17\nperson-18", "why": WHY }),
        json!({ "stand_in": "person-17", "why": "\u{1b}[2J" }),
        json!({ "stand_in": "person-17", "why": WHY, "answer": "x" }),
    ] {
        assert_eq!(asked(bad.clone()), 422, "{bad}");
    }
    assert_eq!(asked(json!({ "stand_in": long(200), "why": long(500) })), 201);
    let question = ask(&portal, &sample);
    for bad in [
        json!({ "answer": "told" }),
        json!({ "answer": "told", "text": " " }),
        json!({ "answer": "revealed" }),
        json!({ "answer": "declined", "text": "x" }),
        json!({ "answer": "open" }),
        json!({ "answer": "maybe", "text": "x" }),
        json!({ "answer": "told", "text": long(2001) }),
        json!({ "answer": "told", "text": "\u{7}" }),
    ] {
        assert_eq!(answer(&portal, &portal.upload, &question, &bad).status(), 422, "{bad}");
    }
    assert_eq!(
        answer(&portal, &portal.upload, &question, &json!({ "answer": "told", "text": long(2000) })).status(),
        200
    );
    for query in ["?state=maybe", "?limit=0", "?after=x", "?ticket=4711"] {
        assert_eq!(get(&portal, &portal.technician, &format!("{}{query}", path(&sample))).status(), 400, "{query}");
    }
}

#[test]
fn a_long_list_comes_page_by_page_and_ends_at_five_hundred() {
    let (portal, sample) = (TestPortal::start_in_files(), Sample::new(1, 1000));
    store(&portal, &sample);
    ask(&portal, &sample);
    let database = rusqlite::Connection::open(portal.data().join("portal.db")).unwrap();
    let copies = "INSERT INTO questions (tenant, id, snapshot, stand_in, why, asked_by, asked_at, state)
         SELECT tenant, id || value, snapshot, stand_in, why, asked_by, asked_at, state
         FROM questions JOIN (WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 498)
         SELECT value FROM n)";
    assert_eq!(database.execute(copies, ()).unwrap(), 498);
    ask(&portal, &sample);
    let one_more = post(&portal, &portal.technician, &path(&sample), &question());
    assert_eq!(one_more.status(), 422);
    let (mut seen, mut next) = (0, format!("{}?state=open&limit=199", path(&sample)));
    loop {
        let page = get(&portal, &portal.upload, &next);
        let link = page.headers().get("link").map(|link| link.to_str().unwrap().to_owned());
        seen += told(page).1["items"].as_array().unwrap().len();
        let Some(link) = link else { break };
        next = link.strip_prefix('<').unwrap().split_once('>').unwrap().0.to_owned();
        assert!(next.contains("state=open"), "{next}");
    }
    assert_eq!(seen, 500);
    // The client walks the same pages.
    let address = portal.url().parse().unwrap();
    let bearer = tarseal::secret::Secret::new(portal.upload.clone());
    let client = tarseal::send::Client::new(address, Some(&bearer), &Default::default()).unwrap();
    assert_eq!(client.questions(&sample.id.parse().unwrap(), None).unwrap().len(), 500);
}

#[test]
fn questions_are_for_the_two_who_talk_and_for_nobody_else() {
    let (portal, sample) = stored(1);
    let asked = ask(&portal, &sample);
    answer(&portal, &portal.upload, &asked, &json!({ "answer": "revealed", "text": "Alice Smith" }));
    for role in [Role::Admin, Role::Dpo, Role::Auditor] {
        let bearer = token(&portal, role);
        for path in [&path(&sample), &asked] {
            assert_eq!(get(&portal, &bearer, path).status(), 403, "{role}");
        }
    }
    let lead = person(&portal, Role::Lead, "lead");
    let technician = person(&portal, Role::Technician, "tech");
    assert_eq!(get(&portal, &lead.session, &path(&sample)).status(), 200, "the team's questions");
    assert_eq!(problem(get(&portal, &lead.session, &asked)).1, "/problems/not-assigned");
    assert_eq!(get(&portal, &technician.session, &asked).status(), 404);
    let assignee = format!("/v1/tickets/{TICKET}/assignees/{}", technician.id);
    assert_eq!(request(&portal, &lead.session, "PUT", &assignee).send().unwrap().status(), 204);
    assert_eq!(told(get(&portal, &technician.session, &asked)).1["text"], "Alice Smith");
    let refused = answer(&portal, &technician.session, &asked, &json!({ "answer": "declined" }));
    assert_eq!(refused.status(), 403, "who asks does not answer");
    seconds_pass(&portal, 16 * 60);
    assert_eq!(problem(get(&portal, &technician.session, &asked)).1, "/problems/second-factor-needed");
    assert_eq!(get(&portal, &technician.session, &path(&sample)).status(), 200, "whether it was answered");

    portal.admin().new_tenant(&"elsewhere".parse().unwrap(), &Default::default()).unwrap();
    let stranger = person_of(&portal, "elsewhere", Role::Technician, "stranger").session;
    let (body, reply) = (question(), json!({ "answer": "declined" }));
    for (method, path, body) in [
        ("GET", path(&sample), None),
        ("POST", path(&sample), Some(&body)),
        ("GET", asked.clone(), None),
        ("POST", format!("{asked}/answers"), Some(&reply)),
    ] {
        let (status, told) = order(&portal, &stranger, method, &path, body);
        assert!(status == 404 || status == 403, "{method} {path}: {told}");
    }
    let mut other = TokenOrder::new(Role::Upload);
    other.tenant = Some("default".parse().unwrap());
    other.ticket = Some("4712".parse().unwrap());
    let other = portal.admin().new_token(&other).unwrap().token.expose().clone();
    assert_eq!(get(&portal, &other, &path(&sample)).status(), 404, "another ticket's sender");
    assert_eq!(answer(&portal, &other, &asked, &reply).status(), 404);
}

#[test]
fn a_question_with_a_key_is_asked_once_and_no_text_is_in_the_log() {
    let (portal, sample) = stored(1);
    let with_key = |bearer: &str, path: &str, body: &Value| {
        let asked = request(&portal, bearer, "POST", path).header("idempotency-key", "k1").body(body.to_string());
        asked.send().unwrap()
    };
    let first = told(with_key(&portal.technician, &path(&sample), &question()));
    let again = with_key(&portal.technician, &path(&sample), &question());
    assert!(again.headers().contains_key("idempotency-replayed"));
    assert_eq!((first.0, told(again)), (201, first.clone()));
    let question = format!("{}/{}", path(&sample), first.1["id"].as_str().unwrap());
    let reply = json!({ "answer": "told", "text": "the Zikadenhof" });
    for _ in 0..2 {
        assert_eq!(with_key(&portal.upload, &format!("{question}/answers"), &reply).status(), 200);
    }
    assert_eq!(told(get(&portal, &portal.technician, &path(&sample))).1["items"].as_array().unwrap().len(), 1);
    get(&portal, &portal.technician, &question);

    let auditor = token(&portal, Role::Auditor);
    let log = get(&portal, &auditor, "/v1/audit").text().unwrap();
    for act in ["ask-question", "answer-question", "read-answer"] {
        assert_eq!(log.matches(&format!("\"act\":\"{act}\"")).count(), 1, "{act}: {log}");
    }
    for text in ["person-17", WHY, "Zikadenhof"] {
        assert!(!log.contains(text), "{text}");
    }
}

#[test]
fn nothing_is_asked_or_answered_once_the_time_is_over() {
    let (portal, sample) = stored(1);
    let open = ask(&portal, &sample);
    event(&portal, "close", &json!({}));
    let later = ask(&portal, &sample);
    assert_eq!(answer(&portal, &portal.upload, &later, &json!({ "answer": "declined" })).status(), 200);
    portal.set_clock("2027-02-20T00:00:00Z");
    let gone = |response: Response| assert_eq!(problem(response), (410, String::from("/problems/expired")));
    gone(post(&portal, &portal.technician, &path(&sample), &question()));
    gone(answer(&portal, &portal.upload, &open, &json!({ "answer": "declined" })));
    gone(get(&portal, &portal.technician, &path(&sample)));
    gone(get(&portal, &portal.technician, &open));

    let (portal, sample) = stored(2);
    ask(&portal, &sample);
    let withdrawn = request(&portal, &portal.upload, "DELETE", &format!("/v1/snapshots/{}", sample.id)).send();
    assert_eq!(withdrawn.unwrap().status(), 200);
    gone(get(&portal, &portal.upload, &path(&sample)));
}

#[test]
fn no_word_of_a_question_is_left_after_the_receipt() {
    let mut portal = TestPortal::start_in_files();
    let sample = Sample::new(77, 1000);
    store(&portal, &sample);
    let canaries: [&[u8]; 4] = [b"Tapirwald", b"Morgenstund", b"Zikadenhof", b"Kranichfeld"];
    let body = json!({ "stand_in": "person-1 Tapirwald", "why": "Morgenstund" });
    let asked = request(&portal, &portal.technician, "POST", &path(&sample)).header("idempotency-key", "k");
    let (status, made) = told(asked.body(body.to_string()).send().unwrap());
    assert_eq!(status, 201);
    let question = format!("{}/{}", path(&sample), made["id"].as_str().unwrap());
    for text in ["Zikadenhof", "Kranichfeld"] {
        let reply = json!({ "answer": "revealed", "text": text });
        assert_eq!(answer(&portal, &portal.upload, &question, &reply).status(), 200);
    }
    let data = portal.data().to_owned();
    let home = data.parent().unwrap().to_owned();
    let back_up = |portal: &TestPortal, kind| {
        let order = BackupOrder { kind, to: home.join("backups"), schedule: Schedule::default() };
        portal.admin().backup(&order).unwrap().path
    };
    let from = back_up(&portal, Kind::Portal);
    for number in [0, 1, 3] {
        assert!(places(&home, &canaries).iter().any(|(_, found)| *found == number), "the test sees {number}");
    }
    event(&portal, "close", &json!({}));
    portal.days_pass(90);
    let shares = back_up(&portal, Kind::Shares);
    portal.days_pass(2);
    assert_eq!(portal.portal().sweep().unwrap().deleted, 1);
    assert_eq!(places(&data, &canaries), [], "while the portal runs");
    portal.stop();
    assert_eq!(places(&data, &canaries), [], "after it has stopped");
    let order = RestoreOrder {
        from,
        data: home.join("restored"),
        shares: Some(shares),
        without_shares: false,
        tombstones: vec![data],
        tombstones_lost: false,
        verify: true,
    };
    assert_eq!(restore(&order, portal.clock.clone()).unwrap().deleted_again, 1);
    assert_eq!(places(&order.data, &canaries), [], "in a restored backup");
}
