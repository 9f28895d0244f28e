//! Lists: one shape, one way from page to page, the same order while things are added.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tarseal::portal::Role;

use crate::client::{Sample, get, order, post, problem, store, token, told};
use crate::person::person;
use crate::support::{TICKET, TestPortal};

/// Reads a list page by page from its first, and calls `between` after the first page.
fn pages(portal: &TestPortal, who: &str, path: &str, limit: usize, between: impl FnOnce()) -> Vec<Value> {
    let more = if path.contains('?') { '&' } else { '?' };
    let mut between = Some(between);
    let (mut items, mut next) = (Vec::new(), Some(String::new()));
    while let Some(after) = next {
        let response = get(portal, who, &format!("{path}{more}limit={limit}{after}"));
        let link = response.headers().get("link").map(|link| link.to_str().unwrap().to_owned());
        let (status, page) = told(response);
        assert_eq!(status, 200, "{path}: {page}");
        assert_eq!(page.as_object().unwrap().keys().collect::<Vec<_>>(), ["items", "next"], "{path}");
        let listed = page["items"].as_array().unwrap();
        assert!(listed.len() <= limit, "{path}");
        items.extend(listed.iter().cloned());
        next = page["next"].as_str().map(|next| format!("&after={next}"));
        match (&next, link) {
            (Some(next), Some(link)) => {
                assert_eq!(listed.len(), limit, "{path}: a page before the last is full");
                assert!(link.starts_with(&format!("<{path}{more}")) && link.contains(next.as_str()), "{path}: {link}");
            }
            (None, None) => {}
            (next, link) => panic!("{path}: {next:?} beside {link:?}"),
        }
        if let Some(between) = between.take() {
            between();
        }
    }
    items
}

/// What tells the items of a list apart.
fn names(items: &[Value], key: &str) -> Vec<String> {
    items.iter().map(|item| item[key].as_str().unwrap().to_owned()).collect()
}

#[test]
fn tickets_come_newest_first_and_each_once_while_others_are_opened() {
    let portal = TestPortal::start();
    let open = |name: &str| {
        assert_eq!(post(&portal, &portal.technician, "/v1/tickets", &json!({ "ticket": name })).status(), 201);
    };
    for number in 0..7 {
        open(&format!("t-{number}"));
        if number % 2 == 0 {
            portal.days_pass(1);
        }
    }
    let whole = names(&pages(&portal, &portal.technician, "/v1/tickets", 1000, || {}), "ticket");
    assert_eq!(whole.len(), 8);
    assert_eq!(whole.last().unwrap(), TICKET, "the first that was opened is the last of the list");
    for limit in [1, 2, 3, 7, 8, 9] {
        let seen = pages(&portal, &portal.technician, "/v1/tickets", limit, || open(&format!("new-{limit}")));
        let seen: Vec<String> = names(&seen, "ticket").into_iter().filter(|name| !name.starts_with("new-")).collect();
        assert_eq!(seen, whole, "{limit} to a page");
    }
    let closed = pages(&portal, &portal.technician, "/v1/tickets?state=closed", 1, || {});
    assert!(closed.is_empty());
    assert_eq!(post(&portal, &portal.technician, "/v1/tickets/t-3/close", &json!({})).status(), 200);
    let closed = pages(&portal, &portal.technician, "/v1/tickets?state=closed", 1, || {});
    assert_eq!(names(&closed, "ticket"), ["t-3"]);
    assert!(closed[0]["closed_at"].is_string() && closed[0].get("snapshots").is_none());
}

#[test]
fn the_tokens_of_a_ticket_are_listed_and_none_is_told() {
    let portal = TestPortal::start();
    let path = format!("/v1/tickets/{TICKET}/tokens");
    let make = || told(post(&portal, &portal.technician, &path, &json!({ "valid_seconds": 3600 }))).1;
    let made: Vec<Value> = (0..4).map(|_| make()).collect();
    let gone = made[1]["id"].as_str().unwrap();
    let revoked = crate::client::request(&portal, &portal.technician, "DELETE", &format!("{path}/{gone}"));
    assert_eq!(revoked.send().unwrap().status(), 204);

    let listed = pages(&portal, &portal.technician, &path, 2, || drop(make()));
    let ids: BTreeSet<String> = names(&listed, "id").into_iter().collect();
    assert_eq!(ids.len(), listed.len(), "each once");
    // The operator's upload token is there as well; what is made in between comes where its id is.
    assert!((5..=6).contains(&listed.len()), "{}", listed.len());
    for token in &made {
        let found = listed.iter().find(|item| item["id"] == token["id"]).unwrap();
        assert_eq!(found["expires"], token["expires"]);
        assert_eq!(found["revoked"].is_string(), token["id"] == gone);
        assert!(!Value::from(listed.clone()).to_string().contains(token["token"].as_str().unwrap()));
    }
    assert_eq!(problem(get(&portal, &portal.upload, &path)).0, 403);
}

