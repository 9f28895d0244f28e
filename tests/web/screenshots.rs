//! The pictures of the pages in `docs/pages/`: not a test, but made like one.
//!
//!     cargo test --test web screenshots -- --ignored && optipng -quiet -o5 docs/pages/*.png

use std::fs;

use tarseal::portal::Role;

use crate::browser::sign_in;
use crate::driver::{Browser, Wish};
use crate::people::{Person, leads_to, store};
use crate::support::{TICKET, TestPortal};

#[test]
#[ignore = "writes docs/pages"]
fn screenshots() {
    let browser = Browser::start("screenshots", Wish::default()).unwrap();
    let portal = TestPortal::start();
    let base = portal.url();
    let snapshot = store(&portal, 1);
    let lead = Person::join(&portal, Role::Lead, "mira.lindqvist");
    let dpo = Person::join(&portal, Role::Dpo, "otto.habersaat");
    lead.assign(&portal, &lead);
    for ticket in ["4650", "4698"] {
        lead.post(&portal, "/tickets", &[("ticket", ticket)]);
    }
    lead.post(&portal, &format!("/snapshots/{snapshot}/download"), &[("reason", "audio drops after ten minutes")]);
    lead.post(&portal, &format!("/tickets/{TICKET}/close"), &[]);
    let questions = format!("/snapshots/{snapshot}/questions");
    lead.post(&portal, &questions, &[("stand_in", "person-17"), ("why", "need the room system model")]);
    let lodge = |kind: &str, day: &str| {
        let fields = [("kind", kind), ("received_at", day), ("about", "4711 person-17")];
        leads_to(&dpo.post(&portal, "/subject-requests", &fields)).replace("?done=lodged", "")
    };
    lodge("information", "2026-10-27");
    let request = lodge("blocking", "2026-11-19");
    let shoot = |name: &str, path: &str, scheme: &str, (width, height): (u32, u32)| {
        browser.set_scheme(scheme);
        browser.set_width(width, height);
        browser.go(&format!("{base}{path}"));
        fs::write(format!("docs/pages/{name}.png"), browser.picture()).unwrap();
    };
    fs::create_dir_all("docs/pages").unwrap();
    shoot("sign-in", "/sign-in", "light", (760, 640));
    sign_in(&browser, &portal, &base, &lead.name, &lead.app);
    shoot("tickets", "/tickets?state=all", "light", (760, 560));
    shoot("snapshot", &format!("/snapshots/{snapshot}"), "light", (760, 720));
    shoot("snapshot-dark-small", &format!("/snapshots/{snapshot}"), "dark", (320, 720));
    shoot("upload", "/tickets/4698/upload", "light", (760, 480));
    shoot("questions", &questions, "dark", (760, 720));
    sign_in(&browser, &portal, &base, &dpo.name, &dpo.app);
    shoot("request", &request, "light", (760, 560));
    shoot("readings", &format!("/snapshots/{snapshot}/readings"), "light", (900, 480));
}
