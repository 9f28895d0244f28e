//! What sender and technician say to each other on the pages: questions, answers, passing on, and taking that back.

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use tarseal::clock::Clock as _;
use tarseal::format::request::{Asked, RequestKey};
use tarseal::format::{Identity, KeyKind, SenderKey};
use tarseal::portal::Role;

use crate::people::{Person, leads_to, request, seconds_pass, store, store_shared};
use crate::support::{TICKET, TestPortal};

/// What stands between two parts of a page, the first time.
fn between<'a>(page: &'a str, before: &str, after: &str) -> &'a str {
    page.split_once(before).and_then(|(_, rest)| rest.split_once(after)).unwrap_or_else(|| panic!("{before}: {page}")).0
}

#[test]
fn a_technician_asks_and_the_sender_answers_and_takes_it_back() {
    let portal = TestPortal::start();
    let snapshot = store(&portal, 1);
    let lead = Person::join(&portal, Role::Lead, "lead");
    let mut technician = Person::join(&portal, Role::Technician, "tess");
    let sender = Person::join(&portal, Role::Staff, "sam");
    lead.assign(&portal, &technician);
    lead.assign(&portal, &sender);
    let path = format!("/snapshots/{snapshot}");
    let questions = format!("{path}/questions");
    assert!(technician.page(&portal, &path).contains("none waits for an answer"));

    let fields = [("stand_in", "person-17"), ("why", "need the room system model")];
    assert_eq!(sender.post(&portal, &questions, &fields).status(), 403, "who answers does not ask");
    assert_eq!(technician.post(&portal, &questions, &[("stand_in", ""), ("why", "x")]).status(), 422);
    assert_eq!(leads_to(&technician.post(&portal, &questions, &fields)), format!("{questions}?done=asked"));
    assert!(technician.page(&portal, &path).contains("one waits for an answer"));
    assert!(sender.page(&portal, &path).contains("You decide what to tell"));
    assert!(!technician.page(&portal, &path).contains("You decide what to tell"));

    let page = sender.page(&portal, &questions);
    assert!(page.contains("need the room system model") && page.contains("waits for an answer"), "{page}");
    let one = format!("{questions}/{}", between(&page, &format!("action=\"{questions}/"), "/answer"));
    let answer = format!("{one}/answer");
    assert_eq!(technician.post(&portal, &answer, &[("answer", "told"), ("text", "x")]).status(), 403);
    assert_eq!(sender.post(&portal, &answer, &[("answer", "told")]).status(), 422, "an answer has a text");
    let told = [("answer", "told"), ("text", "Room Kit\r\nsoftware 11.9")];
    assert_eq!(leads_to(&sender.post(&portal, &answer, &told)), format!("{questions}?done=answered"));
    let list = technician.page(&portal, &questions);
    assert!(list.contains("answered in words") && !list.contains("Room Kit"), "{list}");
    assert!(technician.page(&portal, &one).contains("<bdi>Room Kit\nsoftware 11.9</bdi>"));

    seconds_pass(&portal, 20 * 60);
    let stale = technician.get(&portal, &one);
    assert_eq!(stale.status(), 401, "an answer is read with a code that was shown lately");
    assert!(stale.text().unwrap().contains(&format!("name=\"next\" value=\"{one}\"")));
    assert_eq!(sender.post(&portal, &answer, &[("answer", "declined")]).status(), 303, "taking back needs none");
    technician.sign_in(&portal);
    let declined = technician.page(&portal, &one);
    assert!(declined.contains("the sender does not tell") && !declined.contains("Room Kit"), "{declined}");

    lead.post(&portal, &format!("{path}/withdraw"), &[("reason", "sent by mistake")]);
    portal.portal().sweep().unwrap();
    for gone in [&questions, &one] {
        assert_eq!(technician.get(&portal, gone).status(), 410, "they went with the snapshot");
    }
}

#[test]
fn a_page_tells_to_whom_a_snapshot_was_passed_on_and_ends_it() {
    let portal = TestPortal::start();
    let snapshot = store_shared(&portal, 1);
    let lead = Person::join(&portal, Role::Lead, "lead");
    let technician = Person::join(&portal, Role::Technician, "tess");
    let other = Person::join(&portal, Role::Technician, "subcontractor");
    lead.assign(&portal, &technician);
    let path = format!("/snapshots/{}", snapshot.id);
    let grants = format!("{path}/grants");
    let empty = technician.page(&portal, &grants);
    assert!(empty.contains("passed on to nobody"), "{empty}");
    let command = format!("tarseal grant {TICKET} --snapshot {} --user NAME", snapshot.id);
    assert!(empty.contains(&command) && empty.contains(&format!("--portal {} ", portal.url())), "{empty}");
    assert_eq!(other.get(&portal, &path).status(), 404);

    snapshot.grant(&portal, &technician, &other);
    let page = technician.page(&portal, &grants);
    assert!(page.contains("<bdi>subcontractor</bdi>") && !page.contains("badge"), "{page}");
    let seen = other.page(&portal, &path);
    assert!(seen.contains(&format!("action=\"{path}/download\"")), "{seen}");
    assert!(!seen.contains(&format!("href=\"/tickets/{TICKET}\"")), "the ticket is not theirs");
    assert_eq!(other.get(&portal, &grants).status(), 404);

    let revoke = format!("{grants}/{}/revoke", between(&page, &format!("action=\"{grants}/"), "/revoke"));
    assert_eq!(other.post(&portal, &revoke, &[]).status(), 404);
    assert_eq!(leads_to(&technician.post(&portal, &revoke, &[])), format!("{grants}?done=revoked"));
    let page = technician.page(&portal, &grants);
    assert!(page.contains("<span class=\"badge\">revoked</span>") && !page.contains(&revoke), "{page}");
    assert_eq!(other.get(&portal, &path).status(), 404);
}

