//! Random histories through a running portal, against the oracle.

use std::collections::BTreeMap;

use reqwest::blocking::{Client, Response};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tarseal::clock::Timestamp;
use tarseal::ids::TenantId;
use tarseal::portal::Role;
use tarseal::portal::admin::TokenOrder;
use tarseal::track::RetentionPolicy;

use crate::histories::{Act, BEGIN, DAY, History, Kinds, Oracle, Rules, Verdict, ZONES};
use crate::person::{Person, person_of};
use crate::support::TestPortal;

/// A tenant with its people.
struct Tenant {
    rules: Rules,
    technician: String,
    lead: String,
    dpo: String,
    /// Holds take two persons.
    officers: [Person; 2],
}

/// What is done at an instant: first what is told, then the looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Open,
    Upload,
    Act(usize),
    /// Sweep; the deletion must not have begun.
    NotYet,
    /// Sweep; it must be gone.
    Gone,
}

struct Run {
    portal: TestPortal,
    client: Client,
    tenants: Vec<Tenant>,
    histories: Vec<History>,
    verdicts: Vec<Verdict>,
    granted: Vec<Vec<bool>>,
}

/// 100 histories; `TARSEAL_HISTORIES=20000 cargo test --release --test portal histories` is the campaign.
#[test]
fn a_hundred_histories_are_deleted_when_the_oracle_says() {
    let count = std::env::var("TARSEAL_HISTORIES").map_or(100, |count| count.parse().unwrap());
    let mut run = Run::start(count);
    let mut plan: BTreeMap<(i64, Step, usize), ()> = BTreeMap::new();
    for (number, (history, verdict)) in run.histories.iter().zip(&run.verdicts).enumerate() {
        plan.insert((history.opened, Step::Open, number), ());
        plan.insert((history.uploaded, Step::Upload, number), ());
        for (index, (now, _)) in history.acts.iter().enumerate() {
            plan.insert((*now, Step::Act(index), number), ());
        }
        match verdict.begins {
            Some(begins) => {
                if begins > history.uploaded {
                    plan.insert((begins - 1, Step::NotYet, number), ());
                }
                plan.insert((begins, Step::Gone, number), ());
            }
            None => {
                plan.insert((BEGIN + 2500 * DAY, Step::NotYet, number), ());
            }
        }
    }
    for (done, (now, step, number)) in plan.keys().enumerate() {
        run.portal.clock.set(Timestamp::from_seconds(*now));
        run.take(*now, *step, *number);
        if done % 100 == 99 {
            run.jump(if done % 200 == 99 { 400 } else { -400 });
        }
    }
    for (number, verdict) in run.verdicts.iter().enumerate() {
        let granted = &run.granted[number];
        assert!(granted.starts_with(&verdict.granted), "{number}: {granted:?}: {:?}", run.histories[number]);
        assert!(!granted[verdict.granted.len()..].contains(&true), "{number}");
    }
}

impl Run {
    fn start(count: usize) -> Self {
        let portal = TestPortal::start_with(|config| config.trusted_proxies = vec![String::from("127.0.0.1")]);
        portal.clock.set(Timestamp::from_seconds(BEGIN));
        portal.admin().confirm_clock().unwrap();
        let tenants: Vec<Tenant> = (0..ZONES.len()).map(|number| tenant(&portal, number)).collect();
        let mut oracle = Oracle::default();
        let histories: Vec<History> = (0..count)
            .map(|number| {
                let random = History::random(number as u64, Kinds { sightings: false });
                History { rules: tenants[number % tenants.len()].rules, ..random }
            })
            .collect();
        let verdicts = histories.iter().map(|history| oracle.judge(history)).collect();
        let client = Client::builder().no_proxy().build().unwrap();
        Self { portal, client, tenants, granted: vec![Vec::new(); count], histories, verdicts }
    }

