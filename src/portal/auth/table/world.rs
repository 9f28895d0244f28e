//! A portal with two tenants, everybody who may ask in each, and the ways in which they ask.

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tower::ServiceExt as _;

use super::super::{FACTOR_SECONDS, Factor, INVITATION, Role, SESSION, draw, hash, new_token};
use super::thing::Thing;
use super::{COLUMNS, OFF, Row, STALE, START, Who};
use crate::clock::{ManualClock, Timestamp};
use crate::format::request::{Asked, RequestKey};
use crate::format::{Identity, KeyKind, Recipient, SealOptions, SealWriter, SenderKey};
use crate::ids::{TenantId, TicketId};
use crate::portal::app::{App, random_id, system_rng};
use crate::portal::config::Config;
use crate::portal::router::router;
use crate::portal::store::invitations::InvitationRow;
use crate::portal::store::requests::RequestRow;
use crate::portal::store::sessions::NewSession;
use crate::portal::store::tokens::TokenRow;
use crate::portal::store::users::UserRow;
use crate::portal::store::{assignments, grants, invitations, questions, requests, sessions, tenants, tokens, users};
use crate::track::RetentionPolicy;
use crate::wire::{NewQuestion, RequestCode};

/// A tenant with one of each who may ask.
pub(super) struct Tenant {
    pub(super) id: TenantId,
    pub(super) people: Vec<(Role, u8, String, Factor)>,
    pub(super) tokens: Vec<(Role, String)>,
    /// An upload token for a ticket of this tenant that is none of the things'.
    pub(super) upload: String,
}

pub(super) struct World {
    pub(super) app: Arc<App>,
    pub(super) router: Router,
    pub(super) own: Tenant,
    pub(super) other: Tenant,
    pub(super) requests: AtomicU32,
    pub(super) recipient: Recipient,
    pub(super) _data: tempfile::TempDir,
}

impl World {
    pub(super) async fn new() -> Self {
        // In memory where there is such a place: the table is long, and every act waits for the disk.
        let memory = std::path::Path::new("/dev/shm");
        let data = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
        let mut config = Config::new(data.path().join("data"), ([127, 0, 0, 1], 0).into());
        config.free_space_floor = 0;
        config.url = Some("https://support.example.org".parse().unwrap());
        config.requests_per_second = NonZeroU32::MAX;
        let clock = Arc::new(ManualClock::at(START.parse().unwrap()));
        let app = Arc::new(App::open(&config, clock).await.unwrap());
        let identity = Identity::generate(KeyKind::X25519, &mut system_rng());
        let (own, other) = (tenant(&app, "acme").await, tenant(&app, "other").await);
        Self {
            router: router(app.clone()),
            own,
            other,
            requests: AtomicU32::new(0),
            recipient: identity.recipient(),
            app,
            _data: data,
        }
    }

