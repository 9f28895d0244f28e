//! Passkeys in a real browser, which holds them as a phone or a computer does: the virtual authenticator of Chromium
//! (<https://www.w3.org/TR/webauthn-3/#sctn-automation>).

use std::net::TcpListener;

use reqwest::blocking::Client;
use serde_json::{Value, json};
use tarseal::portal::Role;

use crate::browser::{is_clean, join};
use crate::driver::{Browser, Wish};
use crate::people::seconds_pass;
use crate::support::TestPortal;

/// What Chromium says itself when a request is refused, as it is here on purpose.
const REFUSED: &[&str] = &["the server responded with a status of 401", ADVICE];

/// What Chromium says to whoever asks for no RSA.
const ADVICE: &str = "pub_key_cred_params";

/// A portal that is reached by a name, as passkeys need it; and that name.
fn portal() -> (TestPortal, String) {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let base = format!("http://localhost:{}", free.port());
    let portal = TestPortal::start_with(|config| {
        config.listen = free;
        config.url = Some(base.parse().unwrap());
    });
    (portal, base)
}

/// Gives the browser a device that holds passkeys and knows its owner; returns its name.
fn device(browser: &Browser) -> String {
    browser.devtools("WebAuthn.enable", &json!({ "enableUI": false }));
    let options = json!({ "options": {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": true, "hasUserVerification": true,
        "isUserVerified": true, "automaticPresenceSimulation": true,
    } });
    let added = browser.devtools("WebAuthn.addVirtualAuthenticator", &options);
    added["authenticatorId"].as_str().unwrap().to_owned()
}

fn credentials(browser: &Browser, device: &str) -> Vec<Value> {
    let told = browser.devtools("WebAuthn.getCredentials", &json!({ "authenticatorId": device }));
    told["credentials"].as_array().unwrap().clone()
}

/// Adds a passkey on the page of one's account.
fn add(browser: &Browser, base: &str, name: &str) {
    browser.go(&format!("{base}/account"));
    browser.type_in("#passkey-name", name);
    browser.click("[data-passkey=make] button");
    browser.wait_for(".notice", "The passkey is added");
}

/// What the browser answers when it is asked for a passkey of the first tenant; the fault's name when it does not.
fn answer(browser: &Browser) -> Value {
    let script = "
        const ask = async () => {
          const body = JSON.stringify({ tenant: 'default' });
          const asked = await (await fetch('/v1/session/passkey/challenge', { method: 'POST', body })).json();
          const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(asked.publicKey);
          const credential = (await navigator.credentials.get({ publicKey })).toJSON();
          return { tenant: 'default', challenge: asked.challenge, credential };
        };
        ask().then(arguments[0], (fault) => arguments[0](fault.name));";
    browser.run_and_wait(script, &[])
}

/// Signs in with an answer, from elsewhere.
fn sign_in(portal: &TestPortal, answer: &Value) -> (u16, Value) {
    let client = Client::builder().no_proxy().build().unwrap();
    let told = client.post(format!("{}/v1/session/passkey", portal.url())).body(answer.to_string()).send().unwrap();
    (told.status().as_u16(), serde_json::from_str(&told.text().unwrap()).unwrap())
}

#[test]
fn a_passkey_signs_in_is_a_second_factor_and_goes_again() {
    let Some(browser) = Browser::start("a_passkey_signs_in", Wish::default()) else { return };
    let (portal, base) = portal();
    let device = device(&browser);
    let made = portal.admin().invite(None, Role::Lead).unwrap();
    join(&browser, &portal, &format!("{base}/invitation#{}", made.invitation.expose()), "lea");
    add(&browser, &base, "<b>Phone</b>");
    assert_eq!(browser.text("#passkeys ~ .cards h3"), "<b>Phone</b>");
    let held = credentials(&browser, &device);
    assert_eq!(held.len(), 1);
    assert_eq!((&held[0]["rpId"], &held[0]["isResidentCredential"]), (&json!("localhost"), &json!(true)));
    is_clean(&browser, &base, &[ADVICE]);

    // The same device is not asked for a second one.
    browser.type_in("#passkey-name", "again");
    browser.click("[data-passkey=make] button");
    browser.wait_for("[data-passkey=make] [role=alert]", "already");
    assert_eq!(credentials(&browser, &device).len(), 1);

    browser.click(".who button");
    browser.wait_for(".notice", "You are signed out");
    browser.click("[data-passkey=sign-in] button");
    browser.wait_for("h1", "Tickets");
    is_clean(&browser, &base, &[ADVICE]);

    // What needs a second factor asks for it anew after a quarter of an hour, and takes the passkey.
    seconds_pass(&portal, 16 * 60);
    browser.go(&format!("{base}/account"));
    browser.type_in("#passkey-name", "another");
    browser.click("[data-passkey=make] button");
    browser.wait_for("h1", "Show your code");
    browser.click("[data-passkey=factor] button");
    browser.wait_for("h1", "Your account");
    browser.click("form[action$='/remove'] button");
    browser.wait_for(".notice", "The passkey is removed");
    browser.click(".who button");
    browser.wait_for(".notice", "You are signed out");
    browser.click("[data-passkey=sign-in] button");
    browser.wait_for("[data-passkey=sign-in] [role=alert]", "Sign-in refused");
    is_clean(&browser, &base, REFUSED);
}