    fn take(&mut self, now: i64, step: Step, number: usize) {
        let who = &self.tenants[number % self.tenants.len()];
        let history = &self.histories[number];
        let snapshot = format!("/v1/snapshots/{}", id(number));
        match step {
            Step::Open => {
                for ticket in [format!("t{number}"), format!("o{number}")] {
                    let opened = self.send("POST", &who.technician, "/v1/tickets", &json!({ "ticket": ticket }));
                    assert_eq!(opened.status(), 201);
                }
            }
            Step::Upload => self.upload(&who.technician, number),
            Step::Act(index) => {
                let (_, act) = history.acts[index];
                match act {
                    Act::Close(other, at, event) | Act::Reopen(other, at, event) => {
                        let ticket = if other { "o" } else { "t" };
                        let what = if matches!(act, Act::Close(..)) { "close" } else { "reopen" };
                        let at = Timestamp::from_seconds(at);
                        let path = format!("/v1/tickets/{ticket}{number}/{what}");
                        let told = self.send(
                            "POST",
                            &who.technician,
                            &path,
                            &json!({ "at": at, "event": format!("e{event}") }),
                        );
                        assert_eq!(told.status(), 200);
                    }
                    Act::Merge => {
                        let into = json!({ "into": format!("o{number}") });
                        let merged = self.send("POST", &who.technician, &format!("/v1/tickets/t{number}/merge"), &into);
                        assert_eq!(merged.status(), 200);
                    }
                    Act::Hold => {
                        self.portal.renew_sessions();
                        let review = Timestamp::from_seconds(now).plus_days(100);
                        let ask = json!({ "basis": "legal-claim", "reason": "a claim", "review_at": review });
                        let asked = self.send("PUT", &who.officers[0].session, &format!("{snapshot}/hold"), &ask);
                        if asked.status() == 202 {
                            let asked: Value = asked.json().unwrap();
                            let confirm = json!({ "confirms": asked["asked"]["id"] });
                            let held =
                                self.send("PUT", &who.officers[1].session, &format!("{snapshot}/hold"), &confirm);
                            assert_eq!(held.status(), 200);
                        }
                    }
                    Act::Lift => {
                        self.portal.renew_sessions();
                        for officer in &who.officers {
                            drop(self.send("DELETE", &officer.session, &format!("{snapshot}/hold"), &Value::Null));
                        }
                    }
                    Act::Extend(days) => {
                        let extended =
                            self.send("POST", &who.lead, &format!("{snapshot}/extend"), &json!({ "days": days }));
                        assert!([200, 409, 410].contains(&extended.status().as_u16()));
                        self.granted[number].push(extended.status() == 200);
                    }
                    Act::Withdraw => {
                        let withdrawn = self.send("DELETE", &who.dpo, &snapshot, &Value::Null);
                        assert_eq!(withdrawn.status(), 200);
                    }
                    Act::Missing | Act::Seen => unreachable!("no sightings were asked for"),
                }
            }
            Step::NotYet | Step::Gone => {
                self.portal.portal().sweep().unwrap();
                let told: Value = self.send("GET", &who.dpo, &snapshot, &Value::Null).json().unwrap();
                let state = told["state"].as_str().unwrap();
                let fits = match step {
                    Step::Gone => state == "deleted",
                    _ => ["stored", "held", "restricted"].contains(&state),
                };
                assert!(fits, "{number}: {state} at {now}: {:?} {history:?}", self.verdicts[number]);
                if step == Step::NotYet && self.verdicts[number].begins.is_none() {
                    assert_ne!(state, "stored", "{number}");
                }
            }
        }
    }

    /// Someone sets the clock and, after a sweep, back again, and confirms it.
    fn jump(&self, days: i64) {
        use tarseal::clock::Clock as _;
        let now = self.portal.clock.now();
        self.portal.portal().sweep().unwrap();
        self.portal.clock.step(now.plus_days(days));
        assert_eq!(self.portal.portal().sweep().unwrap(), tarseal::portal::Swept::default());
        self.portal.clock.step(now);
        assert_eq!(self.portal.portal().sweep().unwrap(), tarseal::portal::Swept::default());
        self.portal.admin().confirm_clock().unwrap();
    }

    fn upload(&self, token: &str, number: usize) {
        let bytes = sealed(number);
        let announcement = json!({
            "file_id": id(number), "size": bytes.len(), "sha256": hex::encode(Sha256::digest(&bytes)),
        });
        let path = format!("/v1/tickets/t{number}/snapshots");
        let announced = self.send("POST", token, &path, &announcement);
        assert_eq!(announced.status(), 201);
        let upload = announced.headers()["location"].to_str().unwrap().to_owned();
        let appended = self
            .client
            .patch(format!("{}{upload}", self.portal.url()))
            .bearer_auth(token)
            .header("tus-resumable", "1.0.0")
            .header("content-type", "application/offset+octet-stream")
            .header("upload-offset", 0)
            .body(bytes)
            .send()
            .unwrap();
        assert_eq!(appended.status(), 204);
    }

    fn send(&self, method: &str, token: &str, path: &str, body: &Value) -> Response {
        let url = format!("{}{path}", self.portal.url());
        let request = self.client.request(method.parse().unwrap(), url).bearer_auth(token);
        let request = request.header("tarseal-reason", "a history is played");
        if body.is_null() { request.send().unwrap() } else { request.body(body.to_string()).send().unwrap() }
    }
}

/// A file that begins as a sealed one does; nobody here looks further.
fn sealed(number: usize) -> Vec<u8> {
    let mut bytes = b"\x89TSL\r\n\x1a\n\x01\x01\0\0\x01\0\x01\0\0\0\x10".to_vec();
    bytes.extend(hex::decode(id(number)).unwrap());
    bytes.resize(100, 0);
    bytes
}

fn id(number: usize) -> String {
    hex::encode(&Sha256::digest(format!("snapshot {number}"))[..16])
}

fn tenant(portal: &TestPortal, number: usize) -> Tenant {
    let rules = Rules {
        zone: ZONES[number],
        after_close: [90, 30, 7, 0][number % 4],
        cap: [365, 120][number % 2],
        extensions: 2,
        extension_days: 30,
    };
    let name: TenantId = format!("tenant-{number}").parse().unwrap();
    let policy = RetentionPolicy {
        after_close_days: u16::try_from(rules.after_close).unwrap(),
        hard_cap_days: u16::try_from(rules.cap).unwrap(),
        extensions: 2,
        extension_days: 30,
        // Silence is another test's matter.
        inactivity_days: 3650,
        zone: rules.zone.parse().unwrap(),
        ..RetentionPolicy::default()
    };
    let admin = portal.admin();
    admin.new_tenant(&name, &policy).unwrap();
    let token = |role| {
        let mut order = TokenOrder::new(role);
        order.tenant = Some(name.clone());
        order.valid_seconds = Some(5000 * 86_400);
        admin.new_token(&order).unwrap().token.expose().clone()
    };
    Tenant {
        rules,
        technician: token(Role::Technician),
        lead: token(Role::Lead),
        dpo: token(Role::Dpo),
        officers: ["ada", "grace"].map(|one| person_of(portal, name.as_str(), Role::Dpo, one)),
    }
}
