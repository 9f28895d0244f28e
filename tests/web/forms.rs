//! Everything but the upload is done without a script: plain forms, and the next page.

use serde_json::Value;
use tarseal::portal::Role;

use crate::people::{PASSWORD, Person, cookies, form, leads_to, post_open, request, seconds_pass, store};
use crate::support::{TICKET, TestPortal};

#[test]
fn the_first_link_makes_an_administrator_who_is_told_what_comes_next() {
    let portal = TestPortal::start();
    let link = portal.portal().first_invitation().unwrap();
    let (address, invitation) = link.expose().split_once('#').unwrap();
    let page = request(&portal, "GET", address.strip_prefix(&portal.url()).unwrap(), "").send().unwrap();
    assert!(page.text().unwrap().contains("data-from-hash"));
    let admin = Person::accept(&portal, invitation, "ada.lovelace");
    assert!(admin.page(&portal, "/people").contains("ada.lovelace"));

    let made = admin.post(&portal, "/people/invite", &[("role", "technician")]);
    let page = made.text().unwrap();
    let (_, rest) = page.split_once(&format!("{}/invitation#", portal.url())).unwrap();
    let invitation = rest.split('<').next().unwrap();
    let bob = Person::accept(&portal, invitation, "bob");
    assert_eq!(bob.get(&portal, "/people").status(), 403);
    assert!(!admin.page(&portal, "/people").contains("tsi_"), "a link is told once");
    assert_eq!(
        post_open(
            &portal,
            "/invitation",
            &[("invitation", invitation), ("name", "eve"), ("password", PASSWORD), ("again", PASSWORD)]
        )
        .status(),
        403
    );
}

#[test]
fn an_invitation_says_what_is_wrong_with_what_was_typed() {
    let portal = TestPortal::start();
    let made = portal.admin().invite(None, Role::Staff).unwrap();
    let invitation = made.invitation.expose();
    for (name, password, again, status, says) in [
        ("ada", PASSWORD, "another one, long", 200, "not the same"),
        ("ada lovelace", PASSWORD, PASSWORD, 422, "1 to 64 letters"),
        ("ada", "short", "short", 422, "12"),
    ] {
        let fields = [("invitation", invitation.as_str()), ("name", name), ("password", password), ("again", again)];
        let answer = post_open(&portal, "/invitation", &fields);
        assert_eq!(answer.status(), status, "{name} {password}");
        let page = answer.text().unwrap();
        assert!(page.contains(says) && page.contains("role=\"alert\"") && !page.contains(password), "{page}");
    }
    let fields = [("invitation", invitation.as_str()), ("name", "ada"), ("password", PASSWORD), ("again", PASSWORD)];
    assert_eq!(post_open(&portal, "/invitation", &fields).status(), 200);
    let fields = [("invitation", invitation.as_str()), ("name", "ada"), ("code", "000000")];
    let wrong = post_open(&portal, "/invitation/confirm", &fields);
    assert_eq!(wrong.status(), 403);
    assert!(wrong.text().unwrap().contains("next code"));
}

#[test]
fn sign_in_asks_for_all_three_and_says_of_none_that_it_was_wrong() {
    let portal = TestPortal::start();
    let mut ada = Person::join(&portal, Role::Staff, "ada");
    assert_eq!(leads_to(&ada.post(&portal, "/sign-out", &[])), "/sign-in?done=signed-out");
    assert_eq!(ada.get(&portal, "/tickets").status(), 303);
    let code = ada.next_code(&portal);
    let mut said = Vec::new();
    for (name, password, code) in
        [("ada", "wrong password", code.as_str()), ("ada", PASSWORD, "000000"), ("bob", PASSWORD, "000000")]
    {
        let fields = [("tenant", "default"), ("name", name), ("password", password), ("code", code)];
        let answer = post_open(&portal, "/sign-in", &fields);
        assert_eq!(answer.status(), 401);
        assert!(!answer.headers().contains_key("set-cookie"));
        said.push(answer.text().unwrap().replace(name, ""));
    }
    assert!(said.iter().all(|page| *page == said[0]));
    ada.sign_in(&portal);
    assert!(ada.cookie.contains("__Host-tarseal-session=tss_"), "{}", ada.cookie);
    assert_eq!(ada.get(&portal, "/tickets").status(), 200);
}

