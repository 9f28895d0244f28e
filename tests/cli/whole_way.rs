//! The way from a sender's directory to a technician's, and on to the deletion.

use std::fs;
use std::path::Path;

use crate::desk::{Desk, files_below};

/// What must not arrive: every person, address and secret of the invented meeting platform.
const PLANTED: &[&str] = &[
    "Alice",
    "Martens",
    "Ødegård",
    "Bjørn",
    "Okafor",
    "Chidi",
    "cokafor",
    "ministry.example",
    "agency.example",
    "198.51.100.23",
    "203.0.113.77",
    "192.0.2.200",
    "2001:4860:7:110e::5a",
    "3c:52:82:1f:9a:07",
    "+32 2 555",
    "+3225550142",
    "+47 22 55",
    "correct-horse-battery",
    "9f86d081884c7d659a2feaa0c55ad015",
];

/// What must arrive: what a technician needs to find the fault.
const NEEDED: &[&str] = &[
    "2026-11-20T10:09:51.872",
    "ICE failed",
    "Budget round",
    "opus/48000/2",
    "2897451023",
    "7.2.4.3070",
    "0f8fad5b-d9cb-469f-a165-70867728950e",
    "Status-code=\"404\"",
    "5f1d2b0e-7c1b-4a0e-9f7a-0c7e4f3f2a11",
    "bandwidth_kbps = 4096",
    "\"loss\":0.31",
    "[20/Nov/2026:10:10:14 +0000]",
];

fn sent() -> Desk {
    let desk = Desk::new();
    desk.sender(&["send", "fixtures/machines/meeting", "--ticket", "4711", "--yes"])
        .ends(3)
        .says("SENT.")
        .says("capture.pcap");
    desk
}

fn fetch(desk: &Desk, into: &str) -> crate::desk::Ran {
    let (key, output) = (desk.at("me.key"), desk.at(into));
    desk.technician(&["fetch", "4711", "--reason", "audio drops", "--key", &key, "-o", &output])
}

#[test]
fn what_was_redacted_is_gone_and_what_was_kept_is_equal() {
    let desk = sent();
    fetch(&desk, "opened").ends(0).says("OPENED.");
    let files = files_below(Path::new(&desk.at("opened")));
    let mut all = String::new();
    for (name, bytes) in &files {
        all.push_str(name);
        all.push('\n');
        if name.ends_with(".gz") {
            let mut text = String::new();
            std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(bytes.as_slice()), &mut text).unwrap();
            all.push_str(&text);
        } else {
            all.push_str(std::str::from_utf8(bytes).unwrap());
        }
    }
    for planted in PLANTED {
        assert!(!all.contains(planted), "{planted} arrived:\n{all}");
    }
    for needed in NEEDED {
        assert!(all.contains(needed), "{needed} did not arrive:\n{all}");
    }
    assert!(files.iter().any(|(name, _)| name.ends_with("unified_support.log.1.gz")));
    assert!(!files.iter().any(|(name, _)| name.ends_with("capture.pcap")), "a binary file is left out");
}

#[test]
fn without_redaction_every_byte_is_equal() {
    let desk = Desk::new();
    let (sealed, key, opened) = (desk.at("raw.tarseal"), desk.at("me.key"), desk.at("opened"));
    desk.sender(&["seal", "fixtures/machines/meeting", "--no-redact", "-o", &sealed]).ends(0).says("WITHOUT redaction");
    desk.technician(&["open", &sealed, "--key", &key, "-o", &opened]).ends(0).says("WITHOUT redaction");
    let mut arrived = files_below(&Path::new(&opened).join("fixtures/machines/meeting"));
    arrived.retain(|(name, _)| !name.starts_with(".tarseal"));
    assert_eq!(arrived, files_below(Path::new("fixtures/machines/meeting")));
}

