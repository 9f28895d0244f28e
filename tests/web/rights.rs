//! The data-protection officer's pages: requests of persons, the record of processing, the log checked; and the first steps of
//! an administrator.

use serde_json::{Value, json};
use tarseal::portal::Role;

use crate::people::{Person, leads_to, seconds_pass, store};
use crate::support::{TICKET, TestPortal};

const HERE: &str = "/subject-requests";

#[test]
fn a_deletion_is_taken_in_granted_answered_and_done() {
    let portal = TestPortal::start();
    let snapshot = store(&portal, 1);
    let officer = Person::join(&portal, Role::Dpo, "dpo");
    let auditor = Person::join(&portal, Role::Auditor, "auditor");
    let admin = Person::join(&portal, Role::Admin, "admin");
    assert!(officer.page(&portal, HERE).contains("There is no such request"));
    assert_eq!(admin.get(&portal, HERE).status(), 403);
    assert_eq!(auditor.get(&portal, &format!("{HERE}/new")).status(), 403);

    let about = format!("{TICKET} {snapshot} person-17\r\n\r\n{TICKET} person-17 u-4@d-3.invalid");
    let fields =
        [("kind", "deletion"), ("received_at", "2026-11-20"), ("reference", "P-12/26"), ("about", about.as_str())];
    let lodged = leads_to(&officer.post(&portal, HERE, &fields));
    let path = lodged.strip_suffix("?done=lodged").unwrap().to_owned();
    let page = officer.page(&portal, &path);
    for part in [
        "P-12/26",
        "person-17",
        "u-4@d-3.invalid",
        "20 December 2026, 23:59 UTC",
        "to be decided",
        "in time",
        &snapshot,
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    // Who watches sees how it stands, and nothing of the person.
    let seen = auditor.page(&portal, &path);
    assert!(seen.contains("to be decided") && !seen.contains("person-17") && !seen.contains("P-12/26"), "{seen}");
    assert!(!seen.contains("/decide\"") && auditor.page(&portal, HERE).contains("Request 1: deletion"));

    assert_eq!(officer.get(&portal, &format!("{path}/export?as=letter")).status(), 409, "nothing is told before");
    assert_eq!(leads_to(&officer.post(&portal, &format!("{path}/decide"), &[])), format!("{path}?done=decided"));
    assert_eq!(officer.post(&portal, &format!("{path}/decide"), &[]).status(), 409);
    assert_eq!(officer.post(&portal, &format!("{path}/finish"), &[]).status(), 409, "it is not gone yet");
    portal.portal().sweep().unwrap();
    let letter = officer.get(&portal, &format!("{path}/export?as=letter"));
    assert_eq!(letter.status(), 200);
    let policy = letter.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("style-src 'sha256-") && !policy.contains("script-src 'self'"), "{policy}");
    assert!(!letter.headers().contains_key("content-disposition"));
    assert!(letter.text().unwrap().contains("your request for deletion"));
    let file = officer.get(&portal, &format!("{path}/export?as=json&names=true"));
    assert!(file.headers()["content-disposition"].to_str().unwrap().starts_with("attachment; filename=\"request-"));
    let export: Value = serde_json::from_str(&file.text().unwrap()).unwrap();
    assert_eq!(export["snapshots"][0]["snapshot"], snapshot);
    // What was deleted ends the request by itself.
    assert!(officer.page(&portal, &format!("{HERE}?state=done")).contains("Request 1: deletion"));
    assert!(officer.page(&portal, &format!("{HERE}?state=received")).contains("There is no such request"));
}

