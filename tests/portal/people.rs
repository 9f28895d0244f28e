//! People: invited, signed in with a second factor, assigned, and out at once.

use reqwest::blocking::{Client, Response};
use serde_json::{Value, json};
use tarseal::portal::Role;

use crate::client::{Sample, problem, request, store, told};
use crate::person::{PASSWORD, Person, choose, code, join, open_post, person, seconds_pass, sign_in};
use crate::support::{TICKET, TestPortal};

fn ask(portal: &TestPortal, session: &str, method: &str, path: &str, body: &Value) -> Response {
    request(portal, session, method, path)
        .header("tarseal-reason", "audio drops")
        .body(body.to_string())
        .send()
        .unwrap()
}

fn status(portal: &TestPortal, session: &str, method: &str, path: &str) -> u16 {
    request(portal, session, method, path).header("tarseal-reason", "audio drops").send().unwrap().status().as_u16()
}

#[test]
fn the_first_start_invites_one_administrator_and_no_later_start_does() {
    let mut portal = TestPortal::start();
    let link = portal.portal().first_invitation().unwrap();
    let (address, invitation) = link.expose().split_once('#').unwrap();
    assert_eq!(address, format!("{}/invitation", portal.url()));
    let invitation = invitation.to_owned();
    portal.restart();
    assert!(portal.portal().first_invitation().is_none());

    let admin = join(&portal, &invitation, "ada.lovelace");
    let (seen, me) = told(ask(&portal, &admin.session, "GET", "/v1/session", &json!({})));
    assert_eq!((seen, &me["role"], &me["name"]), (200, &json!("admin"), &json!("ada.lovelace")));
    let again = json!({ "invitation": invitation, "password": PASSWORD, "name": "bob" });
    let refused = open_post(&portal, "/v1/invitation", &again).send().unwrap();
    assert_eq!(problem(refused), (403, String::from("/problems/invitation-refused")));
    portal.restart();
    assert!(portal.portal().first_invitation().is_none());
    assert_eq!(status(&portal, &admin.session, "GET", "/v1/session"), 200);
}

#[test]
fn an_invitation_is_good_for_three_days_and_for_good_passwords() {
    let portal = TestPortal::start();
    let invitation = portal.admin().invite(None, Role::Staff).unwrap().invitation.expose().clone();
    for (name, password, expected) in
        [("ada lovelace", PASSWORD, 422), ("ada", "short", 422), ("ada", "ada-ada-ada-lovelace", 422)]
    {
        let body = json!({ "invitation": invitation, "name": name, "password": password });
        assert_eq!(open_post(&portal, "/v1/invitation", &body).send().unwrap().status(), expected);
    }
    choose(&portal, &invitation, "ada", PASSWORD);
    let wrong = json!({ "invitation": invitation, "code": "000000" });
    assert_eq!(open_post(&portal, "/v1/invitation/confirm", &wrong).send().unwrap().status(), 403);
    portal.days_pass(3);
    let late = json!({ "invitation": invitation, "name": "ada", "password": PASSWORD });
    assert_eq!(open_post(&portal, "/v1/invitation", &late).send().unwrap().status(), 403);
}

#[test]
fn a_code_signs_in_once() {
    let portal = TestPortal::start();
    let ada = person(&portal, Role::Staff, "ada");
    let used = ada.code(&portal);
    assert_eq!(sign_in(&portal, "ada", PASSWORD, &used).status(), 401);
    seconds_pass(&portal, 30);
    let next = ada.code(&portal);
    assert_eq!(sign_in(&portal, "Ada ", PASSWORD, &next).status(), 200);
    assert_eq!(sign_in(&portal, "ada", PASSWORD, &next).status(), 401);
    let paper = &ada.recovery_codes[3];
    assert_eq!(sign_in(&portal, "ada", PASSWORD, &paper.to_uppercase()).status(), 200);
    assert_eq!(sign_in(&portal, "ada", PASSWORD, paper).status(), 401);
}

