//! The rights of persons and the record of processing, from the sender's side.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use serde_json::{Value, json};
use tarseal::clock::Clock as _;

use crate::desk::Desk;

const LOG: &str = "Participant=\"Ottilie Habersaat\" user=quirin a.berg@min.example from 198.51.100.7\n";
const OTHER: &str = "Participant=\"Quirin Quistorp\" user=ottilie from 203.0.113.5\n";

/// Two tickets: the person is in one snapshot of the first, and not in the second.
fn sent() -> Desk {
    let desk = Desk::new();
    for (name, text) in [("a.log", LOG), ("b.log", OTHER)] {
        fs::write(desk.at(name), text).unwrap();
    }
    desk.sender(&["send", &desk.at("a.log"), "--ticket", "4711", "--yes"]).ends(0);
    desk.sender(&["send", &desk.at("b.log"), "--ticket", "4711", "--yes"]).ends(0);
    desk
}

/// The session of a data-protection officer of the portal.
fn officer(desk: &Desk) -> String {
    let invitation = desk.operator(&["invite", "--role", "dpo", "--tenant", "agency"]).ends(0).out.trim().to_owned();
    let post = |path: &str, body: &Value| -> Value {
        let client = reqwest::blocking::Client::builder().no_proxy().build().unwrap();
        client.post(format!("{}{path}", desk.url())).body(body.to_string()).send().unwrap().json().unwrap()
    };
    let choice = json!({ "invitation": invitation, "name": "officer", "password": "correct horse battery" });
    let enrol = post("/v1/invitation", &choice);
    let secret = totp_rs::Secret::try_from_base32(enrol["secret"].as_str().unwrap()).unwrap();
    let app = totp_rs::Builder::new().with_secret(secret.as_bytes()).build_noncompliant();
    let code = app.generate(u64::try_from(desk.clock.now().seconds()).unwrap()).to_string();
    let made = post("/v1/invitation/confirm", &json!({ "invitation": invitation, "code": code }));
    made["session"].as_str().unwrap().to_owned()
}

fn ask(desk: &Desk, session: &str, method: &str, path: &str, body: String) -> (u16, Value) {
    let client = reqwest::blocking::Client::builder().no_proxy().build().unwrap();
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    let answer =
        client.request(method, format!("{}{path}", desk.url())).bearer_auth(session).body(body).send().unwrap();
    (answer.status().as_u16(), answer.json().unwrap())
}

#[test]
fn a_person_is_found_and_the_request_deletes_where_they_occur_and_nowhere_else() {
    let desk = sent();
    let found = desk.sender(&["subject", "find", "ottilie  HABERSAAT"]).ends(0).says("FOUND in 1 snapshot of 1 ticket");
    assert!(found.out.contains("person-1") && found.out.starts_with("4711"), "{}", found.out);
    for text in [&found.out, &found.err] {
        assert!(!text.to_lowercase().contains("habersaat"), "nothing is shown that is not needed: {text}");
    }
    let request = desk.at("request.json");
    let arguments =
        ["subject", "find", "-", "--kind", "deletion", "--received", "2026-11-20", "-o", &request, "--json"];
    let result = desk.sender_types(&arguments, "Ottilie Habersaat\na.berg@min.example\n").ends(0).result();
    assert_eq!((&result["snapshots"], &result["in_request"]), (&json!(1), &json!(1)));
    assert_eq!(fs::metadata(&request).unwrap().permissions().mode() & 0o777, 0o600);
    let body = fs::read_to_string(&request).unwrap();
    assert!(!body.contains("Habersaat") && !body.contains("berg"), "stand-ins alone: {body}");
    desk.sender(&["subject", "find", "Ottilie Habersaat", "--kind", "deletion", "-o", &request])
        .ends(7)
        .says("nothing is overwritten");

    let session = officer(&desk);
    let (status, lodged) = ask(&desk, &session, "POST", "/v1/subject-requests", body);
    assert_eq!(status, 201, "{lodged}");
    assert_eq!(lodged["due_at"], "2026-12-20T23:59:59Z");
    let path = format!("/v1/subject-requests/{}/decide", lodged["id"].as_str().unwrap());
    assert_eq!(ask(&desk, &session, "POST", &path, String::new()).0, 200);
    desk.operator(&["sweep"]).ends(0);
    desk.sender(&["sync"]).ends(0).says("1 newly deleted");
    desk.sender(&["subject", "find", "Ottilie Habersaat"]).ends(10).says("was not found in the 1 vault");
    desk.sender(&["subject", "find", "Quirin Quistorp"]).ends(0);
}

#[test]
fn whoever_stands_behind_a_stand_in_is_looked_for_everywhere() {
    let desk = sent();
    let names = desk.sender(&["names", "4711", "Quirin Quistorp", "--json"]).ends(0).out;
    let name: Value = serde_json::from_str(names.lines().next().unwrap()).unwrap();
    let (stand_in, snapshot) = (name["stand_in"].as_str().unwrap(), name["snapshot"].as_str().unwrap());
    // In a ticket a stand-in is one person: in the other snapshot nobody else has it.
    let behind = ["subject", "find", "--stand-in", stand_in, "--ticket", "4711"];
    for arguments in [behind.to_vec(), [behind.as_slice(), &["--snapshot", snapshot]].concat()] {
        let found = desk.sender(&arguments).ends(0);
        assert_eq!(found.out.lines().count(), 1);
        assert!(found.out.contains(snapshot), "{}", found.out);
    }
    desk.sender(&["subject", "find", "--stand-in", "person-999", "--ticket", "4711"])
        .ends(10)
        .says("Nobody stands behind");
    desk.sender(&["subject", "find", "--stand-in", stand_in]).ends(2);
    desk.sender(&["subject", "find"]).ends(2);
    desk.sender(&["subject", "find", " "]).ends(2).says("nothing to look for");
    desk.sender(&["subject", "find", "x", "--kind", "deletion"]).ends(2);
    desk.sender(&["subject", "find", "x", "--kind", "objection", "-o", "f"]).ends(2).says("revocation");
    desk.sender(&["subject", "find", "x", "--kind", "correction", "-o", "f"]).ends(2).says("--statement");
}

