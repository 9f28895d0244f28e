//! A technician's way through the pages in a real browser: in with a second factor, a file sent over a line that breaks, the
//! ticket closed, the deadline seen, the receipt checked.

use std::fs;

use serde_json::json;
use tarseal::portal::Role;
use totp_rs::Totp;

use crate::driver::{Browser, Wish};
use crate::line::Line;
use crate::people::{PASSWORD, Person, app_of, code, seal_file, seconds_pass, store};
use crate::support::{TICKET, TestPortal};

/// The length of the file that is sent, in bytes, unless `TARSEAL_WEB_BYTES` says another.
const LENGTH: usize = 40_000_000;

/// What Chromium says itself when a line is cut or a request refused, as it is here on purpose.
const CUT: &[&str] = &["net::ERR_"];

fn port_of(url: &str) -> std::net::SocketAddr {
    url.strip_prefix("http://").unwrap().parse().unwrap()
}

/// Nothing was complained about, and nobody but the portal was asked for anything.
pub fn is_clean(browser: &Browser, base: &str, expected: &[&str]) {
    let complaints = browser.complaints(expected);
    assert!(complaints.is_empty(), "{complaints:?}");
    for url in browser.asked_for() {
        // Chromium draws the sign of a field for dates from within itself.
        assert!(url.starts_with(&format!("{base}/")) || url.starts_with("data:image/svg+xml"), "{url}");
    }
}

/// Takes up an invitation by the link, as its person does.
pub fn join(browser: &Browser, portal: &TestPortal, link: &str, name: &str) -> Totp {
    browser.go("about:blank");
    browser.go(link);
    browser.type_in("#name", name);
    browser.type_in("#password", PASSWORD);
    browser.type_in("#again", PASSWORD);
    browser.click("form[action='/invitation'] button");
    browser.wait_for("h1", "second factor");
    let key = browser.text(".key");
    let app = app_of(&format!("<code class=\"key\">{key}<"));
    browser.type_in("#code", &code(&app, portal));
    browser.click("form[action='/invitation/confirm'] button");
    browser.wait_for("h1", "keep these codes");
    app
}

pub fn sign_in(browser: &Browser, portal: &TestPortal, base: &str, name: &str, app: &Totp) {
    seconds_pass(portal, 30);
    browser.go(&format!("{base}/sign-in"));
    browser.type_in("#name", name);
    browser.type_in("#password", PASSWORD);
    browser.type_in("#code", &code(app, portal));
    browser.click("form[action='/sign-in'] button");
    browser.wait_for("h1", "Tickets");
}

#[test]
fn a_file_is_sent_over_a_line_that_breaks_and_its_receipt_is_good() {
    let Some(browser) = Browser::start("a_file_is_sent_over_a_line_that_breaks", Wish::default()) else { return };
    let portal = TestPortal::start();
    let line = Line::to(port_of(&portal.url()));
    let base = format!("http://{}", line.address);
    let made = portal.admin().invite(None, Role::Lead).unwrap();
    let app = join(&browser, &portal, &format!("{base}/invitation#{}", made.invitation.expose()), "lea");
    assert_eq!(browser.url(), format!("{base}/invitation/confirm"), "the invitation is in no address");
    browser.go(&format!("{base}/tickets"));
    browser.click(".who button");
    browser.wait_for(".notice", "You are signed out");
    sign_in(&browser, &portal, &base, "lea", &app);

    browser.click(&format!("a[href='/tickets/{TICKET}']"));
    browser.click(&format!("a[href='/tickets/{TICKET}/upload']"));
    let length = std::env::var("TARSEAL_WEB_BYTES").ok().and_then(|text| text.parse().ok()).unwrap_or(LENGTH);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("<img src=x onerror=alert(1)>\u{202e}\u{7}.tarseal");
    let id = seal_file(&file, 1, length);
    browser.type_in("#file", file.to_str().unwrap());
    let before = line.carried();
    let length = length as u64;
    line.cut_after(length * 2 / 5);
    browser.click("#send");
    browser.wait_for("#said", "The line broke");
    assert!(line.is_cut());
    line.mend();
    browser.wait_for("h2:nth-of-type(1)", "Sent");
    assert!(browser.text("#said").starts_with("Sent."));
    let carried = line.carried() - before;
    assert!(carried < length + (8 << 20), "what had arrived was not sent again: {carried} bytes for {length}");
    is_clean(&browser, &base, CUT);

    browser.click("#snapshot");
    browser.wait_for(".deadline", "21 November 2027, 14:20 UTC");
    browser.click(&format!("a[href='/tickets/{TICKET}']"));
    browser.click(&format!("form[action='/tickets/{TICKET}/close'] button"));
    browser.wait_for(".notice", "The ticket is closed");
    browser.click(&format!("a[href='/snapshots/{id}']"));
    browser.wait_for(".deadline", "20 February 2027, 00:00 UTC");
    browser.wait_for("[data-until]", "in 90 days and 9 hours");

    browser.click(&format!("a[href='/snapshots/{id}/receipt']"));
    let place = browser.url();
    browser.run("window.stays = true", &[]);
    browser.click("main button");
    browser.wait_for("#checked", "The receipt is good");
    assert_eq!(
        (browser.url(), browser.run("return window.stays", &[])),
        (place, json!(true)),
        "only a part was fetched"
    );
    is_clean(&browser, &base, &[]);
}

