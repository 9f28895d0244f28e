//! Grants: a subcontractor opens one snapshot with their own key, until its deadline, or until the grant is revoked.

use std::io::{Read as _, Write as _};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use reqwest::blocking::Response;
use serde_json::{Value, json};
use tarseal::format::{Header, Identity, KeyKind, OpenReader, SealOptions, SealWriter, Share, ShareField, open_sealed};
use tarseal::ids::ShareId;
use tarseal::portal::Role;
use tarseal::track::receipt::verify;
use tarseal::wire;

use crate::client::{Sample, event, get, problem, request, store, token, told};
use crate::person::{Person, person, person_of, seconds_pass};
use crate::support::{TICKET, TestPortal};

const TEXT: &[u8] = b"what happened, without names";

/// A snapshot that is really sealed, with people around it.
struct Case {
    portal: TestPortal,
    sample: Sample,
    vendor: Identity,
    technician: Person,
    sub: Person,
    key: Identity,
}

fn sealed(number: u8, vendor: &Identity) -> Sample {
    let rng = &mut StdRng::seed_from_u64(u64::from(number));
    let share = Share::random(rng);
    let field = ShareField {
        id: ShareId([9; 16]),
        not_after: "2027-12-31T00:00:00Z".parse().unwrap(),
        portal: String::from("https://portal.example"),
    };
    let (created, recipients) = ("2026-11-21T14:20:01Z".parse().unwrap(), [vendor.recipient()]);
    let options = SealOptions { created, recipients: &recipients, share: Some((field, &share)) };
    let mut writer = SealWriter::new(Vec::new(), &options, rng).unwrap();
    writer.write_all(TEXT).unwrap();
    let bytes = writer.finish().unwrap();
    let id = Header::read(&mut bytes.as_slice()).unwrap().file_id.to_string();
    Sample { id, bytes, share: Some(*share.expose()) }
}

impl Case {
    fn new() -> Self {
        let portal = TestPortal::start();
        let rng = &mut StdRng::seed_from_u64(99);
        let (vendor, key) = (Identity::generate(KeyKind::XWing, rng), Identity::generate(KeyKind::X25519, rng));
        let sample = sealed(1, &vendor);
        store(&portal, &sample);
        let lead = person(&portal, Role::Lead, "lead");
        let technician = person(&portal, Role::Technician, "tech");
        let sub = person(&portal, Role::Technician, "sub");
        let path = format!("/v1/tickets/{TICKET}/assignees/{}", technician.id);
        assert_eq!(request(&portal, &lead.session, "PUT", &path).send().unwrap().status(), 204);
        Self { portal, sample, vendor, technician, sub, key }
    }

    fn path(&self, what: &str) -> String {
        format!("/v1/snapshots/{}{what}", self.sample.id)
    }

    fn ask(&self, session: &str, method: &str, path: &str, body: &Value) -> Response {
        let asked = request(&self.portal, session, method, path).header("tarseal-reason", "the codec is theirs");
        if body.is_null() { asked.send().unwrap() } else { asked.body(body.to_string()).send().unwrap() }
    }

    fn status(&self, who: &Person, method: &str, path: &str) -> u16 {
        self.ask(&who.here(&self.portal), method, path, &Value::Null).status().as_u16()
    }

    /// The vendor's part, opened by the technician and sealed to a key.
    fn part(&self, key: &Identity) -> Vec<u8> {
        let header = Header::read(&mut self.sample.bytes.as_slice()).unwrap();
        let unlocked = header.unlock(std::slice::from_ref(&self.vendor)).unwrap();
        unlocked.grant(&key.recipient(), &mut StdRng::seed_from_u64(5)).unwrap()
    }

    fn order(&self, key: &Identity, user: &str) -> Value {
        let part = BASE64_STANDARD.encode(self.part(key));
        json!({ "user": user, "recipient": key.recipient().to_string(), "part": part })
    }

    /// Passes the snapshot on to the subcontractor.
    fn grant(&self) -> Value {
        let session = self.technician.here(&self.portal);
        let (status, made) = told(self.ask(&session, "POST", &self.path("/grants"), &self.order(&self.key, "sub")));
        assert_eq!(status, 201, "{made}");
        made
    }

    fn share(&self, who: &Person, key: &Identity, granted: bool) -> Response {
        let body = json!({ "recipient": key.recipient().to_string(), "granted": granted });
        self.ask(&who.here(&self.portal), "POST", &self.path("/share"), &body)
    }
}

