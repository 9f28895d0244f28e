//! What sender and technician say to each other after the sending: questions, passing on, taking back, proof.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::json;
use tarseal::clock::Clock as _;

use crate::desk::{Desk, Ran, files_below};
use crate::people::join;

const LOG: &str = "Participant=\"Ottilie Habersaat\" joined, user=quirin a.berg@min.example from 198.51.100.7\n";

/// A snapshot of ticket 4711 in which person-1 is Ottilie Habersaat.
fn sent() -> Desk {
    let desk = Desk::new();
    send(&desk, "a.log");
    desk
}

fn send(desk: &Desk, name: &str) {
    let log = desk.at(name);
    fs::write(&log, LOG).unwrap();
    desk.sender(&["send", &log, "--ticket", "4711", "--yes"]).ends(0);
}

fn ask(desk: &Desk) -> String {
    let asked = desk.technician(&["ask", "4711", "person-1", "--why", "need the room system model", "--json"]).ends(0);
    asked.result()["question"].as_str().unwrap().to_owned()
}

/// What the technician sees of the questions.
fn seen(desk: &Desk) -> Ran {
    desk.technician(&["ask", "4711"]).ends(0)
}

fn keep(desk: &Desk, file: &str, secret: &str) {
    fs::write(desk.at(file), secret).unwrap();
    fs::set_permissions(desk.at(file), fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn a_question_shows_the_name_here_and_tells_what_the_sender_types() {
    let desk = sent();
    let asked = desk.technician(&["ask", "4711", "person-1", "--why", "need the room system model"]).ends(0);
    asked.says("You will not see the name unless they answer.");
    assert!(seen(&desk).out.contains("not answered yet"));
    let ran = desk.sender_types(&["answer"], "t\nCisco Room Kit, software 11.9\n").ends(0).says("ANSWERED.");
    assert!(ran.out.contains("Ticket 4711: the technician asks about person-1 (need the room system model)"));
    assert!(ran.err.contains("person-1 is:  Ottilie Habersaat     (only you see this line)"), "{}", ran.err);
    assert!(!ran.out.contains("Ottilie"), "what may be kept does not say who");
    let told = seen(&desk).out;
    assert!(told.contains("Cisco Room Kit, software 11.9") && !told.contains("Ottilie"), "{told}");
    desk.sender(&["answer", "4711"]).ends(0).says("No question waits for an answer.");
}

#[test]
fn a_value_is_told_when_the_sender_says_so_and_can_be_taken_back() {
    let desk = sent();
    let question = ask(&desk);
    desk.sender_types(&["answer", "4711"], "r\n").ends(0).says("The value was told.").says("Take it back:");
    assert!(seen(&desk).out.contains("Ottilie Habersaat"));
    desk.sender(&["answer", "4711", "--question", &question, "--decline"]).ends(0).says("You do not tell");
    let told = seen(&desk).out;
    assert!(told.contains("the customer does not tell") && !told.contains("Ottilie"), "{told}");
}

#[test]
fn every_answer_has_a_flag_and_nothing_is_told_without_one() {
    let desk = sent();
    let first = ask(&desk);
    for typed in ["", "\n", "x\nx\nx\n", "t\n\n"] {
        desk.sender_types(&["answer", "4711"], typed).ends(0);
    }
    let listed = desk.sender(&["answer", "4711", "--no-input", "--json"]).ends(0);
    assert!(!listed.out.contains("Ottilie") && !listed.err.contains("Ottilie"), "{}", listed.out);
    let event: serde_json::Value = serde_json::from_str(listed.out.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&event["event"], &event["known"], &event["question"]),
        (&json!("question"), &json!(true), &json!(first))
    );
    assert_eq!((&listed.result()["answered"], &listed.result()["open"]), (&json!(0), &json!(1)));

    let second = ask(&desk);
    desk.sender(&["answer", "4711", "--decline"]).ends(2).says(&first).says(&second);
    desk.sender(&["answer", "4711", "--question", &first, "--reveal"]).ends(0).says("ANSWERED.");
    desk.sender(&["answer", "4711", "--text", "a room system"]).ends(0).says("ANSWERED.");
    desk.sender(&["answer", "4711", "--question", "0011", "--decline"]).ends(10).says("There is no question 0011");
    desk.sender(&["answer", "4711", "--decline", "--reveal"]).ends(2);
    desk.sender(&["answer", "4712"]).ends(10).says("Nothing was sent for ticket 4712 from here");
    let result = desk.technician(&["ask", "4711", "--json"]).ends(0).result();
    assert_eq!(result["questions"][0]["text"], "Ottilie Habersaat");
    assert_eq!(result["questions"][1]["text"], "a room system");
    assert_eq!(result["open"], 0);
}

#[test]
fn a_stand_in_that_this_computer_does_not_know_is_not_revealed() {
    let desk = sent();
    desk.technician(&["ask", "4711", "person-99", "--why", "who is that"]).ends(0);
    let ran = desk.sender_types(&["answer", "4711"], "r\nr\nr\n").ends(0);
    assert!(ran.err.contains("does not know who person-99 is") && !ran.err.contains("[r]"), "{}", ran.err);
    desk.sender(&["answer", "4711", "--reveal"]).ends(10).says("NOT ANSWERED.").says("Nothing was told.");
    assert!(seen(&desk).out.contains("not answered yet"));
}

#[test]
fn a_question_says_why_and_what_it_is_about() {
    let desk = sent();
    desk.technician(&["ask", "4711", "person-1"]).ends(2).says("NOT ASKED.").says("--why TEXT");
    desk.technician(&["ask", "4711", "--why", "x"]).ends(2);
    desk.technician(&["ask", "4712", "person-1", "--why", "x"]).ends(10);
    desk.technician(&["ask", "4711", "person\u{1b}[2J", "--why", "x"]).ends(2).says("one line");
    desk.sender(&["ask", "4711", "person-1", "--why", "x"]).ends(9);
    desk.technician(&["ask", "4711"]).ends(0).says("Nothing was asked about ticket 4711.");
}

#[test]
fn what_was_sent_is_taken_back_with_an_entry_in_the_ledger() {
    let desk = sent();
    desk.sender_types(&["withdraw", "4711"], "no\n").ends(5).says("NOT WITHDRAWN.").says("Nothing was taken back.");
    desk.sender(&["withdraw", "4711"]).ends(5).says("--yes");
    desk.sender_types(&["withdraw", "4711"], "yes\n").ends(0).says("WITHDRAWN.").says("Nobody reads it any more.");
    assert!(desk.sender(&["status", "4711"]).ends(0).out.contains("withdrawn 2026-11-21T09:00:00Z"));
    let entry = desk.sender(&["status", "4711", "--json"]).ends(0).result();
    assert_eq!(entry["snapshots"][0]["withdrawn"], "2026-11-21T09:00:00Z");
    let key = desk.at("me.key");
    desk.technician(&["fetch", "4711", "--reason", "x", "--key", &key, "-o", &desk.at("late")]).ends(13);
    desk.operator(&["sweep"]).ends(0);
    desk.sender(&["sync"]).ends(0).says("DELETED");
    desk.sender(&["withdraw", "4711", "--yes"]).ends(13).says("It was deleted on");
    desk.sender(&["withdraw", "4712", "--yes"]).ends(10).says("Nothing was sent for ticket 4712 from here");
}

#[test]
fn one_snapshot_of_several_is_taken_back_and_a_closed_ticket_keeps_the_rest() {
    let desk = sent();
    desk.clock.set(desk.clock.now().plus_seconds(60));
    send(&desk, "b.log");
    let all = desk.sender(&["status", "4711", "--json"]).ends(0).result();
    let first = all["snapshots"][0]["snapshot"].as_str().unwrap().to_owned();
    let result = desk.sender(&["withdraw", "4711", "--snapshot", &first, "--yes", "--json"]).ends(0).result();
    assert_eq!((&result["status"], &result["snapshots"]), (&json!("withdrawn"), &json!([first])));
    let other = "00112233445566778899aabbccddeeff";
    desk.sender(&["withdraw", "4711", "--snapshot", other, "--yes"]).ends(10).says("knows no snapshot");
    desk.technician(&["close", "4711"]).ends(0);
    desk.operator(&["sweep"]).ends(0);
    desk.sender(&["sync"]).ends(0);
    desk.sender(&["withdraw", "4711", "--yes"]).ends(5).says("The ticket is closed").says("Nothing was taken back.");
}

#[test]
fn a_proof_is_a_receipt_that_anyone_can_verify() {
    let desk = sent();
    let file = desk.at("4711.receipt");
    desk.technician(&["proof", "4711", "-o", &file]).ends(10).says("NOT PROVED.").says("is deleted yet; it will be by");
    desk.technician(&["close", "4711"]).ends(0);
    desk.forward(91);
    desk.operator(&["sweep"]).ends(0);
    let result = desk.technician(&["proof", "4711", "-o", &file, "--json"]).ends(0).result();
    desk.technician(&["receipt", "verify", &file]).ends(0).says("A receipt of a deletion");
    let key = result["key"].as_str().unwrap();
    desk.sender(&["receipt", "verify", &file, "--key", key]).ends(0).says("VALID.");
    desk.technician(&["proof", "4711", "-o", &file]).ends(7).says("nothing is overwritten");
    desk.technician(&["proof", "4712", "-o", &desk.at("other")]).ends(10);
    assert!(!fs::exists(desk.at("other")).unwrap());
}

#[test]
fn of_several_that_were_deleted_one_is_named() {
    let desk = sent();
    desk.clock.set(desk.clock.now().plus_seconds(60));
    send(&desk, "b.log");
    desk.technician(&["close", "4711"]).ends(0);
    desk.forward(91);
    desk.operator(&["sweep"]).ends(0);
    let ran = desk.technician(&["proof", "4711", "-o", &desk.at("one")]).ends(2).says("2 snapshots of ticket 4711");
    let id = ran.err.lines().find_map(|line| line.strip_prefix("--snapshot ")).unwrap()[..32].to_owned();
    desk.technician(&["proof", "4711", "-o", &desk.at("one"), "--snapshot", &id]).ends(0).says("PROVED.");
    desk.technician(&["receipt", "verify", &desk.at("one")]).ends(0);
}

/// A technician who is on the ticket, and a subcontractor with a key: both sign in.
fn people(desk: &Desk) {
    let client = reqwest::blocking::Client::builder().no_proxy().build().unwrap();
    let invite = |role: &str, name: &str| {
        let invited = desk.operator(&["invite", "--role", role, "--tenant", "agency"]).ends(0);
        join(desk, invited.out.trim(), name)
    };
    let (lead, ada, sub) = (invite("lead", "lead"), invite("technician", "ada"), invite("technician", "sub"));
    let me: serde_json::Value =
        client.get(format!("{}/v1/session", desk.url())).bearer_auth(&ada).send().unwrap().json().unwrap();
    let path = format!("{}/v1/tickets/4711/assignees/{}", desk.url(), me["user"].as_str().unwrap());
    assert_eq!(client.put(path).bearer_auth(&lead).send().unwrap().status(), 204);
    keep(desk, "ada.session", &ada);
    keep(desk, "sub.session", &sub);
    let recipient = as_sub(desk, &["key", "new", "-o", &desk.at("sub.key")]).ends(0).out;
    fs::write(desk.at("sub.recipient"), recipient).unwrap();
}

fn as_ada(desk: &Desk, arguments: &[&str]) -> Ran {
    desk.as_person("technician", "ada.session", arguments, "")
}

fn as_sub(desk: &Desk, arguments: &[&str]) -> Ran {
    desk.as_person("subcontractor", "sub.session", arguments, "")
}

#[test]
fn a_subcontractor_fetches_and_opens_what_was_passed_on_until_it_is_revoked() {
    let desk = sent();
    people(&desk);
    let (mine, theirs, recipient) = (desk.at("me.key"), desk.at("sub.key"), desk.at("sub.recipient"));
    let fetch =
        |into: &str| as_sub(&desk, &["fetch", "4711", "--reason", "our codec", "--key", &theirs, "-o", &desk.at(into)]);
    fetch("early").ends(10);
    let pass_on = ["grant", "4711", "--user", "sub", "--to", &recipient, "--key", &mine, "--reason", "their codec"];
    desk.technician(&pass_on).ends(9).says("somebody who signed in");
    as_ada(&desk, &[&pass_on[..6], &["--key", &theirs, "--reason", "x"]].concat()).ends(9).says("None of the keys");
    let granted = as_ada(&desk, &[&pass_on[..], &["--json"]].concat()).ends(0).result();
    let grant = granted["grant"]["id"].as_str().unwrap().to_owned();

    fetch("opened").ends(0).says("OPENED.");
    let files = files_below(Path::new(&desk.at("opened")));
    let (name, bytes) = files.iter().find(|(name, _)| name.ends_with("a.log")).unwrap();
    let log = String::from_utf8(bytes.clone()).unwrap();
    assert!(log.contains("person-1") && !log.contains("Ottilie"), "{log}");
    // Kept sealed, it opens later, and in parts.
    let sealed = as_sub(&desk, &["fetch", "4711", "--reason", "our codec", "-o", &desk.at("sealed")]).ends(0).out;
    let sealed = sealed.trim();
    let open = ["cat", sealed, name, "--key", &theirs, "--reason", "our codec"];
    assert_eq!(as_sub(&desk, &open).ends(0).out, log);
    as_sub(&desk, &["verify", sealed, "--key", &theirs]).ends(9).says("None of the keys");

    let listed = as_ada(&desk, &["grants", "4711"]).ends(0).says("1 grant in force");
    assert!(listed.out.contains("sub") && listed.out.contains(&grant), "{}", listed.out);
    as_ada(&desk, &["grants", "4711", "--revoke", "0011"]).ends(10).says("has no grant 0011");
    as_ada(&desk, &["grants", "4711", "--revoke", &grant]).ends(0).says("REVOKED.");
    fetch("late").ends(10);
    as_sub(&desk, &open).ends(9);
    assert!(as_ada(&desk, &["grants", "4711"]).ends(0).says("0 grants in force").out.contains("revoked"));
}

#[test]
fn the_sender_sees_how_often_and_by_how_many_it_was_opened() {
    let desk = sent();
    people(&desk);
    let key = desk.at("me.key");
    for into in ["one", "two"] {
        desk.technician(&["fetch", "4711", "--reason", "x", "--key", &key, "-o", &desk.at(into)]).ends(0);
    }
    desk.sender(&["sync"]).ends(0);
    assert!(desk.sender(&["status"]).ends(0).out.contains("opened 2 times by 1 technician, last 2026-11-21T09:00:00Z"));
    desk.clock.set(desk.clock.now().plus_seconds(600));
    as_ada(&desk, &["fetch", "4711", "--reason", "x", "--key", &key, "-o", &desk.at("three")]).ends(0);
    assert!(desk.sender(&["status"]).ends(0).out.contains("opened 2 times"), "the ledger knows what it was told");
    desk.sender(&["sync"]).ends(0);
    assert!(
        desk.sender(&["status"]).ends(0).out.contains("opened 3 times by 2 technicians, last 2026-11-21T09:10:00Z")
    );
}