#[test]
fn what_cannot_be_searched_is_said() {
    let desk = sent();
    desk.sender(&["send", &desk.at("a.log"), "--ticket", "4711", "--yes", "--no-redact"]).ends(0);
    let ran = desk.sender(&["subject", "find", "Ottilie Habersaat"]).ends(3).says("1 snapshot could not be searched");
    assert_eq!(ran.out.lines().count(), 1);
    desk.sender(&["subject", "find", "Nobody Here"]).ends(10).says("could not be searched");
}

#[test]
fn the_persons_own_rows_are_exported_for_the_person() {
    let desk = sent();
    let file = desk.at("own.json");
    desk.sender(&["subject", "export", "Ottilie Habersaat", "a.berg@min.example", "-o", &file])
        .ends(0)
        .says("EXPORTED.");
    let text = fs::read_to_string(&file).unwrap();
    let export: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json_canonicalizer::to_string(&export).unwrap(), text.trim_end());
    let values: Vec<&str> =
        export["rows"].as_array().unwrap().iter().map(|row| row["value"].as_str().unwrap()).collect();
    assert!(values.contains(&"Ottilie Habersaat"), "{values:?}");
    assert!(!text.contains("Quistorp") && !text.contains("198.51.100.7"), "of nobody else: {text}");
    assert_eq!(export["rows"][0]["ticket"], "4711");
    let shown = desk.sender(&["subject", "export", "Ottilie Habersaat", "--json"]).ends(0).result();
    assert_eq!(shown["export"]["rows"][0]["category"], "person");
}

#[test]
fn the_record_is_made_of_settings_profile_and_ledger() {
    let desk = sent();
    let first = desk.sender(&["records", "--json"]).ends(0).says("controller.name").result();
    let version = &first["version"];
    assert_eq!(version["version"], 1);
    let activity = &version["record"]["activities"][0];
    let treated = |category: &str| {
        let rows = activity["data"].as_array().unwrap();
        rows.iter().find(|row| row["category"] == category).unwrap()["treatment"].as_str().unwrap().to_owned()
    };
    assert!(treated("person").contains("stand-in") && treated("secret").contains("dropped"));
    assert!(activity["recipients"][0].as_str().unwrap().contains("127.0.0.1"));
    assert_eq!(activity["time_limits"][0]["days"], 90);

    desk.forward(1);
    assert_eq!(desk.sender(&["records", "--json"]).ends(0).result()["version"], *version, "a day changes nothing");
    let facts = "schema = 1\nrecipients = []\nsub_processors = []\ntransfers = []\n[controller]\nname = \"Agency\"\n\
                 contact = \"a\"\nofficer = \"b\"\n[processor]\nname = \"Vendor\"\ncontact = \"c\"\n";
    fs::write(desk.at("sender/records.toml"), facts).unwrap();
    let second = desk.sender(&["records", "--json"]).ends(0).result();
    assert_eq!((&second["missing"], &second["version"]["version"]), (&json!(0), &json!(2)));
    let past = desk.sender(&["records", "--past", "1"]).ends(0).out;
    let past: Value = serde_json::from_str(&past).unwrap();
    assert_eq!(past, *version);
    let listed = desk.sender(&["records", "--list"]).ends(0).out;
    assert_eq!(listed.lines().count(), 2);
    assert!(listed.contains(version["digest"].as_str().unwrap()));
    desk.sender(&["records", "--past", "9"]).ends(10);

    let page = desk.at("record.html");
    desk.sender(&["records", "--html", "-o", &page]).ends(0);
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains("<html lang=\"en\">") && page.contains("Agency"));
    fs::write(desk.at("sender/records.toml"), "schema = 1\ncontroler = 1\n").unwrap();
    desk.sender(&["records"]).ends(2).says("line 2");

    let kept = desk.at("sender/records/000001.json");
    let changed = fs::read_to_string(&kept).unwrap().replace("Support", "Sport").replacen("90", "91", 1);
    fs::remove_file(desk.at("sender/records.toml")).unwrap();
    fs::write(&kept, changed).unwrap();
    desk.sender(&["records"]).ends(6).says("damaged");
}

/// The program itself, with the sender's home.
#[test]
fn the_program_does_the_same() {
    let desk = sent();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tarseal"));
        command.env_clear().env("TARSEAL_HOME", desk.at("sender"));
        command.args(arguments).output().unwrap()
    };
    let found = run(&["subject", "find", "Ottilie Habersaat"]);
    assert_eq!(found.status.code(), Some(0), "{found:?}");
    assert!(String::from_utf8(found.stdout).unwrap().contains("person-1"));
    let record = run(&["records"]);
    assert_eq!(record.status.code(), Some(0));
    let version: Value = serde_json::from_slice(&record.stdout).unwrap();
    assert_eq!(version["record"]["side"], "sender");
    let refused = run(&["subject", "find", "Nobody Here"]);
    assert_eq!(refused.status.code(), Some(10));
}