#[test]
fn a_subcontractor_opens_with_their_own_key_until_the_deadline_and_sees_nothing_else() {
    let case = Case::new();
    let other = sealed(2, &case.vendor);
    store(&case.portal, &other);
    let content = case.path("/content");
    for path in [case.path(""), content.clone(), format!("/v1/snapshots?ticket={TICKET}")] {
        assert_eq!(case.status(&case.sub, "GET", &path), 404, "{path}");
    }
    assert_eq!(case.share(&case.sub, &case.key, true).status(), 404);

    let made = case.grant();
    assert_eq!((&made["name"], &made["user"]), (&json!("sub"), &json!(case.sub.id)));
    assert_eq!(made["fingerprint"], case.key.recipient().fingerprint());
    for path in ["/v1/snapshots".to_owned(), format!("/v1/snapshots?ticket={TICKET}")] {
        let listed = told(case.ask(&case.sub.session, "GET", &path, &Value::Null)).1;
        let ids: Vec<&Value> = listed["items"].as_array().unwrap().iter().map(|row| &row["id"]).collect();
        assert_eq!(ids, [&json!(case.sample.id)], "{path}");
    }
    let bytes = case.ask(&case.sub.session, "GET", &content, &Value::Null).bytes().unwrap();
    let mut file = bytes.as_ref();
    let header = Header::read(&mut file).unwrap();
    let (status, given) = told(case.share(&case.sub, &case.key, true));
    assert_eq!(status, 200, "{given}");
    let given: wire::SealedShare = serde_json::from_value(given).unwrap();
    let decode = |text: &str| BASE64_STANDARD.decode(text).unwrap();
    let info = wire::share_info(&header.file_id, &given.id);
    let share = open_sealed(&case.key, &info, &decode(&given.sealed)).unwrap();
    let share = Share::from_slice(share.expose()).unwrap();
    let key = case.key.clone().granted(&header, &decode(&given.part.unwrap())).unwrap();
    let mut text = Vec::new();
    OpenReader::new(header, file, &[key], Some(&share)).unwrap().read_to_end(&mut text).unwrap();
    assert_eq!(text, TEXT);

    // One snapshot, for reading, for one key.
    for (method, path) in [
        ("GET", format!("/v1/tickets/{TICKET}")),
        ("POST", format!("/v1/tickets/{TICKET}/close")),
        ("GET", format!("/v1/snapshots/{}", other.id)),
        ("GET", format!("/v1/snapshots/{}/content", other.id)),
        ("GET", case.path("/grants")),
        ("GET", case.path("/questions")),
        ("DELETE", case.path(&format!("/grants/{}", made["id"].as_str().unwrap()))),
    ] {
        assert_eq!(case.status(&case.sub, method, &path), 404, "{method} {path}");
    }
    let another = Identity::generate(KeyKind::X25519, &mut StdRng::seed_from_u64(8));
    for granted in [true, false] {
        let refused = problem(case.share(&case.sub, &another, granted));
        assert_eq!(refused, (404, String::from("/problems/grant-unknown")));
    }
    assert_eq!(case.share(&case.sub, &case.key, false).status(), 200);
    let silent = request(&case.portal, &case.sub.session, "GET", &content).send().unwrap();
    assert_eq!(silent.status(), 400, "a reason is needed");
    seconds_pass(&case.portal, 16 * 60);
    let stale = case.ask(&case.sub.session, "GET", &content, &Value::Null);
    assert_eq!(problem(stale), (401, String::from("/problems/second-factor-needed")));

    event(&case.portal, "close", &json!({}));
    case.portal.set_clock("2027-02-18T00:00:00Z");
    assert_eq!(case.status(&case.sub, "GET", &content), 200, "before the deadline");
    case.portal.set_clock("2027-02-20T00:00:00Z");
    assert_eq!(case.status(&case.sub, "GET", &content), 410, "at the deadline, before any sweep");
    assert_eq!(case.share(&case.sub, &case.key, true).status(), 410);
    let late =
        case.ask(&case.technician.here(&case.portal), "POST", &case.path("/grants"), &case.order(&another, "sub"));
    assert_eq!(late.status(), 410, "nothing is passed on any more");
    assert_eq!(case.portal.portal().sweep().unwrap().deleted, 2);
    assert_eq!(case.status(&case.sub, "GET", &content), 404, "the grant is gone with the snapshot");
    let (_, left) = told(case.ask(&case.technician.here(&case.portal), "GET", &case.path("/grants"), &Value::Null));
    assert_eq!(left["items"], json!([]));
    let grants = |id: &str| {
        let note = get(&case.portal, "", &format!("/v1/snapshots/{id}/receipt")).text().unwrap();
        verify(&note, &case.portal.portal().key()).unwrap().grants
    };
    assert_eq!((grants(&case.sample.id), grants(&other.id)), (Some(1), Some(0)), "the receipts count them");
}

