//! What every page says to the browser, and what no page contains.

use scraper::{Html, Selector};
use tarseal::portal::Role;

use crate::people::{Person, form, leads_to, post_open, request, store};
use crate::support::{TICKET, TestPortal};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Attributes of HTML that run a script or name another place.
fn is_free_of_scripts_and_other_hosts(path: &str, text: &str) {
    let page = Html::parse_document(text);
    assert!(page.errors.is_empty(), "{path}: {:?}", page.errors);
    for element in page.select(&Selector::parse("*").unwrap()) {
        let (name, element) = (element.value().name(), element.value());
        assert_ne!(name, "style", "{path}");
        if name == "script" {
            assert!(element.attr("src").is_some_and(|src| src.starts_with("/static/")), "{path}: {element:?}");
        }
        for (attribute, value) in element.attrs() {
            assert!(!attribute.starts_with("on") && attribute != "style", "{path}: {element:?}");
            if matches!(attribute, "src" | "href" | "action" | "formaction" | "data-hx-post") {
                assert!(
                    value.starts_with('/') && !value.starts_with("//") || value.starts_with('#'),
                    "{path}: {value}"
                );
            }
        }
        if name == "form" && element.attr("method") == Some("get") {
            let action = element.attr("action").unwrap();
            assert!(action == "/audit" || action.ends_with("/export"), "{path}: what a form asks for is read alone");
        }
    }
    for script in page.select(&Selector::parse("script").unwrap()) {
        assert_eq!(script.text().collect::<String>(), "", "{path}: a script within the page");
    }
}

#[test]
fn every_page_has_a_strict_policy_and_nothing_that_it_forbids() {
    let portal = TestPortal::start();
    let snapshot = store(&portal, 1);
    let lead = Person::join(&portal, Role::Lead, "lead");
    lead.assign(&portal, &lead);
    let admin = Person::join(&portal, Role::Admin, "admin");
    let dpo = Person::join(&portal, Role::Dpo, "dpo");
    let request =
        dpo.post(&portal, "/subject-requests", &[("kind", "correction"), ("statement", "x"), ("about", TICKET)]);
    let request = leads_to(&request).replace("?done=lodged", "");
    dpo.post(&portal, &format!("{request}/decide"), &[]);
    let questions = format!("/snapshots/{snapshot}/questions");
    lead.post(&portal, &questions, &[("stand_in", "person-1"), ("why", "x")]);
    let paths = [
        request,
        questions,
        format!("/snapshots/{snapshot}/grants"),
        String::from("/subject-requests"),
        String::from("/subject-requests/new"),
        String::from("/records"),
        String::from("/start"),
        String::from("/sign-in"),
        String::from("/invitation"),
        String::from("/upload"),
        String::from("/receipt"),
        String::from("/tickets"),
        String::from("/account"),
        String::from("/code"),
        format!("/tickets/{TICKET}"),
        format!("/tickets/{TICKET}/upload"),
        format!("/snapshots/{snapshot}"),
        format!("/snapshots/{snapshot}/readings"),
        format!("/snapshots/{snapshot}/receipt"),
        String::from("/audit"),
        String::from("/policy"),
        String::from("/people"),
        String::from("/tickets/no-such"),
        String::from("/static/none"),
    ];
    for path in &paths {
        for person in [&lead, &admin, &dpo] {
            let answer = person.get(&portal, path);
            let header = |name| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
            assert_eq!(header("content-security-policy").as_deref(), Some(POLICY), "{path}");
            assert_eq!(header("x-content-type-options").as_deref(), Some("nosniff"), "{path}");
            assert_eq!(header("x-frame-options").as_deref(), Some("DENY"), "{path}");
            assert_eq!(header("referrer-policy").as_deref(), Some("same-origin"), "{path}");
            assert_eq!(header("cache-control").as_deref(), Some("no-store"), "{path}");
            assert!(header("content-type").unwrap().starts_with("text/html"), "{path}");
            is_free_of_scripts_and_other_hosts(path, &answer.text().unwrap());
        }
    }
    let invited = portal.admin().invite(None, Role::Staff).unwrap();
    let fields = [
        ("invitation", invited.invitation.expose().as_str()),
        ("name", "new"),
        ("password", "a long enough one"),
        ("again", "a long enough one"),
    ];
    is_free_of_scripts_and_other_hosts("/invitation", &post_open(&portal, "/invitation", &fields).text().unwrap());
}

#[test]
fn what_is_not_a_page_keeps_the_policy_of_the_api() {
    let portal = TestPortal::start();
    let answer = request(&portal, "GET", "/v1/receipt-key", "").send().unwrap();
    assert_eq!(answer.headers()["content-security-policy"], "default-src 'none'; frame-ancestors 'none'");
    assert_eq!(answer.headers()["referrer-policy"], "no-referrer");
    let answer = request(&portal, "GET", "/v1/tickets", "").send().unwrap();
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
}

#[test]
fn a_form_of_another_site_changes_nothing() {
    let portal = TestPortal::start();
    let lead = Person::join(&portal, Role::Lead, "lead");
    let close = format!("/tickets/{TICKET}/close");
    let own = portal.url();
    let strange: [&[(&str, &str)]; 6] = [
        &[],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("sec-fetch-site", "cross-site"), ("origin", &own)],
        &[("sec-fetch-site", "same-site"), ("origin", &own)],
        &[("referer", "https://evil.example/")],
    ];
    for headers in strange {
        let client = reqwest::blocking::Client::builder().no_proxy().build().unwrap();
        let mut asked = client.post(format!("{own}{close}")).header("cookie", &lead.cookie).body(form(&[("day", "")]));
        for (name, value) in headers {
            asked = asked.header(*name, *value);
        }
        let answer = asked.send().unwrap();
        assert_eq!(answer.status(), 403, "{headers:?}");
        assert!(answer.text().unwrap().contains("Nothing was done"), "{headers:?}");
    }
    assert!(lead.page(&portal, &format!("/tickets/{TICKET}")).contains("<span class=\"badge\">open</span>"));
    assert_eq!(lead.post(&portal, &close, &[("day", "")]).status(), 303);

    // Nobody is signed in by another site, as somebody else.
    let fields = form(&[("tenant", "default"), ("name", "lead"), ("password", "x"), ("code", "1")]);
    let client = reqwest::blocking::Client::builder().no_proxy().build().unwrap();
    let asked = client.post(format!("{own}/sign-in")).header("origin", "https://evil.example").body(fields);
    let answer = asked.send().unwrap();
    assert_eq!(answer.status(), 403);
    assert!(!answer.headers().contains_key("set-cookie"));
}

#[test]
fn files_are_asked_for_again_only_when_they_changed() {
    let portal = TestPortal::start();
    for (name, media) in [("style.css", "text/css"), ("upload.js", "text/javascript"), ("icon.svg", "image/svg+xml")] {
        let path = format!("/static/{name}");
        let first = request(&portal, "GET", &path, "").send().unwrap();
        assert!(first.headers()["content-type"].to_str().unwrap().starts_with(media));
        let tag = first.headers()["etag"].clone();
        let again = request(&portal, "GET", &path, "").header("if-none-match", &tag).send().unwrap();
        assert_eq!((again.status().as_u16(), again.text().unwrap().len()), (304, 0), "{name}");
    }
}
