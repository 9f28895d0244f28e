//! A plain client for the tests: one call, one request.

use std::sync::LazyLock;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use reqwest::Method;
use reqwest::blocking::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::{TICKET, TestPortal};

/// A file to send, with everything the portal is told of it.
#[derive(Clone)]
pub struct Sample {
    pub id: String,
    pub bytes: Vec<u8>,
    pub share: Option<[u8; 32]>,
}

impl Sample {
    /// `length` bytes that no other sample has, with a share.
    pub fn new(number: u8, length: usize) -> Self {
        let mut bytes = Vec::with_capacity(length + 32);
        let mut block = Sha256::digest([number]);
        while bytes.len() < length {
            bytes.extend_from_slice(&block);
            block = Sha256::digest(block);
        }
        bytes.truncate(length);
        // A sealed file begins with what it is and its file id; nobody here looks further.
        let head = [b"\x89TSL\r\n\x1a\n\x01\x01\0\0\x01\0\x01\0\0\0\x10".as_slice(), &[number; 16]].concat();
        if let Some(beginning) = bytes.get_mut(..head.len()) {
            beginning.copy_from_slice(&head);
        }
        Self { id: hex::encode([number; 16]), bytes, share: Some(Sha256::digest([number, number]).into()) }
    }

    pub fn sha256(&self) -> String {
        hex::encode(Sha256::digest(&self.bytes))
    }

    pub fn announcement(&self) -> Value {
        let share = self.share.map(|secret| {
            json!({ "id": hex::encode([9; 16]), "secret": BASE64_STANDARD.encode(secret), "not_after": "2027-12-31T00:00:00Z" })
        });
        let mut told = json!({ "file_id": self.id, "size": self.bytes.len(), "sha256": self.sha256() });
        if let Some(share) = share {
            told["share"] = share;
        }
        told
    }
}

/// The client of all tests. It keeps no connection: a portal that was stopped may have had the port before.
static CLIENT: LazyLock<Client> =
    LazyLock::new(|| Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap());

/// A request with a token.
pub fn request(portal: &TestPortal, token: &str, method: &str, path: &str) -> RequestBuilder {
    let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", portal.url()) };
    CLIENT.request(Method::from_bytes(method.as_bytes()).unwrap(), url).bearer_auth(token)
}

pub fn get(portal: &TestPortal, token: &str, path: &str) -> Response {
    request(portal, token, "GET", path).send().unwrap()
}

pub fn post(portal: &TestPortal, token: &str, path: &str, body: &Value) -> Response {
    request(portal, token, "POST", path).body(body.to_string()).send().unwrap()
}

/// Status and body, the body as JSON.
pub fn told(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    (status, serde_json::from_str(&response.text().unwrap()).unwrap_or(Value::Null))
}

/// Status and the `type` of a problem; checks that it is one.
pub fn problem(response: Response) -> (u16, String) {
    let media = response.headers()["content-type"].to_str().unwrap().to_owned();
    assert_eq!(media, "application/problem+json");
    let (status, body) = told(response);
    assert_eq!(body["status"], status);
    (status, body["type"].as_str().unwrap().to_owned())
}

/// Announces a sample and returns the path of its upload.
pub fn announce(portal: &TestPortal, sample: &Sample) -> String {
    let response = post(portal, &portal.upload, &format!("/v1/tickets/{TICKET}/snapshots"), &sample.announcement());
    assert_eq!(response.status(), 201);
    response.headers()["location"].to_str().unwrap().to_owned()
}

/// A PATCH that is not sent yet.
pub fn patch(portal: &TestPortal, upload: &str, offset: usize) -> RequestBuilder {
    request(portal, &portal.upload, "PATCH", upload)
        .header("tus-resumable", "1.0.0")
        .header("content-type", "application/offset+octet-stream")
        .header("upload-offset", offset)
}

pub fn append(portal: &TestPortal, upload: &str, offset: usize, bytes: &[u8]) -> Response {
    patch(portal, upload, offset).body(bytes.to_vec()).send().unwrap()
}

/// The offset the portal tells.
pub fn offset(portal: &TestPortal, upload: &str) -> usize {
    let response = request(portal, &portal.upload, "HEAD", upload).header("tus-resumable", "1.0.0").send().unwrap();
    assert_eq!(response.status(), 200);
    response.headers()["upload-offset"].to_str().unwrap().parse().unwrap()
}

/// Uploads a sample whole.
pub fn store(portal: &TestPortal, sample: &Sample) {
    let upload = announce(portal, sample);
    let response = append(portal, &upload, 0, &sample.bytes);
    assert_eq!(response.status(), 204);
}

/// Asks for content with a reason.
pub fn content(portal: &TestPortal, sample: &Sample) -> RequestBuilder {
    request(portal, &portal.technician, "GET", &format!("/v1/snapshots/{}/content", sample.id))
        .header("tarseal-reason", "audio drop analysis")
}

/// Tells an event of the ticket.
pub fn event(portal: &TestPortal, what: &str, body: &Value) -> (u16, Value) {
    told(post(portal, &portal.technician, &format!("/v1/tickets/{TICKET}/{what}"), body))
}

/// The snapshot as the portal tells it.
pub fn snapshot(portal: &TestPortal, sample: &Sample) -> Value {
    let (status, body) = told(get(portal, &portal.technician, &format!("/v1/snapshots/{}", sample.id)));
    assert_eq!(status, 200);
    body
}

/// A token of a role, for the whole first tenant and ten years.
pub fn token(portal: &TestPortal, role: tarseal::portal::Role) -> String {
    let mut order = tarseal::portal::admin::TokenOrder::new(role);
    order.tenant = Some("default".parse().unwrap());
    order.valid_seconds = Some(3650 * 86_400);
    portal.admin().new_token(&order).unwrap().token.expose().clone()
}

/// A request with a reason and perhaps a body.
pub fn order(portal: &TestPortal, token: &str, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
    let asked = request(portal, token, method, path).header("tarseal-reason", "because the law wants it");
    told(match body {
        Some(body) => asked.body(body.to_string()).send().unwrap(),
        None => asked.send().unwrap(),
    })
}
