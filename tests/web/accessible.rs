//! axe-core (<https://github.com/dequelabs/axe-core>) finds nothing serious on any page: light, dark, and 320 pixels wide.
//!
//! `TARSEAL_AXE` is a directory in which `npm install axe-core` was run. Elsewhere the test says on standard error that it was
//! skipped; with `TARSEAL_REQUIRE_PEERS=1` it fails instead, unless the variable says `none`.

use std::path::Path;
use std::{env, fs};

use tarseal::portal::Role;

use crate::browser::{is_clean, join, sign_in};
use crate::driver::{Browser, Wish};
use crate::people::{PASSWORD, Person, leads_to, store, store_shared};
use crate::support::{TICKET, TestPortal};

fn axe() -> Option<String> {
    let directory = env::var("TARSEAL_AXE").ok()?;
    fs::read_to_string(Path::new(&directory).join("node_modules/axe-core/axe.min.js")).ok()
}

struct Judge<'a> {
    browser: &'a Browser,
    axe: String,
    faults: Vec<String>,
}

impl Judge<'_> {
    /// Judges the page that is open, in every way it is seen.
    fn page(&mut self, name: &str) {
        for (scheme, width) in [("light", 1000), ("dark", 1000), ("light", 320), ("dark", 320)] {
            self.browser.set_scheme(scheme);
            self.browser.set_width(width, 900);
            if width == 320 {
                let wide = self.browser.run("return document.documentElement.scrollWidth", &[]);
                if wide.as_u64().unwrap() > 320 {
                    self.faults.push(format!("{name}: {wide} pixels wide where there are 320"));
                }
            }
            if width == 320 && scheme == "dark" {
                continue;
            }
            self.browser.run(&self.axe, &[]);
            let script = "axe.run(document, {resultTypes: ['violations']}).then(arguments[0], (e) => arguments[0]({violations: [{id: String(e), nodes: []}]}))";
            let found = self.browser.run_and_wait(script, &[]);
            for fault in found["violations"].as_array().unwrap() {
                let nodes = fault["nodes"].as_array().unwrap().iter();
                let places: Vec<_> = nodes.map(|node| format!("{} {}", node["html"], node["failureSummary"])).collect();
                self.faults
                    .push(format!("{name}, {scheme}, {width}: {} ({}): {places:?}", fault["id"], fault["impact"]));
            }
        }
        self.browser.set_width(1000, 900);
    }
}

