//! Text that comes from people is text on every page, whatever it looks like.

use scraper::{Html, Selector};
use tarseal::portal::Role;

use crate::people::{Person, form, leads_to, post_open, request, store};
use crate::support::{TICKET, TestPortal};

const EVIL: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{7*7}}\u{202e}gnp.";

/// No element of the page comes out of the text.
fn is_text(page: &str) {
    let parsed = Html::parse_document(page);
    for wrong in ["script:not([src])", "img", "[onerror]"] {
        assert!(parsed.select(&Selector::parse(wrong).unwrap()).next().is_none(), "{wrong}: {page}");
    }
}

#[test]
fn what_is_typed_into_the_open_pages_comes_back_as_text() {
    let portal = TestPortal::start();
    let fields = [("tenant", EVIL), ("name", EVIL), ("password", EVIL), ("code", EVIL), ("next", EVIL)];
    let answer = post_open(&portal, "/sign-in", &fields);
    assert_eq!(answer.status(), 401);
    let page = answer.text().unwrap();
    is_text(&page);
    let parsed = Html::parse_document(&page);
    let name = parsed.select(&Selector::parse("#name").unwrap()).next().unwrap();
    assert_eq!(name.value().attr("value"), Some(EVIL), "what was typed is not lost");
    assert!(!page.contains("correct") && parsed.select(&Selector::parse("#password[value]").unwrap()).next().is_none());
    let fields = [("invitation", EVIL), ("name", EVIL), ("password", "x"), ("again", "y")];
    is_text(&post_open(&portal, "/invitation", &fields).text().unwrap());
    is_text(&post_open(&portal, "/receipt", &[("receipt", EVIL)]).text().unwrap());
    let query = form(&[("ticket", EVIL), ("tenant", EVIL), ("next", EVIL), ("done", EVIL)]);
    for path in ["/sign-in", "/upload"] {
        is_text(&request(&portal, "GET", &format!("{path}?{query}"), "").send().unwrap().text().unwrap());
    }
}

#[test]
fn reasons_and_names_are_text_to_those_who_read_them() {
    let portal = TestPortal::start();
    let snapshot = store(&portal, 1);
    let lead = Person::join(&portal, Role::Lead, "lead");
    lead.assign(&portal, &lead);
    let dpo = Person::join(&portal, Role::Dpo, "dpo");
    let path = format!("/snapshots/{snapshot}");
    let read = lead.post(&portal, &format!("{path}/download"), &[("reason", EVIL)]);
    assert_eq!(read.status(), 200);
    let fields = [("basis", "legal-claim"), ("reason", EVIL), ("review_at", "2027-01-31")];
    assert_eq!(dpo.post(&portal, &format!("{path}/hold"), &fields).status(), 303);
    let query = form(&[("ticket", TICKET), ("act", EVIL), ("from", EVIL)]);
    for (path, shows) in [
        (path.clone(), true),
        (format!("{path}/readings"), true),
        (String::from("/audit"), true),
        (format!("/audit?{query}"), false),
        (format!("{path}?done=%3Cscript%3E"), true),
    ] {
        let answer = dpo.get(&portal, &path);
        let page = answer.text().unwrap();
        is_text(&page);
        if shows {
            let all: String = Html::parse_document(&page).root_element().text().collect();
            assert!(all.contains(EVIL), "{path}: {page}");
            assert!(page.contains("<bdi>&#60;script"), "a text that turns the direction turns nothing else: {page}");
        }
    }
}

#[test]
fn what_cannot_be_a_ticket_is_refused_in_words() {
    let portal = TestPortal::start();
    let lead = Person::join(&portal, Role::Lead, "lead");
    for ticket in [EVIL, "", "a/b", "../4711", "-x", "a\u{0}b"] {
        let answer = lead.post(&portal, "/tickets", &[("ticket", ticket)]);
        assert_eq!(answer.status(), 400, "{ticket:?}");
        let page = answer.text().unwrap();
        is_text(&page);
        assert!(page.contains("1 to 64 letters"), "{page}");
    }
}

#[test]
fn what_is_asked_answered_and_stated_is_text_to_both_sides() {
    let portal = TestPortal::start();
    let snapshot = store(&portal, 1);
    let lead = Person::join(&portal, Role::Lead, "lead");
    let sender = Person::join(&portal, Role::Staff, "sam");
    lead.assign(&portal, &lead);
    lead.assign(&portal, &sender);
    let (dpo, admin) = (Person::join(&portal, Role::Dpo, "dpo"), Person::join(&portal, Role::Admin, "admin"));
    let path = format!("/snapshots/{snapshot}");
    let questions = format!("{path}/questions");
    lead.post(&portal, &questions, &[("stand_in", EVIL), ("why", EVIL)]);
    let asked = sender.page(&portal, &questions);
    let (_, rest) = asked.split_once(&format!("action=\"{questions}/")).unwrap();
    let question = format!("{questions}/{}", rest.split('/').next().unwrap());
    assert_eq!(
        sender.post(&portal, &format!("{question}/answer"), &[("answer", "told"), ("text", EVIL)]).status(),
        303
    );
    let fields = [("kind", "correction"), ("reference", EVIL), ("statement", EVIL), ("about", TICKET)];
    let request = leads_to(&dpo.post(&portal, "/subject-requests", &fields)).replace("?done=lodged", "");
    dpo.post(&portal, &format!("{request}/decide"), &[]);
    let said = admin.post(&portal, "/records", &[("controller_name", EVIL), ("persons", EVIL), ("notes", EVIL)]);
    assert_eq!(said.status(), 303);
    for (person, path) in [
        (&sender, &questions),
        (&lead, &question),
        (&lead, &path),
        (&dpo, &request),
        (&admin, &String::from("/records")),
        (&admin, &String::from("/records/document")),
        (&dpo, &format!("{request}/export?as=letter")),
    ] {
        let page = person.page(&portal, path);
        // A document that is printed has its style within; nothing of it comes out of the text.
        is_text(&page);
        let all: String = Html::parse_document(&page).root_element().text().collect();
        assert!(all.contains("<script>alert(1)</script>") || path.ends_with("letter"), "{path}: {page}");
    }
    let wrong = dpo.post(&portal, "/subject-requests", &[("file", EVIL)]);
    assert_eq!(wrong.status(), 400);
    is_text(&wrong.text().unwrap());
}