#[test]
fn the_file_of_the_sender_is_taken_and_what_is_wrong_is_said_where_it_was_typed() {
    let portal = TestPortal::start();
    store(&portal, 1);
    let officer = Person::join(&portal, Role::Dpo, "dpo");
    let file = json!({ "kind": "information", "about": [{ "ticket": TICKET, "stand_ins": ["person-3"] }] }).to_string();
    let lodged = leads_to(&officer.post(&portal, HERE, &[("file", &file), ("reference", "P-13")]));
    let page = officer.page(&portal, lodged.split('?').next().unwrap());
    assert!(page.contains("what is kept about the person") && page.contains("P-13") && page.contains("person-3"));

    for (fields, status, says) in [
        (vec![("file", "{")], 400, "paste the whole file"),
        (vec![("kind", "correction"), ("about", TICKET)], 422, "A correction has a statement"),
        (vec![("kind", "deletion"), ("about", "no-such person-1")], 404, "knows no ticket"),
        (vec![("kind", "deletion"), ("about", "4711 Ottilie Habersaat <b>")], 422, "stand-ins such as person-17"),
        (vec![("kind", "deletion"), ("received_at", "2030-01-01")], 400, "in the future"),
        (vec![("kind", "everything")], 400, "Choose what is asked for"),
    ] {
        let answer = officer.post(&portal, HERE, &fields);
        assert_eq!(answer.status(), status, "{fields:?}");
        let page = answer.text().unwrap();
        assert!(page.contains("role=\"alert\"") && page.contains(says), "{says}: {page}");
        let typed = fields.last().unwrap().1.replace('<', "&#60;").replace('>', "&#62;");
        assert!(typed == "everything" || page.contains(&typed), "what was typed is not lost: {page}");
    }
    // The code is asked for before something is typed, and not after.
    seconds_pass(&portal, 20 * 60);
    let asked = officer.get(&portal, &format!("{HERE}/new"));
    assert_eq!(asked.status(), 401);
    assert!(asked.text().unwrap().contains(&format!("name=\"next\" value=\"{HERE}/new\"")));
}

#[test]
fn a_correction_stands_beside_the_snapshot_and_a_block_is_lifted() {
    let portal = TestPortal::start();
    let snapshot = store(&portal, 1);
    let officer = Person::join(&portal, Role::Dpo, "dpo");
    let lead = Person::join(&portal, Role::Lead, "lead");
    lead.assign(&portal, &lead);
    let (path, about) = (format!("/snapshots/{snapshot}"), format!("{TICKET} person-17"));
    let lodge = |kind: &str, statement: &str| {
        let fields = [("kind", kind), ("about", about.as_str()), ("statement", statement)];
        let lodged = leads_to(&officer.post(&portal, HERE, &fields));
        lodged.split('?').next().unwrap().to_owned()
    };
    let correction = lodge("correction", "I left the agency\r\nin 2024.");
    assert!(!lead.page(&portal, &path).contains("I left the agency"));
    officer.post(&portal, &format!("{correction}/decide"), &[]);
    let page = lead.page(&portal, &path);
    assert!(page.contains("<bdi>I left the agency\nin 2024.</bdi>") && page.contains("About <bdi>person-17"), "{page}");

    let block = lodge("blocking", "");
    assert_eq!(officer.post(&portal, &format!("{block}/refuse"), &[("ground", "accurate")]).status(), 422);
    assert_eq!(
        leads_to(&officer.post(&portal, &format!("{block}/extend"), &[("because", "number")])),
        format!("{block}?done=longer")
    );
    assert!(officer.page(&portal, &block).contains("three months, because there are many requests"));
    officer.post(&portal, &format!("{block}/decide"), &[]);
    let download = format!("{path}/download");
    assert_eq!(lead.post(&portal, &download, &[("reason", "x")]).status(), 403);
    assert!(officer.page(&portal, &block).contains("blocked"));
    assert_eq!(leads_to(&officer.post(&portal, &format!("{block}/lift"), &[])), format!("{block}?done=unblocked"));
    assert_eq!(lead.post(&portal, &download, &[("reason", "x")]).status(), 200);
    assert_eq!(leads_to(&officer.post(&portal, &format!("{block}/finish"), &[])), format!("{block}?done=finished"));
    let refused = lodge("revocation", "");
    officer.post(&portal, &format!("{refused}/refuse"), &[("ground", "no-consent")]);
    assert!(officer.page(&portal, &refused).contains("it does not rest on consent (Article 7(3))"));
}