#[test]
fn every_list_goes_page_by_page_to_its_end() {
    let portal = TestPortal::start();
    let lead = token(&portal, Role::Lead);
    let auditor = token(&portal, Role::Auditor);
    for number in 1..=5 {
        store(&portal, &Sample::new(number, 100));
    }
    assert_eq!(pages(&portal, &lead, "/v1/snapshots", 2, || {}).len(), 5);
    assert_eq!(pages(&portal, &lead, &format!("/v1/snapshots?ticket={TICKET}"), 5, || {}).len(), 5);
    // The log has a form of its own, and the same way on.
    let (mut path, mut records, mut count) = (Some(String::from("/v1/audit?format=csv&limit=3")), Vec::new(), 0);
    while let Some(next) = path {
        let response = get(&portal, &auditor, &next);
        path = response.headers().get("link").map(|link| {
            link.to_str().unwrap().strip_prefix('<').unwrap().split_once(">; rel=\"next\"").unwrap().0.to_owned()
        });
        let text = response.text().unwrap();
        let lines: Vec<String> = text.lines().skip(usize::from(count == 0)).map(str::to_owned).collect();
        assert!(lines.len() <= 3);
        records.extend(lines);
        count += 1;
    }
    let numbers: BTreeSet<&str> = records.iter().map(|line| line.split(',').next().unwrap()).collect();
    assert!(count > 3 && numbers.len() == records.len(), "{count} pages, {records:?}");
}

#[test]
fn a_wrong_cursor_or_limit_is_refused_by_every_list() {
    let portal = TestPortal::start();
    let (admin, auditor) = (token(&portal, Role::Admin), token(&portal, Role::Auditor));
    post(&portal, &portal.technician, "/v1/tickets", &json!({ "ticket": "4712" }));
    let (_, first) = told(get(&portal, &portal.technician, "/v1/tickets?limit=1"));
    let anothers = first["next"].as_str().unwrap();
    let lists = [
        (String::from("/v1/snapshots"), &portal.technician),
        (format!("/v1/tickets/{TICKET}/assignees"), &portal.technician),
        (format!("/v1/tickets/{TICKET}/tokens"), &portal.technician),
        (String::from("/v1/users"), &admin),
        (String::from("/v1/audit"), &auditor),
    ];
    let refused = (400, String::from("/problems/bad-request"));
    for (path, who) in &lists {
        assert_eq!(problem(get(&portal, who, &format!("{path}?after={anothers}"))), refused, "{path}: another list's");
    }
    for (path, who) in lists.iter().chain([&(String::from("/v1/tickets"), &portal.technician)]) {
        for wrong in ["after=x", "after=", "after=bnVsbA", "after=%00", "limit=0", "limit=1001", "limit=x", "lim=1"] {
            assert_eq!(problem(get(&portal, who, &format!("{path}?{wrong}"))), refused, "{path}?{wrong}");
        }
    }
}

#[test]
fn people_invitations_and_who_is_on_a_ticket_come_in_one_order_while_more_are_added() {
    let portal = TestPortal::start();
    let (admin, lead) = (person(&portal, Role::Admin, "m-admin"), person(&portal, Role::Lead, "k-lead"));
    let invite = || {
        let made = post(&portal, &admin.session, "/v1/invitations", &json!({ "role": "staff" }));
        assert_eq!(made.status(), 201);
    };
    let assignees = format!("/v1/tickets/{TICKET}/assignees");
    let assign = |who: &str| {
        assert_eq!(order(&portal, &lead.session, "PUT", &format!("{assignees}/{who}"), None).0, 204);
    };
    let people: Vec<String> =
        ["b-tech", "d-tech", "a-tech"].map(|name| person(&portal, Role::Technician, name).id).into();
    people.iter().for_each(|who| assign(who));
    (0..3).for_each(|_| invite());

    let late = std::cell::RefCell::new(Vec::new());
    let users = pages(&portal, &admin.session, "/v1/users", 2, || {
        late.borrow_mut().push(person(&portal, Role::Technician, "z-late").id);
        late.borrow_mut().push(person(&portal, Role::Technician, "0-late").id);
    });
    assert_eq!(
        names(&users, "name"),
        ["a-tech", "b-tech", "d-tech", "k-lead", "m-admin", "z-late"],
        "what lies before is not told"
    );

    let listed = pages(&portal, &admin.session, "/v1/invitations", 1, invite);
    let ids: BTreeSet<String> = names(&listed, "id").into_iter().collect();
    // Three, the one that was made meanwhile or not, and the first administrator's.
    assert!(ids.len() == listed.len() && (4..=5).contains(&ids.len()), "{listed:?}");

    let on: BTreeSet<String> =
        names(&pages(&portal, &lead.session, &assignees, 1, || assign(&late.borrow()[0])), "user")
            .into_iter()
            .collect();
    assert!(people.iter().all(|who| on.contains(who)), "{on:?}");
}
