//! The record of processing activities: derived from what is in force, with versions, as JSON and as a page.

use scraper::{Html, Selector};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tarseal::portal::Role;

use crate::client::{get, order, problem, request, token, told};
use crate::person::person;
use crate::support::TestPortal;

const RECORD: &str = "/v1/records-of-processing";

fn record(portal: &TestPortal) -> Value {
    let (status, told) = told(get(portal, &token(portal, Role::Auditor), RECORD));
    assert_eq!(status, 200, "{told}");
    told
}

fn limit(version: &Value, what: &str) -> u64 {
    let activities = version["record"]["activities"].as_array().unwrap();
    let mut limits = activities.iter().flat_map(|activity| activity["time_limits"].as_array().unwrap());
    limits.find(|limit| limit["what"] == what).unwrap_or_else(|| panic!("{what}: {version}"))["days"].as_u64().unwrap()
}

fn measure(version: &Value, about: &str) -> String {
    let measures = version["record"]["measures"].as_array().unwrap();
    measures.iter().find(|measure| measure["about"] == about).unwrap()["says"].as_str().unwrap().to_owned()
}

/// Puts another policy in force: the administration proposes, the officer approves.
fn change_policy(portal: &TestPortal, change: impl Fn(&mut Value)) {
    let (admin, officer) =
        (person(portal, Role::Admin, "a.admin").session, person(portal, Role::Dpo, "o.officer").session);
    let (_, seen) = told(get(portal, &admin, "/v1/policies"));
    let mut policy = seen["in_force"].clone();
    policy["version"] = json!(policy["version"].as_u64().unwrap() + 1);
    change(&mut policy);
    let (_, proposed) = order(portal, &admin, "PUT", "/v1/policies", Some(&policy));
    let approval = json!({ "approves": proposed["proposed"]["id"] });
    assert_eq!(order(portal, &officer, "PUT", "/v1/policies", Some(&approval)).0, 200);
}

#[test]
fn the_record_follows_the_policy_in_force_and_keeps_how_it_was() {
    let portal = TestPortal::start();
    let first = record(&portal);
    assert_eq!((&first["version"], &first["since"]), (&json!(1), &json!("2026-11-21T14:20:00Z")));
    assert_eq!((limit(&first, "Snapshots of a closed ticket"), limit(&first, "A request")), (90, 365));
    let canonical = serde_json_canonicalizer::to_string(&first["record"]).unwrap();
    assert_eq!(first["digest"], hex::encode(Sha256::digest(canonical)), "anyone can count the digest");

    portal.days_pass(1);
    assert_eq!(record(&portal), first, "a day alone changes nothing");
    change_policy(&portal, |policy| {
        policy["after_close_days"] = json!(30);
        policy["requests_days"] = json!(90);
    });
    let second = record(&portal);
    assert_eq!((&second["version"], &second["since"]), (&json!(2), &json!("2026-11-22T14:20:00Z")));
    assert_eq!((limit(&second, "Snapshots of a closed ticket"), limit(&second, "A request")), (30, 90));
    assert_ne!(second["digest"], first["digest"]);

    let auditor = token(&portal, Role::Auditor);
    assert_eq!(told(get(&portal, &auditor, &format!("{RECORD}?version=1"))).1, first);
    assert_eq!(problem(get(&portal, &auditor, &format!("{RECORD}?version=3"))).0, 404);
    assert_eq!(problem(get(&portal, &auditor, &format!("{RECORD}?version=x"))).0, 400);
    let page = get(&portal, &auditor, &format!("{RECORD}/versions?limit=1"));
    let link = page.headers()["link"].to_str().unwrap().to_owned();
    assert_eq!(told(page).1["items"], json!([{ "version": 1, "since": first["since"], "digest": first["digest"] }]));
    let next = told(get(&portal, &auditor, &link[1..link.find('>').unwrap()])).1;
    assert_eq!((next["items"][0]["version"].as_u64(), &next["items"][0]["digest"]), (Some(2), &second["digest"]));
}