#[test]
fn a_revoked_grant_is_refused_at_once_and_its_part_is_erased() {
    let case = Case::new();
    let made = case.grant();
    let part = case.part(&case.key);
    let kept = |portal: &TestPortal| {
        portal.files().iter().any(|(_, bytes)| bytes.windows(part.len()).any(|window| window == part))
    };
    let embedded = std::env::var("TARSEAL_TEST_STORE").as_deref() != Ok("postgres");
    assert_eq!(kept(&case.portal), embedded, "the test sees the part");
    assert_eq!(case.status(&case.sub, "GET", &case.path("/content")), 200);
    let path = case.path(&format!("/grants/{}", made["id"].as_str().unwrap()));
    assert_eq!(case.status(&case.technician, "DELETE", &path), 204);
    for (method, path) in [("GET", case.path("")), ("GET", case.path("/content"))] {
        assert_eq!(case.status(&case.sub, method, &path), 404, "{method} {path}");
    }
    assert_eq!(case.share(&case.sub, &case.key, true).status(), 404);
    assert_eq!(told(case.ask(&case.sub.session, "GET", "/v1/snapshots", &Value::Null)).1["items"], json!([]));
    assert_eq!(case.status(&case.technician, "DELETE", &path), 204, "told twice");
    assert_eq!(case.status(&case.technician, "DELETE", &case.path("/grants/0011")), 404);
    let (_, listed) = told(case.ask(&case.technician.session, "GET", &case.path("/grants"), &Value::Null));
    assert!(listed["items"][0]["revoked_at"].is_string(), "{listed}");
    // Passed on anew, it is a new grant.
    assert_ne!(case.grant()["id"], made["id"]);
    assert_eq!(case.share(&case.sub, &case.key, true).status(), 200);
    assert_eq!(case.status(&case.sub, "GET", &case.path("/content")), 200);
}

#[test]
fn only_people_on_the_ticket_who_just_showed_their_factor_pass_a_snapshot_on() {
    let case = Case::new();
    let order = case.order(&case.key, "sub");
    let path = case.path("/grants");
    let ask = |bearer: &str, body: &Value| problem(case.ask(bearer, "POST", &path, body));
    assert_eq!(ask(&case.portal.technician, &order), (403, String::from("/problems/person-needed")));
    assert_eq!(ask(&case.portal.upload, &order), (403, String::from("/problems/not-allowed")));
    assert_eq!(ask(&case.sub.session, &order).0, 404, "not on the ticket");
    let silent = request(&case.portal, &case.technician.session, "POST", &path).body(order.to_string()).send().unwrap();
    assert_eq!(silent.status(), 400, "a reason is needed");
    person(&case.portal, Role::Staff, "staff");
    person(&case.portal, Role::Lead, "another-lead");
    case.portal.admin().new_tenant(&"elsewhere".parse().unwrap(), &Default::default()).unwrap();
    person_of(&case.portal, "elsewhere", Role::Technician, "stranger");
    let with = |field: &str, value: Value| {
        let mut other = order.clone();
        other[field] = value;
        ask(&case.technician.session, &other).0
    };
    assert_eq!(with("user", json!("nobody")), 404);
    assert_eq!(with("user", json!("stranger")), 404, "of another tenant");
    assert_eq!(with("user", json!("a name/that cannot be")), 404);
    assert_eq!(with("user", json!("staff")), 422);
    assert_eq!(with("user", json!("another-lead")), 422);
    assert_eq!(with("recipient", json!("tarseal1nonsense")), 422);
    assert_eq!(with("recipient", json!(case.vendor.recipient().to_string())), 422, "of another length");
    assert_eq!(with("part", json!("AAAA")), 422);
    assert_eq!(with("part", json!("not Base64")), 422);
    assert_eq!(with("until", json!("2030-01-01")), 422);
    let bare = Sample { share: None, ..Sample::new(2, 100) };
    store(&case.portal, &bare);
    let refused = case.ask(&case.technician.session, "POST", &format!("/v1/snapshots/{}/grants", bare.id), &order);
    assert_eq!(refused.status(), 422, "without a share nothing would end at the deadline");
    seconds_pass(&case.portal, 16 * 60);
    assert_eq!(ask(&case.technician.session, &order), (401, String::from("/problems/second-factor-needed")));
    let auditor = token(&case.portal, Role::Auditor);
    let log = get(&case.portal, &auditor, "/v1/audit?act=grant").text().unwrap();
    assert!(log.contains("\"outcome\":\"denied\"") && !log.contains("\"outcome\":\"done\""), "{log}");
}