#[test]
fn a_token_sends_a_file_by_keyboard_alone_and_goes_on_in_another_window() {
    let Some(browser) = Browser::start("a_token_sends_a_file_by_keyboard_alone", Wish::default()) else { return };
    let portal = TestPortal::start();
    let line = Line::to(port_of(&portal.url()));
    let base = format!("http://{}", line.address);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("case.tarseal");
    let length = 24_000_000;
    seal_file(&file, 2, length);
    let begin = || {
        browser.go(&format!("{base}/upload?ticket={TICKET}"));
        // Nobody types the name of a file into a browser: its own dialogue does that.
        browser.type_in("#file", file.to_str().unwrap());
        browser.run("document.querySelector('#token').focus()", &[]);
        browser.press(&portal.upload);
        // Enter, in the field.
        browser.press("\u{e007}");
    };
    line.cut_after(length as u64 / 2);
    begin();
    browser.wait_for("#said", "The line broke");
    line.mend();
    // The window is closed and opened again: the portal knows where the file stands.
    let before = line.carried();
    begin();
    browser.wait_for("#said", "Sent.");
    assert!(line.carried() - before < length as u64 * 3 / 4);
    assert!(browser.text("#facts").contains("2027-11-21T14:20:00Z"), "{}", browser.text("#facts"));
    is_clean(&browser, &base, CUT);
    assert!(
        !browser
            .run("return JSON.stringify([localStorage, sessionStorage, document.cookie])", &[])
            .to_string()
            .contains("tsr")
    );

    // What is there already is not sent twice; what is no sealed file is not sent at all.
    begin();
    browser.wait_for("#said", "Sent.");
    let other = directory.path().join("holiday.jpg");
    fs::write(&other, b"\xff\xd8 not sealed").unwrap();
    browser.go(&format!("{base}/upload?ticket={TICKET}"));
    browser.type_in("#file", other.to_str().unwrap());
    browser.type_in("#token", "tst_wrong");
    browser.click("#send");
    browser.wait_for("#said", "not a sealed file");
    let third = directory.path().join("third.tarseal");
    seal_file(&third, 3, 1000);
    // A driver adds to the files that are chosen; a hand chooses anew.
    browser.run("document.querySelector('#file').value = ''", &[]);
    browser.type_in("#file", third.to_str().unwrap());
    browser.click("#send");
    browser.wait_for("#said", "token is missing, unknown, expired or revoked");
    is_clean(&browser, &base, &["401"]);
}

#[test]
fn a_file_is_dropped_anywhere_on_the_page_and_its_name_harms_nothing() {
    let Some(browser) = Browser::start("a_file_is_dropped_anywhere_on_the_page", Wish::default()) else { return };
    let portal = TestPortal::start();
    let base = portal.url();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("<img src=x onerror=alert(1)>\u{202e}\u{7}gnp.tarseal");
    let other = directory.path().join("other.tarseal");
    let id = seal_file(&file, 4, 100_000);
    seal_file(&other, 5, 1000);
    let page = format!("{base}/upload?ticket={TICKET}");
    browser.go(&page);
    browser.drop_files("#drop", &[&file, &other]);
    browser.wait_for("#said", "2 files: press Send.");
    browser.type_in("#token", &portal.upload);
    browser.click("#send");
    browser.wait_for("#said", "Send one file, and then the next.");
    for place in ["h1", "#drop"] {
        browser.go(&page);
        browser.drop_files(place, &[&file]);
        browser.wait_for("#said", "onerror=alert(1)>");
        assert!(browser.text("#said").ends_with(": press Send."), "{}", browser.text("#said"));
        assert!(!browser.is_there("main img") && !browser.is_there(".drop.over"));
        assert_eq!(browser.url(), page, "the browser did not open the file itself");
    }
    browser.type_in("#token", &portal.upload);
    browser.click("#send");
    browser.wait_for("#said", "Sent.");
    let receipt = browser.run("return document.querySelector('#receipt').getAttribute('href')", &[]);
    assert_eq!(receipt, format!("/v1/snapshots/{id}/receipt"));
    is_clean(&browser, &base, &[]);
}