#[test]
fn an_answer_is_good_once_for_whom_and_for_where_it_was_given() {
    let Some(browser) = Browser::start("an_answer_is_good_once", Wish::default()) else { return };
    let (mut portal, base) = portal();
    let device = device(&browser);
    let policy = tarseal::track::RetentionPolicy::default();
    portal.admin().new_tenant(&"other".parse().unwrap(), &policy).unwrap();
    let made = portal.admin().invite(Some(&"default".parse().unwrap()), Role::Auditor).unwrap();
    join(&browser, &portal, &format!("{base}/invitation#{}", made.invitation.expose()), "aud");
    add(&browser, &base, "Phone");

    let good = answer(&browser);
    let refused = |changed: &dyn Fn(&mut Value)| {
        let mut bad = good.clone();
        changed(&mut bad);
        let (status, told) = sign_in(&portal, &bad);
        assert_eq!((status, &told["type"]), (401, &json!("/problems/sign-in-refused")), "{bad}");
    };
    refused(&|bad| bad["tenant"] = json!("other"));
    refused(&|bad| bad["tenant"] = json!("no such tenant"));
    refused(&|bad| bad["challenge"] = json!(""));
    refused(&|bad| bad["challenge"] = answer(&browser)["challenge"].clone());
    refused(&|bad| bad["credential"]["id"] = json!("AAAA"));
    refused(&|bad| bad["credential"]["response"]["userHandle"] = Value::Null);
    refused(&|bad| bad["credential"]["response"]["userHandle"] = json!("AAAA"));
    refused(&|bad| bad["credential"]["response"]["signature"] = json!("MAYCAQECAQE"));
    for part in ["clientDataJSON", "authenticatorData"] {
        // One bit less or more.
        refused(&|bad| {
            let text = bad["credential"]["response"][part].as_str().unwrap();
            let first = if text.starts_with('e') { "f" } else { "e" };
            bad["credential"]["response"][part] = json!(format!("{first}{}", &text[1..]));
        });
    }
    let (status, told) = sign_in(&portal, &good);
    assert_eq!(status, 200, "{told}");
    assert!(told["session"].as_str().unwrap().starts_with("tss_"), "{told}");
    refused(&|_| {});
    // Too late.
    let late = answer(&browser);
    seconds_pass(&portal, 301);
    assert_eq!(sign_in(&portal, &late).0, 401);

    // Whoever does not show that they are the owner is not let in, by the browser already.
    let owner = |is: bool| {
        browser.devtools("WebAuthn.setUserVerified", &json!({ "authenticatorId": device, "isUserVerified": is }));
    };
    owner(false);
    assert_eq!(answer(&browser), json!("NotAllowedError"));
    owner(true);

    // A device that counts backwards is a copy, and a portal at another address is another portal.
    let mut copy = credentials(&browser, &device).remove(0);
    assert!(copy["signCount"].as_u64().unwrap() > 1, "{copy}");
    copy["signCount"] = json!(0);
    let id = copy["credentialId"].clone();
    browser.devtools("WebAuthn.removeCredential", &json!({ "authenticatorId": device, "credentialId": id }));
    browser.devtools("WebAuthn.addCredential", &json!({ "authenticatorId": device, "credential": copy }));
    assert_eq!(sign_in(&portal, &answer(&browser)).0, 401);
    let log = Client::builder().no_proxy().build().unwrap().get(format!("{}/v1/audit", portal.url()));
    let log = log.bearer_auth(told["session"].as_str().unwrap()).send().unwrap().text().unwrap();
    assert_eq!(log.matches("\"suspect-passkey\"").count(), 1, "{log}");
    copy["signCount"] = json!(1000);
    let id = copy["credentialId"].clone();
    browser.devtools("WebAuthn.removeCredential", &json!({ "authenticatorId": device, "credentialId": id }));
    browser.devtools("WebAuthn.addCredential", &json!({ "authenticatorId": device, "credential": copy }));
    assert_eq!(sign_in(&portal, &answer(&browser)).0, 200);
    let elsewhere = answer(&browser);
    portal.restart_with(|config| config.url = Some("http://localhost:1".parse().unwrap()));
    assert_eq!(sign_in(&portal, &elsewhere).0, 401);
}

#[test]
fn whoever_is_invited_again_has_no_passkey_any_more() {
    let Some(browser) = Browser::start("whoever_is_invited_again", Wish::default()) else { return };
    let (portal, base) = portal();
    device(&browser);
    let made = portal.admin().invite(None, Role::Lead).unwrap();
    join(&browser, &portal, &format!("{base}/invitation#{}", made.invitation.expose()), "lea");
    add(&browser, &base, "Phone");
    let user = portal.admin().users().unwrap().remove(0).id;
    let again = portal.admin().reset_user(&user).unwrap();
    browser.go("about:blank");
    browser.go(&format!("{base}/sign-in"));
    let before = answer(&browser);
    assert_eq!(sign_in(&portal, &before).0, 200, "until the new ones are confirmed");
    join(&browser, &portal, &format!("{base}/invitation#{}", again.invitation.expose()), "lea");
    browser.go(&format!("{base}/account"));
    assert!(!browser.is_there("form[action$='/remove']"));
    assert_eq!(sign_in(&portal, &answer(&browser)).0, 401);
}

#[test]
fn a_portal_without_an_address_says_nothing_of_passkeys() {
    let portal = TestPortal::start();
    let page = Client::builder().no_proxy().build().unwrap().get(format!("{}/sign-in", portal.url())).send().unwrap();
    assert!(!page.text().unwrap().contains("passkey"));
    let client = Client::builder().no_proxy().build().unwrap();
    let asked = client.post(format!("{}/v1/session/passkey/challenge", portal.url())).body("{\"tenant\":\"default\"}");
    let told = asked.send().unwrap();
    assert_eq!(told.status(), 409);
    assert!(told.text().unwrap().contains("/problems/no-passkeys"));
}