    /// A new ticket of the own tenant with a snapshot in a state.
    pub(super) async fn thing(&self, state: &str) -> Thing {
        let mut thing = Thing { ticket: format!("t-{}", random_id()), ..Thing::nothing() };
        let by = |role: Role| self.own.tokens.iter().find(|(other, _)| *other == role).unwrap().1.clone();
        let technician = by(Role::Technician);
        self.must(&technician, "POST", "/v1/tickets", json!({ "ticket": thing.ticket })).await;
        let path = format!("/v1/tickets/{}", thing.ticket);
        let made = self.must(&technician, "POST", &format!("{path}/tokens"), json!({ "valid_seconds": 3600 })).await;
        thing.token = made["id"].as_str().unwrap().to_owned();
        thing.bearer = made["token"].as_str().unwrap().to_owned();

        let now = self.app.clock.now();
        let ticket: TicketId = thing.ticket.parse().unwrap();
        let tenant = &self.own.id;
        let mut transaction = self.app.store.begin_across().await.unwrap();
        for (_, number, user, _) in &self.own.people {
            if *number != OFF {
                assignments::add(&mut transaction, tenant, &ticket, user, now).await.unwrap();
            }
        }
        thing.user = add_user(&self.app, &mut transaction, tenant, Role::Technician).await.0;
        let (text, id) = draw(INVITATION, &mut system_rng());
        let expires_at = now.plus_days(1);
        let row = InvitationRow {
            tenant: tenant.clone(),
            id: id.clone(),
            role: Role::Staff,
            user: None,
            expires_at,
            chosen: None,
        };
        invitations::add(&mut transaction, &row, &hash(text.expose()), now).await.unwrap();
        thing.invitation = id;
        thing.asked = random_id();
        let request = RequestRow {
            tenant: tenant.clone(),
            id: thing.asked.clone(),
            ticket: ticket.clone(),
            note: String::from("nobody reads it here"),
            max_bytes: None,
            expires_at,
            used: None,
        };
        let code = self.app.authority.hash_code(&RequestCode::random(&mut system_rng()));
        assert!(requests::add(&mut transaction, &request, &code, now).await.unwrap());
        transaction.commit().await.unwrap();

        thing.snapshot = random_id();
        let announced = announcement(&thing.snapshot);
        let request =
            self.request(&thing.bearer, "POST", &format!("{path}/snapshots"), announced.to_string().into_bytes());
        let response = self.router.clone().oneshot(request).await.unwrap();
        let location = response.headers()["location"].to_str().unwrap().to_owned();
        thing.upload = location.rsplit('/').next().unwrap().to_owned();
        if state != "uploading" {
            let mut request = self.request(&thing.bearer, "PATCH", &location, sealed(&thing.snapshot));
            as_tus(&mut request);
            assert_eq!(self.router.clone().oneshot(request).await.unwrap().status(), 204);
            thing.receipt = self.receipt(&thing.snapshot).await;
        }
        let officer = self.own.people.iter().find(|person| person.0 == Role::Dpo).unwrap();
        let officer = self.sign_in(tenant, officer).await;
        let asked = json!({ "kind": "information", "about": [{ "ticket": thing.ticket }] });
        let lodged = self.must(&officer, "POST", "/v1/subject-requests", asked).await;
        thing.request = lodged["id"].as_str().unwrap().to_owned();
        if matches!(state, "closed" | "deleted") {
            self.must(&technician, "POST", &format!("{path}/close"), Value::Null).await;
        }
        if state != "uploading" {
            self.pass_on_and_ask(&mut thing).await;
        }
        if state == "deleted" {
            let mut transaction = self.app.store.begin_across().await.unwrap();
            sqlx::query("UPDATE snapshots SET phase = 'deleted', deleted_at = $1 WHERE tenant = $2 AND id = $3")
                .bind(now.seconds())
                .bind(tenant.as_str())
                .bind(&thing.snapshot)
                .execute(&mut *transaction)
                .await
                .unwrap();
            transaction.commit().await.unwrap();
        }
        thing
    }

    /// A grant and a question for the snapshot.
    pub(super) async fn pass_on_and_ask(&self, thing: &mut Thing) {
        (thing.grant, thing.question) = (random_id(), random_id());
        let (tenant, now) = (&self.own.id, self.app.clock.now());
        let snapshot = thing.snapshot.parse().unwrap();
        let grant = grants::NewGrant {
            tenant,
            id: &thing.grant,
            snapshot: &snapshot,
            user: &thing.user,
            fingerprint: "0011",
            part: b"sealed",
            by: "somebody",
        };
        let asked = NewQuestion { stand_in: String::from("person-1"), why: String::from("the table is walked") };
        let mut transaction = self.app.store.begin_across().await.unwrap();
        grants::add(&mut transaction, &grant, now).await.unwrap();
        questions::add(&mut transaction, (tenant, &snapshot), &thing.question, &asked, "somebody", now).await.unwrap();
        transaction.commit().await.unwrap();
    }

    pub(super) async fn receipt(&self, snapshot: &str) -> String {
        let mut connection = self.app.store.read_across().await.unwrap();
        let (id,): (String,) = sqlx::query_as("SELECT id FROM receipts WHERE snapshot = $1")
            .bind(snapshot)
            .fetch_one(&mut *connection)
            .await
            .unwrap();
        id
    }