#[test]
fn a_technician_copies_the_command_that_opens_and_a_chosen_file_fills_its_field() {
    let Some(browser) = Browser::start("a_technician_copies_the_command_that_opens", Wish::default()) else { return };
    let portal = TestPortal::start();
    let snapshot = store(&portal, 1);
    let (lead, dpo) = (Person::join(&portal, Role::Lead, "lead"), Person::join(&portal, Role::Dpo, "dpo"));
    lead.assign(&portal, &lead);
    let base = portal.url();
    sign_in(&browser, &portal, &base, "lead", &lead.app);
    // Three clicks from the list: the ticket, the snapshot, the command.
    browser.click(&format!("a[href='/tickets/{TICKET}']"));
    browser.click(&format!("a[href='/snapshots/{snapshot}']"));
    let clipboard = json!({ "origin": base, "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"] });
    browser.devtools("Browser.grantPermissions", &clipboard);
    browser.click("[data-copy='fetch-command']");
    browser.wait_for("[data-copy='fetch-command']", "Copied");
    let copied =
        browser.run_and_wait("navigator.clipboard.readText().then(arguments[0], (e) => arguments[0](String(e)))", &[]);
    assert_eq!(copied, browser.text("#fetch-command").as_str());
    assert!(copied.as_str().unwrap().starts_with(&format!("tarseal fetch {TICKET} --reason WHY")), "{copied}");

    sign_in(&browser, &portal, &base, "dpo", &dpo.app);
    browser.go(&format!("{base}/subject-requests/new"));
    let written = tempfile::NamedTempFile::new().unwrap();
    let asked = json!({ "kind": "information", "about": [{ "ticket": TICKET, "stand_ins": ["person-3"] }] });
    fs::write(written.path(), asked.to_string()).unwrap();
    browser.type_in("#chosen", written.path().to_str().unwrap());
    browser.click("form:has(#file) button");
    browser.wait_for(".notice", "The request is taken in");
    browser.wait_for("main", "person-3");
    is_clean(&browser, &base, &[]);
}

#[test]
fn without_scripts_people_sign_in_close_and_check() {
    let wish = Wish { without_scripts: true };
    let Some(browser) = Browser::start("without_scripts_people_sign_in_close_and_check", wish) else { return };
    let portal = TestPortal::start();
    let snapshot = store(&portal, 1);
    let lead = Person::join(&portal, Role::Lead, "lead");
    let base = portal.url();
    browser.go(&format!("{base}/upload"));
    assert!(browser.is_there("noscript"));
    browser.wait_for("main", "This page needs scripts");
    sign_in(&browser, &portal, &base, "lead", &lead.app);
    browser.click(&format!("a[href='/tickets/{TICKET}']"));
    browser.click(&format!("form[action='/tickets/{TICKET}/close'] button"));
    browser.wait_for(".notice", "The ticket is closed");
    browser.click(&format!("a[href='/snapshots/{snapshot}']"));
    browser.wait_for(".deadline", "in 90 days");
    browser.click(&format!("a[href='/snapshots/{snapshot}/receipt']"));
    browser.click("main button");
    browser.wait_for("#checked", "The receipt is good");
    browser.click(".who button");
    browser.wait_for(".notice", "You are signed out");
    is_clean(&browser, &base, &[]);
}

#[test]
fn a_page_is_gone_through_by_tab_and_enter() {
    let Some(browser) = Browser::start("a_page_is_gone_through_by_tab_and_enter", Wish::default()) else { return };
    let portal = TestPortal::start();
    let lead = Person::join(&portal, Role::Lead, "lead");
    seconds_pass(&portal, 30);
    let base = portal.url();
    browser.go(&format!("{base}/sign-in"));
    let focus = || browser.run("return document.activeElement.id || document.activeElement.className", &[]);
    browser.press("\u{e004}");
    assert_eq!(focus(), "skip");
    // Past the name of the portal and the organisation, which is filled in.
    browser.press("\u{e004}\u{e004}\u{e004}");
    assert_eq!(focus(), "name");
    browser.press("lead\u{e004}");
    browser.press(PASSWORD);
    browser.press("\u{e004}");
    browser.press(&code(&lead.app, &portal));
    browser.press("\u{e007}");
    browser.wait_for("h1", "Tickets");
    browser.go(&format!("{base}/tickets"));
    // Where the focus is, is seen.
    browser.press("\u{e004}");
    let outline = browser.run("return getComputedStyle(document.activeElement).outlineWidth", &[]);
    assert_eq!(outline, "3px");
    is_clean(&browser, &base, &[]);
}