#[test]
fn nobody_is_told_what_was_wrong() {
    let portal = TestPortal::start();
    let ada = person(&portal, Role::Staff, "ada");
    let code = ada.recovery_codes[0].clone();
    let answers: Vec<_> = [
        sign_in(&portal, "ada", "another horse battery", &code),
        sign_in(&portal, "nobody", PASSWORD, &code),
        sign_in(&portal, "ada", PASSWORD, "000000"),
        sign_in(&portal, "a name/that cannot be", PASSWORD, &code),
        {
            let body = json!({ "tenant": "elsewhere", "name": "ada", "password": PASSWORD, "code": code });
            open_post(&portal, "/v1/session", &body).send().unwrap()
        },
    ]
    .into_iter()
    .map(|answer| {
        let mut headers = answer.headers().clone();
        headers.remove("x-request-id").unwrap();
        headers.remove("date");
        (answer.status().as_u16(), format!("{headers:?}"), answer.text().unwrap())
    })
    .collect();
    assert_eq!(answers[0].0, 401);
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
    // None of these used the code up.
    assert_eq!(sign_in(&portal, "ada", PASSWORD, &code).status(), 200);
}

#[test]
fn a_session_ends_when_it_is_idle_old_or_signed_out() {
    let portal = TestPortal::start();
    let ada = person(&portal, Role::Staff, "ada");
    let alive = |session: &str| status(&portal, session, "GET", "/v1/session") == 200;
    for _ in 0..11 {
        seconds_pass(&portal, 3599);
        assert!(alive(&ada.session));
    }
    seconds_pass(&portal, 3600);
    assert!(!alive(&ada.session));
    let (_, second) = ada.sign_in(&portal);
    let second = second["session"].as_str().unwrap().to_owned();
    seconds_pass(&portal, 3600);
    assert!(!alive(&second));
    let (_, third) = ada.sign_in(&portal);
    let third = third["session"].as_str().unwrap().to_owned();
    for _ in 0..12 {
        assert!(alive(&third));
        seconds_pass(&portal, 3599);
    }
    seconds_pass(&portal, 12);
    assert!(!alive(&third), "twelve hours are over");
    let (_, fourth) = ada.sign_in(&portal);
    let fourth = fourth["session"].as_str().unwrap().to_owned();
    assert_eq!(status(&portal, &fourth, "DELETE", "/v1/session"), 204);
    assert!(!alive(&fourth));
}

#[test]
fn content_needs_an_assignment_a_reason_and_a_second_factor_shown_lately() {
    let portal = TestPortal::start();
    let sample = Sample::new(1, 1000);
    store(&portal, &sample);
    let lead = person(&portal, Role::Lead, "lead");
    let technician = person(&portal, Role::Technician, "tech");
    let content = format!("/v1/snapshots/{}/content", sample.id);
    let on = |who: &Person| format!("/v1/tickets/{TICKET}/assignees/{}", who.id);

    assert_eq!(status(&portal, &technician.session, "GET", &content), 404);
    assert_eq!(told(ask(&portal, &technician.session, "GET", "/v1/tickets", &json!({}))).1["items"], json!([]));
    assert_eq!(problem(ask(&portal, &lead.session, "GET", &content, &json!({}))).1, "/problems/not-assigned");
    for who in [&technician, &lead] {
        assert_eq!(status(&portal, &lead.session, "PUT", &on(who)), 204);
        assert_eq!(status(&portal, &who.session, "GET", &content), 200);
    }
    let listed = told(ask(&portal, &technician.session, "GET", "/v1/snapshots", &json!({}))).1;
    assert_eq!(listed["items"][0]["id"], sample.id);
    let silent = request(&portal, &technician.session, "GET", &content).send().unwrap();
    assert_eq!(silent.status(), 400);

    seconds_pass(&portal, 15 * 60 + 1);
    let refused = ask(&portal, &technician.session, "GET", &content, &json!({}));
    let step_up = refused.headers()["www-authenticate"].to_str().unwrap().to_owned();
    assert!(step_up.contains("insufficient_user_authentication"), "{step_up}");
    assert_eq!(problem(refused), (401, String::from("/problems/second-factor-needed")));
    let code = json!({ "code": technician.code(&portal) });
    assert_eq!(ask(&portal, &technician.session, "POST", "/v1/session/factor", &code).status(), 200);
    assert_eq!(status(&portal, &technician.session, "GET", &content), 200);
    assert_eq!(ask(&portal, &technician.session, "POST", "/v1/session/factor", &code).status(), 403, "used");

    assert_eq!(status(&portal, &lead.session, "DELETE", &on(&technician)), 204);
    assert_eq!(status(&portal, &technician.session, "GET", &content), 404);
}