#[test]
fn a_ticket_is_opened_closed_and_reopened_and_its_deadline_follows() {
    let portal = TestPortal::start();
    let snapshot = store(&portal, 1);
    let lead = Person::join(&portal, Role::Lead, "lead");
    let (ticket, path) = (format!("/tickets/{TICKET}"), format!("/snapshots/{snapshot}"));
    assert_eq!(leads_to(&lead.post(&portal, "/tickets", &[("ticket", "4712")])), "/tickets/4712?done=opened");
    assert_eq!(lead.post(&portal, "/tickets", &[("ticket", "4712")]).status(), 409);
    assert!(lead.page(&portal, "/tickets").contains("/tickets/4712"));
    // Open: the hard cap, a year of 24-hour days after the upload.
    let open = lead.page(&portal, &path);
    assert!(open.contains("<time datetime=\"2027-11-21T14:20:00Z\">21 November 2027, 14:20 UTC</time>"), "{open}");
    assert!(open.contains("in 365 days"), "{open}");
    assert_eq!(
        leads_to(&lead.post(&portal, &format!("{ticket}/close"), &[("day", "")])),
        format!("{ticket}?done=closed")
    );
    let closed = lead.page(&portal, &path);
    assert!(closed.contains("20 February 2027, 00:00 UTC") && closed.contains("in 90 days"), "{closed}");
    let page = lead.page(&portal, &format!("{ticket}?done=closed"));
    assert!(page.contains("The ticket is closed.") && page.contains("20 February 2027"), "{page}");
    assert!(!page.contains(&format!("{ticket}/upload")), "nothing is sent for a closed ticket");
    assert_eq!(lead.get(&portal, &format!("{ticket}/upload")).status(), 409);
    assert_eq!(lead.post(&portal, &format!("{ticket}/reopen"), &[]).status(), 303);
    assert!(lead.page(&portal, &path).contains("21 November 2027"));
    // A day in the past counts from its end.
    seconds_pass(&portal, 3 * 86_400);
    let mut lead = lead;
    lead.sign_in(&portal);
    assert_eq!(lead.post(&portal, &format!("{ticket}/close"), &[("day", "2026-11-22")]).status(), 303);
    assert!(lead.page(&portal, &path).contains("21 February 2027, 00:00 UTC"));
    assert_eq!(lead.post(&portal, "/tickets/4712/close", &[("day", "2027-01-01")]).status(), 400);
}

#[test]
fn a_token_is_made_for_a_ticket_and_told_once() {
    let portal = TestPortal::start();
    let lead = Person::join(&portal, Role::Lead, "lead");
    let path = format!("/tickets/{TICKET}");
    let page = lead.post(&portal, &format!("{path}/token"), &[("hours", "4")]).text().unwrap();
    let token = page.split("<code class=\"key\">").nth(1).unwrap().split('<').next().unwrap();
    assert!(page.contains("21 November 2026, 18:20 UTC"), "{page}");
    let answer = request(&portal, "GET", &format!("/v1{path}"), "").bearer_auth(token).send().unwrap();
    assert_eq!(answer.status(), 200);
    assert!(!lead.page(&portal, &path).contains(token));
    assert_eq!(lead.post(&portal, &format!("{path}/token"), &[("hours", "many")]).status(), 400);
}

#[test]
fn a_snapshot_is_read_with_a_reason_and_a_code_that_was_shown_lately() {
    let portal = TestPortal::start();
    let snapshot = store(&portal, 1);
    let lead = Person::join(&portal, Role::Lead, "lead");
    let mut technician = Person::join(&portal, Role::Technician, "tess");
    let dpo = Person::join(&portal, Role::Dpo, "dpo");
    lead.assign(&portal, &technician);
    let path = format!("/snapshots/{snapshot}");
    let download = format!("{path}/download");
    assert_eq!(technician.post(&portal, &download, &[("reason", " ")]).status(), 400);
    let answer = technician.post(&portal, &download, &[("reason", "audio drops")]);
    assert_eq!(answer.status(), 200);
    assert_eq!(
        answer.headers()["content-disposition"],
        format!("attachment; filename=\"{snapshot}.tarseal\"").as_str()
    );
    assert_eq!(answer.bytes().unwrap(), crate::people::sealed(1, 1000).1);

    seconds_pass(&portal, 20 * 60);
    assert!(technician.page(&portal, &path).contains("id=\"code\""), "the form asks for the code when it is needed");
    let stale = technician.post(&portal, &download, &[("reason", "again")]);
    assert_eq!(stale.status(), 401);
    assert!(stale.text().unwrap().contains("action=\"/code\""));
    let code = technician.next_code(&portal);
    assert_eq!(technician.post(&portal, &download, &[("reason", "once more"), ("code", &code)]).status(), 200);
    assert_eq!(
        technician.post(&portal, &download, &[("reason", "x"), ("code", &code)]).status(),
        403,
        "a code is good once"
    );

    // Who watches is told who, when and why; the reader is told nothing of the others.
    let readings = dpo.page(&portal, &format!("{path}/readings"));
    assert!(
        readings.contains("audio drops") && readings.contains("once more") && readings.contains("tess"),
        "{readings}"
    );
    assert!(dpo.page(&portal, &path).contains("2 times"));
    assert_eq!(technician.get(&portal, &format!("{path}/readings")).status(), 403);
    technician.sign_in(&portal);
    lead.post(&portal, &format!("/tickets/{TICKET}/unassign"), &[("user", &technician.id)]);
    assert_eq!(technician.get(&portal, &path).status(), 404);
}