#[test]
fn no_page_shuts_anybody_out() {
    let Some(axe) = axe() else {
        let without = env::var("TARSEAL_AXE").as_deref() == Ok("none");
        let required = env::var("TARSEAL_REQUIRE_PEERS").as_deref() == Ok("1");
        assert!(without || !required, "no_page_shuts_anybody_out needs TARSEAL_AXE");
        eprintln!("skipped: no_page_shuts_anybody_out needs TARSEAL_AXE");
        return;
    };
    let Some(browser) = Browser::start("no_page_shuts_anybody_out", Wish::default()) else { return };
    let portal = TestPortal::start();
    let base = portal.url();
    let (stored, deleted) = (store(&portal, 1), store(&portal, 2));
    let mut judge = Judge { browser: &browser, axe, faults: Vec::new() };

    // The judge judges.
    browser.go(&format!("{base}/upload"));
    browser.run("document.querySelector('main').append(document.createElement('img'))", &[]);
    judge.page("a picture without words");
    assert_eq!(judge.faults.len(), 3, "{:?}", judge.faults);
    judge.faults.clear();

    // Coming in, step by step.
    let made = portal.admin().invite(None, Role::Admin).unwrap();
    browser.go(&format!("{base}/invitation"));
    judge.page("invitation");
    browser.go(&format!("{base}/invitation#{}", made.invitation.expose()));
    browser.type_in("#name", "ada");
    browser.type_in("#password", PASSWORD);
    browser.type_in("#again", PASSWORD);
    browser.click("form[action='/invitation'] button");
    browser.wait_for("h1", "second factor");
    judge.page("second factor");
    let made = portal.admin().invite(None, Role::Admin).unwrap();
    join(&browser, &portal, &format!("{base}/invitation#{}", made.invitation.expose()), "grace");
    judge.page("codes for paper");

    let dpo = Person::join(&portal, Role::Dpo, "dpo");
    let lead = Person::join(&portal, Role::Lead, "lead");
    let admin = Person::join(&portal, Role::Admin, "admin");
    lead.assign(&portal, &lead);
    lead.post(&portal, &format!("/snapshots/{stored}/download"), &[("reason", "audio drops")]);
    lead.post(&portal, &format!("/snapshots/{deleted}/withdraw"), &[("reason", "sent by mistake")]);
    portal.portal().sweep().unwrap();
    let hold = [("basis", "legal-claim"), ("reason", "case 12/26"), ("review_at", "2027-01-31")];
    dpo.post(&portal, &format!("/snapshots/{stored}/hold"), &hold);
    let shared = store_shared(&portal, 3);
    let other = Person::join(&portal, Role::Technician, "subcontractor");
    shared.grant(&portal, &lead, &other);
    let questions = format!("/snapshots/{stored}/questions");
    lead.post(&portal, &questions, &[("stand_in", "person-17"), ("why", "need the room system model")]);
    let staff = Person::join(&portal, Role::Staff, "staff");
    lead.assign(&portal, &staff);
    let asked = staff.page(&portal, &questions);
    let (_, rest) = asked.split_once(&format!("action=\"{questions}/")).unwrap();
    let question = format!("{questions}/{}", rest.split('/').next().unwrap());
    let lodge = |kind: &str, statement: &str| {
        let about = format!("{TICKET} {stored} person-17");
        let fields = [("kind", kind), ("statement", statement), ("reference", "P-12/26"), ("about", about.as_str())];
        leads_to(&dpo.post(&portal, "/subject-requests", &fields)).replace("?done=lodged", "")
    };
    let (correction, lodged) = (lodge("correction", "I left in 2024."), lodge("deletion", ""));
    dpo.post(&portal, &format!("{correction}/decide"), &[]);

    let ways: [(&Person, Vec<String>); 4] = [
        (
            &lead,
            vec![
                String::from("/tickets"),
                String::from("/tickets?state=closed"),
                format!("/tickets/{TICKET}"),
                format!("/tickets/{TICKET}/upload"),
                format!("/snapshots/{stored}"),
                format!("/snapshots/{deleted}"),
                format!("/snapshots/{deleted}/receipt"),
                questions.clone(),
                format!("/snapshots/{}/grants", shared.id),
                String::from("/account"),
                String::from("/code"),
                String::from("/tickets/none"),
            ],
        ),
        (&staff, vec![questions, question]),
        (
            &dpo,
            vec![
                format!("/snapshots/{stored}"),
                format!("/snapshots/{stored}/readings"),
                String::from("/audit"),
                String::from("/subject-requests"),
                String::from("/subject-requests/new"),
                lodged,
                correction.clone(),
                format!("{correction}/export?as=letter"),
                String::from("/records"),
            ],
        ),
        (
            &admin,
            vec![
                String::from("/policy"),
                String::from("/people"),
                String::from("/records"),
                String::from("/records/document"),
                String::from("/start"),
            ],
        ),
    ];
    for (person, paths) in ways {
        sign_in(&browser, &portal, &base, &person.name, &person.app);
        for path in paths {
            browser.go(&format!("{base}{path}"));
            judge.page(&path);
        }
    }
    browser.go(&format!("{base}/policy"));
    browser.run("document.querySelector('#after_close_days').value = 30", &[]);
    browser.click("[data-hx-post='/policy/preview']");
    browser.wait_for("#preview", "would be deleted earlier");
    assert_eq!(browser.url(), format!("{base}/policy"), "only a part was fetched");
    judge.page("policy, tried");
    browser.go(&format!("{base}/audit"));
    browser.click("form[action='/audit/verify'] button");
    browser.wait_for("#checked", "The records are good");
    assert_eq!(browser.url(), format!("{base}/audit"), "only a part was fetched");
    judge.page("audit, checked");
    browser.go(&format!("{base}/people"));
    browser.click("form[action='/people/invite'] button");
    browser.wait_for(".key", "/invitation#tsi_");
    judge.page("people, invited");
    browser.click(".who button");
    for path in ["/sign-in", "/upload", "/receipt"] {
        browser.go(&format!("{base}{path}"));
        judge.page(path);
    }
    browser.go(&format!("{base}/sign-in"));
    browser.type_in("#name", "nobody");
    browser.type_in("#password", "wrong");
    browser.type_in("#code", "000000");
    browser.click("form[action='/sign-in'] button");
    browser.wait_for("[role=alert]", "Sign-in refused");
    judge.page("sign-in, refused");
    assert!(judge.faults.is_empty(), "{} faults:\n{}", judge.faults.len(), judge.faults.join("\n"));
    is_clean(&browser, &base, &["404", "401"]);
}
