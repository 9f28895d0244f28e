//! What somebody may not do is not on their page; what is not theirs is not there.

use tarseal::ids::TenantId;
use tarseal::portal::Role;
use tarseal::track::RetentionPolicy;

use crate::people::{Person, leads_to, request, store};
use crate::support::{TICKET, TestPortal};

#[test]
fn whoever_is_not_signed_in_is_led_to_where_they_can_and_back() {
    let portal = TestPortal::start();
    let answer = request(&portal, "GET", "/audit?ticket=4711", "").send().unwrap();
    assert_eq!(leads_to(&answer), "/sign-in?next=%2Faudit%3Fticket%3D4711");
    let page = request(&portal, "GET", "/sign-in?next=%2Faudit%3Fticket%3D4711", "").send().unwrap().text().unwrap();
    assert!(page.contains("name=\"next\" value=\"/audit?ticket=4711\""), "{page}");
    for evil in ["https://evil.example", "//evil.example", "/%5Cevil.example", "javascript:alert(1)"] {
        let page = request(&portal, "GET", &format!("/sign-in?next={evil}"), "").send().unwrap().text().unwrap();
        assert!(page.contains("name=\"next\" value=\"/tickets\"") && !page.contains("evil"), "{page}");
    }
    let dead = request(&portal, "GET", "/tickets", "__Host-tarseal-session=tss_dead").send().unwrap();
    assert_eq!(leads_to(&dead), "/sign-in?next=%2Ftickets");
}

#[test]
fn what_a_role_may_not_do_is_not_on_its_page() {
    let portal = TestPortal::start();
    let snapshot = store(&portal, 1);
    let lead = Person::join(&portal, Role::Lead, "lead");
    let people: Vec<_> = [Role::Staff, Role::Technician, Role::Admin, Role::Dpo, Role::Auditor]
        .into_iter()
        .map(|role| (role, Person::join(&portal, role, role.word())))
        .collect();
    for (role, person) in &people {
        if matches!(role, Role::Staff | Role::Technician) {
            lead.assign(&portal, person);
        }
    }
    let (ticket, snapshot) = (format!("/tickets/{TICKET}"), format!("/snapshots/{snapshot}"));
    let (ticket, snapshot) = (ticket.as_str(), snapshot.as_str());
    let of = |path: &str, act: &str| format!("action=\"{path}/{act}\"");
    for (role, person) in &people {
        use Role::{Admin, Auditor, Dpo, Staff, Technician};
        let on_ticket = person.page(&portal, ticket);
        let on_snapshot = person.page(&portal, snapshot);
        for (page, part, who) in [
            (&on_ticket, of(ticket, "close"), vec![Technician]),
            (&on_ticket, of(ticket, "token"), vec![Staff, Technician, Admin]),
            (&on_ticket, of(ticket, "assign"), vec![]),
            (&on_ticket, format!("{ticket}/upload\""), vec![Staff, Technician]),
            (&on_snapshot, of(snapshot, "download"), vec![Technician]),
            (&on_snapshot, of(snapshot, "hold"), vec![Dpo]),
            (&on_snapshot, of(snapshot, "extend"), vec![Admin]),
            (&on_snapshot, of(snapshot, "withdraw"), vec![Staff, Admin, Dpo]),
            (&on_snapshot, format!("{snapshot}/readings"), vec![Staff, Admin, Dpo, Auditor]),
            (&on_snapshot, String::from("href=\"/audit\""), vec![Admin, Dpo, Auditor]),
            (&on_snapshot, String::from("href=\"/policy\""), vec![Admin, Dpo, Auditor]),
            (&on_snapshot, String::from("href=\"/people\""), vec![Admin, Dpo, Auditor]),
        ] {
            assert_eq!(page.contains(&part), who.contains(role), "{role} {part}");
        }
        let people = person.get(&portal, "/people");
        assert_eq!(people.status() == 200, matches!(role, Admin | Dpo | Auditor), "{role}");
        assert_eq!(people.text().unwrap().contains("action=\"/people/invite\""), *role == Admin, "{role}");
    }
    assert!(lead.page(&portal, ticket).contains(&of(ticket, "assign")));
}

#[test]
fn what_is_not_ones_own_looks_like_what_is_not_there() {
    let portal = TestPortal::start();
    let snapshot = store(&portal, 1);
    let stranger = Person::join(&portal, Role::Technician, "stranger");
    let other: TenantId = "other".parse().unwrap();
    portal.admin().new_tenant(&other, &RetentionPolicy::default()).unwrap();
    let made = portal.admin().invite(Some(&other), Role::Admin).unwrap();
    let foreign = Person::accept(&portal, made.invitation.expose(), "foreign");
    let nothing = "00112233445566778899aabbccddeeff";
    for person in [&stranger, &foreign] {
        for (one, none) in [
            (format!("/tickets/{TICKET}"), String::from("/tickets/none")),
            (format!("/snapshots/{snapshot}"), format!("/snapshots/{nothing}")),
            (format!("/snapshots/{snapshot}/receipt"), format!("/snapshots/{nothing}/receipt")),
        ] {
            let (one, none) = (person.get(&portal, &one), person.get(&portal, &none));
            assert_eq!((one.status().as_u16(), none.status().as_u16()), (404, 404));
            assert_eq!(one.text().unwrap(), none.text().unwrap());
        }
        assert!(!person.page(&portal, "/tickets?state=all").contains(TICKET));
    }
}

#[test]
fn a_token_opens_no_page() {
    let portal = TestPortal::start();
    for token in [&portal.technician, &portal.upload] {
        let answer = request(&portal, "GET", "/tickets", "").bearer_auth(token).send().unwrap();
        assert_eq!(answer.status(), 403);
    }
}
