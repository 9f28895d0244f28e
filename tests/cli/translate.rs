//! The way back: `names` and `translate`.

use std::fs;

use crate::desk::Desk;

const LOG: &str =
    "Participant=\"Ottilie Habersaat\" user=quirin a.berg@min.example from 198.51.100.7 phone=\"+32 2 555 01 42\"\n";

fn sent(desk: &Desk) -> String {
    let log = desk.at("a.log");
    fs::write(&log, LOG).unwrap();
    desk.sender(&["send", &log, "--ticket", "4711", "--yes"]).ends(0);
    desk.sender(&["redact", &log, "--ticket", "4711"]).ends(0).out
}

#[test]
fn a_vendors_mail_is_read_with_the_names_and_stays_as_it_was() {
    let desk = Desk::new();
    let redacted = sent(&desk);
    assert_eq!(desk.sender_types(&["translate", "4711", "-"], &redacted).ends(0).says("translated").out, LOG);
    let mail = desk.at("mail.txt");
    let text = "Hello,\r\nperson-1 was cut off; so was Person-1. Who is person-99?\nuser-1 and host-1 at noon";
    fs::write(&mail, text).unwrap();
    let ran = desk.sender(&["translate", "4711", &mail]).ends(0).says("person-99");
    assert_eq!(
        ran.out,
        "Hello,\r\nOttilie Habersaat was cut off; so was Ottilie Habersaat. Who is person-99?\nquirin and host-1 at noon"
    );
    assert!(ran.err.contains("host-1"), "{}", ran.err);
    assert_eq!(fs::read_to_string(&mail).unwrap(), text);
    let result = desk.sender(&["translate", "4711", &mail, "--json"]).ends(0).result();
    assert_eq!(result["unknown"], serde_json::json!(["host-1", "person-99"]));
    assert_eq!(result["translated"], 3);
}

#[test]
fn a_line_of_megabytes_is_translated_whole() {
    let desk = Desk::new();
    sent(&desk);
    let text = "person-1 ".repeat(300_000);
    let out = desk.sender_types(&["translate", "4711", "-"], &text).ends(0).out;
    assert_eq!(out, "Ottilie Habersaat ".repeat(300_000));
}

#[test]
fn what_cannot_be_translated_is_refused() {
    let desk = Desk::new();
    desk.sender_types(&["translate", "4711", "-"], "person-1").ends(10).says("There is no vault for ticket 4711");
    sent(&desk);
    let bad = desk.at("mail.txt");
    fs::write(&bad, b"M\xfcller").unwrap();
    desk.sender(&["translate", "4711", &bad]).ends(6).says("UTF-8");
    desk.technician(&["close", "4711"]).ends(0);
    desk.forward(91);
    desk.operator(&["sweep"]).ends(0);
    desk.sender(&["sync"]).ends(0).says("DELETED");
    for command in ["translate", "names"] {
        let ran = desk.sender(&[command, "4711"]).ends(13).says("deleted on");
        assert!(ran.out.is_empty());
    }
}

#[test]
fn names_are_found_by_stand_in_value_and_category() {
    let desk = Desk::new();
    sent(&desk);
    let names = |extra: &[&str]| {
        let arguments: Vec<&str> = ["names", "4711"].iter().chain(extra).copied().collect();
        desk.sender(&arguments).ends(0).out
    };
    assert_eq!(names(&["person-1"]), "person-1\tOttilie Habersaat\tperson\n");
    assert_eq!(names(&["habersaat"]), "person-1\tOttilie Habersaat\tperson\n");
    assert_eq!(names(&["--category", "user"]), "user-1\tquirin\tuser\n");
    assert!(names(&["--category", "ip"]).ends_with("\t198.51.100.7\tip\n"));
    let result = desk.sender(&["names", "4711", "--category", "person", "--json"]).ends(0).out;
    assert!(result.contains("\"value\":\"Ottilie Habersaat\"") && result.lines().count() == 2, "{result}");
    desk.sender(&["names", "4711", "person-2"]).ends(10).says("person-2");
    desk.sender(&["names", "4711", "--category", "people"]).ends(2).says("the categories are person, user");
}

#[test]
fn a_second_snapshot_of_a_ticket_calls_nobody_what_somebody_else_was_called() {
    let desk = Desk::new();
    sent(&desk);
    let (log, again) = (desk.at("b.log"), desk.at("c.log"));
    fs::write(&log, "Participant=\"Wilhelmina Ostergaard\"\nParticipant=\"Ottilie Habersaat\"\n").unwrap();
    desk.sender(&["send", &log, "--ticket", "4711", "--yes"]).ends(0);
    fs::write(&again, "Participant=\"Quirin Quistorp\"\nParticipant=\"Wilhelmina Ostergaard\"\n").unwrap();
    let out = desk.sender(&["redact", &again, "--ticket", "4711"]).ends(0).out;
    assert_eq!(out, "Participant=\"person-3\"\nParticipant=\"person-2\"\n");
    let mail = desk.sender_types(&["translate", "4711", "-"], "person-1, person-2").ends(0).out;
    assert_eq!(mail, "Ottilie Habersaat, Wilhelmina Ostergaard");
    // Two runs at once could give one number to two persons.
    let lock = fs::File::open(desk.at("sender/locks/4711.stand-ins.lock")).unwrap();
    lock.lock().unwrap();
    let refused = desk.sender(&["redact", &again, "--ticket", "4711"]).ends(11).says("Another run");
    assert!(refused.out.is_empty());
    drop(lock);
    // It goes with the ticket.
    let kept = desk.at("sender/tickets/4711.given");
    assert!(fs::exists(&kept).unwrap());
    desk.technician(&["close", "4711"]).ends(0);
    desk.forward(91);
    desk.operator(&["sweep"]).ends(0);
    desk.sender(&["sync"]).ends(0).says("DELETED");
    assert!(!fs::exists(&kept).unwrap());
}