    /// What must succeed for the test to go on.
    pub(super) async fn must(&self, bearer: &str, method: &str, path: &str, body: Value) -> Value {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let (status, answer) = self.send(self.request(bearer, method, path, body)).await;
        assert!(status < 300, "{method} {path}: {status} {answer}");
        serde_json::from_str(&answer).unwrap_or_default()
    }

    /// Status and body of what someone of a tenant gets when they do what the row says to the thing.
    pub(super) async fn ask(&self, tenant: &Tenant, who: Who, row: &Row, thing: &Thing) -> (u16, String) {
        let mut code = String::new();
        let bearer = match who {
            Who::Nobody => String::new(),
            Who::Upload if tenant.id == self.own.id => thing.bearer.clone(),
            Who::Upload => tenant.upload.clone(),
            Who::Token(role) => tenant.tokens.iter().find(|(other, _)| *other == role).unwrap().1.clone(),
            Who::Person(role, number) => {
                let person = tenant.people.iter().find(|person| (person.0, person.1) == (role, number)).unwrap();
                code = person.3.code(self.app.clock.now());
                self.sign_in(&tenant.id, person).await
            }
        };
        let body = match row.body {
            "-" => Vec::new(),
            "tus" => sealed(&thing.snapshot),
            "sealed" => self.another(),
            "{request}" => self.signed(&thing.ticket).into_bytes(),
            "{announcement}" => announcement(&random_id()).to_string().into_bytes(),
            body => body
                .replace("{new}", &format!("n-{}", random_id()))
                .replace("{code}", &code)
                .replace("{user}", &thing.user)
                .replace("{recipient}", &self.recipient.to_string())
                .replace("{user}", &thing.user)
                .replace("{part}", &BASE64_STANDARD.encode(vec![0; self.recipient.grant_length().unwrap()]))
                .into_bytes(),
        };
        let mut request = self.request(&bearer, row.method.as_str(), &thing.fill(row.path), body);
        if row.path.contains("/uploads/") {
            as_tus(&mut request);
        }
        self.send(request).await
    }

    /// The body of a request for a ticket, signed by whoever.
    pub(super) fn signed(&self, ticket: &str) -> String {
        let issued = self.app.clock.now();
        let asked = Asked {
            portal: String::from("https://support.vendor.example/"),
            ticket: ticket.parse().unwrap(),
            title: None,
            profile: None,
            last_seconds: None,
            since: None,
            until: None,
            max_bytes: None,
            recipients: vec![self.recipient.clone()],
            issued,
            expires: issued.plus_days(1),
        };
        let request = asked.sign(&RequestKey::Sender(&SenderKey::generate(&mut system_rng()))).unwrap();
        json!({ "request": request }).to_string()
    }

    /// A whole sealed file that the portal does not know.
    pub(super) fn another(&self) -> Vec<u8> {
        let recipients = [self.recipient.clone()];
        let options = SealOptions { created: self.app.clock.now(), recipients: &recipients, share: None };
        let mut writer = SealWriter::new(Vec::new(), &options, &mut system_rng()).unwrap();
        writer.write_all(b"what happened").unwrap();
        writer.finish().unwrap()
    }

    pub(super) fn request(&self, bearer: &str, method: &str, path: &str, body: Vec<u8>) -> Request<Body> {
        // Every request comes from a place of its own, so that none is one too many.
        let from = Ipv4Addr::from_bits(0x0a00_0000 + self.requests.fetch_add(1, Ordering::Relaxed));
        let mut request = Request::builder().method(method).uri(path).header("tarseal-reason", "the table is walked");
        if !bearer.is_empty() {
            request = request.header("authorization", format!("Bearer {bearer}"));
        }
        request.extension(ConnectInfo(SocketAddr::from((from, 4711)))).body(Body::from(body)).unwrap()
    }