#[test]
fn whoever_opens_a_ticket_is_on_it() {
    let portal = TestPortal::start();
    for (role, name) in [(Role::Staff, "staff"), (Role::Technician, "tech")] {
        let who = person(&portal, role, name);
        let ticket = json!({ "ticket": format!("by-{name}") });
        assert_eq!(ask(&portal, &who.session, "POST", "/v1/tickets", &ticket).status(), 201);
        assert_eq!(status(&portal, &who.session, "GET", &format!("/v1/tickets/by-{name}")), 200);
        assert_eq!(status(&portal, &who.session, "GET", &format!("/v1/tickets/{TICKET}")), 404);
        let listed = told(ask(&portal, &who.session, "GET", "/v1/tickets", &json!({}))).1;
        assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    }
}

#[test]
fn an_administrator_invites_changes_and_disables_and_it_counts_at_once() {
    let portal = TestPortal::start();
    let admin = person(&portal, Role::Admin, "admin");
    let made = told(ask(&portal, &admin.session, "POST", "/v1/invitations", &json!({ "role": "technician" }))).1;
    let ada = join(&portal, made["invitation"].as_str().unwrap(), "ada");
    let session = |method: &str| status(&portal, &ada.session, method, "/v1/session");
    let on_ada = |what: &str| format!("/v1/users/{}/{what}", ada.id);

    let role = json!({ "role": "auditor" });
    assert_eq!(ask(&portal, &admin.session, "PUT", &on_ada("role"), &role).status(), 200);
    assert_eq!(told(ask(&portal, &ada.session, "GET", "/v1/session", &json!({}))).1["role"], "auditor");
    assert_eq!(status(&portal, &admin.session, "POST", &on_ada("disable")), 204);
    assert_eq!(session("GET"), 401);
    assert_eq!(ada.sign_in(&portal).0, 401);
    assert_eq!(status(&portal, &admin.session, "POST", &on_ada("reset")), 409);
    assert_eq!(status(&portal, &admin.session, "POST", &on_ada("enable")), 204);
    assert_eq!(session("GET"), 401, "an ended session stays ended");
    assert_eq!(ada.sign_in(&portal).0, 200);
    for what in ["disable", "role", "reset"] {
        let method = if what == "role" { "PUT" } else { "POST" };
        let own = format!("/v1/users/{}/{what}", admin.id);
        assert_eq!(ask(&portal, &admin.session, method, &own, &role).status(), 409, "{what}");
    }
    let first = told(ask(&portal, &admin.session, "GET", "/v1/users?limit=1", &json!({}))).1;
    let next = format!("/v1/users?after={}", first["next"].as_str().unwrap());
    let listed = told(ask(&portal, &admin.session, "GET", &next, &json!({}))).1;
    assert_eq!(
        (&listed["items"][0]["name"], &listed["items"][1], &listed["next"]),
        (&json!("admin"), &json!(null), &json!(null))
    );
}

#[test]
fn a_reset_gives_a_new_password_and_app_and_ends_what_was() {
    let portal = TestPortal::start();
    let ada = person(&portal, Role::Staff, "ada");
    let invitation = portal.admin().reset_user(&ada.id).unwrap().invitation.expose().clone();
    assert_eq!(status(&portal, &ada.session, "GET", "/v1/session"), 200);
    seconds_pass(&portal, 30);
    let app = choose(&portal, &invitation, "ignored", "another horse battery");
    let body = json!({ "invitation": invitation, "code": code(&app, &portal) });
    let (made, again) = told(open_post(&portal, "/v1/invitation/confirm", &body).send().unwrap());
    assert_eq!((made, again["user"].as_str().unwrap()), (201, ada.id.as_str()));
    assert_eq!(status(&portal, &ada.session, "GET", "/v1/session"), 401);
    assert_eq!(ada.sign_in(&portal).0, 401);
    let paper = &ada.recovery_codes[0];
    assert_eq!(sign_in(&portal, "ada", "another horse battery", paper).status(), 401, "the old paper is no good");
    assert_eq!(sign_in(&portal, "ada", "another horse battery", &code(&app, &portal)).status(), 200);
}