#[test]
fn a_grant_is_in_the_log_for_the_customer_and_for_the_auditor() {
    let case = Case::new();
    let made = case.grant();
    let customer = get(&case.portal, &case.portal.upload, "/v1/audit?act=grant&format=csv").text().unwrap();
    assert_eq!(customer.lines().count(), 2, "{customer}");
    assert!(!customer.contains("codec"), "the reason is not for everybody");
    let auditor = token(&case.portal, Role::Auditor);
    let log = get(&case.portal, &auditor, "/v1/audit?act=grant").text().unwrap();
    assert!(log.contains("the codec is theirs") && log.contains(made["user"].as_str().unwrap()), "{log}");
    case.status(&case.technician, "DELETE", &case.path(&format!("/grants/{}", made["id"].as_str().unwrap())));
    let revoked = get(&case.portal, &auditor, "/v1/audit?act=revoke-grant&format=csv").text().unwrap();
    assert_eq!(revoked.lines().count(), 3, "of the snapshot, and of the one who had it: {revoked}");
}

#[test]
fn a_newer_grant_for_the_same_key_takes_the_place_of_the_older() {
    let case = Case::new();
    let (first, second) = (case.grant(), case.grant());
    let session = &case.technician.session;
    let (_, listed) = told(case.ask(session, "GET", &case.path("/grants"), &Value::Null));
    assert_eq!((&listed["items"][0]["id"], &listed["items"][1]["id"]), (&first["id"], &second["id"]));
    assert!(listed["items"][0]["revoked_at"].is_string() && listed["items"][1]["revoked_at"].is_null(), "{listed}");
    let page = case.ask(session, "GET", &case.path("/grants?limit=1"), &Value::Null);
    let link = page.headers()["link"].to_str().unwrap().to_owned();
    let next = link.strip_prefix('<').unwrap().split_once('>').unwrap().0.to_owned();
    let (_, rest) = told(case.ask(session, "GET", &next, &Value::Null));
    assert_eq!((rest["items"].as_array().unwrap().len(), &rest["items"][0]["id"]), (1, &second["id"]));
    assert_eq!(case.status(&case.technician, "GET", &case.path("/grants?limit=0")), 400);
}

#[test]
fn who_is_disabled_or_gets_another_role_has_no_grant_any_more() {
    for end in ["role", "disable"] {
        let case = Case::new();
        case.grant();
        let admin = case.portal.admin();
        if end == "role" {
            admin.set_user_role(&case.sub.id, Role::Staff).unwrap();
            assert_eq!(case.status(&case.sub, "GET", &case.path("")), 404);
            admin.set_user_role(&case.sub.id, Role::Technician).unwrap();
        } else {
            admin.disable_user(&case.sub.id).unwrap();
            assert_eq!(case.status(&case.sub, "GET", &case.path("")), 401);
            admin.enable_user(&case.sub.id).unwrap();
            seconds_pass(&case.portal, 30);
            let (status, back) = case.sub.sign_in(&case.portal);
            assert_eq!(status, 200, "{back}");
            let session = back["session"].as_str().unwrap();
            assert_eq!(case.ask(session, "GET", &case.path(""), &Value::Null).status(), 404);
            continue;
        }
        assert_eq!(case.status(&case.sub, "GET", &case.path("")), 404, "{end}");
    }
}

#[test]
fn consent_that_is_taken_back_revokes_every_grant() {
    let case = Case::new();
    case.grant();
    assert_eq!(case.share(&case.sub, &case.key, true).status(), 200);
    let officer = person(&case.portal, Role::Dpo, "officer");
    let act = |path: &str, body: &Value| {
        let (status, answer) = told(case.ask(&officer.here(&case.portal), "POST", path, body));
        assert!(status < 300, "{path}: {status} {answer}");
        answer
    };
    let request = json!({ "kind": "revocation", "about": [{ "ticket": TICKET, "snapshot": case.sample.id }] });
    let lodged = act("/v1/subject-requests", &request);
    let path = format!("/v1/subject-requests/{}", lodged["id"].as_str().unwrap());
    act(&format!("{path}/decide"), &Value::Null);
    assert_eq!(problem(case.share(&case.technician, &case.key, false)).1, "/problems/restricted");
    let listed = told(case.ask(&officer.here(&case.portal), "GET", &case.path("/grants"), &Value::Null)).1;
    assert!(listed["items"][0]["revoked_at"].is_string(), "{listed}");
    let export = told(case.ask(&officer.here(&case.portal), "GET", &format!("{path}/export"), &Value::Null)).1;
    let grant = &export["snapshots"][0]["grants"][0];
    assert!(grant["revoked_at"].is_string() && grant.get("name").is_none(), "{grant}");
    act(&format!("{path}/lift"), &Value::Null);
    assert_eq!(case.share(&case.technician, &case.key, false).status(), 200);
    assert_ne!(case.share(&case.sub, &case.key, true).status(), 200, "what was revoked stays so");
}