#[test]
fn a_hold_takes_two_and_so_does_its_lifting() {
    let portal = TestPortal::start();
    let snapshot = store(&portal, 1);
    let (one, two) = (Person::join(&portal, Role::Dpo, "one"), Person::join(&portal, Role::Dpo, "two"));
    let path = format!("/snapshots/{snapshot}");
    let (hold, lift) = (format!("{path}/hold"), format!("{path}/lift"));
    let fields = [("basis", "legal-claim"), ("reason", "case 12/26"), ("review_at", "2027-01-31")];
    assert_eq!(leads_to(&one.post(&portal, &hold, &fields)), format!("{path}?done=hold-asked"));
    let page = two.page(&portal, &path);
    let id = page.split("name=\"confirms\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert!(page.contains("case 12/26") && page.contains("a legal claim"), "{page}");
    assert_eq!(one.post(&portal, &hold, &[("confirms", &id)]).status(), 403);
    assert_eq!(leads_to(&two.post(&portal, &hold, &[("confirms", &id)])), format!("{path}?done=hold-confirmed"));
    assert!(one.page(&portal, &path).contains("It is looked at again by"));
    assert_eq!(leads_to(&one.post(&portal, &lift, &[("reason", "settled")])), format!("{path}?done=lift-asked"));
    assert_eq!(leads_to(&one.post(&portal, &lift, &[("reason", "settled")])), format!("{path}?done=lift-asked"));
    assert_eq!(leads_to(&two.post(&portal, &lift, &[("reason", "settled")])), format!("{path}?done=lifted"));
    assert!(!one.page(&portal, &path).contains("It is looked at again by"));
    assert_eq!(one.post(&portal, &hold, &[("basis", "x"), ("reason", "y"), ("review_at", "2027-01-31")]).status(), 400);
}

#[test]
fn a_deadline_is_moved_on_and_a_snapshot_withdrawn_with_a_reason() {
    let portal = TestPortal::start();
    let snapshot = store(&portal, 1);
    let lead = Person::join(&portal, Role::Lead, "lead");
    let path = format!("/snapshots/{snapshot}");
    lead.post(&portal, &format!("/tickets/{TICKET}/close"), &[]);
    let extend = format!("{path}/extend");
    assert_eq!(lead.post(&portal, &extend, &[("days", "10"), ("reason", "waits for a part")]).status(), 303);
    assert!(lead.page(&portal, &path).contains("2 March 2027, 00:00 UTC"));
    assert_eq!(lead.post(&portal, &extend, &[("days", "31"), ("reason", "x")]).status(), 409);
    assert_eq!(lead.post(&portal, &extend, &[("days", "ten"), ("reason", "x")]).status(), 400);
    let withdraw = format!("{path}/withdraw");
    assert_eq!(lead.post(&portal, &withdraw, &[]).status(), 400);
    assert_eq!(lead.post(&portal, &withdraw, &[("reason", "sent by mistake")]).status(), 303);
    portal.portal().sweep().unwrap();
    let page = lead.page(&portal, &path);
    assert!(page.contains("Deleted <time") && !page.contains(&withdraw), "{page}");
    let receipt = lead.page(&portal, &format!("{path}/receipt"));
    assert!(receipt.contains("the snapshot is deleted") && receipt.contains("it was taken back"), "{receipt}");
}

#[test]
fn a_receipt_is_checked_where_it_is_shown_and_where_it_is_pasted() {
    let portal = TestPortal::start();
    let snapshot = store(&portal, 1);
    let lead = Person::join(&portal, Role::Lead, "lead");
    let path = format!("/snapshots/{snapshot}/receipt");
    assert!(!lead.page(&portal, &path).contains("The receipt is good"));
    assert!(lead.post(&portal, &path, &[]).text().unwrap().contains("The receipt is good"));

    let text = request(&portal, "GET", &format!("/v1{path}"), "").send().unwrap().text().unwrap();
    let pasted = format!("\r\n{}\r\n\r\n", text.replace('\n', "\r\n"));
    let good = post_open(&portal, "/receipt", &[("receipt", &pasted)]).text().unwrap();
    assert!(good.contains("The receipt is good") && good.contains("the snapshot is stored, whole"), "{good}");
    for wrong in [text.replace("2026", "2025"), text[..text.len() / 2].to_owned(), String::from("x"), String::new()] {
        let page = post_open(&portal, "/receipt", &[("receipt", &wrong)]).text().unwrap();
        assert!(page.contains("The receipt is not good") && !page.contains("The receipt is good"), "{page}");
    }
}

#[test]
fn new_rules_are_tried_proposed_and_approved_by_another() {
    let portal = TestPortal::start();
    store(&portal, 1);
    let lead = Person::join(&portal, Role::Lead, "lead");
    let (admin, dpo) = (Person::join(&portal, Role::Admin, "admin"), Person::join(&portal, Role::Dpo, "dpo"));
    lead.post(&portal, &format!("/tickets/{TICKET}/close"), &[]);
    let rules = |days: &str| {
        let rules = format!(
            "version=2&after_close_days={days}&hard_cap_days=365&extensions=2&extension_days=30&inactivity_days=180&answer_days=30&logs_days=30&audit_days=365&backup_horizon_days=7&requests_days=365&zone=Europe%2FBrussels"
        );
        url::form_urlencoded::parse(rules.as_bytes()).into_owned().collect::<Vec<_>>()
    };
    let send = |person: &Person, path: &str, days: &str| {
        let rules = rules(days);
        let fields: Vec<_> = rules.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        person.post(&portal, path, &fields)
    };
    let preview = send(&admin, "/policy/preview", "30").text().unwrap();
    assert!(
        preview.contains("1 snapshot would be deleted earlier") && preview.contains("22 December 2026"),
        "{preview}"
    );
    assert!(preview.contains("value=\"30\""), "what was typed stays");
    assert!(admin.page(&portal, "/policy").contains("version 1"));
    assert_eq!(send(&admin, "/policy", "500").status(), 422);
    assert_eq!(leads_to(&send(&admin, "/policy", "30")), "/policy?done=proposed");
    let page = dpo.page(&portal, "/policy");
    assert!(page.contains("<strong>30</strong>") && page.contains("<strong>Europe/Brussels</strong>"), "{page}");
    let id = page.split("name=\"proposal\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(admin.post(&portal, "/policy/approve", &[("proposal", id)]).status(), 403);
    assert_eq!(leads_to(&dpo.post(&portal, "/policy/approve", &[("proposal", id)])), "/policy?done=approved");
    assert!(dpo.page(&portal, "/policy").contains("version 2"));
}

#[test]
fn the_log_is_shown_page_by_page_and_filtered() {
    let portal = TestPortal::start();
    let auditor = Person::join(&portal, Role::Auditor, "auditor");
    let lead = Person::join(&portal, Role::Lead, "lead");
    for number in 0..105 {
        assert_eq!(lead.post(&portal, "/tickets", &[("ticket", &format!("t-{number}"))]).status(), 303);
    }
    let first = auditor.page(&portal, "/audit?act=open-ticket");
    assert_eq!(first.matches("<td>Open ticket</td>").count(), 100);
    assert!(!first.contains("Sign in</td>"));
    let next = first.split("<a href=\"/audit?").nth(1).unwrap().split('"').next().unwrap().replace("&#38;", "&");
    let second = auditor.page(&portal, &format!("/audit?{next}"));
    assert!((5..=6).contains(&second.matches("<td>Open ticket</td>").count()), "{second}");
    assert!(auditor.page(&portal, "/audit?from=2030-01-01").contains("There is no such record"));
    assert_eq!(auditor.get(&portal, "/audit?from=yesterday").status(), 400);
}

#[test]
fn an_account_is_looked_after_by_its_owner() {
    let portal = TestPortal::start();
    let ada = Person::join(&portal, Role::Staff, "ada");
    let code = ada.next_code(&portal);
    let fields = [("password", PASSWORD), ("new_password", "another good one"), ("code", code.as_str())];
    assert_eq!(leads_to(&ada.post(&portal, "/account/password", &fields)), "/account?done=password");
    let code = ada.next_code(&portal);
    let page = ada.post(&portal, "/account/paper", &[("code", &code)]).text().unwrap();
    let paper = page.split("<li><code>").nth(1).unwrap().split('<').next().unwrap();
    let fields = [("tenant", "default"), ("name", "ada"), ("password", "another good one"), ("code", paper)];
    let other = cookies(&post_open(&portal, "/sign-in", &fields));
    assert_eq!(request(&portal, "GET", "/tickets", &other).send().unwrap().status(), 200);
    assert_eq!(ada.post(&portal, "/account/sign-out", &[]).status(), 303);
    assert_eq!(request(&portal, "GET", "/tickets", &other).send().unwrap().status(), 303);
    let body = form(&[("x", &"y".repeat(70_000))]);
    let long = request(&portal, "POST", "/sign-in", "").body(body).send().unwrap();
    assert_eq!(long.status(), 413);
    assert!(serde_json::from_str::<Value>(&long.text().unwrap()).is_err(), "a problem is a page, too");
}