#[test]
fn the_record_of_processing_says_what_is_missing_until_somebody_says_it() {
    let portal = TestPortal::start();
    let admin = Person::join(&portal, Role::Admin, "admin");
    let officer = Person::join(&portal, Role::Dpo, "dpo");
    let page = officer.page(&portal, "/records");
    assert!(page.contains("who decides: contact") && page.contains("where data goes outside the Union"), "{page}");
    assert!(!page.contains("action=\"/records\""), "an officer reads it");
    assert!(admin.page(&portal, "/start").contains("missing</span>"));

    let fields = [
        ("controller_name", "Agency for Examples"),
        ("controller_address", "1 Example Square\r\n1000 Brussels"),
        ("controller_contact", "office@agency.example"),
        ("controller_officer", "dpo@agency.example"),
        ("processor_name", "Vendor Ltd"),
        ("processor_contact", "privacy@vendor.example"),
        ("processor_officer", "dpo@vendor.example"),
        ("legal_basis", "GDPR Article 6(1)(f)"),
        ("recipients", "none"),
        ("sub_processors", "Hosting Ltd; DE; runs the machines"),
        ("transfers", "none"),
    ];
    assert_eq!(officer.post(&portal, "/records", &fields).status(), 403);
    assert_eq!(leads_to(&admin.post(&portal, "/records", &fields)), "/records?done=records");
    let page = admin.page(&portal, "/records");
    assert!(page.contains("Nothing that the law asks for is missing"), "{page}");
    assert!(page.contains("Hosting Ltd; DE; runs the machines") && page.contains("\nnone</textarea>"), "{page}");
    assert!(page.contains("Version 2</a>"), "what was before stays");
    assert_eq!(admin.post(&portal, "/records", &[("transfers", "Far Ltd")]).status(), 400);

    let read = officer.get(&portal, "/records/document");
    assert!(read.headers()["content-security-policy"].to_str().unwrap().contains("style-src 'sha256-"));
    assert!(read.text().unwrap().contains("runs the machines"));
    let before = officer.get(&portal, "/records/document?version=1&as=json");
    assert!(before.headers()["content-disposition"].to_str().unwrap().starts_with("attachment"));
    assert!(!before.text().unwrap().contains("Hosting Ltd"));
    assert_eq!(officer.get(&portal, "/records/document?version=99").status(), 404);
}

#[test]
fn the_log_is_checked_on_the_page_and_a_record_that_was_changed_is_named() {
    let portal = TestPortal::start();
    let auditor = Person::join(&portal, Role::Auditor, "auditor");
    let lead = Person::join(&portal, Role::Lead, "lead");
    for ticket in ["a", "b", "c"] {
        lead.post(&portal, "/tickets", &[("ticket", ticket)]);
    }
    let fields = [("ticket", ""), ("act", "open-ticket"), ("from", ""), ("until", "")];
    let page = auditor.post(&portal, "/audit/verify", &fields).text().unwrap();
    assert!(page.contains("The records are good.") && page.contains(" records looked at"), "{page}");
    assert!(page.contains("value=\"open-ticket\""), "what was asked for stays");
    assert_eq!(lead.post(&portal, "/audit/verify", &fields).status(), 403);

    let database = portal.data().join("portal.db");
    if !database.exists() {
        return;
    }
    let database = rusqlite::Connection::open(database).unwrap();
    let changed = database.execute(
        "UPDATE audit SET outcome = 'refused' WHERE number = (SELECT max(number) FROM audit WHERE action = 'open-ticket')",
        [],
    );
    assert_eq!(changed.unwrap(), 1);
    let page = auditor.post(&portal, "/audit/verify", &fields).text().unwrap();
    assert!(page.contains("The records are not good.") && page.contains("its proof was changed"), "{page}");
}

#[test]
fn whoever_sets_a_portal_up_is_told_what_is_done_and_what_is_not() {
    let portal = TestPortal::start();
    let admin = Person::join(&portal, Role::Admin, "admin");
    let done = |page: &str| page.matches("<span class=\"badge\">done</span>").count();
    let before = done(&admin.page(&portal, "/start"));
    let dpo = Person::join(&portal, Role::Dpo, "dpo");
    Person::join(&portal, Role::Lead, "lead");
    assert_eq!(done(&admin.page(&portal, "/start")), before + 2);
    admin.post(&portal, &format!("/people/{}/disable", dpo.id), &[]);
    assert_eq!(done(&admin.page(&portal, "/start")), before + 1, "who cannot sign in approves nothing");
    assert_eq!(dpo.get(&portal, "/start").status(), 303);
}
