//! Somebody who signs in: invited by the operator, with a password and an authenticator app.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU32, Ordering};

use reqwest::blocking::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use tarseal::clock::{Clock as _, Timestamp};
use tarseal::ids::TenantId;
use tarseal::portal::Role;
use totp_rs::{Builder, Secret, Totp};

use crate::client::told;
use crate::support::TestPortal;

pub const PASSWORD: &str = "correct horse battery";

/// A session is good for an hour without a request and for twelve in all; people here sign in anew well before.
const HOUR: i64 = 3600;

/// Somebody with an authenticator app.
pub struct Person {
    pub id: String,
    pub name: String,
    pub app: Totp,
    /// The session of the first sign-in.
    pub session: String,
    pub device: String,
    pub recovery_codes: Vec<String>,
    tenant: String,
    /// The session of the last sign-in, the device it gave, and when it was.
    last: RefCell<(String, String, Timestamp)>,
}

impl Person {
    pub fn code(&self, portal: &TestPortal) -> String {
        code(&self.app, portal)
    }

    /// Asks to sign in half a minute later, with the next code.
    pub fn sign_in(&self, portal: &TestPortal) -> (u16, Value) {
        seconds_pass(portal, 30);
        told(sign_in(portal, &self.name, PASSWORD, &self.code(portal)))
    }

    /// A session that is good now, with a second factor that was just shown; the clock stands still.
    pub fn here(&self, portal: &TestPortal) -> String {
        let now = portal.clock.now();
        let (session, device, since) = self.last.borrow().clone();
        if (0..HOUR / 6).contains(&(now.seconds() - since.seconds())) {
            return session;
        }
        let body = json!({
            "tenant": self.tenant, "name": self.name, "password": PASSWORD, "code": self.code(portal), "device": device,
        });
        let (status, made) = told(open_post(portal, "/v1/session", &body).send().unwrap());
        assert_eq!(status, 200, "{made}");
        let text = |key: &str| made[key].as_str().unwrap().to_owned();
        *self.last.borrow_mut() = (text("session"), text("device"), now);
        text("session")
    }
}

/// Says where a request comes from, to a portal that trusts this machine as its proxy.
const FROM: &str = "x-forwarded-for";

/// A place nobody has come from yet.
fn place() -> String {
    static PLACES: AtomicU32 = AtomicU32::new(0);
    let number = PLACES.fetch_add(1, Ordering::Relaxed);
    format!("198.18.{}.{}", number / 250, number % 250 + 1)
}

/// A new user of the first tenant, invited by the operator.
pub fn person(portal: &TestPortal, role: Role, name: &str) -> Person {
    person_of(portal, "default", role, name)
}

/// A new user of a tenant.
pub fn person_of(portal: &TestPortal, tenant: &str, role: Role, name: &str) -> Person {
    let of: TenantId = tenant.parse().unwrap();
    let made = portal.admin().invite(Some(&of), role).unwrap();
    Person { tenant: tenant.to_owned(), ..join(portal, made.invitation.expose(), name) }
}

/// Takes up an invitation.
pub fn join(portal: &TestPortal, invitation: &str, name: &str) -> Person {
    let app = choose(portal, invitation, name, PASSWORD);
    let body = json!({ "invitation": invitation, "code": code(&app, portal) });
    let (status, made) = told(open_post(portal, "/v1/invitation/confirm", &body).header(FROM, place()).send().unwrap());
    assert_eq!(status, 201, "{made}");
    let text = |key: &str| made[key].as_str().unwrap().to_owned();
    Person {
        id: text("user"),
        name: name.to_owned(),
        app,
        session: text("session"),
        device: text("device"),
        recovery_codes: serde_json::from_value(made["recovery_codes"].clone()).unwrap(),
        tenant: String::from("default"),
        last: RefCell::new((text("session"), text("device"), portal.clock.now())),
    }
}

/// Chooses name and password with an invitation; returns the app that got the secret.
pub fn choose(portal: &TestPortal, invitation: &str, name: &str, password: &str) -> Totp {
    let body = json!({ "invitation": invitation, "name": name, "password": password });
    let (status, enrol) = told(open_post(portal, "/v1/invitation", &body).header(FROM, place()).send().unwrap());
    assert_eq!(status, 200, "{enrol}");
    let secret = Secret::try_from_base32(enrol["secret"].as_str().unwrap()).unwrap();
    Builder::new().with_secret(secret.as_bytes()).build_noncompliant()
}

pub fn sign_in(portal: &TestPortal, name: &str, password: &str, code: &str) -> Response {
    let body = json!({ "tenant": "default", "name": name, "password": password, "code": code });
    open_post(portal, "/v1/session", &body).send().unwrap()
}

pub fn code(app: &Totp, portal: &TestPortal) -> String {
    app.generate(u64::try_from(portal.clock.now().seconds()).unwrap()).to_string()
}

pub fn seconds_pass(portal: &TestPortal, seconds: i64) {
    portal.clock.set(portal.clock.now().plus_seconds(seconds));
}

/// A POST without a token.
pub fn open_post(portal: &TestPortal, path: &str, body: &Value) -> RequestBuilder {
    Client::builder().no_proxy().build().unwrap().post(format!("{}{path}", portal.url())).body(body.to_string())
}