#[test]
fn a_new_password_ends_the_other_sessions() {
    let portal = TestPortal::start();
    let ada = person(&portal, Role::Staff, "ada");
    let other = ada.sign_in(&portal).1["session"].as_str().unwrap().to_owned();
    seconds_pass(&portal, 30);
    let change = |password: &str, code: &str| {
        let body = json!({ "password": password, "new_password": "another horse battery", "code": code });
        ask(&portal, &ada.session, "PUT", "/v1/session/password", &body).status().as_u16()
    };
    assert_eq!(change("not the password", &ada.code(&portal)), 403);
    assert_eq!(change(PASSWORD, &ada.code(&portal)), 204);
    assert_eq!(status(&portal, &other, "GET", "/v1/session"), 401);
    assert_eq!(status(&portal, &ada.session, "GET", "/v1/session"), 200);
    seconds_pass(&portal, 30);
    assert_eq!(sign_in(&portal, "ada", "another horse battery", &ada.code(&portal)).status(), 200);
}

#[test]
fn five_wrong_codes_end_a_session() {
    let portal = TestPortal::start();
    let ada = person(&portal, Role::Staff, "ada");
    let wrong = json!({ "code": "000000" });
    for attempt in 1..=5 {
        let expected = if attempt < 5 { 403 } else { 401 };
        assert_eq!(ask(&portal, &ada.session, "POST", "/v1/session/factor", &wrong).status(), expected);
    }
    assert_eq!(status(&portal, &ada.session, "GET", "/v1/session"), 401);
}

#[test]
fn a_cookie_serves_the_portals_own_pages_alone() {
    let portal = TestPortal::start();
    let ada = person(&portal, Role::Staff, "ada");
    let body = json!({
        "tenant": "default", "name": "ada", "password": PASSWORD, "code": ada.recovery_codes[0], "cookie": true
    });
    let elsewhere = open_post(&portal, "/v1/session", &body).header("sec-fetch-site", "cross-site").send().unwrap();
    assert_eq!(problem(elsewhere), (403, String::from("/problems/cross-site")));
    let here = open_post(&portal, "/v1/session", &body).header("sec-fetch-site", "same-origin").send().unwrap();
    assert_eq!(here.status(), 200);
    let cookies: Vec<_> = here.headers().get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect();
    assert_eq!(cookies.len(), 2);
    assert!(cookies.iter().all(|cookie| cookie.starts_with("__Host-") && cookie.contains("HttpOnly; SameSite=Strict")));
    let cookie = cookies[0].split(';').next().unwrap().to_owned();
    assert_eq!(told(here).1["session"], Value::Null);

    let ask = |method: &str, path: &str, site: &str| {
        let client = Client::builder().no_proxy().build().unwrap();
        let request = client.request(method.parse().unwrap(), format!("{}{path}", portal.url()));
        let request = request.header("cookie", &cookie).header("sec-fetch-site", site);
        request.body(json!({ "ticket": "0815" }).to_string()).send().unwrap().status().as_u16()
    };
    assert_eq!(ask("POST", "/v1/tickets", "cross-site"), 403);
    assert_eq!(ask("POST", "/v1/tickets", "same-origin"), 201);
    assert_eq!(ask("GET", "/v1/session", "same-origin"), 200);
    assert_eq!(ask("DELETE", "/v1/session", "same-origin"), 204);
    assert_eq!(ask("GET", "/v1/session", "same-origin"), 401);
}