#[test]
fn what_nobody_has_said_is_missing_until_somebody_says_it() {
    let mut portal = TestPortal::start();
    let missing = |portal: &TestPortal| {
        let record = record(portal);
        let missing = record["record"]["missing"].as_array().unwrap();
        missing.iter().map(|path| path.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let all = missing(&portal);
    assert!(
        all.contains(&"controller.name".into())
            && all.contains(&"processor.contact".into())
            && all.contains(&"transfers".into())
    );
    assert_eq!(record(&portal)["record"]["controller"]["name"], Value::Null, "nothing is made up");

    let file = portal.data().parent().unwrap().join("records.toml");
    std::fs::write(
        &file,
        "schema = 1\nsub_processors = []\n[processor]\nname = \"Vendor Ltd\"\ncontact = \"x\"\nofficer = \"y\"\n",
    )
    .unwrap();
    portal.restart_with(|config| config.records = Some(file.clone()));
    assert!(!missing(&portal).iter().any(|path| path.starts_with("processor") || path == "sub_processors"));

    let admin = token(&portal, Role::Admin);
    let facts = json!({
        "controller": { "name": "Agency <for> Examples", "contact": "office@agency.example", "officer": "dpo@agency.example" },
        "recipients": [], "transfers": [{ "to": "Help Desk Ltd", "country": "CH", "safeguard": "Art. 45" }],
        "measures": ["Technicians are trained."],
    });
    for wrong in [json!({ "controler": {} }), json!({ "notes": "" }), json!({ "schema": 2 }), json!([])] {
        assert_eq!(order(&portal, &admin, "PUT", &format!("{RECORD}/facts"), Some(&wrong)).0, 422, "{wrong}");
    }
    let (status, _) = order(&portal, &admin, "PUT", &format!("{RECORD}/facts"), Some(&facts));
    assert_eq!(status, 200);
    assert_eq!(missing(&portal), [] as [String; 0]);
    let whole = record(&portal);
    assert_eq!(whole["record"]["controller"]["name"], "Agency <for> Examples");
    assert_eq!(whole["record"]["processor"]["name"], "Vendor Ltd", "what the tenant leaves out, the operator says");
    assert_eq!(measure(&whole, "Organisation"), "Technicians are trained.");
    assert_eq!(told(get(&portal, &admin, &format!("{RECORD}/facts"))).1["transfers"][0]["country"], "CH");
    assert_eq!(whole["version"], 3);
}

#[test]
fn facts_that_cannot_be_read_stop_the_start() {
    let portal = TestPortal::start();
    let file = portal.data().parent().unwrap().join("records.toml");
    std::fs::write(&file, "schema = 1\ncontroler = 1\n").unwrap();
    let mut config = tarseal::portal::Config::new(file.with_file_name("other"), ([127, 0, 0, 1], 0).into());
    config.records = Some(file);
    let refused = tarseal::portal::Portal::start(config, portal.clock.clone()).unwrap_err().to_string();
    assert!(refused.contains("records.toml") && refused.contains("line 2"), "{refused}");
}

#[test]
fn measures_are_those_of_the_settings() {
    let mut portal = TestPortal::start();
    assert_eq!(measure(&record(&portal), "Transport"), "Plain HTTP on this machine alone");
    portal.restart_with(|config| config.behind_proxy = true);
    assert_eq!(measure(&record(&portal), "Transport"), "TLS by a proxy in front of the portal");
    let on_a_server = !portal.data().join("portal.db").exists();
    let database = measure(&record(&portal), "Database");
    assert_eq!(database.contains("PostgreSQL"), on_a_server, "{database}");
    assert!(measure(&record(&portal), "Backups").contains("None"));
    if !on_a_server {
        use tarseal::portal::backup::{BackupOrder, Kind, Schedule};
        let to = portal.data().parent().unwrap().join("backups");
        portal.admin().backup(&BackupOrder { kind: Kind::Portal, to, schedule: Schedule::default() }).unwrap();
        assert!(measure(&record(&portal), "Backups").contains("Made by the portal"));
    }
}

#[test]
fn a_browser_gets_a_page_that_can_be_read_aloud_and_printed() {
    let portal = TestPortal::start();
    let admin = token(&portal, Role::Admin);
    let facts = json!({ "controller": { "name": "<script>alert(1)</script>" } });
    order(&portal, &admin, "PUT", &format!("{RECORD}/facts"), Some(&facts));
    let answer = request(&portal, &admin, "GET", RECORD).header("accept", "text/html,*/*;q=0.8").send().unwrap();
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!((header("content-type"), header("vary")), ("text/html; charset=utf-8".into(), "Accept".into()));
    let policy = header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    let page = answer.text().unwrap();
    let html = Html::parse_document(&page);
    assert!(html.errors.is_empty(), "{:?}", html.errors);
    let all = |selector: &str| html.select(&Selector::parse(selector).unwrap()).count();
    assert_eq!((all("html[lang=en]"), all("h1"), all("main"), all("script")), (1, 1, 1, 0));
    assert!(all("table") >= 10);
    assert_eq!(all("table"), all("table > caption"), "every table says what it is");
    assert_eq!(all("th"), all("th[scope]"));
    assert_eq!(all("section"), all("section[aria-labelledby]"));
    let levels: Vec<u32> = html
        .select(&Selector::parse("h1, h2, h3, h4").unwrap())
        .map(|heading| heading.value().name()[1..].parse().unwrap())
        .collect();
    assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "no level is left out: {levels:?}");
    let style = html.select(&Selector::parse("style").unwrap()).next().unwrap().inner_html();
    let digest = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, Sha256::digest(style.as_bytes()));
    assert!(policy.contains(&digest), "the style is the one that is allowed");
    let json = request(&portal, &admin, "GET", RECORD).header("accept", "application/json").send().unwrap();
    assert_eq!(json.headers()["content-type"], "application/json");
}