#[test]
fn the_page_of_a_snapshot_leads_to_its_first_opened_file_by_one_command() {
    let portal = TestPortal::start();
    let snapshot = store(&portal, 1);
    let lead = Person::join(&portal, Role::Lead, "lead");
    lead.assign(&portal, &lead);
    let page = lead.page(&portal, &format!("/snapshots/{snapshot}"));
    let command = between(&page, "id=\"fetch-command\">", "</code>");
    assert_eq!(
        command,
        format!(
            "tarseal fetch {TICKET} --reason WHY --key KEY -o {TICKET} --portal {} --token-file FILE",
            portal.url()
        )
    );
    assert!(page.contains(&format!("tarseal open {snapshot}.tarseal --key KEY")), "{page}");
}

#[test]
fn an_upload_token_is_listed_while_it_is_good_and_revoked() {
    let portal = TestPortal::start();
    let lead = Person::join(&portal, Role::Lead, "lead");
    let ticket = "/tickets/4712";
    lead.post(&portal, "/tickets", &[("ticket", "4712")]);
    assert!(!lead.page(&portal, ticket).contains("Upload tokens that are good"));
    let made = lead.post(&portal, &format!("{ticket}/token"), &[("hours", "4")]).text().unwrap();
    let token = between(&made, "<code class=\"key\">", "<");
    let sees = || request(&portal, "GET", "/v1/tickets/4712", "").bearer_auth(token).send().unwrap().status().as_u16();
    assert_eq!(sees(), 200);
    let page = lead.page(&portal, ticket);
    let revoke = format!("{ticket}/tokens/{}/revoke", between(&page, &format!("action=\"{ticket}/tokens/"), "/revoke"));
    assert_eq!(leads_to(&lead.post(&portal, &revoke, &[])), format!("{ticket}?done=token-revoked"));
    assert_eq!(sees(), 401);
    assert!(!lead.page(&portal, ticket).contains(&revoke));
    lead.post(&portal, &format!("{ticket}/token"), &[("hours", "4")]);
    seconds_pass(&portal, 5 * 3600);
    let mut lead = lead;
    lead.sign_in(&portal);
    assert!(!lead.page(&portal, ticket).contains("Upload tokens that are good"), "one that is over is not listed");
}

#[test]
fn a_request_with_a_code_is_listed_without_it_and_taken_back() {
    let portal = TestPortal::start();
    let lead = Person::join(&portal, Role::Lead, "lead");
    let ticket = format!("/tickets/{TICKET}");
    assert!(!lead.page(&portal, &ticket).contains("Requests with a code"));
    let (issued, rng) = (portal.clock.now(), &mut StdRng::seed_from_u64(1));
    let asked = Asked {
        portal: format!("{}/", portal.url()),
        ticket: TICKET.parse().unwrap(),
        title: None,
        profile: None,
        last_seconds: None,
        since: None,
        until: None,
        max_bytes: None,
        recipients: vec![Identity::generate(KeyKind::X25519, rng).recipient()],
        issued,
        expires: issued.plus_seconds(3600),
    };
    let note = asked.sign(&RequestKey::Sender(&SenderKey::generate(rng))).unwrap();
    let body = json!({ "request": note }).to_string();
    let made = request(&portal, "POST", &format!("/v1{ticket}/requests"), &lead.cookie).body(body).send().unwrap();
    assert_eq!(made.status(), 201);
    let made: Value = serde_json::from_str(&made.text().unwrap()).unwrap();
    let code = made["code"].as_str().unwrap();
    let page = lead.page(&portal, &ticket);
    assert!(page.contains("Waits for whoever has its code") && !page.contains(code), "{page}");
    let revoke = format!("{ticket}/requests/{}/revoke", made["id"].as_str().unwrap());
    assert_eq!(leads_to(&lead.post(&portal, &revoke, &[])), format!("{ticket}?done=request-revoked"));
    assert!(!lead.page(&portal, &ticket).contains("Requests with a code"));
    let redeem = json!({ "code": code, "claim": "00112233445566778899aabbccddeeff" }).to_string();
    assert_eq!(request(&portal, "POST", "/v1/requests/redeem", "").body(redeem).send().unwrap().status(), 404);
}
