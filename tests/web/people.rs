//! People who come in by the pages, with a cookie as a browser keeps it.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use reqwest::blocking::{Client, RequestBuilder, Response};
use reqwest::redirect::Policy;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::Path;
use tarseal::clock::Clock as _;
use tarseal::format::{Header, Identity, KeyKind, SealOptions, SealWriter, Share, ShareField};
use tarseal::ids::ShareId;
use tarseal::portal::Role;
use totp_rs::{Builder, Secret, Totp};

use crate::support::{TICKET, TestPortal};

pub const PASSWORD: &str = "correct horse battery";

/// Somebody who is signed in.
pub struct Person {
    pub id: String,
    pub name: String,
    pub app: Totp,
    pub cookie: String,
}

fn client() -> Client {
    Client::builder().no_proxy().redirect(Policy::none()).build().unwrap()
}

/// A request as a page of the portal makes it.
pub fn request(portal: &TestPortal, method: &str, path: &str, cookie: &str) -> RequestBuilder {
    let request = client().request(method.parse().unwrap(), format!("{}{path}", portal.url()));
    let request = request.header("origin", portal.url());
    if cookie.is_empty() { request } else { request.header("cookie", cookie) }
}

/// The fields of a form as its body.
pub fn form(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// Sends a form without being signed in.
pub fn post_open(portal: &TestPortal, path: &str, fields: &[(&str, &str)]) -> Response {
    request(portal, "POST", path, "").body(form(fields)).send().unwrap()
}

/// The cookies of an answer, as the next request brings them.
pub fn cookies(answer: &Response) -> String {
    let set = answer.headers().get_all("set-cookie").iter();
    set.map(|value| value.to_str().unwrap().split(';').next().unwrap()).collect::<Vec<_>>().join("; ")
}

/// Where an answer leads.
pub fn leads_to(answer: &Response) -> String {
    assert_eq!(answer.status(), 303, "{:?}", answer.headers());
    answer.headers()["location"].to_str().unwrap().to_owned()
}

impl Person {
    /// Invited by the operator; comes in by the pages, and opens no script.
    pub fn join(portal: &TestPortal, role: Role, name: &str) -> Self {
        let made = portal.admin().invite(None, role).unwrap();
        Self::accept(portal, made.invitation.expose(), name)
    }

    /// Takes up an invitation on the pages.
    pub fn accept(portal: &TestPortal, invitation: &str, name: &str) -> Self {
        let fields = [("invitation", invitation), ("name", name), ("password", PASSWORD), ("again", PASSWORD)];
        let enrol = post_open(portal, "/invitation", &fields);
        assert_eq!(enrol.status(), 200);
        let app = app_of(&enrol.text().unwrap());
        let code = code(&app, portal);
        let fields = [("invitation", invitation), ("name", name), ("code", &code)];
        let joined = post_open(portal, "/invitation/confirm", &fields);
        assert_eq!(joined.status(), 200);
        let mut person = Self { id: String::new(), name: name.to_owned(), app, cookie: cookies(&joined) };
        let me: Value = serde_json::from_str(&person.get(portal, "/v1/session").text().unwrap()).unwrap();
        person.id = me["user"].as_str().unwrap().to_owned();
        person
    }

    /// The next code: half a minute later, for each is good once.
    pub fn next_code(&self, portal: &TestPortal) -> String {
        seconds_pass(portal, 30);
        code(&self.app, portal)
    }

    /// Signs in on the page.
    pub fn sign_in(&mut self, portal: &TestPortal) {
        let code = self.next_code(portal);
        let fields = [("tenant", "default"), ("name", &self.name), ("password", PASSWORD), ("code", &code)];
        let answer = post_open(portal, "/sign-in", &fields);
        assert_eq!(leads_to(&answer), "/tickets");
        self.cookie = cookies(&answer);
    }

    pub fn get(&self, portal: &TestPortal, path: &str) -> Response {
        request(portal, "GET", path, &self.cookie).send().unwrap()
    }

    /// The text of a page that is there.
    pub fn page(&self, portal: &TestPortal, path: &str) -> String {
        let answer = self.get(portal, path);
        assert_eq!(answer.status(), 200, "{path}");
        answer.text().unwrap()
    }

    pub fn post(&self, portal: &TestPortal, path: &str, fields: &[(&str, &str)]) -> Response {
        request(portal, "POST", path, &self.cookie).body(form(fields)).send().unwrap()
    }

    /// Puts themselves or another on the ticket, as a lead does.
    pub fn assign(&self, portal: &TestPortal, other: &Self) {
        let path = format!("/tickets/{TICKET}/assign");
        assert_eq!(self.post(portal, &path, &[("user", &other.id)]).status(), 303);
    }
}

/// What the page of the second factor tells an authenticator app.
pub fn app_of(page: &str) -> Totp {
    let key = page.split("<code class=\"key\">").nth(1).unwrap().split('<').next().unwrap().replace(' ', "");
    Builder::new().with_secret(Secret::try_from_base32(&key).unwrap().as_bytes()).build_noncompliant()
}

pub fn code(app: &Totp, portal: &TestPortal) -> String {
    app.generate(u64::try_from(portal.clock.now().seconds()).unwrap()).to_string()
}

pub fn seconds_pass(portal: &TestPortal, seconds: i64) {
    portal.clock.set(portal.clock.now().plus_seconds(seconds));
}

/// A sealed file without a share: its id and its bytes.
pub fn sealed(seed: u64, length: usize) -> (String, Vec<u8>) {
    let bytes = seal(Vec::new(), seed, length);
    (id_of(&mut bytes.as_slice()), bytes)
}

/// The same, in a file.
pub fn seal_file(path: &Path, seed: u64, length: usize) -> String {
    seal(BufWriter::new(File::create(path).unwrap()), seed, length).flush().unwrap();
    id_of(&mut File::open(path).unwrap())
}

fn id_of(file: &mut impl Read) -> String {
    Header::read(file).unwrap().file_id.to_string()
}

fn seal<W: Write>(into: W, seed: u64, length: usize) -> W {
    let mut rng = StdRng::seed_from_u64(seed);
    let recipients = [Identity::generate(KeyKind::X25519, &mut rng).recipient()];
    let created = "2026-11-21T14:00:00Z".parse().unwrap();
    let options = SealOptions { created, recipients: &recipients, share: None };
    let mut writer = SealWriter::new(into, &options, &mut rng).unwrap();
    let block = vec![7; 1 << 20];
    let mut left = length;
    while left > 0 {
        let part = left.min(block.len());
        writer.write_all(&block[..part]).unwrap();
        left -= part;
    }
    writer.finish().unwrap()
}

/// Sends a sealed file for [`TICKET`] with its token; returns its id.
pub fn store(portal: &TestPortal, seed: u64) -> String {
    let (id, bytes) = sealed(seed, 1000);
    let digest = BASE64_STANDARD.encode(Sha256::digest(&bytes));
    let answer = client()
        .put(format!("{}/in/{TICKET}/case.tarseal", portal.url()))
        .bearer_auth(&portal.upload)
        .header("repr-digest", format!("sha-256=:{digest}:"))
        .body(bytes)
        .send()
        .unwrap();
    assert_eq!(answer.status(), 201);
    id
}

/// A snapshot that opens with a share, and the vendor's key to it.
pub struct Shared {
    pub id: String,
    vendor: Identity,
    bytes: Vec<u8>,
}

/// Sends a sealed file with a share for [`TICKET`].
pub fn store_shared(portal: &TestPortal, seed: u64) -> Shared {
    let rng = &mut StdRng::seed_from_u64(seed);
    let (vendor, share) = (Identity::generate(KeyKind::X25519, rng), Share::random(rng));
    let created = "2026-11-21T14:00:00Z".parse().unwrap();
    let not_after = "2027-12-31T00:00:00Z".parse().unwrap();
    let field = ShareField { id: ShareId([9; 16]), not_after, portal: String::from("https://portal.example") };
    let recipients = [vendor.recipient()];
    let options = SealOptions { created, recipients: &recipients, share: Some((field, &share)) };
    let bytes = SealWriter::new(Vec::new(), &options, rng).unwrap().finish().unwrap();
    let id = id_of(&mut bytes.as_slice());
    let told = serde_json::json!({
        "file_id": id, "size": bytes.len(), "sha256": hex::encode(Sha256::digest(&bytes)),
        "share": {
            "id": hex::encode([9; 16]), "secret": BASE64_STANDARD.encode(share.expose()), "not_after": "2027-12-31T00:00:00Z",
        },
    });
    let path = format!("/v1/tickets/{TICKET}/snapshots");
    let announced =
        request(portal, "POST", &path, "").bearer_auth(&portal.upload).body(told.to_string()).send().unwrap();
    let place = announced.headers()["location"].to_str().unwrap().to_owned();
    let place = place.strip_prefix(&portal.url()).unwrap_or(&place).to_owned();
    let sent = request(portal, "PATCH", &place, "")
        .bearer_auth(&portal.upload)
        .header("tus-resumable", "1.0.0")
        .header("content-type", "application/offset+octet-stream")
        .header("upload-offset", 0)
        .body(bytes.clone())
        .send()
        .unwrap();
    assert_eq!(sent.status(), 204);
    Shared { id, vendor, bytes }
}

impl Shared {
    /// Passes it on to somebody, as `tarseal grant` does.
    pub fn grant(&self, portal: &TestPortal, by: &Person, to: &Person) {
        let rng = &mut StdRng::seed_from_u64(5);
        let key = Identity::generate(KeyKind::X25519, rng).recipient();
        let header = Header::read(&mut self.bytes.as_slice()).unwrap();
        let part = header.unlock(std::slice::from_ref(&self.vendor)).unwrap().grant(&key, rng).unwrap();
        let order = serde_json::json!({
            "user": to.name, "recipient": key.to_string(), "part": BASE64_STANDARD.encode(part),
        });
        let path = format!("/v1/snapshots/{}/grants", self.id);
        let asked = request(portal, "POST", &path, &by.cookie).header("tarseal-reason", "the codec is theirs");
        let made = asked.body(order.to_string()).send().unwrap();
        assert_eq!(made.status(), 201, "{}", made.text().unwrap());
    }
}