#[test]
fn guesses_are_limited_by_place_and_do_not_lock_the_owner_out() {
    let mut portal = TestPortal::start();
    portal.restart_with(|config| config.trusted_proxies = vec![String::from("127.0.0.1")]);
    let ada = person(&portal, Role::Staff, "ada");
    let from = |place: &str, device: Option<&str>, password: &str, code: &str| {
        let body = json!({ "tenant": "default", "name": "ada", "password": password, "code": code, "device": device });
        open_post(&portal, "/v1/session", &body).header("x-forwarded-for", place).send().unwrap()
    };
    let answers: Vec<_> = (0..10).map(|_| from("192.0.2.1", None, "wrong", "000000")).collect();
    assert_eq!(answers.iter().take(5).filter(|answer| answer.status() == 401).count(), 5);
    let late = answers.iter().find(|answer| answer.status() == 429).unwrap();
    assert!(late.headers().contains_key("retry-after"));
    // Ten codes tried with the right password: from then on only a device that was there before signs in.
    for place in 2..=11 {
        let answer = from(&format!("192.0.2.{place}"), None, PASSWORD, "000000");
        assert_eq!(answer.status(), 401, "{place}");
    }
    assert_eq!(from("198.51.100.1", None, PASSWORD, &ada.recovery_codes[0]).status(), 401);
    assert_eq!(from("198.51.100.1", Some(&ada.device), PASSWORD, &ada.recovery_codes[0]).status(), 200);
    assert_eq!(from("192.0.2.1", Some(&ada.device), PASSWORD, &ada.recovery_codes[1]).status(), 200);
    assert_eq!(from("198.51.100.2", Some("tsd_made-up"), PASSWORD, &ada.recovery_codes[2]).status(), 401);
}

#[test]
fn a_proxy_is_believed_when_it_is_trusted_alone() {
    let mut portal = TestPortal::start();
    let tried = |portal: &TestPortal| {
        let body = json!({ "invitation": "tsi_made-up", "password": PASSWORD });
        let from = |place: u8| format!("192.0.2.{place}");
        let ask = |place: u8| open_post(portal, "/v1/invitation", &body).header("x-forwarded-for", from(place));
        (1..=40).map(|place| ask(place).send().unwrap().status().as_u16()).collect::<Vec<_>>()
    };
    assert!(tried(&portal).contains(&429));
    portal.restart_with(|config| config.trusted_proxies = vec![String::from("127.0.0.0/8")]);
    assert!(tried(&portal).iter().all(|status| *status == 403));
    let other = tempfile::tempdir().unwrap();
    let mut config = tarseal::portal::Config::new(other.path(), ([127, 0, 0, 1], 0).into());
    config.trusted_proxies = vec![String::from("proxy.example")];
    let refused = tarseal::portal::Portal::start(config, portal.clock.clone());
    assert!(matches!(refused, Err(tarseal::portal::PortalError::Proxy(_))));
}

#[test]
fn a_token_that_asks_too_often_waits() {
    let mut portal = TestPortal::start();
    portal.restart_with(|config| config.requests_per_second = 2.try_into().unwrap());
    let path = format!("/v1/tickets/{TICKET}");
    let answers: Vec<_> = (0..12).map(|_| request(&portal, &portal.technician, "GET", &path).send().unwrap()).collect();
    let late = answers.iter().find(|answer| answer.status() == 429).unwrap();
    assert_eq!(late.headers()["retry-after"], "1");
    assert_eq!(request(&portal, &portal.upload, "GET", &path).send().unwrap().status(), 200);
}

#[test]
fn names_are_nowhere_in_the_audit_log() {
    let portal = TestPortal::start_in_files();
    let ada = person(&portal, Role::Staff, "ada.lovelace@example.org");
    sign_in(&portal, &ada.name, "wrong", "000000");
    sign_in(&portal, "charles.babbage@example.org", "wrong", "000000");
    let database = rusqlite::Connection::open(portal.data().join("portal.db")).unwrap();
    let mut rows = database.prepare("SELECT * FROM audit").unwrap();
    let columns = rows.column_count();
    let texts: Vec<String> = rows
        .query_map([], |row| Ok((0..columns).map(|at| format!("{:?}", row.get_ref(at))).collect::<String>()))
        .unwrap()
        .map(Result::unwrap)
        .map(|row| decoded(&row))
        .collect();
    assert!(texts.iter().any(|row| row.contains("accept-invitation")), "{texts:#?}");
    assert_eq!(texts.iter().filter(|row| row.contains("sign-in") && row.contains("denied")).count(), 2);
    assert!(texts.iter().all(|row| !row.contains("lovelace") && !row.contains("babbage")));
}

/// Bytes as `Debug` lists them, as the text they are.
fn decoded(row: &str) -> String {
    let numbers = |list: &str| {
        let bytes: Option<Vec<u8>> = list.split(", ").map(|number| number.parse().ok()).collect();
        bytes.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_else(|| list.to_owned())
    };
    row.split(['[', ']']).map(numbers).collect::<Vec<_>>().join(" ")
}