#[test]
fn ninety_one_days_after_closing_it_is_gone_with_proof() {
    let mut desk = sent();
    let key = desk.at("me.key");
    desk.technician(&["fetch", "4711", "--reason", "a copy", "-o", &desk.at("copies")]).ends(0);
    let copy = fs::read_dir(desk.at("copies")).unwrap().next().unwrap().unwrap().path();
    let copy = copy.to_str().unwrap();
    let open = |desk: &Desk, into: &str| {
        desk.technician(&["open", copy, "--key", &key, "--reason", "again", "-o", &desk.at(into)])
    };
    open(&desk, "first").ends(0);

    desk.technician(&["close", "4711"]).ends(0).says("CLOSED.");
    desk.sender(&["sync"]).ends(0);
    desk.sender(&["due"]).ends(0);
    desk.forward(80);
    desk.sender(&["due", "--within", "14d"]).ends(14);
    open(&desk, "second").ends(0);

    desk.forward(11);
    desk.portal.as_ref().unwrap().sweep().unwrap();
    open(&desk, "third").ends(13).says("NOT OPENED.");
    assert!(!Path::new(&desk.at("third")).exists());
    fetch(&desk, "fourth").ends(13);

    desk.sender(&["sync"]).ends(0);
    let status = desk.sender(&["status", "4711"]).ends(0);
    assert!(status.out.contains("DELETED"), "{}", status.out);
    assert!(fs::read_dir(desk.at("sender/vaults")).unwrap().next().is_none(), "the vault goes with the snapshot");

    desk.portal = None;
    let receipt = fs::read_dir(desk.at("sender/receipts"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.to_str().unwrap().contains("deletion"))
        .unwrap();
    desk.sender(&["receipt", "verify", receipt.to_str().unwrap()]).ends(0).says("VALID.");
    let changed = fs::read_to_string(&receipt).unwrap().replacen("deleted", "deletes", 1);
    fs::write(&receipt, changed).unwrap();
    desk.sender(&["receipt", "verify", receipt.to_str().unwrap()]).ends(6).says("NOT VALID.");
}

#[test]
fn the_same_person_has_the_same_stand_in_in_every_file() {
    let desk = sent();
    fetch(&desk, "opened").ends(0);
    let log = desk.at("opened/fixtures/machines/meeting/log");
    let support = fs::read_to_string(format!("{log}/unified_support.log")).unwrap();
    let media = fs::read_to_string(format!("{log}/media.json")).unwrap();
    let stand_in = support.split("Participant=\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(stand_in.starts_with("person-"), "{stand_in}");
    assert!(media.contains(&format!("\"display_name\":\"{stand_in}\"")), "{media}");
}

#[test]
fn only_the_sender_knows_who_is_who() {
    let desk = sent();
    fetch(&desk, "opened").ends(0);
    let log = desk.at("opened/fixtures/machines/meeting/log/unified_support.log");
    let log = fs::read_to_string(log).unwrap();
    let stand_in = log.split("Participant=\"").nth(1).unwrap().split('"').next().unwrap();
    let names = desk.sender(&["names", "4711", stand_in]).ends(0);
    assert_eq!(names.out, format!("{stand_in}\tAlice Martens\tperson\n"));
    desk.technician(&["names", "4711", stand_in]).ends(10);
}

#[test]
fn json_output_ends_with_exactly_one_result() {
    let desk = Desk::new();
    let ran = desk.sender(&["send", "fixtures/machines/meeting", "--ticket", "4711", "--yes", "--json"]).ends(3);
    let events: Vec<serde_json::Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let results: Vec<_> = events.iter().filter(|event| event["event"] == "result").collect();
    assert_eq!(results.len(), 1);
    assert_eq!(events.last(), Some(results[0]));
    assert_eq!(results[0]["status"], "sent");
    assert_eq!(results[0]["complete"], false);
    assert!(events.iter().any(|event| event["event"] == "skipped" && event["reason"] == "not-readable"));
}

#[test]
fn a_person_is_asked_before_anything_leaves() {
    let desk = Desk::new();
    let send = ["send", "fixtures/machines/meeting/log/auth.log", "--ticket", "4711"];
    desk.sender(&send).ends(5).says("NOT SENT.");
    desk.sender_types(&send, "no\n").ends(5).says("NOT SENT.").says("NOTHING HAS LEFT THIS COMPUTER.");
    assert!(fs::read_dir(desk.at("sender/outgoing")).unwrap().next().is_none(), "a declined file is removed");
    desk.sender_types(&send, "4711\n").ends(0).says("SENT.");
}

#[test]
fn a_dry_run_sends_and_writes_nothing() {
    let desk = Desk::new();
    let ran = desk.sender(&["send", "fixtures/machines/meeting", "--ticket", "4711", "--dry-run"]).ends(0);
    assert!(ran.out.contains("fixtures/machines/meeting/log/auth.log"), "{}", ran.out);
    desk.technician(&["fetch", "4711", "--reason", "look", "-o", &desk.at("x")]).ends(10);
}

#[test]
fn the_receipt_that_a_result_names_verifies_and_the_page_says_what_does() {
    let desk = Desk::new();
    let log = desk.at("a.log");
    fs::write(&log, "2026-11-20 all is well\n").unwrap();
    let sent = desk.sender(&["send", &log, "--ticket", "4711", "--yes", "--json"]).ends(0).result();
    desk.technician(&["close", "4711"]).ends(0);
    desk.forward(91);
    desk.operator(&["sweep"]).ends(0);
    let synced = desk.sender(&["sync", "--json"]).ends(0).out;
    let deleted = synced.lines().find(|line| line.contains("\"deleted\",\"")).unwrap();
    for named in [sent, serde_json::from_str(deleted).unwrap()] {
        let (receipt, page) = (named["receipt"].as_str().unwrap(), named["receipt_page"].as_str().unwrap());
        desk.sender(&["receipt", "verify", receipt]).ends(0).says("VALID.");
        for command in ["verify", "add"] {
            desk.sender(&["receipt", command, page]).ends(6).says("a receipt's page").says(receipt);
        }
        // Beside no proof a page is still no receipt.
        let alone = desk.at("page.txt");
        fs::copy(page, &alone).unwrap();
        desk.sender(&["receipt", "verify", &alone]).ends(6).says("FILE.json");
    }
}