    pub(super) async fn send(&self, request: Request<Body>) -> (u16, String) {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = axum::body::to_bytes(response.into_body(), 64 << 20).await.unwrap();
        (status, String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Begins a session of a person, whose next code is good again.
    pub(super) async fn sign_in(
        &self,
        tenant: &TenantId,
        (_, number, user, factor): &(Role, u8, String, Factor),
    ) -> String {
        let now = self.app.clock.now();
        let (text, id) = draw(SESSION, &mut system_rng());
        let mut transaction = self.app.store.begin_across().await.unwrap();
        let (hash, expires_at) = (hash(text.expose()), now.plus_days(1));
        sessions::add(&mut transaction, &NewSession { tenant, id: &id, user, hash, expires_at }, now).await.unwrap();
        let shown = if *number == STALE { now.plus_seconds(-FACTOR_SECONDS - 1) } else { now };
        sessions::factor_shown(&mut transaction, tenant, &id, shown).await.unwrap();
        let sealed = self.app.authority.seal(factor, tenant, user);
        users::set_factor(&mut transaction, tenant, user, &sealed, 0).await.unwrap();
        transaction.commit().await.unwrap();
        text.expose().clone()
    }
}

async fn tenant(app: &App, name: &str) -> Tenant {
    let id: TenantId = name.parse().unwrap();
    let now = app.clock.now();
    let mut transaction = app.store.begin_across().await.unwrap();
    tenants::add(&mut transaction, &id, &RetentionPolicy::default(), now).await.unwrap();
    let (mut people, mut bearers) = (Vec::new(), Vec::new());
    for who in COLUMNS {
        match who {
            Who::Person(role, number) => {
                let (user, factor) = add_user(app, &mut transaction, &id, role).await;
                people.push((role, number, user, factor));
            }
            Who::Token(role) => bearers.push((role, add_token(&mut transaction, &id, role, None, now).await)),
            Who::Nobody | Who::Upload => {}
        }
    }
    let ticket: TicketId = "elsewhere".parse().unwrap();
    crate::portal::store::tickets::add(&mut transaction, &id, &ticket, now).await.unwrap();
    let upload = add_token(&mut transaction, &id, Role::Upload, Some(ticket), now).await;
    transaction.commit().await.unwrap();
    Tenant { id, people, tokens: bearers, upload }
}

async fn add_user(
    app: &App,
    connection: &mut crate::portal::store::Connection,
    tenant: &TenantId,
    role: Role,
) -> (String, Factor) {
    let factor = Factor::draw(&mut system_rng());
    let id = random_id();
    let user = UserRow {
        tenant: tenant.clone(),
        name: id.clone(),
        role,
        password: String::from("nobody signs in with it here"),
        factor: app.authority.seal(&factor, tenant, &id),
        factor_step: 0,
        wrong_codes: 0,
        created_at: app.clock.now(),
        disabled_at: None,
        id: id.clone(),
    };
    assert!(users::add(connection, &user).await.unwrap());
    (id, factor)
}

async fn add_token(
    connection: &mut crate::portal::store::Connection,
    tenant: &TenantId,
    role: Role,
    ticket: Option<TicketId>,
    now: Timestamp,
) -> String {
    let (text, id) = new_token(&mut system_rng());
    let row = TokenRow {
        tenant: tenant.clone(),
        id,
        hash: hash(text.expose()),
        role,
        ticket,
        max_bytes: None,
        once: false,
        expires_at: now.plus_days(1),
        revoked_at: None,
    };
    tokens::add(connection, &row, now).await.unwrap();
    text.expose().clone()
}

/// The shortest file that the portal takes for a sealed one: what it is, and its id.
fn sealed(id: &str) -> Vec<u8> {
    [b"\x89TSL\r\n\x1a\n\x01\x01\0\0\x01\0\x01\0\0\0\x10".as_slice(), &hex::decode(id).unwrap()].concat()
}

/// The announcement of such a file, with a share.
fn announcement(id: &str) -> Value {
    let share =
        json!({ "id": random_id(), "secret": BASE64_STANDARD.encode([7; 32]), "not_after": "2027-12-31T00:00:00Z" });
    let file = sealed(id);
    json!({ "file_id": id, "size": file.len(), "sha256": hex::encode(Sha256::digest(&file)), "share": share })
}

fn as_tus(request: &mut Request<Body>) {
    for (name, value) in
        [("tus-resumable", "1.0.0"), ("content-type", "application/offset+octet-stream"), ("upload-offset", "0")]
    {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
}
